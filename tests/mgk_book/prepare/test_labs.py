"""mgk_book/prepare/labs.py: 실행한 노트북을 페이지가 될 것과 내려받을 것으로."""

import json
from pathlib import Path
from typing import Any

import pytest

from mgk_book.prepare import labs
from mgk_book.running import execution
from tests.mgk_book.prepare.shelf import Shelf
from tests.mgk_book.small import book

__all__ = ["book"]
LAB = """# %% [markdown]
# # 실습: 깊이
#
# ## 둘째 제목 { #second }

# %% 준비 tags=["setup"]
from mgk_docs_src.shared import SIDE
print(SIDE)
"""
MADE = ".cache/made/labs/deep.ipynb"
TAKEN = "labs/deep/deep.ipynb"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """진짜 프로세스는 tests/mgk_book/running이 테스트한다. 여기서는 모듈의 값을 바로 적는다."""

    def find(sources: Any, root: Path, device: str) -> list[execution.Lab]:
        labs = real(sources, root, device)
        for lab in labs:
            side = (root / "mgk_docs_src" / "deep.py").read_text("utf-8").split()[-1]
            output = {"output_type": "stream", "name": "stdout", "text": f"{side} {device}\n"}
            lab.outputs.parent.mkdir(parents=True, exist_ok=True)
            lab.outputs.write_text(json.dumps({"seconds": 1.0, "outputs": [[output]]}), "utf-8")

        return labs

    real = execution.find
    monkeypatch.setattr(execution, "find", find)


@pytest.fixture
def site(book: Path) -> Path:
    (book / "docs" / "labs").mkdir(parents=True)
    (book / "docs" / "labs" / "deep.py").write_text(LAB, "utf-8")
    return book


def cells(text: str | bytes) -> list[tuple[str, str]]:
    return [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(text)["cells"]]


def make(site: Path, repository: str | None = None) -> tuple[Shelf, list[Any]]:
    shelf, found = Shelf(), execution.find(execution.sources(site), site, "cpu")
    labs.make(found, site, shelf, repository)
    return shelf, found


def test_the_page_has_only_the_outputs_of_the_code(site: Path) -> None:
    _, (lab,) = make(site)
    assert lab.name == "labs/deep"
    notebook = json.loads((site / MADE).read_text("utf-8"))
    (cell,) = notebook["cells"]
    assert "".join(cell["source"]) == "#"  # 코드는 이 책이 그린다
    assert cell["outputs"][0]["text"] == ["3 cpu\n"]
    assert cell["metadata"]["tags"] == ["setup"]


def test_the_one_to_take_home_is_whole_and_its_headings_carry_no_mark(site: Path) -> None:
    shelf, _ = make(site)
    assert list(shelf) == [TAKEN]
    prose, (kind, _) = cells(shelf[TAKEN])
    assert (prose, kind) == (("markdown", "# 실습: 깊이\n\n## 둘째 제목"), "code")


def test_with_a_repository_it_installs_the_package_first(site: Path) -> None:
    shelf, _ = make(site, "team/book")
    first, *others = cells(shelf[TAKEN])
    assert first == ("code", '%pip install -q "mgk_docs_src @ git+https://github.com/team/book"')
    assert others == cells(make(site)[0][TAKEN])
    assert "pip install" not in (site / MADE).read_text("utf-8")


def test_the_page_is_written_only_when_it_changes(site: Path) -> None:
    """mkdocs-jupyter의 캐시는 노트북만 본다. 결과가 바뀌면 파일도 바뀌고, 그대로면 쓴 때도 그대로여야 한다."""
    make(site)
    before = (site / MADE).stat().st_mtime_ns
    make(site)
    assert (site / MADE).stat().st_mtime_ns == before
    (site / "mgk_docs_src" / "deep.py").write_text("SIDE = 9\n", "utf-8")
    make(site)
    assert '"9 cpu\\n"' in (site / MADE).read_text("utf-8")
    assert [path.name for path in (site / MADE).parent.iterdir()] == ["deep.ipynb"]


def test_a_lab_that_is_gone_leaves_no_page(site: Path) -> None:
    make(site)
    (site / "docs" / "labs" / "deep.py").rename(site / "docs" / "labs" / "other.py")
    shelf, _ = make(site)
    assert list(shelf) == ["labs/other/other.ipynb"]
    assert [path.name for path in (site / MADE).parent.iterdir()] == ["other.ipynb"]
