"""실습 한 페이지를 맞춘다: 사이트의 마크다운으로 그린 글 사이에, mkdocs-jupyter가 그린 출력을 끼운다.

글을 사이트의 마크다운으로 그려야 한글 제목의 id, 목차, 링크, 수식, 알림이 다른 페이지와 같다. mkdocs-jupyter의 틀과
스타일과 스크립트는 쓰지 않고 출력만 book.css에 맞는 요소로 싼다. 출력 속의 그림은 본문에서 꺼내 파일로 둔다: 노트북은
그림을 글자로 부풀려(base64) 담는데, 그대로 두면 첫 화면의 글이 아래쪽의 모든 그림을 기다린다.

코드 칸의 표지(`# %% 이름 tags=["…"]`)는 둘이다.

- `setup`: import, 도구, 학습. 코드를 이름 아래에 접는다. 출력은 그대로 보인다.
- `summary`: 첫 표나 그림을 결론 아래, 첫 글 칸 뒤에 한 번 더 보인다.
"""

import ast
import base64
import hashlib
import re
from collections.abc import Collection, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from bs4 import BeautifulSoup, Tag
from pygments import highlight
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Comment, String, Text

from mgk_book.markdown import names
from mgk_book.markdown.code import Plain, cells
from mgk_book.markdown.prose import unbroken
from mgk_book.running.execution import Lab, tagged

LATER = '<p class="lab-waiting">출력은 실습이 다 돌면 여기에 온다.</p>'
SEPARATOR = "<!-- 칸 -->"
COLUMNS = re.compile(r"\S {2,}\S")
SVG = "data:image/svg+xml;base64,"


class Drawn(NamedTuple):
    """맞춘 페이지와, 거기서 꺼낸 그림들."""

    html: str
    pictures: dict[str, str | bytes]


class Dim(Filter):
    """색을 주석과 docstring에만 남긴다: 접어 둔 코드가 차지하는 바이트의 거의 반이 색이다."""

    def filter(self, lexer: Any, stream: Any) -> Iterator[tuple[Any, str]]:
        """조각마다 종류를 바꾼다."""
        for kind, text in stream:
            yield (kind if kind in (Comment.Single, String.Doc) else Text), text


def markdown(lab: Lab) -> str:
    """글 칸들. 마지막의 빈 조각에는 확장이 페이지의 끝에 다는 것이 들어간다."""
    return f"\n\n{SEPARATOR}\n\n".join([*lab.prose, ""])


def description(lab: Lab) -> str:
    """제목 아래의 첫 문단."""
    return lab.prose[0].split("\n\n")[1].replace("\n", " ")


def assembled(lab: Lab, content: str, jupyter: str, folder: str, root: Path, *, waiting: str | None = None) -> Drawn:
    """글과 코드를 노트북의 차례대로. 첫 글 칸 뒤에 요약과, 실습이 쓰는 함수의 줄을 끼운다. 그림은 `folder`로 간다.

    아직 돌지 않은 실습이면 요약의 자리에 `waiting`이 서고, 코드마다 출력이 올 자리임을 적는다.
    """
    pictures: dict[str, str | bytes] = {}
    texts = iter(content.split(SEPARATOR))
    outputs = iter(cell_outputs(jupyter, folder, pictures))
    body, summary = [], ""
    for cell in lab.notebook.cells:
        if cell.cell_type == "markdown":
            body.append(next(texts))
            continue
        shown = next(outputs)
        body += [code(cell), *(shown if waiting is None else [LATER])]
        if tagged(cell, "summary") and waiting is None:
            first = next(each for each in shown if 'data-mime-type="text/html"' in each)
            summary = f'<div class="lab-summary" data-search-exclude="true">{first}</div>'
    used = listings(functions(lab.code, names.known(root)))
    return Drawn("\n".join([body[0], summary or waiting or "", used, *body[1:], next(texts)]), pictures)


def cell_outputs(jupyter: str, folder: str, pictures: dict[str, str | bytes]) -> list[list[str]]:
    """코드 칸마다의 출력들. 그림은 `pictures`로 옮긴다."""
    found = []
    for cell in BeautifulSoup(jupyter, "html.parser").select(".jp-CodeCell[id]"):
        for image in cell.select(f'img[src^="{SVG}"]'):
            picture = base64.b64decode(str(image["src"]).removeprefix(SVG))
            file = f"{hashlib.sha256(picture).hexdigest()[:12]}.svg"
            pictures[file] = picture
            image["src"], image["loading"] = f"{folder}/{file}", "lazy"
        for text in [text for box in cell.select("th, td") for text in box.find_all(string=True)]:
            text.replace_with(unbroken(text))
        found.append([output(area) for area in cell.select(".jp-OutputArea-output")])
    return found


def output(area: Tag) -> str:
    """출력 하나. 찍은 글의 열은 한글이 있어도 맞춘다."""
    kind, text = area["data-mime-type"], area.decode_contents().strip()
    if kind == "text/plain":
        text = "\n".join(cells(line) if COLUMNS.search(line) else line for line in text.split("\n"))
    return f'<div class="jp-OutputArea-output" data-mime-type="{kind}" tabindex="0">{text}</div>'


def code(cell: Any) -> str:
    """코드의 요소는 다른 페이지와 같아 색과 복사 단추가 동작한다. 준비하는 코드는 이름 아래에 접는다."""
    setup = tagged(cell, "setup")
    lexer = PythonLexer(filters=[Dim() if setup else Plain()])
    text = highlight(cell.source, lexer, HtmlFormatter(nowrap=True))
    block = f'<div data-search-exclude="true" class="language-python highlight"><pre><code>{text}</code></pre></div>'
    title = escape(cell.metadata.get("title", ""))
    return f'<details class="setup"><summary>준비: {title}</summary>{block}</details>' if setup else block


def functions(code: list[str], known: Collection[str]) -> list[str]:
    """코드가 import해 쓰는 이 책의 함수와 클래스 가운데 설명이 있는 것. 모듈을 들여왔으면 그 모듈에서 꺼내 쓴 것."""
    nodes = [node for source in code for node in ast.walk(ast.parse(source))]
    imported: dict[str, str] = {}  # 코드 속의 이름: 온전한 이름
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            imported |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    used = set(imported.values())
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            used.add(f"{imported[node.value.id]}.{node.attr}")
    return sorted(used & set(known), key=lambda name: (name.rpartition(".")[2].lower(), name))


def listings(used: list[str]) -> str:
    """실습이 쓰는 함수의 설명으로 가는 줄."""
    links = [f'<autoref identifier="{name}"><code>{name.rpartition(".")[2]}</code></autoref>' for name in used]
    return f'<p class="lab-functions">이 실습이 쓰는 함수: {", ".join(links)}</p>' if links else ""
