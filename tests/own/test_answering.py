"""mgk_docs_src/own/answering.py: 추천은 표와 같은 말을 하고, 모르면 모른다고 한다."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from mgk_docs_src.own import answering
from mgk_docs_src.own.answering import (
    FEW,
    GOALS,
    METRICS,
    Answer,
    Interval,
    Row,
    answer,
    interval,
    joined,
    row_scores,
    score,
)
from mgk_docs_src.own.measuring import BASE, BOOSTING, LOGISTIC, MAJORITY, Outcome
from mgk_docs_src.own.preparing import TEST_SHARE, Prepared
from tests.own.made import outcomes, scored, seeds

EVEN = (300, 300)


def said(scores, count=10, goal="balanced", counts=EVEN):
    return answer(scores, seeds(count), goal=goal, counts=counts)


def test_scores_are_those_of_scikit_learn(device):
    random = np.random.default_rng(0)
    p = random.dirichlet([1, 1, 1], 60).astype(np.float32)
    prepared = seeds(2, (30, 20, 10), 3)
    truth = prepared[0].test[1]
    (found,) = score([*outcomes(p, 2), *outcomes(p, 1, "로짓 보정")], prepared).values()  # 끝나지 않은 방법은 뺀다
    wide = p.astype(np.float64) / p.astype(np.float64).sum(1, keepdims=True)
    wanted = [
        metrics.accuracy_score(truth, p.argmax(1)),
        metrics.balanced_accuracy_score(truth, p.argmax(1)),
        metrics.roc_auc_score(truth, wide, multi_class="ovr"),
        metrics.log_loss(truth, wide),
    ]
    for name, value in zip(METRICS, wanted, strict=False):
        np.testing.assert_allclose(found[name], value, rtol=1e-6)
    assert (found["ECE"] > 0).all()


def test_intervals_widen_for_splits_that_overlap(device):
    values = np.array([0.1, 0.3, 0.2, 0.4])
    found = interval(values)
    half = stats.t.ppf(0.975, 3) * values.std(ddof=1) * math.sqrt(1 / 4 + 1 / 3)
    assert found == pytest.approx(Interval(0.25, 0.25 - half, 0.25 + half))
    assert interval(np.full(5, 0.2), floor=0.05) == pytest.approx((0.2, 0.15, 0.25))
    assert interval(values, level=0.99).high > found.high
    assert interval(values[:1]) == (0.1, -math.inf, math.inf)
    assert Interval(0.1, 0.05, 0.2).apart and not Interval(0.1, -0.05, 0.2).apart  # noqa: PT018


@pytest.mark.parametrize("goal", GOALS)
def test_the_recommendation_is_the_best_that_is_apart(device, goal):
    found = said(scored({"로짓 보정": 0.1, "균형 가중치": 0.08, "초점 손실 γ = 2": -0.1}), goal=goal)
    assert isinstance(found, Answer)
    assert found.goal == GOALS[goal]
    assert (found.loss, found.winner) == ("로짓 보정", "로짓 보정")
    assert [row.method for row in found.rows[:3]] == ["로짓 보정", "균형 가중치", BASE]
    assert found.rows[0].verdict == "나음"
    assert "손실은 ‘로짓 보정’을 추천한다" in found.sentences[0]
    assert "못한 손실: 초점 손실 γ = 2" in found.sentences[1]
    top = found.rows[0]
    assert isinstance(top, Row)
    assert f"{top.gap.mean:+.3f}" in found.sentences[0]


def test_a_mean_that_is_not_apart_is_not_recommended(device):
    found = said(scored({"로짓 보정": 0.02}, spread=0.1, 로지스틱=0))
    assert found.loss == BASE
    assert any("유의하게 나은 손실이 없다. 평균이 가장 나은 것은 ‘로짓 보정’" in one for one in found.sentences)


def test_a_simple_method_that_wins_is_said_first(device):
    boosting = said(scored({"로짓 보정": 0.1, BOOSTING: 0.25, LOGISTIC: 0.2}))
    assert (boosting.winner, boosting.loss) == (BOOSTING, "로짓 보정")
    assert boosting.sentences[0].startswith("‘그래디언트 부스팅’이 신경망 가운데 추천하는 ‘로짓 보정’보다")
    logistic = said(scored({"로짓 보정": 0.1, BOOSTING: 0.2, LOGISTIC: 0.2}))
    assert logistic.winner == LOGISTIC  # 둘의 차이를 가릴 수 없으면 더 간단한 쪽
    tie = said(scored({LOGISTIC: 0.0}), goal="calibration")
    assert tie.winner == LOGISTIC
    assert tie.sentences[0].startswith("‘로지스틱 회귀’와 ‘교차 엔트로피’의 차이가 유의하지 않다")


def test_nothing_learned_is_said_first(device):
    found = said(scored({MAJORITY: 0.0}))
    assert "‘다수 클래스’보다 균형 정확도가 유의하게 낫지 않다" in found.sentences[0]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_too_few_seeds_give_no_verdict(device, count):
    found = said(scored({"로짓 보정": 0.2}, count=count, spread=1e-6), count=count)
    assert count < FEW
    assert found.loss == BASE
    assert {row.verdict for row in found.rows} == {"기준", "시드가 적음"}
    assert found.sentences[0] == f"시드가 {count}개라 판정하지 않는다. 차이를 가리려면 --seeds를 {FEW} 이상으로 둔다."
    assert "결과와" not in found.sentences[1]


def test_one_row_of_the_test_part_is_no_difference(device):
    # 시드마다 똑같이 한 줄 차이: 표준 편차가 0이어도 구간이 0을 포함한다
    for goal, one in (("accuracy", 1 / 40), ("balanced", 1 / 20), ("ranking", 1 / 20)):
        scores = scored({"로짓 보정": one - 1e-9}, spread=0.0)
        assert said(scores, goal=goal).loss == BASE
        assert said(scored({"로짓 보정": one * 1.1}, spread=0.0), goal=goal).loss == "로짓 보정"


@pytest.mark.parametrize("goal", GOALS)
def test_rows_bound_what_splits_can_know(device, goal):
    # 두 방법의 확률을 줄마다 뽑는다. 한 분할의 점수의 차이를 거듭 뽑은 표준 편차가 줄에서 구한 오차와 같다.
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [120, 60])
    gaps, errors = [], []
    for _ in range(400):
        p = [1 / (1 + np.exp(-(labels * 2 - 1) * s - random.normal(size=180))) for s in (0.3, 0.6)]
        one = [np.stack([1 - each, each], 1) for each in p]
        prepared = [Prepared(*[(np.zeros((180, 1)), labels)] * 3)]
        found = [Outcome(name, 0, each, each, 0) for name, each in zip((BASE, "로짓 보정"), one, strict=True)]
        scores, rows = score(found, prepared), row_scores(found, prepared, goal=goal)
        gaps.append(scores[BASE][GOALS[goal]][0] - scores["로짓 보정"][GOALS[goal]][0])
        gap = rows[BASE, 0] - rows["로짓 보정", 0]
        if goal in ("accuracy", "calibration"):
            assert gap.mean() == pytest.approx(gaps[-1] * (-1 if goal == "calibration" else 1), abs=1e-6)
        errors.append(answering._sampling_error([gap], prepared, goal) / math.sqrt(TEST_SHARE))
    assert np.mean(errors) == pytest.approx(np.std(gaps), rel=0.15)


def test_splits_that_agree_by_luck_are_not_believed(device):
    prepared = seeds(6)
    random = np.random.default_rng(0)
    scores = scored({"로짓 보정": 0.05}, count=6, spread=1e-4)
    rows = {(name, seed): (random.random(40) < 0.5).astype(float) for name in scores for seed in range(6)}
    knobs = {"goal": "balanced", "counts": EVEN}
    assert answer(scores, prepared, **knobs).loss == BASE  # 한 줄이 바꿀 수 있는 크기
    wide = answer(scored({"로짓 보정": 0.08}, count=6, spread=1e-4), prepared, **knobs, by_row=rows)
    assert wide.loss == BASE
    assert answer(scored({"로짓 보정": 0.08}, count=6, spread=1e-4), prepared, **knobs).loss == "로짓 보정"


def test_the_guide_is_an_expectation_with_its_condition(device):
    scores = scored({"로짓 보정": 0.1})
    even, rare, beyond = (
        " ".join(said(scores, counts=counts).sentences) for counts in ((300, 300), (5000, 100), (8000, 8))
    )
    assert "안내표의 예상은 ‘이진 교차 엔트로피’다. 라벨 노이즈 없음, 불균형 1:10 이하일 때 쟀다" in even
    assert "다르다. 잰 결과를 따른다" in even
    assert "안내표의 예상은 ‘로짓 보정’이다" in rare
    assert "이 데이터에서 잰 결과와 같다" in rare
    assert "이만한 불균형을 잰 줄이 없어 미리 예상하지 않았다" in beyond


def test_only_the_base_and_what_is_missing(device):
    scores = scored({})
    assert "손실은" not in said(scores).sentences[0]
    with pytest.raises(ValueError, match="scores: 로지스틱 회귀"):
        said({name: each for name, each in scores.items() if name != LOGISTIC})


def test_particles_follow_the_last_sound(device):
    assert joined("로짓 보정", "이", "가") == "‘로짓 보정’이"
    assert joined("교차 엔트로피", "과", "와") == "‘교차 엔트로피’와"
    assert joined("라벨 스무딩 0.1", "을", "를") == "‘라벨 스무딩 0.1’을"
    assert joined("초점 손실 γ = 2", "을", "를") == "‘초점 손실 γ = 2’를"
    assert joined("일대나머지 BCE", "이", "가") == "‘일대나머지 BCE’가"
