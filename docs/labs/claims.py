# ---
# jupyter:
#   level: 심화
#   english:
#     title: "Lab: the claims about energy models"
#     summary: >-
#       What an energy tells. Added to a poor base it cuts the KL tenfold. AIS finds log Z in 50 dimensions, but not a
#       mode that its base missed. Differences of energy can be read only where there are data.
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
# # 실습: 장단점을 재다
#
# [5회차](../sessions/session-5.md)의 글은 에너지 기반 모델(energy-based model, EBM)의 장점과 단점을 정리했다. 그
# 가운데에는 서로 어긋나 보이는 설명이 있다. 샘플링은 쉽다고도 느리다고도 하고, 해석은 쉽다고도 어렵다고도 한다. 어느
# 쪽이 언제 맞는지는 측정하면 알 수 있다. 설명마다 작은 실험을 하나씩 하고, 맞는 조건과 맞지 않는 조건을 함께 적는다.
#
# 다음 표는 글의 설명과 이 실습에서 측정하는 값이다. 학습이 안정적인지, 데이터가 많이 드는지는
# [다음 실습](stability.ipynb)에서 측정한다.
#
# | 글의 설명 | 측정하는 값 |
# | --- | --- |
# | 어떤 구조든 되고, 다른 모델과 합칠 수 있다 | 다른 모델에 얹은 뒤의 KL, 오토인코더의 잠재 코드에서 로그 가능도 |
# | 샘플링이 쉽다 ↔ 느리다 | 유효 표본 하나에 드는 기울기 계산의 수 |
# | $Z$를 구할 수 없다 | 답을 아는 문제에서 $\log Z$의 오차 |
# | 평가하기 어렵다 | 같은 데이터에서 네 에너지 함수의 값과 가능도 |
# | 해석하기 쉽다 ↔ 어렵다 | 에너지의 차와 참 로그 비의 상관 |
#
# ## 결론 셋 { #conclusions }
#
# - 데이터에 비해 모자란 기저 분포(base distribution)에 에너지를 얹으면 참 분포와의 쿨백–라이블러 발산(Kullback–Leibler
#   divergence, KL)이 <data value="labs/claims:얹기/가우스 혼합">0.686에서 0.016</data>으로,
#   <data value="labs/claims:얹기/RealNVP">0.712에서 0.052</data> nat로, 10분의 1 아래까지 줄어든다([다른 모델에
#   얹기](#stacking)).
# - 분배 함수(partition function, 정규화 상수) $Z$의 답을 아는 50차원 문제에서, 중요도 샘플링(importance sampling)은
#   $\log Z$를 29 nat 낮게 추정하고 담금질 중요도 샘플링(annealed importance sampling, AIS)의 오차는
#   <data value="labs/claims:AIS/50차원">−0.01 ± 0.18</data> nat다. 기저 분포가 놓친 봉우리(mode)는 AIS의 추정에서도
#   빠지고, 진단에 나타나지 않는다([분배 함수](#partition)).
# - 데이터가 있는 곳에서는 잡음 대조 추정(noise-contrastive estimation, NCE)으로 학습한 에너지가 참 분포와 상관
#   <data value="labs/claims:해석/상관">0.994</data>로 맞는다. 데이터가 없는 고리 한가운데의 로그 확률은 참 분포에서
#   봉우리보다 <data value="labs/claims:해석/한가운데">47.9 nat 낮은데, 학습한 에너지에서는 7.4 nat</data>만
#   낮다([에너지의 해석](#interpretation)).

# %% [markdown]
# ## 밀도를 아는 데이터에서 시드 3개로 측정한다 { #setup }
#
# 데이터는 대개 [여덟 봉우리](gan.ipynb)에서 뽑는다. 밀도를 알기 때문에 참 분포에서 모델까지의 KL을 격자로 계산할 수
# 있다. 표의 값은 시드(seed) 3개의 평균 ± 표준 편차다. Δ는 같은 시드끼리 첫 행과 비교한 대응 차이(paired difference)의
# 95 % 신뢰 구간이다. 시드가 셋이라 구간이 넓다. 설정은 방법마다 몇 가지만 보고 정했으므로, 순위보다 값의 크기가 몇
# 배나 다른지를 읽는다. 설정을 더 공들여 정하고 비교한 표는 [학습법 여덟의 비교](energy.ipynb)에 있다.

# %% 들여오기와 도구 tags=["setup"]
import math
import time
from functools import partial

import torch
from IPython.display import HTML, display
from sklearn.mixture import GaussianMixture

from mgk_docs_src.data import (
    digits,
    eight_gaussians,
    eight_gaussians_centres,
    eight_gaussians_log_density,
    mode_coverage,
)
from mgk_docs_src.energy.models import (
    boltzmann,
    evaluate,
    grid,
    log_density,
    log_partition,
    negative_log_likelihood,
)
from mgk_docs_src.energy.samplers import (
    effective_sample_size,
    hmc_step,
    init,
    sample,
)
from mgk_docs_src.energy.training import (
    create,
    energy_of,
    grid_divergence,
    noise_contrastive,
    score_matching,
    train,
)
from mgk_docs_src.labs.claims import (
    annealed_importance_sampling,
    coupling_flow,
    fit_line,
    flow_log_density,
    flow_sample,
    importance_estimate,
    neighbour_accuracy,
    peaks,
    tilt,
    train_autoencoder,
    train_flow,
)
from mgk_docs_src.labs.energy import normal_log_density
from mgk_docs_src.labs.gan import peak_shape
from mgk_docs_src.labs.tables import comparison, record
from mgk_docs_src.networks import forward
from mgk_docs_src.random import generator, rand, randint, randn, randperm

