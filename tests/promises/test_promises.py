"""모든 공개 함수가 한꺼번에 지키는 약속: 부르는 쪽의 모드, 입력의 놓임새, 크기, 변환, 오류의 이름."""

import copy
import gc
import inspect
import math
import random
import re
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck

from mgk_docs_src.contrastive.training import embed
from tests.docs.contract_package import load, modules, public
from tests.promises.calls import EXEMPT, ROWS, Call, Make, Row

DOUBLE, SINGLE = torch.float64, torch.float32
EVERY = sorted(ROWS)
DIFFERENTIABLE = [name for name in EVERY if ROWS[name].wrt or ROWS[name].through]
SIZED = [name for name in EVERY if ROWS[name].sizes]
HOMOGENEOUS = [name for name in EVERY if ROWS[name].degree is not None]
FAR = 100  # 2^±100배
CLOSE = {"rtol": 1e-9, "atol": 1e-11}
Pure = Callable[..., Tensor]


# --- 부르고 비교하는 법 ---


def run(row: Row, make: Make, call: Call | None = None) -> list[Any]:
    """부르고, 나온 것을 텐서와 수의 한 줄로 편다."""
    function, args, knobs = call or row.make(make)
    value = function(*args, **knobs)
    return leaves(row.then(value, make) if row.then else value)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, nn.Module):
        return [tensor.detach() for tensor in value.state_dict().values()]
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in leaves(part)]
    if isinstance(value, Tensor):
        return [value.detach()]
    return [] if value is None or callable(value) else [value]


def same(ours: list[Any], theirs: list[Any], tolerance: float = 0.0) -> None:
    assert len(ours) == len(theirs)
    for left, right in zip(ours, theirs, strict=True):
        if isinstance(left, Tensor):
            torch.testing.assert_close(left, right, rtol=tolerance, atol=tolerance, equal_nan=True)
        elif isinstance(left, float):
            assert left == pytest.approx(right, rel=tolerance, abs=tolerance, nan_ok=True)
        else:
            assert left == right


