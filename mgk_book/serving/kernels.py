"""페이지마다 하나인 커널을 띄우고, 블록을 돌려 나오는 것을 차례로 준다. 커널은 다른 프로세스(nursery.py)가 가른다."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from jupyter_client.blocking.client import BlockingKernelClient

from mgk_book.running.jobs import surroundings

ERROR = "application/vnd.mgk.error+json"
PICTURES = ("image/svg+xml", "image/png")
Event = dict[str, Any]


class Limits(NamedTuple):
    """초와 글자 수."""

    seconds: float = 120  # 블록 하나
    size: int = 1_000_000  # 블록 하나가 찍는 것
    grace: float = 5  # 멈추라고 해도 멈추지 않으면 죽인다
    idle: int = 600  # 쓰지 않는 커널은 끝난다


class Nursery:
    """커널을 가르는 프로세스와의 대화."""

    def __init__(self, root: Path) -> None:
        self.root, self.closed = root, False
        self.lock = Lock()
        self.process: subprocess.Popen[str] | None = None

    def warm(self) -> None:
        """띄운다. import가 끝나기를 기다리지 않는다. 죽었으면 다시 띄운다."""
        with self.lock:
            if self.process is not None and self.process.poll() is not None:
                self.process.communicate()
                self.process = None
            if self.process is None and not self.closed:
                given = {
                    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # 그림은 블록이 끝날 때 보인다
                    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # 디버거는 쓰지 않는다
                }
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "mgk_book.serving.nursery"],
                    cwd=self.root, env=surroundings(given), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    encoding="utf-8", process_group=0,  # 터미널의 Ctrl-C는 서버의 것이다
                )  # fmt: skip

    def ask(self, *request: object) -> Any:
        """한 줄에 답 한 줄.

        Raises:
            OSError: 그 프로세스가 죽어서 답이 없으면. 커널들도 함께 죽는다.
        """
        with self.lock:
            if self.process is None:
                raise BrokenPipeError("서버가 끝났다")
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        if not answer:
            raise BrokenPipeError("커널을 가르는 프로세스가 끝났다")
        return json.loads(answer)

    def close(self) -> None:
        """커널들을 죽이고 끝난다."""
        with self.lock:
            self.closed = True
            if self.process is not None:
                self.process.terminate()
                self.process.communicate()
                self.process = None


class Kernel:
    """페이지 하나의 커널. 한 번에 블록 하나를 돌린다."""

    def __init__(self, nursery: Nursery, limits: Limits) -> None:
        self.nursery, self.limits = nursery, limits
        nursery.warm()
        self.number, connection = nursery.ask("start", limits.idle)
        self.client = BlockingKernelClient()
        self.client.load_connection_file(connection)
        self.client.start_channels(stdin=False, hb=False, control=False)
        self.listening = False
        self.running = Lock()
        self.stopped, self.deadline = "", 0.0

    @property
    def ended(self) -> bool:
        """죽었는가."""
        try:
            return bool(self.nursery.ask("ended", self.number))
        except OSError:
            return True

    def stop(self, why: str, number: int = signal.SIGINT) -> None:
        """도는 블록과 그것이 띄운 것들을 멈춘다. 이유는 처음의 것을 남긴다."""
        self.stopped = self.stopped or why
        self.deadline = time.monotonic() + self.limits.grace
        with suppress(OSError):
            self.nursery.ask("signal", self.number, number)

    def close(self, why: str) -> None:
        """죽인다. 도는 블록이 있으면 그 이유로 끝난다."""
        self.stop(why, signal.SIGKILL)
        with self.running:
            self.client.stop_channels()

    def run(self, code: str) -> Generator[Event]:
        """블록을 돌려 나오는 것을 차례로 준다. 조용하면 1초마다 빈 것을, 마지막에는 어떻게 끝났는지를."""
        if not self.running.acquire(blocking=False):
            yield {"end": "busy"}
            return
        self.stopped, self.deadline = "", time.monotonic() + self.limits.seconds
        done, size = False, 0
        try:
            asked = self.execute(code) if self.listening else ""
            while not done:
                if time.monotonic() > self.deadline:
                    self.stop("time", signal.SIGKILL if self.stopped else signal.SIGINT)
                if not self.client.iopub_channel.socket.poll(1000):
                    if self.ended:
                        break
                    yield {}  # 읽는 사람이 떠났으면 여기서 드러난다
                    continue
                _, message = self.client.session.recv(self.client.iopub_channel.socket)
                if message["msg_type"] == "iopub_welcome":  # 이제부터 들린다
                    self.listening, asked = True, self.execute(code)
                if message["parent_header"].get("msg_id") != asked:
                    continue
                done = message["content"].get("execution_state") == "idle"
                event = seen(message["msg_type"], message["content"])
                room, size = self.limits.size - size, size + len(event.get("text", ""))
                if size > self.limits.size:
                    if not self.stopped:  # 멈추라고 거듭 말하면 죽일 때가 오지 않는다
                        self.stop("size")
                    event = {} if room <= 0 or "picture" in event else event | {"text": event["text"][:room]}
                if event:
                    yield event
            yield {"end": self.stopped or ("done" if done else "died")}
        finally:
            if not done:
                self.stop("left", signal.SIGKILL)
            self.running.release()

    def execute(self, code: str) -> str:
        """커널에게 시키고, 답들이 달고 올 이름을 돌려준다."""
        return str(self.client.execute(code, store_history=False, allow_stdin=False))


def seen(kind: str, content: Any) -> Event:
    """커널이 알린 것 가운데 페이지에 보일 것. 남이 만든 HTML은 보이지 않는다."""
    if kind == "stream":
        return {"to": content["name"], "text": content["text"]}
    if kind not in ("display_data", "execute_result"):
        return {}
    data = content["data"]
    for picture in PICTURES:
        if picture in data:
            return {"picture": picture, "text": data[picture]}
    if ERROR in data:
        error = data[ERROR]
        return {"error": error["name"], "line": error["line"], "text": error["message"]}
    return {"to": "result", "text": f"{data.get('text/plain', '')}\n"}
