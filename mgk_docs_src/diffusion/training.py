"""확산 모델은 어떻게 학습하나: `docs/diffusion/training.md`.

노이즈를 섞고, 섞은 노이즈를 맞히게 한다. 신경망은 특징 (n, f)를 받아 (n, d)를 주는 것이면 무엇이든 된다.
"""

import math
from copy import deepcopy
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import one_hot

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT, Interval
from mgk_docs_src.diffusion.process import (
    TARGETS,
    Predict,
    Target,
    convert,
    converted,
    diffuse,
)
from mgk_docs_src.diffusion.sampling import Variance, guide, posterior_variance
from mgk_docs_src.diffusion.schedules import (
    Schedule,
    check_data,
    check_predictors,
    check_schedule,
    check_times,
    check_variances,
    column,
    levels,
)
from mgk_docs_src.losses.reduction import Reduction, reduce, widen
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.random import rand, randint, randn

_WARM_UP = 50  # Adam이 기울기의 크기를 추정하는 동안은 조금만 움직인다


@full_precision
def regression_target(
    x0: Float[Tensor, "n *shape"],
    noise: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    target: Target,
) -> Float[Tensor, "n *shape"]:
    r"""신경망이 $x_t$를 보고 맞힐 것. 넷은 서로 바꿀 수 있어 완벽한 예측이라면 어느 것이든 같다.

    $$y = \epsilon, \qquad y = x_0, \qquad y = v = \sqrt{\bar\alpha_t}\, \epsilon - \sqrt{1 - \bar\alpha_t}\, x_0,
    \qquad y = \nabla_{x_t} \log q(x_t \mid x_0) = -\frac{\epsilon}{\sqrt{1 - \bar\alpha_t}}$$

    값을 검사하므로 장치와 동기화한다.

    Args:
        x0: 데이터 $x_0$. 첫 축이 표본이다.
        noise: 섞은 표준 정규 노이즈 $\epsilon$. `x0`와 같은 모양.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        target: `"noise"`, `"x0"`, `"velocity"`, `"score"`. 위 식의 순서다.

    Returns:
        맞힐 것 $y$. `x0`와 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나거나, `target`의 이름을 모르면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.2절.
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 4절.
        Vincent, P. (2011). A Connection Between Score Matching and Denoising Autoencoders, 4.2절.
    """
    checks.choice(TARGETS, target=target)
    check_data(schedule, t, x0=x0, noise=noise)
    wide_x0, epsilon = widen(x0, noise)
    y = _target(wide_x0, epsilon, schedule.alpha_bar[t], target)
    return y.to(torch.promote_types(x0.dtype, noise.dtype))


@full_precision
def target_to_noise(
    prediction: Float[Tensor, "n *shape"],
    xt: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    target: Target,
) -> Float[Tensor, "n *shape"]:
    r"""무엇을 맞혔든 노이즈의 예측으로 바꾼다. 샘플러는 노이즈의 예측만 받는다.

    $$\epsilon = y, \qquad \epsilon = \frac{x_t - \sqrt{\bar\alpha_t}\, y}{\sqrt{1 - \bar\alpha_t}}, \qquad
    \epsilon = \sqrt{1 - \bar\alpha_t}\, x_t + \sqrt{\bar\alpha_t}\, y, \qquad
    \epsilon = -\sqrt{1 - \bar\alpha_t}\, y$$

    값을 검사하므로 장치와 동기화한다.

    Args:
        prediction: `regression_target`의 예측 $y$. 첫 축이 표본이다.
        xt: 시각 $t$의 $x_t$. `prediction`과 같은 모양.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        target: `"noise"`, `"x0"`, `"velocity"`, `"score"`. 위 식의 순서다.

    Returns:
        노이즈의 예측. `prediction`과 같은 모양. 자료형은 둘을 함께 담는 것.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나거나, `target`의 이름을 모르면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.2절.
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 부록 D.
    """
    checks.choice(TARGETS, target=target)
    return convert(prediction, xt, t, schedule, source=target, to="noise")


