"""기준값: 가우스 분포의 닫힌 식, 격자로 구한 정확한 기울기, 자동 미분으로 다시 쓴 헤세 행렬, SciPy의 정규 밀도."""

import math
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from torch.autograd.functional import hessian, jacobian

from mgk_docs_src.energy import models
from mgk_docs_src.energy.training import (
    Chains,
    Model,
    Trained,
    contrastive_divergence,
    create,
    denoising_score_matching,
    energy_of,
    grid_divergence,
    jump,
    negative_phase,
    noise_contrastive,
    score_matching,
    sliced_score_matching,
    train,
)
from mgk_docs_src.losses.binary import kl_divergence
from mgk_docs_src.networks import Networks
from mgk_docs_src.random import generator, randn

EXAMPLES = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-11, "rtol": 1e-11}
PRECISION = [[2.0, 0.6], [0.6, 1.0]]


def points(seed, *shape, device, scale=1.0):
    return scale * randn(*shape, generator=generator(seed), device=device, dtype=torch.float64)


def model(device, seeds=2, dims=2, **knobs):
    generators = [generator(seed) for seed in range(seeds)]
    return create(dims, generators, device=device, **{"hidden": (6,), "dtype": torch.float64, **knobs})


def parameters(of):
    return [*of.networks.weights, *of.networks.biases]


def gaussian(precision):
    """정밀도 행렬이 (…, d, d)인 이차 에너지. 앞의 축은 시드다."""

    def energy(x):
        return ((x @ precision) * x).sum(-1) / 2

    return energy


def every_loss(device, *, n=5):
    """손실마다 에너지만 받는 함수."""
    data, other = points(0, 2, n, 2, device=device), points(1, 2, n, 2, device=device)
    c = torch.zeros(2, device=device, dtype=torch.float64)
    return {
        "CD": lambda energy: contrastive_divergence(energy, data, other),
        "SM": lambda energy: score_matching(energy, data),
        "SSM": lambda energy: sliced_score_matching(energy, data, other),
        "DSM": lambda energy: denoising_score_matching(energy, data, other, sigma=0.3),
        "NCE": lambda energy: noise_contrastive(energy, c, data, other, log_noise=lambda x: -x.square().sum(-1)),
    }


# --- 손실의 식 ---


@settings(EXAMPLES, max_examples=10)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 3), m=st.integers(1, 5), d=st.integers(1, 3))
def test_losses_are_their_formulas(device, seed, n, m, d):
    net = model(device, seeds=2, dims=d)
    energy = energy_of(net)
    data, other = points(seed, 2, n, d, device=device), points(seed + 1, 2, n, d, device=device)
    samples = points(seed + 2, 2, m, d, device=device)
    plus, minus = energy(data), energy(samples)
    torch.testing.assert_close(contrastive_divergence(energy, data, samples), plus.mean(1) - minus.mean(1), **CLOSE)
    squares = 0.1 * ((plus**2).mean(1) + (minus**2).mean(1))
    torch.testing.assert_close(
        contrastive_divergence(energy, data, samples, magnitude=0.1), plus.mean(1) - minus.mean(1) + squares, **CLOSE
    )

    def one(s, x):  # 시드 s의 에너지, 점 하나
        return energy(x.expand(2, 1, d))[s, 0]

    for s in range(2):
        slopes = [jacobian(partial(one, s), x) for x in data[s]]
        hessians = [hessian(partial(one, s), x) for x in data[s]]
        whole = sum(g @ g / 2 - h.trace() for g, h in zip(slopes, hessians, strict=True)) / n
        cut = sum(g @ g / 2 - v @ h @ v for g, h, v in zip(slopes, hessians, other[s], strict=True)) / n
        torch.testing.assert_close(score_matching(energy, data)[s], whole, **CLOSE)
        torch.testing.assert_close(sliced_score_matching(energy, data, other)[s], cut, **CLOSE)
        pulled = [jacobian(partial(one, s), x + 0.3 * e) for x, e in zip(data[s], other[s], strict=True)]
        clean = sum((0.3 * g - e) @ (0.3 * g - e) for g, e in zip(pulled, other[s], strict=True)) / (2 * n)
        torch.testing.assert_close(denoising_score_matching(energy, data, other, sigma=0.3)[s], clean, **CLOSE)


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 4), m=st.integers(1, 5))
def test_noise_contrastive_is_a_classifier_between_two_densities(device, seed, n, m):
    energy = energy_of(model(device))
    data, noise = points(seed, 2, n, 2, device=device), points(seed + 1, 2, m, 2, device=device)
    c = points(seed + 2, 2, device=device)
    covariance = np.array([[1.5, 0.2], [0.2, 1.0]])
    precision = torch.tensor(np.linalg.inv(covariance), device=device)
    log_z = models.quadratic_log_partition(precision)

    def log_noise(x):
        return -gaussian(precision)(x) - log_z

    ours = noise_contrastive(energy, c, data, noise, log_noise=log_noise)
    for s in range(2):
        classified = []
        for x, sign in ((data, 1), (noise, -1)):
            log_p = (-energy(x) - c[:, None]).detach().cpu().numpy()[s]
            log_q = multivariate_normal([0, 0], covariance).logpdf(x.cpu().numpy()[s])
            classified.append(np.logaddexp(0, -sign * (log_p - log_q - math.log(m / n))).sum())
        np.testing.assert_allclose(ours.detach().cpu()[s], sum(classified) / n, rtol=1e-10)


