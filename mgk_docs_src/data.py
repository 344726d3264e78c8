"""scikit-learn에 들어 있는 실제 데이터와, 참 분포를 아는 2차원 데이터. 내려받지 않는다."""

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.utils import Bunch
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.modes import full_precision
from mgk_docs_src.random import randint, randn

_PEAKS, _RADIUS, _STD = 8, 2.0, 0.2  # 봉우리의 수, 원의 반지름, 표준 편차


class Dataset(NamedTuple):
    """분류 데이터 한 벌.

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
    r"""붓꽃 데이터: 150송이, 꽃받침과 꽃잎의 길이와 너비, 3종.

    특징은 열마다 평균 0, 표준 편차 1로 표준화한다(데이터 전체로 계산하고, 분모는 $N$).

    $$x \leftarrow \frac{x - \mathrm{mean}(x)}{\mathrm{std}(x)}$$

    Args:
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 특징의 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        특징 (150, 4), 라벨 0–2.

    Raises:
        ValueError: 자료형이 실수형이 아니면.

    References:
        Fisher, R. A. (1936). The Use of Multiple Measurements in Taxonomic Problems.
        scikit-learn 문서, `load_iris`.
    """
    raw = datasets.load_iris()
    return _dataset(_standardise(raw.data), raw, device, dtype)


def breast_cancer(*, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Dataset:
    r"""유방암 진단 데이터: 569명, 세포핵의 특징 30개, 악성(0, 212명)과 양성(1, 357명).

    특징은 열마다 평균 0, 표준 편차 1로 표준화한다(데이터 전체로 계산하고, 분모는 $N$).

    $$x \leftarrow \frac{x - \mathrm{mean}(x)}{\mathrm{std}(x)}$$

    Args:
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 특징의 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        특징 (569, 30), 라벨 0–1.

    Raises:
        ValueError: 자료형이 실수형이 아니면.

    References:
        Wolberg, W., Mangasarian, O., Street, N. & Street, W. Breast Cancer Wisconsin (Diagnostic). UCI.
        scikit-learn 문서, `load_breast_cancer`.
    """
    raw = datasets.load_breast_cancer()
    return _dataset(_standardise(raw.data), raw, device, dtype)


def wine(*, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Dataset:
    r"""포도주 데이터: 178병, 화학 분석 13가지, 품종 3가지(59, 71, 48병).

    특징은 열마다 평균 0, 표준 편차 1로 표준화한다(데이터 전체로 계산하고, 분모는 $N$).

    $$x \leftarrow \frac{x - \mathrm{mean}(x)}{\mathrm{std}(x)}$$

    Args:
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 특징의 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        특징 (178, 13), 라벨 0–2.

    Raises:
        ValueError: 자료형이 실수형이 아니면.

    References:
        Aeberhard, S. & Forina, M. (1991). Wine. UCI.
        scikit-learn 문서, `load_wine`.
    """
    raw = datasets.load_wine()
    return _dataset(_standardise(raw.data), raw, device, dtype)


def digits(*, device: torch.device | None = None, dtype: torch.dtype | None = None) -> Dataset:
    r"""손글씨 숫자: 8×8 이미지 1797장, 0–9.

    화소는 0–16의 정수를 16으로 나눠 $[0, 1]$에 둔다. `features.view(-1, 8, 8)`이 이미지다.

    $$x \leftarrow \frac{x}{16}$$

    Args:
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 특징의 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        특징 (1797, 64), 라벨 0–9.

    Raises:
        ValueError: 자료형이 실수형이 아니면.

    References:
        Alpaydin, E. & Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI.
        scikit-learn 문서, `load_digits`.
    """
    raw = datasets.load_digits()
    return _dataset(torch.from_numpy(raw.data) / 16, raw, device, dtype)


@full_precision
def eight_gaussians_centres(
    *, device: torch.device | None = None, dtype: torch.dtype | None = None
) -> Float[Tensor, "8 2"]:
    r"""원 위에 놓인 여덟 봉우리의 중심. 오른쪽에서 시작해 시계 반대 방향이다.

    $$m_k = 2 \left( \cos\tfrac{\pi k}{4},\, \sin\tfrac{\pi k}{4} \right), \qquad k = 0, \ldots, 7$$

    Args:
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        한 줄이 중심 하나인 (8, 2).

    Raises:
        ValueError: 자료형이 실수형이 아니면.

    References:
        Metz, L. 외 (2017). Unrolled Generative Adversarial Networks, 3.1절 (원 위의 가우스 혼합).
    """
    _check_dtype(dtype)
    angle = torch.arange(_PEAKS, device=device, dtype=torch.float64) * (2 * math.pi / _PEAKS)
    return (_RADIUS * torch.stack([angle.cos(), angle.sin()], 1)).to(dtype or torch.get_default_dtype())


@full_precision
def eight_gaussians(
    n: int,
    *,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "n 2"]:
    r"""원 위에 놓인 여덟 봉우리에서 뽑은 점. 봉우리(mode)가 떨어져 있어, 몇 개를 놓쳤는지 셀 수 있다.

    $$p(x) = \frac{1}{8} \sum_{k=0}^{7} \mathcal{N}(x;\, m_k,\, 0.2^2 I), \qquad
    m_k = 2 \left( \cos\tfrac{\pi k}{4},\, \sin\tfrac{\pi k}{4} \right)$$

    Args:
        n: 점의 수. 1 이상.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        한 줄이 점 하나인 (n, 2).

    Raises:
        TypeError: `n`이 정수가 아니면.
        ValueError: `n`이 1보다 작거나, 자료형이 실수형이 아니거나, 다른 장치의 발생기이면.

    References:
        Metz, L. 외 (2017). Unrolled Generative Adversarial Networks, 3.1절 (원 위의 가우스 혼합).
    """
    checks.count(1, n=n)
    _check_dtype(dtype)
    peaks = randint(0, _PEAKS, (n,), generator=generator, device=device)
    noise = randn(n, 2, generator=generator, device=device, dtype=dtype)
    return eight_gaussians_centres(device=noise.device, dtype=noise.dtype)[peaks] + _STD * noise


@full_precision
def eight_gaussians_log_density(x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
    r"""여덟 봉우리의 로그 밀도. 미분 엔트로피는 1.698 nat다.

    $$\log p(x) = \log \frac{1}{8} \sum_{k=0}^{7} \mathcal{N}(x;\, m_k,\, 0.2^2 I)$$

    Args:
        x: 점. 마지막 축이 좌표 둘이다.

    Returns:
        로그 밀도(nat). 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 비었거나, 마지막 축이 2가 아니거나, 유한하지 않은 값이 있으면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 3.5절 (가우스 혼합).
    """
    _check_points(x=x)
    square = _offsets(x).square().sum(-1)  # (..., 8)
    each = -square / (2 * _STD**2) - math.log(2 * math.pi * _STD**2 * _PEAKS)
    return each.logsumexp(-1).to(x.dtype)


class Coverage(NamedTuple):
    """표본이 여덟 봉우리를 얼마나 덮었나.

    Attributes:
        modes: 찾은 봉우리의 수, 0–8. 참 비율(1/8)의 1할, 곧 표본의 1/80 이상이 3σ 안에 있으면 찾았다고 센다.
        within: 어느 봉우리에서든 3σ 안에 있는 표본의 비율. 참 분포에서는 $1 - e^{-9/2} = 0.989$다.

    References:
        Metz, L. 외 (2017). Unrolled Generative Adversarial Networks, 3.1절.
    """

    modes: Int[Tensor, "*batch"]
    within: Float[Tensor, "*batch"]


@full_precision
def mode_coverage(samples: Float[Tensor, "*batch n 2"]) -> Coverage:
    r"""표본이 여덟 봉우리 가운데 몇 개를 찾았고, 얼마나 봉우리 가까이 있나.

    $$\mathrm{within} = \frac{1}{n} \sum_{i=1}^{n} \mathbf{1}\bigl[ \min_k \lVert x_i - m_k \rVert \le 0.6 \bigr]$$

    Args:
        samples: 표본. 앞의 축은 따로따로 센다.

    Returns:
        찾은 봉우리의 수와 3σ 안의 비율.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 비었거나, 모양이 (…, n, 2)가 아니거나, 유한하지 않은 값이 있으면.

    References:
        Metz, L. 외 (2017). Unrolled Generative Adversarial Networks, 3.1절.
    """
    _check_points(samples=samples)
    checks.ndim(2, math.inf, samples=samples)
    distance = _offsets(samples).norm(dim=-1)  # (..., n, 8)
    near = distance <= 3 * _STD  # 봉우리끼리는 멀어서 한 점이 둘에 들지 않는다
    found = near.double().mean(-2) >= 1 / (10 * _PEAKS)  # (..., 8)
    return Coverage(found.sum(-1), near.any(-1).to(distance.dtype).mean(-1).to(samples.dtype))


def _offsets(points: Tensor) -> Tensor:
    """점에서 여덟 중심까지 (..., 8, 2). 반정밀도는 넓힌다."""
    wide = points.to(torch.promote_types(points.dtype, torch.float32))
    return wide[..., None, :] - eight_gaussians_centres(device=wide.device, dtype=wide.dtype)


def _check_dtype(dtype: torch.dtype | None) -> None:
    if dtype is not None and not dtype.is_floating_point:
        raise ValueError(f"dtype: 실수형이어야 하는데 {dtype}이다")


def _check_points(**points: Tensor) -> None:
    checks.floating(**points)
    checks.nonempty(**points)
    checks.ndim(1, math.inf, **points)
    for name, value in points.items():
        checks.shape((*value.shape[:-1], 2), **{name: value})
        checks.within(**{name: (value, checks.REAL)})


def _standardise(columns: NDArray[np.float64]) -> Float[Tensor, "n d"]:
    features = torch.from_numpy(columns)
    return (features - features.mean(0)) / features.std(0, correction=0)


def _dataset(
    features: Float[Tensor, "n d"],
    raw: Bunch,
    device: torch.device | None,
    dtype: torch.dtype | None,
) -> Dataset:
    _check_dtype(dtype)
    place = torch.get_default_device() if device is None else device
    return Dataset(
        features.to(place, dtype or torch.get_default_dtype()),
        torch.from_numpy(raw.target).to(place, torch.int64),
        tuple(map(str, raw.target_names)),
    )
