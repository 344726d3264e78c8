"""엔트로피로 정칙화한 최적 수송과 싱크혼 알고리즘: `docs/transport/sinkhorn.md`."""

import math
import warnings
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, Interval
from mgk_docs_src.modes import full_precision
from mgk_docs_src.transport.problem import constant, masses
from mgk_docs_src.transport.wasserstein import c_transform, cost_matrix

_ORDER = Interval(1.0, 2.0)  # 이 범위에서 exp(−‖x − y‖ᵖ/ε)가 양의 정부호라 발산이 음수가 되지 않는다
_TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-4}
_COOLING = 4.0  # ε 스케일링에서 ε을 나누는 수
_WARM = 0.1  # ε 스케일링 도중에 멈추는 잔차. 다음 ε의 초깃값으로 쓸 만하면 된다
_OMEGA = 1.8  # 과이완의 배수. 1이면 보통의 싱크혼이고 2부터는 발산한다
_PATIENCE = 50  # 이만큼 반복해도 수렴하지 않으면 뉴턴 스텝을 섞는다
_STRIDE = 5.0  # 뉴턴 스텝 하나에 계획의 칸이 커지는 배수의 로그의 한도. 1이면 쌍대의 값이 반드시 는다
_CHECK = 10  # 잔차를 확인하는 간격. 확인할 때마다 장치와 동기화한다


class Sinkhorn(NamedTuple):
    r"""싱크혼 알고리즘이 멈춘 곳.

    $$\mathrm{residual} = \lVert \gamma \mathbf{1} - a \rVert_1 + \lVert \gamma^\top \mathbf{1} - b \rVert_1$$

    Attributes:
        f: 보내는 쪽의 퍼텐셜 $f_i$.
        g: 받는 쪽의 퍼텐셜 $g_j$. $f$에 상수를 더하고 $g$에서 빼도 같은 해다.
        residual: [`coupling`][mgk_docs_src.transport.sinkhorn.coupling]이 이 퍼텐셜로 만드는 바로 그 계획의 주변 분포가
            $a$, $b$에서 벗어난 양. 0이면 정확히 맞고, 2를 크게 넘지 않는다.
        iterations: 반복 수. $\gamma$와 $\gamma^\top$를 한 번씩 곱하면 한 번으로 센다. $\varepsilon$ 스케일링의 반복도
            센다.
        converged: 잔차가 허용값 이하인가. 비용이 맞는다는 뜻은 아니다: 잔차가 $r$이면 계획의 비용은 $r \max |C|$만큼
            어긋날 수 있고, 멀리 떨어진 덩어리 사이로 조금만 옮기는 문제에서는 이 오차가 비용의 거의 전부일 수 있다.
            비용의 범위는 [`certified_interval`][mgk_docs_src.transport.sinkhorn.certified_interval]로 구한다.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 4.2절.
    """

    f: Float[Tensor, "n"]
    g: Float[Tensor, "m"]
    residual: float
    iterations: int
    converged: bool


class Bounds(NamedTuple):
    r"""정확한 수송 비용이 반드시 들어 있는 구간의 두 끝.

    $$\mathrm{lower} \le \min_{\gamma \mathbf{1} = a,\, \gamma^\top \mathbf{1} = b} \langle \gamma, C \rangle
    \le \mathrm{upper}$$

    Attributes:
        lower: 쌍대 문제의 제약을 지키는 퍼텐셜의 값.
        upper: 주변 분포를 지키는 계획의 비용.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 2.5절.
    """

    lower: Float[Tensor, ""]
    upper: Float[Tensor, ""]


class _Scaling(NamedTuple):
    """지금 계획 γ에 곱할 두 벡터와, 이 벡터를 곱한 합."""

    u: Tensor
    v: Tensor
    row: Tensor  # γ v
    column: Tensor  # γᵀ u


class _Step(NamedTuple):
    """퍼텐셜에 더할 값을 ε으로 나눈 값과, 걸린 반복 수."""

    log_u: Tensor
    log_v: Tensor
    taken: int


class _Problem(NamedTuple):
    """비용과 질량. `symmetric`이면 비용이 대칭이고 두 질량이 같다. `empty`는 두 질량이 모두 0인 칸."""

    cost: Tensor
    a: Tensor
    b: Tensor
    symmetric: bool = False
    empty: Tensor | None = None


