"""`docs/diffusion/training.md`의 그림."""

import math
from functools import partial

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from mgk_docs_src.data import eight_gaussians, eight_gaussians_centres
from mgk_docs_src.diffusion.process import Predict, Target, cosine_schedule, diffuse, mixture_noise, noise_to_x0
from mgk_docs_src.diffusion.sampling import guide, sample
from mgk_docs_src.diffusion.training import (
    bound_weight,
    denoising_loss,
    feature_count,
    mlp,
    noise_predictor,
    regression_target,
    target_weight,
    train,
)
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.random import generator, randn

STD = 0.2
SCHEDULE = cosine_schedule(200)
TARGETS: dict[Target, tuple[str, str]] = {
    "noise": ("노이즈 ε", ORANGE),
    "x0": ("데이터 x₀", BLUE),
    "velocity": ("속도 v", GREEN),
    "score": ("스코어 −ε/σ", PURPLE),
}
MOMENTS = [*range(0, 190, 10), 190, 195, 199]  # 배열의 번호. 시각은 하나 크다
TIMES = [moment + 1 for moment in MOMENTS]


def loss_weights() -> Figure:
    """시각마다의 가중치: 변분 상한과, 무엇을 맞히게 하느냐가 정하는 것."""
    t = torch.arange(200)
    with panels(2) as (figure, (above, below)):
        above.semilogy(t + 1, [bound_weight(int(each), SCHEDULE) for each in t], color=INK, label="변분 상한")
        above.semilogy(t + 1, torch.ones(200), color=ORANGE, linestyle="--", label="단순한 손실")
        above.set(title="노이즈의 제곱 오차에 매기는 가중치", xlabel="시각 t", ylabel="가중치")
        above.legend(loc="upper center")
        for target, (name, color) in TARGETS.items():
            below.semilogy(t + 1, target_weight(t, SCHEDULE, target=target), color=color, label=name)
        below.set(title="무엇을 맞히나에 따른 가중치", xlabel="시각 t", ylabel="가중치", ylim=(1e-3, 1e5))
        below.legend(loc="upper center", ncols=2, fontsize=9)
        _plain_ticks(above, below)
    return figure


def what_is_predicted() -> Figure:
    """완벽한 예측의 크기와, 예측이 0.1만큼 틀렸을 때 데이터가 틀리는 만큼."""
    t = torch.arange(200)
    x0, noise = eight_gaussians(2000, generator=generator(0)), randn(2000, 2, generator=generator(1))
    with panels(2) as (figure, (above, below)):
        for target, (name, color) in TARGETS.items():
            scale = [_perfect(x0, noise, moment, target).square().mean().sqrt() for moment in MOMENTS]
            above.semilogy(TIMES, scale, color=color, label=name)
            # 데이터의 제곱 오차는 노이즈의 w_x0배, 맞힌 것의 제곱 오차는 노이즈의 w배다.
            error = target_weight(t, SCHEDULE, target="x0") / target_weight(t, SCHEDULE, target=target)
            below.semilogy(t + 1, 0.1 * error.sqrt(), color=color, label=name)
        above.set(title="완벽한 예측의 크기", xlabel="시각 t", ylabel="제곱평균제곱근")
        below.set(title="예측이 0.1 틀릴 때 데이터의 오차", xlabel="시각 t", ylabel="데이터의 오차", ylim=(1e-4, 1e2))
        below.legend(loc="upper center", ncols=2, fontsize=9)
        _plain_ticks(above, below)
    return figure


