"""기준값: float64의 NumPy·SciPy(그 자신은 mpmath로 확인한다)와 CPU의 torch.nn.functional."""

import math

import jaxtyping
import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression as PeerRegression
from torch.nn import functional as F

from mgk_docs_src.data import breast_cancer, iris
from mgk_docs_src.losses.binary import (
    LogisticRegression,
    bce,
    bce_with_logits,
    bce_with_logits_grad,
    bernoulli_log_likelihood,
    distribution_cross_entropy,
    entropy,
    fit_logistic_regression,
    kl_divergence,
)
from mgk_docs_src.random import generator, rand, randint, randn

EXAMPLES = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-12, "rtol": 1e-12}
TINY = torch.finfo(torch.float32).tiny  # 이보다 작으면 float32의 자릿수 자체가 준다
HALVES = [torch.float16, torch.bfloat16]


def rounding(device):
    """float32 상대 오차의 한계. CUDA의 exp와 log1p는 마지막 자리에서 2까지 틀릴 수 있다(CUDA 문서)."""
    return 3e-7 if device.type == "cpu" else 6e-7


def logits_grid():
    g = generator(0)
    grid = torch.linspace(-100, 100, 20_001)
    return torch.cat([grid, 200 * rand(20_000, generator=g) - 100, randn(20_000, generator=g)])


def every_finite(kind):
    values = torch.arange(-(2**15), 2**15).to(torch.int16).view(kind)
    return values[values.isfinite()]


def ulps(ours, truth):
    """같은 자료형의 두 텐서 사이에 수가 몇 개 있는가."""
    ranks = []
    for value in (ours, truth):
        bits = value.contiguous().view(torch.int16).int()
        ranks.append(torch.where(bits < 0, -(bits & 0x7FFF), bits))
    return (ranks[0] - ranks[1]).abs()


def true_loss(z, y):
    return (1 - y) * np.logaddexp(0, z) + y * np.logaddexp(0, -z)


def true_grad(z, y):
    return (1 - y) * scipy.special.expit(z) - y * scipy.special.expit(-z)


def numpy(tensor):
    return tensor.detach().cpu().double().numpy()


def test_the_oracles_themselves_agree_with_mpmath():
    with mpmath.workdps(60):
        for z in (-100.0, -37.3, -14.6, -1.0, 0.0, 0.5, 16.9, 64.0, 100.0):
            for y in (0.0, 0.3, 1.0):
                p = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
                loss = -(y * mpmath.log(p) if y else 0) - ((1 - y) * mpmath.log(1 - p) if y < 1 else 0)
                assert true_loss(z, y) == pytest.approx(float(loss), rel=1e-15)
                assert true_grad(z, y) == pytest.approx(float(p - mpmath.mpf(y)), rel=1e-14)


# --- 엔트로피, 교차 엔트로피, KL 발산 ---


def distributions(seed, shape, kind=torch.float64):
    """확률 분포의 쌍. P에는 0도 있다."""
    g = generator(seed)
    p, q = (rand(*shape, generator=g, dtype=torch.float64) + 1e-3 for _ in range(2))
    p = p * (rand(*shape, generator=g) > 0.3)
    p[..., 0] += 0.1
    return (p / p.sum(-1, keepdim=True)).to(kind), (q / q.sum(-1, keepdim=True)).to(kind)


@EXAMPLES
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 4), classes=st.integers(1, 7))
def test_entropies_agree_with_scipy_and_obey_the_chain_rule(device, seed, rows, classes):
    p, q = distributions(seed, (rows, classes))
    ours = [f(*(x.to(device) for x in xs)).cpu() for f, xs in (
        (entropy, (p,)), (distribution_cross_entropy, (p, q)), (kl_divergence, (p, q))
    )]  # fmt: skip
    h, cross, kl = ours
    np.testing.assert_allclose(h, scipy.stats.entropy(p, axis=1), **CLOSE)
    np.testing.assert_allclose(kl, scipy.special.rel_entr(p.numpy(), q.numpy()).sum(1), **CLOSE)
    torch.testing.assert_close(cross, h + kl, **CLOSE)
    assert (kl >= -1e-15).all()
    assert (h >= 0).all()
    assert (h <= math.log(classes) + 1e-15).all()


def test_entropies_work_along_any_dim_and_follow_the_dtype(device):
    p, q = distributions(0, (2, 3, 4))
    for kind, tolerance in ((torch.float16, 2e-3), (torch.bfloat16, 2e-2), (torch.float32, 1e-6)):
        for function in (distribution_cross_entropy, kl_divergence):
            wide = function(p, q)
            ours = function(*(x.to(device, kind) for x in (p, q)))
            assert ours.dtype == kind
            np.testing.assert_allclose(numpy(ours), numpy(wide), atol=tolerance, rtol=tolerance)
            moved = function(*(x.movedim(-1, 0).to(device, kind) for x in (p, q)), dim=0)
            torch.testing.assert_close(moved, ours)
        assert entropy(p.to(device, kind)).dtype == kind
    single = torch.tensor([0.5, 0.25, 0.25], device=device)
    assert entropy(single).item() == pytest.approx(1.5 * math.log(2))
    assert entropy(single).shape == ()


