"""▶ 실행: 작은 책을 진짜로 띄우고, 진짜 브라우저에서 누른다."""

import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.mgk_book.laid import FRONT, lay
from tests.mgk_book.serving.server import serving
from tests.site.conftest import FLAGS, SITE

EXAMPLE = "```python\n{0}\n```\n\n"
OUTPUT = '```text title="출력"\n{0}\n```\n\n'
PAGES = {
    "part/page": EXAMPLE.format("from mgk_docs_src.shared import big_area\n\nprint(big_area(2))") + OUTPUT.format("6")
    + EXAMPLE.format("import os\nprint(os.getpid())") + OUTPUT.format("1")
    + '```python { notest="원문" }\nprint(3)\n```\n\n::: mgk_docs_src.shared.big_area\n',
    "part/index": EXAMPLE.format("import os\nprint(os.getpid())"),
}  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = lay(tmp_path_factory.mktemp("book"))
    for name, text in PAGES.items():
        (root / "docs" / f"{name}.md").write_text(FRONT.format("장", "") + text, "utf-8")
    with serving(root) as served:
        yield served.address


def visited(page: Page, address: str) -> Page:
    """테마의 스크립트까지 다 온 페이지. 새로 읽을 때를 기다리는 요청이 늘 열려 있어 networkidle은 오지 않는다."""
    page.goto(f"{address}/part/page/")
    page.locator("[data-clipboard-text]").first.wait_for(state="attached")
    return page


@pytest.fixture
def opened(page: Page, address: str) -> Page:
    return visited(page, address)


def block(page: Page, number: int = 0) -> tuple[Locator, Locator]:
    """몇째 예제의 코드와, 그 아래의 단추와 결과."""
    box = page.locator(".run").nth(number)
    return page.get_by_role("textbox", name="예제 코드").nth(number), box


def says(box: Locator, words: str) -> None:
    expect(box.get_by_role("status")).to_have_text(words, timeout=60_000)


def write(code: Locator, text: str) -> None:
    code.click()
    code.press("Control+a")
    code.page.keyboard.insert_text(text)


def test_a_block_runs_and_agrees(opened: Page) -> None:
    assert opened.locator(".run").count() == 2  # 돌리지 않는 블록과 함수의 소스에는 없다
    _, box = block(opened)
    box.get_by_role("button", name="▶ 실행").click()
    says(box, "끝났다 · 적힌 출력과 같다")
    expect(box.locator("pre")).to_have_text("6\n")
    assert box.evaluate("box => box.previousElementSibling.querySelector('.filename').textContent") == "출력"


def test_an_edited_block_differs_and_is_restored(opened: Page) -> None:
    code, box = block(opened)
    original = code.inner_html()
    code.click()
    code.press("Control+End")
    opened.keyboard.type("\nfor i in range(2):\n")
    opened.keyboard.press("Tab")
    opened.keyboard.type("print(i)")
    opened.keyboard.press("Control+Enter")
    says(box, "끝났다 · 적힌 출력과 다르다")
    expect(box.locator("pre")).to_have_text("6\n0\n1\n")
    assert code.evaluate("code => code === document.activeElement")
    opened.keyboard.press("Escape")
    expect(box.get_by_role("button", name="▶ 실행")).to_be_focused()
    box.get_by_role("button", name="되돌리기").click()
    assert code.inner_html() == original
    expect(box.get_by_role("button", name="되돌리기")).to_be_hidden()


def test_a_keyboard_passes_through_the_code_that_it_does_not_edit(opened: Page) -> None:
    code, _ = block(opened)
    text = code.text_content()
    code.focus()
    opened.keyboard.press("Tab")
    assert not code.evaluate("code => code === document.activeElement")
    assert code.text_content() == text


def test_an_error_shows_its_line(opened: Page) -> None:
    code, box = block(opened)
    write(code, "def half(x):\n    return 1 / x\n\nhalf(0)")
    code.press("Control+Enter")
    says(box, "오류로 멈추었다")
    expect(box.locator(".run-error")).to_have_text("2째 줄 · ZeroDivisionError: division by zero")
    marked = "[...CSS.highlights.get('run-error')].map(String)"
    assert opened.evaluate(marked) == ["    return 1 / x"]
    write(code, "1")
    assert opened.evaluate(marked) == []


def test_a_figure_is_drawn(opened: Page) -> None:
    code, box = block(opened)
    write(code, "import matplotlib.pyplot as plt\n\n_ = plt.plot([1, 3, 2])")
    code.press("Control+Enter")
    says(box, "끝났다 · 적힌 출력과 다르다")
    opened.wait_for_function("document.querySelector('.run img').naturalWidth > 100")


