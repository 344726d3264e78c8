"""`docs/losses/binary.md`의 그림."""

import torch
from matplotlib.figure import Figure

from mgk_docs_src.figures.style import BLUE, ORANGE, panels


def penalty() -> Figure:
    """라벨이 1일 때와 0일 때, 확률에 대한 벌점."""
    p = torch.linspace(0.001, 0.999, 400)
    with panels(1) as (figure, (axes,)):
        axes.plot(p, -torch.log(p), color=BLUE, label=r"$y=1$: $-\log p$")
        axes.plot(p, -torch.log(1 - p), color=ORANGE, label=r"$y=0$: $-\log(1-p)$")
        axes.set(xlabel="예측 확률 $p$", ylabel="손실 (nat)")
        axes.legend()
    return figure
