"""실습의 페이지: 결론과 결과가 먼저, 준비는 접혀 있고, 코드와 표가 화면에서 읽힌다."""

import ast

import jupytext
import pytest
from playwright.sync_api import Browser, Page

from mgk_book.markdown.names import public_names
from tests.site.conftest import ROOT, arrive, built_pages, soup_of

LABS = [path for path in built_pages() if path.startswith("labs/")]
WIDTHS = (390, 1280)
# ±의 앞뒤 글자가 저마다 어느 줄에 있는지
TORN_SPREADS = """() => {
    const found = [];
    const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (node.parentElement.closest("pre, math, summary")) continue;
        for (const match of node.data.matchAll(/\\d\\s?±\\s?\\d/g)) {
            const range = document.createRange();
            range.setStart(node, match.index);
            range.setEnd(node, match.index + match[0].length);
            const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
            if (tops.size > 1) found.push(match[0]);
        }
    }
    return found;
}"""
CAPTIONS = """() => [...document.querySelectorAll("article .jp-OutputArea-output caption")].map((caption) => {
    const box = caption.closest(".jp-OutputArea-output").getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(caption);
    const ink = range.getBoundingClientRect();
    return [caption.textContent, ink.left - box.left, box.right - ink.right];
})"""
# 옆으로 끝까지 민 표의 첫 칸이 상자의 왼쪽에 남아 있고, 그 자리에서 눈에 보이는 것이 그 칸인지
STUCK = """() => [...document.querySelectorAll("article .jp-OutputArea-output table")].flatMap((table) => {
    const boxes = [];
    for (let at = table; at && !at.matches("article"); at = at.parentElement) boxes.push(at);
    const scroller = boxes.find((box) => box.scrollWidth > box.clientWidth + 1
        && /auto|scroll/.test(getComputedStyle(box).overflowX));
    if (!scroller) return [];
    scroller.scrollLeft = scroller.scrollWidth;
    const head = table.querySelector("tbody th");
    head.scrollIntoView({ block: "center", inline: "nearest" });
    scroller.scrollLeft = scroller.scrollWidth;
    const box = head.getBoundingClientRect();
    const seen = document.elementFromPoint(box.left + 8, box.top + 8);
    const paint = getComputedStyle(head).backgroundColor;
    return [[table.caption.textContent, Math.abs(box.left - scroller.getBoundingClientRect().left) <= 2,
        head === seen || head.contains(seen), scroller.scrollLeft > 0, !/rgba\\(.*, 0\\)|transparent/.test(paint)]];
})"""


@pytest.fixture(params=WIDTHS)
def screen(request: pytest.FixtureRequest, browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("lab", LABS)
def test_the_functions_that_the_code_imports_are_linked_to_their_listings(lab: str) -> None:
    code = [
        cell.source for cell in jupytext.read(ROOT / "docs" / f"{lab.rstrip('/')}.py").cells if cell.cell_type == "code"
    ]
    imports = [node for source in code for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    wanted = {f"{node.module}.{alias.name}" for node in imports for alias in node.names} & {*public_names(ROOT)}
    found = {link["href"].partition("#")[2] for link in soup_of(lab).article.select(".lab-functions a")}
    assert wanted
    assert wanted <= found


@pytest.mark.parametrize("lab", LABS)
def test_conclusions_and_the_key_result_come_before_the_first_code(lab: str) -> None:
    page = soup_of(lab).article
    heading = page.find(id="conclusions")
    told = heading.find_next("ul").find_all("li", recursive=False)
    assert len(told) == 3
    for item in told:
        places = [link["href"] for link in item.find_all("a") if link["href"].startswith("#")]
        assert {page.find(id=place[1:]).name for place in places} == {"h2"}
    order = list(page.descendants)
    summary, code = page.select_one(".lab-summary"), page.select_one("pre > code")
    assert summary.select("table, img")
    assert order.index(heading) < order.index(summary) < order.index(code)
    assert page.select_one("h1 ~ p.reading a[href$='#levels']")


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_can_be_read_on_this_screen(lab: str, screen: Page, url: str) -> None:
    arrive(screen, url + lab)
    setup = screen.locator("article details.setup")
    assert setup.count() >= 1
    assert not screen.locator("article details.setup[open]").count()
    first = screen.locator("article details.setup, article pre > code").first
    summary = screen.locator(".lab-summary").bounding_box()
    assert summary["y"] + summary["height"] <= first.bounding_box()["y"]
    assert screen.evaluate(TORN_SPREADS) == []
    for caption, left, right in screen.evaluate(CAPTIONS):
        assert -1 <= left < 40, (caption, left)
        assert right >= -1, (caption, right)
    for caption, *ways in screen.evaluate(STUCK):
        assert all(ways), (caption, ways)
    if screen.viewport_size["width"] == 1280:
        setup.evaluate_all("each => each.forEach((details) => { details.open = true; })")
        cut = "each => each.filter((code) => code.scrollWidth > code.clientWidth).map((code) => code.textContent)"
        assert screen.locator("article .language-python pre > code").evaluate_all(cut) == []
