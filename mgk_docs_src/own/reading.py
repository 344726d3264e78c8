"""사람들이 가진 파일을 글자의 표로 읽는다: CSV, 엑셀, Parquet. 고친 것은 모두 적어 둔다."""

import codecs
import csv
import datetime
import difflib
import gzip
import io
import itertools
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pandas as pd

SEPARATORS = (",", ";", "\t", "|")
_PEEK = 100  # 구분 문자와 머리글을 찾을 때 보는 줄의 수
_CHUNK = 20_000  # 글자의 목록은 표보다 몇 배 크다. 이만큼씩 표로 바꾼다
_FIELD = 10_000_000  # 칸 하나의 글자 수. 이보다 길면 닫지 않은 따옴표다

Record = tuple[int, list[str]]  # 파일의 줄 번호와 칸들


class Note(NamedTuple):
    """파일에서 알아낸 것 하나와, 그것을 어떻게 다루었는가.

    Attributes:
        where: 어디인가. 파일, 줄의 번호, 열의 이름.
        what: 무엇을 보았는가.
        done: 어떻게 했는가. 할 일이 없었으면 빈 글.
    """

    where: str
    what: str
    done: str = ""


class Raw(NamedTuple):
    """읽은 그대로의 표.

    Attributes:
        frame: 열마다 글자(빈칸은 빈 글). Parquet의 열은 그 파일의 자료형 그대로다.
        target: 정답이 든 열의 이름. 파일에 적힌 대로다.
        lines: 줄마다 파일에서의 줄 번호.
        notes: 읽으면서 알아낸 것들.
        separator: 칸의 구분 문자. 엑셀과 Parquet은 빈 글.
    """

    frame: pd.DataFrame
    target: str
    lines: list[int]
    notes: list[Note]
    separator: str


def read(
    path: str | Path,
    *,
    target: str,
    separator: str | None = None,
    sheet: str | None = None,
    header: bool = True,
) -> Raw:
    """파일을 글자의 표로 읽는다. 형식은 이름이 아니라 내용을 보고 정한다.

    Args:
        path: CSV(구분 문자는 쉼표, 쌍반점, 탭, `|`), 엑셀(.xlsx), Parquet. gzip으로 눌렀어도 된다.
        target: 정답이 든 열의 이름.
        separator: 칸의 구분 문자. 기본값은 파일을 보고 정한다.
        sheet: 엑셀 시트의 이름. 기본값은 정답 열이 있는 첫 시트.
        header: 거짓이면 첫 줄부터 데이터로 읽고, 열을 `1번째 열`처럼 부른다.

    Returns:
        읽은 표와 알아낸 것들.

    Raises:
        ValueError: 파일이 없거나, 읽을 수 없는 형식이거나, 비었거나, 정답 열이 없으면.

    References:
        RFC 4180, Common Format and MIME Type for Comma-Separated Values (CSV) Files.
    """
    notes: list[Note] = []
    content = _content(Path(path))
    if content.startswith(b"PAR1"):
        return _parquet(content, target, notes)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise ValueError(f"{path}: 옛 엑셀(.xls)이거나 암호가 걸린 파일이다. 암호를 풀고 .xlsx나 CSV로 저장한다")
    if content.startswith(b"PK\x03\x04"):
        records = _sheet(content, target, sheet, notes)
        return _table(records, target, header, notes, "")
    encoding = _encoding(content, notes)
    found = separator or _separator(_lines(content, encoding), notes)

    def parsed(**dialect: Any) -> Raw:
        records = _records(_lines(content, encoding), found, dialect)
        return _table(records, target, header, list(notes), found)

    csv.field_size_limit(_FIELD)
    try:
        return parsed(strict=True)
    except csv.Error as error:
        notes.append(Note("파일", f"따옴표가 맞지 않는다({error})", "따옴표를 보통 글자로 보고 읽었다"))
    return parsed(quoting=csv.QUOTE_NONE)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
    except FileNotFoundError as error:
        near = difflib.get_close_matches(path.name, _neighbours(path), n=1, cutoff=0.5)
        raise ValueError(f"{path}: 그런 파일이 없다" + (f". 비슷한 것: {near[0]}" if near else "")) from error
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: 읽을 수 없다({error})") from error
    if not content.strip():
        raise ValueError(f"{path}: 빈 파일이다")
    return content


