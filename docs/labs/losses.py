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
# 손실을 바꾸면 점수가 얼마나 달라지는지 잰다. 네 가지를 묻는다.
#
# 1. 한 클래스가 6명뿐인 데이터에서 무엇이 도움이 되나.
# 2. 클래스가 열 개이고 89장에서 3장까지 줄어드는 긴 꼬리(long tail)에서는 어떤가.
# 3. 라벨 스무딩(label smoothing, 평활화)은 정확도와 확률을 어떻게 바꾸나.
# 4. 소프트맥스를 두 번 하면 학습이 얼마나 느려지나.
#
# ## 결론 셋 { #conclusions }
#
# - 긴 꼬리에서 드문 세 클래스의 정확도는 교차 엔트로피의
#   <data value="labs/losses:긴 꼬리 숫자/교차 엔트로피/드문 클래스 7·8·9">0.593</data>에서
#   로짓 보정(logit adjustment)을 쓰면
#   <data value="labs/losses:긴 꼬리 숫자/로짓 보정 τ = 1/드문 클래스 7·8·9">0.728</data>, 학습 후
#   임계값(threshold)을 옮기면
#   <data value="labs/losses:긴 꼬리 숫자/학습 후 임계값 이동/드문 클래스 7·8·9">0.763</data>으로 유의하게
#   오른다([긴 꼬리](#tail)). 악성이 6명뿐일 때도 신경망에서는 두 방법과 균형 가중치의 평균이 모두 오르지만,
#   매개변수에 주는 벌점의 세기에 따라 차이가 유의하지 않기도 하다. 초점 손실(focal loss)은 어느 표에서도 유의하게
#   높지 않다([악성이 6명뿐일 때](#six)).
# - 라벨 스무딩 0.1은 기대 보정 오차(expected calibration error, ECE)를
#   <data value="labs/losses:라벨 스무딩과 온도/ε = 0/ECE">0.017</data>에서
#   <data value="labs/losses:라벨 스무딩과 온도/ε = 0.1/ECE">0.127</data>로 키우고,
#   온도 스케일링(temperature scaling)을 하면
#   <data value="labs/losses:라벨 스무딩과 온도/ε = 0.1, 온도/ECE">0.012</data>로 돌아온다. 정확도의 차이
#   <data value="labs/losses:라벨 스무딩과 온도/ε = 0.1/정확도 Δ">+0.011 ± 0.015</data>는
#   유의하지 않다([라벨 스무딩과 온도](#smoothing)).
# - 소프트맥스를 두 번 하면 2 에폭의 정확도가 <data value="labs/losses:테스트 정확도/로짓/2 에폭">0.763</data> 대신
#   <data value="labs/losses:테스트 정확도/확률/2 에폭">0.525</data>이고, 30 에폭에는
#   <data value="labs/losses:테스트 정확도/로짓/30 에폭">0.956</data>과
#   <data value="labs/losses:테스트 정확도/확률/30 에폭">0.950</data>으로 차이가 유의하지 않다. 학습 손실은
#   바닥(손실의 하한) 1.4612 위에 머문다([소프트맥스를 두 번 하면](#twice)).

