"""`docs/energy/training.md`의 그림."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from mgk_docs_src.data import eight_gaussians, eight_gaussians_log_density
from mgk_docs_src.energy import models
from mgk_docs_src.energy.training import (
    create,
    denoising_score_matching,
    energy_of,
    grid_divergence,
    jump,
    negative_phase,
    noise_contrastive,
    train,
)
from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.labs.energy import (
    Draw,
    contrastive,
    matching,
    maximum_likelihood,
    noise_contrast,
    normal_log_density,
    two_peaks_log_density,
)
from mgk_docs_src.random import generator, randn

_SHARE, _STD = 0.7, 0.4  # 혼합 비율이 다른 두 봉우리


def learned_landscapes() -> Figure:
    """짧게 학습한 네 방법의 에너지와 참 분포."""
    grid = models.grid(-3.0, 3.0, 36)
    learned = {"참 분포": -eight_gaussians_log_density(grid.points)}
    coarse = models.grid(-4.0, 4.0, 40)
    for name, objective, steps in (
        ("정확한 Z", maximum_likelihood(_draw(), coarse, batch_size=256), 150),
        ("NCE", noise_contrast(_draw(), batch_size=256, spread=1.6, generator=generator(1)), 250),
        ("스코어 매칭", matching(_draw(), batch_size=256), 150),
        ("CD-1", contrastive(_draw(), batch_size=256, k=1, step_size=0.08, generator=generator(1)), 150),
    ):
        trained = train(objective, create(2, [generator(0)]), steps=steps, learning_rate=0.03)
        learned[name] = models.evaluate(energy_of(trained.model), grid.points[None])[0]
    with panels(height=7.2) as (figure, _):
        figure.clear()
        cells = figure.subplots(3, 2, sharex=True, sharey=True)
        for cell, (name, energies), color in zip(
            cells.flat, learned.items(), (INK, BLUE, GREEN, ORANGE, PURPLE), strict=False
        ):
            _contours(cell, grid, energies, color)
            gap = grid_divergence(-learned["참 분포"], -energies).item()
            cell.set_title("참 분포" if name == "참 분포" else f"{name}, KL {gap:.3f}", fontsize=10)
        cells[2, 1].set_axis_off()
    return figure


def mode_weights() -> Figure:
    """모델의 혼합 비율이 틀릴 때의 손실: 가능도는 알아보고, 스코어 매칭은 봉우리가 멀어지면 알아보지 못한다."""
    share = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
    grid = models.grid(-4.0, 4.0, 80, dtype=torch.float64)
    with panels(2) as (figure, (seen, blind)):
        for distance, color in ((1.6, BLUE), (2.4, ORANGE), (4.0, PURPLE)):
            log_truth = _peaks(grid.points, _SHARE, distance)
            log_models = torch.stack([_peaks(grid.points, s.item(), distance) for s in share])
            label = f"거리 {distance / _STD:g}σ"
            seen.plot(share, grid_divergence(log_truth, log_models), color=color, label=label)
            truth, *slopes = (_peaks_slope(grid.points, s, distance) for s in (_SHARE, *share.tolist()))
            error = (torch.stack(slopes) - truth).square().sum(-1) / 2  # (비율, 칸)
            fisher = (log_truth.softmax(-1) * error).sum(-1)
            blind.semilogy(share, fisher.clamp(min=1e-9), color=color, label=label)
        for axis, name in ((seen, "최대 가능도: KL 발산 (nat)"), (blind, "스코어 매칭: 스코어의 제곱 오차의 반")):
            axis.axvline(_SHARE, color=FAINT, linestyle="--")
            axis.set(title=name, xlabel="모델의 왼쪽 비율 (참 비율 0.7)")
        seen.set_ylabel("손실 − 최솟값")
        blind.set(ylabel="손실 − 최솟값", ylim=(1e-9, 10))
        blind.set_yticks([1e-8, 1e-6, 1e-4, 1e-2, 1], ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "1"])
        blind.minorticks_off()
        seen.legend(loc="upper right")
    return figure


def denoising() -> Figure:
    """DSM의 σ: 클수록 평활화되고, 작을수록 기울기의 분산이 커진다. ±로 쌍지은 노이즈를 쓰면 커지지 않는다."""
    x = torch.linspace(-2.4, 2.4, 161, dtype=torch.float64)
    with panels(2) as (figure, (blurred, noisy)):
        for sigma, color in ((0.0, INK), (0.2, BLUE), (0.5, ORANGE)):
            std = math.hypot(_STD, sigma)
            near = torch.stack([_SHARE * _normal(x + 1, std), (1 - _SHARE) * _normal(x - 1, std)])
            blurred.plot(x, near.sum(0), color=color, label="데이터" if sigma == 0 else f"σ = {sigma:g}")
        blurred.set(title="학습되는 밀도: 노이즈를 섞은 밀도", xlabel="x", ylabel="밀도")
        blurred.legend(loc="upper right")
        sigmas = [0.01, 0.03, 0.1, 0.3, 1.0]
        for paired, color, name in ((False, ORANGE, "노이즈 하나"), (True, BLUE, "±로 쌍지은 노이즈")):
            spread = [_slope_spread(sigma, paired) for sigma in sigmas]
            noisy.loglog(sigmas, spread, "o-", color=color, label=name)
        noisy.set(title="기울기의 표준 편차", xlabel="σ", ylabel="표준 편차 (손실 / σ²의 기울기)")
        noisy.set_xticks(sigmas, [f"{sigma:g}" for sigma in sigmas])
        noisy.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        noisy.minorticks_off()
        noisy.legend(loc="upper right")
    return figure


def chains() -> Figure:
    """한 봉우리에서 출발한 체인 150개: MALA만으로는 거기 머물고, 스텝마다 건너뛰면 여덟 봉우리에 퍼진다."""
    start = 0.2 * randn(150, 2, generator=generator(0)) + torch.tensor([2.0, 0.0])
    grid = models.grid(-3.0, 3.0, 30)
    with panels(2, height=4.2) as (figure, axes):
        for axis, leaps, color, name in (
            (axes[0], False, ORANGE, "MALA 100스텝"),
            (axes[1], True, BLUE, "MALA 100스텝과 건너뛰기 100번"),
        ):
            _contours(axis, grid, _ring(grid.points), FAINT)
            axis.plot(*_walk(start, leaps).T, "o", color=color, markersize=3, label="체인")
            axis.set_title(name)
    return figure


def contrast() -> Figure:
    """NCE의 손실: c가 log Z일 때 가장 작다. 최대 가능도에 c를 넣으면 끝없이 내려간다."""
    data, noise = (scale * randn(1, 4000, 1, generator=generator(seed)) for seed, scale in ((0, 1.0), (1, 2.0)))
    c = torch.linspace(-1, 3, 41)
    log_z = 0.5 * math.log(2 * math.pi)
    losses = [
        noise_contrastive(_bowl, value[None], data, noise, log_noise=lambda x: normal_log_density(x, std=2.0)).item()
        for value in c
    ]
    with panels() as (figure, (axes,)):
        axes.plot(c, losses, color=BLUE, label="NCE")
        axes.plot(c, _bowl(data).mean() + c, color=ORANGE, label="최대 가능도: 평균 E + c")
        axes.axvline(log_z, color=FAINT, linestyle="--")
        axes.annotate("log Z", (log_z, 3.2), (6, 0), textcoords="offset points", color=INK)
        axes.set(xlabel="함께 학습하는 상수 c", ylabel="손실 (nat)")
        axes.legend(loc="upper left")
    return figure


def _draw() -> Draw:
    g = generator(0)
    return lambda n: eight_gaussians(n, generator=g)[None]


def _contours(axes: Axes, grid: models.Grid, energies: Tensor, color: str) -> None:
    size = round(len(grid.points) ** 0.5)
    x, y, level = (value.view(size, size) for value in (*grid.points.unbind(-1), energies - energies.min()))
    axes.contour(x, y, level, levels=[1.0, 4.0, 9.0], colors=color, linewidths=1)
    axes.set(aspect="equal", xlim=(-3, 3), ylim=(-3, 3))


def _ring(x: Tensor) -> Tensor:
    return -eight_gaussians_log_density(x)


def _bowl(x: Tensor) -> Tensor:
    return x.square().sum(-1) / 2


def _peaks(x: Tensor, share: float, distance: float) -> Tensor:
    return two_peaks_log_density(x, share=share, distance=distance, std=_STD)


def _peaks_slope(x: Tensor, share: float, distance: float) -> Tensor:
    return models.gradient(lambda y: _peaks(y, share, distance), x).gradient


def _normal(x: Tensor, std: float) -> Tensor:
    return torch.exp(-((x / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


def _slope_spread(sigma: float, paired: bool) -> float:
    """N(0, 1)의 점 하나로 잰, 정밀도에 대한 기울기의 표준 편차. 손실을 σ²으로 나눈다."""
    data, noise = (randn(4000, 1, 1, generator=generator(seed), dtype=torch.float64) for seed in (0, 1))
    if paired:
        data, noise = torch.cat([data, data], 1), torch.cat([noise, -noise], 1)
    precision = torch.full((4000, 1), 0.5, dtype=torch.float64, requires_grad=True)  # 점마다 하나
    loss = denoising_score_matching(lambda x: precision * _bowl(x), data, noise, sigma=sigma) / sigma**2
    (slope,) = torch.autograd.grad(loss.sum(), precision)
    return slope.std().item()


def _walk(start: Tensor, leaps: bool) -> Tensor:
    g, position = generator(1), start
    for _ in range(100):
        if leaps:
            far = 1.6 * randn(*start.shape, generator=g)
            position = jump(
                _ring, position, far, log_proposal=lambda x: normal_log_density(x, std=1.6), generator=g
            ).position
        position = negative_phase(_ring, position, k=1, step_size=0.08, generator=g).position
    return position
