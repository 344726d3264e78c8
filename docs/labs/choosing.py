# ---
# jupyter:
#   level: 중급
#   english:
#     title: "Lab: which loss to choose"
#     summary: >-
#       Eleven methods, four data sets, ten seeds. None differs significantly on clean or scarce data. Generalised
#       cross-entropy is better with 20 and 40 % wrong labels, logit adjustment at 1:100; with 20 % and 1:10, neither.
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 실습: 어떤 손실을 고를까
#
# 스터디가 처음 세운 목표는 데이터에 맞는 손실을 찾는 일이었다. 클래스 라벨에 쓸 수 있는 방법 열한 가지를 실제 데이터
# 넷에서 같은 모델과 같은 규칙으로 비교한다. 라벨이 틀렸을 때, 드문 클래스가 있을 때, 데이터가 적을 때 어느 방법이
# 유의하게 나은가. [손실 고르기](../losses/choosing.md)는 그 답을 한 장으로 줄였다.
#
# ## 결론 셋 { #conclusions }
#
# - 깨끗한 데이터에서는 열한 방법의 균형 정확도가 0.960–0.965이고, 교차 엔트로피와의 차이가 모두 유의하지 않다([깨끗한
#   데이터](#clean)). 데이터를 10 %, 1 %로 줄여도 그렇다([적은 데이터](#amount)).
# - 라벨의 20 %, 40 %가 틀리면 일반화 교차 엔트로피가 균형 정확도를 0.839에서 0.920으로, 0.652에서 0.727로 올린다. 두
#   조건에서 모두 유의하게 높은 방법은 하나뿐이다([라벨 노이즈](#noise)).
# - 드문 클래스를 1/100로 줄이면 로짓 보정이 0.764에서 0.812로, 균형 가중치가 0.791로 올리고, 일반화 교차 엔트로피는
#   0.722로 유의하게 낮다([클래스 불균형](#imbalance)). 라벨 노이즈 20 %가 1:10이나 1:100과 겹치면 로짓 보정도 일반화
#   교차 엔트로피도 차이가 유의하지 않다([둘이 겹칠 때](#both)).

# %% [markdown]
# ## 모든 방법을 같은 분할과 같은 규칙으로 잰다 { #setup }
#
# 데이터는 scikit-learn에 들어 있는 유방암(569명, 2 클래스), 와인(178병, 3), 붓꽃(150송이, 3), 숫자(1797장, 10)다.
# 시드 10개로 클래스마다 반씩 나눈다. 한쪽은 학습과 검증에, 다른 쪽은 테스트에 쓴다. 학습과 검증에 쓰는 쪽만 어렵게
# 만들고, 테스트 데이터는 그대로 둔다.
#
# - 라벨 노이즈(label noise) 20 %, 40 %: 그만큼의 라벨을 다른 번호로 균등하게 바꾼다.
# - 불균형(imbalance) 1:10, 1:30, 1:100: 가장 많은 클래스부터 같은 비율로 줄여 가장 드문 클래스를 1/10, 1/30, 1/100로
#   만든다.
# - 겹침: 라벨 노이즈 20 %와 불균형 1:10이나 1:100을 함께 만든다.
# - 데이터 10 %, 1 %: 클래스마다 그만큼만 남긴다.
#
# 클래스마다 둘은 남기므로 바란 비율에 닿지 못하는 데이터가 있다. 바란 비율이 1:100일 때 실제 비율은 유방암 1:90, 숫자
# 1:45, 와인 1:18, 붓꽃 1:12쯤이다. 1:30과 겹침에서는 비교할 방법만 잰다. 실제 표본 수는 아래에 출력한다.
#
# 모델은 너비 32의 은닉층이 하나인 신경망이고, AdamW로 200스텝 학습한다. 시드가 같으면 어느 방법이든 분할과 초기
# 가중치가 같다. 학습률 둘과 가중치 감쇠 셋을 곱한 여섯 설정을 모두 학습하고, 검증용으로 남겨 둔 4분의 1에서 균형
# 정확도가 가장 높은 설정을 선택한다. 같으면 NLL이 낮은 설정이다. 검증 라벨도 학습 라벨과 똑같이 틀리고 불균형하다.
# 실제로 데이터를 가진 사람도 깨끗한 검증 라벨은 없기 때문이다.
#
# 비교하는 방법은 열하나이고, 교차 엔트로피가 기준이다. 그 가운데 설명이 필요한 넷은 다음과 같다.
#
# - 일대나머지 BCE는 클래스마다 ‘이 클래스인가 아닌가’를 따로 묻고, 그 시그모이드의 값들을 합이 1이 되게 나눈다.
# - 온도 스케일링(temperature scaling)은 교차 엔트로피로 학습한 모델의 온도를 검증 데이터에서 정한다. 검증 데이터를
#   모두 맞혔으면 온도를 정할 수 없으므로 1로 둔다.
# - 코사인 소프트맥스는 은닉층의 값과 클래스마다의 가중치가 이루는 각의 코사인에 스케일(scale) 10을 곱해 로짓으로
#   쓴다.
# - SupCon은 스텝의 반으로 은닉층을, 나머지 반으로 그 위의 선형 헤드(linear head)를 학습한다.
#
# 한 데이터를 되풀이해 나누면 분할끼리 표본이 겹친다. 그래서 흔히 쓰는 구간은 너무 좁다. 여기서는 그만큼 넓힌
# 구간(Nadeau & Bengio)을 쓴다. 표의 ±는 모두 이 95 % 신뢰 구간의 반너비다. 마지막 열은 같은 시드끼리 교차 엔트로피를
# 뺀 균형 정확도, 곧 대응 차이(paired difference)다. 구간이 0을 포함하면 ‘유의하지 않음’이라고 적는다. 차이가 없다는
# 뜻이 아니라, 이 데이터로는 가리지 못한다는 뜻이다.