@full_precision
def target_weight(t: int | Int[Tensor, "n"], schedule: Schedule, *, target: Target) -> Float[Tensor, "..."]:
    r"""무엇을 맞히게 하느냐는 시각마다의 가중치를 정하는 일이다: 노이즈의 제곱 오차로 나눈 제곱 오차.

    $$\lVert y - y_\theta \rVert^2 = w_t\, \lVert \epsilon - \epsilon_\theta \rVert^2, \qquad
    w_t = 1, \quad \frac{1 - \bar\alpha_t}{\bar\alpha_t}, \quad \frac{1}{\bar\alpha_t}, \quad
    \frac{1}{1 - \bar\alpha_t}$$

    스코어의 가중치는 노이즈가 적은 시각에서 한없이 커서, 그대로는 다른 시각이 묻힌다. 그래서
    [`denoising_loss`][mgk_docs_src.diffusion.training.denoising_loss]는 스코어에만 $1 - \bar\alpha_t$를 곱해 1로
    되돌린다.

    Args:
        t: 시각의 번호. 하나의 정수거나 여러 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        target: `"noise"`, `"x0"`, `"velocity"`, `"score"`. 위 식의 순서다.

    Returns:
        0보다 큰 가중치, float64. `t`와 같은 모양.

    Raises:
        TypeError: 번호가 정수나 텐서가 아니면.
        ValueError: 번호가 $[0, T)$를 벗어나거나, `target`의 이름을 모르면.

    References:
        Salimans, T. & Ho, J. (2022). Progressive Distillation for Fast Sampling of Diffusion Models, 4절.
    """
    checks.choice(TARGETS, target=target)
    check_times(schedule, t)
    alpha_bar = schedule.alpha_bar[t]
    if target == "noise":
        return torch.ones_like(alpha_bar)
    if target == "x0":
        return (1 - alpha_bar) / alpha_bar
    return 1 / alpha_bar if target == "velocity" else 1 / (1 - alpha_bar)


@full_precision
def bound_weight(t: int, schedule: Schedule, *, variance: Variance = posterior_variance) -> Float[Tensor, ""]:
    r"""변분 상한이 노이즈의 제곱 오차에 매기는 가중치. 단순한 손실에서는 모두 1이다.

    $$L_{t-1} = w_t\, \lVert \epsilon - \epsilon_\theta \rVert^2 + \text{상수}, \qquad
    w_t = \frac{\beta_t^2}{2 \sigma_t^2\, \alpha_t\, (1 - \bar\alpha_t)}, \qquad \alpha_t = 1 - \beta_t$$

    $\sigma_t^2 = \tilde\beta_t$면 상수도 0이고, $t \ge 2$의 가중치는 신호 대 잡음비가 줄어든 양의 반에
    $(1 - \bar\alpha_t) / \bar\alpha_t$를 곱한 것이다. 규칙이 $\sigma_1^2 = 0$을 주면
    [`bound_term`][mgk_docs_src.diffusion.sampling.bound_term]처럼 그때만 $\sigma_1^2 = \beta_1$을 쓴다.

    Args:
        t: 시각의 번호.
        schedule: 노이즈 스케줄.
        variance: 분산 $\sigma_t^2$의 규칙.

    Returns:
        0보다 큰 가중치, float64.

    Raises:
        TypeError: 번호가 정수가 아니거나, `variance`가 함수가 아니면.
        ValueError: 번호가 $[0, T)$를 벗어나거나, 분산이 0 이상의 유한한 수가 아니면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 12.
        Kingma, D. P. 외 (2021). Variational Diffusion Models, 식 13.
    """
    checks.count(0, t=t)
    check_times(schedule, t)
    checks.function(variance=variance)
    beta, alpha_bar = schedule.beta[t], schedule.alpha_bar[t]
    sigma2 = variance(t, t - 1, schedule)
    check_variances(sigma2)
    sigma2 = torch.where(sigma2 > 0, sigma2, beta)
    return beta**2 / (2 * sigma2 * (1 - beta) * (1 - alpha_bar))


