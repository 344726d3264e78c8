"""benchmarks/gan_tuning.py: 모든 방법을 모든 설정에서 재고, 방법마다 W₁이 가장 작은 줄이 굵다."""

from pathlib import Path

import pytest
import torch

from benchmarks import gan_tuning
from benchmarks.gan_tuning import FAMILIES, RATES, Tried


def test_the_nearest_setting_is_bold() -> None:
    full = torch.full((2,), 8.0)
    found = [
        Tried(0.1, 0.001, full, full / 8, torch.tensor([0.3, 0.5])),
        Tried(0.1, 0.002, full, full / 8, torch.tensor([0.1, 0.3])),
    ]
    assert list(gan_tuning.rows("WGAN-GP", found)) == [
        "| WGAN-GP | 0.1 | 0.001 | 8 | 1.000 | 0.400 ± 0.141 |",
        "| WGAN-GP | 0.1 | 0.002 | 8 | 1.000 | **0.200 ± 0.141** |",
    ]


def test_every_setting_of_every_method_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gan_tuning, "SIZE", 64)
    gan_tuning.main(tmp_path, seeds=range(10, 12), steps=1)
    _, _, *rows = [line for line in (tmp_path / "gan-tuning.md").read_text("utf-8").split("\n") if line.startswith("|")]
    assert len(rows) == sum(len(strengths) * len(RATES) for _, strengths in FAMILIES.values())
    assert sum("**" in row for row in rows) == len(FAMILIES)
