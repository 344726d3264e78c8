"""이어 읽는 글의 규칙: 용어의 풀이, 함수와 torch의 링크, 갈라지지 않는 날짜와 값. 글을 한 번만 훑는다.

- 용어는 페이지에 처음 나올 때 한 번 푼다. `<abbr title>`이라 스크립트 없이 마우스로 읽히고, 초점을 받으므로 자판과
  손가락으로도 읽힌다(book.css).
- 이 책의 함수는 절마다 처음 나온 곳 하나를 그 설명으로 잇는다. torch의 이름은 나올 때마다 잇는다.
- 날짜는 `<time>`으로 싸고 줄을 바꾸지 않는 것은 book.css가 정한다. ±의 두 빈칸과 %의 앞은 줄이 바뀌지 않는 빈칸이 된다.

함수의 설명(docstring)에는 torch의 링크와 갈라지지 않는 값만 있다. 거기서 책의 이름은 이미 링크다.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from mgk_book.markdown import names, terms
from mgk_book.markdown.part import Part, element, fill, is_english, is_label, page_of
from mgk_book.proofs.closure import PACKAGE

READ = {"p", "li", "td", "dd"}
# 이미 링크이거나, 제목이거나, 그대로 두어야 하는 것
LEFT = {"a", "abbr", "autoref", "button", "h1", "h2", "h3", "h4", "h5", "h6", "math", "pre", "summary", "svg", "th"}
DATE = re.compile(r"(?<!\d)(?P<date>\d{4}-\d\d-\d\d)(?!\d)")
SPREAD = re.compile(r"(?<=\d) ± (?=\d)")
PERCENT = re.compile(r"(?<=\d) (?=%)")


def unbroken(text: str) -> str:
    """±와 %의 앞뒤에서 줄을 바꾸지 않는다."""
    return PERCENT.sub("\u00a0", SPREAD.sub("\u00a0±\u00a0", text))


class Prose(Part):
    """페이지 하나의 글."""

    def run(self, root: Element) -> None:
        """찾아보기(reference)와 실습과 영어 페이지에서는 용어를 풀지 않는다."""
        page = page_of(self.md)
        path = (page or "").rpartition(".")[0]
        folder = path.rpartition("/")[0]
        explains = page and page.endswith(".md") and folder != "reference" and not is_english(page)
        known = terms.known(self.root) if explains else []
        waiting = [term for term in known if term.name not in terms.EVERYDAY or term.folder == folder]
        self.waiting = {term.name: term for term in waiting}
        marks = [DATE.pattern, *(found.pattern for found in [terms.pattern(waiting)] if found)]
        self.marks = re.compile("|".join(marks))
        self.module = f"{PACKAGE}.{path.replace('/', '.')}"
        self.functions = names.known(self.root) if page else {}
        self.seen: set[str] = set()
        self.label = is_label(self.md)
        self.read(root, reading=False)

    def read(self, parent: Element, *, reading: bool) -> None:
        """요소 하나와 그 안. `reading`은 이어 읽는 글 안인가."""
        pieces: list[str | Element] = [*self.text(parent.text)] if reading else [parent.text or ""]
        for child in list(parent):
            tail, child.tail = child.tail, None
            if child.tag == "h2":
                self.seen.clear()
            if child.tag == "code" and reading:
                pieces.append(self.code(child))
            else:
                if child.tag not in LEFT:
                    self.read(child, reading=reading or child.tag in READ)
                pieces.append(child)
            pieces += self.text(tail) if reading else [tail or ""]
        parent[:], parent.text = [], None
        fill(parent, *pieces)

    def text(self, text: str | None) -> Iterator[str | Element]:
        """글 한 조각."""
        rest = unbroken(text or "")
        start = 0
        for mark in self.marks.finditer(rest):
            if (made := self.mark(mark)) is not None:
                yield rest[start : mark.start()]
                yield made
                start = mark.end()
        yield rest[start:]

    def mark(self, mark: re.Match[str]) -> Element | None:
        """날짜, 또는 아직 풀지 않은 용어."""
        if mark["date"]:
            return element("time", {}, mark[0])
        term = self.waiting.pop(" ".join(mark["term"].split()), None)
        return element("abbr", {"title": term.meaning, "tabindex": "0"}, mark[0]) if term else None

    def code(self, code: Element) -> Element:
        """글 속의 코드. 가리키는 것이 있으면 링크로 싼다."""
        called = None if self.label else names.CALLED.fullmatch("".join(code.itertext()))
        name = called and names.of_book(called["name"], self.functions, self.module)
        if name and name not in self.seen:
            self.seen.add(name)
            return element("autoref", {"identifier": name}, code)
        url: Any = called and not name and names.of_torch(called["name"])
        return element("a", {"href": url}, code) if url else code
