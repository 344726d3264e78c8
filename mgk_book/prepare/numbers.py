"""다른 페이지의 글에 옮겨 적은 수를, 그것을 낸 실습에 묶는다.

실습은 `record("라벨 노이즈 20 %/교차 엔트로피", 0.8391)`로 수에 이름을 붙이고, 글은
`<data value="labs/choosing:라벨 노이즈 20 %/교차 엔트로피">0.839</data>`로 옮겨 적는다. 적힌 자릿수까지 같아야 한다.
`make numbers`는 어긋난 것을 실습이 낸 대로 다시 쓴다.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mgk_book.book import DOCS, BookError
from mgk_book.running.execution import Lab, execute, find, read, sources

MIME = "application/vnd.mgk.numbers+json"  # mgk_docs_src.labs.tables.record가 쓰는 것과 같다
BOUND = re.compile(r'<data value="(?P<lab>[^":]+):(?P<name>[^"]+)">(?P<text>[^<]*)</data>')
NUMBER = re.compile(r"(?P<sign>[+−-]?)(?P<digits>\d+(?:\.(?P<decimals>\d+))?)(?P<percent>\s?%)?")

Recorded = dict[str, dict[str, list[float]]]  # 실습마다, 이름마다의 수들


class Fault(NamedTuple):
    """어긋난 수 하나."""

    where: str
    written: str
    right: str

    def __str__(self) -> str:
        return f"{self.where}: {self.written!r}인데 실행해 보니 {self.right!r}이다"


def recorded(labs: list[Lab]) -> Recorded:
    """돌린 실습들이 이름을 붙인 수. 아직 돌지 않은 실습은 없다."""
    return {lab.name: _recorded(run.outputs) for lab in labs if (run := read(lab.outputs))}


def _recorded(outputs: list[Any]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for output in (output for cell in outputs for output in cell):
        found |= output.get("data", {}).get(MIME, {})
    return found


def check(root: Path, known: Recorded) -> None:
    """모든 글의 옮겨 적은 수가 실습이 낸 수와 같은지 본다.

    Raises:
        BookError: 어긋난 수가 있으면. 오류는 페이지, 줄, 적힌 수, 바른 수를 알린다.
    """
    faults = [str(fault) for path in _texts(root) for fault in _compare(path, root, known)[1]]
    if faults:
        raise BookError("\n".join(["실습과 다른 수가 글에 있다. make numbers가 다시 쓴다", *faults]))


def rewrite(root: Path, known: Recorded) -> list[Fault]:
    """어긋난 수를 다시 쓴다. 고친 것을 돌려준다."""
    changed = []
    for path in _texts(root):
        text, faults = _compare(path, root, known)
        if faults:
            path.write_text(text, "utf-8")
            changed += faults
    return changed


def _texts(root: Path) -> Iterator[Path]:
    for suffix in ("md", "py"):
        yield from sorted((root / DOCS).rglob(f"*.{suffix}"))


def _compare(path: Path, root: Path, known: Recorded) -> tuple[str, list[Fault]]:
    """글과, 그 안의 어긋난 수. 글은 바르게 고친 것이다."""
    text, faults = path.read_text("utf-8"), []

    def right(match: re.Match[str]) -> str:
        where = f"{path.relative_to(root).as_posix()}:{text.count(chr(10), 0, match.start()) + 1}"
        values = known.get(match["lab"], {}).get(match["name"])
        if values is None:
            raise BookError(f"{where}: {match['lab']}에 {match['name']!r}이라는 수가 없다")
        fixed = _printed(match["text"], values, where)
        if fixed != match["text"]:
            faults.append(Fault(where, match["text"], fixed))
        return match[0].replace(f">{match['text']}<", f">{fixed}<")

    return BOUND.sub(right, text), faults


def _printed(text: str, values: list[float], where: str) -> str:
    """글에 적힌 형식 그대로, 수만 바른 값으로."""
    count = len(NUMBER.findall(text))
    if count != len(values):
        raise BookError(f"{where}: {text!r}에는 수가 {count}개인데 실습의 결과는 {len(values)}개다")
    given = iter(values)

    def one(match: re.Match[str]) -> str:
        value = next(given) * (100 if match["percent"] else 1)
        digits = f"{abs(value):.{len(match['decimals'] or '')}f}"
        sign = "−" if value < 0 and float(digits) else "+" if match["sign"] == "+" else ""
        return f"{sign}{digits}{match['percent'] or ''}"

    return NUMBER.sub(one, text)


def mend(root: Path, device: str) -> None:
    """어긋난 수를 다시 쓰고 무엇을 고쳤는지 찍는다. 아직 돌지 않은 실습은 먼저 돌린다."""
    labs = find(sources(root), root, device)
    execute(labs, root, device)
    for fault in rewrite(root, recorded(labs)):
        print(fault)
