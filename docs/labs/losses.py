# ---
# jupyter:
#   level: 입문
#   english:
#     title: "Lab: what a loss changes"
#     summary: >-
#       Measured on real data, 20 seeds. With six malignant cases, class weights, logit adjustment and moving the
#       threshold beat cross-entropy for a network; focal loss does not. Label smoothing raises accuracy and spoils
#       probabilities.
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
# - 악성이 6명뿐이면 신경망의 균형 정확도를 로짓 보정이 0.899에서 0.949로, 배운 뒤 문턱 옮기기가 0.942로 올린다. 초점
#   손실은 0.870으로 내린다([한쪽이 6명뿐일 때](#six)).
# - 라벨 평활화 0.1은 정확도를 0.962에서 0.973으로 올리지만 ECE를 0.017에서 0.127로 나쁘게 한다. 온도를 맞추면 ECE가
#   0.012로 돌아온다([라벨 평활화와 온도](#smoothing)).
# - 소프트맥스를 두 번 하면 2 에폭의 정확도가 0.763 대신 0.525지만 30 에폭에는 0.956과 0.950으로 비슷해진다. 학습
#   손실은 바닥 1.4612 위에 머문다([소프트맥스를 두 번 하면](#twice)).

# %% [markdown]
# ## 자료와 구간
#
# 자료는 scikit-learn에 들어 있는 진짜 자료다. 실험마다 씨앗 20개로 자료를 다시 나누고 신경망을 다시 배운다. 표의
# 윗줄은 평균 ± 표준 편차다. 아랫줄(Δ)은 같은 나누기와 같은 첫 가중치에서 첫 행을 뺀 차이의 평균과 95 % 신뢰 구간이다.
# 구간이 0을 품으면 비겼다고 읽는다.
#
# 구간은 한 자료를 거듭 나누어 얻은 것이다. 나눈 자료끼리 겹치므로, 새 자료에서 잴 때의 폭보다 좁다.
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
from mgk_docs_src.labs.tables import comparison
from mgk_docs_src.losses.categorical import cross_entropy, double_softmax_floor
from mgk_docs_src.losses.choosing import (
    class_weights,
    focal_loss,
    logit_adjustment,
)
from mgk_docs_src.metrics import balanced_accuracy, expected_calibration_error
from mgk_docs_src.random import generator

torch.set_num_threads(1)
SEEDS = range(20)


def plain(z, y):
    return cross_entropy(z, y, reduction="none")


def each(score, *batches):
    """씨앗마다 점수를 매긴다."""
    return torch.stack(
        [score(*one) for one in zip(*batches, strict=True)]
    ).cpu()


def show(*table, **knobs):
    display(HTML(comparison(*table, **knobs)))


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
# 둘이다. 너비 16의 숨은 층이 하나인 신경망과, 층이 없는 소프트맥스 회귀. 걸음은 모두 300번이고, $L_2$ 벌점을 켠 것과
# 끈 것을 모두 보인다. 벌점의 세기와 걸음 수는 몇 가지를 돌려 **시험 점수까지 보고** 골랐다. 그래서 한 칸의 값은 처음
# 보는 자료에서보다 후하다. 읽을 것은 같은 열 안의 차이다. scikit-learn의 로지스틱 회귀(벌점은 기본값)도 같은 나누기에서
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
show("균형 정확도, 악성 6명", list(settings), imbalance, differences=(0, 1, 2))

peers, intercepts = {}, {}
for name, mode in (("scikit-learn", None), ("scikit-learn, 균형", "balanced")):
    fits = [
        LogisticRegression(class_weight=mode, max_iter=1000).fit(a, b)
        for a, b in zip(x.cpu().numpy(), y.cpu().numpy(), strict=True)
    ]
    guesses = [
        torch.from_numpy(fit.predict(a))
        for fit, a in zip(fits, x_test.cpu().numpy(), strict=True)
    ]
    peers[name] = [each(score, guesses, y_test.cpu())]
    intercepts[name] = torch.tensor([fit.intercept_.item() for fit in fits])
