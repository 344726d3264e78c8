"""줄: 수식에 붙은 괄호와 조사, 낱말, 백분율은 갈라지지 않고, 넘치는 것은 넘친다고 보인다."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

# 갈라진 것: 수식과 붙은 글자, 한글 낱말(옆 차례와 머리와 발), 수와 %. 줄이 같으면 두 글자의 칸이 세로로 겹친다.
TORN = r"""() => {
    const at = (node, index) => {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + 1);
      return range.getBoundingClientRect();
    };
    const apart = (one, other) => one.width && other.width && (one.bottom <= other.top || other.bottom <= one.top);
    const texts = function* (box) {
      const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
      for (let node; (node = walker.nextNode());) if (node.data) yield node;
    };
    const torn = (box, pattern) => [...texts(box)].flatMap(node => [...node.data.matchAll(pattern)]
      .filter(({ 0: found, index }) => apart(at(node, index), at(node, index + found.length - 1)))
      .map(({ 0: found }) => found));
    const formulas = [...document.querySelectorAll("article math:not([display=block])")].filter(math => {
      const block = math.closest("p, li, td, th, dd, dt, h1, h2, h3, h4, summary, article");
      const around = [...texts(block)].filter(node => !node.parentElement.closest("math, .headerlink"));
      const follows = node => math.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING;
      const [before, after] = [around.findLast(node => !follows(node)), around.find(follows)];
      const box = math.getBoundingClientRect();
      return (before?.data.at(-1).trim() && apart(at(before, before.length - 1), box))
        || (after?.data[0].trim() && apart(at(after, 0), box));
    });
    const bars = [...document.querySelectorAll(".md-sidebar, .md-header__title, .md-footer")];
    return [
      ...formulas.map(math => math.querySelector("annotation").textContent),
      ...torn(document.querySelector("article"), /\d\s%/g),
      ...bars.flatMap(bar => torn(bar, /[가-힣]+/g)),
    ];
}"""


@pytest.fixture(params=[390, 1280])
def sized(request: pytest.FixtureRequest, browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": request.param, "height": 900}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_nothing_is_torn(path: str, sized: Page, url: str) -> None:
    sized.goto(url + path)
    sized.evaluate("document.fonts.ready")
    sized.evaluate("document.querySelectorAll('article details').forEach(each => { each.open = true; })")
    assert sized.evaluate(TORN) == []
    # 글 속의 수식은 줄을 바꾸지 않는다. 화면보다 길면 따로 놓아야 한다.
    assert sized.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


OVERFLOWING = """() => {
    document.querySelectorAll("article details").forEach(each => { each.open = true; });
    const boxes = "article :is(.math, pre > code, .jp-OutputArea-output, .md-typeset__scrollwrap)";
    const cut = [...document.querySelectorAll(boxes)].filter(box => {
      // 틀에는 넘쳐도 잘리는 것이 없는 여백이 있다. 그려진 것이 넘칠 때만 센다.
      const inner = box.querySelector("table, mstyle")?.getBoundingClientRect().right;
      const padding = parseFloat(getComputedStyle(box).paddingRight);
      const right = inner ?? box.getBoundingClientRect().left + box.scrollWidth - padding;
      const over = box.scrollWidth > box.clientWidth + 1 && right > box.getBoundingClientRect().right;
      return over && box.checkVisibility();
    });
    cut.forEach((box, number) => { box.dataset.wide = number; });
    return cut.length;
}"""


def shade(picture: bytes) -> tuple[float, float]:
    """왼쪽과 오른쪽 끝의 3픽셀이 바로 안쪽의 바탕과 얼마나 다른가. 글자가 아니라 바탕이므로 가운데값이다."""
    ink = np.asarray(Image.open(io.BytesIO(picture)).convert("L"), dtype=float)[4:-4]
    ground = np.median(ink)
    return float(abs(np.median(ink[:, :3]) - ground)), float(abs(np.median(ink[:, -3:]) - ground))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_scrolls_sideways_says_so(path: str, scheme: str, browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(url + path, wait_until="networkidle")
    for number in range(page.evaluate(OVERFLOWING)):
        box = page.locator(f"[data-wide='{number}']")
        left, right = shade(box.screenshot())
        assert (left < 2, right > 20) == (True, True), (number, left, right)
        if number < 3:
            box.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
            left, right = shade(box.screenshot())
            # 실습의 표는 첫 열이 남아 왼쪽에 더 있음을 보인다.
            stays = box.locator("tr > :first-child").first
            sticky = stays.count() and stays.evaluate("cell => getComputedStyle(cell).position") == "sticky"
            assert (left > 20 or sticky, right < 2) == (True, True), (number, left, right)
    context.close()


def test_the_chosen_tab_is_the_marked_one(sized: Page, url: str) -> None:
    """이름표가 여러 줄로 접혀도 밑줄은 고른 것에 있다."""
    sized.goto(url + "transport/wasserstein/", wait_until="networkidle")
    labels = sized.locator(".tabbed-labels > label")
    assert labels.count() == 5
    for chosen in range(5):
        labels.nth(chosen).click()
        lines = labels.evaluate_all("all => all.map(each => getComputedStyle(each).borderBottomColor)")
        assert lines.count(lines[chosen]) == 1
        assert len(set(lines)) == 2
    assert sized.locator(".tabbed-labels").evaluate("box => getComputedStyle(box, '::before').content") == "none"


def test_inline_code_is_not_spaced_from_its_particle(sized: Page, url: str) -> None:
    sized.goto(url + "losses/binary/", wait_until="networkidle")
    gaps = sized.evaluate("""() => [...document.querySelectorAll("article p code")].flatMap(code => {
        const next = (code.closest("a") ?? code).nextSibling;
        if (next?.nodeType !== Node.TEXT_NODE || !/^[가-힣]/.test(next.data)) return [];
        const range = document.createRange();
        range.setStart(next, 0);
        range.setEnd(next, 1);
        const letters = document.createRange();
        letters.selectNodeContents(code);
        const [one, other] = [[...letters.getClientRects()].at(-1), range.getBoundingClientRect()];
        const em = parseFloat(getComputedStyle(code.parentElement).fontSize);
        return one.bottom > other.top ? [(other.left - one.right) / em] : [];
    })""")
    assert len(gaps) > 10
    assert max(gaps) < 0.15  # 빈칸은 0.25em쯤이다


def test_underscores_of_linked_code_are_seen(browser: Browser, url: str) -> None:
    """링크의 밑줄과 밑줄 글자 사이에 바탕이 보인다."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=3)
    page = context.new_page()
    page.goto(url + "losses/binary/", wait_until="networkidle")
    linked = page.locator("article p a > code:visible").filter(has_text=re.compile(r"^\w+_\w+$")).first
    linked.scroll_into_view_if_needed()
    page.mouse.move(0, 0)
    box = linked.bounding_box()
    clip = box | {"height": box["height"] + 4}
    across = (np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("L")) < 140).mean(axis=1)
    line = np.flatnonzero(across > 0.9).min()
    assert across[line - 1] < 0.05 < across[:line].max()  # 밑줄 바로 위는 비어 있다
    context.close()


def test_korean_faces_are_named(sized: Page, url: str) -> None:
    sized.goto(url + "losses/binary/")
    for where in ("article p", "article pre code"):
        faces = sized.locator(where).first.evaluate("each => getComputedStyle(each).fontFamily")
        assert "Apple SD Gothic Neo" in faces
        assert "Malgun Gothic" in faces
        assert "Nanum" in faces


def test_columns_of_outputs_line_up(sized: Page, url: str) -> None:
    """한글이 든 줄의 같은 열이 같은 자리에서 시작한다."""
    sized.goto(url + "losses/binary/", wait_until="networkidle")
    starts = (
        sized.locator(".language-text.highlight code")
        .nth(1)
        .evaluate("""code => {
        const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
        const found = [];
        for (let node; (node = walker.nextNode());) {
          for (const number of node.data.matchAll(/-?\\d+\\.\\d{4}/g)) {
            const range = document.createRange();
            range.setStart(node, number.index);
            range.setEnd(node, number.index + 1);
            found.push(range.getBoundingClientRect().left);
          }
        }
        return found;
    }""")
    )
    assert len(starts) == 6
    assert max(starts) - min(starts) < 0.5
