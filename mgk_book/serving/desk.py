"""글 쓰는 사람의 책상: 서버가 사는 동안 빌드와 빌드 사이에 남아 있는 것 모두."""

import os
import shutil
import socket
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import FileSystemBytecodeCache

from mgk_book.book import CACHE, DOCS, BookError, stamp
from mgk_book.prepare import Made, figures, labs
from mgk_book.running import execution
from mgk_book.running.execution import Lab
from mgk_book.running.jobs import Started
from mgk_book.serving import run
from mgk_book.serving.background import Background, Task
from mgk_book.serving.kept import Kept, digest
from mgk_book.serving.news import SCRIPT, News

ASSETS = (f"{DOCS}/assets", "overrides")
EMPTY = "kept.html"  # 빈 틀


class Desk:
    """책 하나의 책상."""

    def __init__(self, root: Path, host: str, port: int) -> None:
        try:
            socket.create_server((host, port)).close()
        except OSError as error:
            raise BookError(f"{host}:{port}에 띄울 수 없다: {error}. 포트를 바꾸려면 make serve PORT=8001") from error
        self.root = root
        self.runner = run.opened(root, host)
        self.kept = Kept(root)
        self.signal = root / CACHE / "serving" / f"{os.getpid()}"  # 서버가 지켜보는 폴더
        self.signal.mkdir(parents=True, exist_ok=True)
        self.compiled = TemporaryDirectory()  # 틀을 빌드마다 새로 읽지 않게
        self.templates = FileSystemBytecodeCache(self.compiled.name)
        self.background = Background(self.again)
        self.news = News(self.background.status)
        self.seats: dict[str, str] = {}  # 페이지의 주소: 온 페이지가 기대는 것의 해시 키
        self.outputs: dict[str, tuple[str, str, str]] = {}  # 페이지의 주소: 그 해시 키와, 온 페이지와, 그 해시
        self.entries: dict[str, list[dict[str, Any]]] = {}  # 페이지의 주소: 찾을 말들
        self.versions: dict[str, str] = {}
        self.tasks: list[Task] = []

    def begin(self, made: Made, uris: list[str], device: str) -> None:
        """빌드 하나를 시작한다."""
        self.kept.begin(uris)
        self.versions, self.assets = {}, stamp(self.root, *ASSETS)
        expected = labs.expected(self.root, device)
        self.tasks = [
            Task(lab.name, str(lab.outputs), expected.get(lab.name), running(lab, self.root, device))
            for lab in execution.waiting(made.labs)
        ]
        if missing := figures.undrawn(made.drawings):
            key = digest([each.folder for each in missing])
            self.tasks.append(Task("그림", key, 0.0, lambda started: figures.draw_all(missing, self.root, started)))

    def waiting(self, lab: Lab) -> str | None:
        """실습이 아직 돌지 않았으면, 출력이 올 자리에 적을 것."""
        task = next((each for each in self.tasks if each.name == lab.name), None)
        if task is None:
            return None
        if error := self.background.failed.get(task.key):
            title = '<p class="admonition-title">실습이 실패했다</p>'
            return f'<div class="admonition failure">{title}<pre><code>{escape(error)}</code></pre></div>'
        return f'<p class="lab-waiting" data-waiting="{lab.name}" role="status">실습은 서버의 뒤에서 돈다.</p>'

    def finish(self) -> None:
        """빌드가 끝났다: 뒤의 일을 시키고, 바뀐 페이지를 읽는 사람에게 알린다."""
        self.background.want(self.tasks)
        self.news.publish(self.versions)

    def outline(self, pages: list[Any], english: list[str]) -> None:
        """페이지마다의 온 틀이 기대는 것. 그대로인 페이지는 틀에 다시 앉히지도, 찾을 말을 다시 모으지도 않는다."""
        names, self.seats = [(page.title, page.url) for page in pages], {}
        for page in pages:
            drawn = self.kept.pages[page.file.src_uri]
            self.seats[page.url] = digest(self.kept.common, names, english, drawn.key, page.content)
            if self.outputs.get(page.url, ("",))[0] == self.seats[page.url]:
                page.meta = page.meta | {"template": EMPTY, "search": {"exclude": True}}

    def app(self, inner: run.App) -> run.App:
        """MkDocs의 서버 앞에 서는 것."""
        told = self.news.app(inner)
        return self.runner.app(told) if self.runner else told

    def page(self, output: str, page: Any, *, is_lab: bool) -> str:
        """온 페이지에 ▶ 실행과 버전을 적는다. 실습은 칸들이 이어지므로 노트북으로 연다."""
        url = page.url
        if page.meta.get("template") == EMPTY:
            _, output, own = self.outputs[url]  # 앞서 앉혀 둔 것
        else:
            own = digest(output)
            self.outputs[url] = self.seats[url], output, own
        tags = self.runner.tags() if self.runner and not is_lab else ""
        figures = self.kept.figures(page.file.src_uri, output)
        version = self.versions[url] = digest(own, tags, self.assets, figures)[:16]
        script = f'<script src="{SCRIPT}" data-page="{escape(url)}" data-version="{version}" defer></script>'
        return output.replace("</head>", f"{tags}</head>", 1).replace("</body>", f"{script}</body>", 1)

    def index(self, entries: list[dict[str, Any]]) -> None:
        """찾을 말: 새로 앉힌 페이지의 것에, 그대로인 페이지의 것을 보탠다."""
        fresh: dict[str, list[dict[str, Any]]] = {}
        for entry in entries:
            fresh.setdefault(entry["location"].partition("#")[0], []).append(entry)
        self.entries |= fresh
        entries[:] = [entry for url in self.seats for entry in self.entries.get(url, [])]

    def again(self) -> None:
        """지켜보는 폴더를 건드려 책을 다시 짓게 한다."""
        (self.signal / "changed").write_text(f"{time.monotonic()}", "utf-8")

    def close(self) -> None:
        """뒤의 일을 멈추고 치운다."""
        self.news.close()
        self.background.close()
        if self.runner:
            self.runner.close()
        shutil.rmtree(self.signal, ignore_errors=True)
        self.compiled.cleanup()


def running(lab: Lab, root: Path, device: str) -> Callable[[Started], None]:
    """실습 하나를 돌리는 법."""
    return lambda started: execution.execute([lab], root, device, started=started)