# %% 들여오기와 재기 tags=["setup"]
from pathlib import Path

import torch
from IPython.display import HTML, display

from mgk_docs_src.figures.style import (
    FAINT,
    GREEN,
    INK,
    ORANGE,
    separate,
    side_by_side,
)
from mgk_docs_src.labs.choosing import (
    CONDITIONS,
    DATASETS,
    METHODS,
    Condition,
    Scores,
    split,
    table,
    task,
)
from mgk_docs_src.labs.tables import paired, record
from mgk_docs_src.labs.tables import table as html_table
from mgk_docs_src.losses.choosing import (
    GUIDE,
    VERDICTS,
)

torch.set_num_threads(1)
CACHE = Path(
    ".cache/choosing"
)  # 잰 칸은 여기에 남고, 다음에는 다시 재지 않는다
results = table(CACHE, workers=2)

THIRTY = "불균형 1:30"
PARTS = [METHODS[0], "초점 손실 γ = 2", "균형 가중치", "로짓 보정"]
thirty = table(
    CACHE,
    conditions={THIRTY: Condition(imbalance=30.0)},
    methods=PARTS,
    workers=2,
)
BOTH = {
    "라벨 노이즈 20 %와 1:10": Condition(noise=0.2, imbalance=10.0),
    "라벨 노이즈 20 %와 1:100": Condition(noise=0.2, imbalance=100.0),
}
RIVALS = [METHODS[0], "로짓 보정", "일반화 교차 엔트로피"]
both = table(CACHE, conditions=BOTH, methods=RIVALS, workers=2)
# 조건마다 비교한 방법들. 첫째가 기준이다
methods = (
    dict.fromkeys(CONDITIONS, METHODS)
    | {THIRTY: PARTS}
    | dict.fromkeys(BOTH, RIVALS)
)
cells = results | thirty | both
ratios = CONDITIONS | {THIRTY: Condition(imbalance=30.0)}

print("학습과 검증에 남은 표본 수 (많은 클래스부터)")
for name in DATASETS:
    problem = task(name)
    for condition, knobs in ratios.items():
        if knobs.noise == 0:
            parts = split(
                problem.labels,
                num_classes=problem.num_classes,
                condition=knobs,
                seeds=1,
            )
            kept = (
                torch.cat([parts.learn_labels, parts.validation_labels], 1)[0]
                .bincount()
                .tolist()
            )
            print(f"  {name}, {condition}: {sorted(kept, reverse=True)}")


