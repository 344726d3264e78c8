"""밝은 화면과 어두운 화면, 휴대전화와 책상에서 읽힌다."""

import io
import re
import time
from itertools import pairwise
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageStat
from playwright.sync_api import Browser, Page, expect

from tests.site.conftest import Handler, Shared, Visit, arrive, paint, served, soup_of

AXE = Axe()
CHAPTER = "losses/binary/"
# 종류마다 한 페이지: 책머리, 장, 실습, 회차, 목록, 함수, 설치, 영어, 인증
KINDS = ["", CHAPTER, "labs/gan/", "sessions/session-2/", "reference/glossary/", "reference/api/", "install/", "en/",
         "certificates/"]  # fmt: skip


def brightness(picture: bytes) -> float:
    return ImageStat.Stat(Image.open(io.BytesIO(picture)).convert("L")).mean[0]


def violations(page: Page) -> dict[str, list[str]]:
    found = AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return {rule["id"]: [node["target"][0] for node in rule["nodes"][:3]] for rule in found}


def test_axe_finds_nothing_on_a_light_desk(path: str, on_desk: Visit) -> None:
    assert violations(on_desk.page) == {}


def test_axe_finds_nothing_on_a_dark_phone(path: str, on_phone: Visit) -> None:
    assert violations(on_phone.page) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_on_a_page_of_each_kind(kind: str, browser: Browser, url: str) -> None:
    """나머지 화면들. 스타일시트가 하나이므로, 같은 형태의 페이지는 같은 화면에서 같게 보인다."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    arrive(page, url + kind)
    found = {}
    for scheme, widths in (("light", (390, 820)), ("dark", (820, 1280))):
        paint(page, scheme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            found |= {(scheme, width, rule): where for rule, where in violations(page).items()}
    context.close()
    assert not found


def test_figures_follow_the_readers_choice_not_only_the_system(page: Page, url: str) -> None:
    arrive(page, url + CHAPTER)
    figure = page.locator("article img").first
    figure.scroll_into_view_if_needed()
    assert brightness(figure.screenshot()) > 200
    page.locator("label[for=__palette_1]").click()
    page.wait_for_timeout(300)
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    assert brightness(figure.screenshot()) < 70


def test_math_is_drawn_with_the_books_font(page: Page, url: str) -> None:
    arrive(page, url + CHAPTER)
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px Math')")
    # 합 기호의 아래 첨자는 기호 아래에 놓인다.
    operator, below = (page.locator(f"article munder > :nth-child({n})").first.bounding_box() for n in (1, 2))
    assert below["y"] >= operator["y"] + operator["height"] * 0.5


def test_listings_are_folded_to_the_signature_and_the_first_line(path: str, without_scripts: Page) -> None:
    """스크립트 없이도: 접힌 채로 시그니처가 보이고, 펼치면 설명과 소스가 있고, 소스는 설명을 되풀이하지 않는다."""
    soup = soup_of(path)
    headings = soup.select(".listing > .doc-heading")
    assert len(headings) == len(soup.select(".doc-function, .doc-class"))
    assert not soup.select(".listing > summary :is(a, button, [tabindex])")
    contents = {link["href"].removeprefix("#") for link in soup.select(".md-nav--secondary a")}
    assert not contents & {heading["id"] for heading in soup.select(".doc-heading")} - {"mgk_docs_src.data"}  # 모듈
    names = [heading["id"] for heading in headings if len(heading.find_parents(class_="listing")) == 1]
    if not names:
        return
    page = without_scripts
    for listing, name in zip(page.locator("details.listing:not(details *)").all(), names, strict=True):
        summary = listing.locator("> summary")
        first, says = summary.locator("> code"), summary.locator(".listing-says")
        assert re.match(rf"(def|class) {name.rpartition('.')[2]}\b", first.inner_text())
        assert says.inner_text().strip()
        assert summary.is_visible()
        assert listing.locator("> .doc-contents").is_hidden()
    summary.click()  # 마지막 것
    body = listing.locator("> .doc-contents")
    assert body.is_visible()
    assert says.is_hidden()  # 설명의 첫 줄이 되었다
    if "/api/" not in path:
        source = body.locator("> .mkdocstrings-source pre").inner_text()
        assert re.search(r"^(def|class) ", source, re.MULTILINE)
        assert '"""' not in source
        assert "Args:" not in source
    summary.click()  # 도로 접는다


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("script", [True, False])
def test_a_link_to_a_function_unfolds_it(width: int, script: bool, browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, java_script_enabled=script)
    page = context.new_page()
    for where, name in (
        (CHAPTER, "losses.binary.bce_with_logits"),
        ("losses/choosing/", "losses.choosing.Rule"),
        ("losses/choosing/", "losses.choosing.Rule.condition"),  # 클래스의 속성
        ("reference/api/", "random.rand"),
    ):
        page.goto("about:blank")
        arrive(page, f"{url}{where}#mgk_docs_src.{name}")
        heading = page.locator(f'[id="mgk_docs_src.{name}"]')
        expect(heading).to_be_in_viewport()
        assert page.locator("details.listing[open]").count() == 1
        if not name.endswith("condition"):
            expect(heading.locator("xpath=../summary/code")).to_be_in_viewport()
            expect(heading.locator("+ .certificate, + .doc-contents")).to_be_visible()
    context.close()


def test_examples_come_soon_and_listings_after_them(path: str, on_desk: Visit) -> None:
    if not soup_of(path).select("#implementation"):
        return
    page = on_desk.page
    run, listed, after = (page.locator(name).bounding_box()["y"] for name in ("#run", "#implementation", "#pitfalls"))
    assert run < listed < after
    assert after - listed < 150 * (page.locator("details.listing").count() + 3)


def test_text_does_not_jump_while_it_loads(path: str, visit: Visit) -> None:
    """천천히 끝까지 밀며 본다. 읽는 사람이 누른 뒤의 움직임은 세지 않는다."""
    assert visit.shift <= 0.01


class Trickle(Handler):
    """HTML을 조각조각, 사이를 두고 준다. 느린 망에서 브라우저는 온 데까지 그린다."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        if not self.path.endswith("/"):
            return super().copyfile(source, outputfile)
        body = source.read()
        article, footer = body.index(b"<article"), body.index(b"<footer")
        # 본문은 첫 화면에 드는 만큼만 잘게 준다.
        head = range(article, min(article + 30_000, footer), 1000)
        tail = range(footer, body.index(b"</footer>"), 200)
        for start, stop in pairwise([0, *head, *tail, len(body)]):
            outputfile.write(body[start:stop])
            time.sleep(0.1)
        return None


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "where",
    [
        "members/sejun/",
        "certificates/",
        "sessions/",
        "reference/notation/",
        "reference/glossary/",
        CHAPTER,
        "labs/gan/",
    ],
)
def test_a_page_that_comes_in_pieces_does_not_jump(where: str, width: int, browser: Browser) -> None:
    """짧은 페이지의 꼬리는 창의 바닥에 서고, 표는 줄이 올 때마다 칸의 너비를 정한다. 그래도 첫 화면은 그대로다."""
    with served(Trickle) as url:
        visit = Shared(browser, url + where, width, "light").open()
        hidden = visit.page.evaluate(
            "[...document.querySelectorAll('article table')].filter(x => !x.checkVisibility("
            "{ visibilityProperty: true }) && !x.closest('details')).length"
        )
        visit.page.context.close()
    assert visit.shift <= 0.01
    assert hidden == 0
