"""mgk_docs_src/figures/transport/wasserstein.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math
import re

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from mgk_docs_src.figures.style import to_svg
from mgk_docs_src.figures.transport.wasserstein import (
    HALF_WIDTH,
    another_coupling,
    best_coupling,
    coupling_live,
    many_pairs,
    one_pair,
    potential,
    same_marginals,
    sample_size,
    transport_plan,
    two_points,
)
from mgk_docs_src.transport.wasserstein import normal_uniform_distance

SCENES = (one_pair, many_pairs, another_coupling, same_marginals, best_coupling)


def named(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """이름이 붙은 선과 점."""
    return {
        line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axes.get_lines()
        if not line.get_label().startswith("_")
    }


def texts(axes: Axes) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


def number(pattern: str, text: str) -> float:
    found = re.search(pattern + r"(−?[\d.]+)", text)
    assert found, (pattern, text)
    return float(found[1].replace("−", "-"))


def test_the_five_scenes_are_one_picture_growing() -> None:
    boxes, sizes = [], []
    for scene in SCENES:
        figure = scene()
        assert len(to_svg(figure)) <= 80_000, scene
        joint = figure.axes[0]
        boxes.append(joint.get_position().bounds)
        sizes.append((*figure.get_size_inches(), *joint.get_xlim(), *joint.get_ylim()))
    np.testing.assert_allclose(boxes, [boxes[0]] * 5, atol=1e-3)
    np.testing.assert_allclose(sizes, [sizes[0]] * 5)


def marked(joint: Axes) -> tuple[float, float]:
    """큰 점 하나로 표시한 쌍."""
    (point,) = (line for line in joint.get_lines() if line.get_marker() == "o")
    return float(point.get_xdata()[0]), float(point.get_ydata()[0])


def test_the_first_pair_shows_its_distance_to_the_diagonal_and_stays_in_the_second_scene() -> None:
    joint, below = one_pair().axes
    x, y = marked(joint)
    assert abs(x - y) > 0.4
    assert number("= ", texts(below)) == pytest.approx(abs(x - y), abs=0.005)
    assert below.get_lines()[0].get_xdata()[0] == pytest.approx(abs(x - y))
    drops = [line.get_ydata() for line in joint.get_lines() if line.get_color() == below.get_lines()[0].get_color()]
    assert any(sorted(drop) == pytest.approx(sorted([x, y])) for drop in drops if len(drop) == 2)
    second = many_pairs().axes[0]
    assert marked(second) == (x, y)
    xs, ys = named(second)["γ₁ 공단조"]
    assert (xs == x).any()
    assert (ys == y).any()


def test_many_pairs_trace_the_coupling() -> None:
    joint, below = many_pairs().axes
    x, y = named(joint)["γ₁ 공단조"]
    assert len(x) == 300
    assert (np.diff(y[np.argsort(x)]) >= 0).all()
    assert number("평균 ", next(iter(named(below)))) == pytest.approx(0.154, abs=0.03)


def test_the_other_coupling_changes_the_distances() -> None:
    joint, below = another_coupling().axes
    points = named(joint)
    assert list(points) == ["γ₁ 공단조", "γ₂ 반단조"]
    x, y = points["γ₂ 반단조"]
    assert (np.diff(y[np.argsort(x)]) <= 0).all()
    means = [number("평균 ", label) for label in named(below)]
    assert means == pytest.approx([0.154, 1.664], abs=0.15)
    first, second = (patch.get_data().values for patch in below.patches if isinstance(patch, StepPatch))
    assert (first > 0).sum() < 0.5 * (second > 0).sum()  # 막대의 너비가 다르다
    assert first.max() == second.max()


def test_the_marginals_lie_on_one_another_while_the_pairings_differ() -> None:
    joint, below = same_marginals().axes
    first_x, first_y, second_x, second_y = (patch.get_data() for patch in joint.patches if isinstance(patch, StepPatch))
    height = (first_x.values - first_x.baseline).max()
    for first, second in ((first_x, second_x), (first_y, second_y)):
        assert abs(first.values - second.values).max() <= 0.03 * height
    ends = [np.stack([line.get_xdata() for line in below.get_lines()[row * 40 : row * 40 + 40]]) for row in range(3)]
    for pairs in ends:
        np.testing.assert_array_equal(np.sort(pairs[:, 0]), np.sort(ends[0][:, 0]))
        np.testing.assert_array_equal(np.sort(pairs[:, 1]), np.sort(ends[0][:, 1]))
    lengths = [abs(pairs[:, 0] - pairs[:, 1]).mean() for pairs in ends]
    assert lengths[0] < 0.6 * lengths[1]
    assert lengths[1] < lengths[2]


def test_the_best_coupling_is_the_first_and_samples_agree_with_the_bars() -> None:
    _, below = best_coupling().axes
    bars = [patch.get_width() for patch in below.patches]
    sampled = [float(line.get_xdata()[0]) for line in below.get_lines()]
    assert bars == pytest.approx([0.154280, 1.147571, 1.663910], abs=1e-6)
    assert sampled == pytest.approx(bars, abs=0.01)
    assert "γ₁ 공단조: 0.1543 = W₁" in texts(below)
    assert texts(below).count("W₁") == 1


def test_the_plan_moves_everything_and_its_prices_add_up_to_the_cost() -> None:
    axes = transport_plan().axes[0]
    moved = [(float(a), float(c)) for a, c in re.findall(r"([\d.]+) × (\d)", texts(axes))]
    total = number("전체 비용 ", axes.get_title())
    assert sum(amount for amount, _ in moved) == pytest.approx(1)
    assert sum(amount * cost for amount, cost in moved) == pytest.approx(total)
    assert len(moved) == 4 + 3 - 1  # 꼭짓점의 해: 경로가 행과 열의 수보다 적다
    masses = [float(text) for text in re.findall(r"^0\.\d\d$", texts(axes), re.M)]
    prices = [float(text.replace("−", "-")) for text in re.findall(r"= (−?\d+)", texts(axes))]
    assert len(masses) == len(prices) == 7
    assert sum(m * p for m, p in zip(masses, prices, strict=True)) == pytest.approx(total)
    assert min(prices[:4]) == 0


def test_two_c_transforms_make_the_potential_lipschitz_and_reach_the_distance() -> None:
    (axes,) = two_points().axes
    (rough, first), (smooth, second) = named(axes).items()
    assert abs(np.diff(first[1]) / np.diff(first[0])).item() > 1
    assert np.diff(second[1]) / np.diff(second[0]) == pytest.approx([-1])
    moved = 0.5 * 2  # 질량 0.5를 거리 2만큼
    assert number("값 ", rough) == pytest.approx(0.25)
    assert number("값 ", smooth) == pytest.approx(moved)
    assert len(to_svg(axes.figure)) <= 80_000


def test_the_area_the_title_and_the_potential_tell_the_same_number() -> None:
    figure = potential()
    above, below = figure.axes
    distance = number("W₁ = ", above.get_title())
    assert number("= ", below.get_title()) == distance
    heights = named(above)
    (z, f), (_, g) = heights["P의 표본"], heights["Q의 표본"]
    assert float((abs(f - g)[:-1] * np.diff(z)).sum()) == pytest.approx(distance, abs=5e-5)
    (filled,) = above.collections
    corners = {tuple(corner) for path in filled.get_paths() for corner in path.vertices.round(9)}
    for level in (f, g):
        assert {(float(x), float(y)) for x, y in np.stack([z, level], 1).round(9)} <= corners
    curve, first, second = below.get_lines()
    slope = np.diff(curve.get_ydata()) / np.diff(curve.get_xdata())
    np.testing.assert_allclose(slope, np.sign(g - f)[:-1], atol=1e-9)  # F와 G가 같은 곳에서는 평평하다
    assert first.get_ydata().mean() - second.get_ydata().mean() == pytest.approx(distance, abs=5e-5)


def slopes(figure: Figure) -> dict[int, float]:
    return {int(number("d = ", label)): number("기울기 ", label) for label in named(figure.axes[0])}


def test_the_distance_between_samples_falls_slower_in_higher_dimensions() -> None:
    figure = sample_size()
    found = slopes(figure)
    assert found[1] == pytest.approx(-1 / 2, abs=0.07)
    assert -1 / 2 < found[2] < -1 / 3  # n^(-1/2)에 로그가 곱해진다
    assert found[5] == pytest.approx(-1 / 5, abs=0.03)
    assert found[10] == pytest.approx(-1 / 10, abs=0.03)
    for label, (n, mean) in named(figure.axes[0]).items():
        assert np.polyfit(np.log(n), np.log(mean), 1)[0] == pytest.approx(number("기울기 ", label), abs=0.005)
        assert (np.diff(mean) < 0).all()
    assert math.isclose(max(n), 512)
    assert len(to_svg(figure)) <= 80_000


def test_the_correlation_moves_the_pairs_and_leaves_the_marginals() -> None:
    moving = coupling_live()
    points, dot = moving.traces
    rho = dot.x[:, 0]
    assert rho.tolist() == pytest.approx([k / 10 for k in range(-10, 11)])
    distance = moving.readings[0].values
    for place, coupling in ((0, "countermonotone"), (10, "independent"), (20, "comonotone")):
        assert distance[place] == pytest.approx(normal_uniform_distance(HALF_WIDTH, coupling=coupling), abs=0.01)
    assert (distance.diff() < 0).all()
    assert (points.x == points.x[0]).all()
    for place, value in enumerate(rho.tolist()):  # 같은 시드의 앞 120쌍이고, 순위의 상관이 슬라이더를 따른다
        ranks = np.corrcoef(points.x[place].argsort().argsort(), points.y[place].argsort().argsort())[0, 1]
        assert ranks == pytest.approx(6 / math.pi * math.asin(value / 2), abs=0.2)
    assert points.y.abs().max() <= HALF_WIDTH
