"""샘플러를 비교할 문제: 목표 분포, 설정, 한 번 돌린 것. `samplers.py`와 `sampler_peers.py`가 함께 쓴다."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mgk_docs_src.random import generator, randn


class Target(NamedTuple):
    """평균이 0인 가우스 분포. 정밀도 행렬로 적는다."""

    name: str
    precision: Tensor  # (d, d)
    scale: Tensor  # (d, d): 표준 정규 표본에 곱하면 목표 분포의 표본이다

    @property
    def d(self) -> int:
        return len(self.precision)


class Setting(NamedTuple):
    """HMC 설정 하나: 체인의 수, 스텝 크기, 궤적의 길이, 모으는 수."""

    target: Target
    chains: int
    step_size: float
    steps: int
    jitter: float
    count: int
    mass: Tensor | None = None


class Run(NamedTuple):
    """한 번 돌린 것: 표본, 표본을 뽑는 데 든 초, 기울기의 수(체인을 모두 더해)."""

    draws: Tensor  # (t, n, d)
    seconds: float
    gradients: int
    warmup: int = 0


def correlated(d: int, *, device: torch.device, rho: float = 0.9) -> Target:
    """공분산이 ρ^|i−j|인 가우스."""
    i = torch.arange(d, device=device, dtype=torch.float64)
    covariance = rho ** (i[:, None] - i).abs()
    return Target(f"상관 {rho:g}", torch.linalg.inv(covariance), torch.linalg.cholesky(covariance))


def ill_conditioned(d: int, *, device: torch.device) -> Target:
    """표준 편차가 0.01에서 1까지 퍼진 가우스."""
    scales = torch.logspace(-2, 0, d, device=device, dtype=torch.float64)
    return Target("스케일 0.01–1", torch.diag(scales**-2), torch.diag(scales))


def energy(target: Target) -> Callable[[Tensor], Tensor]:
    def quadratic(x: Tensor) -> Tensor:
        return ((x @ target.precision) * x).sum(-1) / 2

    return quadratic


def start(target: Target, chains: int, seed: int) -> Tensor:
    """목표 분포에서 뽑은 초기 위치. 버릴 스텝이 없다."""
    place = target.precision.device
    return randn(chains, target.d, generator=generator(seed), device=place, dtype=torch.float64) @ target.scale.T
