"""기준값: scikit-learn, mpmath, 손으로 푼 식, 하나씩 배운 torch 신경망."""

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.nn import functional as F

from mgk_docs_src.data import digits, iris
from mgk_docs_src.labs.losses import (
    Networks,
    balanced_accuracy,
    class_weights,
    expected_calibration_error,
    fit_temperature,
    focal_loss,
    logit_adjustment,
    predict,
    subsample,
    train,
)
from mgk_docs_src.losses.categorical import cross_entropy
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


# --- 보정 오차 ---


def test_calibration_error_by_hand(device):
    # 확신 0.9 둘(하나 맞힘), 0.6 둘(둘 다 맞힘): (2/4)·|0.5 − 0.9| + (2/4)·|1 − 0.6| = 0.4
    p = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.4, 0.6]], device=device, dtype=torch.float64)
    y = torch.tensor([0, 0, 0, 1], device=device)
    assert expected_calibration_error(p, y).item() == pytest.approx(0.4)
    # 한 칸이면 정확도 0.75와 평균 확신 0.75가 같다
    assert expected_calibration_error(p, y, bins=1).item() == pytest.approx(0.0, abs=1e-15)
    # 칸의 위 끝은 그 칸에 든다: 두 칸이면 0.5는 아래 칸, 0.75는 위 칸이다
    p = torch.tensor([[0.5, 0.5], [0.75, 0.25]], device=device)
    y = torch.tensor([0, 1], device=device)
    assert expected_calibration_error(p, y, bins=2).item() == pytest.approx((0.5 + 0.75) / 2)
    assert expected_calibration_error(p, y, bins=1).item() == pytest.approx(abs(1 - 1.25) / 2)


def slow_calibration_error(p, y, bins):
    """정의 그대로: 칸마다 맞힌 비율과 평균 확신."""
    confidence, right = p.max(1), p.argmax(1) == y
    total = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), c=st.integers(1, 5), bins=st.integers(1, 30))
def test_calibration_error_is_its_definition(device, seed, n, c, bins):
    z, y = batch(device, n, c, seed=seed)
    p = z.softmax(1)
    error = expected_calibration_error(p, y, bins=bins)
    assert 0 <= error <= 1
    assert error.item() == pytest.approx(slow_calibration_error(p.cpu().numpy(), y.cpu().numpy(), bins), abs=1e-12)


def test_calibration_error_at_the_ends(device):
    sure = torch.eye(3, device=device, dtype=torch.float64)
    labels = torch.arange(3, device=device)
    assert expected_calibration_error(sure, labels) == 0
    assert expected_calibration_error(sure, labels.roll(1)) == 1
    for kind in (torch.float16, torch.bfloat16, torch.float32):
        assert expected_calibration_error(sure.to(kind), labels).dtype == kind
    # 말한 확률대로 맞으면 0에 가깝다. 20000번에 표준 오차는 칸마다 0.01쯤이다.
    g = generator(0)
    p = randn(20_000, 4, generator=g, device=device).softmax(1)
    drawn = (rand(20_000, 1, generator=g, device=device) > p.cumsum(1)).sum(1).clamp(max=3)
    assert expected_calibration_error(p, drawn) < 0.02


# --- 균형 정확도와 가중치 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 30), c=st.integers(1, 6))
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
def test_balanced_accuracy_and_weights_are_those_of_scikit_learn(device, seed, n, c):
    g = generator(seed)
    predictions, labels = randint(0, c, (n,), generator=g), randint(0, c, (n,), generator=g)
    ours = balanced_accuracy(predictions.to(device), labels.to(device), num_classes=c)
    assert ours.item() == pytest.approx(balanced_accuracy_score(labels, predictions), rel=1e-6)
    labels = torch.cat([labels, torch.arange(c)])
    theirs = compute_class_weight("balanced", classes=np.arange(c), y=labels.numpy())
    weights = class_weights(labels.to(device), num_classes=c, dtype=torch.float64)
    np.testing.assert_allclose(weights.cpu().numpy(), theirs, rtol=1e-14)
    assert weights[labels.to(device)].sum().item() == pytest.approx(len(labels))


def test_balanced_accuracy_ignores_how_many_there_are(device):
    labels = torch.tensor([0] * 98 + [1] * 2, device=device)
    assert balanced_accuracy(torch.zeros_like(labels), labels, num_classes=2) == 0.5
    assert balanced_accuracy(labels, labels, num_classes=5) == 1


