"""방법마다, 시드마다 학습하고 예측한다. 칸은 joblib으로 여러 프로세스나 Dask에서 잰다."""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import torch
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from mgk_docs_src.labs.choosing import METHODS, learn, single_thread
from mgk_docs_src.own.preparing import Prepared

BASE = METHODS[0]  # 다른 손실을 비교할 기준
MAJORITY, LOGISTIC, BOOSTING = "다수 클래스", "로지스틱 회귀", "그래디언트 부스팅"
YARDSTICKS = (MAJORITY, LOGISTIC, BOOSTING)
BLOCK = 5  # 한 칸에서 함께 학습하는 시드의 수
BATCH = 1024  # 한 스텝에 쓰는 줄의 수
STEPS = 200
_LOWEST = 1e-7  # 확률 0을 주는 방법도 있다. 로그가 무한대가 되지 않게 막는다
_PAIRED = "SupCon + 선형 헤드"  # 학습 데이터에 같은 클래스가 둘은 있어야 한다


class Outcome(NamedTuple):
    """방법 하나, 시드 하나의 결과.

    Attributes:
        method: 방법의 이름.
        seed: 시드.
        validation: 검증 데이터의 예측 확률.
        test: 테스트 데이터의 예측 확률.
        setting: 검증 데이터로 정한 설정의 번호. 정할 것이 없으면 −1.
    """

    method: str
    seed: int
    validation: np.ndarray
    test: np.ndarray
    setting: int


class Cell(NamedTuple):
    """한 번에 재는 칸.

    Attributes:
        methods: 방법의 이름들. 온도 스케일링은 교차 엔트로피의 신경망을 쓰므로 함께 잰다.
        seeds: 시드들.
    """

    methods: tuple[str, ...]
    seeds: tuple[int, ...]


def cells(methods: Sequence[str], prepared: Sequence[Prepared]) -> list[Cell]:
    """방법과 시드를 칸으로 나눈다. 크기가 같은 시드끼리 다섯씩 묶는다.

    Args:
        methods: 방법의 이름들. 기준과, 쓰지 못하는 방법은 알아서 넣고 뺀다.
        prepared: 시드마다의 준비한 데이터.

    Returns:
        칸들. 기준과 간단한 방법이 먼저다.

    References:
        joblib 문서, Embarrassingly parallel for loops.
    """
    blocks: list[list[int]] = []
    for seed, one in enumerate(prepared):
        first = prepared[blocks[-1][0]] if blocks else None
        alike = first is not None and all(a[0].shape == b[0].shape for a, b in zip(one, first, strict=True))
        if alike and len(blocks[-1]) < BLOCK:
            blocks[-1].append(seed)
        else:
            blocks.append([seed])
    paired = all(np.bincount(one.learn[1]).max() > 1 for one in prepared)
    heat = METHODS[6]
    groups = [(BASE, heat) if heat in methods else (BASE,), *((name,) for name in YARDSTICKS)]
    groups += [
        (name,) for name in METHODS if name in methods and name not in (BASE, heat) and (paired or name != _PAIRED)
    ]
    return [Cell(group, tuple(block)) for group in groups for block in blocks]


