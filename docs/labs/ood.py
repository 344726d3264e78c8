# ---
# jupyter:
#   level: 중급
#   english:
#     title: "Lab: noticing unseen digits"
#     summary: >-
#       An energy learnt from digits 0–4 notices 5–9 with an AUROC of 0.987, no better than nearest neighbours, which
#       learn nothing. Blank images may pass and inputs made to fool it do; its gradient finds flipped pixels.
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
# # 실습: 처음 보는 숫자 알아보기
#
# 에너지 모델은 본 적 없는 것에 높은 에너지를 준다고 한다. 숫자 0–4만 보고 배운 에너지가 5–9를 알아보는지 재고,
# 배우지 않는 잣대와 견준다.
#
# 세 가지를 더 묻는다.
#
# 1. 에너지가 낮으면 정말 아는 그림인가.
# 2. 에너지가 높을 때 어느 화소 탓인지 알 수 있나.
# 3. 자료가 적으면 누가 버티나.
#
# ## 결론 셋 { #conclusions }
#
# - 배운 에너지의 AUROC는 <data value="labs/ood:오토인코더 에너지/AUROC">0.987</data>이다. 배우지 않는 가장 가까운
#   이웃(<data value="labs/ood:가장 가까운 이웃/AUROC">0.994</data>)과의 차이는 95 % 구간이 0을 품고, 분류기의
#   자신감(<data value="labs/ood:분류기, 자신감/AUROC">0.941</data>)보다는 높다([누가 알아보나](#who)).
# - 에너지가 낮다고 아는 그림은 아니다. 기울기를 따라 내려가 찾은 것 가운데에는 배운 그림에서 먼데 에너지가 0에 가까운
#   것이 있다([에너지가 낮으면 아는 그림인가](#low)).
# - 에너지의 기울기는 뒤집은 화소 셋을 <data value="labs/ood:화소/기울기">0.995</data>로 찾고, 잉크를 지웠을 때도
#   <data value="labs/ood:화소/기울기, 지우기">0.986</data>이다. 더하면 에너지가 되는 몫은 지운 잉크에서
#   <data value="labs/ood:화소/몫, 지우기">0.897</data>으로 더 낮다([어느 화소 탓인가](#pixels)).

# %% [markdown]
# ## 자료와 잣대
#
# scikit-learn의 손글씨 숫자(8×8, 화소는 $[0, 1]$)에서 0–4의 901장을 클래스마다 반으로 나눈다. 450장으로 배우고,
# 남은 451장(아는 것)과 5–9의 896장(낯선 것)을 가른다. 나누기를 여섯 번 되풀이한다. 표는 여섯 번의 평균 ± 표준
# 편차이고, Δ는 첫 행과 나누기마다 짝지은 차이의 95 % 신뢰 구간이다. 여섯 나누기가 같은 901장을 나누어 쓰므로 서로
# 독립이 아니고, 구간은 그만큼 넓힌 것이다(고친 재표집 t 구간, Nadeau와 Bengio).
#
# - **AUROC**: 낯선 것과 아는 것을 하나씩 뽑았을 때 낯선 것의 점수가 높을 확률. 제멋대로면 0.5.
# - **FPR<sub>95</sub>**: 아는 것의 95 %를 들여보낼 때 함께 들어오는 낯선 것의 몫. 낮을수록 좋다.
#
# **설정은 아는 숫자 안에서, 누구나 같은 방법으로 고른다.** 0–4 가운데 하나를 빼고 넷으로 배워, 뺀 숫자를 알아보는
# AUROC를 다섯 숫자에서 평균한다(대리 문제). 방법마다 설정 셋을 보고 가장 높은 것을 쓴다. 신경망의 너비와 걸음 수,
# 가우스 혼합의 작은 흩어짐(0.03)처럼 여기서 고르지 않은 것도 있다. 이 실습을 처음 만들 때 오토인코더 에너지의 5–9
# 점수를 두 번 보았으니, 한 번도 보지 않은 것은 아니다. 대리 문제가 5–9와 닮았으리란 보장도 없다. 대리 문제의 나누기도
# 섞는 순서만 다른 같은 901장이다.

# %% 들여오기와 자료 tags=["setup"]
from functools import partial
from itertools import groupby

import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import HTML, display
from matplotlib.patches import PathPatch
from matplotlib.path import Path as MplPath
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import OneClassSVM

from mgk_docs_src.data import digits
from mgk_docs_src.energy.models import evaluate, gradient
from mgk_docs_src.energy.samplers import init, langevin_step
from mgk_docs_src.figures.style import BLUE, GREEN, INK, ORANGE, panels, to_img
from mgk_docs_src.labs.ood import (
    autoencoder_energy,
    class_logits,
    confidence_energy,
    corrupt,
    fpr_at_tpr,
    free_energy,
    localisation,
    pixel_energies,
    scalar_energy,
    train_classifier,
    train_energy,
)
from mgk_docs_src.labs.tables import comparison, paired, record
from mgk_docs_src.metrics import roc_auc
from mgk_docs_src.networks import forward
from mgk_docs_src.random import generator, rand, randn, randperm

