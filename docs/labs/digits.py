# ---
# jupyter:
#   level: 심화
#   english:
#     title: "Lab: diffusion on digits"
#     summary: >-
#       Bits per pixel on unseen 8×8 digits, legibility, novelty and inpainting. The bits are saved by the output
#       head rather than by diffusion, a better likelihood does not mean better pictures, and nothing is copied.
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
# # 실습: 숫자를 그리는 확산 모델
#
# scikit-learn의 손글씨 숫자는 8×8 이미지다. 화소값은 0부터 16까지의 정수, 곧 농도의 열일곱 단계(level)다. 이 실습에서
# ‘단계’는 화소의 농도이고, 시각을 하나 옮기는 일은 ‘확산 단계’라고 적는다. 이 이미지로 확산 모델을 학습하고 다섯 가지를
# 묻는다.
#
# 1. 처음 보는 숫자를 화소마다 몇 비트로 적는가. 무엇이 그 비트를 줄이는가.
# 2. 뽑은 숫자는 라벨대로 읽히는가. 가능도가 높으면 이미지의 품질도 좋은가.
# 3. 어떤 숫자가 가장 뜻밖인가.
# 4. 뽑은 숫자는 새로운가, 학습 이미지를 베꼈는가.
# 5. 위쪽 절반만 보고 아래를 그릴 수 있는가.
#
# ## 결론 셋 { #conclusions }
#
# - 비트를 줄인 요인은 확산이 아니라 출력 헤드(head)다. 화소값이 차례가 있는 정수임을 식에 넣은 단계 헤드는 신경망
#   하나로 1.890비트, 소프트맥스(softmax) 헤드는 2.025, 가우스 헤드는 3.303이다. 확산이 아닌 MADE도 헤드가 같으면 단계
#   헤드와 차이가 유의하지 않다([출력 헤드](#bits)).
# - 비트가 적다고 이미지의 품질이 좋지는 않다. 변분 상한만 줄인 모델(κ = 0)은 신경망 셋을 평균하면 1.853비트로 단계
#   헤드의 1.866보다 적지만, 라벨대로 읽히는 비율은 0.695로 0.931보다 훨씬 낮다([라벨대로 읽히는 비율](#legible)).
# - 학습 이미지를 베낀 표본은 없다. 가장 가까운 학습 이미지까지의 거리의 중앙값은 테스트 이미지가 1.050,
#   가이던스(guidance) 없이 뽑은 이미지가 1.204로 더 멀다([학습 이미지까지의 거리](#new)).

# %% [markdown]
# ## 데이터: 분할은 하나, 시드는 셋이다 { #data }
#
# 1797장을 라벨의 비율을 지켜 학습 1297장과 테스트 500장으로 한 번 나눈다. 설정은 손으로 정했다. 헤드와 너비, 학습 스텝
# 수, 학습률, 노이즈가 많은 시각에 더하는 가중치 κ를 고를 때는 학습 데이터에서 300장을 검증용으로 남겨 두었다. 정한
# 뒤에는 1297장 모두로 학습했다. 정하는 동안의 실험은 다시 실행할 수 있게 남기지 않았으므로, 아래의 비교는 모두 이 설정
# 하나에서 나온 결과다.
#
# 신경망은 시드(seed) 셋으로 한꺼번에 학습한다. 표의 값은 시드 셋의 평균 ± 표준 편차다. 분할(split)은 하나뿐이므로,
# 분할에 따라 달라지는 폭은 표에 나타나지 않는다.

# %% 들여오기와 데이터 tags=["setup"]
import math
from itertools import groupby

import torch
from IPython.display import HTML, display
from matplotlib.patches import PathPatch
from matplotlib.path import Path as MplPath
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from mgk_docs_src.data import digits
from mgk_docs_src.figures.style import BLUE, INK, ORANGE, panels, to_img
from mgk_docs_src.labs.digits import (
    autoregressive_log_likelihood,
    bits_per_dimension,
    bound,
    denoiser,
    histogram_log_likelihood,
    inpaint,
    log_snr_schedule,
    nearest_distance,
    sample_levels,
    to_levels,
    train_autoregressive,
    train_denoisers,
)
from mgk_docs_src.labs.tables import comparison, table
from mgk_docs_src.random import generator, rand, randperm
from mgk_docs_src.transport.wasserstein import sliced_wasserstein

