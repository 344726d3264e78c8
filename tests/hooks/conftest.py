"""훅의 시험이 함께 쓰는 것."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.mgk_book.small import book

__all__ = ["book"]


@pytest.fixture
def config(book: Path) -> SimpleNamespace:
    return SimpleNamespace(
        config_file_path=str(book / "mkdocs.yml"),
        site_dir=str(book / "site"),
        use_directory_urls=True,
        plugins=SimpleNamespace(_current_plugin=None),
    )