def test_zero_log_zero_is_zero_and_the_gradient_is_finite(device):
    p = torch.tensor([0.0, 1.0], device=device, dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.0, 1.0], device=device, dtype=torch.float64, requires_grad=True)
    for value in (entropy(p), distribution_cross_entropy(p, q), kl_divergence(p, q)):
        assert value.item() == 0
        grads = torch.autograd.grad(value, (p, q), allow_unused=True)
        assert all(grad is None or grad.isfinite().all() for grad in grads)


def test_a_zero_of_q_under_p_is_infinite(device):
    p, q = torch.tensor([0.5, 0.5], device=device), torch.tensor([1.0, 0.0], device=device)
    assert distribution_cross_entropy(p, q).item() == math.inf
    assert kl_divergence(p, q).item() == math.inf
    assert kl_divergence(q, p).item() == pytest.approx(math.log(2))


def test_kl_of_a_distribution_to_itself_is_exactly_zero(device):
    p, q = (x.to(device) for x in distributions(1, (50, 9), torch.float32))
    assert (kl_divergence(p, p) == 0).all()
    assert (kl_divergence(q, q) == 0).all()


def test_entropies_have_the_right_gradients(device):
    p, q = (x.to(device).requires_grad_() for x in (distributions(3, (3, 4))[1], distributions(4, (3, 4))[1]))

    # 조금 흔든 p의 합은 1이 아니므로 다시 나눠 단체 위에 둔다.
    def on_simplex(function):
        return lambda *xs: function(*(x / x.sum(-1, keepdim=True) for x in xs))

    assert torch.autograd.gradcheck(on_simplex(entropy), (p,))
    assert torch.autograd.gradcheck(on_simplex(distribution_cross_entropy), (p, q))
    assert torch.autograd.gradcheck(on_simplex(kl_divergence), (p, q))


# --- 확률에서 계산하는 것 ---


def test_log_likelihood_is_the_log_of_the_product(device):
    g = generator(0)
    p = rand(3, 5, generator=g, dtype=torch.float64)
    y = randint(0, 2, (3, 5), generator=g).double()
    product = torch.prod(p**y * (1 - p) ** (1 - y))
    ours = bernoulli_log_likelihood(p.to(device), y.to(device))
    assert ours.item() == pytest.approx(math.log(product), rel=1e-13)
    assert ours.item() == pytest.approx(scipy.stats.bernoulli.logpmf(y.numpy(), p.numpy()).sum(), rel=1e-13)
    assert -ours.item() / 15 == pytest.approx(bce(p.to(device), y.to(device)).item(), rel=1e-13)


def test_the_impossible_has_log_likelihood_minus_infinity(device):
    p, y = torch.tensor([0.5, 0.0], device=device), torch.tensor([1.0, 1.0], device=device)
    assert bernoulli_log_likelihood(p, y).item() == -math.inf
    assert bernoulli_log_likelihood(p, 1 - y).item() == pytest.approx(math.log(0.5))


def test_the_likelihood_is_highest_at_the_frequency(device):
    y = torch.tensor([1.0, 1.0, 0.0, 1.0], device=device)
    p = torch.linspace(0.01, 0.99, 99, device=device)
    values = torch.stack([bernoulli_log_likelihood(q.expand(4), y) for q in p])
    assert p[values.argmax()].item() == pytest.approx(0.75)


@EXAMPLES
@given(
    seed=st.integers(0, 10**6),
    shape=st.lists(st.integers(1, 4), min_size=0, max_size=3).map(tuple),
    hard=st.booleans(),
    weighted=st.sampled_from([None, "full", "scalar", "row"]),
    reduction=st.sampled_from(["none", "mean", "sum"]),
)
def test_bce_agrees_with_torch(device, *, seed, shape, hard, weighted, reduction):
    g = generator(seed)
    p = rand(*shape, generator=g, dtype=torch.float64).clamp(1e-6, 1 - 1e-6)
    y = rand(*shape, generator=g, dtype=torch.float64)
    y = y.round() if hard else y
    weight = weights(g, shape, weighted)
    results = []
    for function, place in ((bce, device), (F.binary_cross_entropy, torch.device("cpu"))):
        pp = p.detach().to(place, copy=True).requires_grad_()
        loss = function(pp, y.to(place), weight=moved(weight, place), reduction=reduction)
        results.append([loss, *torch.autograd.grad(loss.sum(), pp)])
    (ours, grad), (theirs, their_grad) = results
    torch.testing.assert_close(ours.cpu(), theirs, **CLOSE)
    torch.testing.assert_close(grad.cpu(), their_grad, atol=1e-12, rtol=1e-9)


def weights(g, shape, kind):
    full = rand(*shape, generator=g, dtype=torch.float64) * 3
    return {
        None: None,
        "full": full,
        "scalar": full.flatten()[0],
        "row": full[(0,) * (len(shape) - 1)] if shape else full,
    }[kind]


def moved(tensor, device):
    return None if tensor is None else tensor.to(device)


def test_bce_is_exact_at_the_ends_where_torch_clamps(device):
    p = torch.tensor([0.0, 1.0, 0.0, 1.0], device=device, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.0, 1.0, 1.0, 0.0], device=device, dtype=torch.float64)
    loss = bce(p, y, reduction="none")
    assert loss.tolist() == [0.0, 0.0, math.inf, math.inf]
    assert F.binary_cross_entropy(p.detach(), y, reduction="none").tolist() == [0.0, 0.0, 100.0, 100.0]
    (grad,) = torch.autograd.grad(loss.sum(), p)
    assert grad.tolist() == [1.0, -1.0, -math.inf, math.inf]


