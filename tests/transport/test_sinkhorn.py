"""기준값: 정확한 선형 계획(`optimal_plan`), POT의 로그 싱크혼, 에너지 거리의 닫힌 식."""

import math
import warnings

import numpy as np
import ot
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mgk_docs_src.random import generator, rand, randn, randperm
from mgk_docs_src.transport import sinkhorn as module
from mgk_docs_src.transport.sinkhorn import (
    Bounds,
    Sinkhorn,
    certified_interval,
    coupling,
    entropic_cost,
    round_coupling,
    sinkhorn,
    sinkhorn_divergence,
)
from mgk_docs_src.transport.wasserstein import cost_matrix, optimal_plan, wasserstein

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SEEDS = st.integers(0, 10**6)
SIZES = st.integers(1, 12)
EPSILONS = st.sampled_from([1e-3, 0.03, 1.0, 50.0])
KINDS = st.sampled_from([torch.float64, torch.float32])
ZERO_MASS = st.sampled_from([0.0, 0.4])
FINE = {"tolerance": 1e-12}


def clouds(seed, n, m, *, d=2, device=None, dtype=torch.float64):
    """표준 정규 구름과, 분산이 같은 균등 구름을 (1, …, 1)만큼 옮긴 것."""
    g = generator(seed)
    x = randn(n, d, generator=g, dtype=torch.float64)
    y = math.sqrt(3) * (2 * rand(m, d, generator=g, dtype=torch.float64) - 1) + 1
    return x.to(device, dtype), y.to(device, dtype)


def masses(seed, *sizes, zeros=0.0, ugly=False, device=None, dtype=torch.float64):
    """합이 1인 가중치들. 0이나 아주 작은 값도 있다."""
    g = generator(seed)
    made = []
    for n in sizes:
        w = rand(n, generator=g, dtype=torch.float64) + 1e-3
        w = w ** (30 if ugly else 1) * (rand(n, generator=g) >= zeros)
        w[0] += 0.1
        made.append((w / w.sum()).to(device, dtype))
    return made


def off(plan, a, b):
    return float((plan.sum(1) - a).abs().sum() + (plan.sum(0) - b).abs().sum())


def numpy(tensor):
    return tensor.detach().cpu().double().numpy()


def pot(cost, a, b, epsilon):
    """POT의 로그 싱크혼. 계획을 돌려준다."""
    with np.errstate(all="ignore"):  # 돌려줄 exp(u)가 넘치는 것은 계획과 상관없다
        return ot.sinkhorn(numpy(a), numpy(b), numpy(cost), epsilon, method="sinkhorn_log", stopThr=1e-13, warn=False)


# --- 싱크혼 ---


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, epsilon=EPSILONS, kind=KINDS, zeros=ZERO_MASS, ugly=st.booleans())
def test_the_residual_is_that_of_the_plan_and_nothing_is_nan(device, *, seed, n, m, epsilon, kind, zeros, ugly):
    x, y = clouds(seed, n, m, device=device, dtype=kind)
    cost = cost_matrix(x, y)
    a, b = masses(seed, n, m, zeros=zeros, ugly=ugly, device=device, dtype=kind)
    solved = sinkhorn(cost, a, b, epsilon=epsilon, max_iterations=300)
    plan = coupling(solved.f, solved.g, cost, a, b, epsilon=epsilon)
    assert solved.f.dtype == solved.g.dtype == plan.dtype == kind
    assert solved.f.isfinite().all()
    assert solved.g.isfinite().all()
    assert plan.isfinite().all()
    assert (plan >= 0).all()
    assert plan.sum().item() == pytest.approx(1, abs=2e-3)  # 수렴하지 않아도 0이 아니다
    floor = 100 * torch.finfo(kind).eps * (1 + float(solved.f.abs().max() + solved.g.abs().max()) / epsilon)
    assert off(plan, a, b) == pytest.approx(solved.residual, abs=floor)
    assert solved.converged == (solved.residual <= {torch.float64: 1e-5, torch.float32: 1e-4}[kind])
    assert 0 <= solved.iterations <= 300
    assert (plan[a == 0] == 0).all()
    assert (plan[:, b == 0] == 0).all()


