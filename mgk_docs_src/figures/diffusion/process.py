"""`docs/diffusion/process.md`의 그림."""

import math
from collections.abc import Callable

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from torch import Tensor

from mgk_docs_src.data import digits, eight_gaussians_centres
from mgk_docs_src.diffusion.process import (
    cosine_schedule,
    diffuse,
    linear_schedule,
    mixture_log_density,
    mixture_noise,
    noise_to_x0,
    signal_to_noise,
)
from mgk_docs_src.diffusion.schedules import Schedule
from mgk_docs_src.figures.moving import Knob, Moving, Reading, knob, trace
from mgk_docs_src.figures.style import BLUE, GREEN, INK, ORANGE, panels, powers
from mgk_docs_src.random import generator, randn

SHADES = 8  # 그림 한 장에 쓰는 먹의 농도


PLACES = ("자료", "t = 99", "t = 249", "t = 499", "t = 749", "t = 999")


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
    centres = eight_gaussians_centres(dtype=torch.float64)[which]
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
        right.yaxis.set_major_formatter(powers)
        right.axhline(1, color=INK, linestyle="--", linewidth=1)
        right.annotate("신호와 잡음이 반반", (0, 1), (2, -13), textcoords="offset points", fontsize=9)
        left.set(title="남은 신호의 몫 ᾱ", xlabel="시각 t", ylabel="ᾱ")
        right.set(title="신호 대 잡음비", xlabel="시각 t", ylabel="ᾱ / (1 − ᾱ)", ylim=(1e-7, 1e5))
        left.legend()
    return figure


def noise_live() -> Moving:
    """시각을 손으로 움직인다: 봉우리 둘이 한 덩이가 되고, 아래에서는 자료의 어림이 가운데로 눕는다."""
    times = [0, *range(49, 1000, 50)]
    means, std = torch.tensor([[-1.0], [1.0]], dtype=torch.float64), 0.15
    x = torch.linspace(-3, 3, 81, dtype=torch.float64)
    schedules = list(_schedules(1000))
    start = means[torch.arange(60) % 2] + std * randn(60, 1, generator=generator(0), dtype=torch.float64)
    noise = randn(60, 1, generator=generator(1), dtype=torch.float64)

    def everywhere(f: Callable[[int, Schedule], Tensor]) -> Tensor:
        """시각과 일정표마다의 값: (시각, 일정표, 점)."""
        return torch.stack([torch.stack([f(t, schedule) for schedule in schedules]) for t in times])

    def density(t: int, schedule: Schedule) -> Tensor:
        return mixture_log_density(x[:, None], t, schedule, means=means, std=std).exp()

    def estimate(t: int, schedule: Schedule) -> Tensor:
        guess = mixture_noise(x[:, None], t, schedule, means=means, std=std)
        return noise_to_x0(guess, x[:, None], t, schedule)[:, 0]

    points = everywhere(lambda t, schedule: diffuse(start, t, schedule, noise=noise)[:, 0])
    signal = everywhere(lambda t, schedule: schedule.alpha_bar[t])
    ratio = everywhere(lambda t, schedule: signal_to_noise(schedule)[t])
    with panels(2, height=2.5) as (figure, (above, below)):
        normal = (-(x**2) / 2).exp() / math.sqrt(2 * math.pi)
        above.plot(x, normal, color=INK, linewidth=1, linestyle="--", label="표준 정규 분포")
        traces = [
            trace(above, x, everywhere(density), color=BLUE, label="xₜ의 밀도"),
            trace(above, points, torch.full((1, 1, 1), 0.03, dtype=torch.float64), kind="dots", color=ORANGE, width=4),
            trace(below, x, everywhere(estimate), color=GREEN),
        ]
        above.set(ylabel="밀도", xlim=(-3, 3), ylim=(0, 1.45))
        below.set(title="xₜ를 보고 어림한 자료 E[x₀ | xₜ]", xlabel="xₜ", xlim=(-3, 3), ylim=(-1.5, 1.5))
        above.legend(loc="upper right", fontsize=9)
    knobs = [knob("시각 t", torch.tensor(times), 5), Knob("일정표", ["선형", "코사인"], 0)]
    return Moving(figure, knobs, traces, [Reading("ᾱ = {:.4f}", signal), Reading("신호 대 잡음비 {:.3g}", ratio)])


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
