"""`docs/diffusion/process.md`의 그림."""

import math
from functools import partial

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from torch import Tensor

from mgk_docs_src.data import digits
from mgk_docs_src.diffusion.process import (
    Likelihood,
    Method,
    Schedule,
    cosine_schedule,
    diffuse,
    forward_variance,
    gaussian_moments,
    linear_schedule,
    mixture_log_density,
    mixture_noise,
    observation_gradient,
    posterior_variance,
    sample,
    signal_to_noise,
    tilt,
)
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.random import generator, randn

SHADES = 8  # 그림 한 장에 쓰는 먹의 농도
PLACES = ("자료", "t = 99", "t = 249", "t = 499", "t = 749", "t = 999")
OBSERVATION, NOISE_STD = -0.5, math.sqrt(0.1)


def forward_digit() -> Figure:
    """손글씨 하나가 잡음이 되어 가는 모습: 선형 일정표(위)와 코사인 일정표(아래)."""
    picture = 2 * digits(dtype=torch.float64).features[7:8] - 1
    noise = randn(1, 64, generator=generator(0), dtype=torch.float64)
    with panels(2, height=1.25) as (figure, axes):
        for axis, name, schedule in zip(axes, ("선형", "코사인"), _schedules(1000), strict=True):
            images = [(x[0].reshape(8, 8) + 1) / 2 for x in _noised(picture, noise, schedule)]
            for column, image in enumerate(images):
                _paint(axis, image.clamp(0, 1), left=9 * column)
            axis.set(title=name, xlim=(-0.5, 53.5), ylim=(8.2, -0.2), yticks=[], aspect="equal")
            axis.set_xticks([9 * column + 4 for column in range(len(PLACES))], PLACES, fontsize=9)
            axis.tick_params(length=0)
            axis.spines[:].set_visible(False)
            axis.grid(visible=False)
    return figure


