"""에너지 모델을 학습하는 여러 방법: `docs/energy/training.md`."""

import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, Interval
from mgk_docs_src.energy import _calls
from mgk_docs_src.energy.models import Energy
from mgk_docs_src.energy.samplers import init, langevin_step, mala_step, sample
from mgk_docs_src.losses.binary import bce_with_logits
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.networks import Networks, forward, freeze, initial
from mgk_docs_src.random import rand

_BELOW_ONE = Interval(0.0, 1.0, right_open=True)
_WARM_UP = 20  # Adam이 기울기의 크기를 추정하는 동안은 조금만 움직인다


@full_precision
def contrastive_divergence(
    energy: Energy,
    data: Float[Tensor, "*seeds n d"],
    samples: Float[Tensor, "*seeds m d"],
    *,
    magnitude: float = 0.0,
    limit: float = 1000.0,
) -> Float[Tensor, "*seeds"]:
    r"""대조 발산의 손실: 데이터의 에너지는 내리고, 체인이 이른 곳의 에너지는 올린다.

    $$L = \bar E_+ - \bar E_- + \alpha \left( \overline{E_+^2} + \overline{E_-^2} \right), \qquad
    \bar E_+ = \frac{1}{n} \sum_i E(x_i), \qquad \bar E_- = \frac{1}{m} \sum_j E(\tilde x_j)$$

    $\tilde x_j$는 데이터에서 출발한 체인이 $k$스텝 뒤에 있는 곳(CD-$k$)이거나, 학습 스텝마다 이어 온 체인이 있는
    곳(PCD)이다. 어느 쪽이든 상수로 본다. $\tilde x_j \sim p_\theta$이면 $\alpha = 0$의 기울기는 음의 로그 가능도의
    기울기다. $|\bar E_+ - \bar E_-|$가 `limit`을 넘으면 체인이 모델을 따라가지 못한다는 뜻이라 경고한다.
    값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$.
        data: 데이터 $x_i$. 앞의 축(시드)마다 따로 계산한다.
        samples: 체인이 있는 곳 $\tilde x_j$.
        magnitude: 에너지의 크기에 주는 벌점의 세기 $\alpha \ge 0$.
        limit: 경고할 차의 크기. 0보다 크다.

    Returns:
        손실. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 비었거나, 유한하지 않거나, 모양이나 장치가 맞지 않거나, 에너지가 점마다 유한한 실수 하나가 아니거나,
            수가 범위를 벗어나면.

    References:
        Hinton, G. (2002). Training Products of Experts by Minimizing Contrastive Divergence, 3절.
        Tieleman, T. (2008). Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient.
        Du, Y. & Mordatch, I. (2019). Implicit Generation and Modeling with Energy-Based Models, 3.3절.
    """
    _calls.clouds(data=data, samples=samples)
    checks.shape((*data.shape[:-2], samples.shape[-2], data.shape[-1]), samples=samples)
    checks.device(data.device, samples=samples)
    checks.number(NONNEGATIVE, magnitude=magnitude)
    checks.number(POSITIVE, limit=limit)
    n = data.shape[-2]
    energies = _calls.energies(energy, torch.cat([data.detach(), samples.detach()], -2), accept="finite")  # 한 번에
    (wide,) = widen(energies)
    positive, negative = wide[..., :n], wide[..., n:]
    gap = positive.mean(-1) - negative.mean(-1)
    low, high = checks.extremes(**{"energy의 차": (gap, REAL)})["energy의 차"]
    if max(-low, high) > limit:
        warnings.warn(
            f"데이터와 체인의 에너지 차가 {low if -low > high else high:.3g}로 {limit:g}을 넘었다: 체인이 모델을 "
            "따라가지 못하고 있다",
            RuntimeWarning,
            stacklevel=3,  # 정밀도를 유지하는 겉을 지나 부른 곳까지
        )
    loss = gap + magnitude * (positive.square().mean(-1) + negative.square().mean(-1))
    return loss.to(energies.dtype)


