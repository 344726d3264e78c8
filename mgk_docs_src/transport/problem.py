"""수송 문제 풀이의 공통 부분: 가중치, 미분하지 않는 계산, 단체법의 답과 그 확인."""

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks

with warnings.catch_warnings():
    # POT의 docstring에 잘못된 이스케이프가 있어, 컴파일된 파일이 없으면 경고가 난다. 경고를 오류로 다루는 곳에서도
    # 들여올 수 있어야 한다.
    warnings.filterwarnings("ignore", "invalid escape sequence")
    import ot

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

DUST = 1e-6  # 두 끝의 가중치에 대한 비가 이보다 작고 합의 반올림 오차만 한 양은 옮기지 않는다
_CERTAIN = 1e-9  # 최적이라고 인정하는 쌍대 간격: 계획의 비용에 대한 비
_REACH = 1e5  # 다시 풀 때, 남은 간격의 이 배보다 비싼 경로는 모두 같은 비용으로 본다
_ROUNDS = 30  # 다시 푸는 횟수의 한도


def masses(size: int, device: torch.device, **given: Float[Tensor, "n"] | None) -> Float[Tensor, "n"]:
    r"""점마다의 가중치. 합으로 나누어 합이 1이 되게 한다.

    $$a_i = \frac{w_i}{\sum_k w_k}$$

    Args:
        size: 점의 수 $n$.
        device: 점이 있는 장치.
        given: 호출한 쪽의 인자 이름과 가중치 $w_i \ge 0$, 합이 1. `None`이면 모두 같은 가중치.

    Returns:
        float64 가중치. `given`으로 미분할 수 있다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 길이나 장치가 다르거나, 음수나 유한하지 않은 값이 있거나, 합이 1이 아니면.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 2.1절.
    """
    ((name, weights),) = given.items()
    if weights is None:
        return torch.full((size,), 1 / size, dtype=torch.float64, device=device)
    checks.floating(**{name: weights})
    checks.shape((size,), **{name: weights})
    checks.device(device, **{name: weights})
    constant(partial(_distribution, name), weights)
    wide = weights.double()
    return wide / wide.sum()


def constant(compute: Callable[..., tuple[Tensor, ...]], *tensors: Float[Tensor, "..."]) -> tuple[Tensor, ...]:
    r"""값에 따라 분기하는 계산을 미분하지 않고 한다. `torch.func`의 변환 안에서도 보통의 텐서로 계산한다.

    $$c(x), \qquad \frac{\partial c}{\partial x} := 0$$

    `vmap` 안에서는 하나씩 계산해 쌓으므로, 결과의 모양이 서로 같아야 한다.

    Args:
        compute: 보통의 텐서들을 받아 텐서들을 주는 함수.
        tensors: 넘길 텐서.

    Returns:
        `compute`의 결과. 기울기와 접선은 0이다.

    References:
        PyTorch 문서, Extending torch.func with autograd.Function.
    """
    values = [tensor.detach() for tensor in tensors]
    if all(torch.func.debug_unwrap(value) is value for value in values):
        return compute(*values)
    results: tuple[Tensor, ...] = _Constant.apply(compute, *values)  # type: ignore[no-untyped-call]
    return results


def exact_plan(costs: Array, a: Array, b: Array, *, limit: int, named: str) -> tuple[Array, Array, Array]:
    r"""수송 문제의 최적 계획과 두 퍼텐셜. 쌍대 간격을 그 계획의 비용과 비교해 확인한다.

    $$0 \le \sum_{ij} \gamma_{ij} (C_{ij} - f_i - g_j) \le 10^{-9} \sum_{ij} \gamma_{ij} |C_{ij}|, \qquad
    f_i + g_j \le C_{ij}$$

    Args:
        costs: 비용 $C$, 모양 (n, m).
        a: 보내는 양, 길이 n, 합이 1.
        b: 받는 양, 길이 m, 합이 1.
        limit: 단체법의 반복 수의 한도.
        named: 오류에 적을 인자의 이름.

    Returns:
        계획 (n, m)과 퍼텐셜 $f$ (n), $g$ (m).

    Raises:
        RuntimeError: 한도 안에 풀지 못했거나, 답이 최적임을 확인하지 못하면.

    References:
        POT 문서, `ot.emd`.
        Gleixner, A., Steffy, D. & Wolter, K. (2016). Iterative Refinement for Linear Programming.
    """
    scale = float(abs(costs).max()) or 1.0
    costs = costs / scale  # 단체법은 크기가 1쯤인 비용에서 퍼텐셜의 유효 숫자를 가장 잘 유지한다
    solve = partial(_simplex, limit=limit, named=named)
    flow, u, _ = solve(costs, a, b)
    f, g = _feasible(costs, a, u)
    sent, received, spent = flow.sum(1), flow.sum(0), float(np.einsum("ij,ij", flow, costs))
    gap = spent - float(sent @ f + received @ g)
    rounding = 4 * float(np.finfo(np.float64).eps) * (1 + abs(f).max() + abs(g).max())
    if abs(gap) + rounding > _CERTAIN * abs(spent):
        flow, u = _refined(costs, a, b, flow, solve)
        f, g = _feasible(costs, a, u)
        sent, received = flow.sum(1), flow.sum(0)
    off = float(abs(sent - a).sum() + abs(received - b).sum())
    if off > _CERTAIN:
        raise RuntimeError(f"{named}: 답이 최적임을 확인하지 못했다 (가중치의 오차 {off:.2g})")
    return flow, scale * f, scale * g


