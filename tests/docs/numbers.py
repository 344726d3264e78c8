"""글에 적힌 수가 어디서 왔는지: 같은 페이지의 출력, 코드, 식, 잰 결과이거나, 실습에 묶여 있거나."""

import re
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from bs4 import BeautifulSoup
from mkdocs.utils.meta import get_data

from tests.docs.blocks import ROOT
from tests.docs.pages import RESULTS, Page, drawn

# 소수, 백분율, ±가 붙은 수. 절의 번호(2.3절)나 판(3.11)은 정의에 드는 낱말이라 뺀다.
STATED = re.compile(
    r"(?<!Python )(?<![\w.])(?P<digits>\d[\d,]*\.\d+)(?!\.?\d|[절장판])(?P<percent>\s?%)?"
    r"|(?<![\w.])(?P<whole>\d+)\s?%"
    r"|±\s?(?P<spread>\d+)(?![\d.])"
)
RUN = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
SHOWN = "pre, code, math, annotation"  # 돌린 것과 식


class Stated(NamedTuple):
    """글에 적힌 수 하나: 적힌 형태, 값, 소수 자릿수, 백분율인가."""

    text: str
    value: Decimal
    percent: bool


def stated(prose: str) -> Iterator[Stated]:
    for match in STATED.finditer(prose):
        digits = match["digits"] or match["whole"] or match["spread"]
        yield Stated(match[0].strip(), Decimal(digits.replace(",", "")), "%" in match[0])


def runs(texts: Iterable[str]) -> list[Decimal]:
    """돌린 것에 찍힌 모든 수의 크기."""
    return [Decimal(found.replace(",", "")) for text in texts for found in RUN.findall(text)]


def loose(prose: str, known: Iterable[Decimal]) -> list[str]:
    """돌린 것 어디에도 없는 수들. 반올림하면 같은 것이 있으면 된다."""
    known = list(known)
    return [each.text for each in stated(prose) if not any(_rounds_to(each, number) for number in known)]


def _rounds_to(said: Stated, run: Decimal) -> bool:
    step = Decimal(1).scaleb(int(said.value.as_tuple().exponent))
    candidates = (run, run * 100) if said.percent else (run,)
    return any(each.quantize(step, ROUND_HALF_EVEN) == said.value for each in candidates if each < Decimal("1e15"))


def unbound(page: Page) -> list[str]:
    """페이지의 글에서 돌린 것에 묶이지 않은 수들."""
    results = [(ROOT / "benchmarks/results" / f"{name}.md").read_text("utf-8") for name in RESULTS.findall(page.text)]
    html = drawn(RESULTS.sub("", get_data(page.text)[0]))
    known = runs([*(found.get_text(" ") for found in html.select(SHOWN)), *results])
    return [
        page.violation(page.line_of(number), f"{number}이 어느 실행에서 왔는지 없다: {paragraph:.60}")
        for paragraph in [*paragraphs(html), *summaries(page)]
        for number in loose(paragraph, known)
    ]


def paragraphs(html: BeautifulSoup) -> list[str]:
    """글의 문단들. 출처 절과 영어는 뺀다."""
    for element in html.select(f"{SHOWN}, data, [lang=en]"):  # data는 실습에 묶인 수
        element.decompose()
    for heading in html.select("#sources"):
        for sibling in list(heading.find_next_siblings()):
            sibling.decompose()
    alt = [str(image["alt"]) for image in html.select("img[alt]")]
    return [*(" ".join(found.get_text().split()) for found in html.select("h1, h2, h3, h4, p, li, td, th, dd")), *alt]


def summaries(page: Page) -> list[str]:
    """검색과 영어 독자에게 보이는 앞머리의 글."""
    return [str(page.meta.get("description", "")), str((page.meta.get("english") or {}).get("summary", ""))]
