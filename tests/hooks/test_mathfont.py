"""hooks/mathfont.py: 글꼴 한 벌을 한 번만 만들어 싣는다."""

from pathlib import Path
from types import SimpleNamespace

from fontTools.ttLib import TTFont
from mkdocs.structure.files import Files

from hooks import mathfont


def test_the_font_has_what_math_needs_and_is_small(tmp_path: Path) -> None:
    path = tmp_path / "fonts" / "math.woff2"
    mathfont.build(path)
    font = TTFont(path)
    assert "MATH" in font
    missing = [character for character in "xyzσΣ∑∏∫√∈ℝ𝔼𝒩𝑥𝐱𝛼≤≥≈∥→⟹⏟" if ord(character) not in font.getBestCmap()]
    assert not missing
    assert path.stat().st_size < 160_000
    assert [child.name for child in path.parent.iterdir()] == ["math.woff2"]


def test_the_hook_adds_the_file_and_builds_once(config: SimpleNamespace, monkeypatch) -> None:
    built = []
    monkeypatch.setattr(
        mathfont,
        "build",
        lambda path: (built.append(path), path.parent.mkdir(parents=True), path.write_bytes(b"f")),
    )
    for _ in range(2):
        files = mathfont.on_files(Files([]), config)
        assert files.get_file_from_path(mathfont.URI).content_bytes == b"f"
    assert len(built) == 1
