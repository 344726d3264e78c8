"""`docs/energy/models.md`의 그림."""

import math
from functools import cache
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from mgk_docs_src.energy.models import (
    banana,
    boltzmann,
    double_well,
    evaluate,
    grid,
    log_density,
    negative_log_likelihood,
    phase_gap,
)
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.networks import forward, initial
from mgk_docs_src.random import generator, rand, randn

WIDE = torch.float64
LINE = grid(-3.0, 3.0, 240, dims=1, dtype=WIDE)
STEPS = 200
SHOWN = (0, 100, 150, 200)  # 곡선을 그릴 학습 스텝


def temperatures() -> Figure:
    """깊이가 다른 두 우물과, 온도 0.3, 1, 3에서의 볼츠만 분포."""
    x = LINE.points[:, 0]
    energies = evaluate(double_well, LINE.points)
    with panels(2, height=2.6) as (figure, (above, below)):
        above.plot(x, energies, color=INK)
        for temperature, color in ((0.3, BLUE), (1.0, GREEN), (3.0, ORANGE)):
            density = boltzmann(energies, temperature=temperature) / LINE.cell
            below.plot(x, density, color=color, label=f"τ = {temperature:g}")
        above.set(title="에너지", ylabel="E(x)", xlim=(-2, 2), ylim=(-1, 9))
        below.set(title="확률 밀도 exp(−E/τ) / Z", xlabel="x", ylabel="p(x)", xlim=(-2, 2))
        below.legend(loc="upper right")
    return figure


def energy_and_density() -> Figure:
    """같은 함수를 두 가지로: 골짜기의 에너지(위)와 그 밀도(아래)."""
    mesh = grid(-3.0, 6.0, 90, dtype=WIDE)
    first, second = (mesh.points[:, i].view(90, 90) for i in (0, 1))
    energies = evaluate(banana, mesh.points)
    density = log_density(banana, mesh.points, mesh)  # 로그라야 칸 사이의 보간이 매끄럽다
    with panels(2, height=3.1) as (figure, (above, below)):
        above.contour(
            first, second, energies.view(90, 90), levels=[0.5, 2, 4.5, 8, 12.5], colors=ORANGE, linewidths=1.4
        )
        levels = [density.max().item() + math.log(fraction) for fraction in (0.01, 0.1, 0.3, 0.6, 0.9)]
        below.contour(
            first, second, density.view(90, 90), levels=levels, colors=BLUE, linestyles="solid", linewidths=1.4
        )
        for axis, title in ((above, "에너지: 골짜기가 낮다"), (below, "밀도: 골짜기가 높다")):
            axis.plot(0, -1, "o", color=INK, markersize=4)
            axis.set(title=title, xlabel="x₁", ylabel="x₂", xlim=(-3, 3), ylim=(-2.6, 5))
    return figure


def collapse() -> Figure:
    """데이터의 에너지만 내리면 모든 곳이 함께 내려간다. 두 항으로 학습하면 데이터가 있는 곳에 우물이 생긴다."""
    runs = {"데이터의 에너지만 내린다": _trained(both=False), "두 항": _trained(both=True)}
    with panels(3, height=2.5) as (figure, axes):
        for axis, (name, run) in zip(axes[:2], runs.items(), strict=True):
            for step, alpha in zip(SHOWN, (0.3, 0.5, 0.75, 1.0), strict=True):
                axis.plot(LINE.points[:, 0], run.curves[step], color=BLUE, alpha=alpha, label=f"{step}스텝")
            _ticks(axis, run.data)
            axis.set(title=name, xlabel="x", ylabel="E(x)")
            axis.legend(fontsize=9, ncols=2, loc="upper center" if run.curves[-1].max() > 0 else "lower right")
        for (name, run), color in zip(runs.items(), (ORANGE, BLUE), strict=True):
            axes[2].plot(run.likelihood, color=color, label=name)
        axes[2].set(title="데이터의 평균 로그 가능도", xlabel="학습 스텝", ylabel="log p (nat)", ylim=(-8, 0))
        axes[2].legend(loc="lower right")
    return figure


def phases() -> Figure:
    """두 항의 기울기는 끝까지 크다. 0으로 가는 것은 그 차이다."""
    run = _trained(both=True)
    with panels(2, height=2.6) as (figure, (above, below)):
        for values, color, name in (
            (run.positive, ORANGE, "양의 항"),
            (run.negative, PURPLE, "음의 항"),
            (run.difference, BLUE, "둘의 차"),
        ):
            above.plot(values, color=color, label=name, linestyle="--" if name == "음의 항" else "-")
        below.axhline(0, color=FAINT)
        below.plot(run.gap, color=GREEN)
        above.set(title="θ에 대한 기울기의 크기", xlabel="학습 스텝", ylabel="크기", ylim=(0, None))
        below.set(title="데이터의 평균 에너지 − 모델의 평균 에너지", xlabel="학습 스텝", ylabel="차 (nat)")
        above.legend()
    return figure


class _Run(NamedTuple):
    data: Tensor  # (n)
    curves: Tensor  # (스텝 + 1, m) 격자에서의 에너지
    likelihood: Tensor  # (스텝 + 1)
    positive: Tensor  # 양의 항의 기울기의 크기
    negative: Tensor
    difference: Tensor
    gap: Tensor


@cache
def _trained(*, both: bool) -> _Run:
    """작은 신경망 에너지를 경사 하강으로 학습한다. `both`가 거짓이면 양의 항만 쓴다."""
    g = generator(0)
    side = rand(200, generator=g) < 0.7
    data = torch.where(side, -1.2, 1.0).to(WIDE) + 0.3 * randn(200, generator=g, dtype=WIDE)
    points, cloud = LINE.points.unsqueeze(0), data.view(1, -1, 1)
    networks = initial((1, 32, 32, 1), [g], dtype=WIDE)
    parameters = [*networks.weights, *networks.biases]

    def energy(x: Tensor) -> Tensor:
        return forward(networks, x).squeeze(-1)

    def slope(loss: Tensor) -> Tensor:
        return torch.cat([part.flatten() for part in torch.autograd.grad(loss.sum(), parameters)])

    optimiser = torch.optim.Adam(parameters, lr=0.005)
    history = []
    for _ in range(STEPS + 1):
        curve = evaluate(energy, points)
        weights = boltzmann(curve)
        positive = slope(energy(cloud).mean(-1))
        negative = slope((weights * energy(points)).sum(-1))
        gap = phase_gap(energy, cloud, points, weights=weights).detach()
        likelihood = -negative_log_likelihood(energy, cloud, LINE).detach()
        sizes = [part.norm() for part in (positive, negative, positive - negative)]
        history.append((curve[0], likelihood[0], *sizes, gap[0]))
        direction = positive - negative if both else positive
        pieces = torch.split(direction, [parameter.numel() for parameter in parameters])
        for parameter, piece in zip(parameters, pieces, strict=True):
            parameter.grad = piece.view_as(parameter)
        optimiser.step()
    return _Run(data, *(torch.stack(column) for column in zip(*history, strict=True)))


def _ticks(axis: Axes, data: Tensor) -> None:
    """데이터가 있는 곳을 아래에 짧은 선으로."""
    axis.plot(
        data[:80], torch.full((80,), 0.02), "|", color=ORANGE, transform=axis.get_xaxis_transform(), label="데이터"
    )
