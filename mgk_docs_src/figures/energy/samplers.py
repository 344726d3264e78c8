"""`docs/energy/samplers.md`의 그림."""

import math
from functools import partial

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from mgk_docs_src.energy.models import Energy, banana, boltzmann, double_well, evaluate, grid
from mgk_docs_src.energy.samplers import (
    Draws,
    Info,
    State,
    Step,
    effective_sample_size,
    hamiltonian,
    hmc_step,
    init,
    langevin_step,
    leapfrog,
    mala_step,
    sample,
)
from mgk_docs_src.figures.moving import Moving, Reading, knob, trace
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels, powers
from mgk_docs_src.random import generator, rand, randn

_HMC, _MALA, _ULA = (BLUE, "HMC"), (ORANGE, "MALA"), (GREEN, "ULA")
_START = torch.tensor([-1.6, 1.56], dtype=torch.float64)
_GRADIENTS = 144  # 세 샘플러가 똑같이 쓰는 기울기의 수


def trajectories() -> Figure:
    """휘어진 골짜기에서, 기울기를 144번씩 쓴 ULA, MALA, HMC의 궤적."""
    state, g = init(banana, _START), generator(3)
    ula, mala = (
        sample(partial(step, banana, step_size=0.02, generator=g), state, _GRADIENTS)
        for step in (langevin_step, mala_step)
    )
    hmc = sample(partial(hmc_step, banana, step_size=0.15, steps=12, generator=g), state, _GRADIENTS // 12)
    with panels(3, height=2.6) as (figure, axes):
        for axis, drawn, (color, name) in zip(axes, (ula, mala, hmc), (_ULA, _MALA, _HMC), strict=True):
            _contours(axis)
            path = torch.cat([_START[None], drawn.positions])
            axis.plot(path[:, 0], path[:, 1], ".-", color=color, linewidth=0.7, markersize=4)
            axis.set(title=f"{name}: 표본 {len(drawn.positions)}개")
    return figure


def ula_bias() -> Figure:
    """표준 정규 분포에서 스텝 크기에 따른 표본의 분산."""
    epsilon = torch.linspace(0.25, 3.0, 12, dtype=torch.float64)
    state = init(_standard, randn(len(epsilon), 2000, 1, generator=generator(0), dtype=torch.float64))
    step_size, g = epsilon[:, None], generator(1)
    curve = torch.linspace(0, 3.1, 100)
    steps: dict[tuple[str, str], Step] = {
        _ULA: partial(langevin_step, _standard, step_size=step_size, generator=g),
        _MALA: partial(mala_step, _standard, step_size=step_size, generator=g),
        _HMC: partial(hmc_step, _standard, step_size=step_size**0.5, steps=3, generator=g),
    }
    with panels() as (figure, (axes,)):
        axes.plot(curve, 1 / (1 - curve / 4), color=INK, linewidth=1.2, label="1 / (1 − ε/4)")
        axes.axhline(1, color=FAINT)
        for ((color, name), step), marker in zip(steps.items(), "os^", strict=True):
            positions = sample(step, state, 60, burn=40).positions
            label = {"HMC": "HMC (√ε, L = 3)"}.get(name, name)
            axes.plot(epsilon, positions.var((0, 2)), marker, color=color, markersize=5, label=label)
        axes.set(xlabel="스텝 크기 ε", ylabel="표본의 분산 (참값 1)", ylim=(0.5, 4.6))
        axes.legend(fontsize=9)
    return figure


def proposal() -> Figure:
    """표준 정규 분포에서 x = 2와 x′ = 1 사이의 제안 분포: 골짜기로 가는 쪽과 돌아오는 쪽의 밀도가 다르다."""
    axis = torch.linspace(-2.5, 4.5, 141, dtype=torch.float64)
    here, there, epsilon = 2.0, 1.0, 0.6
    with panels(height=2.8) as (figure, (axes,)):
        axes.fill_between(axis, _normal(axis, 0.0, 1.0), color=FAINT, label="목표 p")
        for start, end, color, name in (
            (here, there, BLUE, "x에서 가는 제안 q(·|x)"),
            (there, here, ORANGE, "x′에서 돌아오는 제안 q(·|x′)"),
        ):
            mean = start - epsilon / 2 * start  # 표준 정규 분포에서는 ∇E(x) = x
            axes.plot(axis, _normal(axis, mean, epsilon), color=color, label=name)
            axes.plot(end, _normal(torch.tensor(end), mean, epsilon), "o", color=color, markersize=7)
        for place in (here, there):
            axes.axvline(place, color=INK, linestyle="--", linewidth=1)
        axes.set_xticks([0, there, here], ["0", "x′ = 1", "x = 2"])
        axes.set(title="점이 채택 확률에 들어가는 두 밀도다", ylabel="밀도", xlim=(-2.5, 4.5), ylim=(0, 0.9))
        axes.legend(loc="upper left", fontsize=9)
    return figure


def langevin_live() -> Moving:
    """스텝 크기와 온도를 슬라이더로 바꾼다: 얕은 우물에서 출발한 랑주뱅 체인 800개가 400스텝 뒤에 어디 있나."""
    epsilon = torch.tensor([0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2], dtype=torch.float64)
    taus = torch.tensor([0.3, 0.5, 1.0, 2.0, 4.0], dtype=torch.float64)
    cells = grid(-2.4, 2.4, 48, dims=1, dtype=torch.float64)
    centres = cells.points[:, 0]
    edges = torch.linspace(-2.4, 2.4, 49, dtype=torch.float64)
    truth = torch.stack([boltzmann(evaluate(double_well, cells.points), temperature=tau) for tau in taus.tolist()])
    runs = [_chains(epsilon, tau, edges) for tau in taus.tolist()]
    share, path, lost = (torch.stack(kind, 1) for kind in zip(*runs, strict=True))  # (스텝 크기, 온도, …)
    with panels(2, height=2.5) as (figure, (above, below)):
        traces = [
            trace(above, centres, share / cells.cell, kind="bars", color=BLUE, width=5, label="표본"),
            trace(above, centres, truth[None] / cells.cell, color=ORANGE, label="볼츠만 분포"),
            trace(below, torch.linspace(0, 400, path.shape[-1]), path, color=BLUE, width=1),
        ]
        above.set(xlabel="x", ylabel="밀도", xlim=(-2.4, 2.4), ylim=(0, 2))
        below.set(title="체인 하나의 궤적", xlabel="체인 스텝", ylabel="x", xlim=(0, 400), ylim=(-2.4, 2.4))
        above.legend(loc="upper right", fontsize=9)
    left = centres < 0
    readings = [
        Reading("왼쪽 우물의 비율 {:.3f}", share[..., left].sum(-1)),
        Reading("참값 {:.3f}", truth[None, :, left].sum(-1)),
        Reading("분포의 차이(전변동) {:.3f}", (share - truth).abs().sum(-1) / 2),
        Reading("튕겨 나간 체인 {:.1%}", lost),
    ]
    return Moving(figure, [knob("스텝 크기 ε", epsilon, 3), knob("온도 τ", taus, 2)], traces, readings)


def leapfrog_energy() -> Figure:
    """립프로그의 에너지 오차: 스텝 크기의 제곱에 비례하고, ε ω = 2를 넘으면 급격히 커진다."""
    counts = [32, 48, 64, 96, 128, 192, 256]
    epsilon = torch.tensor([2.4 / count for count in counts], dtype=torch.float64)
    error = torch.stack([_energy_error(count) for count in counts])
    angle = torch.linspace(0.2, 2.2, 41, dtype=torch.float64)
    with panels(2, height=2.6) as (figure, (order, border)):
        order.loglog(epsilon, error, "o", color=BLUE, label="휘어진 골짜기")
        order.loglog(epsilon, error[-1] * (epsilon / epsilon[-1]) ** 2, "--", color=INK, linewidth=1, label="ε²")
        border.semilogy(angle, _worst_energy(angle), color=BLUE)
        border.axvline(2, color=ORANGE, linestyle="--", linewidth=1.2)
        border.annotate("ε ω = 2", (2, 1e4), (-5, 0), textcoords="offset points", ha="right", color=ORANGE)
        order.set(title="같은 시간을 갔을 때", xlabel="스텝 크기 ε", ylabel="|ΔH|의 중앙값")
        order.set_xticks([0.01, 0.02, 0.05], ["0.01", "0.02", "0.05"])
        order.set_xticks([], minor=True)
        border.set(
            title="200스텝 동안 가장 큰 H (처음은 1/2)", xlabel="스텝 크기 × 진동수 ε ω", ylabel="H", ylim=(0.1, 1e6)
        )
        for axes in (order, border):
            axes.yaxis.set_major_formatter(powers)
            axes.yaxis.set_minor_formatter("")
        order.legend()
    return figure


def step_sweep() -> Figure:
    """상관 0.9인 10차원 가우스에서 스텝 크기에 따른 채택률과 ESS."""
    epsilon = torch.linspace(0.06, 0.46, 11, dtype=torch.float64)
    energy, cholesky = _correlated(10)
    state = init(energy, randn(len(epsilon), 32, 10, generator=generator(0), dtype=torch.float64) @ cholesky.T)
    g = generator(1)
    hmc = partial(hmc_step, energy, step_size=epsilon[:, None], steps=12, jitter=0.2, generator=g)
    mala = partial(mala_step, energy, step_size=epsilon[:, None] ** 2, generator=g)
    with panels(2, height=2.6) as (figure, (rate, yields)):
        runs = ((_HMC, sample(hmc, state, 200), 12), (_MALA, sample(mala, state, 1500), 1))
        for (color, name), drawn, gradients in runs:
            rate.plot(epsilon, drawn.info.acceptance.mean((0, 2)), "o-", color=color, label=name, markersize=4)
            yields.semilogy(epsilon, _per_thousand(drawn, gradients), "o-", color=color, label=name, markersize=4)
        for axes in (rate, yields):
            axes.set(xlabel="립프로그의 스텝 크기 (MALA는 √ε)")
        rate.set(title="채택률", ylim=(0, 1.05))
        yields.set(title="기울기 1000번마다의 ESS", ylim=(0.2, 100))
        yields.yaxis.set_major_formatter(powers)
        rate.legend()
    return figure


# 차원마다의 HMC의 ε과 L, MALA의 ε, 분산이 5 % 부푸는 ULA의 ε. benchmarks/samplers.py의 tuned가 선택한 값이다.
_TUNED = {2: (0.4, 5, 0.25, 0.152), 10: (0.25, 16, 0.09, 0.13), 100: (0.15, 32, 0.04, 0.127)}


def dimension() -> Figure:
    """차원이 커질 때, 상관 0.9인 가우스에서 기울기 1000번마다의 ESS."""
    found: dict[str, list[float]] = {"HMC": [], "MALA": [], "ULA": []}
    for d, (epsilon, steps, mala, ula) in _TUNED.items():
        energy, cholesky = _correlated(d)
        state, g = init(energy, randn(32, d, generator=generator(d), dtype=torch.float64) @ cholesky.T), generator(1)
        hmc = partial(hmc_step, energy, step_size=epsilon, steps=steps, jitter=0.2, generator=g)
        found["HMC"].append(float(_per_thousand(sample(hmc, state, 80), steps)))
        # 상관이 큰 체인은 오래 돌려야 하고, 솎아도 ESS는 거의 그대로다.
        thin = {2: 2, 10: 4, 100: 10}[d]
        for name, step, size in (("MALA", mala_step, mala), ("ULA", langevin_step, ula)):
            slow = partial(step, energy, step_size=size, generator=g)
            found[name].append(float(_per_thousand(sample(slow, state, 300, thin=thin), thin)))
    with panels() as (figure, (axes,)):
        for (color, name), marker in zip((_HMC, _MALA, _ULA), "os^", strict=True):
            axes.loglog(list(_TUNED), found[name], marker + "-", color=color, label=name)
        axes.set(xlabel="차원 d", ylabel="기울기 1000번마다의 ESS")
        axes.set_xticks(list(_TUNED), [str(d) for d in _TUNED])
        axes.yaxis.set_major_formatter(powers)
        axes.legend()
    return figure


def resonance() -> Figure:
    """표준 편차가 0.01에서 1까지인 100차원 가우스, L = 150: 스텝 크기를 흔들지 않을 때와 흔들 때 좌표마다의 ESS."""
    scale = torch.logspace(-2, 0, 100, dtype=torch.float64)

    half_precision = 1 / (2 * scale**2)

    def energy(x: Tensor) -> Tensor:
        return x.square() @ half_precision

    # 두 무리를 한꺼번에 굴린다. 흔드는 셈은 hmc_step의 jitter와 같다.
    jitters, g = torch.tensor([0.0, 0.2], dtype=torch.float64), generator(1)

    def step(state: State) -> tuple[State, Info]:
        u = 2 * rand(16, generator=g, dtype=torch.float64) - 1
        return hmc_step(energy, state, step_size=0.0125 * (1 + jitters[:, None] * u), steps=150, generator=g)

    start = scale * randn(16, 100, generator=generator(0), dtype=torch.float64)
    draws = sample(step, init(energy, start.expand(2, -1, -1)), 80).positions  # (t, 무리, 체인, 좌표)
    with panels(height=3.2) as (figure, (axes,)):
        for jitter, color, x in zip(jitters.tolist(), (ORANGE, BLUE), draws.unbind(1), strict=True):
            ess = _worst_ess(x) / (16 * 80)
            axes.loglog(scale, ess, "o-", color=color, markersize=3, linewidth=0.8, label=f"흔들기 {jitter:.0%}")
        axes.set(xlabel="좌표의 표준 편차 σ", ylabel="ESS / 표본의 수", ylim=(0.007, 4))
        axes.set_xticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
        axes.yaxis.set_major_formatter(powers)
        axes.yaxis.set_minor_formatter("")
        axes.legend(loc="upper center", ncols=2)
    return figure


_SCENES, _LEAPS = 6, 6  # 궤적마다 장면의 수, 장면마다 립프로그 스텝의 수


def hmc_film() -> Figure:
    """움직이는 그림: 휘어진 골짜기를 구르는 HMC의 궤적 넷. 구르는 공, 지나온 길, 남은 표본."""
    state, g = init(banana, _START), generator(38)
    with panels(height=3.6) as (figure, (axes,)):
        _contours(axes)
        kept = [state.position]
        for turn in range(4):
            before, momentum = state, randn(2, generator=g, dtype=torch.float64)
            at, p = before, momentum
            road = [before.position]
            for scene in range(_SCENES):
                for _ in range(_LEAPS):
                    at, p = leapfrog(banana, at, p, step_size=0.08, steps=1)
                    road.append(at.position)
                if scene == _SCENES - 1:
                    state = _accept(before, momentum, at, p, rand(generator=g, dtype=torch.float64))
                    kept.append(state.position)
                _scene(axes, f"frame-{turn * _SCENES + scene:02d}", road, kept)
        axes.set(title="공이 구른 끝이 다음 표본이다")
    return figure


def _accept(before: State, momentum: Tensor, at: State, p: Tensor, u: Tensor) -> State:
    error = hamiltonian(at.energy, p) - hamiltonian(before.energy, momentum)
    return at if bool(u < torch.exp(-error)) else before


def _scene(axes: Axes, name: str, road: list[Tensor], kept: list[Tensor]) -> None:
    path, samples = torch.stack(road), torch.stack(kept)
    axes.plot(path[:, 0], path[:, 1], color=BLUE, linewidth=1.6, gid=f"{name}-road")
    axes.plot(samples[:, 0], samples[:, 1], "o", color=PURPLE, markersize=5, gid=f"{name}-samples")
    axes.plot(*path[-1:].T, "o", color=ORANGE, markersize=9, gid=f"{name}-ball")


def _contours(axes: Axes) -> None:
    angle = torch.linspace(0, 2 * math.pi, 101)
    for radius in (1, 2, 3):  # 원을 골짜기를 따라 굽히면 E = 반지름² / 2인 등고선이다
        x, across = radius * angle.cos(), radius * angle.sin()
        axes.plot(x, x.square() - 1 + 0.3 * across, color=INK, linewidth=0.7)
    axes.set(xlim=(-3.1, 3.1), ylim=(-2.4, 6.2))
    axes.grid(visible=False)


def _chains(epsilon: Tensor, tau: float, edges: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """스텝 크기마다: 마지막에 칸마다 있는 체인의 비율, 체인 하나의 궤적, 그림 밖 멀리로 튕겨 나간 체인의 비율."""
    state = init(double_well, torch.ones(len(epsilon), 800, 1, dtype=torch.float64))
    step = partial(langevin_step, double_well, step_size=epsilon[:, None], temperature=tau, generator=generator(0))
    drawn = sample(step, state, 400)
    last = drawn.positions[-1, ..., 0]
    share = torch.stack([torch.histogram(row, edges).hist for row in last]) / last.shape[1]
    # 튕겨 나간 체인은 에너지가 넘칠 때까지 간다. 궤적은 그림 밖 바로 너머에서 자른다.
    return share, drawn.positions[3::4, :, 0, 0].T.clamp(-5, 5), (last.abs() > 5).double().mean(1)


def _normal(x: Tensor, mean: float, variance: float) -> Tensor:
    return torch.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def _standard(x: Tensor) -> Tensor:
    return x.square().sum(-1) / 2


def _energy_error(count: int) -> Tensor:
    """시간 2.4를 `count`스텝에 갔을 때 |ΔH|의 중앙값. 골짜기의 끝에서는 발산하는 궤적도 있어 평균은 의미가 없다."""
    g = generator(0)
    u, v, p = (randn(256, generator=g, dtype=torch.float64) for _ in range(3))
    state = init(banana, torch.stack([u, u.square() - 1 + 0.3 * v], -1))  # 골짜기에서 뽑은 표본
    momentum = torch.stack([p, randn(256, generator=g, dtype=torch.float64)], -1)
    after, moved = leapfrog(banana, state, momentum, step_size=2.4 / count, steps=count)
    error = hamiltonian(after.energy, moved) - hamiltonian(state.energy, momentum)
    middle: Tensor = error.abs().median()
    return middle


def _worst_energy(angle: Tensor) -> Tensor:
    """진동수가 1인 진동자를 x = 1에서 놓고 200스텝 가는 동안 가장 큰 H."""
    state = init(_standard, torch.ones(len(angle), 1, dtype=torch.float64))
    momentum = torch.zeros_like(state.position)
    worst = hamiltonian(state.energy, momentum)
    for _ in range(200):
        state, momentum = leapfrog(_standard, state, momentum, step_size=angle, steps=1)
        worst = torch.maximum(worst, hamiltonian(state.energy, momentum))
    return worst


def _correlated(d: int) -> tuple[Energy, Tensor]:
    """공분산이 0.9^|i−j|인 가우스의 에너지와, 표준 정규를 그 분포로 바꾸는 행렬."""
    i = torch.arange(d, dtype=torch.float64)
    covariance = 0.9 ** (i[:, None] - i).abs()
    cholesky = torch.linalg.cholesky(covariance)
    whiten: Tensor = torch.linalg.inv(cholesky).T / math.sqrt(2)

    def energy(x: Tensor) -> Tensor:
        return (x @ whiten).square().sum(-1)  # xᵀ Σ⁻¹ x / 2

    return energy, cholesky


def _per_thousand(drawn: Draws, gradients: int) -> Tensor:
    """좌표와 그 제곱 가운데 가장 작은 ESS를, 기울기 1000번마다. 체인은 끝에서 둘째 축이다."""
    x = drawn.positions.movedim(-2, 1)  # (t, n, …, d)
    return 1000 * _worst_ess(x).min(-1).values / (x.shape[0] * x.shape[1] * gradients)


def _worst_ess(x: Tensor) -> Tensor:
    """좌표와 그 제곱의 평균을 재는 ESS 가운데 작은 것."""
    return torch.minimum(effective_sample_size(x, method="mean"), effective_sample_size(x**2, method="mean"))
