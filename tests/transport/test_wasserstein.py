"""기준값: SciPy(1차원 거리, 선형 계획, 배정), POT, mpmath의 적분, 그리고 닫힌 식."""

import math

import mpmath
import numpy as np
import ot
import pytest
import scipy.optimize
import scipy.spatial
import scipy.stats
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.autograd import forward_ad
from torch.distributions import (
    Beta,
    Cauchy,
    Gamma,
    HalfNormal,
    Independent,
    Laplace,
    LogNormal,
    Normal,
    Uniform,
)

from mgk_docs_src.random import generator, rand, randn
from mgk_docs_src.transport import wasserstein as module
from mgk_docs_src.transport.wasserstein import (
    Plan,
    Potential,
    c_transform,
    cost_matrix,
    normal_uniform_distance,
    optimal_plan,
    potential_1d,
    sample_coupling,
    sliced_wasserstein,
    wasserstein,
    wasserstein_1d,
)

EXAMPLES = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ROOT3 = math.sqrt(3)
THRESHOLD = math.sqrt(2 * math.pi) / 2  # 이보다 좁으면 두 분위수가 0에서만 만난다
COUPLINGS = {"comonotone": 1.0, "independent": 0.0, "countermonotone": -1.0}
ROUNDING = {torch.float64: 4e-16, torch.float32: 2e-7, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}
SEEDS = st.integers(0, 10**6)
SIZES = st.integers(1, 12)
FACTORS = st.sampled_from([-20.0, -0.3, 0.0, 1e-6, 7.0])
ORDERS = st.sampled_from([1.0, 1.5, 2.0, 3.0])


def normal(seed, *shape, device=None, dtype=torch.float64):
    return randn(*shape, generator=generator(seed), device=device or torch.device("cpu"), dtype=dtype)


def masses(seed, *shape, zeros=0.3):
    """합이 1인 가중치. 0도 있다."""
    g = generator(seed)
    w = rand(*shape, generator=g, dtype=torch.float64) * (rand(*shape, generator=g) >= zeros)
    w[..., 0] += 0.1
    return w / w.sum(-1, keepdim=True)


def numpy(tensor):
    return tensor.detach().cpu().double().numpy()


def standard(device, dtype=torch.float64):
    """글의 예: 표준 정규 분포와, 분산이 1인 균등 분포."""
    zero, one, edge = (torch.tensor(value, device=device, dtype=dtype) for value in (0.0, 1.0, ROOT3))
    return Normal(zero, one), Uniform(-edge, edge)


# --- 커플링에서 샘플링 ---


@pytest.mark.parametrize("correlation", [-1.0, -0.7, 0.0, 0.4, 1.0])
def test_every_coupling_keeps_both_marginals(device, correlation):
    x, y = sample_coupling(*standard(device), 5000, correlation=correlation, generator=generator(1))
    assert scipy.stats.kstest(numpy(x), scipy.stats.norm.cdf).pvalue > 0.01
    assert scipy.stats.kstest(numpy(y), scipy.stats.uniform(-ROOT3, 2 * ROOT3).cdf).pvalue > 0.01
    # 가우스 코퓰라의 순위 상관은 (6/π) asin(ρ/2)이다.
    spearman = scipy.stats.spearmanr(numpy(x), numpy(y)).statistic
    assert spearman == pytest.approx(6 / math.pi * math.asin(correlation / 2), abs=0.03)


def test_the_two_ends_pair_equal_and_opposite_quantiles(device):
    p, q = standard(device)
    for correlation in (1.0, -1.0):
        x, y = sample_coupling(p, q, 1000, correlation=correlation, generator=generator(2))
        torch.testing.assert_close(q.cdf(y), p.cdf(correlation * x), atol=1e-14, rtol=0)


@pytest.mark.parametrize("kind", ROUNDING)
def test_the_samples_follow_the_parameters(device, kind):
    p, q = standard(device, kind)
    x, y = sample_coupling(p, Normal(0.0, 1.0), 50, correlation=0.5, generator=generator(3))
    wide, _ = sample_coupling(*standard(device), 50, correlation=0.5, generator=generator(3))
    expected = torch.float32 if kind == torch.bfloat16 else kind  # 반정밀도의 둘은 float32에서 만난다
    assert x.dtype == expected
    assert x.device.type == device.type
    assert y.dtype == torch.float32
    torch.testing.assert_close(x.double(), wide, atol=ROUNDING[expected], rtol=2 * ROUNDING[expected])
    assert sample_coupling(q, q, 5, correlation=0.0, generator=None)[0].shape == (5,)


