"""손실 고르기의 엔진: 같은 모델과 같은 규칙으로 손실을 비교한다. `docs/labs/choosing.py`."""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from mgk_docs_src import checks, data, networks
from mgk_docs_src.checks import POSITIVE, REAL, UNIT, Interval
from mgk_docs_src.contrastive.losses import supcon
from mgk_docs_src.labs.losses import fit_temperature, subsample
from mgk_docs_src.losses.binary import bce_with_logits
from mgk_docs_src.losses.choosing import (
    brier_loss,
    class_weights,
    focal_loss,
    generalised_cross_entropy,
    logit_adjustment,
)
from mgk_docs_src.metrics import (
    balanced_accuracy,
    expected_calibration_error,
    negative_log_likelihood,
    one_vs_rest_auc,
    roc_auc,
)
from mgk_docs_src.networks import Networks
from mgk_docs_src.random import generator, randint, randperm

METHODS = (
    "교차 엔트로피",
    "일대나머지 BCE",
    "라벨 스무딩 0.1",
    "초점 손실 γ = 2",
    "균형 가중치",
    "로짓 보정",
    "온도 스케일링",
    "코사인 소프트맥스",
    "SupCon + 선형 헤드",
    "일반화 교차 엔트로피",
    "브라이어 손실",
)

HIDDEN = 32  # 은닉층의 너비
STEPS = 200  # 모든 방법의 학습 스텝 수
GRID = tuple(product((0.003, 0.03), (0.0, 0.01, 0.1)))  # 학습률, 가중치 감쇠
BATCH = 128  # SupCon은 표본의 쌍을 모두 만들므로 한 스텝에 이만큼만 쓴다
SCALE, TEMPERATURE = 10.0, 0.1  # 코사인 소프트맥스의 스케일과 SupCon의 온도
CLIP = 5.0  # 표준화한 특징을 자르는 한계

GOALS = ("accuracy", "balanced", "ranking", "calibration")  # 설정을 정하는 점수
TEST_SHARE = 0.5  # 테스트 데이터의 비율
VALIDATION_SHARE = 0.25  # 나머지에서 검증 데이터의 비율
FEWEST = 4  # 클래스마다 있어야 하는 표본: 둘로 학습하고 둘로 테스트한다

_WEIGHTS = 10_000  # 초기 가중치의 시드는 데이터의 시드와 떨어뜨린다
_BATCHES = 20_000

# 로짓 (k, n, c)와 번호 (k, n)을 받아 표본마다의 손실 (k, n)을 준다.
Loss = Callable[[Tensor, Tensor], Tensor]


# --- 과제와 조건 ---


class Task(NamedTuple):
    r"""손실을 비교할 데이터 하나.

    Attributes:
        features: 표준화하지 않은 특징. 한 줄이 표본 하나.
        labels: 번호 $0, \ldots, C-1$. 클래스마다 넷 이상.
        num_classes: 클래스의 수 $C \ge 2$.

    References:
        scikit-learn 문서, Toy datasets.
    """

    features: Float[Tensor, "n d"]
    labels: Int[Tensor, "n"]
    num_classes: int


class Condition(NamedTuple):
    r"""학습과 검증에 쓰는 데이터를 얼마나 어렵게 만드는지. 테스트 데이터는 그대로 둔다.

    Attributes:
        noise: 라벨 노이즈, 곧 다른 번호로 바꾸는 라벨의 비율. $[0, 1]$에 든다.
        imbalance: 불균형, 곧 가장 많은 클래스와 가장 드문 클래스의 비율 $r \ge 1$. 1이면 줄이지 않는다.
        amount: 남기는 표본의 비율. $(0, 1]$에 든다.

    References:
        Cui, Y. 외 (2019). Class-Balanced Loss Based on Effective Number of Samples, 5.1절.
    """

    noise: float = 0.0
    imbalance: float = 1.0
    amount: float = 1.0


NATURAL = Condition()  # 그대로


class Split(NamedTuple):
    r"""시드마다의 분할(split): 표본의 위치와, 학습과 검증에 쓰는 라벨.

    Attributes:
        learn: 학습 데이터의 위치.
        learn_labels: 학습 라벨. 노이즈가 섞였을 수 있다.
        validation: 검증 데이터의 위치. 설정을 정하는 데 쓴다.
        validation_labels: 검증 라벨. 노이즈가 섞였을 수 있다.
        test: 테스트 데이터의 위치. 라벨은 깨끗하다.

    References:
        Hastie, T., Tibshirani, R. & Friedman, J. (2009). The Elements of Statistical Learning, 7.2절.
    """

    learn: Int[Tensor, "s a"]
    learn_labels: Int[Tensor, "s a"]
    validation: Int[Tensor, "s b"]
    validation_labels: Int[Tensor, "s b"]
    test: Int[Tensor, "s t"]


