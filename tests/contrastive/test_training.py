"""기준값: 손으로 쓴 torch의 학습, scikit-learn의 점수, SciPy의 AUC, ReLU의 닫힌 식."""

import copy
import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from torch import nn
from torch.nn import functional as F

from mgk_docs_src.contrastive.losses import cosine_softmax, sigmoid_loss, supcon
from mgk_docs_src.contrastive.training import (
    PRINTED_LABELS,
    PRINTED_LOSSES,
    PRINTED_PROBABILITIES,
    Batch,
    PairScores,
    PostRun,
    Trained,
    calibrated_threshold,
    class_pairs,
    convolutional_encoder,
    embed,
    jitter,
    knn_accuracy,
    layer_similarities,
    linear_probe,
    pair_accuracy,
    pair_objective,
    pair_scores,
    post_run,
    random_pairs,
    recall_at_one,
    simple_encoder,
    train_encoder,
    views,
)
from mgk_docs_src.data import digits
from mgk_docs_src.metrics import roc_auc
from mgk_docs_src.random import generator, rand, randint, randn

EXAMPLES = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
KINDS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
CLOSE = {"atol": 1e-10, "rtol": 1e-10}


def small(device, *, seed=0, dtype=torch.float64, **knobs):
    """8×8 이미지를 받는 작은 인코더."""
    knobs = {"widths": (4, 6), "embedding_dim": 5, **knobs}
    return convolutional_encoder(1, 8, generator=generator(seed), device=device, dtype=dtype, **knobs)


def pictures(seed, n, device, *, dtype=torch.float64):
    return randn(n, 1, 8, 8, generator=generator(seed), device=device, dtype=dtype)


def numbers(device, n, *, dtype=torch.float64):
    """앞에서부터 n장의 손글씨 숫자."""
    data = digits(device=device, dtype=dtype)
    return data.features[:n].view(-1, 1, 8, 8), data.labels[:n]


def cloud(seed, n, device, *, d=6, classes=3, dtype=torch.float64):
    """클래스마다 조금씩 옮긴 벡터들."""
    labels = torch.arange(n, device=device) % classes
    centres = randn(classes, d, generator=generator(seed), device=device, dtype=dtype)
    return centres[labels] + randn(n, d, generator=generator(seed + 1), device=device, dtype=dtype), labels


def scored(seed, n, device, *, levels=None, dtype=torch.float64):
    """유사도와 라벨. levels를 주면 값이 겹친다."""
    s = 2 * rand(n, generator=generator(seed), device=device, dtype=dtype) - 1
    if levels:
        s = (s * levels).round() / levels
    same = rand(n, generator=generator(seed + 1), device=device) < 0.4
    same[0], same[1] = True, False
    return s, same


# --- 인코더 ---


def test_the_posts_encoder_has_its_layers_and_its_parameters(device):
    net = simple_encoder(generator=generator(0), device=device)
    assert sum(weight.numel() for weight in net.parameters()) == 1_124_352
    assert [type(layer).__name__ for layer in net] == [
        *("Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear")
    ]
    assert [tuple(w.shape) for w in net.parameters()] == [
        *((64, 3, 3, 3), (64,), (128, 64, 3, 3), (128,), (128, 8192), (128,))
    ]
    out = embed(net, randn(2, 3, 32, 32, generator=generator(1), device=device))
    assert out.shape == (2, 128)
    torch.testing.assert_close(out.norm(dim=1), torch.ones(2, device=device))


