"""기준값: 식 그대로의 NumPy, SciPy의 젠슨–섀넌 거리, 닫힌 식으로 풀리는 비평가, torch.nn으로 다시 쓴 학습."""

import copy
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from torch import nn
from torch.nn import functional as F

from mgk_docs_src.data import eight_gaussians, mode_coverage
from mgk_docs_src.losses.binary import kl_divergence
from mgk_docs_src.random import generator, rand, randint, randn
from mgk_docs_src.transport.gan import (
    NON_SATURATING,
    SATURATING,
    Gan,
    Method,
    VanishingGradients,
    clip_weights,
    critic_generator_loss,
    critic_loss,
    criticise,
    discriminator_loss,
    generate,
    generator_loss,
    gradient_penalty,
    interpolate,
    js_divergence,
    train_gan,
    vanishing_gradients,
    wgan_clip,
    wgan_gp,
)
from mgk_docs_src.transport.wasserstein import wasserstein

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-12, "rtol": 1e-12}
METHODS = {
    "saturating": SATURATING,
    "non-saturating": NON_SATURATING,
    "wgan-clip": wgan_clip(),
    "wgan-gp": wgan_gp(),
}
KINDS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
TINY = {"critic_steps": 2, "batch_size": 8, "latent_dim": 3, "hidden": (6, 5)}


def scores(seed, *shape, device, scale=3.0):
    return scale * randn(*shape, generator=generator(seed), device=device, dtype=torch.float64)


# --- 손실 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), batch=st.lists(st.integers(1, 3), max_size=2), n=st.integers(1, 5))
def test_losses_are_their_formulas(device, seed, batch, n):
    real, fake = scores(seed, *batch, n, device=device), scores(seed + 1, *batch, n + 2, device=device)
    x, y = real.cpu().numpy(), fake.cpu().numpy()
    for ours, truth in (
        (discriminator_loss(real, fake), np.logaddexp(0, -x).mean(-1) + np.logaddexp(0, y).mean(-1)),
        (generator_loss(fake, saturating=True), -np.logaddexp(0, y).mean(-1)),
        (generator_loss(fake, saturating=False), np.logaddexp(0, -y).mean(-1)),
        (critic_loss(real, fake), y.mean(-1) - x.mean(-1)),
        (critic_generator_loss(fake), -y.mean(-1)),
    ):
        assert ours.shape == tuple(batch)
        np.testing.assert_allclose(ours.cpu(), truth, **CLOSE)


def test_losses_have_the_gradients_the_page_states(device):
    real, fake = (scores(seed, 2, 4, device=device).requires_grad_() for seed in (0, 1))
    for function in (discriminator_loss, critic_loss):
        assert torch.autograd.gradcheck(function, (real, fake))
    for saturating, sign in ((True, 1), (False, -1)):
        (grad,) = torch.autograd.grad(generator_loss(fake, saturating=saturating).sum(), fake)
        torch.testing.assert_close(grad, -torch.sigmoid(sign * fake) / 4, **CLOSE)
    (grad,) = torch.autograd.grad(critic_generator_loss(fake).sum(), fake)
    assert torch.equal(grad, torch.full_like(grad, -0.25))


def test_a_sure_discriminator_silences_only_the_saturating_generator(device):
    sure = torch.full((3,), -30.0, device=device, requires_grad=True)
    (silent,) = torch.autograd.grad(generator_loss(sure, saturating=True), sure)
    (loud,) = torch.autograd.grad(generator_loss(sure, saturating=False), sure)
    assert 0 < -silent.sum().item() < 1e-12
    assert loud.sum().item() == pytest.approx(-1)


@EXAMPLES
@given(seed=st.integers(0, 10**6), size=st.integers(2, 6))
def test_the_best_discriminator_leaves_the_js_divergence(device, seed, size):
    # 정수 개수의 표본이면 기댓값이 정확하다. 가장 좋은 로짓은 log p/q이고, 흔들면 손실이 커진다.
    g = generator(seed)
    counts = randint(1, 5, (2, size), generator=g, device=device)
    counts[:, 0] += counts.sum(1).flip(0)  # 두 합을 같게: 로그 비에 상수가 없다
    p, q = (row.double() / row.sum() for row in counts)
    best = (p / q).log()
    real, fake = (best.repeat_interleave(row) for row in counts)
    least = discriminator_loss(real, fake)
    assert least.item() == pytest.approx(2 * math.log(2) - 2 * js_divergence(p, q).item(), abs=1e-12)
    moved = best + 0.1 * randn(size, generator=g, device=device, dtype=torch.float64)
    assert discriminator_loss(*(moved.repeat_interleave(row) for row in counts)) >= least - 1e-12


def test_a_confused_discriminator_costs_two_log_two_and_a_perfect_one_nothing(device):
    zero = torch.zeros(5, device=device, dtype=torch.float64)
    assert discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2), abs=1e-15)
    assert discriminator_loss(zero + 50, zero - 50).item() < 1e-20


