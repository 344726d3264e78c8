"""에너지 모델을 배우는 여러 길: `docs/energy/training.md`."""

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
_WARM_UP = 20  # Adam이 기울기의 크기를 어림하는 동안은 조금만 움직인다


@full_precision
def contrastive_divergence(
    energy: Energy,
    data: Float[Tensor, "*seeds n d"],
    samples: Float[Tensor, "*seeds m d"],
    *,
    magnitude: float = 0.0,
    limit: float = 1000.0,
) -> Float[Tensor, "*seeds"]:
    r"""대조 발산의 손실: 자료의 에너지는 내리고, 사슬이 간 곳의 에너지는 올린다.

    $$L = \bar E_+ - \bar E_- + \alpha \left( \overline{E_+^2} + \overline{E_-^2} \right), \qquad
    \bar E_+ = \frac{1}{n} \sum_i E(x_i), \qquad \bar E_- = \frac{1}{m} \sum_j E(\tilde x_j)$$

    $\tilde x_j$는 자료에서 출발한 사슬이 $k$걸음 뒤에 있는 곳(CD-$k$)이거나, 걸음마다 이어 온 사슬이 있는 곳(PCD)이다.
    어느 쪽이든 상수로 본다. $\tilde x_j \sim p_\theta$이면 $\alpha = 0$의 기울기는 음의 로그 가능도의 기울기다.
    $|\bar E_+ - \bar E_-|$가 `limit`을 넘으면 사슬이 모델을 따라가지 못한다는 뜻이라 경고한다.
    값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$.
        data: 자료 $x_i$. 앞의 축(씨앗)마다 따로 잰다.
        samples: 사슬이 있는 곳 $\tilde x_j$.
        magnitude: 에너지의 크기를 누르는 세기 $\alpha \ge 0$.
        limit: 경고할 차의 크기. 0보다 크다.

    Returns:
        손실. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
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
    low, high = checks.within(**{"energy의 차": (gap, REAL)})["energy의 차"]
    if max(-low, high) > limit:
        warnings.warn(
            f"자료와 사슬의 에너지 차가 {low if -low > high else high:.3g}로 {limit:g}을 넘었다: 사슬이 모델을 "
            "따라가지 못하고 있다",
            RuntimeWarning,
            stacklevel=3,  # 정밀도를 지키는 겉을 지나 부른 곳까지
        )
    loss = gap + magnitude * (positive.square().mean(-1) + negative.square().mean(-1))
    return loss.to(energies.dtype)


@with_gradients
def score_matching(energy: Energy, data: Float[Tensor, "*seeds n d"]) -> Float[Tensor, "*seeds"]:
    r"""암묵적 점수 맞추기: $Z$도 자료의 점수도 없이 점수를 맞춘다.

    $$L = \frac{1}{n} \sum_i \left[ \tfrac12 \lVert \nabla E(x_i) \rVert^2 - \operatorname{tr} \nabla^2 E(x_i) \right]
    = \tfrac12\, \mathbb{E} \lVert \nabla \log p_{\text{자료}} - \nabla \log p_\theta \rVert^2 + \text{상수}$$

    모델의 점수는 $\nabla \log p_\theta = -\nabla E$라 $Z$가 없다. 대각합은 좌표마다 한 번씩 뒤로 미분해 정확히
    구하므로, 차원에 비례하는 시간이 든다. 음수일 수 있다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$. 두 번 미분할 수 있고, 점마다 따로 매겨야 한다.
        data: 자료 $x_i$. 앞의 축(씨앗)마다 따로 잰다.

    Returns:
        손실. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 와야 할 자리에 다른 것이 오면.
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
    r"""자른 점수 맞추기: 대각합을 무작위 방향 하나로 어림한다. 차원이 커도 뒤로 한 번만 더 미분한다.

    $$L = \frac{1}{n} \sum_i \left[ \tfrac12 \lVert \nabla E(x_i) \rVert^2 - v_i^\top \nabla^2 E(x_i)\, v_i \right],
    \qquad \mathbb{E}[v v^\top] = I$$

    앞의 항을 $\tfrac12 (v^\top \nabla E)^2$으로 두지 않고 그 기댓값을 쓴, 분산을 줄인 꼴이다. 방향에 대한 기댓값은
    [`score_matching`][mgk_docs_src.energy.training.score_matching]이다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$. 두 번 미분할 수 있고, 점마다 따로 매겨야 한다.
        data: 자료 $x_i$. 앞의 축(씨앗)마다 따로 잰다.
        directions: 점마다의 방향 $v_i$. 표준 정규이거나, 좌표마다 $\pm 1$.

    Returns:
        손실. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 와야 할 자리에 다른 것이 오면.
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
    r"""잡음 제거 점수 맞추기: 잡음을 섞고, 섞은 잡음을 기울기로 맞힌다. 점으로는 한 번만 미분한다.

    $$L = \frac{1}{2n} \sum_i \lVert \sigma \nabla E(x_i + \sigma \epsilon_i) - \epsilon_i \rVert^2, \qquad
    \epsilon_i \sim \mathcal{N}(0, I)$$

    가장 작게 하는 것은 자료의 점수가 아니라 잡음을 섞은 자료 $p_{\text{자료}} * \mathcal{N}(0, \sigma^2 I)$의 점수다.
    $\sigma$가 크면 뭉개진다. 작으면 신호가 흔들림에 묻힌다: $\theta$의 기울기는 평균이 $\sigma^2$에, 표준 편차가
    $\sigma$에 비례해 준다. Vincent의 손실에 $\sigma^2$을 곱한 것이라, 나누어 되돌리면 평균은 그대로이고 분산이
    $1 / \sigma^2$으로 커진다. $+\epsilon$과 $-\epsilon$을 짝지어 넣으면 그 흔들림이 사라진다. 값을 살피므로 장치와
    동기화한다.

    Args:
        energy: 에너지 $E$. 점마다 따로 매겨야 한다.
        data: 자료 $x_i$. 앞의 축(씨앗)마다 따로 잰다.
        noise: 표준 정규 잡음 $\epsilon_i$. `data`와 같은 모양.
        sigma: 잡음의 세기 $\sigma > 0$.

    Returns:
        0 이상의 손실. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
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
    r"""잡음 대조 추정: 자료와 잡음을 가르는 이진 분류. 로짓이 두 로그 밀도의 차다.

    $$L = \frac{1}{n} \left[ \sum_{i=1}^{n} \ell(z(x_i), 1) + \sum_{j=1}^{m} \ell(z(y_j), 0) \right], \qquad
    z(x) = -E(x) - c - \log q(x) - \log \tfrac{m}{n}$$

    $\ell$은 [`bce_with_logits`][mgk_docs_src.losses.binary.bce_with_logits], $q$는 잡음의 밀도다. $c$도 함께 배우며
    다 배우면 $c = \log Z$다. 최대 가능도에서 $c$를 배우면 $c \to -\infty$로 달아나지만, 여기서는 잡음의 항이 붙든다.
    값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$.
        log_partition: 배우는 상수 $c$. 씨앗마다 하나.
        data: 자료 $x_i$.
        noise: 잡음 $y_j \sim q$.
        log_noise: 잡음의 로그 밀도 $\log q$. 점 $(\ldots, d)$를 받아 $(\ldots)$를 준다. 자료와 잡음
            모두에서 유한해야 한다.

    Returns:
        0 이상의 손실(nat). $\theta$와 $c$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 와야 할 자리에 다른 것이 오면.
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
    if not math.isfinite(checks.plain(logits).sum()):  # 어느 것 때문인지 말한다
        named = {"energy": wide, "log_partition": c, "log_noise": q, "energy + log_partition + log_noise": logits}
        checks.within(**{name: (value, REAL) for name, value in named.items()})
    is_data = torch.arange(n + m, device=logits.device) < n
    loss = bce_with_logits(logits, is_data.to(logits.dtype).expand_as(logits), reduction="none").sum(-1) / n
    return loss.to(energies.dtype)


class Chains(NamedTuple):
    r"""음의 항의 사슬.

    Attributes:
        position: 사슬이 있는 곳 $\tilde x$.
        acceptance: 받아들인 걸음의 몫. 받아들이는 단계가 없는 사슬에서는 유한한 자리로 옮긴 걸음의 몫.

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
    r"""음의 항: 랑주뱅 걸음을 $k$번 걷는다. 자료에서 출발하면 CD-$k$, 앞 걸음의 사슬에서 이으면 PCD다.

    $$\tilde x_0 = x, \qquad \tilde x_{t+1} \sim K_\theta(\,\cdot \mid \tilde x_t), \qquad t = 0, \ldots, k - 1$$

    $K_\theta$는 메트로폴리스를 더하면 [`mala_step`][mgk_docs_src.energy.samplers.mala_step], 아니면
    [`langevin_step`][mgk_docs_src.energy.samplers.langevin_step]이다. 앞의 것만 $p_\theta$를 정확히 지킨다.

    Args:
        energy: 에너지 $E$.
        start: 사슬의 처음 자리.
        k: 걸음 수. 1 이상.
        step_size: 걸음의 크기 $\epsilon > 0$.
        metropolis: 받아들이는 단계를 더할지.
        generator: CPU 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        사슬이 있는 곳과, 받아들인 걸음의 몫.

    Raises:
        TypeError: 텐서, 정수, 수가 와야 할 자리에 다른 것이 오면.
        ValueError: $k$가 1보다 작거나, 걸음이 0보다 크지 않거나, 처음 자리나 거기의 에너지가 유한하지 않거나, 에너지가
            점마다 실수 하나가 아니거나, 점으로 미분할 수 없거나, CPU가 아닌 발생기이면.

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
    r"""멀리 건너뛰기: 지금 자리와 상관없이 제안하는 메트로폴리스–헤이스팅스. 골짜기 사이의 언덕을 넘지 않는다.

    $$y \sim q, \qquad \Delta = \bigl[ E(y) + \log q(y) \bigr] - \bigl[ E(x) + \log q(x) \bigr], \qquad
    \alpha = \min(1, e^{-\Delta})$$

    랑주뱅 걸음은 한 봉우리 안을 잘 훑지만 다른 봉우리로 넘어가지 못한다. 두 걸음 모두 목표 분포를 지키므로 번갈아 써도
    된다. 에너지의 기울기는 쓰지 않는다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$.
        position: 사슬의 지금 자리 $x$.
        proposal: 사슬마다의 제안 $y \sim q$. 다른 사슬과도 상관없이 뽑는다.
        log_proposal: 제안의 로그 밀도 $\log q$. 상수는 빠져도 된다.
        generator: 받아들일지 정할 CPU 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        사슬의 다음 자리와, 받아들였으면 1인 몫. 에너지가 유한하지 않은 제안은 받아들이지 않고, $q$가 뽑을 수 없는
        자리($\log q = -\infty$)에 있는 사슬은 머문다.

    Raises:
        TypeError: 텐서가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 자리나 제안이나 지금의 에너지가 유한하지 않거나, 에너지나 로그
            밀도가 점마다 실수 하나가 아니거나, 로그 밀도가 nan이거나, CPU가 아닌 발생기이면.

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
    # q가 뽑을 수 없는 자리(log q = −∞)에서는 돌아갈 길이 없고, 그런 제안은 나올 수 없다. 어느 쪽이든 머문다.
    error = (other + then) - (level + now)
    error = torch.where(other.isfinite() & then.isfinite(), error, math.inf)
    u = rand(*error.shape, generator=generator, device=error.device, dtype=error.dtype)
    accepted = u < torch.exp(-error.clamp(min=0))
    return Chains(torch.where(accepted[..., None], there, here), accepted.to(before.dtype))


