"""mgk_book/running/execution.py: 노트북은 한 번만 돌고, 낡은 결과도 반쪽 결과도 남지 않는다."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mgk_book.book import BookError
from mgk_book.proofs import closure
from mgk_book.running import execution, jobs
from tests.mgk_book.small import install

ROOT = Path(__file__).parents[3]
LAB = """# %% [markdown]
# # 실습: 깊이
#
# 첫 문단.
#
# ## 둘째 제목 { #second }

# %%
from mgk_docs_src.shared import SIDE
print(SIDE)

# %%
SIDE + 1
"""
OTHER = "# %% [markdown]\n# # 다른 실습\n#\n# 글.\n\n# %%\nfrom mgk_docs_src import lonely\nprint(lonely.X)\n"
SLOW = """# %%
import time
from pathlib import Path
with Path("runs.txt").open("a") as file:
    file.write("run\\n")
time.sleep(2)
print("느린 결과")
"""


@pytest.fixture
def site(book: Path) -> Path:
    (book / "docs" / "labs").mkdir(parents=True)
    (book / "docs" / "labs" / "deep.py").write_text(LAB, "utf-8")
    (book / "docs" / "labs" / "other.py").write_text(OTHER, "utf-8")
    return book


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """돌린 노트북의 이름들. 부를 때마다 한 줄."""
    names: list[list[str]] = []
    real = jobs.begin

    def begin(todo: list[dict[str, str]], *rest: Any) -> "subprocess.Popen[str]":
        names.append([job["name"] for job in todo])
        return real(todo, *rest)

    monkeypatch.setattr(jobs, "begin", begin)
    return names


def make(site: Path) -> dict[str, str]:
    """모두 돌린 뒤, 실습마다 찍힌 글."""
    labs = execution.find(execution.sources(site), site, "cpu")
    execution.execute(labs, site, "cpu")
    return {lab.name: printed(lab) for lab in labs}


def printed(lab: execution.Lab) -> str:
    cells = [cell for cell in execution.executed(lab).cells if cell.cell_type == "code"]
    return "".join(output.get("text", "") for cell in cells for output in cell.outputs)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_outputs_stand_under_their_cells_with_their_numbers(site: Path) -> None:
    make(site)
    lab, _ = execution.find(execution.sources(site), site, "cpu")
    assert lab.prose[0].startswith("# 실습: 깊이")
    first, second = (cell for cell in execution.executed(lab).cells if cell.cell_type == "code")
    assert (first.execution_count, first.outputs[0].text) == (1, "3\n")
    assert (second.execution_count, second.outputs[0].data["text/plain"]) == (2, "4")


def test_nothing_changed_runs_nothing_and_prose_runs_nothing(site: Path, runs: list) -> None:
    make(site)
    make(site)
    edit(site / "docs" / "labs" / "deep.py", "둘째 제목", "고친 제목")
    make(site)
    assert runs == [["labs/deep", "labs/other"]]


def test_an_edit_of_code_runs_only_that_notebook(site: Path, runs: list) -> None:
    make(site)
    edit(site / "docs" / "labs" / "deep.py", "print(SIDE)", "print(SIDE * 100)")
    assert make(site)["labs/deep"] == "300\n"
    assert runs[1:] == [["labs/deep"]]


def test_an_edit_two_imports_away_runs_exactly_its_notebooks_and_shows_the_new_result(site: Path, runs: list) -> None:
    make(site)
    edit(site / "mgk_docs_src" / "deep.py", "SIDE = 3", "SIDE = 7")
    assert make(site) == {"labs/deep": "7\n", "labs/other": "1\n"}
    edit(site / "mgk_docs_src" / "lonely.py", "X = 1", "X = 12")
    assert make(site) == {"labs/deep": "7\n", "labs/other": "12\n"}
    assert runs[1:] == [["labs/deep"], ["labs/other"]]


def test_the_key_is_the_code_the_device_and_the_distributions_that_run_it(site: Path) -> None:
    code = ["from mgk_docs_src.shared import SIDE\n%matplotlib inline\nimport mgk_docs_src.lonely"]

    def key(device: str = "cpu") -> str:
        return execution.key(code, closure.import_graph(site), site, device)

    assert closure.imports(code, closure.import_graph(site)) == {"mgk_docs_src.shared", "mgk_docs_src.lonely"}
    install(site, "mgk_docs_src", "0.1.0", "torch")
    install(site, "torch", "1.0")
    install(site, "ipython", "1.0")
    keys = {key(), key("cuda")}
    for unrelated in ("ruff", "mkdocs_material"):
        install(site, unrelated, "9.9")
        assert key() in keys
    for reached in ("torch", "ipython"):
        install(site, reached, "9.9")
        keys.add(key())
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print(SIDE / 0)", "labs/deep: 1째 코드 칸: ZeroDivisionError: division by zero"),
        ("raise ValueError('가' * 30_000)", f"labs/deep: 1째 코드 칸: ValueError: {'가' * 10_000}"),
        ("import os\nos._exit(0)", "labs/deep: 작업자가 일을 마치지 않고 끝났다(종료 코드 0)"),
        ("import os\nos._exit(3)", "labs/deep: 작업자가 일을 마치지 않고 끝났다(종료 코드 3)"),
        ("import os\nos.kill(os.getpid(), 9)", "labs/deep: 작업자가 신호 9을 받고 죽었다"),
        ("raise ValueError('\\ud800')", "labs/deep: 1째 코드 칸: ValueError: ?"),
    ],
)
def test_a_lab_that_fails_says_why_is_not_kept_and_others_run(code: str, reason: str, site: Path, runs: list) -> None:
    edit(site / "docs" / "labs" / "deep.py", "print(SIDE)", code)
    with pytest.raises(BookError, match=re.escape(reason)):
        make(site)
    assert len(list((site / ".cache" / "labs").rglob("*.json"))) == 1  # labs/other
    assert not list((site / ".cache" / "labs").rglob("*.partial"))
    edit(site / "docs" / "labs" / "deep.py", code, "print(SIDE)")
    assert make(site) == {"labs/deep": "3\n", "labs/other": "1\n"}
    assert runs == [["labs/deep", "labs/other"], ["labs/deep"]]


def test_a_cut_cache_file_does_not_pass_for_the_result_of_a_child_that_ended(site: Path) -> None:
    edit(site / "docs" / "labs" / "deep.py", "print(SIDE)", "import os\nos._exit(0)")
    lab, _ = execution.find(execution.sources(site), site, "cpu")
    lab.outputs.parent.mkdir(parents=True)
    lab.outputs.write_text('{"seconds', "utf-8")
    with pytest.raises(BookError, match="종료 코드 0"):
        make(site)


def test_a_runner_that_dies_fails_the_build(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = site / "python"
    dying.write_text("#!/bin/sh\nhead -n 1 > /dev/null\nexit 3\n", "utf-8")
    dying.chmod(0o755)
    monkeypatch.setattr(jobs.sys, "executable", str(dying))
    with pytest.raises(BookError, match="프로세스가 3로 끝났다"):
        make(site)


def test_a_cache_file_cut_short_is_made_anew(site: Path, runs: list) -> None:
    make(site)
    for path in (site / ".cache" / "labs").rglob("*.json"):
        path.write_bytes(path.read_bytes()[:-5])
    assert make(site)["labs/deep"] == "3\n"
    assert runs == [["labs/deep", "labs/other"]] * 2


def test_what_a_dead_worker_left_is_swept_away(site: Path, runs: list) -> None:
    cache = site / ".cache" / "labs" / "deep"
    cache.mkdir(parents=True)
    (cache / "x.json.1.partial").write_text("[[", "utf-8")
    make(site)
    assert not list(cache.glob("*.partial"))
    assert runs == [["labs/deep", "labs/other"]]


# --- 진짜 프로세스로 ---

LABS = [sys.executable, "-m", "mgk_book.running.execution"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def start(site: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(LABS, cwd=site, env=ENVIRONMENT, stderr=subprocess.DEVNULL)


def test_two_builds_at_once_run_a_notebook_once_and_both_end_well(site: Path, runs: list) -> None:
    (site / "docs" / "labs" / "slow.py").write_text(SLOW, "utf-8")
    builds = [start(site) for _ in "ab"]
    assert [build.wait() for build in builds] == [0, 0]
    assert (site / "runs.txt").read_text() == "run\n"
    assert make(site)["labs/slow"] == "느린 결과\n"
    assert runs == []


def test_a_build_killed_midway_leaves_nothing_half_and_the_next_one_is_whole(site: Path) -> None:
    (site / "docs" / "labs" / "slow.py").write_text(SLOW, "utf-8")
    killed = start(site)
    wait_for(site / "runs.txt")
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert make(site)["labs/slow"] == "느린 결과\n"
    assert not list((site / ".cache" / "labs").rglob("*.partial"))


def test_a_disk_that_takes_no_more_fails_the_build_and_keeps_nothing(site: Path) -> None:
    """파일 크기의 한계(RLIMIT_FSIZE)는 꽉 찬 디스크처럼 쓰던 중간에 거절한다. 실습은 한계보다 긴 글을 찍는다."""
    edit(site / "docs" / "labs" / "deep.py", "print(SIDE)", "print('가' * 2_000_000)")
    full = ["bash", "-c", f"ulimit -f 1024; {' '.join(LABS)}"]
    done = subprocess.run(full, cwd=site, env=ENVIRONMENT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode != 0
    assert "labs/deep: 결과를 만들지 못했다: OSError: [Errno 27] File too large" in done.stderr
    kept = [path.name for path in (site / ".cache" / "labs").rglob("*.*")]
    assert [name for name in kept if name.endswith(".partial")] == []
    assert len(kept) == 1  # labs/other
    assert "가가가" in make(site)["labs/deep"]


def test_a_long_wait_says_how_long_it_will_be_and_the_longest_goes_first(site: Path, caplog, runs: list) -> None:
    caplog.set_level("INFO", "mkdocs.mgk_book")
    labs = execution.find(execution.sources(site), site, "cpu")
    execution.execute(labs, site, "cpu", {"labs/other": 90.0, "labs/deep": 30.0})
    assert runs == [["labs/other", "labs/deep"]]
    first, second, last = caplog.messages
    assert re.fullmatch(r"2개를 실행한다: 약 (1분 0초|\d+초|2분 0초)", first)
    assert re.fullmatch(r"✓ labs/\w+ [\d.]+초 \(1/2, 남은 시간 약 .*초\)", second)
    assert re.fullmatch(r"✓ labs/\w+ [\d.]+초 \(2/2\)", last)


def test_a_lab_that_has_not_run_stands_with_no_output(site: Path) -> None:
    lab, other = execution.find(execution.sources(site), site, "cpu")
    assert execution.waiting([lab, other]) == [lab, other]
    assert [cell.outputs for cell in execution.executed(lab).cells if cell.cell_type == "code"] == [[], []]


def test_workers_that_stand_apart_end_with_the_one_who_asked(site: Path) -> None:
    """띄운 프로세스가 SIGKILL로 죽어도, 일꾼과 그 자식은 남지 않는다."""
    (site / "docs" / "labs" / "slow.py").write_text(SLOW.replace("sleep(2)", "sleep(600)"), "utf-8")
    code = (
        "from pathlib import Path\nfrom mgk_book.running import execution as e\nroot = Path.cwd()\n"
        "labs = e.find(e.sources(root), root, 'cpu')\n"
        "e.execute(labs, root, 'cpu', started=lambda runner: Path('pid.txt').write_text(str(runner.pid)))\n"
    )
    asked = subprocess.Popen([sys.executable, "-c", code], cwd=site, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    wait_for(site / "runs.txt")
    group = int((site / "pid.txt").read_text())
    asked.kill()
    asked.wait()
    end = time.monotonic() + 60
    while alive(group):
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(group: int) -> bool:
    """무리에 살아 있는 프로세스가 있는가."""
    states = [
        file.read_text().rpartition(") ")[2].split() for file in Path("/proc").glob("[0-9]*/stat") if file.exists()
    ]
    return any(int(fields[2]) == group and fields[0] != "Z" for fields in states)


def test_make_labs_runs_them_without_building(site: Path, runs: list) -> None:
    execution.main(site)
    assert start(site).wait() == 0
    assert runs == [["labs/deep", "labs/other"]]
    assert not (site / "site").exists()


def test_the_readers_locale_changes_nothing(site: Path) -> None:
    """한글을 찍고, 인코딩을 말하지 않고 파일을 쓰고, C로 찍는 칸을 ASCII뿐인 로캘에서."""
    code = (
        "from pathlib import Path\nimport os\nPath('글.txt').write_text('가나')\nos.system('echo 다라')\nprint('한글')"
    )
    edit(site / "docs" / "labs" / "deep.py", "print(SIDE)", code)
    plain = {**ENVIRONMENT, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(LABS, cwd=site, env=plain, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert make(site)["labs/deep"] == "한글\n"
    assert (site / "글.txt").read_bytes() == "가나".encode()