def test_a_1_lipschitz_critic_never_overestimates_the_distance(device):
    x, y = scores(3, 40, 2, device=device), scores(4, 40, 2, device=device) + 1
    distance = wasserstein(x, y)
    directions = F.normalize(scores(5, 50, 2, device=device), dim=1)
    estimates = -critic_loss(directions @ x.T, directions @ y.T)  # 1-립시츠 비평가 50개
    assert (estimates <= distance + 1e-12).all()
    shifted = x + torch.tensor([3.0, 4.0], device=device)
    best = torch.tensor([-0.6, -0.8], device=device, dtype=torch.float64)  # 옮긴 방향의 반대
    tight = -critic_loss(x @ best, shifted @ best)
    assert tight.item() == pytest.approx(wasserstein(x, shifted).item(), abs=1e-12)
    assert tight.item() == pytest.approx(5, abs=1e-12)


def test_losses_follow_the_dtype(device):
    real, fake = scores(0, 2, 8, device=device), scores(1, 2, 8, device=device)
    for kind in KINDS:
        tolerance = 8 * torch.finfo(kind).eps
        for function in (
            discriminator_loss,
            critic_loss,
            lambda _, y: generator_loss(y, saturating=True),
            lambda _, y: generator_loss(y, saturating=False),
            lambda _, y: critic_generator_loss(y),
        ):
            ours = function(real.to(kind), fake.to(kind))
            assert ours.dtype == kind
            truth = function(real.to(kind).double(), fake.to(kind).double())
            torch.testing.assert_close(ours.double(), truth, atol=tolerance, rtol=tolerance)


# --- 젠슨–섀넌 발산 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 3), size=st.integers(1, 6))
def test_js_agrees_with_scipy_and_is_symmetric_and_bounded(device, seed, rows, size):
    g = generator(seed)
    mass = rand(2, rows, size, generator=g, device=device, dtype=torch.float64)
    mass = mass * (rand(2, rows, size, generator=g, device=device) > 0.3)
    mass[..., 0] += 0.05
    p, q = mass / mass.sum(-1, keepdim=True)
    ours = js_divergence(p, q)
    np.testing.assert_allclose(ours.cpu(), jensenshannon(p.cpu(), q.cpu(), axis=1) ** 2, atol=1e-9, rtol=1e-9)
    assert torch.equal(ours, js_divergence(q, p))
    assert (ours >= -1e-15).all()
    assert (ours <= math.log(2) + 1e-15).all()
    assert torch.equal(js_divergence(p.T, q.T, dim=0), ours)


def test_js_of_disjoint_distributions_is_log_2_however_far(device):
    here = torch.eye(9, device=device, dtype=torch.float64)
    p, q = here[:1].expand(8, 9), here[1:]
    torch.testing.assert_close(
        js_divergence(p, q), torch.full((8,), math.log(2), device=device, dtype=torch.float64), **CLOSE
    )
    assert torch.isinf(kl_divergence(p, q)).all()
    assert (js_divergence(p, p) == 0).all()
    for kind in KINDS:
        assert js_divergence(p.to(kind), q.to(kind)).dtype == kind


def test_js_is_differentiable(device):
    logits = scores(0, 2, 3, 4, device=device).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: js_divergence(*z.softmax(-1)), logits)


