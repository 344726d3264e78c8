"""benchmarks/losses.py: 재는 도구가 옳게 잰다. 얼마나 빠른지는 시험하지 않는다."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks import losses


def keep(x: Tensor, y: Tensor) -> Tensor:
    """N개짜리 텐서 하나를 만들어 더한다."""
    return (x * y).sum()


def keep_twice(x: Tensor, y: Tensor) -> Tensor:
    return (x * y).exp().sum()


def test_peak_bytes_counts_what_is_held_at_once() -> None:
    x, y = torch.randn(10**5, requires_grad=True), torch.randn(10**5)
    one = losses.peak_bytes(keep, x, y)
    assert one == pytest.approx(4 * 10**5, rel=0.01)
    assert losses.peak_bytes(keep_twice, x, y) == pytest.approx(2 * one, rel=0.01)


def test_a_loss_against_itself_is_one_and_slow_work_is_more() -> None:
    x, y = torch.randn(10**5, requires_grad=True), torch.randn(10**5)

    def slow(x: Tensor, y: Tensor) -> Tensor:
        return sum(keep(x, y) for _ in range(8))

    assert losses.time_ratio(losses.forward, slow, keep, x, y) > 2


@pytest.mark.parametrize("case", [*losses.BINARY, *losses.FUSED, *losses.CATEGORICAL], ids=lambda case: case.name)
def test_both_sides_of_a_case_do_the_same_work(case: losses.Case) -> None:
    torch.manual_seed(0)
    x, y = case.inputs(1000)
    assert case.ours(x, y) == pytest.approx(float(case.theirs(x, y)), rel=1e-5)


def test_the_table_is_written_for_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "RESULTS", tmp_path)
    monkeypatch.setattr(losses, "SIZES", (1000,))
    monkeypatch.setattr(losses.torch, "compile", lambda loss, **_: loss)
    monkeypatch.setattr(losses, "TABLES", {"one": (losses.BINARY[:1], "하나 ÷ 둘")})
    losses.main("one")
    head, _, eager, compiled, _, note = (tmp_path / "losses-one.md").read_text("utf-8").splitlines()
    assert head.count("|") == eager.count("|") == compiled.count("|") == 7
    assert "$10^3$" in eager
    assert "컴파일" in compiled
    assert "하나 ÷ 둘" in note
