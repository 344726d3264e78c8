"""독자의 데이터로 손실을 비교한다: `python -m mgk_docs_src.labs.own 데이터.csv --target 열이름`."""

import argparse
import csv
import difflib
import io
import math
import os
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from mgk_docs_src import checks
from mgk_docs_src.device import resolve
from mgk_docs_src.labs.choosing import FEWEST, METHODS, TEST_SHARE, Scores, Task, compare
from mgk_docs_src.labs.tables import Paired, paired
from mgk_docs_src.losses.choosing import Recommendation, recommend

DELIMITERS = (",", ";", "\t")
MAX_BYTES = 100_000_000  # 파일의 크기. 통째로 읽으므로 먼저 본다
MAX_CELLS = 2_000_000  # 칸의 수. 읽으면서 센다
MAX_WORK = 200_000  # 줄 × 시드. 특징 100개, 두 클래스면 한 코어에서 13분, 메모리 1 GB쯤이다
MAX_CLASSES = 100  # 이보다 많으면 분류가 아니라 회귀의 답으로 본다
MAX_SEEDS = 1000

_GOALS = ("accuracy", "balanced", "ranking", "calibration")  # 클래스 라벨로 잴 수 있는 목표
_SCORES = ("정확도", "균형 정확도", "NLL", "ECE", "AUC")  # Scores의 차례


class Table(NamedTuple):
    """읽은 CSV 한 벌.

    Attributes:
        features: 특징(`torch.float64`). 한 줄이 표본 하나. 적힌 그대로다.
        labels: 클래스 번호(`torch.int64`), 0부터.
        names: 특징 열의 이름들.
        classes: 번호 순서대로 클래스의 이름. 모두 수이면 수의 차례, 아니면 글자의 차례다.
        encoding: 문자 인코딩. `"utf-8"`이나 `"cp949"`.
        delimiter: 칸을 나누는 구분 문자.

    References:
        RFC 4180, Common Format and MIME Type for Comma-Separated Values (CSV) Files.
    """

    features: Float[Tensor, "n d"]
    labels: Int[Tensor, "n"]
    names: tuple[str, ...]
    classes: tuple[str, ...]
    encoding: str
    delimiter: str


class Facts(NamedTuple):
    """손실을 정하기 전에 알아야 할 데이터의 사실들.

    Attributes:
        rows: 줄의 수.
        columns: 특징 열의 수. 상수 열도 센다.
        counts: 클래스마다의 줄 수. 1 이상.
        imbalance: 불균형, 곧 가장 많은 클래스가 가장 적은 클래스의 몇 배인가. 1 이상.
        duplicates: 앞에 나온 줄과 특징과 라벨이 모두 같은 줄의 수.
        conflicts: 특징이 같은데 라벨이 서로 달라, 어떤 모델도 맞힐 수 없는 줄의 수.
        constant: 값이 하나뿐인 열의 이름들.
        index_like: 번호처럼 보이는 열(빠짐도 겹침도 없는 연속한 정수)의 이름들.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 1.2절.
    """

    rows: int
    columns: int
    counts: tuple[int, ...]
    imbalance: float
    duplicates: int
    conflicts: int
    constant: tuple[str, ...]
    index_like: tuple[str, ...]


# --- 읽기 ---


