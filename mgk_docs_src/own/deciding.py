"""확률에서 결정으로: 클래스마다의 재현율과 혼동 행렬, 비용이나 재현율을 맞추는 임계값, PR·ROC·보정 곡선."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from mgk_docs_src.own.answering import Interval, interval
from mgk_docs_src.own.measuring import Outcome
from mgk_docs_src.own.preparing import Prepared

BINS = 10


class Classes(NamedTuple):
    """클래스마다의 결과.

    Attributes:
        recalls: 클래스마다 재현율과 구간. 번호의 차례다.
        confusion: 테스트 데이터 한 번의 평균 줄 수. 줄이 정답, 칸이 예측이다.
    """

    recalls: list[Interval]
    confusion: np.ndarray


class Threshold(NamedTuple):
    """검증 데이터로 정한 임계값과, 테스트 데이터에서 잰 결과.

    Attributes:
        value: 임계값. 양성 클래스의 확률이 이 이상이면 양성이라고 한다.
        recall: 재현율.
        precision: 정밀도.
        cost: 1,000줄마다의 비용.
        saved: 확률이 가장 높은 클래스를 답으로 할 때보다 줄어든 비용. 1,000줄마다.
    """

    value: Interval
    recall: Interval
    precision: Interval
    cost: Interval
    saved: Interval


class Curves(NamedTuple):
    """시드마다의 곡선과, 시드를 모은 보정.

    Attributes:
        roc: 시드마다 거짓 양성률과 참 양성률.
        pr: 시드마다 재현율과 정밀도.
        calibration: 칸마다 평균 확률과 실제 양성의 비율과 줄 수.
    """

    roc: list[tuple[np.ndarray, np.ndarray]]
    pr: list[tuple[np.ndarray, np.ndarray]]
    calibration: np.ndarray


def by_class(outcomes: Sequence[Outcome], prepared: Sequence[Prepared]) -> Classes:
    """클래스마다의 재현율과 혼동 행렬.

    Args:
        outcomes: 한 방법의 결과들. 시드마다 하나.
        prepared: 시드마다의 준비한 데이터.

    Returns:
        시드의 평균과 구간.

    References:
        Fawcett, T. (2006). An Introduction to ROC Analysis, 2절.
    """
    classes = range(outcomes[0].test.shape[1])
    tables = np.array(
        [confusion_matrix(prepared[one.seed].test[1], one.test.argmax(1), labels=classes) for one in outcomes]
    )
    sizes = tables.sum(2)
    recalls = []
    for c in classes:
        seen = sizes[:, c] > 0  # 시각이나 묶음으로 나누면 테스트 데이터에 없는 클래스도 있다
        values = tables[seen, c, c] / sizes[seen, c]
        recalls.append(interval(values, floor=float(1 / sizes[seen, c].min())) if seen.any() else interval(np.zeros(1)))
    return Classes(recalls, tables.mean(0))


def threshold(
    outcomes: Sequence[Outcome],
    prepared: Sequence[Prepared],
    *,
    positive: int,
    cost: tuple[float, float] = (1.0, 1.0),
    recall: float | None = None,
) -> Threshold:
    """비용이 가장 작은, 또는 재현율을 채우는 가장 높은 임계값을 검증 데이터로 정하고 테스트 데이터에서 잰다.

    Args:
        outcomes: 한 방법의 결과들.
        prepared: 시드마다의 준비한 데이터.
        positive: 양성 클래스의 번호.
        cost: 거짓 양성 하나와 거짓 음성 하나의 비용.
        recall: 채울 재현율. `None`이면 비용으로 정한다.

    Returns:
        임계값과 결과.

    References:
        Elkan, C. (2001). The Foundations of Cost-Sensitive Learning.
    """
    false_positive, false_negative = cost
    found = []
    for one in outcomes:
        truth = prepared[one.seed].validation[1] == positive
        at = _threshold(one.validation[:, positive], truth, cost, recall)
        truth, said = prepared[one.seed].test[1] == positive, one.test[:, positive] >= at
        plain = one.test.argmax(1) == positive
        paid, before = (
            1000 * np.mean(false_positive * (guess & ~truth) + false_negative * (~guess & truth))
            for guess in (said, plain)
        )
        hits = (said & truth).sum()
        found.append([at, hits / max(1, truth.sum()), hits / max(1, said.sum()), paid, before - paid])
    return Threshold(*(interval(values) for values in np.array(found).T))


def _threshold(p: np.ndarray, truth: np.ndarray, cost: tuple[float, float], recall: float | None) -> float:
    # 높은 확률부터 하나씩 양성이라고 할 때의 거짓 양성과 거짓 음성. 같은 확률은 함께 넘는다.
    order = np.argsort(-p, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    hits, said = truth[order].cumsum()[ends], ends + 1
    if recall is not None:
        enough = np.flatnonzero(hits >= recall * truth.sum())
        return float(p[order][ends[enough[0]]])
    paid = cost[0] * (said - hits) + cost[1] * (truth.sum() - hits)
    best = int(paid.argmin())
    never = cost[1] * truth.sum()
    return 1.1 if never < paid[best] else float(p[order][ends[best]])  # 1.1이면 양성이라고 하지 않는다


def curves(outcomes: Sequence[Outcome], prepared: Sequence[Prepared], *, positive: int) -> Curves:
    """양성 클래스의 ROC 곡선, PR 곡선, 보정 곡선.

    Args:
        outcomes: 한 방법의 결과들.
        prepared: 시드마다의 준비한 데이터.
        positive: 양성 클래스의 번호.

    Returns:
        곡선들.

    References:
        Davis, J. & Goadrich, M. (2006). The Relationship Between Precision-Recall and ROC Curves.
    """
    pairs = [(prepared[one.seed].test[1] == positive, one.test[:, positive]) for one in outcomes]
    pairs = [(truth, p) for truth, p in pairs if 0 < truth.sum() < len(truth)]
    roc = [roc_curve(truth, p)[:2] for truth, p in pairs]
    pr = [precision_recall_curve(truth, p)[1::-1] for truth, p in pairs]
    truth, p = (np.concatenate(some) for some in zip(*pairs, strict=True))
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    bins = [(p[place == b].mean(), truth[place == b].mean(), (place == b).sum()) for b in np.unique(place)]
    return Curves(roc, pr, np.array(bins))