def test_a_block_is_interrupted_and_the_kernel_reset(opened: Page) -> None:
    code, box = block(opened)
    write(code, "print('도는 중', flush=True)\nwhile True:\n    pass")
    code.press("Control+Enter")
    expect(box.locator("pre")).to_have_text("도는 중\n", timeout=60_000)
    box.get_by_role("button", name="■ 멈춤").click()
    says(box, "멈추었다")
    code.press("Control+Enter")
    expect(box.locator("pre")).to_have_text("도는 중\n")
    box.get_by_role("button", name="커널 다시 시작").click()
    says(box, "커널을 다시 시작했다")
    expect(box.get_by_role("button", name="▶ 실행")).to_be_visible()


def test_two_pages_at_once_share_nothing(opened: Page, address: str) -> None:
    other = opened.context.new_page()
    other.goto(f"{address}/part/")
    (code, box), (theirs, below) = block(opened, 1), block(other)
    for each in (code, theirs):
        write(each, "import os, time\ntime.sleep(2)\nprint(os.getpid())")
        each.press("Control+Enter")
    says(box, "끝났다 · 적힌 출력과 다르다")
    says(below, "끝났다")
    assert box.locator("pre").text_content() != below.locator("pre").text_content()


def test_a_dead_kernel_is_said_and_the_server_goes_on(opened: Page) -> None:
    code, box = block(opened)
    write(code, "import os\nos._exit(1)")
    code.press("Control+Enter")
    says(box, "커널이 죽었다. 메모리가 모자랐을 수 있다. 다음 실행은 새 커널에서 한다")
    write(code, "print(6)")
    code.press("Control+Enter")
    says(box, "끝났다 · 적힌 출력과 같다")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_and_nothing_overflows(width: int, scheme: str, browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    code, box = block(visited(page, address))
    write(
        code, "import sys\nprint('탈', file=sys.stderr)\nprint('가' * 200)\nlist(range(3))\nraise ValueError('x' * 200)"
    )
    code.press("Control+Enter")
    says(box, "오류로 멈추었다")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_it_is_not_on_paper_nor_without_scripts(opened: Page, browser: Browser, address: str) -> None:
    opened.emulate_media(media="print")
    expect(opened.locator(".run").first).to_be_hidden()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/part/page/")
    assert page.locator(".language-python").count() >= 2
    assert page.locator(".run, [contenteditable]").count() == 0
    context.close()


def test_a_published_site_has_nothing_of_it() -> None:
    assert not [path for path in SITE.rglob("*.html") if "_mgk" in path.read_text("utf-8")]
    assert not list(SITE.rglob("run.*"))


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """다른 사이트의 서버."""
    folder = tmp_path_factory.mktemp("evil")
    (folder / "index.html").write_text("<!doctype html><title>evil</title><p>evil", "utf-8")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("token", ["", "known"])
def test_a_page_of_another_site_is_refused(token: str, page: Page, address: str, evil: int, tmp_path: Path) -> None:
    page.goto(f"{address}/part/page/")
    known = page.locator("script[data-token]").get_attribute("data-token")
    made = tmp_path / "made"
    asked = {"page": "/", "code": f"open({str(made)!r}, 'w')", "expected": ""}
    given = {"url": f"{address}/_mgk/run", "body": asked, "token": known if token else ""}
    page.goto(f"http://127.0.0.1:{evil}/")
    answers: list[int] = []
    page.on("response", lambda answer: answers.append(answer.status) if "_mgk" in answer.url else None)
    tried = """async ({ url, body, token }) => {
        const send = (mode, headers) => fetch(url, { method: "POST", mode, headers, body: JSON.stringify(body) })
            .then((answer) => answer.type, (error) => error.name);
        return [
            await send("cors", { "Content-Type": "application/json", "X-Mgk-Token": token }),
            await send("no-cors", { "Content-Type": "text/plain" }),
            await fetch(url.replace("_mgk/run", "part/page/")).then((answer) => answer.type, (error) => error.name),
        ];
    }"""
    assert page.evaluate(tried, given) == ["TypeError", "opaque", "TypeError"]
    form = """({ url, body }) => {
        const given = { method: "post", action: url, enctype: "text/plain" };
        const form = Object.assign(document.createElement("form"), given);
        const [name, value] = JSON.stringify({ ...body, extra: "=" }).split("=");
        form.append(Object.assign(document.createElement("input"), { name, value }));
        document.body.append(form);
        form.submit();
    }"""
    with page.expect_navigation():
        page.evaluate(form, given)
    assert page.locator("body").text_content() == "다른 사이트의 페이지는 코드를 실행할 수 없다"
    assert set(answers) <= {403, 404}
    assert answers.count(403) >= 2
    assert not made.exists()


def test_a_rebinding_name_gets_not_even_a_page(browser: Browser, address: str) -> None:
    port = address.rpartition(":")[2]
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    rebound = [*FLAGS, "--host-resolver-rules=MAP evil.test 127.0.0.1"]
    with browser.browser_type.launch(executable_path=executable, args=rebound) as other:
        page = other.new_page()
        for path in ("/part/page/", "/_mgk/run.js"):
            answer = page.goto(f"http://evil.test:{port}{path}")
            assert answer
            assert answer.status == 403
            assert not re.search("token|script", page.content())
