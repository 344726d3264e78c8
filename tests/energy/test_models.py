"""기준값: SciPy의 적분·밀도·베셀 함수, torch.distributions의 가우스 분포, 자동 미분의 수치 확인."""

import math
from functools import partial

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mgk_docs_src.data import eight_gaussians, eight_gaussians_log_density
from mgk_docs_src.energy.models import (
    Gradient,
    Grid,
    banana,
    boltzmann,
    double_well,
    evaluate,
    gradient,
    grid,
    log_density,
    log_partition,
    negative_log_likelihood,
    phase_gap,
    quadratic,
    quadratic_log_partition,
)
from mgk_docs_src.networks import forward, initial
from mgk_docs_src.random import generator, rand, randn

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-12, "rtol": 1e-12}
WIDE = torch.float64


def ring(x):
    return -eight_gaussians_log_density(x)


def covariance(d, rho=0.6, device=None, kind=WIDE):
    place = torch.arange(d, device=device)
    return (rho ** (place[:, None] - place).abs()).to(kind)


def precision(d, device, kind=WIDE):
    return torch.linalg.inv(covariance(d)).to(device, kind)


def energies_of(device):
    """이름마다 에너지와, 그것이 사는 차원."""
    return {
        "quadratic": (partial(quadratic, precision=precision(3, device)), 3),
        "double_well": (double_well, 3),
        "banana": (banana, 2),
        "ring": (ring, 2),
    }


def seeds_energy(device, seeds=3, dims=2, kind=WIDE):
    networks = initial((dims, 8, 1), [generator(seed) for seed in range(seeds)], device=device, dtype=kind)
    return networks, lambda x: forward(networks, x).squeeze(-1) + x.square().sum(-1)


# --- 에너지와 기울기 ---


@pytest.mark.parametrize("name", ["quadratic", "double_well", "banana", "ring"])
def test_every_energy_gives_one_number_a_point_and_the_gradient_of_finite_differences(device, name):
    energy, d = energies_of(device)[name]
    x = randn(2, 5, d, generator=generator(0), device=device, dtype=WIDE)
    before = x.clone()
    found = gradient(energy, x)
    assert isinstance(found, Gradient)
    assert found.energy.shape == (2, 5)
    assert found.gradient.shape == x.shape
    torch.testing.assert_close(found.energy, evaluate(energy, x))
    step = 1e-6 * torch.eye(d, device=device, dtype=WIDE)
    around = x.unsqueeze(-2)
    slope = (evaluate(energy, around + step) - evaluate(energy, around - step)) / 2e-6
    torch.testing.assert_close(found.gradient, slope, atol=1e-6, rtol=1e-6)
    assert torch.equal(x, before)
    assert not any(value.requires_grad for value in (x, *found))
    assert torch.autograd.gradcheck(energy, (x.clone().requires_grad_(),))


def test_the_gradient_works_without_grad_and_leaves_a_leaf_alone(device):
    x = randn(4, 2, generator=generator(1), device=device, dtype=WIDE).requires_grad_()
    with torch.no_grad():
        inside = gradient(banana, x)
    torch.testing.assert_close(inside, gradient(banana, x))
    assert x.grad is None
    assert x.requires_grad
    assert not evaluate(banana, x).requires_grad


def test_several_seeds_are_one_batch(device):
    networks, energy = seeds_energy(device)
    x = randn(3, 7, 2, generator=generator(2), device=device, dtype=WIDE)
    together = gradient(energy, x)
    for seed in range(3):
        alone = type(networks)(*(tuple(layer[seed : seed + 1] for layer in part) for part in networks))
        one = gradient(lambda y, own=alone: forward(own, y).squeeze(-1) + y.square().sum(-1), x[seed : seed + 1])
        torch.testing.assert_close(one.energy[0], together.energy[seed])
        torch.testing.assert_close(one.gradient[0], together.gradient[seed])


