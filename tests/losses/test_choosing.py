"""기준값: scikit-learn, mpmath, 손으로 푼 식, CPU의 torch.nn.functional."""

import importlib
import inspect
import itertools
import math
import posixpath
import re
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymdownx.slugs import slugify
from sklearn.metrics import brier_score_loss
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from mgk_docs_src.losses.categorical import cross_entropy
from mgk_docs_src.losses.choosing import (
    GOALS,
    GUIDE,
    LABELS,
    REFUSALS,
    VERDICTS,
    Measured,
    Recommendation,
    Refusal,
    Rule,
    brier_loss,
    class_weights,
    focal_loss,
    generalised_cross_entropy,
    logit_adjustment,
    recommend,
)
from mgk_docs_src.random import generator, randint, randn

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


# --- 균형 가중치 ---


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(0, 30), c=st.integers(1, 6))
def test_weights_are_those_of_scikit_learn(device, seed, n, c):
    labels = torch.cat([randint(0, c, (n,), generator=generator(seed)), torch.arange(c)])
    theirs = compute_class_weight("balanced", classes=np.arange(c), y=labels.numpy())
    weights = class_weights(labels.to(device), num_classes=c, dtype=torch.float64)
    np.testing.assert_allclose(weights.cpu().numpy(), theirs, rtol=1e-14)
    assert weights[labels.to(device)].sum().item() == pytest.approx(len(labels))


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
    # 정보가 없는 모델: 보정한 로짓의 손실은 빈도의 엔트로피, 곧 그 데이터에서 상수 예측의 가장 작은 손실이다.
    z = logit_adjustment(labels, num_classes=2, dtype=torch.float64).expand(4, 2)
    frequencies = torch.tensor([0.75, 0.25], dtype=torch.float64)
    assert cross_entropy(z, labels).item() == pytest.approx(-(frequencies * wanted).sum().item())


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


# --- 일반화 교차 엔트로피 ---


def true_probabilities(z, y):
    """50자리로 구한 확률들과 정답의 번호."""
    rows = []
    for row, label in zip(z.tolist(), y.tolist(), strict=True):
        powers = [mpmath.exp(value) for value in row]
        rows.append(([power / mpmath.fsum(powers) for power in powers], label))
    return rows


@pytest.mark.parametrize("q", [1e-300, 1e-12, 1e-3, 0.3, 0.7, 1.0])
def test_generalised_cross_entropy_in_many_digits(device, q):
    z, y = batch(device, 20, 5)
    z = 5 * z
    with mpmath.workdps(700):
        truth = [float((1 - p[label] ** mpmath.mpf(q)) / mpmath.mpf(q)) for p, label in true_probabilities(z, y)]
    loss = generalised_cross_entropy(z, y, q=q, reduction="none")
    np.testing.assert_allclose(loss.cpu().numpy(), truth, rtol=1e-12, atol=0)
    assert generalised_cross_entropy(z, y, q=q).item() == pytest.approx(np.mean(truth), rel=1e-12)
    assert generalised_cross_entropy(z, y, q=q, reduction="sum").item() == pytest.approx(np.sum(truth), rel=1e-12)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("q", [0.0, 1e-300, 1e-30, 1e-10])
def test_without_bending_it_is_cross_entropy(device, q, kind):
    z, y = batch(device, 50, kind=kind)
    ours = generalised_cross_entropy(z, y, q=q, reduction="none")
    torch.testing.assert_close(
        ours, plain(z, y), rtol=2e-9 if kind == torch.float64 else None, atol=0.0 if kind == torch.float64 else None
    )
    assert ours.dtype == kind


@EXAMPLES
@given(seed=st.integers(0, 10**6), q=st.floats(1e-6, 1), scale=st.floats(0.1, 300))
def test_generalised_cross_entropy_is_bounded_and_falls_with_q(device, seed, q, scale):
    z, y = batch(device, seed=seed)
    loss = generalised_cross_entropy(scale * z, y, q=q, reduction="none")
    assert (loss >= 0).all()
    assert (loss <= 1 / q).all()
    assert (loss <= plain(scale * z, y) * (1 + 1e-12)).all()
    assert (generalised_cross_entropy(scale * z, y, q=q / 2, reduction="none") >= loss * (1 - 1e-12)).all()


