"""mgk_book/serving/kernels.py와 nursery.py: 진짜 커널에서 블록을 돌린다."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from mgk_book.serving import nursery
from mgk_book.serving.kernels import Kernel, Limits, Nursery
from mgk_book.serving.run import Runner
from tests.mgk_book.markdown.drawing import write

ROOT = Path(__file__).parents[3]
BOOK = {"mgk_docs_src/__init__.py": "", "mgk_docs_src/side.py": "SIDE = 3\n"}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("book")
    write(root, BOOK)
    return root


@pytest.fixture(scope="module")
def shared(book: Path) -> Iterator[Runner]:
    runner = Runner(book)
    yield runner
    runner.close()


def events(runner: Runner, code: str, expected: str = "", page: str = "/") -> list[dict[str, Any]]:
    return [event for line in runner.run(page, code, expected) if (event := json.loads(line))]


def printed(found: list[dict[str, Any]], to: str = "stdout") -> str:
    return "".join(event["text"] for event in found if event.get("to") == to)


def waited(true: Callable[[], object], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(true())


def lives(pid: int) -> bool:
    """좀비는 살아 있는 것이 아니다."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_prints_and_says_whether_it_agrees(shared: Runner) -> None:
    found = events(shared, "from mgk_docs_src.side import SIDE\nprint(SIDE / 7)", "0.4286\n")
    assert found[-1] == {"end": "done"} | {"agrees": False}
    found = events(shared, "from mgk_docs_src.side import SIDE\nprint(f'{SIDE / 7:.4f}')", "0.4286\n")
    assert (printed(found), found[-1]) == ("0.4286\n", {"end": "done", "agrees": True})
    assert events(shared, "1")[-1] == {"end": "done"}  # 비교할 것이 없다
    assert printed(events(shared, "import sys\nprint(2, file=sys.stderr)\n[1]"), "stderr") == "2\n"
    assert printed(events(shared, "[1]"), "result") == "[1]\n"


def test_every_block_starts_as_a_fresh_interpreter(shared: Runner, book: Path) -> None:
    first = "import os, torch\nx = 1\ntorch.set_default_dtype(torch.float64)\nprint(os.getpid(), torch.rand(()).item())"
    second = "import os, torch\nprint(os.getpid(), torch.ones(()).dtype, 'x' in dir(), __name__)"
    pid, _ = printed(events(shared, first)).split()
    assert printed(events(shared, second)).split() == [pid, "torch.float32", "False", "__main__"]
    seeded = "import torch\ntorch.manual_seed(0)\nprint(torch.rand(()))"
    drawn = "import random, numpy, torch\nprint(torch.rand(()), random.random(), numpy.random.rand())"
    events(shared, seeded)
    one = printed(events(shared, drawn)).split()
    events(shared, seeded)
    assert not {*one} & {*printed(events(shared, drawn)).split()}
    side = "from mgk_docs_src.side import SIDE\nprint(SIDE)"
    assert printed(events(shared, side)) == "3\n"
    (book / "mgk_docs_src" / "side.py").write_text("SIDE = 40\n", "utf-8")
    assert printed(events(shared, side)) == "40\n"  # 고친 것은 다음 실행에 보인다
    write(book, BOOK)


def test_an_error_is_named_with_its_line_in_the_block(shared: Runner) -> None:
    code = "print(1)\ndef half(x):\n    return 1 / x\n\nhalf(0)\nprint(2)"
    found = events(shared, code, "1\n")
    assert found == [
        {"to": "stdout", "text": "1\n"},
        {"error": "ZeroDivisionError", "line": 3, "text": "division by zero"},
        {"end": "done"},
    ]
    assert events(shared, "a = 1\nb c")[0] == {"error": "SyntaxError", "line": 2, "text": "invalid syntax"}
    assert events(shared, "input()")[0]["error"] == "StdinNotImplementedError"
    inside = events(shared, "import json\n\njson.loads('{')")[0]
    assert (inside["error"], inside["line"]) == ("JSONDecodeError", 3)
    assert nursery.line(ValueError()) is None


def test_pictures_are_shown_and_html_is_not(shared: Runner) -> None:
    found = events(shared, "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])")
    assert found[0]["picture"] == "image/svg+xml"
    assert "<svg" in found[0]["text"]
    code = "from IPython.display import HTML, display\ndisplay(HTML('<script>alert(1)</script>'))"
    assert printed(events(shared, code), "result") == "<IPython.core.display.HTML object>\n"


def test_pages_share_nothing_and_run_at_once(shared: Runner) -> None:
    # 둘 다 돌고 있어야 끝난다
    code = (
        "import os, time\nfrom pathlib import Path\nPath(str(os.getpid())).touch()\n"
        "while len([*Path().glob('[0-9]*')]) < 2: time.sleep(0.1)\nprint(os.getpid())"
    )
    for page in ("/a", "/b"):
        events(shared, "1", page=page)
    with ThreadPoolExecutor() as pool:
        pids = [*pool.map(lambda page: printed(events(shared, code, page=page)), ("/a", "/b"))]
    assert len({*pids}) == 2


def test_a_kernel_is_born_with_torch(shared: Runner) -> None:
    """얼마나 빨리 뜨는지는 benchmarks/serve.py가 잰다."""
    assert printed(events(shared, "import sys\nprint('torch' in sys.modules)", page="/born/")) == "True\n"


def test_a_second_block_of_the_page_waits_its_turn(shared: Runner) -> None:
    first = shared.run("/", "import time\nprint(1, flush=True)\ntime.sleep(60)", "")
    next(first)
    assert events(shared, "2") == [{"end": "busy"}]
    first.close()  # 읽는 사람이 떠났다
    assert waited(lambda: shared.kernels["/"].ended)
    assert events(shared, "print(3)")[-1] == {"end": "done"}