# %% 표를 만드는 함수 tags=["setup"]
def versus(scores):
    """줄마다 교차 엔트로피와의 대응 차이."""
    return [paired(row, scores[0], test_share=0.5) for row in scores]


def mean_and_half(row):
    found = paired(row, torch.zeros_like(row), test_share=0.5)
    half = found.high - found.difference
    return f"{found.difference:.3f}&nbsp;±&nbsp;{half:.3f}"


def verdict(gap):
    if gap.tie:
        return "유의하지 않음"
    half = gap.high - gap.difference
    return f"<strong>{gap.difference:+.3f}</strong>&nbsp;±&nbsp;{half:.3f}"


SCORES = ["정확도", "균형 정확도", "NLL", "ECE", "AUC"]


def averaged(condition):
    """데이터 넷을 시드마다 평균한 점수."""
    each = [cells[name, condition] for name in DATASETS]
    return Scores(
        *(torch.stack(columns).mean(0) for columns in zip(*each, strict=True))
    )


def gaps_of(condition, score):
    """조건 하나에서, 방법마다 교차 엔트로피와의 차이."""
    column = averaged(condition)[SCORES.index(score)]
    return dict(zip(methods[condition], versus(column), strict=True))


def named(condition, score):
    """그 차이들에 이름을 붙인다. 다른 페이지가 이 이름으로 값을 옮겨 적는다."""
    for name, gap in gaps_of(condition, score).items():
        half = gap.high - gap.difference
        record(f"{condition}/{name} {score} Δ", gap.difference, half)


def show(condition):
    """조건 하나의 표: 데이터 넷의 평균."""
    scores = averaged(condition)
    gaps = gaps_of(condition, "균형 정확도")
    rows = {
        name: [
            *(mean_and_half(column[i]) for column in scores),
            "–" if i == 0 else verdict(gaps[name]),
        ]
        for i, name in enumerate(gaps)
    }
    for name, row in zip(gaps, scores.balanced_accuracy, strict=True):
        record(f"{condition}/{name}", row.mean())
    named(condition, "균형 정확도")
    columns = [
        "정확도",
        "균형 정확도",
        "NLL (nat)",
        "ECE",
        "AUC",
        "Δ 균형 정확도",
    ]
    display(HTML(html_table(f"{condition}: 데이터 넷의 평균", columns, rows)))


def show_each(field, conditions, caption):
    """데이터마다의 점수와, 기준과의 차이."""
    names = methods[conditions[0]]
    rows = {name: [] for name in names}
    columns = []
    for condition in conditions:
        for dataset in DATASETS:
            columns.append(
                f"{dataset}, {condition}" if len(conditions) > 1 else dataset
            )
            scores = getattr(cells[dataset, condition], field)
            for i, (name, gap) in enumerate(
                zip(names, versus(scores), strict=True)
            ):
                mark = (
                    ""
                    if gap.tie
                    else f"<br><strong>{gap.difference:+.3f}</strong>"
                )
                rows[name].append(f"{scores[i].mean():.3f}{mark if i else ''}")
    display(HTML(html_table(caption, columns, rows)))


def apart(condition, score):
    """기준보다 유의하게 높은 방법과 낮은 방법."""
    gaps = gaps_of(condition, score).items()
    higher = [name for name, gap in gaps if gap.low > 0]
    return higher, [name for name, gap in gaps if gap.high < 0]


def report(score, conditions):
    """데이터 넷의 평균에서 기준보다 유의하게 나은 방법과 나쁜 방법."""
    for condition in conditions:
        won, lost = apart(condition, score)
        if score in ("NLL", "ECE"):
            won, lost = lost, won
        print(
            f"{condition}: 유의하게 나은 방법 {', '.join(won) or '없음'} / "
            f"나쁜 방법 {', '.join(lost) or '없음'}"
        )


