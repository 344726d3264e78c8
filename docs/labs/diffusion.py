# ---
# jupyter:
#   level: 중급
#   english:
#     title: "Lab: diffusion on eight modes"
#     summary: >-
#       The answer is known, so the error of the network and of the steps can be told apart. Predicting velocity works.
#       Predicting noise breaks down in the first step, where no signal is left: clip, or another schedule.
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
# # 실습: 여덟 봉우리를 학습하는 확산 모델
#
# 답을 아는 데이터로 확산 모델을 학습한다. 반지름 2인 원에 표준 편차 0.2의 가우스 여덟 개가 놓여 있다. 이 데이터에서는
# 완벽한 예측을 식으로 안다. 그래서 표본이 나쁠 때 신경망 때문인지 단계의 수 때문인지 나누어 잴 수 있다. 다섯 가지를
# 묻는다.
#
# 1. 손실은 어디까지 내려갈 수 있는가.
# 2. 구조가 전혀 다른 두 신경망을 같은 손실로 학습할 수 있는가.
# 3. 샘플링에 몇 단계가 필요한가.
# 4. 노이즈(noise), 데이터, 속도(velocity) 가운데 무엇을 맞히게 해야 하는가.
# 5. 조건을 주고 가이던스(guidance)를 키우면 표본이 어떻게 달라지는가.
#
# ## 결론 셋 { #conclusions }
#
# - 노이즈를 맞히게 하면 50단계에서는 조상 샘플링(ancestral sampling)도, 새 노이즈를 더하지 않는 DDIM도 실패한다. 속도를
#   맞히게 하면 실패하지 않는다. 원인은 $\bar\alpha$가 0에 가까운 첫 단계다. 그 한 단계의 예측만 완벽한 예측으로
#   바꾸거나, 추정한 데이터를 ±3으로 자르거나, 선형 스케줄을 쓰면 실패하지 않는다([무엇을 맞히게 할까](#target)).
# - 조상 샘플링 5단계이면 완벽한 예측도 [거리의 비](#metrics)가 2를 넘고, 50단계이면 다층 퍼셉트론도 1에 가깝다([몇
#   단계가 필요한가](#steps)).
# - 가이던스 $w$를 0에서 1로 키우면 표본의 너비가 반보다 작아진다. $w = 4$이면 신경망의 표본은 넷에 셋 넘게 3σ 밖으로
#   나간다([조건과 가이던스](#guidance)).

# %% [markdown]
# ## 지표 셋과 데이터 { #metrics }
#
# 지표는 셋이다.
#
# - **찾은 봉우리**: 여덟 봉우리(mode) 가운데 표본이 모인 봉우리의 수. 표본이 균등하게 나뉠 때 받을 비율의 10분의 1
#   이상을 받은 봉우리를 찾은 것으로 센다.
# - **3σ 안**: 어느 봉우리의 중심에서 $3 \times 0.2 = 0.6$ 안에 든 표본의 비율. 진짜 데이터는 0.989다.
# - **거리의 비**: 표본에서 처음 보는 데이터까지의 [sliced 와서스타인 거리](../transport/wasserstein.md#sliced)(sliced
#   Wasserstein distance)를, 진짜 데이터끼리의 거리로 나눈 값. 2,000점씩 비교하고, 진짜 여덟 벌과의 거리를 평균한다.
#   1이면 진짜와 구별되지 않는다.
#
# 학습 데이터는 50,000점이다. $n$점을 뽑으면 봉우리마다의 비율이 우연히 $\sqrt{7/n}$쯤 흔들리므로, 점이 적으면
# 학습 데이터의 혼합 비율부터 어긋난다.

# %% 들여오기와 지표 tags=["setup"]
from functools import partial
from itertools import combinations

import torch
from IPython.display import HTML, display

from mgk_docs_src.data import (
    eight_gaussians,
    eight_gaussians_centres,
    mode_coverage,
)
from mgk_docs_src.diffusion.process import (
    cosine_schedule,
    linear_schedule,
    mixture_noise,
    noise_to_x0,
    velocity,
)
from mgk_docs_src.diffusion.sampling import guide, sample
from mgk_docs_src.diffusion.training import (
    denoising_loss,
    feature_count,
    memory,
    mlp,
    noise_predictor,
    train,
)
from mgk_docs_src.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    ORANGE,
    panels,
    separate,
    side_by_side,
    to_img,
)
from mgk_docs_src.labs.tables import comparison, record, table
from mgk_docs_src.random import generator, randn
from mgk_docs_src.transport.wasserstein import sliced_wasserstein

