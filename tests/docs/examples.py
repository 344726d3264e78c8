"""페이지의 코드 블록을 돌리고 출력을 비교하는 pytest 플러그인. pytest-markdown-docs 위에 얹는다.

- 무엇이 블록인지는 사이트의 마크다운이 정한다(`tests.docs.blocks`).
- 블록은 새 이름 공간에서, 테스트 중인 장치(`--device`)를 torch의 기본 장치로 하여 돈다.
- 찍힌 글은 바로 아래의 출력 울타리와 같아야 한다(`tests.docs.outputs`).
- `--update-outputs`는 다른 울타리를 실행이 내놓은 글로 고쳐 쓴다. 블록 하나라도 예외를 낸 페이지는
  그대로 둔다.

돌리지 않을 블록을 적는 법과 그 까닭의 목록은 `tests.docs.blocks`에 있다.
"""

import contextlib
import io
import random
import traceback
from collections.abc import Generator, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from pytest_markdown_docs._runners import DefaultRunner, register_runner
from pytest_markdown_docs.definitions import FenceTestDefinition

from mgk_book.serving.agreement import printed_lines
from tests.docs.blocks import blocks, example_at, output_under
from tests.docs.outputs import Run, explain, rewrite, write

_item: ContextVar[pytest.Item] = ContextVar("item")
_pages = pytest.StashKey[dict[Path, "Page"]]()
_rewritten = pytest.StashKey[list[str]]()


class Fence(NamedTuple):
    """pytest-markdown-docs가 읽는 만큼의 markdown-it 토큰."""

    info: str
    content: str
    map: list[int]
    type: str = "fence"


class Page:
    """한 세션에서 돌린 페이지: 돌릴 때의 글, 실행들, 끝까지 돌지 못한 블록이 있었는지."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.runs: list[Run] = []
        self.broken = False


class SiteParser:
    """사이트가 그리는 블록만 돌려주는, markdown-it 자리에 들어갈 파서."""

    @staticmethod
    def parse(text: str) -> list[Fence]:
        # 언어만 넘긴다: continuation 같은 옵션이 블록을 홀로 붙여 넣을 수 없는 것으로 만들지 못한다.
        examples = (block for block in blocks(text) if block.is_example)
        return [Fence("python", block.source + "\n", [block.line - 1, block.end]) for block in examples]


class BlockError(Exception):
    """블록이 낸 예외를 싼다. 플러그인은 TypeError를 보면 블록을 한 번 더 돌리므로 그대로 내보내지 않는다."""


class OutputError(Exception):
    """블록은 끝까지 돌았으나 페이지와 맞지 않는다."""


@register_runner(default=True)
class SiteRunner(DefaultRunner):
    """블록을 돌리고 출력을 비교한다."""

    def runtest(self, test: FenceTestDefinition, args: dict[str, Any], *, asyncio_runner: object = None) -> None:
        config = _item.get().config
        name = _name(test.source_path, config)
        if test.source_path.suffix != ".md":
            raise OutputError(f"{name}:{test.start_line}: 설명 안의 예제는 출력을 비교할 수 없다. 페이지로 옮긴다")
        page = _page(test.source_path, config)
        try:
            printed = run_block(test, args, torch.device(config.getoption("--device", "cpu")))
        except (Exception, SystemExit) as error:
            page.broken = True
            line = _failing_line(test, error)
            raise BlockError(f"{name}:{line}: {type(error).__name__}: {error}") from error
        block = example_at(page.text, test.start_line)
        if block is None or block.source.strip() != test.source.strip():
            page.broken = True
            raise OutputError(f"{name}:{test.start_line}: 테스트하는 동안 페이지가 바뀌었다. 다시 실행한다")
        run = Run(block, output_under(page.text, block), printed_lines(printed))
        page.runs.append(run)
        if not run.agrees and not config.getoption("--update-outputs"):
            raise OutputError(explain(name, run))

    def repr_failure(
        self, test: FenceTestDefinition, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str:
        error = excinfo.value
        if isinstance(error, BlockError) and error.__cause__:
            shown = super().repr_failure(test, pytest.ExceptionInfo.from_exception(error.__cause__), style)
            return f"{error}\n{shown}"
        return str(error) if isinstance(error, OutputError) else str(excinfo.getrepr(style="short"))


def run_block(test: FenceTestDefinition, names: dict[str, Any], device: torch.device) -> str:
    """블록을 돌려 찍힌 글을 돌려준다. 줄 번호는 페이지의 줄 번호다."""
    code = compile(test.source, str(test.source_path), "exec", dont_inherit=True)
    names["__name__"] = "__main__"  # 독자가 붙여 넣을 인터프리터처럼
    with _own_state(device), contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, names)
    return out.getvalue()


@contextlib.contextmanager
def _own_state(device: torch.device) -> Iterator[None]:
    """블록이 바꾼 전역 상태를 되돌린다.

    난수의 시드는 새 인터프리터처럼 매번 새로 정한다. 심지 않은 난수를 찍는 블록이 앞선 테스트 덕에 우연히
    같은 수를 찍는 일이 없게 한다.
    """
    dtype, threads, grad = torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()
    default_device = torch.get_default_device()
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.seed()
        random.seed()
        np.random.seed()  # noqa: NPY002
        try:
            with device:
                yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_num_threads(threads)
            torch.set_grad_enabled(grad)
            if torch.get_default_device() != default_device:
                torch.set_default_device(None)
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002


def _page(path: Path, config: pytest.Config) -> Page:
    pages = config.stash[_pages]
    if path not in pages:
        pages[path] = Page(path.read_text("utf8"))
    return pages[path]


def _name(path: Path, config: pytest.Config) -> str:
    return str(path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path)


def _failing_line(test: FenceTestDefinition, error: BaseException) -> int:
    """예외가 난 페이지의 줄: 블록 안의 가장 안쪽 줄."""
    if isinstance(error, SyntaxError) and error.filename == str(test.source_path):
        return error.lineno or test.start_line
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame.lineno for frame in frames if frame.filename == str(test.source_path)]
    return (inside and inside[-1]) or test.start_line


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("페이지의 예제")
    group.addoption("--update-outputs", action="store_true", help="출력 울타리를 실행이 내놓은 글로 고쳐 쓴다")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_pages] = {}
    config.stash[_rewritten] = []
    if config.getoption("--update-outputs") and config.getoption("numprocesses", None):
        raise pytest.UsageError("--update-outputs: 한 페이지를 두 작업자가 함께 고칠 수 없다. -n 없이 돌린다")


@pytest.hookimpl(tryfirst=True)  # 기본 파서가 먼저 대답하면 알림과 탭 안의 블록을 조용히 놓친다
def pytest_markdown_docs_markdown_it() -> SiteParser:
    return SiteParser()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    # 실행기는 어느 테스트에서 불렸는지 듣지 못한다. 설정과 장치를 여기서 건넨다.
    token = _item.set(item)
    try:
        return (yield)
    finally:
        _item.reset(token)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not session.config.getoption("--update-outputs"):
        return
    for path, page in session.config.stash[_pages].items():
        name = _name(path, session.config)
        if page.broken:
            line = f"{name}: 끝까지 돌지 못한 블록이 있어 그대로 두었다"
        else:
            try:
                line = f"{name}: 출력을 고쳐 썼다" * write(path, page.text, rewrite(page.text, page.runs))
            except ValueError as error:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
                line = f"{name}: 고쳐 쓰지 못했다: {error}"
        session.config.stash[_rewritten] += [line] if line else []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[_rewritten]:
        terminalreporter.write_line(line)