# %% [markdown]
# ## 깨끗하고 균형 잡힌 데이터에서는 차이가 유의하지 않다 { #clean }
#
# 데이터에 노이즈도 불균형도 더하지 않으면, 손실이 점수를 바꾸는가.

# %%
show("그대로")
show_each(
    "balanced_accuracy",
    ["그대로"],
    "그대로: 데이터마다의 균형 정확도 (굵은 글씨: 기준과의 유의한 차이)",
)
report("균형 정확도", ["그대로"])

# %% [markdown]
# 열한 방법의 균형 정확도가 0.01 안에 모이고, 교차 엔트로피와의 차이는 구간이 모두 0을 포함한다. 이런 데이터에서 손실의
# 선택에 노력을 들일 이유를 찾지 못했다.
#
# 유의하게 다른 점수는 라벨 스무딩(label smoothing, 평활화)의 ECE다. 확신도를 일부러 낮추는 손실이기 때문이다. 아래의
# [확률](#calibration)에서 다시 본다.
#
# ## 라벨 노이즈에서는 일반화 교차 엔트로피가 유의하게 높다 { #noise }
#
# 학습 라벨의 20 %, 40 %가 틀렸다. 검증 라벨도 그만큼 틀렸다. 깨끗한 테스트 라벨에서 어느 방법이 나은가.

# %%
show("라벨 노이즈 20 %")
show("라벨 노이즈 40 %")
show_each(
    "balanced_accuracy",
    ["라벨 노이즈 40 %"],
    "라벨 노이즈 40 %: 데이터마다의 균형 정확도",
)
report("균형 정확도", ["라벨 노이즈 20 %", "라벨 노이즈 40 %"])

# %% [markdown]
# 두 조건에서 모두 유의하게 높은 방법은 일반화 교차 엔트로피뿐이다. 20 %에서는 정확도가 0.84에서 0.92로 오른다. 교차
# 엔트로피의 벌점은 모델이 낮은 확률을 준 라벨에서 끝없이 커진다. 일반화 교차 엔트로피의 벌점은 지수 $q$의 역수
# $1/q$를 넘지 않고, 그런 라벨의 기울기도 작다. 데이터마다 보면 40 %에서 유의하게 오른 데이터는 숫자다. 나머지 셋은
# 평균이 오르지만 차이가 유의하지 않다.
#
# SupCon은 20 %에서 유의하게 높다. 40 %에서는 평균이 가장 높지만 구간이 넓어 유의하지 않다. 20 %에서 ECE는 유의하게
# 나빠진다. 스텝의 반만 헤드에 쓰므로 덜 외운 것인지, 손실의 효과인지는 나누어 재지 않았다.
#
# 일대나머지 BCE는 40 %에서 유의하게 높다. 유의하게 오른 데이터는 클래스가 열인 숫자뿐이고, 거기서는 일반화 교차
# 엔트로피만큼 오른다. 클래스가 둘, 셋인 데이터에서는 차이가 유의하지 않다.
#
# 나머지 방법의 차이는 유의하지 않다. 초점 손실은 두 조건에서 모두 평균이 기준보다 낮지만, 구간은 0을 포함한다.
#
# ## 불균형 1:100에서는 로짓 보정과 균형 가중치가 유의하게 높다 { #imbalance }
#
# 가장 드문 클래스를 1/10, 1/30, 1/100로 줄였다. 테스트 데이터는 그대로이므로 균형 정확도를 본다.

# %%
show("불균형 1:10")
show("불균형 1:30")
show("불균형 1:100")
show_each(
    "balanced_accuracy",
    ["불균형 1:100"],
    "불균형 1:100: 데이터마다의 균형 정확도",
)
report("균형 정확도", ["불균형 1:10", "불균형 1:30", "불균형 1:100"])

