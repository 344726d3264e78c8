"""mgk_book/proofs/closure.py: 기대는 것이 바뀌면 해시 키가 바뀌고, 상관없는 것이 바뀌면 그대로다."""

import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from mgk_book.proofs import closure
from tests.mgk_book.small import install

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
    path.write_text(path.read_text("utf-8") + "\nADDED = 1\n", "utf-8")
    assert key() != before


def test_words_about_the_code_change_no_key(book: Path, key) -> None:
    path = book / "mgk_docs_src" / "deep.py"
    code = 'class Deep:\n    """{0}"""\n    def deepest(self) -> str:\n        """{0}"""\n        return "{1}"\n'
    path.write_text('"""설명."""\n' + code.format("하나", "글"), "utf-8")
    before = key()
    path.write_text("# 주석\n" + code.format("둘", "글") + "\n", "utf-8")
    assert key() == before
    path.write_text(code.format("둘", "다른 글"), "utf-8")
    assert key() != before


def test_an_edit_of_an_unrelated_module_keeps_the_key(book: Path, key) -> None:
    before = key()
    (book / "mgk_docs_src" / "lonely.py").write_text("X = 2\n", "utf-8")
    assert key() == before


BOOK = ["torch==2.0", 'ruff==1.0; extra == "dev"', 'colorama; sys_platform == "nowhere"', "Deep_Lib[fast]>=1", "absent"]


@pytest.fixture
def installed(book: Path) -> Path:
    """책의 요구를 꾸민 기계: torch와 그것이 요구하는 sympy, extra 하나를 고른 deep-lib, 그리고 상관없는 것들."""
    install(book, "mgk_docs_src", "0.1.0", *BOOK)
    install(book, "torch", "2.0", "sympy")
    install(book, "deep_lib", "1.0", 'speed; extra == "fast"', 'idle; extra == "slow"', "torch")
    for name in ("sympy", "speed", "idle", "colorama", "ruff", "mkdocs_material"):
        install(book, name, "1.0")
    return book


def test_versions_are_those_that_the_books_requirements_reach(installed: Path) -> None:
    assert closure.versions(closure.PACKAGE) == (
        platform.python_version(),
        "absent 없음",
        "deep-lib==1.0",
        "mgk_docs_src==0.1.0",
        "speed==1.0",
        "sympy==1.0",
        "torch==2.0",
    )


@pytest.mark.parametrize("name", ["ruff", "mkdocs_material", "colorama", "idle", "brand_new"])
def test_another_version_of_an_unrelated_distribution_keeps_the_key(name: str, installed: Path, key) -> None:
    before = key()
    install(installed, name, "9.9")
    assert key() == before


@pytest.mark.parametrize("name", ["torch", "sympy", "speed", "deep_lib", "absent"])
def test_another_version_of_a_distribution_that_the_code_reaches_changes_the_key(
    name: str, installed: Path, key
) -> None:
    before = key()
    install(installed, name, "9.9")
    assert key() != before


def test_source_of_a_package_is_its_init(book: Path) -> None:
    assert closure.source("mgk_docs_src.figures", book) == book / "mgk_docs_src" / "figures" / "__init__.py"
    assert closure.source("mgk_docs_src.deep", book) == book / "mgk_docs_src" / "deep.py"
