"""커널을 가르는 프로세스: `python -m mgk_book.serving.nursery`.

커널 하나를 식은 채로 띄우면 torch를 import하는 데만 몇 초가 든다. 그래서 무거운 것을 import한 프로세스를 fork해 쓴다.
서버(kernels.py)는 한 줄에 하나씩 시키고 한 줄의 답을 받는다: `["start", 쉬는 초]`, `["ended", 번호]`,
`["signal", 번호, 신호]`.
서버가 어떻게 죽든 관이 닫히므로, 그때 커널들을 죽이고 끝난다. 이 프로세스가 먼저 죽으면 커널이 알아채고 끝난다.
"""

import gc
import importlib
import json
import os
import random
import select
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import matplotlib as mpl
import numpy as np
import torch
from ipykernel.kernelapp import IPKernelApp
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.display import display
from jupyter_client.connect import write_connection_file
from traitlets.config import Config

from mgk_book.serving.kernels import ERROR

# 시키는 일이 없는 동안 하나씩 import한다. 그 전에 가른 커널은 필요하면 스스로 import한다.
LATER = ["matplotlib.pyplot", "scipy.stats", "ot", "sklearn.datasets", "torch._dynamo", "tqdm"]
BOOK = "mgk_docs_src"  # 고치는 중이므로 미리 import하지 않고, 블록마다 새로 import한다
GENTLE = 5  # 페이지를 주는 일이 먼저다


def fresh(shell: InteractiveShell, device: str, _: object) -> None:
    """블록을 돌리기 전에: 테스트가 그러듯 새 이름, 처음의 설정, 심지 않은 난수에서 시작한다."""
    signal.alarm(0)
    shell.reset(new_session=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == BOOK]:
        del sys.modules[name]
    importlib.invalidate_caches()
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None if device == "cpu" else device)
    torch.set_grad_enabled(True)
    torch.set_num_threads(1)
    torch.set_printoptions(profile="default")  # type: ignore[no-untyped-call]
    torch.seed()
    random.seed()
    np.random.seed()  # noqa: NPY002


def finished(idle: int, result: ExecutionResult) -> None:
    """블록이 끝난 뒤에: 예외였으면 무엇이 블록의 몇째 줄에서 났는지 보인다. 그 뒤로 쓰지 않는 커널은 끝난다."""
    signal.alarm(idle)
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        said = {"name": type(error).__name__, "message": message, "line": line(error)}
        display({ERROR: said}, raw=True)


def line(error: BaseException) -> int | None:
    """예외가 지나간, 블록 안의 가장 안쪽 줄."""
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "IPython" not in frame.filename]
    inside = [frame.lineno for frame in frames if frame.filename == frames[0].filename]
    return inside[-1] if inside else None


def kernel(connection: str, parent: int, idle: int) -> NoReturn:
    """갈라진 자식: ipykernel이 된다."""
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(2, 1)  # C가 찍는 글이 답에 섞이지 않게
        settings = Config(HistoryManager={"enabled": False}, InlineBackend={"figure_formats": {"svg"}})
        app = IPKernelApp.instance(
            connection_file=connection, parent_handle=parent, log_level="CRITICAL", config=settings
        )
        app.initialize([])
        shell = InteractiveShell.instance()
        shell.events.register("pre_run_cell", partial(fresh, shell, os.environ.get("MGK_DEVICE", "cpu")))
        shell.events.register("post_run_cell", partial(finished, idle))
        signal.alarm(idle)  # 파이썬이 받지 않는 신호라서 그대로 끝난다
        app.start()
    finally:
        os._exit(0)  # 부모의 일(다른 커널을 죽이고 폴더를 지우는 것)을 되풀이하지 않는다


class Kernels:
    """갈라 놓은 커널들. 메서드마다 서버가 시키는 일 하나다."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = 0
        self.alive: set[int] = set()

    def start(self, idle: int) -> tuple[int, str]:
        """새 커널의 프로세스 번호와 연결 파일. 남이 닿지 못하는 폴더의 소켓으로 통신한다."""
        self.started += 1
        here = str(self.folder / str(self.started))
        connection, _ = write_connection_file(
            f"{here}.json", ip=here, transport="ipc", key=os.urandom(32).hex().encode()
        )
        parent = os.getpid()
        child = os.fork() or kernel(connection, parent, idle)  # 자식은 돌아오지 않는다
        os.setpgid(child, child)  # 자식을 둔 블록도 한 번에 멈춘다
        self.alive.add(child)
        return child, connection

    def signal(self, child: int, number: int) -> None:
        """커널과 그것이 띄운 것들에게. 이미 끝났으면 아무 일도 없다."""
        if not self.ended(child):
            os.killpg(child, number)

    def ended(self, child: int) -> bool:
        """끝났는가. 묻기 전에는 거두지 않으므로, 번호가 다른 프로세스의 것이 되지 않는다."""
        if child in self.alive and os.waitpid(child, os.WNOHANG)[0]:
            self.alive.discard(child)
        return child not in self.alive


@contextmanager
def opened() -> Iterator[Kernels]:
    """끝날 때 아무것도 남기지 않는다."""
    with TemporaryDirectory(prefix="mgk-") as folder:
        kernels = Kernels(Path(folder))
        try:
            yield kernels
        finally:
            for child in [*kernels.alive]:
                kernels.signal(child, signal.SIGKILL)


def main() -> None:
    """서버가 있는 동안. 시키는 일이 먼저고, 없으면 무거운 것을 하나 더 import한다."""
    waiting = [*LATER]
    with opened() as kernels:
        while True:
            if waiting and not select.select([sys.stdin], [], [], 0)[0]:
                importlib.import_module(waiting.pop(0))
                gc.freeze()  # import한 객체는 버릴 것이 없다. 커널의 가비지 컬렉션이 메모리를 복사하지 않게
                continue
            asked = sys.stdin.readline()
            if not asked:
                return
            what, *given = json.loads(asked)
            print(json.dumps(getattr(kernels, what)(*given)), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # import하던 중이어도 치우고 끝난다
    os.nice(GENTLE)
    mpl.rcdefaults()  # 읽는 사람의 matplotlibrc가 책의 그림을 바꾸지 않게
    main()
