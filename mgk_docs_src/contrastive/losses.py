r"""대조 학습의 손실들: `docs/contrastive/losses.md`.

임베딩을 받는 함수는 모두 스스로 길이를 1로 맞춘다. 그래서 임베딩의 크기는 손실을 바꾸지 않고, 거리의 제곱은
2 − 2 cos이다. 앞에 축(시드)이 더 있으면 그 축마다 따로 잰다. 길이를 1로 맞춘 임베딩을 $\hat x$로 적는다.

온도, 스케일, 편향은 수이거나 텐서다. `nn.Parameter`를 넣으면 임베딩과 함께 학습한다(CLIP, SigLIP). 계산하는 자료형에서
제곱이나 제곱의 역수가 넘치는 크기(float32에서 9.2e18보다 크거나 1.1e-19보다 작은 값)는 거절한다.
"""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid, pad, softplus

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT, Interval
from mgk_docs_src.losses.binary import bce_with_logits
from mgk_docs_src.losses.reduction import Reduction, reduce, widen
from mgk_docs_src.modes import full_precision

Arrangement = Literal["simplex", "orthogonal"]

_CLOSE = 1e-3  # 거리의 제곱이 이보다 작으면 float32의 2 - 2S에 남는 유효 숫자가 셋뿐이다


# --- 단위 벡터와 학습하는 값 ---


@full_precision
def unit_vectors(**vectors: Float[Tensor, "..."]) -> tuple[Float[Tensor, "..."], ...]:
    r"""길이를 1로 맞춘 벡터들. 이 책에서 임베딩의 길이를 맞추는 곳은 여기뿐이다.

    $$\hat x = \frac{x / s}{\lVert x / s \rVert}, \qquad s = \max_k \lvert x_k \rvert$$

    가장 큰 좌표 $s$로 먼저 나누어야 제곱이 넘치거나 사라지지 않는다. `torch.nn.functional.normalize`는 float16의 3만,
    float32의 $10^{-14}$에서 길이가 1이 아닌 벡터를 준다. 값을 살피므로 장치와 한 번 동기화한다.

    Args:
        vectors: 이름과 벡터 $x$. 벡터는 마지막 축에 놓이고, 모양은 저마다 달라도 된다. 오류가 그 이름을 적는다.

    Returns:
        이름의 차례대로, 길이가 1이고 모양이 같은 텐서들. 자료형은 모두를 함께 담는 자료형이고 적어도 float32다.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 하나도 없거나, 실수형이 아니거나, 비었거나, 축이 없거나, 장치가 다르거나, 길이가 0이거나 유한하지
            않은 벡터가 있으면.

    References:
        Higham, N. J. (2002). Accuracy and Stability of Numerical Algorithms, 27.8절.
    """
    checks.count(1, vectors=len(vectors))
    checks.floating(**vectors)
    checks.nonempty(**vectors)
    checks.ndim(1, math.inf, **vectors)
    checks.device(next(iter(vectors.values())).device, **vectors)
    wide = widen(*vectors.values())
    # 방향은 나눈 수에 달리지 않으므로 상수로 본다.
    largest = [x.detach().abs().amax(-1, keepdim=True) for x in wide]
    names = (f"{name}의 벡터마다 가장 큰 |좌표|" for name in vectors)
    checks.within(**{name: (size, POSITIVE) for name, size in zip(names, largest, strict=True)})
    scaled = [x / size for x, size in zip(wide, largest, strict=True)]
    return tuple(x / torch.linalg.vector_norm(x, dim=-1, keepdim=True) for x in scaled)


@full_precision
def knobs(
    like: Tensor, shape: tuple[int, ...], **values: tuple[float | Tensor, Interval]
) -> tuple[float | Float[Tensor, "..."], ...]:
    r"""온도, 스케일, 편향처럼 수로 주거나 함께 학습하는 값을 계산에 쓸 형태로.

    $\epsilon$이 `like`의 자료형이 온전히 담는 가장 작은 수일 때, 제곱도 제곱의 역수도 넘치지 않는 크기만 받는다.

    $$\sqrt{\epsilon} \le \lvert v \rvert \le \frac{1}{\sqrt{\epsilon}}, \qquad
    \epsilon = 2^{-126} \;\Rightarrow\; [1.1 \times 10^{-19},\; 9.2 \times 10^{18}] \quad (\text{float32})$$

    0이나 음수여도 되는 값에는 오른쪽 부등호만 본다.

    Args:
        like: 계산하는 자료형과 장치의 텐서.
        shape: 늘어난 뒤의 모양.
        values: 이름과 (수나 텐서, 구간). 오류가 그 이름을 적는다.

    Returns:
        이름의 차례대로, 수는 그대로, 텐서는 `like`의 자료형으로. 원소가 하나인 텐서는 축을 뗀다. 기울기가 흐른다.

    Raises:
        TypeError: 수도 텐서도 아니면.
        ValueError: 텐서가 실수형이 아니거나, `shape`로 늘어나지 않거나, 장치가 다르거나, 구간이나 위의 범위를 벗어나면.

    References:
        Radford, A. 외 (2021). Learning Transferable Visual Models From Natural Language Supervision, 2.5절.
        Zhai, X. 외 (2023). Sigmoid Loss for Language Image Pre-Training, 3.2절.
    """
    checks.floating(like=like)
    checks.instance(tuple, shape=shape)
    largest = _largest(like.dtype)
    ready: list[float | Tensor] = []
    for name, (value, interval) in values.items():
        if isinstance(value, Tensor):
            knob = value.reshape(()) if value.numel() == 1 else value
            checks.broadcastable(shape, **{name: knob})
            checks.nonempty(**{name: knob})
            if knob.ndim:  # 축이 없는 텐서는 torch가 장치를 가리지 않는다
                checks.device(like.device, **{name: knob})
            ends = checks.extremes(**{name: (knob, interval)})[name]
            ready.append(knob.to(like.dtype))
        else:
            checks.number(interval, **{name: value})
            ends = (value, value)
            ready.append(value)
        for end in ends:
            checks.number(Interval(1 / largest if interval == POSITIVE else -largest, largest), **{name: end})
    return tuple(ready)


# --- 코사인과 거리 ---


