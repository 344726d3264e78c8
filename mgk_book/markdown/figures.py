"""`![설명](figures/penalty.svg)`의 그림에 크기를 적고, 페이지에 그대로 넣을 것은 넣는다.

그리는 일은 mgk_book/prepare/figures.py가 끝냈다. 종류는 셋이다.

- 여느 그림: 크기를 적어, 늦게 와도 글이 밀리지 않게 한다.
- `{ .inline }`: 페이지에 그대로 넣는다. 그래야 그림 속의 링크를 누르고 자판으로도 옮겨 다닌다.
- `{ .moving }`: 슬라이더를 단다. 그림의 함수가 슬라이더의 모든 위치에서의 선을 미리 적어 두었고
  (mgk_docs_src/figures/moving.py), `docs/assets/javascripts/moving.js`가 자리에 맞는 선으로 바꾼다. 스크립트가 없으면
  슬라이더는 숨고 그림은 남는다.
"""

import html
import json
import posixpath
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from mgk_book.book import SITE, WAITING, BookError
from mgk_book.markdown.part import Part, page_of, parents

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
DARK = "@media(prefers-color-scheme:dark){svg{"
CHOSEN = "@media screen{[data-md-color-scheme=slate] svg{"  # 독자가 선택한 밝기
REFERENCE = re.compile(r"(?<=url\(#)")
ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)


class Figures(Part):
    """페이지의 모든 그림."""

    def run(self, root: ET.Element) -> None:
        """그린 것이 없는 그림은 그대로 둔다: 없는 파일은 생성기가 경고한다."""
        page = page_of(self.md)
        if page is None:
            return
        for parent, image in parents(root):
            path = self.drawn(page, image) if image.tag == "img" else None
            kind = image.get("class")
            if path and kind in ("inline", "moving") and path.read_text("utf-8") != WAITING:
                parent[:], parent.text = [], self.md.htmlStash.store(whole(image, path, page))
            elif path:
                _, svg = next(ET.iterparse(path, events=["start"]))
                for side in ("width", "height"):
                    image.set(side, str(round(float(svg.get(side, "").removesuffix("pt")) * 4 / 3)))
                image.set("loading", "lazy")

    def drawn(self, page: str, image: ET.Element) -> Path | None:
        """이미지가 가리키는, 그려 둔 파일."""
        path = self.root / SITE / posixpath.join(posixpath.dirname(page), image.get("src", ""))
        return path if path.suffix == ".svg" and path.is_file() else None


def whole(image: ET.Element, path: Path, page: str) -> str:
    """페이지에 그대로 넣을 HTML."""
    alt, svg = html.escape(image.get("alt", "")), markup(path)
    if image.get("class") == "inline":
        return f'<div class="inline-figure" role="group" aria-label="{alt}">{svg}</div>'
    scenes = path.with_suffix(".json")
    if not scenes.is_file():
        raise BookError(f"{page}: {image.get('src')}는 움직이는 그림이 아니다. {{ .moving }}을 뺀다")
    return widget(path.stem, alt, svg, json.loads(scenes.read_text("utf-8")))


def markup(path: Path) -> str:
    """SVG의 글. 이름(id)은 다른 그림과 겹치지 않고, 색은 독자가 선택한 밝기를 따른다."""
    svg = ET.parse(path).getroot()
    for parent in list(svg.iter()):
        for child in [each for each in parent if each.tag == f"{{{SVG}}}metadata"]:
            parent.remove(child)
        parent.attrib.pop("target", None)
        for name, value in parent.attrib.items():
            if name == "id":
                parent.set(name, f"{path.stem}-{value}")
            elif parent.tag == f"{{{SVG}}}use" and name == f"{{{XLINK}}}href":
                parent.set(name, f"#{path.stem}-{value[1:]}")
            else:
                parent.set(name, REFERENCE.sub(f"{path.stem}-", value))
        if parent.tag == f"{{{SVG}}}style" and parent.text:
            parent.text = parent.text.replace(DARK, CHOSEN)
    return ET.tostring(svg, "unicode").rstrip()


def widget(name: str, alt: str, svg: str, scenes: Any) -> str:
    """그림과 슬라이더와 표시할 수. 데이터는 스크립트가 읽는 JSON으로 곁에 둔다."""
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
    """슬라이더 하나. 위치는 번호로 정하고, 화면과 화면 낭독기에는 그 위치의 글을 준다."""
    last, start = len(knob["places"]) - 1, knob["start"]
    place = html.escape(knob["places"][start])
    return (
        f'<label for="{name}">{html.escape(knob["label"])} <output for="{name}">{place}</output></label>'
        f'<input id="{name}" type="range" min="0" max="{last}" value="{start}" aria-valuetext="{place}"'
        ' autocomplete="off">'
    )


def at(every: Any, places: list[int]) -> Any:
    """슬라이더의 위치가 `places`일 때의 값. moving.js도 이렇게 선택한다."""
    index = 0
    for place, size in zip(places, every["shape"], strict=True):
        index = index * size + (place if size > 1 else 0)
    return every["all"][index]
