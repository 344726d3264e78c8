# ---
# jupyter:
#   level: 중급
#   english:
#     title: "Lab: four GANs on eight modes"
#     summary: >-
#       Four losses, one setting each, ten seeds. No mode is missed. WGAN-GP leaks least between modes but draws them
#       too narrow, the saturating GAN's W₁ does not differ significantly, and the non-saturating GAN shares out the
#       mass worst.
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
# # 실습: 여덟 봉우리 앞의 네 GAN
#
# [GAN과 비평가](../transport/gan.md)에서 본 네 가지 손실을 같은 데이터, 같은 신경망, 같은 학습 스텝 수로 학습하면
# 무엇이 나오나. 와서스타인 GAN이 낫다고들 한다. 작은 데이터 하나에서 세 가지를 묻는다.
#
# 1. 봉우리(mode)를 놓치나. 놓치지 않았다면 표본의 위치와 혼합 비율은 맞나.
# 2. 오래된 방법은 어느 지표에서 나쁘고 어느 지표에서 좋은가.
# 3. 학습하는 동안의 손실을 보고 분포가 얼마나 가까워졌는지 알 수 있나.
#
# ## 결론 셋 { #conclusions }
#
# - 네 방법 모두, 시드(seed) 10개 모두에서 봉우리 여덟을 찾는다([학습](#training)). 모드 붕괴(mode collapse)는 없다.
# - $W_1$은 WGAN-GP가 <data value="labs/gan:W1/WGAN-GP">0.139</data>, 포화하는 GAN이
#   <data value="labs/gan:W1/GAN, 포화">0.149</data>다([학습](#training)). 시드마다 구한 대응 차이(paired difference)는
#   <data value="labs/gan:W1/GAN, 포화 Δ">+0.010 ± 0.027</data>이고, 구간이 0을 포함하므로 차이가 유의하지 않다.
#   포화하지 않는 GAN은 <data value="labs/gan:W1/GAN, 포화하지 않음">0.255</data>로 WGAN-GP보다 유의하게 크다.
# - 손실로 추정한 값은 $W_1$과 함께 오르내린다. 상관의 평균이 WGAN-GP에서
#   <data value="labs/gan:상관/WGAN-GP">0.69</data>, 포화하지 않는 GAN에서
#   <data value="labs/gan:상관/GAN, 포화하지 않음">0.71</data>이다. 그러나 크기는 맞지 않는다.
#   WGAN-GP의 100스텝에서 손실로 추정한 값은 <data value="labs/gan:100스텝/손실">1.256</data>,
#   $W_1$은 <data value="labs/gan:100스텝/W1">0.525</data>다([손실 곡선](#loss-curves)).

# %% [markdown]
# ## 데이터와 지표: 참 분포를 알므로 다섯 가지를 잰다 { #data }
#
# 반지름 2인 고리 위에 표준 편차 0.2인 봉우리가 여덟 개 있다. 참 분포를 알기 때문에 잴 수 있는 지표가 많다.
#
# - **봉우리**: 여덟 가운데 찾은 수. 혼합 비율이 참값의 10분의 1 이상이면 찾았다고 센다.
# - **3σ 안**: 어느 봉우리에서든 3σ 안에 있는 표본의 비율. 참 분포의 표본도 0.989다.
# - **$W_1$**: 새로 뽑은 데이터 2048개와의 정확한 와서스타인 거리. 참 분포의 표본끼리 재도 0이 아니다.
# - **퍼짐**: 봉우리의 3σ 안에 있는 표본의 표준 편차. 그 밖은 세지 않으므로 참 분포도 0.2보다 조금 작은 0.195다. 표본이
#   봉우리 한가운데에 몰리면 작아진다. 봉우리의 수와 3σ 안의 비율로는 이 현상을 알 수 없다.
# - **혼합 비율 오차**: 봉우리마다의 비율이 1/8에서 벗어난 정도.
#
# 표는 시드 10개의 평균 ± 표준 편차다. Δ는 첫 행과의 시드별 대응 차이의 95 % 신뢰 구간이다. 시드마다 데이터를 새로
# 뽑으므로 시드끼리는 독립이다.

# %% 들여오기와 지표 tags=["setup"]
import math

