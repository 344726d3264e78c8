"""제목 아래와 페이지의 끝: 읽는 시간과 수준, 영어 제목과 요약, 노트북과 고치기 링크.

한국어를 모르는 사람에게는 앞머리의 `english`(실습이면 노트북의 머리)가 길을 준다. 글과 그림과 코드는 한국어 페이지
하나뿐이다. 책을 두 벌 만들지 않으므로 빌드가 늦어지지 않고, 두 벌이 어긋날 일도 없다.

저장소를 모르면 고치는 링크를 달지 않는다.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.etree.ElementTree import Element

from mgk_book.book import DOCS, BookError, read
from mgk_book.markdown.code import fences
from mgk_book.markdown.math import DRAWN
from mgk_book.markdown.part import EXCLUDED, HOME, Part, dotted, element, is_english, link, page_of
from mgk_book.running.execution import of_page, tagged

LEVELS = ("입문", "중급", "심화")
NOT_CHAPTERS = ("", "en", "members", "reference", "sessions")
# 한글은 1분에 500음절, 로마자 낱말과 수는 200개로 센다. 코드는 글보다 느려 1분에 20줄, 따로 놓인 수식은 하나에 10초다.
# 접어 둔 함수의 소스와 실습의 준비 코드는 세지 않는다.
SYLLABLES, WORDS, LINES, FORMULAS = 500, 200, 20, 6
SECTIONS = {
    "goal": "Goal", "intuition": "Intuition", "definition": "Definition and derivation", "use": "Where it is used",
    "run": "Run it", "implementation": "Implementation", "pitfalls": "Strengths and pitfalls",
    "corrections": "Corrections to the original post", "exercises": "Exercises", "sources": "Sources",
}  # fmt: skip
ENGLISH_ID, LIMIT = "in-english", 240
GITHUB, BRANCH = "https://github.com", "main"


class English(NamedTuple):
    """페이지 하나의 영어 제목과 요약."""

    title: str
    summary: str


class Facts(NamedTuple):
    """페이지의 앞머리(실습이면 노트북의 머리)와, 실습이면 접지 않은 코드."""

    meta: dict[str, Any]
    code: list[str]


def facts(page: str, part: Part) -> Facts:
    """페이지의 소스에서."""
    path = part.root / DOCS / page
    if path.suffix == ".md":
        return Facts(read(path).meta, [])
    lab = of_page(page, part.root)
    shown = [cell for cell in lab.notebook.cells if cell.cell_type == "code"]
    return Facts(lab.notebook.metadata, [cell.source for cell in shown if not tagged(cell, "setup")])


def english(page: str, meta: dict[str, Any]) -> English:
    """앞머리에 적힌 영어. 빠지거나 모르는 것이 있으면 빌드를 멈춘다."""
    found = meta.get("english")
    if not isinstance(found, dict) or {*found} != {*English._fields}:
        raise BookError(f"{page}: 앞머리의 english에 {', '.join(English._fields)}를 적는다: {found!r}")
    if not all(isinstance(text, str) and text.strip() for text in found.values()) or len(found["summary"]) > LIMIT:
        raise BookError(f"{page}: english는 빈 글이 아니고 summary는 {LIMIT}자 안이다: {found!r}")
    return English(**found)


def minutes(root: Element, code: list[str]) -> int:
    """읽는 데 걸리는 분."""
    lines = sum(bool(line.strip()) for block in code for line in block.split("\n"))
    formulas = sum(each.get("class") == DRAWN for each in root.iter("div"))
    text = " ".join(words(root))
    syllables = len(re.findall(r"[가-힣]", text))
    latin = len(re.findall(r"[A-Za-z0-9][\w.]*", text))
    return max(1, round(syllables / SYLLABLES + latin / WORDS + lines / LINES + formulas / FORMULAS))


def words(parent: Element) -> Iterator[str]:
    """수식과 제목의 링크를 뺀 글."""
    yield parent.text or ""
    for child in parent:
        if child.tag != "math" and child.get("class") not in (DRAWN, "headerlink"):
            yield from words(child)
        yield child.tail or ""


class Top(Part):
    """제목 바로 아래에, 목차를 만들기 전에 넣는다: 생성기가 `#in-english`로 가는 링크를 검사할 수 있다."""

    def run(self, root: Element) -> None:
        """영어로 쓴 페이지에는 달지 않는다."""
        page = page_of(self.md)
        if page is None or is_english(page):
            return
        title = next((number for number, child in enumerate(root) if child.tag == "h1"), None)
        if title is None:
            raise BookError(f"{page}: 영어 요약을 달 제목(#)이 없다")
        meta, code = facts(page, self)
        root.insert(title + 1, self.block(page, english(page, meta), root))
        folder, _, name = page.rpartition("/")
        level = meta.get("level")
        if level not in (None, *LEVELS):
            raise BookError(f"{page}: level: {level!r}. {', '.join(LEVELS)} 가운데 하나로 적는다")
        if folder not in NOT_CHAPTERS and not name.startswith("index."):
            shown = [block.source for block in fences(self.md)]
            root.insert(title + 1, reading(minutes(root, shown + code), level, page))

    def block(self, page: str, said: English, root: Element) -> Element:
        """영어 제목과 요약. id가 접힌 안쪽에 있으므로, 그리로 온 사람에게 브라우저가 펼쳐 보인다."""
        here = {child.get("id") for child in root.iter("h2")}
        found = [(part, name) for part, name in SECTIONS.items() if part in here]
        parts = [element("li", {}, element("a", {"href": f"#{part}"}, name)) for part, name in found]
        home = element("a", {"href": link(page, HOME), "hreflang": "en"}, "The book in English")
        return element(
            "details", {"class": "english", "lang": "en"},
            element("summary", EXCLUDED, "In English"),
            element("p", {"id": ENGLISH_ID}, said.title),  # EnglishHeading이 제목으로 바꾼다
            element("p", {}, said.summary),
            element("div", EXCLUDED, *([element("ul", {}, *parts)] if parts else []), element("p", {}, home)),
        )  # fmt: skip


def reading(time: int, level: str | None, page: str) -> Element:
    """읽는 데 걸리는 시간과 수준."""
    said: list[str | Element] = [f"읽는 데 약 {time}분"]
    if level:
        said += [" · 수준 ", element("a", {"href": link(page, "index.md") + "#levels"}, level)]
    return element("p", {"class": "reading", **EXCLUDED}, *said)


class EnglishHeading(Part):
    """영어 제목은 검색에서는 제목이지만 페이지의 차례에는 넣지 않는다: 차례를 만든 뒤에 제목이 된다."""

    def run(self, root: Element) -> None:
        """영어로 쓴 페이지에서는 제목의 링크에 영어 이름을 준다."""
        for each in root.iter():
            if each.get("id") == ENGLISH_ID:
                each.tag = "h2"
            if each.get("class") == "headerlink" and is_english(page_of(self.md)):
                each.set("title", "Link to this heading")


class End(Part):
    """본문 끝의 링크. 테마의 고치기 단추는 그림뿐이라 글로도 적는다."""

    def run(self, root: Element) -> None:
        """예제가 있는 페이지에는 노트북으로 가는 링크도."""
        page = page_of(self.md)
        if page is None:
            return
        said, repository = LABELS["en" if is_english(page) else "ko"], self.repository
        path = PurePosixPath(page)
        taken = []
        if page.endswith(".ipynb"):
            taken = [element("a", {"href": f"{path.stem}/{path.name}", "download": ""}, said.executed)]
        elif any(block.is_example for block in fences(self.md)):
            taken = [element("a", {"href": f"{path.stem}.ipynb", "download": ""}, said.notebook)]
        if taken and repository:
            # publish 작업이 노트북을 notebooks 가지에 올린다. Colab은 GitHub에 있는 것만 연다.
            colab = f"https://colab.research.google.com/github/{repository}/blob/notebooks/{path.with_suffix('.ipynb')}"
            taken.append(element("a", {"href": colab}, said.colab))
        edited = str(facts(page, self).meta.get("edited_in", source_of(page)))
        own = [
            element("a", {"href": edit_link(edited, repository)}, said.edit),
            element("a", {"href": issue_link(page, edited, title_of(root), repository)}, said.report),
        ]
        for links in (taken, own if repository else []):
            if links:
                root.append(element("p", {"class": "page-links", **EXCLUDED}, *dotted([*links])))


class Words(NamedTuple):
    """끝의 링크에 적는 말."""

    notebook: str
    executed: str
    colab: str
    edit: str
    report: str


LABELS = {
    "ko": Words(
        notebook="이 페이지를 노트북으로 내려받기 (.ipynb)",
        executed="실행한 노트북 내려받기 (.ipynb)",
        colab="Colab에서 열기",
        edit="이 페이지 고치기",
        report="잘못 알리기",
    ),
    "en": Words(
        notebook="Download this page as a notebook (.ipynb)",
        executed="Download the notebook that was run (.ipynb)",
        colab="Open in Colab",
        edit="Edit this page",
        report="Report a mistake",
    ),
}


def source_of(page: str) -> str:
    """페이지를 고치려면 열 파일. 실습이면 노트북이 아니라 그 소스다."""
    return page.removesuffix(".ipynb") + ".py" if page.endswith(".ipynb") else page


def title_of(root: Element) -> str:
    """첫 제목의 글."""
    title = root.find("h1")
    return "" if title is None else " ".join("".join(words(title)).split())


def edit_link(edited: str, repository: str) -> str:
    """GitHub에서 그 파일을 고치는 주소."""
    return f"{GITHUB}/{repository}/edit/{BRANCH}/{DOCS}/{quote(edited)}"


def issue_link(page: str, edited: str, title: str, repository: str) -> str:
    """제목과 자리를 채운 새 이슈의 주소."""
    body = f"페이지: {page}\n파일: {DOCS}/{edited}\n\n무엇이 잘못되었나:\n"
    return f"{GITHUB}/{repository}/issues/new?title={quote(f'{title}: ', safe='')}&body={quote(body, safe='')}"
