"""처음 온 사람: 휴대전화로 책머리에서 답과 코드와 쓴 사람까지 가고, 자판만으로 다닌다."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.site.conftest import arrive, arrived


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def on_screen(page: Page, selector: str) -> bool:
    box = page.locator(selector).first.bounding_box()
    return box is not None and 0 <= box["y"] < page.viewport_size["height"]


def test_why_bce_with_logits_exists_in_one_tap_and_who_wrote_it_in_two_more(phone: Page, url: str) -> None:
    arrive(phone, url)
    phone.get_by_role("link", name="BCEWithLogits가 있는 이유").tap()
    phone.wait_for_url("**/losses/binary/#logits")
    arrived(phone)
    assert on_screen(phone, "#logits")
    # 장의 첫 문단이 쓴 사람과 회차를 가리킨다.
    opening = phone.locator("article > p:not(.reading)").first
    expect(opening.get_by_role("link", name="채연")).to_be_visible()
    opening.get_by_role("link", name="3회차").tap()
    phone.wait_for_url("**/sessions/session-3/")
    phone.locator("article").get_by_role("link", name="채연").first.tap()
    phone.wait_for_url("**/members/chaeyeon/")


def test_the_answer_can_be_searched_for(phone: Page, url: str) -> None:
    arrive(phone, url)
    phone.locator("label[for=__search]").first.tap()
    phone.locator(".md-search__input").fill("BCEWithLogits")
    links = phone.locator(".md-search-result__link")
    expect(links.first).to_be_visible()
    found = [link.get_attribute("href") or "" for link in links.all()]
    pages = list(dict.fromkeys(link.partition("?")[0] for link in found))
    assert f"{url}losses/binary/" in pages[:3]


def test_a_block_its_output_and_its_copy_are_together(phone: Page, url: str) -> None:
    arrive(phone, url + "losses/binary/")
    block = phone.locator("article > .language-python.highlight").first
    block.scroll_into_view_if_needed()
    assert block.locator("+ .highlight > .filename").inner_text() == "출력"
    block.locator(".md-code__button").tap()
    expect(phone.locator(".md-dialog")).to_contain_text("복사")
    copied = phone.evaluate("navigator.clipboard.readText()")
    assert "from mgk_docs_src.losses import binary" in copied
    # 값 하나를 바꿔 그대로 돌릴 수 있다.
    names: dict[str, object] = {}
    exec(copied.replace("0.5, 0.25, 0.25", "0.6, 0.2, 0.2"), names)
    assert names["p"].tolist() == pytest.approx([0.6, 0.2, 0.2])


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.className || document.activeElement.tagName"))


def test_keyboard_alone_reaches_the_text_the_code_the_search_and_the_next_page(page: Page, url: str) -> None:
    arrive(page, url + "losses/binary/")
    page.keyboard.press("Tab")
    assert focused(page).startswith("md-skip")
    expect(page.locator(".md-skip")).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    assert on_screen(page, "article h1")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.highlight') !== null"):
            break
    else:
        pytest.fail("자판으로 코드에 닿지 못했다")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(page.locator(".md-search__input")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator(".md-footer__link--next").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/losses/categorical/")
