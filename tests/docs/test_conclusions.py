"""실습의 결론: 첫머리의 항목마다, 끝의 칸에 그것을 확인하는 assert가 하나씩 있다. 실습이 돌 때 함께 돈다."""

import ast
from pathlib import Path

import jupytext
import pytest

from tests.docs.pages import DOCS

LABS = sorted((DOCS / "labs").glob("*.py"))


def cell_after(lab: Path, heading: str, kind: str) -> str:
    """제목의 id가 `heading`인 글 칸이나, 그 뒤의 첫 코드 칸."""
    cells = jupytext.read(lab).cells
    (start,) = [
        i for i, cell in enumerate(cells) if cell.cell_type == "markdown" and f"{{ #{heading} }}" in cell.source
    ]
    source: str = next(cell.source for cell in cells[start:] if cell.cell_type == kind)
    return source


@pytest.mark.parametrize("lab", LABS, ids=[lab.stem for lab in LABS])
def test_each_conclusion_is_asserted_by_the_lab(lab: Path) -> None:
    text = cell_after(lab, "conclusions", "markdown").partition("{ #conclusions }")[2]
    bullets = [line for line in text.split("\n") if line.startswith("- ")]
    asserts = [node for node in ast.parse(cell_after(lab, "checks", "code")).body if isinstance(node, ast.Assert)]
    assert len(asserts) == len(bullets) == 3
    for node in asserts:
        assert isinstance(node.msg, ast.Constant), "무엇을 확인하는지 말한다"
        assert any(isinstance(part, ast.Name) for part in ast.walk(node.test)), "실습의 결과로 확인한다"


def test_there_are_labs() -> None:
    assert len(LABS) == 10