def measure(
    todo: Sequence[Cell],
    prepared: Sequence[Prepared],
    *,
    num_classes: int,
    goal: str,
    workers: int = 1,
    steps: int = STEPS,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """칸을 모두 재고 끝난 것부터 준다. 프로세스가 죽으면 남은 칸을 한 번 다시 잰다.

    Args:
        todo: 잴 칸들.
        prepared: 시드마다의 준비한 데이터.
        num_classes: 클래스의 수.
        goal: 설정을 정하는 목표. `"accuracy"`, `"balanced"`, `"ranking"`, `"calibration"`.
        workers: 나란히 돌릴 프로세스의 수. 부르는 쪽이 `joblib.parallel_config`로 Dask를 정했으면 거기서 돈다.
        steps: 신경망의 스텝 수.
        folder: 끝난 칸을 적어 두고 다음에 읽을 폴더. `None`이면 적지 않는다.
        progress: 칸이 끝날 때마다 끝난 수와 모든 수로 부른다.

    Returns:
        결과를 하나씩 주는 반복자.

    Raises:
        OSError: 다시 재도 프로세스가 죽으면.

    References:
        joblib 문서, `joblib.Parallel`의 `return_as="generator_unordered"`.
    """
    paths = {cell: _path(folder, cell, prepared, (num_classes, goal, steps)) for cell in todo}
    left = set(todo)
    for cell, path in paths.items():
        if path is not None and path.exists():
            left.remove(cell)
            yield from joblib.load(path)
    again = False
    while True:
        jobs = [
            joblib.delayed(_cell)(cell, [prepared[seed] for seed in cell.seeds], num_classes, goal, steps)
            for cell in todo
            if cell in left
        ]
        try:
            for cell, found in joblib.Parallel(workers, return_as="generator_unordered")(jobs):
                _keep(paths[cell], found)
                left.remove(cell)
                if progress is not None:
                    progress(len(todo) - len(left), len(todo))
                yield from found
            return
        except TerminatedWorkerError as error:
            if again:
                raise OSError("재는 프로세스가 두 번 죽었다. 메모리가 모자라면 --rows나 --workers를 줄인다") from error
            again = True


def _path(folder: Path | None, cell: Cell, prepared: Sequence[Prepared], knobs: tuple[int, str, int]) -> Path | None:
    if folder is None:
        return None
    versions = [version(name) for name in ("torch", "numpy", "scikit-learn")]
    key = [cell, [prepared[seed] for seed in cell.seeds], knobs, versions, BATCH]
    return folder / f"{joblib.hash(key)}.joblib"


def _keep(path: Path | None, found: list[Outcome]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")  # 쓰다가 멈춰도 반쪽 파일을 읽지 않는다
        joblib.dump(found, partial)
        partial.replace(path)


def _cell(cell: Cell, some: list[Prepared], num_classes: int, goal: str, steps: int) -> tuple[Cell, list[Outcome]]:
    with single_thread(), threadpool_limits(1):
        if cell.methods[0] in YARDSTICKS:
            pairs = zip(cell.seeds, map(_aligned, some), strict=True)
            return cell, [_yardstick(cell.methods[0], seed, one, goal) for seed, one in pairs]
        return cell, _networks(cell, some, num_classes, goal, steps)


def _aligned(one: Prepared) -> Prepared:
    # 프로세스 사이를 건너온 배열은 놓인 주소가 제각각이고, BLAS는 주소에 따라 더하는 차례를 바꾼다. 어디서 재도 같은
    # 값이 나오게, 늘 64바이트에 맞춰 놓는 torch의 메모리로 옮긴다.
    return Prepared(*((torch.from_numpy(x).clone().numpy(), y) for x, y in one))


def _networks(cell: Cell, some: list[Prepared], num_classes: int, goal: str, steps: int) -> list[Outcome]:
    stacked = [
        tuple(
            torch.stack([torch.from_numpy(x) for x in each]) for each in zip(*(one[side] for one in some), strict=True)
        )
        for side in range(3)
    ]
    known, held, (test, _) = stacked
    found = learn(
        cell.methods,
        (known[0], known[1]),
        (held[0], held[1]),
        test,
        num_classes=num_classes,
        steps=steps,
        batch=BATCH,
        goal=goal,
    )
    return [
        Outcome(method, seed, _bounded(held_p.exp().numpy()), _bounded(test_p.exp().numpy()), int(setting))
        for method, learned in found
        for seed, held_p, test_p, setting in zip(cell.seeds, *learned, strict=True)
    ]


def _yardstick(method: str, seed: int, one: Prepared, goal: str) -> Outcome:
    model = yardstick(method, seed=seed, goal=goal)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(*one.learn)
    held, test = (_bounded(model.predict_proba(x)) for x, _ in (one.validation, one.test))
    return Outcome(method, seed, held, test, -1)


def yardstick(method: str, *, seed: int, goal: str) -> ClassifierMixin:
    """손실을 고르기 전에 이겨야 할 간단한 방법. 균형 정확도가 목표이면 클래스의 가중치를 균형 있게 둔다.

    Args:
        method: `YARDSTICKS` 가운데 하나.
        seed: 시드.
        goal: 목표.

    Returns:
        학습하지 않은 scikit-learn의 분류기.

    References:
        scikit-learn 문서, `DummyClassifier`, `LogisticRegression`, `HistGradientBoostingClassifier`.
    """
    weight = "balanced" if goal == "balanced" else None
    if method == MAJORITY:
        return DummyClassifier(strategy="prior")
    if method == LOGISTIC:
        return LogisticRegression(max_iter=500, class_weight=weight)
    return HistGradientBoostingClassifier(max_leaf_nodes=15, class_weight=weight, random_state=seed)


def _bounded(p: np.ndarray) -> np.ndarray:
    p = np.maximum(np.asarray(p, dtype=np.float64), _LOWEST)
    return np.asarray(p / p.sum(1, keepdims=True), dtype=np.float32)


def digest(path: Path) -> str:
    """파일의 SHA-256. 보고서에 어느 파일을 쟀는지 적는다.

    Args:
        path: 파일의 경로.

    Returns:
        16진수 64자.

    References:
        FIPS 180-4, Secure Hash Standard.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