def _neighbours(path: Path) -> list[str]:
    return [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []


# --- 글 ---


def _encoding(content: bytes, notes: list[Note]) -> str:
    marks = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    for mark, name in marks.items():
        if content.startswith(mark):
            notes.append(Note("파일", f"인코딩 {name}"))
            return name
    zeros = content[:2000].count(0)
    if zeros > len(content[:2000]) / 4:  # 아스키 글자를 두 바이트로 적었다
        name = "utf-16-le" if content[1] == 0 else "utf-16-be"
        notes.append(Note("파일", f"인코딩 {name}, BOM 없음"))
        return name
    for name in ("utf-8", "cp949"):
        if _decodes(content, name):
            notes.append(Note("파일", f"인코딩 {name}"))
            return name
    broken = content.decode("utf-8", errors="replace").count("\ufffd")
    strange = sum(byte > 127 for byte in content)
    # UTF-8의 한글은 세 바이트다. 깨진 글자가 드물면 UTF-8이고, 대부분이 깨졌으면 서유럽의 글이다.
    name = "utf-8" if broken * 3 < strange / 2 else "cp1252"
    where = [line for line, text in enumerate(_lines(content, name), 1) if "\ufffd" in text]
    notes.append(Note("파일", f"{name}로 읽을 수 없는 글자가 {some_lines(where)}에 있다", "‘\ufffd’로 바꾸어 읽었다"))
    return name


def _decodes(content: bytes, encoding: str) -> bool:
    stream = io.TextIOWrapper(io.BytesIO(content), encoding)
    try:
        while stream.read(1_000_000):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _lines(content: bytes, encoding: str) -> Iterator[str]:
    # 통째로 풀면 표의 몇 배가 되므로 한 줄씩 푼다. 맥이 풀어 적은 한글(NFD)은 모아 적는다.
    stream = io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace", newline="")
    return (unicodedata.normalize("NFC", line).replace("\0", "") for line in stream)


def _separator(lines: Iterator[str], notes: list[Note]) -> str:
    some = [line for line in itertools.islice(lines, _PEEK) if line.strip()]
    if some and some[0].lower().startswith("sep=") and some[0].strip()[4:]:
        return some[0].strip()[4:]
    found = max(SEPARATORS, key=lambda each: _fit(some, each))
    notes.append(Note("파일", f"구분 문자 {'탭' if found == chr(9) else f'‘{found}’'}"))
    return found


def _fit(lines: list[str], separator: str) -> tuple[float, int]:
    # 같은 수의, 여러 칸으로 나뉘는 줄의 비율. 같으면 칸이 많은 쪽.
    widths = [len(cells) for cells in csv.reader(lines, delimiter=separator) if any(cells)]
    width, times = Counter(widths).most_common(1)[0] if widths else (0, 0)
    return (times / len(widths), width) if width > 1 else (0.0, 0)


def _records(lines: Iterator[str], separator: str, dialect: dict[str, Any]) -> Iterator[Record]:
    # 따옴표 안에 줄바꿈이 있으면 줄의 번호는 끝 줄의 것이다.
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, **dialect)
    plain = dialect.get("quoting") == csv.QUOTE_NONE
    for cells in reader:
        if reader.line_num == 1 and cells and cells[0].lower().startswith("sep="):
            continue
        yield reader.line_num, [cell.strip().strip('"') if plain else cell.strip() for cell in cells]


# --- 엑셀과 Parquet ---


