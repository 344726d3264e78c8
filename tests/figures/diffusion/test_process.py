"""mgk_docs_src/figures/diffusion/process.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from mgk_docs_src.diffusion.process import cosine_schedule, linear_schedule
from mgk_docs_src.figures.diffusion import process
from mgk_docs_src.figures.diffusion.process import (
    forward_digit,
    forward_points,
    noise_live,
    schedules,
    time_axis,
)
from mgk_docs_src.figures.style import to_svg


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def digit_columns(figure: Figure, axes: int) -> np.ndarray:
    """칸마다의 농도로 되돌린 여섯 이미지 (6, 8, 8)."""
    images = np.zeros((6, 8, 8))
    for patch in figure.axes[axes].patches:
        assert isinstance(patch, PathPatch)
        corners = patch.get_path().vertices.reshape(-1, 5, 2).min(1).astype(int)
        for x, y in corners:
            images[x // 9, y, x % 9] = patch.get_alpha()
    return images


def test_the_cosine_schedule_keeps_the_digit_longer() -> None:
    figure = forward_digit()
    linear, cosine = (digit_columns(figure, axes) for axes in (0, 1))
    assert np.array_equal(linear[0], cosine[0])
    likeness = [[np.corrcoef(rows[0].ravel(), row.ravel())[0, 1] for row in rows] for rows in (linear, cosine)]
    assert likeness[0][0] == pytest.approx(1)
    assert likeness[1][3] > likeness[0][3] + 0.1
    assert max(likeness[0][5], likeness[1][5]) < 0.5


def test_eight_clusters_become_one_cloud() -> None:
    figure = forward_points()
    clouds: dict[str, list[np.ndarray]] = {}
    for line in figure.axes[0].get_lines():
        clouds.setdefault(line.get_gid(), []).append(np.asarray(line.get_xydata()))
    assert len(clouds) == 6
    assert sum(len(points) for both in clouds.values() for points in both) <= 400
    radii = {}
    for place, (name, both) in enumerate(clouds.items()):
        centred = np.concatenate(both) - [7 * (place % 3), -8.5 * (place // 3)]
        radii[name] = np.hypot(*centred.T)
    # 처음에는 반지름 2의 고리이고, 끝에는 반지름이 제각각인 가우스 구름이다.
    assert radii["데이터"].mean() == pytest.approx(2, abs=0.1)
    assert radii["데이터"].std() < 0.25
    assert radii["t = 1000"].mean() == pytest.approx(math.sqrt(math.pi / 2), abs=0.2)
    assert radii["t = 1000"].std() > 0.5


def test_the_number_in_the_array_is_one_less_than_the_time() -> None:
    written = [text.get_text() for text in time_axis().axes[0].texts]
    times = [int(text.removeprefix("시각 ")) for text in written if text.startswith("시각")]
    numbers = [int(text.removeprefix("번호 ").replace("−", "-")) for text in written if text.startswith("번호")]
    assert times == [0, 1, 2, 3, 4]
    assert numbers == [time - 1 for time in times]


def test_the_cosine_schedule_spends_more_time_with_signal() -> None:
    figure = schedules()
    left, right = curves(figure), curves(figure, 1)
    t, linear = left["선형"]
    cosine = left["코사인"][1]
    assert (np.diff(linear) < 0).all()
    assert (np.diff(cosine) < 0).all()
    assert cosine[t == 505] == pytest.approx(0.5, abs=0.03)
    assert linear[t == 505] < 0.1
    for name in ("선형", "코사인"):
        assert right[name][1] == pytest.approx(left[name][1] / (1 - left[name][1]))


@pytest.mark.parametrize("draw", [forward_digit, forward_points, schedules, time_axis], ids=lambda f: f.__name__)
def test_every_figure_is_light_and_has_no_mathtext(draw: Callable[[], Figure]) -> None:
    svg = to_svg(draw())
    assert len(svg) < 80_000
    assert "$" not in svg
    assert getattr(process, draw.__name__) is draw


def test_the_slider_of_noise_shows_closed_forms() -> None:
    moving = noise_live()
    density, points, estimate = moving.traces
    times = [int(place) for place in moving.knobs[0].places]
    x = density.x
    assert torch.trapezoid(density.y, x).numpy() == pytest.approx(1, abs=4e-3)  # ±3 밖은 그리지 않는다
    assert estimate.y[..., 40].abs().max() < 1e-12  # 한가운데에서는 어느 쪽인지 모른다
    for column, schedule in enumerate((linear_schedule(1000), cosine_schedule(1000))):
        for row, t in enumerate(times):
            kept = float(schedule.alpha_bar[t - 1])
            # E[x₀ | xₜ]를 데이터의 격자에서 베이즈 규칙으로 다시 구한다.
            grid = torch.linspace(-4, 4, 8001, dtype=torch.float64)
            prior = sum((-((grid - m) ** 2) / (2 * 0.15**2)).exp() for m in (-1, 1))
            here = x[::10, None]
            joint = prior * (-((here - kept**0.5 * grid) ** 2) / (2 * (1 - kept))).exp()
            inside = joint.sum(1) > 1e-200
            mean = (joint * grid).sum(1)[inside] / joint.sum(1)[inside]
            assert estimate.y[row, column, ::10][inside].numpy() == pytest.approx(mean.numpy(), abs=1e-3)
            spread = float(points.x[row, column].square().mean())
            assert spread == pytest.approx(kept * 1.0225 + 1 - kept, abs=0.35)
    signal, ratio = (reading.values for reading in moving.readings)
    assert ratio.numpy() == pytest.approx((signal / (1 - signal)).numpy(), rel=1e-6)
    assert (signal.diff(dim=0) < 0).all()
    assert estimate.y[-1].abs().max() < 0.1  # 끝에서는 무엇을 보든 평균이 답이다