def test_a_bounded_loss_of_all_classes_hardly_depends_on_the_label(device):
    # Zhang과 Sabuncu의 정리 1: Σ_c ℓ(z, c)는 (C − C^{1−q})/q와 (C − 1)/q 사이. 교차 엔트로피의 합에는 상한이 없다.
    z, _ = batch(device, 200, 5)
    labels = torch.arange(5, device=device)
    for q in (0.3, 0.7, 1.0):
        totals = sum(generalised_cross_entropy(9 * z, label.expand(200), q=q, reduction="none") for label in labels)
        assert totals.min() >= (5 - 5 ** (1 - q)) / q - 1e-9
        assert totals.max() <= 4 / q + 1e-9
    assert sum(plain(9 * z, label.expand(200)) for label in labels).max() > 100


def test_generalised_cross_entropy_sharpens_the_probabilities(device):
    # 기댓값 Σ_y p_y ℓ(z, y)는 softmax(z) ∝ p^{1/(1−q)}에서 가장 작다. 참 확률이 아니다.
    p = torch.tensor([0.6, 0.3, 0.1], device=device, dtype=torch.float64)
    z = (p.log() / (1 - 0.7)).requires_grad_()
    each = generalised_cross_entropy(z.expand(3, 3), torch.arange(3, device=device), reduction="none")
    (slope,) = torch.autograd.grad((p * each).sum(), z)
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-14, rtol=0)
    assert z.softmax(0)[0] > 0.9


# --- 브라이어 손실 ---


def test_brier_loss_in_many_digits(device):
    z, y = batch(device, 20, 5)
    z = 5 * z
    with mpmath.workdps(50):
        truth = [
            float(mpmath.fsum((p - (c == label)) ** 2 for c, p in enumerate(row)))
            for row, label in true_probabilities(z, y)
        ]
    np.testing.assert_allclose(brier_loss(z, y, reduction="none").cpu().numpy(), truth, rtol=1e-12, atol=0)
    assert brier_loss(z, y).item() == pytest.approx(np.mean(truth), rel=1e-12)
    assert brier_loss(z, y, reduction="sum").item() == pytest.approx(np.sum(truth), rel=1e-12)


@EXAMPLES
@given(seed=st.integers(0, 10**6), scale=st.floats(0, 300))
def test_brier_loss_is_that_of_scikit_learn_and_bounded(device, seed, scale):
    z, y = batch(device, 12, 2, seed=seed)
    y[:2] = torch.tensor([0, 1])
    loss = brier_loss(scale * z, y, reduction="none")
    assert (loss >= 0).all()
    assert (loss <= 2).all()
    theirs = brier_score_loss(y.cpu().numpy(), (scale * z).softmax(1)[:, 1].cpu().numpy())
    assert loss.mean().item() == pytest.approx(2 * theirs, abs=1e-12)  # 둘일 때 scikit-learn은 한 칸만 센다


def test_brier_loss_is_smallest_at_the_true_probabilities(device):
    # 라벨이 p에서 나오면 기댓값 Σ_y p_y ℓ(z, y)는 softmax(z) = p에서 가장 작다. 기울기가 0이고 옆은 더 크다.
    p = torch.tensor([0.6, 0.3, 0.1], device=device, dtype=torch.float64)
    labels = torch.arange(3, device=device)

    def expected(z):
        return (p * brier_loss(z.expand(3, 3), labels, reduction="none")).sum()

    z = p.log().requires_grad_()
    (slope,) = torch.autograd.grad(expected(z), z)
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-14, rtol=0)
    g = generator(0)
    for _ in range(20):
        assert expected(z + 0.1 * randn(3, generator=g, device=device, dtype=torch.float64)) > expected(z)


@pytest.mark.parametrize("function", [brier_loss, generalised_cross_entropy])
def test_bounded_losses_have_the_right_gradient(device, function):
    z, y = batch(device)
    assert torch.autograd.gradcheck(lambda z: function(z, y, reduction="none"), z.requires_grad_())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("function", "worst"), [(brier_loss, 2.0), (generalised_cross_entropy, 1 / 0.7)])
def test_bounded_losses_of_certain_answers(device, function, worst, kind):
    z = torch.tensor([[1000.0, 0.0], [0.0, 1000.0]], device=device, dtype=kind, requires_grad=True)
    loss = function(z, torch.tensor([0, 0], device=device), reduction="none")
    (grad,) = torch.autograd.grad(loss.sum(), z)
    assert loss[0] == 0
    assert loss[1].item() == pytest.approx(worst, rel=torch.finfo(kind).eps)
    assert grad.abs().max().item() < 1e-300  # 확신하며 틀린 표본은 거의 밀지 않는다
    assert loss.dtype == kind


