"""노트북의 코드 칸들을 나란히 돌린다: `python -m hooks.notebooks < 일감.json`.

왜 nbclient가 아닌가. 노트북 하나를 식은 채로 돌리는 시간의 대부분은 커널을 띄우고 torch를 들여오는 데 든다. 그래서
무거운 것을 한 번 들여온 프로세스를 노트북마다 갈라(fork) 쓴다. 갈라진 자식은
서로의 이름을 보지 못하고, 끝나면 사라진다.

일감은 `{"name", "cells", "out"}`의 목록이다. 끝난 것마다 `{"name", "seconds", "error"}` 한 줄을 찍는다.
`out`은 다 돌았을 때만 생긴다.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn, cast

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

Output = dict[str, Any]


class CellError(Exception):
    """칸 하나가 예외를 냈다. 글은 몇째 칸인지와 역추적이다."""


class _Stream:
    """찍힌 글을, 보인 것들과 섞인 차례 그대로 적는다."""

    def __init__(self, name: str, outputs: list[Output]) -> None:
        self.name, self.outputs = name, outputs

    def write(self, text: str) -> int:
        last = self.outputs[-1] if self.outputs else None
        if last and last.get("name") == self.name:
            last["text"] += text
        elif text:
            self.outputs.append({"output_type": "stream", "name": self.name, "text": text})
        return len(text)

    def flush(self) -> None:
        """쌓아 두는 것이 없다."""

    def isatty(self) -> bool:
        return False


class _Publisher(DisplayPublisher):
    """`display()`가 보인 것을 적는다."""

    outputs: list[Output]

    def publish(self, data: Any, metadata: Any = None, *_: Any, **__: Any) -> None:
        self.outputs.append({"output_type": "display_data", "data": data, "metadata": metadata or {}})


class _Hook(DisplayHook):
    """칸의 마지막 값을 적는다."""

    outputs: list[Output]

    def write_output_prompt(self) -> None:
        """번호는 결과에 적는다."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        result = {"output_type": "execute_result", "data": format_dict, "metadata": md_dict or {}}
        self.outputs.append({**result, "execution_count": self.prompt_count})


def run_cells(cells: list[str]) -> list[list[Output]]:
    """칸들을 차례로 돌려 칸마다의 출력을 돌려준다. 예외가 나면 거기서 멈춘다."""
    settings = Config(HistoryManager={"enabled": False})  # 돌린 것을 집 폴더에 적지 않는다
    classes = {"display_pub_class": _Publisher, "displayhook_class": _Hook}
    shell = InteractiveShell.instance(config=settings, colors="nocolor", **classes)
    done = []
    for number, source in enumerate(cells, 1):
        outputs: list[Output] = []
        cast(_Publisher, shell.display_pub).outputs = outputs
        cast(_Hook, shell.displayhook).outputs = outputs
        stdout, stderr = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Stream("stdout", outputs), _Stream("stderr", outputs)
        try:
            result = shell.run_cell(source, store_history=True)
        finally:
            sys.stdout, sys.stderr = stdout, stderr
        error = result.error_before_exec or result.error_in_exec
        if error:
            trace = "".join(traceback.format_exception(error)) if result.error_before_exec else _trace(error)
            raise CellError(f"{number}째 코드 칸: {type(error).__name__}: {error}\n\n{source}\n\n{trace}")
        done.append(outputs)
    return done


def _trace(error: BaseException) -> str:
    """노트북 칸에서 시작하는 역추적. 실행기의 줄은 뺀다."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "IPython" not in frame.filename and not frame.filename.startswith(__file__)]
    return "".join(traceback.format_list(own))


def work(job: dict[str, Any]) -> str | None:
    """갈라진 자식이 하는 일. 오류 글을 돌려주고, 없으면 결과를 제자리에 놓는다."""
    partial = Path(f"{job['out']}.{os.getpid()}.partial")  # 죽은 빌드가 남긴 자식과 섞이지 않게
    start = time.perf_counter()
    try:
        outputs = run_cells(job["cells"])
        run = {"seconds": time.perf_counter() - start, "outputs": outputs}
        partial.write_text(json.dumps(run, ensure_ascii=False), "utf-8")
        partial.replace(job["out"])
    except CellError as error:
        return str(error)
    except OSError as error:  # 꽉 찬 디스크
        partial.unlink(missing_ok=True)
        return f"결과를 쓰지 못했다: {error}"
    return None


def _fork(job: dict[str, Any]) -> tuple[int, int]:
    """자식을 가르고 (번호, 오류 글을 읽을 관)을 돌려준다."""
    reader, writer = os.pipe()
    child = os.fork() or _child(job, writer)  # 자식은 돌아오지 않는다
    os.close(writer)
    return child, reader


def _child(job: dict[str, Any], writer: int) -> NoReturn:
    os.dup2(2, 1)  # C가 찍는 글이 결과 줄에 섞이지 않게
    error = work(job)
    os.write(writer, (error or "").encode()[:60_000])  # 관에 한 번에 들어가는 만큼
    os._exit(1 if error else 0)


def main(jobs: list[dict[str, Any]], workers: int) -> None:
    """자식을 코어마다 하나씩 두고, 끝나는 대로 한 줄씩 찍는다."""
    waiting = list(reversed(jobs))
    running: dict[int, tuple[dict[str, Any], int, float]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop()
            child, reader = _fork(job)
            running[child] = (job, reader, time.perf_counter())
        child, status = os.wait()
        job, reader, start = running.pop(child)
        with os.fdopen(reader, encoding="utf-8") as pipe:
            error = pipe.read() or None
        if os.WIFSIGNALED(status):
            error = f"작업자가 신호 {os.WTERMSIG(status)}을 받고 죽었다"
        print(json.dumps({"name": job["name"], "seconds": time.perf_counter() - start, "error": error}), flush=True)


if __name__ == "__main__":
    # 노트북마다 0.5초씩 걸리던 것을 한 번만: 자식은 들여온 채로 갈라진다.
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_svg
    import matplotlib.figure
    import torch

    matplotlib.use("svg")
    torch.set_num_threads(1)  # 두 자식이 코어를 두고 다투지 않게
    torch.set_default_device(os.environ.get("MGK_DEVICE", "cpu"))
    main(json.load(sys.stdin), os.cpu_count() or 1)