@full_precision
def cosine_similarity(
    first: Float[Tensor, "*shape d"],
    second: Float[Tensor, "*shape d"],
) -> Float[Tensor, "*shape"]:
    r"""쌍마다의 코사인 유사도: 두 벡터가 이루는 각의 코사인.

    $$s(x, y) = \hat x^\top \hat y, \qquad \hat x = \frac{x}{\lVert x \rVert}$$

    Args:
        first: 벡터 $x$.
        second: 상대 벡터 $y$. `first`와 같은 모양.

    Returns:
        $[-1, 1]$ 안의 값. 반올림만큼 넘을 수 있다. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 길이가 0이거나 유한하지 않은 벡터가 있으면.

    References:
        Manning, C., Raghavan, P. & Schütze, H. (2008). Introduction to Information Retrieval, 6.3.1절.
    """
    checks.tensor(first=first, second=second)
    checks.shape(first.shape, second=second)
    x, y = unit_vectors(first=first, second=second)
    return (x * y).sum(-1).to(torch.promote_types(first.dtype, second.dtype))


@full_precision
def similarity_matrix(
    x: Float[Tensor, "*seeds n d"],
    y: Float[Tensor, "*seeds m d"] | None = None,
) -> Float[Tensor, "*seeds n m"]:
    r"""모든 쌍의 코사인 유사도.

    $$S_{ij} = \hat x_i^\top \hat y_j$$

    Args:
        x: 벡터 $x_i$.
        y: 벡터 $y_j$. 기본값은 `x`.

    Returns:
        $[-1, 1]$ 안의 행렬 $S$. 반올림만큼 넘을 수 있다.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 벡터의 축 수나 장치가 다르거나, 비었거나, 길이가 0이거나 유한하지 않은 벡터가 있으면.

    References:
        Manning, C., Raghavan, P. & Schütze, H. (2008). Introduction to Information Retrieval, 6.3.1절.
    """
    if y is None:
        (unit,) = _unit_rows(x=x)
        return (unit @ unit.mT).to(x.dtype)
    rows, columns = _unit_rows(x=x, y=y)
    return (rows @ columns.mT).to(torch.promote_types(x.dtype, y.dtype))


@full_precision
def distance_matrix(
    x: Float[Tensor, "*seeds n d"],
    y: Float[Tensor, "*seeds m d"] | None = None,
) -> Float[Tensor, "*seeds n m"]:
    r"""반지름이 1인 구면 위에서 잰 모든 쌍의 유클리드 거리.

    $$D_{ij} = \lVert \hat x_i - \hat y_j \rVert = \sqrt{2 - 2 S_{ij}}$$

    행렬 곱 한 번으로 구한다. 0.03보다 가까운 두 점이 있으면 뺄셈에서 float32의 유효 숫자가 모자라므로 float64로 다시
    구한다. 같은 점 사이의 거리는 0이고, 그 기울기도 0으로 둔다.

    Args:
        x: 벡터 $x_i$.
        y: 벡터 $y_j$. 기본값은 `x`.

    Returns:
        $[0, 2]$ 안의 행렬 $D$.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 벡터의 축 수나 장치가 다르거나, 비었거나, 길이가 0이거나 유한하지 않은 벡터가 있으면.

    References:
        Schroff, F., Kalenichenko, D. & Philbin, J. (2015). FaceNet: A Unified Embedding for Face Recognition and
        Clustering, 3.1절.
    """
    if y is None:
        (unit,) = _unit_rows(x=x)
        return _distances(unit).to(x.dtype)
    rows, columns = _unit_rows(x=x, y=y)
    return _distances(rows, columns).to(torch.promote_types(x.dtype, y.dtype))


# --- 쌍의 손실 ---


