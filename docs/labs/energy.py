# ---
# jupyter:
#   level: 심화
#   english:
#     title: "Lab: eight ways to learn an energy"
#     summary: >-
#       One network, one data set, exact KL on a grid. Exact Z and NCE come within a few thousandths of a nat; score
#       matching and short CD get the weights of modes wrong. On 30 fixed points exact Z and score matching run away.
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
# # 실습: 에너지를 학습하는 여덟 방법
#
# [에너지를 학습하는 여러 방법](../energy/training.md)에서 본 여덟 가지 방법을 같은 데이터와 같은 신경망에서 비교한다.
# 답을 아는 2차원 데이터라서 참 분포와의 KL 발산을 격자로 정확히 구할 수 있다.
#
# 여덟 방법은 정확한 $Z$, 대조 발산(contrastive divergence) CD-1과 CD-10, 이어지는 체인(persistent CD, PCD), 잡음 대조
# 추정(noise-contrastive estimation, NCE), 스코어 매칭(score matching, SM) 셋이다. 스코어 매칭은 대각합을 그대로
# 계산하는 암묵적 SM(implicit SM), 무작위 방향을 쓰는 sliced SM, 노이즈를 예측하는 노이즈 제거 스코어 매칭(denoising
# score matching, DSM)으로 나뉜다. 물음은 셋이다.
#
# 1. 어느 방법이 참 분포에 얼마나 가까이 가고, 시간이 얼마나 걸리나.
# 2. 어디서 실패하나: 봉우리의 혼합 비율, 섞이지 않는 체인, 노이즈의 세기, 체인의 길이, 노이즈의 분포.
# 3. 무엇으로 고칠 수 있나.
#
# ## 결론 셋 { #conclusions }
#
# - 참 분포에서 모델까지의 KL은 정확한 $Z$(<data value="labs/energy:정확한 Z/KL">3.4</data>)와
#   NCE(<data value="labs/energy:NCE/KL">3.5</data>)가 시드마다 나머지 여섯보다 작고,
#   CD-1(<data value="labs/energy:CD-1/KL">162.1</data>)이 가장 크다. 단위는 10⁻³ nat다([한 표에서](#한-표에)).
# - 두 봉우리가 10σ 떨어지면 정확한 $Z$와 NCE는 왼쪽의 혼합 비율 0.7을 시드마다 0.05 안에서 맞힌다. 스코어 매칭 둘은
#   시드에 따라 0.1 넘게 흩어진다([스코어 매칭은 혼합 비율을 보지 못한다](#weights)).
# - PCD의 체인에서 건너뛰기만 빼도 0.1 아래이던 KL이 1을 넘는다. 그때 상자 밖으로 벗어난 체인은 1 %가 되지 않고
#   경고도 나오지 않는다([체인이 섞이지 않으면](#mixing)).

# %% [markdown]
# ## 데이터와 지표
#
# 데이터는 반지름 2인 고리 위의 여덟 봉우리(표준 편차 0.2)에서 뽑는다. 참 분포의 엔트로피는 1.698 nat다. 에너지 모델은
# 학습 스텝마다 새로 뽑은 데이터를 쓴다. 그래서 데이터가 부족해서 생기는 차이는 여기서 보지 않는다. 신경망은 모두 같다.
# 사인과 코사인 특징(진동수 3까지) 위에 너비 128의 층 하나를 두고, 멀리서 에너지를 높이는 가둠 항(confining term)
# $\lVert x \rVert^2 / 2$를 더한다. 시드 3개를 한 묶음으로 학습하고, 네 값을 잰다.
#
# - **KL**: $[-5, 5]^2$를 200×200으로 나눈 격자에서 잰, 참 분포에서 모델까지의 KL 발산. 단위는 10⁻³ nat다.
# - **로그 가능도**: 학습에 쓰지 않은 데이터 5000개에서. 참 분포의 로그 가능도를 함께 적는다.
# - **빈 곳**: 어느 봉우리에서도 3.5σ보다 먼 곳에 모델이 둔 질량. 참 분포에서는 $e^{-3.5^2/2} = 0.002$다.
# - **비율 오차**: 봉우리마다의 혼합 비율이 1/8에서 벗어난 정도.

# %% 들여오기와 지표 tags=["setup"]
import math
import time
import warnings

import torch
from IPython.display import HTML, display
from sklearn.mixture import GaussianMixture

from mgk_docs_src.data import (
    eight_gaussians,
    eight_gaussians_centres,
    eight_gaussians_log_density,
)
from mgk_docs_src.energy.models import (
    boltzmann,
    evaluate,
    grid,
    negative_log_likelihood,
)
from mgk_docs_src.energy.training import (
    contrastive_divergence,
    create,
    energy_of,
    grid_divergence,
    negative_phase,
    train,
)
from mgk_docs_src.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    panels,
    separate,
    side_by_side,
    to_img,
)
from mgk_docs_src.labs.energy import (
    contrastive,
    denoising,
    matching,
    maximum_likelihood,
    noise_contrast,
    persistent,
    sliced,
    two_peaks,
)
from mgk_docs_src.labs.tables import comparison, paired, record
from mgk_docs_src.random import generator, randn