def test_gradients_pass_gradcheck(device):
    net = model(device, seeds=2, hidden=(3,), frequencies=1)
    leaves = parameters(net)

    def rebuilt(*values):
        half = len(values) // 2
        return energy_of(net._replace(networks=Networks(tuple(values[:half]), tuple(values[half:]))))

    for name, loss in every_loss(device, n=3).items():
        assert torch.autograd.gradcheck(lambda *v, loss=loss: loss(rebuilt(*v)), leaves), name
    data, noise = points(0, 2, 3, 2, device=device), points(1, 2, 3, 2, device=device)
    c = points(2, 2, device=device).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda c: noise_contrastive(energy_of(net), c, data, noise, log_noise=lambda x: -x.square().sum(-1)), c
    )


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32])
def test_losses_follow_the_dtype(device, kind):
    wide = {name: loss(gaussian(torch.eye(2, dtype=torch.float64, device=device))) for name, loss in (
        every_loss(device).items()
    )}  # fmt: skip
    data, other = (points(seed, 2, 5, 2, device=device).to(kind) for seed in (0, 1))
    energy = gaussian(torch.eye(2, dtype=kind, device=device))
    c = torch.zeros(2, dtype=kind, device=device)
    ours = {
        "CD": contrastive_divergence(energy, data, other),
        "SM": score_matching(energy, data),
        "SSM": sliced_score_matching(energy, data, other),
        "DSM": denoising_score_matching(energy, data, other, sigma=0.3),
        "NCE": noise_contrastive(energy, c, data, other, log_noise=lambda x: -x.square().sum(-1)),
    }
    tolerance = {torch.float16: 0.02, torch.bfloat16: 0.15, torch.float32: 1e-5}[kind]
    for name, value in ours.items():
        assert value.dtype == kind, name
        torch.testing.assert_close(value.double(), wide[name], atol=tolerance, rtol=tolerance)


def test_losses_work_under_no_grad_and_leave_the_points_alone(device):
    data, other = points(0, 2, 5, 2, device=device), points(1, 2, 5, 2, device=device)
    kept = data.clone(), other.clone()
    energy = energy_of(model(device))
    with torch.no_grad():
        for loss in (score_matching(energy, data), denoising_score_matching(energy, data, other, sigma=0.1)):
            assert loss.shape == (2,)
    with_points = {name: loss(energy) for name, loss in every_loss(device).items()}
    assert all(value.shape == (2,) for value in with_points.values())
    assert torch.equal(data, kept[0])
    assert torch.equal(other, kept[1])
    assert not data.requires_grad


# --- 성질 ---


def test_score_matching_and_likelihood_do_not_see_a_constant(device):
    energy = energy_of(model(device))
    losses = every_loss(device)
    for name in ("CD", "SM", "SSM", "DSM"):
        torch.testing.assert_close(losses[name](lambda x: energy(x) + 7), losses[name](energy), **CLOSE)
    grid = models.grid(-4.0, 4.0, 24, device=device, dtype=torch.float64)
    data = points(0, 2, 5, 2, device=device)
    shifted = models.negative_log_likelihood(lambda x: energy(x) + 7, data, grid)
    torch.testing.assert_close(shifted, models.negative_log_likelihood(energy, data, grid), **CLOSE)
    # 잡음 대조에서는 상수를 c가 대신한다.
    noise, c = points(1, 2, 5, 2, device=device), torch.zeros(2, device=device, dtype=torch.float64)
    contrast = partial(noise_contrastive, data=data, noise=noise, log_noise=lambda x: -x.square().sum(-1))
    torch.testing.assert_close(contrast(lambda x: energy(x) + 7, c), contrast(energy, c + 7), **CLOSE)


def test_the_negative_phase_gradient_goes_to_the_grid_gradient_as_k_grows(device):
    """CD-k의 기울기 − 정확한 기울기: k가 커지면 몬테카를로 오차만 남는다."""
    precision = torch.tensor([[PRECISION]], device=device, dtype=torch.float64)[0]
    theta = precision.clone().requires_grad_()
    data = points(0, 1, 4000, 2, device=device, scale=2.0)
    grid = models.grid(-8.0, 8.0, 160, device=device, dtype=torch.float64)

    def slope(loss):
        return torch.autograd.grad(loss.sum(), theta)[0]

    exact = slope(models.negative_log_likelihood(gaussian(theta), data, grid))
    errors = []
    for k in (1, 4, 16, 64):
        chains = negative_phase(gaussian(theta), data, k=k, step_size=0.3, generator=generator(k))
        errors.append((slope(contrastive_divergence(gaussian(theta), data, chains.position)) - exact).norm().item())
    assert errors[0] > 4 * errors[1] / 3 > 16 * errors[2] / 9
    assert errors[3] < 0.05 * exact.norm().item()
    # 격자의 정확한 표본(확률을 곱한 격자점)이면 정확히 같다.
    weights = models.boltzmann(models.evaluate(gaussian(theta), grid.points[None]))
    gap = models.phase_gap(gaussian(theta), data, grid.points[None], weights=weights)
    torch.testing.assert_close(slope(gap), exact, atol=1e-9, rtol=1e-9)


def test_score_matching_of_a_gaussian_is_minimised_by_its_precision(device):
    """표본 공분산 S가 주어지면 ½tr(ΛSΛ) − trΛ이고, 가장 작은 곳은 Λ = S⁻¹이다."""
    data = points(0, 1, 500, 2, device=device) @ torch.tensor([[1.0, 0.4], [0.0, 0.7]], device=device).double()
    covariance = data[0].T @ data[0] / 500
    truth = torch.linalg.inv(covariance).unsqueeze(0).requires_grad_()
    loss = score_matching(gaussian(truth), data)
    expected = (truth @ covariance @ truth).diagonal(dim1=-2, dim2=-1).sum(-1) / 2 - truth.diagonal(
        dim1=-2, dim2=-1
    ).sum(-1)
    torch.testing.assert_close(loss, expected, **CLOSE)
    (slope,) = torch.autograd.grad(loss.sum(), truth)
    assert slope.abs().max() < 1e-10
    # 좌표축을 모두 방향으로 쓰면 sliced 항의 합이 대각합이다.
    axes = [torch.eye(2, device=device, dtype=torch.float64)[i].expand(data.shape) * 2**0.5 for i in range(2)]
    cut = sum(sliced_score_matching(gaussian(truth), data, v) for v in axes) / 2
    torch.testing.assert_close(cut, loss, **CLOSE)


