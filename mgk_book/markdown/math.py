r"""수식을 MathML로 그린다.

arithmatex가 남긴 LaTeX를 math-core로 옮긴다. MathML은 스크립트 없이 보이고, 화면 낭독기가 읽고,
페이지를 갈아 끼워도 남는다. math-core를 선택한 이유: 모르는 명령이나 닫히지 않은 괄호를 오류로 알리므로
틀린 수식은 빌드를 멈춘다. latex2mathml은 `\foo`를 글자로 내보내고 `aligned`와 넓은 모자를 그리지 못했다.

수식마다 보이지 않는 두 주석을 단다. 한 줄로 읽는 형태는 검색과 목차가, LaTeX는 복사(copy.js)가 쓴다.
"""

import html
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from math_core import LatexError, LatexToMathML

from mgk_book.book import BookError
from mgk_book.markdown.part import Part, fill, page_of
from mgk_book.markdown.reading import reading

CONVERTER = LatexToMathML(fancy_error=False, annotation=True)
DRAWN = "arithmatex"  # arithmatex가 수식에 다는 이름
HEADING = re.compile(r"h[1-6]")


def mathml(latex: str, *, block: bool) -> ET.Element:
    """LaTeX 한 식을 `<math>`로: 그리는 것, 한 줄로 읽는 형태, LaTeX."""
    text = CONVERTER.convert_with_local_state(latex, displaystyle=block)
    math = ET.fromstring(text.replace("&ApplyFunction;", "\u2061"))
    (semantics,) = math
    drawn, tex = semantics
    for row in list(drawn.iter("mrow")):
        close_brackets(row)
    # 검색 색인에는 한 줄로 읽는 형태만 들어간다. 테마의 색인은 같은 이름이 안에 또 있으면 빼기를 일찍 멈추는데,
    # <mstyle>은 math-core가 쓰지 않는다.
    shown = ET.Element("mstyle", {"data-search-exclude": "true"})
    shown.append(drawn)
    read = ET.Element("annotation", {"encoding": "text/plain"})
    read.text = reading(drawn)
    tex.set("data-search-exclude", "true")
    semantics[:] = [shown, read, tex]
    return math


def close_brackets(row: ET.Element) -> None:
    r"""`\bigl( x \bigr)^2`의 지수를 닫는 괄호가 아니라 괄호로 묶은 것 전체에 단다.

    math-core는 닫는 괄호를 지수의 밑으로 두는데, 거기서는 브라우저가 괄호를 키우지 못해 홀로 작고 낮다.
    """
    for scripted in list(row):
        if scripted.tag in ("msup", "msub", "msubsup") and (size := scripted[0].get("minsize")):
            last = list(row).index(scripted)
            first = next(number for number in range(last - 1, -1, -1) if row[number].get("minsize") == size)
            group = ET.Element("mrow")
            group.extend([*row[first:last], scripted[0]])
            scripted[0] = group
            del row[first:last]


def latex_in(element: ET.Element) -> str | None:
    """arithmatex가 남긴 요소이면 그 LaTeX."""
    if element.get("class") != DRAWN:
        return None
    return html.unescape(str(element.text)).strip()[2:-2].strip()  # \(…\)이나 \[…\]


class HeadingLabels(Part):
    """수식이 든 제목의 목차 이름을, 수식을 한 줄로 읽은 글로."""

    def run(self, root: ET.Element) -> None:
        """`data-toc-label`은 toc가 읽고 지운다."""
        for heading in root.iter():
            if HEADING.fullmatch(str(heading.tag)) and any(latex_in(each) for each in heading.iter()):
                heading.set("data-toc-label", html.escape(html.unescape("".join(_said(heading))), quote=False))


def _said(element: ET.Element) -> Iterator[str]:
    latex = latex_in(element)
    if latex:
        yield reading(mathml(latex, block=False))
    else:
        yield element.text or ""
        for child in element:
            yield from _said(child)
            yield child.tail or ""


class Formulas(Part):
    """모든 수식을 그리고, 글 속의 수식을 앞뒤에 붙은 글자와 한 줄에 둔다."""

    def run(self, root: ET.Element) -> None:
        """읽을 수 없는 수식은 페이지 이름과 함께 오류다."""
        for element in list(root.iter()):
            if latex := latex_in(element):
                self.draw(element, latex)
        for parent in list(root.iter()):
            if any(child.tag == "math" for child in parent):
                keep_together(parent)

    def draw(self, element: ET.Element, latex: str) -> None:
        """요소를 제자리에서 `<math>`로. 따로 놓인 식은 좁은 화면에서 옆으로 밀므로 키보드로도 닿는다."""
        block = element.tag == "div"
        try:
            math = mathml(latex, block=block)
        except LatexError as error:
            page = page_of(self.md)
            raise BookError(f"{f'{page}: ' if page else ''}수식을 읽을 수 없다: {latex}\n{error}") from error
        element.text = None
        if block:
            element.attrib = {"class": "math", "tabindex": "0"}
            element.append(math)
        else:
            element.tag, element.attrib = math.tag, math.attrib
            element.extend(math)


def keep_together(parent: ET.Element) -> None:
    """‘($y = 1$)이면’처럼 빈칸 없이 이어진 수식과 글을 `<span class="whole">`로 싼다.

    브라우저는 수식의 앞뒤 어디서나 줄을 바꾸어, 조사와 괄호가 다음 줄에 홀로 남는다.
    """
    pieces: list[str | ET.Element] = [parent.text or ""]
    for child in parent:
        tail, child.tail = child.tail or "", None
        pieces += [child, tail]
    parent[:], parent.text = [], None
    for word in _words(pieces):
        together = len(word) > 1 and any(not isinstance(piece, str) and piece.tag == "math" for piece in word)
        fill(ET.SubElement(parent, "span", {"class": "whole"}) if together else parent, *word)


def _words(pieces: list[str | ET.Element]) -> Iterator[list[str | ET.Element]]:
    """빈칸에서 나눈 조각의 묶음. 빈칸도 한 묶음이고, 모두 이으면 처음의 것이다."""
    word: list[str | ET.Element] = []
    for piece in pieces:
        for part in re.split(r"(\s+)", piece) if isinstance(piece, str) else [piece]:
            if isinstance(part, str) and (not part or part.isspace()):
                if part:
                    yield word
                    yield [part]
                    word = []
            else:
                word.append(part)
    yield word
