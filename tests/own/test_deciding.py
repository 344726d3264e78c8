"""mgk_docs_src/own/deciding.py: 임계값은 검증 데이터에서 정하고 테스트 데이터에서 잰다."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgk_docs_src.own import deciding
from mgk_docs_src.own.deciding import Classes, Curves, Threshold, by_class, curves, threshold
from mgk_docs_src.own.measuring import Outcome
from mgk_docs_src.own.preparing import Prepared
from tests.own.made import outcomes, seeds


def both(p):
    p = np.asarray(p)
    return np.stack([1 - p, p], 1)


def test_recalls_and_confusion(device):
    prepared = seeds(3, (2, 2, 1), 3)
    p = np.eye(3)[[0, 1, 1, 1, 0]]
    found = by_class(outcomes(p, 3), prepared)
    assert isinstance(found, Classes)
    np.testing.assert_array_equal(found.confusion, [[1, 1, 0], [0, 2, 0], [1, 0, 0]])
    assert [one.mean for one in found.recalls] == [0.5, 1.0, 0.0]
    assert found.recalls[0].high - 0.5 == pytest.approx(0.5)  # 줄이 둘이면 한 줄이 0.5를 바꾼다
    absent = by_class(outcomes(np.eye(3)[[0, 1, 1, 1]], 3), seeds(3, (2, 2), 2))
    assert absent.recalls[2].high == math.inf


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=12).filter(
        lambda x: any(y for _, y in x)
    ),
    st.tuples(st.integers(1, 5), st.integers(1, 20)),
    st.floats(0.05, 1),
)
def test_the_threshold_is_the_best_of_all(some, cost, recall):
    p, truth = np.array([x / 7 for x, _ in some]), np.array([y for _, y in some])

    def paid(at):
        guess = p >= at
        return cost[0] * (guess & ~truth).sum() + cost[1] * (~guess & truth).sum()

    at = deciding._threshold(p, truth, cost, None)
    assert paid(at) == min(paid(one) for one in [*p, 1.1])
    at = deciding._threshold(p, truth, cost, recall)
    reached = {one: (truth & (p >= one)).sum() >= recall * truth.sum() for one in p}
    assert at == max(one for one, enough in reached.items() if enough)


def test_costs_move_the_threshold_and_are_paid_on_the_test_part(device):
    prepared = seeds(4, (6, 2))
    p = both([0.1, 0.1, 0.2, 0.3, 0.4, 0.45, 0.35, 0.9])
    found = threshold(outcomes(p, 4), prepared, positive=1, cost=(1, 10))
    assert isinstance(found, Threshold)
    assert found.value.mean == pytest.approx(0.35)
    assert (found.recall.mean, found.precision.mean) == (1.0, 0.5)
    assert found.cost.mean == pytest.approx(1000 * 2 / 8)
    assert found.saved.mean == pytest.approx(1000 * (10 - 2) / 8)
    assert threshold(outcomes(p, 4), prepared, positive=1, recall=0.5).value.mean == pytest.approx(0.9)
    # 검증 데이터에서 정한 임계값을 테스트 데이터에 쓴다
    moved = [Outcome("가", 0, p, both([0.9] * 8), 0)]
    assert threshold(moved, seeds(1, (6, 2)), positive=1, cost=(1, 10)).precision.mean == 0.25
    # 양성이 너무 비싸면 양성이라고 하지 않는다
    never = threshold(outcomes(p[::-1], 4), prepared, positive=1, cost=(50, 1))
    assert (never.value.mean, never.recall.mean, never.precision.mean) == (1.1, 0.0, 0.0)


def test_curves_pass_through_their_ends(device):
    random = np.random.default_rng(0)
    prepared = seeds(3, (60, 40))
    p = both(np.clip(np.r_[random.uniform(0, 0.7, 60), random.uniform(0.3, 1, 40)], 0, 1))
    found = curves(outcomes(p, 3), prepared, positive=1)
    assert isinstance(found, Curves)
    assert len(found.roc) == len(found.pr) == 3
    for x, y in found.roc:
        assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    for recall, precision in found.pr:
        assert (recall[0], precision[0], recall[-1], precision[-1]) == (1, 0.4, 0, 1)
    assert found.calibration[:, 2].sum() == 300
    assert (np.diff(found.calibration[:, 0]) > 0).all()
    # 한 클래스뿐인 테스트 데이터는 곡선을 그릴 수 없다
    x, y = prepared[0].test
    lone = [*prepared[:2], Prepared(prepared[0].learn, prepared[0].validation, (x, np.zeros_like(y)))]
    assert len(curves(outcomes(p, 3), lone, positive=1).roc) == 2