# %% [markdown]
# 1:100에서 유의하게 높은 로짓 보정과 균형 가중치는 클래스의 빈도를 쓴다. 초점 손실은 빈도를 쓰지 않고, 기준과의 차이가
# 유의하지 않다. 데이터마다 보면 유의하게 오른 데이터는 숫자다. 나머지 셋은 평균이 오르지만 차이가 유의하지 않다.
#
# 1:10과 1:30에서는 로짓 보정의 평균이 가장 높지만 구간이 0을 포함한다. 이득인지 손해인지 이 데이터로는 가리지 못한다.
#
# 라벨 노이즈에서 높았던 일반화 교차 엔트로피가 1:100에서는 유의하게 낮다. 다만 평균을 낮춘 데이터는 거의 유방암
# 하나다. 유방암에서는 균형 정확도가 0.5, 곧 한 클래스만 예측하는 모델이 선택된다. 와인과 붓꽃에서는 기준과 거의 같다.
# 모델이 낮은 확률을 준 라벨을 거의 밀지 않는 성질 때문인지는 따로 재지 않았다.
#
# ## 노이즈와 불균형이 겹치면 두 손실 모두 차이가 유의하지 않다 { #both }
#
# 드문 클래스가 있고 라벨의 20 %도 틀렸으면, 둘 가운데 어느 손실을 따라야 하는가.

# %%
for condition in BOTH:
    show(condition)
show_each(
    "balanced_accuracy",
    ["라벨 노이즈 20 %와 1:10"],
    "라벨 노이즈 20 %와 1:10: 데이터마다의 균형 정확도",
)
for score in ("정확도", "균형 정확도", "AUC"):
    print(score)
    report(score, BOTH)

# %% [markdown]
# 로짓 보정의 평균은 기준보다 낮고, 일반화 교차 엔트로피의 평균은 1:10에서 기준보다 높다. 구간은 모두 0을 포함한다.
# 로짓 보정은 노이즈가 섞인 라벨로 빈도를 세므로, 드문 클래스가 실제보다 흔해 보인다. 두 조건만 쟀다. 노이즈가
# 40 %이거나 다른 손실이면 어떤지는 모른다.
#
# ## 데이터가 적으면 손실보다 데이터를 늘린 효과가 크다 { #amount }
#
# 학습과 검증에 쓰는 데이터가 10 %, 1 %뿐이면 어느 방법이 나은가. 1 %이면 숫자는 스무 장, 나머지는 클래스마다 둘이다.

# %%
show("데이터 10 %")
show("데이터 1 %")
show_each(
    "balanced_accuracy",
    ["데이터 1 %"],
    "데이터 1 %: 데이터마다의 균형 정확도",
)
report("균형 정확도", ["데이터 10 %", "데이터 1 %"])

# %% [markdown]
# 모든 방법의 차이가 유의하지 않다. 손실을 바꾸어 얻는 이득이 있더라도 여기서 가릴 만큼 크지 않다. 데이터를 늘린 효과는
# 크다. 교차 엔트로피의 균형 정확도가 1 %에서 0.79, 10 %에서 0.87, 모두에서 0.96이다. 1 %에서는 검증 표본이 한두 개뿐인
# 데이터가 셋이다. 붓꽃은 클래스마다 둘에서 막혀 10 %와 1 %가 같은 여섯 송이다.
#
# ## NLL이 교차 엔트로피보다 유의하게 낮은 방법은 없다 { #calibration }
#
# 모델이 예측한 확률을 그대로 쓸 수 있는가. 작을수록 좋은 기대 보정 오차(ECE)와 음의 로그 가능도(NLL)를 데이터마다
# 본다.

# %%
show_each("ece", ["그대로"], "그대로: 데이터마다의 ECE (작을수록 좋다)")
show_each("nll", ["그대로"], "그대로: 데이터마다의 NLL (nat, 작을수록 좋다)")
show_each(
    "nll",
    ["라벨 노이즈 20 %"],
    "라벨 노이즈 20 %: 데이터마다의 NLL (nat, 작을수록 좋다)",
)
print("ECE")
report("ECE", CONDITIONS)
print("NLL")
report("NLL", CONDITIONS)