@pytest.mark.parametrize("epsilon", [0.03, 0.3, 30.0])
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_plan_and_the_potentials_agree_with_pot(device, epsilon, p):
    x, y = clouds(0, 30, 20, device=device)
    a, b = masses(0, 30, 20, device=device)
    cost = cost_matrix(x, y, p=p)
    solved = sinkhorn(cost, a, b, epsilon=epsilon, tolerance=1e-11)
    assert solved.converged
    with np.errstate(all="ignore"):
        plan, log = ot.sinkhorn(
            numpy(a), numpy(b), numpy(cost), epsilon, method="sinkhorn_log", stopThr=1e-13, numItermax=20_000, log=True
        )
    ours = coupling(solved.f, solved.g, cost, a, b, epsilon=epsilon)
    np.testing.assert_allclose(numpy(ours), plan, atol=1e-9)
    # POT의 log u는 f/ε + log a다. 상수 하나만 다를 수 있다.
    theirs = epsilon * (log["log_u"] - np.log(numpy(a))), epsilon * (log["log_v"] - np.log(numpy(b)))
    shift = (numpy(solved.f) - theirs[0]).mean()
    np.testing.assert_allclose(numpy(solved.f), theirs[0] + shift, atol=1e-6)
    np.testing.assert_allclose(numpy(solved.g), theirs[1] - shift, atol=1e-6)


def test_a_lower_epsilon_costs_less_down_to_the_exact_plan(device):
    cost = cost_matrix(*clouds(1, 40, 30, device=device))
    exact = optimal_plan(cost).cost.item()
    spent, dual = [], []
    for epsilon in (10.0, 1.0, 0.1, 0.01, 0.001):
        solved = sinkhorn(cost, epsilon=epsilon, tolerance=1e-8, max_iterations=20_000)
        spent.append(float((coupling(solved.f, solved.g, cost, epsilon=epsilon) * cost).sum()))
        dual.append(entropic_cost(cost, epsilon=epsilon, tolerance=1e-8, max_iterations=20_000).item())
    assert spent == sorted(spent, reverse=True)
    assert dual == sorted(dual, reverse=True)
    assert spent[-1] == pytest.approx(exact, rel=1e-4)
    assert spent[0] == pytest.approx(cost.mean().item(), rel=0.05)  # ε이 크면 독립 결합
    assert min(*spent, *dual) >= exact - 1e-7


def test_permuting_the_points_permutes_the_potentials(device):
    cost = cost_matrix(*clouds(2, 12, 9, device=device))
    a, b = masses(2, 12, 9, zeros=0.3, device=device)
    rows, columns = (randperm(n, generator=generator(n), device=device) for n in (12, 9))
    plain = sinkhorn(cost, a, b, epsilon=0.1, **FINE)
    moved = sinkhorn(cost[rows][:, columns], a[rows], b[columns], epsilon=0.1, **FINE)
    torch.testing.assert_close(moved.f, plain.f[rows], atol=1e-10, rtol=0)
    torch.testing.assert_close(moved.g, plain.g[columns], atol=1e-10, rtol=0)


@EXAMPLES
@given(seed=SEEDS, scale=st.sampled_from([1e-6, 1.0, 1e6]), shift=st.sampled_from([-1e3, 0.0, 1e3]))
def test_scaling_and_shifting_the_cost_moves_only_the_potentials(device, seed, scale, shift):
    cost = cost_matrix(*clouds(seed, 6, 5, device=device))
    plain = sinkhorn(cost, epsilon=0.3, **FINE)
    moved = sinkhorn(scale * (cost + shift), epsilon=0.3 * scale, tolerance=1e-9)
    expected = coupling(plain.f, plain.g, cost, epsilon=0.3)
    ours = coupling(moved.f, moved.g, scale * (cost + shift), epsilon=0.3 * scale)
    torch.testing.assert_close(ours, expected, atol=1e-8, rtol=1e-8)


def test_where_pots_kernel_vanishes_the_plan_still_carries_all_mass(device):
    """n = 1024, d = 64, ε = 0.01: exp(−C/ε)가 모두 0이 되는 문제."""
    cost = cost_matrix(*clouds(3, 1024, 1024, d=64))
    uniform = np.full(1024, 1 / 1024)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        theirs = ot.sinkhorn(uniform, uniform, numpy(cost), 0.01, method="sinkhorn")
    assert theirs.sum() == 0
    cost = cost.to(device)
    solved = sinkhorn(cost, epsilon=0.01, max_iterations=200)
    plan = coupling(solved.f, solved.g, cost, epsilon=0.01)
    assert not solved.converged
    assert off(plan, *(2 * [torch.full((1024,), 1 / 1024, device=device, dtype=torch.float64)])) < 1e-3
    assert float((plan * cost).sum()) == pytest.approx(optimal_plan(cost).cost.item(), rel=1e-3)


def test_the_error_on_1024_points_is_below_four_in_a_thousand(device):
    for p in (1.0, 2.0):
        cost = cost_matrix(*clouds(0, 1024, 1024, device=device), p=p)
        solved = sinkhorn(cost, epsilon=0.01)
        bounds = certified_interval(cost, solved.f, solved.g, epsilon=0.01)
        exact = optimal_plan(cost).cost.item()
        assert solved.converged
        rounded = round_coupling(coupling(solved.f, solved.g, cost, epsilon=0.01))
        assert 0 <= float((rounded * cost).sum()) / exact - 1 <= 0.004
        assert bounds.lower <= exact <= bounds.upper
        assert float(bounds.upper - bounds.lower) <= 0.01 * exact


