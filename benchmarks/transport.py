"""최적 수송의 시간과 메모리를 POT, SciPy와 나란히 잰다.

`python -m benchmarks.transport [--device cuda]`. 같은 비용 행렬을, 주변 분포의 L1 오차가 같은 값이 될 때까지 풀어
계획을 만드는 데 걸리는 시간이다. 한 번의 실행에서 번갈아 재고 이 책의 시간으로 나눈다. 결과는 페이지에 끼워 넣을 표로
`benchmarks/results/`에 쓴다. 장치가 CUDA이면 torch로 도는 풀이를 그 장치에서 재고, 잴 때마다 동기화한다.
"""

import argparse
import datetime
import gc
import time
import tracemalloc
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import ot
import scipy.stats
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from mgk_docs_src.device import resolve
from mgk_docs_src.random import generator, rand, randn
from mgk_docs_src.transport.sinkhorn import certified_interval, coupling, round_coupling, sinkhorn
from mgk_docs_src.transport.wasserstein import cost_matrix, optimal_plan, wasserstein_1d

RESULTS = Path(__file__).parent / "results"
TOLERANCE = 1e-4
POT_STEPS = 1000  # POT의 기본값. 아래의 가장 오래 걸리는 문제 하나를 빼면 모자라지 않는다
ROUNDS, PATIENCE = 3, 2.0  # 재는 횟수. 한 번에 이 초를 넘긴 풀이는 다시 재지 않는다
EMPTY = 0.5  # 계획의 합이 이보다 작으면 빈 계획이라 한다
POINTS = 10**6
NAME = "이 책"

Array = Tensor | np.ndarray
Solver = Callable[[Array, float], Array]


class Problem(NamedTuple):
    """점의 수, 차원, ε."""

    n: int
    d: int
    epsilon: float


PROBLEMS = (
    Problem(256, 2, 0.01),
    Problem(1024, 2, 0.1),
    Problem(1024, 2, 0.03),
    Problem(1024, 2, 0.01),
    Problem(2048, 2, 0.01),
    Problem(1024, 64, 0.01),
)


def clouds(n: int, d: int) -> tuple[Tensor, Tensor]:
    """표준 정규 구름과, 분산이 같은 균등 구름을 (1, …, 1)만큼 옮긴 것."""
    g = generator(0)
    x = randn(n, d, generator=g, dtype=torch.float64)
    return x, 3**0.5 * (2 * rand(n, d, generator=g, dtype=torch.float64) - 1) + 1


def ours(cost: Tensor, epsilon: float) -> Tensor:
    solved = sinkhorn(cost, epsilon=epsilon, tolerance=TOLERANCE)
    return coupling(solved.f, solved.g, cost, epsilon=epsilon)


def ours_narrow(cost: Tensor, epsilon: float) -> Tensor:
    return ours(cost.float(), epsilon)


def pot(cost: Array, epsilon: float, *, method: str, **settings: float) -> Array:
    """POT은 L2 오차로 멈춘다. √n으로 나누면 L1 오차가 같은 한계 이하가 된다."""
    threshold = TOLERANCE / len(cost) ** 0.5
    with np.errstate(all="ignore"):
        return ot.sinkhorn(
            [], [], cost, epsilon, method=method, stopThr=threshold, numItermax=POT_STEPS, warn=False, **settings
        )


def exact(cost: Array, _epsilon: float) -> Array:
    return ot.emd([], [], cost, numItermax=10**7)


SOLVERS: dict[str, Solver] = {
    NAME: ours,
    "이 책, fp32": ours_narrow,
    "POT 로그": partial(pot, method="sinkhorn_log"),
    "POT 안정화": partial(pot, method="sinkhorn_stabilized", tau=1e9),
    "POT 그대로": partial(pot, method="sinkhorn"),
    "정확한 LP": exact,
}
ON_DEVICE = tuple(name for name, solver in SOLVERS.items() if solver is not exact)


def feed(name: str, cost: Tensor) -> Array:
    """CPU에서 POT은 NumPy로 가장 빠르다. 다른 장치에서는 torch로 돈다. LP는 언제나 CPU다."""
    torch_only = SOLVERS[name] in (ours, ours_narrow) or (cost.device.type != "cpu" and name in ON_DEVICE)
    return cost if torch_only else cost.cpu().numpy()


