"""기준값: 자동 미분의 야코비 행렬식, 닫힌 식의 분배 함수, SciPy의 선형 회귀, scikit-learn의 PCA와 최근접 이웃."""

import math
from functools import partial

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from mgk_docs_src.energy.models import banana, evaluate, grid, log_density, log_partition
from mgk_docs_src.labs.claims import (
    Annealed,
    Autoencoder,
    Estimate,
    Flow,
    Line,
    annealed_importance_sampling,
    coupling_flow,
    fit_line,
    flow_log_density,
    flow_sample,
    importance_estimate,
    neighbour_accuracy,
    peaks,
    tilt,
    train_autoencoder,
    train_flow,
)
from mgk_docs_src.networks import forward
from mgk_docs_src.random import generator, rand, randn

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WIDE = torch.float64


def normal(scale, centre=0.0):
    def log_q(x):
        return -(x - centre).square().sum(-1) / (2 * scale**2) - x.shape[-1] * math.log(2 * math.pi * scale**2) / 2

    return log_q


def flows(device, seeds=2, kind=WIDE, layers=4):
    return coupling_flow([generator(s) for s in range(seeds)], layers=layers, width=8, device=device, dtype=kind)


# --- 기울이기 ---


def test_tilting_multiplies_the_densities(device):
    mesh = grid(-8.0, 8.0, 200, device=device, dtype=WIDE)
    x = randn(20, 2, generator=generator(0), device=device, dtype=WIDE)
    same = tilt(normal(1.0), lambda y: y.new_zeros(y.shape[:-1]))
    torch.testing.assert_close(log_density(same, x, mesh), normal(1.0)(x), atol=1e-9, rtol=1e-9)
    # N(0, 1)을 x²/2로 기울이면 N(0, 1/2)이고, Z = E_q[e^-E] = 1/2 (두 차원)
    half = tilt(normal(1.0), lambda y: y.square().sum(-1) / 2)
    torch.testing.assert_close(log_density(half, x, mesh), normal(0.5**0.5)(x), atol=1e-9, rtol=1e-9)
    assert log_partition(half, mesh).item() == pytest.approx(math.log(0.5), abs=1e-9)
    drawn = randn(100_000, 2, generator=generator(1), device=device, dtype=WIDE)
    found = importance_estimate(-drawn.square().sum(-1) / 2)
    assert found.log_partition.item() == pytest.approx(math.log(0.5), abs=0.01)
    assert found.effective.item() == pytest.approx(0.5**2 / (1 / 3), abs=0.01)  # E[w]²/E[w²]


# --- 결합 흐름 ---


def test_the_flow_counts_its_volume_as_the_jacobian_does(device):
    flow = flows(device)
    assert isinstance(flow, Flow)
    x = randn(2, 5, 2, generator=generator(2), device=device, dtype=WIDE)
    mesh = grid(-12.0, 12.0, 300, device=device, dtype=WIDE)
    total = flow_log_density(flow, mesh.points.expand(2, -1, -1)).exp().sum(-1) * mesh.cell
    torch.testing.assert_close(total, total.new_ones(2), atol=1e-3, rtol=1e-3)

    def sampled_from(seed):
        return flow_sample(flow, 5, generator=generator(seed))

    made = sampled_from(3)
    noise = randn(2, 5, 2, generator=generator(3), device=device, dtype=WIDE)
    # 표본은 같은 노이즈에서 왔다. 변수 변환: log q(x) = log N(z) − log |dx/dz|, 층의 스케일은 표본의 밀도에서 구한다
    pushed = flow_log_density(flow, made)
    jacobian = torch.autograd.functional.jacobian(lambda y: _latent(flow, y), made[:, 0])
    for seed in range(2):
        volume = torch.linalg.det(jacobian[seed, :, seed]).abs().log()
        expected = -noise[seed, 0].square().sum() / 2 - math.log(2 * math.pi) + volume
        torch.testing.assert_close(pushed[seed, 0], expected, atol=1e-9, rtol=1e-9)
    assert torch.equal(made, sampled_from(3))
    assert torch.autograd.gradcheck(partial(flow_log_density, flow), (x.requires_grad_(),))


def _latent(flow, x):
    """표본 → 노이즈: 밀도의 코드와 따로 쓴, 층마다의 정의."""
    z = x.clone()
    for index, layer in enumerate(flow.layers):
        seen, other = index % 2, 1 - index % 2
        out = forward(layer, z[:, None, seen : seen + 1])[:, 0]
        moved = z[:, other] * (2 * out[:, 0].tanh()).exp() + out[:, 1]
        z = torch.stack([moved if axis == other else z[:, axis] for axis in (0, 1)], -1)
    return z