torch.set_num_threads(1)
# 1e-38보다 작은 확률을 0으로 본다. CPU는 그런 수를 수십 배 느리게 센다.
torch.set_flush_denormal(True)
SEEDS = range(3)
ALL = {"num_levels": 17, "num_classes": 10}

data = digits()
levels = to_levels(2 * data.features - 1, num_levels=17)
learn, held_out = train_test_split(
    torch.arange(len(levels), device="cpu"),
    test_size=500,
    stratify=data.labels.cpu(),
    random_state=0,
)
x, y, x_test, y_test = (
    levels[learn],
    data.labels[learn],
    levels[held_out],
    data.labels[held_out],
)


def show(*table, **knobs):
    display(HTML(comparison(*table, **knobs)))


def picture(figure, description):
    display(HTML(to_img(figure, description)))


# %% [markdown]
# ## 1. 화소의 비트를 줄인 요인은 출력 헤드다 { #bits }
#
# **질문.** 처음 보는 숫자를 화소마다 몇 비트로 적는가. 모델이 화소에 준 확률이 $p$이면 그 화소를 적는 코드의 길이는
# $-\log_2 p$비트다. 확률이 1/4이면 2비트, 1/2이면 1비트다. 열일곱 단계에 같은 확률을 주는 균등 분포(uniform)는
# $\log_2 17 = 4.09$비트다. 확산 모델은 정확한 확률 대신 [변분 상한](../diffusion/sampling.md#likelihood)(variational
# bound)을 준다. 실제 비트는 상한보다 많지 않다.
#
# 비교하는 신경망은 모두 같은 구조(너비 192, 세 층)이고 같은 스텝 수만큼 학습한다. 나머지 셋은 단계 헤드와 하나씩만
# 다르다.
#
# - **단계 헤드**: 화소마다 다섯 수 $\eta$를 내고, $\exp(\eta^\top \varphi(v))$에 비례하는 확률을 단계 $v$에 준다.
#   여기에 그 화소에서 본 $x_t$의 가능도를 베이즈 정리로 곱한다. $\varphi(v)$는 $v, v^2, v^3$과, $v$가 양 끝의
#   단계인지를 나타내는 두 값이다.
#   κ = 10이다.
# - **소프트맥스 헤드**: 다섯 수 대신 화소마다 로짓 열일곱을 낸다. 나머지는 같다.
# - **가우스 헤드**: 화소값이 정수라는 사실을 쓰지 않고 값 하나만 낸다. 보통의 확산 모델이다.
#
# 확산이 아닌 모델도 같은 분할에서 잰다. 화소마다 따로 센 막대그래프(histogram), 가우스 혼합(Gaussian mixture), 그리고
# 화소를 차례로 예측하는 신경망(MADE)이다. MADE는 단계 헤드의 확산 모델과 헤드도 층도 학습 스텝 수도 같다.

# %% 네 확산 모델과 MADE를 학습하는 코드 tags=["setup"]
schedule = log_snr_schedule(1000)
knobs = {"hidden": (192, 192, 192), "steps": 250}
models = {
    name: train_denoisers(
        x,
        y,
        schedule,
        **ALL,
        **knobs,
        **options,
        generators=[generator(seed) for seed in SEEDS],
    )
    for name, options in {
        "단계 헤드": {},
        "단계 헤드, κ = 0": {"emphasis": 0.0},
        "소프트맥스 헤드": {"head": "softmax"},
        "가우스 헤드": {"head": "gaussian"},
    }.items()
}
ordered = train_autoregressive(
    x, y, **ALL, **knobs, generators=[generator(seed) for seed in SEEDS]
)


# %% 비트를 재고 표를 만드는 코드 tags=["setup", "summary"]
def bits(nats):
    return bits_per_dimension(nats, dimensions=64)


def bound_bits(networks, labels, **which):
    """테스트 이미지마다의 비트."""
    denoise = denoiser(networks, schedule, labels, **which)
    return bits(
        bound(
            denoise,
            x_test,
            schedule,
            num_levels=17,
            draws=25,
            generator=generator(9),
        ).total
    )


def together(log_likelihoods):
    """시드 셋의 확률을 평균한 모델."""
    return bits(math.log(len(SEEDS)) - log_likelihoods.logsumexp(0))


