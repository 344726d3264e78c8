"""책이 보는 실행 기록: 항목을 어느 장치에서 실행했는지 글로 옮긴다."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from mgk_book.book import stamp
from mgk_book.proofs import ledger
from mgk_book.proofs.closure import PACKAGE
from mgk_book.proofs.evidence import TESTS, Entry, Sources, functions
from mgk_book.proofs.ledger import DEVICES, Ledger, Status

NAMES = {"cpu": "CPU", "cuda": "CUDA"}


class Books(NamedTuple):
    """한 번의 빌드가 보는 것: 소스, 장치마다의 실행 기록, 공개 함수들."""

    sources: Sources
    ledgers: dict[str, Ledger]
    functions: dict[str, Entry]


def opened(root: Path) -> Books:
    """실행 기록을 연다. 소스와 기록이 그대로면 다시 읽지 않는다. 믿을 수 없는 기록으로는 사이트를 만들지 않는다."""
    return _opened(root, stamp(root, PACKAGE, TESTS, "conftest.py", "certificates"))


@lru_cache(maxsize=2)
def _opened(root: Path, _: object) -> Books:
    found = Sources(root)
    ledgers = {device: ledger.read(root, device) for device in DEVICES}
    return Books(found, ledgers, {entry.id: entry for entry in functions(found)})


def said(entry: Entry, books: Books, *, english: bool = False) -> list[str]:
    """한 번이라도 실행한 장치마다, 그 장치에서의 상태."""
    return [_said(entry, device, books, english=english) for device in DEVICES if books.ledgers[device].rows]


def _said(entry: Entry, device: str, books: Books, *, english: bool) -> str:
    book = books.ledgers[device]
    state = ledger.status(entry, book, books.sources)
    if state is Status.MISSING:
        return f"{NAMES[device]}{': no record' if english else ' 기록 없음'}"
    row = book.rows[entry.id]
    facts, day = book.machines[row.machine], row.taken[:10]
    if state is Status.STALE:
        words = f"out of date ({day}, the code has changed since)" if english else f"낡음({day} 뒤에 코드가 바뀌었다)"
        return f"△ {facts['device']}{': ' if english else ' '}{words}"
    return f"✓ {facts['device']} · torch {facts['torch']} · {day}"


def never(books: Books) -> str:
    """한 번도 실행한 적이 없는 장치들."""
    return ", ".join(NAMES[device] for device in DEVICES if not books.ledgers[device].rows)
