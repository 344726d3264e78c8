"""줄: 수식에 붙은 괄호와 조사, 낱말, 백분율은 갈라지지 않고, 넘치는 것은 넘친다고 보인다."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

# 글자 하나의 자리. 줄이 같으면 세로로 겹친다.
SAME_LINE = """
    const at = (node, index) => {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + 1);
      return range.getBoundingClientRect();
    };
    const apart = (one, other) => one.bottom <= other.top || other.bottom <= one.top;
"""
TORN_FORMULAS = """() => {%s
    const found = [];
    for (const math of document.querySelectorAll("article math:not([display=block])")) {
      const box = math.getBoundingClientRect();
      const block = math.closest("p, li, td, th, dd, dt, h1, h2, h3, h4, summary");
      if (!box.width || !block) continue;
      const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
      let before = null, after = null;
      for (let node; (node = walker.nextNode());) {
        if (node.parentElement.closest("math, .headerlink") || !node.data) continue;
        if (math.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING) before = node;
        else { after = node; break; }
      }
      const left = before && before.data.at(-1).trim() && at(before, before.length - 1);
      const right = after && after.data[0].trim() && at(after, 0);
      // 줄이 바뀌었으면 세로로 겹치지 않는다. 키가 큰 수식도 제 줄의 글자와는 겹친다.
      if ((left && left.width && apart(left, box)) || (right && right.width && apart(right, box)))
        found.push(block.textContent.trim().slice(0, 60) + " … " + math.textContent.slice(0, 20));
    }
    return found;
}""" % SAME_LINE  # noqa: UP031 (중괄호가 많은 글이다)
TORN_WORDS = """(selector) => {%s
    const found = [];
    for (const box of document.querySelectorAll(selector)) {
      const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
      for (let node; (node = walker.nextNode());) {
        for (const word of node.data.matchAll(/[가-힣]+/g)) {
          const [first, last] = [at(node, word.index), at(node, word.index + word[0].length - 1)];
          if (first.width && apart(first, last)) found.push(word[0]);
        }
      }
    }
    return found;
}""" % SAME_LINE  # noqa: UP031
TORN_PERCENTS = """() => {%s
    const found = [];
    const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());) {
      for (const percent of node.data.matchAll(/\\d\\s%%/g)) {
        const [first, last] = [at(node, percent.index), at(node, percent.index + 2)];
        if (first.width && apart(first, last)) found.push(node.data.slice(percent.index - 12, percent.index + 3));
      }
    }
    return found;
}""" % SAME_LINE  # noqa: UP031
SIDEBARS = ".md-sidebar .md-nav__link, .md-footer, .md-header__title"


@pytest.fixture(params=[390, 1280])
def sized(request: pytest.FixtureRequest, browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": request.param, "height": 900}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_nothing_is_torn(path: str, sized: Page, url: str) -> None:
    sized.goto(url + path)
    sized.evaluate("document.fonts.ready")
    sized.evaluate("document.querySelectorAll('article details').forEach(each => { each.open = true; })")
    assert sized.evaluate(TORN_FORMULAS) == []
    assert sized.evaluate(TORN_PERCENTS) == []
    assert sized.evaluate(TORN_WORDS, SIDEBARS) == []


OVERFLOWING = """() => {
    document.querySelectorAll("article details").forEach(each => { each.open = true; });
    const boxes = "article :is(.math, pre > code, .jp-OutputArea-output, .md-typeset__scrollwrap)";
    const cut = [...document.querySelectorAll(boxes)].filter(box => {
      const inner = (box.querySelector("table") ?? box).getBoundingClientRect(); // 표의 틀에는 표 밖의 여백이 있다
      return box.scrollWidth > box.clientWidth + 1 && box.checkVisibility()
        && (inner.right > box.getBoundingClientRect().right || !box.querySelector("table"));
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
        assert left < 2 < 20 < right, (number, left, right)
        if number < 3:
            box.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
            left, right = shade(box.screenshot())
            assert right < 2 < 20 < left, (number, left, right)
    context.close()
