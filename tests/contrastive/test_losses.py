"""기준값: 정의를 그대로 옮긴 float64의 반복문(NumPy), pytorch-metric-learning, 닫힌 식."""

import inspect
import math
from functools import partial

import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytorch_metric_learning import losses as peer
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import DoNothingReducer, MeanReducer
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mgk_docs_src.checks import POSITIVE, REAL
from mgk_docs_src.contrastive import losses
from mgk_docs_src.contrastive.losses import (
    alignment,
    batch_all_triplet,
    batch_hard_triplet,
    cosine_bce,
    cosine_similarity,
    cosine_softmax,
    distance_matrix,
    info_nce,
    knobs,
    nt_xent,
    pair_floor,
    pairwise_margin,
    sigmoid_loss,
    similarity_matrix,
    similarity_to_cosine,
    supcon,
    supcon_floor,
    triplet,
    uniformity,
    unit_vectors,
)
from mgk_docs_src.losses.binary import bce_with_logits
from mgk_docs_src.losses.categorical import cross_entropy
from mgk_docs_src.random import generator, randint, randn

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SIZES = {"seed": st.integers(0, 10**6), "n": st.integers(4, 14), "d": st.integers(2, 6)}
CLOSE = {"atol": 1e-12, "rtol": 1e-12}
HALVES = [torch.float16, torch.bfloat16]

# 라벨이 붙은 임베딩의 손실과, 두 뷰의 손실
LABELLED = {
    "sigmoid": partial(sigmoid_loss, scale=5.0, bias=-1.0),
    "balanced": partial(sigmoid_loss, scale=5.0, bias=-1.0, balanced=True),
    "batch all": partial(batch_all_triplet, margin=0.3),
    "batch hard": partial(batch_hard_triplet, margin=0.3),
    "supcon": partial(supcon, temperature=0.2),
}
PAIRED = {
    "info nce": partial(info_nce, temperature=0.2),
    "nt-xent": partial(nt_xent, temperature=0.2),
    "alignment": alignment,
    "alignment, alpha = 1": partial(alignment, alpha=1.0),
}


def points(seed, *shape, kind=torch.float64, device=None):
    return randn(*shape, generator=generator(seed), dtype=kind, device=device)


def classes(seed, n, device=None, count=3):
    """라벨. 양성 쌍도 음성 쌍도 적어도 하나 있다."""
    labels = randint(0, count, (n,), generator=generator(seed + 1), device=device)
    labels[1], labels[2] = labels[0], (labels[0] + 1) % count
    return labels


def numpy(tensor):
    return tensor.detach().cpu().double().numpy()


def unit(x):
    x = numpy(x)
    return x / np.sqrt((x**2).sum(-1, keepdims=True))


def softplus(z):
    return np.logaddexp(0, z)


# --- 단위 벡터와 학습하는 값 ---


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (torch.float16, 3e4 / 4),
        (torch.float16, 6e-8),
        (torch.bfloat16, 1e37),
        (torch.float32, 1e37),
        (torch.float32, 1e-14),
        (torch.float32, 1e-37),
        (torch.float64, 1e300),
        (torch.float64, 1e-300),
    ],
    ids=str,
)
def test_unit_vectors_have_length_one_at_any_size(device, kind, size):
    x = (size * points(0, 20, 8, device=device).clamp(-4, 4)).to(kind)
    (unit_x,) = unit_vectors(x=x)
    wide = torch.promote_types(kind, torch.float32)
    assert unit_x.dtype == wide
    exact = numpy(x) / size
    exact = torch.from_numpy(exact / np.linalg.norm(exact, axis=1, keepdims=True)).to(device)
    near = 4 * torch.finfo(wide).eps
    torch.testing.assert_close(unit_x.double(), exact, atol=near, rtol=near)


def test_unit_vectors_take_any_shapes_and_name_what_is_wrong(device):
    x, y = points(0, 2, 3, 4, device=device), points(1, 5, kind=torch.float16, device=device)
    made = unit_vectors(first=x, second=y)
    assert [each.shape for each in made] == [x.shape, y.shape]
    assert {each.dtype for each in made} == {torch.float64}
    torch.testing.assert_close(made[0], F.normalize(x, dim=-1), **CLOSE)
    leaf = points(2, 3, 4, device=device).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: unit_vectors(v=v)[0], (leaf,))
    assert torch.autograd.gradgradcheck(lambda v: unit_vectors(v=v)[0], (leaf,))


def test_knobs_follow_the_computation_and_keep_their_gradient(device):
    like = points(0, 2, 3, kind=torch.float32, device=device)
    learned = torch.nn.Parameter(torch.tensor([0.5], device=device, dtype=torch.float16))
    each = torch.tensor([2.0, 3.0], device=device, dtype=torch.float64)
    number, tensor, many = knobs(like, (2,), plain=(-1.5, REAL), learned=(learned, POSITIVE), each=(each, POSITIVE))
    assert number == -1.5
    assert (tensor.shape, tensor.dtype, many.dtype) == ((), torch.float32, torch.float32)
    assert torch.autograd.grad(3 * tensor, learned)[0].item() == 3


# --- 코사인과 거리 ---


@EXAMPLES
@given(**SIZES)
def test_cosines_and_distances_are_those_of_unit_vectors(device, seed, n, d):
    x, y = points(seed, n, d, device=device), points(seed + 1, n + 2, d, device=device)
    cosines, distances = numpy(similarity_matrix(x, y)), numpy(distance_matrix(x, y))
    for i, a in enumerate(unit(x)):
        for j, b in enumerate(unit(y)):
            assert cosines[i, j] == pytest.approx(a @ b, abs=1e-14)
            assert distances[i, j] == pytest.approx(np.linalg.norm(a - b), abs=1e-7)
    pairs = numpy(cosine_similarity(x, y[:n]))
    assert pairs == pytest.approx(cosines.diagonal(), abs=1e-14)
    torch.testing.assert_close(cosine_similarity(x, y[:n]), F.cosine_similarity(x, y[:n]), **CLOSE)
    torch.testing.assert_close(similarity_matrix(x), similarity_matrix(x, x), **CLOSE)
    assert distance_matrix(x.float(), y).dtype == torch.float64
    torch.testing.assert_close(distance_matrix(x.float(), y), distance_matrix(x, y), atol=1e-6, rtol=1e-6)
    own = distance_matrix(x)
    assert (own.diagonal() == 0).all()
    torch.testing.assert_close(own, own.mT, **CLOSE)
    torch.testing.assert_close(own, torch.cdist(F.normalize(x), F.normalize(x)), atol=1e-7, rtol=1e-7)


