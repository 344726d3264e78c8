"""기준값: scikit-learn, SciPy, 손으로 푼 식, 직접 센 짝."""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score

from mgk_docs_src.metrics import (
    balanced_accuracy,
    expected_calibration_error,
    negative_log_likelihood,
    one_vs_rest_auc,
    roc_auc,
)
from mgk_docs_src.random import generator, rand, randint, randn

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
KINDS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
CLOSE = {"atol": 1e-12, "rtol": 1e-12}


def batch(device, n=6, c=4, kind=torch.float64, seed=0):
    g = generator(seed)
    return 3 * randn(n, c, generator=g, device=device, dtype=kind), randint(0, c, (n,), generator=g, device=device)


def numpy(tensor):
    return tensor.cpu().double().numpy()


# --- 균형 정확도 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 30), c=st.integers(1, 6))
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
def test_balanced_accuracy_is_that_of_scikit_learn(device, seed, n, c):
    g = generator(seed)
    predictions, labels = randint(0, c, (2, n), generator=g), randint(0, c, (2, n), generator=g)
    ours = balanced_accuracy(predictions.to(device), labels.to(device), num_classes=c)
    theirs = [balanced_accuracy_score(y, guess) for y, guess in zip(labels, predictions, strict=True)]
    assert ours.tolist() == pytest.approx(theirs, rel=1e-6)


def test_balanced_accuracy_ignores_how_many_there_are(device):
    labels = torch.tensor([0] * 98 + [1] * 2, device=device)
    assert balanced_accuracy(torch.zeros_like(labels), labels, num_classes=2) == 0.5
    assert balanced_accuracy(labels, labels, num_classes=5) == 1


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
    assert error.item() == pytest.approx(slow_calibration_error(numpy(p), y.cpu().numpy(), bins), abs=1e-12)


def test_calibration_error_at_the_ends(device):
    sure = torch.eye(3, device=device, dtype=torch.float64)
    labels = torch.arange(3, device=device)
    assert expected_calibration_error(sure, labels) == 0
    assert expected_calibration_error(sure, labels.roll(1)) == 1
    # 말한 확률대로 맞으면 0에 가깝다. 20000번에 표준 오차는 칸마다 0.01쯤이다.
    g = generator(0)
    p = randn(20_000, 4, generator=g, device=device).softmax(1)
    drawn = (rand(20_000, 1, generator=g, device=device) > p.cumsum(1)).sum(1).clamp(max=3)
    assert expected_calibration_error(p, drawn) < 0.02


