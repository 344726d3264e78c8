"""커플링에서 와서스타인 거리까지: `docs/transport/wasserstein.md`."""

import math
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import brentq
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual
from torch.distributions import Distribution
from torch.nn.functional import pad

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, Interval
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision
from mgk_docs_src.random import randn
from mgk_docs_src.transport.problem import DUST, constant, exact_plan, masses

Coupling = Literal["comonotone", "independent", "countermonotone"]

_CORRELATION = Interval(-1.0, 1.0)
_ORDER = Interval(1.0, math.inf)
_STEPS = 10_000_000  # 단체법의 반복 수의 한도
_ROUNDS = 30  # 거듭제곱의 단위를 다시 정하는 횟수의 한도
_DIGITS = 150  # 거듭제곱한 비용을 10의 이 제곱 안에 둔다
_SMALL_ORDER = 100  # 이 p까지는 (1/2)^p가 언더플로하지 않는다
# 좌표가 이 범위이면 그 차의 제곱이 오버플로하거나 언더플로하지 않는다
_SQUARABLE = {torch.float32: (2.0**-40, 2.0**60), torch.float64: (2.0**-400, 2.0**500)}


@full_precision
def sample_coupling(
    p: Distribution,
    q: Distribution,
    n: int,
    *,
    correlation: float,
    generator: torch.Generator | None,
) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
    r"""주변 분포가 정확히 $P$와 $Q$인 커플링(coupling, 짝짓기) $\gamma$에서 쌍을 뽑는다(가우스 코퓰라).

    $$X = F_P^{-1}(\Phi(Z_1)), \qquad Y = F_Q^{-1}\bigl(\Phi(\rho Z_1 + \sqrt{1 - \rho^2}\, Z_2)\bigr), \qquad
    Z_1, Z_2 \sim \mathcal{N}(0, 1)$$

    $\rho$가 무엇이든 주변 분포는 그대로이고 커플링만 바뀐다. $\rho = 1$이면 큰 값이 큰 값과 짝이 되고(공단조),
    $\rho = 0$이면 독립이고, $\rho = -1$이면 큰 값이 작은 값과 짝이 된다(반단조). 분위수는 float64로 계산한다.

    Args:
        p: $X$의 분포 $P$. 실수 하나를 내고 `icdf`가 있는 분포.
        q: $Y$의 분포 $Q$. 위와 같다.
        n: 쌍의 수. 1 이상.
        correlation: 정규 난수의 상관 계수 $\rho \in [-1, 1]$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        $(x, y)$. 자료형과 장치는 각 분포의 모수를 따른다.

    Raises:
        TypeError: 분포가 아니거나, `n`이 정수가 아니거나, `correlation`이 수가 아니면.
        ValueError: 분포에 `icdf`가 없거나 실수 하나를 내지 않으면, `n`이나 `correlation`이 범위를 벗어나면,
            다른 장치의 발생기이면.

    References:
        Nelsen, R. B. (2006). An Introduction to Copulas, 2.3절, 2.5절.
    """
    medians = [_median(p=p), _median(q=q)]
    checks.count(1, n=n)
    checks.number(_CORRELATION, correlation=correlation)
    z1, z2 = randn(2, n, generator=generator, device=medians[0].device, dtype=torch.float64)
    normals = (z1, correlation * z1 + math.sqrt(1 - correlation**2) * z2)
    # Φ가 0이나 1로 반올림되면 분위수가 무한대다. 2u − 1이 ±1이 되지 않는 범위로 자른다.
    edge = torch.finfo(torch.float64).eps / 2
    x, y = (
        distribution.icdf(torch.special.ndtr(z).clamp(edge, 1 - edge).to(median.device)).to(median.dtype)
        for distribution, median, z in zip((p, q), medians, normals, strict=True)
    )
    return x, y


