"""mgk_book/markdown/page.py: 제목 아래의 시간과 영어, 페이지 끝의 링크."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup

from mgk_book.book import BookError
from tests.mgk_book.markdown.drawing import draw, markdown, write

FRONT = "---\nenglish: {{ title: Page, summary: 'It measures 1 < 2.' }}\n{}\n---\n"
CODE = "```python\nx = 1\n```"


def put(book: Path, page: str, text: str = "# 제목\n\n글", front: str = "", **options: str) -> BeautifulSoup:
    if page.endswith(".md"):
        write(book, {f"docs/{page}": FRONT.format(front)})
    return draw(text, book, page, **options)


def links(tag: BeautifulSoup) -> dict[str, str]:
    return {link.get_text().strip(): link["href"] for link in tag.select("a")}


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("", 1),
        ("가" * 1000, 2),
        ("word " * 600, 3),
        ("```python\n" + "가나다 = 1\n\n" * 80 + "```", 4),
        ("글\n\n$$\n\\text{가나다라마바사}\n$$\n\n" * 30, 5),
        ("`가나다` $x$ " * 400, 2),  # 글 속의 코드는 글이고, 글 속의 수식은 세지 않는다
        ("가" * 500 + "\n\n```text\n" + "x\n" * 20 + "```", 2),
        ("=== 탭\n\n    ```python\n" + "    x\n" * 60 + "    ```", 3),
    ],
)
def test_minutes(text: str, minutes: int, book: Path) -> None:
    soup = put(book, "losses/binary.md", f"# 제목\n\n{text}")
    assert soup.select_one(".reading").get_text() == f"읽는 데 약 {minutes}분"


def test_a_chapter_gets_its_time_and_level_under_the_first_title(book: Path) -> None:
    line = put(book, "losses/binary.md", "# 제목\n\n글\n\n# 둘", "level: 입문").select_one("h1 + p.reading")
    assert line.get_text() == "읽는 데 약 1분 · 수준 입문"
    assert links(line) == {"입문": "../index.md#levels"}


def test_a_lab_gets_them_from_its_notebook_and_its_unfolded_code(book: Path) -> None:
    cells = '# %% 준비 tags=["setup"]\n' + "x\n" * 400 + "# %%\n" + "x\n" * 60
    lab = book / "docs" / "labs" / "gan.py"
    lab.write_text(lab.read_text("utf-8") + cells, "utf-8")
    line = put(book, "labs/gan.ipynb").select_one("h1 + p.reading")
    assert line.get_text() == "읽는 데 약 3분 · 수준 심화"
    assert put(book, "labs/gan.ipynb").select_one(".english h2").get_text() == "Lab"


@pytest.mark.parametrize("page", ["index.md", "losses/index.md", "sessions/session-2.md", "reference/api.md"])
def test_what_is_no_chapter_has_no_time(page: str, book: Path) -> None:
    assert not put(book, page).select(".reading")


def test_an_unknown_level_stops_the_build(book: Path) -> None:
    with pytest.raises(BookError, match=r"losses/binary\.md: level: '쉬움'\. 입문, 중급, 심화"):
        put(book, "losses/binary.md", front="level: 쉬움")


def test_a_page_says_what_it_is_and_leads_to_its_sections_and_to_the_front_page(book: Path) -> None:
    text = "# 제목\n\n## 목표 { #goal }\n\n## 다른 것 { #other }\n\n## 구현 { #implementation }"
    (details,) = put(book, "part/page.md", text).select("h1 + .reading + details.english")
    assert details["lang"] == "en"
    assert details.select_one("h2#in-english").get_text() == "Page"
    assert details.p.get_text() == "It measures 1 < 2."
    home = {"The book in English": "../en/index.md"}
    assert links(details) == {"Goal": "#goal", "Implementation": "#implementation"} | home


def test_a_page_without_the_standard_sections_has_no_empty_list(book: Path) -> None:
    details = put(book, "index.md").details
    assert links(details) == {"The book in English": "en/index.md"}
    assert not details.ul


def test_the_english_title_is_not_in_the_contents(book: Path) -> None:
    write(book, {"docs/part/page.md": FRONT.format("")})
    made = markdown(book, "part/page.md")
    made.convert("# 제목\n\n## 하나")
    assert [[child["name"] for child in token["children"]] for token in made.toc_tokens] == [["하나"]]


def test_an_english_page_has_neither_and_its_headings_say_so(book: Path) -> None:
    soup = put(book, "en/index.md", f"# Title\n\n{CODE}")
    assert not soup.select(".english, .reading")
    assert soup.select_one(".headerlink")["title"] == "Link to this heading"
    assert links(soup.select_one(".page-links")) == {"Download this page as a notebook (.ipynb)": "index.ipynb"}


def test_a_docstring_has_neither_top_nor_end(book: Path) -> None:
    assert str(draw("글", book, repository="team/book")) == "<p>글</p>"


@pytest.mark.parametrize(
    "front",
    [
        "",
        "---\nenglish: Title\n---\n",
        "---\nenglish: { title: Title }\n---\n",
        "---\nenglish: { title: Title, summary: Words., sumary: x }\n---\n",
        "---\nenglish: { title: ' ', summary: Words. }\n---\n",
        "---\nenglish: { title: Title, summary: 7 }\n---\n",
        f"---\nenglish: {{ title: Title, summary: {'x' * 241} }}\n---\n",
    ],
)
def test_a_page_without_its_english_stops_the_build(front: str, book: Path) -> None:
    write(book, {"docs/part/page.md": front})
    with pytest.raises(BookError, match=r"part/page\.md: .*english"):
        draw("# 장", book, "part/page.md")


def test_a_page_without_a_title_stops_the_build(book: Path) -> None:
    with pytest.raises(BookError, match=r"part/page\.md: 영어 요약을 달 제목"):
        put(book, "part/page.md", "글")


def test_without_a_repository_only_the_notebook_is_linked(book: Path) -> None:
    assert links(put(book, "losses/binary.md", f"# 제목\n\n{CODE}").select_one(".page-links")) == {
        "이 페이지를 노트북으로 내려받기 (.ipynb)": "binary.ipynb"
    }
    assert not put(book, "losses/binary.md").select(".page-links")


def test_with_one_a_page_can_be_opened_edited_and_reported(book: Path) -> None:
    soup = put(book, "losses/binary.md", f"# 처음 & $x$ 끝\n\n{CODE}", repository="team/book")
    taken, own = soup.select(".page-links")
    colab = "https://colab.research.google.com/github/team/book/blob/notebooks/losses/binary.ipynb"
    assert links(taken)["Colab에서 열기"] == colab
    edit = "https://github.com/team/book/edit/main/docs/losses/binary.md"
    assert links(own)["이 페이지 고치기"] == edit
    address = urlsplit(links(own)["잘못 알리기"])
    assert address.path == "/team/book/issues/new"
    asked = parse_qs(address.query)
    assert asked["title"] == ["처음 & 끝: "]
    assert asked["body"][0].startswith("페이지: losses/binary.md\n파일: docs/losses/binary.md\n")


def test_a_made_page_is_edited_where_it_is_written(book: Path) -> None:
    soup = put(book, "part/글.md", front="edited_in: part/자료.yml", repository="team/book")
    edit = "https://github.com/team/book/edit/main/docs/part/%EC%9E%90%EB%A3%8C.yml"
    assert links(soup.select_one(".page-links"))["이 페이지 고치기"] == edit


def test_a_lab_leads_to_the_notebook_that_was_run_and_is_edited_in_its_python_file(book: Path) -> None:
    taken, own = put(book, "labs/gan.ipynb", repository="team/book").select(".page-links")
    assert links(taken)["실행한 노트북 내려받기 (.ipynb)"] == "gan/gan.ipynb"
    assert links(own)["이 페이지 고치기"].endswith("/docs/labs/gan.py")