def mapped(change: Callable[[Tensor], Tensor], value: Any) -> Any:
    """텐서만 바꾼, 같은 형태의 값."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(change, part) for part in value))
    if isinstance(value, tuple | list):
        return type(value)(mapped(change, part) for part in value)
    return value


def rearranged(call: Call, change: Callable[[Tensor], Tensor]) -> Call:
    return Call(call.function, mapped(change, call.args), {k: mapped(change, v) for k, v in call.knobs.items()})


class InferenceRefusedError(Exception):
    """추론 텐서로는 미분할 수 없다고, 추론 모드의 이름을 들어 거절했다."""


def outcome(row: Row, make: Make, call: Call | None = None) -> list[Any]:
    """나온 것, 또는 거절한 말."""
    try:
        return run(row, make, call)
    except (ValueError, TypeError) as error:
        return [str(error)]
    except RuntimeError as error:
        if "nference" in str(error):
            raise InferenceRefusedError from error
        raise


# --- 표 ---


def test_every_public_function_has_a_row() -> None:
    named = {
        member.path.removeprefix("mgk_docs_src.")
        for module in modules(load())
        for member in public(module)
        if member.is_function
    }
    asked = {name for name in named if not name.startswith(tuple(EXEMPT))}
    assert asked == set(ROWS)


# --- 부르는 쪽의 모드 ---


@pytest.mark.parametrize("dtype", [SINGLE, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", EVERY)
def test_modes_change_nothing(name: str, dtype: torch.dtype, device: torch.device) -> None:
    row, make = ROWS[name], partial(Make, device, dtype)
    plain = outcome(row, make(), row.make(make()))
    modes = [(torch.no_grad(), plain), (torch.inference_mode(), plain)]
    if dtype == SINGLE or not (row.then or holds_network(row.make(make()))):
        # autocast 안에서는 torch의 손실들처럼, 온 반정밀도를 float32로 올려 셈한다.
        widened = outcome(row, make(), rearranged(row.make(make()), wide))
        modes += [(torch.autocast(device.type, dtype=low), widened) for low in (torch.bfloat16, torch.float16)]
    for mode, right in modes:
        outside = row.make(make())  # 입력을 밖에서 만들고 안에서 부른다
        with mode:
            same(outcome(row, make(), outside), right)
    with torch.inference_mode(), suppress(InferenceRefusedError):  # 입력까지 안에서 만든다
        same(outcome(row, make()), plain)


def holds_network(call: Call) -> bool:
    """신경망이나, 텐서를 안에 쥔 함수를 받는가. 그것의 자료형은 올려 줄 수 없다."""
    return any(callable(value) for value in [*call.args, *call.knobs.values()])


def wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype == torch.bfloat16 else x


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("name", EVERY)
def test_defaults_change_nothing(name: str, device: torch.device) -> None:
    """기본 장치가 다른 곳이고 기본 자료형이 다를 때. meta는 값이 없는 장치라, 거기서 무엇을 만들면 곧 드러난다."""
    row, make = ROWS[name], partial(Make, device, SINGLE)
    plain = run(row, make())
    built = row.make(make())
    with torch.device("meta"):
        same(run(row, make(), built), plain)
    built = row.make(make())
    with default_dtype(DOUBLE):
        found = run(row, make(), built)
    same([x.float() for x in found] if row.by_default else found, plain, 1e-6 if row.by_default else 0)


@pytest.mark.parametrize("name", SIZED)
def test_threads_change_nothing(name: str, device: torch.device) -> None:
    row, make = ROWS[name], Make(device, n=ROWS[name].sizes[1])
    call = row.make(make)
    again = row.make(Make(device, n=ROWS[name].sizes[1]))
    one = run(row, make, call)
    torch.set_num_threads(2)
    try:
        same(run(row, make, again), one, 1e-12)
    finally:
        torch.set_num_threads(1)


# --- 입력 ---


def strided(x: Tensor) -> Tensor:
    return torch.stack([x, x.new_full(x.shape, 7)], -1)[..., 0]


def transposed(x: Tensor) -> Tensor:
    return x.transpose(0, -1).contiguous().transpose(0, -1) if x.ndim > 1 else strided(x)


def expanded(x: Tensor) -> Tensor:
    return x[:1].expand(x.shape) if x.ndim else x


@pytest.mark.parametrize("name", EVERY)
def test_layouts_change_nothing(name: str, device: torch.device) -> None:
    row, make = ROWS[name], partial(Make, device)
    plain = run(row, make())
    for layout in (strided, transposed):
        same(run(row, make(), rearranged(row.make(make()), layout)), plain, 1e-12)
    repeated = rearranged(row.make(make()), lambda x: expanded(x).contiguous())
    same(outcome(row, make(), rearranged(row.make(make()), expanded)), outcome(row, make(), repeated), 1e-12)


def tensors(call: Call) -> list[Tensor]:
    return [leaf for leaf in leaves([*call.args, *call.knobs.values()]) if isinstance(leaf, Tensor)]


@pytest.mark.parametrize("name", EVERY)
def test_inputs_and_global_randomness_stay(name: str, device: torch.device) -> None:
    row = ROWS[name]
    make = Make(device)
    call = row.make(make)
    before = [tensor.clone() for tensor in tensors(call)]
    generators = (torch.get_rng_state(), copy.deepcopy(np.random.get_state()), random.getstate())  # noqa: NPY002
    run(row, make, call)
    same(cast(list[Any], tensors(call)), cast(list[Any], before))
    torch_after, numpy_after, python_after = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    assert torch.equal(generators[0], torch_after)
    assert all(np.array_equal(left, right) for left, right in zip(generators[1], numpy_after, strict=True))
    assert generators[2] == python_after


def test_nothing_is_kept_after_the_calls(device: torch.device) -> None:
    given = {}
    for name, row in ROWS.items():
        call = row.make(Make(device))
        given[name] = [weakref.ref(value) for value in [*call.args, *call.knobs.values()] if isinstance(value, Tensor)]
        run(row, Make(device), call)
    del call
    gc.collect()
    assert [
        name for name, references in given.items() if any(reference() is not None for reference in references)
    ] == []


# --- 크기와 배율 ---


def slopes(function: Pure, wrt: list[Tensor]) -> list[Tensor]:
    given = [value.detach().requires_grad_() for value in wrt]
    return list(torch.autograd.grad(function(*given), given))


def ways(row: Row, make: Callable[[], Make]) -> list[tuple[Pure, list[Tensor]]]:
    """미분하는 법마다: 미분하는 텐서들의 함수와, 그 텐서들. 함수의 값은 실수로 나온 것의 가중합이다."""
    found = [as_function(row, row.make(make()))] if row.wrt else []
    if row.through:
        function, parameters = row.through(make())
        found.append((lambda *given: weighted(function(*given)), parameters))
    return found


def as_function(row: Row, call: Call) -> tuple[Pure, list[Tensor]]:
    bound = inspect.signature(call.function).bind(*call.args, **call.knobs)
    fixed = dict(bound.arguments)

    def function(*wrt: Tensor) -> Tensor:
        for knob, value in fixed.items():
            if isinstance(value, torch.Generator):
                fixed[knob] = torch.Generator().manual_seed(3)
        bound.arguments.update({**fixed, **dict(zip(row.wrt, wrt, strict=True))})
        return weighted(call.function(*bound.args, **bound.kwargs))

    return function, [bound.arguments[name] for name in row.wrt]


def weighted(found: Any) -> Tensor:
    # 그냥 더하면, 합이 늘 1인 확률 같은 것의 기울기가 0이 되어 아무것도 테스트하지 않는다.
    parts = [part for part in (found if isinstance(found, tuple) else (found,)) if isinstance(part, Tensor)]
    weights = [(torch.arange(part.numel(), device=part.device) % 7 + 1).view(part.shape) / 4 for part in parts]
    each = zip(parts, weights, strict=True)
    return torch.stack([(part * weight).sum() for part, weight in each if part.is_floating_point()]).sum()


def close_to_double(ours: list[Any], theirs: list[Any], tolerance: float) -> None:
    """마지막 축에서 가장 큰 것에 견준 어긋남. 전체에서 가장 큰 것의 반올림보다 작은 것은 따지지 않는다."""
    for left, right in zip(ours, theirs, strict=True):
        if isinstance(left, Tensor) and left.is_floating_point():
            scale = right.abs().amax(-1, keepdim=True) if right.ndim else right.abs()
            floor = 2 * torch.finfo(SINGLE).eps * right.abs().amax()
            excess = ((left.double() - right).abs() - floor) / scale.clamp_min(1e-300)
            assert excess.amax() <= tolerance
        elif isinstance(left, float):
            assert left == pytest.approx(right, rel=tolerance)


@pytest.mark.parametrize("name", SIZED)
def test_float32_agrees_with_float64_at_every_size(name: str, device: torch.device) -> None:
    row = ROWS[name]
    for n in row.sizes:
        single, double = Make(device, SINGLE, n), Make(device, DOUBLE, n)
        close_to_double(run(row, single), run(row, double), 2e-5)
        for ours, theirs in zip(ways(row, single.again), ways(row, double.again), strict=True):
            close_to_double(slopes(*ours), slopes(*theirs), 5e-4)


@pytest.mark.parametrize("name", HOMOGENEOUS)
@pytest.mark.parametrize("power", [-FAR, FAR])
def test_scale_passes_through(name: str, power: int, device: torch.device) -> None:
    row = ROWS[name]
    degree = cast(float, row.degree)
    for dtype in (DOUBLE, SINGLE) if degree <= 1 else (DOUBLE,):
        call = row.make(Make(device, dtype))
        bound = inspect.signature(call.function).bind(*call.args, **call.knobs)
        bound.arguments.update({key: bound.arguments[key] * 2.0**power for key in row.scaled})
        far = leaves(call.function(*bound.args, **bound.kwargs))
        near = run(row, Make(device, dtype))
        rate = 2.0 ** (power * degree)
        same([x / rate if isinstance(x, Tensor) and x.is_floating_point() else x for x in far], near,
             1e-11 if dtype == DOUBLE else 1e-5)  # fmt: skip


# --- 미분과 변환 ---


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_are_right_and_the_second_right_or_refused(name: str, device: torch.device) -> None:
    row = ROWS[name]
    for function, wrt in ways(row, partial(Make, device)):
        given = [value.detach().requires_grad_() for value in wrt]
        assert gradcheck(function, given)
        if row.once is not None:
            first = torch.autograd.grad(function(*given), given, create_graph=True)
            with pytest.raises(RuntimeError, match=row.once):
                torch.autograd.grad(weighted(first), given)
        else:
            assert gradgradcheck(function, given)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_transforms_agree_with_the_loop(name: str, device: torch.device) -> None:
    row = ROWS[name]
    for (function, first), (_, second) in zip(
        ways(row, partial(Make, device)), ways(row, partial(Make, device, seed=1)), strict=True
    ):
        if row.untransformed is not None:
            slope = torch.func.grad(function)
            for transformed, given in ((slope, first), (torch.func.vmap(slope), stack(first, second))):
                with pytest.raises((RuntimeError, ValueError), match=row.untransformed):
                    transformed(*given)
        else:
            slopes_agree(function, first, second)
            tangents_agree(function, first, second, row.unforwarded)


def stack(first: list[Tensor], second: list[Tensor]) -> list[Tensor]:
    return [torch.stack(pair) for pair in zip(first, second, strict=True)]


def slopes_agree(function: Pure, first: list[Tensor], second: list[Tensor]) -> None:
    slope = torch.func.grad(function, argnums=tuple(range(len(first))))
    loops = [slopes(function, wrt) for wrt in (first, second)]
    together = stack(first, second)
    values = torch.func.vmap(function, randomness="same")(*together)
    torch.testing.assert_close(values, torch.stack([function(*first), function(*second)]), **CLOSE)
    torch.testing.assert_close(list(slope(*first)), loops[0], **CLOSE)
    torch.testing.assert_close(list(torch.func.vmap(slope, randomness="same")(*together)), stack(*loops), **CLOSE)


def tangents_agree(function: Pure, first: list[Tensor], second: list[Tensor], refused: str | None) -> None:
    if refused is not None:
        with pytest.raises(RuntimeError, match=refused):
            torch.func.jvp(function, tuple(first), tuple(second))
        return
    value, tangent = torch.func.jvp(function, tuple(first), tuple(second))
    torch.testing.assert_close(value, function(*first), **CLOSE)
    products = [(slope * direction).sum() for slope, direction in zip(slopes(function, first), second, strict=True)]
    torch.testing.assert_close(tangent, torch.stack(products).sum(), **CLOSE)


# --- 오류의 이름 ---


def spoilt(value: Any) -> Iterator[Any]:
    """한 인자에 올 법한 틀린 것들. 함수에 따라서는 옳은 것도 있다."""
    yield from ("x", None, [])
    if isinstance(value, Tensor):
        yield from (value[..., None], value.flatten()[:0], value.flatten()[:1], value.to(torch.complex64), value.bool())
        yield value.new_zeros(())
        if value.ndim:
            yield torch.cat([value, value[:1]])
        if value.is_floating_point() and value.numel():
            for bad in (math.nan, math.inf, -math.inf, -1.0, 3e38):
                yield torch.full_like(value, bad)
                yield torch.cat([value.flatten()[:-1], value.new_tensor([bad])]).view(value.shape)
            yield value.long()
        elif not value.is_floating_point():
            yield from (value.double(), value.long() - 1, value.long() + 1000)
    elif isinstance(value, bool):
        yield from (3, 0.5)
    elif isinstance(value, int | float):
        yield from (-1, 0, math.nan, math.inf, -math.inf, True, 0.5, 1e300, -0.1)
    elif isinstance(value, str):
        yield from ("", 3)
    elif isinstance(value, tuple | list):
        yield from ((), value[:1], [*value, "x"], (0,), (-1, -1), [None], 3)
    elif isinstance(value, torch.Generator):
        yield from (3, torch.get_rng_state())
    elif callable(value) and not isinstance(value, nn.Module):
        for wrong in (math.nan, None, "x"):
            yield lambda *args, answer=wrong, **knobs: answer
        yield lambda x, *rest, **knobs: x[..., :0] if isinstance(x, Tensor) else x
        yield lambda x, *rest, **knobs: x.sum(-1) * math.nan if isinstance(x, Tensor) else x
        yield lambda x, *rest, **knobs: x * math.nan if isinstance(x, Tensor) else x
        yield lambda x, *rest, **knobs: x.detach().sum() if isinstance(x, Tensor) else x


@pytest.mark.parametrize("name", EVERY)
def test_errors_name_an_argument_of_the_function(name: str, device: torch.device) -> None:
    """틀린 것을 하나씩 넣어 본다. 나온 오류는 이 함수의 인자를 들고 말하는 ValueError나 TypeError다."""
    row = ROWS[name]
    signature = inspect.signature(ROWS[name].make(Make(device)).function)
    unclear = []
    call = row.make(Make(device))
    for key in signature.bind(*call.args, **call.knobs).arguments.keys() - {"device", "dtype"}:  # torch가 거절한다
        kind = signature.parameters[key].kind
        count = len(list(spoilt(signature.bind(*call.args, **call.knobs).arguments[key])))
        for index in range(count):
            make = Make(device)
            fresh = row.make(make)
            bound = signature.bind(*fresh.args, **fresh.knobs)
            wrong = list(spoilt(bound.arguments[key]))[index]
            if kind is inspect.Parameter.VAR_POSITIONAL and not isinstance(wrong, tuple):
                continue
            if kind is inspect.Parameter.VAR_KEYWORD:
                continue
            bound.arguments[key] = wrong
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    value = fresh.function(*bound.args, **bound.kwargs)
                    if row.then:
                        row.then(value, make)
            except (ValueError, TypeError) as error:
                said = re.match(r"\w+", str(error), re.ASCII)
                if not said or said[0] not in {*signature.parameters, *fresh.knobs}:
                    unclear.append(f"{key} = {wrong!r:.60}: {type(error).__name__}: {error!s:.150}")
            except Exception as error:
                unclear.append(f"{key} = {wrong!r:.60}: {type(error).__name__}: {error!s:.150}")
    assert not unclear, "\n".join(unclear)


def test_an_encoder_made_in_inference_mode_is_refused_in_torchs_words(device: torch.device) -> None:
    """추론 모드에서 만든 가중치로는 미분할 수 없다. 그림의 탓으로 돌리지 않는다."""
    with torch.inference_mode():
        encoder = Make(device).encoder()
    images = Make(device).normal(2, 1, 8, 8).requires_grad_()
    with pytest.raises(RuntimeError, match="nference"):
        embed(encoder, images)