def read_table(
    path: str | Path,
    *,
    target: str,
    delimiter: str | None = None,
    drop: Sequence[str] = (),
) -> Table:
    """CSV를 읽어 특징과 라벨로 나눈다. 첫 줄은 열의 이름이고, 답이 아닌 열은 모두 수여야 한다.

    인코딩은 UTF-8(BOM이 있어도 된다)이나 CP949다. 이름과 칸은 앞뒤 빈칸을 떼고 유니코드 NFC로 맞춘다. 이름이 빈 열은
    `"1번째 열"`처럼 부른다. 빈 줄은 건너뛴다.

    Args:
        path: 파일의 경로.
        target: 답이 든 열의 이름. 칸에는 글이나 수를 적는다. 모두 수이면 `1`과 `1.0`은 한 클래스다.
        delimiter: `","`, `";"`, 탭. `None`이면 첫 두 줄을 같은 수의, 가장 많은 칸으로 나누는 문자를 쓴다.
        drop: 읽지 않을 열의 이름들.

    Returns:
        읽은 데이터.

    Raises:
        ValueError: 파일을 읽을 수 없거나, 너무 크거나, 글이 아니거나, 머리글이 없거나 겹치거나, 열이 없거나, 칸의 수가
            다르거나, 칸이 비었거나, 특징이 유한한 수가 아니거나, 클래스가 하나이거나 너무 많거나, 줄이 4개보다 적은
            클래스가 있으면.

    References:
        RFC 4180, Common Format and MIME Type for Comma-Separated Values (CSV) Files.
        Python 문서, `csv`.
    """
    if delimiter is not None and delimiter not in DELIMITERS:
        raise ValueError(f"delimiter: ',', ';', 탭 가운데 하나여야 하는데 {delimiter!r}이다")
    text, encoding = _decode(_contents(Path(path)), path)
    if not text.strip():
        raise ValueError(f"{path}: 빈 파일이다")
    split_by = delimiter or max(DELIMITERS, key=lambda each: _fit(text, each))
    rows = _records(text, split_by)
    names = _header(next(rows)[1])
    place, unread = _find(names, target, "target"), {_find(names, name, "drop") for name in drop}
    if place in unread:
        raise ValueError(f"drop: 답이 든 열 {target!r}은(는) 뺄 수 없다")
    kept = [column for column in range(len(names)) if column != place and column not in unread]
    if not kept:
        raise ValueError(f"{path}: 답 {target!r} 말고 특징으로 쓸 열이 없다. 구분 문자는 {_named(split_by)}로 읽었다")
    features, answers = _values(rows, names, place, kept)
    if not answers:
        raise ValueError(f"{path}: 머리글만 있고 데이터가 한 줄도 없다")
    labels, classes = _classes(answers, names[place])
    return Table(
        torch.tensor(features, device="cpu", dtype=torch.float64),
        torch.tensor(labels, device="cpu"),
        tuple(names[column] for column in kept),
        classes,
        encoding,
        split_by,
    )


