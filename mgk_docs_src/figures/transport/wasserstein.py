"""`docs/transport/wasserstein.md`의 그림.

글의 다섯 장면(`one_pair`부터 `best_coupling`까지)은 크기와 위 칸이 모두 같아서, 차례로 넘기면 요소가 하나씩 더해진다.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Normal, Uniform

from mgk_docs_src.figures.moving import Moving, Reading, knob, trace
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PAPER, PURPLE, panels
from mgk_docs_src.random import generator, randn, randperm
from mgk_docs_src.transport.wasserstein import (
    Coupling,
    c_transform,
    normal_uniform_distance,
    optimal_plan,
    potential_1d,
    sample_coupling,
    wasserstein,
    wasserstein_1d,
)

NAMES: dict[Coupling, str] = {
    "comonotone": "γ₁ 공단조",
    "independent": "γ₀ 독립",
    "countermonotone": "γ₂ 반단조",
}
COLORS: dict[Coupling, str] = {"comonotone": BLUE, "independent": GREEN, "countermonotone": ORANGE}
CORRELATIONS: dict[Coupling, float] = {"comonotone": 1.0, "independent": 0.0, "countermonotone": -1.0}
HALF_WIDTH = math.sqrt(3)
DRAWS = 300
MANY = 100_000
FEW = 120  # 커플링을 겹쳐 그릴 때의 점의 수
EDGE = 3.8  # 위 칸의 끝. 주변 분포는 왼쪽과 아래 끝에서 자란다
TOP = 5.0  # 위 칸의 위 끝. 범례를 놓을 공간을 남긴다
FARTHEST = 5.3  # 거리의 축의 끝. 눈금 5의 글자가 칸 밖으로 나가면 칸이 좁아진다


def one_pair() -> Figure:
    """설명 1. ω 하나가 X(ω)와 Y(ω)를, 그리고 둘 사이의 거리 d를 정한다."""
    x, y = _one()
    with _scene("ω 하나: 점 하나") as (figure, joint, below):
        _mark_pair(joint, x, y)
        below.plot([abs(x - y)] * 2, [0, 1], color=PURPLE)
        text = f"d(X(ω), Y(ω)) = {abs(x - y):.2f}"
        below.annotate(text, (abs(x - y), 0.8), (6, 0), textcoords="offset points", color=PURPLE)
    return figure


def many_pairs() -> Figure:
    """설명 2. ω를 여러 번 뽑으면 커플링 γ의 윤곽이, 가장자리에는 주변 분포 P와 Q가 드러난다."""
    with _scene("ω 300개: 커플링 γ₁의 윤곽") as (figure, joint, below):
        _scatter(joint, "comonotone", DRAWS)
        _marginals(joint)
        _mark_pair(joint, *_one())
        _distances(below, "comonotone")
    return figure


def another_coupling() -> Figure:
    """설명 3. 의존 관계가 다르면 거리 d의 분포도 다르다."""
    with _scene("다른 의존 관계 γ₂") as (figure, joint, below):
        for coupling in ("comonotone", "countermonotone"):
            _scatter(joint, coupling)
            _distances(below, coupling)
        _marginals(joint)
    return figure


def same_marginals() -> Figure:
    """설명 4. 분포 P와 Q는 그대로이고 커플링만 달라진다."""
    with _scene("P와 Q는 그대로, 커플링만 다르다") as (figure, joint, below):
        for coupling in ("comonotone", "countermonotone"):
            _scatter(joint, coupling)
            _histograms(joint, coupling)
        for row, coupling in enumerate(get_args(Coupling)):
            _pairing(below, coupling, 2 - row)
        below.set(xlim=(-EDGE, EDGE), ylim=(-0.1, 3.0), xlabel="선마다 위 끝이 X, 아래 끝이 Y")
    return figure


def best_coupling() -> Figure:
    """설명 5. E[d(X, Y)]가 가장 작은 커플링의 값이 와서스타인 거리다."""
    with _scene("세 커플링과 E|X − Y|") as (figure, joint, below):
        for coupling in get_args(Coupling):
            _scatter(joint, coupling)
        _marginals(joint)
        for row, coupling in enumerate(get_args(Coupling)):
            x, y = _draws(coupling, MANY)
            exact, sampled = normal_uniform_distance(HALF_WIDTH, coupling=coupling), float((x - y).abs().mean())
            below.barh(2 - row, exact, height=0.5, color=COLORS[coupling])
            below.plot(sampled, 2 - row, "D", color=PAPER, markeredgecolor=INK, markersize=6)
            smallest = " = W₁" if coupling == "comonotone" else ""
            below.text(0.02, 2.29 - row, f"{NAMES[coupling]}: {exact:.4f}{smallest}", fontsize=10)
        below.set(xlim=(0, 2.2), ylim=(-0.4, 2.75), xlabel="E|X − Y|: 막대는 닫힌 식, ◇는 표본 10만 쌍의 평균")
        below.set_xticks([0, 0.5, 1, 1.5, 2])
    return figure


def coupling_live() -> Moving:
    """상관을 슬라이더로 바꾼다: 두 주변 분포는 그대로이고, 커플링과 E|X − Y|만 달라진다."""
    correlations = torch.arange(-10, 11, dtype=torch.float64) / 10
    p, q = Normal(0.0, 1.0), Uniform(-HALF_WIDTH, HALF_WIDTH)
    drawn = [sample_coupling(p, q, MANY, correlation=rho, generator=generator(0)) for rho in correlations.tolist()]
    x, y = (torch.stack(side) for side in zip(*drawn, strict=True))
    distance = (x - y).abs().mean(1)
    with panels(2, height=3.2) as (figure, (joint, below)):
        joint.axline((0, 0), slope=1, color=FAINT, linestyle="--", zorder=1)
        _marginals(joint)
        below.plot(
            [-1, 1], [normal_uniform_distance(HALF_WIDTH, coupling="comonotone")] * 2, color=GREEN, linewidth=1.2
        )
        below.annotate("W₁", (-1, 0.15), (2, 5), textcoords="offset points", color=GREEN)
        below.plot(correlations, distance, color=FAINT)
        traces = [
            trace(joint, x[:, :FEW], y[:, :FEW], kind="dots", color=BLUE, width=4),
            trace(below, correlations[:, None], distance[:, None], kind="dots", color=ORANGE, width=9),
        ]
        joint.set(xlabel="X", ylabel="Y", xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE))
        joint.set_yticks([-2, 0, 2])
        below.set(xlabel="상관 ρ", ylabel="E|X − Y|", xlim=(-1.05, 1.05), ylim=(0, 1.8))
    return Moving(figure, [knob("상관 ρ", correlations, 15)], traces, [Reading("E|X − Y| = {:.3f}", distance)])


def transport_plan() -> Figure:
    """창고 넷에서 가게 셋으로 옮기는 최적 계획: 선의 굵기는 옮기는 양, f와 g는 쌍대 퍼텐셜."""
    cost, supply, demand = _table()
    plan = optimal_plan(cost, supply, demand)
    with panels(height=3.9) as (figure, (axes,)):
        for i in range(4):
            for j in range(3):
                _ship(axes, i, j, float(cost[i, j]), float(plan.coupling[i, j]))
        for side, weights, prices, name in ((0, supply, plan.f, "f"), (1, demand, plan.g, "g")):
            for k, (weight, price) in enumerate(zip(weights, prices - _zero(plan.f, side), strict=True)):
                at = (side, _height(k, len(weights)))
                axes.plot(*at, "o", color=PURPLE, markersize=20 + 30 * float(weight))
                axes.annotate(f"{weight:.2f}", at, color=PAPER, ha="center", va="center", fontsize=9)
                label = f"{name} = {price:.0f}".replace("-", "−")
                place = (-24, 0) if side == 0 else (24, 0)
                ha = "right" if side == 0 else "left"
                axes.annotate(label, at, place, textcoords="offset points", ha=ha, va="center")
        axes.set(title=f"전체 비용 {plan.cost:.2f} = Σ a f + Σ b g", xlim=(-0.32, 1.32), ylim=(-0.15, 1.15))
        axes.set_xticks([0, 1], ["보내는 쪽 a", "받는 쪽 b"])
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def two_points() -> Figure:
    """점 둘의 쌍대: c-변환을 두 번 거치면 처음의 f가 1-립시츠 함수가 되고 쌍대의 값이 W₁으로 오른다."""
    points = torch.tensor([0.0, 2.0], dtype=torch.float64)
    p, q = (torch.tensor(mass, dtype=torch.float64) for mass in ([0.75, 0.25], [0.25, 0.75]))
    cost = (points[:, None] - points).abs()
    first = torch.tensor([5.0, 0.0], dtype=torch.float64)
    g = c_transform(first, cost)
    second = c_transform(g, cost.T)
    with panels(height=2.8) as (figure, (axes,)):
        for f, color, name in ((first, ORANGE, "처음의 f"), (second, BLUE, "두 번 고친 f = −g")):
            slope, value = float(f.diff() / points.diff()), float(p @ f + q @ g)
            label = f"{name}: 기울기 {slope:.1f}, 쌍대의 값 {value:.2f}".replace("-", "−")
            axes.plot(points, f, "o-", color=color, markersize=7, label=label)
        ends = (2.0, float(second[1])), (2.0, float(first[1]))
        axes.annotate("", *ends, arrowprops={"arrowstyle": "->", "color": INK, "shrinkA": 6, "shrinkB": 6})
        axes.set(xlabel="점 x", ylabel="f(x)", xlim=(-0.3, 2.3), ylim=(-0.6, 7.2))
        axes.set_xticks([0, 2])
        axes.legend(loc="upper right", fontsize=9)
    return figure


def potential() -> Figure:
    """위: 두 누적 분포 함수 사이의 넓이가 W₁이다. 아래: 기울기가 ±1인 퍼텐셜이 같은 값을 낸다."""
    g = generator(3)
    x, y = (randn(12, generator=g, dtype=torch.float64) * s + m for s, m in ((0.6, 0.3), (1.3, 0.0)))
    dual = potential_1d(x, y)
    z = dual.points
    heights = [torch.searchsorted(samples.sort().values, z, right=True) / len(samples) for samples in (x, y)]
    with panels(2, height=2.6) as (figure, (above, below)):
        for level, color, name in zip(heights, (BLUE, ORANGE), ("P의 표본", "Q의 표본"), strict=True):
            above.step(z, level, where="post", color=color, label=name)
        above.fill_between(z, heights[0], heights[1], step="post", color=PURPLE, alpha=0.25, linewidth=0)
        above.set(title=f"두 선 사이의 넓이 W₁ = {wasserstein_1d(x, y):.4f}", ylabel="누적 확률")
        above.legend(loc="upper left")
        below.plot(z, dual.values, color=PURPLE)
        for samples, color in ((x, BLUE), (y, ORANGE)):
            at = torch.searchsorted(z, samples)
            below.plot(samples, dual.values[at], "o", color=color, markersize=5)
        gain = dual.values[torch.searchsorted(z, x)].mean() - dual.values[torch.searchsorted(z, y)].mean()
        below.set(title=f"E_P φ − E_Q φ = {gain:.4f}", xlabel="t", ylabel="φ(t)", xlim=above.get_xlim())
    return figure


def sample_size() -> Figure:
    """같은 분포에서 뽑은 두 표본 사이의 W₁: 차원이 높을수록 더디게 준다."""
    sizes, seeds = (32, 64, 128, 256, 512), 12
    with panels(height=4.2) as (figure, (axes,)):
        for d, color in ((10, PURPLE), (5, ORANGE), (2, GREEN), (1, BLUE)):
            values = torch.tensor([[_between_samples(n, d, seed) for seed in range(seeds)] for n in sizes])
            mean, spread = values.mean(1), values.std(1)
            slope = float(np.polyfit(np.log(sizes), mean.log(), 1)[0])
            axes.loglog(sizes, mean, "o-", color=color, label=f"d = {d}, 기울기 {slope:.2f}".replace("-", "−"))
            axes.fill_between(sizes, mean - spread, mean + spread, color=color, alpha=0.2, linewidth=0)
        axes.set_xticks(sizes, [str(n) for n in sizes])
        axes.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
        axes.minorticks_off()
        axes.set(xlabel="표본 수 n", ylabel="두 표본 사이의 W₁", ylim=(0.05, 13))
        axes.legend(loc="upper right", fontsize=9, ncols=2)
    return figure


@contextmanager
def _scene(title: str) -> Iterator[tuple[Figure, Axes, Axes]]:
    """다섯 장면의 공통 부분: 위는 (X, Y)의 평면, 아래는 거리의 축."""
    with panels(2, height=3.2) as (figure, (joint, below)):
        grid = joint.get_gridspec()
        assert grid is not None
        grid.set_height_ratios([3, 2])
        joint.axline((0, 0), slope=1, color=FAINT, linestyle="--", zorder=1)
        joint.annotate("x = y", (3.1, 3.1), (-8, 4), textcoords="offset points", ha="right", color=INK, fontsize=9)
        joint.set(title=title, xlabel="X(ω)", ylabel="Y(ω)", xlim=(-EDGE, EDGE), ylim=(-EDGE, TOP))
        joint.set_yticks([-2, 0, 2])
        below.set(xlabel="거리 d = |x − y| (높이는 커플링마다 맞춤)", xlim=(0, FARTHEST), ylim=(0, 2.2), ylabel=" ")
        below.set_yticks([])
        yield figure, joint, below


def _draws(coupling: Coupling, n: int = DRAWS) -> tuple[Tensor, Tensor]:
    p, q = Normal(0.0, 1.0), Uniform(-HALF_WIDTH, HALF_WIDTH)
    return sample_coupling(p, q, n, correlation=CORRELATIONS[coupling], generator=generator(0))


def _one() -> tuple[float, float]:
    """첫 장면의 ω: 두 값이 눈에 띄게 다른 쌍."""
    x, y = _draws("comonotone")
    at = (x + 2.2).abs().argmin()
    return float(x[at]), float(y[at])


def _scatter(joint: Axes, coupling: Coupling, n: int = FEW) -> None:
    x, y = (values[:n] for values in _draws(coupling))
    joint.plot(x, y, ".", color=COLORS[coupling], markersize=4, label=NAMES[coupling])
    joint.legend(loc="upper left", fontsize=9, ncols=3, handletextpad=0.1, columnspacing=1, borderaxespad=0.2)


def _mark_pair(joint: Axes, x: float, y: float) -> None:
    joint.plot([x, x], [-EDGE, y], color=FAINT, linewidth=1)
    joint.plot([-EDGE, x], [y, y], color=FAINT, linewidth=1)
    joint.plot([x, x], [x, y], color=PURPLE)
    joint.plot(x, y, "o", color=PURPLE, markersize=7)
    joint.annotate("d", (x, (x + y) / 2), (5, -4), textcoords="offset points", color=PURPLE)


def _marginals(joint: Axes) -> None:
    """P와 Q의 밀도를 아래 끝과 왼쪽 끝에서 그린다."""
    grid = np.linspace(-EDGE, EDGE, 81)
    normal = np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
    joint.fill_between(grid, -EDGE, -EDGE + 2.5 * normal, color=INK, alpha=0.25, linewidth=0)
    uniform = 1 / (2 * HALF_WIDTH)
    sides = [-HALF_WIDTH, HALF_WIDTH]
    joint.fill_betweenx(sides, -EDGE, -EDGE + 2.5 * uniform, color=INK, alpha=0.25, linewidth=0)
    joint.annotate("P", (1.3, -EDGE), (0, 6), textcoords="offset points", color=INK)
    joint.annotate("Q", (-EDGE, -0.2), (8, 0), textcoords="offset points", color=INK)


def _histograms(joint: Axes, coupling: Coupling) -> None:
    """뽑은 X와 Y의 히스토그램을 가장자리에 겹쳐 그린다. 표본이 많아야 두 커플링의 히스토그램이 겹친다."""
    x, y = (values.numpy() for values in _draws(coupling, MANY))
    bins = np.linspace(-EDGE, EDGE, 23)
    for samples, orientation in ((x, "vertical"), (y, "horizontal")):
        counts, _ = np.histogram(samples, bins, density=True)
        joint.stairs(
            2.5 * counts - EDGE,
            bins,
            baseline=-EDGE,
            orientation=orientation,  # type: ignore[arg-type]
            color=COLORS[coupling],
            linewidth=1.6,
            linestyle="-" if coupling == "comonotone" else ":",
        )


def _distances(below: Axes, coupling: Coupling) -> None:
    """거리 d의 분포와 그 평균."""
    x, y = _draws(coupling)
    distance = (x - y).abs().numpy()
    counts, edges = np.histogram(distance, np.linspace(0, 5, 51), density=True)
    scale = 2.0 / counts.max()
    below.stairs(scale * counts, edges, fill=True, color=COLORS[coupling], alpha=0.35)
    below.axvline(distance.mean(), color=COLORS[coupling], label=f"{NAMES[coupling]}: 평균 {distance.mean():.2f}")
    below.legend(loc="upper right", fontsize=9)


def _pairing(below: Axes, coupling: Coupling, row: int, n: int = 40) -> None:
    """같은 x들과 같은 y들을 잇는 선. 잇는 순서만 다르다."""
    x, y = (values[:n].sort().values for values in _draws("comonotone"))
    order = {
        "comonotone": torch.arange(n),
        "independent": randperm(n, generator=generator(1)),
        "countermonotone": torch.arange(n).flip(0),
    }[coupling]
    heights = np.array([row + 0.6, row])[:, None].repeat(n, 1)
    below.plot(torch.stack([x, y[order]]), heights, color=COLORS[coupling], linewidth=0.9)
    below.text(-EDGE + 0.05, row + 0.25, NAMES[coupling], fontsize=9)


def _table() -> tuple[Tensor, Tensor, Tensor]:
    cost = torch.tensor([[1.0, 4.0, 6.0], [2.0, 3.0, 5.0], [5.0, 2.0, 3.0], [7.0, 4.0, 1.0]], dtype=torch.float64)
    supply = torch.tensor([0.35, 0.25, 0.25, 0.15], dtype=torch.float64)
    demand = torch.tensor([0.45, 0.20, 0.35], dtype=torch.float64)
    return cost, supply, demand


def _zero(prices: Tensor, side: int) -> Tensor:
    # f에 상수를 더하고 g에서 빼도 같은 해다. f의 가장 작은 값을 0으로 놓고 g에 그만큼 더한다.
    return prices.min() if side == 0 else -prices.min()


def _height(k: int, count: int) -> float:
    return 1 - k / (count - 1)


def _ship(axes: Axes, i: int, j: int, cost: float, amount: float) -> None:
    """i에서 j로 가는 선. 옮기지 않는 경로는 옅다."""
    ends = (_height(i, 4), _height(j, 3))
    if amount == 0:
        axes.plot([0, 1], ends, color=FAINT, linewidth=0.8, zorder=1)
        return
    axes.plot([0, 1], ends, color=BLUE, linewidth=2 + 30 * amount, alpha=0.5, solid_capstyle="butt", zorder=1)
    at = (0.34, ends[0] + 0.34 * (ends[1] - ends[0]))
    box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0}
    axes.annotate(f"{amount:.2f} × {cost:.0f}", at, ha="center", va="center", fontsize=9, bbox=box)


def _between_samples(n: int, d: int, seed: int) -> float:
    g = generator(100 * seed + d)
    x, y = (randn(n, d, generator=g, dtype=torch.float64) for _ in range(2))
    return float(wasserstein(x, y))
