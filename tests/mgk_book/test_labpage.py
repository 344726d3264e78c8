"""mgk_book/labpage.py: 실습의 글 사이에 출력이 끼이고, 준비는 접히고, 핵심 표는 앞에 선다."""

import base64
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup

from mgk_book import labpage
from mgk_book.running.execution import Lab
from tests.mgk_book.small import book

__all__ = ["book"]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="3pt" height="4pt"></svg>'
IMAGE = f'<img alt="선" height="4" src="{labpage.SVG}{base64.b64encode(SVG).decode()}" width="3">'
SETUP = 'import mgk_docs_src.shared as shared  # 주석\nfrom mgk_docs_src.part import area\nprint("열  한글  다음")'
PROSE = ["# 접기\n\n물음과\n결론.", "## 본문"]


def cell(kind: str, source: str, **metadata: Any) -> Any:
    return (
        nbformat.v4.new_markdown_cell(source) if kind == "글" else nbformat.v4.new_code_cell(source, metadata=metadata)
    )


@pytest.fixture
def lab() -> Lab:
    cells = [
        cell("글", PROSE[0]),
        cell("글", PROSE[1]),
        cell("코드", SETUP, title="준비 <하나>", tags=["setup"]),
        cell("코드", "show(area)", tags=["summary"]),
    ]
    return Lab("labs/gan", nbformat.v4.new_notebook(cells=cells), Path())


def jupyter(*outputs: list[tuple[str, str]]) -> str:
    """mkdocs-jupyter가 그린 것의 형태."""
    areas = [
        "".join(f'<div class="jp-OutputArea-output" data-mime-type="{kind}">{text}</div>' for kind, text in each)
        for each in outputs
    ]
    cells = (f'<div class="jp-Cell jp-CodeCell" id="cell-{number}">{each}</div>' for number, each in enumerate(areas))
    return f'<div class="jupyter-wrapper"><style>x</style>{"".join(cells)}</div>'


OUTPUTS = jupyter(
    [("text/plain", "<pre>열  한글  다음 True\n한글 그대로 3 1\n</pre>")],
    [
        ("text/plain", "<pre>글은 요약이 아니다</pre>"),
        ("text/html", f"<table><caption>핵심 표</caption></table>{IMAGE}{IMAGE}"),
        ("text/html", '<p>다른 것</p><img src="data:image/png;base64,AAAA">'),
    ],
)
DRAWN = f"<h1>접기</h1><p>물음과 결론.</p>{labpage.SEPARATOR}<h2>본문</h2>{labpage.SEPARATOR}<p>끝</p>"


@pytest.fixture
def drawn(lab: Lab, book: Path) -> labpage.Drawn:
    (book / "mgk_docs_src" / "part.py").write_text("def area(): ...\n", "utf-8")
    return labpage.assembled(lab, DRAWN, OUTPUTS, "figures", book)


def test_set_up_is_folded_and_keeps_the_colour_of_its_comments(drawn: labpage.Drawn) -> None:
    soup = BeautifulSoup(drawn.html, "html.parser")
    (setup,) = soup.select("details.setup")
    assert not setup.has_attr("open")
    assert setup.summary.get_text() == "준비: 준비 <하나>"
    assert setup.code.get_text() == f"{SETUP}\n"
    assert {span["class"][0] for span in setup.select("span")} == {"c1"}
    assert not setup.select(".jp-OutputArea-output")  # 출력은 접지 않는다
    plain = soup.select("pre > code")[1]
    assert plain.get_text() == "show(area)\n"
    assert plain.find_parent("div")["data-search-exclude"] == "true"
    assert not soup.select(".jp-Cell, .jupyter-wrapper, style")


def test_the_key_table_stands_first_and_the_end_last(drawn: labpage.Drawn) -> None:
    soup = BeautifulSoup(drawn.html, "html.parser")
    text = soup.get_text()
    assert text.index("물음") < text.index("핵심 표") < text.index("이 실습이 쓰는 함수") < text.index("본문")
    assert soup.select_one(".lab-summary").get_text() == "핵심 표"
    assert soup.select_one(".lab-summary")["data-search-exclude"] == "true"
    assert len(soup.find_all("caption")) == 2
    assert soup.find_all("p")[-1].get_text() == "끝"


def test_only_columns_are_lined_up_in_what_was_printed(drawn: labpage.Drawn) -> None:
    printed = BeautifulSoup(drawn.html, "html.parser").select_one(".jp-OutputArea-output > pre")
    assert [(each.get_text(), each["style"]) for each in printed.select(".wide")] == [
        ("열", "width:2ch"), ("한글", "width:4ch"), ("다음", "width:4ch"),
    ]  # fmt: skip
    assert printed.get_text() == "열  한글  다음 True\n한글 그대로 3 1\n"
    assert printed.parent["tabindex"] == "0"


def test_a_picture_becomes_one_file_that_comes_when_near(drawn: labpage.Drawn) -> None:
    ((name, picture),) = drawn.pictures.items()
    assert picture == SVG
    images = BeautifulSoup(drawn.html, "html.parser").select("img[alt=선]")
    assert {(image["src"], image["loading"], image["width"]) for image in images} == {(f"figures/{name}", "lazy", "3")}
    assert "svg+xml" not in drawn.html
    assert "data:image/png;base64,AAAA" in drawn.html


def test_a_table_keeps_a_percent_with_its_number() -> None:
    table = "<table><tr><th>데이터 10 %</th><td>0.5 ± 0.1</td></tr></table>"
    area = f'<div class="jp-OutputArea-output" data-mime-type="text/html">{table} 3 %</div>'
    ((shown,),) = labpage.cell_outputs(f'<div class="jp-CodeCell" id="a">{area}</div>', "", {})
    assert "<th>데이터 10\u00a0%</th><td>0.5\u00a0±\u00a00.1</td>" in shown
    assert "3 %" in shown


def test_a_lab_without_a_summary_or_functions_has_neither(book: Path) -> None:
    lab = Lab("labs/a", nbformat.v4.new_notebook(cells=[cell("글", PROSE[0]), cell("코드", "x = 1")]), Path())
    drawn = labpage.assembled(lab, f"<h1>가</h1>{labpage.SEPARATOR}", jupyter([]), "figures", book)
    soup = BeautifulSoup(drawn.html, "html.parser")
    assert [tag.name for tag in soup.find_all(recursive=False)] == ["h1", "div"]
    assert drawn.pictures == {}


def test_the_prose_is_one_page_with_a_place_for_its_end(lab: Lab) -> None:
    assert labpage.markdown(lab).split(labpage.SEPARATOR) == [f"{PROSE[0]}\n\n", f"\n\n{PROSE[1]}\n\n", "\n\n"]
    assert labpage.description(lab) == "물음과 결론."


def test_the_functions_of_a_lab_are_those_that_its_code_imports_and_that_have_a_listing() -> None:
    code = [
        "import math\nfrom mgk_docs_src.a import one, CONSTANT, Two as T",
        "from mgk_docs_src import b as module\nmodule.three(one.four)\nmodule.unknown\nT().five",
    ]
    known = {f"mgk_docs_src.{name}" for name in ("a.one", "a.Two", "a.other", "b.three", "b.six")}
    names = labpage.functions(code, known)
    assert names == ["mgk_docs_src.a.one", "mgk_docs_src.b.three", "mgk_docs_src.a.Two"]
    assert labpage.listings(names[:1]) == (
        '<p class="lab-functions">이 실습이 쓰는 함수: '
        '<autoref identifier="mgk_docs_src.a.one"><code>one</code></autoref></p>'
    )
    assert labpage.listings([]) == ""