# --- 클래스가 많을 때, 가린 클래스, 호출하는 방법 ---

SLOPES = {  # dℓ/dh를 h의 식으로. ℓ의 로짓에 대한 기울기는 dℓ/dh · dh/dz
    focal_loss: lambda h: -torch.expm1(-h) * (2 * h * torch.exp(-h) - torch.expm1(-h)),
    generalised_cross_entropy: lambda h: torch.exp(-0.7 * h),
}


@pytest.mark.parametrize("classes", [2, 1000, 50_000])
@pytest.mark.parametrize("function", [focal_loss, generalised_cross_entropy, brier_loss])
def test_values_and_gradients_against_float64_at_many_classes(device, function, classes):
    z, y = batch(device, 8, classes, torch.float32)
    y[::2] = z.argmax(1)[::2]
    results = []
    for x in (z, z.double()):
        leaf = x.clone().requires_grad_()
        loss = function(leaf, y, reduction="none")
        results.append((loss, torch.autograd.grad(loss.sum(), leaf)[0]))
    (loss, grad), (true_loss, true_grad) = results
    torch.testing.assert_close(loss.double(), true_loss, rtol=3e-6, atol=0)
    p, at = z.double().softmax(1), y[:, None]
    wrong = p.scatter(1, at, 0.0)
    if function is brier_loss:
        e = p.scatter(1, at, -wrong.sum(1, keepdim=True))
        by_hand = 2 * p * (e - (p * e).sum(1, keepdim=True))
        size = 2 * p * (e.abs() + (p * e.abs()).sum(1, keepdim=True))
    else:
        h = cross_entropy(z.double(), y, reduction="none")
        by_hand = SLOPES[function](h)[:, None] * wrong.scatter(1, at, -wrong.sum(1, keepdim=True))
        size = by_hand.abs()
    torch.testing.assert_close(true_grad, by_hand, rtol=1e-9, atol=1e-300)
    assert ((grad.double() - by_hand).abs() / size.clamp_min(1e-35)).max() <= 5e-6
    top = z.argmax(1, keepdim=True)
    assert ((grad.double() - by_hand).abs() / size).gather(1, top).max() <= 2e-6


def test_masked_classes_leave_the_others_as_they_are(device):
    z, y = batch(device)
    masked = torch.cat([z, torch.full_like(z[:, :2], -math.inf)], 1).requires_grad_()
    gone = torch.full_like(y, 5)
    for function, worst in ((focal_loss, math.inf), (generalised_cross_entropy, 1 / 0.7), (brier_loss, None)):
        loss = function(masked, y, reduction="none")
        torch.testing.assert_close(loss, function(z, y, reduction="none"))
        (grad,) = torch.autograd.grad(loss.sum(), masked)
        assert (grad[:, 4:] == 0).all()
        assert grad.isfinite().all()
        hopeless = function(masked, gone, reduction="none")
        wanted = 1 + z.softmax(1).square().sum(1) if worst is None else torch.full_like(hopeless, worst)
        torch.testing.assert_close(hopeless, wanted)
        assert torch.autograd.grad(hopeless.sum(), masked)[0].isfinite().all()


@pytest.mark.parametrize("function", [focal_loss, generalised_cross_entropy, brier_loss])
def test_transforms_equal_the_loop(device, function):
    z, y = batch(device, 12)
    z, y = z.view(3, 4, 4), y.view(3, 4)
    leaf = z.clone().requires_grad_()
    losses = torch.stack([function(x, labels) for x, labels in zip(leaf, y, strict=True)])
    (slopes,) = torch.autograd.grad(losses.sum(), leaf)
    torch.testing.assert_close(torch.func.vmap(function)(z, y), losses.detach())
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(function))(z, y), slopes)
    push = torch.linspace(-1, 2, 16, device=device, dtype=torch.float64).view(4, 4)
    for x, labels, slope in zip(z, y, slopes, strict=True):
        _, tangent = torch.func.jvp(lambda x, labels=labels: function(x, labels), (x,), (push,))
        torch.testing.assert_close(tangent, (slope * push).sum())
    assert torch.autograd.gradgradcheck(lambda x: function(x, y[0]), leaf[0].detach().requires_grad_())