def test_bce_keeps_small_losses_and_drops_what_has_no_weight(device):
    p = torch.tensor([1e-12, 1e-30], device=device)
    np.testing.assert_allclose(numpy(bce(p, torch.zeros_like(p), reduction="none")), numpy(p), rtol=1e-7)
    p, y = torch.tensor([0.0, 0.5], device=device), torch.tensor([1.0, 1.0], device=device)
    weight = torch.tensor([0.0, 1.0], device=device)
    assert bce(p, y, weight=weight, reduction="sum").item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("kind", HALVES)
def test_bce_in_half_precision_rounds_once(device, kind):
    p = every_finite(kind)
    p = p[(p >= 0) & (p <= 1)]
    for y in (0.0, 0.3, 1.0):
        target = torch.full_like(p, y)
        wide = bce(p.double(), target.double(), reduction="none").to(kind)
        ours = bce(p.to(device), target.to(device), reduction="none")
        assert ours.dtype == kind
        assert ulps(ours.cpu(), wide).max() <= 1


def test_bce_has_the_right_gradients(device):
    g = generator(5)
    p, y, w = (rand(2, 3, generator=g, device=device, dtype=torch.float64) * 0.9 + 0.05 for _ in range(3))
    for x in (p, y, w):
        x.requires_grad_()
    check = lambda p, y, w: bce(p, y, weight=w)  # noqa: E731
    assert torch.autograd.gradcheck(check, (p, y, w))
    assert torch.autograd.gradgradcheck(check, (p, y, w))


# --- 로짓에서 계산하는 것 ---


@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("soft_path", [False, True])
def test_loss_keeps_its_relative_precision_everywhere(device, y, soft_path):
    z = logits_grid().to(device)
    target = torch.full_like(z, y, requires_grad=soft_path)  # 라벨의 기울기가 필요하면 언제나 섞는 식으로 간다
    loss = numpy(bce_with_logits(z, target, reduction="none"))
    truth = true_loss(numpy(z), numpy(target))
    normal = truth > TINY
    assert normal.mean() > 0.9
    assert (np.abs(loss - truth) / truth)[normal].max() <= rounding(device)
    assert np.abs(loss - truth)[~normal].max(initial=0) <= 4e-45  # 가장 작은 float32는 1.4e-45다


def test_torch_itself_returns_exactly_zero_at_label_zero_below_minus_14_6(device):
    z = torch.linspace(-100, -14.6, 500)
    assert (F.binary_cross_entropy_with_logits(z, torch.zeros_like(z), reduction="none") == 0).all()
    ours = bce_with_logits(z.to(device), torch.zeros_like(z).to(device), reduction="none")
    assert (ours > 0).all()


@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("soft_path", [False, True])
def test_gradients_keep_their_relative_precision(device, y, soft_path):
    z = logits_grid().to(device).requires_grad_()
    target = torch.full_like(z, y, requires_grad=soft_path)
    (by_autograd,) = torch.autograd.grad(bce_with_logits(z, target, reduction="sum"), z)
    by_hand = bce_with_logits_grad(z, target)
    z64, y64 = numpy(z), numpy(target)
    truth = true_grad(z64, y64)
    # y가 0과 1 사이면 z = logit(y) 둘레에서 거의 같은 두 수의 차이다. 잃는 것은 두 항의 크기로 잰다.
    # 라벨이 0이나 1이면 항이 하나뿐이라 이 크기가 기울기 자신이다.
    scale = (1 - y64) * scipy.special.expit(z64) + y64 * scipy.special.expit(-z64)
    normal = np.abs(truth) > TINY
    for grad in (by_autograd, by_hand):
        error = np.abs(numpy(grad) - truth)
        assert (error / scale)[normal].max() <= rounding(device)
        assert error[~normal].max(initial=0) <= TINY


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
def test_every_half_precision_logit(device, kind, y):
    z = every_finite(kind).to(device).requires_grad_()
    target = torch.full_like(z, y)
    loss = bce_with_logits(z, target, reduction="none")
    (by_autograd,) = torch.autograd.grad(loss.sum(), z)
    by_hand = bce_with_logits_grad(z, target)
    z64, y64 = numpy(z), numpy(target)
    for ours, truth in (
        (loss, true_loss(z64, y64)),
        (by_autograd, true_grad(z64, y64)),
        (by_hand, true_grad(z64, y64)),
    ):
        assert ours.dtype == kind
        assert ours.isfinite().all()
        apart = ulps(ours.detach().cpu(), torch.from_numpy(truth).to(kind))
        # torch.sigmoid는 exp(-z)가 넘치는 z < -88에서 정확히 0이다. 답이 float32의 가장 작은 정규 수보다 작은 곳이다.
        visible = torch.from_numpy(np.abs(truth) > TINY) if ours is by_hand else torch.ones(len(z), dtype=torch.bool)
        assert apart[visible].max() <= 2
        assert np.abs(numpy(ours) - truth)[~visible.numpy()].max(initial=0) <= TINY


def test_symmetry_of_sign_and_label(device):
    z = logits_grid().to(device)
    for y in (0.0, 0.3, 1.0):
        target = torch.full_like(z, y)
        mirrored = bce_with_logits(-z, 1 - target, reduction="none")
        torch.testing.assert_close(bce_with_logits(z, target, reduction="none"), mirrored, rtol=3e-7, atol=0)
        torch.testing.assert_close(
            bce_with_logits_grad(z, target), -bce_with_logits_grad(-z, 1 - target), rtol=0, atol=1e-7
        )


