"""노트북이 있는 사이트를 만드는 시간을 다른 도구와 나란히 잰다.

`python -m benchmarks.labs`. 같은 글 12쪽과 같은 노트북들을 처음 만들 때, 바뀐 것이 없을 때, 글·코드·모듈을 고쳤을 때를
번갈아 재고 중앙값을 쓴다. 만들 때마다 페이지를 읽어 새 결과인지 보고, 이 책의 것은 캐시를 읽어 돌아야 할 노트북만
돌았는지도 본다. ‘nbclient를 나란히’는 갈라 쓰는 프로세스가 왜 필요한지 보인다: 실행기만 바꾼 이 책이다.
‘노트북만 뺀 이 책’은 설정과 플러그인이 같고 노트북만 없는 사이트, ‘MkDocs만’은 그 둘도 뺀 사이트다.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import correlation, linear_regression, median
from typing import NamedTuple

import jupytext
import nbclient

from mgk_book.running import execution

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".cache" / "peers"
PAGES = ["index", *(f"page_{number:02}" for number in range(1, 12))]
REPEATS, GROWTH_SECONDS = 3, 0.1  # 빨라서 흔들리는 두 경우를 한 차례에 재는 횟수, 자람을 볼 때의 일
TOOLS = ("jupyter-book<2", "sphinx-gallery", "joblib")  # joblib은 갤러리를 나란히 돌린다
COLD, BAR = "처음", "=" * 40
WORK = """import base64, io, time
import torch
from IPython.display import HTML
from matplotlib.figure import Figure
from mgk_docs_src.part_{number} import SIDE
torch.set_num_threads(1)
until = time.process_time() + {seconds}
while time.process_time() < until:
    torch.eye(128) @ torch.eye(128)
