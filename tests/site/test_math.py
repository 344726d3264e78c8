"""책의 모든 수식을 그려서 본다: 싣는 글꼴과 온 글꼴의 그림이 같고, 요소가 뜻하는 잉크가 그 자리에 있다.

근호, 분수의 가로줄, 늘어난 괄호는 글자로 적히지 않고 요소가 뜻한다. 문서에 물어서는 보이는지 알 수 없다.
"""

import io
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image
from playwright.sync_api import Browser, Page

from mgk_book.prepare import font as book_font
from tests.site.conftest import SITE, built_pages

WHOLE = Path(str(distribution("ziamath").locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf")))
WIDTH = 2000
TALLEST = 8000  # 한 번에 찍는 높이
TEXT_INK = 0x20  # 밝은 화면에서 글자의 밝기(0x21)보다 어두운 곳은 반투명한 조각이 겹친 곳이다
TEXT_SIZE = 16  # px. 본문의 크기이고, 다른 하나는 그 두 배다
SCHEMES = {"light": "default", "dark": "slate"}

# 글자를 화소에 맞추는 일(hinting)은 끈다. 획을 맞추는 자리를 다른 글자들에서 찾으므로, 같은 윤곽도 달라진다.
# 칸의 크기는 온 글꼴로 그렸을 때의 크기로 굳힌다. 그래야 한 수식이 달라져도 다음 칸들이 밀리지 않는다.
PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="{css}">
<style>
@font-face {{ font-family: "Whole"; src: url("{whole}"); }}
html {{ font-size: {size}px; overflow: visible; }}
body.md-typeset {{ font-size: {size}px; display: block; min-height: 0; text-rendering: geometricPrecision; }}
#all {{ position: relative; width: {width}px; }}
#all > div {{ position: absolute; overflow: hidden; white-space: nowrap; padding: .4em; }}
#all math {{ margin: 0; }}
.whole math {{ font-family: "Whole", "STIX Two Math", "Cambria Math", math; }}
</style>
<body data-md-color-scheme="{scheme}" class="md-typeset whole"><div id="all">{cells}</div>"""

LAY_OUT = """async width => {
  await Promise.all([document.fonts.load('16px Math'), document.fonts.load('16px Whole')]);
  const cells = [...document.querySelectorAll('#all > div')];
  // 넓은 것은 비운 여백 위로 나올 수 있으므로, 크기는 잉크를 품을 만큼 넉넉하다.
  const sizes = cells.map(cell => [Math.ceil(cell.scrollWidth) + 8, Math.ceil(cell.scrollHeight)]);
  let x = 0, y = 0, row = 0;
  const boxes = sizes.map(([w, h]) => {
    if (x + w > width) { x = 0; y += row; row = 0; }
    const box = [x, y, w, h];
    x += w; row = Math.max(row, h);
    return box;
  });
  cells.forEach((cell, i) => {
    const [x, y, w, h] = boxes[i];
    Object.assign(cell.style, { left: x + 'px', top: y + 'px', width: w + 'px', height: h + 'px', boxSizing: 'border-box' });
  });
  document.querySelector('#all').style.height = y + row + 'px';
  return boxes;
}"""  # noqa: E501

# 잉크를 뜻하는 요소마다 [수식 번호, 까닭, 상자, 가로 몫, 세로 몫, 이어짐]. 잉크가 그 몫만큼은 넓고 높다.
IMPLIED = r"""() => {
  const found = [];
  const box = element => { const r = element.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  const around = elements => elements.map(box).reduce((a, b) =>
    [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]);
  const visible = element => element.getClientRects().length > 0;
  const silent = /^[\s\u200b\u2061-\u2064\ufe00-\ufe0f]*$/;
  document.querySelectorAll('#all > div').forEach((cell, number) => {
    const need = (why, where, across = 0, down = 0, joined = false) => found.push([number, why, where, across, down, joined]);
    for (const token of cell.querySelectorAll('mi, mn, mo, mtext'))
      if (!silent.test(token.textContent) && !token.closest('mphantom')) need(`글자 ${token.textContent}`, box(token));
    for (const root of cell.querySelectorAll('msqrt, mroot')) {
      const whole = box(root), inside = around(root.localName === 'mroot' ? [root.children[0]] : [...root.children]);
      // 갈고리는 왼쪽에, 가로줄은 위에.
      need('근호의 갈고리', [whole[0], whole[1], inside[0], whole[3]], 0.5, 0.8);
      need('근호의 가로줄', [inside[0], whole[1], inside[2], Math.max(inside[1], whole[1] + 3)], 0.9, 0, true);
    }
    for (const fraction of cell.querySelectorAll('mfrac')) {
      if (/^0[a-z]*$/.test(fraction.getAttribute('linethickness') ?? '')) continue;
      const whole = box(fraction), above = box(fraction.children[0]), below = box(fraction.children[1]);
      need('분수의 가로줄', [whole[0], above[3], whole[2], below[1]], 0.9, 0, true);
    }
    for (const script of cell.querySelectorAll('mover, munder, munderover')) {
      const base = box(script.children[0]);
      for (const mark of [...script.children].slice(1)) {
        if (mark.localName !== 'mo') continue;
        const stretched = /^[\u203e\u00af\u2015\u23de\u23df\u23b4\u23b5\u2190-\u21ff]$/u.test(mark.textContent.trim())
          && mark.getAttribute('stretchy') !== 'false';
        need(`위아래의 ${mark.textContent}`, box(mark), 0.5, 0);
        if (stretched) need(`늘어난 ${mark.textContent}`, [base[0], box(mark)[1], base[2], box(mark)[3]], 0.9, 0, true);
      }
    }
    for (const operator of cell.querySelectorAll('mo')) {
      const text = operator.textContent.trim(), em = parseFloat(getComputedStyle(operator).fontSize), own = box(operator);
      const least = parseFloat(operator.getAttribute('minsize')) || 0, most = parseFloat(operator.getAttribute('maxsize')) || Infinity;
      if (/^[()\[\]{}|‖∥⟨⟩⌊⌋⌈⌉]$/u.test(text) && operator.getAttribute('stretchy') !== 'false') {
        const beside = [...operator.parentElement.children].filter(e => e.localName !== 'mo' && visible(e) && box(e)[3] > box(e)[1]);
        const content = beside.length ? around(beside) : own;
        const height = Math.min(Math.max(content[3] - content[1], least * em), most * em);
        need(`늘어난 ${text}`, [own[0], own[1] - 2, own[2], own[3] + 2, height], 0.3, 0.9, false);
      }
      if (/^[∑∏∫⋃⋂⨁]$/u.test(text)) {
        const large = getComputedStyle(operator).mathStyle === 'normal';
        need(`큰 연산자 ${text}`, [...own, (large ? 1.25 : 0.9) * em], 0.5, 1);
      }
    }
  });
  return found;
}"""  # noqa: E501


@cache
def whole_font() -> bytes:
    """온 글꼴. 근호를 좁힌 것까지 싣는 글꼴과 같다."""
    whole = io.BytesIO()
    with TTFont(WHOLE) as font:
        book_font.narrow_roots(font)
        font.save(whole)
    return whole.getvalue()


@pytest.fixture(scope="module")
def formulas(browser: Browser, url: str) -> list[str]:
    """사이트에 있는 서로 다른 모든 수식. 브라우저가 읽은 대로."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(url, wait_until="commit")
    found = page.evaluate(
        """async paths => {
          const found = new Set();
          for (const path of paths) {
            const text = await (await fetch(path)).text();
            for (const math of new DOMParser().parseFromString(text, 'text/html').querySelectorAll('math')) {
              for (const note of math.querySelectorAll('annotation')) note.remove();
              found.add(math.outerHTML);
            }
          }
          return [...found];
        }""",
        [url + path for path in built_pages()],
    )
    context.close()
    assert len(found) > 1000
    return found


@pytest.fixture(scope="module")
def lay_out(browser: Browser, url: str) -> Iterator[Callable[..., tuple[Page, list[list[int]]]]]:
    """수식들을 한 장에 늘어놓는다. 글꼴 파일을 주면 싣는 글꼴 대신 그것을 쓴다."""
    context = browser.new_context(viewport={"width": WIDTH, "height": 1000})

    def open_page(
        formulas: list[str], *, size: int, scheme: str = "default", font: bytes | None = None
    ) -> tuple[Page, list[list[int]]]:
        page = context.new_page()
        cells = "".join(f"<div>{formula}</div>" for formula in formulas)
        css = f"{url}assets/stylesheets/all.css"
        body = PAGE.format(css=css, whole=f"{url}whole.ttf", size=size, width=WIDTH, scheme=scheme, cells=cells)
        page.route("**/formulas.html", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.route("**/whole.ttf", lambda route: route.fulfill(body=whole_font(), content_type="font/ttf"))
        if font is not None:
            page.route(f"**/{book_font.URI}", lambda route: route.fulfill(body=font, content_type="font/woff2"))
        page.goto(f"{url}formulas.html")
        return page, page.evaluate(LAY_OUT, WIDTH)

    yield open_page
    context.close()


def picture(page: Page) -> np.ndarray:
    """늘어놓은 장을 위에서 아래로 찍어 잇는다."""
    height = page.evaluate("document.querySelector('#all').offsetHeight")
    page.set_viewport_size({"width": WIDTH, "height": TALLEST})
    shots = []
    for top in range(0, height, TALLEST):
        page.evaluate("top => { document.querySelector('#all').style.marginTop = `-${top}px` }", top)
        shots.append(np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L")))
    page.evaluate("document.querySelector('#all').style.marginTop = 0")
    return np.concatenate(shots)


def ship(page: Page) -> None:
    """온 글꼴 대신 싣는 글꼴로 그린다."""
    page.evaluate("""async () => {
        document.body.classList.remove('whole');
        await document.fonts.ready;
        await new Promise(requestAnimationFrame);
    }""")


def differing(page: Page, boxes: list[list[int]], formulas: list[str]) -> list[str]:
    """온 글꼴과 싣는 글꼴의 그림이 다른 수식."""
    whole = picture(page)
    ship(page)
    shipped = picture(page)
    found = []
    for (x, y, width, height), formula in zip(boxes, formulas, strict=True):
        cell = np.s_[y : y + height, x : x + width]
        assert np.ptp(whole[cell]) > 100, f"빈 그림: {formula}"
        if not np.array_equal(whole[cell], shipped[cell]):
            found.append(formula)
    return found


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("size", [TEXT_SIZE, 2 * TEXT_SIZE])
def test_the_shipped_font_draws_every_formula_as_the_whole_font_does(size, scheme, formulas, lay_out) -> None:
    page, boxes = lay_out(formulas, size=size, scheme=scheme)
    different = differing(page, boxes, formulas)
    page.close()
    assert not different


@pytest.mark.parametrize(
    ("missing", "marked"),
    [("√", "<msqrt>"), ("∑", ">∑<"), ("⏟", ">⏟<"), ("𝛼", ">α<")],  # 적힌 글자와, 요소나 기울임이 뜻하는 글자
)
def test_a_font_without_a_character_is_noticed(
    missing: str, marked: str, *, tmp_path, formulas, lay_out, monkeypatch
) -> None:
    """테스트의 테스트: 글자 하나가 빠지면, 그 글자가 보이는 수식이 모두 지목되고 다른 것은 지목되지 않는다."""
    if missing == "√":  # 없는 근호는 좁힐 수 없다
        monkeypatch.setattr(book_font, "narrow_roots", lambda font: None)
    poor = tmp_path / "poor.woff2"
    book_font.build(poor, "".join(map(chr, TTFont(SITE / book_font.URI).getBestCmap())).replace(missing, ""))
    some = formulas[::40] + [formula for formula in formulas if marked in formula]
    page, boxes = lay_out(some, size=TEXT_SIZE, font=poor.read_bytes())
    different = differing(page, boxes, some)
    page.close()
    assert different == [formula for formula in some if marked in formula]


def longest(marks: np.ndarray) -> int:
    """이어진 참의 가장 긴 길이."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def unmet(ink: np.ndarray, where: list[float], across: float, down: float, joined: bool) -> bool:
    """상자 안에 뜻한 만큼의 잉크가 없는가. 상자의 다섯째 수는 잉크의 높이를 비교할 높이다."""
    left, top, right, bottom, *height = where
    part = ink[
        max(int(np.floor(top)), 0) : int(np.ceil(bottom)) + 1, max(int(np.floor(left)), 0) : int(np.ceil(right)) + 1
    ]
    columns, rows = part.any(axis=0), part.any(axis=1)
    if not columns.any():
        return True
    width = longest(columns) if joined else np.ptp(np.flatnonzero(columns)) + 1
    return (
        width < across * (right - left) - 2
        or np.ptp(np.flatnonzero(rows)) + 1 < down * (height or [bottom - top])[0] - 2
    )


def without_ink(page: Page, formulas: list[str]) -> dict[str, list[str]]:
    """잉크를 뜻하지만 잉크가 없거나, 이은 자리가 겹쳐서 글자보다 진한 요소와 그 수식."""
    ship(page)
    needs = page.evaluate(IMPLIED)
    drawn = picture(page)
    ink = drawn < 160
    found: dict[str, list[str]] = {}
    for number, why, where, across, down, joined in needs:
        if unmet(ink, where, across, down, joined):
            found.setdefault(why, []).append(formulas[number])
        left, top, right, bottom = map(round, where[:4])
        if drawn[top:bottom, left:right].min(initial=255) < TEXT_INK:
            found.setdefault(f"{why}: 이은 자리", []).append(formulas[number])
    return found


def test_every_element_that_implies_ink_has_it(formulas, lay_out) -> None:
    page, _ = lay_out(formulas, size=2 * TEXT_SIZE)
    missing = without_ink(page, formulas)
    page.close()
    assert not {why: (len(each), each[:2]) for why, each in missing.items()}


def test_columns_do_not_overlap_on_a_phone(browser: Browser, url: str, formulas) -> None:
    """여러 줄로 맞춘 식은 좁은 화면에서도 칸이 내용만큼 넓다. 넘치면 미는 것이지 겹치는 것이 아니다."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    tables = [formula for formula in formulas if "<mtable" in formula]
    body = "".join(f'<div class="math">{formula}</div>' for formula in tables)
    page.route(
        "**/formulas.html",
        lambda route: route.fulfill(
            content_type="text/html",
            body='<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="assets/stylesheets/all.css">'
            f'<body class="md-typeset" style="display: block; width: 300px">{body}',
        ),
    )
    page.goto(f"{url}formulas.html")
    page.evaluate("document.fonts.load('16px Math')")
    overflowing = page.evaluate("""() => [...document.querySelectorAll('.math')].map((math, number) =>
        [...math.querySelectorAll('mtd')].some(cell => [...cell.querySelectorAll('*')].some(part =>
          part.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1
          || part.getClientRects().length > 1)) ? number : -1).filter(number => number >= 0)""")
    context.close()
    assert len(tables) >= 10
    assert not [tables[number] for number in overflowing]
