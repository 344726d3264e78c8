# ---
# jupyter:
#   level: 중급
#   english:
#     title: "Lab: which loss to choose"
#     summary: >-
#       Eleven methods, four data sets, ten seeds. All tie on clean and scarce data. Generalised cross-entropy wins
#       with 20 and 40 % wrong labels, logit adjustment at 1:100 imbalance; with 20 % and 1:10 both at once, neither.
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
# 스터디가 처음 세운 목표는 자료에 맞는 손실을 찾는 것이었다. 클래스 라벨에 쓸 수 있는 방법 열한 가지를 진짜 자료
# 넷에서 같은 모델과 같은 규칙으로 견준다. 라벨이 틀렸을 때, 드문 클래스가 있을 때, 자료가 적을 때 무엇이 이기고
# 무엇이 비기나. 답을 한 장으로 줄인 것이 [손실 고르기](../losses/choosing.md)다.
#
# ## 결론 셋 { #conclusions }
#
# - 깨끗한 자료에서는 열한 방법의 균형 정확도가 0.960–0.965이고 교차 엔트로피와 모두 비긴다([깨끗하고 고른
#   자료에서](#clean)). 자료를 10 %, 1 %로 줄여도 비긴다([자료가 적을 때](#amount)).
# - 라벨의 20 %, 40 %가 틀리면 일반화 교차 엔트로피가 균형 정확도를 0.839에서 0.920으로, 0.652에서 0.727로 올린다.
#   두 조건에서 모두 이긴 것은 이것뿐이다([라벨에 잡음이 있을 때](#noise)).
# - 드문 클래스를 1/100로 줄이면 로짓 보정이 0.764에서 0.812로, 균형 가중치가 0.791로 올리고, 일반화 교차 엔트로피는
#   0.722로 진다([드문 클래스가 있을 때](#imbalance)). 틀린 라벨 20 %가 1:10이나 1:100과 겹치면 로짓 보정도 일반화 교차
#   엔트로피도 비긴다([둘이 겹칠 때](#both)).

# %% [markdown]
# ## 어떻게 재나 { #setup }
#
# **자료.** scikit-learn에 들어 있는 유방암(569명, 2 클래스), 와인(178병, 3), 붓꽃(150송이, 3), 숫자(1797장, 10). 씨앗
# 10개로 클래스마다 반씩 나눈다. 한쪽으로 배우고 다른 쪽으로 시험한다. **배우는 쪽만** 어렵게 만들고, 시험하는 쪽은
# 깨끗하고 자연스러운 그대로 둔다.
#
# - 잡음 20 %, 40 %: 그만큼의 라벨을 다른 번호로 고르게 바꾼다.
# - 치우침 1:10, 1:30, 1:100: 가장 많은 클래스부터 같은 비로 줄여 가장 드문 것을 1/10, 1/30, 1/100로 만든다.
# - 겹침: 틀린 라벨 20 %와 치우침 1:10이나 1:100을 함께 만든다.
# - 자료 10 %, 1 %: 클래스마다 그만큼만 남긴다.
#
# 클래스마다 둘은 남기므로 바란 비에 닿지 못하는 자료가 있다. 바란 비가 1:100일 때 실제 비는 유방암 1:90, 숫자 1:45,
# 와인 1:18, 붓꽃 1:12쯤이다. 1:30과 겹침은 묻는 방법만 잰다. 실제 수는 아래에 찍는다.
#
# **모델과 규칙.** 너비 32의 숨은 층 하나, AdamW 200걸음. 씨앗이 같으면 어느 방법이든 나누기와 첫 가중치가 같다. 학습률
# 둘과 가중치 감쇠 셋을 곱한 여섯 설정을 모두 배우고, 배우는 쪽에서 떼어 둔 4분의 1에서 **균형 정확도가 가장 높은 것**을
# 고른다. 비기면 NLL이 낮은 것이다. 떼어 둔 라벨도 배우는 쪽과 똑같이 틀리고 치우쳐 있다. 자료를 손에 쥔 사람이 할 수
# 있는 그대로다.
#
# **방법.** 교차 엔트로피가 기준이다. 일대나머지 BCE는 클래스마다 ‘이것인가 아닌가’를 묻고 σ를 합이 1이 되게 나눈다.
# 온도 맞추기는 교차 엔트로피로 배운 것의 온도를 떼어 둔 자료에서 맞춘다. 떼어 둔 것을 모두 맞혔으면 온도를 정할 수
# 없으므로 그대로 둔다. 코사인 소프트맥스는 마지막 층을 각으로 읽는다(배율 10). SupCon은 걸음의 반으로 숨은 층을,
# 나머지 반으로 그 위의 선형 머리를 배운다.
#
# **구간.** 한 자료를 거듭 나누면 나눈 것끼리 표본이 겹친다. 그래서 흔히 쓰는 구간은 너무 좁다. 여기서는 그만큼 넓힌
# 구간(Nadeau & Bengio)을 쓴다. 표의 ±는 모두 이 95 % 구간의 반너비다. 마지막 열은 같은 씨앗끼리 교차 엔트로피를 뺀 균형
# 정확도이고, 구간이 0을 품으면 **비김**이라고 적는다. 차이가 없다는 뜻이 아니라, 이 자료로는 가리지 못한다는 뜻이다.

