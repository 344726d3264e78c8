"""평가 지표: 정확도, 확률의 보정, 순서를 재는 함수들. 앞의 축(시드)이 더 있으면 그 축마다 따로 잰다."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import REAL
from mgk_docs_src.modes import full_precision


@full_precision
def balanced_accuracy(
    predictions: Int[Tensor, "*batch n"],
    labels: Int[Tensor, "*batch n"],
    *,
    num_classes: int,
) -> Float[Tensor, "*batch"]:
    r"""균형 정확도: 클래스마다 맞힌 비율(재현율)의 평균. 표본이 많은 클래스가 값을 좌우하지 못한다.

    $$\frac{1}{|K|} \sum_{c \in K} \frac{\#\{i : \hat{y}_i = y_i = c\}}{\#\{i : y_i = c\}}$$

    $K$는 라벨에 나오는 클래스다. 값을 살피므로 장치와 동기화한다.

    Args:
        predictions: 예측한 번호 $\hat{y}_i$.
        labels: 정답의 번호 $y_i$.
        num_classes: 클래스의 수 $C \ge 1$.

    Returns:
        $[0, 1]$ 안의 정확도. 마지막 축이 빠진 모양. torch의 기본 자료형.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 없는 번호이면.

    References:
        scikit-learn 문서, `balanced_accuracy_score`.
    """
    checks.count(1, num_classes=num_classes)
    checks.tensor(labels=labels)
    checks.ndim(1, math.inf, labels=labels)
    checks.nonempty(labels=labels)
    checks.classes(labels.shape, num_classes, labels=labels)
    checks.classes(labels.shape, num_classes, predictions=predictions)
    counts = _count(labels, num_classes)  # (..., C)
    right = _count(labels, num_classes, kept=predictions == labels)
    return (right / counts.clamp(min=1)).sum(-1) / (counts > 0).sum(-1)


@full_precision
def expected_calibration_error(
    probabilities: Float[Tensor, "*batch n c"],
    labels: Int[Tensor, "*batch n"],
    *,
    bins: int = 15,
) -> Float[Tensor, "*batch"]:
    r"""기대 보정 오차(ECE): 확신도 $q_i = \max_c p_{ic}$와 실제로 맞힌 비율이 칸마다 얼마나 다른가.

    $$\mathrm{ECE} = \sum_{b=1}^{B} \frac{|I_b|}{N} \left| \mathrm{acc}(I_b) - \mathrm{conf}(I_b) \right|
    = \frac{1}{N} \sum_{b=1}^{B} \Bigl| \sum_{i \in I_b} \left( \mathbf{1}[\hat{y}_i = y_i] - q_i \right) \Bigr|$$

    칸은 너비가 같고, $I_b = \{i : \frac{b-1}{B} < q_i \le \frac{b}{B}\}$다. 경계 $\frac{b}{B}$는 확률의 자료형으로
    반올림한 것이다. 값을 살피므로 장치와 동기화한다.

    Args:
        probabilities: 예측 확률 $p$. 한 줄의 합이 1이다.
        labels: 정답의 번호 $y_i \in \{0, \ldots, C-1\}$.
        bins: 칸의 수 $B \ge 1$.

    Returns:
        $[0, 1]$ 안의 오차. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 확률이 음수거나 합이 1이 아니거나, 없는 번호이거나, 칸이 1보다 적으면.

    References:
        Guo, C. 외 (2017). On Calibration of Modern Neural Networks, 2절.
    """
    _check_scores(labels, probabilities=probabilities)
    checks.simplex(-1, probabilities=probabilities)
    checks.count(1, bins=bins)
    confidence, predicted = probabilities.max(-1)
    # 경계도 확률의 자료형으로 반올림한다. 그래야 b/B인 확신도가 어느 자료형에서나 b번째 칸이다.
    edges = torch.arange(1, bins, device=labels.device, dtype=torch.float64).div(bins).to(confidence.dtype)
    bin_of = torch.bucketize(confidence.detach(), edges)
    gap = (predicted == labels).double() - confidence.double()
    total = gap.new_zeros(*gap.shape[:-1], bins).scatter_add(-1, bin_of, gap).abs().sum(-1)
    return (total / labels.shape[-1]).to(probabilities.dtype)


@full_precision
def negative_log_likelihood(
    log_probabilities: Float[Tensor, "*batch n c"],
    labels: Int[Tensor, "*batch n"],
) -> Float[Tensor, "*batch"]:
    r"""음의 로그 가능도(NLL): 정답에 준 확률의 로그를 평균하고 부호를 바꾼다. 작을수록 좋다.

    $$\mathrm{NLL} = -\frac{1}{N} \sum_i \log p_{i y_i}$$

    정답에 확률 0을 주면 무한대다. 값을 살피므로 장치와 동기화한다.

    Args:
        log_probabilities: 예측 확률의 로그 $\log p$. 확률 한 줄의 합이 1이다. $-\infty$도 된다.
        labels: 정답의 번호 $y_i \in \{0, \ldots, C-1\}$.

    Returns:
        0 이상의 값(nat). 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 확률의 합이 1이 아니거나, 없는 번호이면.

    References:
        Gneiting, T. & Raftery, A. E. (2007). Strictly Proper Scoring Rules, Prediction, and Estimation,
        4.1절 (로그 점수).
    """
    _check_scores(labels, log_probabilities=log_probabilities)
    checks.simplex(-1, **{"log_probabilities의 지수": log_probabilities.exp()})
    chosen = _widen(log_probabilities).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return -chosen.mean(-1).to(log_probabilities.dtype)


@full_precision
def roc_auc(
    positives: Float[Tensor, "*batch m"],
    negatives: Float[Tensor, "*batch n"],
) -> Float[Tensor, "*batch"]:
    r"""ROC 곡선 아래의 넓이(AUC): 양성과 음성을 하나씩 뽑았을 때 양성의 점수가 더 높을 확률. 점수가 같으면 반으로 친다.

    $$\mathrm{AUC} = \frac{1}{mn} \sum_{i,j} \Bigl( \mathbf{1}[s_i > t_j] + \tfrac12 \mathbf{1}[s_i = t_j] \Bigr)$$

    무작위로 매긴 점수는 0.5다. 순서만 보므로 점수의 단위는 상관없고, 기울기는 없다. 쌍을 모두 만들지 않고
    정렬해서 센다.
    값을 살피므로 장치와 동기화한다.

    Args:
        positives: 양성의 점수 $s$. 높을수록 양성이라는 뜻이다.
        negatives: 음성의 점수 $t$. 마지막 축의 길이는 달라도 된다.

    Returns:
        $[0, 1]$ 안의 값. 마지막 축이 빠진 모양. 두 점수를 함께 담는 자료형.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 비었거나, 축이 없거나, 실수형이 아니거나, 유한하지 않거나, 앞의 축이나 장치가 다르면.

    References:
        Hanley, J. A. & McNeil, B. J. (1982). The Meaning and Use of the Area under a ROC Curve.
        Mann, H. & Whitney, D. (1947). On a Test of Whether One of Two Random Variables Is Stochastically Larger.
    """
    for name, scores in (("positives", positives), ("negatives", negatives)):
        checks.floating(**{name: scores})
        checks.ndim(1, math.inf, **{name: scores})
        checks.nonempty(**{name: scores})
        checks.within(**{name: (scores, REAL)})
    checks.shape((*positives.shape[:-1], negatives.shape[-1]), negatives=negatives)
    checks.device(positives.device, negatives=negatives)
    dtype = torch.promote_types(positives.dtype, negatives.dtype)
    scores = torch.cat([positives, negatives], -1).detach()
    positive = torch.arange(scores.shape[-1], device=scores.device) < positives.shape[-1]
    return _area(scores, positive.expand(scores.shape)).to(dtype)


@full_precision
def one_vs_rest_auc(
    scores: Float[Tensor, "*batch n c"],
    labels: Int[Tensor, "*batch n"],
) -> Float[Tensor, "*batch"]:
    r"""클래스마다 “이 클래스인가 아닌가”의 AUC를 재서 평균한다.

    $$\frac{1}{C} \sum_{c} \mathrm{AUC}\bigl( \{s_{ic} : y_i = c\},\ \{s_{ic} : y_i \ne c\} \bigr)$$

    클래스가 둘이고 두 점수의 합이 일정하면 보통의 AUC와 같다. 값을 살피므로 장치와 동기화한다.

    Args:
        scores: 클래스마다의 점수 $s$. 높을수록 그 클래스라는 뜻이다. 확률도 로그 확률도 된다.
        labels: 정답의 번호 $y_i \in \{0, \ldots, C-1\}$. 모든 클래스가 나와야 한다.

    Returns:
        $[0, 1]$ 안의 값. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 유한하지 않거나, 없는 번호이거나, 나오지 않는 클래스가 있거나, 클래스가
            하나뿐이면.

    References:
        Fawcett, T. (2006). An Introduction to ROC Analysis, 9.2절.
        scikit-learn 문서, `roc_auc_score`의 `multi_class="ovr"`.
    """
    _check_scores(labels, scores=scores)
    checks.within(scores=(scores, REAL))
    if scores.shape[-1] < 2:
        raise ValueError(f"scores: 클래스(마지막 축)가 둘 이상이어야 하는데 모양이 {tuple(scores.shape)}이다")
    classes = torch.arange(scores.shape[-1], device=labels.device).unsqueeze(-1)
    positive = labels.unsqueeze(-2) == classes  # (..., C, N)
    if not checks.plain(positive.any(-1)).all():
        raise ValueError("labels: 모든 클래스가 하나씩은 나와야 하는데 나오지 않는 클래스가 있다")
    return _area(scores.detach().mT, positive).mean(-1).to(scores.dtype)


def _area(scores: Float[Tensor, "*batch n"], positive: Bool[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    # 순위의 합에서 양성끼리의 순위를 빼면, 양성보다 점수가 낮은 음성의 수가 된다. 점수가 같으면 순위를 평균한다.
    # 순서대로 찾으면 캐시에 있는 곳을 다시 보므로, 원래 위치의 점수를 찾을 때보다 몇 배 빠르다.
    ordered, order = _widen(scores).contiguous().sort(-1)
    below, through = (torch.searchsorted(ordered, ordered, right=right) for right in (False, True))
    positive = positive.gather(-1, order)
    rank = (below + through + 1).double() / 2
    p = positive.sum(-1).double()
    n = positive.shape[-1] - p
    return ((rank * positive).sum(-1) - p * (p + 1) / 2) / (p * n)


def _count(labels: Tensor, num_classes: int, *, kept: Tensor | None = None) -> Tensor:
    # 마지막 축에서 번호마다 몇 번 나오는지. (..., C)
    ones = torch.ones_like(labels) if kept is None else kept.to(labels.dtype)
    return labels.new_zeros(*labels.shape[:-1], num_classes).scatter_add(-1, labels, ones)


def _widen(scores: Tensor) -> Tensor:
    return scores.to(torch.promote_types(scores.dtype, torch.float32))


def _check_scores(labels: Tensor, **scores: Tensor) -> None:
    checks.floating(**scores)
    checks.ndim(2, math.inf, **scores)
    checks.nonempty(**scores)
    for value in scores.values():
        checks.classes(value.shape[:-1], value.shape[-1], labels=labels)
