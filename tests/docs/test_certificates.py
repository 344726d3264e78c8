"""인증: 책의 실행 기록이 맞는지, 그리고 돌지 않고는 행을 얻을 수 없는지."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mgk_book.proofs import ledger
from mgk_book.proofs.evidence import Entry, Sources
from tests.docs import certify
from tests.docs.blocks import ROOT
from tests.docs.entries import entries, labs, main


@pytest.fixture(scope="module")
def book() -> tuple[Sources, dict[str, Entry]]:
    sources = Sources(ROOT)
    return sources, entries(sources, labs("cpu"))


def test_every_block_lab_and_function_is_certified_on_the_cpu(book):
    sources, every = book
    found = ledger.faults(ROOT, "cpu", every.values(), sources)
    assert found == [], "make certify를 부르고 certificates/를 함께 커밋한다"


def test_the_cuda_ledger_has_no_rows_of_what_is_gone(book):
    sources, every = book
    assert [fault for fault in ledger.faults(ROOT, "cuda", every.values(), sources) if "책에 없는" in fault] == []


def test_there_are_blocks_labs_and_functions(book):
    _, every = book
    kinds = [sum(mark in name for name in every) for mark in ("#", "labs/", "mgk_docs_src.losses.")]
    assert min(kinds) >= 5, kinds


def test_the_page_names_rows_that_exist(book):
    """인증 페이지가 보기로 드는 행들."""
    _, every = book
    text = (ROOT / "docs" / "certificates.md").read_text("utf8")
    named = set(re.findall(r"ROW='([^']+)'", text)) | set(re.findall(r"`(labs/\w+|mgk_docs_src\.[\w.]+)`", text))
    assert len(named) == 3
    assert named <= set(every)


PAGE = """---
title: 쪽
---

# 쪽

```python
from mgk_docs_src.random import generator

print(generator(3).initial_seed())
```

```text title="출력"
3
```
"""
LAB = """# %% [markdown]
# # 실습
#
# 글.

# %%
from mgk_docs_src.random import generator
generator(1).initial_seed()
"""
TESTS = """
import pytest
from mgk_docs_src.random import generator, rand


@pytest.mark.parametrize("seed", [1, 2])
def test_generator(seed, device):
    assert generator(seed).initial_seed() == seed


def test_rand_on_device(device):
    assert rand(2, generator=generator(0), device=device).device == device


def test_rand_again():
    assert False, "장치를 받지 않으므로 증명과 상관없다"
