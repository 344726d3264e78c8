"""예제가 있는 페이지마다, 위에서 아래로 돌아가는 노트북을 만들어 곁에 둔다.

글은 노트북이 아는 마크다운으로 옮기고, 예제는 코드 칸이 되며, 바로 아래의 ‘출력’은 그 칸의 출력이 된다. 그 출력은
시험이 지키는 것이므로 여기서 다시 돌리지 않는다. 노트북은 사이트 밖에서 열리므로 링크와 그림은 사이트의 주소로 바꾸고,
주소를 모르면 글만 남긴다.
"""

import html
import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urljoin

import nbformat
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils.meta import get_data

from mgk_book.prepare.portable import portable

# 페이지의 블록: 여닫는 울타리의 깊이가 같다. notest가 붙은 것은 돌지 않으므로 글로 둔다.
BLOCK = re.compile(
    r"^(?P<indent> *)```python(?! *\{[^}\n]*notest)[^\n]*\n(?P<code>.*?)^(?P=indent)```\n"
    r'(?:\n*(?P=indent)```text title="출력"\n(?P<output>.*?)^(?P=indent)```\n)?',
    re.DOTALL | re.MULTILINE,
)
FENCED = re.compile(r"(^ *```.*?^ *```$|`[^`\n]+`|\$\$.*?\$\$|\$(?:[^$\n]|\n(?!\n))+\$)", re.DOTALL | re.MULTILINE)
SNIPPET = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)
FOLD = re.compile(
    r'^(?P<mark>!!!|\?\?\?\+?|===) ?[\w-]* ?"(?P<title>[^"]*)"\n(?P<body>(?:\n| {4}.*\n?)*)', re.MULTILINE
)
LISTING = re.compile(r"^::: (mgk_docs_src\.[\w.]+)\n(?: {4}.*\n)*", re.MULTILINE)
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)(?:\{[^}]*\})?")
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^)\s]+)\)")
CODE_LINK = re.compile(r"\[([^\[\]]+)\]\[(mgk_docs_src\.[\w.]+)\]")
LANGUAGE = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"}}  # fmt: skip
HEAD = "이 노트북은 {} 페이지를 옮긴 것이다. 출력은 그 페이지에 실린 것이고, 돌리면 새로 나온다."
UNKNOWN = "이 책의 저장소에서 `pip install .`을 부른 파이썬이라면 아래의 칸이 차례로 돌아간다."
ENGLISH_HEAD = "This notebook is the page {}. The output is that of the page; run a cell for your own."
ENGLISH_UNKNOWN = (
    "The cells run in order in any Python in which `pip install .` was called in the repository of the book."
)


class Place(NamedTuple):
    """페이지가 놓인 곳: 제목, 원본의 경로, 사이트의 주소(모르면 None)와 파일들, 스니펫을 찾을 폴더들."""

    title: str
    source: str
    site: str | None
    files: Files
    snippets: tuple[Path, ...] = ()


def address(target: str, place: Place) -> str | None:
    """페이지 안의 링크가 사이트에서 가리키는 주소. 모르면 None."""
    if "://" in target:
        return target
    path, mark, anchor = target.partition("#")
    uri = posixpath.normpath(posixpath.join(posixpath.dirname(place.source), path)) if path else place.source
    file = place.files.get_file_from_path(uri)
    return urljoin(place.site, file.url) + mark + anchor if place.site and file else None


def expanded(text: str, place: Place) -> str:
    """잰 결과의 표를 펼친다. 사이트가 찾지 못하는 것은 사이트의 빌드가 말한다."""

    def read(match: re.Match[str]) -> str:
        found = [folder / match[1] for folder in place.snippets if (folder / match[1]).is_file()]
        return found[0].read_text("utf-8").strip("\n") if found else ""

    return SNIPPET.sub(read, text)


def unfolded(text: str) -> str:
    """알림은 굵은 제목과 글로, 접어 둔 것은 노트북에서도 접히게."""

    def replace(match: re.Match[str]) -> str:
        body = re.sub(r"(?m)^ {4}", "", match["body"]).strip("\n")
        if match["mark"].startswith("???"):
            return f"<details><summary>{match['title']}</summary>\n\n{body}\n\n</details>\n\n"
        return f"**{match['title']}**\n\n{body}\n\n"

    return FOLD.sub(replace, text)


def linked(text: str, place: Place) -> str:
    """링크, 그림, 함수의 목록을 사이트 밖에서도 통하게."""

    def picture(match: re.Match[str]) -> str:
        url = address(match[2], place)
        return f"![{match[1]}]({url})" if url else f"*그림: {match[1]}*"

    def link(match: re.Match[str]) -> str:
        url = address(match[2], place)
        return f"[{match[1]}]({url})" if url else match[1]

    def listing(match: re.Match[str]) -> str:
        url = address(f"#{match[1]}", place)
        name = f"[`{match[1]}`]({url})" if url else f"`{match[1]}`"
        return f"- {name}\n"

    return CODE_LINK.sub(r"\1(`\2`)", LINK.sub(link, PICTURE.sub(picture, LISTING.sub(listing, text))))


