"""hooks/mathfont.py: 책이 쓰는 글자만 담은 글꼴을 한 번만 만들어 싣는다."""

from pathlib import Path
from types import SimpleNamespace

from fontTools.ttLib import TTFont

from hooks import mathfont

PAGE = "<p>×는 글</p><math><mi>x</mi><mo>∑</mo><mo>&#x2264;</mo></math>"


def write(config: SimpleNamespace, text: str) -> Path:
    page = Path(config.site_dir) / "part" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, "utf-8")
    return Path(config.site_dir) / mathfont.URI


def test_the_font_has_what_the_pages_use_and_is_small(config: SimpleNamespace) -> None:
    made = write(config, PAGE)
    mathfont.on_post_build(config)
    font = TTFont(made)
    assert "MATH" in font
    characters = {chr(code) for code in font.getBestCmap()}
    assert set("∑≤x𝑥𝛼√") <= characters  # 근호는 적히지 않고 <msqrt>가 그린다
    assert not set("×∏∫") & characters
    variants = font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    assert font.getBestCmap()[ord("(")] in variants  # 늘어나는 괄호
    assert made.stat().st_size < 80_000


def test_it_is_built_anew_only_for_new_characters(config: SimpleNamespace, monkeypatch) -> None:
    built = []

    def build(path: Path, text: str) -> None:
        built.append(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    monkeypatch.setattr(mathfont, "build", build)
    for text in (PAGE, PAGE, PAGE.replace("∑", "∏")):
        made = write(config, text)
        mathfont.on_post_build(config)
    assert len(built) == 2
    assert "∏" in made.read_text("utf-8")
