"""scikit-learn에 들어 있는 실제 자료. 내려받지 않는다."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.utils import Bunch
from torch import Tensor


class Dataset(NamedTuple):
    """분류 자료 한 벌.

    Attributes:
        features: 특징. 한 줄이 표본 하나.
        labels: 클래스 번호(`torch.int64`), 0부터.
        classes: 번호 순서대로 클래스의 이름.

    References:
        scikit-learn 문서, Toy datasets.
    """

    features: Float[Tensor, "n d"]
    labels: Int[Tensor, "n"]
    classes: tuple[str, ...]


def iris(*, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Dataset:
    r"""붓꽃 자료: 150송이, 꽃받침과 꽃잎의 길이와 너비, 3종.

    특징은 열마다 평균 0, 표준 편차 1로 표준화한다(자료 전체로, 분모는 $N$).

    $$x \leftarrow \frac{x - \mathrm{mean}(x)}{\mathrm{std}(x)}$$

    Args:
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 특징의 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        특징 (150, 4), 라벨 0–2.

    References:
        Fisher, R. A. (1936). The Use of Multiple Measurements in Taxonomic Problems.
        scikit-learn 문서, `load_iris`.
    """
    raw = datasets.load_iris()
    return _dataset(_standardise(raw.data), raw, device, dtype)


def breast_cancer(*, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Dataset:
    r"""유방암 진단 자료: 569명, 세포핵의 특징 30개, 악성(0, 212명)과 양성(1, 357명).

    특징은 열마다 평균 0, 표준 편차 1로 표준화한다(자료 전체로, 분모는 $N$).

    $$x \leftarrow \frac{x - \mathrm{mean}(x)}{\mathrm{std}(x)}$$

    Args:
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 특징의 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        특징 (569, 30), 라벨 0–1.

    References:
        Wolberg, W., Mangasarian, O., Street, N. & Street, W. Breast Cancer Wisconsin (Diagnostic). UCI.
        scikit-learn 문서, `load_breast_cancer`.
    """
    raw = datasets.load_breast_cancer()
    return _dataset(_standardise(raw.data), raw, device, dtype)


def digits(*, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Dataset:
    r"""손글씨 숫자: 8×8 그림 1797장, 0–9.

    화소는 0–16의 정수를 16으로 나눠 $[0, 1]$에 둔다. `features.view(-1, 8, 8)`이 그림이다.

    $$x \leftarrow \frac{x}{16}$$

    Args:
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 특징의 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        특징 (1797, 64), 라벨 0–9.

    References:
        Alpaydin, E. & Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI.
        scikit-learn 문서, `load_digits`.
    """
    raw = datasets.load_digits()
    return _dataset(torch.from_numpy(raw.data) / 16, raw, device, dtype)


def _standardise(columns: NDArray[np.float64]) -> Float[Tensor, "n d"]:
    features = torch.from_numpy(columns)
    return (features - features.mean(0)) / features.std(0, correction=0)


def _dataset(
    features: Float[Tensor, "n d"],
    raw: Bunch,
    device: torch.device | None,
    dtype: torch.dtype | None,
) -> Dataset:
    place = torch.get_default_device() if device is None else device
    return Dataset(
        features.to(place, dtype or torch.get_default_dtype()),
        torch.from_numpy(raw.target).to(place, torch.int64),
        tuple(map(str, raw.target_names)),
    )
