"""테스트가 함께 쓰는 작은 책 한 권."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgk_book.proofs import closure

PACKAGE = {
    "mgk_docs_src/__init__.py": "",
    "mgk_docs_src/deep.py": "SIDE = 3\n",
    "mgk_docs_src/shared.py": "from mgk_docs_src.deep import SIDE\n",
    "mgk_docs_src/lonely.py": "X = 1\n",
    "mgk_docs_src/figures/__init__.py": "",
    "mgk_docs_src/figures/__main__.py": (
        "from pathlib import Path\nimport importlib\n\n\ndef main(module, target, name):\n"
        "    drawn = getattr(importlib.import_module(module), name)()\n    Path(target).mkdir(exist_ok=True)\n"
        "    (Path(target) / f'{name}.svg').write_text(drawn, 'utf-8')\n"
    ),
    "mgk_docs_src/figures/part/__init__.py": "",
    "mgk_docs_src/figures/part/page.py": (
        "from mgk_docs_src.shared import SIDE\n\n\ndef square():\n"
        '    return f\'<svg width="{SIDE}pt" height="6pt"></svg>\'\n\n\ndef _helper():\n    return None\n'
    ),
}


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """진짜 책을 잠시 잊고, 임시 폴더의 책이 `mgk_docs_src`가 된다."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "mgk_docs_src"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in PACKAGE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    yield tmp_path
    _forget()


def install(book: Path, name: str, version: str, *requires: str) -> None:
    """`book`에 배포판을 설치한 것처럼 꾸민다. 같은 이름이 있으면 판이 바뀐다."""
    for old in book.glob(f"{name}-*.dist-info"):
        (old / "METADATA").unlink()
        old.rmdir()
    folder = book / f"{name}-{version}.dist-info"
    folder.mkdir()
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {each}" for each in requires)]
    (folder / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]), "utf-8")
    _forget()


def _forget() -> None:
    """무엇이 설치되어 있었는지를 잊는다."""
    importlib.invalidate_caches()
    closure.versions.cache_clear()
    closure._installed.cache_clear()