import torch
from IPython.display import HTML, display

from mgk_docs_src.data import eight_gaussians, mode_coverage
from mgk_docs_src.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    separate,
    side_by_side,
)
from mgk_docs_src.labs.gan import peak_shape
from mgk_docs_src.labs.tables import comparison, paired, record
from mgk_docs_src.random import generator
from mgk_docs_src.transport.gan import (
    NON_SATURATING,
    SATURATING,
    generate,
    train_gan,
    wgan_clip,
    wgan_gp,
)
from mgk_docs_src.transport.wasserstein import wasserstein

torch.set_num_threads(1)
SEEDS = range(10)
SIZE = 2048  # 거리를 잴 표본의 수


def draw(n, offset):
    """시드마다 따로 뽑은 데이터."""
    return torch.stack(
        [
            eight_gaussians(n, generator=generator(offset + seed))
            for seed in SEEDS
        ]
    )


def distances(first, second):
    """시드마다의 정확한 W1."""
    return torch.stack(
        [wasserstein(x, y) for x, y in zip(first, second, strict=True)]
    ).cpu()


def measure(samples):
    coverage, shape = mode_coverage(samples), peak_shape(samples)
    return [
        coverage.modes.float().cpu(),
        coverage.within.cpu(),
        distances(samples[:, :SIZE], held_out),
        shape.spread.cpu(),
        shape.imbalance.cpu(),
    ]


data, held_out, another = draw(8192, 0), draw(SIZE, 1000), draw(8192, 2000)

# %% [markdown]
# ## 학습: 네 방법 모두 봉우리를 놓치지 않는다 { #training }
#
# 네 방법은 손실과, 아래에 적은 학습률과 세기만 다르다. 신경망은 너비 64의 층 셋, 생성자 2000스텝에 판별자 6000스텝,
# 배치 128개, 생성자의 가중치는 이동 평균한다. 시드 10개를 한 묶음으로 학습한다.
#
# 학습률과 세기(그래디언트 페널티의 λ, 가중치를 자르는 한계 c)는 방법마다 **하나씩, 손으로** 정했다. 나머지 설정(층,
# 스텝 수, 학습률 스케줄)은 WGAN-GP가 잘되는 설정을 찾아 모두에게 똑같이 썼으므로 이 표는 WGAN-GP에 유리하다. 아래의
# 순서는 이 설정에서의 순서다. 방법마다 학습률과 세기의 격자를 잰 결과는 [GAN과 비평가](../transport/gan.md#tuning)에
# 있다. 가장 나은 설정끼리 놓아도 WGAN-GP와 포화하는 GAN의 차이는 작다.

# %% 네 방법을 학습하는 코드 tags=["setup"]
METHODS = {
    "WGAN-GP": (wgan_gp(0.1), 0.004),
    "WGAN, 자르기": (wgan_clip(0.1), 0.002),
    "GAN, 포화하지 않음": (NON_SATURATING, 0.001),
    "GAN, 포화": (SATURATING, 0.001),
}
gans = {
    name: train_gan(
        data,
        method=method,
        steps=2000,
        learning_rate=rate,
        snapshots=20,
        generators=[generator(100_000 + seed) for seed in SEEDS],
    )
    for name, (method, rate) in METHODS.items()
}
samples = {
    name: generate(
        gan.generator,
        8192,
        generators=[generator(200_000 + seed) for seed in SEEDS],
    )
    for name, gan in gans.items()
}

# %% tags=["summary"]
COLUMNS = ["봉우리 (8)", "3σ 안", "W₁", "퍼짐", "혼합 비율 오차"]
scores = {name: measure(made) for name, made in samples.items()}
scores["참 분포"] = measure(another)
display(
    HTML(
        comparison("여덟 봉우리, 시드 10개", COLUMNS, scores, differences=(2,))
    )
)
for name, (modes, within, distance, *_) in scores.items():
    gap = paired(distance, scores["WGAN-GP"][2])
    record(f"W1/{name}", distance.mean())
    record(f"W1/{name} Δ", gap.difference, gap.high - gap.difference)
    print(
        f"{name}: 봉우리 {modes.min():.0f}–{modes.max():.0f}개, 3σ 안 "
        f"{within.min():.3f}–{within.max():.3f}"
    )