@pytest.mark.parametrize("seed", range(3))
def test_float32_works_at_epsilon_003(device, seed):
    x, y = clouds(seed, 256, 256, device=device)
    wide = sinkhorn(cost_matrix(x, y), epsilon=0.03)
    cost = cost_matrix(x.float(), y.float())
    solved = sinkhorn(cost, epsilon=0.03)
    assert solved.converged
    spent = (coupling(solved.f, solved.g, cost, epsilon=0.03) * cost).sum().item()
    expected = (coupling(wide.f, wide.g, cost_matrix(x, y), epsilon=0.03) * cost_matrix(x, y)).sum().item()
    assert spent == pytest.approx(expected, rel=1e-4)


def test_without_convergence_the_flag_falls_and_the_residual_tells(device):
    cost = cost_matrix(*clouds(4, 50, 50, device=device))
    residuals = []
    for limit in (1, 2, 15, 60, 400):
        solved = sinkhorn(cost, epsilon=0.005, tolerance=1e-15, max_iterations=limit)
        assert not solved.converged
        assert solved.iterations == limit
        residuals.append(solved.residual)
    assert residuals[-1] < 1e-2 * residuals[0]
    assert all(0 < residual <= 2 for residual in residuals)


def test_overrelaxation_saves_steps_and_its_guard_keeps_it_from_stalling(device, monkeypatch):
    cost = cost_matrix(*clouds(0, 256, 256, device=device))
    steps = {}
    for omega in (1.0, 1.8, 1.95):
        monkeypatch.setattr(module, "_OMEGA", omega)
        solved = sinkhorn(cost, epsilon=0.01, tolerance=1e-7)
        assert solved.converged
        steps[omega] = solved.iterations
    assert steps[1.8] < steps[1.0]


def test_the_flag_speaks_of_the_plan_that_coupling_gives(device):
    # 64차원에서 비용이 ε의 수천 배라 float32의 반올림이 허용 잔차만큼 된다.
    x, y = randn(2, 100, 64, generator=generator(6), device=device)
    for epsilon, p in ((0.05, 2.0), (0.5, 2.0), (0.05, 1.0)):
        cost = cost_matrix(x, y, p=p)
        solved = sinkhorn(cost, epsilon=epsilon, max_iterations=600)
        plan = coupling(solved.f, solved.g, cost, epsilon=epsilon).double()
        uniform = torch.full((100,), 0.01, dtype=torch.float64, device=device)
        assert solved.residual == pytest.approx(off(plan, uniform, uniform), rel=1e-3, abs=1e-7)
        assert solved.converged == (solved.residual <= 1e-4)


def test_a_small_residual_bounds_no_cost_and_the_interval_does(device):
    # 10⁶ 떨어진 두 덩어리 사이로 8e-6쯤 옮겨야 하는 문제. 옮기지 않아도 잔차는 허용값 안이다.
    x, y = (randn(100, 2, generator=generator(seed), device=device, dtype=torch.float64) for seed in (0, 1))
    x[50:, 0] += 1e6
    y[50:, 0] += 1e6
    a = torch.full((100,), 0.01, device=device, dtype=torch.float64)
    b = a.clone()
    b[:50] += 8e-8
    b[50:] -= 8e-8
    cost = cost_matrix(x, y)
    solved = sinkhorn(cost, a, b, epsilon=0.1)
    exact = optimal_plan(cost, a, b).cost.item()
    bounds = certified_interval(cost, solved.f, solved.g, a, b, epsilon=0.1)
    assert solved.converged
    assert (coupling(solved.f, solved.g, cost, a, b, epsilon=0.1) * cost).sum().item() < 0.2 * exact
    assert bounds.lower.item() <= exact <= bounds.upper.item()


def test_newton_steps_finish_where_the_plan_falls_apart_into_pieces(device, monkeypatch):
    """두 덩어리 사이로 오가는 양이 e⁻³⁸뿐인 문제: 싱크혼 반복만으로는 잔차가 반복 수에 반비례해서만 준다."""
    cost = torch.tensor([[3.8, 0.0], [0.0, 3.8]], device=device, dtype=torch.float64)
    a = torch.tensor([0.6, 0.4], device=device, dtype=torch.float64)
    solved = sinkhorn(cost, a, a.flip(0), epsilon=0.1, tolerance=1e-12)
    assert solved.converged
    assert solved.iterations < 500
    plan = coupling(solved.f, solved.g, cost, a, a.flip(0), epsilon=0.1)
    # 2×2에서는 P₁₁P₂₂ / (P₁₂P₂₁)이 e^{−(C₁₁ + C₂₂ − C₁₂ − C₂₁)/ε}이고, 주변 분포가 나머지를 정한다.
    small = plan[0, 0].item()
    assert small * plan[1, 1].item() == pytest.approx(0.6 * 0.4 * math.exp(-76), rel=1e-9)
    monkeypatch.setattr(module, "_PATIENCE", 10**9)
    assert not sinkhorn(cost, a, a.flip(0), epsilon=0.1, tolerance=1e-12).converged