# %% 들여오기와 재기 tags=["setup"]
from pathlib import Path

import torch
from IPython.display import HTML, display

from mgk_docs_src.data import breast_cancer, digits
from mgk_docs_src.figures.style import (
    FAINT,
    GREEN,
    INK,
    ORANGE,
    separate,
    side_by_side,
)
from mgk_docs_src.labs import losses as small
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
from mgk_docs_src.losses.categorical import cross_entropy
from mgk_docs_src.losses.choosing import (
    GUIDE,
    class_weights,
    focal_loss,
    logit_adjustment,
)
from mgk_docs_src.metrics import balanced_accuracy
from mgk_docs_src.random import generator

torch.set_num_threads(1)
CACHE = Path(
    ".cache/choosing"
)  # 잰 칸은 여기에 남아 다음에는 다시 재지 않는다
results = table(CACHE, workers=2)

THIRTY = "치우침 1:30"
PARTS = [METHODS[0], "초점 손실 γ = 2", "균형 가중치", "로짓 보정"]
thirty = table(
    CACHE,
    conditions={THIRTY: Condition(imbalance=30.0)},
    methods=PARTS,
    workers=2,
)
BOTH = {
    "잡음 20 %와 1:10": Condition(noise=0.2, imbalance=10.0),
    "잡음 20 %와 1:100": Condition(noise=0.2, imbalance=100.0),
}
RIVALS = [METHODS[0], "로짓 보정", "일반화 교차 엔트로피"]
both = table(CACHE, conditions=BOTH, methods=RIVALS, workers=2)
# 조건마다 견준 방법들. 첫째가 기준이다
methods = (
    dict.fromkeys(CONDITIONS, METHODS)
    | {THIRTY: PARTS}
    | dict.fromkeys(BOTH, RIVALS)
)
cells = results | thirty | both
ratios = CONDITIONS | {THIRTY: Condition(imbalance=30.0)}

print("배우는 쪽에 남은 수 (많은 클래스부터)")
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
    """줄마다 교차 엔트로피와 짝지은 차이."""
    return [paired(row, scores[0], test_share=0.5) for row in scores]


def mean_and_half(row):
    found = paired(row, torch.zeros_like(row), test_share=0.5)
    half = found.high - found.difference
    return f"{found.difference:.3f}<small>&nbsp;±&nbsp;{half:.3f}</small>"


def verdict(gap):
    if gap.tie:
        return "비김"
    half = gap.high - gap.difference
    return (
        f"<strong>{gap.difference:+.3f}</strong>"
        f"<small>&nbsp;±&nbsp;{half:.3f}</small>"
    )


SCORES = ["정확도", "균형 정확도", "NLL", "ECE", "AUC"]


def averaged(condition):
    """자료 넷을 씨앗마다 평균한 점수."""
    each = [cells[name, condition] for name in DATASETS]
    return Scores(
        *(torch.stack(columns).mean(0) for columns in zip(*each, strict=True))
    )


def gaps_of(condition, score):
    """조건 하나에서, 방법마다 교차 엔트로피와의 차이."""
    column = averaged(condition)[SCORES.index(score)]
    return dict(zip(methods[condition], versus(column), strict=True))


