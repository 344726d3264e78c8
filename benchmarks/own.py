"""mgk-choose가 참을 아는 표에서 옳게 답하는지, 얼마나 걸리는지. `python -m benchmarks.own`.

참 점수는 분할마다 학습한 모델을 새로 뽑은 깨끗한 표본 20,000줄에서 잰 점수의 평균이다. 그 표본은 클래스가 반반이라
학습한 표와 클래스의 비율도 다르다(사전 확률의 이동).
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd

from mgk_docs_src.labs.choosing import METHODS
from mgk_docs_src.own.answering import answer, interval, row_scores, score
from mgk_docs_src.own.measuring import BASE, cells, measure
from mgk_docs_src.own.preparing import Part, Prepared, divide, prepare
from mgk_docs_src.own.tables import Table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "own.md"
RIVALS = (BASE, "초점 손실 γ = 2", "균형 가중치", "로짓 보정", "일반화 교차 엔트로피")
GOAL = "balanced"
FRESH = 20_000
MARGIN = 0.01  # 참 점수의 차이가 이보다 작으면 효과가 있는 손실이 없다고 본다


class World(NamedTuple):
    """표를 뽑는 법: 클래스마다의 줄 수, 틀린 라벨의 비율."""

    counts: tuple[int, int]
    noise: float = 0.0


WORLDS = {
    "아무것도 없음": World((300, 300)),
    "라벨 노이즈 30 %": World((300, 300), 0.3),
    "불균형 1:20": World((800, 40)),
    "불균형 1:20, 노이즈 5 %": World((800, 40), 0.05),
}


class Verdict(NamedTuple):
    """한 번의 결과: 추천이 참으로 가장 나은 손실의 구간 안인가, 효과가 있는 손실이 있었나, 추천이 기준이었나."""

    within: bool
    helps: bool
    base: bool


def draw(counts: Sequence[int], noise: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """두 클래스의 정규 분포. 첫 세 열의 평균이 다르고, 라벨을 `noise`만큼 뒤집는다."""
    labels = np.repeat([0, 1], counts)
    features = random.normal(size=(len(labels), 8))
    features[:, :3] += 0.9 * labels[:, None]
    flipped = random.random(len(labels)) < noise
    return features, np.where(flipped, 1 - labels, labels)


def simulate(world: World, run: int) -> Verdict:
    """표를 뽑아 추천을 받고, 참과 비교한다."""
    random = np.random.default_rng(run)
    features, labels = draw(world.counts, world.noise, random)
    clean, truth = draw((FRESH // 2, FRESH // 2), 0.0, random)
    names = [f"x{i}" for i in range(features.shape[1])]
    both = pd.DataFrame(np.r_[features, clean], columns=names)
    table = Table(both, names, [], np.r_[labels, truth], ["0", "1"], "y", None, None, [])
    known = table._replace(frame=both.iloc[: len(labels)], labels=labels)
    parts = divide(known, seeds=10)
    fresh = np.arange(len(labels), len(both))
    prepared = prepare(table, [Part(part.learn, part.validation, np.r_[part.test, fresh]) for part in parts])
    outcomes = list(measure(cells(RIVALS, prepared), prepared, num_classes=2, goal=GOAL, steps=100))
    cut = len(parts[0].test)
    sides = []
    for some in (slice(0, cut), slice(cut, None)):
        tested = [Prepared(one.learn, one.validation, (one.test[0][some], one.test[1][some])) for one in prepared]
        cut_out = [one._replace(test=one.test[some]) for one in outcomes]
        sides.append((tested, score(cut_out, tested), cut_out))
    (tested, measured, seen), (_, true, _) = sides
    rows = row_scores(seen, tested, goal=GOAL)
    found = answer(measured, tested, goal=GOAL, counts=np.bincount(labels).tolist(), by_row=rows)
    means = {name: true[name]["균형 정확도"].mean() for name in RIVALS}
    best = max(means, key=lambda name: means[name])
    gap = measured[best]["균형 정확도"] - measured[found.loss]["균형 정확도"]
    wide = interval(gap, level=1 - 0.05 / (len(measured) - 1))
    lost = means[best] - means[found.loss]
    return Verdict(bool(lost <= max(wide.high, MARGIN)), bool(means[best] - means[BASE] > MARGIN), found.loss == BASE)


def simulated(runs: int) -> str:
    """세계마다 `runs`번의 표."""
    lines = [
        "| 데이터 | 횟수 | 추천이 가장 나은 손실의 구간 안 | 효과가 있는 손실이 없을 때 없다고 답함 |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, world in WORLDS.items():
        found = joblib.Parallel(2)(joblib.delayed(simulate)(world, run) for run in range(runs))
        nothing = [one for one in found if not one.helps]
        right = f"{sum(one.base for one in nothing)}/{len(nothing)}"
        lines.append(f"| {name} | {runs} | {sum(one.within for one in found)}/{runs} | {right} |")
    return "\n".join(lines)


def timed() -> str:
    """8,000줄, 손실 열하나, 시드 열 개. 초는 CPU 시간이라 다른 일과 다투어도 비슷하다."""
    features, labels = draw((4000, 4000), 0.1, np.random.default_rng(0))
    names = [f"x{i}" for i in range(features.shape[1])]
    table = Table(pd.DataFrame(features, columns=names), names, [], labels, ["0", "1"], "y", None, None, [])
    before, start = _cpu(), time.perf_counter()
    prepared = prepare(table, divide(table, seeds=10))
    outcomes = list(measure(cells(METHODS, prepared), prepared, num_classes=2, goal=GOAL, workers=1))
    return (
        f"- 손실 {len(METHODS)}개와 간단한 방법 셋, 시드 10개, 8,000줄(결과 {len(outcomes)}개): "
        f"한 프로세스에서 {time.perf_counter() - start:.0f}초, CPU {_cpu() - before:.0f}초"
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def read(rows: int, columns: int) -> str:
    """파일을 읽어 학습할 표로 만드는 시간과, 파일보다 몇 배의 메모리를 더 썼는지."""
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "표.csv"
        frame = pd.DataFrame(random.normal(size=(rows, columns)).round(4)).add_prefix("x")
        frame["도시"] = random.choice(["서울", "부산", "대구"], rows)
        frame["y"] = random.choice(["가", "나"], rows)
        frame.to_csv(path, index=False)
        size = path.stat().st_size / 1e6
        code = (
            "import re, sys, time\n"
            "from mgk_docs_src.own.tables import load\n"
            "import sklearn.compose\n"
            # ru_maxrss는 exec을 지나도 부모의 값이 남는다
            "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1e3\n"
            "before, start = peak(), time.perf_counter()\n"
            "load(sys.argv[1], target='y')\n"
            "print(time.perf_counter() - start, peak() - before)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, cwd=ROOT
        )
    seconds, peak = map(float, done.stdout.split())
    much = f"메모리 {peak:.0f} MB(파일의 {peak / size:.1f}배)"
    return f"- {rows:,}줄, {columns:,}열({size:.0f} MB) 읽기: {seconds:.1f}초, {much}"


def main() -> None:
    """재고 적는다."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    runs = parser.parse_args().runs
    RESULTS.write_text(
        f"{simulated(runs)}\n\n{timed()}\n{read(200_000, 20)}\n{read(2_000, 5_000)}\n\n"
        "`python -m benchmarks.own`이 썼다. 시뮬레이션은 손실 다섯, 시드 10개, 100스텝이다.\n",
        "utf-8",
    )
    print(RESULTS.read_text("utf-8"))


if __name__ == "__main__":
    main()
