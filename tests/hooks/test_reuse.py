"""hooks/reuse.py: 서버는 그대로인 페이지를 다시 그리지 않고, 그래도 새로 지은 것과 같다."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from material.plugins.search.plugin import SearchIndex
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.structure.pages import Page

from hooks import reuse

BOOK = {
    "mkdocs.yml": (
        "site_name: 책\nuse_directory_urls: false\ntheme: { name: material, font: false }\n"
        "validation: { links: { anchors: warn } }\n"
        "markdown_extensions: [attr_list]\n"
        "plugins:\n  - search\n  - mkdocstrings:\n      handlers: { python: { paths: [.] } }\n"
    ),
    "docs/index.md": "# 처음\n\n[다음](page.md#here) [`twice`][mgk_docs_src.part.twice]\n",
    "docs/page.md": "# 목록\n\n## 여기 {: #here }\n\n::: mgk_docs_src.part\n",
    "mgk_docs_src/__init__.py": "",
    "mgk_docs_src/part.py": 'def twice(x):\n    """두 배."""\n    return 2 * x\n',
}


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    monkeypatch.setattr(Page, "render", Page.render)  # 시험이 끝나면 되돌린다
    monkeypatch.setattr(SearchIndex, "add_entry_from_context", SearchIndex.add_entry_from_context)
    for name, text in BOOK.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def drawn(book: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """서버를 띄우고, 그 뒤로 그린 페이지를 적는다."""
    pages: list[str] = []
    render = Page.render

    def counted(page: Page, config: object, files: object) -> None:
        pages.append(page.file.src_uri)
        render(page, config, files)

    monkeypatch.setattr(Page, "render", counted)
    reuse.on_startup(command="serve", dirty=False)
    return pages


@pytest.fixture
def make(book: Path) -> Callable[[], dict[str, bytes]]:
    """책을 짓고, 만들어진 페이지와 검색 색인을 준다."""

    def once() -> dict[str, bytes]:
        build(load_config(str(book / "mkdocs.yml"), site_dir=str(book / "site")))
        names = ("index.html", "page.html", "search/search_index.json")
        return {name: (book / "site" / name).read_bytes() for name in names}

    return once


def test_nothing_changed_draws_nothing_and_gives_the_same_site(drawn: list, make: Callable) -> None:
    first = make()
    assert sorted(drawn) == ["index.md", "page.md"]
    drawn.clear()
    assert make() == first
    assert drawn == []


def test_only_the_edited_page_is_drawn(drawn: list, make: Callable, book: Path) -> None:
    make()
    drawn.clear()
    page = book / "docs" / "index.md"
    page.write_text(page.read_text("utf-8") + "\n새 글\n", "utf-8")
    made = make()
    assert drawn == ["index.md"]
    assert "새 글" in made["index.html"].decode()
    assert "새 글" in str(json.loads(made["search/search_index.json"]))
    # 이번에 그리지 않은 페이지가 등록한 이름도 살아 있다.
    assert 'href="page.html#mgk_docs_src.part.twice"' in made["index.html"].decode()


def test_an_edited_module_draws_every_page_anew(drawn: list, make: Callable, book: Path) -> None:
    make()
    drawn.clear()
    module = book / "mgk_docs_src" / "part.py"
    module.write_text(module.read_text("utf-8").replace("두 배", "갑절"), "utf-8")
    made = make()
    assert sorted(drawn) == ["index.md", "page.md"]
    assert "갑절" in made["page.html"].decode()


def test_a_new_page_draws_every_page_anew(drawn: list, make: Callable, book: Path) -> None:
    make()
    drawn.clear()
    (book / "docs" / "third.md").write_text("# 셋째\n", "utf-8")
    make()
    assert sorted(drawn) == ["index.md", "page.md", "third.md"]


def test_a_link_that_breaks_later_is_still_found(
    drawn: list, make: Callable, book: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make()
    page = book / "docs" / "page.md"
    page.write_text(page.read_text("utf-8").replace("#here", "#there"), "utf-8")
    drawn.clear()
    with caplog.at_level(logging.WARNING, "mkdocs"):
        make()
    assert drawn == ["page.md"]
    assert "does not contain an anchor '#here'" in caplog.text


def test_a_page_that_fails_leaves_nothing_behind(make: Callable, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(page: Page, config: object, files: object) -> None:
        raise RuntimeError("못 그린다")

    monkeypatch.setattr(Page, "render", broken)
    reuse.on_startup(command="serve", dirty=False)
    with pytest.raises(RuntimeError, match="못 그린다"):
        make()
    with pytest.raises(RuntimeError, match="못 그린다"):
        make()


def test_a_build_is_left_alone(book: Path) -> None:
    before = Page.render, SearchIndex.add_entry_from_context
    reuse.on_startup(command="build", dirty=False)
    assert (Page.render, SearchIndex.add_entry_from_context) == before
