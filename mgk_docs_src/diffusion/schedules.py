"""노이즈 스케줄과 그 값을 읽는 함수: 확산의 세 장이 함께 쓴다. 스케줄을 만드는 함수는 `process`에 있다."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, REAL, Interval

# 1 / ᾱ까지 float32로 적을 수 있어야 노이즈에서 데이터로 돌아온다. ᾱ가 0이면 데이터가, 1이면 노이즈가 없다.
LEAST_SIGNAL = torch.finfo(torch.float32).tiny
_SIGNAL = Interval(LEAST_SIGNAL, 1.0, open=True)
SPREAD = Interval(1e-18, 1e18)  # 제곱해도 float32에 든다


class Schedule(NamedTuple):
    r"""노이즈 스케줄(noise schedule). 시각은 $t = 1, \ldots, T$이고 $t = 0$이 데이터다.

    $$\bar\alpha_t = \prod_{s=1}^{t} (1 - \beta_s), \qquad \bar\alpha_0 = 1$$

    배열의 번호와 코드의 인자 `t`, `s`는 식의 시각보다 1 작다. `beta[0]`이 $\beta_1$, `beta[T - 1]`이 $\beta_T$이고,
    인자 $-1$은 데이터를 뜻한다.

    Attributes:
        beta: 단계마다 더하는 노이즈의 분산 $\beta_t \in (0, 1)$, float64.
        alpha_bar: 시각 $t$에 남은 신호의 비율 $\bar\alpha_t$, float64. $t$가 늘면 줄어든다.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 2절.
    """

    beta: Float[Tensor, "T"]
    alpha_bar: Float[Tensor, "T"]


def alpha_bar(t: int | Int[Tensor, "n"], schedule: Schedule) -> Float[Tensor, "..."]:
    r"""시각 $t$에 남은 신호의 비율. 번호 $-1$은 데이터이므로 1이다. 번호는 검사하지 않는다.

    $$\bar\alpha_t = \prod_{s=1}^{t} (1 - \beta_s), \qquad \bar\alpha_0 = 1$$

    Args:
        t: 시각의 번호 $\{-1, 0, \ldots, T - 1\}$. 하나의 정수거나 표본마다의 번호.
        schedule: 노이즈 스케줄.

    Returns:
        $\bar\alpha_t$, float64. `t`와 같은 모양.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 4.
    """
    if isinstance(t, int) and t >= 0:
        return schedule.alpha_bar[t]
    return pad(schedule.alpha_bar, (1, 0), value=1.0)[t + 1]


def column(values: Float[Tensor, "..."], like: Float[Tensor, "n *shape"]) -> Float[Tensor, "..."]:
    r"""표본마다의 수 (n,)이나 수 하나를, 표본에 곱할 수 있게 세운다. 자료형도 표본을 따른다.

    $$(c \odot x)_{i \ldots} = c_i\, x_{i \ldots}$$

    Args:
        values: 표본마다의 수나 수 하나.
        like: 곱할 표본. 첫 축이 표본이다.

    Returns:
        `like`의 모양으로 늘어나는 수들.

    References:
        PyTorch 문서, Broadcasting semantics.
    """
    return values.to(like.dtype).reshape(-1, *(1,) * (like.ndim - 1))


def levels(
    kept: Float[Tensor, "..."],
    like: Float[Tensor, "n *shape"],
) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    r"""남은 신호의 비율에서, 신호와 노이즈에 곱하는 두 수.

    $$\sqrt{\bar\alpha_t}, \qquad \sigma_t = \sqrt{1 - \bar\alpha_t}$$

    Args:
        kept: 남은 신호의 비율 $\bar\alpha_t$. 하나거나 표본마다 (n,).
        like: 곱할 표본. 첫 축이 표본이다.

    Returns:
        `like`에 곱할 수 있는 모양과 자료형의 두 수.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 4.
    """
    return column(kept.sqrt(), like), column((1 - kept).sqrt(), like)


def bridge_variance(kept: Float[Tensor, "..."], before: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    r"""데이터와 $x_t$를 알 때 더 이른 시각 $s$에 남는 분산.

    $$\tilde\beta_{t \to s} = \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t}
    \left( 1 - \frac{\bar\alpha_t}{\bar\alpha_s} \right)$$

    Args:
        kept: 떠나는 시각의 $\bar\alpha_t$.
        before: 닿는 시각의 $\bar\alpha_s > \bar\alpha_t$.

    Returns:
        0 이상의 분산. 두 인자와 같은 모양.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 7.
    """
    return (1 - before) / (1 - kept) * (1 - kept / before)


def bridge_weights(t: int | Int[Tensor, "n"], schedule: Schedule) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    r"""데이터와 $x_t$를 알 때 한 단계 전의 평균에서, 데이터와 $x_t$에 곱하는 수. 번호는 검사하지 않는다.

    $$\tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t} x_0
    + \frac{\sqrt{1 - \beta_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} x_t$$

    Args:
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호.
        schedule: 노이즈 스케줄.

    Returns:
        $x_0$와 $x_t$에 곱하는 두 수, float64. `t`와 같은 모양.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 7.
    """
    beta, kept, before = schedule.beta[t], schedule.alpha_bar[t], alpha_bar(t - 1, schedule)
    return before.sqrt() * beta / (1 - kept), (1 - beta).sqrt() * (1 - before) / (1 - kept)


def check_data(schedule: Schedule, t: int | Tensor, earliest: int = 0, /, **tensors: Tensor) -> None:
    r"""표본, 번호, 스케줄을 한 번에 검사한다. 값은 한 번만 가져오므로 장치와 한 번 동기화한다.

    $$t \in \{t_{\min}, \ldots, T - 1\}, \qquad 0 < \bar\alpha_t < 1$$

    Args:
        schedule: 노이즈 스케줄.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호.
        earliest: 가장 이른 번호 $t_{\min}$. 데이터도 되면 $-1$.
        tensors: 이름과 표본. 모두 같은 모양이고 첫 축이 표본이다.

    Raises:
        TypeError: 스케줄이나 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가 범위를
            벗어나거나, 스케줄의 남은 신호가 0이나 1이 되면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 2절.
    """
    checks.instance(Schedule, schedule=schedule)
    checks.floating(**tensors)
    checks.ndim(1, math.inf, **tensors)
    checks.nonempty(**tensors)
    first = next(iter(tensors.values()))
    checks.shape(first.shape, **tensors)
    checks.device(schedule.beta.device, **tensors)
    bounds = _time_bounds(schedule, t, earliest)
    if isinstance(t, Tensor):
        checks.shape(first.shape[:1], t=t)
    checks.within(
        **bounds,
        **{name: (value, REAL) for name, value in tensors.items()},
        **{"schedule.alpha_bar": (schedule.alpha_bar, _SIGNAL)},
    )


def check_times(schedule: Schedule, t: int | Tensor, *, earliest: int = 0) -> None:
    r"""시각의 번호를 검사한다. 텐서이면 장치와 한 번 동기화한다.

    $$t \in \{t_{\min}, \ldots, T - 1\}$$

    Args:
        schedule: 노이즈 스케줄.
        t: 시각의 번호. 하나의 정수거나 여러 번호(`torch.int64`).
        earliest: 가장 이른 번호 $t_{\min}$.

    Raises:
        TypeError: 스케줄이나 정수가 아닌 값을 받으면.
        ValueError: 비었거나, `torch.int64`가 아니거나, 장치가 다르거나, 범위를 벗어나면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 2절.
    """
    checks.instance(Schedule, schedule=schedule)
    if bounds := _time_bounds(schedule, t, earliest):
        checks.within(**bounds)


def check_schedule(schedule: Schedule) -> None:
    r"""스케줄의 값을 검사한다. 장치와 한 번 동기화한다.

    $$0 < \bar\alpha_t < 1$$

    Args:
        schedule: 노이즈 스케줄.

    Raises:
        TypeError: 스케줄이 아니면.
        ValueError: 남은 신호가 0이나 1이 되거나 유한하지 않으면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 2절.
    """
    checks.instance(Schedule, schedule=schedule)
    checks.within(**{"schedule.alpha_bar": (schedule.alpha_bar, _SIGNAL)})


def check_predictors(schedule: Schedule, **functions: object) -> None:
    r"""스케줄을 함께 저장한 예측이면 이 스케줄과 같은지 확인한다. 다른 객체이면 값을 비교하므로 장치와 동기화한다.

    `functools.partial(f, schedule=…)`로 만든 예측에는 스케줄이 저장되어 있다. 예측은 시각의 번호만 받으므로, 다른
    스케줄로 부르면 틀린 시각의 예측을 조용히 준다.

    $$\bar\alpha_t = \bar\alpha_t^{\text{예측}}$$

    Args:
        schedule: 노이즈 스케줄.
        functions: 이름과 예측.

    Raises:
        TypeError: 스케줄이나 함수가 아니면.
        ValueError: 예측에 저장된 스케줄과 다르면.

    References:
        Song, J., Meng, C. & Ermon, S. (2021). Denoising Diffusion Implicit Models, 4.2절 (시각을 건너뛰기).
    """
    checks.instance(Schedule, schedule=schedule)
    checks.function(**functions)
    for name, function in functions.items():
        own = getattr(function, "keywords", {}).get("schedule")
        if isinstance(own, Schedule) and not _same(own, schedule):
            raise ValueError(
                f"schedule: {name}의 스케줄(T = {len(own.beta)})과 같아야 하는데 다른 스케줄"
                f"(T = {len(schedule.beta)})이다. 단계를 줄이려면 스케줄은 두고 sample의 steps를 쓴다"
            )


def check_variances(*values: Float[Tensor, ""]) -> None:
    r"""분산의 규칙이 준 값들을 검사한다. 장치와 한 번 동기화한다.

    $$0 \le \sigma^2_{t \to s} < \infty$$

    Args:
        values: 단계마다의 분산.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 수 하나가 아니거나, 음수거나, 유한하지 않으면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.2절.
    """
    for value in values:
        checks.floating(variance=value)
        checks.shape((), variance=value)
    for value in checks.plain(torch.stack(values)).flatten().tolist():
        checks.number(NONNEGATIVE, variance=value)


def _time_bounds(schedule: Schedule, t: int | Tensor, earliest: int) -> dict[str, tuple[Tensor, Interval]]:
    """번호의 종류를 보고, 값을 검사할 구간을 준다. 정수 하나면 바로 검사한다."""
    interval = Interval(earliest, len(schedule.beta) - 1)
    if isinstance(t, Tensor):
        if t.dtype != torch.int64:
            raise ValueError(f"t: 시각은 torch.int64여야 하는데 {t.dtype}이다")
        checks.nonempty(t=t)
        checks.device(schedule.beta.device, t=t)
        return {"t": (t, interval)}
    checks.count(earliest, t=t)
    checks.number(interval, t=t)
    return {}


def _same(one: Schedule, other: Schedule) -> bool:
    mine, its = one.alpha_bar, other.alpha_bar
    return mine is its or (mine.device == its.device and torch.equal(mine, its))
