# ---
# jupyter:
#   level: 심화
#   english:
#     title: "Lab: is learning an energy stable"
#     summary: >-
#       With chains 15 % to 52 % of the runs end worse than they began. Without them exact Z, NCE and DSM do not while
#       data are fresh; on 30 fixed points exact Z and score matching have no floor. Few data favour a kernel density.
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
# # 실습: 학습의 안정성을 재다
#
# [5회차](../sessions/session-5.md)의 글은 에너지 기반 모델(energy-based model, EBM)의 학습이 안정적이라고도, 까다롭고
# 불안정하다고도 했다. 하이퍼파라미터(hyperparameter)와 좋은 데이터가 많이 든다고도 했다. 학습하는 방법과 설정, 데이터의
# 수를 바꾸어 가며 언제 어느 쪽이 맞는지 측정한다. 학습한 뒤의 에너지에서 무엇을 읽을 수 있는지는 [장단점을
# 재다](claims.ipynb)에서 본다.
#
# ## 결론 셋 { #conclusions }
#
# - 데이터를 계속 새로 뽑으면 정확한 분배 함수(partition function, 정규화 상수) $Z$, 잡음 대조 추정(noise-contrastive
#   estimation, NCE), 노이즈 제거 스코어 매칭(denoising score matching, DSM)으로 학습한 모델은 어느 설정에서도 학습
#   전보다 나빠지지 않는다. 마르코프 체인(Markov chain, 이하 체인)을 쓰는 세 방법은 시도의
#   <data value="labs/stability:나빠진 비율/체인">15 %에서 52 %</data>가 나빠진다([학습의 안정성](#stability)).
# - 정해진 점 30개만 쓰면 바닥(손실의 하한)이 없는 두 손실(정확한 $Z$, 스코어 매칭)이 가장 크게 무너진다([정해진
#   점](#floors)).
# - 데이터가 30개나 100개이면 커널 밀도 추정(kernel density estimation)의 로그 가능도(log-likelihood)가 평균하여 가장
#   높고, 300개부터는 성분의 수를 아는 가우스 혼합(Gaussian mixture)이 가장 높다. 조기 종료(early stopping)한 EBM은
#   1000개가 되어야 커널 밀도 추정과 거의 같아진다([데이터의 수](#amount)).

# %% [markdown]
# ## 밀도를 아는 데이터에서 시드 3개로 측정한다 { #setup }
#
# 데이터는 [여덟 봉우리](gan.ipynb)에서 뽑는다. 밀도를 알기 때문에 참 분포에서 모델까지의 쿨백–라이블러
# 발산(Kullback–Leibler divergence, KL)을 격자로 계산할 수 있다. 시드(seed)는 3개이고, 표의 값은 그 평균 ± 표준 편차다.

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
    eight_gaussians,
    eight_gaussians_log_density,
)
from mgk_docs_src.energy.models import (
    evaluate,
    grid,
    log_partition,
    negative_log_likelihood,
    phase_gap,
)
from mgk_docs_src.energy.samplers import (
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
from mgk_docs_src.labs.energy import normal_log_density
from mgk_docs_src.labs.tables import comparison, paired, record
from mgk_docs_src.random import generator, randint, randn

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
# ## 학습의 안정성은 에너지가 아니라 방법에 달렸다 { #stability }
#
# 같은 신경망을 일곱 가지 방법으로 300스텝씩 학습한다. 체인이 없는 방법은 넷이다. 체인을 쓰는 방법은 셋이다. CD-5는
# 데이터에서 시작한 체인을 5스텝 움직이는 대조 발산(contrastive divergence)이고, PCD-5는 체인을 다음 학습 스텝으로 이어
# 가는(persistent) 대조 발산이다. MALA는 랑주뱅 동역학(Langevin dynamics)에 채택·기각 단계를 더한 샘플러(sampler)다.
#
# 체인이 없는 방법은 학습률 셋을, 체인을 쓰는 방법은 학습률 셋과 랑주뱅 스텝 크기 셋의 모든 조합을 시도한다. 시드가
# 셋씩이므로 모두 $4 \cdot 9 + 3 \cdot 27 = 117$개다. 예비 실험에서 다섯 값씩 촘촘히 본 범위를 여기서는 세 값씩만 본다.
# 그 가운데 좋은 설정을 선택하지는 않는다. **아무 설정으로나 학습했을 때 어떻게 되는지**가 물음이기 때문이다.

# %% 일곱 방법으로 학습하는 코드 tags=["setup"]
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
    """학습한 뒤의 KL. 유한하지 않은 값이 나오면 무한대로 둔다."""
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
    """체인이 없는 방법. 시드 셋."""
    own, noise = generators(600), generator(650)
    return lambda model, chains: (loss(model, draw(256, own), noise), chains)


def sampled(kernel, persistent):
    """체인 64개를 5스텝씩 움직인다. 스텝 크기 셋 × 시드 셋을 함께."""
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
        log_noise=partial(normal_log_density, std=2.0),
    )


