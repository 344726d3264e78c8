"""mgk_docs_src/figures/losses/binary.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from mgk_docs_src.figures.losses.binary import bce_live, mixture, penalty, precision, staircase, vanishing
from mgk_docs_src.losses.binary import bce_with_logits


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def test_the_penalties_cross_at_log_2() -> None:
    (p, one), (_, zero) = curves(penalty()).values()
    middle = np.argmin(abs(p - 0.5))
    assert one[middle] == pytest.approx(math.log(2), abs=0.01)
    assert zero[middle] == pytest.approx(math.log(2), abs=0.01)
    assert (np.diff(one) < 0).all()
    assert (np.diff(zero) > 0).all()


def test_the_soft_label_has_its_minimum_inside_and_above_zero() -> None:
    figure = mixture()
    z, loss = curves(figure)["y = 0.3"]
    assert z[loss.argmin()] == pytest.approx(math.log(0.3 / 0.7), abs=0.05)
    assert loss.min() == pytest.approx(0.6109, abs=1e-3)
    for label, (_, slope) in curves(figure, 1).items():
        assert slope.min() >= -1, label
        assert slope.max() <= 1, label


def test_the_gradient_of_bce_after_sigmoid_dies_at_17() -> None:
    figure = vanishing()
    (z, clamped), (_, ours) = curves(figure).values()
    (_, dead), (_, alive) = curves(figure, 1).values()
    assert clamped[z >= 17].min() == 100
    assert (dead[z >= 17] == 0).all()
    assert ours[z >= 17] == pytest.approx(z[z >= 17], rel=1e-5)
    assert (alive[z >= 17] > 0.99).all()


def test_torchs_loss_is_a_staircase_of_the_spacing_that_ends_at_minus_14_6() -> None:
    z, fused = curves(staircase())["torch의 합친 식"]
    _, ours = curves(staircase())["이 책의 식"]
    steps = fused / (2**-20 * 1e6)
    assert steps == pytest.approx(steps.round(), abs=1e-4)
    assert (fused[z <= -14.6] == 0).all()
    assert (fused[z >= -14.5] > 0).all()
    assert ours == pytest.approx(np.log1p(np.exp(z.astype(float))) * 1e6, rel=1e-5)


def test_only_the_books_form_keeps_its_digits_on_both_sides() -> None:
    figure = precision()
    for axes in (0, 1):
        (_, fused), (_, shifted), (_, ours), _ = list(curves(figure, axes).values())
        assert ours.max() <= 3e-7
        assert max(fused.max(), shifted.max()) == pytest.approx(1)


def test_the_knobs_move_over_the_loss_and_its_slope() -> None:
    moving = bce_live()
    z, y = (torch.tensor([float(place.replace("−", "-")) for place in knob.places]) for knob in moving.knobs)
    assert (z[0], z[-1], y[0], y[-1]) == (-6, 6, 0, 1)
    logits, target = (side.double() for side in torch.meshgrid(z, y, indexing="ij"))
    logits.requires_grad_()
    loss = bce_with_logits(logits, target, reduction="none")
    (slope,) = torch.autograd.grad(loss.sum(), logits)
    curve, tangent, dot, _, below = moving.traces
    assert dot.y[..., 0] == pytest.approx(loss.detach().numpy(), abs=1e-6)
    assert below.y[..., 0] == pytest.approx(slope.numpy(), abs=1e-6)
    assert tangent.y.mean(-1) == pytest.approx(loss.detach().numpy(), abs=1e-6)  # 접선은 점을 지난다
    rise = (tangent.y[..., 1] - tangent.y[..., 0]) / (tangent.x[..., 1] - tangent.x[..., 0])
    assert rise == pytest.approx(slope.numpy(), abs=1e-6)
    whole = curve.y[0][:, ::10]  # 곡선의 열째 점마다 z = −6, −4, …
    assert whole.T.numpy() == pytest.approx(loss.detach().numpy()[::4], abs=1e-6)


def test_the_readings_of_bce_are_the_numbers_of_the_page() -> None:
    probability, loss, slope, floor = bce_live().readings
    at = (bce_live().knobs[0].places.index("−1"), bce_live().knobs[1].places.index("0.3"))
    assert probability.values[at] == pytest.approx(0.2689, abs=1e-4)
    assert loss.values[at] == pytest.approx(math.log1p(math.exp(-1)) + 0.3, abs=1e-6)
    assert slope.values[at] == pytest.approx(0.2689 - 0.3, abs=1e-4)
    assert floor.values[at] == pytest.approx(0.6109, abs=1e-4)
    assert (loss.values >= floor.values - 1e-9).all()