def test_at_logit_zero_loss_and_gradient_are_exact(device):
    for kind in (torch.float32, torch.float64):
        y = torch.tensor([0.0, 0.25, 0.5, 1.0], device=device, dtype=kind)
        z = torch.zeros_like(y, requires_grad=True)
        loss = bce_with_logits(z, y, reduction="none")
        torch.testing.assert_close(loss, torch.full_like(loss, math.log(2)))
        assert torch.autograd.grad(loss.sum(), z)[0].tolist() == [0.5, 0.25, 0.0, -0.5]
        assert bce_with_logits_grad(z, y).tolist() == [0.5, 0.25, 0.0, -0.5]


def test_a_confident_mistake_still_has_a_gradient(device):
    z = torch.tensor(17.0, device=device, requires_grad=True)
    y = torch.zeros_like(z)
    clamped = F.binary_cross_entropy(torch.sigmoid(z), y)
    assert clamped.item() == 100
    assert torch.autograd.grad(clamped, z)[0].item() == 0
    loss = bce_with_logits(z, y)
    assert loss.item() == pytest.approx(17.00000004)
    assert torch.autograd.grad(loss, z)[0].item() == pytest.approx(1.0, rel=1e-7)
    assert bce_with_logits_grad(z, y).item() == pytest.approx(1.0, rel=1e-7)


def test_a_soft_target_has_the_floor_of_its_entropy(device):
    y = torch.linspace(0.05, 0.95, 19, device=device, dtype=torch.float64)
    floor = entropy(torch.stack([y, 1 - y], 1))
    torch.testing.assert_close(bce_with_logits(torch.logit(y), y, reduction="none"), floor, **CLOSE)
    for shift in (-3.0, -0.01, 0.01, 3.0):
        assert (bce_with_logits(torch.logit(y) + shift, y, reduction="none") > floor).all()