torch.set_num_threads(1)
SPLITS = range(6)
SHARE = 0.5  # 나누기마다 시험에 쓴 몫

x, y, _ = digits()
new, new_label = x[y >= 5], y[y >= 5]


def halves(seed, per_class=None):
    """클래스마다 반으로 나눈 0–4.

    `per_class`가 있으면 배우는 쪽에서 그만큼만 남긴다.
    """
    g = generator(seed)
    learn, test = [], []
    for c in range(5):
        rows = (y == c).nonzero().squeeze(1)
        rows = rows[randperm(len(rows), generator=g, device=rows.device)]
        half = round(len(rows) / 2)
        learn.append(rows[: half if per_class is None else per_class])
        test.append(rows[half:])
    return torch.cat(learn), torch.cat(test)


rows = [halves(seed) for seed in SPLITS]
train, known = (torch.stack([x[pair[i]] for pair in rows]) for i in (0, 1))
train_label = torch.stack([y[pair[0]] for pair in rows])
strange = new.expand(len(train), -1, -1)
print(
    f"배우는 그림 {train.shape[1]}장, 아는 것 {known.shape[1]}장, 낯선 것 "
    f"{len(new)}장"
)

# %% [markdown]
# ## 배우기
#
# **배우는 것**의 신경망은 모두 너비 256의 층 둘이고, 500걸음에 한 번에 48장씩 배운다.
#
# - **오토인코더 에너지** $E(x) = \lVert x - f(x) \rVert^2 / 2\sigma^2$: 라벨 없이
#   [잡음 제거 점수 맞추기](../energy/training.md)로 배운다. σ를 고른다.
# - **스칼라 에너지** $E(x) = f(x)$: 같은 손실, 같은 σ다. 신경망이 수 하나를 낸다. 두 가지를 하나씩, 그리고 함께
#   바꾸어 본다. **그릇** $\lVert x - m \rVert^2 / 2 \cdot 0.5^2$을 더하는 것($m$은 자료의 평균)과, 꺾이는 ReLU 대신
#   **매끈한** SiLU를 쓰는 것이다.
# - **분류기 + 점수 맞추기**: 라벨로 분류를 배우면서 자유 에너지 $-\log \sum_y e^{z_y}$의 점수도 맞춘다. 분류기를
#   에너지로 읽는 JEM을, 표본 없이 배운 것이다. 세기 λ를 고른다.
# - **분류기**: 분류만 배운다. 자유 에너지와 자신감(가장 높은 확률) 두 가지로 읽는다. 읽는 법마다 학습률을 고른다.
#
# **배우지 않거나 조금만 배우는 것**은 일곱이다. 가장 가까운 이웃까지의 거리(고를 설정이 없다), 커널 밀도(너비), 가우스
# 혼합(성분의 수), 한 클래스 SVM(γ), 라벨마다의 마할라노비스 거리(더하는 흩어짐), PCA 복원 오차(차원), 고립 숲(나무마다
# 보는 화소의 몫)이다.


# %% 배우는 방법들 tags=["setup"]
def seeded(offset, count):
    return [generator(offset + seed) for seed in range(count)]


def learn_autoencoder(sigma, data, offset=0):
    return train_energy(
        data,
        partial(autoencoder_energy, sigma=sigma),
        outputs=64,
        sigma=sigma,
        generators=seeded(offset, len(data)),
    ).parameters


def scalar(data, sigma, *, bowl, smooth):
    """스칼라 에너지. 그릇을 더할지, 매끈한 층을 쓸지 고른다."""
    centre = data.mean(1, keepdim=True)

    def build(parameters):
        def energy(z):
            value = (
                forward(parameters, 2 * z - 1, activation=F.silu).squeeze(-1)
                if smooth
                else scalar_energy(parameters)(z)
            )
            return value + bowl * (z - centre).square().sum(-1) / (2 * 0.5**2)

        return energy

    generators = seeded(0, len(data))
    return build(
        train_energy(
            data, build, outputs=1, sigma=sigma, generators=generators
        ).parameters
    )


def classify(data, labels, read, **knobs):
    parameters = train_classifier(
        data,
        labels,
        num_classes=int(labels.max()) + 1,
        generators=seeded(0, len(data)),
        **knobs,
    ).parameters
    return lambda z: read(class_logits(parameters, z))


networks = {  # 볼 설정 셋, 설정과 자료와 라벨을 받아 에너지를 주는 함수
    "오토인코더 에너지": (
        (0.2, 0.3, 0.4),
        lambda s, a, _: autoencoder_energy(learn_autoencoder(s, a), sigma=s),
    ),
    "분류기 + 점수 맞추기": (
        (1.0, 10.0, 100.0),
        lambda s, a, b: classify(a, b, free_energy, matching=s),
    ),
    "분류기, 자유 에너지": (
        (0.0005, 0.002, 0.005),
        lambda s, a, b: classify(a, b, free_energy, learning_rate=s),
    ),
    "분류기, 자신감": (
        (0.0005, 0.002, 0.005),
        lambda s, a, b: classify(a, b, confidence_energy, learning_rate=s),
    ),
}