def normal_uniform_distance(half_width: float, *, coupling: Coupling) -> float:
    r"""$X \sim \mathcal{N}(0, 1)$과 $Y \sim \mathcal{U}(-a, a)$의 커플링마다 $\mathbb{E}|X - Y|$의 닫힌 식.

    $$\mathbb{E}|X - Y| = \begin{cases}
    2\,(2 H(x^*) - H(0)) & \text{공단조} \\
    \dfrac{(1 + a^2)(2\Phi(a) - 1) + 2a\Phi'(a)}{2a} & \text{독립} \\
    \sqrt{2/\pi} + a/2 & \text{반단조}
    \end{cases}, \qquad H(x) = a\,(\Phi(x)^2 - \Phi(x)) + \Phi'(x)$$

    $x^* \ge 0$는 두 분위수가 만나는 가장 먼 곳, 곧 $x = a\,(2\Phi(x) - 1)$의 가장 큰 근이고 $H$가 최대인 점이다.
    $2a \le \sqrt{2\pi}$이면 $x^* = 0$이다. 공단조의 값이 $W_1$이다.

    Args:
        half_width: 균등 분포의 반너비 $a > 0$.
        coupling: `"comonotone"`, `"independent"`, `"countermonotone"`.

    Returns:
        평균 거리. 0보다 크다.

    Raises:
        TypeError: `half_width`가 수가 아니면.
        ValueError: `half_width`가 0보다 크지 않거나, 커플링의 이름이 셋 가운데 하나가 아니면.

    References:
        Villani, C. (2003). Topics in Optimal Transportation, 2.2절.
    """
    checks.number(POSITIVE, half_width=half_width)
    checks.choice(("comonotone", "independent", "countermonotone"), coupling=coupling)
    a = float(half_width)
    if coupling == "countermonotone":
        return math.sqrt(2 / math.pi) + a / 2
    if coupling == "independent":
        inside = math.erf(a / math.sqrt(2))  # 2Φ(a) − 1. 큰 a의 제곱은 오버플로하므로 나누어 더한다
        return (inside / a + a * inside) / 2 + _normal_density(a)

    def h(x: float) -> float:
        upper = math.erfc(x / math.sqrt(2)) / 2  # 1 − Φ(x)
        return a * (upper**2 - upper) + _normal_density(x)

    return 2 * (2 * h(_quantile_crossing(a)) - h(0.0))


@full_precision
def cost_matrix(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    *,
    p: float = 1.0,
) -> Float[Tensor, "n m"]:
    r"""점마다의 수송 비용: 유클리드 거리의 $p$제곱.

    $$C_{ij} = \lVert x_i - y_j \rVert^p$$

    차를 바로 계산하므로 겹친 두 점의 거리는 정확히 0이다. 겹친 점에서 기울기는 0으로 둔다.
    두 번 미분한 것과 전진 미분(jvp)은 `torch.cdist`에 없어 오류가 난다.

    Args:
        x: 점 $x_i$. 행 하나가 점 하나.
        y: 점 $y_j$. 행 하나가 점 하나.
        p: 지수 $p \ge 1$.

    Returns:
        0 이상의 비용 (n, m).

    Raises:
        TypeError: 텐서가 아니거나, `p`가 수가 아니면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나,
            `p`가 1보다 작거나, 비용이 그 자료형에서 오버플로하면.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 2.2절.
    """
    largest = _check_points(x, y, p)
    kind = torch.promote_types(x.dtype, y.dtype)
    cost = _power(_distances(x, y, largest), p).to(kind)
    # 거리는 √d · 2max|x|를 넘지 못한다. 이 한계의 거듭제곱이 오버플로하지 않으면 값을 확인하지 않아도 된다.
    if p * math.log2(2 * largest * math.sqrt(x.shape[1]) + 1) >= math.log2(torch.finfo(kind).max):
        top = checks.plain(cost).max().item()
        if math.isinf(top):
            raise ValueError(f"x, y: 거리의 {p:g}제곱이 {kind}로 표현되어야 하는데 {top}이다")
    return cost


class Plan(NamedTuple):
    r"""최적 수송 계획과, 그 계획이 최적임을 보이는 쌍대 퍼텐셜.

    $$\langle \gamma, C \rangle = \sum_i a_i f_i + \sum_j b_j g_j, \qquad f_i + g_j \le C_{ij}$$

    Attributes:
        coupling: 수송 계획 $\gamma_{ij} \ge 0$. $i$에서 $j$로 옮기는 양.
        cost: 드는 비용 $\langle \gamma, C \rangle$.
        f: 보내는 쪽의 퍼텐셜 $f_i$.
        g: 받는 쪽의 퍼텐셜 $g_j$.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 2.5절.
    """

    coupling: Float[Tensor, "n m"]
    cost: Float[Tensor, ""]
    f: Float[Tensor, "n"]
    g: Float[Tensor, "m"]