# %% [markdown]
# ## 데이터와 신뢰 구간 { #data }
#
# 데이터는 scikit-learn에 들어 있는 실제 데이터다. 실험마다 시드(seed) 20개로 데이터를 다시 분할하고 신경망을 다시
# 학습한다. 표의 윗줄은 평균 ± 표준 편차다. 아랫줄(Δ)은 같은 분할과 같은 초기 가중치에서 첫 행과의 대응 차이(paired
# difference)의 평균과 95 % 신뢰 구간이다. 구간이 0을 포함하면 차이가 유의하지 않다고 보고, 0보다 위에 있으면
# 유의하게 높다고 한다.
#
# 한 데이터를 거듭 분할하면 분할끼리 표본이 겹치므로, 시드 20개는 독립인 데이터 20개가 아니다. 그래서 테스트에 쓴
# 비율만큼 구간을 넓힌다. Nadeau & Bengio의 보정한 재샘플링 t 구간(corrected resampled t)이고, `paired`가 구한다. 겹침을
# 그 비율로 근사하므로 구간의 폭도 근삿값이다. 시드를 더 써도 폭은 거의 줄지 않는다.
# [어떤 손실을 고를까](choosing.ipynb)와 같은 구간이다.
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
    """시드마다 점수를 매긴다."""
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
# ## 1. 악성이 6명뿐이면 빈도를 쓰는 방법의 평균이 높다 { #six }
#
# 유방암 데이터에서 악성 환자를 6명만 남기고 양성은 250명을 둔다. 나머지 313명이 테스트 데이터다. 모두 양성이라
# 답해도 학습 데이터의 98 %를 맞히지만, 쓸모는 없다. 그래서 두 클래스의 재현율(recall)을 평균한 **균형
# 정확도**(balanced accuracy)를 본다. 모두 양성이라 답하면 0.5다.
#
# 교차 엔트로피를 기준으로 네 방법을 비교한다. 셋은 손실을 바꾼다. $p_y$는 정답의 확률, $\pi_c$는 학습 데이터에서
# 클래스 $c$의 빈도다.
#
# - 초점 손실: 이미 맞힌 표본의 손실을 $(1 - p_y)^2$만큼 줄인다.
# - 균형 가중치: 가중치의 합이 클래스마다 같아지도록 표본의 손실에 가중치를 곱한다.
# - 로짓 보정: 학습할 때 로짓에 $\log \pi_c$를 더한다. 예측할 때는 더하지 않는다.
#
# 넷째는 손실을 그대로 두고 학습한 뒤에 로짓에서 $\log \pi_c$를 뺀다. 판정의 임계값만 옮기므로 비용이 가장 적다.
#
# 모델은 너비 16의 은닉층(hidden layer)이 하나인 신경망과, 은닉층이 없는 소프트맥스 회귀다. 학습 스텝은 모두
# 300번이다. $L_2$ 벌점은 매개변수의 제곱합에 비례해 손실에 더하는 항이다. 테스트 점수를 보고 벌점의 세기 하나를
# 선택하는 대신 셋을 모두 보인다. scikit-learn의 로지스틱 회귀(벌점은 기본값)도 같은 분할에서 학습한다. ‘균형’은
# `class_weight="balanced"`다.

# %% 방법마다 학습하고 표를 만드는 코드 tags=["setup"]
cancer = breast_cancer()
splits = [
    subsample(cancer.labels, counts=(6, 250), generator=generator(seed))
    for seed in SEEDS
]
learn, held_out = (torch.stack(part) for part in zip(*splits, strict=True))
x, y = cancer.features[learn], cancer.labels[learn]
x_test, y_test = cancer.features[held_out], cancer.labels[held_out]
tested = held_out.shape[1] / len(cancer.labels)  # 테스트에 쓴 비율
weight = class_weights(
    y[0], num_classes=2
)  # 클래스마다의 표본 수가 시드마다 같으므로 가중치도 같다
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


