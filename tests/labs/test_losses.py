"""기준값: scikit-learn, 손으로 푼 식, 하나씩 학습한 torch 신경망."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from mgk_docs_src.data import digits, iris
from mgk_docs_src.labs.losses import (
    Training,
    fit_temperature,
    predict,
    subsample,
    train,
)
from mgk_docs_src.losses.categorical import cross_entropy
from mgk_docs_src.losses.choosing import logit_adjustment
from mgk_docs_src.metrics import balanced_accuracy
from mgk_docs_src.random import generator, rand, randint, randn

EXAMPLES = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSE = {"atol": 1e-12, "rtol": 1e-12}


def batch(device, n=6, c=4, kind=torch.float64, seed=0):
    g = generator(seed)
    return 3 * randn(n, c, generator=g, device=device, dtype=kind), randint(0, c, (n,), generator=g, device=device)


def plain(z, y):
    return cross_entropy(z, y, reduction="none")


# --- 로짓 보정 ---


def test_logit_adjustment_takes_the_prior_out(device):
    # 특징에 정보가 없으면, 보정하고 학습한 로짓은 클래스마다 같고 보정하지 않은 로짓은 log π다.
    labels = torch.tensor([[0] * 9 + [1]], device=device)
    features = torch.zeros(1, 10, 1, device=device, dtype=torch.float64)
    shift = logit_adjustment(labels[0], num_classes=2, dtype=torch.float64)
    gaps = []
    for loss in (plain, lambda z, y: plain(z + shift, y)):
        networks = train(
            features, labels, loss, num_classes=2, epochs=400, learning_rate=0.05, generators=[generator(0)]
        )
        z = predict(networks, features)[0, 0]
        gaps.append((z[0] - z[1]).item())
    assert gaps == pytest.approx([math.log(9), 0], abs=1e-3)


# --- 온도 ---


@pytest.mark.parametrize("factor", [0.1, 0.5, 1.0, 3.0, 20.0])
def test_the_temperature_finds_the_factor(device, factor):
    g = generator(0)
    z = 2 * randn(300, 4, generator=g, device=device, dtype=torch.float64)
    labels = (z + randn(300, 4, generator=g, device=device, dtype=torch.float64)).argmax(1)
    base = fit_temperature(z, labels)
    torch.testing.assert_close(fit_temperature(factor * z, labels), factor * base, atol=0, rtol=1e-10)
    # 온도에서 NLL의 기울기는 0이고, 그 둘레에서 NLL이 더 크다
    beta = (1 / base).requires_grad_()
    (slope,) = torch.autograd.grad(cross_entropy(beta * z, labels), beta)
    assert abs(slope.item()) < 1e-10
    best = cross_entropy(z / base, labels)
    assert best < cross_entropy(z / (1.05 * base), labels)
    assert best < cross_entropy(z * 1.05 / base, labels)


def test_the_temperature_of_labels_drawn_from_the_model_is_one(device):
    g = generator(1)
    z = 3 * randn(20_000, 3, generator=g, device=device)
    labels = (rand(20_000, 1, generator=g, device=device) > z.softmax(1).cumsum(1)).sum(1).clamp(max=2)
    assert fit_temperature(z, labels).item() == pytest.approx(1, abs=0.03)
    assert fit_temperature(4 * z, labels).item() == pytest.approx(4, abs=0.12)
    assert fit_temperature(z.half(), labels).dtype == torch.float16


def test_the_temperature_stays_in_its_range(device):
    z = torch.eye(3, device=device)
    right = torch.arange(3, device=device)
    assert fit_temperature(z, right).item() == pytest.approx(0.01)
    assert fit_temperature(z, right.roll(1)).item() == pytest.approx(100)
    assert not fit_temperature(z.clone().requires_grad_(), right).requires_grad


# --- 표본 추출 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), c=st.integers(1, 5))
def test_a_subsample_keeps_what_was_asked_for(device, seed, n, c):
    g = generator(seed)
    labels = randint(0, c, (n,), generator=g, device=device)
    available = labels.bincount(minlength=c)
    counts = [int(randint(0, int(a) + 1, (1,), generator=g)) for a in available]
    chosen, rest = subsample(labels, counts=counts, generator=generator(seed))
    assert labels[chosen].bincount(minlength=c).tolist() == counts
    assert torch.equal(labels[chosen].sort().values, labels[chosen])
    assert torch.equal(torch.cat([chosen, rest]).sort().values.cpu(), torch.arange(n))
    again, _ = subsample(labels.cpu(), counts=counts, generator=generator(seed))
    assert torch.equal(chosen.cpu(), again)


def test_a_subsample_is_uniform(device):
    labels = torch.tensor([0, 1, 0, 1, 0], device=device)
    g = generator(0)
    seen = torch.cat([subsample(labels, counts=(1, 1), generator=g)[0] for _ in range(1500)]).bincount(minlength=5)
    # 0번은 셋 가운데 하나(500 ± 18), 1번은 둘 가운데 하나(750 ± 19)
    expected = torch.tensor([500, 750, 500, 750, 500])
    assert (seen.cpu() - expected).abs().max() < 90


# --- 학습 ---


def problem(device, seeds=4, n=30, d=3, c=3):
    g = generator(5)
    x = randn(seeds, n, d, generator=g, device=device, dtype=torch.float64)
    noise = randn(seeds, n, c, generator=g, device=device, dtype=torch.float64)
    return x, (x[..., :c] + 0.3 * noise).argmax(2)


@pytest.mark.parametrize("hidden", [(), (8,), (5, 4)])
@pytest.mark.parametrize("batch_size", [None, 7, 30])
def test_many_at_once_are_each_alone(device, hidden, batch_size):
    x, y = problem(device)
    knobs = {"num_classes": 3, "hidden": hidden, "epochs": 8, "batch_size": batch_size, "weight_decay": 0.01}
    together = train(x, y, plain, generators=[generator(s) for s in range(4)], **knobs)
    assert isinstance(together, Training)
    assert together.losses.shape == (8, 4)
    for s in range(4):
        alone = train(x[s : s + 1], y[s : s + 1], plain, generators=[generator(s)], **knobs)
        for many, one in zip(together.networks, alone.networks, strict=True):
            for ours, theirs in zip(many, one, strict=True):
                torch.testing.assert_close(ours[s : s + 1], theirs, atol=1e-10, rtol=1e-10)
        torch.testing.assert_close(together.losses[:, s : s + 1], alone.losses, atol=1e-10, rtol=1e-10)
        logits = predict(together, x)[s : s + 1]
        torch.testing.assert_close(logits, predict(alone, x[s : s + 1]), atol=1e-10, rtol=1e-10)


def test_a_network_learns_as_torch_would(device):
    # 같은 초기 가중치에서 시작한 nn.Sequential을 같은 Adam으로 학습한다. epochs=1의 손실로 초기 가중치를 확인한다.
    x, y = problem(device, seeds=1)
    g = generator(3)
    draws = [(3, 6), (6, 3), (1, 6), (1, 3)]
    first, second, *biases = (
        (2 * rand(*shape, generator=g, device=device, dtype=torch.float64) - 1) / math.sqrt(fan_in)
        for shape, fan_in in zip(draws, (3, 6, 3, 6), strict=True)
    )
    peer = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 3)).to(device, torch.float64)
    with torch.no_grad():
        for parameter, value in zip(peer.parameters(), (first.T, biases[0][0], second.T, biases[1][0]), strict=True):
            parameter.copy_(value)
    optimiser = torch.optim.Adam(peer.parameters(), lr=0.02, weight_decay=0.1)
    losses = []
    for _ in range(20):
        loss = F.cross_entropy(peer(x[0]), y[0])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    networks = train(
        x,
        y,
        plain,
        num_classes=3,
        hidden=(6,),
        epochs=20,
        learning_rate=0.02,
        weight_decay=0.1,
        generators=[generator(3)],
    )
    torch.testing.assert_close(networks.losses[:, 0], torch.stack(losses), atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(predict(networks, x)[0], peer(x[0]).detach(), atol=1e-9, rtol=1e-9)


def test_a_longer_training_begins_with_the_shorter(device):
    x, y = problem(device)
    knobs = {"num_classes": 3, "hidden": (4,), "batch_size": 8}
    short, long = (
        train(x, y, plain, epochs=epochs, generators=[generator(s) for s in range(4)], **knobs) for epochs in (3, 6)
    )
    torch.testing.assert_close(long.losses[:3], short.losses, atol=0, rtol=0)


def test_every_sample_is_seen_once_an_epoch(device):
    x, _ = problem(device)
    x[..., 0] = torch.arange(30, device=device)
    seen = []

    def loss(z, y):
        seen.append(y)
        return plain(z, y)

    labels = torch.arange(30, device=device).expand(4, 30)
    train(x, labels, loss, num_classes=30, epochs=2, batch_size=8, generators=[generator(s) for s in range(4)])
    assert [len(part) for part in seen] == [32, 32, 32, 24] * 2
    epochs = [torch.cat([part.view(4, -1) for part in seen[i : i + 4]], 1) for i in (0, 4)]
    for epoch in epochs:
        assert torch.equal(epoch.sort(1).values, labels)
    assert not torch.equal(*epochs)
    assert not torch.equal(epochs[0][0], epochs[0][1])


def test_real_data_is_learned(device):
    data = iris(device=device)
    trained = train(
        data.features.expand(3, -1, -1),
        data.labels.expand(3, -1),
        plain,
        num_classes=3,
        hidden=(16,),
        epochs=100,
        generators=[generator(s) for s in range(3)],
    )
    right = predict(trained, data.features.expand(3, -1, -1)).argmax(2) == data.labels
    assert (right.double().mean(1) > 0.95).all()
    assert (trained.losses[-1] < trained.losses[0] / 4).all()
    assert trained.losses.dtype == data.features.dtype
    (weights, biases), losses = trained
    assert not any(tensor.requires_grad for tensor in (*weights, *biases, losses))


def test_generators_may_come_one_by_one(device):
    x, y = problem(device, seeds=2)
    knobs = {"num_classes": 3, "epochs": 2, "batch_size": 7}
    listed = train(x, y, plain, hidden=(4,), generators=[generator(0), generator(1)], **knobs)
    streamed = train(x, y, plain, hidden=iter([4]), generators=map(generator, range(2)), **knobs)
    assert torch.equal(listed.losses, streamed.losses)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_seed_that_diverges_is_named_and_the_others_learn_on(device, batch_size):
    """둘째 시드의 데이터만 커서, 첫 학습 스텝에서 가중치가 넘친다."""
    x, y = problem(device, seeds=3)
    x[1] *= 1e155
    knobs = {"num_classes": 3, "hidden": (5,), "epochs": 4, "batch_size": batch_size}

    def cubed(z, y):  # 큰 로짓에서만 넘친다
        return z.gather(1, y[:, None])[:, 0] ** 3 + plain(z.clamp(-1e3, 1e3), y)

    with pytest.warns(RuntimeWarning, match=r"generators\[1\]: .*0에서"):
        together = train(x, y, cubed, generators=[generator(s) for s in range(3)], **knobs)
    for s in (0, 2):
        alone = train(x[s : s + 1], y[s : s + 1], cubed, generators=[generator(s)], **knobs)
        torch.testing.assert_close(together.losses[:, s], alone.losses[:, 0], atol=1e-10, rtol=1e-10)
        torch.testing.assert_close(together.networks.weights[0][s], alone.networks.weights[0][0])
    assert together.networks.weights[0][1].isnan().all()
    assert together.losses[:, 1].isfinite().logical_not().all()
    assert predict(together, x)[1].isnan().all()


def test_adjusting_beats_ignoring_the_tail(device):
    # 실습의 핵심 주장. 시드 5개, 대응 차이가 모두 0보다 크다.
    data = digits(device=device)
    counts = [80, 60, 40, 30, 20, 12, 8, 6, 4, 3]
    splits = [subsample(data.labels, counts=counts, generator=generator(seed)) for seed in range(5)]
    learn = torch.stack([chosen for chosen, _ in splits])
    rest = torch.stack([rest for _, rest in splits])
    x, y = data.features[learn], data.labels[learn]
    shift = logit_adjustment(y[0], num_classes=10)
    scores = []
    for loss in (plain, lambda z, y: plain(z + shift, y)):
        gs = [generator(seed) for seed in range(5)]
        networks = train(x, y, loss, num_classes=10, hidden=(32,), epochs=60, generators=gs)
        predicted = predict(networks, data.features[rest]).argmax(2)
        scores.append(balanced_accuracy(predicted, data.labels[rest], num_classes=10))
    assert (scores[1] > scores[0]).all()


def test_inputs_are_not_changed_and_results_repeat(device):
    z, y = batch(device)
    y[:4] = torch.arange(4, device=device)
    x, labels = problem(device)
    trained = train(x, labels, plain, num_classes=3, epochs=1, generators=[generator(0)] * 4)
    inputs = [z, y, x, labels, *trained.networks.weights, *trained.networks.biases]
    before = [tensor.clone() for tensor in inputs]
    calls = [
        lambda: fit_temperature(z, y),
        lambda: torch.cat(subsample(y, counts=(1, 1, 1, 1), generator=generator(0))),
        lambda: train(
            x, labels, plain, num_classes=3, epochs=2, batch_size=9, generators=[generator(s) for s in range(4)]
        ).networks.weights[0],
        lambda: predict(trained, x),
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
def test_bad_logits_and_labels(device):
    q, y = torch.full((2, 4), 0.25, device=device), torch.tensor([0, 3], device=device)
    for message, args in [
        ("labels: [0, 3] 안의 값이어야 하는데 최댓값이 4이다", (q, y + 1)),
        ("labels: [0, 3] 안의 값이어야 하는데 최솟값이 -100이다", (q, y - 100)),
        ("labels: 클래스 번호는 torch.int64여야 하는데 torch.int32이다", (q, y.int())),
        ("labels: 모양이 (2,)이어야 하는데 (1,)이다", (q, y[:1])),
        ("logits: 원소가 하나 이상이어야 하는데 모양이 (0, 4)이다", (q[:0], y[:0])),
        ("logits: 실수형이어야 하는데 torch.int64이다", (q.long(), y)),
        ("logits: 축의 수가 2이어야 하는데 모양이 (4,)이다", (q[0], y)),
        ("logits: ", (q * math.nan, y)),
        ("logits: ", (q * math.inf, y)),
    ]:
        refuses(ValueError, message, fit_temperature, *args)
    refuses(TypeError, "logits: 텐서여야 하는데 list이다", fit_temperature, [[0.0]], y)
    refuses(TypeError, "labels: 텐서여야 하는데 list이다", fit_temperature, q, [0, 3])


@pytest.mark.bad_input
def test_bad_subsamples(device):
    y, g = torch.tensor([0, 0, 1], device=device), generator(0)
    message = "counts[1]: 있는 1개까지 추출할 수 있는데 2이다"
    refuses(ValueError, message, subsample, y, counts=(1, 2), generator=g)
    refuses(ValueError, "counts[0]: 0 이상의 정수여야 하는데 -1이다", subsample, y, counts=(-1, 1), generator=g)
    refuses(TypeError, "counts[0]: 정수여야 하는데 float이다", subsample, y, counts=(1.0, 1), generator=g)
    refuses(ValueError, "labels: [0, 0] 안의 값이어야 하는데 최댓값이 1이다", subsample, y, counts=(1,), generator=g)
    refuses(ValueError, "num_classes: 1 이상의 정수여야 하는데 0이다", subsample, y, counts=(), generator=g)
    refuses(ValueError, "labels: 원소가 하나 이상이어야", subsample, y[:0], counts=(1, 1), generator=g)


@pytest.mark.bad_input
def test_bad_trainings(device):
    x, y = torch.ones(2, 3, 4, device=device), torch.tensor([[0, 1, 2], [2, 1, 0]], device=device)
    gs = [generator(0), generator(1)]
    knobs = {"num_classes": 3, "epochs": 1, "generators": gs}
    for message, args, changed in [
        ("features: 축의 수가 3이어야 하는데 모양이 (3, 4)이다", (x[0], y), {}),
        ("features: 원소가 하나 이상이어야", (x[:, :0], y[:, :0]), {}),
        ("features: 실수형이어야 하는데 torch.int64이다", (x.long(), y), {}),
        ("features: 유한한 값이어야 하는데 nan이 있다", (x * math.nan, y), {}),
        ("labels: 모양이 (2, 3)이어야 하는데 (2, 2)이다", (x, y[:, :2]), {}),
        ("labels: [0, 1] 안의 값이어야 하는데 최댓값이 2이다", (x, y), {"num_classes": 2}),
        ("labels: 클래스 번호는 torch.int64여야", (x, y.float()), {}),
        ("num_classes: 2 이상의 정수여야 하는데 1이다", (x, y), {"num_classes": 1}),
        ("hidden[1]: 1 이상의 정수여야 하는데 0이다", (x, y), {"hidden": (4, 0)}),
        ("epochs: 1 이상의 정수여야 하는데 0이다", (x, y), {"epochs": 0}),
        ("batch_size: 1 이상의 정수여야 하는데 0이다", (x, y), {"batch_size": 0}),
        ("learning_rate: 0보다 큰 유한한 값이어야 하는데 0이다", (x, y), {"learning_rate": 0}),
        ("weight_decay: 0 이상의 유한한 값이어야 하는데 -1이다", (x, y), {"weight_decay": -1}),
        ("generators: 신경망의 수 2개여야 하는데 1개이다", (x, y), {"generators": gs[:1]}),
    ]:
        refuses(ValueError, message, train, *args, plain, **(knobs | changed))
    refuses(ValueError, "loss: 모양이 (6,)이어야 하는데 ()이다", train, x, y, cross_entropy, **knobs)
    refuses(TypeError, "epochs: 정수여야 하는데 float이다", train, x, y, plain, **(knobs | {"epochs": 1.5}))
    refuses(TypeError, "features: 텐서여야 하는데 list이다", train, [[[1.0]]], y, plain, **knobs)
    diverging = knobs | {"epochs": 5, "learning_rate": 1e38}
    refuses(ValueError, "generators: 손실이 유한한 신경망이 남아야", train, 1e30 * x, y, plain, **diverging)


@pytest.mark.bad_input
def test_bad_predictions(device):
    x, y = torch.ones(2, 3, 4, device=device), torch.zeros(2, 3, device=device, dtype=torch.int64)
    networks = train(x, y, plain, num_classes=2, epochs=1, generators=[generator(0), generator(1)])
    refuses(ValueError, "features: 모양이 (2, 3, 4)이어야 하는데 (2, 3, 3)이다", predict, networks, x[..., :3])
    refuses(ValueError, "features: 모양이 (2, 3, 4)이어야 하는데 (1, 3, 4)이다", predict, networks, x[:1])
    refuses(ValueError, "features: 축의 수가 3이어야 하는데 모양이 (3, 4)이다", predict, networks, x[0])
    refuses(TypeError, "features: 텐서여야 하는데 list이다", predict, networks, [[[1.0]]])