losses = {
    "정확한 Z": lambda model, x, noise: negative_log_likelihood(
        energy_of(model), x, FIT
    ),
    "NCE": contrast_loss,
    "DSM (σ = 0.1)": lambda model, x, noise: denoising_score_matching(
        energy_of(model), x, randn(*x.shape, generator=noise), sigma=0.1
    ),
    "스코어 매칭": lambda model, x, noise: score_matching(energy_of(model), x),
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
print(f"학습 전의 KL {start_kl.mean():.2f}")
for name, values in outcome.items():
    per_rate = "  ".join(
        f"{rate:g}: {v.median():.2f}"
        for rate, v in zip(RATES, values, strict=True)
    )
    print(
        f"{name}: 설정 {values.numel() // len(SEEDS)}가지, KL < 0.2인 비율 "
        f"{(values < 0.2).double().mean():.2f}, "
        "학습 전보다 나쁜 비율 "
        f"{(values > start_kl.mean()).double().mean():.2f}, "
        f"가장 낮은 KL {values.min():.3f}, 가장 높은 KL {values.max():.2f}\n"
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
    "나빠진 비율/체인",
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
    axis.set_yticks(
        [-row for row in range(len(outcome))],
        [name.partition(" (")[0] for name in outcome],
    )
    axis.set_xticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    axis.minorticks_off()
    axis.set(xlabel="학습한 뒤의 KL (nat)")
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
            "일곱 방법의 설정과 시드마다 학습한 뒤의 KL. 정확한 Z와 NCE의 "
            "점은 대개 0.2(점선)의 왼쪽에 있다. "
            "체인을 쓰는 세 방법의 점은 모두 점선의 오른쪽에 흩어지고, "
            "일부는 학습 전(파선)보다도 오른쪽에 있다. "
            "스코어 매칭은 학습률 0.1의 점이 파선의 오른쪽에 있다.",
        )
    )
)

