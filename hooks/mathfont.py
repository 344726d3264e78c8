"""수식 글꼴 한 벌을 사이트에 싣는다.

MathML의 늘어나는 괄호와 큰 연산자는 MATH 표가 있는 글꼴이 그리는데, 안드로이드와 많은 리눅스에는 그런
글꼴이 없다. ziamath 패키지가 담고 있는 STIX Two Math에서 책이 쓸 글자만 남겨 WOFF2로 싣는다(약 0.1 MB).
"""

from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

from fontTools import subset
from mkdocs.structure.files import File, Files

URI = "assets/fonts/math.woff2"
# 라틴·그리스 문자, 문장 부호와 첨자, 글자꼴 기호(ℓ, ℝ), 화살표, 연산자, 괄호 조각, 수학용 글자(𝐱, 𝑥, 𝒩, 𝔼, 𝛼).
UNICODES = [
    *range(0x20, 0x100), *range(0x300, 0x334), *range(0x391, 0x3F7), *range(0x2010, 0x2070),
    *range(0x20D0, 0x20F0), *range(0x2100, 0x2150), *range(0x2190, 0x21D6), *range(0x2200, 0x2270),
    *range(0x2282, 0x228B), *range(0x2295, 0x22A6), *range(0x22C0, 0x22F0),
    *range(0x2308, 0x230C), *range(0x239B, 0x23B4), *range(0x23DC, 0x23E2), *range(0x27E6, 0x27F0),
    *range(0x27F5, 0x2800), *range(0x2A7D, 0x2A7F), *range(0x2AAF, 0x2AB1),
    *range(0x1D400, 0x1D468), *range(0x1D49C, 0x1D4D0), *range(0x1D538, 0x1D550), *range(0x1D6E2, 0x1D71C),
    *range(0x1D7CE, 0x1D7E2),
]  # fmt: skip


def build(path: Path) -> None:
    """글꼴에서 `UNICODES`와 그 늘어난 꼴만 남겨 쓴다."""
    options = subset.Options(flavor="woff2", layout_features=["ssty", "dtls", "flac"], hinting=False)
    source = distribution("ziamath").locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf")
    with subset.load_font(str(source), options) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=UNICODES)
        subsetter.subset(font)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        subset.save_font(font, str(partial), options)
        partial.replace(path)


def on_files(files: Files, config: Any) -> Files:
    """MkDocs 훅: 글꼴 파일을 사이트에 더한다. 한 번 만든 것은 `.cache/`에 둔다."""
    cached = Path(config.config_file_path).parent / ".cache" / "fonts" / f"math-{version('ziamath')}.woff2"
    if not cached.exists():
        build(cached)
    files.append(File.generated(config, URI, abs_src_path=str(cached)))
    return files
