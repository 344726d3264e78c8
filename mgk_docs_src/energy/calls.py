"""에너지를 부르는 한 곳. 세 장의 함수가 모두 여기를 지나므로, 틀린 에너지는 어느 함수에서나 같은 말로 걸린다."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import REAL

# 점 (…, d)를 받아 점마다 스칼라 하나 (…)를 준다. 앞의 축은 모두 묶음이다(사슬, 표본, 씨앗).
Energy = Callable[[Tensor], Tensor]

# 어디까지 받아들이나: 유한한 값만(손실), ±∞에도 뜻이 있다(밀도 0인 곳), 무엇이든(스스로 거르는 표본기).
Accept = Literal["finite", "infinite", "nan"]


class Derivatives(NamedTuple):
    r"""점마다의 에너지와 그 미분.

    Attributes:
        energy: $E(x)$.
        gradient: $\nabla E(x)$.
        product: 방향 $v$를 받아 $\nabla^2 E(x)\, v$를 주는 함수. `again`을 켰을 때만 부를 수 있다.

    References:
        PyTorch 문서, `torch.func.vjp`.
    """

    energy: Float[Tensor, "*batch"]
    gradient: Float[Tensor, "*batch d"]
    product: Callable[[Tensor], Tensor]


def energies(energy: Energy, x: Float[Tensor, "*batch d"], *, accept: Accept) -> Float[Tensor, "*batch"]:
    r"""점마다의 에너지. 점마다 실수 하나인지, 허락한 값인지 본다.

    $$E : \mathbb{R}^d \to \mathbb{R}$$

    `accept`가 `"nan"`이 아니면 값을 살피느라 장치와 한 번 동기화한다.

    Args:
        energy: 에너지 $E$.
        x: 점. 마지막 축이 좌표다.
        accept: `"finite"`는 유한한 값만, `"infinite"`는 $\pm\infty$까지, `"nan"`은 무엇이든 받는다.

    Returns:
        에너지. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 에너지가 텐서가 아니면.
        ValueError: 에너지가 점마다 실수 하나가 아니거나, 허락하지 않은 값이 있으면.

    References:
        LeCun, Y. 외 (2006). A Tutorial on Energy-Based Learning, 1절.
    """
    value = energy(x)
    checks.tensor(energy=value)
    if value.shape != x.shape[:-1]:
        raise ValueError(
            f"energy: 점 {tuple(x.shape)}마다 스칼라 하나, 곧 {tuple(x.shape[:-1])}을 주어야 하는데 "
            f"{tuple(value.shape)}을 주었다"
        )
    checks.floating(energy=value)
    _check(accept, energy=value)
    return value


def derivatives(energy: Energy, x: Float[Tensor, "*batch d"], *, accept: Accept, again: bool = False) -> Derivatives:
    r"""점마다의 에너지와 기울기. `again`이면 매개변수로도, 점으로 한 번 더도 미분할 수 있다.

    $$E(x), \qquad \nabla E(x), \qquad v \mapsto \nabla^2 E(x)\, v$$

    `torch.func`의 변환(`vmap`, `grad`, `jvp`) 안에서는 미분도 변환으로 하고, 그 결과는 언제나 다시 미분할 수 있다.

    Args:
        energy: 에너지 $E$. 점마다 따로 매겨야 한다.
        x: 점. 마지막 축이 좌표다.
        accept: `energies`와 같다. 기울기에도 적용한다.
        again: 결과를 다시 미분할지. 아니면 그래프에서 떼어 낸 값이다.

    Returns:
        에너지와 기울기, 헤세 행렬을 방향에 곱하는 함수.

    Raises:
        TypeError: 에너지가 텐서가 아니면.
        ValueError: 에너지가 점마다 실수 하나가 아니거나, 점으로 미분할 수 없거나, 에너지나 기울기에 허락하지 않은 값이
            있으면.

    References:
        PyTorch 문서, `torch.func.grad`, `torch.func.vjp`.
    """
    leaf = _leaf(x)
    found = _transformed(energy, x) if leaf is None else _recorded(energy, leaf, again)
    _check(accept, **{"energy": found.energy, "energy의 기울기": found.gradient})
    return found


def constant(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """기울기에서 뗀 값. 중간의 기울기를 상수로 보는 계산이 절반만 맞는 미분을 물려주지 않게 한다.

    `torch.func`의 변환 안에서는 `derivatives`가 끝까지 미분되므로 떼지 않는다.

    Args:
        x: 텐서.

    Returns:
        같은 값의 텐서.

    References:
        PyTorch 문서, `torch.Tensor.detach`.
    """
    return x.detach() if x.requires_grad and _leaf(x) is not None else x


def points(**values: Float[Tensor, "*batch d"]) -> None:
    """모두 실수형이고 비지 않은 점들 (…, d)인지 본다.

    Args:
        values: 이름과 점.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 축이 없거나, 비었으면.

    References:
        PyTorch 문서, `torch.Tensor.dim`.
    """
    checks.floating(**values)
    checks.ndim(1, math.inf, **values)
    checks.nonempty(**values)


def clouds(**values: Float[Tensor, "*batch n d"]) -> None:
    """모두 실수형이고 유한한 점의 묶음 (…, n, d)인지 본다. 값을 살피므로 장치와 한 번 동기화한다.

    Args:
        values: 이름과 점의 묶음.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 축이 둘보다 적거나, 비었거나, 유한하지 않으면.

    References:
        PyTorch 문서, `torch.Tensor.dim`.
    """
    checks.floating(**values)
    checks.ndim(2, math.inf, **values)
    checks.nonempty(**values)
    checks.within(**{name: (value, REAL) for name, value in values.items()})


def _leaf(x: Tensor) -> Tensor | None:
    """미분할 잎. torch.func의 변환 안에서는 torch가 잎을 만들지 못하게 하므로 없다."""
    try:
        return x.detach().requires_grad_()
    except RuntimeError:
        return None


def _recorded(energy: Energy, leaf: Tensor, again: bool) -> Derivatives:
    """보통의 자동 미분으로."""
    with torch.enable_grad():
        value = energies(energy, leaf, accept="nan")
        slope = None
        if value.requires_grad:
            (slope,) = torch.autograd.grad(value.sum(), leaf, create_graph=again, allow_unused=True)
        if slope is None:
            raise ValueError("energy: 점으로 미분할 수 있어야 하는데, 에너지가 점에 기대지 않거나 기울기가 끊겼다")

        def product(v: Tensor) -> Tensor:
            along = (slope * v).sum()
            if not along.requires_grad:  # 기울기가 상수면 굽은 데가 없다
                return torch.zeros_like(leaf)
            return torch.autograd.grad(along, leaf, create_graph=True, materialize_grads=True)[0]

    return Derivatives(value, slope, product) if again else Derivatives(value.detach(), slope, product)


def _transformed(energy: Energy, x: Tensor) -> Derivatives:
    """torch.func의 변환으로."""

    def total(y: Tensor) -> tuple[Tensor, Tensor]:
        value = energies(energy, y, accept="nan")
        return value.sum(), value

    slope, pull, *aux = torch.func.vjp(torch.func.grad(total, has_aux=True), x, has_aux=True)
    return Derivatives(aux[0], slope, lambda v: pull(v)[0])


def _check(accept: Accept, **values: Tensor) -> None:
    if accept == "finite":
        checks.within(**{name: (value, REAL) for name, value in values.items()})
    if accept == "infinite":
        for name, value in values.items():
            if checks.plain(value).isnan().any():
                raise ValueError(f"{name}: 점마다 수여야 하는데 nan이 있다")