def tail_counts(counts: Sequence[int], *, imbalance: float = 1.0, amount: float = 1.0) -> list[int]:
    r"""클래스마다 남길 수: 많은 클래스부터 같은 비율로 줄어든다. 둘보다 적게 남기지 않는다.

    $$m_k = \max\Bigl( 2,\ \bigl\lfloor \min(n_k,\ n_0\, r^{-k / (C - 1)})\, a \bigr\rceil \Bigr), \qquad
    n_0 \ge n_1 \ge \cdots \ge n_{C-1}$$

    $r$는 `imbalance`, $a$는 `amount`다. 수가 같으면 번호가 작은 클래스가 앞이다.

    Args:
        counts: 클래스마다 있는 수. 모두 2 이상.
        imbalance: 가장 많은 클래스와 가장 드문 클래스의 비율 $r \ge 1$.
        amount: 남기는 비율 $a \in (0, 1]$.

    Returns:
        `counts`와 같은 순서의 수. 둘에서 막히면 실제 비율이 바란 비율과 다르다.

    Raises:
        TypeError: 정수나 수가 아닌 값을 받으면.
        ValueError: 클래스가 둘보다 적거나, 둘보다 적은 클래스가 있거나, 비율이 범위를 벗어나면.

    References:
        Cui, Y. 외 (2019). Class-Balanced Loss Based on Effective Number of Samples, 5.1절.
    """
    checks.count(2, **{"counts의 클래스": len(counts)}, **{f"counts[{c}]": count for c, count in enumerate(counts)})
    _check_condition(Condition(imbalance=imbalance, amount=amount))
    ranked = sorted(range(len(counts)), key=lambda c: -counts[c])
    largest = counts[ranked[0]]
    kept = {c: min(counts[c], largest * imbalance ** (-k / (len(counts) - 1))) * amount for k, c in enumerate(ranked)}
    return [max(2, round(kept[c])) for c in range(len(counts))]


def split(labels: Int[Tensor, "n"], *, num_classes: int, condition: Condition = NATURAL, seeds: int = 10) -> Split:
    r"""시드마다 데이터를 클래스별로 반으로 나누고, 한쪽만 어렵게 만든 뒤 학습과 검증으로 나눈다.

    불균형, 양, 라벨 노이즈의 순서로 만든다. 노이즈는 라벨 $m$개 가운데 $\lfloor \rho m \rceil$개를 저마다 다른 번호로
    균등하게 바꾼다. 클래스마다 하나는 바꾸지 않고, 바뀐 뒤의 라벨마다 하나는 학습 데이터에 남겨, 없는 클래스가 생기지
    않게 한다.

    $$\tilde{y}_i \sim \mathcal{U}\bigl( \{0, \ldots, C-1\} \setminus \{y_i\} \bigr)$$

    Args:
        labels: 번호 $y$. 클래스마다 넷 이상.
        num_classes: 클래스의 수 $C \ge 2$.
        condition: 조건. 기본값은 데이터 그대로.
        seeds: 시드의 수. 1 이상. 시드 $0, 1, \ldots$을 쓴다.

    Returns:
        위치와 라벨. 시드마다 크기가 같다.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 없는 번호이거나, 넷보다 적은 클래스가 있거나, 조건이 범위를 벗어나면.

    References:
        Natarajan, N. 외 (2013). Learning with Noisy Labels.
    """
    checks.count(2, num_classes=num_classes)
    checks.count(1, seeds=seeds)
    checks.class_list(num_classes, labels=labels)
    _check_condition(condition)
    counts = labels.bincount(minlength=num_classes).tolist()
    for c, count in enumerate(counts):
        if count < FEWEST:
            raise ValueError(f"labels: 클래스마다 표본이 {FEWEST}개 이상이어야 하는데 {c}번이 {count}개다")
    each = [_split_one(labels, counts, condition, generator(seed)) for seed in range(seeds)]
    return Split(*(torch.stack(part) for part in zip(*each, strict=True)))


def _split_one(labels: Tensor, counts: list[int], condition: Condition, g: torch.Generator) -> Split:
    halves = [count - round(count * TEST_SHARE) for count in counts]
    pool, test = subsample(labels, counts=halves, generator=g)
    kept = tail_counts(halves, imbalance=condition.imbalance, amount=condition.amount)
    chosen, _ = subsample(labels[pool], counts=kept, generator=g)
    rows = pool[chosen]  # 클래스 순서이고, 클래스 안에서는 무작위다
    seen = _noisy(labels[rows], len(counts), condition.noise, g)
    order = randperm(len(rows), generator=g, device=labels.device)
    order = order[seen[order].argsort(stable=True)]  # 바뀐 뒤의 라벨 순서, 그 안에서는 무작위
    rows, seen = rows[order], seen[order]
    first = torch.cat([seen.new_ones(1, dtype=torch.bool), seen[1:] != seen[:-1]])
    rest = (~first).nonzero().squeeze(1)
    # 늘어놓은 표본에서 같은 간격으로 떼면 클래스의 비율이 유지되고, 수는 시드마다 같다.
    size = max(1, round(len(rows) * VALIDATION_SHARE))
    held = rest[((torch.arange(size, device=rest.device) + 0.5) * len(rest) / size).long()]
    keep = torch.ones_like(first).index_fill(0, held, False)
    return Split(rows[keep], seen[keep], rows[held], seen[held], test)


