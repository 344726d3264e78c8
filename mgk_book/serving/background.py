"""아직 없는 결과를 서버의 뒤에서 만든다: 짧은 것부터, 코어마다 하나씩, 낮은 우선순위로.

책을 읽는 일은 실습을 기다리지 않는다. 결과가 나올 때마다 `changed`를 불러 책을 다시 짓게 한다. 고쳐서 맞지 않게 된
일은 멈추고, 고친 것과 상관없는 일은 그대로 돈다.
"""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from mgk_book.book import BookError
from mgk_book.running.jobs import CORES, Started, said

log = logging.getLogger("mkdocs.mgk_book.serving")


class Task(NamedTuple):
    """할 일 하나: 이름, 결과의 해시 키, 지난번에 걸린 시간(모르면 None), 하는 법."""

    name: str
    key: str
    seconds: float | None
    run: Callable[[Started], None]


class _Worker(threading.Thread):
    """일 하나를 하는 실."""

    def __init__(self, task: Task, ended: Callable[["_Worker", str | None], None]) -> None:
        super().__init__(daemon=True)
        self.task, self.ended = task, ended
        self.begun = time.monotonic()
        self.stopped = False
        self.process: subprocess.Popen[str] | None = None

    def run(self) -> None:
        error = None
        try:
            self.task.run(self.started)
        except BookError as problem:
            error = problem.message
        self.ended(self, error)

    def started(self, process: "subprocess.Popen[str]") -> None:
        """읽고 쓰는 사람의 일이 먼저다."""
        self.process = process
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
        if self.stopped:
            self.stop()

    def stop(self) -> None:
        """일꾼과 그 자식까지."""
        self.stopped = True
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Background:
    """뒤에서 하는 일들."""

    def __init__(self, changed: Callable[[], None], workers: int = CORES) -> None:
        self.changed, self.workers = changed, workers
        self.lock = threading.Lock()
        self.waiting: list[Task] = []
        self.working: list[_Worker] = []
        self.failed: dict[str, str] = {}  # 결과의 해시 키: 무엇이 잘못되었나. 고치면 해시 키가 바뀌어 다시 해 본다

    def want(self, tasks: Sequence[Task]) -> None:
        """지금의 책에 없는 결과는 이것이 모두다."""
        keys = {task.key for task in tasks}
        with self.lock:
            for worker in self.working:
                if worker.task.key not in keys and not worker.stopped:
                    log.info(f"■ {worker.task.name}: 고쳤으므로 멈춘다")
                    worker.stop()
            self.failed = {key: error for key, error in self.failed.items() if key in keys}
            known = {worker.task.key for worker in self.working if not worker.stopped} | self.failed.keys()
            todo = [task for task in tasks if task.key not in known]
            self.waiting = sorted(todo, key=lambda task: float("inf") if task.seconds is None else task.seconds)
            self._fill()

    def _fill(self) -> None:
        while self.waiting and len(self.working) < self.workers:
            worker = _Worker(self.waiting.pop(0), self._ended)
            log.info(f"▸ {worker.task.name}{_usually(worker.task)}")
            self.working.append(worker)
            worker.start()

    def _ended(self, worker: _Worker, error: str | None) -> None:
        with self.lock:
            self.working.remove(worker)
            if not worker.stopped:
                spent = said(time.monotonic() - worker.begun)
                log.log(
                    logging.ERROR if error else logging.INFO,
                    f"{error or f'✓ {worker.task.name} {spent}'}{self._left()}",
                )
                if error:
                    self.failed[worker.task.key] = error
            self._fill()
        if not worker.stopped:
            self.changed()

    def _left(self) -> str:
        """남은 일과 시간."""
        left = [task.seconds or 0.0 for task in self.waiting]
        left += [max(0.0, (each.task.seconds or 0.0) - time.monotonic() + each.begun) for each in self.working]
        return f" · 남은 작업 {len(left)}개, 약 {said(sum(left) / self.workers)}" if left else " · 모두 했다"

    def status(self) -> dict[str, dict[str, Any]]:
        """이름마다: 도는 중이면 지난 시간, 기다리면 앞에 몇이 있나. 지난번에 걸린 시간(초)."""
        with self.lock:
            now = time.monotonic()
            found = {
                each.task.name: {"elapsed": now - each.begun, "usually": each.task.seconds}
                for each in self.working
                if not each.stopped
            }
            ahead = len(found)
            return found | {
                task.name: {"before": ahead + place, "usually": task.seconds} for place, task in enumerate(self.waiting)
            }

    def close(self) -> None:
        """모두 멈춘다. 프로세스도 반쪽 파일도 남지 않는다."""
        with self.lock:
            self.waiting, left = [], list(self.working)
            for worker in left:
                worker.stop()
        for worker in left:
            worker.join()


def _usually(task: Task) -> str:
    return f" (지난번 {said(task.seconds)})" if task.seconds else ""
