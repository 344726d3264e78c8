"""실습 “손실을 고르면 무엇이 달라지나”의 재료: `docs/labs/losses.py`."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, Interval
from mgk_docs_src.losses.categorical import cross_entropy
from mgk_docs_src.losses.reduction import Reduction, reduce, widen
from mgk_docs_src.random import rand, randperm

# 로짓 (n, c)와 번호 (n)을 받아 표본마다의 손실 (n)을 준다.
Loss = Callable[[Tensor, Tensor], Tensor]

COLDEST, HOTTEST = 0.01, 100.0  # 온도를 찾는 범위


def expected_calibration_error(
    probabilities: Float[Tensor, "n c"],
    labels: Int[Tensor, "n"],
    *,
    bins: int = 15,
) -> Float[Tensor, ""]:
    r"""기대 보정 오차(ECE): 확신 $q_i = \max_c p_{ic}$와 실제로 맞힌 비율이 칸마다 얼마나 다른가.

    $$\mathrm{ECE} = \sum_{b=1}^{B} \frac{|I_b|}{N} \left| \mathrm{acc}(I_b) - \mathrm{conf}(I_b) \right|
    = \frac{1}{N} \sum_{b=1}^{B} \Bigl| \sum_{i \in I_b} \left( \mathbf{1}[\hat{y}_i = y_i] - q_i \right) \Bigr|$$

    칸은 너비가 같고, $I_b = \{i : \frac{b-1}{B} < q_i \le \frac{b}{B}\}$다. 값을 살피므로 장치와 동기화한다.

    Args:
        probabilities: 예측 확률 $p$. 한 줄의 합이 1이다.
        labels: 정답의 번호 $y_i \in \{0, \ldots, C-1\}$.
        bins: 칸의 수 $B \ge 1$.

    Returns:
        $[0, 1]$ 안의 오차.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 다르거나, 비었거나, 확률이 음수거나 합이 1이 아니거나, 없는 번호이거나, 칸이 1보다 적으면.

    References:
        Guo, C. 외 (2017). On Calibration of Modern Neural Networks, 2절.
    """
    _check_scores(probabilities, labels, "probabilities")
    checks.simplex(1, probabilities=probabilities)
    checks.count(1, bins=bins)
    confidence, predicted = widen(probabilities)[0].max(1)
    gap = (predicted == labels).to(confidence.dtype) - confidence
    bin_of = (confidence * bins).ceil().long().clamp(1, bins) - 1
    members = F.one_hot(bin_of, bins).to(gap.dtype)  # (N, B)
    return ((gap @ members).abs().sum() / len(labels)).to(probabilities.dtype)


def balanced_accuracy(
    predictions: Int[Tensor, "n"],
    labels: Int[Tensor, "n"],
    *,
    num_classes: int,
) -> Float[Tensor, ""]:
    r"""균형 정확도: 클래스마다 맞힌 비율(재현율)의 평균. 많은 클래스가 값을 차지하지 못한다.

    $$\frac{1}{|K|} \sum_{c \in K} \frac{\#\{i : \hat{y}_i = y_i = c\}}{\#\{i : y_i = c\}}$$

    $K$는 라벨에 나오는 클래스다. 값을 살피므로 장치와 동기화한다.

    Args:
        predictions: 예측한 번호 $\hat{y}_i$.
        labels: 정답의 번호 $y_i$.
        num_classes: 클래스의 수 $C \ge 1$.

    Returns:
        $[0, 1]$ 안의 정확도. torch의 기본 자료형.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 다르거나, 비었거나, 없는 번호이면.

    References:
        scikit-learn 문서, `balanced_accuracy_score`.
    """
    counts = _count(labels, num_classes)
    _check_labels(labels.shape, num_classes, predictions=predictions)
    right = labels[predictions == labels].bincount(minlength=num_classes)
    present = counts > 0
    return (right[present] / counts[present]).mean()


def focal_loss(
    logits: Float[Tensor, "n c"],
    labels: Int[Tensor, "n"],
    *,
    gamma: float = 2.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""초점 손실(focal loss): 이미 잘 맞힌 표본의 교차 엔트로피를 더 줄인다.

    $$\ell = -(1 - p_y)^\gamma \log p_y = (1 - e^{-h})^\gamma\, h, \qquad h = -\log p_y$$

    $\gamma = 0$이면 교차 엔트로피다. $1 - p_y$를 `expm1`로 계산하므로 아주 잘 맞힌 표본에서도 자리를 지킨다.
    값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        gamma: 초점의 세기 $\gamma \ge 0$.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        0 이상의 손실(nat). `"none"`이면 `labels`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 다르거나, 비었거나, 로짓이 유한하지 않거나, 없는 번호이거나, $\gamma$가 음수이면.

    References:
        Lin, T.-Y. 외 (2017). Focal Loss for Dense Object Detection, 3.2절.
    """
    _check_scores(logits, labels, "logits")
    checks.number(NONNEGATIVE, gamma=gamma)
    h = cross_entropy(widen(logits)[0], labels, reduction="none")
    # h가 정확히 0이면 0^γ의 기울기가 γ < 1에서 무한대다. 가장 작은 수로 막아도 값은 0 그대로다.
    wrong = (-torch.expm1(-h)).clamp_min(torch.finfo(h.dtype).tiny)
    return reduce(wrong**gamma * h, reduction).to(logits.dtype)


def class_weights(
    labels: Int[Tensor, "n"],
    *,
    num_classes: int,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "c"]:
    r"""균형 가중치: 클래스마다 가중치의 합이 같아진다.

    $$w_c = \frac{N}{C\, n_c}, \qquad n_c = \#\{i : y_i = c\}$$

    Args:
        labels: 학습 자료의 번호 $y_i$.
        num_classes: 클래스의 수 $C \ge 1$.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        가중치 $w$. $\sum_i w_{y_i} = N$이다.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 비었거나, 없는 번호이거나, 표본이 하나도 없는 클래스가 있으면.

    References:
        King, G. & Zeng, L. (2001). Logistic Regression in Rare Events Data.
        scikit-learn 문서, `compute_class_weight`의 `"balanced"`.
    """
    return 1 / (num_classes * _frequencies(labels, num_classes, dtype))


def logit_adjustment(
    labels: Int[Tensor, "n"],
    *,
    num_classes: int,
    tau: float = 1.0,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "c"]:
    r"""로짓 보정: 클래스의 빈도 $\pi_c$만큼 로짓을 옮기는 값.

    $$a_c = \tau \log \pi_c, \qquad \pi_c = \frac{n_c}{N}$$

    학습에서 로짓에 **더하면** 모델은 빈도를 뺀 나머지를 배우고, 예측에는 더하지 않는다. 보통으로 배운 모델의 로짓에서
    **빼도** 같은 곳을 겨냥한다.

    Args:
        labels: 학습 자료의 번호 $y_i$.
        num_classes: 클래스의 수 $C \ge 1$.
        tau: 옮기는 세기 $\tau \ge 0$. 1이면 균형 정확도를 겨냥한다.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        0 이하의 보정값 $a$.

    Raises:
        TypeError: 텐서, 정수, 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 비었거나, 없는 번호이거나, 표본이 하나도 없는 클래스가 있거나, $\tau$가 음수이면.

    References:
        Menon, A. K. 외 (2021). Long-tail Learning via Logit Adjustment, 4절.
    """
    checks.number(NONNEGATIVE, tau=tau)
    return tau * _frequencies(labels, num_classes, dtype).log()


def fit_temperature(logits: Float[Tensor, "n c"], labels: Int[Tensor, "n"]) -> Float[Tensor, ""]:
    r"""온도 맞추기: 학습에 쓰지 않은 표본에서 NLL을 가장 작게 하는 온도 하나.

    $$T = \arg\min_{T} \frac{1}{N} \sum_i -\log \operatorname{softmax}(z_i / T)_{y_i}, \qquad
    \frac{\partial}{\partial \beta} = \frac{1}{N} \sum_i \left( \mathbb{E}_{c \sim \operatorname{softmax}(\beta z_i)}
    [z_{ic}] - z_{i y_i} \right)$$

    $\beta = 1/T$의 볼록 함수이므로 기울기의 부호가 바뀌는 곳을 $T \in [0.01, 100]$에서 이분법으로 찾는다. 모두 맞힌
    표본이면 아래 끝, 로짓에 정보가 없으면 위 끝이 답이다. 예측하는 번호는 바뀌지 않는다.

    Args:
        logits: 로짓 $z$.
        labels: 정답의 번호 $y_i \in \{0, \ldots, C-1\}$.

    Returns:
        온도 $T > 0$. 로짓을 이 값으로 나눈다. 1보다 크면 모델이 지나치게 확신한 것이다.

    Raises:
        TypeError: 텐서가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 다르거나, 비었거나, 로짓이 유한하지 않거나, 없는 번호이면.

    References:
        Guo, C. 외 (2017). On Calibration of Modern Neural Networks, 4.2절.
    """
    _check_scores(logits, labels, "logits")
    checks.within(logits=(logits, REAL))
    z = widen(logits.detach())[0]
    right = z.gather(1, labels.unsqueeze(1)).squeeze(1)
    low, high = z.new_tensor(-math.log(HOTTEST)), z.new_tensor(-math.log(COLDEST))  # log β
    for _ in range(60):
        middle = (low + high) / 2
        slope = ((torch.softmax(middle.exp() * z, 1) * z).sum(1) - right).mean()
        low, high = torch.where(slope > 0, low, middle), torch.where(slope > 0, middle, high)
    return torch.exp(-(low + high) / 2).to(logits.dtype)


def subsample(
    labels: Int[Tensor, "n"],
    *,
    counts: Sequence[int],
    generator: torch.Generator | None,
) -> tuple[Int[Tensor, "chosen"], Int[Tensor, "rest"]]:
    r"""클래스 $c$에서 `counts[c]`개씩 무작위로 고른다. 치우친 자료도, 층을 지킨 나누기도 이것으로 만든다.

    $$|\{i \in \text{고른 것} : y_i = c\}| = \mathrm{counts}_c$$

    Args:
        labels: 번호 $y_i \in \{0, \ldots, C-1\}$. $C$는 `counts`의 길이다.
        counts: 클래스마다 고를 수.
        generator: CPU 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        고른 표본의 자리와 남은 표본의 자리. 저마다 클래스 순서이고, 클래스 안에서는 무작위다.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 비었거나, 없는 번호이거나, 고를 수가 음수거나 있는 것보다 많으면.

    References:
        Cui, Y. 외 (2019). Class-Balanced Loss Based on Effective Number of Samples, 5.1절 (긴 꼬리 자료 만들기).
    """
    available = _count(labels, len(counts)).tolist()
    for c, (wanted, limit) in enumerate(zip(counts, available, strict=True)):
        checks.count(0, **{f"counts[{c}]": wanted})
        if wanted > limit:
            raise ValueError(f"counts[{c}]: 있는 {limit}개까지 고를 수 있는데 {wanted}이다")
    order = randperm(len(labels), generator=generator, device=labels.device)
    members = [order[labels[order] == c] for c in range(len(counts))]
    chosen = [some[:wanted] for some, wanted in zip(members, counts, strict=True)]
    rest = [some[wanted:] for some, wanted in zip(members, counts, strict=True)]
    return torch.cat(chosen), torch.cat(rest)


class Networks(NamedTuple):
    r"""씨앗 $S$개로 한꺼번에 배운, 모양이 같은 신경망들. 층이 하나면 소프트맥스 회귀다.

    Attributes:
        weights: 층마다의 가중치. 층 하나가 $(S, d_{\text{in}}, d_{\text{out}})$.
        biases: 층마다의 절편. 층 하나가 $(S, 1, d_{\text{out}})$.
        losses: 에폭마다, 신경망마다의 평균 손실. 옮기기 전의 값이다.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 13.2절.
    """

    weights: tuple[Float[Tensor, "s _ _"], ...]
    biases: tuple[Float[Tensor, "s 1 _"], ...]
    losses: Float[Tensor, "epochs s"]


def train(
    features: Float[Tensor, "s n d"],
    labels: Int[Tensor, "s n"],
    loss: Loss,
    *,
    num_classes: int,
    hidden: tuple[int, ...] = (),
    epochs: int,
    batch_size: int | None = None,
    learning_rate: float = 0.01,
    weight_decay: float = 0.0,
    generators: Sequence[torch.Generator],
) -> Networks:
    r"""작은 신경망 $S$개를 Adam으로 한꺼번에 배운다. 하나씩 배운 것과 같은 신경망이 나온다.

    $$\min_{\theta_1, \ldots, \theta_S} \sum_{s=1}^{S} \left[ \frac{1}{N} \sum_{i=1}^{N}
    \ell\bigl(f_{\theta_s}(x_{si}),\, y_{si}\bigr) + \frac{\lambda}{2} \|\theta_s\|^2 \right]$$

    합을 미분하면 신경망마다 제 기울기만 받고, Adam은 원소마다 따로 움직이므로 서로 섞이지 않는다. 가중치는
    `torch.nn.Linear`처럼 $\mathcal{U}(\pm 1/\sqrt{d_{\text{in}}})$에서 시작한다.

    Args:
        features: 신경망마다의 특징 $x$.
        labels: 신경망마다의 번호 $y \in \{0, \ldots, C-1\}$.
        loss: 로짓 $(n, C)$와 번호 $(n)$을 받아 표본마다의 손실 $(n)$을 주는 함수.
        num_classes: 클래스의 수 $C \ge 2$.
        hidden: 숨은 층마다의 너비. 비었으면 소프트맥스 회귀다. 활성 함수는 ReLU.
        epochs: 자료를 훑는 횟수. 1 이상.
        batch_size: 한 걸음에 쓰는 표본의 수. `None`이면 모두.
        learning_rate: 학습률. 0보다 크다.
        weight_decay: $L_2$ 벌점의 세기 $\lambda \ge 0$.
        generators: 신경망마다의 CPU 발생기. 첫 가중치와 표본의 순서를 여기서 뽑는다.

    Returns:
        배운 신경망들. 기울기는 따라오지 않는다.

    Raises:
        TypeError: 텐서, 정수, 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 값이 틀렸거나, 발생기가 신경망의 수와 다르거나, 손실이 표본마다의 값이 아니면.

    References:
        Kingma, D. P. & Ba, J. (2015). Adam: A Method for Stochastic Optimization.
        PyTorch 문서, Model ensembling.
    """
    checks.floating(features=features)
    checks.ndim(3, 3, features=features)
    checks.nonempty(features=features)
    checks.within(features=(features, REAL))
    checks.count(2, num_classes=num_classes)
    checks.count(1, epochs=epochs, **{f"hidden[{i}]": units for i, units in enumerate(hidden)})
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(NONNEGATIVE, weight_decay=weight_decay)
    seeds, n, width = features.shape
    size = n if batch_size is None else batch_size
    checks.count(1, batch_size=size)
    _check_labels((seeds, n), num_classes, labels=labels)
    if len(generators) != seeds:
        raise ValueError(f"generators: 신경망의 수 {seeds}개여야 하는데 {len(generators)}개이다")

    weights, biases = _initial((width, *hidden, num_classes), generators, features)
    optimiser = torch.optim.Adam([*weights, *biases], lr=learning_rate, weight_decay=weight_decay, fused=True)
    seed = torch.arange(seeds, device=features.device).unsqueeze(1)  # (S, 1)
    history = []
    for _ in range(epochs):
        total = features.new_zeros(seeds)
        for x, y in _batches(features, labels, seed, size, generators):
            each = loss(_forward(weights, biases, x).flatten(0, 1), y.flatten())
            checks.shape((y.numel(),), loss=each)
            mean = each.view_as(y).mean(1)  # (S)
            optimiser.zero_grad()
            mean.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += mean.detach() * y.shape[1] / n
        history.append(total)
    return Networks(
        tuple(weight.detach() for weight in weights),
        tuple(bias.detach() for bias in biases),
        torch.stack(history),
    )


def predict(networks: Networks, features: Float[Tensor, "s n d"]) -> Float[Tensor, "s n c"]:
    r"""신경망마다 제 특징을 넣어 로짓을 얻는다.

    $$z_s = h_s W_s + b_s, \qquad h_s = \mathrm{ReLU}(\cdots), \qquad h_s = x_s \text{ (숨은 층이 없을 때)}$$

    Args:
        networks: [`train`][mgk_docs_src.labs.losses.train]이 배운 신경망들.
        features: 신경망마다의 특징 $x$.

    Returns:
        로짓 $z$.

    Raises:
        TypeError: 텐서가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 신경망과 맞지 않으면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 13.2절.
    """
    checks.floating(features=features)
    checks.ndim(3, 3, features=features)
    seeds, width, _ = networks.weights[0].shape
    checks.shape((seeds, features.shape[1], width), features=features)
    return _forward(networks.weights, networks.biases, features)


def _initial(
    widths: tuple[int, ...],
    generators: Sequence[torch.Generator],
    like: Tensor,
) -> tuple[list[Tensor], list[Tensor]]:
    def uniform(rows: int, columns: int, bound: float) -> Tensor:
        drawn = [rand(rows, columns, generator=g, device=like.device, dtype=like.dtype) for g in generators]
        return ((2 * torch.stack(drawn) - 1) * bound).requires_grad_()  # (S, rows, columns)

    layers = list(pairwise(widths))
    weights = [uniform(fan_in, fan_out, fan_in**-0.5) for fan_in, fan_out in layers]
    biases = [uniform(1, fan_out, fan_in**-0.5) for fan_in, fan_out in layers]
    return weights, biases


def _forward(weights: Sequence[Tensor], biases: Sequence[Tensor], x: Tensor) -> Tensor:
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = torch.baddbmm(bias, x, weight).relu()
    return torch.baddbmm(biases[-1], x, weights[-1])


def _batches(
    features: Tensor,
    labels: Tensor,
    seed: Tensor,
    size: int,
    generators: Sequence[torch.Generator],
) -> list[tuple[Tensor, Tensor]]:
    n = labels.shape[1]
    if size >= n:
        return [(features, labels)]
    order = torch.stack([randperm(n, generator=g, device=labels.device) for g in generators])  # (S, N)
    parts = [order[:, start : start + size] for start in range(0, n, size)]
    return [(features[seed, part], labels[seed, part]) for part in parts]


def _frequencies(labels: Tensor, num_classes: int, dtype: torch.dtype | None) -> Tensor:
    # 클래스의 빈도 n_c / N. 없는 클래스의 가중치와 로그는 무한대다.
    counts = _count(labels, num_classes)
    if not counts.all():
        raise ValueError(f"labels: 클래스마다 표본이 있어야 하는데 {int(counts.argmin())}번이 없다")
    return (counts.double() / len(labels)).to(dtype or torch.get_default_dtype())


def _count(labels: Tensor, num_classes: int) -> Tensor:
    checks.count(1, num_classes=num_classes)
    checks.tensor(labels=labels)
    checks.ndim(1, 1, labels=labels)
    checks.nonempty(labels=labels)
    _check_labels(labels.shape, num_classes, labels=labels)
    return labels.bincount(minlength=num_classes)


def _check_scores(scores: Tensor, labels: Tensor, name: str) -> None:
    checks.floating(**{name: scores})
    checks.ndim(2, 2, **{name: scores})
    checks.nonempty(**{name: scores})
    _check_labels(scores.shape[:1], scores.shape[1], labels=labels)


def _check_labels(shape: tuple[int, ...], num_classes: int, **labels: Tensor) -> None:
    checks.int64(**labels)
    checks.shape(shape, **labels)
    checks.within(**{name: (value, Interval(0, num_classes - 1)) for name, value in labels.items()})
