r"""실습 “숫자를 그리는 확산 모델”의 재료: `docs/labs/digits.py`.

이미지의 화소는 정수 단계(level) $0, \ldots, L - 1$이고, 단계 $j$는 실수 $v_j \in [-1, 1]$로 본다. 시각을 하나 옮기는
일은 ‘확산 단계’라고 적는다. 식의 시각은 $t = 1, \ldots, T$, 배열의 번호는 그보다 1 작다.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT, Interval
from mgk_docs_src.diffusion import process, sampling
from mgk_docs_src.diffusion.schedules import Schedule, check_data, check_predictors
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.networks import Networks, finished, forward_residual, initial_residual, still_learning
from mgk_docs_src.random import rand, randint, randn

Head = Literal["levels", "softmax", "gaussian"]

HEADS = ("levels", "softmax", "gaussian")
FREQUENCIES = 4  # 시각을 알리는 사인과 코사인의 수


class Prediction(NamedTuple):
    r"""노이즈를 섞은 이미지에서 추정한 원래 이미지.

    Attributes:
        mean: 화소값의 추정값 $\hat x_0 \approx \mathbb{E}[x_0 \mid x_t]$.
        logits: 단계의 로짓. 소프트맥스가 $p(x_0 = v_j \mid x_t)$다.

    References:
        Austin, J. 외 (2021). Structured Denoising Diffusion Models in Discrete State-Spaces, 3.3절.
    """

    mean: Float[Tensor, "*batch d"]
    logits: Float[Tensor, "*batch d levels"]


# 노이즈를 섞은 이미지 (n, d)와 시각의 번호 (n)을 받아 원래 이미지를 추정한다.
Denoiser = Callable[[Tensor, Tensor], Prediction]


# --- 단계와 스케줄 ---


@full_precision
def level_values(
    num_levels: int,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "levels"]:
    r"""단계의 값: $[-1, 1]$에 같은 간격으로 놓는다.

    $$v_j = \frac{2j}{L - 1} - 1, \qquad j = 0, \ldots, L - 1$$

    Args:
        num_levels: 단계의 수 $L \ge 2$.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        단계의 값 $v$. 늘어나는 순서다.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 단계가 둘보다 적거나, 자료형이 실수형이 아니면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.3절.
    """
    checks.count(2, num_levels=num_levels)
    if dtype is not None and not dtype.is_floating_point:
        raise ValueError(f"dtype: 실수형이어야 하는데 {dtype}이다")
    return 2 * torch.arange(num_levels, device=device, dtype=dtype or torch.get_default_dtype()) / (num_levels - 1) - 1


@full_precision
def to_levels(values: Float[Tensor, "*shape"], *, num_levels: int) -> Int[Tensor, "*shape"]:
    r"""값에서 가장 가까운 단계의 번호. $[-1, 1]$ 밖은 끝 단계다.

    $$j = \arg\min_j |x - v_j| = \mathrm{round}\Bigl( \frac{(L - 1)(x + 1)}{2} \Bigr)$$

    Args:
        values: 화소값 $x$. 임의의 모양.
        num_levels: 단계의 수 $L \ge 2$.

    Returns:
        $\{0, \ldots, L - 1\}$의 번호. `values`와 같은 모양.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, 단계가 둘보다 적으면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 3.3절.
    """
    checks.floating(values=values)
    checks.nonempty(values=values)
    checks.within(values=(values, REAL))
    checks.count(2, num_levels=num_levels)
    return ((num_levels - 1) * (widen(values)[0] + 1) / 2).round().clamp(0, num_levels - 1).long()


@full_precision
def level_basis(
    num_levels: int,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "5 levels"]:
    r"""단계의 분포를 적는 다섯 함수: 삼차식까지와 두 끝.

    $$\varphi(v) = \bigl( v,\; v^2,\; v^3,\; \mathbf{1}[v = -1],\; \mathbf{1}[v = 1] \bigr), \qquad
    p(v_j) \propto \exp(\eta^\top \varphi(v_j))$$

    이웃한 단계의 확률이 비슷하고, 잉크가 아주 없거나 가득한 화소가 따로 많다는 사실을 담는다. 로짓 $L$개 대신 $\eta$
    다섯을 학습한다.

    Args:
        num_levels: 단계의 수 $L \ge 2$.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        함수마다 한 줄, 단계마다 한 열.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 단계가 둘보다 적거나, 자료형이 실수형이 아니면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 3.4절 (지수족).
    """
    v = level_values(num_levels, device=device, dtype=dtype)
    return torch.stack([v, v**2, v**3, (v == v[0]).to(v.dtype), (v == v[-1]).to(v.dtype)])


@with_gradients
def log_snr_schedule(
    steps: int,
    *,
    high: float = 7.0,
    low: float = -6.0,
    device: torch.device | None = None,
) -> Schedule:
    r"""로그 신호 대 잡음비 $\lambda$가 같은 간격으로 줄어드는 노이즈 스케줄.

    $$\lambda_t = \lambda_{\max} - \frac{t - 1}{T - 1} (\lambda_{\max} - \lambda_{\min}), \qquad
    \bar\alpha_t = \frac{1}{1 + e^{-\lambda_t}}, \qquad \beta_t = 1 - \frac{\bar\alpha_t}{\bar\alpha_{t-1}}$$

    $\lambda$의 간격이 작으면 변분 상한의 항은
    $\frac12 (\lambda_{t-1} - \lambda_t) \lVert \epsilon - \epsilon_\theta \rVert^2$에 가깝다. 이 스케줄에서는 시각마다
    가중치가 같으므로, 노이즈의 제곱 오차를 같은 가중치로 평균해 줄이면 상한도 준다.

    Args:
        steps: 확산 단계의 수 $T \ge 2$.
        high: 첫 시각의 $\lambda_{\max}$.
        low: 끝 시각의 $\lambda_{\min} < \lambda_{\max}$.
        device: 놓을 장치. 기본값은 torch의 기본 장치.

    Returns:
        스케줄.

    Raises:
        TypeError: 정수나 수가 아닌 값을 받으면.
        ValueError: 확산 단계가 둘보다 적거나, $[-30, 30]$을 벗어나거나, $\lambda_{\min} \ge \lambda_{\max}$이면.

    References:
        Kingma, D. P. 외 (2021). Variational Diffusion Models, 4.1절, 식 17.
    """
    checks.count(2, steps=steps)
    checks.number(Interval(-30, 30), high=high, low=low)
    if low >= high:
        raise ValueError(f"low: high({high:g})보다 작아야 하는데 {low:g}이다")
    alpha_bar = torch.linspace(high, low, steps, device=device, dtype=torch.float64).sigmoid()
    if not (alpha_bar.diff() < 0).all():
        raise ValueError(
            f"high: 이웃한 시각의 ᾱ가 float64에서 구별되도록 low({low:g})에서 멀거나 작아야 하는데 {high:g}이다"
        )
    return process.noise_schedule(1 - alpha_bar / F.pad(alpha_bar, (1, 0), value=1.0)[:-1])


# --- 단계의 사후 분포와 변분 상한 ---


@full_precision
def posterior_logits(
    natural: Float[Tensor, "n d k"],
    xt: Float[Tensor, "n d"],
    t: Int[Tensor, "n"],
    schedule: Schedule,
    *,
    basis: Float[Tensor, "k levels"],
) -> Float[Tensor, "n d levels"]:
    r"""신경망이 예측한 단계의 분포에, 그 화소에서 본 $x_t$를 베이즈 정리로 더한다.

    $$\log p(x_0 = v_j \mid x_t) = \eta^\top \varphi(v_j)
    + \frac{\sqrt{\bar\alpha_t}\, x_t v_j - \frac12 \bar\alpha_t v_j^2}{1 - \bar\alpha_t} + \text{상수}$$

    둘째 항은 $\log \mathcal{N}(x_t; \sqrt{\bar\alpha_t} v_j, 1 - \bar\alpha_t)$에서 $j$가 들어 있는 부분이다. 화소가
    서로 독립이면 $\eta$가 상수여도 정확하다. 신경망은 이웃 화소에서 얻는 정보만 학습하면 된다.

    Args:
        natural: 자연 매개변수 $\eta$.
        xt: 시각 $t$의 $x_t$.
        t: 표본마다 시각의 번호.
        schedule: 노이즈 스케줄.
        basis: 함수 $\varphi$의 값. 단위행렬이면 $\eta$가 곧 로짓이다.

    Returns:
        로짓. 소프트맥스를 하면 $p(x_0 = v_j \mid x_t)$다.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 실수형이 아니거나, `xt`가 유한하지 않거나, 번호가
            `torch.int64`가 아니거나 $[0, T)$를 벗어나면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 3.4절 (지수족), 4.6절 (켤레 분포).
    """
    checks.floating(natural=natural, xt=xt, basis=basis)
    checks.ndim(2, 2, xt=xt, basis=basis)
    checks.shape((*xt.shape, len(basis)), natural=natural)
    check_data(schedule, t, xt=xt)
    checks.device(schedule.beta.device, natural=natural, basis=basis)
    return _posterior_logits(natural, xt, t, schedule, basis)


class Bound(NamedTuple):
    r"""음의 로그 가능도의 상한을 이루는 항들. 이미지마다의 값(nat)이다.

    Attributes:
        reconstruction: 단계를 예측하는 $L_0$.
        steps: 확산 단계의 합 $\sum_{t=2}^{T} L_{t-1}$.
        prior: 출발점의 $L_T$.
        total: 모두의 합.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 식 5.
    """

    reconstruction: Float[Tensor, "n"]
    steps: Float[Tensor, "n"]
    prior: Float[Tensor, "n"]
    total: Float[Tensor, "n"]


@full_precision
def bound(
    denoise: Denoiser,
    levels: Int[Tensor, "n d"],
    schedule: Schedule,
    *,
    num_levels: int,
    draws: int,
    generator: torch.Generator | None,
    dtype: torch.dtype | None = None,
) -> Bound:
    r"""단계가 있는 데이터의 음의 로그 가능도의 변분 상한. 밀도가 아니라 확률이라 0 이상이다.

    $$-\log P_\theta(x_0) \le \mathbb{E}\Bigl[ -\log p_\theta(x_0 \mid x_1)
    + \sum_{t=2}^{T} \frac{\mathrm{SNR}_{t-1} - \mathrm{SNR}_t}{2} \lVert x_0 - \hat x_0(x_t) \rVert^2 \Bigr] + L_T$$

    $$L_T = \frac12 \sum_i \left[ \bar\alpha_T (x_{0i}^2 - 1) - \log (1 - \bar\alpha_T) \right]$$

    둘째 항은 평균만 다르고 분산이 $\tilde\beta_t$로 같은 두 정규 분포의 KL 발산이다. 합은 시각을 `draws`개의 구간으로
    나누어 이미지마다, 구간마다 하나씩 뽑아 추정한다. 추정값의 기댓값은 모두 더한 값과 같다. 기울기를 따라가지 않는다.

    Args:
        denoise: $x_t$ (n, d)와 시각의 번호 (n)을 받아 `Prediction`을 주는 함수.
        levels: 이미지. 화소마다 단계의 번호 $\{0, \ldots, L - 1\}$.
        schedule: 노이즈 스케줄.
        num_levels: 단계의 수 $L \ge 2$.
        draws: 이미지마다 뽑을 시각의 수. 1 이상. $L_0$은 그 열에 하나꼴로 반복해 평균한다.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        이미지마다의 항들과 그 합(nat).

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 없는 단계이거나, 수가 모자라거나, 스케줄의 시각이 둘보다 적거나,
            `denoise`에 다른 스케줄이 저장되었거나, 예측의 모양이 다르거나 유한하지 않으면.

    References:
        Kingma, D. P. 외 (2021). Variational Diffusion Models, 식 11–14.
    """
    checks.count(1, draws=draws)
    check_predictors(schedule, denoise=denoise)
    checks.count(2, schedule=len(schedule.beta))
    _check_levels(num_levels, levels=levels)
    checks.device(schedule.beta.device, levels=levels)
    x0 = level_values(num_levels, device=levels.device, dtype=dtype)[levels]
    n, last = len(x0), len(schedule.beta) - 1

    def predicted(t: Tensor) -> Prediction:
        noise = randn(*x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
        prediction = denoise(process.diffuse(x0, t, schedule, noise=noise), t)
        checks.shape(x0.shape, **{"denoise.mean": prediction.mean})
        checks.shape((*x0.shape, num_levels), **{"denoise.logits": prediction.logits})
        return prediction

    steps, reconstruction = x0.new_zeros(n), x0.new_zeros(n)
    drop = -torch.diff(process.signal_to_noise(schedule)).to(x0.dtype)  # SNR_{t−1} − SNR_t
    repeats = -(-draws // 10)
    with torch.no_grad():
        for part in range(draws):
            u = rand(n, generator=generator, device=x0.device, dtype=torch.float64)
            t = 1 + (last * (part + u) / draws).long().clamp(max=last - 1)
            error = ((x0 - predicted(t).mean) ** 2).sum(1)
            steps = steps + last / draws * drop[t - 1] / 2 * error
        for _ in range(repeats):
            logits = predicted(torch.zeros(n, dtype=torch.int64, device=x0.device)).logits
            chosen = logits.log_softmax(2).gather(2, levels[..., None]).squeeze(2)
            reconstruction = reconstruction - chosen.sum(1) / repeats
    alpha_bar = schedule.alpha_bar[-1].to(x0.dtype)
    checks.within(denoise=(torch.stack([steps, reconstruction]), REAL))
    prior = (alpha_bar * (x0**2 - 1) - torch.log1p(-alpha_bar)).sum(1) / 2
    return Bound(reconstruction, steps, prior, reconstruction + steps + prior)


@full_precision
def bits_per_dimension(nats: Float[Tensor, "*shape"], *, dimensions: int) -> Float[Tensor, "*shape"]:
    r"""이미지 하나의 nat을 화소 하나의 비트로 바꾼다.

    $$\frac{-\log P(x)}{d \log 2}$$

    균등 분포는 $\log_2 L$비트다.

    Args:
        nats: 음의 로그 가능도나 그 상한(nat).
        dimensions: 화소의 수 $d \ge 1$.

    Returns:
        비트. `nats`와 같은 모양.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 실수형이 아니거나, 화소가 1보다 적으면.

    References:
        Theis, L., van den Oord, A. & Bethge, M. (2016). A Note on the Evaluation of Generative Models, 3.1절.
    """
    checks.floating(nats=nats)
    checks.count(1, dimensions=dimensions)
    return nats / (dimensions * math.log(2))


# --- 노이즈를 제거하는 신경망들 ---


class Ensemble(NamedTuple):
    r"""시드 $S$개로 한꺼번에 학습한, 모양이 같은 신경망들.

    Attributes:
        networks: 학습한 가중치. 학습 중에 망가진 신경망은 nan이다.
        basis: 내는 값을 단계의 로짓으로 바꾸는 함수 $\varphi$. `"gaussian"`이면 `None`.
        num_levels: 단계의 수 $L$.
        num_classes: 클래스의 수 $C$. 라벨 $C$는 ‘모름’이다.
        losses: 학습 스텝마다, 신경망마다의 손실(화소마다 비트).

    References:
        He, K. 외 (2016). Deep Residual Learning for Image Recognition.
    """

    networks: Networks
    basis: Float[Tensor, "k levels"] | None
    num_levels: int
    num_classes: int
    losses: Float[Tensor, "steps s"]


@with_gradients
def train_denoisers(
    levels: Int[Tensor, "n d"],
    labels: Int[Tensor, "n"],
    schedule: Schedule,
    *,
    num_levels: int,
    num_classes: int,
    head: Head = "levels",
    hidden: Iterable[int] = (256, 256, 256),
    steps: int,
    batch_size: int = 256,
    learning_rate: float = 6e-3,
    weight_decay: float = 0.3,
    emphasis: float = 10.0,
    label_drop: float = 0.2,
    generators: Iterable[torch.Generator],
) -> Ensemble:
    r"""노이즈를 제거하는 신경망 $S$개를 변분 상한으로 한꺼번에 학습한다.

    $$\min_\theta\; \mathbb{E}_{t, \epsilon}\left[ \bigl( 1 + \kappa (1 - \bar\alpha_t) \bigr)\, (T - 1)\,
    \frac{\mathrm{SNR}_{t-1} - \mathrm{SNR}_t}{2} \lVert x_0 - \hat x_0(x_t, t, y) \rVert^2 \right]$$

    시각은 $t = 2, \ldots, T$에서 균등하게 뽑는다. $\kappa = 0$이면 상한 그대로다. 노이즈가 많은 시각은 무슨 숫자인지를
    정하지만 상한에서는 몇 백분의 일 비트뿐이다. 그래서 상한만 줄이면 그 시각의 추정을 거의 학습하지 못한다. $\kappa$가
    그 시각의 가중치를 더한다. 시각마다 최적의 추정은 가중치와 상관없이 같다.

    $\hat x_0$를 내는 헤드가 셋이다. `"levels"`는 `level_basis`의 자연 매개변수 다섯, `"softmax"`는 로짓 $L$개를 내고
    둘 다 `posterior_logits`의 평균을 쓴다. `"gaussian"`은 단계를 모른 채 속도 $v$를 바로 낸다. 라벨은 `label_drop`의
    확률로 가려, 조건이 없는 예측도 함께 학습한다. AdamW로 학습한다. 학습률은 처음 10 %의 스텝에서 늘고, 나중 60 %의
    스텝에서 0까지 준다.

    Args:
        levels: 이미지. 화소마다 단계의 번호.
        labels: 라벨 $y \in \{0, \ldots, C - 1\}$.
        schedule: 노이즈 스케줄. 시각이 둘 이상이다.
        num_levels: 단계의 수 $L \ge 2$.
        num_classes: 클래스의 수 $C \ge 1$.
        head: `"levels"`, `"softmax"`, `"gaussian"`.
        hidden: 은닉층마다의 너비. 모두 같다.
        steps: 학습 스텝 수. 1 이상.
        batch_size: 한 학습 스텝에 쓰는 이미지의 수. 복원 추출한다.
        learning_rate: 가장 큰 학습률. 0보다 크다.
        weight_decay: 가중치 감쇠 $\ge 0$. 절편에는 쓰지 않는다.
        emphasis: 노이즈가 많은 시각에 더하는 가중치 $\kappa \ge 0$.
        label_drop: 라벨을 가릴 확률 $\in [0, 1]$.
        generators: 신경망마다의 발생기.

    Returns:
        학습한 신경망들. 기울기는 따라오지 않는다.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 모양이나 값이 틀렸거나, 스케줄의 시각이 둘보다 적거나, 발생기가 없거나, 모든 신경망의 손실이
            유한하지 않게 되면.

    Warns:
        RuntimeWarning: 어느 신경망의 손실이 유한하지 않게 되면. 그 신경망만 학습을 멈춘다.

    References:
        Kingma, D. P. 외 (2021). Variational Diffusion Models, 식 14.
        Ho, J. & Salimans, T. (2022). Classifier-Free Diffusion Guidance, 알고리즘 1.
    """
    generators, hidden = checks.listed(generators=generators), tuple(checks.listed(hidden=hidden))
    checks.choice(HEADS, head=head)
    checks.number(UNIT, label_drop=label_drop)
    checks.number(NONNEGATIVE, emphasis=emphasis)
    checks.instance(Schedule, schedule=schedule)
    checks.count(2, schedule=len(schedule.beta))
    _check_examples(levels, labels, num_levels, num_classes)
    _check_training(hidden, generators, steps=steps, batch_size=batch_size)
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(NONNEGATIVE, weight_decay=weight_decay)
    d, device = levels.shape[1], levels.device
    v = level_values(num_levels, device=device)
    basis = {
        "levels": level_basis(num_levels, device=device),
        "softmax": torch.eye(num_levels, device=device),
        "gaussian": None,
    }[head]
    outputs = d if basis is None else d * len(basis)
    widths = (d + num_classes + 1 + 1 + 2 * FREQUENCIES, *hidden, outputs)
    networks = initial_residual(widths, generators, device=device, dtype=v.dtype)
    learner = Ensemble(networks, basis, num_levels, num_classes, v.new_zeros(0, len(generators)))
    per_step = -(len(schedule.beta) - 1) * torch.diff(process.signal_to_noise(schedule)) / 2
    weight = ((1 + emphasis * (1 - schedule.alpha_bar[1:])) * per_step).to(v.dtype)

    def loss() -> Tensor:
        chosen, dropped = _batch(len(levels), batch_size, label_drop, generators, device)
        t = torch.stack([_times(batch_size, len(schedule.beta), g, device) for g in generators])
        noise = torch.stack([randn(batch_size, d, generator=g, device=device) for g in generators])
        x0 = v[levels[chosen]]  # (S, B, d)
        y = labels[chosen].masked_fill(dropped, num_classes)
        xt = process.diffuse(x0.flatten(0, 1), t.flatten(), schedule, noise=noise.flatten(0, 1)).view_as(x0)
        error = ((x0 - _predict(learner, xt, t, y, schedule).mean) ** 2).sum(2)
        return (weight[t - 1] * error).mean(1) / (d * math.log(2))  # (S)

    return _minimise(loss, learner, steps=steps, learning_rate=learning_rate, weight_decay=weight_decay)


def denoiser(
    ensemble: Ensemble,
    schedule: Schedule,
    labels: Int[Tensor, "n"] | None = None,
    *,
    member: int | None = None,
) -> Denoiser:
    r"""학습한 신경망들의 추정값을 평균한다.

    $$\hat x_0 = \frac{1}{S} \sum_{s=1}^{S} \hat x_0^{(s)}, \qquad
    p(v_j \mid x_t) = \frac{1}{S} \sum_{s=1}^{S} p^{(s)}(v_j \mid x_t)$$

    제곱 오차는 볼록하므로, 평균한 추정값의 상한은 신경망마다의 상한의 평균보다 크지 않다. 신경망은 시각이 아니라
    $\log \mathrm{SNR}_t$를 보므로 학습할 때와 다른 스케줄에도 쓸 수 있다. 만든 함수에는 여기서 준 스케줄이 저장되므로,
    상한을 재거나 샘플링할 때 다른 스케줄을 주면 오류가 난다.

    Args:
        ensemble: [`train_denoisers`][mgk_docs_src.labs.digits.train_denoisers]가 학습한 신경망들.
        schedule: 노이즈 스케줄.
        labels: 이미지마다의 라벨 $y$. `None`이면 조건이 없는 예측이다.
        member: 신경망 하나만 쓸 때 그 번호. `None`이면 모두.

    Returns:
        $x_t$ (n, d)와 시각의 번호 (n)을 받아 `Prediction`을 주는 함수.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 라벨의 모양이나 값이 틀렸거나, 없는 신경망이거나, 쓸 신경망 가운데 학습 중에 멈춘 것이 있으면.

    References:
        Lakshminarayanan, B., Pritzel, A. & Blundell, C. (2017). Simple and Scalable Predictive Uncertainty
        Estimation using Deep Ensembles, 2.4절.
    """
    checks.instance(Schedule, schedule=schedule)
    seeds = len(ensemble.networks.weights[0])
    if labels is not None:
        checks.class_list(ensemble.num_classes, labels=labels)
    if member is not None:
        checks.count(0, member=member)
        checks.number(Interval(0, seeds - 1), member=member)
    kept = slice(None) if member is None else slice(member, member + 1)
    members = Networks(*(tuple(each[kept] for each in group) for group in ensemble.networks))
    stopped = [i for i, bias in enumerate(members.biases[-1]) if not bias.isfinite().all()]
    if stopped:
        raise ValueError(
            f"ensemble: 끝까지 학습한 신경망이어야 하는데 {stopped}번은 학습 중에 멈추었다. 나머지는 member로 지정한다"
        )
    return partial(_denoise, schedule=schedule, members=ensemble._replace(networks=members), labels=labels)


# --- 표본 ---


@full_precision
def sample_levels(
    denoise: Denoiser,
    shape: tuple[int, int],
    schedule: Schedule,
    *,
    num_levels: int,
    unconditional: Denoiser | None = None,
    scale: float = 0.0,
    steps: int | None = None,
    generator: torch.Generator | None,
) -> Int[Tensor, "n d"]:
    r"""노이즈에서 시작해 이미지를 뽑고, 화소를 가장 가까운 단계로 옮긴다.

    $$\epsilon_\theta = \frac{x_t - \sqrt{\bar\alpha_t}\, \hat x_0}{\sqrt{1 - \bar\alpha_t}}, \qquad
    \tilde\epsilon = (1 + w)\, \epsilon_c - w\, \epsilon_u$$

    Args:
        denoise: $x_t$ (n, d)와 시각의 번호 (n)을 받아 `Prediction`을 주는 함수. 조건 $c$는 이 안에 있다.
        shape: 표본의 모양 (n, d).
        schedule: 노이즈 스케줄.
        num_levels: 단계의 수 $L \ge 2$.
        unconditional: 조건이 없는 함수. 가이던스에만 쓴다.
        scale: 가이던스의 세기 $w \ge 0$.
        steps: 확산 단계의 수. 기본값은 스케줄의 시각 모두.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        화소마다 단계의 번호.

    Raises:
        TypeError: 함수, 정수, 수가 아닌 값을 받으면.
        ValueError: 모양이나 `steps`가 틀렸거나, $w$가 음수이거나, $w > 0$인데 `unconditional`이 없거나, 예측에 다른
            스케줄이 저장되었거나, 예측의 모양이 다르거나 유한하지 않으면.

    References:
        Ho, J. 외 (2020). Denoising Diffusion Probabilistic Models, 알고리즘 2.
        Ho, J. & Salimans, T. (2022). Classifier-Free Diffusion Guidance, 알고리즘 2.
    """
    checks.number(NONNEGATIVE, scale=scale)
    check_predictors(schedule, denoise=denoise)
    if unconditional is not None:
        check_predictors(schedule, unconditional=unconditional)
    elif scale > 0:
        raise ValueError(f"unconditional: scale이 {scale:g}이면 조건이 없는 예측이 있어야 하는데 None이다")

    def predict(xt: Tensor, t: Tensor) -> Tensor:
        epsilon = _noise(xt, t, schedule, denoise=denoise)
        if unconditional is None or scale == 0:
            return epsilon
        return sampling.guide(epsilon, _noise(xt, t, schedule, unconditional=unconditional), scale)

    return to_levels(sampling.sample(predict, shape, schedule, steps=steps, generator=generator), num_levels=num_levels)


@with_gradients
def inpaint(
    denoise: Denoiser,
    levels: Int[Tensor, "n d"],
    known: Bool[Tensor, "d"],
    schedule: Schedule,
    *,
    num_levels: int,
    tilted: bool = True,
    resample: int = 1,
    jump: int = 1,
    generator: torch.Generator | None,
    dtype: torch.dtype | None = None,
) -> Int[Tensor, "n d"]:
    r"""아는 화소를 두고 나머지를 그린다. 확산 단계마다 아는 화소를, 참값에 노이즈를 섞은 값으로 되돌려 놓는다.

    $$x_{t-1} = m \odot x_{t-1}^{\text{앎}} + (1 - m) \odot x_{t-1}^{\text{모름}}, \qquad
    x_{t-1}^{\text{앎}} \sim q(x_{t-1} \mid x_0), \qquad x_{t-1}^{\text{모름}} \sim p_\theta(x_{t-1} \mid x_t)$$

    갈아 끼우기만 하면 새로 그리는 화소는 아는 화소를 노이즈가 섞인 채로만 본다. `tilted`이면 확산 단계마다 아는
    화소의 확률을 곱해 기울인다.

    $$\tilde\epsilon = \epsilon_\theta - \sqrt{1 - \bar\alpha_t}\, \nabla_{x_t} \log r_t(x_t), \qquad
    r_t(x_t) = \prod_{i : m_i = 1} p_\theta(x_{0i} \mid x_t)$$

    $x_t$를 알 때 화소가 서로 독립이어야 정확한 식이므로, 이 식도 근사다.

    `resample`이 $R > 1$이면 확산 단계 $j$번마다 같은 구간을 $R - 1$번 더 오가며 두 부분을 맞춘다(RePaint). 한 번 오갈
    때 $x_t \sim q(x_t \mid x_{t-1})$로 노이즈를 $j$번 다시 섞고 $j$번 걷어 낸다. 저자들은 $T = 250$, $R = j = 10$을
    썼다.

    Args:
        denoise: $x_t$ (n, d)와 시각의 번호 (n)을 받아 `Prediction`을 주는 함수. `tilted`이면 $x_t$로 미분할 수 있어야
            한다.
        levels: 이미지. 모르는 화소의 값은 쓰지 않는다.
        known: 아는 화소 $m$.
        schedule: 노이즈 스케줄. 모든 시각을 거친다.
        num_levels: 단계의 수 $L \ge 2$.
        tilted: 아는 화소의 확률로 기울일지.
        resample: 같은 구간을 반복하는 횟수 $R \ge 1$.
        jump: 한 번에 되돌아가는 확산 단계의 수 $j \ge 1$. $R = 1$이면 쓰지 않는다.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        화소마다 단계의 번호. 아는 화소는 그대로다.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 없는 단계이거나, `known`이 참거짓형이 아니거나, `resample`이나
            `jump`가 1보다 작거나, `denoise`에 다른 스케줄이 저장되었거나, 추정값이 유한하지 않거나, `tilted`인데
            미분할 수 없으면.

    References:
        Lugmayr, A. 외 (2022). RePaint: Inpainting using Denoising Diffusion Probabilistic Models, 알고리즘 1.
        Chung, H. 외 (2023). Diffusion Posterior Sampling for General Noisy Inverse Problems, 3절.
    """
    checks.count(1, resample=resample, jump=jump)
    check_predictors(schedule, denoise=denoise)
    _check_levels(num_levels, levels=levels)
    checks.device(schedule.beta.device, levels=levels)
    checks.tensor(known=known)
    checks.shape(levels.shape[1:], known=known)
    if known.dtype != torch.bool:
        raise ValueError(f"known: torch.bool이어야 하는데 {known.dtype}이다")
    seen = torch.where(known, levels, 0)
    x0 = level_values(num_levels, device=levels.device, dtype=dtype)[seen]

    def draw() -> Tensor:
        return randn(*x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)

    x = draw()
    for t, s in pairwise(_resampled_times(len(schedule.beta), resample, jump)):
        if s > t:
            x = process.diffuse_step(x, s, schedule, noise=draw())
            continue
        times = torch.full((len(x),), t, dtype=torch.int64, device=x.device)
        if tilted:
            epsilon = _tilted_noise(denoise, x, times, schedule, seen=seen, known=known)
        else:
            with torch.no_grad():
                epsilon = _noise(x, times, schedule, denoise=denoise)
        fresh = sampling.ancestral_step(x, epsilon, t, s, schedule, noise=draw())
        kept = process.diffuse(x0, s, schedule, noise=draw()) if s >= 0 else x0
        x = torch.where(known, kept, fresh)
    return torch.where(known, levels, to_levels(x, num_levels=num_levels))


@full_precision
def nearest_distance(x: Float[Tensor, "n d"], reference: Float[Tensor, "m d"]) -> Float[Tensor, "n"]:
    r"""가장 가까운 기준점까지의 거리. 0이면 기준점을 베낀 표본이다.

    $$\min_j \lVert x_i - r_j \rVert$$

    Args:
        x: 표본 $x_i$.
        reference: 기준점 $r_j$, 곧 학습 데이터.

    Returns:
        0 이상의 거리.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 모양이 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있으면.

    References:
        Theis, L., van den Oord, A. & Bethge, M. (2016). A Note on the Evaluation of Generative Models, 3.2절.
    """
    checks.floating(x=x, reference=reference)
    checks.ndim(2, 2, x=x, reference=reference)
    checks.nonempty(x=x, reference=reference)
    checks.shape((len(reference), x.shape[1]), reference=reference)
    checks.within(x=(x, REAL), reference=(reference, REAL))
    # 행렬곱으로 구하는 거리는 베낀 이미지에서 0이 되지 않는다. float32에서 제곱이 넘치거나 사라지지 않게 넓혀 잰다.
    distance = torch.cdist(x.double(), reference.double(), compute_mode="donot_use_mm_for_euclid_dist").amin(1)
    return distance.to(torch.promote_types(x.dtype, reference.dtype))


# --- 비교할 모델 ---


@full_precision
def histogram_log_likelihood(
    train_levels: Int[Tensor, "m d"],
    train_labels: Int[Tensor, "m"],
    levels: Int[Tensor, "n d"],
    labels: Int[Tensor, "n"],
    *,
    num_levels: int,
    num_classes: int,
    smoothing: float = 0.1,
) -> Float[Tensor, "n"]:
    r"""클래스마다, 화소마다 따로 센 막대그래프의 로그 가능도.

    $$\log P(x \mid y) = \sum_i \log \frac{n_{y i x_i} + a}{\sum_j n_{y i j} + a L}$$

    Args:
        train_levels: 셀 이미지.
        train_labels: 셀 이미지의 라벨.
        levels: 잴 이미지.
        labels: 잴 이미지의 라벨.
        num_levels: 단계의 수 $L \ge 2$.
        num_classes: 클래스의 수 $C \ge 1$.
        smoothing: 칸마다 더하는 수 $a > 0$.

    Returns:
        이미지마다의 로그 가능도(nat). torch의 기본 자료형.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 모양이 맞지 않거나, 비었거나, 없는 단계나 라벨이거나, $a$가 0보다 크지 않으면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 9.3절 (나이브 베이즈).
    """
    checks.number(POSITIVE, smoothing=smoothing)
    _check_examples(train_levels, train_labels, num_levels, num_classes, prefix="train_")
    _check_examples(levels, labels, num_levels, num_classes)
    checks.shape((len(levels), train_levels.shape[1]), levels=levels)
    which = F.one_hot(train_labels, num_classes).to(torch.get_default_dtype())  # (m, C)
    seen = F.one_hot(train_levels, num_levels).to(which.dtype)  # (m, d, L)
    counts = torch.einsum("mc,mdl->cdl", which, seen) + smoothing
    log_p = (counts / counts.sum(2, keepdim=True)).log()
    return log_p[labels].gather(2, levels[..., None]).squeeze(2).sum(1)


@with_gradients
def train_autoregressive(
    levels: Int[Tensor, "n d"],
    labels: Int[Tensor, "n"],
    *,
    num_levels: int,
    num_classes: int,
    head: Head = "levels",
    hidden: Iterable[int] = (256, 256, 256),
    steps: int,
    batch_size: int = 256,
    learning_rate: float = 6e-3,
    weight_decay: float = 0.3,
    label_drop: float = 0.2,
    generators: Iterable[torch.Generator],
) -> Ensemble:
    r"""화소를 차례로 예측하는 신경망(MADE) $S$개를 한꺼번에 학습한다. 헤드와 층은 `train_denoisers`와 같다.

    $$\log P_\theta(x \mid y) = \sum_i \log p_\theta(x_i \mid x_1, \ldots, x_{i-1}, y)$$

    화소 $i$를 예측하는 경로에 화소 $i$와 그 뒤가 들지 않도록 가중치를 가린다. 상한이 아니라 정확한 가능도다.

    Args:
        levels: 이미지. 화소마다 단계의 번호.
        labels: 라벨 $y \in \{0, \ldots, C - 1\}$.
        num_levels: 단계의 수 $L \ge 2$.
        num_classes: 클래스의 수 $C \ge 1$.
        head: `"levels"`나 `"softmax"`.
        hidden: 은닉층마다의 너비. 모두 같다.
        steps: 학습 스텝 수. 1 이상.
        batch_size: 한 학습 스텝에 쓰는 이미지의 수.
        learning_rate: 가장 큰 학습률. 0보다 크다.
        weight_decay: 가중치 감쇠 $\ge 0$.
        label_drop: 라벨을 가릴 확률 $\in [0, 1]$.
        generators: 신경망마다의 발생기.

    Returns:
        학습한 신경망들. 가려진 가중치는 0이다.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 모양이나 값이 틀렸거나, 발생기가 없거나, 모든 신경망의 손실이 유한하지 않게 되면.

    Warns:
        RuntimeWarning: 어느 신경망의 손실이 유한하지 않게 되면. 그 신경망만 학습을 멈춘다.

    References:
        Germain, M. 외 (2015). MADE: Masked Autoencoder for Distribution Estimation, 4절.
    """
    generators, hidden = checks.listed(generators=generators), tuple(checks.listed(hidden=hidden))
    checks.choice(HEADS[:2], head=head)
    checks.number(UNIT, label_drop=label_drop)
    _check_examples(levels, labels, num_levels, num_classes)
    _check_training(hidden, generators, steps=steps, batch_size=batch_size)
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(NONNEGATIVE, weight_decay=weight_decay)
    d, device = levels.shape[1], levels.device
    basis = level_basis(num_levels, device=device) if head == "levels" else torch.eye(num_levels, device=device)
    widths = (d + num_classes + 1, *hidden, d * len(basis))
    networks = initial_residual(widths, generators, device=device, dtype=basis.dtype)
    learner = Ensemble(networks, basis, num_levels, num_classes, basis.new_zeros(0, len(generators)))
    masks = _masks(d, num_classes + 1, hidden, basis)

    def masked(ensemble: Ensemble) -> Ensemble:
        weights = tuple(w * mask for w, mask in zip(ensemble.networks.weights, masks, strict=True))
        return ensemble._replace(networks=ensemble.networks._replace(weights=weights))

    def loss() -> Tensor:
        chosen, dropped = _batch(len(levels), batch_size, label_drop, generators, device)
        y = labels[chosen].masked_fill(dropped, num_classes)
        return -_autoregressive(masked(learner), levels[chosen], y).mean(1) / (d * math.log(2))  # (S)

    return masked(_minimise(loss, learner, steps=steps, learning_rate=learning_rate, weight_decay=weight_decay))


@full_precision
def autoregressive_log_likelihood(
    ensemble: Ensemble,
    levels: Int[Tensor, "n d"],
    labels: Int[Tensor, "n"] | None = None,
) -> Float[Tensor, "s n"]:
    r"""화소를 차례로 예측하는 신경망마다의 로그 가능도.

    $$\log P_\theta(x \mid y) = \sum_i \log p_\theta(x_i \mid x_1, \ldots, x_{i-1}, y)$$

    Args:
        ensemble: [`train_autoregressive`][mgk_docs_src.labs.digits.train_autoregressive]가 학습한 신경망들.
        levels: 이미지. 화소마다 단계의 번호.
        labels: 이미지마다의 라벨 $y$. `None`이면 조건이 없는 가능도다.

    Returns:
        신경망마다, 이미지마다의 로그 가능도(nat).

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 모양이 맞지 않거나, 비었거나, 없는 단계나 라벨이거나, 단계의 로짓을 내는 신경망이 아니면.

    References:
        Germain, M. 외 (2015). MADE: Masked Autoencoder for Distribution Estimation, 4절.
    """
    _check_levels(ensemble.num_levels, levels=levels)
    if ensemble.basis is None:
        raise ValueError("ensemble: 단계의 로짓을 내는 신경망이어야 하는데 basis가 None이다")
    networks = ensemble.networks
    checks.shape((len(levels), networks.weights[-1].shape[2] // len(ensemble.basis)), levels=levels)
    if labels is None:
        labels = torch.full_like(levels[:, 0], ensemble.num_classes)
    else:
        checks.class_list(ensemble.num_classes, labels=labels)
        checks.shape(levels.shape[:1], labels=labels)
    seeds = len(networks.weights[0])
    return _autoregressive(ensemble, levels.expand(seeds, *levels.shape), labels.expand(seeds, *labels.shape))


# --- 안쪽 ---


@full_precision
def _denoise(xt: Tensor, t: Tensor, schedule: Schedule, *, members: Ensemble, labels: Tensor | None) -> Prediction:
    checks.floating(xt=xt)
    checks.ndim(2, 2, xt=xt)
    check_data(schedule, t, xt=xt)
    y = torch.full_like(t, members.num_classes) if labels is None else labels
    checks.shape(t.shape, labels=y)
    size = len(members.networks.weights[0])
    many_xt, many_t, many_y = (part.expand(size, *part.shape) for part in (xt, t, y))
    mean, logits = _predict(members, many_xt, many_t, many_y, schedule)
    if size == 1:  # 평균할 필요가 없다
        return Prediction(mean[0], logits[0])
    return Prediction(mean.mean(0), logits.log_softmax(3).logsumexp(0) - math.log(size))


def _noise(xt: Tensor, t: Tensor, schedule: Schedule, **denoisers: Denoiser) -> Tensor:
    """이름으로 준 함수가 추정한 데이터에서 노이즈로."""
    ((name, denoise),) = denoisers.items()
    mean = denoise(xt, t).mean
    checks.shape(xt.shape, **{f"{name}.mean": mean})
    checks.within(**{f"{name}.mean": (mean, REAL)})
    return process.x0_to_noise(mean, xt, t, schedule)


def _tilted_noise(
    denoise: Denoiser, x: Tensor, t: Tensor, schedule: Schedule, *, seen: Tensor, known: Tensor
) -> Tensor:
    with torch.enable_grad():
        place = x.detach().requires_grad_()
        mean, logits = denoise(place, t)
        each = logits.log_softmax(2).gather(2, seen[..., None]).squeeze(2)
        if not each.requires_grad:
            raise ValueError("denoise: tilted이면 x_t로 미분할 수 있어야 하는데 기울기가 끊겨 있다")
        (gradient,) = torch.autograd.grad(each[:, known].sum(), place)
    checks.within(**{"denoise.mean": (mean, REAL), "denoise.logits": (gradient, REAL)})
    epsilon = process.x0_to_noise(mean.detach(), x, t, schedule)
    return sampling.tilt(epsilon, gradient, t, schedule)


def _resampled_times(steps: int, resample: int, jump: int) -> list[int]:
    """거쳐 가는 시각. 0, j, 2j, …에 처음 이를 때마다 확산 단계 j번을 되돌아갔다 오기를 R − 1번 한다."""
    left = dict.fromkeys(range(0, steps - jump, jump), resample - 1)
    times = [steps - 1]
    while times[-1] >= 0:
        t = times[-1]
        if left.get(t, 0) > 0:
            left[t] -= 1
            times += range(t + 1, t + jump + 1)
        times.append(times[-1] - 1)
    return times


def _time_features(log_snr: Tensor) -> Tensor:
    u = log_snr / 6
    angle = u * math.pi / 2 * torch.arange(1, FREQUENCIES + 1, device=u.device, dtype=u.dtype)
    return torch.cat([u, angle.sin(), angle.cos()], -1)


def _predict(ensemble: Ensemble, xt: Tensor, t: Tensor, y: Tensor, schedule: Schedule) -> Prediction:
    log_snr = schedule.alpha_bar[t][..., None].logit().to(xt.dtype)
    label = F.one_hot(y, ensemble.num_classes + 1).to(xt.dtype)
    flat, times = xt.flatten(0, 1), t.flatten()
    inputs = torch.cat([xt, label, _time_features(log_snr)], 2)
    outputs = forward_residual(ensemble.networks, inputs).view(*flat.shape, -1)
    v = level_values(ensemble.num_levels, device=xt.device, dtype=xt.dtype)
    if ensemble.basis is None:
        # 검사하지 않는다: 함께 학습하는 신경망 하나의 nan이 나머지까지 멈추지 않게.
        mean = process.converted(outputs.squeeze(2), flat, schedule.alpha_bar[times], source="velocity", to="x0")
        snr = process.signal_to_noise(schedule)[times].to(xt.dtype)[:, None, None]
        logits = -snr * (mean[..., None] - v) ** 2 / 2
    else:
        logits = _posterior_logits(outputs, flat, times, schedule, ensemble.basis)
        mean = logits.softmax(2) @ v
    return Prediction(mean.view_as(xt), logits.view(*xt.shape, -1))


def _posterior_logits(natural: Tensor, xt: Tensor, t: Tensor, schedule: Schedule, basis: Tensor) -> Tensor:
    """`posterior_logits`의 식. 학습할 때는 스텝마다 검사하지 않는다."""
    eta, x, phi = widen(natural, xt, basis)
    v = level_values(basis.shape[1], device=x.device, dtype=x.dtype)
    alpha_bar = schedule.alpha_bar[t].to(x.dtype)[:, None]  # (n, 1)
    linear = alpha_bar.sqrt() * x / (1 - alpha_bar)
    square = (-alpha_bar / (2 * (1 - alpha_bar))).expand_as(x)
    # 베이즈 정리가 자연 매개변수의 덧셈이 된다: v와 v²의 계수를 이어 붙이고 한 번 곱한다.
    logits = torch.cat([eta, torch.stack([linear, square], 2)], 2) @ torch.cat([phi, torch.stack([v, v**2])])
    return logits.to(torch.promote_types(natural.dtype, xt.dtype))


def _batch(
    n: int, size: int, label_drop: float, generators: Sequence[torch.Generator], device: torch.device
) -> tuple[Int[Tensor, "s b"], Bool[Tensor, "s b"]]:
    """신경망마다, 쓸 이미지의 번호와 라벨을 가릴지."""
    chosen = torch.stack([randint(0, n, (size,), generator=g, device=device) for g in generators])
    dropped = torch.stack([rand(size, generator=g, device=device) < label_drop for g in generators])
    return chosen, dropped


def _times(size: int, steps: int, generator: torch.Generator, device: torch.device) -> Int[Tensor, "b"]:
    # 시각을 같은 간격으로 벌려 뽑으면 손실의 분산이 준다. 하나하나는 여전히 번호 {1, …, T − 1}의 균등 분포다.
    offset = rand(1, generator=generator, device=device, dtype=torch.float64)
    spread = (offset + torch.arange(size, device=device) / size) % 1
    return 1 + (spread * (steps - 1)).long()


def _minimise(
    loss: Callable[[], Tensor],
    learner: Ensemble,
    *,
    steps: int,
    learning_rate: float,
    weight_decay: float,
) -> Ensemble:
    decayed, free = list(learner.networks.weights), list(learner.networks.biases)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.99), fused=True)
    everyone = alive = torch.ones(len(decayed[0]), dtype=torch.bool, device=decayed[0].device)
    history = []
    for step in range(steps):
        rate = learning_rate * min((step + 1) / (0.1 * steps), 1.0, (1 - step / steps) / 0.6)
        for group in optimiser.param_groups:
            group["lr"] = rate
        each = loss()
        alive = still_learning(each, alive, step=step)
        optimiser.zero_grad()
        (each if alive is everyone else each[alive]).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        history.append(each.detach())
    return learner._replace(networks=finished(learner.networks, alive), losses=torch.stack(history))


def _masks(d: int, conditions: int, hidden: tuple[int, ...], basis: Tensor) -> list[Tensor]:
    # 은닉 단위 k는 화소 0, …, degree_k − 1만 본다. 조건은 모두가 본다.
    pixel = torch.arange(d, device=basis.device)
    degrees = [torch.arange(width, device=basis.device) % d for width in hidden]
    first = torch.cat([pixel, pixel.new_full((conditions,), -1)])[:, None] < degrees[0]
    middle = [before[:, None] <= after for before, after in pairwise(degrees)]
    last = (degrees[-1][:, None] <= pixel).repeat_interleave(len(basis), 1)
    return [mask.to(basis.dtype) for mask in (first, *middle, last)]


def _autoregressive(ensemble: Ensemble, levels: Tensor, y: Tensor) -> Tensor:
    basis = ensemble.basis
    assert basis is not None  # 부르는 쪽이 이미 보았다
    v = level_values(ensemble.num_levels, device=basis.device, dtype=basis.dtype)
    inputs = torch.cat([v[levels], F.one_hot(y, ensemble.num_classes + 1).to(v.dtype)], 2)
    logits = forward_residual(ensemble.networks, inputs).view(*levels.shape, -1) @ basis  # (S, n, d, L)
    return logits.log_softmax(3).gather(3, levels[..., None]).squeeze(3).sum(2)


def _check_levels(num_levels: int, **levels: Tensor) -> None:
    checks.count(2, num_levels=num_levels)
    checks.int64(**levels)
    checks.ndim(2, 2, **levels)
    checks.nonempty(**levels)
    checks.within(**{name: (value, Interval(0, num_levels - 1)) for name, value in levels.items()})


def _check_examples(levels: Tensor, labels: Tensor, num_levels: int, num_classes: int, *, prefix: str = "") -> None:
    _check_levels(num_levels, **{f"{prefix}levels": levels})
    checks.class_list(num_classes, **{f"{prefix}labels": labels})
    checks.shape(levels.shape[:1], **{f"{prefix}labels": labels})


def _check_training(hidden: tuple[int, ...], generators: Sequence[torch.Generator], **counts: int) -> None:
    checks.count(1, **counts, generators=len(generators), hidden=len(hidden))
    checks.count(1, **{f"hidden[{i}]": width for i, width in enumerate(hidden)})
    if len(set(hidden)) > 1:
        raise ValueError(f"hidden: 너비가 모두 같아야 하는데 {hidden}이다")  # 잔차 연결에는 같은 모양이 필요하다
