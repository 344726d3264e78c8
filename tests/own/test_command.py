"""mgk_docs_src/own/command.py: 명령줄에서 끝까지."""

import builtins
import contextlib
import io
import json
import runpy
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import distributed
import numpy as np
import pandas as pd
import pytest

from mgk_docs_src.own import command, measuring
from mgk_docs_src.own.command import main
from tests.docs.blocks import ROOT

QUICK = ["--seeds", "4", "--workers", "1", "--methods", "로짓 보정"]


@pytest.fixture
def data(tmp_path):
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [90, 30])
    frame = pd.DataFrame(
        {
            "키": random.normal(size=120) + 2 * labels,
            "도시": random.choice(["가", "나", ""], 120),
            "환자": np.arange(120) // 3,
            "때": np.arange(120) % 40,
            "종": np.where(labels, "병", "정상"),
        }
    )
    frame.to_csv(tmp_path / "표.csv", index=False)
    return str(tmp_path / "표.csv")


def test_it_answers(data, device, capsys):
    assert main([data, "--target", "종", "--goal", "balanced", "--cost", "1:10", *QUICK]) == 0
    said = capsys.readouterr()
    assert "클래스    병 30줄, 정상 90줄" in said.out
    assert "불균형    1:3.00" in said.out
    for words in (
        "열 ‘도시’: 빈칸",
        "로짓 보정",
        "로지스틱 회귀",
        "임계값: 양성은 병",
        "비용은 1:10",
        "안내표의 예상은",
    ):
        assert words in said.out
    assert "칸, 남은 시간 0분" in said.err


def test_the_report_is_written_kept_and_resumed(data, device, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "보고서"
    asked = [data, "--target", "종", "--positive", "정상", "--recall", "0.9", *QUICK, "--report", str(folder)]
    assert main([*asked, "--drop", "때"]) == 0
    assert "양성은 정상, 재현율 0.9 이상" in capsys.readouterr().out
    first = (folder / "scores.csv").read_text("utf-8")
    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    assert settings["drop"] == ["때"]
    assert settings["sha256"] == measuring.digest(Path(data))
    assert "drop=['때']" in (folder / "recipe.py").read_text("utf-8")
    assert main([*asked, "--drop", "때"]) == 2
    assert "이미 있다. 이어서 재려면 --resume" in capsys.readouterr().err
    assert main([*asked, "--drop", "때", "--force"]) == 0
    assert (folder / "scores.csv").read_text("utf-8") == first
    monkeypatch.setattr(measuring, "_cell", None)
    assert main([*asked, "--drop", "때", "--resume"]) == 0
    assert (folder / "scores.csv").read_text("utf-8") == first


@pytest.mark.parametrize("after", [1, 5])
def test_ctrl_c_keeps_what_is_finished(data, device, capsys, monkeypatch, after):
    real = measuring.measure

    def stopped(*args, **knobs):
        for place, one in enumerate(real(*args, **knobs)):
            if place == 4 * after - 3:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(measuring, "measure", stopped)
    asked = [data, "--target", "종", *QUICK, "--report", f"{data}.보고서"]
    assert main(asked) == 130
    said = capsys.readouterr()
    assert "--resume으로 이어 간다" in said.err
    assert ("로지스틱 회귀" in said.out) == (after == 5)  # 기준과 간단한 방법이 끝났을 때만 답한다
    assert "로짓 보정" not in said.out
    monkeypatch.setattr(measuring, "measure", real)
    assert main([*asked, "--resume"]) == 0
    monkeypatch.setattr(measuring, "measure", stopped)
    assert main([data, "--target", "종", *QUICK]) == 130
    assert "--report 폴더를 적으면" in capsys.readouterr().err


def test_groups_and_times(data, device, capsys):
    assert main([data, "--target", "종", "--group", "환자", *QUICK]) == 0
    assert main([data, "--target", "종", "--time", "때", *QUICK]) == 0
    assert main([data, "--target", "종", "--time", "때", "--group", "환자", *QUICK]) == 2
    assert capsys.readouterr().err.endswith("오류: group: --time과 함께 쓸 수 없다\n")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--target", "중"], "target: '중' 열이 없다"),
        (["--target", "종", "--methods", "로짓"], "--methods: '로짓' 방법이 없다"),
        (["--target", "종", "--positive", "환"], "--positive: '환' 클래스가 없다"),
        (["--target", "종", "--resume"], "--resume: 이어서 잴 폴더를"),
    ],
)
@pytest.mark.bad_input
def test_wrong_input_is_one_line(data, capsys, more, message):
    assert main([data, *more]) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[-1].startswith("오류: ")
    assert message in error[-1]


@pytest.mark.parametrize(
    "more",
    [["--seeds", "1"], ["--seeds", "x"], ["--cost", "1"], ["--cost", "0:1"], ["--recall", "2"], ["--recall", "x"],
     ["--workers", "0"], ["--rows", "-1"], ["--goal", "빠르기"]],
)  # fmt: skip
@pytest.mark.bad_input
def test_wrong_options_are_refused(data, capsys, more):
    with pytest.raises(SystemExit) as stopped:
        main([data, "--target", "종", *more])
    assert stopped.value.code == 2
    assert more[0] in capsys.readouterr().err


def test_help_has_examples(device, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["mgk-choose", "--help"])
    monkeypatch.delitem(sys.modules, "mgk_docs_src.own.command")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("mgk_docs_src.own.command", run_name="__main__", alter_sys=False)
    assert stopped.value.code == 0
    assert "mgk-choose 고객.csv --target 이탈" in capsys.readouterr().out
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert scripts["mgk-choose"] == f"{main.__module__}:main"


def test_a_typo_does_not_wait_for_torch(data, device):
    code = (
        "import sys; from mgk_docs_src.own.command import main; code = main(sys.argv[1:]); "
        "print(code, 'torch' in sys.modules, 'sklearn' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, data, "--target", "중"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout == "2 False False\n", done.stderr


def test_cells_can_be_measured_on_dask(data, device, capsys):
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        asked = [data, "--target", "종", *QUICK]
        assert main([*asked, "--backend", "dask", "--scheduler", cluster.scheduler_address]) == 0
    there = capsys.readouterr().out
    assert main(asked) == 0
    assert capsys.readouterr().out == there


def test_dask_that_is_not_installed_is_named(data, device, capsys, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name == "distributed":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert main([data, "--target", "종", *QUICK, "--backend", "dask"]) == 2
    assert "pip install 'mgk_docs_src[dask]'" in capsys.readouterr().err


class Screen(io.StringIO):
    """화면인 척하는 글."""

    def isatty(self):
        return True


def test_progress_says_how_long_is_left(device, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    screen = Screen()
    with contextlib.redirect_stderr(screen), command._Progress() as progress:
        now[0] += 30
        progress(1, 5)
        now[0] += 120
        progress(5, 5)
    assert screen.getvalue() == "\r1/5칸, 남은 시간 2분 00초  \r5/5칸, 남은 시간 0분 00초  \n"
    plain = io.StringIO()
    with contextlib.redirect_stderr(plain), command._Progress() as progress:
        for done in range(1, 41):
            progress(done, 40)
    assert plain.getvalue().count("\n") == 4


def test_many_classes_are_counted(tmp_path, device, capsys):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i % 7}.5,c{i % 9}\n" for i in range(90)), "utf-8")
    assert main([str(tmp_path / "t.csv"), "--target", "y", *QUICK]) == 0
    assert "… 모두 9개" in capsys.readouterr().out
