"""mgk_docs_src/figures/energy/models.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from mgk_docs_src.figures.energy.models import collapse, energy_and_density, phases, temperatures
from mgk_docs_src.figures.style import to_svg


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def test_lower_energy_is_higher_density_and_heat_evens_the_wells() -> None:
    figure = temperatures()
    ((x, energy),) = curves(figure).values()
    ratios = []
    for name, (_, density) in curves(figure, 1).items():
        temperature = float(name.split()[-1])
        left, right = (density[(x > low) & (x < high)].max() for low, high in ((-2, 0), (0, 2)))
        depth = energy[(x > 0) & (x < 2)].min() - energy[(x > -2) & (x < 0)].min()
        assert math.log(left / right) == pytest.approx(depth / temperature, rel=1e-6)
        assert (density * (x[1] - x[0])).sum() == pytest.approx(1)
        assert x[density.argmax()] == x[energy.argmin()]
        ratios.append(left / right)
    assert ratios == sorted(ratios, reverse=True)
    assert len(ratios) == 3


def test_the_contours_of_energy_and_density_are_the_same_curves() -> None:
    figure = energy_and_density()
    above, below = (
        next(child for child in axes.get_children() if isinstance(child, QuadContourSet)) for axes in figure.axes
    )
    outer = below.get_paths()[0].vertices  # 밀도가 꼭대기의 1%인 곳
    energies = outer[:, 0] ** 2 / 2 + (outer[:, 1] - outer[:, 0] ** 2 + 1) ** 2 / (2 * 0.3**2)
    assert energies == pytest.approx(-math.log(0.01), abs=0.5)  # 칸 사이를 곧은 선으로 이은 만큼 어긋난다
    assert len(above.levels) == len(below.levels) == 5


def test_pushing_only_the_data_down_sinks_everything_and_ruins_the_likelihood() -> None:
    figure = collapse()
    sunk, learned = curves(figure), curves(figure, 1)
    x = sunk["0스텝"][0]
    assert (sunk["0스텝"][1] > sunk["100스텝"][1]).all()
    assert (sunk["100스텝"][1] > sunk["150스텝"][1]).all()
    assert (sunk["150스텝"][1] > sunk["200스텝"][1]).all()
    assert sunk["200스텝"][1].max() < sunk["0스텝"][1].min() - 10
    valley = learned["200스텝"][1]
    assert valley[abs(x + 1.2).argmin()] < valley[abs(x).argmin()] - 0.5
    assert valley[abs(x - 1.0).argmin()] < valley[abs(x).argmin()] - 0.5
    (_, alone), (_, both) = curves(figure, 2).values()
    assert both[-1] > both[0] + 0.3
    assert alone[-1] < alone[0] - 1
    assert (np.diff(both) > -0.02).all()


def test_the_phases_stay_large_and_their_difference_vanishes() -> None:
    figure = phases()
    (_, positive), (_, negative), (_, difference) = curves(figure).values()
    assert difference[-1] < 0.1 * difference[0]
    assert min(positive.min(), negative.min()) > 5 * difference[-1]
    *_, (_, gap) = curves(figure, 1).values()
    assert abs(gap[-1]) < 0.1


@pytest.mark.parametrize("draw", [temperatures, energy_and_density, collapse, phases])
def test_the_pictures_are_light(draw: Callable[[], Figure]) -> None:
    assert len(to_svg(draw()).encode()) < 80_000
