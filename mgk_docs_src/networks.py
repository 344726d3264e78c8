"""여러 시드의 다층 퍼셉트론을 한 번에 계산한다: 모양이 같은 신경망들을 첫 축에 쌓아 한 번에 곱한다."""

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.random import rand, randn


class Networks(NamedTuple):
    r"""모양이 같은 신경망 `s`개의 가중치.

    Attributes:
        weights: 층마다 $(s, d_{\text{in}}, d_{\text{out}})$.
        biases: 층마다 $(s, 1, d_{\text{out}})$.
    """

    weights: tuple[Float[Tensor, "s _ _"], ...]
    biases: tuple[Float[Tensor, "s 1 _"], ...]


@with_gradients
def initial(
    widths: Sequence[int],
    generators: Iterable[torch.Generator | None],
    *,
    biases_last: bool = False,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Networks:
    r"""`torch.nn.Linear`처럼 균등 분포에서 뽑은 초기 가중치.

    $$W_i, b_i \sim \mathcal{U}\!\left(-\tfrac{1}{\sqrt{d_i}},\ \tfrac{1}{\sqrt{d_i}}\right)$$

    Args:
        widths: 층의 너비 $d_0, d_1, \dots, d_D$. 처음이 입력, 끝이 출력이다.
        generators: 신경망마다 발생기 하나. 자기 발생기만 쓰므로, 함께 학습하든 따로 학습하든 같은 값에서 시작한다.
        biases_last: 참이면 모든 층의 $W_i$를 뽑은 다음 $b_i$를 뽑는다. 거짓이면 층마다 둘을 잇달아 뽑는다.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        기울기를 받는 가중치.

    Raises:
        TypeError: 너비가 정수가 아니면.
        ValueError: 너비가 둘보다 적거나 1보다 작거나, 발생기가 없거나, 다른 장치의 발생기이면.

    References:
        LeCun, Y. 외 (1998). Efficient BackProp, 4.6절.
    """
    widths, generators = checks.listed(widths=widths), checks.listed(generators=generators)
    _check_widths(widths, generators)

    def uniform(rows: int, columns: int, bound: float) -> Tensor:
        drawn = [rand(rows, columns, generator=g, device=device, dtype=dtype) for g in generators]
        return ((2 * torch.stack(drawn) - 1) * bound).requires_grad_()

    layers = list(pairwise(widths))
    if biases_last:
        weights = [uniform(fan_in, fan_out, fan_in**-0.5) for fan_in, fan_out in layers]
        return Networks(tuple(weights), tuple(uniform(1, fan_out, fan_in**-0.5) for fan_in, fan_out in layers))
    both = [(uniform(i, o, i**-0.5), uniform(1, o, i**-0.5)) for i, o in layers]
    return Networks(tuple(weight for weight, _ in both), tuple(bias for _, bias in both))


@full_precision
def forward(
    networks: Networks,
    x: Float[Tensor, "s n _"],
    *,
    activation: Callable[[Tensor], Tensor] = F.silu,
) -> Float[Tensor, "s n _"]:
    r"""신경망마다 자기 점들을 넣은 출력.

    $$h_0 = x, \qquad h_i = a(h_{i-1} W_i + b_i), \qquad f(x) = h_{D-1} W_D + b_D$$

    Args:
        networks: `initial`의 가중치 $W_i, b_i$.
        x: 신경망마다 점 `n`개. 끝 축은 입력의 너비.
        activation: 은닉층의 활성 함수 $a$.

    Returns:
        출력. 끝 축은 출력의 너비.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 모양이 가중치와 맞지 않으면.

    References:
        Goodfellow, I. 외 (2016). Deep Learning, 6장.
    """
    _check_inputs(networks, x)
    for weight, bias in zip(networks.weights[:-1], networks.biases[:-1], strict=True):
        x = activation(torch.baddbmm(bias, x, weight))
    return torch.baddbmm(networks.biases[-1], x, networks.weights[-1])


@with_gradients
def initial_residual(
    widths: Sequence[int],
    generators: Iterable[torch.Generator | None],
    *,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Networks:
    r"""잔차 연결(residual connection)이 있는 신경망의 초기 가중치. 끝 층의 값이 작아 출력이 0에 가깝다.

    $$W_i \sim \mathcal{N}\!\left(0,\ \tfrac{1}{d_i}\right), \qquad
    W_D \sim \mathcal{N}\!\left(0,\ \tfrac{0.01}{d_D}\right), \qquad b_i = 0$$

    Args:
        widths: 층의 너비. 처음이 입력, 끝이 출력이고, 은닉층은 잔차를 더할 수 있도록 모두 같다.
        generators: 신경망마다 발생기 하나.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        기울기를 받는 가중치.

    Raises:
        TypeError: 너비가 정수가 아니면.
        ValueError: 너비가 둘보다 적거나 1보다 작거나 가운데가 서로 다르거나, 발생기가 없거나, 다른 장치의 발생기이면.

    References:
        He, K. 외 (2016). Identity Mappings in Deep Residual Networks, 3절.
    """
    widths, generators = checks.listed(widths=widths), checks.listed(generators=generators)
    _check_widths(widths, generators)
    if len(set(widths[1:-1])) > 1:
        raise ValueError(f"widths: 가운데 너비가 모두 같아야 하는데 {tuple(widths)}이다")

    def normal(rows: int, columns: int, gain: float) -> Tensor:
        drawn = torch.stack([randn(rows, columns, generator=g, device=device, dtype=dtype) for g in generators])
        return (drawn * gain / math.sqrt(rows)).requires_grad_()

    layers = list(pairwise(widths))
    gains = [1.0] * (len(layers) - 1) + [0.1]
    weights = tuple(normal(rows, columns, gain) for (rows, columns), gain in zip(layers, gains, strict=True))
    biases = tuple(weights[0].new_zeros(len(generators), 1, n).requires_grad_() for n in widths[1:])
    return Networks(weights, biases)


@full_precision
def forward_residual(
    networks: Networks,
    x: Float[Tensor, "s n _"],
    *,
    activation: Callable[[Tensor], Tensor] = F.silu,
) -> Float[Tensor, "s n _"]:
    r"""은닉층마다 잔차 연결을 둔 신경망의 출력. 활성 함수를 먼저 적용한다.

    $$h_1 = x W_1 + b_1, \qquad h_i = h_{i-1} + a(h_{i-1}) W_i + b_i, \qquad f(x) = a(h_{D-1}) W_D + b_D$$

    Args:
        networks: `initial_residual`의 가중치 $W_i, b_i$.
        x: 신경망마다 점 `n`개. 끝 축은 입력의 너비.
        activation: 활성 함수 $a$.

    Returns:
        출력. 끝 축은 출력의 너비.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 모양이 가중치와 맞지 않으면.

    References:
        He, K. 외 (2016). Identity Mappings in Deep Residual Networks, 3절.
    """
    _check_inputs(networks, x)
    (first, *middle, last), (first_bias, *middle_biases, last_bias) = networks.weights, networks.biases
    h = torch.baddbmm(first_bias, x, first)
    for weight, bias in zip(middle, middle_biases, strict=True):
        h = h + torch.baddbmm(bias, activation(h), weight)
    return torch.baddbmm(last_bias, activation(h), last)


def still_learning(
    values: Float[Tensor, "s *shape"],
    alive: Bool[Tensor, "s"],
    *,
    step: int,
) -> Bool[Tensor, "s"]:
    r"""유한하지 않은 값을 낸 신경망을 뺀다. 새로 빠지는 신경망마다 번호와 학습 스텝을 경고로 알린다.

    $$a_s \leftarrow a_s \wedge \bigl( |v_s| < \infty \bigr)$$

    쌓은 신경망은 서로 섞이지 않으므로, 하나가 발산해도 나머지는 그대로 학습할 수 있다. 장치와 동기화한다.

    Args:
        values: 신경망마다의 손실이나 출력 $v$.
        alive: 아직 학습하는 신경망 $a$.
        step: 학습 스텝의 번호.

    Returns:
        남은 신경망. 아무도 빠지지 않았으면 `alive` 그대로다.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 실수형이 아니거나, 모양이 다르거나, `alive`가 참거짓형이 아니거나, 하나도 남지 않으면.

    Warns:
        RuntimeWarning: 새로 빠지는 신경망이 있으면.

    References:
        PyTorch 문서, `torch.isfinite`.
    """
    checks.floating(values=values)
    checks.ndim(1, math.inf, values=values)
    checks.count(0, step=step)
    _check_alive(alive, len(values))
    if math.isfinite(values.detach().sum().item()):  # 하나라도 유한하지 않으면 합도 그렇다
        return alive
    finite = values.detach().isfinite().reshape(len(values), -1).all(1)
    left = alive & finite
    if not left.any():
        raise ValueError(f"generators: 손실이 유한한 신경망이 남아야 하는데 학습 스텝 {step}에서 하나도 남지 않았다")
    for seed in (alive & ~finite).nonzero().flatten().tolist():
        warnings.warn(
            f"generators[{seed}]: 학습 스텝 {step}에서 값이 유한하지 않아 이 신경망의 학습을 멈춘다",
            RuntimeWarning,
            stacklevel=2,
        )
    return left


@full_precision
def finished(networks: Networks, alive: Bool[Tensor, "s"]) -> Networks:
    """학습을 마친 가중치. 기울기는 따라오지 않고, 학습을 멈춘 신경망은 모르고 쓰지 않도록 nan으로 채운다.

    Args:
        networks: 가중치.
        alive: 끝까지 학습한 신경망.

    Returns:
        같은 모양의 가중치.

    Raises:
        TypeError: `Networks`나 텐서가 아닌 값을 받으면.
        ValueError: `alive`가 참거짓형이 아니거나, 신경망의 수와 모양이 다르면.

    References:
        PyTorch 문서, `torch.Tensor.detach`.
    """
    checks.instance(Networks, networks=networks)
    _check_alive(alive, len(networks.weights[0]))
    kept = [tuple(tensor.detach() for tensor in group) for group in networks]
    if not alive.all():
        kept = [tuple(tensor.where(alive[:, None, None], math.nan) for tensor in group) for group in kept]
    return Networks(*kept)


@full_precision
def freeze(networks: Networks) -> Networks:
    """기울기 없는 사본. 더 학습해도 바뀌지 않는다.

    Args:
        networks: 가중치.

    Returns:
        같은 값의 새 가중치.

    Raises:
        TypeError: `Networks`가 아니면.

    References:
        PyTorch 문서, `torch.Tensor.detach`.
    """
    checks.instance(Networks, networks=networks)
    return Networks(*(tuple(tensor.detach().clone() for tensor in group) for group in networks))


def _check_widths(widths: Sequence[int], generators: Sequence[torch.Generator | None]) -> None:
    for i, generator in enumerate(generators):
        if generator is not None:
            checks.instance(torch.Generator, **{f"generators[{i}]": generator})
    checks.count(2, widths=len(widths))
    checks.count(1, generators=len(generators), **{f"widths[{i}]": width for i, width in enumerate(widths)})


def _check_alive(alive: Tensor, seeds: int) -> None:
    checks.tensor(alive=alive)
    checks.shape((seeds,), alive=alive)
    if alive.dtype != torch.bool:
        raise ValueError(f"alive: torch.bool이어야 하는데 {alive.dtype}이다")


def _check_inputs(networks: Networks, x: Tensor) -> None:
    checks.instance(Networks, networks=networks)
    checks.floating(x=x)
    checks.ndim(3, 3, x=x)
    seeds, width, _ = networks.weights[0].shape
    checks.shape((seeds, x.shape[1], width), x=x)
