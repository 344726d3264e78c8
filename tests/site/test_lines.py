"""줄: 수식에 붙은 괄호와 조사, 낱말, 백분율은 갈라지지 않고, 넘치는 것은 넘친다고 보인다."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.site.conftest import SCHEMES, Visit, arrive, built_pages, paint, soup_of, unfolded

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


def test_nothing_is_torn(path: str, visit: Visit) -> None:
    with unfolded(visit.page):
        torn = visit.page.evaluate(TORN)
        # 글 속의 수식은 줄을 바꾸지 않는다. 화면보다 길면 따로 놓아야 한다.
        over = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert torn == []
    assert over <= 0


OVERFLOWING = """() => {
    document.querySelectorAll("article details").forEach(each => { each.open = true; });
    const boxes = "article :is(.math, pre > code, .jp-OutputArea-output, .md-typeset__scrollwrap)";
    const cut = [...document.querySelectorAll(boxes)].filter(box => {
      // 틀에는 넘쳐도 잘리는 것이 없는 여백이 있다. 그려진 것이 넘칠 때만 센다.
      const inner = box.querySelector("table, mstyle")?.getBoundingClientRect().right;
      const padding = parseFloat(getComputedStyle(box.querySelector(":scope > math") ?? box).paddingRight);
      const right = inner ?? box.getBoundingClientRect().left + box.scrollWidth - padding;
      const over = box.scrollWidth > box.clientWidth + 1 && right > box.getBoundingClientRect().right;
      return over && box.checkVisibility();
    });
    window.wide = cut;
    return cut.length;
}"""
# 넘치는 상자만 남긴다. 긴 페이지를 다 찍지 않아도 된다.
ALONE = """() => {
    const others = [...document.querySelectorAll("article *")].filter(
      part => !window.wide.some(box => box.contains(part) || part.contains(box)));
    const styles = others.map(part => part.style.cssText);
    others.forEach(part => part.style.setProperty("display", "none", "important"));
    window.back = () => others.forEach((part, number) => { part.style.cssText = styles[number]; });
}"""
# 넘치는 상자들의 자리와, 덮개의 너비보다 많이 밀렸는지, 남아 있는 첫 열이 있는지.
PLACES = """() => window.wide.map(box => {
    const { left, top, right, bottom } = box.getBoundingClientRect();
    const first = box.querySelector("tr > :first-child");
    const stays = first !== null && getComputedStyle(first).position === "sticky";
    const cover = parseFloat(getComputedStyle(box).backgroundSize);
    return [[left, top + scrollY, right, bottom + scrollY].map(Math.round), box.scrollLeft > cover, stays];
})"""
SLICE = 8000  # 한 번에 찍는 높이


def shades(page: Page) -> list[tuple[float, float, bool, bool]]:
    """넘치는 상자마다 왼쪽과 오른쪽의 그늘. 하나씩 찍지 않고, 한 번에 길게 찍어 오려 낸다."""
    places = page.evaluate(PLACES)
    tops = range(min(place[0][1] for place in places), max(place[0][3] for place in places), SLICE)
    shots = [
        page.screenshot(full_page=True, clip={"x": 0, "y": top, "width": 390, "height": min(SLICE, tops.stop - top)})
        for top in tops
    ]
    whole = np.concatenate([np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=float) for shot in shots])
    found = []
    for (left, top, right, bottom), scrolled, stays in places:
        ink = whole[top - tops.start : bottom - tops.start, left:right][4:-4]
        # 끝의 3픽셀이 바로 안쪽의 바탕과 얼마나 다른가. 글자가 아니라 바탕이므로 가운데값이다.
        ground = np.median(ink)
        one, other = (float(abs(np.median(edge) - ground)) for edge in (ink[:, :3], ink[:, -3:]))
        found.append((one, other, scrolled, stays))
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_scrolls_sideways_says_so(path: str, scheme: str, on_phone: Visit) -> None:
    page = on_phone.page
    paint(page, scheme)
    with unfolded(page):
        if page.evaluate(OVERFLOWING):
            page.evaluate(ALONE)
            still = shades(page)
            page.evaluate("window.wide.forEach(box => { box.scrollLeft = box.scrollWidth; })")
            pushed = shades(page)
            page.evaluate("window.wide.forEach(box => { box.scrollLeft = 0; }); window.back()")
        else:
            still = pushed = []
    paint(page, "dark")
    for number, (left, right, *_) in enumerate(still):
        assert (left < 2, right > 20) == (True, True), (number, left, right)
    for number, (left, right, scrolled, stays) in enumerate(pushed):
        # 실습의 표는 첫 열이 남아 왼쪽에 더 있음을 보인다. 덮개의 너비(.6rem)보다 덜 밀렸다면 덮개가 아직
        # 왼쪽의 그늘을 가린다. 몇 픽셀만 넘치는 수식이 그렇고, 가려진 것도 그만큼뿐이다.
        assert (left > 20 or stays or not scrolled, right < 2) == (True, True), (number, left, right)


def test_the_chosen_tab_is_the_marked_one(sized: Page, url: str) -> None:
    """이름표가 여러 줄로 접혀도 밑줄은 고른 것에 있다."""
    arrive(sized, url + "transport/wasserstein/")
    labels = sized.locator(".tabbed-labels > label")
    assert labels.count() == 5
    for chosen in range(5):
        labels.nth(chosen).click()
        lines = labels.evaluate_all("all => all.map(each => getComputedStyle(each).borderBottomColor)")
        assert lines.count(lines[chosen]) == 1
        assert len(set(lines)) == 2
    assert sized.locator(".tabbed-labels").evaluate("box => getComputedStyle(box, '::before').content") == "none"


def test_inline_code_is_not_spaced_from_its_particle(sized: Page, url: str) -> None:
    arrive(sized, url + "losses/binary/")
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
    underscored, linked_code = re.compile(r"^\w+_\w+$"), "article p:not(details *) a > code"
    path = next(
        path
        for path in built_pages()
        if any(underscored.match(code.get_text()) for code in soup_of(path).select(linked_code))
    )
    context = browser.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=3)
    page = context.new_page()
    arrive(page, url + path)
    linked = page.locator(linked_code).filter(has_text=underscored).first
    linked.scroll_into_view_if_needed()
    page.mouse.move(0, 0)
    box = linked.bounding_box()
    clip = box | {"height": box["height"] + 4}
    across = (np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("L")) < 140).mean(axis=1)
    line = np.flatnonzero(across > 0.9).min()
    assert across[line - 1] < 0.05 < across[:line].max()  # 밑줄 바로 위는 비어 있다
    context.close()


def test_korean_faces_are_named(sized: Page, url: str) -> None:
    arrive(sized, url + "losses/binary/")
    for where in ("article p", "article pre code"):
        faces = sized.locator(where).first.evaluate("each => getComputedStyle(each).fontFamily")
        assert "Apple SD Gothic Neo" in faces
        assert "Malgun Gothic" in faces
        assert "Nanum" in faces


def test_columns_of_outputs_line_up(sized: Page, url: str) -> None:
    """한글이 든 줄의 같은 열이 같은 자리에서 시작한다."""
    arrive(sized, url + "losses/binary/")
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