@full_precision
def optimal_plan(
    cost: Float[Tensor, "n m"],
    a: Float[Tensor, "n"] | None = None,
    b: Float[Tensor, "m"] | None = None,
    *,
    max_iterations: int = _STEPS,
) -> Plan:
    r"""수송 문제의 정확한 답. POT의 네트워크 단체법으로 풀고, 쌍대 퍼텐셜로 최적임을 확인한다.

    $$\min_{\gamma \ge 0} \langle \gamma, C \rangle \quad \text{단} \quad
    \gamma \mathbf{1} = a, \; \gamma^\top \mathbf{1} = b \qquad = \qquad
    \max_{f, g} \langle a, f \rangle + \langle b, g \rangle \quad \text{단} \quad f_i + g_j \le C_{ij}$$

    CPU에서 float64로 풀고 `cost`의 자료형과 장치로 되돌린다. 쌍대 간격이 **돌려줄 비용**의 $10^{-9}$배를 넘으면, 곧
    쓰지 않는 경로가 쓰는 경로보다 수백만 배 비싸 유효 숫자를 잃었으면, 남은 여분(slack) $C_{ij} - f_i - g_j$를 확대해
    다시 푼다. 그래도 넘으면 오류를 낸다. 가중치가 모두 같으면 개수로 풀어 반올림이 없고, 다르면 가중치의 합의 반올림
    오차만 한 양은 옮기지 않는다. 퍼텐셜은 c-변환을 두 번 거쳐 가중치가 0인 점에서도 제약을 지킨다. 비용은 `cost`로
    미분할 수 있고 그 기울기는 $\gamma$다(포락선 정리). 가중치로는 미분하지 않는다.

    Args:
        cost: 비용 $C_{ij}$. 음수여도 된다.
        a: 보내는 양 $a_i \ge 0$, 합이 1. 기본값은 모두 같은 양.
        b: 받는 양 $b_j \ge 0$, 합이 1. 기본값은 모두 같은 양.
        max_iterations: 단체법의 반복 수의 한도. 1 이상.

    Returns:
        계획, 비용, 두 퍼텐셜.

    Raises:
        TypeError: 텐서가 아니거나, `max_iterations`가 정수가 아니면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 비용이 유한하지 않거나, 가중치가
            음수이거나, 합이 1이 아니면.
        RuntimeError: 한도 안에 풀지 못했거나, 답이 최적임을 확인하지 못하면.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 2.3절, 2.5절, 3.5절.
        POT 문서, `ot.emd`.
    """
    checks.floating(cost=cost)
    checks.ndim(2, 2, cost=cost)
    checks.nonempty(cost=cost)
    checks.within(cost=(cost, REAL))
    checks.count(1, max_iterations=max_iterations)
    weights = masses(cost.shape[0], cost.device, a=a), masses(cost.shape[1], cost.device, b=b)
    coupling, f, g = constant(partial(_solve_table, limit=max_iterations), cost, *weights)
    total = (coupling * cost.double()).sum()
    return Plan(*(part.to(cost.dtype) for part in (coupling, total, f, g)))


@full_precision
def c_transform(potential: Float[Tensor, "n"], cost: Float[Tensor, "n m"]) -> Float[Tensor, "m"]:
    r"""c-변환(c-transform): 퍼텐셜 $f$가 주어졌을 때 제약을 지키는 가장 큰 퍼텐셜.

    $$f^c_j = \min_i \left( C_{ij} - f_i \right)$$

    Args:
        potential: 퍼텐셜 $f_i$.
        cost: 비용 $C_{ij}$.

    Returns:
        $f_i + f^c_j \le C_{ij}$인 $f^c_j$.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있으면.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 3.2절, 5.1절.
    """
    checks.floating(potential=potential, cost=cost)
    checks.ndim(2, 2, cost=cost)
    checks.nonempty(cost=cost)
    checks.shape(cost.shape[:1], potential=potential)
    checks.device(cost.device, potential=potential)
    checks.within(potential=(potential, REAL), cost=(cost, REAL))
    return (cost - potential[:, None]).amin(0)


