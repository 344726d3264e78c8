"""기준값: CPU의 torch.nn.functional.cross_entropy, float64의 NumPy·SciPy, mpmath."""

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

from mgk_docs_src.data import iris
from mgk_docs_src.losses.binary import bce_with_logits, entropy
from mgk_docs_src.losses.categorical import (
    SoftmaxRegression,
    cross_entropy,
    cross_entropy_grad,
    double_softmax_floor,
    fit_softmax_regression,
    label_smoothing_floor,
    smooth_labels,
    sparse_categorical_cross_entropy,
    surprisal,
)
from mgk_docs_src.random import generator, rand, randint, randn

EXAMPLES = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-12, "rtol": 1e-12}
CPU = torch.device("cpu")


def numpy(tensor):
    return tensor.detach().cpu().double().numpy()


def moved(tensor, device):
    return None if tensor is None else tensor.to(device)


def batch(device, n=6, c=4, kind=torch.float64, seed=0):
    g = generator(seed)
    return 3 * randn(n, c, generator=g, device=device, dtype=kind), randint(0, c, (n,), generator=g, device=device)


# --- torch와 같다 ---


@EXAMPLES
@given(
    seed=st.integers(0, 10**6),
    classes=st.integers(1, 6),
    n=st.one_of(st.none(), st.integers(1, 4)),
    trailing=st.lists(st.integers(1, 3), max_size=2).map(tuple),
    scale=st.sampled_from([0.1, 3.0, 30.0]),
    labels=st.sampled_from(["index", "index", "probability", "one-hot"]),
    weighted=st.booleans(),
    ignore=st.booleans(),
    label_smoothing=st.sampled_from([0.0, 0.0, 0.1, 0.73, 1.0]),
    reduction=st.sampled_from(["none", "mean", "sum"]),
)
def test_cross_entropy_agrees_with_torch(
    device, *, seed, classes, n, trailing, scale, labels, weighted, ignore, label_smoothing, reduction
):
    g = generator(seed)
    shape = (classes,) if n is None else (n, classes, *trailing)
    dim = 0 if n is None else 1
    z = scale * randn(*shape, generator=g, dtype=torch.float64)
    index = randint(0, classes, (*shape[:dim], *shape[dim + 1 :]), generator=g)
    knobs = {"label_smoothing": label_smoothing, "reduction": reduction}
    if labels == "index":
        target = index
        if ignore:
            # 번호 하나를 무시한다. 있는 클래스일 수도, 아닐 수도 있다. 하나는 반드시 남긴다.
            knobs["ignore_index"] = int(index.flatten()[0]) if seed % 2 else -1
            target = index.masked_fill(rand(*index.shape, generator=g) < 0.3, knobs["ignore_index"])
            target.view(-1)[0] = (knobs["ignore_index"] + 1) % classes
            if classes == 1:
                knobs["ignore_index"] = -1
    elif labels == "one-hot":
        target = F.one_hot(index, classes).movedim(-1, dim).double()
    else:
        target = randn(*shape, generator=g, dtype=torch.float64).softmax(dim)
    weight = rand(classes, generator=g, dtype=torch.float64) + 0.01 if weighted else None

    results = []
    for function, place in ((cross_entropy, device), (F.cross_entropy, CPU)):
        zz = z.detach().to(place, copy=True).requires_grad_()
        yy = target.detach().to(place, copy=True).requires_grad_(labels == "probability")
        loss = function(zz, yy, weight=moved(weight, place), **knobs)
        wanted = (zz, yy) if yy.requires_grad else (zz,)
        results.append([loss, *torch.autograd.grad(loss.sum(), wanted)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours.cpu(), theirs, **CLOSE)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("labels", ["index", "probability"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_cross_entropy_has_the_right_gradients_twice(device, label_smoothing, labels, reduction):
    z, y = batch(device, 3, 4)
    z = z.requires_grad_()
    w = torch.tensor([0.5, 1.0, 2.0, 0.25], device=device, dtype=torch.float64).requires_grad_()
    if labels == "index":
        y[0] = -100
    else:
        y = batch(device, 3, 4, seed=1)[0].requires_grad_()

    def loss(z, y, w):
        target = y.softmax(1) if labels == "probability" else y
        return cross_entropy(z, target, weight=w, label_smoothing=label_smoothing, reduction=reduction)

    assert torch.autograd.gradcheck(loss, (z, y, w))
    assert torch.autograd.gradgradcheck(loss, (z, y, w))


# --- 수치 ---


def test_small_losses_survive_where_torch_returns_zero(device):
    margin = torch.arange(0.0, 86.0)
    z = torch.stack([margin, torch.zeros_like(margin), torch.zeros_like(margin)], 1)
    labels = torch.zeros(len(z), dtype=torch.int64)
    with mpmath.workdps(60):
        truth = np.array([float(mpmath.log1p(2 * mpmath.exp(-m))) for m in margin.tolist()])
    z = z.to(device).requires_grad_()
    loss = cross_entropy(z, labels.to(device), reduction="none")
    np.testing.assert_allclose(numpy(loss), truth, rtol=6e-7, atol=0)
    assert (F.cross_entropy(z.detach().cpu(), labels, reduction="none")[margin >= 18] == 0).all()

    # 기울기도: 정답에서 -Σ p_k, 나머지에서 p_k
    (by_autograd,) = torch.autograd.grad(loss.sum(), z)
    wrong = 1 / (np.exp(numpy(margin)) + 2)
    expected = np.stack([-2 * wrong, wrong, wrong], 1)
    np.testing.assert_allclose(numpy(by_autograd), expected, rtol=6e-7, atol=0)
    np.testing.assert_allclose(numpy(cross_entropy_grad(z, labels.to(device))), expected, rtol=6e-7, atol=0)


def test_relative_precision_on_random_logits(device):
    z, y = batch(device, 20_000, 5, torch.float32)
    z = 8 * z
    wide = z.cpu().double()
    picked = wide.gather(1, y.cpu()[:, None])
    others = wide.scatter(1, y.cpu()[:, None], -torch.inf)
    truth = np.logaddexp(0, scipy.special.logsumexp(numpy(others - picked), axis=1))
    error = np.abs(numpy(cross_entropy(z, y, reduction="none")) - truth) / truth
    # 로짓의 차이를 float32로 반올림한 만큼(차이 × 6e-8)은 지수의 상대 오차가 된다.
    gap = numpy(wide.amax(1) - wide.amin(1))
    normal = truth > torch.finfo(torch.float32).tiny
    assert normal.mean() > 0.99
    assert (error / (3 + gap))[normal].max() <= 1.2e-7


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_every_half_precision_logit_against_zero(device, kind):
    z = torch.arange(-(2**15), 2**15).to(torch.int16).view(kind)
    z = z[z.isfinite()]
    logits = torch.stack([z, torch.zeros_like(z)], 1).to(device).requires_grad_()
    for label in (0, 1):
        y = torch.full(z.shape, label, device=device)
        loss = cross_entropy(logits, y, reduction="none")
        (by_autograd,) = torch.autograd.grad(loss.sum(), logits)
        by_hand = cross_entropy_grad(logits, y)
        sign = 1 - 2 * label
        right = scipy.special.expit(-sign * numpy(z))  # 틀린 클래스의 확률
        expected = np.stack([-sign * right, sign * right], 1)
        cases = ((loss, np.logaddexp(0, -sign * numpy(z))), (by_autograd, expected), (by_hand, expected))
        for ours, truth in cases:
            assert ours.dtype == kind
            assert ours.isfinite().all()
            rounded = torch.from_numpy(truth).to(kind).double().numpy()
            # 한 번 더 반올림한 것까지, 곧 마지막 자리에서 2 이내
            unit = np.maximum(
                np.abs(rounded) * torch.finfo(kind).eps, torch.finfo(kind).smallest_normal * torch.finfo(kind).eps
            )
            assert (np.abs(numpy(ours) - rounded) <= 2 * unit).all()


def spread(device, classes, scale, kind=torch.float32):
    """여러 크기의 로짓과, 정답이 맨 처음인 것과 가장 큰 로짓인 것이 섞인 번호."""
    z = scale * randn(8, classes, generator=generator(classes), device=device, dtype=kind)
    y = z.argmax(1)
    y[::2] = 0
    return z, y


@pytest.mark.parametrize("classes", [1, 2, 1000, 50_000])
@pytest.mark.parametrize("scale", [1.0, 8.0])
@pytest.mark.parametrize("label", ["index", "one-hot", "smoothed", "soft"])
def test_the_gradient_is_softmax_minus_target_to_rounding(device, classes, scale, label):
    z, y = spread(device, classes, scale)
    one_hot = F.one_hot(y, classes).float()
    epsilon = 0.1 if label == "smoothed" else 0.0
    soft = spread(device, classes, scale)[0].flip(0).softmax(1) if label == "soft" else one_hot
    target = y if label in ("index", "smoothed") else soft
    z.requires_grad_()
    loss = cross_entropy(z, target, label_smoothing=epsilon, reduction="none")
    (grad,) = torch.autograd.grad(loss.sum(), z)
    # 참값은 Σ_{c≠k} (a_c p_k − a_k p_c). 정답이 하나면 한 항만 남으므로 상대 오차를, 아니면 확률과 라벨의 크기로 본다.
    a = (1 - epsilon) * numpy(soft) + epsilon / classes
    p = scipy.special.softmax(numpy(z), 1)
    others, top = 1 - p, (np.arange(8), p.argmax(1))
    others[top] = [np.delete(row, row.argmax()).sum() for row in p]
    up, down = p * (a.sum(1, keepdims=True) - a), a * others
    size = up + down if label in ("index", "one-hot") else p + a
    error = np.abs(numpy(grad) - (up - down)) / np.maximum(size, 1e-35)
    assert error.max() <= 6e-6  # 로짓의 차 40까지의 반올림이 지수의 상대 오차가 된다
    assert error[top].max() <= 5e-7


def test_the_gradient_at_the_top_does_not_cancel_with_many_classes(device):
    z = randn(8, 50_000, generator=generator(0), device=device).requires_grad_()
    y = torch.zeros(8, dtype=torch.int64, device=device)
    (grad,) = torch.autograd.grad(cross_entropy(z, y, reduction="sum"), z)
    p, top = z.detach().double().softmax(1), z.argmax(1, keepdim=True)
    error = (grad.double() - p).gather(1, top) / p.gather(1, top)
    assert error.abs().max() <= 3e-7


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_million_logits_against_float64(device, reduction):
    z, y = batch(device, 100_000, 10, torch.float32)
    wide = z.double()
    for knobs in ({}, {"label_smoothing": 0.1}, {"weight": torch.linspace(0.1, 3, 10, device=device)}):
        ours = cross_entropy(z, y, reduction=reduction, **knobs).item()
        assert ours == pytest.approx(cross_entropy(wide, y, reduction=reduction, **knobs).item(), rel=1e-6)


@pytest.mark.parametrize("gap", [-1e4, -45.1, -45.0, -20.0, -19.9, 0.0, 64.0, 1e4])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_the_join_of_the_surprisal_is_smooth(device, gap, kind):
    z = torch.tensor([[gap, 0.0, -1.0]], device=device, dtype=kind, requires_grad=True)
    h = surprisal(z, torch.tensor([0], device=device))
    with mpmath.workdps(50):
        others = 1 + mpmath.exp(-1)
        truth = mpmath.log1p(others * mpmath.exp(-mpmath.mpf(gap)))
        total = mpmath.exp(gap) + others
        slope = [float(-others / total), float(1 / total), float(mpmath.exp(-1) / total)]
    rel = 4e-6 if kind == torch.float32 else 1e-14
    assert h.item() == pytest.approx(float(truth), rel=rel, abs=1e-45)
    assert torch.autograd.grad(h, z)[0][0].tolist() == pytest.approx(slope, rel=rel, abs=1e-45)
    assert h.dtype == kind


def test_the_surprisal_is_the_cross_entropy_of_every_sample(device):
    z, y = batch(device)
    assert torch.equal(surprisal(z, y), cross_entropy(z, y, reduction="none"))
    torch.testing.assert_close(surprisal(z, y), -z.log_softmax(1).gather(1, y[:, None]).squeeze(1), **CLOSE)
    assert surprisal(z.half(), y).dtype == torch.float16


def test_shift_invariance(device):
    z, y = batch(device)
    for shift in (-1000.0, 5.0, 1e6):
        shifted = cross_entropy(z + shift, y, reduction="none")
        torch.testing.assert_close(shifted, cross_entropy(z, y, reduction="none"), atol=1e-9, rtol=1e-9)
        torch.testing.assert_close(cross_entropy_grad(z + shift, y), cross_entropy_grad(z, y), atol=1e-9, rtol=1e-9)


def test_two_classes_are_binary_cross_entropy(device):
    z = torch.linspace(-80, 80, 401, device=device)
    logits = torch.stack([torch.zeros_like(z), z], 1)
    for label in (0, 1):
        y = torch.full(z.shape, label, device=device)
        ours = cross_entropy(logits, y, reduction="none")
        torch.testing.assert_close(ours, bce_with_logits(z, y.float(), reduction="none"), rtol=6e-7, atol=0)


def test_one_class_and_ties_are_fine(device):
    z = torch.tensor([[3.0], [-2.0]], device=device, dtype=torch.float64, requires_grad=True)
    loss = cross_entropy(z, torch.zeros(2, dtype=torch.int64, device=device), reduction="sum")
    assert loss.item() == 0
    assert torch.autograd.grad(loss, z)[0].tolist() == [[0.0], [0.0]]
    tied = torch.zeros(1, 4, device=device, dtype=torch.float64, requires_grad=True)
    loss = cross_entropy(tied, torch.tensor([2], device=device))
    assert loss.item() == pytest.approx(math.log(4))
    np.testing.assert_allclose(numpy(torch.autograd.grad(loss, tied)[0]), [[0.25, 0.25, -0.75, 0.25]])


# --- 라벨의 세 가지 모습과 분모 ---


def test_sparse_one_hot_and_logits_agree(device):
    z, y = batch(device)
    q = z.softmax(1)
    one_hot = F.one_hot(y, 4).double()
    for reduction in ("none", "mean", "sum"):
        sparse = sparse_categorical_cross_entropy(q, y, reduction=reduction)
        torch.testing.assert_close(sparse, cross_entropy(z, y, reduction=reduction), **CLOSE)
        torch.testing.assert_close(sparse, cross_entropy(z, one_hot, reduction=reduction), **CLOSE)
    by_definition = -sum(math.log(q[j, y[j]]) for j in range(6)) / 6
    assert sparse_categorical_cross_entropy(q, y).item() == pytest.approx(by_definition)


def test_sparse_is_exact_and_follows_the_dtype(device):
    q = torch.tensor([[1.0, 0.0], [0.25, 0.75]], device=device)
    losses = [
        sparse_categorical_cross_entropy(q, torch.tensor(y, device=device), reduction="none") for y in ([0, 1], [1, 0])
    ]
    np.testing.assert_allclose(numpy(losses[0]), [0, -math.log(0.75)], rtol=1e-6)
    np.testing.assert_allclose(numpy(losses[1]), [math.inf, math.log(4)], rtol=1e-6)
    for kind in (torch.float16, torch.bfloat16, torch.float64):
        assert sparse_categorical_cross_entropy(q.to(kind), torch.tensor([0, 1], device=device)).dtype == kind
    wide = torch.full((3, 2), 0.5, device=device, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 1, 1], device=device)

    # 확률은 합이 1이어야 하므로 로짓을 거쳐 흔든다.
    assert torch.autograd.gradcheck(lambda z: sparse_categorical_cross_entropy(z.softmax(1), y), (wide,))


def test_both_denominators(device):
    z, y = batch(device)
    y[0] = -100
    w = torch.tensor([1.0, 2.0, 5.0, 0.5], device=device, dtype=torch.float64)
    kept = y != -100
    each = cross_entropy(z, y, weight=w, reduction="none")
    assert each[0].item() == 0
    torch.testing.assert_close(cross_entropy(z, y, weight=w), each.sum() / w[y[kept]].sum(), **CLOSE)
    torch.testing.assert_close(cross_entropy(z, y, weight=10 * w), cross_entropy(z, y, weight=w), **CLOSE)
    torch.testing.assert_close(cross_entropy(z, y), cross_entropy(z[kept], y[kept]), **CLOSE)
    soft = F.one_hot(y.clamp(min=0), 4).double()
    each = cross_entropy(z, soft, weight=w, reduction="none")
    torch.testing.assert_close(cross_entropy(z, soft, weight=w), each.sum() / 6, **CLOSE)
    image = torch.zeros(2, 3, 4, 5, device=device)  # 확률 라벨의 분모는 N d1 d2 = 40
    uniform = torch.full_like(image, 1 / 3)
    assert cross_entropy(image, uniform, reduction="sum").item() == pytest.approx(40 * math.log(3))
    assert cross_entropy(image, uniform).item() == pytest.approx(math.log(3))


def test_ignored_positions_have_no_gradient(device):
    z, y = batch(device)
    y[1] = 2
    y[0], y[3] = 0, 0
    z.requires_grad_()
    (grad,) = torch.autograd.grad(cross_entropy(z, y, ignore_index=2, label_smoothing=0.1, reduction="sum"), z)
    assert (grad[y == 2] == 0).all()
    assert (grad[y != 2] != 0).all()


def test_labels_without_weight_sum_to_zero(device):
    z, y = batch(device, c=2)
    w = torch.tensor([0.0, 1.0], device=device, dtype=torch.float64)
    only = torch.zeros_like(y)
    assert cross_entropy(z, only, weight=w, reduction="sum").item() == 0
    assert cross_entropy(z, F.one_hot(only, 2).double(), weight=w).item() == 0


# --- torch와 같은 곳과 다른 곳 ---


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_the_cases_of_torchs_documents(device, reduction, weighted, label_smoothing):
    g = generator(5)
    for shape in ((5,), (3, 5), (3, 5, 2, 4)):
        dim = min(len(shape) - 1, 1)
        z = randn(*shape, generator=g, dtype=torch.float64)
        z.movedim(dim, 0)[3].fill_(-math.inf)  # 가린 클래스
        labels = randint(0, 3, (*shape[:dim], *shape[dim + 1 :]), generator=g)
        some, none = labels.clone(), torch.full_like(labels, -100)
        some.view(-1)[1:2] = -100
        weight = torch.tensor([1.0, 0.5, 2.0, 3.0, 0.25], dtype=torch.float64) if weighted else None
        knobs = {"label_smoothing": label_smoothing, "reduction": reduction}
        for target in (labels, some, none, randn(*shape, generator=g, dtype=torch.float64).softmax(dim)):
            if target is none and reduction == "mean":
                continue
            for ignore_index in (-100, -7):
                if target.is_floating_point() or (target != -100).all() or ignore_index == -100:
                    results = []
                    for function, place in ((cross_entropy, device), (F.cross_entropy, CPU)):
                        leaf = z.to(place).detach().requires_grad_()
                        options = {"weight": moved(weight, place), "ignore_index": ignore_index, **knobs}
                        loss = function(leaf, target.to(place), **options)
                        results.append((loss.cpu(), torch.autograd.grad(loss.sum(), leaf)[0].cpu()))
                    for ours, theirs in zip(*results, strict=True):
                        torch.testing.assert_close(ours, theirs, **CLOSE)


def test_a_masked_class_as_in_torch(device):
    z = torch.tensor([[1.0, -math.inf, 0.0], [-math.inf, 2.0, -math.inf]], device=device, requires_grad=True)
    y = torch.tensor([0, 1], device=device)
    for labels in (y, y.flip(0)):  # 뒤의 것은 정답이 가려졌다: 손실은 무한대, 기울기는 유한하다
        results = [f(z, labels, reduction="none") for f in (cross_entropy, F.cross_entropy)]
        torch.testing.assert_close(*results)
        torch.testing.assert_close(*(torch.autograd.grad(loss.sum(), z)[0] for loss in results))
    (grad,) = torch.autograd.grad(cross_entropy(z, y, reduction="sum"), z)
    torch.testing.assert_close(cross_entropy_grad(z.detach(), y), grad)


def test_nothing_times_infinity_is_nothing_where_torch_returns_nan(device):
    z = torch.tensor([[1.0, -math.inf, 0.0]], device=device, requires_grad=True)
    soft, y = torch.tensor([[0.5, 0.0, 0.5]], device=device), torch.tensor([1], device=device)
    w = torch.tensor([1.0, 0.0, 1.0], device=device)
    unmasked = cross_entropy(z[:, ::2], soft[:, ::2])
    for target, knobs, wanted in ((soft, {}, unmasked), (y, {"weight": w, "reduction": "sum"}, 0 * unmasked)):
        assert F.cross_entropy(z, target, **knobs).isnan()
        loss = cross_entropy(z, target, **knobs)
        torch.testing.assert_close(loss, wanted)
        assert torch.autograd.grad(loss, z)[0].isfinite().all()
    smoothed = cross_entropy(z, torch.tensor([0], device=device), weight=w, label_smoothing=0.3)
    h = math.log1p(math.exp(-1))  # 정답의 놀람. 남은 다른 클래스는 h + 1이고, 가린 클래스의 항은 가중치가 0이다.
    assert smoothed.item() == pytest.approx(0.8 * h + 0.1 * (h + 1), rel=1e-6)


def test_a_batch_of_padding_adds_nothing(device):
    z = randn(2, 3, generator=generator(0), device=device).requires_grad_()
    y = torch.full((2,), -100, device=device)
    for knobs in ({}, {"weight": torch.ones(3, device=device)}, {"label_smoothing": 0.1}):
        each = cross_entropy(z, y, reduction="none", **knobs)
        total = cross_entropy(z, y, reduction="sum", **knobs)
        assert each.tolist() == [0.0, 0.0]
        assert total.item() == 0
        assert (torch.autograd.grad(total, z)[0] == 0).all()


# --- 부르는 쪽의 사정: autocast, torch.func의 변환 ---


def calls(device):
    z = randn(3, 5, 4, generator=generator(1), device=device, dtype=torch.float64)
    y = randint(0, 4, (3, 5), generator=generator(2), device=device)
    padded = y.masked_fill(y == y[:, :1], -100)
    soft, w = z.roll(1, 0).softmax(2), torch.tensor([1.0, 2.0, 0.5, 3.0], device=device, dtype=torch.float64)
    masked = z.masked_fill(z < -1.5, -math.inf)
    return {
        "index": (cross_entropy, (z, y)),
        "weighted": (lambda z, y: cross_entropy(z, y, weight=w), (z, y)),
        "padded": (lambda z, y: cross_entropy(z, y, weight=w), (z, padded)),
        "smoothed": (lambda z, y: cross_entropy(z, y, weight=w, label_smoothing=0.1), (z, padded)),
        "soft": (lambda z, y: cross_entropy(z, y, weight=w), (z, soft)),
        "masked": (cross_entropy, (masked, masked.argmax(2))),
        "sparse": (sparse_categorical_cross_entropy, (z.softmax(2), y)),
        "surprisal": (lambda z, y: surprisal(z, y).sum(), (z, y)),
        "by hand": (lambda z, y: cross_entropy_grad(z, y).square().sum(), (z, y)),
        "smoothing": (lambda y: smooth_labels(y, 0.3).square().sum(), (soft,)),
    }


@pytest.mark.parametrize("name", list(calls(CPU)))
def test_transforms_equal_the_loop(device, name):
    function, args = calls(device)[name]
    rows = list(zip(*args, strict=True))
    torch.testing.assert_close(torch.func.vmap(function)(*args), torch.stack([function(*row) for row in rows]))
    leaf = args[0].clone().requires_grad_()
    (slopes,) = torch.autograd.grad(sum(function(x, *row[1:]) for x, row in zip(leaf, rows, strict=True)), leaf)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(function))(*args), slopes)
    push = torch.linspace(-1, 2, 20, device=device, dtype=torch.float64).view(5, 4)
    for row, slope in zip(rows, slopes, strict=True):
        _, tangent = torch.func.jvp(lambda x, row=row: function(x, *row[1:]), (row[0],), (push,))
        torch.testing.assert_close(tangent, (slope * push).sum())


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_the_gradient_of_every_single_sample(device, label_smoothing):
    z, y = batch(device)
    w = torch.tensor([1.0, 2.0, 0.5, 3.0], device=device, dtype=torch.float64)

    def loss(z, y, w):
        return cross_entropy(z, y, weight=w, label_smoothing=label_smoothing)

    slopes = torch.func.vmap(torch.func.grad(loss), in_dims=(0, 0, None))(z, y, w)
    wanted = [torch.func.grad(loss)(*row, w) for row in zip(z, y, strict=True)]
    torch.testing.assert_close(slopes, torch.stack(wanted), **CLOSE)
    if not label_smoothing:
        torch.testing.assert_close(slopes, cross_entropy_grad(z, y), **CLOSE)
    weights = torch.stack([w, w.flip(0)])
    both = torch.func.vmap(loss, in_dims=(None, None, 0))(z, y, weights)
    torch.testing.assert_close(both, torch.stack([loss(z, y, w) for w in weights]), **CLOSE)