@pytest.mark.parametrize("low", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("function", [focal_loss, generalised_cross_entropy, brier_loss])
def test_autocast_changes_nothing(device, function, low):
    z, y = batch(device, kind=torch.float32)
    plain, half = function(z, y), z.to(low).requires_grad_()
    with torch.autocast(device.type, dtype=low):
        torch.testing.assert_close(function(z, y), plain, rtol=0, atol=0)
        loss = function(half, y)
    assert loss.dtype == torch.float32
    assert torch.autograd.grad(2.0**16 * loss, half)[0].isfinite().all()


@pytest.mark.parametrize("function", [class_weights, logit_adjustment])
def test_the_weights_of_many_label_lists_at_once(device, function):
    labels = torch.tensor([[0, 0, 1, 2], [2, 1, 0, 2]], device=device)
    both = torch.func.vmap(lambda row: function(row, num_classes=3))(labels)
    torch.testing.assert_close(both, torch.stack([function(row, num_classes=3) for row in labels]))
    with pytest.raises(ValueError, match=r"labels: 클래스마다 표본이 있어야 하는데 1번이 없다"):
        torch.func.vmap(lambda row: function(row, num_classes=3))(torch.where(labels == 1, 0, labels)[1:])


# --- 추천 ---

DOCS = Path(__file__).parents[2] / "docs"
IMBALANCES, NOISES, COUNTS = (
    sorted({end for rule in GUIDE for end in ends(rule) if math.isfinite(end)})
    for ends in (lambda rule: rule.imbalance, lambda rule: rule.noise, lambda rule: rule.per_class)
)


def around(values, step, low, high):
    """경곗값마다 그 아래, 그 값, 그 위. 범위를 벗어난 값은 뺀다."""
    return sorted({v + d for v in values for d in (-step, 0, step) if low <= v + d <= high})


EVERY = list(
    itertools.product(
        LABELS,
        GOALS,
        around(IMBALANCES, 0.5, 1, math.inf),
        around(NOISES, 0.01, 0, 1),
        [None, *around(COUNTS, 1, 1, math.inf)],
    )
)


def refusals(labels, goal):
    return [refusal for refusal in REFUSALS if labels in refusal.labels and goal in refusal.goals]


def test_every_path_ends_in_one_answer_or_the_documented_error(device):
    reached = set()
    for labels, goal, imbalance, noise, per_class in EVERY:
        facts = {"imbalance": imbalance, "noise": noise, "per_class": per_class}
        matching = [rule for rule in GUIDE if rule.asks(labels, goal) and rule.holds(imbalance, noise, per_class)]
        if refused := refusals(labels, goal):
            assert len(refused) == 1, (labels, goal)
            assert not matching, (labels, goal)
            refuses(
                ValueError, f"labels={labels!r}, goal={goal!r}: {refused[0].reason}", recommend,
                labels=labels, goal=goal, **facts,
            )  # fmt: skip
            continue
        found = recommend(labels=labels, goal=goal, **facts)
        assert isinstance(found, Recommendation)
        first = matching[0]
        assert (found.reason, found.page, found.evidence) == (first.reason, first.page, first.evidence)
        assert found.loss == f"{first.loss} ({first.function.split('.')[-1]})"
        reached.add(first.name)
    assert reached == {rule.name for rule in GUIDE}


def test_the_guide_is_well_made(device):
    names = [rule.name for rule in GUIDE]
    assert len(set(names)) == len(names)
    for labels, goal in itertools.product(LABELS, GOALS):
        rules = [rule for rule in GUIDE if rule.asks(labels, goal)]
        # 사실을 묻지 않는 규칙은 꼭 하나, 맨 끝에 있다. 그래야 언제나 답이 있고, 닿지 못하는 줄이 없다.
        assert [bool(rule.condition) for rule in rules] == [True] * (len(rules) - 1) + [False] * bool(rules)
    for rule in (*GUIDE, *REFUSALS):
        assert isinstance(rule, Rule | Refusal)
        assert set(rule.labels) <= set(LABELS)
        assert set(rule.goals) <= set(GOALS)
        assert len(rule.reason) > 10
    for rule in GUIDE:
        assert rule.reason.endswith("다.")
        assert re.fullmatch(r"[a-z-]+", rule.name)


@pytest.mark.parametrize("rule", [rule for rule in GUIDE if rule.condition], ids=lambda rule: rule.name)
def test_both_ends_are_part_of_the_range_and_nothing_beyond(rule):
    ranges = {"imbalance": rule.imbalance, "noise": rule.noise, "per_class": rule.per_class}
    inside = {name: low for name, (low, _) in ranges.items()}
    assert rule.holds(**inside)
    asked = 0
    for name, (low, high) in ranges.items():
        if math.isfinite(high):
            assert rule.holds(**inside | {name: high})
            assert rule.holds(**inside | {name: high + 0.01}) is False
        assert rule.holds(**inside | {name: low - 0.01}) is False
        asked += (low, high) not in ((1, math.inf), (0, 1))
    # 라벨의 수를 모르면 적다고 보지 않는다
    assert rule.holds(**inside | {"per_class": None}) is (rule.per_class[1] == math.inf)
    assert len(rule.condition.split(", ")) == asked


def test_conditions_in_words():
    rules = {rule.name: rule.condition for rule in GUIDE}
    assert rules["noise"] == "라벨 노이즈 20–40 %, 불균형 1:2 이하, 라벨 25개 이상"
    assert rules["few"] == "라벨 노이즈 없음, 불균형 1:10 이하, 라벨 10개 이하"
    assert rules["noisy-rare"] == "라벨 노이즈 20 %, 불균형 1:10–1:100"
    assert rules["rare-tags"] == "불균형 1:10 이상"
    assert rules["unmeasured"] == ""


def test_outside_what_was_measured_the_guide_says_so():
    for facts in (
        {"noise": 0.1},
        {"noise": 0.41},
        {"labels": "binary", "noise": 0.5},  # C = 2: 라벨에 정보가 없다
        {"noise": 0.2, "per_class": 10},
        {"noise": 0.2, "imbalance": 5.0},
        {"noise": 0.3, "imbalance": 10.0},
        {"noise": 0.4, "imbalance": 100.0, "goal": "balanced"},
        {"imbalance": 11.0},  # 쓰일 곳의 클래스도 불균형한 데이터의 정확도
        {"imbalance": 35.0, "goal": "balanced"},
        {"imbalance": 101.0, "goal": "balanced"},
        {"imbalance": 101.0, "goal": "ranking"},
        {"noise": 0.1, "goal": "ranking"},
        {"noise": 0.2, "imbalance": 10.0, "goal": "calibration"},
    ):
        assert recommend(**{"labels": "classes"} | facts).loss == "재지 않음: 교차 엔트로피 (cross_entropy)", facts


def test_the_answers_that_the_book_gives_elsewhere():
    # 이 책의 다른 장에 적힌 답과 같은가. 표를 거꾸로 베끼지 않고 손으로 적었다.
    for facts, name in [
        ({"labels": "binary"}, "bce_with_logits"),
        ({"labels": "classes"}, "cross_entropy"),
        ({"labels": "classes", "imbalance": 1000.0}, "cross_entropy"),
        ({"labels": "classes", "goal": "balanced", "imbalance": 50.0}, "logit_adjustment"),
        ({"labels": "classes", "goal": "balanced", "imbalance": 30.0}, "cross_entropy"),
        ({"labels": "binary", "noise": 0.4}, "generalised_cross_entropy"),
        ({"labels": "binary", "noise": 0.2, "imbalance": 10.0, "goal": "balanced"}, "cross_entropy"),
        ({"labels": "binary", "noise": 0.2, "goal": "ranking"}, "generalised_cross_entropy"),
        ({"labels": "binary", "goal": "ranking"}, "cross_entropy"),
        ({"labels": "classes", "goal": "calibration", "per_class": 3}, "cross_entropy"),
        ({"labels": "multilabel", "goal": "calibration"}, "bce_with_logits"),
        ({"labels": "probabilities", "goal": "calibration"}, "cross_entropy"),
        ({"labels": "pairs"}, "sigmoid_loss"),
        ({"labels": "none", "goal": "embedding"}, "nt_xent"),
        ({"labels": "none", "goal": "samples"}, "denoising_loss"),
        ({"labels": "none", "goal": "density"}, "noise_contrastive"),
        ({"labels": "classes", "goal": "embedding"}, "supcon"),
        ({"labels": "classes", "goal": "embedding", "per_class": 2}, "supcon"),
        ({"labels": "classes", "goal": "embedding", "per_class": 1}, "nt_xent"),
    ]:
        assert recommend(**facts).loss.endswith(f" ({name})"), facts


@pytest.mark.parametrize("rule", GUIDE, ids=lambda rule: rule.name)
def test_a_rule_names_a_function_of_the_book(rule):
    module, _, name = rule.function.rpartition(".")
    function = getattr(importlib.import_module(f"mgk_docs_src.{module}"), name)
    assert inspect.isfunction(function)
    assert function.__module__ == f"mgk_docs_src.{module}"


def anchors(path):
    """docs에서 시작하는 경로에 있는 제목의 id들. 실습은 노트북이 되기 전의 파이썬 파일을 본다."""
    lab = path.endswith(".ipynb")
    text = (DOCS / path.replace(".ipynb", ".py")).read_text("utf-8")
    headings = re.findall(r"^# #+ (.+)$" if lab else r"^#+ (.+)$", text, re.MULTILINE)
    slug = slugify(case="lower")
    ids = {heading.split("{")[1].strip(" #}") if heading.endswith("}") else slug(heading, "-") for heading in headings}
    return ids | set(re.findall(r'<\w+ id="([^"]+)"', text))


@pytest.mark.parametrize("rule", GUIDE, ids=lambda rule: rule.name)
def test_page_and_evidence_are_there(rule):
    for place in (rule.page, rule.evidence):
        path, _, anchor = place.partition("#")
        assert anchor in anchors(path), place


BOUND = re.compile(r"(<data [^>]*>)[^<]*</data>")  # 안의 수는 실습의 값이라 따로 비교한다
MARKS = dict(zip(VERDICTS, ("▲", "○", "▼", "○▼"), strict=True))
LAB = "labs/choosing.ipynb"


def marks(rule):
    """근거의 판정을 표시 하나로."""
    found = "".join(MARKS[one.verdict] for one in rule.measured)
    return "".join(mark for mark in "▲○▼" if mark in found)


def evidence(rule):
    """근거의 표에 들 줄들. 방법 하나의 차이는 실습의 수에 묶고, 모든 방법의 판정은 조건과 점수를 모은다."""
    alone, where, what = [], {}, {}
    for one in rule.measured:
        if one.method == "모두":
            where.setdefault((one.score, one.verdict), []).append(one.condition)
        else:
            data = f'<data value="labs/choosing:{one.record}"></data>'
            alone.append((one.condition, one.score, one.method, f"{MARKS[one.verdict]} {one.verdict}", data))
    for (score, verdict), conditions in where.items():
        what.setdefault((", ".join(conditions), verdict), []).append(score)
    many = [
        (conditions, ", ".join(scores), "모두", f"{MARKS[said]} {said}", "–")
        for (conditions, said), scores in what.items()
    ]
    return [*alone, *many]


def test_what_a_rule_measured_has_words_of_the_lab(device):
    for rule in GUIDE:
        for one in rule.measured:
            assert isinstance(one, Measured)
            assert one.verdict in VERDICTS
            assert one.record == f"{one.condition}/{one.method} {one.score} Δ"
        assert bool(rule.measured) <= rule.evidence.startswith(LAB)


def listed(head, rows):
    """마크다운 표."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def link(words, place):
    path, _, anchor = place.partition("#")
    own = path == "losses/choosing.md"
    return f"[{words}]({'' if own else posixpath.relpath(path, 'losses')}#{anchor})"


def named(names, wanted):
    return ", ".join(names[name] for name in names if name in wanted)


def summary_table():
    """클래스 라벨의 답을 사실과 목표로 줄인 표. 칸마다 두 라벨과 범위의 두 끝에서 물은 답이 모두 같다."""
    facts = {
        "라벨 노이즈 없음, 불균형 1:10 이하": ((0.0,), (1.0, 10.0)),
        "라벨 노이즈 없음, 불균형 1:10–1:30": ((0.0,), (10.1, 30.0)),
        "라벨 노이즈 없음, 불균형 1:40–1:100": ((0.0,), (40.0, 100.0)),
        "라벨 노이즈 20–40 %, 불균형 1:2 이하": ((0.2, 0.4), (1.0, 2.0)),
        "라벨 노이즈 20 %, 불균형 1:10–1:100": ((0.2,), (10.0, 100.0)),
    }
    names = {"cross_entropy": "교차 엔트로피", "bce_with_logits": "교차 엔트로피"} | {
        name: f"**{loss}**"
        for name, loss in (
            ("logit_adjustment", "로짓 보정"),
            ("generalised_cross_entropy", "일반화 교차 엔트로피"),
        )
    }
    goals = ("accuracy", "balanced", "ranking", "calibration")
    rows = []
    for words, (noises, imbalances) in facts.items():
        cells = [words]
        for goal in goals:
            asked = itertools.product(("binary", "classes"), noises, imbalances)
            found = {recommend(labels=a, goal=goal, noise=b, imbalance=c).loss for a, b, c in asked}
            said = {"재지 않음" if "재지" in loss else names[loss.split("(")[1].rstrip(")")] for loss in found}
            assert len(said) == 1, (words, goal, found)
            cells += said
        rows.append(cells)
    return listed(["데이터의 사실", *(GOALS[goal] for goal in goals)], rows)


def class_table():
    """이진과 다중 클래스의 줄들. 실습이 잰 범위에서만 답하고 나머지는 모른다고 한다."""
    rows = []
    for rule in GUIDE:
        if rule.evidence.startswith(LAB):
            only = [] if len(rule.labels) == 2 else [named(LABELS, rule.labels)]
            rows.append(
                (
                    f'<span id="rule-{rule.name}"></span>{named(GOALS, rule.goals)}',
                    ", ".join([*only, *filter(None, [rule.condition])]) or "그 밖",
                    link(rule.loss, rule.page),
                    rule.reason,
                    f"{link('실습', rule.evidence)} {marks(rule)}".rstrip(),
                )
            )
    return listed(["목표", "사실", "시작할 손실", "이유", "근거"], rows)


def other_table():
    """나머지 줄들. 손실을 비교한 실습이 없어 설명에 기댄다."""
    rows = [
        (
            f'<span id="rule-{rule.name}"></span>{named(LABELS, rule.labels)}',
            named(GOALS, rule.goals),
            rule.condition or "–",
            link(rule.loss, rule.page),
            rule.reason,
            link("실습" if rule.evidence.startswith("labs/") else "장", rule.evidence),
        )
        for rule in GUIDE
        if not rule.evidence.startswith(LAB)
    ]
    return listed(["라벨", "목표", "사실", "시작할 손실", "이유", "근거"], rows)


def evidence_table():
    """판정마다의 구간. 접힌 상자 안이라 네 칸 들여 쓴다."""
    rows = []
    for rule in GUIDE:
        only = "" if len(rule.labels) == 2 else f"{named(LABELS, rule.labels)}, "
        rows += [(f"[{only}{named(GOALS, rule.goals)}](#rule-{rule.name})", *cells) for cells in evidence(rule)]
    table = listed(["안내표의 줄", "조건", "점수", "방법", "판정", "차이"], rows)
    return "\n".join(f"    {line}" for line in table.split("\n"))


def refusal_table():
    rows = [
        (named(LABELS, refusal.labels), named(GOALS, refusal.goals), re.sub(r"(\w+='\w+')", r"`\1`", refusal.reason))
        for refusal in REFUSALS
    ]
    return listed(["라벨", "목표", "왜 안 되고, 무엇이면 되는가"], rows)


@pytest.mark.parametrize("table", [summary_table, class_table, other_table, evidence_table, refusal_table])
def test_the_page_shows_the_same_tables(table):
    text = BOUND.sub(r"\1</data>", (DOCS / "losses/choosing.md").read_text("utf-8"))
    assert table() in text, f"표를 이것으로 바꾼다\n{table()}"


def test_the_tables_keep_the_order_of_the_guide():
    # 위에서부터 처음 맞는 줄이 답이므로, 표를 둘로 나누어도 한 물음이 지나는 줄들의 차례는 그대로다.
    measured = [rule.evidence.startswith(LAB) for rule in GUIDE]
    assert measured == sorted(measured, reverse=True)


# --- 모두 ---


def test_inputs_are_not_changed_and_results_repeat(device):
    z, y = batch(device)
    y[:4] = torch.arange(4, device=device)
    before = z.clone(), y.clone()
    for call in (
        lambda: focal_loss(z, y),
        lambda: generalised_cross_entropy(z, y),
        lambda: brier_loss(z, y),
        lambda: class_weights(y, num_classes=4),
        lambda: logit_adjustment(y, num_classes=4),
    ):
        first, second = call(), call()
        assert first.device.type == device.type
        assert torch.equal(first, second)
    assert torch.equal(z, before[0])
    assert torch.equal(y, before[1])


# --- 틀린 입력 ---


def refuses(error, message, function, *args, **knobs):
    with pytest.raises(error) as raised:
        function(*args, **knobs)
    assert str(raised.value).startswith(message), str(raised.value)


@pytest.mark.bad_input
@pytest.mark.parametrize("function", [focal_loss, generalised_cross_entropy, brier_loss])
def test_bad_scores_and_labels(device, function):
    z, y = torch.full((2, 4), 0.25, device=device), torch.tensor([0, 3], device=device)
    for message, args in [
        ("labels: [0, 3] 안의 값이어야 하는데 최댓값이 4이다", (z, y + 1)),
        ("labels: [0, 3] 안의 값이어야 하는데 최솟값이 -100이다", (z, y - 100)),
        ("labels: 클래스 번호는 torch.int64여야 하는데 torch.int32이다", (z, y.int())),
        ("labels: 모양이 (2,)이어야 하는데 (1,)이다", (z, y[:1])),
        ("logits: 원소가 하나 이상이어야 하는데 모양이 (0, 4)이다", (z[:0], y[:0])),
        ("logits: 실수형이어야 하는데 torch.int64이다", (z.long(), y)),
        ("logits: 축의 수가 2이어야 하는데 모양이 (4,)이다", (z[0], y)),
        ("logits: ", (z * math.nan, y)),
        ("logits: ", (z * math.inf, y)),
    ]:
        refuses(ValueError, message, function, *args)
    refuses(TypeError, "logits: 텐서여야 하는데 list이다", function, [[0.0]], y)
    refuses(TypeError, "labels: 텐서여야 하는데 list이다", function, z, [0, 3])
    refuses(ValueError, "reduction: 'none', 'mean', 'sum' 가운데 하나여야", function, z, y, reduction="avg")


@pytest.mark.bad_input
def test_bad_knobs(device):
    z, y = torch.full((2, 4), 0.25, device=device), torch.tensor([0, 3], device=device)
    for gamma in (-0.1, math.nan, math.inf):
        refuses(ValueError, "gamma: 0 이상의 유한한 값이어야 하는데", focal_loss, z, y, gamma=gamma)
    refuses(TypeError, "gamma: 수여야 하는데 str이다", focal_loss, z, y, gamma="2")
    for q in (-0.1, 1.1, math.nan, math.inf):
        refuses(ValueError, "q: [0, 1] 안의 값이어야 하는데", generalised_cross_entropy, z, y, q=q)
    refuses(TypeError, "q: 수여야 하는데 str이다", generalised_cross_entropy, z, y, q="0.7")
    labels = torch.tensor([0, 1], device=device)
    refuses(ValueError, "tau: 0 이상의 유한한 값이어야 하는데 -1이다", logit_adjustment, labels, num_classes=2, tau=-1)


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
def test_bad_facts():
    for message, facts in [
        ("labels: 'binary', 'classes', 'multilabel', 'probabilities', 'pairs', 'none' 가운데", {"labels": "integers"}),
        ("goal: 'accuracy', 'balanced', 'ranking',", {"goal": "speed"}),
        ("imbalance: 1 이상의 유한한 값이어야 하는데 0.5이다", {"imbalance": 0.5}),
        ("imbalance: 1 이상의 유한한 값이어야 하는데 inf이다", {"imbalance": math.inf}),
        ("imbalance: 1 이상의 유한한 값이어야 하는데 nan이다", {"imbalance": math.nan}),
        ("noise: [0, 1] 안의 값이어야 하는데 -0.1이다", {"noise": -0.1}),
        ("noise: [0, 1] 안의 값이어야 하는데 40이다", {"noise": 40}),
        ("per_class: 1 이상의 정수여야 하는데 0이다", {"per_class": 0}),
    ]:
        refuses(ValueError, message, recommend, **({"labels": "classes"} | facts))
    refuses(TypeError, "imbalance: 수여야 하는데 str이다", recommend, labels="classes", imbalance="10")
    refuses(TypeError, "per_class: 정수여야 하는데 float이다", recommend, labels="classes", per_class=2.5)
