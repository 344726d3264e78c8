"""mgk_docs_src/figures/__main__.py: 모듈의 그림을 모두 그린다."""

import runpy
import sys
from pathlib import Path

import pytest

from mgk_docs_src.figures import __main__ as command
from mgk_docs_src.figures.losses import binary


def test_every_public_function_becomes_a_file(tmp_path: Path) -> None:
    command.main(binary.__name__, str(tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "bce_live.json",  # 움직이는 그림의 장면들
        "bce_live.svg",
        "mixture.svg",
        "penalty.svg",
        "precision.svg",
        "staircase.svg",
        "vanishing.svg",
    ]


def test_it_runs_as_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["figures", binary.__name__, str(tmp_path / "out")])
    monkeypatch.delitem(sys.modules, command.__name__)
    runpy.run_module("mgk_docs_src.figures", run_name="__main__")
    assert (tmp_path / "out" / "penalty.svg").exists()