# %% 배우지 않는 일곱 방법 tags=["setup"]
def kernel_density(learn, h):
    """너비 h의 커널 밀도. 에너지로 쓴다."""
    learn = torch.from_numpy(learn)
    return lambda z: (
        -(-torch.cdist(torch.from_numpy(z), learn).square() / (2 * h * h))
        .logsumexp(1)
        .numpy()
    )


def mahalanobis(learn, labels, ridge):
    means = np.stack([learn[labels == c].mean(0) for c in np.unique(labels)])
    centred = learn - means[labels]
    precision = np.linalg.inv(
        centred.T @ centred / len(learn) + ridge * np.eye(64)
    )
    return lambda z: np.min(
        [np.einsum("ni,ij,nj->n", z - m, precision, z - m) for m in means],
        axis=0,
    )


def residual(learn, pca):
    pca.fit(learn)
    return lambda z: np.square(
        z - pca.inverse_transform(pca.transform(z))
    ).sum(1)


def neighbour(learn):
    index = NearestNeighbors(n_neighbors=1).fit(learn)
    return lambda z: index.kneighbors(z)[0][:, 0]


def negative_score(model, learn):
    model.fit(learn)
    return lambda z: -model.score_samples(z)


peers = {  # 볼 설정들, 설정과 자료와 라벨을 받아 점수를 주는 함수
    "가장 가까운 이웃": ((1,), lambda _, a, b: neighbour(a)),
    "커널 밀도": ((0.1, 0.2, 0.4), lambda s, a, b: kernel_density(a, s)),
    "가우스 혼합": (
        (4, 8, 16),
        lambda s, a, b: negative_score(
            GaussianMixture(s, reg_covar=0.03, random_state=0), a
        ),
    ),
    "한 클래스 SVM": (
        (0.3, 1.0, 3.0),
        lambda s, a, b: negative_score(OneClassSVM(gamma=s, nu=0.1), a),
    ),
    "마할라노비스": (
        (0.003, 0.03, 0.3),
        lambda s, a, b: mahalanobis(a, b, s),
    ),
    "PCA 복원 오차": (
        (4, 8, 16),
        lambda s, a, b: residual(a, PCA(s, svd_solver="full")),
    ),
    "고립 숲": (
        (0.25, 0.5, 1.0),
        lambda s, a, b: negative_score(
            IsolationForest(random_state=0, max_features=s), a
        ),
    ),
}


def scorer(name, setting, learn, labels):
    """나누기마다의 그림 (s, n, d)를 받아 점수 (s, n)을 주는 함수."""
    if name in networks:
        return partial(evaluate, networks[name][1](setting, learn, labels))
    made = [
        peers[name][1](setting, a.cpu().numpy(), b.cpu().numpy())
        for a, b in zip(learn, labels, strict=True)
    ]

    def scores(images):
        each = [
            np.asarray(one(z.cpu().numpy()))
            for one, z in zip(made, images, strict=True)
        ]
        return torch.from_numpy(np.stack(each)).float()

    return scores


# %% 아는 숫자 하나를 빼는 대리 문제로 설정을 고르는 코드 tags=["setup"]
def without(digit):
    """`digit`을 뺀 넷을 배운 그림, 그 라벨(0–3), 남긴 그림, 뺀 숫자의 그림."""
    learn, test = (part[y[part] != digit] for part in halves(100))
    labels = y[learn] - (y[learn] > digit).long()
    return x[learn], labels, x[test], x[y == digit]


def even(parts):
    """길이가 조금씩 다른 것을 섞어, 가장 짧은 것에 맞추어 쌓는다.

    길이가 같으면 섞는 순서도 같아, 그림과 라벨의 짝이 지켜진다.
    """
    g, shortest = generator(101), min(len(part) for part in parts)
    return torch.stack(
        [part[randperm(len(part), generator=g)[:shortest]] for part in parts]
    )


tasks = [without(digit) for digit in range(5)]
proxy, proxy_label, proxy_known, proxy_strange = map(
    even, zip(*tasks, strict=True)
)
best = {}
for name, (settings, _) in (networks | peers).items():
    if len(settings) == 1:
        best[name] = settings[0]
        continue
    proxies = {}
    for setting in settings:
        score = scorer(name, setting, proxy, proxy_label)
        proxies[setting] = (
            roc_auc(score(proxy_strange), score(proxy_known)).mean().item()
        )
    best[name] = max(proxies, key=proxies.get)
    seen = ", ".join(f"{s:g}: {value:.4f}" for s, value in proxies.items())
    print(f"{name}: {seen} → {best[name]:g}")

# %% 고른 설정으로 배우는 코드 tags=["setup"]
SIGMA = best["오토인코더 에너지"]
fitted = learn_autoencoder(SIGMA, train)
autoencoder = partial(autoencoder_energy, sigma=SIGMA)
methods = {"오토인코더 에너지": partial(evaluate, autoencoder(fitted))}
methods |= {
    name: partial(evaluate, scalar(train, SIGMA, bowl=bowl, smooth=smooth))
    for name, bowl, smooth in (
        ("스칼라 에너지", False, False),
        ("스칼라 에너지, 그릇", True, False),
        ("스칼라 에너지, 매끈한 층", False, True),
        ("스칼라 에너지, 둘 다", True, True),
    )
}
methods |= {
    name: scorer(name, best[name], train, train_label)
    for name in (networks | peers)
    if name not in methods
}
found = {
    name: (score(strange).cpu(), score(known).cpu())
    for name, score in methods.items()
}

