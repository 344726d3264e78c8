"""노이즈에서 데이터로 돌아오는 길: `docs/diffusion/sampling.md`.

여기서는 아무것도 학습하지 않는다. 노이즈를 맞히는 함수 `predict`는 주어진 것으로 본다.
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
from mgk_docs_src.diffusion.process import Predict, diffuse
from mgk_docs_src.diffusion.schedules import (
    SPREAD,
    Schedule,
    alpha_bar,
    bridge_variance,
    bridge_weights,
    check_data,
    check_predictors,
    check_schedule,
    check_times,
    check_variances,
    column,
    levels,
)
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.random import randn

Method = Literal["ancestral", "ddim"]

Likelihood = Literal["averaged", "denoised", "noisy"]

# 시각의 번호 t와 s, 스케줄을 받아 단계 t → s에 더할 노이즈의 분산을 준다.
Variance = Callable[[int, int, Schedule], Tensor]

_Draw = Callable[[], Tensor]

_Update = Callable[[Tensor, Tensor, int, int, _Draw], Tensor]  # x_t, 예측, t, s, 새 노이즈 → x_s


@full_precision
def guide(
    conditional: Float[Tensor, "*shape"],
    unconditional: Float[Tensor, "*shape"],
    scale: float,
) -> Float[Tensor, "*shape"]:
    r"""분류기 없는 가이던스(classifier-free guidance): 조건을 준 예측과 주지 않은 예측의 차이를 키운다.

    $$\tilde\epsilon = (1 + w)\, \epsilon_c - w\, \epsilon_u$$

    $w = 0$이면 조건을 준 예측 그대로다. 스코어로 적으면 시각마다 $p_t(x_t \mid c)^{1 + w} / p_t(x_t)^w$의 스코어다.
    그러나 이것은 $p(x_0 \mid c)^{1 + w} / p(x_0)^w$에 노이즈를 더한 분포의 스코어가 아니므로, $w > 0$이면 표본은
    $p(x_0 \mid c)$의 것도 그 분포의 것도 아니다. 값을 검사하므로 장치와 동기화한다.

    Args:
        conditional: 조건 $c$를 준 예측 $\epsilon_c$. 임의의 모양.
        unconditional: 조건을 주지 않은 예측 $\epsilon_u$. `conditional`과 같은 모양.
        scale: 가이던스의 세기 $w \ge 0$.

    Returns:
        가이던스를 적용한 예측. `conditional`과 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
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


@full_precision
def tilt(
    noise: Float[Tensor, "n *shape"],
    gradient: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
) -> Float[Tensor, "n *shape"]:
    r"""다른 분포 $r$를 곱한다: $p(x_0)$의 예측을 $\tilde p(x_0) \propto p(x_0)\, r(x_0)$의 예측으로 바꾼다.

    $$\tilde\epsilon = \epsilon - \sqrt{1 - \bar\alpha_t}\, \nabla_{x_t} \log r_t(x_t), \qquad
    r_t(x_t) = \mathbb{E}[r(x_0) \mid x_t]$$

    $r_t$가 이 기댓값일 때만 정확하다. 다른 $r_t$를 쓰면 다른 분포에서 뽑는다. 값을 검사하므로 장치와 동기화한다.

    Args:
        noise: $p$에 대한 노이즈의 예측 $\epsilon$. 첫 축이 표본이다.
        gradient: 기울기 $\nabla_{x_t} \log r_t(x_t)$. `noise`와 같은 모양.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.

    Returns:
        $\tilde p$에 대한 노이즈의 예측. `noise`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나면.

    References:
        Sohl-Dickstein, J. 외 (2015). Deep Unsupervised Learning using Nonequilibrium Thermodynamics, 2.5절.
        Dhariwal, P. & Nichol, A. (2021). Diffusion Models Beat GANs on Image Synthesis, 4.2절.
    """
    check_data(schedule, t, noise=noise, gradient=gradient)
    epsilon, slope = widen(noise, gradient)
    _, sigma = levels(schedule.alpha_bar[t], epsilon)
    return (epsilon - sigma * slope).to(torch.promote_types(noise.dtype, gradient.dtype))


