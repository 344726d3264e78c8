"""mgk_docs_src/figures/losses/categorical.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math

import numpy as np
import pytest
import torch

from mgk_docs_src.figures.losses.categorical import double_softmax, smoothing, smoothing_live, training
from tests.figures.losses.test_binary import curves


def test_probabilities_as_input_stop_at_the_floor() -> None:
    lines = curves(double_softmax())
    _, logits = lines["로짓을 넣을 때"]
    _, doubled = lines["확률을 넣을 때"]
    assert logits.min() < 1e-4
    assert doubled.min() == pytest.approx(math.log(1 + 4 / math.e), abs=1e-3)


def test_smoothing_puts_the_minimum_at_log_46() -> None:
    margin, loss = curves(smoothing())["ε = 0.1"]
    assert margin[loss.argmin()] == pytest.approx(math.log(46), abs=0.1)
    assert loss.min() == pytest.approx(0.3897, abs=1e-3)


def test_training_starts_at_log_3_and_a_larger_step_gets_lower() -> None:
    losses = [line for _, line in curves(training()).values()]
    for line in losses:
        assert line[0] == pytest.approx(math.log(3), abs=1e-5)
        assert (np.diff(line) < 0).all()
    last = [line[-1] for line in losses]
    assert last == sorted(last, reverse=True)
    assert last[-1] < 0.1


def test_the_smoothing_knob_moves_the_floor_and_where_it_is_reached() -> None:
    moving = smoothing_live()
    curve, _, floor, dot, labels, guess = moving.traces
    epsilon = torch.tensor([float(place) for place in moving.knobs[1].places])
    margin = torch.tensor([float(place.replace("−", "-")) for place in moving.knobs[0].places])
    logits = torch.zeros(len(margin), 5)
    logits[:, 0] = margin
    for column, value in enumerate(epsilon.tolist()):
        target = torch.zeros(len(margin), dtype=torch.long)
        truth = torch.nn.functional.cross_entropy(logits, target, label_smoothing=value, reduction="none")
        assert dot.y[:, column, 0] == pytest.approx(truth.numpy(), abs=1e-5)
    assert (curve.y[0].min(-1).values >= floor.y[0, :, 0] - 1e-6).all()
    assert curve.y[0, 1:].min(-1).values == pytest.approx(floor.y[0, 1:, 0].numpy(), abs=2e-3)
    assert floor.x[0, 0, 0] == math.inf  # ε = 0이면 바닥에 닿는 마진이 없다
    # 바닥에 닿는 마진에서 모델의 확률이 라벨과 같다.
    best = torch.zeros(len(epsilon) - 1, 5)
    best[:, 0] = floor.x[0, 1:, 0]
    assert torch.softmax(best, 1) == pytest.approx(labels.y[0, 1:].numpy(), abs=1e-6)
    assert guess.y.sum(-1) == pytest.approx(1)
    assert labels.y.sum(-1) == pytest.approx(1)
