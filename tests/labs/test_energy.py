"""기준값: SciPy의 정규 밀도, 손실을 손으로 부른 값, 손으로 이은 체인."""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from mgk_docs_src.energy import models
from mgk_docs_src.energy.training import (
    contrastive_divergence,
    create,
    denoising_score_matching,
    energy_of,
    jump,
    negative_phase,
    noise_contrastive,
    score_matching,
    sliced_score_matching,
    train,
)
from mgk_docs_src.labs.energy import (
    contrastive,
    denoising,
    matching,
    maximum_likelihood,
    noise_contrast,
    normal_log_density,
    persistent,
    sliced,
    two_peaks,
    two_peaks_log_density,
)
from mgk_docs_src.random import generator, rand, randn

EXAMPLES = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-12, "rtol": 1e-12}
PEAKS = {"share": 0.7, "distance": 3.0, "std": 0.4}


def source(device, seed=0):
    g = generator(seed)
    return lambda n: randn(2, n, 2, generator=g, device=device, dtype=torch.float64)


def net(device):
    return create(2, [generator(0), generator(1)], hidden=(5,), device=device, dtype=torch.float64)


# --- 두 봉우리 ---


@EXAMPLES
@given(
    seed=st.integers(0, 10**6),
    share=st.floats(0.05, 0.95),
    distance=st.floats(-3, 3),
    std=st.floats(0.2, 2),
)
def test_densities_agree_with_scipy(device, seed, share, distance, std):
    x = randn(3, 4, 2, generator=generator(seed), device=device, dtype=torch.float64)
    ours = two_peaks_log_density(x, share=share, distance=distance, std=std)
    at = x.cpu().numpy()
    left, right = (multivariate_normal([side * distance / 2, 0], std**2).logpdf(at) for side in (-1, 1))
    np.testing.assert_allclose(ours.cpu(), np.logaddexp(np.log(share) + left, np.log1p(-share) + right), rtol=1e-10)
    alone = two_peaks_log_density(x, share=1.0, distance=distance, std=std)
    np.testing.assert_allclose(alone.cpu(), left, rtol=1e-10)
    single = multivariate_normal([0, 0], std**2).logpdf(at)
    np.testing.assert_allclose(normal_log_density(x, std=std).cpu(), single, rtol=1e-10)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_draws_follow_the_density(device, kind):
    n = 20_000
    x = two_peaks((2, n), **PEAKS, generator=generator(0), device=device, dtype=kind)
    assert x.shape == (2, n, 2)
    assert x.dtype == kind
    left = (x[..., 0] < 0).double()
    assert left.mean().item() == pytest.approx(0.7, abs=4 * (0.21 / (2 * n)) ** 0.5)
    assert x[..., 1].std().item() == pytest.approx(0.4, abs=4 * 0.4 / (4 * n) ** 0.5)
    # 평균 로그 밀도 = −엔트로피. 봉우리가 떨어져 있어 두 항으로 나뉜다.
    entropy = math.log(2 * math.pi * math.e * 0.4**2) - 0.7 * math.log(0.7) - 0.3 * math.log(0.3)
    assert two_peaks_log_density(x, **PEAKS).mean().item() == pytest.approx(-entropy, abs=0.02)
    again = two_peaks((2, n), **PEAKS, generator=generator(0), device=device, dtype=kind)
    assert torch.equal(x, again)


# --- 목적 함수 ---