def test_energies_may_be_infinite_and_the_caller_decides(device):
    x = torch.tensor([[0.5], [-0.5]], device=device, dtype=WIDE)
    assert evaluate(lambda y: torch.where(y[..., 0] > 0, y[..., 0], math.inf), x).tolist() == [0.5, math.inf]
    zero = gradient(lambda y: torch.where(y[..., 0] > 0, y[..., 0].square(), -math.inf), x)
    assert zero.energy.tolist() == [0.25, -math.inf]
    walls = lambda y: torch.where(y[..., 0] > 0, math.inf, -math.inf)  # noqa: E731
    assert evaluate(walls, x).tolist() == [math.inf, -math.inf]
    for function in (evaluate, gradient):
        with pytest.raises(ValueError, match=r"^energy: .*nan"):
            function(lambda y: y[..., 0].log(), x)
    with pytest.raises(ValueError, match=r"^energy의 기울기: .*nan"):
        gradient(lambda y: (y.abs() - 0.5).abs().sqrt().sum(-1), x)


def test_what_torch_says_more_clearly_is_left_to_torch(device):
    with torch.inference_mode():
        held = torch.eye(2, device=device)
    with pytest.raises(RuntimeError, match="Inference tensors"):
        gradient(partial(quadratic, precision=held), torch.zeros(3, 2, device=device))

    def greedy(x):
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        evaluate(greedy, torch.zeros(3, 2, device=device))


# --- 볼츠만 분포 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 9), temperature=st.floats(0.05, 20))
def test_boltzmann_is_the_definition_and_knows_only_differences(device, seed, n, temperature):
    energies = 3 * randn(2, n, generator=generator(seed), device=device, dtype=WIDE)
    p = boltzmann(energies, temperature=temperature)
    wide = np.exp(-energies.cpu().numpy() / temperature)
    np.testing.assert_allclose(p.cpu(), wide / wide.sum(-1, keepdims=True), rtol=1e-10)
    torch.testing.assert_close(boltzmann(energies + 7.5, temperature=temperature), p, atol=1e-12, rtol=1e-9)
    ratio = temperature * (p[:, :1].log() - p.log())  # 로그 비가 에너지의 차다
    torch.testing.assert_close(ratio, energies - energies[:, :1], atol=1e-8, rtol=1e-8)
    order = energies.argsort(-1)
    assert (p.gather(-1, order).diff(dim=-1) <= 0).all()


def test_boltzmann_at_the_two_ends_of_temperature(device):
    energies = torch.tensor([1.0, 0.0, 3.0], device=device)
    assert boltzmann(energies, temperature=1e-3).tolist() == [0, 1, 0]
    assert boltzmann(energies, temperature=1e6).tolist() == pytest.approx([1 / 3] * 3, abs=1e-5)
    assert boltzmann(energies + 1e4, temperature=1.0).sum().item() == pytest.approx(1)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_everything_follows_the_dtype_and_the_device(device, kind):
    x = randn(2, 6, 2, generator=generator(3), device=device).to(kind)
    mesh = grid(-4.0, 4.0, 16, device=device, dtype=kind)
    assert mesh.points.dtype == kind
    values = [
        boltzmann(x),
        evaluate(banana, x),
        *gradient(double_well, x),
        log_partition(banana, mesh),
        log_density(double_well, x, mesh),
        negative_log_likelihood(double_well, x, mesh),
        phase_gap(banana, x, x),
        quadratic(x, precision=precision(2, device, kind)),
    ]
    for value in values:
        assert value.dtype == kind
        assert value.device.type == device.type
        assert value.isfinite().all()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, WIDE])