imbalance = {name: [] for name in [*losses, "학습 후 임계값 이동"]}
for knobs in settings.values():
    for name, loss in losses.items():
        gs = [generator(seed) for seed in SEEDS]
        networks = train(
            x, y, loss, num_classes=2, epochs=300, generators=gs, **knobs
        )
        z = predict(networks, x_test)
        imbalance[name].append(each(score, z.argmax(2), y_test))
        if loss is plain:
            imbalance["학습 후 임계값 이동"].append(
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
    "로지스틱 회귀, 같은 분할",
    ["균형 정확도"],
    peers,
    differences=(0,),
    test_share=tested,
)
older = "소프트맥스 회귀, 벌점 0.01"
show(
    "교차 엔트로피로 학습한 두 모델",
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
    axes.set_yticks(
        range(len(groups)), [name.replace(", ", ",\n") for name in groups]
    )
    axes.invert_yaxis()
    axes.set(xlabel="균형 정확도 (점: 시드 하나, 막대: 평균)")
lowest = min(groups, key=lambda name: groups[name].mean())
highest = max(groups, key=lambda name: groups[name].mean())
picture(
    figure,
    "악성 6명일 때 방법마다의 균형 정확도(신경망, 벌점 0.01). 평균이 가장 "
    f"낮은 방법: {lowest}. 가장 높은 방법: "
    f"{highest}.",
)

# %% [markdown]
# 신경망에서는 균형 가중치, 로짓 보정, 임계값 이동의 평균이 세 벌점 모두에서 교차 엔트로피보다 높다. 세 방법은 모두
# 드문 클래스의 **빈도**를 쓴다. 그러나 유의하게 높은 칸은 벌점에 따라 다르다. 벌점 0.01에서는 로짓 보정만, 벌점이
# 없으면 임계값 이동만 구간이 0보다 위에 있다. 벌점 0.1은 너무 세서, 교차 엔트로피가 모두 양성이라 답한다(0.5). 그
# 벌점에서는 세 방법이 모두 유의하게 높고, 이미 학습한 모델의 임계값만 옮긴 방법의 이득이 가장 작다. 초점 손실은 어느
# 벌점에서도 유의하게 높지 않다. 초점 손실은 어려운 표본의 비중을 키울 뿐, 드문 클래스의 비중을 키우지 않는다.
#
# 소프트맥스 회귀에서는 모든 차이가 유의하지 않다. 교차 엔트로피로 학습한 소프트맥스 회귀와 신경망의 차이도 유의하지
# 않다. 그런데 같은 모델인 scikit-learn의 로지스틱 회귀는 유의하게 낮다. 손실도 같은데 왜 다른가. scikit-learn은
# 절편(intercept)에 벌점을 주지 않는다. 이 점 하나만 바꾼 모델이 ‘절편에도 벌점’이다.

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
    steps[f"교차 엔트로피, {count}스텝"] = [
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
# 절편에도 벌점을 주면 scikit-learn의 절편이 절반쯤으로 줄고, 균형 정확도가 1500스텝을 학습한 우리 모델과 같아진다.
# 차이의 원인은 스텝의 수가 아니라 **절편의 벌점**이다. 절편은 ‘양성이 많다’는 사실을 담는다. 그래서 절편에 벌점을
# 주면 뜻하지 않게 임계값을 옮기게 된다. 300스텝에서 멈춘 모델은 절편이 조금 더 작지만, 1500스텝과의 차이는 유의하지
# 않다.
#
# 한계도 있다. 데이터 하나, 악성 6명이라는 수 하나에서 쟀다. 악성만 보면 212명 가운데 206명이 매번 테스트 데이터에
# 들어가므로 분할끼리 더 많이 겹친다. 그래서 이 구간도 실제보다 좁을 수 있다. 특징은 테스트 데이터까지 넣어
# 표준화했다. 균형 정확도는 악성을 놓치는 비용과 양성을 악성이라 하는 비용이 같다고 가정한다.

# %% [markdown]
# ## 2. 긴 꼬리에서는 로짓 보정과 임계값 이동이 효과가 있다 { #tail }
#
# 숫자 이미지를 0은 89장, 9는 3장만 남긴다. 사이는 같은 비율로 줄인다. 테스트 데이터는 클래스마다 절반이라 균형 잡혀
# 있다. 전체 정확도와, 가장 드문 세 숫자 7, 8, 9의 정확도를 따로 본다. 모델은 너비 64의 은닉층이 하나인 신경망이고,
# 학습 스텝은 100번이다.

# %% 긴 꼬리에서 학습하고 표를 만드는 코드 tags=["setup"]
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
long_tail["학습 후 임계값 이동"] = scores(logits["교차 엔트로피"] - prior)
tail_gaps = show(
    "긴 꼬리 숫자",
    ["전체 정확도", "드문 클래스 7·8·9"],
    long_tail,
    differences=(0, 1),
    test_share=tested,
)
show(
    "로짓 보정과 임계값 이동",
    ["전체 정확도", "드문 클래스 7·8·9"],
    {
        name: long_tail[name]
        for name in ("로짓 보정 τ = 1", "학습 후 임계값 이동")
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
    "드문 클래스": [rarest for _, rarest in sweep],
}
for name, curve in curves.items():
    print(
        f"{name:6s}",
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
    "로짓 보정의 세기 τ에 따른 정확도. 드문 클래스의 정확도는 τ가 커지는 "
    "동안 오르고, 전체 정확도는 오르다가 내려간다. "
    "띠는 표준 편차다.",
)

# %% [markdown]
# 로짓 보정과 임계값 이동은 전체 정확도에서도 드문 클래스에서도 교차 엔트로피보다 유의하게 높다. 균형 가중치는 평균이
# 오르지만 차이가 유의하지 않고, 초점 손실도 그렇다. 다시 학습하지 않고 임계값만 옮긴 방법과 로짓 보정의 차이도
# 유의하지 않다. 벌점이 세지 않다면 비용이 적은 임계값 이동부터 해 본다.
#
# 로짓 보정의 세기 τ는 로짓에 더하는 $\log \pi_c$에 곱하는 수다. τ를 2.5까지 키우는 동안 드문 클래스의 평균 정확도는
# 계속 오른다. 전체의 평균은 1과 1.5에서 가장 높고, 2.5에서는 보정하지 않은 모델보다 낮지만 차이는 유의하지 않다. 드문
# 클래스를 맞히려고 많은 클래스를 틀리기 때문이다. τ는 테스트 데이터가 아니라 검증용으로 남겨 둔 데이터에서 정한다. 이
# 그림은 곡선의 모양을 보이려고 테스트 데이터로 그렸다.
#
# 여기서도 드문 클래스는 언제나 7, 8, 9였으므로, 다른 숫자가 드물 때의 값은 다를 수 있다. 벌점과 학습의 길이는 한
# 가지뿐이다.

# %% [markdown]
# ## 3. 라벨 스무딩은 확률을 너무 낮추고, 온도 하나로 되돌린다 { #smoothing }
#
# 라벨 스무딩은 일반화를 돕는다고 한다. 확률은 어떻게 되나. 모델이 예측한 클래스에 준 확률을 확신도(confidence)라 하자.
# 확신도가 0.9인 이미지 가운데 실제로 열에 아홉을 맞히는지를 **기대 보정 오차**(ECE)로 잰다. 0이면 확신도와 정확도가
# 같다. 확률 전체의 질은 음의 로그 가능도(negative log-likelihood, NLL)로 잰다.
#
# 숫자 이미지를 학습 40 %, 보정 20 %, 테스트 40 %로 분할한다. **온도 스케일링**은 학습한 모델의 로짓을 수 하나
# $T$(온도, temperature)로 나눈다. $T$는 보정 데이터에서 NLL이 가장 작아지도록 정한다. 예측하는 클래스가 바뀌지
# 않으므로 정확도는 그대로다.

# %% 라벨 스무딩과 온도를 재는 코드 tags=["setup"]
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
    "라벨 스무딩과 온도",
    ["정확도", "ECE", "NLL (nat)", "평균 확신도", "온도 T"],
    calibration,
    differences=(0, 1, 2),
    test_share=tested,
)

# 예측한 확률에서 라벨을 뽑으면 보정이 완벽한 모델이다. 그때의 ECE가 이만한 표본 수에서 기준이 된다
p = probabilities["ε = 0.1, 온도"]
u = rand(*p.shape[:2], 1, generator=generator(0)).to(p.device)
drawn = (p.cumsum(2) < u).sum(2).clamp_max(9)
honest = each(expected_calibration_error, p, drawn)
print(f"보정이 완벽한 모델의 ECE {honest.mean():.3f} ± {honest.std():.3f}")

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
        xlabel="모델의 확신도", ylabel="실제로 맞힌 비율", ylim=(0.3, 1.02)
    )
    axes.legend(loc="lower right")
picture(
    figure,
    "확신도에 대한 맞힌 비율. 대각선이면 둘이 같다. 라벨 스무딩을 켠 모델은 "
    "대각선 위에 있어 확신도가 실제보다 낮고, "
    "온도 스케일링을 하면 대각선 가까이로 온다.",
)

# %% [markdown]
# 정확도의 평균은 라벨 스무딩으로 조금 오르지만, 구간이 0을 포함하므로 유의하지 않다. 확률은 뚜렷이 나빠진다. 평균
# 확신도가 정확도보다 한참 낮다. 라벨 스무딩의 목표가 정답의 확률을 $1 - \epsilon + \epsilon/C$까지만 올리기 때문이다.
# 라벨 스무딩으로 학습한 모델의 확률을 그대로 임계값이나 비용 계산에 쓰면 안 된다.
#
# 수 하나로 확률을 되돌릴 수 있다. 라벨 스무딩 없이 학습한 모델은 확신도가 지나치게 높아 $T > 1$이고, 라벨 스무딩으로
# 학습한 모델은 확신도가 낮아 $T < 1$이다. 온도 스케일링을 한 $\epsilon = 0.1$의 ECE는 보정이 완벽한 모델의 ECE와 같은
# 크기다. 테스트 이미지가 700장쯤이면 보정이 완벽해도 ECE가 0이 아니다. 온도 스케일링 뒤의 NLL은 라벨 스무딩을 쓴
# 모델의 평균이 더 낮고, $\epsilon = 0.2$에서는 둘 다 쓰지 않은 모델보다 유의하게 낮다.
#
# 온도를 정하려면 데이터를 따로 남겨 두어야 한다. 그 20 %까지 학습에 쓴 모델과는 비교하지 않았다. ECE는 구간을 나누는
# 방법에 따라 달라지므로 NLL을 함께 본다. 라벨 스무딩으로 학습한 모델로 다른 모델을 가르칠 때(증류, distillation)의
# 손해는 여기서 재지 않았다.

# %% [markdown]
# ## 4. 소프트맥스를 두 번 하면 학습이 늦고 손실이 바닥에서 멈춘다 { #twice }
#
# `CrossEntropyLoss`에 로짓 대신 확률을 넣는 실수는 [흔하다](../losses/categorical.md#logits-not-probabilities).
# 오류도 나지 않는다. 그래도 학습이 되는지 잰다. 숫자 이미지의 절반으로 학습하고 2, 10, 30 에폭 뒤에 남은 절반에서
# 잰다. 학습률 0.001, 배치 32장이다.
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
    for stop in epochs:  # 시드가 같으므로 긴 학습의 앞부분은 짧은 학습과 같다
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
    "테스트 정확도",
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
# 학습은 되지만 늦다. 2 에폭에서는 정확도가 유의하게 낮고, 30 에폭에서는 차이가 유의하지 않다. 그래서 학습이 끝난 뒤의
# 정확도만 보면 알아차리기 어렵다. 손실을 보면 드러난다. 학습 손실이 $\log 10 = 2.3026$ 가까이에서 시작해 1.4612 바로
# 위에서 더 내려가지 않으면 소프트맥스를 두 번 했는지부터 본다.
#
# 클래스가 열 개일 때의 값이고, 바닥은 클래스가 많을수록 높아진다. 학습률을 조절해 느린 만큼을 메울 수 있는지도 재지
# 않았다.
#
# ## 무엇부터 해 볼까 { #which }
#
# 다음 표는 목적마다 먼저 해 볼 방법과, 이 실습에서 확인한 절이다.
#
# | 목적 | 먼저 해 볼 방법 | 확인한 절 |
# | --- | --- | --- |
# | 불균형한 데이터에서 클래스별로 고루 맞히기 | 학습 후 임계값 이동, 로짓 보정 | 2절. 1절에서는 벌점에 따라 다르다 |
# | 초점 손실로 드문 클래스의 정확도 올리기 | 빈도를 쓰는 위의 방법 | 1절과 2절. 유의하게 높은 적이 없다 |
# | 믿을 만한 확률 | 검증용으로 남겨 둔 데이터로 온도 스케일링. 라벨 스무딩을 썼다면 반드시 | 3절 |
# | 느린 학습의 이유 찾기 | 손실이 바닥에서 멈췄는지 보기 | 4절 |
#
# ## 결론을 확인한다 { #checks }
#
# 결론의 문장이 위의 표와 어긋나면 이 칸에서 오류가 난다.

# %%
rarest = "드문 클래스 7·8·9"
informed = ("균형 가중치", "로짓 보정", "학습 후 임계값 이동")
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
    and tail_gaps["학습 후 임계값 이동", rarest].low > 0
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
    "빈도를 쓰는 방법은 드문 클래스에 도움이 되고, 초점 손실은 유의하지 않다"
)
assert all((mended, smoothing["ε = 0.1", "정확도"].tie)), (
    "스무딩은 ECE를 키우고 온도가 되돌리며, 정확도의 차이는 유의하지 않다"
)
assert all((late, above)), (
    "소프트맥스를 두 번 하면 늦고, 30 에폭에는 유의하지 않고, 손실은 바닥 위다"
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
