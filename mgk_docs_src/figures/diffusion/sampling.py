"""`docs/diffusion/sampling.md`의 그림."""

import math
from functools import partial

import torch
from matplotlib.figure import Figure
from torch import Tensor

from mgk_docs_src.diffusion.process import (
    cosine_schedule,
    mixture_log_density,
    mixture_noise,
)
from mgk_docs_src.diffusion.sampling import (
    Likelihood,
    Method,
    forward_variance,
    gaussian_moments,
    observation_gradient,
    posterior_variance,
    sample,
    tilt,
)
from mgk_docs_src.diffusion.schedules import Schedule, alpha_bar
from mgk_docs_src.figures.moving import Moving, Reading, knob, trace
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels, powers
from mgk_docs_src.random import generator

OBSERVATION, NOISE_STD = -0.5, math.sqrt(0.1)


def reverse_paths() -> Figure:
    """완벽한 예측으로 되돌아가는 길: 단계마다 새 노이즈를 더할 때와 더하지 않을 때. 배경은 x의 밀도다."""
    steps = 40
    schedule = cosine_schedule(steps)
    means, std = torch.tensor([[-1.2], [1.2]]), 0.3
    height = torch.linspace(-3, 3, 49)[:, None]
    density = torch.stack(
        [mixture_log_density(height, t, schedule, means=means, std=std).exp() for t in range(-1, steps)], 1
    )
    predict = partial(mixture_noise, schedule=schedule, means=means, std=std)
    time = torch.arange(steps, -1, -1)
    with panels(2) as (figure, axes):
        methods: tuple[tuple[Method, str], ...] = (("ancestral", "DDPM"), ("ddim", "DDIM"))
        for axis, (method, title) in zip(axes, methods, strict=True):
            levels = (0.1, 0.2, 0.3, 0.45, 0.7)
            shades = [(FAINT, alpha) for alpha in (0.3, 0.45, 0.6, 0.8, 1.0)]
            axis.contourf(torch.arange(steps + 1), height[:, 0], density, levels, colors=shades, extend="max")
            path = sample(predict, (15, 1), schedule, generator=generator(0), method=method, trajectory=True)[..., 0]
            for walk in path.T:
                axis.plot(time, walk, color=BLUE if walk[-1] < 0 else ORANGE, linewidth=0.9)
            axis.set(title=title, xlabel="시각 t (왼쪽이 순수한 노이즈)", ylabel="x", xlim=(steps, 0), ylim=(-3, 3))
            axis.grid(visible=False)
    return figure


def steps_error() -> Figure:
    """예측이 완벽해도 단계가 적으면 표본의 표준 편차가 틀린다. 데이터는 N(1, 0.5²)."""
    schedule = cosine_schedule(1000)
    predict = _gaussian(schedule)
    counts = (5, 10, 20, 50, 100, 200)
    with panels(height=3.2) as (figure, (axes,)):
        for name, color, sampler in (
            ("DDPM, 분산 β̃", ORANGE, partial(gaussian_moments, variance=posterior_variance)),
            ("DDPM, 분산 β", PURPLE, partial(gaussian_moments, variance=forward_variance)),
            ("DDIM", BLUE, partial(gaussian_moments, method="ddim")),
        ):
            errors = [abs(float(sampler(predict, schedule, steps=count).std) - 0.5) for count in counts]
            axes.loglog(counts, errors, "o-", color=color, markersize=4, label=name)
        axes.set(xlabel="단계의 수", ylabel="표준 편차의 오차", xticks=counts, xticklabels=map(str, counts))
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(powers)
        axes.legend()
    return figure