def test_the_curvature_is_that_of_the_softmax(device):
    z, y = batch(device, 1, 5)
    p = z.softmax(1)[0]
    for target in (y, z.roll(1, 1).softmax(1)):
        found = torch.func.hessian(lambda z, t=target: cross_entropy(z, t))(z).view(5, 5)
        torch.testing.assert_close(found, p.diag() - p.outer(p), **CLOSE)


@pytest.mark.parametrize("low", [torch.float16, torch.bfloat16])
def test_autocast_changes_nothing(device, low):
    for function, args in calls(device).values():
        row = [x[0].float() if x.is_floating_point() else x[0] for x in args]
        plain = function(*row)
        with torch.autocast(device.type, dtype=low):
            torch.testing.assert_close(function(*row), plain, rtol=0, atol=0)


@pytest.mark.real_device
def test_the_largest_scale_of_a_grad_scaler_is_finite_in_autocast(device):
    z = torch.zeros(3, 4, device=device, dtype=torch.float16, requires_grad=True)
    with torch.autocast(device.type, dtype=torch.float16):
        losses = [f(z, torch.zeros(3, dtype=torch.int64, device=device)) for f in (cross_entropy, F.cross_entropy)]
        soft = cross_entropy(z, z.detach().softmax(1).to(torch.float16))
    assert [loss.dtype for loss in (*losses, soft)] == [torch.float32] * 3
    grads = [torch.autograd.grad(2.0**16 * loss, z)[0] for loss in losses]
    torch.testing.assert_close(*grads)
    assert grads[0].isfinite().all()


