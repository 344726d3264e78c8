"""mgk_book/markdown/terms.py와 reference.py: 용어 페이지 하나에서 뜻과 id가 나온다."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from mgk_book.book import BookError
from mgk_book.markdown import terms
from mgk_book.markdown.terms import Term
from tests.mgk_book.markdown.drawing import draw, markdown

ROOT = Path(__file__).parents[3]
BOOK = terms.known(ROOT)


def test_an_entry_gives_its_english_and_its_first_sentence() -> None:
    text = "로짓 (logit)\n:   모델의 $z$ 값. 둘째 문장. [정의](../losses/binary.md#logits)\n\n표집 (HMC)\n:   HMC. 끝\n"
    assert terms.parse(text) == [Term("로짓", "logit: 모델의 z 값", "losses"), Term("표집", "HMC: HMC", None)]


def test_a_first_sentence_with_latex_stops_the_build() -> None:
    with pytest.raises(BookError, match=r"reference/glossary\.md: 로그 오즈: 첫 문장은"):
        terms.parse("로그 오즈 (log-odds)\n:   $\\log p$. 로짓과 같다.\n")


def test_every_entry_of_the_glossary_is_read() -> None:
    glossary = (ROOT / "docs" / terms.GLOSSARY).read_text("utf-8")
    assert len(BOOK) == glossary.count("\n:   ") >= 60
    assert len({term.name for term in BOOK}) == len(BOOK)
    for term in BOOK:
        assert 4 < len(term.meaning) < 140, term
        assert not set("$\\[]`*") & set(term.meaning), term


def test_everyday_words_are_in_the_glossary() -> None:
    assert {term.name for term in BOOK} >= terms.EVERYDAY


def test_terms_are_read_again_when_the_page_changes_and_a_book_may_have_none(book: Path) -> None:
    assert terms.known(book) is terms.known(book)
    (book / "docs" / terms.GLOSSARY).write_text("새말 (neologism)\n:   새로운 말.\n", "utf-8")
    assert [term.name for term in terms.known(book)] == ["새말"]
    (book / "docs" / terms.GLOSSARY).unlink()
    assert terms.known(book) == []
    assert terms.pattern([]) is None


def test_an_entry_can_be_pointed_at_by_its_english(book: Path) -> None:
    text = "# 용어\n\n로그-합-지수 (log-sum-exp, LSE)\n:   값.\n\n이미 (own) { #mine }\n:   값.\n\n그냥\n:   값.\n"
    assert [term.get("id") for term in draw(text, book, terms.GLOSSARY).select("dt")] == [
        "log-sum-exp-lse",
        "mine",
        None,
    ]
    assert not draw(text, book, "index.md").select("dt[id=log-sum-exp-lse]")


def test_folded_bibtex_is_not_searched(book: Path) -> None:
    made = markdown(book, None)
    made.registerExtensions(["pymdownx.details"], {})
    html = made.convert('??? bibtex "BibTeX"\n\n    글\n\n??? note "알림"\n\n    글\n')
    folded, note = BeautifulSoup(html, "html.parser").select("details")
    assert folded["data-search-exclude"] == "true"
    assert "data-search-exclude" not in note.attrs
