"""여러 씨앗의 다층 퍼셉트론을 한 번에: 같은 모양의 신경망들을 첫 축에 쌓아 한 번의 곱셈으로 계산한다."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.random import rand


class Networks(NamedTuple):
    r"""모양이 같은 신경망 `s`개의 가중치.

    Attributes:
        weights: 층마다 $(s, d_{\text{in}}, d_{\text{out}})$.
        biases: 층마다 $(s, 1, d_{\text{out}})$.
    """

    weights: tuple[Float[Tensor, "s _ _"], ...]
    biases: tuple[Float[Tensor, "s 1 _"], ...]


def initial(
    widths: Sequence[int],
    generators: Sequence[torch.Generator | None],
    *,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Networks:
    r"""`torch.nn.Linear`처럼 고르게 뽑은 첫 가중치.

    $$W_i, b_i \sim \mathcal{U}\!\left(-\tfrac{1}{\sqrt{d_i}},\ \tfrac{1}{\sqrt{d_i}}\right)$$

    Args:
        widths: 층의 너비 $d_0, d_1, \dots, d_D$. 처음이 입력, 끝이 출력이다.
        generators: 신경망마다 CPU 발생기 하나. 제 발생기만 쓰므로, 함께 배우든 혼자 배우든 같은 값에서 시작한다.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        기울기를 받는 가중치.

    Raises:
        TypeError: 너비가 정수가 아니면.
        ValueError: 너비가 둘보다 적거나 1보다 작거나, 발생기가 없거나, CPU가 아닌 발생기이면.

    References:
        LeCun, Y. 외 (1998). Efficient BackProp, 4.6절.
    """
    checks.count(2, widths=len(widths))
    checks.count(1, generators=len(generators), **{f"widths[{i}]": width for i, width in enumerate(widths)})

    def uniform(rows: int, columns: int, bound: float) -> Tensor:
        drawn = [rand(rows, columns, generator=g, device=device, dtype=dtype) for g in generators]
        return ((2 * torch.stack(drawn) - 1) * bound).requires_grad_()

    weights, biases = [], []
    for fan_in, fan_out in pairwise(widths):
        weights.append(uniform(fan_in, fan_out, fan_in**-0.5))
        biases.append(uniform(1, fan_out, fan_in**-0.5))
    return Networks(tuple(weights), tuple(biases))


def forward(
    networks: Networks,
    x: Float[Tensor, "s n _"],
    *,
    activation: Callable[[Tensor], Tensor] = F.silu,
) -> Float[Tensor, "s n _"]:
    r"""신경망마다 제 몫의 점을 넣은 출력.

    $$h_0 = x, \qquad h_i = a(h_{i-1} W_i + b_i), \qquad f(x) = h_{D-1} W_D + b_D$$

    Args:
        networks: `initial`의 가중치 $W_i, b_i$.
        x: 신경망마다 점 `n`개. 끝 축은 입력의 너비.
        activation: 숨은 층의 활성 함수 $a$.

    Returns:
        출력. 끝 축은 출력의 너비.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 모양이 가중치와 맞지 않으면.

    References:
        Goodfellow, I. 외 (2016). Deep Learning, 6장.
    """
    checks.floating(x=x)
    checks.ndim(3, 3, x=x)
    seeds, width, _ = networks.weights[0].shape
    checks.shape((seeds, x.shape[1], width), x=x)
    for weight, bias in zip(networks.weights[:-1], networks.biases[:-1], strict=True):
        x = activation(torch.baddbmm(bias, x, weight))
    return torch.baddbmm(networks.biases[-1], x, networks.weights[-1])


def freeze(networks: Networks) -> Networks:
    """기울기 없는 사본. 더 배워도 바뀌지 않는다.

    Args:
        networks: 가중치.

    Returns:
        같은 값의 새 가중치.

    References:
        PyTorch 문서, `torch.Tensor.detach`.
    """
    return Networks(*(tuple(tensor.detach().clone() for tensor in group) for group in networks))