# --- 그래디언트 페널티와 가중치 자르기 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), batch=st.lists(st.integers(1, 3), max_size=1), n=st.integers(1, 4))
def test_interpolates_lie_on_the_segment_of_their_own_pair(device, seed, batch, n):
    real, fake = scores(seed, *batch, n, 3, device=device), scores(seed + 1, *batch, n, 3, device=device)
    points = interpolate(real, fake, batch_dims=len(batch) + 1, generator=generator(seed))
    length = (real - fake).norm(dim=-1)
    torch.testing.assert_close((points - real).norm(dim=-1) + (points - fake).norm(dim=-1), length, **CLOSE)
    assert torch.equal(points, interpolate(real, fake, batch_dims=len(batch) + 1, generator=generator(seed)))
    u = (points - fake).norm(dim=-1) / length
    drawn = rand(*batch, n, 1, generator=generator(seed), device=device, dtype=torch.float64)
    torch.testing.assert_close(u, drawn[..., 0], atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("shape", [(5, 7), (5, 3, 4), (5, 3, 4, 2)])
def test_each_sample_has_one_place_on_its_segment_whatever_its_shape(device, shape):
    ones = torch.ones(shape, device=device, dtype=torch.float64)
    points = interpolate(ones, 0 * ones, generator=generator(3))
    u = rand(5, 1, generator=generator(3), device=device, dtype=torch.float64)
    torch.testing.assert_close(points.flatten(1), u.expand(5, ones[0].numel()), **CLOSE)


def test_places_on_the_segment_are_uniform(device):
    zero = torch.zeros(4000, 1, device=device, dtype=torch.float64)
    u = interpolate(zero + 1, zero, generator=generator(0))[:, 0].sort().values
    uniform = torch.arange(1, 4001, device=device).double() / 4000
    assert (u - uniform).abs().max() < 1.63 / 4000**0.5  # 콜모고로프–스미르노프, 1 %
    for kind in KINDS:
        assert interpolate(zero.to(kind), zero.to(kind), generator=generator(0)).dtype == kind


@EXAMPLES
@given(seed=st.integers(0, 10**6), slope=st.floats(0, 5), weight=st.floats(0, 20))
def test_the_penalty_of_a_plane_is_known(device, seed, slope, weight):
    direction = F.normalize(scores(seed, 3, device=device), dim=0)
    points = scores(seed + 1, 2, 4, 3, device=device)
    penalty = gradient_penalty(lambda x: slope * (x @ direction) + 7, points, weight=weight)
    expected = torch.full((2,), weight * (slope - 1) ** 2, device=device, dtype=torch.float64)
    torch.testing.assert_close(penalty, expected, atol=1e-11, rtol=1e-11)


def test_the_penalty_of_images_takes_one_gradient_per_image(device):
    # D(x) = ⟨w, x⟩의 기울기는 어느 이미지에서나 w이고 크기는 모든 화소에 걸친 ‖w‖다.
    images = scores(1, 4, 3, 5, 2, device=device)
    w = scores(2, 3, 5, 2, device=device)
    penalty = gradient_penalty(lambda x: (x * w).sum((1, 2, 3)), images, weight=2.0)
    assert penalty.shape == ()
    assert penalty.item() == pytest.approx(2 * (w.norm().item() - 1) ** 2, rel=1e-12)
    network = nn.Sequential(nn.Conv2d(3, 2, (3, 2)), nn.Tanh(), nn.Flatten(), nn.Linear(6, 1), nn.Flatten(0))
    network = network.to(device, torch.float64)
    slopes = [torch.autograd.functional.jacobian(network, image[None])[0, 0] for image in images]
    by_hand = torch.stack([3 * (slope.norm() - 1) ** 2 for slope in slopes]).mean()
    torch.testing.assert_close(gradient_penalty(network, images, weight=3.0), by_hand, **CLOSE)


def test_the_penalty_works_in_every_mode_and_under_the_transforms(device):
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(-2)).to(device, torch.float64)
    weights = {name: value.detach() for name, value in network.named_parameters()}
    points = scores(0, 5, 3, device=device)

    def penalty(weights, points):
        return gradient_penalty(lambda x: torch.func.functional_call(network, weights, (x,)), points, weight=2.0)

    plain = penalty(dict(network.named_parameters()), points)
    expected = torch.autograd.grad(plain, list(network.parameters())[:3])
    with torch.inference_mode():
        torch.testing.assert_close(penalty(weights, points + 0), plain.detach(), **CLOSE)
    found = torch.func.grad(penalty)(weights, points)
    each = torch.func.vmap(torch.func.grad(penalty), in_dims=(None, 0))(weights, points[:, None])
    for name, slope in zip(weights, expected, strict=False):
        torch.testing.assert_close(found[name], slope, **CLOSE)
        torch.testing.assert_close(each[name].mean(0), slope, **CLOSE)


def test_the_penalty_is_zero_for_a_critic_of_unit_gradient(device):
    # 멀리 떨어진 한 점까지의 거리도 기울기가 어디서나 1이다.
    points = scores(0, 6, 2, device=device)
    far = torch.tensor([50.0, 60.0], device=device, dtype=torch.float64)
    assert gradient_penalty(lambda x: (x - far).norm(dim=-1), points, weight=10.0).item() < 1e-28
    flat = gradient_penalty(lambda x: (0 * x).sum(-1), points, weight=10.0)
    assert flat.item() == 10
    elsewhere = torch.ones(6, device=device, dtype=torch.float64, requires_grad=True)
    assert gradient_penalty(lambda _: elsewhere, points, weight=10.0).item() == 10  # 점과 무관한 점수는 기울기가 0이다


def test_the_penalty_can_be_differentiated_by_the_critic(device):
    points = scores(0, 5, 2, device=device)
    first, second = scores(1, 2, 4, device=device), scores(2, 4, device=device)

    def penalty(a, b):
        return gradient_penalty(lambda x: torch.tanh(x @ a) @ b, points, weight=3.0)

    assert torch.autograd.gradcheck(penalty, (first.requires_grad_(), second.requires_grad_()))
    with torch.no_grad():
        inside = penalty(first, second)
    torch.testing.assert_close(inside, penalty(first, second), **CLOSE)
    watched = points.clone().requires_grad_()
    gradient_penalty(lambda x: torch.tanh(x @ first) @ second, watched, weight=1.0).backward()
    assert watched.grad is None
    for kind in KINDS:
        low = gradient_penalty(lambda x: x[..., 0] * 3, points.to(kind), weight=0.5)
        assert low.dtype == kind
        assert low.item() == 2


@pytest.mark.parametrize(("weight", "ends"), [(10.0, 0.9), (2.0, 0.5), (0.9, -2 / 1.8 - 1)])
def test_a_strong_penalty_traps_a_critic_that_starts_backwards(device, weight, ends):
    # 1차원의 선형 비평가 D = wx, 진짜 −1과 가짜 1. w > 0은 거꾸로다. 2w + λ(w − 1)²의 골 w = 1 − 1/λ이 0보다 크면,
    # 곧 λ > |θ|/2 = 1이면 그 골에 갇힌다. 약하면 넘어가 w = −1 − 1/λ에 이른다.
    w = torch.tensor(0.3, device=device, dtype=torch.float64, requires_grad=True)
    fake = torch.ones(4, 1, device=device, dtype=torch.float64)
    for _ in range(2000):
        loss = critic_loss(-w * fake[:, 0], w * fake[:, 0])
        loss = loss + gradient_penalty(lambda x, w=w: w * x[:, 0], fake, weight=weight)
        (slope,) = torch.autograd.grad(loss, w)
        w = (w - 0.01 * slope).detach().requires_grad_()
    assert w.item() == pytest.approx(ends, abs=0.02)