def prose(text: str, place: Place) -> str:
    """글 칸 하나. 코드와 수식은 건드리지 않는다."""
    parts = FENCED.split(unfolded(expanded(text, place)))
    kept = parts[1::2]  # 홀수째가 코드와 수식이다. 링크의 이름에도 들어 있으므로 잘라 내지 않고 자리표로 둔다
    text = "".join(part if number % 2 == 0 else f"\0{number // 2}\0" for number, part in enumerate(parts))
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = linked(re.sub(r"(?m)^(#+ .*?) *\{[^}\n]*\}$", r"\1", text), place)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], text).strip()


def dedented(text: str, indent: str) -> str:
    """블록이 들어 있던 깊이만큼 당긴다. 더 얕은 줄부터는 그대로다."""
    inside = re.match(rf"(?:\n|{indent}.*\n?)*", text)
    assert inside is not None  # 빈 글에도 맞는다
    return re.sub(rf"(?m)^{indent}", "", inside[0]) + text[inside.end() :]


def cells(text: str, place: Place) -> list[Any]:
    """페이지의 글을 노트북의 칸들로."""
    body = get_data(text)[0] + "\n"
    url = address("", place)
    origin = f"[{place.title}]({url})" if url else f"‘{place.title}’"
    head = ENGLISH_HEAD if _is_english(place) else HEAD
    made = [nbformat.v4.new_markdown_cell(head.format(origin))]
    end, indent = 0, ""
    for block in BLOCK.finditer(body):
        made.append(nbformat.v4.new_markdown_cell(prose(dedented(body[end : block.start()], indent), place)))
        end, indent = block.end(), block["indent"]
        code = nbformat.v4.new_code_cell(dedented(block["code"], indent).rstrip("\n"))
        if block["output"] is not None:
            code.outputs = [nbformat.v4.new_output("stream", name="stdout", text=dedented(block["output"], indent))]
        made.append(code)
    made.append(nbformat.v4.new_markdown_cell(prose(dedented(body[end:], indent), place)))
    return [cell for cell in made if cell.source]


def notebook(text: str, place: Place, repository: str | None) -> Any | None:
    """페이지의 노트북. 예제가 없는 페이지라면 None."""
    made = cells(text, place)
    if not any(cell.cell_type == "code" for cell in made):
        return None
    if not repository:
        made.insert(1, nbformat.v4.new_markdown_cell(ENGLISH_UNKNOWN if _is_english(place) else UNKNOWN))
    for number, cell in enumerate(made):
        cell.id = f"cell-{number}"  # 같은 글이면 같은 바이트
    return portable(nbformat.v4.new_notebook(cells=made, metadata=LANGUAGE), repository)


def links(source: str, repository: str | None) -> str:
    """내려받는 링크와, 저장소를 알면 Colab에서 여는 링크."""
    name = PurePosixPath(source).stem
    found = [f'<a href="{name}.ipynb" download>이 페이지를 노트북으로 내려받기 (.ipynb)</a>']
    if repository:
        # publish 작업이 노트북을 notebooks 가지에 올린다. Colab은 GitHub에 있는 것만 연다.
        path = source.removesuffix(".md")
        colab = f"https://colab.research.google.com/github/{repository}/blob/notebooks/{path}.ipynb"
        found.append(f'<a href="{colab}">Colab에서 열기</a>')
    return f'<p class="page-links" data-search-exclude>{" · ".join(found)}</p>'


def on_page_content(content: str, page: Page, config: Any, files: Files) -> str:
    """MkDocs 훅: 페이지 곁에 노트북을 두고 본문 끝에 링크를 단다."""
    source, repository = page.file.src_uri, config.extra.get("repository")
    if not source.endswith(".md"):
        return content
    root = Path(config.config_file_path).parent
    folders = config.mdx_configs.get("pymdownx.snippets", {}).get("base_path", [])
    snippets = tuple(root / folder for folder in folders)
    place = Place(html.unescape(str(page.title)), source, config.site_url or None, files, snippets)
    made = notebook(page.file.content_string, place, repository)
    if made is None:
        return content
    uri = PurePosixPath(page.file.dest_uri).parent / f"{PurePosixPath(source).stem}.ipynb"
    files.append(File.generated(config, uri.as_posix(), content=nbformat.writes(made)))
    return f"{content}\n{links(source, repository)}"


def _is_english(place: Place) -> bool:
    return place.source.startswith("en/")
