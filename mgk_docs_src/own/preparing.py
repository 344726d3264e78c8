"""학습, 검증, 테스트로 나누고 특징을 준비한다. 채울 값과 평균과 범주는 나눌 때마다 학습 데이터에서만 구한다."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from mgk_docs_src.own.tables import Table

TEST_SHARE = 0.25  # 테스트 데이터의 비율
VALIDATION_SHARE = 0.2  # 나머지에서 검증 데이터의 비율
WIDTH = 300  # 준비한 열이 이보다 많으면 F값이 큰 것만 쓴다
RARE = 5  # 학습 데이터에 이보다 적게 나오는 범주는 한데 묶는다
LEVELS = 50  # 한 열의 범주가 이보다 많으면 드문 것을 묶는다
CLIP = 5.0  # 표준화한 값의 한계. 학습 데이터에서 거의 변하지 않던 열이 테스트에서 튀지 않게 한다
_TRIES = 200


class Part(NamedTuple):
    """시드 하나의 분할: 줄의 위치들.

    Attributes:
        learn: 학습 데이터. 모든 클래스가 있다.
        validation: 검증 데이터. 설정과 임계값을 정한다.
        test: 테스트 데이터.
    """

    learn: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class Prepared(NamedTuple):
    """시드 하나의 준비한 데이터. 특징은 float32다.

    Attributes:
        learn: 학습 데이터의 특징과 라벨.
        validation: 검증 데이터의 특징과 라벨.
        test: 테스트 데이터의 특징과 라벨.
    """

    learn: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def divide(table: Table, *, seeds: int) -> list[Part]:
    """시드마다 클래스의 비율을 지켜 나눈다. 묶음이 있으면 묶음째, 시각이 있으면 앞뒤로 나눈다.

    시각이 있으면 시드마다 자르는 때가 다르다. 자르는 때보다 앞이 학습, 바로 뒤의 4분의 1이 테스트다.

    Args:
        table: 학습할 표.
        seeds: 시드의 수.

    Returns:
        시드마다의 분할.

    Raises:
        ValueError: 묶음과 시각이 함께 있거나, 어떻게 나누어도 학습이나 테스트에 없는 클래스가 생기면.

    References:
        scikit-learn 문서, `StratifiedShuffleSplit`, `GroupShuffleSplit`, `TimeSeriesSplit`.
    """
    if table.groups is not None and table.times is not None:
        raise ValueError("group: --time과 함께 쓸 수 없다")
    if table.groups is not None:
        return [_by_group(table.labels, table.groups, seed) for seed in range(seeds)]
    if table.times is not None:
        return [_by_time(table.labels, table.times, share) for share in np.linspace(0.5, 1 - TEST_SHARE, seeds)]
    return [_by_class(table.labels, seed) for seed in range(seeds)]


def _by_class(labels: np.ndarray, seed: int) -> Part:
    random = np.random.default_rng(seed)
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for c in range(labels.max() + 1):
        rows = random.permutation(np.flatnonzero(labels == c))
        test = min(max(1, round(len(rows) * TEST_SHARE)), len(rows) - 1)
        held = min(round((len(rows) - test) * VALIDATION_SHARE), len(rows) - test - 1)
        for part, some in zip(parts, np.split(rows, [len(rows) - test - held, len(rows) - test]), strict=True):
            part.append(some)
    return _validated(*(np.sort(np.concatenate(part)) for part in parts))


def _validated(learn: np.ndarray, validation: np.ndarray, test: np.ndarray) -> Part:
    # 줄이 몇 안 되어 검증 데이터가 남지 않으면 학습 데이터로 설정을 정한다.
    return Part(learn, validation if len(validation) else learn, test)


def _by_group(labels: np.ndarray, groups: np.ndarray, seed: int) -> Part:
    random, count = np.random.default_rng(seed), groups.max() + 1
    every = set(labels)
    for _ in range(_TRIES):
        order = random.permutation(count)
        place = np.empty(count, dtype=np.int64)
        place[order] = np.arange(count)
        ends = round(count * (1 - TEST_SHARE) * (1 - VALIDATION_SHARE)), round(count * (1 - TEST_SHARE))
        learn, validation, test = np.split(
            np.argsort(place[groups], kind="stable"), np.searchsorted(np.sort(place[groups]), ends)
        )
        if set(labels[learn]) == every and set(labels[test]) == every:
            return _validated(np.sort(learn), np.sort(validation), np.sort(test))
    raise ValueError(f"group: 묶음 {count}개를 어떻게 나누어도 학습이나 테스트에 없는 클래스가 생긴다")


def _by_time(labels: np.ndarray, times: np.ndarray, share: float) -> Part:
    order = np.argsort(times, kind="stable")
    cut, end = (np.searchsorted(times[order], times[order[round(len(order) * at)]]) for at in (share, share * 0.8))
    test = order[cut : cut + round(len(order) * TEST_SHARE)]
    learn, validation = order[:end], order[end:cut]
    if set(labels[learn]) != set(labels) or len(set(labels[test])) < 2:
        raise ValueError("time: 앞부분에 없는 클래스가 있거나 뒷부분이 한 클래스뿐이다. 클래스를 묶거나 --time을 뺀다")
    return _validated(learn, validation, test)


# --- 특징 ---


def encoder(table: Table, rows: np.ndarray) -> Pipeline:
    """특징을 준비하는 변환을 `rows`의 줄에 맞춘다.

    수는 빈칸을 중앙값으로 채우고 빈칸이었다는 열을 더한 뒤 표준화한다. 범주는 원-핫으로 바꾸고 드문 것은 묶는다.

    Args:
        table: 학습할 표.
        rows: 맞출 줄의 위치. 학습 데이터다.

    Returns:
        맞춘 변환. 열이 많으면 희소 행렬을 준다.

    References:
        scikit-learn 문서, `ColumnTransformer`, `OneHotEncoder`의 `min_frequency`.
    """
    numbers = Pipeline(
        [
            ("채우기", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("표준화", StandardScaler()),
            ("자르기", FunctionTransformer(np.clip, kw_args={"a_min": -CLIP, "a_max": CLIP})),
        ]
    )
    levels = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=RARE, max_categories=LEVELS, dtype=np.float32
    )
    columns = ColumnTransformer(
        [("수", numbers, table.numbers), ("범주", levels, table.categories)], sparse_threshold=0.3
    )
    frame, labels = table.frame.iloc[rows], table.labels[rows]
    made = Pipeline([("열", columns)])
    if made.fit_transform(frame).shape[1] > WIDTH:
        made = Pipeline([("열", columns), ("고르기", SelectKBest(_separation, k=WIDTH))]).fit(frame, labels)
    return made


def _separation(x: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.filterwarnings("ignore", message="Features .* are constant")  # 상수 열은 NaN이라 뽑히지 않는다
        found, p = f_classif(x, y)
    return np.nan_to_num(found, nan=-1.0), p


def dense(made: Pipeline, frame: pd.DataFrame) -> np.ndarray:
    """변환한 특징을 빽빽한 float32 배열로 준다.

    Args:
        made: 맞춘 변환.
        frame: 바꿀 표.

    Returns:
        특징. 한 줄이 표본 하나.

    References:
        SciPy 문서, `scipy.sparse`.
    """
    found = made.transform(frame)
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float32)


def prepare(table: Table, parts: list[Part]) -> list[Prepared]:
    """시드마다 변환을 학습 데이터에 맞추고 세 데이터를 바꾼다. 시드끼리 열의 수가 같게 0인 열을 더한다.

    Args:
        table: 학습할 표.
        parts: 시드마다의 분할.

    Returns:
        시드마다의 준비한 데이터.

    References:
        Hastie, T., Tibshirani, R. & Friedman, J. (2009). The Elements of Statistical Learning, 7.10.2절.
    """
    made = [
        [dense(fitted, table.frame.iloc[rows]) for rows in part]
        for part in parts
        for fitted in [encoder(table, part.learn)]
    ]
    width = max(x[0].shape[1] for x in made)
    return [
        Prepared(
            *(
                (np.pad(each, ((0, 0), (0, width - each.shape[1]))), table.labels[rows])
                for each, rows in zip(some, part, strict=True)
            )
        )
        for some, part in zip(made, parts, strict=True)
    ]