@EXAMPLES
@given(seed=st.integers(0, 10**6), bound=st.floats(1e-3, 10))
def test_clipping_moves_only_what_is_outside(device, seed, bound):
    parameters = [scores(seed, 3, 2, device=device).requires_grad_(), scores(seed + 1, 4, device=device)]
    before = [parameter.detach().clone() for parameter in parameters]
    clipped = clip_weights(parameters, bound)
    for old, new, kept in zip(before, clipped, parameters, strict=True):
        np.testing.assert_array_equal(new.cpu(), np.clip(old.cpu().numpy(), -bound, bound))
        assert not new.requires_grad
        assert torch.equal(kept, old)
    again = clip_weights((parameter for parameter in clipped), bound)  # 한 번만 읽을 수 있어도
    assert all(torch.equal(one, two) for one, two in zip(clipped, again, strict=True))
    assert [x.dtype for x in clip_weights([torch.ones(1, dtype=kind) for kind in KINDS], bound)] == list(KINDS)


# --- 사라지는 기울기 ---


def test_gradients_vanish_before_a_discriminator_and_not_before_a_critic(device):
    theta = torch.tensor([0.5, 2.0], device=device)
    found = vanishing_gradients(theta, steps=600, generator=generator(0))
    assert isinstance(found, VanishingGradients)
    assert all(sizes.shape == (600, 2) for sizes in found)
    assert (found.saturating[-1] < 1e-2).all()
    assert (found.saturating[-1] < found.saturating[49] / 30).all()
    assert (found.non_saturating[-1] > 1).all()  # 사라지지 않지만 거리와 무관하게 크다
    torch.testing.assert_close(found.critic[-1], 1 + theta / 20, atol=0.02, rtol=0)  # 닫힌 식


def test_the_gradients_are_those_of_the_losses_by_hand(device):
    # 첫 스텝: 같은 초기 가중치의 신경망을 거리마다 따로 미분한다.
    theta = torch.tensor([0.3, 1.5], device=device, dtype=torch.float64)
    found = vanishing_gradients(theta, steps=1, width=4, batch_size=5, generator=generator(7))
    g = generator(7)
    layers = []
    for rows, columns in ((2, 4), (4, 4), (4, 1)):
        for height in (rows, 1):
            drawn = rand(height, columns, generator=g, device=device, dtype=torch.float64)
            layers.append((2 * drawn - 1) / rows**0.5)
    v, _ = rand(2, 5, 1, generator=g, device=device, dtype=torch.float64)
    for i, distance in enumerate(theta):
        t = distance.clone().requires_grad_()
        h = torch.cat([t.expand(5, 1), v.flip(0)], 1)
        for w, b in zip(layers[:-2:2], layers[1:-2:2], strict=True):
            h = (h @ w + b).relu()
        z = (h @ layers[-2] + layers[-1])[:, 0]
        for ours, loss in zip(found, (-F.softplus(z).mean(), F.softplus(-z).mean(), -z.mean()), strict=True):
            (slope,) = torch.autograd.grad(loss, t, retain_graph=True)
            torch.testing.assert_close(ours[0, i], slope.abs(), **CLOSE)


def test_distances_do_not_touch_each_other(device):
    theta = torch.tensor([0.3, 1.5, -2.0], device=device, dtype=torch.float64)
    knobs = {"steps": 20, "width": 4, "batch_size": 5}
    together = vanishing_gradients(theta, generator=generator(1), **knobs)
    for i in range(3):
        alone = vanishing_gradients(theta[i : i + 1], generator=generator(1), **knobs)
        for many, one in zip(together, alone, strict=True):
            torch.testing.assert_close(many[:, i], one[:, 0], atol=1e-10, rtol=1e-10)


# --- 학습 ---


def small_data(device, seeds=3):
    return torch.stack(
        [eight_gaussians(50, generator=generator(s), device=device, dtype=torch.float64) for s in range(seeds)]
    )


@pytest.mark.parametrize("method", METHODS)
def test_many_at_once_are_each_alone(device, method):
    data = small_data(device)
    together = train_gan(
        data, method=METHODS[method], steps=6, snapshots=2, generators=[generator(s) for s in range(3)], **TINY
    )
    assert isinstance(together, Gan)
    assert together.losses.shape == (6, 3)
    assert len(together.trail) == 2
    for s in range(3):
        alone = train_gan(
            data[s : s + 1], method=METHODS[method], steps=6, snapshots=2, generators=[generator(s)], **TINY
        )
        torch.testing.assert_close(together.losses[:, s : s + 1], alone.losses, atol=1e-9, rtol=1e-9)
        for many, one in (
            (together.generator, alone.generator),
            (together.critic, alone.critic),
            *zip(together.trail, alone.trail, strict=True),
        ):
            for ours, theirs in zip(many, one, strict=True):
                torch.testing.assert_close(ours[s : s + 1], theirs, atol=1e-9, rtol=1e-9)


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
        self.direct = nn.Linear(3, 2, bias=False)

    def forward(self, z):
        return self.inner(z) + self.direct(z)