def test_the_same_generator_gives_the_same_pairs(device):
    first, again, other = (
        torch.stack(sample_coupling(*standard(device), 20, correlation=0.3, generator=generator(seed)))
        for seed in (4, 4, 5)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_other_distributions_with_quantiles_work(device):
    one = torch.ones((), device=device, dtype=torch.float64)
    x, y = sample_coupling(LogNormal(0 * one, one), Laplace(one, one), 5000, correlation=0.9, generator=generator(6))
    assert scipy.stats.kstest(numpy(x), scipy.stats.lognorm(1).cdf).pvalue > 0.01
    assert scipy.stats.kstest(numpy(y), scipy.stats.laplace(1).cdf).pvalue > 0.01
    assert sample_coupling(HalfNormal(one), Cauchy(one, one), 3, correlation=0.9, generator=None)[0].min() >= 0


def test_the_farthest_draws_stay_finite(device, monkeypatch):
    far = torch.tensor([[-40.0, 40.0], [0.0, 0.0]], dtype=torch.float64)
    monkeypatch.setattr(module, "randn", lambda *_, **__: far)
    for kind in (torch.float32, torch.float64):
        scale = torch.ones((), device=device, dtype=kind)
        for one in (Normal(0 * scale, scale), Cauchy(0 * scale, scale), Laplace(0 * scale, scale)):
            x, _ = sample_coupling(one, one, 2, correlation=1.0, generator=None)
            assert x.isfinite().all(), one
            assert x[0] < -5
            assert x[1] > 5


# --- 닫힌 식 ---


def quantile_distance(a, sign):
    """공단조(+1)와 반단조(−1)의 평균 거리를 x로 적분한다: ∫ |x ∓ a(2Φ(x) − 1)| φ(x) dx."""
    with mpmath.workdps(30):
        half_width = mpmath.mpf(a)

        def each(x):
            return abs(x - sign * half_width * (2 * mpmath.ncdf(x) - 1)) * mpmath.npdf(x)

        crossing = scipy.optimize.brentq(lambda x: a * math.erf(x / math.sqrt(2)) - x, 1e-9, a) if a > 1.2534 else 1
        return float(2 * mpmath.quad(each, [0, crossing / 2, crossing, crossing + 1, crossing + 4, 40 + crossing]))


def independent_distance(a):
    """E|X − Y| = ∫∫ |x − y|. 안쪽 적분은 |x| ≤ a에서 (x² + a²)/2a, 밖에서 |x|다."""
    with mpmath.workdps(30):
        inner = mpmath.quad(lambda x: (x**2 + a**2) / (2 * a) * mpmath.npdf(x), mpmath.linspace(0, a, 30))
        return float(2 * (inner + mpmath.npdf(a)))


@pytest.mark.parametrize("a", [0.01, 0.5, 1.0, 1.25, 1.3, ROOT3, 3.0, 20.0])
def test_the_closed_forms_agree_with_quadrature(a):
    assert normal_uniform_distance(a, coupling="comonotone") == pytest.approx(quantile_distance(a, 1), rel=1e-12)
    assert normal_uniform_distance(a, coupling="independent") == pytest.approx(independent_distance(a), rel=1e-12)
    counter = normal_uniform_distance(a, coupling="countermonotone")
    assert counter == pytest.approx(quantile_distance(a, -1), rel=1e-12)


def test_the_example_of_the_post():
    values = [normal_uniform_distance(ROOT3, coupling=name) for name in COUPLINGS]
    assert values == pytest.approx([0.154280, 1.147571, 1.663910], abs=5e-7)


@given(a=st.floats(1e-6, 1e6))
@EXAMPLES
def test_the_three_couplings_are_ordered(a):
    first, second, third = (normal_uniform_distance(a, coupling=name) for name in COUPLINGS)
    assert 0 < first < second < third
    mean_y = a / 2  # 삼각 부등식: |E|Y| − E|X|| ≤ E|X − Y| ≤ E|X| + E|Y|
    assert abs(mean_y - math.sqrt(2 / math.pi)) <= first * (1 + 1e-12)


def test_where_the_crossing_appears_nothing_jumps():
    near = [THRESHOLD]
    for _ in range(20):
        near.append(math.nextafter(near[-1], 2))
    values = [normal_uniform_distance(a, coupling="comonotone") for a in [*near, THRESHOLD - 1e-9, THRESHOLD + 1e-9]]
    assert values == pytest.approx([2 * (1 / math.sqrt(2 * math.pi) - THRESHOLD / 4)] * len(values), rel=1e-8)


def test_samples_reach_the_closed_forms(device):
    for name, correlation in COUPLINGS.items():
        x, y = sample_coupling(*standard(device), 100_000, correlation=correlation, generator=generator(7))
        distance = (x - y).abs()
        error = 4 * distance.std().item() / math.sqrt(len(x))
        assert distance.mean().item() == pytest.approx(normal_uniform_distance(ROOT3, coupling=name), abs=error)


def test_the_comonotone_value_is_the_wasserstein_distance(device):
    u = (torch.arange(100_000, device=device, dtype=torch.float64) + 0.5) / 100_000
    p, q = standard(device)
    shuffled = q.icdf(u)[torch.randperm(len(u), generator=generator(8)).to(device)]
    expected = normal_uniform_distance(ROOT3, coupling="comonotone")
    assert wasserstein_1d(p.icdf(u), shuffled).item() == pytest.approx(expected, abs=1e-5)


# --- 비용 ---


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, d=st.integers(1, 40), p=ORDERS)
def test_the_cost_agrees_with_scipy(device, *, seed, n, m, d, p):
    x, y = normal(seed, n, d), normal(seed + 1, m, d)
    ours = cost_matrix(x.to(device), y.to(device), p=p)
    np.testing.assert_allclose(numpy(ours), scipy.spatial.distance.cdist(x, y) ** p, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", ROUNDING)
def test_the_cost_follows_the_dtype_and_is_exactly_zero_where_points_meet(device, kind):
    x = (1000 + normal(0, 40, 2)).to(kind).to(device)
    cost = cost_matrix(x, x, p=2.0)
    assert cost.dtype == kind
    assert cost.diagonal().eq(0).all()
    assert torch.equal(cost, cost.T)
    wide = cost_matrix(x.double(), x.double(), p=2.0)
    torch.testing.assert_close(cost.double(), wide, rtol=3 * ROUNDING[kind], atol=0)
    assert cost_matrix(x, x.double()).dtype == torch.float64


def test_the_gradient_of_the_cost(device):
    x, y = (normal(seed, 3, 2, device=device).requires_grad_() for seed in (0, 1))
    for p in (1.0, 1.5, 2.0):
        assert torch.autograd.gradcheck(lambda x, y, p=p: cost_matrix(x, y, p=p), (x, y))
        (grad,) = torch.autograd.grad(cost_matrix(x, x.detach(), p=p).diagonal().sum(), x)
        assert torch.equal(grad, torch.zeros_like(grad))


# --- 수송 문제 ---


def linear_program(cost, a, b):
    """행과 열의 합을 제약으로 쓴 선형 계획. 독립인 풀이(HiGHS)."""
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    found = scipy.optimize.linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b]))
    assert found.success, found.message
    return found.fun


def check_optimal(plan, cost, a, b, tolerance):
    """계획이 가중치를 지키고, 퍼텐셜이 제약을 지키고, 두 값이 같으면 최적이다."""
    scale = cost.abs().max().item() + 1e-300
    assert (plan.coupling >= 0).all()
    torch.testing.assert_close(plan.coupling.sum(1).cpu(), a, atol=tolerance, rtol=0)
    torch.testing.assert_close(plan.coupling.sum(0).cpu(), b, atol=tolerance, rtol=0)
    slack = cost - plan.f[:, None] - plan.g
    assert slack.min().item() >= -tolerance * scale
    assert (plan.coupling * slack).abs().max().item() <= tolerance * scale  # 상보성
    dual = (a.to(plan.f) @ plan.f + b.to(plan.g) @ plan.g).item()
    assert plan.cost.item() == pytest.approx(dual, abs=tolerance * scale)


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, zeros=st.sampled_from([0.0, 0.5]), scale=st.sampled_from([1e-3, 1.0, 1e6]))
def test_the_plan_is_optimal(device, *, seed, n, m, zeros, scale):
    cost = scale * normal(seed, n, m, device=device)
    a, b = masses(seed, n, zeros=zeros), masses(seed + 1, m, zeros=zeros)
    plan = optimal_plan(cost, a.to(device), b.to(device))
    check_optimal(plan, cost, a, b, 1e-13)
    expected = linear_program(cost.cpu().numpy(), a.numpy(), b.numpy())
    assert plan.cost.item() == pytest.approx(expected, rel=1e-9, abs=1e-9 * scale)


@pytest.mark.parametrize("spread", [1.0, 8.0])
def test_points_without_mass_and_points_with_almost_none(device, spread):
    a, b = (torch.exp(spread * normal(seed, 40)) for seed in (0, 1))
    a[::3], b[1::4] = 0, 0
    a, b = a / a.sum(), b / b.sum()
    cost = cost_matrix(*(normal(seed, 40, 2, device=device) for seed in (2, 3)))
    check_optimal(optimal_plan(cost, a.to(device), b.to(device)), cost, a, b, 1e-13)


def test_equal_masses_are_an_assignment(device):
    cost = cost_matrix(normal(0, 60, 3, device=device), normal(1, 60, 3, device=device))
    plan = optimal_plan(cost)
    rows, columns = scipy.optimize.linear_sum_assignment(numpy(cost))
    assert plan.cost.item() == pytest.approx(numpy(cost)[rows, columns].mean(), rel=1e-13)
    assert (60 * numpy(plan.coupling))[rows, columns] == pytest.approx(1)


@pytest.mark.parametrize("kind", ROUNDING)
def test_the_plan_follows_the_dtype(device, kind):
    cost = normal(0, 5, 7).abs().to(device, kind)
    a, b = masses(1, 5).to(device, kind), masses(2, 7).to(device, kind)
    plan = optimal_plan(cost, a, b)
    assert {part.dtype for part in plan} == {kind}
    assert {part.device.type for part in plan} == {device.type}
    wide = optimal_plan(cost.double(), a.double() / a.double().sum(), b.double() / b.double().sum())
    torch.testing.assert_close(plan.cost.double(), wide.cost, rtol=ROUNDING[kind], atol=ROUNDING[kind])


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES)
def test_permuting_points_permutes_the_plan(device, seed, n, m):
    cost, a, b = normal(seed, n, m, device=device), masses(seed, n).to(device), masses(seed + 1, m).to(device)
    rows, columns = (torch.randperm(k, generator=generator(seed)).to(device) for k in (n, m))
    plan, moved = optimal_plan(cost, a, b), optimal_plan(cost[rows][:, columns], a[rows], b[columns])
    torch.testing.assert_close(moved.coupling, plan.coupling[rows][:, columns], atol=1e-12, rtol=0)