def test_denoising_is_minimised_by_the_score_of_the_smoothed_density(device):
    """N(0, S)에 노이즈를 섞으면 N(0, S + σ²I). 표본의 표준 편차만큼 안에서 그 정밀도에서 기울기가 0이다."""
    n, sigma = 200_000, 0.8
    data, noise = points(0, 1, n, 1, device=device), points(1, 1, n, 1, device=device)
    theta = torch.tensor([[[1 / (1 + sigma**2)]]], device=device, dtype=torch.float64, requires_grad=True)
    for precision, expected in ((theta, 0.0), (theta * (1 + sigma**2), sigma**4)):
        leaf = precision.detach().requires_grad_()
        loss = denoising_score_matching(gaussian(leaf), data, noise, sigma=sigma)
        (slope,) = torch.autograd.grad(loss.sum(), leaf)
        # E[σ²λx̃² − σxε…]의 기울기: σ²(λ(1 + σ²) − 1). 참 정밀도 1에서는 σ⁴이다.
        assert slope.item() == pytest.approx(expected, abs=6 * sigma**2 * 3 / n**0.5)


def test_pairing_the_noise_removes_the_variance_at_small_sigma(device):
    """데이터 하나의 기울기를 노이즈마다 재면, 쌍짓지 않은 것은 σ²으로 나눌 때 1/σ²으로 커지고 쌍지은 것은 그대로다."""
    theta = torch.full((1, 1, 1), 0.5, device=device, dtype=torch.float64, requires_grad=True)
    spread = {}
    for sigma in (0.1, 0.01):
        for paired in (False, True):
            slopes = []
            for seed in range(60):
                data, noise = points(0, 1, 8, 1, device=device), points(seed, 1, 8, 1, device=device)
                if paired:
                    data, noise = torch.cat([data, data], 1), torch.cat([noise, -noise], 1)
                loss = denoising_score_matching(gaussian(theta), data, noise, sigma=sigma) / sigma**2
                slopes.append(torch.autograd.grad(loss.sum(), theta)[0].flatten())
            spread[sigma, paired] = torch.cat(slopes).std().item()
    assert spread[0.01, False] == pytest.approx(10 * spread[0.1, False], rel=0.2)
    assert spread[0.01, True] == pytest.approx(spread[0.1, True], rel=0.2)
    assert spread[0.01, False] > 50 * spread[0.01, True]


def test_noise_contrastive_recovers_the_normaliser_of_a_gaussian(device):
    """E = ½λx², c를 함께 학습한다. 뉴턴법으로 끝까지 가면 c → log Z = ½log(2π/λ)."""
    n = 60_000
    data, noise = points(0, 1, n, 1, device=device), points(1, 1, n, 1, device=device, scale=2.0)
    theta = torch.tensor([1.5, 0.0], device=device, dtype=torch.float64)

    def loss(v):
        return noise_contrastive(
            lambda x: v[0] * x.square().sum(-1) / 2,
            v[1:],
            data,
            noise,
            log_noise=lambda x: -x.square().sum(-1) / 8 - math.log(2 * math.sqrt(2 * math.pi)),
        ).sum()

    for _ in range(8):
        slope = jacobian(loss, theta)
        curvature = hessian(loss, theta)
        theta = theta - torch.linalg.solve(curvature, slope)
    assert slope.abs().max() < 1e-9
    assert theta[0].item() == pytest.approx(1.0, abs=0.03)
    assert theta[1].item() == pytest.approx(0.5 * math.log(2 * math.pi), abs=0.02)


def test_score_matching_is_blind_to_shares_where_likelihood_is_not(device):
    """멀리 떨어진 두 봉우리: 혼합 비율을 0.7에서 0.3으로 바꿔도 스코어 매칭의 손실은 그대로다."""
    left, right = torch.tensor([-4.0, 0.0], device=device), torch.tensor([4.0, 0.0], device=device)
    data = torch.cat([points(0, 70, 2, device=device) * 0.5 + left, points(1, 30, 2, device=device) * 0.5 + right])
    data = data.unsqueeze(0)

    def mixture(share):
        def energy(x):
            near = torch.stack([-2 * (x - left).square().sum(-1), -2 * (x - right).square().sum(-1)], -1)
            return -(near + torch.tensor([share, 1 - share], device=device).log()).logsumexp(-1)

        return energy

    grid = models.grid(-8.0, 8.0, 80, device=device, dtype=torch.float64)
    right_share, wrong_share = mixture(0.7), mixture(0.3)
    likelihood = [models.negative_log_likelihood(energy, data, grid).item() for energy in (right_share, wrong_share)]
    score = [score_matching(energy, data).item() for energy in (right_share, wrong_share)]
    assert likelihood[1] - likelihood[0] == pytest.approx(0.4 * math.log(7 / 3), abs=1e-3)
    assert abs(score[1] - score[0]) < 1e-6


# --- 체인 ---


