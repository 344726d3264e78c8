"""손실 고르기: `docs/losses/choosing.md`."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, UNIT, Interval
from mgk_docs_src.losses.categorical import surprisal
from mgk_docs_src.losses.reduction import Reduction, reduce, widen
from mgk_docs_src.modes import full_precision

LABELS = {
    "binary": "이진",
    "classes": "다중 클래스",
    "multilabel": "다중 라벨",
    "probabilities": "소프트 라벨",
    "pairs": "양성 쌍",
    "none": "라벨 없음",
}
GOALS = {
    "accuracy": "정확도",
    "balanced": "균형 정확도",
    "ranking": "순위",
    "calibration": "믿을 만한 확률",
    "embedding": "임베딩",
    "samples": "새 표본",
    "density": "밀도",
}

VERDICTS = ("개선", "유의하지 않음", "악화", "개선 없음")

# 실습 labs/choosing이 잰 범위. 불균형은 가장 많은 클래스와 가장 적은 클래스의 실제 비율이다.
EVEN = (1.0, 2.0)  # 줄이지 않은 데이터. 불균형이 가장 큰 유방암이 1:1.7
MILD = (1.0, 10.0)
RARE = (10.0, 30.0)
RARER = (40.0, 100.0)  # 바란 비율이 1:100일 때 숫자는 1:45, 유방암은 1:90. 앞 실습의 악성 6명은 1:42
ALL = (1.0, 100.0)
CLEAN, NOISY, FIFTH = (0.0, 0.0), (0.2, 0.4), (0.2, 0.2)
FEW, MANY = (1, 10), (25, math.inf)  # 라벨 노이즈를 섞은 데이터는 클래스마다 스물다섯이 넘었다

Range = tuple[float, float]


class Measured(NamedTuple):
    r"""규칙 하나의 근거: 실습 labs/choosing이 잰, 교차 엔트로피와의 차이 하나.

    Attributes:
        condition: 실습의 조건.
        method: 실습의 방법. `"모두"`이면 비교한 방법 모두.
        score: 실습의 점수.
        verdict: 차이의 95 % 구간에서 나온 판정. `VERDICTS`의 하나. `"개선 없음"`은 유의하지 않거나 악화다.

    References:
        `docs/labs/choosing.py`.
    """

    condition: str
    method: str
    score: str
    verdict: str

    @property
    def record(self) -> str:
        """실습이 그 차이에 붙인 이름."""
        return f"{self.condition}/{self.method} {self.score} Δ"


class Rule(NamedTuple):
    r"""안내표의 한 줄: 이런 라벨, 이런 목표, 이런 사실이면 이 손실에서 시작한다.

    사실의 범위는 두 끝을 포함하고, 실습이 잰 범위를 넘지 않는다.

    Attributes:
        name: 페이지에서 이 줄을 가리키는 영어 이름. 줄의 id는 앞에 `rule-`을 붙인다.
        labels: 받는 라벨. `LABELS`의 이름.
        goals: 받는 목표. `GOALS`의 이름.
        loss: 손실의 이름.
        function: 그 손실을 계산하는 책의 함수. 패키지 이름을 뺀 경로.
        reason: 이유 한두 문장.
        page: 그 손실을 설명하는 곳. 문서 폴더에서 시작하는 경로와 id.
        evidence: 그렇게 정한 근거. 경로와 id.
        imbalance: 불균형, 곧 가장 많은 클래스가 가장 적은 클래스의 몇 배인지의 범위.
        noise: 틀린 라벨의 비율의 범위.
        per_class: 가장 적은 클래스의 라벨 수의 범위. 수를 모르면 적다고 보지 않는다.
        measured: 근거가 된 차이들. 비었으면 이 책의 실습이 손실을 비교하지 않았고, `evidence`의 설명에 기댄다.

    References:
        규칙마다의 `evidence`.
    """

    name: str
    labels: tuple[str, ...]
    goals: tuple[str, ...]
    loss: str
    function: str
    reason: str
    page: str
    evidence: str
    imbalance: Range = (1.0, math.inf)
    noise: Range = (0.0, 1.0)
    per_class: Range = (1, math.inf)
    measured: tuple[Measured, ...] = ()

    @property
    def condition(self) -> str:
        """묻는 사실을 한 줄로 적는다. 아무것도 묻지 않으면 빈 글이다."""
        asked = []
        if self.noise == CLEAN:
            asked.append("라벨 노이즈 없음")
        elif self.noise != (0.0, 1.0):
            low, high = (f"{100 * end:g}" for end in self.noise)
            asked.append(f"라벨 노이즈 {low if low == high else f'{low}–{high}'} %")
        if self.imbalance != (1.0, math.inf):
            asked.append(f"불균형 {_between('1:{:g}', self.imbalance)}")
        if self.per_class != (1, math.inf):
            asked.append(f"라벨 {_between('{:g}개', self.per_class)}")
        return ", ".join(asked)

    def asks(self, labels: str, goal: str) -> bool:
        """이런 라벨과 목표를 받는 줄인지 알린다."""
        return labels in self.labels and goal in self.goals

    def holds(self, imbalance: float, noise: float, per_class: int | None) -> bool:
        """묻는 사실이 맞는지 알린다. 라벨의 수를 모르면 적다고 보지 않는다."""
        count = math.inf if per_class is None else per_class
        given = ((self.imbalance, imbalance), (self.noise, noise), (self.per_class, count))
        return all(low <= value <= high for (low, high), value in given)


def _between(form: str, ends: Range) -> str:
    low, high = (form.format(end) for end in ends)
    if ends[1] == math.inf:
        return f"{low} 이상"
    return f"{high} 이하" if ends[0] == 1 else f"{low}–{high}"


class Refusal(NamedTuple):
    r"""답할 수 없는 물음과, 대신 할 수 있는 물음.

    Attributes:
        labels: 라벨. `LABELS`의 이름.
        goals: 목표. `GOALS`의 이름.
        reason: 왜 안 되고, 무엇이면 되는가.

    References:
        `docs/losses/choosing.md`.
    """

    labels: tuple[str, ...]
    goals: tuple[str, ...]
    reason: str


class Recommendation(NamedTuple):
    r"""추천하는 손실.

    Attributes:
        loss: 손실의 이름과, 괄호 안에 책의 함수.
        reason: 이유 한 문장.
        page: 그 손실을 설명하는 곳. 문서 폴더에서 시작하는 경로와 id.
        evidence: 그렇게 정한 근거. 경로와 id.

    References:
        `docs/losses/choosing.md`.
    """

    loss: str
    reason: str
    page: str
    evidence: str


SINGLE = ("binary", "classes")  # 표본 하나에 답 하나
_SCORED = ("accuracy", "balanced")
_BALANCED, _ACCURACY, _AUC, _NLL, _ECE = "균형 정확도", "정확도", "AUC", "NLL", "ECE"
_PRIOR, _GCE = "로짓 보정", "일반화 교차 엔트로피"

# 위에서부터 처음 맞는 줄이 답이다. 페이지의 표와 그림과 recommend가 모두 이 표에서 나온다.
GUIDE: tuple[Rule, ...] = (
    Rule(
        "noisy-rare",
        SINGLE,
        (*_SCORED, "ranking"),
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "틀린 라벨과 드문 클래스가 겹치면 로짓 보정도 일반화 교차 엔트로피도 유의하게 낫지 않다.",
        "losses/categorical.md#use",
        "labs/choosing.ipynb#both",
        imbalance=(10.0, 100.0),
        noise=FIFTH,
        measured=tuple(
            Measured(condition, "모두", score, "유의하지 않음")
            for condition in ("라벨 노이즈 20 %와 1:10", "라벨 노이즈 20 %와 1:100")
            for score in (_ACCURACY, _BALANCED, _AUC)
        ),
    ),
    Rule(
        "noise",
        SINGLE,
        _SCORED,
        "일반화 교차 엔트로피",
        "losses.choosing.generalised_cross_entropy",
        "모델이 낮은 확률을 준 라벨일수록 기울기가 작아, 틀린 라벨을 덜 외운다.",
        "losses/choosing.md#noise",
        "labs/choosing.ipynb#noise",
        imbalance=EVEN,
        noise=NOISY,
        per_class=MANY,
        measured=tuple(
            Measured(condition, _GCE, score, "개선")
            for condition in ("라벨 노이즈 20 %", "라벨 노이즈 40 %")
            for score in (_ACCURACY, _BALANCED)
        ),
    ),
    Rule(
        "noise-ranking",
        SINGLE,
        ("ranking",),
        "일반화 교차 엔트로피",
        "losses.choosing.generalised_cross_entropy",
        "라벨 노이즈가 20 %이면 순서도 유의하게 더 잘 매긴다. 40 %에서는 차이가 유의하지 않다.",
        "losses/choosing.md#noise",
        "labs/choosing.ipynb#ranking",
        imbalance=EVEN,
        noise=NOISY,
        per_class=MANY,
        measured=(
            Measured("라벨 노이즈 20 %", _GCE, _AUC, "개선"),
            Measured("라벨 노이즈 40 %", _GCE, _AUC, "유의하지 않음"),
        ),
    ),
    Rule(
        "noise-calibration",
        SINGLE,
        ("calibration",),
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "NLL을 유의하게 낮춘 방법이 없다. 검증 라벨에도 노이즈가 있으므로 온도도 틀린 라벨에 맞추어진다.",
        "losses/choosing.md#calibration",
        "labs/choosing.ipynb#calibration",
        imbalance=EVEN,
        noise=NOISY,
        per_class=MANY,
        measured=tuple(
            Measured(condition, "모두", _NLL, "유의하지 않음") for condition in ("라벨 노이즈 20 %", "라벨 노이즈 40 %")
        ),
    ),
    Rule(
        "prior",
        SINGLE,
        ("balanced",),
        "로짓 보정",
        "losses.choosing.logit_adjustment",
        "클래스 빈도의 로그를 로짓에 더해 학습하면, 예측할 때는 드문 클래스가 불리하지 않다.",
        "losses/choosing.md#prior",
        "labs/choosing.ipynb#imbalance",
        imbalance=RARER,
        noise=CLEAN,
        measured=(Measured("불균형 1:100", _PRIOR, _BALANCED, "개선"),),
    ),
    Rule(
        "rare",
        SINGLE,
        ("balanced",),
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "로짓 보정과 균형 가중치의 평균이 더 높지만, 이만한 불균형에서는 차이가 유의하지 않다.",
        "losses/categorical.md#use",
        "labs/choosing.ipynb#imbalance",
        imbalance=RARE,
        noise=CLEAN,
        measured=(
            Measured("불균형 1:10", "모두", _BALANCED, "유의하지 않음"),
            Measured("불균형 1:30", _PRIOR, _BALANCED, "유의하지 않음"),
            Measured("불균형 1:30", "균형 가중치", _BALANCED, "유의하지 않음"),
        ),
    ),
    Rule(
        "few",
        SINGLE,
        _SCORED,
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "라벨이 이만큼 적으면 손실을 바꾼 차이가 유의하지 않다. 라벨을 더 얻는 일이 먼저다.",
        "losses/categorical.md#use",
        "labs/choosing.ipynb#amount",
        imbalance=MILD,
        noise=CLEAN,
        per_class=FEW,
        measured=tuple(
            Measured(condition, "모두", score, "유의하지 않음")
            for condition in ("데이터 10 %", "데이터 1 %")
            for score in (_ACCURACY, _BALANCED)
        ),
    ),
    *(
        Rule(
            labels,
            (labels,),
            _SCORED,
            loss,
            function,
            "라벨이 깨끗하고 불균형이 크지 않으면, 최대 가능도보다 유의하게 나은 손실이 없다.",
            page,
            "labs/choosing.ipynb#clean",
            imbalance=MILD,
            noise=CLEAN,
            measured=tuple(
                Measured(condition, "모두", score, "유의하지 않음")
                for condition in ("그대로", "불균형 1:10")
                for score in (_ACCURACY, _BALANCED)
            ),
        )
        for labels, loss, function, page in (
            ("binary", "이진 교차 엔트로피", "losses.binary.bce_with_logits", "losses/binary.md#use"),
            ("classes", "교차 엔트로피", "losses.categorical.cross_entropy", "losses/categorical.md#use"),
        )
    ),
    Rule(
        "ranking",
        SINGLE,
        ("ranking",),
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "참 확률을 겨냥하므로 순서도 따라온다. 순서를 유의하게 더 잘 매긴 방법이 없다.",
        "losses/categorical.md#use",
        "labs/choosing.ipynb#ranking",
        imbalance=ALL,
        noise=CLEAN,
        measured=tuple(
            Measured(condition, "모두", _AUC, verdict)
            for condition, verdict in (
                ("그대로", "유의하지 않음"),
                ("불균형 1:10", "유의하지 않음"),
                ("불균형 1:100", "개선 없음"),
                ("데이터 10 %", "유의하지 않음"),
                ("데이터 1 %", "유의하지 않음"),
            )
        ),
    ),
    Rule(
        "calibration",
        SINGLE,
        ("calibration",),
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "참 확률을 겨냥한다. NLL을 유의하게 낮춘 방법이 없고, 온도 스케일링의 차이도 유의하지 않다.",
        "losses/choosing.md#calibration",
        "labs/choosing.ipynb#calibration",
        imbalance=ALL,
        noise=CLEAN,
        measured=(
            *(
                Measured(condition, "모두", _NLL, verdict)
                for condition, verdict in (
                    ("그대로", "유의하지 않음"),
                    ("불균형 1:10", "유의하지 않음"),
                    ("불균형 1:100", "개선 없음"),
                    ("데이터 10 %", "유의하지 않음"),
                    ("데이터 1 %", "유의하지 않음"),
                )
            ),
            Measured("그대로", "라벨 스무딩 0.1", _ECE, "악화"),
        ),
    ),
    Rule(
        "unmeasured",
        SINGLE,
        (*_SCORED, "ranking", "calibration"),
        "재지 않음: 교차 엔트로피",
        "losses.categorical.cross_entropy",
        "실습이 잰 범위 밖이라 무엇이 나은지 이 책은 모른다. 기준에서 시작해 자기 데이터로 잰다.",
        "losses/choosing.md#own",
        "labs/choosing.ipynb#limits",
    ),
    Rule(
        "labelled-embedding",
        SINGLE,
        ("embedding",),
        "지도 대조 손실",
        "contrastive.losses.supcon",
        "같은 클래스끼리를 모두 양성 쌍으로 보아, 같은 클래스가 가까이 놓이는 임베딩을 만든다.",
        "contrastive/losses.md#nt-xent",
        "labs/contrastive.ipynb#loss",
        per_class=(2, math.inf),
    ),
    Rule(
        "lone-embedding",
        SINGLE,
        ("embedding",),
        "NT-Xent",
        "contrastive.losses.nt_xent",
        "라벨이 하나뿐인 클래스에는 양성 쌍이 없다. 한 표본을 두 가지로 증강한 뷰를 양성 쌍으로 삼는다.",
        "contrastive/losses.md#nt-xent",
        "labs/contrastive.ipynb#unlabelled",
    ),
    Rule(
        "rare-tags",
        ("multilabel",),
        ("balanced",),
        "가중 이진 교차 엔트로피",
        "losses.binary.bce_with_logits",
        "음성 수를 양성 수로 나눈 pos_weight를 라벨마다 주어, 드문 양성이 묻히지 않게 한다.",
        "losses/binary.md#use",
        "losses/binary.md#use",
        imbalance=(10.0, math.inf),
    ),
    Rule(
        "tags",
        ("multilabel",),
        ("accuracy", "balanced", "ranking", "calibration"),
        "이진 교차 엔트로피",
        "losses.binary.bce_with_logits",
        "답이 여럿일 수 있으므로 라벨마다 따로 판정한다. 소프트맥스는 하나만 선택하게 한다.",
        "losses/binary.md#use",
        "losses/binary.md#not-after-softmax",
    ),
    Rule(
        "soft",
        ("probabilities",),
        ("accuracy", "ranking", "calibration"),
        "소프트 라벨의 교차 엔트로피",
        "losses.categorical.cross_entropy",
        "예측이 라벨의 확률과 같을 때 가장 작다. 손실이 0까지 내려가지 않아도 정상이다.",
        "losses/categorical.md#use",
        "losses/binary.md#soft-floor",
    ),
    Rule(
        "pair-threshold",
        ("pairs",),
        ("accuracy", "balanced", "calibration"),
        "시그모이드 손실",
        "contrastive.losses.sigmoid_loss",
        "스케일과 편향을 함께 학습하므로, 같은지 다른지를 가르는 임계값이 로짓 0으로 정해진다.",
        "contrastive/losses.md#sigmoid",
        "labs/contrastive.ipynb#loss",
    ),
    Rule(
        "pair-order",
        ("pairs",),
        ("ranking",),
        "트리플렛 손실",
        "contrastive.losses.triplet",
        "어느 쪽이 더 닮았는지, 순서만 보고 학습한다.",
        "contrastive/losses.md#margin",
        "labs/contrastive.ipynb#loss",
    ),
    Rule(
        "pair-embedding",
        ("pairs",),
        ("embedding",),
        "InfoNCE",
        "contrastive.losses.info_nce",
        "배치에서 자기 양성 쌍을 찾아내게 하여, 이웃이 의미 있는 임베딩을 만든다.",
        "contrastive/losses.md#nt-xent",
        "contrastive/losses.md#temperature",
    ),
    Rule(
        "unlabelled-embedding",
        ("none",),
        ("embedding",),
        "NT-Xent",
        "contrastive.losses.nt_xent",
        "한 표본을 두 가지로 증강한 뷰를 양성 쌍으로 삼으면 라벨이 없어도 된다.",
        "contrastive/losses.md#nt-xent",
        "labs/contrastive.ipynb#unlabelled",
    ),
    Rule(
        "samples",
        ("none", *SINGLE),
        ("samples",),
        "노이즈 제거 손실",
        "diffusion.training.denoising_loss",
        "경쟁하는 신경망도 마르코프 체인도 없이 노이즈를 맞히는 회귀라서, 바닥까지 내려갔는지 알 수 있다.",
        "diffusion/training.md#simple-loss",
        "diffusion/training.md#reaching-the-floor",
    ),
    Rule(
        "density",
        ("none",),
        ("density",),
        "잡음 대조 추정",
        "energy.training.noise_contrastive",
        "데이터와 노이즈를 가르는 분류기의 로짓에서, 로그 분배 함수까지 함께 나온다.",
        "energy/training.md#nce",
        "labs/energy.ipynb#한-표에",
    ),
)

REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        ("none",),
        ("accuracy", "balanced", "ranking", "calibration"),
        "라벨이 없으면 맞았는지 셀 수 없다. goal='embedding'으로 학습한 뒤, 라벨을 조금 얻어 분류기를 얹는다",
    ),
    Refusal(
        ("multilabel", "probabilities"),
        ("embedding",),
        "무엇과 무엇이 같은지 정해지지 않았다. 클래스 하나를 정해 labels='classes'로, 양성 쌍을 정해 labels='pairs'로 "
        "묻는다",
    ),
    Refusal(
        ("probabilities",),
        ("balanced",),
        "소프트 라벨에는 클래스마다의 표본 수가 없다. 확률이 가장 큰 번호를 정답으로 보고 labels='classes'로 묻는다",
    ),
    Refusal(
        ("multilabel", "probabilities", "pairs"),
        ("samples",),
        "이런 라벨로 조건을 거는 생성은 이 책에 없다. 라벨을 떼고 labels='none'으로 묻는다",
    ),
    Refusal(
        (*SINGLE, "multilabel", "probabilities", "pairs"),
        ("density",),
        "밀도를 학습하는 데는 라벨을 쓰지 않는다. 라벨을 떼고 labels='none'으로 묻는다",
    ),
)


def recommend(
    *,
    labels: str,
    goal: str = "accuracy",
    imbalance: float = 1.0,
    noise: float = 0.0,
    per_class: int | None = None,
) -> Recommendation:
    r"""어느 손실에서 시작할지 추천한다. `GUIDE`를 위에서부터 훑어 처음 맞는 줄의 답이다.

    $$\mathrm{imbalance} = \frac{\max_c n_c}{\min_c n_c}, \qquad \mathrm{noise} = \Pr(\text{라벨} \ne \text{참 라벨}),
    \qquad \mathrm{per\_class} = \min_c n_c$$

    불균형, 라벨 노이즈, 라벨의 수는 이를 묻는 줄에서만 쓰인다. 클래스 라벨의 줄은 실습이 잰 범위에서만 답한다.
    그 밖에서는 모른다고 알리고 교차 엔트로피를 기준으로 준다. 클래스가 $C$개일 때 라벨 노이즈가 균등하고 그 비율이
    $(C-1)/C$면 라벨에 정보가 없다.

    Args:
        labels: 라벨. `"binary"`, `"classes"`, `"multilabel"`, `"probabilities"`, `"pairs"`, `"none"`.
        goal: 목표. `"accuracy"`, `"balanced"`, `"ranking"`, `"calibration"`, `"embedding"`, `"samples"`,
            `"density"`.
        imbalance: 가장 많은 클래스가 가장 적은 클래스의 몇 배인가. 1 이상.
        noise: 라벨이 틀렸을 비율의 추정값. $[0, 1]$.
        per_class: 가장 적은 클래스의 라벨 수. 모르면 `None`.

    Returns:
        손실, 이유, 설명하는 곳, 근거.

    Raises:
        TypeError: 수나 정수가 아닌 값을 받으면.
        ValueError: 모르는 라벨이나 목표이거나, 수가 범위를 벗어나거나, 함께 물을 수 없는 라벨과 목표이면.

    References:
        `docs/losses/choosing.md`의 안내표. 줄마다의 근거는 `evidence`.
    """
    checks.choice(tuple(LABELS), labels=labels)
    checks.choice(tuple(GOALS), goal=goal)
    checks.number(Interval(1.0, math.inf), imbalance=imbalance)
    checks.number(UNIT, noise=noise)
    if per_class is not None:
        checks.count(1, per_class=per_class)
    for refusal in REFUSALS:
        if labels in refusal.labels and goal in refusal.goals:
            raise ValueError(f"labels={labels!r}, goal={goal!r}: {refusal.reason}")
    rule = next(rule for rule in GUIDE if rule.asks(labels, goal) and rule.holds(imbalance, noise, per_class))
    name = rule.function.rpartition(".")[2]
    return Recommendation(f"{rule.loss} ({name})", rule.reason, rule.page, rule.evidence)


@full_precision
def focal_loss(
    logits: Float[Tensor, "n c"],
    labels: Int[Tensor, "n"],
    *,
    gamma: float = 2.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""초점 손실(focal loss): 이미 잘 맞힌 표본의 교차 엔트로피를 더 줄인다.

    $$\ell = -(1 - p_y)^\gamma \log p_y = (1 - e^{-h})^\gamma\, h, \qquad h = -\log p_y$$

    $\gamma = 0$이면 교차 엔트로피다. $1 - p_y$를 뺄셈 없이 구하므로, 아주 잘 맞힌 표본에서도 유효 숫자를 유지한다.
    값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$. $-\infty$인 로짓은 가려진 클래스다.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        gamma: 초점의 세기 $\gamma \ge 0$.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        0 이상의 손실(nat). `"none"`이면 `labels`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 로짓에 nan이나 $+\infty$나 모두 $-\infty$인 줄이 있거나, 없는 번호이거나,
            $\gamma$가 음수이면.

    References:
        Lin, T.-Y. 외 (2017). Focal Loss for Dense Object Detection, 3.2절.
    """
    checks.number(NONNEGATIVE, gamma=gamma)
    h = _surprisal(logits, labels)
    # h가 정확히 0이면 0^γ의 기울기가 γ < 1에서 무한대다. 가장 작은 수로 막아도 값은 0 그대로다. 정답이 가려져 h가
    # 무한대일 때의 0 · ∞도 막는다: h가 1000을 넘으면 1 − p_y는 1이다.
    wrong = _one_minus_exp(h.clamp_max(1000.0)).clamp_min(torch.finfo(h.dtype).tiny)
    return reduce(wrong**gamma * h, reduction).to(logits.dtype)