def test_the_gradient_of_the_cost_is_the_plan(device):
    cost = normal(0, 4, 5, device=device).requires_grad_()
    plan = optimal_plan(cost)
    (grad,) = torch.autograd.grad(plan.cost, cost)
    assert torch.equal(grad, plan.coupling)
    assert torch.autograd.gradcheck(lambda cost: optimal_plan(cost).cost, (cost,))


def test_inputs_are_left_alone(device):
    x, y = normal(0, 5, 2, device=device), normal(1, 5, 2, device=device)
    w, v = masses(2, 5).to(device), masses(3, 5).to(device)
    before = [part.clone() for part in (x, y, w, v)]
    wasserstein(x, y, a=w, b=v)
    sliced_wasserstein(x, y, generator=None)
    for p in (x[:, 0], x[:, 1]):
        wasserstein_1d(p, y[:, 0])
        wasserstein_1d(p, y[:, 0], x_weights=w, y_weights=v)
        potential_1d(p, y[:, 0], x_weights=w, y_weights=v)
    assert all(torch.equal(old, new) for old, new in zip(before, (x, y, w, v), strict=True))


def test_an_unsolved_problem_is_an_error_and_not_a_number(device):
    cost = cost_matrix(normal(0, 50, 2, device=device), normal(1, 50, 2, device=device))
    with pytest.raises(RuntimeError, match="반복 3번 안에 풀지 못했다"):
        optimal_plan(cost, max_iterations=3)


@pytest.mark.parametrize("spoil", [lambda flow: flow * 0.5, np.flipud])
def test_a_wrong_answer_of_the_solver_is_noticed(device, monkeypatch, spoil):
    solve = ot.emd

    def wrong(*data, **knobs):
        flow, log = solve(*data, **knobs)
        return spoil(flow), log

    monkeypatch.setattr(ot, "emd", wrong)
    with pytest.raises(RuntimeError, match="cost: 답이 최적임을 확인하지 못했다"):
        optimal_plan(normal(0, 6, 6, device=device))


def test_wrong_prices_of_the_solver_are_mended(device, monkeypatch):
    cost, solve = normal(0, 6, 6, device=device), ot.emd
    expected = optimal_plan(cost).cost.item()

    def wrong(*data, **knobs):
        flow, log = solve(*data, **knobs)
        return flow, log | {"u": 2 * log["u"] + np.arange(6)}

    monkeypatch.setattr(ot, "emd", wrong)
    plan = optimal_plan(cost)
    assert plan.cost.item() == pytest.approx(expected, rel=1e-12)
    check_optimal(plan, cost, *(2 * [torch.full((6,), 1 / 6, dtype=torch.float64)]), 1e-9)


# --- 먼 점, 넓은 비용 ---

FAR = [[[1e7, 0.0]], [[1e7, 0.0], [-3e7, 1e7]], [[1e3, 0.0], [1e7, 0.0], [1e9, 0.0]], [[1e16, 0.0]]]


@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("p", [1.0, 2.0, 3.5, 4.0])
def test_far_points_shared_by_both_sides_change_nothing_else(device, kind, far, p):
    """먼 점은 제자리에 두면 되므로, 나머지의 거리(SciPy의 배정)에 질량의 비율만 곱한 값이다."""
    far = torch.tensor(far, device=device, dtype=kind)
    for seed in range(4):
        x, y = (normal(2 * seed + side, 20, 2, device=device).to(kind) for side in (0, 1))
        cost = scipy.spatial.distance.cdist(numpy(x), numpy(y)) ** p
        near = cost[scipy.optimize.linear_sum_assignment(cost)].sum() / (20 + len(far))
        ours = wasserstein(torch.cat([x, far]), torch.cat([far.flip(0), y]), p=p)
        assert ours.item() ** p == pytest.approx(near, rel=1e-11 if kind == torch.float64 else 2e-6)


@pytest.mark.parametrize("share", [0.1, 1 / 3, 1e-3])
@pytest.mark.parametrize("p", [1.0, 2.0, 4.0])
def test_far_points_with_weights_change_nothing_else(device, share, p):
    far = torch.tensor([[1e7, 0.0]], device=device, dtype=torch.float64)
    for seed in range(4):
        x, y = normal(seed, 25, 2, device=device), normal(seed + 9, 17, 2, device=device)
        a, b = masses(seed, 25, zeros=0.0).to(device), masses(seed + 9, 17, zeros=0.0).to(device)
        near = linear_program(scipy.spatial.distance.cdist(numpy(x), numpy(y)) ** p, numpy(a), numpy(b))
        w, v = (torch.cat([part * (1 - share), part.new_tensor([share])]) for part in (a, b))
        order = torch.randperm(26, generator=generator(seed)).to(device)
        ours = wasserstein(torch.cat([x, far])[order], torch.cat([y, far]), p=p, a=w[order], b=v)
        assert ours.item() ** p == pytest.approx((1 - share) * near, rel=1e-8)


def test_costs_of_thirty_two_digits_are_told_apart(device):
    """POT의 이슈 229: 쓸 일 없는 10³²짜리 경로가 있으면 단체법의 답이 최적이 아니다. 정수 격자의 답은 배정으로 센다."""
    cost = torch.tensor(
        [
            [2.50275352e02, 3.74653218e02, 2.41352736e03, 1e32, 1.51751540e-03],
            [2.13082030e02, 3.28812836e02, 2.29487946e03, 1e32, 1.37109800e-01],
            [1.97333083e02, 3.09175848e02, 2.24250550e03, 1e32, 2.46506283e00],
            [1e32, 1e32, 1e32, 5.26223432e00, 2.5e31],
            [3.84690152e01, 8.09465684e01, 3.33064175e02, 2.5e31, 0.0],
        ],
        device=device,
        dtype=torch.float64,
    )
    a = torch.tensor([0.125, 0.125, 0.125, 0.125, 0.5], device=device, dtype=torch.float64)
    copies = numpy(cost)[np.ix_([0, 1, 2, 3, 4, 4, 4, 4], [0, 1, 2, 3, 4, 4, 4, 4])]  # 가중치를 1/8짜리 점으로
    expected = copies[scipy.optimize.linear_sum_assignment(copies)].mean()
    plan = optimal_plan(cost, a, a)
    assert plan.cost.item() == pytest.approx(expected, rel=1e-12)
    assert (a @ plan.f + a @ plan.g).item() == pytest.approx(expected, rel=1e-8)  # 퍼텐셜도 그 값을 보인다


def test_a_little_mass_that_must_go_far_is_counted(device):
    # 질량 1e-6이 10¹²짜리 경로를 가야 한다. 나머지의 값 1과 함께 재어야 한다.
    cost = torch.tensor([[0.0, 3.0, 1e12], [1.0, 1.0, 1e12], [1e12, 1e12, 0.0]], device=device, dtype=torch.float64)
    a = torch.tensor([0.25, 0.25, 0.5], device=device, dtype=torch.float64)
    b = torch.tensor([0.25 - 1e-6, 0.25, 0.5 + 1e-6], device=device, dtype=torch.float64)
    expected = linear_program(numpy(cost) / 1e6, numpy(a), numpy(b)) * 1e6
    assert optimal_plan(cost, a, b).cost.item() == pytest.approx(expected, rel=1e-9)