def named(condition, score):
    """그 차이들에 이름을 붙인다. 다른 페이지가 이 이름으로 옮겨 적는다."""
    for name, gap in gaps_of(condition, score).items():
        half = gap.high - gap.difference
        record(f"{condition}/{name} {score} Δ", gap.difference, half)


def show(condition):
    """조건 하나의 표: 자료 넷의 평균."""
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
    display(HTML(html_table(f"{condition}: 자료 넷의 평균", columns, rows)))


def show_each(field, conditions, caption):
    """자료마다의 점수와, 기준과의 차이."""
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
    """기준보다 뚜렷이 높은 것과 낮은 것."""
    gaps = gaps_of(condition, score).items()
    higher = [name for name, gap in gaps if gap.low > 0]
    return higher, [name for name, gap in gaps if gap.high < 0]


def report(score, conditions):
    """자료 넷의 평균에서 기준을 뚜렷이 이긴 것과 진 것."""
    for condition in conditions:
        won, lost = apart(condition, score)
        if score in ("NLL", "ECE"):
            won, lost = lost, won
        print(
            f"{condition}: 이긴 것 {', '.join(won) or '없음'} / 진 것 "
            f"{', '.join(lost) or '없음'}"
        )


# %% [markdown]
# ## 깨끗하고 고른 자료에서 { #clean }
#
# **질문.** 아무것도 어렵지 않을 때 손실이 점수를 바꾸나.

# %%
show("그대로")
show_each(
    "balanced_accuracy",
    ["그대로"],
    "그대로: 자료마다의 균형 정확도 (굵은 글씨: 기준과 뚜렷이 다른 차이)",
)
report("균형 정확도", ["그대로"])

# %% [markdown]
# **모두 비긴다.** 열한 방법의 균형 정확도가 0.01 안에 모이고, 교차 엔트로피와의 차이는 구간이 모두 0을 품는다. 이런
# 자료에서는 손실을 고르느라 애쓸 까닭을 찾지 못했다.
#
# 뚜렷이 갈리는 것은 라벨 평활화의 ECE다. 확신을 일부러 낮추는 손실이다. 아래의 [확률](#calibration)에서 다시 본다.
#
# ## 라벨에 잡음이 있을 때 { #noise }
#
# **질문.** 배우는 라벨의 20 %, 40 %가 틀렸다. 떼어 둔 라벨도 그만큼 틀렸다. 시험 라벨은 깨끗하다.

# %%
show("잡음 20 %")
show("잡음 40 %")
show_each(
    "balanced_accuracy", ["잡음 40 %"], "잡음 40 %: 자료마다의 균형 정확도"
)
report("균형 정확도", ["잡음 20 %", "잡음 40 %"])

# %% [markdown]
# **두 조건에서 모두 이긴 것은 일반화 교차 엔트로피뿐이다.** 20 %에서는 정확도가 0.84에서 0.92로 오른다. 교차 엔트로피의
# 벌점은 모델이 믿지 않는 라벨에서 끝없이 커진다. 일반화 교차 엔트로피의 벌점은 $1/q$에서 멈추고, 그런 라벨의 기울기는
# 작다. 자료마다 보면 40 %에서 뚜렷이 오른 것은 숫자이고, 나머지 셋은 평균이 오르지만 비긴다.
#
# **SupCon은 20 %에서 이긴다.** 40 %에서는 평균이 가장 높지만 구간이 넓어 비긴다. 20 %에서 ECE는 뚜렷이 나빠진다. 걸음의
# 반만 머리에 쓰므로 덜 외운 것인지, 손실의 덕인지는 나누어 재지 않았다.
#
# **일대나머지 BCE는 40 %에서 이긴다.** 뚜렷이 오른 자료는 클래스가 열인 숫자뿐이고, 거기서는 일반화 교차 엔트로피만큼
# 오른다. 클래스가 둘, 셋인 자료에서는 비긴다.
#
# **나머지는 비긴다.** 초점 손실은 두 조건에서 모두 평균이 기준보다 낮지만, 구간은 0을 품는다.
#
# ## 드문 클래스가 있을 때 { #imbalance }
#
# **질문.** 가장 드문 클래스가 1/10, 1/30, 1/100뿐이다. 시험하는 쪽은 자연스러운 그대로이므로, 균형 정확도를 본다.

