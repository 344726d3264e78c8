"""mgk_docs_src/figures/diffusion/sampling.py: 그림이 페이지의 말과 같은 것을 보인다."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from mgk_docs_src.figures.diffusion import sampling
from mgk_docs_src.figures.diffusion.sampling import (
    reverse_conditional,
    reverse_paths,
    steps_error,
    tilting,
)
from mgk_docs_src.figures.style import BLUE, ORANGE, to_svg


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def test_the_paths_end_in_the_two_modes_and_only_ddpm_shakes() -> None:
    figure = reverse_paths()
    roughness = []
    for axes in figure.axes:
        walks = np.array([np.asarray(line.get_ydata()) for line in axes.get_lines()])
        assert walks.shape == (15, 41)
        assert {line.get_color() for line in axes.get_lines()} == {BLUE, ORANGE}
        assert (abs(abs(walks[:, -1]) - 1.2) < 1).all()
        roughness.append(np.abs(np.diff(walks, 2)).mean())
    assert roughness[0] > 10 * roughness[1]
    starts = [[line.get_ydata()[0] for line in axes.get_lines()] for axes in figure.axes]
    assert starts[0] == starts[1]


def test_a_small_step_back_is_gaussian_and_a_long_one_has_two_modes() -> None:
    moving = reverse_conditional()
    (true,), (apart,) = moving.traces, moving.readings
    normal = (-(true.x**2) / 2).exp() / np.sqrt(2 * np.pi)
    assert (true.y[0] - normal).abs().max() < 1e-3
    assert (true.y[-1] - normal).abs().max() > 0.3
    inside = (true.y - normal).abs()
    measured = (inside[:, 1:] + inside[:, :-1]).sum(1) * float(true.x[1] - true.x[0]) / 4
    assert measured.numpy() == pytest.approx(apart.values.numpy(), abs=5e-3)
    assert (apart.values.diff() > 0).all()
    peaks = [int((curve.diff().sign().diff() < 0).sum()) for curve in true.y]
    assert peaks[0] == 1
    assert peaks[-1] == 2


def test_more_steps_are_closer() -> None:
    lines = curves(steps_error())
    for counts, errors in lines.values():
        assert (np.diff(errors) < 0).all()
        # 단계가 열 배면 오차가 열에 하나쯤이다.
        assert errors[counts == 20] / errors[counts == 200] == pytest.approx(10, rel=0.25)
    assert (lines["DDIM"][1] < lines["DDPM, 분산 β̃"][1]).all()


def test_only_the_averaged_likelihood_follows_the_product() -> None:
    figure = tilting()
    x, product = curves(figure)["곱 p·r"]
    p, r = curves(figure)["데이터의 분포 p"][1], curves(figure)["가능도 r"][1]
    assert product == pytest.approx(p * r / np.trapezoid(p * r, x), abs=1e-3)
    means = {}
    for patch in figure.axes[1].patches:
        assert isinstance(patch, StepPatch)
        values, edges, _ = patch.get_data()
        means[patch.get_label()] = float((values * (edges[1:] + edges[:-1])).sum() / 2 / values.sum())
    assert means["r의 평균"] == pytest.approx(-1 / 14, abs=0.02)
    assert means["r(x̂₀)"] < -0.3
    assert -0.2 < means["r(xₜ)"] < -0.1


@pytest.mark.parametrize("draw", [reverse_paths, steps_error, tilting], ids=lambda f: f.__name__)
def test_every_figure_is_light_and_has_no_mathtext(draw: Callable[[], Figure]) -> None:
    svg = to_svg(draw())
    assert len(svg) < 80_000
    assert "$" not in svg
    assert getattr(sampling, draw.__name__) is draw
