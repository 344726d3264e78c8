"""mgk_book/prepare/english.py: 영어 책머리의 차례."""

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from markdown import Markdown

from mgk_book.book import BookError
from mgk_book.markdown.page import English
from mgk_book.markdown.page import english as read
from mgk_book.prepare import english
from mgk_book.prepare.pages import Book, Page
from tests.mgk_book.prepare.conftest import Write
from tests.mgk_book.prepare.test_pages import lab

FRONT = "---\nenglish: {{ title: '{}', summary: '{}' }}\n---\n\n"
PAGES = {
    "index.md": FRONT.format("Front page", "Where to begin.") + "# 책\n",
    "part/index.md": FRONT.format("Subject", "What & why.") + "# 주제\n",
    "part/page.md": FRONT.format("Page", "It measures 1 < 2, *x_1* and $5.") + "# 장\n",
    "part/deep/last.md": FRONT.format("Last", "The end.") + "# 끝\n",
    "en/index.md": "---\ntitle: Title\n---\n\n# Title\n",
}
NAV = [
    {"책머리": "index.md"},
    {"주제": ["part/index.md", "part/page.md", {"더": ["part/deep/last.md"]}]},
    {"실습": ["labs/one.ipynb"]},
    {"English": "en/index.md"},
]
LAB = lab("labs/one", ("markdown", "# 실습"), english={"title": "Lab: one", "summary": "Runs."})
HERE = Page("en/index.md", "Title", {}, "")


def shelf(book: Book) -> BeautifulSoup:
    text = english.places(book)["english:contents"](HERE)
    extensions = ["attr_list", "def_list", "toc", "pymdownx.arithmatex"]
    return BeautifulSoup(Markdown(extensions=extensions).convert(text), "html.parser")


def test_the_front_page_lists_every_page(write: Write) -> None:
    found = shelf(write(PAGES, nav=NAV, labs=[LAB]))
    assert {link.get_text(): link["href"] for link in found.select("a")} == {
        "Front page": "../index.md#in-english",
        "Subject": "../part/index.md#in-english",
        "Page": "../part/page.md#in-english",
        "Last": "../part/deep/last.md#in-english",
        "Lab: one": "../labs/one.ipynb#in-english",
    }
    assert {link["hreflang"] for link in found.select("a")} == {"ko"}
    assert [item.find(string=True).strip() for item in found.select("ul > li")] == [
        "Front page", "Subject", "Page", "Last", "Labs", "Lab: one",
    ]  # fmt: skip
    assert [[each.a.get_text() for each in shelf.select("li")] for shelf in found.select("ul ul")] == [
        ["Page", "Last"], ["Lab: one"],
    ]  # fmt: skip
    assert found.select("ul ul li")[0].get_text() == "Page: It measures 1 < 2, *x_1* and $5."


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"english": "Title"},
        {"english": {"title": "Title"}},
        {"english": {"title": "Title", "summary": "Words.", "sumary": "x"}},
        {"english": {"title": " ", "summary": "Words."}},
        {"english": {"title": "Title", "summary": 7}},
        {"english": {"title": "Title", "summary": "x" * 241}},
    ],
)
def test_a_page_without_its_english_stops_the_build(meta: dict[str, Any]) -> None:
    with pytest.raises(BookError, match=r"part/page\.md: .*english"):
        read("part/page.md", meta)


def test_every_page_of_the_contents_is_read(write: Write) -> None:
    book = write(PAGES | {"part/page.md": "# 장\n"}, nav=NAV, labs=[LAB])
    with pytest.raises(BookError, match=r"part/page\.md: .*english"):
        english.contents(book, HERE)
    book = write(PAGES, nav=NAV, labs=[lab("labs/one", ("markdown", "# 실습"))])
    with pytest.raises(BookError, match=r"labs/one\.ipynb: .*english"):
        english.contents(book, HERE)
    assert read("a.md", {"english": {"title": "Lab", "summary": "Words."}}) == English("Lab", "Words.")


def test_a_folder_without_a_first_page_needs_a_name(write: Write) -> None:
    book = write(PAGES, nav=[*NAV[:2], {"실험": ["labs/one.ipynb"]}], labs=[LAB])
    with pytest.raises(
        BookError, match=re.escape("실험: 첫 페이지가 없는 묶음의 영어 이름을 mgk_book.prepare.english의")
    ):
        english.contents(book, HERE)