def test_a_kernel_that_underflows_is_left_for_a_step_in_logarithms(device):
    # 질량이 극단적이라 ε 스케일링 직후의 칸이 float32에서 언더플로하거나 오버플로한다.
    cost = torch.tensor([[0.0, 60.0], [60.0, 0.0]], device=device)
    for a, b in (([1e-37, 1.0], [1.0, 1e-37]), ([1e-30, 1.0], [0.5, 0.5])):
        weights = torch.tensor(a, device=device), torch.tensor(b, device=device)
        solved = sinkhorn(cost, *weights, epsilon=0.3)
        plan = coupling(solved.f, solved.g, cost, *weights, epsilon=0.3)
        assert solved.converged
        assert plan.isfinite().all()
        assert plan[1].sum().item() == pytest.approx(1, abs=1e-4)


def test_one_point_each_and_a_constant_cost(device):
    cost = torch.full((3, 4), 7.0, device=device, dtype=torch.float64)
    solved = sinkhorn(cost, epsilon=0.1)
    torch.testing.assert_close(coupling(solved.f, solved.g, cost, epsilon=0.1), torch.full_like(cost, 1 / 12))
    single = sinkhorn(cost[:1, :1], epsilon=0.1)
    assert float(single.f + single.g) == pytest.approx(7)
    assert isinstance(single, Sinkhorn)


def test_nothing_is_changed_in_place_and_nothing_is_recorded(device):
    cost = cost_matrix(*clouds(5, 8, 7, device=device)).requires_grad_()
    a, b = masses(5, 8, 7, zeros=0.3, device=device)
    before = [part.detach().clone() for part in (cost, a, b)]
    solved = sinkhorn(cost, a, b, epsilon=0.1)
    certified_interval(cost, solved.f, solved.g, a, b, epsilon=0.1)
    round_coupling(coupling(solved.f, solved.g, cost, a, b, epsilon=0.1), a, b)
    entropic_cost(cost, a, b, epsilon=0.1)
    assert all(torch.equal(now, then) for now, then in zip((cost, a, b), before, strict=True))
    assert not solved.f.requires_grad


# --- 정확히 맞추기, 가두기 ---


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, zeros=ZERO_MASS, kind=KINDS, size=st.sampled_from([0.0, 1e-3, 1.0, 5.0]))
def test_rounding_gives_exact_marginals_and_moves_little(device, *, seed, n, m, zeros, kind, size):
    a, b = masses(seed, n, m, zeros=zeros, device=device, dtype=kind)
    noise = rand(n, m, generator=generator(seed), device=device, dtype=kind) / (n * m)
    plan = a[:, None] * b * (1 - min(size, 1)) + size * noise
    rounded = round_coupling(plan, a, b)
    eps = torch.finfo(kind).eps
    assert rounded.dtype == kind
    assert (rounded >= 0).all()
    assert off(rounded, a, b) <= 50 * eps
    assert float((rounded - plan).abs().sum()) <= 2 * off(plan, a, b) + 50 * eps


def test_rounding_keeps_a_good_plan_and_fills_an_empty_one(device):
    a, b = masses(6, 5, 4, zeros=0.2, device=device)
    product = a[:, None] * b
    torch.testing.assert_close(round_coupling(product, a, b), product, atol=1e-16, rtol=1e-14)
    torch.testing.assert_close(round_coupling(torch.zeros_like(product), a, b), product)
    uniform = round_coupling(torch.zeros(2, 3, device=device, dtype=torch.float64))
    torch.testing.assert_close(uniform, torch.full_like(uniform, 1 / 6))


