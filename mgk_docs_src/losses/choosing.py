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
    "binary": "둘 가운데 하나",
    "classes": "여럿 가운데 하나",
    "multilabel": "여럿이 한꺼번에",
    "probabilities": "확률",
    "pairs": "같은 것끼리의 쌍",
    "none": "없음",
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

# 갈림길의 문턱. 실습 labs/choosing이 잰 자리에서 고른다.
IMBALANCED, NOISY, FEW = 10.0, 0.2, 10


class Rule(NamedTuple):
    r"""안내표의 한 줄: 이런 라벨, 이런 목표, 이런 사실이면 이 손실에서 시작한다.

    Attributes:
        name: 페이지에서 이 줄을 가리키는 영어 이름. 줄의 id는 `rule-`을 앞에 붙인 것이다.
        labels: 받는 라벨. `LABELS`의 이름.
        goals: 받는 목표. `GOALS`의 이름.
        loss: 손실의 이름.
        function: 그것을 계산하는 책의 함수. 패키지 이름을 뺀 경로.
        reason: 까닭 한 문장.
        page: 그 손실을 설명하는 곳. 문서 폴더에서 시작하는 경로와 id.
        evidence: 그렇게 고른 근거. 경로와 id.
        imbalance: 가장 많은 클래스가 가장 적은 클래스의 몇 배 이상이어야 하나. 1이면 묻지 않는다.
        noise: 틀린 라벨의 비율이 얼마 이상이어야 하나. 0이면 묻지 않는다.
        per_class: 가장 적은 클래스의 라벨이 몇 개 이하여야 하나. `None`이면 묻지 않는다.

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
    imbalance: float = 1.0
    noise: float = 0.0
    per_class: int | None = None

    @property
    def condition(self) -> str:
        """묻는 사실을 한 줄로. 아무것도 묻지 않으면 빈 글."""
        asked = (
            f"치우침 1:{self.imbalance:g} 이상" if self.imbalance > 1 else "",
            f"틀린 라벨 {self.noise:.0%} 이상".replace("%", " %") if self.noise > 0 else "",
            f"클래스마다 라벨 {self.per_class}개 이하" if self.per_class else "",
        )
        return ", ".join(filter(None, asked))

    def asks(self, labels: str, goal: str) -> bool:
        """이런 라벨과 목표를 받는 줄인지."""
        return labels in self.labels and goal in self.goals

    def holds(self, imbalance: float, noise: float, per_class: int | None) -> bool:
        """묻는 사실이 맞는지. 라벨의 수를 모르면 적다고 보지 않는다."""
        few = self.per_class is None or (per_class is not None and per_class <= self.per_class)
        return imbalance >= self.imbalance and noise >= self.noise and few


class Refusal(NamedTuple):
    r"""뜻이 통하지 않는 물음과, 대신 할 수 있는 것.

    Attributes:
        labels: 라벨. `LABELS`의 이름.
        goals: 목표. `GOALS`의 이름.
        reason: 왜 안 되고, 무엇이면 되나.

    References:
        `docs/losses/choosing.md`.
    """

    labels: tuple[str, ...]
    goals: tuple[str, ...]
    reason: str


class Recommendation(NamedTuple):
    r"""권하는 손실.

    Attributes:
        loss: 손실의 이름과, 괄호 안에 책의 함수.
        reason: 까닭 한 문장.
        page: 그 손실을 설명하는 곳. 문서 폴더에서 시작하는 경로와 id.
        evidence: 그렇게 고른 근거. 경로와 id.

    References:
        `docs/losses/choosing.md`.
    """

    loss: str
    reason: str
    page: str
    evidence: str


SINGLE = ("binary", "classes")  # 표본 하나에 답 하나

# 위에서부터 처음 맞는 줄이 답이다. 페이지의 표와 그림과 recommend가 모두 이 표에서 나온다.
GUIDE: tuple[Rule, ...] = (
    Rule(
        "prior",
        SINGLE,
        ("balanced",),
        "로짓 보정",
        "losses.choosing.logit_adjustment",
        "드문 클래스의 빈도를 로짓에 더해 배우면, 예측할 때는 그 치우침이 빠진다.",
        "losses/choosing.md#prior",
        "labs/choosing.ipynb#imbalance",
        imbalance=IMBALANCED,
    ),
    Rule(
        "noise",
        SINGLE,
        ("accuracy", "balanced"),
        "일반화 교차 엔트로피",
        "losses.choosing.generalised_cross_entropy",
        "벌점이 끝없이 커지지 않아, 틀린 라벨을 끝까지 외우려 들지 않는다.",
        "losses/choosing.md#noise",
        "labs/choosing.ipynb#noise",
        noise=NOISY,
    ),
    Rule(
        "few",
        SINGLE,
        ("accuracy", "balanced"),
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "라벨이 이만큼 적으면 손실을 바꾸어도 비긴다. 라벨을 더 얻는 것이 먼저다.",
        "losses/categorical.md#use",
        "labs/choosing.ipynb#amount",
        per_class=FEW,
    ),
    Rule(
        "binary",
        ("binary",),
        ("accuracy", "balanced"),
        "이진 교차 엔트로피",
        "losses.binary.bce_with_logits",
        "깨끗하고 고른 자료에서는 최대 가능도를 뚜렷이 이기는 손실이 없다.",
        "losses/binary.md#use",
        "labs/choosing.ipynb#clean",
    ),
    Rule(
        "classes",
        ("classes",),
        ("accuracy", "balanced"),
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "깨끗하고 고른 자료에서는 최대 가능도를 뚜렷이 이기는 손실이 없다.",
        "losses/categorical.md#use",
        "labs/choosing.ipynb#clean",
    ),
    Rule(
        "ranking",
        SINGLE,
        ("ranking",),
        "교차 엔트로피",
        "losses.categorical.cross_entropy",
        "참된 확률을 겨냥하므로 순서도 따라오고, 가중치와 문턱은 순서를 거의 바꾸지 않는다.",
        "losses/categorical.md#use",
        "labs/choosing.ipynb#ranking",
    ),
    Rule(
        "calibration",
        SINGLE,
        ("calibration",),
        "온도 맞추기",
        "labs.losses.fit_temperature",
        "교차 엔트로피로 배우고, 라벨이 깨끗한 자료를 수백 개 떼어 두어 온도 하나로 확신의 크기를 맞춘다.",
        "losses/choosing.md#calibration",
        "labs/choosing.ipynb#calibration",
    ),
    Rule(
        "labelled-embedding",
        SINGLE,
        ("embedding",),
        "지도 대조 손실",
        "contrastive.losses.supcon",
        "같은 클래스를 모두 짝으로 보아, 가까운 것이 같은 것인 임베딩을 만든다.",
        "contrastive/losses.md#nt-xent",
        "labs/contrastive.ipynb#loss",
    ),
    Rule(
        "rare-tags",
        ("multilabel",),
        ("balanced",),
        "가중 이진 교차 엔트로피",
        "losses.binary.bce_with_logits",
        "라벨마다 음성 수를 양성 수로 나눈 pos_weight로, 드문 양성이 묻히지 않게 한다.",
        "losses/binary.md#use",
        "labs/choosing.ipynb#imbalance",
        imbalance=IMBALANCED,
    ),
    Rule(
        "tags",
        ("multilabel",),
        ("accuracy", "balanced", "ranking", "calibration"),
        "이진 교차 엔트로피",
        "losses.binary.bce_with_logits",
        "답이 여럿일 수 있으므로 라벨마다 따로 묻는다. 소프트맥스는 하나만 고르게 한다.",
        "losses/binary.md#use",
        "losses/binary.md#not-after-softmax",
    ),
    Rule(
        "soft",
        ("probabilities",),
        ("accuracy", "ranking", "calibration"),
        "확률 라벨의 교차 엔트로피",
        "losses.categorical.cross_entropy",
        "예측이 라벨의 확률과 같을 때 가장 작다. 0까지 내려가지 않는 것이 정상이다.",
        "losses/categorical.md#use",
        "losses/binary.md#soft-floor",
    ),
    Rule(
        "pair-threshold",
        ("pairs",),
        ("accuracy", "balanced", "calibration"),
        "시그모이드 손실",
        "contrastive.losses.sigmoid_loss",
        "배율과 치우침을 함께 배우므로, 같은지 다른지를 가르는 문턱이 로짓 0으로 정해진다.",
        "contrastive/losses.md#sigmoid",
        "labs/contrastive.ipynb#loss",
    ),
    Rule(
        "pair-order",
        ("pairs",),
        ("ranking",),
        "세 점 손실",
        "contrastive.losses.triplet",
        "어느 쪽이 더 닮았는지, 순서만 보고 배운다.",
        "contrastive/losses.md#margin",
        "labs/contrastive.ipynb#loss",
    ),
    Rule(
        "pair-embedding",
        ("pairs",),
        ("embedding",),
        "InfoNCE",
        "contrastive.losses.info_nce",
        "제 짝을 배치의 나머지에서 골라내게 하여, 이웃이 뜻있는 임베딩을 만든다.",
        "contrastive/losses.md#nt-xent",
        "contrastive/losses.md#temperature",
    ),
    Rule(
        "unlabelled-embedding",
        ("none",),
        ("embedding",),
        "NT-Xent",
        "contrastive.losses.nt_xent",
        "한 표본을 두 가지로 바꾼 것을 짝으로 삼으면 라벨이 없어도 된다.",
        "contrastive/losses.md#nt-xent",
        "labs/contrastive.ipynb#unlabelled",
    ),
    Rule(
        "samples",
        ("none", *SINGLE),
        ("samples",),
        "잡음 제거 손실",
        "diffusion.training.denoising_loss",
        "겨루는 상대도 사슬도 없이 잡음을 맞히는 회귀라서, 바닥까지 내려갔는지 알 수 있다.",
        "diffusion/training.md#simple-loss",
        "diffusion/training.md#reaching-the-floor",
    ),
    Rule(
        "density",
        ("none",),
        ("density",),
        "잡음 대조 추정",
        "energy.training.noise_contrastive",
        "자료와 잡음을 가르는 분류기의 로짓에서, 로그 분배 함수까지 함께 나온다.",
        "energy/training.md#nce",
        "labs/energy.ipynb#한-표에",
    ),
)

REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        ("none",),
        ("accuracy", "balanced", "ranking", "calibration"),
        "라벨이 없으면 맞았는지 셀 수 없다. goal='embedding'으로 배운 뒤, 라벨을 조금 얻어 분류기를 얹는다",
    ),
    Refusal(
        ("multilabel", "probabilities"),
        ("embedding",),
        "무엇과 무엇이 같은지 정해지지 않았다. 클래스 하나를 골라 labels='classes'로, 같은 쌍을 골라 labels='pairs'로 "
        "묻는다",
    ),
    Refusal(
        ("probabilities",),
        ("balanced",),
        "확률 라벨에는 클래스마다의 표본 수가 없다. 가장 큰 확률의 번호를 골라 labels='classes'로 묻는다",
    ),
    Refusal(
        ("multilabel", "probabilities", "pairs"),
        ("samples",),
        "이런 라벨로 조건을 거는 것은 이 책에 없다. 라벨을 떼고 labels='none'으로 묻는다",
    ),
    Refusal(
        (*SINGLE, "multilabel", "probabilities", "pairs"),
        ("density",),
        "밀도를 배우는 데는 라벨을 쓰지 않는다. 라벨을 떼고 labels='none'으로 묻는다",
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
    r"""어느 손실에서 시작할지 고른다. `GUIDE`를 위에서부터 훑어 처음 맞는 줄의 답이다.

    $$\mathrm{imbalance} = \frac{\max_c n_c}{\min_c n_c}, \qquad \mathrm{noise} = \Pr(\text{라벨} \ne \text{참}),
    \qquad \mathrm{per\_class} = \min_c n_c$$

    치우침, 잡음, 라벨의 수는 그것을 묻는 줄에서만 쓰인다.

    Args:
        labels: 라벨. `"binary"`, `"classes"`, `"multilabel"`, `"probabilities"`, `"pairs"`, `"none"`.
        goal: 바라는 것. `"accuracy"`, `"balanced"`, `"ranking"`, `"calibration"`, `"embedding"`, `"samples"`,
            `"density"`.
        imbalance: 가장 많은 클래스가 가장 적은 클래스의 몇 배인가. 1 이상.
        noise: 라벨이 틀렸을 비율의 어림. $[0, 1]$.
        per_class: 가장 적은 클래스의 라벨 수. 모르면 `None`.

    Returns:
        손실, 까닭, 설명하는 곳, 근거.

    Raises:
        TypeError: 수나 정수가 와야 할 자리에 다른 것이 오면.
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

    $\gamma = 0$이면 교차 엔트로피다. $1 - p_y$를 빼지 않고 구하므로 아주 잘 맞힌 표본에서도 자리를 지킨다.
    값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$. $-\infty$인 로짓은 가려진 클래스다.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        gamma: 초점의 세기 $\gamma \ge 0$.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        0 이상의 손실(nat). `"none"`이면 `labels`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
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

    $q \to 0$이면 교차 엔트로피, $q = 1$이면 $1 - p_y$다. $q$가 작아도 자리를 잃지 않는다.
    값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$. $-\infty$인 로짓은 가려진 클래스다.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        q: 구부리는 세기 $q \in [0, 1]$. 클수록 틀린 표본을 빨리 포기한다. 0이면 교차 엔트로피다.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        $[0, 1/q]$ 안의 손실. `"none"`이면 `labels`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 다르거나, 비었거나, 로짓에 nan이나 $+\infty$나 모두 $-\infty$인 줄이 있거나, 없는 번호이거나,
            $q$가 $[0, 1]$을 벗어나면.

    References:
        Zhang, Z. & Sabuncu, M. (2018). Generalized Cross Entropy Loss for Training Deep Neural Networks with
        Noisy Labels, 3.2절.
    """
    checks.number(UNIT, q=q)
    h = _surprisal(logits, labels)
    # 이보다 작은 q는 q h의 자릿수 자체가 준다. 그때 교차 엔트로피와의 상대 차이 q h / 2는 반올림보다 훨씬 작다.
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

    교차 엔트로피처럼, 평균이 가장 작은 예측은 참된 확률이다. $1 - p_y$를 빼지 않고 구하므로 아주 잘 맞힌
    표본에서도 자리를 지킨다. 값을 살피므로 장치와 동기화한다.

    Args:
        logits: 로짓 $z$. $-\infty$인 로짓은 가려진 클래스다.
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        reduction: `"none"`, `"mean"`, `"sum"`.

    Returns:
        $[0, 2]$ 안의 손실. `"none"`이면 `labels`와 같은 모양, 아니면 스칼라.

    Raises:
        TypeError: 텐서가 와야 할 자리에 다른 것이 오면.
        ValueError: 모양이 다르거나, 비었거나, 로짓에 nan이나 $+\infty$나 모두 $-\infty$인 줄이 있거나, 없는 번호이면.

    References:
        Brier, G. W. (1950). Verification of Forecasts Expressed in Terms of Probability.
        Gneiting, T. & Raftery, A. E. (2007). Strictly Proper Scoring Rules, Prediction, and Estimation, 3.1절.
    """
    h = _surprisal(logits, labels)
    z = logits.to(h.dtype)
    e = torch.exp(z - z.detach().amax(1, keepdim=True))
    p = e / e.sum(1, keepdim=True)  # torch.softmax는 클래스가 몇 안 되면 몇 배 느리다
    error = p.scatter(1, labels.unsqueeze(1), -_one_minus_exp(h).unsqueeze(1))  # 정답 자리는 p_y − 1
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
        labels: 학습 자료의 번호 $y_i$.
        num_classes: 클래스의 수 $C \ge 1$.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        가중치 $w$. $\sum_i w_{y_i} = N$이다.

    Raises:
        TypeError: 텐서나 정수가 와야 할 자리에 다른 것이 오면.
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
    r"""로짓 보정: 클래스의 빈도 $\pi_c$만큼 로짓을 옮기는 값.

    $$a_c = \tau \log \pi_c, \qquad \pi_c = \frac{n_c}{N}$$

    학습에서 로짓에 **더하면** 모델은 빈도를 뺀 나머지를 배우고, 예측에는 더하지 않는다. 보통으로 배운 모델의 로짓에서
    **빼도** 같은 곳을 겨냥한다.

    Args:
        labels: 학습 자료의 번호 $y_i$.
        num_classes: 클래스의 수 $C \ge 1$.
        tau: 옮기는 세기 $\tau \ge 0$. 1이면 균형 정확도를 겨냥한다.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        0 이하의 보정값 $a$.

    Raises:
        TypeError: 텐서, 정수, 수가 와야 할 자리에 다른 것이 오면.
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
    # 1 − e^{−x}. 작으면 expm1이 값을 지킨다. 크면 exp로 바꾼다: torch는 expm1의 기울기를 (값 + 1)로 구해 자리를 잃는다.
    return torch.where(x < 0.5, -torch.expm1(-x), 1 - torch.exp(-x))


def _frequencies(labels: Tensor, num_classes: int, dtype: torch.dtype | None) -> Tensor:
    # 클래스의 빈도 n_c / N. 없는 클래스의 가중치와 로그는 무한대다.
    checks.class_list(num_classes, labels=labels)
    counts = labels.new_zeros(num_classes).scatter_add(0, labels, torch.ones_like(labels))
    if not checks.plain(counts).all():
        missing = checks.plain(counts.argmin())[checks.plain(counts.amin()) == 0]
        raise ValueError(f"labels: 클래스마다 표본이 있어야 하는데 {int(missing[0])}번이 없다")
    return (counts.double() / len(labels)).to(dtype or torch.get_default_dtype())
