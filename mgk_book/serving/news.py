"""읽고 있는 페이지에 새 소식을 알린다: 그 페이지가 바뀌었나, 그 실습이 어디까지 왔나, 빌드가 왜 멈추었나.

MkDocs의 서버는 무엇이 바뀌든 열려 있는 페이지를 모두 다시 읽게 한다. 여기서는 바뀐 페이지만 다시 읽는다: 페이지마다
버전이 있고, 페이지의 스크립트(news.js)가 자기 버전을 알리면 달라졌을 때 대답한다.
"""

import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from mgk_book.serving.run import App, Environ

NEWS, SCRIPT, MKDOCS = "/_news", "/_news.js", "/livereload/"
LONGEST = 25.0  # 초. 소식이 없어도 이만큼 지나면 대답한다


class News:
    """페이지마다의 버전과, 지금 알릴 것."""

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self.status = status  # 실습마다: 도는 중인가, 앞에 몇이 있나
        self.changed = threading.Condition()
        self.closed = False
        self.versions: dict[str, str] = {}  # 페이지의 주소: 버전
        self.error = ""

    def publish(self, versions: dict[str, str]) -> None:
        """빌드가 끝났다."""
        self.tell(versions, "")

    def fail(self, error: str) -> None:
        """빌드가 멈추었다. 앞서 지은 책은 그대로 있다."""
        self.tell(self.versions, error)

    def close(self) -> None:
        """기다리는 페이지를 모두 보낸다."""
        self.closed = True
        self.tell(self.versions, self.error)

    def tell(self, versions: dict[str, str], error: str) -> None:
        with self.changed:
            self.versions, self.error = versions, error
            self.changed.notify_all()

    def app(self, inner: App) -> App:
        """MkDocs의 서버 앞에 선다."""

        def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            if path == NEWS:
                asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
                body, kind = self.answer(**{name: asked.get(name, "") for name in ("page", "version", "error")}), "json"
            elif path == SCRIPT:
                body, kind = Path(__file__).with_name("news.js").read_bytes(), "javascript"
            elif path.startswith(MKDOCS):  # 모두 다시 읽게 하는 소식은 막는다
                with self.changed:
                    self.changed.wait_for(lambda: self.closed, LONGEST)
                body, kind = b"0", "json"
            else:
                return inner(environ, start_response)
            headers = [("Content-Type", f"application/{kind}; charset=utf-8"), ("Content-Length", f"{len(body)}")]
            start_response("200 OK", [*headers, ("Cache-Control", "no-store")])
            return [body]

        return application

    def answer(self, page: str, version: str, error: str) -> bytes:
        """소식이 있거나 실습이 도는 중이면 바로, 없으면 생길 때."""

        def news() -> bool:
            return self.closed or self.error != error or self.versions.get(page, version) != version

        with self.changed:
            status = self.status()
            self.changed.wait_for(news, 0.5 if status else LONGEST)
            said = {"version": self.versions.get(page, version), "error": self.error, "status": self.status()}
        return json.dumps(said, ensure_ascii=False).encode()