@EXAMPLES
@given(
    seed=st.integers(0, 10**6),
    shape=st.lists(st.integers(1, 4), min_size=0, max_size=3).map(tuple),
    scale=st.sampled_from([0.1, 3.0, 30.0]),
    labels=st.sampled_from(["hard", "soft", "mixed", "differentiable"]),
    weighted=st.sampled_from([None, "full", "scalar", "row"]),
    pos_weighted=st.sampled_from([None, "full", "scalar", "row"]),
    reduction=st.sampled_from(["none", "mean", "sum"]),
)
def test_bce_with_logits_agrees_with_torch(device, *, seed, shape, scale, labels, weighted, pos_weighted, reduction):
    g = generator(seed)
    z = scale * randn(*shape, generator=g, dtype=torch.float64)
    y = rand(*shape, generator=g, dtype=torch.float64)
    if labels != "soft":
        y = torch.where(torch.tensor(labels == "hard") | (y < 0.5), y.round(), y)
    weight, pos_weight = weights(g, shape, weighted), weights(g, shape, pos_weighted)

    results = []
    for function, place in ((bce_with_logits, device), (F.binary_cross_entropy_with_logits, torch.device("cpu"))):
        zz = z.detach().to(place, copy=True).requires_grad_()
        yy = y.detach().to(place, copy=True).requires_grad_(labels == "differentiable")
        loss = function(zz, yy, weight=moved(weight, place), pos_weight=moved(pos_weight, place), reduction=reduction)
        wanted = (zz, yy) if yy.requires_grad else (zz,)
        results.append([loss, *torch.autograd.grad(loss.sum(), wanted)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours.cpu(), theirs, **CLOSE)
    if weight is None and pos_weight is None and reduction == "sum":
        by_hand = bce_with_logits_grad(z.to(device), y.to(device))
        torch.testing.assert_close(by_hand.cpu(), results[1][1], **CLOSE)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("pos_weighted", [True, False])
def test_bce_with_logits_has_the_right_gradients_twice(device, hard, pos_weighted):
    g = generator(2)
    z = (3 * randn(2, 3, generator=g, device=device, dtype=torch.float64)).requires_grad_()
    y = rand(2, 3, generator=g, device=device, dtype=torch.float64) * 0.8 + 0.1
    y = y.round() if hard else y.requires_grad_()
    w, w_plus = ((rand(3, generator=g, device=device, dtype=torch.float64) + 0.5).requires_grad_() for _ in range(2))

    def loss(z, y, w, w_plus):
        return bce_with_logits(z, y, weight=w, pos_weight=w_plus if pos_weighted else None, reduction="sum")

    assert torch.autograd.gradcheck(loss, (z, y, w, w_plus))
    assert torch.autograd.gradgradcheck(loss, (z, y, w, w_plus))


def test_gradient_to_a_hard_label_that_asks_for_it(device):
    z = torch.tensor([-2.0, 0.5, 3.0], device=device, dtype=torch.float64)
    y = torch.tensor([0.0, 1.0, 1.0], device=device, dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(bce_with_logits(z, y, reduction="sum"), y)
    torch.testing.assert_close(grad, -z, **CLOSE)


def test_float64_gradient_has_all_its_digits_beyond_twenty(device):
    # softplus의 기본 threshold 20이면 여기서 2e-9만큼 틀린다.
    z = torch.linspace(15, 60, 200, device=device, dtype=torch.float64).requires_grad_()
    (grad,) = torch.autograd.grad(bce_with_logits(z, torch.zeros_like(z), reduction="sum"), z)
    np.testing.assert_allclose(numpy(grad), scipy.special.expit(numpy(z)), rtol=4e-16, atol=0)
    np.testing.assert_allclose(
        numpy(bce_with_logits(z, torch.zeros_like(z), reduction="none")), np.logaddexp(0, numpy(z)), rtol=4e-16, atol=0
    )


def test_dtype_is_the_one_that_holds_both(device):
    z, y = torch.ones(2, device=device), torch.ones(2, device=device)
    for function in (bce_with_logits, bce_with_logits_grad, bce, distribution_cross_entropy, kl_divergence):
        half = [z.half() / 2, y.half() / 2]
        assert function(*half).dtype == torch.float16
        assert function(half[0], half[1].float()).dtype == torch.float32
        assert function(half[0].bfloat16(), half[1].double()).dtype == torch.float64
    weight = torch.ones(2, device=device, dtype=torch.float64)
    assert bce_with_logits(z, y, weight=weight, pos_weight=weight).dtype == torch.float32
    assert bce(z, y, weight=weight).dtype == torch.float32


# dynamo는 그래프가 끊긴 자리에서 잎이 아닌 텐서의 .grad를 들여다보고, 제 경고를 감추지만 error 필터에는 걸린다.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.parametrize("function", [bce_with_logits, bce])
@pytest.mark.real_device
def test_compiled_equals_eager(device, monkeypatch, function):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # 모양 검사기는 추적하는 가짜 텐서를 모른다
    torch._dynamo.reset()
    compiled = torch.compile(function, backend="aot_eager")
    g = generator(0)
    for soft in (False, True):
        y = rand(5, 3, generator=g, device=device, dtype=torch.float64)
        y = y if soft else y.round()
        x = rand(5, 3, generator=g, device=device, dtype=torch.float64).requires_grad_()
        results = [f(x, y, weight=torch.full_like(y, 2.0), reduction="mean") for f in (compiled, function)]
        grads = [torch.autograd.grad(loss, x)[0] for loss in results]
        torch.testing.assert_close(*results, **CLOSE)
        torch.testing.assert_close(*grads, **CLOSE)
    with pytest.raises(ValueError, match="target"):
        compiled(x, y + 1)


def test_inputs_are_not_changed_and_results_repeat(device):
    g = generator(0)
    z, y = randn(4, 3, generator=g, device=device), rand(4, 3, generator=g, device=device).round()
    p, q = (x.to(device) for x in distributions(0, (4, 3), torch.float32))
    w = rand(3, generator=g, device=device)
    inputs = [z, y, p, q, w]
    before = [x.clone() for x in inputs]
    calls = [
        lambda: entropy(p),
        lambda: distribution_cross_entropy(p, q),
        lambda: kl_divergence(p, q),
        lambda: bernoulli_log_likelihood(p, y),
        lambda: bce(p, q, weight=w),
        lambda: bce_with_logits(z, y, weight=w),
        lambda: bce_with_logits(z, q, weight=w, pos_weight=w),
        lambda: bce_with_logits_grad(z, q),
        lambda: fit_logistic_regression(z, y[:, 0], steps=3, learning_rate=0.1).weight,
    ]
    for call in calls:
        first, second = call(), call()
        assert first.device.type == device.type
        assert torch.equal(first, second)
    assert all(torch.equal(x, old) and x._version == 0 for x, old in zip(inputs, before, strict=True))


# --- 부르는 쪽의 사정: autocast, torch.func의 변환 ---


def calls(device):
    """손실마다 (함수, 인자). 손실은 원소마다의 값이고, 첫 축은 서로 다른 표본이다."""
    g = generator(7)
    z, y = (randn(3, 4, generator=g, device=device, dtype=torch.float64) for _ in range(2))
    p, soft = z.sigmoid(), y.sigmoid()
    ends = torch.tensor([0.0, 1.0, 0.5, 1.0], device=device, dtype=torch.float64).expand(3, 4)
    none = {"reduction": "none"}
    return {
        "logits, hard": (lambda z, y: bce_with_logits(z, y, **none), (z, soft.round())),
        "logits, soft": (lambda z, y: bce_with_logits(z, y, **none), (z, soft)),
        "logits, weighted": (lambda z, y: bce_with_logits(z, y, weight=y, pos_weight=3 * y, **none), (z, soft)),
        "probabilities": (lambda p, y: bce(p, y, **none), (p, soft)),
        "certain": (lambda p, y: bce(p, y, **none), (p.where(ends == 0.5, ends), soft.where(ends == 0.5, ends))),
        "by hand": (bce_with_logits_grad, (z, soft)),
        "entropy": (entropy, (z.softmax(1),)),
        "cross-entropy": (distribution_cross_entropy, (z.softmax(1), y.softmax(1))),
        "divergence": (kl_divergence, (z.softmax(1), y.softmax(1))),
        "likelihood": (lambda p, y: bernoulli_log_likelihood(p, y.round()), (p, soft)),
    }


@pytest.mark.parametrize("name", list(calls(torch.device("cpu"))))
def test_transforms_equal_the_loop(device, name):
    function, args = calls(device)[name]
    rows = list(zip(*args, strict=True))
    torch.testing.assert_close(torch.func.vmap(function)(*args), torch.stack([function(*row) for row in rows]))
    for arg in range(len(args)):

        def total(*row):
            return function(*row).sum()

        def loop(row, arg=arg):
            leaf = row[arg].clone().requires_grad_()
            return torch.autograd.grad(total(*row[:arg], leaf, *row[arg + 1 :]), leaf)[0]

        slopes = torch.stack([loop(row) for row in rows])
        torch.testing.assert_close(torch.func.vmap(torch.func.grad(total, arg))(*args), slopes)
        torch.testing.assert_close(torch.func.grad(lambda *a: torch.func.vmap(total)(*a).sum(), arg)(*args), slopes)
        for row, slope in zip(rows, slopes, strict=True):
            push = torch.linspace(-1, 2, 4, device=device, dtype=torch.float64)
            _, tangent = torch.func.jvp(
                lambda x, row=row, arg=arg: total(*row[:arg], x, *row[arg + 1 :]), (row[arg],), (push,)
            )
            torch.testing.assert_close(tangent, slope @ push)


def test_the_tangent_to_a_hard_label_is_minus_the_logit(device):
    z, y = torch.tensor([1.54, 0.57, -0.40], device=device), torch.tensor([1.0, 0.0, 1.0], device=device)
    for arrange in (lambda f: f, torch.func.vmap):
        loss = arrange(lambda y, z: bce_with_logits(z, y, reduction="none"))
        _, tangent = torch.func.jvp(lambda y, loss=loss: loss(y, z), (y,), (torch.ones_like(y),))
        torch.testing.assert_close(tangent, -z)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(y, torch.ones_like(y))
        loss = bce_with_logits(z, dual, reduction="none")
        torch.testing.assert_close(torch.autograd.forward_ad.unpack_dual(loss).tangent, -z)


def test_the_curvature_is_that_of_the_bernoulli(device):
    z = torch.linspace(-9, 9, 7, device=device, dtype=torch.float64)
    for y in (torch.zeros_like(z), torch.full_like(z, 0.3)):
        found = torch.func.hessian(lambda z, y=y: bce_with_logits(z, y, reduction="sum"))(z)
        torch.testing.assert_close(found, (z.sigmoid() * (-z).sigmoid()).diag(), **CLOSE)


@pytest.mark.parametrize("low", HALVES)
def test_autocast_changes_nothing(device, low):
    for function, args in calls(device).values():
        plain = function(*(x.float() for x in args))
        with torch.autocast(device.type, dtype=low):
            torch.testing.assert_close(function(*(x.float() for x in args)), plain, rtol=0, atol=0)


@pytest.mark.parametrize("function", [bce_with_logits, bce])
def test_the_largest_scale_of_a_grad_scaler_is_finite_in_autocast(device, function):
    x = torch.full((64,), 0.25, device=device, dtype=torch.float16, requires_grad=True)
    with torch.autocast(device.type, dtype=torch.float16):
        loss = function(x, torch.ones_like(x))
    assert loss.dtype == torch.float32
    (2.0**16 * loss).backward()
    assert x.grad.isfinite().all()


# --- torch와 같은 곳과 다른 곳 ---


def test_probabilities_give_the_same_by_both_formulas(device):
    # 0이나 1이 하나라도 있으면 다른 길로 간다. 나머지 원소의 값과 기울기는 그대로다.
    g = generator(3)
    p, y = (rand(500, generator=g, device=device) * 0.998 + 0.001 for _ in range(2))
    for ends in ([], [1.0], [0.0], [0.0, 1.0]):
        more = torch.tensor(ends, device=device)
        pp = torch.cat([p, more]).requires_grad_()
        loss = bce(pp, torch.cat([y, more]), reduction="none")
        (grad,) = torch.autograd.grad(loss.sum(), pp)
        p64, y64 = numpy(p), numpy(y)
        np.testing.assert_allclose(numpy(loss[:500]), -(y64 * np.log(p64) + (1 - y64) * np.log1p(-p64)), rtol=4e-7)
        scale = y64 / p64 + (1 - y64) / (1 - p64)
        assert (np.abs(numpy(grad[:500]) - ((1 - y64) / (1 - p64) - y64 / p64)) / scale).max() < 3e-7
        assert (loss[500:] == 0).all()


def test_the_gradient_of_a_small_probability_where_torch_clamps(device):
    # torch의 BCELoss는 기울기의 분모 p(1 − p)를 1e-12에서 자른다.
    p, y = torch.tensor([1e-30, 1e-13], device=device), torch.zeros(2, device=device)
    p.requires_grad_()
    (ours,) = torch.autograd.grad(bce(p, y, reduction="sum"), p)
    (theirs,) = torch.autograd.grad(F.binary_cross_entropy(p, y, reduction="sum"), p)
    assert ours.tolist() == [1.0, 1.0]
    assert theirs.max() < 0.2
    tiny = torch.tensor([1e-60], device=device, dtype=torch.float64)
    assert bce(tiny, torch.ones_like(tiny)).item() == pytest.approx(-math.log(1e-60))
    assert F.binary_cross_entropy(tiny, torch.ones_like(tiny)).item() == 100


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_the_cases_of_torchs_documents(device, reduction):
    g = generator(11)
    z, y = randn(10, 64, generator=g, dtype=torch.float64), rand(10, 64, generator=g, dtype=torch.float64)
    classes, rows = rand(64, generator=g, dtype=torch.float64), rand(10, 1, generator=g, dtype=torch.float64)
    cases = [
        (bce_with_logits, F.binary_cross_entropy_with_logits, z, {}),
        (bce_with_logits, F.binary_cross_entropy_with_logits, z, {"pos_weight": classes}),
        (bce_with_logits, F.binary_cross_entropy_with_logits, z, {"weight": rows, "pos_weight": classes}),
        (bce, F.binary_cross_entropy, z.sigmoid(), {}),
        (bce, F.binary_cross_entropy, z.sigmoid(), {"weight": classes}),
        (bce, F.binary_cross_entropy, z.sigmoid(), {"weight": rows}),
    ]
    for ours, theirs, x, knobs in cases:
        for target in (y, y.round()):
            found = ours(
                x.to(device), target.to(device), reduction=reduction, **{k: v.to(device) for k, v in knobs.items()}
            )
            torch.testing.assert_close(found.cpu(), theirs(x, target, reduction=reduction, **knobs), **CLOSE)


# --- 로지스틱 회귀 ---


def test_one_step_is_the_step_of_autograd(device):
    g = generator(0)
    x, y = randn(20, 3, generator=g, dtype=torch.float64), rand(20, generator=g, dtype=torch.float64)
    steps = 4
    fit = fit_logistic_regression(x.to(device), y.to(device), steps=steps, learning_rate=0.7)
    assert isinstance(fit, LogisticRegression)
    weight = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    for step in range(steps):
        loss = F.binary_cross_entropy_with_logits(x @ weight + bias, y)
        torch.testing.assert_close(fit.losses[step].cpu(), loss, **CLOSE)
        grads = torch.autograd.grad(loss, (weight, bias))
        weight, bias = (
            (v - 0.7 * grad).detach().requires_grad_() for v, grad in zip((weight, bias), grads, strict=True)
        )
    torch.testing.assert_close(fit.weight.cpu(), weight.detach(), **CLOSE)
    torch.testing.assert_close(fit.bias.cpu(), bias.detach(), **CLOSE)


def test_breast_cancer_is_learned_with_a_falling_loss(device):
    data = breast_cancer(device=device)
    target = data.labels.to(data.features.dtype)
    fit = fit_logistic_regression(data.features, target, steps=300, learning_rate=0.3)
    assert fit.losses[0].item() == pytest.approx(math.log(2))
    assert (fit.losses.diff() < 0).all()
    accuracy = ((data.features @ fit.weight + fit.bias > 0) == (target == 1)).double().mean().item()
    assert accuracy > 0.98
    assert fit.losses[-1].item() < 0.08


def test_converges_to_the_maximum_likelihood_of_scikit_learn(device):
    data = iris(dtype=torch.float64)
    kept = data.labels > 0  # versicolor와 virginica는 꽃받침만으로 갈라지지 않으므로 최대 가능도가 유한하다
    x, y = data.features[kept, :2], (data.labels[kept] == 2).double()
    fit = fit_logistic_regression(x.to(device), y.to(device), steps=1500, learning_rate=3.0)
    peer = PeerRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(x.numpy(), y.numpy())
    np.testing.assert_allclose(numpy(fit.weight), peer.coef_[0], atol=1e-6)
    np.testing.assert_allclose(numpy(fit.bias), peer.intercept_[0], atol=1e-6)


# --- 틀린 입력 ---

HALF = torch.tensor([0.5, 0.5])
BAD_PAIRS = [
    ([2.0, 0.0], "[0, 1] 안의 값이어야 하는데 최댓값이 2.0이다"),
    ([-0.5, 0.0], "[0, 1] 안의 값이어야 하는데 최솟값이 -0.5이다"),
    ([math.nan, 0.0], "[0, 1] 안의 값이어야 하는데 nan이 있다"),
    ([math.inf, 0.0], "[0, 1] 안의 값이어야 하는데 최댓값이 inf이다"),
]


def refuses(error, message, function, *args, **knobs):
    with pytest.raises(error) as raised:
        function(*args, **knobs)
    assert str(raised.value).startswith(message), str(raised.value)


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [bce, bce_with_logits, bce_with_logits_grad, bernoulli_log_likelihood])
def test_bad_targets_and_shapes(device, function):
    half = HALF.to(device)
    first = "logits" if "logits" in function.__name__ else "probabilities"
    for values, message in BAD_PAIRS:
        refuses(ValueError, f"target: {message}", function, half, torch.tensor(values, device=device))
    refuses(ValueError, "target: 모양이 (2,)이어야 하는데 (3,)이다", function, half, half.new_zeros(3))
    refuses(ValueError, "target: 모양이 (2,)이어야 하는데 (1,)이다", function, half, half[:1])
    refuses(ValueError, f"{first}: 원소가 하나 이상이어야 하는데 모양이 (0,)이다", function, half[:0], half[:0])
    refuses(ValueError, "target: 실수형이어야 하는데 torch.int64이다", function, half, half.long())
    refuses(ValueError, "target: 실수형이어야 하는데 torch.bool이다", function, half, half > 0)
    refuses(ValueError, f"{first}: 실수형이어야 하는데 torch.int64이다", function, half.long(), half)
    refuses(TypeError, f"{first}: 텐서여야 하는데 list이다", function, [0.5], half)
    refuses(TypeError, "target: 텐서여야 하는데 float이다", function, half, 1.0)


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [bce, bernoulli_log_likelihood])
def test_bad_probabilities(device, function):
    for values, message in BAD_PAIRS:
        refuses(ValueError, f"probabilities: {message}", function, torch.tensor(values, device=device), HALF.to(device))