torch.set_num_threads(1)
SEEDS = range(3)
MESH = grid(-6.0, 6.0, 128)
TRUTH = eight_gaussians_log_density(MESH.points)


def generators(offset):
    return [generator(offset + seed) for seed in SEEDS]


def draw(n, own):
    """시드마다 따로 뽑은 여덟 봉우리의 점."""
    return torch.stack([eight_gaussians(n, generator=g) for g in own])


def divergence(energy, count=3):
    """참 분포에서 모델까지의 KL. 격자로 정규화한다."""
    with torch.no_grad():
        return grid_divergence(
            TRUTH, -energy(MESH.points.expand(count, -1, -1))
        )


def timed(call):
    start = time.process_time()
    return call(), time.process_time() - start


# %% [markdown]
# ## 모자란 기저 분포에 에너지를 얹으면 KL이 10분의 1 아래로 줄어든다 { #stacking }
#
# 에너지는 점마다 스칼라 하나만 내면 된다. 그래서 이미 있는 밀도 모델 $q$에 얹을 수 있다. 얹은 모델의 밀도는 $q$에
# $e^{-E}$를 곱하고 다시 정규화한 함수다.
#
# $$p(x) = \frac{q(x)\, e^{-E(x)}}{Z}, \qquad Z = \mathbb{E}_{x \sim q}\bigl[ e^{-E(x)} \bigr]$$
#
# $E(x)$가 $-\log Z$보다 작은 곳에서는 밀도가 $q$보다 커지고, 큰 곳에서는 작아진다. $E$가 상수이면 $p$는 $q$와 같다.
#
# 일부러 데이터에 비해 모자란 기저 분포를 둘 준비한다. 하나는 봉우리가 여덟인 데이터에 성분이 넷뿐인 가우스
# 혼합(Gaussian mixture)이다. 다른 하나는 작은 정규 흐름(normalizing flow)인 RealNVP다. 정규 흐름은 공간을 연속으로
# 늘이고 밀기만 하므로, 떨어진 봉우리 사이에 확률이 가느다란 띠로 남는다.
#
# 얹을 에너지는 [잡음 대조 추정](../energy/training.md#nce)으로 학습한다. 기저 분포에서는 표본을 바로 뽑을 수 있으므로
# 그 표본을 NCE의 노이즈로 쓴다. 그러면 데이터와 기저 분포의 표본을 구별하는 분류기의 로짓(logit)이 $-E(x) - \log Z$가
# 된다.


# %% 기저 분포를 맞추고 에너지를 얹는 코드 tags=["setup", "summary"]
def stacked(mixtures, name):
    return torch.stack(
        [
            torch.as_tensor(getattr(one, name), dtype=torch.float32)
            for one in mixtures
        ]
    )


def mixture_log_density(mixtures):
    """시드마다 맞춘 가우스 혼합들의 로그 밀도를 한 번에."""
    means, factors, weights = (
        stacked(mixtures, name)
        for name in ("means_", "precisions_cholesky_", "weights_")
    )
    constant = (
        factors.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        + weights.log()
        - math.log(2 * math.pi)
    )  # (s, k)

    def log_density(x):
        z = (
            (x[:, :, None, :] - means[:, None]).unsqueeze(-2)
            @ factors[:, None]
        ).squeeze(-2)  # (s, n, k, 2)
        return (constant[:, None] - z.square().sum(-1) / 2).logsumexp(-1)

    return log_density


def mixture_sample(mixtures, n):
    return torch.stack(
        [
            torch.as_tensor(one.sample(n)[0], dtype=torch.float32)
            for one in mixtures
        ]
    )


def learn_tilt(log_base, pool, steps=500):
    """기저 분포의 표본 `pool`을 노이즈로, 얹을 에너지를 NCE로 학습한다."""
    own, rows = generators(200), generator(250)

    def objective(model, chains):
        noise = pool[:, randint(0, pool.shape[1], (256,), generator=rows)]
        energy = tilt(log_base, energy_of(model))
        return noise_contrastive(
            energy,
            model.log_partition,
            draw(256, own),
            noise,
            log_noise=log_base,
        ), chains

    model = create(2, generators(210), hidden=(64, 64), radius=4.0)
    return energy_of(
        train(objective, model, steps=steps, learning_rate=0.005).model
    )