conditional = {
    name: bound_bits(networks, y_test) for name, networks in models.items()
}
rows = {}
for name, networks in models.items():
    members = [
        bound_bits(networks, y_test, member=seed).mean() for seed in SEEDS
    ]
    blind = (
        bound_bits(networks, None).mean()[None]
        if name.startswith("단계")
        else None
    )
    rows[name] = [torch.stack(members), conditional[name].mean()[None], blind]
exact = [
    autoregressive_log_likelihood(ordered, x_test, labels)
    for labels in (y_test, None)
]
rows["MADE"] = [
    bits(-exact[0]).mean(1),
    together(exact[0]).mean()[None],
    together(exact[1]).mean()[None],
]


def cell(score):
    """시드 셋이면 평균 ± 표준 편차, 하나면 그 값."""
    if score is None:
        return "–"
    if len(score) == 1:
        return f"{score.mean():.3f}"
    return f"{score.mean():.3f}&nbsp;±&nbsp;{score.std():.3f}"


def show_scores(caption, columns, rows):
    cells = {
        name: [cell(score) for score in row] for name, row in rows.items()
    }
    display(HTML(table(caption, columns, cells)))


show_scores(
    "테스트 500장, 화소마다 비트",
    ["라벨을 알 때, 신경망 하나", "셋을 평균", "라벨을 모를 때, 셋을 평균"],
    rows,
)

histogram = bits(-histogram_log_likelihood(x, y, x_test, y_test, **ALL))
merged = bits(-histogram_log_likelihood(x, 0 * y, x_test, 0 * y_test, **ALL))
print(
    f"균등 분포 {math.log2(17):.3f}, 막대그래프 {histogram.mean():.3f}, "
    f"라벨을 모르는 막대그래프 {merged.mean():.3f}"
)

fuzzy = (
    (x + rand(*x.shape, generator=generator(0))).cpu().numpy()
)  # 정수에 균등 노이즈를 더하면 밀도가 확률의 상한이 된다
fuzzy_test = x_test + rand(*x_test.shape, generator=generator(1))
fuzzy_test = fuzzy_test.cpu().numpy()
mixture = GaussianMixture(
    10, covariance_type="full", reg_covar=0.1, random_state=0
).fit(fuzzy)
print(
    "가우스 혼합 10개, 라벨 없이: "
    f"{-mixture.score(fuzzy_test) / (64 * math.log(2)):.3f}"
)

best = conditional["단계 헤드"]
print(
    f"셋을 평균한 단계 헤드: {best.mean():.3f} ± "
    f"{best.std() / len(best) ** 0.5:.3f} (이미지 500장의 표준 오차)"
)
print(
    f"라벨까지 적으면 log₂ 10 / 64 = {math.log2(10) / 64:.3f}비트를 더해 "
    f"{best.mean() + math.log2(10) / 64:.3f}"
)
for name in ("신경망 하나", "셋을 평균"):
    place = 0 if name == "신경망 하나" else 1
    saved = rows["소프트맥스 헤드"][place] - rows["단계 헤드"][place]
    print(f"소프트맥스 헤드 − 단계 헤드, {name}: {saved.mean():.3f}")
gap = together(exact[0]) - best
print(
    f"MADE − 단계 헤드, 이미지별 대응 차이: {gap.mean():+.3f} ± "
    f"{gap.std() / len(gap) ** 0.5:.3f}"
)

# %% [markdown]
# 비트를 줄인 요인은 확산이 아니라 **헤드**다. 화소마다 로짓 열일곱을 따로 학습하면, 이웃한 단계의 확률이 비슷하다는
# 사실을 1297장에서 새로 알아내야 한다. 그 사실을 식에 넣어 주면 학습 데이터가 같아도 신경망 하나는 0.135비트, 셋의
# 평균은 0.100비트가 준다. MADE는 헤드가 같으면 확산 모델과 차이가 유의하지 않다. 이미지마다 구한 대응 차이(paired
# difference)의 평균이 표준 오차보다 작다. 신경망 셋을 평균하면 어느 모델이나 비트가 더 준다. 라벨을 가린 단계 헤드도
# 라벨을 모르는 막대그래프보다 비트가 훨씬 적다.
#
# 가우스 헤드의 비트는 막대그래프보다도 많다. 노이즈가 단계의 간격보다 작아지면 화소가 어느 단계인지는 $x_t$만 보아도
# 거의 알 수 있다. 단계를 모르는 헤드는 그래도 노이즈만큼 틀리고, 시각마다 그만큼 비트를 더 쓴다. 단계 헤드는 베이즈
# 정리로 가까운 단계에 확률을 모은다.
#
# **이 비교의 한계.** 상한과 정확한 값은 다르다. MADE의 값은 정확하고 확산 모델의 값은 상한이므로, 실제 확률로는 확산
# 모델이 조금 더 나을 수 있다. 가우스 혼합은 성분이 열 개인 설정 하나만 재었으므로, 가장 좋은 가우스 혼합은 아니다.

