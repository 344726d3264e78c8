"""종이와 PDF: 장과 실습을 인쇄해도 잘리지 않고, 어두운 화면으로 읽던 사람에게도 밝게 나온다."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Browser, Page

from tests.site.conftest import arrive

CHAPTER, LAB = "losses/binary/", "labs/digits/"
PAPER = {"width": 680, "height": 960}  # A4에서 여백 15 mm를 뺀 글의 너비, 96 dpi


@pytest.fixture(params=["light", "dark"])
def reader(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PAPER, color_scheme=request.param)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("where", "pages"), [(CHAPTER, range(8, 36)), (LAB, range(5, 20))])
def test_a_pdf_can_be_made(where: str, pages: range, page: Page, url: str) -> None:
    arrive(page, url + where)
    pdf = page.pdf(format="A4", print_background=True)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") in pages


@pytest.mark.parametrize("where", [CHAPTER, LAB, "losses/choosing/", "sessions/session-2/", "reference/api/"])
def test_paper_shows_the_text_alone_and_cuts_nothing(where: str, page: Page, url: str) -> None:
    arrive(page, url + where)
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    for screen_only in (".md-header", ".md-sidebar", ".md-footer", ".md-code__nav", ".headerlink"):
        assert not page.locator(screen_only).locator("visible=true").count(), screen_only
    wide = page.evaluate("""() => [...document.querySelectorAll("article :is(p, pre, code, table, math, img, svg)")]
        .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.outerHTML.slice(0, 80))""")
    assert not wide
    # 종이에 없는 영어 요약 말고는 접힌 것이 없다.
    folded = page.locator("article details:not(.english) > :not(summary)")
    assert folded.evaluate_all("parts => parts.filter(part => !part.getClientRects().length).length") == 0


def test_paper_is_light_whatever_the_reader_chose(reader: Page, url: str) -> None:
    arrive(reader, url + CHAPTER)
    reader.emulate_media(media="print")
    for thing in ("article p", "article .highlight", "article img"):
        part = reader.locator(thing).first
        part.scroll_into_view_if_needed()
        picture = Image.open(io.BytesIO(part.screenshot())).convert("L")
        assert ImageStat.Stat(picture).mean[0] > 190, thing