torch.set_num_threads(1)
SEEDS = 3
FINE = grid(-5.0, 5.0, 200)  # 잴 때 쓰는 격자
BOX = grid(
    -4.0, 4.0, 40
)  # 최대 가능도를 학습할 때 쓰는 격자. 칸의 너비가 봉우리의 표준 편차와 같다
TRUTH = eight_gaussians_log_density(FINE.points)
HELD_OUT = eight_gaussians(5000, generator=generator(999))


def source(seed=0):
    """부를 때마다 시드마다 새 데이터 n개."""
    g = generator(seed)
    return lambda n: eight_gaussians(SEEDS * n, generator=g).view(SEEDS, n, 2)


def scattered(n):
    """PCD의 처음 체인. 넓게 흩뿌린다."""
    return 1.6 * randn(SEEDS, n, 2, generator=generator(3))


def fit(
    objective,
    chains=None,
    *,
    steps,
    learning_rate=0.02,
    seeds=SEEDS,
    radius=1.0,
):
    """학습한 결과. 초기 가중치는 방법이 달라도 같다."""
    model = create(
        2, [generator(100 + seed) for seed in range(seeds)], radius=radius
    )
    return train(
        objective, model, chains, steps=steps, learning_rate=learning_rate
    )


def heights(trained, points=FINE.points):
    """정규화하지 않은 로그 밀도 −E, 시드마다."""
    return -evaluate(
        energy_of(trained.model),
        points.expand(len(trained.model.log_partition), -1, -1),
    )


def log_partition(log_model):
    return log_model.logsumexp(1) + math.log(FINE.cell)


def divergence(log_model):
    return grid_divergence(TRUTH, log_model).float()


CENTRES = eight_gaussians_centres()
DISTANCE = torch.cdist(FINE.points, CENTRES)
NEAR = DISTANCE.min(1).values < 3.5 * 0.2


def shares(log_model):
    """빈 곳을 뺀 질량 가운데 봉우리마다의 비율 (시드, 8)."""
    mass = log_model.double().softmax(-1)
    each = torch.stack(
        [mass[:, NEAR & (DISTANCE.argmin(1) == k)].sum(1) for k in range(8)], 1
    )
    return each / each.sum(1, keepdim=True)


def unevenness(log_model):
    return ((shares(log_model) - 1 / 8).abs().sum(1) / 2).float()


def measure(log_model, likelihood):
    mass = log_model.double().softmax(-1)
    return [
        1000 * divergence(log_model),
        likelihood,
        mass[:, ~NEAR].sum(1).float(),
        unevenness(log_model),
    ]


# %% [markdown]
# ## 여덟 방법을 한 표에서 비교한다 { #한-표에 }
#
# 스텝 수와 배치는 방법마다 다르다. 한 스텝의 비용이 방법마다 달라서, 시드 하나에 드는 시간이 몇 초를 넘지 않게 맞추었기
# 때문이다. 학습률, 체인의 스텝 크기, 노이즈의 너비는 **이 데이터에서** 몇 가지를 돌려 보고 정했고 그 기록은 없다.
# 그러니 아래의 순서는 이 설정에서의 순서이고, 설정을 얼마나 잘 정했는지도 순서에 영향을 준다. 체인은 MALA이고 $\epsilon
# = 0.08$이다. PCD는 학습 스텝마다 체인 256개를 MALA로 한 스텝 옮기고, 그에 앞서 $\mathcal{N}(0, 1.6^2 I)$에서 뽑은
# 곳으로 건너뛰기를 한 번 제안한다. DSM은 노이즈를 ±로 쌍지었다.
#
# 가우스 혼합과 커널 밀도 추정(kernel density estimation, KDE)은 비교를 위한 모델이고 에너지 모델이 아니다. 데이터
# 8192개로 학습했다. 혼합은 데이터가 가우스 봉우리 여덟 개라는 사실을 미리 아는 셈이다.

# %% 여덟 방법을 학습하는 코드 tags=["setup"]
RUNS = {
    "정확한 Z": (
        maximum_likelihood(source(), BOX, batch_size=512),
        None,
        600,
        0.03,
    ),
    "NCE": (
        noise_contrast(
            source(), batch_size=512, spread=1.6, generator=generator(7)
        ),
        None,
        1000,
        0.03,
    ),
    "PCD": (
        persistent(
            source(),
            batch_size=256,
            step_size=0.08,
            spread=1.6,
            generator=generator(7),
        ),
        scattered(256),
        1000,
        0.02,
    ),
    "암묵적 SM": (matching(source(), batch_size=1024), None, 400, 0.02),
    "sliced SM": (
        sliced(source(), batch_size=1024, generator=generator(7)),
        None,
        500,
        0.02,
    ),
    "CD-10": (
        contrastive(
            source(),
            batch_size=512,
            k=10,
            step_size=0.08,
            generator=generator(7),
        ),
        None,
        250,
        0.02,
    ),
    "DSM (σ = 0.1)": (
        denoising(
            source(), batch_size=1024, sigma=0.1, generator=generator(7)
        ),
        None,
        600,
        0.02,
    ),
    "CD-1": (
        contrastive(
            source(),
            batch_size=512,
            k=1,
            step_size=0.08,
            generator=generator(7),
        ),
        None,
        250,
        0.02,
    ),
}
fitted, rows, seconds = {}, {}, {}
for name, (objective, chains, steps, rate) in RUNS.items():
    began = time.process_time()
    fitted[name] = fit(objective, chains, steps=steps, learning_rate=rate)
    seconds[name] = (time.process_time() - began) / SEEDS
    log_model = heights(fitted[name])
    rows[name] = measure(
        log_model,
        heights(fitted[name], HELD_OUT).mean(1) - log_partition(log_model),
    )

