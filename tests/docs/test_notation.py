"""수식의 모든 기호가 기호표에 있다. 모든 장의 표, 그 장의 표, 그 쪽의 표를 차례로 본다.

기호는 사이트의 변환기가 그린 MathML의 `<mi>`다. 표의 첫 칸에 있는 수식에서도 같은 방법으로 꺼낸다.
함수의 설명(docstring)은 저마다 기호를 그 안에서 정의하므로 보지 않는다.
"""

import re
from xml.etree import ElementTree as ET

import pytest

from mgk_book.markdown.math import CONVERTER
from tests.docs.pages import DOCS, Page
from tests.docs.test_drawn import SOURCES

NOTATION = "reference/notation.md"
# 어느 책에서나 뜻이 같아 표에 적지 않는 것.
COMMON_KNOWLEDGE = {
    "function": {"arg", "cos", "det", "exp", "inf", "lim", "log", "max", "min", "sign", "sin", "sup", "tan", "tr"},
    "constant": {"e", "π", "∞"},
    "operator": {"d", "∂", "∇", "⊤"},  # 미분과 전치
}
KNOWN = set().union(*COMMON_KNOWLEDGE.values())
# 실습이 함께 쓰는 장.
LABS = {
    "losses": "losses-categorical",
    "choosing": "losses-choosing",
    "gan": "transport-gan",
    "diffusion": "diffusion-sampling",
    "digits": "diffusion-sampling",
    "energy": "energy-training",
    "ood": "energy-models",
    "claims": "energy-models",
    "stability": "energy-training",
    "contrastive": "contrastive",
}
# 여러 장의 기호가 함께 나오는 곳. 저마다 그 장의 뜻이다.
MIXED = {"sessions": "여러 장으로 이어지는 글의 기록", "reference": "찾아보기와 용어", "": "책머리"}


def math_of(name: str, text: str) -> list[str]:
    """글의 수식들의 LaTeX."""
    return [math.select_one("annotation[encoding$=tex]").get_text() for math in Page(name, text).html.select("math")]


def symbols(latex: str) -> set[str]:
    """수식 하나의 기호: `<mi>`의 글자."""
    drawn = CONVERTER.convert_with_local_state(latex, displaystyle=False).replace("&ApplyFunction;", "")
    found = (mi.text for mi in ET.fromstring(drawn).iter() if mi.tag.rpartition("}")[2] == "mi")
    return {re.sub(r"[\u200b\u2061\ufe00-\ufe0f]", "", str(text)) for text in found}


def tables() -> dict[str, list[str]]:
    """기호표의 절마다, 첫 칸에 적은 수식들."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in (DOCS / NOTATION).read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"#{2,3} .*\{ #([a-z-]+) \}", line):
            section = heading[1]
        elif line.startswith("| $"):
            found.setdefault(section, []).extend(math_of(NOTATION, line.split(" | ")[0].strip("| ")))
    return found


TABLES = tables()


def sections_of(name: str) -> list[str]:
    """이 쪽의 기호가 있을 수 있는 표들."""
    folder, _, file = name.rpartition("/")
    stem = file.partition(".")[0]
    own = f"{folder}-{stem}"
    if folder in MIXED:
        return [*TABLES]
    chapter = LABS[stem] if folder == "labs" else folder
    return ["common", chapter.partition("-")[0], chapter, own]


def declared(name: str) -> set[str]:
    """이 쪽에서 뜻이 정해진 기호."""
    return KNOWN.union(*(symbols(each) for section in sections_of(name) for each in TABLES.get(section, [])))


PAGES = [name for name, text in SOURCES.items() if "$" in text and name != NOTATION]


@pytest.mark.parametrize("name", PAGES)
def test_every_symbol_of_a_page_is_in_the_notation(name: str) -> None:
    known = declared(name)
    missing: dict[str, str] = {}
    for latex in math_of(name, SOURCES[name]):
        for symbol in symbols(latex) - known:
            missing.setdefault(symbol, latex)
    assert not missing, f"{NOTATION}의 {' → '.join(sections_of(name))}에 없는 기호: {missing}"


def test_every_lab_has_a_chapter() -> None:
    assert {path.stem for path in (DOCS / "labs").glob("*.py")} == {*LABS}


def test_every_table_is_for_a_page_that_exists() -> None:
    pages = {name.partition(".")[0].replace("/", "-") for name in SOURCES}
    folders = {name.partition("/")[0] for name in SOURCES}
    assert set(TABLES) - {"common"} <= pages | folders


@pytest.mark.parametrize("name", PAGES)
def test_a_symbol_is_declared_once_for_a_page(name: str) -> None:
    """장의 표는 모든 장의 표보다 우선한다. 그 밖에는 같은 것을 두 번 적지 않는다."""
    sections = [*dict.fromkeys(sections_of(name))]
    if len(sections) == len(TABLES):
        pytest.skip("여러 장의 기호가 함께 나온다")
    own = [each for section in sections[1:] for each in TABLES.get(section, [])]
    twice = {each for each in own if own.count(each) > 1}
    # 실습의 표는 그 장의 표를 고쳐 적는다.
    assert not twice or name.startswith("labs/"), twice


def test_no_symbol_is_declared_for_nothing() -> None:
    """표의 기호는 그 표를 보는 쪽 어딘가에 나온다."""
    used = {name: set().union(*map(symbols, math_of(name, SOURCES[name])), set()) for name in PAGES}
    for section, entries in TABLES.items():
        there = set().union(*(found for name, found in used.items() if section in sections_of(name)))
        unused = [each for each in entries if not symbols(each) - KNOWN <= there]
        assert not unused, f"{section}: {unused}"
