"""예제가 있는 페이지마다, 위에서 아래로 돌아가는 노트북을 만들어 곁에 둔다.

글은 노트북이 아는 마크다운으로 옮기고, 예제는 코드 칸이 되며, 바로 아래의 ‘출력’은 그 칸의 출력이 된다. 그 출력은
테스트가 확인하므로 여기서 다시 실행하지 않는다. 노트북은 사이트 밖에서 열리므로 링크와 그림은 사이트의 주소로 바꾸고,
주소를 모르면 글만 남긴다.
"""

import posixpath
import re
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urljoin

import nbformat

from mgk_book.book import DOCS
from mgk_book.markdown.part import is_english
from mgk_book.prepare.pages import BLOCK, LISTING, Book, dedented, url_of
from mgk_book.prepare.portable import portable
from mgk_book.prepare.shelf import Shelf
from mgk_book.prepare.totals import results

FENCED = re.compile(r"(^ *```.*?^ *```$|`[^`\n]+`|\$\$.*?\$\$|\$(?:[^$\n]|\n(?!\n))+\$)", re.DOTALL | re.MULTILINE)
MEASURED = re.compile(r"^<!-- results:([\w-]+) -->$", re.MULTILINE)
FOLD = re.compile(
    r'^(?P<mark>!!!|\?\?\?\+?|===) ?[\w-]* ?"(?P<title>[^"]*)"\n(?P<body>(?:\n| {4}.*\n?)*)', re.MULTILINE
)
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)(?:\{[^}]*\})?")
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^)\s]+)\)")
CODE_LINK = re.compile(r"\[([^\[\]]+)\]\[(mgk_docs_src\.[\w.]+)\]")
LANGUAGE = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"}}  # fmt: skip
HEAD = "이 노트북은 {} 페이지를 옮긴 노트북이다. 출력은 페이지에 실린 출력이고, 실행하면 새로 나온다."
UNKNOWN = "이 책의 저장소에서 `pip install .`을 실행한 파이썬이라면 아래의 칸이 차례로 실행된다."
ENGLISH_HEAD = "This notebook is the page {}. The output is that of the page; run a cell for your own."
ENGLISH_UNKNOWN = (
    "The cells run in order in any Python in which `pip install .` was called in the repository of the book."
)


class Place(NamedTuple):
    """페이지가 놓인 곳: 제목, 원본의 경로, 사이트의 주소(모르면 빈 글), 사이트에 있는 파일의 이름들, 잰 결과의 표들."""

    title: str
    source: str
    site_url: str
    known: frozenset[str]
    results: tuple[tuple[str, str], ...]
    directory_urls: bool = True


def address(target: str, place: Place) -> str | None:
    """페이지 안의 링크가 사이트에서 가리키는 주소. 모르면 None."""
    if "://" in target:
        return target
    path, mark, anchor = target.partition("#")
    uri = posixpath.normpath(posixpath.join(posixpath.dirname(place.source), path)) if path else place.source
    if not place.site_url or uri not in place.known:
        return None
    return urljoin(place.site_url, url_of(uri, place.directory_urls)) + mark + anchor


def expanded(text: str, place: Place) -> str:
    """벤치마크의 표를 펼친다. 없는 표는 사이트의 빌드가 오류로 알린다."""
    return MEASURED.sub(lambda match: dict(place.results).get(match[1], ""), text)


def unfolded(text: str) -> str:
    """알림은 굵은 제목과 글로, 접어 둔 것은 노트북에서도 접히게."""

    def replace(match: re.Match[str]) -> str:
        body = re.sub(r"(?m)^ {4}", "", match["body"]).strip("\n")
        if match["mark"].startswith("???"):
            return f"<details><summary>{match['title']}</summary>\n\n{body}\n\n</details>\n\n"
        return f"**{match['title']}**\n\n{body}\n\n"

    return FOLD.sub(replace, text)


