"""benchmarks/own.py: 참을 아는 표에서, 추천이 참과 어긋나지 않는다."""

import numpy as np

from benchmarks import own
from benchmarks.own import World, draw, simulate


def test_tables_are_drawn_as_asked():
    features, labels = draw((300, 100), 0.0, np.random.default_rng(0))
    assert features.shape == (400, 8)
    assert np.bincount(labels).tolist() == [300, 100]
    _, noisy = draw((3000, 1000), 0.25, np.random.default_rng(0))
    assert abs((noisy != np.repeat([0, 1], [3000, 1000])).mean() - 0.25) < 0.03


def test_recommendations_agree_with_the_truth(monkeypatch):
    monkeypatch.setattr(own, "FRESH", 4000)
    nothing = [simulate(World((300, 300)), run) for run in range(3)]
    assert all(one.within and one.base for one in nothing)
    rare = [simulate(World((600, 30)), run) for run in range(3)]
    assert all(one.within and one.helps for one in rare)


def test_reading_is_timed():
    assert own.read(300, 5).startswith("- 300줄, 5열")
