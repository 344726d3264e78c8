"""만들어진 사이트를 하위 경로에 띄우고 진짜 chromium으로 본다.

페이지마다 도는 테스트(`path`)은 페이지의 차례로 돈다. 그래서 같은 페이지를 보는 테스트들이 방문 하나를 나누어 쓴다:
`on_desk`, `on_phone`, `without_scripts`. 방문을 바꾼 테스트는 되돌려 놓는다.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
# 사이트는 어느 하위 경로에 놓여도 되어야 한다. 그래서 테스트는 뿌리가 아닌 곳에서 한다.
PREFIX = "/some/where/"
BROWSERS = ("chromium", "google-chrome")
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


@contextmanager
def served(handler: type[Handler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    if not (SITE / "index.html").exists():
        pytest.fail("사이트가 없다. 먼저 make build를 부른다")
    with served(Handler) as url:
        yield url


@contextmanager
def launched() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise FileNotFoundError(
            f"브라우저가 없다. {', '.join(BROWSERS)} 가운데 하나를 깐다: apt-get install {BROWSERS[0]}"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@cache
def built_pages() -> list[str]:
    """사이트의 모든 페이지의 상대 주소. 옛 주소에서 넘겨주는 것은 페이지가 아니다."""
    found = (path for path in sorted(SITE.rglob("index.html")) if 'http-equiv="refresh"' not in path.read_text("utf-8"))
    paths = (path.parent.relative_to(SITE).as_posix() for path in found)
    return ["" if path == "." else f"{path}/" for path in paths]


@cache
def soup_of(path: str) -> BeautifulSoup:
    """한 페이지. 테스트들이 나누어 읽으므로 고치지 않는다."""
    file = SITE / path if path.endswith(".html") else SITE / path / "index.html"
    return BeautifulSoup(file.read_text("utf-8"), "html.parser")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", built_pages(), scope="session")


class Visit(NamedTuple):
    """끝까지 밀어 보고 돌아온 페이지와, 그동안 있었던 일."""

    page: Page
    responses: list[Response]
    errors: list[str]
    shift: float  # 읽는 사람이 누르지 않았는데 움직인 만큼(CLS)


SHIFTS = """
    window.shift = 0;
    new PerformanceObserver(list => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
# 스크립트는 페이지가 다 온 뒤에 와서, 돌고 나면 DOMContentLoaded를 다시 알린다(overrides/theme/main.html).
# 느린 기계에서는 망이 조용해진 뒤의 일이다.
LATER = "document.addEventListener('DOMContentLoaded', event => { window.arrived ||= !event.isTrusted; });"


def arrived(page: Page) -> None:
    """떠 있는 페이지의 스크립트까지 다 온 뒤."""
    page.wait_for_function("matchMedia('(scripting: none)').matches || window.arrived")
    page.wait_for_load_state("networkidle")


def arrive(page: Page, address: str) -> None:
    """페이지를 열고, 스크립트까지 다 오기를 기다린다."""
    page.add_init_script(LATER)
    page.goto(address)
    arrived(page)


TO_THE_END = """async () => {
    const frame = () => Promise.race([new Promise(requestAnimationFrame), new Promise(done => setTimeout(done, 200))]);
    for (let y = 0; y < document.documentElement.scrollHeight; y += 600) {
      scrollTo({ top: y, behavior: "instant" });
      await frame(); await frame();
    }
    await Promise.all([...document.images].filter(image => image.checkVisibility()).map(image => image.decode()));
    await document.fonts.ready;
    await new Promise(done => setTimeout(done, 100));
}"""


# 창이 없는 chromium은 드물게, 어떤 페이지의 그리기를 영영 멈춘다. 그 페이지만 그렇고, 새로 연 페이지는 그린다.
# 그래서 나누어 쓰는 방문은 쓰기 전에 그리는지 보고, 멈춘 것은 새로 연다. 테스트하던 중에 멈추면 그 테스트만 다시 돈다
# (Makefile의 --only-rerun).
DRAWING = """() => Promise.race([
    new Promise(requestAnimationFrame).then(() => true), new Promise(done => setTimeout(done, 5000, false))])"""


class Shared:
    """테스트들이 나누어 쓰는 방문."""

    def __init__(self, browser: Browser, address: str, width: int, scheme: str) -> None:
        self.browser, self.address, self.width, self.scheme = browser, address, width, scheme
        self.visit: Visit | None = None

    def awake(self) -> Visit:
        """그리고 있는 방문."""
        for _ in range(3):
            if self.visit and self.visit.page.evaluate(DRAWING):
                return self.visit
            self.close()
            self.visit = self.open()
        pytest.fail(f"{self.address}: 브라우저가 세 번 모두 그리기를 멈추었다")

    def open(self) -> Visit:
        size = {"width": self.width, "height": 900}
        page = self.browser.new_context(viewport=size, color_scheme=self.scheme).new_page()
        responses: list[Response] = []
        errors: list[str] = []
        page.on("response", lambda response: responses.extend([response]))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(SHIFTS)
        page.add_init_script(LATER)
        page.goto(self.address)
        page.evaluate(TO_THE_END)
        arrived(page)
        shift = page.evaluate("window.shift")
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        page.emulate_media(reduced_motion="reduce")
        return Visit(page, responses, errors, shift)

    def close(self) -> None:
        if self.visit:
            self.visit.page.context.close()


@pytest.fixture(scope="session")
def shared_desk(path: str, browser: Browser, url: str) -> Iterator[Shared]:
    shared = Shared(browser, url + path, 1280, "light")
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def shared_phone(path: str, browser: Browser, url: str) -> Iterator[Shared]:
    shared = Shared(browser, url + path, 390, "dark")
    yield shared
    shared.close()


@pytest.fixture
def on_desk(shared_desk: Shared) -> Visit:
    return shared_desk.awake()


@pytest.fixture
def on_phone(shared_phone: Shared) -> Visit:
    return shared_phone.awake()


@pytest.fixture(params=["on_desk", "on_phone"])
def visit(request: pytest.FixtureRequest) -> Visit:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def without_scripts(path: str, browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url + path)
    yield page
    context.close()


@contextmanager
def unfolded(page: Page) -> Iterator[None]:
    """접어 둔 것을 모두 펼친 동안."""
    folded = "document.querySelectorAll('article details:not([open])')"
    page.evaluate(f"window.folded = [...{folded}]; window.folded.forEach(each => {{ each.open = true; }})")
    yield
    page.evaluate("window.folded.forEach(each => { each.open = false; })")


SCHEMES = {"light": "default", "dark": "slate"}


def paint(page: Page, scheme: str) -> None:
    """테마는 페이지를 열 때만 시스템을 따른다. 그 뒤에는 독자가 누르는 단추와 같은 것을 누른다."""
    page.emulate_media(color_scheme=scheme)
    page.locator(f"#__palette_{list(SCHEMES).index(scheme)}").dispatch_event("click")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", SCHEMES[scheme])
