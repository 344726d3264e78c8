"""패키지의 계약. 앞의 절반은 진짜 패키지에, 뒤의 절반은 작게 지어낸 패키지에 댄다."""

from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.docs.contract_package import documented, figure_functions, figures_are_used, load, raising_functions
from tests.docs.contract_tests import is_tested_on_device, names_used_on_device
from tests.docs.pages import Page, pages


def test_every_public_name_is_documented():
    assert documented(load()) == []


def test_every_public_name_is_tested_on_the_device():
    assert is_tested_on_device(load(), ROOT / "tests") == []


def test_every_figure_is_on_its_page():
    assert figures_are_used(load(), pages()) == []


GOOD = '''\
"""모듈."""

from typing import NamedTuple

from mgk_docs_src.checks import positive


class State(NamedTuple):
    """상태."""

    x: float


def loss(x: float, *rest: float, scale: float = 1.0) -> float:
    r"""손실.

    $$x$$

    Args:
        x: 수.
        *rest: 나머지.
        scale: 배율.

    Returns:
        수.

    Raises:
        ValueError: 음수이면.

    References:
        책.
    """
    return _inner(x) * scale


def _inner(x: float) -> float:
    positive(x)
    return x
'''
CHECKS = '''\
"""검사."""


def positive(x: float) -> None:
    """양수인지.

    Args:
        x: 수.

    Raises:
        ValueError: 아니면.

    References:
        없음.
    """
    if x <= 0:
        raise ValueError("x")
'''
FIGURE = '"""그림."""\n\n\ndef penalty():\n    pass\n\n\ndef _axis():\n    raise ValueError\n'


@pytest.fixture
def package(tmp_path):
    """파일 몇 개로 mgk_docs_src를 지어 읽는다."""

    def build(loss: str = GOOD):
        files = {
            "__init__.py": "",
            "checks.py": CHECKS,
            "losses/__init__.py": "",
            "losses/one.py": loss,
            "losses/_private.py": "def hidden(): pass\n",
            "figures/__init__.py": "",
            "figures/style.py": "def save(): pass\n",
            "figures/losses/__init__.py": "",
            "figures/losses/one.py": FIGURE,
        }
        for name, text in files.items():
            path = tmp_path / "mgk_docs_src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf8")
        return load(tmp_path)

    return build


def test_good_package(package):
    assert documented(package()) == []


def without(start: str, end: str) -> str:
    """GOOD에서 한 절을 뺀 것."""
    return GOOD[: GOOD.index(start)] + GOOD[GOOD.index(end) :]


@pytest.mark.parametrize(
    ("source", "violation"),
    [
        (GOOD.replace('    """상태."""\n', ""), "losses/one.py:8: mgk_docs_src.losses.one.State: 설명이 없다"),
        (GOOD + "\n\ndef bare(): pass\n", "mgk_docs_src.losses.one.bare: 설명이 없다"),
        (
            without("        scale: 배율", "\n    Returns"),
            "losses/one.py:14: mgk_docs_src.losses.one.loss: Args에 scale이",
        ),
        (GOOD.replace("        x: 수.", "        x: 수.\n        y: 없는 것."), "Args에 시그니처에 없는 y이"),
        (without("    Args:", "    Returns:"), "Args에 x이 없다"),
        (without("    Returns:", "    Raises:"), "Returns가 없다"),
        (without("    Raises:", "    References:"), "Raises가 없다"),
        (without("    References:", '    """\n    return'), "References가 없다"),
        (GOOD.replace("$$x$$", "식"), "식($$ … $$)이 없다"),
        (GOOD.replace("$$x$$", "$$x$$\n\n    >>> loss(1.0)"), "돌지 않는 예제(>>>)"),
        (GOOD.replace("$$x$$", "$$x$$\n\n    ```python\n    x\n    ```"), "돌지 않는 예제(```)"),
    ],
)
def test_undocumented(package, source, violation):
    (found,) = [line for line in documented(package(source)) if violation in line]
    assert found.startswith("mgk_docs_src/losses/one.py:")


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    raise ValueError\n",
        "def g():\n    raise ValueError\n\n\ndef f():\n    g()\n",
        "from mgk_docs_src.checks import positive as check\n\n\ndef f():\n    check(1)\n",
        "from mgk_docs_src import checks\n\n\ndef f():\n    checks.positive(1)\n",
        "import mgk_docs_src.checks as c\n\n\ndef f():\n    c.positive(1)\n",
    ],
)
def test_raising_is_followed_through_calls(package, source):
    assert "mgk_docs_src.losses.one.f" in raising_functions(package(source))


def test_not_raising(package):
    source = "def raises():\n    raise ValueError\n\n\ndef f(g):\n    g()\n    len('')\n    'x'.raises()\n"
    assert "mgk_docs_src.losses.one.f" not in raising_functions(package(source))


def test_figures(package):
    package = package()
    assert figure_functions(package) == ["mgk_docs_src.figures.losses.one.penalty"]
    used = Page("losses/one.md", "![설명](figures/penalty.svg)\n")
    elsewhere = Page("losses/two.md", used.text)
    assert figures_are_used(package, [used]) == []
    (violation,) = figures_are_used(package, [elsewhere])
    assert violation.startswith("mgk_docs_src/figures/losses/one.py:4: mgk_docs_src.figures.losses.one.penalty: 어느")


TESTS = """\
import pytest
from mgk_docs_src.losses import one
from mgk_docs_src.losses.one import State, loss

CASES = [(State, 1)]

@pytest.fixture
def made(device):
    return 1

def helper():
    return other_name

def not_a_fixture(device):
    return via_helper

def test_off_device():
    assert loss(1)
    not_a_fixture("cpu")

class TestThings:
    def test_cases(self, device):
        helper()
        assert CASES
"""


def test_names_used_on_device_follow_helpers_constants_and_fixtures():
    used = names_used_on_device(TESTS)
    assert {"State", "other_name"} <= used
    assert not {"loss", "via_helper"} & used


@pytest.mark.parametrize(
    "test",
    [
        "def test_x(device):\n    loss(1)\n",
        "def test_x(made):\n    one.loss(1)\n",
        "@pytest.mark.parametrize('f', [loss])\ndef test_x(f, *, device):\n    f(1)\n",
    ],
)
def test_ways_to_use_a_name_on_the_device(test):
    assert "loss" in names_used_on_device(TESTS + test)


@pytest.mark.parametrize("source", [None, TESTS])
def test_untested_names(package, tmp_path, source):
    tests = tmp_path / "tests"
    if source:
        (tests / "losses").mkdir(parents=True)
        (tests / "losses" / "test_one.py").write_text(source)
    found = [Path(line).name for line in is_tested_on_device(package(), tests)]
    names = [line.split(": ")[1] for line in found]
    losses = ["mgk_docs_src.losses.one.loss"] if source else [f"mgk_docs_src.losses.one.{n}" for n in ("State", "loss")]
    assert names == ["mgk_docs_src.checks.positive", *losses]
    assert found[-1].startswith("test_one.py:1: ")
