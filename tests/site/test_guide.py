"""손실을 고르는 그림: 자판만으로 잎에서 표의 줄로 간다."""

from playwright.sync_api import Page

from mgk_docs_src.losses.choosing import GUIDE

LEAVES = ".inline-figure a"


def test_every_leaf_can_be_reached_and_followed_by_keyboard(page: Page, url: str) -> None:
    page.goto(f"{url}losses/choosing/")
    leaves = page.locator(LEAVES)
    names = {leaf.get_attribute("xlink:href") for leaf in leaves.all()}
    assert names == {f"#rule-{rule.name}" for rule in GUIDE}
    leaves.first.focus()
    walked = []
    for _ in range(leaves.count()):
        walked.append(page.evaluate("document.activeElement.getAttribute('xlink:href')"))
        page.keyboard.press("Tab")
    assert walked == [leaf.get_attribute("xlink:href") for leaf in leaves.all()]
    leaves.nth(3).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/losses/choosing/{walked[3]}")
    box = page.locator(walked[3]).bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 900
    assert len(page.context.pages) == 1  # 새 창을 열지 않는다


def test_the_picture_can_be_read_on_a_phone(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{url}losses/choosing/")
    box = page.locator(".inline-figure svg").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["width"] <= 390
    letters = page.locator(LEAVES).first.locator("text").first.bounding_box()
    assert letters is not None
    assert letters["height"] >= 9  # 점 10의 글자