@full_precision
def wasserstein(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    *,
    p: float = 1.0,
    a: Float[Tensor, "n"] | None = None,
    b: Float[Tensor, "m"] | None = None,
) -> Float[Tensor, ""]:
    r"""두 점 구름 사이의 와서스타인 거리. 수송 문제를 정확히 푼다.

    $$W_p(P, Q) = \Bigl( \min_{\gamma \in \Pi(P, Q)} \sum_{ij} \gamma_{ij} \lVert x_i - y_j \rVert^p \Bigr)^{1/p}$$

    답은 [`optimal_plan`][mgk_docs_src.transport.wasserstein.optimal_plan]처럼 확인한다. 한 점이 아무리 멀어도 나머지
    거리의 유효 숫자를 유지한다. `x`와 `y`로 미분할 수 있다: 최적 커플링 $\gamma$를 고정하고 비용만 미분한다(포락선
    정리). 거리가 0이면 미분할 수 없고, 기울기를 0으로 둔다. 가중치로는 미분하지 않는다. 메모리는 $nm$에 비례한다.

    Args:
        x: $P$의 점 $x_i$. 행 하나가 점 하나.
        y: $Q$의 점 $y_j$. 행 하나가 점 하나.
        p: 지수 $p \ge 1$.
        a: $x_i$의 가중치, 합이 1. 기본값은 모두 같은 가중치.
        b: $y_j$의 가중치, 합이 1. 기본값은 모두 같은 가중치.

    Returns:
        0 이상의 거리. 단위는 점의 좌표와 같다.

    Raises:
        TypeError: 텐서가 아니거나, `p`가 수가 아니면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나,
            `p`가 1보다 작거나, 가중치가 음수이거나, 가중치의 합이 1이 아니면.
        RuntimeError: 단체법이 한도 안에 풀지 못했거나, 답이 최적임을 확인하지 못하면.

    References:
        Villani, C. (2009). Optimal Transport: Old and New, 6장.
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 2.4절.
    """
    largest = _check_points(x, y, p)
    weights = masses(x.shape[0], x.device, a=a), masses(y.shape[0], x.device, b=b)
    wide_x, wide_y = x.double(), y.double()
    rows, columns, flow, unit = constant(partial(_solve_points, p=p, largest=largest), wide_x, wide_y, *weights)
    # 실제로 옮기는 쌍의 거리만 다시 계산한다. 제곱에서 바로 거듭제곱해야 겹친 쌍에서도 두 번 미분한 값이 옳다.
    squares = ((wide_x[rows] - wide_y[columns]) / unit).square().sum(1)  # (n + m − 1)
    distance = unit * _root((flow * _power(squares, p / 2)).sum(), p)
    return distance.to(torch.promote_types(x.dtype, y.dtype))


@full_precision
def wasserstein_1d(
    x: Float[Tensor, "*batch n"],
    y: Float[Tensor, "*batch m"],
    *,
    p: float = 1.0,
    x_weights: Float[Tensor, "*batch n"] | None = None,
    y_weights: Float[Tensor, "*batch m"] | None = None,
) -> Float[Tensor, "*batch"]:
    r"""1차원의 와서스타인 거리. 두 표본을 정렬해 순서대로 짝지으면 최적 커플링이다.

    $$W_p(P, Q) = \Bigl( \int_0^1 \left| F_P^{-1}(u) - F_Q^{-1}(u) \right|^p du \Bigr)^{1/p}$$

    가중치가 없고 $n = m$이면 정렬한 표본끼리의 차로 계산한다:
    $\bigl(\frac{1}{n} \sum_i |x_{(i)} - y_{(i)}|^p\bigr)^{1/p}$.
    시간은 $O((n + m) \log (n + m))$. 차와 합은 float64로 계산하고 끝에서 한 번 반올림한다.
    미분할 수 있다. 거리가 0이면 기울기를 0으로 둔다.

    Args:
        x: $P$의 표본. 마지막 축이 표본이고, 앞의 축마다 따로 계산한다.
        y: $Q$의 표본. 앞의 축은 `x`와 같고, 수는 달라도 된다.
        p: 지수 $p \ge 1$.
        x_weights: 표본의 가중치, 0 이상. 합은 1이 아니어도 되고, 그 합으로 나눈다. 기본값은 모두 같은 가중치.
        y_weights: 위와 같다. 둘 다 주면 합이 서로 같아야 한다(상대 오차 $\sqrt{\varepsilon}$까지).

    Returns:
        0 이상의 거리, 앞의 축의 모양. 단위는 표본과 같다.

    Raises:
        TypeError: 텐서가 아니거나, `p`가 수가 아니면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나,
            `p`가 1보다 작거나, 가중치가 음수이거나, 가중치의 합이 0이거나, 두 합이 다르면.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 2.6절.
        SciPy 문서, `scipy.stats.wasserstein_distance`.
    """
    _check_samples(x, y, x_weights, y_weights)
    checks.number(_ORDER, p=p)
    pieces = _transport_1d(x, y, x_weights, y_weights)
    return _power_mean(pieces, p, (-1,)).to(torch.promote_types(x.dtype, y.dtype))


class Potential(NamedTuple):
    r"""1차원의 칸토로비치–루빈시테인 퍼텐셜. 점 사이에서는 선형이다.

    $$|\varphi(z_{k+1}) - \varphi(z_k)| \le |z_{k+1} - z_k|$$

    Attributes:
        points: 두 표본을 모아 정렬한 점 $z_k$.
        values: 그 점에서의 값 $\varphi(z_k)$. 가장 왼쪽에서 0이다.

    References:
        Villani, C. (2003). Topics in Optimal Transportation, 1.2절.
    """

    points: Float[Tensor, "k"]
    values: Float[Tensor, "k"]