def test_chains_with_metropolis_keep_the_target_and_without_it_do_not(device):
    n, epsilon = 20_000, 1.2
    energy = gaussian(torch.ones(1, 1, device=device, dtype=torch.float64))
    start = points(0, n, 1, device=device)
    exact = negative_phase(energy, start, k=10, step_size=epsilon, generator=generator(1))
    biased = negative_phase(energy, start, k=10, step_size=epsilon, metropolis=False, generator=generator(1))
    error = (2 / n) ** 0.5
    assert exact.position.var().item() == pytest.approx(1, abs=4 * error)
    assert biased.position.var().item() == pytest.approx(1 / (1 - epsilon / 4), abs=6 * error)
    assert 0.5 < exact.acceptance.mean() < 1
    assert (biased.acceptance == 1).all()
    assert isinstance(exact, Chains)
    assert exact.position.shape == (n, 1)
    assert exact.acceptance.shape == (n,)


def test_jumps_keep_the_target_and_mend_the_shares_that_local_steps_cannot(device):
    """모두 오른쪽에서 시작한다. 랑주뱅만으로는 그대로이고, 건너뛰면 왼쪽의 비율이 0.7로 간다."""
    n = 4000

    def energy(x):
        near = torch.stack([-2 * (x[..., 0] + 3) ** 2, -2 * (x[..., 0] - 3) ** 2], -1)
        return -(near + near.new_tensor([0.7, 0.3]).log()).logsumexp(-1) + 2 * x[..., 1] ** 2

    start = points(0, n, 2, device=device, scale=0.5) + torch.tensor([3.0, 0.0], device=device)
    g = generator(1)
    stuck = negative_phase(energy, start, k=30, step_size=0.3, generator=g).position
    assert (stuck[:, 0] < 0).sum() == 0
    chains, rate = start, []
    for _ in range(150):
        far = 3 * randn(n, 2, generator=g, device=device, dtype=torch.float64)
        leapt = jump(energy, chains, far, log_proposal=lambda x: -x.square().sum(-1) / 18, generator=g)
        moved = (leapt.position != chains).any(-1)
        assert torch.equal(moved, leapt.acceptance == 1)
        rate.append(leapt.acceptance.mean().item())
        chains = negative_phase(energy, leapt.position, k=1, step_size=0.3, generator=g).position
    assert 0.03 < min(rate) < max(rate) < 0.5
    assert (chains[:, 0] < 0).double().mean().item() == pytest.approx(0.7, abs=4 * (0.21 / n) ** 0.5)
    assert chains[:, 1].var().item() == pytest.approx(0.25, abs=4 * 0.25 * (2 / n) ** 0.5)


def test_jumps_to_nowhere_are_refused(device):
    def energy(x):
        inside = x.square().sum(-1)
        broken = torch.where(x[..., 0] > 20, -math.inf, math.nan)
        return torch.where(x[..., 0] > 10, broken, inside)

    here = torch.zeros(3, 2, device=device)
    there = torch.tensor([[15.0, 0.0], [25.0, 0.0], [1e-3, 0.0]], device=device)
    leapt = jump(energy, here, there, log_proposal=lambda x: 0 * x.sum(-1), generator=generator(0))
    assert leapt.acceptance.tolist() == [0, 0, 1]
    assert torch.equal(leapt.position[:2], here[:2])
    assert torch.equal(leapt.position[2], there[2])


def test_the_same_generator_gives_the_same_chains(device):
    energy = gaussian(torch.eye(2, device=device, dtype=torch.float64))
    start, far = points(0, 50, 2, device=device), points(1, 50, 2, device=device)
    runs = [
        (
            negative_phase(energy, start, k=3, step_size=0.5, generator=generator(2)),
            jump(energy, start, far, log_proposal=lambda x: 0 * x.sum(-1), generator=generator(2)),
        )
        for _ in range(2)
    ]
    for first, second in zip(*runs, strict=True):
        assert torch.equal(first.position, second.position)
        assert torch.equal(first.acceptance, second.acceptance)


