"""인증의 실행 기록: 무엇을 어느 장치에서 실행했나.

행 하나가 예제 블록, 실습, 공개 함수(장치를 받는 테스트들) 가운데 하나다. 해시 키는 그 글과, 그 글이 쓰는 소스 파일들의
SHA-256이고, 그 밖의 것은 들어가지 않는다. `sha256sum - 파일들 | sha256sum`이 같은 값을 낸다. 그래서 코드를 고치면
행이 낡고, 상관없는 코드를 고치면 그대로다. 행은 실행해서 통과한 항목에만 적힌다(tests/docs/certify.py).
"""

import hashlib
import json
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from mgk_book.book import BookError
from mgk_book.proofs.evidence import Entry, Sources

DEVICES = ("cpu", "cuda")
FIELDS = {"key": str, "machine": str, "taken": str, "seconds": float}


class Row(NamedTuple):
    """실행 기록의 한 줄: 해시 키, 실행한 컴퓨터, 실행한 시각(UTC), 걸린 시간(초)."""

    key: str
    machine: str
    taken: str
    seconds: float


class Ledger(NamedTuple):
    """장치 하나의 실행 기록. 컴퓨터의 이름은 그 내용의 해시다."""

    machines: dict[str, dict[str, str]]
    rows: dict[str, Row]


class Status(Enum):
    """항목 하나의 상태."""

    CERTIFIED = "certified"
    STALE = "stale"
    MISSING = "missing"


def status(entry: Entry, ledger: Ledger, sources: Sources) -> Status:
    """항목이 이 실행 기록에서 어떤 상태인가."""
    row = ledger.rows.get(entry.id)
    if row is None:
        return Status.MISSING
    return Status.CERTIFIED if row.key == sources.key(entry) else Status.STALE


def path(root: Path, device: str) -> Path:
    """장치의 실행 기록."""
    return root / "certificates" / f"{device}.json"


def read(root: Path, device: str) -> Ledger:
    """실행 기록을 읽는다. 없으면 빈 실행 기록이다.

    Raises:
        BookError: 잘렸거나, 병합 충돌의 자국이 있거나, 칸이 모자라거나, 모르는 컴퓨터의 행이 있으면. 오류는 파일, 줄,
            행의 이름을 알린다.
    """
    file = path(root, device)
    if not file.is_file():
        return Ledger({}, {})
    name, text = file.relative_to(root).as_posix(), file.read_text("utf-8")
    try:
        raw = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise BookError(f"{name}:{error.lineno}: {_near(text, error.lineno)}: 읽을 수 없다: {error.msg}") from error
    except _TwiceError as error:
        raise BookError(f"{name}:{_line(text, str(error))}: {error}: 같은 이름이 두 번 있다") from error
    if not isinstance(raw, dict) or [type(raw.get(part)) for part in Ledger._fields] != [dict, dict]:
        raise BookError(f"{name}:1: {', '.join(Ledger._fields)}가 있어야 한다")
    for machine, facts in raw["machines"].items():
        if machine != identity(facts):
            raise BookError(f"{name}:{_line(text, machine)}: 컴퓨터 {machine}: 손으로 고쳤다(이름이 내용과 다르다)")
    rows = {}
    for each, fields in raw["rows"].items():
        if not isinstance(fields, dict) or {field: type(value) for field, value in fields.items()} != FIELDS:
            raise BookError(f"{name}:{_line(text, each)}: {each}: 행의 칸은 {', '.join(FIELDS)}이다")
        rows[each] = Row(**fields)
        if rows[each].machine not in raw["machines"]:
            raise BookError(f"{name}:{_line(text, each)}: {each}: 컴퓨터 {rows[each].machine}이 machines에 없다")
    return Ledger(raw["machines"], rows)


def write(root: Path, device: str, ledger: Ledger) -> None:
    """실행 기록을 한 번에 바꿔 놓는다. 한 행이 한 줄이고 이름 순서라서, diff가 새로 증명한 것만 보인다."""
    used = {row.machine for row in ledger.rows.values()}
    machines = {name: facts for name, facts in sorted(ledger.machines.items()) if name in used}
    rows = {name: row._asdict() for name, row in sorted(ledger.rows.items())}
    parts = ["{", '"machines": {', _lines(machines), "},", '"rows": {', _lines(rows), "}", "}"]
    file = path(root, device)
    file.parent.mkdir(exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text("\n".join(part for part in parts if part) + "\n", "utf-8")
    partial.replace(file)


def faults(root: Path, device: str, entries: Iterable[Entry], sources: Sources) -> list[str]:
    """실행 기록이 책과 어긋난 곳: 없는 행, 낡은 행, 책에 없는 항목의 행."""
    ledger = read(root, device)
    known = {entry.id: status(entry, ledger, sources) for entry in entries}
    words = {Status.MISSING: "인증이 없다", Status.STALE: "낡았다: 글이나 닿는 코드가 바뀌었다"}
    name = path(root, device).relative_to(root).as_posix()
    found = [f"{name}: {each}: {words[state]}" for each, state in known.items() if state in words]
    return found + [f"{name}: {each}: 책에 없는 항목의 행이다" for each in ledger.rows if each not in known]


def identity(facts: Any) -> str:
    """컴퓨터의 이름."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:8]


class _TwiceError(Exception):
    """같은 이름이 두 번 나온다. json은 조용히 뒤의 것을 쓴다."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _TwiceError(name)
        seen.add(name)
    return dict(pairs)


def _line(text: str, name: str) -> int:
    """이름이 마지막으로 나오는 줄."""
    start = json.dumps(name, ensure_ascii=False) + ":"
    return max(number for number, line in enumerate(text.split("\n"), 1) if line.lstrip(" {").startswith(start))


def _near(text: str, line: int) -> str:
    """그 줄의 행. 행이 아니면 바로 뒤의, 없으면 바로 앞의 행."""
    lines = text.split("\n")
    rows = [each.split('"')[1] for each in [*lines[line - 1 :], *reversed(lines[: line - 1])] if '"key":' in each]
    return f"{rows[0]} 가까이" if rows else "행이 없다"


def _lines(rows: dict[str, Any]) -> str:
    return ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(row, ensure_ascii=False)}" for name, row in rows.items()
    )
