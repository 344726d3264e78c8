"""mgk_book/prepare/notebooks.py: 페이지가 위에서 아래로 돌아가는 노트북이 된다."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from mgk_book.book import split
from mgk_book.prepare import notebooks
from mgk_book.prepare.shelf import Shelf
from mgk_book.prepare.totals import results
from mgk_book.serving.agreement import differing, printed_lines
from tests.docs.blocks import output_under
from tests.docs.pages import pages
from tests.mgk_book.prepare.conftest import Write
from tests.mgk_book.prepare.test_pages import lab

ROOT = Path(__file__).parents[3]
PAGE = """
# 장 { #top }

<!-- certificates:photos -->

[다른 장](other.md#use)과 [`bce`의 표](../index.md), [여기](#top), [밖](https://x.example/a), [없는 것](gone.md).
[온도][mgk_docs_src.losses.fit]와 `[그대로](a.md)`, $a[b](c)$, $$
z[1](2)
$$

![그림의 설명](figures/line.svg){ .inline }

```sh
# 주석 { #그대로 }
```

<!-- results:table -->

<!-- results:gone -->

::: mgk_docs_src.losses.bce
    options:
      show_source: true

```python
from mgk_docs_src import one

print(one)
```

```text title="출력"
1

2
```

```python { notest="시간" }
import slow
```

!!! warning "조심"

    안쪽 글

    ```python
    def f():
        return 1
    ```

    뒤의 글

??? success "풀이"

    1. $x$
"""


KNOWN = ("index.md", "part/page.md", "part/other.md", "part/figures/line.svg")


def place(site_url: str, *, title: str = "장", source: str = "part/page.md", **results: str) -> notebooks.Place:
    return notebooks.Place(title, source, site_url, KNOWN, results)


def words(cells: list) -> str:
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_examples_become_code_cells_and_their_outputs_stay() -> None:
    code = [cell for cell in notebooks.cells(PAGE, place("")) if cell.cell_type == "code"]
    assert [cell.source for cell in code] == [
        "from mgk_docs_src import one\n\nprint(one)",
        "def f():\n    return 1",
    ]
    assert [[output.text for output in cell.outputs] for cell in code] == [["1\n\n2\n"], []]


def test_prose_points_at_the_site_when_its_address_is_known() -> None:
    text = words(notebooks.cells(PAGE, place("https://s.example/b/", table="| 표 |\n| --- |")))
    for part in (
        "이 노트북은 [장](https://s.example/b/part/page/) 페이지를 옮긴 노트북이다.",
        "\n# 장\n",
        "[다른 장](https://s.example/b/part/other/#use)과 [`bce`의 표](https://s.example/b/), ",
        "[여기](https://s.example/b/part/page/#top), [밖](https://x.example/a), 없는 것.",
        "온도(`mgk_docs_src.losses.fit`)와 `[그대로](a.md)`, $a[b](c)$, $$\nz[1](2)\n$$",
        "![그림의 설명](https://s.example/b/part/figures/line.svg)\n",
        "# 주석 { #그대로 }",
        "| 표 |\n| --- |",
        "- [`mgk_docs_src.losses.bce`](https://s.example/b/part/page/#mgk_docs_src.losses.bce)",
        "import slow",
        "**조심**\n\n안쪽 글",
        "\n뒤의 글\n",
        "<details><summary>풀이</summary>\n\n1. $x$\n\n</details>",
    ):
        assert part in text, part
    for gone in ("certificates:", "--8<--", ":::", "show_source", ".inline", "results:", "???", "!!!"):
        assert gone not in text, gone


def test_without_an_address_only_the_words_are_left() -> None:
    text = words(notebooks.cells(PAGE, place("")))
    assert "이 노트북은 ‘장’ 페이지를" in text
    assert "다른 장과 `bce`의 표, 여기, [밖](https://x.example/a), 없는 것." in text
    assert "*그림: 그림의 설명*" in text
    assert "- `mgk_docs_src.losses.bce`" in text


def test_the_first_cell_installs_when_the_repository_is_known() -> None:
    known = notebooks.notebook(PAGE, place(""), "team/book")
    assert known.cells[0].source == '%pip install -q "mgk_docs_src @ git+https://github.com/team/book"'
    nbformat.validate(known)
    unknown = notebooks.notebook(PAGE, place(""), "")
    assert unknown.cells[1].source == notebooks.UNKNOWN
    nbformat.validate(unknown)
    assert nbformat.writes(unknown) == nbformat.writes(notebooks.notebook(PAGE, place(""), ""))
    assert notebooks.notebook("# 글뿐\n", place(""), "") is None


def test_the_english_front_page_becomes_an_english_notebook() -> None:
    english = place("https://s.example/b/", source="en/index.md", title="Title")
    cells = notebooks.notebook("# Title\n\n```python\nprint(1)\n```\n", english, "").cells
    assert [cell.source for cell in cells[:2]] == [notebooks.ENGLISH_HEAD.format("‘Title’"), notebooks.ENGLISH_UNKNOWN]


def test_addresses_are_files_when_the_site_has_no_folders() -> None:
    files = place("https://s.example/b/")._replace(directory_urls=False)
    text = words(notebooks.cells(PAGE, files))
    assert "[다른 장](https://s.example/b/part/other.html#use)과 [`bce`의 표](https://s.example/b/index.html), " in text


def test_the_notebook_lies_beside_its_page(write: Write) -> None:
    pages = {"index.md": PAGE, "part/page.md": PAGE, "part/other.md": "# 글뿐\n"}
    run = lab("labs/a", ("markdown", "# 실습\n\n```python\nprint(1)\n```"), ("code", "1"))
    book = write(pages, nav=[*pages, "labs/a.ipynb"], labs=[run], site_url="https://s.example/b/")
    shelf = Shelf(book.root / "made")
    shelf.put("part/figures/line.svg", "<svg/>")
    notebooks.make(book, shelf)
    assert set(shelf.files()) == {"part/figures/line.svg", "index.ipynb", "part/page.ipynb"}
    made = nbformat.reads(shelf.files()["part/page.ipynb"].read_text("utf-8"), as_version=4)
    text = words(made.cells)
    assert "[다른 장](https://s.example/b/part/other/#use)" in text
    assert "![그림의 설명](https://s.example/b/part/figures/line.svg)" in text  # 만든 그림도 사이트에 있다
    assert "없는 것." in text


def test_the_notebooks_hold_exactly_the_examples_and_outputs_of_the_book() -> None:
    seen = 0
    for page in pages():
        examples = [block for block in page.blocks if block.is_example]
        outputs = [output_under(page.text, block) for block in examples]
        code = [cell for cell in notebooks.cells(split(page.text).body, place("")) if cell.cell_type == "code"]
        assert [cell.source for cell in code] == [block.source.rstrip("\n") for block in examples], page.name
        shown = ["".join(output.text for output in cell.outputs).rstrip("\n") for cell in code]
        assert shown == [block.source.rstrip("\n") if block else "" for block in outputs], page.name
        seen += len(code)
    assert seen > 100


def test_no_markup_of_the_site_is_left_in_the_notebooks_of_the_book() -> None:
    for page in pages():
        for cell in notebooks.cells(split(page.text).body, place("", **results(ROOT))):
            if cell.cell_type == "markdown":
                text = notebooks.FENCED.sub("", cell.source)
                for mark in ("--8<--", "\n:::", "\n!!!", "\n???", "<!--", "{ #", "{ .", ".md)", ".md#", "][mgk", "\0"):
                    assert mark not in f"\n{text}", (page.name, mark)


RUN = """
import json, sys, torch
torch.set_num_threads(1)
from mgk_book.running.runner import run_cells
print(json.dumps(["".join(out.get("text", "") for out in outs) for outs in run_cells(json.load(sys.stdin))]))
"""


@pytest.mark.parametrize("name", ["index.md", "losses/binary.md", "losses/categorical.md"])
def test_a_notebook_really_runs_from_top_to_bottom_in_one_namespace(name: str, tmp_path: Path) -> None:
    source = split((ROOT / "docs" / name).read_text("utf-8"))
    made = nbformat.reads(nbformat.writes(notebooks.notebook(source.body, place(""), "")), as_version=4)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps([cell.source for cell in code]),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for cell, printed in zip(code, json.loads(done.stdout), strict=True):
        assert not differing(printed_lines(cell.outputs[0].text), printed_lines(printed)), cell.source
