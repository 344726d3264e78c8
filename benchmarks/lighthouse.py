"""만든 사이트의 Lighthouse 점수: 휴대전화와 책상에서, 글 페이지와 실습과 책머리를.

`python -m benchmarks.lighthouse`. Node.js가 있어야 한다. GitHub Pages처럼 gzip으로, 하위 경로에서 내보내고,
페이지마다 세 번 재어 중앙값을 `benchmarks/results/lighthouse.md`에 쓴다. 98에 못 미치는 것이 있으면 1로 끝난다.
"""

import contextlib
import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
RESULTS = Path(__file__).parent / "results" / "lighthouse.md"
LIGHTHOUSE = "lighthouse@12.8.2"
PREFIX = "/some/where/"
PAGES = {"책머리": "", "글": "losses/binary/", "실습": "labs/digits/"}  # 실습은 보내는 글이 가장 무거운 것
DEVICES: dict[str, list[str]] = {"휴대전화": [], "책상": ["--preset=desktop"]}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LEAST = 98
ROUNDS = 3
FLAGS = "--headless=new --no-sandbox --disable-gpu"
TEXT = (".html", ".css", ".js", ".json", ".svg", ".xml")


class Score(NamedTuple):
    """페이지 하나를 한 번 잰 것: 네 점수(100점), LCP(ms), CLS, TBT(ms)."""

    categories: tuple[int, ...]
    lcp: float
    cls: float
    tbt: float


class Handler(SimpleHTTPRequestHandler):
    """GitHub Pages처럼: 글은 gzip으로, 10분 동안 다시 묻지 않게."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix(PREFIX.rstrip("/")))

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file() or path.suffix not in TEXT:
            return super().send_head()
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return BytesIO(body)

    def log_message(self, *_: object) -> None:
        """조용히."""


class Server(ThreadingHTTPServer):
    """브라우저가 받다가 끊는 것은 잘못이 아니다."""

    def handle_error(self, *_: object) -> None:
        """조용히."""


@contextlib.contextmanager
def serving(site: Path) -> Iterator[str]:
    """사이트를 아무 빈 포트에 띄운 주소."""
    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def required() -> tuple[str, str]:
    """npx와 크롬의 자리. 없으면 무엇이 없는지 말하고 끝난다."""
    npx = shutil.which("npx") or sys.exit("npx가 없다. Node.js 18.20 이상을 설치한다: https://nodejs.org")
    chrome = shutil.which("chromium") or shutil.which("google-chrome") or sys.exit("chromium이 없다")
    if not (SITE / "index.html").exists():
        sys.exit("사이트가 없다. 먼저 make build를 부른다")
    return npx, chrome


def score(report: dict[str, Any]) -> Score:
    """Lighthouse가 쓴 JSON에서 우리가 보는 것."""
    if "runtimeError" in report:
        raise RuntimeError(report["runtimeError"]["message"])
    names = ("largest-contentful-paint", "cumulative-layout-shift", "total-blocking-time")
    values = (report["audits"][name]["numericValue"] for name in names)
    return Score(tuple(round(report["categories"][name]["score"] * 100) for name in CATEGORIES), *values)


def faults(report: dict[str, Any]) -> list[str]:
    """만점이 아닌, 점수에 드는 것들."""
    weighted = [ref["id"] for name in CATEGORIES for ref in report["categories"][name]["auditRefs"] if ref["weight"]]
    return sorted({name for name in weighted if (report["audits"][name]["score"] or 0) < 1} - not_applicable(report))


def not_applicable(report: dict[str, Any]) -> set[str]:
    """그 페이지에는 잴 것이 없는 것들. 점수가 비어 있다."""
    return {name for name, audit in report["audits"].items() if audit["score"] is None}


def run(npx: str, chrome: str, url: str, options: list[str]) -> dict[str, Any]:
    """한 번 잰다."""
    command = [npx, "--yes", LIGHTHOUSE, url, "--quiet", "--output=json", f"--chrome-flags={FLAGS}", *options]
    environment = {**os.environ, "CHROME_PATH": chrome}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{LIGHTHOUSE}가 {url}을 재지 못했다\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def middle(scores: list[Score]) -> Score:
    """여러 번 잰 것의 중앙값을 칸마다."""
    categories = tuple(int(median(column)) for column in zip(*(each.categories for each in scores), strict=True))
    return Score(categories, *(median(column) for column in zip(*(each[1:] for each in scores), strict=True)))


def table(rows: dict[tuple[str, str], Score]) -> str:
    """Markdown 표."""
    lines = ["| 페이지 | 화면 | 성능 | 접근성 | 모범 사례 | SEO | LCP (s) | CLS | TBT (ms) |", "|" + " --- |" * 9]
    for (page, device), each in rows.items():
        numbers = " | ".join(str(value) for value in each.categories)
        lines.append(f"| {page} | {device} | {numbers} | {each.lcp / 1000:.2f} | {each.cls:.3f} | {each.tbt:.0f} |")
    return "\n".join(lines) + "\n"


def low(rows: dict[tuple[str, str], Score]) -> list[tuple[str, str]]:
    """어느 점수든 98에 못 미치는 것."""
    return [name for name, each in rows.items() if min(each.categories) < LEAST]


def main() -> None:
    """재고, 찍고, 쓴다."""
    npx, chrome = required()
    rows = {}
    with serving(SITE) as url:
        for page, path in PAGES.items():
            for device, options in DEVICES.items():
                reports = [run(npx, chrome, url + path, options) for _ in range(ROUNDS)]
                rows[f"{page} `{path or '/'}`", device] = middle([score(report) for report in reports])
                print(page, device, rows[f"{page} `{path or '/'}`", device], faults(reports[-1]), flush=True)
    agent = reports[-1]["environment"]["hostUserAgent"].partition("Chrome/")[2].partition(" ")[0]
    versions = f"Lighthouse {reports[-1]['lighthouseVersion']}, Chromium {agent}"
    note = f"{versions}, 시늉한 느린 회선(기본값), {ROUNDS}번의 중앙값.\n"
    RESULTS.write_text(f"{table(rows)}\n{note}", "utf-8")
    if short := low(rows):
        sys.exit(f"{LEAST}점에 못 미친다: {short}")


if __name__ == "__main__":
    main()
