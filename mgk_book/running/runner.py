"""노트북의 코드 칸과 그림을 나란히 돌린다: `python -m mgk_book.running.runner < 일감.json`.

왜 nbclient가 아닌가. 노트북 하나를 식은 채로 돌리는 시간의 대부분은 커널을 띄우고 torch를 import하는 데 든다. 그래서
무거운 것을 한 번 import한 프로세스를 일감마다 fork해 쓴다. 자식은 서로의 이름을 보지 못하고, 끝나면 사라진다.

일감은 노트북 `{"name", "cells", "out"}`이나 그림 `{"name": "모듈.함수", "folder"}`의 목록이다. 끝난 것마다
`{"name", "seconds", "error"}` 한 줄을 찍는다. 노트북의 `out`은 다 돌았을 때만 생긴다.
"""

import contextlib
import gc
import importlib
import json
import logging
import os
import re
import select
import signal
import sys
import time
import traceback
from base64 import b64encode
from pathlib import Path
from typing import Any, NoReturn, cast

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

DONE = "끝"  # 자식이 다 했다는 말. 말없이 끝난 자식은 실패한 것이다
LONGEST = 15_000  # 오류 글의 글자 수. 관(64 KiB)에 한 번에 들어간다
Output = dict[str, Any]
Job = dict[str, Any]


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
    """노트북 칸이나 그림의 함수에서 시작하는 역추적. 실행기의 줄은 뺀다."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "IPython" not in frame.filename and not frame.filename.startswith(__file__)]
    return "".join(traceback.format_list(own))


def written(run: dict[str, Any]) -> str:
    """노트북 파일의 JSON. 그림의 바이트는 노트북의 약속대로 base64로, UTF-8이 되지 못하는 반쪽 글자는 �로."""
    text = json.dumps(run, ensure_ascii=False, default=_base64)
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__}: 노트북의 출력이 될 수 없다. 글, 수, 목록, 사전, 바이트여야 한다")


def notebook(cells: list[str], out: str) -> None:
    """칸들을 돌리고, 다 돌았으면 결과를 제자리에 놓는다."""
    start = time.perf_counter()
    outputs = run_cells(cells)
    partial = Path(f"{out}.{os.getpid()}.partial")  # 죽은 빌드가 남긴 자식과 섞이지 않게
    try:
        partial.write_text(written({"seconds": time.perf_counter() - start, "outputs": outputs}), "utf-8")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)  # 꽉 찬 디스크에 반쪽을 남기지 않는다


def draw(name: str, folder: str) -> None:
    """그림 하나를 폴더에 그린다."""
    module, _, function = name.rpartition(".")
    importlib.import_module("mgk_docs_src.figures.__main__").main(module, folder, function)


def work(job: Job) -> str | None:
    """갈라진 자식이 하는 일. 무엇이 잘못되었는지를 돌려준다."""
    try:
        if "cells" in job:
            notebook(job["cells"], job["out"])
        else:
            draw(job["name"], job["folder"])
    except CellError as error:
        return str(error)
    except Exception as error:  # 그림의 함수가 낸 것, 꽉 찬 디스크, JSON이 되지 못하는 출력
        return f"결과를 만들지 못했다: {type(error).__name__}: {error}\n\n{_trace(error)}"
    return None


def _fork(job: Job) -> tuple[int, int]:
    """자식을 가르고 (번호, 오류 글을 읽을 관)을 돌려준다."""
    reader, writer = os.pipe()
    child = os.fork() or _child(job, writer)  # 자식은 돌아오지 않는다
    os.close(writer)
    return child, reader


def _child(job: Job, writer: int) -> NoReturn:
    os.dup2(2, 1)  # C가 찍는 글이 결과 줄에 섞이지 않게
    said = work(job) or DONE
    os.write(writer, said[:LONGEST].encode("utf-8", "replace"))
    os._exit(0)


def _ended() -> tuple[int, int]:
    """끝난 자식의 번호와 모습. 프로세스 무리를 이끌면, 시킨 프로세스가 어떻게든 죽었을 때 무리를 모두 끝낸다."""
    if os.getpgrp() != os.getpid():
        return os.wait()
    while True:
        found = os.waitpid(-1, os.WNOHANG)
        if found[0]:
            return found
        if select.select([sys.stdin], [], [], 0.05)[0]:  # 시킨 프로세스는 살아 있는 동안 관을 열어 둔다
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # 자식들이 먼저
            os.killpg(0, signal.SIGTERM)


def _verdict(said: str, status: int) -> str | None:
    """자식의 말과 끝난 모습에서, 무엇이 잘못되었나."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"작업자가 신호 {-code}을 받고 죽었다"
    return None if said == DONE else said or f"작업자가 일을 마치지 않고 끝났다(종료 코드 {code})"


def main(jobs: list[Job], workers: int) -> None:
    """자식을 코어마다 하나씩 두고, 끝나는 대로 한 줄씩 찍는다."""
    waiting = list(reversed(jobs))
    running: dict[int, tuple[Job, int, float]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop()
            child, reader = _fork(job)
            running[child] = (job, reader, time.perf_counter())
        child, status = _ended()
        job, reader, start = running.pop(child)
        with os.fdopen(reader, encoding="utf-8") as pipe:
            error = _verdict(pipe.read(), status)
        print(json.dumps({"name": job["name"], "seconds": time.perf_counter() - start, "error": error}), flush=True)


if __name__ == "__main__":
    # 일감마다 몇 초씩 걸리던 것을 한 번만: 자식은 import한 상태로 갈라진다.
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_svg
    import matplotlib.figure
    import torch

    matplotlib.rcdefaults()  # 읽는 사람의 matplotlibrc가 책의 그림을 바꾸지 않게
    matplotlib.use("svg")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # 글꼴에 없는 글자는 읽는 사람의 브라우저가 그린다
    torch.set_num_threads(1)  # 두 자식이 코어를 두고 다투지 않게
    if (device := os.environ.get("MGK_DEVICE", "cpu")) != "cpu":  # 정해 두면 torch의 함수마다 파이썬을 한 번 더 거친다
        torch.set_default_device(device)
    jobs = json.loads(sys.stdin.readline())
    if len(jobs) > (os.cpu_count() or 1):
        import torch._dynamo  # 최적화기와 skip_init이 처음 쓰일 때 1초 넘게 import한다. 일감이 몇뿐이면 아낀다
    for module in {job["name"].rpartition(".")[0] for job in jobs if "folder" in job}:
        with contextlib.suppress(Exception):  # import하지 못하는 모듈은 그것을 그리는 자식이 이유를 알린다
            importlib.import_module(module)
    gc.freeze()  # import한 객체는 버릴 것이 없다. 자식의 가비지 컬렉션이 훑으며 메모리를 복사하지 않게
    main(jobs, os.cpu_count() or 1)
