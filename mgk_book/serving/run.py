"""읽던 자리에서 예제를 돌린다: 문서 서버의 앞에 서는 WSGI 앱과, 페이지에 넣을 스크립트.

읽는 사람의 컴퓨터에서 코드를 돌리는 일이라, 그 사람이 연 페이지가 아니면 아무것도 시키지 못한다.
- 루프백 주소에서만 켠다.
- 모든 요청의 Host가 루프백이어야 한다. 남의 이름을 이 컴퓨터로 돌려놓은(DNS rebinding) 페이지는 토큰을 읽지도 못한다.
- 돌리는 요청은 같은 Origin에서, JSON으로, 서버를 띄울 때마다 새로 만든 토큰을 머리글에 달고 와야 한다. 다른 사이트의
  스크립트는 토큰을 읽지 못하고, 양식(form)은 머리글을 달지 못한다.
"""

import json
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from mgk_book.serving.agreement import differing, printed_lines
from mgk_book.serving.kernels import Kernel, Limits, Nursery

log = logging.getLogger("mkdocs.mgk_book.serving")
PREFIX = "/_mgk/"
FILES = {"run.js": "text/javascript; charset=utf-8", "run.css": "text/css; charset=utf-8"}
LONGEST = 200_000  # 요청의 바이트
# WSGI
Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class RefusedError(Exception):
    """들어주지 않는 요청: 상태와 이유."""


def is_loopback(host: str) -> bool:
    """이 컴퓨터 안에서만 닿는 주소나 이름인가."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def opened(root: Path, host: str) -> "Runner | None":
    """루프백에서 띄운 서버에서만 켠다."""
    if is_loopback(host):
        return Runner(root)
    log.info(f"{host}에서는 다른 컴퓨터도 닿으므로 ▶ 실행을 끈다. 127.0.0.1에서 띄우면 켜진다")
    return None


class Runner:
    """한 서버의 커널들. 페이지마다 하나다."""

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.nursery = Nursery(root)
        self.token = secrets.token_urlsafe(32)
        self.kernels: dict[str, Kernel] = {}
        self.lock = Lock()

    def tags(self) -> str:
        """페이지의 머리에 넣을 것."""
        return (
            f'<link rel="stylesheet" href="{PREFIX}run.css">'
            f'<script defer src="{PREFIX}run.js" data-token="{self.token}"></script>'
        )

    def app(self, inner: App) -> App:
        """문서 서버의 앞에 선다. 무거운 것은 지금부터 import한다."""
        self.nursery.warm()

        def guarded(environ: Environ, respond: Callable[..., Any]) -> Iterable[bytes]:
            status, kind = "200 OK", "text/plain; charset=utf-8"
            try:
                if not is_loopback(name_of(environ.get("HTTP_HOST", ""))):
                    raise RefusedError("403 Forbidden", "이 서버는 localhost나 127.0.0.1로만 연다")
                if not environ["PATH_INFO"].startswith(PREFIX):
                    return inner(environ, respond)
                kind, body = self.answer(environ, environ["PATH_INFO"].removeprefix(PREFIX))
            except RefusedError as refused:
                status, said = refused.args
                body = [said.encode()]
            respond(status, [("Content-Type", kind), ("Cache-Control", "no-store"),
                             ("X-Content-Type-Options", "nosniff")])  # fmt: skip
            return body

        return guarded

    def answer(self, environ: Environ, name: str) -> tuple[str, Iterable[bytes]]:
        """종류와 내용."""
        if environ["REQUEST_METHOD"] == "GET" and name in FILES:
            return FILES[name], [Path(__file__).with_name(name).read_bytes()]
        if environ["REQUEST_METHOD"] != "POST" or name not in ("run", "interrupt", "reset"):
            raise RefusedError("404 Not Found", "없는 주소다")
        asked = self.asked(environ, *(("page", "code", "expected") if name == "run" else ("page",)))
        if name == "run":
            return "application/x-ndjson", self.run(asked["page"], asked["code"], asked["expected"])
        if name == "interrupt" and (kernel := self.kernels.get(asked["page"])):
            kernel.stop("interrupt")
        if name == "reset" and (kernel := self.kernels.pop(asked["page"], None)):
            kernel.close("reset")
        return "application/json", [b"{}"]

    def asked(self, environ: Environ, *wanted: str) -> dict[str, str]:
        """요청의 JSON. 이 서버가 준 페이지가 보낸 것이 아니면 읽지 않는다."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > LONGEST:
            raise RefusedError("413 Content Too Large", f"{LONGEST}바이트까지 받는다")
        body = environ["wsgi.input"].read(int(length))
        token = environ.get("HTTP_X_MGK_TOKEN", "")
        if environ.get("HTTP_ORIGIN") != f"http://{environ['HTTP_HOST']}":
            raise RefusedError("403 Forbidden", "다른 사이트의 페이지는 코드를 실행할 수 없다")
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            raise RefusedError("403 Forbidden", "이 서버가 준 페이지가 아니다. 서버를 다시 띄웠으면 페이지를 새로 연다")
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip() != "application/json":
            raise RefusedError("403 Forbidden", "JSON(application/json)으로 보낸다")
        try:
            asked = json.loads(body)
        except ValueError as error:
            raise RefusedError("400 Bad Request", f"JSON이 아니다: {error}") from error
        if not isinstance(asked, dict) or not all(isinstance(asked.get(name), str) for name in wanted):
            raise RefusedError("400 Bad Request", f"{', '.join(wanted)}에 글을 적는다: {body[:80]!r}")
        return asked

    def run(self, page: str, code: str, expected: str) -> Iterator[bytes]:
        """나오는 것을 한 줄에 하나씩. 다 돌았으면 적힌 출력과 같은지도."""
        printed, failed = "", False
        try:
            kernel = self.kernel(page)
        except OSError as error:
            log.error(f"▶ 실행: 커널을 띄우지 못했다: {error}")
            yield written({"end": "unavailable"})
            return
        with closing(kernel.run(code)) as events:
            for event in events:
                failed = failed or "error" in event
                printed += event["text"] if event.get("to") == "stdout" else ""
                if event.get("end") == "done" and expected and not failed:
                    event["agrees"] = agree(expected, printed)
                yield written(event)

    def kernel(self, page: str) -> Kernel:
        """이 페이지의 커널. 없거나 죽었으면 새로 띄운다."""
        with self.lock:
            kernel = self.kernels.get(page)
            if kernel is None or kernel.ended:
                if kernel:
                    kernel.close("died")
                kernel = self.kernels[page] = Kernel(self.nursery, self.limits)
            return kernel

    def close(self) -> None:
        """서버가 끝난다. 아무것도 남기지 않는다."""
        self.nursery.close()
        for kernel in self.kernels.values():
            kernel.close("closed")


def name_of(host: str) -> str:
    """`이름:포트`나 `[주소]:포트`의 이름."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def agree(expected: str, printed: str) -> bool:
    """테스트가 비교하는 방법으로."""
    return bool(printed) and not differing(printed_lines(expected), printed_lines(printed))


def written(event: dict[str, Any]) -> bytes:
    """NDJSON 한 줄."""
    return json.dumps(event).encode() + b"\n"
