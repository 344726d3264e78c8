"""수식 글꼴 한 벌을 사이트에 싣는다.

MathML의 늘어나는 괄호와 큰 연산자는 MATH 표가 있는 글꼴이 그리는데, 안드로이드와 많은 리눅스에는 그런
글꼴이 없다. ziamath 패키지가 담고 있는 STIX Two Math에서 이 책의 수식에 있는 글자만 남겨 WOFF2로 싣는다(약 0.05 MB).
"""

import ast
import hashlib
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import distribution, version
from pathlib import Path
from xml.etree.ElementTree import Element

from fontTools import subset
from fontTools.ttLib import TTFont
from math_core import LatexError

from mgk_book.book import CACHE
from mgk_book.markdown.math import mathml
from mgk_book.prepare.shelf import Shelf
from mgk_book.proofs.closure import PACKAGE

URI = "assets/fonts/math.woff2"
CODE = re.compile(r"^( *)(```+).*?^\1\2$|(?<!`)(`+)(?!`).*?(?<!`)\3(?!`)", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|(?<!\\)\$(?P<inline>(?:\\\$|[^$\n]|\n(?!\n))+)\$", re.DOTALL)
# 글에 적힌 글자는 x라도 브라우저는 수식용 기울인 글자 𝑥로 그린다. 그래서 라틴과 그리스의 기울인 글자는 늘 둔다.
# 근호는 어디에도 적히지 않는다: <msqrt>와 <mroot>가 그린다.
ALWAYS = "".join(map(chr, [*range(0x20, 0x7F), 0x210E, 0x221A, *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C)]))


def docstrings(root: Path) -> Iterator[str]:
    """페이지에 실리는 함수의 설명들."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        yield from _of_file(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _of_file(path: Path, _: int) -> list[str]:
    """고치지 않은 파일은 다시 읽지 않는다."""
    text = path.read_text("utf-8")
    return [*_docstrings(ast.parse(text))] if "$" in text else []  # 시간의 거의 모두가 parse다


def _docstrings(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    yield ast.get_docstring(node) or ""
    for inner in node.body:
        if isinstance(inner, ast.ClassDef | ast.FunctionDef):
            yield from _docstrings(inner)


def used(texts: Iterable[str]) -> str:
    """글의 수식을 그리면 나오는 글자. 읽을 수 없는 수식은 그것을 그릴 페이지가 오류로 알린다."""
    found = {
        (match["block"] or match["inline"], match["block"] is not None)
        for text in texts
        for match in FORMULA.finditer(CODE.sub("", text))
    }
    characters = set(ALWAYS)
    for latex, block in found:
        characters |= _of_formula(latex.strip(), block)
    return "".join(sorted(characters))


@lru_cache(maxsize=8192)
def _of_formula(latex: str, block: bool) -> frozenset[str]:
    try:
        return frozenset("".join(drawn(mathml(latex, block=block))))
    except LatexError:
        return frozenset()


def drawn(math: Element) -> Iterator[str]:
    """`<math>`에서 주석을 뺀 것의 글."""
    if math.tag != "annotation":
        yield math.text or ""
        for child in math:
            yield from drawn(child)


def narrow_roots(font: TTFont) -> None:
    """근호의 큰 글리프를 가장 작은 글리프의 너비로 좁힌다.

    Chromium은 어느 글리프를 그리든 가장 넓은 글리프(1.21 em)의 너비를 잡아, 작은 근호(0.79 em)의 뒤에 빈칸이 남는다.
    """
    variants = font["MATH"].table.MathVariants
    root = font.getBestCmap()[ord("√")]
    sizes = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(root)]
    names = {record.VariantGlyph for record in sizes.MathGlyphVariantRecord}
    names |= {part.glyph for part in sizes.GlyphAssembly.PartRecords}
    width = font["hmtx"][root][0]
    for name in sorted(names):
        advance, bearing = font["hmtx"][name]
        font["glyf"][name].coordinates.scale((width / advance, 1))
        font["glyf"][name].recalcBounds(font["glyf"])
        font["hmtx"][name] = (width, round(bearing * width / advance))


def build(path: Path, text: str) -> None:
    """글꼴에서 `text`의 글자와 그 늘어난 글리프, 글자 사이(kern)만 남겨 쓴다."""
    options = subset.Options(flavor="woff2", layout_features=["ssty", "dtls", "flac", "kern"], hinting=False)
    source = distribution("ziamath").locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf")
    with subset.load_font(str(source), options) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=text)
        subsetter.subset(font)
        narrow_roots(font)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        subset.save_font(font, str(partial), options)
        partial.replace(path)


def make(root: Path, texts: Iterable[str], shelf: Shelf) -> None:
    """글꼴 파일을 놓는다. 글자가 그대로면 `.cache/`에 있는 것을 쓴다."""
    text = used([*texts, *docstrings(root)])
    made_by = [version("ziamath"), version("fonttools"), inspect.getsource(narrow_roots), inspect.getsource(build)]
    key = hashlib.sha256(repr([*made_by, text]).encode()).hexdigest()[:16]
    cached = root / CACHE / "fonts" / f"math-{key}.woff2"
    if not cached.exists():
        build(cached, text)
    shelf.put(URI, cached.read_bytes())