def test_a_runaway_gap_is_warned_about(device):
    data, samples = points(0, 1, 5, 2, device=device), points(1, 1, 5, 2, device=device, scale=100.0)
    energy = gaussian(torch.eye(2, device=device, dtype=torch.float64))
    with pytest.warns(RuntimeWarning, match=r"에너지 차가 -.*1000을 넘었다"):
        contrastive_divergence(energy, data, samples)
    with pytest.warns(RuntimeWarning, match=r"에너지 차가 \d.*을 넘었다"):
        contrastive_divergence(energy, samples, data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        contrastive_divergence(energy, data, samples, limit=1e6)


# --- 모델과 학습 ---


def test_the_model_is_its_formula_and_has_a_finite_normaliser(device):
    net = model(device, seeds=2, hidden=(5, 4), frequencies=2, radius=1.5)
    assert isinstance(net, Model)
    x = points(0, 2, 7, 2, device=device)
    waves = [f(k * x) for f in (torch.sin, torch.cos) for k in (1, 2)]
    h = torch.cat([x, *waves], -1)
    for w, b in zip(net.networks.weights[:-1], net.networks.biases[:-1], strict=True):
        h = torch.tanh(h @ w + b)
    expected = (h @ net.networks.weights[-1] + net.networks.biases[-1])[..., 0] + (x**2).sum(-1) / 4.5
    torch.testing.assert_close(energy_of(net)(x), expected, **CLOSE)
    assert net.log_partition.tolist() == [0, 0]
    near, far = (
        models.log_partition(
            energy_of(net), models.grid(-float(b), float(b), 20 * b, device=device, dtype=torch.float64), batch=(2,)
        )
        for b in (10, 20)
    )
    torch.testing.assert_close(near, far, atol=1e-6, rtol=1e-6)
    assert energy_of(model(device, hidden=(), frequencies=0))(x).shape == (2, 7)


def test_seeds_train_together_as_they_would_alone(device):
    data = points(0, 2, 64, 2, device=device)
    together = train(lambda m, c: (score_matching(energy_of(m), data), c), model(device), steps=5, learning_rate=0.01)
    assert isinstance(together, Trained)
    assert together.chains is None
    assert together.losses.shape == (5, 2)
    alone = train(
        lambda m, c: (score_matching(energy_of(m), data[:1]), c), model(device, seeds=1), steps=5, learning_rate=0.01
    )
    torch.testing.assert_close(together.losses[:, :1], alone.losses, **CLOSE)
    for pair, single in zip(parameters(together.model), parameters(alone.model), strict=True):
        torch.testing.assert_close(pair[:1], single, atol=1e-8, rtol=1e-8)
        assert not pair.requires_grad


def test_training_is_adam_with_a_warm_cosine_and_an_average(device):
    data = points(0, 1, 32, 2, device=device)
    start = model(device, seeds=1)
    kept = [value.clone() for value in parameters(start)]
    ours = train(
        lambda m, c: (score_matching(energy_of(m), data), c), start, steps=30, learning_rate=0.02, averaging=0.9
    )
    assert all(torch.equal(value, old) for value, old in zip(parameters(start), kept, strict=True))
    peer = [value.detach().clone().requires_grad_() for value in kept]
    networks = Networks(tuple(peer[:2]), tuple(peer[2:]))
    optimiser = torch.optim.Adam(peer, betas=(0.9, 0.99))
    means, losses = [torch.zeros_like(value) for value in peer], []
    for t in range(30):
        optimiser.param_groups[0]["lr"] = 0.02 * min(1, (t + 1) / 20) * (1 + math.cos(math.pi * t / 30)) / 2
        loss = score_matching(energy_of(start._replace(networks=networks)), data)
        losses.append(loss.detach())
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
        share = max(0.1, 1 / (t + 1))
        means = [(1 - share) * mean + share * value.detach() for mean, value in zip(means, peer, strict=True)]
    torch.testing.assert_close(ours.losses, torch.stack(losses), atol=1e-8, rtol=1e-8)
    for mean, value in zip(means, parameters(ours.model), strict=True):
        torch.testing.assert_close(value, mean, atol=1e-7, rtol=1e-7)


def test_every_method_learns_a_gaussian(device):
    """N(0, ½I)을 학습한다. 처음의 가둠 항은 N(0, I)이다. 어느 방법이든 격자에서 잰 발산이 열 배 넘게 준다."""
    grid = models.grid(-5.0, 5.0, 50, device=device, dtype=torch.float32)
    truth = -grid.points.square().sum(-1)
    g = generator(0)

    def draw(n, scale=0.5**0.5):
        return scale * randn(2, n, 2, generator=g, device=device)

    def log_noise(x):
        return -x.square().sum(-1) / 2 - math.log(2 * math.pi)

    def persistent(m, chains):
        chains = negative_phase(energy_of(m), chains, k=2, step_size=0.5, generator=g).position
        return contrastive_divergence(energy_of(m), draw(256), chains), chains

    def cd(e, m):
        data = draw(256)
        return contrastive_divergence(e, data, negative_phase(e, data, k=5, step_size=0.5, generator=g).position)

    losses = {
        "exact": lambda e, m: models.negative_log_likelihood(e, draw(256), grid),
        "CD": cd,
        "SM": lambda e, m: score_matching(e, draw(256)),
        "SSM": lambda e, m: sliced_score_matching(e, draw(256), draw(256, 1.0)),
        "DSM": lambda e, m: denoising_score_matching(e, draw(256), draw(256, 1.0), sigma=0.1),
        "NCE": lambda e, m: noise_contrastive(e, m.log_partition, draw(256), draw(256, 1.0), log_noise=log_noise),
    }
    objectives = {name: lambda m, c, f=f: (f(energy_of(m), m), c) for name, f in losses.items()}
    objectives["PCD"] = persistent
    start = model(device, hidden=(16,), frequencies=1, dtype=torch.float32)

    def divergence(of):
        return grid_divergence(truth, -models.evaluate(energy_of(of), grid.points.expand(2, -1, -1)))

    before = divergence(start)
    for name, objective in objectives.items():
        chains = draw(256, 1.0) if name == "PCD" else None
        trained = train(objective, start, chains, steps=300 if name == "NCE" else 150, learning_rate=0.03)
        assert (divergence(trained.model) < before / 10).all(), name
        assert (trained.chains is None) == (name != "PCD")
        if name == "NCE":
            expected = models.log_partition(energy_of(trained.model), grid, batch=(2,))
            torch.testing.assert_close(trained.model.log_partition, expected, atol=0.05, rtol=0)
        else:
            assert trained.model.log_partition.tolist() == [0, 0]


def test_grid_divergence_is_the_divergence_of_the_cells(device):
    truth, ours = points(0, 40, device=device), points(1, 3, 40, device=device)
    expected = kl_divergence(truth.softmax(-1).expand(3, 40), ours.softmax(-1))
    torch.testing.assert_close(grid_divergence(truth, ours), expected, **CLOSE)
    torch.testing.assert_close(grid_divergence(truth + 3, ours - 8), expected, **CLOSE)
    assert grid_divergence(truth, truth).item() == pytest.approx(0, abs=1e-14)
    assert grid_divergence(truth.float(), ours.float()).dtype == torch.float64


# --- 한 시드의 고장 ---


def broken_seed(step, where):
    """시드 1의 손실이나 기울기나 초기 가중치가 `step`스텝에서 nan인 목적 함수."""
    count = iter(range(10**6))

    def objective(m, c, data):
        loss = score_matching(energy_of(m), data)
        if where == "model" or next(count) < step:
            return loss, c
        c_1 = m.log_partition[1]
        own = c_1 * math.nan if where == "loss" else c_1.abs().sqrt()  # 뒤의 것은 0이지만 기울기가 nan이다
        return torch.stack([loss[0], loss[1] + own, loss[2]]), c

    return objective


@pytest.mark.parametrize("step", [0, 3, 9])
@pytest.mark.parametrize("where", ["loss", "gradient", "model"])
def test_a_broken_seed_stops_alone_and_is_named(device, step, where):
    data = points(0, 3, 64, 2, device=device)
    start = model(device, seeds=3)
    if where == "model":
        step = 0
        with torch.no_grad():
            start.networks.weights[0][1, 0, 0] = math.nan
    knobs = {"steps": 10, "learning_rate": 0.01}
    objective = broken_seed(step, where)
    with pytest.warns(RuntimeWarning, match=rf"^{step}스텝에서 시드 1의"):
        found = train(lambda m, c: objective(m, c, data), start, **knobs)
    assert found.stopped.tolist() == [-1, step, -1]
    kept = torch.tensor([0, 2], device=device)
    alone = start._replace(
        networks=Networks(*(tuple(layer[kept] for layer in part) for part in start.networks)),
        log_partition=start.log_partition[kept],
    )
    truth = train(lambda m, c: (score_matching(energy_of(m), data[kept]), c), alone, **knobs)
    assert truth.stopped.tolist() == [-1, -1]
    torch.testing.assert_close(found.losses[:, kept], truth.losses, **CLOSE)
    for ours, theirs in zip(parameters(found.model), parameters(truth.model), strict=True):
        torch.testing.assert_close(ours[kept], theirs, atol=1e-9, rtol=1e-9)
    assert found.losses[:step, 1].isfinite().all()
    assert found.losses[step:, 1].isnan().all()
    if where != "model":  # 멈추기 전까지 학습한 것이 남는다
        assert all(part[1].isfinite().all() for part in parameters(found.model))
        if step == 0:
            assert all(torch.equal(a[1], b[1]) for a, b in zip(parameters(found.model), parameters(start), strict=True))


@pytest.mark.bad_input
def test_when_every_seed_is_broken_nothing_is_left(device):
    start = model(device, seeds=2)
    data = points(0, 2, 8, 2, device=device)
    calls = []

    def objective(m, c):
        calls.append(1)
        return score_matching(energy_of(m), data) * (math.nan if len(calls) == 3 else 1.0), c

    with pytest.raises(ValueError, match=r"^objective: 2스텝에서 시드 0, 1"):
        train(objective, start, steps=500, learning_rate=0.01)
    assert len(calls) == 3
    with torch.no_grad():
        start.networks.biases[0][:] = math.inf
    with pytest.raises(ValueError, match=r"^model: 0스텝에서 시드 0, 1"):
        train(objective, start, steps=5, learning_rate=0.01)


# --- 반정밀도와 변환 ---


def test_half_precision_does_not_overflow_inside(device):
    """값은 float16에 담기지만 중간이 담기지 않는 손실들."""
    data = torch.full((1, 4, 2), 150.0, device=device, dtype=torch.float16)
    steep = lambda x: 3 * x.sum(-1)  # noqa: E731
    loss = contrastive_divergence(steep, data, data, magnitude=1e-3)
    assert loss.item() == pytest.approx(2e-3 * 900**2, rel=2e-3)
    sharp = lambda x: 200 * x.sum(-1) / 2  # noqa: E731
    assert score_matching(sharp, data / 150).item() == pytest.approx(100**2, rel=2e-3)
    noise = torch.full_like(data, 0.5)
    pushed = denoising_score_matching(lambda x: 300 * x.sum(-1), data / 150, noise, sigma=0.5)
    assert pushed.item() == pytest.approx((0.5 * 300 - 0.5) ** 2, rel=2e-3)
    many = torch.zeros(1, 60_000, 1, device=device, dtype=torch.float16)  # 합이 float16을 넘는다
    c = torch.zeros(1, device=device, dtype=torch.float16)
    far = noise_contrastive(lambda x: 3 + x.sum(-1), c, many, many, log_noise=lambda x: x.sum(-1))
    assert far.item() == pytest.approx(math.log1p(math.exp(3)) + math.log1p(math.exp(-3)), rel=2e-3)


def test_per_sample_gradients_are_those_of_the_loop(device):
    base = model(device, seeds=1, hidden=(4,), frequencies=1)
    leaves = [value.detach() for value in parameters(base)]
    half = len(leaves) // 2
    data, other = points(0, 5, 1, 1, 2, device=device), points(1, 5, 1, 1, 2, device=device)

    def energy(values):
        return energy_of(base._replace(networks=Networks(tuple(values[:half]), tuple(values[half:]))))

    losses = {
        "SM": lambda v, x, y: score_matching(energy(v), x),
        "SSM": lambda v, x, y: sliced_score_matching(energy(v), x, y),
        "DSM": lambda v, x, y: denoising_score_matching(energy(v), x, y, sigma=0.3),
        "CD": lambda v, x, y: contrastive_divergence(energy(v), x, y, magnitude=0.1),
        "NCE": lambda v, x, y: noise_contrastive(energy(v), x[0, :1, 0], x, y, log_noise=lambda z: -z.square().sum(-1)),
    }
    for name, loss in losses.items():
        together = torch.func.vmap(torch.func.grad(lambda v, x, y, f=loss: f(v, x, y).sum()), (None, 0, 0))(
            leaves, data, other
        )
        for i in range(5):
            inputs = [value.clone().requires_grad_() for value in leaves]
            value = loss(inputs, data[i], other[i]).sum()
            alone = torch.autograd.grad(value, inputs, allow_unused=True, materialize_grads=True)
            for ours, theirs in zip(together, alone, strict=True):
                torch.testing.assert_close(ours[i], theirs, **CLOSE, msg=name)
            _, pushed = torch.func.jvp(lambda v, f=loss, i=i: f(v, data[i], other[i]).sum(), (leaves,), (leaves,))
            truth = sum((a * b).sum() for a, b in zip(alone, leaves, strict=True))
            torch.testing.assert_close(pushed, truth, **CLOSE, msg=name)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, partial(torch.autocast, "cpu", torch.bfloat16)])
