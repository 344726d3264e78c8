"""mgk_book/prepare/font.py: 책이 쓰는 글자만 담은 글꼴을 한 번만 만들어 싣는다."""

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from mgk_book.prepare import font
from mgk_book.prepare.shelf import Shelf

PAGE = r"×는 글, $x$와 $$\sum_{i \le n} a_i$$, `$\prod$`, 읽을 수 없는 $\prod{$"
MODULE = r'''
r"""모듈의 $\oplus$."""


class Box:
    r"""상자의 $\otimes$."""

    def open(self):
        r"""여는 $\ominus$."""


def area():
    r"""넓이의 $\odot$."""
    return r"$\boxtimes$"
'''


def made(root: Path, text: str = PAGE) -> Path:
    shelf = Shelf(root / "made")
    font.make(root, [text], shelf)
    return shelf.files()[font.URI]


def test_the_font_has_what_the_pages_use_and_is_small(tmp_path: Path) -> None:
    (tmp_path / "mgk_docs_src").mkdir()
    (tmp_path / "mgk_docs_src" / "a.py").write_text(MODULE, "utf-8")
    (tmp_path / "mgk_docs_src" / "plain.py").write_text("X = 1\n", "utf-8")
    path = made(tmp_path)
    found = TTFont(path)
    assert "MATH" in found
    characters = {chr(code) for code in found.getBestCmap()}
    assert set("∑≤x𝑥𝛼√") <= characters  # 근호는 적히지 않고 <msqrt>가 그린다
    assert set("⊕⊗⊖⊙") <= characters  # 설명에 있는 것
    assert not set("×∏∫⊠") & characters
    variants = found["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    assert found.getBestCmap()[ord("(")] in variants  # 늘어나는 괄호
    assert path.stat().st_size < 80_000


def test_it_is_built_anew_only_for_new_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def build(path: Path, text: str) -> None:
        built.append(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    monkeypatch.setattr(font, "build", build)
    for text in (PAGE, PAGE + " $x + x$", PAGE.replace(r"\sum", r"\prod")):
        path = made(tmp_path, text)
    assert len(built) == 2
    assert "∏" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("```text\n$\\oplus$\n```\n$\\otimes$", "⊗"),
        ("``$\\oplus$ ` ``와 $\\otimes$", "⊗"),
        ("글 $\\oplus\n\\otimes$ 글", "⊕⊗"),
        ("값 \\$5와 $\\text{\\$} \\otimes$", "⊗"),
        ("$\\text{⊕}$ $$\n\\otimes\n$$", "⊕⊗"),
        ("$<$", ""),
    ],
)
def test_only_formulas_are_read(text: str, drawn: str) -> None:
    assert set(font.used([text])) - set(font.ALWAYS) == set(drawn)


def test_what_is_not_drawn_is_not_counted() -> None:
    assert "한" not in font.used([r"$x % 한글$"])  # LaTeX의 주석은 LaTeX의 것에만 남는다
