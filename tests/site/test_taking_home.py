"""집에 가져가기: 복사 단추, 페이지의 노트북, 서지."""

import json

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser

from tests.site.conftest import SITE

CHAPTER, LAB = "losses/binary/", "labs/gan/"


@pytest.mark.parametrize("where", [CHAPTER, LAB])
def test_the_copy_button_gives_the_code_alone(where: str, browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(url + where, wait_until="networkidle")
    block = page.locator("article div.language-python.highlight").first
    block.scroll_into_view_if_needed()
    block.hover()
    block.locator(".md-clipboard, [data-md-type=copy]").first.click()
    soup = BeautifulSoup((SITE / where / "index.html").read_text("utf-8"), "html.parser")
    code = soup.select_one("article div.language-python.highlight code").get_text().strip("\n")
    copied = page.evaluate("navigator.clipboard.readText()").strip("\n")
    assert copied == code
    assert not copied.startswith((">>>", "In ["))
    context.close()


def test_outputs_have_no_copy_button(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url + CHAPTER, wait_until="networkidle")
    outputs = page.locator("article .highlight:has(> .filename)")
    assert outputs.count() > 10
    output = outputs.first
    output.scroll_into_view_if_needed()
    output.hover()
    assert output.locator("button:visible").count() == 0
    assert page.locator("article div.language-python.highlight button:visible").count() > 0
    context.close()


def test_pages_with_examples_offer_their_notebook(path: str) -> None:
    soup = BeautifulSoup((SITE / path / "index.html").read_text("utf-8"), "html.parser")
    blocks = [
        block for block in soup.article.select("div.language-python.highlight") if not block.find_parent("details")
    ]
    found = soup.article.select("a[download]")
    assert len(found) == bool(blocks)
    for link in found:
        notebook = json.loads((SITE / path / link["href"]).read_text("utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell["id"] != "install"]
        assert len(code) == len(blocks)


def test_the_bibliography_can_be_taken_home() -> None:
    soup = BeautifulSoup((SITE / "reference/bibliography/index.html").read_text("utf-8"), "html.parser")
    link = soup.find("a", href=lambda href: href and href.endswith("references.bib"))
    text = (SITE / "reference/bibliography" / link["href"]).resolve().read_text("utf-8")
    ids = [term["id"] for term in soup.article.select("dt[id]")]
    assert [line[line.index("{") + 1 : -1] for line in text.split("\n") if line.startswith("@")] == ids
    assert "@misc{mgk," in soup.article.get_text()
    assert not (SITE / "reference/references.yml").exists()