# %%
show("치우침 1:10")
show("치우침 1:30")
show("치우침 1:100")
show_each(
    "balanced_accuracy",
    ["치우침 1:100"],
    "치우침 1:100: 자료마다의 균형 정확도",
)
report("균형 정확도", ["치우침 1:10", "치우침 1:30", "치우침 1:100"])

# %% [markdown]
# **1:100에서는 로짓 보정과 균형 가중치가 이긴다.** 둘은 클래스의 **빈도**를 안다. 초점 손실은 빈도를 모르고, 기준과
# 비긴다. 자료마다 보면 뚜렷이 오른 것은 숫자이고, 나머지 셋은 평균이 오르지만 비긴다.
#
# **1:10과 1:30에서는 비긴다.** 로짓 보정의 평균이 가장 높지만 구간이 0을 품는다. 이득인지 손해인지 이 자료로는 가르지
# 못한다.
#
# **잡음에 강하던 것이 1:100에서는 진다.** 다만 일반화 교차 엔트로피의 평균을 끌어내린 것은 거의 유방암 하나다. 거기서는
# 균형 정확도가 0.5, 곧 한 클래스만 부르는 모델이 골라진다. 와인과 붓꽃에서는 기준과 거의 같다. 믿지 않는 라벨을 놓아
# 주는 성질 때문인지는 따로 재지 않았다.
#
# ## 둘이 겹칠 때 { #both }
#
# **질문.** 드문 클래스가 있고 라벨의 20 %도 틀렸으면, 둘 가운데 어느 손실을 따라야 하나.

# %%
for condition in BOTH:
    show(condition)
show_each(
    "balanced_accuracy",
    ["잡음 20 %와 1:10"],
    "잡음 20 %와 1:10: 자료마다의 균형 정확도",
)
for score in ("정확도", "균형 정확도", "AUC"):
    print(score)
    report(score, BOTH)

# %% [markdown]
# **둘 다 비긴다.** 평균에서 로짓 보정은 기준보다 낮고, 일반화 교차 엔트로피는 1:10에서 높다. 구간은 모두 0을 품는다.
# 본 라벨로 센 빈도에는 틀린 라벨이 섞이므로, 드문 클래스가 실제보다 흔해 보인다. 두 조건만 재었다. 잡음이 40 %이거나
# 다른 손실이면 어떤지는 모른다.
#
# ## 자료가 적을 때 { #amount }
#
# **질문.** 배우는 자료가 10 %, 1 %뿐이다. 1 %이면 숫자는 스무 장, 나머지는 클래스마다 둘이다.

# %%
show("자료 10 %")
show("자료 1 %")
show_each(
    "balanced_accuracy", ["자료 1 %"], "자료 1 %: 자료마다의 균형 정확도"
)
report("균형 정확도", ["자료 10 %", "자료 1 %"])

# %% [markdown]
# **모두 비긴다.** 손실을 바꾸어 얻는 것이 있더라도 여기서 가릴 만큼 크지 않다. 자료를 늘린 효과는 크다. 교차 엔트로피의
# 균형 정확도가 1 %에서 0.79, 10 %에서 0.87, 모두에서 0.96이다. 1 %에서는 설정을 고르는 몫이 한두 개뿐인 자료가 셋이다.
# 붓꽃은 클래스마다 둘에서 막혀 10 %와 1 %가 같은 여섯 송이다.
#
# ## 확률을 믿어야 할 때 { #calibration }
#
# **질문.** 모델이 말한 확률을 그대로 쓸 수 있나. 작을수록 좋은 ECE와 NLL을 자료마다 본다.

# %%
show_each("ece", ["그대로"], "그대로: 자료마다의 ECE (작을수록 좋다)")
show_each("nll", ["그대로"], "그대로: 자료마다의 NLL (nat, 작을수록 좋다)")
show_each(
    "nll", ["잡음 20 %"], "잡음 20 %: 자료마다의 NLL (nat, 작을수록 좋다)"
)
print("ECE")
report("ECE", CONDITIONS)
print("NLL")
report("NLL", CONDITIONS)

