"""고치지 않은 페이지는 다시 그리지 않는다. 서버가 사는 동안만이다: 펴내는 빌드는 모든 페이지를 그린다.

페이지의 본문은 그 글과, 글이 부르는 것(끼운 글, 그림, 코드의 모듈과 그 테스트, 실습의 결과)과, 모든 페이지가 기대는 것
(용어, 차례, 틀, 실행 기록, 파일과 함수의 이름)에 달려 있다. 모두 그대로면 그려 둔 본문을 다시 쓴다.
"""

import hashlib
import posixpath
import re
from collections.abc import Container, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mgk_book.book import DOCS, PLACES, SITE, stamp
from mgk_book.markdown import names, terms
from mgk_book.proofs import books, closure, evidence
from mgk_book.proofs.closure import PACKAGE
from mgk_book.running.execution import Lab

COMMON = ("mkdocs.yml", f"{DOCS}/{terms.GLOSSARY}", "overrides", "certificates", evidence.FIXTURES)
FIGURE = re.compile(r"\bfigures/([\w-]+)\.svg")
MENTION = re.compile(rf"\b{PACKAGE}(?:\.\w+)*")
FIELDS = ("content", "toc", "title", "meta", "present_anchor_ids")


class Drawn(NamedTuple):
    """그려 둔 페이지: 해시 키, 생성기의 페이지에 적혀 있던 것, 다른 제목으로 가는 링크, autorefs에 알린 이름들."""

    key: str
    fields: dict[str, Any]
    links: dict[str, dict[str, str]]
    anchors: dict[str, str | None]  # 이름: 제목
    pictures: dict[str, str | bytes]  # 실습의 그림: 사이트에서 놓이는 곳과 내용


class Kept:
    """그려 둔 페이지들."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pages: dict[str, Drawn] = {}
        self.keys: dict[str, str] = {}  # 이번 빌드의 해시 키들
        self.common = ""

    def begin(self, uris: Iterable[str]) -> None:
        """빌드 하나를 시작한다: 모든 페이지가 기대는 것."""
        self.common = digest(stamp(self.root, *COMMON), sorted(uris), sorted(names.known(self.root)))
        self.books = books.opened(self.root)

    def key(self, page: Any, lab: Lab | None, waiting: str | None) -> str:
        """페이지의 해시 키. 실습이면 모든 칸과, 결과의 이름과, 아직 없으면 그 자리에 적을 것."""
        uri, text = page.file.src_uri, "" if lab else page.markdown
        near = stamp(self.root, f"{PLACES}/{uri}"), self.figures(uri, text)
        cells = [(cell.source, cell.metadata) for cell in lab.notebook.cells] if lab else []
        mentioned = MENTION.findall("\n".join([text, *(source for source, _ in cells)]))
        return digest(self.common, text, page.meta, near, cells, lab and lab.outputs, waiting, self.sources(mentioned))

    def figures(self, uri: str, text: str) -> Any:
        """글이 부르는 그림과 움직이는 장면의 지금 모습."""
        folder = f"{SITE}/{posixpath.dirname(uri)}/figures"
        return stamp(
            self.root, *(f"{folder}/{name}.{kind}" for name in FIGURE.findall(text) for kind in ("svg", "json"))
        )

    def sources(self, mentioned: Iterable[str]) -> Any:
        """글에 적힌 이름의 모듈은 설명까지, 그것이 닿는 모듈과 그것의 테스트는 코드만.

        설명만 고친 모듈을 import하는 다른 페이지의 인증은 낡지만, 그 줄은 그 페이지를 다음에 그릴 때 고친다: 한 줄을
        고칠 때마다 책의 반을 다시 그리지 않는다. 펴내는 빌드는 언제나 맞다.
        """
        found = self.books.sources
        modules = {module_of(name, found.graph.modules) for name in mentioned}
        tests = {evidence.test_of(module) for module in modules if module != PACKAGE}
        own = [closure.source(module, self.root) for module in modules & found.graph.modules]
        reached = [self.root / name for name in found.files((modules | tests) & found.graph.modules)]
        return stamp(self.root, *map(str, own)), [closure.code(path, path.stat().st_mtime_ns) for path in reached]

    def fits(self, page: Any, lab: Lab | None, waiting: str | None) -> bool:
        """그려 둔 것을 써도 되나."""
        key = self.keys[page.file.src_uri] = self.key(page, lab, waiting)
        drawn = self.pages.get(page.file.src_uri)
        return drawn is not None and drawn.key == key

    def put(self, page: Any, autorefs: Any, pictures: dict[str, str | bytes]) -> None:
        """그린 페이지를 둔다."""
        anchors = {}
        for name in page.present_anchor_ids if autorefs else ():
            with suppress(KeyError):  # autorefs가 모르는 이름
                anchors[name] = autorefs.get_item_url(name, from_url=page.url)[1]
        links = {file.src_uri: found for file, found in (page.links_to_anchors or {}).items()}
        fields = {name: getattr(page, name) for name in FIELDS}
        self.pages[page.file.src_uri] = Drawn(self.keys[page.file.src_uri], fields, links, anchors, pictures)

    def restore(self, page: Any, files: Any, autorefs: Any) -> dict[str, str | bytes] | None:
        """그려 둔 것을 생성기의 페이지에 적고, 거기 있는 이름을 autorefs에 알린다. 그림들을 준다."""
        drawn = self.pages.get(page.file.src_uri)
        if drawn is None or drawn.key != self.keys[page.file.src_uri]:
            return None
        for name, value in drawn.fields.items():
            setattr(page, name, value)
        page.links_to_anchors = {files.get_file_from_path(uri): found for uri, found in drawn.links.items()}
        for name, title in drawn.anchors.items():
            autorefs.register_anchor(page, name, title=title)
        return drawn.pictures


def module_of(name: str, modules: Container[str]) -> str:
    """이름이 든 모듈. 없는 이름이면 책의 패키지다."""
    while name not in modules and "." in name:
        name = name.rpartition(".")[0]
    return name


def digest(*parts: Any) -> str:
    """같은 것이면 같은 글."""
    found = hashlib.sha256()
    for part in parts:
        text = part if isinstance(part, str) else repr(part)  # 온 페이지의 repr은 느리다
        found.update(f"{len(text)}:{text}".encode("utf-8", "replace"))
    return found.hexdigest()