@with_gradients
def score_matching(energy: Energy, data: Float[Tensor, "*seeds n d"]) -> Float[Tensor, "*seeds"]:
    r"""암묵적 스코어 매칭: $Z$도 데이터의 스코어도 없이 스코어를 맞춘다.

    $$L = \frac{1}{n} \sum_i \left[ \tfrac12 \lVert \nabla E(x_i) \rVert^2 - \operatorname{tr} \nabla^2 E(x_i) \right]
    = \tfrac12\, \mathbb{E} \lVert \nabla \log p_{\text{데이터}} - \nabla \log p_\theta \rVert^2 + \text{상수}$$

    모델의 스코어는 $\nabla \log p_\theta = -\nabla E$라 $Z$가 없다. 대각합은 좌표마다 한 번씩 뒤로 미분해 정확히
    구하므로, 차원에 비례하는 시간이 든다. 음수일 수 있다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$. 두 번 미분할 수 있고, 점마다 따로 계산해야 한다.
        data: 데이터 $x_i$. 앞의 축(시드)마다 따로 계산한다.

    Returns:
        손실. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 비었거나, 유한하지 않거나, 축이 둘보다 적거나, 에너지가 점마다 실수 하나가 아니거나, 점으로 미분할
            수 없으면.

    References:
        Hyvärinen, A. (2005). Estimation of Non-Normalized Statistical Models by Score Matching, 정리 1.
    """
    _calls.clouds(data=data)
    found = _calls.derivatives(energy, data, accept="finite", again=True)
    units = torch.eye(data.shape[-1], device=data.device, dtype=data.dtype)
    along = (found.product(unit.expand_as(data))[..., i] for i, unit in enumerate(units))
    return _matched(found, sum(along, torch.zeros_like(found.gradient[..., 0])))


@with_gradients
def sliced_score_matching(
    energy: Energy,
    data: Float[Tensor, "*seeds n d"],
    directions: Float[Tensor, "*seeds n d"],
) -> Float[Tensor, "*seeds"]:
    r"""무작위 방향 하나로 대각합을 추정하는 sliced 스코어 매칭. 차원이 커도 뒤로 한 번만 더 미분한다.

    $$L = \frac{1}{n} \sum_i \left[ \tfrac12 \lVert \nabla E(x_i) \rVert^2 - v_i^\top \nabla^2 E(x_i)\, v_i \right],
    \qquad \mathbb{E}[v v^\top] = I$$

    앞의 항을 $\tfrac12 (v^\top \nabla E)^2$으로 두지 않고 그 기댓값을 쓴, 분산을 줄인 형태다. 방향에 대한 기댓값은
    [`score_matching`][mgk_docs_src.energy.training.score_matching]이다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$. 두 번 미분할 수 있고, 점마다 따로 계산해야 한다.
        data: 데이터 $x_i$. 앞의 축(시드)마다 따로 계산한다.
        directions: 점마다의 방향 $v_i$. 표준 정규이거나, 좌표마다 $\pm 1$.

    Returns:
        손실. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 비었거나, 유한하지 않거나, 모양이나 장치가 다르거나, 에너지가 점마다 유한한 실수 하나가 아니거나,
            점으로 미분할 수 없거나 기울기가 유한하지 않으면.

    References:
        Song, Y. 외 (2019). Sliced Score Matching: A Scalable Approach to Density and Score Estimation, 식 8.
    """
    _calls.clouds(data=data, directions=directions)
    checks.shape(data.shape, directions=directions)
    checks.device(data.device, directions=directions)
    found, v = _calls.derivatives(energy, data, accept="finite", again=True), directions.detach()
    return _matched(found, (found.product(v) * v).sum(-1))