def copy_layers(network, layers):
    """(가중치, 절편)이 번갈아 놓인 층을 torch.nn의 순서(전치)로 옮긴다."""
    with torch.no_grad():
        for parameter, layer in zip(network.parameters(), layers, strict=True):
            parameter.copy_(layer[0].T.reshape(parameter.shape))


def peer_losses(method, critic, real, fake, u):
    a, b = critic(real)[:, 0], critic(fake)[:, 0]
    if method in ("saturating", "non-saturating"):
        loss = F.binary_cross_entropy_with_logits(a, torch.ones_like(a))
        return loss + F.binary_cross_entropy_with_logits(b, torch.zeros_like(b)), 0
    loss, penalty = b.mean() - a.mean(), 0
    if method == "wgan-gp":
        x = (u * real + (1 - u) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        penalty = 0.1 * (((slope.square().sum(1) + 1e-40).sqrt() - 1) ** 2).mean()
    return loss, penalty


@pytest.mark.parametrize("method", METHODS)
def test_a_gan_learns_as_torch_would(device, method):
    # 같은 난수, 같은 초기 가중치로 nn.Sequential과 합치지 않은 Adam을 돌린다.
    data, steps = small_data(device, 1), 7
    ours = train_gan(data, method=METHODS[method], steps=steps, averaging=0.5, generators=[generator(9)], **TINY)
    g = generator(9)

    def initial(*widths):
        layers = []
        for fan_in, fan_out in pairwise(widths):
            for rows in (fan_in, 1):
                drawn = rand(1, rows, fan_out, generator=g, device=device, dtype=torch.float64)
                layers.append((2 * drawn - 1) / fan_in**0.5)
        return layers

    actor = Actor().to(device, torch.float64)
    critic = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1))
    critic = critic.to(device, torch.float64)
    copy_layers(actor, [*initial(3, 6, 5, 2), torch.zeros(1, 3, 2, device=device)])
    copy_layers(critic, initial(2, 6, 5, 1))
    average = copy.deepcopy(actor)
    adams = [torch.optim.Adam(net.parameters(), betas=(0.0, 0.99), fused=False) for net in (actor, critic)]
    for step in range(steps):
        left = 1 - step / steps
        for adam, rate in zip(adams, (0.004 * left, 0.004 * left**0.25), strict=True):
            adam.param_groups[0]["lr"] = rate
        for _ in range(2):
            real = data[0, randint(0, 50, (8,), generator=g, device=device)]
            fake = actor(randn(8, 3, generator=g, device=device, dtype=torch.float64)).detach()
            u = rand(8, 1, generator=g, device=device, dtype=torch.float64) if method == "wgan-gp" else None
            loss, penalty = peer_losses(method, critic, real, fake, u)
            critic.zero_grad()
            (loss + penalty).backward()
            adams[1].step()
            if method == "wgan-clip":
                with torch.no_grad():
                    for parameter in critic.parameters():
                        parameter.clamp_(-0.1, 0.1)
        assert ours.losses[step, 0].item() == pytest.approx(loss.item(), abs=1e-9)
        z = critic(actor(randn(8, 3, generator=g, device=device, dtype=torch.float64)))
        deception = {"saturating": -F.softplus(z), "non-saturating": F.softplus(-z)}.get(method, -z).mean()
        actor.zero_grad()
        deception.backward()
        adams[0].step()
        with torch.no_grad():
            for mean, parameter in zip(average.parameters(), actor.parameters(), strict=True):
                mean.lerp_(parameter, 0.5)
    for net, layers in ((average, ours.generator), (critic, ours.critic), (actor, ours.trail[-1])):
        for parameter, layer in zip(net.parameters(), layers, strict=True):
            torch.testing.assert_close(layer[0].T.reshape(parameter.shape), parameter.detach(), atol=1e-8, rtol=1e-8)
    points = scores(2, 1, 6, 2, device=device)
    torch.testing.assert_close(criticise(ours.critic, points)[0], critic(points[0])[:, 0].detach(), **CLOSE)
    z = randn(5, 3, generator=generator(4), device=device, dtype=torch.float64)
    torch.testing.assert_close(
        generate(ours.trail[-1], 5, generators=[generator(4)])[0], actor(z).detach(), atol=1e-8, rtol=1e-8
    )


def test_clipped_critics_stay_inside_the_bound(device):
    found = train_gan(small_data(device, 1), method=wgan_clip(0.05), steps=3, generators=[generator(0)], **TINY)
    assert max(layer.abs().max().item() for layer in found.critic) == pytest.approx(0.05)


def test_without_averaging_the_last_generator_is_returned(device):
    found = train_gan(
        small_data(device, 1), method=wgan_gp(), steps=4, averaging=0.0, generators=[generator(0)], **TINY
    )
    for mean, last in zip(found.generator, found.trail[-1], strict=True):
        torch.testing.assert_close(mean, last, **CLOSE)