@pytest.mark.parametrize(
    ("knobs", "kinds"),
    [
        ({"depth": 2}, ["Conv2d", "ReLU"] * 2 + ["MaxPool2d"] + ["Conv2d", "ReLU"] * 2 + ["MaxPool2d"]),
        ({"batch_norm": True}, ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"] * 2),
        ({"widths": iter((3,)), "kernel_size": 5}, ["Conv2d", "ReLU", "MaxPool2d"]),
    ],
)
def test_knobs_shape_the_encoder(device, knobs, kinds):
    net = small(device, **knobs)
    assert [type(layer).__name__ for layer in net] == [*kinds, "Flatten", "Linear"]
    assert net[0].kernel_size == (knobs.get("kernel_size", 3),) * 2
    assert (net[0].bias is None) == knobs.get("batch_norm", False)
    assert net(pictures(0, 3, device)).shape == (3, 5)
    assert not net.training


def test_weights_start_as_torch_starts_them(device):
    net = convolutional_encoder(2, 8, widths=(200,), embedding_dim=7, generator=generator(0), device=device)
    for layer, fan_in in ((net[0], 18), (net[-1], 3200)):
        for weight in layer.parameters():
            assert weight.abs().max() <= fan_in**-0.5
        assert layer.weight.abs().max() > 0.99 * fan_in**-0.5
        assert abs(float(layer.weight.detach().std()) * (3 * fan_in) ** 0.5 - 1) < 0.03


def test_the_seed_decides_the_weights_and_the_global_state_is_left_alone(device):
    before = torch.get_rng_state()
    first, again, other = small(device), small(device), small(device, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    for one, two, three in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
        assert not torch.equal(one, three)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_embeddings_follow_the_input_and_any_leading_axes(device, kind):
    net, x = small(device, dtype=kind), pictures(0, 6, device, dtype=kind).reshape(2, 3, 1, 8, 8)
    before = x.clone()
    z = embed(net, x)
    assert z.shape == (2, 3, 5)
    assert z.dtype == kind
    assert z.device.type == device.type
    torch.testing.assert_close(z[1], embed(net, x[1]))
    torch.testing.assert_close(z[1, 2], embed(net, x[1, 2]))
    assert torch.equal(x, before)


def test_the_embedding_has_the_gradient_of_finite_differences(device):
    net = small(device, widths=(2,))
    x = pictures(3, 2, device).requires_grad_()
    assert torch.autograd.gradcheck(partial(embed, net), (x,))


def test_similarities_before_training_come_from_the_relu(device):
    # 정규 난수에서 닫힌 식: ReLU의 (E h)² / E h² = 1/π, 넷 가운데 최댓값도 적분으로 안다.
    x = randn(20, 1, 64, 64, generator=generator(0), device=device, dtype=torch.float64)
    net = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
    found = layer_similarities(net, x)
    grid = np.linspace(0, 12, 120_001)
    density = 4 * stats.norm.pdf(grid) * stats.norm.cdf(grid) ** 3  # 음수면 0이 되므로 밀도는 양수 쪽만
    first, second = (np.trapezoid(grid**power * density, grid) for power in (1, 2))
    assert found.tolist() == pytest.approx([0, 1 / math.pi, first**2 / second], abs=0.01)


def test_layer_similarities_are_the_mean_over_pairs(device):
    net, x = small(device), pictures(1, 5, device)
    found = layer_similarities(net, x)
    assert len(found) == len(net) + 1
    h = x
    for value, layer in zip(found, (nn.Identity(), *net), strict=True):
        h = layer(h)
        cosine = F.cosine_similarity(h.flatten(1)[:, None], h.flatten(1)[None], dim=2)
        off = ~torch.eye(5, dtype=torch.bool, device=device)
        torch.testing.assert_close(value, cosine[off].mean().detach(), **CLOSE)


def test_random_pairs_look_alike_before_any_training(device):
    x = random_pairs(4, generator=generator(1), device=device).images[0]
    found = layer_similarities(simple_encoder(generator=generator(0), device=device), x)
    assert abs(float(found[0])) < 0.02
    assert found[-1] > 0.8


# --- 배치 ---


def test_random_pairs_are_normal_and_their_labels_are_a_coin(device):
    batch = random_pairs(300, generator=generator(0), device=device)
    assert isinstance(batch, Batch)
    assert batch.images.shape == (2, 300, 3, 32, 32)
    assert abs(float(batch.images.mean())) < 0.01
    assert abs(float(batch.images.std()) - 1) < 0.01
    same = (batch.labels[0] == batch.labels[1]).double()
    assert abs(float(same.mean()) - 0.5) < 0.1
    assert torch.equal(batch.images, random_pairs(300, generator=generator(0), device=device).images)


@EXAMPLES
@given(seed=st.integers(0, 10**6), size=st.integers(1, 40), classes=st.integers(2, 4))
def test_class_pairs_are_half_alike_and_never_the_same_picture(device, seed, size, classes):
    x, y = pictures(seed, 12, device), torch.arange(12, device=device) % classes
    batch = class_pairs(x, y, size=size, generator=generator(seed))
    assert batch.images.shape == (2, size, 1, 8, 8)
    assert not (batch.images[0] == batch.images[1]).flatten(1).all(1).any()
    for image, label in zip(batch.images.flatten(0, 1), batch.labels.flatten(), strict=True):
        (place,) = (x == image).flatten(1).all(1).nonzero().flatten().tolist()
        assert y[place] == label
    again = class_pairs(x, y, size=size, generator=generator(seed))
    assert torch.equal(batch.images, again.images)


def test_class_pairs_choose_every_partner_alike(device):
    y = torch.tensor([0, 0, 0, 1, 1], device=device)
    x = torch.arange(5, device=device, dtype=torch.float64).view(-1, 1, 1, 1)
    batch = class_pairs(x, y, size=20_000, generator=generator(0))
    i, j = batch.images.flatten(1).long()
    count = torch.zeros(5, 5, device=device).index_put_((i, j), torch.ones(20_000, device=device), accumulate=True)
    same = y[:, None] == y
    partners = torch.where(same, same.sum(1, keepdim=True) - 1, (~same).sum(1, keepdim=True))
    expected = (20_000 / 5 / 2 / partners.clamp(min=1)).fill_diagonal_(0)
    assert ((count - expected).abs() < 5 * expected.sqrt() + 1e-9).all()


@EXAMPLES
@given(seed=st.integers(0, 10**6), size=st.integers(1, 7), count=st.integers(1, 3))
def test_views_are_distinct_pictures_changed_apart(device, seed, size, count):
    x, y = pictures(seed, 7, device), torch.arange(7, device=device)
    plain = views(x, y, size=size, count=count, generator=generator(seed))
    assert plain.labels.shape == (count, size)
    assert torch.equal(plain.images, x[plain.labels])
    assert len(plain.labels[0].unique()) == size
    assert torch.equal(plain.labels, plain.labels[:1].expand(count, size))
    changed = views(x, y, size=size, count=count, augment=jitter, generator=generator(seed))
    assert torch.equal(changed.labels, plain.labels)
    for v in range(count):
        assert not torch.equal(changed.images[v], plain.images[v])
        for other in range(v):
            assert not torch.equal(changed.images[v], changed.images[other])


def test_no_jitter_is_the_picture_itself(device):
    x = pictures(0, 3, device)
    still = jitter(x, shift=0.0, degrees=0.0, scale=0.0, generator=generator(0))
    torch.testing.assert_close(still, x, **CLOSE)


def test_jitter_is_the_affine_map_of_its_formula(device):
    knobs = {"shift": 1.5, "degrees": 30.0, "scale": 0.2, "shear": 0.3}
    x = pictures(0, 4, device)
    before = x.clone()
    found = jitter(x, **knobs, generator=generator(7))
    assert torch.equal(x, before)
    u = 2 * rand(5, 4, generator=generator(7), dtype=torch.float64).numpy() - 1
    for i in range(4):
        theta, scale, k = math.radians(30) * u[0, i], 1 + 0.2 * u[1, i], 0.3 * u[2, i]
        rotate = np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])
        matrix = scale * rotate @ np.array([[1, k], [0, 1]])
        matrix, move = matrix[::-1, ::-1], 1.5 * np.array([u[4, i], u[3, i]])  # SciPy는 행부터 센다
        offset = np.array([3.5, 3.5]) + move - matrix @ np.array([3.5, 3.5])
        truth = ndimage.affine_transform(x[i, 0].cpu().numpy(), matrix, offset, order=1, mode="grid-constant")
        np.testing.assert_allclose(found[i, 0].cpu(), truth, atol=1e-9)