def test_equal_distributions_are_at_distance_zero_in_any_order(device):
    for seed in range(5):
        x, w = normal(seed, 30, 2, device=device), masses(seed, 30, zeros=0.0).to(device)
        order = torch.randperm(30, generator=generator(seed)).to(device)
        tied = x[:, 0].round()
        for p in (1.0, 2.0, 10.0):
            assert wasserstein(x, x[order], p=p, a=w, b=w[order]).item() == 0
            assert wasserstein_1d(tied, tied[order], p=p, x_weights=w, y_weights=w[order]).item() == 0
        assert (potential_1d(tied, tied[order], x_weights=w, y_weights=w[order]).values == 0).all()
    tiny = torch.tensor([1.0 - 1e-12, 1e-12], device=device, dtype=torch.float64)
    ends = torch.tensor([0.0, 1e7], device=device, dtype=torch.float64)
    assert wasserstein_1d(ends, 0 * ends, x_weights=tiny).item() == pytest.approx(
        1e-5, rel=1e-4
    )  # 일부러 준 적은 가중치는 센다
    assert wasserstein(ends[:, None], 0 * ends[:, None], a=tiny).item() == pytest.approx(1e-5, rel=1e-4)


# --- 큰 지수, 큰 수, 작은 수 ---


@pytest.mark.parametrize("p", [200.0, 540.0, 3000.0, 1e5])
def test_a_large_order_neither_overflows_nor_vanishes(device, p):
    x = torch.tensor([1.0, 2.0, 3.0, 54.0], device=device, dtype=torch.float64).requires_grad_()
    y = torch.tensor([1.0, 2.0, 3.0, 4.0], device=device, dtype=torch.float64)
    far = torch.tensor([1e7], device=device, dtype=torch.float64)
    for value, count in (
        (wasserstein_1d(x, y, p=p), 4),
        (wasserstein(x[:, None], y[:, None], p=p), 4),
        (sliced_wasserstein(x[:, None], y[:, None], p=p, generator=None), 4),
        (wasserstein(torch.cat([x, far])[:, None], torch.cat([far, y])[:, None], p=p), 5),
        (wasserstein_1d(x, torch.cat([y, y]), p=p), 4),
    ):
        assert value.item() == pytest.approx(50 * count ** (-1 / p), rel=1e-12)
        (slope,) = torch.autograd.grad(value, x)
        assert slope.cpu().tolist() == pytest.approx([0, 0, 0, count ** (-1 / p)], rel=1e-9)


def test_an_order_that_cannot_be_resolved_is_an_error_and_not_a_number(device, monkeypatch):
    monkeypatch.setattr(module, "_ROUNDS", 1)
    x = torch.tensor([[1.0], [2.0], [1e7]], device=device, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="p: 거리의 540제곱이 너무 넓게 퍼져"):
        wasserstein(x, x.flip(0) + torch.tensor([[0.0], [0.5], [0.0]], device=device, dtype=torch.float64), p=540)


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 2.0**-100, 2.0**100, 1e150, 1e300])
def test_distances_scale_with_the_unit_of_the_points(device, scale):
    x, y = normal(0, 9, 2, device=device), normal(1, 7, 2, device=device)
    for p in (1.0, 2.0, 3.0):
        for function in (
            lambda x, y, p=p: wasserstein(x, y, p=p),
            lambda x, y, p=p: wasserstein_1d(x.T, y.T, p=p),
            lambda x, y, p=p: sliced_wasserstein(x, y, p=p, generator=generator(0)),
            lambda x, y, p=p: cost_matrix(x, y),
        ):
            torch.testing.assert_close(function(scale * x, scale * y) / scale, function(x, y), rtol=1e-13, atol=0)
    if scale in (2.0**-100, 2.0**100):
        narrow = cost_matrix((scale * x).float(), (scale * y).float())
        torch.testing.assert_close(narrow.double() / scale, cost_matrix(x.float().double(), y.float().double()))


def test_one_point_beyond_the_squares_leaves_the_others_exact(device):
    x, y = normal(0, 5, 2, device=device), normal(1, 4, 2, device=device)
    for kind, far in ((torch.float64, 1e200), (torch.float32, 1e30)):
        points = torch.cat([x, x.new_tensor([[far, 0.0]])]).to(kind).requires_grad_()
        cost = cost_matrix(points, y.to(kind))
        (slope,) = torch.autograd.grad(cost.sum(), points)
        plain = x.to(kind).requires_grad_()
        (expected,) = torch.autograd.grad(cost_matrix(plain, y.to(kind)).sum(), plain)
        torch.testing.assert_close(cost[:5], cost_matrix(plain, y.to(kind)))
        torch.testing.assert_close(slope[:5], expected)
        assert cost[5].tolist() == pytest.approx([far] * 4)


# --- torch.func ---


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", ["plane", "line", "weighted", "plan"])
def test_the_transforms_equal_the_loop_and_second_derivatives_are_right(device, name, p):
    functions = {
        "plane": lambda x, y, a: wasserstein(x, y, p=p, a=a),
        "line": lambda x, y, a: wasserstein_1d(x[:, 0], x[:, 1], p=p),
        "weighted": lambda x, y, a: wasserstein_1d(x[:, 0], y[:, 0], p=p, x_weights=a),
        "plan": lambda x, y, a: optimal_plan((x[:, None] - y).square().sum(-1) ** (p / 2), a).cost,
    }
    function = functions[name]
    x, y, a = normal(0, 3, 6, 2, device=device), normal(1, 3, 5, 2, device=device), masses(2, 3, 6).to(device)

    def slope(x, y, a):
        x = x.clone().requires_grad_()
        return torch.autograd.grad(function(x, y, a), x)[0]

    triples = list(zip(x, y, a, strict=True))
    values, slopes = (torch.stack([part(*triple) for triple in triples]) for part in (function, slope))
    torch.testing.assert_close(torch.func.vmap(function)(x, y, a), values)
    moved = torch.func.vmap(function, in_dims=(2, 1, 0))(x.movedim(0, 2), y.movedim(0, 1), a)
    torch.testing.assert_close(moved, values)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(function))(x, y, a), slopes)
    way = normal(3, 6, 2, device=device)
    _, tangent = torch.func.jvp(lambda x: function(x, y[0], a[0]), (x[0],), (way,))
    torch.testing.assert_close(tangent, (slopes[0] * way).sum())
    turned = torch.func.hessian(lambda x: function(x, y[0], a[0]))(x[0]).view(12, 12) @ way.flatten()
    step = 1e-5
    expected = (slope(x[0] + step * way, y[0], a[0]) - slope(x[0] - step * way, y[0], a[0])) / (2 * step)
    torch.testing.assert_close(turned, expected.flatten(), atol=1e-6, rtol=1e-5)


def test_where_pairs_meet_the_second_derivative_is_still_right(device):
    """W₂² = Σ|x − y|²/n의 헤세 행렬은 겹친 쌍에서도 2I/n이다."""
    x = normal(0, 4, 1, device=device)
    y = x + torch.tensor([[0.0], [0.0], [1e-3], [2e-3]], device=device, dtype=torch.float64)
    for function in (
        lambda x: wasserstein(x[:, None], y, p=2.0) ** 2,
        lambda x: wasserstein_1d(x, y[:, 0], p=2.0) ** 2,
    ):
        hessian = torch.autograd.functional.hessian(function, x[:, 0])
        torch.testing.assert_close(hessian, torch.eye(4, device=device, dtype=torch.float64) / 2)


