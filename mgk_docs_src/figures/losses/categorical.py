"""`docs/losses/categorical.md`의 그림."""

import torch
from matplotlib.figure import Figure

from mgk_docs_src.data import iris
from mgk_docs_src.figures.moving import Moving, Reading, knob, trace
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.losses.categorical import (
    cross_entropy,
    double_softmax_floor,
    fit_softmax_regression,
    label_smoothing_floor,
    smooth_labels,
)

CLASSES = 5


def _margin(points: int = 200, *, high: float = 12.0) -> tuple[torch.Tensor, torch.Tensor]:
    """정답의 로짓만 m이고 나머지는 0인 로짓들. m을 마진(margin)이라 부른다."""
    margin = torch.linspace(-4, high, points)
    logits = torch.zeros(points, CLASSES)
    logits[:, 0] = margin
    return margin, logits


def double_softmax() -> Figure:
    """로짓 대신 확률을 넣으면 손실이 바닥에 걸린다."""
    margin, logits = _margin()
    labels = torch.zeros(len(margin), dtype=torch.long)
    with panels() as (figure, (axes,)):
        axes.plot(margin, cross_entropy(logits, labels, reduction="none"), color=BLUE, label="로짓을 넣을 때")
        doubled = cross_entropy(torch.softmax(logits, dim=1), labels, reduction="none")
        axes.plot(margin, doubled, color=ORANGE, label="확률을 넣을 때")
        floor = double_softmax_floor(CLASSES)
        axes.axhline(floor, color=FAINT, linestyle="--")
        axes.annotate(f"바닥 {floor:.4f}", (margin[0], floor), (0, -14), textcoords="offset points", color=INK)
        axes.set(xlabel="마진: 정답의 로짓이 나머지보다 큰 만큼", ylabel="손실 (nat)")
        axes.legend()
    return figure


def smoothing() -> Figure:
    """라벨 스무딩: 손실이 가장 작은 마진이 유한해지고, 거기서의 손실이 바닥이다."""
    margin, logits = _margin()
    labels = torch.zeros(len(margin), dtype=torch.long)
    with panels() as (figure, (axes,)):
        for epsilon, color in ((0.0, BLUE), (0.1, GREEN), (0.2, PURPLE)):
            loss = cross_entropy(logits, labels, label_smoothing=epsilon, reduction="none")
            axes.plot(margin, loss, color=color, label=f"ε = {epsilon:g}")
            axes.axhline(label_smoothing_floor(CLASSES, epsilon), color=color, linestyle=":", linewidth=1)
        axes.set(xlabel="마진: 정답의 로짓이 나머지보다 큰 만큼", ylabel="손실 (nat)")
        axes.legend()
    return figure


def smoothing_live() -> Moving:
    """마진과 ε을 슬라이더로 움직인다: 손실과 바닥, 아래는 스무딩한 라벨과 모델의 확률."""
    epsilons, margins = torch.arange(11) / 20, torch.arange(-8, 25) / 2
    line, logits = _margin(81)
    at = torch.zeros(len(margins), CLASSES)
    at[:, 0] = margins
    label = torch.zeros(1, dtype=torch.long)
    settings = [float(epsilon) for epsilon in epsilons]

    def losses(z: torch.Tensor) -> torch.Tensor:  # (ε, 마진)
        labels = label.expand(len(z))
        return torch.stack([cross_entropy(z, labels, label_smoothing=e, reduction="none") for e in settings])

    loss = losses(at).T  # (마진, ε)
    floor = torch.tensor([label_smoothing_floor(CLASSES, e) for e in settings])
    one_hot = torch.nn.functional.one_hot(label, CLASSES).float()
    target = torch.stack([smooth_labels(one_hot, e)[0] for e in settings])  # (ε, 클래스)
    best = (target[:, 0] / target[:, 1]).log()  # 확률이 라벨과 같아지는 마진
    guess = torch.softmax(at, 1)
    classes = torch.arange(CLASSES)
    with panels(2, height=2.5) as (figure, (above, below)):
        traces = [
            trace(above, line, losses(logits)[None], color=BLUE, label="손실"),
            trace(above, torch.tensor([-4.0, 12.0]), floor[None, :, None], color=GREEN, width=1.2, label="바닥"),
            trace(above, best[None, :, None], floor[None, :, None], kind="dots", color=GREEN, width=8),
            trace(above, margins[:, None, None], loss[..., None], kind="dots", color=ORANGE, width=9),
            trace(below, classes - 0.15, target[None], kind="bars", color=GREEN, width=14, label="라벨"),
            trace(below, classes + 0.15, guess[:, None], kind="bars", color=ORANGE, width=14, label="모델의 확률"),
        ]
        above.set(xlabel="마진: 정답의 로짓이 나머지보다 큰 만큼", ylabel="손실 (nat)", xlim=(-4, 12), ylim=(-0.3, 6.3))
        below.set(ylabel="확률", xlim=(-0.6, CLASSES - 0.4), ylim=(0, 1.05))
        below.set_xticks(classes, ["정답", *(f"클래스 {number}" for number in range(1, CLASSES))])
        above.legend(loc="upper right")
        below.legend(loc="upper right")
    readings = [
        Reading("손실 {:z.4f}", loss),
        Reading("바닥 {:z.4f}", floor[None]),
        Reading("바닥의 마진 {:.2f}", best[None]),
        Reading("정답의 확률 {:.3f}", guess[:, :1]),
    ]
    return Moving(figure, [knob("마진 m", margins, 20), knob("라벨 스무딩 ε", epsilons, 2)], traces, readings)


def training() -> Figure:
    """붓꽃 데이터에서 소프트맥스 회귀의 손실: 로짓을 넣을 때."""
    data = iris()
    with panels() as (figure, (axes,)):
        for rate, color in ((0.1, GREEN), (0.5, BLUE), (2.0, ORANGE)):
            fit = fit_softmax_regression(
                data.features, data.labels, num_classes=len(data.classes), steps=200, learning_rate=rate
            )
            axes.semilogy(fit.losses.cpu(), color=color, label=f"학습률 {rate:g}")
        axes.set(xlabel="학습 스텝", ylabel="손실 (nat)")
        axes.legend()
    return figure