# %% [markdown]
# ## 누가 알아보나 { #who }

# %% tags=["summary"]
table = {
    name: [roc_auc(*scores), fpr_at_tpr(*scores)]
    for name, scores in found.items()
}
display(
    HTML(
        comparison(
            "0–4를 배우고 5–9를 알아보기",
            ["AUROC", "FPR₉₅"],
            table,
            differences=(0,),
            test_share=SHARE,
        )
    )
)
worst = table["오토인코더 에너지"][0]
for name in ("오토인코더 에너지", "가장 가까운 이웃", "분류기, 자신감"):
    record(f"{name}/AUROC", table[name][0].mean())


def gap(name, other):
    """두 방법의 AUROC의 차이와 구간."""
    return paired(table[name][0], table[other][0], test_share=SHARE)


for name, other in (
    ("분류기, 자유 에너지", "분류기, 자신감"),
    ("분류기 + 점수 맞추기", "분류기, 자유 에너지"),
    ("스칼라 에너지, 둘 다", "스칼라 에너지"),
):
    between = gap(name, other)
    print(
        f"{name} − {other}: {between.difference:+.3f} "
        f"[{between.low:+.3f}, {between.high:+.3f}]"
    )
print(f"오토인코더 에너지: 나누기마다 {worst.min():.4f}–{worst.max():.4f}")

shown = [
    "오토인코더 에너지",
    "가장 가까운 이웃",
    "가우스 혼합",
    "분류기 + 점수 맞추기",
    "분류기, 자유 에너지",
]
by_class = {
    name: [
        roc_auc(found[name][0][:, new_label.cpu() == c], found[name][1])
        for c in range(5, 10)
    ]
    for name in shown
}
display(
    HTML(
        comparison(
            "낯선 숫자마다의 AUROC", [str(c) for c in range(5, 10)], by_class
        )
    )
)

# %% [markdown]
# **배운 에너지는 낯선 숫자를 잘 알아보지만, 배우지 않는 것보다 낫지 않다.** 가장 가까운 이웃, 커널 밀도, 가우스 혼합,
# 한 클래스 SVM의 평균이 모두 조금 높고, 차이의 구간은 넷 다 0을 품는다. 나누기에 따른 흔들림은 넷이 더 작다.
#
# **같은 손실이라도 에너지의 꼴이 크게 가른다.** 스칼라 에너지는 같은 자료, 같은 손실인데 오토인코더 에너지보다 낮다.
# 그런데 그릇 하나를 더하면 차이의 큰 쪽이 메워지고, 그릇과 매끈한 층을 함께 쓰면 더 가까워진다. 매끈한 층만 쓰면
# 오히려 낮아진다. 그러니 수 하나를 내는 신경망이라서 진 것이 아니라, 멀어질수록 높아지는 항이 없어서 진 몫이 크다.
# 오토인코더 에너지에는 $\lVert x - f(x) \rVert^2$으로 그 항이 들어 있다.
#
# **분류기의 두 읽기는 그보다 낮다.** 자신감은 배운 에너지보다 뚜렷이 낮다. 자유 에너지로 읽은 것은 자신감보다, 점수까지
# 맞춘 것은 자유 에너지보다 평균이 높지만, 두 차이의 구간은 0을 품는다.
#
# **어려운 것은 8과 9다.** 배운 에너지와 이웃의 차이도 8에서 가장 크다.
#
# ## 에너지가 낮으면 아는 그림인가 { #low }
#
# 아는 그림을 망가뜨리거나 처음부터 숫자가 아닌 것을 만들어, 남겨 둔 아는 그림과 가른다. 옆으로 밀기처럼
# 사람에게는 같은 숫자인 것도 있고, 빈 그림처럼 숫자가 아닌 것도 있다.

# %%
energy = autoencoder(fitted)
square = known.unflatten(2, (8, 8))
other = known[
    :, randperm(known.shape[1], generator=generator(50), device=known.device)
]
blurred = torch.nn.functional.avg_pool2d(
    square, 3, 1, 1, count_include_pad=False
)
single = torch.zeros_like(known[:, :1])
made = {
    "빈 그림": single,
    "자료의 평균": train.mean(1, keepdim=True),
    "반으로 흐리게": known / 2,
    "두 숫자의 평균": (known + other) / 2,
    "뭉개기 3×3": blurred.flatten(2),
    "잡음 0.1": known
    + 0.1 * randn(*known.shape, generator=generator(51), device=known.device),
    "거꾸로 세우기": square.flip(2, 3).flatten(2),
    "옆으로 한 칸": square.roll(1, 3).flatten(2),
    "고른 잡음": rand(
        *known.shape, generator=generator(52), device=known.device
    ),
    "밝기 뒤집기": 1 - known,
    "다 칠하기": single + 1,
}
ends = evaluate(energy, known)
print(f"아는 것의 에너지: 평균 {ends.mean():.1f}")
print(f"낯선 숫자의 에너지: 평균 {found['오토인코더 에너지'][0].mean():.1f}")
columns = [
    "평균 에너지",
    "AUROC",
    "가장 가까운 이웃의 AUROC",
    "가우스 혼합의 AUROC",
]
odd = {
    name: [
        evaluate(energy, images).mean(1).cpu(),
        *(
            roc_auc(methods[method](images).cpu(), found[method][1])
            for method in (
                "오토인코더 에너지",
                "가장 가까운 이웃",
                "가우스 혼합",
            )
        ),
    ]
    for name, images in made.items()
}
display(HTML(comparison("숫자가 아닌 것과 망가진 것", columns, odd)))

