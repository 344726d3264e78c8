"""기준값: 가우스의 닫힌 식, torch.distributions의 밀도, 미분되는 립프로그, 정의대로 더한 ESS, SciPy의 잘린 정규."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import linregress, norm, rankdata, truncnorm
from torch.distributions import MultivariateNormal, Normal

from mgk_docs_src.energy.models import banana, quadratic
from mgk_docs_src.energy.samplers import (
    Adapted,
    Draws,
    Info,
    State,
    adapt,
    effective_sample_size,
    hamiltonian,
    hmc_step,
    init,
    langevin_step,
    leapfrog,
    mala_step,
    sample,
    split_rhat,
)
from mgk_docs_src.random import generator, rand, randn

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-12, "rtol": 1e-12}
STEPS = {
    "ula": partial(langevin_step, step_size=0.3),
    "mala": partial(mala_step, step_size=0.3),
    "hmc": partial(hmc_step, step_size=0.3, steps=4, jitter=0.3),
}
F64 = torch.float64


def normal(seed, *shape, device, kind=F64):
    return randn(*shape, generator=generator(seed), device=device, dtype=kind)


def standard(x):
    return x.square().sum(-1) / 2


def covariance(d, device, rho=0.9):
    i = torch.arange(d, device=device, dtype=F64)
    return rho ** (i[:, None] - i).abs()


def correlated(d, device):
    """공분산이 ρ^|i−j|인 가우스의 에너지와 콜레스키 인자."""
    sigma = covariance(d, device)
    precision = torch.linalg.inv(sigma)
    return (lambda x: ((x @ precision) * x).sum(-1) / 2), torch.linalg.cholesky(sigma)


def phase(seed, *chains, device, d=2):
    """휘어진 골짜기에 놓은 상태와 운동량."""
    x = normal(seed, *chains, d, device=device)
    return init(banana, x), normal(seed + 1, *chains, d, device=device)


def worst_ess(x):
    """좌표와 그 제곱의 ESS 가운데 가장 작은 것."""
    return min(effective_sample_size(y, method="mean").min().item() for y in (x, x**2))


def within(values, truth, errors=4.0):
    """서로 독립인 값들(첫 축)의 평균이 참값에서 표준 오차의 `errors`배 안인가."""
    mean, se = values.mean(0), values.std(0) / len(values) ** 0.5
    return bool(((mean - truth).abs() <= errors * se).all())


# --- 초기 상태 ---


def test_init_evaluates_without_touching_its_input(device):
    x = normal(0, 3, 2, device=device).requires_grad_()
    before = x.detach().clone()
    state = init(standard, x)
    assert isinstance(state, State)
    assert not any(part.requires_grad for part in state)
    torch.testing.assert_close(state.energy, standard(before), **CLOSE)
    torch.testing.assert_close(state.gradient, before, **CLOSE)
    state.position.zero_()
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("chains", [(), (3,), (2, 3)])
def test_every_step_keeps_shape_dtype_device_and_its_state(device, name, kind, chains):
    state = init(standard, normal(0, *chains, 2, device=device, kind=kind))
    copy = State(*(part.clone() for part in state))
    new, info = STEPS[name](standard, state, generator=generator(1))
    assert isinstance(info, Info)
    for part, like in zip((*new, *info), (*state, *[state.energy] * 5), strict=True):
        assert part.shape == like.shape
        assert part.device.type == device.type
        assert part.dtype in (kind, torch.bool)
    for part, old in zip(state, copy, strict=True):
        assert torch.equal(part, old)
    torch.testing.assert_close(new.energy, standard(new.position))
    torch.testing.assert_close(new.gradient, new.position)
    again, _ = STEPS[name](standard, state, generator=generator(1))
    assert torch.equal(new.position, again.position)
    with torch.no_grad():
        assert torch.equal(STEPS[name](standard, state, generator=generator(1))[0].position, new.position)


@pytest.mark.parametrize("name", STEPS)
def test_temperature_divides_the_energy(device, name):
    x = normal(0, 50, 2, device=device)
    hot, info = STEPS[name](banana, init(banana, x), temperature=2.5, generator=generator(1))
    tempered = lambda x: banana(x) / 2.5  # noqa: E731
    same, expected = STEPS[name](tempered, init(tempered, x), generator=generator(1))
    torch.testing.assert_close(hot.position, same.position, **CLOSE)
    torch.testing.assert_close(info.energy_error, expected.energy_error, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("name", ["ula", "mala", "hmc"])
def test_a_step_size_for_each_chain_is_that_chain_alone(device, name):
    sizes = torch.tensor([0.05, 0.2, 0.4], device=device, dtype=F64)
    function, knobs = {
        "ula": (langevin_step, {}),
        "mala": (mala_step, {}),
        "hmc": (hmc_step, {"steps": 3}),
    }[name]
    x = normal(0, 3, 5, 2, device=device)
    together, _ = function(standard, init(standard, x), step_size=sizes[:, None], generator=generator(1), **knobs)
    for row, size in enumerate(sizes.tolist()):
        alone, _ = function(standard, init(standard, x), step_size=size, generator=generator(1), **knobs)
        torch.testing.assert_close(together.position[row], alone.position[row], **CLOSE)


# --- 랑주뱅과 MALA ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), epsilon=st.floats(1e-3, 1.0))
def test_langevin_is_its_formula_and_its_error_is_the_density_ratio(device, seed, epsilon):
    x = normal(seed, 4, 2, device=device)
    noise = normal(seed + 1, 4, 2, device=device)
    new, info = langevin_step(banana, init(banana, x), step_size=epsilon, generator=generator(seed + 1))

    def drift(x):
        leaf = x.clone().requires_grad_()
        return x - epsilon / 2 * torch.autograd.grad(banana(leaf).sum(), leaf)[0]

    def log_q(to, start):
        return Normal(drift(start), epsilon**0.5).log_prob(to).sum(-1)

    expected = drift(x) + epsilon**0.5 * noise
    ratio = (-banana(expected) + log_q(x, expected)) - (-banana(x) + log_q(expected, x))
    torch.testing.assert_close(info.energy_error, -ratio, atol=1e-8, rtol=1e-8)
    torch.testing.assert_close(new.position, expected, **CLOSE)  # Δ가 아무리 커도 옮긴다
    assert not info.diverged.any()
    assert info.accepted.all()


@EXAMPLES
@given(seed=st.integers(0, 10**6), epsilon=st.floats(1e-3, 1.0))
def test_mala_is_hmc_of_one_leapfrog_step(device, seed, epsilon):
    state, _ = phase(seed, 20, device=device)
    mala = mala_step(banana, state, step_size=epsilon, generator=generator(seed))
    hmc = hmc_step(banana, state, step_size=epsilon**0.5, steps=1, generator=generator(seed))
    torch.testing.assert_close(mala[1].energy_error, hmc[1].energy_error, atol=1e-7, rtol=1e-9)
    torch.testing.assert_close(mala[0].position, hmc[0].position, atol=1e-9, rtol=1e-9)


def test_acceptance_is_the_metropolis_probability(device):
    state, _ = phase(0, 4000, device=device)
    new, info = mala_step(banana, state, step_size=0.1, generator=generator(1))
    torch.testing.assert_close(info.acceptance, torch.exp(-info.energy_error).clamp(max=1), **CLOSE)
    assert within(info.accepted.double() - info.acceptance, 0.0)
    moved = (new.position != state.position).any(-1)
    assert torch.equal(moved, info.accepted)


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0, 2.0, 3.0])
def test_the_variance_of_ula_is_biased_as_theory_says(device, epsilon):
    truth = 1 / (1 - epsilon / 4)
    # 정확히: 한 스텝은 x' = a x + b ξ이고, 정상 분포의 분산은 b² / (1 − a²)다.
    ends = torch.tensor([[0.0], [1.0]], device=device, dtype=F64)
    step = partial(langevin_step, standard, step_size=epsilon)
    zero, one = (step(init(standard, x), generator=generator(0))[0].position for x in ends)
    a, b = one - zero, zero / normal(0, 1, device=device)
    torch.testing.assert_close(b**2 / (1 - a**2), torch.full_like(a, truth), **CLOSE)
    # 표본으로: 체인마다 제곱의 평균은 서로 독립이다.
    state = init(standard, truth**0.5 * normal(1, 2000, 1, device=device))
    drawn = sample(partial(step, generator=generator(5)), state, 40)
    assert within(drawn.positions.square().mean(0), truth)
    assert within(drawn.positions.square().mean(0), 1.0) == (epsilon < 0.5)  # 작은 편향은 이만큼으로는 구별하지 못한다


# --- 립프로그와 해밀토니안 ---


def test_the_hamiltonian_is_its_formula(device):
    energy, p, m = normal(0, 5, device=device), normal(1, 5, 3, device=device), rand(3, generator=generator(2)) + 0.5
    m = m.to(device, F64)
    truth = energy / 2.0 - MultivariateNormal(torch.zeros_like(m), torch.diag(m)).log_prob(p)
    constant = 1.5 * math.log(2 * math.pi) + m.log().sum() / 2
    torch.testing.assert_close(hamiltonian(energy, p, mass=m, temperature=2.0), truth - constant, **CLOSE)
    torch.testing.assert_close(hamiltonian(energy, p), energy + p.square().sum(-1) / 2, **CLOSE)
    leaves = [x.clone().requires_grad_() for x in (energy, p, m)]
    assert torch.autograd.gradcheck(lambda e, p, m: hamiltonian(e, p, mass=m), leaves)


@EXAMPLES
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 30), epsilon=st.floats(0.01, 0.1))
def test_leapfrog_is_reversible(device, seed, steps, epsilon):
    state, p = phase(seed, 3, device=device)
    mass = torch.tensor([0.5, 2.0], device=device, dtype=F64)
    knobs = {"step_size": epsilon, "steps": steps, "mass": mass, "temperature": 1.5}
    there, moved = leapfrog(banana, state, p, **knobs)
    back, returned = leapfrog(banana, there, -moved, **knobs)
    scale = 1 + there.gradient.abs().max().item()  # 반올림은 기울기만큼 커진다
    torch.testing.assert_close(back.position, state.position, atol=1e-12 * scale, rtol=0)
    torch.testing.assert_close(returned, -p, atol=1e-12 * scale, rtol=0)


def differentiable_leapfrog(z, epsilon, steps, mass):
    """미분되는 립프로그를 반 스텝씩 그대로 적은 것."""
    slope = torch.func.grad(lambda x: banana(x).sum())
    x, p = z[:2], z[2:]
    for _ in range(steps):
        p = p - epsilon / 2 * slope(x)
        x = x + epsilon * p / mass
        p = p - epsilon / 2 * slope(x)
    return torch.cat([x, p])


@EXAMPLES
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 8), epsilon=st.floats(0.01, 0.15))
def test_leapfrog_keeps_volume(device, seed, steps, epsilon):
    state, p = phase(seed, device=device)
    mass = torch.tensor([0.7, 1.6], device=device, dtype=F64)
    z = torch.cat([state.position, p])
    reference = partial(differentiable_leapfrog, epsilon=epsilon, steps=steps, mass=mass)
    there, moved = leapfrog(banana, state, p, step_size=epsilon, steps=steps, mass=mass)
    expected = reference(z)
    torch.testing.assert_close(torch.cat([there.position, moved]), expected, atol=1e-9, rtol=1e-9)
    jacobian = torch.func.jacrev(reference)(z)
    # 행렬식의 반올림은 원소의 크기만큼 커진다.
    assert torch.linalg.det(jacobian).item() == pytest.approx(1, abs=1e-13 * jacobian.abs().max().item() ** 4 + 1e-11)


def test_the_energy_error_of_leapfrog_is_second_order(device):
    x = normal(0, 200, 2, device=device)
    x = torch.stack([x[:, 0], x[:, 0] ** 2 - 1 + 0.3 * x[:, 1]], -1)
    state, p = init(banana, x), normal(1, 200, 2, device=device)
    before = hamiltonian(state.energy, p)
    counts, errors = (96, 128, 192, 256, 384), []
    for count in counts:
        there, moved = leapfrog(banana, state, p, step_size=2.4 / count, steps=count)
        errors.append((hamiltonian(there.energy, moved) - before).abs().median().item())
    slope = -linregress(np.log(counts), np.log(errors)).slope
    assert 1.9 < slope < 2.1


@pytest.mark.parametrize("omega", [0.5, 3.0])
def test_leapfrog_is_stable_below_two_over_omega(device, omega):
    energy = lambda x: omega**2 * x.square().sum(-1) / 2  # noqa: E731
    state = init(energy, torch.ones(2, 1, device=device, dtype=F64))
    p = torch.zeros_like(state.position)
    size = torch.tensor([1.98, 2.02], device=device, dtype=F64) / omega
    there, moved = leapfrog(energy, state, p, step_size=size, steps=400)
    stable, unstable = hamiltonian(there.energy, moved).tolist()
    assert stable < 200 * state.energy[0].item()
    assert unstable > 1e30


def test_leapfrog_steps_compose_and_cost_one_gradient_each(device):
    calls = []

    def counted(x):
        calls.append(x)
        return banana(x)

    state, p = phase(3, 4, device=device)
    there, moved = leapfrog(counted, state, p, step_size=0.05, steps=6)
    assert len(calls) == 6
    one, q = state, p
    for _ in range(6):
        one, q = leapfrog(banana, one, q, step_size=0.05, steps=1)
    torch.testing.assert_close(one.position, there.position, **CLOSE)
    torch.testing.assert_close(q, moved, atol=1e-11, rtol=1e-11)
    torch.testing.assert_close(there.energy, banana(there.position), **CLOSE)


def test_mass_is_a_change_of_scale(device):
    # 질량 1/σ²로 스케일 σ인 좌표를 옮기는 것은, 스케일을 1로 맞춘 뒤 질량 1로 가는 것과 같다.
    scale = torch.tensor([0.01, 1.0, 30.0], device=device, dtype=F64)
    stretched = lambda x: standard(x / scale) + standard(x / scale) ** 2 / 8  # noqa: E731
    unit = lambda u: standard(u) + standard(u) ** 2 / 8  # noqa: E731
    u, knobs = normal(0, 5, 3, device=device), {"step_size": 0.3, "steps": 7}
    wide, _ = hmc_step(stretched, init(stretched, u * scale), mass=scale**-2, generator=generator(1), **knobs)
    plain, _ = hmc_step(unit, init(unit, u), generator=generator(1), **knobs)
    torch.testing.assert_close(wide.position / scale, plain.position, atol=1e-10, rtol=1e-10)


# --- 목표 분포를 지킨다 ---

SWEEP = {
    "mala": (mala_step, {}, (0.02, 0.1, 0.3)),
    "hmc": (hmc_step, {"steps": 5}, (0.05, 0.2, 0.45)),
    "hmc-jitter": (hmc_step, {"steps": 5, "jitter": 0.5}, (0.05, 0.2, 0.35)),
}


def kept(function, energy, x, sizes, thin, **knobs):
    """정확한 표본에서 출발해 `thin`스텝 뒤의 위치 (스텝 수, 체인, d). 체인은 서로 독립이다."""
    sizes = torch.tensor(sizes, device=x.device, dtype=F64)
    state = init(energy, x.expand(len(sizes), *x.shape))
    step = partial(function, energy, step_size=sizes[:, None], generator=generator(9), **knobs)
    return sample(step, state, 1, thin=thin)


@pytest.mark.parametrize("name", SWEEP)
@pytest.mark.parametrize("d", [2, 10])
def test_gaussians_are_kept_at_any_stable_step(device, name, d):
    function, knobs, sizes = SWEEP[name]
    energy, factor = correlated(d, device)
    drawn = kept(function, energy, normal(0, 4000, d, device=device) @ factor.T, sizes, 20, **knobs)
    outer = covariance(d, device)
    for x in drawn.positions[0]:
        assert within(x, 0.0)
        assert within(x[:, :, None] * x[:, None, :], outer)
    assert (drawn.info.acceptance.mean((0, 2)) > 0.02).all()


def mixture(x):
    """비율 0.3과 0.7로 섞은 두 가우스. 가운데는 (−1.5, 0)과 (1.5, 1), 표준 편차 0.8."""
    centres = x.new_tensor([[-1.5, 0.0], [1.5, 1.0]])
    square = (x[..., None, :] - centres).square().sum(-1) / (2 * 0.8**2)
    return -(x.new_tensor([0.3, 0.7]).log() - square).logsumexp(-1)


def mixture_draws(n, device):
    g = generator(4)
    right = rand(n, generator=g, device=device, dtype=F64) < 0.7
    centres = torch.tensor([[-1.5, 0.0], [1.5, 1.0]], device=device, dtype=F64)
    return centres[right.long()] + 0.8 * randn(n, 2, generator=g, device=device, dtype=F64)


MIXTURE_MEAN = (0.6, 0.7)
MIXTURE_SQUARES = (0.64 + 2.25, 0.64 + 0.7)


@pytest.mark.parametrize("name", SWEEP)
def test_a_mixture_is_kept_at_any_step(device, name):
    function, knobs, sizes = SWEEP[name]
    drawn = kept(function, mixture, mixture_draws(4000, device), [2 * size for size in sizes], 20, **knobs)
    for x in drawn.positions[0]:
        assert within(x, torch.tensor(MIXTURE_MEAN, device=device, dtype=F64))
        assert within(x**2, torch.tensor(MIXTURE_SQUARES, device=device, dtype=F64))


@pytest.mark.parametrize("name", ["mala", "hmc"])
def test_far_starts_come_to_the_mixture(device, name):
    # 흔들지 않으면 이 궤적은 봉우리 둘레를 꼭 반 바퀴(0.6 · 4 / 0.8 ≈ π) 돈다. 먼 데서 온 흔적이 지워지지 않는다.
    hmc = partial(hmc_step, step_size=0.6, steps=4, jitter=0.3)
    step = {"mala": partial(mala_step, step_size=0.8), "hmc": hmc}[name]
    state = init(mixture, 3 + 0.1 * normal(0, 2000, 2, device=device))
    drawn = sample(partial(step, mixture, generator=generator(1)), state, 1, burn=400 if name == "mala" else 120)
    x = drawn.positions[0]
    assert within(x, torch.tensor(MIXTURE_MEAN, device=device, dtype=F64))
    assert within(x**2, torch.tensor(MIXTURE_SQUARES, device=device, dtype=F64))


def test_the_same_test_finds_ula_out(device):
    energy, factor = correlated(2, device)
    drawn = kept(langevin_step, energy, normal(0, 4000, 2, device=device) @ factor.T, (0.2,), 20)
    x = drawn.positions[0, 0]
    assert not within(x[:, :, None] * x[:, None, :], covariance(2, device))


@pytest.mark.parametrize("name", ["mala", "hmc"])
def test_temperature_sets_the_spread(device, name):
    state = init(standard, 2.0 * normal(0, 4000, 1, device=device))
    step = {"mala": partial(mala_step, step_size=1.0), "hmc": partial(hmc_step, step_size=1.0, steps=2)}[name]
    drawn = sample(partial(step, standard, temperature=4.0, generator=generator(1)), state, 1, thin=10)
    assert within(drawn.positions[0] ** 2, 4.0)


# --- 유한하지 않은 것 ---

WALLS = {
    "nan": lambda x: torch.where(x[..., 0] > 0.5, math.nan, standard(x)),
    "inf": lambda x: torch.where(x[..., 0] > 0.5, math.inf, standard(x)),
    "minus inf": lambda x: torch.where(x[..., 0] > 0.5, -math.inf, standard(x)),
    "nan gradient": lambda x: standard(x) + 0 * (0.5 - x[..., 0]).sqrt().nan_to_num(),
}


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("name", ["mala", "hmc"])
def test_what_is_not_finite_is_rejected_and_counted(device, wall, name):
    start = truncnorm.rvs(-10, 0.5, size=(4000, 1), random_state=0)
    state = init(WALLS[wall], torch.from_numpy(start).to(device))
    step = {"mala": partial(mala_step, step_size=0.5), "hmc": partial(hmc_step, step_size=0.4, steps=3)}[name]
    drawn = sample(partial(step, WALLS[wall], generator=generator(1)), state, 1, thin=15)
    x = drawn.positions[0]
    assert x.max() <= 0.5
    for part in drawn.state:
        assert part.isfinite().all()
    # 벽을 만나면 되돌아가므로, 남은 쪽의 잘린 정규 분포가 그대로다.
    assert within(x, truncnorm.mean(-10, 0.5))
    assert within(x**2, truncnorm.moment(2, -10, 0.5))
    info = drawn.info
    assert info.diverged.any()
    assert not (info.diverged & info.accepted).any()
    assert (info.acceptance[info.diverged] == 0).all()
    assert info.energy_error[info.diverged].isposinf().all()


@pytest.mark.parametrize("wall", WALLS)
def test_langevin_stays_where_the_next_place_is_not_finite(device, wall):
    state = init(WALLS[wall], torch.full((1000, 1), 0.4, device=device, dtype=F64))
    new, info = langevin_step(WALLS[wall], state, step_size=0.5, generator=generator(1))
    assert 0.2 < info.diverged.double().mean() < 0.8
    assert torch.equal(info.accepted, ~info.diverged)
    assert torch.equal(info.acceptance, info.accepted.double())
    assert (new.position[info.diverged] == 0.4).all()
    assert (new.position[info.accepted] != 0.4).all()
    assert new.position.isfinite().all()


def test_langevin_does_not_run_away_in_silence(device):
    # 바나나의 꼬리는 ε = 0.05에 비해 너무 가파르다. 튕겨 나간 체인은 에너지가 넘칠 때까지 가고, 거기서 드러난다.
    step = partial(langevin_step, banana, step_size=0.05, generator=generator(0))
    drawn = sample(step, init(banana, normal(1, 500, 2, device=device)), 300)
    lost = drawn.positions[-1].abs().amax(-1) > 100
    assert 0 < lost.sum() < 500
    assert torch.equal(drawn.info.diverged.any(0), lost)
    assert drawn.positions.isfinite().all()


@pytest.mark.parametrize(("d", "kind"), [(1, F64), (12_288, F64), (12_288, torch.float32), (10**6, torch.float32)])
def test_the_dimension_does_not_change_what_langevin_does(device, d, kind):
    # Δ는 좌표마다의 것을 더한 값이라 차원에 비례한다. 그것으로 스텝을 막으면 큰 차원에서 체인이 멈춘다.
    state = init(standard, torch.zeros(4000 if d == 1 else 1, d, device=device, dtype=kind))
    step = partial(langevin_step, standard, step_size=1.0, generator=generator(0))
    drawn = sample(step, state, 1, burn=39 if d == 10**6 else 199)
    count = drawn.positions.numel()
    assert drawn.positions.square().mean().item() == pytest.approx(4 / 3, abs=5 * 4 / 3 * (2 / count) ** 0.5)
    assert not drawn.info.diverged.any()


def test_a_huge_energy_error_is_a_divergence_too(device):
    state = init(standard, torch.ones(3, 1, device=device, dtype=F64))
    _, info = hmc_step(standard, state, step_size=3.0, steps=10, generator=generator(0))
    assert info.diverged.all()
    assert info.energy_error.isfinite().all()
    assert not info.accepted.any()
    # 골짜기로 크게 내려가는 것은 발산이 아니다.
    far = init(standard, torch.full((3, 1), 100.0, device=device, dtype=F64))
    _, info = mala_step(standard, far, step_size=1.5, generator=generator(0))
    assert (info.energy_error < -1000).all()
    assert not info.diverged.any()
    assert info.accepted.all()


def test_positions_that_overflow_are_rejected(device):
    steep = lambda x: x.square().square().sum(-1)  # noqa: E731
    state = init(steep, torch.full((5, 1), 1e3, device=device, dtype=F64))
    new, info = hmc_step(steep, state, step_size=10.0, steps=8, generator=generator(0))
    assert torch.equal(new.position, state.position)
    assert info.diverged.all()


# --- 에너지의 스케일 ---


@pytest.mark.parametrize("name", STEPS)
def test_an_energy_too_large_for_its_dtype_is_flagged(device, name):
    # float32의 간격: 2¹⁹ = 524,288부터 0.0625, 2²⁰ = 1,048,576부터 0.125.
    def flagged(offset, kind=torch.float32, **knobs):
        energy = lambda x: standard(x) + offset  # noqa: E731
        state = init(energy, 0.01 * normal(0, 50, 1, device=device, kind=kind))
        return STEPS[name](energy, state, generator=generator(1), **knobs)[1].coarse.all().item()

    assert flagged(1e8)
    assert flagged(-1e8)
    assert flagged(1_048_576.0 + 10)
    assert not flagged(1_048_576.0 - 10)
    assert not flagged(0.0)
    assert flagged(1_048_576.0 - 10, temperature=0.5)  # Δ/τ의 간격이다
    assert not flagged(1e8, temperature=1e4)
    assert not flagged(1e8, F64)
    assert flagged(2.0**50, F64)


def test_what_the_flag_is_for(device):
    # 간격이 8인 에너지에서는 Δ가 0이거나 8이라, HMC가 다른 분포를 뽑는다.
    energy = lambda x: standard(x) + 1e8  # noqa: E731
    step = partial(hmc_step, energy, step_size=1.0, steps=2, generator=generator(1))
    state = init(energy, normal(0, 20_000, 1, device=device, kind=torch.float32))
    drawn = sample(step, state, 1, burn=30)
    assert drawn.positions.var().item() > 1.2
    assert drawn.info.coarse.all()


# --- 모드와 변환 ---


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, partial(torch.autocast, "cpu", torch.bfloat16)])
def test_no_mode_of_the_caller_changes_a_step(device, name, mode):
    energy, factor = correlated(3, device)
    x = (normal(0, 5, 3, device=device) @ factor.T).float()
    wide = lambda x: energy(x.double()).float()  # noqa: E731
    plain = STEPS[name](wide, init(wide, x), generator=generator(1))[0]
    with mode():
        inside = STEPS[name](wide, init(wide, x.clone()), generator=generator(1))[0]
    for part, other in zip(plain, inside, strict=True):
        assert torch.equal(part, other)
        assert not other.is_inference()


def test_leapfrog_is_differentiated_to_the_end_or_not_at_all(device):
    mass = torch.tensor([0.7, 1.6], device=device, dtype=F64)
    knobs = {"step_size": 0.1, "steps": 5, "mass": mass}
    state, p = phase(4, 3, device=device)

    def flow(z):
        there, moved = leapfrog(banana, init(banana, z[:2]), z[2:], **knobs)
        return torch.cat([there.position, moved])

    z = torch.cat([state.position, p], -1)
    reference = partial(differentiable_leapfrog, epsilon=0.1, steps=5, mass=mass)
    torch.testing.assert_close(torch.func.vmap(flow)(z), torch.stack([reference(row) for row in z]), **CLOSE)
    jacobians = torch.func.vmap(torch.func.jacrev(flow))(z)
    torch.testing.assert_close(jacobians, torch.func.vmap(torch.func.jacrev(reference))(z), atol=1e-9, rtol=1e-9)
    tangent = torch.ones_like(z[0])
    _, pushed = torch.func.jvp(flow, (z[0],), (tangent,))
    torch.testing.assert_close(pushed, jacobians[0] @ tangent, atol=1e-9, rtol=1e-9)
    # 보통의 자동 미분에서는 ∇E를 상수로 보므로, 절반만 맞는 기울기를 주느니 아무것도 주지 않는다.
    leaf = p.clone().requires_grad_()
    there, moved = leapfrog(banana, state, leaf, **knobs)
    assert not there.position.requires_grad
    assert not moved.requires_grad


def test_diagnostics_are_those_of_each_draw_under_vmap(device):
    x = normal(0, 3, 40, 4, device=device)
    for function in (split_rhat, effective_sample_size):
        torch.testing.assert_close(torch.func.vmap(function)(x), torch.stack([function(row) for row in x]))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow_inside(device, kind):
    p = torch.full((2, 3), 300.0, device=device, dtype=kind)  # 제곱이 float16을 넘는다
    ours = hamiltonian(torch.zeros(2, device=device, dtype=kind), p, mass=torch.full((3,), 100.0, device=device))
    assert ours.dtype == kind
    assert ours.tolist() == pytest.approx([1350.0, 1350.0], rel=0.01)
    state = init(standard, torch.zeros(2000, 1, device=device, dtype=kind))
    for step in (partial(mala_step, step_size=1.0), partial(hmc_step, step_size=0.8, steps=2)):
        drawn = sample(partial(step, standard, generator=generator(0)), state, 20, burn=10)
        assert drawn.positions.double().var().item() == pytest.approx(1, abs=0.08)
        assert drawn.info.acceptance.dtype == kind


@pytest.mark.bad_input  # 시그니처는 파이썬의 float이지만, NumPy의 수도 받는다
@pytest.mark.parametrize("step", [partial(langevin_step, step_size=np.float32(0.1)),
                                  partial(hmc_step, step_size=np.float64(0.1), steps=2)])  # fmt: skip
def test_numpy_scalars_are_numbers(device, step):
    state, _ = phase(0, 3, device=device)
    assert step(banana, state, temperature=np.float32(2), generator=generator(0))[0].position.isfinite().all()


# --- 표본 모으기 ---


def test_sample_keeps_every_thin_th_place_and_every_info(device):
    state = init(standard, normal(0, 3, 2, device=device))
    run = lambda seed: partial(hmc_step, standard, step_size=0.5, steps=2, generator=generator(seed))  # noqa: E731
    whole = sample(run(1), state, 14)
    assert isinstance(whole, Draws)
    part = sample(run(1), state, 4, burn=2, thin=3)
    assert torch.equal(part.positions, whole.positions[4::3])
    assert part.positions.shape == (4, 3, 2)
    for ours, full in zip(part.info, whole.info, strict=True):
        assert ours.shape == (14, 3)
        assert torch.equal(ours, full)
    step = run(1)
    first = sample(step, state, 5)
    rest = sample(step, first.state, 9)
    assert torch.equal(torch.cat([first.positions, rest.positions]), whole.positions)


# --- ESS와 R-hat ---


def autoregressive(phi, t, n, *, device, seed=0):
    noise = normal(seed, t, n, device=device)
    x = [noise[0]]
    for row in noise[1:]:
        x.append(phi * x[-1] + (1 - phi**2) ** 0.5 * row)
    return torch.stack(x)


@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.5, 0.9])
def test_ess_of_an_autoregressive_chain_is_its_closed_form(device, phi):
    x = autoregressive(phi, 2000, 50, device=device)
    truth = x.numel() * (1 - phi) / (1 + phi)
    for method in ("mean", "bulk"):
        assert effective_sample_size(x, method=method).item() == pytest.approx(truth, rel=0.1)
    assert split_rhat(x).item() == pytest.approx(1, abs=0.02)


def halved(x):
    half = len(x) // 2
    return np.concatenate([x[:half], x[-half:]], 1)


def scores(x):
    """모든 값의 순위(같으면 평균)를 정규 분포의 분위수로."""
    return norm.ppf((rankdata(x, method="average") - 3 / 8) / (x.size + 1 / 4)).reshape(x.shape)


def ess_by_definition(x):
    """가른 체인 (t, n)의 ESS를 정의대로: 시차마다 자기 공분산을 더하고, Geyer의 규칙을 하나씩 따른다."""
    t, n = x.shape
    if np.ptp(x) == 0:
        return t * n
    centred = x - x.mean(0)
    c = np.array([(centred[: t - k] * centred[k:]).sum(0).mean() / t for k in range(t)])
    within, pooled = c[0] * t / (t - 1), c[0] + x.mean(0).var(ddof=1)
    rho = np.concatenate([[1.0], 1 - (within - c[1:]) / pooled])
    kept, k = [], 0  # 합이 양수인 쌍들. 마지막 쌍은 앞엣것만 쓴다
    while k + 2 < t - 2 and rho[k] + rho[k + 1] > 0:
        kept.append(min([rho[k] + rho[k + 1], *kept[-1:]]))
        k += 2
    last = rho[k] if rho[k] > 0 or rho[k] + rho[k + 1] >= 0 else 0.0
    return t * n / max(-1 + 2 * sum(kept) + last, 1 / math.log10(t * n))


def rhat_by_definition(x):
    return np.sqrt((x.mean(0).var(ddof=1) + x.var(0).mean()) / x.var(0, ddof=1).mean())


METHODS = {
    "mean": lambda x: ess_by_definition(halved(x)),
    "bulk": lambda x: ess_by_definition(scores(halved(x))),
    "tail": lambda x: min(ess_by_definition(halved((x <= np.quantile(x, q)).astype(float))) for q in (0.05, 0.95)),
    "both": lambda x: min(METHODS["bulk"](x), METHODS["tail"](x)),
}


@EXAMPLES
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(4, 41), st.integers(1, 4)),
    phi=st.floats(-0.95, 0.95),
    digits=st.sampled_from([None, 0, 1]),
)
def test_diagnostics_are_their_definitions(device, seed, shape, phi, digits):
    x = autoregressive(phi, *shape, device=device, seed=seed)
    x = x if digits is None else x.round(decimals=digits)  # 같은 값이 많은 표본
    plain = x.cpu().numpy()
    if np.ptp(plain) == 0:
        return
    for method, truth in METHODS.items():
        assert effective_sample_size(x, method=method).item() == pytest.approx(truth(plain), rel=1e-8), method
    halves = halved(plain)
    with np.errstate(all="ignore"):
        truth = np.fmax(*(rhat_by_definition(scores(z)) for z in (halves, np.abs(halves - np.median(halves)))))
    if np.isfinite(truth) and truth < 1e6:  # 움직이지 않은 체인만 있으면 NumPy는 반올림을 나눈다
        assert split_rhat(x).item() == pytest.approx(truth, rel=1e-8)


def arithmetic_chains(device):
    """발생기 없이 어디서나 같은 체인들 (스텝, 체인): 황금비의 소수 부분을 정규 분포와 코시 분포로."""
    i = torch.arange(1200, device=device, dtype=F64).view(300, 4)
    u = ((i + 0.5) * (5**0.5 - 1) / 2) % 1
    noise = torch.special.ndtri((u + 0.37 * (i % 7) / 7) % 1)
    walk = [noise[0]]
    for row in noise[1:]:
        walk.append(0.8 * walk[-1] + 0.6 * row)
    stuck, wide = noise.clone(), noise.clone()
    stuck[:, 3], wide[:, 3] = 0.05, 10 * noise[:, 3]
    cauchy = (math.pi * (u - 0.5)).tan()
    return {
        "independent": noise,
        "walk": torch.stack(walk),
        "stuck": stuck,
        "wide": wide,
        "cauchy": cauchy,
        "rounded": noise.round(),
        "four": noise[:4],
        "frozen": torch.arange(4.0, device=device, dtype=F64).expand(10, 4),
    }


# ArviZ 0.23.4와 arviz-stats 0.8.0(둘이 같다)이 낸 rhat(rank), ess(bulk), ess(tail), ess(mean).
ARVIZ = {
    "independent": [0.9979657706999274, 441.8084586545216, 257.86433446454004, 461.8647282268934],
    "walk": [1.0025582634355201, 107.08887326397014, 213.70340388339105, 106.23883983810708],
    "stuck": [1.5209452878334155, 432.7561517345197, 230.13998175327723, 451.3642699878149],
    "wide": [1.3518442768378276, 513.9213291301274, 54.75314285626691, 502.92812453576335],
    "cauchy": [0.9969549715255412, 1248.444135669001, 1360.0500307205139, 1215.887221075149],
    "rounded": [0.9976382489586065, 756.584012832434, 256.74077911647964, 771.1568000820388],
    "four": [0.9575210806209875, 19.265919722494797, 19.265919722494797, 19.265919722494797],
    "frozen": [math.inf, 10.0, 10.0, 10.0],
}


@pytest.mark.parametrize("name", ARVIZ)
def test_diagnostics_are_those_of_arviz(device, name):
    x = arithmetic_chains(device)[name]
    ours = [split_rhat(x), *(effective_sample_size(x, method=method) for method in ("bulk", "tail", "mean"))]
    assert torch.stack(ours).tolist() == pytest.approx(ARVIZ[name], rel=1e-9)


def test_a_chain_that_never_moved_and_one_that_is_too_wide_are_flagged(device):
    x = normal(0, 1000, 4, device=device)
    assert split_rhat(x).item() < 1.01
    assert effective_sample_size(x).item() > 3000
    stuck, wide = x.clone(), x.clone()
    stuck[:, 3], wide[:, 3] = 0.05, 10 * x[:, 3]
    for bad in (stuck, wide):
        assert split_rhat(bad).item() > 1.3
        assert effective_sample_size(bad).item() < effective_sample_size(x).item()
    assert effective_sample_size(wide, method="tail").item() < 40
    assert effective_sample_size(wide, method="bulk").item() > 3000  # 가운데만 보면 문제없어 보인다


def test_diagnostics_are_batched_and_do_not_see_shift_or_scale(device):
    x = autoregressive(0.7, 101, 5, device=device)
    both = torch.stack([x, 3 - 20 * x, x.flip(0)], -1)
    rhat = split_rhat(both)
    assert rhat.shape == (3,)
    torch.testing.assert_close(rhat, split_rhat(x).expand(3))
    for method in METHODS:
        ess = effective_sample_size(both, method=method)
        assert ess.shape == (3,)
        torch.testing.assert_close(ess[0], effective_sample_size(x, method=method))
        # 5 % 분위수에서 자르는 것은 뒤집으면 표본 하나만큼 어긋난다.
        torch.testing.assert_close(ess, ess[0].expand(3), rtol=1e-9 if method in ("mean", "bulk") else 0.1, atol=0)
        for scale in (2.0**100, 2.0**-100):
            torch.testing.assert_close(effective_sample_size(scale * both, method=method), ess, rtol=1e-12, atol=0)
        narrow = effective_sample_size(both.float(), method=method)
        assert narrow.dtype == F64
        torch.testing.assert_close(narrow, ess, rtol=1e-5, atol=0)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32])
def test_diagnostics_of_narrow_draws_are_those_of_the_same_numbers(device, kind):
    x = (normal(0, 400, 8, 3, device=device) + 2).to(kind)
    assert torch.equal(split_rhat(x), split_rhat(x.double()))
    assert torch.equal(effective_sample_size(x), effective_sample_size(x.double()))


def test_chains_that_stay_apart_are_seen(device):
    x = autoregressive(0.0, 500, 4, device=device)
    apart = x + torch.arange(4, device=device)
    assert split_rhat(apart).item() > 1.3
    assert effective_sample_size(apart).item() < 12
    drifting = x + torch.linspace(0, 5, 500, device=device, dtype=F64)[:, None]
    assert split_rhat(drifting).item() > 1.3
    frozen = (0.1 * torch.arange(4.0, device=device) + 0.1).expand(101, 4)
    assert split_rhat(frozen).isposinf()
    assert effective_sample_size(frozen).item() <= 16


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e-30, 1e30])
@pytest.mark.parametrize("kind", [torch.float32, F64])
def test_one_value_only_has_no_diagnostics(device, value, kind):
    constant = torch.full((100, 4), value, device=device, dtype=kind)
    moving = normal(0, 100, 4, device=device, kind=kind)
    for function in (split_rhat, *(partial(effective_sample_size, method=method) for method in METHODS)):
        assert function(constant).isnan()
        assert function(torch.stack([constant, moving], -1)).isnan().tolist() == [True, False]


# --- 효율 ---


@pytest.mark.parametrize(
    ("d", "floor", "knobs"),
    [
        (2, 77.0, {"step_size": 0.5, "steps": 5}),
        (10, 17.4, {"step_size": 0.25, "steps": 20}),
        (10, 17.4, {"step_size": 0.25, "steps": 16, "jitter": 0.2}),
    ],
)
def test_hmc_earns_its_effective_samples(device, d, floor, knobs):
    energy, factor = correlated(d, device)
    state = init(energy, normal(0, 32, d, device=device) @ factor.T)
    drawn = sample(partial(hmc_step, energy, generator=generator(1), **knobs), state, 200)
    assert 1000 * worst_ess(drawn.positions) / (200 * 32 * knobs["steps"]) > floor
    slow = sample(partial(mala_step, energy, step_size=0.1, generator=generator(2)), state, 1000)
    assert 1000 * worst_ess(slow.positions) / (1000 * 32) < floor / 3


def ill_conditioned(device):
    scale = torch.logspace(-2, 0, 100, device=device, dtype=F64)
    return scale, lambda x: (x / scale).square().sum(-1) / 2


def test_an_adapted_mass_mends_an_ill_conditioned_gaussian(device):
    scale, energy = ill_conditioned(device)
    x = normal(0, 64, 100, device=device)
    tamed = adapt(energy, x, steps=3, rounds=6, count=40, target=0.75, generator=generator(1))
    assert isinstance(tamed, Adapted)
    assert tamed.gradients == 1 + 6 * 40 * 3
    assert tamed.info.accepted.shape == (240, 64)
    ratio = tamed.mass * scale**2
    assert ratio.max() < 1.4
    assert ratio.min() > 0.7
    step = partial(hmc_step, energy, step_size=tamed.step_size, mass=tamed.mass, steps=3, generator=generator(2))
    drawn = sample(step, tamed.state, 300)
    assert drawn.info.acceptance.mean().item() == pytest.approx(0.75, abs=0.03)
    assert 1000 * worst_ess(drawn.positions) / (64 * 300 * 3) > 150


def test_a_fixed_length_resonates_and_jitter_frees_it(device):
    scale, energy = ill_conditioned(device)
    state = init(energy, scale * normal(0, 16, 100, device=device))
    ess = []
    for jitter in (0.0, 0.5):
        step = partial(hmc_step, energy, step_size=0.01, steps=150, jitter=jitter, generator=generator(1))
        ess.append(worst_ess(sample(step, state, 60).positions))
    assert ess[0] < 20  # 체인의 수 16: 서로 다른 체인이라는 것 말고는 더 얻은 표본이 없다
    assert ess[1] > 5 * ess[0]


# --- 적응 ---


def test_one_round_tunes_only_the_step(device):
    tamed = adapt(standard, normal(0, 20, 5, device=device), steps=2, rounds=1, count=60, generator=generator(0))
    assert torch.equal(tamed.mass, torch.ones(5, device=device, dtype=F64))
    state = init(standard, normal(1, 500, 5, device=device))
    step = partial(hmc_step, standard, step_size=tamed.step_size, steps=2, generator=generator(2))
    assert sample(step, state, 5).info.acceptance.mean().item() == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_a_single_chain_can_be_tamed(device, kind):
    scale = torch.tensor([0.1, 1.0], device=device, dtype=kind)
    energy = lambda x: (x / scale).square().sum(-1) / 2  # noqa: E731
    x = torch.tensor([0.05, 0.5], device=device, dtype=kind)
    before = x.clone()
    knobs = {"steps": 4, "count": 150, "jitter": 0.2, "temperature": 2.0}
    tamed, again = (adapt(energy, x, generator=generator(0), **knobs) for _ in range(2))
    assert torch.equal(x, before)
    assert tamed.mass.dtype == kind
    assert tamed.step_size == again.step_size
    assert torch.equal(tamed.mass, again.mass)
    ratio = tamed.mass * 2 * scale**2  # 온도 2에서 분산은 2σ²다
    assert ratio.max() < 2
    assert ratio.min() > 0.5


def test_a_flat_energy_gives_a_long_but_finite_step(device):
    flat = lambda x: 0 * x.sum(-1)  # noqa: E731
    x = torch.zeros(2, 1, device=device)
    tamed = adapt(flat, x, steps=1, rounds=1, count=800, generator=generator(0))
    assert 1e30 < tamed.step_size < math.inf
    assert tamed.state.position.isfinite().all()


@pytest.mark.bad_input
def test_chains_that_never_move_are_an_error():
    stuck = lambda x: torch.where((x == 0.5).all(-1), standard(x), math.nan)  # noqa: E731
    for count in (5, 400):  # 오래 두면 스텝이 반올림보다 작아져, 채택해도 움직이지 않는다
        with pytest.raises(ValueError, match=rf"^energy: .*{count}스텝.*좌표 0"):
            adapt(stuck, torch.tensor([[0.5, 0.5]]), steps=1, count=count, generator=generator(0))
    tiny = lambda x: standard(x - x.new_tensor([0.0, 1e8]))  # noqa: E731
    with pytest.raises(ValueError, match=r"^energy: .*좌표 1"):
        adapt(tiny, torch.tensor([[0.0, 1e8]]), steps=1, count=5, step_size=0.01, generator=generator(0))


# --- 장치 ---


def test_the_device_and_the_cpu_agree(device):
    x, precision = normal(0, 5, 2, device=torch.device("cpu")), torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=F64)
    results = []
    for place in (torch.device("cpu"), device):
        energy = partial(quadratic, precision=precision.to(place))
        step = partial(hmc_step, energy, step_size=0.4, steps=3, jitter=0.2, generator=generator(1))
        drawn = sample(step, init(energy, x.to(place)), 20)
        results.append((drawn.positions.cpu(), effective_sample_size(drawn.positions).cpu()))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)


# --- 틀린 입력 ---

POINT = torch.zeros(2, 3)
GOOD = State(POINT, torch.zeros(2), torch.zeros(2, 3))
BAD_STEPS = [
    ({"step_size": 0.0}, "step_size"),
    ({"step_size": -1.0}, "step_size"),
    ({"step_size": math.nan}, "step_size"),
    ({"step_size": torch.tensor([0.1, 0.0])}, "step_size"),
    ({"step_size": torch.tensor([0.1, 0.1, 0.1])}, "step_size"),
    ({"temperature": 0.0}, "temperature"),
    ({"temperature": -1.0}, "temperature"),
]
BAD_PATHS = [
    ({"steps": 0}, "steps"),
    ({"mass": torch.tensor([1.0, 0.0, 1.0])}, "mass"),
    ({"mass": torch.ones(2)}, "mass"),
    ({"mass": torch.ones(3, dtype=torch.int64)}, "mass"),
]


@pytest.mark.bad_input
@pytest.mark.parametrize(("bad", "name"), BAD_STEPS)
def test_bad_knobs_of_every_step_are_named(bad, name):
    for step, knobs in ((langevin_step, {}), (mala_step, {}), (hmc_step, {"steps": 2})):
        with pytest.raises(ValueError, match=rf"^{name}:"):
            step(standard, GOOD, **{"step_size": 0.1, **knobs, **bad}, generator=None)
    with pytest.raises(ValueError, match=rf"^{name}:"):
        leapfrog(standard, GOOD, POINT, **{"step_size": 0.1, "steps": 2, **bad})


@pytest.mark.bad_input
@pytest.mark.parametrize(("bad", "name"), BAD_PATHS)
def test_bad_trajectories_are_named(bad, name):
    knobs = {"step_size": 0.1, "steps": 2, **bad}
    with pytest.raises(ValueError, match=rf"^{name}:"):
        hmc_step(standard, GOOD, **knobs, generator=None)
    with pytest.raises(ValueError, match=rf"^{name}:"):
        leapfrog(standard, GOOD, POINT, **knobs)


@pytest.mark.bad_input
def test_bad_arguments_of_hmc_are_named(device):
    for jitter in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match=r"^jitter:"):
            hmc_step(standard, GOOD, step_size=0.1, steps=1, jitter=jitter, generator=None)
    with pytest.raises(TypeError, match=r"^steps:"):
        hmc_step(standard, GOOD, step_size=0.1, steps=1.0, generator=None)
    with pytest.raises(ValueError, match=r"^momentum:"):
        leapfrog(standard, GOOD, torch.zeros(3), step_size=0.1, steps=1)
    with pytest.raises(ValueError, match=r"^energy:"):
        hamiltonian(torch.zeros(3), POINT)
    with pytest.raises(ValueError, match=r"^mass:"):
        hamiltonian(torch.zeros(2), POINT, mass=torch.zeros(3))
    with pytest.raises(ValueError, match=r"^temperature:"):
        hamiltonian(torch.zeros(2), POINT, temperature=0.0)
    with pytest.raises(TypeError, match=r"^momentum:"):
        hamiltonian(torch.zeros(2), 1.0)


@pytest.mark.bad_input
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_start_that_is_not_finite_is_an_error(value):
    start = torch.tensor([[0.0, value]])
    with pytest.raises(ValueError, match=r"^position:"):
        init(standard, start)
    with pytest.raises(ValueError, match=r"^position:"):
        adapt(standard, start, steps=1, generator=None)
    with pytest.raises(ValueError, match=r"^energy: "):
        init(lambda x: x.sum(-1) * 0 + value, POINT)
    with pytest.raises(ValueError, match=r"^energy의 기울기: "):
        init(lambda x: x.clamp(min=0).sqrt().sum(-1), POINT)


@pytest.mark.bad_input
def test_bad_energies_and_positions_are_errors():
    for energy in (lambda x: x, lambda x: x.sum(), lambda x: x.sum(-1).detach(), lambda x: x.sum(-1).long()):
        with pytest.raises(ValueError, match=r"^energy:"):
            init(energy, POINT)
        with pytest.raises(ValueError, match=r"^energy:"):
            hmc_step(energy, GOOD, step_size=0.1, steps=1, generator=None)
    with pytest.raises(ValueError, match=r"^position:"):
        init(standard, torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"^position:"):
        init(standard, torch.zeros(0, 3))
    with pytest.raises(ValueError, match=r"^position:"):
        init(standard, torch.tensor(1.0))
    with pytest.raises(TypeError, match=r"^position:"):
        init(standard, [0.0])


@pytest.mark.bad_input
def test_a_step_that_gives_something_else_is_an_error():
    for step in (lambda state: state, lambda state: (state, None), lambda state: None):
        with pytest.raises(TypeError, match=r"^step: \(State, Info\)"):
            sample(step, GOOD, 1)
    with pytest.raises(TypeError, match=r"^state: State"):
        sample(partial(mala_step, standard, step_size=0.1, generator=None), POINT, 1)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("bad", "name"),
    [({"count": 0}, "count"), ({"burn": -1}, "burn"), ({"thin": 0}, "thin")],
)
def test_bad_counts_of_sample_are_named(bad, name):
    with pytest.raises(ValueError, match=rf"^{name}:"):
        sample(partial(mala_step, standard, step_size=0.1, generator=None), GOOD, **{"count": 1, **bad})


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"steps": 0}, "steps"),
        ({"rounds": 0}, "rounds"),
        ({"count": 1}, "count"),
        ({"step_size": 0.0}, "step_size"),
        ({"target": 1.0}, "target"),
        ({"jitter": 1.0}, "jitter"),
        ({"temperature": 0.0}, "temperature"),
    ],
)
def test_bad_knobs_of_adapt_are_named(bad, name):
    with pytest.raises(ValueError, match=rf"^{name}:"):
        adapt(standard, POINT, **{"steps": 1, **bad}, generator=None)


@pytest.mark.bad_input
def test_an_energy_on_which_the_chains_fly_away_is_named():
    flat = lambda x: 0 * x.sum(-1)  # noqa: E731
    with pytest.raises(ValueError, match=r"^energy"):
        adapt(flat, torch.zeros(2, 1), steps=1, rounds=4, count=200, generator=generator(0))


@pytest.mark.bad_input
def test_a_step_that_vanishes_in_the_dtype_of_the_state_is_an_error():
    vanishing, huge = torch.tensor(1e-60, dtype=F64), torch.full((3,), 1e60, dtype=F64)
    for knobs in ({"step_size": vanishing}, {"step_size": 0.1, "mass": huge}):
        with pytest.raises(ValueError, match=f"^{[*knobs][-1]}:"):
            hmc_step(standard, GOOD, steps=1, generator=None, **knobs)


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [effective_sample_size, split_rhat])
def test_bad_draws_are_errors(function):
    for bad in (torch.zeros(3, 2), torch.zeros(8), torch.zeros(8, 0), torch.zeros(8, 2, dtype=torch.int64)):
        with pytest.raises(ValueError, match=r"^draws"):
            function(bad)
    with pytest.raises(ValueError, match=r"^draws: .*nan"):
        function(torch.full((8, 2), math.nan))
    with pytest.raises(TypeError, match=r"^draws:"):
        function([1.0])
    with pytest.raises(ValueError, match=r"^method: .*'bulk'.*'median'"):
        effective_sample_size(torch.zeros(8, 2), method="median")
