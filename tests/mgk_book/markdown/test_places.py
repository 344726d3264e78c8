"""mgk_book/markdown/places.py와 차례: 만든 글은 손으로 쓴 글과 같아지고, 일은 적힌 차례로 돈다."""

from pathlib import Path

import pytest

from mgk_book.book import PLACES, BookError, place_file
from mgk_book.markdown import AFTER_CONTENTS, BEFORE_CONTENTS, BookExtension, makeExtension
from mgk_book.markdown.page import EnglishHeading, Top
from tests.mgk_book.markdown.drawing import draw, markdown, write

PAGE = "losses/binary.md"


def test_a_place_is_filled_with_what_was_made_for_its_page(book: Path) -> None:
    table = "| 날짜 | 식 |\n| --- | --- |\n| 2024-07-21 | $x$ |\n"
    write(book, {f"{PLACES}/{place_file('archive:dates', PAGE)}": table})
    soup = draw("# 제목\n\n<!-- archive:dates -->\n\n<!-- 적어 둔 것 -->\n", book, PAGE)
    assert soup.select_one("td time").get_text() == "2024-07-21"
    assert soup.select_one("td math")


def test_a_place_that_nobody_fills_stops_the_build(book: Path) -> None:
    with pytest.raises(BookError, match=r"losses/binary\.md: <!-- archive:dates -->에 넣을 글을 만들지 않았다"):
        draw("# 제목\n\n<!-- archive:dates -->\n", book, PAGE)


def test_a_docstring_has_no_places(book: Path) -> None:
    assert "archive:dates" in str(draw("<!-- archive:dates -->\n", book))


def test_the_parts_run_before_and_after_the_contents_in_the_order_of_the_lists(book: Path) -> None:
    names = [
        item.name for item in sorted(markdown(book, PAGE).treeprocessors._priority, key=lambda item: -item.priority)
    ]
    own = (
        [f"mgk-{part.__name__}" for part in BEFORE_CONTENTS]
        + ["toc"]
        + [f"mgk-{part.__name__}" for part in AFTER_CONTENTS]
    )
    assert [name for name in names if name in own] == own
    assert names.index("attr_list") < names.index(own[0])
    assert names.index(own[-1]) < names.index("relpath")  # 링크는 생성기가 검사하기 전에 있다


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("Formulas", "Prose"),  # 수식은 글이 아니다
        ("Prose", "Proof"),  # 인증의 날짜에는 표지를 달지 않는다
        ("Prose", "End"),  # 링크의 말에는 용어를 풀지 않는다
        ("EnglishHeading", "Formulas"),
        ("Proof", "End"),  # 페이지의 마지막 줄은 고치는 링크다
    ],
)
def test_each_pair_that_matters_is_in_order(first: str, then: str) -> None:
    names = [part.__name__ for part in AFTER_CONTENTS]
    assert names.index(first) < names.index(then)
    assert Top in BEFORE_CONTENTS  # 생성기가 페이지의 id를 모으기 전
    assert EnglishHeading in AFTER_CONTENTS  # 차례에 들지 않게


def test_the_book_is_where_the_package_is_unless_told() -> None:
    assert Path(makeExtension().getConfig("root")) == Path(__file__).parents[3]
    assert BookExtension(root="/다른 곳").getConfig("root") == "/다른 곳"