read = (2 * math.log(2) - gans["GAN, 포화"].losses).mean(1)  # (2000)
print(
    f"포화하는 GAN의 2 log 2 − 손실, 시드 평균: 가장 클 때 {read.max():.3f}, "
    f"100스텝 뒤로는 {read[100:].max():.3f} 이하"
)

# %% [markdown]
# 네 방법, 시드 10개 모두 봉우리 여덟을 찾는다. 모드 붕괴를 예상했다면 뜻밖이다.
#
# WGAN-GP는 3σ 안의 비율의 평균이 가장 높다. 곧 봉우리 사이에 내놓는 표본이 가장 적다. 대신 **퍼짐이 가장 작다.**
# 봉우리를 실제보다 좁게 그리고, 좁으면 표본이 3σ 안에 더 잘 든다. 3σ 안의 비율만 보면 이 결함을 장점으로 잘못 읽는다.
#
# 포화하는 GAN과 WGAN-GP의 $W_1$은 유의하게 다르지 않다. 차이의 구간이 0을 포함한다. 기울기가 사라진다는 손실로도 왜
# 학습이 되나. [겹치지 않는 두 분포](../transport/gan.md#disjoint)에서 기울기가 사라지는 조건은 완벽한 판별자였다.
# 판별자가 완벽하면 $2 \log 2$ − 손실이 $2 \log 2 = 1.386$에 머문다. 표 아래에 출력한 값은 처음 한때 거기에 다가갔다가
# 멀어졌다. 포화하는 GAN의 퍼짐은 오히려 WGAN-GP보다 참 분포에 가깝다.
#
# 포화하지 않는 GAN은 **혼합 비율의 오차가 가장 크다.** 퍼짐은 참 분포에 가깝지만 $W_1$도 네 방법 가운데 가장 크다.
# 이 결함은 봉우리의 수만 세어서는 알 수 없다. 가중치를 자른 WGAN은 3σ 안의 비율의 평균이 가장 낮다.

# %% 그림을 그리는 코드 tags=["setup"]
SHOWN = 100
colors = (BLUE, GREEN, ORANGE, PURPLE)
pictures = []
with separate(len(samples), height=3.2) as places:
    for (figure, cell), (name, made), color in zip(
        places, samples.items(), colors, strict=True
    ):
        worst = int(scores[name][2].argmax())
        real, fake = held_out[worst, :SHOWN].cpu(), made[worst, :SHOWN].cpu()
        cell.plot(*real.T, "o", color=FAINT, markersize=3)
        cell.plot(*fake.T, "o", color=color, markersize=2.5, alpha=0.8)
        cell.set(
            title=f"{name}, W₁ = {scores[name][2][worst]:.3f}",
            aspect="equal",
            xlim=(-3, 3),
            ylim=(-3, 3),
        )
        cell.title.set_size(10)
        told = (
            f"{name}: W₁이 가장 큰 시드의 표본 100개(색)와 데이터(회색). "
            f"표본 8192개로 세면 봉우리 {scores[name][0][worst]:.0f}개다."
        )
        pictures.append((figure, told))
display(HTML(side_by_side(pictures)))

# %% [markdown]
# 방법마다 $W_1$이 가장 큰 시드를 그렸다. 표본 8192개로 세면 이 시드에서도 여덟 봉우리에 모두 표본이 있다.
#
# ## 손실 곡선의 방향은 맞고 크기는 틀린다 { #loss-curves }
#
# 비평가의 손실에 음의 부호를 붙이면 $W_1$의 추정값이라고 한다. 판별자의 손실에도 뜻이 있다. 최적의 판별자라면
# $2 \log 2 - L_D = 2\,\mathrm{JS}$다. 100스텝마다, 그동안의 평균 손실과 그때 생성자의 정확한 $W_1$(표본 512개)을
# 비교한다. 처음 100스텝에는 생성자가 빨리 움직이므로, 100스텝의 크기는 바로 앞 10스텝의 손실로 따로 잰다.

# %% 도중의 손실과 거리를 재는 코드 tags=["setup"]
CURVE = 512  # 도중의 거리를 잴 표본의 수
moments = torch.arange(1, 21) * 100


