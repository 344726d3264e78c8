"""실습 “에너지 모델의 장점과 단점”의 재료: `docs/labs/claims.py`."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import POSITIVE, REAL, Interval
from mgk_docs_src.energy.models import Energy, evaluate
from mgk_docs_src.energy.samplers import hmc_step, init
from mgk_docs_src.networks import Networks, forward, freeze, initial
from mgk_docs_src.random import randint, randn

_OPEN_UNIT = Interval(0.0, 1.0, open=True)
_STRETCH = 2.0  # 결합 층 하나가 늘이거나 줄이는 로그 스케일의 한계

LogDensity = Callable[[Tensor], Tensor]


# --- 다른 모델 위에 얹는 에너지 ---


def tilt(log_base: LogDensity, energy: Energy) -> Energy:
    r"""밀도를 아는 모델 $q$를 에너지로 기울인 모델.

    $$p(x) = \frac{q(x)\, e^{-E(x)}}{Z}, \qquad -\log \bigl( q(x)\, e^{-E(x)} \bigr) = E(x) - \log q(x), \qquad
    Z = \mathbb{E}_{x \sim q}\bigl[ e^{-E(x)} \bigr]$$

    Args:
        log_base: $\log q$. 점 $(\ldots, d)$를 받아 $(\ldots)$을 준다.
        energy: 얹을 에너지 $E$. 0이면 $q$ 그대로다.

    Returns:
        합친 에너지 $E - \log q$.

    References:
        Gao, R. 외 (2020). Flow Contrastive Estimation of Energy-Based Models.
    """
    return lambda x: energy(x) - log_base(x)


class Flow(NamedTuple):
    r"""2차원 결합 흐름(RealNVP). 층마다 한 좌표를 보고 다른 좌표를 늘이고 민다.

    Attributes:
        layers: 층마다, 본 좌표에서 스케일과 이동을 내는 신경망. 시드들이 쌓여 있다.

    References:
        Dinh, L., Sohl-Dickstein, J. & Bengio, S. (2017). Density Estimation Using Real NVP, 3절.
    """

    layers: tuple[Networks, ...]


def coupling_flow(
    generators: Sequence[torch.Generator | None],
    *,
    layers: int = 6,
    width: int = 32,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Flow:
    r"""학습 전의 결합 흐름(coupling flow). 시드마다 하나다.

    $$z_b = x_b\, e^{s(x_a)} + t(x_a), \qquad s = 2 \tanh f_1(x_a), \quad t = f_2(x_a)$$

    Args:
        generators: 시드마다 발생기 하나.
        layers: 결합 층의 수. 1 이상.
        width: 층마다 신경망의 은닉층 너비. 1 이상.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        기울기를 받는 흐름.

    Raises:
        TypeError: 정수가 아닌 값을 받으면.
        ValueError: 수가 1보다 작거나, 발생기가 없거나, 다른 장치의 발생기이면.

    References:
        Dinh, L., Sohl-Dickstein, J. & Bengio, S. (2017). Density Estimation Using Real NVP, 3절.
    """
    checks.count(1, layers=layers)
    widths = (1, width, width, 2)
    return Flow(tuple(initial(widths, generators, device=device, dtype=dtype) for _ in range(layers)))


def flow_log_density(flow: Flow, x: Float[Tensor, "s n 2"]) -> Float[Tensor, "s n"]:
    r"""흐름의 로그 밀도. 데이터를 노이즈로 보내며 늘어난 부피를 더한다.

    $$\log q(x) = \log \mathcal{N}(z(x);\, 0, I) + \sum_{\ell} s_\ell$$

    Args:
        flow: 결합 흐름.
        x: 시드마다의 점.

    Returns:
        로그 밀도(nat).

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나 모양이 맞지 않으면.

    References:
        Dinh, L., Sohl-Dickstein, J. & Bengio, S. (2017). Density Estimation Using Real NVP, 3.3절.
    """
    checks.floating(x=x)
    checks.ndim(3, 3, x=x)
    checks.shape((*x.shape[:2], 2), x=x)
    z, volume = x, x.new_zeros(())
    for index, layer in enumerate(flow.layers):
        seen, other = z[..., index % 2], z[..., 1 - index % 2]
        stretch, shift = _coupling(layer, seen)
        z = _join(seen, other * stretch.exp() + shift, index)
        volume = volume + stretch
    return volume - z.square().sum(-1) / 2 - math.log(2 * math.pi)


def flow_sample(flow: Flow, n: int, *, generator: torch.Generator | None) -> Float[Tensor, "s n 2"]:
    r"""흐름의 표본: 노이즈를 거꾸로 보낸다. 한 번 지나면 되고, 표본끼리 독립이다.

    $$z \sim \mathcal{N}(0, I), \qquad x_b = \bigl( z_b - t(x_a) \bigr)\, e^{-s(x_a)}$$

    Args:
        flow: 결합 흐름.
        n: 시드마다 표본의 수. 1 이상.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        표본. 기울기는 따라오지 않는다.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: `n`이 1보다 작거나, 다른 장치의 발생기이면.

    References:
        Dinh, L., Sohl-Dickstein, J. & Bengio, S. (2017). Density Estimation Using Real NVP, 3.3절.
    """
    checks.count(1, n=n)
    like = flow.layers[0].weights[0]
    x = randn(len(like), n, 2, generator=generator, device=like.device, dtype=like.dtype)
    with torch.no_grad():
        for index, layer in reversed(list(enumerate(flow.layers))):
            seen, moved = x[..., index % 2], x[..., 1 - index % 2]
            stretch, shift = _coupling(layer, seen)
            x = _join(seen, (moved - shift) * (-stretch).exp(), index)
    return x


def train_flow(
    flow: Flow,
    draw: Callable[[], Tensor],
    *,
    steps: int,
    learning_rate: float = 0.005,
) -> Flow:
    r"""최대 가능도로 흐름을 학습한다. 받은 흐름은 바꾸지 않는다.

    $$L = -\frac{1}{n} \sum_i \log q(x_i)$$

    Args:
        flow: 처음 흐름.
        draw: 부를 때마다 배치 $(s, n, 2)$를 주는 함수.
        steps: 학습 스텝의 수. 1 이상.
        learning_rate: Adam의 첫 학습률. 코사인을 따라 0으로 내린다. 0보다 크다.

    Returns:
        학습한 흐름. 기울기가 없다.

    Raises:
        TypeError: 정수나 수가 아닌 값을 받으면.
        ValueError: 스텝이 1보다 적거나 학습률이 0보다 크지 않거나, 배치의 모양이 맞지 않거나, 학습이 발산하면.

    References:
        Dinh, L., Sohl-Dickstein, J. & Bengio, S. (2017). Density Estimation Using Real NVP, 3절.
    """
    layers = tuple(_leaves(layer) for layer in flow.layers)
    own = Flow(layers)
    parameters = [tensor for layer in layers for part in layer for tensor in part]
    _minimise(lambda: -flow_log_density(own, draw()).mean(-1), parameters, steps, learning_rate)
    return Flow(tuple(freeze(layer) for layer in layers))


class Autoencoder(NamedTuple):
    r"""오토인코더: $x \approx g(f(x))$. 시드들이 쌓여 있다.

    Attributes:
        encoder: $f$.
        decoder: $g$.

    References:
        Hinton, G. & Salakhutdinov, R. (2006). Reducing the Dimensionality of Data with Neural Networks.
    """

    encoder: Networks
    decoder: Networks


def train_autoencoder(
    features: Float[Tensor, "n d"],
    *,
    code: int = 2,
    width: int = 64,
    steps: int,
    batch_size: int = 128,
    learning_rate: float = 0.005,
    generators: Sequence[torch.Generator],
) -> Autoencoder:
    r"""복원 오차를 줄여 오토인코더를 학습한다.

    $$L = \frac{1}{n} \sum_i \lVert x_i - g(f(x_i)) \rVert^2$$

    Args:
        features: 데이터. 한 행이 표본 하나.
        code: 잠재 코드(latent code)의 차원. 1 이상.
        width: 은닉층의 너비. 1 이상.
        steps: 학습 스텝의 수. 1 이상.
        batch_size: 한 스텝에 쓰는 표본의 수. 1 이상.
        learning_rate: Adam의 첫 학습률. 코사인을 따라 0으로 내린다. 0보다 크다.
        generators: 시드마다 발생기 하나. 초기 가중치와 배치를 정한다.

    Returns:
        학습한 오토인코더. 기울기가 없다.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 데이터가 비었거나 유한하지 않거나, 수가 1보다 작거나, 학습률이 0보다 크지 않거나, 발생기가 없거나,
            학습이 발산하면.

    References:
        Hinton, G. & Salakhutdinov, R. (2006). Reducing the Dimensionality of Data with Neural Networks.
    """
    checks.floating(features=features)
    checks.ndim(2, 2, features=features)
    checks.nonempty(features=features)
    checks.within(features=(features, REAL))
    checks.count(1, code=code, width=width, batch_size=batch_size)
    n, d = features.shape
    encoder, decoder = (
        initial(widths, generators, device=features.device, dtype=features.dtype)
        for widths in ((d, width, width, code), (code, width, width, d))
    )
    own = Autoencoder(encoder, decoder)

    def loss() -> Tensor:
        rows = torch.stack([randint(0, n, (batch_size,), generator=g, device=features.device) for g in generators])
        x = features[rows]  # (s, b, d)
        return (forward(own.decoder, forward(own.encoder, x)) - x).square().sum(-1).mean(-1)

    _minimise(loss, [tensor for network in own for part in network for tensor in part], steps, learning_rate)
    return Autoencoder(freeze(own.encoder), freeze(own.decoder))


# --- 분배 함수 ---


class Estimate(NamedTuple):
    r"""가중치로 추정한 로그 분배 함수.

    Attributes:
        log_partition: $\log \hat Z$(nat).
        effective: 유효 표본의 비율, $(0, 1]$. 가중치 하나가 나머지를 압도하면 $1/n$이다.

    References:
        Kong, A. (1992). A Note on Importance Sampling Using Standardized Weights.
    """

    log_partition: Float[Tensor, "*batch"]
    effective: Float[Tensor, "*batch"]


def importance_estimate(log_weights: Float[Tensor, "*batch n"]) -> Estimate:
    r"""중요도 가중치의 평균으로 추정한 $\log Z$. 정규화된 $q$의 표본에서 $w = e^{-E} / q$다.

    $$\log \hat Z = \log \frac{1}{n} \sum_i w_i, \qquad \mathrm{effective} = \frac{(\sum_i w_i)^2}{n \sum_i w_i^2}$$

    $\hat Z$는 편향(bias)이 없지만 $\log \hat Z$는 평균하여 낮게 나온다. 가중치가 몇 개에 몰리면 훨씬 낮다.

    Args:
        log_weights: 로그 가중치 $\log w_i$. 마지막 축이 표본이다.

    Returns:
        추정값과 유효 표본의 비율.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 비었거나, 축이 없거나, 실수형이 아니거나, 유한하지 않으면.

    References:
        Neal, R. M. (2001). Annealed Importance Sampling, 1절.
    """
    checks.floating(log_weights=log_weights)
    checks.ndim(1, math.inf, log_weights=log_weights)
    checks.nonempty(log_weights=log_weights)
    checks.within(log_weights=(log_weights, REAL))
    n = log_weights.shape[-1]
    total = log_weights.logsumexp(-1)
    effective = (2 * total - (2 * log_weights).logsumexp(-1)).exp() / n
    return Estimate(total - math.log(n), effective)


class Annealed(NamedTuple):
    r"""담금질 중요도 샘플링의 결과.

    Attributes:
        log_weights: 로그 가중치 $\log w$.
            [`importance_estimate`][mgk_docs_src.labs.claims.importance_estimate]에 넣는다.
        position: 마지막 위치. 가중치와 함께 써야 $p$의 표본이다.
        acceptance: 채택률.

    References:
        Neal, R. M. (2001). Annealed Importance Sampling, 2절.
    """

    log_weights: Float[Tensor, "*chains"]
    position: Float[Tensor, "*chains d"]
    acceptance: Float[Tensor, "*chains"]


def annealed_importance_sampling(
    energy: Energy,
    log_base: LogDensity,
    start: Float[Tensor, "*chains d"],
    *,
    stages: int,
    step_size: float,
    leapfrog_steps: int = 5,
    generator: torch.Generator | None,
) -> Annealed:
    r"""담금질 중요도 샘플링(AIS): 쉬운 $q$에서 어려운 $p$까지 여러 단계를 거치며 가중치를 모은다.

    $$E_t = (1 - \beta_t) (-\log q) + \beta_t E, \qquad \beta_t = \tfrac{t}{T}, \qquad
    \log w = \sum_{t=1}^{T} \bigl[ E_{t-1}(x_{t-1}) - E_t(x_{t-1}) \bigr]$$

    $x_t$는 $x_{t-1}$에서 $e^{-E_t}$를 보존하는 HMC 한 스텝으로 얻는다. $T = 1$이면 보통의 중요도 샘플링이다.

    Args:
        energy: 에너지 $E$.
        log_base: 정규화된 $\log q$.
        start: $q$에서 뽑은 처음 위치.
        stages: 단계의 수 $T$. 1 이상.
        step_size: 립프로그 스텝 크기. 0보다 크다. 궤적마다 20 % 흔든다.
        leapfrog_steps: 궤적 하나의 립프로그 스텝 수. 1 이상.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        로그 가중치, 마지막 위치, 채택률.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 수가 범위를 벗어나거나, 처음 위치나 에너지가 유한하지 않거나, 에너지와 $\log q$가 점마다 실수 하나가
            아니거나, 다른 장치의 발생기이면.

    References:
        Neal, R. M. (2001). Annealed Importance Sampling, 2절.
    """
    checks.count(1, stages=stages, leapfrog_steps=leapfrog_steps)
    checks.number(POSITIVE, step_size=step_size)
    checks.floating(start=start)
    checks.nonempty(start=start)
    checks.within(start=(start, REAL))
    evaluate(energy, start)  # 두 모양이 어긋나면 더할 때 엉뚱하게 늘어나므로 따로따로 본다
    base = log_base(start)
    checks.tensor(log_base=base)
    checks.shape(start.shape[:-1], log_base=base)
    position, log_weights, accepted = (
        start.detach(),
        start.new_zeros(start.shape[:-1]),
        start.new_zeros(start.shape[:-1]),
    )
    for stage in range(1, stages + 1):
        beta = stage / stages

        def bridge(x: Tensor, beta: float = beta) -> Tensor:
            return (beta - 1) * log_base(x) + beta * energy(x)

        state = init(bridge, position)
        with torch.no_grad():  # E_{t−1} − E_t = (−log q − E) / T
            log_weights = log_weights + (-log_base(position) - energy(position)) / stages
        state, info = hmc_step(
            bridge, state, step_size=step_size, steps=leapfrog_steps, jitter=0.2, generator=generator
        )
        position, accepted = state.position, accepted + info.accepted / stages
    return Annealed(log_weights, position, accepted)


def peaks(
    x: Float[Tensor, "*batch d"],
    *,
    distance: float = 2.0,
    scale: float = 0.5,
    weight: float = 0.7,
) -> Float[Tensor, "*batch"]:
    r"""몇 차원에서나 답을 아는 두 봉우리.

    $$E(x) = -\log \left[ w\, e^{-\lVert x - m \rVert^2 / 2 s^2} + (1 - w)\, e^{-\lVert x + m \rVert^2 / 2 s^2} \right],
    \qquad m = (a, 0, \ldots, 0), \qquad \log Z = \tfrac{d}{2} \log(2 \pi s^2)$$

    Args:
        x: 점. 마지막 축이 좌표다.
        distance: 봉우리가 원점에서 떨어진 거리 $a$.
        scale: 봉우리의 너비 $s > 0$.
        weight: 오른쪽 봉우리의 혼합 비율 $w \in (0, 1)$.

    Returns:
        에너지. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 점이 비었거나 축이 없거나 실수형이 아니거나, 수가 범위를 벗어나면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 3.5절 (가우스 혼합).
    """
    checks.floating(x=x)
    checks.ndim(1, math.inf, x=x)
    checks.nonempty(x=x)
    checks.number(REAL, distance=distance)
    checks.number(POSITIVE, scale=scale)
    checks.number(_OPEN_UNIT, weight=weight)
    centre = torch.zeros_like(x[..., :1, :] if x.ndim > 1 else x)
    centre[..., 0] = distance
    right, left = ((x - sign * centre).square().sum(-1) / (2 * scale**2) for sign in (1, -1))
    return -torch.logaddexp(math.log(weight) - right, math.log1p(-weight) - left)


# --- 지표 ---


def neighbour_accuracy(
    first: Float[Tensor, "n d"],
    second: Float[Tensor, "m d"],
) -> Float[Tensor, ""]:
    r"""최근접 이웃 두 표본 검정: 가장 가까운 다른 점이 같은 표본에서 온 비율. 두 표본의 평균이다.

    $$\tfrac12 \Bigl( \Pr_{x \in A}[\mathrm{nn}(x) \in A] + \Pr_{x \in B}[\mathrm{nn}(x) \in B] \Bigr)$$

    크기가 같은 두 표본이 같은 분포에서 왔으면 0.5쯤이고, 완전히 구별되면 1이다.

    Args:
        first: 표본 $A$.
        second: 표본 $B$.

    Returns:
        $[0, 1]$ 안의 비율.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 차원이 다르거나, 점이 둘보다 적거나, 유한하지 않으면.

    References:
        Lopez-Paz, D. & Oquab, M. (2017). Revisiting Classifier Two-Sample Tests.
    """
    for name, cloud in (("first", first), ("second", second)):
        checks.floating(**{name: cloud})
        checks.ndim(2, 2, **{name: cloud})
        checks.count(2, **{f"len({name})": len(cloud)})
        checks.shape((len(cloud), first.shape[1]), **{name: cloud})
        checks.within(**{name: (cloud, REAL)})
    points = torch.cat([first, second])
    own = torch.arange(len(points), device=points.device) < len(first)
    # 곱으로 구하는 빠른 거리는 가까운 점에서 유효 숫자를 잃는다.
    distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(math.inf)
    right = (own[distance.argmin(1)] == own).to(points.dtype)
    return (right[own].mean() + right[~own].mean()) / 2


class Line(NamedTuple):
    r"""직선 $y \approx a x + b$.

    Attributes:
        slope: 기울기 $a$.
        intercept: 절편 $b$.
        correlation: 상관 계수, $[-1, 1]$.

    References:
        Galton, F. (1886). Regression Towards Mediocrity in Hereditary Stature.
    """

    slope: Float[Tensor, "*batch"]
    intercept: Float[Tensor, "*batch"]
    correlation: Float[Tensor, "*batch"]


def fit_line(x: Float[Tensor, "*batch n"], y: Float[Tensor, "*batch n"]) -> Line:
    r"""최소 제곱으로 맞춘 직선.

    $$a = \frac{\sum_i (x_i - \bar x)(y_i - \bar y)}{\sum_i (x_i - \bar x)^2}, \qquad b = \bar y - a \bar x$$

    Args:
        x: 가로의 값.
        y: 세로의 값. `x`와 같은 모양.

    Returns:
        기울기, 절편, 상관 계수.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 모양이 다르거나, 점이 둘보다 적거나, 실수형이 아니거나, 유한하지 않으면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 11.2절.
    """
    checks.floating(x=x, y=y)
    checks.ndim(1, math.inf, x=x)
    checks.nonempty(x=x)
    checks.shape(x.shape, y=y)
    checks.count(2, n=x.shape[-1])
    checks.within(x=(x, REAL), y=(y, REAL))
    dx, dy = x - x.mean(-1, keepdim=True), y - y.mean(-1, keepdim=True)
    product = (dx * dy).sum(-1)
    slope = product / dx.square().sum(-1)
    return Line(slope, y.mean(-1) - slope * x.mean(-1), product / (dx.norm(dim=-1) * dy.norm(dim=-1)))


def _coupling(layer: Networks, seen: Tensor) -> tuple[Tensor, Tensor]:
    raw = forward(layer, seen.unsqueeze(-1))
    return _STRETCH * raw[..., 0].tanh(), raw[..., 1]


def _join(seen: Tensor, moved: Tensor, index: int) -> Tensor:
    return torch.stack([seen, moved] if index % 2 == 0 else [moved, seen], -1)


def _leaves(network: Networks) -> Networks:
    copy = freeze(network)
    for part in copy:
        for tensor in part:
            tensor.requires_grad_()
    return copy


def _minimise(loss: Callable[[], Tensor], parameters: list[Tensor], steps: int, learning_rate: float) -> None:
    """제 텐서(부르는 쪽의 복사본)를 Adam으로 옮긴다. 손실은 시드마다 하나다."""
    checks.count(1, steps=steps)
    checks.number(POSITIVE, learning_rate=learning_rate)
    optimiser = torch.optim.Adam(parameters, fused=True)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = learning_rate * math.cos(math.pi * step / (2 * steps)) ** 2
        optimiser.zero_grad()
        loss().sum().backward(inputs=parameters)  # type: ignore[no-untyped-call]
        optimiser.step()
    checks.within(parameters=(torch.cat([tensor.detach().flatten() for tensor in parameters]), REAL))