# %% [markdown]
# **멀리 있는 것은 잘 알아본다.** 고른 잡음, 뒤집은 밝기, 다 칠한 그림은 셋 다 여섯 나누기 모두에서 가른다.
#
# **단순한 그림에서는 에너지를 믿을 수 없다.** 빈 그림은 숫자가 아닌데, 나누기에 따라 아는 그림과 섞인다. 표준
# 편차를 보면 어느 나누기에서는 알아보고 어느 나누기에서는 놓친다. 이웃과 가우스 혼합은 여섯 번 모두 가른다. 반으로
# 흐리게 한 것도 비슷하다. 생성 모델이 배운 적 없는
# 그림을 더 그럴듯하다고 하는 일은 다른 자료에서도 알려져 있다(Nalisnick 외).
#
# **모두가 어려워하는 것도 있다.** 두 숫자의 평균과 거꾸로 선 숫자, 약한 잡음이다. 뒤집어도 같은 0이 있으니 거꾸로
# 선 것을 다 알아볼 수는 없다. 약한 잡음과 자료의 평균은 방법마다 순서가 다르다. 잡음은 가우스 혼합이, 평균은
# 이웃이 잘 알아본다.
#
# 이번에는 에너지가 낮은 그림을 직접 찾는다. 고른 잡음에서 기울기를 따라 내려간 것, 거기서 랑주뱅으로 400걸음 걸은
# 뒤에 내려간 것, 먼 곳(평균 0, 표준 편차 5)에서 내려간 것이다. 나누기마다 일곱 장이다.


# %%
def descend(points, steps=300, rate=0.03):
    for _ in range(steps):
        points = points - rate * gradient(energy, points).gradient
    return points


start = rand(len(train), 7, 64, generator=generator(60), device=x.device)
state = init(energy, start)
g = generator(61)
for _ in range(400):
    state, _ = langevin_step(energy, state, step_size=0.02, generator=g)
low = {
    "잡음에서 내려가기": descend(start),
    "랑주뱅 뒤에 내려가기": descend(state.position),
    "먼 곳에서 내려가기": descend(
        5 * randn(*start.shape, generator=generator(62), device=x.device)
    ),
}


def admitted(scores, inliers):
    """아는 것의 95 %를 들여보내는 문턱에서 들어오는가. FPR₉₅의 문턱이다."""
    each = inliers.unsqueeze(1).expand(-1, scores.shape[1], -1)
    return fpr_at_tpr(scores.unsqueeze(-1), each) == 1


reach = methods["가장 가까운 이웃"]  # 가장 가까운 배운 그림까지의 거리
usual = reach(known)
print(
    f"남겨 둔 아는 그림: 에너지 {ends.mean():.1f}, 가장 가까운 배운 그림까지 "
    f"{usual.mean():.2f}"
)
holes_far = {}
for name, images in low.items():
    e, distance = evaluate(energy, images), reach(images)
    beyond = ~admitted(distance, usual.float())
    holes_far[name] = (e.cpu() < ends.amin() / 10) & beyond
    print(
        f"{name}: 에너지 {e.mean():.1f}, 들여보내는 몫 "
        f"{admitted(e, ends).float().mean():.2f}"
    )
    print(
        f"    가장 가까운 배운 그림까지 {distance.mean():.2f}, 아는 그림의 "
        f"95 %보다 먼 몫 {beyond.float().mean():.2f}, 멀면서 에너지는 가장 "
        f"낮은 아는 그림의 10분의 1도 안 되는 것 {holes_far[name].sum()}장"
    )
    print(
        "    그림에 보인 일곱의 에너지 "
        f"{', '.join(f'{value:.1f}' for value in e[0])}"
    )