def test_a_shifted_gaussian_is_learned_by_every_method(device):
    # 봉우리 하나라면 어느 방법이든 봉우리의 위치를 찾는다. 시드 셋.
    data = torch.stack([0.5 * randn(1000, 2, generator=generator(s), device=device) + 2 for s in range(3)])
    for name, method in METHODS.items():
        gs = [generator(s) for s in range(3)]
        found = train_gan(data, method=method, steps=200, hidden=(32, 32), averaging=0.9, generators=gs)
        samples = generate(found.generator, 500, generators=[generator(s + 10) for s in range(3)])
        assert samples.shape == (3, 500, 2)
        assert samples.dtype == torch.float32
        for x, y in zip(data[:, :500], samples, strict=True):
            assert wasserstein(x, y) < 1.0, name  # 처음에는 2.8
        assert not any(layer.requires_grad for layer in (*found.generator, *found.critic, found.losses))


def test_the_penalised_critic_finds_every_peak(device):
    data = torch.stack([eight_gaussians(2000, generator=generator(s), device=device) for s in range(2)])
    found = train_gan(data, method=wgan_gp(), steps=400, averaging=0.9, generators=[generator(s) for s in range(2)])
    samples = generate(found.generator, 2000, generators=[generator(s + 10) for s in range(2)])
    coverage = mode_coverage(samples)
    assert coverage.modes.tolist() == [8, 8]
    assert (coverage.within > 0.5).all()
    assert (criticise(found.critic, data).shape) == (2, 2000)


def test_inputs_are_not_changed_and_results_repeat(device):
    data = small_data(device, 2)
    real, fake = scores(0, 4, 2, device=device), scores(1, 4, 2, device=device)
    p, q = (x.softmax(-1) for x in (real, fake))
    theta = torch.tensor([0.5], device=device)
    gs = [generator(0), generator(1)]
    found = train_gan(data, method=wgan_gp(), steps=2, generators=gs, **TINY)
    inputs = [data, real, fake, p, q, theta, *found.generator, *found.critic]
    before = [tensor.clone() for tensor in inputs]
    calls = [
        lambda: discriminator_loss(real, fake),
        lambda: generator_loss(fake, saturating=True),
        lambda: critic_loss(real, fake),
        lambda: critic_generator_loss(fake),
        lambda: interpolate(real, fake, generator=generator(0)),
        lambda: gradient_penalty(lambda x: x.square().sum(-1), real, weight=1.0),
        lambda: clip_weights([real], 0.1)[0],
        lambda: js_divergence(p, q),
        lambda: vanishing_gradients(theta, steps=2, width=3, generator=generator(0)).critic,
        lambda: train_gan(data, method=wgan_clip(), steps=2, generators=[generator(0), generator(1)], **TINY).generator[
            0
        ],
        lambda: generate(found.generator, 3, generators=[generator(0), generator(1)]),
        lambda: criticise(found.critic, data),
    ]
    state = torch.get_rng_state()
    for call in calls:
        first, second = call(), call()
        assert first.device.type == device.type
        assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, old) for tensor, old in zip(inputs, before, strict=True))


# --- 틀린 입력 ---


def refuses(error, message, function, *args, **knobs):
    with pytest.raises(error) as raised:
        function(*args, **knobs)
    assert str(raised.value).startswith(message), str(raised.value)


@pytest.mark.bad_input
def test_bad_scores(device):
    ones = torch.ones(2, 3, device=device)
    for function, name in ((discriminator_loss, "fake_logits"), (critic_loss, "fake_scores")):
        first = name.replace("fake", "real")
        refuses(ValueError, f"{name}: 모양이 (2, 3)이어야 하는데 (1, 3)이다", function, ones, ones[:1])
        refuses(ValueError, f"{first}: 원소가 하나 이상이어야", function, ones[:, :0], ones)
        refuses(ValueError, f"{name}: 실수형이어야 하는데 torch.int64이다", function, ones, ones.long())
        refuses(ValueError, f"{name}: 유한한 값이어야 하는데 nan이 있다", function, ones, ones * math.nan)
        refuses(ValueError, f"{first}: 축의 수가 1 이상이어야", function, ones[0, 0], ones[0, 0])
        refuses(TypeError, f"{first}: 텐서여야 하는데 list이다", function, [1.0], ones)
    for call, name in (
        (lambda x: generator_loss(x, saturating=True), "fake_logits"),
        (lambda x: generator_loss(x, saturating=False), "fake_logits"),
        (critic_generator_loss, "fake_scores"),
    ):
        refuses(ValueError, f"{name}: 유한한 값이어야 하는데 최솟값이 inf이다", call, ones / 0)
        refuses(ValueError, f"{name}: 원소가 하나 이상이어야", call, ones[:0])
        refuses(TypeError, f"{name}: 텐서여야", call, 1.0)