def _contents(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ValueError(f"{path}: 폴더다. CSV 파일의 경로를 적는다")
        size = path.stat().st_size
        if not path.is_file():  # 장치나 파이프는 크기를 미리 알 수 없고 끝이 없을 수 있다
            raise ValueError(f"{path}: 보통 파일이 아니다. 파일로 저장한 뒤 읽는다")
        if size > MAX_BYTES:
            raise ValueError(
                f"{path}: {size / 1e6:.0f} MB다. {MAX_BYTES / 1e6:.0f} MB까지 읽는다. 줄을 무작위로 덜어 낸다"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ValueError(f"{path}: 그런 파일이 없다") from error
    except PermissionError as error:
        raise ValueError(f"{path}: 읽을 권한이 없다") from error
    except OSError as error:
        raise ValueError(f"{path}: 읽을 수 없다({error.strerror})") from error


def _decode(contents: bytes, path: str | Path) -> tuple[str, str]:
    if b"\0" in contents:
        raise ValueError(f"{path}: NUL 바이트가 있어 CSV가 아니다. 엑셀 파일이면 ‘CSV UTF-8’로 저장한다")
    for encoding in ("utf-8-sig", "cp949"):
        try:
            text = contents.decode(encoding)
        except UnicodeDecodeError:
            continue
        return unicodedata.normalize("NFC", text), encoding.removesuffix("-sig")
    raise ValueError(f"{path}: 인코딩이 UTF-8도 CP949도 아니다. ‘CSV UTF-8’로 저장한다")


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    # 줄의 번호와 칸들. 따옴표 안에 줄바꿈이 있으면 번호는 끝 줄의 것이다.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        for row in lines:
            if row:
                yield lines.line_num, [" ".join(cell.split()) for cell in row]
    except csv.Error as error:
        raise ValueError(f"{lines.line_num}번째 줄: 따옴표나 칸이 잘못되어 CSV로 읽을 수 없다({error})") from error


def _fit(text: str, delimiter: str) -> tuple[bool, int]:
    # 첫 두 줄을 똑같이 여러 칸으로 나누는가, 그리고 몇 칸인가.
    try:
        widths = [len(cells) for _, cells in islice(_records(text, delimiter), 2)]
    except ValueError:  # 다른 문자로 나눈 파일이면 따옴표가 어긋난다
        return False, 0
    return len(set(widths)) == 1 and widths[0] > 1, widths[0]


def _header(cells: list[str]) -> list[str]:
    if all(cell == "" or _number(cell) is not None for cell in cells):
        raise ValueError("머리글: 첫 줄이 모두 수이거나 비어, 열의 이름으로 볼 수 없다. 첫 줄에 열의 이름을 적는다")
    names = [cell or f"{place}번째 열" for place, cell in enumerate(cells, 1)]
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise ValueError(f"머리글: 열 {name!r}이(가) {times}번 나온다. 열마다 다른 이름을 적는다")
    return names


def _find(names: Sequence[str], name: str, argument: str) -> int:
    wanted = " ".join(unicodedata.normalize("NFC", name).split())
    if wanted not in names:
        raise ValueError(f"{argument}: {name!r} 열이 없다. {_nearest(wanted, names)}")
    return names.index(wanted)


def _nearest(wanted: str, names: Sequence[str]) -> str:
    lower = {name.lower(): name for name in names}
    close = [lower[name] for name in difflib.get_close_matches(wanted.lower(), lower, n=3, cutoff=0.5)]
    some = close or list(names[:5])
    return (
        ("비슷한 것: " if close else "있는 것: ")
        + ", ".join(map(repr, some))
        + (" …" if len(names) > len(some) else "")
    )


def _values(
    rows: Iterator[tuple[int, list[str]]],
    names: Sequence[str],
    place: int,
    kept: Sequence[int],
) -> tuple[list[list[float]], list[str]]:
    features, answers = [], []
    for read, (line, row) in enumerate(rows, 1):
        if len(row) != len(names):
            raise ValueError(f"{line}번째 줄: 칸이 {len(names)}개여야 하는데 {len(row)}개다")
        if read * len(names) > MAX_CELLS:
            raise ValueError(
                f"{line}번째 줄: 칸이 {MAX_CELLS:,}개를 넘는다. 이 데이터라면 {MAX_CELLS // len(names):,}줄까지다. "
                "줄을 무작위로 덜어 낸다"
            )
        answers.append(_answer(row[place], line, names[place]))
        features.append([_feature(row[column], line, names[column]) for column in kept])
    return features, answers


def _feature(cell: str, line: int, name: str) -> float:
    value = _number(cell)
    if value is not None and math.isfinite(value):
        return value
    where = f"{line}번째 줄, 열 {name!r}"
    if cell == "":
        raise ValueError(f"{where}: 칸이 비었다. 값을 채우거나 그 줄을 지운다. 열째 빼려면 --drop")
    if value is not None:
        raise ValueError(f"{where}: 유한한 수여야 하는데 {cell!r}이다. 값을 채우거나 그 줄을 지운다")
    hint = "소수점은 점으로 적고 자릿수를 나누지 않는다" if _number(cell.replace(",", ".", 1)) is not None else ""
    raise ValueError(f"{where}: 수여야 하는데 {cell!r}이다. {hint or '수로 바꾸거나, 열째 빼려면 --drop'}")


def _answer(cell: str, line: int, name: str) -> str:
    value = _number(cell)
    if cell == "" or (value is not None and not math.isfinite(value)):
        came = "칸이 비었다" if cell == "" else f"{cell!r}은(는) 클래스가 아니다"
        raise ValueError(f"{line}번째 줄, 답 {name!r}: {came}. 값을 채우거나 그 줄을 지운다")
    return cell


def _number(cell: str) -> float | None:
    if "_" in cell:  # float("1_2")는 12다
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _classes(answers: list[str], name: str) -> tuple[list[int], tuple[str, ...]]:
    numbers = [value for value in map(_number, answers) if value is not None]
    if len(numbers) == len(answers):
        spelled = dict(zip(reversed(numbers), reversed(answers), strict=True))  # 처음 적힌 형태가 남는다
        order = {value: number for number, value in enumerate(sorted(spelled))}
        labels, classes = [order[value] for value in numbers], tuple(spelled[value] for value in order)
    else:
        classes = tuple(sorted(set(answers)))
        words = {word: number for number, word in enumerate(classes)}
        labels = [words[answer] for answer in answers]
    if len(classes) == 1:
        raise ValueError(f"답 {name!r}: 클래스가 둘 이상이어야 하는데 {classes[0]!r} 하나뿐이다")
    if len(classes) > MAX_CLASSES:
        raise ValueError(
            f"답 {name!r}: 클래스가 {MAX_CLASSES}개까지인데 {len(classes):,}개다. 연속된 값을 예측하는 회귀의 답으로 "
            "보인다. 분류하려면 구간으로 묶는다"
        )
    counts = [labels.count(number) for number in range(len(classes))]
    rare = min(range(len(classes)), key=counts.__getitem__)
    if counts[rare] < FEWEST:
        raise ValueError(
            f"답 {name!r}: 클래스마다 {FEWEST}줄은 있어야 학습 데이터와 테스트 데이터로 나누는데 "
            f"{classes[rare]!r}은(는) {counts[rare]}줄이다. 더 모으거나 그 클래스를 뺀다"
        )
    return labels, classes


# --- 사실 ---


def describe(table: Table) -> Facts:
    """데이터에서 눈여겨볼 사실을 센다.

    Args:
        table: 읽은 데이터.

    Returns:
        센 결과.

    References:
        PyTorch 문서, `torch.unique`.
    """
    n, columns = table.features.shape
    counts = table.labels.bincount(minlength=len(table.classes)).tolist()
    groups, group_of = torch.unique(table.features, dim=0, return_inverse=True)
    pairs, sizes = torch.unique(group_of * len(counts) + table.labels, return_counts=True)
    largest = sizes.new_zeros(len(groups)).scatter_reduce(0, pairs // len(counts), sizes, "amax")
    ordered = table.features.sort(0).values
    constant = (_spread(table.features) == 0).tolist()
    numbered = ((ordered.diff(dim=0) == 1).all(0) & (ordered[0] == ordered[0].round())).tolist()
    return Facts(
        rows=n,
        columns=columns,
        counts=tuple(counts),
        imbalance=max(counts) / min(counts),
        duplicates=n - len(pairs),
        conflicts=int(n - largest.sum()),
        constant=tuple(name for name, same in zip(table.names, constant, strict=True) if same),
        index_like=tuple(name for name, runs in zip(table.names, numbered, strict=True) if runs),
    )


def to_task(table: Table, *, device: torch.device | None = None) -> Task:
    r"""손실을 비교할 과제로 바꾼다. 값이 하나뿐인 열은 빼고, 나머지는 열마다 $[0, 1]$로 옮긴다.

    $$x \leftarrow \frac{x - \min x}{\max x - \min x}$$

    float64로 옮긴 뒤에 자료형을 줄이므로, 시각이나 금액처럼 큰 수에서도 차이가 남는다. `compare`가 학습 데이터만으로
    다시 표준화하므로 테스트 데이터의 최솟값과 최댓값은 결과에 남지 않는다.

    Args:
        table: 읽은 데이터.
        device: 놓을 장치. 기본값은 torch의 기본 장치.

    Returns:
        과제. 특징은 torch의 기본 자료형.

    Raises:
        ValueError: 모든 특징 열의 값이 하나뿐이면.

    References:
        scikit-learn 문서, `MinMaxScaler`.
    """
    spread = _spread(table.features)
    varied = spread > 0
    if not varied.any():
        raise ValueError(f"table: 특징 열 {len(table.names)}개의 값이 모두 하나뿐이라 학습할 정보가 없다")
    half = table.features[:, varied] / 2
    unit = (half - half.amin(0)) / spread[varied]
    place = torch.get_default_device() if device is None else device
    return Task(unit.to(place, torch.get_default_dtype()), table.labels.to(place), len(table.classes))


def _spread(features: Float[Tensor, "n d"]) -> Float[Tensor, "d"]:
    # 열마다 (최댓값 − 최솟값) / 2. 반으로 줄여 빼면 float64의 끝에서도 넘치지 않는다.
    return features.amax(0) / 2 - features.amin(0) / 2


def advise(facts: Facts, *, goal: str = "accuracy") -> Recommendation:
    """데이터의 사실과 목표에서, 먼저 써 볼 손실을 추천한다.

    라벨이 얼마나 틀렸는지는 데이터만 보고 알 수 없으므로 깨끗하다고 본다.

    Args:
        facts: 데이터의 사실들.
        goal: 목표. `"accuracy"`, `"balanced"`, `"ranking"`, `"calibration"`.

    Returns:
        추천하는 손실과 이유, 볼 페이지, 근거.

    Raises:
        ValueError: 모르는 `goal`이면.

    References:
        이 책의 손실 고르기, `docs/losses/choosing.md`.
    """
    labels = "binary" if len(facts.counts) == 2 else "classes"
    checks.choice(_GOALS, goal=goal)
    return recommend(labels=labels, goal=goal, imbalance=facts.imbalance, per_class=min(facts.counts))


# --- 요약 ---


def findings(table: Table, facts: Facts, recommendation: Recommendation) -> str:
    """데이터의 사실과 추천을 글로 적는다.

    Args:
        table: 읽은 데이터.
        facts: 데이터의 사실들.
        recommendation: 추천하는 손실.

    Returns:
        여러 줄의 글. 끝에 줄바꿈이 없다.

    References:
        이 책의 손실 고르기, `docs/losses/choosing.md`.
    """
    each = ", ".join(f"{_shown(name)} {size:,}줄" for name, size in zip(table.classes, facts.counts, strict=True))
    rare = table.classes[facts.counts.index(min(facts.counts))]
    lines = [
        ("인코딩", f"{table.encoding}, 구분 문자 {_named(table.delimiter)}"),
        ("크기", f"{facts.rows:,}줄, 특징 열 {facts.columns:,}개"),
        ("클래스", f"{len(facts.counts)}개: {each}"),
        (
            "균형",
            f"가장 많은 클래스가 가장 적은 클래스({_shown(rare)}, {min(facts.counts):,}줄)의 {facts.imbalance:.2f}배",
        ),
        ("중복 줄", _duplicates(facts)),
        ("상수 열", f"{_listed(facts.constant)}. 학습할 정보가 없어 뺀다" if facts.constant else "없음"),
        *_warnings(facts),
        ("추천", recommendation.loss),
        ("이유", recommendation.reason),
        ("전제", "라벨은 모두 맞다고 본다. 틀린 라벨이 섞였으면 페이지의 안내표에서 다시 찾는다"),
        ("페이지", recommendation.page),
        ("근거", recommendation.evidence),
    ]
    return "\n".join(f"{_padded(name, 10)}{what}" for name, what in lines)


def _duplicates(facts: Facts) -> str:
    said = (
        f"{facts.duplicates:,}줄. 같은 줄이 학습과 테스트에 함께 들면 점수가 실제보다 높게 나온다"
        if facts.duplicates
        else "없음"
    )
    return said + (f". 특징이 같은데 라벨이 서로 달라 맞힐 수 없는 줄 {facts.conflicts:,}" if facts.conflicts else "")


def _warnings(facts: Facts) -> list[tuple[str, str]]:
    if not facts.index_like:
        return []
    return [("번호 열?", f"{_listed(facts.index_like)}. 줄의 번호라면 정답이 새어 들어갈 수 있다(누출). 빼려면 --drop")]


def report(scores: Scores, methods: Sequence[str], *, test_share: float = TEST_SHARE) -> str:
    r"""점수의 표와, 구간에서 알 수 있는 데까지만 적은 결론.

    칸은 시드마다의 점수의 평균 ± 95 % 신뢰 구간의 반너비다. 한 데이터를 되풀이해 나누면 분할끼리 표본이 겹치므로 구간을
    그만큼 넓힌다([`paired`][mgk_docs_src.labs.tables.paired]). 마지막 칸은 균형 정확도에서 첫 행을 뺀 대응
    차이다. 구간이 0을 포함하면 차이가 유의하지 않다.

    Args:
        scores: 방법과 시드마다의 점수. 첫 행이 기준이다.
        methods: 방법들의 이름. 점수의 행과 같은 차례.
        test_share: 분할 한 번에서 테스트에 쓴 표본의 비율.

    Returns:
        여러 줄의 글. 끝에 줄바꿈이 없다.

    Raises:
        ValueError: 이름의 수가 점수의 행과 다르거나, 시드가 둘보다 적으면.

    References:
        Nadeau, C. & Bengio, Y. (2003). Inference for the Generalization Error. Machine Learning 52.
    """
    rows = _summaries(scores, methods, test_share)
    head = ["방법", *_SCORES, "균형 정확도의 차이"]
    body = [[row.method, *(f"{mean:.3f} ± {half:.3f}" for mean, half in row.scores), _verdict(row.gap)] for row in rows]
    widths = [max(map(_width, column)) for column in zip(head, *body, strict=True)]
    lines = [
        "  ".join(map(_padded, cells, widths)).rstrip() for cells in [head, ["-" * wide for wide in widths], *body]
    ]
    return "\n".join([*lines, "", _closing(rows, scores.accuracy.shape[1])])


class _Summary(NamedTuple):
    # 방법 하나의 줄. gap은 균형 정확도에서 기준을 뺀 차이이고, 기준의 줄에는 없다.
    method: str
    scores: tuple[tuple[float, float], ...]
    gap: Paired | None


def _summaries(scores: Scores, methods: Sequence[str], test_share: float) -> list[_Summary]:
    if len(methods) != len(scores.accuracy):
        raise ValueError(f"methods: 점수의 행 {len(scores.accuracy)}개와 같아야 하는데 {len(methods)}개다")
    checks.count(2, seeds=scores.accuracy.shape[1])

    def interval(each: Tensor) -> tuple[float, float]:
        mean = paired(each, torch.zeros_like(each), test_share=test_share)
        return mean.difference.item(), (mean.high - mean.difference).item()

    rows = []
    for place, method in enumerate(methods):
        gap = paired(scores.balanced_accuracy[place], scores.balanced_accuracy[0], test_share=test_share)
        rows.append(_Summary(method, tuple(interval(score[place]) for score in scores), gap if place else None))
    return rows


def _verdict(gap: Paired | None) -> str:
    if gap is None:
        return _said(gap)
    return f"{gap.difference:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] {_said(gap)}"


def _said(gap: Paired | None) -> str:
    if gap is None:
        return "기준"
    return "유의하지 않음" if gap.tie else "높음" if gap.difference > 0 else "낮음"


def _closing(rows: Sequence[_Summary], seeds: int) -> str:
    base, others = rows[0].method, rows[1:]
    if not others:
        return f"{base}만 재어 비교할 방법이 없다."
    apart = {said: [row.method for row in others if _said(row.gap) == said] for said in ("높음", "낮음")}
    found = [
        f"‘{base}’보다 균형 정확도가 유의하게 {said[0]}은 방법: {', '.join(some)}"
        for said, some in apart.items()
        if some
    ]
    limits = (
        f"이 데이터를 {seeds}번 다시 나눈 95 % 신뢰 구간에서 알 수 있는 데까지다. 비교한 {len(others)}가지 가운데 "
        f"평균 {0.05 * len(others):.2g}가지쯤은 차이가 없어도 구간이 0을 포함하지 않는다."
    )
    if not found:
        unclear = "차이가 없다는 뜻이 아니라, 이 데이터로는 가릴 수 없다는 뜻이다"
        return f"‘{base}’와의 차이가 모두 유의하지 않다. {unclear}. {limits}"
    ties = len(others) - sum(map(len, apart.values()))
    return f"{'. '.join(found)}. {'나머지는 유의하지 않다. ' if ties else ''}{limits}"


# --- 쓰기 ---


def save(
    path: str | Path,
    scores: Scores,
    methods: Sequence[str],
    *,
    test_share: float = TEST_SHARE,
    force: bool = False,
) -> None:
    """점수의 표를 CSV로 쓴다. 다 쓴 뒤에 이름을 바꾸므로, 중간에 멈추어도 쓰다 만 파일이 남지 않는다.

    인코딩은 BOM이 있는 UTF-8이라 한국어 엑셀에서도 그대로 열린다.

    Args:
        path: 쓸 파일의 경로.
        scores: 방법과 시드마다의 점수. 첫 행이 기준이다.
        methods: 방법들의 이름. 점수의 행과 같은 차례.
        test_share: 분할 한 번에서 테스트에 쓴 표본의 비율.
        force: 참이면 있는 파일을 덮어쓴다.

    Raises:
        ValueError: 쓸 수 없는 곳이거나, 이미 있는데 `force`가 아니거나, 점수가 틀렸으면.

    References:
        POSIX.1-2024, `rename` (한 번에 바뀌는 이름).
    """
    output = Path(path)
    rows = _summaries(scores, methods, test_share)
    _check_output(output, force=force)
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with unfinished.open("x", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(_cells(rows))
        unfinished.replace(output)
    except OSError as error:
        raise ValueError(f"{output}: 쓸 수 없다({error.strerror})") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _cells(rows: Sequence[_Summary]) -> Iterator[Sequence[str | float]]:
    yield ["방법", *(cell for name in _SCORES for cell in (name, f"{name} ±")), "차이", "아래", "위", "판정"]
    for row in rows:
        gap = ["", "", ""] if row.gap is None else [end.item() for end in row.gap]
        yield [row.method, *(cell for score in row.scores for cell in score), *gap, _said(row.gap)]


def _check_output(output: Path, *, force: bool, data: Path | None = None) -> None:
    # 몇 분을 돌린 뒤에 쓸 수 없음을 알면 늦다. 이름 없는 파일을 먼저 열어 보고 바로 닫는다.
    if output.is_dir():
        raise ValueError(f"{output}: 폴더다. 쓸 파일의 경로를 적는다")
    if data is not None and output.exists() and data.exists() and output.samefile(data):
        raise ValueError(f"{output}: 읽을 데이터 파일이다. 결과는 다른 파일에 쓴다")
    if output.exists() and not force:
        raise ValueError(f"{output}: 이미 있다. 덮어쓰려면 --force")
    try:
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise ValueError(f"{output}: 쓸 수 없다({error.strerror})") from error


# --- 명령 ---


def main(argv: Sequence[str] | None = None) -> int:
    """CSV를 읽어 사실과 추천을 적고, 손실들을 비교한 표를 낸다.

    Args:
        argv: 명령줄의 인자들. `None`이면 `sys.argv[1:]`.

    Returns:
        종료 코드. 0은 정상, 2는 틀린 입력(stderr에 `오류: …`), 130은 Ctrl-C.

    Raises:
        SystemExit: 명령줄의 형식이 틀렸으면 종료 코드 2, 도움말을 요청했으면 종료 코드 0.

    References:
        Python 문서, `argparse`.
    """
    options = _parser().parse_args(argv)
    try:
        _run(options)
    except KeyboardInterrupt:
        print("\n멈췄다. 쓰다 만 파일은 없다", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"오류: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    device, methods, seeds = resolve(options.device), _chosen(options.methods), _seeds(options.seeds)
    if options.output:
        _check_output(options.output, force=options.force, data=options.file)
    delimiter = "\t" if options.delimiter in ("tab", "\\t") else options.delimiter
    table = read_table(options.file, target=options.target, delimiter=delimiter, drop=options.drop)
    if len(table.labels) * seeds > MAX_WORK:
        raise ValueError(
            f"{options.file}: {len(table.labels):,}줄을 {seeds}번 나누어 학습하기에는 크다. "
            f"줄 × 시드가 {MAX_WORK:,}까지다. 줄을 {MAX_WORK // seeds:,}개까지 무작위로 덜어 내거나 --seeds를 줄인다"
        )
    facts = describe(table)
    task = to_task(table, device=device)
    print(findings(table, facts, advise(facts, goal=options.goal)), flush=True)
    with tqdm(total=len(methods), desc="비교", unit="가지", file=sys.stderr) as bar:
        scores = compare(task, methods=methods, seeds=seeds, progress=lambda _: bar.update())
    print(f"\n{report(scores, methods)}", flush=True)
    if options.output:
        save(options.output, scores, methods, force=options.force)
        print(f"\n{options.output}에 썼다", file=sys.stderr)


def _chosen(names: str | None) -> tuple[str, ...]:
    if names is None:
        return METHODS
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in METHODS:
            raise ValueError(f"--methods: {name!r}은(는) 모르는 방법이다. {_nearest(name, METHODS)}")
    return tuple(name for name in METHODS if name in wanted or name == METHODS[0])


def _seeds(text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= MAX_SEEDS:
        raise ValueError(f"--seeds: 2에서 {MAX_SEEDS}까지의 정수여야 하는데 {text!r}이다")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mgk_docs_src.labs.own",
        description="내 데이터로 손실을 비교한다. 데이터의 사실과 먼저 써 볼 손실을 알리고, 손실마다 재어 표를 낸다.",
        epilog="종료 코드: 0 정상, 2 틀린 입력, 130 Ctrl-C.",
        add_help=False,
        allow_abbrev=False,
    )
    data, run = parser.add_argument_group("데이터"), parser.add_argument_group("비교")
    data.add_argument("file", type=Path, metavar="데이터.csv", help="첫 줄이 열의 이름인 CSV. UTF-8이나 CP949")
    data.add_argument("--target", required=True, metavar="열이름", help="답(클래스)이 든 열")
    data.add_argument(
        "--drop", action="append", default=[], metavar="열이름", help="읽지 않을 열. 여러 번 적을 수 있다"
    )
    data.add_argument("--delimiter", metavar="문자", help="칸의 구분 문자: , ; tab. 기본값은 첫 두 줄을 보고 정한다")
    run.add_argument(
        "--goal",
        default="accuracy",
        metavar="이름",
        help=f"목표: {', '.join(_GOALS)}. 기본값은 accuracy",
    )
    run.add_argument(
        "--methods",
        metavar="이름,이름",
        help=f"비교할 방법들. 기준 ‘{METHODS[0]}’는 늘 든다. 기본값은 모두: {', '.join(METHODS)}",
    )
    run.add_argument("--seeds", default="10", metavar="수", help="데이터를 다시 나누어 학습하는 횟수(기본값 10)")
    run.add_argument("--device", default="cpu", metavar="장치", help="cpu(기본값), cuda")
    run.add_argument("--output", type=Path, metavar="결과.csv", help="표를 쓸 파일")
    run.add_argument("--force", action="store_true", help="있는 결과 파일을 덮어쓴다")
    run.add_argument("-h", "--help", action="help", help="이 도움말")
    return parser


def _named(delimiter: str) -> str:
    return "탭" if delimiter == "\t" else f"‘{delimiter}’"


def _listed(names: Sequence[str]) -> str:
    some = ", ".join(map(_shown, names[:5]))
    return some if len(names) <= 5 else f"{some} … 모두 {len(names)}개"


def _shown(name: str) -> str:
    # 파일에서 온 이름이 화면을 어지럽히지 않게, 제어 문자는 없애고 길면 줄인다.
    printable = "".join(letter for letter in name if letter.isprintable())
    return printable if len(printable) <= 40 else f"{printable[:39]}…"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


if __name__ == "__main__":
    torch.set_num_threads(1)  # 작은 신경망에서는 스레드끼리 다투는 비용이 더 크다
    sys.exit(main())