show("로지스틱 회귀, 같은 나누기", ["균형 정확도"], peers, differences=(0,))

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
# **신경망에서는** 균형 가중치, 로짓 보정, 문턱 옮기기가 모두 교차 엔트로피를 이긴다. 벌점을 켜도 끄도 그렇다. 셋은
# 모두 드문 클래스의 **빈도**를 안다. 초점 손실은 이기지 못하고, 벌점을 켜면 오히려 진다. 초점 손실이 키우는 것은
# 어려운 표본이지 드문 클래스가 아니다.
#
# **값싼 방법이 잘 버틴다.** 배운 뒤 문턱만 옮겨도 로짓 보정과 비슷하다. 다시 배우지 않아도 되므로 이것부터 해 본다.
#
# **옛 모델이 기준에서 앞선다.** 교차 엔트로피로 배운 소프트맥스 회귀가 교차 엔트로피로 배운 신경망보다 높다. 그런데
# 같은 모델인 scikit-learn의 로지스틱 회귀는 가장 낮다. 손실도 같은데 왜 다른가. 절편을 본다.

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
steps["scikit-learn"] = [*peers["scikit-learn"], intercepts["scikit-learn"]]
show("소프트맥스 회귀와 로지스틱 회귀", ["균형 정확도", "양성 쪽 절편"], steps)

# %% [markdown]
# 우리의 소프트맥스 회귀는 300걸음에서 멈추고 절편에도 벌점을 주므로 ‘양성이 많다’는 사실을 덜 배웠다. 더 걷게 하면
# 절편이 커지고 균형 정확도가 내려간다. scikit-learn은 절편에 벌점을 주지 않고 끝까지 가므로 절편이 가장 크다. 일찍
# 멈추는 것이 뜻하지 않은 문턱 옮기기였던 셈이고, 거기서 문턱을 한 번 더 옮기면 지나쳐서 도리어 나빠진다.
#
# **보이지 않는 것.** 자료 하나, 악성 6명이라는 수 하나다. 벌점과 걸음 수를 바꾸면 차이의 크기가 달라진다. 표의 세
# 열이 그것을 보인다. 악성을 놓치는 값과 양성을 잘못 부르는 값이 같다는 것도 균형 정확도의 가정일 뿐이다.