# %% 비교할 두 모델과 표를 만드는 코드 tags=["setup", "summary"]
BANDWIDTH = 0.07


def kernel_density(data):
    """KDE의 격자 위 로그 밀도와 HELD_OUT의 로그 가능도.

    커널이 축마다 나뉘므로 격자에서는 행렬의 곱이다.
    """
    axis = FINE.points.view(200, 200, 2)[:, 0, 0].double()
    first, second = (
        torch.exp(-(((axis[:, None] - column) / BANDWIDTH) ** 2) / 2)
        for column in data.double().T
    )
    log_model = (first @ second.T).flatten().clamp(min=1e-300).log()
    each = -((torch.cdist(HELD_OUT, data) / BANDWIDTH) ** 2) / 2
    return log_model, each.logsumexp(1).mean() - math.log(
        2 * math.pi * BANDWIDTH**2 * len(data)
    )


def mixture(data, seed):
    """봉우리가 여덟이라고 알려 준 가우스 혼합."""
    model = GaussianMixture(8, random_state=seed, n_init=2).fit(data.cpu())
    everywhere, held_out = (
        torch.tensor(model.score_samples(points.cpu()))
        for points in (FINE.points, HELD_OUT)
    )
    return everywhere, held_out.mean()


training = [
    eight_gaussians(8192, generator=generator(500 + seed))
    for seed in range(SEEDS)
]
for name, results in {
    "가우스 혼합 8개": [
        mixture(data, seed) for seed, data in enumerate(training)
    ],
    "KDE (폭 0.07)": [kernel_density(data) for data in training],
}.items():
    log_models, likelihoods = (
        torch.stack(values) for values in zip(*results, strict=True)
    )
    rows[name] = measure(log_models, likelihoods)

COLUMNS = ["KL (10⁻³ nat)", "로그 가능도", "빈 곳", "비율 오차"]
display(HTML(comparison("여덟 봉우리, 시드 3개", COLUMNS, rows)))
print(
    f"참 분포의 로그 가능도 {eight_gaussians_log_density(HELD_OUT).mean():.4f}"
)
for name, (kl, *_) in rows.items():
    spent = f", 시드 하나에 {seconds[name]:.1f}초" if name in seconds else ""
    print(f"{name}: KL {kl.min():.1f}–{kl.max():.1f} × 10⁻³ nat{spent}")
    record(f"{name}/KL", kl.mean())
# KL = KL(참 비율 ‖ 모델의 비율) + 나머지. 첫 항이 혼합 비율의 오차다.
wrong_share = {
    name: -1000 * (8 * shares(heights(trained))).log().mean(1)
    for name, trained in fitted.items()
}
for name, value in wrong_share.items():
    part = value.mean() / rows[name][0].mean()
    print(f"{name}: KL 가운데 혼합 비율의 오차 {part:.0%}")
    record(f"{name}/비율 때문", part)
tie = paired(rows["NCE"][0], rows["정확한 Z"][0])
print(
    f"NCE − 정확한 Z: {tie.difference:+.2f} [{tie.low:+.2f}, {tie.high:+.2f}]"
)
for name, place in (("빈 곳", 2), ("비율 오차", 3)):
    record(f"PCD/{name}", rows["PCD"][place].mean())
uneven = [float(rows[name][3].mean()) for name in RUNS]
record("비율 오차/스코어 매칭과 CD", min(uneven[3:]), max(uneven[3:]))

# %% [markdown]
# **$Z$를 계산하거나 함께 학습하면 참 분포에 거의 이른다.** 정확한 $Z$와 NCE의 KL은
# <data value="labs/energy:정확한 Z/KL">3.4</data>와 <data value="labs/energy:NCE/KL">3.5</data>(10⁻³ nat)로 거의 같다.
# 가우스 봉우리가 여덟 개라는 답을 알려 준 혼합의
# 평균(<data value="labs/energy:가우스 혼합 8개/KL">2.3</data>)이 조금 더 작다. NCE는 격자도 체인도 두 번 미분도 쓰지
# 않고 이만큼 가까이 간다. 다만 [노이즈를 잘 정했을 때](#nce-noise)의 결과다.
#
# 평균으로는 PCD(<data value="labs/energy:PCD/KL">15.5</data>)가 그다음이다. 비율 오차는
# <data value="labs/energy:PCD/비율 오차">0.018</data>이고, 빈 곳에 <data value="labs/energy:PCD/빈 곳">0.008</data>의
# 질량을 두었다. 이 결과는 [건너뛰기](#mixing)가 있을 때만 나온다.
#
# **스코어 매칭과 CD는 혼합 비율을 틀린다.** 비율 오차가
# <data value="labs/energy:비율 오차/스코어 매칭과 CD">0.06에서 0.21</data> 사이로 앞의 셋보다 크다. KL 가운데 혼합
# 비율을 틀려서 생긴 부분이 CD-1에서 <data value="labs/energy:CD-1/비율 때문">90 %</data>, 암묵적 SM에서
# <data value="labs/energy:암묵적 SM/비율 때문">81 %</data>, DSM에서
# <data value="labs/energy:DSM (σ = 0.1)/비율 때문">41 %</data>다. 스코어 매칭과 CD는 모두 데이터 가까이만 본다. 봉우리
# 사이에는 데이터가 거의 없어, 어느 봉우리가 더 높은지 알려 주는 정보가 드물다.
#
# KDE의 평균은 <data value="labs/energy:KDE (폭 0.07)/KL">18.1</data>이다. 에너지 모델 가운데 평균이 KDE보다 작은
# 방법은 정확한 $Z$, NCE, PCD뿐이다. 그것도 KDE는 데이터를 8192개만 쓰고 에너지 모델은 스텝마다 새로 뽑은 결과다. 따라서
# 2차원에서는 정확도만으로 에너지 모델을 쓸 이유가 없다.

