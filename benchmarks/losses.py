"""손실 함수의 시간과 메모리를 torch의 같은 함수와 나란히 잰다.

`python -m benchmarks.losses`. 표의 이름(`binary`, `fused`, `categorical`)을 주면 그 표만 잰다. 같은 입력으로 한 번의
실행에서 번갈아 호출하고, 쌍마다 구한 비율의 중앙값을 쓴다. 컴퓨터가 흔들려도 비율은 덜 흔들린다. 결과는 페이지에 넣을
표로 `benchmarks/results/`에 쓴다.
"""

import datetime
import gc
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from mgk_docs_src.losses.binary import bce, bce_with_logits
from mgk_docs_src.losses.categorical import cross_entropy

RESULTS = Path(__file__).parent / "results"
SIZES = (10**3, 10**6, 10**7)
CLASSES = 10

Loss = Callable[[Tensor, Tensor], Tensor]


class Case(NamedTuple):
    """비교할 것 하나: 이름, 입력을 만드는 방법, 측정할 함수, 비교할 torch의 함수."""

    name: str
    inputs: Callable[[int], tuple[Tensor, Tensor]]
    ours: Loss
    theirs: Loss


def hard(n: int) -> tuple[Tensor, Tensor]:
    return torch.randn(n), torch.randint(0, 2, (n,)).float()


def soft(n: int) -> tuple[Tensor, Tensor]:
    return torch.randn(n), torch.rand(n)


def probabilities(n: int) -> tuple[Tensor, Tensor]:
    return torch.rand(n).clamp(1e-3, 1 - 1e-3), torch.randint(0, 2, (n,)).float()


def labels(n: int) -> tuple[Tensor, Tensor]:
    return torch.randn(n // CLASSES, CLASSES), torch.randint(0, CLASSES, (n // CLASSES,))


def distributions(n: int) -> tuple[Tensor, Tensor]:
    return torch.randn(n // CLASSES, CLASSES), torch.randn(n // CLASSES, CLASSES).softmax(dim=1)


def after_sigmoid(logits: Tensor, target: Tensor) -> Tensor:
    """시그모이드와 `BCELoss`를 따로: `BCEWithLogitsLoss`가 합친 둘."""
    return F.binary_cross_entropy(torch.sigmoid(logits), target)


def unchecked(logits: Tensor, target: Tensor) -> Tensor:
    """하드 라벨의 식만. 값 검사가 얼마를 차지하는지 보인다."""
    return F.softplus(torch.rsub(target, 1, alpha=2) * logits, threshold=40.0).mean()


BINARY = [
    Case("로짓, 하드 라벨 (그대로)", hard, bce_with_logits, F.binary_cross_entropy_with_logits),
    Case("로짓, 하드 라벨 (검사 없이)", hard, unchecked, F.binary_cross_entropy_with_logits),
    Case("로짓, 소프트 라벨", soft, bce_with_logits, F.binary_cross_entropy_with_logits),
    Case("확률", probabilities, bce, F.binary_cross_entropy),
]
FUSED = [Case("합친 것 ÷ 따로 한 것", hard, F.binary_cross_entropy_with_logits, after_sigmoid)]
CATEGORICAL = [
    Case("정수 라벨", labels, cross_entropy, F.cross_entropy),
    Case(
        "정수 라벨, 라벨 스무딩 0.1",
        labels,
        partial(cross_entropy, label_smoothing=0.1),
        partial(F.cross_entropy, label_smoothing=0.1),
    ),
    Case("확률 라벨", distributions, cross_entropy, F.cross_entropy),
]
TABLES = {
    "binary": (BINARY, "이 책 ÷ torch"),
    "fused": (FUSED, "`BCEWithLogitsLoss` ÷ 시그모이드 뒤의 `BCELoss`"),
    "categorical": (CATEGORICAL, "이 책 ÷ torch"),
}


def forward(loss: Loss, x: Tensor, y: Tensor) -> None:
    with torch.no_grad():
        loss(x, y)


def forward_backward(loss: Loss, x: Tensor, y: Tensor) -> None:
    x.grad = None
    loss(x, y).backward()


def time_ratio(step: Callable[..., None], ours: Loss, theirs: Loss, x: Tensor, y: Tensor) -> float:
    """번갈아 잰 두 시간의 비의 중앙값. 순서가 이롭지 않도록 차례마다 앞뒤를 바꾼다."""
    rounds = max(7, min(400, 20_000_000 // x.numel()))
    ratios = []
    for turn in range(rounds):
        spent = {}
        for loss in (ours, theirs) if turn % 2 else (theirs, ours):
            start = time.perf_counter()
            step(loss, x, y)
            spent[loss] = time.perf_counter() - start
        ratios.append(spent[ours] / spent[theirs])
    return median(ratios)


def peak_bytes(loss: Loss, x: Tensor, y: Tensor) -> int:
    """앞뒤로 한 번 가는 동안 더 잡고 있던 바이트의 최댓값. 할당과 반납을 차례대로 더한다."""
    x.grad = None
    gc.collect()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        loss(x, y).backward()
    # 공개된 events()는 끝까지 남은 할당만 보인다. 기록 원본에는 모든 할당과 반납이 차례대로 있다.
    events = (event for event in recorded.profiler.kineto_results.events() if event.name() == "[memory]")
    held = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def row(case: Case, size: int, *, compiled: bool) -> str:
    torch.manual_seed(0)
    x, y = case.inputs(size)
    x.requires_grad_()
    ours, theirs = case.ours, case.theirs
    if compiled:
        torch.compiler.reset()
        ours, theirs = torch.compile(ours, dynamic=False), torch.compile(theirs, dynamic=False)
    for loss in (ours, theirs):  # 첫 호출은 컴파일과 첫 할당이다
        forward(loss, x, y)
        forward_backward(loss, x, y)
    ratios = [time_ratio(step, ours, theirs, x, y) for step in (forward, forward_backward)]
    memory = peak_bytes(ours, x, y) / peak_bytes(theirs, x, y)
    mode = "컴파일" if compiled else "그대로 실행"
    cells = [case.name, f"$10^{len(str(size)) - 1}$", mode, *(f"{ratio:.2f}" for ratio in (*ratios, memory))]
    print("  ".join(cells), flush=True)
    return f"| {' | '.join(cells)} |"


def table(name: str) -> None:
    """표 하나를 재고 쓴다."""
    cases, ratio = TABLES[name]
    rows = [row(case, size, compiled=compiled) for case in cases for compiled in (False, True) for size in SIZES]
    head = "| 입력 | 원소 수 | 실행 | 앞으로 | 앞뒤로 | 최대 메모리 |\n| --- | --- | --- | ---: | ---: | ---: |"
    note = (
        f"CPU 스레드 {torch.get_num_threads()}개, torch {torch.__version__.partition('+')[0]}, fp32, 평균 손실, "
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}. ‘앞뒤로’는 손실과 기울기, 모든 칸은 {ratio}."
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"losses-{name}.md").write_text("\n".join([head, *rows, "", note, ""]), "utf-8")


def main(*names: str) -> None:
    """이름을 댄 표를, 대지 않으면 모두 쓴다."""
    torch.set_num_threads(1)
    for name in names or TABLES:
        table(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
