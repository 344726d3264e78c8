"""수식을 두 변환기로 읽는다: 사이트의 math-core와, 그것과 남인 latex2mathml이 같은 글자를 같은 짜임으로 읽는다.

견주기 전에 두 결과를 같은 형태로 적는다.

- 글자만 남긴다. `<mi>KL</mi>`과 `<mi>K</mi><mi>L</mi>`은 같고, 빈칸과 보이지 않는 연산자, 속성은 보지 않는다.
- 기울인 글자와 굵은 숫자는 보통 글자로 적는다. 굵은 글자, 칠판 글자, 필기체는 그대로 구별한다.
- 같은 부호를 다른 글자로 적는 것(`SAME`)은 하나로 적는다.
- 위아래에 붙은 것은 첨자와 같다. 합의 아래 끝을 어디에 놓는지는 식이 글 속에 있는지에 달려 있다.
- 근호, 분수, 첨자, 부호(모자, 줄, 아래 중괄호), 표의 짜임은 모두 남긴다.
"""

import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import griffe
import pytest
from latex2mathml.converter import convert

from mgk_book.markdown.math import CONVERTER
from tests.docs.contract_package import load, modules, public
from tests.docs.pages import Page
from tests.docs.test_drawn import SOURCES

# latex2mathml이 읽지 못해서, 그것에게 줄 때만 바꾸는 것과 그 까닭.
UNREAD = [
    (r"\{aligned\}", "{matrix}", "줄 맞춤을 모르고 &를 글자로 내보낸다. 칸의 짜임은 행렬과 같다"),
    (r"\\operatorname\*", r"\\operatorname", "별표를 글자로 읽는다. 아래 첨자의 자리만 다르다"),
    (r"\\arg(?![a-z])", r"\\operatorname{arg}", "모르는 이름이라 \\를 글자로 내보낸다"),
    (r"\\[lr]Vert", r"\\Vert", "모르는 이름이다. 여닫는 방향만 다르다"),
    (
        r"\\[bB]igg?[lr]?\s*(?=\\)",
        "",
        "명령으로 적은 괄호(\\|, \\lfloor) 앞의 크기를 읽지 못한다. 크기는 그림의 테스트가 본다",
    ),
]
# 두 변환기가 같은 부호에 쓰는 다른 글자.
SAME = {"~": "∼", "˜": "∼", "-": "−", "^": "ˆ", "*": "∗", "∣": "|", "∥": "‖", "…": "...", "⋅": "·", "′": "'", "˙": ".",
        "⧵": "∖", "̲": "¯", "―": "¯", "‾": "¯", "_": "¯"}  # fmt: skip
MARKS = {"ˆ", "∼", "¯", "→", "⏟", "⏞", "."}
SILENT = re.compile(r"[\s\u200b\u2061-\u2064\ufe00-\ufe0f]")
PLAIN = [range(0x1D434, 0x1D468), range(0x1D6E2, 0x1D71C), range(0x1D7CE, 0x1D800)]  # 기울인 라틴, 그리스, 굵은 숫자


def texts(value: object) -> Iterator[str]:
    """설명의 절에 있는 모든 글."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)
    elif isinstance(value, griffe.DocstringElement):
        yield value.description


def formulas() -> dict[tuple[str, bool], str]:
    """책의 서로 다른 수식과, 처음 나온 곳: 페이지, 실습의 글 칸, 공개된 모듈과 함수의 설명."""
    written = list(SOURCES.items())
    for module in modules(load()):
        for member in [module, *public(module)]:
            sections = member.docstring.parse("google", warnings=False) if member.docstring else []
            written += [(member.path, text) for section in sections for text in texts(section.value)]
    found: dict[tuple[str, bool], str] = {}
    for name, text in written:
        if "$" in text:
            for math in Page(name, text).html.select("math"):
                latex = math.select_one("annotation[encoding$=tex]").get_text()
                found.setdefault((latex, math.has_attr("display")), name)
    return found


def letters(text: str | None) -> list[str]:
    found = []
    for letter in SILENT.sub("", text or ""):
        plain = unicodedata.normalize("NFKC", letter) if any(ord(letter) in group for group in PLAIN) else letter
        found += SAME.get(plain, plain)
    return found


def structure(element: ET.Element) -> list[str]:
    """글자와 짜임을 차례로 적은 것."""
    tag = element.tag.partition("}")[2] or element.tag
    if tag in {"mspace", "mphantom", "annotation"}:
        return []
    if tag in {"mi", "mn", "mo", "mtext"}:
        return letters(element.text)
    parts = [structure(child) for child in element]
    flat = [each for part in parts for each in part]
    if tag in {"math", "mrow", "mstyle", "mpadded", "semantics"}:
        return flat
    name = {"munder": "msub", "mover": "msup", "munderover": "msubsup"}.get(tag, tag)
    if tag in {"munder", "mover"} and len(parts[1]) == 1 and parts[1][0] in MARKS:
        name = "mark"
    if tag in {"msqrt", "mtable", "mtr", "mtd"}:
        return [f"{name}(", *flat, ")"]
    return [f"{name}(", *(each for part in parts for each in [*part, ";"]), ")"]


def ours(latex: str, *, block: bool) -> list[str]:
    # math-core가 내놓은 그대로다. 그 뒤에 괄호를 묶는 일은 tests/mgk_book/markdown/test_math.py가 본다.
    mathml = CONVERTER.convert_with_local_state(latex, displaystyle=block)
    return structure(ET.fromstring(mathml.replace("&ApplyFunction;", "")))  # ElementTree는 HTML의 이름을 모른다


def theirs(latex: str) -> list[str]:
    for pattern, replacement, _ in UNREAD:
        latex = re.sub(pattern, replacement, latex)
    return structure(ET.fromstring(convert(latex)))


def test_a_second_converter_reads_every_formula_the_same() -> None:
    found = formulas()
    assert len(found) > 1200
    different = [
        f"{name}: {latex}" for (latex, block), name in found.items() if ours(latex, block=block) != theirs(latex)
    ]
    assert not different


def test_every_exception_is_still_needed() -> None:
    """바꾸지 않아도 읽게 되었거나 쓰는 식이 없으면 표에서 뺀다."""
    written = [latex for latex, _ in formulas()]
    assert not [pattern for pattern, *_ in UNREAD if not any(re.search(pattern, latex) for latex in written)]


@pytest.mark.parametrize(
    ("latex", "other"),
    [(r"\sqrt{a + b}", r"\sqrt{a} + b"), (r"x_{ij}", r"x_i j"), (r"\frac{a}{b}", r"\frac{b}{a}"), ("a^b", "a_b"),
     (r"\hat{x}", r"\bar{x}"), (r"\mathbf{x}", "x"), (r"\sum_{i} x", r"\sum x_i")],
)  # fmt: skip
def test_different_formulas_are_told_apart(latex: str, other: str) -> None:
    assert ours(latex, block=False) == theirs(latex)
    assert ours(latex, block=False) != theirs(other)