# %% 그림을 그리는 코드 tags=["setup"]
shown = ("정확한 Z", "NCE", "PCD", "암묵적 SM", "CD-1")
picture = grid(-3.0, 3.0, 36)
drawn = [("참 분포", eight_gaussians_log_density(picture.points))]
drawn += [
    (
        f"{name}, KL {rows[name][0].max() / 1000:.3f}",
        heights(fitted[name], picture.points)[rows[name][0].argmax()],
    )
    for name in shown
]
COLORS = (INK, BLUE, GREEN, PURPLE, ORANGE, ORANGE)
with separate(len(drawn), width=2.2, height=2.2) as places:
    for (_, cell), (name, height), color in zip(
        places, drawn, COLORS, strict=True
    ):
        x, y, level = (
            value.view(36, 36).cpu()
            for value in (*picture.points.unbind(1), height.max() - height)
        )
        cell.contour(
            x, y, level, levels=[1.0, 4.0, 9.0], colors=color, linewidths=1
        )
        cell.set(aspect="equal", xlim=(-3, 3), ylim=(-3, 3))
        cell.set_title(name, fontsize=10)
told = (
    "여덟 봉우리가 고리로 놓이고, 고리 안쪽이 높다.",
    *(3 * ["여덟 봉우리의 깊이가 같아 보인다."]),
    "여덟 봉우리의 깊이가 조금씩 다르다.",
    "봉우리마다 깊이가 뚜렷이 다르다.",
)
pictures = [
    (figure, f"{name}: 에너지의 등고선. {what}")
    for (figure, _), (name, _), what in zip(places, drawn, told, strict=True)
]
display(HTML(side_by_side(pictures)))

# %% [markdown]
# ## 스코어 매칭은 혼합 비율을 보지 못한다 { #weights }
#
# 혼합 비율이 왼쪽 0.7, 오른쪽 0.3인 두 봉우리(표준 편차 0.4)로 바꾸어, 가까울 때(4σ)와 멀 때(10σ)를 비교한다.
# 멀어지면 스코어 매칭의 손실은 혼합 비율에 거의 의존하지 않는다([에너지를 학습하는 여러
# 방법](../energy/training.md)).

# %%
DISTANCES = (1.6, 4.0)


def pairs():
    """왼쪽의 혼합 비율이 0.7인 두 봉우리.

    앞의 시드 셋은 4σ, 뒤의 셋은 10σ 떨어져 있다.
    """
    g = generator(0)
    return lambda n: torch.cat(
        [
            two_peaks(
                (SEEDS, n), share=0.7, distance=distance, std=0.4, generator=g
            )
            for distance in DISTANCES
        ]
    )


BLIND = {
    "정확한 Z": maximum_likelihood(pairs(), BOX, batch_size=256),
    "NCE": noise_contrast(
        pairs(), batch_size=256, spread=1.6, generator=generator(7)
    ),
    "암묵적 SM": matching(pairs(), batch_size=256),
    "DSM (σ = 0.1)": denoising(
        pairs(), batch_size=256, sigma=0.1, generator=generator(7)
    ),
}
left = {}
for name, objective in BLIND.items():
    mass = (
        heights(fit(objective, steps=200, seeds=2 * SEEDS))
        .double()
        .softmax(-1)
    )
    left[name] = mass[:, FINE.points[:, 0] < 0].sum(1).view(2, SEEDS)
    for distance, share in zip(DISTANCES, left[name], strict=True):
        each = ", ".join(f"{one:.2f}" for one in share)
        print(
            f"{name}, {distance / 0.4:.0f}σ: 왼쪽 비율 {share.mean():.3f} ± "
            f"{share.std():.3f} ({each})"
        )
near, far = (
    torch.stack([share[row] for share in left.values()]) for row in (0, 1)
)
record("4σ/비율", near.min(), near.max())
record("10σ/Z를 아는 둘", *far[:2].mean(1))
record("10σ/스코어 매칭", far[2:].min(), far[2:].max())

