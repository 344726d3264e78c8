"""손실을 고르는 나무: 자판만으로 잎에서 표의 줄로 간다. 안내표의 판정은 실습의 구간에서 나온다."""

from fnmatch import fnmatchcase

import pytest
from playwright.sync_api import Page

from mgk_book.prepare.numbers import recorded
from mgk_book.running.execution import device, find, sources
from mgk_docs_src.losses.choosing import GUIDE, VERDICTS, Rule
from tests.site.conftest import ROOT

LEAVES = ".inline-figure a"
SMALLER = ("NLL", "ECE")  # 작을수록 좋은 점수
BETTER, TIE, WORSE, NO_BETTER = VERDICTS
ALLOWED = {BETTER: {BETTER}, TIE: {TIE}, WORSE: {WORSE}, NO_BETTER: {TIE, WORSE}}


def verdict(name: str, change: float, half: float) -> str:
    """구간에서 나오는 판정."""
    if abs(change) <= half:
        return TIE
    return BETTER if (change > 0) != name.removesuffix(" Δ").endswith(SMALLER) else WORSE


@pytest.mark.parametrize("rule", [rule for rule in GUIDE if rule.measured], ids=lambda rule: rule.name)
def test_the_verdict_of_a_rule_follows_from_the_labs_interval(rule: Rule) -> None:
    known = recorded(find(sources(ROOT), ROOT, device()))["labs/choosing"]
    for one in rule.measured:
        wanted = one.record.replace("/모두 ", "/* ")
        other = f" 균형 {one.score} Δ"  # 정확도를 물으면 균형 정확도까지 맞는다
        names = [name for name in known if fnmatchcase(name, wanted) and not name.endswith(other)]
        found = {name: verdict(name, *known[name]) for name in names}
        # ‘모두’는 정말 여럿이다. 기준은 자신과 비교한 값이라 뺀다.
        rivals = {name: said for name, said in found.items() if "/교차 엔트로피 " not in name}
        assert len(rivals) > 1 if one.method == "모두" else len(rivals) == 1, one
        assert set(rivals.values()) <= ALLOWED[one.verdict], (one, rivals)


def test_every_leaf_can_be_reached_and_followed_by_keyboard(page: Page, url: str) -> None:
    page.goto(f"{url}losses/choosing/")
    leaves = page.locator(LEAVES)
    names = {leaf.get_attribute("xlink:href") for leaf in leaves.all()}
    assert names == {f"#rule-{rule.name}" for rule in GUIDE}
    leaves.first.focus()
    walked = []
    for _ in range(2 * leaves.count()):  # 두 나무 사이의 글에는 뜻이 달린 용어도 있다
        walked.append(page.evaluate("document.activeElement.getAttribute('xlink:href')"))
        page.keyboard.press("Tab")
    assert [leaf for leaf in walked if leaf] == [leaf.get_attribute("xlink:href") for leaf in leaves.all()]
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
    pictures = page.locator(".inline-figure svg").all()
    assert len(pictures) == 2
    for picture in pictures:
        box = picture.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["width"] <= 390
    letters = page.locator(LEAVES).first.locator("text").first.bounding_box()
    assert letters is not None
    assert letters["height"] >= 9  # 점 10의 글자
