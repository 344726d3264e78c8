"""돌린 실습으로, 사이트의 페이지가 될 노트북과 내려받을 노트북을 만든다.

페이지가 될 것(`.cache/made/labs/`)에는 코드 칸만 남긴다. 글 칸은 사이트의 마크다운으로 그려야 한글 제목의 id, 목차,
링크, 수식, 알림이 다른 페이지와 같다.
"""

import os
import re
from pathlib import Path
from typing import Any

import nbformat

from mgk_book.book import MADE
from mgk_book.prepare.numbers import MIME
from mgk_book.prepare.portable import portable
from mgk_book.proofs import ledger
from mgk_book.running.execution import Lab, executed

HEADING_ID = re.compile(r" *\{ *#[\w-]+ *\}$", re.MULTILINE)


def make(labs: list[Lab], root: Path, shelf: Any, repository: str | None) -> None:
    """실습마다 노트북 둘. 아직 돌지 않은 것에는 출력이 없다."""
    pages = {root / MADE / f"{lab.name}.ipynb": lab for lab in labs}
    for stray in set((root / MADE / "labs").glob("*.ipynb")) - set(pages):  # 책에서 사라진 실습
        stray.unlink()
    for path, lab in pages.items():
        notebook = executed(lab)
        write(display(notebook), path)
        taken = portable(without_ids(notebook), repository)
        shelf.put(f"{lab.name}/{path.name}", nbformat.writes(taken).encode())


def expected(root: Path, device: str) -> dict[str, float]:
    """실습마다 지난번에 걸린 시간(초). 실행 기록에서 읽는다."""
    return {name: row.seconds for name, row in ledger.read(root, device).rows.items() if name.startswith("labs/")}


def display(notebook: Any) -> Any:
    """mkdocs-jupyter에 넘길 것: 코드 칸의 출력만. 글과 코드는 다른 페이지와 같은 형태로 그린다(mgk_book/labpage.py)."""
    shown = nbformat.from_dict(notebook)
    shown.cells = [cell for cell in shown.cells if cell.cell_type == "code"]
    for cell in shown.cells:
        cell.source = "#"  # 비우면 칸이 빠진다
        cell.outputs = [output for output in cell.outputs if MIME not in output.get("data", {})]
    return shown


def without_ids(notebook: Any) -> Any:
    """제목의 `{ #id }`는 이 사이트의 것이라, 내려받는 노트북에서는 글자로 보인다."""
    taken = nbformat.from_dict(notebook)
    for cell in taken.cells:
        if cell.cell_type == "markdown":
            cell.source = HEADING_ID.sub("", cell.source)
    return taken


def write(notebook: Any, path: Path) -> str:
    """바뀌었을 때만 쓴다. 그래야 mkdocs-jupyter의 캐시가 맞는다."""
    text = nbformat.writes(notebook)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text("utf-8") != text:
        partial = path.with_suffix(f".{os.getpid()}.partial")  # 함께 도는 다른 빌드가 반쪽을 읽지 않게
        partial.write_text(text, "utf-8")
        partial.replace(path)
    return str(path)
