"""`docs/contrastive/training.md`의 그림."""

import torch
from matplotlib.figure import Figure

from mgk_docs_src.contrastive import training
from mgk_docs_src.contrastive.losses import similarity_to_cosine
from mgk_docs_src.contrastive.training import (
    PRINTED_LABELS,
    PRINTED_LOSSES,
    PRINTED_PROBABILITIES,
    layer_similarities,
    pair_scores,
    random_pairs,
    simple_encoder,
)
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.random import generator

_FLOOR = 0.3133  # softplus(−1): 코사인이 1인 양성 쌍의 손실


def post_run() -> Figure:
    """원문이 출력한 손실과, 같은 실험을 다시 한 시드 셋의 손실."""
    epochs = range(1, len(PRINTED_LOSSES) + 1)
    with panels(height=3.2) as (figure, (axes,)):
        for seed in range(3):
            losses = training.post_run(test_pairs=1, generator=generator(seed)).losses
            label = "다시 한 시드 셋" if seed == 0 else None
            axes.plot(epochs, losses, color=BLUE, alpha=0.7, linewidth=1.4, label=label)
        axes.plot(epochs, PRINTED_LOSSES, "o-", color=ORANGE, label="글에 적힌 손실")
        axes.axhline(_FLOOR, color=INK, linewidth=1, linestyle=":")
        axes.annotate("바닥 0.3133", (1, _FLOOR), (0, 4), textcoords="offset points", color=INK, fontsize=9)
        axes.set(xlabel="에포크", ylabel="손실 (nat)", xticks=epochs, ylim=(0.25, 1.08))
        axes.legend(loc="upper right")
    return figure


def similarities_before() -> Figure:
    """학습 전, 서로 다른 난수 이미지의 코사인: 층을 지날 때마다의 평균과, 인코더의 출력에서의 분포."""
    images = random_pairs(16, generator=generator(0)).images.flatten(0, 1)  # 32장, 쌍 496개
    encoder = simple_encoder(generator=generator(1))
    names = ["입력", "합성곱", "ReLU", "풀링", "합성곱", "ReLU", "풀링", "펴기", "선형"]
    with torch.no_grad():
        similarity = pair_scores(encoder(images), torch.arange(len(images))).similarity
        pixels = pair_scores(images.flatten(1), torch.arange(len(images))).similarity
    with panels(2, height=2.6) as (figure, (layers, histogram)):
        layers.bar(range(len(names)), layer_similarities(encoder, images).tolist(), color=BLUE)
        layers.set(title="층을 지날 때마다의 평균 코사인", ylabel="평균 코사인", ylim=(0, 1))
        layers.set_xticks(range(len(names)), names, fontsize=9)
        edges = torch.linspace(-0.2, 1, 61)
        for values, color, name in ((pixels, FAINT, "화소"), (similarity, ORANGE, "학습 전의 임베딩")):
            counts = torch.histogram(values, edges).hist / len(values)
            histogram.stairs(counts, edges, fill=True, color=color, label=name)
        histogram.set(title="쌍 496개의 코사인", xlabel="코사인", ylabel="쌍의 비율")
        histogram.legend(loc="upper center")
        for axes in (layers, histogram):
            axes.set_axisbelow(True)
    return figure


def decoded() -> Figure:
    """원문이 코사인이라고 적은 시그모이드 값과, 되돌린 코사인."""
    probability = torch.tensor(PRINTED_PROBABILITIES, dtype=torch.float64)
    cosine = similarity_to_cosine(probability)
    curve = torch.linspace(-1, 1, 81, dtype=torch.float64)
    with panels(2, height=2.7) as (figure, (whole, near)):
        whole.plot(curve, torch.sigmoid(curve), color=BLUE, label="σ(코사인)")
        whole.axhline(0.5, color=INK, linewidth=1, linestyle=":")
        whole.plot(cosine, probability, "o", color=ORANGE, markersize=4, label="글에 적힌 여덟 값")
        whole.annotate("임계값 0.5는 코사인 0", (-0.95, 0.515), color=INK, fontsize=9)
        whole.set(xlabel="코사인", ylabel="글에 적힌 값", xlim=(-1, 1), ylim=(0.2, 0.8))
        whole.legend(loc="upper left", fontsize=9)
        for label, color, name in ((1, GREEN, "라벨 1"), (0, PURPLE, "라벨 0")):
            chosen = torch.tensor(PRINTED_LABELS) == label
            sample = chosen.nonzero().flatten() + 1
            near.plot(sample, cosine[chosen], "o", color=color, label=name)
        near.set(xlabel="테스트 쌍", ylabel="되돌린 코사인", xticks=range(1, 9), ylim=(0.86, 0.915))
        near.legend(loc="upper right", ncols=2, fontsize=9)
    return figure
