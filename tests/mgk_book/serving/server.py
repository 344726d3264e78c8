"""작은 책을 진짜 `mkdocs serve`로 띄운다."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from tests.mgk_book.laid import ROOT

LONG = 120.0
# 배경에서 띄운 셸은 SIGINT를 무시하라고 물려준다. 터미널에서처럼 되돌린다.
START = (
    "import runpy, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "runpy.run_module('mkdocs', run_name='__main__', alter_sys=True)"
)
OPENER = build_opener(ProxyHandler({}))  # 읽는 사람의 프록시는 제 컴퓨터로 가는 길이 아니다


class Served:
    """띄운 책 한 권."""

    def __init__(self, root: Path, port: int, process: "subprocess.Popen[str]", log: Path) -> None:
        self.root, self.port, self.process, self.log = root, port, process, log
        self.address = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> str:
        with OPENER.open(f"{self.address}/{quote(path, safe='/?=&')}", timeout=LONG) as answer:
            return str(answer.read().decode())

    def version(self, path: str) -> str:
        return str(self.news(path)["version"])

    def news(self, path: str, version: str = "0") -> dict[str, Any]:
        return dict(json.loads(self.get(f"_news?page={path}&version={version}")))

    def edit(self, name: str, old: str, new: str) -> None:
        """파일을 고치고, 그것이 실릴 때까지."""
        file, before = self.root / name, self.builds()
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")
        self.until(lambda: self.builds() > before)

    def builds(self) -> int:
        """다시 지은 횟수. ‘Documentation built’는 걸린 시간까지 같으면 MkDocs가 두 번 말하지 않는다."""
        log = self.log.read_text("utf-8")
        return log.count("Reloading browsers") + log.count("will appear stuck")

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + LONG
        while not condition():
            assert self.process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < end, self.log.read_text("utf-8")
            time.sleep(0.02)


@contextmanager
def serving(root: Path, *, end: int = signal.SIGTERM) -> Iterator[Served]:
    """띄웠다가 신호 `end`로 끝낸다. 어느 신호로든 조용히 끝나야 한다."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", START, "serve", "-f", str(root / "mkdocs.yml"), "-a", f"127.0.0.1:{port}"]
    given = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{ROOT}"}
    log = root / "serve.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, cwd=root, env=given, stderr=file, text=True)
    served = Served(root, port, process, log)
    try:
        served.until(lambda: "Serving on" in log.read_text("utf-8"))
        yield served
    finally:
        process.send_signal(end)
        assert process.wait(30) == 0
