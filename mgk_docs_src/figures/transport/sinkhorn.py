"""`docs/transport/sinkhorn.md`의 그림."""

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from torch import Tensor

from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, panels
from mgk_docs_src.random import generator, rand, randn
from mgk_docs_src.transport.sinkhorn import certified_interval, coupling, entropic_cost, sinkhorn, sinkhorn_divergence
from mgk_docs_src.transport.wasserstein import cost_matrix, optimal_plan


def plans() -> Figure:
    """1차원에서 ε이 줄면 정칙화한 계획이 정확한 계획으로 좁아진다."""
    x = torch.linspace(-3, 3, 30, dtype=torch.float64)
    a = torch.exp(-((x + 1) ** 2)) + 0.6 * torch.exp(-4 * (x - 1.5) ** 2)
    b = torch.exp(-((x - 0.5) ** 2) / 2)
    a, b = a / a.sum(), b / b.sum()
    cost = cost_matrix(x[:, None], x[:, None], p=2.0)
    exact = optimal_plan(cost, a, b).coupling
    with panels(3) as (figure, axes):
        for axis, epsilon in zip(axes, (3.0, 0.3, 0.03), strict=True):
            solved = sinkhorn(cost, a, b, epsilon=epsilon)
            _heat(axis, x, coupling(solved.f, solved.g, cost, a, b, epsilon=epsilon))
            rows, columns = torch.nonzero(exact > 1e-9, as_tuple=True)
            axis.scatter(x[rows], x[columns], s=4, color=ORANGE, label="정확한 계획")
            axis.set(title=f"ε = {epsilon:g}", xlabel="보내는 곳 x", ylabel="받는 곳 y", aspect="equal")
        axes[0].legend(loc="lower right", fontsize=9)
    return figure


def interval() -> Figure:
    """정확한 값은 언제나 구간 안에 있고, 구간은 ε과 함께 좁아진다."""
    cost = cost_matrix(*_clouds(128))
    exact = optimal_plan(cost).cost.item()
    epsilons = torch.logspace(0.5, -2.5, 13, dtype=torch.float64).tolist()
    lower, upper = [], []
    for epsilon in epsilons:
        solved = sinkhorn(cost, epsilon=epsilon)
        bounds = certified_interval(cost, solved.f, solved.g, epsilon=epsilon)
        lower.append(bounds.lower.item())
        upper.append(bounds.upper.item())
    with panels(2) as (figure, (values, width)):
        values.fill_between(epsilons, lower, upper, color=FAINT)
        values.plot(epsilons, upper, color=ORANGE, label="위 끝: 맞춘 계획의 비용")
        values.plot(epsilons, lower, color=BLUE, label="아래 끝: c-변환한 퍼텐셜의 값")
        values.axhline(exact, color=INK, linestyle="--", linewidth=1.2, label="정확한 값")
        values.set(xscale="log", xlabel="ε", ylabel="수송 비용")
        values.legend(loc="upper left", fontsize=9)
        for side, color, name in ((upper, ORANGE, "위 끝"), (lower, BLUE, "아래 끝")):
            gaps = [100 * abs(end - exact) / exact for end in side]
            width.plot(epsilons, gaps, color=color, marker="o", markersize=4, label=name)
        width.set(xscale="log", yscale="log", xlabel="ε", ylabel="정확한 값과의 차이 (%)")
        width.legend(loc="upper left", fontsize=9)
        for scale in (values.xaxis, width.xaxis, width.yaxis):
            scale.set_major_formatter("{x:g}")  # 기본값의 10⁻²는 수식으로 그려져 글꼴이 어긋난다
    return figure


def bias() -> Figure:
    """정칙화한 비용은 같은 구름 사이에서도 0이 아니고, 수축한 구름에서 최소다. 싱크혼 발산은 그렇지 않다."""
    x = _clouds(64)[0]
    shifts = torch.linspace(0, 1, 11, dtype=torch.float64)
    scales = torch.linspace(0.3, 1.5, 13, dtype=torch.float64)
    with panels(2) as (figure, (moved, scaled)):
        for axis, sizes, change in (
            (moved, shifts, lambda c: x + torch.stack([c, torch.zeros_like(c)])),
            (scaled, scales, lambda s: s * x),
        ):
            others = [change(size) for size in sizes]
            exact = [optimal_plan(cost_matrix(x, y, p=2.0)).cost for y in others]
            biased = [entropic_cost(cost_matrix(x, y, p=2.0), epsilon=1.0) for y in others]
            debiased = [sinkhorn_divergence(x, y, epsilon=1.0) for y in others]
            axis.plot(sizes, biased, color=ORANGE, label="OT_ε")
            axis.plot(sizes, debiased, color=BLUE, label="발산 S_ε")
            axis.plot(sizes, exact, color=GREEN, linestyle=":", label="정확한 값")
            axis.set(ylabel="비용")
        moved.set(title="옮기기: y = x + c", xlabel="옮긴 거리 c")
        scaled.set(title="크기 바꾸기: y = s x", xlabel="스케일 s")
        moved.legend(loc="upper left", fontsize=9)
    return figure


def _heat(axis: Axes, x: Tensor, plan: Tensor) -> None:
    # 칸마다 도형을 그리면 파일이 커지므로, 높이마다 도형 하나인 등고선으로 그린다.
    shares = (0.02, 0.1, 0.3, 0.6, 1.0)
    colors = [to_rgba(BLUE, alpha) for alpha in (0.2, 0.4, 0.65, 0.95)]
    axis.contourf(x, x, plan.T, levels=[share * float(plan.max()) for share in shares], colors=colors)


def _clouds(n: int) -> tuple[Tensor, Tensor]:
    """표준 정규 구름과, 분산이 같은 균등 구름을 (1, 1)만큼 옮긴 것."""
    g = generator(0)
    x = randn(n, 2, generator=g, dtype=torch.float64)
    return x, 3**0.5 * (2 * rand(n, 2, generator=g, dtype=torch.float64) - 1) + 1
