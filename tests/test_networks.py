"""쌓은 신경망이 torch.nn으로 하나씩 만든 신경망과 같은가."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mgk_docs_src.networks import Networks, forward, freeze, initial
from mgk_docs_src.random import generator, randn

WIDTHS = (3, 5, 4, 2)


def made(device: torch.device, *, seeds: int = 3) -> Networks:
    return initial(WIDTHS, [generator(seed) for seed in range(seeds)], device=device, dtype=torch.float64)


def test_one_product_equals_one_network_at_a_time(device: torch.device) -> None:
    networks = made(device)
    x = randn(3, 7, 3, generator=generator(9), device=device, dtype=torch.float64)
    for seed in range(3):
        layers: list[nn.Module] = []
        for weight, bias in zip(networks.weights, networks.biases, strict=True):
            layer = nn.Linear(*weight.shape[1:], device=device, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(weight[seed].T)
                layer.bias.copy_(bias[seed, 0])
            layers += [layer, nn.Tanh()]
        plain = nn.Sequential(*layers[:-1])
        torch.testing.assert_close(forward(networks, x, activation=torch.tanh)[seed], plain(x[seed]))


def test_a_network_does_not_know_its_neighbours(device: torch.device) -> None:
    together, alone = made(device), initial(WIDTHS, [generator(2)], device=device, dtype=torch.float64)
    for many, one in zip((*together.weights, *together.biases), (*alone.weights, *alone.biases), strict=True):
        assert many[2].equal(one[0])


def test_weights_start_like_a_linear_layer(device: torch.device) -> None:
    networks = initial((16, 400), [generator(0)], device=device)
    (weight,), (bias,) = networks
    for tensor in (weight, bias):
        assert tensor.requires_grad
        assert tensor.is_leaf
        assert tensor.abs().max() <= 0.25
        assert tensor.abs().max() > 0.24
    assert abs(float(weight.detach().std()) - 0.25 / 3**0.5) < 0.003


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_is_kept(device: torch.device, dtype: torch.dtype) -> None:
    networks = initial(WIDTHS, [generator(0)], device=device, dtype=dtype)
    out = forward(networks, torch.zeros(1, 4, 3, device=device, dtype=dtype))
    assert out.dtype == dtype
    assert out.shape == (1, 4, 2)
    assert out.device.type == device.type


def test_gradients_match_finite_differences(device: torch.device) -> None:
    networks = made(device, seeds=2)
    x = randn(2, 3, 3, generator=generator(1), device=device, dtype=torch.float64)

    def energy(*tensors: torch.Tensor) -> torch.Tensor:
        return forward(Networks(tensors[:3], tensors[3:]), x, activation=F.silu)

    assert torch.autograd.gradcheck(energy, (*networks.weights, *networks.biases))


def test_frozen_copy_stays(device: torch.device) -> None:
    networks = made(device)
    frozen = freeze(networks)
    with torch.no_grad():
        networks.weights[0].add_(1.0)
    assert not frozen.weights[0].requires_grad
    assert (networks.weights[0] - frozen.weights[0]).min() > 0.9


@pytest.mark.bad_input
def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="widths"):
        initial((3,), [generator(0)])
    with pytest.raises(ValueError, match=r"widths\[1\]"):
        initial((3, 0, 1), [generator(0)])
    with pytest.raises(TypeError, match=r"widths\[0\]"):
        initial((3.0, 1), [generator(0)])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="generators"):
        initial((3, 1), [])
    networks = initial((3, 1), [generator(0)])
    with pytest.raises(ValueError, match="x"):
        forward(networks, torch.zeros(1, 4, 2))
    with pytest.raises(ValueError, match="x"):
        forward(networks, torch.zeros(4, 3))
    with pytest.raises(ValueError, match="x"):
        forward(networks, torch.zeros(1, 4, 3, dtype=torch.int64))