def test_training_a_flow_raises_the_likelihood_and_leaves_the_start_alone(device):
    start = flows(device, kind=torch.float32)
    before = [tensor.clone() for layer in start.layers for part in layer for tensor in part]
    stream = generator(4)

    def draw():
        z = randn(2, 128, 2, generator=stream, device=device)
        return torch.stack([z[..., 0], 0.3 * z[..., 1] + z[..., 0].square() - 1], -1)

    trained = train_flow(start, draw, steps=150, learning_rate=0.01)
    fresh = draw()
    truth = -evaluate(banana, fresh).mean(-1) - math.log(2 * math.pi * 0.3)
    first, last = (flow_log_density(flow, fresh).mean(-1) for flow in (start, trained))
    assert (last > first + 0.5).all()
    assert (last < truth + 0.1).all()
    after = [tensor for layer in start.layers for part in layer for tensor in part]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any(tensor.requires_grad for layer in trained.layers for part in layer for tensor in part)
    made = flow_sample(trained, 4000, generator=generator(5))
    assert not made.requires_grad
    assert made.mean(1).abs().max().item() < 0.3


# --- 오토인코더 ---


def test_the_autoencoder_beats_principal_components_on_a_curve(device):
    t = 4 * rand(400, 1, generator=generator(6)) - 2
    mixing = randn(3, 6, generator=generator(7))
    features = torch.cat([t, t.square() - 1, (2 * t).sin()], 1) @ mixing
    seeds = [generator(8), generator(9)]
    found = train_autoencoder(features.to(device), code=1, width=32, steps=300, batch_size=64, generators=seeds)
    assert isinstance(found, Autoencoder)
    code = forward(found.encoder, features.to(device).expand(2, -1, -1))
    assert code.shape == (2, 400, 1)
    error = (forward(found.decoder, code).cpu() - features).square().sum(-1).mean(-1)
    linear = PCA(1).fit(features.numpy())
    rebuilt = linear.inverse_transform(linear.transform(features.numpy()))
    assert (error < 0.5 * np.square(rebuilt - features.numpy()).sum(1).mean()).all()
    again = train_autoencoder(
        features.to(device), code=1, width=32, steps=300, batch_size=64, generators=[generator(8), generator(9)]
    )
    assert torch.equal(found.encoder.weights[0], again.encoder.weights[0])


# --- 분배 함수 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 30), shift=st.floats(-300, 300))
def test_the_estimate_is_the_mean_of_the_weights(device, seed, n, shift):
    log_weights = 2 * randn(3, n, generator=generator(seed), device=device, dtype=WIDE)
    found = importance_estimate(log_weights + shift)
    assert isinstance(found, Estimate)
    weights = log_weights.cpu().numpy()
    np.testing.assert_allclose(found.log_partition.cpu(), np.log(np.exp(weights).mean(1)) + shift, atol=1e-9)
    w = np.exp(weights)
    np.testing.assert_allclose(found.effective.cpu(), w.sum(1) ** 2 / (n * np.square(w).sum(1)), rtol=1e-9)
    assert (found.effective <= 1 + 1e-9).all()
    assert (found.effective >= 1 / n - 1e-9).all()


@pytest.mark.parametrize("dims", [1, 2, 5])
def test_the_peaks_are_a_mixture_whose_normaliser_is_known(device, dims):
    x = 2 * randn(40, dims, generator=generator(10), device=device, dtype=WIDE)
    centre = np.eye(dims)[0] * 1.5
    shape = 0.36 * np.eye(dims)
    right, left = (scipy.stats.multivariate_normal(sign * centre, shape).pdf(x.cpu().numpy()) for sign in (1, -1))
    log_z = dims / 2 * math.log(2 * math.pi * 0.36)
    ours = -peaks(x, distance=1.5, scale=0.6, weight=0.2) - log_z
    np.testing.assert_allclose(ours.cpu(), np.log(0.2 * right + 0.8 * left), rtol=1e-9)
    assert torch.autograd.gradcheck(peaks, (x[:3].requires_grad_(),))
    assert peaks(x[0].detach()).shape == ()