def seconds(work: Callable[[], Array], device: torch.device) -> tuple[float, Array]:
    """걸린 시간과 결과. 장치가 계산을 마칠 때까지 기다린다."""
    synchronize = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    synchronize()
    start = time.perf_counter()
    result = work()
    synchronize()
    return time.perf_counter() - start, result


def flaw(plan: Array) -> str:
    """계획의 결함: nan, 빈 계획, 미수렴. 없으면 빈 문자열."""
    wide = torch.as_tensor(plan).double()
    off = sum(float((wide.sum(axis) - 1 / size).abs().sum()) for axis, size in enumerate(reversed(wide.shape)))
    if not wide.isfinite().all():
        return "nan"
    if float(wide.sum()) < EMPTY:
        return "빈 계획"
    return f"미수렴 {off:.0e}" if off > 2 * TOLERANCE else ""


def measure(problem: Problem, device: torch.device) -> dict[str, tuple[float, str]]:
    """풀이마다 (시간의 중앙값(초), 결함). 모두를 번갈아 잰다."""
    cost = cost_matrix(*clouds(problem.n, problem.d)).to(device)
    names = [name for name in SOLVERS if device.type == "cpu" or name in ON_DEVICE or name == "정확한 LP"]
    given = {name: feed(name, cost) for name in names}
    spent: dict[str, list[float]] = {name: [] for name in names}
    flaws = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 수렴하지 않은 풀이는 계획을 확인해 표에 적는다
        SOLVERS[NAME](cost, problem.epsilon)  # 첫 호출의 준비 시간은 재지 않는다
        for _ in range(ROUNDS):
            for name in names:
                if not spent[name] or spent[name][-1] < PATIENCE:
                    took, plan = seconds(partial(SOLVERS[name], given[name], problem.epsilon), device)
                    spent[name].append(took)
                    flaws[name] = flaw(plan)
    return {name: (median(spent[name]), flaws[name]) for name in names}


def quality(problem: Problem) -> tuple[float, float]:
    """주변 분포를 맞춘 이 책의 계획의 상대 오차와, 보증된 구간의 너비(%)."""
    cost = cost_matrix(*clouds(problem.n, problem.d))
    solved = sinkhorn(cost, epsilon=problem.epsilon, tolerance=TOLERANCE)
    bounds = certified_interval(cost, solved.f, solved.g, epsilon=problem.epsilon)
    rounded = round_coupling(coupling(solved.f, solved.g, cost, epsilon=problem.epsilon))
    truth = float(optimal_plan(cost).cost)
    return 100 * (float((rounded * cost).sum()) / truth - 1), 100 * float(bounds.upper - bounds.lower) / truth


def row(problem: Problem, device: torch.device) -> str:
    measured = measure(problem, device)
    base = measured[NAME][0]
    error, width = quality(problem)
    cells = [str(problem.n), str(problem.d), f"{problem.epsilon:g}", f"{base:.3f} s"]
    for name in SOLVERS:
        if name != NAME:
            took, mark = measured[name]
            cells.append(f"{took / base:.2f}" + (f" ({mark})" if mark else ""))
    cells += [f"{error:.3f} %", f"{width:.3f} %"]
    print("  ".join(cells), flush=True)
    return f"| {' | '.join(cells)} |"


def extra_matrices(name: str, n: int) -> float:
    """비용 행렬 말고 더 쓴 메모리의 최댓값. 비용 행렬의 배수."""
    cost = cost_matrix(*clouds(n, 2))
    given = feed(name, cost)
    work = partial(SOLVERS[name], given, 0.1)
    gc.collect()
    if isinstance(given, np.ndarray):
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    else:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
            work()
        events = (event for event in recorded.profiler.kineto_results.events() if event.name() == "[memory]")
        held = peak = 0
        for event in sorted(events, key=lambda event: event.start_ns()):
            held += event.nbytes()
            peak = max(peak, held)
    return peak / cost.nbytes