@EXAMPLES
@given(
    seed=SEEDS,
    n=SIZES,
    m=SIZES,
    epsilon=EPSILONS,
    kind=KINDS,
    zeros=ZERO_MASS,
    ugly=st.booleans(),
    start=st.sampled_from(["converged", "three steps", "zero", "random", "huge"]),
    shift=st.sampled_from([0.0, -100.0]),
)
def test_the_interval_always_holds_the_exact_cost(device, *, seed, n, m, epsilon, kind, zeros, ugly, start, shift):
    x, y = clouds(seed, n, m, device=device, dtype=kind)
    cost = cost_matrix(x, y) + shift
    a, b = masses(seed, n, m, zeros=zeros, ugly=ugly, device=device, dtype=kind)
    g = generator(seed)
    if start in ("converged", "three steps"):
        limit = 3 if start == "three steps" else 300
        potentials = sinkhorn(cost, a, b, epsilon=epsilon, max_iterations=limit)[:2]
    else:
        size = {"zero": 0.0, "random": 1.0, "huge": 1e6}[start]
        potentials = [size * randn(k, generator=g, device=device, dtype=kind) for k in (n, m)]
    bounds = certified_interval(cost, *potentials, a, b, epsilon=epsilon)
    exact = optimal_plan(cost.double(), a, b).cost
    rounding = 1e-13 * (1 + abs(shift))  # 기준값 자신의 반올림
    assert isinstance(bounds, Bounds)
    assert bounds.lower.dtype == kind
    assert float(bounds.lower) <= exact + rounding
    assert float(bounds.upper) >= exact - rounding
    if start == "converged" and epsilon == 1e-3 and not ugly:
        assert float(bounds.upper - bounds.lower) <= 0.1 * (1 + abs(shift))


def test_the_interval_shrinks_with_epsilon_and_ignores_the_constant(device):
    cost = cost_matrix(*clouds(7, 60, 50, device=device))
    widths = []
    for epsilon in (1.0, 0.1, 0.01):
        solved = sinkhorn(cost, epsilon=epsilon)
        bounds = certified_interval(cost, solved.f, solved.g, epsilon=epsilon)
        moved = certified_interval(cost, solved.f + 3, solved.g - 3, epsilon=epsilon)
        torch.testing.assert_close(torch.stack(moved), torch.stack(bounds), atol=1e-11, rtol=0)
        widths.append(float(bounds.upper - bounds.lower))
    assert widths[0] > 5 * widths[1] > 25 * widths[2] > 0


# --- 미분 ---


@pytest.mark.parametrize("zeros", [0.0, 0.4])
def test_the_gradient_of_the_entropic_cost_is_the_plan(device, zeros):
    cost = cost_matrix(*clouds(8, 6, 5, device=device)).requires_grad_()
    a, b = masses(8, 6, 5, zeros=zeros, device=device)
    value = entropic_cost(cost, a, b, epsilon=0.2, **FINE)
    (grad,) = torch.autograd.grad(value, cost)
    solved = sinkhorn(cost, a, b, epsilon=0.2, **FINE)
    torch.testing.assert_close(grad, coupling(solved.f, solved.g, cost.detach(), a, b, epsilon=0.2))
    relative = torch.xlogy(grad, grad / (a[:, None] * b).clamp(min=1e-300)).sum()
    primal = (grad * cost.detach()).sum() + 0.2 * relative  # 원래 문제의 값 ⟨P, C⟩ + ε KL
    assert value.item() == pytest.approx(primal.item(), rel=1e-10)


