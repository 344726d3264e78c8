"""hooks/pages_as_notebooks.py: 페이지가 위에서 아래로 돌아가는 노트북이 된다."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from mkdocs.structure.files import File, Files

from hooks import pages_as_notebooks as hook
from tests.docs.blocks import output_under
from tests.docs.outputs import differing, printed_lines
from tests.docs.pages import pages

ROOT = Path(__file__).parents[2]
PAGE = """---
title: 장
---

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

--8<-- "table.md"

--8<-- "gone.md"

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


def place(site: str | None, *, snippets: Path = ROOT) -> hook.Place:
    config = SimpleNamespace(site_dir="site", use_directory_urls=True, plugins=SimpleNamespace(_current_plugin=None))
    names = ["index.md", "part/page.md", "part/other.md", "part/figures/line.svg"]
    files = Files([File.generated(config, name, content="") for name in names])
    return hook.Place("장", "part/page.md", site, files, (snippets,))


def words(cells: list) -> str:
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_examples_become_code_cells_and_their_outputs_stay(tmp_path: Path) -> None:
    code = [cell for cell in hook.cells(PAGE, place(None, snippets=tmp_path)) if cell.cell_type == "code"]
    assert [cell.source for cell in code] == [
        "from mgk_docs_src import one\n\nprint(one)",
        "def f():\n    return 1",
    ]
    assert [[output.text for output in cell.outputs] for cell in code] == [["1\n\n2\n"], []]


def test_prose_points_at_the_site_when_its_address_is_known(tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text("| 표 |\n| --- |\n", "utf-8")
    text = words(hook.cells(PAGE, place("https://s.example/b/", snippets=tmp_path)))
    for part in (
        "이 노트북은 [장](https://s.example/b/part/page/) 페이지를 옮긴 것이다.",
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
    for gone in ("certificates:", "--8<--", ":::", "show_source", ".inline", "title:", "???", "!!!"):
        assert gone not in text, gone


def test_without_an_address_only_the_words_are_left(tmp_path: Path) -> None:
    text = words(hook.cells(PAGE, place(None, snippets=tmp_path)))
    assert "이 노트북은 ‘장’ 페이지를" in text
    assert "다른 장과 `bce`의 표, 여기, [밖](https://x.example/a), 없는 것." in text
    assert "*그림: 그림의 설명*" in text
    assert "- `mgk_docs_src.losses.bce`" in text


def test_the_first_cell_installs_when_the_repository_is_known() -> None:
    known = hook.notebook(PAGE, place(None), "team/book")
    assert known.cells[0].source == '%pip install -q "mgk_docs_src @ git+https://github.com/team/book"'
    nbformat.validate(known)
    unknown = hook.notebook(PAGE, place(None), None)
    assert unknown.cells[1].source == hook.UNKNOWN
    nbformat.validate(unknown)
    assert nbformat.writes(unknown) == nbformat.writes(hook.notebook(PAGE, place(None), None))
    assert hook.notebook("# 글뿐\n", place(None), None) is None


def test_the_english_front_page_becomes_an_english_notebook() -> None:
    english = place("https://s.example/b/")._replace(source="en/index.md", title="Title")
    cells = hook.notebook("# Title\n\n```python\nprint(1)\n```\n", english, None).cells
    assert [cell.source for cell in cells[:2]] == [hook.ENGLISH_HEAD.format("‘Title’"), hook.ENGLISH_UNKNOWN]


def hooked(source: str, text: str, repository: str = "") -> tuple[str, Files]:
    config = SimpleNamespace(
        config_file_path=str(ROOT / "mkdocs.yml"), site_dir="site", use_directory_urls=True, site_url=None,
        extra={"repository": repository}, mdx_configs={}, plugins=SimpleNamespace(_current_plugin=None),
    )  # fmt: skip
    file = File.generated(config, source, content=text)
    files = Files([file])
    page = SimpleNamespace(file=file, title="장")
    return hook.on_page_content("<p>본문</p>", page=page, config=config, files=files), files


def test_the_notebook_lies_beside_its_page() -> None:
    content, files = hooked("part/page.md", PAGE)
    assert content.startswith("<p>본문</p>\n")
    assert '<a href="page.ipynb" download>' in content
    assert "colab" not in content
    assert nbformat.reads(files.get_file_from_path("part/page/page.ipynb").content_string, as_version=4)
    assert hooked("index.md", PAGE)[1].get_file_from_path("index.ipynb")
    address = "https://colab.research.google.com/github/team/book/blob/notebooks/part/page.ipynb"
    assert f'<a href="{address}">Colab에서 열기</a>' in hooked("part/page.md", PAGE, "team/book")[0]


@pytest.mark.parametrize(("source", "text"), [("part/page.md", "# 글뿐\n"), ("labs/gan.ipynb", "{}")])
def test_pages_without_examples_and_labs_get_none(source: str, text: str) -> None:
    content, files = hooked(source, text)
    assert content == "<p>본문</p>"
    assert len(files) == 1


def test_the_notebooks_hold_exactly_the_examples_and_outputs_of_the_book() -> None:
    seen = 0
    for page in pages():
        examples = [block for block in page.blocks if block.is_example]
        outputs = [output_under(page.text, block) for block in examples]
        code = [cell for cell in hook.cells(page.text, place(None)) if cell.cell_type == "code"]
        assert [cell.source for cell in code] == [block.source.rstrip("\n") for block in examples], page.name
        shown = ["".join(output.text for output in cell.outputs).rstrip("\n") for cell in code]
        assert shown == [block.source.rstrip("\n") if block else "" for block in outputs], page.name
        seen += len(code)
    assert seen > 100


def test_no_markup_of_the_site_is_left_in_the_notebooks_of_the_book() -> None:
    for page in pages():
        snippets = (ROOT / "benchmarks" / "results",)
        for cell in hook.cells(page.text, place(None)._replace(snippets=snippets)):
            if cell.cell_type == "markdown":
                text = hook.FENCED.sub("", cell.source)
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
    source = (ROOT / "docs" / name).read_text("utf-8")
    made = nbformat.reads(nbformat.writes(hook.notebook(source, place(None), None)), as_version=4)
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