torch.set_num_threads(1)
schedule = cosine_schedule(200)
centres = eight_gaussians_centres()
perfect = partial(mixture_noise, schedule=schedule, means=centres, std=0.2)


def distance(x, y):
    return sliced_wasserstein(x, y, projections=32, generator=generator(0))


real = [eight_gaussians(2000, generator=generator(1000 + i)) for i in range(8)]
real_distance = torch.stack(
    [distance(x, y) for x, y in combinations(real, 2)]
).mean()


def score(points):
    """찾은 봉우리의 수, 3σ 안의 비율, 거리의 비."""
    found = mode_coverage(points)
    away = torch.stack(
        [distance(part, y) for part in points.split(2000) for y in real]
    ).mean()
    return [
        float(found.modes),
        float(found.within),
        float(away / real_distance),
    ]


def draw(predict, n=8000, *, seed=7, schedule=schedule, **knobs):
    return sample(
        predict, (n, 2), schedule, generator=generator(seed), **knobs
    )


def show(caption, columns, rows):
    display(HTML(table(caption, columns, rows)))


def picture(figure, description):
    display(HTML(to_img(figure, description)))


# %% [markdown]
# ## 구조가 다른 두 신경망을 시드 셋으로 학습한다 { #networks }
#
# **다층 퍼셉트론**(multilayer perceptron)은 너비 96의 비선형 은닉층 셋을 쌓은 것이다. **메모리 신경망**(memory
# network)은 학습된 메모리 벡터 128개를 소프트맥스 가중치로 섞어 출력한다. 구조는 다르지만 둘 다 특징(feature)을 받아 점
# 하나를 내므로, `train`이 같은 방법으로 학습한다.
#
# 속도를 맞히게 하고, 512점의 배치로 1,300 학습 스텝씩 학습한다. 학습 스텝의 수와 학습률 $0.02$는 손으로 정했고
# 신경망마다 따로 조정하지 않았다. 그래서 이 표는 둘 다 학습된다는 것만 보이고, 어느 쪽이 나은지는 비교하지 않는다.

# %% 두 신경망을 학습하는 코드 tags=["setup"]
SEEDS = range(3)
networks = {"다층 퍼셉트론": mlp, "메모리 신경망": memory}
trained, points, scores = {}, {}, {}
for name, make in networks.items():
    for seed in SEEDS:
        g = generator(seed)
        data = eight_gaussians(50_000, generator=g)
        trained[name, seed] = train(
            make(feature_count(2), 2, generator=g),
            data,
            schedule,
            steps=1300,
            generator=g,
        )
        points[name, seed] = draw(
            noise_predictor(trained[name, seed].denoiser),
            seed=10 + seed,
            steps=50,
        )
    scores[name] = list(
        torch.tensor([score(points[name, seed]) for seed in SEEDS]).T
    )
perfect_points = [draw(perfect, seed=10 + seed, steps=50) for seed in SEEDS]
scores["완벽한 예측"] = list(
    torch.tensor([score(some) for some in perfect_points]).T
)
truth = [
    eight_gaussians(8000, generator=generator(2000 + seed)) for seed in SEEDS
]
scores["진짜 데이터"] = list(torch.tensor([score(some) for some in truth]).T)
record("진짜 데이터/3σ 안", scores["진짜 데이터"][1].mean())
display(
    HTML(
        comparison(
            "시드 셋, 조상 샘플링 50단계",
            ["찾은 봉우리", "3σ 안", "거리의 비"],
            scores,
        )
    )
)

# %% 손실 곡선을 그리는 코드 tags=["setup"]
x0 = eight_gaussians(20_000, generator=generator(3000))
noise = randn(len(x0), 2, generator=generator(3001), device=x0.device)
times = torch.arange(len(x0), device=x0.device) % 200


def perfect_velocity(xt, t):
    epsilon = perfect(xt, t)
    return velocity(
        noise_to_x0(epsilon, xt, t, schedule), epsilon, t, schedule
    )


floor = float(
    denoising_loss(
        perfect_velocity, x0, times, schedule, noise=noise, target="velocity"
    )
)
with panels(height=3.2) as (figure, (axes,)):
    for name, color in zip(networks, (BLUE, ORANGE), strict=True):
        losses = trained[name, 0].losses.cpu().view(-1, 25).mean(1)
        axes.plot(
            25 * torch.arange(len(losses), device="cpu") + 12,
            losses,
            color=color,
            label=name,
            linewidth=1.5,
        )
    axes.axhline(
        floor, color=GREEN, linestyle="--", label=f"완벽한 예측 {floor:.2f}"
    )
    axes.set(xlabel="학습 스텝", ylabel="속도의 제곱 오차")
    axes.legend()