@pytest.mark.parametrize("epsilon", [0.2, 5.0])
def test_gradcheck_of_the_entropic_cost(device, epsilon):
    cost = cost_matrix(*clouds(9, 4, 5, device=device)).requires_grad_()
    logits = [randn(n, generator=generator(n), device=device, dtype=torch.float64).requires_grad_() for n in (4, 5)]

    def value(cost, *logits):
        return entropic_cost(cost, *(part.softmax(0) for part in logits), epsilon=epsilon, **FINE)

    assert torch.autograd.gradcheck(value, (cost, *logits), atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize(("p", "epsilon"), [(1.0, 0.3), (1.5, 1.0), (2.0, 0.3), (2.0, 10.0)])
def test_gradcheck_of_the_divergence(device, p, epsilon):
    points = [part.requires_grad_() for part in clouds(10, 4, 5, device=device)]
    logits = [randn(n, generator=generator(n), device=device, dtype=torch.float64).requires_grad_() for n in (4, 5)]

    def value(x, y, *logits):
        a, b = (part.softmax(0) for part in logits)
        return sinkhorn_divergence(x, y, epsilon=epsilon, p=p, a=a, b=b, **FINE)

    assert torch.autograd.gradcheck(value, (*points, *logits), atol=1e-7, rtol=1e-6)


def test_what_the_constant_potentials_cannot_give_is_refused(device):
    cost = cost_matrix(*clouds(9, 4, 5, device=device)).requires_grad_()

    def value(cost):
        return entropic_cost(cost, epsilon=0.2, **FINE)

    (slope,) = torch.autograd.grad(value(cost), cost, create_graph=True)
    with pytest.raises(RuntimeError, match="두 번 미분할 수 없다"):
        torch.autograd.grad(slope.square().sum(), cost)
    x, y = (part.requires_grad_() for part in clouds(10, 4, 5, device=device))
    (slope,) = torch.autograd.grad(sinkhorn_divergence(x, y, epsilon=0.3, **FINE), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        torch.autograd.grad(slope.square().sum(), x)
    plain = cost.detach()
    with pytest.raises(RuntimeError, match="두 번 미분할 수 없다"):
        torch.func.grad(lambda cost: torch.func.grad(value)(cost).square().sum())(plain)
    for transform in (torch.func.hessian(value), lambda cost: torch.func.jvp(value, (cost,), (cost,))):
        with pytest.raises(RuntimeError, match="전진 미분"):
            transform(plain)


def test_the_transforms_of_torch_func_equal_the_loop(device):
    costs = rand(3, 5, 4, generator=generator(0), device=device, dtype=torch.float64)
    weights = torch.stack([masses(seed, 5, device=device)[0] for seed in range(3)])

    def value(cost, a):
        return entropic_cost(cost, a, epsilon=0.2, **FINE)

    def slope(cost, a):
        cost = cost.clone().requires_grad_()
        return torch.autograd.grad(value(cost, a), cost)[0]

    pairs = list(zip(costs, weights, strict=True))
    torch.testing.assert_close(torch.func.vmap(value)(costs, weights), torch.stack([value(*pair) for pair in pairs]))
    slopes = torch.stack([slope(*pair) for pair in pairs])
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(value))(costs, weights), slopes)
    points = randn(3, 2, 6, 2, generator=generator(1), device=device, dtype=torch.float64)

    def divergence(pair):
        return sinkhorn_divergence(*pair, epsilon=0.3, **FINE)

    torch.testing.assert_close(torch.func.vmap(divergence)(points), torch.stack([divergence(pair) for pair in points]))
    solved = torch.func.grad(lambda cost: (sinkhorn(cost, epsilon=0.2).f + cost.sum(1)).sum())(costs[0])
    assert torch.equal(solved, torch.ones_like(solved))  # 퍼텐셜은 미분하지 않는다
    with pytest.raises(RuntimeError, match=r"cost: torch\.func\.vmap 안에서는"):
        torch.func.vmap(lambda cost: sinkhorn(cost, epsilon=0.2).f)(costs)


def test_the_plan_differentiates_in_everything_it_is_made_of(device):
    cost = cost_matrix(*clouds(9, 4, 5, device=device))
    solved = sinkhorn(cost, epsilon=0.2)
    a, b = masses(3, 4, 5, device=device)
    parts = [part.detach().requires_grad_() for part in (solved.f, solved.g, cost, a, b)]

    def function(f, g, cost, a, b):
        return coupling(f, g, cost, a / a.sum(), b / b.sum(), epsilon=0.2)

    assert torch.autograd.gradcheck(function, parts)
    with torch.no_grad():
        inside = function(*parts)
    assert torch.equal(inside, function(*parts))


def test_following_the_gradient_carries_one_cloud_onto_the_other(device):
    x, y = clouds(11, 15, 15, device=device)
    before = wasserstein(x, y).item()
    for _ in range(20):
        x.requires_grad_()
        (grad,) = torch.autograd.grad(sinkhorn_divergence(x, y, epsilon=0.1), x)
        x = (x - 15 / 2 * grad).detach()  # 점 하나의 질량이 1/15이라 스텝 크기가 크다
    assert wasserstein(x, y).item() < 0.02 * before


# --- 발산 ---


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, p=st.sampled_from([1.0, 1.5, 2.0]), epsilon=st.sampled_from([0.1, 1.0, 50.0]))
def test_the_divergence_is_symmetric_and_never_negative(device, *, seed, n, m, p, epsilon):
    x, y = clouds(seed, n, m, device=device)
    a, b = masses(seed, n, m, device=device)
    ours = sinkhorn_divergence(x, y, epsilon=epsilon, p=p, a=a, b=b, tolerance=1e-8).item()
    assert ours >= -1e-9
    assert ours == pytest.approx(
        sinkhorn_divergence(y, x, epsilon=epsilon, p=p, a=b, b=a, tolerance=1e-8).item(), abs=1e-8
    )
    same = sinkhorn_divergence(x, x.flip(0), epsilon=epsilon, p=p, a=a, b=a.flip(0), tolerance=1e-8)
    assert same.item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_divergence_goes_from_the_exact_cost_to_the_energy_distance(device, p):
    x, y = clouds(12, 40, 30, device=device)
    exact = optimal_plan(cost_matrix(x, y, p=p)).cost.item()
    small, large = (sinkhorn_divergence(x, y, epsilon=epsilon, p=p).item() for epsilon in (0.003, 1e6))
    between, first, second = (cost_matrix(u, v, p=p).mean().item() for u, v in ((x, y), (x, x), (y, y)))
    assert small == pytest.approx(exact, rel=0.01)
    assert large == pytest.approx(between - first / 2 - second / 2, rel=1e-4)


