"""난수. 발생기의 장치에서 뽑아, 텐서를 둘 장치로 옮긴다.

CPU 발생기는 시드(seed)가 같으면 어느 장치에서나 같은 수를 준다. 대신 뽑을 때마다 CPU가 만들고 장치로 복사한다. GPU의
발생기는 그 자리에서 뽑으므로 복사도 기다림도 없다. 대신 CPU와 다른 수이고, GPU의 종류와 torch의 버전이 같을 때만 같은
수다.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import Interval

CPU = torch.device("cpu")


def generator(seed: int, *, device: torch.device | None = None) -> torch.Generator:
    """시드를 정한 난수 발생기. 전역 난수 상태는 건드리지 않는다.

    Args:
        seed: 시드. 0 이상의 정수.
        device: 난수를 뽑을 장치. 기본값은 CPU다. torch의 기본 장치를 따르지 않는다.

    Returns:
        발생기. 난수를 뽑는 함수에 `generator=`로 넘긴다.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 음수이면.

    References:
        PyTorch 문서, `torch.Generator`, Reproducibility.
    """
    checks.count(0, seed=seed)
    return torch.Generator(device or CPU).manual_seed(seed)


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
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 난수를 둘 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        모양이 `shape`인 텐서.

    Raises:
        TypeError: 모양이 정수들이 아니거나, 발생기가 아니면.
        ValueError: 모양에 음수가 있거나, 다른 장치의 발생기이면.

    References:
        PyTorch 문서, `torch.randn`.
    """
    checks.count(0, **{f"shape[{i}]": size for i, size in enumerate(shape)})
    drawn_on, place = _places(generator, device)
    return torch.randn(shape, generator=generator, dtype=dtype, device=drawn_on).to(place)


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
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 난수를 둘 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        모양이 `shape`인 텐서.

    Raises:
        TypeError: 모양이 정수들이 아니거나, 발생기가 아니면.
        ValueError: 모양에 음수가 있거나, 다른 장치의 발생기이면.

    References:
        PyTorch 문서, `torch.rand`.
    """
    checks.count(0, **{f"shape[{i}]": size for i, size in enumerate(shape)})
    drawn_on, place = _places(generator, device)
    return torch.rand(shape, generator=generator, dtype=dtype, device=drawn_on).to(place)


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
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 난수를 둘 장치. 기본값은 torch의 기본 장치.

    Returns:
        모양이 `shape`인 `torch.int64` 텐서.

    Raises:
        TypeError: 수나 발생기가 아닌 값을 받으면.
        ValueError: `high`가 `low`보다 크지 않거나, 다른 장치의 발생기이면.

    References:
        PyTorch 문서, `torch.randint`.
    """
    checks.count(-(2**63), low=low)
    checks.number(Interval(low, math.inf, open=True), high=high)
    checks.count(low + 1, high=high)
    checks.instance(Sequence, shape=shape)
    checks.count(0, **{f"shape[{i}]": size for i, size in enumerate(shape)})
    drawn_on, place = _places(generator, device)
    return torch.randint(low, high, shape, generator=generator, device=drawn_on).to(place)


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
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 난수를 둘 장치. 기본값은 torch의 기본 장치.

    Returns:
        길이가 `n`인 `torch.int64` 텐서.

    Raises:
        TypeError: `n`이 정수가, `generator`가 발생기가 아니면.
        ValueError: `n`이 음수이거나, 다른 장치의 발생기이면.

    References:
        PyTorch 문서, `torch.randperm`.
    """
    checks.count(0, n=n)
    drawn_on, place = _places(generator, device)
    return torch.randperm(n, generator=generator, device=drawn_on).to(place)


def _places(generator: torch.Generator | None, device: torch.device | None) -> tuple[torch.device, torch.device]:
    """뽑을 장치와 둘 장치."""
    place = torch.get_default_device() if device is None else device
    if generator is None:
        return CPU, place
    checks.instance(torch.Generator, generator=generator)
    if generator.device.type not in ("cpu", place.type):
        others = "" if place.type == "cpu" else f"나 {place.type}의"
        raise ValueError(f"generator: CPU{others} 발생기여야 하는데 장치가 {generator.device}이다")
    return generator.device, place
