# ---
# jupyter:
#   level: 심화
#   english:
#     title: "Lab: the claims about energy models"
#     summary: >-
#       An experiment for each claim of the post. With chains 15 % to 52 % of the runs end worse than they began.
#       Without them exact Z, NCE and DSM do not while data are fresh; on 30 fixed points exact Z and score matching
#       have no floor.
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
# 다섯째 모임의 글은 에너지 모델의 장점과 단점을 늘어놓는다. 그 가운데에는 서로 반대인 말도 있다. 장점에서는 학습이
# 안정하다고 하고 단점에서는 불안정하다고 한다. 해석하기 쉽다고도 하고 어렵다고도 한다. 어느 쪽이 맞는지는 재 보면
# 된다. 말마다 작은 실험을 하나씩 하고, 맞는 자리와 틀린 자리를 함께 적는다.
#
# | 글의 말 | 재는 것 |
# | --- | --- |
# | 무엇에나 쓰고, 다른 모델과 이어진다 | 혼합과 정규 흐름에 얹기, 오토인코더의 부호 위에서 배우기 |
# | 표본 뽑기가 쉽다 ↔ 느리다 | 유효 표본 하나에 드는 기울기의 수 |
# | 학습이 안정하다 ↔ 어렵다, 하이퍼파라미터가 많다 | 설정을 바꾸어 가며 배운 117개의 결과, 정해진 점 30개로 배운 것 |
# | $Z$를 구할 수 없다 | 답을 아는 문제에서 $\log Z$의 오차 |
# | 평가하기 어렵다 | 같은 자료 앞의 네 에너지 |
# | 해석하기 쉽다 ↔ 어렵다 | 에너지의 차와 참 로그 비 |
# | 자료가 많이 든다 | 자료 30개에서 3000개까지 |
#
# ## 결론 셋 { #conclusions }
#
# - 모자란 바탕에 에너지를 얹으면 KL이 <data value="labs/claims:얹기/가우스 혼합">0.686에서 0.016</data>으로,
#   <data value="labs/claims:얹기/RealNVP">0.712에서 0.052</data> nat로 열 배 넘게 준다([다른 모델에 얹기](#stacking)).
# - 자료를 계속 새로 보면 정확한 $Z$, NCE, DSM은 어느 설정에서도 배우기 전보다 나빠지지 않고, 사슬을 쓰는 세 방법은
#   시도의 <data value="labs/claims:나빠진 몫/사슬">15 %에서 52 %</data>가 나빠진다. 정해진 점 30개만 보면 바닥이 없는
#   두 손실(정확한 $Z$, 점수 맞추기)이 가장 크게 무너진다([학습은 안정한가](#stability)).
# - 자료가 있는 곳에서는 NCE의 에너지가 참과 상관 <data value="labs/claims:해석/상관">0.994</data>로 맞는다. 자료가
#   없는 고리 한가운데는 참이 봉우리보다 <data value="labs/claims:해석/한가운데">47.9 nat 낮은데 7.4</data>만 낮다고
#   한다([에너지를 읽을 수 있나](#interpretation)).

# %% [markdown]
# ## 자료와 구간
#
# 자료는 대개 [여덟 봉우리](gan.ipynb)다. 밀도를 알기 때문에 참까지의 KL을 격자로 잴 수 있다. 표는 씨앗 3개의 평균 ±
# 표준 편차이고, Δ는 첫 행과 씨앗마다 짝지은 차이의 95 % 신뢰 구간이다. 씨앗이 셋이라 구간이 넓다. 설정은 방법마다 몇
# 가지만 보고 정했으니, 순위보다 크기의 자릿수를 본다. 방법을 제대로 견준 표는 [에너지를 배우는 여덟 길](energy.ipynb)에
# 있다.

# %% 들여오기와 도구 tags=["setup"]
import math
import time
from functools import partial

import torch
from IPython.display import HTML, display
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

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
    phase_gap,
)
from mgk_docs_src.energy.samplers import (
    effective_sample_size,
    hmc_step,
    init,
    langevin_step,
    mala_step,
    sample,
)
from mgk_docs_src.energy.training import (
    create,
    denoising_score_matching,
    energy_of,
    grid_divergence,
    noise_contrastive,
    score_matching,
    train,
)
from mgk_docs_src.figures.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    panels,
    to_img,
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
from mgk_docs_src.labs.gan import peak_shape
from mgk_docs_src.labs.tables import comparison, paired, record
from mgk_docs_src.networks import forward
from mgk_docs_src.random import generator, rand, randint, randn, randperm

torch.set_num_threads(1)
SEEDS = range(3)
MESH = grid(-6.0, 6.0, 128)
TRUTH = eight_gaussians_log_density(MESH.points)


def generators(offset):
    return [generator(offset + seed) for seed in SEEDS]


def draw(n, own):
    """씨앗마다 따로 뽑은 여덟 봉우리의 점."""
    return torch.stack([eight_gaussians(n, generator=g) for g in own])


def divergence(energy, count=3):
    """참에서 모델까지의 KL. 격자로 정규화한다."""
    with torch.no_grad():
        return grid_divergence(
            TRUTH, -energy(MESH.points.expand(count, -1, -1))
        )


def gaussian(scale):
    """너비가 `scale`인 둥근 가우스 분포의 로그 밀도."""
    return lambda x: (
        -x.square().sum(-1) / (2 * scale**2)
        - x.shape[-1] * math.log(2 * math.pi * scale**2) / 2
    )


def timed(call):
    start = time.process_time()
    return call(), time.process_time() - start


