"""hooks/repository.py: 저장소를 알 때만, 페이지의 진짜 소스로 가는 링크를 단다."""

from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config

from hooks import repository

ROOT = Path(__file__).parents[2]
CONFIG = f"""
site_name: 시험
theme: {{ name: material, font: false, features: [content.action.edit] }}
hooks: [{ROOT}/hooks/repository.py]
plugins: []
"""
PAGES = {
    "index.md": "# 처음 & 끝\n",
    "part/글.md": "---\nedited_in: part/자료.yml\n---\n\n# 만든 페이지\n",
}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def made(book: Path, more: str = "") -> dict[str, BeautifulSoup]:
    (book / "mkdocs.yml").write_text(CONFIG + more, "utf-8")
    build(load_config(str(book / "mkdocs.yml")))
    paths = {"index": "index.html", "글": "part/글/index.html"}
    return {
        name: BeautifulSoup((book / "site" / path).read_text("utf-8"), "html.parser") for name, path in paths.items()
    }


def test_without_a_repository_nothing_is_linked(book: Path) -> None:
    for soup in made(book).values():
        assert not soup.select(".page-links, a[rel=edit]")
        assert "github.com" not in soup.article.decode()


def test_with_one_a_page_can_be_edited_and_reported(book: Path) -> None:
    pages = made(book, "extra: { repository: team/book }\nsite_url: https://team.example/book/\n")
    edits = [soup.select_one("a[rel=edit]")["href"] for soup in pages.values()]
    assert edits == [
        "https://github.com/team/book/edit/main/docs/index.md",
        "https://github.com/team/book/edit/main/docs/part/%EC%9E%90%EB%A3%8C.yml",
    ]
    for soup, edit in zip(pages.values(), edits, strict=True):
        own, issue = soup.select(".page-links a")
        assert (own["href"], own.get_text()) == (edit, "이 페이지 고치기")
        assert issue.get_text() == "잘못 알리기"
        assert not soup.select("[data-md-component=source]")  # 이것이 있으면 테마가 GitHub에 별의 수를 묻는다
    address = urlsplit(pages["index"].select(".page-links a")[1]["href"])
    assert address.path == "/team/book/issues/new"
    asked = parse_qs(address.query)
    assert asked["title"] == ["처음 & 끝: "]
    assert asked["body"][0].startswith("페이지: https://team.example/book/\n파일: docs/index.md\n")


def test_the_source_of_a_lab_is_its_python_file() -> None:
    lab = SimpleNamespace(meta={}, file=SimpleNamespace(src_uri="labs/gan.ipynb"), canonical_url=None, title="실습")
    assert repository.edit_link(lab, "team/book").endswith("/docs/labs/gan.py")
    body = parse_qs(urlsplit(repository.issue_link(lab, "team/book")).query)["body"][0]
    assert body.startswith("페이지: labs/gan.ipynb\n")


def test_the_commands_to_install_name_the_repository_only_when_it_is_known() -> None:
    known, unknown = repository.installing("team/book"), repository.installing(None)
    assert "git clone https://github.com/team/book\ncd book\n" in known["clone"]
    assert 'pip install "mgk_docs_src @ git+https://github.com/team/book"' in known["pip"]
    assert "github" not in "".join(unknown.values())
    assert unknown["clone"]
