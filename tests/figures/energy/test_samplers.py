"""mgk_docs_src/figures/energy/samplers.py: 그림이 페이지의 말과 같은 것을 보인다."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import linregress, norm

from mgk_docs_src.figures.energy.samplers import (
    _TUNED,
    dimension,
    hmc_film,
    langevin_live,
    leapfrog_energy,
    proposal,
    resonance,
    step_sweep,
    trajectories,
    ula_bias,
)
from mgk_docs_src.figures.style import to_svg


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def light(figure: Figure) -> bool:
    return len(to_svg(figure)) < 80 * 1024


def test_hmc_goes_farther_on_the_same_gradients() -> None:
    figure = trajectories()
    spans, counts = [], []
    for axes in range(3):
        path = list(curves(figure, axes).values())[-1]
        spans.append(np.ptp(path[0]))
        counts.append(len(path[0]) - 1)
    assert counts == [144, 144, 12]
    assert spans[2] > 2 * max(spans[:2])
    assert light(figure)


def test_only_the_variance_of_ula_leaves_one() -> None:
    figure = ula_bias()
    found = curves(figure)
    epsilon, variance = found["ULA"]
    assert variance == pytest.approx(1 / (1 - epsilon / 4), rel=0.06)
    for name in ("MALA", "HMC (√ε, L = 3)"):
        assert found[name][1] == pytest.approx(1, abs=0.06)
    assert light(figure)


def test_the_proposal_towards_the_valley_is_denser_than_the_way_back() -> None:
    points = [line.get_xydata()[0] for line in proposal().axes[0].get_lines() if line.get_marker() == "o"]
    (there, forward), (here, backward) = points
    epsilon = 0.6
    assert forward == pytest.approx(norm.pdf(there, here - epsilon / 2 * here, epsilon**0.5))
    assert backward == pytest.approx(norm.pdf(here, there - epsilon / 2 * there, epsilon**0.5))
    assert forward > 3 * backward
    assert light(proposal())


def test_the_energy_error_has_slope_two_and_a_border() -> None:
    figure = leapfrog_energy()
    epsilon, error = curves(figure)["휘어진 골짜기"]
    assert 1.9 < linregress(np.log(epsilon), np.log(error)).slope < 2.1
    angle, worst = next(iter(curves(figure, 1).values()))
    assert worst[angle < 1.99].max() < 1
    assert worst[angle > 2.01].min() > 1e6
    assert light(figure)


def test_the_best_step_of_hmc_beats_every_step_of_mala() -> None:
    figure = step_sweep()
    for _, acceptance in curves(figure).values():
        assert acceptance[0] > 0.95
        assert acceptance[-1] < 0.4
    (_, hmc), (_, mala) = curves(figure, 1).values()
    assert 0 < hmc.argmax() < len(hmc) - 1
    assert hmc.max() > 8 * mala.max()
    assert light(figure)


def test_hmc_stays_ahead_as_the_dimension_grows() -> None:
    figure = dimension()
    found = {name: values for name, (_, values) in curves(figure).items()}
    for values in found.values():
        assert (np.diff(values) < 0).all()
    ahead = found["HMC"] / found["MALA"]
    assert (ahead > 3).all()
    assert ahead[1:].min() > 2 * ahead[0]
    assert (found["HMC"] > found["ULA"]).all()
    fall = {name: values[0] / values[-1] for name, values in found.items()}
    assert max(fall, key=lambda name: fall[name]) == "MALA"
    assert light(figure)


def test_the_steps_of_the_figure_are_those_that_the_benchmark_chose() -> None:
    text = Path("benchmarks/results/energy-samplers.md").read_text("utf-8")
    for d, (size, length, mala, ula) in _TUNED.items():
        assert f"\n| {d} | HMC | {size:g} | {length} |" in text
        assert f"\n| {d} | MALA | {mala:g} | 1 |" in text
        assert f"\n| {d} | ULA | {ula:g} | 1 |" in text


def test_jitter_lifts_the_resonant_coordinates() -> None:
    figure = resonance()
    (_, plain), (_, shaken) = curves(figure).values()
    floor = 1 / 80  # 체인마다 한 개: 더 얻은 표본이 없다
    assert plain.min() < 1.2 * floor
    assert shaken.min() > 1.7 * floor
    assert (plain < 2 * floor).sum() > 5 * (shaken < 2 * floor).sum()
    assert light(figure)


def test_the_film_rolls_from_sample_to_sample() -> None:
    figure = hmc_film()
    frames = {line.get_gid(): line for line in figure.axes[0].get_lines() if str(line.get_gid()).startswith("frame-")}
    assert {name[:8] for name in frames} == {f"frame-{n:02d}" for n in range(24)}
    balls = [frames[f"frame-{n:02d}-ball"].get_xydata()[0] for n in range(24)]
    for n in range(24):
        road = frames[f"frame-{n:02d}-road"].get_xydata()
        assert (road[-1] == balls[n]).all()
        assert len(road) == 1 + 6 * (n % 6 + 1)
    samples = frames["frame-23-samples"].get_xydata()
    assert len(samples) == 5
    for turn in range(4):
        # 채택했으면 공이 구른 끝이, 아니면 앞의 위치가 다음 표본이다.
        ends = (balls[6 * turn + 5], samples[turn])
        assert any((samples[turn + 1] == end).all() for end in ends)
    assert np.ptp(samples[:, 0]) > 2
    assert light(figure)


def test_the_step_knob_shows_slow_right_and_biased_chains() -> None:
    moving = langevin_live()
    bars, truth, path = moving.traces
    left, exact, distance, lost = (reading.values for reading in moving.readings)
    steps, taus = ([float(place) for place in knob.places] for knob in moving.knobs)
    small, middle, large = steps.index(0.001), steps.index(0.03), steps.index(0.2)
    cold, one, hot = taus.index(0.3), taus.index(1.0), taus.index(2.0)
    width = float(truth.x[1] - truth.x[0])
    assert (truth.y.sum(-1) * width).numpy() == pytest.approx(1, abs=1e-6)
    assert float(bars.y[middle, hot].sum()) * width == pytest.approx(1, abs=0.01)
    assert left[small, one] < 0.02  # 떠난 우물에 그대로 있다
    assert path.y[small, one].min() > 0
    assert float(left[middle, hot]) == pytest.approx(float(exact[0, hot]), abs=0.05)
    assert distance[middle, hot] < 0.1
    # 온도가 낮으면 같은 스텝 크기로도 건너지 못하고, 스텝이 너무 크면 튕겨 나간다.
    assert distance[middle, cold] > distance[middle, one] > distance[middle, hot]
    assert lost[: middle + 1].max() == 0
    assert lost[large, one] > 0.5
    assert distance[large, one] > 0.45  # 그림 안에 남은 체인이 없으면 꼭 반이다