def _sheet(content: bytes, target: str, sheet: str | None, notes: list[Note]) -> Iterator[Record]:
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Exception as error:  # zip이지만 엑셀이 아니면, openpyxl은 여러 가지 오류를 그대로 낸다
        raise ValueError(f"path: 엑셀 파일로 읽을 수 없다({error})") from error
    if sheet is not None and sheet not in book.sheetnames:
        raise ValueError(f"sheet: {sheet!r} 시트가 없다. 있는 것: {', '.join(map(repr, book.sheetnames))}")
    names = [sheet] if sheet is not None else book.sheetnames
    wanted = _plain(target)
    chosen = next(
        (
            name
            for name in names
            if any(wanted in map(_plain, cells) for _, cells in itertools.islice(_cells(book[name]), _PEEK))
        ),
        names[0],
    )
    others = [name for name in book.sheetnames if name != chosen]
    notes.append(
        Note("파일", f"엑셀 시트 ‘{chosen}’", f"다른 시트는 읽지 않았다: {', '.join(others)}" if others else "")
    )
    return _cells(book[chosen])


def _cells(sheet: Any) -> Iterator[Record]:
    sheet.reset_dimensions()  # 다른 프로그램이 적은 크기는 틀릴 때가 있다
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        yield number, [_written(value) for value in row]


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    return unicodedata.normalize("NFC", str(value)).strip()


def _parquet(content: bytes, target: str, notes: list[Note]) -> Raw:
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except Exception as error:  # pyarrow의 오류는 종류가 많다
        raise ValueError(f"path: Parquet 파일로 읽을 수 없다({error})") from error
    notes.append(Note("파일", "Parquet"))
    frame.columns = pd.Index(_names([str(name) for name in frame.columns], notes))
    place = _find(list(frame.columns), target)
    return Raw(frame.reset_index(drop=True), frame.columns[place], list(range(1, len(frame) + 1)), notes, "")


# --- 표 ---


def _table(records: Iterable[Record], target: str, header: bool, notes: list[Note], separator: str) -> Raw:
    stream = iter(records)
    head = list(itertools.islice(stream, _PEEK))
    filled = [record for record in head if any(record[1])]
    if not filled:
        raise ValueError("path: 빈 파일이다")
    width = Counter(len(cells) for _, cells in filled).most_common(1)[0][0]
    place = _header(head, target) if header else -1
    titles = [line for line, cells in head[: max(place, 0)] if any(cells)]
    if titles:
        notes.append(Note(some_lines(titles), "머리글 앞의 제목이나 설명", "건너뛰었다"))
    cells = head[place][1] if header else [""] * width
    if header and width == len(cells) + 1 and all(row[-1] for _, row in filled if len(row) == width):
        cells = ["", *cells]
        notes.append(Note("머리글", "데이터보다 한 칸 적다", "첫 칸을 줄의 이름으로 보았다"))
    names = _names(cells, notes)
    answer = names[_find(names, target)]
    body = itertools.chain(head[place + 1 :], stream)
    frame, lines_of = _body(body, names, cells, notes)
    if frame.empty:
        raise ValueError("path: 머리글만 있고 데이터가 한 줄도 없다")
    return Raw(frame, answer, lines_of, notes, separator)


def _header(head: Sequence[Record], target: str) -> int:
    # 정답 열의 이름이 든 첫 줄. 없으면 칸이 반 넘게 찬 첫 줄이다.
    full = [sum(map(bool, cells)) for _, cells in head]
    for same in (_plain, _loose):
        for place, (_, cells) in enumerate(head):
            if same(target) in map(same, cells) and full[place] >= min(2, max(full)):
                return place
    return next(place for place, count in enumerate(full) if 2 * count >= max(full))


