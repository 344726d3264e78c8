"""기준값: torch.distributions의 KL, 가우스 분포의 닫힌 식, process.py의 변분 상한."""

import inspect
import math
from functools import partial

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.distributions import Normal, kl_divergence

from mgk_docs_src.diffusion.process import (
    cosine_schedule,
    diffuse,
    linear_schedule,
    mixture_noise,
    noise_to_score,
    noise_to_x0,
    posterior,
    signal_to_noise,
    velocity,
)
from mgk_docs_src.diffusion.sampling import (
    bound_term,
    forward_variance,
    guide,
    optimal_variance,
    posterior_variance,
    sample,
)
from mgk_docs_src.diffusion.training import (
    Denoiser,
    Training,
    bound_weight,
    denoising_loss,
    feature_count,
    features,
    memory,
    mlp,
    noise_predictor,
    regression_target,
    stratified_times,
    target_to_noise,
    target_weight,
    train,
)
from mgk_docs_src.random import generator, rand, randint, randn

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TARGETS = ["noise", "x0", "velocity", "score"]
NETWORKS = [mlp, memory]
VARIANCES = [posterior_variance, forward_variance, partial(optimal_variance, std=1.4)]
SCHEDULES = [linear_schedule, cosine_schedule]
CLOSE = {"atol": 1e-10, "rtol": 1e-10}
KINDS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def batch(seed, shape, steps, device, kind=torch.float64):
    """데이터, 노이즈, 시각의 번호."""
    g = generator(seed)
    x0, noise = (randn(*shape, generator=g, dtype=torch.float64).to(device, kind) for _ in range(2))
    return x0, noise, randint(0, steps, shape[:1], generator=g, device=device)


def wobbly(x, t):
    """시각에 따라 달라지는, 아무렇게나 고른 예측."""
    return (0.7 * x).sin() + 0.1 * t.to(x.dtype).reshape(-1, *(1,) * (x.ndim - 1)).cos()


def ring(device, kind=torch.float32):
    angle = torch.arange(8, device=device, dtype=kind) * math.pi / 4
    return 2 * torch.stack([angle.cos(), angle.sin()], 1)


def eight(n, g, device):
    """반지름 2의 원에 놓인 가우스 여덟 개(표준 편차 0.2)와, 어느 것에서 나왔는가."""
    labels = randint(0, 8, (n,), generator=g, device=device)
    return ring(device)[labels] + 0.2 * randn(n, 2, generator=g, device=device), labels


# --- 무엇을 맞히나 ---


@EXAMPLES
@given(
    seed=st.integers(0, 10**6),
    steps=st.integers(1, 300),
    target=st.sampled_from(TARGETS),
    case=st.tuples(st.sampled_from([(3,), (4, 2), (2, 1, 3, 3)]), st.sampled_from(SCHEDULES)),
)
def test_every_target_goes_back_to_the_noise(device, seed, steps, target, case):
    shape, make = case
    schedule = make(steps, device=device)
    x0, noise, t = batch(seed, shape, steps, device)
    kept = x0.clone(), noise.clone()
    xt = diffuse(x0, t, schedule, noise=noise)
    y = regression_target(x0, noise, t, schedule, target=target)
    torch.testing.assert_close(target_to_noise(y, xt, t, schedule, target=target), noise, **CLOSE)
    assert torch.equal(x0, kept[0])
    assert torch.equal(noise, kept[1])


def test_the_targets_are_what_they_are_called(device):
    schedule = cosine_schedule(10, device=device)
    x0, noise, t = batch(0, (5, 2), 10, device)
    names = {name: regression_target(x0, noise, t, schedule, target=name) for name in TARGETS}
    assert torch.equal(names["noise"], noise)
    assert torch.equal(names["x0"], x0)
    assert torch.equal(names["velocity"], velocity(x0, noise, t, schedule))
    sigma2 = (1 - schedule.alpha_bar[t])[:, None]
    xt = diffuse(x0, t, schedule, noise=noise).requires_grad_()
    log_density = Normal(schedule.alpha_bar[t].sqrt()[:, None] * x0, sigma2.sqrt()).log_prob(xt)
    (score,) = torch.autograd.grad(log_density.sum(), xt)
    torch.testing.assert_close(names["score"], score, **CLOSE)
    one = regression_target(x0, noise, 3, schedule, target="score")
    torch.testing.assert_close(one, noise_to_score(noise, 3, schedule))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_dtype_is_followed_and_halves_are_rounded_once(device, target, kind):
    schedule = cosine_schedule(20, device=device)
    x0, noise, t = batch(1, (40, 3), 20, device, kind)
    xt = diffuse(x0, t, schedule, noise=noise)
    tolerance = {"atol": 0, "rtol": 2 * torch.finfo(kind).eps}
    y = regression_target(x0, noise, t, schedule, target=target)
    wide = regression_target(x0.double(), noise.double(), t, schedule, target=target)
    assert y.dtype == kind
    if target != "velocity":  # 속도는 빼므로 0 둘레에서 상대 오차가 없다
        torch.testing.assert_close(y.double(), wide, **tolerance)
    back = target_to_noise(y, xt, t, schedule, target=target)
    loss = denoising_loss(wobbly, x0, t, schedule, noise=noise, target=target, reduction="none")
    assert back.dtype == loss.dtype == kind
    assert target_to_noise(y, xt.double(), t, schedule, target=target).dtype == torch.float64