# %% [markdown]
# 일곱 조건 어디에서도 NLL이 교차 엔트로피보다 유의하게 낮은 방법이 없다. 다만 구간이 넓다. 설정은 NLL이 아니라 균형
# 정확도로 선택했다. 확률이 목표라면 설정을 선택하는 지표도 NLL이어야 한다.
#
# 라벨 스무딩은 ECE를 나쁘게 한다. 깨끗한 데이터에서 0.03이 0.10이 된다. 확신도를 낮추도록 학습했으니 당연하다. [앞의
# 실습](losses.ipynb)에서는 온도 스케일링을 하자 그 대부분이 되돌아왔다.
#
# 온도 스케일링의 차이는 유의하지 않다. 깨끗한 숫자에서는 NLL의 평균이 내려가고 와인에서는 올라가지만 구간은 모두 0을
# 포함한다. 검증 데이터를 모두 맞히면 온도를 정할 수조차 없다. 라벨이 틀렸으면 온도도 틀린 라벨에 맞추어진다. 라벨
# 노이즈 20 %의 숫자에서는 NLL이 유의하게 나빠진다.
#
# 초점 손실은 불균형 1:100에서 ECE만 유의하게 낫다. 나머지 점수의 차이는 유의하지 않다.
#
# ## 순서에서는 라벨 노이즈 20 %에서만 유의하게 나은 방법이 있다 { #ranking }
#
# 임계값(threshold)은 나중에 정하고 순서만 잘 매기면 된다면 무엇이 다른가. 클래스마다 나머지와 구별하는 AUC의 평균을
# 본다.

# %%
print("AUC")
report("AUC", CONDITIONS)
show_each("auc", ["불균형 1:100"], "불균형 1:100: 데이터마다의 AUC")

# %% [markdown]
# 노이즈가 없으면 교차 엔트로피보다 유의하게 높은 방법이 없다. 로짓 보정과 균형 가중치의 AUC는 모든 조건에서 차이가
# 유의하지 않다. 라벨 노이즈 20 %에서는 일반화 교차 엔트로피가 유의하게 높고, 40 %에서는 차이가 유의하지 않다.
#
# 불균형 1:100에서 일반화 교차 엔트로피와 브라이어 손실은 유의하게 낮다. 이유는 유방암 하나다. 유방암에서 AUC가
# 0.787에서 0.262와 0.312로 떨어져 순서가 뒤집힌다. 나머지 세 데이터에서는 기준과의 차이가 유의하지 않다.
#
# ## 네 조건의 차이를 나란히 본다 { #summary }
#
# 가로축은 교차 엔트로피와의 균형 정확도 차이, 가로줄은 95 % 신뢰 구간이다. 마름모는 구간이 0을 포함하지 않는 방법이다.

# %% 그림을 그리는 코드 tags=["setup", "summary"]
FOUND = ["그대로", "라벨 노이즈 40 %", "불균형 1:100", "데이터 1 %"]


def told(condition):
    """구간이 0을 포함하지 않는 방법들."""
    sides = zip(
        ("오른쪽", "왼쪽"), apart(condition, "균형 정확도"), strict=True
    )
    out = [
        f"0의 {side}에 있는 구간은 {', '.join(some)}"
        for side, some in sides
        if some
    ]
    return f"{'. '.join(out)}." if out else "모든 구간이 0을 포함한다."


with separate(len(FOUND), height=2.7) as places:
    for (_, axis), condition in zip(places, FOUND, strict=True):
        gaps = versus(averaged(condition).balanced_accuracy)[1:]
        axis.axvline(0, color=FAINT)
        for row, gap in enumerate(gaps):
            color = INK if gap.tie else GREEN if gap.difference > 0 else ORANGE
            axis.plot([gap.low, gap.high], [row, row], color=color, lw=1.5)
            mark = "o" if gap.tie else "D"
            axis.plot(gap.difference, row, mark, color=color, markersize=5)
        names = [name.split(" + ")[0] for name in METHODS[1:]]
        axis.set_yticks(range(len(gaps)), names, fontsize=9)
        axis.invert_yaxis()
        axis.set(title=condition, xlim=(-0.2, 0.2))
        axis.set(xlabel="균형 정확도의 차이")