@with_gradients
def denoising_score_matching(
    energy: Energy,
    data: Float[Tensor, "*seeds n d"],
    noise: Float[Tensor, "*seeds n d"],
    *,
    sigma: float,
) -> Float[Tensor, "*seeds"]:
    r"""노이즈 제거 스코어 매칭: 노이즈를 섞고, 섞은 노이즈를 기울기로 예측한다. 점으로는 한 번만 미분한다.

    $$L = \frac{1}{2n} \sum_i \lVert \sigma \nabla E(x_i + \sigma \epsilon_i) - \epsilon_i \rVert^2, \qquad
    \epsilon_i \sim \mathcal{N}(0, I)$$

    손실을 최소로 하는 것은 데이터의 스코어가 아니라 노이즈를 섞은 데이터
    $p_{\text{데이터}} * \mathcal{N}(0, \sigma^2 I)$의 스코어다. $\sigma$가 크면 분포가 평활화된다. 작으면 신호가
    기울기의 분산에 묻힌다: $\theta$의 기울기는 평균이 $\sigma^2$에, 표준 편차가 $\sigma$에 비례해 준다. Vincent의
    손실에 $\sigma^2$을 곱한 것이라, 나누어 되돌리면 평균은 그대로이고 분산이 $1 / \sigma^2$으로 커진다. $+\epsilon$과
    $-\epsilon$을 쌍지어 넣으면 늘어난 분산이 사라진다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$. 점마다 따로 계산해야 한다.
        data: 데이터 $x_i$. 앞의 축(시드)마다 따로 계산한다.
        noise: 표준 정규 노이즈 $\epsilon_i$. `data`와 같은 모양.
        sigma: 노이즈의 세기 $\sigma > 0$.

    Returns:
        0 이상의 손실. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 비었거나, 유한하지 않거나, 모양이나 장치가 다르거나, $\sigma$가 0보다 크지 않거나, 에너지가 점마다
            유한한 실수 하나가 아니거나, 점으로 미분할 수 없거나 기울기가 유한하지 않으면.

    References:
        Vincent, P. (2011). A Connection Between Score Matching and Denoising Autoencoders, 4.2절.
    """
    _calls.clouds(data=data, noise=noise)
    checks.shape(data.shape, noise=noise)
    checks.device(data.device, noise=noise)
    checks.number(POSITIVE, sigma=sigma)
    epsilon = noise.detach()
    slope = _calls.derivatives(energy, data.detach() + sigma * epsilon, accept="finite", again=True).gradient
    wide, target = widen(slope, epsilon)
    return ((sigma * wide - target).square().sum(-1).mean(-1) / 2).to(slope.dtype)


@full_precision
def noise_contrastive(
    energy: Energy,
    log_partition: Float[Tensor, "*seeds"],
    data: Float[Tensor, "*seeds n d"],
    noise: Float[Tensor, "*seeds m d"],
    *,
    log_noise: Callable[[Tensor], Tensor],
) -> Float[Tensor, "*seeds"]:
    r"""잡음 대조 추정: 데이터와 노이즈를 구별하는 이진 분류. 로짓이 두 로그 밀도의 차다.

    $$L = \frac{1}{n} \left[ \sum_{i=1}^{n} \ell(z(x_i), 1) + \sum_{j=1}^{m} \ell(z(y_j), 0) \right], \qquad
    z(x) = -E(x) - c - \log q(x) - \log \tfrac{m}{n}$$

    $\ell$은 [`bce_with_logits`][mgk_docs_src.losses.binary.bce_with_logits], $q$는 노이즈의 밀도다. $c$도 함께
    학습하며, 최적에서 $c = \log Z$다. 최대 가능도에서 $c$를 학습하면 $c \to -\infty$로 발산하지만, 여기서는 노이즈의
    항이 막는다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$.
        log_partition: 학습하는 상수 $c$. 시드마다 하나.
        data: 데이터 $x_i$.
        noise: 노이즈 $y_j \sim q$.
        log_noise: 노이즈의 로그 밀도 $\log q$. 점 $(\ldots, d)$를 받아 $(\ldots)$를 준다. 데이터와 노이즈
            모두에서 유한해야 한다.

    Returns:
        0 이상의 손실(nat). $\theta$와 $c$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 비었거나, 유한하지 않거나, 모양이나 장치가 맞지 않거나, 에너지나 로그 밀도가 점마다 유한한 실수
            하나가 아니면.

    References:
        Gutmann, M. & Hyvärinen, A. (2010). Noise-Contrastive Estimation: A New Estimation Principle for Unnormalized
        Statistical Models, 2.2절.
    """
    _calls.clouds(data=data, noise=noise)
    n, m = data.shape[-2], noise.shape[-2]
    checks.shape((*data.shape[:-2], m, data.shape[-1]), noise=noise)
    checks.floating(log_partition=log_partition)
    checks.shape(data.shape[:-2], log_partition=log_partition)
    checks.device(data.device, noise=noise, log_partition=log_partition)
    points = torch.cat([data.detach(), noise.detach()], -2)
    log_q = _log_q(log_noise, points, "log_noise")
    energies = _calls.energies(energy, points, accept="nan")
    wide, c, q = widen(energies, log_partition, log_q)
    logits = -wide - c.unsqueeze(-1) - q - math.log(m / n)  # (*seeds, n + m)
    if not math.isfinite(checks.plain(logits).sum()):  # 어느 값 때문인지 알린다
        named = {"energy": wide, "log_partition": c, "log_noise": q, "energy + log_partition + log_noise": logits}
        checks.within(**{name: (value, REAL) for name, value in named.items()})
    is_data = torch.arange(n + m, device=logits.device) < n
    loss = bce_with_logits(logits, is_data.to(logits.dtype).expand_as(logits), reduction="none").sum(-1) / n
    return loss.to(energies.dtype)