def test_no_mode_of_the_caller_changes_training(device, mode):
    data = points(0, 1, 32, 2, device=device).float()

    def run():
        start = model(device, seeds=1, dtype=torch.float32)
        g = generator(3)

        def objective(m, c):
            e = energy_of(m)
            moved = negative_phase(e, data, k=2, step_size=0.1, generator=g).position
            return contrastive_divergence(e, data, moved) + denoising_score_matching(e, data, moved, sigma=0.1), c

        return train(objective, start, steps=5, learning_rate=0.01)

    plain = run()
    with mode():
        inside = run()
    assert torch.equal(plain.losses, inside.losses)
    for ours, theirs in zip(parameters(plain.model), parameters(inside.model), strict=True):
        assert torch.equal(ours, theirs)
        assert not theirs.is_inference()


def test_jumps_from_where_the_proposal_cannot_be_stay(device):
    """제안의 밀도가 0인 위치에서는 돌아올 길이 없으므로 머문다. 받침 안의 체인은 정확한 비율로 옮긴다."""
    ends = torch.tensor([-1.0, 1.0], device=device)
    inside = torch.distributions.Uniform(*ends, validate_args=False)
    here = torch.tensor([[0.5], [3.0], [-2.0]], device=device, dtype=torch.float64)
    there = torch.tensor([[0.4], [0.0], [0.1]], device=device, dtype=torch.float64)
    log_q = lambda x: inside.log_prob(x).squeeze(-1)  # noqa: E731
    leapt = jump(lambda x: x.square().sum(-1) / 2, here, there, log_proposal=log_q, generator=generator(0))
    assert leapt.acceptance.tolist() == [1, 0, 0]
    assert torch.equal(leapt.position[1:], here[1:])
    # 받침 밖의 제안은 나올 수 없다. 그래도 주면 옮기지 않는다.
    here[0] = 0  # 에너지가 내려가는 제안은 언제나 채택한다
    leapt = jump(lambda x: x.square().sum(-1) / 2, there, here, log_proposal=log_q, generator=generator(0))
    assert leapt.acceptance.tolist() == [1, 0, 0]