# --- 라벨 스무딩 ---


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.5, 1.0])
def test_smoothing_is_a_soft_target(device, label_smoothing):
    z, y = batch(device)
    one_hot = F.one_hot(y, 4).double()
    soft = smooth_labels(one_hot, label_smoothing)
    expected = (1 - label_smoothing) * one_hot + label_smoothing / 4
    torch.testing.assert_close(soft, expected, **CLOSE)
    torch.testing.assert_close(soft.sum(1), torch.ones_like(soft[:, 0]), **CLOSE)
    smoothed = cross_entropy(z, y, label_smoothing=label_smoothing)
    torch.testing.assert_close(smoothed, cross_entropy(z, soft), **CLOSE)
    moved_axis = smooth_labels(one_hot.T, label_smoothing, dim=0)
    torch.testing.assert_close(moved_axis.T, soft, **CLOSE)
    for kind in (torch.float16, torch.bfloat16, torch.float32):
        assert smooth_labels(one_hot.to(kind), label_smoothing).dtype == kind


@pytest.mark.parametrize("classes", [2, 5, 10])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.2, 1.0])
def test_label_smoothing_floor_is_the_entropy_and_is_reached(device, classes, label_smoothing):
    floor = label_smoothing_floor(classes, label_smoothing)
    one_hot = F.one_hot(torch.tensor([0], device=device), classes).double()
    soft = smooth_labels(one_hot, label_smoothing)
    assert floor == pytest.approx(entropy(soft, dim=1).item(), abs=1e-12)
    assert floor == pytest.approx(scipy.stats.entropy(soft[0].cpu()), abs=1e-12)
    best = soft.clamp(min=1e-30).log()
    y = torch.tensor([0], device=device)
    assert cross_entropy(best, y, label_smoothing=label_smoothing).item() == pytest.approx(floor, abs=1e-12)
    assert cross_entropy(best + one_hot, y, label_smoothing=label_smoothing).item() >= floor - 1e-12
    assert isinstance(floor, float)


