"""쌓은 신경망이 torch.nn으로 하나씩 만든 신경망과 같은가."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mgk_docs_src.networks import (
    Networks,
    finished,
    forward,
    forward_residual,
    freeze,
    initial,
    initial_residual,
    still_learning,
)
from mgk_docs_src.random import generator, rand, randn

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


def test_only_the_order_of_drawing_changes_with_the_biases_last(device: torch.device) -> None:
    g = generator(5)
    drawn = initial((3, 4, 2), [generator(5)], biases_last=True, device=device)
    for tensor, fan_in in zip((*drawn.weights, *drawn.biases), (3, 4, 3, 4), strict=True):
        wanted = (2 * rand(*tensor.shape[1:], generator=g, device=device) - 1) * fan_in**-0.5
        assert tensor[0].equal(wanted)


def test_shortcuts_are_the_formula_and_start_near_zero(device: torch.device) -> None:
    networks = initial_residual((3, 64, 64, 2), [generator(s) for s in (0, 1)], device=device, dtype=torch.float64)
    (first, middle, last), biases = networks
    x = randn(2, 500, 3, generator=generator(2), device=device, dtype=torch.float64)
    for seed in range(2):
        h = x[seed] @ first[seed]
        h = h + F.silu(h) @ middle[seed]
        torch.testing.assert_close(forward_residual(networks, x)[seed], F.silu(h) @ last[seed])
        alone = initial_residual((3, 64, 64, 2), [generator(seed)], device=device, dtype=torch.float64)
        assert all(a[0].equal(b[seed]) for a, b in zip(alone.weights, networks.weights, strict=True))
    assert all((bias == 0).all() and bias.requires_grad for bias in biases)
    assert abs(float(middle.detach().std()) - 1 / 8) < 0.01
    assert forward_residual(networks, x).detach().std() < 0.3
    assert torch.autograd.gradcheck(
        lambda *tensors: forward_residual(Networks(tensors[:3], tensors[3:]), x[:, :2]), (*networks.weights, *biases)
    )


def test_weights_made_under_inference_mode_can_learn(device: torch.device) -> None:
    with torch.inference_mode():
        made = [initial((2, 3, 1), [generator(0)], device=device), initial_residual((2, 3, 1), [None], device=device)]
    for networks, run in zip(made, (forward, forward_residual), strict=True):
        run(networks, torch.ones(1, 4, 2, device=device)).sum().backward()
        assert networks.weights[0].grad is not None


def test_a_lost_network_is_named_once_and_leaves_the_others(device: torch.device) -> None:
    alive = torch.ones(3, dtype=torch.bool, device=device)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert still_learning(torch.tensor([1.0, 2.0, 3e38], device=device), alive, step=0).all()
        assert still_learning(torch.full((3, 2), 3e38, device=device), alive, step=0).all()  # 합이 넘쳐도 값은 유한하다
    lost = torch.tensor([[1.0, 1.0], [1.0, torch.nan], [0.0, torch.inf]], device=device)
    with pytest.warns(RuntimeWarning) as caught:
        alive = still_learning(lost, alive, step=7)
    assert [str(w.message).split("에서")[0] for w in caught] == [f"generators[{s}]: 학습 스텝 7" for s in (1, 2)]
    assert alive.tolist() == [True, False, False]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert still_learning(lost, alive, step=8).tolist() == [True, False, False]
    with pytest.raises(ValueError, match=r"generators: .*학습 스텝 9에서"):
        still_learning(lost.flip(0), alive, step=9)
    networks = made(device)
    kept = finished(networks, alive)
    for old, new in zip((*networks.weights, *networks.biases), (*kept.weights, *kept.biases), strict=True):
        assert not new.requires_grad
        assert new[0].equal(old[0])
        assert new[1:].isnan().all()
    assert finished(networks, alive | True).weights[0].equal(networks.weights[0])


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
    with pytest.raises(ValueError, match="x"):
        forward_residual(networks, torch.zeros(1, 4, 2))
    with pytest.raises(ValueError, match=r"widths: 가운데 너비.*\(3, 4, 5, 1\)"):
        initial_residual((3, 4, 5, 1), [generator(0)])
    with pytest.raises(ValueError, match="generators"):
        initial_residual((3, 4, 1), [])
    with pytest.raises(TypeError, match=r"generators\[1\]: Generator"):
        initial((3, 1), [None, 3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="widths: 차례로"):
        initial(3, [None])  # type: ignore[arg-type]
    for wrong in (torch.ones(1), torch.ones(2, dtype=torch.bool)):
        with pytest.raises(ValueError, match="alive: "):
            finished(networks, wrong)