def sinkhorn_table(device: torch.device, stamp: str) -> list[str]:
    others = [name for name in SOLVERS if name != NAME]
    head = ["n", "d", "ε", NAME, *others, "맞춘 계획의 오차", "구간의 너비"]
    rows = [row(problem, device) for problem in PROBLEMS]
    memory = ", ".join(f"{name} {extra_matrices(name, 256):.1f}" for name in SOLVERS if name != "정확한 LP")
    note = (
        f"{stamp}. 유클리드 비용, 주변 분포의 L1 오차 {TOLERANCE:g}까지, 계획을 만드는 데까지. ‘{NAME}’은 초, "
        f"다른 칸은 이 책의 몇 배나 걸리는가. POT은 반복 {POT_STEPS}번까지. ‘POT 안정화’는 tau = 1e9로 돌렸다: "
        "기본값 1000이면 n > 1000에서 합이 1/n²인 계획을 돌려준다. 비용 행렬 말고 더 쓰는 메모리(비용 행렬의 배수, "
        f"돌려줄 계획까지, n = 256): {memory}."
    )
    return [f"| {' | '.join(head)} |", f"| {' | '.join(['---:'] * len(head))} |", *rows, "", note, ""]


def pot_1d(*arrays: Array) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # POT이 torch의 폐기 예정인 x.T를 쓴다
        return float(ot.wasserstein_1d(*arrays, p=1))


def one_dimensional(n: int) -> dict[str, dict[str, Callable[[], float]]]:
    """1차원 거리를 구하는 함수들. 가중치가 없을 때와 있을 때."""
    g = generator(0)
    x, y = randn(n, generator=g, dtype=torch.float64), 2 * rand(n, generator=g, dtype=torch.float64)
    a, b = rand(n, generator=g, dtype=torch.float64), rand(n, generator=g, dtype=torch.float64)
    a, b = a / a.sum(), b / b.sum()
    points, weights = (x.numpy(), y.numpy()), (a.numpy(), b.numpy())
    return {
        "모두 같음": {
            NAME: lambda: float(wasserstein_1d(x, y)),
            "SciPy": lambda: float(scipy.stats.wasserstein_distance(*points)),
            "POT, NumPy": lambda: pot_1d(*points),
            "POT, torch": lambda: pot_1d(x, y),
        },
        "점마다 다름": {
            NAME: lambda: float(wasserstein_1d(x, y, x_weights=a, y_weights=b)),
            "SciPy": lambda: float(scipy.stats.wasserstein_distance(*points, *weights)),
            "POT, NumPy": lambda: pot_1d(*points, *weights),
            "POT, torch": lambda: pot_1d(x, y, a, b),
        },
    }


def one_dimensional_table(stamp: str) -> list[str]:
    rows, head = [], ["가중치", NAME, "SciPy", "POT, NumPy", "POT, torch"]
    for name, ways in one_dimensional(POINTS).items():
        spent: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, work in ways.items():
                start = time.perf_counter()
                work()
                spent[way].append(time.perf_counter() - start)
        base = median(spent[NAME])
        cells = [name, f"{base:.3f} s", *(f"{median(spent[way]) / base:.2f}" for way in head[2:])]
        print("  ".join(cells), flush=True)
        rows.append(f"| {' | '.join(cells)} |")
    note = f"{stamp}. $W_1$, 표본 $10^{len(str(POINTS)) - 1}$개씩. ‘{NAME}’은 초, 다른 칸은 이 책의 몇 배나 걸리는가."
    return [f"| {' | '.join(head)} |", "| --- | ---: | ---: | ---: | ---: |", *rows, "", note, ""]


def stamp(device: torch.device) -> str:
    place = "CPU 스레드 1개" if device.type == "cpu" else torch.cuda.get_device_name(device)
    versions = f"torch {torch.__version__.partition('+')[0]}, POT {ot.__version__}"
    return f"{place}, {versions}, fp64, {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}"


def main(arguments: list[str] | None = None) -> None:
    """두 표를 페이지마다 하나씩 쓴다. 1차원 거리는 CPU에서만 잰다."""
    parser = argparse.ArgumentParser(description="최적 수송의 시간과 메모리를 POT, SciPy와 나란히 잰다")
    parser.add_argument("--device", default="cpu", help="cpu, cuda. 없는 장치는 오류다")
    device = resolve(parser.parse_args(arguments).device)
    torch.set_num_threads(1)
    RESULTS.mkdir(exist_ok=True)
    place = "" if device.type == "cpu" else f"-{device.type}"
    with threadpool_limits(1):  # NumPy의 곱도 스레드 하나로
        tables = {f"transport-sinkhorn{place}.md": sinkhorn_table(device, stamp(device))}
        if device.type == "cpu":
            tables["transport-wasserstein.md"] = one_dimensional_table(stamp(device))
    for name, lines in tables.items():
        (RESULTS / name).write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    main()