@full_precision
def sinkhorn(
    cost: Float[Tensor, "n m"],
    a: Float[Tensor, "n"] | None = None,
    b: Float[Tensor, "m"] | None = None,
    *,
    epsilon: float,
    tolerance: float | None = None,
    max_iterations: int = 10_000,
) -> Sinkhorn:
    r"""엔트로피로 정칙화한 수송 문제를 싱크혼 알고리즘으로 푼다.

    $$\min_{\gamma \mathbf{1} = a,\, \gamma^\top \mathbf{1} = b} \langle \gamma, C \rangle +
    \varepsilon\,\mathrm{KL}(\gamma \,\|\, a \otimes b), \qquad
    u \leftarrow u^{1-\omega} \left( \frac{a}{\gamma v} \right)^{\omega}, \quad
    v \leftarrow v^{1-\omega} \left( \frac{b}{\gamma^\top u} \right)^{\omega}$$

    $\gamma$는 지금 퍼텐셜의 계획이다. 행렬과 벡터의 곱만으로 $u$, $v$를 갱신하다가, 한 차례가 끝나면
    $f \leftarrow f + \varepsilon \log u$, $g \leftarrow g + \varepsilon \log v$로 흡수하고 $\gamma$를 새로 만든다.
    그래서 로그 영역에서만 계산할 때와 정밀도가 같다. 곱이 오버플로하거나 언더플로하면 그 차례를 버리고 로그 영역에서 한
    번 반복한다. 큰 $\varepsilon$에서 시작해 4로 나누어 가며($\varepsilon$ 스케일링), $\omega = 1.8$로 과이완하고 잔차가
    늘면 $\omega$를 1 쪽으로 줄였다가 되돌린다. 50번 반복해도 수렴하지 않으면 켤레 기울기법으로 푸는 뉴턴 스텝을 섞는다.
    `cost`와 같은 크기의 행렬 하나를 더 쓰고, 반복 10번마다 장치와 동기화한다. 미분하지 않는다. `torch.func.vmap`
    안에서는 쓸 수 없다: 잔차와 반복 수가 문제마다 다르다.

    Args:
        cost: 비용 $C_{ij}$. float32나 float64. 음수여도 된다.
        a: 보내는 양 $a_i \ge 0$, 합이 1. 기본값은 모두 같은 양.
        b: 받는 양 $b_j \ge 0$, 합이 1. 기본값은 모두 같은 양.
        epsilon: 정칙화의 세기 $\varepsilon > 0$. 비용과 같은 단위.
        tolerance: 멈추는 잔차. 기본값은 float64에서 1e-5, float32에서 1e-4.
        max_iterations: 반복 수의 한도. 1 이상.

    Returns:
        퍼텐셜, 잔차, 반복 수, 수렴했는지. 한도 안에 수렴하지 않으면 `converged`가 거짓이다.

    Raises:
        TypeError: 텐서나 수여야 할 인자가 다른 형이면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 비용이 유한하지 않거나, 질량이 음수이거나, 합이 1이 아니거나,
            `epsilon`이 양수가 아니거나 그 자료형에서 비용에 비해 너무 작으면.
        RuntimeError: `torch.func.vmap` 안이면.

    References:
        Cuturi, M. (2013). Sinkhorn Distances: Lightspeed Computation of Optimal Transport.
        Brauer, C., Clason, C., Lorenz, D. & Wirth, B. (2017). A Sinkhorn-Newton method for entropic optimal transport.
        Schmitzer, B. (2019). Stabilized Sparse Scaling Algorithms for Entropy Regularized Transport Problems.
        Thibault, A., Chizat, L., Dossal, C. & Papadakis, N. (2021). Overrelaxed Sinkhorn–Knopp Algorithm for
        Regularized Optimal Transport.
    """
    _check_cost(cost, epsilon)
    _check_stopping(tolerance, max_iterations)
    found: list[Sinkhorn] = []

    def solve(cost: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        found.append(_solve(_Problem(cost, a, b), epsilon, tolerance, max_iterations))
        return found[-1].f, found[-1].g

    f, g = constant(solve, cost, *_weights(cost, a, b))
    if f.ndim != 1 or len(found) > 1:
        raise RuntimeError("cost: torch.func.vmap 안에서는 문제마다 따로 풀거나 entropic_cost를 쓴다")
    return found[0]._replace(f=f, g=g)


@full_precision
def coupling(
    f: Float[Tensor, "n"],
    g: Float[Tensor, "m"],
    cost: Float[Tensor, "n m"],
    a: Float[Tensor, "n"] | None = None,
    b: Float[Tensor, "m"] | None = None,
    *,
    epsilon: float,
) -> Float[Tensor, "n m"]:
    r"""퍼텐셜이 뜻하는 수송 계획.

    $$\gamma_{ij} = a_i b_j \exp \frac{f_i + g_j - C_{ij}}{\varepsilon}$$

    Args:
        f: 퍼텐셜 $f_i$.
        g: 퍼텐셜 $g_j$.
        cost: 비용 $C_{ij}$. float32나 float64.
        a: 보내는 양 $a_i \ge 0$, 합이 1. 기본값은 모두 같은 양.
        b: 받는 양 $b_j \ge 0$, 합이 1. 기본값은 모두 같은 양.
        epsilon: 정칙화의 세기 $\varepsilon > 0$.

    Returns:
        0 이상의 계획 (n, m). 질량이 0인 행과 열은 모두 0이다.

    Raises:
        TypeError: 텐서나 수여야 할 인자가 다른 형이면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 유한하지 않은 값이 있거나, 질량이 음수이거나,
            합이 1이 아니거나, `epsilon`이 양수가 아니거나 그 자료형에서 비용과 퍼텐셜에 비해 너무 작으면.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 4.2절.
    """
    largest = max(_check_cost(cost, epsilon), _check_potentials(f, g, cost))
    _check_scale(epsilon, largest, cost.dtype, "비용과 퍼텐셜")
    return _plan(_with_holes(cost, *_weights(cost, a, b)), f, g, epsilon)


@full_precision
def round_coupling(
    plan: Float[Tensor, "n m"],
    a: Float[Tensor, "n"] | None = None,
    b: Float[Tensor, "m"] | None = None,
) -> Float[Tensor, "n m"]:
    r"""주변 분포가 조금 어긋난 계획을 정확히 맞춘다(반올림, rounding).

    합이 넘치는 행과 열을 줄이고, 모자란 양 $e_a$, $e_b$를 두 벡터의 곱의 형태로 채운다.

    $$\gamma' = \mathrm{diag}\!\left( \min\!\left( \tfrac{a}{\gamma \mathbf{1}}, 1 \right) \right) \gamma, \quad
    \gamma'' = \gamma' \,\mathrm{diag}\!\left( \min\!\left( \tfrac{b}{\gamma'^\top \mathbf{1}}, 1 \right) \right), \quad
    \hat \gamma = \gamma'' + \frac{e_a e_b^\top}{\lVert e_a \rVert_1}$$

    바뀌는 양은 원래 계획의 잔차의 두 배를 넘지 않는다:
    $\lVert \hat \gamma - \gamma \rVert_1 \le
    2 (\lVert \gamma\mathbf{1} - a \rVert_1 + \lVert \gamma^\top\mathbf{1} - b \rVert_1)$.

    Args:
        plan: 고칠 계획 $\gamma_{ij} \ge 0$.
        a: 보내는 양 $a_i \ge 0$, 합이 1. 기본값은 모두 같은 양.
        b: 받는 양 $b_j \ge 0$, 합이 1. 기본값은 모두 같은 양.

    Returns:
        부동소수점의 반올림 오차를 빼면 주변 분포가 정확히 $a$, $b$인 계획 (n, m).

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 계획이나 질량에 음수나 유한하지 않은 값이 있거나,
            질량의 합이 1이 아니면.

    References:
        Altschuler, J., Weed, J. & Rigollet, P. (2017). Near-linear time approximation algorithms for optimal transport
        via Sinkhorn iteration, 알고리즘 2.
    """
    _check_matrix(plan=plan)
    checks.within(plan=(plan, NONNEGATIVE))
    return _round(plan, *_weights(plan, a, b))


@full_precision
def certified_interval(
    cost: Float[Tensor, "n m"],
    f: Float[Tensor, "n"],
    g: Float[Tensor, "m"],
    a: Float[Tensor, "n"] | None = None,
    b: Float[Tensor, "m"] | None = None,
    *,
    epsilon: float,
) -> Bounds:
    r"""정확한 수송 비용이 들어 있는 구간. 퍼텐셜이 수렴하지 않았어도 성립한다.

    $$\langle a, f^{cc} \rangle + \langle b, f^c \rangle \le \min_\gamma \langle \gamma, C \rangle \le
    \langle \hat \gamma, C \rangle, \qquad
    \gamma_{ij} = a_i \frac{b_j \exp((g_j - C_{ij}) / \varepsilon)}{\sum_k b_k \exp((g_k - C_{ik}) / \varepsilon)}$$

    아래 끝은 c-변환을 두 번 거친 퍼텐셜의 값이다. $f$에서 시작한 값과 $g$에서 시작한 값 가운데 큰 쪽을 쓴다. 위 끝은
    `round_coupling`으로 맞춘 계획 $\hat \gamma$의 비용이다. float64로 계산하고, 반올림 오차의 한계
    $4(n+m)\,2^{-52} \max(|C|, |f|, |g|)$만큼 구간을 넓힌다.

    Args:
        cost: 비용 $C_{ij}$. float32나 float64.
        f: 퍼텐셜 $f_i$. 아무 값이나 된다.
        g: 퍼텐셜 $g_j$. 아무 값이나 된다.
        a: 보내는 양 $a_i \ge 0$, 합이 1. 기본값은 모두 같은 양.
        b: 받는 양 $b_j \ge 0$, 합이 1. 기본값은 모두 같은 양.
        epsilon: 퍼텐셜을 얻을 때 쓴 $\varepsilon > 0$.

    Returns:
        아래 끝과 위 끝. `cost`의 자료형으로, 바깥쪽으로 반올림한다.

    Raises:
        TypeError: 텐서나 수여야 할 인자가 다른 형이면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 유한하지 않은 값이 있거나, 질량이 음수이거나,
            합이 1이 아니거나, `epsilon`이 양수가 아니거나 그 자료형에서 비용에 비해 너무 작으면.

    References:
        Altschuler, J., Weed, J. & Rigollet, P. (2017). Near-linear time approximation algorithms for optimal transport
        via Sinkhorn iteration.
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 2.5절, 5.1절.
    """
    _check_cost(cost, epsilon)
    _check_potentials(f, g, cost)
    with torch.no_grad():
        wide, wide_f, wide_g = cost.double(), f.double(), g.double()
        source, target = _weights(wide, a, b)
        plan = source[:, None] * torch.softmax((wide_g - wide) / epsilon + target.log(), dim=1)
        upper = (_round(plan, source, target) * wide).sum()
        below_g = c_transform(wide_f, wide)
        below_f = c_transform(wide_g, wide.T)
        lower = torch.maximum(
            source @ c_transform(below_g, wide.T) + target @ below_g,
            source @ below_f + target @ c_transform(below_f, wide),
        )
        largest = torch.stack([part.abs().max() for part in (wide, wide_f, wide_g, below_f, below_g)]).max()
        slack = 4 * sum(cost.shape) * torch.finfo(torch.float64).eps * largest
        outside = torch.tensor(math.inf, dtype=cost.dtype, device=cost.device)
        ends = (lower - slack).to(cost.dtype), (upper + slack).to(cost.dtype)
        return Bounds(torch.nextafter(ends[0], -outside), torch.nextafter(ends[1], outside))


@full_precision
def entropic_cost(
    cost: Float[Tensor, "n m"],
    a: Float[Tensor, "n"] | None = None,
    b: Float[Tensor, "m"] | None = None,
    *,
    epsilon: float,
    tolerance: float | None = None,
    max_iterations: int = 10_000,
) -> Float[Tensor, ""]:
    r"""엔트로피로 정칙화한 수송 비용. 비용과 질량으로 미분할 수 있다.

    $$\mathrm{OT}_\varepsilon = \max_{f, g}\; \langle a, f \rangle + \langle b, g \rangle -
    \varepsilon \Bigl[ \sum_{ij} a_i b_j \exp \frac{f_i + g_j - C_{ij}}{\varepsilon} - 1 \Bigr], \qquad
    \frac{\partial\, \mathrm{OT}_\varepsilon}{\partial C_{ij}} = \gamma_{ij}$$

    최대점에서는 $f$, $g$로 미분한 값이 0이므로, 퍼텐셜을 상수로 두고 이 식만 미분하면 된다(포락선 정리). 반복은
    미분하지 않는다. 두 번 미분하거나 전진 미분(jvp)하면 퍼텐셜의 변화가 기여하는 항이 빠지므로 오류를 낸다. 질량은
    합으로 나누어 쓰므로 질량에 대한 기울기는 합이 변하지 않는 방향의 기울기다.

    Args:
        cost: 비용 $C_{ij}$. float32나 float64.
        a: 보내는 양 $a_i \ge 0$, 합이 1. 기본값은 모두 같은 양.
        b: 받는 양 $b_j \ge 0$, 합이 1. 기본값은 모두 같은 양.
        epsilon: 정칙화의 세기 $\varepsilon > 0$.
        tolerance: 멈추는 잔차. 기본값은 float64에서 1e-5, float32에서 1e-4.
        max_iterations: 반복 수의 한도. 1 이상.

    Returns:
        쌍대의 값. $\mathrm{OT}_\varepsilon$은 정확한 수송 비용보다 작지 않지만, 이 값은 반복을 멈춘 퍼텐셜의 값이라
        $\mathrm{OT}_\varepsilon$보다 작고 정확한 비용보다도 작을 수 있다. 그 차이의 한계는 허용 잔차로 정해지지 않는다.
        한도 안에 수렴하지 않으면 잔차를 적은 `RuntimeWarning`을 낸다.

    Raises:
        TypeError: 텐서나 수여야 할 인자가 다른 형이면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 비용이 유한하지 않거나, 질량이 음수이거나, 합이 1이 아니거나,
            `epsilon`이 양수가 아니거나 그 자료형에서 비용에 비해 너무 작으면.

    References:
        Peyré, G. & Cuturi, M. (2019). Computational Optimal Transport, 4.5절, 9.1절.
    """
    _check_cost(cost, epsilon)
    _check_stopping(tolerance, max_iterations)
    problem = _with_holes(*_once(cost, *_weights(cost, a, b)))
    return _dual_value(problem, epsilon, tolerance, max_iterations)


@full_precision
def sinkhorn_divergence(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    *,
    epsilon: float,
    p: float = 2.0,
    a: Float[Tensor, "n"] | None = None,
    b: Float[Tensor, "m"] | None = None,
    tolerance: float | None = None,
    max_iterations: int = 10_000,
) -> Float[Tensor, ""]:
    r"""자기 자신과의 비용을 빼 편향을 없앤 싱크혼 발산. 점과 질량으로 미분할 수 있다.

    $$S_\varepsilon(x, y) = \mathrm{OT}_\varepsilon(x, y) - \tfrac{1}{2} \mathrm{OT}_\varepsilon(x, x) -
    \tfrac{1}{2} \mathrm{OT}_\varepsilon(y, y), \qquad C_{ij} = \lVert x_i - y_j \rVert^p$$

    $\varepsilon \to 0$이면 $W_p^p$로, $\varepsilon \to \infty$이면 에너지 거리
    (커널이 $-\lVert x - y \rVert^p$인 MMD의 제곱의 반)로 간다. 자기 자신과의 문제는 $f = g$이므로
    $f \leftarrow \frac{1}{2} (f + \mathrm{softmin}(f))$로 푼다. 기울기는 `entropic_cost`처럼 수렴한 퍼텐셜을 상수로
    두고 구한다.

    Args:
        x: 점 $x_i$. 행 하나가 점 하나. float32나 float64.
        y: 점 $y_j$. 행 하나가 점 하나.
        epsilon: 정칙화의 세기 $\varepsilon > 0$. 거리의 $p$제곱과 같은 단위.
        p: 지수 $1 \le p \le 2$.
        a: `x`의 질량 $a_i \ge 0$, 합이 1. 기본값은 모두 같은 양.
        b: `y`의 질량 $b_j \ge 0$, 합이 1. 기본값은 모두 같은 양.
        tolerance: 멈추는 잔차. 기본값은 float64에서 1e-5, float32에서 1e-4.
        max_iterations: 세 문제 각각의 반복 수의 한도. 1 이상.

    Returns:
        0 이상의 값, 멈춘 잔차만큼 음수일 수 있다. 두 구름이 같으면 0. 한도 안에 수렴하지 않으면 잔차를 적은
        `RuntimeWarning`을 낸다.

    Raises:
        TypeError: 텐서나 수여야 할 인자가 다른 형이면.
        ValueError: 모양이나 장치가 맞지 않거나, 비었거나, 유한하지 않은 값이 있거나, 질량이 음수이거나,
            합이 1이 아니거나, `p`가 $[1, 2]$를 벗어나거나, `epsilon`이 양수가 아니거나 그 자료형에서
            비용에 비해 너무 작으면.

    References:
        Feydy, J., Séjourné, T., Vialard, F.-X., Amari, S., Trouvé, A. & Peyré, G. (2019). Interpolating between Optimal
        Transport and MMD using Sinkhorn Divergences.
    """
    checks.number(_ORDER, p=p)
    _check_stopping(tolerance, max_iterations)
    _check_matrix(x=x, y=y)
    x, y = _once(x, y)
    between = cost_matrix(x, y, p=p)
    _check_cost(between, epsilon)
    weights = _weights(between, a, b)
    value = _dual_value(_with_holes(*_once(between, *weights)), epsilon, tolerance, max_iterations)
    for points, mass in zip((x, y), weights, strict=True):
        within = cost_matrix(points, points, p=p).to(between.dtype)
        _check_cost(within, epsilon)
        once, share = _once(within, mass)
        problem = _with_holes(once, share, share)._replace(symmetric=True)
        value = value - _dual_value(problem, epsilon, tolerance, max_iterations) / 2
    return value


def _dual_value(problem: _Problem, epsilon: float, tolerance: float | None, max_iterations: int) -> Tensor:
    def solve(cost: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        solved = _solve(_Problem(cost, a, b, problem.symmetric), epsilon, tolerance, max_iterations)
        if not solved.converged:
            message = f"싱크혼이 반복 {solved.iterations}번 안에 수렴하지 않았다: 잔차 {solved.residual:.2g}"
            warnings.warn(message, RuntimeWarning, stacklevel=6)
        return solved.f, solved.g

    f, g = constant(solve, problem.cost, problem.a, problem.b)
    mass = problem.a @ _density(problem, f, g, epsilon) @ problem.b
    return problem.a @ f + problem.b @ g - epsilon * (mass - 1)


def _once(*tensors: Tensor) -> tuple[Tensor, ...]:
    """같은 텐서들. 퍼텐셜을 상수로 둔 값은 한 번만 미분할 수 있다."""
    return tuple(_Once.apply(tensor) for tensor in tensors)  # type: ignore[no-untyped-call]


class _Once(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(tensor: Tensor) -> Tensor:
        return tensor.view_as(tensor)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        once: Tensor = _Never.apply(slope)  # type: ignore[no-untyped-call]
        return once

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        # 전진 미분에서는 몇 번째 미분인지 알 수 없다.
        raise RuntimeError("퍼텐셜을 상수로 둔 엔트로피 비용이라 전진 미분(jvp)은 하지 않는다. grad를 쓴다")


class _Never(_Once):
    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        raise RuntimeError("퍼텐셜을 상수로 둔 엔트로피 비용이라 두 번 미분할 수 없다(once_differentiable)")


def _with_holes(cost: Tensor, a: Tensor, b: Tensor) -> _Problem:
    # 두 질량이 모두 0인 칸의 밀도는 얼마든지 클 수 있다. 무한대에 0을 곱하지 않도록 먼저 0으로 만든다.
    return _Problem(cost, a, b, empty=(a == 0)[:, None] & (b == 0))


def _density(problem: _Problem, f: Tensor, g: Tensor, epsilon: float) -> Tensor:
    exponent = f[:, None] + g
    exponent = (exponent - problem.cost if torch.is_grad_enabled() else exponent.sub_(problem.cost)).div_(epsilon)
    if problem.empty is not None:
        exponent = exponent.masked_fill_(problem.empty, -math.inf)
    return exponent.exp_()


def _plan(problem: _Problem, f: Tensor, g: Tensor, epsilon: float) -> Tensor:
    # 푸는 함수와 `coupling`이 같은 식을 써야 잔차가 돌려준 계획의 잔차와 같다.
    density = _density(problem, f, g, epsilon)
    if torch.is_grad_enabled():
        return density * problem.a[:, None] * problem.b
    return density.mul_(problem.a[:, None]).mul_(problem.b)  # 같은 값. 풀 때는 큰 행렬을 더 만들지 않는다


def _residual(problem: _Problem, plan: Tensor) -> float:
    # float32로 더하면 합의 반올림 오차가 허용값에 가까워진다.
    rows, columns = (plan.sum(dim, dtype=torch.float64) for dim in (1, 0))
    return float((rows - problem.a).abs().sum() + (columns - problem.b).abs().sum())


def _round(plan: Tensor, a: Tensor, b: Tensor) -> Tensor:
    plan = plan * _shrink(a, plan.sum(1))[:, None]  # γ'
    plan = plan * _shrink(b, plan.sum(0))  # γ''
    missing_a, missing_b = (a - plan.sum(1)).clamp(min=0), (b - plan.sum(0)).clamp(min=0)
    total = missing_a.sum()
    return plan + missing_a[:, None] * (missing_b / total.masked_fill(total == 0, 1.0))


def _shrink(wanted: Tensor, came: Tensor) -> Tensor:
    return torch.where(came > wanted, wanted / came, 1.0)


@torch.no_grad()
def _solve(problem: _Problem, epsilon: float, tolerance: float | None, max_iterations: int) -> Sinkhorn:
    """질량이 0인 점을 빼고 푼 뒤, 뺀 점의 퍼텐셜을 softmin으로 채운다."""
    cost, a, b, symmetric, _ = problem
    goal = _TOLERANCE[cost.dtype] if tolerance is None else tolerance
    rows, columns = a > 0, b > 0
    if rows.all() & columns.all():
        return _anneal(problem, epsilon, goal, max_iterations)
    solved = _anneal(_Problem(cost[rows][:, columns], a[rows], b[columns], symmetric), epsilon, goal, max_iterations)
    f = _softmin(cost[:, columns], solved.g, b[columns], epsilon).masked_scatter(rows, solved.f)
    g = _softmin(cost[rows].T, solved.f, a[rows], epsilon).masked_scatter(columns, solved.g)
    return solved._replace(f=f, g=g)


def _anneal(problem: _Problem, epsilon: float, goal: float, max_iterations: int) -> Sinkhorn:
    """ε을 비용의 폭에서 시작해 줄인다(ε 스케일링). 앞의 해가 다음 문제의 초깃값이다."""
    low, high = problem.cost.aminmax()
    stages = [epsilon]
    while stages[-1] * _COOLING < float(high - low):
        stages.append(stages[-1] * _COOLING)
    f, g = _log_step(problem, torch.zeros_like(problem.a), stages[-1])
    state = Sinkhorn(f, g, math.inf, 0, converged=False)
    for stage in reversed(stages):
        # 마지막 반복 한 번은 남겨 둔다. 한도에 이르러도 로그 영역에서 한 번 반복하면 계획이 유한하다.
        state = _balance(problem, state, stage, goal if stage == epsilon else max(goal, _WARM), max_iterations - 1)
    if state.converged:
        return state
    f, g = _log_step(problem, state.f, epsilon)
    residual = _residual(problem, _plan(problem, f, g, epsilon))
    return Sinkhorn(f, g, residual, state.iterations + 1, residual <= goal)


def _balance(problem: _Problem, state: Sinkhorn, epsilon: float, goal: float, limit: int) -> Sinkhorn:
    """한 ε에서, 다시 만든 계획의 잔차가 `goal` 이하가 되거나 한도에 이를 때까지."""
    f, g, _, iterations, _ = state
    last, newton = math.inf, False
    while True:
        plan = _plan(problem, f, g, epsilon)
        residual = _residual(problem, plan)
        if residual <= goal or iterations >= limit:
            return Sinkhorn(f, g, residual, iterations, residual <= goal)
        # 싱크혼 반복이 더디면 뉴턴 스텝으로, 뉴턴 스텝이 더디면 싱크혼 반복으로 바꾼다. 대칭 문제의 싱크혼 반복은
        # 언제나 오차가 반씩 줄어 더디지 않다.
        newton = not problem.symmetric and last < math.inf and (not newton or residual < last / 2)
        step = _newton(problem, plan, limit - iterations) if newton else _scale(problem, plan, goal, limit - iterations)
        del plan  # 다음 계획을 만드는 동안 메모리에 두 계획을 함께 두지 않는다
        if step is None:
            f, g = _log_step(problem, f, epsilon)
            iterations += 1
        else:
            f, g = f + epsilon * step.log_u, g + epsilon * step.log_v
            iterations += step.taken
        last = residual


def _scale(problem: _Problem, plan: Tensor, goal: float, limit: int) -> _Step | None:
    """계획에 u, v를 곱해 주변 분포를 맞춘다. 오버플로하거나 언더플로하면 `None`: 그 반복들은 버린다."""
    sweep = _symmetric_sweep if problem.symmetric else _sweep
    ones_a, ones_b = torch.ones_like(problem.a), torch.ones_like(problem.b)
    scaling = _Scaling(ones_a, ones_b, plan @ ones_b, plan.T @ ones_a)
    omega, last, taken, limit = _OMEGA, math.inf, 0, min(limit, _PATIENCE)
    while taken < limit:
        steps = min(_CHECK, limit - taken)
        for _ in range(steps):
            scaling = sweep(plan, problem, scaling, omega)
        taken += steps
        residual = _progress(problem, scaling)
        if not math.isfinite(residual):
            return None
        if residual <= 0.8 * goal:
            break
        # 과이완은 해 가까이에서만 수렴이 보장된다. 잔차가 늘면 보통의 싱크혼(ω = 1) 쪽으로 줄이고, 줄면 되돌린다.
        omega = min(_OMEGA, 1.5 * omega - 0.5) if residual < last else (1 + omega) / 2
        last = residual
    return _Step(scaling.u.log(), scaling.v.log(), taken)


def _newton(problem: _Problem, plan: Tensor, limit: int) -> _Step | None:
    """뉴턴 스텝 하나. 켤레 기울기법으로 (diag(γ1) − γ diag(1/γᵀ1) γᵀ) x = r을 푼다. 반복의 비용은 싱크혼과 같다."""
    row, column = plan.sum(1), plan.sum(0)
    missing = (problem.b - column) / column
    r = problem.a - row - plan @ missing
    x, z = torch.zeros_like(r), _centred(r, row)
    direction, rz, taken = z, r @ z, 0
    start, limit = r.abs().sum(), min(limit, _PATIENCE)
    while taken < limit:
        for _ in range(min(_CHECK, limit - taken)):
            product = row * direction - plan @ ((plan.T @ direction) / column)
            # 곡률이 반올림 오차보다 작은 방향(상수 방향이 그렇다)으로는 움직이지 않는다.
            curvature, floor = direction @ product, 4 * torch.finfo(r.dtype).eps * (direction @ (row * direction))
            length = torch.where(curvature > floor, rz / curvature, 0.0)
            x, r = x + length * direction, r - length * product
            z, before = _centred(r, row), rz
            rz = r @ z
            direction = z + torch.where(before > 0, rz / before, 0.0) * direction
            taken += 1
        if r.abs().sum() <= 0.01 * start:
            break
    y = missing - (plan.T @ x) / column
    stretch = torch.maximum(x.max() + y.max(), -(x.min() + y.min())) / _STRIDE
    return _Step(x / stretch.clamp(min=1.0), y / stretch.clamp(min=1.0), taken) if stretch.isfinite() else None


def _centred(r: Tensor, row: Tensor) -> Tensor:
    # 상수 방향은 헤세 행렬이 0이라 반올림 오차가 쌓이므로 뺀다.
    return r / row - r.sum() / row.sum()


def _sweep(plan: Tensor, problem: _Problem, scaling: _Scaling, omega: float) -> _Scaling:
    v = scaling.v ** (1 - omega) * (problem.b / scaling.column) ** omega
    row = plan @ v
    u = scaling.u ** (1 - omega) * (problem.a / row) ** omega
    return _Scaling(u, v, row, plan.T @ u)


def _symmetric_sweep(plan: Tensor, problem: _Problem, scaling: _Scaling, _omega: float) -> _Scaling:
    u = (scaling.u * problem.a / scaling.row).sqrt()
    row = plan @ u
    return _Scaling(u, u, row, row)


def _progress(problem: _Problem, scaling: _Scaling) -> float:
    """곱한 계획의 잔차. u나 v의 로그가 수가 아니면 유한하지 않다. 장치와 한 번 동기화한다."""
    u, v, row, column = scaling
    residual = (u * row - problem.a).abs().sum() + (v * column - problem.b).abs().sum()
    return float(residual + 0 * (u.log().sum() + v.log().sum()))


def _log_step(problem: _Problem, f: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """로그 영역에서 계산한 반복 한 번. 어떤 f에서도 유한하다."""
    g = _softmin(problem.cost.T, f, problem.a, epsilon)
    if problem.symmetric:
        return (f + g) / 2, (f + g) / 2
    return _softmin(problem.cost, g, problem.b, epsilon), g


def _softmin(cost: Tensor, potential: Tensor, weights: Tensor, epsilon: float) -> Tensor:
    # −ε log Σ_j b_j exp((g_j − C_ij)/ε)
    scores = torch.sub(potential + epsilon * weights.log(), cost).div_(epsilon)
    top = scores.amax(1)
    return -epsilon * (top + scores.sub_(top[:, None]).exp_().sum(1).log())


def _weights(cost: Tensor, a: Tensor | None, b: Tensor | None) -> tuple[Tensor, Tensor]:
    n, m = cost.shape
    return masses(n, cost.device, a=a).to(cost.dtype), masses(m, cost.device, b=b).to(cost.dtype)


def _check_matrix(**matrices: Tensor) -> None:
    checks.floating(**matrices)
    checks.ndim(2, 2, **matrices)
    checks.nonempty(**matrices)
    for name, value in matrices.items():
        if value.dtype not in _TOLERANCE:
            raise ValueError(f"{name}: float32나 float64여야 하는데 {value.dtype}이다")


def _check_cost(cost: Tensor, epsilon: float) -> float:
    """비용의 크기의 최댓값을 돌려준다."""
    _check_matrix(cost=cost)
    checks.number(POSITIVE, epsilon=epsilon)
    low, high = checks.extremes(cost=(cost, REAL))["cost"]
    largest = max(abs(low), abs(high), high - low)
    _check_scale(epsilon, largest, cost.dtype, "비용")
    return largest


def _check_scale(epsilon: float, largest: float, kind: torch.dtype, what: str) -> None:
    # 지수 (f + g − C)/ε의 반올림은 가장 큰 수의 반올림을 ε으로 나눈 만큼이다. 폭이 좁아도 수가 크면 유효 숫자를 잃는다.
    info = torch.finfo(kind)
    least, most = max(largest * info.eps, info.tiny / info.eps), info.max * info.eps
    if not least <= epsilon <= most:
        bounds = f"{least:.2g} 이상 {most:.2g} 이하"
        raise ValueError(f"epsilon: {what}의 크기가 {largest:.3g}이면 {kind}에서 {bounds}여야 하는데 {epsilon}이다")


def _check_potentials(f: Tensor, g: Tensor, cost: Tensor) -> float:
    """퍼텐셜의 크기의 최댓값을 돌려준다."""
    checks.floating(f=f, g=g)
    checks.shape(cost.shape[:1], f=f)
    checks.shape(cost.shape[1:], g=g)
    checks.device(cost.device, f=f, g=g)
    ends = checks.extremes(f=(f, REAL), g=(g, REAL))
    return max(abs(end) for pair in ends.values() for end in pair)


def _check_stopping(tolerance: float | None, max_iterations: int) -> None:
    if tolerance is not None:
        checks.number(POSITIVE, tolerance=tolerance)
    checks.count(1, max_iterations=max_iterations)
