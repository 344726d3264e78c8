"""benchmarks/sinkhorn_ablation.py: 상수를 바꾸어 재고 되돌린다. 얼마나 빠른지는 테스트하지 않는다."""

from pathlib import Path

import pytest

from benchmarks import sinkhorn_ablation
from benchmarks.sinkhorn_ablation import WITHOUT, geometries, solved
from mgk_docs_src.transport import sinkhorn as module
from mgk_docs_src.transport.wasserstein import cost_matrix


def test_every_constant_exists_and_is_put_back() -> None:
    x, y, epsilon = geometries(30)["쉬운 구름"]
    for changes in WITHOUT.values():
        before = {name: getattr(module, name) for name in changes}
        _, found = solved(cost_matrix(x, y), epsilon, changes)
        assert found.converged
        assert {name: getattr(module, name) for name in changes} == before


def test_the_table_has_a_row_for_every_geometry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinkhorn_ablation, "RESULTS", tmp_path)
    monkeypatch.setattr(sinkhorn_ablation, "POINTS", 20)
    monkeypatch.setattr(sinkhorn_ablation, "LIMIT", 100)
    sinkhorn_ablation.main()
    head, rule, *rows = (tmp_path / "transport-ablation.md").read_text("utf-8").split("\n")
    assert head.count("|") == rule.count("|") == len(WITHOUT) + 4
    assert [line.split(" | ")[0][2:] for line in rows[:7]] == list(geometries(20))