# %% [markdown]
# ## 범용성: 다른 모델에 얹기 { #stacking }
#
# 에너지는 스칼라만 내면 되므로 이미 있는 밀도 모델 $q$에 얹을 수 있다.
#
# $$p(x) = \frac{q(x)\, e^{-E(x)}}{Z}, \qquad Z = \mathbb{E}_{x \sim q}\bigl[ e^{-E(x)} \bigr]$$
#
# 일부러 모자란 바탕을 둘 고른다. 봉우리가 여덟인데 성분이 넷뿐인 가우스 혼합과, 떨어진 봉우리를 잇는 실이 남는 작은
# 정규 흐름(RealNVP)이다. 얹을 에너지는 [잡음 대조 추정](../energy/training.md)으로 배운다. 바탕에서 표본을 바로 뽑을
# 수 있으니 그것을 잡음으로 쓰면, 진짜와 바탕의 표본을 가르는 분류기의 로짓이 $-E(x) - \log Z$다.


# %% 바탕을 배우고 에너지를 얹는 코드 tags=["setup"]
def stacked(mixtures, name):
    return torch.stack(
        [
            torch.as_tensor(getattr(one, name), dtype=torch.float32)
            for one in mixtures
        ]
    )


def mixture_log_density(mixtures):
    """씨앗마다 맞춘 가우스 혼합들의 로그 밀도를 한 번에."""
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
    """바탕의 표본 `pool`을 잡음으로 삼아, 얹을 에너지를 NCE로 배운다."""
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
    "바탕의 KL",
    "기울인 뒤의 KL",
    "log Z (격자)",
    "표본으로 어림한 log Z의 오차",
    "유효 표본의 몫",
]
display(HTML(comparison("여덟 봉우리, 씨앗 3개 (nat)", columns, rows)))

# %% [markdown]
# **두 바탕 모두 KL이 열 배 넘게 준다.** 얹은 것은 같은 모양의 작은 신경망 하나다. 그리고 바탕이 자료를 덮고 있으면
# $Z$도 어렵지 않다. 표본 2만 개 가운데 유효 표본의 몫이 0.4쯤이고, 그 표본으로 어림한 $\log Z$가 격자의 값에서 0.02쯤
# 안에 있다.
#
# **다른 쪽도 있다.** 이 자료는 성분이 여덟인 가우스 혼합이면 그만이다(끝의 표에서 자료가 300개를 넘으면 가장 높다).
# 에너지가 필요한 것은 알맞은 모양을 모를 때다. 그리고 얹고 나면 바탕이 지녔던 것, 곧 $Z = 1$과 한 번에 뽑는 표본을
# 잃는다.
#
# ### 오토인코더의 부호 위에서
#
# 실제 자료에서도 본다. 숫자 그림 64화소를 오토인코더로 2차원 부호로 줄이고, 부호의 밀도를 에너지로 배운다. 부호가
# 2차원이라 격자로 정확한 최대 가능도를 쓴다. 1200장으로 배우고 나머지 597장으로 잰다. 처음에는 NCE로 배웠다가,
# 597장에서 씨앗에 따라 가우스 하나보다도 못한 것을 본 뒤에 방법을 바꾸었다. 그러니 아래의 표는 EBM에 후하다. 혼합의
# 성분 10개는 숫자가 열 가지라 정했다. 나누기는 하나이고 씨앗은 신경망의 첫 가중치를 바꾸므로, 구간은 그 흔들림만
# 말한다.

# %% 오토인코더와 부호의 밀도를 배우는 코드 tags=["setup"]
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
    """부호의 밀도를 격자의 정확한 최대 가능도로 배운다."""
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
)  # 에너지의 그릇을 지우고 혼합에서 시작한다
scores = {
    "EBM": [log_density(latent_energy, held, LATENT).mean(-1).detach()],
    "가우스 하나": [mixture_log_density(fitted[1])(held).mean(-1)],
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
    f"그림 하나의 복원 오차 {error:.2f} (언제나 평균 그림을 내면 {plain:.2f})"
)
display(
    HTML(
        comparison(
            "숫자의 2차원 부호, 배우지 않은 597장",
            ["로그 가능도 (nat)"],
            scores,
            differences=(0,),
        )
    )
)

# %% [markdown]
# **이어지기는 하지만 이기지는 않는다.** EBM은 가우스 하나보다 낫고, 평균은 가우스 10개의 혼합보다 낮다. 씨앗 셋의
# 구간이 0을 품으므로 졌다고 잘라 말할 수는 없어도, 이겼다는 증거는 없다. 혼합 위에 얹어도 얻는 것이 거의 없다.
# 오토인코더 자신도 2차원으로는 오차의 절반밖에 줄이지 못하니, 부호의 밀도는 그림의
# 밀도가 아니다.
#
# ## 표본 뽑기: 쉬운가, 느린가
#
# 식은 쉽다. [HMC](../energy/samplers.md)는 기울기만 있으면 어느 에너지에서나 돈다. 얼마나 드는지를 잰다. 배운
# 에너지에서 자료에서 시작한 사슬 32개를 돌리고, 서로 얽힌 표본을 독립인 표본으로 환산한 **유효 표본**의 수로 기울기의
# 수를 나눈다. 걸음의 크기는 받아들인 몫을 보고 정했다. 배우는 데 드는 시간도 함께 적는다. 시간은 기계마다 다르니
# 비율만 본다.

# %% 배우고 표본을 뽑는 코드 tags=["setup"]
own, noise_stream = generators(500), generator(507)


def contrast(model, chains):
    noise = 2 * randn(len(SEEDS), 256, 2, generator=noise_stream)
    return noise_contrastive(
        energy_of(model),
        model.log_partition,
        draw(256, own),
        noise,
        log_noise=gaussian(2.0),
    ), chains


def match(model, chains):
    return score_matching(energy_of(model), draw(256, own)), chains


trained = {}
for name, objective, rate in (
    ("NCE", contrast, 0.02),
    ("점수 맞추기", match, 0.01),
):
    start = create(2, generators(10), radius=2.0)
    trained[name], seconds = timed(
        partial(train, objective, start, steps=500, learning_rate=rate)
    )
    print(f"{name}: 씨앗 셋을 함께 배우는 데 {seconds:.1f}초")