# %% 그림을 그리는 코드 tags=["setup"]
def draw_images(axes, images):
    """그림을 한 줄로 늘어놓는다.

    [0, 1]로 자르고, 농도가 같은 화소는 한 길로 그려 파일이 가볍다.
    """
    paths = {}
    for column, image in enumerate(images):
        for i, line in enumerate(
            image.view(8, 8).clamp(0, 1).mul(5).round().int().tolist()
        ):
            start = 9 * column
            for shade, run in groupby(line):
                stop = start + len(list(run))
                corners = [
                    (start, -i),
                    (stop, -i),
                    (stop, -i - 1),
                    (start, -i - 1),
                    (start, -i),
                ]
                paths.setdefault(shade, []).append(
                    MplPath(corners, closed=True)
                )
                start = stop
    for shade in set(paths) - {0}:
        area = MplPath.make_compound_path(*paths[shade])
        axes.add_patch(
            PathPatch(area, color=INK, alpha=shade / 5, linewidth=0)
        )
    axes.set(xlim=(0, 9 * len(images) - 1), ylim=(-8, 0), aspect="equal")
    axes.set_axis_off()


with panels(4, height=0.8) as (figure, axes):
    for axis, (name, images) in zip(
        axes, {"배운 그림": train[:, ::65], **low}.items(), strict=True
    ):
        draw_images(axis, images[0].cpu())
        axis.set_title(name, fontsize=10)
display(
    HTML(
        to_img(
            figure,
            "네 줄의 숫자 그림. 배운 그림, 잡음에서, 랑주뱅 뒤에, 먼 곳에서 "
            "내려간 것. 대부분 0–4로 읽히지만, 1을 닮은 "
            "굵은 막대와 숫자로 읽히지 않는 옅은 얼룩도 있다.",
        )
    )
)

# %% [markdown]
# **에너지가 낮다고 아는 그림인 것은 아니다.** 잡음에서 내려가면 대부분 배운 그림 가까이에 닿는다. 좋은 쪽의 증거다.
# 그런데 찾은 그림은 모두 문턱 안이고, 에너지의 평균이 진짜 그림보다도 낮다. 그 가운데에는 1을 닮은 굵은 막대, 숫자로
# 읽히지 않는 옅은 얼룩이 있고, 그 **에너지가 0.0**이다. $E$가 가질 수 있는 가장 낮은 값 가까이로, $f(x)$가 $x$를 거의
# 그대로 내는 곳이다. 신경망이 그대로 베껴 내는 곳이면 어디든 에너지가 0이고, 점수 맞추기는 자료에서 먼 곳에 그런 골이
# 생기는 것을 벌하지 않는다.
#
# 그래서 AUROC가 0.99인 에너지도 **애써 속이는 입력에는 속는다.** 에너지가 낮다는 것은 아는 그림이라는 증거가 되지
# 못한다.
#
# ## 어느 화소 탓인가 { #pixels }
#
# 남겨 둔 아는 그림에서 화소 셋을 뒤집고, 화소마다의 점수가 그 셋을 위에 놓는지 그림 안에서 AUROC로 잰다. 없던
# 잉크를 더할 때와 있던 잉크를 지울 때를 나누어 본다.
#
# - **기울기** $|\partial E / \partial x_i|$: 이 화소를 조금 바꾸면 에너지가 얼마나 바뀌나.
# - **몫** $(x_i - f_i(x))^2 / 2\sigma^2$: 더하면 정확히 에너지가 된다.
# - **이웃**: 가장 가까운 배운 그림과의 차이 $|x_i - x_i'|$. 배우는 것이 없다.
# - **화소의 평균**: 화소마다 배운 그림의 평균에서 표준 편차의 몇 배나 떨어졌나.


# %% 화소마다의 점수를 재는 코드 tags=["setup"]
def blames(images):
    """화소마다의 점수 네 가지. 모두 높을수록 이 화소 탓이다."""
    nearest = (
        torch.cdist(images, train).argmin(2, keepdim=True).expand(-1, -1, 64)
    )
    return {
        "기울기": gradient(energy, images).gradient.abs(),
        "몫": pixel_energies(fitted, images, sigma=SIGMA),
        "이웃": (images - train.gather(1, nearest)).abs(),
        "화소의 평균": (images - train.mean(1, keepdim=True)).abs()
        / (train.std(1, keepdim=True) + 0.05),
    }


def broken(allowed):
    """나누기마다 화소 셋을 뒤집은 그림과 그 자리."""
    each = [
        corrupt(images, count=3, allowed=mask, generator=generator(70 + i))
        for i, (images, mask) in enumerate(zip(known, allowed, strict=True))
    ]
    return torch.stack([one.images for one in each]), torch.stack(
        [one.pixels for one in each]
    )


kinds = {
    "아무 화소나": broken(torch.ones_like(known, dtype=torch.bool)),
    "잉크 더하기": broken(known < 0.5),
    "잉크 지우기": broken(known >= 0.5),
}
located = {
    name: [
        localisation(blames(images)[name], pixels).mean(1).cpu()
        for images, pixels in kinds.values()
    ]
    for name in ("기울기", "몫", "이웃", "화소의 평균")
}
display(
    HTML(
        comparison(
            "망가진 화소 셋 찾기",
            list(kinds),
            located,
            differences=(0, 1, 2),
            test_share=SHARE,
        )
    )
)
record("화소/기울기", located["기울기"][0].mean())
record("화소/기울기, 지우기", located["기울기"][2].mean())
record("화소/몫, 지우기", located["몫"][2].mean())
for name, (images, _) in kinds.items():
    noticed = roc_auc(evaluate(energy, images), ends).mean()
    print(
        f"{name}: 그림이 망가졌다는 것을 에너지가 알아보는 AUROC {noticed:.3f}"
    )