# %% [markdown]
# ## 2. 비트가 적은 모델이 라벨대로 그리지는 않는다 { #legible }
#
# **질문.** 뽑은 숫자는 주어진 라벨대로 읽히는가. 학습 데이터의 라벨을 그대로 주고 1297장을 뽑아 세 지표로 잰다.
#
# - **k-NN**: 뽑은 이미지를, 진짜 학습 이미지로 만든 3-최근접 이웃(k-nearest neighbours)이 주어진 라벨로 읽는 비율.
# - **SVM**: 뽑은 이미지만으로 학습한 서포트 벡터 머신(support vector machine)이 진짜 테스트 이미지를 맞히는 비율.
#   표본이 다양하지 않으면 낮다.
# - [**sliced 와서스타인**](../transport/wasserstein.md#sliced)(sliced Wasserstein): 뽑은 500장과 테스트 500장의 거리.
#   방향 200개의 평균이다.

# %% 숫자를 뽑아 재는 코드 tags=["setup"]
reader = KNeighborsClassifier(3).fit(x.cpu() / 16, y.cpu())
some = randperm(len(x), generator=generator(5))[:500]


def distance(a, b):
    return sliced_wasserstein(
        a / 16, b / 16, projections=200, generator=generator(6)
    )


def draw(networks, seed, scale, labels=y):
    condition, blank = (
        denoiser(networks, schedule, c, member=seed) for c in (labels, None)
    )
    return sample_levels(
        condition,
        (len(labels), 64),
        schedule,
        num_levels=17,
        unconditional=blank,
        scale=scale,
        steps=30,
        generator=generator(100 + seed),
    )


def quality(drawn):
    return (
        reader.score(drawn.cpu() / 16, y.cpu()),
        SVC()
        .fit(drawn.cpu() / 16, y.cpu())
        .score(x_test.cpu() / 16, y_test.cpu()),
        distance(drawn[some], x_test),
    )


plans = [(name, 0.0) for name in models] + [("단계 헤드", 0.5)]
samples = {
    (name, w): [draw(models[name], seed, w) for seed in SEEDS]
    for name, w in plans
}
scores = {
    f"{name}, w = {w:g}": [
        torch.tensor(column)
        for column in zip(*map(quality, drawn), strict=True)
    ]
    for (name, w), drawn in samples.items()
}
show("뽑은 이미지", ["k-NN", "SVM", "sliced 와서스타인"], scores)
real = (
    reader.score(x_test.cpu() / 16, y_test.cpu()),
    SVC().fit(x.cpu() / 16, y.cpu()).score(x_test.cpu() / 16, y_test.cpu()),
    distance(x[some], x_test),
)
print(
    "진짜 이미지: k-NN {:.3f}, SVM {:.3f}, 학습 500장과 테스트 500장의 거리 "
    "{:.4f}".format(*real)
)