# --- 학습 ---


def test_training_is_torchs_own_loop(device):
    net, x, y = small(device, batch_norm=True), *numbers(device, 40)
    prototypes = randn(10, 5, generator=generator(3), device=device, dtype=torch.float64)

    def loss(z, labels, w):
        return cosine_softmax(z[0], w, labels[0], scale=8.0)

    sampler = partial(lambda g, **knobs: views(x, y, generator=g, **knobs), size=16)
    kept = copy.deepcopy(net.state_dict()), prototypes.clone()
    knobs = {"steps": 30, "learning_rate": 0.01, "weight_decay": 0.1}
    trained = train_encoder(net, sampler, loss, prototypes, **knobs, generator=generator(5))
    assert isinstance(trained, Trained)
    for name, value in net.state_dict().items():
        assert torch.equal(value, kept[0][name])
    assert torch.equal(prototypes, kept[1])
    ours, w, g = copy.deepcopy(net).train(), prototypes.clone().requires_grad_(), generator(5)
    groups = [{"params": ours.parameters(), "weight_decay": 0.1}, {"params": [w], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    for step in range(30):
        for group in optimiser.param_groups:
            group["lr"] = 0.01 * math.cos(math.pi * step / 60) ** 2 * min(1, (step + 1) / 20)
        images, labels = sampler(g)
        value = loss(ours(images[0])[None], labels, w)
        torch.testing.assert_close(trained.losses[step], value.detach(), atol=1e-7, rtol=1e-7)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    torch.testing.assert_close(trained.extra, w.detach(), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(trained.encoder(x), ours.eval()(x).detach(), atol=1e-6, rtol=1e-6)
    assert not trained.encoder.training
    assert not any(weight.requires_grad for weight in trained.encoder.parameters())
    assert not trained.extra.requires_grad


def test_the_same_seed_trains_the_same_encoder(device):
    x, y = numbers(device, 60, dtype=torch.float32)
    net = small(device, dtype=torch.float32)

    def once(seed):
        return train_encoder(
            net,
            lambda g: class_pairs(x, y, size=8, generator=g),
            pair_objective,
            steps=5,
            learning_rate=0.01,
            generator=generator(seed),
        )

    # 합성곱의 반올림은 메모리의 주소에 따라 달라질 수 있다.
    torch.testing.assert_close(once(0).losses, once(0).losses, atol=1e-4, rtol=1e-4)
    assert (once(0).losses - once(1).losses).abs().max() > 1e-2
    assert once(0).extra.shape == (0,)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_learning_tells_digits_apart(device, kind):
    x, y = numbers(device, 500, dtype=kind)
    net = small(device, dtype=kind, widths=(8, 16), embedding_dim=16)

    def loss(z, labels, extra):
        spread = sigmoid_loss(z[0], labels[0], scale=extra[0].exp(), bias=extra[1], balanced=True)
        return spread + supcon(z[0], labels[0], temperature=0.1)

    start = torch.tensor([math.log(10), -5.0], device=device, dtype=kind)
    trained = train_encoder(
        net,
        lambda g: views(x[:300], y[:300], size=64, generator=g),
        loss,
        start,
        steps=60,
        learning_rate=0.01,
        generator=generator(0),
    )
    assert trained.losses.dtype == kind
    assert trained.losses[-10:].mean() < trained.losses[:10].mean() - 0.3
    assert not torch.equal(trained.extra, start)
    before, after = (
        roc_auc(s[same], s[~same])
        for s, same in (pair_scores(embed(f, x[300:]).detach(), y[300:]) for f in (net, trained.encoder))
    )
    assert after > 0.9
    assert after > before + 0.05


def test_the_posts_objective_is_bce_on_the_cosine(device):
    z = randn(2, 6, 4, generator=generator(0), device=device, dtype=torch.float64)
    labels = randint(0, 2, (2, 6), generator=generator(1), device=device)
    found = pair_objective(z, labels, z.new_zeros(0))
    same = (labels[0] == labels[1]).double()
    truth = F.binary_cross_entropy_with_logits(F.cosine_similarity(z[0], z[1]), same)
    torch.testing.assert_close(found, truth, **CLOSE)
    assert torch.autograd.gradcheck(lambda v: pair_objective(v, labels, z.new_zeros(0)), (z.requires_grad_(),))


def test_the_posts_run_is_its_program(device):
    found = post_run(epochs=3, pairs=4, test_pairs=3, generator=generator(0), device=device, dtype=torch.float64)
    assert isinstance(found, PostRun)
    g = generator(0)
    net = simple_encoder(generator=g, device=device, dtype=torch.float64)
    learn, test = (random_pairs(n, generator=g, device=device, dtype=torch.float64) for n in (4, 3))

    def cosines(batch):
        return F.cosine_similarity(*(F.normalize(net(x), dim=-1) for x in batch.images))

    torch.testing.assert_close(found.before, cosines(test).detach(), **CLOSE)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.001)
    for epoch in range(3):
        same = (learn.labels[0] == learn.labels[1]).double()
        loss = F.binary_cross_entropy_with_logits(cosines(learn), same)
        torch.testing.assert_close(found.losses[epoch], loss.detach(), atol=1e-7, rtol=1e-7)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    torch.testing.assert_close(found.after, cosines(test).detach(), atol=1e-6, rtol=1e-6)
    assert torch.equal(found.same, test.labels[0] == test.labels[1])
    said = torch.sigmoid(cosines(test)) > 0.5
    assert found.accuracy == (said == found.same).double().mean()
    assert (
        found.fitted == ((torch.sigmoid(cosines(learn)) > 0.5) == (learn.labels[0] == learn.labels[1])).double().mean()
    )


def test_what_the_post_printed_is_one_false_note(device):
    # 여덟 모두 같다고 했고 하나만 같았으므로 12.5 %다. 시그모이드를 되돌린 값이 코사인이다.
    p = torch.tensor(PRINTED_PROBABILITIES, device=device, dtype=torch.float64)
    same = torch.tensor(PRINTED_LABELS, device=device) == 1
    assert ((p > 0.5) == same).double().mean() == 0.125
    assert p.logit().min().item() == pytest.approx(0.867, abs=5e-4)
    assert p.logit().max().item() == pytest.approx(0.904, abs=5e-4)
    assert len(PRINTED_LOSSES) == 10
    assert (PRINTED_LOSSES[0], PRINTED_LOSSES[-1]) == (0.8842, 0.4383)


# --- 평가 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(2, 9))
def test_pair_scores_list_every_pair_once(device, seed, n):
    z, y = cloud(seed, n, device)
    found = pair_scores(z, y)
    assert isinstance(found, PairScores)
    expected = [
        (float(F.cosine_similarity(z[i], z[j], dim=0)), bool(y[i] == y[j])) for i in range(n) for j in range(i + 1, n)
    ]
    assert found.similarity.tolist() == pytest.approx([s for s, _ in expected], abs=1e-12)
    assert found.same.tolist() == [same for _, same in expected]
    turn = torch.linalg.qr(randn(6, 6, generator=generator(seed), device=device, dtype=torch.float64)).Q
    torch.testing.assert_close(pair_scores(3 * z @ turn, y).similarity, found.similarity, **CLOSE)


@EXAMPLES
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 60),
    levels=st.sampled_from([None, 2, 5]),
    threshold=st.floats(-1, 1),
)
def test_pair_numbers_equal_scikit_learn(device, seed, n, levels, threshold):
    s, same = scored(seed, n, device, levels=levels)
    x, y = s.cpu().numpy(), same.cpu().numpy()
    assert float(pair_accuracy(s, same, threshold=threshold)) == pytest.approx(
        balanced_accuracy_score(y, x > threshold), abs=1e-12
    )
    best = calibrated_threshold(s, same)
    cuts = [-3.0, *((a + b) / 2 for a, b in zip(sorted(set(x)), sorted(set(x))[1:], strict=False)), 3.0]
    reached = max(float(pair_accuracy(s, same, threshold=cut)) for cut in cuts)
    assert float(pair_accuracy(s, same, threshold=best)) == pytest.approx(reached, abs=1e-12)


