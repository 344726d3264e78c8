"""출력 울타리와 찍힌 글을 견주고(mgk_book/serving/agreement.py), 울타리를 고쳐 쓴다. torch도 pytest도 모른다."""

import shutil
import tempfile
from collections.abc import Iterable
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

from mgk_book.serving.agreement import differing
from tests.docs.blocks import OUTPUT_TITLE, Block, blocks, output_under


class Run(NamedTuple):
    """블록 하나의 실행: 그 블록, 아래의 출력 울타리(없으면 None), 찍힌 줄들."""

    block: Block
    output: Block | None
    printed: tuple[str, ...]

    @property
    def expected(self) -> tuple[str, ...]:
        return tuple(self.output.source.split("\n")) if self.output else ()

    @property
    def agrees(self) -> bool:
        # 빈 울타리도 울타리다: 아무것도 찍지 않는 블록 아래에는 없어야 한다.
        return bool(self.printed) == bool(self.output) and not differing(self.expected, self.printed)


def explain(page: str, run: Run) -> str:
    """무엇이 어디서 다른지, 사람이 읽을 글로."""
    if run.output is None:
        line, what = run.block.line, "블록이 출력하는데 바로 아래에 출력 울타리가 없다"
    elif not run.printed:
        line, what = run.output.line, "출력 울타리가 있는데 블록이 아무것도 출력하지 않는다"
    else:
        first = differing(run.expected, run.printed)[0]
        line = min(run.output.line + 1 + first, run.output.end)
        what = "출력이 페이지와 다르다"
    # 오차 안에서 같은 줄은 같게 보여서, 차이에 정말 다른 줄만 남긴다.
    wrong = set(differing(run.expected, run.printed))
    shown = [run.expected[i] if i < len(run.expected) and i not in wrong else s for i, s in enumerate(run.printed)]
    diff = unified_diff(run.expected, shown, "페이지", "실행", lineterm="", n=2)
    return "\n".join([f"{page}:{line}: {what}", *(f"    {s}" for s in diff), "고쳐 쓰려면: make outputs"])


def rewrite(text: str, runs: list[Run]) -> str:
    """다른 출력 울타리만 고쳐 쓴 페이지. 나머지는 한 글자도 바뀌지 않는다.

    아래에서 위로 고쳐야 앞선 블록의 줄 번호가 그대로 남는다.
    """
    lines = text.split("\n")
    for run in sorted(runs, key=lambda run: run.block.line, reverse=True):
        if not run.agrees:
            _rewrite_one(lines, run)
    rewritten = "\n".join(lines)
    _verify(text, rewritten, runs)
    return rewritten


def write(path: Path, before: str, after: str) -> bool:
    """고쳐 쓴 글을 한 번에 바꿔 놓고, 바뀐 것이 있었는지 돌려준다.

    그 사이 누가 고친 페이지는 건드리지 않는다.
    """
    if before == after:
        return False
    raw = path.read_bytes().decode()
    newline = "\r\n" if "\r\n" in raw else "\n"
    if raw != before.replace("\n", newline):
        raise ValueError("테스트하는 동안 페이지가 바뀌었거나 줄바꿈이 섞여 있다")
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".", suffix=".tmp", delete=False) as file:
        file.write(after.replace("\n", newline).encode())
    shutil.copymode(path, file.name)
    Path(file.name).replace(path)
    return True


def _rewrite_one(lines: list[str], run: Run) -> None:
    opening = lines[run.block.line - 1]
    prefix = opening[: len(opening) - len(opening.lstrip("> \t"))]
    if run.output is None:
        fence = [f'```text title="{OUTPUT_TITLE}"', *run.printed, "```"]
        below = "".join(lines[run.block.end : run.block.end + 1]).strip("> \t")
        lines[run.block.end : run.block.end] = _indented(["", *fence, *([""] if below else [])], prefix)
    elif not run.printed:
        del lines[run.block.end : run.output.end]
    else:
        lines[run.output.line : run.output.end - 1] = _indented(run.printed, prefix)


def _indented(body: Iterable[str], prefix: str) -> list[str]:
    return [(prefix + line).rstrip() for line in body]


def _verify(before: str, after: str, runs: list[Run]) -> None:
    """고쳐 쓴 페이지를 다시 읽어, 모든 블록이 그대로이고 아래에 제 출력이 있는지 본다."""
    old, new = ([block for block in blocks(text) if block.is_example] for text in (before, after))
    if [block.source for block in old] != [block.source for block in new]:
        raise ValueError("고쳐 쓰면 다른 블록이 달라진다")
    moved = {was.line: now for was, now in zip(old, new, strict=True)}
    for run in runs:
        block = moved[run.block.line]
        if not Run(block, output_under(after, block), run.printed).agrees:
            raise ValueError(f"{run.block.line}번째 줄의 출력을 울타리에 담을 수 없다: {run.printed!r}")