# %% [markdown]
# 결과는 방법에 따라 갈린다. 정확한 $Z$, NCE, DSM은 어느 설정에서도 학습 전보다 나빠지지 않는다. 정확한 $Z$는 어느
# 설정에서나, NCE는 셋 가운데 둘에서 KL이 0.2 아래다. NCE의 나머지 하나는 학습률이 작아 학습이 덜 되었을 뿐이다. 체인을
# 쓰는 세 방법은 어느 설정에서도 거기에 이르지 못하고, 방법에 따라 일곱에 하나에서 둘에 하나가 학습 전보다 나빠진다.
# 학습률 0.1에서 CD는 중앙값마저 학습 전의 열 배쯤이다.
#
# 체인이 없다고 모두 좋은 것도 아니다. 스코어 매칭은 학습률 0.1에서 학습 전보다 나빠진다. DSM은 무너지지 않지만 거의
# 언제나 학습이 모자란다. 섞는 노이즈의 σ가 봉우리 너비의 절반이고, 스코어(score) $\nabla \log p$에는
# [봉우리의 혼합 비율이 거의 나타나지 않기](../energy/training.md#mode-weights) 때문이다.
#
# 정확한 $Z$도 격자가 정확할 때만 안정적이다. 축마다 48칸을 40칸으로 줄여 칸의 너비가 봉우리의 σ와 같아지면, 학습률
# 0.1에서 KL의 중앙값이 1을 넘는다(출력의 마지막 줄). 손실은 격자점의 에너지만 보므로 격자점 사이에 생긴 좁은 최소점을
# 놓친다.
#
# 하이퍼파라미터(hyperparameter)의 수도 여기서 드러난다. NCE에서는 학습률과 노이즈의 너비를 정한다. 체인을 쓰는
# 방법에서는 여기에 스텝 크기, 체인 스텝의 수, 체인의 수, 체인을 이어 갈지를 더 정해야 한다. 손실이 내려가는지도 볼 수
# 없다. 학습이 잘되어도 두 항의 차는 [0 가까이에 머물기](../energy/models.md#two-phases) 때문이다.
#
# 공평하지 않은 점도 있다. 학습 스텝의 수는 같지만, 한 스텝에 체인을 쓰는 방법은 점 64개를, 나머지는 256개를 쓴다.
# 신경망 하나를 학습하는 시간은 체인을 쓰는 방법이 조금 길다. 격자를 모두 계산하는 정확한 $Z$와 두 번 미분하는 스코어
# 매칭은 시간의 비교에서 뺐다. 체인 스텝을 5번보다 늘리고, 오래 학습하고, 봉우리 사이를 건너뛰게 하면 체인을 쓰는 방법도
# [훨씬 좋아진다](energy.ipynb). 그 설정을 찾는 데 드는 노력이 이 절이 측정한 비용이다.
#
# ## 점이 정해져 있으면 바닥이 없는 손실이 무너진다 { #floors }
#
# 여기까지는 학습 스텝마다 데이터를 새로 뽑았다. 실제 데이터는 정해져 있다. 점 30개를 정해 두고 같은 네 손실로
# 300스텝씩 학습한다. 학습률은 0.02다.

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
            "점 30개로만 학습한 뒤, 시드 3개 (학습 전의 KL은 위의 출력)",
            ["KL (nat)", "마지막 손실"],
            {name: [fixed_kl[name], fixed_loss[name]] for name in losses},
        )
    )
)

# %% [markdown]
# 새 데이터가 들어오지 않으면 ‘체인이 없으니 안정적이다’는 맞지 않는다. 정확한 $Z$와 스코어 매칭은 KL이 학습 전의 여러
# 배로 커지고, 그동안 손실은 0 아래로 내려간다. 이 두 손실에는 [바닥이 없기](../energy/training.md#stability) 때문이다.
# NCE의 손실은 교차 엔트로피(cross-entropy), DSM의 손실은 제곱이므로 바닥이 0이다. 그래도 점을 외우는 일까지 막지는
# 못한다. DSM은 이 점들에서 학습 전보다 나빠지고, NCE도 오래 학습하면 [나빠진다](#amount). 손실에 바닥이 있다고 해서
# 모델이 참 분포에 가까워지는 것은 아니다.
#
# 그래서 학습이 안정적이라는 글의 설명에는 조건이 붙는다. 체인을 쓰지 않고, 데이터가 넉넉하고, 스코어 매칭이라면
# 학습률도 알맞아야 한다. 에너지 기반 모델이라는 틀이 안정성을 주지는 않는다.
#
# ## 데이터가 적으면 커널 밀도 추정이, 많으면 가우스 혼합이 낫다 { #amount }
#
# EBM을 NCE로 학습하며 데이터의 수만 바꾼다. 지금까지는 데이터를 끝없이 새로 뽑았지만, 여기서는 정해진 데이터를
# 반복해서 쓴다. 학습은 두 가지로 한다. 하나는 끝까지(800스텝) 학습한다. 다른 하나는 데이터의 5분의 1을
# 검증용(validation)으로 남겨 두고, 200, 400, 800스텝 가운데 검증 데이터의 가능도가 가장 높은 곳에서 멈춘다. 이를 조기
# 종료(early stopping)라 한다. 학습에는 둘 다 나머지 5분의 4만 쓴다. 비교할 모델은 성분의 수를 아는 가우스 혼합과, 교차
# 검증(cross-validation)으로 너비를 선택한 커널 밀도 추정(kernel density estimation)이다.

