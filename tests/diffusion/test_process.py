"""기준값: 정규 분포의 조건부 분포(정밀도의 합, 결합 공분산), SciPy의 밀도와 적분, torch.distributions의 KL, 닫힌 식."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from mgk_docs_src.diffusion.process import (
    TARGETS,
    Posterior,
    convert,
    converted,
    cosine_schedule,
    diffuse,
    diffuse_step,
    linear_schedule,
    mixture_log_density,
    mixture_noise,
    noise_schedule,
    noise_to_score,
    noise_to_x0,
    posterior,
    signal_to_noise,
    velocity,
    velocity_to_noise,
    velocity_to_x0,
    x0_to_noise,
)
from mgk_docs_src.diffusion.sampling import (
    tilt,
)
from mgk_docs_src.diffusion.schedules import Schedule
from mgk_docs_src.random import generator, rand, randn
from tests.diffusion.shared import (
    BIMODAL,
    CLOSE,
    EXAMPLES,
    FACTORIES,
    SEEDS,
    STEPS,
    mixture,
    normal,
    refuses,
    times,
)


def test_the_linear_schedule_of_1000_steps_is_the_one_of_ddpm(device):
    schedule = linear_schedule(1000, device=device)
    expected = np.linspace(1e-4, 0.02, 1000)
    np.testing.assert_allclose(schedule.beta.cpu(), expected, rtol=1e-12)
    np.testing.assert_allclose(schedule.alpha_bar.cpu(), np.cumprod(1 - expected), rtol=1e-11)
    assert schedule.alpha_bar[-1].item() == pytest.approx(4.0358e-5, rel=1e-4)


@pytest.mark.parametrize("steps", [2, 10, 50, 200, 4000])
def test_a_linear_schedule_ends_in_the_same_noise_whatever_its_length(device, steps):
    assert linear_schedule(steps, device=device).alpha_bar[-1].item() == pytest.approx(4.0358e-5, rel=0.05)
    assert linear_schedule(1, device=device).alpha_bar[-1].item() == pytest.approx(0.98**1000, rel=1e-9)


@pytest.mark.parametrize("steps", [10, 1000])
def test_the_cosine_schedule_follows_the_cosine_until_it_is_clipped(device, steps):
    schedule = cosine_schedule(steps, device=device)
    angle = (np.arange(steps + 1) / steps + 0.008) / 1.008 * math.pi / 2
    expected = np.cos(angle[1:]) ** 2 / np.cos(angle[0]) ** 2
    free = schedule.beta.cpu().numpy() < 0.999
    assert free[:-1].all()
    assert not free[-1]
    np.testing.assert_allclose(schedule.alpha_bar.cpu()[:-1], expected[:-1], rtol=1e-9)


@EXAMPLES
@given(steps=STEPS, factory=st.sampled_from(FACTORIES))
def test_every_schedule_stays_inside_and_only_loses_signal(device, steps, factory):
    schedule = factory(steps, device=device)
    assert isinstance(schedule, Schedule)
    assert schedule.beta.dtype == schedule.alpha_bar.dtype == torch.float64
    assert schedule.beta.device.type == device.type
    assert ((schedule.beta > 0) & (schedule.beta < 1)).all()
    assert (schedule.alpha_bar.diff() < 0).all()
    assert (signal_to_noise(schedule).diff() < 0).all()
    again = noise_schedule(schedule.beta)
    assert torch.equal(again.alpha_bar, schedule.alpha_bar)


def test_a_schedule_can_be_made_of_any_variances(device):
    beta = torch.tensor([0.5, 0.25], device=device)
    schedule = noise_schedule(beta)
    assert schedule.alpha_bar.tolist() == [0.5, 0.375]
    assert schedule.alpha_bar.dtype == torch.float64
    assert signal_to_noise(schedule).tolist() == [1.0, 0.6]


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("steps", [1, 10, 1000])
def test_the_recursion_reaches_the_closed_form(device, factory, steps):
    schedule = factory(steps, device=device)
    # 한 단계는 일차식이다: 첫 줄로 신호에 곱하는 수를, 둘째 줄로 더하는 노이즈의 크기를 잰다.
    x, noise = torch.eye(2, device=device, dtype=torch.float64)
    signal, variance, worst = 1.0, 0.0, 0.0
    for t in range(steps):
        scale, added = diffuse_step(x, t, schedule, noise=noise).tolist()
        signal, variance = scale * signal, scale**2 * variance + added**2
        closed_signal, closed_noise = diffuse(x, t, schedule, noise=noise).tolist()
        worst = max(worst, abs(signal - closed_signal), abs(variance - closed_noise**2))
    assert worst <= 1e-12


def test_samples_of_the_recursion_have_the_closed_forms_distribution(device):
    schedule = linear_schedule(20, device=device)
    x0 = torch.full((20_000,), 2.0, device=device, dtype=torch.float64)
    x, g = x0, generator(1)
    for t in range(10):
        x = diffuse_step(x, t, schedule, noise=randn(20_000, generator=g, device=device, dtype=torch.float64))
    kept = schedule.alpha_bar[9].item()
    reached = scipy.stats.kstest(x.cpu().numpy(), scipy.stats.norm(2 * math.sqrt(kept), math.sqrt(1 - kept)).cdf)
    assert reached.pvalue > 0.01


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3, 2, 2)])
def test_every_sample_can_have_its_own_time(device, shape):
    schedule = cosine_schedule(8, device=device)
    x, z = normal(1, *shape, device=device), normal(2, *shape, device=device)
    t = times(3, 5, schedule)
    for function in (diffuse, diffuse_step):
        together = function(x, t, schedule, noise=z)
        apart = [function(x[i : i + 1], int(t[i]), schedule, noise=z[i : i + 1]) for i in range(5)]
        torch.testing.assert_close(together, torch.cat(apart), **CLOSE)
    mean, variance = posterior(x, z, t, schedule)
    assert variance.shape == (5,)
    for i in range(5):
        one = posterior(x[i : i + 1], z[i : i + 1], int(t[i]), schedule)
        torch.testing.assert_close(mean[i : i + 1], one.mean, **CLOSE)
        torch.testing.assert_close(variance[i], one.variance, **CLOSE)


@EXAMPLES
@given(seed=SEEDS, steps=STEPS, factory=st.sampled_from(FACTORIES))
def test_the_posterior_is_bayes_rule(device, seed, steps, factory):
    schedule = factory(steps, device=device)
    x0, xt = normal(seed, 4, 2, device=device), normal(seed + 1, 4, 2, device=device)
    t = int(times(seed, 1, schedule))
    ours = posterior(x0, xt, t, schedule)
    assert isinstance(ours, Posterior)
    if t == 0:
        assert torch.equal(ours.mean, x0)
        assert ours.variance.item() == 0
        return
    beta, before = schedule.beta[t], schedule.alpha_bar[t - 1]
    # N(x_{t−1}; √ᾱ x0, 1 − ᾱ) 곱하기 N(x_t; √(1 − β) x_{t−1}, β): 정밀도는 더해진다.
    precision = 1 / (1 - before) + (1 - beta) / beta
    mean = (before.sqrt() * x0 / (1 - before) + (1 - beta).sqrt() * xt / beta) / precision
    torch.testing.assert_close(ours.mean, mean, **CLOSE)
    torch.testing.assert_close(ours.variance, 1 / precision, **CLOSE)


@EXAMPLES
@given(seed=SEEDS, steps=STEPS, factory=st.sampled_from(FACTORIES))
def test_noise_data_and_velocity_are_names_of_one_thing(device, seed, steps, factory):
    schedule = factory(steps, device=device)
    x0, z = normal(seed, 6, 2, device=device), normal(seed + 1, 6, 2, device=device)
    t = times(seed, 6, schedule)
    xt, v = diffuse(x0, t, schedule, noise=z), velocity(x0, z, t, schedule)
    torch.testing.assert_close(velocity_to_x0(v, xt, t, schedule), x0, **CLOSE)
    torch.testing.assert_close(velocity_to_noise(v, xt, t, schedule), z, **CLOSE)
    # 노이즈에서 데이터로는 √ᾱ로, 데이터에서 노이즈로는 √(1 − ᾱ)로 나눈다: 그만큼 반올림이 커진다.
    signal = schedule.alpha_bar[t, None].sqrt()
    assert ((noise_to_x0(z, xt, t, schedule) - x0).abs() * signal <= 1e-14).all()
    assert ((x0_to_noise(x0, xt, t, schedule) - z).abs() * (1 - signal**2).sqrt() <= 1e-14).all()
    torch.testing.assert_close(noise_to_score(z, t, schedule) * (1 - signal**2).sqrt(), -z, **CLOSE)


@EXAMPLES
@given(seed=SEEDS, steps=STEPS, source=st.sampled_from(TARGETS), to=st.sampled_from(TARGETS))
def test_one_conversion_goes_from_any_name_to_any_other(device, seed, steps, source, to):
    schedule = cosine_schedule(steps, device=device)
    x0, z = normal(seed, 6, 2, device=device), normal(seed + 1, 6, 2, device=device)
    t = times(seed, 6, schedule)
    xt = diffuse(x0, t, schedule, noise=z)
    signal, sigma = schedule.alpha_bar[t, None].sqrt(), (1 - schedule.alpha_bar[t, None]).sqrt()
    known = {"noise": z, "x0": x0, "velocity": signal * z - sigma * x0, "score": -z / sigma}
    ours = convert(known[source], xt, t, schedule, source=source, to=to)
    # 나눈 만큼만 반올림이 커진다.
    assert ((ours - known[to]).abs() * signal * sigma**2 <= 1e-13).all()
    assert torch.equal(ours, converted(known[source], xt, schedule.alpha_bar[t], source=source, to=to))
    single = convert(known[source][:1], xt[:1], int(t[0]), schedule, source=source, to=to)
    torch.testing.assert_close(single, ours[:1], **CLOSE)


def test_the_least_signal_that_a_schedule_may_keep_still_comes_back(device):
    schedule = noise_schedule(torch.full((125,), 0.5, device=device))  # ᾱ = 2⁻¹²⁵
    assert schedule.alpha_bar[-1].item() == 2.0**-125
    one = torch.ones(1, 1, device=device)
    assert noise_to_x0(one * 0, one, 124, schedule).item() == pytest.approx(2.0**62.5, rel=1e-6)
    assert 1 / schedule.alpha_bar[-1].float() < math.inf


def test_schedules_made_under_inference_mode_can_be_trained_with(device):
    with torch.inference_mode():
        made = [linear_schedule(4, device=device), noise_schedule(torch.tensor([0.1, 0.2], device=device))]
    weight = torch.ones(3, 1, device=device, requires_grad=True)
    for schedule in made:
        assert not schedule.alpha_bar.is_inference()
        diffuse(weight, 1, schedule, noise=weight).sum().backward()


def test_the_velocity_is_the_derivative_along_the_angle(device):
    schedule = linear_schedule(12, device=device)
    x0, z = normal(1, 12, 2, device=device), normal(2, 12, 2, device=device)
    t = torch.arange(12, device=device)
    angle = torch.arccos(schedule.alpha_bar.sqrt())[:, None].repeat(1, 2).requires_grad_()
    (slope,) = torch.autograd.grad((torch.cos(angle) * x0 + torch.sin(angle) * z).sum(), angle)
    torch.testing.assert_close(velocity(x0, z, t, schedule), slope, atol=1e-9, rtol=1e-9)


def test_the_mixture_density_agrees_with_scipy(device):
    schedule, parts = cosine_schedule(10, device=device), mixture(device)
    x = torch.linspace(-4, 4, 41, device=device, dtype=torch.float64)[:, None]
    for t in (-1, 0, 6, 9):
        kept = 1.0 if t < 0 else schedule.alpha_bar[t].item()
        expected = sum(
            w * scipy.stats.norm(math.sqrt(kept) * m, math.sqrt(kept * s**2 + 1 - kept)).pdf(x[:, 0].cpu())
            for w, (m,), s in zip(BIMODAL["weights"], BIMODAL["means"], BIMODAL["std"], strict=True)
        )
        ours = mixture_log_density(x, t, schedule, **parts).exp().cpu()
        np.testing.assert_allclose(ours, expected, rtol=1e-11)
    # 시각 −1과 다른 시각을 한꺼번에
    mixed = mixture_log_density(x[:2], torch.tensor([-1, 6], device=device), schedule, **parts)
    for i, t in enumerate((-1, 6)):
        torch.testing.assert_close(mixed[i : i + 1], mixture_log_density(x[i : i + 1], t, schedule, **parts), **CLOSE)


def test_a_mixture_in_two_dimensions_agrees_with_scipy(device):
    schedule = linear_schedule(10, device=device)
    means, x = normal(1, 3, 2, device=device), normal(2, 7, 2, device=device)
    kept = schedule.alpha_bar[4].item()
    expected = np.mean(
        [
            scipy.stats.multivariate_normal(math.sqrt(kept) * m, (kept * 0.2**2 + 1 - kept) * np.eye(2)).pdf(x.cpu())
            for m in means.cpu().numpy()
        ],
        axis=0,
    )
    ours = mixture_log_density(x, 4, schedule, means=means, std=0.2)
    np.testing.assert_allclose(ours.exp().cpu(), expected, rtol=1e-11)


@EXAMPLES
@given(seed=SEEDS, d=st.integers(1, 3), k=st.integers(1, 4), factory=st.sampled_from(FACTORIES))
def test_the_perfect_noise_is_the_score_of_the_density(device, seed, d, k, factory):
    schedule, g = factory(12, device=device), generator(seed)
    weights = rand(k, generator=g, device=device, dtype=torch.float64) + 0.1
    parts = {
        "means": 2 * randn(k, d, generator=g, device=device, dtype=torch.float64),
        "std": rand(k, generator=g, device=device, dtype=torch.float64) + 0.1,
        "weights": weights / weights.sum(),
    }
    x, t = normal(seed, 5, d, device=device).requires_grad_(), times(seed, 5, schedule)
    (score,) = torch.autograd.grad(mixture_log_density(x, t, schedule, **parts).sum(), x)
    ours = noise_to_score(mixture_noise(x.detach(), t, schedule, **parts), t, schedule)
    torch.testing.assert_close(ours, score, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("t", [0, 4, 9])
def test_the_perfect_noise_is_the_conditional_mean(device, t):
    schedule, parts = cosine_schedule(10, device=device), mixture(device)
    kept = schedule.alpha_bar[t].item()
    xt = 0.7

    def joint(z):
        x0 = (xt - math.sqrt(1 - kept) * z) / math.sqrt(kept)
        density = sum(
            w * scipy.stats.norm.pdf(x0, m, s)
            for w, (m,), s in zip(BIMODAL["weights"], BIMODAL["means"], BIMODAL["std"], strict=True)
        )
        return density * scipy.stats.norm.pdf(z)

    # 뾰족한 봉우리를 놓치지 않게, 데이터가 있는 곳의 양 끝에서 끊는다.
    ends = [m + side * s for (m,), s in zip(BIMODAL["means"], BIMODAL["std"], strict=True) for side in (-8, 0, 8)]
    edges = [z for z in ((xt - math.sqrt(kept) * x0) / math.sqrt(1 - kept) for x0 in ends) if abs(z) < 12]
    total, top = (
        scipy.integrate.quad(f, -12, 12, points=edges, limit=400, epsabs=1e-13)[0]
        for f in (joint, lambda z: z * joint(z))
    )
    x = torch.tensor([[xt]], device=device, dtype=torch.float64)
    assert mixture_noise(x, t, schedule, **parts).item() == pytest.approx(top / total, abs=1e-8)


def test_nothing_predicts_the_noise_better(device):
    schedule, parts = linear_schedule(10, device=device), mixture(device)
    g = generator(0)
    which = (rand(20_000, generator=g, device=device) > BIMODAL["weights"][0]).long()
    x0 = parts["means"][which] + parts["std"][which, None] * normal(1, 20_000, 1, device=device)
    z = normal(2, 20_000, 1, device=device)
    xt = diffuse(x0, 5, schedule, noise=z)
    best = mixture_noise(xt, 5, schedule, **parts)
    floor = ((best - z) ** 2).mean()
    for other in (1.05 * best, best + 0.1, xt, torch.zeros_like(z)):
        assert ((other - z) ** 2).mean() > floor


@pytest.mark.bad_input
def test_bad_schedules(device):
    for bad in (0.0, 1.0, -0.1, 1.5, math.nan):
        refuses(lambda bad=bad: noise_schedule(torch.tensor([0.5, bad], device=device)), "beta", "(0, 1)")
    refuses(lambda: noise_schedule(torch.tensor([], device=device)), "beta", "원소")
    refuses(lambda: noise_schedule(torch.tensor([[0.5]], device=device)), "beta", "축")
    refuses(lambda: noise_schedule(torch.tensor([1], device=device)), "beta", "실수형")
    refuses(lambda: noise_schedule([0.5]), "beta", "list", kind=TypeError)
    for factory in FACTORIES:
        refuses(lambda factory=factory: factory(0, device=device), "steps", "1 이상", "0")
        refuses(lambda factory=factory: factory(2.0, device=device), "steps", "float", kind=TypeError)
    refuses(lambda: linear_schedule(5, beta_min=0.0), "beta_min", "(0, 1)")
    refuses(lambda: linear_schedule(5, beta_max=1.0), "beta_max", "(0, 1)")
    refuses(lambda: linear_schedule(5, beta_min=0.3, beta_max=0.2), "beta_min", "0.2", "0.3")
    refuses(lambda: cosine_schedule(5, offset=-0.1), "offset", "-0.1")
    refuses(lambda: cosine_schedule(5, max_beta=1.0), "max_beta", "(0, 1)")


@pytest.mark.bad_input
def test_a_schedule_that_loses_everything_blames_what_the_caller_gave(device):
    def full(value):
        return torch.full((200,), value, device=device, dtype=torch.float64)

    refuses(lambda: noise_schedule(full(0.99)), "beta: ", "0.99")
    refuses(lambda: noise_schedule(full(1e-20)), "beta: ", "1e-20")
    refuses(lambda: noise_schedule(torch.full((126,), 0.5, device=device)), "beta: ", "1.18e-38")
    refuses(lambda: linear_schedule(10, beta_min=0.1, beta_max=0.5), "beta_max: ")
    refuses(lambda: linear_schedule(10, beta_min=1e-300), "beta_min: ")
    refuses(lambda: cosine_schedule(10, offset=1e17), "offset: ", "1e+17")
    refuses(lambda: cosine_schedule(10, max_beta=1e-18), "max_beta: ", "1e-18")
    lost = Schedule(full(0.99), (1 - full(0.99)).cumprod(0))
    x = torch.zeros(2, 1, device=device)
    refuses(lambda: signal_to_noise(lost), "schedule")
    for function in (noise_to_x0, x0_to_noise, velocity, velocity_to_x0, velocity_to_noise, posterior):
        refuses(lambda f=function: f(x, x, 199, lost), "schedule")


@pytest.mark.bad_input
def test_bad_conversions(device):
    schedule, x = linear_schedule(4, device=device), torch.zeros(3, 2, device=device)
    for knobs, word in (({"source": "v", "to": "x0"}, "source: "), ({"source": "x0", "to": "v"}, "to: ")):
        refuses(lambda k=knobs: convert(x, x, 0, schedule, **k), word, "'v'")
    names = {"source": "noise", "to": "x0"}
    refuses(lambda: convert(x * math.nan, x, 0, schedule, **names), "prediction: ", "nan")
    refuses(lambda: convert(x, x[:2], 0, schedule, **names), "xt: ", "(2, 2)")
    refuses(lambda: convert(x, x, 0, None, **names), "schedule: ", "NoneType", kind=TypeError)


@pytest.mark.bad_input
def test_bad_data(device):
    schedule = linear_schedule(4, device=device)
    x = torch.zeros(3, 2, device=device)
    two = {
        "diffuse": (lambda a, b, t: diffuse(a, t, schedule, noise=b), "x0", "noise"),
        "diffuse_step": (lambda a, b, t: diffuse_step(a, t, schedule, noise=b), "x", "noise"),
        "posterior": (lambda a, b, t: posterior(a, b, t, schedule), "x0", "xt"),
        "noise_to_x0": (lambda a, b, t: noise_to_x0(a, b, t, schedule), "noise", "xt"),
        "x0_to_noise": (lambda a, b, t: x0_to_noise(a, b, t, schedule), "x0", "xt"),
        "velocity": (lambda a, b, t: velocity(a, b, t, schedule), "x0", "noise"),
        "velocity_to_x0": (lambda a, b, t: velocity_to_x0(a, b, t, schedule), "v", "xt"),
        "velocity_to_noise": (lambda a, b, t: velocity_to_noise(a, b, t, schedule), "v", "xt"),
        "tilt": (lambda a, b, t: tilt(a, b, t, schedule), "noise", "gradient"),
    }
    for function, first, second in two.values():
        refuses(lambda f=function: f(x.long(), x, 0), first, "실수형")
        refuses(lambda f=function: f(x, x[:2], 0), second, "(3, 2)", "(2, 2)")
        refuses(lambda f=function: f(x, x * math.nan, 0), second, "nan")
        refuses(lambda f=function: f(x + math.inf, x, 0), first, "inf")
        refuses(lambda f=function: f(x[:0], x[:0], 0), first, "원소")
        refuses(lambda f=function: f(x, x.to("meta"), 0), second, "장치", "meta")
        refuses(lambda f=function: f([[0.0]], x, 0), first, "list", kind=TypeError)
        for t in (-1, 4):
            refuses(lambda f=function, t=t: f(x, x, t), "t:", str(t))
            refuses(lambda f=function, t=t: f(x, x, torch.tensor([0, t, 0], device=device)), "t:", str(t))
        refuses(lambda f=function: f(x, x, torch.zeros(3, device=device)), "t:", "int64")
        refuses(lambda f=function: f(x, x, torch.zeros(2, dtype=torch.int64, device=device)), "t:", "(3,)")
        refuses(lambda f=function: f(x, x, torch.zeros(3, dtype=torch.int64, device="meta")), "t:", "장치")
        refuses(lambda f=function: f(x, x, 1.0), "t:", "float", kind=TypeError)
    refuses(lambda: noise_to_score(x * math.nan, 0, schedule), "noise", "nan")
    refuses(lambda: diffuse(x[0, 0], 0, schedule, noise=x[0, 0]), "x0", "축")


@pytest.mark.bad_input
def test_bad_mixtures(device):
    schedule = linear_schedule(4, device=device)
    x = torch.zeros(3, 2, device=device)
    means = torch.zeros(2, 2, device=device)
    good = {"means": means, "std": 1.0}
    for function in (mixture_noise, mixture_log_density):
        for change, words in (
            ({"means": means[:, :1]}, ("means", "(2, 2)", "(2, 1)")),
            ({"means": means[0]}, ("means", "축")),
            ({"means": means[:0]}, ("means", "원소")),
            ({"means": means.long()}, ("means", "실수형")),
            ({"means": means + math.inf}, ("means", "inf")),
            ({"means": means.to("meta")}, ("means", "장치")),
            ({"std": 0.0}, ("std", "1e-18")),
            ({"std": 1e300}, ("std", "1e+300")),
            ({"std": torch.tensor([1.0, -1.0], device=device)}, ("std", "-1")),
            ({"std": torch.ones(3, device=device)}, ("std", "(2,)")),
            ({"std": torch.ones(2, device="meta")}, ("std", "장치")),
            ({"weights": torch.tensor([0.5, 0.6], device=device)}, ("weights", "1.1")),
            ({"weights": torch.tensor([1.5, -0.5], device=device)}, ("weights", "-0.5")),
            ({"weights": torch.ones(3, device=device) / 3}, ("weights", "(2,)")),
            ({"weights": torch.ones(2, device="meta")}, ("weights", "장치")),
        ):
            refuses(lambda f=function, c=change: f(x, 0, schedule, **(good | c)), *words)
        refuses(lambda f=function: f(x, 4, schedule, **good), "t:", "4")
        image = torch.zeros(3, 1, 2, 2, device=device)  # 점이 와야 할 자리에 그림
        name = "xt: 축" if function is mixture_noise else "x: 축"
        refuses(lambda f=function, w=image: f(w, 0, schedule, **good), name, "(3, 1, 2, 2)")
        refuses(lambda f=function: f(x[0], 0, schedule, **good), "축")
        refuses(lambda f=function: f(x, 0, schedule, **good | {"std": "1"}), "std", "str", kind=TypeError)
    refuses(lambda: mixture_noise(x, -1, schedule, **good), "t:", "-1")
    refuses(lambda: mixture_log_density(x, -2, schedule, **good), "t:", "-2")