def _names(cells: Sequence[str], notes: list[Note]) -> list[str]:
    names = [_plain(cell) or f"{place}번째 열" for place, cell in enumerate(cells, 1)]
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    for name, times in seen.items():
        if times > 1:
            notes.append(Note(f"열 ‘{name}’", f"이름이 {times}번 나온다", f"둘째부터 ‘{name} (2)’처럼 부른다"))
    return unique


def _find(names: Sequence[str], target: str, argument: str = "target", what: str = "열이") -> int:
    for same in (_plain, _loose):
        found = [place for place, name in enumerate(names) if same(name) == same(target)]
        if found:
            return found[0]
    lower = {name.lower(): name for name in names}
    close = [lower[name] for name in difflib.get_close_matches(target.lower(), lower, n=3, cutoff=0.5)]
    some = ", ".join(map(repr, close or names[:8]))
    hint = f"비슷한 것: {some}" if close else f"있는 것: {some}{' …' if len(names) > 8 else ''}"
    if all(name[:1].isdigit() for name in names):
        hint += ". 첫 줄이 열의 이름이 아니면 --no-header"
    raise ValueError(f"{argument}: {target!r} {what} 없다. {hint}")


def find(names: Sequence[str], name: str, *, argument: str, what: str = "열이") -> str:
    """이름이 맞는 것을 찾는다. 빈칸과 대문자는 달라도 된다.

    Args:
        names: 이름들.
        name: 찾는 이름.
        argument: 오류에 적을 인자의 이름.
        what: 오류에 적을, 찾는 것이 무엇인지와 조사.

    Returns:
        `names` 가운데 맞는 이름.

    Raises:
        ValueError: 없으면. 비슷한 이름을 함께 알린다.

    References:
        Python 문서, `difflib`.
    """
    return names[_find(names, name, argument, what)]


def _body(
    records: Iterable[Record], names: Sequence[str], header: Sequence[str], notes: list[Note]
) -> tuple[pd.DataFrame, list[int]]:
    lines: list[int] = []
    parts = []
    short, long, again, blank = [], [], [], 0
    kept: list[list[str]] = []
    width = len(names)
    for line, cells in records:
        if not any(cells):
            blank += 1
            continue
        if cells == list(header):
            again.append(line)
            continue
        if len(cells) < width:
            short.append(line)
            cells = cells + [""] * (width - len(cells))  # noqa: PLW2901
        elif any(cells[width:]):
            long.append(line)
        kept.append(cells[:width])
        lines.append(line)
        if len(kept) == _CHUNK:
            parts.append(_strings(kept, names))
            kept = []
    parts.append(_strings(kept, names))
    if blank:
        notes.append(Note("파일", f"빈 줄 {blank:,}개", "건너뛰었다"))
    for where, what, done in (
        (short, f"칸이 {width}개보다 적다", "모자란 칸을 빈칸으로 보았다"),
        (long, f"칸이 {width}개보다 많다", "남는 칸을 버렸다"),
        (again, "머리글이 되풀이된다", "뺐다"),
    ):
        if where:
            notes.append(Note(some_lines(where), what, done))
    return pd.concat(parts, ignore_index=True), lines


def _strings(rows: list[list[str]], names: Sequence[str]) -> pd.DataFrame:
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    found = zip(names, columns, strict=True)
    return pd.DataFrame({name: pd.array(list(column), dtype="str") for name, column in found})


def some_lines(lines: Sequence[int]) -> str:
    """줄의 번호들을 다섯 개까지 적는다.

    Args:
        lines: 파일에서의 줄 번호들.

    Returns:
        `"3, 7번째 줄"`이나 `"3, 7, 8, 9, 12 … 모두 40줄"`.

    References:
        Python 문서, `str.join`.
    """
    first = ", ".join(str(line) for line in lines[:5])
    return f"{first}번째 줄" if len(lines) <= 5 else f"{first} … 모두 {len(lines):,}줄"


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _loose(name: str) -> str:
    return _plain(name).casefold().replace(" ", "").replace("_", "")