mixtures, mixture_seconds = timed(
    lambda: [
        GaussianMixture(4, random_state=seed, n_init=3).fit(
            x.double().cpu().numpy()
        )
        for seed, x in zip(SEEDS, draw(2000, generators(0)), strict=True)
    ]
)
stream = generators(100)
flow, flow_seconds = timed(
    lambda: train_flow(
        coupling_flow(generators(50), layers=6, width=32),
        lambda: draw(256, stream),
        steps=500,
    )
)
bases = {
    "가우스 4개의 혼합": (
        mixture_log_density(mixtures),
        mixture_sample(mixtures, 20_000),
    ),
    "RealNVP": (
        partial(flow_log_density, flow),
        flow_sample(flow, 20_000, generator=generator(7)),
    ),
}
rows, gains = {}, {}
for name, (log_base, pool) in bases.items():
    extra = learn_tilt(log_base, pool)
    energy = tilt(log_base, extra)
    exact = log_partition(energy, MESH, batch=(len(SEEDS),)).detach()
    guess = importance_estimate(-evaluate(extra, pool))
    before = divergence(tilt(log_base, lambda x: x.new_zeros(x.shape[:-1])))
    after = divergence(energy)
    gains[name] = before / after
    record(
        f"얹기/{name.replace('가우스 4개의 혼합', '가우스 혼합')}",
        before.mean(),
        after.mean(),
    )
    rows[name] = [
        before,
        after,
        exact,
        guess.log_partition - exact,
        guess.effective,
    ]
columns = [
    "기저 분포의 KL",
    "얹은 뒤의 KL",
    "log Z (격자)",
    "표본으로 추정한 log Z의 오차",
    "유효 표본의 비율",
]
display(
    HTML(comparison("에너지를 얹기 전과 뒤, 시드 3개 (nat)", columns, rows))
)

# %% [markdown]
# 두 기저 분포 모두 KL이 10분의 1 아래로 줄어든다. 얹은 에너지는 구조가 같은 작은 신경망 하나다. 기저 분포가 데이터를
# 덮고 있으면 $Z$를 구하는 일도 어렵지 않다. 유효 표본(effective sample)의 비율은 표본의 가중치(weight)가 모두 같으면
# 1이고, 가중치 하나가 나머지를 압도하면 0에 가깝다. 표본 2만 개에서 이 비율이 0.4쯤이고, 표본으로 추정한 $\log Z$는
# 격자로 계산한 값에서 0.02쯤 안에 있다.
#
# 이 데이터에는 성분이 여덟인 가우스 혼합이면 충분하다. [데이터의 수를 바꾼 표](stability.ipynb#amount)에서 데이터
# 300개부터 그 혼합의 로그 가능도가 가장 높다. 에너지는 알맞은 분포의 형태를 모를 때 필요하다. 얹으면 잃는 성질도 있다.
# 기저 분포는 $Z = 1$이고 표본을 한 번에 뽑을 수 있지만, 얹은 모델은 둘 다 아니다.
#
# ### 오토인코더의 잠재 코드에서는 더 낫다는 증거가 없다 { #codes }
#
# 실제 데이터도 본다. 64화소인 숫자 이미지를 오토인코더(autoencoder)로 2차원 잠재 코드(latent code)로 줄이고, 코드의
# 밀도를 에너지로 학습한다. 코드가 2차원이므로 격자로 $Z$를 정확히 계산하는 최대 가능도(maximum likelihood)를 쓴다.
# 1200장으로 학습하고 나머지 597장으로 평가한다.
#
# 처음에는 NCE로 학습했다. 597장에서 시드에 따라 가우스 분포 하나보다도 낮은 가능도를 본 뒤에 방법을 바꾸었으므로,
# 아래의 표는 EBM에 유리하다. 혼합의 성분 10개는 숫자가 열 가지라서 정했다. 데이터의 분할(split)은 하나이고 시드는
# 신경망의 초기 가중치를 바꾸므로, 신뢰 구간은 그 변동만 나타낸다.

# %% 오토인코더와 잠재 코드의 밀도를 학습하는 코드 tags=["setup"]
pixels = digits().features[randperm(1797, generator=generator(0))]
autoencoder = train_autoencoder(
    pixels[:1200], steps=600, generators=generators(0)
)
codes = forward(autoencoder.encoder, pixels.expand(len(SEEDS), -1, -1))
codes = (codes - codes[:, :1200].mean(1, keepdim=True)) / codes[:, :1200].std(
    1, keepdim=True
)
learn, held = codes[:, :1200], codes[:, 1200:]
LATENT = grid(-6.0, 6.0, 128)
fitted = {
    k: [
        GaussianMixture(k, random_state=0, n_init=2).fit(x.cpu().numpy())
        for x in learn
    ]
    for k in (1, 10)
}
mixed = mixture_log_density(fitted[10])


def learn_codes(log_base, steps, rate):
    """잠재 코드의 밀도를 격자의 정확한 최대 가능도로 학습한다."""
    stream = generator(300)

    def objective(model, chains):
        x = learn[:, randint(0, 1200, (256,), generator=stream)]
        return negative_log_likelihood(
            tilt(log_base, energy_of(model)), x, grid(-4.0, 4.0, 48)
        ), chains

    model = create(2, generators(310), hidden=(32, 32), radius=2.0)
    return tilt(
        log_base,
        energy_of(
            train(objective, model, steps=steps, learning_rate=rate).model
        ),
    )


