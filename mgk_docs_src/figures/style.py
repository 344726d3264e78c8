"""그림의 모양: 밝은 화면과 어두운 화면에서 모두 읽히는 SVG.

색은 이름으로만 고른다. 저장할 때 그 색을 CSS 변수로 바꾸어, 페이지의 밝기를 따라 색이 바뀐다.
바탕도 그림이 스스로 칠하므로, 밝기를 전하지 않는 브라우저에서도 글자가 사라지지 않는다.
"""

import base64
import html
import io
import math
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# 이름: (밝은 화면, 어두운 화면). 계열 색은 Okabe–Ito를 바탕으로 두 바탕 모두에서 대비 3:1을 넘긴다.
PALETTE = {
    "paper": ("#ffffff", "#1e2129"),
    "ink": ("#24292f", "#e2e4e9"),
    "faint": ("#d4d7dc", "#454a57"),
    "blue": ("#0b62a8", "#6cb6f5"),
    "orange": ("#b34a00", "#f2a25c"),
    "green": ("#00785a", "#4fcfa6"),
    "purple": ("#8a3f86", "#dd9ad8"),
}
PAPER, INK, FAINT, BLUE, ORANGE, GREEN, PURPLE = (light for light, _ in PALETTE.values())

# 글자는 글자로 남긴다(fonttype none): 읽는 사람의 글꼴로 그려지므로 한글이 네모로 깨지지 않는다.
# 이름표에는 $…$ 대신 유니코드(σ, ε, −)를 쓴다. $…$가 섞이면 글자마다 자리가 박혀 글꼴이 다른 화면에서 겹친다.
READER_FONTS = "system-ui, 'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', 'NanumGothic', sans-serif"
KOREAN_FONTS = ("Noto Sans KR", "Noto Sans CJK KR", "NanumGothic", "Apple SD Gothic Neo", "Malgun Gothic")
# W₁의 아래 첨자는 작은 글자에서 쉼표로 보인다. 이름표에 적은 그대로 두고, 저장할 때 크게 바꾼다.
SUBSCRIPTS = re.compile("([₀-₉ₜ]+)([^<₀-₉ₜ]*)")
PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉ₜ", "0123456789t")
FRAME_SECONDS = 0.3  # 움직이는 그림의 한 장면을 보이는 초


def _measuring_fonts() -> list[str]:
    """글자 너비를 잴 글꼴. 이 컴퓨터에 한글 글꼴이 없어도 그림은 그려진다."""
    installed = set(font_manager.get_font_names())
    return [name for name in KOREAN_FONTS if name in installed] + ["DejaVu Sans"]


@contextmanager
def _settings() -> Iterator[None]:
    settings = mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "mgk",  # 같은 그림은 같은 바이트
            "font.family": _measuring_fonts(),
            "font.size": 11,
            "axes.unicode_minus": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlecolor": INK,
            "axes.facecolor": PAPER,
            "figure.facecolor": PAPER,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "grid.color": FAINT,
            "axes.grid": True,
            "grid.linewidth": 0.8,
            "lines.linewidth": 2,
            "legend.frameon": False,
            "figure.constrained_layout.h_pad": 0.09,
            "legend.labelcolor": INK,
        }
    )
    with settings, warnings.catch_warnings():
        # 한글 글꼴이 없는 컴퓨터에서는 너비만 대강 맞으면 된다. 글자는 브라우저가 그린다.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


@contextmanager
def panels(count: int = 1, *, height: float = 2.9) -> Iterator[tuple[Figure, list[Axes]]]:
    """위에서 아래로 놓인 칸 `count`개의 그림을 연다. 전역 상태(pyplot)를 쓰지 않는다.

    칸을 옆으로 늘어놓지 않는 것은 휴대전화 때문이다. 390 px 화면에서도 글자가 10 px보다 작아지지 않는다.
    """
    with _settings():
        figure = Figure(figsize=(5.0, height * count), layout="constrained")
        yield figure, [figure.add_subplot(count, 1, index + 1) for index in range(count)]