print(
    f"RealNVP: {flow_seconds:.1f}초, 가우스 혼합(자료 2000개): "
    f"{mixture_seconds:.1f}초"
)
energies = {name: energy_of(result.model) for name, result in trained.items()}

CHAINS, DRAWS, LEAPS = 32, 200, 5
rows = {}
for name, energy, start, size in (
    ("여덟 봉우리의 EBM", energies["NCE"], draw(CHAINS, generators(900)), 0.2),
    ("숫자 부호의 EBM", latent_energy, learn[:, :CHAINS], 0.15),
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
            "HMC: 사슬 32개, 200걸음",
            ["받아들인 몫", "유효 표본", "유효 표본 하나에 드는 기울기"],
            rows,
        )
    )
)

# %% [markdown]
# **여덟 봉우리에서는 유효 표본이 사슬의 수와 거의 같다.** 사슬이 제 봉우리를 떠나지 못한다는 뜻이다. 200걸음을
# 걸은 사슬 하나가 표본 하나만큼의 쓸모밖에 없다. 유효 표본 하나에 기울기 900개쯤이 들고, 같은 기계에서 정규 흐름보다
# 천 배 넘게 느리다. 봉우리가 덜 떨어진 숫자의 부호에서는 몇 배 낫지만 그래도 평균 200개쯤 든다. 씨앗마다의 흔들림도
# 크고, 하나로 정해 둔 걸음을 받아들인 몫도 씨앗마다 크게 다르다.
#
# **배우는 시간은 다르다.** 씨앗 셋을 함께, 같은 500걸음을 배우는 데 NCE는 정규 흐름과 자릿수가 같고 KL은 훨씬 낮다.
# 글이 말한 ‘계산이 많이 든다’는 표본을 뽑을 때와, 배우는 동안에도 사슬을 돌리는 방법에서 맞는 말이다. 다만 가우스
# 혼합은 대개 그보다도 싸다.
#
# ## 학습은 안정한가, 하이퍼파라미터는 많은가 { #stability }
#
# 같은 신경망을 일곱 가지 방법으로 300걸음씩 배운다. 사슬이 없는 방법은 학습률 셋,
# 사슬을 쓰는 방법은 학습률 셋 × 랑주뱅 걸음의 크기 셋을 시도한다. 씨앗이 셋씩이니 모두 $4 \cdot 9 + 3 \cdot 27 =
# 117$개다. 예비로 더 촘촘하게 다섯씩 본 범위를 셋씩으로 성기게 덮었고, 좋은 설정을 고르지 않는다. **아무 설정이나
# 집었을 때 어떻게 되는지**가 물음이다.

# %% 일곱 방법으로 배우는 코드 tags=["setup"]
STEPS, FIT = 300, grid(-4.0, 4.0, 48)
RATES, SIZES = (0.003, 0.02, 0.1), torch.tensor([0.01, 0.03, 0.1])
COUNT = len(SIZES) * len(SEEDS)
PER_CHAIN = SIZES.repeat_interleave(len(SEEDS))[:, None]


