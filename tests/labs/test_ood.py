"""기준값: scikit-learn의 ROC, 직접 센 쌍, 가우스 분포의 스코어, CPU의 torch."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from mgk_docs_src import networks
from mgk_docs_src.energy.models import gradient
from mgk_docs_src.labs.ood import (
    Corruption,
    Fitted,
    autoencoder_energy,
    class_logits,
    confidence_energy,
    corrupt,
    fpr_at_tpr,
    free_energy,
    localisation,
    pixel_energies,
    scalar_energy,
    train_classifier,
    train_energy,
)
from mgk_docs_src.metrics import roc_auc
from mgk_docs_src.random import generator, rand, randint, randn

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SMALL = {"hidden": (16,), "steps": 6, "batch_size": 8}
CLOSE = {"atol": 1e-12, "rtol": 1e-12}


def numpy(tensor):
    return tensor.detach().cpu().double().numpy()


def small_network(device, outputs, *, count=2, inputs=6, kind=torch.float64):
    return networks.initial((inputs, 8, outputs), [generator(i) for i in range(count)], device=device, dtype=kind)


def moved(parameters, device, kind):
    return networks.Networks(*(tuple(layer.detach().to(device, kind) for layer in group) for group in parameters))


# --- 지표 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), m=st.integers(1, 30), n=st.integers(1, 30), levels=st.integers(1, 40))
def test_fpr_agrees_with_scikit_learn_even_with_ties(device, seed, m, n, levels):
    g = generator(seed)
    s, t = (randint(0, levels, (size,), generator=g).double() for size in (m, n))
    known = np.r_[np.zeros(m), np.ones(n)]  # 아는 입력이 양성이고, 점수가 낮을수록 아는 입력이다
    scores = -np.r_[numpy(s), numpy(t)]
    fpr, tpr, _ = roc_curve(known, scores, drop_intermediate=False)
    for wanted in (0.5, 0.95, 1.0):
        truth = fpr[np.argmax(tpr >= wanted - 1e-12)]
        assert fpr_at_tpr(s.to(device), t.to(device), tpr=wanted).item() == pytest.approx(truth, abs=1e-12)


def test_fpr_at_the_ends(device):
    t = randn(40, generator=generator(1), device=device, dtype=torch.float64)
    assert fpr_at_tpr(t + 100, t).item() == 0
    assert fpr_at_tpr(t - 100, t).item() == 1
    hundred = torch.arange(100.0, device=device)
    assert fpr_at_tpr(hundred, hundred, tpr=0.55).item() == pytest.approx(0.55)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_fpr_works_on_batches_of_any_dtype(device, kind):
    s = randn(2, 3, 20, generator=generator(0), device=device).to(kind)
    t = randn(2, 3, 30, generator=generator(1), device=device).to(kind)
    before = s.clone(), t.clone()
    values = fpr_at_tpr(s, t)
    assert values.shape == (2, 3)
    assert values.dtype == kind
    assert values.device.type == device.type
    torch.testing.assert_close(values[1, 2], fpr_at_tpr(s[1, 2], t[1, 2]))
    assert torch.equal(s, before[0])
    assert torch.equal(t, before[1])


# --- 에너지 ---


def test_the_autoencoder_energy_is_the_sum_of_its_pixels(device):
    parameters = small_network(device, 6)
    x = rand(2, 5, 6, generator=generator(9), device=device, dtype=torch.float64)
    restored = networks.forward(parameters, 2 * x - 1, activation=torch.relu)
    shares = pixel_energies(parameters, x, sigma=0.5)
    torch.testing.assert_close(shares, (x - restored) ** 2 / 0.5)
    torch.testing.assert_close(autoencoder_energy(parameters, sigma=0.5)(x), shares.sum(-1))
    torch.testing.assert_close(pixel_energies(parameters, x, sigma=1.0) * 4, shares)


def test_a_constant_restoration_is_a_gaussian(device):
    parameters = small_network(device, 6)
    still = networks.Networks(
        tuple(torch.zeros_like(weight) for weight in parameters.weights),
        (*parameters.biases[:-1], torch.full_like(parameters.biases[-1], 0.25)),
    )
    x = rand(2, 5, 6, generator=generator(9), device=device, dtype=torch.float64)
    found = gradient(autoencoder_energy(still, sigma=0.5), x)
    torch.testing.assert_close(found.energy, (x - 0.25).square().sum(-1) / 0.5)
    torch.testing.assert_close(found.gradient, (x - 0.25) / 0.25)


def test_energies_have_the_gradients_of_finite_differences(device):
    def check(energy):
        x = rand(2, 3, 6, generator=generator(4), device=device, dtype=torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(energy, x)

    check(autoencoder_energy(small_network(device, 6), sigma=0.4))
    check(scalar_energy(small_network(device, 1)))
    check(lambda z: free_energy(class_logits(small_network(device, 3), z)))
    check(lambda z: confidence_energy(class_logits(small_network(device, 3), z)))


def test_energies_of_a_classifier(device):
    parameters = small_network(device, 3)
    x = rand(2, 5, 6, generator=generator(9), device=device, dtype=torch.float64)
    logits = class_logits(parameters, x)
    assert logits.shape == (2, 5, 3)
    torch.testing.assert_close(free_energy(logits), -logits.exp().sum(-1).log())
    torch.testing.assert_close(confidence_energy(logits), -logits.softmax(-1).amax(-1).log())
    torch.testing.assert_close(free_energy(logits + 5), free_energy(logits) - 5)  # 분류는 같아도 에너지는 다르다
    torch.testing.assert_close(confidence_energy(logits + 5), confidence_energy(logits))
    even = torch.zeros(4, device=device)
    assert confidence_energy(even).item() == pytest.approx(math.log(4))
    assert confidence_energy(torch.tensor([200.0, 0.0], device=device)).item() == 0
    torch.testing.assert_close(
        scalar_energy(small_network(device, 1))(x), class_logits(small_network(device, 1), x)[..., 0]
    )


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_energies_follow_dtype_and_device(device, kind):
    x = rand(2, 5, 6, generator=generator(0), device=device, dtype=kind)
    before = x.clone()
    many, one = moved(small_network(device, 6), device, kind), moved(small_network(device, 1), device, kind)
    for values in (
        autoencoder_energy(many, sigma=0.3)(x),
        scalar_energy(one)(x),
        free_energy(class_logits(many, x)),
        confidence_energy(class_logits(many, x)),
    ):
        assert values.shape == (2, 5)
        assert values.dtype == kind
        assert values.device.type == device.type
    assert torch.equal(x, before)


# --- 학습 ---


def test_a_trained_energy_points_to_the_data(device):
    """한 점 c뿐인 데이터에 노이즈를 섞으면 N(c, σ²I)이고, 스코어는 −(x − c)/σ²다."""
    centre = torch.tensor([0.2, 0.8, 0.5], device=device, dtype=torch.float64)
    data = centre.expand(1, 4, 3)
    build = partial(autoencoder_energy, sigma=0.3)
    fitted = train_energy(
        data, build, outputs=3, sigma=0.3, hidden=(64,), steps=800, batch_size=64, generators=[generator(0)]
    )
    x = centre + 0.3 * randn(1, 200, 3, generator=generator(1), device=device, dtype=torch.float64)
    slope = gradient(build(fitted.parameters), x).gradient
    truth = (x - centre) / 0.09
    assert ((slope - truth).norm() / truth.norm()).item() < 0.1
    assert fitted.losses[-20:].mean() < 0.2 * fitted.losses[:5].mean()


def test_a_trained_energy_tells_strangers_apart(device):
    g = generator(5)
    data = 0.2 + 0.05 * randn(2, 64, 6, generator=g, device=device)
    strange = 0.8 + 0.05 * randn(2, 64, 6, generator=g, device=device)
    same = 0.2 + 0.05 * randn(2, 64, 6, generator=g, device=device)
    knobs = {"sigma": 0.2, "hidden": (32,), "steps": 100, "generators": [generator(i) for i in range(2)]}
    build = partial(autoencoder_energy, sigma=0.2)
    energies = [
        build(train_energy(data, build, outputs=6, **knobs).parameters),
        scalar_energy(train_energy(data, scalar_energy, outputs=1, **knobs).parameters),
    ]
    for energy in energies:
        assert (roc_auc(energy(strange), energy(same)) > 0.99).all()


def two_classes(device, count=2):
    g = generator(6)
    labels = randint(0, 2, (count, 80), generator=g, device=device)
    centre = torch.where(labels == 0, 0.2, 0.6).unsqueeze(-1)
    return centre + 0.05 * randn(count, 80, 4, generator=g, device=device), labels


def test_a_classifier_learns_and_matching_teaches_its_energy(device):
    data, labels = two_classes(device)
    knobs = {"num_classes": 2, "hidden": (32,), "steps": 150, "batch_size": 32}
    fitted = [
        train_classifier(data, labels, matching=matching, generators=[generator(i) for i in range(2)], **knobs)
        for matching in (0.0, 10.0)
    ]
    for one in fitted:
        assert (class_logits(one.parameters, data).argmax(-1) == labels).double().mean() > 0.98
    # 아무것도 없는 사이가 아니라 먼 바깥: 스코어를 맞춘 분류기만 에너지가 높다
    far = torch.full((2, 1, 4), 1.6, device=device)
    energies = [lambda z, p=one.parameters: free_energy(class_logits(p, z)) for one in fitted]
    plain, matched = (energy(far).squeeze(1) - energy(data).mean(1) for energy in energies)
    assert (plain < 0).all()  # 보통의 분류기는 멀수록 확신도가 높다
    assert (matched > 0).all()


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_networks_trained_together_are_those_trained_alone(device, kind):
    data, labels = two_classes(device, 3)
    data = data.to(kind)
    before = data.clone()

    def energies(rows):
        return train_energy(
            data[rows],
            partial(autoencoder_energy, sigma=0.3),
            outputs=4,
            sigma=0.3,
            **SMALL,
            generators=[generator(i) for i in rows],
        )

    def classifiers(rows):
        return train_classifier(
            data[rows], labels[rows], num_classes=2, matching=1.0, **SMALL, generators=[generator(i) for i in rows]
        )

    for train in (energies, classifiers):
        together, alone = train([0, 1, 2]), train([1])
        assert isinstance(together, Fitted)
        assert together.losses.shape == (6, 3)
        for many, one in zip(together.parameters, alone.parameters, strict=True):
            for a, b in zip(many, one, strict=True):
                assert a.dtype == kind
                assert a.device.type == device.type
                assert not a.requires_grad
                torch.testing.assert_close(a[1:2], b, atol=1e-5, rtol=1e-4)
        again = train([0, 1, 2])
        assert torch.equal(again.losses, together.losses)
    assert torch.equal(data, before)


# --- 망가뜨린 화소 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), count=st.integers(1, 5))
def test_corruption_flips_exactly_the_chosen_pixels(device, seed, count):
    x = rand(4, 6, generator=generator(seed), device=device)
    before = x.clone()
    found = corrupt(x, count=count, generator=generator(seed + 1))
    assert isinstance(found, Corruption)
    assert found.pixels.shape == (4, count)
    assert (found.pixels.diff(dim=1) > 0).all()
    changed = torch.zeros_like(x, dtype=torch.bool).scatter(1, found.pixels, True)
    assert torch.equal(found.images != x, changed)
    assert torch.equal(found.images[changed], (x[changed] < 0.5).to(x.dtype))
    again = corrupt(x, count=count, generator=generator(seed + 1))
    assert torch.equal(again.images, found.images)
    assert torch.equal(x, before)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_corruption_stays_where_it_is_allowed(device, kind):
    x = rand(50, 8, generator=generator(0), device=device, dtype=kind)
    allowed = torch.zeros_like(x, dtype=torch.bool)
    allowed[:, 2:5] = True
    found = corrupt(x, count=3, allowed=allowed, generator=generator(1))
    assert found.images.dtype == kind
    assert (found.pixels == torch.arange(2, 5, device=device)).all()
    every = corrupt(x, count=1, generator=generator(2)).pixels.flatten().bincount(minlength=8)
    assert (every > 0).all()


def test_localisation_is_the_auroc_inside_one_image(device):
    g = generator(3)
    blame = rand(3, 5, 10, generator=g, device=device, dtype=torch.float64)
    x = rand(15, 10, generator=g, device=device, dtype=torch.float64)
    pixels = corrupt(x, count=3, generator=g).pixels.view(3, 5, 3)
    values = localisation(blame, pixels)
    assert values.shape == (3, 5)
    for i in range(3):
        for j in range(5):
            truth = np.zeros(10)
            truth[numpy(pixels[i, j]).astype(int)] = 1
            assert values[i, j].item() == pytest.approx(roc_auc_score(truth, numpy(blame[i, j])), abs=1e-12)
    perfect = torch.zeros(10, device=device).scatter(0, pixels[0, 0], 1.0)
    assert localisation(perfect, pixels[0, 0]).item() == 1
    assert localisation(-perfect, pixels[0, 0]).item() == 0
    assert localisation(torch.zeros(10, device=device), pixels[0, 0]).item() == 0.5


# --- 틀린 입력 ---


def refuses(error, message, function, *args, **knobs):
    with pytest.raises(error) as raised:
        function(*args, **knobs)
    assert str(raised.value).startswith(message)


@pytest.mark.bad_input
def test_bad_scores(device):
    s, t = torch.zeros(2, 3, device=device), torch.zeros(2, 4, device=device)
    refuses(TypeError, "outliers: 텐서여야", fpr_at_tpr, [1.0], t)
    refuses(ValueError, "inliers: 실수형이어야", fpr_at_tpr, s, t.long())
    refuses(ValueError, "outliers: 원소가 하나 이상", fpr_at_tpr, s[:, :0], t)
    refuses(ValueError, "inliers: 축의 수가 1 이상이어야", fpr_at_tpr, s, t[0, 0])
    refuses(ValueError, "outliers: 유한한 값이어야 하는데 nan이 있다", fpr_at_tpr, s * math.nan, t)
    refuses(ValueError, "inliers: 모양이 (2, 4)이어야 하는데 (1, 4)이다", fpr_at_tpr, s, t[:1])
    refuses(ValueError, "tpr: 0보다 큰", fpr_at_tpr, s, t, tpr=0.0)
    refuses(ValueError, "tpr: [0, 1] 안의 값", fpr_at_tpr, s, t, tpr=1.5)
    refuses(TypeError, "tpr: 수여야", fpr_at_tpr, s, t, tpr="0.95")


@pytest.mark.bad_input
def test_bad_energies(device):
    parameters = small_network(device, 3)
    x = torch.zeros(2, 5, 6, device=device, dtype=torch.float64)
    refuses(ValueError, "sigma: 0보다 큰", pixel_energies, parameters, x, sigma=0.0)
    refuses(ValueError, "sigma: 0보다 큰", autoencoder_energy, parameters, sigma=-1.0)
    refuses(TypeError, "sigma: 수여야", autoencoder_energy, parameters, sigma=None)
    refuses(
        ValueError, "parameters: 모양이 (2, 5, 6)이어야 하는데 (2, 5, 3)이다", pixel_energies, parameters, x, sigma=1.0
    )
    for function in (partial(class_logits, parameters), scalar_energy(parameters)):
        refuses(TypeError, "x: 텐서여야", function, [0.0])
        refuses(ValueError, "x: 실수형이어야", function, x.long())
        refuses(ValueError, "x: 모양이", function, x[:1])
    for function in (free_energy, confidence_energy):
        refuses(TypeError, "logits: 텐서여야", function, [0.0])
        refuses(ValueError, "logits: 실수형이어야", function, x.long())
        refuses(ValueError, "logits: 유한한 값이어야", function, x + math.inf)
        refuses(ValueError, "logits: 원소가 하나 이상", function, x[:0])
        refuses(ValueError, "logits: 축의 수가 1 이상이어야", function, x[0, 0, 0])


@pytest.mark.bad_input
def test_bad_trainings(device):
    data, labels = two_classes(device)
    knobs = {"data": data, **SMALL, "generators": [generator(i) for i in range(2)]}
    learn = partial(train_energy, **(knobs | {"build": scalar_energy, "outputs": 1, "sigma": 0.3}))
    classify = partial(train_classifier, **(knobs | {"labels": labels, "num_classes": 2}))
    for train in (learn, classify):
        refuses(ValueError, "steps: 1 이상의", train, steps=0)
        refuses(ValueError, "batch_size: 1 이상의", train, batch_size=0)
        refuses(TypeError, "steps: 정수여야", train, steps=1.5)
        refuses(ValueError, "learning_rate: 0보다 큰", train, learning_rate=0.0)
        refuses(ValueError, "sigma: 0보다 큰", train, sigma=0.0)
        refuses(ValueError, "generators: 데이터마다 하나씩 2개여야 하는데 1개다", train, generators=[generator(0)])
        refuses(ValueError, "data: 유한한 값이어야", train, data=data * math.nan)
        refuses(ValueError, "data: 실수형이어야", train, data=data.long())
        refuses(TypeError, "data: 텐서여야", train, data=[[0.0]])
    refuses(ValueError, "outputs: 1 이상의", learn, outputs=0)
    refuses(ValueError, "data: 축의 수가 3이어야", learn, data=data[0])
    refuses(ValueError, "data: 원소가 하나 이상", learn, data=data[:, :0])
    refuses(ValueError, "num_classes: 2 이상의", classify, num_classes=1)
    refuses(ValueError, "matching: 0 이상의", classify, matching=-1.0)
    refuses(ValueError, "labels: [0, 1] 안의 값이어야", classify, labels=labels + 2)
    refuses(ValueError, "labels: 모양이 (2, 80)이어야", classify, labels=labels[:1])
    refuses(ValueError, "labels: 클래스 번호는", classify, labels=labels.float())
    refuses(ValueError, "labels: 원소가 하나 이상", classify, labels=labels[:, :0], data=data[:, :0])


@pytest.mark.bad_input
def test_bad_corruptions(device):
    x = torch.zeros(2, 5, device=device)
    free = torch.ones_like(x, dtype=torch.bool)
    bad = partial(corrupt, generator=generator(0))
    refuses(TypeError, "x: 텐서여야", bad, [0.0], count=1)
    refuses(ValueError, "x: 축의 수가 2이어야", bad, x[0], count=1)
    refuses(ValueError, "x: 실수형이어야", bad, x.long(), count=1)
    refuses(ValueError, "x: 원소가 하나 이상", bad, x[:0], count=1)
    refuses(ValueError, "x: [0, 1] 안의 값이어야", bad, x + 2, count=1)
    refuses(ValueError, "count: 1 이상의", bad, x, count=0)
    refuses(TypeError, "allowed: 텐서여야", bad, x, count=1, allowed=[True])
    refuses(ValueError, "allowed: 모양이 (2, 5)이어야", bad, x, count=1, allowed=free[:1])
    refuses(ValueError, "allowed: torch.bool이어야", bad, x, count=1, allowed=x)
    free[1, 1:] = False
    message = "allowed: 이미지마다 화소 2개 이상을 뽑을 수 있어야 하는데 1개인 이미지가 있다"
    refuses(ValueError, message, bad, x, count=2, allowed=free)
    refuses(ValueError, "allowed: 이미지마다 화소 6개 이상을 뽑을 수 있어야 하는데 5개인", bad, x, count=6)
    pixels = torch.zeros(2, 1, dtype=torch.int64, device=device)
    refuses(TypeError, "blame: 텐서여야", localisation, [0.0], pixels)
    refuses(ValueError, "blame: 실수형이어야", localisation, x.long(), pixels)
    refuses(ValueError, "blame: 유한한 값이어야", localisation, x / 0, pixels)
    refuses(ValueError, "pixels: 클래스 번호는", localisation, x, pixels.int())
    refuses(ValueError, "pixels: 모양이 (2, 1)이어야", localisation, x, pixels[:1])
    refuses(ValueError, "pixels: 축의 수가 1 이상이어야", localisation, x, pixels[0, 0])
    refuses(ValueError, "pixels: 원소가 하나 이상", localisation, x, pixels[:, :0])
    refuses(ValueError, "pixels: [0, 4] 안의 값이어야", localisation, x, pixels + 5)
    refuses(ValueError, "pixels: 화소 5개보다 적어야 하는데 5개다", localisation, x, pixels.expand(2, 5))
