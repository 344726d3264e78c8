"""엔트로피에서 이진 교차 엔트로피까지: `docs/losses/binary.md`."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.functional import softplus

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT
from mgk_docs_src.losses.reduction import Reduction, reduce, widen
from mgk_docs_src.modes import full_precision


@full_precision
def entropy(p: Float[Tensor, "*shape"], *, dim: int = -1) -> Float[Tensor, "..."]:
    r"""엔트로피: 분포 $P$를 가장 짧은 코드(짧은 비트열)로 적을 때의 평균 코드 길이.

    $$H(P) = -\sum_x P(x) \log P(x), \qquad 0 \log 0 = 0$$

    Args:
        p: 확률 $P$. 축 `dim`의 합이 1이다.
        dim: 분포가 놓인 축.

    Returns:
        $[0, \log C]$ 안의 엔트로피(nat). 축 `dim`이 빠진 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 음수가 있거나, 합이 1이 아니거나, 비었으면. 허용 오차는 [`simplex`][mgk_docs_src.checks.simplex].

    References:
        Cover, T. M. & Thomas, J. A. (2006). Elements of Information Theory, 2.1절.
    """
    return distribution_cross_entropy(p, p, dim=dim)


@full_precision
def distribution_cross_entropy(
    p: Float[Tensor, "*shape"],
    q: Float[Tensor, "*shape"],
    *,
    dim: int = -1,
) -> Float[Tensor, "..."]:
    r"""교차 엔트로피: $P$에서 나온 값을 $Q$에 맞춘 코드로 적을 때의 평균 코드 길이.

    $$H(P, Q) = -\sum_x P(x) \log Q(x), \qquad 0 \log 0 = 0$$

    Args:
        p: 참 확률 $P$. 축 `dim`의 합이 1이다.
        q: 예측한 확률 $Q$. `p`와 같은 모양이고, 축 `dim`의 합이 1이다.
        dim: 분포가 놓인 축.

    Returns:
        $[H(P), \infty]$ 안의 값(nat). $P(x) > 0$인데 $Q(x) = 0$이면 $\infty$다. 축 `dim`이 빠진 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 음수가 있거나, 합이 1이 아니거나, 비었으면.

    References:
        Goodfellow, I., Bengio, Y. & Courville, A. (2016). Deep Learning, 3.13절.
    """
    _check_distributions(dim, p=p, q=q)
    wide_p, wide_q = widen(p, q)
    return -_xlogy(wide_p, wide_q).sum(dim).to(torch.promote_types(p.dtype, q.dtype))


@full_precision
def kl_divergence(
    p: Float[Tensor, "*shape"],
    q: Float[Tensor, "*shape"],
    *,
    dim: int = -1,
) -> Float[Tensor, "..."]:
    r"""쿨백–라이블러(KL) 발산: $P$ 대신 $Q$에 맞춘 코드를 써서 더 드는 길이.

    $$D_{\mathrm{KL}}(P \,\|\, Q) = \sum_x P(x) \left[ \log P(x) - \log Q(x) \right] = H(P, Q) - H(P)$$

    Args:
        p: 참 확률 $P$. 축 `dim`의 합이 1이다.
        q: 예측한 확률 $Q$. `p`와 같은 모양이고, 축 `dim`의 합이 1이다.
        dim: 분포가 놓인 축.

    Returns:
        $[0, \infty]$ 안의 값(nat), 반올림만큼 음수일 수 있다. $P(x) > 0$인데 $Q(x) = 0$이면 $\infty$,
        $P = Q$이면 정확히 0. 축 `dim`이 빠진 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 음수가 있거나, 합이 1이 아니거나, 비었으면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 6.2절.
    """
    _check_distributions(dim, p=p, q=q)
    wide_p, wide_q = widen(p, q)
    each = _xlogy(wide_p, wide_p) - _xlogy(wide_p, wide_q)
    return each.sum(dim).to(torch.promote_types(p.dtype, q.dtype))


@full_precision
def bernoulli_log_likelihood(
    probabilities: Float[Tensor, "*shape"],
    target: Float[Tensor, "*shape"],
) -> Float[Tensor, ""]:
    r"""1이 나올 확률이 $p_i$인 동전들이 결과 $y_i$를 낼 로그 가능도. 부호를 바꾸면 합으로 줄인 BCE다.

    $$\log \prod_i p_i^{\,y_i} (1-p_i)^{1-y_i} = \sum_i \left[ y_i \log p_i + (1-y_i) \log (1-p_i) \right]$$

    Args:
        probabilities: 1이 나올 확률 $p \in [0, 1]$. 임의의 모양.
        target: 나온 결과 $y$. 0이나 1. `probabilities`와 같은 모양.

    Returns:
        0 이하의 스칼라(nat). 일어날 수 없는 일이 일어났으면 $-\infty$.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 비었거나, 확률이 $[0, 1]$을 벗어나거나, 결과가 0도 1도 아니면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 4.2.3절.
    """
    log_likelihood = -bce(probabilities, target, reduction="sum")
    outcomes = checks.plain(target)
    soft = outcomes[(outcomes != 0) & (outcomes != 1)]
    if len(soft) > 0:
        raise ValueError(f"target: 0이나 1이어야 하는데 {soft[0].item():g}이 있다")
    return log_likelihood


@full_precision
def bce(
    probabilities: Float[Tensor, "*shape"],
    target: Float[Tensor, "*shape"],
    *,
    weight: Float[Tensor, "..."] | None = None,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""확률에서 계산하는 이진 교차 엔트로피.

    $$\ell(p, y) = -w \left[ y \log p + (1 - y) \log (1 - p) \right], \qquad 0 \log 0 = 0$$

    식을 그대로 계산한다. $p$가 정확히 0이나 1인데 틀렸으면 $\infty$이고, torch의 `BCELoss`처럼 손실을 100에서, 기울기의
    분모를 $10^{-12}$에서 자르지 않는다.
    로짓이 있으면 [`bce_with_logits`][mgk_docs_src.losses.binary.bce_with_logits]를 쓴다.
    값을 살피므로 장치와 한 번 동기화한다.

    Args:
        probabilities: 예측 확률 $p \in [0, 1]$. 임의의 모양.
        target: 라벨 $y \in [0, 1]$. `probabilities`와 같은 모양.
        weight: 원소마다의 가중치 $w \ge 0$. `probabilities`의 모양으로 늘어난다. 0이면 손실이 $\infty$여도 뺀다.
        reduction: `"none"`, `"mean"`, `"sum"`. 평균의 분모는 가중치가 있어도 원소의 수다.

    Returns:
        0 이상의 손실(nat). `"none"`이면 `probabilities`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 비었거나, 실수형이 아니거나, 확률과 라벨이 $[0, 1]$을, 가중치가 $[0, \infty)$를
            벗어나면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.2.3절.
        PyTorch 문서, `torch.nn.BCELoss`.
    """
    checks.floating(probabilities=probabilities, target=target)
    checks.nonempty(probabilities=probabilities)
    checks.shape(probabilities.shape, target=target)
    checks.broadcastable(probabilities.shape, weight=weight)
    ends = checks.extremes(probabilities=(probabilities, UNIT), target=(target, UNIT), weight=(weight, NONNEGATIVE))
    low, high = ends["probabilities"]
    p, y = widen(probabilities, target)
    w = None if weight is None else weight.to(p.dtype)
    if low > 0 and high < 1:  # 로그가 모두 유한하면 두 로그를 바로 섞는다. 아래보다 두 배쯤 빠르다.
        log_likelihood = torch.lerp(torch.log1p(-p), torch.log(p), y)
        log_likelihood = log_likelihood if w is None else w * log_likelihood
    else:
        of_one, of_zero = (y, 1 - y) if w is None else (w * y, w * (1 - y))
        log_likelihood = _xlogy(of_one, p) + _xlog1py(of_zero, -p)
    loss = 0 - reduce(log_likelihood, reduction)  # 빼면 0이 −0이 되지 않는다
    return loss.to(torch.promote_types(probabilities.dtype, target.dtype))