@pytest.mark.bad_input
def test_a_soft_outcome_has_no_likelihood(device):
    half = HALF.to(device)
    refuses(ValueError, "target: 0이나 1이어야 하는데 0.5이 있다", bernoulli_log_likelihood, half, half)


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [bce_with_logits, bce_with_logits_grad])
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_bad_logits(device, function, value):
    bad = torch.tensor([0.0, value], device=device)
    refuses(ValueError, "logits: 유한한 값이어야 하는데", function, bad, HALF.to(device))


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("function", "name"), [(bce, "weight"), (bce_with_logits, "weight"), (bce_with_logits, "pos_weight")]
)
def test_bad_weights(device, function, name):
    half = HALF.to(device)
    for values, message in [
        ([-1.0, 1.0], "0 이상의 유한한 값이어야 하는데 최솟값이 -1.0이다"),
        ([math.inf, 1.0], "0 이상의 유한한 값이어야 하는데 최댓값이 inf이다"),
        ([math.nan, 1.0], "0 이상의 유한한 값이어야 하는데 nan이 있다"),
        ([1.0, 1.0, 1.0], "(2,)로 늘어나는 모양이어야 하는데 (3,)이다"),
        ([[1.0, 1.0]], "(2,)로 늘어나는 모양이어야 하는데 (1, 2)이다"),
    ]:
        refuses(ValueError, f"{name}: {message}", function, half, half, **{name: torch.tensor(values, device=device)})
    refuses(TypeError, f"{name}: 텐서여야 하는데 float이다", function, half, half, **{name: 2.0})
    refuses(ValueError, f"{name}: 실수형이어야 하는데", function, half, half, **{name: half.long()})


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [bce, bce_with_logits])
def test_bad_reduction(device, function):
    half = HALF.to(device)
    refuses(ValueError, "reduction: 'none', 'mean', 'sum' 가운데 하나여야", function, half, half, reduction="avg")


