"""인증의 합계: 종류마다, 페이지마다, 실습마다, 기계마다. 그리고 회차의 사진과 장치마다 측정한 속도.

예제와 함수는 페이지의 원본에서 센다. 실행 기록에 있고 해시 키가 지금의 글과 코드에 맞는 항목만 실행했다고 센다.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from mgk_book.book import DOCS
from mgk_book.prepare.pages import Book, Page, Places, examples, listed, named, plain, relative, table
from mgk_book.prepare.shelf import on_disk
from mgk_book.proofs import books, ledger
from mgk_book.proofs.books import NAMES
from mgk_book.proofs.evidence import Entry, example, lab
from mgk_book.proofs.ledger import DEVICES, Status

KINDS = {"예제 블록": "#", "실습": "labs/", "공개 함수": "mgk_docs_src."}
PHOTOS = "assets/certifications"
RESULTS = "benchmarks/results"
CHAPTER = re.compile(r"\]\(\.\./([\w/-]+\.(?:md|ipynb))")


class Totals:
    """한 번의 준비가 세는 것. 실행 기록과 페이지의 항목은 합계의 자리가 있을 때만 읽는다."""

    def __init__(self, book: Book) -> None:
        self.book = book

    @cached_property
    def books(self) -> books.Books:
        return books.opened(self.book.root)

    @cached_property
    def entries(self) -> dict[str, list[Entry]]:
        """페이지마다 그 페이지에 있는 것. 같은 것이 두 번 있으면 하나다."""
        return {path: self._entries(page) for path, page in self.book.pages.items()}

    def _entries(self, page: Page) -> list[Entry]:
        if page.lab:
            return [lab(page.lab, self.books.sources)]
        found = [example(page.path, text, self.books.sources) for text in examples(page.body)]
        found += [self.books.functions[name] for name in listed(page.body, list(self.books.functions))]
        return list({entry.id: entry for entry in found}.values())

    def status(self, entry: Entry, device: str) -> Status:
        return ledger.status(entry, self.books.ledgers[device], self.books.sources)

    def tally(self, entries: Iterable[Entry]) -> list[str]:
        """장치마다, 전체 가운데 몇을 실행했나."""
        found = []
        for device in DEVICES:
            states = [self.status(entry, device) for entry in entries]
            stale = states.count(Status.STALE)
            found.append(f"{states.count(Status.CERTIFIED)} / {len(states)}" + f" (낡음 {stale})" * bool(stale))
        return found

    def read_apart(self) -> list[Page]:
        """찾아보기를 뺀 책. 찾아보기는 다른 장에도 있는 함수를 다시 싣는다."""
        return [page for page in self.book.pages.values() if not page.path.startswith("reference/")]

    def totals(self, entries: Iterable[Entry]) -> str:
        """종류마다의 합계."""
        every = list({entry.id: entry for entry in entries}.values())
        kinds = {kind: [entry for entry in every if _kind(entry) == kind] for kind in KINDS} | {"모두": every}
        rows = [(kind, *self.tally(some)) for kind, some in kinds.items() if some]
        return table(("종류", *NAMES.values()), *rows)

    def whole(self) -> str:
        """책에 있는 것 모두의 합계. 어느 페이지에도 싣지 않은 함수도 센다."""
        entries = [entry for page in self.read_apart() for entry in self.entries[page.path]]
        return self.totals([*entries, *self.books.functions.values()])

    def session(self, here: Page) -> str:
        """회차와, 그것이 가리키는 장과 실습의 합계. 주제의 첫 페이지를 가리키면 그 주제의 장 모두다."""
        chapters = {
            name
            for name in CHAPTER.findall(here.body)
            if name.split("/")[0] not in ("sessions", "members", "reference")
        }
        folders = tuple(name.removesuffix("index.md") for name in chapters if name.endswith("/index.md"))
        linked = [name for name in self.book.pages if name in chapters or name.startswith(folders)]
        return self.totals(entry for name in (here.path, *linked) for entry in self.entries[name])

    def by_page(self, here: Page) -> str:
        """페이지마다의 합계."""
        pages = [page for page in self.read_apart() if self.entries[page.path]]
        rows = [(named(page, here), *self.tally(self.entries[page.path])) for page in pages]
        return table(("페이지", *NAMES.values()), *rows)

    def labs(self, here: Page) -> str:
        """실습마다 걸린 시간. 두 장치에서 모두 실행한 실습은 몇 배 빠른지도."""
        rows = []
        for page in self.book.pages.values():
            if page.lab:
                (entry,) = self.entries[page.path]
                cpu, cuda = seconds = [self._seconds(entry, device) for device in DEVICES]
                ratio = f"{cpu / cuda:.1f}" if cpu and cuda else "–"
                rows.append((named(page, here), *(f"{each:.0f}초" if each else "기록 없음" for each in seconds), ratio))
        return table(("실습", *NAMES.values(), "몇 배"), *rows)

    def _seconds(self, entry: Entry, device: str) -> float | None:
        certified = self.status(entry, device) is Status.CERTIFIED
        return self.books.ledgers[device].rows[entry.id].seconds if certified else None

    def machines(self) -> str:
        """실행한 컴퓨터와 버전."""
        rows = []
        for device, book in self.books.ledgers.items():
            for name, facts in book.machines.items():
                count = sum(row.machine == name for row in book.rows.values())
                words = ", ".join(f"{field} {value}" for field, value in facts.items() if field != "device")
                rows.append((plain(facts["device"]), plain(words), f"{count}"))
            if not book.machines:
                rows.append((NAMES[device], "이 장치에서는 아직 실행한 적이 없다", "0"))
        return table(("장치", "버전과 컴퓨터", "행"), *rows)


def photos(root: Path, here: Page) -> str:
    """원문이 부른 이름의 사진이 있으면 싣고, 없으면 없다고 적는다."""
    shown, lost = [], []
    for photo in here.meta.get("photos", []):
        name, alt = photo["file"], photo["alt"]
        if (root / DOCS / PHOTOS / on_disk(name)).is_file():
            shown.append(f"![{alt}](<{relative(f'{PHOTOS}/{name}', here)}>)")
        else:
            lost.append(f"- {alt}: `{name}`. 사진 파일은 남은 자료에 없다.")
    return "\n\n".join(filter(None, ["\n".join(shown), "\n".join(lost)]))  # 글에 붙은 목록은 목록이 되지 않는다


def results(root: Path) -> dict[str, str]:
    """벤치마크의 표들."""
    return {path.stem: path.read_text("utf-8").strip() for path in sorted((root / RESULTS).glob("*.md"))}


def places(book: Book) -> Places:
    """합계, 사진, 벤치마크의 표를 넣을 자리."""
    counted, measured = Totals(book), results(book.root)
    speeds = [measured.get(f"devices-{device}", f"{NAMES[device]}에서는 아직 측정하지 못했다.") for device in DEVICES]
    made: Places = {
        "certificates:totals": lambda _: counted.whole(),
        "certificates:pages": counted.by_page,
        "certificates:labs": counted.labs,
        "certificates:machines": lambda _: counted.machines(),
        "certificates:session": counted.session,
        "certificates:speeds": lambda _: "\n\n".join(speeds),
        "certificates:photos": lambda here: photos(book.root, here),
    }
    return made | {f"results:{name}": lambda _, text=text: text for name, text in measured.items()}


def _kind(entry: Entry) -> str:
    return next(kind for kind, mark in KINDS.items() if mark in entry.id)
