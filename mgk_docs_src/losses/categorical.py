"""다중 클래스 교차 엔트로피: `docs/losses/categorical.md`."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT, Interval
from mgk_docs_src.losses.reduction import Reduction, reduce, widen
from mgk_docs_src.modes import full_precision


@full_precision
def sparse_categorical_cross_entropy(
    probabilities: Float[Tensor, "n c"],
    labels: Int[Tensor, "n"],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""확률과 클래스 번호로 계산하는 교차 엔트로피. 원-핫 라벨을 만들지 않는다.

    $$L = -\frac{1}{N} \sum_j \log q_{j, y_j}$$

    식을 그대로 계산한다. 정답의 확률이 0이면 $\infty$다. 로짓이 있으면
    [`cross_entropy`][mgk_docs_src.losses.categorical.cross_entropy]를 쓴다. 값을 살피므로 장치와 동기화한다.

    Args:
        probabilities: 예측 확률 $q$. 한 줄의 합이 1이다.
        labels: 정답의 번호 $y_j \in \{0, \ldots, C-1\}$.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        0 이상의 손실(nat). `"none"`이면 `labels`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 비었거나, 확률이 음수거나 합이 1이 아니거나, 없는 번호이면.

    References:
        Goodfellow, I., Bengio, Y. & Courville, A. (2016). Deep Learning, 6.2.2.3절.
        Keras 문서, `SparseCategoricalCrossentropy`.
    """
    checks.floating(probabilities=probabilities)
    checks.ndim(2, 2, probabilities=probabilities)
    checks.nonempty(probabilities=probabilities)
    _check_labels(probabilities, labels=labels)
    checks.within(labels=(labels, Interval(0, probabilities.shape[1] - 1)))
    checks.simplex(1, probabilities=probabilities)
    q = widen(probabilities)[0]
    loss = -torch.log(q.gather(1, labels.unsqueeze(1)).squeeze(1))
    return reduce(loss, reduction).to(probabilities.dtype)


@full_precision
def smooth_labels(
    target: Float[Tensor, "*shape"],
    label_smoothing: float,
    *,
    dim: int = 1,
) -> Float[Tensor, "*shape"]:
    r"""라벨 스무딩(label smoothing, 평활화): 라벨을 균등 분포 쪽으로 $\epsilon$만큼 섞는다.

    $$\tilde{y}_c = (1 - \epsilon)\, y_c + \frac{\epsilon}{C}$$

    Args:
        target: 클래스 확률 $y$(원-핫이어도 된다). 축 `dim`의 합이 1이다.
        label_smoothing: 섞는 비율 $\epsilon \in [0, 1]$.
        dim: 클래스의 축.

    Returns:
        스무딩한 확률 $\tilde{y}$. `target`과 같은 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 비었거나, 확률이 음수거나 합이 1이 아니거나, $\epsilon$이 $[0, 1]$을 벗어나면.

    References:
        Szegedy, C. 외 (2016). Rethinking the Inception Architecture for Computer Vision, 7절.
    """
    checks.floating(target=target)
    checks.nonempty(target=target)
    checks.axis(target.ndim, dim=dim)
    checks.simplex(dim, target=target)
    checks.number(UNIT, label_smoothing=label_smoothing)
    return _smooth(widen(target)[0], label_smoothing, dim).to(target.dtype)


@full_precision
def surprisal(logits: Float[Tensor, "n c"], labels: Int[Tensor, "n"]) -> Float[Tensor, "n"]:
    r"""정답의 놀람(surprisal): 표본마다의 교차 엔트로피. 초점 손실, 일반화 교차 엔트로피, 브라이어 손실의 $h$다.

    $$h = -\log p_y = \log \Bigl( 1 + \sum_{k \ne y} e^{z_k - z_y} \Bigr), \qquad
    p = \operatorname{softmax}(z), \qquad
    \frac{\partial h}{\partial z_c} = \begin{cases} p_c & c \ne y \\ -\sum_{k \ne y} p_k & c = y \end{cases}$$

    값도 기울기도 0 이상인 항만 더하므로, 클래스가 몇이든 정답의 확률이 0이나 1에 얼마나 가깝든 유효 숫자를 유지한다.
    로짓이 $-\infty$인 클래스는 가려진 것으로 보고 확률을 0으로 친다. 값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$. 한 줄에 하나는 유한하다.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.

    Returns:
        0 이상의 놀람(nat). 정답이 가려졌으면 $\infty$. `labels`와 같은 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 비었거나, 로짓에 nan이나 $+\infty$나 모두 $-\infty$인 줄이 있거나, 없는 번호이면.

    References:
        Cover, T. M. & Thomas, J. A. (2006). Elements of Information Theory, 2.1절.
    """
    checks.floating(logits=logits)
    checks.ndim(2, 2, logits=logits)
    checks.nonempty(logits=logits)
    checks.int64(labels=labels)
    checks.shape(logits.shape[:1], labels=labels)
    h = _surprisal(widen(logits)[0], labels, 1, labels=(labels, Interval(0, logits.shape[1] - 1)))
    return h.to(logits.dtype)