def test_it_is_interrupted_and_reset(shared: Runner) -> None:
    events(shared, "1")
    pid = shared.kernels["/"].number

    def said(code: str, name: str) -> list[dict[str, Any]]:
        running = shared.run("/", code, "")
        found = [json.loads(next(running))]
        answered = Thread(target=stop, args=[name])
        answered.start()
        found += [event for line in running if (event := json.loads(line))]
        answered.join()
        return found

    def stop(name: str) -> None:
        if name == "interrupt":
            shared.kernels["/"].stop("interrupt")
        else:
            shared.kernels.pop("/").close("reset")

    forever = "print(1, flush=True)\nwhile True:\n    pass"
    first, error, end = said(forever, "interrupt")
    assert (first["text"], error["error"], error["line"] in (1, 2, 3)) == ("1\n", "KeyboardInterrupt", True)
    assert end == {"end": "interrupt"}
    assert shared.kernels["/"].number == pid
    assert said(forever, "reset")[-1] == {"end": "reset"}
    assert not lives(pid)
    assert events(shared, "print(1)")[-1] == {"end": "done"}
    assert shared.kernels["/"].number != pid


def test_time_is_bounded(shared: Runner) -> None:
    kernel = Kernel(shared.nursery, Limits(seconds=2, grace=1))
    assert [*kernel.run("while True: pass")][-1] == {"end": "time"}
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    assert [*kernel.run(stubborn)][-1] == {"end": "time"}
    kernel.close("test")


def test_output_is_bounded(shared: Runner) -> None:
    kernel = Kernel(shared.nursery, Limits(size=1000, grace=1))
    found = [*kernel.run("while True: print('가나다')")]
    assert found[-1] == {"end": "size"}
    assert sum(len(event.get("text", "")) for event in found if event.get("to") == "stdout") == 1000
    found = [*kernel.run("from IPython.display import display\ndisplay({'image/png': 'A' * 2000}, raw=True)")]
    assert not [event for event in found if "picture" in event]
    assert found[-1] == {"end": "size"}
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: print('가나다')"
    assert [*kernel.run(stubborn)][-1] == {"end": "size"}
    assert kernel.ended
    kernel.close("test")


@pytest.mark.parametrize("code", ["import os\nos._exit(3)", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"])
def test_a_kernel_that_dies_is_said_and_replaced(shared: Runner, code: str) -> None:
    assert events(shared, code, page="/dying")[-1] == {"end": "died"}
    assert printed(events(shared, "print(1)", page="/dying")) == "1\n"


def test_a_kernel_may_be_left(shared: Runner) -> None:
    events(shared, "exit()", page="/left")
    assert waited(lambda: shared.kernels["/left"].ended)
    assert printed(events(shared, "print(1)", page="/left")) == "1\n"


def test_what_a_block_started_ends_with_its_kernel(shared: Runner) -> None:
    code = "import subprocess\nprint(subprocess.Popen(['sleep', '1000']).pid)"
    pid = int(printed(events(shared, code, page="/parent")))
    assert lives(pid)
    shared.kernels.pop("/parent").close("reset")
    assert waited(lambda: not lives(pid))


def test_an_idle_kernel_ends(shared: Runner) -> None:
    kernel = Kernel(shared.nursery, Limits(idle=3))
    assert [*kernel.run("import time\ntime.sleep(4)\nprint(1)")][-1] == {"end": "done"}  # 도는 것은 쉬는 것이 아니다
    assert waited(lambda: kernel.ended)
    assert not lives(kernel.number)
    kernel.close("test")


def test_kernels_do_not_outlive_the_process_that_forked_them(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # 갑자기 죽은 것은 제 폴더를 치우지 못한다
    runner = Runner(book)
    for _ in range(2):
        assert printed(events(runner, "from mgk_docs_src.side import SIDE\nprint(SIDE)")) == "3\n"
    assert [events(runner, code)[0]["line"] for code in ("1 / 0", "b c")] == [1, 1]
    pid = runner.kernels["/"].number
    process = runner.nursery.process
    assert process
    process.kill()
    assert waited(lambda: not lives(pid))
    process.wait()
    assert printed(events(runner, "print(2)")) == "2\n"
    pid = runner.kernels["/"].number
    runner.close()
    assert not lives(pid)
    assert runner.kernels["/"].ended
    assert events(runner, "1") == [{"end": "unavailable"}]


def test_nothing_outlives_the_server(book: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom mgk_book.serving.run import Runner\n"
        "runner = Runner(Path(sys.argv[1]))\n[*runner.run('/', '1', '')]\n"
        "print(runner.nursery.process.pid, runner.kernels['/'].number, flush=True)\ntime.sleep(100)\n"
    )
    given = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen([sys.executable, "-c", code, str(book)], env=given, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    pids = [int(word) for word in server.stdout.readline().split()]
    assert [*tmp_path.iterdir()]
    assert all(map(lives, pids))
    server.kill()
    server.communicate()
    assert waited(lambda: not any(map(lives, pids)))
    assert waited(lambda: not [*tmp_path.iterdir()])


def test_a_nursery_that_cannot_start_is_said(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert events(Runner(book / "없는 폴더"), "1") == [{"end": "unavailable"}]
    write(book, {"torch.py": "raise ImportError('torch가 없다')\n"})
    runner = Runner(book)
    assert events(runner, "1") == [{"end": "unavailable"}]
    runner.close()
    (book / "torch.py").unlink()


def test_the_nursery_is_warm_before_it_is_asked(book: Path) -> None:
    nursery = Nursery(book)
    nursery.warm()
    process = nursery.process
    nursery.warm()
    assert nursery.process is process
    nursery.close()  # 들여오던 중이어도
    assert process is not None
    assert process.returncode is not None