def test_weights_and_adjustments_have_the_dtype_asked_for(device):
    labels = torch.tensor([0, 0, 0, 1], device=device)
    for function in (class_weights, logit_adjustment):
        assert function(labels, num_classes=2).dtype == torch.get_default_dtype()
        assert function(labels, num_classes=2, dtype=torch.float64).dtype == torch.float64
        assert function(labels, num_classes=2).device.type == device.type


# --- 로짓 보정 ---


def test_logit_adjustment_in_closed_form(device):
    labels = torch.tensor([0, 0, 0, 1], device=device)
    wanted = torch.tensor([0.75, 0.25], dtype=torch.float64).log()
    for tau in (0.0, 0.5, 1.0, 2.0):
        shift = logit_adjustment(labels, num_classes=2, tau=tau, dtype=torch.float64)
        torch.testing.assert_close(shift.cpu(), tau * wanted, **CLOSE)
    # 정보가 없는 모델: 보정한 로짓의 손실은 빈도의 엔트로피, 곧 그 자료에서 닿을 수 있는 가장 작은 상수 예측이다.
    z = logit_adjustment(labels, num_classes=2, dtype=torch.float64).expand(4, 2)
    frequencies = torch.tensor([0.75, 0.25], dtype=torch.float64)
    assert cross_entropy(z, labels).item() == pytest.approx(-(frequencies * wanted).sum().item())


def test_logit_adjustment_takes_the_prior_out(device):
    # 특징이 아무것도 말하지 않으면, 보정하고 배운 로짓은 클래스마다 같고 보정하지 않은 로짓은 log π다.
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


# --- 초점 손실 ---


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_loss_in_many_digits(device, gamma):
    z, y = batch(device, 20, 5)
    z = 5 * z
    with mpmath.workdps(50):
        truth = []
        for row, label in zip(z.tolist(), y.tolist(), strict=True):
            p = mpmath.exp(row[label]) / mpmath.fsum(mpmath.exp(value) for value in row)
            truth.append(float(-((1 - p) ** gamma) * mpmath.log(p)))
    loss = focal_loss(z, y, gamma=gamma, reduction="none")
    np.testing.assert_allclose(loss.cpu().numpy(), truth, rtol=1e-12, atol=0)
    assert focal_loss(z, y, gamma=gamma).item() == pytest.approx(np.mean(truth), rel=1e-12)
    assert focal_loss(z, y, gamma=gamma, reduction="sum").item() == pytest.approx(np.sum(truth), rel=1e-12)


def test_focal_loss_without_focus_is_cross_entropy(device):
    z, y = batch(device, 50)
    for reduction in ("none", "mean", "sum"):
        ours = focal_loss(z, y, gamma=0.0, reduction=reduction)
        torch.testing.assert_close(ours.cpu(), F.cross_entropy(z.cpu(), y.cpu(), reduction=reduction), **CLOSE)


@EXAMPLES
@given(seed=st.integers(0, 10**6), gamma=st.floats(0, 8))
def test_focal_loss_never_exceeds_cross_entropy(device, seed, gamma):
    z, y = batch(device, seed=seed)
    loss = focal_loss(z, y, gamma=gamma, reduction="none")
    assert (loss >= 0).all()
    assert (loss <= plain(z, y) * (1 + 1e-12)).all()
    assert (focal_loss(z, y, gamma=gamma + 1, reduction="none") <= loss).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_has_the_right_gradient(device, gamma):
    z, y = batch(device)
    assert torch.autograd.gradcheck(lambda z: focal_loss(z, y, gamma=gamma, reduction="none"), z.requires_grad_())


