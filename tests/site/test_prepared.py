"""mgk_book.prepare가 원본에서 센 것과 모은 것이, 그려진 사이트에 있는 것과 같다."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from mgk_book.prepare import font, totals
from mgk_book.prepare.pages import Book, Settings, open_book, url_of
from mgk_book.running.execution import find, sources
from tests.site.conftest import ROOT, SITE


@pytest.fixture(scope="module")
def book() -> Book:
    return open_book(ROOT, Settings(), find(sources(ROOT), ROOT, "cpu"))


def drawn(path: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / url_of(path, True) / "index.html").read_text("utf-8"), "html.parser")


def test_every_page_draws_one_certificate_line_for_each_entry_that_is_counted(book: Book) -> None:
    counted, seen = totals.Totals(book), 0
    for page in book.pages.values():
        lines = drawn(page.path).select("p.certificate")
        numbers = [link.get_text() for line in lines for link in line.select("a") if link.get_text().startswith("#")]
        headings = [line.find_previous_sibling() for line in lines if "#" not in line.get_text()]
        functions = [heading["id"] for heading in headings if "doc-heading" in heading.get("class", [])]
        ids = [entry.id for entry in counted.entries[page.path]]
        assert len(lines) == len(ids), page.path
        assert numbers == [name.removeprefix(page.path) for name in ids if "#" in name], page.path
        assert sorted(functions) == sorted(name for name in ids if name.startswith("mgk_docs_src.")), page.path
        seen += len(ids)
    assert seen > 400


def test_the_font_has_every_character_that_a_formula_draws(book: Book) -> None:
    texts = [*(page.body for page in book.pages.values()), *totals.results(ROOT).values(), *font.docstrings(ROOT)]
    covered, formulas = set(font.used(texts)), 0
    for path in Path(SITE).rglob("*.html"):
        soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for note in soup.select("annotation"):
            note.decompose()
        for math in soup.select("math"):
            formulas += 1
            assert set(math.get_text()) - {"\n"} <= covered, path
    assert formulas > 2000
