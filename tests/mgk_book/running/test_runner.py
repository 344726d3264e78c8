"""mgk_book/running/runner.py: 칸을 차례로, 노트북을 나란히, 서로 모르게 돌린다."""

import io
import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

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


PICTURE = "from PIL import Image\nfrom IPython.display import display\npicture = Image.new('L', (1, 1))\n"


@pytest.mark.parametrize(
    ("source", "mime"),
    [
        (f"{PICTURE}picture", "image/png"),
        (f"{PICTURE}display(picture)", "image/png"),
        (f"{PICTURE}import io\nfile = io.BytesIO()\npicture.save(file, 'jpeg')\n"
         "display({'image/jpeg': file.getvalue()}, raw=True)", "image/jpeg"),
    ],
)  # fmt: skip
def test_pictures_and_bytes_are_base64_as_in_any_notebook(source: str, mime: str, tmp_path: Path) -> None:
    out = tmp_path / "one.json"
    assert runner.work({"cells": [source], "out": str(out)}) is None
    ((output,),) = json.loads(out.read_text("utf-8"))["outputs"]
    assert Image.open(io.BytesIO(b64decode(output["data"][mime]))).size == (1, 1)
    nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])]))


def test_half_a_character_is_shown_as_one_that_is_not_known(tmp_path: Path) -> None:
    out = tmp_path / "one.json"
    assert runner.work({"cells": ["print('가\\ud83d나\\udc00\\U0001f600')"], "out": str(out)}) is None
    assert json.loads(out.read_text("utf-8"))["outputs"][0][0]["text"] == "가\ufffd나\ufffd\U0001f600\n"


def test_an_output_that_no_notebook_can_hold_is_named(tmp_path: Path) -> None:
    cell = "from IPython.display import display\ndisplay({'application/json': {1, 2}}, raw=True)"
    said = runner.work({"cells": [cell], "out": str(tmp_path / "one.json")})
    assert "TypeError: set: 노트북의 출력이 될 수 없다" in str(said)
    assert list(tmp_path.iterdir()) == []


def run(jobs: list[dict[str, object]], **given: str) -> dict[str, dict[str, object]]:
    command = [sys.executable, "-m", "mgk_book.running.runner"]
    environment = {**os.environ, **given}
    done = subprocess.run(
        command, input=json.dumps(jobs), capture_output=True, encoding="utf-8", check=True, env=environment
    )
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


def test_the_readers_matplotlibrc_has_no_effect(tmp_path: Path) -> None:
    rc = tmp_path / "matplotlibrc"
    rc.write_text("text.usetex: True\nsavefig.bbox: tight\nlines.linewidth: 9\nbackend: pdf\n", "utf-8")
    cell = "from matplotlib import rcParams\n[rcParams[name] for name in ('text.usetex', 'savefig.bbox', 'backend')]"
    out = tmp_path / "out.json"
    (done,) = run([{"name": "하나", "cells": [cell], "out": str(out)}], MATPLOTLIBRC=str(rc)).values()
    assert done["error"] is None
    (((output,),)) = json.loads(out.read_text("utf-8"))["outputs"]
    assert output["data"]["text/plain"] == "[False, None, 'svg']"


def test_cells_run_on_the_device_that_was_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    run([{"name": "하나", "cells": ["import torch\ntorch.ones(1).device.type"], "out": str(out)}], MGK_DEVICE="meta")
    ((output,),) = json.loads(out.read_text("utf-8"))["outputs"]
    assert output["data"]["text/plain"] == "'meta'"