@full_precision
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
    r"""$x_0 \sim \mathcal{N}(m, s^2)$를 오차 $\tau$로 재어 $y$를 보았을 때, `tilt`에 줄 기울기와 흔히 쓰는 두 근사.

    $$\nabla \log r_t(x_t) = \begin{cases}
    g_t\, (y - \hat x_0) / (\tau^2 + v_t) & r_t = \mathbb{E}[r(x_0) \mid x_t] \\
    g_t\, (y - \hat x_0) / \tau^2 & r_t = r(\mathbb{E}[x_0 \mid x_t]) \\
    (y - x_t) / \tau^2 & r_t = r(x_t)
    \end{cases}, \qquad r(x_0) = \mathcal{N}(y; x_0, \tau^2)$$

    $$\hat x_0 = m + g_t (x_t - \sqrt{\bar\alpha_t}\, m), \qquad
    g_t = \frac{\sqrt{\bar\alpha_t}\, s^2}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}, \qquad
    v_t = \frac{(1 - \bar\alpha_t)\, s^2}{\bar\alpha_t s^2 + 1 - \bar\alpha_t}$$

    $x_0 \mid x_t \sim \mathcal{N}(\hat x_0, v_t)$다. 첫째만 정확하다. 둘째는 $x_0$의 불확실성 $v_t$를 빠뜨리고,
    셋째는 노이즈가 섞인 $x_t$를 데이터로 여긴다. 값을 검사하므로 장치와 동기화한다.

    Args:
        xt: 시각 $t$의 $x_t$. 첫 축이 표본이고, 원소마다 따로 계산한다.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        mean: 데이터의 평균 $m$.
        std: 데이터의 표준 편차 $s > 0$.
        observation: 본 값 $y$.
        noise_std: 재는 오차의 표준 편차 $\tau > 0$.
        likelihood: `"averaged"`, `"denoised"`, `"noisy"`. 위 식의 순서다.

    Returns:
        기울기. `xt`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나거나, 표준 편차가 $[10^{-18}, 10^{18}]$을 벗어나거나,
            `likelihood`의 이름을 모르면.

    References:
        Sohl-Dickstein, J. 외 (2015). Deep Unsupervised Learning using Nonequilibrium Thermodynamics, 2.5절 (셋째 식).
        Chung, H. 외 (2023). Diffusion Posterior Sampling for General Noisy Inverse Problems, 3절 (둘째 식).
    """
    check_data(schedule, t, xt=xt)
    checks.number(REAL, mean=mean, observation=observation)
    checks.number(SPREAD, std=std, noise_std=noise_std)
    checks.choice(("averaged", "denoised", "noisy"), likelihood=likelihood)
    (x,) = widen(xt)
    if likelihood == "noisy":
        return ((observation - x) / noise_std**2).to(xt.dtype)
    signal, sigma = levels(schedule.alpha_bar[t], x)
    total = signal**2 * std**2 + sigma**2
    gain = signal * std**2 / total
    spread = sigma**2 * std**2 / total if likelihood == "averaged" else 0.0
    denoised = mean + gain * (x - signal * mean)
    return (gain * (observation - denoised) / (noise_std**2 + spread)).to(xt.dtype)


@full_precision
def posterior_variance(t: int, s: int, schedule: Schedule) -> Float[Tensor, ""]:
    r"""단계 $t \to s$의 분산, 작은 쪽: 데이터가 점 하나일 때 정확한 값.

    $$\tilde\beta_{t \to s} = \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t}
    \left( 1 - \frac{\bar\alpha_t}{\bar\alpha_s} \right)$$

    $s = 0$이면 0이다: 마지막 단계에는 노이즈를 더하지 않는다.

    Args:
        t: 떠나는 시각의 번호.
        s: 닿는 시각의 번호, $-1 \le s < t$. $-1$은 데이터다.
        schedule: 노이즈 스케줄.

    Returns:
        0 이상의 분산, float64.

    Raises:
        TypeError: 번호가 정수가 아니면.
        ValueError: 번호가 범위를 벗어나거나 $s \ge t$이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.2절.
    """
    _check_stride(t, s, schedule)
    return bridge_variance(alpha_bar(t, schedule), alpha_bar(s, schedule))


@full_precision
def forward_variance(t: int, s: int, schedule: Schedule) -> Float[Tensor, ""]:
    r"""단계 $t \to s$의 분산, 큰 쪽: 데이터가 $\mathcal{N}(0, I)$일 때 정확한 값. $s = t - 1$이면 $\beta_t$다.

    $$\beta_{t \to s} = 1 - \frac{\bar\alpha_t}{\bar\alpha_s} \quad (s \ge 1), \qquad \beta_{t \to 0} = 0$$

    마지막 단계에는 노이즈를 더하지 않는다.

    Args:
        t: 떠나는 시각의 번호.
        s: 닿는 시각의 번호, $-1 \le s < t$. $-1$은 데이터다.
        schedule: 노이즈 스케줄.

    Returns:
        0 이상의 분산, float64.

    Raises:
        TypeError: 번호가 정수가 아니면.
        ValueError: 번호가 범위를 벗어나거나 $s \ge t$이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.2절.
    """
    _check_stride(t, s, schedule)
    if s < 0:
        return schedule.beta.new_zeros(())
    return 1 - alpha_bar(t, schedule) / alpha_bar(s, schedule)


