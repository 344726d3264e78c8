"""benchmarks/contrastive_tuning.py: 격자의 모든 값을 검증 쌍에서 재고, 가장 높은 값을 선택한다."""

import pytest

from benchmarks import contrastive_tuning
from benchmarks.contrastive_tuning import GRIDS
from mgk_docs_src.labs.contrastive import digit_split


def test_the_chosen_value_has_the_highest_mean() -> None:
    assert contrastive_tuning.chosen({0.5: [0.9, 0.1], 1.0: [0.6, 0.6], 2.0: [0.2, 0.2]}) == 1.0


@pytest.mark.parametrize("grid", GRIDS, ids=[grid.name for grid in GRIDS])
def test_every_grid_can_be_trained_and_validated(grid: contrastive_tuning.Grid) -> None:
    split = digit_split(100)
    assert 0.5 < contrastive_tuning.validated(grid, grid.values[0], split, 100, steps=2) < 1.0


def test_every_value_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    contrastive_tuning.main(seeds=(100,), steps=1)
    told = capsys.readouterr().out
    for grid in GRIDS:
        (line,) = [line for line in told.splitlines() if line.startswith(grid.name)]
        assert all(f"{value:g}: " in line for value in grid.values)