pictures = [
    (figure, f"{name}: 교차 엔트로피와의 균형 정확도 차이. {told(name)}")
    for (figure, _), name in zip(places, FOUND, strict=True)
]
display(HTML(side_by_side(pictures)))

# %% [markdown]
# ## 설정을 미리 정하면 로짓 보정의 차이가 유의하다 { #fixed }
#
# [앞의 실습](losses.ipynb)에서는 로짓 보정이 유의하게 높은데, 여기서는 1:30에서 차이가 유의하지 않다. 무엇이 다른가.
#
# 앞의 실습은 설정을 정해 두고 시드 20개로 학습하며, 구간은 여기서처럼 넓힌다. 로짓 보정과 교차 엔트로피의 차이는
# [악성이 6명뿐인 유방암](losses.ipynb#six)의 균형 정확도(신경망, 벌점 0.01)에서
# <data value="labs/losses:균형 정확도, 악성 6명/로짓 보정/신경망, 벌점 0.01 Δ">+0.050 ± 0.048</data>, [긴 꼬리
# 숫자](losses.ipynb#tail)의 정확도에서
# <data value="labs/losses:긴 꼬리 숫자/로짓 보정 τ = 1/전체 정확도 Δ">+0.040 ± 0.025</data>다.
#
# 이 실습의 규칙으로 만든 1:30에서 같은 점수를 본다. 학습과 검증에 유방암은 악성 6명과 양성 179명, 숫자는 많게는 92장,
# 적게는 3장이 남는다.

# %%
rule = {
    "유방암": thirty["유방암", THIRTY].balanced_accuracy,
    "숫자": thirty["숫자", THIRTY].accuracy,
}
rows = {
    name: [
        cell
        for scores in rule.values()
        for cell in (
            mean_and_half(scores[i]),
            mean_and_half(scores[i] - scores[0]) if i else "–",
        )
    ]
    for i, name in enumerate(PARTS)
}
columns = [f"{data}{what}" for data in rule for what in ("", ", Δ")]
display(HTML(html_table("불균형 1:30, 이 실습의 규칙", columns, rows)))

# %% [markdown]
# 앞 실습의 설정에서는 로짓 보정이 두 데이터에서 모두 교차 엔트로피보다 유의하게 높다. 균형 가중치의 차이는 모두
# 유의하지 않고, 초점 손실은 유방암에서만 유의하게 낮다. 이 실습의 규칙에서는 점수가 모두 낮고, 셋 다 차이가 유의하지
# 않다. 로짓 보정의 차이는 여기서도 그만큼 크지만 구간이 더 넓다. 두 실습은 세 가지가 다르다.
#
# 1. 이 실습은 4분의 1을 설정을 정하는 검증 데이터로 남겨 둔다. 악성 6명이면 한두 명이다.
# 2. 이 실습은 그 한두 명의 점수로 설정을 선택한다. 앞의 실습은 정해 둔 설정 하나를 쓴다.
# 3. 신경망의 너비와 스텝 수가 다르다.
#
# 어느 것의 영향이 얼마인지는 나누어 재지 않았다.
#
# ## 안내표의 판정을 구간으로 확인한다 { #evidence }
#
# [손실 고르기](../losses/choosing.md)의 안내표에는 줄마다 근거가 된 차이가 있고, 그 장의 표 3에 모여 있다. 그 차이를
# 여기서 모두 다시 읽는다. 표의 판정이 구간과 다르면 이 칸이 오류로 멈춘다.

# %% 안내표의 판정을 구간과 비교하는 코드
for condition in methods:
    for score in SCORES:
        if score != "균형 정확도":
            named(condition, score)


BETTER, TIE, WORSE, NO_BETTER = VERDICTS


def told_by(gap, score):
    """구간에서 나오는 판정. NLL과 ECE는 작을수록 좋다."""
    if gap.tie:
        return TIE
    better = (gap.difference > 0) != (score in ("NLL", "ECE"))
    return BETTER if better else WORSE