# %% [markdown]
# **일곱 조건 어디에서도 NLL에서 교차 엔트로피를 뚜렷이 이긴 것이 없다.** 구간이 넓다. 설정을 NLL이 아니라 균형 정확도로
# 골랐다. 확률이 목표라면 고르는 잣대도 NLL이어야 한다.
#
# **라벨 평활화는 ECE를 나쁘게 한다.** 깨끗한 자료에서 0.03이 0.10이 된다. 확신을 낮추라고 가르쳤으니 당연하다. [앞의
# 실습](losses.ipynb)은 온도를 맞추면 그 대부분이 돌아온다는 것을 보였다.
#
# **온도 맞추기는 비긴다.** 깨끗한 숫자에서는 NLL의 평균이 내려가고 와인에서는 올라가지만 구간은 모두 0을 품는다. 떼어
# 둔 것을 모두 맞히면 온도를 정할 수조차 없다. 라벨이 틀렸으면 온도도 그 틀린 라벨에 맞춰진다. 잡음 20 %의 숫자에서는
# NLL이 뚜렷이 나빠진다.
#
# **초점 손실은 치우침 1:100에서 ECE만 뚜렷이 낫다.** 나머지 점수는 비긴다.
#
# ## 순서를 매길 때 { #ranking }
#
# **질문.** 문턱은 나중에 정하고 순서만 잘 매기면 된다면 무엇이 다른가. 클래스마다 나머지와 가른 AUC의 평균을 본다.

# %%
print("AUC")
report("AUC", CONDITIONS)
show_each("auc", ["치우침 1:100"], "치우침 1:100: 자료마다의 AUC")

# %% [markdown]
# **잡음이 없으면 교차 엔트로피를 뚜렷이 이기는 것이 없다.** 로짓 보정과 균형 가중치의 AUC는 모든 조건에서 비긴다. 잡음
# 20 %에서는 일반화 교차 엔트로피가 이기고, 40 %에서는 비긴다.
#
# **치우침 1:100에서 일반화 교차 엔트로피와 브라이어 손실은 진다. 까닭은 유방암 하나다.** 거기서 AUC가 0.787에서 0.262와
# 0.312로 떨어져 순서가 뒤집힌다. 나머지 세 자료에서는 기준과 비긴다.
#
# ## 한눈에 { #summary }

# %% 그림을 그리는 코드 tags=["setup", "summary"]
FOUND = ["그대로", "잡음 40 %", "치우침 1:100", "자료 1 %"]


def told(condition):
    """구간이 0을 벗어난 것들."""
    sides = zip(
        ("오른쪽", "왼쪽"), apart(condition, "균형 정확도"), strict=True
    )
    out = [
        f"{side}으로 벗어난 것은 {', '.join(some)}"
        for side, some in sides
        if some
    ]
    return f"{'. '.join(out)}." if out else "모든 구간이 0을 품는다."


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
# ## 설정을 고르지 않으면 { #fixed }
#
# **질문.** [앞의 실습](losses.ipynb)에서는 로짓 보정이 이기는데, 여기서는 1:30에서 비긴다. 무엇이 다른가.
#
# 앞의 실습은 설정 하나를 정해 두고 배운다. 그 설정 그대로 씨앗 20개로 재고, 구간은 여기서처럼 넓힌다. 옆에는 이 실습의
# 규칙으로 1:30을 만들어 잰 것을 둔다. 배우는 쪽에 유방암은 악성 6명과 양성 179명, 숫자는 92장부터 3장까지 남는다.

# %% 앞 실습의 설정으로 다시 재는 코드 tags=["setup"]
SEEDS = range(20)


def plain(z, y):
    return cross_entropy(z, y, reduction="none")