def fresh(count):
    return create(
        2,
        [
            generator(seed)
            for _ in range(count // len(SEEDS))
            for seed in SEEDS
        ],
        hidden=(32, 32),
        radius=2.0,
    )


def finish(objective, count, rate, chains=None):
    """배운 뒤의 KL. 학습이 유한하지 않은 값에 닿으면 무한대다."""
    try:
        result = train(
            objective,
            fresh(count),
            chains,
            steps=STEPS,
            learning_rate=rate,
            averaging=0.95,
        )
    except ValueError:
        return torch.full((count,), math.inf)
    kl = divergence(energy_of(result.model), count)
    return kl.where(result.stopped < 0, math.inf)  # 멈춘 신경망


def direct(loss):
    """사슬이 없는 방법. 씨앗 셋."""
    own, noise = generators(600), generator(650)
    return lambda model, chains: (loss(model, draw(256, own), noise), chains)


def sampled(kernel, persistent):
    """사슬 64개를 5걸음씩 움직인다. 걸음의 크기 셋 × 씨앗 셋을 한 묶음으로."""
    own, noise = generators(600), generator(650)

    def objective(model, chains):
        energy, x = energy_of(model), draw(64, own).repeat(len(SIZES), 1, 1)
        walk = partial(kernel, energy, step_size=PER_CHAIN, generator=noise)
        moved = sample(
            walk, init(energy, chains if persistent else x), 1, burn=4
        ).state.position
        return phase_gap(energy, x, moved), moved if persistent else chains

    return objective


def contrast_loss(model, x, noise):
    cloud = 2 * randn(*x.shape, generator=noise)
    return noise_contrastive(
        energy_of(model),
        model.log_partition,
        x,
        cloud,
        log_noise=gaussian(2.0),
    )


losses = {
    "정확한 Z": lambda model, x, noise: negative_log_likelihood(
        energy_of(model), x, FIT
    ),
    "NCE": contrast_loss,
    "DSM (σ = 0.1)": lambda model, x, noise: denoising_score_matching(
        energy_of(model), x, randn(*x.shape, generator=noise), sigma=0.1
    ),
    "점수 맞추기": lambda model, x, noise: score_matching(energy_of(model), x),
}
walks = {
    "CD-5, 랑주뱅": (langevin_step, False),
    "PCD-5, 랑주뱅": (langevin_step, True),
    "PCD-5, MALA": (mala_step, True),
}
outcome, spent = {}, {}
for name, loss in losses.items():
    results, spent[name] = timed(
        lambda loss=loss: [
            finish(direct(loss), len(SEEDS), rate) for rate in RATES
        ]
    )
    outcome[name] = torch.stack(results)
for name, (kernel, persistent) in walks.items():
    chains = (
        2 * randn(COUNT, 64, 2, generator=generator(1)) if persistent else None
    )
    results, spent[name] = timed(
        lambda kernel=kernel, persistent=persistent, chains=chains: [
            finish(sampled(kernel, persistent), COUNT, rate, chains)
            for rate in RATES
        ]
    )
    outcome[name] = torch.stack(results)
start_kl = divergence(energy_of(fresh(len(SEEDS))))
print(f"배우기 전의 KL {start_kl.mean():.2f}")
for name, values in outcome.items():
    per_rate = "  ".join(
        f"{rate:g}: {v.median():.2f}"
        for rate, v in zip(RATES, values, strict=True)
    )
    print(
        f"{name}: 설정 {values.numel() // len(SEEDS)}가지, KL < 0.2인 몫 "
        f"{(values < 0.2).double().mean():.2f}, "
        "배우기 전보다 나쁜 몫 "
        f"{(values > start_kl.mean()).double().mean():.2f}, "
        f"가장 좋은 것 {values.min():.3f}, 가장 나쁜 것 {values.max():.2f}\n"
        f"    학습률마다의 중앙값 {per_rate} | 신경망 하나에 "
        f"{spent[name] / values.numel():.2f}초"
    )
coarse = grid(-4.0, 4.0, 40)
rough = finish(
    direct(
        lambda model, x, noise: negative_log_likelihood(
            energy_of(model), x, coarse
        )
    ),
    len(SEEDS),
    RATES[-1],
)
print(
    f"정확한 Z, 축마다 40칸, 학습률 {RATES[-1]:g}: KL의 중앙값 "
    f"{rough.median():.2f}"
)
worse = {
    name: (values > start_kl.mean()).double().mean()
    for name, values in outcome.items()
}
record(
    "나빠진 몫/사슬",
    min(worse[name] for name in walks),
    max(worse[name] for name in walks),
)

# %% 그림을 그리는 코드 tags=["setup", "summary"]
with panels(height=4.2) as (figure, (axis,)):
    for row, values in enumerate(outcome.values()):
        for values_at_rate, color, shift in zip(
            values, (BLUE, GREEN, ORANGE), (-0.22, 0, 0.22), strict=True
        ):
            height = torch.full((values_at_rate.numel(),), -row - shift)
            axis.semilogx(
                values_at_rate.clamp(max=1e3).cpu(),
                height.cpu(),
                "o",
                color=color,
                markersize=5,
                alpha=0.7,
            )
    axis.axvline(
        start_kl.mean().item(), color=INK, linestyle="--", linewidth=1
    )
    axis.axvline(0.2, color=INK, linestyle=":", linewidth=1)
    for rate, color in zip(RATES, (BLUE, GREEN, ORANGE), strict=True):
        axis.plot([], [], "o", color=color, label=f"학습률 {rate:g}")
    axis.set_yticks([-row for row in range(len(outcome))], list(outcome))
    axis.set_xticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    axis.minorticks_off()
    axis.set(xlabel="배운 뒤의 KL (nat)")
    axis.legend(
        loc="lower center",
        bbox_to_anchor=(0.4, 1.0),
        ncols=3,
        fontsize=9,
        handletextpad=0.1,
        columnspacing=1,
    )
display(
    HTML(
        to_img(
            figure,
            "일곱 방법의 설정과 씨앗마다 배운 뒤의 KL. 정확한 Z와 NCE의 점은 "
            "대개 0.2(점선)의 왼쪽에 있고, "
            "사슬을 쓰는 세 방법의 점은 모두 점선의 오른쪽에 흩어져 일부는 "
            "배우기 전(파선)보다도 오른쪽에 있다. 점수 맞추기는 학습률 0.1의 점이 "
            "파선의 오른쪽에 있다.",
        )
    )
)

# %% [markdown]
# **방법이 가른다.** 정확한 $Z$, NCE, DSM은 어느 설정에서도 배우기 전보다 나빠지지 않는다. 정확한 $Z$는 어느
# 설정에서나, NCE는 셋 가운데 둘에서 KL이 0.2 아래다. NCE의 나머지 하나는 학습률이 작아 덜 배웠을 뿐이다. 사슬을 쓰는
# 세 방법은 어느 설정에서도 거기에 이르지 못하고, 방법에 따라 일곱에 하나에서 둘에 하나가 배우기 전보다 나빠진다. 학습률
# 0.1의 CD는 중앙값부터 배우기 전의 열 배쯤이다.
#
# **사슬이 없다고 다 좋은 것도 아니다.** 점수 맞추기는 학습률 0.1에서 배우기 전보다 나빠진다. DSM은 무너지지 않지만 거의
# 언제나 덜 배운다. 잡음 σ가 봉우리 너비의 절반이고, 점수는 [봉우리 사이의 몫을 보지 못한다](../energy/training.md).
#
# **정확한 $Z$도 격자가 정확할 때만이다.** 축마다 48칸을 40칸으로 줄여 칸의 너비가 봉우리의 σ와 같아지면, 학습률
# 0.1에서 KL의 중앙값이 1을 넘는다(출력의 끝줄). 칸의 가운데만 보는 손실은 그 사이에 파인 우물을 모른다.
#
# **하이퍼파라미터의 수도 여기서 보인다.** NCE에는 학습률(과 잡음의 너비)이, 사슬을 쓰는 방법에는 거기에 걸음의 크기,
# 걸음 수, 사슬의 수, 이어 갈지가 더 있다. 손실이 내려가는지도 볼 수 없다. 두 항의 차는 [0에 머무는 것이
# 정상이다](../energy/models.md).
#
# **공평하지 않은 점.** 걸음의 수를 맞추었을 뿐, 사슬을 쓰는 방법은 한 걸음에 점 64개, 나머지는 256개를 본다. 신경망
# 하나에 드는 시간은, 격자를 다 도는 정확한 $Z$와 두 번 미분하는 점수 맞추기를 빼면 사슬 쪽이 조금 길다. 걸음을
# 5번에서 늘리고, 오래 배우고, 봉우리 사이를 건너뛰게 하면 사슬도 [훨씬 좋아진다](energy.ipynb). 그 설정을 찾는 데
# 드는 품이 이 절이 잰 것이다.
#
# ### 정해진 점만 볼 때 { #floors }
#
# 여기까지는 걸음마다 자료를 새로 뽑았다. 실제 자료는 정해져 있다. 점 30개를 정해 두고 같은 네 손실로 300걸음씩
# 배운다(학습률 0.02).

# %%
points = draw(30, generators(6000))
fixed_kl, fixed_loss = {}, {}
for name, loss in losses.items():
    noise = generator(650)
    fixed = train(
        lambda model, chains, loss=loss, noise=noise: (
            loss(model, points, noise),
            chains,
        ),
        fresh(len(SEEDS)),
        steps=STEPS,
        learning_rate=0.02,
        averaging=0.95,
    )
    fixed_kl[name] = divergence(energy_of(fixed.model))
    fixed_loss[name] = fixed.losses[-1]
display(
    HTML(
        comparison(
            "점 30개만 되풀이해 본 뒤, 씨앗 3개 (배우기 전의 KL은 위의 출력)",
            ["KL (nat)", "마지막 손실"],
            {name: [fixed_kl[name], fixed_loss[name]] for name in losses},
        )
    )
)

# %% [markdown]
# **새 자료가 오지 않으면 ‘사슬이 없으니 안정하다’는 틀린다.** 정확한 $Z$와 점수 맞추기는 KL이 배우기 전의 여러 배로
# 커지고, 그동안 손실은 0 아래로 내려간다. 이 두 손실에는 [바닥이 없다](../energy/training.md#stability). NCE는 교차
# 엔트로피, DSM은 제곱이라 0이 바닥이다. 그래도 점을 외우는 것까지 막지는 못해, DSM은 이 점들에서 배우기 전보다 나빠지고
# NCE도 오래 배우면 [나빠진다](#amount). 바닥이 있다는 것과 참에 가까워진다는 것은 다른 말이다.
#
# 그러니 글의 ‘안정하다’에는 조건이 붙는다: 사슬을 쓰지 않고, 자료가 넉넉하고, 점수 맞추기라면 학습률도 알맞을 때다.
# 에너지 모델이라는 틀의 성질이 아니다.
#
# ## 분배 함수
#
# 두 봉우리짜리 혼합은 몇 차원에서나 $\log Z = \frac{d}{2} \log(2 \pi s^2)$이다.
# 바탕은 너비 1.5인 가우스 분포, 봉우리의 너비는 0.5다.
#
# - **격자**: 칸의 수가 $40^d$다.
# - **중요도 표본**: 바탕에서 5만 개를 뽑아 가중치를 평균한다.
# - **AIS**(담금질한 중요도 표본): 200개를 바탕에서 목표까지 여러 단계에 걸쳐 HMC로 옮기며 가중치를 모은다. 50단계이면
#   기울기를 구하는 횟수가 중요도 표본에서 에너지를 구하는 횟수와 비슷하다.

# %%
PARTICLES, REPEATS, BASE = 200, 16, 1.5
rows, effective = {}, {}
for dims in (2, 10, 50):
    truth = dims / 2 * math.log(2 * math.pi * 0.25)
    for stages in (10, 50, 200):
        start = BASE * randn(REPEATS, PARTICLES, dims, generator=generator(1))
        result = annealed_importance_sampling(
            peaks,
            gaussian(BASE),
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
                "50차원, AIS 200단계: 오른쪽 봉우리의 몫 "
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
    log_weights = -peaks(start) - gaussian(BASE)(start)
    guess, right = (
        importance_estimate(log_weights),
        (log_weights.softmax(-1) * (start[..., 0] > 0)).sum(-1),
    )
    print(
        f"{dims}차원, 중요도 표본: {start.shape[1]}개 가운데 유효 표본 "
        f"{start.shape[1] * guess.effective.mean():.1f}개"
    )
    rows[f"{dims}차원, 중요도 표본"] = [
        guess.log_partition - truth,
        guess.effective,
        right,
    ]
display(
    HTML(
        comparison(
            "log Z의 오차, 16번 되풀이",
            ["오차 (nat)", "유효 표본의 몫", "오른쪽 봉우리의 몫 (0.7)"],
            rows,
        )
    )
)
for dims in (2, 3, 4, 10, 50):
    print(f"{dims}차원의 격자: 축마다 40칸이면 {40.0**dims:.3g}칸")

far = partial(peaks, distance=4.0)
centre = torch.tensor([4.0, 0.0])
base = gaussian(0.6)
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
    f"한 봉우리만 덮는 바탕: 오차 {error.mean():.3f} ± {error.std():.3f} "
    f"(log 0.7 = {math.log(0.7):.3f}), "
    f"유효 표본의 몫 {guess.effective.mean():.2f}"
)

# %% [markdown]
# **$Z$를 구할 수 있는지는 방법에 달렸다.** 격자는 4차원만 되어도 칸이 256만 개이고 10차원이면 불가능하다. 중요도
# 표본은 10차원까지 쓸 만하지만 이미 5만 개 가운데 스무 개쯤만 일하고, 50차원에서는 29 nat를 틀린다. AIS는 200단계면
# 50차원에서도 평균이 0.01 nat 안에서 맞고 흔들림이 0.2 nat에 못 미친다.
#
# **AIS도 실패한다.** 단계가 모자라면(50차원, 10단계) 몇 nat씩 낮게 어림하고, 되풀이마다 다르다. 200단계에서 오른쪽
# 봉우리의 몫은 평균으로는 0.7과 맞지만 되풀이마다 0.08쯤 흔들린다. 가중치를 빼고 세면 평균부터 0.7에 못 미친다.
# $\log Z$가 맞아도 표본 한 벌이 참의 몫대로 놓인 것은 아니다. 그보다 무서운 것은 끝줄이다. 바탕이 한 봉우리만 덮으면
# 다른 봉우리를 통째로 빠뜨려 $\log 0.7$만큼 틀리는데, 되풀이끼리 잘 맞고 유효 표본의 몫도 1에 가깝다. **가지 않은
# 곳은 표본으로 만든 진단에 나오지 않는다.**
#
# ## 평가: 에너지만 보아서는 모른다
#
# 같은 자료 앞에 네 에너지를 세운다. NCE로 배운 것, 거기서 10을 뺀 것, 반으로 나눈 것(온도를 두 배로 올린 것), 점수
# 맞추기로 배운 것이다. 2차원이라 가능도는 격자로 정확하고, 표본도 사슬 없이 격자에서 뽑는다.
#
# - **이웃 검정**: 표본과 진짜를 섞고, 가장 가까운 점이 제 편인 몫. 구별할 수 없으면 0.5다.
# - **3σ 안**, **봉우리의 치우침**: [GAN 실습](gan.ipynb)의 잣대. 치우침은 표본이 1000개라 진짜도 0이 아니다.

# %%
fresh_data, other_data = (
    draw(1000, generators(3000)),
    draw(1000, generators(4000)),
)


def cells(energy, n, noise):
    """격자로 뽑은 표본: 칸을 확률대로 고르고, 칸 안에서 고르게."""
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
    "점수 맞추기": energies["점수 맞추기"],
}
rows = {}
for name, energy in models.items():
    likelihood = log_density(energy, fresh_data, MESH).mean(-1).detach()
    rows[name] = [
        evaluate(energy, fresh_data).mean(-1),
        likelihood,
        *judge(cells(energy, 1000, generator(8))),
    ]
