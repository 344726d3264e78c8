"""사용자가 켜 둔 torch의 모드가 값을 바꾸지 않게 한다: 자동 정밀도(autocast), no_grad, inference_mode.

공개 함수의 값은 인자만으로 정해진다. autocast 안에서는 행렬 곱이 float16이나 bfloat16으로 내려가,
손실이 음수가 되거나 가까운 두 점의 거리가 0이 되기도 한다. 그래서 torch의 손실들처럼 함수 안에서는 끈다.
인자로 받은 신경망도 꺼진 상태에서 호출한다. 신경망만 낮은 정밀도로 계산하려면 그 `forward` 안에서 다시 켠다.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    r"""자동 정밀도(autocast)를 끄고 호출하는 함수. 켜져 있지 않으면 그대로 호출한다.

    켜져 있을 때 들어온 float16과 bfloat16은 신경망이 낮춘 값이므로, torch의 손실들처럼 float32로 올린다.
    손실을 float16으로 내면 `GradScaler`가 처음에 곱하는 $2^{16}$이 가장 큰 수 65504를 넘어 기울기가 무한대가 된다.

    Args:
        function: 값이 인자만으로 정해져야 하는 함수.

    Returns:
        같은 인자를 받고, autocast 안에서도 float32의 값을 내는 함수.

    References:
        PyTorch 문서, Automatic Mixed Precision package의 Autocast Op Reference (float32로 올리는 연산).
    """

    @wraps(function)
    def outside_autocast(*args: P.args, **kwargs: P.kwargs) -> R:
        if not torch.is_autocast_enabled("cpu") and not torch.is_autocast_enabled("cuda"):
            return function(*args, **kwargs)
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            return _called(function, _widened, args, kwargs)

    return outside_autocast


def with_gradients(function: Callable[P, R]) -> Callable[P, R]:
    """안에서 미분하는 함수를 `no_grad`와 `inference_mode` 안에서도 호출할 수 있게 한다. autocast도 끈다.

    추론 모드에서 만든 텐서는 역전파에 쓸 수 없으므로, 인자 가운데 그런 텐서는 복사해서 넘긴다.
    함수가 인자가 아니라 안에 가지고 있는 추론 텐서는 복사할 수 없고, 그때는 torch가 추론 모드에 관한 오류를 낸다.

    Args:
        function: 기울기를 직접 구하는 함수.

    Returns:
        같은 인자를 받고, 어느 모드에서나 같은 값을 내는 함수.

    References:
        PyTorch 문서, Autograd mechanics의 Inference Mode.
    """
    precise = full_precision(function)

    @wraps(function)
    def differentiating(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch.inference_mode(False), torch.enable_grad():
            return _called(precise, _usable, args, kwargs)

    return differentiating


def _called(function: Callable[..., R], change: Callable[[Tensor], Tensor], args: Any, kwargs: Any) -> R:
    """인자 안의 텐서를 모두 바꾸어 호출한다."""
    return function(*_mapped(change, args), **{name: _mapped(change, value) for name, value in kwargs.items()})


def _mapped(change: Callable[[Tensor], Tensor], value: Any) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # 상태를 담은 NamedTuple
        return type(value)(*(_mapped(change, part) for part in value))
    if isinstance(value, tuple | list):
        return type(value)(_mapped(change, part) for part in value)
    return value


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value


def _usable(value: Tensor) -> Tensor:
    return value.clone() if value.is_inference() else value