def perfect_loss() -> Figure:
    """완벽한 예측에도 남는 손실: 짧게 학습한 작은 신경망과 비교한다."""
    g = generator(0)
    network = mlp(feature_count(2), 2, width=48, depth=2, generator=g)
    trained = train(
        network, eight_gaussians(4000, generator=g), SCHEDULE, steps=350, batch_size=256, generator=g
    ).denoiser
    predictors: dict[str, tuple[Predict, str]] = {
        "350스텝 학습한 신경망": (noise_predictor(trained), ORANGE),
        "완벽한 예측": (_perfect_noise(), BLUE),
    }
    x0, noise = eight_gaussians(2000, generator=generator(2)), randn(2000, 2, generator=generator(3))
    with panels(height=3.3) as (figure, (axes,)):
        axes.axhline(2, color=FAINT, linestyle="--")
        axes.annotate("늘 0이라고 답할 때", (200, 2), (0, -13), textcoords="offset points", ha="right", fontsize=9)
        for name, (predict, color) in predictors.items():
            losses = [denoising_loss(predict, x0, t, SCHEDULE, noise=noise, target="noise") for t in MOMENTS]
            axes.plot(TIMES, losses, color=color, label=name)
        axes.set(xlabel="시각 t", ylabel="노이즈의 제곱 오차", ylim=(0, 2.3))
        axes.legend(loc="center right")
    return figure


def denoised() -> Figure:
    """완벽한 예측이 가리키는 데이터(화살표의 끝). 노이즈가 많으면 여덟 봉우리의 한가운데다."""
    x0, noise = eight_gaussians(45, generator=generator(4)), randn(45, 2, generator=generator(5))
    with panels(3, height=3.0) as (figure, axes):
        for axis, t in zip(axes, (180, 110, 50), strict=True):
            xt = diffuse(x0, t, SCHEDULE, noise=noise)
            guess = _perfect(x0, noise, t, "x0")
            left = math.sqrt(1 - SCHEDULE.alpha_bar[t].item())
            axis.plot(*eight_gaussians_centres().T, "o", color=FAINT, markersize=15)
            step = guess - xt
            axis.quiver(*xt.T, *step.T, color=ORANGE, angles="xy", scale_units="xy", scale=1, width=0.005)
            axis.plot(*xt.T, ".", color=BLUE, markersize=5)
            axis.set(title=f"t = {t + 1}, 노이즈 {left:.2f}", xlim=(-4.2, 4.2), ylim=(-2.7, 2.7), aspect="equal")
    return figure


def guidance() -> Figure:
    """오른쪽 봉우리(회색 원: 중심에서 3σ)를 조건으로 주고 가이던스를 키우면, 좁아지면서 바깥으로 밀려난다."""
    conditional, unconditional = _perfect_noise(eight_gaussians_centres()[:1]), _perfect_noise()
    circle = torch.linspace(0, 2 * math.pi, 60)
    with panels(height=3.4) as (figure, (axes,)):
        axes.plot(2 + 3 * STD * circle.cos(), 3 * STD * circle.sin(), color=FAINT)
        for scale, color in ((0.0, BLUE), (1.0, GREEN), (4.0, ORANGE)):

            def predict(xt: Tensor, t: Tensor, scale: float = scale) -> Tensor:
                return guide(conditional(xt, t), unconditional(xt, t), scale)

            points = sample(predict, (120, 2), SCHEDULE, generator=generator(6), steps=50, method="ddim")
            axes.plot(*points.T, ".", color=color, markersize=5, label=f"w = {scale:g}")
        axes.set(xlabel="x₁", ylabel="x₂", xlim=(1.2, 3.2), ylim=(-0.75, 0.75), aspect="equal")
        axes.legend(loc="upper right", fontsize=9)
    return figure


def _plain_ticks(*axes: Axes) -> None:
    for axis in axes:
        axis.yaxis.set_major_formatter("{x:g}")  # 10의 거듭제곱 표기는 글자마다 위치가 고정된다


def _perfect_noise(means: Tensor | None = None) -> Predict:
    return partial(
        mixture_noise, schedule=SCHEDULE, means=eight_gaussians_centres() if means is None else means, std=STD
    )


def _perfect(x0: Tensor, noise: Tensor, t: int, target: Target) -> Tensor:
    """x_t만 보고 하는 가장 좋은 예측 E[y | x_t]. y는 x₀와 ε의 일차식이라 둘의 예측을 넣으면 된다."""
    xt = diffuse(x0, t, SCHEDULE, noise=noise)
    epsilon = mixture_noise(xt, t, SCHEDULE, means=eight_gaussians_centres(), std=STD)
    return regression_target(noise_to_x0(epsilon, xt, t, SCHEDULE), epsilon, t, SCHEDULE, target=target)
