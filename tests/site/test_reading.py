"""밝은 화면과 어두운 화면, 휴대전화와 책상에서 읽힌다."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageStat
from playwright.sync_api import Browser, Page, expect

AXE = Axe()
CHAPTER = "losses/binary/"
SCHEMES = {"light": "default", "dark": "slate"}


def brightness(picture: bytes) -> float:
    return ImageStat.Stat(Image.open(io.BytesIO(picture)).convert("L")).mean[0]


def test_axe_finds_nothing_on_phone_tablet_and_desk_in_both_schemes(path: str, browser: Browser, url: str) -> None:
    """페이지를 한 번 열고 크기와 밝기를 바꿔 가며 본다."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(url + path, wait_until="networkidle")
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        # 테마는 페이지를 열 때만 시스템을 따른다. 그 뒤에는 독자가 누르는 단추와 같은 것을 누른다.
        page.locator(f"#__palette_{list(SCHEMES).index(scheme)}").dispatch_event("click")
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", SCHEMES[scheme])
        for width in (390, 820, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for rule in AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]:
                found[scheme, width, rule["id"]] = [node["target"][0] for node in rule["nodes"][:3]]
    assert not found
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


@pytest.mark.parametrize("width", [390, 1280])
def test_text_does_not_jump_while_it_loads(path: str, width: int, browser: Browser, url: str) -> None:
    """천천히 끝까지 밀며 본다. 읽는 사람이 누른 뒤의 움직임은 세지 않는다."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.add_init_script("""
        window.shift = 0;
        new PerformanceObserver(list => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });
    """)
    page.goto(url + path)
    page.evaluate("""async () => {
        const frame = () => new Promise(requestAnimationFrame);
        for (let y = 0; y < document.documentElement.scrollHeight; y += 600) {
          scrollTo({ top: y, behavior: "instant" });
          await frame(); await frame();
        }
        await new Promise(done => setTimeout(done, 100));
    }""")
    assert page.evaluate("window.shift") <= 0.01
    context.close()