def test_thresholds_at_the_ends(device):
    same = torch.tensor([True, True, False], device=device)
    apart = torch.tensor([0.9, 0.7, 0.1], device=device)
    assert calibrated_threshold(apart, same) == pytest.approx(0.4)
    backwards = calibrated_threshold(-apart, same)  # 어디서 갈라도 동전보다 못하면 모두 한쪽으로 판정한다
    assert backwards == pytest.approx(-1.9)
    assert pair_accuracy(-apart, same, threshold=backwards) == 0.5


@pytest.mark.parametrize("k", [1, 5])
def test_neighbours_vote_like_scikit_learn(device, k):
    z, y = cloud(0, 200, device, d=3, classes=2)
    known, asked, truth = z[:120], z[120:], y[120:]
    peer = KNeighborsClassifier(k, metric="cosine").fit(known.cpu(), y[:120].cpu())
    score = float(knn_accuracy(known, y[:120], asked, truth, k=k))
    assert score == pytest.approx(peer.score(asked.cpu(), truth.cpu()), abs=1e-12)
    assert 0.5 < score < 1


def test_a_tied_vote_goes_to_the_nearer(device):
    angle = torch.tensor([0.0, 0.1, 0.5, 0.6], device=device, dtype=torch.float64)
    known = torch.stack([angle.cos(), angle.sin()], 1)
    y = torch.tensor([1, 1, 0, 0], device=device)
    for at, winner in ((0.2, 1), (0.4, 0)):
        asked = torch.tensor([[math.cos(at), math.sin(at)]], device=device, dtype=torch.float64)
        assert knn_accuracy(known, y, asked, torch.tensor([winner], device=device), k=4) == 1