rows["참"] = [
    None,
    eight_gaussians_log_density(fresh_data).mean(-1),
    *judge(fresh_data),
]
columns = [
    "자료의 평균 에너지",
    "로그 가능도 (nat)",
    "이웃 검정",
    "3σ 안",
    "봉우리의 치우침",
]
display(HTML(comparison("같은 자료 앞의 네 에너지, 씨앗 3개", columns, rows)))

# %% [markdown]
# **자료의 에너지가 낮은 순서와 좋은 순서가 다르다.** 10을 빼면 에너지는 크게 낮아지지만 다른 칸은 하나도 움직이지
# 않는다. 반으로 나누면 자료의 에너지가 낮아지는데 가능도는 나빠진다. 모든 곳의 에너지가 함께 낮아져 $Z$가 커졌기
# 때문이다. 점수 맞추기의 에너지도 훨씬 낮은데, 상수를 정하지 않는 방법이라 아무 뜻이 없고 실제로는 NCE보다 못하다.
#
# **알려 주는 것은 따로 있다.** 가능도는 $Z$를 알아야 하고, 나머지는 좋은 표본이 있어야 한다. 2차원에서는 둘 다
# 거저였다. 차원이 높으면 앞 절의 AIS와 사슬이 필요하니, 평가가 어렵다는 말은 맞다. 잣대마다 보는 것도 다르다. 점수
# 맞추기의 흠은 치우침에, 온도를 올린 것의 흠은 3σ 안의 몫에 나타나고, 이웃 검정은 그 둘을 모두 조금씩만 느낀다.
#
# ## 해석: 에너지를 읽을 수 있나 { #interpretation }
#
# 에너지의 차에는 뜻이 있다. $E(a) - E(b) = \log \frac{p(b)}{p(a)}$, 곧 로그 비다. 배운 에너지가 참과 맞는지, 자료가
# 있는 곳에서 $\log p$에 대한 $-E$의 기울기와 상관을 잰다. 맞으면 둘 다 1이다. 이어서 봉우리 여덟의 한가운데끼리의
# 차이(표준 편차, 참은 0)와, 봉우리에 견준 다른 자리의 로그 확률을 참과 나란히 놓는다.

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
    """봉우리의 평균 로그 확률에 견준 로그 확률."""
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
rows["참"] = [torch.ones(3), torch.ones(3), torch.zeros(3)]
rows["참"] += [
    truth[spot].mean(-1).expand(3)
    for spot in ("봉우리 사이", "한가운데", "반지름 4")
]
columns = [
    "기울기",
    "상관",
    "봉우리마다의 차이",
    "봉우리 사이",
    "한가운데",
    "반지름 4",
]
display(HTML(comparison("에너지의 차와 참 로그 비, 씨앗 3개", columns, rows)))
record("해석/상관", lines["NCE"].correlation.mean())
record(
    "해석/한가운데",
    -truth["한가운데"].mean(),
    -shown["NCE"]["한가운데"].mean(),
)