@full_precision
def optimal_variance(t: int, s: int, schedule: Schedule, *, std: float) -> Float[Tensor, ""]:
    r"""단계 $t \to s$의 분산, 데이터가 표준 편차 $\varsigma$인 가우스 분포일 때 정확한 값. $x_0$의 불확실성을 더한다.

    $$\sigma^2_{t \to s} = \tilde\beta_{t \to s} + \left(
    \frac{\sqrt{\bar\alpha_s}\, \beta_{t \to s}}{1 - \bar\alpha_t} \right)^2 \mathrm{Var}[x_0 \mid x_t], \qquad
    \mathrm{Var}[x_0 \mid x_t] =
    \frac{(1 - \bar\alpha_t)\, \varsigma^2}{\bar\alpha_t\, \varsigma^2 + 1 - \bar\alpha_t}$$

    $\beta_{t \to s} = 1 - \bar\alpha_t / \bar\alpha_s$다. $s = 0$에서도 0이 아니다: 마지막 단계에도 노이즈를 더한다.

    Args:
        t: 떠나는 시각의 번호.
        s: 닿는 시각의 번호, $-1 \le s < t$. $-1$은 데이터다.
        schedule: 노이즈 스케줄.
        std: 데이터의 표준 편차 $\varsigma > 0$.

    Returns:
        0보다 큰 분산, float64.

    Raises:
        TypeError: 번호가 정수가 아니거나, `std`가 수가 아니면.
        ValueError: 번호가 범위를 벗어나거나, $s \ge t$이거나, `std`가 $[10^{-18}, 10^{18}]$을 벗어나면.

    References:
        Bao, F. 외 (2022). Analytic-DPM: an Analytic Estimate of the Optimal Reverse Variance in Diffusion
        Probabilistic Models, 정리 1.
    """
    _check_stride(t, s, schedule)
    checks.number(SPREAD, std=std)
    kept, before = alpha_bar(t, schedule), alpha_bar(s, schedule)
    uncertainty = (1 - kept) * std**2 / (kept * std**2 + 1 - kept)
    weight = before.sqrt() * (1 - kept / before) / (1 - kept)
    return bridge_variance(kept, before) + weight**2 * uncertainty


@full_precision
def ancestral_step(
    xt: Float[Tensor, "n *shape"],
    noise_prediction: Float[Tensor, "n *shape"],
    t: int,
    s: int,
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
    variance: Variance = posterior_variance,
    clip: float | None = None,
) -> Float[Tensor, "n *shape"]:
    r"""노이즈를 걷어 내고, 새 노이즈를 조금 더한다: DDPM의 한 단계 $t \to s$.

    $$x_s = \frac{1}{\sqrt{\alpha}} \left( x_t - \frac{1 - \alpha}{\sqrt{1 - \bar\alpha_t}}\, \epsilon_\theta \right)
    + \sigma_{t \to s}\, z, \qquad \alpha = \frac{\bar\alpha_t}{\bar\alpha_s}$$

    평균은 $x_0$ 대신 그 예측을 넣은 `posterior`의 평균과 같다. `clip`을 주면 $\hat x_0$를 $[-c, c]$로 자르고, 자른
    데이터에 맞는 노이즈로 고쳐서 간다.

    $$\hat x_0 = \mathrm{clamp}\Bigl( \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \epsilon_\theta}{\sqrt{\bar\alpha_t}},\,
    -c,\, c \Bigr), \qquad
    \epsilon_\theta \leftarrow \frac{x_t - \sqrt{\bar\alpha_t}\, \hat x_0}{\sqrt{1 - \bar\alpha_t}}$$

    값을 검사하므로 장치와 동기화한다.

    Args:
        xt: 시각 $t$의 $x_t$. 첫 축이 표본이다.
        noise_prediction: 노이즈의 예측 $\epsilon_\theta$. `xt`와 같은 모양.
        t: 떠나는 시각의 번호.
        s: 닿는 시각의 번호, $-1 \le s < t$. $-1$은 데이터다.
        schedule: 노이즈 스케줄.
        noise: 새로 더할 표준 정규 노이즈 $z$. `xt`와 같은 모양.
        variance: 분산 $\sigma^2_{t \to s}$의 규칙. `posterior_variance`, `forward_variance`, `optimal_variance`.
        clip: 추정한 데이터 $\hat x_0$를 자를 끝 $c > 0$. `None`이면 자르지 않는다.

    Returns:
        $x_s$. `xt`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서, 정수, 함수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가 범위를
            벗어나거나, $s \ge t$이거나, `clip`이 0보다 크지 않거나, 분산이 0 이상의 유한한 수가 아니면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 알고리즘 2.
    """
    _check_stride(t, s, schedule)
    check_data(schedule, t, xt=xt, noise_prediction=noise_prediction, noise=noise)
    checks.function(variance=variance)
    _check_clip(clip)
    spread = _spread(variance, t, s, schedule)
    return _ancestral(xt, noise_prediction, t, s, schedule, variance=spread, noise=noise, clip=clip)


