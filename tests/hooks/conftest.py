"""훅의 시험이 함께 쓰는 작은 책 한 권."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

PACKAGE = {
    "mgk_docs_src/__init__.py": "",
    "mgk_docs_src/deep.py": "SIDE = 3\n",
    "mgk_docs_src/shared.py": "from mgk_docs_src.deep import SIDE\n",
    "mgk_docs_src/lonely.py": "X = 1\n",
    "mgk_docs_src/figures/__init__.py": "",
    "mgk_docs_src/figures/__main__.py": (
        "import sys\nfrom pathlib import Path\nimport importlib\n"
        "module = importlib.import_module(sys.argv[1])\n"
        "folder = Path(sys.argv[2])\nfolder.mkdir()\n"
        "(folder / 'square.svg').write_text(module.square(), 'utf-8')\n"
    ),
    "mgk_docs_src/figures/part/__init__.py": "",
    "mgk_docs_src/figures/part/page.py": (
        "from mgk_docs_src.shared import SIDE\n\n\ndef square():\n"
        '    return f\'<svg width="{SIDE}pt" height="6pt"></svg>\'\n\n\ndef _helper():\n    return None\n'
    ),
}


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """진짜 책을 잠시 잊고, 임시 폴더의 책이 `mgk_docs_src`가 된다."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "mgk_docs_src"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in PACKAGE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def config(book: Path) -> SimpleNamespace:
    return SimpleNamespace(
        config_file_path=str(book / "mkdocs.yml"),
        site_dir=str(book / "site"),
        use_directory_urls=True,
        plugins=SimpleNamespace(_current_plugin=None),
    )