@EXAMPLES
@given(
    seed=st.integers(0, 10**6), steps=st.integers(1, 300), target=st.sampled_from(TARGETS),
    make=st.sampled_from(SCHEDULES),
)  # fmt: skip
def test_choosing_a_target_is_choosing_a_weight(device, seed, steps, target, make):
    schedule = make(steps, device=device)
    x0, noise, t = batch(seed, (6, 2), steps, device)
    xt = diffuse(x0, t, schedule, noise=noise)
    y = regression_target(x0, noise, t, schedule, target=target)
    guess = y + 0.3 * wobbly(xt, t)
    epsilon = target_to_noise(guess, xt, t, schedule, target=target)
    weight = target_weight(t, schedule, target=target)
    assert weight.shape == t.shape
    assert (weight > 0).all()
    torch.testing.assert_close(
        ((y - guess) ** 2).sum(1), weight * ((noise - epsilon) ** 2).sum(1), atol=1e-10, rtol=1e-6
    )
    single = target_weight(int(t[0]), schedule, target=target)
    assert single.item() == pytest.approx(weight[0].item(), rel=1e-12)


# --- 변분 상한과 단순한 손실 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 200), variance=st.sampled_from(VARIANCES), data=st.data())
def test_the_bound_is_the_simple_loss_with_weights(device, seed, steps, variance, data):
    t = data.draw(st.integers(0, steps - 1))
    schedule = cosine_schedule(steps, device=device)
    x0, noise, _ = batch(seed, (4, 3), steps, device)
    simple = denoising_loss(wobbly, x0, t, schedule, noise=noise, target="noise", reduction="none")
    term = bound_term(wobbly, x0, t, schedule, noise=noise, variance=variance)
    sigma2 = variance(t, t - 1, schedule)
    if t == 0:
        constant = torch.log(2 * math.pi * torch.where(sigma2 > 0, sigma2, schedule.beta[0]))
    else:
        ratio = posterior_variance(t, t - 1, schedule) / sigma2
        constant = ratio - 1 - ratio.log()
    weight = bound_weight(t, schedule, variance=variance)
    torch.testing.assert_close(weight * simple + 1.5 * constant, term, atol=1e-9, rtol=1e-9)


def test_the_weighted_error_is_the_kl_of_the_reverse_step(device):
    schedule = linear_schedule(50, device=device)
    x0, noise, _ = batch(2, (6, 2), 50, device)
    for t in (1, 7, 30, 49):
        xt = diffuse(x0, t, schedule, noise=noise)
        times = torch.full((6,), t, device=device)
        truth = posterior(x0, xt, t, schedule)
        guess_x0 = (xt - (1 - schedule.alpha_bar[t]).sqrt() * wobbly(xt, times)) / schedule.alpha_bar[t].sqrt()
        model = posterior(guess_x0, xt, t, schedule)
        std = truth.variance.sqrt()
        kl = kl_divergence(Normal(truth.mean, std), Normal(model.mean, std)).sum(1)
        simple = denoising_loss(wobbly, x0, times, schedule, noise=noise, target="noise", reduction="none")
        torch.testing.assert_close(bound_weight(t, schedule) * simple, kl, **CLOSE)


@pytest.mark.parametrize("make", SCHEDULES)
def test_the_bound_weight_is_the_lost_signal_to_noise_ratio(device, make):
    schedule = make(100, device=device)
    snr = signal_to_noise(schedule)
    weights = torch.stack([bound_weight(t, schedule) for t in range(1, 100)])
    lost = (snr[:-1] - snr[1:]) / 2 / snr[1:]
    torch.testing.assert_close(weights, lost, atol=0, rtol=1e-9)
    # 상한은 노이즈가 적은 시각의 가중치가 훨씬 크다. 단순한 손실은 그 가중치를 버린다.
    assert weights[0] > 3 * weights[50]