print("결과", {number}, "값", SIDE * {factor}, "끝")
"""
FIGURE = """figure, picture = Figure(), io.BytesIO()
figure.subplots().plot(range(10), [SIDE * x for x in range(10)])
figure.savefig(picture, format="png")
HTML(f'<img alt="직선" src="data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}">')
"""
MKDOCS = "site_name: 예시\ntheme: {name: material, font: false}\n"
PLUGINS = "plugins: [search, mkdocs-jupyter: {include: [%s], execute: %s, allow_errors: false}%s]\n"
OURS = {
    "mkdocs.yml": f"{MKDOCS}strict: true\nnav: [index.md]\nvalidation: {{nav: {{omitted_files: ignore}}}}\n"
    + PLUGINS % ("made/labs/*.ipynb", "false", ", mgk_book"),
    "CITATION.cff": "title: 예시\nabstract: 예시\nversion: 1\nauthors: [{name: 예시}]\n",
    "docs/reference/references.yml": "[]\n",
}
STOCK = MKDOCS + PLUGINS % ("labs/*.py", "true", "")
BOOK = "title: 예시\nexecute: {execute_notebooks: cache, timeout: 600}\nonly_build_toc_files: true\n"
GALLERY = """extensions, root_doc = ["myst_parser", "sphinx_gallery.gen_gallery"], "contents"
sphinx_gallery_conf = dict(examples_dirs="../gallery", gallery_dirs="labs", filename_pattern="lab_", parallel={})
"""
Runs = list[tuple[float, bool]]  # 잰 것마다 (초, 새 결과를 보였나)


class Engine(NamedTuple):
    """비교할 도구 하나: 이름, 노트북의 위치와 형식, 설정 파일들, 명령들, 페이지가 놓이는 자리."""

    name: str
    notebooks: str
    files: dict[str, str]
    commands: list[list[str]]
    site: str = "site/{}/index.html"


class Edit(NamedTuple):
    """글 한 쪽, 노트북 0의 글과 코드, 그 모듈의 지금 모습. 고치는 일은 이 값을 바꾸는 일이다."""

    page: str = "쪽의 글"
    prose: str = "노트북의 글"
    factor: int = 1
    side: int = 3

    def result(self, number: int) -> str:
        """그 노트북이 보여야 할 결과."""
        return f"결과 {number} 값 {3 if number else self.side * self.factor} 끝"


SCENARIOS = {
    COLD: lambda turn: {},
    "바뀐 것 없음": lambda turn: {},
    "글 한 쪽을 고침": lambda turn: {"page": f"고친 쪽 {turn}"},
    "노트북 하나의 글을 고침": lambda turn: {"prose": f"고친 글 {turn}"},
    "노트북 하나의 코드를 고침": lambda turn: {"factor": 10 + turn},
    "들여온 모듈을 고침": lambda turn: {"side": 70 + turn},
}


def engines(peers: Path) -> list[Engine]:
    """모든 도구. `peers`는 Jupyter Book과 sphinx-gallery가 있는 python."""
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    kernels = [sys.executable, "-c", "from benchmarks.labs import fill; fill()"]
    book = [str(peers.with_name("jupyter-book")), "build", "-q", "docs"]
    sphinx = [str(peers), "-m", "sphinx", "-q", "-b", "html", "docs", "site"]
    percent, notebook, gallery = "docs/labs/lab_{}.py", "docs/labs/lab_{}.ipynb", "gallery/lab_{}.py"
    contents = f"차례\n{BAR}\n\n.. toctree::\n   :glob:\n\n   index\n   page_*\n   labs/index\n"
    index = {"docs/contents.rst": contents, "gallery/README.rst": f"실습\n{BAR}\n"}
    one, many = ({**index, "docs/conf.py": GALLERY.format(n)} for n in (1, os.cpu_count()))
    return [
        Engine("이 책", percent, OURS, [mkdocs]),
        Engine("nbclient를 나란히", percent, OURS, [kernels, mkdocs]),
        Engine("mkdocs-jupyter", percent, {"mkdocs.yml": STOCK}, [mkdocs]),
        Engine("Jupyter Book 1", notebook, {"docs/_config.yml": BOOK}, [book], "docs/_build/html/{}.html"),
        Engine("sphinx-gallery", gallery, one, [sphinx], "site/{}.html"),
        Engine("sphinx-gallery를 나란히", gallery, many, [sphinx], "site/{}.html"),
        Engine("노트북만 뺀 이 책", "", OURS, [mkdocs]),
        Engine("MkDocs만", "", {"mkdocs.yml": MKDOCS}, [mkdocs]),
    ]


def lab(form: str, number: int, seconds: float, edit: Edit) -> str:
    """노트북 하나의 글. 도구마다 형식만 다르고 글과 코드는 같다."""
    title, work = f"실습 {number}: 한글 제목", WORK.format(number=number, seconds=seconds, factor=edit.factor)
    if form.startswith("gallery"):
        return f'"""\n{title}\n{BAR}\n\n{edit.prose}\n"""\n\n{work}\n# %%\n# 그림\n# {BAR}\n\n{FIGURE}'
    text = f"# %% [markdown]\n# # {title}\n#\n# {edit.prose}\n\n# %%\n{work}\n"
    text += f"# %% [markdown]\n# ## 그림\n\n# %%\n{FIGURE}"
    if form.endswith(".py"):
        return text
    notebook = jupytext.reads(text, "py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for place, cell in enumerate(notebook.cells):
        cell.id = f"cell-{place}"  # 같은 글이면 같은 바이트
    return jupytext.writes(notebook, "ipynb")


def corpus(engine: Engine, count: int, seconds: float, edit: Edit) -> dict[str, str]:
    """모든 파일. 노트북마다 두 단계로 들여오는 모듈이 따로 있고, 고치는 것은 둘째 쪽과 노트북 0이다."""
    filler = "\n\n".join(f"## 소제목 {part}\n\n{'손실과 기울기를 말하는 글이다. ' * 20}" for part in range(5))
    chapters = [*PAGES[1:], *(f"labs/lab_{number}" for number in range(count))]
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": chapter} for chapter in chapters]}
    files = {**engine.files, "docs/_toc.yml": json.dumps(toc), "mgk_docs_src/__init__.py": ""}  # JSON도 YAML이다
    for name in PAGES:
        files[f"docs/{name}.md"] = f"# 쪽 {name}\n\n{(edit if name == PAGES[1] else Edit()).page}\n\n{filler}\n"
    for number, shown in enumerate([edit, *[Edit()] * count][:count]):
        files[engine.notebooks.format(number)] = lab(engine.notebooks, number, seconds, shown)
        files[f"mgk_docs_src/part_{number}.py"] = f"from mgk_docs_src.deep_{number} import SIDE\n"
        files[f"mgk_docs_src/deep_{number}.py"] = f"SIDE = {shown.side}\n"
    return files


def write(root: Path, files: dict[str, str]) -> None:
    """달라진 파일만 쓴다."""
    for path, text in ((root / name, text) for name, text in files.items()):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def build(engine: Engine, root: Path) -> float:
    """한 번 만드는 초."""
    environment = {**os.environ, "PYTHONPATH": str(root), "NO_MKDOCS_2_WARNING": "1"}
    start = time.perf_counter()
    for command in engine.commands:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{engine.name}: {' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return time.perf_counter() - start


def fill() -> None:
    """지금 폴더의 노트북 가운데 캐시에 없는 것을, 갈라 쓰는 프로세스 대신 nbclient로 나란히 돌린다."""
    sources = [(f"labs/{path.stem}", path) for path in Path("docs/labs").glob("*.py")]
    missing = [found for found in execution.find(sources, Path.cwd(), "cpu") if execution.read(found.outputs) is None]

    def run(found: execution.Lab) -> None:
        done = nbclient.NotebookClient(found.notebook, timeout=600, kernel_name="python3").execute()
        outputs = [cell.outputs for cell in done.cells if cell.cell_type == "code"]
        written = json.dumps({"seconds": 0.0, "outputs": outputs}, ensure_ascii=False)
        write(found.outputs.parent, {found.outputs.name: written})

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # 일은 커널이 한다
        list(pool.map(run, missing))


def is_fresh(engine: Engine, root: Path, count: int, edit: Edit) -> bool:
    """만들어진 페이지가 지금의 결과를 보이나. 글이 낡았거나 결과나 그림이 없으면 잴 것이 못 되므로 멈춘다."""
    names = [PAGES[1], *(f"labs/lab_{number}" for number in range(count))]
    page, *labs = ((root / engine.site.format(name)).read_text("utf-8") for name in names)
    shown = [set(re.findall(r"결과 \d+ 값 \d+ 끝", html)) for html in labs]
    found = [edit.page in page, *(edit.prose in html for html in labs[:1]), *('alt="직선"' in html for html in labs)]
    if not all([*found, *shown]):
        raise RuntimeError(f"{engine.name}: 페이지에 글이나 결과나 그림이 없다")
    return shown == [{edit.result(number)} for number in range(count)]


def cached(root: Path) -> dict[tuple[str, int], int]:
    """캐시 파일마다 (이름, 쓴 때)와 노트북의 번호."""
    files = (root / ".cache" / "labs").rglob("*.json")
    return {(p.name, p.stat().st_mtime_ns): int(re.search(r"결과 (\d+) 값", p.read_text("utf-8"))[1]) for p in files}


def measure(engine: Engine, count: int, seconds: float, scenarios: list[str]) -> dict[str, Runs]:
    """빈 폴더에서 시작해 경우마다 (초, 새 결과인가)를 잰다."""
    spent: dict[str, Runs] = {}
    count = count if engine.notebooks else 0
    with tempfile.TemporaryDirectory(prefix="labs-") as folder:
        root, edit = Path(folder), Edit()
        for name in scenarios:
            touched = SCENARIOS[name](0).keys()
            if touched - {"page"} and not count:
                continue
            expected = set(range(count if name == COLD else 1 if touched & {"factor", "side"} else 0))
            for turn in range(1 if name == COLD or touched - {"page"} else REPEATS):
                edit, before = edit._replace(**SCENARIOS[name](turn)), cached(root)
                write(root, corpus(engine, count, seconds, edit))
                spent.setdefault(name, []).append((build(engine, root), is_fresh(engine, root, count, edit)))
                ran = {number for entry, number in cached(root).items() if entry not in before}
                if engine.files is OURS and ran != expected:
                    raise RuntimeError(f"{engine.name}, {name}: 노트북 {sorted(ran)}이 돌았다")
            print(f"  {engine.name}, {count}개, {name}: {summary(spent[name])}", flush=True)
    return spent


def summary(runs: Runs) -> str:
    """표의 칸 하나: 초의 중앙값, 옛 결과를 보였으면 그렇다고."""
    stale = "" if all(fresh for _, fresh in runs) else ", **낡음**"
    return f"{median(wall for wall, _ in runs):.1f}{stale}" if runs else "–"


def fit(counts: list[int], walls: list[float]) -> str:
    """노트북 수에 대한 시간의 직선."""
    slope, intercept = linear_regression(counts, walls)
    return f"{intercept:.2f} s + {slope:.3f} s × 노트북 수, R² = {correlation(counts, walls) ** 2:.4f}"


def install(python: Path) -> None:
    """비교할 도구들의 가상 환경을 만든다."""
    print(f"Jupyter Book 1과 sphinx-gallery를 {PEERS}에 설치한다 (처음 한 번, 몇 분)", flush=True)
    shared = r"(?m)^(?:torch|numpy|matplotlib|ipykernel|ipython|nbclient)==.*"  # 두 환경에서 버전이 같아야 하는 패키지
    pins = re.findall(shared, (ROOT / "constraints.txt").read_text("utf-8"))
    subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", *TOOLS, *pins], check=True)


def versions(python: Path | str, *names: str) -> str:
    """다른 python에 설치된 버전들."""
    code = f"from importlib.metadata import version\nprint(', '.join(f'{{n}} {{version(n)}}' for n in {names}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def compare(tools: list[Engine], counts: list[int], seconds: float, rounds: int) -> str:
    """경우마다 한 줄, 도구마다 한 칸인 표."""
    spent: dict[tuple[str, int, str], Runs] = {}
    for turn in range(rounds):
        for count in counts:
            print(f"{turn + 1}/{rounds}째, 노트북 {count}개", flush=True)
            for engine in tools[turn % len(tools) :] + tools[: turn % len(tools)]:  # 차례가 이롭지 않게
                for name, runs in measure(engine, count, seconds, list(SCENARIOS)).items():
                    spent.setdefault((engine.name, count, name), []).extend(runs)
    lines = [f"| 노트북 | 경우 (초) | {' | '.join(e.name for e in tools)} |", f"| ---: | --- |{' ---: |' * len(tools)}"]
    for count in counts:
        for name in SCENARIOS:
            cells = [summary(spent.get((engine.name, count, name), [])) for engine in tools]
            lines.append(f"| {count} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def grow(engine: Engine, counts: list[int], rounds: int) -> str:
    """처음 만드는 시간이 노트북 수를 따라 어떻게 자라는지의 표와 직선."""
    colds = [[measure(engine, count, GROWTH_SECONDS, [COLD])[COLD][0][0] for count in counts] for _ in range(rounds)]
    walls = [median(column) for column in zip(*colds, strict=True)]
    lines = ["| 노트북 | 처음 (초) | 노트북 하나에 (초) |", "| ---: | ---: | ---: |"]
    lines += [f"| {n} | {wall:.1f} | {wall / n:.2f} |" for n, wall in zip(counts, walls, strict=True)]
    return "\n".join([*lines, "", f"{engine.name}, 노트북마다 {GROWTH_SECONDS} s의 일. 직선: {fit(counts, walls)}."])


def main(arguments: list[str]) -> None:
    """재고, 표를 쓰고, 찍는다."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--notebooks", type=int, nargs="+", default=[6, 24], help="비교할 때의 노트북 수들")
    parser.add_argument("--seconds", type=float, default=1.0, help="노트북 하나의 일")
    parser.add_argument("--growth", type=int, nargs="*", default=[6, 12, 24, 48, 96], help="자람을 볼 노트북 수들")
    parser.add_argument("--rounds", type=int, default=3, help="처음부터 다시 재는 횟수")
    parser.add_argument("--peers", type=Path, help="Jupyter Book 1과 sphinx-gallery가 있는 python")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results" / "labs.md", help="쓸 파일")
    parser.add_argument("--only", nargs="+", help="잴 도구의 이름들")
    chosen = parser.parse_args(arguments)
    python = (chosen.peers or PEERS / "bin" / "python").absolute()
    tools = [engine for engine in engines(python) if not chosen.only or engine.name in chosen.only]
    theirs = any(engine.commands[0][0].startswith(str(python.parent)) for engine in tools)
    if theirs and not chosen.peers and not python.with_name("jupyter-book").exists():
        install(python)
    for one in {sys.executable, *([str(python)] if theirs else [])}:  # 디스크를 읽는 시간은 재지 않는다
        subprocess.run([one, "-c", "import torch, matplotlib.pyplot, IPython"], check=True)
    parts = [compare(tools, chosen.notebooks, chosen.seconds, chosen.rounds)]
    parts += [grow(tools[0], chosen.growth, chosen.rounds)] if len(chosen.growth) > 1 else []
    installed = versions(sys.executable, "mkdocs", "mkdocs-material", "mkdocs-jupyter", "nbclient", "torch")
    installed += "; " + versions(python, "jupyter-book", "sphinx-gallery") if theirs else ""
    note = f"코어 {os.cpu_count()}개, 글 {len(PAGES)}쪽, 노트북마다 {chosen.seconds:g} s의 일과 그림 하나, "
    note += f"{chosen.rounds}번의 중앙값. ‘낡음’은 고치기 전의 결과를 보인 것. "
    note += f"Python {sys.version.split()[0]}, {installed}, {datetime.date.today()}."
    chosen.results.write_text("\n\n".join([*parts, f"{note}\n"]), "utf-8")
    print(chosen.results.read_text("utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
