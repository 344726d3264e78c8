"""에너지를 부르는 한 곳. 세 장의 함수가 모두 여기를 지나므로, 틀린 에너지는 어느 함수에서나 같은 말로 걸린다."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import REAL

Energy = Callable[[Tensor], Tensor]

# 어디까지 받아들이나: 유한한 값만(손실), ±∞까지(밀도가 0인 곳), nan까지(그런 제안을 스스로 거르는 샘플러).
Accept = Literal["finite", "infinite", "nan"]


class Derivatives(NamedTuple):
    """점마다의 에너지 E와 기울기 ∇E, 그리고 방향 v를 ∇²E v로 보내는 함수."""

    energy: Tensor
    gradient: Tensor
    product: Callable[[Tensor], Tensor]


def energies(energy: Energy, x: Tensor, *, accept: Accept) -> Tensor:
    """점마다의 에너지. 점마다 실수 하나이고 허락한 값인지 본다."""
    checks.function(energy=energy)
    value: Tensor = checks.called("energy", energy, x)
    checks.tensor(energy=value)
    if value.shape != x.shape[:-1]:
        raise ValueError(
            f"energy: 점 {tuple(x.shape)}마다 스칼라 하나, 곧 {tuple(x.shape[:-1])}을 주어야 하는데 "
            f"{tuple(value.shape)}을 주었다"
        )
    checks.floating(energy=value)
    _check(accept, energy=value)
    return value


def derivatives(energy: Energy, x: Tensor, *, accept: Accept, again: bool = False) -> Derivatives:
    """점마다의 에너지와 기울기. `again`이면 매개변수로도, 점으로 한 번 더도 미분할 수 있고, 아니면 떼어 낸 값이다.

    torch.func의 변환 안에서는 미분도 변환으로 하고, 그 결과는 언제나 다시 미분할 수 있다.
    """
    leaf = _leaf(x)
    found = _transformed(energy, x) if leaf is None else _recorded(energy, leaf, again)
    _check(accept, **{"energy": found.energy, "energy의 기울기": found.gradient})
    return found


def constant(x: Tensor) -> Tensor:
    """기울기에서 뗀 값. ∇E를 상수로 보는 계산이 절반만 맞는 미분을 물려주지 않게 한다.

    변환 안에서는 `derivatives`가 끝까지 미분되므로 떼지 않는다.
    """
    return x.detach() if x.requires_grad and _leaf(x) is not None else x


def points(**values: Tensor) -> None:
    """모두 실수형이고 비지 않은 점들 (…, d)인지 본다."""
    checks.floating(**values)
    checks.ndim(1, math.inf, **values)
    checks.nonempty(**values)


def clouds(**values: Tensor) -> None:
    """모두 실수형이고 유한한 점의 묶음 (…, n, d)인지 본다."""
    checks.floating(**values)
    checks.ndim(2, math.inf, **values)
    checks.nonempty(**values)
    checks.within(**{name: (value, REAL) for name, value in values.items()})


def finite(**values: Tensor) -> None:
    """모두 유한한지 본다. 모두 더한 것이 유한하면 그렇다: 한 번만 훑어 끝나는 것이 보통이다."""
    if not math.isfinite(_total(values)):
        checks.within(**{name: (value, REAL) for name, value in values.items()})


def numbers(**values: Tensor) -> None:
    """±∞는 괜찮지만 nan은 없는지 본다."""
    if math.isnan(_total(values)):
        for name, value in values.items():
            if checks.plain(value).isnan().any():
                raise ValueError(f"{name}: 수여야 하는데 nan이 있다")


def _total(values: dict[str, Tensor]) -> float:
    return float(sum(checks.plain(value).sum() for value in values.values()))


def _leaf(x: Tensor) -> Tensor | None:
    """미분할 잎. 변환 안에서는 torch가 잎을 만들지 못하게 하므로 없다."""
    try:
        return x.detach().requires_grad_()
    except RuntimeError:
        return None


def _recorded(energy: Energy, leaf: Tensor, again: bool) -> Derivatives:
    """보통의 자동 미분으로."""
    value = energies(energy, leaf, accept="nan")
    slope = None
    if value.requires_grad:
        (slope,) = torch.autograd.grad(value.sum(), leaf, create_graph=again, allow_unused=True)
    if slope is None:
        raise ValueError("energy: 점으로 미분할 수 있어야 하는데, 에너지가 점과 상관없거나 기울기가 끊겼다")

    def product(v: Tensor) -> Tensor:
        along = (slope * v).sum()
        if not along.requires_grad:  # 기울기가 상수면 곡률이 0이다
            return torch.zeros_like(leaf)
        return torch.autograd.grad(along, leaf, create_graph=True, materialize_grads=True)[0]

    return Derivatives(value if again else value.detach(), slope, product)


def _transformed(energy: Energy, x: Tensor) -> Derivatives:
    """torch.func의 변환으로."""

    def total(y: Tensor) -> tuple[Tensor, Tensor]:
        value = energies(energy, y, accept="nan")
        return value.sum(), value

    slope, pull, *aux = torch.func.vjp(torch.func.grad(total, has_aux=True), x, has_aux=True)
    return Derivatives(aux[0], slope, lambda v: pull(v)[0])


def _check(accept: Accept, **values: Tensor) -> None:
    if accept == "finite":
        finite(**values)
    if accept == "infinite":
        numbers(**values)
