"""페이지의 모형: 앞머리, 제목, 블록, 그려진 HTML. 계약의 규칙이 이것을 읽는다."""

import re
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from bs4 import BeautifulSoup
from markdown import Markdown
from mkdocs.utils.meta import get_data

from tests.docs.blocks import HIGHLIGHT, ROOT, Block, blocks, site_markdown

DOCS = ROOT / "docs"
PACKAGE = "mgk_docs_src"
NOT_PAGES = {"reference"}  # 손으로 쓴 설명이 아니라 찾아보기
NOT_CHAPTERS = {"sessions", "members", "labs"} | NOT_PAGES

HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)(?:[ \t]*\{:?[ \t]*(?P<attributes>[^}]*)\})?[ \t#]*")
RESULTS = re.compile(r"^<!-- results:([\w-]+) -->$", re.MULTILINE)
ENGLISH_ID = re.compile(r"(?:^|\s)#([a-z][a-z0-9-]*)(?=\s|$)")


class Heading(NamedTuple):
    line: int
    level: int
    text: str
    id: str | None


class Page:
    """페이지 하나. 이름은 docs에서의 경로다."""

    def __init__(self, name: str, text: str, docs: Path = DOCS) -> None:
        self.name, self.text, self.docs = name, text, docs
        self.meta: dict[str, Any] = get_data(text)[1]
        self.lines = text.split("\n")

    @property
    def folder(self) -> str | None:
        first, _, rest = self.name.partition("/")
        return first if rest else None

    @property
    def is_chapter(self) -> bool:
        is_index = Path(self.name).name == "index.md"
        return self.folder is not None and self.folder not in NOT_CHAPTERS and not is_index

    @property
    def figures(self) -> str:
        """이 페이지의 그림을 그리는 모듈."""
        return ".".join([PACKAGE, "figures", *self.name.removesuffix(".md").split("/")])

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return blocks(self.text)

    @cached_property
    def fenced(self) -> set[int]:
        """블록 안의 줄들."""
        return {line for block in self.blocks for line in range(block.line, block.end + 1)}

    @property
    def html(self) -> BeautifulSoup:
        return _html(self.text)

    @cached_property
    def headings(self) -> list[Heading]:
        body = get_data(self.text)[0]
        first = self.text[: len(self.text) - len(body)].count("\n")
        found = [(line, HEADING.fullmatch(text.rstrip())) for line, text in enumerate(self.lines, 1) if line > first]
        return [
            Heading(line, len(match[1]), match[2], _english_id(match["attributes"] or ""))
            for line, match in found
            if match and line not in self.fenced
        ]

    @cached_property
    def sections(self) -> list[Heading]:
        return [heading for heading in self.headings if heading.level == 2]

    def violation(self, line: int, what: str) -> str:
        return f"docs/{self.name}:{line}: {what}"

    def line_of(self, text: str) -> int:
        """글이 처음 나오는 줄. 없으면(스니펫이 들여온 것이면) 1."""
        return next((number for number, line in enumerate(self.lines, 1) if text in line), 1)

    def end_of(self, heading: Heading) -> int:
        """제목이 다스리는 마지막 줄."""
        later = (h.line - 1 for h in self.headings if h.line > heading.line and h.level <= heading.level)
        return next(later, len(self.lines))


def pages(docs: Path = DOCS) -> list[Page]:
    """계약을 지켜야 하는 페이지들."""
    names = sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))
    found = (Page(name, (docs / name).read_text("utf8"), docs) for name in names)
    return [page for page in found if page.folder not in NOT_PAGES]


@lru_cache(maxsize=256)
def _html(text: str) -> BeautifulSoup:
    """사이트가 그리는 HTML. 블록을 모으는 길과 따로, 잰 결과까지 펼쳐서 그린다."""
    return drawn(with_results(get_data(text)[0]))


def drawn(body: str) -> BeautifulSoup:
    return BeautifulSoup(_markdown().reset().convert(body), "html.parser")


def with_results(text: str) -> str:
    """`<!-- results:… -->` 자리를 채운 글."""
    results = ROOT / "benchmarks" / "results"
    return RESULTS.sub(lambda place: (results / f"{place[1]}.md").read_text("utf-8"), text)


@cache
def _markdown() -> Markdown:
    return site_markdown(**{HIGHLIGHT: {"pygments_lang_class": True}})  # 어느 언어의 블록인지 HTML에 적게 한다


def _english_id(attributes: str) -> str | None:
    match = ENGLISH_ID.search(attributes)
    return match[1] if match else None