@full_precision
def cross_entropy(
    logits: Float[Tensor, "*shape"],
    target: Int[Tensor, "..."] | Float[Tensor, "*shape"],
    *,
    weight: Float[Tensor, "c"] | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""로짓에서 계산하는 다중 클래스 교차 엔트로피. `torch.nn.functional.cross_entropy`와 뜻이 같다.

    $$\ell = -\sum_{c} w_c\, \tilde{y}_c \log \operatorname{softmax}(z)_c, \qquad
    L = \frac{1}{D} \sum_i \ell_i, \qquad
    D = \begin{cases} \sum_i w_{y_i} & \text{번호} \\ N d_1 \cdots d_k & \text{확률} \end{cases}$$

    번호 $y$는 원-핫 라벨로 읽고, 라벨 스무딩을 하면 $\tilde{y}_c = (1 - \epsilon)\, y_c + \epsilon / C$다.
    정답의 로짓이 아주 커도 손실이 0으로 사라지지 않고, 클래스가 몇이든 기울기 $p_c - \tilde{y}_c$의 유효 숫자를
    유지한다.
    로짓이 $-\infty$인 클래스는 가려진 것으로 보아 확률이 0이고, 라벨이나 가중치가 0이면 손실에 더하지 않는다. float16과
    bfloat16은 float32로 계산하고 한 번 반올림한다. 값을 살피므로 장치와 몇 번 동기화한다.

    클래스는 **둘째 축**이다. $(N, L, C)$인데 $L = C$이면 모양만으로는 축이 틀렸는지 알 수 없으니,
    `logits.movedim(-1, 1)`로 옮겨 넣는다.

    Args:
        logits: 로짓 $z$. $(C)$, $(N, C)$, $(N, C, d_1, \ldots, d_k)$. 위치마다 하나는 유한하다.
        target: 번호이면 `torch.int64`, `logits`에서 클래스 축을 뺀 모양. 확률이면 실수형, `logits`와 같은 모양.
        weight: 클래스의 가중치 $w_c \ge 0$. 모양 $(C)$. 기본값은 모두 1.
        ignore_index: 이 번호인 위치는 합과 분모에서 뺀다. 확률 라벨에는 쓸 수 없다.
        label_smoothing: 라벨 스무딩의 세기 $\epsilon \in [0, 1]$.
        reduction: `"none"`, `"mean"`, `"sum"`. 평균의 분모는 위의 $D$다.

    Returns:
        0 이상의 손실(nat). `"none"`이면 `logits`에서 클래스 축을 뺀 모양이고 빠진 위치는 0, 아니면 스칼라.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 비었거나, 모양이나 자료형이 틀렸거나, 로짓에 nan이나 $+\infty$나 모두 $-\infty$인 줄이 있거나, 없는
            번호이거나, 확률이 음수거나 합이 1이 아니거나, 가중치가 $[0, \infty)$를, $\epsilon$이 $[0, 1]$을 벗어나거나,
            확률 라벨에 0 이상의 `ignore_index`를 주거나, 평균인데 모든 위치가 빠지거나 남은 가중치의 합이 0이면
            (torch는 nan).

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.3절.
        PyTorch 문서, `torch.nn.CrossEntropyLoss`.
    """
    _check_inputs(logits, target, weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing)
    dim = 0 if logits.ndim == 1 else 1
    z = widen(logits)[0]
    w = z.new_ones(z.shape[dim]) if weight is None else weight.to(z.dtype)
    w_c = w.view([1] * dim + [-1] + [1] * (z.ndim - 1 - dim))  # 클래스의 축에 맞춘 것

    if target.is_floating_point():
        y = widen(target)[0]
        soft = _smooth(y, label_smoothing, dim) if label_smoothing else y
        soft = soft if weight is None else w_c * soft
        loss = _expected_surprisal(z, soft, dim, weight=(weight, NONNEGATIVE))
        return reduce(loss, reduction).to(torch.promote_types(logits.dtype, target.dtype))

    kept = target != ignore_index
    index = target.masked_fill(~kept, 0)
    bounds = {"target": (index, Interval(0, z.shape[dim] - 1)), "weight": (weight, NONNEGATIVE)}
    if label_smoothing:
        flat = label_smoothing / z.shape[dim] * w_c  # 모든 클래스에 똑같이 나눈 비율
        loss = _expected_surprisal(z, flat, dim, index=index, extra=(1 - label_smoothing) * w, **bounds)
    else:
        loss = _surprisal(z, index, dim, **bounds)
    share = _take(w, index) * kept
    factor = kept if label_smoothing else share
    # 빠진 위치와 가중치가 0인 위치는 손실이 무한대여도 0이다.
    loss = loss.masked_fill((factor == 0) & (loss == math.inf), 0.0) * factor
    if reduction != "mean":
        return reduce(loss, reduction).to(logits.dtype)
    total = share.sum()
    if not (checks.plain(total) > 0).all():
        if checks.plain(kept.any()).all():
            raise ValueError("weight: 남은 라벨의 가중치 합이 0보다 커야 평균이 있는데 모두 0이다")
        raise ValueError(
            f"target: 평균을 내려면 남는 라벨이 있어야 하는데 모두 ignore_index({ignore_index})이다. "
            'reduction="sum"이나 "none"이면 0이다'
        )
    return (loss.sum() / total).to(logits.dtype)


@full_precision
def cross_entropy_grad(logits: Float[Tensor, "n c"], labels: Int[Tensor, "n"]) -> Float[Tensor, "n c"]:
    r"""`cross_entropy`의 로짓에 대한 표본마다의 기울기: 예측 빼기 정답. $N$으로 나누지 않는다.

    $$\frac{\partial \ell}{\partial z_c} = p_c - \mathbf{1}[c = y]
    = \begin{cases} p_c & c \ne y \\ -\sum_{k \ne y} p_k & c = y \end{cases}, \qquad p = \operatorname{softmax}(z)$$

    오른쪽 식은 상쇄가 없어 정답의 확률이 1에 가까워도 유효 숫자를 유지한다. 값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$. $-\infty$인 로짓은 가려진 클래스다.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.

    Returns:
        $[-1, 1]$ 안의 기울기. `logits`와 같은 모양. 한 줄의 합은 0이다.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 비었거나, 로짓에 nan이나 $+\infty$나 모두 $-\infty$인 줄이 있거나, 없는 번호이면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.3.2절.
    """
    checks.floating(logits=logits)
    checks.ndim(2, 2, logits=logits)
    checks.nonempty(logits=logits)
    _check_labels(logits, labels=labels)
    z = widen(logits)[0]
    _check_values(z.amax(1), labels=(labels, Interval(0, z.shape[1] - 1)))
    wrong = torch.softmax(z, 1).scatter(1, labels.unsqueeze(1), 0.0)
    return wrong.scatter(1, labels.unsqueeze(1), -wrong.sum(1, keepdim=True)).to(logits.dtype)


def double_softmax_floor(num_classes: int) -> float:
    r"""로짓 대신 확률을 넣었을 때(소프트맥스를 두 번 했을 때) 교차 엔트로피의 바닥(하한).

    $$\min_{p} -\log \operatorname{softmax}(p)_y = \log \left( 1 + \frac{C - 1}{e} \right)$$

    Args:
        num_classes: 클래스의 수 $C \ge 2$.

    Returns:
        바닥(nat). 정답의 확률이 1일 때의 값이다.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 2보다 작으면.

    References:
        PyTorch 문서, `torch.nn.CrossEntropyLoss`: 입력은 정규화하지 않은 로짓이다.
    """
    checks.count(2, num_classes=num_classes)
    return math.log1p((num_classes - 1) / math.e)


def label_smoothing_floor(num_classes: int, label_smoothing: float) -> float:
    r"""라벨 스무딩을 켠 교차 엔트로피의 바닥(하한): 스무딩한 원-핫 라벨의 엔트로피.

    $$H(\tilde{y}) = -a \log a - (C - 1)\, b \log b, \qquad b = \frac{\epsilon}{C}, \quad a = 1 - (C - 1)\, b$$

    Args:
        num_classes: 클래스의 수 $C \ge 2$.
        label_smoothing: 섞는 비율 $\epsilon \in [0, 1]$.

    Returns:
        $[0, \log C]$ 안의 바닥(nat).

    Raises:
        TypeError: `num_classes`가 정수가 아니거나, `label_smoothing`이 수가 아니면.
        ValueError: 클래스가 2보다 적거나, $\epsilon$이 $[0, 1]$을 벗어나면.

    References:
        Szegedy, C. 외 (2016). Rethinking the Inception Architecture for Computer Vision, 7절.
        Cover, T. M. & Thomas, J. A. (2006). Elements of Information Theory, 2.1절.
    """
    checks.count(2, num_classes=num_classes)
    checks.number(UNIT, label_smoothing=label_smoothing)
    if label_smoothing == 0:
        return 0.0
    b = label_smoothing / num_classes
    a = 1 - (num_classes - 1) * b
    return -a * math.log(a) - (num_classes - 1) * b * math.log(b)


class SoftmaxRegression(NamedTuple):
    r"""학습한 소프트맥스 회귀: $p = \operatorname{softmax}(x^\top W + b)$.

    Attributes:
        weight: 가중치 $W$.
        bias: 절편 $b$.
        losses: 학습 스텝마다, 갱신하기 전의 손실(nat).

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.3절.
    """

    weight: Float[Tensor, "d c"]
    bias: Float[Tensor, "c"]
    losses: Float[Tensor, "steps"]


@full_precision
def fit_softmax_regression(
    features: Float[Tensor, "n d"],
    labels: Int[Tensor, "n"],
    *,
    num_classes: int,
    steps: int,
    learning_rate: float,
) -> SoftmaxRegression:
    r"""자동 미분 없이 로짓, 손실, 기울기, 가중치 갱신을 반복한다. 0에서 시작하므로 결과가 정해져 있다.

    $$W \leftarrow W - \eta\, \frac{1}{N} X^\top \left( \operatorname{softmax}(Z) - Y \right), \qquad Z = XW + b$$

    $Y$는 원-핫 라벨이다. 첫 손실은 $\log C$다.

    Args:
        features: 특징 $X$. 한 줄이 표본 하나.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        num_classes: 클래스의 수 $C \ge 2$.
        steps: 학습 스텝의 수. 1 이상.
        learning_rate: 학습률 $\eta > 0$.

    Returns:
        가중치, 절편, 스텝마다의 손실(nat).

    Raises:
        TypeError: 텐서, 정수, 수여야 할 인자가 다른 형이면.
        ValueError: 모양이나 값이 틀렸거나, 학습률이 커서 로짓이 발산하면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.3.2절.
    """
    checks.floating(features=features)
    checks.ndim(2, 2, features=features)
    checks.nonempty(features=features)
    checks.within(features=(features, REAL))
    checks.count(2, num_classes=num_classes)
    checks.count(1, steps=steps)
    checks.number(POSITIVE, learning_rate=learning_rate)
    weight, bias = features.new_zeros(features.shape[1], num_classes), features.new_zeros(num_classes)
    _check_labels(features @ weight, labels=labels)
    checks.within(labels=(labels, Interval(0, num_classes - 1)))
    losses = []
    for _ in range(steps):
        logits = features @ weight + bias
        if not checks.plain(logits).isfinite().all():
            raise ValueError(f"learning_rate: 로짓이 유한하게 남을 만큼 작아야 하는데 {learning_rate}에서 발산했다")
        losses.append(cross_entropy(logits, labels))
        residual = cross_entropy_grad(logits, labels) / len(labels)  # (N, C)
        weight = weight - learning_rate * (features.T @ residual)
        bias = bias - learning_rate * residual.sum(0)
    return SoftmaxRegression(weight, bias, torch.stack(losses))


def _surprisal(z: Tensor, y: Tensor, dim: int, **bounds: tuple[Tensor | None, Interval]) -> Tensor:
    # −log p_y = log(1 + Σ_{k ≠ y} e^{z_k − z_y}). 더하는 항이 모두 0 이상이고 기울기도 그렇다: 정답에서
    # −Σ_{k ≠ y} p_k, 나머지에서 p_k. torch의 log_softmax는 정답의 1을 합에 넣어, 나머지가 1e-7보다 작으면 사라진다.
    top = z.detach().amax(dim, keepdim=True)
    _check_values(top, **bounds)
    at = y.unsqueeze(dim)
    d = z - top
    d_y = d.gather(dim, at)
    others = torch.exp(d).scatter(dim, at, 0.0).sum(dim, keepdim=True)
    # e^{−d_y}가 넘치지 않게, far를 넘는 부분은 로그 밖에서 더한다. 그때는 others ≥ 1이라 로그 안의 1이 반올림보다 작다.
    far = 1.25 * math.log(torch.finfo(z.dtype).eps)  # float32에서 −20, float64에서 −45
    loss = torch.log1p(others * torch.exp(-d_y.clamp_min(far))) + torch.relu(far - d_y)
    return loss.squeeze(dim)


def _expected_surprisal(
    z: Tensor,
    a: Tensor,
    dim: int,
    *,
    index: Tensor | None = None,
    extra: Tensor | None = None,
    **bounds: tuple[Tensor | None, Interval],
) -> Tensor:
    # Σ_c a_c (−log p_c). a는 z의 모양으로 늘어난다. index를 주면 그 클래스의 a_c에 extra_c를 더한다.
    # 가장 큰 로짓 t의 항은 위와 같은 식이고, 나머지는 log Σ_k e^{d_k} − d_c다. d_t는 값이 0이고 기울기만 전한다.
    # 그래야 t의 기울기 p_t Σ_{c ≠ t} a_c − a_t Σ_{k ≠ t} p_k의 두 항이 따로 정확하다.
    top, t = z.detach().max(dim, keepdim=True)
    _check_values(top, **bounds)
    d = z - top
    d_t, d = d.gather(dim, t), d.scatter(dim, t, 0.0)
    others = torch.exp(d).scatter(dim, t, 0.0).sum(dim, keepdim=True)
    of_top = torch.log1p(others * torch.exp(-d_t))
    log_sum = torch.log1p(others + torch.expm1(d_t))
    if checks.plain(z).amin().item() == -math.inf:  # 가려진 클래스: 0 · ∞ = 0
        d = d.masked_fill((a == 0) & (d == -math.inf), 0.0)
    a_t, total, linear = a.expand_as(z).gather(dim, t), a.sum(dim, keepdim=True), (a * d).sum(dim, keepdim=True)
    if index is not None and extra is not None:
        at, more = index.unsqueeze(dim), _take(extra, index).unsqueeze(dim)
        a_t, total, linear = a_t + more * (at == t), total + more, linear + more * d.gather(dim, at)
    return (a_t * of_top + (total - a_t) * log_sum - linear).squeeze(dim)


def _take(w: Tensor, index: Tensor) -> Tensor:
    # w[index]와 같다. w[index]는 vmap 안에서 번호가 하나뿐이면 값을 파이썬으로 꺼내려다 실패한다.
    return w.gather(0, index.flatten()).view(index.shape)


def _check_values(top: Tensor, **bounds: tuple[Tensor | None, Interval]) -> None:
    # 줄마다 가장 큰 로짓이 유한하면 +inf도 nan도 없고, 남은 클래스가 하나는 있다. -inf는 가려진 클래스다.
    try:
        checks.within(logits=(top, REAL), **bounds)
    except ValueError:
        if (checks.plain(top) == -math.inf).any():
            raise ValueError("logits: 줄마다 유한한 로짓이 있어야 하는데 모두 -inf인 줄이 있다") from None
        raise


def _smooth(y: Float[Tensor, "*shape"], epsilon: float, dim: int) -> Float[Tensor, "*shape"]:
    return (1 - epsilon) * y + epsilon / y.shape[dim]


def _check_labels(scores: Tensor, **labels: Tensor) -> None:
    # scores는 로짓이나 확률. 번호의 값은 보지 않는다.
    checks.int64(**labels)
    dim = 0 if scores.ndim == 1 else 1
    expected = (*scores.shape[:dim], *scores.shape[dim + 1 :])
    for name, value in labels.items():
        if value.shape != expected:
            raise ValueError(
                f"{name}: 번호이면 모양이 {expected}이어야 하는데 {tuple(value.shape)}이다. 앞 인자의 모양은 "
                f"{tuple(scores.shape)}, 클래스 축은 dim={dim}({scores.shape[dim]}개)이다. 클래스가 마지막 축에 "
                "있으면 movedim(-1, 1)로 옮긴다"
            )


def _check_inputs(
    logits: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
) -> None:
    checks.floating(logits=logits)
    checks.ndim(1, math.inf, logits=logits)
    checks.nonempty(logits=logits)
    checks.tensor(target=target)
    checks.number(UNIT, label_smoothing=label_smoothing)
    checks.count(-(2**63), ignore_index=ignore_index)  # int64의 모든 값
    dim = 0 if logits.ndim == 1 else 1
    if weight is not None:
        checks.floating(weight=weight)
        checks.shape((logits.shape[dim],), weight=weight)
    if target.is_floating_point():
        checks.shape(logits.shape, target=target)
        checks.simplex(dim, target=target)
        if ignore_index >= 0:
            raise ValueError(f"ignore_index: 확률 라벨에는 쓸 수 없는데 {ignore_index}이다")
        return
    _check_labels(logits, target=target)