@full_precision
def ddim_step(
    xt: Float[Tensor, "n *shape"],
    noise_prediction: Float[Tensor, "n *shape"],
    t: int,
    s: int,
    schedule: Schedule,
    *,
    eta: float = 0.0,
    noise: Float[Tensor, "n *shape"] | None = None,
    clip: float | None = None,
) -> Float[Tensor, "n *shape"]:
    r"""데이터를 추정한 다음, 같은 노이즈를 시각 $s$의 양만큼 다시 섞는다: DDIM의 한 단계 $t \to s$.

    $$x_s = \sqrt{\bar\alpha_s}\, \hat x_0 + \sqrt{1 - \bar\alpha_s - \sigma^2}\, \epsilon_\theta + \sigma z, \qquad
    \hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \epsilon_\theta}{\sqrt{\bar\alpha_t}}, \qquad
    \sigma^2 = \eta^2\, \tilde\beta_{t \to s}$$

    $\eta = 0$이면 새 노이즈가 없어 출발점이 도착점을 정한다. $\eta = 1$이면 `posterior_variance`로 가는
    `ancestral_step`과 같다. `clip`을 주면 $\hat x_0$를 $[-c, c]$로 자르고, $\epsilon_\theta$를 자른 데이터에 맞는
    노이즈 $(x_t - \sqrt{\bar\alpha_t}\, \hat x_0) / \sqrt{1 - \bar\alpha_t}$로 고친다. 값을 검사하므로 장치와
    동기화한다.

    Args:
        xt: 시각 $t$의 $x_t$. 첫 축이 표본이다.
        noise_prediction: 노이즈의 예측 $\epsilon_\theta$. `xt`와 같은 모양.
        t: 떠나는 시각의 번호.
        s: 닿는 시각의 번호, $-1 \le s < t$. $-1$은 데이터다.
        schedule: 노이즈 스케줄.
        eta: 새 노이즈의 비율 $\eta \in [0, 1]$.
        noise: 새로 더할 표준 정규 노이즈 $z$. `xt`와 같은 모양. $\eta > 0$이면 있어야 한다.
        clip: 추정한 데이터 $\hat x_0$를 자를 끝 $c > 0$. `None`이면 자르지 않는다.

    Returns:
        $x_s$. `xt`와 같은 모양과 자료형.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 시각이나
            $\eta$가 범위를 벗어나거나, $s \ge t$이거나, $\eta > 0$인데 `noise`가 없거나, `clip`이 0보다 크지 않으면.

    References:
        Song, J., Meng, C. & Ermon, S. (2021). Denoising Diffusion Implicit Models, 식 12, 식 16.
    """
    _check_stride(t, s, schedule)
    checks.number(UNIT, eta=eta)
    if noise is None and eta > 0:
        raise ValueError(f"noise: eta가 {eta:g}이면 새 노이즈가 있어야 하는데 None이다")
    check_data(schedule, t, xt=xt, noise_prediction=noise_prediction, noise=xt if noise is None else noise)
    _check_clip(clip)
    return _ddim(xt, noise_prediction, t, s, schedule, eta=eta, noise=noise, clip=clip)


def timesteps(schedule: Schedule, *, steps: int | None = None) -> tuple[int, ...]:
    r"""샘플링할 때 거쳐 갈 시각의 번호들: $T - 1$에서 0까지 같은 간격으로 정하고, 끝에 데이터를 뜻하는 $-1$을 붙인다.

    $$t_i = \mathrm{round}\Bigl( (T - 1) \bigl(1 - \tfrac{i}{S - 1}\bigr) \Bigr)
    \quad (i = 0, \ldots, S - 1), \qquad t_S = -1$$

    $S = 1$이면 $T - 1$에서 바로 $-1$로 간다.

    Args:
        schedule: 노이즈 스케줄.
        steps: 단계의 수 $S \in [1, T]$. 기본값은 $T$.

    Returns:
        줄어드는 번호 $S + 1$개.

    Raises:
        TypeError: `steps`가 정수가 아니면.
        ValueError: `steps`가 $[1, T]$를 벗어나면.

    References:
        Song, J., Meng, C. & Ermon, S. (2021). Denoising Diffusion Implicit Models, 4.2절.
    """
    checks.instance(Schedule, schedule=schedule)
    last = len(schedule.beta) - 1
    if steps is None:
        steps = last + 1
    checks.count(1, steps=steps)
    checks.number(Interval(1, last + 1), steps=steps)
    return (*(round(last * (1 - i / max(steps - 1, 1))) for i in range(steps)), -1)


