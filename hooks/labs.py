"""실행한 노트북을 mkdocs-jupyter에 넘기고, 그것이 그린 페이지를 책의 꼴로 다듬는다.

돌리는 일은 hooks/execution.py가 한다. mkdocs-jupyter는 코드 칸과 출력을 그린다. 글 칸은 자리표만 넘기고 사이트의
마크다운으로 그려 끼운다. 그래야 한글 제목의 id, 목차, 링크, 수식, 알림이 다른 페이지와 같다.
mkdocs-jupyter가 페이지마다 넣는 스타일과 스크립트(575 KB)는 빼고 book.css 하나를 쓴다.
"""

import os
import re
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from hooks.execution import Lab, device, execute, executed, find

FOLDER = "labs/"
SEPARATOR = "\n\n<!-- 칸 -->\n\n"
# mkdocs-jupyter의 HTML에서 뺄 것과 바꿀 것. 코드 칸은 다른 페이지의 코드와 같은 꼴이 되어 테마의 색과 복사 단추를 쓴다.
CLEANUPS = [
    (r"<(style|script)\b.*?</\1>|<!--.*?-->", ""),
    (r'<div class="zeroclipboard-container">.*?</clipboard-copy>\s*</div>', ""),
    (r'<div class="clipboard-copy-txt".*?</div>', ""),
    (r'<div class="jp-Collapser.*?</div>', ""),
    (r'<div class="(?![^"]*jp-OutputArea-output)(jp-|CodeMirror)[^>]*>', "<div>"),  # 스타일이 없는 틀
    (r'class="jp-Rendered[^"]*(jp-OutputArea-output)', r'class="\1'),  # 스타일은 뒤의 이름 하나에만 걸린다
    (r'<div class="highlight-ipynb hl-python"><pre>(.*?)</pre></div>',
     r'<div class="language-python highlight"><pre><code>\1</code></pre></div>'),
    (r"(</?div>)\s+(?=</?div)", r"\1"),  # 틀 사이의 빈 줄
]  # fmt: skip


class LabFile(File):
    """실습의 페이지가 될 파일. 나중에 글을 끼울 수 있게 노트북을 지닌다."""

    lab: Lab


def display(notebook: Any) -> Any:
    """mkdocs-jupyter에 넘길 것: 글 칸에는 몇째인지만 적는다."""
    shown = nbformat.from_dict(notebook)
    for number, cell in enumerate(cell for cell in shown.cells if cell.cell_type == "markdown"):
        cell.source = placeholder(number)
    return shown


def placeholder(number: int) -> str:
    """글 칸의 자리표."""
    return f"mgk-prose-{number:04d}"


def portable(notebook: Any, repository: str | None) -> Any:
    """집에 가져갈 것. 저장소를 알면 첫 칸이 이 책의 패키지를 설치하므로, 빈 Colab에서도 돌아간다."""
    if not repository:
        return notebook
    taken = nbformat.from_dict(notebook)
    source = f'%pip install -q "mgk_docs_src @ git+https://github.com/{repository}"'
    taken.cells.insert(0, nbformat.v4.new_code_cell(source, id="install"))
    return taken


def links(name: str, repository: str | None) -> str:
    """내려받는 링크와, 저장소를 알면 Colab에서 여는 링크."""
    found = [f'<a href="{Path(name).name}.ipynb" download>실행한 노트북 내려받기 (.ipynb)</a>']
    if repository:
        # publish 작업이 실행한 노트북을 notebooks 가지에 올린다. Colab은 GitHub에 있는 것만 연다.
        colab = f"https://colab.research.google.com/github/{repository}/blob/notebooks/{name}.ipynb"
        found.append(f'<a href="{colab}">Colab에서 열기</a>')
    return f'<p class="lab-links">{" · ".join(found)}</p>'


def write(notebook: Any, path: Path) -> str:
    """바뀌었을 때만 쓴다. 그래야 mkdocs-jupyter의 캐시가 맞는다."""
    text = nbformat.writes(notebook)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text("utf-8") != text:
        partial = path.with_suffix(f".{os.getpid()}.partial")  # 함께 도는 다른 빌드가 반쪽을 읽지 않게
        partial.write_text(text, "utf-8")
        partial.replace(path)
    return str(path)


def clean(content: str) -> str:
    """mkdocs-jupyter가 그린 것을 사이트의 꼴로 다듬는다."""
    for pattern, replacement in CLEANUPS:
        content = re.sub(pattern, replacement, content, flags=re.DOTALL)
    return content


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
        copy = write(portable(notebook, config.extra.get("repository")), made / "download" / f"{lab.name}.ipynb")
        files.append(File.generated(config, f"{lab.name}/{Path(lab.name).name}.ipynb", abs_src_path=copy))
    return files


def on_page_content(content: str, page: Any, config: Any, files: Files) -> str:
    """MkDocs 훅: 자리표에 사이트의 마크다운으로 그린 글을 끼우고, 내려받는 링크를 단다."""
    lab: Lab | None = getattr(page.file, "lab", None)
    if lab is None:
        return content
    page.markdown = SEPARATOR.join(lab.prose)
    Page.render(page, config, files)  # mkdocs-jupyter가 바꿔 둔 것이 아니라 본래의 것: 목차와 링크 검사까지 한다
    page.meta["description"] = lab.prose[0].split("\n\n")[1].replace("\n", " ")
    body = clean(content)
    for number, prose in enumerate(page.content.split(SEPARATOR.strip())):
        body = body.replace(f"<p>{placeholder(number)}</p>", prose, 1)
    return f"{body}\n{links(lab.name, config.extra.get('repository'))}"


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """MkDocs 훅: 테마가 차례에 남기는 빈칸을 뺀다. 차례가 길수록 실습 페이지의 무게가 된다. 본문은 건드리지 않는다."""
    if getattr(page.file, "lab", None) is None:
        return output
    before, article, after = output.partition("<article")
    return re.sub(r"\n\s+", "\n", before) + article + after