# --- c-변환 ---


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES)
def test_the_c_transform_is_the_largest_feasible_partner(device, seed, n, m):
    cost, f = normal(seed, n, m, device=device), normal(seed + 1, n, device=device)
    g = c_transform(f, cost)
    slack = cost - f[:, None] - g
    assert slack.min().item() >= -1e-14
    assert (slack.amin(0).abs() <= 1e-14).all()  # 어느 j에서도 더 키울 수 없다
    twice = c_transform(g, cost.T)
    assert (twice >= f - 1e-14).all()
    torch.testing.assert_close(c_transform(twice, cost), g, atol=1e-14, rtol=0)  # f^ccc = f^c


def test_the_c_transform_differentiates_and_follows_the_dtype(device):
    f, cost = normal(0, 4, device=device).requires_grad_(), normal(1, 4, 3, device=device).requires_grad_()
    assert torch.autograd.gradcheck(c_transform, (f, cost))
    for kind in ROUNDING:
        assert c_transform(f.to(kind), cost.to(kind)).dtype == kind


# --- 정확한 거리 ---


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, d=st.integers(1, 4), p=ORDERS)
def test_the_distance_agrees_with_pot(device, *, seed, n, m, d, p):
    x, y, a, b = normal(seed, n, d), normal(seed + 1, m, d), masses(seed, n), masses(seed + 1, m)
    ours = wasserstein(x.to(device), y.to(device), p=p, a=a.to(device), b=b.to(device))
    cost = scipy.spatial.distance.cdist(x, y) ** p
    assert ours.item() ** p == pytest.approx(ot.emd2(a.numpy(), b.numpy(), cost), rel=1e-10, abs=1e-10)
    plain = wasserstein(x.to(device), y.to(device), p=p)
    assert plain.item() ** p == pytest.approx(ot.emd2([], [], cost), rel=1e-10, abs=1e-10)


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, p=ORDERS)
def test_on_the_line_sorting_is_the_exact_answer(device, seed, n, m, p):
    x, y = normal(seed, n, device=device), normal(seed + 1, m, device=device)
    a, b = masses(seed, n).to(device), masses(seed + 1, m).to(device)
    exact = wasserstein(x[:, None], y[:, None], p=p, a=a, b=b)
    torch.testing.assert_close(wasserstein_1d(x, y, p=p, x_weights=a, y_weights=b), exact, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(wasserstein_1d(x, y, p=p), wasserstein(x[:, None], y[:, None], p=p))


@EXAMPLES
@given(seed=SEEDS, sizes=st.tuples(SIZES, SIZES, SIZES), d=st.integers(1, 3), p=ORDERS, factor=st.floats(0.01, 100))
def test_it_is_a_distance_and_moves_with_the_points(device, *, seed, sizes, d, p, factor):
    x, y, z = (normal(seed + i, n, d, device=device) for i, n in enumerate(sizes))
    xy, yz, xz = (wasserstein(*pair, p=p).item() for pair in ((x, y), (y, z), (x, z)))
    assert wasserstein(x, x.flip(0), p=p).item() == 0
    assert wasserstein(y, x, p=p).item() == pytest.approx(xy, rel=1e-12)
    assert xz <= xy + yz + 1e-12
    shift = torch.arange(1.0, d + 1, device=device, dtype=torch.float64)
    assert wasserstein(x, x + shift, p=p).item() == pytest.approx(shift.norm().item(), rel=1e-12)
    assert wasserstein(factor * x, factor * y, p=p).item() == pytest.approx(factor * xy, rel=1e-12)
    assert wasserstein(x + shift, y + shift, p=p).item() == pytest.approx(xy, rel=1e-9)
    assert wasserstein(x, y).item() <= xy + 1e-12  # W_1 ≤ W_p
    rotation = torch.linalg.qr(normal(seed, d, d)).Q.to(device)
    assert wasserstein(x @ rotation, y @ rotation, p=p).item() == pytest.approx(xy, rel=1e-9)


def test_two_gaussian_clouds_approach_the_closed_form(device):
    """W_2²(N(0, I), N(μ, s²I)) = |μ|² + d (s − 1)²."""
    x, y = normal(0, 700, 2, device=device), 2 * normal(1, 700, 2, device=device) + 3
    assert wasserstein(x, y, p=2.0).item() ** 2 == pytest.approx(2 * 9 + 2, rel=0.05)


def test_the_distance_differentiates_in_the_points(device):
    x, y = normal(0, 5, 2, device=device).requires_grad_(), normal(1, 4, 2, device=device).requires_grad_()
    for p in (1.0, 1.5, 2.0):
        assert torch.autograd.gradcheck(lambda x, y, p=p: wasserstein(x, y, p=p), (x, y))
        (grad,) = torch.autograd.grad(wasserstein(x, x.detach(), p=p), x)
        assert torch.equal(grad, torch.zeros_like(grad))


@pytest.mark.parametrize("kind", ROUNDING)
def test_the_distances_follow_the_dtype_with_one_rounding(device, kind):
    x, y = normal(0, 30, 2, device=device).to(kind), normal(1, 30, 2, device=device).to(kind)
    w, first = masses(2, 30).to(device, kind), (x[:, 0], y[:, 0])

    def sliced(points, others):
        return sliced_wasserstein(points, others, p=p, projections=8, generator=generator(0))

    def weighted(points, others):
        return wasserstein_1d(points, others, p=p, x_weights=w)

    for p in (1.0, 2.0, 8.0):
        for name, ours, truth, slack in (
            ("plane", wasserstein(x, y, p=p), wasserstein(x.double(), y.double(), p=p), 1),
            ("line", wasserstein_1d(x.T, y.T, p=p), wasserstein_1d(x.T.double(), y.T.double(), p=p), 1),
            ("weighted", weighted(*first), weighted(*(part.double() for part in first)), 1),
            ("sliced", sliced(x, y), sliced(x.double(), y.double()), 3),
        ):
            assert ours.dtype == kind, name
            torch.testing.assert_close(ours.double(), truth.double(), rtol=slack * ROUNDING[kind], atol=0)


# --- 수직선 위의 거리 ---


@EXAMPLES
@given(seed=SEEDS, n=st.integers(1, 60), m=st.integers(1, 60), ties=st.booleans())
def test_the_line_agrees_with_scipy_and_pot(device, seed, n, m, ties):
    x, y = normal(seed, n), normal(seed + 1, m)
    if ties:
        x, y = x.round(), y.round()
    a, b = 3 * masses(seed, n), 3 * masses(seed + 1, m)
    for w, v in ((None, None), (a, b), (a, None), (None, b)):
        weights = [None if part is None else part.to(device) for part in (w, v)]
        plain = [None if part is None else part.numpy() for part in (w, v)]
        ours = wasserstein_1d(x.to(device), y.to(device), x_weights=weights[0], y_weights=weights[1])
        expected = scipy.stats.wasserstein_distance(x.numpy(), y.numpy(), *plain)
        assert ours.item() == pytest.approx(expected, rel=1e-12, abs=1e-14)
        normal_plain = [None if part is None else part / part.sum() for part in plain]
        for p in (2.0, 3.0):
            ours = wasserstein_1d(x.to(device), y.to(device), p=p, x_weights=weights[0], y_weights=weights[1])
            pot = ot.wasserstein_1d(x.numpy()[:, None], y.numpy()[:, None], *(
                None if part is None else part[:, None] for part in normal_plain
            ), p=p)[0]  # fmt: skip
            assert ours.item() ** p == pytest.approx(pot, rel=1e-10, abs=1e-12)


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, p=ORDERS, c=st.floats(-50, 50), factor=FACTORS)
def test_the_line_has_the_properties_of_a_distance(device, *, seed, n, m, p, c, factor):
    x, y, z = (normal(seed + i, k, device=device) for i, k in enumerate((n, m, n)))
    w, v = masses(seed, n).to(device), masses(seed + 1, m).to(device)
    xy = wasserstein_1d(x, y, p=p, x_weights=w, y_weights=v).item()
    assert wasserstein_1d(x, x.flip(0), p=p).item() == 0
    assert wasserstein_1d(x, x, p=p, x_weights=w, y_weights=w).item() == 0
    assert wasserstein_1d(y, x, p=p, x_weights=v, y_weights=w).item() == pytest.approx(xy, rel=1e-10)
    assert wasserstein_1d(x, x + c, p=p, x_weights=w, y_weights=w).item() == pytest.approx(abs(c), abs=1e-12)
    scaled = wasserstein_1d(factor * x, factor * y, p=p, x_weights=w, y_weights=v).item()
    assert scaled == pytest.approx(abs(factor) * xy, rel=1e-10, abs=1e-200)
    order = torch.randperm(n, generator=generator(seed)).to(device)
    shuffled = wasserstein_1d(x[order], y, p=p, x_weights=w[order], y_weights=v).item()
    assert shuffled == pytest.approx(xy, rel=1e-10)
    rest = wasserstein_1d(y, z, p=p, x_weights=v).item() + wasserstein_1d(z, x, p=p, y_weights=w).item()
    assert xy <= rest + 1e-12
    half = wasserstein_1d(x.repeat(2), y, p=p, x_weights=torch.cat([w, w]) / 2, y_weights=v).item()
    assert half == pytest.approx(xy, rel=1e-6, abs=1e-6)  # 가중치를 나누어도 같은 분포다


