"""에너지에서 샘플링하는 랑주뱅 동역학과 해밀토니안 몬테카를로: `docs/energy/samplers.md`."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import POSITIVE, REAL, Interval
from mgk_docs_src.energy import _calls
from mgk_docs_src.energy.models import Energy
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.random import rand, randn

_DIVERGED = 1000.0  # 에너지 오차가 이보다 크면 궤적이 발산한 것이다 (Stan과 같은 값)
_COARSE = 0.1  # 에너지의 간격이 이만하면 채택률이 10 %쯤 틀린다
_OPEN_UNIT = Interval(0.0, 1.0, open=True)
_BELOW_ONE = Interval(0.0, 1.0, right_open=True)
_PRIOR = 5  # 질량을 새로 추정할 때, 앞의 값을 표본 몇 개로 볼까 (Stan과 같은 값)


class State(NamedTuple):
    r"""체인들이 지금 있는 곳. 앞의 축이 모두 체인이다.

    $$x, \quad E(x), \quad \nabla E(x)$$

    에너지와 기울기를 함께 들고 다니므로, 같은 위치에서 두 번 계산하지 않는다.

    Attributes:
        position: 위치 $x$.
        energy: 에너지 $E(x)$.
        gradient: 기울기 $\nabla E(x)$.

    References:
        Cabezas, A. 외 (2024). BlackJAX: Composable Bayesian inference in JAX.
    """

    position: Float[Tensor, "*chains d"]
    energy: Float[Tensor, "*chains"]
    gradient: Float[Tensor, "*chains d"]


class Info(NamedTuple):
    r"""한 스텝의 기록.

    $$\Delta = H(\text{제안}) - H(\text{지금}), \qquad \alpha = \min(1, e^{-\Delta})$$

    Attributes:
        acceptance: 채택할 확률 $\alpha$. 채택·기각 단계가 없는 `langevin_step`에서는 늘 1이고, 발산하면 0.
        accepted: 옮겼는지. 거짓이면 위치가 그대로다.
        diverged: 제안이 유한하지 않거나, 채택·기각 단계가 있을 때 $\Delta$가 1000을 넘었는지. 참이면 옮기지 않는다.
        energy_error: $\Delta$. 제안이 유한하지 않으면 $\infty$.
        coarse: 에너지가 너무 커서 이웃한 두 부동소수점 수의 간격이 $0.1\,\tau$를 넘는지. 참이면 $\Delta$가 반올림에
            묻혀 채택·기각 단계가 목표 분포를 유지하지 못한다. 에너지에서 상수를 빼거나 float64를 쓴다.

    References:
        Betancourt, M. (2017). A Conceptual Introduction to Hamiltonian Monte Carlo (발산).
    """

    acceptance: Float[Tensor, "*chains"]
    accepted: Bool[Tensor, "*chains"]
    diverged: Bool[Tensor, "*chains"]
    energy_error: Float[Tensor, "*chains"]
    coarse: Bool[Tensor, "*chains"]


@with_gradients
def init(energy: Energy, position: Float[Tensor, "*chains d"]) -> State:
    r"""체인들을 초기 위치에 놓는다. 랑주뱅, MALA, HMC가 모두 여기서 시작한다.

    $$x_0 \mapsto \bigl(x_0,\; E(x_0),\; \nabla E(x_0)\bigr)$$

    값을 살피므로 장치와 한 번 동기화한다.

    Args:
        energy: 에너지 $E$. 점마다 스칼라 하나를 준다.
        position: 초기 위치 $x_0$. 앞의 축이 모두 체인이다.

    Returns:
        초기 상태.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 위치가 비었거나 실수형이 아니거나, 위치나 그곳의 에너지나 기울기가 유한하지 않거나, 에너지가 점마다
            스칼라 하나가 아니거나 기울기를 주지 않으면.

    References:
        Roberts, G. O. & Tweedie, R. L. (1996). Exponential Convergence of Langevin Distributions and Their Discrete
        Approximations.
    """
    _calls.points(position=position)
    checks.within(position=(position, REAL))
    x = _calls.constant(position).clone()
    found = _calls.derivatives(energy, x, accept="finite")
    return State(x, found.energy, found.gradient)


@with_gradients
def langevin_step(
    energy: Energy,
    state: State,
    *,
    step_size: float | Float[Tensor, "..."],
    temperature: float = 1.0,
    generator: torch.Generator | None,
) -> tuple[State, Info]:
    r"""랑주뱅 동역학의 한 스텝: 기울기를 따라 내려가며 노이즈를 더한다.

    $$x' = x - \frac{\epsilon}{2} \frac{\nabla E(x)}{\tau} + \sqrt{\epsilon}\, \xi, \qquad \xi \sim \mathcal{N}(0, I)$$

    채택·기각 단계가 없어(ULA) 스텝이 크면 편향이 생긴다. $\mathcal{N}(0, 1)$에서 분산은 차원과 상관없이
    $1 / (1 - \epsilon / 4)$다. 스텝이 에너지의 곡률에 비해 크면 체인이 튕겨 나가고, 막아 주는 단계가 없다.
    옮겨 갈 위치나 그곳의 에너지나 기울기가 유한하지 않을 때만 옮기지 않고 `info.diverged`에 적는다.

    Args:
        energy: 에너지 $E$.
        state: 지금의 상태.
        step_size: 스텝 크기 $\epsilon > 0$. 텐서면 체인마다 다르다.
        temperature: 온도 $\tau > 0$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        다음 상태와 그 기록. `info.energy_error`는 MALA가 검사에 쓰는 값이다.

    Raises:
        TypeError: 수가 아닌 값을 받으면.
        ValueError: 스텝 크기나 온도가 0보다 크지 않거나, 다른 장치의 발생기이면.

    References:
        Welling, M. & Teh, Y. W. (2011). Bayesian Learning via Stochastic Gradient Langevin Dynamics.
        Roberts, G. O. & Tweedie, R. L. (1996). Exponential Convergence of Langevin Distributions and Their Discrete
        Approximations.
    """
    epsilon = _step_column(state, step_size)
    checks.number(POSITIVE, temperature=temperature)
    state = _constant(state)
    proposal, error = _langevin(energy, state, epsilon, temperature, generator)
    moved = _sum(proposal).isfinite()  # 편향을 고치는 일은 채택·기각 단계가 한다. 여기서는 갈 수 없는 곳만 막는다
    new = _choose(moved, proposal, state)
    error = torch.where(moved, error, math.inf).nan_to_num(math.inf, math.inf, -math.inf).to(new.energy.dtype)
    return new, Info(moved.to(error.dtype), moved, ~moved, error, _coarse(new, temperature))


@with_gradients
def mala_step(
    energy: Energy,
    state: State,
    *,
    step_size: float | Float[Tensor, "..."],
    temperature: float = 1.0,
    generator: torch.Generator | None,
) -> tuple[State, Info]:
    r"""채택·기각 단계를 더한 랑주뱅(MALA): 랑주뱅의 한 스텝을 제안으로 삼고, 채택할지 정한다.

    $$\alpha = \min\left(1,\; \frac{p(x')\, q(x \mid x')}{p(x)\, q(x' \mid x)}\right), \qquad
    q(x' \mid x) = \mathcal{N}\Bigl(x';\; x - \tfrac{\epsilon}{2} \tfrac{\nabla E(x)}{\tau},\; \epsilon I\Bigr)$$

    스텝 크기와 상관없이 편향이 없다. 스텝 크기가 $\sqrt{\epsilon}$이고 립프로그가 한 번인 HMC와 같다.

    Args:
        energy: 에너지 $E$.
        state: 지금의 상태.
        step_size: 스텝 크기 $\epsilon > 0$. 텐서면 체인마다 다르다.
        temperature: 온도 $\tau > 0$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        다음 상태와 그 기록.

    Raises:
        TypeError: 수가 아닌 값을 받으면.
        ValueError: 스텝 크기나 온도가 0보다 크지 않거나, 다른 장치의 발생기이면.

    References:
        Roberts, G. O. & Rosenthal, J. S. (1998). Optimal Scaling of Discrete Approximations to Langevin Diffusions.
    """
    epsilon = _step_column(state, step_size)
    checks.number(POSITIVE, temperature=temperature)
    state = _constant(state)
    proposal, error = _langevin(energy, state, epsilon, temperature, generator)
    return _metropolis(state, proposal, error, temperature, generator)


@full_precision
def hamiltonian(
    energy: Float[Tensor, "*chains"],
    momentum: Float[Tensor, "*chains d"],
    *,
    mass: Float[Tensor, "d"] | None = None,
    temperature: float = 1.0,
) -> Float[Tensor, "*chains"]:
    r"""해밀토니안: 위치 에너지와 운동 에너지의 합.

    $$H(x, r) = \frac{E(x)}{\tau} + \sum_i \frac{r_i^2}{2 m_i}$$

    Args:
        energy: 위치마다의 에너지 $E(x)$.
        momentum: 운동량 $r$.
        mass: 좌표마다의 질량 $m > 0$. `None`이면 모두 1.
        temperature: 온도 $\tau > 0$.

    Returns:
        $H$. `energy`와 같은 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 실수형이 아니거나, 질량이나 온도가 0보다 크지 않으면.

    References:
        Neal, R. M. (2011). MCMC Using Hamiltonian Dynamics, 2절.
    """
    checks.floating(energy=energy, momentum=momentum)
    checks.ndim(1, math.inf, momentum=momentum)
    checks.shape(momentum.shape[:-1], energy=energy)
    checks.number(POSITIVE, temperature=temperature)
    return _hamiltonian(energy, momentum, _mass(momentum, mass), temperature).to(energy.dtype)


@with_gradients
def leapfrog(
    energy: Energy,
    state: State,
    momentum: Float[Tensor, "*chains d"],
    *,
    step_size: float | Float[Tensor, "..."],
    steps: int,
    mass: Float[Tensor, "d"] | None = None,
    temperature: float = 1.0,
) -> tuple[State, Float[Tensor, "*chains d"]]:
    r"""립프로그: 운동량을 반 스텝, 위치를 한 스텝, 다시 운동량을 반 스텝 옮기기를 $L$번 반복한다.

    $$r \leftarrow r - \frac{\epsilon}{2} \frac{\nabla E(x)}{\tau}, \qquad x \leftarrow x + \epsilon \frac{r}{m}, \qquad
    r \leftarrow r - \frac{\epsilon}{2} \frac{\nabla E(x)}{\tau}$$

    운동량의 부호를 바꾸어 다시 돌리면 제자리로 오고, 부피를 보존하며, $H$의 오차는 $O(\epsilon^2)$다.
    이어지는 두 반 스텝은 한 스텝으로 합치므로 기울기는 $L$번만 구한다. 진동수가 $\omega$인 방향에서
    $\epsilon \omega > 2$이면 발산한다.

    Args:
        energy: 에너지 $E$.
        state: 출발하는 상태. [`init`][mgk_docs_src.energy.samplers.init]이 만든다.
        momentum: 운동량 $r$.
        step_size: 스텝 크기 $\epsilon > 0$. 텐서면 체인마다 다르다.
        steps: 스텝 수 $L \ge 1$.
        mass: 좌표마다의 질량 $m > 0$. `None`이면 모두 1.
        temperature: 온도 $\tau > 0$.

    Returns:
        도착한 상태와 그때의 운동량. 발산했으면 유한하지 않을 수 있다. 그래프에서 떼어 낸 값이고,
        `torch.func`의 변환 안에서는 끝까지 미분된다.

    Raises:
        TypeError: 수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 스텝 크기나 질량이나 온도가 0보다 크지 않거나, 스텝 수가 1보다 작으면.

    References:
        Neal, R. M. (2011). MCMC Using Hamiltonian Dynamics, 2.3절.
    """
    epsilon = _step_column(state, step_size)
    checks.floating(momentum=momentum)
    checks.shape(state.position.shape, momentum=momentum)
    checks.count(1, steps=steps)
    checks.number(POSITIVE, temperature=temperature)
    state, momentum, m = _constant(state), _calls.constant(momentum), _calls.constant(_mass(momentum, mass))
    return _leapfrog(energy, state, momentum, epsilon=epsilon, steps=steps, mass=m, temperature=temperature)


@with_gradients
def hmc_step(
    energy: Energy,
    state: State,
    *,
    step_size: float | Float[Tensor, "..."],
    steps: int,
    mass: Float[Tensor, "d"] | None = None,
    jitter: float = 0.0,
    temperature: float = 1.0,
    generator: torch.Generator | None,
) -> tuple[State, Info]:
    r"""해밀토니안 몬테카를로의 한 스텝: 운동량을 뽑아 궤적을 따라가고, 도착한 곳을 채택할지 정한다.

    $$r \sim \mathcal{N}(0, \operatorname{diag} m), \qquad (x', r') = \mathrm{leapfrog}^L_\epsilon(x, r), \qquad
    \alpha = \min\bigl(1,\; e^{H(x, r) - H(x', r')}\bigr)$$

    스텝 수가 정해져 있으면 궤적이 제자리로 돌아오는 방향(공명)이 생긴다. `jitter`로 스텝 크기를 무작위로 흔들면 풀린다.
    기울기를 $L$번 구한다.

    Args:
        energy: 에너지 $E$.
        state: 지금의 상태.
        step_size: 립프로그의 스텝 크기 $\epsilon > 0$. 텐서면 체인마다 다르다.
        steps: 립프로그의 스텝 수 $L \ge 1$.
        mass: 좌표마다의 질량 $m > 0$. `None`이면 모두 1. 분산의 역수일 때 모든 방향이 같은 속도로 움직인다.
        jitter: 궤적마다, 체인마다 스텝 크기를 $\epsilon (1 + \text{jitter} \cdot u)$, $u \sim \mathcal{U}(-1, 1)$로
            흔드는 비율. $[0, 1)$.
        temperature: 온도 $\tau > 0$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        다음 상태와 그 기록.

    Raises:
        TypeError: 수가 아닌 값을 받으면.
        ValueError: 스텝 크기나 질량이나 온도가 0보다 크지 않거나, 스텝 수가 1보다 작거나, `jitter`가 $[0, 1)$을
            벗어나거나, 다른 장치의 발생기이면.

    References:
        Duane, S. 외 (1987). Hybrid Monte Carlo.
        Neal, R. M. (2011). MCMC Using Hamiltonian Dynamics, 3절과 4.2절 (스텝 크기 정하기).
    """
    epsilon = _step_column(state, step_size)
    checks.count(1, steps=steps)
    checks.number(_BELOW_ONE, jitter=jitter)
    checks.number(POSITIVE, temperature=temperature)
    state = _constant(state)
    epsilon = _jittered(state, epsilon, jitter, generator)
    m = _calls.constant(_mass(state.position, mass))
    momentum = _normal_like(state.position, generator) * m**0.5  # 보조 변수: 운동량
    before = _hamiltonian(state.energy, momentum, m, temperature)  # 해밀토니안
    proposal, momentum = _leapfrog(  # 립프로그
        energy, state, momentum, epsilon=epsilon, steps=steps, mass=m, temperature=temperature
    )
    after = _hamiltonian(proposal.energy, momentum, m, temperature)
    return _metropolis(state, proposal, after - before, temperature, generator)  # 메트로폴리스–헤이스팅스


Step = Callable[[State], tuple[State, Info]]


class Draws(NamedTuple):
    """스텝마다 모은 표본.

    Attributes:
        positions: 모은 위치. 첫 축이 스텝이다.
        info: 스텝마다의 기록. 버린 스텝과 솎아 낸 스텝의 기록도 모두 있으므로, 발산을 빠짐없이 센다.
        state: 마지막 상태. 이어서 돌릴 수 있다.

    References:
        Gelman, A. 외 (2013). Bayesian Data Analysis, 11장.
    """

    positions: Float[Tensor, "count *chains d"]
    info: Info
    state: State


@full_precision
def sample(step: Step, state: State, count: int, *, burn: int = 0, thin: int = 1) -> Draws:
    r"""스텝을 반복하며 위치를 모은다. 체인은 모두 함께 움직이고, 시간만 반복한다.

    $$x_{t+1} \sim K(\,\cdot \mid x_t), \qquad t = 0, \ldots, \mathrm{burn} + \mathrm{count} \cdot \mathrm{thin} - 1$$

    Args:
        step: 상태를 받아 다음 상태와 그 기록을 주는 함수. 예: `functools.partial(hmc_step, energy, step_size=…, …)`.
        state: 초기 상태.
        count: 모을 위치의 수. 1 이상.
        burn: 처음에 버릴 스텝 수. 0 이상.
        thin: 몇 스텝마다 하나를 모으나. 1 이상.

    Returns:
        모은 위치, 모든 스텝의 `info`, 마지막 상태.

    Raises:
        TypeError: 정수가 아닌 값을 받으면.
        ValueError: 수가 모자라거나, `step`이 내는 오류.

    References:
        Gelman, A. 외 (2013). Bayesian Data Analysis, 11장.
    """
    checks.count(1, count=count, thin=thin)
    checks.count(0, burn=burn)
    checks.instance(State, state=state)
    checks.function(step=step)
    positions, infos = [], []
    for t in range(burn + count * thin):
        found = step(state)
        if not (isinstance(found, tuple) and [*map(type, found)] == [State, Info]):
            raise TypeError("step: (State, Info)를 주어야 하는데 다른 것을 주었다")
        state, info = found
        infos.append(info)
        if t >= burn and (t - burn) % thin == thin - 1:
            positions.append(state.position)
    return Draws(torch.stack(positions), Info(*map(torch.stack, zip(*infos, strict=True))), state)


Method = Literal["both", "bulk", "tail", "mean"]


@full_precision
def effective_sample_size(draws: Float[Tensor, "t n *rest"], *, method: Method = "both") -> Float64[Tensor, "*rest"]:
    r"""유효 표본 크기: 상관된 표본들이 독립 표본 몇 개와 같은가.

    $$\mathrm{ESS} = \frac{N}{\tau}, \qquad \tau = 1 + 2 \sum_{k \ge 1} \rho_k, \qquad
    \rho_k = 1 - \frac{W - \bar c_k}{V}$$

    체인마다 반으로 갈라 $N = tn$개를 $2n$개의 체인으로 본다. $\bar c_k$는 체인마다 FFT로 구한 자기 공분산의 평균,
    $W$는 체인 안의 분산, $V = \bar c_0 + \operatorname{var}(\text{체인의 평균})$다. 체인이 다른 곳에 머물면 $V$가 커져
    ESS가 준다. 합은 이웃한 두 $\rho$의 합이 양수인 데까지, 그 합이 늘지 않게 눌러서 더한다(Geyer). 음의 상관이 있는
    체인에서 끝없이 커지지 않게 $\mathrm{ESS} \le N \log_{10} N$으로 막는다.

    무엇을 재는지는 `method`가 정한다. 값은 ArviZ와 같다(모두 같은 값일 때만 다르다: ArviZ는 $N$, 여기는 nan).

    Args:
        draws: 표본. 첫 축이 스텝, 둘째 축이 체인, 나머지는 따로 재는 양이다.
        method: `"bulk"`는 값을 순위로 바꾸어 정규 분포에 맞춘 것(가운데를 얼마나 정확히 아는가), `"tail"`은 5 %와 95 %
            분위수를 넘는지 여부(꼬리를 얼마나 정확히 아는가), `"both"`는 둘 가운데 작은 것, `"mean"`은 값 그대로(평균의
            표준 오차가 $\sigma / \sqrt{\mathrm{ESS}}$인 것).

    Returns:
        양마다의 ESS. 반정밀도로도 정확하게 float64로 계산한다. 모두 같은 값이면 nan.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 축이 둘보다 적거나, 스텝이 넷보다 적거나, 실수형이 아니거나, 유한하지 않은 값이 있거나,
            없는 `method`이면.

    References:
        Geyer, C. J. (1992). Practical Markov Chain Monte Carlo.
        Vehtari, A. 외 (2021). Rank-Normalization, Folding, and Localization: An Improved R-hat.
    """
    checks.choice(get_args(Method), method=method)
    chains = _chains(draws)
    found = []
    if method == "mean":
        found.append(_ess(_halves(chains)))
    if method in ("both", "bulk"):
        found.append(_ess(_normal_scores(_halves(chains))))
    if method in ("both", "tail"):
        found += [_ess(_halves(below)) for below in _tails(chains)]
    least = torch.stack(found).amin(0)
    return torch.where(_constant_draws(chains), math.nan, least)


@full_precision
def split_rhat(draws: Float[Tensor, "t n *rest"]) -> Float64[Tensor, "*rest"]:
    r"""갈라 잰 $\hat R$: 체인들이 같은 곳을 같은 너비로 돌고 있는가. 1에 가까워야 한다.

    $$\hat R = \max\left( \sqrt{\frac{V(z)}{W(z)}},\; \sqrt{\frac{V(\tilde z)}{W(\tilde z)}} \right)$$

    체인마다 반으로 갈라, $W$는 체인 안의 분산, $V = \bar c_0 + \operatorname{var}(\text{체인의 평균})$다. $z$는 표본을
    순위로 바꾸어 정규 분포에 맞춘 것이라 꼬리가 두꺼워도 흔들리지 않고, $\tilde z$는 중앙값에서 떨어진 거리
    $|x - \operatorname{med}|$를 그렇게 한 것이라 평균은 같고 너비만 다른 체인(움직이지 않은 체인도)을 찾아낸다.
    1.01을 넘으면 더 돌린다. 값은 ArviZ와 같고, 체인이 하나일 때도 반으로 갈라 잰다(ArviZ는 nan).

    Args:
        draws: 표본. 첫 축이 스텝, 둘째 축이 체인, 나머지는 따로 재는 양이다.

    Returns:
        양마다의 $\hat R$. float64로 계산한다. 어느 체인도 움직이지 않았으면 $\infty$, 모두 같은 값이면 nan.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 축이 둘보다 적거나, 스텝이 넷보다 적거나, 실수형이 아니거나, 유한하지 않은 값이 있으면.

    References:
        Vehtari, A. 외 (2021). Rank-Normalization, Folding, and Localization: An Improved R-hat.
        Gelman, A. 외 (2013). Bayesian Data Analysis, 11.4절.
    """
    chains = _chains(draws)
    halves = _halves(chains)
    folded = (halves - _median(halves)).abs()
    # 값이 둘뿐이면 거리로 바꾼 값이 모두 같아 nan이다. 그때는 바꾸지 않은 값만 본다.
    rhat = torch.fmax(_rhat(_normal_scores(halves)), _rhat(_normal_scores(folded)))
    return torch.where(_constant_draws(chains), math.nan, rhat)


class Adapted(NamedTuple):
    r"""적응시킨 결과. 그대로 [`hmc_step`][mgk_docs_src.energy.samplers.hmc_step]에 넣는다.

    Attributes:
        step_size: 스텝 크기 $\epsilon$.
        mass: 좌표마다의 질량 $m$, 분산의 역수.
        state: 적응하는 동안 도착한 상태.
        gradients: 체인 하나가 적응에 쓴 기울기의 수.
        info: 스텝마다의 기록.

    References:
        Hoffman, M. D. & Gelman, A. (2014). The No-U-Turn Sampler, 3.2절.
    """

    step_size: float
    mass: Float[Tensor, "d"]
    state: State
    gradients: int
    info: Info


@with_gradients
def adapt(
    energy: Energy,
    position: Float[Tensor, "*chains d"],
    *,
    steps: int,
    rounds: int = 5,
    count: int = 50,
    step_size: float = 0.1,
    target: float = 0.8,
    jitter: float = 0.0,
    temperature: float = 1.0,
    generator: torch.Generator | None,
) -> Adapted:
    r"""HMC를 적응시킨다: 채택률이 `target`이 되게 스텝 크기를, 분산의 역수로 질량을 맞춘다.

    $$\log \epsilon_{t+1} = \mu - \frac{\sqrt{t}}{\gamma} \frac{1}{t + t_0} \sum_{s \le t} (\delta - \bar\alpha_s),
    \qquad m_i = \frac{1}{\operatorname{var}(x_i)}$$

    한 차례는 HMC를 `count`스텝 돌리며 쌍대 평균으로 스텝 크기를 맞추고, 끝에 그 차례의 표본으로 질량을 추정한다.
    마지막 차례에는 질량을 그대로 두고 스텝 크기만 맞춘다. $\bar\alpha$와 분산은 체인을 모두 모아 계산한다.
    맞추는 동안의 표본은 목표 분포를 정확히 따르지 않으므로 쓰지 않는다.

    Args:
        energy: 에너지 $E$.
        position: 초기 위치. 앞의 축이 모두 체인이다.
        steps: 립프로그의 스텝 수 $L \ge 1$.
        rounds: 차례의 수. 1이면 스텝 크기만 맞춘다.
        count: 한 차례의 스텝 수. 2 이상.
        step_size: 초기 스텝 크기.
        target: 바라는 평균 채택률 $\delta \in (0, 1)$.
        jitter: 스텝 크기를 흔드는 비율. $[0, 1)$.
        temperature: 온도 $\tau > 0$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        맞춘 스텝 크기와 질량, 마지막 상태, 쓴 기울기의 수.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 초기 위치가 [`init`][mgk_docs_src.energy.samplers.init]에 맞지 않거나, 수가 모자라거나, 스텝 크기나
            온도가 0보다 크지 않거나, `target`이 $(0, 1)$을, `jitter`가 $[0, 1)$을 벗어나거나, 한 차례 내내 그대로인
            좌표가 있으면.

    References:
        Hoffman, M. D. & Gelman, A. (2014). The No-U-Turn Sampler, 3.2절 (쌍대 평균).
        Stan Reference Manual, HMC의 Automatic parameter tuning.
    """
    checks.count(1, steps=steps, rounds=rounds)
    checks.count(2, count=count)
    checks.number(POSITIVE, step_size=step_size, temperature=temperature)
    checks.number(_OPEN_UNIT, target=target)
    checks.number(_BELOW_ONE, jitter=jitter)
    state = init(energy, position)
    mass, infos = torch.ones_like(state.position[(0,) * (state.position.ndim - 1)]), []
    log_step = mass.new_tensor(math.log(step_size))
    for turn in range(rounds):
        tuning, positions = _restart(log_step), []
        for _ in range(count):
            state, info = hmc_step(
                energy,
                state,
                step_size=tuning.log_step.exp(),
                steps=steps,
                mass=mass,
                jitter=jitter,
                temperature=temperature,
                generator=generator,
            )
            tuning = _tune(tuning, target - info.acceptance.mean())
            positions.append(state.position)
            infos.append(info)
        log_step = tuning.average
        draws = torch.stack(positions)
        _check_moved(draws)
        if turn < rounds - 1:
            mass = _measured_mass(draws, mass)
    info = Info(*map(torch.stack, zip(*infos, strict=True)))
    return Adapted(float(log_step.exp()), mass, state, 1 + rounds * count * steps, info)


class _Tuning(NamedTuple):
    """쌍대 평균의 상태."""

    centre: Tensor  # μ: 오차의 합이 0이면 돌아갈 값
    total: Tensor  # Σ (δ − ᾱ)
    t: int
    log_step: Tensor  # 지금 쓸 log ε
    average: Tensor  # 나중 값에 가중치를 더 둔 log ε의 평균


def _restart(log_step: Tensor) -> _Tuning:
    # μ를 열 배로 잡는 것은 Hoffman & Gelman의 값이다: 큰 스텝부터 시도하는 쪽이 비용이 적다.
    return _Tuning(log_step + math.log(10.0), torch.zeros_like(log_step), 0, log_step, log_step)


def _tune(tuning: _Tuning, shortfall: Tensor) -> _Tuning:
    gamma, t0, kappa = 0.05, 10, 0.75  # Hoffman & Gelman (2014), 3.2절의 값
    t, total = tuning.t + 1, tuning.total + shortfall
    log_step = tuning.centre - t**0.5 / gamma / (t + t0) * total
    log_step = log_step.clamp(-80.0, 80.0)  # ε이 float32에서도 0이나 무한대가 되지 않게
    return _Tuning(tuning.centre, total, t, log_step, tuning.average.lerp(log_step, t**-kappa))


def _measured_mass(positions: Tensor, mass: Tensor) -> Tensor:
    """분산의 역수. 표본이 적으면 앞의 질량에 (로그에서) 가깝게 둔다."""
    (draws,) = widen(positions.reshape(-1, positions.shape[-1]))
    share = len(draws) / (len(draws) + _PRIOR)
    variance = draws.var(0)
    found = mass.log().lerp(-variance.to(mass.dtype).log(), share).exp()
    # 평평한 에너지에서는 체인이 끝없이 멀어진다.
    named = {"energy를 따라간 좌표의 분산": variance, "energy를 따라 맞춘 질량": found}
    checks.within(**{name: (value, POSITIVE) for name, value in named.items()})
    return found


def _langevin(
    energy: Energy, state: State, epsilon: float | Tensor, temperature: float, generator: torch.Generator | None
) -> tuple[State, Tensor]:
    """랑주뱅의 제안과, 그 제안을 채택할지 정하는 Δ."""
    x = state.position
    slope = state.gradient / temperature  # 경사
    noise = _normal_like(x, generator)  # 노이즈
    place = x - epsilon / 2 * slope + epsilon**0.5 * noise  # 갱신
    proposal = State(place, *_calls.derivatives(energy, place, accept="nan")[:2])
    # 되돌아오려면 필요한 노이즈. 갈 때의 노이즈보다 크면 그만큼 확률이 낮은 길이다.
    x, place, slope, noise = widen(x, place, proposal.gradient, noise)
    before, after = widen(state.energy, proposal.energy)
    back = (x - place + epsilon / 2 * slope / temperature) / epsilon**0.5
    return proposal, (after - before) / temperature + (back.square() - noise.square()).sum(-1) / 2


def _leapfrog(
    energy: Energy,
    state: State,
    momentum: Tensor,
    *,
    epsilon: float | Tensor,
    steps: int,
    mass: Tensor,
    temperature: float,
) -> tuple[State, Tensor]:
    x, value, slope = state
    kick, drift = epsilon / temperature, epsilon / mass
    momentum = momentum - kick / 2 * slope
    for _ in range(steps):
        x = x + drift * momentum
        value, slope, _ = _calls.derivatives(energy, x, accept="nan")
        momentum = momentum - kick * slope
    return State(x, value, slope), momentum + kick / 2 * slope  # 마지막은 반 스텝이다


def _hamiltonian(energy: Tensor, momentum: Tensor, mass: Tensor, temperature: float) -> Tensor:
    """반정밀도의 운동량은 제곱하면 넘치므로 넓혀서 더한다."""
    value, r, m = widen(energy, momentum, mass)
    return value / temperature + (r.square() / m).sum(-1) / 2


def _metropolis(
    state: State, proposal: State, error: Tensor, temperature: float, generator: torch.Generator | None
) -> tuple[State, Info]:
    error = torch.where((_sum(proposal) + error).isfinite(), error, math.inf)
    acceptance = torch.exp(-error.clamp(min=0))
    u = rand(*error.shape, generator=generator, device=error.device, dtype=error.dtype)
    accepted = u < acceptance
    new = _choose(accepted, proposal, state)
    kind = new.energy.dtype
    return new, Info(acceptance.to(kind), accepted, error > _DIVERGED, error.to(kind), _coarse(new, temperature))


def _sum(proposal: State) -> Tensor:
    """제안의 모든 값을 더한 것. 유한하면 모두 유한하다. float64로 더하므로 float32의 합은 넘치지 않는다."""
    x, value, slope = proposal
    return x.sum(-1, dtype=torch.float64) + slope.sum(-1, dtype=torch.float64) + value


def _coarse(state: State, temperature: float) -> Tensor:
    """이웃한 수의 간격이 0.1τ 이상인 에너지인가. 간격은 2의 거듭제곱마다 두 배가 된다."""
    eps = torch.finfo(state.energy.dtype).eps
    return state.energy.abs() >= 2.0 ** math.ceil(math.log2(_COARSE * temperature / eps))


def _constant(state: State) -> State:
    return State(*map(_calls.constant, state))


def _choose(accepted: Tensor, new: State, old: State) -> State:
    column = accepted[..., None]
    return State(
        torch.where(column, new.position, old.position),
        torch.where(accepted, new.energy, old.energy),
        torch.where(column, new.gradient, old.gradient),
    )


def _normal_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    return randn(*x.shape, generator=generator, device=x.device, dtype=x.dtype)


def _check_moved(draws: Tensor) -> None:
    still = (draws == draws[0]).flatten(0, -2).all(0)  # (d,)
    if still.any():
        coordinate = int(still.nonzero()[0])
        raise ValueError(
            f"energy: 적응시키려면 움직여야 하는데, {len(draws)}스텝 동안 모든 체인에서 좌표 {coordinate}이 그대로다"
        )


def _jittered(
    state: State, epsilon: float | Tensor, jitter: float, generator: torch.Generator | None
) -> float | Tensor:
    if jitter == 0:
        return epsilon
    shape, device, dtype = state.energy.shape, state.energy.device, state.energy.dtype
    u = 2 * rand(*shape, generator=generator, device=device, dtype=dtype) - 1
    return epsilon * (1 + jitter * u[..., None])


def _step_column(state: State, step_size: float | Tensor) -> float | Tensor:
    """위치에 곱할 수 있게 세운 스텝 크기. 텐서면 값을 살피느라 장치와 한 번 동기화한다."""
    checks.instance(State, state=state)
    if not isinstance(step_size, Tensor):
        checks.number(POSITIVE, step_size=step_size)
        return step_size
    checks.broadcastable(state.energy.shape, step_size=step_size)
    checks.device(state.energy.device, step_size=step_size)
    size = _calls.constant(step_size).to(state.energy.dtype)  # 상태의 자료형에서 0이 되는 스텝 크기도 잡는다
    checks.within(step_size=(size, POSITIVE))
    return size[..., None]


def _mass(like: Tensor, mass: Tensor | None) -> Tensor:
    if mass is None:
        return like.new_ones(())
    checks.floating(mass=mass)
    checks.shape(like.shape[-1:], mass=mass)
    checks.device(like.device, mass=mass)
    mass = mass.to(like.dtype)
    checks.within(mass=(mass, POSITIVE))
    return mass


def _chains(draws: Tensor) -> Tensor:
    """잴 양마다의 체인들 (*rest, n, t). 시간이 끝에 이어져 있어야 푸리에 변환과 정렬이 빠르다."""
    checks.floating(draws=draws)
    checks.ndim(2, math.inf, draws=draws)
    checks.nonempty(draws=draws)
    checks.count(4, **{"draws.shape[0]": len(draws)})
    checks.within(draws=(draws, REAL))
    return draws.detach().double().movedim((1, 0), (-2, -1)).contiguous()


def _halves(chains: Tensor) -> Tensor:
    """체인을 앞뒤로 갈라 두 배의 체인으로 (*rest, 2n, t // 2). 홀수면 가운데 하나를 버린다."""
    half = chains.shape[-1] // 2
    return torch.cat([chains[..., :half], chains[..., -half:]], -2)


def _constant_draws(chains: Tensor) -> Tensor:
    """표본이 모두 한 값인가. 분산으로 보면 평균의 반올림 때문에 0이 아닐 수 있다."""
    low, high = chains.flatten(-2).aminmax(dim=-1)
    return low == high


def _normal_scores(chains: Tensor) -> Tensor:
    """모든 체인을 함께 정렬한 순위를 표준 정규의 분위수로. 같은 값은 순위의 평균을 함께 갖는다(Blom)."""
    flat = chains.flatten(-2)
    size = flat.shape[-1]
    ordered, place = flat.sort(-1)
    turn = torch.arange(size, device=flat.device, dtype=flat.dtype)
    starts = F.pad(ordered.diff(dim=-1) != 0, (1, 0), value=True)  # 앞의 것과 다른 곳에서 새 무리가 시작한다
    first = torch.where(starts, turn, 0.0).cummax(-1).values
    last = torch.where(starts.roll(-1, -1), turn, float(size)).flip(-1).cummin(-1).values.flip(-1)
    scores = torch.special.ndtri(((first + last) / 2 + 1 - 3 / 8) / (size + 1 / 4))
    back: Tensor = scores.scatter(-1, place, scores)
    return back.view_as(chains)


def _tails(chains: Tensor) -> list[Tensor]:
    """5 %와 95 % 분위수 아래인가. 분위수가 두 값 사이에 있으면 아랫값까지가 아래다."""
    flat = chains.flatten(-2)
    places = [math.floor(share * (flat.shape[-1] - 1)) for share in (0.05, 0.95)]
    return [(chains <= flat.kthvalue(place + 1).values[..., None, None]).double() for place in places]


def _median(chains: Tensor) -> Tensor:
    flat = chains.flatten(-2)
    half = flat.shape[-1] // 2  # 반으로 가른 체인은 짝수 개다
    middle: Tensor = (flat.kthvalue(half).values + flat.kthvalue(half + 1).values) / 2
    return middle[..., None, None]


def _moments(chains: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """체인마다의 평균을 뺀 값, 체인 안의 분산 W, 체인 사이까지 본 분산 V."""
    t = chains.shape[-1]
    start = chains[..., :1]
    centred = chains - start  # 움직이지 않은 체인의 분산이 반올림 없이 0이 되게
    mean = centred.mean(-1, keepdim=True)
    centred = centred - mean
    within = centred.square().sum(-1).mean(-1) / (t - 1)
    return centred, within, within * (1 - 1 / t) + (start + mean).squeeze(-1).var(-1)


def _rhat(chains: Tensor) -> Tensor:
    _, within, pooled = _moments(chains)
    return (pooled / within).sqrt()


def _ess(chains: Tensor) -> Tensor:
    """체인들 (*rest, n, t)의 ESS. 한 값뿐이면 N."""
    n, t = chains.shape[-2:]
    centred, within, pooled = _moments(chains)
    length = 1 << (2 * t - 1).bit_length()  # 0을 덧대어 끝이 처음으로 이어지지 않게 한다
    spectrum = torch.view_as_real(torch.fft.rfft(centred, n=length)).square().sum(-1)
    # 체인의 평균을 먼저 내면 되돌리기는 한 번이다.
    covariance = torch.fft.irfft(spectrum.mean(-2), n=length)[..., :t] / t
    rho = 1 - (within[..., None] - covariance) / pooled[..., None]
    rho[..., 0] = 1.0
    most = max(0, (t - 3) // 2)  # 끝에 가까운 시차는 남은 쌍이 적어 쓰지 않는다
    even, odd = rho[..., : 2 * most + 1 : 2], rho[..., 1 : 2 * most + 2 : 2]
    pairs = even + odd
    positive = (pairs[..., :most] > 0).cumprod(-1)
    total = (pairs[..., :most].cummin(-1).values * positive).sum(-1)
    # 처음 양수가 아닌 쌍(없으면 마지막 쌍)에서는 앞엣것만, 양수이거나 쌍의 합이 음수가 아닐 때 더한다.
    stop = positive.sum(-1, keepdim=True)
    last, pair = even.gather(-1, stop)[..., 0], pairs.gather(-1, stop)[..., 0]
    tau = -1 + 2 * total + torch.where((last > 0) | (pair >= 0), last, 0.0)
    size = n * t
    ess = size / tau.clamp(min=1 / math.log10(size))
    return torch.where(_constant_draws(chains), float(size), ess)
