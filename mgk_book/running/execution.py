"""실습 노트북을 한 번만, 나란히, 낡지 않게 돌린다.

`python -m mgk_book.running.execution`은 사이트를 만들지 않고 돌리기만 한다.
`docs/labs/*.py`(jupytext percent)의 코드 칸들이 캐시에 없으면 실행한다. 해시 키는 코드 칸의 글, 그 칸이 import하는
`mgk_docs_src` 모듈 전부의 소스, 파이썬과 그 모듈이 쓰는 패키지의 버전, 장치(`MGK_DEVICE`)다.
글만 고치면 아무것도 돌지 않는다.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
import nbformat
from grimp import ImportGraph

from mgk_book.book import CACHE, DOCS
from mgk_book.proofs import closure
from mgk_book.running import jobs
from mgk_book.running.runner import Job


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
    """노트북을 읽고 저마다의 해시 키를 구한다."""
    graph = closure.import_graph(root)
    labs = []
    for name, path in sources:
        lab = load(name, path)
        folder = root / CACHE / name
        labs.append(lab._replace(outputs=folder / f"{key(lab.code, graph, root, device)}.json"))
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


def execute(
    labs: list[Lab], root: Path, device: str, expected: Mapping[str, float] = jobs.UNKNOWN,
    started: jobs.Started | None = None,
) -> None:  # fmt: skip
    """캐시에 없는 것을 모두 돌린다. 하나라도 실패하면 빌드를 멈추고, 실패한 것은 아무것도 남기지 않는다.

    `expected`는 지난번에 걸린 시간(초)이다.
    """
    with ExitStack() as locks:
        for lab in sorted(waiting(labs), key=lambda lab: lab.name):  # 두 빌드가 서로를 기다리지 않게, 늘 한 차례로
            locks.enter_context(jobs.locked(lab.outputs.parent))
        todo = [job(lab) for lab in waiting(labs)]  # 잠금을 기다리는 동안 다른 빌드가 돌렸을 수 있다
        jobs.run(todo, root, expected, started, MGK_DEVICE=device)


def waiting(labs: list[Lab]) -> list[Lab]:
    """아직 돌지 않은 것들."""
    return [lab for lab in labs if read(lab.outputs) is None]


def job(lab: Lab) -> Job:
    """실습 하나의 일감."""
    return {"name": lab.name, "cells": lab.code, "out": str(lab.outputs)}


def executed(lab: Lab) -> Any:
    """출력을 채운 노트북. 아직 돌지 않았으면 출력이 비어 있다."""
    run = read(lab.outputs)
    outputs = iter(run.outputs if run else [[]] * len(lab.code))
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