# %% [markdown]
# **자료가 있는 곳에서는 읽힌다.** NCE의 에너지는 참 로그 비와 상관이 0.99이고 기울기도 1에서 6 % 안이다.
#
# **자료가 없는 곳에서는 읽을 수 없다.** 고리 한가운데는 참으로는 봉우리보다 48 nat 낮은데, 배운 에너지는 열 nat도
# 낮지 않다. 반지름 4에서도 참은 50, 배운 것은 13쯤 낮다. 그곳에는 자료가 없으니 ‘아주 낮다’까지만 배운다. 얼마나
# 낮은지는 손실에 거의 보태지 않는다. 더 나쁜 것은 **씨앗끼리 잘
# 맞는다는 것**이다. NCE의 한가운데 값은 씨앗끼리의 표준 편차가 0.1이다. 같은 값으로 함께 틀리므로, 여러 번 배워
# 견주어도 알 수 없다.
#
# **봉우리 사이의 높이는 배운 방법에 달렸다.** 점수 맞추기는 봉우리 안의 모양은 맞히지만 봉우리끼리의 차이가 NCE의 네
# 배쯤이다. 낮은 길을 건너 높이를 견줄 자료가 없기 때문이다. 쉽다는 말도 어렵다는 말도, **어디에서 무엇으로 배운**
# 에너지인지를 빼면 틀린다.
#
# ## 자료의 양 { #amount }
#
# EBM을 NCE로, 자료의 수만 바꾸어 배운다. 무한히 새로 뽑던 지금까지와 달리 여기서는 정해진 자료를 되풀이해 본다. 한
# 벌은 끝까지(800걸음) 배우고, 다른 한 벌은 자료의 5분의 1을 떼어 두고 200, 400, 800걸음 가운데 그 가능도가 가장 높은
# 데서 멈춘다. 두 벌 모두 배우는 것은 나머지 5분의 4다. 견줄 것은 성분의 수를 아는 가우스 혼합과, 교차 검증으로 너비를
# 고른 커널 밀도다.