@pytest.mark.parametrize(("kind", "step"), [(torch.float64, 7), (torch.float32, 7), (torch.float16, 37)])
def test_a_confidence_on_an_edge_is_in_the_lower_bin(device, kind, step):
    # 확신 b/B인 표본(맞음)과, 같은 칸의 조금 낮은 것이나 다음 칸의 것(틀림)을 함께 잰다. 같은 칸이면 두 틈이 상쇄한다.
    most = 200

    def row(q):
        copies = min(math.floor(1 / q), most)
        return [q] * copies + [1 - q * copies] + [0.0] * (most - copies)

    for bins in [2, 3, 7, 49, *range(5, most if kind != torch.float16 else 60, step)]:
        for b in range(1 + bins // 60, bins):
            edge, others = b / bins, ((b - 0.5) / bins, (b + 0.5) / bins)
            p = torch.tensor([[row(edge), row(other)] for other in others], dtype=torch.float64).to(device, kind)
            q = p[..., 0].double()
            found = expected_calibration_error(p, torch.tensor([[0, most]] * 2, device=device), bins=bins)
            truth = torch.stack([(1 - q[0, 0] - q[0, 1]).abs(), 1 - q[1, 0] + q[1, 1]]) / 2
            torch.testing.assert_close(found.double(), truth, atol=2 * torch.finfo(kind).eps, rtol=0)


def test_calibration_error_adds_a_million_gaps_without_loss(device):
    p = torch.tensor([[0.7, 0.3]], device=device).expand(1_000_000, 2)
    y = torch.zeros(1_000_000, dtype=torch.int64, device=device)
    y[:299_000] = 1
    assert expected_calibration_error(p, y).item() == pytest.approx(0.001, abs=1e-7)


# --- 음의 로그 가능도 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), c=st.integers(2, 6))
def test_the_likelihood_is_that_of_scikit_learn(device, seed, n, c):
    z, y = batch(device, n, c, seed=seed)
    theirs = log_loss(y.cpu(), numpy(z.softmax(1)), labels=range(c))
    assert negative_log_likelihood(z.log_softmax(1), y).item() == pytest.approx(theirs, rel=1e-9)


def test_an_impossible_answer_costs_infinity(device):
    certain = torch.tensor([[1.0, 0.0]], device=device).log()
    assert negative_log_likelihood(certain, torch.tensor([1], device=device)) == math.inf
    assert negative_log_likelihood(certain, torch.tensor([0], device=device)) == 0


# --- 넓이 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), m=st.integers(1, 30), n=st.integers(1, 30), levels=st.integers(1, 40))
def test_the_area_agrees_with_scikit_learn_even_with_ties(device, seed, m, n, levels):
    g = generator(seed)
    s, t = (randint(0, levels, (size,), generator=g).double() for size in (m, n))
    ours = roc_auc(s.to(device), t.to(device)).item()
    assert ours == pytest.approx(roc_auc_score(np.r_[np.ones(m), np.zeros(n)], np.r_[s, t]), abs=1e-12)
    assert ours == pytest.approx(stats.mannwhitneyu(s, t).statistic / (m * n), abs=1e-12)


def test_the_area_is_a_probability_with_its_symmetries(device):
    s, t = (randn(40, generator=generator(i), device=device, dtype=torch.float64) for i in range(2))
    value = roc_auc(s, t)
    torch.testing.assert_close(roc_auc(t, s), 1 - value, **CLOSE)
    torch.testing.assert_close(roc_auc(-s, -t), 1 - value, **CLOSE)
    torch.testing.assert_close(roc_auc(s.exp(), t.exp()), value, **CLOSE)  # 순서만 본다
    assert roc_auc(t + 100, t).item() == 1
    assert roc_auc(t, t).item() == pytest.approx(0.5, abs=1e-12)
    # 짝은 4·10¹⁰개지만 정렬로 세므로 그만큼의 메모리는 들지 않는다
    far, near = (randn(200_000, generator=generator(i), device=device, dtype=torch.float64) for i in (2, 3))
    truth = 0.5 * (1 + math.erf(1 / 2))  # N(1, 1)이 N(0, 1)보다 클 확률 Φ(1/√2)
    assert roc_auc(far + 1, near).item() == pytest.approx(truth, abs=3e-3)


@EXAMPLES
@given(seed=st.integers(0, 10**6), extra=st.integers(0, 40), c=st.integers(3, 6))
def test_one_against_the_rest_agrees_with_scikit_learn(device, seed, extra, c):
    g = generator(seed)
    labels = torch.cat([torch.arange(c).expand(2, c), randint(0, c, (2, extra), generator=g)], 1)
    p = randn(2, c + extra, c, generator=g, dtype=torch.float64).softmax(-1)
    ours = one_vs_rest_auc(p.to(device), labels.to(device))
    theirs = [roc_auc_score(y, q, multi_class="ovr") for y, q in zip(labels, p, strict=True)]
    assert ours.tolist() == pytest.approx(theirs, abs=1e-12)
    torch.testing.assert_close(one_vs_rest_auc(p.log().to(device), labels.to(device)), ours, **CLOSE)


def test_two_classes_have_the_ordinary_area(device):
    z, y = batch(device, 50, 2)
    p = z.softmax(1)
    torch.testing.assert_close(one_vs_rest_auc(p, y), roc_auc(p[y == 1, 1], p[y == 0, 1]), **CLOSE)


# --- 두루 ---


def calls(z, y):
    p = z.softmax(-1)
    return [
        lambda: balanced_accuracy(y.roll(1, -1), y, num_classes=4),
        lambda: expected_calibration_error(p, y),
        lambda: negative_log_likelihood(z.log_softmax(-1), y),
        lambda: roc_auc(z[..., 0], z[..., 1]),
        lambda: one_vs_rest_auc(z, y),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_stacked_over_leading_axes_in_every_dtype(device, kind):
    g = generator(0)
    z = randn(2, 3, 20, 4, generator=g, device=device).to(kind)
    y = torch.arange(20, device=device).remainder(4).expand(2, 3, 20)
    before = z.clone()
    for number, (stacked, alone) in enumerate(zip(calls(z, y), calls(z[1, 2], y[1, 2]), strict=True)):
        values = stacked()
        assert values.shape == (2, 3)
        assert values.dtype == (torch.get_default_dtype() if number == 0 else kind)
        assert values.device.type == device.type
        assert torch.equal(values, stacked())
        torch.testing.assert_close(values[1, 2], alone())
    assert torch.equal(z, before)


@pytest.mark.parametrize("kind", KINDS)
def test_constant_scores_know_nothing(device, kind):
    s, y = torch.full((7,), 0.1, device=device, dtype=kind), torch.arange(7, device=device) % 3
    assert roc_auc(s, s[:3]) == 0.5
    assert one_vs_rest_auc(s[:, None].expand(7, 3), y) == 0.5
    assert roc_auc(s * 0, -s * 0) == 0.5  # 0과 −0은 비긴다


def test_transforms_equal_the_loop_and_autocast_changes_nothing(device):
    z = randn(3, 20, 4, generator=generator(3), device=device)
    y = torch.arange(20, device=device).remainder(4).expand(3, 20)
    functions = [
        lambda z, y: balanced_accuracy(z.argmax(-1), y, num_classes=4),
        lambda z, y: expected_calibration_error(z.softmax(-1), y),
        lambda z, y: negative_log_likelihood(z.log_softmax(-1), y),
        lambda z, y: roc_auc(z[..., 0], z[..., 1]),
        one_vs_rest_auc,
    ]
    for function in functions:
        loop = torch.stack([function(*row) for row in zip(z, y, strict=True)])
        torch.testing.assert_close(torch.func.vmap(function)(z, y), loop, rtol=0, atol=0)
        torch.testing.assert_close(torch.func.vmap(function, in_dims=1)(z.mT.mT.movedim(0, 1), y.T), loop)
        for low in (torch.float16, torch.bfloat16):
            with torch.autocast(device.type, dtype=low):
                torch.testing.assert_close(function(z, y), loop, rtol=0, atol=0)
    slopes = torch.func.vmap(torch.func.grad(negative_log_likelihood))(z.log_softmax(-1), y)
    hot = torch.nn.functional.one_hot(y, 4)
    torch.testing.assert_close(slopes, -hot / 20.0)


def test_areas_of_two_dtypes_are_in_the_wider(device):
    s, t = torch.ones(2, device=device, dtype=torch.float16), torch.zeros(3, device=device, dtype=torch.float64)
    assert roc_auc(s, t).dtype == torch.float64
    assert roc_auc(t, s) == 0


# --- 틀린 입력 ---


def refuses(error, message, function, *args, **knobs):
    with pytest.raises(error) as raised:
        function(*args, **knobs)
    assert str(raised.value).startswith(message), str(raised.value)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("function", "name"),
    [
        (expected_calibration_error, "probabilities"),
        (negative_log_likelihood, "log_probabilities"),
        (one_vs_rest_auc, "scores"),
    ],
)
def test_bad_scores_and_labels(device, function, name):
    q, y = torch.full((2, 4), 0.25, device=device), torch.tensor([0, 3], device=device)
    for message, args in [
        ("labels: [0, 3] 안의 값이어야 하는데 최댓값이 4이다", (q, y + 1)),
        ("labels: [0, 3] 안의 값이어야 하는데 최솟값이 -100이다", (q, y - 100)),
        ("labels: 클래스 번호는 torch.int64여야 하는데 torch.int32이다", (q, y.int())),
        ("labels: 모양이 (2,)이어야 하는데 (1,)이다", (q, y[:1])),
        (f"{name}: 원소가 하나 이상이어야 하는데 모양이 (0, 4)이다", (q[:0], y[:0])),
        (f"{name}: 실수형이어야 하는데 torch.int64이다", (q.long(), y)),
        (f"{name}: 축의 수가 2 이상이어야 하는데 모양이 (4,)이다", (q[0], y)),
        ("", (q * math.nan, y)),
        ("", (q * math.inf, y)),
    ]:
        refuses(ValueError, message, function, *args)
    refuses(TypeError, f"{name}: 텐서여야 하는데 list이다", function, [[0.0]], y)
    refuses(TypeError, "labels: 텐서여야 하는데 list이다", function, q, [0, 3])


@pytest.mark.bad_input
def test_bad_knobs_and_values(device):
    q, y = torch.full((2, 4), 0.25, device=device), torch.tensor([0, 3], device=device)
    refuses(ValueError, "bins: 1 이상의 정수여야 하는데 0이다", expected_calibration_error, q, y, bins=0)
    refuses(TypeError, "bins: 정수여야 하는데 float이다", expected_calibration_error, q, y, bins=15.0)
    refuses(ValueError, "probabilities: dim=-1의 합이 1이어야 하는데", expected_calibration_error, 2 * q, y)
    negative = torch.tensor([[1.5, -0.5, 0, 0]], device=device)
    refuses(ValueError, "probabilities: 0 이상의 유한한 값이어야", expected_calibration_error, negative, y[:1])
    refuses(ValueError, "log_probabilities의 지수: dim=-1의 합이 1이어야 하는데", negative_log_likelihood, q, y)
    refuses(ValueError, "scores: 유한한 값이어야 하는데 nan이 있다", one_vs_rest_auc, q * math.nan, y)
    refuses(ValueError, "labels: 모든 클래스가 하나씩은 나와야", one_vs_rest_auc, q, y)
    refuses(
        ValueError,
        "scores: 클래스(마지막 축)가 둘 이상이어야 하는데 모양이 (2, 1)이다",
        one_vs_rest_auc,
        q[:, :1],
        y * 0,
    )


@pytest.mark.bad_input
def test_bad_predictions_of_classes(device):
    y = torch.tensor([0, 1], device=device)
    refuses(ValueError, "predictions: 모양이 (2,)이어야 하는데 (1,)이다", balanced_accuracy, y[:1], y, num_classes=2)
    refuses(ValueError, "predictions: [0, 1] 안의 값이어야", balanced_accuracy, y + 1, y, num_classes=2)
    refuses(ValueError, "labels: [0, 1] 안의 값이어야", balanced_accuracy, y, y + 1, num_classes=2)
    refuses(ValueError, "predictions: 클래스 번호는", balanced_accuracy, y.double(), y, num_classes=2)
    refuses(ValueError, "labels: 원소가 하나 이상", balanced_accuracy, y[:0], y[:0], num_classes=2)
    refuses(ValueError, "labels: 축의 수가 1 이상", balanced_accuracy, y[0], y[0], num_classes=2)
    refuses(ValueError, "num_classes: 1 이상의 정수여야", balanced_accuracy, y, y, num_classes=0)
    refuses(TypeError, "labels: 텐서여야", balanced_accuracy, y, [0, 1], num_classes=2)


@pytest.mark.bad_input
def test_bad_groups(device):
    s, t = torch.zeros(2, 3, device=device), torch.zeros(2, 4, device=device)
    refuses(TypeError, "positives: 텐서여야", roc_auc, [1.0], t)
    refuses(ValueError, "negatives: 실수형이어야", roc_auc, s, t.long())
    refuses(ValueError, "positives: 원소가 하나 이상", roc_auc, s[:, :0], t)
    refuses(ValueError, "negatives: 축의 수가 1 이상이어야", roc_auc, s, t[0, 0])
    refuses(ValueError, "positives: 유한한 값이어야 하는데 nan이 있다", roc_auc, s * math.nan, t)
    refuses(ValueError, "negatives: 모양이 (2, 4)이어야 하는데 (1, 4)이다", roc_auc, s, t[:1])