latent_energy = learn_codes(lambda x: x.new_zeros(x.shape[:-1]), 400, 0.01)
both = learn_codes(
    lambda x: mixed(x) + x.square().sum(-1) / 8, 150, 0.003
)  # 에너지의 가둠 항을 지우고 혼합에서 시작한다
scores = {
    "EBM": [log_density(latent_energy, held, LATENT).mean(-1).detach()],
    "가우스 분포 하나": [mixture_log_density(fitted[1])(held).mean(-1)],
    "가우스 10개의 혼합": [mixed(held).mean(-1)],
    "혼합 위에 얹은 EBM": [log_density(both, held, LATENT).mean(-1).detach()],
}
left = pixels[1200:]
rebuilt = forward(
    autoencoder.decoder,
    forward(autoencoder.encoder, left.expand(len(SEEDS), -1, -1)),
)
error, plain = (
    (left - guess).square().sum(-1).mean()
    for guess in (rebuilt, pixels[:1200].mean(0))
)
print(
    f"이미지 하나의 복원 오차 {error:.2f} "
    f"(언제나 평균 이미지를 내면 {plain:.2f})"
)
display(
    HTML(
        comparison(
            "숫자의 2차원 잠재 코드, 학습에 쓰지 않은 597장",
            ["로그 가능도 (nat)"],
            scores,
            differences=(0,),
        )
    )
)

# %% [markdown]
# 다른 모델과 합칠 수는 있지만, 합쳐서 더 낫다는 증거는 여기에 없다. EBM의 로그 가능도는 가우스 분포 하나보다 높고,
# 평균은 성분이 10개인 가우스 혼합보다 낮다. 혼합과의 차이는 시드 셋의 신뢰 구간이 0을 포함하므로 유의하지 않다. 혼합
# 위에 얹어도 얻는 것이 거의 없다. 오토인코더도 2차원으로는 복원 오차를 절반밖에 줄이지 못한다. 그러므로 잠재 코드의
# 밀도를 이미지의 밀도로 읽을 수 없다.
#
# ## 샘플링은 식이 짧지만 계산이 많이 든다 { #sampling }
#
# 식은 짧다. [해밀토니안 몬테카를로](../energy/samplers.md#hmc)(Hamiltonian Monte Carlo, HMC)는 기울기만 있으면 어느
# 에너지에서나 쓸 수 있다. 계산이 얼마나 드는지를 측정한다. 학습한 에너지 위에서 마르코프 체인(Markov chain, 이하
# 체인) 32개를 데이터에서 시작해 움직인다. 한 체인의 이웃한 표본은 서로 상관되어 있다. 그 표본들이 독립인 표본 몇 개와
# 맞먹는지를 **유효 표본**의 수라 하고, 기울기를 계산한 횟수를 이 수로 나눈다.
#
# 손으로 먼저 계산해 보자. 체인 32개가 200스텝을 움직이고 스텝마다 기울기를 5번 계산하면 모두 32000번이다. 유효 표본이
# 100개라면 하나에 320번이 든 셈이다.
#
# 스텝 크기(step size)는 채택률(acceptance rate)을 보고 정했다. 학습에 드는 시간도 함께 적는다. 시간은 기계마다
# 다르므로 비율만 읽는다.

# %% 학습하고 샘플링하는 코드 tags=["setup"]
own, noise_stream = generators(500), generator(507)


def contrast(model, chains):
    noise = 2 * randn(len(SEEDS), 256, 2, generator=noise_stream)
    return noise_contrastive(
        energy_of(model),
        model.log_partition,
        draw(256, own),
        noise,
        log_noise=partial(normal_log_density, std=2.0),
    ), chains


def match(model, chains):
    return score_matching(energy_of(model), draw(256, own)), chains


trained = {}
for name, objective, rate in (
    ("NCE", contrast, 0.02),
    ("스코어 매칭", match, 0.01),
):
    start = create(2, generators(10), radius=2.0)
    trained[name], seconds = timed(
        partial(train, objective, start, steps=500, learning_rate=rate)
    )
    print(f"{name}: 시드 셋을 함께 학습하는 데 {seconds:.1f}초")
print(
    f"RealNVP: {flow_seconds:.1f}초, 가우스 혼합(데이터 2000개): "
    f"{mixture_seconds:.1f}초"
)
energies = {name: energy_of(result.model) for name, result in trained.items()}

CHAINS, DRAWS, LEAPS = 32, 200, 5
rows = {}
for name, energy, start, size in (
    ("여덟 봉우리의 EBM", energies["NCE"], draw(CHAINS, generators(900)), 0.2),
    ("잠재 코드의 EBM", latent_energy, learn[:, :CHAINS], 0.15),
):
    walk = partial(
        hmc_step,
        energy,
        step_size=size,
        steps=LEAPS,
        jitter=0.2,
        generator=generator(3),
    )
    draws, seconds = timed(
        partial(sample, walk, init(energy, start), DRAWS, burn=20)
    )
    effective = torch.stack(
        [
            effective_sample_size(
                torch.cat([x, x**2], -1), method="mean"
            ).amin()
            for x in draws.positions.unbind(1)
        ]
    )
    gradients = CHAINS * DRAWS * LEAPS / effective
    record(f"유효 표본 하나에 드는 기울기/{name}", gradients.mean())
    rows[name] = [
        draws.info.accepted.float().mean((0, 2)),
        effective,
        gradients,
    ]
    print(
        f"{name}: 유효 표본 1000개에 {1000 * seconds / effective.sum():.2f}초"
    )
