"""사이트를 만드는 시간: 이 책과, 같은 페이지를 테마와 플러그인만으로 만든 것.

`python -m benchmarks.site`. 한 번의 실행에서 번갈아 재고 중앙값을 쓴다.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import nbformat
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config

from mgk_book.mkdocs import EXTENSION, BookPlugin
from mgk_book.prepare import prepare
from mgk_book.running.execution import executed

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def gather(docs: Path) -> None:
    """같은 페이지들: 글과, 만들어 둔 그림과 파일과, 실행한 노트북."""
    made = prepare(ROOT)
    shutil.copytree(ROOT / "docs", docs)
    for uri, path in made.files.items():
        (docs / uri).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, docs / uri)
    for lab in made.labs:
        nbformat.write(executed(lab), docs / f"{lab.name}.ipynb")


def bare(docs: str, site: str) -> None:
    """이 책의 것을 모두 뺀, mkdocs-material과 mkdocstrings와 mkdocs-jupyter만의 빌드."""
    config = load_config(str(ROOT / "mkdocs.yml"), docs_dir=docs, site_dir=site, strict=False)
    for event in config.plugins.events.values():
        event[:] = [method for method in event if not isinstance(getattr(method, "__self__", None), BookPlugin)]
    config.plugins["mkdocs-jupyter"].config["include"] = ["labs/*.ipynb"]
    config.plugins["mkdocstrings"].config["handlers"]["python"]["options"]["extensions"] = []
    config.markdown_extensions.remove(EXTENSION)
    config.mdx_configs["pymdownx.superfences"] = {}
    config.mdx_configs["pymdownx.highlight"].pop("extend_pygments_lang")
    mkdocs_build(config)


def measured(command: list[str]) -> tuple[float, float]:
    """명령 하나의 초와 CPU 초."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def warm_build() -> list[tuple[float, float]]:
    """바뀐 것 없는 빌드의 (초, CPU 초): 이 책과, 같은 페이지를 테마와 플러그인만으로 만든 것. 번갈아 잰 중앙값."""
    with tempfile.TemporaryDirectory() as folder:
        docs, site = Path(folder) / "docs", Path(folder) / "site"
        gather(docs)
        ours = ["-m", "mkdocs", "build", "--quiet", "--site-dir", str(site)]
        plain = ["-c", f"from benchmarks.site import bare; bare({str(docs)!r}, {str(site)!r})"]
        measured(ours)
        measured(plain)
        rounds = [(measured(ours), measured(plain)) for _ in range(ROUNDS)]
    return [(median(each[0] for each in side), median(each[1] for each in side)) for side in zip(*rounds, strict=True)]


def main() -> None:
    """재고 찍는다."""
    (ours, own), (plain, cpu) = warm_build()
    print(f"바뀐 것 없는 빌드: {ours:.2f} s, 같은 페이지를 테마와 플러그인만으로 {plain:.2f} s, 비 {ours / plain:.2f}")
    print(f"CPU: {own:.2f} s, {cpu:.2f} s, 비 {own / cpu:.2f}")


if __name__ == "__main__":
    main()
