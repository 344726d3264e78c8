"""난수. CPU에서 만들어 장치로 옮기므로, 시드(seed)가 같으면 어느 장치에서나 같은 수다."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import Interval


def generator(seed: int) -> torch.Generator:
    """시드를 정한 CPU 난수 발생기. 전역 난수 상태는 건드리지 않는다.

    Args:
        seed: 시드. 0 이상의 정수.

    Returns:
        발생기. 난수를 뽑는 함수에 `generator=`로 넘긴다.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 음수이면.

    References:
        PyTorch 문서, `torch.Generator`, Reproducibility.
    """
    checks.count(0, seed=seed)
    return torch.Generator().manual_seed(seed)


def randn(
    *shape: int,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "..."]:
    r"""표준 정규 난수.

    $$x \sim \mathcal{N}(0, 1)$$

    Args:
        shape: 모양.
        generator: CPU 발생기. `None`이면 torch의 전역 발생기.
        device: 옮겨 갈 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        모양이 `shape`인 텐서.

    Raises:
        TypeError: 모양이 정수들이 아니거나, 발생기가 아니면.
        ValueError: 모양에 음수가 있거나, CPU가 아닌 발생기이면.

    References:
        PyTorch 문서, `torch.randn`.
    """
    checks.count(0, **{f"shape[{i}]": size for i, size in enumerate(shape)})
    return torch.randn(shape, generator=_on_cpu(generator), dtype=dtype, device="cpu").to(_or_default(device))


def rand(
    *shape: int,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "..."]:
    r"""0 이상 1 미만의 균등 난수.

    $$x \sim \mathcal{U}[0, 1)$$

    Args:
        shape: 모양.
        generator: CPU 발생기. `None`이면 torch의 전역 발생기.
        device: 옮겨 갈 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        모양이 `shape`인 텐서.

    Raises:
        TypeError: 모양이 정수들이 아니거나, 발생기가 아니면.
        ValueError: 모양에 음수가 있거나, CPU가 아닌 발생기이면.

    References:
        PyTorch 문서, `torch.rand`.
    """
    checks.count(0, **{f"shape[{i}]": size for i, size in enumerate(shape)})
    return torch.rand(shape, generator=_on_cpu(generator), dtype=dtype, device="cpu").to(_or_default(device))


def randint(
    low: int,
    high: int,
    shape: tuple[int, ...],
    *,
    generator: torch.Generator | None,
    device: torch.device | None = None,
) -> Int[Tensor, "..."]:
    r"""`low` 이상 `high` 미만의 균등한 정수 난수.

    $$x \sim \mathcal{U}\{low, \ldots, high - 1\}$$

    Args:
        low: 가장 작은 값.
        high: 가장 큰 값 더하기 1.
        shape: 모양.
        generator: CPU 발생기. `None`이면 torch의 전역 발생기.
        device: 옮겨 갈 장치. 기본값은 torch의 기본 장치.

    Returns:
        모양이 `shape`인 `torch.int64` 텐서.

    Raises:
        TypeError: 수나 발생기가 아닌 값을 받으면.
        ValueError: `high`가 `low`보다 크지 않거나, CPU가 아닌 발생기이면.

    References:
        PyTorch 문서, `torch.randint`.
    """
    checks.count(-(2**63), low=low)
    checks.number(Interval(low, math.inf, open=True), high=high)
    checks.count(low + 1, high=high)
    checks.instance(Sequence, shape=shape)
    checks.count(0, **{f"shape[{i}]": size for i, size in enumerate(shape)})
    return torch.randint(low, high, shape, generator=_on_cpu(generator), device="cpu").to(_or_default(device))


def randperm(
    n: int,
    *,
    generator: torch.Generator | None,
    device: torch.device | None = None,
) -> Int[Tensor, "n"]:
    r"""0부터 $n - 1$까지를 섞은 무작위 순열.

    $$\pi \sim \mathcal{U}(S_n)$$

    Args:
        n: 섞을 수의 개수. 0 이상.
        generator: CPU 발생기. `None`이면 torch의 전역 발생기.
        device: 옮겨 갈 장치. 기본값은 torch의 기본 장치.

    Returns:
        길이가 `n`인 `torch.int64` 텐서.

    Raises:
        TypeError: `n`이 정수가, `generator`가 발생기가 아니면.
        ValueError: `n`이 음수이거나, CPU가 아닌 발생기이면.

    References:
        PyTorch 문서, `torch.randperm`.
    """
    checks.count(0, n=n)
    return torch.randperm(n, generator=_on_cpu(generator), device="cpu").to(_or_default(device))


def _or_default(device: torch.device | None) -> torch.device:
    return torch.get_default_device() if device is None else device


def _on_cpu(generator: torch.Generator | None) -> torch.Generator | None:
    if generator is None:
        return None
    checks.instance(torch.Generator, generator=generator)
    if generator.device.type != "cpu":
        raise ValueError(f"generator: CPU 발생기여야 하는데 장치가 {generator.device}이다")
    return generator