def test_known_floors(device):
    assert round(label_smoothing_floor(5, 0.1), 4) == 0.3897
    assert [round(double_softmax_floor(c), 4) for c in (2, 3, 5, 10)] == [0.3133, 0.5514, 0.9048, 1.4612]
    for c in (2, 3, 5, 10):
        best = F.one_hot(torch.tensor([1], device=device), c).double()
        y = torch.tensor([1], device=device)
        assert cross_entropy(best, y).item() == pytest.approx(double_softmax_floor(c), rel=1e-14)
        worse = randn(500, c, generator=generator(c), device=device, dtype=torch.float64).mul(5).softmax(1)
        assert (cross_entropy(worse, y.expand(500), reduction="none") > double_softmax_floor(c)).all()


# --- 기울기, 컴파일, 순수함 ---


def test_gradient_by_hand_is_softmax_minus_one_hot(device):
    z, y = batch(device, 50, 7)
    z.requires_grad_()
    (by_autograd,) = torch.autograd.grad(F.cross_entropy(z, y, reduction="sum"), z)
    by_hand = cross_entropy_grad(z, y)
    torch.testing.assert_close(by_hand, by_autograd, **CLOSE)
    torch.testing.assert_close(by_hand, z.softmax(1) - F.one_hot(y, 7), **CLOSE)
    torch.testing.assert_close(by_hand.sum(1), torch.zeros_like(by_hand[:, 0]), **CLOSE)


