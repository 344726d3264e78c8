"""페이지의 일 하나하나가 함께 쓰는 것: 지금 그리는 페이지, 그 페이지에서 센 링크, 트리 밖에 맡긴 글."""

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import HTML_PLACEHOLDER_RE

# 생성기가 지금 그리는 페이지를 적어 두는 곳
MKDOCS, ZENSICAL = "relpath", "rendering_context"
INNER = "mkdocstrings_headings"  # 함수의 설명을 그리는 안쪽 마크다운에만 있다
STRIP = "mkdocstrings_strip_paragraph"  # 거기서, 문단을 벗겨 다른 글 속에 넣을 것인가
IDS = "mkdocstrings_ids"  # 거기서, 제목의 id에 붙일 이름
HOME = "en/index.md"  # 영어 책머리
EXCLUDED = {"data-search-exclude": "true"}


class Settings(NamedTuple):
    """책의 뿌리와, 알면 저장소(`owner/name`)."""

    root: Path
    repository: str


class Part(Treeprocessor):
    """트리에 하는 일 하나."""

    def __init__(self, md: Markdown, settings: Settings) -> None:
        super().__init__(md)
        self.root, self.repository = settings


def page_of(md: Markdown) -> str | None:
    """지금 그리는 페이지의 경로(docs에서). 함수의 설명처럼 페이지가 아닌 것을 그릴 때는 None."""
    if INNER in md.treeprocessors:
        return None
    if ZENSICAL in md.preprocessors:
        return str(md.preprocessors[ZENSICAL].page.path)
    return str(md.treeprocessors[MKDOCS].file.src_uri) if MKDOCS in md.treeprocessors else None


def is_label(md: Markdown) -> bool:
    """접어 둔 함수의 이름처럼, 누를 것 안에 들어갈 한 줄을 그리는가. 거기에는 링크를 달지 않는다."""
    parts = md.treeprocessors
    return STRIP in parts and bool(parts[STRIP].strip) and not parts[IDS].id_prefix  # 목록의 틀이 id 없이 부른다


def is_english(page: str | None) -> bool:
    """영어로 쓴 페이지인가."""
    return bool(page) and str(page).startswith("en/")


def link(page: str, target: str) -> str:
    """페이지의 소스에서 센 상대 주소. 생성기가 검사하고 사이트의 주소로 바꾼다."""
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def kept(element: Element, md: Markdown) -> Any:
    """요소가 트리 밖에 맡긴 글의 자리이면 그 글."""
    place = HTML_PLACEHOLDER_RE.fullmatch((element.text or "").strip())
    return md.htmlStash.rawHtmlBlocks[int(place[1])] if place and not len(element) else None


def parents(root: Element) -> Iterator[tuple[Element, Element]]:
    """(부모, 자식)을 문서의 차례대로. 도는 동안 트리를 고쳐도 된다. 수식 안은 보지 않는다."""
    for child in list(root):
        yield root, child
        if child.tag != "math":
            yield from parents(child)


def element(tag: str, attributes: dict[str, str] | None = None, *content: str | Element) -> Element:
    """요소 하나를 글과 요소들로 채워 만든다."""
    made = Element(tag, attributes or {})
    fill(made, *content)
    return made


def dotted(pieces: list[str | Element]) -> list[str | Element]:
    """사이마다 가운뎃점을 둔 것."""
    return [piece for each in pieces for piece in (" · ", each)][1:]


def fill(made: Element, *content: str | Element) -> None:
    """글과 요소를 차례로 뒤에 붙인다."""
    for piece in content:
        if not isinstance(piece, str):
            made.append(piece)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + piece
        else:
            made.text = (made.text or "") + piece
