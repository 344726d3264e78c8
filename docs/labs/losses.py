# ---
# jupyter:
#   level: 입문
#   english:
#     title: "Lab: what a loss changes"
#     summary: >-
#       Real data, 20 seeds, corrected intervals. In a long tail, logit adjustment and moving the threshold beat
#       cross-entropy; focal loss never does. Label smoothing spoils the probabilities, and one temperature mends them.
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
# # 실습: 손실을 고르면 무엇이 달라지나
#
# 손실을 바꾸면 점수가 얼마나 달라지나. 말로만 하지 않고 잰다. 네 가지를 묻는다.
#
# 1. 한쪽이 6명뿐인 자료에서 무엇이 도움이 되나.
# 2. 클래스가 열 개이고 89장부터 3장까지 줄어드는 긴 꼬리에서는 어떤가.
# 3. 라벨 평활화는 정확도와 확률을 어떻게 바꾸나.
# 4. 소프트맥스를 두 번 하면 얼마나 느려지나.
#
# ## 결론 셋 { #conclusions }
#
# - 긴 꼬리에서 드문 셋의 정확도를 로짓 보정이
#   <data value="labs/losses:긴 꼬리 숫자/교차 엔트로피/드문 셋 7·8·9">0.593</data>에서
#   <data value="labs/losses:긴 꼬리 숫자/로짓 보정 τ = 1/드문 셋 7·8·9">0.728</data>로, 배운 뒤 문턱 옮기기가
#   <data value="labs/losses:긴 꼬리 숫자/배운 뒤 문턱 옮기기/드문 셋 7·8·9">0.763</data>으로
#   올린다([긴 꼬리](#tail)). 악성이 6명뿐일 때도 신경망의 평균은 둘과 균형 가중치에서 모두 오르지만, 벌점에 따라
#   비기기도 한다. 초점 손실은 어느 표에서도 이기지 못한다([한쪽이 6명뿐일 때](#six)).
# - 라벨 평활화 0.1은 ECE를 <data value="labs/losses:라벨 평활화와 온도/ε = 0/ECE">0.017</data>에서
#   <data value="labs/losses:라벨 평활화와 온도/ε = 0.1/ECE">0.127</data>로 나쁘게 하고, 온도를 맞추면
#   <data value="labs/losses:라벨 평활화와 온도/ε = 0.1, 온도/ECE">0.012</data>로 돌아온다. 정확도의 차이
#   <data value="labs/losses:라벨 평활화와 온도/ε = 0.1/정확도 Δ">+0.011 ± 0.015</data>는
#   비긴다([라벨 평활화와 온도](#smoothing)).
# - 소프트맥스를 두 번 하면 2 에폭의 정확도가 <data value="labs/losses:시험 정확도/로짓/2 에폭">0.763</data> 대신
#   <data value="labs/losses:시험 정확도/확률/2 에폭">0.525</data>고, 30 에폭에는
#   <data value="labs/losses:시험 정확도/로짓/30 에폭">0.956</data>과
#   <data value="labs/losses:시험 정확도/확률/30 에폭">0.950</data>으로 비긴다. 학습 손실은 바닥 1.4612 위에
#   머문다([소프트맥스를 두 번 하면](#twice)).

# %% [markdown]
# ## 자료와 구간
#
# 자료는 scikit-learn에 들어 있는 진짜 자료다. 실험마다 씨앗 20개로 자료를 다시 나누고 신경망을 다시 배운다. 표의
# 윗줄은 평균 ± 표준 편차다. 아랫줄(Δ)은 같은 나누기와 같은 첫 가중치에서 첫 행을 뺀 차이의 평균과 95 % 신뢰 구간이다.
# 구간이 0을 품으면 비겼다고 읽는다.
#
# 한 자료를 거듭 나누면 나눈 것끼리 표본이 겹치므로, 씨앗 20개는 독립인 자료 20개가 아니다. 시험에 쓴 몫만큼 구간을
# 넓힌다(`paired`, Nadeau & Bengio의 고친 재표집 구간). 겹침을 시험한 몫으로 어림한 것이라, 이 폭도 어림이다. 씨앗을 더
# 써도 거의 줄지 않는다. [어떤 손실을 고를까](choosing.ipynb)와 같은 구간이다.
#
# 손실은 [이진 교차 엔트로피](../losses/binary.md)와 [교차 엔트로피](../losses/categorical.md)의 함수를 쓴다.

# %% 들여오기와 도구 tags=["setup"]
from itertools import pairwise