"""
BLOCK = "page.md#"
MODULES = [f"mgk_docs_src/{name}.py" for name in ("__init__", "checks", "device", "modes", "random")]
FILES = ["conftest.py", "mkdocs.yml", "CITATION.cff", "pyproject.toml", "tests/__init__.py"]
PARTS = [*FILES, *MODULES, "mgk_book", "tests/docs"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """이 책의 기계에 페이지, 실습, 테스트를 하나씩만 둔 작은 책."""
    for part in PARTS:
        target = tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, target)
    for folder in ("docs/labs", "overrides/theme", "benchmarks/results", "certificates"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "docs" / "page.md").write_text(PAGE, "utf8")
    (tmp_path / "docs" / "labs" / "one.py").write_text(LAB, "utf8")
    (tmp_path / "tests" / "test_random.py").write_text(TESTS, "utf8")
    for stray in (tmp_path / "tests" / "docs").glob("test_*.py"):
        stray.unlink()
    return tmp_path


def run(clone: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "--certify", "-p", "no:cacheprovider", "-q", *options]
    environment = {**os.environ, "PYTHONPATH": str(clone), "COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def rows(clone: Path) -> dict[str, dict[str, object]]:
    return json.loads((clone / "certificates" / "cpu.json").read_text())["rows"]


def test_rows_come_from_running_and_only_for_what_changed(clone):
    code, out = run(clone)
    assert code == 0, out
    names = set(rows(clone))
    (block,) = (name for name in names if name.startswith(BLOCK))
    assert names == {block, "labs/one", "mgk_docs_src.random.generator", "mgk_docs_src.random.rand"}
    assert "새로 적은 행 4" in out
    assert "장치를 받지 않으므로" not in out  # 증명과 상관없는 테스트는 돌지 않았다
    assert "  mgk_docs_src.random.randn" in out  # 테스트가 없는 함수는 얻지 못한 것에 적힌다
    before = (clone / "certificates" / "cpu.json").read_bytes()

    code, out = run(clone)
    assert code in (0, 5), out  # 돌릴 것이 없다
    assert "새로 적은 행 0" in out
    assert (clone / "certificates" / "cpu.json").read_bytes() == before

    source = clone / "mgk_docs_src" / "random.py"
    source.write_text(source.read_text("utf8") + "\n# 고침\n", "utf8")
    page = clone / "docs" / "page.md"
    page.write_text(PAGE.replace("3\n```", "4\n```"), "utf8")
    code, out = run(clone, "--row", block)
    assert code == 1, out
    assert f"  {block}" in out
    assert (clone / "certificates" / "cpu.json").read_bytes() == before  # 틀린 출력은 행을 얻지 못한다
    page.write_text(PAGE, "utf8")
    code, out = run(clone, "--row", block)
    assert code == 0, out
    after = rows(clone)
    assert {name for name in names if after[name] != json.loads(before)["rows"][name]} == {block}


def test_a_failing_or_partial_run_gives_no_row(clone):
    lab = clone / "docs" / "labs" / "one.py"
    lab.write_text(LAB + "1 / 0\n", "utf8")
    code, out = run(clone, "-k", "not test_generator[1]", "--ignore=docs/page.md")
    assert code == 1, out
    assert "ZeroDivisionError" in out
    assert set(rows(clone)) == {"mgk_docs_src.random.rand"}  # generator는 테스트 하나가 빠졌다
    gone = clone / "tests" / "test_random.py"
    gone.write_text(TESTS.replace("def test_rand_on_device(device)", "def test_rand_on_device()"), "utf8")
    source = clone / "mgk_docs_src" / "random.py"
    source.write_text(source.read_text("utf8").replace("def rand(", "def other("), "utf8")
    shutil.copy(clone / "certificates" / "cpu.json", clone / "certificates" / "cuda.json")
    code, out = run(clone, "docs/page.md")
    assert "지운 행 1" in out  # 없어진 함수의 행은 어느 장치에서나 지워진다
    assert ledger.read(clone, "cuda").rows == {}
    assert len(rows(clone)) == 1, out
    code, out = run(clone, "--row", "labs/two")
    assert "'labs/two'은 책에 없다" in out
    assert code == pytest.ExitCode.USAGE_ERROR


def options(*, args: tuple[str, ...] = (), **given: object) -> SimpleNamespace:
    return SimpleNamespace(args=list(args), getoption=lambda name, default=None: given.get(name.strip("-"), default))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (options(row="labs/gan"), "--row는 --certify와 함께"),
        (options(certify=True, numprocesses=2), "-n과 함께"),
        (options(certify=True, **{"update-outputs": True}), "--update-outputs나"),
        (options(certify=True, args=("tests/test_random.py::test_rand",)), "일부만 고르면"),
    ],
)
def test_options_that_would_not_prove_anything(config, message):
    with pytest.raises(pytest.UsageError, match=message):
        certify.pytest_configure(config)


def test_the_processor_has_a_name(tmp_path):
    info = tmp_path / "cpuinfo"
    assert certify.processor(info)
    info.write_text("processor : 0\nmodel name\t: 좋은 CPU\n")
    assert certify.processor(info) == "좋은 CPU"


def test_a_reader_can_check_a_row(book, capsys):
    sources, every = book
    name = next(name for name in every if name.startswith("index.md#"))
    text, files = main(["--text", name]) + "\n", main(["--files", name]).split("\n")
    listing = subprocess.run(["sha256sum", "-", *files], input=text.encode(), cwd=ROOT, capture_output=True, check=True)
    key = (
        subprocess.run(["sha256sum"], input=listing.stdout, capture_output=True, check=True).stdout.decode().split()[0]
    )
    shown = main([name])
    assert key == sources.key(every[name])
    assert f"해시 키  {key}" in shown
    assert f"cpu   {key}  돌았다" in shown
    assert all(part in shown for part in [*files, "from mgk_docs_src", "torch"])
    assert name in main([])
    with pytest.raises(SystemExit):
        main(["index.md#0"])
    assert f"비슷한 이름: {name.partition('#')[0]}" in capsys.readouterr().err
