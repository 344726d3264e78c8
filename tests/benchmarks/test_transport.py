"""benchmarks/transport.py: 재는 코드가 옳게 잰다. 얼마나 빠른지는 테스트하지 않는다."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import transport
from benchmarks.transport import NAME, SOLVERS, TOLERANCE, Problem
from mgk_docs_src.transport.wasserstein import cost_matrix

SMALL = Problem(40, 2, 0.1)


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_does_the_same_work_to_the_same_error(name: str) -> None:
    cost = cost_matrix(*transport.clouds(SMALL.n, SMALL.d))
    plan = torch.as_tensor(SOLVERS[name](transport.feed(name, cost), SMALL.epsilon)).double()
    assert transport.flaw(plan) == ""
    expected = SOLVERS["정확한 LP" if name == "정확한 LP" else NAME](cost, SMALL.epsilon)
    assert float((plan * cost).sum()) == pytest.approx(float((torch.as_tensor(expected) * cost).sum()), rel=1e-3)


def test_flaws_are_told_apart() -> None:
    good = np.full((4, 5), 1 / 20)
    assert transport.flaw(good) == ""
    assert transport.flaw(good * 1e-6) == "빈 계획"
    assert transport.flaw(np.where(np.eye(4, 5) > 0, np.nan, good)) == "nan"
    assert transport.flaw(good + np.eye(4, 5) * 1e-3) == "미수렴 8e-03"
    assert transport.flaw(good + np.eye(4, 5) * TOLERANCE / 10) == ""


def test_numpy_is_given_to_pot_and_tensors_to_the_book() -> None:
    cost = cost_matrix(*transport.clouds(5, 2))
    assert {name for name in SOLVERS if isinstance(transport.feed(name, cost), torch.Tensor)} == {NAME, "이 책, fp32"}


def test_memory_counts_matrices_of_the_size_of_the_cost() -> None:
    # 이 책의 함수는 계획 하나를 쓰고, 끝에 돌려줄 계획을 만들 때만 잠시 몇 개를 쓴다.
    assert 1 <= transport.extra_matrices(NAME, 200) <= 5
    assert transport.extra_matrices("POT 그대로", 200) >= 2


def test_the_quality_is_that_of_the_plan() -> None:
    error, width = transport.quality(Problem(60, 2, 0.01))
    assert 0 < error < 1
    assert error <= width < 2


def test_the_one_dimensional_ways_agree() -> None:
    for ways in transport.one_dimensional(1000).values():
        values = [work() for work in ways.values()]
        assert values == pytest.approx([values[0]] * len(values), rel=1e-9)


def test_the_tables_are_written_for_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "RESULTS", tmp_path)
    monkeypatch.setattr(transport, "PROBLEMS", (SMALL,))
    monkeypatch.setattr(transport, "POINTS", 1000)
    transport.main([])
    plans, lines = (
        (tmp_path / f"transport-{page}.md").read_text("utf-8").split("\n") for page in ("sinkhorn", "wasserstein")
    )
    head, rule, cells, _, note, *_ = plans
    first, _, same, weighted, *_ = lines
    assert head.count("|") == rule.count("|") == cells.count("|") == 12
    assert cells.startswith("| 40 | 2 | 0.1 | 0.")
    assert "미수렴" not in cells
    assert "메모리" in note
    assert first.count("|") == same.count("|") == weighted.count("|") == 6


def test_a_missing_device_is_an_error() -> None:
    with pytest.raises(ValueError, match="장치"):
        transport.main(["--device", "cuda:99"])
