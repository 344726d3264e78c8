"""대조 학습의 손실을 pytorch-metric-learning과 나란히 잰다.

`python -m benchmarks.contrastive [--device cuda]`. 같은 배치의 손실과 기울기를 한 번의 실행에서 번갈아 구하고, 두
시간의 비의 중앙값을 쓴다. 값과 기울기가 얼마나 다른지도 함께 적는다. 결과는 페이지에 끼워 넣을 표로
`benchmarks/results/`에 쓴다. 장치가 CUDA이면 잴 때마다 동기화한다.
"""

import argparse
import datetime
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from pytorch_metric_learning import losses as peer
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mgk_docs_src.contrastive.losses import (
    batch_all_triplet,
    batch_hard_triplet,
    cosine_softmax,
    info_nce,
    nt_xent,
    supcon,
)
from mgk_docs_src.device import resolve
from mgk_docs_src.random import generator, randint, randn

RESULTS = Path(__file__).parent / "results"
CLASSES, DIMENSION = 10, 128
TEMPERATURE, MARGIN = 0.1, 0.2
SIZES = (64, 128, 256, 1024)
ROUNDS, BUDGET = 31, 10.0  # 반복 수와, 한 행에 쓰는 초
TOO_LARGE = 10**8  # 상대의 가장 큰 텐서가 이보다 많은 원소를 가지면 재지 않는다

Loss = Callable[[Tensor, Tensor], Tensor]


class Case(NamedTuple):
    """비교할 손실 하나: 이름, 이 책의 함수, 상대의 함수, 표본의 수로 추정한 상대의 가장 큰 텐서."""

    name: str
    ours: Loss
    theirs: Loss
    largest: Callable[[int], int]


def _twice(n: int, device: torch.device) -> Tensor:
    return torch.arange(n, device=device).repeat(2)


def two_views(x: Tensor, _labels: Tensor) -> Tensor:
    first, second = x.chunk(2)
    return nt_xent(first, second, temperature=TEMPERATURE)


