"""mgk_docs_src/figures/style.py: 밝은 화면과 어두운 화면에서 읽히는 SVG."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mgk_docs_src.figures import style

SVG = "{http://www.w3.org/2000/svg}"


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["밝은 화면", "어두운 화면"])
def test_every_color_can_be_read_on_its_background(scheme: int) -> None:
    paper = style.PALETTE["paper"][scheme]
    for name, pair in style.PALETTE.items():
        if name not in ("paper", "faint"):
            assert contrast(pair[scheme], paper) >= 4.5, name


@pytest.fixture
def svg() -> str:
    with style.panels(2) as (figure, (left, right)):
        left.plot([0, 1], [0, 1], color=style.BLUE, label="한글 x")
        left.legend()
        right.set(xlabel="로짓 z")
    return style.to_svg(figure)


def test_text_stays_text_in_the_readers_font(svg: str) -> None:
    texts = ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]
    assert any("한글" in text for text in texts)
    assert any("로짓" in text for text in texts)
    assert "Noto Sans KR" in svg


def test_no_fixed_color_of_the_palette_is_left_outside_the_style(svg: str) -> None:
    body = re.sub(r"<style>.*?</style>", "", svg, count=1)
    assert not [light for light, _ in style.PALETTE.values() if light in body]
    assert "var(--blue)" in body
    assert "prefers-color-scheme:dark" in svg


def test_the_same_figure_gives_the_same_bytes(svg: str) -> None:
    with style.panels(2) as (figure, (left, right)):
        left.plot([0, 1], [0, 1], color=style.BLUE, label="한글 x")
        left.legend()
        right.set(xlabel="로짓 z")
    assert style.to_svg(figure) == svg


def test_a_machine_without_a_korean_font_still_draws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(style.font_manager, "get_font_names", lambda: ["DejaVu Sans"])
    with style.panels() as (figure, (axes,)):
        axes.set(title="한글 제목")
    style.save(figure, tmp_path / "one.svg")
    assert "한글 제목" in (tmp_path / "one.svg").read_text("utf-8")


def test_numbers_in_labels_keep_their_digits_and_paths_are_short() -> None:
    with style.panels() as (figure, (axes,)):
        axes.plot([0, 1 / 3], [0, 2 / 7])
        axes.set(title="바닥 1.4612")
    svg = style.to_svg(figure)
    assert "바닥 1.4612" in svg
    assert not re.search(r' d="[^"]*\.\d{3}', svg)


def test_an_inline_image_has_its_size_and_alt() -> None:
    with style.panels() as (figure, (axes,)):
        axes.plot([0, 1], [0, 1])
    tag = style.to_img(figure, 'x < y "따옴"')
    assert tag.startswith(
        '<img alt="x &lt; y &quot;따옴&quot;" width="480" height="278" src="data:image/svg+xml;base64,'
    )


def test_lower_digits_are_ordinary_digits_set_lower() -> None:
    with style.panels() as (figure, (axes,)):
        axes.set(title="E[x₀ | xₜ] = 1", xlabel="W₁")
    texts = {"".join(node.itertext()): node for node in ET.fromstring(style.to_svg(figure)).iter(f"{SVG}text")}
    assert [(part.text, part.get("dy")) for part in texts["E[x0 | xt] = 1"]] == [
        ("0", ".3em"), (" | x", "-.225em"), ("t", ".3em"), ("] = 1", "-.225em"),
    ]  # fmt: skip
    assert [(part.text, part.get("dy")) for part in texts["W1"]] == [("1", ".3em")]


def test_separate_pictures_stand_side_by_side() -> None:
    with style.separate(2, width=2.0, height=1.5) as places:
        for (_, axes), title in zip(places, ("하나", "둘"), strict=True):
            axes.set(title=title)
    html = style.side_by_side([(figure, axes.get_title()) for figure, axes in places])
    assert html.count('<img alt="') == 2
    assert html.index('alt="하나" width="192" height="144"') < html.index('alt="둘"')
    assert "flex-wrap:wrap" in html


def test_log_ticks_are_written_without_mathtext() -> None:
    assert [style.powers(value, None) for value in (1e-3, 1.0, 100.0)] == ["10⁻³", "10⁰", "10²"]


def film(frames: int) -> str:
    with style.panels() as (figure, (axes,)):
        axes.plot([0, 1], [0, 1], color=style.INK)
        for frame in range(frames):
            axes.plot([0, frame], [1, 0], color=style.BLUE, gid=f"frame-{frame:02d}")
            axes.plot([frame], [0], "o", color=style.ORANGE, gid=f"frame-{frame:02d}-ball")
    return style.to_svg(figure)


def test_frames_are_shown_one_after_another_without_a_script() -> None:
    svg = film(12)
    groups = [node for node in ET.fromstring(svg).iter(f"{SVG}g") if node.get("class") == "frame"]
    assert [node.get("id") for node in groups] == [f"frame-{n:02d}{part}" for n in range(12) for part in ("", "-ball")]
    delays = [node.get("style") for node in groups]
    assert delays == [f"animation-delay:calc({n:02d}*var(--frame))" for n in range(12) for _ in range(2)]
    assert "animation:film calc(12*var(--frame)) step-end infinite" in svg
    assert f"{100 / 12:.4f}%{{visibility:hidden}}" in svg
    assert f"--frame:{style.FRAME_SECONDS}s" in svg
    assert "<script" not in svg
    ids = [node.get("id") for node in ET.fromstring(svg).iter() if node.get("id")]
    assert len(ids) == len(set(ids))


def test_frames_stand_still_for_readers_who_ask_for_less_motion() -> None:
    assert "@media(prefers-reduced-motion:reduce){.frame{visibility:visible;animation:none}}" in film(3)


def test_a_figure_without_frames_does_not_move(svg: str) -> None:
    assert "animation" not in svg
    assert "frame" not in svg