def test_zero_and_perfect_predictions_lose_what_theory_says(device):
    # 데이터가 N(0, s²)이면 E[ε | x_t] = σ x_t / v이고, 남는 분산은 ᾱ s² / v다. v = ᾱ s² + σ².
    schedule = cosine_schedule(10, device=device)
    n, std = 200_000, 0.8
    _, noise, t = batch(3, (n, 1), 10, device, torch.float32)
    x0 = std * batch(4, (n, 1), 10, device, torch.float32)[0]
    knobs = {"noise": noise, "target": "noise", "reduction": "none"}
    zero = denoising_loss(lambda x, t: torch.zeros_like(x), x0, t, schedule, **knobs)
    torch.testing.assert_close(zero, noise[:, 0] ** 2)
    perfect = partial(mixture_noise, schedule=schedule, means=x0.new_zeros(1, 1), std=std)
    losses = denoising_loss(perfect, x0, t, schedule, **knobs)
    for moment in range(10):
        alpha_bar = schedule.alpha_bar[moment].item()
        floor = alpha_bar * std**2 / (alpha_bar * std**2 + 1 - alpha_bar)
        assert losses[t == moment].mean().item() == pytest.approx(floor, rel=0.03)


def test_the_best_linear_guess_of_the_score_target_is_the_true_score(device):
    # 노이즈 제거 스코어 매칭: 섞은 노이즈를 맞히게 했는데, 답은 x_t의 밀도의 스코어다.
    schedule = cosine_schedule(10, device=device)
    n, t, std = 400_000, 5, 0.8
    x0, noise, _ = batch(5, (n, 1), 10, device)
    x0 = std * x0
    xt = diffuse(x0, t, schedule, noise=noise)
    y = regression_target(x0, noise, t, schedule, target="score")
    slope = (xt * y).mean() / (xt**2).mean()
    alpha_bar = schedule.alpha_bar[t]
    torch.testing.assert_close(slope, -1 / (alpha_bar * std**2 + 1 - alpha_bar), atol=0, rtol=0.02)


@EXAMPLES
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 60), make=st.sampled_from(SCHEDULES))
def test_the_score_is_weighted_by_its_variance(device, seed, steps, make):
    """σ² ‖s − s_θ‖² = ‖ε − ε_θ‖²: 스코어로 적은 노이즈의 손실이다."""
    schedule = make(steps, device=device)
    x0, noise, t = batch(seed, (6, 2), steps, device)

    def as_score(x, t):
        return -wobbly(x, t) / (1 - schedule.alpha_bar[t]).sqrt()[:, None]

    score, simple = (
        denoising_loss(predict, x0, t, schedule, noise=noise, target=target, reduction="none")
        for predict, target in ((as_score, "score"), (wobbly, "noise"))
    )
    torch.testing.assert_close(score, simple, atol=1e-9, rtol=1e-9)


def test_one_default_target_everywhere(device):
    defaults = {f: inspect.signature(f).parameters["target"].default for f in (denoising_loss, train, Denoiser)}
    assert set(defaults.values()) == {"velocity"}
    schedule = cosine_schedule(8, device=device)
    x0, noise, t = batch(6, (5, 2), 8, device)
    knobs = {"noise": noise, "reduction": "none"}
    explicit = ((velocity(x0, noise, t, schedule) - wobbly(diffuse(x0, t, schedule, noise=noise), t)) ** 2).sum(1)
    torch.testing.assert_close(denoising_loss(wobbly, x0, t, schedule, **knobs), explicit, **CLOSE)


def test_the_loss_reduces_and_differentiates(device):
    schedule = cosine_schedule(8, device=device)
    x0, noise, t = batch(6, (5, 2), 8, device)
    each = denoising_loss(wobbly, x0, t, schedule, noise=noise, reduction="none")
    assert each.shape == (5,)
    torch.testing.assert_close(denoising_loss(wobbly, x0, t, schedule, noise=noise), each.mean())
    torch.testing.assert_close(denoising_loss(wobbly, x0, t, schedule, noise=noise, reduction="sum"), each.sum())
    weight = torch.tensor([0.3, -0.2], device=device, dtype=torch.float64, requires_grad=True)
    x0.requires_grad_()
    for target in TARGETS:
        assert torch.autograd.gradcheck(
            lambda w, x, target=target: denoising_loss(
                lambda xt, t: wobbly(xt, t) * w, x, t, schedule, noise=noise, target=target
            ),
            (weight, x0),
        )


# --- 시각과 특징 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 40), times=st.integers(1, 8))
def test_stratified_times_are_even(device, seed, steps, times):
    schedule = cosine_schedule(steps, device=device)
    t = stratified_times(times * steps, schedule, generator=generator(seed))
    assert t.device.type == device.type
    assert t.bincount(minlength=steps).tolist() == [times] * steps
    assert (t.diff() >= 0).all()
    few = stratified_times(times, schedule, generator=generator(seed))
    assert 0 <= few.min() <= few.max() < steps


def test_stratified_times_have_the_uniform_marginal(device):
    schedule = cosine_schedule(7, device=device)
    g = generator(0)
    drawn = torch.cat([stratified_times(3, schedule, generator=g) for _ in range(3000)])
    assert (drawn.bincount(minlength=7) / len(drawn) - 1 / 7).abs().max() < 0.012
    assert torch.equal(
        stratified_times(9, schedule, generator=generator(1)), stratified_times(9, schedule, generator=generator(1))
    )


