"""`docs/losses/binary.md`의 그림."""

import math

import torch
from matplotlib.figure import Figure
from torch import nn

from mgk_docs_src.figures.moving import Moving, Reading, knob, trace
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.losses.binary import bce, bce_with_logits, bce_with_logits_grad, entropy


def penalty() -> Figure:
    """라벨이 1일 때와 0일 때, 예측 확률에 대한 벌점."""
    p = torch.linspace(0.002, 0.998, 250)
    with panels() as (figure, (axes,)):
        for label, color, name in ((1.0, BLUE, "y = 1:  −log p"), (0.0, ORANGE, "y = 0:  −log(1 − p)")):
            axes.plot(p, bce(p, torch.full_like(p, label), reduction="none"), color=color, label=name)
        axes.set(xlabel="1이라고 예측한 확률 p", ylabel="손실 (nat)", ylim=(-0.15, 6.2))
        axes.legend(loc="upper center")
    return figure


def mixture() -> Figure:
    """라벨 y가 두 손실을 섞는다: 로짓에 대한 손실과 기울기."""
    z = torch.linspace(-6, 6, 241)
    with panels(2) as (figure, (left, right)):
        for label, color in ((0.0, ORANGE), (0.3, GREEN), (1.0, BLUE)):
            target = torch.full_like(z, label)
            left.plot(z, bce_with_logits(z, target, reduction="none"), color=color, label=f"y = {label:g}")
            right.plot(z, bce_with_logits_grad(z, target), color=color, label=f"y = {label:g}")
        left.set(title="손실", xlabel="로짓 z", ylabel="손실 (nat)")
        right.set(title="기울기 σ(z) − y", xlabel="로짓 z", ylabel="기울기")
        left.legend(loc="upper center")
    return figure


def bce_live() -> Moving:
    """로짓과 라벨을 슬라이더로 움직인다: 손실의 점과 그 점의 접선, 아래는 접선의 기울기."""
    labels = torch.arange(11, dtype=torch.float64) / 10
    logits = torch.arange(-12, 13, dtype=torch.float64) / 2
    z, y = logits[:, None].expand(-1, 11), labels.expand(25, -1)  # 슬라이더: 로짓, 라벨
    loss, slope = bce_with_logits(z, y, reduction="none"), bce_with_logits_grad(z, y)
    line = torch.linspace(-6, 6, 61, dtype=torch.float64).expand(11, -1)
    target = labels[:, None].expand(-1, 61)
    span = torch.tensor([-1.6, 1.6], dtype=torch.float64)
    with panels(2, height=2.5) as (figure, (above, below)):
        curve = bce_with_logits(line, target, reduction="none")[None]
        sloped = bce_with_logits_grad(line, target)[None]
        traces = [
            trace(above, line[None], curve, color=BLUE, label="손실"),
            trace(above, z[..., None] + span, loss[..., None] + slope[..., None] * span, color=ORANGE, label="접선"),
            trace(above, z[..., None], loss[..., None], kind="dots", color=ORANGE, width=9),
            trace(below, line[None], sloped, color=GREEN),
            trace(below, z[..., None], slope[..., None], kind="dots", color=ORANGE, width=9),
        ]
        above.set(title="손실 −y log σ(z) − (1 − y) log(1 − σ(z))", ylabel="손실 (nat)", xlim=(-6, 6), ylim=(-0.3, 6.3))
        below.set(title="기울기 σ(z) − y", xlabel="로짓 z", ylabel="기울기", xlim=(-6, 6), ylim=(-1.1, 1.1))
        above.legend(loc="upper center", ncols=2)
    knobs = [knob("로짓 z", logits, 10), knob("라벨 y", labels, 10)]
    readings = [
        Reading("σ(z) = {:.3f}", torch.sigmoid(z)),
        Reading("손실 {:z.4f}", loss),
        Reading("기울기 {:z.3f}", slope),
        Reading("이 라벨의 바닥 {:z.4f}", entropy(torch.stack([y, 1 - y], -1))),
    ]
    return Moving(figure, knobs, traces, readings)


def vanishing() -> Figure:
    """틀린 답(y = 0)에 점점 더 확신할 때, fp32에서 손실과 기울기가 어떻게 되나."""
    z = torch.linspace(0, 30, 301, requires_grad=True)
    target = torch.zeros_like(z)
    clamped = nn.BCELoss(reduction="none")(torch.sigmoid(z), target)
    (dead,) = torch.autograd.grad(clamped.sum(), z)
    x = z.detach()
    with panels(2) as (figure, (left, right)):
        left.plot(x, clamped.detach(), color=ORANGE, label="BCELoss(sigmoid(z))")
        left.plot(x, bce_with_logits(x, target, reduction="none"), color=BLUE, label="로짓에서 바로")
        right.plot(x, dead, color=ORANGE)
        right.plot(x, bce_with_logits_grad(x, target), color=BLUE)
        left.set(title="손실", xlabel="로짓 z (정답은 0)", ylabel="손실 (nat)")
        right.set(title="기울기", xlabel="로짓 z (정답은 0)", ylabel="기울기", ylim=(-0.05, 1.3))
        left.legend(loc="upper left")
    return figure


def staircase() -> Figure:
    """잘 맞힌 쪽(y = 0)에서 fp32의 손실: 상쇄로 남는 값은 간격의 정수배뿐이다."""
    z = torch.linspace(-17.5, -11.5, 901)
    target = torch.zeros_like(z)
    fused = nn.functional.binary_cross_entropy_with_logits(z, target, reduction="none")
    with panels() as (figure, (axes,)):
        axes.plot(z, fused * 1e6, color=ORANGE, label="torch의 합친 식")
        axes.plot(z, bce_with_logits(z, target, reduction="none") * 1e6, color=BLUE, label="이 책의 식")
        edge = math.log(2**-21)  # [8, 16)의 간격의 절반
        axes.axvline(edge, color=FAINT, linestyle="--")
        axes.annotate(f"z = {edge:.1f}".replace("-", "−"), (edge, 6), (-64, 0), textcoords="offset points", color=INK)
        axes.set(xlabel="로짓 z (정답은 0)", ylabel="손실 (10⁻⁶ nat)")
        axes.legend(loc="upper left")
    return figure


def precision() -> Figure:
    """fp32에서 세 가지 식의 상대 오차. 1이면 유효 숫자가 하나도 남지 않았다."""
    z = torch.linspace(-40, 40, 321)
    with panels(2) as (figure, axes):
        for axis, label in zip(axes, (0.0, 1.0), strict=True):
            target = torch.full_like(z, label)
            truth = bce_with_logits(z.double(), target.double(), reduction="none")
            fused = nn.functional.binary_cross_entropy_with_logits(z, target, reduction="none")
            shifted = nn.functional.softplus(z) - target * z
            ours = bce_with_logits(z, target, reduction="none")
            for values, color, name in (
                (fused, ORANGE, "torch의 합친 식"),
                (shifted, PURPLE, "softplus(z) − yz"),
                (ours, BLUE, "이 책의 식"),
            ):
                error = ((values.double() - truth) / truth).abs().clamp(min=1e-9)
                axis.semilogy(z, error, color=color, label=name, linewidth=1.4)
            axis.axhline(2**-24, color=FAINT, linestyle="--")
            axis.annotate("반올림 한 번", (-39, 2**-24), (0, -12), textcoords="offset points", color=INK, fontsize=9)
            axis.set(title=f"y = {label:g}", xlabel="로짓 z", ylabel="상대 오차", ylim=(4e-10, 20))
        axes[1].legend(loc="upper left", fontsize=9)
    return figure
