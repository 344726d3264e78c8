"""mgk_docs_src/figures/diffusion/process.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from mgk_docs_src.figures.diffusion import process
from mgk_docs_src.figures.diffusion.process import (
    forward_digit,
    forward_points,
    schedules,
)
from mgk_docs_src.figures.style import to_svg


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def digit_columns(figure: Figure, axes: int) -> np.ndarray:
    """칸마다의 농도로 되돌린 여섯 그림 (6, 8, 8)."""
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
    assert radii["자료"].mean() == pytest.approx(2, abs=0.1)
    assert radii["자료"].std() < 0.25
    assert radii["t = 999"].mean() == pytest.approx(math.sqrt(math.pi / 2), abs=0.2)
    assert radii["t = 999"].std() > 0.5


def test_the_cosine_schedule_spends_more_time_with_signal() -> None:
    figure = schedules()
    left, right = curves(figure), curves(figure, 1)
    t, linear = left["선형"]
    cosine = left["코사인"][1]
    assert (np.diff(linear) < 0).all()
    assert (np.diff(cosine) < 0).all()
    assert cosine[t == 504] == pytest.approx(0.5, abs=0.03)
    assert linear[t == 504] < 0.1
    for name in ("선형", "코사인"):
        assert right[name][1] == pytest.approx(left[name][1] / (1 - left[name][1]))


@pytest.mark.parametrize("draw", [forward_digit, forward_points, schedules], ids=lambda f: f.__name__)
def test_every_figure_is_light_and_has_no_mathtext(draw: Callable[[], Figure]) -> None:
    svg = to_svg(draw())
    assert len(svg) < 80_000
    assert "$" not in svg
    assert getattr(process, draw.__name__) is draw
