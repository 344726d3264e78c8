"""mgk_book/running/runner.py: 칸을 차례로, 노트북을 나란히, 서로 모르게 돌린다."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from mgk_book.running import runner


@pytest.fixture(autouse=True)
def own_shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """자식 프로세스가 아닌 곳에서 돌린 셸을 치운다."""
    monkeypatch.setattr(sys, "displayhook", sys.displayhook)
    yield
    InteractiveShell.clear_instance()


def test_names_live_from_cell_to_cell() -> None:
    assert runner.run_cells(["x = 20", "x + 1"])[1][0]["data"] == {"text/plain": "21"}


def test_printed_and_shown_things_keep_their_order() -> None:
    cell = (
        "import sys\nfrom IPython.display import HTML, display\n"
        "print('앞')\ndisplay(HTML('<b>가운데</b>'))\nprint('뒤')\nprint('탈', file=sys.stderr)\n'끝'"
    )
    (outputs,) = runner.run_cells([cell])
    assert [output["output_type"] for output in outputs] == [
        "stream", "display_data", "stream", "stream", "execute_result",
    ]  # fmt: skip
    assert [output.get("text") for output in outputs[::2]] == ["앞\n", "뒤\n", None]
    assert outputs[1]["data"]["text/html"] == "<b>가운데</b>"
    assert outputs[3]["name"] == "stderr"


def test_a_quiet_cell_has_no_output() -> None:
    assert runner.run_cells(["x = 1", "print('', end='')\nimport sys\nassert not sys.stdout.isatty()"]) == [[], []]


@pytest.mark.parametrize(
    ("source", "words"),
    [("def f():\n    return 1 / 0\n\nf()", ["ZeroDivisionError", "return 1 / 0"]), ("x =", ["SyntaxError", "x ="])],
)
def test_an_error_names_the_cell_and_shows_its_own_lines(source: str, words: list[str]) -> None:
    with pytest.raises(runner.CellError, match="2째 코드 칸") as raised:
        runner.run_cells(["x = 1", source, "print('오지 않는다')"])
    for word in words:
        assert word in str(raised.value)
    assert "interactiveshell.py" not in str(raised.value) or "SyntaxError" in words


def test_work_puts_the_outputs_in_place(tmp_path: Path) -> None:
    out = tmp_path / "one.json"
    assert runner.work({"cells": ["1 + 1"], "out": str(out)}) is None
    run = json.loads(out.read_text("utf-8"))
    assert run["outputs"][0][0]["data"] == {"text/plain": "2"}
    assert run["seconds"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


def test_work_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = {"cells": ["1 / 0"], "out": str(tmp_path / "one.json")}
    assert "ZeroDivisionError" in str(runner.work(job))

    def half_written(path: Path, *_: object) -> None:
        path.write_bytes(b"[[")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half_written)
    assert "No space left" in str(runner.work({**job, "cells": ["1"]}))
    assert list(tmp_path.iterdir()) == []


def run(jobs: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    command = [sys.executable, "-m", "mgk_book.running.runner"]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, check=True)
    return {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_notebooks_run_apart_and_each_ends_with_one_line(tmp_path: Path) -> None:
    cells = {
        "좋은": ["import os\nleak = 1\nos.write(1, b'C')", "import torch\ntorch.get_num_threads()"],
        "모르는": ["'leak' in globals()"],
        "틀린": ["1 / 0"],
        "죽은": ["import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"],
    }
    jobs = [{"name": name, "cells": cell, "out": str(tmp_path / name)} for name, cell in cells.items()]
    done = run(jobs)
    assert set(done) == set(cells)
    assert done["좋은"]["error"] is done["모르는"]["error"] is None
    assert json.loads((tmp_path / "좋은").read_text("utf-8"))["outputs"][1][0]["data"] == {"text/plain": "1"}
    assert json.loads((tmp_path / "모르는").read_text("utf-8"))["outputs"][0][0]["data"] == {"text/plain": "False"}
    assert "ZeroDivisionError" in str(done["틀린"]["error"])
    assert "신호 9" in str(done["죽은"]["error"])
    assert {path.name for path in tmp_path.iterdir()} == {"좋은", "모르는"}