def _noisy(labels: Tensor, num_classes: int, noise: float, g: torch.Generator) -> Tensor:
    # 클래스마다 처음 하나는 바꾸지 않는다. 번호는 클래스 순서로 놓여 있다.
    first = torch.cat([labels.new_ones(1, dtype=torch.bool), labels[1:] != labels[:-1]])
    order = randperm(len(labels), generator=g, device=labels.device)
    flipped = order[~first[order]][: round(noise * len(labels))]
    step = randint(1, num_classes, (len(flipped),), generator=g, device=labels.device)
    return labels.index_put((flipped,), (labels[flipped] + step) % num_classes)


# --- 학습 ---


def _features(task: Task, parts: Split) -> tuple[Tensor, Tensor, Tensor]:
    # 시드마다 학습 데이터와 검증 데이터의 평균과 표준 편차로 표준화한다.
    known = task.features[torch.cat([parts.learn, parts.validation], 1)]  # (s, m, d)
    mean = known.mean(1, keepdim=True)
    deviation = known.std(1, correction=0, keepdim=True)
    scale = torch.where(deviation > 0, deviation, 1.0)
    # 학습 데이터에서 거의 변하지 않던 열이 테스트에서 수백 배로 튀지 않게 끝을 자른다.
    rows = (parts.learn, parts.validation, parts.test)
    learn, validation, test = (((task.features[row] - mean) / scale).clamp(-CLIP, CLIP) for row in rows)
    return learn, validation, test


def _descend(
    parameters: Networks,
    objective: Callable[[Networks], Tensor],
    rates: Tensor,
    decays: Tensor,
    *,
    steps: int,
) -> Networks:
    # 신경망마다 학습률과 가중치 감쇠가 다른 AdamW. torch.optim은 매개변수 하나에 학습률 하나만 받는다.
    leaves = [*parameters.weights, *parameters.biases]
    rate, shrink = rates.view(-1, 1, 1), (1 - rates * decays).view(-1, 1, 1)
    first, second = ([torch.zeros_like(leaf) for leaf in leaves] for _ in range(2))
    for step in range(1, steps + 1):
        grads = torch.autograd.grad(objective(parameters).sum(), leaves)
        with torch.no_grad():
            for leaf, grad, m, v in zip(leaves, grads, first, second, strict=True):
                m.lerp_(grad, 0.1)
                v.mul_(0.999).addcmul_(grad, grad, value=0.001)
                size = (v / (1 - 0.999**step)).sqrt_().add_(1e-8)
                leaf.mul_(shrink).sub_(rate * (m / (1 - 0.9**step)) / size)
    return networks.freeze(parameters)


def _logits(parameters: Networks, x: Tensor) -> Tensor:
    return _last(parameters, _hidden(parameters, x))


def _hidden(parameters: Networks, x: Tensor) -> Tensor:
    # 데이터 (s, n, d)를 나누어 쓰는 신경망 k개의 은닉층 (k, n, h). 신경망은 데이터의 순서로 놓여 있다. 같은 데이터를
    # 쓰는 신경망끼리 가중치를 이어 붙이면 곱이 s번이면 되고, 데이터를 신경망마다 베끼지 않는다.
    weight, bias = (
        part.mT.reshape(len(x), -1, part.shape[1]) for part in (parameters.weights[0], parameters.biases[0])
    )
    h = torch.baddbmm(bias, weight, x.mT).relu_()  # (s, k/s·h, n)
    return h.view(len(parameters.weights[0]), -1, x.shape[1]).mT


def _last(parameters: Networks, h: Tensor) -> Tensor:
    return torch.baddbmm(parameters.biases[-1].mT, parameters.weights[-1].mT, h.mT).mT


def _angles(parameters: Networks, x: Tensor) -> Tensor:
    # 마지막 층의 코사인에 스케일을 곱한 로짓. 절편을 늘 1인 좌표의 가중치로 보면 모델이 그대로이고, ReLU가 모두 꺼져도
    # 길이가 0이 되지 않는다. 표본과 클래스의 길이로 나누기만 하면 되므로 단위 벡터를 만들지 않는다.
    h = _hidden(parameters, x)
    samples = (h.square().sum(-1, keepdim=True) + 1).sqrt()  # (k, n, 1)
    classes = (parameters.weights[1].square().sum(-2, keepdim=True) + parameters.biases[1].square()).sqrt()  # (k, 1, c)
    return _last(parameters, h) * (SCALE / classes) / samples


def _plain(logits: Tensor, labels: Tensor, **knobs: Any) -> Tensor:
    # 책의 `cross_entropy`와 뜻이 같다. 시간의 반을 여기서 쓰므로, 기울기까지 한 번에 계산하는 torch의 함수를 쓴다.
    return F.cross_entropy(logits.mT, labels, reduction="none", **knobs)


