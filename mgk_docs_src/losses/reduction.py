"""손실을 하나의 수로 줄이기(reduction)와, 반정밀도(half precision) 입력을 넓혀 계산하기."""

from functools import reduce as fold
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import POSITIVE
from mgk_docs_src.modes import full_precision

Reduction = Literal["none", "mean", "sum"]


@full_precision
def reduce(
    loss: Float[Tensor, "*shape"],
    reduction: Reduction,
    *,
    denominator: Float[Tensor, ""] | None = None,
) -> Float[Tensor, "..."]:
    r"""원소마다의 손실을 그대로 두거나, 더하거나, 평균한다.

    $$L = \ell, \qquad L = \sum_i \ell_i, \qquad L = \frac{1}{D} \sum_i \ell_i$$

    Args:
        loss: 원소마다의 손실 $\ell$.
        reduction: `"none"`, `"sum"`, `"mean"`. 위 식의 순서다.
        denominator: 평균의 분모 $D > 0$. 기본값은 원소의 수. 주면 장치와 한 번 동기화한다.

    Returns:
        `"none"`이면 `loss`와 같은 모양, 아니면 스칼라. 단위는 `loss`와 같다.

    Raises:
        ValueError: 축소 이름을 모르거나, 손실이 비었거나, 분모가 0보다 크지 않으면.

    References:
        PyTorch 문서, `torch.nn.CrossEntropyLoss`의 `reduction`.
    """
    checks.choice(("none", "mean", "sum"), reduction=reduction)
    checks.floating(loss=loss)
    checks.nonempty(loss=loss)
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    if denominator is None:
        return loss.mean()
    checks.within(denominator=(denominator, POSITIVE))
    return loss.sum() / denominator


@full_precision
def widen(*tensors: Float[Tensor, "..."]) -> tuple[Float[Tensor, "..."], ...]:
    r"""모두를 함께 담는 자료형으로, 적어도 float32로 올린다.

    float16과 bfloat16은 이렇게 넓혀 계산하고 끝에서 한 번만 되돌려야 반올림이 한 번뿐이다.

    $$\mathrm{dtype} = \max(\mathrm{float32}, \mathrm{dtype}_1, \mathrm{dtype}_2, \ldots)$$

    Args:
        tensors: 실수형 텐서들.

    Returns:
        모양과 값은 그대로이고 자료형이 같은 텐서들.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니면.

    References:
        PyTorch 문서, `torch.promote_types`.
    """
    checks.floating(**{f"tensors[{i}]": tensor for i, tensor in enumerate(tensors)})
    wide = fold(torch.promote_types, (tensor.dtype for tensor in tensors), torch.float32)
    return tuple(tensor.to(wide) for tensor in tensors)