def test_the_probe_is_logistic_regression(device):
    z, y = cloud(5, 300, device, d=4)
    unit = F.normalize(z, dim=1).cpu()
    peer = LogisticRegression(C=1 / (200 * 1e-3), tol=1e-10, max_iter=2000).fit(unit[:200], y[:200].cpu())
    score = float(linear_probe(z[:200], y[:200], z[200:], y[200:], weight_decay=1e-3))
    assert score == pytest.approx(peer.score(unit[200:], y[200:].cpu()), abs=1e-12)
    assert 0.5 < score < 1


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(2, 12))
def test_recall_asks_the_nearest_other(device, seed, n):
    z, y = cloud(seed, n, device)
    expected = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        expected.append(y[max(others, key=lambda j: float(F.cosine_similarity(z[i], z[j], dim=0)))] == y[i])
    assert float(recall_at_one(z, y)) == pytest.approx(sum(map(float, expected)) / n, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_keep_dtype_and_inputs(device, kind):
    z, y = cloud(0, 12, device, dtype=torch.float64)
    z = z.to(kind)
    before = z.clone()
    s, same = pair_scores(z, y)
    assert s.dtype == kind
    assert pair_accuracy(s, same, threshold=0.2).dtype == kind
    assert -2 < calibrated_threshold(s, same) < 1
    for value in (knn_accuracy(z, y, z, y), linear_probe(z, y, z, y), recall_at_one(z, y)):
        assert value.dtype == kind
        assert value.device.type == device.type
        assert 0 <= value <= 1
    assert torch.equal(z, before)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *((torch.float16, 3e3), (torch.float16, 1.0), (torch.bfloat16, 1e37)),
        *((torch.float32, 1e37), (torch.float32, 1e-14), (torch.float64, 1e-300)),
    ],
    ids=str,
)
def test_scores_do_not_depend_on_the_size_of_the_embeddings(device, kind, size):
    z, y = cloud(3, 60, device, d=8, classes=4)
    z = (size * z.clamp(-8, 8)).to(kind)
    unit = z.double() / size
    known, asked = slice(40), slice(40, 60)
    expected = {
        "recall": recall_at_one(unit, y),
        "knn": knn_accuracy(unit[known], y[known], unit[asked], y[asked]),
        "probe": linear_probe(unit[known], y[known], unit[asked], y[asked]),
    }
    found = {
        "recall": recall_at_one(z, y),
        "knn": knn_accuracy(z[known], y[known], z[asked], y[asked]),
        "probe": linear_probe(z[known], y[known], z[asked], y[asked]),
    }
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value.to(kind), atol=0, rtol=0)
    torch.testing.assert_close(pair_scores(z, y).similarity, pair_scores(unit, y).similarity.to(kind))
    net = nn.Sequential(nn.Flatten(), nn.Identity())
    torch.testing.assert_close(
        embed(net, z.view(60, 8, 1, 1)), F.normalize(unit, dim=1).to(kind), atol=2 * torch.finfo(kind).eps, rtol=0
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [37, 60])
def test_recall_of_one_point_is_the_chance_of_guessing(device, kind, n):
    z = randn(1, 33, generator=generator(0), device=device).to(kind).expand(n, 33)
    y = torch.arange(n, device=device) % 4
    sizes = torch.bincount(y.cpu(), minlength=4).double()
    chance = float((sizes * (sizes - 1)).sum() / (n * (n - 1)))
    assert float(recall_at_one(z, y)) == pytest.approx(chance, rel=2 * torch.finfo(kind).eps)
    assert recall_at_one(z, 0 * y) == 1


def test_tied_neighbours_count_by_their_share(device):
    # 0번의 이웃은 1번과 2번이 똑같이 가깝다.
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], device=device)
    assert float(recall_at_one(z, torch.tensor([0, 0, 1], device=device))) == pytest.approx((0.5 + 1 + 0) / 3)


