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

SHADES = 8  # 이미지 한 장에 쓰는 먹의 농도


PLACES = ("데이터", "t = 100", "t = 250", "t = 500", "t = 750", "t = 1000")


def forward_digit() -> Figure:
    """손글씨 하나가 노이즈가 되어 가는 모습: 선형 스케줄(위)과 코사인 스케줄(아래)."""
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
    """고리에 놓인 여덟 봉우리의 점이 가우스 구름 하나로 섞인다. 색은 처음에 속한 봉우리를 나타낸다."""
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
    """두 스케줄: 남은 신호의 비율과 신호 대 잡음비."""
    with panels(2) as (figure, (left, right)):
        for name, schedule, color in zip(("선형", "코사인"), _schedules(1000), (ORANGE, BLUE), strict=True):
            i = torch.arange(0, 1000, 9)  # 배열의 번호. 시각은 하나 크다
            left.plot(i + 1, schedule.alpha_bar[i], color=color, label=name)
            right.semilogy(i + 1, signal_to_noise(schedule)[i], color=color, label=name)
        right.yaxis.set_major_formatter(powers)
        right.axhline(1, color=INK, linestyle="--", linewidth=1)
        right.annotate("신호와 노이즈가 반반", (0, 1), (2, -13), textcoords="offset points", fontsize=9)
        left.set(title="남은 신호의 비율 ᾱ", xlabel="시각 t", ylabel="ᾱ")
        right.set(title="신호 대 잡음비", xlabel="시각 t", ylabel="ᾱ / (1 − ᾱ)", ylim=(1e-7, 1e5))
        left.legend()
    return figure


def time_axis() -> Figure:
    """식의 시각과 배열의 번호: T = 4인 두 마르코프 체인."""
    names = ("x₀", "x₁", "x₂", "x₃", "x₄")
    with panels(height=2.0) as (figure, (axes,)):
        for time, name in enumerate(names):
            axes.text(time, 0, name, ha="center", va="center", fontsize=13)
            axes.text(time, -0.95, f"시각 {time}", ha="center", fontsize=9)
            axes.text(time, -1.35, f"번호 {time - 1}".replace("-", "−"), ha="center", fontsize=9)
        for start in range(4):
            for (left, right), height, color in (
                ((start + 0.2, start + 0.8), 0.3, ORANGE),
                ((start + 0.8, start + 0.2), -0.3, BLUE),
            ):
                axes.annotate(
                    "",
                    (right, height),
                    (left, height),
                    arrowprops={"arrowstyle": "->", "color": color, "linewidth": 1.5},
                )
        axes.text(2, 0.55, "정방향 q: 노이즈를 더한다 (정해 둔다)", ha="center", color=ORANGE, fontsize=10)
        axes.text(2, -0.62, "역방향 p: 노이즈를 걷어 낸다 (학습한다)", ha="center", color=BLUE, fontsize=10)
        axes.text(0, 0.95, "데이터", ha="center", fontsize=10)
        axes.text(4, 0.95, "노이즈", ha="center", fontsize=10)
        axes.set(xlim=(-0.6, 4.6), ylim=(-1.5, 1.25))
        axes.set_axis_off()
    return figure


def noise_live() -> Moving:
    """시각을 슬라이더로 움직인다: 봉우리 둘이 하나가 되고, 아래에서는 데이터의 추정이 평균 0으로 평평해진다."""
    numbers = [0, *range(49, 1000, 50)]  # 배열의 번호. 시각은 하나 크다
    means, std = torch.tensor([[-1.0], [1.0]], dtype=torch.float64), 0.15
    x = torch.linspace(-3, 3, 81, dtype=torch.float64)
    schedules = list(_schedules(1000))
    start = means[torch.arange(60) % 2] + std * randn(60, 1, generator=generator(0), dtype=torch.float64)
    noise = randn(60, 1, generator=generator(1), dtype=torch.float64)

    def everywhere(f: Callable[[int, Schedule], Tensor]) -> Tensor:
        """시각과 스케줄마다의 값: (시각, 스케줄, 점)."""
        return torch.stack([torch.stack([f(t, schedule) for schedule in schedules]) for t in numbers])

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
        below.set(title="xₜ를 보고 추정한 데이터 E[x₀ | xₜ]", xlabel="xₜ", xlim=(-3, 3), ylim=(-1.5, 1.5))
        above.legend(loc="upper right", fontsize=9)
    knobs = [knob("시각 t", torch.tensor(numbers) + 1, 5), Knob("스케줄", ["선형", "코사인"], 0)]
    return Moving(figure, knobs, traces, [Reading("ᾱ = {:.4f}", signal), Reading("신호 대 잡음비 {:.3g}", ratio)])


def _schedules(steps: int) -> tuple[Schedule, Schedule]:
    return linear_schedule(steps), cosine_schedule(steps)


def _noised(x0: Tensor, noise: Tensor, schedule: Schedule) -> list[Tensor]:
    """PLACES의 시각마다의 x_t. 처음은 데이터 자신이다."""
    return [x0, *(diffuse(x0, t - 1, schedule, noise=noise) for t in (100, 250, 500, 750, 1000))]


def _paint(axis: Axes, image: Tensor, *, left: int) -> None:
    """[0, 1]의 이미지를 먹의 농도로 칠한다. 농도가 같은 칸은 경로 하나로 칠해 파일을 가볍게 한다."""
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
