"""확산 과정과 그 역과정: `docs/diffusion/process.md`.

여기서는 아무것도 배우지 않는다. 잡음을 맞히는 함수 `predict`는 주어진 것으로 본다.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT, Interval
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.random import randn

Method = Literal["ancestral", "ddim"]
Likelihood = Literal["averaged", "denoised", "noisy"]

# x_t (n, …)와 t (n,)를 받아 잡음의 예측 (n, …)을 준다.
Predict = Callable[[Tensor, Tensor], Tensor]

_OPEN_UNIT = Interval(0.0, 1.0, open=True)


class Schedule(NamedTuple):
    r"""잡음 일정표. 시각은 $t \in \{0, \ldots, T - 1\}$이고 $t = 0$이 잡음이 가장 적다.

    $$\bar\alpha_t = \prod_{s \le t} (1 - \beta_s), \qquad \bar\alpha_{-1} = 1$$

    시각 $-1$은 잡음이 없는 자료 $x_0$의 자리다. 논문의 $t = 1, \ldots, T$보다 하나 작다.

    Attributes:
        beta: 걸음마다 더하는 잡음의 분산 $\beta_t \in (0, 1)$, float64.
        alpha_bar: 시각 $t$에 남은 신호의 몫 $\bar\alpha_t$, float64. $t$가 늘면 줄어든다.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 2절.
    """

    beta: Float[Tensor, "T"]
    alpha_bar: Float[Tensor, "T"]


# 시각 t와 s, 일정표를 받아 걸음 t → s에 더할 잡음의 분산을 준다.
Variance = Callable[[int, int, Schedule], Tensor]

_Draw = Callable[[], Tensor]
_Update = Callable[[Tensor, Tensor, int, int, _Draw], Tensor]  # x_t, 예측, t, s, 새 잡음 → x_s


def noise_schedule(beta: Float[Tensor, "T"]) -> Schedule:
    r"""걸음마다의 분산 $\beta_t$로 일정표를 만든다.

    $$\bar\alpha_t = \prod_{s \le t} (1 - \beta_s)$$

    값을 살피므로 장치와 한 번 동기화한다.

    Args:
        beta: $\beta_t \in (0, 1)$.

    Returns:
        float64로 적은 일정표. 장치는 `beta`를 따른다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 축이 하나가 아니거나, 비었거나, 실수형이 아니거나, $(0, 1)$을 벗어나면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 2절.
    """
    checks.floating(beta=beta)
    checks.ndim(1, 1, beta=beta)
    checks.nonempty(beta=beta)
    checks.within(beta=(beta, _OPEN_UNIT))
    wide = beta.double()
    return Schedule(wide, (1 - wide).cumprod(0))


def linear_schedule(
    steps: int,
    *,
    beta_min: float = 1e-4,
    beta_max: float = 0.02,
    device: torch.device | None = None,
) -> Schedule:
    r"""분산이 일정하게 커지는 일정표. 걸음의 수가 달라도 끝에 남는 신호는 거의 같다.

    $$\beta_t = 1 - (1 - b_t)^{1000 / T}, \qquad
    b_t = \beta_{\min} + \frac{t}{T - 1} (\beta_{\max} - \beta_{\min})$$

    $T = 1000$이면 DDPM의 일정표 그대로다. 걸음이 적으면 한 걸음이 원래의 $1000 / T$걸음을 한꺼번에 간다.
    $T = 1$이면 $b_0 = \beta_{\max}$다.

    Args:
        steps: 걸음의 수 $T \ge 1$.
        beta_min: 첫 걸음의 분산 $\beta_{\min} \in (0, 1)$, $T = 1000$일 때의 값.
        beta_max: 끝 걸음의 분산 $\beta_{\max} \in (0, 1)$, $\beta_{\min}$ 이상.
        device: 놓을 장치. 기본값은 torch의 기본 장치.

    Returns:
        일정표.

    Raises:
        TypeError: `steps`가 정수가 아니거나, 분산이 수가 아니면.
        ValueError: `steps`가 1보다 작거나, 분산이 $(0, 1)$을 벗어나거나, $\beta_{\min} > \beta_{\max}$이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 4절.
    """
    checks.count(1, steps=steps)
    checks.number(_OPEN_UNIT, beta_min=beta_min, beta_max=beta_max)
    if beta_min > beta_max:
        raise ValueError(f"beta_min: beta_max({beta_max:g}) 이하여야 하는데 {beta_min:g}이다")
    # 뒤에서부터 놓으면 T = 1일 때 β_max가 남는다.
    b = torch.linspace(beta_max, beta_min, steps, device=device, dtype=torch.float64).flip(0)
    return noise_schedule(-torch.expm1(1000 / steps * torch.log1p(-b)))


def cosine_schedule(
    steps: int,
    *,
    offset: float = 0.008,
    max_beta: float = 0.999,
    device: torch.device | None = None,
) -> Schedule:
    r"""남은 신호가 코사인 곡선을 따라 줄어드는 일정표.

    $$\beta_t = \min\Bigl(1 - \frac{f(t + 1)}{f(t)},\; \beta_{\max}\Bigr), \qquad
    f(t) = \cos^2\Bigl(\frac{t / T + o}{1 + o} \cdot \frac{\pi}{2}\Bigr)$$

    $\beta_{\max}$에 걸리지 않는 시각에서는 $\bar\alpha_t = f(t + 1) / f(0)$이다.

    Args:
        steps: 걸음의 수 $T \ge 1$.
        offset: 첫 걸음의 잡음이 너무 작지 않게 하는 $o \ge 0$.
        max_beta: 분산의 위 끝 $\beta_{\max} \in (0, 1)$.
        device: 놓을 장치. 기본값은 torch의 기본 장치.

    Returns:
        일정표.

    Raises:
        TypeError: `steps`가 정수가 아니거나, 나머지가 수가 아니면.
        ValueError: `steps`가 1보다 작거나, `offset`이 음수이거나, `max_beta`가 $(0, 1)$을 벗어나면.

    References:
        Nichol, A. & Dhariwal, P. (2021). Improved Denoising Diffusion Probabilistic Models, 3.2절.
    """
    checks.count(1, steps=steps)
    checks.number(NONNEGATIVE, offset=offset)
    checks.number(_OPEN_UNIT, max_beta=max_beta)
    t = torch.arange(steps + 1, device=device, dtype=torch.float64)
    f = torch.cos((t / steps + offset) / (1 + offset) * math.pi / 2) ** 2
    return noise_schedule((1 - f[1:] / f[:-1]).clamp(max=max_beta))


def signal_to_noise(schedule: Schedule) -> Float[Tensor, "T"]:
    r"""시각마다의 신호 대 잡음비.

    $$\mathrm{SNR}_t = \frac{\bar\alpha_t}{1 - \bar\alpha_t}$$

    Args:
        schedule: 잡음 일정표.

    Returns:
        0보다 큰 비, float64. $t$가 늘면 줄어든다.

    References:
        Kingma, D. P. 외 (2021). Variational Diffusion Models, 3.1절.
    """
    return schedule.alpha_bar / (1 - schedule.alpha_bar)


def diffuse_step(
    x: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
) -> Float[Tensor, "n *shape"]:
    r"""잡음을 한 걸음 더한다: $q(x_t \mid x_{t-1})$.

    $$x_t = \sqrt{1 - \beta_t}\, x_{t-1} + \sqrt{\beta_t}\, \epsilon$$

    값을 살피므로 장치와 동기화한다.

    Args:
        x: 한 걸음 전의 $x_{t-1}$. 첫 축이 표본이다.
        t: 도착할 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.
        noise: 표준 정규 잡음 $\epsilon$. `x`와 같은 모양.

    Returns:
        $x_t$. `x`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Sohl-Dickstein, J. 외 (2015). Deep Unsupervised Learning using Nonequilibrium Thermodynamics, 2.1절.
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 2.
    """
    _check_data(schedule, t, x=x, noise=noise)
    wide_x, epsilon = widen(x, noise)
    beta = schedule.beta[t]
    return (_column((1 - beta).sqrt(), wide_x) * wide_x + _column(beta.sqrt(), wide_x) * epsilon).to(x.dtype)


def diffuse(
    x0: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
) -> Float[Tensor, "n *shape"]:
    r"""자료에서 시각 $t$로 한 번에 간다: $q(x_t \mid x_0)$. `diffuse_step`을 $t + 1$번 되풀이한 것과 분포가 같다.

    $$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$$

    값을 살피므로 장치와 동기화한다.

    Args:
        x0: 자료 $x_0$. 첫 축이 표본이다.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.
        noise: 표준 정규 잡음 $\epsilon$. `x0`와 같은 모양.

    Returns:
        $x_t$. `x0`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 4.
    """
    _check_data(schedule, t, x0=x0, noise=noise)
    wide_x0, epsilon = widen(x0, noise)
    signal, sigma = _levels(schedule, t, wide_x0)
    return (signal * wide_x0 + sigma * epsilon).to(x0.dtype)


class Posterior(NamedTuple):
    r"""$x_0$를 알 때 한 걸음 전의 분포.

    $$q(x_{t-1} \mid x_t, x_0) = \mathcal{N}(\tilde\mu_t, \tilde\beta_t I)$$

    Attributes:
        mean: 평균 $\tilde\mu_t$.
        variance: 분산 $\tilde\beta_t$. 시각이 하나면 스칼라, 표본마다면 (n,).

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 6.
    """

    mean: Float[Tensor, "n *shape"]
    variance: Float[Tensor, "..."]


def posterior(
    x0: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Posterior:
    r"""$x_0$를 알 때 한 걸음 되돌아가는 분포. 정규 분포끼리의 베이즈 정리다.

    $$\tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t} x_0
    + \frac{\sqrt{1 - \beta_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} x_t, \qquad
    \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t$$

    $t = 0$이면 $\tilde\mu_0 = x_0$, $\tilde\beta_0 = 0$이다. 값을 살피므로 장치와 동기화한다.

    Args:
        x0: 자료 $x_0$. 첫 축이 표본이다.
        xt: 시각 $t$의 $x_t$. `x0`와 같은 모양.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.

    Returns:
        평균과 분산.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 7.
    """
    _check_data(schedule, t, x0=x0, xt=xt)
    wide_x0, wide_xt = widen(x0, xt)
    dtype = torch.promote_types(x0.dtype, xt.dtype)
    mean = _posterior_mean(wide_x0, wide_xt, t, schedule)
    return Posterior(mean.to(dtype), _bridge_variance(_alpha_bar(schedule, t), _alpha_bar(schedule, t - 1)).to(dtype))


def noise_to_x0(
    noise: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""잡음을 알면 자료도 안다.

    $$x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \epsilon}{\sqrt{\bar\alpha_t}}$$

    값을 살피므로 장치와 동기화한다.

    Args:
        noise: 잡음 $\epsilon$ 또는 그 예측. 첫 축이 표본이다.
        xt: 시각 $t$의 $x_t$. `noise`와 같은 모양.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.

    Returns:
        $x_0$ 또는 그 예측. `noise`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 15.
    """
    _check_data(schedule, t, noise=noise, xt=xt)
    epsilon, wide_xt = widen(noise, xt)
    signal, sigma = _levels(schedule, t, wide_xt)
    return ((wide_xt - sigma * epsilon) / signal).to(torch.promote_types(noise.dtype, xt.dtype))


def x0_to_noise(
    x0: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""자료를 알면 잡음도 안다. `noise_to_x0`의 역이다.

    $$\epsilon = \frac{x_t - \sqrt{\bar\alpha_t}\, x_0}{\sqrt{1 - \bar\alpha_t}}$$

    값을 살피므로 장치와 동기화한다.

    Args:
        x0: 자료 $x_0$ 또는 그 예측. 첫 축이 표본이다.
        xt: 시각 $t$의 $x_t$. `x0`와 같은 모양.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.

    Returns:
        잡음 $\epsilon$ 또는 그 예측. `x0`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 4.
    """
    _check_data(schedule, t, x0=x0, xt=xt)
    wide_x0, wide_xt = widen(x0, xt)
    signal, sigma = _levels(schedule, t, wide_xt)
    return ((wide_xt - signal * wide_x0) / sigma).to(torch.promote_types(x0.dtype, xt.dtype))


def velocity(
    x0: Float[Tensor, "n *shape"],
    noise: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""속도 $v$: 각도 $\phi_t$를 돌 때 $x_t = \cos\phi_t\, x_0 + \sin\phi_t\, \epsilon$가 움직이는 방향.

    $$v = \sqrt{\bar\alpha_t}\, \epsilon - \sqrt{1 - \bar\alpha_t}\, x_0 = \frac{d x_t}{d \phi_t}, \qquad
    \cos\phi_t = \sqrt{\bar\alpha_t}$$

    잡음이 적을 때는 잡음을, 많을 때는 자료를 맞히는 셈이라 어느 시각에서나 크기가 고르다.
    값을 살피므로 장치와 동기화한다.

    Args:
        x0: 자료 $x_0$. 첫 축이 표본이다.
        noise: 잡음 $\epsilon$. `x0`와 같은 모양.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.

    Returns:
        속도 $v$. `x0`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    _check_data(schedule, t, x0=x0, noise=noise)
    wide_x0, epsilon = widen(x0, noise)
    signal, sigma = _levels(schedule, t, wide_x0)
    return (signal * epsilon - sigma * wide_x0).to(torch.promote_types(x0.dtype, noise.dtype))


def velocity_to_x0(
    v: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""속도에서 자료로. 나누는 곳이 없어 잡음이 많은 시각에서도 자리를 잃지 않는다.

    $$x_0 = \sqrt{\bar\alpha_t}\, x_t - \sqrt{1 - \bar\alpha_t}\, v$$

    값을 살피므로 장치와 동기화한다.

    Args:
        v: 속도 $v$ 또는 그 예측. 첫 축이 표본이다.
        xt: 시각 $t$의 $x_t$. `v`와 같은 모양.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.

    Returns:
        $x_0$ 또는 그 예측. `v`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    _check_data(schedule, t, v=v, xt=xt)
    wide_v, wide_xt = widen(v, xt)
    signal, sigma = _levels(schedule, t, wide_xt)
    return (signal * wide_xt - sigma * wide_v).to(torch.promote_types(v.dtype, xt.dtype))


def velocity_to_noise(
    v: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""속도에서 잡음으로. 나누는 곳이 없다.

    $$\epsilon = \sqrt{1 - \bar\alpha_t}\, x_t + \sqrt{\bar\alpha_t}\, v$$

    값을 살피므로 장치와 동기화한다.

    Args:
        v: 속도 $v$ 또는 그 예측. 첫 축이 표본이다.
        xt: 시각 $t$의 $x_t$. `v`와 같은 모양.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.

    Returns:
        잡음 $\epsilon$ 또는 그 예측. `v`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    _check_data(schedule, t, v=v, xt=xt)
    wide_v, wide_xt = widen(v, xt)
    signal, sigma = _levels(schedule, t, wide_xt)
    return (sigma * wide_xt + signal * wide_v).to(torch.promote_types(v.dtype, xt.dtype))


def noise_to_score(
    noise: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""잡음의 예측은 점수(로그 밀도의 기울기)의 다른 이름이다.

    $$\nabla_{x_t} \log p_t(x_t) = -\frac{\mathbb{E}[\epsilon \mid x_t]}{\sqrt{1 - \bar\alpha_t}}$$

    값을 살피므로 장치와 동기화한다.

    Args:
        noise: 잡음의 예측 $\mathbb{E}[\epsilon \mid x_t]$. 첫 축이 표본이다.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.

    Returns:
        점수. `noise`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Vincent, P. (2011). A Connection Between Score Matching and Denoising Autoencoders, 4절.
    """
    _check_data(schedule, t, noise=noise)
    (epsilon,) = widen(noise)
    _, sigma = _levels(schedule, t, epsilon)
    return (-epsilon / sigma).to(noise.dtype)


def mixture_log_density(
    x: Float[Tensor, "n d"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    means: Float[Tensor, "k d"],
    std: float | Float[Tensor, "k"],
    weights: Float[Tensor, "k"] | None = None,
) -> Float[Tensor, "n"]:
    r"""자료가 가우스 혼합일 때 $x_t$의 로그 밀도. 잡음을 더해도 가우스 혼합이다.

    $$p_t(x) = \sum_k w_k\, \mathcal{N}\bigl(x;\, \sqrt{\bar\alpha_t}\, m_k,\, v_{tk} I\bigr), \qquad
    v_{tk} = \bar\alpha_t s_k^2 + 1 - \bar\alpha_t$$

    $t = -1$이면 자료 자신의 로그 밀도다. 값을 살피므로 장치와 동기화한다.

    Args:
        x: 밀도를 잴 점. 한 줄이 점 하나.
        t: 시각 $t \in \{-1, 0, \ldots, T - 1\}$. 하나의 정수거나 점마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.
        means: 성분의 중심 $m_k$.
        std: 성분의 표준 편차 $s_k > 0$. 모두 같으면 수 하나.
        weights: 성분의 몫 $w_k$, 합이 1. 기본값은 모두 같은 몫.

    Returns:
        로그 밀도(nat). `x`와 같은 자료형.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[-1, T)$를 벗어나거나, 표준 편차가 0보다 크지 않거나, 몫이 음수거나 합이 1이 아니면.

    References:
        Murphy, K. P. (2023). Probabilistic Machine Learning: Advanced Topics, 25장.
    """
    _check_data(schedule, t, earliest=-1, x=x)
    parts = _components(x, t, schedule, means=means, std=std, weights=weights)
    return torch.logsumexp(parts.log_joint, 1).to(x.dtype)


def mixture_noise(
    xt: Float[Tensor, "n d"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    means: Float[Tensor, "k d"],
    std: float | Float[Tensor, "k"],
    weights: Float[Tensor, "k"] | None = None,
) -> Float[Tensor, "n d"]:
    r"""자료가 가우스 혼합일 때 잡음의 완벽한 예측. 배우지 않고 식으로 안다.

    $$\mathbb{E}[\epsilon \mid x_t] = \sqrt{1 - \bar\alpha_t} \sum_k r_k(x_t)
    \frac{x_t - \sqrt{\bar\alpha_t}\, m_k}{v_{tk}}, \qquad
    r_k(x_t) \propto w_k\, \mathcal{N}\bigl(x_t;\, \sqrt{\bar\alpha_t}\, m_k,\, v_{tk} I\bigr)$$

    $v_{tk} = \bar\alpha_t s_k^2 + 1 - \bar\alpha_t$다. 평균 제곱 오차가 이보다 작은 예측은 없다.
    값을 살피므로 장치와 동기화한다.

    Args:
        xt: 시각 $t$의 점 $x_t$. 한 줄이 점 하나.
        t: 시각. 하나의 정수거나 점마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.
        means: 성분의 중심 $m_k$. 성분이 하나면 가우스 분포다.
        std: 성분의 표준 편차 $s_k > 0$. 모두 같으면 수 하나.
        weights: 성분의 몫 $w_k$, 합이 1. 기본값은 모두 같은 몫.

    Returns:
        잡음의 예측. `xt`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나거나, 표준 편차가 0보다 크지 않거나, 몫이 음수거나 합이 1이 아니면.

    References:
        Murphy, K. P. (2023). Probabilistic Machine Learning: Advanced Topics, 25장.
    """
    _check_data(schedule, t, xt=xt)
    parts = _components(xt, t, schedule, means=means, std=std, weights=weights)
    responsibility = torch.softmax(parts.log_joint, 1)  # (n, k)
    pull = (responsibility / parts.variance)[..., None] * parts.difference  # (n, k, d)
    _, sigma = _levels(schedule, t, pull[:, 0])
    return (sigma * pull.sum(1)).to(xt.dtype)


def guide(
    conditional: Float[Tensor, "*shape"],
    unconditional: Float[Tensor, "*shape"],
    scale: float,
) -> Float[Tensor, "*shape"]:
    r"""분류기 없는 안내: 조건을 준 예측과 주지 않은 예측의 차를 부풀린다.

    $$\tilde\epsilon = (1 + w)\, \epsilon_c - w\, \epsilon_u$$

    $w = 0$이면 조건을 준 예측 그대로다. 점수로 적으면 시각마다 $p_t(x_t \mid c)^{1 + w} / p_t(x_t)^w$의 점수다. 그러나
    이것은 $p(x_0 \mid c)^{1 + w} / p(x_0)^w$에 잡음을 더한 분포의 점수가 아니므로, $w > 0$이면 표본은 $p(x_0 \mid c)$의
    것도 그 분포의 것도 아니다. 값을 살피므로 장치와 동기화한다.

    Args:
        conditional: 조건 $c$를 준 예측 $\epsilon_c$. 임의의 모양.
        unconditional: 조건을 주지 않은 예측 $\epsilon_u$. `conditional`과 같은 모양.
        scale: 안내의 세기 $w \ge 0$.

    Returns:
        안내된 예측. `conditional`과 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 다르거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, $w$가 음수이면.

    References:
        Ho, J. & Salimans, T. (2022). Classifier-Free Diffusion Guidance, 식 6.
    """
    checks.floating(conditional=conditional, unconditional=unconditional)
    checks.nonempty(conditional=conditional)
    checks.shape(conditional.shape, unconditional=unconditional)
    checks.number(NONNEGATIVE, scale=scale)
    checks.within(conditional=(conditional, REAL), unconditional=(unconditional, REAL))
    c, u = widen(conditional, unconditional)
    return ((1 + scale) * c - scale * u).to(torch.promote_types(conditional.dtype, unconditional.dtype))


def tilt(
    noise: Float[Tensor, "n *shape"],
    gradient: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""다른 분포 $r$를 곱한다: $p(x_0)$의 예측을 $\tilde p(x_0) \propto p(x_0)\, r(x_0)$의 예측으로 바꾼다.

    $$\tilde\epsilon = \epsilon - \sqrt{1 - \bar\alpha_t}\, \nabla_{x_t} \log r_t(x_t), \qquad
    r_t(x_t) = \mathbb{E}[r(x_0) \mid x_t]$$

    $r_t$가 이 기댓값일 때만 정확하다. 다른 $r_t$를 쓰면 다른 분포에서 뽑는다. 값을 살피므로 장치와 동기화한다.

    Args:
        noise: $p$에 대한 잡음의 예측 $\epsilon$. 첫 축이 표본이다.
        gradient: 기울기 $\nabla_{x_t} \log r_t(x_t)$. `noise`와 같은 모양.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.

    Returns:
        $\tilde p$에 대한 잡음의 예측. `noise`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나면.

    References:
        Sohl-Dickstein, J. 외 (2015). Deep Unsupervised Learning using Nonequilibrium Thermodynamics, 2.5절.
        Dhariwal, P. & Nichol, A. (2021). Diffusion Models Beat GANs on Image Synthesis, 4.2절.
    """
    _check_data(schedule, t, noise=noise, gradient=gradient)
    epsilon, slope = widen(noise, gradient)
    _, sigma = _levels(schedule, t, epsilon)
    return (epsilon - sigma * slope).to(torch.promote_types(noise.dtype, gradient.dtype))


def observation_gradient(
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    mean: float,
    std: float,
    observation: float,
    noise_std: float,
    likelihood: Likelihood = "averaged",
) -> Float[Tensor, "n *shape"]:
    r"""$x_0 \sim \mathcal{N}(m, s^2)$를 오차 $\tau$로 재어 $y$를 보았을 때, `tilt`에 줄 기울기와 흔한 두 어림.

    $$\nabla \log r_t(x_t) = \begin{cases}
    g_t\, (y - \hat x_0) / (\tau^2 + v_t) & r_t = \mathbb{E}[r(x_0) \mid x_t] \\
    g_t\, (y - \hat x_0) / \tau^2 & r_t = r(\mathbb{E}[x_0 \mid x_t]) \\
    (y - x_t) / \tau^2 & r_t = r(x_t)
    \end{cases}, \qquad r(x_0) = \mathcal{N}(y; x_0, \tau^2)$$

    $$\hat x_0 = m + g_t (x_t - \sqrt{\bar\alpha_t}\, m), \qquad
    g_t = \frac{\sqrt{\bar\alpha_t}\, s^2}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}, \qquad
    v_t = \frac{(1 - \bar\alpha_t)\, s^2}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}$$

    $x_0 \mid x_t \sim \mathcal{N}(\hat x_0, v_t)$다. 첫째만 정확하다. 둘째는 $x_0$를 아직 모른다는 것($v_t$)을 잊고,
    셋째는 잡음이 섞인 $x_t$를 자료로 여긴다. 값을 살피므로 장치와 동기화한다.

    Args:
        xt: 시각 $t$의 $x_t$. 첫 축이 표본이고, 원소마다 따로 계산한다.
        t: 시각. 하나의 정수거나 표본마다의 시각(`torch.int64`).
        schedule: 잡음 일정표.
        mean: 자료의 평균 $m$.
        std: 자료의 표준 편차 $s > 0$.
        observation: 본 값 $y$.
        noise_std: 재는 오차의 표준 편차 $\tau > 0$.
        likelihood: `"averaged"`, `"denoised"`, `"noisy"`. 위 식의 순서다.

    Returns:
        기울기. `xt`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나거나, 표준 편차가 0보다 크지 않거나, `likelihood`의 이름을 모르면.

    References:
        Sohl-Dickstein, J. 외 (2015). Deep Unsupervised Learning using Nonequilibrium Thermodynamics, 2.5절 (셋째 식).
        Chung, H. 외 (2023). Diffusion Posterior Sampling for General Noisy Inverse Problems, 3절 (둘째 식).
    """
    _check_data(schedule, t, xt=xt)
    checks.number(REAL, mean=mean, observation=observation)
    checks.number(POSITIVE, std=std, noise_std=noise_std)
    checks.choice(("averaged", "denoised", "noisy"), likelihood=likelihood)
    (x,) = widen(xt)
    if likelihood == "noisy":
        return ((observation - x) / noise_std**2).to(xt.dtype)
    signal, sigma = _levels(schedule, t, x)
    total = signal**2 * std**2 + sigma**2
    gain = signal * std**2 / total
    spread = sigma**2 * std**2 / total if likelihood == "averaged" else 0.0
    denoised = mean + gain * (x - signal * mean)
    return (gain * (observation - denoised) / (noise_std**2 + spread)).to(xt.dtype)


def posterior_variance(t: int, s: int, schedule: Schedule) -> Float[Tensor, ""]:
    r"""걸음 $t \to s$의 분산, 작은 쪽: 자료가 점 하나일 때의 참값.

    $$\tilde\beta_{t \to s} = \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t}
    \left( 1 - \frac{\bar\alpha_t}{\bar\alpha_s} \right)$$

    $s = -1$이면 0이다: 마지막 걸음에는 잡음을 더하지 않는다.

    Args:
        t: 떠나는 시각.
        s: 닿는 시각, $-1 \le s < t$. $-1$은 자료다.
        schedule: 잡음 일정표.

    Returns:
        0 이상의 분산, float64.

    Raises:
        TypeError: 시각이 정수가 아니면.
        ValueError: 시각이 범위를 벗어나거나 $s \ge t$이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.2절.
    """
    _check_stride(t, s, schedule)
    return _bridge_variance(_alpha_bar(schedule, t), _alpha_bar(schedule, s))


def forward_variance(t: int, s: int, schedule: Schedule) -> Float[Tensor, ""]:
    r"""걸음 $t \to s$의 분산, 큰 쪽: 자료가 $\mathcal{N}(0, I)$일 때의 참값. $s = t - 1$이면 $\beta_t$다.

    $$\beta_{t \to s} = 1 - \frac{\bar\alpha_t}{\bar\alpha_s} \quad (s \ge 0), \qquad \beta_{t \to -1} = 0$$

    마지막 걸음에는 잡음을 더하지 않는다.

    Args:
        t: 떠나는 시각.
        s: 닿는 시각, $-1 \le s < t$. $-1$은 자료다.
        schedule: 잡음 일정표.

    Returns:
        0 이상의 분산, float64.

    Raises:
        TypeError: 시각이 정수가 아니면.
        ValueError: 시각이 범위를 벗어나거나 $s \ge t$이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.2절.
    """
    _check_stride(t, s, schedule)
    if s < 0:
        return schedule.beta.new_zeros(())
    return 1 - _alpha_bar(schedule, t) / _alpha_bar(schedule, s)


def optimal_variance(t: int, s: int, schedule: Schedule, *, std: float) -> Float[Tensor, ""]:
    r"""걸음 $t \to s$의 분산, 자료가 표준 편차 $\varsigma$인 가우스 분포일 때의 참값. $x_0$를 아직 모르는 만큼 더한다.

    $$\sigma^2_{t \to s} = \tilde\beta_{t \to s} + \left(
    \frac{\sqrt{\bar\alpha_s}\, \beta_{t \to s}}{1 - \bar\alpha_t} \right)^2 \mathrm{Var}[x_0 \mid x_t], \qquad
    \mathrm{Var}[x_0 \mid x_t] =
    \frac{(1 - \bar\alpha_t)\, \varsigma^2}{\bar\alpha_t\, \varsigma^2 + 1 - \bar\alpha_t}$$

    $\beta_{t \to s} = 1 - \bar\alpha_t / \bar\alpha_s$다. $s = -1$에서도 0이 아니다: 마지막 걸음에도 잡음을 더한다.

    Args:
        t: 떠나는 시각.
        s: 닿는 시각, $-1 \le s < t$. $-1$은 자료다.
        schedule: 잡음 일정표.
        std: 자료의 표준 편차 $\varsigma > 0$.

    Returns:
        0보다 큰 분산, float64.

    Raises:
        TypeError: 시각이 정수가 아니거나, `std`가 수가 아니면.
        ValueError: 시각이 범위를 벗어나거나, $s \ge t$이거나, `std`가 0보다 크지 않으면.

    References:
        Bao, F. 외 (2022). Analytic-DPM: an Analytic Estimate of the Optimal Reverse Variance in Diffusion
        Probabilistic Models, 정리 1.
    """
    _check_stride(t, s, schedule)
    checks.number(POSITIVE, std=std)
    alpha_bar_t, alpha_bar_s = _alpha_bar(schedule, t), _alpha_bar(schedule, s)
    uncertainty = (1 - alpha_bar_t) * std**2 / (alpha_bar_t * std**2 + 1 - alpha_bar_t)
    weight = alpha_bar_s.sqrt() * (1 - alpha_bar_t / alpha_bar_s) / (1 - alpha_bar_t)
    return _bridge_variance(alpha_bar_t, alpha_bar_s) + weight**2 * uncertainty


def ancestral_step(
    xt: Float[Tensor, "n *shape"],
    noise_prediction: Float[Tensor, "n *shape"],
    t: int,
    s: int,
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
    variance: Variance = posterior_variance,
) -> Float[Tensor, "n *shape"]:
    r"""잡음을 걷어 내고, 새 잡음을 조금 더한다: DDPM의 한 걸음 $t \to s$.

    $$x_s = \frac{1}{\sqrt{\alpha}} \left( x_t - \frac{1 - \alpha}{\sqrt{1 - \bar\alpha_t}}\, \epsilon_\theta \right)
    + \sigma_{t \to s}\, z, \qquad \alpha = \frac{\bar\alpha_t}{\bar\alpha_s}$$

    평균은 $x_0$ 대신 그 예측을 넣은 `posterior`의 평균과 같다. 값을 살피므로 장치와 동기화한다.

    Args:
        xt: 시각 $t$의 $x_t$. 첫 축이 표본이다.
        noise_prediction: 잡음의 예측 $\epsilon_\theta$. `xt`와 같은 모양.
        t: 떠나는 시각.
        s: 닿는 시각, $-1 \le s < t$. $-1$은 자료다.
        schedule: 잡음 일정표.
        noise: 새로 더할 표준 정규 잡음 $z$. `xt`와 같은 모양.
        variance: 분산 $\sigma^2_{t \to s}$의 규칙. `posterior_variance`, `forward_variance`, `optimal_variance`.

    Returns:
        $x_s$. `xt`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서, 정수, 함수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이 범위를
            벗어나거나, $s \ge t$이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 알고리즘 2.
    """
    _check_stride(t, s, schedule)
    _check_data(schedule, t, xt=xt, noise_prediction=noise_prediction, noise=noise)
    _check_callable(variance=variance)
    return _ancestral(xt, noise_prediction, t, s, schedule, variance=variance(t, s, schedule), noise=noise)


def ddim_step(
    xt: Float[Tensor, "n *shape"],
    noise_prediction: Float[Tensor, "n *shape"],
    t: int,
    s: int,
    schedule: Schedule,
    *,
    eta: float = 0.0,
    noise: Float[Tensor, "n *shape"] | None = None,
) -> Float[Tensor, "n *shape"]:
    r"""자료를 짐작한 다음, 같은 잡음을 시각 $s$의 양만큼 다시 섞는다: DDIM의 한 걸음 $t \to s$.

    $$x_s = \sqrt{\bar\alpha_s}\, \hat x_0 + \sqrt{1 - \bar\alpha_s - \sigma^2}\, \epsilon_\theta + \sigma z, \qquad
    \hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \epsilon_\theta}{\sqrt{\bar\alpha_t}}, \qquad
    \sigma^2 = \eta^2\, \tilde\beta_{t \to s}$$

    $\eta = 0$이면 새 잡음이 없어 출발점이 도착점을 정한다. $\eta = 1$이면 `posterior_variance`로 가는
    `ancestral_step`과 같다. 값을 살피므로 장치와 동기화한다.

    Args:
        xt: 시각 $t$의 $x_t$. 첫 축이 표본이다.
        noise_prediction: 잡음의 예측 $\epsilon_\theta$. `xt`와 같은 모양.
        t: 떠나는 시각.
        s: 닿는 시각, $-1 \le s < t$. $-1$은 자료다.
        schedule: 잡음 일정표.
        eta: 새 잡음의 몫 $\eta \in [0, 1]$.
        noise: 새로 더할 표준 정규 잡음 $z$. `xt`와 같은 모양. $\eta > 0$이면 있어야 한다.

    Returns:
        $x_s$. `xt`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이나
            $\eta$가 범위를 벗어나거나, $s \ge t$이거나, $\eta > 0$인데 `noise`가 없으면.

    References:
        Song, J., Meng, C. & Ermon, S. (2021). Denoising Diffusion Implicit Models, 식 12, 식 16.
    """
    _check_stride(t, s, schedule)
    checks.number(UNIT, eta=eta)
    if noise is None and eta > 0:
        raise ValueError(f"noise: eta가 {eta:g}이면 새 잡음이 있어야 하는데 None이다")
    _check_data(schedule, t, xt=xt, noise_prediction=noise_prediction, noise=xt if noise is None else noise)
    return _ddim(xt, noise_prediction, t, s, schedule, eta=eta, noise=noise)


def timesteps(schedule: Schedule, *, steps: int | None = None) -> tuple[int, ...]:
    r"""표본을 뽑을 때 거쳐 갈 시각들: $T - 1$에서 0까지 고르게 고르고, 끝에 자료의 자리 $-1$을 붙인다.

    $$t_i = \mathrm{round}\Bigl( (T - 1) \bigl(1 - \tfrac{i}{S - 1}\bigr) \Bigr)
    \quad (i = 0, \ldots, S - 1), \qquad t_S = -1$$

    $S = 1$이면 $T - 1$에서 바로 $-1$로 간다.

    Args:
        schedule: 잡음 일정표.
        steps: 걸음의 수 $S \in [1, T]$. 기본값은 $T$.

    Returns:
        줄어드는 시각 $S + 1$개.

    Raises:
        TypeError: `steps`가 정수가 아니면.
        ValueError: `steps`가 $[1, T]$를 벗어나면.

    References:
        Song, J., Meng, C. & Ermon, S. (2021). Denoising Diffusion Implicit Models, 4.2절.
    """
    last = len(schedule.beta) - 1
    if steps is None:
        steps = last + 1
    checks.count(1, steps=steps)
    checks.number(Interval(1, last + 1), steps=steps)
    return (*(round(last * (1 - i / max(steps - 1, 1))) for i in range(steps)), -1)


def sample(
    predict: Predict,
    shape: tuple[int, ...],
    schedule: Schedule,
    *,
    generator: torch.Generator | None,
    steps: int | None = None,
    method: Method = "ancestral",
    variance: Variance | None = None,
    eta: float = 0.0,
    dtype: torch.dtype | None = None,
    trajectory: bool = False,
) -> Float[Tensor, "..."]:
    r"""순수한 잡음에서 시작해 잡음을 걷어 내며 표본을 뽑는다.

    $$x_{T-1} \sim \mathcal{N}(0, I), \qquad x_{T-1} \to x_{t_1} \to \cdots \to x_0$$

    기울기를 따라가지 않는다(`torch.no_grad`). 끝에서 한 번 값을 살피므로 장치와 동기화한다.

    Args:
        predict: 잡음의 예측. $x_t$ (n, …)와 시각 (n,)을 받아 $x_t$와 같은 모양을 준다.
        shape: 표본의 모양 (n, …).
        schedule: 잡음 일정표. 표본은 그 장치에 놓인다.
        generator: CPU 발생기. `None`이면 torch의 전역 발생기.
        steps: 걸음의 수 $S \in [1, T]$. 기본값은 $T$. 거쳐 가는 시각은 `timesteps`가 고른다.
        method: `"ancestral"`이면 `ancestral_step`, `"ddim"`이면 `ddim_step`.
        variance: `"ancestral"`의 분산 규칙. 기본값은 `posterior_variance`.
        eta: `"ddim"`의 새 잡음의 몫 $\eta \in [0, 1]$.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.
        trajectory: 참이면 지나온 자리를 모두 준다.

    Returns:
        표본 `shape`. `trajectory`이면 (S + 1, n, …): 처음이 순수한 잡음, 끝이 표본이다.

    Raises:
        TypeError: 함수나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 비었거나, `steps`나 `eta`가 범위를 벗어나거나, 그 방법에 쓰지 않는 인자를 주거나, 예측의
            모양이 다르거나, 결과가 유한하지 않거나, CPU가 아닌 발생기이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 알고리즘 2.
        Song, J., Meng, C. & Ermon, S. (2021). Denoising Diffusion Implicit Models, 4절.
    """
    _check_callable(predict=predict)
    if not shape:
        raise ValueError("shape: 표본의 수가 있어야 하는데 ()이다")
    checks.count(1, **{f"shape[{i}]": size for i, size in enumerate(shape)})

    def draw() -> Tensor:
        return randn(*shape, generator=generator, device=schedule.beta.device, dtype=dtype)

    times, update = timesteps(schedule, steps=steps), _update(schedule, method, variance=variance, eta=eta)
    kept = deque([draw()], maxlen=None if trajectory else 1)
    with torch.no_grad():
        kept.extend(_walk(predict, kept[0], times, update, draw))
    samples = torch.stack([*kept]) if trajectory else kept[0]
    checks.within(predict=(samples, REAL))  # 걸음마다 살피면 그때마다 장치를 기다린다
    return samples


class Moments(NamedTuple):
    r"""정규 분포 하나.

    $$x \sim \mathcal{N}(\mathrm{mean}, \mathrm{std}^2)$$

    Attributes:
        mean: 평균.
        std: 표준 편차.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 2.6절.
    """

    mean: Float[Tensor, ""]
    std: Float[Tensor, ""]


def gaussian_moments(
    predict: Predict,
    schedule: Schedule,
    *,
    steps: int | None = None,
    method: Method = "ancestral",
    variance: Variance | None = None,
    eta: float = 0.0,
) -> Moments:
    r"""예측이 $x_t$의 일차식일 때, `sample`이 뽑는 1차원 표본의 평균과 표준 편차를 뽑지 않고 안다.

    $$x_s = a_t x_t + b_t + c_t z \quad \Longrightarrow \quad
    \mu_s = a_t \mu_t + b_t, \qquad \sigma_s^2 = a_t^2 \sigma_t^2 + c_t^2$$

    $\mu_{T-1} = 0$, $\sigma_{T-1} = 1$에서 시작한다. 자료가 가우스 분포면 `mixture_noise`가 일차식이다.
    표본의 오차 없이 걸음의 수가 만드는 오차만 보인다. float64로 계산하고, 끝에서 장치와 한 번 동기화한다.

    Args:
        predict: 잡음의 예측. $x_t$ (n, 1)과 시각 (n,)을 받는다. $x_t$의 일차식이어야 한다.
        schedule: 잡음 일정표.
        steps: 걸음의 수 $S \in [1, T]$. 기본값은 $T$.
        method: `"ancestral"` 또는 `"ddim"`.
        variance: `"ancestral"`의 분산 규칙. 기본값은 `posterior_variance`.
        eta: `"ddim"`의 새 잡음의 몫 $\eta \in [0, 1]$.

    Returns:
        표본의 평균과 표준 편차, float64.

    Raises:
        TypeError: 함수나 정수가 와야 할 자리에 다른 것이 오면.
        ValueError: `steps`나 `eta`가 범위를 벗어나거나, 그 방법에 쓰지 않는 인자를 주거나, 예측의 모양이 다르거나,
            예측이 일차식이 아니면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 3.3절.
    """
    _check_callable(predict=predict)
    # 네 점을 지나면 걸음마다의 a, b, c와, 일차식에서 벗어난 만큼을 안다.
    x, z = schedule.beta.new_tensor([[0.0, 1.0, 0.0, -1.0], [0.0, 0.0, 1.0, 0.0]])[..., None]
    update = _update(schedule, method, variance=variance, eta=eta)
    mean, square = schedule.beta.new_zeros(()), schedule.beta.new_ones(())
    bend = schedule.beta.new_zeros(())
    with torch.no_grad():
        for times in pairwise(timesteps(schedule, steps=steps)):
            (end,) = _walk(predict, x, times, update, lambda: z)
            b, ab, bc, back = end[:, 0]
            mean, square = (ab - b) * mean + b, (ab - b) ** 2 * square + (bc - b) ** 2
            bend = torch.maximum(bend, (ab - 2 * b + back).abs() / end.abs().amax())
    checks.within(predict=(torch.stack([mean, square]), REAL))
    if bend > 1e-9:
        raise ValueError(f"predict: x_t의 일차식이어야 하는데 상대 오차 {bend.item():.2g}만큼 굽었다")
    return Moments(mean, square.sqrt())


class BoundTerms(NamedTuple):
    r"""음의 로그 가능도의 변분 상한을 이루는 항들. 표본마다의 값(nat)이다.

    $$-\log p_\theta(x_0) \le \mathbb{E}\Bigl[ L_0 + \sum_{t=1}^{T-1} L_t + L_T \Bigr]$$

    Attributes:
        reconstruction: 마지막 걸음의 $L_0 = -\log p_\theta(x_0 \mid x_{t=0})$.
        steps: 걸음마다의 $L_t = D_{\mathrm{KL}}(q(x_{t-1} \mid x_t, x_0) \,\|\, p_\theta(x_{t-1} \mid x_t))$, 차례로
            $t = 1, \ldots, T - 1$.
        prior: 출발점의 $L_T = D_{\mathrm{KL}}(q(x_{T-1} \mid x_0) \,\|\, \mathcal{N}(0, I))$.
        total: 모두의 합.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 5.
    """

    reconstruction: Float[Tensor, "n"]
    steps: Float[Tensor, "steps n"]
    prior: Float[Tensor, "n"]
    total: Float[Tensor, "n"]


def bound_term(
    predict: Predict,
    x0: Float[Tensor, "n *shape"],
    t: int,
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
    variance: Variance = posterior_variance,
) -> Float[Tensor, "n"]:
    r"""변분 상한의 한 항 $L_t$. 잡음 $\epsilon$ 하나로 어림하며, 미분할 수 있다.

    $$L_t = \frac{\lVert \tilde\mu_t - \mu_\theta \rVert^2}{2 \sigma_t^2}
    + \frac{d}{2} \Bigl( \frac{\tilde\beta_t}{\sigma_t^2} - 1 - \log \frac{\tilde\beta_t}{\sigma_t^2} \Bigr)
    \quad (t \ge 1), \qquad
    L_0 = \frac{\lVert x_0 - \mu_\theta \rVert^2}{2 \sigma_0^2} + \frac{d}{2} \log 2\pi\sigma_0^2$$

    $\mu_\theta$는 `ancestral_step`의 평균이다. 규칙이 $\sigma_0^2 = 0$을 주면 $p_\theta(x_0 \mid x_{t=0})$가 밀도가
    아니므로 그때만 $\sigma_0^2 = \beta_0$을 쓴다. 값을 살피므로 장치와 동기화한다.

    Args:
        predict: 잡음의 예측. $x_t$ (n, …)와 시각 (n,)을 받아 $x_t$와 같은 모양을 준다.
        x0: 자료 $x_0$. 첫 축이 표본이다.
        t: 시각.
        schedule: 잡음 일정표.
        noise: $x_t$를 만들 표준 정규 잡음 $\epsilon$. `x0`와 같은 모양.
        variance: 분산 $\sigma_t^2$의 규칙.

    Returns:
        표본마다의 항(nat). $t \ge 1$이면 0 이상.

    Raises:
        TypeError: 텐서, 정수, 함수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이
            $[0, T)$를 벗어나거나, 예측의 모양이 다르면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 5, 식 8.
    """
    _check_callable(predict=predict, variance=variance)
    _check_int_time(schedule, t)
    wide_x0, xt = widen(x0, diffuse(x0, t, schedule, noise=noise))
    epsilon = _predicted(predict, xt, t).to(xt.dtype)
    mu = _reverse_mean(xt, epsilon, t, t - 1, schedule)
    sigma2 = variance(t, t - 1, schedule)
    if t == 0:
        sigma2 = torch.where(sigma2 > 0, sigma2, schedule.beta[0])
        exact, extra = wide_x0, torch.log(2 * math.pi * sigma2)
    else:
        exact = _posterior_mean(wide_x0, xt, t, schedule)
        ratio = _bridge_variance(_alpha_bar(schedule, t), _alpha_bar(schedule, t - 1)) / sigma2
        extra = ratio - 1 - torch.log(ratio)
    square, d = _squared_norm(exact - mu), x0[0].numel()
    return (square / (2 * sigma2).to(square.dtype) + (d / 2 * extra).to(square.dtype)).to(x0.dtype)


def nll_bound_terms(
    predict: Predict,
    x0: Float[Tensor, "n *shape"],
    schedule: Schedule,
    *,
    generator: torch.Generator | None,
    variance: Variance = posterior_variance,
) -> BoundTerms:
    r"""음의 로그 가능도의 변분 상한. 항마다 잡음을 한 번씩 뽑아 어림한다.

    $$-\log p_\theta(x_0) \le \mathbb{E}\Bigl[ L_0 + \sum_{t=1}^{T-1} L_t \Bigr] + L_T, \qquad
    L_T = \frac{1}{2} \left[ \bar\alpha_{T-1} (\lVert x_0 \rVert^2 - d) - d \log (1 - \bar\alpha_{T-1}) \right]$$

    부등식은 기댓값에 대한 것이라, 잡음 한 벌로 얻은 값은 표본마다 위아래로 흔들린다. 기울기를 따라가지 않는다
    (`torch.no_grad`). 값을 살피므로 장치와 동기화한다.

    Args:
        predict: 잡음의 예측. $x_t$ (n, …)와 시각 (n,)을 받아 $x_t$와 같은 모양을 준다.
        x0: 자료 $x_0$. 첫 축이 표본이다.
        schedule: 잡음 일정표.
        generator: CPU 발생기. `None`이면 torch의 전역 발생기.
        variance: 분산 $\sigma_t^2$의 규칙. `bound_term`에 넘긴다.

    Returns:
        표본마다의 항들과 그 합(nat).

    Raises:
        TypeError: 텐서나 함수가 와야 할 자리에 다른 것이 오면.
        ValueError: 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 예측의 모양이 다르거나,
            CPU가 아닌 발생기이면.

    References:
        Sohl-Dickstein, J. 외 (2015). Deep Unsupervised Learning using Nonequilibrium Thermodynamics, 2.4절.
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 5.
    """
    _check_data(schedule, 0, x0=x0)
    with torch.no_grad():
        each = [
            bound_term(
                predict,
                x0,
                t,
                schedule,
                noise=randn(*x0.shape, generator=generator, device=x0.device, dtype=x0.dtype),
                variance=variance,
            )
            for t in range(len(schedule.beta))
        ]
        (wide_x0,) = widen(x0)
        d = x0[0].numel()
        last = schedule.alpha_bar[-1].to(wide_x0.dtype)
        prior = ((last * (_squared_norm(wide_x0) - d) - d * torch.log1p(-last)) / 2).to(x0.dtype)
        reconstruction, steps = each[0], torch.stack([prior, *each[1:]])[1:]
        return BoundTerms(reconstruction, steps, prior, reconstruction + steps.sum(0) + prior)


def probability_flow_log_likelihood(
    predict: Predict,
    x0: Float[Tensor, "n *shape"],
    schedule: Schedule,
) -> Float[Tensor, "n"]:
    r"""확률 흐름 상미분 방정식으로 재는 로그 가능도. 상한이 아니라 값이고, 오차는 걸음의 수가 만든다.

    $$\frac{dx}{d\phi} = v_\theta(x, \phi) = \frac{\epsilon_\theta - \sin\phi\, x}{\cos\phi}, \qquad
    \log p(x_0) = \log \mathcal{N}(x_{T-1}; 0, I) + \int_0^{\phi_{T-1}} \nabla \cdot v_\theta \, d\phi, \qquad
    \cos\phi_t = \sqrt{\bar\alpha_t}$$

    각도 $\phi$를 시간으로 삼으면 속도가 어디서나 유한하다. 자료의 자리 $\phi = 0$에서는 $v = 0$이다.
    일정표의 시각마다 멈추는 호인(Heun) 방법으로 풀어 그 오차는 $1/T^2$로 준다. $x_{T-1}$이 정확히
    $\mathcal{N}(0, I)$는 아니어서 생기는 오차($\sqrt{\bar\alpha_{T-1}}$쯤)는 따로 남는다. 발산은 자동 미분으로
    정확히 구하므로 걸음마다 차원의 수만큼 거꾸로 미분한다. 예측은 표본마다 따로여야 한다. 기울기를 따라가지 않는다.
    값을 살피므로 장치와 동기화한다.

    Args:
        predict: 잡음의 예측. $x_t$ (n, …)와 시각 (n,)을 받아 $x_t$와 같은 모양을 준다. $x_t$로 미분할 수 있어야 한다.
        x0: 자료 $x_0$. 첫 축이 표본이다.
        schedule: 잡음 일정표.

    Returns:
        표본마다의 로그 가능도(nat).

    Raises:
        TypeError: 텐서나 함수가 와야 할 자리에 다른 것이 오면.
        ValueError: 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 예측의 모양이 다르거나,
            예측을 $x_t$로 미분할 수 없으면.

    References:
        Song, Y. 외 (2021). Score-Based Generative Modeling through Stochastic Differential Equations, 4.3절.
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    _check_callable(predict=predict)
    _check_data(schedule, 0, x0=x0)
    (x,) = widen(x0.detach())
    angle = torch.atan2((1 - schedule.alpha_bar).sqrt(), schedule.alpha_bar.sqrt())
    strides = torch.diff(pad(angle, (1, 0))).to(x.dtype)
    drift, divergence = torch.zeros_like(x), x.new_zeros(len(x))
    change = x.new_zeros(len(x))
    for t, stride in enumerate(strides):
        ahead, ahead_divergence = _flow(predict, x + stride * drift, t, schedule)
        x = x + stride * (drift + ahead) / 2
        change = change + stride * (divergence + ahead_divergence) / 2
        if t < len(strides) - 1:
            drift, divergence = _flow(predict, x, t, schedule)
    log_likelihood = change - _squared_norm(x) / 2 - x[0].numel() / 2 * math.log(2 * math.pi)
    checks.within(predict=(log_likelihood, REAL))
    return log_likelihood.to(x0.dtype)


def _flow(predict: Predict, x: Tensor, t: int, schedule: Schedule) -> tuple[Tensor, Tensor]:
    """속도 v(x, t) (n, …)와 그 발산 (n,)."""
    signal, sigma = _levels(schedule, t, x)
    with torch.enable_grad():
        place = x.detach().requires_grad_()
        prediction = _predicted(predict, place, t)
        if not prediction.requires_grad:
            raise ValueError("predict: 발산을 구하도록 x_t로 미분할 수 있어야 하는데 기울기가 끊겨 있다")
        v = (prediction - sigma * place) / signal
        flat = v.reshape(len(x), -1)
        divergence = torch.stack(
            [
                torch.autograd.grad(flat[:, i].sum(), place, retain_graph=True)[0].reshape(len(x), -1)[:, i]
                for i in range(flat.shape[1])
            ]
        ).sum(0)
    return v.detach(), divergence


def _walk(predict: Predict, x: Tensor, times: tuple[int, ...], update: _Update, draw: _Draw) -> Iterator[Tensor]:
    """시각들을 차례로 밟으며 닿은 자리를 내놓는다."""
    for t, s in pairwise(times):
        x = update(x, _predicted(predict, x, t), t, s, draw)
        yield x


def _update(schedule: Schedule, method: Method, *, variance: Variance | None, eta: float) -> _Update:
    """방법의 이름과 손잡이에서 한 걸음의 함수를 고른다."""
    checks.choice(("ancestral", "ddim"), method=method)
    checks.number(UNIT, eta=eta)
    if method == "ancestral":
        if eta != 0:
            raise ValueError(f"eta: method가 'ancestral'이면 쓰지 않는데 {eta:g}이다")
        rule = posterior_variance if variance is None else variance
        _check_callable(variance=rule)
        return lambda x, e, t, s, draw: _ancestral(x, e, t, s, schedule, variance=rule(t, s, schedule), noise=draw())
    if variance is not None:
        raise ValueError("variance: method가 'ddim'이면 쓰지 않는데 주어졌다")
    return lambda x, e, t, s, draw: _ddim(x, e, t, s, schedule, eta=eta, noise=draw() if eta > 0 else None)


def _reverse_mean(x: Tensor, epsilon: Tensor, t: int, s: int, schedule: Schedule) -> Tensor:
    alpha_bar = _alpha_bar(schedule, t)
    alpha = alpha_bar / _alpha_bar(schedule, s)
    return (x - _column((1 - alpha) / (1 - alpha_bar).sqrt(), x) * epsilon) / _column(alpha.sqrt(), x)


def _ancestral(
    xt: Tensor, prediction: Tensor, t: int, s: int, schedule: Schedule, *, variance: Tensor, noise: Tensor
) -> Tensor:
    x, epsilon, z = widen(xt, prediction, noise)
    return (_reverse_mean(x, epsilon, t, s, schedule) + _column(variance.sqrt(), x) * z).to(xt.dtype)


def _ddim(
    xt: Tensor, prediction: Tensor, t: int, s: int, schedule: Schedule, *, eta: float, noise: Tensor | None
) -> Tensor:
    x, epsilon = widen(xt, prediction)
    signal, sigma_t = _levels(schedule, t, x)
    alpha_bar = _alpha_bar(schedule, s)
    sigma2 = eta**2 * _bridge_variance(_alpha_bar(schedule, t), alpha_bar)
    x0 = (x - sigma_t * epsilon) / signal
    # 수학에서는 음수가 될 수 없지만, 반올림이 −1e-17을 남길 수 있다.
    kept = (1 - alpha_bar - sigma2).clamp(min=0)
    xs = _column(alpha_bar.sqrt(), x) * x0 + _column(kept.sqrt(), x) * epsilon
    if noise is not None:
        xs = xs + _column(sigma2.sqrt(), x) * noise.to(x.dtype)
    return xs.to(xt.dtype)


def _predicted(predict: Predict, x: Tensor, t: int) -> Tensor:
    prediction = predict(x, torch.full((len(x),), t, dtype=torch.int64, device=x.device))
    checks.floating(predict=prediction)
    checks.shape(x.shape, predict=prediction)
    return prediction


class _Components(NamedTuple):
    log_joint: Tensor  # (n, k): log w_k + log N(x; √ᾱ m_k, v_k)
    difference: Tensor  # (n, k, d): x − √ᾱ m_k
    variance: Tensor  # (n 또는 1, k): v_k


def _components(
    x: Tensor,
    t: int | Tensor,
    schedule: Schedule,
    *,
    means: Tensor,
    std: float | Tensor,
    weights: Tensor | None,
) -> _Components:
    checks.ndim(2, 2, x=x)
    checks.floating(means=means)
    checks.ndim(2, 2, means=means)
    checks.nonempty(means=means)
    checks.shape((len(means), x.shape[1]), means=means)
    _check_device(schedule, means=means)
    checks.within(means=(means, REAL))
    if isinstance(std, Tensor):
        checks.floating(std=std)
        checks.shape(means.shape[:1], std=std)
        _check_device(schedule, std=std)
        checks.within(std=(std, POSITIVE))
    else:
        checks.number(POSITIVE, std=std)
    if weights is not None:
        checks.floating(weights=weights)
        checks.shape(means.shape[:1], weights=weights)
        _check_device(schedule, weights=weights)
        checks.simplex(0, weights=weights)
    wide_x, centres = widen(x, means)
    square = std**2 if isinstance(std, float | int) else std.to(wide_x.dtype) ** 2
    share = centres.new_full((len(centres),), 1 / len(centres)) if weights is None else weights.to(wide_x.dtype)
    signal, sigma = _levels(schedule, t, wide_x)  # (n 또는 1, 1)
    variance = (signal**2 * square + sigma**2).expand(-1, len(centres))
    difference = wide_x[:, None] - signal[..., None] * centres
    distance = (difference**2).sum(2) / variance
    log_joint = share.log() - (x.shape[1] * (2 * math.pi * variance).log() + distance) / 2
    return _Components(log_joint, difference, variance)


def _alpha_bar(schedule: Schedule, t: int | Tensor) -> Tensor:
    """ᾱ_t. 시각 −1은 자료이므로 1이다."""
    return pad(schedule.alpha_bar, (1, 0), value=1.0)[t + 1]


def _bridge_variance(alpha_bar_t: Tensor, alpha_bar_s: Tensor) -> Tensor:
    return (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha_bar_t / alpha_bar_s)


def _posterior_mean(x0: Tensor, xt: Tensor, t: int | Tensor, schedule: Schedule) -> Tensor:
    beta, now, before = schedule.beta[t], _alpha_bar(schedule, t), _alpha_bar(schedule, t - 1)
    to_x0 = before.sqrt() * beta / (1 - now)
    to_xt = (1 - beta).sqrt() * (1 - before) / (1 - now)
    return _column(to_x0, x0) * x0 + _column(to_xt, x0) * xt


def _squared_norm(x: Tensor) -> Tensor:
    """표본마다의 제곱합 (n,)."""
    return (x**2).reshape(len(x), -1).sum(1)


def _levels(schedule: Schedule, t: int | Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """x에 곱할 수 있는 모양의 √ᾱ_t와 √(1 − ᾱ_t)."""
    alpha_bar = _alpha_bar(schedule, t)
    return _column(alpha_bar.sqrt(), x), _column((1 - alpha_bar).sqrt(), x)


def _column(values: Tensor, x: Tensor) -> Tensor:
    """표본마다의 수 (n,)이나 하나의 수를 x의 모양으로 늘어나게 세운다. 표는 float64라 여기서 자료형을 맞춘다."""
    return values.to(x.dtype).reshape(-1, *(1,) * (x.ndim - 1))


def _check_data(schedule: Schedule, t: int | Tensor, *, earliest: int = 0, **tensors: Tensor) -> None:
    checks.floating(**tensors)
    checks.ndim(1, math.inf, **tensors)
    checks.nonempty(**tensors)
    first = next(iter(tensors.values()))
    checks.shape(first.shape, **tensors)
    _check_device(schedule, **tensors)
    if isinstance(t, Tensor):
        if t.dtype != torch.int64:
            raise ValueError(f"t: 시각은 torch.int64여야 하는데 {t.dtype}이다")
        checks.shape(first.shape[:1], t=t)
        _check_device(schedule, t=t)
        bounds = {"t": (t, Interval(earliest, len(schedule.beta) - 1))}
    else:
        _check_int_time(schedule, t, earliest=earliest)
        bounds = {}
    checks.within(**bounds, **{name: (value, REAL) for name, value in tensors.items()})


def _check_int_time(schedule: Schedule, t: int, *, earliest: int = 0) -> None:
    checks.count(earliest, t=t)
    checks.number(Interval(earliest, len(schedule.beta) - 1), t=t)


def _check_stride(t: int, s: int, schedule: Schedule) -> None:
    _check_int_time(schedule, t)
    checks.count(-1, s=s)
    if s >= t:
        raise ValueError(f"s: t({t})보다 작아야 하는데 {s}이다")


def _check_device(schedule: Schedule, **tensors: Tensor) -> None:
    device = schedule.beta.device
    for name, value in tensors.items():
        if value.device != device:
            raise ValueError(f"{name}: 일정표와 같은 장치 {device}에 있어야 하는데 {value.device}에 있다")


def _check_callable(**functions: object) -> None:
    for name, value in functions.items():
        if not callable(value):
            raise TypeError(f"{name}: 함수여야 하는데 {type(value).__name__}이다")