import torch
from IPython.display import HTML, display
from sklearn.linear_model import LogisticRegression

from mgk_docs_src.data import breast_cancer, digits
from mgk_docs_src.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    panels,
    to_img,
)
from mgk_docs_src.labs.losses import (
    fit_temperature,
    predict,
    subsample,
    train,
)
from mgk_docs_src.labs.tables import comparison, paired, record
from mgk_docs_src.losses.categorical import cross_entropy, double_softmax_floor
from mgk_docs_src.losses.choosing import (
    class_weights,
    focal_loss,
    logit_adjustment,
)
from mgk_docs_src.metrics import balanced_accuracy, expected_calibration_error
from mgk_docs_src.random import generator, rand

torch.set_num_threads(1)
SEEDS = range(20)


def plain(z, y):
    return cross_entropy(z, y, reduction="none")


def each(score, *batches):
    """씨앗마다 점수를 매긴다."""
    return torch.stack(
        [score(*one) for one in zip(*batches, strict=True)]
    ).cpu()


def show(caption, columns, rows, *, differences=(), test_share=0.0):
    """표를 보이고 칸마다 이름을 붙인다. 첫 행과의 차이를 돌려준다."""
    knobs = {"differences": differences, "test_share": test_share}
    display(HTML(comparison(caption, columns, rows, **knobs)))
    base, gaps = next(iter(rows.values())), {}
    for name, row in rows.items():
        for place, (column, scored) in enumerate(
            zip(columns, row, strict=True)
        ):
            where = f"{caption}/{name}/{column}"
            if scored is not None:
                record(where, scored.mean())
            if place in differences and row is not base:
                gap = paired(scored, base[place], test_share=test_share)
                record(f"{where} Δ", gap.difference, gap.high - gap.difference)
                gaps[name, column] = gap
    return gaps


def picture(figure, description):
    display(HTML(to_img(figure, description)))


# %% [markdown]
# ## 1. 한쪽이 6명뿐일 때 { #six }
#
# **질문.** 유방암 자료에서 악성 환자를 6명만 남기고 양성은 250명을 둔다. 나머지 313명으로 시험한다. 모두 양성이라
# 답해도 학습 자료의 98 %를 맞히지만, 쓸모는 없다. 그래서 두 클래스의 재현율을 평균한 **균형 정확도**를 본다. 모두
# 양성이라 답하면 0.5다.
#
# **견줄 것.** 교차 엔트로피를 기준으로 셋은 손실을 바꾼다.
#
# - 초점 손실: 이미 맞힌 표본의 손실을 $(1 - p_y)^2$만큼 줄인다.
# - 균형 가중치: 클래스마다 손실의 합을 같게 한다.
# - 로짓 보정: 학습할 때 로짓에 $\log \pi_c$를 더한다. 예측할 때는 더하지 않는다.
#
# 하나는 손실을 그대로 두고 **배운 뒤에** 로짓에서 $\log \pi_c$를 뺀다. 문턱만 옮기는, 가장 값싼 방법이다. 모델은
# 둘이다. 너비 16의 숨은 층이 하나인 신경망과, 층이 없는 소프트맥스 회귀. 걸음은 모두 300번이다. $L_2$ 벌점은 시험
# 점수를 보고 하나를 고르는 대신 셋을 모두 보인다. scikit-learn의 로지스틱 회귀(벌점은 기본값)도 같은 나누기에서
# 돌린다. ‘균형’은 `class_weight="balanced"`다.

# %% 방법마다 배우고 표를 만드는 코드 tags=["setup"]
cancer = breast_cancer()
splits = [
    subsample(cancer.labels, counts=(6, 250), generator=generator(seed))
    for seed in SEEDS
]
learn, held_out = (torch.stack(part) for part in zip(*splits, strict=True))
x, y = cancer.features[learn], cancer.labels[learn]
x_test, y_test = cancer.features[held_out], cancer.labels[held_out]
tested = held_out.shape[1] / len(cancer.labels)  # 시험에 쓴 몫
weight = class_weights(
    y[0], num_classes=2
)  # 클래스의 수가 씨앗마다 같으므로 가중치도 같다
shift = logit_adjustment(y[0], num_classes=2)