def linked(text: str, place: Place) -> str:
    """링크, 그림, 함수의 목록을 사이트 밖에서도 통하게."""

    def picture(match: re.Match[str]) -> str:
        url = address(match[2], place)
        return f"![{match[1]}]({url})" if url else f"*그림: {match[1]}*"

    def link(match: re.Match[str]) -> str:
        url = address(match[2], place)
        return f"[{match[1]}]({url})" if url else match[1]

    def listing(match: re.Match[str]) -> str:
        name = match["name"]
        url = address(f"#{name}", place)
        return f"- [`{name}`]({url})\n" if url else f"- `{name}`\n"

    return CODE_LINK.sub(r"\1(`\2`)", LINK.sub(link, PICTURE.sub(picture, LISTING.sub(listing, text))))


def prose(text: str, place: Place) -> str:
    """글 칸 하나. 코드와 수식은 건드리지 않는다."""
    parts = FENCED.split(unfolded(expanded(text, place)))
    kept = parts[1::2]  # 홀수째가 코드와 수식이다. 링크의 이름에도 들어 있으므로 잘라 내지 않고 자리표로 둔다
    text = "".join(part if number % 2 == 0 else f"\0{number // 2}\0" for number, part in enumerate(parts))
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = linked(re.sub(r"(?m)^(#+ .*?) *\{[^}\n]*\}$", r"\1", text), place)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], text).strip()


def cells(text: str, place: Place) -> list[Any]:
    """페이지의 본문을 노트북의 칸들로."""
    body = text + "\n"
    url = address("", place)
    origin = f"[{place.title}]({url})" if url else f"‘{place.title}’"
    head = ENGLISH_HEAD if is_english(place.source) else HEAD
    made = [nbformat.v4.new_markdown_cell(head.format(origin))]
    end, indent = 0, ""
    for block in BLOCK.finditer(body):
        made.append(nbformat.v4.new_markdown_cell(prose(dedented(body[end : block.start()], indent), place)))
        end, indent = block.end(), block["indent"]
        code = nbformat.v4.new_code_cell(dedented(block["code"], indent).rstrip("\n"))
        if block["output"] is not None:
            code.outputs = [nbformat.v4.new_output("stream", name="stdout", text=dedented(block["output"], indent))]
        made.append(code)
    made.append(nbformat.v4.new_markdown_cell(prose(dedented(body[end:], indent), place)))
    return [cell for cell in made if cell.source]


def notebook(text: str, place: Place, repository: str) -> Any | None:
    """페이지의 노트북. 예제가 없는 페이지라면 None."""
    made = cells(text, place)
    if not any(cell.cell_type == "code" for cell in made):
        return None
    if not repository:
        made.insert(1, nbformat.v4.new_markdown_cell(ENGLISH_UNKNOWN if is_english(place.source) else UNKNOWN))
    for number, cell in enumerate(made):
        cell.id = f"cell-{number}"  # 같은 글이면 같은 바이트
    return portable(nbformat.v4.new_notebook(cells=made, metadata=LANGUAGE), repository)


@lru_cache(maxsize=256)
def written(text: str, place: Place, repository: str) -> str:
    """페이지의 노트북 파일의 글. 예제가 없으면 빈 글이다. 고치지 않은 페이지는 다시 옮기지 않는다."""
    made = notebook(text, place, repository)
    return nbformat.writes(made) if made else ""


def make(book: Book, shelf: Shelf) -> None:
    """예제가 있는 페이지마다 곁에 노트북을 놓는다."""
    docs, settings = book.root / DOCS, book.settings
    known = frozenset(path.relative_to(docs).as_posix() for path in docs.rglob("*")) | {*book.pages, *shelf.files()}
    measured = tuple(results(book.root).items())
    for page in book.pages.values():
        place = Place(page.title, page.path, settings.site_url, known, measured, settings.directory_urls)
        made = None if page.lab else written(page.body, place, settings.repository)
        if made:
            shelf.put(page.path.removesuffix(".md") + ".ipynb", made)