picture(
    figure,
    "학습 스텝마다의 손실(25스텝씩 평균). 두 신경망 모두 완벽한 예측의 손실 "
    f"{floor:.2f} 가까이 내려가 멈춘다.",
)

# %% [markdown]
# 손실은 0으로 가지 않는다. 점선이 완벽한 예측의 손실, 곧 손실의 바닥이고 두 신경망은 그 바로 위에서 멈춘다. 손실의 값만
# 보고는 잘 학습되었는지 알 수 없으므로, 바닥과의 차이를 본다.

# %% 그림을 그리는 코드 tags=["setup"]
groups = {"진짜 데이터": truth[0]} | {
    name: points[name, 0] for name in networks
}
with separate(3, width=2.2, height=2.1) as places:
    for (_, axis), (name, some) in zip(places, groups.items(), strict=True):
        axis.plot(*centres.cpu().T, "o", color=FAINT, markersize=12)
        axis.plot(*some[:200].cpu().T, ".", color=BLUE, markersize=2)
        axis.set(title=name, xlim=(-3, 3), ylim=(-2.8, 2.8), aspect="equal")
pictures = [
    (figure, f"{name}: 표본 200개가 여덟 봉우리에 모두 모여 있다.")
    for (figure, _), name in zip(places, groups, strict=True)
]
display(HTML(side_by_side(pictures)))

# %% [markdown]
# ## 조상 샘플링 50단계면 진짜 데이터에 가깝다 { #steps }
#
# 학습할 때의 시각은 200개지만 샘플링할 때는 건너뛸 수 있다. 표의 칸마다 3σ 안의 비율과 거리의 비를 적었다. 완벽한
# 예측의 행에서는 단계의 수만 결과에 영향을 준다. 신경망의 행이 그보다 나쁜 만큼은 학습이 부족해서 생긴 차이다. 거리의
# 비는 4,000점 한 벌의 값이라, 50단계와 200단계의 차이쯤은 샘플링의 우연으로도 생긴다.

# %%
predictors = {
    name: noise_predictor(trained[name, 0].denoiser) for name in networks
} | {"완벽한 예측": perfect}
COUNTS = (5, 10, 20, 50, 200)
rows, by_steps = {}, {}
for method, korean in (("ancestral", "조상"), ("ddim", "DDIM")):
    for name, predict in predictors.items():
        each = [
            score(draw(predict, 4000, steps=steps, method=method))
            for steps in COUNTS
        ]
        by_steps[method, name] = {
            steps: ratio
            for steps, (_, _, ratio) in zip(COUNTS, each, strict=True)
        }
        rows[f"{korean}, {name}"] = [
            f"{within:.3f}<br><small>{ratio:.2f}</small>"
            for _, within, ratio in each
        ]
show(
    "단계의 수와 표본: 3σ 안의 비율, 거리의 비(작은 글씨)",
    [f"{steps}단계" for steps in COUNTS],
    rows,
)

# %% [markdown]
# ## 속도를 맞히게 하면 첫 단계에서 실패하지 않는다 { #target }
#
# 같은 다층 퍼셉트론을 800 학습 스텝씩, 맞힐 대상만 바꾸어 시드 셋으로 학습한다. 시각마다의 가중치만 달라지는데 결과는
# 크게 다르다. 노이즈를 맞힌 경우에는 다음 셋을 하나씩만 바꾸어 더 본다. 표본은 2,000개씩이다.
#
# - 첫 단계($t = T$)의 예측만 완벽한 예측으로 바꾼다.
# - 단계마다 추정한 데이터 $\hat x_0$를 ±3으로 자른다(`clip=3.0`).
# - 끝에 신호가 더 남는 선형 스케줄로 학습하고 샘플링한다.


# %% tags=["summary"]
def learn(target, seed, schedule=schedule):
    g = generator(seed)
    data = eight_gaussians(50_000, generator=g)
    network = mlp(feature_count(2), 2, generator=g)
    return noise_predictor(
        train(
            network, data, schedule, steps=800, target=target, generator=g
        ).denoiser
    )


def perfect_first(predict, xt, t):
    """첫 단계만 완벽한 예측."""
    return (perfect if int(t[0]) == 199 else predict)(xt, t)


