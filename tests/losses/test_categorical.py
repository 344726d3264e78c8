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


# --- 평활화 ---


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
    y = (torch.stack([x[:, 0], x[:, 1], -x.sum(1)], 1) + 2 * noise).argmax(1)  # 갈라지지 않는 자료
    fit = fit_softmax_regression(x.to(device), y.to(device), num_classes=3, steps=800, learning_rate=1.0)
    peer = PeerRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(x.numpy(), y.numpy())
    # 모든 클래스에 같은 수를 더해도 같은 모델이므로 클래스의 평균을 빼고 견준다.
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