# %% 그림을 그리는 코드 tags=["setup"]
with panels(height=2.6) as (figure, (axes,)):
    for row, (distance, color) in enumerate(
        zip(DISTANCES, (BLUE, ORANGE), strict=True)
    ):
        for place, share in enumerate(left.values()):
            where = [place + (row - 0.5) * 0.3] * SEEDS
            label = f"거리 {distance / 0.4:.0f}σ" if place == 0 else None
            axes.plot(
                where,
                share[row].cpu(),
                "o",
                color=color,
                markersize=5,
                label=label,
            )
    axes.axhline(0.7, color=FAINT, linestyle="--")
    axes.set_xticks(range(4), left)
    axes.set(ylabel="학습한 왼쪽 비율", ylim=(0.3, 1.0))
    axes.legend(loc="lower left")
display(
    HTML(
        to_img(
            figure,
            "네 방법이 학습한 왼쪽 봉우리의 비율, 시드마다 점 하나. 정확한 Z와 "
            "NCE는 두 거리에서 모두 0.7 가까이에 모이고, "
            f"스코어 매칭 둘은 10σ에서 {far[2:].min():.2f}와 "
            f"{far[2:].max():.2f} 사이로 흩어진다.",
        )
    )
)

# %% [markdown]
# **가까우면 모두 맞히고, 멀면 스코어 매칭만 틀린다.** 4σ에서는 네 방법의 모든 시드가
# <data value="labs/energy:4σ/비율">0.68과 0.71</data> 사이다. 10σ에서 정확한 $Z$와 NCE의 평균은
# <data value="labs/energy:10σ/Z를 아는 둘">0.72와 0.71</data>인데, 스코어 매칭 둘은 시드에 따라
# <data value="labs/energy:10σ/스코어 매칭">0.68에서 0.88까지</data> 흩어진다. 손실이 [혼합 비율에 거의 의존하지
# 않으니](../energy/training.md#mode-weights) 손실만 보아서는 어느 시드가 맞는지 알 수 없다.
#
# 고치려면 봉우리 사이를 볼 수 있는 손실을 쓴다. 최대 가능도와 NCE가 그렇다.
#
# ## 체인이 섞이지 않으면 에너지 차가 작아도 무너진다 { #mixing }
#
# PCD의 체인을 돕는 장치는 건너뛰기, 가둠 항, 채택·기각 단계의 셋이다. 하나씩 빼고, 건너뛰기와 함께 둘씩도 뺀다. 학습은
# 250스텝씩이다. KL은 격자 안에서만 잰 값이라, 격자 밖의 질량은 세지 않는다.

