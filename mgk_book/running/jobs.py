"""일감을 동시에 실행하고, 얼마나 남았는지 알린다.

일꾼은 딴 프로세스다(mgk_book/running/runner.py). 일감의 결과가 놓이는 폴더는 한 빌드가 혼자 쓴다.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from filelock import FileLock

from mgk_book.book import BookError
from mgk_book.running.runner import Job

log = logging.getLogger("mkdocs.mgk_book.running")
HERE = Path(__file__).parents[2]  # 이 파일 곁의 실행기를 부른다
CORES = os.cpu_count() or 1
UNKNOWN: Mapping[str, float] = MappingProxyType({})
Started = Callable[["subprocess.Popen[str]"], None]


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """결과가 놓일 폴더를 혼자 쓴다. 두 빌드가 함께 와도 한 번만 돌고, 실패하거나 죽은 일꾼이 쓰다 만 것은 치운다."""
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "lock"):
        _sweep(cache)
        try:
            yield
        finally:
            _sweep(cache)


def _sweep(cache: Path) -> None:
    for stray in cache.glob("*.partial"):
        shutil.rmtree(stray) if stray.is_dir() else stray.unlink()


def run(
    jobs: Sequence[Job], root: Path, expected: Mapping[str, float] = UNKNOWN, started: Started | None = None,
    **environment: str,
) -> None:  # fmt: skip
    """일감을 모두 돌린다. `expected`는 지난번에 걸린 시간(초). 오래 걸리는 것부터: 마지막에 코어 하나가 놀지 않게.

    `started`가 있으면 일꾼을 무리가 따로인 프로세스로 띄워 넘긴다: 번호 하나로 자식까지 늦추고 멈출 수 있다.

    Raises:
        BookError: 하나라도 실패하면. 나머지는 끝까지 실행한다.
    """
    if not jobs:
        return
    tell = log.debug if started else log.info  # 뒤에서 하는 일은 시킨 쪽이 알린다
    usual = max(0.1, sum(expected.values()) / len(expected)) if expected else 1.0
    weights = {job["name"]: max(0.1, expected.get(job["name"], usual)) for job in jobs}
    whole, workers = sum(weights.values()), min(CORES, len(jobs))
    begun, spent, finished, failures = time.monotonic(), 0.0, 0.0, []
    tell(f"{len(jobs)}개를 실행한다" + (f": 약 {said(whole / workers)}" if expected else ""))
    with begin(sorted(jobs, key=lambda job: -weights[job["name"]]), root, started, environment) as runner:
        for count, done in enumerate(results(runner, len(jobs)), 1):
            spent, finished = spent + done.seconds, finished + weights.get(done.name, usual)
            left = max(0.0, spent / finished * whole / workers - (time.monotonic() - begun))
            place = f"{count}/{len(jobs)}" + (f", 남은 시간 약 {said(left)}" if count < len(jobs) else "")
            tell(f"{'✗' if done.error else '✓'} {done.name} {done.seconds:.1f}초 ({place})")
            failures += [f"{done.name}: {done.error}"] if done.error else []
    if failures:
        raise BookError("\n\n".join(failures))


def said(seconds: float) -> str:
    """사람이 읽는 시간."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}분 {rest}초" if minutes else f"{rest}초"


class Done(NamedTuple):
    """끝난 일감 하나. 실패했으면 무엇이 잘못되었나."""

    name: str
    seconds: float
    error: str | None


def begin(jobs: Sequence[Job], root: Path, started: Started | None, chosen: dict[str, str]) -> "subprocess.Popen[str]":
    """일꾼을 띄우고 일감을 준다."""
    runner = subprocess.Popen(
        [sys.executable, "-m", "mgk_book.running.runner"], cwd=root, env=surroundings(chosen),
        start_new_session=started is not None, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    if started:
        started(runner)
    assert runner.stdin is not None
    with suppress(BrokenPipeError):  # 일감을 받기 전에 죽은 일꾼은 results가 알린다
        print(json.dumps(jobs), file=runner.stdin, flush=True)  # 관은 열어 둔다: 닫히면 우리가 죽은 것이다
    return runner


def surroundings(chosen: dict[str, str]) -> dict[str, str]:
    """띄우는 프로세스의 환경: 이 파일 곁의 mgk_book을 쓰고, 읽는 사람의 로캘이 무엇이든 UTF-8로 읽고 쓴다."""
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1"} | chosen


def results(runner: "subprocess.Popen[str]", count: int) -> Iterator[Done]:
    """끝나는 대로. 일꾼이 죽어서 나오지 않은 일감이 있으면 그것도 알린다."""
    assert runner.stdout is not None
    for line in runner.stdout:
        count -= 1
        yield Done(**json.loads(line))
    if runner.wait() or count:
        yield Done("나머지", 0.0, f"일감을 실행하던 프로세스가 {runner.returncode}로 끝났다")
