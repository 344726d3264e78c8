"""mgk_book/markdown/prose.py: 용어는 한 번, 함수는 절마다 한 번, torch는 나올 때마다. 날짜와 값은 갈라지지 않는다."""

from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from mgk_book.markdown.part import IDS, STRIP
from tests.mgk_book.markdown.drawing import draw, markdown

TITLE = "# 제목\n\n"
BCE = "mgk_docs_src.losses.binary.bce"


def shown(text: str, root: Path, page: str = "losses/binary.md") -> BeautifulSoup:
    soup = draw(TITLE + text, root, page)
    for own in soup.select(".english, .reading, .certificate, .never-run, .headerlink, h1"):
        own.decompose()
    return soup


def terms(text: str, root: Path, page: str = "losses/binary.md") -> list[str]:
    return [mark.get_text() for mark in shown(text, root, page).select("abbr")]


def test_a_term_is_explained_the_first_time_only(book: Path) -> None:
    soup = shown("## 로짓\n\n로짓은 로짓이다.\n\n로짓", book)
    (mark,) = soup.select("abbr")
    assert (mark["title"], mark["tabindex"]) == ("logit: 확률로 바꾸기 전의 값", "0")
    assert mark.parent.get_text() == "로짓은 로짓이다."
    assert mark.find_parent("p") == soup.p


@pytest.mark.parametrize(
    "text", ["로짓은", "로짓으로", "로짓(logit)", "그 로짓.", "로짓과", "‘로짓’이라는", "**로짓**은"]
)
def test_particles_do_not_hide_a_term(text: str, book: Path) -> None:
    assert terms(text, book) == ["로짓"]


@pytest.mark.parametrize("text", ["로짓값", "비로짓", "로짓들판", "multi-로짓", "로짓2"])
def test_a_part_of_another_word_is_not_the_term(text: str, book: Path) -> None:
    assert terms(text, book) == []


def test_the_longest_term_wins_across_a_line_break(book: Path) -> None:
    assert terms("라벨\n스무딩의 라벨", book) == ["라벨\n스무딩", "라벨"]


def test_quotes_in_a_meaning_do_not_end_the_attribute(book: Path) -> None:
    assert shown("라벨 스무딩", book).abbr["title"] == 'label smoothing: "섞기"'


def test_everyday_words_are_explained_where_they_are_terms(book: Path) -> None:
    assert terms("온도", book, "diffusion/process.md") == ["온도"]
    assert terms("온도", book, "transport/gan.md") == []


@pytest.mark.parametrize("page", ["reference/glossary.md", "labs/gan.ipynb", "en/index.md"])
def test_lists_labs_and_english_pages_are_not_explained(page: str, book: Path) -> None:
    assert terms("로짓", book, page) == []
    assert terms("로짓", book, "index.md") == ["로짓"]


def test_a_docstring_has_neither_marks_nor_links_of_the_book(book: Path) -> None:
    soup = draw("로짓 `binary.bce` `torch.sigmoid` 2024-07-21", book)
    assert [tag.name for tag in soup.p.find_all(recursive=False)] == ["code", "a", "time"]


@pytest.mark.parametrize("strip", [True, False])
def test_a_line_that_is_itself_pressed_has_no_links(strip: bool, book: Path) -> None:
    made = markdown(book, None)
    made.treeprocessors.register(SimpleNamespace(strip=True, run=lambda root: None), STRIP, 0.99)
    named = SimpleNamespace(id_prefix="" if strip else "x--", run=lambda root: None)
    made.treeprocessors.register(named, IDS, 0.98)
    assert len(BeautifulSoup(made.convert("`torch.sigmoid`의 로그"), "html.parser").select("a")) == (not strip)


@pytest.mark.parametrize(
    "text",
    [
        "### `bce` 로짓",
        "[`bce` 로짓](#x)",
        "```text\nbce 로짓 2024-07-21\n```",
        "| `bce` 로짓 |\n| --- |\n| 끝 |",
        "bce",
    ],
)
def test_headings_links_blocks_and_heads_of_tables_are_left_alone(text: str, book: Path) -> None:
    assert not shown(text, book).select("abbr, autoref, time")


def test_functions_of_the_book_are_linked_once_in_each_section(book: Path) -> None:
    code = "`bce` `bce(p, y)`\n\n"
    soup = shown(f"{code}## 하나\n\n{code}### 속\n\n{code}## 둘\n\n{code}", book)
    assert [tag["identifier"] for tag in soup.select("autoref")] == [BCE] * 3
    assert [tag.get_text() for tag in soup.select("autoref > code")] == ["bce"] * 3


def test_names_of_torch_are_linked_every_time(book: Path) -> None:
    links = shown("`BCELoss`와 `torch.nn.BCELoss(weight=None)`와 `sigmoid`", book).select("a")
    minor = ".".join(version("torch").split(".")[:2])
    page = f"https://docs.pytorch.org/docs/{minor}/generated/torch.nn.BCELoss.html#torch.nn.BCELoss"
    assert [link["href"] for link in links] == [page] * 2


def test_text_around_what_is_marked_stays(book: Path) -> None:
    text = "앞 **굵은 로짓 끝** 사이 `bce` 뒤 *기울기*2024-07-21까지"
    assert shown(text, book).p.get_text() == "앞 굵은 로짓 끝 사이 bce 뒤 기울기2024-07-21까지"


@pytest.mark.parametrize(
    ("text", "dates"),
    [("2024-07-21", 1), ("2024-07-14부터 2024-08-18", 2), ("12024-07-21 2024-07-211", 0), ("`2024-07-21`", 0)],
)
def test_dates_are_kept_whole(text: str, dates: int, book: Path) -> None:
    assert len(shown(text, book).select("time")) == dates


def test_spreads_and_percentages_are_kept_whole(book: Path) -> None:
    assert (
        shown("방법 +0.081 ± 0.056, 12 %, 값 ± 오차", book).p.get_text()
        == "방법 +0.081\u00a0±\u00a00.056, 12\u00a0%, 값 ± 오차"
    )
