"""mgk_docs_src/figures/transport/gan.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math

import numpy as np
import pytest
from matplotlib.axes import Axes

from mgk_docs_src.figures.style import to_svg
from mgk_docs_src.figures.transport.gan import critic, disjoint, vanishing


def named(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """이름이 붙은 선과 점."""
    return {
        line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axes.get_lines()
        if not line.get_label().startswith("_")
    }


def test_the_discriminator_is_flat_where_the_fakes_are_and_the_critic_is_not() -> None:
    figure = critic()
    answers, slopes = (named(axes) for axes in figure.axes)
    x, probability = answers["판별자: 진짜일 확률"]
    fakes, reals = abs(x - 1) <= 0.4, abs(x + 1) <= 0.4
    assert probability[fakes].max() < 0.01
    assert probability[reals].min() > 0.99
    _, score = answers["비평가: 점수"]
    assert score[reals].min() > 0 > score[fakes].max()
    assert abs(slopes["포화하는 손실"][1][fakes]).max() < 0.05
    assert slopes["비평가"][1][fakes] == pytest.approx(np.ones(fakes.sum()), abs=0.35)
    assert slopes["비평가"][1][abs(x) <= 0.6] == pytest.approx(np.ones((abs(x) <= 0.6).sum()), abs=0.2)
    assert slopes["비평가"][1][1:-1] == pytest.approx(-np.gradient(score, x)[1:-1], abs=0.05)  # 그린 답의 기울기
    assert len(to_svg(figure)) < 80_000


def test_only_the_distance_follows_theta() -> None:
    figure = disjoint()
    (axes,) = figure.axes
    lines = named(axes)
    theta, distance = lines["W₁ = |θ|"]
    assert distance == pytest.approx(abs(theta), abs=1e-12)
    _, js = lines["JS = log 2"]
    _, kl = lines["KL = ∞"]
    apart = theta != 0
    assert apart.sum() == len(theta) - 1
    assert js[apart] == pytest.approx(np.full(apart.sum(), math.log(2)), abs=1e-12)
    assert (kl[apart] > distance.max()).all()  # 어느 값보다 위에 그린 ∞
    assert [distance[~apart].item(), js[~apart].item(), kl[~apart].item()] == [0, 0, 0]
    assert len(to_svg(figure)) < 80_000


def test_only_the_saturating_gradient_vanishes() -> None:
    figure = vanishing()
    for axes, theta in zip(figure.axes, (0.5, 2.0), strict=True):
        lines = {name: sizes for name, (_, sizes) in named(axes).items()}
        assert lines["GAN, 포화"][-1] < 0.02
        assert lines["GAN, 포화"][-1] < lines["GAN, 포화"].max() / 30
        assert lines["GAN, 포화하지 않음"][-1] > 2
        assert lines["비평가"][-1] == pytest.approx(1 + theta / 20, abs=0.05)
        low, high = axes.get_ylim()
        assert all(sizes.max() < high for sizes in lines.values())
        assert all(sizes[-1] > low for sizes in lines.values())
    assert len(to_svg(figure)) < 80_000
