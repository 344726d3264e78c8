"""대조 학습 실습의 재료: 손글씨 숫자를 분할하고, 임베딩을 여러 지표로 잰다. `docs/labs/contrastive.py`."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from sklearn.model_selection import train_test_split
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import REAL
from mgk_docs_src.contrastive.losses import uniformity
from mgk_docs_src.contrastive.training import (
    calibrated_threshold,
    knn_accuracy,
    linear_probe,
    pair_accuracy,
    pair_scores,
)
from mgk_docs_src.data import digits
from mgk_docs_src.metrics import roc_auc

# 이미지 (n, 1, 8, 8)을 받아 벡터 (n, d)를 주는 함수.
Represent = Callable[[Tensor], Tensor]


class Samples(NamedTuple):
    """이미지와 라벨.

    Attributes:
        images: 8×8 이미지.
        labels: 숫자 0–9.

    References:
        scikit-learn 문서, `load_digits`.
    """

    images: Float[Tensor, "n 1 8 8"]
    labels: Int[Tensor, "n"]


class Split(NamedTuple):
    """셋으로 분할(split)한 데이터.

    Attributes:
        train: 학습 데이터.
        valid: 임계값과 설정을 정하는 검증 데이터.
        held_out: 마지막에 한 번 재는 테스트 데이터. 어느 시드에서나 같다.

    References:
        Hastie, T. 외 (2009). The Elements of Statistical Learning, 7.2절.
    """

    train: Samples
    valid: Samples
    held_out: Samples


def digit_split(
    seed: int,
    *,
    valid: int = 150,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Split:
    """손글씨 숫자를 라벨의 비율을 지켜 분할한다.

    절반은 테스트에 두고, 남은 절반에서 검증 데이터를 시드마다 다르게 뽑는다.

    Args:
        seed: 검증 데이터를 뽑는 시드. 0 이상.
        valid: 검증 데이터의 이미지 수. 10 이상.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 이미지의 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        학습 898 − `valid`장, 검증 `valid`장, 테스트 899장.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 시드가 음수이거나, 검증 데이터의 이미지가 10장보다 적거나 888장보다 많으면.

    References:
        scikit-learn 문서, `train_test_split`.
    """
    checks.count(0, seed=seed)
    checks.count(10, valid=valid)
    if valid > 888:
        raise ValueError(f"valid: 학습 데이터가 열 장은 남도록 888 이하여야 하는데 {valid}이다")
    data = digits(device=device, dtype=dtype)
    everything, labels = torch.arange(len(data.labels), device="cpu"), data.labels.cpu()
    ours, held_out = train_test_split(everything, test_size=0.5, stratify=labels, random_state=0)
    train, checked = train_test_split(ours, test_size=valid, stratify=labels[ours], random_state=seed)
    images = data.features.view(-1, 1, 8, 8)
    return Split(*(Samples(images[index], data.labels[index]) for index in (train, checked, held_out)))


class Scores(NamedTuple):
    r"""임베딩 하나의 점수. 테스트 데이터에서 쟀고, 모두 float64다.

    Attributes:
        fixed: 고정 임계값으로 가른 쌍의 균형 정확도.
        calibrated: 검증 쌍을 보고 선택한 임계값으로 가른 쌍의 균형 정확도.
        auc: 쌍의 ROC 곡선 아래의 넓이.
        knn: 가장 가까운 이웃 다섯의 다수결로 맞힌 정확도. 이웃은 학습과 검증 데이터에서 찾는다.
        probe: 고정한 임베딩 위의 로지스틱 회귀로 맞힌 정확도.
        alignment: 양성 쌍(같은 클래스)의 거리 제곱의 평균. 작을수록 모여 있다.
        uniformity: 균등하게 퍼진 정도. 작을수록(더 음수일수록) 균등하다.
        threshold: 선택한 임계값.

    References:
        Musgrave, K., Belongie, S. & Lim, S.-N. (2020). A Metric Learning Reality Check, 2절.
        Wang, T. & Isola, P. (2020). Understanding Contrastive Representation Learning through Alignment and Uniformity
        on the Hypersphere, 4.1절.
    """

    fixed: Float[Tensor, ""]
    calibrated: Float[Tensor, ""]
    auc: Float[Tensor, ""]
    knn: Float[Tensor, ""]
    probe: Float[Tensor, ""]
    alignment: Float[Tensor, ""]
    uniformity: Float[Tensor, ""]
    threshold: Float[Tensor, ""]


def evaluate(represent: Represent, split: Split, *, fixed: float = 0.0) -> Scores:
    """처음 보는 숫자에서 임베딩을 잰다.

    Args:
        represent: 이미지를 벡터로 바꾸는 함수.
        split: 분할한 데이터.
        fixed: 고정 임계값. 원문은 시그모이드가 0.5를 넘는지 보므로 코사인 0이다.

    Returns:
        점수 여덟 개.

    Raises:
        TypeError: 임계값이 수가 아니면.
        ValueError: 임계값이나 임베딩이 유한하지 않거나, 임베딩이 $(n, d)$가 아니면.

    References:
        Musgrave, K., Belongie, S. & Lim, S.-N. (2020). A Metric Learning Reality Check, 2절.
    """
    checks.number(REAL, fixed=fixed)
    with torch.no_grad():
        train, valid, held_out = (represent(part.images).double() for part in split)
    threshold = calibrated_threshold(*pair_scores(valid, split.valid.labels))
    labels = split.held_out.labels
    similarity, same = pair_scores(held_out, labels)
    known = torch.cat([train, valid]), torch.cat([split.train.labels, split.valid.labels])
    return Scores(
        pair_accuracy(similarity, same, threshold=fixed),
        pair_accuracy(similarity, same, threshold=threshold),
        roc_auc(similarity[same], similarity[~same]),
        knn_accuracy(*known, held_out, labels),
        linear_probe(*known, held_out, labels),
        2 - 2 * similarity[same].mean(),  # 단위 벡터의 거리 제곱
        uniformity(held_out),
        similarity.new_tensor(threshold),
    )


def principal_plane(embeddings: Float[Tensor, "n d"]) -> Float[Tensor, "n 2"]:
    r"""가장 넓게 퍼진 두 방향으로의 투영(주성분 분석).

    $$(X - \bar{X})\, [v_1, v_2], \qquad X - \bar{X} = U S V^\top$$

    Args:
        embeddings: 벡터. 둘 이상의 차원.

    Returns:
        평면 위의 점. 방향마다 부호는 크기가 가장 큰 좌표가 양수가 되게 정한다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 축이 둘이 아니거나, 비었거나, 좌표나 벡터가 둘보다 적거나, 유한하지 않으면.

    References:
        Pearson, K. (1901). On Lines and Planes of Closest Fit to Systems of Points in Space.
    """
    checks.floating(embeddings=embeddings)
    checks.ndim(2, 2, embeddings=embeddings)
    checks.nonempty(embeddings=embeddings)
    checks.count(2, **{"embeddings의 벡터": len(embeddings), "embeddings의 차원": embeddings.shape[1]})
    checks.within(embeddings=(embeddings, REAL))
    centred = embeddings - embeddings.mean(0)
    directions: Tensor = torch.linalg.svd(centred, full_matrices=False).Vh[:2]  # (2, d)
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return centred @ (directions * largest.sign()).T
