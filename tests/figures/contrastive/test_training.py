"""mgk_docs_src/figures/contrastive/training.py: 그림이 페이지의 말과 같은 것을 보인다."""

import math

import numpy as np
import pytest

from mgk_docs_src.contrastive.training import PRINTED_LABELS, PRINTED_LOSSES, PRINTED_PROBABILITIES
from mgk_docs_src.figures.contrastive.training import decoded, post_run, similarities_before
from mgk_docs_src.figures.style import to_svg


def test_the_loss_falls_towards_a_floor_it_cannot_pass() -> None:
    figure = post_run()
    (axes,) = figure.axes
    *ours, printed, floor = axes.get_lines()
    assert list(printed.get_ydata()) == list(PRINTED_LOSSES)
    assert floor.get_ydata()[0] == pytest.approx(math.log1p(math.exp(-1)), abs=5e-5)
    assert len(ours) == 3
    for line in ours:
        losses = np.asarray(line.get_ydata())
        assert len(losses) == 10
        assert 0.5 < losses[0] < 1.05
        assert losses[-1] < losses[0]
        assert losses.min() > 0.3132
    low, high = axes.get_ylim()
    assert all(low < np.min(line.get_ydata()) <= np.max(line.get_ydata()) < high for line in axes.get_lines())
    assert len(to_svg(figure)) < 80_000


def test_embeddings_are_alike_before_any_training() -> None:
    figure = similarities_before()
    layers, histogram = figure.axes
    heights = [bar.get_height() for bar in layers.patches]
    names = [label.get_text() for label in layers.get_xticklabels()]
    assert len(heights) == len(names) == 9
    assert abs(heights[0]) < 0.01
    assert heights[1] < 0.1
    assert 0.25 < heights[2] < heights[3]
    assert heights[-1] > 0.8
    for patch, low, high in zip(histogram.patches, (-0.1, 0.8), (0.1, 1.0), strict=True):
        counts, edges, _ = patch.get_data()
        assert counts.sum() == pytest.approx(1, abs=1e-5)
        inside = (edges[:-1] >= low - 1e-6) & (edges[1:] <= high + 1e-6)
        assert counts[inside].sum() == pytest.approx(1, abs=1e-5)
    assert len(to_svg(figure)) < 80_000


def test_the_printed_column_is_the_sigmoid_of_the_cosine() -> None:
    figure = decoded()
    whole, near = figure.axes
    curve, _, points = whole.get_lines()
    for line in (curve, points):
        x, y = (np.asarray(values) for values in line.get_data())
        assert y == pytest.approx(1 / (1 + np.exp(-x)), abs=1e-12)
    assert list(points.get_ydata()) == pytest.approx(PRINTED_PROBABILITIES)
    cosines = np.asarray(points.get_xdata())
    assert (cosines.min(), cosines.max()) == pytest.approx((0.867, 0.904), abs=5e-4)
    same, different = near.get_lines()
    assert list(same.get_xdata()) == [i + 1 for i, label in enumerate(PRINTED_LABELS) if label]
    assert len(different.get_xdata()) == 7
    for line in (same, different):
        assert np.asarray(line.get_ydata()) == pytest.approx(cosines[np.asarray(line.get_xdata()) - 1])
    # 하나뿐인 양성 쌍이 가장 닮은 쌍도 아니다.
    assert max(same.get_ydata()) < max(different.get_ydata())
    assert len(to_svg(figure)) < 80_000
