"""mgk_docs_src/figures/contrastive/losses.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math
import re

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from mgk_docs_src.figures.contrastive.losses import (
    alignment_uniformity,
    bounded_logit,
    floors,
    margins,
    temperature,
    temperature_live,
)

Curves = dict[str, tuple[np.ndarray, np.ndarray]]


def curves(figure: Figure, axes: int = 0) -> Curves:
    lines = figure.axes[axes].get_lines()
    return {str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def test_the_bounded_logit_has_a_floor_and_a_narrow_range() -> None:
    figure = bounded_logit()
    plain, sharp = curves(figure), curves(figure, 1)
    for name, best in (("양성 쌍의 손실", -1), ("음성 쌍의 손실", 0)):
        assert plain[name][1].min() == pytest.approx(0.31326, abs=1e-5)
        assert plain[name][1][best] == plain[name][1].min()
        assert sharp[name][1].min() < 0.01
    _, probability = plain["확률 σ(z)"]
    assert (probability.min(), probability.max()) == pytest.approx((0.2689, 0.7311), abs=1e-4)
    x, probability = sharp["확률 σ(z)"]
    assert probability.min() < 1e-6
    assert probability.max() > 0.99
    assert np.interp(0.5, x, probability) == pytest.approx(0.5)


def test_the_margins_stop_where_they_say() -> None:
    figure = margins()
    same, different = curves(figure), curves(figure, 1)
    for name, (_, loss) in same.items():
        assert (np.diff(loss) <= 1e-12).all(), name  # 양성 쌍은 가까울수록 손실이 작다
    for name, (_, loss) in different.items():
        assert (np.diff(loss) >= -1e-12).all(), name
    assert same["마진 손실"][1][-1] == pytest.approx(0, abs=1e-12)
    assert same["BCE, z = cos"][1][-1] == pytest.approx(math.log1p(math.exp(-1)))
    x, pushed = different["마진 손실"]
    assert (pushed[x < 0.5] == 0).all()  # 거리 1은 코사인 0.5다
    assert (pushed[x > 0.51] > 0).all()
    x, pulled = same["트리플렛 손실"]
    assert pulled[x > 0.95].min() == 0  # 기준이 되는 거리 √2보다 1만큼 가까우면 멈춘다
    assert pulled[x < 0.9].min() > 0


def test_a_low_temperature_pushes_only_the_hardest() -> None:
    shares = curves(temperature())
    assert list(shares) == ["τ = 0.05", "τ = 0.2", "τ = 1"]
    for name, (x, share) in shares.items():
        tau = float(name.removeprefix("τ = "))
        others = 3 * np.exp(np.array([0.5, 0.0, -0.5]) / tau).sum()
        # 기울기에서 잰 비율이 소프트맥스의 가중치다. 양성 표본의 코사인은 비율에 들지 않는다.
        np.testing.assert_allclose(share, np.exp(x / tau) / (np.exp(x / tau) + others), rtol=1e-6)
    at = {name: np.interp([0.0, 0.8], x, share) for name, (x, share) in shares.items()}
    assert at["τ = 0.05"][0] < 1e-4
    assert at["τ = 0.05"][1] > 0.99
    assert at["τ = 1"][1] / at["τ = 1"][0] < 3


def test_the_floors_are_marked_at_ten_classes() -> None:
    figure = floors()
    lines = curves(figure)
    counts, simplex = lines["정단체: cos = −1/(C − 1)"]
    _, orthogonal = lines["직교: cos = 0"]
    assert simplex[counts == 10] == pytest.approx(0.4762, abs=5e-5)
    assert orthogonal[counts == 10] == pytest.approx(0.5032, abs=5e-5)
    assert (np.diff(simplex) > 0).all()
    assert (simplex < orthogonal).all()
    assert simplex[0] == pytest.approx(0.3133, abs=5e-5)
    written = {text.get_text() for text in figure.axes[0].texts}
    assert {"0.5032", "0.4762"} <= written


def test_training_gathers_the_same_and_spreads_the_rest() -> None:
    before, after = (
        [float(value.replace("−", "-")) for value in re.findall(r"[−\d.]+", axes.get_title())]
        for axes in alignment_uniformity().axes
    )
    assert after[0] < 0.05 < before[0]
    assert after[1] < before[1] - 0.3


def test_the_temperature_knob_shows_where_the_gradient_goes() -> None:
    moving = temperature_live()
    bars, curve, dot = moving.traces
    taus, partners = ([float(place) for place in knob.places] for knob in moving.knobs)
    others = bars.x
    for row, tau in enumerate(taus):
        for column, partner in enumerate(partners):
            logits = torch.cat([torch.tensor([partner], dtype=torch.float64), others]) / tau
            weights = torch.softmax(logits, 0)
            share = weights[1:] / weights[1:].sum()
            assert bars.y[row, column] == pytest.approx(share.numpy(), abs=1e-9)
            assert dot.y[row, column, 0] == pytest.approx(-float(torch.log_softmax(logits, 0)[0]), abs=1e-9)
    assert curve.y[0] == pytest.approx(dot.y[..., 0].T.numpy())
    loss, pull, largest, effective = (reading.values for reading in moving.readings)
    assert pull[:, :-1] == pytest.approx(
        torch.stack([(1 - (-loss[row, :-1]).exp()) / tau for row, tau in enumerate(taus)]).numpy(), abs=1e-9
    )
    assert (largest.diff(dim=0) < 0).all()
    assert (effective.diff(dim=0) > 0).all()
    assert effective[0].max() < 1.1
    assert effective[-1].min() > 8
    # 페이지의 말: 양성 표본이 가장 닮은 음성 표본보다 가까우면 온도가 낮을수록 작고, 멀면 다시 커진다.
    assert (loss[:, partners.index(1.0)].diff() > 0).all()
    assert loss[:, partners.index(0.8)].argmin() not in (0, len(taus) - 1)