@full_precision
def denoising_loss(
    predict: Predict,
    x0: Float[Tensor, "n *shape"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    noise: Float[Tensor, "n *shape"],
    target: Target = "velocity",
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""확산 모델의 손실: 노이즈를 섞어 보이고, 섞은 노이즈를 맞히게 한다.

    $$L = \mathbb{E}_{x_0, t, \epsilon}\, \lambda_t \bigl\lVert y - f_\theta(x_t, t) \bigr\rVert^2, \qquad
    x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$$

    $y = \epsilon$이면 DDPM의 $L_{\text{simple}}$, $y = -\epsilon / \sqrt{1 - \bar\alpha_t}$면 노이즈 제거 스코어
    매칭(denoising score matching)이다. $\lambda_t$는 스코어일 때만 $1 - \bar\alpha_t$(NCSN의 $\sigma^2$)고 나머지는
    1이다. 스코어의 크기는 $1/\sigma_t$에 비례하므로, 그 가중치가 없으면 노이즈가 적은 몇 시각이 손실의 대부분을
    차지한다. 제곱 오차를 가장 작게 하는 함수는 $\mathbb{E}[y \mid x_t]$이고, 그래도 손실은 0이 아니다: $x_t$만 보고는
    어느 노이즈가 섞였는지 다 알 수 없다. 값을 검사하므로 장치와 동기화한다.

    Args:
        predict: $y$를 맞히는 함수 $f_\theta$. $x_t$ (n, …)와 번호 (n,)을 받아 $x_t$와 같은 모양을 준다.
        x0: 데이터 $x_0$. 첫 축이 표본이다.
        t: 시각의 번호. 하나의 정수거나 표본마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        noise: 섞을 표준 정규 노이즈 $\epsilon$. `x0`와 같은 모양.
        target: 맞힐 것 $y$. `regression_target`의 이름. 기본값은 `train`과 같은 속도다.
        reduction: `"none"`, `"mean"`, `"sum"`. 표본끼리 줄인다.

    Returns:
        0 이상의 손실. `"none"`이면 표본마다 (n,), 아니면 스칼라.

    Raises:
        TypeError: 텐서, 정수, 함수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를 벗어나거나, 예측에 다른 스케줄이 저장되었거나, 예측의 모양이 다르거나 유한하지 않거나,
            `target`이나 `reduction`의 이름을 모르면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 14.
        Vincent, P. (2011). A Connection Between Score Matching and Denoising Autoencoders, 4.2절.
        Song, Y. & Ermon, S. (2019). Generative Modeling by Estimating Gradients of the Data Distribution, 4.2절
        ($\lambda(\sigma) = \sigma^2$).
    """
    check_predictors(schedule, predict=predict)
    checks.choice(TARGETS, target=target)
    each = _squared_error(predict, x0, t, schedule, noise=noise, target=target)
    checks.within(predict=(each, REAL))
    return reduce(each, reduction).to(x0.dtype)


def stratified_times(n: int, schedule: Schedule, *, generator: torch.Generator | None) -> Int[Tensor, "n"]:
    r"""균등하게 흩뜨린 시각의 번호: $[0, T)$를 $n$칸으로 나누어 칸마다 하나씩 뽑는다.

    $$t_i = \Bigl\lfloor \frac{T}{n} (i + u_i) \Bigr\rfloor, \qquad u_i \sim \mathcal{U}[0, 1) \quad
    (i = 0, \ldots, n - 1)$$

    하나하나 따로 뽑은 것과 기댓값이 같고, 한 배치 안의 시각이 균등하므로 손실이 덜 흔들린다. 번호가 차례대로이므로 함께
    쓸 데이터는 섞여 있어야 한다.

    Args:
        n: 번호의 수. 1 이상.
        schedule: 노이즈 스케줄. 번호는 그 장치에 놓인다.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        줄지 않는 번호들, `torch.int64`.

    Raises:
        TypeError: `n`이 정수가 아니면.
        ValueError: `n`이 1보다 작거나, 다른 장치의 발생기이면.

    References:
        Kingma, D. P. 외 (2021). Variational Diffusion Models, 부록 I.1.
        Owen, A. B. (2013). Monte Carlo Theory, Methods and Examples, 8.4절 (층화 추출).
    """
    checks.count(1, n=n)
    checks.instance(Schedule, schedule=schedule)
    last = len(schedule.beta) - 1
    u = rand(n, generator=generator, device=schedule.beta.device, dtype=torch.float64)
    # i + u가 반올림되어 n이 될 수 있다
    return ((torch.arange(n, device=u.device) + u) * ((last + 1) / n)).long().clamp(max=last)


def feature_count(dim: int, *, frequencies: int = 4, num_labels: int = 0) -> int:
    r"""`features`가 주는 특징의 수. 신경망의 입력 너비다.

    $$f = (d + 1)(2K + 1) + C$$

    Args:
        dim: 데이터의 차원 $d \ge 1$.
        frequencies: 진동수의 수 $K \ge 0$.
        num_labels: 라벨의 수 $C \ge 0$.

    Returns:
        특징의 수 $f$.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: `dim`이 1보다 작거나, 나머지가 음수이면.

    References:
        Tancik, M. 외 (2020). Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional
        Domains, 식 5.
    """
    checks.count(1, dim=dim)
    checks.count(0, frequencies=frequencies, num_labels=num_labels)
    return (dim + 1) * (2 * frequencies + 1) + num_labels


@full_precision
def features(
    xt: Float[Tensor, "n d"],
    t: int | Int[Tensor, "n"],
    schedule: Schedule,
    *,
    frequencies: int = 4,
    labels: Int[Tensor, "n"] | None = None,
    num_labels: int = 0,
) -> Float[Tensor, "n f"]:
    r"""신경망의 입력: 점, 시각, 라벨을 벡터 하나로 편다. 시각은 각도 $\phi_t$로 바꾸어 좌표 하나로 쓴다(시각 임베딩).

    $$\gamma = \bigl[ u,\; \sin(k u),\; \cos(k u),\; \mathrm{onehot}(c) \bigr]_{k = 1, \ldots, K}, \qquad
    u = (x_t, \phi_t), \qquad \cos\phi_t = \sqrt{\bar\alpha_t}$$

    신경망은 완만한 함수를 먼저 학습한다. 사인과 코사인이 있으면 노이즈가 적을 때의 가파른 예측도 빨리 학습한다.
    라벨이 $-1$이면 $\mathrm{onehot}$이 모두 0이고, 조건이 없다는 뜻이다. 값을 검사하므로 장치와 동기화한다.

    Args:
        xt: 시각 $t$의 $x_t$. 한 줄이 점 하나. 좌표의 크기가 1쯤이어야 진동수가 맞는다.
        t: 시각의 번호. 하나의 정수거나 점마다의 번호(`torch.int64`).
        schedule: 노이즈 스케줄.
        frequencies: 진동수의 수 $K \ge 0$.
        labels: 라벨 $c \in \{-1, 0, \ldots, C - 1\}$. `None`이면 모두 $-1$.
        num_labels: 라벨의 수 $C \ge 0$.

    Returns:
        특징. 열의 수는 `feature_count`. `xt`와 같은 자료형.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 번호가
            $[0, T)$를, 라벨이 $[-1, C)$를 벗어나거나, 수가 음수이면.

    References:
        Tancik, M. 외 (2020). Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional
        Domains, 식 5.
    """
    checks.floating(xt=xt)
    checks.ndim(2, 2, xt=xt)
    checks.count(0, frequencies=frequencies, num_labels=num_labels)
    check_data(schedule, t, xt=xt)
    (x,) = widen(xt)
    alpha_bar = schedule.alpha_bar[t]
    phi = column(torch.atan2((1 - alpha_bar).sqrt(), alpha_bar.sqrt()), x).expand(len(x), 1)
    u = torch.cat([x, phi], 1)  # (n, d + 1)
    k = torch.arange(1, frequencies + 1, device=x.device, dtype=x.dtype)
    waves = (u[:, None] * k[:, None]).flatten(1)  # (n, K (d + 1))
    parts = [u, waves.sin(), waves.cos()]
    if labels is None:
        parts.append(x.new_zeros(len(x), num_labels))
    else:
        _check_conditions(len(x), num_labels, labels)
        checks.device(schedule.beta.device, labels=labels)
        parts.append(one_hot(labels + 1, num_labels + 1)[:, 1:].to(x.dtype))  # −1의 열은 버린다
    return torch.cat(parts, 1).to(xt.dtype)


@with_gradients
def mlp(
    inputs: int,
    outputs: int,
    *,
    width: int = 96,
    depth: int = 3,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> nn.Sequential:
    r"""다층 퍼셉트론(multilayer perceptron): 비선형 은닉층을 쌓는다.

    $$f(h) = W_{D+1} h_D + b_{D+1}, \qquad h_i = \mathrm{silu}(W_i h_{i-1} + b_i), \qquad
    \mathrm{silu}(z) = z\, \sigma(z)$$

    가중치는 $\mathcal{U}(\pm 1/\sqrt{d_{\text{in}}})$에서 시작한다.

    Args:
        inputs: 입력의 너비. `feature_count`.
        outputs: 출력의 너비. 데이터의 차원.
        width: 은닉층의 너비.
        depth: 은닉층의 수 $D$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        신경망.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 1보다 작거나, 다른 장치의 발생기이면.

    References:
        Elfwing, S. 외 (2018). Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
        Reinforcement Learning, 2절.
    """
    checks.count(1, inputs=inputs, outputs=outputs, width=width, depth=depth)
    layers: list[nn.Module] = []
    for rows in (inputs, *[width] * (depth - 1)):
        layers += [_linear(rows, width, generator, device, dtype), nn.SiLU()]
    return nn.Sequential(*layers, _linear(width, outputs, generator, device, dtype))


@with_gradients
def memory(
    inputs: int,
    outputs: int,
    *,
    width: int = 128,
    slots: int = 128,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> nn.Sequential:
    r"""메모리 신경망(memory network): 질의 $q$로 정한 소프트맥스 가중치로 메모리 벡터들을 섞어 출력한다.

    $$f(h) = V \operatorname{softmax}(K q + b) + c, \qquad q = \mathrm{silu}(W h + a)$$

    다층 퍼셉트론과 달리 출력은 학습된 값 $V$들의 볼록 결합이다. 어텐션(attention)에서 키 $K$와 값 $V$를 입력이 아니라
    가중치로 둔 것과 같다. 가중치는 $\mathcal{U}(\pm 1/\sqrt{d_{\text{in}}})$에서 시작한다.

    Args:
        inputs: 입력의 너비. `feature_count`.
        outputs: 출력의 너비. 데이터의 차원.
        width: 질의 $q$의 너비.
        slots: 메모리 벡터의 수.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        신경망.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 1보다 작거나, 다른 장치의 발생기이면.

    References:
        Sukhbaatar, S. 외 (2015). End-To-End Memory Networks, 2.1절.
    """
    checks.count(1, inputs=inputs, outputs=outputs, width=width, slots=slots)
    return nn.Sequential(
        _linear(inputs, width, generator, device, dtype),
        nn.SiLU(),
        _linear(width, slots, generator, device, dtype),
        nn.Softmax(-1),
        _linear(slots, outputs, generator, device, dtype),
    )


class Denoiser(NamedTuple):
    r"""신경망과, 그 출력을 노이즈의 예측으로 바꾸는 데 필요한 설정.

    Attributes:
        network: 특징 (n, f)를 받아 (n, d)를 주는 신경망.
        schedule: 학습할 때의 노이즈 스케줄.
        target: 신경망이 맞히는 것. `regression_target`의 이름.
        frequencies: `features`의 진동수의 수.
        num_labels: 라벨의 수. 0이면 조건이 없다.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.2절.
    """

    network: nn.Module
    schedule: Schedule
    target: Target = "velocity"
    frequencies: int = 4
    num_labels: int = 0


def noise_predictor(
    denoiser: Denoiser,
    *,
    labels: Int[Tensor, "n"] | None = None,
    guidance: float = 0.0,
) -> Predict:
    r"""노이즈 제거기를 [`sample`][mgk_docs_src.diffusion.sampling.sample]이 쓰는 노이즈의 예측으로 만든다.

    $$\epsilon_\theta(x_t, t) = (1 + w)\, \epsilon_\theta(x_t, t, c) - w\, \epsilon_\theta(x_t, t, \varnothing)$$

    Args:
        denoiser: 노이즈 제거기.
        labels: 뽑을 점마다의 라벨 $c \in \{-1, 0, \ldots, C - 1\}$. $-1$과 `None`은 조건이 없다는 뜻이다.
        guidance: 가이던스의 세기 $w \ge 0$. 0보다 크면 라벨이 있어야 하고, 신경망을 두 번 부른다.

    Returns:
        $x_t$ (n, d)와 번호 (n,)을 받아 노이즈의 예측 (n, d)를 주는 함수. 미분할 수 있다. 학습할 때의 스케줄을
        저장하므로 다른 스케줄로는 샘플링할 수 없다. 단계를 줄이려면 `sample`의 `steps`를 쓴다.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 가이던스의 세기가 음수거나, 라벨이 없는데 가이던스를 쓰거나, 라벨이 비었거나 $[-1, C)$를 벗어나면.
            만든 함수는 점이나 시각의 모양이나 값이 맞지 않거나, 신경망의 출력이 유한하지 않으면.

    References:
        Ho, J. & Salimans, T. (2022). Classifier-Free Diffusion Guidance, 식 6.
    """
    checks.instance(Denoiser, denoiser=denoiser)
    checks.number(NONNEGATIVE, guidance=guidance)
    if labels is not None:
        checks.tensor(labels=labels)
        checks.nonempty(labels=labels)
        _check_conditions(labels.numel(), denoiser.num_labels, labels)
    elif guidance > 0:
        raise ValueError(f"labels: guidance가 {guidance:g}이면 라벨이 있어야 하는데 None이다")
    # 스케줄이 저장되어 있으므로, 다른 스케줄로 샘플링하려 하면 sample이 오류로 알린다.
    return partial(_guided, schedule=denoiser.schedule, denoiser=denoiser, labels=labels, guidance=guidance)


class Training(NamedTuple):
    r"""학습한 결과.

    Attributes:
        denoiser: 가중치를 학습 스텝마다 평균한(EMA) 노이즈 제거기. 기울기는 따라오지 않는다.
        losses: 학습 스텝마다, 갱신하기 전 배치의 손실.

    References:
        Polyak, B. T. & Juditsky, A. B. (1992). Acceleration of Stochastic Approximation by Averaging.
    """

    denoiser: Denoiser
    losses: Float[Tensor, "steps"]


@with_gradients
def train(
    network: nn.Module,
    data: Float[Tensor, "n d"],
    schedule: Schedule,
    *,
    steps: int,
    batch_size: int = 512,
    learning_rate: float = 0.02,
    ema: float = 0.999,
    target: Target = "velocity",
    frequencies: int = 4,
    labels: Int[Tensor, "n"] | None = None,
    num_labels: int = 0,
    label_drop: float = 0.1,
    generator: torch.Generator | None,
) -> Training:
    r"""노이즈 제거기를 학습한다: 데이터, 시각, 노이즈를 뽑고 `denoising_loss`를 Adam으로 줄인다.

    $$\theta \leftarrow \theta - \eta_i\, \mathrm{Adam}\bigl(\nabla_\theta L\bigr), \qquad
    \bar\theta \leftarrow m_i \bar\theta + (1 - m_i)\, \theta, \qquad
    \eta_i = \eta \min\Bigl(1, \frac{i + 1}{50}\Bigr) \frac{1 + \cos(\pi i / N)}{2}, \qquad
    m_i = \min\Bigl(m, \frac{i + 1}{i + 10}\Bigr)$$

    학습 스텝 $i = 0, \ldots, N - 1$이 가면서 학습률은 0으로 준다. 샘플링에는 가중치의 이동 평균 $\bar\theta$를 쓴다.
    라벨이 있으면 `label_drop`의 비율만큼 지워서, 한 신경망이 조건을 준 예측과 주지 않은 예측을 함께 학습한다.
    건넨 신경망은 바꾸지 않고 복사해서 학습한다. 드롭아웃처럼 스스로 난수를 뽑는 층은 torch의 전역 발생기를 쓴다.
    손실은 학습하는 내내 검사한다. GPU에서는 [`delayed`][mgk_docs_src.checks.delayed]처럼 모아서 보므로, 발생기가 GPU의
    것이면 학습 스텝은 장치를 기다리지도 장치로 복사하지도 않는다.

    Args:
        network: 특징 (n, f)를 받아 (n, d)를 주는 신경망. f는 `feature_count`.
        data: 데이터 $x_0$. 한 줄이 점 하나.
        schedule: 노이즈 스케줄.
        steps: 학습 스텝의 수 $N \ge 1$.
        batch_size: 한 학습 스텝에 쓰는 점의 수. 복원 추출한다.
        learning_rate: 가장 클 때의 학습률 $\eta > 0$.
        ema: 이동 평균이 지난 값을 유지하는 비율 $m \in [0, 1]$. 0이면 마지막 가중치를 쓴다.
        target: 맞힐 것. `regression_target`의 이름.
        frequencies: `features`의 진동수의 수 $K \ge 0$.
        labels: 점마다의 라벨 $c \in \{0, \ldots, C - 1\}$. `None`이면 조건 없이 학습한다.
        num_labels: 라벨의 수 $C \ge 0$. `labels`가 있으면 1 이상.
        label_drop: 라벨을 지우는 비율 $\in [0, 1]$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        학습한 노이즈 제거기와 학습 스텝마다의 손실.

    Raises:
        TypeError: 신경망, 텐서, 수가 아닌 값을 받으면.
        ValueError: 모양, 장치, 값이 틀렸거나, 신경망에 학습할 가중치가 없거나, 신경망의 출력이 데이터와 모양이
            다르거나, 학습하다가 손실이 유한하지 않게 되었거나(그 학습 스텝을 알린다), 다른 장치의 발생기이면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 알고리즘 1.
        Ho, J. & Salimans, T. (2022). Classifier-Free Diffusion Guidance, 알고리즘 1.
        Kingma, D. P. & Ba, J. (2015). Adam: A Method for Stochastic Optimization.
    """
    _check_training(network, data, schedule, labels, num_labels)
    checks.choice(TARGETS, target=target)
    checks.count(1, steps=steps, batch_size=batch_size)
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(UNIT, ema=ema, label_drop=label_drop)
    learner, average = deepcopy(network).train(), deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.Adam([p for p in learner.parameters() if p.requires_grad], fused=True)
    history = []
    with checks.delayed(whole=True):  # 시각과 행의 번호는 여기서 만들고, 라벨은 위에서 보았다
        for i in range(steps):
            rows = randint(0, len(data), (batch_size,), generator=generator, device=data.device)
            t = stratified_times(batch_size, schedule, generator=generator)
            noise = randn(batch_size, data.shape[1], generator=generator, device=data.device, dtype=data.dtype)
            given = None if labels is None else _drop(labels[rows], label_drop, generator)

            def predict(xt: Tensor, t: Tensor, given: Tensor | None = given) -> Tensor:
                seen = features(xt, t, schedule, frequencies=frequencies, labels=given, num_labels=num_labels)
                return _apply(learner, seen, xt)

            loss = _squared_error(predict, data[rows], t, schedule, noise=noise, target=target).mean()
            checks.within(**{f"network와 learning_rate: 학습 스텝 {i}의 손실": (loss, REAL)})
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * min(1, (i + 1) / _WARM_UP) * (1 + math.cos(math.pi * i / steps)) / 2
            optimiser.step()
            _follow(average, learner, min(ema, (i + 1) / (i + 10)))
            history.append(loss.detach().to(data.dtype))
    return Training(Denoiser(average, schedule, target, frequencies, num_labels), torch.stack(history))


def _follow(average: nn.Module, learner: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, now in zip(average.parameters(), learner.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for kept, count in zip(average.buffers(), learner.buffers(), strict=True):
            kept.copy_(count)  # 배치 정규화의 통계처럼, 학습하지 않고 세는 값


def _drop(labels: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    dropped = rand(len(labels), generator=generator, device=labels.device) < share
    return labels.masked_fill(dropped, -1)


@full_precision
def _guided(
    xt: Tensor, t: Tensor, schedule: Schedule, *, denoiser: Denoiser, labels: Tensor | None, guidance: float
) -> Tensor:
    conditional = _predicted(denoiser, xt, t, schedule, labels)
    if guidance == 0:
        return conditional
    return guide(conditional, _predicted(denoiser, xt, t, schedule, None), guidance)


def _predicted(denoiser: Denoiser, xt: Tensor, t: Tensor, schedule: Schedule, labels: Tensor | None) -> Tensor:
    network, _, target, frequencies, num_labels = denoiser
    seen = features(xt, t, schedule, frequencies=frequencies, labels=labels, num_labels=num_labels)
    output = _apply(network, seen, xt)
    checks.within(network=(output, REAL))
    y, x = widen(output, xt)
    noise = converted(y, x, schedule.alpha_bar[t], source=target, to="noise")
    return noise.to(torch.promote_types(output.dtype, xt.dtype))


def _squared_error(
    predict: Predict, x0: Tensor, t: int | Tensor, schedule: Schedule, *, noise: Tensor, target: Target
) -> Tensor:
    """표본마다의 손실 (n,). 예측의 값은 검사하지 않는다."""
    xt = diffuse(x0, t, schedule, noise=noise)  # 입력을 검사하는 일도 겸한다
    times = t if isinstance(t, Tensor) else torch.full((len(x0),), t, dtype=torch.int64, device=x0.device)
    prediction: Tensor = checks.called("predict", predict, xt, times)
    checks.floating(predict=prediction)
    checks.shape(xt.shape, predict=prediction)
    kept, (wide_x0, epsilon) = schedule.alpha_bar[t], widen(x0, noise)
    y, f = widen(_target(wide_x0, epsilon, kept, target), prediction)
    each = ((y - f) ** 2).reshape(len(x0), -1).sum(1)
    return (1 - kept).to(each.dtype) * each if target == "score" else each


def _target(x0: Tensor, noise: Tensor, kept: Tensor, target: Target) -> Tensor:
    signal, sigma = levels(kept, x0)
    if target == "velocity":
        return signal * noise - sigma * x0
    if target == "score":
        return -noise / sigma
    return x0 if target == "x0" else noise


def _apply(network: nn.Module, seen: Tensor, xt: Tensor) -> Tensor:
    # 데이터의 자료형과 신경망의 자료형은 다를 수 있다.
    kind = next((parameter.dtype for parameter in network.parameters()), seen.dtype)
    output: Tensor = checks.called("network", network, seen.to(kind))
    checks.floating(network=output)
    checks.shape(xt.shape, network=output)
    return output


def _linear(
    inputs: int,
    outputs: int,
    generator: torch.Generator | None,
    device: torch.device | None,
    dtype: torch.dtype | None,
) -> nn.Linear:
    # skip_init은 전역 난수를 쓰지 않는다. 첫 값은 받은 발생기에서 뽑는다.
    place = torch.get_default_device() if device is None else device
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, device=place, dtype=dtype)  # type: ignore[no-untyped-call]
    assert isinstance(layer, nn.Linear)
    with torch.no_grad():
        for parameter in layer.parameters():
            drawn = rand(*parameter.shape, generator=generator, device=parameter.device, dtype=parameter.dtype)
            parameter.copy_((2 * drawn - 1) / inputs**0.5)
    return layer


def _check_conditions(n: int, num_labels: int, labels: Tensor) -> None:
    """라벨이거나, 조건이 없다는 −1."""
    checks.int64(labels=labels)
    checks.shape((n,), labels=labels)
    checks.within(labels=(labels, Interval(-1, num_labels - 1)))


def _check_training(
    network: nn.Module, data: Tensor, schedule: Schedule, labels: Tensor | None, num_labels: int
) -> None:
    if not isinstance(network, nn.Module):
        raise TypeError(f"network: torch.nn.Module이어야 하는데 {type(network).__name__}이다")
    checks.instance(Schedule, schedule=schedule)
    checks.floating(data=data)
    checks.ndim(2, 2, data=data)
    checks.nonempty(data=data)
    checks.within(data=(data, REAL))
    checks.count(0, num_labels=num_labels)
    if labels is not None:
        checks.count(1, num_labels=num_labels)
        checks.classes(data.shape[:1], num_labels, labels=labels)
    learnt = [p for p in network.parameters() if p.requires_grad]
    if not learnt:
        raise ValueError("network: 학습할 가중치가 하나 이상이어야 하는데 없다")
    for name, device in (("network", learnt[0].device), ("schedule", schedule.beta.device)):
        if device != data.device:
            raise ValueError(f"{name}: 데이터와 같은 장치 {data.device}에 있어야 하는데 {device}에 있다")
    check_schedule(schedule)
    if labels is not None:
        checks.device(schedule.beta.device, labels=labels)