made, seconds = timed(
    lambda: flow_sample(flow, 10_000, generator=generator(1))
)
print(f"RealNVP: 독립 표본 1000개에 {seconds / 30:.5f}초")
display(
    HTML(
        comparison(
            "HMC: 체인 32개, 200스텝",
            ["채택률", "유효 표본", "유효 표본 하나에 드는 기울기"],
            rows,
        )
    )
)

# %% [markdown]
# 여덟 봉우리에서는 유효 표본의 수가 체인의 수와 거의 같다. 체인이 처음에 있던 봉우리를 떠나지 못했다는 뜻이다.
# 200스텝을 움직인 체인 하나에 독립인 표본 하나만큼의 정보밖에 없다. 유효 표본 하나에 기울기를 900번쯤 계산하고, 같은
# 기계에서 정규 흐름보다 천 배 넘게 느리다. 봉우리가 덜 떨어진 잠재 코드에서는 몇 배 낫지만 그래도 평균 200번쯤 든다.
# 시드에 따른 변동도 크다. 스텝 크기를 하나로 고정해서 채택률도 시드마다 크게 다르다.
#
# 학습에 드는 시간은 다르다. 시드 셋을 함께 500 학습 스텝(training step)씩 학습하면, NCE와 정규 흐름에 드는 시간은
# 자릿수가 같고 KL은 NCE가 훨씬 낮다. 글이 말한 ‘높은 계산 비용’은 샘플링할 때, 그리고 학습하면서 체인을 움직이는
# 방법에서 맞는 말이다. 다만 가우스 혼합은 대개 그보다도 적게 든다.
#
# ## 분배 함수는 AIS로 50차원에서도 추정할 수 있다 { #partition }
#
# 봉우리가 둘인 혼합에서는 몇 차원에서나 분배 함수의 답을 안다. 봉우리의 너비를 $s$라 하면 답은 다음과 같다.
#
# $$\log Z = \frac{d}{2} \log(2 \pi s^2)$$
#
# $s = 0.5$로 두고 2차원에서 손으로 계산하면 $2 \pi s^2 \approx 1.57$이므로 $\log Z \approx 0.45$다. 기저 분포는 너비
# 1.5인 가우스 분포다. 세 방법으로 이 답을 추정한다.
#
# - **격자**: 칸의 수가 $40^d$다.
# - **중요도 샘플링**(importance sampling): 기저 분포에서 5만 개를 뽑아 가중치를 평균한다.
# - **담금질 중요도 샘플링**(annealed importance sampling, AIS): 표본 200개를 기저 분포에서 목표 분포까지 여러 단계에
#   걸쳐 HMC로 옮기며 가중치를 모은다. 50단계이면 기울기를 계산하는 횟수가 중요도 샘플링에서 에너지를 계산하는 횟수와
#   비슷하다.

# %%
PARTICLES, REPEATS, BASE = 200, 16, 1.5
rows, effective = {}, {}
for dims in (2, 10, 50):
    truth = dims / 2 * math.log(2 * math.pi * 0.25)
    for stages in (10, 50, 200):
        start = BASE * randn(REPEATS, PARTICLES, dims, generator=generator(1))
        result = annealed_importance_sampling(
            peaks,
            partial(normal_log_density, std=BASE),
            start,
            stages=stages,
            step_size=0.25,
            generator=generator(2),
        )
        guess = importance_estimate(result.log_weights)
        right = (
            result.log_weights.softmax(-1) * (result.position[..., 0] > 0)
        ).sum(-1)
        if (dims, stages) == (50, 200):
            spread = guess.log_partition - truth
            record("AIS/50차원", spread.mean(), spread.std())
            print(
                "50차원, AIS 200단계: 오른쪽 봉우리의 혼합 비율 "
                f"{right.mean():.3f}, 표준 오차 "
                f"{right.std() / REPEATS**0.5:.3f}, 가중치 없이 세면 "
                f"{(result.position[..., 0] > 0).double().mean():.3f}"
            )
        rows[f"{dims}차원, AIS {stages}단계"] = [
            guess.log_partition - truth,
            guess.effective,
            right,
        ]
    start = BASE * randn(
        REPEATS, PARTICLES * 250, dims, generator=generator(1)
    )
    log_weights = -peaks(start) - normal_log_density(start, std=BASE)
    guess, right = (
        importance_estimate(log_weights),
        (log_weights.softmax(-1) * (start[..., 0] > 0)).sum(-1),
    )
    print(
        f"{dims}차원, 중요도 샘플링: {start.shape[1]}개 가운데 유효 표본 "
        f"{start.shape[1] * guess.effective.mean():.1f}개"
    )
    plain_spread = guess.log_partition - truth
    rows[f"{dims}차원, 중요도 샘플링"] = [
        plain_spread,
        guess.effective,
        right,
    ]
display(
    HTML(
        comparison(
            "log Z의 오차, 16번 반복",
            [
                "오차 (nat)",
                "유효 표본의 비율",
                "오른쪽 봉우리의 혼합 비율 (0.7)",
            ],
            rows,
        )
    )
)
for dims in (2, 3, 4, 10, 50):
    print(f"{dims}차원의 격자: 축마다 40칸이면 {40.0**dims:.3g}칸")