class Chains(NamedTuple):
    r"""음의 항의 체인.

    Attributes:
        position: 체인이 있는 곳 $\tilde x$.
        acceptance: 채택률. 채택·기각 단계가 없는 체인에서는 유한한 위치로 옮긴 스텝의 비율.

    References:
        Hinton, G. (2002). Training Products of Experts by Minimizing Contrastive Divergence, 3절.
    """

    position: Float[Tensor, "*chains d"]
    acceptance: Float[Tensor, "*chains"]


@with_gradients
def negative_phase(
    energy: Energy,
    start: Float[Tensor, "*chains d"],
    *,
    k: int,
    step_size: float,
    metropolis: bool = True,
    generator: torch.Generator | None,
) -> Chains:
    r"""음의 항: 체인을 랑주뱅으로 $k$스텝 옮긴다. 데이터에서 출발하면 CD-$k$, 앞 학습 스텝의 체인에서 이으면 PCD다.

    $$\tilde x_0 = x, \qquad \tilde x_{t+1} \sim K_\theta(\,\cdot \mid \tilde x_t), \qquad t = 0, \ldots, k - 1$$

    $K_\theta$는 채택·기각 단계를 더하면 [`mala_step`][mgk_docs_src.energy.samplers.mala_step], 아니면
    [`langevin_step`][mgk_docs_src.energy.samplers.langevin_step]이다. MALA만 $p_\theta$를 정확히 유지한다.

    Args:
        energy: 에너지 $E$.
        start: 체인의 초기 위치.
        k: 체인의 스텝 수. 1 이상.
        step_size: 스텝 크기 $\epsilon > 0$.
        metropolis: 채택·기각 단계를 더할지.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        체인이 있는 곳과 채택률.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: $k$가 1보다 작거나, 스텝 크기가 0보다 크지 않거나, 초기 위치나 그곳의 에너지가 유한하지 않거나,
            에너지가 점마다 실수 하나가 아니거나, 점으로 미분할 수 없거나, 다른 장치의 발생기이면.

    References:
        Hinton, G. (2002). Training Products of Experts by Minimizing Contrastive Divergence, 3절.
        Tieleman, T. (2008). Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient.
    """
    checks.count(1, k=k)
    _calls.points(start=start)
    checks.within(start=(start, REAL))
    kernel = mala_step if metropolis else langevin_step
    walk = partial(kernel, energy, step_size=step_size, generator=generator)
    draws = sample(walk, init(energy, start), 1, burn=k - 1)
    return Chains(draws.state.position, draws.info.accepted.to(start.dtype).mean(0))


