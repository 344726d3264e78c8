"""글자의 열을 학습할 수 있는 열로 바꾼다: 수, 범주, 참거짓, 날짜. 쓸 수 없는 열은 이유를 적고 뺀다."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from mgk_docs_src.own.reading import Note, some_lines

MISSING = frozenset(
    {"", "na", "n/a", "nan", "nat", "null", "<na>", "?", "-", "--", ".", "결측", "결측치"}
    # 엑셀의 오류
    | {"#n/a", "#na", "#value!", "#div/0!", "#ref!", "#name?"}
)
PAIRS = (
    ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"), ("o", "x"), ("예", "아니오"),
    ("예", "아니요"), ("네", "아니오"), ("네", "아니요"), ("참", "거짓"), ("있음", "없음"), ("유", "무"),
)  # fmt: skip
GAP = "빈칸"
NUMERIC_SHARE = 0.9  # 수로 읽히는 칸이 이만큼이면 수의 열이다
_NUMBER = re.compile(
    r"(?P<left>\()?[<>≤≥~≈]?\s*(?:[₩￦$€£¥]|US\$|KRW|USD)?\s*"
    r"(?P<number>[+-]?(?:\d[\d.,' \u00a0]*|[.,]\d+)(?:[eE][+-]?\d+)?)"
    r"\s*(?P<unit>%|[^\W\d_][^\s\d]{0,4})?\s*\)?"
)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[\d.' \u00a0]*,\d+")
_DATE = re.compile(
    r"(\d{4}|\d{1,2})\s*[-/.년]\s*(\d{1,2}|[A-Za-z]{3})\s*[-/.월]\s*(\d{1,4})[일.]?([T ].*\d.*)?|20\d{2}[01]\d[0-3]\d"
)
_IDENTIFIER = re.compile(
    r"(^|[\s_])(id|no|idx|index|번호|순번|일련번호|코드)$|^unnamed|(?<=[a-z])Id$|ID$", re.IGNORECASE
)


class Typed(NamedTuple):
    """자료형을 정한 특징들.

    Attributes:
        frame: 수의 열은 float(빈칸은 NaN), 범주의 열은 글자(빈칸은 `GAP`).
        numbers: 수의 열의 이름들. 참거짓은 0과 1, 날짜는 여러 수로 나눈 것.
        categories: 범주의 열의 이름들.
        notes: 알아낸 것들.
    """

    frame: pd.DataFrame
    numbers: list[str]
    categories: list[str]
    notes: list[Note]


def typed(frame: pd.DataFrame, *, lines: Sequence[int], separator: str = ",") -> Typed:
    """열마다 자료형을 정하고 값을 바꾼다. 상수, 번호, 긴 글, 빈 열은 뺀다.

    Args:
        frame: 글자의 열들. 이미 수, 날짜, 참거짓인 열도 된다.
        lines: 줄마다 파일에서의 줄 번호. 읽지 못한 칸을 가리킬 때 쓴다.
        separator: 파일의 구분 문자. 쌍반점이면 `1,234`의 쉼표를 소수점으로 본다.

    Returns:
        바꾼 열들과 알아낸 것들.

    References:
        pandas 문서, `pandas.to_numeric`, `pandas.to_datetime`.
    """
    notes: list[Note] = []
    found: dict[str, pd.Series] = {}
    for name in frame.columns:
        found |= _column(_At(name, np.asarray(lines), separator, notes), frame[name])
    numbers = [name for name, column in found.items() if column.dtype == np.float64]
    table = pd.DataFrame(found, index=pd.RangeIndex(len(frame)))
    return Typed(table, numbers, [name for name in found if name not in set(numbers)], notes)


class _At(NamedTuple):
    # 지금 보는 열: 이름, 줄마다의 번호, 파일의 구분 문자, 알아낸 것을 적는 곳.
    name: str
    lines: np.ndarray
    separator: str
    notes: list[Note]

    def say(self, what: str, done: str, *, wrong: np.ndarray | None = None) -> None:
        lines = "" if wrong is None else f"{some_lines(self.lines[wrong].tolist())}, "
        self.notes.append(Note(f"{lines}열 ‘{self.name}’", what, done))

    def leave(self, what: str) -> dict[str, pd.Series]:
        self.say(what, "뺐다")
        return {}


def _column(at: _At, column: pd.Series) -> dict[str, pd.Series]:
    if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype == object:
        column = column.astype("str").where(column.notna())
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _dates(at, column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _numbers(at, column.astype("float64"))
    words = blank(column)
    codes, unique = pd.factorize(words)
    each = [str(word) for word in unique]
    if not each:
        return at.leave("모두 빈칸이다")
    if len(each) == 1 and words.notna().all():
        return at.leave(f"값이 ‘{_short(each[0])}’ 하나뿐이다")
    for read in (_truth, _calendar, _quantity):
        found = read(at, each, codes)
        if found is not None:
            return found
    return _category(at, each, codes)


def blank(column: pd.Series) -> pd.Series:
    """빈칸을 뜻하는 글(`NA`, `nan`, `결측`, …)을 빈칸으로 바꾼다.

    Args:
        column: 글자의 열.

    Returns:
        빈칸이 없음(NA)인 열.

    References:
        pandas 문서, `pandas.Series.where`.
    """
    codes, unique = pd.factorize(column)
    real = np.array([str(word).strip().casefold() not in MISSING for word in unique], dtype=bool)
    return column.where(np.append(real, False)[codes])


def _spread(codes: np.ndarray, values: np.ndarray) -> pd.Series:
    # 서로 다른 글마다의 값을 줄마다의 값으로. 빈칸의 번호는 −1이다.
    return pd.Series(np.append(values, np.nan)[codes])


def _truth(at: _At, each: list[str], codes: np.ndarray) -> dict[str, pd.Series] | None:
    # 한 쌍 가운데 하나만 있고 나머지가 빈칸인 열도 있다.
    words = {word.casefold() for word in each}
    for yes, no in PAIRS:
        if words <= {yes, no}:
            return _filled(at, _spread(codes, np.array([float(word.casefold() == yes) for word in each])))
    return None


def _calendar(at: _At, each: list[str], codes: np.ndarray) -> dict[str, pd.Series] | None:
    if len(each) == 1 or not all(_DATE.fullmatch(word) for word in each):
        return None
    dates = _dated(each)
    return _dates(at, dates.reindex(codes).reset_index(drop=True)) if dates.notna().mean() >= NUMERIC_SHARE else None


# --- 수 ---


def _quantity(at: _At, each: list[str], codes: np.ndarray) -> dict[str, pd.Series] | None:
    if _coded(each):
        return None
    values, said = _parsed(each, at.separator)
    good = np.isfinite(values)
    wrong = np.append(~good, False)[codes]
    share = 1 - wrong.sum() / (codes >= 0).sum()
    # 반만 수여도, 나머지가 ‘모름’, ‘측정 불가’처럼 몇 가지뿐이면 수의 열이다.
    if share < 0.5 or (share < NUMERIC_SHARE and (~good).sum() > 5):
        return None
    if said:
        at.say(said, "수로 읽었다")
    if wrong.any():
        some = ", ".join(f"‘{_short(word)}’" for word, fine in zip(each, good, strict=True) if not fine)
        at.say(f"수가 아닌 {_short(some)}", "빈칸으로 보았다", wrong=wrong)
    return _numbers(at, _spread(codes, np.where(good, values, np.nan)))


def _coded(words: list[str]) -> bool:
    # 우편 번호처럼 0으로 시작하는, 길이가 같은 숫자들은 수가 아니라 이름이다.
    zeros = sum(word[0] == "0" and word.isdigit() and len(word) > 1 for word in words)
    return zeros > 0.02 * len(words) and len({len(word) for word in words}) == 1


def _parsed(words: list[str], separator: str) -> tuple[np.ndarray, str]:
    quick = pd.to_numeric(pd.Series(words), errors="coerce").to_numpy("float64", na_value=np.nan)
    if np.isfinite(quick).all():
        return quick, ""
    matches = [_NUMBER.fullmatch(word.replace("−", "-")) for word in words]
    units = {match["unit"] for match in matches if match} - {None}
    # 단위가 여럿이면 단위가 붙은 칸은 좌석 번호 같은 이름이다.
    bare = [match["number"].strip() if match and (len(units) < 2 or not match["unit"]) else "" for match in matches]
    commas = [number for number in bare if "," in number]
    thousands = all(_THOUSANDS.fullmatch(number) for number in commas)
    decimal = all(_DECIMAL_COMMA.fullmatch(number) for number in commas) and (not thousands or separator == ";")
    values = np.array([_value(match, number, decimal) for match, number in zip(matches, bare, strict=True)])
    unit = units.pop() if len(units) == 1 else ""
    said = [
        *(["쉼표는 소수점"] if commas and decimal else ["쉼표는 자릿수 구분"] if commas and thousands else []),
        *([f"단위 ‘{unit}’"] if unit else []),
    ]
    return values, ", ".join(said)


def _value(match: re.Match[str] | None, number: str, decimal: bool) -> float:
    if match is None or not number:
        return np.nan
    if decimal:
        number = number.replace(".", "").replace(",", ".") if "," in number else number
    try:
        value = float(re.sub(r"[,' \u00a0]", "", number))
    except ValueError:
        return np.nan
    return -value if match["left"] and value > 0 else value


def _numbers(at: _At, values: pd.Series) -> dict[str, pd.Series]:
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        at.say("무한대", "빈칸으로 보았다", wrong=infinite)
        values = values.where(~infinite)
    known = values.dropna()
    if known.empty:
        return at.leave("모두 빈칸이다")
    if known.nunique() == 1 and len(known) == len(values):
        return at.leave("값이 하나뿐이다")
    if len(known) >= 20 and known.is_unique and (known == known.round()).all():
        steps = known.sort_values().diff().iloc[1:]
        if (steps == 1).all() or _IDENTIFIER.search(at.name):
            return at.leave("줄마다 다른 번호로 보인다")
    return _filled(at, values)


def _filled(at: _At, values: pd.Series) -> dict[str, pd.Series]:
    gaps = int(values.isna().sum())
    if gaps:
        at.say(f"빈칸 {gaps:,}개", "중앙값으로 채우고, 빈칸이었다는 열을 더한다")
    return {at.name: values.astype("float64")}


# --- 날짜와 범주 ---


def _dated(words: list[str]) -> pd.Series:
    plain = [re.sub(r"\s*[년월]\s*|(?<=\d)\.\s*(?=\d+\.?\s*\d*$)", "-", word) for word in words]
    plain = [re.sub(r"[일.]\s*$|일(?=\s)", "", word) for word in plain]
    first = [re.match(r"(\d{1,2})\D", word) for word in plain]
    days_first = any(match and int(match[1]) > 12 for match in first)
    return pd.Series(pd.to_datetime(pd.Series(plain), format="mixed", dayfirst=days_first, errors="coerce", utc=True))


def _dates(at: _At, dates: pd.Series) -> dict[str, pd.Series]:
    gaps = int(dates.isna().sum())
    days = (dates - pd.Timestamp(0, tz=dates.dt.tz)) / pd.Timedelta(days=1)
    parts = {"날짜": days, "월": dates.dt.month, "요일": dates.dt.day_of_week, "시": dates.dt.hour}
    varied = {f"{at.name} ({part})": each.astype("float64") for part, each in parts.items() if each.nunique() > 1}
    if not varied:
        return at.leave("값이 하나뿐이다")
    at.say(f"날짜, 빈칸 {gaps:,}개" if gaps else "날짜", f"{len(varied)}개의 수로 나누었다")
    return varied


def _category(at: _At, each: list[str], codes: np.ndarray) -> dict[str, pd.Series]:
    rows = int((codes >= 0).sum())
    spaces, letters = (float(np.mean([count(word) for word in each])) for count in (_spaces, len))
    if rows >= 20 and len(each) > 0.5 * rows and (spaces >= 3 or letters > 40):
        return at.leave("긴 글이다")
    if rows >= 20 and len(each) > 0.9 * rows:
        return at.leave(f"줄마다 다른 이름이나 번호로 보인다(서로 다른 값 {len(each):,}개)")
    first: dict[str, str] = {}
    for word in each:
        first.setdefault(_same(word), word)
    if len(first) < len(each):
        at.say("띄어쓰기나 대문자만 다른 이름이 있다", "같은 범주로 보았다")
    merged = [*(first[_same(word)] for word in each), GAP]
    if rows < len(codes):
        at.say(f"빈칸 {len(codes) - rows:,}개", f"‘{GAP}’이라는 범주로 보았다")
    return {at.name: pd.Series([merged[code] for code in codes], dtype="str")}


def _spaces(word: str) -> int:
    return word.count(" ")


def _same(word: str) -> str:
    return " ".join(word.casefold().split())


def _short(word: str) -> str:
    # 파일에서 온 글이 화면을 어지럽히지 않게, 제어 문자는 없애고 길면 줄인다.
    printable = "".join(letter for letter in word if letter.isprintable())
    return printable if len(printable) <= 30 else f"{printable[:29]}…"