linear = linear_schedule(200)
learnt = {
    target: [learn(target, seed) for seed in SEEDS]
    for target in ("noise", "x0", "velocity")
}
cases = {
    "노이즈 ε": (learnt["noise"], {}),
    "노이즈 ε, 첫 단계만 완벽": (
        [partial(perfect_first, predict) for predict in learnt["noise"]],
        {},
    ),
    "노이즈 ε, x̂₀를 ±3으로": (learnt["noise"], {"clip": 3.0}),
    "노이즈 ε, 선형 스케줄": (
        [learn("noise", seed, linear) for seed in SEEDS],
        {"schedule": linear},
    ),
    "데이터 x₀": (learnt["x0"], {}),
    "속도 v": (learnt["velocity"], {}),
}
walks = {
    f"{korean} {steps}": {"method": method, "steps": steps}
    for method, korean in (("ancestral", "조상"), ("ddim", "DDIM"))
    for steps in (50, 200)
}
by_target = {
    name: {
        walk: torch.tensor(
            [
                score(draw(predict, 2000, seed=7 + seed, **how, **knobs))[1:]
                for seed, predict in enumerate(predictors)
            ]
        ).T
        for walk, how in walks.items()
    }
    for name, (predictors, knobs) in cases.items()
}
for place, caption in enumerate(("3σ 안", "거리의 비")):
    rows = {
        name: [each[place] for each in found.values()]
        for name, found in by_target.items()
    }
    display(HTML(comparison(f"맞힐 것과 {caption}", list(walks), rows)))
print(
    f"끝의 √ᾱ: 코사인 {schedule.alpha_bar[-1].sqrt():.5f}, "
    f"선형 {linear.alpha_bar[-1].sqrt():.5f}"
)

# %% [markdown]
# - **노이즈**를 맞히게 하면 조상 샘플링 200단계에서만 실패하지 않는다. 거리의 비가 50단계의 조상 샘플링에서 12,
#   DDIM에서 130이고, DDIM은 200단계에서도 17이다. 멀리 건너뛸수록, 새 노이즈가 없을수록 나쁘다.
# - 원인은 첫 단계 하나다. 같은 신경망에서 $t = T$의 예측만 완벽한 예측으로 바꾸면, 나머지 단계는 그대로인데도 실패하지
#   않는다. 그 시각에는 예측의 오차를 $\sqrt{\bar\alpha_t}$로 나눈 만큼 $\hat x_0$가 틀리고, 코사인 스케줄의 끝에서 이
#   값은 0.00025다. $\hat x_0$를 데이터가 있을 만한 범위로 자르거나, 끝의 값이 0.00635인 선형 스케줄을 써도 실패하지
#   않는다.
# - **데이터**를 맞히게 하면 3σ 안의 비율은 네 칸 모두 가장 높은데 거리의 비는 2 안팎이다. 지표 하나만 보면 잘못
#   판단한다.
# - **속도**는 네 칸 모두 1에 가깝다. $\sqrt{\bar\alpha_t}$로 나누지 않으므로 스케줄의 끝이 얼마나 작은지에 영향을
#   받지 않는다.
#
# ## 가이던스는 표본을 좁히고 바깥으로 민다 { #guidance }
#
# 어느 봉우리인지를 라벨로 주고, 열에 하나는 라벨을 지우며 학습한다. 한 신경망이 조건을 준 예측과 주지 않은 예측을 함께
# 학습하므로, 샘플링할 때 둘의 차이를 $w$배만큼 더 키울 수 있다. 봉우리마다 250개씩 DDIM 50단계로 샘플링한다. 완벽한
# 예측으로는 오른쪽 봉우리 하나만 샘플링한다. 표의 열은 다음과 같다.
#
# - **옳은 봉우리**: 조건으로 준 봉우리가 가장 가까운 비율
# - **나간 거리**: 원점에서 그 봉우리 쪽으로 간 거리(진짜 2.00)
# - **너비**: 원의 둘레를 따르는 방향의 표준 편차(진짜 0.20)