def test_features_are_waves_of_the_point_and_of_the_angle(device):
    schedule = cosine_schedule(6, device=device)
    x, _, t = batch(7, (3, 2), 6, device)
    labels = torch.tensor([2, -1, 0], device=device)
    seen = features(x, t, schedule, frequencies=2, labels=labels, num_labels=3)
    assert seen.shape == (3, feature_count(2, frequencies=2, num_labels=3))
    for i in range(3):
        phi = math.acos(schedule.alpha_bar[t[i]].sqrt().item())
        u = [*x[i].tolist(), phi]
        waves = [f(k * value) for f in (math.sin, math.cos) for k in (1, 2) for value in u]
        hot = [float(labels[i] == c) for c in range(3)]
        assert seen[i].tolist() == pytest.approx([*u, *waves, *hot], abs=1e-12)
    plain = features(x, 4, schedule, frequencies=0, num_labels=3)
    assert plain.shape == (3, feature_count(2, frequencies=0, num_labels=3))
    assert (plain[:, 3:] == 0).all()
    assert features(x, t, schedule).shape[1] == feature_count(2) == 27
    for kind in KINDS:
        assert features(x.to(kind), t, schedule).dtype == kind


# --- 신경망 ---


def test_the_mlp_is_the_formula(device):
    network = mlp(3, 2, width=5, depth=2, generator=generator(0), device=device, dtype=torch.float64)
    h = randn(4, 3, generator=generator(1), device=device, dtype=torch.float64)
    (w1, b1), (w2, b2), (w3, b3) = ((m.weight, m.bias) for m in network if isinstance(m, nn.Linear))
    one = h @ w1.T + b1
    two = (one * one.sigmoid()) @ w2.T + b2
    torch.testing.assert_close(network(h), (two * two.sigmoid()) @ w3.T + b3)


def test_the_memory_is_the_formula_and_answers_inside_its_values(device):
    network = memory(3, 2, width=5, slots=4, generator=generator(0), device=device, dtype=torch.float64)
    h = 5 * randn(50, 3, generator=generator(1), device=device, dtype=torch.float64)
    (a_w, a_b), (k_w, k_b), (v_w, v_b) = ((m.weight, m.bias) for m in network if isinstance(m, nn.Linear))
    q = h @ a_w.T + a_b
    share = torch.softmax((q * q.sigmoid()) @ k_w.T + k_b, 1)
    answer = network(h)
    torch.testing.assert_close(answer, share @ v_w.T + v_b)
    values = v_w.T + v_b  # (slots, 2)
    assert (answer >= values.amin(0) - 1e-12).all()
    assert (answer <= values.amax(0) + 1e-12).all()


