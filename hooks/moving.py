"""`![설명](figures/bce_live.svg){ .moving }`에 손잡이를 단다.

그림의 함수가 손잡이의 모든 자리에서의 선을 미리 적어 두었다(mgk_docs_src/figures/moving.py). 여기서는 처음 장면의
SVG와 그 자료를 페이지에 넣고, `docs/assets/javascripts/moving.js`가 자리에 맞는 선으로 바꾼다. 스크립트가 없으면
손잡이는 숨고 그림은 남는다.
"""

import html
import json
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files

from hooks.figures import file_of, markup

PICTURE = re.compile(
    r'<p>\s*<img (?=[^>]*class="moving")[^>]*?alt="(?P<alt>[^"]*)"[^>]*?src="[^"]*figures/(?P<name>\w+)\.svg"[^>]*>'
    r"\s*</p>"
)


def widget(name: str, alt: str, svg: str, scenes: Any) -> str:
    """그림과 손잡이와 읽을 수. 자료는 스크립트가 읽는 JSON으로 곁에 둔다."""
    start = [knob["start"] for knob in scenes["knobs"]]
    said = " · ".join(at(reading, start) for reading in scenes["readings"])
    data = json.dumps(scenes, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    knobs = "".join(slider(f"{name}-knob-{number}", knob) for number, knob in enumerate(scenes["knobs"]))
    return (
        f'<figure class="moving" role="group" aria-label="{alt}" data-search-exclude>'
        f'{svg}<div class="moving-knobs">{knobs}</div>'
        f'<p class="moving-readings" role="status">{html.escape(said)}</p>'
        f'<script type="application/json">{data}</script></figure>'
    )


def slider(name: str, knob: Any) -> str:
    """손잡이 하나. 자리는 번호로 고르고, 화면과 화면 읽기에는 그 자리의 글을 준다."""
    last, start = len(knob["places"]) - 1, knob["start"]
    place = html.escape(knob["places"][start])
    return (
        f'<label for="{name}">{html.escape(knob["label"])} <output for="{name}">{place}</output></label>'
        f'<input id="{name}" type="range" min="0" max="{last}" value="{start}" aria-valuetext="{place}"'
        ' autocomplete="off">'
    )


def at(every: Any, places: list[int]) -> Any:
    """손잡이의 자리가 `places`일 때의 것. moving.js도 이렇게 고른다."""
    index = 0
    for place, size in zip(places, every["shape"], strict=True):
        index = index * size + (place if size > 1 else 0)
    return every["all"][index]


def moved(content: str, page_uri: str, files: Files) -> str:
    """움직이는 그림마다 손잡이를 단 본문."""

    def replace(match: re.Match[str]) -> str:
        file = file_of(match["name"], page_uri, files)
        scenes = Path(str(file.abs_src_path)).with_suffix(".json") if file else None
        if not file or not scenes or not scenes.is_file():
            raise PluginError(f"{page_uri}: figures/{match['name']}.svg는 움직이는 그림이 아니다. {{ .moving }}을 뺀다")
        svg = markup(file, match["name"])
        return widget(match["name"], match["alt"], svg, json.loads(scenes.read_text("utf-8")))

    return PICTURE.sub(replace, content)


def on_page_content(content: str, page: Any, files: Files, **_: Any) -> str:
    """MkDocs 훅: 페이지 본문."""
    return moved(content, page.file.src_uri, files)
