"""공개 함수의 입력 검사: 틀린 입력이면 인자의 이름, 들어온 값, 필요한 값을 오류로 알린다.

인자의 이름은 키워드로 넘긴다. `checks.within(target=(target, UNIT))`은 `target`의 모든 값이 [0, 1] 안인지 본다.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from mgk_docs_src.modes import full_precision

T = TypeVar("T")


class Interval(NamedTuple):
    r"""실수 구간. 양 끝이 $\pm\infty$여도 값은 유한해야 한다.

    $$[a, b] = \{x : a \le x \le b\}, \qquad (a, b) = \{x : a < x < b\}, \qquad [a, b) = \{x : a \le x < b\}$$

    Attributes:
        low: 아래 끝 $a$.
        high: 위 끝 $b$.
        open: 참이면 양 끝을 뺀 열린 구간.
        right_open: 참이면 위 끝만 뺀 구간.

    References:
        Rudin, W. (1976). Principles of Mathematical Analysis, 2장.
    """

    low: float
    high: float
    open: bool = False
    right_open: bool = False

    def holds(self, value: int | float) -> bool:
        """`value`가 유한하고 구간 안에 있는지. nan은 어느 구간에도 없다."""
        above = self.low < value if self.open else self.low <= value
        below = value < self.high if self.open or self.right_open else value <= self.high
        return above and below and math.isfinite(value)

    def __str__(self) -> str:
        """오류 문구에 쓰는 이름. 예: `[0, 1] 안의 값`."""
        if self.low == -math.inf and self.high == math.inf:
            return "유한한 값"
        if self.high == math.inf:
            return f"{self.low:g}보다 큰 유한한 값" if self.open else f"{self.low:g} 이상의 유한한 값"
        left, right = "(" if self.open else "[", ")" if self.open or self.right_open else "]"
        return f"{left}{self.low:g}, {self.high:g}{right} 안의 값"


REAL = Interval(-math.inf, math.inf)
UNIT = Interval(0.0, 1.0)
NONNEGATIVE = Interval(0.0, math.inf)
POSITIVE = Interval(0.0, math.inf, open=True)


def tensor(**values: object) -> None:
    """모두 텐서인지 본다.

    Args:
        values: 이름과 값.

    Raises:
        TypeError: 텐서가 아니면.

    References:
        PyTorch 문서, `torch.is_tensor`.
    """
    for name, value in values.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}: 텐서여야 하는데 {type(value).__name__}이다")


def instance(kind: type, /, **values: object) -> None:
    """모두 `kind`인지 본다. 함수끼리 주고받는 상태(NamedTuple), 신경망, 발생기에 쓴다.

    Args:
        kind: 필요한 클래스.
        values: 이름과 값.

    Raises:
        TypeError: 다른 클래스이면.

    References:
        Python 문서, `isinstance`.
    """
    for name, value in values.items():
        if not isinstance(value, kind):
            raise TypeError(f"{name}: {kind.__name__}이어야 하는데 {type(value).__name__}이다")


def function(**values: object) -> None:
    """모두 호출할 수 있는 함수인지 본다.

    Args:
        values: 이름과 값.

    Raises:
        TypeError: 호출할 수 없으면.

    References:
        Python 문서, `callable`.
    """
    for name, value in values.items():
        if not callable(value):
            raise TypeError(f"{name}: 함수여야 하는데 {type(value).__name__}이다")


def called(name: str, function: Callable[..., Any], *given: Tensor) -> Any:
    """사용자가 넘긴 함수를 호출한다. 함수가 그 모양을 계산하지 못하면, 함수를 받은 인자의 이름으로 오류를 낸다.

    Args:
        name: 함수를 받은 인자의 이름.
        function: 에너지, 예측, 신경망처럼 텐서를 받는 함수.
        given: 함수에 넘길 텐서.

    Returns:
        함수의 반환값. 검사하지 않은 그대로다.

    Raises:
        ValueError: 함수가 받은 모양을 계산하지 못하면. 메모리와 추론 모드의 오류는 torch의 설명이 더 분명하고, 함수가
            직접 낸 `ValueError`는 무엇이 틀렸는지 이미 알리므로 그대로 둔다.

    References:
        Python 문서, Exception Chaining.
    """
    try:
        return function(*given)
    except (RuntimeError, IndexError) as error:
        if isinstance(error, torch.OutOfMemoryError) or "nference" in str(error):
            raise
        raise ValueError(f"{name}: 모양이 {tuple(given[0].shape)}인 입력에서 오류를 냈다: {error}") from error


def listed(**values: Iterable[T]) -> list[T]:
    """한 번만 순회할 수 있는 값도 여러 번 쓰도록 리스트로 만든다.

    Args:
        values: 이름과, 순회할 수 있는 값. 하나만.

    Returns:
        리스트.

    Raises:
        TypeError: 순회할 수 없으면.

    References:
        Python 문서, `collections.abc.Iterable`.
    """
    ((name, value),) = values.items()
    if not isinstance(value, Iterable):
        raise TypeError(f"{name}: 차례로 읽을 수 있어야 하는데 {type(value).__name__}이다")
    return list(value)


def floating(**tensors: Tensor) -> None:
    """모두 실수형 텐서인지 본다.

    Args:
        tensors: 이름과 텐서.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 정수형, 불리언형, 복소수형이면.

    References:
        PyTorch 문서, `torch.is_floating_point`.
    """
    tensor(**tensors)
    for name, value in tensors.items():
        if not value.is_floating_point():
            raise ValueError(f"{name}: 실수형이어야 하는데 {value.dtype}이다")


def int64(**tensors: Tensor) -> None:
    """모두 `torch.int64` 텐서, 곧 클래스 번호를 담는 자료형인지 본다.

    Args:
        tensors: 이름과 텐서.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 다른 자료형이면.

    References:
        PyTorch 문서, `torch.Tensor`의 자료형 표.
    """
    tensor(**tensors)
    for name, value in tensors.items():
        if value.dtype != torch.int64:
            raise ValueError(f"{name}: 클래스 번호는 torch.int64여야 하는데 {value.dtype}이다")


def classes(expected: tuple[int, ...], num_classes: int, /, **labels: Tensor) -> None:
    r"""모두 모양이 `expected`인 클래스 번호 $0, \ldots, C-1$인지 본다.

    Args:
        expected: 필요한 모양.
        num_classes: 클래스의 수 $C$.
        labels: 이름과 번호.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: `torch.int64`가 아니거나, 모양이 다르거나, 없는 번호이면.

    References:
        PyTorch 문서, `torch.nn.CrossEntropyLoss`의 `target`.
    """
    int64(**labels)
    shape(expected, **labels)
    within(**{name: (value, Interval(0, num_classes - 1)) for name, value in labels.items()})


def class_list(num_classes: int, /, **labels: Tensor) -> None:
    r"""모두 한 줄로 놓인, 비지 않은 클래스 번호 $0, \ldots, C-1$인지 본다.

    Args:
        num_classes: 클래스의 수 $C \ge 1$.
        labels: 이름과 번호.

    Raises:
        TypeError: 정수나 텐서가 아니면.
        ValueError: 축이 하나가 아니거나, 비었거나, `torch.int64`가 아니거나, 없는 번호이면.

    References:
        PyTorch 문서, `torch.bincount`.
    """
    count(1, num_classes=num_classes)
    tensor(**labels)
    ndim(1, 1, **labels)
    nonempty(**labels)
    for name, value in labels.items():
        classes(value.shape, num_classes, **{name: value})


def class_scores(labels: Tensor, /, **scores: Tensor) -> None:
    r"""모두 표본마다, 클래스마다의 점수 $(N, C)$이고, `labels`가 그 번호 $(N)$인지 본다. 점수의 값은 보지 않는다.

    Args:
        labels: 정답의 번호 $y \in \{0, \ldots, C-1\}$.
        scores: 이름과 점수(로짓이나 확률).

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 점수가 실수형이 아니거나, 축이 둘이 아니거나, 비었거나, 번호가 `classes`에 어긋나면.

    References:
        PyTorch 문서, `torch.nn.CrossEntropyLoss`의 `input`.
    """
    floating(**scores)
    ndim(2, 2, **scores)
    nonempty(**scores)
    for value in scores.values():
        classes(value.shape[:1], value.shape[1], labels=labels)


def nonempty(**tensors: Tensor) -> None:
    """모두 원소가 하나 이상인지 본다.

    Args:
        tensors: 이름과 텐서.

    Raises:
        ValueError: 원소가 하나도 없으면.

    References:
        PyTorch 문서, `torch.numel`.
    """
    for name, value in tensors.items():
        if value.numel() == 0:
            raise ValueError(f"{name}: 원소가 하나 이상이어야 하는데 모양이 {tuple(value.shape)}이다")


def ndim(low: int, high: int | float, /, **tensors: Tensor) -> None:
    r"""모두 축의 수가 $[low, high]$ 안인지 본다.

    Args:
        low: 가장 적은 축의 수.
        high: 가장 많은 축의 수. 끝이 없으면 `math.inf`.
        tensors: 이름과 텐서.

    Raises:
        ValueError: 축이 모자라거나 남으면.

    References:
        PyTorch 문서, `torch.Tensor.dim`.
    """
    wanted = f"{low}" if low == high else f"{low} 이상" if high == math.inf else f"{low}–{high}"
    for name, value in tensors.items():
        if not low <= value.ndim <= high:
            raise ValueError(f"{name}: 축의 수가 {wanted}이어야 하는데 모양이 {tuple(value.shape)}이다")


def shape(expected: tuple[int, ...], /, **tensors: Tensor) -> None:
    """모두 모양이 `expected`인지 본다.

    Args:
        expected: 필요한 모양.
        tensors: 이름과 텐서.

    Raises:
        ValueError: 모양이 다르면. 브로드캐스트하지 않는다.

    References:
        PyTorch 문서, `torch.Tensor.shape`.
    """
    for name, value in tensors.items():
        if value.shape != expected:
            raise ValueError(f"{name}: 모양이 {tuple(expected)}이어야 하는데 {tuple(value.shape)}이다")


def device(expected: torch.device, /, **tensors: Tensor) -> None:
    """모두 장치 `expected`에 있는지 본다.

    Args:
        expected: 필요한 장치.
        tensors: 이름과 텐서.

    Raises:
        ValueError: 다른 장치에 있으면. 옮기지 않는다.

    References:
        PyTorch 문서, `torch.Tensor.device`.
    """
    for name, value in tensors.items():
        # 번호 없는 "cuda"는 어느 CUDA 장치여도 된다.
        if value.device.type != expected.type or expected.index not in (None, value.device.index):
            raise ValueError(f"{name}: 장치가 {expected}여야 하는데 {value.device}이다")


def broadcastable(expected: tuple[int, ...], /, **tensors: Tensor | None) -> None:
    """주어진 텐서가 모두 실수형이고 모양 `expected`로 브로드캐스트되는지 본다.

    Args:
        expected: 브로드캐스트한 뒤의 모양.
        tensors: 이름과 텐서. `None`은 건너뛴다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 그 모양으로 브로드캐스트되지 않으면.

    References:
        PyTorch 문서, Broadcasting semantics.
    """
    for name, value in tensors.items():
        if value is None:
            continue
        floating(**{name: value})
        spare = len(expected) - value.ndim
        if spare < 0 or any(size not in (1, full) for size, full in zip(value.shape, expected[spare:], strict=True)):
            raise ValueError(f"{name}: {tuple(expected)}로 늘어나는 모양이어야 하는데 {tuple(value.shape)}이다")


def plain(value: Tensor) -> Tensor:
    """값을 읽을 수 있는 텐서: 기울기에서 분리하고, `torch.func`의 변환(`grad`, `vmap`, `jvp`)이 씌운 래퍼를 벗긴다.

    `vmap` 안에서는 한 원소가 아니라 묶음 전체다. 그래서 입력 검사는 변환 안에서도 동작한다. 계산에는 쓰지 않는다.

    Args:
        value: 텐서.

    Returns:
        같은 값의 보통 텐서.

    References:
        PyTorch 문서, `torch.func.debug_unwrap`.
    """
    # torch.compile은 벗기는 함수를 추적하지 못하고, 추적하는 텐서에는 벗길 것이 없다.
    return value.detach() if torch.compiler.is_compiling() else torch.func.debug_unwrap(value.detach())


class _Bound(NamedTuple):
    # 값을 보기 전에 알아 두는 것: 이름, 구간, 정수인지.
    name: str
    interval: Interval
    whole: bool

    def check(self, low: float, high: float) -> None:
        if math.isnan(low):
            raise ValueError(f"{self.name}: {self.interval}이어야 하는데 nan이 있다")
        for end, bound in (("최솟값", low), ("최댓값", high)):
            if not self.interval.holds(bound):
                came = int(bound) if self.whole else bound
                raise ValueError(f"{self.name}: {self.interval}이어야 하는데 {end}이 {came}이다")


class _Delayed(NamedTuple):
    # 미룬 검사들과, 정수의 검사도 미루는지.
    checks: list[tuple[list[_Bound], Tensor]]
    whole: bool

    def settle(self) -> None:
        """미룬 검사를 미룬 차례대로 한다. 장치를 한 번 기다린다."""
        if not self.checks:
            return
        bounds = [bound for several, _ in self.checks for bound in several]
        numbers = torch.cat([ends.to(self.checks[0][1].device) for _, ends in self.checks]).tolist()
        self.checks.clear()
        for bound, low, high in zip(bounds, numbers[::2], numbers[1::2], strict=True):
            bound.check(low, high)


_BACKLOG = 256  # 이만큼 미루면 한 번 본다
_delayed: ContextVar[_Delayed | None] = ContextVar("delayed", default=None)


@contextmanager
def delayed(*, whole: bool = False) -> Iterator[None]:
    """안에서 하는 `within`을 미루었다가 256번마다, 그리고 나갈 때 한꺼번에 한다.

    반복문이 스텝마다 장치를 기다리지 않게 한다. CPU의 값은 기다릴 것이 없으므로 바로 본다. 안에서 다른 오류가 나면
    미룬 검사부터 한다. 먼저 틀린 값이 그 오류를 냈을 수 있다.

    Args:
        whole: 정수의 검사도 미룰지. 범위 밖의 번호로 읽으면 GPU가 멈추므로, 번호를 스스로 만드는 반복문에서만 미룬다.

    Returns:
        `with`로 여는 문맥.

    Raises:
        ValueError: 미룬 검사에서 구간을 벗어난 값이 나오면.

    References:
        PyTorch 문서, CUDA semantics의 Asynchronous execution.
    """
    waiting = _Delayed([], whole)
    token = _delayed.set(waiting)
    try:
        yield
    except Exception:
        waiting.settle()
        raise
    finally:
        _delayed.reset(token)
    waiting.settle()


@full_precision
def within(**bounds: tuple[Tensor | None, Interval]) -> None:
    """주어진 텐서의 값이 모두 구간 안에 있는지 본다.

    텐서마다 한 번 훑고, 모두의 최솟값과 최댓값을 한 번에 가져온다. GPU에서는 이때 장치와 한 번 동기화한다.
    `delayed` 안에서는 동기화를 미룬다.

    Args:
        bounds: 이름과 (텐서, 구간). 텐서가 `None`이면 건너뛴다. 빈 텐서는 미리 걸러야 한다.

    Raises:
        ValueError: 구간을 벗어난 값, nan, 무한대가 있으면.

    References:
        PyTorch 문서, `torch.aminmax`.
    """
    waiting = _delayed.get()
    given = [value for value, _ in bounds.values() if value is not None]
    if waiting is None or any(_at_hand(value) or not (waiting.whole or value.is_floating_point()) for value in given):
        extremes(**bounds)
        return
    checked, ends = _ends(bounds)
    waiting.checks.append((checked, _stacked(ends)))
    if len(waiting.checks) >= _BACKLOG:
        waiting.settle()


@full_precision
def extremes(**bounds: tuple[Tensor | None, Interval]) -> dict[str, tuple[float, float]]:
    """`within`처럼 보고, 텐서마다의 최솟값과 최댓값을 돌려준다. 미루지 않는다.

    Args:
        bounds: 이름과 (텐서, 구간). 텐서가 `None`이면 건너뛴다. 빈 텐서는 미리 걸러야 한다.

    Returns:
        이름마다 (최솟값, 최댓값).

    Raises:
        ValueError: 구간을 벗어난 값, nan, 무한대가 있으면.

    References:
        PyTorch 문서, `torch.aminmax`, CUDA semantics의 Asynchronous execution.
    """
    checked, ends = _ends(bounds)
    numbers = _read(ends)
    for bound, low, high in zip(checked, numbers[::2], numbers[1::2], strict=True):
        bound.check(low, high)
    return {bound.name: (low, high) for bound, low, high in zip(checked, numbers[::2], numbers[1::2], strict=True)}


def _at_hand(value: Tensor) -> bool:
    return value.is_cpu  # 읽을 때 장치를 기다리지 않는다


def _ends(bounds: dict[str, tuple[Tensor | None, Interval]]) -> tuple[list[_Bound], list[Tensor]]:
    given = [(name, plain(value), interval) for name, (value, interval) in bounds.items() if value is not None]
    checked = [_Bound(name, interval, not value.is_floating_point()) for name, value, interval in given]
    return checked, [plain(end) for _, value, _ in given for end in value.aminmax()]


def _read(ends: list[Tensor]) -> list[float]:
    return [end.item() for end in ends] if all(map(_at_hand, ends)) else _stacked(ends).tolist()


def _stacked(ends: list[Tensor]) -> Tensor:
    return plain(torch.stack([end.double() for end in ends]))  # 동기화는 한 번


@full_precision
def simplex(dim: int, /, **tensors: Tensor) -> None:
    r"""모두 축 `dim`이 확률 분포인지 본다.

    $$p_c \ge 0, \qquad \Bigl|\sum_c p_c - 1\Bigr| \le \sqrt{\varepsilon}$$

    $\varepsilon$은 자료형의 정밀도다. 허용 오차는 float64 1.5e-8, float32 3.5e-4, float16 0.031, bfloat16 0.088.
    장치와 한 번 동기화한다.

    Args:
        dim: 합이 1이어야 하는 축.
        tensors: 이름과 텐서.

    Raises:
        ValueError: 음수나 nan이 있거나, 합이 1에서 허용 오차보다 멀면.

    References:
        Boyd, S. & Vandenberghe, L. (2004). Convex Optimization, 2.2.4절 (확률 단체).
    """
    bounds, ends = _ends({name: (value, NONNEGATIVE) for name, value in tensors.items()})
    for value in tensors.values():
        # 축 dim은 벗기기 전의 텐서에서 센다.
        total = plain(value.detach().sum(dim, dtype=torch.promote_types(value.dtype, torch.float32)))
        ends += map(plain, total.aminmax())
    numbers = _read(ends)
    for bound, low, high in zip(bounds, numbers[: len(ends) // 2 : 2], numbers[1 : len(ends) // 2 : 2], strict=True):
        bound.check(low, high)
    sums = zip(numbers[len(ends) // 2 :: 2], numbers[len(ends) // 2 + 1 :: 2], strict=True)
    for (name, value), (low, high) in zip(tensors.items(), sums, strict=True):
        tolerance = torch.finfo(value.dtype).eps ** 0.5
        farthest = max(low, high, key=lambda end: abs(end - 1))
        if abs(farthest - 1) > tolerance:
            digits = 3 - round(math.log10(tolerance))
            raise ValueError(
                f"{name}: dim={dim}의 합이 1이어야 하는데 {farthest:.{digits}g}이다 (허용 오차 {tolerance:.2g})"
            )


def number(interval: Interval, /, **values: int | float) -> None:
    """모두 구간 안의 수인지 본다.

    Args:
        interval: 구간.
        values: 이름과 파이썬이나 NumPy의 수.

    Raises:
        TypeError: 수가 아니면.
        ValueError: 구간 밖이거나 nan이면.

    References:
        Python 문서, `numbers`.
    """
    for name, value in values.items():
        if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
            raise TypeError(f"{name}: 수여야 하는데 {type(value).__name__}이다")
        if not interval.holds(value):
            raise ValueError(f"{name}: {interval}이어야 하는데 {value}이다")


def count(low: int, /, **values: int) -> None:
    """모두 `low` 이상의 정수인지 본다.

    Args:
        low: 가장 작은 값.
        values: 이름과 정수.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: `low`보다 작으면.

    References:
        Python 문서, `int`.
    """
    for name, value in values.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise TypeError(f"{name}: 정수여야 하는데 {type(value).__name__}이다")
        if value < low:
            raise ValueError(f"{name}: {low} 이상의 정수여야 하는데 {value}이다")


def axis(ndim: int, /, **values: int) -> None:
    r"""모두 축이 `ndim`개인 텐서의 축의 번호 $-ndim, \ldots, ndim - 1$인지 본다.

    Args:
        ndim: 축의 수.
        values: 이름과 번호.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 없는 축이면.

    References:
        PyTorch 문서, `torch.sum`의 `dim`.
    """
    count(-ndim, **values)
    number(Interval(-ndim, ndim - 1), **values)


def choice(allowed: tuple[str, ...], /, **values: str) -> None:
    """모두 정해진 문자열 가운데 하나인지 본다.

    Args:
        allowed: 허용하는 문자열.
        values: 이름과 값.

    Raises:
        ValueError: 다른 값이면.

    References:
        Python 문서, `typing.Literal`.
    """
    for name, value in values.items():
        if value not in allowed:
            raise ValueError(f"{name}: {', '.join(map(repr, allowed))} 가운데 하나여야 하는데 {value!r}이다")