losses = {
    "교차 엔트로피": plain,
    "초점 손실 γ = 2": lambda z, y: focal_loss(z, y, reduction="none"),
    "균형 가중치": lambda z, y: cross_entropy(
        z, y, weight=weight, reduction="none"
    ),
    "로짓 보정": lambda z, y: plain(z + shift, y),
}
settings = {
    "신경망, 벌점 0.01": {"hidden": (16,), "weight_decay": 0.01},
    "신경망, 벌점 없음": {"hidden": (16,)},
    "신경망, 벌점 0.1": {"hidden": (16,), "weight_decay": 0.1},
    "소프트맥스 회귀, 벌점 0.01": {"weight_decay": 0.01},
}


def score(predicted, truth):
    return balanced_accuracy(predicted, truth, num_classes=2)


imbalance = {name: [] for name in [*losses, "배운 뒤 문턱 옮기기"]}
for knobs in settings.values():
    for name, loss in losses.items():
        gs = [generator(seed) for seed in SEEDS]
        networks = train(
            x, y, loss, num_classes=2, epochs=300, generators=gs, **knobs
        )
        z = predict(networks, x_test)
        imbalance[name].append(each(score, z.argmax(2), y_test))
        if loss is plain:
            imbalance["배운 뒤 문턱 옮기기"].append(
                each(score, (z - shift).argmax(2), y_test)
            )
six = show(
    "균형 정확도, 악성 6명",
    list(settings),
    imbalance,
    differences=range(len(settings)),
    test_share=tested,
)

peers, intercepts = {}, {}
ones = torch.ones_like(x[..., :1]), torch.ones_like(x_test[..., :1])
for name, mode, constant in (
    ("scikit-learn", None, False),
    ("scikit-learn, 절편에도 벌점", None, True),
    ("scikit-learn, 균형", "balanced", False),
):
    # 절편에도 벌점을 주려면 늘 1인 특징을 더해 그 가중치를 절편으로 쓴다
    a, a_test = (
        torch.cat([x, ones[0]], 2) if constant else x,
        torch.cat([x_test, ones[1]], 2) if constant else x_test,
    )
    fits = [
        LogisticRegression(
            class_weight=mode, fit_intercept=not constant, max_iter=1000
        ).fit(*batch)
        for batch in zip(a.cpu().numpy(), y.cpu().numpy(), strict=True)
    ]
    guesses = [
        torch.from_numpy(fit.predict(batch))
        for fit, batch in zip(fits, a_test.cpu().numpy(), strict=True)
    ]
    peers[name] = [each(score, guesses, y_test.cpu())]
    intercepts[name] = torch.tensor(
        [
            (fit.coef_[0, -1] if constant else fit.intercept_[0]).item()
            for fit in fits
        ]
    )
show(
    "로지스틱 회귀, 같은 나누기",
    ["균형 정확도"],
    peers,
    differences=(0,),
    test_share=tested,
)
older = "소프트맥스 회귀, 벌점 0.01"
show(
    "교차 엔트로피로 배운 두 모델",
    ["균형 정확도"],
    {
        name: [imbalance["교차 엔트로피"][list(settings).index(name)]]
        for name in ("신경망, 벌점 0.01", older)
    },
    differences=(0,),
    test_share=tested,
)

# %% 그림을 그리는 코드 tags=["setup", "summary"]
with panels(height=3.4) as (figure, (axes,)):
    groups = {name: scores[0] for name, scores in (imbalance | peers).items()}
    for row, values in enumerate(groups.values()):
        axes.plot(
            values,
            [row] * len(values),
            "o",
            color=BLUE,
            alpha=0.35,
            markersize=5,
        )
        axes.plot(
            values.mean(),
            row,
            "|",
            color=ORANGE,
            markersize=22,
            markeredgewidth=3,
        )
    axes.set_yticks(range(len(groups)), list(groups))
    axes.invert_yaxis()
    axes.set(xlabel="균형 정확도 (점: 씨앗 하나, 막대: 평균)")
lowest = min(groups, key=lambda name: groups[name].mean())
highest = max(groups, key=lambda name: groups[name].mean())
picture(
    figure,
    "악성 6명일 때 방법마다의 균형 정확도(신경망, 벌점 0.01). 평균이 가장 "
    f"낮은 방법: {lowest}. 가장 높은 방법: "
    f"{highest}.",
)