def test_annealing_finds_the_normaliser_and_the_weights_of_the_peaks(device):
    start = 1.5 * randn(400, 3, generator=generator(11), device=device, dtype=WIDE)
    before = start.clone()

    def anneal(stages):
        return annealed_importance_sampling(
            peaks, normal(1.5), start, stages=stages, step_size=0.25, generator=generator(12)
        )

    found = anneal(60)
    assert isinstance(found, Annealed)
    estimate = importance_estimate(found.log_weights)
    truth = 1.5 * math.log(2 * math.pi * 0.25)
    assert estimate.log_partition.item() == pytest.approx(truth, abs=0.12)
    assert estimate.effective.item() > 0.5
    right = found.log_weights.softmax(0) @ (found.position[:, 0] > 0).to(WIDE)
    assert right.item() == pytest.approx(0.7, abs=0.1)
    assert 0.8 < found.acceptance.mean().item() <= 1 + 1e-9
    assert importance_estimate(anneal(3).log_weights).effective < estimate.effective
    assert torch.equal(anneal(60).position, found.position)
    assert torch.equal(start, before)


def test_one_stage_is_plain_importance_sampling_and_the_base_itself_needs_none(device):
    start = randn(2, 50, 4, generator=generator(13), device=device, dtype=WIDE)
    one = annealed_importance_sampling(
        peaks, normal(1.0), start, stages=1, step_size=0.1, leapfrog_steps=1, generator=generator(14)
    )
    torch.testing.assert_close(one.log_weights, -peaks(start) - normal(1.0)(start))
    same = annealed_importance_sampling(
        lambda x: -normal(1.0)(x), normal(1.0), start, stages=5, step_size=0.1, generator=generator(15)
    )
    torch.testing.assert_close(same.log_weights, torch.zeros_like(same.log_weights), atol=1e-12, rtol=0)


def test_a_base_that_misses_a_peak_is_wrong_and_looks_perfect(device):
    centre = torch.tensor([4.0, 0.0], device=device, dtype=WIDE)
    start = centre + 0.6 * randn(300, 2, generator=generator(16), device=device, dtype=WIDE)
    found = annealed_importance_sampling(
        partial(peaks, distance=4.0), normal(0.6, centre), start, stages=20, step_size=0.25, generator=generator(17)
    )
    estimate = importance_estimate(found.log_weights)
    assert estimate.log_partition.item() == pytest.approx(math.log(2 * math.pi * 0.25) + math.log(0.7), abs=0.05)
    assert estimate.effective.item() > 0.9


# --- 지표 ---


