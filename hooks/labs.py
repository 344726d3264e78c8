"""실행한 노트북을 mkdocs-jupyter에 넘기고, 그것이 그린 코드와 출력을 책의 글 사이에 끼운다.

돌리는 일은 mgk_book/running/execution.py가 한다. mkdocs-jupyter에는 코드 칸만 넘긴다. 글 칸은 사이트의 마크다운으로
그린다. 그래야 한글 제목의 id, 목차, 링크, 수식, 알림이 다른 페이지와 같다. mkdocs-jupyter의 틀과 스타일과 스크립트는
쓰지 않고, 코드와 출력만 꺼내 book.css의 꼴로 싼다.

코드 칸의 표지(`# %% 이름 tags=["…"]`)는 둘이다.

- `setup`: 들여오기, 도구, 학습. 코드를 이름 아래에 접는다. 출력은 그대로 보인다.
- `summary`: 첫 표나 그림을 결론 아래, 첫 글 칸 뒤에 한 번 더 보인다.
"""

import ast
import re
from collections.abc import Collection
from html import escape
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from mgk_book.markdown.code import cells
from mgk_book.prepare.labs import display, without_ids, write
from mgk_book.prepare.portable import portable
from mgk_book.running.execution import Lab, device, execute, executed, find

FOLDER = "labs/"
SEPARATOR = "\n\n<!-- 칸 -->\n\n"
COLUMNS = re.compile(r"\S {2,}\S")


class LabFile(File):
    """실습의 페이지가 될 파일. 나중에 글을 끼울 수 있게 노트북을 지닌다."""

    lab: Lab


def links(name: str, repository: str | None) -> str:
    """내려받는 링크와, 저장소를 알면 Colab에서 여는 링크."""
    found = [f'<a href="{Path(name).name}.ipynb" download>실행한 노트북 내려받기 (.ipynb)</a>']
    if repository:
        # publish 작업이 실행한 노트북을 notebooks 가지에 올린다. Colab은 GitHub에 있는 것만 연다.
        colab = f"https://colab.research.google.com/github/{repository}/blob/notebooks/{name}.ipynb"
        found.append(f'<a href="{colab}">Colab에서 열기</a>')
    return f'<p class="lab-links">{" · ".join(found)}</p>'


def drawn(content: str) -> list[tuple[str, list[str]]]:
    """mkdocs-jupyter가 그린 코드 칸마다의 코드와 출력들. 코드의 꼴은 다른 페이지와 같아 색과 복사 단추가 된다."""
    found = []
    for cell in BeautifulSoup(content, "html.parser").select(".jp-CodeCell[id]"):
        code = cell.select_one(".highlight-ipynb > pre")
        assert code is not None
        outputs = [output(area) for area in cell.select(".jp-OutputArea-output")]
        text = code.decode_contents().removeprefix("<span></span>")
        found.append(
            (f'<div data-search-exclude="true" class="language-python highlight"><pre><code>{text}</code></pre></div>',
             outputs)
        )  # fmt: skip
    return found


def output(area: Tag) -> str:
    """출력 하나. 찍은 글의 열은 한글이 있어도 맞춘다."""
    kind, text = area["data-mime-type"], area.decode_contents().strip()
    if kind == "text/plain":
        text = "\n".join(cells(line) if COLUMNS.search(line) else line for line in text.split("\n"))
    return f'<div class="jp-OutputArea-output" data-mime-type="{kind}" tabindex="0">{text}</div>'


def tagged(cell: Any, tag: str) -> bool:
    """칸에 표지가 있는가."""
    return tag in cell.metadata.get("tags", [])


def folded(cell: Any, code: str) -> str:
    """준비하는 코드는 이름 아래에 접는다. 색은 주석과 docstring에만 남긴다: 코드 무게의 거의 반이 색이다."""
    if not tagged(cell, "setup"):
        return code
    plain = BeautifulSoup(code, "html.parser")
    for span in plain.select("span:not(.c1, .sd)"):
        span.unwrap()
    return f'<details class="setup"><summary>준비: {escape(cell.metadata.title)}</summary>{plain}</details>'


