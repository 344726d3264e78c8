"""benchmarks/contrastive.py: 재는 도구가 옳게 잰다. 얼마나 빠른지는 테스트하지 않는다."""

from pathlib import Path

import pytest
import torch

from benchmarks import contrastive
from benchmarks.contrastive import CASES, Case

CPU = torch.device("cpu")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_both_sides_do_the_same_work(case: Case) -> None:
    assert contrastive.difference(case, 40, CPU) < 1e-9


def test_the_batch_has_every_class_twice() -> None:
    x, labels = contrastive.batch(40, CPU, torch.float32)
    assert x.shape == (40, contrastive.DIMENSION)
    assert x.requires_grad
    assert labels.bincount().tolist() == [4] * contrastive.CLASSES


def test_the_largest_tensor_is_counted() -> None:
    x, labels = contrastive.batch(300, CPU, torch.float32)
    cases = {case.name: case for case in CASES}
    assert contrastive.largest(cases["SupCon"].ours, x, labels) == 300**2
    assert contrastive.largest(lambda x, _: (x.unsqueeze(1) * x[:4]).sum(), x, labels) == 300 * 4 * 128


def test_the_ratio_is_that_of_the_peer_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    case, (x, labels) = CASES[0], contrastive.batch(20, CPU, torch.float32)
    monkeypatch.setattr(contrastive, "seconds", lambda loss, *_: 2.0 if loss is case.ours else 6.0)
    assert contrastive.time_both(case, x, labels) == (2.0, 3.0)
    assert contrastive.time_ours(case, x, labels) == 2.0


def test_the_table_is_written_for_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrastive, "RESULTS", tmp_path)
    monkeypatch.setattr(contrastive, "SIZES", (20, 40))
    monkeypatch.setattr(contrastive, "ROUNDS", 2)
    monkeypatch.setattr(contrastive, "TOO_LARGE", 40**3)
    contrastive.main([])
    head, rule, *rows = (tmp_path / "contrastive-losses.md").read_text("utf-8").split("\n")
    cells = rows[: 2 * len(CASES)]
    assert {line.count("|") for line in (head, rule, *cells)} == {9}
    left_out = [line for line in cells if "—" in line]
    assert [line.split(" | ")[:2] for line in left_out] == [["| NT-Xent", "40"], ["| 트리플렛, 모두", "40"]]
    assert "pytorch-metric-learning" in rows[2 * len(CASES) + 1]


def test_a_missing_device_is_an_error() -> None:
    with pytest.raises(ValueError, match="장치"):
        contrastive.main(["--device", "cuda:99"])
