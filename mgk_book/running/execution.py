"""실습 노트북을 한 번만, 나란히, 낡지 않게 돌린다.

`python -m mgk_book.running.execution`은 사이트를 만들지 않고 돌리기만 한다.
`docs/labs/*.py`(jupytext percent)의 코드 칸들이 캐시에 없으면 돌린다. 열쇠는 코드 칸의 글, 그것이 들여오는
`mgk_docs_src` 모듈 전부의 소스, 파이썬과 거기서 닿는 패키지의 판, 장치(`MGK_DEVICE`)다.
글만 고치면 아무것도 돌지 않는다.
"""

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
import nbformat
from filelock import FileLock
from grimp import ImportGraph

from mgk_book.book import CACHE, DOCS, BookError
from mgk_book.proofs import closure
from mgk_book.running.runner import Job

log = logging.getLogger("mkdocs.mgk_book.running")
HERE = Path(__file__).parents[2]  # 이 파일 곁의 실행기를 부른다


class Lab(NamedTuple):
    """노트북 하나: 이름, 칸들, 코드 칸의 출력을 두는 파일."""

    name: str
    notebook: Any
    outputs: Path

    @property
    def code(self) -> list[str]:
        return [cell.source for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def prose(self) -> list[str]:
        return [cell.source for cell in self.notebook.cells if cell.cell_type == "markdown"]


class Run(NamedTuple):
    """노트북을 한 번 돌린 것: 걸린 시간(초)과 코드 칸마다의 출력."""

    seconds: float
    outputs: list[Any]


def key(code: list[str], graph: ImportGraph, root: Path, device: str) -> str:
    """코드 칸과 그것이 기대는 모든 것의 해시. 칸은 ipython이 돌린다."""
    modules = [closure.key(module, graph, root) for module in sorted(closure.imports(code, graph))]
    versions = closure.versions(closure.PACKAGE, "ipython")
    return hashlib.sha256(json.dumps([code, modules, versions, device]).encode()).hexdigest()


def find(sources: list[tuple[str, Path]], root: Path, device: str) -> list[Lab]:
    """노트북을 읽고 저마다의 열쇠를 구한다."""
    graph = closure.import_graph(root)
    labs = []
    for name, path in sources:
        lab = load(name, path)
        labs.append(lab._replace(outputs=root / CACHE / "labs" / f"{key(lab.code, graph, root, device)}.json"))
    return labs


def load(name: str, path: Path) -> Lab:
    """노트북을 읽기만 한다. 출력의 자리는 없다. 고치지 않은 파일은 다시 읽지 않는다."""
    return _load(name, path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _load(name: str, path: Path, _: int) -> Lab:
    notebook = jupytext.read(path)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # jupytext는 읽을 때마다 새 이름을 짓는다. 같은 글이면 같은 바이트여야 한다
    return Lab(name, notebook, Path())


def of_page(page: str, root: Path) -> Lab:
    """페이지 `labs/gan.ipynb`의 실습."""
    name = page.removesuffix(".ipynb")
    return load(name, root / DOCS / f"{name}.py")


def tagged(cell: Any, tag: str) -> bool:
    """칸에 표지가 있는가."""
    return tag in cell.metadata.get("tags", [])


def read(outputs: Path) -> Run | None:
    """캐시에 있는 실행. 없거나 잘린 파일이면 None."""
    try:
        run = json.loads(outputs.read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return Run(run["seconds"], [nbformat.from_dict(cell) for cell in run["outputs"]])


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """캐시 폴더 하나를 혼자 쓴다. 두 빌드가 함께 와도 한 번만 돌고, 실패하거나 죽은 작업자가 쓰다 만 것은 치운다."""
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "lock"):
        _sweep(cache)
        try:
            yield
        finally:
            _sweep(cache)


def _sweep(cache: Path) -> None:
    for stray in cache.glob("*.partial"):
        shutil.rmtree(stray) if stray.is_dir() else stray.unlink()


def execute(labs: list[Lab], root: Path, device: str) -> None:
    """캐시에 없는 것을 모두 돌린다. 하나라도 실패하면 빌드를 멈추고, 실패한 것은 아무것도 남기지 않는다."""
    with locked(root / CACHE / "labs"):
        missing = [lab for lab in labs if read(lab.outputs) is None]
        run(
            [{"name": lab.name, "cells": lab.code, "out": str(lab.outputs)} for lab in missing], root, MGK_DEVICE=device
        )


def run(jobs: Sequence[Job], root: Path, **environment: str) -> None:
    """일감을 모두 돌린다(mgk_book/running/runner.py).

    Raises:
        BookError: 하나라도 실패하면. 나머지는 끝까지 돈다.
    """
    if not jobs:
        return
    log.info(f"{len(jobs)}개를 돌린다")
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    # 읽는 사람의 로캘이 무엇이든 칸과 그림은 UTF-8로 읽고 쓴다.
    environment = os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1"} | environment
    command = [sys.executable, "-m", "mgk_book.running.runner"]
    failures, finished = [], 0
    with subprocess.Popen(
        command, cwd=root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as runner:
        assert runner.stdin is not None
        assert runner.stdout is not None
        with runner.stdin:
            json.dump(jobs, runner.stdin)
        for line in runner.stdout:
            done = json.loads(line)
            finished += 1
            log.info(f"{'✗' if done['error'] else '✓'} {done['name']} {done['seconds']:.1f} s ({finished}/{len(jobs)})")
            failures += [f"{done['name']}: {done['error']}"] if done["error"] else []
    if failures or runner.returncode or finished < len(jobs):
        raise BookError("\n\n".join(failures) or f"일감을 돌리던 프로세스가 {runner.returncode}로 끝났다")


def executed(lab: Lab) -> Any:
    """출력을 채운 노트북."""
    run = read(lab.outputs)
    outputs = iter(run.outputs if run else [])
    notebook = nbformat.from_dict(lab.notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):
        cell.outputs, cell.execution_count = next(outputs), count
    return notebook


def sources(root: Path) -> list[tuple[str, Path]]:
    """책의 모든 실습: 이름과 소스."""
    return [(f"labs/{path.stem}", path) for path in sorted((root / DOCS / "labs").glob("*.py"))]


def device() -> str:
    """어느 장치에서 돌리나: 환경 변수 `MGK_DEVICE`."""
    return os.environ.get("MGK_DEVICE", "cpu")


def main(root: Path) -> None:
    """모든 실습을 돌린다."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    execute(find(sources(root), root, device()), root, device())


if __name__ == "__main__":
    main(Path.cwd())