def forward_points() -> Figure:
    """고리에 놓인 여덟 덩어리가 가우스 구름 하나로 섞인다. 색은 처음에 어느 덩어리였나다."""
    n = 64
    which = torch.arange(n) % 8
    angle = which.double() * math.pi / 4
    centres = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    x0 = centres + 0.2 * randn(n, 2, generator=generator(0), dtype=torch.float64)
    clouds = _noised(x0, randn(n, 2, generator=generator(1), dtype=torch.float64), cosine_schedule(1000))
    with panels(height=4.0) as (figure, (axes,)):
        for place, (name, x) in enumerate(zip(PLACES, clouds, strict=True)):
            right, down = 7 * (place % 3), -8.5 * (place // 3)
            for parity, color in ((0, BLUE), (1, ORANGE)):
                inside = x[which % 2 == parity]
                axes.plot(inside[:, 0] + right, inside[:, 1] + down, ".", color=color, markersize=4, gid=name)
            axes.text(right, down + 3.7, name, ha="center")
        axes.set(xlim=(-3.4, 17.4), ylim=(-12, 4.8), aspect="equal")
        axes.set_axis_off()
    return figure


def schedules() -> Figure:
    """두 일정표: 남은 신호의 몫과 신호 대 잡음비."""
    with panels(2) as (figure, (left, right)):
        for name, schedule, color in zip(("선형", "코사인"), _schedules(1000), (ORANGE, BLUE), strict=True):
            t = torch.arange(0, 1000, 9)
            left.plot(t, schedule.alpha_bar[t], color=color, label=name)
            right.semilogy(t, signal_to_noise(schedule)[t], color=color, label=name)
        right.yaxis.set_major_formatter(_powers)
        right.axhline(1, color=INK, linestyle="--", linewidth=1)
        right.annotate("신호와 잡음이 반반", (0, 1), (2, -13), textcoords="offset points", fontsize=9)
        left.set(title="남은 신호의 몫 ᾱ", xlabel="시각 t", ylabel="ᾱ")
        right.set(title="신호 대 잡음비", xlabel="시각 t", ylabel="ᾱ / (1 − ᾱ)", ylim=(1e-7, 1e5))
        left.legend()
    return figure


def reverse_paths() -> Figure:
    """완벽한 예측으로 되돌아가는 길: 매번 새 잡음을 더할 때와 더하지 않을 때. 바탕은 x의 밀도다."""
    steps = 40
    schedule = cosine_schedule(steps)
    means, std = torch.tensor([[-1.2], [1.2]]), 0.3
    height = torch.linspace(-3, 3, 49)[:, None]
    density = torch.stack(
        [mixture_log_density(height, t, schedule, means=means, std=std).exp() for t in range(-1, steps)], 1
    )
    predict = partial(mixture_noise, schedule=schedule, means=means, std=std)
    time = torch.arange(steps - 1, -2, -1)
    with panels(2) as (figure, axes):
        methods: tuple[tuple[Method, str], ...] = (("ancestral", "DDPM"), ("ddim", "DDIM"))
        for axis, (method, title) in zip(axes, methods, strict=True):
            levels = (0.1, 0.2, 0.3, 0.45, 0.7)
            shades = [(FAINT, alpha) for alpha in (0.3, 0.45, 0.6, 0.8, 1.0)]
            axis.contourf(torch.arange(-1, steps), height[:, 0], density, levels, colors=shades, extend="max")
            path = sample(predict, (15, 1), schedule, generator=generator(0), method=method, trajectory=True)[..., 0]
            for walk in path.T:
                axis.plot(time, walk, color=BLUE if walk[-1] < 0 else ORANGE, linewidth=0.9)
            axis.set(title=title, xlabel="시각 t (왼쪽이 순수한 잡음)", ylabel="x", xlim=(steps - 1, -1), ylim=(-3, 3))
            axis.grid(visible=False)
    return figure


def steps_error() -> Figure:
    """예측이 완벽해도 걸음이 적으면 표본의 표준 편차가 틀린다. 자료는 N(1, 0.5²)."""
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
        axes.set(xlabel="걸음의 수", ylabel="표준 편차의 오차", xticks=counts, xticklabels=map(str, counts))
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(_powers)
        axes.legend()
    return figure


def tilting() -> Figure:
    """정규 분포에 가능도를 곱한다: 참값과, 세 가지 기울기로 뽑은 표본."""
    x = torch.linspace(-2, 2.6, 150)
    product = _normal(x, -1 / 14, math.sqrt(1 / 14))
    with panels(2) as (figure, (left, right)):
        left.plot(x, _normal(x, 1.0, 0.5), color=BLUE, label="자료의 분포 p")
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
        right.set(title="뽑은 표본", xlabel="x", ylabel="밀도", xlim=(-1.6, 1.2))
        left.legend(fontsize=9)
        right.legend(fontsize=9)
    return figure


def _powers(value: float, _: object) -> str:
    """눈금 10⁻³. 기본값의 $…$는 글자마다 자리가 박힌다."""
    return "10" + str(round(math.log10(value))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _schedules(steps: int) -> tuple[Schedule, Schedule]:
    return linear_schedule(steps), cosine_schedule(steps)


def _noised(x0: Tensor, noise: Tensor, schedule: Schedule) -> list[Tensor]:
    """PLACES의 시각마다의 x_t. 처음은 자료 자신이다."""
    return [x0, *(diffuse(x0, t, schedule, noise=noise) for t in (99, 249, 499, 749, 999))]


def _paint(axis: Axes, image: Tensor, *, left: int) -> None:
    """[0, 1]의 그림을 먹의 농도로 칠한다. 농도가 같은 칸은 한 붓으로 칠해 파일을 가볍게 한다."""
    shade = (image * SHADES).round().long()
    for level in range(1, SHADES + 1):
        cells = (shade == level).nonzero().tolist()
        if cells:
            squares = [Path([(left + i, j) for i, j in _corners(row, column)], closed=True) for row, column in cells]
            axis.add_patch(
                PathPatch(Path.make_compound_path(*squares), facecolor=INK, alpha=level / SHADES, linewidth=0)
            )


def _corners(row: int, column: int) -> list[tuple[int, int]]:
    return [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1), (column, row)]


def _gaussian(schedule: Schedule) -> partial[Tensor]:
    """자료가 N(1, 0.5²)일 때 잡음의 완벽한 예측."""
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