def test_neighbours_tell_two_clouds_apart(device):
    first, second, far = (randn(300, 2, generator=generator(18 + i), device=device, dtype=WIDE) for i in range(3))
    assert neighbour_accuracy(first, second).item() == pytest.approx(0.5, abs=0.07)
    assert neighbour_accuracy(first, far + 20).item() == 1
    ours = neighbour_accuracy(first, second[:200] + 0.5)
    both = torch.cat([first, second[:200] + 0.5]).cpu().numpy()
    _, near = NearestNeighbors(n_neighbors=2).fit(both).kneighbors(both)
    own = np.arange(500) < 300
    right = own[near[:, 1]] == own
    assert ours.item() == pytest.approx((right[own].mean() + right[~own].mean()) / 2)


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(3, 40), slope=st.floats(-3, 3), noise=st.floats(0.1, 2))
def test_the_line_is_that_of_scipy(device, seed, n, slope, noise):
    x, e = randn(2, n, generator=generator(seed), device=device, dtype=WIDE)
    y = slope * x + 1 + noise * e
    found = fit_line(torch.stack([x, -x]), torch.stack([y, y]))
    assert isinstance(found, Line)
    truth = scipy.stats.linregress(x.cpu().numpy(), y.cpu().numpy())
    ours = torch.stack(found).cpu()  # (3, 2)
    np.testing.assert_allclose(ours[:, 0], [truth.slope, truth.intercept, truth.rvalue], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours[:, 1], [-truth.slope, truth.intercept, -truth.rvalue], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_everything_follows_the_dtype_and_the_device(device, kind):
    x = randn(2, 6, 2, generator=generator(20), device=device, dtype=kind)
    flow = flows(device, kind=kind)
    annealed = annealed_importance_sampling(
        peaks, normal(1.0), x, stages=2, step_size=0.1, generator=generator(21)
    )  # fmt: skip
    pictures = train_autoencoder(x[0], steps=2, batch_size=4, generators=[generator(22)])
    values = [
        tilt(normal(1.0), banana)(x),
        flow_log_density(flow, x),
        flow_sample(flow, 3, generator=generator(23)),
        *importance_estimate(x[..., 0]),
        *annealed,
        peaks(x),
        neighbour_accuracy(x[0], x[1]),
        *fit_line(x[..., 0], x[..., 1]),
        pictures.encoder.weights[0],
        train_flow(flow, lambda: x, steps=2).layers[0].weights[0],
    ]
    for value in values:
        assert value.dtype == kind
        assert value.device.type == device.type


# --- 틀린 입력 ---


X = torch.zeros(4, 2)
ONE = [torch.Generator()]


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: coupling_flow(ONE, layers=0), ValueError, "layers.*0"),
        (lambda: coupling_flow(ONE, width=0), ValueError, "widths.*0"),
        (lambda: coupling_flow([]), ValueError, "generators.*0"),
        (lambda: flow_log_density(coupling_flow(ONE), X), ValueError, r"x.*\(4, 2\)"),
        (
            lambda: flow_log_density(coupling_flow(ONE), torch.zeros(1, 4, 3)),
            ValueError,
            r"x.*\(1, 4, 2\).*\(1, 4, 3\)",
        ),
        (lambda: flow_log_density(coupling_flow(ONE), [0.0]), TypeError, "x.*list"),
        (lambda: flow_sample(coupling_flow(ONE), 0, generator=None), ValueError, "n.*0"),
        (lambda: train_flow(coupling_flow(ONE), lambda: X[None], steps=0), ValueError, "steps.*0"),
        (
            lambda: train_flow(coupling_flow(ONE), lambda: X[None], steps=1, learning_rate=0.0),
            ValueError,
            "learning_rate",
        ),
        (lambda: train_flow(coupling_flow(ONE), lambda: X[None] / 0, steps=2), ValueError, "parameters.*nan"),
        (lambda: train_autoencoder(X[0], steps=1, generators=ONE), ValueError, "features.*축"),
        (lambda: train_autoencoder(X[:0], steps=1, generators=ONE), ValueError, r"features.*\(0, 2\)"),
        (lambda: train_autoencoder(X / 0, steps=1, generators=ONE), ValueError, "features.*nan"),
        (lambda: train_autoencoder(X, code=0, steps=1, generators=ONE), ValueError, "code.*0"),
        (lambda: train_autoencoder(X, batch_size=0, steps=1, generators=ONE), ValueError, "batch_size.*0"),
        (lambda: train_autoencoder(X, steps=1.5, generators=ONE), TypeError, "steps.*float"),
        (lambda: importance_estimate(X[:0]), ValueError, r"log_weights.*\(0, 2\)"),
        (lambda: importance_estimate(X / 0), ValueError, "log_weights.*nan"),
        (lambda: importance_estimate(torch.tensor(0.0)), ValueError, "log_weights.*축"),
        (lambda: importance_estimate(X.long()), ValueError, "log_weights.*int64"),
        (lambda: _anneal(stages=0), ValueError, "stages.*0"),
        (lambda: _anneal(step_size=0.0), ValueError, "step_size.*0.0"),
        (lambda: _anneal(leapfrog_steps=0), ValueError, "leapfrog_steps.*0"),
        (lambda: _anneal(start=X / 0), ValueError, "start.*nan"),
        (lambda: _anneal(start=[0.0]), TypeError, "start.*list"),
        (lambda: _anneal(energy=lambda x: x), ValueError, r"energy.*\(4,\).*\(4, 2\)"),
        (lambda: _anneal(log_base=lambda x: x), ValueError, r"log_base.*\(4,\).*\(4, 2\)"),
        (lambda: _anneal(log_base=lambda x: 0.0), TypeError, "log_base.*float"),
        (lambda: peaks(X, scale=0.0), ValueError, "scale.*0.0"),
        (lambda: peaks(X, weight=1.0), ValueError, "weight.*1.0"),
        (lambda: peaks(X, distance=math.nan), ValueError, "distance.*nan"),
        (lambda: peaks(X[:0]), ValueError, r"x.*\(0, 2\)"),
        (lambda: peaks(X.long()), ValueError, "x.*int64"),
        (lambda: neighbour_accuracy(X, torch.zeros(4, 3)), ValueError, r"second.*\(4, 2\).*\(4, 3\)"),
        (lambda: neighbour_accuracy(X[:1], X), ValueError, "first.*1"),
        (lambda: neighbour_accuracy(X, X / 0), ValueError, "second.*nan"),
        (lambda: neighbour_accuracy(X[None], X), ValueError, "first.*축"),
        (lambda: fit_line(X[0], X[0, :1]), ValueError, r"y.*\(2,\).*\(1,\)"),
        (lambda: fit_line(X[0, :1], X[0, :1]), ValueError, "n.*1"),
        (lambda: fit_line(X[0] / 0, X[0]), ValueError, "x.*nan"),
        (lambda: fit_line(X[0], [0.0, 1.0]), TypeError, "y.*list"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()


def _anneal(**changes):
    inputs = {"energy": peaks, "log_base": normal(1.0), "start": X}
    given = {name: changes.pop(name, value) for name, value in inputs.items()}
    return annealed_importance_sampling(**given, **({"stages": 2, "step_size": 0.1, "generator": None} | changes))
