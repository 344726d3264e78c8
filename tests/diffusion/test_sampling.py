"""기준값: 가우스 분포의 닫힌 식, torch.distributions, SciPy."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from mgk_docs_src.diffusion.process import (
    cosine_schedule,
    diffuse,
    diffuse_step,
    linear_schedule,
    mixture_log_density,
    mixture_noise,
    noise_to_score,
    noise_to_x0,
    posterior,
    velocity,
    velocity_to_noise,
    velocity_to_x0,
    x0_to_noise,
)
from mgk_docs_src.diffusion.sampling import (
    BoundTerms,
    Moments,
    ancestral_step,
    bound_term,
    ddim_step,
    forward_variance,
    gaussian_moments,
    guide,
    nll_bound_terms,
    observation_gradient,
    optimal_variance,
    posterior_variance,
    probability_flow_log_likelihood,
    sample,
    tilt,
    timesteps,
)
from mgk_docs_src.diffusion.schedules import Schedule
from mgk_docs_src.random import generator, rand, randn
from tests.diffusion.shared import (
    BIMODAL,
    CLOSE,
    EXAMPLES,
    FACTORIES,
    MEAN,
    OBSERVED,
    ROUNDING,
    SEEDS,
    STD,
    STEPS,
    gaussian,
    mixture,
    normal,
    refuses,
    times,
)


def test_guidance_pushes_away_from_the_unconditional(device):
    c, u = normal(1, 4, 2, device=device), normal(2, 4, 2, device=device)
    assert torch.equal(guide(c, u, 0.0), c)
    torch.testing.assert_close(guide(c, u, 2.0) - c, 2 * (c - u), **CLOSE)
    torch.testing.assert_close(guide(c, c, 7.5), c, **CLOSE)


def test_guidance_between_two_gaussians_overshoots_the_condition(device):
    """p(x|c) = N(1, 0.5²), p(x) = N(0, 1)이면 p(x|c)^(1+w) / p(x)^w는 정밀도가 4(1 + w) − w인 정규 분포다."""
    schedule = cosine_schedule(60, device=device)
    conditional, unconditional = gaussian(schedule), gaussian(schedule, 0.0, 1.0)
    moments = [
        gaussian_moments(lambda x, t, w=w: guide(conditional(x, t), unconditional(x, t), w), schedule)
        for w in (0.0, 1.0, 4.0)
    ]
    means, stds = ([float(m[i]) for m in moments] for i in (0, 1))
    assert means[0] == pytest.approx(1, abs=1e-4)
    assert means[0] < means[1] < means[2]
    assert stds[0] > stds[1] > stds[2]
    # 가이던스를 쓴 표본은 거듭제곱한 분포보다도 더 멀리 가고 더 좁다.
    for w, mean, std in zip((1.0, 4.0), means[1:], stds[1:], strict=True):
        precision = 4 * (1 + w) - w
        assert mean > 4 * (1 + w) / precision + 0.05
        assert std < 0.9 / math.sqrt(precision)


def test_the_exact_tilt_is_the_noise_of_the_product(device):
    schedule = cosine_schedule(20, device=device)
    x, t = normal(1, 20, 1, device=device), torch.arange(20, device=device)
    tilted = tilt(gaussian(schedule)(x, t), observation_gradient(x, t, schedule, **OBSERVED), t, schedule)
    # 정밀도 4와 10을 더한다: N(−1/14, 1/14).
    product = gaussian(schedule, -1 / 14, math.sqrt(1 / 14))(x, t)
    torch.testing.assert_close(tilted, product, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("likelihood", ["averaged", "denoised", "noisy"])
def test_every_likelihood_is_the_gradient_of_its_own_logarithm(device, likelihood):
    schedule, t = linear_schedule(10, device=device), 5
    x = normal(3, 6, 1, device=device).requires_grad_()
    kept = schedule.alpha_bar[t].item()
    y, tau = OBSERVED["observation"], OBSERVED["noise_std"]
    if likelihood == "noisy":
        log_r = Normal(x, tau).log_prob(torch.tensor(y, device=device))
    elif likelihood == "denoised":
        log_r = Normal(noise_to_x0(gaussian(schedule)(x, times(0, 6, schedule) * 0 + t), x, t, schedule), tau).log_prob(
            torch.tensor(y, device=device, dtype=torch.float64)
        )
    else:
        # E[r(x0) | x_t]를 x0의 격자 위에서 바로 더한다.
        grid = torch.linspace(-6, 8, 4001, device=device, dtype=torch.float64)
        log_joint = Normal(MEAN, STD).log_prob(grid) + Normal(math.sqrt(kept) * grid, math.sqrt(1 - kept)).log_prob(x)
        log_r = torch.logsumexp(log_joint + Normal(grid, tau).log_prob(torch.tensor(y, device=device)), 1)
        log_r = log_r - torch.logsumexp(log_joint, 1)
    (slope,) = torch.autograd.grad(log_r.sum(), x)
    ours = observation_gradient(x.detach(), t, schedule, **OBSERVED, likelihood=likelihood)
    torch.testing.assert_close(ours, slope, atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize(
    ("likelihood", "steps", "mean"),
    [("averaged", 1000, -0.0714), ("denoised", 1000, -0.3775), ("noisy", 200, -0.1374)],
)
def test_only_the_averaged_likelihood_multiplies(device, likelihood, steps, mean):
    schedule = cosine_schedule(steps, device=device)
    predict = gaussian(schedule)

    def tilted(x, t):
        return tilt(predict(x, t), observation_gradient(x, t, schedule, **OBSERVED, likelihood=likelihood), t, schedule)

    reached = gaussian_moments(tilted, schedule)
    assert reached.mean.item() == pytest.approx(mean, abs=5e-5)
    if likelihood == "averaged":
        assert reached.mean.item() == pytest.approx(-1 / 14, abs=1e-7)
        rule = partial(optimal_variance, std=math.sqrt(1 / 14))
        exact = gaussian_moments(tilted, schedule, variance=rule, steps=100)
        assert exact.std.item() == pytest.approx(math.sqrt(1 / 14), abs=1e-9)


@EXAMPLES
@given(seed=SEEDS, steps=st.integers(2, 40), factory=st.sampled_from(FACTORIES), std=st.floats(0.05, 3))
def test_the_variances_are_those_of_gaussian_conditioning(device, seed, steps, factory, std):
    schedule = factory(steps, device=device)
    first, second = sorted(np.random.default_rng(seed).choice(steps + 1, 2, replace=False) - 1)
    s, t = int(first), int(second)
    a_t, a_s = schedule.alpha_bar[t].item(), 1.0 if s < 0 else schedule.alpha_bar[s].item()
    # (x_s, x_t)의 결합 공분산에서 Var[x_s | x_t]
    var_s, var_t = a_s * std**2 + 1 - a_s, a_t * std**2 + 1 - a_t
    conditional = var_s - (math.sqrt(a_t / a_s) * var_s) ** 2 / var_t
    best = optimal_variance(t, s, schedule, std=std).item()
    small, large = posterior_variance(t, s, schedule).item(), forward_variance(t, s, schedule).item()
    assert best == pytest.approx(conditional, rel=1e-7, abs=1e-12)
    assert small < best
    if s >= 0:
        assert optimal_variance(t, s, schedule, std=1.0).item() == pytest.approx(large, rel=1e-9)
        assert small < large
        one = torch.zeros(1, device=device, dtype=torch.float64)
        assert posterior_variance(t, t - 1, schedule).item() == pytest.approx(
            posterior(one, one, t, schedule).variance.item(), rel=1e-12
        )
        assert forward_variance(t, t - 1, schedule).item() == pytest.approx(schedule.beta[t].item(), rel=1e-9)
    else:
        assert small == large == 0
    assert optimal_variance(t, s, schedule, std=1e-9).item() == pytest.approx(small, rel=1e-6, abs=1e-15)


@EXAMPLES
@given(seed=SEEDS, steps=STEPS, factory=st.sampled_from(FACTORIES))
def test_an_ancestral_step_is_the_posterior_of_the_guess(device, seed, steps, factory):
    schedule = factory(steps, device=device)
    t = int(times(seed, 1, schedule))
    xt, e, z = (normal(seed + i, 5, 2, device=device) for i in range(3))
    guess = noise_to_x0(e, xt, t, schedule)
    mean, variance = posterior(guess, xt, t, schedule)
    ours = ancestral_step(xt, e, t, t - 1, schedule, noise=z)
    scale = guess.abs().max()
    assert ((ours - mean - variance.sqrt() * z).abs() <= 1e-12 * scale.clamp(min=1)).all()
    wide = ancestral_step(xt, e, t, t - 1, schedule, noise=z, variance=forward_variance)
    added = forward_variance(t, t - 1, schedule).sqrt() - variance.sqrt()
    torch.testing.assert_close(wide - ours, added * z, **CLOSE)


@EXAMPLES
@given(seed=SEEDS, steps=st.integers(2, 40), factory=st.sampled_from(FACTORIES))
def test_ddim_keeps_the_noise_and_becomes_ancestral_at_eta_one(device, seed, steps, factory):
    schedule = factory(steps, device=device)
    first, second = sorted(np.random.default_rng(seed).choice(steps + 1, 2, replace=False) - 1)
    s, t = int(first), int(second)
    x0, e, z = (normal(seed + i, 5, 2, device=device) for i in range(3))
    xt = diffuse(x0, t, schedule, noise=e)
    there = ddim_step(xt, e, t, s, schedule)
    expected = x0 if s < 0 else diffuse(x0, s, schedule, noise=e)
    torch.testing.assert_close(there, expected, atol=1e-9, rtol=1e-9)
    same = ddim_step(xt, e, t, s, schedule, eta=1.0, noise=z)
    torch.testing.assert_close(same, ancestral_step(xt, e, t, s, schedule, noise=z), atol=1e-9, rtol=1e-9)


@EXAMPLES
@given(seed=SEEDS, steps=st.integers(2, 40), clip=st.floats(0.1, 3), factory=st.sampled_from(FACTORIES))
def test_a_clipped_guess_goes_on_with_the_noise_that_fits_it(device, seed, steps, clip, factory):
    schedule = factory(steps, device=device)
    first, second = sorted(np.random.default_rng(seed).choice(steps + 1, 2, replace=False) - 1)
    s, t = int(first), int(second)
    xt, e, z = (normal(seed + i, 5, 2, device=device) for i in range(3))
    guess = noise_to_x0(e, xt, t, schedule).clamp(-clip, clip)
    fits = x0_to_noise(guess, xt, t, schedule)
    there = ddim_step(xt, e, t, s, schedule, clip=clip)
    torch.testing.assert_close(there, guess if s < 0 else diffuse(guess, s, schedule, noise=fits), atol=1e-9, rtol=1e-9)
    ours = ancestral_step(xt, e, t, t - 1, schedule, noise=z, clip=clip)
    mean, variance = posterior(guess, xt, t, schedule)
    torch.testing.assert_close(ours, mean + variance.sqrt() * z, atol=1e-9, rtol=1e-9)
    for step in (partial(ddim_step, eta=0.3), ancestral_step):  # 닿지 않는 끝은 한 비트도 바꾸지 않는다
        free = step(xt, e, t, s, schedule, noise=z)
        assert torch.equal(step(xt, e, t, s, schedule, noise=z, clip=1e30), free)


def test_clipping_mends_what_the_tail_of_the_schedule_breaks(device):
    """예측이 조금 틀리면 코사인 스케줄의 끝에서 추정한 데이터가 수천 배 틀린다. 원인은 ᾱ의 꼬리다."""
    where = {"means": torch.tensor([[-1.0], [1.0]], device=device), "std": 0.2}
    near = {}
    for name, schedule, clip in (
        ("코사인", cosine_schedule(200, device=device), None),
        ("자르기", cosine_schedule(200, device=device), 2.0),
        ("선형", linear_schedule(200, device=device), None),
    ):

        def wrong(x, t, schedule=schedule):
            return mixture_noise(x, t, schedule, **where) + 0.03

        knobs = {"method": "ddim", "steps": 50, "clip": clip, "generator": generator(0)}
        samples = sample(wrong, (1000, 1), schedule, **knobs)
        near[name] = (samples.abs() - 1).abs().lt(0.6).float().mean().item()
    assert near["코사인"] < 0.5
    assert near["자르기"] > 0.95
    assert near["선형"] > 0.95


@EXAMPLES
@given(total=st.integers(1, 300), share=st.floats(0, 1))
def test_timesteps_go_down_from_the_noise_to_the_data(device, total, share):
    schedule = linear_schedule(total, device=device)
    steps = 1 + round(share * (total - 1))
    chosen = timesteps(schedule, steps=steps)
    assert len(chosen) == steps + 1
    assert chosen[0] == total - 1
    assert chosen[-1] == -1
    assert chosen[-2] == (0 if steps > 1 else total - 1)
    gaps = -np.diff(chosen)
    assert gaps.min() >= 1
    assert np.ptp(gaps[:-1]) <= 1 if steps > 1 else True
    assert timesteps(schedule) == tuple(range(total - 1, -2, -1))


@pytest.mark.parametrize("method", ["ancestral", "ddim"])
def test_the_samples_follow_the_moments(device, method):
    schedule = cosine_schedule(10, device=device)
    predict = gaussian(schedule)
    samples = sample(predict, (20_000, 1), schedule, generator=generator(0), method=method, dtype=torch.float64)
    mean, std = gaussian_moments(predict, schedule, method=method)
    reached = scipy.stats.kstest(samples[:, 0].cpu().numpy(), scipy.stats.norm(mean.item(), std.item()).cdf)
    assert reached.pvalue > 0.01
    assert samples.device.type == device.type


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"variance": forward_variance},
        {"variance": partial(optimal_variance, std=0.5), "steps": 5},
        {"method": "ddim"},
        {"method": "ddim", "eta": 0.5, "steps": 3},
    ],
)
def test_the_same_generator_gives_the_same_samples(device, knobs):
    schedule = linear_schedule(12, device=device)
    predict = gaussian(schedule)
    first, again, other = (sample(predict, (8, 1), schedule, generator=generator(s), **knobs) for s in (4, 4, 5))
    assert first.dtype == torch.float32
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    path = sample(predict, (8, 1), schedule, generator=generator(4), **knobs, trajectory=True)
    assert path.shape == (knobs.get("steps", 12) + 1, 8, 1)
    assert torch.equal(path[-1], first)
    assert torch.equal(path[0], randn(8, 1, generator=generator(4), device=device))


def test_sampling_is_the_public_steps_in_turn(device):
    schedule = cosine_schedule(9, device=device)
    predict = gaussian(schedule)
    for knobs in ({}, {"method": "ddim", "eta": 0.7}):
        g = generator(2)
        x = randn(6, 1, generator=g, device=device, dtype=torch.float64)
        visited = timesteps(schedule, steps=4)
        for t, s in pairwise(visited):
            e = predict(x, torch.full((6,), t, device=device))
            z = randn(6, 1, generator=g, device=device, dtype=torch.float64)
            step = partial(ddim_step, eta=0.7) if knobs else ancestral_step
            x = step(x, e, t, s, schedule, noise=z)
        ours = sample(predict, (6, 1), schedule, generator=generator(2), steps=4, dtype=torch.float64, **knobs)
        torch.testing.assert_close(ours, x, **CLOSE)


def test_images_can_be_sampled_and_the_predictor_sees_integer_times(device):
    schedule = linear_schedule(3, device=device)
    seen = []

    def predict(x, t):
        seen.append((x.requires_grad or torch.is_grad_enabled(), t.dtype, t.tolist()))
        return 0.1 * x

    images = sample(predict, (2, 1, 4, 4), schedule, generator=None)
    assert images.shape == (2, 1, 4, 4)
    assert seen == [(False, torch.int64, [t, t]) for t in (2, 1, 0)]


@pytest.mark.parametrize(("steps", "std"), [(10, 0.3887), (50, 0.4677), (200, 0.4907), (1000, 0.4980)])
def test_a_perfect_predictor_is_exact_only_in_the_limit(device, steps, std):
    schedule = cosine_schedule(steps, device=device)
    reached = gaussian_moments(gaussian(schedule), schedule)
    assert isinstance(reached, Moments)
    assert reached.mean.item() == pytest.approx(MEAN, abs=1e-4)
    assert reached.std.item() == pytest.approx(std, abs=5e-5)


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("steps", [1, 3, 10])
def test_the_right_variance_makes_even_a_few_steps_exact(device, factory, steps):
    schedule = factory(40, device=device)
    rule = partial(optimal_variance, std=STD)
    reached = gaussian_moments(gaussian(schedule), schedule, variance=rule, steps=steps)
    assert reached.std.item() == pytest.approx(STD, abs=1e-6)


def test_the_error_of_the_spread_halves_with_twice_the_steps(device):
    for knobs, below in (({}, 1), ({"variance": forward_variance}, -1), ({"method": "ddim"}, 1)):
        errors = []
        for steps in (50, 100, 200):
            schedule = cosine_schedule(steps, device=device)
            errors.append(below * (STD - gaussian_moments(gaussian(schedule), schedule, **knobs).std.item()))
        assert all(error > 0 for error in errors)
        assert errors[0] / errors[1] == pytest.approx(2, abs=0.3)
        assert errors[1] / errors[2] == pytest.approx(2, abs=0.3)


def signs(values):
    """평균 0, 분산 1인 두 점. 이차식의 기댓값은 두 점의 평균과 정확히 같다."""
    n = len(values)
    noise = torch.ones(2 * n, 1, device=values.device, dtype=torch.float64)
    noise[n:] = -1
    return torch.cat([values, values]), noise


def expected_bound(predict, x0, schedule, variance):
    """예측이 일차식일 때, 노이즈에 대한 기댓값까지 정확한 상한 (n,)."""
    twice, noise = signs(x0)
    each = sum(
        bound_term(predict, twice, t, schedule, noise=noise, variance=variance) for t in range(len(schedule.beta))
    )
    prior = nll_bound_terms(predict, x0, schedule, generator=generator(0), variance=variance).prior
    return each.reshape(2, -1).mean(0) + prior


def closed_gap(schedule, sigma2, std=STD, mean=MEAN):
    """데이터가 가우스 분포이고 예측이 완벽할 때, 상한과 음의 로그 가능도의 차."""
    kept = schedule.alpha_bar
    right = torch.stack([optimal_variance(t, t - 1, schedule, std=std) for t in range(len(kept))])
    ratio = right / sigma2
    last = kept[-1]
    spread = last * std**2 + 1 - last
    return ((ratio - 1 - ratio.log()).sum() + spread + last * mean**2 - 1 - spread.log()) / 2


@pytest.mark.parametrize(
    ("rule", "gaps"),
    [
        (posterior_variance, (0.5686, 0.8344, 0.4022)),
        (forward_variance, (0.0569, 0.0121, 0.00061)),
        (partial(optimal_variance, std=STD), (1.2e-5, 4.9e-7, 1.2e-9)),
    ],
)
def test_the_bound_misses_by_what_the_variance_misses(device, rule, gaps):
    data = torch.tensor([[MEAN - STD], [MEAN + STD]], device=device, dtype=torch.float64)
    for steps, gap in zip((10, 50), gaps, strict=False):
        schedule = cosine_schedule(steps, device=device)
        bound = expected_bound(gaussian(schedule), data, schedule, rule).mean()
        truth = -mixture_log_density(data, -1, schedule, means=data.new_tensor([[MEAN]]), std=STD).mean()
        sigma2 = torch.stack([rule(t, t - 1, schedule) for t in range(steps)])
        sigma2[0] = sigma2[0] if sigma2[0] > 0 else schedule.beta[0]
        closed = closed_gap(schedule, sigma2)
        assert (bound - truth).item() == pytest.approx(closed.item(), abs=1e-9)
        assert closed.item() == pytest.approx(gap, rel=0.02)
        assert closed.item() > 0
    longest = cosine_schedule(1000, device=device)
    sigma2 = torch.stack([rule(t, t - 1, longest) for t in range(1000)])
    sigma2[0] = sigma2[0] if sigma2[0] > 0 else longest.beta[0]
    assert closed_gap(longest, sigma2).item() == pytest.approx(gaps[2], rel=0.02)


@EXAMPLES
@given(
    seed=SEEDS,
    steps=st.integers(1, 8),
    affine=st.tuples(st.floats(-0.5, 1.5), st.floats(-1, 1)),
    rule=st.sampled_from([posterior_variance, forward_variance, partial(optimal_variance, std=0.7)]),
)
def test_the_bound_is_never_better_than_the_models_own_likelihood(device, seed, steps, affine, rule):
    """예측이 일차식이면 모형의 분포가 정확히 정규 분포라, 데이터마다 정확한 값과 비교할 수 있다."""
    schedule = linear_schedule(steps, device=device)

    def predict(x, t):
        return affine[0] * x + affine[1]

    def decoding(t, s, schedule):
        variance = rule(t, s, schedule)
        return torch.where(variance > 0, variance, schedule.beta[0])

    mean, std = gaussian_moments(predict, schedule, variance=decoding)
    x0 = 2 * normal(seed, 6, 1, device=device)
    bound = expected_bound(predict, x0, schedule, rule)
    truth = -Normal(mean, std).log_prob(x0[:, 0])
    assert (bound >= truth - 1e-9 * truth.abs()).all()


def test_every_step_is_a_kl_divergence(device):
    schedule, parts = cosine_schedule(6, device=device), mixture(device)
    predict = partial(mixture_noise, schedule=schedule, **parts)
    x0, z = normal(1, 5, 1, device=device), normal(2, 5, 1, device=device)
    for t in range(6):
        for rule in (posterior_variance, forward_variance, partial(optimal_variance, std=STD)):
            xt = diffuse(x0, t, schedule, noise=z)
            guess = noise_to_x0(predict(xt, torch.full((5,), t, device=device)), xt, t, schedule)
            mean, sigma2 = posterior(guess, xt, t, schedule).mean, rule(t, t - 1, schedule)
            if t == 0:
                sigma2 = sigma2 if sigma2 > 0 else schedule.beta[0]
                expected = -Normal(mean, sigma2.sqrt()).log_prob(x0)
            else:
                exact = posterior(x0, xt, t, schedule)
                expected = kl_divergence(Normal(exact.mean, exact.variance.sqrt()), Normal(mean, sigma2.sqrt()))
            ours = bound_term(predict, x0, t, schedule, noise=z, variance=rule)
            torch.testing.assert_close(ours, expected[:, 0], atol=1e-9, rtol=1e-9)
            assert t == 0 or (ours >= 0).all()


def test_the_terms_are_drawn_one_after_another(device):
    schedule = linear_schedule(5, device=device)
    predict = gaussian(schedule)
    x0 = normal(1, 4, 1, device=device)
    terms = nll_bound_terms(predict, x0, schedule, generator=generator(3))
    assert isinstance(terms, BoundTerms)
    g = generator(3)
    each = [
        bound_term(predict, x0, t, schedule, noise=randn(4, 1, generator=g, device=device, dtype=torch.float64))
        for t in range(5)
    ]
    torch.testing.assert_close(terms.reconstruction, each[0], **CLOSE)
    torch.testing.assert_close(terms.steps, torch.stack(each[1:]), **CLOSE)
    torch.testing.assert_close(terms.total, sum(each) + terms.prior, **CLOSE)
    last = schedule.alpha_bar[-1]
    prior = kl_divergence(Normal(last.sqrt() * x0, (1 - last).sqrt()), Normal(0.0, 1.0))
    torch.testing.assert_close(terms.prior, prior[:, 0], atol=1e-12, rtol=1e-9)
    again = nll_bound_terms(predict, x0, schedule, generator=generator(3))
    assert torch.equal(terms.total, again.total)


def test_the_bound_takes_images_and_a_single_step(device):
    schedule = linear_schedule(1, device=device)
    images = normal(1, 3, 2, 2, device=device)
    terms = nll_bound_terms(lambda x, t: 0.5 * x, images, schedule, generator=generator(0))
    assert terms.steps.shape == (0, 3)
    assert terms.total.shape == (3,)
    flat = nll_bound_terms(lambda x, t: 0.5 * x, images.reshape(3, 4), schedule, generator=generator(0))
    torch.testing.assert_close(terms.total, flat.total, **CLOSE)


def test_the_bound_holds_for_a_mixture_on_average(device):
    schedule, parts = cosine_schedule(30, device=device), mixture(device)
    g = generator(7)
    which = (rand(4000, generator=g, device=device) > BIMODAL["weights"][0]).long()
    x0 = parts["means"][which] + parts["std"][which, None] * normal(8, 4000, 1, device=device)
    predict = partial(mixture_noise, schedule=schedule, **parts)
    terms = nll_bound_terms(predict, x0, schedule, generator=g, variance=forward_variance)
    gap = terms.total + mixture_log_density(x0, -1, schedule, **parts)
    assert gap.mean() > 3 * gap.std() / math.sqrt(4000)
    assert gap.mean() < 0.5


@pytest.mark.parametrize(("steps", "error"), [(20, 0.005), (100, 6e-4), (1000, 6e-5)])
def test_the_probability_flow_reads_the_likelihood(device, steps, error):
    schedule = cosine_schedule(steps, device=device)
    x0 = MEAN + STD * normal(0, 100, 1, device=device)
    ours = probability_flow_log_likelihood(gaussian(schedule), x0, schedule)
    truth = mixture_log_density(x0, -1, schedule, means=x0.new_tensor([[MEAN]]), std=STD)
    assert (ours - truth).abs().mean() < error
    assert not ours.requires_grad


def test_the_flow_is_of_second_order(device):
    """평균이 0이면 끝이 N(0, 1)과 √ᾱ의 제곱만큼만 달라, 푸는 오차가 보인다."""
    parts = mixture(device, {"means": ((-1.0,), (1.0,)), "std": (0.5, 0.5), "weights": (0.5, 0.5)})
    x0 = torch.linspace(-2, 2, 41, device=device, dtype=torch.float64)[:, None]
    errors = []
    for steps in (25, 50, 100):
        schedule = cosine_schedule(steps, device=device)
        predict = partial(mixture_noise, schedule=schedule, **parts)
        truth = mixture_log_density(x0, -1, schedule, **parts)
        errors.append((probability_flow_log_likelihood(predict, x0, schedule) - truth).abs().mean().item())
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.8)
    assert errors[1] / errors[2] == pytest.approx(4, abs=0.8)


def test_the_flow_takes_several_dimensions_and_any_shape(device):
    schedule, parts = cosine_schedule(60, device=device), {"std": 0.4}
    parts["means"] = normal(1, 3, 4, device=device)
    x0 = normal(2, 5, 4, device=device)
    predict = partial(mixture_noise, schedule=schedule, **parts)
    ours = probability_flow_log_likelihood(predict, x0, schedule)
    torch.testing.assert_close(ours, mixture_log_density(x0, -1, schedule, **parts), atol=0.02, rtol=0)

    def folded(x, t):
        return predict(x.reshape(-1, 4), t).reshape(x.shape)

    again = probability_flow_log_likelihood(folded, x0.reshape(5, 2, 2), schedule)
    torch.testing.assert_close(again, ours, **CLOSE)


def through_everything(x, y, t, schedule):
    """표본마다 계산하는 공개 함수들."""
    one, where = 3, {"means": x.new_tensor([[0.5, -1.0]]), "std": 0.5}
    return {
        "diffuse_step": lambda: diffuse_step(x, t, schedule, noise=y),
        "diffuse": lambda: diffuse(x, t, schedule, noise=y),
        "posterior": lambda: posterior(x, y, t, schedule).mean,
        "posterior variance": lambda: posterior(x, y, t, schedule).variance,
        "noise_to_x0": lambda: noise_to_x0(x, y, t, schedule),
        "x0_to_noise": lambda: x0_to_noise(x, y, t, schedule),
        "velocity": lambda: velocity(x, y, t, schedule),
        "velocity_to_x0": lambda: velocity_to_x0(x, y, t, schedule),
        "velocity_to_noise": lambda: velocity_to_noise(x, y, t, schedule),
        "noise_to_score": lambda: noise_to_score(x, t, schedule),
        "mixture_log_density": lambda: mixture_log_density(x, t, schedule, **where),
        "mixture_noise": lambda: mixture_noise(x, t, schedule, **where),
        "guide": lambda: guide(x, y, 0.5),
        "tilt": lambda: tilt(x, y, t, schedule),
        "observation_gradient": lambda: observation_gradient(x, t, schedule, **OBSERVED),
        "noisy gradient": lambda: observation_gradient(x, t, schedule, **OBSERVED, likelihood="noisy"),
        "ancestral_step": lambda: ancestral_step(x, y, one, one - 1, schedule, noise=y),
        "ddim_step": lambda: ddim_step(x, y, one, 0, schedule, eta=0.5, noise=y),
        "bound_term": lambda: bound_term(lambda x, t: 0.3 * x, x, one, schedule, noise=y),
    }


@pytest.mark.parametrize("kind", ROUNDING)
def test_every_function_follows_the_dtype_and_leaves_its_inputs_alone(device, kind):
    schedule = linear_schedule(6, device=device)
    x, y = (normal(i, 7, 2, device=device).to(kind) for i in (1, 2))
    t = torch.tensor([0, 1, 2, 3, 4, 5, 0], device=device)
    before = [v.clone() for v in (x, y, t, *schedule)]
    ours, wide = through_everything(x, y, t, schedule), through_everything(x.double(), y.double(), t, schedule)
    for name in ours:
        value, exact = ours[name](), wide[name]()
        assert value.dtype == kind, name
        assert value.device.type == device.type, name
        allowed = ROUNDING[kind] * exact.abs().max().item()
        torch.testing.assert_close(value.double(), exact, atol=allowed, rtol=ROUNDING[kind], msg=name)
    for old, new in zip(before, (x, y, t, *schedule), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32])
def test_sampling_and_likelihoods_follow_the_dtype(device, kind):
    schedule = cosine_schedule(8, device=device)
    predict = gaussian(schedule)
    samples = sample(predict, (400, 1), schedule, generator=generator(0), dtype=kind)
    assert samples.dtype == kind
    mean, std = gaussian_moments(predict, schedule)
    assert samples.double().mean().item() == pytest.approx(mean.item(), abs=4 * std.item() / math.sqrt(400))
    assert samples.double().std().item() == pytest.approx(std.item(), rel=4 / math.sqrt(800))
    x0 = samples[:5]
    likelihood = probability_flow_log_likelihood(predict, x0, schedule)
    assert likelihood.dtype == kind
    torch.testing.assert_close(
        likelihood.double(),
        probability_flow_log_likelihood(predict, x0.double(), schedule),
        atol=0.05,
        rtol=2e-2,
    )
    assert nll_bound_terms(predict, x0, schedule, generator=generator(1)).total.dtype == kind


@pytest.mark.parametrize("name", list(through_everything(torch.zeros(7, 2), torch.zeros(7, 2), 0, linear_schedule(6))))
def test_every_gradient_is_right(device, name):
    schedule = linear_schedule(6, device=device)
    x, y = (normal(i, 7, 2, device=device).requires_grad_() for i in (1, 2))
    t = torch.tensor([0, 1, 2, 3, 4, 5, 0], device=device)
    if not through_everything(x, y, t, schedule)[name]().requires_grad:
        assert name == "posterior variance"
        return
    assert torch.autograd.gradcheck(lambda a, b: through_everything(a, b, t, schedule)[name](), (x, y))


@pytest.mark.bad_input
def test_bad_guidance_and_observations(device):
    schedule = linear_schedule(4, device=device)
    x = torch.zeros(3, 1, device=device)
    refuses(lambda: guide(x, x, -0.1), "scale", "-0.1")
    refuses(lambda: guide(x, x[:2], 1.0), "unconditional", "(3, 1)")
    refuses(lambda: guide(x, x + math.nan, 1.0), "unconditional", "nan")
    refuses(lambda: guide(x[:0], x[:0], 1.0), "conditional", "원소")
    refuses(lambda: guide(x.long(), x, 1.0), "conditional", "실수형")
    refuses(lambda: guide(x, x, "1"), "scale", "str", kind=TypeError)
    for change, words in (
        ({"std": 0.0}, ("std",)),
        ({"noise_std": -1.0}, ("noise_std", "-1")),
        ({"mean": math.nan}, ("mean", "nan")),
        ({"observation": math.inf}, ("observation", "inf")),
        ({"likelihood": "naive"}, ("likelihood", "naive", "averaged")),
    ):
        refuses(lambda c=change: observation_gradient(x, 0, schedule, **(OBSERVED | c)), *words)
    refuses(lambda: observation_gradient(x, 4, schedule, **OBSERVED), "t:", "4")


@pytest.mark.bad_input
def test_bad_steps(device):
    schedule = linear_schedule(4, device=device)
    x = torch.zeros(3, 1, device=device)
    for rule in (posterior_variance, forward_variance, partial(optimal_variance, std=1.0)):
        for t, s in ((2, 2), (1, 3), (0, 0)):
            refuses(lambda r=rule, t=t, s=s: r(t, s, schedule), "s:", str(t), str(s))
        refuses(lambda r=rule: r(4, 1, schedule), "t:", "4")
        refuses(lambda r=rule: r(2, -2, schedule), "s:", "-2")
        refuses(lambda r=rule: r(2, 1.0, schedule), "s:", "float", kind=TypeError)
    refuses(lambda: optimal_variance(2, 1, schedule, std=0.0), "std", "0")
    for step in (partial(ancestral_step, noise=x), ddim_step):
        refuses(lambda f=step: f(x, x, 1, 1, schedule), "s:")
        refuses(lambda f=step: f(x, x[:2], 1, 0, schedule), "noise_prediction", "(3, 1)")
        refuses(lambda f=step: f(x, x * math.nan, 1, 0, schedule), "noise_prediction", "nan")
        refuses(lambda f=step: f(x.long(), x, 1, 0, schedule), "xt", "실수형")
    refuses(lambda: ancestral_step(x, x, 1, 0, schedule, noise=x[:2]), "noise", "(3, 1)")
    refuses(lambda: ancestral_step(x, x, 1, 0, schedule, noise=x, variance=0.1), "variance", "float", kind=TypeError)
    refuses(lambda: ddim_step(x, x, 1, 0, schedule, eta=0.5), "noise", "None")
    refuses(lambda: ddim_step(x, x, 1, 0, schedule, eta=1.5, noise=x), "eta", "1.5")
    refuses(lambda: ddim_step(x, x, 1, 0, schedule, eta=0.5, noise=x[:2]), "noise", "(3, 1)")


@pytest.mark.bad_input
def test_bad_sampling(device):
    schedule = linear_schedule(4, device=device)
    g = generator(0)

    def zero(x, t):
        return 0 * x

    for steps in (0, 5):
        refuses(lambda s=steps: timesteps(schedule, steps=s), "steps", str(steps))
        refuses(lambda s=steps: sample(zero, (2, 1), schedule, generator=g, steps=s), "steps", str(steps))
        refuses(lambda s=steps: gaussian_moments(zero, schedule, steps=s), "steps", str(steps))
    refuses(lambda: timesteps(schedule, steps=2.0), "steps", "float", kind=TypeError)
    refuses(lambda: sample("net", (2, 1), schedule, generator=g), "predict", "str", kind=TypeError)
    refuses(lambda: sample(zero, (), schedule, generator=g), "shape")
    refuses(lambda: sample(zero, (2, 0), schedule, generator=g), "shape[1]", "0")
    refuses(lambda: sample(zero, (2.0,), schedule, generator=g), "shape[0]", "float", kind=TypeError)
    refuses(lambda: sample(zero, (2, 1), schedule, generator=g, method="euler"), "method", "euler", "ddim")
    refuses(lambda: sample(zero, (2, 1), schedule, generator=g, eta=0.5), "eta", "ancestral")
    refuses(lambda: sample(zero, (2, 1), schedule, generator=g, eta=-0.5, method="ddim"), "eta", "-0.5")
    refuses(
        lambda: sample(zero, (2, 1), schedule, generator=g, method="ddim", variance=posterior_variance),
        "variance",
        "ddim",
    )
    refuses(lambda: sample(zero, (2, 1), schedule, generator=g, variance=1.0), "variance", "float", kind=TypeError)
    refuses(lambda: sample(lambda x, t: x[:1], (2, 1), schedule, generator=g), "predict", "(2, 1)", "(1, 1)")
    refuses(lambda: sample(lambda x, t: x.long(), (2, 1), schedule, generator=g), "predict", "실수형")
    refuses(lambda: sample(lambda x, t: None, (2, 1), schedule, generator=g), "predict", "NoneType", kind=TypeError)
    refuses(lambda: sample(lambda x, t: x * math.nan, (2, 1), schedule, generator=g), "predict", "nan")
    refuses(lambda: sample(zero, 5, schedule, generator=g), "shape: ", "int", kind=TypeError)
    refuses(lambda: sample(zero, (2, 1), schedule, generator=g, dtype=torch.int64), "dtype: ", "int64")
    for clip in (0.0, -1.0, math.inf, math.nan):
        refuses(lambda c=clip: sample(zero, (2, 1), schedule, generator=g, clip=c), "clip: ", str(clip))
    refuses(lambda: sample(zero, (2, 1), schedule, generator=g, clip="3"), "clip: ", "str", kind=TypeError)
    refuses(lambda: gaussian_moments(lambda x, t: x**2, schedule), "predict", "일차식")
    refuses(lambda: gaussian_moments(lambda x, t: x * math.inf, schedule), "predict")
    refuses(lambda: gaussian_moments(None, schedule), "predict", "NoneType", kind=TypeError)


@pytest.mark.bad_input
def test_bad_likelihoods(device):
    schedule = linear_schedule(4, device=device)
    x = torch.zeros(3, 1, device=device)

    def zero(x, t):
        return 0 * x

    refuses(lambda: bound_term(zero, x, 4, schedule, noise=x), "t:", "4")
    refuses(lambda: bound_term(zero, x, 1.0, schedule, noise=x), "t:", "float", kind=TypeError)
    refuses(lambda: bound_term(zero, x, 1, schedule, noise=x[:2]), "noise", "(3, 1)")
    refuses(lambda: bound_term(None, x, 1, schedule, noise=x), "predict", kind=TypeError)
    refuses(lambda: bound_term(zero, x, 1, schedule, noise=x, variance=None), "variance", kind=TypeError)
    refuses(lambda: bound_term(lambda x, t: x[:1], x, 1, schedule, noise=x), "predict", "(3, 1)")
    for function in (
        lambda predict, x0: nll_bound_terms(predict, x0, schedule, generator=generator(0)),
        lambda predict, x0: probability_flow_log_likelihood(predict, x0, schedule),
    ):
        refuses(lambda f=function: f(zero, x.long()), "x0", "실수형")
        refuses(lambda f=function: f(zero, x * math.nan), "x0", "nan")
        refuses(lambda f=function: f(zero, x[:0]), "x0", "원소")
        refuses(lambda f=function: f(zero, x.to("meta")), "x0", "장치")
        refuses(lambda f=function: f("net", x), "predict", "str", kind=TypeError)
        refuses(lambda f=function: f(lambda x, t: x[:1], x), "predict", "(3, 1)")
    refuses(lambda: probability_flow_log_likelihood(lambda x, t: x.detach(), x, schedule), "predict", "기울기")
    refuses(lambda: probability_flow_log_likelihood(lambda x, t: x * math.nan, x, schedule), "predict", "nan")


@pytest.mark.bad_input
def test_a_prediction_made_for_another_schedule_is_refused(device):
    """시각의 번호만 보는 예측은 틀린 스케줄을 알아채지 못한다. 저장된 스케줄을 비교한다."""
    schedule, other = cosine_schedule(50, device=device), cosine_schedule(200, device=device)
    x = torch.zeros(3, 1, device=device)
    predict = partial(mixture_noise, schedule=other, means=x[:1], std=0.5)
    for call in (
        lambda f: sample(f, (3, 1), schedule, generator=generator(0)),
        lambda f: gaussian_moments(f, schedule),
        lambda f: bound_term(f, x, 1, schedule, noise=x),
        lambda f: nll_bound_terms(f, x, schedule, generator=generator(0)),
        lambda f: probability_flow_log_likelihood(f, x, schedule),
    ):
        refuses(lambda c=call: c(predict), "schedule: predict", "T = 200", "T = 50", "steps")
        call(partial(predict, schedule=Schedule(*(part.clone() for part in schedule))))  # 값이 같으면 같은 스케줄이다


@pytest.mark.bad_input
def test_a_schedule_without_signal_is_blamed_and_not_the_prediction(device):
    beta = torch.full((200,), 0.99, device=device, dtype=torch.float64)
    lost = Schedule(beta, (1 - beta).cumprod(0))
    x = torch.zeros(3, 1, device=device)

    def zero(x, t):
        return 0 * x

    for call in (
        lambda: sample(zero, (3, 1), lost, generator=generator(0)),
        lambda: sample(zero, (3, 1), lost, generator=generator(0), method="ddim"),
        lambda: gaussian_moments(zero, lost),
        lambda: ancestral_step(x, x, 199, 198, lost, noise=x),
        lambda: ddim_step(x, x, 199, 198, lost),
        lambda: bound_term(zero, x, 199, lost, noise=x),
        lambda: nll_bound_terms(zero, x, lost, generator=generator(0)),
        lambda: probability_flow_log_likelihood(zero, x, lost),
        lambda: tilt(x, x, 199, lost),
        lambda: observation_gradient(x, 199, lost, **OBSERVED),
    ):
        refuses(call, "schedule.alpha_bar: ")
    for call in (
        lambda: sample(zero, (3, 1), None, generator=generator(0)),
        lambda: timesteps(beta),
        lambda: posterior_variance(1, 0, beta),
    ):
        refuses(call, "schedule: Schedule", kind=TypeError)


@pytest.mark.bad_input
def test_a_rule_of_variance_that_gives_no_variance_is_blamed(device):
    schedule = linear_schedule(4, device=device)
    x = torch.zeros(3, 1, device=device)

    def zero(x, t):
        return 0 * x

    for call in (
        lambda rule: sample(zero, (3, 1), schedule, generator=generator(0), variance=rule),
        lambda rule: gaussian_moments(zero, schedule, variance=rule),
        lambda rule: ancestral_step(x, x, 1, 0, schedule, noise=x, variance=rule),
        lambda rule: bound_term(zero, x, 1, schedule, noise=x, variance=rule),
    ):
        for bad in (math.nan, -1.0):
            rule = lambda t, s, schedule, bad=bad: schedule.beta[0] * 0 + bad  # noqa: E731
            refuses(lambda c=call, r=rule: c(r), "variance: ", str(bad))
        refuses(lambda c=call: c(lambda t, s, schedule: 0.1), "variance: 텐서", "float", kind=TypeError)


@pytest.mark.bad_input
def test_a_prediction_that_is_not_finite_is_blamed_by_the_bounds_too(device):
    schedule, x = linear_schedule(4, device=device), torch.zeros(3, 1, device=device)
    for bad in (math.nan, math.inf):
        refuses(lambda b=bad: bound_term(lambda x, t: x + b, x, 1, schedule, noise=x), "predict: ")
        refuses(lambda b=bad: nll_bound_terms(lambda x, t: x + b, x, schedule, generator=generator(0)), "predict: ")


def test_the_flow_and_guided_sampling_do_not_mind_the_callers_mode(device):
    """둘 다 안에서 미분한다. 밖에서 기울기를 껐어도, 추론 모드여도 같은 값이다."""
    schedule, x0 = cosine_schedule(12, device=device), normal(0, 4, 2, device=device)
    predict = partial(mixture_noise, schedule=schedule, means=x0[:1], std=0.5)

    def guided(x, t):
        with torch.enable_grad():
            place = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(-((place - 1) ** 2).sum(), place)
        return tilt(predict(x, t), slope, t, schedule)

    calls = (
        lambda: probability_flow_log_likelihood(predict, x0.clone(), schedule),
        lambda: sample(guided, (4, 2), schedule, generator=generator(1), dtype=torch.float64),
    )
    for call in calls:
        plain = call()
        for mode in (torch.no_grad, torch.inference_mode):
            with mode():
                assert torch.equal(call(), plain)


@pytest.mark.bad_input
def test_functions_without_gradients_say_so_inside_a_transform(device):
    schedule, x = linear_schedule(4, device=device), normal(0, 3, 2, device=device)

    def zero(x, t):
        return 0 * x

    for function in (
        lambda x: probability_flow_log_likelihood(zero, x, schedule).sum(),
        lambda x: nll_bound_terms(zero, x, schedule, generator=generator(0)).total.sum(),
    ):
        refuses(lambda f=function: torch.func.grad(f)(x), "x0: 보통 텐서", "torch.func")
        refuses(lambda f=function: torch.func.jvp(f, (x,), (x,)), "x0: 보통 텐서")
        refuses(lambda f=function: torch.func.vmap(f)(x[None]), "x0: 보통 텐서")