def test_boltzmann_does_not_lose_its_answer_on_the_way(device, kind):
    def chances(values, temperature):
        return boltzmann(torch.tensor(values, device=device, dtype=kind), temperature=temperature).tolist()

    assert chances([-3472.0, -3440.0], 0.02) == [1, 0]  # 나누면 float16을 넘는다
    assert chances([60000.0, 60000.0, 50000.0], 1e-3) == [0, 0, 1]
    assert chances([0.0, 1.0], 5e-324) == [1, 0]  # 자료형에는 0인 온도
    assert chances([0.0, 1.0], 1e300) == [0.5, 0.5]
    huge = torch.finfo(kind).max
    assert chances([huge, -huge], 1.0) == [0, 1]
    energies = torch.tensor([3000.0, 3001.0, 3002.5], device=device, dtype=kind)
    truth = boltzmann(energies.double(), temperature=0.7)
    torch.testing.assert_close(
        boltzmann(energies, temperature=0.7).double(), truth, atol=0, rtol=4 * torch.finfo(kind).eps
    )


def test_energies_in_half_precision_are_normalised_in_single(device):
    mesh = grid(-2.0, 2.0, 40, device=device, dtype=torch.float16)
    deep = lambda x: 256 * x.square().sum(-1) - 2048  # noqa: E731
    x = torch.tensor([[0.125, 0.25], [0.0, 0.0]], device=device, dtype=torch.float16)
    truth = log_partition(deep, Grid(mesh.points.double(), mesh.cell), temperature=0.5).item()
    assert log_partition(deep, mesh, temperature=0.5).item() == pytest.approx(truth, rel=2e-3)
    cold = log_density(deep, x, mesh, temperature=0.02)  # E/τ가 float16을 넘는다
    assert cold.isfinite().all()
    assert (cold[0] - cold[1]).item() == pytest.approx(-256 * 0.078125 / 0.02, rel=2e-3)
    assert negative_log_likelihood(deep, x, mesh, temperature=0.02).isfinite()
    big = torch.full((1, 2), 200.0, device=device, dtype=torch.float16)  # 제곱이 float16을 넘는다
    assert quadratic(2 * big, precision=0.125 * torch.eye(2, device=device).half()).item() == 20000
    assert double_well(big, barrier=1e-6).isfinite().all()


# --- 격자와 정규화 ---


@EXAMPLES
@given(size=st.integers(1, 7), dims=st.integers(1, 3), low=st.floats(-5, 1), width=st.floats(0.1, 9))
def test_a_grid_fills_its_box_with_midpoints(device, size, dims, low, width):
    mesh = grid(low, low + width, size, dims=dims, device=device, dtype=WIDE)
    assert isinstance(mesh, Grid)
    assert mesh.points.shape == (size**dims, dims)
    assert mesh.cell * size**dims == pytest.approx(width**dims)
    torch.testing.assert_close(mesh.points.mean(0), mesh.points.new_full((dims,), low + width / 2))
    assert len({tuple(point) for point in mesh.points.tolist()}) == size**dims
    steps = mesh.points[:, -1].view(-1, size).diff(dim=-1)
    assert steps.numel() == 0 or steps.sub(width / size).abs().max().item() < 1e-9
    assert grid(0.0, 1.0, 4, dims=1).points.dtype == torch.get_default_dtype()


def test_a_grid_may_have_many_axes_of_few_cells(device):
    assert grid(-1.0, 1.0, 1, dims=63, device=device).points.tolist() == [[0.0] * 63]
    mesh = grid(0.0, 2.0, 2, dims=16, device=device)
    assert mesh.points.shape == (2**16, 16)
    assert mesh.cell == 1
    assert mesh.points[5].tolist() == [0.5] * 13 + [1.5, 0.5, 1.5]  # 이진수 101
    assert (mesh.low, mesh.high) == (0.0, 2.0)


@pytest.mark.parametrize("kind", [torch.float16, torch.float32, WIDE])
def test_data_outside_the_box_are_refused_and_on_its_edge_are_not(device, kind):
    mesh = grid(-0.1, 0.3, 10, device=device, dtype=kind)
    edge = torch.tensor([[-0.1, 0.3], [0.3, -0.1]], device=device, dtype=kind)
    for function in (log_density, negative_log_likelihood):
        assert function(banana, edge, mesh).isfinite().all()
        for bad in (edge + 0.01, edge - 0.01):
            with pytest.raises(ValueError, match=r"^(x|data): \[-0\.\d+, 0\.\d+\] 안의 값이어야 하는데"):
                function(banana, bad, mesh)
    # 손으로 만든 격자는 상자를 모른다.
    assert log_density(banana, edge + 1, Grid(mesh.points, mesh.cell)).isfinite().all()


