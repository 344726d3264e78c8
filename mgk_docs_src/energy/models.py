"""에너지와 볼츠만 분포, 정확한 최대 가능도: `docs/energy/models.md`."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import POSITIVE, REAL, Interval
from mgk_docs_src.energy import _calls
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients

# 점 (…, d)를 받아 점마다 스칼라 하나 (…)를 준다. 앞의 축은 모두 묶음이다(체인, 표본, 시드).
Energy = _calls.Energy
_LARGE = 16.0  # |E|/τ가 이보다 작으면 나누고 나서 빼도 반올림 몇 번의 오차뿐이다
_AXES = Interval(1, 63)  # torch의 텐서는 축이 64개까지다
_MOST_CELLS = 2**28  # 격자가 이보다 크면 점만으로 기가바이트를 넘는다


class Gradient(NamedTuple):
    r"""점마다의 에너지와 그 기울기.

    Attributes:
        energy: $E(x)$.
        gradient: $\nabla_x E(x)$.

    References:
        LeCun, Y. 외 (2006). A Tutorial on Energy-Based Learning, 1절.
    """

    energy: Float[Tensor, "*batch"]
    gradient: Float[Tensor, "*batch d"]


class Grid(NamedTuple):
    r"""상자를 균등하게 나눈 칸들의 가운데 점. 적분을 합으로 바꾼다.

    $$\int f(x)\, dx \approx \Delta \sum_{i=1}^{m} f(x_i)$$

    Attributes:
        points: 칸의 가운데 $x_i$.
        cell: 칸 하나의 부피 $\Delta$.
        low: 상자의 아래 끝. 손으로 만든 격자라 상자를 모르면 $-\infty$.
        high: 상자의 위 끝. 모르면 $\infty$.

    References:
        Press, W. H. 외 (2007). Numerical Recipes, 4.4절 (가운데 점 공식).
    """

    points: Float[Tensor, "m d"]
    cell: float
    low: float = -math.inf
    high: float = math.inf


@full_precision
def evaluate(energy: Energy, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
    r"""점마다의 에너지. 기울기는 따라오지 않는다.

    $$E : \mathbb{R}^d \to \mathbb{R}$$

    밀도가 0인 곳의 $\infty$는 그대로 준다. 값을 살피므로 장치와 한 번 동기화한다.

    Args:
        energy: 에너지 $E$.
        x: 점. 마지막 축이 좌표다.

    Returns:
        에너지. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 점이나 에너지가 텐서가 아니면.
        ValueError: 점이 비었거나, 축이 없거나, 에너지가 점마다 실수 하나가 아니거나 nan이면.

    References:
        LeCun, Y. 외 (2006). A Tutorial on Energy-Based Learning, 1절.
    """
    _calls.points(x=x)
    with torch.no_grad():
        return _calls.energies(energy, x.detach(), accept="infinite")


@with_gradients
def gradient(energy: Energy, x: Float[Tensor, "*batch d"]) -> Gradient:
    r"""점마다의 에너지와 기울기를 한 번에. 뒤로 한 번 미분한다.

    $$\bigl( E(x),\; \nabla_x E(x) \bigr), \qquad \nabla_x \log p(x) = -\tfrac{1}{\tau} \nabla_x E(x)$$

    점마다 따로 매기는 에너지여야 한다. `torch.no_grad`와 `torch.inference_mode` 안에서도 계산하고, `x`는 바꾸지 않는다.
    $\infty$는 그대로 준다. 값을 살피므로 장치와 동기화한다.

    Args:
        energy: 에너지 $E$.
        x: 점. 마지막 축이 좌표다.

    Returns:
        에너지와 기울기. 둘 다 계산 그래프에서 떼어 낸 값이다. `torch.func`의 변환 안에서는 다시 미분할 수 있다.

    Raises:
        TypeError: 점이나 에너지가 텐서가 아니면.
        ValueError: 점이 비었거나, 축이 없거나, 에너지가 점마다 실수 하나가 아니거나, 점으로 미분할 수 없거나, 에너지나
            기울기가 nan이면.

    References:
        LeCun, Y. 외 (2006). A Tutorial on Energy-Based Learning, 1절.
    """
    _calls.points(x=x)
    found = _calls.derivatives(energy, x, accept="infinite")
    return Gradient(found.energy, found.gradient)


@full_precision
def boltzmann(energies: Float[Tensor, "*batch n"], *, temperature: float = 1.0) -> Float[Tensor, "*batch n"]:
    r"""볼츠만 분포: 상태가 유한할 때 에너지에서 확률로.

    $$p_i = \frac{\exp(-E_i / \tau)}{Z}, \qquad Z = \sum_j \exp(-E_j / \tau)$$

    모든 에너지에 같은 수를 더해도 그대로다. 온도가 0으로 가면 가장 낮은 상태에, $\infty$로 가면 균등 분포가 된다.

    Args:
        energies: 상태마다의 에너지 $E_i$. 마지막 축이 상태다.
        temperature: 온도 $\tau > 0$.

    Returns:
        확률. `energies`와 같은 모양, 마지막 축의 합이 1이다.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 비었거나, 축이 없거나, 실수형이 아니거나, 유한하지 않거나, 온도가 0보다 크지 않으면.

    References:
        Ackley, D., Hinton, G. & Sejnowski, T. (1985). A Learning Algorithm for Boltzmann Machines.
    """
    _calls.points(energies=energies)
    checks.number(POSITIVE, temperature=temperature)
    low, high = checks.extremes(energies=(energies, REAL))["energies"]
    (wide,) = widen(energies)
    if max(-low, high) > _LARGE * temperature:
        # 가장 낮은 것을 먼저 뺀다. 나누고 나서 빼면 유효 숫자가 사라지고, τ가 작으면 모두 −∞가 된다.
        wide = wide - wide.amin(-1, keepdim=True).detach()
    return torch.softmax(_cooled(-wide, temperature), -1).to(energies.dtype)


@with_gradients
def grid(
    low: float,
    high: float,
    size: int,
    *,
    dims: int = 2,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Grid:
    r"""상자 $[a, b]^d$를 축마다 $k$개로 나눈 칸. 칸의 수는 $k^d$라 차원이 조금만 커도 만들 수 없다.

    $$x = a + \Bigl( i + \tfrac12 \Bigr) \frac{b - a}{k}, \qquad \Delta = \Bigl( \frac{b - a}{k} \Bigr)^{d}$$

    Args:
        low: 아래 끝 $a$.
        high: 위 끝 $b > a$.
        size: 축마다 칸의 수 $k \ge 1$.
        dims: 차원 $1 \le d \le 63$.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        칸의 가운데 $(k^d, d)$와 칸의 부피. 마지막 좌표가 가장 빨리 바뀐다.

    Raises:
        TypeError: 수나 정수가 아닌 값을 받으면.
        ValueError: $a \ge b$이거나, 유한하지 않거나, 칸이 1보다 적거나, 차원이 범위를 벗어나거나, 칸이 모두
            $2^{28}$개를 넘거나, 자료형이 실수형이 아니거나 이웃한 칸을 가르지 못하면.

    References:
        Press, W. H. 외 (2007). Numerical Recipes, 4.4절 (가운데 점 공식).
    """
    checks.number(REAL, low=low, high=high)
    checks.count(1, size=size)
    checks.number(_AXES, dims=dims)
    checks.count(1, dims=dims)
    dtype = dtype or torch.get_default_dtype()
    if not dtype.is_floating_point:
        raise ValueError(f"dtype: 실수형이어야 하는데 {dtype}이다")
    if low >= high:
        raise ValueError(f"low: high({high:g})보다 작아야 하는데 {low:g}이다")
    if size**dims > _MOST_CELLS:
        raise ValueError(f"size: 칸 size^dims가 {_MOST_CELLS:,}개 이하여야 하는데 {size}^{dims}개다")
    step = (high - low) / size
    axis = (low + (torch.arange(size, device="cpu", dtype=torch.float64) + 0.5) * step).to(dtype)
    if not axis.isfinite().all() or not (axis.diff() > 0).all():
        raise ValueError(f"dtype: 칸의 가운데를 모두 다른 수로 담아야 하는데, {dtype}에서는 넘치거나 겹친다")
    cell = math.prod([step] * dims)
    if not POSITIVE.holds(cell):
        raise ValueError(f"high: 칸의 부피가 0보다 큰 유한한 수가 되어야 하는데, 너비 {step:g}에서 {cell}이다")
    axis = axis.to(torch.get_default_device() if device is None else device)
    points = torch.stack(torch.meshgrid(*[axis] * dims, indexing="ij"), -1).reshape(-1, dims)
    return Grid(points, cell, float(low), float(high))


@full_precision
def log_partition(
    energy: Energy,
    grid: Grid,
    *,
    temperature: float = 1.0,
    batch: tuple[int, ...] = (),
) -> Float[Tensor, "*batch"]:
    r"""격자로 구한 로그 분배 함수. 에너지의 매개변수로 미분할 수 있다.

    $$\log Z = \log \int \exp\Bigl( -\frac{E(x)}{\tau} \Bigr) dx \approx
    \log \Delta + \operatorname*{logsumexp}_i \Bigl( -\frac{E(x_i)}{\tau} \Bigr)$$

    상자 밖은 더하지 않는다. 밀도가 상자 밖으로 새지 않아야 맞다.

    Args:
        energy: 에너지 $E$.
        grid: 격자. [`grid`][mgk_docs_src.energy.models.grid]로 만든다.
        temperature: 온도 $\tau > 0$.
        batch: 에너지가 여럿일 때(시드마다 하나) 앞에 붙일 축들. 격자를 $(*batch, m, d)$로 늘려 에너지에 넣는다.

    Returns:
        $\log Z$(nat). 모양은 `batch`.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 격자가 비었거나 부피가 0보다 크지 않거나, 온도가 0보다 크지 않거나, 에너지가 점마다 실수 하나가
            아니거나, nan이 있거나, 어디서나 $\infty$라 $Z$가 0이거나, $-\infty$가 있어 $Z$가 유한하지 않으면.

    References:
        Goodfellow, I., Bengio, Y. & Courville, A. (2016). Deep Learning, 18장.
    """
    _check_grid(grid)
    checks.number(POSITIVE, temperature=temperature)
    log_z, dtype = _log_partition(energy, grid, temperature, batch)
    return log_z.to(dtype)


@full_precision
def log_density(
    energy: Energy,
    x: Float[Tensor, "*batch n d"],
    grid: Grid,
    *,
    temperature: float = 1.0,
) -> Float[Tensor, "*batch n"]:
    r"""격자로 정규화한 로그 밀도. 에너지의 매개변수로 미분할 수 있다.

    $$\log p(x) = -\frac{E(x)}{\tau} - \log Z$$

    에너지에 상수를 더하면 $\log Z$가 그만큼 줄어 그대로다. 상자 밖의 질량은 $Z$에 없으므로 상자 밖의 점은 받지 않는다.

    Args:
        energy: 에너지 $E$.
        x: 점. 앞의 축(시드)마다 에너지가 따로라고 보고 $\log Z$도 따로 구한다.
        grid: 격자. `x`와 같은 장치.
        temperature: 온도 $\tau > 0$.

    Returns:
        로그 밀도(nat). 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 점이 비었거나 유한하지 않거나 격자의 상자 밖이거나, 축이 둘보다 적거나, 격자와 차원·장치가
            다르거나, 온도가 0보다 크지 않거나, 에너지가 점마다 실수 하나가 아니거나 nan이거나, $Z$가 0이거나 유한하지
            않으면.

    References:
        Goodfellow, I., Bengio, Y. & Courville, A. (2016). Deep Learning, 18장.
    """
    _check_against_grid(grid, x=x)
    checks.number(POSITIVE, temperature=temperature)
    log_p, dtype = _log_density(energy, x, grid, temperature, accept="infinite")
    return log_p.to(dtype)


@full_precision
def negative_log_likelihood(
    energy: Energy,
    data: Float[Tensor, "*batch n d"],
    grid: Grid,
    *,
    temperature: float = 1.0,
) -> Float[Tensor, "*batch"]:
    r"""정확한 최대 가능도의 손실. 앞의 항은 데이터의 에너지를 내리고, 뒤의 항은 모든 곳의 에너지를 올린다.

    $$L(\theta) = \frac{1}{n} \sum_{i=1}^{n} \frac{E(x_i; \theta)}{\tau} + \log Z(\theta)$$

    Args:
        energy: 에너지 $E(\cdot\,; \theta)$.
        data: 데이터. 앞의 축(시드)마다 따로 잰다.
        grid: 격자. `data`와 같은 장치.
        temperature: 온도 $\tau > 0$.

    Returns:
        표본 하나에 드는 평균 손실(nat). $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 데이터가 비었거나 유한하지 않거나 격자의 상자 밖이거나, 축이 둘보다 적거나, 격자와 차원·장치가
            다르거나, 온도가 0보다 크지 않거나, 에너지가 점마다 유한한 실수 하나가 아니거나, $Z$가 0이거나 유한하지
            않으면.

    References:
        Goodfellow, I., Bengio, Y. & Courville, A. (2016). Deep Learning, 18.1절.
    """
    _check_against_grid(grid, data=data)
    checks.number(POSITIVE, temperature=temperature)
    log_p, dtype = _log_density(energy, data, grid, temperature, accept="finite")
    return -log_p.mean(-1).to(dtype)


@full_precision
def phase_gap(
    energy: Energy,
    data: Float[Tensor, "*batch n d"],
    samples: Float[Tensor, "*batch m d"],
    *,
    weights: Float[Tensor, "*batch m"] | None = None,
) -> Float[Tensor, "*batch"]:
    r"""두 항의 차: 데이터의 평균 에너지 빼기 모델 표본의 평균 에너지. 값이 아니라 $\theta$의 기울기를 쓴다.

    $$G(\theta) = \frac{1}{n} \sum_i E(x_i; \theta) - \sum_j w_j E(\tilde x_j; \theta), \qquad
    \tau\, \nabla_\theta L = \mathbb{E}_{\text{데이터}}[\nabla_\theta E] - \mathbb{E}_{p_\theta}[\nabla_\theta E]
    \approx \nabla_\theta G$$

    표본이 $p_\theta$에서 왔으면 두 번째 항이 $\log Z$의 기울기다. 값 $G$는 손실이 아니다. 0이 되어도 가능도가 가장
    크다는 뜻이 아니고, 음수일 수도 있다.

    Args:
        energy: 에너지 $E(\cdot\,; \theta)$.
        data: 데이터 $x_i$(양의 항). 앞의 축(시드)마다 따로 잰다.
        samples: 모델의 표본 $\tilde x_j$(음의 항). 상수로 본다.
        weights: 표본의 가중치 $w_j \ge 0$, 합이 1. 기본값은 균등한 $1/m$.

    Returns:
        차. $\theta$로 미분할 수 있다. 마지막 두 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 비었거나, 유한하지 않거나, 축이나 차원이나 장치가 다르거나, 가중치의 합이 1이 아니거나, 에너지가
            점마다 유한한 실수 하나가 아니면.

    References:
        Hinton, G. (2002). Training Products of Experts by Minimizing Contrastive Divergence, 2절.
    """
    _calls.clouds(data=data, samples=samples)
    checks.shape((*data.shape[:-2], samples.shape[-2], data.shape[-1]), samples=samples)
    checks.device(data.device, samples=samples)
    if weights is not None:
        checks.floating(weights=weights)
        checks.shape(samples.shape[:-1], weights=weights)
        checks.simplex(-1, weights=weights)
    each = _calls.energies(energy, data.detach(), accept="nan")
    positive, negative = widen(each, _calls.energies(energy, samples.detach(), accept="nan"))
    _calls.finite(**{"energy(data)": positive, "energy(samples)": negative})
    falling = positive.mean(-1)
    rising = negative.mean(-1) if weights is None else (weights.detach() * negative).sum(-1)
    return (falling - rising).to(each.dtype)


# --- 답을 아는 에너지들 ---


@full_precision
def quadratic(x: Float[Tensor, "*batch d"], *, precision: Float[Tensor, "d d"]) -> Float[Tensor, "*batch"]:
    r"""이차 에너지: 평균이 0인 가우스 분포.

    $$E(x) = \tfrac12\, x^\top \Lambda x, \qquad p(x) = \mathcal{N}(x;\, 0,\, \tau \Lambda^{-1})$$

    $\Lambda$가 대칭이고 양의 정부호인지는 살피지 않는다.
    [`quadratic_log_partition`][mgk_docs_src.energy.models.quadratic_log_partition]이 살핀다.

    Args:
        x: 점. 마지막 축이 좌표다.
        precision: 정밀도 행렬 $\Lambda$.

    Returns:
        에너지. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 점이 비었거나, 축이 없거나, 실수형이 아니거나, $\Lambda$의 모양이나 장치가 맞지 않으면.

    References:
        Bishop, C. M. (2006). Pattern Recognition and Machine Learning, 2.3절.
    """
    _calls.points(x=x)
    checks.floating(precision=precision)
    checks.shape((x.shape[-1], x.shape[-1]), precision=precision)
    checks.device(x.device, precision=precision)
    wide, square = widen(x, precision)
    return (((wide @ square) * wide).sum(-1) / 2).to(torch.promote_types(x.dtype, precision.dtype))


@full_precision
def quadratic_log_partition(precision: Float[Tensor, "d d"], *, temperature: float = 1.0) -> Float[Tensor, ""]:
    r"""이차 에너지의 로그 분배 함수, 닫힌 식.

    $$\log Z = \frac{d}{2} \log(2\pi\tau) - \frac12 \log \det \Lambda$$

    Args:
        precision: 정밀도 행렬 $\Lambda$. 대칭이고 양의 정부호.
        temperature: 온도 $\tau > 0$.

    Returns:
        $\log Z$(nat).

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 정사각이 아니거나, 대칭이 아니거나, 양의 정부호가 아니거나, 유한하지 않거나, 온도가 0보다 크지
            않으면.

    References:
        Bishop, C. M. (2006). Pattern Recognition and Machine Learning, 2.3절.
    """
    checks.floating(precision=precision)
    checks.ndim(2, 2, precision=precision)
    checks.nonempty(precision=precision)
    checks.shape((len(precision), len(precision)), precision=precision)
    checks.within(precision=(precision, REAL))
    checks.number(POSITIVE, temperature=temperature)
    (wide,) = widen(precision)
    factor, failed = torch.linalg.cholesky_ex(wide)
    uneven = (wide - wide.mT).abs().amax() > 1e-5 * wide.abs().amax()
    if checks.plain(failed.bool() | uneven).any():
        raise ValueError("precision: 대칭이고 양의 정부호여야 하는데 그렇지 않다")
    half_log_det = factor.diagonal().log().sum()
    log_z: Tensor = len(precision) / 2 * math.log(2 * math.pi * temperature) - half_log_det
    return log_z.to(precision.dtype)


@full_precision
def double_well(
    x: Float[Tensor, "*batch d"],
    *,
    barrier: float = 4.0,
    tilt: float = 0.5,
) -> Float[Tensor, "*batch"]:
    r"""두 우물: 첫 좌표의 $\pm 1$ 가까이에 우물이 하나씩 있고, 나머지 좌표는 표준 정규다.

    $$E(x) = h (x_1^2 - 1)^2 + t\, x_1 + \tfrac12 \sum_{i \ge 2} x_i^2$$

    기울이지 않은($t = 0$) 한 차원의 분배 함수는, $b = h / 2\tau$와 변형 베셀 함수 $I_\nu$로
    $Z = \tfrac{\pi}{2}\, e^{-b} \left[ I_{-1/4}(b) + I_{1/4}(b) \right]$이다.

    Args:
        x: 점. 마지막 축이 좌표다.
        barrier: 우물 사이의 언덕의 높이 $h > 0$.
        tilt: 기울기 $t$. 양수이면 왼쪽 우물이 더 깊다.

    Returns:
        에너지. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 점이 비었거나, 축이 없거나, 실수형이 아니거나, 높이가 0보다 크지 않거나, 기울기가 유한하지 않으면.

    References:
        Gardiner, C. (2009). Stochastic Methods, 5.5절 (두 우물 퍼텐셜).
        Abramowitz, M. & Stegun, I. (1964). Handbook of Mathematical Functions, 9.6절.
    """
    _calls.points(x=x)
    checks.number(POSITIVE, barrier=barrier)
    checks.number(REAL, tilt=tilt)
    (wide,) = widen(x)
    first, rest = wide[..., 0], wide[..., 1:]
    value = barrier * (first.square() - 1).square() + tilt * first + rest.square().sum(-1) / 2
    return value.to(x.dtype)


@full_precision
def banana(
    x: Float[Tensor, "*batch 2"],
    *,
    curvature: float = 1.0,
    width: float = 0.3,
) -> Float[Tensor, "*batch"]:
    r"""휘어진 골짜기: 가우스 분포를 포물선을 따라 민 분포.

    $$E(x) = \tfrac12 x_1^2 + \frac{(x_2 - c\,(x_1^2 - 1))^2}{2 w^2}$$

    미는 변환은 부피를 바꾸지 않으므로 $Z = 2\pi\tau w$다. $\tau = 1$이면 평균은 0, 둘째 좌표의 분산은 $2c^2 + w^2$이다.

    Args:
        x: 점. 마지막 축이 좌표 둘이다.
        curvature: 휘어진 정도 $c$.
        width: 골짜기의 너비 $w > 0$.

    Returns:
        에너지. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 점이 비었거나, 마지막 축이 2가 아니거나, 실수형이 아니거나, 너비가 0보다 크지 않거나, 휘어진 정도가
            유한하지 않으면.

    References:
        Haario, H., Saksman, E. & Tamminen, J. (2001). An Adaptive Metropolis Algorithm, 5절.
    """
    _calls.points(x=x)
    checks.shape((*x.shape[:-1], 2), x=x)
    checks.number(REAL, curvature=curvature)
    checks.number(POSITIVE, width=width)
    (wide,) = widen(x)
    first, second = wide[..., 0], wide[..., 1]
    value = first.square() / 2 + (second - curvature * (first.square() - 1)).square() / (2 * width**2)
    return value.to(x.dtype)


def _log_partition(
    energy: Energy, grid: Grid, temperature: float, batch: tuple[int, ...]
) -> tuple[Tensor, torch.dtype]:
    """넓힌 log Z와, 되돌릴 자료형."""
    energies = _calls.energies(energy, grid.points.expand(*batch, *grid.points.shape), accept="nan")
    (wide,) = widen(energies)
    log_z = _cooled(-wide, temperature).logsumexp(-1) + math.log(grid.cell)
    _calls.finite(**{"energy의 log Z": log_z})  # 에너지의 nan도 여기서 드러난다
    return log_z, energies.dtype


def _log_density(
    energy: Energy, x: Tensor, grid: Grid, temperature: float, *, accept: _calls.Accept
) -> tuple[Tensor, torch.dtype]:
    """넓힌 로그 밀도와, 되돌릴 자료형."""
    log_z, dtype = _log_partition(energy, grid, temperature, x.shape[:-2])
    energies = _calls.energies(energy, x, accept=accept)
    (wide,) = widen(energies)
    return _cooled(-wide, temperature) - log_z.unsqueeze(-1), torch.promote_types(energies.dtype, dtype)


def _cooled(value: Tensor, temperature: float) -> Tensor:
    """온도로 나눈 값. 자료형에 담기지 않는 온도는 담기는 가장 작은 수로 바꾼다: 0으로 나누면 nan이다."""
    return value / max(float(temperature), torch.finfo(value.dtype).tiny)


def _check_grid(grid: Grid) -> None:
    checks.instance(Grid, grid=grid)
    checks.floating(grid=grid.points)
    checks.ndim(2, 2, grid=grid.points)
    checks.nonempty(grid=grid.points)
    checks.number(POSITIVE, **{"grid.cell": grid.cell})


def _check_against_grid(grid: Grid, **clouds: Tensor) -> None:
    _check_grid(grid)
    checks.floating(**clouds)
    checks.ndim(2, math.inf, **clouds)
    checks.nonempty(**clouds)
    for name, value in clouds.items():
        checks.shape((*value.shape[:-1], grid.points.shape[-1]), **{name: value})
        checks.device(grid.points.device, **{name: value})
        low, high = torch.tensor([grid.low, grid.high], device="cpu", dtype=value.dtype).tolist()
        checks.within(**{name: (value, Interval(low, high))})
