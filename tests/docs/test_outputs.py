"""출력을 견주고 고쳐 쓰는 함수들의 테스트."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgk_book.serving.agreement import differing, printed_lines, same_line
from tests.docs.blocks import blocks, output_under
from tests.docs.outputs import Run, explain, rewrite, write


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("손실 0.3133", "손실 0.3133"),
        ("손실 0.3133", "손실 0.3134"),
        ("손실 0.3133.", "손실 0.3132."),
        ("0.9999이다", "1.0000이다"),
        ("[0.26, -0.73]", "[0.27,  -0.74]"),
        ("-0.00", "0.00"),
        ("1.00e-07", "9.99e-08"),
        ("1.00E-07", "1.01e-07"),
        ("x = nan, y = -inf", "x = nan, y = -inf"),
        ("0.313", "0.3129"),
        ("2.", "2.0"),
        ("12.50 %", "12.51 %"),
        (".5", "0.5"),
        ("fp16에서 z=10", "fp16에서   z=10"),
        ("torch 2.13.0", "torch 2.13.0"),
    ],
)
def test_same(expected, printed):
    assert same_line(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("손실 0.3133", "오차 0.3133"),
        ("손실 0.3133", "손실 0.3135"),
        ("0.31", "0.3133"),
        ("16", "17"),
        ("16", "16.0"),
        ("1.", "2."),
        ("1e-07", "2e-07"),
        ("1.00e-07", "1.02e-07"),
        ("0.5", "-0.5"),
        ("nan", "0.0"),
        ("inf", "-inf"),
        ("fp16", "fp32"),
        ("torch 2.13.0", "torch 2.13.1"),
        ("1 2", "12"),
        ("0.1 0.2", "0.1"),
        ("True", "False"),
        ("0.5j", "0.6j"),
    ],
)
def test_different(expected, printed):
    assert not same_line(expected, printed)


@given(st.decimals(-1000, 1000, places=4), st.integers(-5, 5))
def test_exactly_one_last_place_is_allowed(value, steps):
    other = value + steps * Decimal("0.0001")
    assert same_line(f"x {value:.4f}", f"x {other:.4f}") == (abs(steps) <= 1)


def test_number_of_lines_is_exact():
    assert differing(("a", "b"), ("a", "b")) == []
    assert differing(("a", "b"), ("a",)) == [1]
    assert differing(("a",), ("a", "b", "c")) == [1, 2]


def test_printed_lines():
    assert printed_lines("") == ()
    assert printed_lines("\n") == ("",)
    assert printed_lines("a\n\nb\n\n") == ("a", "", "b", "")
    assert printed_lines("끝 줄바꿈 없이") == ("끝 줄바꿈 없이",)


PAGE = """\
# 제목

```python
one
```

=== "탭"

    ```python
    two
    ```

    ```text title="출력"
    a 0.50
    b
    ```

> ```python
> three
> ```
글

```python
four
```

```text title="출력"
여전히 0.31
```

```python
five
```
```text title="출력"
다섯
```
끝
"""


def runs(*printed: str) -> list[Run]:
    examples = [block for block in blocks(PAGE) if block.is_example]
    return [
        Run(block, output_under(PAGE, block), printed_lines(text))
        for block, text in zip(examples, printed, strict=True)
    ]


def test_explain_names_the_first_differing_line_and_shows_only_the_difference():
    message = explain("docs/x.md", runs("", "a 0.51\nc\n", "", "", "")[1])
    assert message.startswith("docs/x.md:15: 출력이 페이지와 다르다")
    assert "-b" in message
    assert "+c" in message
    assert "0.51" not in message  # 오차 안의 줄은 차이가 아니다
    assert "make outputs" in message


def test_explain_missing_and_superfluous_fences():
    missing, _, _, superfluous, _ = runs("1\n", "", "", "", "")
    assert "docs/x.md:3: 블록이 출력하는데" in explain("docs/x.md", missing)
    assert "docs/x.md:27: 출력 울타리가 있는데" in explain("docs/x.md", superfluous)


def test_explain_lines_beyond_the_fence_point_at_its_end():
    message = explain("docs/x.md", runs("", "a 0.50\nb\nc\n", "", "", "")[1])
    assert message.startswith("docs/x.md:16:")


def test_rewrite_touches_only_what_differs():
    rewritten = rewrite(PAGE, runs("하나\n\n둘\n", "a 0.70\n\n  들여쓴\n", "셋\n", "여전히 0.32\n", ""))
    assert (
        rewritten
        == """\
# 제목

```python
one
```

```text title="출력"
하나

둘
```

=== "탭"

    ```python
    two
    ```

    ```text title="출력"
    a 0.70

      들여쓴
    ```

> ```python
> three
> ```
>
> ```text title="출력"
> 셋
> ```
>
글

```python
four
```

```text title="출력"
여전히 0.31
```

```python
five
```
끝
"""
    )


def test_rewrite_of_an_agreeing_page_is_the_page():
    again = rewrite(PAGE, runs("하나\n", "2\n", "3\n", "여전히 0.31\n", "다섯\n"))
    examples = [block for block in blocks(again) if block.is_example]
    agreeing = [Run(b, output_under(again, b), output_under(again, b).source.split("\n")) for b in examples]
    assert rewrite(again, [run._replace(printed=tuple(run.printed)) for run in agreeing]) == again


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        (("```\n글\n", "a 0.50\nb\n", "", "여전히 0.31\n", "다섯\n"), "다른 블록이 달라진다"),
        (("", "a 0.50\nb\n", "", "여전히 0.31\n", "```\n"), "31번째 줄의 출력을 울타리에 담을 수 없다"),
    ],
)
def test_rewrite_refuses_what_a_fence_cannot_hold(printed, message):
    with pytest.raises(ValueError, match=message):
        rewrite(PAGE, runs(*printed))


def test_write_keeps_line_endings_and_mode(tmp_path):
    path = tmp_path / "page.md"
    path.write_bytes("가\r\n나\r\n".encode())
    path.chmod(0o640)
    assert write(path, "가\n나\n", "가\n다\n")
    assert path.read_bytes() == "가\r\n다\r\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["page.md"]


def test_write_leaves_an_unchanged_page_alone(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("가\n")
    before = path.stat().st_mtime_ns
    assert not write(path, "가\n", "가\n")
    assert path.stat().st_mtime_ns == before


def test_write_refuses_a_page_edited_meanwhile(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("고쳐진 글\n")
    with pytest.raises(ValueError, match="바뀌었"):
        write(path, "가\n", "나\n")
    assert path.read_text() == "고쳐진 글\n"