def test_leading_axes_are_separate_problems(device):
    x, y = normal(0, 2, 3, 10, device=device), normal(1, 2, 3, 7, device=device)
    w, v = masses(2, 2, 3, 10).to(device), masses(3, 2, 3, 7).to(device)
    whole = wasserstein_1d(x, y, p=2.0, x_weights=w, y_weights=v)
    assert whole.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            one = wasserstein_1d(x[i, j], y[i, j], p=2.0, x_weights=w[i, j], y_weights=v[i, j])
            torch.testing.assert_close(whole[i, j], one, rtol=1e-13, atol=0)
    same = wasserstein_1d(x, x.flip(0))
    torch.testing.assert_close(same[0, 1], wasserstein_1d(x[0, 1], x[1, 1]))


def test_a_million_samples_agree_with_scipy(device):
    x, y = normal(0, 10**6), normal(1, 10**6) * 1.5 + 0.3
    expected = scipy.stats.wasserstein_distance(x.numpy(), y.numpy())
    assert wasserstein_1d(x.to(device), y.to(device)).item() == pytest.approx(expected, rel=1e-12)
    single = wasserstein_1d(x.to(device, torch.float32), y.to(device, torch.float32))
    assert single.item() == pytest.approx(expected, rel=2e-7)
    weighted = wasserstein_1d(x.to(device), y[:900_000].to(device))
    expected = scipy.stats.wasserstein_distance(x.numpy(), y[:900_000].numpy())
    assert weighted.item() == pytest.approx(expected, rel=1e-12)


def test_the_line_differentiates_in_samples_and_weights(device):
    x, y, z = (normal(seed, k, device=device).requires_grad_() for seed, k in ((0, 5), (1, 4), (2, 5)))
    w, v = (rand(k, generator=generator(k), dtype=torch.float64).to(device) + 0.5 for k in (5, 4))
    for p in (1.0, 1.5, 2.0):
        assert torch.autograd.gradcheck(lambda x, z, p=p: wasserstein_1d(x, z, p=p), (x, z))
        assert torch.autograd.gradcheck(lambda x, y, p=p: wasserstein_1d(x, y, p=p), (x, y))

        def weighted(x, w, p=p):
            return wasserstein_1d(x, y.detach(), p=p, x_weights=w)

        assert torch.autograd.gradcheck(weighted, (x, w.requires_grad_()))

        def both(w, v, p=p):
            weights = {"x_weights": w / w.sum(), "y_weights": v / v.sum()}
            return wasserstein_1d(x.detach(), y.detach(), p=p, **weights)

        assert torch.autograd.gradcheck(both, (w, v.requires_grad_()))
        (grad,) = torch.autograd.grad(wasserstein_1d(x, x.detach(), p=p), x)
        assert torch.equal(grad, torch.zeros_like(grad))


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch가 스스로 부른다
def test_forward_mode_reaches_the_line_too(device):
    x, y = normal(0, 6, device=device), normal(1, 6, device=device)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, torch.ones_like(x))
        tangents = [forward_ad.unpack_dual(wasserstein_1d(dual, other, p=2.0)).tangent for other in (y, y[:4])]
    for tangent, other in zip(tangents, (y, y[:4]), strict=True):
        moved = [wasserstein_1d(x + step, other, p=2.0) for step in (1e-5, -1e-5)]
        torch.testing.assert_close(tangent, (moved[0] - moved[1]) / 2e-5, rtol=1e-6, atol=1e-9)


# --- 퍼텐셜 ---


def expectation(potential, samples, weights):
    """점마다의 값을 가중치로 평균한다. 점은 빠짐없이 들어 있다."""
    at = torch.searchsorted(potential.points, samples)
    assert torch.equal(potential.points[at], samples)
    return (potential.values[at] * weights).sum() / weights.sum()


@EXAMPLES
@given(seed=SEEDS, n=st.integers(1, 60), m=st.integers(1, 60), ties=st.booleans())
def test_the_potential_closes_the_gap(device, seed, n, m, ties):
    x, y = normal(seed, n, device=device), normal(seed + 1, m, device=device)
    if ties:
        x, y = x.round(), y.round()
    a, b = masses(seed, n).to(device), masses(seed + 1, m).to(device)
    for w, v in ((None, None), (a, b)):
        potential = potential_1d(x, y, x_weights=w, y_weights=v)
        assert isinstance(potential, Potential)
        assert potential.points.shape == (n + m,)
        assert potential.values[0].item() == 0
        rise, run = potential.values.diff().abs(), potential.points.diff()
        assert (run >= 0).all()
        assert (rise <= run + 4e-16 * potential.values.abs().max()).all()
        used = [torch.ones_like(part) if mass is None else mass for part, mass in ((x, w), (y, v))]
        gain = expectation(potential, x, used[0]) - expectation(potential, y, used[1])
        primal = wasserstein_1d(x, y, x_weights=w, y_weights=v)
        scale = (potential.points[-1] - potential.points[0]).item()
        assert gain.item() == pytest.approx(primal.item(), abs=1e-14 * max(scale, 1e-300))


def test_any_other_lipschitz_function_gains_less(device):
    x, y = normal(0, 50, device=device), 0.5 * normal(1, 40, device=device) + 0.2
    most = wasserstein_1d(x, y).item()
    for function in (torch.sin, torch.cos, torch.abs, torch.tanh, torch.clone):
        assert (function(x).mean() - function(y).mean()).abs().item() <= most + 1e-14


def test_the_potential_of_equal_samples_is_flat_and_of_a_shift_is_a_slope(device):
    x = normal(0, 50, device=device)
    flat = potential_1d(x, x.flip(0))
    assert torch.equal(flat.values, torch.zeros_like(flat.values))
    slope = potential_1d(x + 10, x)
    inside = slope.points.diff() > 0
    assert (slope.values.diff()[inside] / slope.points.diff()[inside]).cpu().numpy() == pytest.approx(1)