class Model(NamedTuple):
    r"""배우는 에너지 모델, 씨앗마다 하나.

    $$E(x; \theta) = f_\theta(\gamma(x)) + \frac{\lVert x \rVert^2}{2 \rho^2}, \qquad
    \gamma(x) = \bigl[ x,\; \sin(k x),\; \cos(k x) \bigr]_{k = 1, \ldots, K}$$

    Attributes:
        networks: 신경망 $f_\theta$의 가중치.
        log_partition: 잡음 대조 추정이 함께 배우는 상수 $c$. 다른 방법은 쓰지 않아 0에 머문다.
        frequencies: 진동수의 수 $K$.
        radius: 멀리서 에너지를 들어 올리는 그릇의 크기 $\rho$.

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
    r"""배우기 전의 에너지 모델.

    $$f_\theta : \mathbb{R}^{d (2K + 1)} \to \mathbb{R}, \qquad c = 0$$

    Args:
        dims: 자료의 차원 $d \ge 1$.
        generators: 씨앗마다의 CPU 발생기. 하나 이상.
        hidden: 숨은 층마다의 너비. 비었으면 특징에서 곧장 나오는 선형 모델이다.
        frequencies: 진동수의 수 $K \ge 0$.
        radius: 그릇의 크기 $\rho > 0$.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        기울기를 받는 모델.

    Raises:
        TypeError: 정수나 수나 발생기가 와야 할 자리에 다른 것이 오면.
        ValueError: 범위를 벗어나거나, 발생기가 없거나, CPU가 아닌 발생기이거나, 자료형이 실수형이 아니면.

    References:
        LeCun, Y. 외 (2006). A Tutorial on Energy-Based Learning, 1절.
    """
    checks.count(1, dims=dims)
    checks.count(0, frequencies=frequencies)
    checks.number(POSITIVE, radius=radius)
    checks.instance(tuple, hidden=hidden)
    checks.count(1, **{f"hidden[{i}]": width for i, width in enumerate(hidden)})
    if not isinstance(generators, Sequence):
        raise TypeError(f"generators: 씨앗마다의 발생기를 담은 열이어야 하는데 {type(generators).__name__}이다")
    given = {f"generators[{i}]": g for i, g in enumerate(generators) if g is not None}
    checks.instance(torch.Generator, **given)
    if dtype is not None and not dtype.is_floating_point:
        raise ValueError(f"dtype: 실수형이어야 하는데 {dtype}이다")
    networks = initial((dims * (2 * frequencies + 1), *hidden, 1), generators, device=device, dtype=dtype)
    constant = networks.biases[0].detach().new_zeros(len(generators)).requires_grad_()
    return Model(networks, constant, frequencies, radius)


def energy_of(model: Model) -> Energy:
    r"""모델의 에너지를 함수로. 씨앗마다의 점 $(s, n, d)$를 받아 $(s, n)$을 준다.

    $$E(x; \theta) = f_\theta(\gamma(x)) + \frac{\lVert x \rVert^2}{2 \rho^2}$$

    $f_\theta$의 $\tanh$와 사인, 코사인은 유한하므로, 멀리서는 그릇이 이겨 $Z$가 유한하다.

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
    r"""다 배운 모델.

    Attributes:
        model: 걸음마다의 가중치를 이동 평균한 모델. 기울기가 없다. 멈춘 씨앗은 멈추기 전의 것이다.
        chains: 마지막 사슬이 있는 곳. 사슬이 없으면 `None`.
        losses: 걸음마다, 옮기기 전의 손실. 멈춘 씨앗은 그 걸음부터 nan이다.
        stopped: 손실이나 기울기가 유한하지 않아 멈춘 걸음. 끝까지 배운 씨앗은 −1.

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
    r"""어느 손실로든 에너지 모델을 배운다. 씨앗들은 한 묶음으로 함께 배우지만 서로 섞이지 않는다.

    $$\theta \leftarrow \mathrm{Adam}(\theta, \nabla_\theta L), \qquad
    \eta_t = \eta \cos^2 \frac{\pi t}{2T}, \qquad \bar\theta \leftarrow a \bar\theta + (1 - a)\, \theta$$

    학습률은 처음 20걸음 동안 올렸다가 코사인을 따라 0으로 내린다. Adam의 $\beta = (0.9, 0.99)$다.
    받은 모델은 바꾸지 않는다. 손실이나 기울기가 유한하지 않은 씨앗은 그 걸음에서 멈추고, 몇째 씨앗이 몇째 걸음에서
    멈췄는지 경고한다(둘 다 0부터 센다). 나머지는 계속 배운다. 값을 살피므로 걸음마다 장치와 동기화한다.

    Args:
        objective: 모델과 사슬을 받아, 씨앗마다의 손실 $L$ $(s)$와 다음 사슬을 주는 함수. 사슬이 없는 방법은 받은 것을
            그대로 준다.
        model: 처음 모델. [`create`][mgk_docs_src.energy.training.create]로 만든다.
        chains: 처음 사슬. PCD만 쓴다.
        steps: 걸음 수 $T$. 1 이상.
        learning_rate: 학습률 $\eta > 0$.
        averaging: 이동 평균에서 옛것의 몫 $a$. $[0, 1)$ 안. 처음에는 지나온 걸음의 평균에서 시작한다.

    Returns:
        배운 모델, 마지막 사슬, 걸음마다의 손실, 멈춘 걸음.

    Raises:
        TypeError: 정수나 수가 와야 할 자리에 다른 것이 오거나, 손실이 텐서가 아니면.
        ValueError: 수가 범위를 벗어나거나, 손실이 씨앗마다 실수 하나가 아니거나, 모든 씨앗이 멈추면.

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
            raise TypeError("objective: (손실, 다음 사슬)을 주어야 하는데 다른 것을 주었다")
        loss, chains = found
        checks.floating(objective=loss)
        checks.shape(model.log_partition.shape, objective=loss)
        # 씨앗마다의 손실을 더해 미분하면 신경망마다 제 기울기만 받는다.
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
    r"""격자 위에서 잰, 참에서 모델까지의 쿨백–라이블러 발산. 둘 다 정규화하지 않은 로그 밀도여도 된다.

    $$D_{\mathrm{KL}}(p \,\|\, p_\theta) = \sum_i p_i \left( \log p_i - \log p_{\theta, i} \right), \qquad
    \log p_i = \log \tilde p_i - \operatorname*{logsumexp}_j \log \tilde p_j$$

    칸의 크기는 지워진다. float64로 계산한다.

    Args:
        log_truth: 칸마다의 참 로그 밀도.
        log_model: 칸마다의 모델 로그 밀도. 에너지라면 $-E$.

    Returns:
        0 이상의 발산(nat), 반올림만큼 음수일 수 있다. float64. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 와야 할 자리에 다른 것이 오면.
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
    """점수 맞추기의 손실: ½‖∇E‖²에서 굽은 정도를 뺀다."""
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
    """씨앗마다의 값이 유한하지 않은 씨앗을 멈추고, 멈춘 씨앗이 하나도 없는지 말한다.

    멈춘 씨앗의 매개변수는 0으로 둔다. 목적 함수는 모든 씨앗을 함께 재므로, 남은 씨앗을 위해 계속 유한해야 한다.
    """
    # 더한 값이 유한하면 모두 유한하다.
    total = torch.stack([value.detach().flatten(1).sum(1) if value.ndim > 1 else value.detach() for value in values])
    broken = (stopped < 0) & ~total.sum(0).isfinite()
    if broken.any():
        names = ", ".join(map(str, broken.nonzero().flatten().tolist()))
        told = f"{step}걸음에서 씨앗 {names}의 손실이나 기울기나 매개변수가 유한하지 않다"
        stopped[broken] = step
        if not (stopped < 0).any():
            raise ValueError(f"{blame}: {told}. 남은 씨앗이 없다")
        warnings.warn(f"{told}. 그 씨앗만 멈추고 나머지는 계속 배운다", RuntimeWarning, stacklevel=5)
        with torch.no_grad():
            for parameter in parameters:
                parameter[broken] = 0
    return bool((stopped < 0).all())


def _rows(running: Tensor, like: Tensor) -> Tensor:
    """씨앗마다의 표시를 `like`의 첫 축에 맞춘 0과 1."""
    return running.to(like.dtype).view(-1, *[1] * (like.ndim - 1))


def _leaves(model: Model) -> Model:
    """기울기를 받는 사본."""
    copy = _frozen(model)
    for tensor in (*copy.networks.weights, *copy.networks.biases, copy.log_partition):
        tensor.requires_grad_()
    return copy
