"""기준값: 모든 이미지를 늘어놓고 더한 정확한 확률, SciPy의 정규 밀도, 확산 과정 페이지의 상한."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
import scipy.spatial
import scipy.special
import scipy.stats
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mgk_docs_src import networks
from mgk_docs_src.data import digits
from mgk_docs_src.diffusion import process, sampling
from mgk_docs_src.labs.digits import (
    HEADS,
    Bound,
    Ensemble,
    Prediction,
    autoregressive_log_likelihood,
    bits_per_dimension,
    bound,
    denoiser,
    histogram_log_likelihood,
    inpaint,
    level_basis,
    level_values,
    log_snr_schedule,
    nearest_distance,
    posterior_logits,
    sample_levels,
    to_levels,
    train_autoregressive,
    train_denoisers,
)
from mgk_docs_src.random import generator, rand, randint, randn

EXAMPLES = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-12, "rtol": 1e-12}
SMALL = {"hidden": (16, 16), "steps": 5, "batch_size": 8}


def pairs(device, n, levels=2):
    """두 화소가 언제나 같은 이미지. 정확한 엔트로피는 log L이고, 화소를 따로 보면 2 log L이다."""
    return randint(0, levels, (n, 1), generator=generator(0), device=device).expand(n, 2).contiguous()


def independent(schedule, log_p):
    """화소가 서로 독립인 데이터의 정확한 추정. log_p는 (d, L)."""

    def denoise(xt, t):
        natural = log_p.expand(len(xt), *log_p.shape)
        basis = torch.eye(log_p.shape[1], device=xt.device, dtype=xt.dtype)
        logits = posterior_logits(natural, xt, t, schedule, basis=basis)
        return Prediction(logits.softmax(2) @ level_values(log_p.shape[1], device=xt.device, dtype=xt.dtype), logits)

    return denoise


def joint(schedule, images, log_p, num_levels):
    """이미지를 모두 늘어놓은 데이터의 정확한 추정. images는 (k, d), log_p는 (k,)."""

    def denoise(xt, t):
        v = level_values(num_levels, device=xt.device, dtype=xt.dtype)
        alpha_bar = schedule.alpha_bar[t].to(xt.dtype)[:, None, None]
        square = (xt[:, None] - alpha_bar.sqrt() * v[images]) ** 2 / (2 * (1 - alpha_bar))
        weight = (log_p.to(xt.dtype) - square.sum(2)).softmax(1)  # (n, k)
        marginal = torch.einsum("nk,kdl->ndl", weight, torch.nn.functional.one_hot(images, num_levels).to(xt.dtype))
        return Prediction(weight @ v[images], marginal.clamp_min(1e-30).log())

    return denoise


# --- 단계와 스케줄 ---


@EXAMPLES
@given(num_levels=st.integers(2, 40))
def test_levels_are_evenly_spaced_and_come_back(device, num_levels):
    v = level_values(num_levels, device=device, dtype=torch.float64)
    np.testing.assert_allclose(v.cpu(), np.linspace(-1, 1, num_levels), **CLOSE)
    numbers = torch.arange(num_levels, device=device)
    assert to_levels(v, num_levels=num_levels).equal(numbers)
    nudge = 0.49 * 2 / (num_levels - 1)
    assert to_levels(v + nudge, num_levels=num_levels).equal(numbers)
    assert to_levels(v - nudge, num_levels=num_levels).equal(numbers)


def test_levels_follow_dtype_and_stop_at_the_ends(device):
    assert level_values(3, device=device).dtype == torch.get_default_dtype()
    assert to_levels(torch.tensor([[-9.0, 9.0]], device=device), num_levels=17).tolist() == [[0, 16]]
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        v = level_values(17, device=device, dtype=kind)
        assert v.dtype == kind
        assert to_levels(v, num_levels=17).tolist() == list(range(17))  # 1/8의 배수라 어느 자료형에서나 정확하다
    pixels = digits(device=device).features
    assert to_levels(2 * pixels - 1, num_levels=17).equal((16 * pixels).long())


def test_the_basis_by_hand(device):
    basis = level_basis(5, device=device, dtype=torch.float64)
    v = [-1, -0.5, 0, 0.5, 1]
    wanted = [v, [x**2 for x in v], [x**3 for x in v], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]
    np.testing.assert_allclose(basis.cpu(), wanted, **CLOSE)


@EXAMPLES
@given(steps=st.integers(2, 300), low=st.floats(-8, -1), high=st.floats(0, 8))
def test_the_log_signal_to_noise_ratio_falls_evenly(device, steps, low, high):
    schedule = log_snr_schedule(steps, low=low, high=high, device=device)
    log_snr = process.signal_to_noise(schedule).log()
    np.testing.assert_allclose(log_snr.cpu(), np.linspace(high, low, steps), atol=1e-10)
    assert (schedule.alpha_bar.diff() < 0).all()
    assert ((schedule.beta > 0) & (schedule.beta < 1)).all()


def test_small_steps_of_the_bound_weigh_the_noise_error_equally(device):
    schedule = log_snr_schedule(4000, device=device)
    x0, noise = (randn(1, 3, generator=generator(s), device=device, dtype=torch.float64) for s in (0, 1))
    guess = noise + 0.1
    terms = torch.stack(
        [sampling.bound_term(lambda x, t: guess, x0, t, schedule, noise=noise) for t in (1, 1000, 2500, 3999)]
    )
    step = 13 / 3999  # λ의 간격
    torch.testing.assert_close(terms, torch.full_like(terms, step / 2 * 3 * 0.01), rtol=5e-3, atol=0)


# --- 단계의 사후 분포 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), d=st.integers(1, 4), num_levels=st.integers(2, 6))
def test_the_posterior_is_bayes_rule(device, seed, d, num_levels):
    g, schedule = generator(seed), log_snr_schedule(50, device=device)
    natural = randn(3, d, 4, generator=g, device=device, dtype=torch.float64)
    basis = randn(4, num_levels, generator=g, device=device, dtype=torch.float64)
    xt, t = randn(3, d, generator=g, device=device, dtype=torch.float64), randint(0, 50, (3,), generator=g)
    p = posterior_logits(natural, xt, t.to(device), schedule, basis=basis).softmax(2).cpu()
    alpha_bar = schedule.alpha_bar.cpu()[t].numpy()[:, None, None]
    centre = np.sqrt(alpha_bar) * np.linspace(-1, 1, num_levels)
    likelihood = scipy.stats.norm.logpdf(xt.cpu().numpy()[..., None], centre, np.sqrt(1 - alpha_bar))
    truth = scipy.special.softmax((natural @ basis).cpu().numpy() + likelihood, axis=2)
    np.testing.assert_allclose(p, truth, atol=1e-9)


def test_the_posterior_is_differentiable_and_follows_the_dtype(device):
    g, schedule = generator(0), log_snr_schedule(9, high=3.0, low=-3.0, device=device)
    natural, xt = (randn(2, 3, *k, generator=g, device=device, dtype=torch.float64) for k in ((5,), ()))
    t, basis = torch.tensor([0, 8], device=device), level_basis(4, device=device, dtype=torch.float64)

    def function(natural, xt):
        return posterior_logits(natural, xt, t, schedule, basis=basis).log_softmax(2)

    assert torch.autograd.gradcheck(function, (natural.requires_grad_(), xt.requires_grad_()))
    truth = function(natural, xt).exp()
    for kind, tolerance in ((torch.float16, 2e-2), (torch.bfloat16, 2e-1), (torch.float32, 1e-5)):
        logits = posterior_logits(natural.to(kind), xt.to(kind), t, schedule, basis=basis.to(kind))
        assert logits.dtype == kind
        torch.testing.assert_close(logits.double().softmax(2), truth, atol=tolerance, rtol=0)


# --- 변분 상한 ---


def test_the_bound_of_independent_pixels_closes_on_the_exact_likelihood(device):
    p = torch.tensor([[0.3, 0.7], [0.9, 0.1]], device=device, dtype=torch.float64)
    g = generator(0)
    levels = (rand(4000, 2, generator=g, device=device, dtype=torch.float64) > p[:, 0]).long()
    exact = -p.log()[torch.arange(2, device=device), levels].sum(1)
    gaps = []
    for steps, draws in ((10, 9), (30, 29), (1000, 100)):
        schedule = log_snr_schedule(steps, device=device)
        terms = bound(
            independent(schedule, p.log()),
            levels,
            schedule,
            num_levels=2,
            draws=draws,
            generator=g,
            dtype=torch.float64,
        )
        gaps.append((terms.total - exact).mean().item())
    assert gaps[0] > gaps[1] > 0.02  # 확산 단계가 적으면 상한과 참값의 차이가 크다
    assert abs(gaps[2]) < 0.02  # 이미지 4000장과 노이즈의 표준 오차는 0.006쯤이다


@settings(EXAMPLES, max_examples=10)
@given(seed=st.integers(0, 10**6), steps=st.integers(2, 60))
def test_a_wrong_prediction_only_raises_the_bound(device, seed, steps):
    # 한 화소 두 단계, 확률은 0.3과 0.7. 무엇을 예측하든 상한의 평균은 엔트로피보다 작지 않다.
    g, schedule = generator(seed), log_snr_schedule(steps, device=device)
    levels = (torch.arange(2000, device=device) % 10 >= 3).long()[:, None]
    believed = (2 * randn(1, 2, generator=g, device=device, dtype=torch.float64)).log_softmax(1)
    denoise = independent(schedule, believed)
    terms = bound(denoise, levels, schedule, num_levels=2, draws=20, generator=g, dtype=torch.float64)
    entropy = scipy.stats.entropy([0.3, 0.7])
    assert terms.total.mean().item() > entropy - 4 * terms.total.std().item() / len(levels) ** 0.5


def test_the_terms_of_the_bound_in_closed_form(device):
    # 언제나 같은 값을 추정하면 확산 단계의 합은 (SNR_1 − SNR_T) ‖x_0 − c‖² / 2로 접힌다.
    schedule = log_snr_schedule(40, device=device)
    levels = randint(0, 5, (6, 3), generator=generator(0), device=device)
    x0 = level_values(5, device=device, dtype=torch.float64)[levels]

    def constant(xt, t):
        return Prediction(torch.full_like(xt, 0.2), xt.new_zeros(*xt.shape, 5))

    knobs = {"num_levels": 5, "dtype": torch.float64}
    terms = bound(constant, levels, schedule, draws=39, generator=generator(1), **knobs)
    snr = process.signal_to_noise(schedule)
    torch.testing.assert_close(terms.steps, (snr[0] - snr[-1]) / 2 * ((x0 - 0.2) ** 2).sum(1), **CLOSE)
    torch.testing.assert_close(terms.reconstruction, torch.full_like(terms.prior, 3 * math.log(5)), **CLOSE)
    torch.testing.assert_close(terms.total, terms.reconstruction + terms.steps + terms.prior, **CLOSE)
    theirs = sampling.nll_bound_terms(
        lambda x, t: process.x0_to_noise(torch.full_like(x, 0.2), x, t, schedule), x0, schedule, generator=generator(2)
    )
    torch.testing.assert_close(terms.steps, theirs.steps.sum(0), atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(terms.prior, theirs.prior, atol=1e-12, rtol=1e-9)
    # 시각을 적게 뽑아도 편향이 없다.
    few = [bound(constant, levels, schedule, draws=7, generator=generator(s), **knobs).steps for s in range(300)]
    spread = torch.stack(few).std(0) / len(few) ** 0.5
    assert ((torch.stack(few).mean(0) - terms.steps).abs() < 4 * spread + 1e-9).all()


@pytest.mark.bad_input
def test_a_denoiser_for_another_schedule_is_refused(device):
    """시각의 번호는 같아도 노이즈의 양이 다르다. 샘플링도 상한도 인페인팅도, 저장된 스케줄로만 한다."""
    levels, labels = pairs(device, 6, 3), torch.zeros(6, dtype=torch.int64, device=device)
    schedule, other = log_snr_schedule(20, device=device), log_snr_schedule(10, device=device)
    knobs = {"num_levels": 3, "num_classes": 1, **SMALL, "generators": [generator(0)]}
    ensemble = train_denoisers(levels, labels, schedule, **knobs)
    denoise, known = denoiser(ensemble, schedule), torch.tensor([True, False], device=device)
    free = independent(other, torch.zeros(2, 3, device=device))
    rest = {"num_levels": 3, "generator": generator(1)}
    for call in (
        lambda: bound(denoise, levels, other, draws=2, **rest),
        lambda: sample_levels(denoise, (4, 2), other, **rest),
        lambda: inpaint(denoise, levels, known, other, **rest),
    ):
        refuses(ValueError, "schedule: denoise의 스케줄(T = 20)과 같아야 하는데", call)
    guided = {"unconditional": denoise, "scale": 1.0, **rest}
    refuses(ValueError, "schedule: unconditional의 스케줄", sample_levels, free, (4, 2), other, **guided)
    walk = denoiser(ensemble, other)  # 신경망은 log SNR을 보므로, 다른 스케줄로 새로 만들 수 있다
    assert sample_levels(walk, (4, 2), other, **rest).shape == (4, 2)


def test_a_seed_that_diverges_is_named_and_the_others_are_kept(device, monkeypatch):
    """둘째 시드의 초기 가중치 하나가 nan이다. 나머지 둘은 하나씩 따로 학습한 결과와 같다."""
    levels, labels = pairs(device, 30, 4), torch.arange(30, device=device) % 3
    schedule = log_snr_schedule(20, device=device)
    knobs = {"num_levels": 4, "num_classes": 3, **SMALL}

    def broken(widths, generators, **place):
        drawn = networks.initial_residual(widths, generators, **place)
        with torch.no_grad():
            drawn.weights[0][1, 0, 0] = math.nan
        return drawn

    learners = [partial(train_denoisers, levels, labels, schedule, head=head, **knobs) for head in HEADS]
    learners += [partial(train_autoregressive, levels, labels, **knobs)]
    for learn in learners:
        alone = [learn(generators=[generator(s)]) for s in (0, 2)]
        monkeypatch.setattr("mgk_docs_src.labs.digits.initial_residual", broken)
        with pytest.warns(RuntimeWarning, match=r"generators\[1\]: 학습 스텝 0에서"):
            together = learn(generators=[generator(s) for s in range(3)])
        monkeypatch.undo()
        assert together.networks.weights[-1][1].isnan().all()
        for i, one in zip((0, 2), alone, strict=True):
            torch.testing.assert_close(together.losses[:, i], one.losses[:, 0], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(
                together.networks.weights[0][i], one.networks.weights[0][0], atol=1e-4, rtol=1e-3
            )
        if learn is not learners[-1]:
            xt, t = torch.zeros(2, 2, device=device), torch.zeros(2, dtype=torch.int64, device=device)
            with pytest.raises(ValueError, match=r"ensemble: .*\[1\]번은"):
                denoiser(together, schedule)
            assert denoiser(together, schedule, member=2)(xt, t).mean.isfinite().all()


def test_bits_of_a_uniform_guess(device):
    nats = torch.full((3,), 64 * math.log(17), device=device)
    torch.testing.assert_close(bits_per_dimension(nats, dimensions=64), torch.full_like(nats, math.log2(17)))
    assert bits_per_dimension(nats.double(), dimensions=64).dtype == torch.float64


# --- 신경망 ---


@pytest.mark.parametrize("head", ["levels", "softmax", "gaussian"])
def test_many_at_once_are_each_alone(device, head):
    schedule = log_snr_schedule(20, device=device)
    levels, labels = pairs(device, 30, 4), torch.arange(30, device=device) % 3
    knobs = {"num_levels": 4, "num_classes": 3, "head": head, **SMALL}
    together = train_denoisers(levels, labels, schedule, **knobs, generators=[generator(0), generator(1)])
    assert together.losses.shape == (5, 2)
    alone = train_denoisers(levels, labels, schedule, **knobs, generators=[generator(1)])
    streamed = train_denoisers(levels, labels, schedule, **knobs, generators=map(generator, range(2)))
    assert torch.equal(streamed.losses, together.losses)
    xt, t = randn(6, 2, generator=generator(2), device=device), torch.arange(6, device=device)
    ours = denoiser(together, schedule, labels[:6], member=1)(xt, t)
    for a, b in zip(ours, denoiser(alone, schedule, labels[:6])(xt, t), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_an_ensemble_averages_and_never_loses(device):
    schedule = log_snr_schedule(30, device=device)
    levels, labels = pairs(device, 40, 3), torch.zeros(40, dtype=torch.int64, device=device)
    knobs = {"num_levels": 3, "num_classes": 1, **SMALL}
    networks = train_denoisers(levels, labels, schedule, **knobs, generators=[generator(s) for s in range(3)])
    xt, t = randn(5, 2, generator=generator(9), device=device), torch.arange(5, device=device)
    members = [denoiser(networks, schedule, member=s)(xt, t) for s in range(3)]
    both = denoiser(networks, schedule)(xt, t)
    torch.testing.assert_close(both.mean, torch.stack([m.mean for m in members]).mean(0))
    p = torch.stack([m.logits.softmax(2) for m in members]).mean(0)
    torch.testing.assert_close(both.logits.softmax(2), p)

    def terms(**which):
        denoise = denoiser(networks, schedule, labels, **which)
        return bound(denoise, levels, schedule, num_levels=3, draws=10, generator=generator(5))

    singles = [terms(member=s) for s in range(3)]
    for name in ("steps", "reconstruction", "total"):
        average = torch.stack([getattr(one, name) for one in singles]).mean(0)
        assert (getattr(terms(), name) <= average * (1 + 1e-4)).all()


def test_what_is_learned_is_a_true_bound(device):
    # 두 화소가 언제나 같다. 이웃을 보지 않으면 화소마다 1비트이고, 1/2비트보다 적을 수는 없다.
    schedule = log_snr_schedule(200, device=device)
    levels, labels = pairs(device, 512), torch.zeros(512, dtype=torch.int64, device=device)
    knobs = {"num_levels": 2, "num_classes": 1, "hidden": (32, 32), "steps": 150, "batch_size": 128}
    bits = {}
    for head in ("levels", "softmax", "gaussian"):
        networks = train_denoisers(levels, labels, schedule, head=head, **knobs, generators=[generator(0)])
        assert networks.losses[-30:].mean() < 0.9 * networks.losses[:3].mean()
        denoise = denoiser(networks, schedule, labels)
        terms = bound(denoise, levels, schedule, num_levels=2, draws=50, generator=generator(1))
        bits[head] = bits_per_dimension(terms.total, dimensions=2).mean().item()
    assert 0.49 < bits["levels"] < 0.6
    assert 0.49 < bits["softmax"] < 0.6
    assert bits["gaussian"] > bits["levels"] + 0.1  # 화소가 두 값뿐인 줄 모른다


def test_the_label_and_the_emphasis_matter(device):
    # 라벨이 곧 이미지이면, 라벨을 아는 모델은 거의 0비트다.
    schedule = log_snr_schedule(100, device=device)
    labels = torch.arange(400, device=device) % 2
    levels = labels[:, None].expand(400, 3).contiguous()
    knobs = {"num_levels": 2, "num_classes": 2, "hidden": (32, 32), "steps": 150, "batch_size": 128}
    networks = train_denoisers(levels, labels, schedule, **knobs, generators=[generator(0)])

    def bits(y):
        denoise = denoiser(networks, schedule, y)
        terms = bound(denoise, levels, schedule, num_levels=2, draws=20, generator=generator(1))
        return bits_per_dimension(terms.total, dimensions=3).mean().item()

    assert bits(labels) < 0.15
    assert 0.3 < bits(None) < 0.6  # 정확한 값은 1/3비트다
    assert bits(1 - labels) > 1.0
    plain = train_denoisers(levels, labels, schedule, **knobs, emphasis=0.0, generators=[generator(0)])
    assert plain.losses[0] < networks.losses[0]  # 같은 신경망, 같은 표본에서 가중치만 다르다
    drawn = sample_levels(
        denoiser(networks, schedule, labels), (400, 3), schedule, num_levels=2, steps=20, generator=generator(2)
    )
    assert (drawn == levels).float().mean() > 0.97


def test_real_digits_are_learned(device):
    data = digits(device=device)
    levels = to_levels(2 * data.features - 1, num_levels=17)
    schedule = log_snr_schedule(1000, device=device)
    networks = train_denoisers(
        levels[300:],
        data.labels[300:],
        schedule,
        num_levels=17,
        num_classes=10,
        hidden=(96, 96),
        steps=80,
        generators=[generator(0)],
    )
    denoise = denoiser(networks, schedule, data.labels[:300])
    terms = bound(denoise, levels[:300], schedule, num_levels=17, draws=15, generator=generator(1))
    assert 1.5 < bits_per_dimension(terms.total, dimensions=64).mean() < 2.4
    assert (terms.prior > 0).all()


def test_training_repeats_and_leaves_its_inputs_alone(device):
    schedule = log_snr_schedule(20, device=device)
    levels, labels = pairs(device, 30, 3), torch.zeros(30, dtype=torch.int64, device=device)
    before = levels.clone(), labels.clone(), schedule.alpha_bar.clone()
    knobs = {"num_levels": 3, "num_classes": 1, **SMALL}
    known = torch.tensor([True, False], device=device)

    def everything():
        ensemble = train_denoisers(levels, labels, schedule, **knobs, generators=[generator(0)])
        ordered = train_autoregressive(levels, labels, **knobs, generators=[generator(0)])
        assert isinstance(ensemble, Ensemble)
        networks = ensemble.networks
        denoise = denoiser(ensemble, schedule, labels)
        terms = bound(denoise, levels, schedule, num_levels=3, draws=3, generator=generator(1))
        assert isinstance(terms, Bound)
        assert not any(parameter.requires_grad for parameter in (*networks.weights, *networks.biases))
        return [
            ensemble.losses,
            *networks.weights,
            *ordered.networks.weights,
            *terms,
            sample_levels(denoise, (30, 2), schedule, num_levels=3, generator=generator(2)),
            inpaint(denoise, levels, known, schedule, num_levels=3, resample=2, generator=generator(3)),
        ]

    for a, b in zip(everything(), everything(), strict=True):
        assert a.equal(b)
        assert a.device.type == device.type
    for a, b in zip(before, (levels, labels, schedule.alpha_bar), strict=True):
        assert a.equal(b)


# --- 표본 ---


def test_samples_of_an_exact_denoiser_have_the_right_frequencies(device):
    p = torch.tensor([[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]], device=device)
    schedule = log_snr_schedule(200, device=device)
    drawn = sample_levels(
        independent(schedule, p.log()), (4000, 2), schedule, num_levels=3, generator=generator(0)
    ).cpu()
    seen = torch.stack([torch.bincount(column, minlength=3) / 4000 for column in drawn.T])
    torch.testing.assert_close(seen, p.cpu(), atol=0.04, rtol=0)  # 표준 오차는 0.008, 나머지는 확산 단계의 수에서 온다


def test_guidance_exaggerates_the_condition(device):
    schedule = log_snr_schedule(60, device=device)
    flat, tilted = torch.full((1, 2), 0.5, device=device), torch.tensor([[0.3, 0.7]], device=device)
    blank, condition = (independent(schedule, p.log()) for p in (flat, tilted))

    def share(scale, unconditional):
        drawn = sample_levels(
            condition,
            (2000, 1),
            schedule,
            num_levels=2,
            unconditional=unconditional,
            scale=scale,
            steps=30,
            generator=generator(0),
        )
        return drawn.float().mean().item()

    plain = share(0.0, None)
    assert plain == pytest.approx(0.7, abs=0.05)
    assert share(0.0, blank) == plain
    assert share(2.0, condition) == pytest.approx(plain, abs=0.002)  # 조건이 정보를 더하지 않는다
    assert share(2.0, blank) > plain + 0.1


def test_filling_in_by_tilting_agrees_with_what_is_known(device):
    # 세 화소가 모두 같거나(0.5, 0.5) 아니다. 첫 화소를 알면 나머지도 정해진다.
    schedule = log_snr_schedule(60, device=device)
    images = torch.tensor([[0, 0, 0], [1, 1, 1]], device=device)
    denoise = joint(schedule, images, torch.zeros(2, device=device), 2)
    levels = images[torch.arange(400, device=device) % 2]
    known = torch.tensor([True, False, False], device=device)
    right = {}
    for name, options in {
        "갈아 끼우기": {"tilted": False},
        "반복": {"tilted": False, "resample": 4},
        "뛰며 반복": {"tilted": False, "resample": 4, "jump": 5},
        "기울이기": {},
    }.items():
        filled = inpaint(denoise, levels, known, schedule, num_levels=2, generator=generator(0), **options)
        assert filled[:, known].equal(levels[:, known])
        right[name] = (filled == levels)[:, ~known].float().mean().item()
    assert right["기울이기"] > 0.97
    assert right["갈아 끼우기"] < right["반복"] < right["기울이기"]
    assert right["갈아 끼우기"] < right["뛰며 반복"]


@pytest.mark.parametrize(
    ("steps", "resample", "jump", "visited"),
    [
        (4, 1, 3, [3, 2, 1, 0]),
        (3, 3, 1, [2, 2, 2, 1, 1, 1, 0]),
        (5, 2, 2, [4, 3, 4, 3, 2, 1, 2, 1, 0]),  # 2와 0에 처음 이를 때 확산 단계 둘을 되돌아간다
    ],
)
def test_resampling_walks_back_as_the_authors_do(device, steps, resample, jump, visited):
    schedule, seen = log_snr_schedule(steps, high=3.0, low=-3.0, device=device), []
    exact = independent(schedule, torch.full((2, 3), 1 / 3, device=device).log())

    def denoise(xt, t):
        seen.append(int(t[0]))
        return exact(xt, t)

    levels, known = randint(0, 3, (4, 2), generator=generator(0), device=device), torch.tensor([False, True]).to(device)
    inpaint(
        denoise,
        levels,
        known,
        schedule,
        num_levels=3,
        tilted=False,
        resample=resample,
        jump=jump,
        generator=generator(1),
    )
    assert seen == visited


def test_filling_in_does_not_look_at_the_unknown(device):
    schedule = log_snr_schedule(10, device=device)
    denoise = independent(schedule, torch.full((2, 3), 1 / 3, device=device).log())
    levels, known = randint(0, 3, (8, 2), generator=generator(0), device=device), torch.tensor([False, True]).to(device)
    other = torch.where(known, levels, (levels + 1) % 3)
    for tilted in (True, False):
        a, b = (
            inpaint(denoise, x, known, schedule, num_levels=3, tilted=tilted, generator=generator(1))
            for x in (levels, other)
        )
        assert a.equal(b)
    everything = torch.ones(2, dtype=torch.bool, device=device)
    assert inpaint(denoise, levels, everything, schedule, num_levels=3, generator=None).equal(levels)
    with torch.no_grad():  # 밖에서 기울기를 꺼도 기울인다
        inside = inpaint(denoise, levels, known, schedule, num_levels=3, generator=generator(1))
    assert inside.equal(inpaint(denoise, levels, known, schedule, num_levels=3, generator=generator(1)))


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8), m=st.integers(1, 8), d=st.integers(1, 5))
def test_the_nearest_distance_is_that_of_scipy(device, seed, n, m, d):
    g = generator(seed)
    x, reference = (randn(k, d, generator=g, device=device, dtype=torch.float64) for k in (n, m))
    wanted = scipy.spatial.distance.cdist(x.cpu(), reference.cpu()).min(1)
    np.testing.assert_allclose(nearest_distance(x, reference).cpu(), wanted, **CLOSE)
    assert (nearest_distance(torch.cat([x, reference]), reference)[n:] == 0).all()  # 베낀 표본은 정확히 0이다
    small = nearest_distance(x.float(), reference.float())
    for scale in (2.0**100, 2.0**-100):  # 제곱하면 float32를 넘거나 사라지는 크기
        far = nearest_distance(x.float() * scale, reference.float() * scale)
        assert torch.equal(far, small * scale)
    half = nearest_distance(x.half(), reference.half())
    torch.testing.assert_close(half, nearest_distance(x.half().double(), reference.half().double()).half())


# --- 비교할 모델 ---


def every_image(device, d, num_levels):
    return torch.tensor(list(itertools.product(range(num_levels), repeat=d)), device=device)


@EXAMPLES
@given(seed=st.integers(0, 10**6), m=st.integers(1, 12), smoothing=st.floats(0.01, 5))
def test_the_histogram_by_counting(device, seed, m, smoothing):
    g = generator(seed)
    seen, labels = randint(0, 3, (m, 2), generator=g, device=device), randint(0, 2, (m,), generator=g, device=device)
    images = every_image(device, 2, 3)
    knobs = {"num_levels": 3, "num_classes": 2, "smoothing": smoothing}
    for c in (0, 1):
        y = torch.full((len(images),), c, device=device)
        ours = histogram_log_likelihood(seen, labels, images, y, **knobs).cpu()
        assert ours.exp().sum().item() == pytest.approx(1, rel=1e-5)
        mine = seen[labels == c].cpu().numpy()
        wanted = [
            sum(math.log(((mine[:, i] == x[i]).sum() + smoothing) / (len(mine) + 3 * smoothing)) for i in range(2))
            for x in images.tolist()
        ]
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("head", ["levels", "softmax"])
@pytest.mark.parametrize("hidden", [(7,), (16, 16)])
def test_the_autoregressive_probabilities_sum_to_one(device, head, hidden):
    levels, labels = randint(0, 3, (50, 3), generator=generator(0), device=device), torch.arange(50).to(device) % 2
    knobs = {"num_levels": 3, "num_classes": 2, "head": head, "hidden": hidden, "steps": 30, "batch_size": 16}
    networks = train_autoregressive(levels, labels, **knobs, generators=[generator(0), generator(1)])
    assert networks.losses.shape == (30, 2)
    images = every_image(device, 3, 3)
    for y in (None, torch.zeros_like(images[:, 0]), torch.ones_like(images[:, 0])):
        total = autoregressive_log_likelihood(networks, images, y).exp().sum(1)
        torch.testing.assert_close(total, torch.ones_like(total))


def test_the_autoregressive_network_learns_the_pairs(device):
    levels, labels = pairs(device, 512, 4), torch.zeros(512, dtype=torch.int64, device=device)
    knobs = {"num_levels": 4, "num_classes": 1, "hidden": (32, 32), "steps": 200, "batch_size": 128}
    networks = train_autoregressive(levels, labels, **knobs, head="softmax", generators=[generator(0)])
    nats = -autoregressive_log_likelihood(networks, levels, labels).mean().item()
    entropy = scipy.stats.entropy(np.bincount(levels[:, 0].cpu()))
    assert entropy - 1e-4 < nats < entropy + 0.2
    assert networks.losses[-1].item() == pytest.approx(nats / (2 * math.log(2)), abs=0.15)


# --- 틀린 입력 ---


def refuses(error, message, function, *args, **knobs):
    with pytest.raises(error) as raised:
        function(*args, **knobs)
    assert str(raised.value).startswith(message)


@pytest.mark.bad_input
def test_bad_levels_and_schedules(device):
    x = torch.zeros(2, device=device)
    for function in (level_values, level_basis):
        refuses(ValueError, "num_levels: 2 이상의 정수여야 하는데 1이다", function, 1)
        refuses(TypeError, "num_levels: 정수여야 하는데 float이다", function, 3.0)
    refuses(ValueError, "num_levels: 2 이상의", to_levels, x, num_levels=0)
    refuses(ValueError, "values: 실수형이어야", to_levels, x.long(), num_levels=2)
    refuses(ValueError, "values: 원소가 하나 이상", to_levels, x[:0], num_levels=2)
    refuses(ValueError, "values: 유한한 값이어야 하는데 nan이 있다", to_levels, x * math.nan, num_levels=2)
    refuses(TypeError, "values: 텐서여야 하는데 list이다", to_levels, [0.0], num_levels=2)
    refuses(ValueError, "steps: 2 이상의 정수여야 하는데 1이다", log_snr_schedule, 1)
    refuses(ValueError, "low: high(1)보다 작아야 하는데 1이다", log_snr_schedule, 5, low=1.0, high=1.0)
    refuses(ValueError, "high: [-30, 30] 안의 값이어야", log_snr_schedule, 5, high=31.0)
    refuses(TypeError, "low: 수여야 하는데 str이다", log_snr_schedule, 5, low="0")
    refuses(ValueError, "high: 이웃한 시각의", log_snr_schedule, 5000, high=30.0, low=29.9)
    for function in (level_values, level_basis):
        refuses(ValueError, "dtype: 실수형이어야 하는데 torch.int64이다", function, 3, dtype=torch.int64)
    refuses(TypeError, "nats: 텐서여야", bits_per_dimension, 1.0, dimensions=2)
    refuses(ValueError, "nats: 실수형이어야", bits_per_dimension, x.long(), dimensions=2)
    refuses(ValueError, "dimensions: 1 이상의 정수여야", bits_per_dimension, x, dimensions=0)


@pytest.mark.bad_input
def test_bad_posteriors(device):
    schedule = log_snr_schedule(5, device=device)
    natural, xt = torch.zeros(2, 3, 4, device=device), torch.zeros(2, 3, device=device)
    t, basis = torch.zeros(2, dtype=torch.int64, device=device), torch.zeros(4, 6, device=device)
    for message, args, knobs in [
        ("natural: 실수형이어야", (natural.long(), xt, t, schedule), {"basis": basis}),
        ("natural: 모양이 (2, 3, 4)이어야", (natural[:1], xt, t, schedule), {"basis": basis}),
        ("xt: 축의 수가 2이어야", (natural, xt[0], t, schedule), {"basis": basis}),
        ("basis: 축의 수가 2이어야", (natural, xt, t, schedule), {"basis": basis[0]}),
        ("t: 모양이 (2,)이어야", (natural, xt, t[:1], schedule), {"basis": basis}),
        ("t: [0, 4] 안의 값이어야", (natural, xt, t + 5, schedule), {"basis": basis}),
        ("t: 시각은 torch.int64여야", (natural, xt, t.int(), schedule), {"basis": basis}),
    ]:
        refuses(ValueError, message, posterior_logits, *args, **knobs)
    refuses(TypeError, "xt: 텐서여야", posterior_logits, natural, [0.0], t, schedule, basis=basis)


@pytest.mark.bad_input
def test_bad_bounds(device):
    schedule, levels = log_snr_schedule(5, device=device), torch.zeros(2, 3, dtype=torch.int64, device=device)
    denoise = independent(schedule, torch.zeros(3, 2, device=device))
    knobs = {"num_levels": 2, "draws": 2, "generator": generator(0)}
    for message, changed in [
        ("levels: 클래스 번호는", {"levels": levels.float()}),
        ("levels: 축의 수가 2이어야", {"levels": levels[0]}),
        ("levels: 원소가 하나 이상", {"levels": levels[:0]}),
        ("levels: [0, 1] 안의 값이어야 하는데 최솟값이 2이다", {"levels": levels + 2}),
        ("num_levels: 2 이상의", {"num_levels": 1}),
        ("draws: 1 이상의", {"draws": 0}),
        ("denoise.mean: 모양이 (2, 3)이어야", {"denoise": lambda x, t: Prediction(x[:, :1], x)}),
        ("denoise.logits: 모양이 (2, 3, 2)이어야", {"denoise": lambda x, t: Prediction(x, x)}),
    ]:
        every = {"denoise": denoise, "levels": levels, "schedule": schedule, **knobs} | changed
        refuses(ValueError, message, bound, **every)
    refuses(TypeError, "levels: 텐서여야", bound, denoise, [[0]], schedule, **knobs)
    refuses(TypeError, "denoise: 함수여야", bound, None, levels, schedule, **knobs)
    refuses(TypeError, "schedule: Schedule", bound, denoise, levels, schedule.beta, **knobs)

    def lost(xt, t):
        return Prediction(xt * math.nan, xt.new_zeros(*xt.shape, 2))

    refuses(ValueError, "denoise: 유한한 값이어야", bound, lost, levels, schedule, **knobs)
    rest, known = {"num_levels": 2, "generator": generator(0)}, torch.tensor([True, False, False], device=device)
    refuses(ValueError, "denoise.mean: 유한한", sample_levels, lost, (2, 3), schedule, **rest)
    refuses(ValueError, "denoise.mean: 유한한", inpaint, lost, levels, known, schedule, tilted=False, **rest)
    refuses(
        ValueError, "denoise: tilted이면", inpaint, lambda x, t: lost(x.detach(), t), levels, known, schedule, **rest
    )


@pytest.mark.bad_input
def test_bad_trainings(device):
    schedule = log_snr_schedule(5, device=device)
    levels, labels = pairs(device, 6, 3), torch.zeros(6, dtype=torch.int64, device=device)
    knobs = {"num_levels": 3, "num_classes": 1, **SMALL, "generators": [generator(0)]}
    shared = [
        ("levels: [0, 2] 안의 값이어야", {"levels": levels + 3}),
        ("labels: [0, 0] 안의 값이어야", {"labels": labels + 1}),
        ("labels: 모양이 (6,)이어야", {"labels": labels[:5]}),
        ("labels: 축의 수가 1이어야", {"labels": labels[None]}),
        ("labels: 클래스 번호는", {"labels": labels.float()}),
        ("num_classes: 1 이상의", {"num_classes": 0}),
        ("steps: 1 이상의", {"steps": 0}),
        ("batch_size: 1 이상의", {"batch_size": 0}),
        ("generators: 1 이상의 정수여야 하는데 0이다", {"generators": []}),
        ("hidden: 1 이상의", {"hidden": ()}),
        ("hidden[1]: 1 이상의", {"hidden": (4, 0)}),
        ("hidden: 너비가 모두 같아야 하는데 (4, 5)이다", {"hidden": (4, 5)}),
        ("learning_rate: 0보다 큰", {"learning_rate": 0.0}),
        ("weight_decay: 0 이상의", {"weight_decay": -1.0}),
        ("label_drop: [0, 1] 안의", {"label_drop": 1.5}),
    ]
    every = {"levels": levels, "labels": labels, **knobs}
    for message, changed in shared:
        refuses(ValueError, message, train_autoregressive, **(every | changed))
        refuses(ValueError, message, train_denoisers, schedule=schedule, **(every | changed))
    refuses(ValueError, "head: 'levels', 'softmax' 가운데", train_autoregressive, **every, head="gaussian")
    refuses(ValueError, "head: 'levels', 'softmax', 'gaussian'", train_denoisers, schedule=schedule, **every, head="x")
    refuses(ValueError, "emphasis: 0 이상의", train_denoisers, schedule=schedule, **every, emphasis=-1.0)
    short = process.noise_schedule(torch.tensor([0.5], dtype=torch.float64, device=device))
    refuses(ValueError, "schedule: 2 이상의", train_denoisers, schedule=short, **every)


@pytest.mark.bad_input
def test_bad_uses_of_networks(device):
    schedule = log_snr_schedule(5, device=device)
    levels, labels = pairs(device, 6, 3), torch.zeros(6, dtype=torch.int64, device=device)
    knobs = {"num_levels": 3, "num_classes": 1, **SMALL, "generators": [generator(0)]}
    networks = train_denoisers(levels, labels, schedule, head="gaussian", **knobs)
    ordered = train_autoregressive(levels, labels, **knobs)
    refuses(ValueError, "labels: [0, 0] 안의", denoiser, networks, schedule, labels + 1)
    refuses(ValueError, "member: [0, 0] 안의", denoiser, networks, schedule, member=1)
    refuses(ValueError, "member: 0 이상의", denoiser, networks, schedule, member=-1)
    xt, t = torch.zeros(6, 2, device=device), labels
    denoise = denoiser(networks, schedule, labels)
    refuses(ValueError, "labels: 모양이 (5,)이어야", denoise, xt[:5], t[:5])
    refuses(ValueError, "xt: 축의 수가 2이어야", denoise, xt[0], t)
    refuses(ValueError, "xt: 실수형이어야", denoise, xt.long(), t)
    refuses(ValueError, "t: [0, 4] 안의", denoise, xt, t + 9)
    likelihood = autoregressive_log_likelihood
    refuses(ValueError, "ensemble: 단계의 로짓을 내는", likelihood, networks, levels)
    refuses(ValueError, "levels: 모양이 (6, 2)이어야", likelihood, ordered, levels[:, :1])
    refuses(ValueError, "levels: [0, 2] 안의", likelihood, ordered, levels + 3)
    refuses(ValueError, "labels: 모양이 (6,)이어야", likelihood, ordered, levels, labels[:5])
    refuses(ValueError, "labels: [0, 0] 안의", likelihood, ordered, levels, labels + 1)


@pytest.mark.bad_input
def test_bad_samples(device):
    schedule = log_snr_schedule(5, device=device)
    denoise = independent(schedule, torch.zeros(2, 3, device=device))
    knobs = {"num_levels": 3, "generator": generator(0)}
    refuses(ValueError, "scale: 0 이상의", sample_levels, denoise, (2, 2), schedule, scale=-1.0, **knobs)
    refuses(ValueError, "unconditional: scale이 1이면", sample_levels, denoise, (2, 2), schedule, scale=1.0, **knobs)
    refuses(ValueError, "steps: [1, 5] 안의", sample_levels, denoise, (2, 2), schedule, steps=6, **knobs)
    refuses(ValueError, "shape[0]: 1 이상의", sample_levels, denoise, (0, 2), schedule, **knobs)
    levels, known = pairs(device, 4, 3), torch.tensor([True, False], device=device)
    refuses(ValueError, "resample: 1 이상의", inpaint, denoise, levels, known, schedule, resample=0, **knobs)
    refuses(ValueError, "jump: 1 이상의", inpaint, denoise, levels, known, schedule, jump=0, **knobs)
    refuses(ValueError, "known: 모양이 (2,)이어야", inpaint, denoise, levels, known[:1], schedule, **knobs)
    refuses(ValueError, "known: torch.bool이어야", inpaint, denoise, levels, known.long(), schedule, **knobs)
    refuses(TypeError, "known: 텐서여야", inpaint, denoise, levels, [True, False], schedule, **knobs)
    refuses(ValueError, "levels: [0, 2] 안의", inpaint, denoise, levels + 3, known, schedule, **knobs)


@pytest.mark.bad_input
def test_bad_distances_and_histograms(device):
    x, levels, y = torch.zeros(2, 3, device=device), pairs(device, 4, 3), torch.zeros(4, dtype=torch.int64).to(device)
    refuses(ValueError, "reference: 모양이 (2, 3)이어야", nearest_distance, x, x[:, :2])
    refuses(ValueError, "x: 축의 수가 2이어야", nearest_distance, x[0], x)
    refuses(ValueError, "x: 원소가 하나 이상", nearest_distance, x[:0], x)
    refuses(ValueError, "reference: 유한한 값이어야", nearest_distance, x, x * math.nan)
    refuses(TypeError, "x: 텐서여야", nearest_distance, [[0.0]], x)
    knobs = {"num_levels": 3, "num_classes": 1}
    count = histogram_log_likelihood
    refuses(ValueError, "smoothing: 0보다 큰", count, levels, y, levels, y, smoothing=0.0, **knobs)
    refuses(ValueError, "levels: 모양이 (4, 2)이어야", count, levels, y, levels[:, :1], y, **knobs)
    refuses(ValueError, "labels: [0, 0] 안의", count, levels, y, levels, y + 1, **knobs)
    refuses(ValueError, "train_labels: [0, 0] 안의", count, levels, y + 1, levels, y, **knobs)
    refuses(ValueError, "train_levels: [0, 2] 안의", count, levels + 3, y, levels, y, **knobs)