@pytest.mark.bad_input
def test_bad_distributions(device):
    p = HALF.to(device)
    for bad, message in [
        (torch.tensor([1.5, -0.5]), "0 이상의 유한한 값이어야 하는데 최솟값이 -0.5이다"),
        (torch.tensor([0.5, 0.4]), "dim=-1의 합이 1이어야 하는데 0.9이다"),
        (torch.tensor([math.nan, 1.0]), "0 이상의 유한한 값이어야 하는데 nan이 있다"),
        (torch.tensor([1, 0]), "실수형이어야 하는데 torch.int64이다"),
    ]:
        refuses(ValueError, f"p: {message}", entropy, bad.to(device))
        for function in (distribution_cross_entropy, kl_divergence):
            refuses(ValueError, f"p: {message}", function, bad.to(device), p)
            refuses(ValueError, f"q: {message}", function, p, bad.to(device))
    for function in (distribution_cross_entropy, kl_divergence):
        refuses(ValueError, "q: 모양이 (2,)이어야 하는데 (1,)이다", function, p, p.new_ones(1))
    refuses(ValueError, "p: 원소가 하나 이상이어야 하는데", entropy, p[:0])
    refuses(TypeError, "p: 텐서여야 하는데 list이다", entropy, [0.5, 0.5])