def _loss(name: str, labels: Tensor, num_classes: int, dtype: torch.dtype) -> Loss:
    # `labels`는 신경망마다의 학습 라벨 (k, n). 가중치와 보정값은 신경망마다 그 라벨의 빈도로 구한다.
    if name == "균형 가중치":
        weight = torch.stack([class_weights(y, num_classes=num_classes, dtype=dtype) for y in labels])
        return lambda z, y: weight.gather(1, y) * _plain(z, y)  # 가중치의 합이 n이라 평균이 곧 가중 평균이다
    if name == "로짓 보정":
        shift = torch.stack([logit_adjustment(y, num_classes=num_classes, dtype=dtype) for y in labels])
        return lambda z, y: _plain(z + shift.unsqueeze(1), y)

    if name == "일대나머지 BCE":
        return lambda z, y: bce_with_logits(z, F.one_hot(y, num_classes).to(dtype), reduction="none").sum(-1)

    def flat(loss: Callable[..., Tensor]) -> Loss:
        return lambda z, y: loss(z.flatten(0, 1), y.flatten(), reduction="none").view_as(y)

    losses: dict[str, Loss] = {
        "교차 엔트로피": _plain,
        "라벨 스무딩 0.1": lambda z, y: _plain(z, y, label_smoothing=0.1),
        "초점 손실 γ = 2": flat(focal_loss),
        "일반화 교차 엔트로피": flat(generalised_cross_entropy),
        "브라이어 손실": flat(brier_loss),
    }
    return losses[name]


def _log_probabilities(name: str, parameters: Networks, x: Tensor) -> Tensor:
    if name == "코사인 소프트맥스":
        return _angles(parameters, x).log_softmax(-1)
    z = _logits(parameters, x)
    if name == "일대나머지 BCE":
        z = F.logsigmoid(z)  # 클래스마다의 σ를 그 합으로 나눈다
    return z.log_softmax(-1)


def _fit(name: str, x: Tensor, y: Tensor, num_classes: int, *, steps: int, batch: int | None = None) -> Networks:
    # 시드마다, 격자의 점마다 하나씩 (s·g)개의 신경망을 한꺼번에 학습한다.
    seeds = len(x)
    some = _epochs(x, y, batch)
    y = y.repeat_interleave(len(GRID), 0)
    gs = [generator(_WEIGHTS + seed) for seed in range(seeds)]
    start = _initial((x.shape[-1], HIDDEN, num_classes), gs, x)
    rates, decays = x.new_tensor(GRID).repeat(seeds, 1).unbind(1)
    descend = partial(_descend, rates=rates, decays=decays)
    if name == "SupCon + 선형 헤드":
        return _supcon_then_head(start, x, y, gs, descend, steps=steps)
    score = _angles if name == "코사인 소프트맥스" else _logits
    loss = _plain if name == "코사인 소프트맥스" else _loss(name, y, num_classes, x.dtype)

    def objective(parameters: Networks) -> Tensor:
        seen, labels = next(some)
        return loss(score(parameters, seen), labels).mean(1)

    return descend(start, objective, steps=steps)


