from typing import get_args

import pytest
import torch

from mgk_docs_src.losses.reduction import Reduction, reduce, widen


def test_each_reduction(device):
    loss = torch.tensor([[1.0, 2.0], [3.0, 6.0]], device=device)
    assert get_args(Reduction) == ("none", "mean", "sum")
    assert reduce(loss, "none") is loss
    assert reduce(loss, "sum").item() == 12
    assert reduce(loss, "mean").item() == 3
    assert reduce(loss, "mean", denominator=torch.tensor(8.0, device=device)).item() == 1.5
    assert reduce(loss, "sum", denominator=torch.tensor(8.0, device=device)).item() == 12


def test_reductions_are_differentiable(device):
    loss = torch.ones(4, device=device, dtype=torch.float64, requires_grad=True)
    for reduction, expected in (("mean", 0.25), ("sum", 1.0)):
        (grad,) = torch.autograd.grad(reduce(loss, reduction), loss)
        assert grad.tolist() == [expected] * 4


@pytest.mark.parametrize(
    ("kinds", "wide"),
    [
        ((torch.float16,), torch.float32),
        ((torch.bfloat16, torch.float16), torch.float32),
        ((torch.float32, torch.bfloat16), torch.float32),
        ((torch.float16, torch.float64), torch.float64),
    ],
)
def test_widen_goes_to_a_common_dtype_of_at_least_float32(device, kinds, wide):
    tensors = [torch.full((2,), 0.5, device=device, dtype=kind) for kind in kinds]
    widened = widen(*tensors)
    assert [tensor.dtype for tensor in widened] == [wide] * len(kinds)
    assert all(tensor.tolist() == [0.5, 0.5] for tensor in widened)


@pytest.mark.bad_input
def test_bad_inputs(device):
    loss = torch.ones(3, device=device)
    with pytest.raises(ValueError, match="reduction: 'none', 'mean', 'sum' 가운데 하나여야 하는데 'max'이다"):
        reduce(loss, "max")
    for reduction in get_args(Reduction):
        with pytest.raises(ValueError, match=r"loss: 원소가 하나 이상이어야 하는데 모양이 \(0,\)이다"):
            reduce(loss[:0], reduction)
    with pytest.raises(ValueError, match=r"loss: 실수형이어야 하는데 torch\.int64이다"):
        reduce(loss.long(), "sum")
    with pytest.raises(TypeError, match="loss: 텐서여야 하는데 float이다"):
        reduce(1.0, "sum")
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="denominator: 0보다 큰 유한한 값이어야 하는데"):
            reduce(loss, "mean", denominator=torch.tensor(bad, device=device))
    with pytest.raises(ValueError, match=r"tensors\[1\]: 실수형이어야 하는데 torch\.bool이다"):
        widen(loss, loss > 0)
    with pytest.raises(TypeError, match=r"tensors\[0\]: 텐서여야 하는데 int이다"):
        widen(1)