# %%
g = generator(0)
data = eight_gaussians(50_000, generator=g)
labels = torch.cdist(data, centres).argmin(1)
network = mlp(feature_count(2, num_labels=8), 2, generator=g)
conditional = train(
    network,
    data,
    schedule,
    steps=1000,
    labels=labels,
    num_labels=8,
    generator=g,
).denoiser
asked = torch.arange(8, device=data.device).repeat_interleave(250)
guided, rows, by_guidance = {}, {}, {}
for w in (0.0, 1.0, 2.0, 4.0):
    known = partial(
        mixture_noise, schedule=schedule, means=centres[:1], std=0.2
    )
    exact = draw(
        lambda x, t, w=w, known=known: guide(known(x, t), perfect(x, t), w),
        2000,
        method="ddim",
        steps=50,
    )
    guided[w] = draw(
        noise_predictor(conditional, labels=asked, guidance=w),
        2000,
        method="ddim",
        steps=50,
    )
    for name, some, wanted in (
        ("신경망", guided[w], asked),
        ("완벽한 예측", exact, torch.zeros_like(asked)),
    ):
        right = (torch.cdist(some, centres).argmin(1) == wanted).float().mean()
        out = (some * centres[wanted]).sum(1) / 2
        across = (
            some
            * centres[wanted].flip(1)
            * torch.tensor([-0.5, 0.5], device=some.device)
        ).sum(1)
        cells = (right, mode_coverage(some).within, out.mean(), across.std())
        by_guidance[w, name] = [float(x) for x in cells]
        rows[f"w = {w:g}, {name}"] = [f"{float(x):.3f}" for x in cells]
show("가이던스의 세기", ["옳은 봉우리", "3σ 안", "나간 거리", "너비"], rows)

# %% 그림을 그리는 코드 tags=["setup"]
with panels(height=4.2) as (figure, (axes,)):
    axes.plot(*centres.cpu().T, "o", color=FAINT, markersize=22)
    for w, color in ((0.0, BLUE), (1.0, GREEN), (2.0, ORANGE)):
        axes.plot(
            *guided[w][::16].cpu().T,
            ".",
            color=color,
            markersize=4,
            label=f"w = {w:g}",
        )
    axes.set(xlim=(-3.6, 3.6), ylim=(-3.2, 3.2), aspect="equal")
    axes.legend(loc="center")
picture(
    figure,
    "가이던스의 세기 0, 1, 2의 표본. 세기가 커질수록 고리 바깥으로 밀려나고, "
    "0보다 1과 2가 좁다.",
)

# %% [markdown]
# 봉우리가 서로 떨어져 있어 조건만 주어도 거의 틀리지 않는다. 가이던스를 키우면 표본이 다른 봉우리에서 멀어지는 쪽, 곧
# 고리 바깥으로 밀려난다. 완벽한 예측의 표본은 $w$를 키울수록 좁아진다. 신경망의 표본은 $w = 1$에서 가장 좁았다가 다시
# 퍼지며, 완벽한 예측의 표본보다 멀리 나간다. 그곳에는 학습 데이터가 없어 신경망의 예측을 믿을 수 없다. 또렷해 보이는
# 표본도 $p(x \mid c)$의 표본은 아니다.
#
# ## 결론을 확인한다 { #checks }
#
# 위의 결론 셋을 이 실습에서 잰 수로 확인한다. 하나라도 틀리면 실행이 여기서 멈춘다.

# %%
ratio = {
    (name, walk): float(values[1].mean())
    for name, found in by_target.items()
    for walk, values in found.items()
}
broken, steady = "노이즈 ε", "속도 v"
cures = [name for name in cases if name.startswith(f"{broken}, ")]
assert all(
    ratio[broken, walk] > 5 * ratio[name, walk] and ratio[name, walk] < 2
    for walk in ("조상 50", "DDIM 50")
    for name in (*cures, steady)
), "노이즈는 50단계에서 실패하고, 속도와 세 가지 수정은 실패하지 않는다"
few = by_steps["ancestral", "완벽한 예측"][5]
many = by_steps["ancestral", "다층 퍼셉트론"][50]
assert all([few > 2, many < 1.3]), (
    "5단계는 완벽한 예측에도 모자라고, 50단계는 신경망에도 넉넉하다"
)
width = {w: by_guidance[w, "신경망"][3] for w in (0.0, 1.0)}
inside = by_guidance[4.0, "신경망"][1]
assert all([width[1.0] < width[0.0] / 2, inside < 0.25]), (
    "가이던스는 1까지 좁히고, 4이면 넷에 셋 넘게 3σ 밖으로 내보낸다"
)

# %% [markdown]
# ## 출처
#
# - 세준, 팀 블로그의 2주차 글(2024-07-21). [2회차](../sessions/session-2.md)
# - 식과 함수는 [확산 과정](../diffusion/process.md), [역과정과 샘플링](../diffusion/sampling.md),
#   [학습](../diffusion/training.md)에 있다.
# - Ho, J., Jain, A. & Abbeel, P. (2020). *Denoising Diffusion Probabilistic Models*.
#   [서지](../reference/bibliography.md#ddpm)
# - Ho, J. & Salimans, T. (2022). *Classifier-Free Diffusion Guidance*. [서지](../reference/bibliography.md#cfg)
