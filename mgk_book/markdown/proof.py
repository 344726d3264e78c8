"""예제 블록과 실습 아래에, 어느 장치에서 실행했는지를 한 줄로 보인다. 함수의 줄은 목록의 템플릿(overrides)이 쓴다.

실행 기록에 있고 해시 키가 지금의 글과 코드에 맞는 항목만 실행했다고 적는다. 그렇지 않으면 낡았거나 없다고 적는다.
"""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import griffe

from mgk_book.markdown.code import Fence
from mgk_book.markdown.part import EXCLUDED, Part, dotted, element, is_english, kept, link, page_of, parents
from mgk_book.proofs.books import Books, never, opened, said
from mgk_book.proofs.evidence import Entry, example, lab
from mgk_book.running.execution import of_page


def line(entry: Entry, page: str, books: Books, *, install: bool) -> Element:
    """블록 아래에 붙는 한 줄. 블록은 이름이 글에 없으므로 번호를 보인다. 첫 예제와 실습은 설치하는 법으로 간다."""
    english = is_english(page)
    pieces: list[str | Element] = [*said(entry, books, english=english)]
    if number := entry.id.partition("#")[2]:
        pieces.append(element("a", {"href": link(page, "certificates.md") + "#check"}, f"#{number}"))
    if install:
        target = "#install" if english else link(page, "install.md")
        pieces.append(element("a", {"href": target}, "Run it yourself" if english else "내 컴퓨터에서 실행하기"))
    return element("p", {"class": "certificate", **EXCLUDED}, *dotted(pieces))


class Proof(Part):
    """페이지 하나의 증명."""

    def run(self, root: Element) -> None:
        """줄은 예제의 출력이 있으면 그 아래에 선다."""
        page = page_of(self.md)
        if page is None:
            return
        found = False
        for parent, child in parents(root):
            block = kept(child, self.md)
            if isinstance(block, Fence) and block.is_example:
                books = opened(self.root)
                entry = example(page, block.source, books.sources)
                place = list(parent).index(child) + 1
                under = kept(parent[place], self.md) if place < len(parent) else None
                place += isinstance(under, Fence) and under.is_output
                parent.insert(place, line(entry, page, books, install=not found))
                found = True
        if page.endswith(".ipynb"):
            books = opened(self.root)
            root.append(line(lab(of_page(page, self.root), books.sources), page, books, install=True))
            found = True
        if found or any(each.get("class") == "mkdocstrings" for each in root.iter("div")):
            devices = never(opened(self.root))
            root.extend([foot(devices, page)] if devices else [])


def foot(devices: str, page: str) -> Element:
    """한 번도 실행한 적이 없는 장치. 기록이 생기면 블록마다의 줄에 적힌다."""
    english = is_english(page)
    target = element("a", {"href": link(page, "certificates.md")}, "Certificates" if english else "인증")
    words = f"{devices}: no run on record yet · " if english else f"{devices}에서 실행한 기록은 아직 없다 · "
    return element("p", {"class": "never-run", **EXCLUDED}, words, target)


class Functions(griffe.Extension):
    """함수마다 `extra.mgk_book.proof`에 한 줄을 적어, 목록의 틀이 제목 아래에 쓴다."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Griffe가 책의 패키지를 다 읽었을 때. 책의 뿌리는 그 소스가 놓인 위치에서 안다."""
        books = opened(Path(str(pkg.filepath)).parents[1])
        for name, entry in books.functions.items():
            pkg[name.removeprefix(f"{pkg.name}.")].extra["mgk_book"]["proof"] = " · ".join(said(entry, books))