# --- 틀린 입력 ---


def scalar(x):
    return x.square().sum(-1)


def big(x):
    return 1.2e38 * scalar(x)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: contrastive_divergence(scalar, x[:, :0], x), "data: 원소가 하나 이상"),
        (lambda x: contrastive_divergence(scalar, x, x[..., :1]), "samples: 모양"),
        (lambda x: contrastive_divergence(scalar, x, x * math.nan), "samples: 유한한 값"),
        (lambda x: contrastive_divergence(lambda y: y, x, x), "energy: 점 "),
        (lambda x: contrastive_divergence(lambda y: scalar(y) * math.nan, x, x), "energy: 유한한 값"),
        (lambda x: contrastive_divergence(scalar, x, x, magnitude=-1), "magnitude: 0 이상"),
        (lambda x: contrastive_divergence(scalar, x, x, limit=0), "limit: 0보다 큰"),
        (lambda x: score_matching(lambda y: y.sum(), x), "energy: 점 "),
        (lambda x: score_matching(lambda y: torch.ones(2, 3), x), "energy: 점으로 미분"),
        (lambda x: score_matching(lambda y: torch.ones(2, 3, requires_grad=True) * 2, x), "energy: 점으로 미분"),
        (lambda x: score_matching(scalar, x.long()), "data: 실수형"),
        (lambda x: score_matching(scalar, x[0, 0]), "data: 축의 수"),
        (lambda x: score_matching(scalar, x * math.inf), "data: 유한한 값"),
        (lambda x: sliced_score_matching(scalar, x, x[:, :1]), "directions: 모양"),
        (lambda x: denoising_score_matching(scalar, x, x[:1], sigma=0.1), "noise: 모양"),
        (lambda x: denoising_score_matching(scalar, x, x, sigma=0), "sigma: 0보다 큰"),
        (lambda x: denoising_score_matching(scalar, x, x, sigma=math.nan), "sigma: 0보다 큰"),
        (lambda x: noise_contrastive(scalar, x[:, 0, 0], x, x[..., :1], log_noise=scalar), "noise: 모양"),
        (lambda x: noise_contrastive(scalar, x[0, 0, 0], x, x, log_noise=scalar), "log_partition: 모양"),
        (lambda x: noise_contrastive(scalar, x[:, 0, 0], x, x, log_noise=lambda y: y), "log_noise: 모양"),
        (lambda x: noise_contrastive(scalar, x[:, 0, 0], x, x[:, :0], log_noise=scalar), "noise: 원소가 하나 이상"),
        (lambda x: score_matching(lambda y: scalar(y) * math.nan, x), "energy: 유한한 값"),
        (lambda x: score_matching(lambda y: scalar(y).sqrt(), 0 * x), "energy의 기울기: 유한한 값"),
        (lambda x: sliced_score_matching(lambda y: scalar(y) * math.nan, x, x), "energy: 유한한 값"),
        (lambda x: denoising_score_matching(lambda y: scalar(y) * math.nan, x, x, sigma=1.0), "energy: 유한한 값"),
        (
            lambda x: noise_contrastive(lambda y: scalar(y) * math.nan, x[:, 0, 0], x, x, log_noise=scalar),
            "energy: 유한한 값",
        ),
        (lambda x: noise_contrastive(scalar, x[:, 0, 0] * math.nan, x, x, log_noise=scalar), "log_partition: 유한한"),
        (
            lambda x: noise_contrastive(scalar, x[:, 0, 0], x, x, log_noise=lambda y: scalar(y) * math.inf),
            "log_noise: 유한한 값",
        ),
        (
            lambda x: noise_contrastive(big, x[:, 0, 0], x, x, log_noise=big),
            "energy \\+ log_partition \\+ log_noise: 유한한 값",
        ),
        (lambda x: contrastive_divergence(lambda y: 1.7e38 * y.sum(-1), x, -x), "energy의 차: 유한한 값"),
        (lambda x: jump(scalar, x, x, log_proposal=lambda y: scalar(y) * math.nan, generator=None), "log_proposal: "),
        (lambda x: negative_phase(scalar, x * math.nan, k=1, step_size=0.1, generator=None), "start: 유한한 값"),
        (lambda x: negative_phase(scalar, x, k=0, step_size=0.1, generator=None), "k: 1 이상"),
        (lambda x: negative_phase(scalar, x, k=1, step_size=0.0, generator=None), "step_size: 0보다 큰"),
        (lambda x: negative_phase(lambda y: y, x, k=1, step_size=0.1, generator=None), "energy: 점 "),
        (lambda x: jump(scalar, x, x[:1], log_proposal=scalar, generator=None), "proposal: 모양"),
        (lambda x: jump(scalar, x, x * math.nan, log_proposal=scalar, generator=None), "proposal: 유한한 값"),
        (lambda x: jump(scalar, x, x, log_proposal=lambda y: y, generator=None), "log_proposal: 모양"),
        (lambda x: jump(lambda y: y[..., 0] * math.inf, x, x, log_proposal=scalar, generator=None), "energy: 유한한"),
        (lambda x: create(0, [None]), "dims: 1 이상"),
        (lambda x: create(2, []), "generators: 1 이상"),
        (lambda x: create(2, [None], frequencies=-1), "frequencies: 0 이상"),
        (lambda x: create(2, [None], radius=0), "radius: 0보다 큰"),
        (lambda x: create(2, [None], hidden=(3, 0)), r"hidden\[1\]: 1 이상"),
        (lambda x: create(2, [None], dtype=torch.int64), "dtype: 실수형"),
        (energy_of(create(2, [None])), "x: 모양"),
        (lambda x: grid_divergence(x[0, :, 0], x[..., :1]), "log_model: 모양"),
        (lambda x: grid_divergence(x[0, :, 0] * math.nan, x[0, :, 0]), "log_truth: 유한한 값"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call(torch.ones(2, 3, 2))


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"steps": 0}, "steps: 1 이상"),
        ({"learning_rate": 0}, "learning_rate: 0보다 큰"),
        ({"averaging": 1.0}, "averaging: "),
        ({"objective": lambda m, c: (energy_of(m)(torch.ones(2, 3, 2)), c)}, "objective: 모양"),
        ({"objective": lambda m, c: (math.nan * energy_of(m)(torch.ones(2, 1, 2))[:, 0], c)}, "objective: 0스텝"),
    ],
)
def test_bad_training_is_named(knobs, message):
    objective = knobs.pop("objective", lambda m, c: (energy_of(m)(torch.ones(2, 1, 2))[:, 0], c))
    net = create(2, [generator(0), generator(1)], hidden=(3,))
    with pytest.raises(ValueError, match=f"^{message}"):
        train(objective, net, **{"steps": 2, "learning_rate": 0.1, **knobs})


