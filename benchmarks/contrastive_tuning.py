"""대조 학습 실습의 스케일, 마진, 온도를 정한 격자: `python -m benchmarks.contrastive_tuning`.

손실마다 값을 바꾸며, 실습이 쓰지 않는 시드 100–102에서 실습의 기준 인코더를 150스텝 학습하고, 검증 쌍의 AUC를 출력한다.
테스트 데이터는 보지 않는다. CPU 하나로 몇 분 걸린다.
"""

import argparse
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mgk_docs_src.contrastive import losses
from mgk_docs_src.contrastive.training import (
    Objective,
    class_pairs,
    convolutional_encoder,
    embed,
    pair_scores,
    train_encoder,
    views,
)
from mgk_docs_src.labs.contrastive import Split, digit_split
from mgk_docs_src.metrics import roc_auc
from mgk_docs_src.random import generator, randn

SEEDS, STEPS, BATCH = (100, 101, 102), 150, 128


class Grid(NamedTuple):
    """손실 하나의 격자: 이름, 값들, 값에서 손실을 만드는 함수, 쌍으로 학습하는가, 함께 학습하는 값."""

    name: str
    values: tuple[float, ...]
    objective: Callable[[float], Objective]
    pairs: bool
    extra: Tensor | None = None


def _pair(z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return losses.cosine_similarity(z[0], z[1]), y[0] == y[1]


def _scaled(scale: float) -> Objective:
    return lambda z, y, _: losses.cosine_bce(*_pair(z, y), scale=scale, bias=-scale / 2)


def _margin(margin: float) -> Objective:
    def objective(z: Tensor, y: Tensor, _: Tensor) -> Tensor:
        first, second = losses.unit_vectors(first=z[0], second=z[1])
        distance = torch.linalg.vector_norm(first - second, dim=1)
        return losses.pairwise_margin(distance, y[0] == y[1], margin=margin)

    return objective


GRIDS = (
    Grid("스케일 (편향은 −스케일/2)", (5.0, 10.0, 20.0), _scaled, pairs=True),
    Grid("마진 손실의 마진", (0.5, 1.0, 1.4), _margin, pairs=True),
    Grid(
        "트리플렛 손실의 마진",
        (0.2, 0.5, 1.0),
        lambda margin: lambda z, y, _: losses.batch_all_triplet(z[0], y[0], margin=margin),
        pairs=False,
    ),
    Grid(
        "SupCon의 온도",
        (0.05, 0.1, 0.2, 0.5),
        lambda tau: lambda z, y, _: losses.supcon(z[0], y[0], temperature=tau),
        pairs=False,
    ),
    Grid(
        "코사인 소프트맥스의 스케일",
        (5.0, 10.0, 20.0),
        lambda scale: lambda z, y, w: losses.cosine_softmax(z[0], w, y[0], scale=scale),
        pairs=False,
        extra=randn(10, 64, generator=generator(7)),
    ),
)


def validated(grid: Grid, value: float, split: Split, seed: int, *, steps: int = STEPS) -> float:
    """그 값으로 학습한 인코더의, 검증 쌍의 AUC."""
    draw, size = (class_pairs, BATCH // 2) if grid.pairs else (views, BATCH)
    learned = train_encoder(
        convolutional_encoder(1, 8, generator=generator(seed)),
        lambda g: draw(*split.train, size=size, generator=g),
        grid.objective(value),
        grid.extra,
        steps=steps,
        learning_rate=0.001,
        generator=generator(1000 + seed),
    )
    similarity, same = pair_scores(embed(learned.encoder, split.valid.images), split.valid.labels)
    return float(roc_auc(similarity[same], similarity[~same]))


def chosen(found: dict[float, list[float]]) -> float:
    """시드에 평균한 AUC가 가장 높은 값."""
    return max(found, key=lambda value: math.fsum(found[value]))


def main(*, seeds: tuple[int, ...] = SEEDS, steps: int = STEPS) -> None:
    splits = [digit_split(seed) for seed in seeds]
    for grid in GRIDS:
        found = {
            value: [validated(grid, value, split, seed, steps=steps) for seed, split in zip(seeds, splits, strict=True)]
            for value in grid.values
        }
        told = ", ".join(f"{value:g}: {100 * math.fsum(each) / len(each):.2f}" for value, each in found.items())
        print(f"{grid.name}: 검증 AUC(%) {told} → {chosen(found):g}", flush=True)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    main()