# %% [markdown]
# **기울기는 망가진 화소를 거의 다 찾는다.** 잉크를 더하든 지우든 0.98을 넘고, 어느 경우에도 배우지 않는 두
# 방법보다 낫다. 가장 가까운 배운 그림과 견주는 것보다도 낫다. 이웃과는 획의 굵기와 자리도 다르기 때문이다.
#
# **더하면 에너지가 되는 몫은 지운 잉크에서 더 낮다.** 화소의 평균만 보는 방법과 비슷하다. 더한 잉크에서는 기울기만큼 잘
# 찾는다. 합이 맞는다고 좋은 설명은 아니다. 몫의 순서는 $|x_i - f_i(x)|$의 순서이고, 기울기는 그 차이에 $f$를 거쳐
# 돌아오는 몫 $-J^\top (x - f(x))$를 더한 것이다. 그러니 두 행의 차이는 모두 그 항에서 온다.
#
# 낯선 숫자에는 ‘어느 화소 탓’이라는 정답이 없다. 대신 설명이 흔들리는지는 잴 수 있다. 같은 자료로 첫 가중치와
# 뽑는 순서만 바꾸어 하나 더 배우고(쌍둥이), 두 신경망의 기울기가 얼마나 같은지 상관으로 본다. 나누기 셋에서 잰다.
# 앞에서 찾은, 에너지가 낮은 그림도 쌍둥이에게 보인다.

# %%
twin = autoencoder(learn_autoencoder(SIGMA, train[:3], offset=100))
first = autoencoder(
    type(fitted)(*(tuple(layer[:3] for layer in layers) for layers in fitted))
)


def agreement(images):
    """두 신경망의 기울기의, 그림마다의 상관."""
    a, b = (gradient(one, images[:3]).gradient for one in (first, twin))
    return torch.nn.functional.cosine_similarity(
        a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True), dim=-1
    )


cases = {
    "화소 셋이 뒤집힌 것": kinds["아무 화소나"][0],
    "아는 것": known,
    "낯선 숫자": strange,
    "고른 잡음": made["고른 잡음"],
    "빈 그림": single,
}
for name, images in cases.items():
    same = agreement(images).mean(1)
    print(
        f"{name}: 두 신경망의 기울기의 상관 {same.mean():.3f} ± "
        f"{same.std():.3f}"
    )

twin_known = evaluate(twin, known[:3])
for name, images in low.items():
    e = evaluate(twin, images[:3])
    print(
        f"{name}: 쌍둥이가 준 에너지 평균 {e.mean():.1f}, 쌍둥이가 "
        f"돌려보내는 몫 {(~admitted(e, twin_known)).float().mean():.2f}"
    )
found_low = torch.cat([images[:3] for images in low.values()], 1)
own, others = evaluate(first, found_low), evaluate(twin, found_low)
holes = own < 1
print(
    f"에너지가 1보다 낮은 것 {holes.sum()}장 / {holes.numel()}장: 쌍둥이가 "
    f"준 에너지 평균 {others[holes].mean():.1f}, ",
    end="",
)
refused = ~admitted(others, twin_known)
print(f"쌍둥이가 돌려보내는 몫 {refused[holes].float().mean():.2f}")

# %% [markdown]
# **설명이 씨앗에 달린 그림이 있다.** 망가진 화소가 있으면 두 신경망이 거의 같은 곳을 가리킨다. 아는 숫자와 낯선
# 숫자에서도 상관이 높고, 고른 잡음에서도 크게 낮지 않다. 그런데 빈 그림에서는 상관이 훨씬 낮아, 어느 화소 탓인지가
# 씨앗에 달렸다. 설명의 그림 하나만 보아서는 어느 쪽인지 알 수 없다. ‘에너지는 해석하기 쉽다’와 ‘어렵다’는 둘 다 맞을
# 때가 있고, 낯선 그림이라고 다 어려운 것도 아니다.
#
# **하나 더 배워도 구멍은 메워지지 않았다.** 에너지가 1보다 낮은 것을 쌍둥이도 모두 들여보낸다(출력의 끝줄).
#
# ## 자료가 적으면
#
# 배우는 그림을 클래스마다 4, 10, 20장으로 줄인다. 설정은 그대로 두고, 나누기 셋에서 잰다.

# %%
SIZES, FEW = (4, 10, 20), 3
few = {
    "오토인코더 에너지": [],
    "가장 가까운 이웃": [],
    "커널 밀도": [],
    "마할라노비스": [],
}
for size in SIZES:
    chosen = torch.stack([halves(seed, size)[0] for seed in range(FEW)])
    scores = {
        name: scorer(name, best[name], x[chosen], y[chosen]) for name in few
    }
    for name, score in scores.items():
        few[name].append(
            roc_auc(score(strange[:FEW]).cpu(), score(known[:FEW]).cpu())
        )
for name, values in few.items():
    values.append(table[name][0][:FEW])
