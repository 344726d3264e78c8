"""`mkdocs serve`로 읽는 사람이 보는 것: 실습이 저절로 채워지고, 고친 페이지만 새로 읽히고, 잘못은 그 자리에서 안다."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.mgk_book.laid import lay
from tests.mgk_book.serving.server import LONG, serving

WAIT = LONG * 1000


def test_a_lab_fills_in_and_only_the_page_that_changed_is_read_again(browser: Browser, tmp_path: Path) -> None:
    root = lay(tmp_path / "책")
    lab = root / "docs" / "labs" / "deep.py"
    lab.write_text(lab.read_text("utf-8").replace("print(SIDE)", "import time\ntime.sleep(8)\nprint(SIDE)"), "utf-8")
    context = browser.new_context()
    with serving(root) as served:
        address = f"{served.address}/"
        page, other = context.new_page(), context.new_page()
        other.goto(f"{address}part/")
        other.evaluate("window.untouched = true")
        page.goto(f"{address}labs/deep/")
        expect(page.locator("[data-waiting]")).to_contain_text("째", timeout=WAIT)  # 돌고 있다: 3초째
        expect(page.get_by_text("출력은 실습이 다 돌면 여기에 온다").first).to_be_visible()
        expect(page.locator(".jp-OutputArea-output").first).to_have_text("3", timeout=WAIT)
        expect(page.locator(".lab-waiting")).to_have_count(0)
        page.evaluate("window.untouched = true")
        served.edit("docs/part/index.md", "글\n", "고친 글\n")
        expect(other.get_by_text("고친 글")).to_be_visible(timeout=WAIT)
        assert page.evaluate("window.untouched")
        served.edit("docs/part/index.md", "고친 글", "$\\frac{1}$")
        expect(other.locator("#mgk-error")).to_contain_text("part/index.md", timeout=WAIT)
        served.edit("docs/part/index.md", "$\\frac{1}$", "바로 쓴 글")
        expect(other.get_by_text("바로 쓴 글")).to_be_visible(timeout=WAIT)
        expect(other.locator("#mgk-error")).to_have_count(0)
    context.close()