@full_precision
def jump(
    energy: Energy,
    position: Float[Tensor, "*chains d"],
    proposal: Float[Tensor, "*chains d"],
    *,
    log_proposal: Callable[[Tensor], Tensor],
    generator: torch.Generator | None,
) -> Chains:
    r"""멀리 건너뛰기: 지금 위치와 상관없이 제안하는 메트로폴리스–헤이스팅스. 골짜기 사이의 언덕을 넘지 않는다.

    $$y \sim q, \qquad \Delta = \bigl[ E(y) + \log q(y) \bigr] - \bigl[ E(x) + \log q(x) \bigr], \qquad
    \alpha = \min(1, e^{-\Delta})$$

    랑주뱅 스텝은 한 봉우리 안을 잘 훑지만 다른 봉우리로 넘어가지 못한다. 둘 다 목표 분포를 유지하므로 번갈아 써도
    된다. 에너지의 기울기는 쓰지 않는다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$.
        position: 체인의 지금 위치 $x$.
        proposal: 체인마다의 제안 $y \sim q$. 다른 체인과도 상관없이 뽑는다.
        log_proposal: 제안의 로그 밀도 $\log q$. 상수는 빠져도 된다.
        generator: 채택을 정할 CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        체인의 다음 위치와, 채택했으면 1인 값. 에너지가 유한하지 않은 제안은 기각하고, $q$가 뽑을 수 없는
        위치($\log q = -\infty$)에 있는 체인은 머문다.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 위치나 제안이나 지금의 에너지가 유한하지 않거나, 에너지나 로그
            밀도가 점마다 실수 하나가 아니거나, 로그 밀도가 nan이거나, 다른 장치의 발생기이면.

    References:
        Robert, C. & Casella, G. (2004). Monte Carlo Statistical Methods, 7.4절 (독립 메트로폴리스–헤이스팅스).
    """
    _calls.points(position=position, proposal=proposal)
    checks.shape(position.shape, proposal=proposal)
    checks.device(position.device, proposal=proposal)
    checks.within(position=(position, REAL), proposal=(proposal, REAL))
    here, there = position.detach(), proposal.detach()
    with torch.no_grad():
        before = _calls.energies(energy, here, accept="finite")
        level, other, now, then = widen(
            before,
            _calls.energies(energy, there, accept="nan"),
            _log_q(log_proposal, here, "log_proposal"),
            _log_q(log_proposal, there, "log_proposal"),
        )
    _calls.numbers(log_proposal=now + then)
    # q가 뽑을 수 없는 위치(log q = −∞)에서는 돌아갈 길이 없고, 그런 제안은 나올 수 없다. 어느 쪽이든 머문다.
    error = (other + then) - (level + now)
    error = torch.where(other.isfinite() & then.isfinite(), error, math.inf)
    u = rand(*error.shape, generator=generator, device=error.device, dtype=error.dtype)
    accepted = u < torch.exp(-error.clamp(min=0))
    return Chains(torch.where(accepted[..., None], there, here), accepted.to(before.dtype))


class Model(NamedTuple):
    r"""학습하는 에너지 모델, 시드마다 하나.

    $$E(x; \theta) = f_\theta(\gamma(x)) + \frac{\lVert x \rVert^2}{2 \rho^2}, \qquad
    \gamma(x) = \bigl[ x,\; \sin(k x),\; \cos(k x) \bigr]_{k = 1, \ldots, K}$$

    Attributes:
        networks: 신경망 $f_\theta$의 가중치.
        log_partition: 잡음 대조 추정이 함께 학습하는 상수 $c$. 다른 방법은 쓰지 않아 0에 머문다.
        frequencies: 진동수의 수 $K$.
        radius: 멀리서 에너지를 높이는 가둠 항의 크기 $\rho$.

    References:
        Tancik, M. 외 (2020). Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains.
    """

    networks: Networks
    log_partition: Float[Tensor, "s"]
    frequencies: int
    radius: float


