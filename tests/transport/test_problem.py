"""수송 문제 풀이의 공통 부분: 가중치, 변환 밖의 계산, 답의 확인. 기준값은 SciPy의 배정과 정의 그대로의 계산이다."""

import numpy as np
import pytest
import scipy.optimize
import torch

from mgk_docs_src.random import generator, rand
from mgk_docs_src.transport.problem import constant, exact_plan, masses


def test_masses_are_equal_or_given_and_sum_to_one(device):
    assert torch.equal(masses(4, device, a=None), torch.full((4,), 0.25, device=device, dtype=torch.float64))
    weights = torch.tensor([0.2, 0.3, 0.5003], device=device, requires_grad=True)
    found = masses(3, device, a=weights)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, weights.double() / weights.double().sum())
    many = torch.stack([weights.detach(), weights.detach().flip(0)])
    torch.testing.assert_close(torch.func.vmap(lambda w: masses(3, device, a=w))(many)[1], found.flip(0).detach())


@pytest.mark.bad_input
def test_bad_masses_are_named(device):
    half = torch.tensor([0.5, 0.5], device=device)
    for weights, kind, message in (
        ([0.5, 0.5], TypeError, "b: 텐서"),
        (half.long(), ValueError, "b: 실수형"),
        (half[:1], ValueError, r"b: 모양이 \(2,\)"),
        (2 * half, ValueError, "b: dim=0의 합이 1이어야 하는데 2"),
        (half.to("meta"), ValueError, "b: 장치가"),
    ):
        with pytest.raises(kind, match=message):
            masses(2, device, b=weights)
    with pytest.raises(ValueError, match="b: dim=0의 합이 1"):
        torch.func.vmap(lambda w: masses(2, device, b=w))(torch.stack([half, 2 * half]))


def test_a_constant_is_computed_on_plain_tensors_in_every_transform(device):
    x = rand(3, 5, generator=generator(0), device=device)

    def largest(x):
        return (torch.tensor(max(x.tolist()), device=device),)  # 변환 안의 텐서에는 tolist가 없다

    def excess(x):
        (top,) = constant(largest, x)
        return (x * top).sum()

    expected = (x * x.amax(1, keepdim=True)).sum(1)
    torch.testing.assert_close(torch.func.vmap(excess)(x), expected)
    torch.testing.assert_close(torch.func.vmap(excess, in_dims=1)(x.T), expected)
    torch.testing.assert_close(
        torch.func.vmap(torch.func.grad(excess))(x), x.amax(1, keepdim=True).expand(3, 5)
    )  # 상수로 미분하지 않는다
    _, tangent = torch.func.jvp(excess, (x[0],), (x[1],))
    torch.testing.assert_close(tangent, x[0].max() * x[1].sum())


def test_an_exact_plan_is_the_assignment_however_wide_the_costs(device):
    powers = rand(4, 12, 12, generator=generator(0), device=device, dtype=torch.float64).cpu().numpy()
    equal = np.full(12, 1 / 12)
    for spread, power in zip((1, 10, 40, 300), powers, strict=True):
        costs = 10.0 ** (spread * power)
        flow, f, g = exact_plan(costs, equal, equal, limit=10**6, named="cost")
        rows, columns = scipy.optimize.linear_sum_assignment(costs)
        assert (flow * costs).sum() == pytest.approx(costs[rows, columns].mean(), rel=1e-9)
        assert (flow.sum(0) == equal).all()
        assert (flow.sum(1) == equal).all()
        assert (f[:, None] + g <= costs * (1 + 1e-12) + 1e-12 * abs(f[:, None])).all()