def _epochs(x: Tensor, y: Tensor, batch: int | None) -> Iterator[tuple[Tensor, Tensor]]:
    # 스텝마다 쓰는 표본. 시드마다 섞어 앞에서부터 쓰고, 다 쓰면 다시 섞는다.
    n = x.shape[1]
    if batch is None or batch >= n:
        labels = y.repeat_interleave(len(GRID), 0)
        while True:
            yield x, labels
    gs = [generator(_BATCHES + seed) for seed in range(len(x))]
    while True:
        order = torch.stack([randperm(n, generator=g, device=x.device) for g in gs])
        for start in range(0, n - batch + 1, batch):
            rows = order[:, start : start + batch]
            seen = x.gather(1, rows.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
            yield seen, y.gather(1, rows).repeat_interleave(len(GRID), 0)


def _supcon_then_head(
    start: Networks,
    x: Tensor,
    y: Tensor,
    generators: Sequence[torch.Generator],
    descend: Callable[..., Networks],
    *,
    steps: int,
) -> Networks:
    projection = _initial((HIDDEN, HIDDEN // 2), generators, x)
    batches = _batches(y[:: len(GRID)], generators)

    def contrast(parameters: Networks) -> Tensor:
        rows = next(batches)
        some = x.gather(1, rows.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
        seen = y[:: len(GRID)].gather(1, rows).repeat_interleave(len(GRID), 0)
        return supcon(_logits(parameters, some), seen, temperature=TEMPERATURE)

    encoder = Networks((start.weights[0], *projection.weights), (start.biases[0], *projection.biases))
    encoder = descend(encoder, contrast, steps=steps // 2)
    h = _hidden(encoder, x)
    head = Networks(start.weights[1:], start.biases[1:])
    head = descend(head, lambda p: _plain(_last(p, h), y).mean(1), steps=steps - steps // 2)
    return Networks((encoder.weights[0], *head.weights), (encoder.biases[0], *head.biases))


def _initial(widths: tuple[int, ...], generators: Sequence[torch.Generator], x: Tensor) -> Networks:
    # 시드가 같으면 격자의 어느 점이든, 어느 방법이든 초기 가중치가 같다.
    drawn = networks.initial(widths, generators, device=x.device, dtype=x.dtype)
    return Networks(
        *(tuple(t.detach().repeat_interleave(len(GRID), 0).requires_grad_() for t in group) for group in drawn)
    )


def _batches(labels: Tensor, generators: Sequence[torch.Generator]) -> Iterator[Tensor]:
    # 시드마다의 배치. 양성 쌍이 하나는 있도록, 가장 많은 클래스에서 둘을 늘 넣는다.
    common = labels.mode().values
    while True:
        rows = []
        for g, label, y in zip(generators, common, labels, strict=True):
            order = randperm(len(y), generator=g, device=y.device)
            pair = order[y[order] == label][:2]
            rows.append(torch.cat([pair, order[~torch.isin(order, pair)]])[:BATCH])
        yield torch.stack(rows)


def _select(log_p: Tensor, y: Tensor, num_classes: int, goal: str) -> Tensor:
    # 시드마다 검증 데이터에서 목표의 점수가 가장 높은 격자의 점. 같으면 NLL이 낮은 쪽.
    seeds, grid = len(y), len(GRID)
    y = y.repeat_interleave(grid, 0)
    cost = negative_log_likelihood(log_p, y)
    reached = _reached(log_p, y, num_classes, goal, cost).view(seeds, grid)
    return cost.view(seeds, grid).masked_fill(reached < reached.amax(1, keepdim=True), math.inf).argmin(1)


def _reached(log_p: Tensor, y: Tensor, num_classes: int, goal: str, cost: Tensor) -> Tensor:
    if goal == "calibration":
        return -cost
    if goal == "accuracy":
        return (log_p.argmax(-1) == y).to(cost.dtype).mean(-1)
    if goal == "ranking":
        return present_auc(log_p, y)
    return balanced_accuracy(log_p.argmax(-1), y, num_classes=num_classes)


# --- 비교 ---


class Scores(NamedTuple):
    r"""테스트 데이터에서 잰 점수. 한 줄이 방법 하나, 한 칸이 시드 하나.

    Attributes:
        accuracy: 정확도.
        balanced_accuracy: 균형 정확도.
        nll: 음의 로그 가능도(nat). 작을수록 좋다.
        ece: 기대 보정 오차. 작을수록 좋다.
        auc: 클래스마다 나머지와 구별하는 AUC의 평균.

    References:
        Gneiting, T. & Raftery, A. E. (2007). Strictly Proper Scoring Rules, Prediction, and Estimation.
    """

    accuracy: Float[Tensor, "m s"]
    balanced_accuracy: Float[Tensor, "m s"]
    nll: Float[Tensor, "m s"]
    ece: Float[Tensor, "m s"]
    auc: Float[Tensor, "m s"]


def compare(
    task: Task,
    *,
    condition: Condition = NATURAL,
    methods: Sequence[str] = METHODS,
    seeds: int = 10,
    steps: int = STEPS,
    progress: Callable[[str], None] | None = None,
) -> Scores:
    r"""방법마다 같은 분할, 같은 초기 가중치, 같은 스텝 수로 학습하고 테스트한다.

    신경망은 은닉층이 하나다. 학습률과 가중치 감쇠는 시드마다 격자 `GRID`에서 검증 데이터의 균형 정확도가 가장 높은
    값으로 정한다. 같으면 NLL이 낮은 쪽이다.

    $$f(x) = W_2^\top \mathrm{ReLU}(W_1^\top x + b_1) + b_2, \qquad W_1 \in \mathbb{R}^{d \times 32}$$

    Args:
        task: 데이터.
        condition: 학습과 검증에 쓰는 데이터를 어렵게 만드는 조건. 기본값은 데이터 그대로.
        methods: 비교할 방법의 이름들. `METHODS` 가운데서.
        seeds: 시드의 수. 1 이상.
        steps: 스텝 수. 2 이상. SupCon은 반을 인코더에, 반을 선형 헤드에 쓴다.
        progress: 방법 하나가 끝날 때마다 그 이름으로 부른다.

    Returns:
        점수. 줄의 순서는 `methods`와 같다.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 특징이 비었거나 유한하지 않거나, 모양이 맞지 않거나, 없는 번호이거나, 넷보다 적은 클래스가 있거나,
            모르는 방법이거나, 조건이나 수가 범위를 벗어나면.

    References:
        Loshchilov, I. & Hutter, F. (2019). Decoupled Weight Decay Regularization.
        Guo, C. 외 (2017). On Calibration of Modern Neural Networks (온도 스케일링).
        Wang, F. 외 (2017). NormFace (코사인 소프트맥스).
        Khosla, P. 외 (2020). Supervised Contrastive Learning (SupCon).
    """
    checks.floating(features=task.features)
    checks.ndim(2, 2, features=task.features)
    checks.nonempty(features=task.features)
    checks.within(features=(task.features, REAL))
    checks.tensor(labels=task.labels)
    checks.shape(task.features.shape[:1], labels=task.labels)
    checks.device(task.features.device, labels=task.labels)
    checks.count(1, methods=len(methods))
    checks.choice(METHODS, **{f"methods[{i}]": name for i, name in enumerate(methods)})
    checks.count(2, steps=steps)
    parts = split(task.labels, num_classes=task.num_classes, condition=condition, seeds=seeds)
    x, held, test = _features(task, parts)
    truth = task.labels[parts.test]
    rows = []
    known, seen = (x, parts.learn_labels), (held, parts.validation_labels)
    for name, found in learn(methods, known, seen, test, num_classes=task.num_classes, steps=steps):
        rows.append(_score(found.test, truth, task.num_classes))
        if progress is not None:
            progress(name)
    return Scores(*(torch.stack(column) for column in zip(*rows, strict=True)))


class Learned(NamedTuple):
    r"""방법 하나로 학습한 결과.

    Attributes:
        validation: 검증 데이터의 예측 확률의 로그.
        test: 테스트 데이터의 예측 확률의 로그.
        settings: 시드마다 `GRID`에서 정한 설정의 번호.

    References:
        Hastie, T., Tibshirani, R. & Friedman, J. (2009). The Elements of Statistical Learning, 7.2절.
    """

    validation: Float[Tensor, "s b c"]
    test: Float[Tensor, "s t c"]
    settings: Int[Tensor, "s"]


def learn(
    methods: Sequence[str],
    known: tuple[Float[Tensor, "s a d"], Int[Tensor, "s a"]],
    validation: tuple[Float[Tensor, "s b d"], Int[Tensor, "s b"]],
    test: Float[Tensor, "s t d"],
    *,
    num_classes: int,
    steps: int = STEPS,
    batch: int | None = None,
    goal: str = "balanced",
) -> Iterator[tuple[str, Learned]]:
    r"""방법마다, 시드와 설정의 신경망을 모두 쌓아 한꺼번에 학습하고, 검증 데이터로 설정을 정해 예측한다.

    Args:
        methods: 비교할 방법의 이름들. `METHODS` 가운데서.
        known: 시드마다의 학습 데이터. 표준화한 특징과 라벨. 모든 클래스가 있어야 한다.
        validation: 시드마다의 검증 데이터.
        test: 시드마다의 테스트 데이터의 특징.
        num_classes: 클래스의 수 $C \ge 2$.
        steps: 스텝 수.
        batch: 한 스텝에 쓰는 표본의 수. `None`이면 학습 데이터 모두.
        goal: 설정을 정하는 점수. `"accuracy"`, `"balanced"`, `"ranking"`(AUC), `"calibration"`(NLL).

    Returns:
        방법의 이름과 결과를 하나씩 주는 반복자. `methods`의 차례다.

    Raises:
        ValueError: 모르는 방법이나 목표이면.

    References:
        Guo, C. 외 (2017). On Calibration of Modern Neural Networks (온도 스케일링).
    """
    checks.choice(METHODS, **{f"methods[{i}]": name for i, name in enumerate(methods)})
    checks.choice(GOALS, goal=goal)
    fitted: dict[str, Learned] = {}
    for name in methods:
        source = METHODS[0] if name == "온도 스케일링" else name  # 온도는 교차 엔트로피로 학습한 신경망에 맞춘다
        if source not in fitted:
            every = _fit(source, *known, num_classes, steps=steps, batch=batch)
            best = _select(_log_probabilities(source, every, validation[0]), validation[1], num_classes, goal)
            rows = best + len(GRID) * torch.arange(len(test), device=test.device)
            chosen = Networks(*(tuple(tensor[rows] for tensor in group) for group in every))
            held, tested = (_log_probabilities(source, chosen, x) for x in (validation[0], test))
            fitted[source] = Learned(held, tested, best)
        found = fitted[source]
        if name == "온도 스케일링":
            heat = _temperatures(found.validation, validation[1])
            found = found._replace(
                validation=(found.validation / heat).log_softmax(-1), test=(found.test / heat).log_softmax(-1)
            )
        yield name, found


def _temperatures(log_p: Tensor, labels: Tensor) -> Tensor:
    fitted = torch.stack([fit_temperature(z, y) for z, y in zip(log_p, labels, strict=True)])
    # 검증 데이터를 모두 맞혔으면 온도가 낮을수록 NLL이 작아질 뿐이라 온도를 정할 수 없다. 그때는 1로 둔다.
    perfect = (log_p.argmax(-1) == labels).all(-1)
    return torch.where(perfect, 1.0, fitted).view(-1, 1, 1)  # (s, 1, 1)


def present_auc(scores: Float[Tensor, "b n c"], labels: Int[Tensor, "b n"]) -> Float[Tensor, "b"]:
    r"""라벨에 나오는 클래스마다 나머지와 구별하는 AUC를 재서 평균한다. 나오지 않는 클래스가 있어도 된다.

    Args:
        scores: 클래스마다의 점수. 높을수록 그 클래스라는 뜻이다.
        labels: 정답의 번호.

    Returns:
        $[0, 1]$ 안의 값. 나오는 클래스가 하나뿐이면 NaN.

    Raises:
        ValueError: 점수가 유한하지 않으면.

    References:
        Fawcett, T. (2006). An Introduction to ROC Analysis, 9.2절.
    """
    each = []
    for z, y in zip(scores, labels, strict=True):
        seen = y.unique().tolist()
        areas = [roc_auc(z[y == c, c], z[y != c, c]) for c in seen] if len(seen) > 1 else [z.new_tensor(math.nan)]
        each.append(torch.stack(areas).mean())
    return torch.stack(each)


def _score(log_p: Tensor, labels: Tensor, num_classes: int) -> tuple[Tensor, ...]:
    predicted = log_p.argmax(-1)
    return (
        (predicted == labels).to(log_p.dtype).mean(-1),
        balanced_accuracy(predicted, labels, num_classes=num_classes).to(log_p.dtype),
        negative_log_likelihood(log_p, labels),
        expected_calibration_error(log_p.exp(), labels),
        one_vs_rest_auc(log_p, labels),
    )


# --- 표 ---

CONDITIONS = {
    "그대로": NATURAL,
    "라벨 노이즈 20 %": Condition(noise=0.2),
    "라벨 노이즈 40 %": Condition(noise=0.4),
    "불균형 1:10": Condition(imbalance=10.0),
    "불균형 1:100": Condition(imbalance=100.0),
    "데이터 10 %": Condition(amount=0.1),
    "데이터 1 %": Condition(amount=0.01),
}

_DATASETS = {
    "숫자": data.digits,
    "유방암": data.breast_cancer,
    "와인": data.wine,
    "붓꽃": data.iris,
}  # 오래 걸리는 데이터부터
DATASETS = tuple(_DATASETS)

# 표의 값을 정하는 모듈 모두. 하나라도 바뀌면 표를 다시 잰다. 단위 테스트가 import 그래프와 비교한다.
REACHED = (
    "mgk_docs_src.checks",
    "mgk_docs_src.contrastive.losses",
    "mgk_docs_src.data",
    "mgk_docs_src.labs.choosing",
    "mgk_docs_src.labs.losses",
    "mgk_docs_src.losses.binary",
    "mgk_docs_src.losses.categorical",
    "mgk_docs_src.losses.choosing",
    "mgk_docs_src.losses.reduction",
    "mgk_docs_src.metrics",
    "mgk_docs_src.modes",
    "mgk_docs_src.networks",
    "mgk_docs_src.random",
)


def task(dataset: str, *, device: torch.device | None = None) -> Task:
    """표에 쓰는 데이터 하나.

    [`data`][mgk_docs_src.data]의 특징은 데이터 전체로 표준화되어 있지만, `compare`가 학습과 검증 데이터만으로 다시
    표준화하므로 테스트 데이터의 평균과 표준 편차는 결과에 남지 않는다.

    Args:
        dataset: `DATASETS` 가운데 하나.
        device: 장치. 기본값은 torch의 기본 장치.

    Returns:
        과제.

    Raises:
        ValueError: 모르는 이름이면.

    References:
        scikit-learn 문서, Toy datasets.
    """
    checks.choice(DATASETS, dataset=dataset)
    found = _DATASETS[dataset](device=device, dtype=torch.float32)
    return Task(found.features, found.labels, len(found.classes))


def table(
    folder: Path,
    *,
    datasets: Sequence[str] = DATASETS,
    conditions: Mapping[str, Condition] = CONDITIONS,
    methods: Sequence[str] = METHODS,
    seeds: int = 10,
    steps: int = STEPS,
    workers: int = 2,
    device: torch.device | None = None,
    progress: Callable[[str, str], None] | None = None,
) -> dict[tuple[str, str], Scores]:
    """데이터와 조건의 조합마다 `compare`한다. 끝난 칸은 바로 적어 두고, 다음에는 남은 칸만 잰다.

    칸 하나가 `folder`의 JSON 파일 하나다. 파일의 이름은 칸의 설정, `REACHED`의 소스, torch·numpy·scikit-learn의 버전의
    해시다. 다른 이름으로 쓴 뒤에 바꾸므로 중간에 종료되어도 반쪽 파일을 읽는 일이 없고, 잘렸거나 설정이 다른 파일은
    믿지 않고 다시 잰다.

    Args:
        folder: 적어 둘 폴더. 없으면 만든다.
        datasets: 데이터의 이름들.
        conditions: 조건의 이름과 조건.
        methods: 방법의 이름들.
        seeds: 시드의 수.
        steps: 스텝 수.
        workers: 나란히 돌릴 프로세스의 수. 1이면 이 프로세스에서 돈다.
        device: 잴 장치. 기본값은 torch의 기본 장치. 점수도 여기에 놓인다.
        progress: 칸 하나를 새로 쟀을 때마다 데이터와 조건의 이름으로 부른다.

    Returns:
        (데이터, 조건)마다의 점수. 데이터의 순서 다음에 조건의 순서.

    Raises:
        OSError: 폴더에 적거나 읽을 수 없으면.
        TypeError: 정수나 수가 아닌 값을 받으면.
        ValueError: 모르는 데이터나 방법이거나, 조건이나 수가 범위를 벗어나면.

    References:
        Python 문서, `concurrent.futures`, `os.replace`.
    """
    checks.count(1, workers=workers)
    checks.choice(DATASETS, **{f"datasets[{i}]": name for i, name in enumerate(datasets)})
    place = torch.get_default_device() if device is None else device
    knobs = {"methods": list(methods), "seeds": seeds, "steps": steps, "device": str(place)}
    settings = {
        (dataset, name): {"dataset": dataset, "condition": list(condition), **knobs}
        for dataset, (name, condition) in product(datasets, conditions.items())
    }
    sources = _sources()  # 재는 동안 소스를 고쳐도, 결과는 재기 시작할 때의 이름으로 적힌다
    cells = {cell: _Cell(_path(folder, setting, sources), setting) for cell, setting in settings.items()}
    folder.mkdir(parents=True, exist_ok=True)
    missing = {name: cell for name, cell in cells.items() if _read(cell) is None}
    for name in _measure(missing, min(workers, len(missing))):
        if progress is not None:
            progress(*name)
    return {name: _found(cell) for name, cell in cells.items()}


class _Cell(NamedTuple):
    # 적어 둘 파일과 설정.
    path: Path
    setting: dict[str, Any]


def _measure(missing: Mapping[tuple[str, str], _Cell], workers: int) -> Iterator[tuple[str, str]]:
    # 부르는 쪽이 joblib.parallel_config로 다른 뒷단(Dask)을 정했으면 거기서 잰다.
    yield from joblib.Parallel(max(1, workers), return_as="generator_unordered")(
        joblib.delayed(_work)(name, cell) for name, cell in missing.items()
    )


@contextmanager
def single_thread() -> Iterator[None]:
    """작은 신경망에서는 스레드끼리 다투는 비용이 더 크다. 한 스레드로 계산하고, 끝나면 되돌린다.

    Returns:
        `with` 문에 쓰는 것. 값은 없다.

    References:
        PyTorch 문서, `torch.set_num_threads`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _work(name: tuple[str, str], cell: _Cell) -> tuple[str, str]:
    path, setting = cell
    with single_thread():
        scores = compare(
            task(setting["dataset"], device=torch.device(setting["device"])),
            condition=Condition(*setting["condition"]),
            methods=setting["methods"],
            seeds=setting["seeds"],
            steps=setting["steps"],
        )
    columns = {name: column.tolist() for name, column in scores._asdict().items()}
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps({"setting": setting, "scores": columns}), "utf-8")
    partial.replace(path)
    return name


def _read(cell: _Cell) -> Scores | None:
    path, setting = cell
    shape = (len(setting["methods"]), setting["seeds"])
    try:
        found = json.loads(path.read_text("utf-8"))
        scores = Scores(
            **{name: torch.tensor(column, device=setting["device"]) for name, column in found["scores"].items()}
        )
        right = found["setting"] == setting and all(
            column.shape == shape and bool(column.isfinite().all()) for column in scores
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # 없거나, 잘렸거나, 다른 프로그램의 파일이다
        return None
    return scores if right else None


def _found(cell: _Cell) -> Scores:
    scores = _read(cell)
    if scores is None:
        raise OSError(f"folder: 방금 적은 {cell.path}를 읽을 수 없다")
    return scores


def _path(folder: Path, setting: dict[str, Any], sources: str) -> Path:
    versions = [version(name) for name in ("torch", "numpy", "scikit-learn")]
    return folder / f"{hashlib.sha256(json.dumps([setting, sources, versions]).encode()).hexdigest()}.json"


def _sources() -> str:
    root, digest = Path(__file__).parents[2], hashlib.sha256()
    for module in REACHED:
        digest.update(b"\0" + root.joinpath(*module.split(".")).with_suffix(".py").read_bytes())
    return digest.hexdigest()


def _check_condition(condition: Condition) -> None:
    checks.number(UNIT, noise=condition.noise)
    checks.number(Interval(1.0, math.inf), imbalance=condition.imbalance)
    checks.number(UNIT, amount=condition.amount)
    checks.number(POSITIVE, amount=condition.amount)