def followed(gan):
    """도중의 생성자마다 두 가지.

    그 무렵 100스텝의 판별자 손실(부호를 바꾼 값)과, 정확한 W1.
    """
    losses = -gan.losses.unflatten(0, (20, 100)).mean(1).cpu()  # (20, S)
    made = [
        generate(
            layers,
            CURVE,
            generators=[generator(300_000 + seed) for seed in SEEDS],
        )
        for layers in gan.trail
    ]
    return losses, torch.stack(
        [distances(one, held_out[:, :CURVE]) for one in made]
    )  # (20, S)


def correlation(first, second):
    """시드마다의 상관 계수."""
    first, second = first - first.mean(0), second - second.mean(0)
    return (first * second).sum(0) / (first.norm(dim=0) * second.norm(dim=0))


curves = {
    name: followed(gans[name]) for name in ("WGAN-GP", "GAN, 포화하지 않음")
}
losses, exact = curves["GAN, 포화하지 않음"]
curves["GAN, 포화하지 않음"] = (
    losses + 2 * math.log(2),
    exact,
)  # 최적의 판별자라면 2 JS다
floor = distances(another[:, :CURVE], held_out[:, :CURVE]).mean()
agreement = {name: correlation(*curve) for name, curve in curves.items()}
early = -gans["WGAN-GP"].losses[90:100].mean(0).cpu()  # 100스텝 바로 앞
record("100스텝/손실", early.mean())
record("100스텝/W1", curves["WGAN-GP"][1][0].mean())
print(f"참 분포의 표본끼리 잰 W1 (표본 {CURVE}개) {floor:.3f}")
for name, (losses, exact) in curves.items():
    r = agreement[name]
    record(f"상관/{name}", r.mean())
    print(
        f"{name}: 손실로 추정한 값과 W1의 상관 {r.mean():.2f} ± "
        f"{r.std():.2f} (가장 낮은 시드 {r.min():.2f})"
    )
    for at in (0, 4, 9, 19):
        print(
            f"    {moments[at]:4d}스텝: 손실로 {losses[at].mean():.3f}, W1 "
            f"{exact[at].mean():.3f}"
        )
print(
    f"WGAN-GP: 91–100스텝의 손실로 {early.mean():.3f}, 100스텝의 W1 "
    f"{curves['WGAN-GP'][1][0].mean():.3f}"
)
gap = paired(agreement["GAN, 포화하지 않음"], agreement["WGAN-GP"])
print(
    f"상관의 차이 {gap.difference:+.2f} ± {gap.high - gap.difference:.2f}, "
    f"유의한 차이 {not gap.tie}"
)

# %% 그림을 그리는 코드 tags=["setup"]
pictures = []
with separate(2, height=2.8) as places:
    for (figure, axis), (name, (losses, exact)) in zip(
        places, curves.items(), strict=True
    ):
        read = "−손실" if name == "WGAN-GP" else "2 log 2 − 손실"
        for values, color, label in (
            (losses, BLUE, read),
            (exact, ORANGE, "정확한 W₁"),
        ):
            mean, sd = values.mean(1), values.std(1)
            low, high = mean - sd, mean + sd
            axis.fill_between(
                moments, low, high, color=color, alpha=0.15, linewidth=0
            )
            axis.plot(moments, mean, color=color, label=label)
        axis.axhline(0, color=INK, linewidth=0.8)
        axis.axhline(floor, color=INK, linewidth=0.8, linestyle=":")
        axis.legend(loc="upper right")
        axis.set(title=name, xlabel="생성자의 학습 스텝")
        told = (
            f"{name}: 스텝에 따른 {read}(손실로 추정한 값)과 정확한 W₁. 둘 다 "
            "내려간다. 점선은 참 분포의 표본끼리 잰 W₁, 띠는 표준 편차다."
        )
        pictures.append((figure, told))
display(HTML(side_by_side(pictures)))

