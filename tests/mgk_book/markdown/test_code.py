"""mgk_book/markdown/code.py: 코드는 검색에 들지 않고, 출력의 한글은 두 칸이고, 색이 없는 틀은 없다."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from mgk_book.markdown.code import Plain, cells
from tests.mgk_book.markdown.drawing import draw, markdown

PAGE = """<div>그대로</div>

글

```python
x = "한글"
```

```text title="출력"
가능도  <0.5>
NLL     0.1
```

```
값  1
```

```python { notest="시간" }
y
```
"""


@pytest.fixture
def drawn(book: Path) -> BeautifulSoup:
    return draw(PAGE, book)


def test_code_stays_out_of_the_search_index(drawn: BeautifulSoup) -> None:
    blocks = drawn.select("div.highlight")
    assert len(blocks) == 4
    assert all(block["data-search-exclude"] == "true" for block in blocks)


def test_hangul_of_an_output_is_two_cells_wide(drawn: BeautifulSoup) -> None:
    code, output, unnamed, _ = drawn.select("div.highlight")
    assert not code.select(".wide")
    (wide,) = output.select(".wide")
    assert (wide.get_text(), wide["style"]) == ("가능도", "width:6ch")
    assert output.code.get_text() == "가능도  <0.5>\nNLL     0.1\n"
    assert output.select_one(".filename").get_text() == "출력"
    assert unnamed.select_one(".wide").get_text() == "값"


def test_a_drawn_fence_knows_what_it_is(book: Path) -> None:
    made = markdown(book, None)
    made.convert(PAGE)
    fences = [block for block in made.htmlStash.rawHtmlBlocks if hasattr(block, "source")]
    assert [(each.source, each.is_example, each.is_output) for each in fences] == [
        ('x = "한글"', True, False),
        ("가능도  <0.5>\nNLL     0.1", False, True),
        ("값  1", False, False),
        ("y", False, False),
    ]


def test_an_output_on_an_english_page_says_so(book: Path) -> None:
    assert draw(f"# Title\n\n{PAGE}", book, "en/index.md").select_one(".filename").get_text() == "Output"


def test_what_has_no_colour_has_no_box() -> None:
    source = "def f(x: int):\n    return x + 1.5, f'{x}'  # 글\n"
    html = highlight(source, PythonLexer(filters=[Plain()]), HtmlFormatter(nowrap=True))
    shown = BeautifulSoup(f"<pre>{html}</pre>", "html.parser")
    assert shown.get_text() == source
    assert {span["class"][0] for span in shown.select("span")} == {"k", "nf", "nb", "mf", "s1", "c1"}


def test_only_wide_letters_are_wrapped() -> None:
    assert cells("a β ± 1, −") == "a β ± 1, −"
    assert cells("손실: 値") == (
        '<span class="wide" style="width:4ch">손실</span>: <span class="wide" style="width:2ch">値</span>'
    )
