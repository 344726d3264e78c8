"""인증의 합계: 종류마다, 페이지마다, 실습마다, 기계마다. 페이지의 `<!-- certificates:… -->` 자리에 들어간다."""

import html
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from mgk_book.proofs import ledger
from mgk_book.proofs.evidence import Entry, Sources, functions
from mgk_book.proofs.ledger import DEVICES, Ledger, Status

NAMES = {"cpu": "CPU", "cuda": "CUDA"}
KINDS = {"예제 블록": "#", "실습": "labs/", "공개 함수": "mgk_docs_src."}
PLACE = re.compile(r"<!-- certificates:(?P<name>session|totals|pages|labs|machines) -->")


class Books(NamedTuple):
    """한 번의 빌드가 보는 것: 소스, 장치마다의 장부, 공개 함수들."""

    sources: Sources
    ledgers: dict[str, Ledger]
    functions: dict[str, Entry]


def open_books(root: Path) -> Books:
    """장부를 연다. 믿을 수 없는 장부로는 사이트를 만들지 않는다."""
    found = Sources(root)
    ledgers = {device: ledger.read(root, device) for device in DEVICES}
    return Books(found, ledgers, {entry.id: entry for entry in functions(found)})


def tally(entries: Iterable[Entry], device: str, books: Books) -> str:
    """몇 가운데 몇이 돌았나."""
    states = [ledger.status(entry, books.ledgers[device], books.sources) for entry in entries]
    stale = states.count(Status.STALE)
    return f"{states.count(Status.CERTIFIED)} / {len(states)}" + f" (낡음 {stale})" * bool(stale)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """HTML 표."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"


def totals(entries: Iterable[Entry], books: Books) -> str:
    """종류마다의 합계."""
    every = list({entry.id: entry for entry in entries}.values())
    kinds = {kind: [entry for entry in every if _kind(entry) == kind] for kind in KINDS} | {"모두": every}
    rows = [(kind, *(tally(some, device, books) for device in DEVICES)) for kind, some in kinds.items() if some]
    return table(["무엇", *NAMES.values()], rows)


def by_page(pages: Iterable[Page], here: Page, books: Books) -> str:
    """페이지마다의 합계."""
    rows = []
    for page in pages:
        if entries := page.meta["certificates"]:
            title = f'<a href="{get_relative_url(page.url, here.url)}">{html.escape(str(page.title))}</a>'
            rows.append((title, *(tally(entries, device, books) for device in DEVICES)))
    return table(["페이지", *NAMES.values()], rows)


def labs(pages: Iterable[Page], here: Page, books: Books) -> str:
    """실습마다 걸린 시간. 두 장치에서 모두 돌린 것은 몇 배 빠른지도."""
    rows = []
    for page in pages:
        if getattr(page.file, "lab", None) is None:
            continue
        (entry,) = page.meta["certificates"]
        title = f'<a href="{get_relative_url(page.url, here.url)}">{html.escape(str(page.title))}</a>'
        seconds = [
            books.ledgers[device].rows[entry.id].seconds
            if ledger.status(entry, books.ledgers[device], books.sources) is Status.CERTIFIED
            else None
            for device in DEVICES
        ]
        cpu, cuda = seconds
        ratio = f"{cpu / cuda:.1f}" if cpu and cuda else "–"
        rows.append((title, *(f"{each:.0f}초" if each else "기록 없음" for each in seconds), ratio))
    return table(["실습", *NAMES.values(), "몇 배"], rows)


def machines(books: Books) -> str:
    """돌린 기계와 판들."""
    rows = []
    for device, book in books.ledgers.items():
        for name, facts in book.machines.items():
            count = sum(row.machine == name for row in book.rows.values())
            words = [f"{field} {value}" for field, value in facts.items() if field != "device"]
            rows.append((facts["device"], html.escape(", ".join(words)), f"{count}"))
        if not book.machines:
            rows.append((NAMES[device], "이 장치에서는 아직 돌린 적이 없다", "0"))
    return table(["장치", "판과 기계", "행"], rows)


def linked(page: Page, pages: dict[str, Page]) -> list[Page]:
    """회차의 페이지와, 그것이 가리키는 장과 실습. 주제의 첫 페이지를 가리키면 그 주제의 장 모두다."""
    named = re.findall(r"\]\(\.\./([\w/-]+\.(?:md|ipynb))", page.markdown or "")
    chapters = {name for name in named if name.split("/")[0] not in ("sessions", "members", "reference")}
    folders = {name.removesuffix("index.md") for name in chapters if name.endswith("/index.md")}
    return [page, *(each for name, each in pages.items() if name in chapters or name.startswith(tuple(folders)))]


def filled(page: Page, pages: dict[str, Page], books: Books) -> str:
    """합계의 자리를 채운 본문."""
    book = [each for name, each in pages.items() if not name.startswith("reference/")]
    session = [entry for each in linked(page, pages) for entry in each.meta["certificates"]]
    every = [entry for each in book for entry in each.meta["certificates"]]
    parts = {
        "session": totals(session, books),
        "totals": totals([*every, *books.functions.values()], books),
        "pages": by_page(book, page, books),
        "labs": labs(book, page, books),
        "machines": machines(books),
    }
    return PLACE.sub(lambda place: parts[place["name"]], page.content or "")


def _kind(entry: Entry) -> str:
    return next(kind for kind, mark in KINDS.items() if mark in entry.id)