class _Constant(torch.autograd.Function):
    @staticmethod
    def forward(compute: Callable[..., tuple[Tensor, ...]], *tensors: Tensor) -> tuple[Tensor, ...]:
        return compute(*tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], compute: Callable[..., tuple[Tensor, ...]], *tensors: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        each = [
            constant(
                compute, *(t if dim is None else t.select(dim, i) for t, dim in zip(tensors, in_dims[1:], strict=True))
            )
            for i in range(info.batch_size)
        ]
        return tuple(torch.stack(parts) for parts in zip(*each, strict=True)), (0,) * len(each[0])


def _distribution(name: str, weights: Tensor) -> tuple[Tensor, ...]:
    checks.simplex(0, **{name: weights})
    return (weights.sum(),)


def _feasible(costs: Array, a: Array, u: Array) -> tuple[Array, Array]:
    # 가중치가 0인 점의 퍼텐셜은 정해지지 않는다. 나머지 퍼텐셜에서 c-변환으로 다시 얻는다.
    g = (costs - np.where(a > 0, u, -np.inf)[:, None]).min(0)
    return (costs - g).min(1), g


def _refined(
    costs: Array, a: Array, b: Array, flow: Array, solve: partial[tuple[Array, Array, Array]]
) -> tuple[Array, Array]:
    """남은 여분(slack) C − f − g를 비용으로 두고 반복해서 다시 푼다. 다시 푼 퍼텐셜을 더하면 간격이 몇 자릿수씩 준다.

    여분에는 앞에서 찾은 큰 수가 없으므로, 간격보다 훨씬 비싼 경로를 같은 값으로 자르면 단체법이 작은 차이를 구별한다.
    """
    rows, columns = a > 0, b > 0
    inner, part = (table[np.ix_(rows, columns)] for table in (costs, flow))
    spent = float((part * abs(inner)).sum())
    f, g = _Precise(inner.min(1)), _Precise(np.zeros(inner.shape[1]))
    reach, gap = _REACH, math.inf
    for _ in range(_ROUNDS):
        slack = _slack(inner, f, g)
        f, slack = f.plus(least := slack.min(1)), slack - least[:, None]
        g, slack = g.plus(least := slack.min(0)), slack - least
        gap = float((part * slack).sum())
        if gap <= _CERTAIN * spent:
            break
        top = reach * gap
        part, u, v = solve(np.minimum(slack / top, 1), a[rows], b[columns])
        spent, f, g = float((part * abs(inner)).sum()), f.plus(top * u), g.plus(top * v)
        if part[slack > top].any():  # 비용을 자른 경로를 썼으니 더 큰 값에서 자른다
            reach *= 1000
    else:
        name = solve.keywords["named"]
        raise RuntimeError(f"{name}: 답이 최적임을 확인하지 못했다 (비용 {spent:.2g}에 쌍대 간격 {gap:.2g})")
    flow, u = np.zeros_like(costs), np.zeros(len(a))
    flow[np.ix_(rows, columns)], u[rows] = part, f.high
    return flow, u


class _Precise(NamedTuple):
    """float64 둘의 합으로 적은 수."""

    high: Array
    low: Array | float = 0.0

    def plus(self, other: Array) -> "_Precise":
        high, low = _two_sum(self.high, other)
        return _Precise(*_two_sum(high, low + self.low))


def _two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    # 반올림한 합과, 반올림으로 버려진 양(커누스). 둘을 더하면 정확하다.
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def _slack(costs: Array, f: _Precise, g: _Precise) -> Array:
    """C − f − g. 세 수가 크고 차가 작아도 유효 숫자를 잃지 않는다."""
    first, lost = _two_sum(costs, -f.high[:, None])
    second, lost_again = _two_sum(first, -g.high)
    slack: Array = second + (lost + lost_again - np.reshape(f.low, (-1, 1)) - g.low)
    return slack


def _simplex(costs: Array, a: Array, b: Array, *, limit: int, named: str) -> tuple[Array, Array, Array]:
    """POT의 네트워크 단체법: 계획과 두 퍼텐셜. 비용의 크기는 1쯤이어야 한다."""
    n, m = costs.shape
    equal = bool((a == a[0]).all() and (b == b[0]).all())
    common = math.gcd(n, m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 풀지 못했다는 경고 대신 아래에서 오류를 낸다
        # 가중치가 모두 같으면 개수로 푼다: 더하고 빼도 반올림이 없다.
        weights = (np.full(n, m / common), np.full(m, n / common)) if equal else (a, b)
        flow, log = ot.emd(*weights, costs, numItermax=limit, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"{named}: 단체법이 반복 {limit}번 안에 풀지 못했다 ({log['warning']})")
    if equal:
        flow = flow / (n * m / common)
    else:
        rows, columns = np.nonzero(flow)
        amounts = flow[rows, columns]
        dust = amounts <= np.minimum((n + m) * np.finfo(np.float64).eps, DUST * np.minimum(a[rows], b[columns]))
        flow[rows[dust], columns[dust]] = 0
    return flow, log["u"], log["v"]