def test_dtype_follows_the_inputs(device):
    z, y = batch(device, kind=torch.float32)
    soft = F.one_hot(y, 4).float()
    w = torch.ones(4, device=device, dtype=torch.float64)
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        assert cross_entropy(z.to(kind), y, weight=w).dtype == kind
        assert cross_entropy_grad(z.to(kind), y).dtype == kind
        assert cross_entropy(z.to(kind), soft.to(kind), label_smoothing=0.1).dtype == kind
    assert cross_entropy(z, soft.double()).dtype == torch.float64
    assert cross_entropy(z.half(), soft, weight=w).dtype == torch.float32


# dynamo는 그래프가 끊긴 자리에서 잎이 아닌 텐서의 .grad를 들여다보고, 제 경고를 감추지만 error 필터에는 걸린다.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.real_device
def test_compiled_equals_eager(device, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # 모양 검사기는 추적하는 가짜 텐서를 모른다
    torch._dynamo.reset()
    compiled = torch.compile(cross_entropy, backend="aot_eager")
    z, y = batch(device)
    z.requires_grad_()
    y[0] = -100
    w = torch.tensor([1.0, 2.0, 5.0, 0.5], device=device, dtype=torch.float64)
    for target in (y, F.one_hot(y.clamp(min=0), 4).double()):
        results = [f(z, target, weight=w, label_smoothing=0.1) for f in (compiled, cross_entropy)]
        torch.testing.assert_close(*results, **CLOSE)
        torch.testing.assert_close(*(torch.autograd.grad(loss, z)[0] for loss in results), **CLOSE)
    with pytest.raises(ValueError, match="target"):
        compiled(z, y + 4, weight=w)


def test_inputs_are_not_changed_and_results_repeat(device):
    z, y = batch(device)
    soft, w = z.softmax(1), torch.ones(4, device=device, dtype=torch.float64)
    inputs = [z, y, soft, w]
    before = [x.clone() for x in inputs]
    versions = [x._version for x in inputs]
    calls = [
        lambda: sparse_categorical_cross_entropy(soft, y),
        lambda: smooth_labels(soft, 0.1),
        lambda: cross_entropy(z, y, weight=w, label_smoothing=0.1, ignore_index=int(y[0])),
        lambda: cross_entropy(z, soft, weight=w, label_smoothing=0.1),
        lambda: cross_entropy_grad(z, y),
        lambda: fit_softmax_regression(z, y, num_classes=4, steps=3, learning_rate=0.1).weight,
    ]
    for call in calls:
        first, second = call(), call()
        assert first.device.type == device.type
        assert torch.equal(first, second)
    assert all(torch.equal(x, old) for x, old in zip(inputs, before, strict=True))
    assert [x._version for x in inputs] == versions


# --- 소프트맥스 회귀 ---


def test_steps_are_the_steps_of_autograd(device):
    x, y = batch(CPU, 20, 3)
    fit = fit_softmax_regression(x.to(device), y.to(device), num_classes=5, steps=4, learning_rate=0.7)
    assert isinstance(fit, SoftmaxRegression)
    assert fit.losses[0].item() == pytest.approx(math.log(5))
    weight = torch.zeros(3, 5, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    for step in range(4):
        loss = F.cross_entropy(x @ weight + bias, y)
        torch.testing.assert_close(fit.losses[step].cpu(), loss.detach(), **CLOSE)
        grads = torch.autograd.grad(loss, (weight, bias))
        weight, bias = (
            (v - 0.7 * grad).detach().requires_grad_() for v, grad in zip((weight, bias), grads, strict=True)
        )
    torch.testing.assert_close(fit.weight.cpu(), weight.detach(), **CLOSE)
    torch.testing.assert_close(fit.bias.cpu(), bias.detach(), **CLOSE)


def test_iris_is_learned_with_a_falling_loss(device):
    data = iris(device=device)
    fit = fit_softmax_regression(data.features, data.labels, num_classes=3, steps=200, learning_rate=0.3)
    assert (fit.losses.diff() < 0).all()
    predicted = (data.features @ fit.weight + fit.bias).argmax(1)
    assert (predicted == data.labels).double().mean().item() > 0.95


def test_converges_to_the_maximum_likelihood_of_scikit_learn(device):
    g = generator(0)
    x = randn(90, 2, generator=g, dtype=torch.float64)
    noise = randn(90, 3, generator=g, dtype=torch.float64)
    y = (torch.stack([x[:, 0], x[:, 1], -x.sum(1)], 1) + 2 * noise).argmax(1)  # 분리되지 않는 데이터
    fit = fit_softmax_regression(x.to(device), y.to(device), num_classes=3, steps=800, learning_rate=1.0)
    peer = PeerRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(x.numpy(), y.numpy())
    # 모든 클래스에 같은 수를 더해도 같은 모델이므로 클래스의 평균을 빼고 비교한다.
    np.testing.assert_allclose(numpy(fit.weight), (peer.coef_ - peer.coef_.mean(0)).T, atol=1e-6)
    np.testing.assert_allclose(numpy(fit.bias), peer.intercept_ - peer.intercept_.mean(), atol=1e-6)


# --- 틀린 입력 ---


def refuses(error, message, function, *args, **knobs):
    with pytest.raises(error) as raised:
        function(*args, **knobs)
    assert str(raised.value).startswith(message), str(raised.value)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("function", "name"),
    [(cross_entropy, "target"), (cross_entropy_grad, "labels"), (sparse_categorical_cross_entropy, "labels")],
)
def test_bad_labels(device, function, name):
    q, y = torch.full((2, 4), 0.25, device=device), torch.tensor([0, 3], device=device)
    first = "probabilities" if function is sparse_categorical_cross_entropy else "logits"
    refuses(ValueError, f"{name}: [0, 3] 안의 값이어야 하는데 최댓값이 4이다", function, q, y + 1)
    refuses(ValueError, f"{name}: [0, 3] 안의 값이어야 하는데 최솟값이 -1이다", function, q, y - 1)
    refuses(ValueError, f"{name}: 클래스 번호는 torch.int64여야 하는데 torch.int32이다", function, q, y.int())
    refuses(ValueError, f"{name}: 클래스 번호는 torch.int64여야 하는데 torch.bool이다", function, q, y > 0)
    refuses(ValueError, f"{name}: 번호이면 모양이 (2,)이어야 하는데 (1,)이다", function, q, y[:1])
    refuses(ValueError, f"{name}: 번호이면 모양이 (2,)이어야 하는데 (2, 4)이다", function, q, q.long())
    refuses(ValueError, f"{first}: 원소가 하나 이상이어야 하는데 모양이 (0, 4)이다", function, q[:0], y[:0])
    refuses(ValueError, f"{first}: 실수형이어야 하는데 torch.int64이다", function, q.long(), y)
    refuses(TypeError, f"{first}: 텐서여야 하는데 list이다", function, [[0.0]], y)
    refuses(TypeError, f"{name}: 텐서여야 하는데 list이다", function, q, [0, 3])


@pytest.mark.bad_input
def test_a_class_axis_in_the_wrong_place(device):
    # (N, L, C)로 놓은 문장. L과 C가 다르면 모양에서 드러나고, 어디로 옮길지 말한다.
    logits, labels = torch.zeros(2, 7, 5, device=device), torch.zeros(2, 7, dtype=torch.int64, device=device)
    with pytest.raises(ValueError, match="target") as raised:
        cross_entropy(logits, labels)
    assert str(raised.value) == (
        "target: 번호이면 모양이 (2, 5)이어야 하는데 (2, 7)이다. 앞 인자의 모양은 (2, 7, 5), "
        "클래스 축은 dim=1(7개)이다. 클래스가 마지막 축에 있으면 movedim(-1, 1)로 옮긴다"
    )
    assert cross_entropy(logits.movedim(-1, 1), labels).item() == pytest.approx(math.log(5))


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [cross_entropy, cross_entropy_grad])
@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_bad_logits(device, function, value):
    z = torch.tensor([[0.0, value]], device=device)
    refuses(ValueError, "logits: 유한한 값이어야 하는데", function, z, torch.tensor([0], device=device))
    empty = torch.tensor([[0.0, 1.0], [-math.inf, -math.inf]], device=device)
    message = "logits: 줄마다 유한한 로짓이 있어야 하는데 모두 -inf인 줄이 있다"
    refuses(ValueError, message, function, empty, torch.tensor([0, 0], device=device))


