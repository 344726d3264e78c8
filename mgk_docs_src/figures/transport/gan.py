"""`docs/transport/gan.md`의 그림."""

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, panels
from mgk_docs_src.losses.binary import kl_divergence
from mgk_docs_src.random import generator, rand, randn
from mgk_docs_src.transport.gan import (
    critic_loss,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    interpolate,
    js_divergence,
    vanishing_gradients,
)
from mgk_docs_src.transport.wasserstein import wasserstein_1d

_REAL, _FAKE, _STD = -1.0, 1.0, 0.2  # 겹치지 않는 두 봉우리


def critic() -> Figure:
    """겹치지 않는 두 분포로 학습한 판별자와 비평가, 그리고 가짜의 표본이 받는 기울기."""
    x = torch.linspace(-2, 2, 161)
    discriminator, scorer = _train(judge=True), _train(judge=False)
    place = x.clone().requires_grad_()
    saturating = -generator_loss(discriminator(place), saturating=True) * len(x)
    slopes = [torch.autograd.grad(value, place)[0] for value in (saturating, scorer(place).sum())]
    with torch.no_grad():
        probability, score = torch.sigmoid(discriminator(x)), scorer(x)
        score = score - scorer(torch.zeros(1))  # 점수는 차이에만 뜻이 있다
    with panels(2, height=2.7) as (figure, (values, gradients)):
        for centre, color, name in ((_REAL, GREEN, "진짜"), (_FAKE, PURPLE, "가짜")):
            density = torch.exp(-(((x - centre) / _STD) ** 2) / 2) * 0.7
            values.fill_between(x, 0, density, color=color, alpha=0.25, linewidth=0)
            values.annotate(name, (centre, 0.1), ha="center", color=INK)
        values.plot(x, probability, color=ORANGE, label="판별자: 진짜일 확률")
        values.plot(x, score, color=BLUE, label="비평가: 점수")
        gradients.plot(x, -slopes[0], color=ORANGE, label="포화하는 손실")
        gradients.plot(x, -slopes[1], color=BLUE, label="비평가")
        gradients.axvspan(_FAKE - 2 * _STD, _FAKE + 2 * _STD, color=PURPLE, alpha=0.12, linewidth=0)
        gradients.annotate("가짜가 있는 곳", (_FAKE, 0.35), ha="center", color=INK)
        values.set(title="판별자와 비평가의 출력", ylabel="출력", ylim=(-2.3, 3.4))
        gradients.set(title="생성자를 진짜 쪽으로 미는 기울기", xlabel="x", ylabel="기울기", ylim=(-0.2, 2.6))
        values.legend(loc="upper right", fontsize=9)
        gradients.legend(loc="upper right", fontsize=9)
    return figure


def disjoint() -> Figure:
    """각각 점 하나에 모인 두 분포의 거리 θ에 따른 JS, KL, 와서스타인 거리."""
    theta = (torch.arange(61, dtype=torch.float64) - 30) / 20
    at = torch.eye(61, dtype=torch.float64)
    p = at[30].expand(61, 61)  # θ = 0에 모인 분포
    js, kl = js_divergence(p, at), kl_divergence(p, at)
    distance = wasserstein_1d(torch.zeros(61, 1, dtype=torch.float64), theta.unsqueeze(1))
    with panels() as (figure, (axes,)):
        axes.plot(theta, torch.where(kl.isinf(), 1.75, kl), "^", color=PURPLE, markersize=3, label="KL = ∞")
        axes.plot(theta, distance, color=BLUE, label="W₁ = |θ|")
        axes.plot(theta, js, "o", color=ORANGE, markersize=3, label="JS = log 2")
        axes.annotate("θ = 0에서는 모두 0", (0, 0), (14, 0), textcoords="offset points", color=INK, fontsize=9)
        axes.set(xlabel="거리 θ", ylabel="두 분포의 차이", ylim=(-0.15, 2.3))
        axes.legend(loc="upper center", ncols=3, fontsize=9, columnspacing=1.2)
    return figure


def vanishing() -> Figure:
    """판별자와 비평가만 학습하는 동안 생성자가 받는 기울기의 크기."""
    theta, steps = torch.tensor([0.5, 2.0]), 600
    sizes = vanishing_gradients(theta, steps=steps, width=24, batch_size=32, generator=generator(0))
    shown = torch.arange(0, steps, 10)
    with panels(2, height=2.7) as (figure, axes):
        for i, (axis, distance) in enumerate(zip(axes, theta.tolist(), strict=True)):
            for values, color, name in (
                (sizes.non_saturating, PURPLE, "GAN, 포화하지 않음"),
                (sizes.critic, BLUE, "비평가"),
                (sizes.saturating, ORANGE, "GAN, 포화"),
            ):
                axis.semilogy(shown, values[shown, i], color=color, label=name)
            axis.axhline(1 + distance / 20, color=FAINT, linestyle="--", zorder=0)
            axis.set(title=f"θ = {distance:g}", xlabel="판별자의 학습 스텝", ylabel="기울기의 크기", ylim=(2e-4, 200))
        axes[0].legend(loc="lower left", fontsize=9)
    return figure


class _Scorer(nn.Module):
    """실수 하나를 받아 점수 하나를 주는 신경망."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(1, 32), nn.Linear(32, 32), nn.Linear(32, 1)])
        g = generator(seed)
        for parameter, fan_in in zip(self.parameters(), (1, 1, 32, 32, 32, 32), strict=True):
            parameter.data = (2 * rand(*parameter.shape, generator=g) - 1) / fan_in**0.5

    def forward(self, x: Tensor) -> Tensor:
        h = x.unsqueeze(-1)
        for layer in self.layers[:-1]:
            h = torch.tanh(layer(h))
        score: Tensor = self.layers[-1](h).squeeze(-1)
        return score


def _train(*, judge: bool) -> nn.Module:
    """판별자(judge)나 비평가를 두 봉우리에서 400스텝 학습한다."""
    # λ > |θ|/2면 1차원에서 처음에 부호가 거꾸로인 비평가는 극값에 갇힌다. 부호가 옳은 시드에서 시작한다.
    network, g = _Scorer(3), generator(1)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(400):
        real, fake = (centre + _STD * randn(64, generator=g) for centre in (_REAL, _FAKE))
        if judge:
            loss = discriminator_loss(network(real), network(fake))
        else:
            points = interpolate(real.unsqueeze(1), fake.unsqueeze(1), generator=g)
            loss = critic_loss(network(real), network(fake))
            loss = loss + gradient_penalty(lambda x: network(x[:, 0]), points, weight=10.0)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return network
