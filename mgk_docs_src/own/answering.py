"""점수와 구간과 결론. 추천은 모두 잰 뒤에 표에서 나오고, 문장은 이 표에서 알 수 있는 것만 말한다."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats

from mgk_docs_src.labs.choosing import METHODS, present_auc
from mgk_docs_src.losses.choosing import GUIDE
from mgk_docs_src.metrics import balanced_accuracy, expected_calibration_error, negative_log_likelihood
from mgk_docs_src.own.measuring import BASE, BOOSTING, LOGISTIC, MAJORITY, YARDSTICKS, Outcome
from mgk_docs_src.own.preparing import TEST_SHARE, Prepared

METRICS = ("정확도", "균형 정확도", "AUC", "NLL", "ECE")
LOWER = ("NLL", "ECE")  # 작을수록 좋은 점수
GOALS = {"accuracy": "정확도", "balanced": "균형 정확도", "ranking": "AUC", "calibration": "NLL"}
FEW = 4  # 시드가 이보다 적으면 구간이 시드의 운에 따라 크게 달라지므로 판정하지 않는다

Scores = Mapping[str, Mapping[str, np.ndarray]]  # 방법 → 점수의 이름 → 시드마다의 값


class Interval(NamedTuple):
    """평균과 구간. 시드가 하나이면 구간이 무한하다.

    Attributes:
        mean: 시드의 평균.
        low: 아래 끝.
        high: 위 끝.
    """

    mean: float
    low: float
    high: float

    @property
    def apart(self) -> bool:
        """0을 포함하지 않는가."""
        return self.low > 0 or self.high < 0


class Row(NamedTuple):
    """방법 하나의 줄.

    Attributes:
        method: 방법의 이름.
        scores: 점수마다 평균과 95 % 구간.
        gap: 목표의 점수에서 교차 엔트로피보다 얼마나 나은가. 양수가 나은 쪽이다. 기준의 줄에는 없다.
        verdict: `"기준"`, `"나음"`, `"못함"`, `"유의하지 않음"`, `"시드가 적음"`.
    """

    method: str
    scores: dict[str, Interval]
    gap: Interval | None
    verdict: str


class Answer(NamedTuple):
    """잰 것에서 나온 답.

    Attributes:
        goal: 목표의 점수.
        rows: 목표의 점수가 나은 방법부터.
        loss: 추천하는 손실.
        winner: 간단한 방법까지 모두 본 추천. 손실이거나 `YARDSTICKS` 가운데 하나.
        sentences: 결론의 문장들.
    """

    goal: str
    rows: list[Row]
    loss: str
    winner: str
    sentences: list[str]


def score(outcomes: Sequence[Outcome], prepared: Sequence[Prepared]) -> dict[str, dict[str, np.ndarray]]:
    """테스트 데이터에서 방법마다, 시드마다 점수를 잰다. 모든 시드가 끝난 방법만 든다.

    Args:
        outcomes: 잰 결과들.
        prepared: 시드마다의 준비한 데이터.

    Returns:
        방법의 이름에서 점수의 이름, 거기서 시드마다의 값.

    Raises:
        ValueError: 확률이나 라벨이 틀렸으면.

    References:
        Gneiting, T. & Raftery, A. E. (2007). Strictly Proper Scoring Rules, Prediction, and Estimation.
    """
    found: dict[str, dict[int, list[float]]] = {}
    for one in outcomes:
        labels = torch.from_numpy(prepared[one.seed].test[1])
        p = torch.from_numpy(one.test).double()
        p = p / p.sum(1, keepdim=True)  # float32로 적어 두어 합이 1에서 조금 벗어난다
        predicted = p.argmax(-1)
        found.setdefault(one.method, {})[one.seed] = [
            (predicted == labels).double().mean().item(),
            balanced_accuracy(predicted, labels, num_classes=p.shape[-1]).item(),
            present_auc(p.log()[None], labels[None]).item(),
            negative_log_likelihood(p.log(), labels).item(),
            expected_calibration_error(p, labels).item(),
        ]
    return {
        method: dict(zip(METRICS, np.array([each[seed] for seed in sorted(each)]).T, strict=True))
        for method in (*METHODS, *YARDSTICKS)  # 끝난 차례와 상관없는 표가 되게
        for each in [found.get(method, {})]
        if len(each) == len(prepared)
    }


def interval(values: np.ndarray, *, level: float = 0.95, floor: float = 0.0) -> Interval:
    r"""한 데이터를 거듭 나누어 잰 값의 평균과 신뢰 구간.

    $$\bar{d} \pm \max\Bigl( t_{J-1}\, s_d \sqrt{\tfrac{1}{J} + \tfrac{\rho}{1 - \rho}},\ \text{floor} \Bigr)$$

    Args:
        values: 시드마다의 값.
        level: 신뢰 수준.
        floor: 반너비의 하한. 시드마다의 값이 우연히 같아도 한 줄이 바꿀 수 있는 크기보다 좁아지지 않게 한다.

    Returns:
        평균과 두 끝.

    References:
        Nadeau, C. & Bengio, Y. (2003). Inference for the Generalization Error.
    """
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, -math.inf, math.inf)
    spread = math.sqrt(1 / len(values) + TEST_SHARE / (1 - TEST_SHARE)) * float(values.std(ddof=1))
    half = max(float(stats.t.ppf(0.5 + level / 2, len(values) - 1)) * spread, floor)
    return Interval(mean, mean - half, mean + half)


def row_scores(
    outcomes: Sequence[Outcome], prepared: Sequence[Prepared], *, goal: str
) -> dict[tuple[str, int], np.ndarray]:
    """테스트 데이터의 줄마다 점수에 보탠 값. 줄의 수에서 오는 오차를 재는 데 쓴다.

    맞힘(정확도, 균형 정확도), 정답의 로그 확률(NLL), 자기 클래스의 점수가 더 낮은 다른 클래스의 비율(AUC)이다.

    Args:
        outcomes: 잰 결과들.
        prepared: 시드마다의 준비한 데이터.
        goal: 목표. `GOALS`의 이름.

    Returns:
        방법과 시드마다, 테스트 데이터의 줄마다의 값.

    References:
        DeLong, E. R. 외 (1988). Comparing the Areas under Two or More Correlated ROC Curves.
    """
    return {(one.method, one.seed): _row_score(one.test, prepared[one.seed].test[1], goal) for one in outcomes}


def _row_score(p: np.ndarray, labels: np.ndarray, goal: str) -> np.ndarray:
    if goal == "calibration":
        return np.asarray(np.log(p[np.arange(len(labels)), labels], dtype=np.float64))
    if goal != "ranking":
        return np.asarray(p.argmax(1) == labels, dtype=np.float64)
    placed = np.zeros(len(labels))
    for c in np.unique(labels):
        own, others = p[labels == c, c], np.sort(p[labels != c, c])
        below, through = (np.searchsorted(others, own, side) for side in ("left", "right"))
        placed[labels == c] = (below + through) / (2 * len(others))
    return placed


def _sampling_error(gaps: Sequence[np.ndarray], prepared: Sequence[Prepared], goal: str) -> float:
    # 클래스마다 뽑은 줄이 달라졌을 때 차이가 움직이는 크기. 거듭 나누어도 파일에 있는 줄보다 많이 알 수는 없다.
    errors = []
    for gap, one in zip(gaps, prepared, strict=True):
        labels = one.test[1]
        seen = np.unique(labels)
        total = 0.0
        for c in seen:
            some = gap[labels == c]
            shares = {"balanced": 1 / len(seen), "ranking": 2 / len(seen)}
            share = shares.get(goal, len(some) / len(gap))
            total += share**2 * float(some.var()) / len(some)
        errors.append(math.sqrt(total))
    return math.sqrt(TEST_SHARE) * float(np.mean(errors))


def answer(
    scores: Scores,
    prepared: Sequence[Prepared],
    *,
    goal: str,
    counts: Sequence[int],
    by_row: Mapping[tuple[str, int], np.ndarray] | None = None,
) -> Answer:
    """표를 만들고 결론을 쓴다. 비교가 여럿이므로 기준과의 차이의 구간은 비교의 수만큼 넓힌다(본페로니).

    분할마다의 차이가 우연히 비슷해도, 구간은 파일의 줄 수에서 오는 오차보다 좁아지지 않는다.

    Args:
        scores: 방법과 시드마다의 점수. 기준인 교차 엔트로피와 간단한 방법들이 있어야 한다.
        prepared: 시드마다의 준비한 데이터.
        goal: 목표. `GOALS`의 이름.
        counts: 클래스마다의 줄 수.
        by_row: `row_scores`가 준 줄마다의 값. `None`이면 줄의 수에서 오는 오차를 보지 않는다.

    Returns:
        답.

    Raises:
        ValueError: 기준이나 간단한 방법을 재지 않았으면.

    References:
        Demšar, J. (2006). Statistical Comparisons of Classifiers over Multiple Data Sets.
    """
    missing = [name for name in (BASE, *YARDSTICKS) if name not in scores]
    if missing:
        raise ValueError(f"scores: {', '.join(missing)}을(를) 재지 않아 비교할 수 없다")
    metric = GOALS[goal]
    level = 1 - 0.05 / max(1, len(scores) - 1)
    floor = _one_row(metric, prepared)

    def better(name: str, than: str) -> Interval:
        sign = -1 if metric in LOWER else 1
        gaps = [by_row[name, seed] - by_row[than, seed] for seed in range(len(prepared))] if by_row else []
        error = _sampling_error(gaps, prepared, goal) if gaps else 0.0
        least = max(floor, float(stats.norm.ppf(0.5 + level / 2)) * error)
        return interval(sign * (scores[name][metric] - scores[than][metric]), level=level, floor=least)

    def verdict(gap: Interval) -> str:
        if len(prepared) < FEW:
            return "시드가 적음"
        return ("나음" if gap.mean > 0 else "못함") if gap.apart else "유의하지 않음"

    rows = []
    for name, each in scores.items():
        gap = None if name == BASE else better(name, BASE)
        shown = {label: interval(values) for label, values in each.items()}
        rows.append(Row(name, shown, gap, "기준" if gap is None else verdict(gap)))
    rows.sort(key=lambda row: (-1 if metric in LOWER else 1) * -row.scores[metric].mean)
    losses = [row for row in rows if row.method in METHODS]
    loss = next((row.method for row in losses if row.verdict == "나음"), BASE)
    simple = {name: better(name, loss) for name in YARDSTICKS}
    said = {name: verdict(gap) for name, gap in simple.items()}
    winner = _winner(loss, said, verdict(better(BOOSTING, LOGISTIC)))
    sentences = [
        *_simple(metric, loss, winner, simple, said),
        *_losses(metric, losses, loss, len(prepared)),
        _expected(goal, loss, counts, len(prepared)),
        f"구간은 {len(prepared)}번 다시 나누어 얻었고, 차이의 구간은 비교 {len(scores) - 1}가지를 함께 95 %로 담는다.",
    ]
    return Answer(metric, rows, loss, winner, sentences)


def _one_row(metric: str, prepared: Sequence[Prepared]) -> float:
    # 테스트 데이터의 한 줄이 바꿀 수 있는 크기.
    counts = [np.bincount(one.test[1]) for one in prepared]
    if metric == "정확도":
        return 1 / min(int(count.sum()) for count in counts)
    if metric in ("균형 정확도", "AUC"):
        return float(1 / min((count > 0).sum() * count[count > 0].min() for count in counts))
    return 0.0


def _winner(loss: str, said: Mapping[str, str], boosting_over_logistic: str) -> str:
    # 차이를 가릴 수 없으면 더 간단한 쪽이다.
    if said[BOOSTING] == "나음" and (said[LOGISTIC] != "나음" or boosting_over_logistic == "나음"):
        return BOOSTING
    return LOGISTIC if said[LOGISTIC] in ("나음", "유의하지 않음") else loss


# --- 문장 ---


def joined(word: str, after_consonant: str, after_vowel: str) -> str:
    """따옴표로 묶은 말에 받침에 맞는 조사를 붙인다.

    Args:
        word: 한글이나 숫자나 로마자로 끝나는 말.
        after_consonant: 받침 뒤의 조사. `"이"`, `"과"`, `"을"`.
        after_vowel: 모음 뒤의 조사. `"가"`, `"와"`, `"를"`.

    Returns:
        `"‘로짓 보정’이"`처럼 조사를 붙인 말.

    References:
        국립국어원, 한국어 어문 규범.
    """
    last = word[-1]
    closed = (ord(last) - ord("가")) % 28 > 0 if "가" <= last <= "힣" else last in "013678LMNRlmnr"
    return f"‘{word}’{after_consonant if closed else after_vowel}"


def _shown(gap: Interval) -> str:
    return f"{gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"


def _is(metric: str) -> str:
    return f"{metric}이" if metric == "NLL" else f"{metric}가"


def _simple(
    metric: str, loss: str, winner: str, simple: Mapping[str, Interval], said: Mapping[str, str]
) -> Iterator[str]:
    # 간단한 방법이 낫거나 비슷하면 그 말이 먼저다. 차이는 나은 쪽이 양수다.
    if "시드가 적음" in said.values():
        return
    if said[MAJORITY] != "못함":
        yield (
            f"‘{loss}’도 늘 같은 답을 내는 ‘{MAJORITY}’보다 {_is(metric)} 유의하게 낫지 않다"
            f"({_shown(simple[MAJORITY])}). 줄이 모자라거나 특징에 정답의 정보가 없다."
        )
    if winner in YARDSTICKS and said[winner] == "나음":
        yield (
            f"{joined(winner, '이', '가')} 신경망 가운데 추천하는 ‘{loss}’보다 {_is(metric)} 유의하게 낫다"
            f"({_shown(simple[winner])}). 손실을 바꾸기 전에 이것을 쓴다."
        )
    elif winner == LOGISTIC:
        yield (
            f"{joined(LOGISTIC, '과', '와')} ‘{loss}’의 차이가 유의하지 않다({_shown(simple[LOGISTIC])}). "
            "더 간단한 로지스틱 회귀로 시작한다."
        )


def _losses(metric: str, losses: Sequence[Row], loss: str, seeds: int) -> Iterator[str]:
    gaps = {row.method: row.gap for row in losses if row.gap is not None}
    if seeds < FEW:
        yield f"시드가 {seeds}개라 판정하지 않는다. 차이를 가리려면 --seeds를 {FEW} 이상으로 둔다."
        return
    if loss in gaps:
        yield f"손실은 {joined(loss, '을', '를')} 추천한다. ‘{BASE}’보다 {_is(metric)} 낫다({_shown(gaps[loss])})."
    elif gaps:
        top = max(gaps, key=lambda name: gaps[name].mean)
        yield (
            f"‘{BASE}’보다 {_is(metric)} 유의하게 나은 손실이 없다. "
            f"평균이 가장 나은 것은 ‘{top}’({_shown(gaps[top])})이다. 손실은 ‘{BASE}’로 시작한다."
        )
    worse = [row.method for row in losses if row.verdict == "못함"]
    if worse:
        yield f"‘{BASE}’보다 유의하게 못한 손실: {', '.join(worse)}."


def _expected(goal: str, loss: str, counts: Sequence[int], seeds: int) -> str:
    labels, imbalance, rarest = "binary" if len(counts) == 2 else "classes", max(counts) / min(counts), min(counts)
    rule = next(rule for rule in GUIDE if rule.asks(labels, goal) and rule.holds(imbalance, 0.0, rarest))
    if not rule.measured:
        return "안내표에는 이만한 불균형을 잰 줄이 없어 미리 예상하지 않았다."
    expected = f"안내표의 예상은 {joined(rule.loss, '이다', '다')}. {rule.condition}일 때 쟀다."
    if seeds < FEW:
        return expected
    same = loss == (rule.loss if rule.loss in METHODS else BASE)  # 이진 교차 엔트로피는 두 클래스의 교차 엔트로피다
    return f"{expected} 이 데이터에서 잰 결과와 {'같다' if same else '다르다. 잰 결과를 따른다'}."