# %% [markdown]
# **신경망에서는** 균형 가중치, 로짓 보정, 문턱 옮기기의 평균이 벌점 셋 모두에서 교차 엔트로피보다 높다. 셋은 모두 드문
# 클래스의 **빈도**를 안다. 그러나 이겼다고 말할 수 있는 칸은 벌점에 따라 다르다. 벌점 0.01에서는 로짓 보정만, 벌점이
# 없으면 문턱 옮기기만 구간이 0보다 위에 있다. 벌점 0.1은 너무 세서, 교차 엔트로피가 모두 양성이라 답한다(0.5). 거기서는
# 셋이 모두 이기고, 이미 배운 모델의 문턱만 옮긴 것이 가장 덜 오른다. 초점 손실은 어느 벌점에서도 이기지 못한다. 초점
# 손실이 키우는 것은 어려운 표본이지 드문 클래스가 아니다.
#
# **소프트맥스 회귀에서는** 모두 비긴다. 교차 엔트로피로 배운 소프트맥스 회귀와 신경망도 비긴다. 그런데 같은 모델인
# scikit-learn의 로지스틱 회귀는 뚜렷이 낮다. 손실도 같은데 왜 다른가. scikit-learn은 절편에 벌점을 주지 않는다. 그것
# 하나만 바꾼 것이 ‘절편에도 벌점’이다.

# %%
steps = {}
for count in (300, 1500):
    gs = [generator(seed) for seed in SEEDS]
    trained = train(
        x,
        y,
        plain,
        num_classes=2,
        epochs=count,
        weight_decay=0.01,
        generators=gs,
    )
    b = trained.networks.biases[0][:, 0]  # (S, 2)
    steps[f"교차 엔트로피, {count}걸음"] = [
        each(score, predict(trained, x_test).argmax(2), y_test),
        (b[:, 1] - b[:, 0]).cpu(),
    ]
for name in ("scikit-learn, 절편에도 벌점", "scikit-learn"):
    steps[name] = [*peers[name], intercepts[name]]
show(
    "소프트맥스 회귀와 로지스틱 회귀",
    ["균형 정확도", "양성 쪽 절편"],
    steps,
    differences=(0,),
    test_share=tested,
)

# %% [markdown]
# 절편에도 벌점을 주면 scikit-learn의 절편이 절반쯤으로 줄고, 균형 정확도가 1500걸음을 걸은 우리 모델과 같아진다. 차이를
# 낸 것은 걸음이 아니라 **절편의 벌점**이다. 절편은 ‘양성이 많다’는 사실을 담으므로, 거기에 벌점을 주는 것은 뜻하지 않은
# 문턱 옮기기다. 300걸음에서 멈춘 것은 절편이 조금 더 작지만, 1500걸음과 비긴다.
#
# **보이지 않는 것.** 자료 하나, 악성 6명이라는 수 하나다. 악성만 보면 212명 가운데 206명을 매번 시험하므로 나눈 것끼리
# 더 많이 겹친다. 그만큼은 이 구간도 좁을 수 있다. 특징은 시험 자료까지 넣어 표준화했다. 악성을 놓치는 값과
# 양성을 잘못 부르는 값이 같다는 것도 균형 정확도의 가정일 뿐이다.

# %% [markdown]
# ## 2. 긴 꼬리 { #tail }
#
# **질문.** 숫자 그림을 0은 89장, 9는 3장만 남긴다. 사이는 같은 비로 줄인다. 시험 자료는 클래스마다 절반이라 치우치지
# 않았다. 전체 정확도와, 가장 드문 세 숫자 7, 8, 9의 정확도를 따로 본다. 모델은 너비 64의 신경망, 걸음은 100번이다.

