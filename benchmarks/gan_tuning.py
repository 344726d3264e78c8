"""GAN 실습의 네 방법을 학습률과 세기의 격자에서 학습한다: `python -m benchmarks.gan_tuning`.

실습이 손으로 정한 설정이 그 격자의 어디쯤인지 본다. 시드는 실습이 쓰지 않는 넷이고, 방법마다 학습률 넷을 똑같이
본다. CPU 스레드 하나로 20분쯤 걸린다. 결과는 `benchmarks/results/gan-tuning.md`에 표로 쓴다.
"""

import argparse
import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from mgk_docs_src.data import eight_gaussians, mode_coverage
from mgk_docs_src.random import generator
from mgk_docs_src.transport.gan import NON_SATURATING, SATURATING, Method, generate, train_gan, wgan_clip, wgan_gp
from mgk_docs_src.transport.wasserstein import wasserstein

RESULTS = Path(__file__).parent / "results"
SEEDS = range(10, 14)  # 실습은 0–9를 쓴다
STEPS, SIZE = 2000, 1024  # 생성자의 스텝 수는 실습과 같다. 거리는 표본 1024개로 잰다
RATES = (0.0005, 0.001, 0.002, 0.004)
FAMILIES: dict[str, tuple[Callable[[float], Method], tuple[float, ...]]] = {
    "GAN, 포화": (lambda _: SATURATING, (0.0,)),
    "GAN, 포화하지 않음": (lambda _: NON_SATURATING, (0.0,)),
    "WGAN, 자르기": (wgan_clip, (0.03, 0.1, 0.3)),
    "WGAN-GP": (wgan_gp, (0.1, 1.0, 10.0)),
}
HEAD = ("방법", "세기", "학습률", "봉우리", "3σ 안", "W₁")


class Tried(NamedTuple):
    """한 설정에서 시드마다의 점수: 찾은 봉우리, 3σ 안의 비율, 정확한 W₁."""

    strength: float
    rate: float
    modes: Tensor
    within: Tensor
    distance: Tensor


def draw(n: int, offset: int, seeds: range) -> Tensor:
    """시드마다 따로 뽑은 데이터. 실습과 같은 규칙이다."""
    return torch.stack([eight_gaussians(n, generator=generator(offset + seed)) for seed in seeds])


def tried(method: Method, strength: float, rate: float, *, seeds: range = SEEDS, steps: int = STEPS) -> Tried:
    """한 설정으로 학습하고 잰다."""
    gan = train_gan(
        draw(8192, 0, seeds),
        method=method,
        steps=steps,
        learning_rate=rate,
        generators=[generator(100_000 + seed) for seed in seeds],
    )
    made = generate(gan.generator, 8192, generators=[generator(200_000 + seed) for seed in seeds])
    found = mode_coverage(made)
    pairs = zip(made[:, :SIZE], draw(SIZE, 1000, seeds), strict=True)
    return Tried(strength, rate, found.modes, found.within, torch.stack([wasserstein(x, y) for x, y in pairs]))


def rows(family: str, found: list[Tried]) -> Iterator[str]:
    """한 방법의 모든 설정을 표의 줄로. W₁의 평균이 가장 작은 것이 굵다."""
    best = min(found, key=lambda one: float(one.distance.mean()))
    for one in found:
        distance = f"{one.distance.mean():.3f} ± {one.distance.std():.3f}"
        cells = [
            family,
            f"{one.strength:g}" if one.strength else "–",
            f"{one.rate:g}",
            f"{one.modes.min():.0f}",
            f"{one.within.mean():.3f}",
            f"**{distance}**" if one is best else distance,
        ]
        print("  ".join(cells), flush=True)
        yield f"| {' | '.join(cells)} |"


def main(results: Path = RESULTS, *, seeds: range = SEEDS, steps: int = STEPS) -> None:
    """모든 설정을 재어 표를 쓴다."""
    body = [
        row
        for family, (make, strengths) in FAMILIES.items()
        for row in rows(
            family,
            [
                tried(make(strength), strength, rate, seeds=seeds, steps=steps)
                for strength in strengths
                for rate in RATES
            ],
        )
    ]
    version, today = torch.__version__.partition("+")[0], datetime.datetime.now(tz=datetime.UTC)
    note = (
        f"CPU 스레드 1개, torch {version}, {today:%Y-%m-%d}. 시드 {len(seeds)}개의 평균 ± 표준 편차, "
        f"생성자 {steps}스텝, $W_1$은 표본 {SIZE}개로 잰다. 봉우리는 가장 나쁜 시드의 수다. "
        "방법마다 $W_1$의 평균이 가장 작은 설정이 굵다. 세기는 WGAN-GP에서 그래디언트 페널티의 λ, 자르기에서 한계 c다."
    )
    lines = [f"| {' | '.join(HEAD)} |", "| --- | ---: | ---: | ---: | ---: | ---: |", *body, "", note, ""]
    (results / "gan-tuning.md").write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    main()