def again(data, pools, counts, score, **knobs):
    """앞 실습의 설정: 고르지 않고, 정해 둔 설정 하나로 배운다."""
    learn, test = [], []
    for seed in SEEDS:
        g = generator(seed)
        pool, rest = small.subsample(data.labels, counts=pools, generator=g)
        kept, _ = small.subsample(
            data.labels[pool], counts=counts, generator=g
        )
        learn.append(pool[kept])
        test.append(rest)
    learn, test = torch.stack(learn), torch.stack(test)
    x, y = data.features[learn], data.labels[learn]
    classes = len(counts)
    weight = class_weights(y[0], num_classes=classes)
    shift = logit_adjustment(y[0], num_classes=classes)
    losses = {
        "교차 엔트로피": plain,
        "초점 손실 γ = 2": lambda z, y: focal_loss(z, y, reduction="none"),
        "균형 가중치": lambda z, y: cross_entropy(
            z, y, weight=weight, reduction="none"
        ),
        "로짓 보정": lambda z, y: plain(z + shift, y),
    }
    found = {}
    for name, loss in losses.items():
        gs = [generator(seed) for seed in SEEDS]
        fitted = small.train(
            x, y, loss, num_classes=classes, generators=gs, **knobs
        )
        predicted = small.predict(fitted, data.features[test]).argmax(2)
        found[name] = score(predicted, data.labels[test]).cpu()
    return found, test.shape[1] / len(data.labels)