@pytest.mark.parametrize("kind", ROUNDING)
def test_the_potential_follows_the_dtype(device, kind):
    x, y = normal(0, 20, device=device).to(kind), normal(1, 30, device=device).to(kind)
    narrow, wide = potential_1d(x, y), potential_1d(x.double(), y.double())
    assert narrow.points.dtype == narrow.values.dtype == kind
    torch.testing.assert_close(narrow.values.double(), wide.values, atol=ROUNDING[kind], rtol=ROUNDING[kind])


# --- 조각 거리 ---


@EXAMPLES
@given(seed=SEEDS, n=SIZES, m=SIZES, d=st.integers(1, 4), p=ORDERS)
def test_slices_agree_with_pot_on_the_same_directions(device, *, seed, n, m, d, p):
    x, y = normal(seed, n, d), normal(seed + 1, m, d)
    ours = sliced_wasserstein(x.to(device), y.to(device), p=p, projections=16, generator=generator(seed))
    theta = normal(seed, 16, d)
    theta = theta / theta.norm(dim=1, keepdim=True)
    pot = ot.sliced_wasserstein_distance(x.numpy(), y.numpy(), p=p, projections=theta.T.numpy())
    assert ours.item() == pytest.approx(pot, rel=1e-9, abs=1e-9)
    assert ours.item() <= wasserstein(x, y, p=p).item() * (1 + 1e-12)  # 그림자는 가까워질 뿐이다
    if d == 1:
        line = wasserstein_1d(x[:, 0], y[:, 0], p=p).item()
        assert ours.item() == pytest.approx(line, rel=1e-12)


def test_the_slices_of_a_shift_have_a_closed_form(device):
    """SW_p(P, P + c)^p = E|⟨θ, c⟩|^p: 평면에서 p = 1이면 2|c|/π, p = 2이면 |c|²/d."""
    x = normal(0, 20, 2, device=device)
    shift = torch.tensor([3.0, 4.0], device=device, dtype=torch.float64)
    first = sliced_wasserstein(x, x + shift, projections=20_000, generator=generator(1))
    second = sliced_wasserstein(x, x + shift, p=2.0, projections=20_000, generator=generator(1))
    assert first.item() == pytest.approx(2 * 5 / math.pi, rel=0.01)
    assert second.item() == pytest.approx(5 / math.sqrt(2), rel=0.01)