def test_the_partition_functions_are_the_closed_forms(device):
    mesh = grid(-9.0, 9.0, 500, device=device, dtype=WIDE)
    for temperature in (0.3, 1.0, 2.0):
        at = {"temperature": temperature}
        curved = log_partition(partial(banana, curvature=0.2, width=0.5), mesh, **at)
        assert curved.item() == pytest.approx(math.log(2 * math.pi * temperature * 0.5), abs=2e-4)
        flat = log_partition(partial(quadratic, precision=precision(2, device)), mesh, **at)
        assert flat.item() == pytest.approx(quadratic_log_partition(precision(2, device), **at).item(), abs=1e-9)
    assert log_partition(ring, mesh).item() == pytest.approx(0, abs=1e-9)


def test_the_normaliser_of_the_double_well_is_a_bessel_function(device):
    line = grid(-4.0, 4.0, 2000, dims=1, device=device, dtype=WIDE)
    for barrier, temperature in ((1.0, 1.0), (4.0, 1.0), (4.0, 0.3), (2.0, 3.0)):
        b = barrier / (2 * temperature)
        truth = math.pi / 2 * (scipy.special.ive(-0.25, b) + scipy.special.ive(0.25, b))  # ive에 e^-b가 들어 있다
        energy = partial(double_well, barrier=barrier, tilt=0.0)
        assert log_partition(energy, line, temperature=temperature).item() == pytest.approx(math.log(truth), abs=1e-9)


def test_the_quadratic_energy_is_the_gaussian_density(device):
    sigma = covariance(3)
    x = randn(50, 3, generator=generator(4), device=device, dtype=WIDE)
    own = precision(3, device)
    for temperature in (0.5, 1.0, 3.0):
        log_z = quadratic_log_partition(own, temperature=temperature)
        ours = -quadratic(x, precision=own) / temperature - log_z
        truth = scipy.stats.multivariate_normal(np.zeros(3), temperature * sigma.numpy()).logpdf(x.cpu().numpy())
        np.testing.assert_allclose(ours.cpu(), truth, rtol=1e-10)


def test_the_banana_has_the_moments_that_its_docstring_tells(device):
    g = generator(5)
    mesh = grid(-8.0, 40.0, 600, device=device, dtype=WIDE)
    p = boltzmann(evaluate(partial(banana, width=0.7), mesh.points))
    mean = p @ mesh.points
    assert mean.abs().max().item() < 5e-3
    assert (p @ mesh.points[:, 1].square()).item() == pytest.approx(2 + 0.7**2, abs=2e-2)
    z = randn(100, 2, generator=g, device=device, dtype=WIDE)
    x = torch.stack([z[:, 0], 0.3 * z[:, 1] + z[:, 0].square() - 1], 1)
    torch.testing.assert_close(evaluate(banana, x), z.square().sum(-1) / 2)


def test_the_double_well_leans_to_the_left_and_its_other_coordinates_are_normal(device):
    line = grid(-3.0, 3.0, 1000, dims=1, device=device, dtype=WIDE)
    p = boltzmann(evaluate(double_well, line.points))
    right = p[line.points[:, 0] > 0].sum().item()
    whole, half = (
        scipy.integrate.quad(lambda x: math.exp(-4 * (x * x - 1) ** 2 - x / 2), low, 4)[0] for low in (-4, 0)
    )
    assert right == pytest.approx(half / whole, abs=1e-6)
    assert right < 0.4
    x = randn(20, 3, generator=generator(6), device=device, dtype=WIDE)
    torch.testing.assert_close(double_well(x) - double_well(x[:, :1]), x[:, 1:].square().sum(-1) / 2)