@full_precision
def bce_with_logits(
    logits: Float[Tensor, "*shape"],
    target: Float[Tensor, "*shape"],
    *,
    weight: Float[Tensor, "..."] | None = None,
    pos_weight: Float[Tensor, "..."] | None = None,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""로짓에서 바로 계산하는 이진 교차 엔트로피.

    $$\ell(z, y) = w \left[ (1 - y)\,\mathrm{softplus}(z) + w_+\, y\,\mathrm{softplus}(-z) \right]$$

    두 항이 모두 0 이상이라 상쇄가 없고, 어느 $z$에서나 유효 숫자를 유지한다. 라벨이 모두 0이나 1인 상수이면
    같은 값인 $\mathrm{softplus}((1 - 2y) z)$ 하나만 계산한다. float16과 bfloat16은 float32로 계산하고 한 번 반올림한다.
    값을 살피므로 장치와 한 번 동기화한다.

    Args:
        logits: 로짓 $z = \log\frac{p}{1-p}$. 임의의 모양.
        target: 라벨 $y \in [0, 1]$. `logits`와 같은 모양.
        weight: 원소마다의 가중치 $w \ge 0$. `logits`의 모양으로 늘어난다.
        pos_weight: 라벨 1인 항의 가중치 $w_+ \ge 0$. `logits`의 모양으로 늘어난다.
        reduction: `"none"`, `"mean"`, `"sum"`. 평균의 분모는 가중치가 있어도 원소의 수다.

    Returns:
        0 이상의 손실(nat). `"none"`이면 `logits`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 비었거나, 실수형이 아니거나, 로짓이 유한하지 않거나, 라벨이 $[0, 1]$을, 가중치가
            $[0, \infty)$를 벗어나면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.2.3절.
        PyTorch 문서, `torch.nn.BCEWithLogitsLoss`.
    """
    checks.floating(logits=logits, target=target)
    checks.nonempty(logits=logits)
    checks.shape(logits.shape, target=target)
    checks.broadcastable(logits.shape, weight=weight, pos_weight=pos_weight)
    # y − y²은 모두 0이나 1일 때만 0이다.
    simple = pos_weight is None and _is_constant(target)
    variance = torch.addcmul(target, target, target, value=-1) if simple else None
    ends = checks.extremes(
        logits=(logits, REAL),
        target=(target, UNIT),
        weight=(weight, NONNEGATIVE),
        pos_weight=(pos_weight, NONNEGATIVE),
        variance=(variance, REAL),
    )
    z, y = widen(logits, target)
    if ends.get("variance") == (0.0, 0.0):
        loss = _softplus(torch.rsub(y, 1, alpha=2) * z)  # (1 − 2y) z
    else:
        w_plus = 1.0 if pos_weight is None else pos_weight.to(z.dtype)
        loss = torch.lerp(_softplus(z), w_plus * _softplus(-z), y)
    if weight is not None:
        loss = weight.to(z.dtype) * loss
    return reduce(loss, reduction).to(torch.promote_types(logits.dtype, target.dtype))


@full_precision
def bce_with_logits_grad(
    logits: Float[Tensor, "*shape"],
    target: Float[Tensor, "*shape"],
) -> Float[Tensor, "*shape"]:
    r"""`bce_with_logits`의 로짓에 대한 원소마다의 기울기: 예측 빼기 정답.

    $$\frac{\partial \ell}{\partial z} = \sigma(z) - y = (1 - y)\,\sigma(z) - y\,\sigma(-z)$$

    오른쪽 식은 $y$가 0이나 1이면 상쇄가 없다. 값을 살피므로 장치와 한 번 동기화한다.

    Args:
        logits: 로짓 $z$. 임의의 모양.
        target: 라벨 $y \in [0, 1]$. `logits`와 같은 모양.

    Returns:
        $[-1, 1]$ 안의 기울기. `logits`와 같은 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 비었거나, 실수형이 아니거나, 로짓이 유한하지 않거나, 라벨이 $[0, 1]$을 벗어나면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.2.3.3절.
    """
    checks.floating(logits=logits, target=target)
    checks.nonempty(logits=logits)
    checks.shape(logits.shape, target=target)
    checks.within(logits=(logits, REAL), target=(target, UNIT))
    z, y = widen(logits, target)
    grad = (1 - y) * torch.sigmoid(z) - y * torch.sigmoid(-z)
    return grad.to(torch.promote_types(logits.dtype, target.dtype))


class LogisticRegression(NamedTuple):
    r"""학습한 로지스틱 회귀: $p = \sigma(x^\top w + b)$.

    Attributes:
        weight: 가중치 $w$.
        bias: 절편 $b$.
        losses: 학습 스텝마다, 갱신하기 전의 손실(nat).

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.2절.
    """

    weight: Float[Tensor, "d"]
    bias: Float[Tensor, ""]
    losses: Float[Tensor, "steps"]


@full_precision
def fit_logistic_regression(
    features: Float[Tensor, "n d"],
    target: Float[Tensor, "n"],
    *,
    steps: int,
    learning_rate: float,
) -> LogisticRegression:
    r"""자동 미분 없이, 손으로 쓴 기울기로 하는 경사 하강. 0에서 시작하므로 결과가 정해져 있다.

    $$w \leftarrow w - \eta\, \frac{1}{N} X^\top (\sigma(z) - y), \qquad z = Xw + b$$

    Args:
        features: 특징 $X$. 한 줄이 표본 하나.
        target: 라벨 $y \in [0, 1]$.
        steps: 학습 스텝의 수. 1 이상.
        learning_rate: 학습률 $\eta > 0$.

    Returns:
        가중치, 절편, 스텝마다의 손실(nat).

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이나 값이 틀렸거나, 학습률이 커서 로짓이 발산하면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 10.2.4절.
    """
    checks.floating(features=features, target=target)
    checks.ndim(2, 2, features=features)
    checks.nonempty(features=features)
    checks.shape(features.shape[:1], target=target)
    checks.within(features=(features, REAL))
    checks.count(1, steps=steps)
    checks.number(POSITIVE, learning_rate=learning_rate)
    weight, bias = features.new_zeros(features.shape[1]), features.new_zeros(())
    losses = []
    for _ in range(steps):
        logits = features @ weight + bias
        if not checks.plain(logits).isfinite().all():
            raise ValueError(f"learning_rate: 로짓이 유한하게 남을 만큼 작아야 하는데 {learning_rate}에서 발산했다")
        losses.append(bce_with_logits(logits, target))
        residual = bce_with_logits_grad(logits, target) / len(target)
        weight = weight - learning_rate * (residual @ features)
        bias = bias - learning_rate * residual.sum()
    return LogisticRegression(weight, bias, torch.stack(losses))


def _softplus(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    # 기본값 20에서는 e^-20 = 2e-9를 버린다. 40을 넘으면 float64에서도 log(1 + e^x) = x다.
    return softplus(x, threshold=40.0)


def _is_constant(x: Tensor) -> bool:
    # 미분할 일이 없는 보통의 텐서인가. torch.func의 변환이 감싼 텐서는 그 안에서 미분할 수도 있다.
    if torch.compiler.is_compiling() or torch.func.debug_unwrap(x) is not x:
        return False
    return not x.requires_grad and forward_ad.unpack_dual(x).tangent is None  # type: ignore[no-untyped-call]


def _xlogy(x: Float[Tensor, "*shape"], y: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    # x log y, 0 log 0 = 0. torch.xlogy는 값은 0이지만 y에 대한 기울기가 0/0 = nan이고, 몇 배 느리다.
    return x * torch.log(y.masked_fill((x == 0) & (y == 0), 1.0))


def _xlog1py(x: Float[Tensor, "*shape"], y: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    # x log(1 + y). y가 작아도 유효 숫자를 유지한다. 기울기는 위와 같다.
    return x * torch.log1p(y.masked_fill((x == 0) & (y == -1), 0.0))


def _check_distributions(dim: int, *, p: Tensor, q: Tensor) -> None:
    checks.floating(p=p, q=q)
    checks.nonempty(p=p)
    checks.shape(p.shape, q=q)
    checks.axis(p.ndim, dim=dim)
    checks.simplex(dim, p=p, q=q)
