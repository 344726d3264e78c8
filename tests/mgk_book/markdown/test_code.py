"""mgk_book/markdown/code.py: 코드는 검색에 들지 않고, 출력의 한글은 두 칸이다."""

import markdown
from bs4 import BeautifulSoup

from mgk_book.markdown.code import cells

PAGE = """<div>그대로</div>

글

```python
x = "한글"
```

```text title="출력"
가능도  <0.5>
NLL     0.1
```
"""
OPTIONS = {"pymdownx.highlight": {"pygments_lang_class": True}}


def drawn() -> BeautifulSoup:
    extensions = ["pymdownx.highlight", "pymdownx.superfences", "mgk_book.markdown"]
    return BeautifulSoup(markdown.markdown(PAGE, extensions=extensions, extension_configs=OPTIONS), "html.parser")


def test_code_stays_out_of_the_search_index() -> None:
    blocks = drawn().select("div.highlight")
    assert len(blocks) == 2
    assert all(block["data-search-exclude"] == "true" for block in blocks)


def test_hangul_of_an_output_is_two_cells_wide() -> None:
    code, output = drawn().select("div.highlight")
    assert not code.select(".wide")
    (wide,) = output.select(".wide")
    assert (wide.get_text(), wide["style"]) == ("가능도", "width:6ch")
    assert output.code.get_text() == "가능도  <0.5>\nNLL     0.1\n"
    assert output.select_one(".filename").get_text() == "출력"


def test_only_wide_letters_are_wrapped() -> None:
    assert cells("a β ± 1, −") == "a β ± 1, −"
    assert cells("손실: 値") == (
        '<span class="wide" style="width:4ch">손실</span>: <span class="wide" style="width:2ch">値</span>'
    )