@with_gradients
def create(
    dims: int,
    generators: Sequence[torch.Generator | None],
    *,
    hidden: tuple[int, ...] = (128,),
    frequencies: int = 3,
    radius: float = 1.0,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Model:
    r"""학습 전의 에너지 모델.

    $$f_\theta : \mathbb{R}^{d (2K + 1)} \to \mathbb{R}, \qquad c = 0$$

    Args:
        dims: 데이터의 차원 $d \ge 1$.
        generators: 시드마다의 발생기. 하나 이상.
        hidden: 은닉층마다의 너비. 비었으면 특징에서 곧장 나오는 선형 모델이다.
        frequencies: 진동수의 수 $K \ge 0$.
        radius: 가둠 항의 크기 $\rho > 0$.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        기울기를 받는 모델.

    Raises:
        TypeError: 정수나 수나 발생기가 아닌 값을 받으면.
        ValueError: 범위를 벗어나거나, 발생기가 없거나, 다른 장치의 발생기이거나, 자료형이 실수형이 아니면.

    References:
        LeCun, Y. 외 (2006). A Tutorial on Energy-Based Learning, 1절.
    """
    checks.count(1, dims=dims)
    checks.count(0, frequencies=frequencies)
    checks.number(POSITIVE, radius=radius)
    checks.instance(tuple, hidden=hidden)
    checks.count(1, **{f"hidden[{i}]": width for i, width in enumerate(hidden)})
    if not isinstance(generators, Sequence):
        raise TypeError(f"generators: 시드마다의 발생기를 담은 열이어야 하는데 {type(generators).__name__}이다")
    given = {f"generators[{i}]": g for i, g in enumerate(generators) if g is not None}
    checks.instance(torch.Generator, **given)
    if dtype is not None and not dtype.is_floating_point:
        raise ValueError(f"dtype: 실수형이어야 하는데 {dtype}이다")
    networks = initial((dims * (2 * frequencies + 1), *hidden, 1), generators, device=device, dtype=dtype)
    constant = networks.biases[0].detach().new_zeros(len(generators)).requires_grad_()
    return Model(networks, constant, frequencies, radius)


def energy_of(model: Model) -> Energy:
    r"""모델의 에너지를 함수로. 시드마다의 점 $(s, n, d)$를 받아 $(s, n)$을 준다.

    $$E(x; \theta) = f_\theta(\gamma(x)) + \frac{\lVert x \rVert^2}{2 \rho^2}$$

    $f_\theta$의 $\tanh$와 사인, 코사인은 유한하므로, 멀리서는 가둠 항이 더 커서 $Z$가 유한하다.

    Args:
        model: 에너지 모델.

    Returns:
        에너지. 받은 점이 모델과 맞지 않으면 ValueError를 낸다.

    Raises:
        TypeError: 에너지 모델이 아니면.

    References:
        LeCun, Y. 외 (2006). A Tutorial on Energy-Based Learning, 1절.
    """
    checks.instance(Model, model=model)
    return partial(_energy, model)


class Trained(NamedTuple):
    r"""학습한 모델.

    Attributes:
        model: 학습 스텝마다의 가중치를 이동 평균한 모델. 기울기가 없다. 멈춘 시드는 멈추기 전의 가중치다.
        chains: 마지막 체인이 있는 곳. 체인이 없으면 `None`.
        losses: 학습 스텝마다, 갱신하기 전의 손실. 멈춘 시드는 그 스텝부터 nan이다.
        stopped: 손실이나 기울기가 유한하지 않아 멈춘 스텝. 끝까지 학습한 시드는 −1.

    References:
        Kingma, D. P. & Ba, J. (2015). Adam: A Method for Stochastic Optimization.
    """

    model: Model
    chains: Float[Tensor, "s m d"] | None
    losses: Float[Tensor, "steps s"]
    stopped: Int64[Tensor, "s"]


Objective = Callable[[Model, Tensor | None], tuple[Tensor, Tensor | None]]


@with_gradients
def train(
    objective: Objective,
    model: Model,
    chains: Float[Tensor, "s m d"] | None = None,
    *,
    steps: int,
    learning_rate: float,
    averaging: float = 0.99,
) -> Trained:
    r"""어느 손실로든 에너지 모델을 학습한다. 시드들은 한 묶음으로 함께 학습하지만 서로 섞이지 않는다.

    $$\theta \leftarrow \mathrm{Adam}(\theta, \nabla_\theta L), \qquad
    \eta_t = \eta \cos^2 \frac{\pi t}{2T}, \qquad \bar\theta \leftarrow a \bar\theta + (1 - a)\, \theta$$

    학습률은 처음 20스텝 동안 올렸다가 코사인을 따라 0으로 내린다. Adam의 $\beta = (0.9, 0.99)$다.
    받은 모델은 바꾸지 않는다. 손실이나 기울기가 유한하지 않은 시드는 그 스텝에서 멈추고, 몇째 시드가 몇째 스텝에서
    멈췄는지 경고한다(둘 다 0부터 센다). 나머지는 계속 학습한다. 값을 살피므로 스텝마다 장치와 동기화한다.

    Args:
        objective: 모델과 체인을 받아, 시드마다의 손실 $L$ $(s)$와 다음 체인을 주는 함수. 체인이 없는 방법은 받은 값을
            그대로 준다.
        model: 초기 모델. [`create`][mgk_docs_src.energy.training.create]로 만든다.
        chains: 초기 체인. PCD만 쓴다.
        steps: 학습 스텝 수 $T$. 1 이상.
        learning_rate: 학습률 $\eta > 0$.
        averaging: 이동 평균에서 옛 값의 가중치 $a$. $[0, 1)$ 안. 처음에는 지나온 스텝의 평균에서 시작한다.

    Returns:
        학습한 모델, 마지막 체인, 스텝마다의 손실, 멈춘 스텝.

    Raises:
        TypeError: 정수나 수가 아닌 값을 받거나, 손실이 텐서가 아니면.
        ValueError: 수가 범위를 벗어나거나, 손실이 시드마다 실수 하나가 아니거나, 모든 시드가 멈추면.

    References:
        Kingma, D. P. & Ba, J. (2015). Adam: A Method for Stochastic Optimization.
        Loshchilov, I. & Hutter, F. (2017). SGDR: Stochastic Gradient Descent with Warm Restarts, 식 5.
    """
    checks.count(1, steps=steps)
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(_BELOW_ONE, averaging=averaging)
    checks.function(objective=objective)
    checks.instance(Model, model=model)
    model = _leaves(model)
    parameters = [*model.networks.weights, *model.networks.biases, model.log_partition]
    average = _frozen(model)
    means = [*average.networks.weights, *average.networks.biases, average.log_partition]
    optimiser = torch.optim.Adam(parameters, betas=(0.9, 0.99), fused=True)
    losses = []
    stopped = torch.full_like(model.log_partition, -1, dtype=torch.int64, requires_grad=False)
    _stop(parameters, stopped, step=0, blame="model", parameters=parameters)
    for step in range(steps):
        decay = math.cos(math.pi * step / (2 * steps)) ** 2
        optimiser.param_groups[0]["lr"] = learning_rate * decay * min(1.0, (step + 1) / _WARM_UP)
        found = objective(model, chains)
        if not (isinstance(found, tuple) and len(found) == 2):
            raise TypeError("objective: (손실, 다음 체인)을 주어야 하는데 다른 것을 주었다")
        loss, chains = found
        checks.floating(objective=loss)
        checks.shape(model.log_partition.shape, objective=loss)
        # 시드마다의 손실을 더해 미분하면 신경망마다 자기 기울기만 받는다.
        optimiser.zero_grad()
        loss.sum().backward(inputs=parameters)  # type: ignore[no-untyped-call]
        slopes = [parameter.grad for parameter in parameters if parameter.grad is not None]
        whole = _stop([loss.detach(), *slopes], stopped, step=step, blame="objective", parameters=parameters)
        loss = loss.detach()
        if not whole:
            loss = loss.where(stopped < 0, math.nan)
            for slope in slopes:
                slope[stopped >= 0] = 0
        losses.append(loss)
        optimiser.step()
        share = max(1 - averaging, 1 / (step + 1))
        with torch.no_grad():
            for mean, parameter in zip(means, parameters, strict=True):
                mean.lerp_(parameter, share if whole else share * _rows(stopped < 0, mean))
    return Trained(average, chains, torch.stack(losses), stopped)


@full_precision
def grid_divergence(
    log_truth: Float[Tensor, "m"],
    log_model: Float[Tensor, "*seeds m"],
) -> Float[Tensor, "*seeds"]:
    r"""격자 위에서 계산한, 참 분포에서 모델까지의 쿨백–라이블러 발산. 둘 다 정규화하지 않은 로그 밀도여도 된다.

    $$D_{\mathrm{KL}}(p \,\|\, p_\theta) = \sum_i p_i \left( \log p_i - \log p_{\theta, i} \right), \qquad
    \log p_i = \log \tilde p_i - \operatorname*{logsumexp}_j \log \tilde p_j$$

    칸의 크기는 지워진다. float64로 계산한다.

    Args:
        log_truth: 칸마다의 참 로그 밀도.
        log_model: 칸마다의 모델 로그 밀도. 에너지라면 $-E$.

    Returns:
        0 이상의 발산(nat), 반올림만큼 음수일 수 있다. float64. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 비었거나, 유한하지 않거나, 칸의 수나 장치가 다르면.

    References:
        Cover, T. M. & Thomas, J. A. (2006). Elements of Information Theory, 2.3절.
    """
    checks.floating(log_truth=log_truth, log_model=log_model)
    checks.ndim(1, 1, log_truth=log_truth)
    checks.ndim(1, math.inf, log_model=log_model)
    checks.nonempty(log_truth=log_truth, log_model=log_model)
    checks.shape((*log_model.shape[:-1], len(log_truth)), log_model=log_model)
    checks.device(log_truth.device, log_model=log_model)
    checks.within(log_truth=(log_truth, REAL), log_model=(log_model, REAL))
    truth, model = log_truth.double().log_softmax(-1), log_model.double().log_softmax(-1)
    return (truth.exp() * (truth - model)).sum(-1)


def _matched(found: _calls.Derivatives, curvature: Tensor) -> Tensor:
    """스코어 매칭의 손실: ½‖∇E‖²에서 곡률을 뺀다."""
    slope, bend = widen(found.gradient, curvature)
    return (slope.square().sum(-1) / 2 - bend).mean(-1).to(found.gradient.dtype)


def _log_q(log_density: Callable[[Tensor], Tensor], x: Tensor, name: str) -> Tensor:
    checks.function(**{name: log_density})
    value = log_density(x)
    checks.floating(**{name: value})
    checks.shape(x.shape[:-1], **{name: value})
    return value


@full_precision
def _energy(model: Model, x: Tensor) -> Tensor:
    k = torch.arange(1, model.frequencies + 1, device=x.device, dtype=x.dtype)
    waves = (x[..., None, :] * k[:, None]).flatten(-2)  # (s, n, K d)
    features = torch.cat([x, waves.sin(), waves.cos()], -1)
    bowl = x.square().sum(-1) / (2 * model.radius**2)
    return forward(model.networks, features, activation=torch.tanh).squeeze(-1) + bowl


def _frozen(model: Model) -> Model:
    return model._replace(networks=freeze(model.networks), log_partition=model.log_partition.detach().clone())


def _stop(values: list[Tensor], stopped: Tensor, *, step: int, blame: str, parameters: list[Tensor]) -> bool:
    """시드마다의 값이 유한하지 않은 시드를 멈추고, 멈춘 시드가 하나도 없는지 알린다.

    멈춘 시드의 매개변수는 0으로 둔다. 목적 함수는 모든 시드를 함께 계산하므로, 남은 시드를 위해 계속 유한해야 한다.
    """
    # 더한 값이 유한하면 모두 유한하다.
    total = torch.stack([value.detach().flatten(1).sum(1) if value.ndim > 1 else value.detach() for value in values])
    broken = (stopped < 0) & ~total.sum(0).isfinite()
    if broken.any():
        names = ", ".join(map(str, broken.nonzero().flatten().tolist()))
        told = f"{step}스텝에서 시드 {names}의 손실이나 기울기나 매개변수가 유한하지 않다"
        stopped[broken] = step
        if not (stopped < 0).any():
            raise ValueError(f"{blame}: {told}. 남은 시드가 없다")
        warnings.warn(f"{told}. 그 시드만 멈추고 나머지는 계속 학습한다", RuntimeWarning, stacklevel=5)
        with torch.no_grad():
            for parameter in parameters:
                parameter[broken] = 0
    return bool((stopped < 0).all())


def _rows(running: Tensor, like: Tensor) -> Tensor:
    """시드마다의 표시를 `like`의 첫 축에 맞춘 0과 1."""
    return running.to(like.dtype).view(-1, *[1] * (like.ndim - 1))


def _leaves(model: Model) -> Model:
    """기울기를 받는 사본."""
    copy = _frozen(model)
    for tensor in (*copy.networks.weights, *copy.networks.biases, copy.log_partition):
        tensor.requires_grad_()
    return copy
