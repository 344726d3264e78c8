"""mgk_docs_src/figures/diffusion/training.py: 그림이 페이지의 말과 같은 것을 보인다."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from mgk_docs_src.figures.diffusion.training import (
    SCHEDULE,
    denoised,
    guidance,
    loss_weights,
    perfect_loss,
    what_is_predicted,
)
from mgk_docs_src.figures.style import to_svg

ALPHA_BAR = SCHEDULE.alpha_bar.numpy()
NOISE, DATA, VELOCITY, SCORE = "노이즈 ε", "데이터 x₀", "속도 v", "스코어 −ε/σ"


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def test_the_bound_weighs_the_ends_and_the_simple_loss_weighs_all_alike() -> None:
    figure = loss_weights()
    drawn = curves(figure)
    _, bound = drawn["변분 상한"]
    _, simple = drawn["단순한 손실"]
    assert (simple == 1).all()
    assert bound[3] > 5 * bound[100]
    assert bound[-1] > 100
    below = curves(figure, 1)
    np.testing.assert_allclose(below[VELOCITY][1], 1 / ALPHA_BAR)
    np.testing.assert_allclose(below[DATA][1] * below[SCORE][1], 1 / ALPHA_BAR)
    assert (below[NOISE][1] == 1).all()
    assert (np.diff(below[DATA][1]) > 0).all()
    assert (np.diff(below[SCORE][1]) < 0).all()


def test_only_the_noise_and_the_score_lose_the_data_at_the_end() -> None:
    figure = what_is_predicted()
    scale, error = curves(figure), curves(figure, 1)
    assert scale[DATA][1][0] == pytest.approx(np.sqrt(2.04), rel=0.03)  # 데이터의 크기
    assert scale[DATA][1][-1] < 0.05  # 순수한 노이즈에서는 평균(0)이라고 답한다
    assert scale[NOISE][1][-1] == pytest.approx(1, rel=0.05)
    assert scale[SCORE][1].max() > 4
    for name in (DATA, VELOCITY):
        assert error[name][1].max() <= 0.1 + 1e-12
    for name in (NOISE, SCORE):
        assert error[name][1][-1] > 10


def test_even_the_perfect_prediction_loses() -> None:
    drawn = curves(perfect_loss())
    _, learnt = drawn["350스텝 학습한 신경망"]
    _, perfect = drawn["완벽한 예측"]
    assert perfect[0] == pytest.approx(2, abs=0.15)  # 노이즈가 적으면 어느 노이즈인지 알 수 없다
    assert perfect[-1] < 0.01
    assert (learnt > perfect - 0.02).all()
    assert (learnt - perfect).mean() < 0.1
    assert (learnt[:4] - perfect[:4]).mean() > (learnt[-12:] - perfect[-12:]).mean()  # 노이즈가 적은 쪽이 모자라다


def test_the_guess_is_the_middle_when_noise_is_strong_and_a_mode_when_it_is_weak() -> None:
    ends = []
    for axes in denoised().axes:
        (arrows,) = axes.collections
        ends.append(np.asarray(arrows.get_offsets()) + np.stack([arrows.U, arrows.V], 1))
    radius = [np.linalg.norm(end, axis=1) for end in ends]
    assert radius[0].max() < 1
    assert radius[0].mean() < radius[1].mean() < radius[2].mean()
    assert np.median(abs(radius[2] - 2)) < 0.25


def test_guidance_narrows_and_pushes_outward() -> None:
    drawn = curves(guidance())
    clouds = {scale: drawn[f"w = {scale}"] for scale in (0, 1, 4)}
    spreads = [np.std(y) for _, y in clouds.values()]
    places = [np.mean(x) for x, _ in clouds.values()]
    assert places[0] == pytest.approx(2, abs=0.06)
    assert spreads[0] == pytest.approx(0.2, rel=0.25)
    assert spreads[0] > spreads[1] > spreads[2]
    assert places[0] < places[1] < places[2]
    assert np.hypot(clouds[4][0] - 2, clouds[4][1]).mean() > 0.45


@pytest.mark.parametrize("draw", [loss_weights, what_is_predicted, perfect_loss, denoised, guidance])
def test_the_pictures_are_light_and_do_not_touch_the_global_generator(draw) -> None:
    state = torch.get_rng_state()
    svg = to_svg(draw())
    assert torch.equal(torch.get_rng_state(), state)
    assert len(svg) < 80_000
    assert "$" not in svg