@pytest.mark.parametrize("gamma", [0.0, 0.01, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_focal_loss_of_a_certain_answer_has_a_finite_gradient(device, gamma, kind):
    z = torch.tensor([[1000.0, 0.0], [0.0, 1000.0]], device=device, dtype=kind, requires_grad=True)
    loss = focal_loss(z, torch.tensor([0, 0], device=device), gamma=gamma, reduction="none")
    (grad,) = torch.autograd.grad(loss.sum(), z)
    assert loss.tolist() == [0, 1000]
    assert grad.tolist() == [[0, 0], [-1, 1]]
    assert loss.dtype == kind


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


# --- 고르기 ---


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


# --- 배우기 ---


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
    assert isinstance(together, Networks)
    assert together.losses.shape == (8, 4)
    for s in range(4):
        alone = train(x[s : s + 1], y[s : s + 1], plain, generators=[generator(s)], **knobs)
        for many, one in ((together.weights, alone.weights), (together.biases, alone.biases)):
            for ours, theirs in zip(many, one, strict=True):
                torch.testing.assert_close(ours[s : s + 1], theirs, atol=1e-10, rtol=1e-10)
        torch.testing.assert_close(together.losses[:, s : s + 1], alone.losses, atol=1e-10, rtol=1e-10)
        logits = predict(together, x)[s : s + 1]
        torch.testing.assert_close(logits, predict(alone, x[s : s + 1]), atol=1e-10, rtol=1e-10)


def test_a_network_learns_as_torch_would(device):
    # 같은 첫 가중치에서 시작한 nn.Sequential을 같은 Adam으로 배운다. epochs=1의 손실로 첫 가중치를 확인한다.
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
    networks = train(
        data.features.expand(3, -1, -1),
        data.labels.expand(3, -1),
        plain,
        num_classes=3,
        hidden=(16,),
        epochs=100,
        generators=[generator(s) for s in range(3)],
    )
    right = predict(networks, data.features.expand(3, -1, -1)).argmax(2) == data.labels
    assert (right.double().mean(1) > 0.95).all()
    assert (networks.losses[-1] < networks.losses[0] / 4).all()
    assert networks.losses.dtype == data.features.dtype
    assert not any(tensor.requires_grad for tensor in (*networks.weights, *networks.biases, networks.losses))


def test_adjusting_beats_ignoring_the_tail(device):
    # 실습의 핵심 주장. 씨앗 5개, 짝지은 차이가 모두 0보다 크다.
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
        pairs = zip(predicted, data.labels[rest], strict=True)
        scores.append(torch.stack([balanced_accuracy(p, truth, num_classes=10) for p, truth in pairs]))
    assert (scores[1] > scores[0]).all()


def test_inputs_are_not_changed_and_results_repeat(device):
    z, y = batch(device)
    y[:4] = torch.arange(4, device=device)
    x, labels = problem(device)
    networks = train(x, labels, plain, num_classes=3, epochs=1, generators=[generator(0)] * 4)
    inputs = [z, y, x, labels, *networks.weights, *networks.biases]
    before = [tensor.clone() for tensor in inputs]
    calls = [
        lambda: expected_calibration_error(z.softmax(1), y),
        lambda: balanced_accuracy(y.roll(1), y, num_classes=4),
        lambda: focal_loss(z, y),
        lambda: class_weights(y, num_classes=4),
        lambda: logit_adjustment(y, num_classes=4),
        lambda: fit_temperature(z, y),
        lambda: torch.cat(subsample(y, counts=(1, 1, 1, 1), generator=generator(0))),
        lambda: train(
            x, labels, plain, num_classes=3, epochs=2, batch_size=9, generators=[generator(s) for s in range(4)]
        ).weights[0],
        lambda: predict(networks, x),
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
@pytest.mark.parametrize("function", [focal_loss, fit_temperature, expected_calibration_error])
def test_bad_scores_and_labels(device, function):
    name = "probabilities" if function is expected_calibration_error else "logits"
    q, y = torch.full((2, 4), 0.25, device=device), torch.tensor([0, 3], device=device)
    for message, args in [
        ("labels: [0, 3] 안의 값이어야 하는데 최댓값이 4이다", (q, y + 1)),
        ("labels: [0, 3] 안의 값이어야 하는데 최솟값이 -100이다", (q, y - 100)),
        ("labels: 클래스 번호는 torch.int64여야 하는데 torch.int32이다", (q, y.int())),
        ("labels: 모양이 (2,)이어야 하는데 (1,)이다", (q, y[:1])),
        (f"{name}: 원소가 하나 이상이어야 하는데 모양이 (0, 4)이다", (q[:0], y[:0])),
        (f"{name}: 실수형이어야 하는데 torch.int64이다", (q.long(), y)),
        (f"{name}: 축의 수가 2이어야 하는데 모양이 (4,)이다", (q[0], y)),
        (f"{name}: ", (q * math.nan, y)),
        (f"{name}: ", (q * math.inf, y)),
    ]:
        refuses(ValueError, message, function, *args)
    refuses(TypeError, f"{name}: 텐서여야 하는데 list이다", function, [[0.0]], y)
    refuses(TypeError, "labels: 텐서여야 하는데 list이다", function, q, [0, 3])


@pytest.mark.bad_input
def test_bad_knobs_of_scores(device):
    q, y = torch.full((2, 4), 0.25, device=device), torch.tensor([0, 3], device=device)
    refuses(ValueError, "bins: 1 이상의 정수여야 하는데 0이다", expected_calibration_error, q, y, bins=0)
    refuses(TypeError, "bins: 정수여야 하는데 float이다", expected_calibration_error, q, y, bins=15.0)
    refuses(ValueError, "probabilities: dim=1의 합이 1이어야 하는데", expected_calibration_error, 2 * q, y)
    negative = torch.tensor([[1.5, -0.5, 0, 0]], device=device)
    refuses(ValueError, "probabilities: 0 이상의 유한한 값이어야", expected_calibration_error, negative, y[:1])
    for gamma in (-0.1, math.nan, math.inf):
        refuses(ValueError, "gamma: 0 이상의 유한한 값이어야 하는데", focal_loss, q, y, gamma=gamma)
    refuses(TypeError, "gamma: 수여야 하는데 str이다", focal_loss, q, y, gamma="2")
    refuses(ValueError, "reduction: 'none', 'mean', 'sum' 가운데 하나여야", focal_loss, q, y, reduction="avg")


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [class_weights, logit_adjustment])
def test_bad_class_counts(device, function):
    y = torch.tensor([0, 2], device=device)
    refuses(ValueError, "labels: 클래스마다 표본이 있어야 하는데 1번이 없다", function, y, num_classes=3)
    refuses(ValueError, "labels: [0, 1] 안의 값이어야 하는데 최댓값이 2이다", function, y, num_classes=2)
    refuses(ValueError, "labels: [0, 2] 안의 값이어야 하는데 최솟값이 -1이다", function, y - 1, num_classes=3)
    refuses(ValueError, "labels: 원소가 하나 이상이어야 하는데", function, y[:0], num_classes=3)
    refuses(ValueError, "labels: 축의 수가 1이어야 하는데 모양이 (1, 2)이다", function, y[None], num_classes=3)
    refuses(ValueError, "labels: 클래스 번호는 torch.int64여야", function, y.float(), num_classes=3)
    refuses(ValueError, "num_classes: 1 이상의 정수여야 하는데 0이다", function, y, num_classes=0)
    refuses(TypeError, "num_classes: 정수여야 하는데 float이다", function, y, num_classes=3.0)
    refuses(TypeError, "labels: 텐서여야 하는데 list이다", function, [0, 1], num_classes=2)


@pytest.mark.bad_input
def test_bad_tau_and_predictions(device):
    y = torch.tensor([0, 1], device=device)
    refuses(ValueError, "tau: 0 이상의 유한한 값이어야 하는데 -1이다", logit_adjustment, y, num_classes=2, tau=-1)
    refuses(ValueError, "predictions: 모양이 (2,)이어야 하는데 (1,)이다", balanced_accuracy, y[:1], y, num_classes=2)
    refuses(ValueError, "predictions: [0, 1] 안의 값이어야", balanced_accuracy, y + 1, y, num_classes=2)
    refuses(ValueError, "labels: [0, 1] 안의 값이어야", balanced_accuracy, y, y + 1, num_classes=2)
    refuses(ValueError, "predictions: 클래스 번호는", balanced_accuracy, y.double(), y, num_classes=2)


@pytest.mark.bad_input
def test_bad_subsamples(device):
    y, g = torch.tensor([0, 0, 1], device=device), generator(0)
    message = "counts[1]: 있는 1개까지 고를 수 있는데 2이다"
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
    refuses(ValueError, "logits: 유한한 값이어야 하는데", train, 1e30 * x, y, plain, **diverging)


@pytest.mark.bad_input
def test_bad_predictions(device):
    x, y = torch.ones(2, 3, 4, device=device), torch.zeros(2, 3, device=device, dtype=torch.int64)
    networks = train(x, y, plain, num_classes=2, epochs=1, generators=[generator(0), generator(1)])
    refuses(ValueError, "features: 모양이 (2, 3, 4)이어야 하는데 (2, 3, 3)이다", predict, networks, x[..., :3])
    refuses(ValueError, "features: 모양이 (2, 3, 4)이어야 하는데 (1, 3, 4)이다", predict, networks, x[:1])
    refuses(ValueError, "features: 축의 수가 3이어야 하는데 모양이 (3, 4)이다", predict, networks, x[0])
    refuses(TypeError, "features: 텐서여야 하는데 list이다", predict, networks, [[[1.0]]])