def test_the_same_generator_gives_the_same_slices(device):
    x, y = normal(0, 20, 3, device=device), normal(1, 20, 3, device=device)
    first, again, other = (sliced_wasserstein(x, y, generator=generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert sliced_wasserstein(x, x.flip(0), p=2.0, generator=None).item() <= 1e-15  # 곱셈의 순서가 다를 수 있다
    assert sliced_wasserstein(x, x, p=2.0, generator=None).item() == 0


def test_slices_differentiate(device):
    x, y = normal(0, 5, 3, device=device).requires_grad_(), normal(1, 4, 3, device=device).requires_grad_()
    for p in (1.0, 2.0):
        assert torch.autograd.gradcheck(
            lambda x, y, p=p: sliced_wasserstein(x, y, p=p, projections=5, generator=generator(0)), (x, y)
        )


def test_the_plan_has_its_four_parts(device):
    plan = optimal_plan(torch.tensor([[0.0, 1.0], [1.0, 0.0]], device=device))
    assert isinstance(plan, Plan)
    assert torch.equal(plan.coupling, torch.eye(2, device=device) / 2)
    assert plan.cost.item() == 0
    assert (plan.f + plan.g).tolist() == [0, 0]


# --- 틀린 입력 ---


class NoQuantile(Normal):
    def icdf(self, value):
        raise NotImplementedError


def line(**changes):
    data = {"x": torch.zeros(3), "y": torch.ones(4)} | changes
    return wasserstein_1d(data.pop("x"), data.pop("y"), **data)


def plane(function=wasserstein, **changes):
    data = {"x": torch.zeros(3, 2), "y": 2 * torch.ones(4, 2)} | changes
    return function(data.pop("x"), data.pop("y"), **data)


def sliced(**changes):
    return plane(sliced_wasserstein, **({"generator": None} | changes))


def program(**changes):
    data = {"cost": torch.ones(2, 3), "a": None, "b": None} | changes
    return optimal_plan(data.pop("cost"), data.pop("a"), data.pop("b"), **data)


def draw(**changes):
    data = {"p": Normal(0.0, 1.0), "q": Uniform(0.0, 1.0), "n": 3, "correlation": 0.0, "generator": None} | changes
    return sample_coupling(data.pop("p"), data.pop("q"), data.pop("n"), **data)


def transform(**changes):
    data = {"potential": torch.zeros(2), "cost": torch.zeros(2, 3)} | changes
    return c_transform(**data)


def dual(**changes):
    data = {"x": torch.zeros(3), "y": torch.ones(4)} | changes
    return potential_1d(data.pop("x"), data.pop("y"), **data)


META = torch.device("meta")
NAN, INF = math.nan, math.inf


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "changes", "kind", "message"),
    [
        (draw, {"p": 0.0}, TypeError, "p: torch의 분포여야 하는데 float"),
        (draw, {"q": Beta(1.0, 2.0)}, ValueError, "q: 분위수 함수 icdf가 있는 분포여야 하는데 Beta"),
        (draw, {"p": Gamma(1.0, 2.0)}, ValueError, "p: 분위수 함수 icdf"),
        (draw, {"p": NoQuantile(0.0, 1.0)}, ValueError, "p: 분위수 함수 icdf.* NoQuantile"),
        (draw, {"p": Normal(torch.zeros(3), 1.0)}, ValueError, r"p: 실수 하나를 내는 분포여야 하는데 Normal.*\(3,\)"),
        (draw, {"q": Independent(Normal(torch.zeros(3), 1.0), 1)}, ValueError, r"q: 실수 하나.*\(3,\)"),
        (draw, {"n": 0}, ValueError, "n: 1 이상의 정수여야 하는데 0"),
        (draw, {"n": 2.0}, TypeError, "n: 정수여야 하는데 float"),
        (draw, {"correlation": 1.01}, ValueError, r"correlation: \[-1, 1\] 안의 값이어야 하는데 1.01"),
        (draw, {"correlation": -2}, ValueError, "correlation"),
        (draw, {"correlation": NAN}, ValueError, "correlation.*nan"),
        (draw, {"correlation": torch.tensor(0.0)}, TypeError, "correlation: 수여야 하는데 Tensor"),
        (plane, {"x": [[0.0]]}, TypeError, "x: 텐서여야"),
        (plane, {"x": torch.zeros(3)}, ValueError, "x: 축의 수가 2이어야"),
        (plane, {"y": torch.zeros(4, 2, dtype=torch.int64)}, ValueError, "y: 실수형이어야"),
        (plane, {"y": torch.zeros(4, 3)}, ValueError, r"y: 모양이 \(4, 2\)이어야 하는데 \(4, 3\)"),
        (plane, {"x": torch.zeros(0, 2)}, ValueError, "x: 원소가 하나 이상"),
        (plane, {"y": torch.full((4, 2), NAN)}, ValueError, "y: .*nan"),
        (plane, {"y": torch.full((4, 2), INF)}, ValueError, "y: 유한한 값이어야 하는데"),
        (plane, {"y": torch.ones(4, 2, device=META)}, ValueError, "y: 장치가 cpu여야 하는데 meta"),
        (plane, {"p": 0.5}, ValueError, "p: 1 이상의 유한한 값이어야 하는데 0.5"),
        (plane, {"p": INF}, ValueError, "p: 1 이상의 유한한 값이어야 하는데 inf"),
        (plane, {"p": "2"}, TypeError, "p: 수여야 하는데 str"),
        (plane, {"a": torch.ones(3)}, ValueError, "a: dim=0의 합이 1이어야 하는데 3"),
        (plane, {"a": torch.zeros(3)}, ValueError, "a: dim=0의 합이 1이어야 하는데 0"),
        (plane, {"b": torch.ones(3) / 3}, ValueError, r"b: 모양이 \(4,\)이어야"),
        (plane, {"function": cost_matrix, "y": torch.zeros(4, 3)}, ValueError, "y: 모양이"),
        (plane, {"function": cost_matrix, "p": 0.9}, ValueError, "p: 1 이상"),
        (plane, {"function": cost_matrix, "p": 540}, ValueError, "x, y: 거리의 540제곱이 torch.float32로 표현되어야"),
        (
            plane,
            {"y": torch.full((4, 2), 1.7e308, dtype=torch.float64)},
            ValueError,
            "x, y: 점 사이의 거리가 float64로",
        ),
        (program, {"cost": [[1.0]]}, TypeError, "cost: 텐서여야"),
        (program, {"cost": torch.ones(3)}, ValueError, "cost: 축의 수가 2"),
        (program, {"cost": torch.ones(0, 3)}, ValueError, "cost: 원소가 하나 이상"),
        (program, {"cost": torch.tensor([[INF, 1.0]])}, ValueError, "cost: 유한한 값이어야 하는데 최댓값이 inf"),
        (program, {"cost": torch.tensor([[NAN, 1.0]])}, ValueError, "cost: .*nan"),
        (program, {"cost": torch.ones(2, 3, dtype=torch.int64)}, ValueError, "cost: 실수형"),
        (program, {"a": torch.tensor([1.5, -0.5])}, ValueError, "a: 0 이상의 유한한 값이어야 하는데 최솟값이 -0.5"),
        (program, {"a": torch.tensor([0.5, 0.4])}, ValueError, "a: dim=0의 합이 1이어야 하는데 0.9"),
        (program, {"a": torch.tensor([NAN, 1.0])}, ValueError, "a: .*nan"),
        (program, {"b": [0.2, 0.3, 0.5]}, TypeError, "b: 텐서여야"),
        (program, {"b": torch.ones(2) / 2}, ValueError, r"b: 모양이 \(3,\)이어야 하는데 \(2,\)"),
        (program, {"b": torch.ones(3, device=META)}, ValueError, "b: 장치가 cpu여야 하는데 meta"),
        (program, {"b": torch.ones(3, dtype=torch.int64)}, ValueError, "b: 실수형"),
        (program, {"max_iterations": 0}, ValueError, "max_iterations: 1 이상"),
        (transform, {"potential": torch.zeros(3)}, ValueError, r"potential: 모양이 \(2,\)이어야"),
        (transform, {"potential": torch.full((2,), INF)}, ValueError, "potential: 유한한"),
        (transform, {"potential": torch.zeros(2, device=META)}, ValueError, "potential: 장치가 cpu"),
        (transform, {"potential": 0.0}, TypeError, "potential: 텐서"),
        (transform, {"cost": torch.zeros(2)}, ValueError, "cost: 축의 수가 2"),
        (transform, {"cost": torch.zeros(2, 0)}, ValueError, "cost: 원소가 하나 이상"),
        (line, {"x": 1.0}, TypeError, "x: 텐서"),
        (line, {"x": torch.tensor(1.0)}, ValueError, "x: 축의 수가 1 이상"),
        (line, {"x": torch.zeros(0)}, ValueError, "x: 원소가 하나 이상"),
        (line, {"y": torch.zeros(0)}, ValueError, "y: 원소가 하나 이상"),
        (line, {"y": torch.zeros(2, 3)}, ValueError, r"y: 모양이 \(3,\)이어야 하는데 \(2, 3\)"),
        (line, {"x": torch.zeros(3, dtype=torch.int64)}, ValueError, "x: 실수형"),
        (line, {"x": torch.tensor([0.0, NAN, 1.0])}, ValueError, "x: .*nan"),
        (line, {"y": torch.tensor([0.0, -INF])}, ValueError, "y: 유한한 값이어야 하는데 최솟값이 -inf"),
        (line, {"y": torch.ones(4, device=META)}, ValueError, "y: 장치가 cpu여야 하는데 meta"),
        (line, {"p": 0.0}, ValueError, "p: 1 이상"),
        (line, {"x_weights": torch.tensor([1.0, -1.0, 1.0])}, ValueError, "x_weights: 0 이상의 유한한.*-1"),
        (line, {"x_weights": torch.zeros(3)}, ValueError, "x_weights의 합: 0보다 큰 유한한 값이어야 하는데 최솟값이 0"),
        (line, {"y_weights": torch.ones(3)}, ValueError, r"y_weights: 모양이 \(4,\)이어야 하는데 \(3,\)"),
        (line, {"y_weights": torch.full((4,), NAN)}, ValueError, "y_weights: .*nan"),
        (line, {"y_weights": torch.ones(4, device=META)}, ValueError, "y_weights: 장치가 cpu"),
        (line, {"y_weights": [1.0] * 4}, TypeError, "y_weights: 텐서"),
        (line, {"x_weights": torch.ones(3, dtype=torch.int64)}, ValueError, "x_weights: 실수형"),
        (
            line,
            {"x_weights": torch.ones(3), "y_weights": torch.ones(4)},
            ValueError,
            "x_weights, y_weights: 합이 서로 같아야 하는데 3 대 4이다",
        ),
        (
            line,
            {
                "x": torch.zeros(2, 1),
                "y": torch.zeros(2, 1),
                "x_weights": torch.tensor([[1.0], [2.0]]),
                "y_weights": torch.tensor([[1.0], [2.1]]),
            },
            ValueError,
            "합이 서로 같아야 하는데 2 대 2.1이다",
        ),
        (dual, {"x": torch.zeros(2, 3)}, ValueError, "x: 축의 수가 1이어야"),
        (dual, {"x": 3.0}, TypeError, "x: 텐서"),
        (dual, {"y": torch.tensor([NAN])}, ValueError, "y: .*nan"),
        (dual, {"x_weights": torch.zeros(3)}, ValueError, "x_weights의 합"),
        (sliced, {"projections": 0}, ValueError, "projections: 1 이상의 정수여야 하는데 0"),
        (sliced, {"projections": 1.5}, TypeError, "projections: 정수"),
        (sliced, {"p": 0.5}, ValueError, "p: 1 이상"),
        (sliced, {"y": torch.zeros(4, 3)}, ValueError, "y: 모양이"),
        (sliced, {"x": torch.full((3, 2), NAN)}, ValueError, "x: .*nan"),
    ],
)
def test_bad_input_is_named(call, changes, kind, message):
    with pytest.raises(kind, match=message):
        call(**changes)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("half_width", "coupling", "kind", "message"),
    [
        (0.0, "comonotone", ValueError, "half_width: 0보다 큰 유한한 값이어야 하는데 0"),
        (-1.0, "independent", ValueError, "half_width"),
        (NAN, "independent", ValueError, "half_width.*nan"),
        (INF, "independent", ValueError, "half_width.*inf"),
        ("1", "independent", TypeError, "half_width: 수여야"),
        (1.0, "antitone", ValueError, "coupling: 'comonotone', .*'antitone'"),
    ],
)
def test_bad_closed_forms_are_named(half_width, coupling, kind, message):
    with pytest.raises(kind, match=message):
        normal_uniform_distance(half_width, coupling=coupling)