def functions(code: list[str], known: Collection[str]) -> list[str]:
    """코드가 들여와 쓰는 이 책의 함수와 클래스 가운데 설명이 있는 것. 모듈을 들여왔으면 그 모듈에서 꺼내 쓴 것."""
    nodes = [node for source in code for node in ast.walk(ast.parse(source))]
    names: dict[str, str] = {}  # 코드 속의 이름: 온전한 이름
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    used = set(names.values())
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            used.add(f"{names[node.value.id]}.{node.attr}")
    return sorted(used & set(known), key=lambda name: name.rpartition(".")[2].lower())


def listings(names: list[str]) -> str:
    """실습이 쓰는 함수의 설명으로 가는 줄."""
    links = [f'<autoref identifier="{name}"><code>{name.rpartition(".")[2]}</code></autoref>' for name in names]
    return f'<p class="lab-functions">이 실습이 쓰는 함수: {", ".join(links)}</p>' if links else ""


def assembled(notebook: Any, prose: list[str], code: list[tuple[str, list[str]]], after_first: str) -> str:
    """글과 코드를 노트북의 차례대로. 첫 글 칸 뒤에 요약과 `after_first`를 끼운다."""
    texts, blocks, body, summary = iter(prose), iter(code), [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            body.append(next(texts))
            continue
        source, outputs = next(blocks)
        body += [folded(cell, source), *outputs]
        if tagged(cell, "summary"):
            summary = next(each for each in outputs if 'data-mime-type="text/html"' in each)
            summary = f'<div class="lab-summary" data-search-exclude="true">{summary}</div>'
    return "\n".join([body[0], summary, after_first, *body[1:]])


@event_priority(100)  # mkdocs-jupyter보다 먼저
def on_files(files: Files, config: Any) -> Files:
    """MkDocs 훅: 실습의 소스를 실행한 노트북으로 바꾼다."""
    root = Path(config.config_file_path).parent
    sources = [file for file in files if file.src_uri.startswith(FOLDER) and file.src_uri.endswith(".py")]
    named = [(file.src_uri.removesuffix(".py"), Path(str(file.abs_src_path))) for file in sources]
    labs = find(named, root, device())
    execute(labs, root, device())
    for file, lab in zip(sources, labs, strict=True):
        notebook = executed(lab)
        made = root / ".cache" / "labs" / "made"
        files.remove(file)
        write(display(notebook), made / f"{lab.name}.ipynb")
        # mkdocs-jupyter는 폴더에 놓인 보통 파일만 노트북으로 알아본다.
        page = LabFile(f"{lab.name}.ipynb", str(made), config.site_dir, config.use_directory_urls)
        page.lab = lab
        files.append(page)
        taken = portable(without_ids(notebook), config.extra.get("repository"))
        copy = write(taken, made / "download" / f"{lab.name}.ipynb")
        files.append(File.generated(config, f"{lab.name}/{Path(lab.name).name}.ipynb", abs_src_path=copy))
    return files


def on_page_content(content: str, page: Any, config: Any, files: Files) -> str:
    """MkDocs 훅: 사이트의 마크다운으로 그린 글 사이에 코드와 출력을 끼우고, 내려받는 링크를 단다."""
    lab: Lab | None = getattr(page.file, "lab", None)
    if lab is None:
        return content
    page.markdown = SEPARATOR.join(lab.prose)
    Page.render(page, config, files)  # mkdocs-jupyter가 바꿔 둔 것이 아니라 본래의 것: 목차와 링크 검사까지 한다
    page.meta["description"] = lab.prose[0].split("\n\n")[1].replace("\n", " ")
    page.meta["level"] = lab.notebook.metadata.get("level")
    used = listings(functions(lab.code, config.extra.get("functions", ())))
    body = assembled(lab.notebook, page.content.split(SEPARATOR.strip()), drawn(content), used)
    return f"{body}\n{links(lab.name, config.extra.get('repository'))}"


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """MkDocs 훅: 테마가 차례에 남기는 빈칸을 뺀다. 차례가 길수록 실습 페이지의 무게가 된다. 본문은 건드리지 않는다."""
    if getattr(page.file, "lab", None) is None:
        return output
    before, article, after = output.partition("<article")
    return re.sub(r"\n\s+", "\n", before) + article + after
