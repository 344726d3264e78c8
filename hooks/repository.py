"""저장소를 알 때, 페이지마다 고치는 링크와 잘못을 알리는 링크를 달고, 설치하는 명령에 그 주소를 적는다.

저장소는 `extra.repository`(GitHub에서 빌드하면 GITHUB_REPOSITORY)가 말한다. 모르면 아무것도 달지 않는다.
MkDocs의 `repo_url`은 쓰지 않는다. 그것이 있으면 테마가 페이지를 열 때마다 GitHub에 별의 수를 묻는데,
이 사이트는 다른 곳에 아무것도 묻지 않는다.
"""

import html
from typing import Any
from urllib.parse import quote

from mkdocs.structure.pages import Page

GITHUB = "https://github.com"
BRANCH = "main"


def edited(page: Page) -> str:
    """페이지를 고치려면 열 파일: 앞머리가 가리키는 것, 실습이면 노트북이 아니라 그 소스."""
    source = page.file.src_uri
    if "edited_in" in page.meta:
        return str(page.meta["edited_in"])
    return source.removesuffix(".ipynb") + ".py" if source.endswith(".ipynb") else source


def edit_link(page: Page, repository: str) -> str:
    """GitHub에서 그 파일을 고치는 주소."""
    return f"{GITHUB}/{repository}/edit/{BRANCH}/docs/{quote(edited(page))}"


def issue_link(page: Page, repository: str) -> str:
    """제목과 자리를 채운 새 이슈의 주소."""
    body = f"페이지: {page.canonical_url or page.file.src_uri}\n파일: docs/{edited(page)}\n\n무엇이 잘못되었나:\n"
    title = html.unescape(str(page.title)) + ": "  # 머리글에서 온 제목은 HTML이다
    return f"{GITHUB}/{repository}/issues/new?title={quote(title, safe='')}&body={quote(body, safe='')}"


def installing(repository: str | None) -> dict[str, str]:
    """설치 페이지의 `<!-- repository:… -->` 자리에 갈 글. 주소를 모르면 모르는 대로 맞는 말을 한다."""
    if not repository:
        return {"clone": "이 사이트는 저장소의 주소를 모른다. 받아 둔 저장소의 폴더를 쓴다.", "pip": ""}
    folder = repository.rpartition("/")[2]
    pip = f'pip install torch==2.13.0\npip install "mgk_docs_src @ git+{GITHUB}/{repository}"'
    return {
        "clone": f"```sh\ngit clone {GITHUB}/{repository}\ncd {folder}\n```",
        "pip": f"저장소를 받지 않고 바로 설치해도 된다.\n\n```sh\n{pip}\n```",
    }


def on_page_markdown(markdown: str, page: Page, config: Any, **_: Any) -> str:
    """MkDocs 훅: 테마의 고치기 단추가 갈 곳과, 설치하는 명령."""
    repository = config.extra.get("repository")
    page.edit_url = edit_link(page, repository) if repository else None
    for place, text in installing(repository).items():
        markdown = markdown.replace(f"<!-- repository:{place} -->", text)
    return markdown


def on_page_content(content: str, page: Page, config: Any, **_: Any) -> str:
    """MkDocs 훅: 본문 끝의 링크. 테마의 단추는 그림뿐이라 글로도 적는다."""
    if not page.edit_url:
        return content
    issue = html.escape(issue_link(page, config.extra["repository"]))
    links = f'<a href="{html.escape(page.edit_url)}">이 페이지 고치기</a> · <a href="{issue}">잘못 알리기</a>'
    return f'{content}\n<p class="page-links" data-search-exclude>{links}</p>'
