"""`docs/contrastive/losses.md`의 그림."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from mgk_docs_src.contrastive.losses import (
    Arrangement,
    alignment,
    cosine_bce,
    info_nce,
    pair_floor,
    pairwise_margin,
    supcon,
    triplet,
    uniformity,
)
from mgk_docs_src.figures.moving import Moving, Reading, knob, trace
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.random import generator, randn


def bounded_logit() -> Figure:
    """코사인에 매긴 BCE: 코사인을 그대로 로짓으로 쓸 때와, 10배 해 5를 뺄 때."""
    cosine = torch.linspace(-1, 1, 101, dtype=torch.float64)
    with panels(2) as (figure, axes):
        for axis, scale, bias, name in ((axes[0], 1.0, 0.0, "z = cos"), (axes[1], 10.0, -5.0, "z = 10 cos − 5")):
            for label, color, who in ((1.0, BLUE, "양성 쌍"), (0.0, ORANGE, "음성 쌍")):
                loss = cosine_bce(cosine, torch.full_like(cosine, label), scale=scale, bias=bias, reduction="none")
                axis.plot(cosine, loss, color=color, label=f"{who}의 손실")
            axis.plot(cosine, torch.sigmoid(scale * cosine + bias), color=GREEN, linestyle="--", label="확률 σ(z)")
            axis.set(title=name, xlabel="코사인", ylabel="손실 (nat), 확률")
        axes[0].axhline(math.log1p(math.exp(-1)), color=INK, linestyle=":", linewidth=1.2)
        axes[0].annotate("바닥 0.313", (0, math.log1p(math.exp(-1))), (0, -13), textcoords="offset points", ha="center")
        axes[0].set_ylim(0, 1.45)
        axes[1].set_ylim(-0.15, 6.2)
        axes[0].legend(loc="upper center", ncols=3, fontsize=9, columnspacing=1.0, handlelength=1.4)
        axes[1].legend(loc="center left", fontsize=9)
    return figure


def margins() -> Figure:
    """쌍의 코사인에 따른 네 손실: 무엇에 벌점을 주고, 어디서 멈추나."""
    cosine = torch.linspace(-1, 1, 161, dtype=torch.float64)
    distance = (2 - 2 * cosine).clamp(min=0).sqrt()
    pair, query, aside = _at(cosine), _at(torch.ones_like(cosine)), _at(torch.zeros_like(cosine))
    with panels(2) as (figure, axes):
        for axis, label, title in ((axes[0], True, "양성 쌍"), (axes[1], False, "음성 쌍")):
            same = torch.full_like(cosine, label, dtype=torch.bool)
            near, far = (pair, aside) if label else (aside, pair)  # 트리플렛의 나머지 하나는 코사인이 0이다
            rest = [aside] * 9 if label else [pair, *[aside] * 8]
            keys = torch.stack([pair if label else query, *rest], 1)
            for loss, color, style, name in (
                (cosine_bce(cosine, same, reduction="none"), ORANGE, "-", "BCE, z = cos"),
                (pairwise_margin(distance, same, margin=1.0, reduction="none"), BLUE, "-", "마진 손실"),
                (triplet(query, near, far, margin=1.0, reduction="none"), GREEN, "--", "트리플렛 손실"),
                (info_nce(query.unsqueeze(1), keys, temperature=0.5), PURPLE, "-.", "InfoNCE"),
            ):
                axis.plot(cosine, loss, color=color, linestyle=style, label=name)
            axis.set(title=title, xlabel="코사인", ylabel="손실", ylim=(-0.15, 4.4 if label else 2.6))
        axes[0].legend(loc="upper right", fontsize=9)
    return figure


def temperature() -> Figure:
    """온도에 따라 NT-Xent의 기울기가 음성 표본에 나뉘는 비율."""
    cosine = torch.linspace(-0.98, 0.98, 99, dtype=torch.float64)
    with panels() as (figure, (axes,)):
        for tau, color, style in ((0.05, ORANGE, "-"), (0.2, BLUE, "--"), (1.0, GREEN, "-.")):
            axes.plot(cosine, _pushes(cosine, tau), color=color, linestyle=style, label=f"τ = {tau:g}")
        axes.set(xlabel="음성 표본의 코사인", ylabel="음성 표본 하나가 받는 비율", ylim=(-0.04, 1.04))
        axes.legend(loc="upper left")
    return figure


def temperature_live() -> Moving:
    """온도와 양성 표본의 코사인을 움직인다: 손실의 기울기가 양성 표본과 음성 표본에 나뉘는 모습."""
    taus = torch.tensor([0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0], dtype=torch.float64)
    partners = torch.arange(2, 11, dtype=torch.float64) / 10
    others = torch.linspace(0.9, -0.9, 10, dtype=torch.float64)
    every = torch.cat([partners[:, None], others.expand(len(partners), -1)], 1)  # (양성 표본, 키)
    loss, slope = (torch.stack(parts) for parts in zip(*(_choice(every, tau) for tau in taus.tolist()), strict=True))
    push = slope[..., 1:]
    share = push / push.sum(-1, keepdim=True)
    with panels(2, height=2.5) as (figure, (above, below)):
        traces = [
            trace(above, others, share, kind="bars", color=BLUE, width=16),
            trace(below, taus, loss.T[None], color=BLUE),
            trace(below, taus[:, None, None], loss[..., None], kind="dots", color=ORANGE, width=9),
        ]
        above.set(
            title="음성 표본마다 받는 비율 (합은 1)", xlabel="음성 표본의 코사인", xlim=(-1.05, 1.05), ylim=(0, 1.05)
        )
        below.set(title="손실", xlabel="온도 τ", ylabel="손실 (nat)", xscale="log", yscale="log")
        below.set(xlim=(0.045, 2.2), ylim=(0.08, 20))
        below.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        below.set_yticks([], minor=True)
        below.set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
        below.set_xticks([], minor=True)
    readings = [
        Reading("손실 {:z.4f}", loss),
        Reading("양성 표본의 기울기 {:.3f}", -slope[..., 0]),
        Reading("가장 닮은 음성 표본의 비율 {:.3f}", share[..., 0]),
        Reading("실질적인 음성 표본 {:.1f}개", 1 / share.square().sum(-1)),
    ]
    return Moving(figure, [knob("온도 τ", taus, 4), knob("양성 표본의 코사인", partners, 6)], traces, readings)


def floors() -> Figure:
    """클래스의 수에 따른 BCE의 바닥: 클래스들을 정단체로 놓을 때와 직교하게 놓을 때."""
    counts = range(2, 31)
    kinds: tuple[tuple[Arrangement, str, str], ...] = (
        ("simplex", BLUE, "정단체: cos = −1/(C − 1)"),
        ("orthogonal", ORANGE, "직교: cos = 0"),
    )
    with panels() as (figure, (axes,)):
        for arrangement, color, name in kinds:
            lowest = [pair_floor(count, arrangement=arrangement) for count in counts]
            axes.plot(list(counts), lowest, ".-", color=color, linewidth=1.2, label=name)
            axes.plot([10], [lowest[8]], "o", color=color, markersize=7)
            above = arrangement == "orthogonal"
            axes.annotate(
                f"{lowest[8]:.4f}", (10, lowest[8]), (0, 8 if above else -17), textcoords="offset points", ha="center"
            )
        axes.axhline(pair_floor(2), color=INK, linestyle=":", linewidth=1.2)
        axes.annotate(
            "로짓의 한계 0.3133", (30, pair_floor(2)), (0, 5), textcoords="offset points", ha="right", fontsize=9
        )
        axes.set(xlabel="클래스의 수 C", ylabel="닿을 수 있는 손실 (nat)", ylim=(0.28, 0.58))
        axes.legend(loc="lower right", fontsize=9, bbox_to_anchor=(1, 0.18))
    return figure


def alignment_uniformity() -> Figure:
    """원 위의 임베딩을 SupCon으로 옮기기 전과 뒤: 정렬과 균일성."""
    labels = torch.arange(36) % 4
    start = randn(36, 2, generator=generator(3), dtype=torch.float64) * 0.6 + torch.tensor([1.0, 0.3])
    finish = _descend(start, labels)
    with panels(2, height=3.6) as (figure, axes):
        for axis, x, title in ((axes[0], start, "학습 전"), (axes[1], finish, "학습 뒤")):
            _on_circle(axis, x, labels)
            apart, spread = alignment(*_same_pairs(x, labels)).item(), uniformity(x).item()
            axis.set_title(f"{title}: 정렬 {_signed(apart)}, 균일성 {_signed(spread)}")
    return figure


def _at(cosine: Tensor) -> Tensor:
    """첫 축과의 코사인이 그만큼인 평면 위의 단위벡터."""
    return torch.stack([cosine, (1 - cosine**2).clamp(min=1e-30).sqrt()], -1)


def _pushes(cosine: Tensor, tau: float) -> Tensor:
    """코사인이 그만큼인 음성 표본 하나가, 코사인 0.5, 0, −0.5인 음성 표본 셋씩 사이에서 받는 기울기의 비율."""
    column = cosine.unsqueeze(1)
    rest = torch.tensor([0.5, 0.0, -0.5], dtype=cosine.dtype).repeat(3).expand(len(cosine), 9)
    every = torch.cat([torch.full_like(column, 0.9), column, rest], 1).requires_grad_()  # 맨 앞은 양성 표본
    query = _at(torch.ones_like(column))
    (slope,) = torch.autograd.grad(info_nce(query, _at(every), temperature=tau).sum(), every)
    return slope[:, 1] / slope[:, 1:].sum(1)


def _choice(every: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """줄마다, 맨 앞이 양성 표본인 키들의 코사인에 대한 InfoNCE와 그 기울기."""
    cosine = every.clone().requires_grad_()
    query = _at(torch.ones(len(every), 1, dtype=every.dtype))  # 쿼리 하나씩: (양성 표본, 1, 2)
    loss = info_nce(query, _at(cosine), temperature=tau)
    (slope,) = torch.autograd.grad(loss.sum(), cosine)
    return loss.detach(), slope


def _descend(start: Tensor, labels: Tensor) -> Tensor:
    x = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=0.1)
    for _ in range(100):
        (x.grad,) = torch.autograd.grad(supcon(x, labels, temperature=0.5), x)
        optimizer.step()
    return x.detach()


def _same_pairs(x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    i, j = torch.triu_indices(len(x), len(x), 1)
    same = labels[i] == labels[j]
    return x[i[same]], x[j[same]]


def _on_circle(axis: Axes, x: Tensor, labels: Tensor) -> None:
    turn = torch.linspace(0, 2 * math.pi, 73)
    axis.plot(turn.cos(), turn.sin(), color=FAINT, linewidth=1)
    unit = x / x.norm(dim=1, keepdim=True)
    for label, (color, marker) in enumerate(((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D"))):
        own = unit[labels == label] * (1 + 0.05 * label)  # 겹친 점이 보이도록 조금씩 밖에
        axis.plot(own[:, 0], own[:, 1], marker, color=color, markersize=5, alpha=0.8)
    axis.set(aspect="equal", xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), xticks=[-1, 0, 1], yticks=[-1, 0, 1])


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