@pytest.mark.bad_input
def test_bad_fits(device):
    x, y = torch.ones(3, 2, device=device), torch.ones(3, device=device)
    knobs = {"steps": 1, "learning_rate": 0.1}
    for message, args, changed in [
        ("features: 축의 수가 2이어야 하는데 모양이 (3,)이다", (y, y), {}),
        ("features: 원소가 하나 이상이어야 하는데 모양이 (0, 2)이다", (x[:0], y[:0]), {}),
        ("features: 실수형이어야 하는데 torch.int64이다", (x.long(), y), {}),
        ("features: 유한한 값이어야 하는데 최솟값이 -inf이다", (-math.inf * x, y), {}),
        ("target: 모양이 (3,)이어야 하는데 (2,)이다", (x, y[:2]), {}),
        ("target: [0, 1] 안의 값이어야 하는데 최솟값이 2.0이다", (x, 2 * y), {}),
        ("target: 실수형이어야 하는데 torch.int64이다", (x, y.long()), {}),
        ("steps: 1 이상의 정수여야 하는데 0이다", (x, y), {"steps": 0}),
        ("learning_rate: 0보다 큰 유한한 값이어야 하는데 0.0이다", (x, y), {"learning_rate": 0.0}),
        ("learning_rate: 0보다 큰 유한한 값이어야 하는데 nan이다", (x, y), {"learning_rate": math.nan}),
        (
            "learning_rate: 로짓이 유한하게 남을 만큼 작아야 하는데 1e+30에서 발산했다",
            (1e30 * x, y),
            {"learning_rate": 1e30, "steps": 3},
        ),
    ]:
        refuses(ValueError, message, fit_logistic_regression, *args, **(knobs | changed))
    refuses(TypeError, "steps: 정수여야 하는데 float이다", fit_logistic_regression, x, y, steps=1.5, learning_rate=0.1)
