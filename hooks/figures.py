"""`![설명](figures/penalty.svg)`의 그림을 시험된 함수로 그린다.

`docs/losses/binary.md`의 그림은 `mgk_docs_src/figures/losses/binary.py`의 공개 함수다. 그린 것은
`.cache/figures/`에 두고, 함수가 기대는 것(mgk_book/proofs/closure.py)이 바뀔 때만 다시 그린다. 저장소에는 그림이 없다.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from mgk_book.prepare.figures import draw_all, drawings


def on_files(files: Files, config: Any) -> Files:
    """MkDocs 훅: 그린 그림을 사이트의 파일로 더한다."""
    root = Path(config.config_file_path).parent
    wanted = drawings([file.src_uri for file in files.documentation_pages()], root)
    draw_all(wanted, root)
    for drawing in wanted:
        for path in sorted(drawing.folder.glob("*.svg")):
            uri = f"{drawing.place}/{path.name}"
            if files.get_file_from_path(uri):
                raise PluginError(f"{uri}: 같은 폴더의 두 페이지가 같은 이름의 그림을 그린다")
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def file_of(name: str, page_uri: str, files: Files) -> File | None:
    """페이지에 실린 그림의 파일."""
    return files.get_file_from_path(f"{page_uri.rpartition('/')[0]}/figures/{name}.svg".lstrip("/"))


def sized(content: str, page_uri: str, files: Files) -> str:
    """그림에 크기를 적어, 늦게 와도 글이 밀리지 않게 한다."""

    def replace(match: re.Match[str]) -> str:
        file = file_of(match["name"], page_uri, files)
        size = file and re.search(r'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"', file.content_string, re.DOTALL)
        if not size:
            return match[0]
        width, height = (round(float(points) * 4 / 3) for points in size.groups())
        return f'{match[1]} width="{width}" height="{height}" loading="lazy"{match["end"]}'

    return re.sub(r'(<img [^>]*src="[^"]*figures/(?P<name>\w+)\.svg"[^>]*?)(?P<end>\s*/?>)', replace, content)


def markup(file: File, name: str) -> str:
    """페이지에 그대로 넣을 SVG. 이름(id)이 다른 그림과 겹치지 않고, 색은 읽는 사람이 고른 밝기를 따른다."""
    svg = file.content_string[file.content_string.index("<svg") :].replace(' target="_blank"', "")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\sid="|<use xlink:href="#|url\(#)', rf"\1{name}-", svg)
    dark = r"@media screen{[data-md-color-scheme=slate] svg{\1}}"
    return re.sub(r"@media\(prefers-color-scheme:dark\)\{svg\{([^}]*)\}\}", dark, svg)


def inlined(content: str, page_uri: str, files: Files) -> str:
    """`{ .inline }`이 붙은 그림은 페이지에 그대로 넣는다. 그래야 그림 속의 링크를 누르고 자판으로도 옮겨 다닌다."""

    def replace(match: re.Match[str]) -> str:
        file = file_of(match["name"], page_uri, files)
        if not file:
            return match[0]
        svg = markup(file, match["name"])
        return f'<div class="inline-figure" role="group" aria-label="{match["alt"]}">{svg}</div>'

    inline = r'<img (?=[^>]*class="inline")[^>]*?alt="(?P<alt>[^"]*)"[^>]*?src="[^"]*figures/(?P<name>\w+)\.svg"[^>]*>'
    return re.sub(inline, replace, content)


def on_page_content(content: str, page: Any, files: Files, **_: Any) -> str:
    """MkDocs 훅: 페이지 본문."""
    return sized(inlined(content, page.file.src_uri, files), page.file.src_uri, files)