@full_precision
def generalised_cross_entropy(
    logits: Float[Tensor, "n c"],
    labels: Int[Tensor, "n"],
    *,
    q: float = 0.7,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""일반화 교차 엔트로피(GCE): 아무리 크게 틀려도 벌점이 $1/q$를 넘지 않는다. 틀린 라벨에 덜 끌려간다.

    $$\ell = \frac{1 - p_y^q}{q} = -\frac{\operatorname{expm1}(-q h)}{q}, \qquad h = -\log p_y, \qquad
    \frac{\partial \ell}{\partial h} = p_y^q$$

    $q \to 0$이면 교차 엔트로피, $q = 1$이면 $1 - p_y$다. $q$가 작아도 유효 숫자를 잃지 않는다.
    값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$. $-\infty$인 로짓은 가려진 클래스다.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        q: 벌점을 제한하는 세기 $q \in [0, 1]$. 클수록 모델이 낮은 확률을 준 라벨을 덜 민다. 0이면 교차 엔트로피다.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        $[0, 1/q]$ 안의 손실. `"none"`이면 `labels`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 로짓에 nan이나 $+\infty$나 모두 $-\infty$인 줄이 있거나, 없는 번호이거나,
            $q$가 $[0, 1]$을 벗어나면.

    References:
        Zhang, Z. & Sabuncu, M. (2018). Generalized Cross Entropy Loss for Training Deep Neural Networks with
        Noisy Labels, 3.2절.
    """
    checks.number(UNIT, q=q)
    h = _surprisal(logits, labels)
    # q가 이보다 작으면 q h의 유효 숫자 자체가 준다. 그때 교차 엔트로피와의 상대 차이 q h / 2는 반올림보다 훨씬 작다.
    loss = h if q < torch.finfo(h.dtype).tiny ** 0.5 else _one_minus_exp(q * h) / q
    return reduce(loss, reduction).to(logits.dtype)


@full_precision
def brier_loss(
    logits: Float[Tensor, "n c"],
    labels: Int[Tensor, "n"],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    r"""브라이어 손실: 예측 확률과 원-핫 라벨의 차이를 제곱해 더한다.

    $$\ell = \sum_c \left( p_c - \mathbf{1}[c = y] \right)^2, \qquad p = \operatorname{softmax}(z)$$

    교차 엔트로피처럼, 기댓값이 가장 작은 예측은 참 확률이다. $1 - p_y$를 뺄셈 없이 구하므로, 아주 잘 맞힌
    표본에서도 유효 숫자를 유지한다. 값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$. $-\infty$인 로짓은 가려진 클래스다.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        $[0, 2]$ 안의 손실. `"none"`이면 `labels`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 비었거나, 로짓에 nan이나 $+\infty$나 모두 $-\infty$인 줄이 있거나, 없는 번호이면.

    References:
        Brier, G. W. (1950). Verification of Forecasts Expressed in Terms of Probability.
        Gneiting, T. & Raftery, A. E. (2007). Strictly Proper Scoring Rules, Prediction, and Estimation, 3.1절.
    """
    h = _surprisal(logits, labels)
    z = logits.to(h.dtype)
    e = torch.exp(z - z.detach().amax(1, keepdim=True))
    p = e / e.sum(1, keepdim=True)  # torch.softmax는 클래스가 몇 안 되면 몇 배 느리다
    error = p.scatter(1, labels.unsqueeze(1), -_one_minus_exp(h).unsqueeze(1))  # 정답 클래스의 칸은 p_y − 1
    return reduce(error.square().sum(1), reduction).to(logits.dtype)


@full_precision
def class_weights(
    labels: Int[Tensor, "n"],
    *,
    num_classes: int,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "c"]:
    r"""균형 가중치: 클래스마다 가중치의 합이 같아진다.

    $$w_c = \frac{N}{C\, n_c}, \qquad n_c = \#\{i : y_i = c\}$$

    Args:
        labels: 학습 데이터의 클래스 번호 $y_i$.
        num_classes: 클래스의 수 $C \ge 1$.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        가중치 $w$. $\sum_i w_{y_i} = N$이다.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 비었거나, 없는 번호이거나, 표본이 하나도 없는 클래스가 있으면.

    References:
        King, G. & Zeng, L. (2001). Logistic Regression in Rare Events Data.
        scikit-learn 문서, `compute_class_weight`의 `"balanced"`.
    """
    return 1 / (num_classes * _frequencies(labels, num_classes, dtype))


@full_precision
def logit_adjustment(
    labels: Int[Tensor, "n"],
    *,
    num_classes: int,
    tau: float = 1.0,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "c"]:
    r"""로짓 보정(logit adjustment): 클래스의 빈도 $\pi_c$에 맞추어 로짓을 옮기는 값.

    $$a_c = \tau \log \pi_c, \qquad \pi_c = \frac{n_c}{N}$$

    학습할 때 로짓에 **더하면** 모델은 빈도를 뺀 나머지를 학습하고, 예측할 때는 더하지 않는다. 교차 엔트로피로 학습한
    모델의 로짓에서 **빼도** 겨냥하는 답이 같다.

    Args:
        labels: 학습 데이터의 클래스 번호 $y_i$.
        num_classes: 클래스의 수 $C \ge 1$.
        tau: 옮기는 세기 $\tau \ge 0$. 1이면 균형 정확도를 겨냥한다.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        0 이하의 보정값 $a$.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 비었거나, 없는 번호이거나, 표본이 하나도 없는 클래스가 있거나, $\tau$가 음수이면.

    References:
        Menon, A. K. 외 (2021). Long-tail Learning via Logit Adjustment, 4절.
    """
    checks.number(NONNEGATIVE, tau=tau)
    return tau * _frequencies(labels, num_classes, dtype).log()


def _surprisal(logits: Tensor, labels: Tensor) -> Tensor:
    # 넓힌 자료형 그대로 둔다. 반올림은 끝에서 한 번만 한다.
    checks.floating(logits=logits)
    return surprisal(widen(logits)[0], labels)


def _one_minus_exp(x: Tensor) -> Tensor:
    # 1 − e^{−x}. x가 작으면 expm1이 유효 숫자를 유지한다. 크면 exp로 바꾼다: torch는 expm1의 기울기를 (값 + 1)로 구해
    # 유효 숫자를 잃는다.
    return torch.where(x < 0.5, -torch.expm1(-x), 1 - torch.exp(-x))


def _frequencies(labels: Tensor, num_classes: int, dtype: torch.dtype | None) -> Tensor:
    # 클래스의 빈도 n_c / N. 없는 클래스의 가중치와 로그는 무한대다.
    checks.class_list(num_classes, labels=labels)
    counts = labels.new_zeros(num_classes).scatter_add(0, labels, torch.ones_like(labels))
    if not checks.plain(counts).all():
        missing = checks.plain(counts.argmin())[checks.plain(counts.amin()) == 0]
        raise ValueError(f"labels: 클래스마다 표본이 있어야 하는데 {int(missing[0])}번이 없다")
    return (counts.double() / len(labels)).to(dtype or torch.get_default_dtype())
