"""영어 책머리의 차례: 페이지마다의 영어 제목과 요약.

앞머리의 `english`(실습이면 노트북의 머리)에 `title`과 `summary`를 적는다. 글과 그림과 코드는 한국어 페이지 하나뿐이다.
책을 두 벌 만들지 않으므로 빌드가 늦어지지 않고, 두 벌이 어긋날 일도 없다.
"""

from typing import Any, NamedTuple

from mgk_book.book import BookError, paths
from mgk_book.prepare.pages import Book, Page, Places, plain, relative

HOME, LIMIT = "en/index.md", 240
FOLDERS = {"실습": "Labs"}  # 첫 페이지가 없어 영어 제목을 적을 곳이 없는 묶음


class English(NamedTuple):
    """페이지 하나의 영어 제목과 요약."""

    title: str
    summary: str


def read(path: str, meta: dict[str, Any]) -> English:
    """앞머리나 노트북의 머리에 적힌 것. 빠지거나 모르는 것이 있으면 빌드를 멈춘다."""
    found = meta.get("english")
    if not isinstance(found, dict) or {*found} != {*English._fields}:
        raise BookError(f"{path}: 앞머리의 english에 {', '.join(English._fields)}를 적는다: {found!r}")
    english = English(**found)
    if not all(isinstance(text, str) and text.strip() for text in english) or len(english.summary) > LIMIT:
        raise BookError(f"{path}: english는 빈 글이 아니고 summary는 {LIMIT}자 안이다: {found!r}")
    return english


def contents(book: Book, here: Page) -> str:
    """차례의 칸마다 제목과 요약. 제목은 한국어 페이지의 영어로 간다. 검색에는 저마다의 페이지가 있다."""
    found = {page.path: read(page.path, page.meta) for page in book.pages.values() if page.path != HOME}

    def link(path: str) -> str:
        return f"[{plain(found[path].title)}]({relative(path, here)}#in-english){{ hreflang=ko }}"

    parts = []
    for entry in book.contents:
        first, *rest = [path for path in paths((entry,)) if path != HOME] or [""]
        if not first:
            continue
        if entry.path or first.endswith("index.md"):
            parts += [f"### {link(first)} {{ data-search-exclude }}", plain(found[first].summary)]
        elif entry.title in FOLDERS:
            parts.append(f"### {FOLDERS[entry.title]} {{ data-search-exclude }}")
            rest = [first, *rest]
        else:
            raise BookError(f"{entry.title}: 첫 페이지가 없는 묶음의 영어 이름을 {__name__}의 FOLDERS에 적는다")
        parts += [f"{link(path)}\n:   {plain(found[path].summary)}" for path in rest]
    return "\n\n".join(parts)


def places(book: Book) -> Places:
    """영어 차례의 자리."""
    return {"english:contents": lambda here: contents(book, here)}
