"""실습 “처음 보는 숫자 알아보기”의 재료: `docs/labs/ood.py`."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from mgk_docs_src import checks, networks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT, Interval
from mgk_docs_src.energy.models import Energy
from mgk_docs_src.energy.training import denoising_score_matching
from mgk_docs_src.losses.categorical import cross_entropy
from mgk_docs_src.metrics import roc_auc
from mgk_docs_src.networks import Networks
from mgk_docs_src.random import rand, randint, randn

# --- 지표 ---


def fpr_at_tpr(
    outliers: Float[Tensor, "*batch m"],
    inliers: Float[Tensor, "*batch n"],
    *,
    tpr: float = 0.95,
) -> Float[Tensor, "*batch"]:
    r"""아는 입력이 `tpr`만큼 통과하는 임계값에서, 함께 통과하는 낯선 입력의 비율.

    $$\mathrm{FPR} = \frac{1}{m} \sum_i \mathbf{1}[s_i \le t_{(k)}], \qquad k = \lceil \mathrm{TPR} \cdot n \rceil$$

    $t_{(k)}$는 아는 입력의 점수 가운데 $k$번째로 낮은 값이다.

    Args:
        outliers: 낯선 입력의 점수 $s$. 높을수록 낯설다는 뜻이다.
        inliers: 아는 입력의 점수 $t$. 마지막 축의 길이는 달라도 된다.
        tpr: 통과시킬 아는 입력의 비율. $(0, 1]$에 든다.

    Returns:
        $[0, 1]$ 안의 비율. 낮을수록 좋다. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아니면.
        ValueError: 비었거나, 축이 없거나, 실수형이 아니거나, 유한하지 않거나, 앞의 축이나 장치가 다르거나, `tpr`이
            범위를 벗어나면.

    References:
        Liang, S., Li, Y. & Srikant, R. (2018). Enhancing the Reliability of Out-of-distribution Image Detection in
        Neural Networks.
    """
    s, t = _check_scores(outliers=outliers, inliers=inliers)
    checks.number(UNIT, tpr=tpr)
    checks.number(POSITIVE, tpr=tpr)
    k = math.ceil(tpr * t.shape[-1] - 1e-9)  # 0.55 · 100 = 55.00000000000001이 56이 되지 않게
    threshold = t.sort(-1).values[..., k - 1]
    return (s <= threshold.unsqueeze(-1)).to(outliers.dtype).mean(-1)


# --- 에너지 ---


def pixel_energies(
    parameters: Networks,
    x: Float[Tensor, "s n d"],
    *,
    sigma: float,
) -> Float[Tensor, "s n d"]:
    r"""오토인코더 에너지를 이루는 화소마다의 기여도.

    $$E_i(x) = \frac{(x_i - f_i(x))^2}{2 \sigma^2}, \qquad E(x) = \sum_i E_i(x)$$

    Args:
        parameters: 화소를 받아 화소를 내는 신경망 $f$들.
        x: 이미지. 화소는 $[0, 1]$에 둔다.
        sigma: 학습할 때 섞은 노이즈의 세기 $\sigma > 0$.

    Returns:
        0 이상의 기여도. `x`와 같은 모양.

    Raises:
        TypeError: 텐서나 수가 아니면.
        ValueError: 모양이 신경망과 맞지 않거나, 실수형이 아니거나, $\sigma$가 0보다 크지 않으면.

    References:
        Salimans, T. & Ho, J. (2021). Should EBMs Model the Energy or the Score?
    """
    checks.number(POSITIVE, sigma=sigma)
    restored = _outputs(parameters, x)
    checks.shape(x.shape, parameters=restored)
    return (x - restored).square() / (2 * sigma**2)


def autoencoder_energy(parameters: Networks, *, sigma: float) -> Energy:
    r"""오토인코더 에너지: 스스로 복원한 이미지와 얼마나 다른가.

    $$E(x) = \frac{\lVert x - f(x) \rVert^2}{2 \sigma^2}$$

    $f$가 상수 $c$이면 $\mathcal{N}(c, \sigma^2 I)$의 에너지다. $f$가 이미지에 따라 달라지므로 봉우리가 여럿일 수 있다.

    Args:
        parameters: 화소를 받아 화소를 내는 신경망 $f$들.
        sigma: 학습할 때 섞은 노이즈의 세기 $\sigma > 0$.

    Returns:
        이미지 $(s, n, d)$를 받아 에너지 $(s, n)$을 주는 함수.

    Raises:
        TypeError: 수가 아니면.
        ValueError: $\sigma$가 0보다 크지 않으면.

    References:
        Salimans, T. & Ho, J. (2021). Should EBMs Model the Energy or the Score?
    """
    checks.number(POSITIVE, sigma=sigma)
    return lambda x: pixel_energies(parameters, x, sigma=sigma).sum(-1)


def scalar_energy(parameters: Networks) -> Energy:
    r"""수 하나를 내는 신경망을 그대로 에너지로 쓴다.

    $$E(x) = f(x)$$

    Args:
        parameters: 화소를 받아 수 하나를 내는 신경망 $f$들.

    Returns:
        이미지 $(s, n, d)$를 받아 에너지 $(s, n)$을 주는 함수.

    Raises:
        TypeError: 돌려준 함수가 텐서가 아닌 것을 받으면.
        ValueError: 돌려준 함수가 받은 이미지의 모양이 신경망과 맞지 않거나, 실수형이 아니면.

    References:
        LeCun, Y. 외 (2006). A Tutorial on Energy-Based Learning.
    """
    return lambda x: _outputs(parameters, x).squeeze(-1)


def class_logits(parameters: Networks, x: Float[Tensor, "s n d"]) -> Float[Tensor, "s n c"]:
    r"""분류기의 로짓.

    $$z = f(x), \qquad p(y \mid x) = \operatorname{softmax}(z)_y$$

    Args:
        parameters: 화소를 받아 로짓을 내는 신경망 $f$들.
        x: 이미지. 화소는 $[0, 1]$에 둔다.

    Returns:
        로짓 $z$. 마지막 축이 클래스다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 모양이 신경망과 맞지 않거나, 실수형이 아니면.

    References:
        Hendrycks, D. & Gimpel, K. (2017). A Baseline for Detecting Misclassified and Out-of-Distribution Examples.
    """
    return _outputs(parameters, x)


def free_energy(logits: Float[Tensor, "*batch c"]) -> Float[Tensor, "*batch"]:
    r"""분류기의 로짓을 에너지로 읽는다. 클래스를 모두 더해 없앤 에너지다.

    $$E(x) = -\log \sum_{y} e^{z_y}, \qquad p(x, y) \propto e^{z_y}$$

    Args:
        logits: 로짓 $z$. 마지막 축이 클래스다.

    Returns:
        에너지. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 비었거나, 축이 없거나, 실수형이 아니거나, 유한하지 않으면.

    References:
        Liu, W. 외 (2020). Energy-based Out-of-distribution Detection, 3절.
        Grathwohl, W. 외 (2020). Your Classifier is Secretly an Energy Based Model and You Should Treat It Like One.
    """
    _check_finite(logits=logits)
    return -logits.logsumexp(-1)


def confidence_energy(logits: Float[Tensor, "*batch c"]) -> Float[Tensor, "*batch"]:
    r"""분류기의 확신도(confidence)에 음의 부호를 붙인 값. 확신이 약할수록 높다.

    $$s(x) = -\max_y \log \operatorname{softmax}(z)_y$$

    확률이 아니라 로그 확률을 쓴다. 순서는 같고, 확률이 1에 가까워도 구별된다.

    Args:
        logits: 로짓 $z$. 마지막 축이 클래스다.

    Returns:
        $[0, \log C]$ 안의 값(nat). 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 비었거나, 축이 없거나, 실수형이 아니거나, 유한하지 않으면.

    References:
        Hendrycks, D. & Gimpel, K. (2017). A Baseline for Detecting Misclassified and Out-of-Distribution Examples.
    """
    _check_finite(logits=logits)
    return -logits.log_softmax(-1).amax(-1)


# --- 학습 ---


class Fitted(NamedTuple):
    r"""학습한 신경망들.

    Attributes:
        parameters: 가중치. 기울기가 없다.
        losses: 학습 스텝마다, 신경망마다, 갱신하기 전의 손실.

    References:
        Kingma, D. P. & Ba, J. (2015). Adam: A Method for Stochastic Optimization.
    """

    parameters: Networks
    losses: Float[Tensor, "steps s"]


def train_energy(
    data: Float[Tensor, "s n d"],
    build: Callable[[Networks], Energy],
    *,
    outputs: int,
    sigma: float,
    hidden: tuple[int, ...] = (256, 256),
    steps: int = 500,
    batch_size: int = 48,
    learning_rate: float = 0.005,
    generators: Sequence[torch.Generator],
) -> Fitted:
    r"""에너지를 노이즈 제거 스코어 매칭(denoising score matching)으로 학습한다. 라벨은 쓰지 않는다.

    $$L = \frac{1}{2} \mathbb{E} \lVert \sigma \nabla E(x + \sigma \epsilon) - \epsilon \rVert^2, \qquad
    \epsilon \sim \mathcal{N}(0, I)$$

    학습이 끝나면 $e^{-E}$는 노이즈를 섞은 데이터의 밀도에 비례한다. Adam의 학습률은 0까지 선형으로 줄인다.
    신경망마다 제 데이터와 제 발생기만 쓰므로, 함께 학습하든 혼자 학습하든 같다.

    Args:
        data: 신경망마다의 데이터 $x$. 화소는 $[0, 1]$에 둔다.
        build: 신경망에서 에너지를 만드는 함수. 예: [`scalar_energy`][mgk_docs_src.labs.ood.scalar_energy].
        outputs: 신경망의 출력의 너비. 1 이상.
        sigma: 노이즈의 세기 $\sigma > 0$.
        hidden: 은닉층마다의 너비.
        steps: 학습 스텝의 수. 1 이상.
        batch_size: 한 스텝에 쓰는 이미지의 수. 1 이상.
        learning_rate: 처음 학습률. 0보다 크다.
        generators: 신경망마다의 발생기.

    Returns:
        학습한 신경망과 스텝마다의 손실.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 데이터가 비었거나, 유한하지 않거나, 발생기의 수가 다르거나, 나머지가 범위를 벗어나면.

    References:
        Vincent, P. (2011). A Connection Between Score Matching and Denoising Autoencoders, 4.2절.
    """
    checks.count(1, outputs=outputs)
    checks.number(POSITIVE, sigma=sigma)

    def loss(parameters: Networks, rows: Tensor) -> Tensor:
        x = _pick(data, rows)
        noise = _stack(randn, x.shape[1:], generators, x)
        return denoising_score_matching(build(parameters), x, noise, sigma=sigma)

    return _fit(
        data, loss, (*hidden, outputs), generators, steps=steps, batch_size=batch_size, learning_rate=learning_rate
    )


def train_classifier(
    data: Float[Tensor, "s n d"],
    labels: Int[Tensor, "s n"],
    *,
    num_classes: int,
    matching: float = 0.0,
    sigma: float = 0.3,
    hidden: tuple[int, ...] = (256, 256),
    steps: int = 500,
    batch_size: int = 48,
    learning_rate: float = 0.005,
    generators: Sequence[torch.Generator],
) -> Fitted:
    r"""소프트맥스 분류기를 학습한다. `matching`이 0보다 크면 자유 에너지의 스코어도 함께 맞춘다.

    $$L = -\mathbb{E}\left[ \log \operatorname{softmax}(z)_y \right]
    + \frac{\lambda}{2d}\, \mathbb{E} \lVert \sigma \nabla E(x + \sigma \epsilon) - \epsilon \rVert^2, \qquad
    E(x) = -\log \sum_y e^{z_y}$$

    앞의 항만으로는 $E$에 아무 수나 더해도 손실이 같다. 뒤의 항이 있어야 $E$가 데이터의 밀도를 나타낸다. 표본을 뽑아
    학습하는 원래의 JEM 대신 스코어 매칭을 쓴다.

    Args:
        data: 신경망마다의 데이터 $x$. 화소는 $[0, 1]$에 둔다.
        labels: 정답의 번호 $y \in \{0, \ldots, C - 1\}$.
        num_classes: 클래스의 수 $C \ge 2$.
        matching: 스코어 매칭의 세기 $\lambda \ge 0$. 0이면 보통의 분류기다.
        sigma: 스코어 매칭에 섞는 노이즈의 세기 $\sigma > 0$.
        hidden: 은닉층마다의 너비.
        steps: 학습 스텝의 수. 1 이상.
        batch_size: 한 스텝에 쓰는 이미지의 수. 1 이상.
        learning_rate: 처음 학습률. 0보다 크다.
        generators: 신경망마다의 발생기.

    Returns:
        학습한 신경망과 스텝마다의 손실(nat).

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 데이터가 비었거나, 유한하지 않거나, 라벨의 모양이나 값이 틀렸거나, 발생기의 수가 다르거나, 나머지가
            범위를 벗어나면.

    References:
        Grathwohl, W. 외 (2020). Your Classifier is Secretly an Energy Based Model and You Should Treat It Like One.
    """
    checks.count(2, num_classes=num_classes)
    checks.number(NONNEGATIVE, matching=matching)
    checks.number(POSITIVE, sigma=sigma)
    checks.int64(labels=labels)
    checks.tensor(data=data)
    checks.shape(data.shape[:2], labels=labels)
    checks.nonempty(labels=labels)
    checks.within(labels=(labels, Interval(0, num_classes - 1)))

    def loss(parameters: Networks, rows: Tensor) -> Tensor:
        x = _pick(data, rows)
        logits = class_logits(parameters, x)  # (s, b, c)
        total = cross_entropy(logits.mT, labels.gather(1, rows), reduction="none").mean(-1)
        if matching > 0:
            noise = _stack(randn, x.shape[1:], generators, x)
            energy: Energy = lambda points: free_energy(class_logits(parameters, points))  # noqa: E731
            score = denoising_score_matching(energy, x, noise, sigma=sigma)
            total = total + matching / x.shape[-1] * score
        return total

    return _fit(
        data, loss, (*hidden, num_classes), generators, steps=steps, batch_size=batch_size, learning_rate=learning_rate
    )


# --- 망가뜨린 화소 ---


class Corruption(NamedTuple):
    """화소 몇 개를 뒤집은 이미지.

    Attributes:
        images: 뒤집은 이미지.
        pixels: 이미지마다 뒤집은 화소의 번호. 작은 것부터.

    References:
        Hendrycks, D. & Dietterich, T. (2019). Benchmarking Neural Network Robustness to Common Corruptions and
        Perturbations (충격 노이즈).
    """

    images: Float[Tensor, "n d"]
    pixels: Int[Tensor, "n k"]


def corrupt(
    x: Float[Tensor, "n d"],
    *,
    count: int,
    allowed: Bool[Tensor, "n d"] | None = None,
    generator: torch.Generator | None,
) -> Corruption:
    r"""이미지마다 화소 `count`개를 뽑아 어두우면 밝게, 밝으면 어둡게 뒤집는다.

    $$x_i \leftarrow \mathbf{1}\bigl[ x_i < \tfrac12 \bigr]$$

    Args:
        x: 이미지. 화소는 $[0, 1]$에 둔다.
        count: 뒤집을 화소의 수. 1 이상.
        allowed: 뽑아도 되는 화소. 기본값은 모든 화소.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        뒤집은 이미지와 화소의 번호. 화소는 겹치지 않는다.

    Raises:
        TypeError: 텐서나 정수가 아니면.
        ValueError: 이미지가 비었거나, 모양이 틀렸거나, 화소가 $[0, 1]$을 벗어나거나, 뽑을 화소가 모자라거나, 다른
            장치의 발생기이면.

    References:
        Hendrycks, D. & Dietterich, T. (2019). Benchmarking Neural Network Robustness to Common Corruptions and
        Perturbations (충격 노이즈).
    """
    checks.floating(x=x)
    checks.ndim(2, 2, x=x)
    checks.nonempty(x=x)
    checks.within(x=(x, UNIT))
    checks.count(1, count=count)
    candidates = torch.ones_like(x, dtype=torch.bool) if allowed is None else allowed
    checks.tensor(allowed=candidates)
    if candidates.dtype != torch.bool:
        raise ValueError(f"allowed: torch.bool이어야 하는데 {candidates.dtype}이다")
    checks.shape(x.shape, allowed=candidates)
    fewest = int(candidates.sum(1).amin())
    if fewest < count:
        raise ValueError(f"allowed: 이미지마다 화소 {count}개 이상을 뽑을 수 있어야 하는데 {fewest}개인 이미지가 있다")
    order = rand(*x.shape, generator=generator, device=x.device).masked_fill(~candidates, -1.0)
    pixels = order.topk(count, dim=1).indices.sort(1).values
    chosen = torch.zeros_like(candidates).scatter(1, pixels, True)
    return Corruption(torch.where(chosen, (x < 0.5).to(x.dtype), x), pixels)


def localisation(
    blame: Float[Tensor, "*batch d"],
    pixels: Int[Tensor, "*batch k"],
) -> Float[Tensor, "*batch"]:
    r"""화소마다의 점수가 망가진 화소를 얼마나 위에 놓나. 이미지 한 장 안에서 계산한 AUROC다.

    $$\frac{1}{k (d - k)} \sum_{i \in M} \sum_{j \notin M}
    \Bigl( \mathbf{1}[b_i > b_j] + \tfrac12 \mathbf{1}[b_i = b_j] \Bigr)$$

    Args:
        blame: 화소마다의 점수 $b$. 높을수록 이 화소 때문이라는 뜻이다.
        pixels: 망가진 화소의 번호 $M$. 한 이미지 안에서 겹치지 않는다.

    Returns:
        $[0, 1]$ 안의 값. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 비었거나, 실수형이 아니거나, 유한하지 않거나, 앞의 축이 다르거나, 번호가 $[0, d)$를 벗어나거나,
            망가지지 않은 화소가 없으면.

    References:
        Hanley, J. A. & McNeil, B. J. (1982). The Meaning and Use of the Area under a ROC Curve.
    """
    _check_finite(blame=blame)
    checks.int64(pixels=pixels)
    checks.ndim(1, math.inf, pixels=pixels)
    checks.nonempty(pixels=pixels)
    size, chosen = blame.shape[-1], pixels.shape[-1]
    checks.shape((*blame.shape[:-1], chosen), pixels=pixels)
    checks.within(pixels=(pixels, Interval(0, size - 1)))
    if chosen >= size:
        raise ValueError(f"pixels: 화소 {size}개보다 적어야 하는데 {chosen}개다")
    broken = torch.zeros_like(blame, dtype=torch.bool).scatter(-1, pixels, True)
    rest = broken.to(torch.uint8).argsort(dim=-1, stable=True)[..., : size - chosen]
    return roc_auc(blame.gather(-1, pixels), blame.gather(-1, rest))


# --- 안쪽 ---


def _outputs(parameters: Networks, x: Tensor) -> Tensor:
    # 화소 [0, 1]을 [−1, 1]로 펴서 넣는다.
    checks.floating(x=x)
    return networks.forward(parameters, 2 * x - 1, activation=F.relu)


def _fit(
    data: Tensor,
    loss: Callable[[Networks, Tensor], Tensor],
    widths: tuple[int, ...],
    generators: Sequence[torch.Generator],
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
) -> Fitted:
    checks.floating(data=data)
    checks.ndim(3, 3, data=data)
    checks.nonempty(data=data)
    checks.within(data=(data, REAL))
    checks.count(1, steps=steps, batch_size=batch_size)
    checks.number(POSITIVE, learning_rate=learning_rate)
    if len(generators) != len(data):
        raise ValueError(f"generators: 데이터마다 하나씩 {len(data)}개여야 하는데 {len(generators)}개다")
    parameters = networks.initial((data.shape[-1], *widths), generators, device=data.device, dtype=data.dtype)
    leaves = [*parameters.weights, *parameters.biases]
    optimiser = torch.optim.Adam(leaves, lr=learning_rate, fused=True)
    history = []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = learning_rate * (1 - step / steps)
        rows = _stack(partial(_indices, data.shape[1]), (batch_size,), generators, data)
        losses = loss(parameters, rows)
        history.append(losses.detach())
        optimiser.zero_grad()
        losses.sum().backward(inputs=leaves)  # type: ignore[no-untyped-call]
        optimiser.step()
    return Fitted(networks.freeze(parameters), torch.stack(history))


def _indices(n: int, *shape: int, generator: torch.Generator, device: torch.device, dtype: torch.dtype) -> Tensor:
    return randint(0, n, shape, generator=generator, device=device)


def _stack(
    draw: Callable[..., Tensor], shape: Sequence[int], generators: Sequence[torch.Generator], like: Tensor
) -> Tensor:
    # 신경망마다 제 발생기에서 뽑아야, 몇 개를 함께 학습하든 같은 수를 받는다.
    return torch.stack([draw(*shape, generator=g, device=like.device, dtype=like.dtype) for g in generators])


def _pick(data: Tensor, rows: Tensor) -> Tensor:
    return data.gather(1, rows.unsqueeze(-1).expand(-1, -1, data.shape[-1]))  # (s, b, d)


def _check_finite(**values: Tensor) -> None:
    checks.floating(**values)
    for name, value in values.items():
        checks.ndim(1, math.inf, **{name: value})
        checks.nonempty(**{name: value})
        checks.within(**{name: (value, REAL)})


def _check_scores(*, outliers: Tensor, inliers: Tensor) -> tuple[Tensor, Tensor]:
    _check_finite(outliers=outliers, inliers=inliers)
    checks.shape((*outliers.shape[:-1], inliers.shape[-1]), inliers=inliers)
    checks.device(outliers.device, inliers=inliers)
    wide = torch.promote_types(torch.promote_types(outliers.dtype, inliers.dtype), torch.float32)
    return outliers.detach().to(wide).contiguous(), inliers.detach().to(wide).contiguous()