@with_gradients
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
    clip: float | None = None,
    dtype: torch.dtype | None = None,
    trajectory: bool = False,
) -> Float[Tensor, "..."]:
    r"""순수한 노이즈에서 시작해 노이즈를 걷어 내며 표본을 뽑는다.

    $$x_T \sim \mathcal{N}(0, I), \qquad x_T \to x_{t_1} \to \cdots \to x_0$$

    $\bar\alpha_t$가 0에 가까운 시각에서는 $\hat x_0$가 예측의 오차를 $1 / \sqrt{\bar\alpha_t}$배로 키운다. `clip`은
    $\hat x_0$를 데이터가 있을 만한 범위로 자른다. 기울기를 따라가지 않는다(`torch.no_grad`). 처음과 끝에서 값을
    검사하므로 장치와 동기화한다. 발생기가 GPU의 것이면 단계마다 기다리거나 복사하지는 않는다.

    Args:
        predict: 노이즈의 예측. $x_t$ (n, …)와 번호 (n,)을 받아 $x_t$와 같은 모양을 준다. 학습하거나 만들 때의 스케줄을
            저장하고 있으면(`noise_predictor`, `functools.partial`의 `schedule`) `schedule`과 같아야 한다.
        shape: 표본의 모양 (n, …).
        schedule: 노이즈 스케줄. 표본은 그 장치에 놓인다.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        steps: 단계의 수 $S \in [1, T]$. 기본값은 $T$. 거쳐 가는 시각은 `timesteps`가 정한다.
        method: `"ancestral"`이면 `ancestral_step`, `"ddim"`이면 `ddim_step`.
        variance: `"ancestral"`의 분산 규칙. 기본값은 `posterior_variance`.
        eta: `"ddim"`의 새 노이즈의 비율 $\eta \in [0, 1]$.
        clip: 단계마다 추정한 데이터 $\hat x_0$를 자를 끝 $c > 0$. 데이터의 크기를 알 때 쓴다. `None`이면 자르지 않는다.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.
        trajectory: 참이면 지나온 점을 모두 준다.

    Returns:
        표본 `shape`. `trajectory`이면 (S + 1, n, …): 처음이 순수한 노이즈, 끝이 표본이다.

    Raises:
        TypeError: 함수나 정수가 아닌 값을 받으면.
        ValueError: 모양이 비었거나, `steps`, `eta`, `clip`이 범위를 벗어나거나, 그 방법에 쓰지 않는 인자를 주거나,
            자료형이 실수형이 아니거나, 예측에 다른 스케줄이 저장되었거나, 스케줄의 신호가 0이나 1이 되거나, 분산이 0
            이상의 유한한 수가 아니거나, 예측의 모양이 다르거나, 결과가 유한하지 않거나, 다른 장치의 발생기이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 알고리즘 2.
        Song, J., Meng, C. & Ermon, S. (2021). Denoising Diffusion Implicit Models, 4절.
        Saharia, C. 외 (2022). Photorealistic Text-to-Image Diffusion Models with Deep Language Understanding, 2.3절
        (자르기).
    """
    check_schedule(schedule)
    check_predictors(schedule, predict=predict)
    if not isinstance(shape, tuple | list):
        raise TypeError(f"shape: 정수의 튜플이어야 하는데 {type(shape).__name__}이다")
    if not shape:
        raise ValueError("shape: 표본의 수가 있어야 하는데 ()이다")
    checks.count(1, **{f"shape[{i}]": size for i, size in enumerate(shape)})
    if dtype is not None and not dtype.is_floating_point:
        raise ValueError(f"dtype: 실수형이어야 하는데 {dtype}이다")
    _check_clip(clip)

    def draw() -> Tensor:
        return randn(*shape, generator=generator, device=schedule.beta.device, dtype=dtype)

    times = timesteps(schedule, steps=steps)
    update = _update(schedule, method, times, variance=variance, eta=eta, clip=clip)
    kept = deque([draw()], maxlen=None if trajectory else 1)
    with torch.no_grad(), checks.delayed(whole=True):
        kept.extend(_walk(predict, kept[0], times, update, draw))
    samples = torch.stack([*kept]) if trajectory else kept[0]
    checks.within(predict=(samples, REAL))  # 단계마다 검사하면 그때마다 장치를 기다린다
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


