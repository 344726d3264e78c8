"""실습 “손실을 고르면 무엇이 달라지나”에 쓰는 함수: `docs/labs/losses.py`."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.networks import Networks, finished, forward, initial, still_learning
from mgk_docs_src.random import randperm

# 로짓 (n, c)와 번호 (n)을 받아 표본마다의 손실 (n)을 준다.
Loss = Callable[[Tensor, Tensor], Tensor]

COLDEST, HOTTEST = 0.01, 100.0  # 온도를 찾는 범위


@full_precision
def fit_temperature(logits: Float[Tensor, "n c"], labels: Int[Tensor, "n"]) -> Float[Tensor, ""]:
    r"""온도 스케일링(temperature scaling): 학습에 쓰지 않은 표본에서 NLL을 가장 작게 하는 온도 하나.

    $$T = \arg\min_{T} \frac{1}{N} \sum_i -\log \operatorname{softmax}(z_i / T)_{y_i}, \qquad
    \frac{\partial}{\partial \beta} = \frac{1}{N} \sum_i \left( \mathbb{E}_{c \sim \operatorname{softmax}(\beta z_i)}
    [z_{ic}] - z_{i y_i} \right)$$

    $\beta = 1/T$의 볼록 함수이므로 기울기의 부호가 바뀌는 곳을 $T \in [0.01, 100]$에서 이분법으로 찾는다. 모두 맞힌
    표본이면 아래 끝, 로짓에 정보가 없으면 위 끝이 답이다. 예측하는 번호는 바뀌지 않는다.

    Args:
        logits: 로짓 $z$.
        labels: 정답의 번호 $y_i \in \{0, \ldots, C-1\}$.

    Returns:
        온도 $T > 0$. 로짓을 이 값으로 나눈다. 1보다 크면 모델의 확신도가 지나치게 높다.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 비었거나, 로짓이 유한하지 않거나, 없는 번호이면.

    References:
        Guo, C. 외 (2017). On Calibration of Modern Neural Networks, 4.2절.
    """
    checks.class_scores(labels, logits=logits)
    checks.within(logits=(logits, REAL))
    z = widen(logits.detach())[0]
    right = z.gather(1, labels.unsqueeze(1)).squeeze(1)
    low, high = z.new_tensor(-math.log(HOTTEST)), z.new_tensor(-math.log(COLDEST))  # log β
    for _ in range(60):
        middle = (low + high) / 2
        slope = ((torch.softmax(middle.exp() * z, 1) * z).sum(1) - right).mean()
        low, high = torch.where(slope > 0, low, middle), torch.where(slope > 0, middle, high)
    return torch.exp(-(low + high) / 2).to(logits.dtype)


def subsample(
    labels: Int[Tensor, "n"],
    *,
    counts: Sequence[int],
    generator: torch.Generator | None,
) -> tuple[Int[Tensor, "chosen"], Int[Tensor, "rest"]]:
    r"""클래스 $c$에서 `counts[c]`개씩 무작위로 추출한다.

    불균형한 데이터도, 클래스의 비율을 유지하는 층화 분할(stratified split)도 이 함수로 만든다.

    $$|\{i \in \text{추출한 표본} : y_i = c\}| = \mathrm{counts}_c$$

    Args:
        labels: 번호 $y_i \in \{0, \ldots, C-1\}$. $C$는 `counts`의 길이다.
        counts: 클래스마다 추출할 수.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        추출한 표본의 번호와 남은 표본의 번호. 각각 클래스 순서이고, 클래스 안에서는 무작위다.

    Raises:
        TypeError: 텐서나 정수여야 할 인자가 다른 형이면.
        ValueError: 비었거나, 없는 클래스 번호이거나, 추출할 수가 음수거나 있는 표본보다 많으면.

    References:
        Cui, Y. 외 (2019). Class-Balanced Loss Based on Effective Number of Samples, 5.1절 (긴 꼬리 데이터 만들기).
    """
    available = _count(labels, len(counts)).tolist()
    for c, (wanted, limit) in enumerate(zip(counts, available, strict=True)):
        checks.count(0, **{f"counts[{c}]": wanted})
        if wanted > limit:
            raise ValueError(f"counts[{c}]: 있는 {limit}개까지 추출할 수 있는데 {wanted}이다")
    order = randperm(len(labels), generator=generator, device=labels.device)
    members = [order[labels[order] == c] for c in range(len(counts))]
    chosen = [some[:wanted] for some, wanted in zip(members, counts, strict=True)]
    rest = [some[wanted:] for some, wanted in zip(members, counts, strict=True)]
    return torch.cat(chosen), torch.cat(rest)


class Training(NamedTuple):
    r"""시드 $S$개로 한꺼번에 학습한, 모양이 같은 신경망들. 층이 하나면 소프트맥스 회귀다.

    Attributes:
        networks: 학습한 가중치. 학습하는 동안 발산한 신경망은 nan이다.
        losses: 에폭마다, 신경망마다의 평균 손실. 갱신하기 전의 값이다.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 13.2절.
    """

    networks: Networks
    losses: Float[Tensor, "epochs s"]


@with_gradients
def train(
    features: Float[Tensor, "s n d"],
    labels: Int[Tensor, "s n"],
    loss: Loss,
    *,
    num_classes: int,
    hidden: Iterable[int] = (),
    epochs: int,
    batch_size: int | None = None,
    learning_rate: float = 0.01,
    weight_decay: float = 0.0,
    generators: Iterable[torch.Generator],
) -> Training:
    r"""작은 신경망 $S$개를 Adam으로 한꺼번에 학습한다. 하나씩 학습할 때와 같은 신경망이 나온다.

    $$\min_{\theta_1, \ldots, \theta_S} \sum_{s=1}^{S} \left[ \frac{1}{N} \sum_{i=1}^{N}
    \ell\bigl(f_{\theta_s}(x_{si}),\, y_{si}\bigr) + \frac{\lambda}{2} \|\theta_s\|^2 \right]$$

    합을 미분하면 신경망은 저마다 자기 손실의 기울기만 받고, Adam은 원소마다 따로 움직이므로 서로 섞이지 않는다.
    가중치는 `torch.nn.Linear`처럼 $\mathcal{U}(\pm 1/\sqrt{d_{\text{in}}})$에서 시작한다.

    Args:
        features: 신경망마다의 특징 $x$.
        labels: 신경망마다의 번호 $y \in \{0, \ldots, C-1\}$.
        loss: 로짓 $(n, C)$와 번호 $(n)$을 받아 표본마다의 손실 $(n)$을 주는 함수.
        num_classes: 클래스의 수 $C \ge 2$.
        hidden: 은닉층마다의 너비. 비었으면 소프트맥스 회귀다. 활성 함수는 ReLU.
        epochs: 데이터를 모두 한 번씩 쓰는 횟수. 1 이상.
        batch_size: 학습 스텝 하나에 쓰는 표본의 수. `None`이면 모두.
        learning_rate: 학습률. 0보다 크다.
        weight_decay: $L_2$ 벌점의 세기 $\lambda \ge 0$.
        generators: 신경망마다의 발생기. 초기 가중치와 표본의 순서를 여기서 뽑는다.

    Returns:
        학습한 신경망들. 기울기는 따라오지 않는다.

    Raises:
        TypeError: 텐서, 정수, 수여야 할 인자가 다른 형이면.
        ValueError: 모양이나 값이 틀렸거나, 발생기가 신경망의 수와 다르거나, 손실이 표본마다의 값이 아니거나, 모든
            신경망의 손실이 유한하지 않게 되면.

    Warns:
        RuntimeWarning: 어느 신경망의 로짓이나 손실이 유한하지 않게 되면. 그 신경망만 학습을 멈춘다.

    References:
        Kingma, D. P. & Ba, J. (2015). Adam: A Method for Stochastic Optimization.
        PyTorch 문서, Model ensembling.
    """
    generators, hidden = checks.listed(generators=generators), tuple(checks.listed(hidden=hidden))
    checks.floating(features=features)
    checks.ndim(3, 3, features=features)
    checks.nonempty(features=features)
    checks.within(features=(features, REAL))
    checks.count(2, num_classes=num_classes)
    checks.count(1, epochs=epochs, **{f"hidden[{i}]": units for i, units in enumerate(hidden)})
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(NONNEGATIVE, weight_decay=weight_decay)
    seeds, n, width = features.shape
    size = n if batch_size is None else batch_size
    checks.count(1, batch_size=size)
    checks.classes((seeds, n), num_classes, labels=labels)
    if len(generators) != seeds:
        raise ValueError(f"generators: 신경망의 수 {seeds}개여야 하는데 {len(generators)}개이다")

    networks = initial(
        (width, *hidden, num_classes), generators, biases_last=True, device=features.device, dtype=features.dtype
    )
    parameters = [*networks.weights, *networks.biases]
    optimiser = torch.optim.Adam(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)
    seed = torch.arange(seeds, device=features.device).unsqueeze(1)  # (S, 1)
    everyone = alive = torch.ones_like(seed[:, 0], dtype=torch.bool)
    step, history = 0, []
    for _ in range(epochs):
        total = features.new_zeros(seeds)
        for x, y in _batches(features, labels, seed, size, generators):
            z = forward(networks, x, activation=torch.relu)
            alive = still_learning(z, alive, step=step)
            mean = _means(loss, z, y, None if alive is everyone else alive)  # (S)
            alive = still_learning(mean, alive, step=step)
            optimiser.zero_grad()
            (mean if alive is everyone else mean[alive]).sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += mean.detach() * y.shape[1] / n
            step += 1
        history.append(total)
    return Training(finished(networks, alive), torch.stack(history))


@full_precision
def predict(trained: Training, features: Float[Tensor, "s n d"]) -> Float[Tensor, "s n c"]:
    r"""신경망마다 자기 특징을 넣어 로짓을 계산한다.

    $$z_s = h_s W_s + b_s, \qquad h_s = \mathrm{ReLU}(\cdots), \qquad h_s = x_s \text{ (은닉층이 없을 때)}$$

    Args:
        trained: [`train`][mgk_docs_src.labs.losses.train]으로 학습한 신경망들.
        features: 신경망마다의 특징 $x$.

    Returns:
        로짓 $z$.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 신경망과 맞지 않으면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 13.2절.
    """
    checks.floating(features=features)
    checks.ndim(3, 3, features=features)
    seeds, width, _ = trained.networks.weights[0].shape
    checks.shape((seeds, features.shape[1], width), features=features)
    return forward(trained.networks, features, activation=torch.relu)


def _means(loss: Loss, z: Tensor, y: Tensor, alive: Tensor | None) -> Tensor:
    """신경망마다의 평균 손실 (S). 학습을 멈춘 신경망은 손실 함수에 넣지 않고 nan으로 둔다."""
    shown, wanted = (z, y) if alive is None else (z[alive], y[alive])
    each = loss(shown.flatten(0, 1), wanted.flatten())
    checks.shape((wanted.numel(),), loss=each)
    mean = each.view_as(wanted).mean(1)
    return mean if alive is None else mean.new_full((len(y),), math.nan).masked_scatter(alive, mean)


def _batches(
    features: Tensor,
    labels: Tensor,
    seed: Tensor,
    size: int,
    generators: Sequence[torch.Generator],
) -> list[tuple[Tensor, Tensor]]:
    n = labels.shape[1]
    if size >= n:
        return [(features, labels)]
    order = torch.stack([randperm(n, generator=g, device=labels.device) for g in generators])  # (S, N)
    parts = [order[:, start : start + size] for start in range(0, n, size)]
    return [(features[seed, part], labels[seed, part]) for part in parts]


def _count(labels: Tensor, num_classes: int) -> Tensor:
    checks.class_list(num_classes, labels=labels)
    return labels.bincount(minlength=num_classes)
