"""MathML을 한 줄의 글로 읽는다: √(1−β_t) x_(t−1), σ(z) = 1/(1 + e^(−z)).

검색의 색인과 목차처럼 수식을 그릴 수 없는 곳에 쓴다.
"""

import unicodedata
from collections.abc import Iterator
from xml.etree.ElementTree import Element

LEAVES = {"mi", "mn", "mo", "mtext"}
SCRIPTS = {"msub": "_", "munder": "_", "msup": "^", "mover": "^", "msubsup": "_^", "munderover": "_^"}
INVISIBLE = dict.fromkeys(map(ord, "\u2061\u2062\u2063\u2064\u200b\ufe00\ufe01"))
LETTERS = range(0x1D400, 0x1D800)  # 𝔼, 𝒩, 𝐱: 검색에 치는 글자로 읽는다
RELATIONS = set("=<>≤≥≈∼≃≠≡∝∈∉⊂→←↦⇒⇔⟺⟹⟶:≪≫≔")
BINARY = set("+−±×⋅·∘∖∣⊙∗/")
BIG = set("∑∏∫√")
CLOSING = set(")]}⌉⌋!′")
ACCENTS = {"ˆ": "\u0302", "^": "\u0302", "¯": "\u0304", "‾": "\u0304", "˜": "\u0303", "~": "\u0303", "˙": "\u0307"}


def reading(element: Element) -> str:
    """요소 하나. 모르는 틀은 안에 든 것을 차례로 읽는다."""
    return _read(element).strip()


def _read(element: Element) -> str:
    tag, parts = element.tag, list(element)
    if tag in LEAVES:
        text = (element.text or "").translate(INVISIBLE)
        return "".join(unicodedata.normalize("NFKC", each) if ord(each) in LETTERS else each for each in text)
    if tag in SCRIPTS:
        return _scripts(element)
    if tag == "mfrac":
        return "/".join(f"({reading(part)})" if part.tag == "mrow" else _group(part) for part in parts)
    if tag == "mtable":
        return "; ".join(" ".join(filter(None, map(reading, row))) for row in parts)
    if tag == "mspace":  # \quad부터는 띄어 쓴 것이다
        return " " if float(element.get("width", "0").removesuffix("em")) >= 1 else ""
    return f"√{_wrapped(_row(parts))}" if tag == "msqrt" else _row(parts)


def _row(parts: list[Element]) -> str:
    """나란히 놓인 것들. 두 항 사이의 기호, 쉼표의 뒤, 이름과 이름 사이를 띄운다."""
    said = [(part.tag == "mo", text) for part in _flat(parts) if (text := _read(part))]
    row, term = "", False  # 바로 앞이 항이면 +와 −는 두 항 사이의 것이다
    for number, (operator, text) in enumerate(said):
        if operator and (text in RELATIONS or (text in BINARY and term)) and 0 < number < len(said) - 1:
            row += f" {text} "
        elif operator and text in ",;":
            row += f"{text} "
        else:
            names = row[-1:].isalnum() and (text[0].isalnum() or text[0] in BIG) and (len(text) > 1 or _named(row))
            row += f" {text}" if names or (term and text[0] in BIG) else text
        term = not operator or text in CLOSING
    return " ".join(row.split()) if row.strip() else row


def _flat(parts: list[Element]) -> Iterator[Element]:
    """묶음을 푼 것. math-core는 함수의 이름과 여는 괄호처럼 뜻으로는 한 덩어리가 아닌 것도 묶는다."""
    for part in parts:
        if part.tag in ("mrow", "mstyle"):
            yield from _flat(list(part))
        else:
            yield part


def _named(row: str) -> bool:
    """‘log’나 ‘x_t’처럼 한 글자보다 긴 이름으로 끝나는가."""
    return len(row) > 1 and (row[-2].isalnum() or row[-2] in "_^")


def _scripts(element: Element) -> str:
    base, *scripts = (_read(part) for part in element)
    if element.tag in ("mover", "munder") and (element.get("accent") or element.get("accentunder")):
        return _accented(base, scripts[0])
    if element.tag == "munder" and "accentunder" in element[0].attrib:
        return f"{base} ({scripts[0]})"  # 아래 괄호에 붙은 이름
    said = [mark + _group(part) for mark, part in zip(SCRIPTS[element.tag], element[1:], strict=True)]
    return base + "".join(said).replace("^′", "′")


def _accented(base: str, accent: str) -> str:
    """글자 하나의 모자는 붙여 쓰고, 넓은 모자와 아래 괄호는 읽지 않는다."""
    return unicodedata.normalize("NFC", base + ACCENTS.get(accent, "")) if len(base) == 1 else base


def _group(element: Element) -> str:
    return _wrapped(reading(element))


def _wrapped(said: str) -> str:
    """한 덩어리로 읽히지 않으면 괄호로 묶는다."""
    return said if len(said) == 1 or said.isalnum() else f"({said})"
