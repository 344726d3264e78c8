"""기준값: 손으로 적은 작은 스케줄, 정규 분포의 조건부 분포."""

import math
from functools import partial

import pytest
import torch

from mgk_docs_src.diffusion.process import cosine_schedule, linear_schedule, mixture_noise, noise_schedule
from mgk_docs_src.diffusion.schedules import (
    LEAST_SIGNAL,
    Schedule,
    alpha_bar,
    bridge_variance,
    bridge_weights,
    check_data,
    check_predictors,
    check_schedule,
    check_times,
    check_variances,
    column,
    levels,
)
from tests.diffusion.shared import CLOSE, normal, refuses


def small(device):
    return noise_schedule(torch.tensor([0.5, 0.25], device=device))


def test_a_schedule_is_read_by_time_and_the_data_stand_at_minus_one(device):
    schedule = small(device)
    assert isinstance(schedule, Schedule)
    assert [alpha_bar(t, schedule).item() for t in (-1, 0, 1)] == [1.0, 0.5, 0.375]
    assert alpha_bar(torch.tensor([1, -1, 0], device=device), schedule).tolist() == [0.375, 1.0, 0.5]


@pytest.mark.parametrize("shape", [(2,), (2, 3), (2, 1, 4, 4)])
def test_numbers_stand_beside_their_samples(device, shape):
    x = normal(0, *shape, device=device).float()
    numbers = torch.tensor([2.0, 3.0], device=device, dtype=torch.float64)
    stood = column(numbers, x)
    assert stood.dtype == x.dtype
    for i in range(2):
        assert torch.equal((stood * x)[i], numbers[i].item() * x[i])
    assert torch.equal(column(numbers[0], x) * x, 2 * x)
    signal, sigma = levels(torch.tensor([0.36, 0.19], device=device), x)
    torch.testing.assert_close(signal.flatten(), torch.tensor([0.6, 0.19**0.5], device=device))
    torch.testing.assert_close(sigma.flatten(), torch.tensor([0.8, 0.9], device=device))


def test_the_bridge_is_the_conditional_of_two_gaussians(device):
    """(x_s, x_t)의 결합 공분산에서: x_t = √(ᾱ_t / ᾱ_s) x_s + 노이즈."""
    schedule = cosine_schedule(12, device=device)
    for t in range(1, 12):
        kept, before = schedule.alpha_bar[t].item(), schedule.alpha_bar[t - 1].item()
        link = math.sqrt(kept / before)
        gain = link * (1 - before) / (1 - kept)  # Cov(x_s, x_t) / Var(x_t), x0를 알 때
        to_x0, to_xt = bridge_weights(t, schedule)
        assert to_xt.item() == pytest.approx(gain, rel=1e-9)
        assert to_x0.item() == pytest.approx(math.sqrt(before) - gain * math.sqrt(kept), rel=1e-9)
        variance = bridge_variance(alpha_bar(t, schedule), alpha_bar(t - 1, schedule)).item()
        assert variance == pytest.approx((1 - before) - gain * link * (1 - before), rel=1e-9)
    every = bridge_weights(torch.arange(12, device=device), schedule)
    torch.testing.assert_close(every[0][3], bridge_weights(3, schedule)[0], **CLOSE)


def test_good_inputs_pass_every_door(device):
    schedule = linear_schedule(4, device=device)
    x, t = torch.zeros(3, 2, device=device), torch.tensor([0, 3, 1], device=device)
    check_schedule(schedule)
    check_times(schedule, t)
    check_times(schedule, -1, earliest=-1)
    check_data(schedule, t, x=x, y=x)
    check_data(schedule, -1, -1, x=x)
    check_variances(schedule.beta[0], schedule.beta[0] * 0)
    same = partial(mixture_noise, schedule=Schedule(*(part.clone() for part in schedule)))
    check_predictors(
        schedule,
        predict=same,
        other=partial(same, std=1.0),
        plain=len,
        half=partial(len),
        other_word=partial(len, schedule=3),
    )


@pytest.mark.bad_input
def test_a_prediction_that_holds_another_schedule_is_refused(device):
    schedule = cosine_schedule(50, device=device)
    for other in (cosine_schedule(200, device=device), linear_schedule(50, device=device)):
        predict = partial(mixture_noise, schedule=other)
        refuses(lambda p=predict: check_predictors(schedule, predict=p), "schedule: predict", "T = 50")
    away = partial(mixture_noise, schedule=Schedule(*(part.to("meta") for part in schedule)))
    refuses(lambda: check_predictors(schedule, predict=away), "schedule: predict")
    refuses(lambda: check_predictors(schedule, predict=3), "predict: 함수", "int", kind=TypeError)


@pytest.mark.bad_input
def test_a_schedule_without_signal_or_without_noise_is_blamed_itself(device):
    beta = torch.full((200,), 0.99, device=device, dtype=torch.float64)
    x = torch.zeros(3, 2, device=device)
    for kept in ((1 - beta).cumprod(0), torch.ones_like(beta), beta * math.nan, torch.full_like(beta, LEAST_SIGNAL)):
        bad = Schedule(beta, kept)
        refuses(lambda s=bad: check_schedule(s), "schedule.alpha_bar")
        refuses(lambda s=bad: check_data(s, 3, x=x), "schedule.alpha_bar")
    for wrong in (beta, (beta, beta), None):
        for door in (
            check_schedule,
            check_predictors,
            partial(check_times, t=0),
            lambda s: check_data(s, 0),
        ):
            refuses(lambda d=door, w=wrong: d(w), "schedule: Schedule", kind=TypeError)


@pytest.mark.bad_input
def test_times_and_variances_are_named(device):
    schedule = linear_schedule(4, device=device)
    t = torch.tensor([0, 4], device=device)
    refuses(lambda: check_times(schedule, t), "t: ", "4")
    refuses(lambda: check_times(schedule, t[:0]), "t: 원소")
    refuses(lambda: check_times(schedule, t.float()), "t: 시각은 torch.int64", "float32")
    refuses(lambda: check_times(schedule, 4), "t: ", "4")
    refuses(lambda: check_times(schedule, -1), "t: ", "-1")
    refuses(lambda: check_times(schedule, True), "t: 정수", kind=TypeError)
    for value in (-1.0, math.nan, math.inf):
        refuses(lambda v=value: check_variances(torch.tensor(v, device=device)), "variance: 0 이상", str(value))
    refuses(lambda: check_variances(torch.ones(2, device=device)), "variance: 모양이 ()", "(2,)")
    refuses(lambda: check_variances(torch.tensor(1, device=device)), "variance: 실수형")
    refuses(lambda: check_variances(0.1), "variance: 텐서", "float", kind=TypeError)
