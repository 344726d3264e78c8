"""GAN의 두 손실에서 비평가까지: `docs/transport/gan.md`."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT
from mgk_docs_src.losses.binary import kl_divergence
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.random import rand, randint, randn

T = TypeVar("T")


@full_precision
def discriminator_loss(
    real_logits: Float[Tensor, "*batch n"],
    fake_logits: Float[Tensor, "*batch m"],
) -> Float[Tensor, "*batch"]:
    r"""판별자의 손실: 진짜에 라벨 1, 가짜에 라벨 0을 붙인 이진 교차 엔트로피의 합.

    $$L_D = \mathbb{E}_{x \sim P}[\operatorname{softplus}(-D(x))] +
    \mathbb{E}_{\tilde x \sim Q}[\operatorname{softplus}(D(\tilde x))]$$

    전혀 구별하지 못하면($D = 0$) $2 \log 2$, 완벽하면 0이다. 최적의 판별자의 손실은
    $2 \log 2 - 2\,\mathrm{JS}(P, Q)$다. 마지막 축만 평균하고 앞의 축은 그대로 둔다.

    Args:
        real_logits: 진짜의 로짓 $D(x)$.
        fake_logits: 가짜의 로짓 $D(\tilde x)$. 마지막 축의 길이는 달라도 된다.

    Returns:
        0 이상의 손실(nat). 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 앞의 축이 다르거나, 비었거나, 실수형이 아니거나, 유한하지 않으면.

    References:
        Goodfellow, I. 외 (2014). Generative Adversarial Nets, 3절.
    """
    _check_scores(real_logits=real_logits, fake_logits=fake_logits)
    wide_real, wide_fake = widen(real_logits, fake_logits)
    loss = _softplus(-wide_real).mean(-1) + _softplus(wide_fake).mean(-1)
    return loss.to(torch.promote_types(real_logits.dtype, fake_logits.dtype))


@full_precision
def generator_loss(fake_logits: Float[Tensor, "*batch m"], *, saturating: bool) -> Float[Tensor, "*batch"]:
    r"""생성자의 손실. 판별자의 손실에서 부호를 뒤집거나(포화), 가짜에 진짜 라벨을 붙인다(포화하지 않음).

    $$\begin{aligned}
    \text{포화} \quad & L_G = -\mathbb{E}_{\tilde x \sim Q}[\operatorname{softplus}(D(\tilde x))],
    & \frac{\partial L_G}{\partial D} &= -\sigma(D) \\
    \text{포화하지 않음} \quad & L_G = \mathbb{E}_{\tilde x \sim Q}[\operatorname{softplus}(-D(\tilde x))],
    & \frac{\partial L_G}{\partial D} &= -\sigma(-D)
    \end{aligned}$$

    판별자가 가짜를 가려낼수록($D \to -\infty$) 앞의 기울기는 0으로, 뒤의 기울기는 $-1$로 간다.

    Args:
        fake_logits: 가짜의 로짓 $D(\tilde x)$.
        saturating: 참이면 포화하는 손실(미니맥스).

    Returns:
        손실(nat). 포화하면 0 이하, 아니면 0 이상. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 비었거나, 축이 없거나, 실수형이 아니거나, 유한하지 않으면.

    References:
        Goodfellow, I. 외 (2014). Generative Adversarial Nets, 3절.
    """
    _check_scores(fake_logits=fake_logits)
    (wide,) = widen(fake_logits)
    loss = -_softplus(wide) if saturating else _softplus(-wide)
    return loss.mean(-1).to(fake_logits.dtype)


@full_precision
def critic_loss(
    real_scores: Float[Tensor, "*batch n"],
    fake_scores: Float[Tensor, "*batch m"],
) -> Float[Tensor, "*batch"]:
    r"""비평가의 손실: 점수의 평균의 차이. 1-립시츠 비평가라면 $-L_D \le W_1(P, Q)$다.

    $$L_D = \mathbb{E}_{\tilde x \sim Q}[D(\tilde x)] - \mathbb{E}_{x \sim P}[D(x)]$$

    Args:
        real_scores: 진짜의 점수 $D(x)$.
        fake_scores: 가짜의 점수 $D(\tilde x)$. 마지막 축의 길이는 달라도 된다.

    Returns:
        손실. 단위는 점수와 같다. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 앞의 축이 다르거나, 비었거나, 실수형이 아니거나, 유한하지 않으면.

    References:
        Arjovsky, M., Chintala, S. & Bottou, L. (2017). Wasserstein GAN, 3절.
    """
    _check_scores(real_scores=real_scores, fake_scores=fake_scores)
    real, fake = widen(real_scores, fake_scores)
    return (fake.mean(-1) - real.mean(-1)).to(torch.promote_types(real_scores.dtype, fake_scores.dtype))


@full_precision
def critic_generator_loss(fake_scores: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch"]:
    r"""비평가 앞의 생성자의 손실: 가짜의 점수를 올린다. 점수에 대한 기울기가 언제나 $-1/m$이다.

    $$L_G = -\mathbb{E}_{\tilde x \sim Q}[D(\tilde x)]$$

    Args:
        fake_scores: 가짜의 점수 $D(\tilde x)$.

    Returns:
        손실. 단위는 점수와 같다. 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 비었거나, 축이 없거나, 실수형이 아니거나, 유한하지 않으면.

    References:
        Arjovsky, M., Chintala, S. & Bottou, L. (2017). Wasserstein GAN, 3절.
    """
    _check_scores(fake_scores=fake_scores)
    return -fake_scores.mean(-1)


@full_precision
def interpolate(
    real: Float[Tensor, "*batch_and_sample"],
    fake: Float[Tensor, "*batch_and_sample"],
    *,
    batch_dims: int = 1,
    generator: torch.Generator | None,
) -> Float[Tensor, "*batch_and_sample"]:
    r"""진짜와 가짜를 하나씩 이은 선분 위에서 균등 분포로 점을 뽑는다. 이 점에서 그래디언트 페널티를 매긴다.

    $$\hat x = u x + (1 - u) \tilde x, \qquad u \sim \mathcal{U}[0, 1)$$

    $u$는 표본마다 하나다. 맨 앞의 축이 표본을 세고 나머지가 표본 하나다. 점 (n, d)이든 이미지 (n, c, h, w)이든 같다.

    Args:
        real: 진짜 $x$.
        fake: 가짜 $\tilde x$. `real`과 같은 모양.
        batch_dims: 표본을 세는 앞쪽 축의 수. 1 이상, 축의 수 미만. 문제 여럿을 쌓은 (s, n, d)이면 2.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        점 $\hat x$. `real`과 같은 모양.

    Raises:
        TypeError: 텐서나 정수여야 할 인자가 다른 형이면.
        ValueError: 모양이나 장치가 다르거나, 축이 둘보다 적거나, 비었거나, 실수형이 아니거나, `batch_dims`가 범위를
            벗어나거나, 다른 장치의 발생기이면.

    References:
        Gulrajani, I. 외 (2017). Improved Training of Wasserstein GANs, 4절, 알고리즘 1.
    """
    checks.floating(real=real, fake=fake)
    checks.ndim(2, math.inf, real=real)
    checks.nonempty(real=real)
    checks.shape(real.shape, fake=fake)
    checks.device(real.device, fake=fake)
    checks.count(1, batch_dims=batch_dims)
    if batch_dims >= real.ndim:
        raise ValueError(f"batch_dims: 축의 수 {real.ndim}보다 작아야 하는데 {batch_dims}이다")
    ones = (1,) * (real.ndim - batch_dims)
    u = rand(*real.shape[:batch_dims], *ones, generator=generator, device=real.device, dtype=real.dtype)
    return _between(real, fake, u)


@with_gradients
def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    points: Float[Tensor, "*batch_and_sample"],
    *,
    weight: float,
) -> Float[Tensor, "*batch"]:
    r"""그래디언트 페널티(gradient penalty, 기울기 벌점): 비평가의 기울기의 크기가 1에서 벗어난 만큼의 벌점.

    $$\lambda\, \mathbb{E}_{\hat x}\left[ \left( \lVert \nabla_{\hat x} D(\hat x) \rVert_2 - 1 \right)^2 \right]$$

    기울기가 어디서나 1이면 0이다. 기울기의 크기는 표본 하나의 모든 좌표에 걸쳐 잰다. 비평가의 매개변수로 다시 미분할
    수 있다. `points`로는 기울기가 흐르지 않는다.

    Args:
        critic: 표본 (n, …)을 받아 점수 (n)을 주는 함수. 이미지 (n, c, h, w)여도 된다. 점수는 표본마다 따로 매겨야 한다.
            앞에 축이 더 있으면, 점수의 축이 표본을 세는 축이고 나머지가 표본 하나다.
        points: 벌점을 매길 점 $\hat x$. [`interpolate`][mgk_docs_src.transport.gan.interpolate]로 뽑는다.
        weight: 벌점의 세기 $\lambda \ge 0$.

    Returns:
        0 이상의 벌점. 점수의 마지막 축이 빠진 모양: 점수가 (n)이면 스칼라.

    Raises:
        TypeError: 텐서나 수여야 할 인자가 다른 형이면.
        ValueError: 점이 비었거나, 축이 둘보다 적거나, 실수형이 아니거나, 세기가 음수이거나, 점수가 표본마다 하나가
            아니거나 유한하지 않거나, 점수를 점으로 미분할 수 없으면.

    References:
        Gulrajani, I. 외 (2017). Improved Training of Wasserstein GANs, 4절.
    """
    checks.floating(points=points)
    checks.ndim(2, math.inf, points=points)
    checks.nonempty(points=points)
    checks.number(NONNEGATIVE, weight=weight)
    checks.function(critic=critic)
    slope, scores = _slopes(partial(_scored, critic), points.detach())
    (wide,) = widen(slope)
    size: Tensor = torch.linalg.vector_norm(wide.flatten(scores.ndim), dim=-1)
    return (weight * (size - 1).square().mean(-1)).to(points.dtype)


@full_precision
def clip_weights(
    parameters: Iterable[Float[Tensor, "..."]],
    bound: float,
) -> tuple[Float[Tensor, "..."], ...]:
    r"""가중치 자르기(weight clipping): 매개변수마다 $[-c, c]$로 자른 새 텐서. 받은 텐서는 바꾸지 않는다.

    $$w \leftarrow \max(-c, \min(w, c))$$

    Args:
        parameters: 비평가의 매개변수들. `module.parameters()`처럼 한 번만 읽을 수 있어도 된다.
        bound: 한계 $c > 0$.

    Returns:
        자른 매개변수들. 기울기는 따라오지 않는다.

    Raises:
        TypeError: 텐서나 수여야 할 인자가 다른 형이면.
        ValueError: 하나도 없거나, 실수형이 아니거나, `bound`가 0보다 크지 않으면.

    References:
        Arjovsky, M., Chintala, S. & Bottou, L. (2017). Wasserstein GAN, 알고리즘 1.
    """
    kept = checks.listed(parameters=parameters)
    if not kept:
        raise ValueError("parameters: 하나 이상이어야 하는데 비었다")
    checks.floating(**{f"parameters[{i}]": parameter for i, parameter in enumerate(kept)})
    checks.number(POSITIVE, bound=bound)
    return tuple(parameter.detach().clamp(-bound, bound) for parameter in kept)


@full_precision
def js_divergence(
    p: Float[Tensor, "*shape"],
    q: Float[Tensor, "*shape"],
    *,
    dim: int = -1,
) -> Float[Tensor, "..."]:
    r"""옌센–섀넌 발산: 두 분포의 가운데 분포 $M$까지의 쿨백–라이블러 발산의 평균.

    $$\mathrm{JS}(P, Q) = \tfrac12 D_{\mathrm{KL}}(P \,\|\, M) + \tfrac12 D_{\mathrm{KL}}(Q \,\|\, M), \qquad
    M = \tfrac12 (P + Q)$$

    Args:
        p: 확률 $P$. 축 `dim`의 합이 1이다.
        q: 확률 $Q$. `p`와 같은 모양이고, 축 `dim`의 합이 1이다.
        dim: 분포가 놓인 축.

    Returns:
        $[0, \log 2]$ 안의 값(nat), 반올림만큼 벗어날 수 있다. 겹치지 않으면 얼마나 멀든 $\log 2$다.
        축 `dim`이 빠진 모양.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 모양이 다르거나, 음수가 있거나, 합이 1이 아니거나, 비었으면.

    References:
        Lin, J. (1991). Divergence Measures Based on the Shannon Entropy.
    """
    checks.floating(p=p, q=q)
    checks.nonempty(p=p)
    checks.shape(p.shape, q=q)
    checks.simplex(dim, p=p, q=q)
    wide_p, wide_q = widen(p, q)
    m = (wide_p + wide_q) / 2
    js = (kl_divergence(wide_p, m, dim=dim) + kl_divergence(wide_q, m, dim=dim)) / 2
    return js.to(torch.promote_types(p.dtype, q.dtype))


class VanishingGradients(NamedTuple):
    r"""나란한 두 선분에서, 스텝마다 잰 생성자의 기울기의 크기 $|\partial L_G / \partial \theta|$.

    Attributes:
        saturating: 판별자와 포화하는 손실.
        non_saturating: 같은 판별자와 포화하지 않는 손실.
        critic: 그래디언트 페널티로 학습한 비평가.

    References:
        Arjovsky, M. & Bottou, L. (2017). Towards Principled Methods for Training GANs, 2절.
    """

    saturating: Float[Tensor, "steps s"]
    non_saturating: Float[Tensor, "steps s"]
    critic: Float[Tensor, "steps s"]


@with_gradients
def vanishing_gradients(
    theta: Float[Tensor, "s"],
    *,
    steps: int = 1000,
    width: int = 32,
    batch_size: int = 64,
    learning_rate: float = 0.002,
    penalty_weight: float = 10.0,
    generator: torch.Generator | None,
) -> VanishingGradients:
    r"""생성자를 고정하고 판별자와 비평가만 학습할 때, 생성자가 받는 기울기의 크기를 잰다.

    진짜는 $x = (0, v)$, 가짜는 $\tilde x = (\theta, v)$, $v \sim \mathcal{U}[0, 1)$인 나란한 두 선분이다.
    $\theta \ne 0$이면 겹치지 않으므로 $\mathrm{JS} = \log 2$이고 $W_1 = |\theta|$다. 다음 크기를 잰다.

    $$\left| \frac{\partial L_G}{\partial \theta} \right| =
    \left| \mathbb{E}_{\tilde x}\left[ L_G'(D(\tilde x))\, \frac{\partial D}{\partial \tilde x_1} \right] \right|$$

    그래디언트 페널티를 받은 비평가의 기울기 $s$는 $s|\theta| - \lambda (s - 1)^2$이 가장 큰
    $s = 1 + |\theta| / 2\lambda$로 간다.

    Args:
        theta: 두 선분 사이의 거리 $\theta$들. 거리마다 신경망이 하나씩이다.
        steps: 판별자와 비평가의 학습 스텝 수. 1 이상.
        width: 은닉층 둘의 너비. 1 이상.
        batch_size: 선분마다의 표본 수. 1 이상.
        learning_rate: Adam의 학습률. 0보다 크다.
        penalty_weight: 그래디언트 페널티의 세기 $\lambda \ge 0$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기. 거리마다 같은 초기 가중치와 같은 표본을
            쓴다.

    Returns:
        스텝마다, 거리마다의 기울기. 매개변수를 갱신하기 전의 값이다.

    Raises:
        TypeError: 텐서, 정수, 수여야 할 인자가 다른 형이면.
        ValueError: 거리가 비었거나 유한하지 않거나, 나머지가 범위를 벗어나면.

    References:
        Arjovsky, M. & Bottou, L. (2017). Towards Principled Methods for Training GANs, 2절.
        Arjovsky, M., Chintala, S. & Bottou, L. (2017). Wasserstein GAN, 예 1.
    """
    checks.floating(theta=theta)
    checks.ndim(1, 1, theta=theta)
    checks.nonempty(theta=theta)
    checks.within(theta=(theta, REAL))
    checks.count(1, steps=steps, width=width, batch_size=batch_size)
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(NONNEGATIVE, penalty_weight=penalty_weight)
    start = _initial((2, width, width, 1), [generator], theta)
    trained = [[value.detach().repeat(len(theta), 1, 1).requires_grad_() for value in start] for _ in range(2)]
    optimisers = [torch.optim.Adam(layers, lr=learning_rate, fused=True) for layers in trained]
    columns = torch.zeros(len(theta), batch_size, 1, device=theta.device, dtype=theta.dtype)
    history = []
    with checks.delayed():
        for _ in range(steps):
            v, u = rand(2, batch_size, 1, generator=generator, device=theta.device, dtype=theta.dtype)
            real = torch.cat([columns, columns + v], 2)  # (S, B, 2)
            fake = torch.cat([columns + theta.view(-1, 1, 1), columns + v.flip(0)], 2).requires_grad_()
            discriminator, critic = (_scores(layers, fake) for layers in trained)
            sizes = []
            for loss in (
                generator_loss(discriminator, saturating=True),
                generator_loss(discriminator, saturating=False),
                critic_generator_loss(critic),
            ):
                (slope,) = torch.autograd.grad(loss.sum(), fake, retain_graph=True)
                sizes.append(slope[..., 0].sum(1).abs())
            history.append(torch.stack(sizes))
            points = _between(real, fake.detach(), u)
            losses = (
                discriminator_loss(_scores(trained[0], real), discriminator),
                critic_loss(_scores(trained[1], real), critic)
                + gradient_penalty(lambda x: _scores(trained[1], x, _switched), points, weight=penalty_weight),
            )
            for optimiser, layers, loss in zip(optimisers, trained, losses, strict=True):
                _descend(optimiser, layers, loss)
    return VanishingGradients(*torch.stack(history, 1))


class Method(NamedTuple):
    r"""GAN의 한 방법: 판별자와 생성자의 손실, 그리고 판별자에 거는 제약.

    $$\min_D L_D + R(D), \qquad \min_G L_G$$

    Attributes:
        adversary: 진짜와 가짜의 점수를 받아 판별자의 손실 $L_D$를 주는 함수.
        deceiver: 가짜의 점수를 받아 생성자의 손실 $L_G$를 주는 함수.
        penalty: 판별자와 선분 위의 점을 받아 벌점 $R$을 주는 함수. 없으면 벌점도 없다.
        constrain: 판별자의 매개변수를 받아, 스텝마다 바꿔 넣을 매개변수를 주는 함수. 없으면 그대로 둔다.

    References:
        Goodfellow, I. 외 (2014). Generative Adversarial Nets, 3절.
        Arjovsky, M., Chintala, S. & Bottou, L. (2017). Wasserstein GAN, 3절.
    """

    adversary: Callable[[Tensor, Tensor], Tensor]
    deceiver: Callable[[Tensor], Tensor]
    penalty: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor] | None = None
    constrain: Callable[[Sequence[Tensor]], tuple[Tensor, ...]] | None = None


SATURATING = Method(discriminator_loss, partial(generator_loss, saturating=True))
NON_SATURATING = Method(discriminator_loss, partial(generator_loss, saturating=False))


def wgan_clip(bound: float = 0.1) -> Method:
    r"""가중치를 자르는 와서스타인 GAN(WGAN).

    $$L_D = \mathbb{E}_{\tilde x}[D(\tilde x)] - \mathbb{E}_{x}[D(x)], \qquad w \leftarrow \max(-c, \min(w, c))$$

    Args:
        bound: 자르는 한계 $c > 0$.

    Returns:
        [`train_gan`][mgk_docs_src.transport.gan.train_gan]에 넘길 방법.

    Raises:
        TypeError: `bound`가 수가 아니면.
        ValueError: `bound`가 0보다 크지 않으면.

    References:
        Arjovsky, M., Chintala, S. & Bottou, L. (2017). Wasserstein GAN, 알고리즘 1.
    """
    checks.number(POSITIVE, bound=bound)
    return Method(critic_loss, critic_generator_loss, constrain=partial(clip_weights, bound=bound))


def wgan_gp(weight: float = 0.1) -> Method:
    r"""그래디언트 페널티를 매기는 와서스타인 GAN(WGAN-GP).

    $$L_D + R = \mathbb{E}_{\tilde x}[D(\tilde x)] - \mathbb{E}_{x}[D(x)] +
    \lambda\, \mathbb{E}_{\hat x}\left[ \left( \lVert \nabla D(\hat x) \rVert_2 - 1 \right)^2 \right]$$

    Args:
        weight: 벌점의 세기 $\lambda \ge 0$.

    Returns:
        [`train_gan`][mgk_docs_src.transport.gan.train_gan]에 넘길 방법.

    Raises:
        TypeError: `weight`가 수가 아니면.
        ValueError: `weight`가 음수이면.

    References:
        Gulrajani, I. 외 (2017). Improved Training of Wasserstein GANs, 알고리즘 1.
    """
    checks.number(NONNEGATIVE, weight=weight)
    return Method(critic_loss, critic_generator_loss, penalty=partial(gradient_penalty, weight=weight))


class Gan(NamedTuple):
    r"""시드 $S$개로 한꺼번에 학습한 GAN들.

    층은 가중치 $(S, d_{\text{in}}, d_{\text{out}})$과 절편 $(S, 1, d_{\text{out}})$을 차례로 늘어놓은 튜플이다.
    생성자는 맨 뒤에 노이즈에서 출력으로 바로 가는 가중치 $A$를 하나 더 둔다.

    Attributes:
        generator: 스텝마다의 가중치를 이동 평균한 생성자의 층.
        critic: 판별자(비평가)의 층.
        losses: 스텝마다, 생성자를 갱신하기 전 마지막 배치의 판별자 손실. 그래디언트 페널티는 빠졌다.
        trail: 같은 간격으로 남긴, 학습 도중의(평균하지 않은) 생성자의 층. 마지막은 학습이 끝난 뒤다.

    References:
        Goodfellow, I. 외 (2014). Generative Adversarial Nets, 알고리즘 1.
    """

    generator: tuple[Float[Tensor, "s _ _"], ...]
    critic: tuple[Float[Tensor, "s _ _"], ...]
    losses: Float[Tensor, "steps s"]
    trail: tuple[tuple[Float[Tensor, "s _ _"], ...], ...]


@with_gradients
def train_gan(
    data: Float[Tensor, "s n d"],
    *,
    method: Method,
    steps: int,
    critic_steps: int = 3,
    batch_size: int = 128,
    latent_dim: int = 4,
    hidden: Iterable[int] = (64, 64, 64),
    learning_rate: float = 0.004,
    averaging: float = 0.995,
    snapshots: int = 1,
    generators: Iterable[torch.Generator],
) -> Gan:
    r"""작은 GAN $S$개를 한꺼번에 학습한다. 방법은 손실과 제약만 다르고 나머지는 모두 같다.

    $$\begin{aligned}
    L_D &= \mathbb{E}_{x}[\operatorname{softplus}(-D(x))] + \mathbb{E}_{z}[\operatorname{softplus}(D(G(z)))]
    & \text{판별자} \\
    L_D &= \mathbb{E}_{z}[D(G(z))] - \mathbb{E}_{x}[D(x)] & \text{비평가}
    \end{aligned}$$

    `SATURATING`과 `NON_SATURATING`은 판별자를 쓰고 생성자의 손실만 다르다.
    [`wgan_clip`][mgk_docs_src.transport.gan.wgan_clip]과 [`wgan_gp`][mgk_docs_src.transport.gan.wgan_gp]는 비평가를
    쓰고, 가중치 자르기와 그래디언트 페널티로 1-립시츠에 가깝게 둔다. 두 신경망은 ReLU를 쓰고, 생성자는 노이즈에서
    출력으로 바로 가는 선형 항 $zA$를 더한다($A$는 0에서 시작한다). Adam의 $\beta_1 = 0$, $\beta_2 = 0.99$다. 학습률은
    남은 스텝의 비율 $r = 1 - t/T$에 따라 생성자는 $\eta r$, 판별자는 $\eta r^{1/4}$로 줄인다. 그래서 학습이 끝날수록
    판별자의 학습률이 생성자보다 크다. 돌려주는 생성자의 가중치는 스텝마다의 가중치의 지수 이동 평균이다.
    발생기가 데이터와 같은 GPU의 것이면 스텝마다 장치를 기다리지도 장치로 복사하지도 않는다.

    Args:
        data: 시드마다의 데이터 $x$.
        method: 손실과 제약. 위의 넷 가운데 하나나, 직접 만든 [`Method`][mgk_docs_src.transport.gan.Method].
        steps: 생성자의 학습 스텝 수. 1 이상.
        critic_steps: 생성자 한 스텝마다 판별자의 스텝 수. 1 이상.
        batch_size: 한 스텝에 쓰는 표본 수. 1 이상.
        latent_dim: 노이즈 $z$의 차원. 1 이상.
        hidden: 두 신경망의 은닉층마다의 너비. 하나 이상.
        learning_rate: 두 신경망의 학습률. 0보다 크다.
        averaging: 생성자의 이동 평균에서 이전 평균의 가중치. $[0, 1)$ 안. 0이면 평균하지 않는다.
        snapshots: 남길 생성자의 수. 1 이상, `steps`의 약수.
        generators: 시드마다의 발생기. 초기 가중치, 배치, 노이즈를 여기서 뽑는다.

    Returns:
        학습한 GAN들. 기울기는 따라오지 않는다.

    Raises:
        TypeError: 텐서, 정수, 수, `Method`여야 할 인자가 다른 형이면.
        ValueError: 모양이나 값이 틀렸거나, 발생기의 수가 시드의 수와 다르거나, 학습이 발산하면.

    References:
        Goodfellow, I. 외 (2014). Generative Adversarial Nets, 알고리즘 1.
        Arjovsky, M., Chintala, S. & Bottou, L. (2017). Wasserstein GAN, 알고리즘 1.
        Gulrajani, I. 외 (2017). Improved Training of Wasserstein GANs, 알고리즘 1.
        Heusel, M. 외 (2017). GANs Trained by a Two Time-Scale Update Rule, 2절.
    """
    checks.floating(data=data)
    checks.ndim(3, 3, data=data)
    checks.nonempty(data=data)
    checks.within(data=(data, REAL))
    if not isinstance(method, Method):
        raise TypeError(f"method: Method여야 하는데 {type(method).__name__}이다")
    hidden, generators = checks.listed(hidden=hidden), checks.listed(generators=generators)
    checks.count(
        1, steps=steps, critic_steps=critic_steps, batch_size=batch_size, latent_dim=latent_dim, snapshots=snapshots
    )
    checks.count(1, **{"hidden의 길이": len(hidden)}, **{f"hidden[{i}]": units for i, units in enumerate(hidden)})
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(UNIT, averaging=averaging)
    if averaging == 1:  # 평균이 초기 가중치에서 움직이지 않는다
        raise ValueError("averaging: 1보다 작아야 하는데 1이다")
    if steps % snapshots:
        raise ValueError(f"snapshots: steps {steps}의 약수여야 하는데 {snapshots}이다")
    seeds, n, d = data.shape
    _check_generators(seeds, generators)
    actor = [
        *_initial((latent_dim, *hidden, d), generators, data),
        data.new_zeros(seeds, latent_dim, d).requires_grad_(),
    ]
    critic = _initial((d, *hidden, 1), generators, data)
    actor_optimiser, critic_optimiser = (
        torch.optim.Adam(layers, lr=learning_rate, betas=(0.0, 0.99), fused=True) for layers in (actor, critic)
    )
    seed = torch.arange(seeds, device=data.device).unsqueeze(1)  # (S, 1)
    average = list(_frozen(actor))
    losses, trail = [], []

    def noise() -> Tensor:
        drawn = [randn(batch_size, latent_dim, generator=g, device=data.device, dtype=data.dtype) for g in generators]
        return torch.stack(drawn)  # (S, B, latent)

    with checks.delayed():
        for step in range(steps):
            left = 1 - step / steps
            critic_optimiser.param_groups[0]["lr"] = learning_rate * left**0.25
            for _ in range(critic_steps):
                rows = [randint(0, n, (batch_size,), generator=g, device=data.device) for g in generators]
                real = data[seed, torch.stack(rows)]  # (S, B, d)
                with torch.no_grad():
                    fake = _act(actor, noise())
                scores = _finite(step, _scores(critic, torch.cat([real, fake], 1)))
                loss = method.adversary(scores[:, :batch_size], scores[:, batch_size:])
                penalised = loss
                if method.penalty is not None:
                    u = [rand(batch_size, 1, generator=g, device=data.device, dtype=data.dtype) for g in generators]
                    points = _between(real, fake, torch.stack(u))
                    penalised = loss + method.penalty(lambda x: _scores(critic, x, _switched), points)
                _descend(critic_optimiser, critic, penalised)
                if method.constrain is not None:
                    _replace(critic, method.constrain(critic))
            losses.append(loss.detach())
            actor_optimiser.param_groups[0]["lr"] = learning_rate * left
            _descend(actor_optimiser, actor, method.deceiver(_finite(step, _scores(critic, _act(actor, noise())))))
            with torch.no_grad():
                for mean, layer in zip(average, actor, strict=True):
                    mean.lerp_(layer, 1 - averaging)
            if (step + 1) % (steps // snapshots) == 0:
                trail.append(_frozen(actor))
    return Gan(tuple(average), _frozen(critic), torch.stack(losses), tuple(trail))


@full_precision
def generate(
    layers: Iterable[Float[Tensor, "s _ _"]],
    n: int,
    *,
    generators: Iterable[torch.Generator],
) -> Float[Tensor, "s n d"]:
    r"""학습한 생성자로 표본을 만든다.

    $$\tilde x = G(z) = f(z) + z A, \qquad z \sim \mathcal{N}(0, I)$$

    Args:
        layers: 생성자의 층. [`Gan`][mgk_docs_src.transport.gan.Gan]의 `generator`나 `trail`의 하나.
        n: 시드마다의 표본 수. 1 이상.
        generators: 시드마다의 발생기.

    Returns:
        표본 $\tilde x$.

    Raises:
        TypeError: 텐서나 정수여야 할 인자가 다른 형이면.
        ValueError: 층의 모양이 이어지지 않거나, `n`이 1보다 작거나, 발생기의 수가 시드의 수와 다르면.

    References:
        Goodfellow, I. 외 (2014). Generative Adversarial Nets, 3절.
    """
    checks.count(1, n=n)
    layers, generators = checks.listed(layers=layers), checks.listed(generators=generators)
    _check_layers(layers, direct=True)
    seeds, latent_dim, _ = layers[0].shape
    _check_generators(seeds, generators)
    like = layers[0]
    z = torch.stack([randn(n, latent_dim, generator=g, device=like.device, dtype=like.dtype) for g in generators])
    return _act(layers, z)


@full_precision
def criticise(
    layers: Iterable[Float[Tensor, "s _ _"]],
    points: Float[Tensor, "s n d"],
) -> Float[Tensor, "s n"]:
    r"""학습한 판별자(비평가)의 점수를 구한다. 판별자라면 로짓이다.

    $$D(x) = h W + b, \qquad h = \mathrm{ReLU}(\cdots x \cdots)$$

    Args:
        layers: 판별자의 층. [`Gan`][mgk_docs_src.transport.gan.Gan]의 `critic`.
        points: 시드마다의 점 $x$.

    Returns:
        점수 $D(x)$.

    Raises:
        TypeError: 텐서여야 할 인자가 텐서가 아니면.
        ValueError: 층의 모양이 이어지지 않거나, 점의 모양이 신경망과 맞지 않거나, 비었거나, 실수형이 아니면.

    References:
        Arjovsky, M., Chintala, S. & Bottou, L. (2017). Wasserstein GAN, 3절.
    """
    layers = checks.listed(layers=layers)
    _check_layers(layers, direct=False)
    checks.floating(points=points)
    checks.ndim(3, 3, points=points)
    checks.nonempty(points=points)
    checks.shape((layers[0].shape[0], points.shape[1], layers[0].shape[1]), points=points)
    return _scores(layers, points)


def _softplus(x: Tensor) -> Tensor:
    return softplus(x, threshold=40.0)  # 기본값 20에서는 e^-20 = 2e-9를 버린다


def _between(real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
    return u * real + (1 - u) * fake


def _slopes(score: Callable[[Tensor], Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
    """점수의 점에 대한 기울기와 점수. 다시 미분할 수 있다."""
    try:
        x = points.requires_grad_()
    except RuntimeError:  # torch.func의 변환 안에서는 그 방식으로 미분해야 한다
        scores, pull = torch.func.vjp(score, points)[:2]
        (slope,) = pull(torch.ones_like(scores))
        return slope, scores
    scores = score(x)
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True, materialize_grads=True)
    return slope, scores


def _scored(critic: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    scores: Tensor = checks.called("critic", critic, points)
    checks.floating(critic=scores)
    if not 0 < scores.ndim < points.ndim or scores.shape != points.shape[: scores.ndim]:
        wanted = tuple(points.shape[:-1]) if points.ndim == 2 else f"{tuple(points.shape)}의 앞쪽"
        raise ValueError(f"critic: 모양이 {wanted}이어야 하는데 {tuple(scores.shape)}이다")
    checks.within(critic=(scores, REAL))
    if not scores.requires_grad:
        raise ValueError("critic: 점으로 미분할 수 있는 점수여야 하는데 기울기가 끊겼다")
    return scores


def _finite(step: int, scores: Tensor) -> Tensor:
    # 여기서 확인하지 않으면 손실 함수가 호출한 쪽이 넘긴 적 없는 인자의 이름으로 오류를 낸다.
    checks.within(**{f"learning_rate: 학습 {step}스텝의 점수": (scores, REAL)})
    return scores


def _descend(optimiser: torch.optim.Adam, layers: Sequence[Tensor], loss: Tensor) -> None:
    # 시드마다의 손실을 더해 미분하면 신경망마다 자기 손실의 기울기만 받는다. inputs를 주므로 상대 신경망의 기울기는
    # 계산하지 않는다. autograd.grad로 받은 기울기를 그대로 넣으면 안 된다: 합친(fused) Adam은 축이 뒤바뀐 기울기를
    # 메모리 순서로 읽는다.
    optimiser.zero_grad()
    loss.sum().backward(inputs=list(layers))  # type: ignore[no-untyped-call]
    optimiser.step()


def _replace(layers: Sequence[Tensor], values: Iterable[Tensor]) -> None:
    with torch.no_grad():
        for layer, value in zip(layers, values, strict=True):
            layer.copy_(value)


def _initial(
    widths: tuple[int, ...],
    generators: Sequence[torch.Generator | None],
    like: Tensor,
) -> list[Tensor]:
    layers = []
    for fan_in, fan_out in pairwise(widths):
        for rows in (fan_in, 1):  # torch.nn.Linear처럼 가중치와 절편 모두 ±1/√fan_in에서
            drawn = [rand(rows, fan_out, generator=g, device=like.device, dtype=like.dtype) for g in generators]
            layers.append((2 * torch.stack(drawn) - 1) / math.sqrt(fan_in))  # (S, rows, fan_out)
    return [layer.requires_grad_() for layer in layers]


def _forward(layers: Sequence[Tensor], x: Tensor, activation: Callable[[Tensor], Tensor] = torch.relu_) -> Tensor:
    *inner, weight, bias = layers
    for w, b in zip(inner[::2], inner[1::2], strict=True):
        x = activation(torch.baddbmm(b, x, w))
    return torch.baddbmm(bias, x, weight)


def _scores(layers: Sequence[Tensor], x: Tensor, activation: Callable[[Tensor], Tensor] = torch.relu_) -> Tensor:
    return _forward(layers, x, activation).squeeze(2)


def _switched(x: Tensor) -> Tensor:
    # ReLU를 0이나 1인 상수의 곱으로 쓴다. 값과 기울기는 같고, 기울기를 다시 미분할 때 늘 0인 항을 계산하지 않는다.
    return x * (x > 0).to(x.dtype)


def _act(layers: Sequence[Tensor], z: Tensor) -> Tensor:
    *inner, direct = layers
    return _forward(inner, z) + torch.bmm(z, direct)


def _frozen(layers: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(layer.detach().clone() for layer in layers)


def _check_layers(layers: Sequence[Tensor], *, direct: bool) -> None:
    """가중치와 절편이 번갈아 이어지는지 확인한다. `direct`이면 끝에 출력으로 바로 가는 가중치가 하나 더 있다."""
    checks.floating(**{f"layers[{i}]": layer for i, layer in enumerate(layers)})
    count, shapes = len(layers) - direct, [tuple(layer.shape) for layer in layers]
    if count < 2 or count % 2 or any(len(shape) != 3 for shape in shapes):
        raise ValueError(f"layers: 가중치와 절편의 쌍이어야 하는데 모양이 {shapes}이다")
    seeds, width, _ = shapes[0]
    for i in range(0, count, 2):
        checks.shape((seeds, width, shapes[i][2]), **{f"layers[{i}]": layers[i]})
        checks.shape((seeds, 1, shapes[i][2]), **{f"layers[{i + 1}]": layers[i + 1]})
        width = shapes[i][2]
    if direct:
        checks.shape((seeds, shapes[0][1], width), **{f"layers[{count}]": layers[-1]})


def _check_generators(seeds: int, generators: Sequence[torch.Generator]) -> None:
    for i, generator in enumerate(generators):
        if not isinstance(generator, torch.Generator):
            raise TypeError(f"generators[{i}]: 발생기여야 하는데 {type(generator).__name__}이다")
    if len(generators) != seeds:
        raise ValueError(f"generators: 시드의 수 {seeds}개여야 하는데 {len(generators)}개이다")


def _check_scores(**scores: Tensor) -> None:
    checks.floating(**scores)
    checks.ndim(1, math.inf, **scores)
    checks.nonempty(**scores)
    first = next(iter(scores.values()))
    for name, value in scores.items():
        checks.shape((*first.shape[:-1], value.shape[-1]), **{name: value})
    checks.within(**{name: (value, REAL) for name, value in scores.items()})
