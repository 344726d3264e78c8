"""슬라이더로 움직이는 그림: 테스트한 함수가 미리 계산한 장면을 모두 적는다.

움직이는 것마다 슬라이더의 모든 위치에서의 선(SVG의 `d`)을 적어 둔다. 그래서 페이지의 스크립트는 계산하지 않고 선택만
한다. 처음 위치의 그림은 여느 그림과 같은 SVG라서, 스크립트가 없는 곳과 노트북에서는 그것이 보인다.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from mgk_docs_src.figures.style import to_svg

Kind = Literal["line", "dots", "bars"]
POINTS = 72  # SVG의 길이는 1인치에 72포인트다
FARTHEST = 1e4  # 칸에서 아주 먼 점도 적는 수가 길어지지 않게


class Knob(NamedTuple):
    """슬라이더 하나: 이름, 위치마다의 글, 처음 위치."""

    label: str
    places: Sequence[str]
    start: int


class Trace(NamedTuple):
    """움직이는 것 하나. `x`와 `y`는 (슬라이더마다의 위치 …, 점)이고, 그 슬라이더를 따르지 않으면 축의 길이가 1이다."""

    line: Line2D
    kind: Kind
    x: Tensor
    y: Tensor


class Reading(NamedTuple):
    """그림 아래에 적는 수: `"손실 {:z.4f}"` 같은 글과, 슬라이더의 위치마다의 값."""

    text: str
    values: Tensor


class Moving(NamedTuple):
    """슬라이더로 움직이는 그림."""

    figure: Figure
    knobs: list[Knob]
    traces: list[Trace]
    readings: list[Reading]


def knob(label: str, values: Tensor, start: int) -> Knob:
    """값을 그대로 위치의 글로 쓰는 슬라이더."""
    return Knob(label, [_said("{:g}", value) for value in values.tolist()], start)


def trace(
    axes: Axes, x: Tensor, y: Tensor, *, kind: Kind = "line", color: str, width: float = 2, label: str | None = None
) -> Trace:
    """칸에 움직이는 것을 놓는다. `width`는 선의 굵기, 점의 지름, 막대의 너비다(포인트)."""
    # 자리만 잡는 선이다. 칸의 비율로 놓으므로 축의 범위를 바꾸지 않고, 적을 때 처음 장면으로 바뀐다.
    cap: Literal["butt", "round"] = "butt" if kind == "bars" else "round"
    (line,) = axes.plot(
        [0, 1], [0, 1], color=color, linewidth=width, solid_capstyle=cap, label=label, transform=axes.transAxes
    )
    return Trace(line, kind, x, y)


def save(moving: Moving, path: Path) -> None:
    """처음 장면을 `path`에(SVG), 모든 장면을 곁의 `.json`에 쓴다."""
    for number, moved in enumerate(moving.traces):
        moved.line.set_gid(f"trace-{number}")
    svg = to_svg(moving.figure)  # 칸의 자리는 그릴 때 정해진다
    written = scenes(moving)
    at = [knob.start for knob in moving.knobs]
    for number, made in enumerate(written["traces"]):
        d = made["all"][_flat(at, made["shape"])]
        svg = re.sub(rf'(<g id="trace-{number}">\s*<path d=")[^"]*', rf"\g<1>{d}", svg)
    path.write_text(svg, "utf-8")
    path.with_suffix(".json").write_text(json.dumps(written, ensure_ascii=False, separators=(",", ":")), "utf-8")


def scenes(moving: Moving) -> dict[str, Any]:
    """그린 그림의 모든 장면: 슬라이더, 움직이는 것마다의 선, 읽을 수."""
    sizes = [len(knob.places) for knob in moving.knobs]
    return {
        "knobs": [knob._asdict() for knob in moving.knobs],
        "traces": [_everywhere(list(_paths(moved)), _shape(sizes, moved.x, moved.y)) for moved in moving.traces],
        "readings": [
            _everywhere([_said(reading.text, value) for value in reading.values.flatten().tolist()],
                        _shape(sizes, reading.values[..., None]))
            for reading in moving.readings
        ],
    }  # fmt: skip


def _everywhere(every: list[str], shape: list[int]) -> dict[str, Any]:
    return {"shape": shape, "all": every}


def _shape(sizes: list[int], *values: Tensor) -> list[int]:
    """점의 축을 뺀 모양. 슬라이더마다 위치의 수이거나 1이어야 한다."""
    shape = list(np.broadcast_shapes(*(value.shape[:-1] for value in values)))
    if len(shape) != len(sizes) or any(size not in (1, places) for size, places in zip(shape, sizes, strict=True)):
        raise ValueError(f"슬라이더의 위치가 {sizes}인데 값의 모양이 {shape}이다. 축마다 위치의 수이거나 1이어야 한다")
    return shape


def _flat(at: Sequence[int], shape: Sequence[int]) -> int:
    """슬라이더의 위치가 `at`일 때 몇째인가. moving.js의 `place`와 같은 셈이다."""
    index = 0
    for place, size in zip(at, shape, strict=True):
        index = index * size + (place if size > 1 else 0)
    return index


def _said(text: str, value: float) -> str:
    return text.format(value).replace("-", "−").replace("inf", "∞")


def _paths(moved: Trace) -> Iterator[str]:
    """자리마다의 `d`. 유한하지 않은 점은 그리지 않고, 선은 그 앞뒤로 끊긴다."""
    axes = moved.line.axes
    figure = moved.line.get_figure(root=True)
    assert axes is not None
    assert figure is not None
    x, y = np.broadcast_arrays(moved.x.double().numpy(), moved.y.double().numpy())
    scale = POINTS / figure.dpi
    height = figure.bbox.height * scale
    bottom = height - axes.bbox.y0 * scale  # 막대는 칸의 바닥에서 자란다
    for at in product(*(range(size) for size in x.shape[:-1])):
        points = axes.transData.transform(np.stack([x[at], y[at]], -1)) * scale
        seen = [
            (_near(across), _near(height - up)) if math.isfinite(across + up) else None
            for across, up in points.tolist()
        ]
        yield _path(moved.kind, seen, _near(bottom))


def _near(length: float) -> str:
    """0.1포인트면 눈에는 같고 파일은 가볍다."""
    return f"{min(max(length, -FARTHEST), FARTHEST):.1f}".removesuffix(".0")


def _path(kind: Kind, points: list[tuple[str, str] | None], bottom: str) -> str:
    if kind == "dots":
        return "".join(f"M{point[0]} {point[1]}h0" for point in points if point)
    if kind == "bars":
        return "".join(f"M{point[0]} {bottom}V{point[1]}" for point in points if point)
    before = [None, *points]
    return "".join(f"{'L' if last else 'M'}{now[0]} {now[1]}" for last, now in zip(before, points, strict=False) if now)