@pytest.mark.bad_input
def test_bad_labels_of_the_surprisal(device):
    z, y = torch.zeros(2, 4, device=device), torch.tensor([0, 3], device=device)
    refuses(ValueError, "labels: [0, 3] 안의 값이어야 하는데 최댓값이 4이다", surprisal, z, y + 1)
    refuses(ValueError, "labels: 모양이 (2,)이어야 하는데 (1,)이다", surprisal, z, y[:1])
    refuses(ValueError, "labels: 클래스 번호는 torch.int64여야 하는데 torch.int32이다", surprisal, z, y.int())
    refuses(ValueError, "logits: 축의 수가 2이어야 하는데 모양이 (4,)이다", surprisal, z[0], y)
    refuses(ValueError, "logits: 원소가 하나 이상이어야", surprisal, z[:0], y[:0])
    refuses(ValueError, "logits: 실수형이어야", surprisal, z.long(), y)
    refuses(ValueError, "logits: 유한한 값이어야", surprisal, z * math.nan, y)


@pytest.mark.bad_input
def test_wrong_number_of_axes(device):
    one, y = torch.ones(3, device=device), torch.tensor(0, device=device)
    refuses(ValueError, "logits: 축의 수가 1 이상이어야", cross_entropy, one[0], y)
    refuses(ValueError, "logits: 축의 수가 2이어야 하는데 모양이 (3,)이다", cross_entropy_grad, one, y)
    refuses(ValueError, "probabilities: 축의 수가 2이어야", sparse_categorical_cross_entropy, one / 3, y)


