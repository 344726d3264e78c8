"""mgk_book/serving/background.py: 짧은 것부터 둘씩, 고쳐서 맞지 않는 것은 멈추고, 실패는 기억한다."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mgk_book.book import BookError
from mgk_book.running.jobs import Started
from mgk_book.serving.background import Background, Task

LONG = 60.0


class Crew:
    """하라는 때까지 도는 일들. 시작한 차례와, 다시 지으라고 부른 횟수를 적는다."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.go: dict[str, threading.Event] = {}
        self.changes = 0
        self.background = Background(self.change, workers=2)

    def change(self) -> None:
        self.changes += 1

    def task(self, name: str, key: str, seconds: float | None, error: str = "") -> Task:
        go = self.go[key] = threading.Event()

        def run(started: Started) -> None:
            self.order.append(name)
            with subprocess.Popen(["sleep", "60"], start_new_session=True, text=True) as process:
                started(process)
                self.processes[key] = process
                while process.poll() is None:
                    if go.wait(0.01):
                        process.kill()
                        break
                if error or not go.is_set():
                    raise BookError(error or "죽었다")

        return Task(name, key, seconds, run)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew()
    yield crew
    crew.background.close()


def test_the_short_ones_run_first_two_at_a_time_and_each_end_rebuilds(crew: Crew) -> None:
    tasks = [crew.task("긴", "c", 300.0), crew.task("모르는", "d", None), crew.task("짧은", "a", 3.0)]
    tasks.append(crew.task("보통", "b", 30.0))
    crew.background.want(tasks)
    until(lambda: len(crew.processes) == 2)
    assert set(crew.order) == {"짧은", "보통"}
    status = crew.background.status()
    assert status["짧은"]["elapsed"] >= 0
    assert [status[name]["before"] for name in ("긴", "모르는")] == [2, 3]
    assert status["긴"]["usually"] == 300.0
    for key in "abcd":
        until(lambda key=key: key in crew.processes)
        crew.go[key].set()
    until(lambda: crew.changes == 4)
    assert crew.order[2:] == ["긴", "모르는"]
    assert crew.background.status() == {}


def test_they_yield_to_what_the_reader_does(crew: Crew) -> None:
    crew.background.want([crew.task("일", "a", 1.0)])
    until(lambda: "a" in crew.processes)
    until(lambda: os.getpriority(os.PRIO_PROCESS, crew.processes["a"].pid) == 10)


def test_an_edit_stops_what_it_overtook_and_lets_the_rest_run(crew: Crew) -> None:
    kept = crew.task("그대로", "a", 1.0)
    crew.background.want([kept, crew.task("고친", "old", 2.0)])
    until(lambda: {"a", "old"} <= crew.processes.keys())
    crew.background.want([kept, crew.task("고친", "new", 2.0)])
    until(lambda: "new" in crew.processes)
    assert crew.processes["old"].poll() is not None
    assert crew.processes["a"].poll() is None
    assert crew.order.count("그대로") == 1
    assert crew.changes == 0  # 멈춘 것은 결과도 오류도 아니다
    assert crew.background.failed == {}


def test_an_edit_taken_back_runs_it_again(crew: Crew) -> None:
    first = crew.task("실습", "a", 1.0)
    crew.background.want([first])
    until(lambda: "a" in crew.processes)
    crew.background.want([])
    crew.background.want([first])
    until(lambda: crew.order == ["실습", "실습"])


def test_a_failure_is_told_and_not_tried_again_until_it_changes(crew: Crew) -> None:
    broken = crew.task("실습", "a", 1.0, error="1째 코드 칸: 0으로 나누었다")
    crew.background.want([broken])
    until(lambda: "a" in crew.processes)
    crew.go["a"].set()
    until(lambda: crew.changes == 1)
    assert crew.background.failed == {"a": "1째 코드 칸: 0으로 나누었다"}
    crew.background.want([broken])
    assert crew.order == ["실습"]
    crew.background.want([crew.task("실습", "b", 1.0)])
    until(lambda: "b" in crew.processes)
    assert crew.background.failed == {}


def test_closing_leaves_no_process_and_starts_nothing_more(crew: Crew) -> None:
    crew.background.want([crew.task(f"일 {key}", key, 1.0) for key in "abc"])
    until(lambda: len(crew.processes) == 2)
    crew.background.close()
    assert [process.poll() is None for process in crew.processes.values()] == [False, False]
    assert len(crew.order) == 2


def test_one_that_is_stopped_before_its_process_stands_is_stopped_when_it_does(crew: Crew) -> None:
    hold, started_late = threading.Event(), []

    def run(started: Started) -> None:
        hold.wait(LONG)
        with subprocess.Popen(["sleep", "60"], start_new_session=True, text=True) as process:
            started(process)
            started_late.append(process.wait())

    crew.background.want([Task("늦은", "a", 1.0, run)])
    crew.background.want([])
    hold.set()
    until(lambda: bool(started_late))
    assert started_late == [-9]