@full_precision
def potential_1d(
    x: Float[Tensor, "n"],
    y: Float[Tensor, "m"],
    *,
    x_weights: Float[Tensor, "n"] | None = None,
    y_weights: Float[Tensor, "m"] | None = None,
) -> Potential:
    r"""1차원에서 $W_1$의 쌍대 문제를 푸는 1-립시츠 함수.

    $$W_1(P, Q) = \max_{|\varphi'| \le 1} \mathbb{E}_P[\varphi] - \mathbb{E}_Q[\varphi]
    = \int |G - F|\, dz, \qquad \varphi' = \operatorname{sign}(G - F)$$

    $F$와 $G$는 $P$와 $Q$의 누적 분포 함수다. 누적합은 float64로 계산한다.

    Args:
        x: $P$의 표본.
        y: $Q$의 표본. 수는 달라도 된다.
        x_weights: 표본의 가중치, 0 이상. 합은 1이 아니어도 되고, 그 합으로 나눈다. 기본값은 모두 같은 가중치.
        y_weights: 위와 같다. 둘 다 주면 합이 서로 같아야 한다(상대 오차 $\sqrt{\varepsilon}$까지).

    Returns:
        정렬한 점 $n + m$개와 그 점에서의 값.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나,
            가중치가 음수이거나, 가중치의 합이 0이거나, 두 합이 다르면.

    References:
        Villani, C. (2003). Topics in Optimal Transportation, 1.2절, 2.2절.
    """
    checks.tensor(x=x, y=y)
    checks.ndim(1, 1, x=x, y=y)
    _check_samples(x, y, x_weights, y_weights)
    kind = torch.promote_types(x.dtype, y.dtype)
    z, order = torch.cat([x.to(kind), y.to(kind)]).sort()
    mass_x, mass_y = _or_equal(x, x_weights), _or_equal(y, y_weights)
    # 두 누적합을 따로 구해야, 같은 분포이면 F와 G가 끝자리까지 같다.
    f = _levels(torch.cat([mass_x, torch.zeros_like(mass_y)])[order])  # F(z_k)
    g = _levels(torch.cat([torch.zeros_like(mass_x), mass_y])[order])  # G(z_k)
    rise = g - f
    if x_weights is not None or y_weights is not None:  # 가중치의 누적합에 쌓인 반올림 오차는 기울기 0으로 본다
        rise = rise.masked_fill(rise.abs() <= len(z) * torch.finfo(rise.dtype).eps, 0.0)
    steps = torch.sign(rise)[:-1] * z.double().diff()
    values = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
    return Potential(z, values.to(kind))


@full_precision
def sliced_wasserstein(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    *,
    p: float = 1.0,
    projections: int = 128,
    generator: torch.Generator | None,
) -> Float[Tensor, ""]:
    r"""무작위 방향에 사영한 1차원 거리를 평균한 sliced 와서스타인 거리.

    $$SW_p(P, Q) = \Bigl( \mathbb{E}_{\theta \sim \mathcal{U}(S^{d-1})}
    \bigl[ W_p(\theta_\# P, \theta_\# Q)^p \bigr] \Bigr)^{1/p}$$

    기댓값은 방향 $L$개의 평균으로 근사한다. 시간은 $O(L\,(n + m)(d + \log (n + m)))$. 미분할 수 있다.

    Args:
        x: $P$의 점. 행 하나가 점 하나.
        y: $Q$의 점. 행 하나가 점 하나. 수는 달라도 된다.
        p: 지수 $p \ge 1$.
        projections: 방향의 수 $L$. 1 이상.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        0 이상의 거리. $W_p$보다 크지 않고, $d = 1$이면 같다.

    Raises:
        TypeError: 텐서가 아니거나, `p`가 수가 아니거나, `projections`가 정수가 아니면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 실수형이 아니거나, 유한하지 않은 값이 있거나, `p`나
            `projections`가 1보다 작거나, 다른 장치의 발생기이면.

    References:
        Bonneel, N., Rabin, J., Peyré, G. & Pfister, H. (2015). Sliced and Radon Wasserstein Barycenters of Measures.
    """
    _check_points(x, y, p)
    checks.count(1, projections=projections)
    wide_x, wide_y = widen(x, y)
    directions = randn(projections, x.shape[1], generator=generator, device=x.device, dtype=torch.float64)
    theta = (directions / directions.norm(dim=1, keepdim=True)).to(wide_x.dtype)  # (L, d)
    pieces = _transport_1d(theta @ wide_x.T, theta @ wide_y.T, None, None)
    return _power_mean(pieces, p, (-2, -1)).to(torch.promote_types(x.dtype, y.dtype))


