"""mgk_docs_src/figures/losses/categorical.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math

import numpy as np
import pytest

from mgk_docs_src.figures.losses.categorical import double_softmax, smoothing, training
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
