"""`docs/losses/categorical.md`의 그림."""

import torch
from matplotlib.figure import Figure

from mgk_docs_src.data import iris
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.losses.categorical import (
    cross_entropy,
    double_softmax_floor,
    fit_softmax_regression,
    label_smoothing_floor,
)

CLASSES = 5


def _margin(points: int = 200, *, high: float = 12.0) -> tuple[torch.Tensor, torch.Tensor]:
    """정답의 로짓만 m이고 나머지는 0인 로짓들. m을 여백(margin)이라 부른다."""
    margin = torch.linspace(-4, high, points)
    logits = torch.zeros(points, CLASSES)
    logits[:, 0] = margin
    return margin, logits


def double_softmax() -> Figure:
    """확률을 로짓 자리에 넣으면 손실이 바닥에 걸린다."""
    margin, logits = _margin()
    labels = torch.zeros(len(margin), dtype=torch.long)
    with panels() as (figure, (axes,)):
        axes.plot(margin, cross_entropy(logits, labels, reduction="none"), color=BLUE, label="로짓을 넣을 때")
        doubled = cross_entropy(torch.softmax(logits, dim=1), labels, reduction="none")
        axes.plot(margin, doubled, color=ORANGE, label="확률을 넣을 때")
        floor = double_softmax_floor(CLASSES)
        axes.axhline(floor, color=FAINT, linestyle="--")
        axes.annotate(f"바닥 {floor:.4f}", (margin[0], floor), (0, -14), textcoords="offset points", color=INK)
        axes.set(xlabel="정답 로짓이 나머지보다 큰 만큼", ylabel="손실 (nat)")
        axes.legend()
    return figure


def smoothing() -> Figure:
    """라벨 평활화: 손실이 가장 작은 여백이 유한해지고, 그 값이 바닥이다."""
    margin, logits = _margin()
    labels = torch.zeros(len(margin), dtype=torch.long)
    with panels() as (figure, (axes,)):
        for epsilon, color in ((0.0, BLUE), (0.1, GREEN), (0.2, PURPLE)):
            loss = cross_entropy(logits, labels, label_smoothing=epsilon, reduction="none")
            axes.plot(margin, loss, color=color, label=f"ε = {epsilon:g}")
            axes.axhline(label_smoothing_floor(CLASSES, epsilon), color=color, linestyle=":", linewidth=1)
        axes.set(xlabel="정답 로짓이 나머지보다 큰 만큼", ylabel="손실 (nat)")
        axes.legend()
    return figure


def training() -> Figure:
    """붓꽃 자료에서 소프트맥스 회귀의 손실: 로짓을 넣을 때."""
    data = iris()
    with panels() as (figure, (axes,)):
        for rate, color in ((0.1, GREEN), (0.5, BLUE), (2.0, ORANGE)):
            fit = fit_softmax_regression(
                data.features, data.labels, num_classes=len(data.classes), steps=200, learning_rate=rate
            )
            axes.semilogy(fit.losses.cpu(), color=color, label=f"학습률 {rate:g}")
        axes.set(xlabel="걸음", ylabel="손실 (nat)")
        axes.legend()
    return figure