def _median(**distributions: Distribution) -> Tensor:
    # 중앙값의 자료형과 장치가 모수의 자료형과 장치다. 표본을 뽑아서 알아내면 전역 난수의 상태가 바뀐다.
    ((name, distribution),) = distributions.items()
    if not isinstance(distribution, Distribution):
        raise TypeError(f"{name}: torch의 분포여야 하는데 {type(distribution).__name__}이다")
    kind = type(distribution).__name__
    if distribution.batch_shape or distribution.event_shape:
        shape = tuple(distribution.batch_shape + distribution.event_shape)
        raise ValueError(f"{name}: 실수 하나를 내는 분포여야 하는데 {kind}의 모양이 {shape}이다")
    try:
        return distribution.icdf(torch.tensor(0.5, dtype=torch.float16, device="cpu"))
    except NotImplementedError as error:
        raise ValueError(f"{name}: 분위수 함수 icdf가 있는 분포여야 하는데 {kind}에는 없다") from error


def _normal_density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _quantile_crossing(a: float) -> float:
    # x = a (2Φ(x) − 1)의 가장 큰 근. 하한은 2Φ(x) − 1 ≥ 2Φ'(0)(x − x³/6)에서 나온다.
    def gap(x: float) -> float:
        return a * math.erf(x / math.sqrt(2)) - x

    low = math.sqrt(6 * max(0.0, 1 - 1 / (2 * a * _normal_density(0.0))))
    return low if gap(low) <= 0 else float(brentq(gap, low, a, xtol=1e-15))


def _distances(x: Tensor, y: Tensor, largest: float) -> Tensor:
    """‖x_i − y_j‖. `largest`는 좌표의 크기의 최댓값."""
    wide_x, wide_y = widen(x, y)
    low, high = _SQUARABLE[wide_x.dtype]
    if largest == 0 or low <= largest <= high:
        return _direct_distances(wide_x, wide_y)
    # 좌표의 제곱이 오버플로하거나 언더플로할 수 있다. float64로 계산하고, 그래도 그렇다면 2의 거듭제곱으로 나눈다.
    distance = _direct_distances(wide_x.double(), wide_y.double())
    low, high = _SQUARABLE[torch.float64]
    scale = 2.0 ** min(math.frexp(largest)[1], 1023)
    scaled = scale * _direct_distances(wide_x.double() / scale, wide_y.double() / scale)
    return torch.where((distance >= low) & (distance <= high), distance, scaled)