@full_precision
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

    $\mu_T = 0$, $\sigma_T = 1$에서 시작한다. 데이터가 가우스 분포면 `mixture_noise`가 일차식이다.
    표본의 오차 없이 단계의 수가 만드는 오차만 보인다. float64로 계산하고, 끝에서 장치와 한 번 동기화한다.

    Args:
        predict: 노이즈의 예측. $x_t$ (n, 1)과 번호 (n,)을 받는다. $x_t$의 일차식이어야 한다.
        schedule: 노이즈 스케줄.
        steps: 단계의 수 $S \in [1, T]$. 기본값은 $T$.
        method: `"ancestral"` 또는 `"ddim"`.
        variance: `"ancestral"`의 분산 규칙. 기본값은 `posterior_variance`.
        eta: `"ddim"`의 새 노이즈의 비율 $\eta \in [0, 1]$.

    Returns:
        표본의 평균과 표준 편차, float64.

    Raises:
        TypeError: 함수나 정수가 아닌 값을 받으면.
        ValueError: `steps`나 `eta`가 범위를 벗어나거나, 그 방법에 쓰지 않는 인자를 주거나, 예측에 다른 스케줄이
            저장되었거나, 스케줄의 신호가 0이나 1이 되거나, 분산이 0 이상의 유한한 수가 아니거나, 예측의 모양이
            다르거나, 예측이 일차식이 아니면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 3.3절.
    """
    check_schedule(schedule)
    check_predictors(schedule, predict=predict)
    # 네 점을 지나면 단계마다의 a, b, c와, 일차식에서 벗어난 크기를 안다.
    x, z = schedule.beta.new_tensor([[0.0, 1.0, 0.0, -1.0], [0.0, 0.0, 1.0, 0.0]])[..., None]
    visited = timesteps(schedule, steps=steps)
    update = _update(schedule, method, visited, variance=variance, eta=eta, clip=None)
    mean, square = schedule.beta.new_zeros(()), schedule.beta.new_ones(())
    bend = schedule.beta.new_zeros(())
    with torch.no_grad():
        for times in pairwise(visited):
            (end,) = _walk(predict, x, times, update, lambda: z)
            b, ab, bc, back = end[:, 0]
            mean, square = (ab - b) * mean + b, (ab - b) ** 2 * square + (bc - b) ** 2
            bend = torch.maximum(bend, (ab - 2 * b + back).abs() / end.abs().amax())
    checks.within(predict=(torch.stack([mean, square]), REAL))
    if bend > 1e-9:
        raise ValueError(f"predict: x_t의 일차식이어야 하는데 상대 오차 {bend.item():.2g}만큼 벗어났다")
    return Moments(mean, square.sqrt())


class BoundTerms(NamedTuple):
    r"""음의 로그 가능도의 변분 상한을 이루는 항들. 표본마다의 값(nat)이다.

    $$-\log p_\theta(x_0) \le \mathbb{E}\Bigl[ L_0 + \sum_{t=2}^{T} L_{t-1} + L_T \Bigr]$$

    Attributes:
        reconstruction: 마지막 단계의 $L_0 = -\log p_\theta(x_0 \mid x_1)$.
        steps: 단계마다의 $L_{t-1} = D_{\mathrm{KL}}(q(x_{t-1} \mid x_t, x_0) \,\|\, p_\theta(x_{t-1} \mid x_t))$,
            차례로 $t = 2, \ldots, T$.
        prior: 출발점의 $L_T = D_{\mathrm{KL}}(q(x_T \mid x_0) \,\|\, \mathcal{N}(0, I))$.
        total: 모두의 합.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 5.
    """

    reconstruction: Float[Tensor, "n"]
    steps: Float[Tensor, "steps n"]
    prior: Float[Tensor, "n"]
    total: Float[Tensor, "n"]


@full_precision
def bound_term(
    predict: Predict,
    x0: Float[Tensor, "n *shape"],
    t: int,
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
    variance: Variance = posterior_variance,
) -> Float[Tensor, "n"]:
    r"""변분 상한의 한 항 $L_{t-1}$. 노이즈 $\epsilon$ 하나로 추정하며, 미분할 수 있다.

    $$L_{t-1} = \frac{\lVert \tilde\mu_t - \mu_\theta \rVert^2}{2 \sigma_t^2}
    + \frac{d}{2} \Bigl( \frac{\tilde\beta_t}{\sigma_t^2} - 1 - \log \frac{\tilde\beta_t}{\sigma_t^2} \Bigr)
    \quad (t \ge 2), \qquad
    L_0 = \frac{\lVert x_0 - \mu_\theta \rVert^2}{2 \sigma_1^2} + \frac{d}{2} \log 2\pi\sigma_1^2$$

    $\mu_\theta$는 `ancestral_step`의 평균이다. 규칙이 $\sigma_1^2 = 0$을 주면 $p_\theta(x_0 \mid x_1)$이 밀도가
    아니므로 그때만 $\sigma_1^2 = \beta_1$을 쓴다. 값을 검사하므로 장치와 동기화한다.

    Args:
        predict: 노이즈의 예측. $x_t$ (n, …)와 번호 (n,)을 받아 $x_t$와 같은 모양을 준다.
        x0: 데이터 $x_0$. 첫 축이 표본이다.
        t: 시각의 번호.
        schedule: 노이즈 스케줄.
        noise: $x_t$를 만들 표준 정규 노이즈 $\epsilon$. `x0`와 같은 모양.
        variance: 분산 $\sigma_t^2$의 규칙.

    Returns:
        표본마다의 항(nat). $t \ge 2$이면 0 이상.

    Raises:
        TypeError: 텐서, 정수, 함수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나거나, 예측에 다른 스케줄이 저장되었거나, 예측의 모양이 다르거나 유한하지 않거나, 분산이
            0 이상의 유한한 수가 아니면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 5, 식 8.
    """
    check_predictors(schedule, predict=predict)
    checks.function(variance=variance)
    checks.count(0, t=t)
    noised = diffuse(x0, t, schedule, noise=noise)
    wide_x0, xt = widen(x0, noised)
    epsilon = _predicted(predict, noised, t).to(xt.dtype)
    mu = _reverse_mean(xt, epsilon, t, t - 1, schedule)
    sigma2 = _spread(variance, t, t - 1, schedule)
    if t == 0:
        sigma2 = torch.where(sigma2 > 0, sigma2, schedule.beta[0])
        exact, extra = wide_x0, torch.log(2 * math.pi * sigma2)
    else:
        to_x0, to_xt = bridge_weights(t, schedule)
        exact = column(to_x0, xt) * wide_x0 + column(to_xt, xt) * xt
        ratio = posterior_variance(t, t - 1, schedule) / sigma2
        extra = ratio - 1 - torch.log(ratio)
    square, d = _squared_norm(exact - mu), x0[0].numel()
    term = square / (2 * sigma2).to(square.dtype) + (d / 2 * extra).to(square.dtype)
    checks.within(predict=(term, REAL))
    return term.to(x0.dtype)


@full_precision
def nll_bound_terms(
    predict: Predict,
    x0: Float[Tensor, "n *shape"],
    schedule: Schedule,
    *,
    generator: torch.Generator | None,
    variance: Variance = posterior_variance,
) -> BoundTerms:
    r"""음의 로그 가능도의 변분 상한. 항마다 노이즈를 한 번씩 뽑아 추정한다.

    $$-\log p_\theta(x_0) \le \mathbb{E}\Bigl[ L_0 + \sum_{t=2}^{T} L_{t-1} \Bigr] + L_T, \qquad
    L_T = \frac{1}{2} \left[ \bar\alpha_T (\lVert x_0 \rVert^2 - d) - d \log (1 - \bar\alpha_T) \right]$$

    부등식은 기댓값에 대한 것이라, 노이즈 한 벌로 얻은 값은 표본마다 위아래로 흔들린다. 기울기를 따라가지 않는다
    (`torch.no_grad`). 값을 검사하므로 장치와 동기화한다.

    Args:
        predict: 노이즈의 예측. $x_t$ (n, …)와 번호 (n,)을 받아 $x_t$와 같은 모양을 준다.
        x0: 데이터 $x_0$. 첫 축이 표본이다.
        schedule: 노이즈 스케줄.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        variance: 분산 $\sigma_t^2$의 규칙. `bound_term`에 넘긴다.

    Returns:
        표본마다의 항들과 그 합(nat).

    Raises:
        TypeError: 텐서나 함수가 아닌 값을 받으면.
        ValueError: 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 예측에 다른 스케줄이
            저장되었거나, 예측의 모양이 다르거나 유한하지 않거나, 분산이 0 이상의 유한한 수가 아니거나, `torch.func`의
            변환 안이거나, 다른 장치의 발생기이면.

    References:
        Sohl-Dickstein, J. 외 (2015). Deep Unsupervised Learning using Nonequilibrium Thermodynamics, 2.4절.
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 5.
    """
    check_data(schedule, 0, x0=x0)
    _check_outside_transforms(x0=x0)
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


@with_gradients
def probability_flow_log_likelihood(
    predict: Predict,
    x0: Float[Tensor, "n *shape"],
    schedule: Schedule,
) -> Float[Tensor, "n"]:
    r"""확률 흐름(probability flow) 상미분 방정식으로 재는 로그 가능도. 상한이 아니라 값이다.

    $$\frac{dx}{d\phi} = v_\theta(x, \phi) = \frac{\epsilon_\theta - \sin\phi\, x}{\cos\phi}, \qquad
    \log p(x_0) = \log \mathcal{N}(x_T; 0, I) + \int_0^{\phi_T} \nabla \cdot v_\theta \, d\phi, \qquad
    \cos\phi_t = \sqrt{\bar\alpha_t}$$

    각도 $\phi$를 시간으로 삼으면 속도가 어디서나 유한하다. 데이터가 있는 $\phi = 0$에서는 $v = 0$이다.
    스케줄의 시각마다 멈추는 호인(Heun) 방법으로 풀어 그 오차는 $1/T^2$로 준다. $x_T$가 정확히
    $\mathcal{N}(0, I)$는 아니어서 생기는 오차($\sqrt{\bar\alpha_T}$쯤)는 따로 남는다. 발산은 자동 미분으로
    정확히 구하므로 시각마다 차원의 수만큼 거꾸로 미분한다. 예측은 표본마다 따로여야 한다. 기울기를 따라가지 않는다.
    값을 검사하므로 장치와 동기화한다.

    Args:
        predict: 노이즈의 예측. $x_t$ (n, …)와 번호 (n,)을 받아 $x_t$와 같은 모양을 준다. $x_t$로 미분할 수 있어야 한다.
        x0: 데이터 $x_0$. 첫 축이 표본이다.
        schedule: 노이즈 스케줄.

    Returns:
        표본마다의 로그 가능도(nat).

    Raises:
        TypeError: 텐서나 함수가 아닌 값을 받으면.
        ValueError: 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 예측에 다른 스케줄이
            저장되었거나, 예측의 모양이 다르거나, 예측을 $x_t$로 미분할 수 없거나, `torch.func`의 변환 안이면.

    References:
        Song, Y. 외 (2021). Score-Based Generative Modeling through Stochastic Differential Equations, 4.3절.
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    check_predictors(schedule, predict=predict)
    check_data(schedule, 0, x0=x0)
    _check_outside_transforms(x0=x0)
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
    signal, sigma = levels(schedule.alpha_bar[t], x)
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
    """시각들을 차례로 지나며 닿은 점을 내놓는다."""
    for t, s in pairwise(times):
        x = update(x, _predicted(predict, x, t), t, s, draw)
        yield x