far = partial(peaks, distance=4.0)
centre = torch.tensor([4.0, 0.0])
base = partial(normal_log_density, std=0.6)
start = centre + 0.6 * randn(REPEATS, PARTICLES, 2, generator=generator(1))
result = annealed_importance_sampling(
    far,
    lambda x: base(x - centre),
    start,
    stages=200,
    step_size=0.25,
    generator=generator(2),
)
guess = importance_estimate(result.log_weights)
error = guess.log_partition - math.log(2 * math.pi * 0.25)
print(
    f"한 봉우리만 덮는 기저 분포: 오차 {error.mean():.3f} ± {error.std():.3f} "
    f"(log 0.7 = {math.log(0.7):.3f}), "
    f"유효 표본의 비율 {guess.effective.mean():.2f}"
)

# %% [markdown]
# $Z$를 구할 수 있는지는 방법에 달렸다. 격자는 4차원만 되어도 칸이 256만 개이고 10차원이면 불가능하다. 중요도 샘플링은
# 10차원까지 쓸 만하지만, 5만 개 가운데 스무 개쯤만 추정에 기여하고 50차원에서는 29 nat만큼 틀린다. AIS는 200단계를
# 거치면 50차원에서도 오차의 평균이 0.01 nat 안이고 표준 편차가 0.2 nat에 못 미친다.
#
# AIS도 실패할 때가 있다. 단계가 모자라면(50차원, 10단계) 몇 nat씩 낮게 추정하고, 반복할 때마다 결과가 다르다.
# 200단계에서 오른쪽 봉우리의 혼합 비율은 평균으로는 0.7과 맞지만 반복마다 0.08쯤 흔들린다. 가중치 없이 세면 평균부터
# 0.7에 못 미친다. $\log Z$가 맞아도 표본 한 벌이 참 혼합 비율대로 놓였다고 볼 수는 없다.
#
# 더 위험한 결과는 출력의 마지막 줄에 있다. 기저 분포가 한 봉우리만 덮으면 다른 봉우리를 통째로 놓쳐 $\log 0.7$만큼
# 틀린다. 그런데도 반복한 결과가 서로 잘 맞고 유효 표본의 비율도 1에 가깝다. **체인이 가지 않은 곳은 표본으로 만든
# 진단에 나타나지 않는다.**
#
# ## 에너지의 값만으로는 모델을 평가할 수 없다 { #evaluation }
#
# 같은 데이터에서 네 에너지 함수를 비교한다. NCE로 학습한 에너지, 거기서 10을 뺀 에너지, 반으로 나눈 에너지, 스코어
# 매칭(score matching)으로 학습한 에너지다. 에너지를 반으로 나누면 온도를 두 배로 올린 것과 같다. 2차원이므로 가능도는
# 격자로 정확히 계산하고, 표본도 체인 없이 격자에서 뽑는다. 표본을 보는 지표는 셋이다.
#
# - **이웃 검정**(nearest-neighbour test): 모델의 표본과 데이터를 섞고, 가장 가까운 점이 같은 쪽에서 온 비율을 센다.
#   구별할 수 없으면 0.5다.
# - **3σ 안**: 봉우리에서 3σ 안에 든 표본의 비율이다.
# - **혼합 비율 오차**: 봉우리마다의 비율이 서로 같은 비율에서 벗어난 정도다. 표본이 1000개라 참 분포에서 뽑아도 0이
#   되지 않는다. 뒤의 두 지표는 [GAN 실습](gan.ipynb)과 같다.

# %%
fresh_data, other_data = (
    draw(1000, generators(3000)),
    draw(1000, generators(4000)),
)


def cells(energy, n, noise):
    """격자로 뽑은 표본: 칸은 확률대로, 칸 안에서는 균등하게 뽑는다."""
    p = boltzmann(evaluate(energy, MESH.points.expand(len(SEEDS), -1, -1)))
    picked = torch.searchsorted(
        p.cumsum(-1), rand(len(SEEDS), n, generator=noise)
    ).clamp(max=p.shape[-1] - 1)
    return MESH.points[picked] + MESH.cell**0.5 * (
        rand(len(SEEDS), n, 2, generator=noise) - 0.5
    )


def judge(samples):
    nearest = [
        neighbour_accuracy(made, real)
        for made, real in zip(samples, other_data, strict=True)
    ]
    return [
        torch.stack(nearest),
        mode_coverage(samples).within,
        peak_shape(samples).imbalance,
    ]


nce = energies["NCE"]
models = {
    "NCE": nce,
    "NCE의 에너지 − 10": lambda x: nce(x) - 10,
    "NCE의 에너지 ÷ 2": lambda x: nce(x) / 2,
    "스코어 매칭": energies["스코어 매칭"],
}
rows = {}
for name, energy in models.items():
    likelihood = log_density(energy, fresh_data, MESH).mean(-1).detach()
    rows[name] = [
        evaluate(energy, fresh_data).mean(-1),
        likelihood,
        *judge(cells(energy, 1000, generator(8))),
    ]
