"""책의 페이지를 원본에서 읽는다: 제목, 앞머리, 본문, 예제. 그려진 것은 보지 않는다."""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from mgk_book.book import DOCS, BookError, Entry, contents, data, read
from mgk_book.markdown.part import link
from mgk_book.running.execution import Lab

CITATION = "CITATION.cff"
# 여닫는 울타리의 깊이가 같은 블록. notest가 붙은 것은 돌지 않으므로 글이다.
BLOCK = re.compile(
    r"^(?P<indent> *)```python(?! *\{[^}\n]*notest)[^\n]*\n(?P<code>.*?)^(?P=indent)```\n"
    r'(?:\n*(?P=indent)```text title="출력"\n(?P<output>.*?)^(?P=indent)```\n)?',
    re.DOTALL | re.MULTILINE,
)
LISTING = re.compile(r"^::: (?P<name>mgk_docs_src\.[\w.]+)\n(?P<options>(?: {4}.*\n)*)", re.MULTILINE)
HEADING = re.compile(r"^# +(.+?)(?: *\{[^}\n]*\})?$", re.MULTILINE)


class Settings(NamedTuple):
    """사이트를 만드는 사람이 정하는 것. 모르는 주소는 빈 글이다."""

    site_url: str = ""
    repository: str = ""
    directory_urls: bool = True


class Page(NamedTuple):
    """차례에 있는 페이지 하나. 실습이면 앞머리는 노트북의 머리이고 본문은 글 칸들이다."""

    path: str
    title: str
    meta: dict[str, Any]
    body: str
    lab: Lab | None = None


class Book(NamedTuple):
    """한 번의 준비가 보는 것: 뿌리, 설정, 차례, 읽는 순서로 놓인 페이지들, 책의 인용 정보."""

    root: Path
    settings: Settings
    contents: tuple[Entry, ...]
    pages: dict[str, Page]
    citation: dict[str, Any]


Places = dict[str, Callable[[Page], str]]  # 자리의 이름: 그 자리가 있는 페이지에 들어갈 글


def open_book(root: Path, settings: Settings, labs: Sequence[Lab]) -> Book:
    """차례에 있는 모든 페이지를 읽는다."""
    if not (root / CITATION).is_file():
        raise BookError(f"{CITATION}이 없다: 책의 이름과 지은이를 거기서 읽는다")
    citation = data((root / CITATION).read_text("utf-8"))
    named = {lab.name: lab for lab in labs}
    entries = contents(root)
    found = (_page(entry, root, named) for entry in _flat(entries))
    return Book(root, settings, entries, {page.path: page for page in found}, citation)


def _flat(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    """페이지인 칸. 다른 사이트로 가는 칸은 뺀다."""
    for entry in entries:
        if entry.path.endswith((".md", ".ipynb")):
            yield entry
        yield from _flat(entry.entries)


def _page(entry: Entry, root: Path, labs: dict[str, Lab]) -> Page:
    name, _, suffix = entry.path.rpartition(".")
    source, lab = root / DOCS / entry.path, labs.get(name)
    if suffix == "ipynb" and lab:
        meta, body = dict(lab.notebook.metadata), "\n\n".join(lab.prose)
    elif suffix == "md" and source.is_file():
        (meta, body), lab = read(source), None
    else:
        missing = source.with_suffix(".py") if suffix == "ipynb" else source
        raise BookError(f"mkdocs.yml: nav의 {entry.path}: {missing.relative_to(root).as_posix()}가 없다")
    heading = HEADING.search(body)
    title = entry.title or str(meta.get("title", "")) or (heading[1] if heading else name.rpartition("/")[2])
    return Page(entry.path, title, meta, body, lab)


def examples(body: str) -> Iterator[str]:
    """본문의 예제 블록의 글."""
    for block in BLOCK.finditer(body + "\n"):
        yield dedented(block["code"], block["indent"])


def listed(body: str, functions: Sequence[str]) -> Iterator[str]:
    """`::: mgk_docs_src.…`가 싣는 함수: 이름이 함수면 그것, 모듈이면 그 안의 것(`members`가 있으면 그 가운데)."""
    for found in LISTING.finditer(body + "\n"):
        options = (data(found["options"]) or {}).get("options", {})
        members = options.get("members", True)
        for name in functions:
            module, _, own = name.rpartition(".")
            if name == found["name"] or (module == found["name"] and (members is True or own in (members or ()))):
                yield name


def dedented(text: str, indent: str) -> str:
    """블록이 들어 있던 깊이만큼 당긴다. 더 얕은 줄부터는 그대로다."""
    inside = re.match(rf"(?:\n|{indent}.*\n?)*", text)
    assert inside is not None  # 빈 글에도 맞는다
    return re.sub(rf"(?m)^{indent}", "", inside[0]) + text[inside.end() :]


def url_of(path: str, directory_urls: bool) -> str:
    """책의 파일이 사이트에서 갖는 주소."""
    name, _, suffix = path.rpartition(".")
    if suffix not in ("md", "ipynb"):
        return quote(path)
    folder, _, last = name.rpartition("/")
    if not directory_urls:
        return quote(f"{name}.html")
    return quote(f"{folder or '.'}/" if last == "index" else f"{name}/")


def relative(path: str, page: Page) -> str:
    """페이지에서 책의 다른 파일로 가는 링크."""
    return link(page.path, path)


def named(page: Page, here: Page) -> str:
    """`here`에서 페이지로 가는, 제목을 적은 링크."""
    return f"[{plain(page.title)}]({relative(page.path, here)})"


def plain(text: str) -> str:
    """글자 그대로 읽히게 한 마크다운."""
    return re.sub(r"[\\`*_{}\[\]|$]", r"\\\g<0>", html.escape(text, quote=False))


def table(*rows: Sequence[str]) -> str:
    """마크다운 표. 첫 줄이 머리다."""
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "| " + " | ".join(["---"] * len(rows[0])) + " |", *body])
