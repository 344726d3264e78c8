"""고친 글이 화면에 오기까지: `mkdocs serve`로 띄운 이 책과, 같은 페이지를 글로만 담은 mkdocs-material 사이트.

`python -m benchmarks.serve`. 한 번의 실행에서 번갈아 재고 중앙값을 쓴다. 책의 사본에서 고치므로 책은 그대로다.
페이지를 두 배, 네 배로 늘려, 고치지 않은 페이지 하나가 얼마를 더하는지도 잰다.
"""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import median
from urllib.request import ProxyHandler, Request, build_opener

ROOT = Path(__file__).parents[1]
ROUNDS = 5
CHAPTERS = ("losses", "transport", "diffusion", "energy", "contrastive")
PAGE = "losses/binary"
# 파일, 거기 있는 글, 그것을 무엇으로 고치나, 보이는 페이지
EDITS = {
    "글": (f"docs/{PAGE}.md", "\n## ", "\n{}\n\n## ", f"{PAGE}/"),
    "실습의 글": ("docs/labs/gan.py", "\n# ## ", "\n# {}\n#\n# ## ", "labs/gan/"),
    "함수의 설명": (f"mgk_docs_src/{PAGE}.py", "\n    Args:", "\n    {}\n\n    Args:", f"{PAGE}/"),
}
OPENER = build_opener(ProxyHandler({}))
PLAIN = "site_name: 글\ntheme: { name: material, language: ko, font: false }\nplugins: [search]\n"
numbers = count(1)


def book(folder: Path, copies: int) -> int:
    """책의 사본. 장들을 `copies`벌 더 싣는다. 페이지의 수."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / ".cache", folder / ".cache", ignore=shutil.ignore_patterns("look", "zensical", "serving"))
    nav = [(folder / "mkdocs.yml").read_text("utf-8").rstrip()]
    for number in range(1, copies + 1):
        nav.append(f"  - 사본 {number}:")
        for path in sorted(path for chapter in CHAPTERS for path in (folder / "docs" / chapter).glob("*.md")):
            name = f"copy-{number}/{path.relative_to(folder / 'docs').as_posix()}"
            (folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "docs" / name).write_text(re.sub(r"(?m)^<!--.*-->$", "", path.read_text("utf-8")), "utf-8")
            nav.append(f"      - {name}")
    (folder / "mkdocs.yml").write_text("\n".join([*nav, ""]), "utf-8")
    return len(list((folder / "docs").rglob("*.md"))) + len(list((folder / "docs" / "labs").glob("*.py")))


def plain(folder: Path) -> None:
    """같은 페이지를, 플러그인도 확장도 없이 글로만."""
    for path in sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "docs" / "labs").glob("*.py")):
        copied = (folder / path.relative_to(ROOT)).with_suffix(".md")
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_text(path.read_text("utf-8"), "utf-8")
    (folder / "mkdocs.yml").write_text(PLAIN, "utf-8")


def get(url: str) -> str:
    with OPENER.open(url, timeout=120) as answer:
        return str(answer.read().decode())


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """띄운 사이트의 주소."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--dev-addr", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        while True:
            with contextlib.suppress(OSError):
                get(url)
                break
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait()


def ours(url: str, page: str) -> Callable[[], None]:
    """페이지의 스크립트처럼, 이 버전과 달라질 때까지 기다린다."""
    version = json.loads(get(f"{url}_news?page={page}&version=0"))["version"]

    def wait() -> None:
        while json.loads(get(f"{url}_news?page={page}&version={version}"))["version"] == version:
            pass

    return wait


def theirs(url: str, page: str) -> Callable[[], None]:
    """MkDocs의 스크립트처럼."""
    found = re.search(r"livereload\((\d+), (\d+)\)", get(url + page))
    assert found is not None

    def wait() -> None:
        while get(f"{url}livereload/{found[1]}/{found[2]}") == found[1]:
            pass

    return wait


def seconds(folder: Path, url: str, watch: Callable[..., Callable[[], None]], edit: tuple[str, str, str, str]) -> float:
    """고친 순간부터 새 글이 든 페이지를 받을 때까지."""
    name, old, new, page = edit
    path, marker = folder / name, f"고친 글 {next(numbers)}번"
    changed = path.read_text("utf-8").replace(old, new.format(marker), 1)
    wait = watch(url, page)
    time.sleep(1)
    start = time.perf_counter()
    path.write_text(changed, "utf-8")
    wait()
    if marker not in get(url + page):
        raise RuntimeError(f"{page}: 새로 읽은 페이지에 고친 글이 없다")
    return time.perf_counter() - start


def run(url: str, page: str) -> float:
    """▶ 실행을 눌러 출력이 다 올 때까지의 초."""
    found = re.search(r'data-token="([\w-]+)"', get(url + page))
    assert found is not None
    body = json.dumps({"page": f"/{page}", "code": "import torch\nprint(torch.ones(2))", "expected": ""}).encode()
    headers = {"Content-Type": "application/json", "X-Mgk-Token": found[1], "Origin": url.rstrip("/")}
    start = time.perf_counter()
    with OPENER.open(Request(f"{url}_mgk/run", body, headers), timeout=120) as answer:
        answer.read()
    return time.perf_counter() - start


def main() -> None:
    """재고 찍는다."""
    with tempfile.TemporaryDirectory() as place:
        whole, bare = Path(place) / "book", Path(place) / "plain"
        pages = book(whole, 0)
        plain(bare)
        with serving(whole) as mine, serving(bare) as other:
            first, fresh, again = (run(mine, page) for page in (f"{PAGE}/", "energy/models/", "energy/models/"))
            print(f"▶ 실행: 서버가 뜨자마자 {first:.2f} s, 새 페이지 {fresh:.2f} s, 같은 페이지에서 다시 {again:.2f} s")
            rounds = [
                (seconds(whole, mine, ours, EDITS["글"]), seconds(bare, other, theirs, EDITS["글"]))
                for _ in range(ROUNDS)
            ]
            own, same = (median(side) for side in zip(*rounds, strict=True))
            print(f"글을 고치고 화면에 오기까지: {own:.2f} s, 글로만 된 사이트 {same:.2f} s, 비 {own / same:.2f}")
            for name in list(EDITS)[1:]:
                print(f"{name}: {median(seconds(whole, mine, ours, EDITS[name]) for _ in range(ROUNDS)):.2f} s")
        for copies in (3, 9):
            more = Path(place) / f"book-{copies}"
            total = book(more, copies)
            with serving(more) as mine:
                longer = median(seconds(more, mine, ours, EDITS["글"]) for _ in range(ROUNDS))
            each = (longer - own) / (total - pages) * 1000
            print(f"페이지 {total}쪽({total / pages:.1f}배): {longer:.2f} s, 고치지 않은 페이지마다 {each:.1f} ms")


if __name__ == "__main__":
    main()