def reverse_conditional() -> Moving:
    """도착 시각을 슬라이더로 움직인다: t = 700에서 멀리 갈수록 참 조건부 분포가 가우스에서 벗어난다.

    가로축은 참 분포의 평균과 표준 편차로 표준화했다. 그래서 가장 좋은 가우스는 언제나 표준 정규 분포다.
    """
    schedule, here, number = cosine_schedule(1000), 0.5, 699
    means, std = torch.tensor([[-1.0], [1.0]], dtype=torch.float64), 0.15
    times = [699, 650, 600, 550, 500, 450, 400, 350, 300, 250, 200, 150, 100, 50, 0]
    x = torch.linspace(-6, 6, 4801, dtype=torch.float64)
    u = torch.linspace(-3, 3, 121, dtype=torch.float64)

    def log_joint(place: Tensor, s: int) -> Tensor:
        ratio = alpha_bar(number, schedule) / alpha_bar(s - 1, schedule)
        arrive = -((here - ratio.sqrt() * place) ** 2) / (2 * (1 - ratio))
        return mixture_log_density(place[:, None], s - 1, schedule, means=means, std=std) + arrive

    curves, apart = [], []
    for s in times:
        true = log_joint(x, s).exp()
        total = torch.trapezoid(true, x)
        mean = torch.trapezoid(true * x, x) / total
        spread = (torch.trapezoid(true * (x - mean) ** 2, x) / total).sqrt()
        curves.append(log_joint(mean + spread * u, s).exp() * spread / total)
        best = (-(((x - mean) / spread) ** 2) / 2).exp() / (spread * math.sqrt(2 * math.pi))
        apart.append(torch.trapezoid((true / total - best).abs(), x) / 2)
    with panels(height=3.0) as (figure, (axes,)):
        normal = (-(u**2) / 2).exp() / math.sqrt(2 * math.pi)
        axes.plot(u, normal, color=INK, linewidth=1, linestyle="--", label="가장 좋은 가우스")
        traces = [trace(axes, u, torch.stack(curves), color=BLUE, label="참 분포 q(xₛ | xₜ)")]
        axes.set(xlabel="xₛ (평균 0, 표준 편차 1로 표준화)", ylabel="밀도", xlim=(-3, 3), ylim=(0, 1.7))
        axes.legend(loc="upper right", fontsize=9)
    return Moving(
        figure,
        [knob("도착 시각 s", torch.tensor(times), 8)],
        traces,
        [Reading("총변동 거리 {:.3f}", torch.stack(apart))],
    )


def tilting() -> Figure:
    """정규 분포에 가능도를 곱한다: 곱의 밀도와, 세 가지 기울기로 뽑은 표본."""
    x = torch.linspace(-2, 2.6, 150)
    product = _normal(x, -1 / 14, math.sqrt(1 / 14))
    with panels(2) as (figure, (left, right)):
        left.plot(x, _normal(x, 1.0, 0.5), color=BLUE, label="데이터의 분포 p")
        left.plot(x, _normal(x, OBSERVATION, NOISE_STD), color=ORANGE, label="가능도 r")
        left.plot(x, product, color=INK, label="곱 p·r")
        right.plot(x, product, color=INK, label="곱 p·r")
        edges = torch.linspace(-1.6, 1.2, 43)
        kinds: tuple[tuple[Likelihood, str, str], ...] = (
            ("averaged", "r의 평균", GREEN),
            ("denoised", "r(x̂₀)", PURPLE),
            ("noisy", "r(xₜ)", ORANGE),
        )
        for likelihood, name, color in kinds:
            counts = torch.histogram(_tilted(likelihood), edges, density=True).hist
            right.stairs(counts, edges, color=color, linewidth=1.5, label=name)
        left.set(title="곱하기", xlabel="x", ylabel="밀도")
        right.set(title="샘플링한 표본", xlabel="x", ylabel="밀도", xlim=(-1.6, 1.2))
        left.legend(fontsize=9)
        right.legend(fontsize=9)
    return figure


def _gaussian(schedule: Schedule) -> partial[Tensor]:
    """데이터가 N(1, 0.5²)일 때 노이즈의 완벽한 예측."""
    return partial(mixture_noise, schedule=schedule, means=torch.ones(1, 1, dtype=torch.float64), std=0.5)


def _normal(x: Tensor, mean: float, std: float) -> Tensor:
    return torch.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


def _tilted(likelihood: Likelihood) -> Tensor:
    schedule = cosine_schedule(100)
    predict = _gaussian(schedule)
    slope = partial(
        observation_gradient,
        schedule=schedule,
        mean=1.0,
        std=0.5,
        observation=OBSERVATION,
        noise_std=NOISE_STD,
        likelihood=likelihood,
    )
    return sample(
        lambda x, t: tilt(predict(x, t), slope(x, t), t, schedule),
        (20_000, 1),
        schedule,
        generator=generator(0),
        variance=forward_variance,
    )[:, 0]
