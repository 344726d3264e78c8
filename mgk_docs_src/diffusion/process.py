"""데이터에 노이즈를 섞는 확산 과정: `docs/diffusion/process.md`."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, REAL, Interval
from mgk_docs_src.diffusion.schedules import (
    LEAST_SIGNAL,
    SPREAD,
    Schedule,
    alpha_bar,
    bridge_variance,
    bridge_weights,
    check_data,
    check_schedule,
    column,
    levels,
)
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients

# x_t (n, …)와 t (n,)를 받아 노이즈의 예측 (n, …)을 준다.
Predict = Callable[[Tensor, Tensor], Tensor]

# 신경망이 x_t를 보고 맞히는 것. x_t를 알면 하나에서 나머지가 나온다.
Target = Literal["noise", "x0", "velocity", "score"]

TARGETS: tuple[Target, ...] = ("noise", "x0", "velocity", "score")
_OPEN_UNIT = Interval(0.0, 1.0, open=True)


@with_gradients
def noise_schedule(beta: Float[Tensor, "T"]) -> Schedule:
    r"""단계마다의 분산 $\beta_t$로 스케줄을 만든다.

    $$\bar\alpha_t = \prod_{s=1}^{t} (1 - \beta_s)$$

    값을 검사하므로 장치와 동기화한다.

    Args:
        beta: $\beta_t \in (0, 1)$.

    Returns:
        float64로 적은 스케줄. 장치는 `beta`를 따른다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 축이 하나가 아니거나, 비었거나, 실수형이 아니거나, $(0, 1)$을 벗어나거나, 분산이 너무 작아
            $\bar\alpha_t$가 줄지 않거나, 너무 커서 $1 / \bar\alpha_T$를 float32로 적을 수 없으면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 2절.
    """
    checks.floating(beta=beta)
    checks.ndim(1, 1, beta=beta)
    checks.nonempty(beta=beta)
    checks.within(beta=(beta, _OPEN_UNIT))
    return _schedule(beta.double(), small="beta", large="beta")


@with_gradients
def linear_schedule(
    steps: int,
    *,
    beta_min: float = 1e-4,
    beta_max: float = 0.02,
    device: torch.device | None = None,
) -> Schedule:
    r"""분산이 일정하게 커지는 스케줄. 단계의 수가 달라도 끝에 남는 신호는 거의 같다.

    $$\beta_t = 1 - (1 - b_t)^{1000 / T}, \qquad
    b_t = \beta_{\min} + \frac{t - 1}{T - 1} (\beta_{\max} - \beta_{\min})$$

    $T = 1000$이면 DDPM의 스케줄 그대로다. 단계가 적으면 한 단계가 원래의 $1000 / T$단계를 한꺼번에 간다.
    $T = 1$이면 $b_1 = \beta_{\max}$다.

    Args:
        steps: 단계의 수 $T \ge 1$.
        beta_min: 첫 단계의 분산 $\beta_{\min} \in (0, 1)$, $T = 1000$일 때의 값.
        beta_max: 끝 단계의 분산 $\beta_{\max} \in (0, 1)$, $\beta_{\min}$ 이상.
        device: 놓을 장치. 기본값은 torch의 기본 장치.

    Returns:
        스케줄.

    Raises:
        TypeError: `steps`가 정수가 아니거나, 분산이 수가 아니면.
        ValueError: `steps`가 1보다 작거나, 분산이 $(0, 1)$을 벗어나거나, $\beta_{\min} > \beta_{\max}$이거나,
            $\beta_{\min}$이 너무 작아 노이즈가 섞이지 않거나, $\beta_{\max}$가 너무 커서 신호가 남지 않으면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 4절.
    """
    checks.count(1, steps=steps)
    checks.number(_OPEN_UNIT, beta_min=beta_min, beta_max=beta_max)
    if beta_min > beta_max:
        raise ValueError(f"beta_min: beta_max({beta_max:g}) 이하여야 하는데 {beta_min:g}이다")
    # 뒤에서부터 놓으면 T = 1일 때 β_max가 남는다.
    b = torch.linspace(beta_max, beta_min, steps, device=device, dtype=torch.float64).flip(0)
    return _schedule(-torch.expm1(1000 / steps * torch.log1p(-b)), small="beta_min", large="beta_max")


@with_gradients
def cosine_schedule(
    steps: int,
    *,
    offset: float = 0.008,
    max_beta: float = 0.999,
    device: torch.device | None = None,
) -> Schedule:
    r"""남은 신호가 코사인 곡선을 따라 줄어드는 스케줄.

    $$\beta_t = \min\Bigl(1 - \frac{f(t)}{f(t - 1)},\; \beta_{\max}\Bigr), \qquad
    f(t) = \cos^2\Bigl(\frac{t / T + o}{1 + o} \cdot \frac{\pi}{2}\Bigr)$$

    $\beta_{\max}$에 걸리지 않는 시각에서는 $\bar\alpha_t = f(t) / f(0)$이다.

    Args:
        steps: 단계의 수 $T \ge 1$.
        offset: 첫 단계의 노이즈가 너무 작지 않게 하는 $o \ge 0$.
        max_beta: 분산의 위 끝 $\beta_{\max} \in (0, 1)$.
        device: 놓을 장치. 기본값은 torch의 기본 장치.

    Returns:
        스케줄.

    Raises:
        TypeError: `steps`가 정수가 아니거나, 나머지가 수가 아니면.
        ValueError: `steps`가 1보다 작거나, `offset`이 음수거나 너무 커서 $f$가 줄지 않거나, `max_beta`가 $(0, 1)$을
            벗어나거나 너무 작아 노이즈가 섞이지 않으면.

    References:
        Nichol, A. & Dhariwal, P. (2021). Improved Denoising Diffusion Probabilistic Models, 3.2절.
    """
    checks.count(1, steps=steps)
    checks.number(NONNEGATIVE, offset=offset)
    checks.number(_OPEN_UNIT, max_beta=max_beta)
    t = torch.arange(steps + 1, device=device, dtype=torch.float64)
    f = torch.cos((t / steps + offset) / (1 + offset) * math.pi / 2) ** 2
    if not (f.diff() < 0).all():
        raise ValueError(f"offset: f가 시각마다 줄도록 작아야 하는데 {offset:g}이다")
    return _schedule((1 - f[1:] / f[:-1]).clamp(max=max_beta), small="max_beta", large="max_beta")


@full_precision
def signal_to_noise(schedule: Schedule) -> Float[Tensor, "T"]:
    r"""시각마다의 신호 대 잡음비.

    $$\mathrm{SNR}_t = \frac{\bar\alpha_t}{1 - \bar\alpha_t}$$

    Args:
        schedule: 노이즈 스케줄.

    Returns:
        0보다 큰 비, float64. $t$가 늘면 줄어든다.

    Raises:
        TypeError: 스케줄이 아니면.
        ValueError: 남은 신호가 0이나 1이 되는 스케줄이면.

    References:
        Kingma, D. P. 외 (2021). Variational Diffusion Models, 3.1절.
    """
    check_schedule(schedule)
    return schedule.alpha_bar / (1 - schedule.alpha_bar)


@full_precision
def diffuse_step(
    x: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
) -> Float[Tensor, "n *shape"]:
    r"""노이즈를 한 단계 더한다: $q(x_t \mid x_{t-1})$.

    $$x_t = \sqrt{1 - \beta_t}\, x_{t-1} + \sqrt{\beta_t}\, \epsilon$$

    값을 검사하므로 장치와 동기화한다.

    Args:
        x: 한 단계 전의 $x_{t-1}$. 첫 축이 표본이다.
        t: 도착할 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        noise: 표준 정규 노이즈 $\epsilon$. `x`와 같은 모양.

    Returns:
        $x_t$. `x`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나면.

    References:
        Sohl-Dickstein, J. 외 (2015). Deep Unsupervised Learning using Nonequilibrium Thermodynamics, 2.1절.
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 2.
    """
    check_data(schedule, t, x=x, noise=noise)
    wide_x, epsilon = widen(x, noise)
    beta = schedule.beta[t]
    return (column((1 - beta).sqrt(), wide_x) * wide_x + column(beta.sqrt(), wide_x) * epsilon).to(x.dtype)


@full_precision
def diffuse(
    x0: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
) -> Float[Tensor, "n *shape"]:
    r"""데이터에서 시각 $t$로 한 번에 간다: $q(x_t \mid x_0)$. `diffuse_step`을 $t$번 반복한 결과와 분포가 같다.

    $$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$$

    값을 검사하므로 장치와 동기화한다.

    Args:
        x0: 데이터 $x_0$. 첫 축이 표본이다.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        noise: 표준 정규 노이즈 $\epsilon$. `x0`와 같은 모양.

    Returns:
        $x_t$. `x0`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 4.
    """
    check_data(schedule, t, x0=x0, noise=noise)
    wide_x0, epsilon = widen(x0, noise)
    signal, sigma = levels(schedule.alpha_bar[t], wide_x0)
    return (signal * wide_x0 + sigma * epsilon).to(x0.dtype)


class Posterior(NamedTuple):
    r"""$x_0$를 알 때 한 단계 전의 분포.

    $$q(x_{t-1} \mid x_t, x_0) = \mathcal{N}(\tilde\mu_t, \tilde\beta_t I)$$

    Attributes:
        mean: 평균 $\tilde\mu_t$.
        variance: 분산 $\tilde\beta_t$. 시각이 하나면 스칼라, 표본마다면 (n,).

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 6.
    """

    mean: Float[Tensor, "n *shape"]
    variance: Float[Tensor, "..."]


@full_precision
def posterior(
    x0: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Posterior:
    r"""$x_0$를 알 때 한 단계 되돌아가는 분포. 정규 분포끼리의 베이즈 정리다.

    $$\tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t} x_0
    + \frac{\sqrt{1 - \beta_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} x_t, \qquad
    \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t$$

    $t = 1$이면 $\tilde\mu_1 = x_0$, $\tilde\beta_1 = 0$이다. 값을 검사하므로 장치와 동기화한다.

    Args:
        x0: 데이터 $x_0$. 첫 축이 표본이다.
        xt: 시각 $t$의 $x_t$. `x0`와 같은 모양.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.

    Returns:
        평균과 분산.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 7.
    """
    check_data(schedule, t, x0=x0, xt=xt)
    wide_x0, wide_xt = widen(x0, xt)
    dtype = torch.promote_types(x0.dtype, xt.dtype)
    to_x0, to_xt = bridge_weights(t, schedule)
    mean = column(to_x0, wide_x0) * wide_x0 + column(to_xt, wide_xt) * wide_xt
    return Posterior(mean.to(dtype), bridge_variance(schedule.alpha_bar[t], alpha_bar(t - 1, schedule)).to(dtype))


@full_precision
def convert(
    prediction: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    source: Target,
    to: Target,
) -> Float[Tensor, "n *shape"]:
    r"""$x_t$를 알 때, 넷 가운데 하나의 예측을 다른 예측으로 바꾼다. 먼저 노이즈를 구하고, 노이즈로 나머지를 적는다.

    $$\epsilon = y, \quad \frac{x_t - \sqrt{\bar\alpha_t}\, y}{\sigma_t}, \quad
    \sigma_t x_t + \sqrt{\bar\alpha_t}\, y, \quad -\sigma_t y, \qquad \sigma_t = \sqrt{1 - \bar\alpha_t}$$

    $$x_0 = \frac{x_t - \sigma_t \epsilon}{\sqrt{\bar\alpha_t}}, \qquad
    v = \frac{\epsilon - \sigma_t x_t}{\sqrt{\bar\alpha_t}}, \qquad
    \nabla_{x_t} \log q(x_t \mid x_0) = -\frac{\epsilon}{\sigma_t}$$

    첫 줄은 `source`가 노이즈, 데이터, 속도, 스코어일 때다. $\sqrt{\bar\alpha_t}$로 나누는 변환은 노이즈가 많은
    시각에서, $\sigma_t$로 나누는 변환은 노이즈가 적은 시각에서 예측의 오차를 키운다. 속도에서 데이터로는 나누지 않고
    $\sqrt{\bar\alpha_t}\, x_t - \sigma_t y$로 간다. 값을 검사하므로 장치와 동기화한다.

    Args:
        prediction: 맞힌 것 $y$ 또는 그 예측. 첫 축이 표본이다.
        xt: 시각 $t$의 $x_t$. `prediction`과 같은 모양.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        source: 맞힌 것의 이름. `"noise"`, `"x0"`, `"velocity"`, `"score"`.
        to: 얻을 것의 이름.

    Returns:
        바꾼 예측. `prediction`과 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나거나, 이름을 모르면.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    checks.choice(TARGETS, source=source)
    checks.choice(TARGETS, to=to)
    return _convert(t, schedule, source, to, prediction=prediction, xt=xt)


def converted(
    y: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    kept: Float[Tensor, "..."],
    *,
    source: Target,
    to: Target,
) -> Float[Tensor, "n *shape"]:
    r"""`convert`의 식. 값도 이름도 검사하지 않는다.

    $$y \mapsto \epsilon \mapsto x_0,\; v,\; \nabla_{x_t} \log q(x_t \mid x_0)$$

    Args:
        y: 맞힌 것.
        xt: 시각 $t$의 $x_t$. `y`와 같은 모양과 자료형.
        kept: 남은 신호의 비율 $\bar\alpha_t$. 하나거나 표본마다 (n,).
        source: 맞힌 것의 이름.
        to: 얻을 것의 이름.

    Returns:
        바꾼 예측.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    if source == to:
        return y
    signal, sigma = levels(kept, y)
    if (source, to) == ("velocity", "x0"):  # 노이즈를 거치면 √ᾱ로 나누게 된다
        return signal * xt - sigma * y
    if source == "x0":
        noise = (xt - signal * y) / sigma
    elif source == "velocity":
        noise = sigma * xt + signal * y
    else:
        noise = -sigma * y if source == "score" else y
    if to == "noise":
        return noise
    if to == "score":
        return -noise / sigma
    return (xt - sigma * noise) / signal if to == "x0" else (noise - sigma * xt) / signal


@full_precision
def noise_to_x0(
    noise: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""노이즈를 알면 데이터도 안다. `convert`의 `"noise"`에서 `"x0"`로.

    $$x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \epsilon}{\sqrt{\bar\alpha_t}}$$

    Args:
        noise: 노이즈 $\epsilon$ 또는 그 예측.
        xt: 시각 $t$의 $x_t$.
        t: 시각의 번호.
        schedule: 노이즈 스케줄.

    Returns:
        $x_0$ 또는 그 예측.

    Raises:
        TypeError: `convert`와 같다.
        ValueError: `convert`와 같다.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 15.
    """
    return _convert(t, schedule, "noise", "x0", noise=noise, xt=xt)


@full_precision
def x0_to_noise(
    x0: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""데이터를 알면 노이즈도 안다. `noise_to_x0`의 역이고, `convert`의 `"x0"`에서 `"noise"`로.

    $$\epsilon = \frac{x_t - \sqrt{\bar\alpha_t}\, x_0}{\sqrt{1 - \bar\alpha_t}}$$

    Args:
        x0: 데이터 $x_0$ 또는 그 예측.
        xt: 시각 $t$의 $x_t$.
        t: 시각의 번호.
        schedule: 노이즈 스케줄.

    Returns:
        노이즈 $\epsilon$ 또는 그 예측.

    Raises:
        TypeError: `convert`와 같다.
        ValueError: `convert`와 같다.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 4.
    """
    return _convert(t, schedule, "x0", "noise", x0=x0, xt=xt)


@full_precision
def velocity_to_x0(
    v: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""속도에서 데이터로. 나누는 곳이 없어 노이즈가 많은 시각에서도 유효 숫자를 잃지 않는다.

    `convert`의 `"velocity"`에서 `"x0"`로.

    $$x_0 = \sqrt{\bar\alpha_t}\, x_t - \sqrt{1 - \bar\alpha_t}\, v$$

    Args:
        v: 속도 $v$ 또는 그 예측.
        xt: 시각 $t$의 $x_t$.
        t: 시각의 번호.
        schedule: 노이즈 스케줄.

    Returns:
        $x_0$ 또는 그 예측.

    Raises:
        TypeError: `convert`와 같다.
        ValueError: `convert`와 같다.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    return _convert(t, schedule, "velocity", "x0", v=v, xt=xt)


@full_precision
def velocity_to_noise(
    v: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""속도에서 노이즈로. 나누는 곳이 없다. `convert`의 `"velocity"`에서 `"noise"`로.

    $$\epsilon = \sqrt{1 - \bar\alpha_t}\, x_t + \sqrt{\bar\alpha_t}\, v$$

    Args:
        v: 속도 $v$ 또는 그 예측.
        xt: 시각 $t$의 $x_t$.
        t: 시각의 번호.
        schedule: 노이즈 스케줄.

    Returns:
        노이즈 $\epsilon$ 또는 그 예측.

    Raises:
        TypeError: `convert`와 같다.
        ValueError: `convert`와 같다.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    return _convert(t, schedule, "velocity", "noise", v=v, xt=xt)


@full_precision
def noise_to_score(
    noise: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""노이즈의 예측은 스코어(score, 로그 밀도의 기울기)에 상수를 곱한 값이다.

    `convert`의 `"noise"`에서 `"score"`로. $x_t$는 쓰지 않는다.

    $$\nabla_{x_t} \log p_t(x_t) = -\frac{\mathbb{E}[\epsilon \mid x_t]}{\sqrt{1 - \bar\alpha_t}}$$

    Args:
        noise: 노이즈의 예측 $\mathbb{E}[\epsilon \mid x_t]$. 첫 축이 표본이다.
        t: 시각의 번호.
        schedule: 노이즈 스케줄.

    Returns:
        스코어. `noise`와 같은 모양과 자료형.

    Raises:
        TypeError: `convert`와 같다.
        ValueError: `convert`와 같다.

    References:
        Vincent, P. (2011). A Connection Between Score Matching and Denoising Autoencoders, 4절.
    """
    return _convert(t, schedule, "noise", "score", noise=noise)


@full_precision
def velocity(
    x0: Float[Tensor, "n *shape"],
    noise: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""속도 $v$: 각도 $\phi_t$를 돌 때 $x_t = \cos\phi_t\, x_0 + \sin\phi_t\, \epsilon$가 움직이는 방향.

    $$v = \sqrt{\bar\alpha_t}\, \epsilon - \sqrt{1 - \bar\alpha_t}\, x_0 = \frac{d x_t}{d \phi_t}, \qquad
    \cos\phi_t = \sqrt{\bar\alpha_t}$$

    노이즈가 적을 때는 노이즈를, 많을 때는 데이터를 맞히는 셈이라 어느 시각에서나 크기가 비슷하다.
    값을 검사하므로 장치와 동기화한다.

    Args:
        x0: 데이터 $x_0$. 첫 축이 표본이다.
        noise: 노이즈 $\epsilon$. `x0`와 같은 모양.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.

    Returns:
        속도 $v$. `x0`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나면.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    check_data(schedule, t, x0=x0, noise=noise)
    wide_x0, epsilon = widen(x0, noise)
    signal, sigma = levels(schedule.alpha_bar[t], wide_x0)
    return (signal * epsilon - sigma * wide_x0).to(torch.promote_types(x0.dtype, noise.dtype))


@full_precision
def mixture_log_density(
    x: Float[Tensor, "n d"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    means: Float[Tensor, "k d"],
    std: float | Float[Tensor, "k"],
    weights: Float[Tensor, "k"] | None = None,
) -> Float[Tensor, "n"]:
    r"""데이터가 가우스 혼합일 때 $x_t$의 로그 밀도. 노이즈를 더해도 가우스 혼합이다.

    $$p_t(x) = \sum_k w_k\, \mathcal{N}\bigl(x;\, \sqrt{\bar\alpha_t}\, m_k,\, v_{tk} I\bigr), \qquad
    v_{tk} = \bar\alpha_t s_k^2 + 1 - \bar\alpha_t$$

    번호가 $-1$이면 데이터 자신의 로그 밀도다. 값을 검사하므로 장치와 동기화한다.

    Args:
        x: 밀도를 잴 점. 한 줄이 점 하나.
        t: 시각의 번호 $\{-1, 0, \ldots, T - 1\}$. 하나의 정수거나 점마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        means: 성분의 중심 $m_k$.
        std: 성분의 표준 편차 $s_k > 0$. 모두 같으면 수 하나.
        weights: 혼합 비율 $w_k$, 합이 1. 기본값은 모두 같은 비율.

    Returns:
        로그 밀도(nat). `x`와 같은 자료형.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[-1, T)$를 벗어나거나, 표준 편차가
            $[10^{-18}, 10^{18}]$을 벗어나거나, 혼합 비율이 음수거나 합이 1이 아니면.

    References:
        Murphy, K. P. (2023). Probabilistic Machine Learning: Advanced Topics, 25장.
    """
    check_data(schedule, t, -1, x=x)
    checks.ndim(2, 2, x=x)
    parts = _components(x, t, schedule, means=means, std=std, weights=weights)
    return torch.logsumexp(parts.log_joint, 1).to(x.dtype)


@full_precision
def mixture_noise(
    xt: Float[Tensor, "n d"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    means: Float[Tensor, "k d"],
    std: float | Float[Tensor, "k"],
    weights: Float[Tensor, "k"] | None = None,
) -> Float[Tensor, "n d"]:
    r"""데이터가 가우스 혼합일 때 노이즈의 완벽한 예측. 학습하지 않고 식으로 안다.

    $$\mathbb{E}[\epsilon \mid x_t] = \sqrt{1 - \bar\alpha_t} \sum_k r_k(x_t)
    \frac{x_t - \sqrt{\bar\alpha_t}\, m_k}{v_{tk}}, \qquad
    r_k(x_t) \propto w_k\, \mathcal{N}\bigl(x_t;\, \sqrt{\bar\alpha_t}\, m_k,\, v_{tk} I\bigr)$$

    $v_{tk} = \bar\alpha_t s_k^2 + 1 - \bar\alpha_t$다. 평균 제곱 오차가 이보다 작은 예측은 없다.
    값을 검사하므로 장치와 동기화한다.

    Args:
        xt: 시각 $t$의 점 $x_t$. 한 줄이 점 하나.
        t: 시각의 번호. 하나의 정수거나 점마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        means: 성분의 중심 $m_k$. 성분이 하나면 가우스 분포다.
        std: 성분의 표준 편차 $s_k > 0$. 모두 같으면 수 하나.
        weights: 혼합 비율 $w_k$, 합이 1. 기본값은 모두 같은 비율.

    Returns:
        노이즈의 예측. `xt`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나거나, 표준 편차가
            $[10^{-18}, 10^{18}]$을 벗어나거나, 혼합 비율이 음수거나 합이 1이 아니면.

    References:
        Murphy, K. P. (2023). Probabilistic Machine Learning: Advanced Topics, 25장.
    """
    check_data(schedule, t, xt=xt)
    checks.ndim(2, 2, xt=xt)
    parts = _components(xt, t, schedule, means=means, std=std, weights=weights)
    responsibility = torch.softmax(parts.log_joint, 1)  # (n, k)
    pull = (responsibility / parts.variance)[..., None] * parts.difference  # (n, k, d)
    _, sigma = levels(schedule.alpha_bar[t], pull[:, 0])
    return (sigma * pull.sum(1)).to(xt.dtype)


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
    checks.floating(means=means)
    checks.ndim(2, 2, means=means)
    checks.nonempty(means=means)
    checks.shape((len(means), x.shape[1]), means=means)
    checks.device(schedule.beta.device, means=means)
    checks.within(means=(means, REAL))
    if isinstance(std, Tensor):
        checks.floating(std=std)
        checks.shape(means.shape[:1], std=std)
        checks.device(schedule.beta.device, std=std)
        checks.within(std=(std, SPREAD))
    else:
        checks.number(SPREAD, std=std)
    if weights is not None:
        checks.floating(weights=weights)
        checks.shape(means.shape[:1], weights=weights)
        checks.device(schedule.beta.device, weights=weights)
        checks.simplex(0, weights=weights)
    wide_x, centres = widen(x, means)
    square = std**2 if isinstance(std, float | int) else std.to(wide_x.dtype) ** 2
    share = centres.new_full((len(centres),), 1 / len(centres)) if weights is None else weights.to(wide_x.dtype)
    signal, sigma = levels(alpha_bar(t, schedule), wide_x)  # (n 또는 1, 1)
    variance = (signal**2 * square + sigma**2).expand(-1, len(centres))
    difference = wide_x[:, None] - signal[..., None] * centres
    distance = (difference**2).sum(2) / variance
    log_joint = share.log() - (x.shape[1] * (2 * math.pi * variance).log() + distance) / 2
    return _Components(log_joint, difference, variance)


def _convert(t: int | Tensor, schedule: Schedule, source: Target, to: Target, **tensors: Tensor) -> Tensor:
    """공개 함수마다 자기 인자의 이름으로 검사한다. 첫 텐서가 예측이고, 둘째가 있으면 x_t다."""
    check_data(schedule, t, **tensors)
    given, other = next(iter(tensors.values())), tensors.get("xt")
    y, x = widen(given, given if other is None else other)
    answer = converted(y, x, schedule.alpha_bar[t], source=source, to=to)
    return answer.to(given.dtype if other is None else torch.promote_types(given.dtype, other.dtype))


def _schedule(beta: Tensor, *, small: str, large: str) -> Schedule:
    """값이 float64에서 뜻을 잃지 않는지 본다. 너무 작은 분산과 너무 큰 분산을 정한 인자의 이름을 함께 받는다."""
    kept = (1 - beta).cumprod(0)
    if not kept[-1] > LEAST_SIGNAL:
        raise ValueError(
            f"{large}: 끝에 남는 신호 ᾱ가 {LEAST_SIGNAL:.3g}보다 크도록 작아야 하는데, 분산이 {beta.max():.3g}까지 "
            f"커져 ᾱ가 {kept[-1]:.3g}이다"
        )
    if not (kept[0] < 1 and (kept.diff() < 0).all()):
        raise ValueError(f"{small}: 시각마다 ᾱ가 줄도록 커야 하는데 가장 작은 분산이 {beta.min():.3g}이다")
    return Schedule(beta, kept)