def test_class_numbers_may_be_any_and_one_class_is_enough(device):
    z, y = cloud(2, 60, device)
    for score in (knn_accuracy, linear_probe):
        plain = score(z[:40], y[:40], z[40:], y[40:])
        assert score(z[:40], 10**15 * y[:40], z[40:], 10**15 * y[40:]) == plain
        assert score(z[:40], 0 * y[:40], z[40:], 0 * y[40:]) == 1
        unseen = torch.where(y[40:] == 2, 7, y[40:])  # 학습한 적 없는 클래스는 맞힐 수 없다
        known = y[:40] != 2
        apart = y[40:] != 2
        part = score(z[:40][known], y[:40][known], z[40:][apart], y[40:][apart])
        whole = score(z[:40][known], y[:40][known], z[40:], unseen)
        assert float(whole) == pytest.approx(float(part * apart.double().mean()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_threshold_between_neighbours_splits_them(device, kind):
    """한가운데를 그 자료형으로 반올림하면 한쪽 위에 놓이는 두 값."""
    eps = torch.finfo(kind).eps
    for low in (1.0, 1.0 + eps):
        s = torch.tensor([low, low + eps], device=device, dtype=kind)
        same = torch.tensor([False, True], device=device)
        threshold = calibrated_threshold(s, same)
        assert low <= threshold < low + eps
        assert pair_accuracy(s, same, threshold=threshold) == 1


def test_thresholds_of_constants_and_of_large_values(device):
    same = torch.tensor([False, True, False], device=device)
    for value in (0.1, 1e17, -1e300):
        s = torch.full((3,), value, device=device, dtype=torch.float64)
        threshold = calibrated_threshold(s, same)
        assert threshold < value
        assert pair_accuracy(s, same, threshold=threshold) == 0.5
    far = torch.tensor([1e308, 1.6e308, 1.2e308], device=device, dtype=torch.float64)
    assert pair_accuracy(far, same, threshold=calibrated_threshold(far, same)) == 1
    tied = torch.tensor([0.3, 0.3, 0.9], device=device, dtype=torch.float64)
    assert calibrated_threshold(tied, same) == pytest.approx(-0.7)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_many_pairs_in_half_precision_do_not_overflow(device, kind):
    s, same = scored(0, 150_000, device, dtype=torch.float32)
    s = s.to(kind)
    expected = pair_accuracy(s.double(), same, threshold=0.1)
    torch.testing.assert_close(pair_accuracy(s, same, threshold=0.1), expected.to(kind), atol=0, rtol=0)


def test_pair_accuracy_goes_through_vmap(device):
    s, same = (torch.stack(both) for both in zip(*(scored(seed, 30, device) for seed in range(4)), strict=True))
    together = torch.func.vmap(partial(pair_accuracy, threshold=0.2))(s, same)
    apart = [pair_accuracy(one, two, threshold=0.2) for one, two in zip(s, same, strict=True)]
    torch.testing.assert_close(together, torch.stack(apart), **CLOSE)
    same[2] = True
    with pytest.raises(ValueError, match="same: 양성 쌍과 음성 쌍이"):
        torch.func.vmap(partial(pair_accuracy, threshold=0.2))(s, same)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_pictures_are_moved_as_wide_ones(device, kind):
    x = pictures(0, 3, device, dtype=torch.float32).to(kind)
    moved = jitter(x, generator=generator(1))
    assert moved.dtype == kind
    torch.testing.assert_close(moved, jitter(x.float(), generator=generator(1)).to(kind), atol=0, rtol=0)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_encoders_are_made_and_trained_in_any_mode(device, mode):
    x, y = numbers(device, 20)

    def once():
        net = small(device)
        sampler = partial(views, x, y, size=8)
        objective = lambda z, labels, extra: supcon(z[0], labels[0], temperature=0.5)  # noqa: E731
        return train_encoder(
            net, lambda g: sampler(generator=g), objective, steps=2, learning_rate=0.01, generator=generator(0)
        )

    plain = once()
    with mode():
        found = once()
    assert not found.losses.is_inference()
    torch.testing.assert_close(found.losses, plain.losses, **CLOSE)


def test_training_stops_at_the_step_that_went_wrong(device):
    net, (x, y), seen = small(device), numbers(device, 20), []

    def loss(z, labels, extra):
        seen.append(len(seen))
        return z.mean() * (math.nan if len(seen) == 4 else 1.0)

    with pytest.raises(ValueError, match=r"objective의 3번째 스텝: .*nan"):
        train_encoder(
            net, partial(lambda g: views(x, y, size=4, generator=g)), loss, steps=500, learning_rate=0.1, generator=None
        )
    assert len(seen) == 4 if device.type == "cpu" else len(seen) < 500  # GPU에서는 모아서 본다


def test_pairs_do_not_depend_on_the_default_dtype(device):
    x, y = pictures(0, 12, device), torch.arange(12, device=device) % 3
    plain = class_pairs(x, y, size=30, generator=generator(0))
    torch.set_default_dtype(torch.float64)
    try:
        other = class_pairs(x, y, size=30, generator=generator(0))
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(plain.images, other.images)


# --- 틀린 입력 ---


@pytest.mark.bad_input
def test_bad_encoders(device):
    for message, knobs in [
        ("size: 풀링 2번에 반씩 줄도록 4의 배수여야", {"size": 6}),
        ("kernel_size: .*홀수여야", {"kernel_size": 4}),
        ("depth: 1 이상", {"depth": 0}),
        ("channels: 1 이상", {"channels": 0}),
        ("widths: 1 이상", {"widths": ()}),
        (r"widths\[1\]: 1 이상", {"widths": (3, 0)}),
        ("embedding_dim: 1 이상", {"embedding_dim": 0}),
    ]:
        given_knobs = {"channels": 1, "size": 8, **knobs}
        with pytest.raises(ValueError, match=message):
            convolutional_encoder(
                given_knobs.pop("channels"), given_knobs.pop("size"), generator=None, device=device, **given_knobs
            )
    with pytest.raises(TypeError, match="size: 정수여야"):
        convolutional_encoder(1, 8.0, generator=None, device=device)


@pytest.mark.bad_input
def test_bad_pictures(device):
    net, x = small(device), pictures(0, 3, device)
    for message, wrong in [
        ("images: 실수형이어야", x.long()),
        ("images: 축의 수가 3 이상", x[0, 0]),
        ("images: 원소가 하나 이상", x[:0]),
        ("images: 유한한 값이어야", x / 0),
    ]:
        for function in (partial(embed, net), partial(layer_similarities, net), partial(jitter, generator=None)):
            with pytest.raises(ValueError, match=message):
                function(wrong)
    with pytest.raises(TypeError, match="images: 텐서여야"):
        embed(net, [1.0])
    with pytest.raises(ValueError, match="images: 2 이상"):
        layer_similarities(net, x[:1])
    for function in (partial(layer_similarities, net), partial(jitter, generator=None)):
        with pytest.raises(ValueError, match="images: 축의 수가 4"):
            function(x[0])
    for knob in ("shift", "degrees", "scale", "shear"):
        with pytest.raises(ValueError, match=f"{knob}: 0 이상"):
            jitter(x, **{knob: -1.0}, generator=None)
        with pytest.raises(ValueError, match=rf"{knob}: .*1e\+39"):
            jitter(x, **{knob: 1e39}, generator=None)


@pytest.mark.bad_input
def test_bad_batches(device):
    x, y = pictures(0, 4, device), torch.tensor([0, 0, 1, 1], device=device)
    with pytest.raises(ValueError, match="n: 1 이상"):
        random_pairs(0, generator=None)
    for function in (partial(class_pairs, size=2, generator=None), partial(views, size=2, generator=None)):
        for message, wrong in [
            ("labels: 클래스 번호는 torch.int64", (x, y.int())),
            ("labels: 모양이", (x, y[:3])),
            ("images: 실수형", (x.long(), y)),
            ("images: 축의 수가 4", (x[0], y)),
            ("images: 원소가 하나 이상", (x[:0], y[:0])),
        ]:
            with pytest.raises(ValueError, match=message):
                function(*wrong)
    with pytest.raises(ValueError, match="size: 1 이상"):
        class_pairs(x, y, size=0, generator=None)
    with pytest.raises(ValueError, match="labels: 이미지마다 양성 쌍과 음성 쌍을"):
        class_pairs(x, torch.zeros_like(y), size=50, generator=generator(0))
    with pytest.raises(ValueError, match="size: 이미지 4장 이하여야 하는데 5"):
        views(x, y, size=5, generator=None)
    with pytest.raises(ValueError, match="count: 1 이상"):
        views(x, y, size=2, count=0, generator=None)
    with pytest.raises(ValueError, match="augment: 모양이"):
        views(x, y, size=2, augment=lambda images, generator: images[:1], generator=None)
    with pytest.raises(TypeError, match="augment: 텐서여야"):
        views(x, y, size=2, augment=lambda images, generator: images.tolist(), generator=None)


@pytest.mark.bad_input
def test_bad_training(device):
    net, x, y = small(device), *numbers(device, 20)
    good = {"steps": 2, "learning_rate": 0.1, "generator": None}

    def sampler(g):
        return views(x, y, size=4, generator=g)

    def mean(z, labels, extra):
        return z.mean()

    for message, knobs in [
        ("steps: 1 이상", {"steps": 0}),
        ("learning_rate: 0보다 큰", {"learning_rate": 0.0}),
        ("weight_decay: 0 이상", {"weight_decay": -1.0}),
    ]:
        with pytest.raises(ValueError, match=message):
            train_encoder(net, sampler, mean, **{**good, **knobs})
    for message, wrong in [
        ("objective: 모양이", lambda z, labels, extra: z.mean((0, 1))),
        ("objective의 0번째 스텝: 유한한 값이어야 하는데 nan", lambda z, labels, extra: z.mean() * math.nan),
        ("encoder의 학습한 가중치: 유한한 값이어야 하는데 nan", lambda z, labels, extra: (z.sum() * 0).sqrt()),
    ]:
        with pytest.raises(ValueError, match=message):
            train_encoder(net, sampler, wrong, **{**good, "steps": 1})
    with pytest.raises(ValueError, match=r"objective: .*기울기가 끊겼다"):
        train_encoder(net, sampler, lambda z, labels, extra: z.detach().mean(), **good)
    with pytest.raises(ValueError, match="encoder: 학습할 가중치"):
        train_encoder(nn.Flatten(), sampler, mean, **good)
    with pytest.raises(ValueError, match="extra: 실수형"):
        train_encoder(net, sampler, mean, torch.zeros(2, device=device, dtype=torch.int64), **good)
    one_step = {**good, "steps": 1}
    with pytest.raises(ValueError, match=r"extra의 학습한 값: .*nan"):
        train_encoder(net, sampler, lambda z, labels, e: z.mean() + (0 * e.sum()).sqrt(), 0 * x[0, 0, 0], **one_step)
    with pytest.raises(ValueError, match="sampler의 이미지: 실수형"):
        train_encoder(net, lambda g: Batch(x.long(), y), mean, **good)
    with pytest.raises(ValueError, match=r"encoder: .*\(20, d\)의 출력을 내야 하는데 \(20, 4, 8, 8\)"):
        train_encoder(net[:1], lambda g: Batch(x, y), mean, **good)
    with pytest.raises(TypeError, match="objective: 텐서여야"):
        train_encoder(net, sampler, lambda z, labels, extra: 1.0, **good)
    z, labels = randn(2, 3, 4, generator=None, device=device), torch.zeros(2, 3, device=device, dtype=torch.int64)
    with pytest.raises(ValueError, match="outputs: 모양이"):
        pair_objective(z[:1], labels[:1], z)
    with pytest.raises(ValueError, match="outputs: 축의 수가 3"):
        pair_objective(z[0], labels[0], z)
    with pytest.raises(ValueError, match=r"outputs의 벡터마다 .*0보다 큰"):
        pair_objective(0 * z, labels, z)
    with pytest.raises(ValueError, match="outputs: 모양이"):
        pair_objective(z[[0, 1, 1]], labels[[0, 1, 1]], z)
    with pytest.raises(ValueError, match="labels: 모양이"):
        pair_objective(z, labels[:, :2], z)
    for knob in ("epochs", "pairs", "test_pairs"):
        with pytest.raises(ValueError, match=f"{knob}: 1 이상"):
            post_run(**{knob: 0}, generator=None)


@pytest.mark.bad_input
def test_bad_scores(device):
    s, same = scored(0, 6, device)
    for function in (partial(pair_accuracy, threshold=0.0), calibrated_threshold):
        for message, wrong in [
            ("similarity: 실수형", (s.long(), same)),
            ("similarity: 축의 수가 1", (s[None], same)),
            ("similarity: 원소가 하나 이상", (s[:0], same[:0])),
            ("similarity: 유한한 값이어야", (s / 0, same)),
            ("same: torch.bool이어야", (s, same.long())),
            ("same: 모양이", (s, same[:3])),
            ("same: 양성 쌍과 음성 쌍이", (s, torch.ones_like(same))),
            ("same: 양성 쌍과 음성 쌍이", (s, torch.zeros_like(same))),
        ]:
            with pytest.raises(ValueError, match=message):
                function(*wrong)
        with pytest.raises(TypeError, match="same: 텐서여야"):
            function(s, [True])
    with pytest.raises(ValueError, match="threshold: 유한한 값이어야"):
        pair_accuracy(s, same, threshold=math.nan)
    z, y = cloud(0, 6, device)
    for function in (
        pair_scores,
        recall_at_one,
        lambda e, c: knn_accuracy(z, y, e, c),
        lambda e, c: linear_probe(z, y, e, c),
    ):
        for message, wrong in [
            ("embeddings: 실수형", (z.long(), y)),
            ("embeddings: 축의 수가 2", (z[None], y)),
            ("embeddings: 원소가 하나 이상", (z[:0], y[:0])),
            ("embeddings: 유한한 값이어야", (z / 0, y)),
            ("labels: 클래스 번호는 torch.int64", (z, y.int())),
            ("labels: 모양이", (z, y[:3])),
            ("labels: 0 이상", (z, y - 1)),
        ]:
            with pytest.raises(ValueError, match=message):
                function(*wrong)
    for function in (pair_scores, recall_at_one):
        with pytest.raises(ValueError, match="embeddings: 2 이상"):
            function(z[:1], y[:1])
    zero = z.clone()
    zero[2] = 0
    for function in (
        pair_scores,
        recall_at_one,
        lambda e, c: knn_accuracy(z, y, e, c),
        lambda e, c: linear_probe(z, y, e, c),
    ):
        with pytest.raises(ValueError, match=r"embeddings의 벡터마다 .*0보다 큰"):
            function(zero, y)
    for function in (knn_accuracy, linear_probe):
        with pytest.raises(ValueError, match=r"reference의 벡터마다 .*0보다 큰"):
            function(zero, y, z, y)
        for message, wrong in [
            ("reference_labels: 클래스 번호는 torch.int64", y.int()),
            ("reference_labels: 모양이", y[:3]),
            ("reference_labels: 0 이상", y - 1),
        ]:
            with pytest.raises(ValueError, match=message):
                function(z, wrong, z, y)
    with pytest.raises(ValueError, match="reference: 실수형"):
        knn_accuracy(z.long(), y, z, y)
    with pytest.raises(ValueError, match="embeddings: 모양이"):
        linear_probe(z, y, z[:, :2], y)
    with pytest.raises(ValueError, match="k: 라벨을 아는 임베딩 6개 이하여야 하는데 7"):
        knn_accuracy(z, y, z, y, k=7)
    with pytest.raises(ValueError, match="weight_decay: 0보다 큰"):
        linear_probe(z, y, z, y, weight_decay=0.0)
