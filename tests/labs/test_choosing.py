"""기준값: torch의 AdamW로 하나씩 학습한 신경망, scikit-learn의 점수, 손으로 센 수, SciPy의 t 구간, import 그래프."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score
from torch.nn import functional as F

import mgk_docs_src
from mgk_book.proofs import closure
from mgk_docs_src import networks
from mgk_docs_src.labs import choosing
from mgk_docs_src.labs.choosing import (
    CONDITIONS,
    DATASETS,
    GOALS,
    METHODS,
    REACHED,
    Condition,
    Learned,
    Scores,
    Split,
    Task,
    compare,
    learn,
    present_auc,
    single_thread,
    split,
    table,
    tail_counts,
    task,
)
from mgk_docs_src.metrics import one_vs_rest_auc, roc_auc
from mgk_docs_src.random import generator, randint, randn

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SMALL = {"seeds": 2, "steps": 6}
TINY = {"datasets": ["붓꽃"], "conditions": {"가": Condition(), "나": Condition(noise=0.2)}, **SMALL, "workers": 1}


def iris(device, kind=torch.float32):
    found = task("붓꽃", device=device)
    return Task(found.features.to(kind), found.labels, found.num_classes)


# --- 조건 ---


def test_the_tail_falls_by_equal_ratios():
    assert tail_counts([100, 100, 100]) == [100, 100, 100]
    assert tail_counts([100, 100, 100], imbalance=100.0) == [100, 10, 2]  # 1이 될 수가 2에서 막힌다
    assert tail_counts([90, 100], imbalance=10.0) == [10, 100]  # 많은 클래스가 앞이다
    assert tail_counts([30, 100], imbalance=2.0) == [30, 100]  # 이미 더 불균형하면 그대로다
    assert tail_counts([100, 40], amount=0.1) == [10, 4]
    assert tail_counts([100, 40], amount=0.01) == [2, 2]
    assert tail_counts([1000, 1000], imbalance=10.0, amount=0.1) == [100, 10]


@EXAMPLES
@given(
    counts=st.lists(st.integers(2, 300), min_size=2, max_size=8),
    imbalance=st.floats(1, 200),
    amount=st.floats(0.01, 1),
)
def test_a_tail_is_never_more_than_there_is_nor_less_than_two(counts, imbalance, amount):
    kept = tail_counts(counts, imbalance=imbalance, amount=amount)
    assert all(2 <= some <= there for some, there in zip(kept, counts, strict=True))
    order = sorted(range(len(counts)), key=lambda c: -counts[c])
    assert all(kept[a] >= kept[b] for a, b in pairwise(order))
    assert kept[order[0]] == max(2, round(counts[order[0]] * amount))


@EXAMPLES
@given(
    seed=st.integers(0, 10**6),
    c=st.integers(2, 5),
    extra=st.integers(0, 60),
    noise=st.floats(0, 1),
    imbalance=st.sampled_from([1.0, 10.0, 100.0]),
    amount=st.sampled_from([1.0, 0.1, 0.01]),
)
def test_a_split_keeps_what_it_promises(device, *, seed, c, extra, noise, imbalance, amount):
    g = generator(seed)
    labels = torch.cat([torch.arange(c).repeat(4), randint(0, c, (extra,), generator=g)]).to(device)
    counts = labels.bincount(minlength=c)
    parts = split(labels, num_classes=c, condition=Condition(noise, imbalance, amount), seeds=2)
    assert isinstance(parts, Split)
    halves = counts - (counts.double() * 0.5).round().long()
    kept = tail_counts(halves.tolist(), imbalance=imbalance, amount=amount)
    for learned, seen, validation, chosen_on, test in zip(*parts, strict=True):
        used = torch.cat([learned, validation])
        assert len(torch.cat([used, test]).unique()) == len(used) + len(test)  # 겹치지 않는다
        assert labels[used].bincount(minlength=c).tolist() == kept
        assert labels[test].bincount(minlength=c).tolist() == (counts - halves).tolist()  # 테스트 데이터는 그대로다
        assert seen.bincount(minlength=c).min() >= 1
        assert seen.bincount(minlength=c).max() >= 2  # SupCon의 양성 쌍
        assert len(validation) == max(1, round(len(used) / 4))
        changed = (torch.cat([seen, chosen_on]) != labels[used]).sum()
        assert changed == min(round(noise * len(used)), len(used) - c)


def test_noise_is_uniform_over_the_other_classes(device):
    labels = torch.arange(3, device=device).repeat(4000)
    parts = split(labels, num_classes=3, condition=Condition(noise=0.4), seeds=1)
    truth = labels[torch.cat([parts.learn, parts.validation], 1)[0]]
    seen = torch.cat([parts.learn_labels, parts.validation_labels], 1)[0]
    for c in range(3):
        wrong = seen[(truth == c) & (seen != c)]
        assert len(wrong) / (truth == c).sum().item() == pytest.approx(0.4, abs=0.03)
        shares = wrong.bincount(minlength=3).double() / len(wrong)
        assert shares[c] == 0
        assert shares.max().item() == pytest.approx(0.5, abs=0.05)


def test_the_validation_part_has_its_share_of_every_class(device):
    labels = torch.arange(4, device=device).repeat(200)
    parts = split(labels, num_classes=4, seeds=3)
    for held in parts.validation_labels:
        assert all(abs(count - 25) <= 1 for count in held.bincount(minlength=4).tolist())


def test_seeds_are_their_own_splits_and_the_same_for_every_call(device):
    labels = task("붓꽃", device=device).labels
    state = torch.get_rng_state()
    few, many = (split(labels, num_classes=3, seeds=seeds) for seeds in (2, 4))
    assert all(torch.equal(a, b[:2]) for a, b in zip(few, many, strict=True))
    assert not torch.equal(many.learn[0], many.learn[1])
    assert torch.equal(torch.get_rng_state(), state)


# --- 학습 ---


def test_features_are_standardised_by_the_learning_side_alone(device):
    problem = iris(device, torch.float64)
    parts = split(problem.labels, num_classes=3, seeds=2)
    learn, validation, _ = choosing._features(problem, parts)
    known = torch.cat([learn, validation], 1)
    torch.testing.assert_close(known.mean(1), torch.zeros_like(known.mean(1)), atol=1e-9, rtol=0)
    torch.testing.assert_close(known.square().mean(1), torch.ones_like(known.mean(1)), atol=1e-9, rtol=0)
    # 테스트 데이터를 어떻게 옮겨도 학습 데이터는 그대로이고, 멀리 옮긴 값은 끝에서 잘린다. 늘 같은 열은 0이다.
    moved = problem.features.clone()
    moved[parts.test[0]] += 1e6
    moved[:, 0] = 7
    one = Split(*(part[:1] for part in parts))
    again = choosing._features(problem._replace(features=moved), one)
    torch.testing.assert_close(again[0][0, :, 1:], learn[0, :, 1:])
    assert (again[2][0, :, 1:] == choosing.CLIP).all()
    assert (again[0][..., 0] == 0).all()


def alone(x, y, loss, *, point, seed, steps):
    """신경망 하나를 torch.optim.AdamW로."""
    rate, decay = point
    widths = (x.shape[-1], choosing.HIDDEN, 3)
    start = networks.initial(widths, [generator(10_000 + seed)], device=x.device, dtype=x.dtype)
    leaves = [t for group in start for t in group]
    optimiser = torch.optim.AdamW(leaves, lr=rate, weight_decay=decay)
    for _ in range(steps):
        w1, w2, b1, b2 = leaves
        z = (x @ w1[0] + b1[0]).relu() @ w2[0] + b2[0]
        optimiser.zero_grad()
        loss(z, y).backward()
        optimiser.step()
    return [leaf.detach()[0] for leaf in leaves]


PEERS = {
    "교차 엔트로피": F.cross_entropy,
    "일대나머지 BCE": lambda z, y: (
        F.binary_cross_entropy_with_logits(z, F.one_hot(y, 3).to(z.dtype), reduction="none").sum(1).mean()
    ),
    "라벨 스무딩 0.1": lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1),
    "초점 손실 γ = 2": lambda z, y: (
        (1 - z.softmax(1)[range(len(y)), y]) ** 2 * F.cross_entropy(z, y, reduction="none")
    ).mean(),
    "균형 가중치": lambda z, y: F.cross_entropy(z, y, weight=1 / y.bincount().to(z.dtype)),
    "로짓 보정": lambda z, y: F.cross_entropy(z + (y.bincount().to(z.dtype) / len(y)).log(), y),
    "일반화 교차 엔트로피": lambda z, y: ((1 - z.softmax(1)[range(len(y)), y] ** 0.7) / 0.7).mean(),
    "브라이어 손실": lambda z, y: (z.softmax(1) - F.one_hot(y, 3)).square().sum(1).mean(),
}


@pytest.mark.parametrize("name", PEERS)
def test_many_at_once_are_what_torch_learns_one_by_one(device, name):
    problem = iris(device, torch.float64)
    parts = split(problem.labels, num_classes=3, condition=Condition(imbalance=4.0), seeds=2)
    x, _, _ = choosing._features(problem, parts)
    fitted = choosing._fit(name, x, parts.learn_labels, 3, steps=5)
    for seed in range(2):
        for number in (0, len(choosing.GRID) - 1):
            y = parts.learn_labels[seed]
            wanted = alone(x[seed], y, PEERS[name], point=choosing.GRID[number], seed=seed, steps=5)
            row = seed * len(choosing.GRID) + number
            got = [t[row] for group in fitted for t in group]
            for ours, theirs in zip(got, wanted, strict=True):
                torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-7)


def test_the_cosine_reads_the_same_layer_as_an_angle(device):
    x = randn(2, 7, 4, generator=generator(0), device=device, dtype=torch.float64)
    parameters = networks.initial(
        (4, choosing.HIDDEN, 3), [generator(1), generator(2)], device=device, dtype=torch.float64
    )
    log_p = choosing._log_probabilities("코사인 소프트맥스", parameters, x)
    h = F.pad((x @ parameters.weights[0] + parameters.biases[0]).relu(), (0, 1), value=1.0)
    w = torch.cat([parameters.weights[1], parameters.biases[1]], 1).mT
    cosine = F.cosine_similarity(h.unsqueeze(2), w.unsqueeze(1), dim=-1)
    torch.testing.assert_close(log_p, (10 * cosine).log_softmax(-1))


def test_separate_sigmoids_are_shared_out_to_one(device):
    x = randn(1, 5, 4, generator=generator(0), device=device)
    parameters = networks.initial((4, choosing.HIDDEN, 3), [generator(1)], device=device)
    p = choosing._log_probabilities("일대나머지 BCE", parameters, x).exp()
    each = networks.forward(parameters, x, activation=F.relu).sigmoid()
    torch.testing.assert_close(p, each / each.sum(-1, keepdim=True))


def test_the_head_is_learned_on_frozen_features(device):
    problem = iris(device)
    parts = split(problem.labels, num_classes=3, seeds=1)
    x, _, _ = choosing._features(problem, parts)
    fitted = choosing._fit("SupCon + 선형 헤드", x, parts.learn_labels, 3, steps=60)
    # 스텝의 반으로 학습한 인코더는 헤드를 학습하는 동안 움직이지 않는다
    longer = choosing._fit("SupCon + 선형 헤드", x, parts.learn_labels, 3, steps=61)
    assert torch.equal(fitted.weights[0], longer.weights[0])
    assert not torch.equal(fitted.weights[1], longer.weights[1])
    z = choosing._log_probabilities("SupCon + 선형 헤드", fitted, x.expand(len(choosing.GRID), -1, -1))
    assert (z.argmax(-1) == parts.learn_labels).double().mean(-1).max() > 0.9


def test_batches_have_a_pair_and_no_row_twice(device, monkeypatch):
    monkeypatch.setattr(choosing, "BATCH", 5)
    labels = torch.tensor([[0, 1, 2, 3, 3, 4, 5, 6], [1, 1, 0, 2, 3, 4, 5, 6]], device=device)
    batches = choosing._batches(labels, [generator(0), generator(1)])
    for _ in range(20):
        rows = next(batches)
        assert rows.shape == (2, 5)  # 시드마다 하나. 격자의 점끼리는 배치를 나누어 쓴다
        for row, y in zip(rows, labels, strict=True):
            assert len(row.unique()) == 5
            assert y[row].bincount().max() == 2


def test_the_best_on_the_validation_part_is_chosen(device, monkeypatch):
    monkeypatch.setattr(choosing, "GRID", ((0.1, 0.0), (0.1, 0.1), (0.2, 0.0)))
    x, y = torch.ones(2, 4, 1, device=device), torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]], device=device)
    # 로짓은 (0, b)로 상수다. 둘째 시드는 모두 1번이므로 b가 클수록 맞고, 첫째는 어느 것이나 0.5라 NLL로 정한다.
    b = torch.tensor([-1.0, 0.25, 3.0, -1.0, 0.25, 3.0], device=device)
    zero = torch.zeros(6, 1, 1, device=device)
    parameters = networks.Networks(
        (zero, zero.expand(6, 1, 2)), (zero, torch.stack([torch.zeros_like(b), b], 1).unsqueeze(1))
    )
    log_p = choosing._log_probabilities("교차 엔트로피", parameters, x)
    assert choosing._select(log_p, y, 2, "balanced").tolist() == [1, 2]
    assert choosing._select(log_p, y, 2, "accuracy").tolist() == [1, 2]
    # 순서는 모두 같고(NaN도), 확률은 첫째에서 0.25, 둘째에서 3이 낫다
    assert choosing._select(log_p, y, 2, "ranking").tolist() == [1, 2]
    assert choosing._select(log_p, y, 2, "calibration").tolist() == [1, 2]


def test_batches_show_every_row_before_any_row_twice(device):
    x = torch.arange(24.0, device=device).view(2, 12, 1)
    some = choosing._epochs(x, x.squeeze(-1).long(), 4)
    for _ in range(2):
        rows = [next(some) for _ in range(3)]
        seen = torch.cat([part for part, _ in rows], 1)
        assert torch.equal(seen.sort(1).values, x)
        for part, labels in rows:
            assert torch.equal(labels[:: len(choosing.GRID)], part.squeeze(-1).long())
    whole, labels = next(choosing._epochs(x, x.squeeze(-1).long(), 12))
    assert whole is x
    assert labels.shape == (2 * len(choosing.GRID), 12)


def test_learning_by_batches_reaches_what_learning_by_all_does(device):
    problem = iris(device)
    parts = split(problem.labels, num_classes=3, seeds=2)
    x, held, test = choosing._features(problem, parts)
    known, seen = (x, parts.learn_labels), (held, parts.validation_labels)
    knobs = {"num_classes": 3, "steps": 60, "goal": "ranking"}
    (name, found), (hot, warmed) = learn([METHODS[0], "온도 스케일링"], known, seen, test, batch=20, **knobs)
    assert (name, hot) == (METHODS[0], "온도 스케일링")
    assert isinstance(found, Learned)
    truth = problem.labels[parts.test]
    assert (found.test.argmax(-1) == truth).double().mean() > 0.8
    assert torch.equal(warmed.test.argmax(-1), found.test.argmax(-1))
    assert torch.equal(warmed.settings, found.settings)
    assert set(found.settings.tolist()) <= set(range(len(choosing.GRID)))
    assert GOALS[0] == "accuracy"
    with pytest.raises(ValueError, match="goal"):
        next(learn([METHODS[0]], known, seen, test, num_classes=3, goal="빠르기"))


def test_the_area_is_that_of_the_classes_that_are_there(device):
    g = generator(0)
    scores = randn(3, 30, 3, generator=g, device=device, dtype=torch.float64)
    labels = torch.arange(30, device=device).remainder(3).expand(3, -1).clone()
    torch.testing.assert_close(present_auc(scores, labels), one_vs_rest_auc(scores, labels))
    labels[0] = labels[0].clamp_max(1)
    ours = present_auc(scores, labels)
    zero, one = (roc_auc(scores[0][labels[0] == c, c], scores[0][labels[0] != c, c]) for c in (0, 1))
    torch.testing.assert_close(ours[0], (zero + one) / 2)
    labels[1] = 0
    assert present_auc(scores, labels)[1].isnan()


# --- 비교 ---


def test_every_method_is_scored_on_every_seed(device):
    names = []
    problem = iris(device)
    before = problem.features.clone(), problem.labels.clone()
    scores = compare(problem, progress=names.append, **SMALL)
    assert isinstance(scores, Scores)
    assert names == list(METHODS)
    for column in scores:
        assert column.shape == (len(METHODS), 2)
        assert column.device.type == device.type
        assert column.dtype == torch.float32
        assert column.isfinite().all()
    assert torch.equal(problem.features, before[0])
    assert torch.equal(problem.labels, before[1])
    again = compare(problem, **SMALL)
    assert all(torch.equal(a, b) for a, b in zip(scores, again, strict=True))


def test_a_method_scores_the_same_alone_and_with_fewer_seeds(device):
    problem = iris(device)
    together = compare(problem, methods=["라벨 스무딩 0.1", "온도 스케일링"], seeds=3, steps=6)
    alone = compare(problem, methods=["온도 스케일링"], seeds=2, steps=6)
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[1, :2], b[0])


def test_scores_are_those_of_scikit_learn(device):
    z = 2 * randn(3, 40, 4, generator=generator(0), device=device, dtype=torch.float64)
    y = torch.cat([torch.arange(4).expand(3, 4), randint(0, 4, (3, 36), generator=generator(1))], 1).to(device)
    found = Scores(*choosing._score(z.log_softmax(-1), y, 4))
    for i in range(3):
        p, truth = z[i].softmax(-1).cpu().numpy(), y[i].cpu().numpy()
        assert found.accuracy[i].item() == pytest.approx((p.argmax(1) == truth).mean())
        assert found.balanced_accuracy[i].item() == pytest.approx(balanced_accuracy_score(truth, p.argmax(1)), rel=1e-6)
        assert found.nll[i].item() == pytest.approx(log_loss(truth, p), rel=1e-9)
        assert found.auc[i].item() == pytest.approx(roc_auc_score(truth, p, multi_class="ovr"), abs=1e-12)
        assert 0 < found.ece[i] < 1


def test_temperature_keeps_the_answers_and_leaves_a_perfect_part_alone(device):
    problem = iris(device)
    scores = compare(
        problem, condition=Condition(noise=0.4), methods=["교차 엔트로피", "온도 스케일링"], seeds=3, steps=80
    )
    assert torch.equal(scores.accuracy[0], scores.accuracy[1])
    assert scores.nll[1].mean() < scores.nll[0].mean()
    right = torch.eye(2, device=device).expand(2, 2, 2).log_softmax(-1)
    labels = torch.tensor([[0, 1], [0, 0]], device=device)
    temperatures = choosing._temperatures(right, labels)
    assert temperatures[0].item() == 1  # 모두 맞혔다
    assert temperatures[1].item() != 1


def test_noise_costs_accuracy_and_adjustment_helps_the_tail(device):
    problem = iris(device)
    clean = compare(problem, methods=METHODS[:1], seeds=3, steps=60)
    noisy = compare(problem, condition=Condition(noise=0.6), methods=METHODS[:1], seeds=3, steps=60)
    assert clean.accuracy.mean() > 0.9
    assert noisy.accuracy.mean() < clean.accuracy.mean() - 0.1
    cancer = task("유방암")
    cancer = cancer._replace(features=cancer.features.to(device), labels=cancer.labels.to(device))
    tail = compare(
        cancer, condition=Condition(imbalance=100.0), methods=["교차 엔트로피", "로짓 보정"], seeds=3, steps=60
    )
    assert tail.balanced_accuracy[1].mean() > tail.balanced_accuracy[0].mean()


# --- 표 ---


def test_the_data_are_those_of_the_book():
    assert DATASETS == ("숫자", "유방암", "와인", "붓꽃")
    for name, (n, d, c) in zip(DATASETS, [(1797, 64, 10), (569, 30, 2), (178, 13, 3), (150, 4, 3)], strict=True):
        found = task(name)
        assert found.features.shape == (n, d)
        assert found.labels.shape == (n,)
        assert found.num_classes == c == found.labels.unique().numel()
    assert CONDITIONS["그대로"] == Condition()
    assert {condition.noise for condition in CONDITIONS.values()} == {0, 0.2, 0.4}
    assert {condition.imbalance for condition in CONDITIONS.values()} == {1, 10, 100}
    assert {condition.amount for condition in CONDITIONS.values()} == {1, 0.1, 0.01}


def measured(device, folder, **knobs):
    """표와, 새로 잰 칸들."""
    cells = []
    found = table(folder, device=device, progress=lambda *cell: cells.append(cell), **(TINY | knobs))
    return found, cells


def test_a_table_is_the_comparisons_and_is_measured_once(device, tmp_path):
    found, cells = measured(device, tmp_path / "new")
    assert cells == [("붓꽃", "가"), ("붓꽃", "나")] == list(found)
    truth = compare(task("붓꽃", device=device), condition=Condition(noise=0.2), **SMALL)
    for ours, theirs in zip(found["붓꽃", "나"], truth, strict=True):
        assert torch.equal(ours, theirs)
    again, cells = measured(device, tmp_path / "new")
    assert cells == []
    assert all(torch.equal(a, b) for name in found for a, b in zip(found[name], again[name], strict=True))
    assert table(tmp_path / "new", device=device, **TINY).keys() == found.keys()
    assert [path.suffix for path in (tmp_path / "new").iterdir()] == [".json"] * 2


def test_two_processes_measure_what_one_does(device, tmp_path):
    knobs = {"methods": ["교차 엔트로피", "온도 스케일링"]}
    one, _ = measured(device, tmp_path / "one", **knobs)
    two, cells = measured(device, tmp_path / "two", workers=2, **knobs)
    assert sorted(cells) == sorted(one)
    for name in one:
        for a, b in zip(one[name], two[name], strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
    assert {path.name for path in (tmp_path / "one").iterdir()} == {path.name for path in (tmp_path / "two").iterdir()}


def test_one_thread_and_then_as_before(device):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with single_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


class StopError(Exception):
    """한복판에서 멈춘다."""


def test_a_stopped_table_goes_on_where_it_stopped(device, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise StopError

    with pytest.raises(StopError):
        table(tmp_path, device=device, progress=stop, **TINY)
    assert len(list(tmp_path.iterdir())) == 1
    # 둘째 칸을 재다가 죽는다: 첫째는 이미 있고, 반쪽 파일은 남지 않는다
    with monkeypatch.context() as patch:
        patch.setattr(choosing, "compare", stop)
        with pytest.raises(StopError):
            table(tmp_path, device=device, **TINY)
    assert len(list(tmp_path.iterdir())) == 1
    found, cells = measured(device, tmp_path)
    assert cells == [("붓꽃", "나")]
    assert list(found) == [("붓꽃", "가"), ("붓꽃", "나")]


def test_a_cell_cut_while_it_was_written_is_measured_again(device, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(StopError))  # 이름을 바꾸기 바로 앞에서 죽는다
        with pytest.raises(StopError):
            table(tmp_path, device=device, **TINY)
    assert [path.suffix for path in tmp_path.iterdir()] == [".partial"]
    _, cells = measured(device, tmp_path)
    assert len(cells) == 2


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "{}",
        lambda text: text.replace('"seeds": 2', '"seeds": 3'),
        lambda text: json.dumps({**json.loads(text), "scores": 3}),
        lambda text: json.dumps({**json.loads(text), "scores": {"accuracy": [[1.0]]}}),
        lambda text: json.dumps({**json.loads(text), "scores": {**json.loads(text)["scores"], "nll": [[1.0]]}}),
        lambda text: json.dumps({**json.loads(text), "scores": {**json.loads(text)["scores"], "nll": "x"}}),
        lambda text: text.replace("[[", "[[NaN, ", 1),
    ],
)
def test_a_cut_or_foreign_file_is_not_believed(device, tmp_path, harm):
    knobs = {"methods": ["교차 엔트로피"], "conditions": {"가": Condition()}}
    truth, _ = measured(device, tmp_path, **knobs)
    (path,) = tmp_path.iterdir()
    path.write_text(harm(path.read_text("utf-8")), "utf-8")
    found, cells = measured(device, tmp_path, **knobs)
    assert cells == [("붓꽃", "가")]
    assert all(torch.equal(a, b) for a, b in zip(found["붓꽃", "가"], truth["붓꽃", "가"], strict=True))


def test_another_setting_or_source_is_another_cell(device, tmp_path, monkeypatch):
    knobs = {"methods": ["교차 엔트로피"], "conditions": {"가": Condition()}}
    assert len(measured(device, tmp_path, **knobs)[1]) == 1
    for changed in ({"seeds": 3}, {"steps": 7}, {"methods": ["로짓 보정"]}, {"conditions": {"가": Condition(0.1)}}):
        assert len(measured(device, tmp_path, **(knobs | changed))[1]) == 1
    assert measured(device, tmp_path, **knobs)[1] == []
    assert (
        measured(device, tmp_path, **(knobs | {"conditions": {"다른 이름": Condition()}}))[1] == []
    )  # 이름은 뜻이 아니다
    with monkeypatch.context() as patch:
        patch.setattr(choosing, "version", lambda _: "다른 버전")
        assert len(measured(device, tmp_path, **knobs)[1]) == 1
    monkeypatch.setattr(choosing, "REACHED", REACHED[:-1])
    assert len(measured(device, tmp_path, **knobs)[1]) == 1


def test_a_cell_that_cannot_be_read_back_is_an_error(device, tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "_work", lambda name, cell: name)
    with pytest.raises(OSError, match="folder: 방금 적은"):
        table(tmp_path, device=device, **TINY)


def test_the_key_knows_every_module_that_the_engine_reaches():
    root = Path(mgk_docs_src.__file__).parents[1]
    graph = closure.import_graph(root)
    name = "mgk_docs_src.labs.choosing"
    assert set(REACHED) == {name, *graph.find_upstream_modules(name)}
    assert list(REACHED) == sorted(REACHED)


# --- 틀린 입력 ---


def refuses(error, message, function, *args, **knobs):
    with pytest.raises(error) as raised:
        function(*args, **knobs)
    assert str(raised.value).startswith(message), str(raised.value)


@pytest.mark.bad_input
def test_bad_conditions(device):
    refuses(ValueError, "imbalance: 1 이상의 유한한 값이어야 하는데 0.5이다", tail_counts, [4, 4], imbalance=0.5)
    refuses(ValueError, "amount: 0보다 큰 유한한 값이어야 하는데 0.0이다", tail_counts, [4, 4], amount=0.0)
    refuses(ValueError, "amount: [0, 1] 안의 값이어야 하는데 2이다", tail_counts, [4, 4], amount=2)
    refuses(TypeError, "imbalance: 수여야 하는데 str이다", tail_counts, [4, 4], imbalance="10")
    refuses(ValueError, "counts의 클래스: 2 이상의 정수여야", tail_counts, [4])
    refuses(ValueError, "counts[1]: 2 이상의 정수여야 하는데 1이다", tail_counts, [4, 1])
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1], device=device)
    refuses(ValueError, "labels: 클래스마다 표본이 4개 이상이어야 하는데 1번이 3개다", split, labels, num_classes=2)
    labels = torch.tensor([0, 1], device=device).repeat(4)
    refuses(ValueError, "noise: [0, 1] 안의 값", split, labels, num_classes=2, condition=Condition(noise=-0.1))
    refuses(ValueError, "seeds: 1 이상의 정수여야", split, labels, num_classes=2, seeds=0)
    refuses(ValueError, "num_classes: 2 이상의 정수여야", split, labels, num_classes=1)
    refuses(ValueError, "labels: [0, 1] 안의 값이어야", split, labels + 1, num_classes=2)
    refuses(ValueError, "labels: 클래스 번호는 torch.int64여야", split, labels.int(), num_classes=2)


@pytest.mark.bad_input
def test_bad_tasks(device):
    good = iris(device)
    for message, changed in [
        ("features: 실수형이어야", {"features": good.features.long()}),
        ("features: 축의 수가 2이어야", {"features": good.features[0]}),
        ("features: 원소가 하나 이상", {"features": good.features[:, :0]}),
        ("features: 유한한 값이어야 하는데 nan이 있다", {"features": good.features * math.nan}),
        ("labels: 모양이 (150,)이어야", {"labels": good.labels[1:]}),
        ("num_classes: 2 이상의 정수여야", {"num_classes": 1}),
        ("labels: 클래스마다 표본이 4개 이상이어야 하는데 3번이 0개다", {"num_classes": 4}),
    ]:
        refuses(ValueError, message, compare, good._replace(**changed), **SMALL)
    refuses(TypeError, "labels: 텐서여야", compare, good._replace(labels=[0, 1]), **SMALL)
    refuses(ValueError, "methods[1]: ", compare, good, methods=["교차 엔트로피", "MSE"], **SMALL)
    refuses(ValueError, "methods: 1 이상의 정수여야", compare, good, methods=[], **SMALL)
    refuses(ValueError, "steps: 2 이상의 정수여야", compare, good, steps=1)
    refuses(ValueError, "dataset: ", task, "꽃")


@pytest.mark.bad_input
def test_bad_tables(tmp_path):
    folder = tmp_path / "never"
    refuses(ValueError, "workers: 1 이상의 정수여야", table, folder, workers=0)
    refuses(ValueError, "datasets[0]: ", table, folder, datasets=["꽃"])
    assert not folder.exists()
    knobs = TINY | {"methods": ["MSE"]}
    refuses(ValueError, "methods[0]: ", table, folder, **knobs)
    assert list(folder.iterdir()) == []
