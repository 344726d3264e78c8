"""파일에서 학습할 표까지: 정답을 클래스로 바꾸고, 줄을 덜고, 특징의 자료형을 정하고, 누출을 찾는다."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mgk_docs_src.own.columns import blank, typed
from mgk_docs_src.own.reading import Note, Raw, find, read, some_lines

ROWS = 20_000  # 이보다 길면 클래스의 비율을 지켜 무작위로 덜어 낸다
MAX_CLASSES = 100
LEAK = 0.99  # 열 하나로 이만큼 맞히면(균형 정확도) 누출을 의심한다


class Table(NamedTuple):
    """학습할 표.

    Attributes:
        frame: 특징. 수의 열은 float, 범주의 열은 글자.
        numbers: 수의 열의 이름들.
        categories: 범주의 열의 이름들.
        labels: 줄마다 클래스의 번호.
        classes: 번호의 차례로 클래스의 이름.
        target: 정답 열의 이름.
        groups: 함께 움직여야 하는 줄의 묶음 번호. 없으면 `None`.
        times: 줄의 시각(클수록 나중). 없으면 `None`.
        notes: 알아낸 것들.
    """

    frame: pd.DataFrame
    numbers: list[str]
    categories: list[str]
    labels: np.ndarray
    classes: list[str]
    target: str
    groups: np.ndarray | None
    times: np.ndarray | None
    notes: list[Note]


def load(
    path: str | Path,
    *,
    target: str,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    rows: int = ROWS,
    separator: str | None = None,
    sheet: str | None = None,
    header: bool = True,
) -> Table:
    """파일을 읽어 학습할 표로 만든다. 고치거나 뺀 것은 모두 `notes`에 적는다.

    Args:
        path: 파일의 경로.
        target: 정답이 든 열의 이름.
        drop: 뺄 열의 이름들.
        keep: 정답과 같아 보여도 빼지 않을 열의 이름들.
        group: 같은 사람이나 기기의 줄을 묶는 열. 묶음은 학습과 테스트에 나뉘어 들지 않는다.
        time: 시각의 열. 앞의 줄로 학습하고 뒤의 줄로 테스트한다.
        rows: 쓸 줄의 수. 더 길면 클래스의 비율을 지켜 무작위로 덜어 낸다. 0이면 모두 쓴다.
        separator: 칸의 구분 문자. 기본값은 파일을 보고 정한다.
        sheet: 엑셀 시트의 이름.
        header: 첫 줄이 열의 이름인가.

    Returns:
        학습할 표.

    Raises:
        ValueError: 읽을 수 없거나, 정답 열이나 다른 열이 없거나, 클래스가 하나이거나, 두 줄 이상인 클래스가 둘이 안
            되거나, 학습할 열이 남지 않으면.

    References:
        Kaufman, S. 외 (2012). Leakage in Data Mining: Formulation, Detection, and Avoidance.
    """
    raw = read(path, target=target, separator=separator, sheet=sheet, header=header)
    notes, frame = list(raw.notes), raw.frame
    names = list(frame.columns)
    special = {"group": group, "time": time}
    place = {each: find(names, name, argument=each) for each, name in special.items() if name is not None}
    unread = {find(names, name, argument="drop") for name in drop} | set(place.values())
    kept = {find(names, name, argument="keep") for name in keep}
    for argument, some in (("drop", unread - set(place.values())), *((each, {name}) for each, name in place.items())):
        if raw.target in some:
            raise ValueError(f"{argument}: {raw.target!r}은(는) 정답이 든 열이다")
    used, labels, classes = _classes(raw, notes)
    if rows and len(used) > rows:
        chosen = _sample(labels, rows)
        done = f"클래스의 비율대로 {len(chosen):,}줄을 무작위로 골랐다. --rows 0이면 모두 쓴다"
        notes.append(Note("파일", f"{len(used):,}줄", done))
        used, labels = used[chosen], labels[chosen]
    lines = np.asarray(raw.lines)[used]
    some = frame.iloc[used].reset_index(drop=True)
    groups = pd.factorize(blank(some[place["group"]].astype("str")).fillna(""))[0] if "group" in place else None
    times = _times(some[place["time"]], lines, raw.separator) if "time" in place else None
    features = typed(some.drop(columns=[raw.target, *unread]), lines=lines.tolist(), separator=raw.separator)
    notes += features.notes
    table = Table(
        features.frame, features.numbers, features.categories, labels, classes, raw.target, groups, times, notes
    )
    table = _without_leaks(table, kept)
    if table.frame.columns.empty:
        left = "; ".join(f"{note.where}: {note.what}" for note in notes if note.done == "뺐다")
        raise ValueError(f"path: 특징으로 쓸 열이 남지 않았다. {left or f'{raw.target!r} 말고 다른 열이 없다'}")
    return table


def _classes(raw: Raw, notes: list[Note]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    # 쓸 줄의 위치, 클래스의 번호, 클래스의 이름. 클래스는 모두 수이면 수의 차례, 아니면 글자의 차례다.
    written = raw.frame[raw.target]
    words = written.astype("str").where(written.notna())
    words = words if {"+", "-"} <= set(words.unique()) else blank(words)
    where = f"정답 ‘{raw.target}’"
    gaps = words.isna().to_numpy()
    if gaps.any():
        lines = some_lines(np.asarray(raw.lines)[gaps].tolist())
        notes.append(Note(f"{lines}, {where}", f"빈칸 {int(gaps.sum()):,}개", "그 줄들을 뺐다"))
    codes, unique = pd.factorize(words)
    each = [" ".join(str(word).split()) for word in unique]
    if not each:
        raise ValueError(f"target: {raw.target!r}에 값이 하나도 없다")
    values = pd.to_numeric(pd.Series(each), errors="coerce")
    numeric = bool(np.isfinite(values.to_numpy("float64", na_value=np.nan)).all())
    keys = [float(value) if numeric else word.casefold() for word, value in zip(each, values, strict=True)]
    first: dict[float | str, str] = {}
    for key, word in zip(keys, each, strict=True):
        first.setdefault(key, word)
    if len(first) < len(each):
        notes.append(Note(where, "적는 법만 다른 값이 있다(대문자, 띄어쓰기, 1과 1.0)", "같은 클래스로 보았다"))
    place = {key: number for number, key in enumerate(sorted(first))}
    labels = np.append([place[key] for key in keys], -1)[codes]
    counts = np.bincount(labels[labels >= 0], minlength=len(place))
    names = [first[key] for key in place]
    if len(names) == 1:
        raise ValueError(f"target: {raw.target!r}의 클래스가 {names[0]!r} 하나뿐이다")
    enough = counts >= 2
    if enough.sum() < 2:
        raise ValueError(f"target: {raw.target!r}에 두 줄 이상인 클래스가 둘은 있어야 하는데 {int(enough.sum())}개다")
    if enough.sum() > MAX_CLASSES:
        raise ValueError(
            f"target: {raw.target!r}의 클래스가 {int(enough.sum()):,}개다. {MAX_CLASSES}개까지 비교한다. "
            "연속된 값이면 구간으로 묶는다"
        )
    if not enough.all():
        some = ", ".join(f"‘{name}’" for name, many in zip(names, enough, strict=True) if not many)
        notes.append(Note(where, f"한 줄뿐인 클래스 {some}", "그 줄들을 뺐다"))
    renumbered = np.append(np.where(enough, enough.cumsum() - 1, -1), -1)[labels]
    used = np.flatnonzero(renumbered >= 0)
    return used, renumbered[used], [name for name, many in zip(names, enough, strict=True) if many]


def _sample(labels: np.ndarray, rows: int) -> np.ndarray:
    # 클래스마다 같은 비율로, 둘보다 적게 남기지 않고 무작위로 고른다.
    random = np.random.default_rng(0)
    share = rows / len(labels)
    parts = [np.flatnonzero(labels == c) for c in range(labels.max() + 1)]
    return np.sort(np.concatenate([random.permutation(part)[: max(2, round(len(part) * share))] for part in parts]))


def _times(column: pd.Series, lines: np.ndarray, separator: str) -> np.ndarray:
    one = typed(column.to_frame("시각"), lines=lines.tolist(), separator=separator)
    if not one.numbers:
        raise ValueError(f"time: {column.name!r} 열을 수나 날짜로 읽을 수 없다")
    order = one.frame[one.numbers[0]]
    if "시각 (시)" in one.numbers:
        order = one.frame["시각 (날짜)"]
    return np.asarray(order.fillna(order.min()))


# --- 누출 ---


def _without_leaks(table: Table, kept: set[str]) -> Table:
    notes, same = list(table.notes), []
    for name in table.frame.columns:
        codes = _bins(table.frame[name])
        if name not in kept and _one_to_one(codes, table.labels):
            same.append(name)
            notes.append(Note(f"열 ‘{name}’", "정답과 하나씩 짝이 맞는다(누출)", f"뺐다. 두려면 --keep '{name}'"))
        elif _guess(codes, table.labels) >= LEAK:
            notes.append(
                Note(
                    f"열 ‘{name}’",
                    "이 열 하나로 정답을 거의 모두 맞힌다",
                    f"정답을 안 뒤에 적은 값이면 --drop '{name}'",
                )
            )
    repeated = int(pd.concat([table.frame, pd.Series(table.labels, name=("정답",))], axis=1).duplicated().sum())
    if repeated and table.groups is None:
        notes.append(
            Note(
                "파일",
                f"앞에 나온 줄과 똑같은 줄 {repeated:,}개",
                "학습과 테스트에 함께 들 수 있다. 같은 대상이면 --group",
            )
        )
    return table._replace(
        frame=table.frame.drop(columns=same),
        numbers=[name for name in table.numbers if name not in same],
        categories=[name for name in table.categories if name not in same],
        notes=notes,
    )


def _bins(column: pd.Series) -> np.ndarray:
    # 수의 열은 값이 많으면 스무 구간으로 나눈다. 빈칸도 값으로 본다.
    if column.dtype == np.float64 and column.nunique() > 20:
        column = pd.qcut(column, 20, duplicates="drop")
    return np.asarray(pd.factorize(column, use_na_sentinel=False)[0])


def _one_to_one(codes: np.ndarray, labels: np.ndarray) -> bool:
    pairs = pd.DataFrame({"값": codes, "정답": labels}).drop_duplicates()
    return bool(len(pairs) == pairs["값"].nunique() == pairs["정답"].nunique())


def _guess(codes: np.ndarray, labels: np.ndarray) -> float:
    # 반에서 값마다 가장 많은 클래스를 정하고 나머지 반에서 맞힌 균형 정확도. 값이 줄마다 다르면 맞힐 수 없다.
    half = np.random.default_rng(0).permutation(len(labels))
    learn, test = half[::2], half[1::2]
    counts = np.zeros((codes.max() + 1, labels.max() + 1), dtype=np.int64)
    np.add.at(counts, (codes[learn], labels[learn]), 1)
    seen = counts.sum(1) > 0
    guesses = np.where(seen, counts.argmax(1), -1)[codes[test]]
    recalls = [np.mean(guesses[labels[test] == c] == c) for c in np.unique(labels[test])]
    return float(np.mean(recalls))