@pytest.mark.parametrize("make", NETWORKS)
def test_networks_start_from_the_generator_alone(device, make):
    state = torch.get_rng_state()
    one, two, other = (make(9, 2, generator=generator(seed), device=device) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    for a, b, c in zip(one.parameters(), two.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
        assert a.requires_grad
        assert a.device.type == device.type
    for layer in one:
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            assert layer.weight.abs().max() <= bound
            assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.2)


# --- 노이즈의 예측 ---


def untrained(device, target="velocity", num_labels=3, make=mlp):
    network = make(feature_count(2, num_labels=num_labels), 2, width=8, generator=generator(0), device=device)
    return Denoiser(network, cosine_schedule(9, device=device), target, num_labels=num_labels)


@pytest.mark.parametrize("target", TARGETS)
def test_the_predictor_reads_the_network_as_noise(device, target):
    denoiser = untrained(device, target)
    xt, _, t = batch(8, (6, 2), 9, device, torch.float32)
    labels = torch.tensor([0, 1, 2, -1, 0, 1], device=device)
    seen = features(xt, t, denoiser.schedule, labels=labels, num_labels=3)
    truth = target_to_noise(denoiser.network(seen), xt, t, denoiser.schedule, target=target)
    conditional = noise_predictor(denoiser, labels=labels)(xt, t)
    torch.testing.assert_close(conditional, truth)
    free = noise_predictor(denoiser)(xt, t)
    torch.testing.assert_close(noise_predictor(denoiser, labels=torch.full_like(labels, -1))(xt, t), free)
    guided = noise_predictor(denoiser, labels=labels, guidance=1.5)(xt, t)
    torch.testing.assert_close(guided, guide(conditional, free, 1.5))
    torch.testing.assert_close(guided[3], free[3])  # 조건이 없으면 가이던스를 쓸 수 없다
    assert not torch.allclose(guided[0], conditional[0])


def test_the_predictor_fits_the_sampler(device):
    denoiser = untrained(device)
    predict = noise_predictor(denoiser, labels=torch.zeros(5, dtype=torch.int64, device=device), guidance=0.5)
    samples = [sample(predict, (5, 2), denoiser.schedule, generator=generator(0)) for _ in range(2)]
    assert samples[0].device.type == device.type
    assert torch.equal(*samples)


# --- 학습 ---


def quick(data, schedule, *, network=None, make=mlp, width=16, seed=0, **knobs):
    """작은 신경망을 짧게 학습한다."""
    g = generator(seed)
    inputs = feature_count(data.shape[1], num_labels=knobs.get("num_labels", 0))
    if network is None:
        network = make(inputs, data.shape[1], width=width, generator=g, device=data.device, dtype=data.dtype)
    knobs = {"steps": 30, "batch_size": 32} | knobs
    return train(network, data, schedule, generator=g, **knobs)


def held_out_loss(predict_noise, device, schedule, target):
    """처음 보는 점에서의 손실. 노이즈의 예측을 맞힐 것의 예측으로 바꾸어 잰다."""
    x0, _ = eight(3000, generator(99), device)
    _, noise, t = batch(98, (3000, 2), len(schedule.beta), device, torch.float32)

    def predict(xt, t):
        epsilon = predict_noise(xt, t)
        return regression_target(noise_to_x0(epsilon, xt, t, schedule), epsilon, t, schedule, target=target)

    return denoising_loss(predict, x0, t, schedule, noise=noise, target=target).item()


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("target", TARGETS)
def test_learning_closes_the_gap_to_the_perfect_prediction(device, make, target):
    data, _ = eight(2000, generator(0), device)
    schedule = linear_schedule(20, device=device)
    network = make(feature_count(2), 2, width=16, generator=generator(1), device=device)
    trained = quick(data, schedule, network=network, target=target, steps=240, batch_size=128)
    assert isinstance(trained, Training)
    assert trained.losses.shape == (240,)
    assert not trained.losses.requires_grad
    assert trained.losses[-40:].mean() < trained.losses[:40].mean()
    denoiser = trained.denoiser
    assert (denoiser.target, denoiser.frequencies, denoiser.num_labels) == (target, 4, 0)
    assert not any(parameter.requires_grad for parameter in denoiser.network.parameters())
    perfect = partial(mixture_noise, schedule=schedule, means=ring(device), std=0.2)
    floor, after, before = (
        held_out_loss(predict, device, schedule, target)
        for predict in (perfect, noise_predictor(denoiser), noise_predictor(denoiser._replace(network=network)))
    )
    assert floor < after
    assert after - floor < 0.5 * (before - floor)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_the_same_generator_learns_the_same(device, kind):
    data, labels = eight(200, generator(0), device)
    data, kept = data.to(kind), data.to(kind).clone()
    schedule = cosine_schedule(10, device=device)
    network = mlp(feature_count(2, num_labels=8), 2, width=16, generator=generator(1), device=device, dtype=kind)
    first = [parameter.detach().clone() for parameter in network.parameters()]
    one, two, other = (
        quick(data, schedule, network=network, seed=seed, labels=labels, num_labels=8) for seed in (0, 0, 1)
    )
    assert torch.equal(one.losses, two.losses)
    assert not torch.equal(one.losses, other.losses)
    assert one.losses.dtype == kind
    for a, b, untouched, start in zip(
        one.denoiser.network.parameters(), two.denoiser.network.parameters(), network.parameters(), first, strict=True
    ):
        assert torch.equal(a, b)
        assert torch.equal(untouched, start)
        assert not torch.equal(a, start)
    assert torch.equal(data, kept)


def test_the_first_step_is_adams_and_the_average_follows_the_formula(device):
    data, _ = eight(64, generator(0), device)
    schedule = cosine_schedule(10, device=device)
    network = mlp(feature_count(2), 2, width=8, generator=generator(1), device=device)
    knobs = {"network": network, "steps": 1, "learning_rate": 0.05}
    last, mean = (quick(data, schedule, ema=ema, **knobs).denoiser.network for ema in (0.0, 0.999))
    for start, now, average in zip(network.parameters(), last.parameters(), mean.parameters(), strict=True):
        moved = (now - start).detach().abs()
        # Adam의 첫 학습 스텝은 기울기의 크기와 상관없이 학습률만큼이다. 예열의 첫 스텝은 그 1/50이다.
        assert moved.max().item() == pytest.approx(0.05 / 50, rel=1e-2)
        torch.testing.assert_close(average, 0.1 * start + 0.9 * now)  # m_0 = min(m, 1/10)
    flat, still = (quick(data, schedule, network=network, ema=ema, steps=3) for ema in (0.0, 0.2))
    assert torch.equal(flat.losses, still.losses)  # 평균은 학습에 영향을 주지 않는다


def test_frozen_weights_stay_and_running_statistics_are_kept(device):
    data, _ = eight(300, generator(0), device)
    network = nn.Sequential(
        mlp(feature_count(2), 8, width=8, generator=generator(0), device=device),
        nn.BatchNorm1d(8, device=device),
        nn.Linear(8, 2, device=device),
    )
    network[2].weight.requires_grad_(False)
    trained = quick(data, cosine_schedule(10, device=device), network=network).denoiser.network
    assert torch.equal(trained[2].weight, network[2].weight)
    assert not torch.equal(trained[2].bias, network[2].bias)
    assert trained[1].num_batches_tracked == 30
    assert network[1].num_batches_tracked == 0
    assert not trained.training


def test_a_dropped_label_teaches_nothing(device):
    data, labels = eight(300, generator(0), device)
    schedule = cosine_schedule(10, device=device)
    network = mlp(feature_count(2, num_labels=8), 2, width=8, generator=generator(1), device=device)
    knobs = {"network": network, "labels": labels, "num_labels": 8}
    never = quick(data, schedule, label_drop=1.0, **knobs).denoiser.network
    always = quick(data, schedule, label_drop=0.0, **knobs).denoiser.network
    start = network[0].weight[:, -8:]
    assert torch.equal(never[0].weight[:, -8:], start)
    assert ((always[0].weight[:, -8:] - start).abs().amax(0) > 0).all()


@pytest.mark.parametrize("make", NETWORKS)
def test_eight_gaussians_are_learnt(device, make):
    """짧게 학습해도 여덟 개를 모두 찾는다. 끝까지 학습한 값은 실습에 있다."""
    data, labels = eight(5000, generator(0), device)
    schedule = cosine_schedule(100, device=device)
    trained = quick(
        data, schedule, make=make, width=64, steps=450, batch_size=256, labels=labels, num_labels=8, label_drop=0.3
    ).denoiser
    samples = sample(noise_predictor(trained), (1500, 2), schedule, generator=generator(1), steps=50)
    near, mode = torch.cdist(samples, ring(device)).min(1)
    assert (near < 0.6).float().mean() > 0.8
    assert mode[near < 0.6].bincount(minlength=8).min() > 0.04 * len(samples)
    asked = torch.arange(8, device=device).repeat_interleave(40)
    conditional, guided = (
        sample(noise_predictor(trained, labels=asked, guidance=w), (320, 2), schedule, generator=generator(2), steps=25)
        for w in (0.0, 2.0)
    )
    for points in (conditional, guided):
        assert (torch.cdist(points, ring(device)).argmin(1) == asked).float().mean() > 0.95
    # 가이던스는 다른 봉우리에서 멀어지는 쪽으로 민다: 원 밖으로 나간다.
    assert guided.norm(dim=1).mean() > conditional.norm(dim=1).mean() + 0.02


def test_scores_are_learnt_too(device):
    data, _ = eight(5000, generator(0), device)
    schedule = linear_schedule(100, device=device)
    trained = quick(data, schedule, width=64, steps=400, batch_size=256, target="score").denoiser
    samples = sample(noise_predictor(trained), (1500, 2), schedule, generator=generator(1), steps=50)
    near, mode = torch.cdist(samples, ring(device)).min(1)
    assert (near < 0.6).float().mean() > 0.8
    assert mode[near < 0.6].bincount(minlength=8).min() > 0.04 * len(samples)


def test_a_denoiser_is_not_sampled_on_another_schedule(device):
    denoiser = untrained(device)
    predict, steps = noise_predictor(denoiser), len(denoiser.schedule.beta)
    for other in (cosine_schedule(steps + 5, device=device), linear_schedule(steps, device=device)):
        with pytest.raises(ValueError, match=r"schedule: predict.*steps"):
            sample(predict, (5, 2), other, generator=generator(0))
        x0, noise, t = batch(0, (5, 2), steps, device, torch.float32)
        with pytest.raises(ValueError, match=r"schedule: predict"):
            denoising_loss(predict, x0, t, other, noise=noise, target="noise")
    fewer = sample(predict, (5, 2), denoiser.schedule, generator=generator(0), steps=2)
    assert fewer.shape == (5, 2)


def test_training_does_not_mind_the_callers_mode(device):
    data, labels = eight(100, generator(0), device)
    schedule = cosine_schedule(10, device=device)

    def learn():
        network = mlp(feature_count(2, num_labels=8), 2, width=8, generator=generator(1), device=device)
        return quick(data.clone(), schedule, network=network, labels=labels.clone(), num_labels=8, steps=5)

    plain = learn()
    for mode in (torch.no_grad, torch.inference_mode, partial(torch.autocast, device.type, dtype=torch.bfloat16)):
        with mode():
            again = learn()
        assert torch.equal(plain.losses, again.losses)
        pairs = zip(plain.denoiser.network.parameters(), again.denoiser.network.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
        assert not any(parameter.is_inference() for parameter in again.denoiser.network.parameters())


def test_training_stops_where_the_loss_is_lost(device):
    data, _ = eight(64, generator(0), device)
    with pytest.raises(ValueError, match=r"network와 learning_rate: 학습 스텝 1의 손실: .*(inf|nan)"):
        quick(data, cosine_schedule(10, device=device), learning_rate=1e38, steps=500)
    network = mlp(feature_count(2), 2, width=8, generator=generator(1), device=device)
    with torch.no_grad():
        network[0].bias[0] = math.nan
    with pytest.raises(ValueError, match=r"network와 learning_rate: 학습 스텝 0의 손실: .*nan"):
        quick(data, cosine_schedule(10, device=device), network=network)
    with pytest.raises(ValueError, match=r"network: .*nan"):
        noise_predictor(Denoiser(network, cosine_schedule(10, device=device)))(
            data, torch.zeros_like(data[:, 0]).long()
        )


def test_more_than_two_dimensions(device):
    data = rand(200, 5, generator=generator(0), device=device)
    trained = quick(data, linear_schedule(10, device=device))
    samples = sample(
        noise_predictor(trained.denoiser), (7, 5), trained.denoiser.schedule, generator=generator(1), method="ddim"
    )
    assert samples.shape == (7, 5)
    assert samples.isfinite().all()


# --- 틀린 입력 ---


SCHEDULE = cosine_schedule(4)
POINTS = randn(5, 2, generator=generator(0))
TIMES = torch.zeros(5, dtype=torch.int64)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: regression_target(POINTS, POINTS, 0, SCHEDULE, target="v"), ValueError, "target: .*'v'"),
        (lambda: regression_target(POINTS, POINTS[:3], 0, SCHEDULE, target="noise"), ValueError, "noise: 모양"),
        (lambda: regression_target(POINTS * math.nan, POINTS, 0, SCHEDULE, target="noise"), ValueError, "x0: .*nan"),
        (lambda: regression_target(POINTS, POINTS, 4, SCHEDULE, target="x0"), ValueError, "t: .*4"),
        (lambda: target_to_noise(POINTS, POINTS, 0, SCHEDULE, target="v"), ValueError, "target"),
        (lambda: target_to_noise(POINTS, POINTS[:3], 0, SCHEDULE, target="noise"), ValueError, "xt: 모양"),
        (lambda: target_to_noise(POINTS / 0, POINTS, 0, SCHEDULE, target="noise"), ValueError, "prediction: "),
        (lambda: target_weight(0, SCHEDULE, target="v"), ValueError, "target"),
        (lambda: target_weight(-1, SCHEDULE, target="x0"), ValueError, "t: "),
        (lambda: target_weight(TIMES + 4, SCHEDULE, target="x0"), ValueError, "t: .*4"),
        (lambda: target_weight(TIMES.float(), SCHEDULE, target="x0"), ValueError, "t: .*float32"),
        (lambda: target_weight(1.5, SCHEDULE, target="x0"), TypeError, "t: "),
        (lambda: bound_weight(4, SCHEDULE), ValueError, "t: .*4"),
        (lambda: bound_weight(TIMES, SCHEDULE), TypeError, "t: "),
        (lambda: bound_weight(1, SCHEDULE, variance="beta"), TypeError, "variance: 함수"),
        (lambda: denoising_loss("f", POINTS, 0, SCHEDULE, noise=POINTS), TypeError, "predict: 함수"),
        (lambda: denoising_loss(lambda x, t: x[:1], POINTS, 0, SCHEDULE, noise=POINTS), ValueError, "predict: 모양"),
        (lambda: denoising_loss(lambda x, t: t, POINTS, 0, SCHEDULE, noise=POINTS), ValueError, "predict: 실수형"),
        (lambda: denoising_loss(wobbly, POINTS, 0, SCHEDULE, noise=POINTS, reduction="max"), ValueError, "reduction"),
        (lambda: denoising_loss(lambda x, t: x / 0, POINTS, 0, SCHEDULE, noise=POINTS), ValueError, "predict: 유한"),
        (lambda: stratified_times(3, None, generator=None), TypeError, "schedule: "),
        (lambda: bound_weight(1, SCHEDULE, variance=lambda t, s, _: -SCHEDULE.beta[0]), ValueError, "variance: 0 이상"),
        (lambda: features(POINTS[:, :, None, None], TIMES, SCHEDULE), ValueError, r"xt: 축의 수.*\(5, 2, 1, 1\)"),
        (lambda: denoising_loss(wobbly, POINTS.long(), 0, SCHEDULE, noise=POINTS), ValueError, "x0: 실수형"),
        (lambda: stratified_times(0, SCHEDULE, generator=None), ValueError, "n: "),
        (lambda: stratified_times(2.0, SCHEDULE, generator=None), TypeError, "n: "),
        (lambda: feature_count(0), ValueError, "dim: "),
        (lambda: feature_count(2, frequencies=-1), ValueError, "frequencies: "),
        (lambda: features(POINTS[0], 0, SCHEDULE), ValueError, "xt: 축의 수"),
        (lambda: features(POINTS[:0], TIMES[:0], SCHEDULE), ValueError, "xt: 원소"),
        (lambda: features(POINTS / 0, 0, SCHEDULE), ValueError, "xt: 유한"),
        (lambda: features(POINTS, TIMES[:2], SCHEDULE), ValueError, "t: 모양"),
        (lambda: features(POINTS, TIMES[:0], SCHEDULE), ValueError, "t: 원소"),
        (lambda: features(POINTS, 0, SCHEDULE, labels=TIMES), ValueError, "labels: "),
        (lambda: features(POINTS, 0, SCHEDULE, labels=TIMES - 2, num_labels=2), ValueError, "labels: .*-2"),
        (lambda: features(POINTS, 0, SCHEDULE, labels=TIMES[:2], num_labels=2), ValueError, "labels: 모양"),
        (lambda: features(POINTS, 0, SCHEDULE, num_labels=-1), ValueError, "num_labels: "),
        (lambda: mlp(0, 2, generator=None), ValueError, "inputs: "),
        (lambda: mlp(3, 2, depth=0, generator=None), ValueError, "depth: "),
        (lambda: memory(3, 2, slots=0, generator=None), ValueError, "slots: "),
        (lambda: memory(3, 2, width=2.0, generator=None), TypeError, "width: "),
    ],
)  # fmt: skip
def test_bad_inputs_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.bad_input
def test_bad_guidance_is_named(device):
    denoiser = untrained(device)
    labels = torch.zeros(4, dtype=torch.int64, device=device)
    with pytest.raises(ValueError, match="guidance: "):
        noise_predictor(denoiser, labels=labels, guidance=-0.5)
    with pytest.raises(ValueError, match="labels: guidance가 1"):
        noise_predictor(denoiser, guidance=1.0)
    with pytest.raises(ValueError, match=r"labels: .*3"):
        noise_predictor(denoiser, labels=labels + 3)
    with pytest.raises(ValueError, match=r"labels: .*float32"):
        noise_predictor(denoiser, labels=labels.float())
    with pytest.raises(TypeError, match="labels: "):
        noise_predictor(denoiser, labels=[0, 1])
    with pytest.raises(ValueError, match="labels: 원소"):
        noise_predictor(denoiser, labels=labels[:0])
    with pytest.raises(ValueError, match="labels: "):
        noise_predictor(untrained(device, num_labels=0), labels=labels)
    with pytest.raises(ValueError, match="labels: 모양"):
        sample(noise_predictor(denoiser, labels=labels), (5, 2), denoiser.schedule, generator=None)
    wide = denoiser._replace(network=mlp(feature_count(2, num_labels=3), 3, generator=None, device=device))
    with pytest.raises(ValueError, match="network: 모양"):
        sample(noise_predictor(wide), (5, 2), denoiser.schedule, generator=None)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("knobs", "error", "message"),
    [
        ({"network": wobbly}, TypeError, "network: torch.nn.Module"),
        ({"network": nn.Identity()}, ValueError, "network: 학습할 가중치"),
        ({"network": nn.Linear(27, 3)}, ValueError, "network: 모양"),
        ({"network": nn.Linear(27, 2, device="meta")}, ValueError, "network: .*meta"),
        ({"schedule": type(SCHEDULE)(*(part.to("meta") for part in SCHEDULE))}, ValueError, "schedule: .*meta"),
        ({"data": POINTS.long()}, ValueError, "data: 실수형"),
        ({"data": POINTS[0]}, ValueError, "data: 축의 수"),
        ({"data": torch.zeros(5, 1, 8, 8)}, ValueError, r"data: 축의 수.*\(5, 1, 8, 8\)"),
        ({"schedule": SCHEDULE.beta}, TypeError, "schedule: Schedule"),
        ({"data": POINTS[:0]}, ValueError, "data: 원소"),
        ({"data": POINTS * math.inf}, ValueError, "data: 유한"),
        ({"steps": 0}, ValueError, "steps: "),
        ({"batch_size": 0}, ValueError, "batch_size: "),
        ({"learning_rate": 0.0}, ValueError, "learning_rate: "),
        ({"ema": 1.5}, ValueError, "ema: "),
        ({"label_drop": -0.1}, ValueError, "label_drop: "),
        ({"target": "image"}, ValueError, "target: "),
        ({"frequencies": -1}, ValueError, "frequencies: "),
        ({"labels": TIMES}, ValueError, "num_labels: "),
        ({"labels": TIMES - 1, "num_labels": 2}, ValueError, "labels: .*-1"),
        ({"labels": TIMES[:2], "num_labels": 2}, ValueError, "labels: 모양"),
        ({"num_labels": -1}, ValueError, "num_labels: "),
    ],
)
def test_bad_training_is_named(knobs, error, message):
    settings = {"network": nn.Linear(27, 2), "data": POINTS, "schedule": SCHEDULE, "steps": 1, "generator": None}
    settings |= knobs
    with pytest.raises(error, match=message):
        train(settings.pop("network"), settings.pop("data"), settings.pop("schedule"), **settings)
