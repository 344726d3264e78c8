"""부르는 쪽의 모드: autocast, no_grad, inference_mode."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from mgk_docs_src.modes import full_precision, with_gradients


class Pair(NamedTuple):
    left: Tensor
    right: Tensor


@pytest.mark.parametrize("low", [torch.float16, torch.bfloat16])
def test_full_precision_turns_autocast_off(low: torch.dtype, device: torch.device, rng: torch.Generator) -> None:
    x = torch.randn(8, 8, generator=rng).to(device)
    product = full_precision(torch.matmul)
    with torch.autocast(device.type, dtype=low):
        assert torch.matmul(x, x).dtype == low
        assert product(x, x).dtype == torch.float32
    torch.testing.assert_close(product(x, x), x @ x, rtol=0, atol=0)


@pytest.mark.parametrize("low", [torch.float16, torch.bfloat16])
def test_what_autocast_lowered_is_widened_again(low: torch.dtype, device: torch.device) -> None:
    pair = Pair(torch.ones(2, dtype=low, device=device), torch.ones(2, dtype=torch.float64, device=device))
    kinds = full_precision(lambda pair, more, *, scale: [x.dtype for x in (*pair, *more, scale)])
    given = (pair, [pair.left], pair.left)
    assert kinds(given[0], given[1], scale=given[2]) == [low, torch.float64, low, low]
    with torch.autocast(device.type, dtype=low):
        single = torch.float32
        assert kinds(given[0], given[1], scale=given[2]) == [single, torch.float64, single, single]


def test_full_precision_leaves_autocast_as_it_was(device: torch.device) -> None:
    with torch.autocast(device.type, dtype=torch.bfloat16):
        full_precision(torch.ones)(2, device=device)
        assert torch.is_autocast_enabled(device.type)


def test_full_precision_compiles_whole(device: torch.device, rng: torch.Generator) -> None:
    torch.compiler.reset()  # 감싼 함수들은 코드 하나를 나누어 쓰므로, 앞의 테스트가 컴파일한 수도 한도(8)에 든다
    x = torch.randn(8, 8, generator=rng).to(device)
    compiled = torch.compile(full_precision(torch.matmul), fullgraph=True, backend="eager")
    with torch.autocast(device.type, dtype=torch.bfloat16):
        torch.testing.assert_close(compiled(x, x), full_precision(torch.matmul)(x, x), rtol=0, atol=0)


def slope(pair: Pair, scales: list[Tensor], *, power: int, offset: Tensor) -> Tensor:
    """(좌·우)^power + 배율 + 더하는 값의, 왼쪽에 대한 기울기."""
    left = pair.left.detach().requires_grad_()
    value = (left * pair.right).pow(power).sum() * scales[0] + offset
    return torch.autograd.grad(value, left)[0]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_with_gradients_differentiates_in_every_mode(mode: type, device: torch.device) -> None:
    with mode():
        pair = Pair(torch.tensor([1.0, 2.0], device=device), torch.tensor([3.0, 4.0], device=device))
        scales, offset = [torch.tensor(0.5, device=device)], torch.tensor(1.0, device=device)
        found = with_gradients(slope)(pair, scales, power=2, offset=offset)
    torch.testing.assert_close(found, torch.tensor([9.0, 32.0], device=device))
    assert not found.is_inference()


def test_with_gradients_names_inference_mode_when_it_cannot(device: torch.device) -> None:
    with torch.inference_mode():
        hidden = torch.ones(2, device=device)

        def closed(x: Tensor) -> Tensor:
            x = x.detach().requires_grad_()
            return torch.autograd.grad((x * hidden).sum(), x)[0]

        with pytest.raises(RuntimeError, match="nference"):
            with_gradients(closed)(torch.ones(2, device=device))