# %%
NAIVE = {
    "모두 있음": {"spread": 1.6},
    "가둠 항 없이": {"spread": 1.6},
    "채택·기각 없이": {"spread": 1.6, "metropolis": False},
    "건너뛰기 없이": {"spread": None},
    "건너뛰기와 가둠 항 없이": {"spread": None},
    "건너뛰기와 채택·기각 없이": {"spread": None, "metropolis": False},
    "건너뛰기와 채택·기각 없이, ε = 0.3": {
        "step_size": 0.3,
        "spread": None,
        "metropolis": False,
    },
}
paths, kls, escaped, warned = {}, {}, {}, {}
for name, knobs in NAIVE.items():
    objective = persistent(
        source(),
        batch_size=256,
        generator=generator(7),
        **({"step_size": 0.08} | knobs),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trained = fit(
            objective,
            scattered(256),
            steps=250,
            radius=100.0 if "가둠 항" in name else 1.0,
        )
    kl, outside = (
        divergence(heights(trained)),
        (trained.chains.abs().amax(-1) > 4).float().mean(),
    )
    kls[name], escaped[name], warned[name] = kl, float(outside), len(caught)
    paths[name] = (
        trained.losses.mean(1).unflatten(0, (25, 10)).mean(1)
    )  # 10스텝씩 평균
    print(
        f"{name}: KL {kl.mean():.2f} ± {kl.std():.2f}, 상자 [-4, 4]² 밖의 "
        f"체인 {outside:.0%}, "
        f"끝의 에너지 차 {paths[name][-1]:.1f}, 경고 {len(caught)}번"
    )
    record(f"{name}/KL", kl.mean())
    record(f"{name}/밖", outside)

# %% 그림을 그리는 코드 tags=["setup"]
with panels(height=3.8) as (figure, (axes,)):
    for (name, path), color in zip(
        paths.items(),
        (BLUE, GREEN, ORANGE, BLUE, GREEN, ORANGE, PURPLE),
        strict=True,
    ):
        line = "--" if name.startswith("건너뛰기") else "-"
        axes.plot(
            range(5, 250, 10),
            -path.clamp(max=-0.1),
            line,
            color=color,
            label=name,
        )
    axes.set_yscale("log")
    axes.set_yticks(
        [0.1, 1, 10, 100, 1000], ["≤ 0.1", "1", "10", "100", "1000"]
    )
    axes.minorticks_off()
    axes.set(xlabel="학습 스텝", ylabel="체인의 에너지 − 데이터의 에너지")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
display(
    HTML(
        to_img(
            figure,
            "학습 스텝에 따른 체인과 데이터의 에너지 차. 채택·기각 단계를 빼면 "
            "있을 때보다 커지고, 스텝까지 키우면 가장 크다.",
        )
    )
)

# %% [markdown]
# **에너지 차가 작아도 틀릴 수 있다.** 건너뛰기만 빼면 체인이 멀리 벗어나지도, 에너지 차가 커지지도 않는다. 그런데
# KL이 <data value="labs/energy:모두 있음/KL">0.07</data>에서 <data value="labs/energy:건너뛰기 없이/KL">8.1</data>로
# 커진다. 체인이 처음 놓인 봉우리에 갇히기 때문이다. 체인이 없는 봉우리의 에너지는 올라가지 않고, 체인이 많은 봉우리의
# 에너지는 계속 올라간다. 손실의 곡선만 보면 학습이 잘되는 것처럼 보인다.
#
# 채택·기각 단계가 없으면 건너뛰기와 가둠 항이 있어도 KL이 <data value="labs/energy:채택·기각 없이/KL">11.3</data>이고
# 체인의 <data value="labs/energy:채택·기각 없이/밖">66 %</data>가 상자 밖에 있다. 스텝이 에너지의 곡률에 비해 크면
# 체인이 튕겨 나간다. 참 분포에서는 $\epsilon$이 $4\sigma^2 = 0.16$을 넘으면 안정하지 않다. 0.08은 참 분포에서는
# 안정하지만, 학습 도중의 에너지는 참 에너지보다 가팔라질 수 있다.
#
# 가둠 항은 건너뛰기가 있으면 없어도 된다(KL <data value="labs/energy:가둠 항 없이/KL">0.06</data>). 건너뛰기까지
# 없으면 체인의 <data value="labs/energy:건너뛰기와 가둠 항 없이/밖">14 %</data>가 상자 밖에 남는다. 신경망의 출력은
# 먼 곳에서도 끝없이 커지지 않아, 멀리 밀려난 체인을 안쪽으로 돌려보내지 못한다.
#
# **경고가 없다고 잘 학습한 것은 아니다.** `contrastive_divergence`는 에너지 차가 1000을 넘으면 경고한다. 무너진 다섯
# 가운데 경고가 나온 실험은 스텝까지 키운 하나뿐이다. 체인이 봉우리마다 있는지, 표본이 데이터와 비슷한지를 따로
# 확인한다.
#
# 이 데이터에서는 멀리 건너뛰는 제안과 채택·기각 단계가 둘 다 있는 두 행만 제대로 학습한다.
#
# ## DSM의 σ는 편향과 분산을 함께 정한다
#
# 데이터가 같을 때 σ만 바꾸고, 노이즈를 쌍짓는지도 바꾼다. 학습은 250스텝, 스텝마다 512개다. 평활화된 밀도를 완벽하게
# 학습하더라도 남는 KL을 함께 적는다.

# %%
for sigma, twins in ((0.03, True), (0.03, False), (0.1, True), (0.3, True)):
    g = generator(7)
    log_model = heights(
        fit(
            denoising(
                source(),
                batch_size=512,
                sigma=sigma,
                antithetic=twins,
                generator=g,
            ),
            steps=250,
        )
    )
    kl, tilt = divergence(log_model), unevenness(log_model)
    print(
        f"σ = {sigma:g}, {'±로 쌍지음' if twins else '쌍짓지 않음'}: KL "
        f"{kl.mean():.3f} ± {kl.std():.3f}, 비율 오차 {tilt.mean():.3f}"
    )
    record(f"DSM/{sigma:g}/{twins}", kl.mean(), tilt.mean())
for sigma in (0.03, 0.1, 0.3):
    near = -(DISTANCE**2) / (2 * (0.2**2 + sigma**2))
    print(
        f"σ = {sigma:g}: 완벽하게 학습해도 남는 KL "
        f"{grid_divergence(TRUTH, near.logsumexp(1)).item():.3f}"
    )

# %% [markdown]
# σ = 0.3이면 KL의 거의 모두가 편향이라, 더 학습해도 거의 줄지 않는다. σ = 0.03이면 편향은 없지만 KL이 0.1에서보다
# 크고, 쌍짓지 않으면 더 크다. **σ는 편향과 분산만이 아니라, 혼합 비율을 얼마나 볼 수 있는지도 정한다.** 쌍지은 세
# 결과에서 σ가 클수록 비율 오차가 작다. σ가 크면 봉우리 사이에도 점이 생기기 때문이다.
#
# ## CD의 $k$가 커지면 기울기의 오차가 천천히 줄어든다
#
# 60스텝만 학습한 모델을 고정하고, CD-$k$의 기울기가 격자로 구한 정확한 기울기와 얼마나 다른지 잰다. 체인은 데이터
# 8192개에서 출발한다. 체인 대신 모델의 정확한 표본을 8192개 뽑아도 오차는 남는다. 이 하한을 바닥이라 부른다.

# %%
half = fit(
    maximum_likelihood(source(), BOX, batch_size=512),
    steps=60,
    learning_rate=0.03,
).model
leaves = [
    value.requires_grad_()
    for value in (*half.networks.weights, *half.networks.biases)
]
energy, data = energy_of(half), source(5)(8192)


def slope(loss):
    return torch.cat(
        [part.flatten(1) for part in torch.autograd.grad(loss.sum(), leaves)],
        1,
    )


def compare(name, samples):
    error = (
        slope(contrastive_divergence(energy, data, samples)) - exact
    ).norm(dim=1) / exact.norm(dim=1)
    print(f"{name}: 기울기의 상대 오차 {error.mean():.2f} ± {error.std():.2f}")
    return float(error.mean())


exact = slope(negative_log_likelihood(energy, data, grid(-5.0, 5.0, 100)))
position, walked, g = data, 0, generator(8)
for k in (1, 3, 10, 30):
    chain = negative_phase(
        energy, position, k=k - walked, step_size=0.08, generator=g
    )
    position, walked = chain.position, k
    record(f"CD/{k}", compare(f"k = {k}", position))
print(f"채택률 {chain.acceptance.mean():.2f}")
mass = boltzmann(evaluate(energy, FINE.points.expand(SEEDS, -1, -1)))
picked = torch.multinomial(
    mass.cpu(), 8192, replacement=True, generator=generator(9)
)
floor = compare("격자에서 뽑은 정확한 표본", FINE.points[picked])

# %% [markdown]
# $k$가 커지면 바닥 쪽으로 내려가지만 느리다. $k = 10$에서 상대 오차가 아직
# <data value="labs/energy:CD/10">0.52</data>다. 모델이 데이터에서 먼 곳에 만든 골짜기까지 체인이 가지 못하기 때문이다.
# 그런데도 CD-10으로 끝까지 학습하면 <data value="labs/energy:CD-10/KL">26.0</data> × 10⁻³ nat까지 간다. **기울기 추정에
# 편향이 있어도, 추정한 기울기가 0이 되는 점이 참 모델에 가까우면 학습은 성공할 수 있다.** 모델이 데이터의 분포와 같으면
# MALA를 몇 스텝 옮기든 분포가 그대로라 기울기의 기댓값이 0이다.
#
# ## NCE의 노이즈는 데이터를 덮어야 한다 { #nce-noise }
#
# 노이즈의 너비만 바꾼다. 학습은 300스텝, 스텝마다 데이터 256개와 노이즈 256개다.

# %%
for spread in (0.7, 1.6, 8.0):
    trained = fit(
        noise_contrast(
            source(), batch_size=256, spread=spread, generator=generator(7)
        ),
        steps=300,
        learning_rate=0.03,
    )
    kl, c = divergence(heights(trained)), trained.model.log_partition
    log_z = log_partition(heights(trained))
    print(
        f"노이즈의 너비 {spread:g}: KL {kl.mean():.3f} ± {kl.std():.3f}, |c − "
        f"log Z| {(c - log_z).abs().mean():.3f}"
    )

# %% [markdown]
# 노이즈가 좁으면(0.7) 고리 위에 노이즈가 거의 오지 않는다. 비교할 표본이 없는 곳에서는 분류기가 학습할 정보가 없고,
# 상수 $c$도 틀린다. 넓은 쪽(8)은 오차가 작다. **여기서는 넓은 노이즈가 좁은 노이즈보다 낫다.** 차원이 높으면 데이터를
# 덮으면서 데이터와 닮은 노이즈 분포를 찾기 어렵다는 점이 NCE의 한계다.
#
# ## 데이터 30개만 반복해서 보면 두 손실이 무너진다 { #fixed }
#
# 지금까지는 학습 스텝마다 데이터를 새로 뽑았다. 이번에는 시드마다 데이터 30개를 뽑아 놓고 그 30개로만 400스텝 학습한다.
# 체인을 쓰지 않는 손실에도 바닥이 없을 수 있다. 정확한 $Z$와 암묵적·sliced 스코어 매칭의 손실은 데이터의 점마다
# 좁은 우물을 파면 끝없이 내려간다. NCE와 DSM의 손실은 0보다 작아지지 않는다.

# %%
FEW = eight_gaussians(SEEDS * 30, generator=generator(0)).view(SEEDS, 30, 2)


def few(_):
    return FEW


FIXED = {
    "정확한 Z": maximum_likelihood(few, BOX, batch_size=30),
    "암묵적 SM": matching(few, batch_size=30),
    "sliced SM": sliced(few, batch_size=30, generator=generator(7)),
    "NCE": noise_contrast(
        few, batch_size=30, spread=1.6, generator=generator(7)
    ),
    "DSM (σ = 0.1)": denoising(
        few, batch_size=30, sigma=0.1, generator=generator(7)
    ),
}
untrained = create(2, [generator(100 + seed) for seed in range(SEEDS)])
before = grid_divergence(
    TRUTH,
    -evaluate(energy_of(untrained), FINE.points.expand(SEEDS, -1, -1)),
)
print(f"학습 전의 KL {before.min():.2f}–{before.max():.2f}")
record("학습 전/KL", before.min(), before.max())
lowest, after = {}, {}
for name, objective in FIXED.items():
    trained = fit(objective, steps=400)
    lowest[name], after[name] = (
        trained.losses[-1],
        divergence(heights(trained)),
    )
    if name == "정확한 Z":
        finer = negative_log_likelihood(energy_of(trained.model), FEW, FINE)
    print(
        f"{name}: 손실 {trained.losses[0].mean():.2f} → "
        f"{lowest[name].min():.2f}–{lowest[name].max():.2f}, "
        f"KL {after[name].min():.2f}–{after[name].max():.2f}"
    )
    record(f"30개/{name}", after[name].min(), after[name].max())
print(f"정확한 Z의 손실을 촘촘한 격자로: {finer.min():.1f}–{finer.max():.1f}")
record("30개/촘촘한 격자", finer.min(), finer.max())

# %% [markdown]
# **손실은 내려가는데 KL은 오른다.** 학습 전의 KL은 <data value="labs/energy:학습 전/KL">2.0–2.2</data>인데 정확한
# $Z$는 <data value="labs/energy:30개/정확한 Z">24.7–49.1</data>, 암묵적 SM은
# <data value="labs/energy:30개/암묵적 SM">149.0–199.1</data>에서 끝난다. 둘의 손실은 0 아래로 내려간다. 정확한 $Z$의
# 격자(칸의 너비 0.2)는 칸보다 좁은 우물을 보지 못한다. 같은 모델의 손실을 네 배 촘촘한 격자로 계산하면
# <data value="labs/energy:30개/촘촘한 격자">6.4–23.2</data>이다. NCE는
# <data value="labs/energy:30개/NCE">1.2–1.4</data>, DSM은
# <data value="labs/energy:30개/DSM (σ = 0.1)">2.3–3.7</data>이다. 둘의 손실은 0 아래로 내려가지 못한다. 그렇다고
# 과적합이 없지는 않아서, 30개로 학습한 KL은 데이터를 새로 뽑을 때보다 훨씬 크다. 데이터가 적으면 검증 데이터의 값을
# 보고 일찍 멈춘다.
#
# ## 어느 방법을 선택할까
#
# 이 실습의 결과를 하고 싶은 일마다 정리했다.
#
# | 하고 싶은 일 | 이 실습에서 나은 방법 |
# | --- | --- |
# | 2차원쯤이고 격자를 만들 수 있다 | 정확한 $Z$ |
# | 데이터를 덮는 노이즈의 밀도를 안다 | NCE. 로그 분배 함수까지 나온다 |
# | 노이즈도 격자도 없다 | 건너뛰는 PCD. 체인이 섞이는지 따로 살핀다 |
# | 스코어만 있으면 된다(표본을 고치기, 노이즈 제거) | DSM. 두 번 미분하지 않는다 |
# | 봉우리의 혼합 비율이 중요하다 | 스코어 매칭과 짧은 CD는 피한다 |
#
# **이 실습의 한계.** 2차원 데이터 하나로만 비교했다. 격자는 차원이 조금만 커도 만들 수 없고, 건너뛰기의 제안도 NCE의
# 노이즈도 차원이 높으면 거의 모두 빗나간다. 여기서 KL이 작은 셋이 높은 차원에서도 그렇다는 뜻은 아니다. 데이터를 끝없이
# 뽑았으므로 과적합은 [데이터 30개의 절](#fixed)에서만 보았다. 시드는 셋뿐이라 비슷한 방법끼리의 순서는 믿기 어렵다.
#
# ## 결론을 확인한다 { #checks }
#
# 맨 위의 결론 셋을 이 실습이 낸 수로 하나씩 확인한다. 어긋나면 여기서 멈춘다.

# %%
kl = {name: rows[name][0] for name in RUNS}
best = torch.cat([kl["정확한 Z"], kl["NCE"]])
rest = torch.cat(
    [kl[name] for name in RUNS if name not in ("정확한 Z", "NCE")]
)
assert all(
    [
        best.max() < rest.min(),
        kl["CD-1"].mean() == max(value.mean() for value in kl.values()),
    ]
), "정확한 Z와 NCE의 KL이 나머지보다 작고, CD-1이 가장 크다"

assert all(
    [
        (far[:2] - 0.7).abs().max() < 0.05,
        *(share.max() - share.min() > 0.1 for share in far[2:]),
    ]
), "10σ에서 정확한 Z와 NCE는 혼합 비율을 맞히고, 스코어 매칭은 흩어진다"

assert all(
    [
        kls["모두 있음"].max() < 0.1,
        kls["건너뛰기 없이"].min() > 1,
        escaped["건너뛰기 없이"] < 0.01,
        warned["건너뛰기 없이"] == 0,
    ]
), "건너뛰기만 빼도 KL이 커지는데, 체인도 벗어나지 않고 경고도 없다"

# %% [markdown]
# ## 출처
#
# - Hinton, G. (2002). *Training Products of Experts by Minimizing Contrastive Divergence*.
#   [서지](../reference/bibliography.md#cd)
# - Tieleman, T. (2008). *Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient*.
#   [서지](../reference/bibliography.md#pcd)
# - Hyvärinen, A. (2005). *Estimation of Non-Normalized Statistical Models by Score Matching*.
#   [서지](../reference/bibliography.md#hyvarinen)
# - Song, Y. 외 (2019). *Sliced Score Matching*. [서지](../reference/bibliography.md#ssm)
# - Vincent, P. (2011). *A Connection Between Score Matching and Denoising Autoencoders*.
#   [서지](../reference/bibliography.md#vincent)
# - Gutmann, M. & Hyvärinen, A. (2010). *Noise-Contrastive Estimation*. [서지](../reference/bibliography.md#nce)
# - Wenliang, L. & Kanagawa, H. (2020). *Blindness of Score-Based Methods to Isolated Components and Mixing
#   Proportions*.
