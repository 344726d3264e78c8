"""hooks/closure.py: 기대는 것이 바뀌면 열쇠가 바뀌고, 상관없는 것이 바뀌면 그대로다."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hooks import closure

PAGE = "mgk_docs_src.figures.part.page"


@pytest.fixture
def key(book: Path) -> Callable[[], str]:
    def compute() -> str:
        return closure.key(PAGE, closure.import_graph(book), book)

    return compute


@pytest.mark.parametrize("module", ["figures/part/page.py", "shared.py", "deep.py"])
def test_an_edit_of_a_module_it_reaches_changes_the_key(module: str, book: Path, key) -> None:
    before = key()
    path = book / "mgk_docs_src" / module
    path.write_text(path.read_text("utf-8") + "\n# 고침\n", "utf-8")
    assert key() != before


def test_an_edit_of_an_unrelated_module_keeps_the_key(book: Path, key) -> None:
    before = key()
    (book / "mgk_docs_src" / "lonely.py").write_text("X = 2\n", "utf-8")
    assert key() == before


def test_another_version_of_a_distribution_changes_the_key(key, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    others = [name for name in closure.versions() if not name.startswith("torch==")]
    assert len(others) == len(closure.versions()) - 1
    monkeypatch.setattr(closure, "versions", lambda: [*others, "torch==0.0.0"])
    assert key() != before


def test_source_of_a_package_is_its_init(book: Path) -> None:
    assert closure.source("mgk_docs_src.figures", book) == book / "mgk_docs_src" / "figures" / "__init__.py"
    assert closure.source("mgk_docs_src.deep", book) == book / "mgk_docs_src" / "deep.py"