# %% [markdown]
# ## 2. 긴 꼬리
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
show(
    "긴 꼬리 숫자",
    ["전체 정확도", "드문 셋 7·8·9"],
    long_tail,
    differences=(0, 1),
)
show(
    "로짓 보정과 문턱 옮기기",
    ["전체 정확도", "드문 셋 7·8·9"],
    {
        name: long_tail[name]
        for name in ("로짓 보정 τ = 1", "배운 뒤 문턱 옮기기")
    },
    differences=(0, 1),
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
picture(
    figure,
    "로짓 보정의 세기 τ에 따른 정확도. 드문 셋의 정확도는 τ가 커지는 동안 "
    "오르고, 전체 정확도는 오르다가 내려간다. "
    "띠는 표준 편차다.",
)

# %% [markdown]
# 균형 가중치도 돕지만 로짓 보정이 더 돕는다. 초점 손실은 여기서도 돕지 못한다. 그리고 다시 배우지 않고 문턱만 옮긴
# 것이 드문 셋에서 로짓 보정보다 높다.
#
# τ를 키우면 드문 셋은 계속 오르지만 전체는 1과 1.5에서 가장 높고, 2.5에서는 보정하지 않은 것보다 낮다. 드문 것을
# 맞히려고 많은 것을 틀리기 때문이다. τ는 시험 자료가 아니라 따로 떼어 둔 자료에서 고른다. 이 그림은 모양을 보이려고
# 시험 자료로 그렸다.
#
# **보이지 않는 것.** 손실은 없는 자료를 만들지 못한다. 드문 셋을 더 올리려면 많은 것을 내주어야 했다. 드문 셋은
# 언제나 7, 8, 9였으므로, 다른 숫자가 드물 때의 값은 다를 수 있다.

# %% [markdown]
# ## 3. 라벨 평활화와 온도 { #smoothing }
#
# **질문.** 라벨 평활화는 정확도를 올린다고 한다. 확률은 어떻게 되나. 모델이 0.9라고 말한 그림 가운데 정말 열에 아홉을
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


calibration, reliability = {}, {}
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
        reliability[name] = scaled.softmax(2).max(2)
show(
    "라벨 평활화와 온도",
    ["정확도", "ECE", "NLL (nat)", "평균 확신", "온도 T"],
    calibration,
    differences=(0, 1, 2),
)

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
        confidence, predicted = reliability[name]
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
# 정확도는 라벨 평활화로 정말 오른다. 그러나 그대로 읽은 확률은 훨씬 나빠진다. 평균 확신이 정확도보다 한참 낮다.
# 목표가 $1 - \epsilon + \epsilon/C$에서 멈추라고 가르쳤으니 당연하다. 평활화한 모델의 확률을 그대로 문턱이나 비용
# 계산에 쓰면 안 된다.
#
# 수 하나가 이것을 고친다. 평활화 없이 배운 모델은 지나치게 확신해서 $T > 1$이고, 평활화한 모델은 덜 확신해서
# $T < 1$이다. 평활화 없이 배운 모델에서는 온도가 NLL을 조금 낮추고 ECE는 거의 그대로다. 온도를 맞춘 뒤에는 평활화한
# 모델의 NLL이 오히려 가장 낮다. 평활화는 로짓의 **순서**를 좋게 하고 **크기**를 망가뜨렸는데, 크기는 되돌릴 수 있다.
#
# **보이지 않는 것.** 온도를 맞추려면 떼어 둔 자료가 든다. 그 20 %로 더 배웠을 때와는 견주지 않았다. ECE는 칸을 나누는
# 법에 달렸고, 시험 그림이 700장쯤이면 말한 대로 맞히는 모델도 0이 되지 않는다. 그래서 NLL을 함께 본다. 평활화한
# 모델로 다른 모델을 가르칠 때(증류) 잃는 것은 여기서 재지 않았다.

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
show(
    "시험 정확도",
    [f"{stop} 에폭" for stop in epochs],
    doubled,
    differences=(0, 1, 2),
)

floors = {"로짓": 0.0, "확률": double_softmax_floor(10)}
for name, floor in floors.items():
    last = learned[name][-1]
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
# 배우기는 한다. 다만 늦다. 2 에폭에서는 크게 뒤지고, 30 에폭에서는 거의 따라잡는다. 그래서 다 배운 뒤의 정확도만 보면
# 알아차리기 어렵다. 손실은 숨기지 못한다. 학습 손실이 $\log 10 = 2.3026$에서 시작해 1.4612 바로 위에서 더 내려가지
# 않으면 소프트맥스를 두 번 한 것이다.
#
# **보이지 않는 것.** 클래스가 열 개일 때다. 바닥은 클래스가 많을수록 높아진다. 학습률을 조절해 느린 만큼을 메울 수
# 있는지도 재지 않았다.
#
# ## 무엇을 고를까
#
# | 하고 싶은 것 | 먼저 해 볼 것 | 이 실습이 본 것 |
# | --- | --- | --- |
# | 치우친 자료에서 클래스를 고르게 맞히기 | 교차 엔트로피로 배우고 문턱 옮기기, 다음에 로짓 보정 | 1과 2 |
# | 드문 클래스를 초점 손실로 살리기 | 하지 않는다. 빈도를 모르는 손실이다 | 1과 2 |
# | 정확도를 조금 더 | 라벨 평활화 | 3 |
# | 믿을 만한 확률 | 떼어 둔 자료로 온도 맞추기. 평활화했다면 반드시 | 3 |
# | 느린 학습의 까닭 찾기 | 손실이 바닥 값에서 멈췄는지 보기 | 4 |
#
# ## 출처
#
# - Lin, T.-Y. 외 (2017). *Focal Loss for Dense Object Detection*.
# - Menon, A. K. 외 (2021). *Long-tail Learning via Logit Adjustment*.
# - Guo, C. 외 (2017). *On Calibration of Modern Neural Networks*.
# - Müller, R., Kornblith, S. & Hinton, G. (2019). *When Does Label Smoothing Help?*
# - scikit-learn 문서, Toy datasets. [서지](../reference/bibliography.md)