def _update(
    schedule: Schedule,
    method: Method,
    times: tuple[int, ...],
    *,
    variance: Variance | None,
    eta: float,
    clip: float | None,
) -> _Update:
    """방법의 이름과 설정에 맞는 한 단계의 함수를 준다. 분산은 미리 구해 한 번에 검사한다."""
    checks.choice(("ancestral", "ddim"), method=method)
    checks.number(UNIT, eta=eta)
    if method == "ancestral":
        if eta != 0:
            raise ValueError(f"eta: method가 'ancestral'이면 쓰지 않는데 {eta:g}이다")
        rule = posterior_variance if variance is None else variance
        checks.function(variance=rule)
        spreads = {(t, s): rule(t, s, schedule) for t, s in pairwise(times)}
        check_variances(*spreads.values())
        return lambda x, e, t, s, draw: _ancestral(
            x, e, t, s, schedule, variance=spreads[t, s], noise=draw(), clip=clip
        )
    if variance is not None:
        raise ValueError("variance: method가 'ddim'이면 쓰지 않는데 주어졌다")
    return lambda x, e, t, s, draw: _ddim(x, e, t, s, schedule, eta=eta, noise=draw() if eta > 0 else None, clip=clip)


def _reverse_mean(x: Tensor, epsilon: Tensor, t: int, s: int, schedule: Schedule) -> Tensor:
    kept = alpha_bar(t, schedule)
    alpha = kept / alpha_bar(s, schedule)
    return (x - column((1 - alpha) / (1 - kept).sqrt(), x) * epsilon) / column(alpha.sqrt(), x)


