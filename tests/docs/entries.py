"""인증할 것 모두: 페이지의 예제 블록, 실습, 공개 함수. 그리고 그것을 누구나 확인하는 명령.

python -m tests.docs.entries                이름과 형편의 목록
python -m tests.docs.entries 이름           글, 닿는 파일, 해시 키, 실행 기록의 행
python -m tests.docs.entries --text 이름    글만
python -m tests.docs.entries --files 이름   닿는 파일만
"""

import argparse
import difflib
import sys
from pathlib import Path

from mgk_book.proofs import evidence, ledger
from mgk_book.proofs.evidence import Entry, Sources
from mgk_book.proofs.ledger import DEVICES
from mgk_book.running import execution
from tests.docs.blocks import ROOT
from tests.docs.pages import pages

WORDS = {
    ledger.Status.CERTIFIED: "돌았다",
    ledger.Status.STALE: "낡았다",
    ledger.Status.MISSING: "기록이 없다",
}


def labs(device: str, root: Path = ROOT) -> list[execution.Lab]:
    """책의 실습."""
    return execution.find(execution.sources(root), root, device)


def entries(sources: Sources, found: list[execution.Lab]) -> dict[str, Entry]:
    """인증할 것 모두, 이름으로. 한 페이지에 같은 글의 블록이 둘이면 하나다."""
    every = [
        evidence.example(page.name, block.source, sources)
        for page in pages(sources.root / "docs")
        for block in page.blocks
        if block.is_example
    ]
    every += [evidence.lab(lab, sources) for lab in found]
    every += evidence.functions(sources)
    return {entry.id: entry for entry in every}


def show(entry: Entry, sources: Sources) -> str:
    """항목 하나를 확인하는 데 드는 모든 것."""
    key = sources.key(entry)
    lines = [entry.id, "", entry.text.rstrip("\n"), "", *entry.files, "", f"해시 키  {key}"]
    for device in DEVICES:
        book = ledger.read(sources.root, device)
        row = book.rows.get(entry.id)
        lines.append(f"{device:<4}  {row.key if row else '-'}  {WORDS[ledger.status(entry, book, sources)]}")
        if row:
            facts = ", ".join(f"{name} {value}" for name, value in book.machines[row.machine].items())
            lines.append(f"      {row.taken}, {row.seconds:.2f} s, {facts}")
    return "\n".join(lines)


def table(every: dict[str, Entry], sources: Sources) -> str:
    """모든 항목의 형편."""
    books = {device: ledger.read(sources.root, device) for device in DEVICES}
    return "\n".join(
        "  ".join([*(f"{device} {WORDS[ledger.status(entry, book, sources)]}" for device, book in books.items()), name])
        for name, entry in every.items()
    )


def main(argv: list[str], root: Path = ROOT) -> str:
    """명령줄."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs.entries", description="인증과 실행 기록을 비교한다")
    parser.add_argument(
        "id", nargs="?", metavar="이름", help="예: 'index.md#1a2b3c4d', labs/gan, mgk_docs_src.losses.binary.bce"
    )
    parser.add_argument("--text", action="store_true", help="해시 키에 드는 글만 찍는다")
    parser.add_argument("--files", action="store_true", help="해시 키에 드는 파일의 이름만 찍는다")
    chosen = parser.parse_args(argv)
    sources = Sources(root)
    every = entries(sources, labs("cpu", root))
    if chosen.id is None:
        return table(every, sources)
    if chosen.id not in every:
        near = difflib.get_close_matches(chosen.id, every, n=3, cutoff=0.3)
        parser.error(f"{chosen.id!r}: 그런 것이 없다. 비슷한 이름: {', '.join(near) or '없다'}")
    entry = every[chosen.id]
    if chosen.text:
        return entry.text.removesuffix("\n")
    return "\n".join(entry.files) if chosen.files else show(entry, sources)


if __name__ == "__main__":
    print(main(sys.argv[1:]))