@pytest.mark.bad_input
def test_bad_penalties_and_clips(device):
    x = torch.ones(4, 2, device=device)

    def plane(points):
        return points.sum(-1)

    refuses(ValueError, "weight: 0 이상의 유한한 값이어야 하는데 -1이다", gradient_penalty, plane, x, weight=-1)
    refuses(ValueError, "points: 축의 수가 2 이상이어야", gradient_penalty, plane, x[0], weight=1.0)
    refuses(ValueError, "points: 원소가 하나 이상이어야", gradient_penalty, plane, x[:0], weight=1.0)
    refuses(ValueError, "points: 실수형이어야", gradient_penalty, plane, x.long(), weight=1.0)
    refuses(
        ValueError, "critic: 모양이 (4,)이어야 하는데 (4, 1)이다", gradient_penalty, lambda p: p[:, :1], x, weight=1.0
    )
    cut = "critic: 점으로 미분할 수 있는 점수여야 하는데 기울기가 끊겼다"
    refuses(ValueError, cut, gradient_penalty, lambda p: plane(p).detach(), x, weight=1.0)
    refuses(TypeError, "critic: 텐서여야 하는데 float이다", gradient_penalty, lambda p: 1.0, x, weight=1.0)
    refuses(TypeError, "weight: 수여야 하는데 str이다", gradient_penalty, plane, x, weight="10")
    refuses(ValueError, "fake: 모양이 (4, 2)이어야 하는데 (3, 2)이다", interpolate, x, x[:3], generator=None)
    refuses(ValueError, "real: 축의 수가 2 이상이어야", interpolate, x[0], x[0], generator=None)
    refuses(ValueError, "real: 원소가 하나 이상이어야", interpolate, x[:0], x[:0], generator=None)
    refuses(ValueError, "real: 실수형이어야", interpolate, x.long(), x, generator=None)
    refuses(ValueError, "bound: 0보다 큰 유한한 값이어야 하는데 0이다", clip_weights, [x], 0)
    refuses(ValueError, "parameters[1]: 실수형이어야", clip_weights, [x, x.long()], 0.1)
    refuses(TypeError, "parameters[0]: 텐서여야", clip_weights, [1.0], 0.1)
    refuses(ValueError, "parameters: 하나 이상이어야 하는데 비었다", clip_weights, iter([]), 0.1)
    refuses(TypeError, "parameters: 차례로 읽을 수 있어야 하는데 int이다", clip_weights, 3, 0.1)
    refuses(TypeError, "critic: 함수여야 하는데 str이다", gradient_penalty, "x", x, weight=1.0)
    images = torch.ones(4, 3, 2, 2, device=device)
    refuses(
        ValueError,
        "critic: 모양이 (4, 3, 2, 2)의 앞쪽이어야 하는데 (4, 1)이다",
        gradient_penalty,
        lambda p: p.sum((2, 3))[:, :1],
        images,
        weight=1.0,
    )
    refuses(ValueError, "critic: 유한한 값이어야", gradient_penalty, lambda p: plane(p) / 0, x, weight=1.0)
    refuses(ValueError, "batch_dims: 축의 수 2보다 작아야", interpolate, x, x, batch_dims=2, generator=None)
    refuses(ValueError, "batch_dims: 1 이상의 정수여야", interpolate, x, x, batch_dims=0, generator=None)


@pytest.mark.bad_input
def test_bad_distributions(device):
    p = torch.tensor([0.5, 0.5], device=device)
    refuses(ValueError, "q: dim=-1의 합이 1이어야 하는데 2", js_divergence, p, 2 * p)
    refuses(ValueError, "p: 0 이상의 유한한 값이어야", js_divergence, -p, p)
    refuses(ValueError, "q: 모양이 (2,)이어야 하는데 (1,)이다", js_divergence, p, p[:1])
    refuses(ValueError, "p: 원소가 하나 이상이어야", js_divergence, p[:0], p[:0])
    refuses(TypeError, "p: 텐서여야 하는데 list이다", js_divergence, [0.5, 0.5], p)


@pytest.mark.bad_input
def test_bad_distances(device):
    theta = torch.tensor([0.5], device=device)
    for message, given_theta, knobs in [
        ("theta: 축의 수가 1이어야", theta[0], {}),
        ("theta: 원소가 하나 이상이어야", theta[:0], {}),
        ("theta: 유한한 값이어야 하는데", theta / 0, {}),
        ("theta: 실수형이어야", theta.long(), {}),
        ("steps: 1 이상의 정수여야 하는데 0이다", theta, {"steps": 0}),
        ("width: 1 이상의 정수여야", theta, {"width": 0}),
        ("batch_size: 1 이상의 정수여야", theta, {"batch_size": 0}),
        ("learning_rate: 0보다 큰 유한한 값이어야", theta, {"learning_rate": 0.0}),
        ("penalty_weight: 0 이상의 유한한 값이어야", theta, {"penalty_weight": -0.1}),
    ]:
        refuses(ValueError, message, vanishing_gradients, given_theta, generator=generator(0), **knobs)
    refuses(TypeError, "theta: 텐서여야 하는데 float이다", vanishing_gradients, 0.5, generator=generator(0))


