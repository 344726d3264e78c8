"""mgk_docs_src/figures/transport/sinkhorn.py: 그림이 페이지의 말과 같은 것을 보인다."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mgk_docs_src.figures.style import to_svg
from mgk_docs_src.figures.transport.sinkhorn import bias, interval, plans


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def test_the_plans_narrow_around_the_exact_one() -> None:
    figure = plans()
    areas = []
    for axes in figure.axes:
        (heat, points) = axes.collections
        filled = [path for level in heat.get_paths() for path in level.to_polygons()]
        areas.append(sum(shoelace(polygon) for polygon in filled))
        spots = np.asarray(points.get_offsets())
        assert 30 <= len(spots) <= 59  # 기저해: n + m − 1개를 넘지 않는다
        order = np.lexsort((spots[:, 1], spots[:, 0]))
        assert (np.diff(spots[order, 1]) >= 0).all()  # 1차원의 최적 계획은 순서를 지킨다
    assert areas[0] > 1.5 * areas[1] > 2.25 * areas[2] > 0
    assert [axes.get_title() for axes in figure.axes] == ["ε = 3", "ε = 0.3", "ε = 0.03"]


def shoelace(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return abs(float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())) / 2


def test_the_exact_value_lies_in_every_interval_and_the_ends_close_in() -> None:
    figure = interval()
    lines = curves(figure)
    (exact,) = set(lines["정확한 값"][1])
    epsilons, upper = lines["위 끝: 맞춘 계획의 비용"]
    _, lower = lines["아래 끝: c-변환한 퍼텐셜의 값"]
    assert (np.diff(epsilons) < 0).all()
    assert (lower <= exact).all()
    assert (exact <= upper).all()
    assert (np.diff(upper) < 0).all()
    assert (upper - lower)[-1] < 0.01 * exact
    for name, side in (("위 끝", upper), ("아래 끝", lower)):
        assert curves(figure, 1)[name][1] == pytest.approx(100 * abs(side - exact) / exact)


def test_only_the_biased_cost_is_positive_at_home_and_prefers_a_shrunken_cloud() -> None:
    figure = bias()
    moved, scaled = curves(figure), curves(figure, 1)
    shifts, divergence = moved["발산 S_ε"]
    assert divergence == pytest.approx(shifts**2, abs=1e-5)
    assert moved["정확한 값"][1] == pytest.approx(shifts**2, abs=1e-12)
    assert moved["OT_ε"][1][0] > 0.5
    scales = scaled["OT_ε"][0]
    best = {name: scales[values.argmin()] for name, (_, values) in scaled.items()}
    assert best["정확한 값"] == pytest.approx(1)
    assert best["발산 S_ε"] == pytest.approx(1)
    assert best["OT_ε"] < 0.9


@pytest.mark.parametrize("draw", [plans, interval, bias])
def test_the_files_are_light(draw) -> None:
    assert len(to_svg(draw()).encode()) < 80_000