columns = [f"{5 * size}장" for size in SIZES] + [f"{train.shape[1]}장"]
display(
    HTML(
        comparison(
            "배우는 그림의 수와 AUROC, 나누기 셋",
            columns,
            few,
            differences=range(4),
            test_share=SHARE,
        )
    )
)

with panels(height=3.0) as (figure, (axes,)):
    counts = [5 * size for size in SIZES] + [train.shape[1]]
    marks = (("-o", BLUE), ("--s", ORANGE), (":^", INK), ("-.d", GREEN))
    for (name, values), (mark, color) in zip(few.items(), marks, strict=True):
        axes.plot(
            counts,
            [value.mean() for value in values],
            mark,
            color=color,
            label=name,
        )
    axes.set(xscale="log", xlabel="배우는 그림의 수", ylabel="AUROC")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.legend()
display(
    HTML(
        to_img(
            figure,
            "배우는 그림의 수에 따른 AUROC. 오토인코더 에너지, 가장 가까운 "
            "이웃, 커널 밀도의 곡선이 0.90에서 0.99까지 "
            "거의 겹쳐 올라가고, 마할라노비스는 아래에 있다.",
        )
    )
)

# %% [markdown]
# **‘좋은 자료가 많이 있어야 한다’는 말은 이 견줌에서는 배운 에너지만의 흠이 아니다.** 20장이면 0.9 안팎이지만,
# 같은 20장을 받은 이웃과 커널 밀도도 비슷하다. 네 자리 모두에서 둘과의 구간이 0을 품는다. 라벨까지 쓰는 마할라노비스는
# 자료가 늘어도 0.97 아래에 머문다. 나누기가 셋뿐이라 구간이 넓다.
#
# ## 무엇을 고를까
#
# | 하고 싶은 것 | 이 실습이 본 것 |
# | --- | --- |
# | 작은 자료에서 낯선 것을 알아보기 | 가장 가까운 이웃이나 커널 밀도. 배울 것이 없고 나누기에 덜 흔들린다 |
# | 배운 그림을 들고 다니지 않기 | 가우스 혼합, 오토인코더 에너지 |
# | 이미 있는 분류기로 알아보기 | 자유 에너지와 자신감의 차이가 보이지 않는다. 둘 다 이웃에 미치지 못한다 |
# | 어느 화소가 망가졌는지 알기 | 오토인코더 에너지의 기울기. 자료 가까이에서만 |
# | 속이려는 입력을 막기 | 여기 있는 배운 에너지로는 안 된다 |
#
# **보이지 않는 것.** 8×8 그림 하나의 이야기다. 그림이 커지면 화소의 거리가 뜻을 잃어 이웃과 커널 밀도가 지금처럼
# 이기기 어려울 수 있다. 설정은 아는 숫자 하나를 빼는 대리 문제로 골랐고, 오토인코더의 세 σ는 거기서
# 0.001도 다르지 않았다. 표본을 뽑아 배우는 에너지(PCD)와 원래의 JEM은 여기서 재지 않았다. 망가진 화소는 셋, 뒤집는
# 방법은 하나만 보았다.
#
# ## 결론을 확인한다 { #checks }
#
# 첫머리의 결론 셋을 위의 결과로 확인한다. 하나라도 맞지 않으면 이 실습은 멈춘다.

# %%
notices = table["오토인코더 에너지"][0].min() > 0.9
ties = gap("오토인코더 에너지", "가장 가까운 이웃").tie
beats = gap("오토인코더 에너지", "분류기, 자신감").low > 0
assert all([notices, ties, beats]), (
    "배운 에너지는 가장 가까운 이웃과 차이가 보이지 않고 자신감보다 높다"
)

assert any(far.any() for far in holes_far.values()), (
    "배운 그림에서 먼데 에너지는 0에 가까운 것이 있다"
)

finds = all(score.min() > 0.95 for score in located["기울기"])
erased = paired(located["기울기"][2], located["몫"][2], test_share=SHARE)
assert all([finds, erased.low > 0]), (
    "기울기는 어느 경우에나 화소를 찾고, 지운 잉크에서는 몫이 더 낮다"
)

# %% [markdown]
# ## 출처
#
# - Nadeau, C. & Bengio, Y. (2003). *Inference for the Generalization Error*.
# - Vincent, P. (2011). *A Connection Between Score Matching and Denoising Autoencoders*.
# - Salimans, T. & Ho, J. (2021). *Should EBMs Model the Energy or the Score?*
# - Hendrycks, D. & Gimpel, K. (2017). *A Baseline for Detecting Misclassified and Out-of-Distribution Examples*.
# - Liu, W. 외 (2020). *Energy-based Out-of-distribution Detection*.
# - Grathwohl, W. 외 (2020). *Your Classifier is Secretly an Energy Based Model and You Should Treat It Like One*.
# - Nalisnick, E. 외 (2019). *Do Deep Generative Models Know What They Don't Know?*
# - Liang, S., Li, Y. & Srikant, R. (2018). *Enhancing the Reliability of Out-of-distribution Image Detection*.
# - scikit-learn 문서, Novelty and Outlier Detection. [서지](../reference/bibliography.md)