def _direct_distances(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _power(base: Tensor, p: float) -> Tensor:
    if p == 1:
        return base
    if p > 1:
        return base**p
    # 0에서 x^p의 기울기는 무한대이고, 여기에 0을 곱하면 nan이다. 그래서 0인 원소는 상수로 바꾼다.
    zero = base == 0
    power: Tensor = base.masked_fill(zero, 1.0) ** p
    return power.masked_fill(zero, 0.0)


def _root(total: Tensor, p: float) -> Tensor:
    return _power(total, 1 / p)


def _unit(largest: Tensor, p: float) -> Tensor:
    """거듭제곱하기 전에 나눌 단위. 작은 p에서는 2의 거듭제곱이라 나누어도 반올림이 없다."""
    size = torch.ldexp(torch.ones_like(largest), largest.frexp().exponent) if p <= _SMALL_ORDER else largest
    return size.masked_fill(largest == 0, 1.0)


def _power_mean(pieces: list[tuple[Tensor, Tensor | None]], p: float, dims: tuple[int, ...]) -> Tensor:
    """조각 (x − y, du)에서 (∫ |x − y|^p du)^(1/p). 어떤 p에서도 중간 값이 오버플로하거나 언더플로하지 않는다.

    너비가 `None`이면 모두 같다. 축 `dims`를 없앤다: 마지막 축이 조각이고, 그 앞의 축은 평균한다.
    """
    if p == 1:
        return _integrals([(gaps.abs(), widths) for gaps, widths in pieces], dims)
    # 너비가 0인 조각의 차는 얼마든지 클 수 있다. 무한대에 0을 곱하지 않도록 먼저 0으로 바꾼다.
    counted = [(gaps if widths is None else gaps.masked_fill(widths <= 0, 0.0), widths) for gaps, widths in pieces]
    largest = torch.stack([gaps.detach().abs().amax(dims, keepdim=True) for gaps, _ in counted]).amax(0)
    unit = _unit(largest, p)
    total = _integrals([(_magnitude(gaps / unit, p), widths) for gaps, widths in counted], dims)
    return unit.reshape(total.shape) * _root(total, p)


def _magnitude(ratio: Tensor, p: float) -> Tensor:
    return ratio.square() if p == 2 else ratio.abs() ** p


def _integrals(pieces: list[tuple[Tensor, Tensor | None]], dims: tuple[int, ...]) -> Tensor:
    totals = [values.mean(-1) if widths is None else (values * widths).sum(-1) for values, widths in pieces]
    total = totals[0] if len(totals) == 1 else totals[0] + totals[1]
    return total if len(dims) == 1 else total.mean(-1)


def _transport_1d(
    x: Tensor, y: Tensor, x_weights: Tensor | None, y_weights: Tensor | None
) -> list[tuple[Tensor, Tensor | None]]:
    """정렬해 짝지은 조각마다의 x − y와 너비 du, float64. 너비가 모두 같으면 `None`."""
    if x_weights is None and y_weights is None and x.shape == y.shape:
        return [(_sorted(x).double() - _sorted(y).double(), None)]
    x_order, y_order = _order(x), _order(y)
    x_sorted, y_sorted = x.gather(-1, x_order), y.gather(-1, y_order)
    levels_x = _levels(_or_equal(x, x_weights).gather(-1, x_order))  # F(x_(i))
    levels_y = _levels(_or_equal(y, y_weights).gather(-1, y_order))  # G(y_(j))
    snapped = x_weights is not None or y_weights is not None
    # 두 분위수 함수가 모두 상수인 조각들. 높이가 같으면 x에서 끝나는 조각으로만 센다.
    return [
        _pieces(x_sorted, levels_x, y_sorted, levels_y, right=False, snapped=snapped),
        _pieces(y_sorted, levels_y, x_sorted, levels_x, right=True, snapped=snapped),
    ]


def _sorted(x: Tensor) -> Tensor:
    # 값만 정렬하면 순서까지 구하는 것보다 몇 배 빠르다. 미분하거나 torch.func의 변환 안이면 순서가 있어야 한다.
    followed = x.requires_grad or torch.func.debug_unwrap(x) is not x
    followed = followed or unpack_dual(x).tangent is not None  # type: ignore[no-untyped-call]
    if followed or not _on_numpy(x):
        return x.gather(-1, _order(x))
    return torch.from_numpy(np.sort(x.numpy(), axis=-1))


def _order(x: Tensor) -> Tensor:
    (order,) = constant(_argsort, x)
    return order


def _argsort(x: Tensor) -> tuple[Tensor, ...]:
    return (torch.from_numpy(np.argsort(x.numpy(), axis=-1)) if _on_numpy(x) else x.argsort(-1),)


def _on_numpy(x: Tensor) -> bool:
    # CPU에서는 NumPy의 정렬(SIMD)이 torch보다 몇 배 빠르다. bfloat16은 NumPy에 없다.
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)


def _pieces(
    ends: Tensor, levels: Tensor, others: Tensor, other_levels: Tensor, *, right: bool, snapped: bool
) -> tuple[Tensor, Tensor]:
    """높이 `levels`에서 끝나는 조각들의 차와 너비."""
    index = torch.searchsorted(other_levels.detach(), levels.detach(), right=right)
    below, other_below = (pad(level, (1, 0)) for level in (levels, other_levels))
    widths = levels - torch.maximum(below[..., :-1], other_below.gather(-1, index))
    index = index.clamp(max=others.shape[-1] - 1)  # 높이 1에서는 번호가 하나 넘칠 수 있다. 그때 조각의 너비는 0이다
    if snapped:
        rounding = (ends.shape[-1] + others.shape[-1]) * torch.finfo(widths.dtype).eps
        dust = (widths > 0) & (widths <= rounding)
        if checks.plain(dust).any():
            # 가중치를 더하는 순서만 달라도 높이가 어긋난다. 두 점의 가중치에 비해서도 무시할 만하면 조각으로 세지
            # 않는다.
            masses_there = levels.diff(prepend=below[..., :1]), other_levels.diff(prepend=below[..., :1])
            smaller = torch.minimum(masses_there[0], masses_there[1].gather(-1, index))
            widths = widths.masked_fill(dust & (widths <= DUST * smaller), 0.0)
    return ends.double() - others.gather(-1, index).double(), widths


def _or_equal(x: Tensor, weights: Tensor | None) -> Tensor:
    return torch.ones_like(x, dtype=torch.float64, requires_grad=False) if weights is None else weights.double()


def _levels(weights: Tensor) -> Tensor:
    # 먼저 더하고 나중에 나눈다: 가중치가 없으면 개수의 합이라 반올림 오차가 쌓이지 않고, 끝은 정확히 1이다.
    sums = weights.cumsum(-1)
    return sums / sums[..., -1:]