tail = [round(89 * (3 / 89) ** (c / 9)) for c in range(10)]
halves = [count // 2 for count in digits().labels.bincount().tolist()]
cancer, cancer_share = again(
    breast_cancer(),
    [6, 250],
    [6, 250],
    lambda p, y: balanced_accuracy(p, y, num_classes=2),
    hidden=(16,),
    epochs=300,
    weight_decay=0.01,
)
long_tail, tail_share = again(
    digits(),
    halves,
    tail,
    lambda p, y: (p == y).float().mean(1),
    hidden=(64,),
    epochs=100,
)


def interval(row, base, share):
    gap = paired(row, base, test_share=share)
    half = gap.high - gap.difference
    change = f"Δ&nbsp;{gap.difference:+.3f}&nbsp;±&nbsp;{half:.3f}"
    if gap.tie:
        change += ", 비김"
    return f"{row.mean():.3f}" + (
        "" if row is base else f"<br><small>{change}</small>"
    )


rule = {
    "유방암": thirty["유방암", THIRTY].balanced_accuracy.unbind(),
    "숫자": thirty["숫자", THIRTY].accuracy.unbind(),
}
for data, row, base, share in (
    ("악성 6명", cancer["로짓 보정"], cancer[PARTS[0]], cancer_share),
    ("긴 꼬리", long_tail["로짓 보정"], long_tail[PARTS[0]], tail_share),
):
    gap = paired(row, base, test_share=share)
    record(f"{data}/로짓 보정 Δ", gap.difference, gap.high - gap.difference)
rows = {}
for i, name in enumerate(PARTS):
    rows[name] = [
        interval(cancer[name], cancer[PARTS[0]], cancer_share),
        interval(rule["유방암"][i], rule["유방암"][0], 0.5),
        interval(long_tail[name], long_tail[PARTS[0]], tail_share),
        interval(rule["숫자"][i], rule["숫자"][0], 0.5),
    ]
columns = [
    f"{data}, {how}"
    for data in ("악성 6명", "긴 꼬리 숫자")
    for how in ("앞 실습의 설정", "이 실습의 규칙")
]
display(
    HTML(
        html_table(
            "두 규칙의 점수 (유방암은 균형 정확도, 숫자는 정확도)",
            columns,
            rows,
        )
    )
)

# %% [markdown]
# **앞 실습의 설정에서는 로짓 보정이 두 자료에서 모두 교차 엔트로피를 이긴다.** 균형 가중치는 모두 비기고, 초점 손실은
# 유방암에서 지고 숫자에서 비긴다. **이 실습의 규칙에서는 점수가 모두 낮고, 셋 다 비긴다.** 로짓 보정의
# 차이는 여기서도 그만큼 크지만 구간이 더 넓다. 다른 것은 셋이다.
#
# 1. 이 실습은 배우는 쪽의 4분의 1을 설정을 고르는 데 떼어 준다. 악성 6명이면 한두 명이다.
# 2. 이 실습은 그 한두 명의 점수로 설정을 고른다. 앞의 실습은 정해 둔 설정 하나를 쓴다.
# 3. 신경망의 너비와 걸음 수가 다르다.
#
# 어느 것이 얼마만큼인지는 나누어 재지 않았다.
#
# ## 안내표의 근거 { #evidence }
#
# [손실 고르기](../losses/choosing.md)의 안내표는 줄마다 근거가 된 차이를 댄다. 그 차이를 여기서 모두 다시 읽는다. 표가
# 말하는 판정이 구간과 다르면 이 칸이 멈춘다.

# %% 안내표의 판정을 구간과 견주는 코드
for condition in methods:
    for score in SCORES:
        if score != "균형 정확도":
            named(condition, score)


def told_by(gap, score):
    """구간이 말하는 것. NLL과 ECE는 작을수록 좋다."""
    if gap.tie:
        return "비김"
    return (
        "이김" if (gap.difference > 0) != (score in ("NLL", "ECE")) else "짐"
    )


rows = {}
for rule in GUIDE:
    for one in rule.measured:
        gaps = gaps_of(one.condition, one.score)
        found = {
            name: told_by(gap, one.score)
            for name, gap in gaps.items()
            if one.method in (name, "모두") and name != METHODS[0]
        }
        allowed = {"못 이김": {"비김", "짐"}}.get(one.verdict, {one.verdict})
        assert found, one
        assert set(found.values()) <= allowed, (one, found)
        widest = max(found, key=lambda name: abs(gaps[name].difference))
        gap = gaps[widest]
        rows[f"{one.condition}: {one.method}의 {one.score}"] = [
            one.verdict,
            f"{widest} {gap.difference:+.3f}"
            f"<small>&nbsp;±&nbsp;{gap.high - gap.difference:.3f}</small>",
        ]
display(
    HTML(
        html_table(
            "안내표의 근거: 교차 엔트로피와의 차이",
            ["판정", "차이가 가장 큰 것"],
            rows,
        )
    )
)

# %% [markdown]
# ## 보이지 않는 것 { #limits }
#
# - 표의 자료는 모두 작고, 모델은 숨은 층 하나다. 큰 신경망과 큰 자료에서는 다를 수 있다.
# - 여기서 만든 잡음은 클래스를 가리지 않는다. 사람이 틀리는 라벨은 헷갈리는 클래스로 몰린다.
# - 치우침은 한 가지 순서로만 만들었다. 어느 클래스가 드문지가 바뀌면 값도 바뀐다.
# - 시험하는 쪽은 자료 그대로라 거의 고르다. 쓰일 곳도 치우친 자료의 정확도는 재지 않았다.
# - 틀린 라벨은 20 %와 40 %, 겹침은 20 %에서만 재었다. 고르게 틀린 비율이 $(C-1)/C$에 이르면 라벨에 정보가 없으므로, 그
#   가까이에서 일반화 교차 엔트로피가 어떤지는 이 표로 말할 수 없다.
# - 손실마다의 손잡이(γ, q, ε, 배율, 온도)는 흔히 쓰는 값 하나로 두었다. 그것까지 고르면 더 나아질 수 있다.
# - 자료 넷의 평균은 이 넷의 평균일 뿐이다. 새 자료에서는 그 자료로 재야 한다.
# - 방법 열과 조건 일곱을 견주었으니, 구간이 0을 벗어난 것 가운데 몇은 우연일 수 있다. 0에 바싹 붙은 것은 더 그렇다.
#
# ## 결론을 확인한다 { #checks }
#
# 첫머리의 세 결론을 이 실습의 결과로 다시 판정한다. 어긋나면 이 칸이 멈춘다.

# %%
WON = {name: apart(name, "균형 정확도")[0] for name in methods}
LOST = {name: apart(name, "균형 정확도")[1] for name in methods}
EASY = ["그대로", "자료 10 %", "자료 1 %"]
TIED = not any(WON[name] + LOST[name] for name in BOTH)

assert not any(WON[name] + LOST[name] for name in EASY), (
    "깨끗한 자료와 적은 자료에서는 모두 비긴다"
)
assert {*WON["잡음 20 %"]} & {*WON["잡음 40 %"]} == {"일반화 교차 엔트로피"}, (
    "두 잡음에서 모두 이긴 것은 일반화 교차 엔트로피뿐이다"
)
assert (WON["치우침 1:100"], LOST["치우침 1:100"], TIED) == (
    ["균형 가중치", "로짓 보정"],
    ["일반화 교차 엔트로피"],
    True,
), "1:100에서는 빈도를 아는 둘이 이기고 하나가 진다. 겹치면 비긴다"

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