# %% 데이터의 수만 바꾸어 학습하는 코드 tags=["setup"]
COUNTS, STAGES = (30, 100, 300, 1000, 3000), (200, 400, 800)
test = draw(4000, generators(5000))
sets = {n: draw(n, generators(6000)) for n in COUNTS}
BANDWIDTHS = [0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4]


def kernel_density(x):
    """교차 검증으로 너비를 선택한 커널 밀도.

    데이터가 많으면 500개로 선택하고 n^(-1/6)으로 줄인다.
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
        log_noise=partial(normal_log_density, std=2.0),
    ), chains


validation, tested = [], []
for steps in STAGES:
    data_stream = generator(11)
    energy = energy_of(
        train(limited, fresh(BATCH), steps=steps, learning_rate=0.02).model
    )
    log_z = log_partition(energy, MESH, batch=(BATCH,)).detach()
    # 검증용으로 남겨 둔 점의 수가 서로 달라, 모자라면 반복해 채운 뒤
    # 그 데이터의 점만 평균한다.
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
curves["EBM, 조기 종료"] = (
    torch.stack(tested).gather(0, chosen[None])[0].view(len(COUNTS), -1)
)
curves["EBM, 끝까지"] = tested[-1].view(len(COUNTS), -1)
best = eight_gaussians_log_density(test).mean()
rows = {name: list(values) for name, values in curves.items()}
display(
    HTML(
        comparison(
            "테스트 데이터의 로그 가능도 (nat)",
            [f"{n}개" for n in COUNTS],
            rows,
        )
    )
)
print(f"참 밀도의 로그 가능도 {best:.3f}")
for place, n in enumerate(COUNTS):
    gap = paired(curves["EBM, 조기 종료"][place], curves["커널 밀도"][place])
    print(
        f"{n}개: 조기 종료한 EBM − 커널 밀도 {gap.difference:+.3f} "
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
    axis.set(xlabel="데이터의 수", ylabel="참 밀도와의 로그 가능도 차이 (nat)")
    axis.legend(fontsize=9)
display(
    HTML(
        to_img(
            figure,
            "데이터의 수에 따른, 참 밀도와의 로그 가능도 차이. 데이터가 "
            "적으면 커널 밀도가, 300개부터는 가우스 혼합이 가장 "
            "가깝다. 끝까지 학습한 EBM은 데이터가 적을 때 가장 멀고, "
            "데이터가 많으면 커널 밀도와 거의 같아진다.",
        )
    )
)

# %% [markdown]
# 데이터가 적으면 커널 밀도 추정이, 많으면 가우스 혼합이 가장 낫다. 성분의 수를 아는 혼합의 로그 가능도는 데이터
# 300개부터 가장 높고, 30개에서는 크게 떨어진다. 30개를 여덟 성분이 나누면 하나에 서너 개뿐이기 때문이다. 커널 밀도
# 추정은 30개와 100개에서 가장 높다. EBM은 어느 크기에서도 가장 높지 않고, 1000개부터 커널 밀도 추정과 평균이 거의
# 같다.
#
# 데이터가 많이 든다는 말은 끝까지 학습할 때 더 맞다. 데이터가 30개나 100개일 때 끝까지 학습하면 데이터를 외워 크게
# 나빠진다. 조기 종료하면 혼합이 크게 떨어지는 30개에서도 덜 나빠진다. 1000개를 넘으면 일찍 멈출 이유가 거의 없다.
#
# ## 학습의 설명마다 맞는 조건이 있다 { #takeaways }
#
# 다음 표는 글의 설명이 맞는 조건과 맞지 않는 조건이다.
#
# | 글의 설명 | 맞는 조건 | 맞지 않는 조건 |
# | --- | --- | --- |
# | 학습이 안정적이다 | 새 데이터로 학습하는 정확한 $Z$, NCE, DSM | CD와 PCD. 적은 데이터에서 정확한 $Z$와 스코어 매칭 |
# | 데이터가 많이 든다 | 끝까지 학습할 때 | 조기 종료하면 덜하다. 그래도 데이터가 적으면 커널 밀도 추정이 낫다 |
#
# 이 실습에는 한계가 있다. 데이터가 2차원이고 신경망이 작다. 높은 차원에서는 격자도 혼합도 쓸 수 없으므로 이 실습의
# 지표부터 쓸 수 없다. 체인을 쓰는 방법은 더 잘 조정하면 이 표보다 [낫다](energy.ipynb).
#
# ## 결론을 확인한다 { #checks }
#
# 첫머리의 결론 셋을 위의 결과로 확인한다. 하나라도 맞지 않으면 이 실습은 멈춘다.

# %%
bounded = ("NCE", "DSM (σ = 0.1)")
unbounded = ("정확한 Z", "스코어 매칭")
fresh_is_safe = all(worse[name] == 0 for name in ("정확한 Z", *bounded))
chains_fail = all(worse[name] > 0 for name in walks)
assert all([fresh_is_safe, chains_fail]), (
    "새 데이터로는 정확한 Z, NCE, DSM이 나빠지지 않고, 체인을 쓰면 나빠지는 "
    "설정이 있다"
)

floors = all((fixed_loss[name] >= 0).all() for name in bounded) and all(
    (fixed_loss[name] < 0).all() for name in unbounded
)
fixed_is_worst = min(fixed_kl[name].min() for name in unbounded) > max(
    start_kl.max(), *(fixed_kl[name].max() for name in bounded)
)
assert all([floors, fixed_is_worst]), (
    "정해진 점에서는 바닥이 없는 두 손실이 가장 크게 무너진다"
)

means = {name: values.mean(1) for name, values in curves.items()}
highest = [max(means, key=lambda name: means[name][n]) for n in range(5)]
late = (means["EBM, 조기 종료"] - means["커널 밀도"])[-2:].abs().max() < 0.01
order = highest == ["커널 밀도"] * 2 + ["가우스 8개의 혼합"] * 3
assert all([order, late]), (
    "100개까지는 커널 밀도가, 300개부터는 가우스 혼합이 가장 높다. 조기 "
    "종료한 EBM은 1000개부터 커널 밀도와 거의 같다"
)

# %% [markdown]
# ## 출처
#
# - Gutmann, M. & Hyvärinen, A. (2010). *Noise-Contrastive Estimation*. [서지](../reference/bibliography.md#nce)
# - Hinton, G. E. (2002). *Training Products of Experts by Minimizing Contrastive Divergence*.
#   [서지](../reference/bibliography.md#cd)
# - Tieleman, T. (2008). *Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient*.
#   [서지](../reference/bibliography.md#pcd)
# - Hyvärinen, A. (2005). *Estimation of Non-Normalized Statistical Models by Score Matching*.
#   [서지](../reference/bibliography.md#hyvarinen)
# - Vincent, P. (2011). *A Connection Between Score Matching and Denoising Autoencoders*.
#   [서지](../reference/bibliography.md#vincent)