# %% [markdown]
# 비평가의 −손실은 평균으로 $W_1$과 함께 내려간다. 그러나 100스텝에서 이미
# <data value="labs/gan:100스텝/손실">1.256</data>으로, $W_1$ <data value="labs/gan:100스텝/W1">0.525</data>보다 훨씬
# 크다. 비평가가 1-립시츠였다면
# 표본의 변동을 빼고는 $W_1$을 넘을 수 없으니, 그래디언트 페널티가 기울기를 1 이하로 유지하지 못했다는 뜻이다. 학습이
# 끝날 무렵에는 두 값을 비교할 수 없다. 표본이 512개라 참 분포의 표본끼리도 점선만큼 떨어져 있고, $W_1$이 거기까지
# 내려왔기 때문이다.
#
# 판별자의 손실도 $W_1$을 따라간다. 이 데이터에서는 판별자의 손실로 추정한 값과 $W_1$의 상관이 비평가의 상관과 유의하게
# 다르지 않다. 다만 시드에 따라 다르다. 판별자의 상관은 가장 낮은 시드에서 음수다.
# ‘보통의 GAN은 손실을 보아도 모른다’는 말은 판별자가 완벽할 때 맞다. 완벽하면 이 값이
# $2 \log 2 = 1.386$에 머물러 움직이지 않는다. 여기서는 처음 100스텝을 평균해도 거기에 한참 못 미친다.
#
# ## 선택: 무엇을 줄이고 싶은지에 따라 방법이 다르다 { #choosing }
#
# 다음 표는 목적마다 이 실습에서 관찰한 결과다.
#
# | 목적 | 이 실습의 결과 |
# | --- | --- |
# | 봉우리 사이에 표본을 내지 않기 | WGAN-GP. 대신 봉우리가 좁아진다 |
# | 봉우리마다의 혼합 비율을 지키기 | 두 WGAN의 오차가 평균으로 가장 작고, 포화하지 않는 GAN이 가장 크다 |
# | 그래디언트 페널티 없이 비슷한 $W_1$ | 포화하는 GAN. 판별자가 완벽하지 않을 때만 |
# | 겹치지 않는 분포에서 시작하기 | 비평가. [사라지는 기울기](../transport/gan.md#run)를 본다 |
#
# 이 실습으로 알 수 없는 것도 있다. 2차원 데이터 하나에, 설정은 방법마다 하나, 스텝 수도 하나다. 이미지처럼 차원이
# 높으면 두 분포가 처음부터 겹치지 않을 때가 많고, 거기서는 순서가 다를 수 있다. WGAN-GP의 학습 스텝은 기울기를 한 번 더
# 미분하므로 더 비싸다. 같은 스텝 수가 아니라 같은 **시간**을 주었다면 순서가 달라질 수 있다.
#
# ## 결론을 확인한다 { #checks }
#
# 결론의 세 줄이 위에서 잰 값과 맞는지 차례로 확인한다. 어긋나는 줄이 있으면 실습이 여기서 멈춘다.

# %%
w1 = {name: scores[name][2] for name in METHODS}
against = {name: paired(each, w1["WGAN-GP"]) for name, each in w1.items()}
none = torch.zeros(len(SEEDS))
assert all(bool((scores[name][0] == 8).all()) for name in METHODS), (
    "네 방법 모두, 모든 시드에서 봉우리 여덟을 찾는다"
)
assert all(
    (against["GAN, 포화"].tie, against["GAN, 포화하지 않음"].low > 0)
), "포화하는 GAN과 WGAN-GP의 차이는 유의하지 않고, 포화하지 않는 GAN은 더 멀다"
assert all(
    (
        *(paired(r, none).low > 0 for r in agreement.values()),
        paired(early, curves["WGAN-GP"][1][0]).low > 0,
    )
), "손실은 W1과 함께 오르내리지만, 100스텝에서는 W1보다 크다"

# %% [markdown]
# ## 출처
#
# - Goodfellow, I. 외 (2014). *Generative Adversarial Nets*. [서지](../reference/bibliography.md#gan)
# - Arjovsky, M., Chintala, S. & Bottou, L. (2017). *Wasserstein GAN*. [서지](../reference/bibliography.md#wgan)
# - Gulrajani, I. 외 (2017). *Improved Training of Wasserstein GANs*. [서지](../reference/bibliography.md#wgan-gp)
# - Metz, L. 외 (2017). *Unrolled Generative Adversarial Networks*.
# - Heusel, M. 외 (2017). *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium*.