# %% 자료의 수만 바꾸어 배우는 코드 tags=["setup"]
COUNTS, STAGES = (30, 100, 300, 1000, 3000), (200, 400, 800)
test = draw(4000, generators(5000))
sets = {n: draw(n, generators(6000)) for n in COUNTS}
BANDWIDTHS = [0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4]


def kernel_density(x):
    """교차 검증으로 너비를 고른 커널 밀도.

    자료가 많으면 500개로 고르고 n^(-1/6)으로 줄인다.
    """
    search = GridSearchCV(
        KernelDensity(), {"bandwidth": BANDWIDTHS}, cv=5
    ).fit(x[:500])
    width = search.best_params_["bandwidth"] * (min(len(x), 500) / len(x)) ** (
        1 / 6
    )
    return KernelDensity(bandwidth=width).fit(x)


peers = {
    "가우스 8개의 혼합": lambda x: GaussianMixture(
        8, random_state=0, n_init=2, reg_covar=1e-3
    ).fit(x),
    "커널 밀도": kernel_density,
}
curves = {
    name: torch.stack(
        [
            torch.tensor(
                [
                    fit(x.cpu().numpy()).score_samples(y.cpu().numpy()).mean()
                    for x, y in zip(sets[n], test, strict=True)
                ]
            )
            for n in COUNTS
        ]
    )
    for name, fit in peers.items()
}