rows["참 분포"] = [
    None,
    eight_gaussians_log_density(fresh_data).mean(-1),
    *judge(fresh_data),
]
columns = [
    "데이터의 평균 에너지",
    "로그 가능도 (nat)",
    "이웃 검정",
    "3σ 안",
    "혼합 비율 오차",
]
display(HTML(comparison("같은 데이터에서 네 에너지, 시드 3개", columns, rows)))

# %% [markdown]
# 데이터의 에너지가 낮은 순서는 모델이 좋은 순서와 다르다. 10을 빼면 에너지는 크게 낮아지지만 다른 열은 하나도 바뀌지
# 않는다. 반으로 나누면 데이터의 에너지가 낮아지는데 가능도는 나빠진다. 모든 곳의 에너지가 함께 낮아져 $Z$가 커졌기
# 때문이다. 스코어 매칭의 에너지도 훨씬 낮다. 이 방법은 에너지에 더해진 상수를 정하지 않으므로 값의 크기에 뜻이 없고,
# 가능도는 NCE보다 낮다.
#
# 모델이 좋은지는 다른 지표로 알 수 있다. 가능도를 계산하려면 $Z$를 알아야 하고, 나머지 지표에는 좋은 표본이 있어야
# 한다. 2차원에서는 둘 다 쉽게 얻었다. 차원이 높으면 앞 절의 AIS와 체인이 필요하므로, 평가가 어렵다는 말은 맞다.
# 지표마다 드러내는 결함도 다르다. 스코어 매칭의 결함은 혼합 비율 오차에, 온도를 올린 에너지의 결함은 3σ 안의 비율에
# 나타난다. 이웃 검정에는 둘 다 조금씩만 나타난다.
#
# ## 에너지의 차는 데이터가 있는 곳에서만 읽을 수 있다 { #interpretation }
#
# 에너지의 차에는 뜻이 있다. 두 점의 에너지 차는 두 확률의 로그 비다.
#
# $$E(a) - E(b) = \log \frac{p(b)}{p(a)}$$
#
# 예를 들어 차가 2이면 $b$의 확률이 $a$의 $e^2 \approx 7.4$배다. 학습한 에너지가 참 분포와 맞는지 데이터가 있는 곳에서
# 확인한다. 가로에 $\log p$, 세로에 $-E$를 놓고 직선을 맞추어 기울기(slope)와 상관(correlation)을 구한다. 에너지가
# 맞으면 둘 다 1이다. 이어서 여덟 봉우리의 중심에서 로그 확률이 서로 얼마나 다른지 표준 편차로 본다. 참 분포에서는
# 0이다. 끝으로 다른 위치의 로그 확률이 봉우리보다 얼마나 낮은지를 참 분포와 나란히 놓는다.

# %%
angle = torch.arange(8) * math.pi / 4
centres = eight_gaussians_centres()
spots = {
    "봉우리": centres,
    "봉우리 사이": 2
    * torch.stack(
        [(angle + math.pi / 8).cos(), (angle + math.pi / 8).sin()], 1
    ),
}
spots |= {"한가운데": torch.zeros(1, 2), "반지름 4": 2 * centres}


def relative(values):
    """봉우리의 평균 로그 확률을 뺀 로그 확률."""
    return {
        name: value - values["봉우리"].mean(-1, keepdim=True)
        for name, value in values.items()
    }


truth = relative(
    {name: eight_gaussians_log_density(x)[None] for name, x in spots.items()}
)
rows, shown, lines = {}, {}, {}
for name, energy in energies.items():
    line = fit_line(
        eight_gaussians_log_density(fresh_data), -evaluate(energy, fresh_data)
    )
    values = relative(
        {
            spot: -evaluate(energy, x.expand(len(SEEDS), -1, -1))
            for spot, x in spots.items()
        }
    )
    shown[name] = values
    lines[name] = line
    rows[name] = [line.slope, line.correlation, values["봉우리"].std(-1)]
    rows[name] += [
        values[spot].mean(-1)
        for spot in ("봉우리 사이", "한가운데", "반지름 4")
    ]
rows["참 분포"] = [torch.ones(3), torch.ones(3), torch.zeros(3)]
rows["참 분포"] += [
    truth[spot].mean(-1).expand(3)
    for spot in ("봉우리 사이", "한가운데", "반지름 4")
]
columns = [
    "기울기",
    "상관",
    "봉우리끼리의 차이",
    "봉우리 사이",
    "한가운데",
    "반지름 4",
]
display(HTML(comparison("에너지의 차와 참 로그 비, 시드 3개", columns, rows)))
record("해석/상관", lines["NCE"].correlation.mean())
record(
    "해석/한가운데",
    -truth["한가운데"].mean(),
    -shown["NCE"]["한가운데"].mean(),
)

