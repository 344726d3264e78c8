"""블록을 모으는 법의 테스트: 사이트가 그리는 것과 같아야 한다."""

import pytest

from tests.docs.blocks import REASONS, blocks, example_at, output_under, site_markdown

PAGE = """\
---
title: 제목
covers: [A1]
---

# 제목

```python
print(1)
```

```text title="출력"
1
```

!!! note "알림"

    ```python hl_lines="1"
    print(2)

    x = 3
    ```

??? tip "접힘"

    ```python
    print(3)
    ```

=== "탭"

    ```python
    print(4)
    ```

    ```text title="출력"
    4
    ```

- 목록

    ```python
    print(5)
    ```

> ```python
> print(6)
> ```

```python { notest="원문" }
broken(
```

````markdown
```python
print("보이기만 하는 울타리")
```
````
"""


def lines_of(language: str) -> list[int]:
    return [block.line for block in blocks(PAGE) if block.language == language]


def test_blocks_come_from_every_container_in_order():
    found = [block.source for block in blocks(PAGE) if block.language == "python"]
    assert found == ["print(1)", "print(2)\n\nx = 3"] + [f"print({i})" for i in (3, 4, 5, 6)] + ["broken("]


def test_lines_count_the_front_matter():
    page = PAGE.split("\n")
    assert [page[line - 1].lstrip("> ")[:9] for line in lines_of("python")] == ["```python"] * 7
    assert all(page[block.end - 1].lstrip("> ") == "`" * (3 + (block.language == "markdown")) for block in blocks(PAGE))


def test_options_and_title_are_read():
    assert [block.title for block in blocks(PAGE) if block.language == "text"] == ["출력", "출력"]
    assert [block.options for block in blocks(PAGE) if block.language == "python"][1] == {"hl_lines": "1"}


def test_notest_is_read_and_the_site_still_draws_the_block():
    (block,) = [block for block in blocks(PAGE) if block.notest]
    assert (block.notest, block.is_example) == ("원문", False)
    assert block.notest in REASONS
    html = site_markdown().convert(PAGE)
    assert html.count("<code>broken") == 1
    assert "notest" not in html


@pytest.mark.parametrize("options", ["{ notest }", '{ notest="" }', "{.python notest}"])
def test_notest_without_a_reason_is_still_seen(options):
    (block,) = blocks(f"```{'' if '.' in options else 'python'} {options}\nx\n```\n")
    assert (block.language, block.is_example) == ("python", False)
    assert block.notest not in REASONS


@pytest.mark.parametrize(
    "text",
    [
        "글\n\n    ```python\n    print(1)\n    ```\n",
        "<!--\n```python\nprint(1)\n```\n-->\n",
        '```python unknown="1"\nprint(1)\n```\n',
        "```python\nprint(1)\n",
        "- ```python\n  print(1)\n  ```\n",
    ],
    ids=["indented", "comment", "unknown option", "unclosed", "on the bullet"],
)
def test_what_the_site_does_not_draw_is_no_block(text):
    assert blocks(text) == ()


def test_output_must_be_directly_under_its_block():
    first, tabbed = (next(b for b in blocks(PAGE) if b.source == source) for source in ("print(1)", "print(4)"))
    assert output_under(PAGE, first).source == "1"
    assert output_under(PAGE, tabbed).source == "4"
    assert output_under(PAGE, next(b for b in blocks(PAGE) if b.source == "print(3)")) is None


@pytest.mark.parametrize(
    "text",
    [
        '```python\nx\n```\n글\n\n```text title="출력"\n1\n```\n',
        '```python\nx\n```\n\n```python\ny\n```\n\n```text title="출력"\n1\n```\n',
        '!!! note\n\n    ```python\n    x\n    ```\n\n```text title="출력"\n1\n```\n',
        '```python\nx\n```\n\n```text title="다른 것"\n1\n```\n',
    ],
    ids=["prose between", "block between", "other depth", "other title"],
)
def test_no_output_under(text):
    assert output_under(text, blocks(text)[0]) is None


def test_places_are_not_filled_and_do_not_move_lines():
    text = "<!-- results:losses-binary -->\n\n```python\nx\n```\n"
    assert [block.line for block in blocks(text)] == [3]


def test_example_at_ignores_other_languages_and_notest():
    assert example_at(PAGE, lines_of("python")[0]).source == "print(1)"
    assert example_at(PAGE, lines_of("text")[0]) is None
    assert example_at(PAGE, lines_of("python")[-1]) is None