# %% 그림을 그리는 코드 tags=["setup"]
def grid(axes, images, columns):
    """이미지를 격자로 늘어놓는다.

    농도를 다섯으로 나누고, 농도가 같은 화소는 한 경로로 그려 파일이 가볍다.
    """
    squares = {shade: [] for shade in range(1, 6)}
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        for i, line in enumerate(
            image.view(8, 8).mul(5).div(16).ceil().int().tolist()
        ):
            start = 0
            for shade, run in groupby(line):
                stop = start + len(list(run))
                if shade:
                    left, right, top = (
                        9 * column + start,
                        9 * column + stop,
                        -9 * row - i,
                    )
                    corners = [
                        (left, top),
                        (right, top),
                        (right, top - 1),
                        (left, top - 1),
                        (left, top),
                    ]
                    squares[shade].append(MplPath(corners, closed=True))
                start = stop
    for shade, paths in squares.items():
        if paths:
            axes.add_patch(
                PathPatch(
                    MplPath.make_compound_path(*paths),
                    color=INK,
                    alpha=shade / 5,
                    linewidth=0,
                )
            )
    axes.set(
        xlim=(0, 9 * columns - 1),
        ylim=(1 - 9 * -(-len(images) // columns), 0),
        aspect="equal",
    )
    axes.set_axis_off()


ten = torch.stack([(y == c).nonzero()[0, 0] for c in range(10)])
shown = ["단계 헤드, κ = 0", "단계 헤드", "가우스 헤드"]
with panels(4, height=0.75) as (figure, axes):
    for axis, name in zip(axes, [*shown, "진짜"], strict=True):
        grid(
            axis, x[ten] if name == "진짜" else samples[name, 0.0][0][ten], 10
        )
        axis.set_title(name, fontsize=10)
picture(
    figure,
    "0부터 9까지 라벨을 주고 가이던스 없이 뽑은 숫자. 차례로 κ가 0인 단계 "
    "헤드, 단계 헤드, 가우스 헤드, 진짜 학습 이미지.",
)

# %% [markdown]
# **가능도와 이미지의 품질은 다르다.** 표의 첫 두 행이 그 예다. 두 모델은 κ만 다르고, 비트는 κ = 0이 오히려 조금 적다.
# 그런데 그 모델의 이미지는 열에 셋이 라벨대로 읽히지 않는다. 두 모델은 노이즈가 많은 시각의 가중치만 다르므로, 라벨대로
# 읽히는지는 그 시각들이 정한다. 그 시각의 가중치를 높여도 상한은 줄지 않는다. 상한이 그 시각들에 거의 의존하지 않기
# 때문이다.
#
# 라벨대로 그리는 데 드는 비용은 작다. κ = 10인 단계 헤드는 비트를 조금 더 쓰고 라벨대로 그린다. 가이던스를 조금(w =
# 0.5) 더하면 거의 모두 라벨대로 읽힌다. 대신 그 이미지로 학습한 SVM은 더 나아지지 않고, sliced 와서스타인 거리는 조금
# 커진다.
#
# 가우스 헤드는 반대쪽 예다. 비트가 막대그래프보다 많은데도 이미지는 숫자로 읽힌다. 다만 sliced 와서스타인 거리는 가장
# 크다.
#
# **이 지표의 한계.** k-NN은 흔한 모양에 높은 점수를 준다. 이 점수만 보고 가이던스의 세기를 정하면 안 된다.

# %% [markdown]
# ## 3. 비트가 많은 이미지에는 회색 화소가 많다 { #surprise }
#
# **질문.** 모델이 보기에 가장 뜻밖인 숫자는 무엇인가. 비트는 이미지마다 구할 수 있다. 시각을 더 많이 뽑아 다시 재고,
# 비트가 가장 많은 여섯 장과 가장 적은 여섯 장을 본다.

# %%
denoise = denoiser(models["단계 헤드"], schedule, y_test)
each = bits(
    bound(
        denoise,
        x_test,
        schedule,
        num_levels=17,
        draws=100,
        generator=generator(10),
    ).total
)
order = each.argsort(descending=True)
for name, chosen in (
    ("비트가 많은 여섯 장", order[:6]),
    ("비트가 적은 여섯 장", order[-6:]),
):
    told = [f"{held_out[i]}번({y_test[i]}) {each[i]:.2f}" for i in chosen]
    print(f"{name}: {', '.join(told)}")
by_class = [each[y_test == c].mean().item() for c in range(10)]
explained = torch.tensor(by_class)[y_test].var() / each.var()
grey = ((x_test > 0) & (x_test < 16)).sum(1)
print(
    "숫자마다:",
    "  ".join(f"{c}: {value:.2f}" for c, value in enumerate(by_class)),
)
print(
    f"비트의 분산에서 숫자의 종류가 설명하는 비율 {explained:.0%}, "
    "회색 화소의 수와의 상관 "
    f"{torch.corrcoef(torch.stack([each, grey.to(each)]))[0, 1]:.2f}"
)

with panels(2, height=0.9) as (figure, axes):
    for axis, name, chosen in zip(
        axes,
        ("비트가 많은 여섯 장", "비트가 적은 여섯 장"),
        (order[:6], order[-6:]),
        strict=True,
    ):
        grid(axis, x_test[chosen], 6)
        axis.set_title(name, fontsize=10)
picture(
    figure,
    "테스트 이미지 가운데 비트가 가장 많은 여섯 장과 가장 적은 여섯 장. "
    "비트가 많은 이미지에는 회색 화소가 많고, 적은 이미지는 모두 1이다.",
)

# %% [markdown]
# 비트가 가장 적은 여섯 장은 모두 1이다. 비트의 분산 가운데 30 %는 숫자의 종류로 설명되고, 비트와 회색 화소의 수의
# 상관은 0.63이다. 그러므로 비트를 그대로 이상 탐지(anomaly detection)의 지표로 쓰면, 회색 화소가 많은 복잡한 숫자를
# 이상하다고 판정하게 된다.

# %% [markdown]
# ## 4. 뽑은 숫자는 학습 이미지를 베끼지 않았다 { #new }
#
# **질문.** 모델이 학습 이미지를 외워 내놓는가. 뽑은 이미지에서 가장 가까운 학습 이미지까지의 거리를, 테스트 이미지에서
# 잰 거리와 비교한다. 베낀 표본의 거리는 0에 몰린다.

# %%
quantiles = torch.tensor([0.0, 0.1, 0.5, 0.9])
far = {"테스트": x_test} | {
    name: samples["단계 헤드", w][0]
    for name, w in (("표본, w = 0", 0.0), ("표본, w = 0.5", 0.5))
}
distances = {
    name: nearest_distance(images / 16, x / 16) for name, images in far.items()
}
for name, values in distances.items():
    print(
        f"{name:12s} 최소와 10·50·90 %:",
        "  ".join(f"{q:.3f}" for q in values.quantile(quantiles)),
    )

with panels() as (figure, (axes,)):
    edges = torch.linspace(0, 2.2, 23, device="cpu")
    for (name, values), color, mark in zip(
        distances.items(), (INK, BLUE, ORANGE), ("-", "--", ":"), strict=True
    ):
        share = torch.histogram(values.cpu(), edges).hist / len(values)
        axes.plot(
            (edges[:-1] + edges[1:]) / 2, share, mark, color=color, label=name
        )
    axes.set(
        xlabel="가장 가까운 학습 이미지까지의 거리",
        ylabel="비율",
        xlim=(0, 2.2),
        ylim=(0, None),
    )
    axes.legend()
picture(
    figure,
    "가장 가까운 학습 이미지까지의 거리의 분포. "
    "가이던스 없이 뽑은 이미지는 테스트 이미지보다 조금 멀고, 가이던스를 "
    "쓰면 거의 겹친다. 0 근처에는 이미지가 없다.",
)

# %% [markdown]
# 베낀 표본은 없다. 뽑은 이미지는 처음 보는 진짜 이미지만큼, 또는 조금 더 학습 이미지에서 떨어져 있다. 그렇다고 더
# 새롭다고 볼 수는 없다. 이미지가 숫자답지 않아서 멀 수도 있다. 가이던스를 쓰면 표본이 흔한 모양 쪽으로 옮겨 가 거리가
# 조금 준다.

# %% [markdown]
# ## 5. 아는 화소의 확률로 기울이면 아래쪽 절반을 더 잘 채운다 { #inpainting }
#
# **질문.** 위쪽 절반만 보고 아래를 그릴 수 있는가(인페인팅, inpainting). 위 네 줄만 주고 라벨은 주지 않는다. 채운
# 이미지를 k-NN이 참 라벨로 읽는 비율을 잰다. 비교하는 방법은 넷이다.
#
# - **갈아 끼우기**(replacement): 확산 단계마다 위쪽을, 참값에 그 시각만큼 노이즈를 섞은 값으로 되돌려 놓는다.
# - **RePaint**: 갈아 끼우며 가다가, 확산 단계 10번마다 같은 구간을 아홉 번 더 오간다. 한 번 오갈 때 노이즈를 10번 다시
#   섞고 10번 걷어 낸다. $T = 250$, 반복 10번, 되돌아가는 확산 단계 10번은 저자들의 설정이다. 신경망을
#   $250 + 24 \times 9 \times 10$번 부르므로 처음 200장만 채운다.
# - **기울이기**(tilting): 확산 단계마다 아는 화소의 확률 $\prod_i p_\theta(x_{0i} \mid x_t)$를 곱한다. [다른 분포를
#   곱하는 방법](../diffusion/sampling.md#multiplication)과 같은 식이다.
# - **학습 데이터로 채우기**: 평균 이미지, 또는 위쪽이 가장 가까운 학습 이미지의 아래쪽으로 채운다.
#
# 뽑은 이미지는 여러 가능성 가운데 하나다. 그래서 같은 위쪽에서 다섯 번 뽑아 두 가지를 더 잰다. 다섯 표본의 다수결이 참
# 라벨과 맞는 비율과, 두 표본이 서로 같은 숫자로 읽히는 비율이다. 표본이 정확한 조건부 분포에서 나왔다면 참 라벨도 그
# 분포에서 나온 표본 하나와 같다. 그러므로 참 라벨과 맞는 비율이 표본끼리 맞는 비율과 같아야 한다.

# %%
known = torch.arange(64) < 32
walk = log_snr_schedule(50)
blank = denoiser(models["단계 헤드"], walk, member=0)
filled = {
    name: [
        inpaint(
            blank,
            x_test,
            known,
            walk,
            num_levels=17,
            **options,
            generator=generator(20 + turn),
        )
        for turn in range(turns)
    ]
    for name, turns, options in (
        ("갈아 끼우기", 5, {"tilted": False}),
        ("기울이기", 5, {}),
    )
}
for name, several in filled.items():
    read = torch.stack(
        [
            torch.from_numpy(reader.predict(images.cpu() / 16))
            for images in several
        ]
    )
    right = (read == y_test.cpu()).float().mean()
    told = f"{name}: 참 라벨과 맞는 비율 {right:.3f}"
    agree = torch.stack(
        [
            (read[i] == read[j]).float().mean()
            for i in range(5)
            for j in range(i)
        ]
    )
    majority = (read.mode(0).values == y_test.cpu()).float().mean()
    told += f", 표본끼리 {agree.mean():.3f}, 다섯의 다수결 {majority:.3f}"
    print(told)

few = slice(200)
long_walk = log_snr_schedule(250)
repainted = inpaint(
    denoiser(models["단계 헤드"], long_walk, member=0),
    x_test[few],
    known,
    long_walk,
    num_levels=17,
    tilted=False,
    resample=10,
    jump=10,
    generator=generator(20),
)
right = {
    name: torch.from_numpy(reader.predict(images.cpu() / 16))
    == y_test[few].cpu()
    for name, images in (
        ("RePaint", repainted),
        *((name, several[0][few]) for name, several in filled.items()),
    )
}
print(
    "처음 200장, 한 번씩:",
    ", ".join(
        f"{name} {hit.float().mean():.3f}" for name, hit in right.items()
    ),
)
for name in filled:
    change = right[name].float() - right["RePaint"].float()
    print(
        f"  {name} − RePaint, 이미지별 대응 차이: {change.mean():+.3f} ± "
        f"{2 * change.std() / len(change) ** 0.5:.3f} (표준 오차의 두 배)"
    )

closest = torch.cdist(x_test[:, known] / 16, x[:, known] / 16).argmin(1)
for name, fill in (
    ("평균 이미지", x.float().mean(0)),
    ("가장 가까운 학습 이미지", x[closest]),
):
    whole = torch.where(known, x_test, fill).cpu() / 16
    print(f"{name}: {reader.score(whole, y_test.cpu()):.3f}")
half = KNeighborsClassifier(3).fit(x[:, known].cpu() / 16, y.cpu())
print(
    "위쪽만 보고 라벨을 맞히는 k-NN: "
    f"{half.score(x_test[:, known].cpu() / 16, y_test.cpu()):.3f}"
)
legible = reader.score(x_test.cpu() / 16, y_test.cpu())
print(f"온전한 테스트 이미지: {legible:.3f}")

with panels(4, height=0.75) as (figure, axes):
    chosen = torch.stack([(y_test == c).nonzero()[0, 0] for c in range(10)])
    pictures = {"원본": x_test, "위쪽만": torch.where(known, x_test, 0)}
    pictures |= {name: filled[name][0] for name in ("갈아 끼우기", "기울이기")}
    for axis, (name, images) in zip(axes, pictures.items(), strict=True):
        grid(axis, images[chosen], 10)
        axis.set_title(name, fontsize=10)
picture(
    figure,
    "테스트 숫자 열 장, 그 위쪽 절반, 갈아 끼우기로 채운 이미지, 기울이기로 "
    "채운 이미지.",
)

# %% [markdown]
# 갈아 끼우기만 하면 참 라벨과 맞는 비율이 평균 이미지로 채운 결과보다도 낮다. 새로 그리는 화소는 노이즈가 섞인 위쪽만
# 보기 때문이다. 저자들의 설정대로 RePaint를 쓰면 같은 200장에서 0.480이 0.640으로 유의하게 높아지지만, 기울이기의
# 0.835보다는 낮다. 기울이기는 확산 단계마다 깨끗한 위쪽을 쓰고, 신경망을 50번만 부른다. 기울이기에서는 참 라벨과 맞는
# 비율과 표본끼리 맞는 비율도 거의 같다. 정확한 조건부 표본이라면 나올 결과다.
#
# 가장 가까운 학습 이미지의 아래쪽을 베껴 넣으면 참 라벨과 맞는 비율이 더 높다. 그럴듯한 답 하나를 정하는 일과 여러 답을
# 뽑는 일은 다르다. 표본 다섯의 다수결은 그 차이를 얼마간 줄인다.
#
# **이 비교의 한계.** 방법의 순서는 이 작은 모델과 8×8 이미지에서 나온 결과다. RePaint의 저자들은 훨씬 큰 신경망과
# 이미지에서 눈에 보이는 품질을 쟀고, 여기서는 라벨만 쟀다. 기울이기는 화소마다의 확률을 곱한다. 서로 상관된 화소들이면
# 같은 증거를 여러 번 세는 셈이다. 두 비율이 같은지는 필요조건일 뿐이고, 같다고 해서 표본이 정확하다는 증명은 아니다.
#
# ## 결론을 확인한다 { #checks }
#
# 위의 결론 셋을 이 실습에서 잰 값으로 확인한다. 하나라도 틀리면 실행이 여기서 멈춘다.

# %%
head, soft, gauss = (
    rows[f"{name} 헤드"][0] for name in ("단계", "소프트맥스", "가우스")
)
tied = gap.mean().abs() < 2 * gap.std() / len(gap) ** 0.5
assert all([head.max() < soft.min(), soft.max() < gauss.min(), tied]), (
    "시드마다 단계, 소프트맥스, 가우스의 순서로 비트가 적고, "
    "MADE와는 차이가 유의하지 않다"
)
saved = best - conditional["단계 헤드, κ = 0"]
read_zero, read_ten = (
    scores[f"{name}, w = 0"][0] for name in ("단계 헤드, κ = 0", "단계 헤드")
)
fewer = saved.mean() > 2 * saved.std() / len(saved) ** 0.5
assert all([fewer, read_zero.max() < read_ten.min()]), (
    "κ = 0은 비트가 적은데 라벨대로 덜 읽힌다"
)
test = distances["테스트"]
away = [
    nearest_distance(images / 16, x / 16)
    for w in (0.0, 0.5)
    for images in samples["단계 헤드", w]
]
farther = all(one.median() > test.median() for one in away[:3])
assert all([farther, min(one.min() for one in away) > test.min() / 2]), (
    "어느 시드에서도 학습 이미지에 아주 가까운 표본이 없고, "
    "가이던스가 없으면 더 멀다"
)

# %% [markdown]
# ## 출처
#
# - Ho, J., Jain, A. & Abbeel, P. (2020). *Denoising Diffusion Probabilistic Models*.
# - Kingma, D. P. 외 (2021). *Variational Diffusion Models*.
# - Ho, J. & Salimans, T. (2022). *Classifier-Free Diffusion Guidance*.
# - Germain, M. 외 (2015). *MADE: Masked Autoencoder for Distribution Estimation*.
# - Lugmayr, A. 외 (2022). *RePaint: Inpainting using Denoising Diffusion Probabilistic Models*.
# - Theis, L., van den Oord, A. & Bethge, M. (2016). *A Note on the Evaluation of Generative Models*.
# - scikit-learn 문서, Toy datasets. [서지](../reference/bibliography.md)
