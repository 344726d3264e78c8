"""싱크혼 풀이의 방법을 하나씩 빼며, 정확한 풀이와 나란히 잰다. 쉬운 구름, 먼 덩어리, 두꺼운 꼬리, 64차원에서.

`python -m benchmarks.sinkhorn_ablation`. CPU 스레드 하나, 1분쯤. 결과는 `benchmarks/results/`에 표로 쓴다.
"""

import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.transport import NAME, stamp
from mgk_docs_src.random import generator, rand, randint, randn
from mgk_docs_src.transport import sinkhorn as module
from mgk_docs_src.transport.sinkhorn import Sinkhorn, sinkhorn
from mgk_docs_src.transport.wasserstein import cost_matrix, optimal_plan

RESULTS = Path(__file__).parent / "results"
POINTS, LIMIT = 400, 3000  # 점의 수, 반복의 한도
WITHOUT: dict[str, dict[str, float]] = {
    NAME: {},
    "ε 스케일링 없음": {"_COOLING": 1e300},
    "느슨한 ε 스케일링": {"_WARM": 1.0},
    "과이완 없음": {"_OMEGA": 1.0},
    "뉴턴 방법 없음": {"_PATIENCE": 10**9},
    "작은 뉴턴 스텝": {"_STRIDE": 1.0},
}


def geometries(n: int) -> dict[str, tuple[Tensor, Tensor, float]]:
    """이름마다 두 구름과 ε."""
    g = generator(0)

    def normal(d: int = 2) -> Tensor:
        return randn(n, d, generator=g, dtype=torch.float64)

    def tailed() -> Tensor:
        return normal() / rand(n, 1, generator=g, dtype=torch.float64)

    square = 3**0.5 * (2 * rand(n, 2, generator=g, dtype=torch.float64) - 1) + 1
    centres = 100 * randn(10, 2, generator=g, dtype=torch.float64)
    same = centres[torch.arange(n) % 10]
    first, second = (centres[randint(0, 10, (n,), generator=g)] for _ in range(2))
    easy = normal(), square
    return {
        "쉬운 구름": (*easy, 0.05),
        "쉬운 구름, 작은 ε": (*easy, 0.01),
        "먼 덩어리 열, 같은 질량": (same + normal(), same + normal(), 0.05),
        "먼 덩어리 열, 다른 질량": (first + normal(), second + normal(), 0.05),
        "두꺼운 꼬리": (tailed(), tailed(), 0.05),
        "64차원": (normal(64), normal(64), 0.05),
        "64차원, 작은 ε": (normal(64), normal(64), 0.01),
    }


def solved(cost: Tensor, epsilon: float, changes: dict[str, float]) -> tuple[float, Sinkhorn]:
    """상수를 바꾸어 푼 시간과 해."""
    with ExitStack() as stack:
        for name, value in changes.items():
            stack.enter_context(patch.object(module, name, value))
        start = time.perf_counter()
        found = sinkhorn(cost, epsilon=epsilon, max_iterations=LIMIT)
        return time.perf_counter() - start, found


def row(name: str, x: Tensor, y: Tensor, epsilon: float) -> str:
    cost = cost_matrix(x, y)
    optimal_plan(cost)
    start = time.perf_counter()
    optimal_plan(cost)
    exact = time.perf_counter() - start
    cells = [name, f"{epsilon:g}", f"{exact:.3f} s"]
    for changes in WITHOUT.values():
        spent, found = solved(cost, epsilon, changes)
        steps = f"{found.iterations}" if found.converged else f"{found.iterations}, 미수렴 {found.residual:.0e}"
        cells.append(f"{spent:.2f} s ({steps})")
    print("  ".join(cells), flush=True)
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """표를 쓴다."""
    torch.set_num_threads(1)
    RESULTS.mkdir(exist_ok=True)
    head = ["구름", "ε", "정확한 LP", *WITHOUT]
    rows = [row(name, *problem) for name, problem in geometries(POINTS).items()]
    note = (
        f"{stamp(torch.device('cpu'))}. 유클리드 비용, n = {POINTS}, 잔차 1e-5까지, 많아야 반복 {LIMIT}번. 칸은 시간과 "
        f"반복 수. ‘{NAME}’ 오른쪽은 방법을 하나씩 빼거나 줄인 결과다. ‘느슨한 ε 스케일링’은 도중의 허용 잔차를 "
        "열 배로, ‘작은 뉴턴 스텝’은 스텝 크기를 쌍대의 값이 반드시 느는 한도로 바꾸었다."
    )
    lines = [f"| {' | '.join(head)} |", f"| --- | {' | '.join(['---:'] * (len(head) - 1))} |", *rows, "", note, ""]
    (RESULTS / "transport-ablation.md").write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    main()