def test_the_bias_is_gone(device):
    x, _ = clouds(13, 60, 1, device=device)
    shift = torch.tensor([0.3, 0.0], device=device, dtype=torch.float64)
    # p = 2에서 옮기기만 하면 발산은 정확히 |c|²이다. 편향된 비용은 0에서도 0이 아니다.
    assert sinkhorn_divergence(x, x + shift, epsilon=0.5, tolerance=1e-9).item() == pytest.approx(0.09, rel=1e-6)
    assert entropic_cost(cost_matrix(x, x, p=2.0), epsilon=0.5).item() > 0.3


def test_the_divergence_follows_the_dtype(device):
    x, y = clouds(14, 50, 40, device=device)
    wide = sinkhorn_divergence(x, y, epsilon=0.1).item()
    narrow = sinkhorn_divergence(x.float(), y.float(), epsilon=0.1)
    assert narrow.dtype == torch.float32
    assert narrow.item() == pytest.approx(wide, rel=1e-3)
    mixed = sinkhorn_divergence(x.float(), y, epsilon=0.1)
    assert mixed.dtype == torch.float64
    assert mixed.item() == pytest.approx(wide, rel=1e-5)


def test_a_divergence_that_did_not_converge_warns_of_its_residual(device):
    x, y = clouds(15, 20, 20, device=device)
    with pytest.warns(RuntimeWarning, match=r"반복 5번 안에 수렴하지 않았다: 잔차 \d"):
        sinkhorn_divergence(x, y, epsilon=0.01, max_iterations=5)
    with pytest.warns(RuntimeWarning, match=r"반복 3번.*잔차"):
        entropic_cost(cost_matrix(x, y), epsilon=0.01, max_iterations=3)


# --- 틀린 입력 ---

GOOD = torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
MATRIX = [
    (lambda c: (c.tolist(),), TypeError, "cost: 텐서여야"),
    (lambda c: (c.long(),), ValueError, "cost: 실수형"),
    (lambda c: (c.half(),), ValueError, "cost: float32나 float64여야 하는데 torch.float16"),
    (lambda c: (c[0],), ValueError, "cost: 축의 수가 2"),
    (lambda c: (c[:0],), ValueError, "cost: 원소가 하나 이상"),
    (lambda c: (c.where(c < 0.5, math.nan),), ValueError, "cost: 유한한 값이어야 하는데 nan"),
    (lambda c: (c.where(c < 0.5, math.inf),), ValueError, "cost: 유한한 값이어야 하는데 최댓값이 inf"),
    (lambda c: (c, torch.full((4,), 0.25)), ValueError, r"a: 모양이 \(3,\)"),
    (lambda c: (c, None, torch.full((3,), 1 / 3)), ValueError, r"b: 모양이 \(4,\)"),
    (lambda c: (c, torch.tensor([1, 0, 0])), ValueError, "a: 실수형"),
    (lambda c: (c, [1.0, 0.0, 0.0]), TypeError, "a: 텐서여야"),
    (lambda c: (c, torch.tensor([1.5, -0.5, 0.0])), ValueError, "a: 0 이상"),
    (lambda c: (c, torch.ones(3)), ValueError, "a: dim=0의 합이 1"),
    (lambda c: (c, torch.tensor([math.nan, 0.5, 0.5])), ValueError, "a: 0 이상의 유한한 값이어야 하는데 nan"),
    (lambda c: (c, torch.ones(3, device="meta")), ValueError, "a: 장치가 cpu여야 하는데 meta"),
]
KNOBS = [
    ({"epsilon": 0.0}, ValueError, "epsilon: 0보다 큰"),
    ({"epsilon": -1.0}, ValueError, "epsilon: 0보다 큰"),
    ({"epsilon": math.nan}, ValueError, "epsilon"),
    ({"epsilon": math.inf}, ValueError, "epsilon"),
    ({"epsilon": "0.1"}, TypeError, "epsilon: 수여야"),
    ({"epsilon": 1e-12}, ValueError, r"epsilon: 비용의 크기가 0\.\d+이면 torch.float32에서 .* 이상"),
    ({"tolerance": 0.0}, ValueError, "tolerance: 0보다 큰"),
    ({"max_iterations": 0}, ValueError, "max_iterations: 1 이상"),
    ({"max_iterations": 2.0}, TypeError, "max_iterations: 정수"),
]


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [sinkhorn, entropic_cost])
def test_bad_costs_weights_and_knobs_are_named(function):
    for change, kind, message in MATRIX:
        with pytest.raises(kind, match=message):
            function(*change(GOOD), epsilon=0.1)
    for knobs, kind, message in KNOBS:
        with pytest.raises(kind, match=message):
            function(GOOD, **{"epsilon": 0.1, **knobs})


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [coupling, certified_interval])
def test_bad_potentials_are_named(function):
    f, g = torch.zeros(3), torch.zeros(4)

    def call(cost=GOOD, f=f, g=g, **rest):
        order = (f, g, cost) if function is coupling else (cost, f, g)
        return function(*order, **{"epsilon": 0.1, **rest})

    for change, kind, message in MATRIX:
        cost, a, b = (*change(GOOD), None, None)[:3]
        with pytest.raises(kind, match=message):
            call(cost, a=a, b=b)
    for wrong, kind, message in (
        ({"f": torch.zeros(4)}, ValueError, r"f: 모양이 \(3,\)"),
        ({"g": torch.zeros(3)}, ValueError, r"g: 모양이 \(4,\)"),
        ({"f": torch.full((3,), math.inf)}, ValueError, "f: 유한한 값"),
        ({"g": torch.zeros(4, dtype=torch.int64)}, ValueError, "g: 실수형"),
        ({"f": [0.0, 0.0, 0.0]}, TypeError, "f: 텐서여야"),
        ({"g": torch.zeros(4, device="meta")}, ValueError, "g: 장치가"),
        ({"epsilon": 0.0}, ValueError, "epsilon: 0보다 큰"),
    ):
        with pytest.raises(kind, match=message):
            call(**wrong)


