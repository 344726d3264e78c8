"""benchmarks/labs.py: 재는 도구가 옳게 잰다. 얼마나 빠른지는 시험하지 않는다."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scipy.stats import linregress

from benchmarks import labs
from benchmarks.labs import COLD, PAGES, SCENARIOS, Edit, Engine

ENGINES = {engine.name: engine for engine in labs.engines(Path("/peers/bin/python"))}
OURS, JUPYTER_BOOK, BARE = ENGINES["이 책"], ENGINES["Jupyter Book 1"], ENGINES["MkDocs만"]
GALLERY = ENGINES["sphinx-gallery"]


def notebooks(engine: Engine, count: int) -> list[str]:
    prefix, suffix = engine.notebooks.split("{}")
    return [name for name in labs.corpus(engine, count, 0, Edit()) if name.startswith(prefix) and name.endswith(suffix)]


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_gets_the_same_pages_and_as_many_notebooks(name: str) -> None:
    count = 3 if ENGINES[name].notebooks else 0
    files = labs.corpus(ENGINES[name], count, 0, Edit())
    assert sum(path.endswith(".md") for path in files) == len(PAGES) == 12
    assert not count or len(notebooks(ENGINES[name], count)) == count


def test_every_form_holds_the_same_code() -> None:
    edit = Edit(prose="고친 글", factor=12)
    percent, book, gallery = (labs.lab(engine.notebooks, 4, 0.5, edit) for engine in (OURS, JUPYTER_BOOK, GALLERY))
    cells = json.loads(book)["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) == 2
    for source in code:
        assert source in percent
        assert source in gallery
    assert "SIDE * 12" in code[0]
    assert all("고친 글" in text and "한글 제목" in text for text in (percent, book, gallery))
    assert labs.lab(JUPYTER_BOOK.notebooks, 4, 0.5, edit) == book


def test_only_what_was_edited_is_written(tmp_path: Path) -> None:
    labs.write(tmp_path, labs.corpus(JUPYTER_BOOK, 2, 0, Edit()))
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    labs.write(tmp_path, labs.corpus(JUPYTER_BOOK, 2, 0, Edit(page="고친 쪽", prose="고친 글", side=70)))
    changed = {str(path.relative_to(tmp_path)) for path, at in written.items() if path.stat().st_mtime_ns != at}
    assert changed == {"docs/page_01.md", "docs/labs/lab_0.ipynb", "mgk_docs_src/deep_0.py"}


def test_a_notebook_reads_its_side_two_imports_away(tmp_path: Path) -> None:
    files = labs.corpus(OURS, 2, 0, Edit(side=70))
    labs.write(tmp_path, files)
    assert "from mgk_docs_src.part_0 import SIDE" in files["docs/labs/lab_0.py"]
    assert files["mgk_docs_src/part_0.py"] == "from mgk_docs_src.deep_0 import SIDE\n"
    code = "from mgk_docs_src import part_0, part_1; print(part_0.SIDE, part_1.SIDE)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["70", "3"]


def show(root: Path, page: str, *outputs: str) -> None:
    pages = {PAGES[1]: page} | {f"labs/lab_{n}": f'노트북의 글 <img alt="직선"> {out}' for n, out in enumerate(outputs)}
    labs.write(root, {OURS.site.format(name): text for name, text in pages.items()})


def test_a_stale_result_is_told_from_a_new_one(tmp_path: Path) -> None:
    new, other = Edit(side=70), Edit()
    show(tmp_path, new.page, new.result(0), new.result(1))
    assert labs.is_fresh(OURS, tmp_path, 2, new)
    assert new.result(1) == other.result(1)
    show(tmp_path, new.page, other.result(0), new.result(1))
    assert not labs.is_fresh(OURS, tmp_path, 2, new)
    show(tmp_path, new.page, new.result(0) + other.result(0), new.result(1))
    assert not labs.is_fresh(OURS, tmp_path, 2, new)


@pytest.mark.parametrize(("page", "output"), [("낡은 쪽", Edit().result(0)), (Edit().page, "결과 없음")])
def test_a_page_without_its_prose_or_result_stops_the_measuring(tmp_path: Path, page: str, output: str) -> None:
    show(tmp_path, page, output)
    with pytest.raises(RuntimeError, match="이 책"):
        labs.is_fresh(OURS, tmp_path, 1, Edit())


def test_cells_and_the_line() -> None:
    assert labs.summary([]) == "–"
    assert labs.summary([(1.0, True), (3.0, True), (2.04, True)]) == "2.0"
    assert labs.summary([(1.0, True), (1.2, False)]) == "1.1, **낡음**"
    counts = [6, 12, 24, 48, 96]
    assert labs.fit(counts, [3.5 + 0.25 * n for n in counts]) == "3.50 s + 0.250 s × 노트북 수, R² = 1.0000"
    walls = [2.0, 4.0, 5.0, 17.0, 21.0]
    line = linregress(counts, walls)
    expected = f"{line.intercept:.2f} s + {line.slope:.3f} s × 노트북 수, R² = {line.rvalue**2:.4f}"
    assert labs.fit(counts, walls) == expected


def test_a_failing_build_says_which_and_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)망가짐.*왜냐하면"):
        labs.build(Engine("망가짐", "", {}, [[sys.executable, "-c", "raise SystemExit('왜냐하면')"]]), tmp_path)


def test_the_book_is_measured_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labs, "SCENARIOS", {COLD: SCENARIOS[COLD]})
    results = tmp_path / "labs.md"
    sizes = ["--notebooks", "2", "--seconds", "0", "--rounds", "1", "--growth"]
    labs.main([*sizes, "--results", str(results), "--only", OURS.name])
    head, _, cold, blank, note, *_ = results.read_text("utf-8").splitlines()
    assert head == "| 노트북 | 경우 (초) | 이 책 |"
    assert cold.startswith(f"| 2 | {COLD} | ")
    assert "낡음" not in cold
    assert blank == ""
    assert "mkdocs-jupyter 0." in note
    assert "jupyter-book" not in note
