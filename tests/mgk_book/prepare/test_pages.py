"""mgk_book/prepare/pages.py: 제목, 예제, 함수, 주소를 원본에서 읽는다."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from markdown import Markdown

from mgk_book.book import BookError, split
from mgk_book.prepare import pages
from mgk_book.prepare.pages import Page, url_of
from mgk_book.running.execution import Lab
from tests.docs import pages as drawn
from tests.mgk_book.prepare.conftest import Write

FUNCTIONS = ["mgk_docs_src.a.one", "mgk_docs_src.a.two", "mgk_docs_src.a.b.three"]


def lab(name: str, *cells: tuple[str, str], **metadata: object) -> Lab:
    found = [SimpleNamespace(cell_type=kind, source=source) for kind, source in cells]
    return Lab(name, SimpleNamespace(cells=found, metadata=metadata), Path())


def test_pages_come_in_reading_order_with_their_titles(write: Write) -> None:
    book = write(
        {
            "index.md": "---\ntitle: 앞머리\n---\n# 제목\n",
            "part/index.md": "---\ntitle: 앞머리\n---\n# 제목\n",
            "part/a.md": "글\n\n# 제목 { #id }\n",
            "part/b.md": "글뿐\n",
        },
        nav=["labs/x.ipynb", {"차례": "index.md"}, {"묶음": ["part/index.md", "part/a.md", "part/b.md"]},
             {"밖": "https://x.example/"}],
        labs=[lab("labs/x", ("markdown", "# 실습\n"), ("code", "1"), ("markdown", "글"), level="입문")],
    )  # fmt: skip
    assert [(page.path, page.title) for page in book.pages.values()] == [
        ("labs/x.ipynb", "실습"), ("index.md", "차례"), ("part/index.md", "앞머리"), ("part/a.md", "제목"),
        ("part/b.md", "b"),
    ]  # fmt: skip
    assert book.pages["labs/x.ipynb"].meta == {"level": "입문"}
    assert book.pages["labs/x.ipynb"].body == "# 실습\n\n\n글"
    assert book.citation["title"] == "책"


@pytest.mark.parametrize(("path", "missing"), [("a.md", "docs/a.md"), ("labs/a.ipynb", "docs/labs/a.py")])
def test_a_page_that_is_not_there_is_named_with_the_file_it_needs(path: str, missing: str, write: Write) -> None:
    with pytest.raises(BookError, match=f"mkdocs.yml: nav의 {path}: {missing}가 없다"):
        write({}, nav=[path])


def test_a_book_without_its_citation_says_so(tmp_path: Path) -> None:
    with pytest.raises(BookError, match=r"CITATION\.cff이 없다"):
        pages.open_book(tmp_path, pages.Settings(), [])


def test_the_examples_of_the_source_are_those_that_the_site_draws() -> None:
    seen = 0
    for page in drawn.pages():
        blocks = [block.source.rstrip("\n") for block in page.blocks if block.is_example]
        assert [text.rstrip("\n") for text in pages.examples(split(page.text).body)] == blocks, page.name
        seen += len(blocks)
    assert seen > 100


def test_an_example_may_lie_deep_and_may_refuse_to_run() -> None:
    body = (
        '!!! note\n\n    ```python\n    def f():\n        return 1\n    ```\n\n```python { notest="시간" }\nslow\n```\n'
    )
    assert [*pages.examples(body)] == ["def f():\n    return 1\n"]
    assert [*pages.examples("```python\nlast\n```")] == ["last\n"]  # 끝에 줄바꿈이 없어도


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("::: mgk_docs_src.a.one", ["mgk_docs_src.a.one"]),
        (
            "::: mgk_docs_src.a\n    options:\n      show_source: false\n\n글",
            ["mgk_docs_src.a.one", "mgk_docs_src.a.two"],
        ),
        ("::: mgk_docs_src.a\n    options:\n      members: [two]\n", ["mgk_docs_src.a.two"]),
        ("::: mgk_docs_src.a\n    options:\n      members: false\n", []),
        ("::: mgk_docs_src.a\n    handler: python\n", ["mgk_docs_src.a.one", "mgk_docs_src.a.two"]),
        ("::: mgk_docs_src.a.Box\n", []),
        ("글 ::: mgk_docs_src.a.one\n", []),
    ],
)
def test_a_listing_shows_a_function_or_those_of_its_module(body: str, names: list[str]) -> None:
    assert [*pages.listed(body, FUNCTIONS)] == names


@pytest.mark.parametrize(
    ("path", "folder", "file"),
    [
        ("index.md", "./", "index.html"),
        ("part/index.md", "part/", "part/index.html"),
        ("part/a.md", "part/a/", "part/a.html"),
        ("labs/a.ipynb", "labs/a/", "labs/a.html"),
        ("part/figures/a b.svg", "part/figures/a%20b.svg", "part/figures/a%20b.svg"),
        ("글.md", "%EA%B8%80/", "%EA%B8%80.html"),
    ],
)
def test_the_address_of_a_file(path: str, folder: str, file: str) -> None:
    assert (url_of(path, True), url_of(path, False)) == (folder, file)


def test_links_are_relative_to_the_page() -> None:
    here = Page("part/a.md", "", {}, "")
    assert pages.relative("index.md", here) == "../index.md"
    assert pages.relative("part/b.md", here) == "b.md"
    assert pages.relative("part/b.md", here._replace(path="index.md")) == "part/b.md"


def test_words_stay_as_they_are_in_a_cell_of_a_table() -> None:
    words = r"a|b <c> *d* _e_ [f](g) `h` $i$ {j} \k & l"
    text = pages.table(("무엇", "값"), (pages.plain(words), "1"))
    html = Markdown(extensions=["tables", "attr_list", "pymdownx.arithmatex"]).convert(text)
    assert "<td>a|b &lt;c&gt; *d* _e_ [f](g) `h` $i$ {j} \\k &amp; l</td>\n<td>1</td>" in html
