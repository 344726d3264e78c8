"""실습의 글에 적힌 수는 그 실습의 출력에 있다. 실습은 사이트를 만들 때 돌았다."""

import pytest
from bs4 import BeautifulSoup

from mgk_book.running.execution import Lab, device, executed, find, sources
from tests.docs.numbers import loose, paragraphs, runs
from tests.docs.pages import drawn
from tests.site.conftest import ROOT

LABS = {lab.name: lab for lab in find(sources(ROOT), ROOT, device())}


def printed(lab: Lab) -> list[str]:
    """코드와, 그것이 낸 글과 표."""
    texts = []
    for cell in (cell for cell in executed(lab).cells if cell.cell_type == "code"):
        texts.append(cell.source)
        for output in cell.outputs:
            shown = output.get("data", {})
            html = BeautifulSoup(shown.get("text/html", ""), "html.parser").get_text(" ")
            texts += [output.get("text", ""), shown.get("text/plain", ""), html]
    return texts


@pytest.mark.parametrize("name", sorted(LABS))
def test_every_number_of_a_lab_stands_in_what_it_ran(name: str) -> None:
    lab = LABS[name]
    html = drawn("\n\n".join(lab.prose))
    known = runs([*printed(lab), *(found.get_text(" ") for found in html.select("math, annotation"))])
    # 앞머리의 설명과 영어 요약도 글이다.
    heads = [str(lab.notebook.metadata.get("description", "")), str(lab.notebook.metadata.get("english", ""))]
    assert [(number, text) for text in [*paragraphs(html), *heads] for number in loose(text, known)] == []