@pytest.mark.bad_input
def test_wrong_kinds_are_type_errors():
    x = torch.ones(2, 3, 2)
    for call in (
        lambda: contrastive_divergence(scalar, [[1.0]], x),
        lambda: score_matching(lambda y: 1.0, x),
        lambda: negative_phase(scalar, x, k=1.0, step_size=0.1, generator=None),
        lambda: denoising_score_matching(scalar, x, x, sigma="0.1"),
        lambda: train(lambda m, c: (1.0, c), create(2, [None]), steps=1, learning_rate=0.1),
        lambda: train(lambda m, c: energy_of(m)(x[:1]).sum(-1), create(2, [None]), steps=1, learning_rate=1),
        lambda: create(2, iter([None])),
        lambda: energy_of("model"),
    ):
        with pytest.raises(TypeError):
            call()


def test_a_flat_slope_has_no_curvature(device):
    """기울기가 상수인 에너지: 두 번째 미분은 0이다."""
    x = points(0, 1, 4, 2, device=device)
    torch.testing.assert_close(score_matching(lambda y: y.sum(-1), x), x.new_ones(1), **CLOSE)
    slope = torch.full((2,), 2.0, device=device, dtype=torch.float64, requires_grad=True)
    loss = score_matching(lambda y: y @ slope, x)
    torch.testing.assert_close(loss, x.new_full((1,), 4.0), **CLOSE)
    torch.testing.assert_close(torch.autograd.grad(loss.sum(), slope)[0], slope.detach(), **CLOSE)
