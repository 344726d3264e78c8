"""에너지 실습: 손실마다 데이터를 넣어 주는 목적 함수와, 혼합 비율이 다른 두 봉우리."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import POSITIVE, REAL
from mgk_docs_src.energy.models import Energy, Grid, negative_log_likelihood
from mgk_docs_src.energy.training import (
    Model,
    Objective,
    contrastive_divergence,
    denoising_score_matching,
    energy_of,
    jump,
    negative_phase,
    noise_contrastive,
    score_matching,
    sliced_score_matching,
)
from mgk_docs_src.random import rand, randn

Draw = Callable[[int], Tensor]  # n을 받아 시드마다의 새 데이터 (s, n, d)를 준다


def two_peaks(
    shape: tuple[int, ...],
    *,
    share: float,
    distance: float,
    std: float,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "*batch 2"]:
    r"""혼합 비율이 다른 두 봉우리에서 뽑은 점.

    $$p(x) = w\, \mathcal{N}\bigl(x;\, (-\tfrac{d}{2}, 0),\, s^2 I\bigr) +
    (1 - w)\, \mathcal{N}\bigl(x;\, (\tfrac{d}{2}, 0),\, s^2 I\bigr)$$

    Args:
        shape: 점을 늘어놓을 모양.
        share: 왼쪽의 혼합 비율 $w \in [0, 1]$.
        distance: 봉우리 사이의 거리 $d$.
        std: 봉우리의 표준 편차 $s > 0$.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        점 (*shape, 2).

    Raises:
        TypeError: 수가 아니면.
        ValueError: 혼합 비율이 $[0, 1]$을 벗어나거나, 표준 편차가 0보다 크지 않거나, 거리가 유한하지 않거나, 다른
            장치의 발생기이면.

    References:
        Wenliang, L. & Kanagawa, H. (2020). Blindness of Score-Based Methods to Isolated Components and Mixing
        Proportions.
    """
    _check_peaks(share, distance, std)
    noise = randn(*shape, 2, generator=generator, device=device, dtype=dtype)
    left = rand(*shape, generator=generator, device=device, dtype=dtype) < share
    centre = torch.where(left, -distance / 2, distance / 2).to(noise.dtype)
    return std * noise + torch.stack([centre, torch.zeros_like(centre)], -1)


def two_peaks_log_density(
    x: Float[Tensor, "*batch 2"],
    *,
    share: float,
    distance: float,
    std: float,
) -> Float[Tensor, "*batch"]:
    r"""두 봉우리의 로그 밀도.

    $$\log p(x) = \log \left[ w\, \mathcal{N}\bigl(x;\, (-\tfrac{d}{2}, 0),\, s^2 I\bigr) +
    (1 - w)\, \mathcal{N}\bigl(x;\, (\tfrac{d}{2}, 0),\, s^2 I\bigr) \right]$$

    Args:
        x: 점.
        share: 왼쪽의 혼합 비율 $w \in [0, 1]$.
        distance: 봉우리 사이의 거리 $d$.
        std: 봉우리의 표준 편차 $s > 0$.

    Returns:
        로그 밀도(nat). 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아니면.
        ValueError: 점이 비었거나, 마지막 축이 2가 아니거나, 유한하지 않거나, 수가 범위를 벗어나면.

    References:
        Murphy, K. P. (2022). Probabilistic Machine Learning: An Introduction, 3.5절 (가우스 혼합).
    """
    _check_peaks(share, distance, std)
    checks.floating(x=x)
    checks.nonempty(x=x)
    checks.ndim(1, math.inf, x=x)
    checks.shape((*x.shape[:-1], 2), x=x)
    checks.within(x=(x, REAL))
    centres = torch.tensor([[-distance / 2, 0.0], [distance / 2, 0.0]], device=x.device, dtype=x.dtype)
    square = (x[..., None, :] - centres).square().sum(-1)  # (..., 2)
    weights = torch.tensor([share, 1 - share], device=x.device, dtype=x.dtype)
    return (weights.log() - square / (2 * std**2) - math.log(2 * math.pi * std**2)).logsumexp(-1)


def normal_log_density(x: Float[Tensor, "*batch d"], *, std: float) -> Float[Tensor, "*batch"]:
    r"""등방 정규 분포의 로그 밀도. 잡음 대조 추정의 노이즈와 체인의 제안에 쓴다.

    $$\log q(x) = -\frac{\lVert x \rVert^2}{2 s^2} - \frac{d}{2} \log(2 \pi s^2)$$

    Args:
        x: 점.
        std: 표준 편차 $s > 0$.

    Returns:
        로그 밀도(nat). 마지막 축이 빠진 모양.

    Raises:
        TypeError: 텐서나 수가 아니면.
        ValueError: 점에 축이 없거나, 실수형이 아니거나, 표준 편차가 0보다 크지 않으면.

    References:
        Bishop, C. M. (2006). Pattern Recognition and Machine Learning, 2.3절.
    """
    checks.floating(x=x)
    checks.ndim(1, math.inf, x=x)
    checks.number(POSITIVE, std=std)
    return -x.square().sum(-1) / (2 * std**2) - x.shape[-1] / 2 * math.log(2 * math.pi * std**2)


def maximum_likelihood(draw: Draw, grid: Grid, *, batch_size: int) -> Objective:
    r"""정확한 최대 가능도의 목적 함수. 학습 스텝마다 새 데이터를 쓴다.

    $$L = \mathbb{E}_{\text{데이터}}[E] + \log Z$$

    Args:
        draw: 시드마다의 데이터를 뽑는 함수.
        grid: $\log Z$를 구할 격자.
        batch_size: 한 학습 스텝에 쓰는 표본 수.

    Returns:
        [`train`][mgk_docs_src.energy.training.train]에 넘길 함수.

    Raises:
        TypeError: 돌려준 함수를 부를 때, 텐서나 수가 아닌 값을 받으면.
        ValueError: 돌려준 함수를 부를 때, 데이터나 설정이 손실이나 체인에 맞지 않으면.

    References:
        Goodfellow, I., Bengio, Y. & Courville, A. (2016). Deep Learning, 18.1절.
    """
    return _chainless(lambda model, energy: negative_log_likelihood(energy, draw(batch_size), grid))


def contrastive(
    draw: Draw,
    *,
    batch_size: int,
    k: int,
    step_size: float,
    metropolis: bool = True,
    generator: torch.Generator | None,
) -> Objective:
    r"""CD-$k$의 목적 함수. 체인은 학습 스텝마다 그 데이터에서 새로 출발한다.

    $$L = \mathbb{E}_{\text{데이터}}[E] - \mathbb{E}_{\tilde x_k}[E], \qquad \tilde x_0 = x$$

    Args:
        draw: 시드마다의 데이터를 뽑는 함수.
        batch_size: 한 학습 스텝에 쓰는 표본 수. 체인의 수이기도 하다.
        k: 체인의 스텝 수.
        step_size: 체인의 스텝 크기 $\epsilon$.
        metropolis: 채택·기각 단계를 더할지.
        generator: CPU나 같은 장치의 발생기.

    Returns:
        [`train`][mgk_docs_src.energy.training.train]에 넘길 함수.

    Raises:
        TypeError: 돌려준 함수를 부를 때, 텐서나 수가 아닌 값을 받으면.
        ValueError: 돌려준 함수를 부를 때, 데이터나 설정이 손실이나 체인에 맞지 않으면.

    References:
        Hinton, G. (2002). Training Products of Experts by Minimizing Contrastive Divergence, 3절.
    """

    def loss(_: Model, energy: Energy) -> Tensor:
        data = draw(batch_size)
        samples = negative_phase(
            energy, data, k=k, step_size=step_size, metropolis=metropolis, generator=generator
        ).position
        return contrastive_divergence(energy, data, samples)

    return _chainless(loss)


def persistent(
    draw: Draw,
    *,
    batch_size: int,
    k: int = 1,
    step_size: float,
    spread: float | None,
    metropolis: bool = True,
    generator: torch.Generator | None,
) -> Objective:
    r"""PCD의 목적 함수. 체인은 앞 학습 스텝에서 이어진다. 랑주뱅 스텝에 앞서 한 번씩 멀리 건너뛰기를 제안한다.

    $$L = \mathbb{E}_{\text{데이터}}[E] - \mathbb{E}_{\tilde x}[E], \qquad
    \tilde x \leftarrow K_\theta^k(\mathrm{jump}(\tilde x)), \qquad q = \mathcal{N}(0, s^2 I)$$

    Args:
        draw: 시드마다의 데이터를 뽑는 함수.
        batch_size: 한 학습 스텝에 쓰는 표본 수.
        k: 학습 스텝마다 체인의 스텝 수.
        step_size: 체인의 스텝 크기 $\epsilon$.
        spread: 건너뛸 곳을 뽑을 정규 분포의 표준 편차 $s$. `None`이면 건너뛰지 않는다.
        metropolis: 채택·기각 단계를 더할지.
        generator: CPU나 같은 장치의 발생기.

    Returns:
        [`train`][mgk_docs_src.energy.training.train]에 체인과 함께 넘길 함수. 체인이 없으면 ValueError를 낸다.

    Raises:
        TypeError: 돌려준 함수를 부를 때, 텐서나 수가 아닌 값을 받으면.
        ValueError: 돌려준 함수를 부를 때, 데이터나 설정이 손실이나 체인에 맞지 않으면.

    References:
        Tieleman, T. (2008). Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient.
    """

    def objective(model: Model, chains: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if chains is None:
            raise ValueError("chains: PCD에는 초기 체인이 있어야 하는데 None이다")
        energy = energy_of(model)
        if spread is not None:
            far = spread * randn(*chains.shape, generator=generator, device=chains.device, dtype=chains.dtype)
            chains = jump(
                energy, chains, far, log_proposal=lambda x: normal_log_density(x, std=spread), generator=generator
            ).position
        chains = negative_phase(
            energy, chains, k=k, step_size=step_size, metropolis=metropolis, generator=generator
        ).position
        return contrastive_divergence(energy, draw(batch_size), chains), chains

    return objective


def matching(draw: Draw, *, batch_size: int) -> Objective:
    r"""암묵적 스코어 매칭의 목적 함수.

    $$L = \mathbb{E}\left[ \tfrac12 \lVert \nabla E \rVert^2 - \operatorname{tr} \nabla^2 E \right]$$

    Args:
        draw: 시드마다의 데이터를 뽑는 함수.
        batch_size: 한 학습 스텝에 쓰는 표본 수.

    Returns:
        [`train`][mgk_docs_src.energy.training.train]에 넘길 함수.

    Raises:
        TypeError: 돌려준 함수를 부를 때, 텐서나 수가 아닌 값을 받으면.
        ValueError: 돌려준 함수를 부를 때, 데이터나 설정이 손실이나 체인에 맞지 않으면.

    References:
        Hyvärinen, A. (2005). Estimation of Non-Normalized Statistical Models by Score Matching, 정리 1.
    """
    return _chainless(lambda model, energy: score_matching(energy, draw(batch_size)))


def sliced(draw: Draw, *, batch_size: int, generator: torch.Generator | None) -> Objective:
    r"""방향이 좌표마다 $\pm 1$인 sliced 스코어 매칭의 목적 함수.

    $$L = \mathbb{E}\left[ \tfrac12 \lVert \nabla E \rVert^2 - v^\top \nabla^2 E\, v \right]$$

    Args:
        draw: 시드마다의 데이터를 뽑는 함수.
        batch_size: 한 학습 스텝에 쓰는 표본 수.
        generator: CPU나 같은 장치의 발생기.

    Returns:
        [`train`][mgk_docs_src.energy.training.train]에 넘길 함수.

    Raises:
        TypeError: 돌려준 함수를 부를 때, 텐서나 수가 아닌 값을 받으면.
        ValueError: 돌려준 함수를 부를 때, 데이터나 설정이 손실이나 체인에 맞지 않으면.

    References:
        Song, Y. 외 (2019). Sliced Score Matching: A Scalable Approach to Density and Score Estimation, 식 8.
    """

    def loss(_: Model, energy: Energy) -> Tensor:
        data = draw(batch_size)
        signs = 2.0 * (_uniform_like(data, generator) < 0.5).to(data.dtype) - 1
        return sliced_score_matching(energy, data, signs)

    return _chainless(loss)


def denoising(
    draw: Draw,
    *,
    batch_size: int,
    sigma: float,
    antithetic: bool = True,
    generator: torch.Generator | None,
) -> Objective:
    r"""노이즈 제거 스코어 매칭의 목적 함수. 데이터 하나에 $+\epsilon$과 $-\epsilon$을 쌍지어 섞는다.

    $$L = \tfrac12\, \mathbb{E} \lVert \sigma \nabla E(x \pm \sigma \epsilon) \mp \epsilon \rVert^2$$

    Args:
        draw: 시드마다의 데이터를 뽑는 함수.
        batch_size: 한 학습 스텝에 계산하는 점의 수. 쌍지으면 데이터는 그 반만 쓴다.
        sigma: 노이즈의 세기 $\sigma$.
        antithetic: 쌍지을지. 아니면 데이터마다 노이즈 하나를 섞는다.
        generator: CPU나 같은 장치의 발생기.

    Returns:
        [`train`][mgk_docs_src.energy.training.train]에 넘길 함수.

    Raises:
        TypeError: 돌려준 함수를 부를 때, 텐서나 수가 아닌 값을 받으면.
        ValueError: 돌려준 함수를 부를 때, 데이터나 설정이 손실이나 체인에 맞지 않으면.

    References:
        Vincent, P. (2011). A Connection Between Score Matching and Denoising Autoencoders, 4.2절.
        Owen, A. B. (2013). Monte Carlo Theory, Methods and Examples, 8.2절 (대조 변수).
    """

    def loss(_: Model, energy: Energy) -> Tensor:
        data = draw(batch_size // 2 if antithetic else batch_size)
        noise = randn(*data.shape, generator=generator, device=data.device, dtype=data.dtype)
        if antithetic:
            data, noise = torch.cat([data, data], -2), torch.cat([noise, -noise], -2)
        return denoising_score_matching(energy, data, noise, sigma=sigma)

    return _chainless(loss)


def noise_contrast(draw: Draw, *, batch_size: int, spread: float, generator: torch.Generator | None) -> Objective:
    r"""잡음 대조 추정의 목적 함수. 노이즈는 등방 정규 분포이고, 데이터와 같은 수를 쓴다.

    $$z(x) = -E(x) - c - \log q(x), \qquad q = \mathcal{N}(0, s^2 I)$$

    Args:
        draw: 시드마다의 데이터를 뽑는 함수.
        batch_size: 한 학습 스텝에 쓰는 데이터의 수. 노이즈의 수이기도 하다.
        spread: 노이즈의 표준 편차 $s$.
        generator: CPU나 같은 장치의 발생기.

    Returns:
        [`train`][mgk_docs_src.energy.training.train]에 넘길 함수.

    Raises:
        TypeError: 돌려준 함수를 부를 때, 텐서나 수가 아닌 값을 받으면.
        ValueError: 돌려준 함수를 부를 때, 데이터나 설정이 손실이나 체인에 맞지 않으면.

    References:
        Gutmann, M. & Hyvärinen, A. (2010). Noise-Contrastive Estimation: A New Estimation Principle for Unnormalized
        Statistical Models, 2.2절.
    """

    def loss(model: Model, energy: Energy) -> Tensor:
        data = draw(batch_size)
        noise = spread * randn(*data.shape, generator=generator, device=data.device, dtype=data.dtype)
        return noise_contrastive(
            energy, model.log_partition, data, noise, log_noise=lambda x: normal_log_density(x, std=spread)
        )

    return _chainless(loss)


def _chainless(loss: Callable[[Model, Energy], Tensor]) -> Objective:
    """체인을 쓰지 않는 목적 함수. 받은 체인은 그대로 돌려준다."""
    return lambda model, chains: (loss(model, energy_of(model)), chains)


def _uniform_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    return rand(*x.shape, generator=generator, device=x.device, dtype=x.dtype)


def _check_peaks(share: float, distance: float, std: float) -> None:
    checks.number(checks.UNIT, share=share)
    checks.number(REAL, distance=distance)
    checks.number(POSITIVE, std=std)