def test_a_cosine_does_not_feel_length_even_where_squares_overflow_or_vanish(device):
    x, y = points(0, 5, 3, kind=torch.float32, device=device), points(1, 5, 3, kind=torch.float32, device=device)
    plain = cosine_similarity(x, y)
    for size in (2.0**-120, 2.0**-90, 2.0**70, 2.0**120):
        torch.testing.assert_close(cosine_similarity(size * x, y), plain, atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(cosine_similarity(size * x, size * y), plain, atol=1e-6, rtol=1e-6)
        leaf = (size * x).requires_grad_()
        slope = torch.autograd.grad(cosine_similarity(leaf, y).sum(), leaf)[0]
        assert slope.isfinite().all()


def test_equal_points_have_distance_and_slope_zero(device):
    x = points(0, 3, 4, device=device)
    x = torch.cat([x, x]).requires_grad_()
    for loss in (
        distance_matrix(x).sum(),
        distance_matrix(x, 2 * x.detach()).sum(),
        alignment(x[:3], x[3:], alpha=1.0),
        alignment(x[:3], x[3:], alpha=0.5),
    ):
        (slope,) = torch.autograd.grad(loss, x)
        assert slope.isfinite().all()
    assert alignment(x[:3], x[3:], alpha=1.0).item() == 0
    labels = torch.tensor([0, 1, 2, 0, 1, 2], device=device)
    for loss in LABELLED.values():
        (slope,) = torch.autograd.grad(loss(x, labels), x)
        assert slope.isfinite().all()


@pytest.mark.parametrize("spread", [0.1, 0.02, 1e-3, 1e-5])
def test_near_points_keep_their_distance_in_float32(device, spread):
    """차를 바로 재는 float64(NumPy). 단위 벡터를 float32에 담는 반올림만 남는다."""
    x = points(0, 12, 8, kind=torch.float32, device=device)
    y = x + spread * points(1, 12, 8, kind=torch.float32, device=device)
    both = torch.cat([x, y])
    exact = np.linalg.norm(unit(both)[:, None] - unit(both)[None], axis=-1)
    for found in (distance_matrix(both), distance_matrix(both, both.clone())):
        assert found.dtype == torch.float32
        np.testing.assert_allclose(numpy(found), exact, rtol=5e-4, atol=3e-7)
    leaf, wide = x.clone().requires_grad_(), x.double().requires_grad_()
    slopes = [torch.autograd.grad(distance_matrix(v, y.to(v.dtype)).diagonal().sum(), v)[0] for v in (leaf, wide)]
    assert (slopes[0].double() - slopes[1]).norm() <= max(1e-3, 3e-7 / spread) * slopes[1].norm()
    by_vmap = torch.func.vmap(distance_matrix)(torch.stack([x, y]))
    torch.testing.assert_close(by_vmap[1], distance_matrix(y))


@pytest.mark.parametrize("kind", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("d", [3, 64, 2048])
def test_the_same_point_is_at_distance_zero(device, kind, d):
    x = points(0, 1, d, device=device).to(kind).expand(9, d).clone().requires_grad_()
    for found in (distance_matrix(x), distance_matrix(x, x.detach())):
        assert (found == 0).all()
        assert (torch.autograd.grad(found.sum(), x)[0] == 0).all()
    labels = torch.arange(9, device=device) % 3
    for loss in (batch_all_triplet, batch_hard_triplet):
        assert loss(x, labels, margin=0.25).item() == 0.25


# --- 쌍의 손실 ---


def test_the_posts_loss_is_stuck_between_its_bounds(device):
    cosine = torch.tensor([1.0, -1.0, 0.0], device=device, dtype=torch.float64)
    same = torch.tensor([1.0, 0.0, 0.0], device=device, dtype=torch.float64)
    each = cosine_bce(cosine, same, reduction="none")
    assert each.tolist() == pytest.approx([0.31326168751822286, 0.31326168751822286, math.log(2)], abs=1e-15)
    torch.testing.assert_close(cosine_bce(cosine, same), each.mean(), **CLOSE)
    torch.testing.assert_close(cosine_bce(cosine, same, reduction="sum"), each.sum(), **CLOSE)
    torch.testing.assert_close(each.mean(), F.binary_cross_entropy_with_logits(cosine, same), **CLOSE)
    every = torch.linspace(-1, 1, 101, device=device, dtype=torch.float64)
    for label in (0.0, 1.0):
        assert cosine_bce(every, torch.full_like(every, label), reduction="none").min() >= 0.3132
    sharp = cosine_bce(cosine, same, scale=10.0, bias=-5.0, reduction="none")
    assert sharp.tolist() == pytest.approx(
        [math.log1p(math.exp(-5)), math.log1p(math.exp(-15)), math.log1p(math.exp(-5))]
    )


@EXAMPLES
@given(seed=SIZES["seed"], n=SIZES["n"], scale=st.floats(0.1, 20), bias=st.floats(-10, 10))
def test_bce_on_the_cosine_is_bce_of_the_scaled_logit(device, seed, n, scale, bias):
    cosine = cosine_similarity(points(seed, n, 3, device=device), points(seed + 1, n, 3, device=device))
    same = randint(0, 2, (n,), generator=generator(seed), device=device).bool()
    expected = bce_with_logits(scale * cosine + bias, same.double())
    torch.testing.assert_close(cosine_bce(cosine, same, scale=scale, bias=bias), expected, **CLOSE)
    learned = [torch.tensor(knob, device=device, dtype=torch.float64) for knob in (scale, bias)]
    torch.testing.assert_close(cosine_bce(cosine, same, scale=learned[0], bias=learned[1]), expected, **CLOSE)


def test_the_decoded_column_of_the_post(device):
    printed = torch.tensor([0.7111, 0.7042, 0.7109, 0.7049, 0.7111, 0.7117, 0.7063, 0.7098], device=device)
    cosine = similarity_to_cosine(printed)
    assert cosine.min().item() == pytest.approx(0.867, abs=5e-4)
    assert cosine.max().item() == pytest.approx(0.904, abs=5e-4)
    torch.testing.assert_close(torch.sigmoid(cosine), printed)
    scaled = similarity_to_cosine(torch.sigmoid(7 * cosine - 2), scale=7.0, bias=-2.0)
    torch.testing.assert_close(scaled, cosine, atol=1e-5, rtol=1e-5)
    assert similarity_to_cosine(printed.half()).dtype == torch.float16


@EXAMPLES
@given(seed=SIZES["seed"], n=SIZES["n"], scale=st.floats(0.5, 20), bias=st.floats(-10, 10))
def test_the_sigmoid_loss_is_the_mean_over_all_pairs(device, seed, n, scale, bias):
    x, labels = points(seed, n, 4, device=device), classes(seed, n, device)
    rows, c = unit(x), labels.tolist()
    terms = {True: [], False: []}
    for i in range(n):
        for j in range(i):
            z = scale * rows[i] @ rows[j] + bias
            terms[c[i] == c[j]].append(softplus(-z if c[i] == c[j] else z))
    ours = sigmoid_loss(x, labels, scale=scale, bias=bias)
    assert ours.item() == pytest.approx(np.mean(terms[True] + terms[False]), rel=1e-12)
    balanced = sigmoid_loss(x, labels, scale=scale, bias=bias, balanced=True)
    assert balanced.item() == pytest.approx((np.mean(terms[True]) + np.mean(terms[False])) / 2, rel=1e-12)


def test_the_sigmoid_loss_learns_its_scale_and_bias(device):
    x, labels = points(0, 6, 3, device=device), classes(0, 6, device)
    scale = torch.tensor(3.0, device=device, dtype=torch.float64, requires_grad=True)
    bias = torch.tensor(-1.0, device=device, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b: sigmoid_loss(x, labels, scale=a, bias=b), (scale, bias))
    cosine, same = similarity_matrix(x), (labels.unsqueeze(1) == labels)
    assert torch.autograd.gradcheck(lambda a, b: cosine_bce(cosine, same, scale=a, bias=b), (scale, bias))
    # 시드마다 다른 스케일
    pair, both = torch.stack([x, 2 - x]), labels.expand(2, 6)
    knobs = torch.tensor([2.0, 5.0], device=device, dtype=torch.float64)
    each = sigmoid_loss(pair, both, scale=knobs, bias=-knobs)
    for i, knob in enumerate(knobs.tolist()):
        torch.testing.assert_close(each[i], sigmoid_loss(pair[i], labels, scale=knob, bias=-knob), **CLOSE)


@EXAMPLES
@given(**SIZES, margin=st.floats(0.1, 2))
def test_the_pairwise_margin_is_that_of_the_paper_and_of_the_peer(device, seed, n, d, margin):
    x, labels = points(seed, n, d, device=device), classes(seed, n, device)
    leaf = x.clone().requires_grad_()
    i, j = torch.triu_indices(n, n, 1, device=device)
    distance, same = distance_matrix(leaf)[i, j], labels[i] == labels[j]
    each = pairwise_margin(distance, same, margin=margin, reduction="none")
    d0, y = numpy(distance), numpy(same)
    np.testing.assert_allclose(numpy(each), (y * d0**2 + (1 - y) * np.maximum(0, margin - d0) ** 2) / 2, **CLOSE)
    torch.testing.assert_close(pairwise_margin(distance, same.double(), margin=margin), each.mean(), **CLOSE)
    # 쌍의 벌점 d, max(0, m − d)는 pytorch-metric-learning의 식, 제곱해 반으로 나누는 식은 논문의 식
    other = x.clone().requires_grad_()
    parts = peer.ContrastiveLoss(pos_margin=0, neg_margin=margin, reducer=DoNothingReducer())(other, labels)
    theirs = sum(parts[name]["losses"].square().sum() for name in ("pos_loss", "neg_loss")) / (n * (n - 1)) / 2
    assert each.mean().item() == pytest.approx(theirs.item(), abs=1e-9)
    torch.testing.assert_close(
        torch.autograd.grad(each.mean(), leaf)[0], torch.autograd.grad(theirs, other)[0], atol=1e-6, rtol=1e-6
    )


# --- 트리플렛 손실 ---


@EXAMPLES
@given(**SIZES, margin=st.floats(0.05, 2))
def test_triplets_are_those_of_the_definition(device, seed, n, d, margin):
    x, labels = points(seed, n, d, device=device), classes(seed, n, device)
    rows, c = unit(x), labels.tolist()
    far = [[np.linalg.norm(a - b) for b in rows] for a in rows]
    every, hard = [], []
    for a in range(n):
        near = [p for p in range(n) if c[p] == c[a] and p != a]
        away = [q for q in range(n) if c[q] != c[a]]
        found = {(p, q): max(0, far[a][p] - far[a][q] + margin) for p in near for q in away}
        every += [loss for loss in found.values() if loss > 0]
        if found:
            hard.append(max(0, max(far[a][p] for p in near) - min(far[a][q] for q in away) + margin))
    ours = batch_all_triplet(x, labels, margin=margin).item()
    assert ours == pytest.approx(np.mean(every) if every else 0, rel=1e-6, abs=1e-7)
    assert batch_hard_triplet(x, labels, margin=margin).item() == pytest.approx(np.mean(hard), rel=1e-6, abs=1e-7)
    a, p, q = (x[i::3][: n // 3] for i in range(3))
    apart = [torch.linalg.vector_norm(F.normalize(a) - F.normalize(other), dim=1) for other in (p, q)]
    each = (apart[0] - apart[1] + margin).relu()
    torch.testing.assert_close(triplet(a, p, q, margin=margin, reduction="none"), each, **CLOSE)
    torch.testing.assert_close(triplet(a, p, q, margin=margin), each.mean(), **CLOSE)


def test_a_batch_without_a_violated_triplet_costs_nothing(device):
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], device=device, requires_grad=True)
    labels = torch.tensor([0, 0, 1], device=device)
    for loss in (batch_all_triplet, batch_hard_triplet):
        value = loss(x, labels, margin=0.5)
        assert value.item() == 0
        assert (torch.autograd.grad(value, x)[0] == 0).all()


def test_batch_all_keeps_its_digits_in_float32(device):
    """거의 지켜진 마진: 큰 누적합의 차에서 작은 손실을 얻는다."""
    x, labels = points(0, 400, 8, kind=torch.float32, device=device), classes(0, 400, device, count=10)
    for margin in (1e-4, 0.05, 1.0):
        wide = batch_all_triplet(x.double(), labels, margin=margin)
        assert batch_all_triplet(x, labels, margin=margin).item() == pytest.approx(wide.item(), rel=2e-5)


# --- 양성 표본을 여럿 가운데에서 찾는 손실 ---


@EXAMPLES
@given(**SIZES, temperature=st.floats(0.05, 2))
def test_choosing_losses_are_those_of_the_definition(device, seed, n, d, temperature):
    x, y = points(seed, n, d, device=device), points(seed + 1, n, d, device=device)
    labels, extra = classes(seed, n, device), points(seed + 2, 3, d, device=device)
    a, b, c, queue = unit(x), unit(y), labels.tolist(), unit(extra)
    keys = np.concatenate([b, queue])
    logits = a @ keys.T / temperature
    expected = np.mean(scipy.special.logsumexp(logits, axis=1) - logits[:, :n].diagonal())
    ours = info_nce(x, torch.cat([y, extra]), temperature=temperature)
    assert ours.item() == pytest.approx(expected, rel=1e-12)

    z = np.concatenate([a, b])
    terms = []
    for i in range(2 * n):
        others = [z[i] @ z[j] / temperature for j in range(2 * n) if j != i]
        terms.append(scipy.special.logsumexp(others) - z[i] @ z[(i + n) % (2 * n)] / temperature)
    assert nt_xent(x, y, temperature=temperature).item() == pytest.approx(np.mean(terms), rel=1e-12)

    terms = []
    for i in range(n):
        partners = [a[i] @ a[p] / temperature for p in range(n) if p != i and c[p] == c[i]]
        if partners:
            others = [a[i] @ a[j] / temperature for j in range(n) if j != i]
            terms.append(scipy.special.logsumexp(others) - np.mean(partners))
    assert supcon(x, labels, temperature=temperature).item() == pytest.approx(np.mean(terms), rel=1e-12)


def test_supcon_is_the_cross_entropy_with_labels_spread_over_the_partners(device):
    x, labels = points(0, 12, 5, device=device), classes(0, 12, device)
    others = ~torch.eye(12, dtype=torch.bool, device=device)
    logits = (similarity_matrix(x) / 0.2)[others].reshape(12, 11)
    same = (labels.unsqueeze(1) == labels)[others].reshape(12, 11).double()
    target = same / same.sum(1, keepdim=True)
    torch.testing.assert_close(supcon(x, labels, temperature=0.2), cross_entropy(logits, target), **CLOSE)


def test_supcon_with_two_of_each_is_nt_xent(device):
    x, y = points(0, 6, 3, device=device), points(1, 6, 3, device=device)
    labels = torch.arange(6, device=device).repeat(2)
    torch.testing.assert_close(
        supcon(torch.cat([x, y]), labels, temperature=0.3), nt_xent(x, y, temperature=0.3), **CLOSE
    )


def test_anchors_without_a_partner_are_left_out(device):
    x = points(0, 4, 3, device=device)
    labels = torch.tensor([0, 0, 1, 2], device=device)
    logits = (similarity_matrix(x) / 0.5).fill_diagonal_(-math.inf)
    expected = F.cross_entropy(logits[:2], torch.tensor([1, 0], device=device))
    torch.testing.assert_close(supcon(x, labels, temperature=0.5), expected, **CLOSE)
    alone = batch_hard_triplet(x, labels, margin=3.0)
    far = distance_matrix(x)
    torch.testing.assert_close(alone, (2 * far[0, 1] - far[0, 2:].min() - far[1, 2:].min() + 6) / 2, **CLOSE)


def test_two_views_in_sigmoid_form_are_siglip(device):
    x, y = points(0, 5, 3, device=device), points(1, 5, 3, device=device)
    signs = 2 * torch.eye(5, device=device, dtype=torch.float64) - 1
    logits = 10 * F.normalize(x) @ F.normalize(y).T - 5
    paper = -F.logsigmoid(signs * logits).sum() / 5
    same = torch.eye(5, dtype=torch.bool, device=device)
    recipe = cosine_bce(similarity_matrix(x, y), same, scale=10.0, bias=-5.0, reduction="sum") / 5
    torch.testing.assert_close(recipe, paper, **CLOSE)


def test_clip_is_the_mean_of_both_directions(device):
    x, y = points(0, 5, 3, device=device), points(1, 5, 3, device=device)
    logits, labels = F.normalize(x) @ F.normalize(y).T / 0.07, torch.arange(5, device=device)
    paper = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
    ours = (info_nce(x, y, temperature=0.07) + info_nce(y, x, temperature=0.07)) / 2
    torch.testing.assert_close(ours, paper, **CLOSE)


def test_losses_stay_finite_at_a_low_temperature(device):
    x, y = points(0, 30, 4, kind=torch.float32, device=device), points(1, 30, 4, kind=torch.float32, device=device)
    labels = classes(0, 30, device)
    for temperature in (1e-3, 1e-2, 1e3):
        for loss, second in ((nt_xent, y), (info_nce, y), (supcon, labels)):
            leaf = x.clone().requires_grad_()
            value = loss(leaf, second, temperature=temperature)
            wide = loss(x.double(), second if second is labels else y.double(), temperature=temperature)
            assert value.item() == pytest.approx(wide.item(), rel=1e-5)
            assert torch.autograd.grad(value, leaf)[0].isfinite().all()


def near_pairs(kind=torch.float32, device=None, spread=0.05):
    x = points(0, 32, 64, kind=torch.float32, device=device)
    return x.to(kind), (x + spread * points(99, 32, 64, kind=torch.float32, device=device)).to(kind)


def two_views(x, y, temperature, device):
    """supcon이 두 뷰에서 찾는 표본."""
    labels = torch.arange(len(x), device=device).repeat(2)
    return supcon(torch.cat([x, y]), labels, temperature=temperature)


def two_prototypes(x, y, temperature, device):
    return cosine_softmax(x, y, torch.arange(len(x), device=device), scale=1 / temperature)


CHOOSING = {
    "nt-xent": lambda x, y, temperature, device: nt_xent(x, y, temperature=temperature),
    "info nce": lambda x, y, temperature, device: info_nce(x, y, temperature=temperature),
    "supcon": two_views,
    "cosine softmax": two_prototypes,
}


@pytest.mark.parametrize("name", CHOOSING)
@pytest.mark.parametrize("temperature", [0.2, 0.07, 0.02])
@pytest.mark.parametrize("low", [None, *HALVES], ids=str)
def test_an_almost_certain_choice_keeps_its_digits(device, name, temperature, low):
    """양성 표본의 확률이 1에 가까울 때: log(1 + Σ e^(나머지 − 양성))을 float64로, 기울기도 그 식으로."""
    x, y = near_pairs(device=device)
    a, b = unit(x), unit(y)
    rows = np.concatenate([a, b]) if name in ("nt-xent", "supcon") else a
    keys = rows if len(rows) > len(a) else b
    logits = rows @ keys.T / temperature
    partner = np.roll(np.arange(len(rows)), len(a)) if len(rows) > len(a) else np.arange(len(a))
    gaps = logits - logits[np.arange(len(rows)), partner][:, None]
    gaps[np.arange(len(rows)), partner] = -np.inf
    if len(rows) > len(a):
        np.fill_diagonal(gaps, -np.inf)
    expected = np.log1p(np.exp(gaps).sum(1)).mean()
    leaf = x.clone().requires_grad_()
    with torch.autocast(device.type, dtype=low or torch.bfloat16, enabled=low is not None):
        value = CHOOSING[name](leaf, y, temperature, device)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected, rel=1e-4)
    (slope,) = torch.autograd.grad(value, leaf)
    wide = x.double().requires_grad_()
    (truth,) = torch.autograd.grad(CHOOSING[name](wide, y.double(), temperature, device), wide)
    assert (slope.double() - truth).norm() <= 1e-4 * truth.norm()


def test_the_loss_of_the_near_pairs_is_what_was_reported(device):
    with torch.autocast(device.type, dtype=torch.bfloat16):
        value = nt_xent(*near_pairs(device=device), temperature=0.07)
        far = distance_matrix(*near_pairs(device=device))
    assert value.item() == pytest.approx(0.00019025788, rel=1e-4)
    exact = np.linalg.norm(unit(near_pairs()[0]) - unit(near_pairs()[1]), axis=1)
    np.testing.assert_allclose(numpy(far.diagonal()), exact, rtol=1e-3)


@pytest.mark.parametrize("name", [*LABELLED, *PAIRED, "uniformity"])
def test_a_large_batch_in_float32_has_the_value_and_gradient_of_float64(device, name):
    x, labels = points(0, 1000, 16, kind=torch.float32, device=device), classes(0, 1000, device, count=10)
    loss = {**LABELLED, "uniformity": lambda x, _: uniformity(x)}.get(name) or partial(halves, PAIRED[name])
    found = []
    for leaf in (x.clone().requires_grad_(), x.double().requires_grad_()):
        value = loss(leaf, labels)
        found.append((value.double(), torch.autograd.grad(value, leaf)[0].double()))
    (value, slope), (truth, exact) = found
    torch.testing.assert_close(value, truth, atol=0, rtol=2e-6)
    assert (slope - exact).norm() <= 2e-5 * exact.norm()


LEARNED = {
    "info nce": lambda x, y, labels, knob: info_nce(x, y, temperature=knob),
    "nt-xent": lambda x, y, labels, knob: nt_xent(x, y, temperature=knob),
    "supcon": lambda x, y, labels, knob: supcon(x, labels, temperature=knob),
    "cosine softmax": lambda x, y, labels, knob: cosine_softmax(x, y, labels, scale=knob),
    "sigmoid": lambda x, y, labels, knob: sigmoid_loss(x, labels, scale=knob, bias=-knob),
    "cosine bce": lambda x, y, labels, knob: cosine_bce(cosine_similarity(x, y), labels == 0, scale=knob, bias=-knob),
    "cosine": lambda x, y, labels, knob: similarity_to_cosine(x.sigmoid(), scale=knob, bias=-knob).sum(),
}


@pytest.mark.parametrize("name", LEARNED)
def test_what_clip_and_siglip_learn_can_be_learned(device, name):
    x, y, labels = points(0, 6, 3, device=device), points(1, 6, 3, device=device), classes(0, 6, device)
    loss = partial(LEARNED[name], x, y, labels)
    expected = loss(0.4)
    for knob in (torch.tensor(0.4, device=device), torch.tensor([0.4], device=device, dtype=torch.float64)):
        learned = torch.nn.Parameter(knob)
        torch.testing.assert_close(loss(learned), expected, atol=1e-6, rtol=1e-6)
        ahead, behind = loss(0.4 + 1e-5), loss(0.4 - 1e-5)
        (slope,) = torch.autograd.grad(loss(learned), learned)
        assert slope.item() == pytest.approx((ahead - behind).item() / 2e-5, rel=1e-4)
    leaves = x.clone().requires_grad_(), torch.tensor(0.4, device=device, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, knob: LEARNED[name](x, y, labels, knob), leaves)
    assert torch.autograd.gradgradcheck(lambda x, knob: LEARNED[name](x, y, labels, knob), leaves)


@pytest.mark.parametrize("name", ["info nce", "nt-xent", "supcon", "cosine softmax", "sigmoid"])
def test_each_seed_may_have_its_own(device, name):
    x, y = points(0, 2, 6, 3, device=device), points(1, 2, 6, 3, device=device)
    labels, knob = classes(0, 6, device).expand(2, 6), torch.tensor([0.3, 2.0], device=device, dtype=torch.float64)
    together = LEARNED[name](x, y, labels, knob)
    apart = [LEARNED[name](x[i], y[i], labels[i], each) for i, each in enumerate(knob.tolist())]
    torch.testing.assert_close(together, torch.stack(apart), **CLOSE)
    by_vmap = torch.func.vmap(partial(LEARNED[name], x[0], y[0], labels[0]))(knob)
    alone = [LEARNED[name](x[0], y[0], labels[0], each) for each in knob.tolist()]
    torch.testing.assert_close(by_vmap, torch.stack(alone), **CLOSE)


def test_a_class_alone_and_a_batch_of_one_class_have_no_gradient_to_lose(device):
    x = points(0, 4, 3, device=device).requires_grad_()
    labels = torch.zeros(4, device=device, dtype=torch.int64)
    alone = cosine_softmax(x, x[:1].detach(), labels, scale=5.0)
    pair = supcon(x[:2], labels[:2], temperature=0.1)
    for value in (alone, pair):
        assert value.item() == 0
        assert (torch.autograd.grad(value, x)[0] == 0).all()


@pytest.mark.parametrize("name", [*LABELLED, *PAIRED])
def test_every_batch_is_looked_at_inside_vmap(device, name):
    x, y = points(0, 3, 6, 4, device=device), points(1, 3, 6, 4, device=device)
    labels = torch.stack([classes(seed, 6, device) for seed in range(3)])
    loss, second = (LABELLED[name], labels) if name in LABELLED else (PAIRED[name], y)
    slopes = torch.func.vmap(torch.func.grad(loss))(x, second)
    for i in range(3):
        leaf = x[i].clone().requires_grad_()
        torch.testing.assert_close(slopes[i], torch.autograd.grad(loss(leaf, second[i]), leaf)[0], **CLOSE)
    if name in LABELLED:
        lonely = torch.cat([labels[:2], torch.arange(6, device=device)[None]])
        with pytest.raises(ValueError, match=r"labels: .*양성 쌍"):
            torch.func.vmap(loss)(x, lonely)


# --- pytorch-metric-learning ---


def peer_triplet_hard(x, labels):
    return peer.TripletMarginLoss(margin=0.3, reducer=MeanReducer())(x, labels, BatchHardMiner()(x, labels))


def peer_views(loss, x, labels):
    half = len(x) // 2
    return loss(x[: 2 * half], torch.arange(half, device=x.device).repeat(2))


def peer_keys(x, labels):
    half = len(x) // 2
    own, other = torch.arange(half, device=x.device), torch.arange(half, device=x.device)
    return peer.NTXentLoss(0.2)(x[:half], own, ref_emb=x[half : 2 * half], ref_labels=other)


def halves(loss, x, labels):
    half = len(x) // 2
    return loss(x[:half], x[half : 2 * half])


PEERS = {
    "supcon": (LABELLED["supcon"], peer.SupConLoss(0.2)),
    "batch all": (LABELLED["batch all"], peer.TripletMarginLoss(margin=0.3)),
    "batch hard": (LABELLED["batch hard"], peer_triplet_hard),
    "nt-xent": (partial(halves, PAIRED["nt-xent"]), partial(peer_views, peer.NTXentLoss(0.2))),
    "nt-xent as supcon": (partial(halves, PAIRED["nt-xent"]), partial(peer_views, peer.SupConLoss(0.2))),
    "info nce": (partial(halves, PAIRED["info nce"]), peer_keys),
}


def assert_equal_to_the_peer(name, x, labels, tolerance):
    results = []
    for loss in PEERS[name]:
        leaf = x.clone().requires_grad_()
        value = loss(leaf, labels)
        results.append((value, torch.autograd.grad(value, leaf)[0]))
    torch.testing.assert_close(*results, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("name", PEERS)
@settings(EXAMPLES, max_examples=15)
@given(seed=st.integers(0, 10**6), n=st.integers(4, 30), d=st.integers(2, 16))
def test_values_and_gradients_equal_those_of_pytorch_metric_learning(device, name, seed, n, d):
    x, labels = points(seed, n, d, device=device), classes(seed, n, device, count=4)
    assert_equal_to_the_peer(name, x, labels, 1e-6)


@pytest.mark.parametrize("name", PEERS)
def test_they_are_equal_in_float32_too(device, name):
    x, labels = points(0, 64, 32, kind=torch.float32, device=device), classes(0, 64, device, count=10)
    assert_equal_to_the_peer(name, x, labels, 1e-6)


@EXAMPLES
@given(**SIZES, temperature=st.floats(0.05, 1))
def test_the_cosine_softmax_equals_that_of_pytorch_metric_learning(device, seed, n, d, temperature):
    x, labels = points(seed, n, d, device=device).requires_grad_(), classes(seed, n, device)
    loss = peer.NormalizedSoftmaxLoss(3, d, temperature=temperature).to(device, torch.float64)
    prototypes = loss.W.detach().T.clone().requires_grad_()
    mine, its = cosine_softmax(x, prototypes, labels, scale=1 / temperature), loss(x, labels)
    torch.testing.assert_close(mine, its, atol=1e-6, rtol=1e-6)
    ours, theirs = torch.autograd.grad(mine, (x, prototypes)), torch.autograd.grad(its, (x, loss.W))
    torch.testing.assert_close(ours[0], theirs[0], atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(ours[1], theirs[1].T, atol=1e-6, rtol=1e-6)


# --- 모든 손실이 지키는 성질 ---


@pytest.mark.parametrize("name", [*LABELLED, *PAIRED, "cosine softmax", "uniformity", "triplet"])
def test_gradients_are_right(device, name):
    x, y, z = (points(seed, 6, 3, device=device).requires_grad_() for seed in range(3))
    labels = classes(0, 6, device)
    if name in LABELLED:
        assert torch.autograd.gradcheck(lambda x: LABELLED[name](x, labels), (x,))
    elif name in PAIRED:
        assert torch.autograd.gradcheck(PAIRED[name], (x, y))
    elif name == "uniformity":
        assert torch.autograd.gradcheck(uniformity, (x,))
    elif name == "triplet":
        assert torch.autograd.gradcheck(partial(triplet, margin=0.3), (x, y, z))
    else:
        assert torch.autograd.gradcheck(lambda x, w: cosine_softmax(x, w, labels, scale=4.0), (x, y))


def test_gradients_of_pairs_are_right(device):
    x, y = (points(seed, 5, 3, device=device).requires_grad_() for seed in range(2))
    same = torch.tensor([True, False, True, False, False], device=device)
    for function in (cosine_similarity, similarity_matrix, distance_matrix):
        assert torch.autograd.gradcheck(function, (x, y))
    assert torch.autograd.gradcheck(lambda x: distance_matrix(x)[0], (x,))
    assert torch.autograd.gradcheck(lambda x, y: cosine_bce(cosine_similarity(x, y), same, scale=3.0), (x, y))
    distance = torch.tensor([0.2, 0.7, 1.1, 1.4, 0.3], device=device, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda d: pairwise_margin(d, same, margin=1.0), (distance,))
    probability = torch.tensor([0.1, 0.5, 0.9], device=device, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(similarity_to_cosine, (probability,))


@EXAMPLES
@given(**SIZES)
def test_order_rotation_and_length_do_not_matter(device, seed, n, d):
    x, y = points(seed, n, d, device=device), points(seed + 1, n, d, device=device)
    labels = classes(seed, n, device)
    order = torch.randperm(n, generator=generator(seed)).to(device)
    rotation = torch.linalg.qr(points(seed + 2, d, d, device=device)).Q
    length = torch.exp(points(seed + 3, n, 1, device=device))
    names = {3: 7, 0: 3, 1: 0, 2: 5}
    renamed = torch.tensor([names[c] for c in labels.tolist()], device=device)
    near = {"atol": 1e-7, "rtol": 1e-7}  # 거리 0 근처의 제곱근
    for loss in LABELLED.values():
        plain = loss(x, labels)
        for moved in (
            loss(x[order], labels[order]),
            loss(x @ rotation, labels),
            loss(length * x, labels),
            loss(x, renamed),
        ):
            torch.testing.assert_close(moved, plain, **near)
    for loss in (*PAIRED.values(), lambda x, y: uniformity(x), lambda x, y: cosine_similarity(x, y).sum()):
        plain = loss(x, y)
        for pair in ((x[order], y[order]), (x @ rotation, y @ rotation), (length * x, y / length)):
            torch.testing.assert_close(loss(*pair), plain, **near)


def test_leading_axes_are_seeds(device):
    x, y, w = (points(seed, 2, 3, 8, 4, device=device) for seed in range(3))
    labels = torch.stack([classes(seed, 8, device) for seed in range(6)]).reshape(2, 3, 8)
    for loss in LABELLED.values():
        together = loss(x, labels)
        assert together.shape == (2, 3)
        torch.testing.assert_close(together[1, 2], loss(x[1, 2], labels[1, 2]), **CLOSE)
    for loss in (*PAIRED.values(), similarity_matrix, distance_matrix, cosine_similarity):
        together = loss(x, y)
        assert together.shape[:2] == (2, 3)
        torch.testing.assert_close(together[1, 2], loss(x[1, 2], y[1, 2]), **CLOSE)
    torch.testing.assert_close(uniformity(x)[0, 1], uniformity(x[0, 1]), **CLOSE)
    together = cosine_softmax(x, w, labels, scale=3.0)
    torch.testing.assert_close(together[0, 1], cosine_softmax(x[0, 1], w[0, 1], labels[0, 1], scale=3.0), **CLOSE)


@pytest.mark.parametrize("kind", [*HALVES, torch.float32])
def test_the_dtype_is_followed_and_halves_are_computed_wide(device, kind):
    x, y = points(0, 12, 6, kind=kind, device=device), points(1, 12, 6, kind=kind, device=device)
    labels = classes(0, 12, device)
    single = {"labelled": LABELLED, "paired": PAIRED}
    calls = [(partial(loss, x), partial(loss, x.double()), (labels,)) for loss in single["labelled"].values()]
    calls += [
        (lambda loss=loss: loss(x, y), lambda loss=loss: loss(x.double(), y.double()), ())
        for loss in (
            *PAIRED.values(),
            similarity_matrix,
            distance_matrix,
            cosine_similarity,
            lambda a, _: uniformity(a),
        )
    ]
    calls += [
        (
            lambda: triplet(x, y, y.flip(0), margin=0.3),
            lambda: triplet(x.double(), y.double(), y.double().flip(0), margin=0.3),
            (),
        ),
        (
            lambda: cosine_softmax(x, y, labels, scale=3.0),
            lambda: cosine_softmax(x.double(), y.double(), labels, scale=3.0),
            (),
        ),
        (lambda: distance_matrix(x), lambda: distance_matrix(x.double()), ()),
    ]
    tolerance = 4 * torch.finfo(kind).eps if kind != torch.float32 else 1e-5
    for narrow, wide, rest in calls:
        ours = narrow(*rest)
        assert ours.dtype == kind
        torch.testing.assert_close(ours.double(), wide(*rest), atol=tolerance, rtol=tolerance)


def test_pairs_follow_the_dtype(device):
    for kind in (*HALVES, torch.float32, torch.float64):
        cosine = torch.tensor([0.5, -0.25, 1.0], device=device, dtype=kind)
        same = torch.tensor([True, False, True], device=device)
        wide = cosine_bce(cosine.double(), same, scale=2.0)
        ours = cosine_bce(cosine, same, scale=2.0)
        assert ours.dtype == kind
        torch.testing.assert_close(ours.double(), wide, atol=4 * torch.finfo(kind).eps, rtol=0)
        ours = pairwise_margin(cosine.abs(), same, margin=1.0)
        assert ours.dtype == kind
        torch.testing.assert_close(
            ours.double(),
            pairwise_margin(cosine.double().abs(), same, margin=1.0),
            atol=4 * torch.finfo(kind).eps,
            rtol=0,
        )
        assert similarity_to_cosine(torch.sigmoid(cosine)).dtype == kind


def test_inputs_are_left_alone(device):
    x, y, labels = points(0, 6, 3, device=device), points(1, 6, 3, device=device), classes(0, 6, device)
    before = x.clone(), y.clone(), labels.clone()
    for loss in LABELLED.values():
        loss(x, labels)
    for loss in (*PAIRED.values(), similarity_matrix, distance_matrix, cosine_similarity):
        loss(x, y)
    uniformity(x)
    distance_matrix(x)
    triplet(x, y, y.flip(0), margin=1.0)
    cosine_softmax(x, y, labels, scale=1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, (x, y, labels), strict=True))


class Largest(TorchDispatchMode):
    """만들어진 텐서 가운데 가장 큰 것의 원소 수."""

    def __init__(self):
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        sizes = (leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor))
        self.numel = max(self.numel, *sizes, 0)
        return out


def test_nothing_larger_than_the_square_of_the_batch_is_made(device):
    n = 60
    x, labels = points(0, n, 8, device=device).requires_grad_(), classes(0, n, device)
    calls = {name: partial(loss, x, labels) for name, loss in LABELLED.items()}
    calls |= {name: partial(loss, x[: n // 2], x[n // 2 :]) for name, loss in PAIRED.items()}
    calls |= {"uniformity": partial(uniformity, x)}
    for name, call in calls.items():
        with Largest() as largest:
            torch.autograd.grad(call(), x)
        assert largest.numel <= n * (n + 1), name
    with Largest() as largest:  # 재는 도구가 세제곱을 알아본다
        peer.TripletMarginLoss(margin=0.3)(x, labels)
    assert largest.numel > 10 * n * n


# --- 임베딩을 재는 지표와 바닥 ---


def simplex(count, dtype=torch.float64, device=None):
    corners = torch.eye(count, dtype=dtype, device=device)
    return corners - corners.mean(0)


def test_alignment_and_uniformity_are_those_of_the_paper(device):
    x, y = F.normalize(points(0, 20, 3, device=device)), F.normalize(points(1, 20, 3, device=device))
    for alpha in (0.5, 1.0, 2.0, 3.0):
        paper = (x - y).norm(p=2, dim=1).pow(alpha).mean()
        torch.testing.assert_close(alignment(x, y, alpha=alpha), paper, **CLOSE)
    for t in (0.5, 2.0, 10.0):
        paper = torch.pdist(x.cpu(), p=2).pow(2).mul(-t).exp().mean().log()
        torch.testing.assert_close(uniformity(x, t=t).cpu(), paper, **CLOSE)
    assert alignment(x, -x).item() == pytest.approx(4)
    assert uniformity(x[:1].expand(5, 3)).item() == pytest.approx(0, abs=1e-12)
    assert uniformity(torch.cat([x[:1], -x[:1]])).item() == pytest.approx(-8)


@pytest.mark.parametrize("d", [2, 3, 8])
def test_uniform_points_have_the_potential_of_the_sphere(device, d):
    """균등 분포에서 E exp(2t cos) = ₀F₁(d/2; t²)."""
    potential = uniformity(points(d, 1500, d, device=device), t=2.0).item()
    assert potential == pytest.approx(math.log(scipy.special.hyp0f1(d / 2, 4.0)) - 4, abs=0.02)


def test_the_floors_are_those_of_the_chapter():
    assert pair_floor(10) == pytest.approx(0.4762, abs=5e-5)
    assert pair_floor(10, arrangement="orthogonal") == pytest.approx(0.5032, abs=5e-5)
    assert pair_floor(2) == pytest.approx(0.3133, abs=5e-5)
    assert pair_floor(10**9) == pytest.approx(pair_floor(3, arrangement="orthogonal"), abs=1e-8)


@pytest.mark.parametrize(("count", "scale", "bias"), [(2, 1.0, 0.0), (4, 1.0, 0.0), (5, 10.0, -5.0), (10, 3.0, 1.0)])
def test_the_pair_floor_is_what_the_arrangement_costs(device, count, scale, bias):
    labels = torch.arange(count, device=device).repeat_interleave(2)
    knobs = {"scale": scale, "bias": bias}
    for arrangement, corners in (
        ("simplex", simplex(count, device=device)),
        ("orthogonal", torch.eye(count, device=device, dtype=torch.float64)),
    ):
        x = corners[labels]
        half = pair_floor(count, arrangement=arrangement, **knobs)
        assert sigmoid_loss(x, labels, balanced=True, **knobs).item() == pytest.approx(half, rel=1e-12)
        share = 1 / (2 * count - 1)
        whole = pair_floor(count, arrangement=arrangement, positive=share, **knobs)
        assert sigmoid_loss(x, labels, **knobs).item() == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("count", [3, 5])
def test_no_embedding_goes_below_the_floors_and_descent_reaches_them(device, count):
    labels = torch.arange(count, device=device).repeat_interleave(3)
    for loss, floor in (
        (partial(sigmoid_loss, scale=1.0, bias=0.0, balanced=True), pair_floor(count)),
        (partial(supcon, temperature=0.5), supcon_floor(count, 3, temperature=0.5)),
    ):
        x = points(count, 3 * count, count, device=device).requires_grad_()
        optimizer = torch.optim.Adam([x], lr=0.1)
        for _ in range(250):
            value = loss(x, labels)
            assert value.item() >= floor - 1e-12
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        assert loss(x, labels).item() == pytest.approx(floor, abs=2e-3)


def test_the_floor_of_supcon_is_that_of_the_simplex(device):
    for count, each, temperature in ((2, 2, 1.0), (10, 12, 0.1), (6, 3, 0.5)):
        labels = torch.arange(count, device=device).repeat_interleave(each)
        value = supcon(simplex(count, device=device)[labels], labels, temperature=temperature)
        assert value.item() == pytest.approx(supcon_floor(count, each, temperature=temperature), rel=1e-10)
    views = simplex(7, device=device)
    value = nt_xent(views, views, temperature=0.3)
    assert value.item() == pytest.approx(supcon_floor(7, 2, temperature=0.3), rel=1e-10)
    assert supcon_floor(10, 12, temperature=0.01) == pytest.approx(math.log(11))


def test_random_pairs_can_do_no_better_than_the_bounded_logit(device):
    """라벨이 입력과 무관해도 쌍을 외우면 0.3133까지는 내려간다."""
    x = points(0, 16, 8, device=device).requires_grad_()
    same = randint(0, 2, (8,), generator=generator(0), device=device).double()
    optimizer = torch.optim.Adam([x], lr=0.1)
    for _ in range(200):
        value = cosine_bce(cosine_similarity(x[:8], x[8:]), same)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert 0.31326 <= value.item() <= 0.3135


# --- 틀린 입력 ---


def bad(function, *args, **kwargs):
    return function, args, kwargs


X, LABELS = points(0, 4, 3), torch.tensor([0, 0, 1, 1])
ZERO, NAN, INF = X.clone(), X.clone(), X.clone()
ZERO[1], NAN[0, 1], INF[2, 2] = 0, math.nan, math.inf
COSINE, SAME = torch.tensor([0.5, -0.5]), torch.tensor([True, False])


@pytest.mark.bad_input
@pytest.mark.parametrize("loss", LABELLED.values(), ids=LABELLED.keys())
@pytest.mark.parametrize(
    ("x", "labels", "message"),
    [
        (ZERO, LABELS, "embeddings.*0보다 큰.*0.0"),
        (NAN, LABELS, "embeddings.*nan"),
        (INF, LABELS, "embeddings.*inf"),
        (X[:1], LABELS[:1], "embeddings: .*둘 이상.*1개"),
        (X[:0], LABELS[:0], "embeddings: 원소"),
        (X[0], LABELS[0], "embeddings: 축"),
        (X.long(), LABELS, "embeddings: 실수형"),
        (X, LABELS[:3], "labels: 모양"),
        (X, LABELS.unsqueeze(1), "labels: 모양"),
        (X, LABELS.double(), "labels: .*int64"),
        (X, LABELS.int(), "labels: .*int64"),
        (X, LABELS.bool(), "labels: .*int64"),
        (X, torch.arange(4), "labels: .*양성 쌍.*하나도 없다"),
        (X.expand(2, 4, 3), torch.stack([LABELS, torch.arange(4)]), "labels: .*양성 쌍"),
    ],
)
def test_bad_batches_are_refused(loss, x, labels, message):
    with pytest.raises(ValueError, match=message):
        loss(x, labels)


@pytest.mark.bad_input
@pytest.mark.parametrize("loss", LABELLED.values(), ids=LABELLED.keys())
def test_other_kinds_are_type_errors(loss):
    with pytest.raises(TypeError, match="embeddings"):
        loss(X.tolist(), LABELS)
    with pytest.raises(TypeError, match="labels"):
        loss(X, LABELS.tolist())


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, X[:3], "(second_view|key): "),
        (X, X[:, :2], "(second_view|key): 모양"),
        (X, X.unsqueeze(0), "(second_view|key): 모양"),
        (ZERO, X, "(first_view|query).*0보다 큰"),
        (X, ZERO, "(second_view|key).*0보다 큰"),
        (X, NAN, "(second_view|key).*nan"),
        (X, INF, "(second_view|key).*inf"),
        (X, X.long(), "(second_view|key): 실수형"),
        (X[:0], X[:0], "(first_view|query|key): "),
        (X[0], X[0], "(first_view|query|first): 축"),
        (X, X.to("meta"), "(second_view|key): 장치"),
    ],
)
@pytest.mark.parametrize("loss", PAIRED.values(), ids=PAIRED.keys())
def test_bad_views_are_refused(loss, x, y, message):
    with pytest.raises(ValueError, match=message):
        loss(x, y)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (bad(nt_xent, X[:1], X[:1], temperature=0.1), "first_view: .*둘 이상"),
        (bad(info_nce, X[:1], X[:1], temperature=0.1), "key: .*2개 이상.*1개"),
        *(
            (bad(loss, X, other, temperature=temperature), f"temperature: 0보다 큰.*{temperature}")
            for loss, other in ((nt_xent, X), (info_nce, X), (supcon, LABELS))
            for temperature in (0.0, -1.0, math.nan, math.inf)
        ),
        *((bad(loss, X, LABELS, margin=0.0), "margin: 0보다 큰") for loss in (batch_all_triplet, batch_hard_triplet)),
        *(
            (bad(loss, X, LABELS * 0, margin=1.0), "labels: .*음성 쌍")
            for loss in (batch_all_triplet, batch_hard_triplet)
        ),
        (bad(sigmoid_loss, X, LABELS * 0, scale=1.0, bias=0.0, balanced=True), "labels: .*음성 쌍"),
        (bad(sigmoid_loss, X, LABELS, scale=0.0, bias=0.0), "scale: 0보다 큰"),
        (bad(sigmoid_loss, X, LABELS, scale=torch.tensor(-1.0), bias=0.0), "scale: 0보다 큰"),
        (bad(sigmoid_loss, X, LABELS, scale=torch.ones(4), bias=0.0), "scale: .*늘어나는"),
        (bad(sigmoid_loss, X, LABELS, scale=1.0, bias=math.nan), "bias: 유한한"),
        (bad(sigmoid_loss, X, LABELS, scale=1.0, bias=torch.tensor(math.inf)), "bias: 유한한"),
        (bad(sigmoid_loss, X, LABELS.to("meta"), scale=1.0, bias=0.0), "labels: 장치"),
        (bad(cosine_bce, COSINE, SAME[:1]), "same: 모양"),
        (bad(cosine_bce, COSINE, SAME.long()), "same: 실수형"),
        (bad(cosine_bce, COSINE, torch.tensor([0.0, 2.0])), "same: .*2.0"),
        (bad(cosine_bce, COSINE, SAME.to("meta")), "same: 장치"),
        (bad(cosine_bce, COSINE * 4, SAME), "similarity: .*2.0"),
        (bad(cosine_bce, COSINE * math.nan, SAME), "similarity: .*nan"),
        (bad(cosine_bce, COSINE[:0], SAME[:0]), "similarity: 원소"),
        (bad(cosine_bce, SAME, SAME), "similarity: 실수형"),
        (bad(cosine_bce, COSINE, SAME, scale=-1.0), "scale: 0보다 큰"),
        (bad(cosine_bce, COSINE, SAME, scale=torch.ones(3)), "scale: .*늘어나는"),
        (bad(cosine_bce, COSINE, SAME, bias=math.inf), "bias: 유한한"),
        (bad(cosine_bce, COSINE, SAME, reduction="median"), "reduction: "),
        (bad(similarity_to_cosine, torch.tensor([0.0])), "probability: .*0.0"),
        (bad(similarity_to_cosine, torch.tensor([1.0])), "probability: .*1.0"),
        (bad(similarity_to_cosine, torch.tensor([])), "probability: 원소"),
        (bad(similarity_to_cosine, LABELS), "probability: 실수형"),
        (bad(similarity_to_cosine, COSINE[:1], scale=0.0), "scale: 0보다 큰"),
        (bad(similarity_to_cosine, COSINE[:1], bias=math.nan), "bias: 유한한"),
        (bad(pairwise_margin, COSINE, SAME, margin=1.0), "distance: .*-0.5"),
        (bad(pairwise_margin, COSINE.abs(), SAME, margin=0.0), "margin: 0보다 큰"),
        (bad(pairwise_margin, COSINE.abs(), SAME[:1], margin=1.0), "same: 모양"),
        (bad(pairwise_margin, COSINE.abs(), SAME.long(), margin=1.0), "same: 실수형"),
        (bad(pairwise_margin, COSINE.abs(), torch.tensor([0.0, -1.0]), margin=1.0), "same: .*-1.0"),
        (bad(pairwise_margin, COSINE[:0], SAME[:0], margin=1.0), "distance: 원소"),
        (bad(triplet, X, X[:3], X, margin=1.0), "positive: 모양"),
        (bad(triplet, X, X, X[:, :2], margin=1.0), "negative: 모양"),
        (bad(triplet, X, X, ZERO, margin=1.0), "negative.*0보다 큰"),
        (bad(triplet, X, X, X, margin=-1.0), "margin: 0보다 큰"),
        (bad(cosine_similarity, X, X[:3]), "second: 모양"),
        (bad(cosine_similarity, X, ZERO), "second.*0보다 큰"),
        (bad(cosine_similarity, X, X.to("meta")), "second: 장치"),
        (bad(similarity_matrix, ZERO), "x.*0보다 큰"),
        (bad(similarity_matrix, X, X[:, :2]), "y: 모양"),
        (bad(similarity_matrix, X, X[0]), "y: 축"),
        (bad(distance_matrix, NAN), "x.*nan"),
        (bad(distance_matrix, X, NAN), "y.*nan"),
        (bad(distance_matrix, X, X.long()), "y: 실수형"),
        (bad(cosine_softmax, X, X, LABELS + 3, scale=1.0), "labels: .*4"),
        (bad(cosine_softmax, X, X, LABELS - 1, scale=1.0), "labels: .*-1"),
        (bad(cosine_softmax, X, X, LABELS.double(), scale=1.0), "labels: .*int64"),
        (bad(cosine_softmax, X, ZERO, LABELS, scale=1.0), "prototypes.*0보다 큰"),
        (bad(cosine_softmax, X, X[:, :2], LABELS, scale=1.0), "prototypes: 모양"),
        (bad(cosine_softmax, X, X, LABELS, scale=0.0), "scale: 0보다 큰"),
        (bad(alignment, X, X, alpha=0.0), "alpha: 0보다 큰"),
        (bad(uniformity, X[:1]), "x: .*둘 이상"),
        (bad(uniformity, X, t=0.0), "t: 0보다 큰"),
        (bad(uniformity, ZERO), "x.*0보다 큰"),
        (bad(pair_floor, 1), "classes: 2 이상"),
        (bad(pair_floor, 3, arrangement="cube"), "arrangement: "),
        (bad(pair_floor, 3, positive=1.5), "positive: "),
        (bad(pair_floor, 3, scale=0.0), "scale: "),
        (bad(pair_floor, 3, bias=math.inf), "bias: "),
        (bad(supcon_floor, 1, 2, temperature=1.0), "classes: 2 이상"),
        (bad(supcon_floor, 2, 1, temperature=1.0), "per_class: 2 이상"),
        (bad(supcon_floor, 2, 2, temperature=0.0), "temperature: "),
        (bad(unit_vectors), "vectors: 1 이상"),
        (bad(unit_vectors, first=X, second=ZERO), "second.*0보다 큰"),
        (bad(unit_vectors, first=X, second=X.to("meta")), "second: 장치"),
        (bad(unit_vectors, first=X.sum()), "first: 축"),
        (bad(knobs, X, (), temperature=(X, REAL)), "temperature: .*늘어나는"),
        (bad(knobs, X, (), temperature=(LABELS[1], POSITIVE)), "temperature: 실수형"),
        (bad(knobs, X, (4,), temperature=(X[0, :0], POSITIVE)), "temperature: "),
        (bad(knobs, X, (4, 3), temperature=(X.to("meta"), POSITIVE)), "temperature: 장치"),
        *(
            (bad(loss, X.float(), other, temperature=tau), "temperature: .*e-39")
            for loss, other in ((nt_xent, X.float()), (info_nce, X.float()), (supcon, LABELS))
            for tau in (1e-39, torch.tensor(1e-39))
        ),
        (bad(nt_xent, X.float(), X.float(), temperature=torch.tensor(0.0)), "temperature: 0보다 큰"),
        (bad(nt_xent, X, X, temperature=torch.ones(2)), "temperature: .*늘어나는"),
        (bad(nt_xent, X, X, temperature=1e-200), "temperature: .*1e-200"),
        (bad(cosine_softmax, X.float(), X.float(), LABELS, scale=1e39), "scale: .*1e"),
        (bad(sigmoid_loss, X.float(), LABELS, scale=1e39, bias=0.0), "scale: .*1e"),
        (bad(sigmoid_loss, X.float(), LABELS, scale=1.0, bias=-1e39), "bias: .*-1e"),
        (bad(cosine_bce, COSINE, SAME, scale=1e39), "scale: .*1e"),
        (bad(cosine_bce, COSINE, SAME, bias=1e39), "bias: .*1e"),
        (bad(similarity_to_cosine, COSINE[:1], scale=1e-39), "scale: .*1e-39"),
        (bad(pairwise_margin, COSINE.abs(), SAME, margin=1e39), "margin: .*1e"),
        (bad(triplet, X.float(), X.float(), X.float(), margin=1e39), "margin: .*1e"),
        (bad(batch_hard_triplet, X.float(), LABELS, margin=1e39), "margin: .*1e"),
        (bad(alignment, X.float(), X.float(), alpha=1e39), "alpha: .*1e"),
        (bad(uniformity, X.float(), t=1e39), "t: .*1e"),
    ],
)
def test_other_bad_input_is_refused(call, message):
    function, args, kwargs = call
    with pytest.raises(ValueError, match=message):
        function(*args, **kwargs)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "name"),
    [
        (bad(cosine_bce, COSINE.tolist(), SAME), "similarity"),
        (bad(cosine_bce, COSINE, SAME.tolist()), "same"),
        (bad(cosine_bce, COSINE, SAME, scale="1"), "scale"),
        (bad(pairwise_margin, COSINE.abs(), SAME.tolist(), margin=1.0), "same"),
        (bad(pairwise_margin, [0.5], SAME, margin=1.0), "distance"),
        (bad(triplet, X, X.tolist(), X, margin=1.0), "positive"),
        (bad(triplet, X, X, X, margin="1"), "margin"),
        (bad(cosine_similarity, X, X.tolist()), "second"),
        (bad(similarity_matrix, X.tolist()), "x"),
        (bad(similarity_matrix, X, X.tolist()), "y"),
        (bad(distance_matrix, X.tolist()), "x"),
        (bad(distance_matrix, X, X.tolist()), "y"),
        (bad(info_nce, X, X.tolist(), temperature=1.0), "key"),
        (bad(nt_xent, X.tolist(), X, temperature=1.0), "first_view"),
        (bad(nt_xent, X, X, temperature="1"), "temperature"),
        (bad(cosine_softmax, X, X.tolist(), LABELS, scale=1.0), "prototypes"),
        (bad(alignment, X, X.tolist()), "second_view"),
        (bad(uniformity, X.tolist()), "x"),
        (bad(similarity_to_cosine, [0.5]), "probability"),
        (bad(pair_floor, 2.0), "classes"),
        (bad(supcon_floor, 2, True, temperature=1.0), "per_class"),
        (bad(unit_vectors, first=X.tolist()), "first"),
        (bad(sigmoid_loss, X, LABELS, scale=1.0, bias="0"), "bias"),
    ],
)
def test_wrong_kinds_name_the_argument(call, name):
    function, args, kwargs = call
    with pytest.raises(TypeError, match=f"^{name}: "):
        function(*args, **kwargs)


def test_every_loss_is_listed_above():
    functions = {
        name
        for name, value in vars(losses).items()
        if inspect.isfunction(value) and value.__module__ == losses.__name__
    }
    assert {name for name in functions if not name.startswith("_")} <= set(globals())