@pytest.mark.bad_input
def test_bad_trainings(device):
    data, gs = torch.ones(2, 3, 2, device=device), [generator(0), generator(1)]
    knobs = {"method": wgan_gp(), "steps": 2, "generators": gs, **TINY}
    for message, given_data, changed in [
        ("data: 축의 수가 3이어야 하는데 모양이 (3, 2)이다", data[0], {}),
        ("data: 원소가 하나 이상이어야", data[:, :0], {}),
        ("data: 실수형이어야", data.long(), {}),
        ("data: 유한한 값이어야 하는데 nan이 있다", data * math.nan, {}),
        ("steps: 1 이상의 정수여야 하는데 0이다", data, {"steps": 0}),
        ("critic_steps: 1 이상의 정수여야 하는데 0이다", data, {"critic_steps": 0}),
        ("batch_size: 1 이상의 정수여야", data, {"batch_size": 0}),
        ("latent_dim: 1 이상의 정수여야", data, {"latent_dim": 0}),
        ("hidden[1]: 1 이상의 정수여야 하는데 0이다", data, {"hidden": (4, 0)}),
        ("hidden의 길이: 1 이상의 정수여야 하는데 0이다", data, {"hidden": ()}),
        ("learning_rate: 0보다 큰 유한한 값이어야", data, {"learning_rate": -1.0}),
        ("averaging: 1보다 작아야 하는데 1이다", data, {"averaging": 1.0}),
        ("averaging: [0, 1] 안의 값이어야 하는데 -0.1이다", data, {"averaging": -0.1}),
        ("snapshots: steps 2의 약수여야 하는데 3이다", data, {"snapshots": 3}),
        ("snapshots: 1 이상의 정수여야", data, {"snapshots": 0}),
        ("generators: 시드의 수 2개여야 하는데 1개이다", data, {"generators": gs[:1]}),
    ]:
        refuses(ValueError, message, train_gan, given_data, **(knobs | changed))
    refuses(TypeError, "data: 텐서여야 하는데 list이다", train_gan, [[[1.0]]], **knobs)
    refuses(TypeError, "steps: 정수여야 하는데 float이다", train_gan, data, **(knobs | {"steps": 2.0}))
    diverging = knobs | {"steps": 10, "learning_rate": 1e30}
    refuses(ValueError, "learning_rate: 학습 0스텝의 점수: 유한한 값이어야", train_gan, 1e30 * data, **diverging)
    refuses(TypeError, "method: Method여야 하는데 str이다", train_gan, data, **(knobs | {"method": "wgan-gp"}))
    refuses(ValueError, "bound: 0보다 큰 유한한 값이어야", wgan_clip, 0)
    refuses(ValueError, "weight: 0 이상의 유한한 값이어야 하는데 -0.1이다", wgan_gp, -0.1)


@pytest.mark.bad_input
def test_bad_samples_and_points(device):
    data, gs = torch.ones(2, 3, 2, device=device), [generator(0), generator(1)]
    found = train_gan(data, method=SATURATING, steps=1, generators=gs, **TINY)
    refuses(ValueError, "n: 1 이상의 정수여야 하는데 0이다", generate, found.generator, 0, generators=gs)
    refuses(ValueError, "generators: 시드의 수 2개여야", generate, found.generator, 1, generators=gs[:1])
    refuses(TypeError, "n: 정수여야 하는데 float이다", generate, found.generator, 1.0, generators=gs)
    refuses(ValueError, "points: 모양이 (2, 3, 2)이어야 하는데 (1, 3, 2)이다", criticise, found.critic, data[:1])
    refuses(ValueError, "points: 모양이 (2, 3, 2)이어야 하는데 (2, 3, 1)이다", criticise, found.critic, data[..., :1])
    refuses(ValueError, "points: 축의 수가 3이어야", criticise, found.critic, data[0])
    refuses(ValueError, "points: 원소가 하나 이상이어야", criticise, found.critic, data[:, :0])
    refuses(ValueError, "points: 실수형이어야", criticise, found.critic, data.long())
    refuses(TypeError, "points: 텐서여야", criticise, found.critic, [[[1.0]]])
    refuses(ValueError, "layers: 가중치와 절편의 쌍이어야", criticise, found.critic[:3], data)
    refuses(ValueError, "layers: 가중치와 절편의 쌍이어야", criticise, [layer[0] for layer in found.critic], data)
    refuses(ValueError, "layers[2]: 모양이", criticise, [*found.critic[:2], *found.critic[4:]], data)
    refuses(ValueError, "layers[6]: 모양이", generate, [*found.generator[:6], data[:, :2]], 1, generators=gs)
    refuses(TypeError, "layers[0]: 텐서여야", generate, [1.0] * 7, 1, generators=gs)
    refuses(TypeError, "layers: 차례로 읽을 수 있어야", criticise, None, data)
    refuses(TypeError, "generators[0]: 발생기여야 하는데 int이다", generate, found.generator, 1, generators=(-1, -1))
    assert torch.equal(criticise(iter(found.critic), data), criticise(found.critic, data))


def test_a_method_is_a_tuple_of_functions_that_the_reader_may_write(device):
    # 최소 제곱 GAN: 판별자는 1과 0에, 생성자는 1에 점수를 맞춘다.
    squares = Method(
        lambda real, fake: ((real - 1) ** 2).mean(-1) + (fake**2).mean(-1), lambda fake: ((fake - 1) ** 2).mean(-1)
    )
    data = torch.stack([0.5 * randn(500, 2, generator=generator(0), device=device) + 2])
    found = train_gan(data, method=squares, steps=200, hidden=(32, 32), averaging=0.9, generators=iter([generator(0)]))
    samples = generate(iter(found.generator), 500, generators=iter([generator(10)]))
    assert wasserstein(data[0], samples[0]) < 1.0
