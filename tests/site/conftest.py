"""만들어진 사이트를 하위 경로에 띄우고 진짜 chromium으로 본다."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
# 사이트는 어느 하위 경로에 놓여도 되어야 한다. 그래서 시험은 뿌리가 아닌 곳에서 한다.
PREFIX = "/some/where/"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.site)


class Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix(PREFIX.rstrip("/")))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """GitHub Pages처럼, 없는 주소에는 404.html을 준다."""
        if code != HTTPStatus.NOT_FOUND:
            return super().send_error(code, message, explain)
        body = (SITE / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        return None

    def log_message(self, *_: object) -> None:
        """조용히."""


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    if not (SITE / "index.html").exists():
        pytest.fail("사이트가 없다. 먼저 make build를 부른다")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome") or pytest.fail("chromium이 없다")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def built_pages() -> list[str]:
    """사이트의 모든 페이지의 상대 주소. 옛 주소에서 넘겨주는 것은 페이지가 아니다."""
    found = (path for path in sorted(SITE.rglob("index.html")) if 'http-equiv="refresh"' not in path.read_text("utf-8"))
    paths = (path.parent.relative_to(SITE).as_posix() for path in found)
    return ["" if path == "." else f"{path}/" for path in paths]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", built_pages())