@pytest.mark.bad_input
def test_bad_probability_rows(device):
    z, y = torch.zeros(2, 2, device=device), torch.tensor([0, 1], device=device)
    for rows, message in [
        ([[0.5, 0.5], [0.5, 0.4]], "dim=1의 합이 1이어야 하는데 0.9이다"),
        ([[0.5, 0.5], [1.5, -0.5]], "0 이상의 유한한 값이어야 하는데 최솟값이 -0.5이다"),
        ([[0.5, 0.5], [math.nan, 1.0]], "0 이상의 유한한 값이어야 하는데 nan이 있다"),
    ]:
        bad = torch.tensor(rows, device=device)
        refuses(ValueError, f"target: {message}", cross_entropy, z, bad)
        refuses(ValueError, f"target: {message}", smooth_labels, bad, 0.1)
        refuses(ValueError, f"probabilities: {message}", sparse_categorical_cross_entropy, bad, y)
    refuses(ValueError, "target: 모양이 (2, 2)이어야 하는데 (2,)이다", cross_entropy, z, y.float())
    refuses(ValueError, "target: 실수형이어야", smooth_labels, y, 0.1, dim=0)
    refuses(ValueError, "target: 원소가 하나 이상이어야", smooth_labels, z[:0], 0.1)


@pytest.mark.bad_input
def test_bad_class_weights(device):
    z, y = torch.zeros(2, 3, device=device), torch.tensor([0, 1], device=device)
    for values, message in [
        ([1.0, 1.0], "모양이 (3,)이어야 하는데 (2,)이다"),
        ([[1.0, 1.0, 1.0]], "모양이 (3,)이어야 하는데 (1, 3)이다"),
        ([1.0, -1.0, 1.0], "0 이상의 유한한 값이어야 하는데 최솟값이 -1.0이다"),
        ([1.0, math.inf, 1.0], "0 이상의 유한한 값이어야 하는데 최댓값이 inf이다"),
        ([1, 1, 1], "실수형이어야 하는데 torch.int64이다"),
        ([0.0, 0.0, 1.0], "남은 라벨의 가중치 합이 0보다 커야 평균이 있는데 모두 0이다"),
    ]:
        refuses(ValueError, f"weight: {message}", cross_entropy, z, y, weight=torch.tensor(values, device=device))
    refuses(TypeError, "weight: 텐서여야 하는데 list이다", cross_entropy, z, y, weight=[1.0, 1.0, 1.0])


