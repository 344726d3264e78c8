"""mgk_docs_src/figures/energy/training.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from mgk_docs_src.figures.energy.training import chains, contrast, denoising, learned_landscapes, mode_weights


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def test_exact_methods_come_closer_than_score_matching_and_cd_1() -> None:
    figure = learned_landscapes()
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "참 분포"
    gaps = {title.split(",")[0]: float(re.findall(r"[\d.]+$", title)[0]) for title in titles[1:5]}
    assert list(gaps) == ["정확한 Z", "NCE", "스코어 매칭", "CD-1"]
    assert max(gaps["정확한 Z"], gaps["NCE"]) < 0.1 < min(gaps["스코어 매칭"], gaps["CD-1"])
    assert not figure.axes[5].axison
    assert all(axes.collections for axes in figure.axes[:5])


def test_score_matching_stops_seeing_shares_as_the_peaks_part_and_likelihood_does_not() -> None:
    figure = mode_weights()
    at = {}
    for axes in (0, 1):
        for name, (share, loss) in list(curves(figure, axes).items())[:3]:
            assert share[loss.argmin()] == pytest.approx(0.7)
            at[axes, name] = loss[np.abs(share - 0.3).argmin()]
    expected = 0.7 * math.log(7 / 3) + 0.3 * math.log(3 / 7)  # 봉우리가 겹치지 않을 때
    assert at[0, "거리 10σ"] == pytest.approx(expected, abs=1e-3)
    assert at[0, "거리 4σ"] == pytest.approx(expected, rel=0.1)
    assert at[1, "거리 4σ"] > 4 * at[1, "거리 6σ"] > 1000 * at[1, "거리 10σ"]
    assert at[1, "거리 10σ"] < 1e-4


def test_noise_blurs_what_is_learnt_and_pairing_calms_the_gradient() -> None:
    figure = denoising()
    (x, sharp), (_, mild), (_, blurred) = curves(figure).values()
    valley = np.abs(x - 0.2).argmin()
    assert sharp.max() > mild.max() > blurred.max()
    assert sharp[valley] < mild[valley] < blurred[valley]
    (sigma, alone), (_, paired) = curves(figure, 1).values()
    slope = np.polyfit(np.log(sigma[:3]), np.log(alone[:3]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.05)
    assert paired[:3] == pytest.approx(paired[0], rel=0.1)
    assert alone[0] > 30 * paired[0]


def test_local_chains_stay_and_leaping_chains_spread() -> None:
    figure = chains()
    counts = []
    for axes in (0, 1):
        ((x, y),) = curves(figure, axes).values()
        assert len(x) == 150
        peak = np.round(np.arctan2(y, x) / (math.pi / 4)) % 8
        counts.append(np.bincount(peak.astype(int), minlength=8) / 150)
    assert counts[0][0] > 0.95
    assert counts[1].min() > 0.04
    assert counts[1].max() < 0.25


def test_noise_contrast_holds_the_constant_that_likelihood_lets_go() -> None:
    figure = contrast()
    lines = curves(figure)
    c, held = lines["NCE"]
    assert c[held.argmin()] == pytest.approx(0.5 * math.log(2 * math.pi), abs=0.1)
    _, loose = lines["최대 가능도: 평균 E + c"]
    assert np.diff(loose) == pytest.approx(np.diff(c), abs=1e-5)