checked = 0
for rule in GUIDE:
    for one in rule.measured:
        found = {
            told_by(gap, one.score)
            for name, gap in gaps_of(one.condition, one.score).items()
            if one.method in (name, "모두") and name != METHODS[0]
        }
        allowed = {NO_BETTER: {TIE, WORSE}}.get(one.verdict, {one.verdict})
        assert found, one
        assert found <= allowed, (one, found)
        checked += 1
print(f"안내표의 판정 {checked}개가 모두 구간에서 나온 판정과 같다")

# %% [markdown]
# ## 이 실습으로 알 수 없는 것 { #limits }
#
# - 표의 데이터는 모두 작고, 모델은 은닉층이 하나다. 큰 신경망과 큰 데이터에서는 다를 수 있다.
# - 여기서 만든 라벨 노이즈는 클래스를 가리지 않는다. 사람이 틀리는 라벨은 헷갈리는 클래스로 몰린다.
# - 불균형은 한 가지 순서로만 만들었다. 어느 클래스가 드문지가 바뀌면 값도 바뀐다.
# - 테스트 데이터는 거의 균형이다. 쓰일 곳의 클래스도 불균형한 데이터의 정확도는 재지 않았다.
# - 라벨 노이즈는 20 %와 40 %, 겹침은 20 %에서만 쟀다. 균등하게 틀린 비율이 $(C-1)/C$에 이르면 라벨에 정보가 없으므로,
#   그 가까이에서 일반화 교차 엔트로피가 어떤지는 이 표로 말할 수 없다.
# - 손실마다의 하이퍼파라미터(γ, q, ε, 스케일, 온도)는 흔히 쓰는 값 하나로 두었다. 그 값까지 선택하면 더 나아질 수
#   있다.
# - 데이터 넷의 평균은 이 넷의 평균일 뿐이다. 새 데이터에서는 그 데이터로 재야 한다.
# - 방법 열과 조건 일곱을 비교했으니, 0을 포함하지 않는 구간 가운데 몇은 우연일 수 있다. 끝이 0에 가까운 구간은 더
#   그렇다.
#
# ## 결론을 확인한다 { #checks }
#
# 첫머리의 세 결론을 이 실습의 결과로 다시 판정한다. 어긋나면 이 칸이 오류로 멈춘다.

# %%
WON = {name: apart(name, "균형 정확도")[0] for name in methods}
LOST = {name: apart(name, "균형 정확도")[1] for name in methods}
EASY = ["그대로", "데이터 10 %", "데이터 1 %"]
TIED = not any(WON[name] + LOST[name] for name in BOTH)

assert not any(WON[name] + LOST[name] for name in EASY), (
    "깨끗한 데이터와 적은 데이터에서는 차이가 모두 유의하지 않다"
)
assert {*WON["라벨 노이즈 20 %"]} & {*WON["라벨 노이즈 40 %"]} == {
    "일반화 교차 엔트로피"
}, "두 노이즈에서 모두 유의하게 높은 방법은 일반화 교차 엔트로피뿐이다"
assert (WON["불균형 1:100"], LOST["불균형 1:100"], TIED) == (
    ["균형 가중치", "로짓 보정"],
    ["일반화 교차 엔트로피"],
    True,
), "1:100에서는 빈도를 쓰는 둘이 높고 하나가 낮다. 겹치면 유의하지 않다"

# %% [markdown]
# ## 출처
#
# - Nadeau, C. & Bengio, Y. (2003). *Inference for the Generalization Error*.
# - Zhang, Z. & Sabuncu, M. (2018). *Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy
#   Labels*.
# - Menon, A. K. 외 (2021). *Long-tail Learning via Logit Adjustment*.
# - Guo, C. 외 (2017). *On Calibration of Modern Neural Networks*.
# - Khosla, P. 외 (2020). *Supervised Contrastive Learning*.
# - Cui, Y. 외 (2019). *Class-Balanced Loss Based on Effective Number of Samples*.
# - scikit-learn 문서, Toy datasets. [서지](../reference/bibliography.md)