@full_precision
def cosine_bce(
    similarity: Float[Tensor, "*shape"],
    same: Float[Tensor, "*shape"] | Bool[Tensor, "*shape"],
    *,
    scale: float | Float[Tensor, "..."] = 1.0,
    bias: float | Float[Tensor, "..."] = 0.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""코사인을 로짓으로 본 이진 교차 엔트로피. 6회차의 손실은 스케일 $a = 1$, 편향 $b = 0$이다.

    $$\ell(s, y) = y\,\mathrm{softplus}(-z) + (1 - y)\,\mathrm{softplus}(z), \qquad z = a s + b$$

    $a = 1$, $b = 0$이면 확률 $\sigma(z)$가 $[0.269, 0.731]$을 벗어나지 못한다. 그래서 완벽한 양성 쌍의 손실도
    $\mathrm{softplus}(-1) = 0.3133$이고, $s = 0$인 음성 쌍의 손실은 $\log 2$다. 스케일 $a$를 키우면 바닥이 내려가고,
    편향 $b$는 판정의 경계가 되는 코사인 $-b / a$를 정한다. 둘은 학습할 수도 있다. 값을 살피므로 장치와 동기화한다.

    Args:
        similarity: 코사인 $s \in [-1, 1]$. 임의의 모양.
        same: 양성 쌍이면 1이나 참, 음성 쌍이면 0이나 거짓인 $y$. `similarity`와 같은 모양.
        scale: 스케일 $a > 0$. 수이거나, `similarity`의 모양으로 늘어나는 텐서.
        bias: 편향 $b$. 수이거나, `similarity`의 모양으로 늘어나는 텐서.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        0 이상의 손실(nat). `"none"`이면 `similarity`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 코사인이 $[-1, 1]$을(반올림을 넘게) 벗어나거나, 라벨이 $[0, 1]$을
            벗어나거나, 스케일이 0보다 크지 않거나, 편향이 유한하지 않으면.

    References:
        Zhai, X. 외 (2023). Sigmoid Loss for Language Image Pre-Training, 3.2절.
        PyTorch 문서, `torch.nn.BCEWithLogitsLoss`.
    """
    checks.floating(similarity=similarity)
    checks.nonempty(similarity=similarity)
    target = _target(same, similarity)
    slack = 1 + torch.finfo(similarity.dtype).eps ** 0.5
    checks.within(similarity=(similarity, Interval(-slack, slack)))
    (s,) = widen(similarity)
    a, b = knobs(s, similarity.shape, scale=(scale, POSITIVE), bias=(bias, REAL))
    return bce_with_logits(a * s + b, target, reduction=reduction).to(similarity.dtype)


@full_precision
def similarity_to_cosine(
    probability: Float[Tensor, "*shape"],
    *,
    scale: float | Float[Tensor, "..."] = 1.0,
    bias: float | Float[Tensor, "..."] = 0.0,
) -> Float[Tensor, "*shape"]:
    r"""확률로 적힌 유사도를 코사인으로 되돌린다.

    $$s = \frac{1}{a} \left( \log \frac{p}{1 - p} - b \right), \qquad p = \sigma(a s + b)$$

    6회차의 표에 코사인 유사도라고 적힌 0.7042–0.7117은 $\sigma(s)$라, 되돌리면 0.867–0.904다.

    Args:
        probability: 확률 $p \in (0, 1)$. 임의의 모양.
        scale: 스케일 $a > 0$. 수이거나, `probability`의 모양으로 늘어나는 텐서.
        bias: 편향 $b$. `scale`과 같다.

    Returns:
        코사인 $s$. $[-1, 1]$을 벗어나면 코사인에서 나온 확률이 아니다. `probability`와 같은 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 비었거나, 실수형이 아니거나, 확률이나 수가 범위를 벗어나면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 2.4.2절.
    """
    checks.floating(probability=probability)
    checks.nonempty(probability=probability)
    checks.within(probability=(probability, Interval(0.0, 1.0, open=True)))
    (p,) = widen(probability)
    a, b = knobs(p, probability.shape, scale=(scale, POSITIVE), bias=(bias, REAL))
    return ((torch.logit(p) - b) / a).to(probability.dtype)


@full_precision
def sigmoid_loss(
    embeddings: Float[Tensor, "*seeds n d"],
    labels: Int[Tensor, "*seeds n"],
    *,
    scale: float | Float[Tensor, "..."],
    bias: float | Float[Tensor, "..."],
    balanced: bool = False,
) -> Float[Tensor, "*seeds"]:
    r"""배치 안의 모든 쌍에 매기는 시그모이드 손실.

    $$L = \frac{1}{n(n - 1)} \sum_{i \ne j} \mathrm{softplus}\bigl(-y_{ij} (a\,\hat x_i^\top \hat x_j + b)\bigr),
    \qquad y_{ij} = \begin{cases} +1 & c_i = c_j \\ -1 & c_i \ne c_j \end{cases}$$

    `balanced`이면 양성 쌍의 평균과 음성 쌍의 평균을 반씩 섞는다: $L = \tfrac12 (L_+ + L_-)$. 클래스가 여럿이면 음성
    쌍이 훨씬 많다. 그대로 평균하면 $z = 0$에서 가르는 판정이 음성 쌍 쪽으로 편향된다.
    $(n, n)$ 행렬만 만든다. 값을 살피므로 장치와 동기화한다.

    두 뷰 $x_i$, $y_i$의 손실(SigLIP)은 모든 쌍의 합을 표본의 수로 나눈다.

    $$\frac{1}{n} \sum_{i, j} \mathrm{softplus}\bigl(-y_{ij} (a\,\hat x_i^\top \hat y_j + b)\bigr), \qquad
    y_{ij} = \begin{cases} +1 & i = j \\ -1 & i \ne j \end{cases}$$

    [`cosine_bce`][mgk_docs_src.contrastive.losses.cosine_bce]로 적으면
    `cosine_bce(similarity_matrix(x, y), torch.eye(n, dtype=torch.bool), scale=a, bias=b, reduction="sum") / n`이다.

    Args:
        embeddings: 임베딩 $x_i$.
        labels: 클래스 $c_i$. `torch.int64`.
        scale: 스케일 $a > 0$. 수이거나 스칼라 텐서, 또는 시드마다 하나. 학습할 수 있다.
        bias: 편향 $b$. `scale`과 같다.
        balanced: 양성 쌍과 음성 쌍을 반반으로 볼지.

    Returns:
        0 이상의 손실(nat). 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 표본이 하나뿐이거나, 모양이나 장치가 맞지 않거나, 길이가 0이거나 유한하지 않은 임베딩이 있거나, 양성
            쌍이 없거나, `balanced`인데 음성 쌍이 없거나, 스케일과 편향이 범위를 벗어나면.

    References:
        Zhai, X. 외 (2023). Sigmoid Loss for Language Image Pre-Training, 3.2절.
    """
    (x,) = _unit_rows(embeddings=embeddings)
    positive, negative = _pairs(x, labels)
    a, b = knobs(x, x.shape[:-2], scale=(scale, POSITIVE), bias=(bias, REAL))
    z = _over(a, 2) * (x @ x.mT) + _over(b, 2)  # (n, n)
    each = -logsigmoid(torch.where(positive, z, -z))
    if balanced:
        _check_some(negative, "음성 쌍(라벨이 다른 두 표본)")
        loss = (_mean_where(each, positive) + _mean_where(each, negative)) / 2
    else:
        loss = _mean_where(each, positive | negative)
    return loss.to(embeddings.dtype)


@full_precision
def pairwise_margin(
    distance: Float[Tensor, "*shape"],
    same: Float[Tensor, "*shape"] | Bool[Tensor, "*shape"],
    *,
    margin: float,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""마진 손실: 양성 쌍은 당기고, 음성 쌍은 거리가 마진 $m$이 될 때까지만 밀어낸다.

    $$\ell(d, y) = \tfrac12 y\, d^2 + \tfrac12 (1 - y) \max(0, m - d)^2$$

    Args:
        distance: 거리 $d \ge 0$. 임의의 모양.
        same: 양성 쌍이면 1이나 참, 음성 쌍이면 0이나 거짓인 $y$. `distance`와 같은 모양.
        margin: 마진 $m > 0$. 구면 위의 거리는 2를 넘지 못한다.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        0 이상의 손실. `"none"`이면 `distance`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 거리가 음수이거나, 라벨이 $[0, 1]$을 벗어나거나, 마진이 0보다 크지
            않으면.

    References:
        Hadsell, R., Chopra, S. & LeCun, Y. (2006). Dimensionality Reduction by Learning an Invariant Mapping, 식 4.
    """
    checks.floating(distance=distance)
    checks.nonempty(distance=distance)
    checks.within(distance=(distance, NONNEGATIVE))
    d, y = widen(distance, _target(same, distance))
    _check_size(d.dtype, margin=margin)
    loss = (y * d.square() + (1 - y) * (margin - d).relu().square()) / 2
    return reduce(loss, reduction).to(distance.dtype)


# --- 트리플렛 손실 ---


@full_precision
def triplet(
    anchor: Float[Tensor, "*shape d"],
    positive: Float[Tensor, "*shape d"],
    negative: Float[Tensor, "*shape d"],
    *,
    margin: float,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""트리플렛 손실(triplet loss): 기준점에서 양성 표본까지가 음성 표본까지보다 마진 $m$만큼 가까워야 한다.

    $$\ell = \max\bigl(0, \lVert \hat x - \hat x^+ \rVert - \lVert \hat x - \hat x^- \rVert + m\bigr)$$

    Args:
        anchor: 기준점 $x$.
        positive: 양성 표본 $x^+$.
        negative: 음성 표본 $x^-$.
        margin: 마진 $m > 0$.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        0 이상의 손실. `"none"`이면 마지막 축이 빠진 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 길이가 0이거나 유한하지 않은 벡터가 있거나, 마진이 0보다 크지
            않으면.

    References:
        Schroff, F., Kalenichenko, D. & Philbin, J. (2015). FaceNet: A Unified Embedding for Face Recognition and
        Clustering, 3.1절 (거기서는 거리의 제곱).
        Hermans, A., Beyer, L. & Leibe, B. (2017). In Defense of the Triplet Loss for Person Re-Identification, 2절.
    """
    checks.tensor(anchor=anchor, positive=positive, negative=negative)
    checks.shape(anchor.shape, positive=positive, negative=negative)
    a, p, q = unit_vectors(anchor=anchor, positive=positive, negative=negative)
    _check_size(a.dtype, margin=margin)
    near, far = ((a - other).square().sum(-1) for other in (p, q))
    dtype = torch.promote_types(torch.promote_types(anchor.dtype, positive.dtype), negative.dtype)
    return reduce((_root(near) - _root(far) + margin).relu(), reduction).to(dtype)


@full_precision
def batch_all_triplet(
    embeddings: Float[Tensor, "*seeds n d"],
    labels: Int[Tensor, "*seeds n"],
    *,
    margin: float,
) -> Float[Tensor, "*seeds"]:
    r"""배치에서 만들 수 있는 모든 트리플렛의 손실을, 0이 아닌 것만 평균한다.

    $$L = \frac{\sum_{i, p, j} \ell_{ipj}}{\max(1, \lvert \{\ell_{ipj} > 0\} \rvert)}, \qquad
    \sum_j \ell_{ipj} = k_{ip} (D_{ip} + m) - \sum_{j \le k_{ip}} D_{i(j)}$$

    $n^3$개의 트리플렛을 늘어놓지 않는다. 기준점 $i$, 양성 표본 $p$, 음성 표본 $j$다. 기준점에서 음성 표본까지의 거리를
    작은 순서로 $D_{i(1)} \le D_{i(2)} \le \cdots$로 놓으면, $D_{ip} + m$보다 가까운 음성 표본은 앞의 $k_{ip}$개라
    누적합 하나로 더해진다. 시간 $O(n^2 \log n)$, 메모리 $O(n^2)$.
    0인 손실까지 평균하면 학습할수록 평균이 작아져 남은 트리플렛이 묻힌다. 값을 살피므로 장치와 동기화한다.

    Args:
        embeddings: 임베딩 $x_i$. $D_{ij} = \lVert \hat x_i - \hat x_j \rVert$.
        labels: 클래스 $c_i$. `torch.int64`.
        margin: 마진 $m > 0$.

    Returns:
        0 이상의 손실. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 표본이 하나뿐이거나, 모양이나 장치가 맞지 않거나, 길이가 0이거나 유한하지 않은 임베딩이 있거나, 양성
            쌍이나 음성 쌍이 없거나, 마진이 0보다 크지 않으면.

    References:
        Hermans, A., Beyer, L. & Leibe, B. (2017). In Defense of the Triplet Loss for Person Re-Identification, 2절.
    """
    distance, positive, negative = _mined(embeddings, labels, margin)
    ordered = distance.masked_fill(~negative, math.inf).sort(-1).values
    reach = distance + margin
    k = torch.searchsorted(ordered.detach().contiguous(), reach.detach().contiguous())  # (n, n)
    # 큰 합의 차이므로, float32로 누적하면 작은 손실이 반올림에 묻힌다.
    total = pad(ordered.masked_fill(ordered.isinf(), 0.0).double().cumsum(-1), (1, 0))
    k = k.masked_fill(~positive, 0)
    each = (k * reach.double() - total.gather(-1, k)).clamp(min=0)
    active = k.sum((-2, -1)).clamp(min=1)
    return (each.sum((-2, -1)) / active).to(embeddings.dtype)


@full_precision
def batch_hard_triplet(
    embeddings: Float[Tensor, "*seeds n d"],
    labels: Int[Tensor, "*seeds n"],
    *,
    margin: float,
) -> Float[Tensor, "*seeds"]:
    r"""기준점마다 가장 먼 양성 표본과 가장 가까운 음성 표본만 쓴 트리플렛 손실.

    $$L = \frac{1}{\lvert A \rvert} \sum_{i \in A}
    \max\Bigl(0, \max_{p} D_{ip} - \min_{j} D_{ij} + m\Bigr)$$

    $A$는 양성 표본이 있는 기준점들이다. 값을 살피므로 장치와 동기화한다.

    Args:
        embeddings: 임베딩 $x_i$. $D_{ij} = \lVert \hat x_i - \hat x_j \rVert$.
        labels: 클래스 $c_i$. `torch.int64`.
        margin: 마진 $m > 0$.

    Returns:
        0 이상의 손실. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 표본이 하나뿐이거나, 모양이나 장치가 맞지 않거나, 길이가 0이거나 유한하지 않은 임베딩이 있거나, 양성
            쌍이나 음성 쌍이 없거나, 마진이 0보다 크지 않으면.

    References:
        Hermans, A., Beyer, L. & Leibe, B. (2017). In Defense of the Triplet Loss for Person Re-Identification, 식 5.
    """
    distance, positive, negative = _mined(embeddings, labels, margin)
    farthest = distance.masked_fill(~positive, -math.inf).amax(-1)
    nearest = distance.masked_fill(~negative, math.inf).amin(-1)
    usable = positive.any(-1)
    each = (farthest - nearest + margin).masked_fill(~usable, 0.0).relu()
    return _mean_where(each.unsqueeze(-1), usable.unsqueeze(-1)).to(embeddings.dtype)


# --- 양성 표본을 여럿 가운데에서 찾는 손실 ---


@full_precision
def info_nce(
    query: Float[Tensor, "*seeds n d"],
    key: Float[Tensor, "*seeds m d"],
    *,
    temperature: float | Float[Tensor, "..."],
) -> Float[Tensor, "*seeds"]:
    r"""InfoNCE: 쿼리 $x_i$의 양성 표본 $y_i$를 여러 키 가운데에서 찾는 교차 엔트로피.

    $$L = -\frac{1}{n} \sum_i \log
    \frac{\exp(\hat x_i^\top \hat y_i / \tau)}{\sum_{j=1}^{m} \exp(\hat x_i^\top \hat y_j / \tau)}$$

    $m > n$이면 $n$번째 뒤의 키는 모든 쿼리의 음성 표본이다(MoCo의 큐에 둔 키). 쿼리와 키를 바꾼 손실과 평균하면
    CLIP의 손실이다. $\log m - L$은 상호정보량의 하한의 추정값이다. 값을 살피므로 장치와 동기화한다.

    Args:
        query: 쿼리(query) $x_i$.
        key: 키(key) $y_j$. $m \ge n$이고, 앞의 $n$개가 차례대로 쿼리의 양성 표본이다.
        temperature: 온도 $\tau > 0$. 수이거나 스칼라 텐서, 또는 시드마다 하나. 학습할 수 있다.

    Returns:
        0 이상의 손실(nat). 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 키가 하나뿐이거나 쿼리보다 적거나, 모양이나 장치가 맞지 않거나, 길이가 0이거나 유한하지 않은
            벡터가 있거나, 온도가 0보다 크지 않으면.

    References:
        van den Oord, A., Li, Y. & Vinyals, O. (2018). Representation Learning with Contrastive Predictive Coding, 식 4.
        He, K. 외 (2020). Momentum Contrast for Unsupervised Visual Representation Learning, 식 1.
    """
    q, k = _unit_rows(query=query, key=key)
    n, m = q.shape[-2], k.shape[-2]
    if m < max(n, 2):
        raise ValueError(f"key: 쿼리의 수 {n} 이상, 2개 이상이어야 하는데 {m}개다")
    (tau,) = knobs(q, q.shape[:-2], temperature=(temperature, POSITIVE))
    scaled = q / _over(tau, 2)
    logits = scaled @ k.mT  # (n, m)
    pulled = logits.diagonal(dim1=-2, dim2=-1).clone()
    _leave_out(logits.diagonal(dim1=-2, dim2=-1))
    loss = _surprisal(pulled, logits.logsumexp(-1)).mean(-1)
    return loss.to(torch.promote_types(query.dtype, key.dtype))


@full_precision
def nt_xent(
    first_view: Float[Tensor, "*seeds n d"],
    second_view: Float[Tensor, "*seeds n d"],
    *,
    temperature: float | Float[Tensor, "..."],
) -> Float[Tensor, "*seeds"]:
    r"""NT-Xent(SimCLR): 두 뷰의 임베딩 $2n$개 가운데에서 저마다 양성 표본을 찾는 교차 엔트로피.

    $$L = -\frac{1}{2n} \sum_{i=1}^{2n} \log
    \frac{\exp(\hat x_i^\top \hat x_{p(i)} / \tau)}{\sum_{j \ne i} \exp(\hat x_i^\top \hat x_j / \tau)}$$

    $x_1, \ldots, x_{2n}$은 두 뷰의 임베딩을 이어 붙인 것이고, $p(i)$는 같은 표본의 다른 뷰의 번호다. 라벨이 없어도
    된다. $(2n, 2n)$ 행렬만 만든다. 값을 살피므로 장치와 한 번 동기화한다.

    Args:
        first_view: 첫째 뷰의 임베딩.
        second_view: 둘째 뷰의 임베딩. 같은 표본이 같은 행에 있다.
        temperature: 온도 $\tau > 0$. 수이거나 스칼라 텐서, 또는 시드마다 하나. 학습할 수 있다.

    Returns:
        0 이상의 손실(nat). 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 표본이 하나뿐이거나, 두 뷰의 모양이나 장치가 다르거나, 길이가 0이거나 유한하지 않은 임베딩이
            있거나, 온도가 0보다 크지 않으면.

    References:
        Chen, T. 외 (2020). A Simple Framework for Contrastive Learning of Visual Representations, 식 1.
    """
    checks.tensor(first_view=first_view, second_view=second_view)
    checks.shape(first_view.shape, second_view=second_view)
    first, second = _unit_rows(first_view=first_view, second_view=second_view)
    _check_two(first_view=first)
    (tau,) = knobs(first, first.shape[:-2], temperature=(temperature, POSITIVE))
    pulled = (first * second).sum(-1, keepdim=True).mT / _over(tau, 2)  # (1, n): 양성 쌍의 두 행이 같은 값을 쓴다
    z = torch.cat([first, second], -2)
    logits = (z / _over(tau, 2)) @ z.mT  # (2n, 2n)
    views = (2, first.shape[-2])
    # (2, n, 2, n)으로 보면 자기 자신과 양성 표본이 모두 대각선에 있다.
    _leave_out(logits.view(*logits.shape[:-2], *views, *views).diagonal(dim1=-3, dim2=-1))
    loss = _surprisal(pulled, logits.logsumexp(-1).view(*logits.shape[:-2], *views)).mean((-2, -1))
    return loss.to(torch.promote_types(first_view.dtype, second_view.dtype))


@full_precision
def supcon(
    embeddings: Float[Tensor, "*seeds n d"],
    labels: Int[Tensor, "*seeds n"],
    *,
    temperature: float | Float[Tensor, "..."],
) -> Float[Tensor, "*seeds"]:
    r"""라벨이 있는 대조 손실(SupCon): 같은 클래스의 표본을 모두 양성 표본으로 본다.

    $$L = -\frac{1}{\lvert A \rvert} \sum_{i \in A} \frac{1}{\lvert P(i) \rvert} \sum_{p \in P(i)} \log
    \frac{\exp(\hat x_i^\top \hat x_p / \tau)}{\sum_{j \ne i} \exp(\hat x_i^\top \hat x_j / \tau)}$$

    $P(i)$는 $i$와 클래스가 같은 다른 표본들, $A$는 $P(i)$가 비지 않은 표본들이다. $P(i)$의 표본마다 같은 확률을 준
    소프트 라벨의 교차 엔트로피와 같다. 두 뷰에 같은 번호를 붙이면
    [`nt_xent`][mgk_docs_src.contrastive.losses.nt_xent]다.
    $(n, n)$ 행렬만 만든다. 값을 살피므로 장치와 동기화한다.

    Args:
        embeddings: 임베딩 $x_i$.
        labels: 클래스. `torch.int64`.
        temperature: 온도 $\tau > 0$. 수이거나 스칼라 텐서, 또는 시드마다 하나. 학습할 수 있다.

    Returns:
        0 이상의 손실(nat). 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 표본이 하나뿐이거나, 모양이나 장치가 맞지 않거나, 길이가 0이거나 유한하지 않은 임베딩이 있거나, 양성
            쌍이 하나도 없거나, 온도가 0보다 크지 않으면.

    References:
        Khosla, P. 외 (2020). Supervised Contrastive Learning, 식 2 ($L_{\mathrm{out}}$).
    """
    (z,) = _unit_rows(embeddings=embeddings)
    positive, _ = _pairs(z, labels)
    (tau,) = knobs(z, z.shape[:-2], temperature=(temperature, POSITIVE))
    logits = (z / _over(tau, 2)) @ z.mT  # (n, n)
    partners = positive.sum(-1)
    pulled = logits.masked_fill(~positive, 0.0).sum(-1) / partners.clamp(min=1)
    # 양성 표본이 하나뿐인 행의 손실은 0까지 내려가므로 nt_xent처럼 나머지와 비교한다. 여럿이면 log |P|보다 작지 않다.
    alone, hidden = partners == 1, _diagonal(logits)
    some_alone = bool(checks.plain(alone).any())
    if some_alone:
        hidden = hidden | (positive & alone.unsqueeze(-1))
    others = logits.masked_fill(hidden, _nothing(logits)).logsumexp(-1)
    each = others - pulled
    if some_alone:
        each = torch.where(alone, _surprisal(pulled, others), each)
    return _mean_where(each.unsqueeze(-1), (partners > 0).unsqueeze(-1)).to(embeddings.dtype)


@full_precision
def cosine_softmax(
    embeddings: Float[Tensor, "*seeds n d"],
    prototypes: Float[Tensor, "*seeds c d"],
    labels: Int[Tensor, "*seeds n"],
    *,
    scale: float | Float[Tensor, "..."],
) -> Float[Tensor, "*seeds"]:
    r"""클래스마다 벡터를 하나씩 두고, 코사인으로 분류하는 교차 엔트로피.

    $$L = -\frac{1}{n} \sum_i \log
    \frac{\exp(a\,\hat x_i^\top \hat w_{c_i})}{\sum_{c} \exp(a\,\hat x_i^\top \hat w_c)}$$

    쌍을 만들지 않아도 되고, $w_c$는 임베딩과 함께 학습한다. $a = 1$이면 손실이 0 가까이 가지 못한다.
    값을 살피므로 장치와 동기화한다.

    Args:
        embeddings: 임베딩 $x_i$.
        prototypes: 클래스의 벡터 $w_c$.
        labels: 클래스 $c_i \in [0, c)$. `torch.int64`.
        scale: 스케일 $a > 0$. 온도의 역수다. 수이거나 스칼라 텐서, 또는 시드마다 하나. 학습할 수 있다.

    Returns:
        0 이상의 손실(nat). 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 비었거나, 모양이나 장치가 맞지 않거나, 길이가 0이거나 유한하지 않은 벡터가 있거나, 라벨이 범위를
            벗어나거나, 스케일이 0보다 크지 않으면.

    References:
        Wang, F. 외 (2017). NormFace: L2 Hypersphere Embedding for Face Verification.
    """
    x, w = _unit_rows(embeddings=embeddings, prototypes=prototypes)
    _check_labels(x, labels)
    checks.within(labels=(labels, Interval(0, w.shape[-2] - 1)))
    (a,) = knobs(x, x.shape[:-2], scale=(scale, POSITIVE))
    logits = (_over(a, 2) * x) @ w.mT  # (n, c)
    index = labels.unsqueeze(-1)
    others = logits.scatter(-1, index, _nothing(logits)).logsumexp(-1)
    loss = _surprisal(logits.gather(-1, index).squeeze(-1), others).mean(-1)
    return loss.to(torch.promote_types(embeddings.dtype, prototypes.dtype))


# --- 임베딩을 재는 지표 ---


@full_precision
def alignment(
    first_view: Float[Tensor, "*seeds n d"],
    second_view: Float[Tensor, "*seeds n d"],
    *,
    alpha: float = 2.0,
) -> Float[Tensor, "*seeds"]:
    r"""정렬(alignment): 양성 쌍이 얼마나 떨어져 있나. 작을수록 좋다.

    $$\frac{1}{n} \sum_i \lVert \hat x_i - \hat y_i \rVert^{\alpha}$$

    Args:
        first_view: 한쪽 뷰의 임베딩 $x_i$.
        second_view: 다른 쪽 뷰의 임베딩 $y_i$.
        alpha: 지수 $\alpha > 0$.

    Returns:
        $[0, 2^\alpha]$ 안의 값. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 길이가 0이거나 유한하지 않은 벡터가 있거나, 지수가 0보다 크지
            않으면.

    References:
        Wang, T. & Isola, P. (2020). Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere, 4.1절.
    """
    checks.tensor(first_view=first_view, second_view=second_view)
    checks.shape(first_view.shape, second_view=second_view)
    checks.ndim(2, math.inf, first_view=first_view)
    x, y = unit_vectors(first_view=first_view, second_view=second_view)
    _check_size(x.dtype, alpha=alpha)
    loss = _root((x - y).square().sum(-1), alpha / 2).mean(-1)
    return loss.to(torch.promote_types(first_view.dtype, second_view.dtype))


@full_precision
def uniformity(x: Float[Tensor, "*seeds n d"], *, t: float = 2.0) -> Float[Tensor, "*seeds"]:
    r"""균일성(uniformity): 구면에 얼마나 균등하게 퍼졌나. 작을수록 균등하다. 한 점에 몰리면 0이다.

    $$\log \frac{1}{n(n - 1)} \sum_{i \ne j} \exp\bigl(-t \lVert \hat x_i - \hat x_j \rVert^2\bigr)$$

    Args:
        x: 벡터 $x_i$.
        t: 가우스 퍼텐셜이 좁은 정도 $t > 0$.

    Returns:
        $[-4t, 0]$ 안의 값. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 벡터가 하나뿐이거나, 길이가 0이거나 유한하지 않은 벡터가 있거나, $t$가 0보다 크지 않으면.

    References:
        Wang, T. & Isola, P. (2020). Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere, 4.1절.
    """
    (unit,) = _unit_rows(x=x)
    _check_two(x=unit)
    _check_size(unit.dtype, t=t)
    n = unit.shape[-2]
    potential = 2 * t * (unit @ unit.mT - 1)  # -t |x - y|², (n, n)
    _leave_out(potential.diagonal(dim1=-2, dim2=-1))
    return (potential.flatten(-2).logsumexp(-1) - math.log(n * (n - 1))).to(x.dtype)


# --- 손실의 하한(바닥) ---


def pair_floor(
    classes: int,
    *,
    arrangement: Arrangement = "simplex",
    positive: float = 0.5,
    scale: float = 1.0,
    bias: float = 0.0,
) -> float:
    r"""클래스가 $C$개일 때 코사인 위의 BCE가 내려갈 수 있는 바닥(손실의 하한).

    $$L^* = \pi\,\mathrm{softplus}(-a - b) + (1 - \pi)\,\mathrm{softplus}(a c + b), \qquad
    c = \begin{cases} -\frac{1}{C - 1} & \text{정단체} \\ 0 & \text{직교} \end{cases}$$

    양성 쌍의 손실은 코사인이 1일 때 가장 작다. 클래스마다 표본의 수가 같으면 음성 쌍의 평균 코사인은 중심 $\mu_c$로 쓸
    수 있다. softplus가 볼록한 증가 함수이므로(옌센) 음성 쌍의 손실은 코사인이 모두 그 하한일 때, 곧 정단체(regular
    simplex)일 때 가장 작다.

    $$\frac{\lVert \sum_c \mu_c \rVert^2 - \sum_c \lVert \mu_c \rVert^2}{C(C - 1)} \ge
    -\frac{C}{C(C - 1)} = -\frac{1}{C - 1}$$

    정단체에는 $C - 1$차원이 있어야 한다. 다른 클래스끼리 직교하기만 하면 코사인은 0이다. $a = 1$, $b = 0$, 반반일 때
    열 클래스의 바닥은 정단체 0.4762, 직교 0.5032다.

    Args:
        classes: 클래스의 수 $C \ge 2$.
        arrangement: 클래스를 놓는 법. `"simplex"`, `"orthogonal"`.
        positive: 양성 쌍의 비율 $\pi \in [0, 1]$.
        scale: 스케일 $a > 0$.
        bias: 편향 $b$.

    Returns:
        바닥 $L^*$(nat).

    Raises:
        TypeError: 수가 아닌 값을 받으면.
        ValueError: 클래스가 둘보다 적거나, 낱말을 모르거나, 수가 범위를 벗어나면.

    References:
        Rankin, R. A. (1955). The Closest Packing of Spherical Caps in n Dimensions.
        Boyd, S. & Vandenberghe, L. (2004). Convex Optimization, 3.1.8절 (옌센 부등식).
    """
    checks.count(2, classes=classes)
    checks.choice(("simplex", "orthogonal"), arrangement=arrangement)
    checks.number(UNIT, positive=positive)
    checks.number(POSITIVE, scale=scale)
    checks.number(REAL, bias=bias)
    cosine = -1 / (classes - 1) if arrangement == "simplex" else 0.0
    return positive * _softplus(-scale - bias) + (1 - positive) * _softplus(scale * cosine + bias)


def supcon_floor(classes: int, per_class: int, *, temperature: float) -> float:
    r"""클래스마다 $m$개씩인 배치에서 SupCon이 내려갈 수 있는 바닥(손실의 하한).

    클래스마다 한 점에 모여 정단체를 이룰 때 이 값에 이른다.

    $$L^* = \log \left[ (m - 1) + m (C - 1) \exp\left(-\frac{C}{(C - 1) \tau}\right) \right]$$

    $m = 2$이고 $C$가 표본의 수이면 [`nt_xent`][mgk_docs_src.contrastive.losses.nt_xent]의 바닥이다.
    $m > 2$이면 온도를 낮춰도 $\log(m - 1)$ 아래로 가지 않는다. 정단체에는 $C - 1$차원이 있어야 한다.

    Args:
        classes: 클래스의 수 $C \ge 2$.
        per_class: 클래스마다의 표본 수 $m \ge 2$.
        temperature: 온도 $\tau > 0$.

    Returns:
        바닥 $L^*$(nat).

    Raises:
        TypeError: 수가 아닌 값을 받으면.
        ValueError: 수가 범위를 벗어나면.

    References:
        Graf, F. 외 (2021). Dissecting Supervised Contrastive Learning.
    """
    checks.count(2, classes=classes, per_class=per_class)
    checks.number(POSITIVE, temperature=temperature)
    gap = classes / ((classes - 1) * temperature)  # 양성 쌍과 음성 쌍의 로짓의 차
    return math.log1p(per_class - 2 + per_class * (classes - 1) * math.exp(-gap))


# --- 도우미 ---


def _unit_rows(**rows: Tensor) -> tuple[Tensor, ...]:
    """벡터의 묶음들을 길이 1로. 앞의 축과 벡터의 길이는 모두 같고, 벡터의 수는 달라도 된다."""
    checks.tensor(**rows)
    checks.ndim(2, math.inf, **rows)
    first = next(iter(rows.values()))
    for name, each in rows.items():
        checks.shape((*first.shape[:-2], each.shape[-2], first.shape[-1]), **{name: each})
    return unit_vectors(**rows)


def _distances(
    rows: Float[Tensor, "*seeds n d"], columns: Float[Tensor, "*seeds m d"] | None = None
) -> Float[Tensor, "*seeds n m"]:
    """단위 벡터 사이의 거리. `columns`가 없으면 `rows`끼리다."""
    others = rows if columns is None else columns
    squared = 2 - 2 * (rows @ others.mT)
    if columns is None:  # 자기와의 거리는 가까운지 볼 때 빼고, 반올림 없이 0으로 둔다
        squared.detach().diagonal(dim1=-2, dim2=-1).fill_(4.0)
    if rows.dtype != torch.float64 and checks.plain(squared.detach().amin((-2, -1)) < _CLOSE).any():
        x, y = rows.double(), others.double()
        squared = x.square().sum(-1).unsqueeze(-1) + y.square().sum(-1).unsqueeze(-2) - 2 * (x @ y.mT)
    if columns is None:
        squared = squared.masked_fill(_diagonal(squared), 0.0)
    return _root(squared, same=16 * torch.finfo(squared.dtype).eps).to(rows.dtype)


def _root(squared: Float[Tensor, "*shape"], power: float = 0.5, *, same: float = 0.0) -> Float[Tensor, "*shape"]:
    # 0에서 제곱근의 기울기는 무한대라, 거리가 0인(제곱이 `same` 이하인) 쌍의 기울기는 0으로 둔다.
    zero = squared <= same
    return (squared.masked_fill(zero, 1.0) ** power).masked_fill(zero, 0.0)


def _diagonal(rows: Float[Tensor, "*seeds n d"]) -> Bool[Tensor, "n n"]:
    return torch.eye(rows.shape[-2], dtype=torch.bool, device=rows.device)


def _pairs(
    x: Float[Tensor, "*seeds n d"],
    labels: Int[Tensor, "*seeds n"],
) -> tuple[Bool[Tensor, "*seeds n n"], Bool[Tensor, "*seeds n n"]]:
    """양성 쌍과 음성 쌍. 자기와의 쌍은 어느 쪽도 아니다."""
    _check_labels(x, labels)
    _check_two(embeddings=x)
    same = labels.unsqueeze(-1) == labels.unsqueeze(-2)  # (n, n)
    positive = same & ~_diagonal(x)
    _check_some(positive, "양성 쌍(라벨이 같은 두 표본)")
    return positive, ~same


def _mined(
    embeddings: Float[Tensor, "*seeds n d"],
    labels: Int[Tensor, "*seeds n"],
    margin: float,
) -> tuple[Float[Tensor, "*seeds n n"], Bool[Tensor, "*seeds n n"], Bool[Tensor, "*seeds n n"]]:
    (x,) = _unit_rows(embeddings=embeddings)
    positive, negative = _pairs(x, labels)
    # 양성 쌍이 있는 표본에게 음성 표본이 하나라도 있으면 트리플렛이 나온다.
    _check_some(negative, "음성 쌍(라벨이 다른 두 표본)")
    _check_size(x.dtype, margin=margin)
    return _distances(x), positive, negative


def _mean_where(values: Float[Tensor, "*seeds n m"], chosen: Bool[Tensor, "*seeds n m"]) -> Float[Tensor, "*seeds"]:
    return values.masked_fill(~chosen, 0.0).sum((-2, -1)) / chosen.sum((-2, -1))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _target(same: Tensor, like: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    checks.tensor(same=same)
    checks.shape(like.shape, same=same)
    checks.device(like.device, same=same)
    target = same.to(like.dtype) if same.dtype == torch.bool else same
    checks.floating(same=target)
    checks.within(same=(target, UNIT))
    return target


def _check_labels(x: Tensor, labels: Tensor) -> None:
    checks.int64(labels=labels)
    checks.shape(x.shape[:-1], labels=labels)
    checks.device(x.device, labels=labels)


def _check_two(**vectors: Tensor) -> None:
    for name, x in vectors.items():
        if x.shape[-2] < 2:
            raise ValueError(f"{name}: 비교할 수 있도록 표본이 둘 이상이어야 하는데 {x.shape[-2]}개다")


def _check_some(pairs: Bool[Tensor, "*seeds n n"], what: str) -> None:
    if not checks.plain(pairs.flatten(-2).any(-1)).all():
        raise ValueError(f"labels: 배치마다 {what}이 있어야 하는데 하나도 없다")


def _largest(dtype: torch.dtype) -> float:
    """제곱도, 역수의 제곱도 자료형에 담기는 가장 큰 수. float32에서 9.2e18."""
    return float(torch.finfo(dtype).tiny ** -0.5)


def _check_size(dtype: torch.dtype, **numbers: float) -> None:
    checks.number(POSITIVE, **numbers)
    checks.number(Interval(0.0, _largest(dtype)), **numbers)


def _over(knob: float | Tensor, axes: int) -> float | Tensor:
    """시드마다의 값을, 뒤에 축이 `axes`개 더 있는 텐서에 곱하거나 나눌 모양으로."""
    return knob[(..., *[None] * axes)] if isinstance(knob, Tensor) else knob


def _nothing(logits: Tensor) -> float:
    # 합에서 빠질 원소의 로짓. -inf와 달리 모두 빠진 행에서도 기울기가 0/0이 되지 않는다.
    return -torch.finfo(logits.dtype).max / 4


def _leave_out(logits: Tensor) -> None:
    # 빠진 원소의 기울기는 softmax가 0이라 어차피 0이다. 미분에 적지 않으면 역전파에서 행렬을 한 번 덜 훑는다.
    logits.detach().fill_(_nothing(logits))


def _surprisal(chosen: Float[Tensor, "*#shape"], others: Float[Tensor, "*#shape"]) -> Float[Tensor, "*#shape"]:
    # -log softmax = log(1 + e^(나머지의 logsumexp - 양성 표본의 로짓)). 양성 표본을 합에 넣었다 빼면, 그 확률이 1에
    # 가까울 때 손실도 기울기(확률 - 1)도 반올림에 묻힌다.
    return softplus(others - chosen, threshold=40.0)
