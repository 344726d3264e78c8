"""사이트를 만드는 시간: 훅을 켠 것과 끈 것, 그리고 고친 글이 화면에 오기까지.

`python -m benchmarks.site`. 한 번의 실행에서 번갈아 재고 가운데값을 쓴다.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def build(config: Path) -> float:
    """바뀐 것 없는 빌드 한 번의 초."""
    with tempfile.TemporaryDirectory() as site:
        start = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--quiet",
            "--config-file",
            config,
            "--site-dir",
            site,
        ]
        subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start


def warm_build() -> tuple[float, float]:
    """훅을 켠 빌드와 끈 빌드."""
    bare = ROOT / "mkdocs.bare.yml"
    bare.write_text("INHERIT: mkdocs.yml\nhooks: []\nstrict: false\n", "utf-8")
    try:
        build(ROOT / "mkdocs.yml")
        rounds = [(build(ROOT / "mkdocs.yml"), build(bare)) for _ in range(ROUNDS)]
    finally:
        bare.unlink()
    with_hooks, without = zip(*rounds, strict=True)
    return median(with_hooks), median(without)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.read().decode()


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """`make serve`가 부르는 서버."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(120):
            with contextlib.suppress(OSError):
                get(url)
                break
            time.sleep(0.5)
        yield url
    finally:
        server.terminate()
        server.wait()


def edit_to_reload() -> float:
    """글을 고친 순간부터 브라우저가 새 글을 받을 때까지의 초."""
    page = ROOT / "docs" / "losses" / "binary.md"
    original = page.read_text("utf-8")
    waits = []
    try:
        with serving() as url:
            for turn in range(ROUNDS):
                html = get(f"{url}losses/binary/")
                epoch, request = re.search(r"livereload\((\d+), (\d+)\)", html).groups()
                time.sleep(1)
                marker = f"고친 글 {os.getpid()}-{turn}"
                start = time.perf_counter()
                page.write_text(f"{original}\n{marker}\n", "utf-8")
                # 서버는 빌드가 끝나면 새 판 번호로 답한다. 브라우저도 이 답을 기다렸다가 새로 읽는다.
                while get(f"{url}livereload/{epoch}/{request}") == epoch:
                    pass
                if marker not in get(f"{url}losses/binary/"):
                    raise RuntimeError("새로 읽은 페이지에 고친 글이 없다")
                waits.append(time.perf_counter() - start)
    finally:
        page.write_text(original, "utf-8")
    return median(waits)


def main() -> None:
    """재고 찍는다."""
    with_hooks, without = warm_build()
    print(f"바뀐 것 없는 빌드: 훅을 켜면 {with_hooks:.2f} s, 끄면 {without:.2f} s, 비 {with_hooks / without:.2f}")
    print(f"글을 고치고 화면에 오기까지: {edit_to_reload():.2f} s")


if __name__ == "__main__":
    main()