def test_objectives_are_their_losses_on_fresh_data(device):
    model, n = net(device), 6
    energy, data = energy_of(model), source(device)(n)
    grid = models.grid(-4.0, 4.0, 20, device=device, dtype=torch.float64)
    kind = {"device": device, "dtype": torch.float64}

    def steps(start, g):
        return negative_phase(energy, start, k=3, step_size=0.2, metropolis=False, generator=g).position

    half = source(device)(n // 2)
    noise = randn(2, n // 2, 2, generator=generator(1), **kind)
    plain = randn(2, n, 2, generator=generator(1), **kind)
    signs = torch.where(rand(2, n, 2, generator=generator(1), **kind) < 0.5, 1.0, -1.0).double()
    pairs = {
        "ML": (
            maximum_likelihood(source(device), grid, batch_size=n),
            models.negative_log_likelihood(energy, data, grid),
        ),
        "CD": (
            contrastive(source(device), batch_size=n, k=3, step_size=0.2, metropolis=False, generator=generator(1)),
            contrastive_divergence(energy, data, steps(data, generator(1))),
        ),
        "SM": (matching(source(device), batch_size=n), score_matching(energy, data)),
        "SSM": (
            sliced(source(device), batch_size=n, generator=generator(1)),
            sliced_score_matching(energy, data, signs),
        ),
        "DSM, 짝": (
            denoising(source(device), batch_size=n, sigma=0.2, generator=generator(1)),
            denoising_score_matching(energy, torch.cat([half, half], 1), torch.cat([noise, -noise], 1), sigma=0.2),
        ),
        "DSM": (
            denoising(source(device), batch_size=n, sigma=0.2, antithetic=False, generator=generator(1)),
            denoising_score_matching(energy, data, plain, sigma=0.2),
        ),
        "NCE": (
            noise_contrast(source(device), batch_size=n, spread=1.5, generator=generator(1)),
            noise_contrastive(
                energy, model.log_partition, data, 1.5 * plain, log_noise=lambda x: normal_log_density(x, std=1.5)
            ),
        ),
    }
    for name, (objective, expected) in pairs.items():
        loss, chains = objective(model, None)
        assert chains is None, name
        torch.testing.assert_close(loss, expected, **CLOSE)
        again, _ = objective(model, None)
        assert not torch.equal(again, loss), name  # 스텝마다 새 데이터다


@pytest.mark.parametrize("spread", [None, 1.5])
def test_persistent_chains_go_on_from_where_they_were(device, spread):
    model, g = net(device), generator(1)
    energy, draw = energy_of(model), source(device)
    objective = persistent(source(device), batch_size=6, k=2, step_size=0.2, spread=spread, generator=generator(1))
    chains = mine = randn(2, 4, 2, generator=generator(5), device=device, dtype=torch.float64)
    for _ in range(3):
        loss, chains = objective(model, chains)
        if spread is not None:
            far = spread * randn(2, 4, 2, generator=g, device=device, dtype=torch.float64)
            log_q = lambda x: normal_log_density(x, std=1.5)  # noqa: E731
            mine = jump(energy, mine, far, log_proposal=log_q, generator=g).position
        mine = negative_phase(energy, mine, k=2, step_size=0.2, generator=g).position
        assert torch.equal(chains, mine)
        torch.testing.assert_close(loss, contrastive_divergence(energy, draw(6), mine), **CLOSE)
    trained = train(objective, model, chains, steps=2, learning_rate=0.01)
    assert trained.chains.shape == (2, 4, 2)


# --- 틀린 입력 ---


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_peaks((3,), share=1.2, distance=1.0, std=1.0, generator=None), r"share: \[0, 1\]"),
        (lambda: two_peaks((3,), share=0.5, distance=math.nan, std=1.0, generator=None), "distance: 유한한"),
        (lambda: two_peaks((3,), share=0.5, distance=1.0, std=0.0, generator=None), "std: 0보다 큰"),
        (lambda: two_peaks_log_density(torch.ones(3), **PEAKS), "x: 모양"),
        (lambda: two_peaks_log_density(torch.ones(0, 2), **PEAKS), "x: 원소가 하나 이상"),
        (lambda: two_peaks_log_density(torch.ones(2) * math.nan, **PEAKS), "x: 유한한 값"),
        (lambda: normal_log_density(torch.ones(()), std=1.0), "x: 축의 수"),
        (lambda: normal_log_density(torch.ones(2), std=-1.0), "std: 0보다 큰"),
        (
            lambda: persistent(lambda n: torch.ones(1, n, 2), batch_size=2, step_size=0.1, spread=None, generator=None)(
                create(2, [None]), None
            ),
            "chains: PCD에는 초기 체인",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