@contextmanager
def separate(count: int, *, height: float, width: float = 3.3) -> Iterator[list[tuple[Figure, Axes]]]:
    """저마다 한 그림인 칸 `count`개. `side_by_side`가 넓은 화면에서는 옆으로, 좁은 화면에서는 아래로 놓는다."""
    with _settings():
        figures = [Figure(figsize=(width, height), layout="constrained") for _ in range(count)]
        yield [(figure, figure.add_subplot()) for figure in figures]


def powers(value: float, _: object) -> str:
    """눈금 10⁻³. 기본값의 $…$는 글자마다 자리가 박힌다."""
    return "10" + str(round(math.log10(value))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def to_svg(figure: Figure) -> str:
    """그림을 밝기를 따라 색이 바뀌는 SVG로 바꾼다."""
    buffer = io.StringIO()
    with _settings():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # 선의 자리는 백분의 일 포인트면 눈에는 같고 파일은 가볍다. 글자 속의 수는 건드리지 않는다.
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), buffer.getvalue())
    for name, (light, _) in PALETTE.items():
        svg = svg.replace(light, f"var(--{name})")
    light, dark = (";".join(f"--{name}:{pair[i]}" for name, pair in PALETTE.items()) for i in (0, 1))
    svg, film = _animated(SUBSCRIPTS.sub(_lowered, svg))
    style = (
        f"svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}text{{font-family:{READER_FONTS}!important}}"
        f"{film}"
    )
    return re.sub(r"(<svg [^>]*>)", rf"\1<style>{style}</style>", svg, count=1)


def _lowered(match: re.Match[str]) -> str:
    """아래 첨자 글자를 내려 쓴 보통 글자로. 뒤따르는 글은 제자리로 돌린다."""
    after = f'<tspan dy="-.225em">{match[2]}</tspan>' if match[2] else ""
    return f'<tspan dy=".3em" font-size="75%">{match[1].translate(PLAIN)}</tspan>{after}'


def _animated(svg: str) -> tuple[str, str]:
    """이름(gid)이 `frame-00`, `frame-01-ball`처럼 시작하는 것을 번호 순서로 하나씩 보이는 CSS. 없으면 그대로다.

    스크립트가 없어 `<img>` 안에서도 움직인다. 움직임을 줄여 달라고 한 사람에게는 모든 장면을 겹쳐 멈춘 채로 보인다.
    """
    numbers = [int(number) for number in re.findall(r'<g id="frame-(\d+)', svg)]
    if not numbers:
        return svg, ""
    count = max(numbers) + 1
    delayed = r'<g id="frame-\2\3" class="frame" style="animation-delay:calc(\2*var(--frame))"'
    return re.sub(r'(<g id="frame-)(\d+)([^"]*)"', delayed, svg), (
        f"svg{{--frame:{FRAME_SECONDS}s}}"
        f".frame{{visibility:hidden;animation:film calc({count}*var(--frame)) step-end infinite}}"
        f"@keyframes film{{0%{{visibility:visible}}{100 / count:.4f}%{{visibility:hidden}}}}"
        "@media(prefers-reduced-motion:reduce){.frame{visibility:visible;animation:none}}"
    )


def to_img(figure: Figure, alt: str) -> str:
    """노트북에 보일 `<img>`. 그림을 주소 안에 담으므로 파일도, 다른 그림과 겹치는 id도 없다."""
    width, height = (round(inches * 96) for inches in figure.get_size_inches())
    data = base64.b64encode(to_svg(figure).encode()).decode()
    return f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" src="data:image/svg+xml;base64,{data}">'


def side_by_side(figures: Iterable[tuple[Figure, str]]) -> str:
    """노트북에 나란히 보일 그림과 대체 글. 자리가 모자라면 다음 줄로 간다."""
    images = "".join(to_img(figure, alt) for figure, alt in figures)
    return f'<div style="display:flex;flex-wrap:wrap;justify-content:center">{images}</div>'


def save(figure: Figure, path: Path) -> None:
    """SVG 파일로 저장한다."""
    path.write_text(to_svg(figure), "utf-8")


def points(text: str) -> float:
    """10 pt 글의 너비를 넉넉하게 추정한다. 한글은 정사각형이고 나머지는 그 절반쯤이다."""
    return sum(10 if unicodedata.east_asian_width(letter) == "W" else 5.2 for letter in text)