split = [(x[: 4 * n // 5], x[4 * n // 5 :]) for n in COUNTS for x in sets[n]]
BATCH = len(split)
everyone = test.repeat(len(COUNTS), 1, 1)


def limited(model, chains):
    x = torch.stack(
        [
            own[randint(0, len(own), (128,), generator=data_stream)]
            for own, _ in split
        ]
    )
    noise = 2 * randn(BATCH, 128, 2, generator=data_stream)
    return noise_contrastive(
        energy_of(model),
        model.log_partition,
        x,
        noise,
        log_noise=gaussian(2.0),
    ), chains


validation, tested = [], []
for steps in STAGES:
    data_stream = generator(11)
    energy = energy_of(
        train(limited, fresh(BATCH), steps=steps, learning_rate=0.02).model
    )
    log_z = log_partition(energy, MESH, batch=(BATCH,)).detach()
    # 남겨 둔 점의 수가 서로 달라, 모자라면 되풀이해 채운 뒤
    # 그 자료의 것만 평균한다.
    longest = max(len(rest) for _, rest in split)
    padded = torch.stack(
        [rest[torch.arange(longest) % len(rest)] for _, rest in split]
    )
    values = -evaluate(energy, padded)
    kept = [
        value[: len(rest)].mean()
        for value, (_, rest) in zip(values, split, strict=True)
    ]
    validation.append(torch.stack(kept) - log_z)
    tested.append(-evaluate(energy, everyone).mean(-1) - log_z)
chosen = torch.stack(validation).argmax(0)
curves["EBM, 일찍 멈춤"] = (
    torch.stack(tested).gather(0, chosen[None])[0].view(len(COUNTS), -1)
)
curves["EBM, 끝까지"] = tested[-1].view(len(COUNTS), -1)
best = eight_gaussians_log_density(test).mean()
rows = {name: list(values) for name, values in curves.items()}
display(
    HTML(
        comparison(
            "배우지 않은 자료의 로그 가능도 (nat)",
            [f"{n}개" for n in COUNTS],
            rows,
        )
    )
)
print(f"참 밀도의 로그 가능도 {best:.3f}")
for place, n in enumerate(COUNTS):
    gap = paired(curves["EBM, 일찍 멈춤"][place], curves["커널 밀도"][place])
    print(
        f"{n}개: 일찍 멈춘 EBM − 커널 밀도 {gap.difference:+.3f} "
        f"[{gap.low:+.3f}, {gap.high:+.3f}]"
    )

# %% 그림을 그리는 코드 tags=["setup"]
with panels(height=3.4) as (figure, (axis,)):
    for (name, values), color in zip(
        curves.items(), (PURPLE, GREEN, BLUE, ORANGE), strict=True
    ):
        gap = (best - values.mean(1)).cpu()
        axis.loglog(COUNTS, gap, "o-", color=color, label=name, markersize=5)
    axis.set_xticks(COUNTS, [str(n) for n in COUNTS])
    axis.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    axis.minorticks_off()
    axis.set(xlabel="자료의 수", ylabel="참에 모자란 로그 가능도 (nat)")
    axis.legend(fontsize=9)
display(
    HTML(
        to_img(
            figure,
            "자료의 수에 따른, 참 밀도에 모자란 로그 가능도. 자료가 적으면 "
            "커널 밀도가, 300개부터는 가우스 혼합이 가장 "
            "가깝다. 끝까지 배운 EBM은 자료가 적을 때 가장 멀고, 자료가 "
            "많으면 커널 밀도와 만난다.",
        )
    )
)

# %% [markdown]
# **자료가 적으면 커널 밀도, 많으면 혼합이다.** 성분의 수를 아는 혼합은 자료 300개부터 가장 높고, 30개에서는
# 무너진다(성분 하나에 점이 서너 개다). 커널 밀도는 30개와 100개에서 가장 높다. EBM은 어느 자리에서도 첫째가 아니고,
# 1000개부터 커널 밀도와 평균이 거의 같다.
#
# **‘자료가 많이 든다’는 끝까지 배울 때 더 맞다.** 자료가 30개나 100개일 때 끝까지 배우면 자료를 외워 크게 나빠진다.
# 일찍 멈추면 혼합이 무너지는 30개에서도 그럭저럭 버틴다. 1000개를 넘으면 멈출 까닭이 거의 없다.
#
# ## 무엇을 가져갈까
#
# | 글의 말 | 맞는 자리 | 틀린 자리 |
# | --- | --- | --- |
# | 다른 모델과 이어진다 | 모자란 바탕의 KL을 열 배 넘게 줄인다 | 알맞은 혼합이 있으면 이기지 못한다 |
# | 표본 뽑기가 쉽다 | 식이 짧고 기울기만 있으면 된다 | 봉우리가 떨어져 있으면 정규 흐름보다 천 배 넘게 느리다 |
# | 학습이 안정하다 | 새 자료로 배우는 정확한 $Z$, NCE, DSM | CD와 PCD, 적은 자료로 배우는 정확한 $Z$와 점수 맞추기 |
# | $Z$를 구할 수 없다 | 격자, 높은 차원의 중요도 표본 | AIS. 단, 바탕이 놓친 봉우리는 모른다 |
# | 평가하기 어렵다 | 에너지의 크기는 아무것도 말하지 않는다 | 가능도나 표본을 얻을 수 있으면 여느 모델과 같다 |
# | 해석하기 쉽다 | 자료가 있는 곳에서의 차 | 자료가 없는 곳, 점수 맞추기의 봉우리 사이 |
# | 자료가 많이 든다 | 끝까지 배울 때 | 일찍 멈추면 덜하다. 그래도 작은 자료에서는 커널 밀도가 낫다 |
#
# **보이지 않는 것.** 대부분이 2차원이다. 에너지 모델이 쓰이는 까닭은 혼합도 격자도 통하지 않는 높은 차원인데,
# 거기서는 이 실습의 잣대부터 쓸 수 없다. 더 잘 맞춘 사슬은 이 표보다 [낫다](energy.ipynb). 정규 흐름의 설정, 부호의
# EBM의 너비와 학습률은 몇 가지를 보고 손으로 골랐고, 그 고르기는 이 실습에 들어 있지 않다. 낯선 자료를 알아채는 일은
# [분포 밖 검출](ood.ipynb)에서 따로 잰다.
#
# ## 결론을 확인한다 { #checks }
#
# 첫머리의 결론 셋을 위의 결과로 확인한다. 하나라도 맞지 않으면 이 실습은 멈춘다.

# %%
tenfold = all(gain.min() > 10 for gain in gains.values())
assert tenfold, "모자란 바탕에 에너지를 얹으면 씨앗마다 KL이 열 배 넘게 준다"

bounded = ("NCE", "DSM (σ = 0.1)")
unbounded = ("정확한 Z", "점수 맞추기")
fresh_is_safe = all(worse[name] == 0 for name in ("정확한 Z", *bounded))
chains_fail = all(worse[name] > 0 for name in walks)
floors = all((fixed_loss[name] >= 0).all() for name in bounded) and all(
    (fixed_loss[name] < 0).all() for name in unbounded
)
fixed_is_worst = min(fixed_kl[name].min() for name in unbounded) > max(
    start_kl.max(), *(fixed_kl[name].max() for name in bounded)
)
assert all([fresh_is_safe, chains_fail, floors, fixed_is_worst]), (
    "새 자료로는 정확한 Z, NCE, DSM이 나빠지지 않고 사슬은 나빠지기도 한다. "
    "정해진 점에서는 바닥이 없는 두 손실이 가장 크게 무너진다"
)

read = lines["NCE"].correlation.min() > 0.95
unread = (shown["NCE"]["한가운데"] > truth["한가운데"] / 2).all()
assert all([read, unread]), (
    "NCE의 에너지는 자료가 있는 곳에서 참과 맞고, 한가운데의 깊이는 절반도 "
    "맞히지 못한다"
)

# %% [markdown]
# ## 출처
#
# - Gutmann, M. & Hyvärinen, A. (2010). *Noise-Contrastive Estimation*. [서지](../reference/bibliography.md#nce)
# - Dinh, L., Sohl-Dickstein, J. & Bengio, S. (2017). *Density Estimation Using Real NVP*.
#   [서지](../reference/bibliography.md#realnvp)
# - Neal, R. M. (2001). *Annealed Importance Sampling*. [서지](../reference/bibliography.md#ais)
# - Hinton, G. E. (2002). *Training Products of Experts by Minimizing Contrastive Divergence*.
#   [서지](../reference/bibliography.md#cd)
# - Tieleman, T. (2008). *Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient*.
#   [서지](../reference/bibliography.md#pcd)
# - Hyvärinen, A. (2005). *Estimation of Non-Normalized Statistical Models by Score Matching*.
#   [서지](../reference/bibliography.md#hyvarinen)
# - Gao, R. 외 (2020). *Flow Contrastive Estimation of Energy-Based Models*.
# - Lopez-Paz, D. & Oquab, M. (2017). *Revisiting Classifier Two-Sample Tests*.
