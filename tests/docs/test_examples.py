"""플러그인의 테스트: 페이지 하나를 담은 폴더에서 pytest를 안쪽에 한 번 더 돌린다."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.docs import examples
from tests.docs.blocks import blocks

pytest_plugins = ["pytester"]

GOOD = '```python\nprint("값 0.50")\n```\n\n```text title="출력"\n값 0.51\n```\n'


@pytest.fixture
def check(pytester):
    """페이지를 돌리고 (결과, 찍힌 글)을 돌려준다. 설정은 이 책의 것과 같다."""
    pytester.makeini("[pytest]\naddopts = --markdown-docs\nfilterwarnings = error\n")
    blocks("")  # 안쪽 실행이 들여온 모듈은 되돌려지므로, 마크다운의 것은 미리 들여온다

    def run(page: str, *options: str, name: str = "page.md"):
        path = pytester.path / name
        path.write_text(page, "utf8")
        result = pytester.runpytest_inprocess("-p", "conftest", "-p", "no:cacheprovider", *options, name)
        return result, result.stdout.str()

    return run


def example(code: str, output: str | None = None) -> str:
    shown = "" if output is None else f'\n```text title="출력"\n{output}\n```\n'
    return f"# 제목\n\n```python\n{code}\n```\n{shown}"


def test_agreeing_page_passes(check):
    check(GOOD)[0].assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (example("print('둘')", "하나"), "page.md:8: 출력이 페이지와 다르다"),
        (example("print('a 0.52')", "a 0.50"), "page.md:8: 출력이 페이지와 다르다"),
        (example("print(1)\nprint(3)", "1\n2"), "page.md:10: 출력이 페이지와 다르다"),
        (example("print(1)\nprint(2)", "1"), "page.md:10: 출력이 페이지와 다르다"),
        (example("print(1)"), "page.md:3: 블록이 출력하는데"),
        (example("x = 1", "1"), "page.md:7: 출력 울타리가 있는데"),
    ],
    ids=["word", "two last places", "second line", "extra line", "no fence", "nothing printed"],
)
def test_disagreeing_page_fails_with_its_line(check, page, message):
    result, out = check(page)
    result.assert_outcomes(failed=1)
    assert message in out
    assert "make outputs" in out


@pytest.mark.parametrize(
    ("code", "line", "error"),
    [
        ("x = 1\nx / 0", 4 + 1, "ZeroDivisionError"),
        ("def f():\n    return 1 + ''\nf()", 5, "TypeError"),
        ("x = 1\n\nif x\n", 6, "SyntaxError"),
        ("import sys\nsys.exit(3)", 5, "SystemExit"),
        ("import warnings\nwarnings.warn('조심')", 5, "UserWarning"),
    ],
)
def test_exception_names_its_line(check, code, line, error):
    result, out = check(example(code))
    result.assert_outcomes(failed=1)
    assert f"page.md:{line}: {error}" in out


def test_block_raising_type_error_runs_once(check, pytester):
    code = "from pathlib import Path\nwith Path('ran').open('a') as f:\n    f.write('.')\nlen(3)"
    result, out = check(example(code))
    result.assert_outcomes(failed=1)
    assert "object of type 'int' has no len()" in out
    assert (pytester.path / "ran").read_text() == "."


def test_blocks_in_admonitions_and_tabs_run(check):
    page = (
        '!!! note\n\n    ```python\n    print(1)\n    ```\n\n=== "탭"\n\n    글\n\n    ```python\n    1 / 0\n    ```\n'
    )
    result, out = check(page)
    result.assert_outcomes(failed=2)
    assert "page.md:3: 블록이 출력하는데" in out
    assert "page.md:12: ZeroDivisionError" in out


def test_blocks_share_no_names(check):
    result, out = check("```python\nx = 1\n```\n\n```python\nprint(x)\n```\n")
    result.assert_outcomes(passed=1, failed=1)
    assert "page.md:6: NameError" in out


def test_block_is_main(check):
    check(example("print(__name__)", "__main__"))[0].assert_outcomes(passed=1)


def test_notest_blocks_and_other_languages_are_not_collected(check):
    page = '```python { notest="원문" }\nbroken(\n```\n\n```text\nx\n```\n\n' + GOOD
    check(page)[0].assert_outcomes(passed=1)


def test_options_cannot_join_blocks(check):
    page = "```python\nx = 1\n```\n\n```python { continuation }\nprint(x)\n```\n"
    check(page)[0].assert_outcomes(passed=1, failed=1)


def test_examples_in_docstrings_are_refused(check):
    module = '"""설명\n\n```python\nprint(1)\n```\n"""\n'
    result, out = check(module, name="module.py")
    result.assert_outcomes(failed=1)
    assert "페이지로 옮긴다" in out


def test_default_device_is_the_device_under_test(check, device):
    code = "import torch\nprint(torch.ones(1).device.type)"
    check(example(code, device.type), "--device", str(device))[0].assert_outcomes(passed=1)


def test_device_option_reaches_the_block(check, monkeypatch):
    monkeypatch.setattr("conftest.resolve", torch.device)
    code = "import torch\nprint(torch.ones(1).device.type, torch.arange(3).device.type)"
    check(example(code, "meta meta"), "--device", "meta")[0].assert_outcomes(passed=1)


def test_missing_device_is_an_error(check):
    result, _ = check(GOOD, "--device", "cuda:99")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "cuda:99" in result.stderr.str()


def test_global_state_comes_back(check):
    code = (
        "import random, numpy, torch\n"
        "torch.set_default_dtype(torch.float64)\ntorch.set_num_threads(2)\ntorch.set_grad_enabled(False)\n"
        "torch.set_default_device('meta')\ntorch.manual_seed(0)\nrandom.seed(0)\nnumpy.random.seed(0)\n"
        "for _ in range(3):\n    random.random(), numpy.random.rand(), torch.rand(1)"
    )
    threads = torch.get_num_threads()
    states = torch.get_rng_state(), random.getstate(), str(np.random.get_state())  # noqa: NPY002
    check(example(code))[0].assert_outcomes(passed=1)
    assert torch.get_default_dtype() == torch.float32
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    assert torch.ones(1).device.type == "cpu"
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (random.getstate(), str(np.random.get_state())) == states[1:]  # noqa: NPY002


def test_unseeded_numbers_differ_from_run_to_run(check):
    code = "import torch\nprint(torch.rand(4).tolist())"
    torch.manual_seed(0)
    (first, second) = (check(example(code))[1] for _ in range(2))
    assert first.split("+[")[1].split("]")[0] != second.split("+[")[1].split("]")[0]


def test_update_outputs_rewrites_the_page(check, pytester):
    page = (
        "---\ntitle: 제목\n---\n\n```python\nprint(1)\n```\n글\n\n"
        '=== "탭"\n\n    ```python\n    print("둘\\n\\n셋")\n    ```\n\n    ```text title="출력"\n    옛것\n    ```\n\n'
        + GOOD
    )
    result, out = check(page, "--update-outputs")
    result.assert_outcomes(passed=3)
    assert "page.md: 출력을 고쳐 썼다" in out
    updated = (pytester.path / "page.md").read_text("utf8")
    assert updated == page.replace("글\n\n", '\n```text title="출력"\n1\n```\n\n글\n\n').replace(
        "    옛것\n", "    둘\n\n    셋\n"
    )
    result, out = check(updated, "--update-outputs")
    result.assert_outcomes(passed=3)
    assert "고쳐" not in out
    check(updated)[0].assert_outcomes(passed=3)


def test_update_outputs_leaves_a_page_with_a_failing_block(check, pytester):
    page = example("print(1)") + "\n```python\n1 / 0\n```\n"
    result, out = check(page, "--update-outputs")
    result.assert_outcomes(passed=1, failed=1)
    assert "그대로 두었다" in out
    assert (pytester.path / "page.md").read_text("utf8") == page


def test_update_outputs_fails_where_a_fence_cannot_hold_it(check, pytester):
    page = example("print('```')")
    result, out = check(page, "--update-outputs")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "page.md: 고쳐 쓰지 못했다" in out
    assert (pytester.path / "page.md").read_text("utf8") == page


def test_page_edited_while_it_runs_is_not_touched(check, pytester):
    code = "from pathlib import Path\nPath('page.md').write_text('고친 글')\nprint(1)"
    result, out = check(example(code), "--update-outputs")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "바뀌었" in out
    assert (pytester.path / "page.md").read_text() == "고친 글"


def test_update_outputs_refuses_parallel_workers():
    config = SimpleNamespace(stash={}, getoption=lambda name, default=None: 2)
    with pytest.raises(pytest.UsageError, match="-n 없이"):
        examples.pytest_configure(config)