@EXAMPLES
@given(seed=st.integers(0, 10**6), temperature=st.floats(0.2, 5), shift=st.floats(-50, 50))
def test_the_density_integrates_to_one_and_ignores_a_constant(device, seed, temperature, shift):
    networks, energy = seeds_energy(device)
    mesh = grid(-5.0, 5.0, 40, device=device, dtype=WIDE)
    x = randn(3, 4, 2, generator=generator(seed), device=device, dtype=WIDE)
    ours = log_density(energy, x, mesh, temperature=temperature)
    assert ours.shape == (3, 4)
    moved = log_density(lambda y: energy(y) + shift, x, mesh, temperature=temperature)
    torch.testing.assert_close(moved, ours, atol=1e-9, rtol=1e-9)
    everywhere = log_density(energy, mesh.points.expand(3, -1, -1), mesh, temperature=temperature)
    torch.testing.assert_close((everywhere.exp() * mesh.cell).sum(-1), everywhere.new_ones(3))
    loss = negative_log_likelihood(energy, x, mesh, temperature=temperature)
    torch.testing.assert_close(loss, -ours.mean(-1))
    (slope,) = torch.autograd.grad(loss.sum(), networks.biases[-1])
    assert slope.abs().max().item() < 1e-12  # 출력의 절편은 상수를 더할 뿐이다


def test_maximum_likelihood_finds_the_precision_of_the_data(device):
    data = 0.7 * randn(1, 4000, 1, generator=generator(7), device=device, dtype=WIDE)
    line = grid(-6.0, 6.0, 400, dims=1, device=device, dtype=WIDE)
    scales = torch.linspace(0.5, 4.0, 71, device=device, dtype=WIDE)
    losses = negative_log_likelihood(lambda x: scales[:, None] * x[..., 0].square() / 2, data.expand(71, -1, -1), line)
    assert scales[losses.argmin()].item() == pytest.approx(1 / data.square().mean().item(), abs=0.05)
    best = -scipy.stats.norm(0, data.square().mean().sqrt().item()).logpdf(data.cpu().numpy()).mean()
    assert losses.min().item() == pytest.approx(best, abs=1e-4)


# --- 두 항 ---


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_positive_minus_negative_phase_is_the_gradient_of_the_likelihood(device, temperature):
    networks, energy = seeds_energy(device)
    parameters = [*networks.weights, *networks.biases]
    mesh = grid(-5.0, 5.0, 30, device=device, dtype=WIDE)
    data = randn(3, 20, 2, generator=generator(8), device=device, dtype=WIDE)
    points = mesh.points.expand(3, -1, -1)
    weights = boltzmann(evaluate(energy, points), temperature=temperature)
    gap = phase_gap(energy, data, points, weights=weights) / temperature
    loss = negative_log_likelihood(energy, data, mesh, temperature=temperature)
    assert gap.shape == loss.shape == (3,)
    pairs = zip(*(torch.autograd.grad(value.sum(), parameters) for value in (gap, loss)), strict=True)
    for ours, truth in pairs:
        torch.testing.assert_close(ours, truth, atol=1e-10, rtol=1e-10)


def test_the_phase_gap_of_equal_clouds_is_zero_and_its_inputs_are_constants(device):
    data = eight_gaussians(30, generator=generator(9), device=device, dtype=WIDE).requires_grad_()
    gap = phase_gap(ring, data, data)
    assert gap.item() == pytest.approx(0, abs=1e-12)
    assert not gap.requires_grad
    even = torch.full((30,), 1 / 30, device=device, dtype=WIDE)
    other = randn(30, 2, generator=generator(10), device=device, dtype=WIDE)
    torch.testing.assert_close(phase_gap(ring, data, other), phase_gap(ring, data, other, weights=even), **CLOSE)
    assert phase_gap(ring, data, other).item() < 0  # 데이터의 에너지가 더 낮다