@pytest.mark.bad_input
@pytest.mark.parametrize("weighted", [False, True])
def test_everything_ignored_has_no_mean(device, weighted):
    z, y = torch.zeros(2, 3, device=device), torch.tensor([1, 1], device=device)
    weight = torch.ones(3, device=device) if weighted else None
    assert F.cross_entropy(z, y, weight=weight, ignore_index=1).isnan()
    message = "target: 평균을 내려면 남는 라벨이 있어야 하는데 모두 ignore_index(1)이다"
    refuses(ValueError, message, cross_entropy, z, y, weight=weight, ignore_index=1)


@pytest.mark.bad_input
def test_ignore_index_has_no_meaning_for_probabilities(device):
    z = torch.zeros(2, 3, device=device)
    message = "ignore_index: 확률 라벨에는 쓸 수 없는데 1이다"
    refuses(ValueError, message, cross_entropy, z, z.softmax(1), ignore_index=1)
    refuses(TypeError, "ignore_index: 정수여야", cross_entropy, z, z.softmax(1), ignore_index=None)


@pytest.mark.bad_input
@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
def test_bad_label_smoothing(device, value):
    z, y = torch.zeros(2, 3, device=device), torch.tensor([0, 1], device=device)
    message = "label_smoothing: [0, 1] 안의 값이어야 하는데"
    refuses(ValueError, message, cross_entropy, z, y, label_smoothing=value)
    refuses(ValueError, message, smooth_labels, z.softmax(1), value)
    refuses(ValueError, message, label_smoothing_floor, 3, value)


@pytest.mark.bad_input
def test_bad_reduction(device):
    z, y = torch.zeros(2, 3, device=device), torch.tensor([0, 1], device=device)
    refuses(ValueError, "reduction: 'none', 'mean', 'sum' 가운데 하나여야", cross_entropy, z, y, reduction="avg")
    q = z.softmax(1)
    refuses(ValueError, "reduction: ", sparse_categorical_cross_entropy, q, y, reduction=None)


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [double_softmax_floor, lambda c: label_smoothing_floor(c, 0.1)])
def test_bad_number_of_classes(function):
    refuses(ValueError, "num_classes: 2 이상의 정수여야 하는데 1이다", function, 1)
    refuses(TypeError, "num_classes: 정수여야 하는데 float이다", function, 5.0)


@pytest.mark.bad_input
def test_bad_fits(device):
    x, y = torch.ones(3, 2, device=device), torch.tensor([0, 1, 2], device=device)
    knobs = {"num_classes": 3, "steps": 1, "learning_rate": 0.1}
    for message, args, changed in [
        ("features: 축의 수가 2이어야 하는데 모양이 (3,)이다", (x[:, 0], y), {}),
        ("features: 원소가 하나 이상이어야 하는데 모양이 (0, 2)이다", (x[:0], y[:0]), {}),
        ("features: 실수형이어야 하는데 torch.int64이다", (x.long(), y), {}),
        ("features: 유한한 값이어야 하는데 nan이 있다", (x * math.nan, y), {}),
        ("labels: 번호이면 모양이 (3,)이어야 하는데 (2,)이다", (x, y[:2]), {}),
        ("labels: [0, 1] 안의 값이어야 하는데 최댓값이 2이다", (x, y), {"num_classes": 2}),
        ("labels: 클래스 번호는 torch.int64여야 하는데 torch.float32이다", (x, y.float()), {}),
        ("num_classes: 2 이상의 정수여야 하는데 1이다", (x, y), {"num_classes": 1}),
        ("steps: 1 이상의 정수여야 하는데 0이다", (x, y), {"steps": 0}),
        ("learning_rate: 0보다 큰 유한한 값이어야 하는데 -1.0이다", (x, y), {"learning_rate": -1.0}),
        (
            "learning_rate: 로짓이 유한하게 남을 만큼 작아야 하는데 1e+30에서 발산했다",
            (1e30 * x, y[:1].expand(3)),
            {"learning_rate": 1e30, "steps": 3},
        ),
    ]:
        refuses(ValueError, message, fit_softmax_regression, *args, **(knobs | changed))
    refuses(TypeError, "steps: 정수여야 하는데 float이다", fit_softmax_regression, x, y, **(knobs | {"steps": 1.5}))
