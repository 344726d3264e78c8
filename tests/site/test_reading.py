"""밝은 화면과 어두운 화면, 휴대전화와 책상에서 읽힌다."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageStat
from playwright.sync_api import Browser, Page

AXE = Axe()
CHAPTER = "losses/binary/"


def brightness(picture: bytes) -> float:
    return ImageStat.Stat(Image.open(io.BytesIO(picture)).convert("L")).mean[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(path: str, scheme: str, width: int, browser: Browser, url: str) -> None:
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(url + path)
    violations = AXE.run(page).response["violations"]
    assert not {rule["id"]: [node["target"][0] for node in rule["nodes"][:3]] for rule in violations}
    context.close()


def test_figures_follow_the_readers_choice_not_only_the_system(page: Page, url: str) -> None:
    page.goto(url + CHAPTER, wait_until="networkidle")
    figure = page.locator("article img").first
    figure.scroll_into_view_if_needed()
    assert brightness(figure.screenshot()) > 200
    page.locator("label[for=__palette_1]").click()
    page.wait_for_timeout(300)
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    assert brightness(figure.screenshot()) < 70


def test_math_is_drawn_with_the_books_font(page: Page, url: str) -> None:
    page.goto(url + CHAPTER, wait_until="networkidle")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px Math')")
    # 합 기호의 아래 첨자는 기호 아래에 놓인다.
    operator, below = (page.locator(f"article munder > :nth-child({n})").first.bounding_box() for n in (1, 2))
    assert below["y"] >= operator["y"] + operator["height"] * 0.5


def test_listings_are_open_and_do_not_repeat_the_docstring(page: Page, url: str) -> None:
    page.goto(url + CHAPTER, wait_until="networkidle")
    sources = page.locator("details.mkdocstrings-source").all()
    assert len(sources) == 8
    for source in sources:
        assert source.get_attribute("open") is not None
        assert "def " in source.inner_text()
        assert "Args:" not in source.inner_text()


def test_text_does_not_jump_while_it_loads(page: Page, url: str) -> None:
    page.add_init_script("""
        window.shift = 0;
        new PerformanceObserver(list => { for (const entry of list.getEntries()) window.shift += entry.value; })
          .observe({ type: "layout-shift", buffered: true });
    """)
    page.goto(url + CHAPTER, wait_until="networkidle")
    for position in range(0, 12000, 900):
        page.evaluate(f"window.scrollTo(0, {position})")
        page.wait_for_timeout(30)
    assert page.evaluate("window.shift") <= 0.01