def test_losses_have_right_gradients_in_every_parameter(device):
    mesh = grid(-3.0, 3.0, 12, device=device, dtype=WIDE)
    data = rand(1, 5, 2, generator=generator(11), device=device, dtype=WIDE)
    theta = randn(2, generator=generator(12), device=device, dtype=WIDE).requires_grad_()

    def energy_of(theta):
        return lambda x: theta[0].exp() * x.square().sum(-1) + theta[1] * x[..., 0].sin()

    assert torch.autograd.gradcheck(lambda t: negative_log_likelihood(energy_of(t), data, mesh), (theta,))
    assert torch.autograd.gradcheck(lambda t: phase_gap(energy_of(t), data, data[:, :3] - 1), (theta,))
    assert torch.autograd.gradcheck(lambda t: log_density(energy_of(t), data, mesh), (theta,))
    own = precision(2, device).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: quadratic_log_partition((p + p.mT) / 2), (own,))
    assert torch.autograd.gradcheck(lambda p: quadratic(data, precision=p), (own,))


# --- 변환 ---


def test_densities_and_their_gradients_follow_transforms(device):
    mesh = grid(-4.0, 4.0, 20, device=device, dtype=WIDE)
    data = randn(5, 2, generator=generator(13), device=device, dtype=WIDE).clamp(-3, 3)
    weights = torch.full((5,), 0.2, device=device, dtype=WIDE)
    thetas = randn(3, 2, generator=generator(14), device=device, dtype=WIDE)

    def energy_of(theta):
        return lambda x: theta[0].exp() * x.square().sum(-1) + theta[1] * x[..., 0].sin()

    for loss in (
        lambda t: negative_log_likelihood(energy_of(t), data, mesh),
        lambda t: phase_gap(energy_of(t), data, data - 1, weights=weights),
        lambda t: gradient(energy_of(t), data).gradient.square().sum(),
        lambda t: quadratic_log_partition(t.exp().diag() + 0.1),
    ):
        slopes = torch.func.vmap(torch.func.grad(loss))(thetas)
        step = 1e-6 * torch.eye(2, device=device, dtype=WIDE)
        truth = torch.stack([torch.stack([(loss(t + e) - loss(t - e)) / 2e-6 for e in step]).flatten() for t in thetas])
        torch.testing.assert_close(slopes, truth, atol=1e-7, rtol=1e-6)
        tangent = torch.func.jvp(loss, (thetas[0],), (torch.ones_like(thetas[0]),))[1]
        torch.testing.assert_close(tangent, slopes[0].sum())
    hessian = torch.func.jacrev(lambda x: gradient(banana, x).gradient)(data[0])
    torch.testing.assert_close(hessian, torch.func.hessian(banana)(data[0]), **CLOSE)
    rows = torch.func.vmap(partial(gradient, banana))(data)
    torch.testing.assert_close(rows.gradient, gradient(banana, data).gradient, **CLOSE)


# --- 틀린 입력 ---