@pytest.mark.bad_input
def test_an_offset_that_float32_cannot_hold_is_refused():
    # 폭이 1이어도 수가 10⁷이면 float32의 간격이 1이다.
    for call in (
        lambda: sinkhorn(GOOD + 1e7, epsilon=0.1),
        lambda: entropic_cost(GOOD + 1e7, epsilon=0.1),
        lambda: sinkhorn(-GOOD - 1e7, epsilon=0.1),
        lambda: coupling(torch.full((3,), 1e7), torch.full((4,), -1e7), GOOD, epsilon=0.1),
    ):
        with pytest.raises(ValueError, match=r"epsilon: 비용.*크기가 1e\+07이면 torch.float32에서 1.2 이상"):
            call()
    with pytest.raises(ValueError, match=r"epsilon: .* 이하여야 하는데 1e\+39이다"):
        sinkhorn(GOOD, epsilon=1e39)
    with pytest.raises(ValueError, match=r"epsilon: .* 이상 .* 하는데 1e-39이다"):
        sinkhorn(torch.zeros(2, 2), epsilon=1e-39)
    wide = sinkhorn(GOOD.double() + 1e7, epsilon=0.1)
    plain = sinkhorn(GOOD.double(), epsilon=0.1)
    torch.testing.assert_close(
        coupling(wide.f, wide.g, GOOD.double() + 1e7, epsilon=0.1),
        coupling(plain.f, plain.g, GOOD.double(), epsilon=0.1),
        atol=1e-6,
        rtol=1e-5,
    )


@pytest.mark.bad_input
def test_bad_plans_are_named():
    for wrong, kind, message in (
        (-GOOD, ValueError, "plan: 0 이상"),
        (GOOD[0], ValueError, "plan: 축의 수가 2"),
        (GOOD.half(), ValueError, "plan: float32나 float64"),
        (GOOD.where(GOOD < 0.5, math.nan), ValueError, "plan: .*nan"),
    ):
        with pytest.raises(kind, match=message):
            round_coupling(wrong)
    with pytest.raises(ValueError, match="b: dim=0의 합이 1"):
        round_coupling(GOOD, None, torch.ones(4))


@pytest.mark.bad_input
def test_bad_points_of_the_divergence_are_named():
    x, y = torch.zeros(3, 2), torch.zeros(4, 2)
    for wrong, kind, message in (
        ({"y": torch.zeros(4, 3)}, ValueError, "y: 모양이"),
        ({"x": x.half(), "y": y.half()}, ValueError, "x: float32나 float64"),
        ({"p": 0.5}, ValueError, "p: "),
        ({"p": 2.5}, ValueError, r"p: \[1, 2\] 안의 값"),
        ({"a": torch.ones(3)}, ValueError, "a: dim=0의 합이 1"),
        ({"b": torch.full((3,), 1 / 3)}, ValueError, "b: 모양이"),
        ({"epsilon": 0.0}, ValueError, "epsilon: 0보다 큰"),
        ({"tolerance": -1.0}, ValueError, "tolerance"),
        ({"max_iterations": 0}, ValueError, "max_iterations"),
    ):
        with pytest.raises(kind, match=message):
            sinkhorn_divergence(**{"x": x, "y": y, "epsilon": 0.1, **wrong})
