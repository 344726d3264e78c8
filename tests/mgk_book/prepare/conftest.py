"""준비의 테스트가 함께 쓰는 작은 책."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mgk_book.prepare.pages import Book, Settings, open_book
from mgk_book.running.execution import Lab

CITATION = {"title": "책", "abstract": "설명", "version": "1", "authors": [{"name": "준혁"}]}
Write = Callable[..., Book]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """페이지들과 차례로 책 한 권을 쓰고 연다. 차례를 적지 않으면 쓴 차례다."""

    def write(pages: dict[str, str], *, nav: Any = None, labs: Iterable[Lab] = (), **settings: Any) -> Book:
        for name, text in pages.items():
            path = tmp_path / "docs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        nav = nav or [name for name in pages if name.endswith(".md")]
        (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump({"nav": nav}, allow_unicode=True), "utf-8")
        if not (tmp_path / "CITATION.cff").exists():
            (tmp_path / "CITATION.cff").write_text(yaml.safe_dump(CITATION, allow_unicode=True), "utf-8")
        return open_book(tmp_path, Settings(**settings), list(labs))

    return write