X = torch.zeros(4, 2)
MESH = grid(-1.0, 1.0, 4)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: evaluate(lambda x: x, X), ValueError, r"energy.*\(4,\).*\(4, 2\)"),
        (lambda: evaluate(lambda x: x.sum(-1, keepdim=True), X), ValueError, r"energy.*\(4,\).*\(4, 1\)"),
        (lambda: evaluate(lambda x: x.sum(-1) > 0, X), ValueError, "energy.*bool"),
        (lambda: evaluate(lambda _: 0.0, X), TypeError, "energy.*float"),
        (lambda: evaluate(banana, X.long()), ValueError, "x.*int64"),
        (lambda: evaluate(banana, torch.zeros(0, 2)), ValueError, r"x.*\(0, 2\)"),
        (lambda: evaluate(banana, torch.tensor(1.0)), ValueError, "x.*축"),
        (lambda: evaluate(banana, [[0.0, 0.0]]), TypeError, "x.*list"),
        (lambda: gradient(lambda x: x.sum(), X), ValueError, r"energy.*\(4,\).*\(\)"),
        (lambda: gradient(lambda x: x.new_zeros(4), X), ValueError, "energy.*미분"),
        (lambda: gradient(lambda x: x.detach().sum(-1), X), ValueError, "energy.*미분"),
        (lambda: gradient(lambda x: torch.ones(4, requires_grad=True) * 2, X), ValueError, "energy.*미분"),
        (lambda: boltzmann(X, temperature=0.0), ValueError, "temperature.*0.0"),
        (lambda: boltzmann(X, temperature=-1.0), ValueError, "temperature.*-1.0"),
        (lambda: boltzmann(X, temperature="1"), TypeError, "temperature.*str"),
        (lambda: boltzmann(X + math.nan), ValueError, "energies.*nan"),
        (lambda: boltzmann(X + math.inf), ValueError, "energies.*inf"),
        (lambda: boltzmann(torch.zeros(0)), ValueError, r"energies.*\(0,\)"),
        (lambda: boltzmann(X.long()), ValueError, "energies.*int64"),
        (lambda: grid(1.0, 1.0, 4), ValueError, r"low.*high\(1\).*1"),
        (lambda: grid(2.0, 1.0, 4), ValueError, r"low.*high\(1\).*2"),
        (lambda: grid(math.nan, 1.0, 4), ValueError, "low.*nan"),
        (lambda: grid(0.0, math.inf, 4), ValueError, "high.*inf"),
        (lambda: grid(0.0, 1.0, 0), ValueError, "size.*0"),
        (lambda: grid(0.0, 1.0, 2.5), TypeError, "size.*float"),
        (lambda: grid(0.0, 1.0, 2, dims=0), ValueError, "dims.*0"),
        (lambda: grid(-1.0, 1.0, 40, dims=10), ValueError, r"^size: .*40\^10"),
        (lambda: grid(-1.0, 1.0, 2, dims=64), ValueError, "^dims: .*64"),
        (lambda: grid(-1.0, 1.0, 2, dims=63), ValueError, r"^size: .*2\^63"),
        (lambda: grid(-1.0, 1.0, 4, dtype=torch.int64), ValueError, r"^dtype: .*int64"),
        (lambda: grid(0.0, 1.0, 5000, dims=1, dtype=torch.float16), ValueError, "^dtype: .*float16"),
        (lambda: grid(0.0, 1e6, 4, dims=1, dtype=torch.float16), ValueError, "^dtype: .*float16"),
        (lambda: grid(0.0, 1e-200, 2, dtype=WIDE), ValueError, r"^high: .*0\.0"),
        (lambda: grid(0.0, 1e200, 2, dtype=WIDE), ValueError, "^high: .*inf"),
        (lambda: evaluate(lambda x: x[..., 5], X), ValueError, r"^energy: .*\(4, 2\).*out of bounds"),
        (lambda: log_partition(lambda x: x[..., 0] * math.nan, MESH), ValueError, "^energy의 log Z.*nan"),
        (lambda: log_partition(lambda x: x[..., 0] * 0 + math.inf, MESH), ValueError, "^energy의 log Z.*inf"),
        (lambda: log_partition(lambda x: x[..., 0] * 0 - math.inf, MESH), ValueError, "^energy의 log Z.*inf"),
        (lambda: log_density(lambda x: x[..., 0].log(), X - 0.5, MESH), ValueError, "^energy.*nan"),
        (lambda: negative_log_likelihood(lambda x: x[..., 0].log(), X - 0.5, MESH), ValueError, "^energy.*nan"),
        (lambda: negative_log_likelihood(banana, X + 9, MESH), ValueError, r"^data: \[-1, 1\].*9\.0"),
        (lambda: phase_gap(lambda x: x[..., 0].log(), X + 1, X - 1), ValueError, "^energy.*nan"),
        (lambda: phase_gap(lambda x: 1 / x[..., 0], X, X + 1), ValueError, "^energy.*inf"),
        (lambda: log_partition(banana, None), TypeError, "^grid: .*NoneType"),
        (lambda: log_partition(banana, MESH, temperature=0.0), ValueError, "temperature"),
        (lambda: log_partition(lambda x: x, MESH), ValueError, r"energy.*\(16,\).*\(16, 2\)"),
        (lambda: log_partition(banana, Grid(torch.zeros(0, 2), 1.0)), ValueError, r"grid.*\(0, 2\)"),
        (lambda: log_partition(banana, Grid(torch.zeros(3), 1.0)), ValueError, "grid.*축"),
        (lambda: log_partition(banana, Grid(X, 0.0)), ValueError, "cell.*0.0"),
        (lambda: log_density(banana, X + math.nan, MESH), ValueError, "x.*nan"),
        (lambda: log_density(banana, X[0], MESH), ValueError, "x.*축"),
        (lambda: log_density(banana, torch.zeros(4, 3), MESH), ValueError, r"x.*\(4, 2\).*\(4, 3\)"),
        (lambda: log_density(banana, X, grid(-1.0, 1.0, 4, device=torch.device("meta"))), ValueError, "x.*meta.*cpu"),
        (lambda: negative_log_likelihood(banana, X[:0], MESH), ValueError, r"data.*\(0, 2\)"),
        (lambda: negative_log_likelihood(banana, X, MESH, temperature=math.nan), ValueError, "temperature.*nan"),
        (lambda: phase_gap(banana, X + math.inf, X), ValueError, "data.*inf"),
        (lambda: phase_gap(banana, X, X + math.nan), ValueError, "samples.*nan"),
        (lambda: phase_gap(banana, X, torch.zeros(4, 3)), ValueError, r"samples.*\(4, 2\).*\(4, 3\)"),
        (lambda: phase_gap(banana, X, X.expand(2, 4, 2)), ValueError, r"samples.*\(4, 2\).*\(2, 4, 2\)"),
        (lambda: phase_gap(banana, X, X, weights=torch.ones(4)), ValueError, "weights.*4"),
        (lambda: phase_gap(banana, X, X, weights=torch.ones(3) / 3), ValueError, r"weights.*\(4,\).*\(3,\)"),
        (lambda: phase_gap(banana, X, X, weights=[0.25] * 4), TypeError, "weights.*list"),
        (lambda: quadratic(X, precision=torch.eye(3)), ValueError, r"precision.*\(2, 2\).*\(3, 3\)"),
        (lambda: quadratic(X, precision=torch.eye(2, device="meta")), ValueError, "precision.*cpu.*meta"),
        (lambda: quadratic_log_partition(torch.eye(2)[:1]), ValueError, r"precision.*\(1, 1\).*\(1, 2\)"),
        (lambda: quadratic_log_partition(-torch.eye(2)), ValueError, "precision.*양의 정부호"),
        (lambda: quadratic_log_partition(torch.tensor([[1.0, 0.5], [0.0, 1.0]])), ValueError, "precision.*대칭"),
        (lambda: quadratic_log_partition(torch.tensor([[1e-10, 5e-11], [0.0, 1e-10]])), ValueError, "precision.*대칭"),
        (lambda: quadratic_log_partition(torch.eye(2) * math.nan), ValueError, "precision.*nan"),
        (lambda: quadratic_log_partition(torch.eye(2), temperature=0.0), ValueError, "temperature"),
        (lambda: double_well(X, barrier=0.0), ValueError, "barrier.*0.0"),
        (lambda: double_well(X, tilt=math.inf), ValueError, "tilt.*inf"),
        (lambda: banana(torch.zeros(4, 3)), ValueError, r"x.*\(4, 2\).*\(4, 3\)"),
        (lambda: banana(X, width=-1.0), ValueError, "width.*-1.0"),
        (lambda: banana(X, curvature=math.nan), ValueError, "curvature.*nan"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