def _clipped(x: Tensor, epsilon: Tensor, t: int, schedule: Schedule, clip: float | None) -> tuple[Tensor, Tensor]:
    """추정한 데이터와, 그 데이터에 맞는 노이즈. 자르지 않은 곳의 노이즈는 그대로다."""
    signal, sigma = levels(schedule.alpha_bar[t], x)
    x0 = (x - sigma * epsilon) / signal
    if clip is None:
        return x0, epsilon
    inside = x0.clamp(-clip, clip)
    return inside, torch.where(inside == x0, epsilon, (x - signal * inside) / sigma)


def _ancestral(
    xt: Tensor,
    prediction: Tensor,
    t: int,
    s: int,
    schedule: Schedule,
    *,
    variance: Tensor,
    noise: Tensor,
    clip: float | None,
) -> Tensor:
    x, epsilon, z = widen(xt, prediction, noise)
    if clip is not None:
        _, epsilon = _clipped(x, epsilon, t, schedule, clip)
    return (_reverse_mean(x, epsilon, t, s, schedule) + column(variance.sqrt(), x) * z).to(xt.dtype)


def _ddim(
    xt: Tensor,
    prediction: Tensor,
    t: int,
    s: int,
    schedule: Schedule,
    *,
    eta: float,
    noise: Tensor | None,
    clip: float | None,
) -> Tensor:
    x, epsilon = widen(xt, prediction)
    x0, epsilon = _clipped(x, epsilon, t, schedule, clip)
    before = alpha_bar(s, schedule)
    sigma2 = eta**2 * bridge_variance(alpha_bar(t, schedule), before)
    # 수학에서는 음수가 될 수 없지만, 반올림이 −1e-17을 남길 수 있다.
    rest = (1 - before - sigma2).clamp(min=0)
    xs = column(before.sqrt(), x) * x0 + column(rest.sqrt(), x) * epsilon
    if noise is not None:
        xs = xs + column(sigma2.sqrt(), x) * noise.to(x.dtype)
    return xs.to(xt.dtype)


def _spread(rule: Variance, t: int, s: int, schedule: Schedule) -> Tensor:
    value = rule(t, s, schedule)
    check_variances(value)
    return value


def _squared_norm(x: Tensor) -> Tensor:
    """표본마다의 제곱합 (n,)."""
    return (x**2).reshape(len(x), -1).sum(1)


def _predicted(predict: Predict, x: Tensor, t: int) -> Tensor:
    prediction: Tensor = checks.called(
        "predict", predict, x, torch.full((len(x),), t, dtype=torch.int64, device=x.device)
    )
    checks.floating(predict=prediction)
    checks.shape(x.shape, predict=prediction)
    return prediction


def _check_stride(t: int, s: int, schedule: Schedule) -> None:
    check_times(schedule, t)
    checks.count(-1, s=s)
    if s >= t:
        raise ValueError(f"s: t({t})보다 작아야 하는데 {s}이다")


def _check_clip(clip: float | None) -> None:
    if clip is not None:
        checks.number(POSITIVE, clip=clip)


def _check_outside_transforms(**tensors: Tensor) -> None:
    """기울기를 따라가지 않는 함수가, 변환 안에서 조용히 0을 기울기로 내놓지 않게 한다."""
    for name, value in tensors.items():
        if torch.func.debug_unwrap(value) is not value:
            raise ValueError(f"{name}: 보통 텐서여야 하는데 torch.func의 변환(grad, vmap, jvp) 안이다")