# %% [markdown]
# 데이터가 있는 곳에서는 에너지를 읽을 수 있다. NCE의 에너지는 참 로그 비와 상관이 0.99이고 기울기도 1에서 6 % 안이다.
#
# 데이터가 없는 곳에서는 읽을 수 없다. 고리 한가운데의 로그 확률은 참 분포에서 봉우리보다 48 nat 낮은데, 학습한
# 에너지에서는 열 nat도 낮지 않다. 반지름 4에서도 참 분포에서는 50, 학습한 에너지에서는 13쯤 낮다. 그곳에는 데이터가
# 없으므로 ‘아주 낮다’까지만 학습한다. 얼마나 낮은지는 손실에 거의 영향을 주지 않으므로, 그 값은 신경망의 구조와 가둠
# 항(confining term)이 결정한다. 가둠 항은 먼 곳의 에너지를 높이려고 신경망의 출력에 더하는
# $\lVert x \rVert^2 / 2 \rho^2$이다.
#
# 더 위험한 점은 **시드끼리 결과가 잘 맞는다는 데** 있다. NCE의 한가운데 값은 시드 사이의 표준 편차가 0.1이다. 같은
# 값으로 함께 틀리므로, 여러 번 학습해 비교해도 오류를 알 수 없다.
#
# 봉우리끼리의 높이는 학습한 방법에 달렸다. 스코어 매칭은 봉우리 안의 모양은 맞히지만 봉우리끼리의 차이가 NCE의 네
# 배쯤이다. 확률이 낮은 길을 건너 두 봉우리의 높이를 비교할 데이터가 없기 때문이다. 해석이 쉽다는 말도 어렵다는 말도,
# **어디에서 어떤 방법으로 학습한** 에너지인지를 함께 말해야 맞다.
#
# ## 장단점마다 맞는 조건이 있다 { #takeaways }
#
# 다음 표는 글의 설명이 맞는 조건과 맞지 않는 조건이다.
#
# | 글의 설명 | 맞는 조건 | 맞지 않는 조건 |
# | --- | --- | --- |
# | 다른 모델과 합칠 수 있다 | 기저 분포가 모자랄 때. KL이 10분의 1 아래 | 알맞은 혼합이 있을 때. 낫다는 증거가 없다 |
# | 샘플링이 쉽다 | 식이 짧고 기울기만 있으면 된다 | 봉우리가 떨어져 있을 때. 정규 흐름보다 천 배 넘게 느리다 |
# | $Z$를 구할 수 없다 | 격자, 높은 차원의 중요도 샘플링 | AIS. 단, 기저 분포가 놓친 봉우리는 알 수 없다 |
# | 평가하기 어렵다 | 에너지의 크기만 볼 때 | 가능도나 표본을 얻을 수 있을 때. 다른 모델과 같다 |
# | 해석하기 쉽다 | 데이터가 있는 곳에서의 차 | 데이터가 없는 곳, 스코어 매칭의 봉우리 사이 |
#
# 이 실습에는 한계가 있다. 실험의 대부분이 2차원이다. 에너지 기반 모델은 혼합도 격자도 쓸 수 없는 높은 차원에서
# 필요한데, 그런 차원에서는 이 실습의 지표부터 쓸 수 없다. 더 잘 조정한 체인은 이 표보다 [낫다](energy.ipynb). 정규
# 흐름의 설정, 잠재 코드에 쓴 EBM의 너비와 학습률은 몇 가지를 보고 손으로 정했고, 그 과정은 이 실습에 들어 있지 않다.
# 처음 보는 데이터를 알아보는 일은 [분포 밖 검출](ood.ipynb)(out-of-distribution detection)에서 따로 측정한다.
#
# ## 결론을 확인한다 { #checks }
#
# 첫머리의 결론 셋을 위의 결과로 확인한다. 하나라도 맞지 않으면 이 실습은 멈춘다.

# %%
tenfold = all(gain.min() > 10 for gain in gains.values())
assert tenfold, "모자란 기저 분포에 에너지를 얹으면 KL이 열 배 넘게 준다"

annealed = abs(spread.mean()) < 0.1 and plain_spread.mean() < -20
blind = (error - math.log(0.7)).abs().max() < 0.05
assert all([annealed, blind, guess.effective.min() > 0.9]), (
    "50차원에서 AIS는 맞고 중요도 샘플링은 20 nat 넘게 틀린다. 놓친 봉우리는 "
    "log 0.7만큼 빠지는데 유효 표본의 비율은 1에 가깝다"
)

read = lines["NCE"].correlation.min() > 0.95
unread = (shown["NCE"]["한가운데"] > truth["한가운데"] / 2).all()
assert all([read, unread]), (
    "NCE의 에너지는 데이터가 있는 곳에서 참 분포와 맞고, 한가운데의 깊이는 "
    "절반도 맞히지 못한다"
)

# %% [markdown]
# ## 출처
#
# - Gutmann, M. & Hyvärinen, A. (2010). *Noise-Contrastive Estimation*. [서지](../reference/bibliography.md#nce)
# - Dinh, L., Sohl-Dickstein, J. & Bengio, S. (2017). *Density Estimation Using Real NVP*.
#   [서지](../reference/bibliography.md#realnvp)
# - Neal, R. M. (2001). *Annealed Importance Sampling*. [서지](../reference/bibliography.md#ais)
# - Hyvärinen, A. (2005). *Estimation of Non-Normalized Statistical Models by Score Matching*.
#   [서지](../reference/bibliography.md#hyvarinen)
# - Gao, R. 외 (2020). *Flow Contrastive Estimation of Energy-Based Models*.
# - Lopez-Paz, D. & Oquab, M. (2017). *Revisiting Classifier Two-Sample Tests*.