def _solve_table(cost: Tensor, a: Tensor, b: Tensor, *, limit: int) -> tuple[Tensor, ...]:
    parts = exact_plan(cost.cpu().double().numpy(), a.cpu().numpy(), b.cpu().numpy(), limit=limit, named="cost")
    return tuple(torch.from_numpy(part).to(cost.device) for part in parts)


def _solve_points(x: Tensor, y: Tensor, a: Tensor, b: Tensor, *, p: float, largest: float) -> tuple[Tensor, ...]:
    """최적 계획의 쌍 (i, j)와 옮기는 양, 거리를 나눌 단위. 길이는 n + m − 1이고 남는 원소의 양은 0이다."""
    distance = _distances(x, y, largest)
    longest = float(distance.max())
    if math.isinf(longest):
        raise ValueError("x, y: 점 사이의 거리가 float64로 표현되어야 하는데 inf이다")
    # 거듭제곱이 오버플로하거나 언더플로하지 않으면 그대로, 아니면 가장 먼 쌍의 거리를 단위로 한다.
    unit = 1.0 if longest == 0 or abs(p * math.log10(longest)) < _DIGITS else longest
    for _ in range(_ROUNDS):
        costs = _power(distance if unit == 1 else distance / unit, p)
        if unit != 1:
            costs = costs.clamp(max=10.0**_DIGITS)  # 이보다 비싼 쌍은 최적 계획에 들지 않는다
        table = costs.cpu().numpy()
        flow = exact_plan(table, a.cpu().numpy(), b.cpu().numpy(), limit=_STEPS, named="x, y")[0]
        rows, columns = np.nonzero(flow)
        amounts = flow[rows, columns]
        longest = float(distance.cpu().numpy()[rows, columns].max())
        if longest == 0 or (amounts * table[rows, columns]).sum() > 10.0**-_DIGITS:
            break
        unit = longest  # 쓰지 않는 먼 쌍에 비해 작아 언더플로했다. 쓴 쌍 가운데 가장 먼 거리를 단위로 다시 푼다
    else:
        raise RuntimeError(f"p: 거리의 {p:g}제곱이 너무 넓게 퍼져 풀지 못했다")
    found = np.zeros((3, sum(table.shape) - 1))
    found[:2] = rows[:1], columns[:1]  # 남는 원소도 쓰는 쌍이어야 거듭제곱이 오버플로하지 않는다
    found[:, : len(rows)] = rows, columns, amounts
    first, second, mass = torch.from_numpy(found).to(x.device)
    return first.long(), second.long(), mass, _unit(x.new_tensor(longest), p)


def _check_points(x: Tensor, y: Tensor, p: float) -> float:
    """좌표의 크기의 최댓값을 돌려준다."""
    checks.floating(x=x, y=y)
    checks.ndim(2, 2, x=x, y=y)
    checks.nonempty(x=x, y=y)
    checks.shape((y.shape[0], x.shape[1]), y=y)
    checks.device(x.device, y=y)
    ends = checks.extremes(x=(x, REAL), y=(y, REAL))
    checks.number(_ORDER, p=p)
    return max(abs(end) for pair in ends.values() for end in pair)


def _check_samples(x: Tensor, y: Tensor, x_weights: Tensor | None, y_weights: Tensor | None) -> None:
    checks.floating(x=x, y=y)
    checks.ndim(1, math.inf, x=x, y=y)
    checks.nonempty(x=x, y=y)
    checks.shape((*x.shape[:-1], y.shape[-1]), y=y)
    checks.device(x.device, y=y)
    checks.within(x=(x, REAL), y=(y, REAL))
    totals = {}
    for name, samples, weights in (("x_weights", x, x_weights), ("y_weights", y, y_weights)):
        if weights is not None:
            checks.floating(**{name: weights})
            checks.shape(tuple(samples.shape), **{name: weights})
            checks.device(x.device, **{name: weights})
            checks.within(**{name: (weights, NONNEGATIVE)})
            totals[name] = weights.detach().double().sum(-1)
            checks.within(**{f"{name}의 합": (totals[name], POSITIVE)})
    if x_weights is not None and y_weights is not None:
        tolerance = max(torch.finfo(weights.dtype).eps for weights in (x_weights, y_weights)) ** 0.5
        total_x, total_y = (total.flatten() for total in totals.values())
        worst = ((total_x - total_y).abs() / total_x).argmax()
        came_x, came_y = torch.stack([total_x[worst], total_y[worst]]).tolist()
        if abs(came_x - came_y) > tolerance * came_x:
            raise ValueError(
                "x_weights, y_weights: 합이 서로 같아야 하는데 "
                f"{came_x:.6g} 대 {came_y:.6g}이다 (상대 허용 오차 {tolerance:.2g})"
            )