def peer_two_views(x: Tensor, _labels: Tensor) -> Tensor:
    return peer.NTXentLoss(TEMPERATURE)(x, _twice(len(x) // 2, x.device))


def peer_two_views_as_supcon(x: Tensor, _labels: Tensor) -> Tensor:
    return peer.SupConLoss(TEMPERATURE)(x, _twice(len(x) // 2, x.device))


def keys(x: Tensor, _labels: Tensor) -> Tensor:
    query, key = x.chunk(2)
    return info_nce(query, key, temperature=TEMPERATURE)


def peer_keys(x: Tensor, _labels: Tensor) -> Tensor:
    query, key = x.chunk(2)
    own = torch.arange(len(query), device=x.device)
    # 같은 텐서를 라벨로 두 번 넘기면 양성 표본까지 자기 자신으로 보고 뺀다.
    return peer.NTXentLoss(TEMPERATURE)(query, own, ref_emb=key, ref_labels=own.clone())


def peer_hard(x: Tensor, labels: Tensor) -> Tensor:
    hardest = BatchHardMiner()(x, labels)
    return peer.TripletMarginLoss(MARGIN, reducer=MeanReducer())(x, labels, hardest)


def prototypes(x: Tensor) -> Tensor:
    return torch.linspace(-1, 1, CLASSES * DIMENSION, device=x.device, dtype=x.dtype).sin().view(CLASSES, DIMENSION)


def softmax(x: Tensor, labels: Tensor) -> Tensor:
    return cosine_softmax(x, prototypes(x), labels, scale=1 / TEMPERATURE)


def peer_softmax(x: Tensor, labels: Tensor) -> Tensor:
    loss = peer.NormalizedSoftmaxLoss(CLASSES, DIMENSION, temperature=TEMPERATURE).to(x.device, x.dtype)
    loss.W.data = prototypes(x).T
    value: Tensor = loss(x, labels)
    return value


CASES = [
    Case("SupCon", partial(supcon, temperature=TEMPERATURE), peer.SupConLoss(TEMPERATURE), lambda n: n**2),
    Case("NT-Xent", two_views, peer_two_views, lambda n: n**3),
    Case("NT-Xent, 상대는 SupConLoss로", two_views, peer_two_views_as_supcon, lambda n: n**2),
    Case("InfoNCE", keys, peer_keys, lambda n: (n // 2) ** 3),
    Case("트리플렛, 모두", partial(batch_all_triplet, margin=MARGIN), peer.TripletMarginLoss(MARGIN), lambda n: n**3),
    Case("트리플렛, 가장 어려운 것", partial(batch_hard_triplet, margin=MARGIN), peer_hard, lambda n: n**2),
    Case("코사인 소프트맥스", softmax, peer_softmax, lambda n: n * CLASSES),
]


def batch(n: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """표본 n개와 라벨. 클래스마다 적어도 둘이 되도록 앞에서부터 돌아가며 붙인 것을 섞는다."""
    g = generator(0)
    x = randn(n, DIMENSION, generator=g, device=device, dtype=dtype)
    order = torch.randperm(n, generator=g).to(device)
    first = randint(0, CLASSES, (1,), generator=g, device=device)
    return x.requires_grad_(), (first + torch.arange(n, device=device))[order] % CLASSES


def step(loss: Loss, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    value = loss(x, labels)
    return value.detach(), torch.autograd.grad(value, x)[0]


def seconds(loss: Loss, x: Tensor, labels: Tensor) -> float:
    synchronize = torch.cuda.synchronize if x.is_cuda else lambda: None
    synchronize()
    start = time.perf_counter()
    step(loss, x, labels)
    synchronize()
    return time.perf_counter() - start


def time_both(case: Case, x: Tensor, labels: Tensor) -> tuple[float, float]:
    """이 책의 초의 중앙값, 번갈아 잰 두 시간의 비(상대 ÷ 이 책)의 중앙값."""
    own, ratios, start = [], [], time.perf_counter()
    for turn in range(ROUNDS):
        pair = (case.ours, case.theirs) if turn % 2 else (case.theirs, case.ours)
        spent = {loss: seconds(loss, x, labels) for loss in pair}
        own.append(spent[case.ours])
        ratios.append(spent[case.theirs] / spent[case.ours])
        if time.perf_counter() - start > BUDGET:
            break
    return median(own), median(ratios)


def time_ours(case: Case, x: Tensor, labels: Tensor) -> float:
    return median(seconds(case.ours, x, labels) for _ in range(ROUNDS))


def difference(case: Case, n: int, device: torch.device) -> float:
    """float64로 구한 값과 기울기의 상대 차 가운데 큰 것. 기울기는 가장 큰 성분으로 나눈다."""
    x, labels = batch(n, device, torch.float64)
    ours, theirs = (step(loss, x, labels) for loss in (case.ours, case.theirs))
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs, strict=True))


class Largest(TorchDispatchMode):
    """만들어진 텐서 가운데 가장 큰 것의 원소 수."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = function(*args, **(kwargs or {}))
        sizes = (leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, Tensor))
        self.numel = max(self.numel, *sizes, 0)
        return out


def largest(loss: Loss, x: Tensor, labels: Tensor) -> int:
    """손실과 기울기를 구하는 동안 만든 가장 큰 텐서의 원소 수."""
    with Largest() as seen:
        step(loss, x, labels)
    return seen.numel


def row(case: Case, n: int, device: torch.device) -> str:
    x, labels = batch(n, device, torch.float32)
    step(case.ours, x, labels)  # 첫 호출의 준비는 재지 않는다
    size = largest(case.ours, x, labels) / n**2
    if case.largest(n) < TOO_LARGE:
        step(case.theirs, x, labels)
        own, ratio = time_both(case, x, labels)
        theirs = f"{largest(case.theirs, x, labels) / n**2:.1f}"
        cells = [f"{own * 1e3:.2f} ms", f"{own * ratio * 1e3:.2f} ms", f"{ratio:.2f}", f"{size:.1f}", theirs]
    else:
        cells = [f"{time_ours(case, x, labels) * 1e3:.2f} ms", "—", "—", f"{size:.1f}", "—"]
    off = f"{difference(case, n, device):.0e}" if case.largest(n) < TOO_LARGE else "—"
    line = [case.name, str(n), *cells, off]
    print("  ".join(line), flush=True)
    return f"| {' | '.join(line)} |"


def table(device: torch.device) -> list[str]:
    place = "CPU 스레드 1개" if device.type == "cpu" else torch.cuda.get_device_name(device)
    head = ["손실", "n", "이 책", "상대", "상대 ÷ 이 책", "이 책의 텐서", "상대의 텐서", "차이"]
    rows = [row(case, n, device) for case in CASES for n in SIZES]
    versions = (
        f"torch {torch.__version__.partition('+')[0]}, pytorch-metric-learning {version('pytorch-metric-learning')}"
    )
    day = f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}"
    note = (
        f"{place}, {versions}, fp32, {day}. 상대는 pytorch-metric-learning, 표본 n개(두 뷰는 n/2개씩), "
        f"차원 {DIMENSION}, 클래스 {CLASSES}개. 손실과 기울기를 구하는 시간. ‘텐서’는 만든 가장 큰 텐서의 원소 수를 "
        "n²으로 나눈 것, ‘차이’는 fp64로 구한 값과 기울기의 가장 큰 상대 차. ‘—’는 상대의 가장 큰 텐서가 원소 1억 개를 "
        "넘어 재지 않은 것."
    )
    return [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}", *rows, "", note, ""]


def main(arguments: list[str] | None = None) -> None:
    """표를 쓴다."""
    parser = argparse.ArgumentParser(description="대조 학습의 손실을 pytorch-metric-learning과 나란히 잰다")
    parser.add_argument("--device", default="cpu", help="cpu, cuda. 없는 장치는 오류다")
    device = resolve(parser.parse_args(arguments).device)
    torch.set_num_threads(1)
    RESULTS.mkdir(exist_ok=True)
    place = "" if device.type == "cpu" else f"-{device.type}"
    (RESULTS / f"contrastive-losses{place}.md").write_text("\n".join(table(device)), "utf-8")


if __name__ == "__main__":
    main()
