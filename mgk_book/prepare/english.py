"""영어 책머리의 차례: 페이지마다의 영어 제목과 요약(mgk_book/markdown/page.py)."""

from mgk_book.book import BookError, paths
from mgk_book.markdown.page import ENGLISH_ID, english
from mgk_book.markdown.part import HOME
from mgk_book.prepare.pages import Book, Page, Places, plain, relative

FOLDERS = {"실습": "Labs"}  # 첫 페이지가 없어 영어 제목을 적을 곳이 없는 묶음


def contents(book: Book, here: Page) -> str:
    """차례의 칸마다 제목과 요약. 제목은 한국어 페이지의 영어로 간다."""
    found = {page.path: english(page.path, page.meta) for page in book.pages.values() if page.path != HOME}

    def item(path: str) -> str:
        title, summary = map(plain, found[path])
        return f"- [{title}]({relative(path, here)}#{ENGLISH_ID}){{ hreflang=ko }}: {summary}"

    lines = []
    for entry in book.contents:
        first, *rest = [path for path in paths((entry,)) if path != HOME] or [""]
        if not first:
            continue
        if entry.path or first.endswith("index.md"):
            lines.append(item(first))
        elif entry.title in FOLDERS:
            lines.append(f"- {FOLDERS[entry.title]}")
            rest = [first, *rest]
        else:
            raise BookError(f"{entry.title}: 첫 페이지가 없는 묶음의 영어 이름을 {__name__}의 FOLDERS에 적는다")
        lines += [f"    {item(path)}" for path in rest]
    return "\n".join(lines)


def places(book: Book) -> Places:
    """영어 차례의 자리."""
    return {"english:contents": lambda here: contents(book, here)}
