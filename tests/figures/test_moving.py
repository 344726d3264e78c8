"""mgk_docs_src/figures/moving.py: 적은 장면이 matplotlib이 그릴 선과 같고, 처음 장면이 그림에 들어간다."""

import json
import math
import re
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure

from mgk_docs_src.figures.moving import Knob, Moving, Reading, Trace, knob, save, scenes, trace
from mgk_docs_src.figures.style import BLUE, panels, to_svg


def numbers(d: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?[\d.]+", d)]


def example(*, start: tuple[int, int] = (0, 0)) -> Moving:
    """슬라이더는 높이(3자리)와 기울기(2자리)."""
    height, slope = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([-1.0, 1.0])
    x = torch.tensor([0.0, 1.0, 3.0])
    y = height[:, None, None] + slope[:, None] * x
    with panels() as (figure, (axes,)):
        traces = [
            trace(axes, x, y, color=BLUE, label="선"),
            trace(axes, x[1:], height[:, None, None], kind="dots", color=BLUE, width=8),
            trace(axes, x[1:], height[:, None, None], kind="bars", color=BLUE, width=8),
        ]
        axes.set(xlim=(-1, 4), ylim=(0, 6))
        axes.legend()
    readings = [Reading("기울기 {:z.1f}", slope[None]), Reading("끝 {:.0f}", y[..., -1])]
    return Moving(figure, [knob("높이", height, start[0]), knob("기울기", slope, start[1])], traces, readings)


def drawn_by_matplotlib(x: list[float], y: list[float]) -> list[float]:
    """같은 칸에 그 자료를 그대로 그렸을 때의 좌표."""
    with panels() as (figure, (axes,)):
        axes.plot(x, y, color=BLUE, gid="drawn", label="선")
        axes.set(xlim=(-1, 4), ylim=(0, 6))
        axes.legend()
    found = re.search(r'<g id="drawn">\s*<path d="([^"]*)"', to_svg(figure))
    assert found
    return numbers(found[1])


def written(tmp_path: Path, moving: Moving) -> tuple[str, dict]:
    save(moving, tmp_path / "moving.svg")
    svg = (tmp_path / "moving.svg").read_text("utf-8")
    return svg, json.loads((tmp_path / "moving.json").read_text("utf-8"))


def test_every_scene_is_what_matplotlib_would_have_drawn(tmp_path: Path) -> None:
    _, made = written(tmp_path, example())
    line = made["traces"][0]
    assert line["shape"] == [3, 2]
    for number, (height, slope) in enumerate((h, s) for h in (0, 1, 2) for s in (-1, 1)):
        if height + 3 * slope < 0:
            continue  # matplotlib은 칸 밖으로 나간 선을 잘라 적는다
        truth = drawn_by_matplotlib([0, 1, 3], [height, height + slope, height + 3 * slope])
        assert numbers(line["all"][number]) == pytest.approx(truth, abs=0.051)


def test_dots_and_bars_are_paths_of_their_own(tmp_path: Path) -> None:
    _, made = written(tmp_path, example())
    line, dots, bars = made["traces"]
    x0, y0, x1, y1, x2, y2 = numbers(line["all"][1])  # 높이 0, 기울기 1: y = x
    pixel = (y0 - y1) / 1.0
    assert dots["shape"] == bars["shape"] == [3, 1]
    assert re.fullmatch(r"(M[\d.]+ [\d.]+h0){2}", dots["all"][2])
    assert numbers(dots["all"][2])[:2] == pytest.approx([x1, y0 - 2 * pixel], abs=0.2)
    assert re.fullmatch(r"(M[\d.]+ [\d.]+V[\d.]+){2}", bars["all"][2])
    assert numbers(bars["all"][2]) == pytest.approx([x1, y0, y0 - 2 * pixel, x2, y0, y0 - 2 * pixel], abs=0.2)
    assert (x0, y2) < (x1, y1)


@pytest.mark.parametrize("start", [(0, 1), (2, 1)])
def test_the_picture_shows_the_starting_scene(tmp_path: Path, start: tuple[int, int]) -> None:
    svg, made = written(tmp_path, example(start=start))
    for number, moved in enumerate(made["traces"]):
        index = start[0] * moved["shape"][1] + (start[1] if moved["shape"][1] > 1 else 0)
        assert re.search(rf'<g id="trace-{number}">\s*<path d="{re.escape(moved["all"][index])}"', svg)
    assert [knob["start"] for knob in made["knobs"]] == [*start]


def test_the_places_and_the_readings_are_said_in_words(tmp_path: Path) -> None:
    _, made = written(tmp_path, example())
    assert made["knobs"][1] == {"label": "기울기", "places": ["−1", "1"], "start": 0}
    assert made["readings"] == [
        {"shape": [1, 2], "all": ["기울기 −1.0", "기울기 1.0"]},
        {"shape": [3, 2], "all": ["끝 −3", "끝 3", "끝 −2", "끝 4", "끝 −1", "끝 5"]},
    ]


def one(x: list[float], y: list[float]) -> str:
    with panels() as (figure, (axes,)):
        moved = trace(axes, torch.tensor([x]), torch.tensor([y]), color=BLUE)
        axes.set(xlim=(0, 1), ylim=(0, 1))
    to_svg(figure)
    return str(scenes(Moving(figure, [Knob("하나", ["한 자리"], 0)], [moved], []))["traces"][0]["all"][0])


def test_a_point_that_is_not_finite_breaks_the_line() -> None:
    assert re.fullmatch(r"M\S+ \S+M\S+ \S+L\S+ \S+", one([0, 0.2, 0.4, 0.6], [0, math.nan, 1, 1]))
    assert one([0.5], [math.inf]) == ""
    assert Reading("여백 {:.2f}", torch.tensor([math.inf])).values.isinf().all()


def test_a_point_far_away_does_not_grow_the_file() -> None:
    assert max(map(abs, numbers(one([0, 1], [0, 1e30])))) == 1e4


def test_infinity_and_minus_zero_are_written_for_people() -> None:
    with panels() as (figure, (axes,)):
        axes.set(xlim=(0, 1))
    places = Knob("셋", ["가", "나", "다"], 0)
    reading = Reading("{:z.2f}", torch.tensor([math.inf, -1e-9, -math.inf]))
    assert scenes(Moving(figure, [places], [], [reading]))["readings"][0]["all"] == ["∞", "0.00", "−∞"]


def test_the_axes_keep_their_limits() -> None:
    with panels() as (_, (axes,)):
        axes.plot([0, 5], [0, 5])
        before = axes.get_xlim()
        trace(axes, torch.zeros(1, 1), torch.zeros(1, 1), color=BLUE)
        axes.relim()
        axes.autoscale_view()
    assert axes.get_xlim() == before


def test_bars_end_flat_and_dots_end_round() -> None:
    made = example().traces
    assert [moved.line.get_solid_capstyle() for moved in made] == ["round", "round", "butt"]
    assert isinstance(made[0], Trace)
    assert isinstance(made[0].line.get_figure(), Figure)


@pytest.mark.bad_input
@pytest.mark.parametrize("shape", [(2, 4), (1, 1, 4), (3, 1, 4)])
def test_values_that_do_not_follow_the_knobs_are_refused(shape: tuple[int, ...]) -> None:
    with panels() as (figure, (axes,)):
        moved = trace(axes, torch.zeros(shape), torch.zeros(shape), color=BLUE)
    to_svg(figure)
    with pytest.raises(ValueError, match=r"슬라이더의 위치가 \[3\]인데 값의 모양이"):
        scenes(Moving(figure, [Knob("높이", ["0", "1", "2"], 0)], [moved], []))
