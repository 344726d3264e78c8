"""확산의 단위 테스트가 함께 쓰는 것: 작은 데이터와 그 정확한 예측."""

import math

import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mgk_docs_src.diffusion.process import (
    cosine_schedule,
    linear_schedule,
    mixture_noise,
)
from mgk_docs_src.random import generator, randint, randn

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


CLOSE = {"atol": 1e-12, "rtol": 1e-12}


FACTORIES = [linear_schedule, cosine_schedule]


SEEDS = st.integers(0, 10**6)


STEPS = st.integers(1, 60)


ROUNDING = {torch.float64: 1e-12, torch.float32: 2e-6, torch.float16: 4e-3, torch.bfloat16: 3e-2}


# 페이지의 예: 데이터가 N(1, 0.5²)이고, 오차의 분산이 0.1인 자로 −0.5를 보았다.
MEAN, STD = 1.0, 0.5


OBSERVED = {"mean": MEAN, "std": STD, "observation": -0.5, "noise_std": math.sqrt(0.1)}


BIMODAL = {"means": ((-1.0,), (1.5,)), "std": (0.5, 0.3), "weights": (0.3, 0.7)}


def normal(seed, *shape, device=None, dtype=torch.float64):
    return randn(*shape, generator=generator(seed), device=device or torch.device("cpu"), dtype=dtype)


def times(seed, n, schedule):
    return randint(0, len(schedule.beta), (n,), generator=generator(seed), device=schedule.beta.device)


def mixture(device, parts=BIMODAL):
    return {name: torch.tensor(value, device=device, dtype=torch.float64) for name, value in parts.items()}


def gaussian(schedule, mean=MEAN, std=STD):
    """데이터가 N(mean, std²)일 때 노이즈의 완벽한 예측."""
    means = schedule.beta.new_tensor([[mean]])
    return lambda x, t: mixture_noise(x, t, schedule, means=means.to(x.dtype), std=std)


def refuses(function, *words, kind=ValueError):
    with pytest.raises(kind) as caught:
        function()
    for word in words:
        assert word in str(caught.value), str(caught.value)