# %% 긴 꼬리에서 배우고 표를 만드는 코드 tags=["setup"]
data = digits()
halves = [count // 2 for count in data.labels.bincount().tolist()]
tail = [round(89 * (3 / 89) ** (c / 9)) for c in range(10)]
print("클래스마다 남긴 장수", tail)

learn, held_out = [], []
for seed in SEEDS:
    g = generator(seed)
    pool, test = subsample(data.labels, counts=halves, generator=g)
    kept, _ = subsample(
        data.labels[pool],
        counts=[min(a, b) for a, b in zip(tail, halves, strict=True)],
        generator=g,
    )
    learn.append(pool[kept])
    held_out.append(test)
learn, held_out = torch.stack(learn), torch.stack(held_out)
x, y = data.features[learn], data.labels[learn]
x_test, y_test = data.features[held_out], data.labels[held_out]
tested = held_out.shape[1] / len(data.labels)
weight = class_weights(y[0], num_classes=10)


def accuracy(predicted, truth):
    return (predicted == truth).float().mean()


def rare(predicted, truth):
    return accuracy(predicted[truth >= 7], truth[truth >= 7])


def adjusted(tau):
    shift = logit_adjustment(y[0], num_classes=10, tau=tau)
    return lambda z, y: plain(z + shift, y)


def scores(z):
    return [
        each(accuracy, z.argmax(2), y_test),
        each(rare, z.argmax(2), y_test),
    ]


knobs = {"num_classes": 10, "hidden": (64,), "epochs": 100}
losses = {
    "교차 엔트로피": plain,
    "초점 손실 γ = 2": lambda z, y: focal_loss(z, y, reduction="none"),
    "균형 가중치": lambda z, y: cross_entropy(
        z, y, weight=weight, reduction="none"
    ),
    "로짓 보정 τ = 1": adjusted(1.0),
}
logits = {
    name: predict(
        train(
            x, y, loss, generators=[generator(seed) for seed in SEEDS], **knobs
        ),
        x_test,
    )
    for name, loss in losses.items()
}
long_tail = {name: scores(z) for name, z in logits.items()}
prior = logit_adjustment(y[0], num_classes=10)
long_tail["배운 뒤 문턱 옮기기"] = scores(logits["교차 엔트로피"] - prior)
tail_gaps = show(
    "긴 꼬리 숫자",
    ["전체 정확도", "드문 셋 7·8·9"],
    long_tail,
    differences=(0, 1),
    test_share=tested,
)
show(
    "로짓 보정과 문턱 옮기기",
    ["전체 정확도", "드문 셋 7·8·9"],
    {
        name: long_tail[name]
        for name in ("로짓 보정 τ = 1", "배운 뒤 문턱 옮기기")
    },
    differences=(0, 1),
    test_share=tested,
)

# %%
taus = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
sweep = [
    scores(
        predict(
            train(
                x,
                y,
                adjusted(tau),
                generators=[generator(seed) for seed in SEEDS],
                **knobs,
            ),
            x_test,
        )
    )
    for tau in taus
]
curves = {
    "전체": [overall for overall, _ in sweep],
    "드문 셋": [rarest for _, rarest in sweep],
}
for name, curve in curves.items():
    print(
        f"{name:4s}",
        "  ".join(
            f"τ {tau:g}: {s.mean():.3f}"
            for tau, s in zip(taus, curve, strict=True)
        ),
    )

with panels() as (figure, (axes,)):
    for (name, curve), color, mark in zip(
        curves.items(), (BLUE, ORANGE), ("o-", "s--"), strict=True
    ):
        mean, sd = torch.stack(curve).mean(1), torch.stack(curve).std(1)
        axes.fill_between(
            taus, mean - sd, mean + sd, color=color, alpha=0.15, linewidth=0
        )
        axes.plot(taus, mean, mark, color=color, label=name)
    axes.set(xlabel="로짓 보정의 세기 τ", ylabel="정확도")
    axes.legend(loc="lower right")
for name, curve in curves.items():
    gap = paired(curve[-1], curve[0], test_share=tested)
    half = gap.high - gap.difference
    print(
        f"{name}: τ 2.5에서 τ 0을 뺀 차이 {gap.difference:+.3f} ± {half:.3f}"
    )
picture(
    figure,
    "로짓 보정의 세기 τ에 따른 정확도. 드문 셋의 정확도는 τ가 커지는 동안 "
    "오르고, 전체 정확도는 오르다가 내려간다. "
    "띠는 표준 편차다.",
)

# %% [markdown]
# 로짓 보정과 문턱 옮기기가 전체 정확도에서도 드문 셋에서도 교차 엔트로피를 이긴다. 균형 가중치는 평균이 오르지만
# 비긴다. 초점 손실도 비긴다. 다시 배우지 않고 문턱만 옮긴 것은 로짓 보정과 비긴다. 벌점이 세지 않다면 값싼 이것부터
# 해 본다.
#
# τ를 키우면 드문 셋의 평균은 2.5까지 오른다. 전체의 평균은 1과 1.5에서 가장 높고, 2.5에서는 보정하지 않은 것보다
# 낮다(이 차이는 비긴다). 드문 것을 맞히려고 많은 것을 틀리기 때문이다. τ는 시험 자료가 아니라 따로 떼어 둔 자료에서
# 고른다. 이 그림은 모양을 보이려고 시험 자료로 그렸다.
#
# **보이지 않는 것.** 드문 셋은 언제나 7, 8, 9였으므로, 다른 숫자가 드물 때의 값은 다를 수 있다. 벌점과 걸음 수는 한
# 가지뿐이다.

# %% [markdown]
# ## 3. 라벨 평활화와 온도 { #smoothing }
#
# **질문.** 라벨 평활화는 일반화를 돕는다고 한다. 확률은 어떻게 되나. 모델이 0.9라고 말한 그림 가운데 정말 열에 아홉을
# 맞히는지를 **기대 보정 오차**(ECE)로 잰다. 0이면 말과 실제가 같다. 확률 전체의 질은 NLL로 잰다.
#
# 숫자 그림을 학습 40 %, 보정 20 %, 시험 40 %로 나눈다. **온도 맞추기**는 배운 모델의 로짓을 수 하나 $T$로 나누는
# 것이고, $T$는 보정 자료에서 NLL이 가장 작게 고른다. 정확도는 그대로다.

# %% 평활화와 온도를 재는 코드 tags=["setup"]
totals = data.labels.bincount().tolist()
learn, tune, held_out = [], [], []
for seed in SEEDS:
    g = generator(seed)
    part, others = subsample(
        data.labels, counts=[round(0.4 * n) for n in totals], generator=g
    )
    middle, test = subsample(
        data.labels[others],
        counts=[round(0.2 * n) for n in totals],
        generator=g,
    )
    learn.append(part)
    tune.append(others[middle])
    held_out.append(others[test])
learn, tune, held_out = (torch.stack(part) for part in (learn, tune, held_out))
x, y = data.features[learn], data.labels[learn]
y_test = data.labels[held_out]
tested = held_out.shape[1] / len(data.labels)


def quality(z):
    p = z.softmax(2)
    return [
        each(accuracy, p.argmax(2), y_test),
        each(expected_calibration_error, p, y_test),
        each(cross_entropy, z, y_test),
        p.amax(2).mean(1).cpu(),
    ]


def smoothed(epsilon):
    return lambda z, y: cross_entropy(
        z, y, label_smoothing=epsilon, reduction="none"
    )


calibration, probabilities = {}, {}
for epsilon in (0.0, 0.1, 0.2):
    gs = [generator(seed) for seed in SEEDS]
    networks = train(
        x,
        y,
        smoothed(epsilon),
        num_classes=10,
        hidden=(64,),
        epochs=30,
        batch_size=32,
        generators=gs,
    )
    z = predict(networks, data.features[held_out])
    temperature = each(
        fit_temperature,
        predict(networks, data.features[tune]),
        data.labels[tune],
    ).to(z.device)
    for name, scaled, used in (
        (f"ε = {epsilon:g}", z, None),
        (
            f"ε = {epsilon:g}, 온도",
            z / temperature.view(-1, 1, 1),
            temperature.cpu(),
        ),
    ):
        calibration[name] = [*quality(scaled), used]
        probabilities[name] = scaled.softmax(2)
smoothing = show(
    "라벨 평활화와 온도",
    ["정확도", "ECE", "NLL (nat)", "평균 확신", "온도 T"],
    calibration,
    differences=(0, 1, 2),
    test_share=tested,
)

# 말한 확률에서 라벨을 뽑으면 말한 대로 맞히는 모델이다. 그때의 ECE가 이 그림 수에서의 0이다
p = probabilities["ε = 0.1, 온도"]
u = rand(*p.shape[:2], 1, generator=generator(0)).to(p.device)
drawn = (p.cumsum(2) < u).sum(2).clamp_max(9)
honest = each(expected_calibration_error, p, drawn)
print(f"말한 대로 맞히는 모델의 ECE {honest.mean():.3f} ± {honest.std():.3f}")

# %% 그림을 그리는 코드 tags=["setup"]
edges = torch.linspace(0.3, 1, 8)
with panels(height=3.4) as (figure, (axes,)):
    axes.plot((0.3, 1), (0.3, 1), color=FAINT)
    for name, color, mark in (
        ("ε = 0", BLUE, "o-"),
        ("ε = 0.1", ORANGE, "s--"),
        ("ε = 0.2", PURPLE, "D:"),
        ("ε = 0.1, 온도", GREEN, "^-."),
    ):
        confidence, predicted = probabilities[name].max(2)
        right = (predicted == y_test).float()
        cells = [
            (confidence > low) & (confidence <= high)
            for low, high in pairwise(edges)
        ]
        cells = [cell for cell in cells if cell.sum() >= 50]
        axes.plot(
            [confidence[cell].mean().item() for cell in cells],
            [right[cell].mean().item() for cell in cells],
            mark,
            color=color,
            label=name,
        )
    axes.set(
        xlabel="모델이 말한 확신", ylabel="실제로 맞힌 비율", ylim=(0.3, 1.02)
    )
    axes.legend(loc="lower right")
picture(
    figure,
    "확신에 대한 맞힌 비율. 대각선이면 말과 실제가 같다. 라벨 평활화를 켠 "
    "모델은 대각선 위에 있어 실제보다 낮게 "
    "말하고, 온도를 맞추면 대각선 가까이로 온다.",
)

# %% [markdown]
# 정확도의 평균은 라벨 평활화로 조금 오르지만, 구간이 0을 품는다. 이 자료로는 올렸다고 말할 수 없다. 그대로 읽은 확률은
# 뚜렷이 나빠진다. 평균 확신이 정확도보다 한참 낮다. 목표가 정답의 확률을 $1 - \epsilon + \epsilon/C$까지만 올리라고
# 하기 때문이다. 평활화한 모델의 확률을 그대로 문턱이나 비용 계산에 쓰면 안 된다.
#
# 수 하나가 이것을 고친다. 평활화 없이 배운 모델은 지나치게 확신해서 $T > 1$이고, 평활화한 모델은 덜 확신해서
# $T < 1$이다. 온도를 맞춘 $\epsilon = 0.1$의 ECE는 말한 대로 맞히는 모델의 ECE와 같은 크기다. 시험 그림이 700장쯤이면
# 그런 모델의 ECE도 0이 아니다. 온도를 맞춘 뒤의 NLL은 평활화한 것의 평균이 더 낮고, $\epsilon = 0.2$에서는 평활화도
# 온도도 없이 배운 것을 이긴다.
#
# **보이지 않는 것.** 온도를 맞추려면 떼어 둔 자료가 든다. 그 20 %로 더 배웠을 때와는 견주지 않았다. ECE는 칸을 나누는
# 법에 달렸으므로 NLL을 함께 본다. 평활화한 모델로 다른 모델을 가르칠 때(증류) 잃는 것은 여기서 재지 않았다.

# %% [markdown]
# ## 4. 소프트맥스를 두 번 하면 { #twice }
#
# **질문.** `CrossEntropyLoss`에 로짓 대신 확률을 넣는 것은
# [흔한 실수](../losses/categorical.md#logits-not-probabilities)다. 오류가 나지 않는다. 배우기는 할까. 숫자 그림의
# 절반으로 배우고 2, 10, 30 에폭 뒤에 남은 절반에서 잰다. 학습률 0.001, 배치 32장이다.
#
# 확률을 넣은 손실은 $\log(1 + 9/e) = 1.4612$ 아래로 내려갈 수 없다.

# %%
splits = [
    subsample(data.labels, counts=halves, generator=generator(seed))
    for seed in SEEDS
]
learn, held_out = (torch.stack(part) for part in zip(*splits, strict=True))
x, y = data.features[learn], data.labels[learn]
x_test, y_test = data.features[held_out], data.labels[held_out]
tested = held_out.shape[1] / len(data.labels)

inputs = {"로짓": plain, "확률": lambda z, y: plain(z.softmax(1), y)}
epochs = (2, 10, 30)
learned, doubled = {}, {}
for name, loss in inputs.items():
    doubled[name] = []
    for stop in epochs:  # 씨앗이 같으므로 긴 학습의 앞부분은 짧은 학습과 같다
        gs = [generator(seed) for seed in SEEDS]
        networks = train(
            x,
            y,
            loss,
            num_classes=10,
            hidden=(64,),
            epochs=stop,
            batch_size=32,
            learning_rate=0.001,
            generators=gs,
        )
        doubled[name].append(
            each(accuracy, predict(networks, x_test).argmax(2), y_test)
        )
    learned[name] = networks.losses.cpu()
twice = show(
    "시험 정확도",
    [f"{stop} 에폭" for stop in epochs],
    doubled,
    differences=(0, 1, 2),
    test_share=tested,
)

floors = {"로짓": 0.0, "확률": double_softmax_floor(10)}
for name, floor in floors.items():
    last = learned[name][-1]
    record(f"30 에폭의 학습 손실/{name}", last.mean())
    print(
        f"{name}: 30 에폭의 학습 손실 {last.mean():.4f} ± {last.std():.4f}, "
        f"바닥 {floor:.4f}"
    )

# %% 그림을 그리는 코드 tags=["setup"]
with panels() as (figure, (axes,)):
    for (name, curve), color, mark in zip(
        learned.items(), (BLUE, ORANGE), ("-", "--"), strict=True
    ):
        axes.plot(
            range(1, 31),
            curve.mean(1),
            mark,
            color=color,
            label=f"{name}을 넣을 때",
        )
    axes.axhline(floors["확률"], color=INK, linestyle=":", linewidth=1)
    axes.annotate(
        f"바닥 {floors['확률']:.2f}",
        (1, floors["확률"]),
        (60, -14),
        textcoords="offset points",
        color=INK,
    )
    axes.set(xlabel="에폭", ylabel="학습 손실 (nat)", ylim=(0, None))
    axes.legend(loc="center right")
picture(
    figure,
    "에폭에 대한 학습 손실. 로짓을 넣으면 0 가까이 내려가고, 확률을 넣으면 "
    "1.4612보다 위에 머문다.",
)

# %% [markdown]
# 배우기는 한다. 다만 늦다. 2 에폭에서는 크게 뒤지고, 30 에폭에서는 비긴다. 그래서 다 배운 뒤의 정확도만 보면
# 알아차리기 어렵다. 손실은 숨기지 못한다. 학습 손실이 $\log 10 = 2.3026$ 가까이에서 시작해 1.4612 바로 위에서 더
# 내려가지 않으면 소프트맥스를 두 번 했는지부터 본다.
#
# **보이지 않는 것.** 클래스가 열 개일 때다. 바닥은 클래스가 많을수록 높아진다. 학습률을 조절해 느린 만큼을 메울 수
# 있는지도 재지 않았다.
#
# ## 무엇을 고를까
#
# | 하고 싶은 것 | 먼저 해 볼 것 | 이 실습이 본 것 |
# | --- | --- | --- |
# | 치우친 자료에서 클래스를 고르게 맞히기 | 교차 엔트로피로 배우고 문턱 옮기기, 로짓 보정 | 2절. 1절은 벌점마다 다름 |
# | 드문 클래스를 초점 손실로 살리기 | 다른 것부터 한다. 빈도를 모르는 손실이다 | 1과 2에서 이긴 적이 없다 |
# | 믿을 만한 확률 | 떼어 둔 자료로 온도 맞추기. 평활화했다면 반드시 | 3 |
# | 느린 학습의 까닭 찾기 | 손실이 바닥 값에서 멈췄는지 보기 | 4 |
#
# ## 결론을 확인한다 { #checks }
#
# 결론의 문장이 위의 표와 어긋나면 이 칸이 멈춘다.

# %%
rarest = "드문 셋 7·8·9"
informed = ("균형 가중치", "로짓 보정", "배운 뒤 문턱 옮기기")
nets = [name for name in settings if name.startswith("신경망")]
helped = [six[name, column] for name in informed for column in nets]
focal = [
    gap
    for gaps in (six, tail_gaps)
    for (name, _), gap in gaps.items()
    if name == "초점 손실 γ = 2"
]
last = learned["확률"][-1]

tail_helped = (
    tail_gaps["로짓 보정 τ = 1", rarest].low > 0
    and tail_gaps["배운 뒤 문턱 옮기기", rarest].low > 0
)
six_helped = all(gap.difference > 0 for gap in helped)
some_tie = any(gap.tie for gap in helped)
focal_won = any(gap.low > 0 for gap in focal)
mended = (
    smoothing["ε = 0.1", "ECE"].low > 0
    and smoothing["ε = 0.1, 온도", "ECE"].tie
)
late = twice["확률", "2 에폭"].high < 0 and twice["확률", "30 에폭"].tie
above = last.min() > floors["확률"]

assert all((tail_helped, six_helped, some_tie, not focal_won)), (
    "빈도를 아는 방법이 드문 클래스를 돕고, 초점 손실은 이기지 못한다"
)
assert all((mended, smoothing["ε = 0.1", "정확도"].tie)), (
    "평활화는 ECE를 나쁘게 하고 온도가 되돌리며, 정확도는 비긴다"
)
assert all((late, above)), (
    "소프트맥스를 두 번 하면 늦고, 30 에폭에는 비기며, 손실은 바닥 위다"
)

# %% [markdown]
# ## 출처
#
# - Lin, T.-Y. 외 (2017). *Focal Loss for Dense Object Detection*.
# - Menon, A. K. 외 (2021). *Long-tail Learning via Logit Adjustment*.
# - Nadeau, C. & Bengio, Y. (2003). *Inference for the Generalization Error*.
# - Guo, C. 외 (2017). *On Calibration of Modern Neural Networks*.
# - Müller, R., Kornblith, S. & Hinton, G. (2019). *When Does Label Smoothing Help?*
# - scikit-learn 문서, Toy datasets. [서지](../reference/bibliography.md)
