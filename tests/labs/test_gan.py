"""기준값: 참 분포의 닫힌 식과, 손으로 놓은 표본."""

import math

import pytest
import torch

from mgk_docs_src.data import eight_gaussians
from mgk_docs_src.labs.gan import Shape, peak_shape
from mgk_docs_src.random import generator, randn


def ring(device, kind=torch.float64):
    angle = torch.arange(8, device=device, dtype=kind) * math.pi / 4
    return 2 * torch.stack([angle.cos(), angle.sin()], 1)


def test_real_data_have_the_shape_of_the_closed_form(device):
    # 반지름의 제곱은 지수 분포 2σ²E다. E ≤ 4.5에서 자른 평균이 1 − 4.5/(e^4.5 − 1)이다.
    found = peak_shape(eight_gaussians(200_000, generator=generator(0), device=device, dtype=torch.float64))
    assert isinstance(found, Shape)
    truth = 0.2 * math.sqrt(1 - 4.5 / math.expm1(4.5))
    assert truth == pytest.approx(0.195, abs=5e-4)
    assert found.spread.item() == pytest.approx(truth, abs=1e-3)
    assert found.imbalance.item() < 0.005


def test_shapes_placed_by_hand(device):
    centres = ring(device)
    away = torch.tensor([0.3, 0.4], device=device, dtype=torch.float64)
    collapsed = centres[3].expand(8, 2)
    found = peak_shape(torch.stack([centres, centres + away, collapsed, centres + 10]))
    assert found.spread[:3].tolist() == pytest.approx([0, 0.5 / 2**0.5, 0], abs=1e-7)
    assert found.spread[3].isnan()
    assert found.imbalance[:3].tolist() == pytest.approx([0, 0, 7 / 8], abs=1e-7)


def test_the_nearest_peak_is_the_one_meant(device):
    x = 4 * randn(5000, 2, generator=generator(1), device=device, dtype=torch.float64)
    nearest = torch.cdist(x, ring(device)).argmin(1)
    share = nearest.bincount(minlength=8).double() / 5000
    assert peak_shape(x).imbalance.item() == pytest.approx((share - 1 / 8).abs().sum().item() / 2, abs=1e-9)
    distance = torch.cdist(x, ring(device)).amin(1)
    truth = (distance[distance <= 0.6].square().mean() / 2).sqrt()
    assert peak_shape(x).spread.item() == pytest.approx(truth.item(), abs=1e-9)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_batches_dtypes_and_inputs(device, kind):
    x = (ring(device) + 0.1).to(kind).expand(2, 3, 8, 2)
    before = x.clone()
    for value in peak_shape(x):
        assert value.shape == (2, 3)
        assert value.dtype == kind
        assert value.device.type == device.type
    assert torch.equal(x, before)


@pytest.mark.bad_input
def test_bad_samples(device):
    x = torch.ones(3, 2, device=device)
    for message, wrong in [
        ("samples: 축의 수가 2 이상이어야", x[0]),
        ("samples: 원소가 하나 이상이어야", x[:0]),
        ("samples: 모양이 \\(3, 2\\)이어야", x[:, :1]),
        ("samples: 실수형이어야", x.long()),
        ("samples: 유한한 값이어야", x / 0),
    ]:
        with pytest.raises(ValueError, match=message):
            peak_shape(wrong)
    with pytest.raises(TypeError, match="samples: 텐서여야"):
        peak_shape([[1.0, 2.0]])
