"""한국어를 모르는 사람에게 길을 준다: 페이지마다의 영어 제목과 요약, 영어 책머리의 차례와 틀.

앞머리의 `english`(실습이면 노트북의 머리)에 `title`과 `summary`를 적는다. 글과 그림과 코드는 한국어 페이지 하나뿐이다.
책을 두 벌 만들지 않으므로 빌드가 늦어지지 않고, 두 벌이 어긋날 일도 없다.
"""

import copy
import html
import re
from collections import ChainMap
from typing import Any, NamedTuple

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.utils import get_relative_url
from mkdocs.utils.meta import get_data

from hooks.unbroken import whole

HOME, NAME, PLACE, LIMIT = "en/index.md", "Summer Mogakco", "<!-- english:contents -->", 240
FOLDERS = {"실습": "Labs"}  # 첫 페이지가 없어 영어 제목을 적을 곳이 없는 묶음
PARTS = {
    "goal": "Goal", "intuition": "Intuition", "definition": "Definition and derivation", "use": "Where it is used",
    "run": "Run it", "implementation": "Implementation", "pitfalls": "Strengths and pitfalls",
    "corrections": "Corrections to the original post", "exercises": "Exercises", "sources": "Sources",
}  # fmt: skip
TOP = re.compile(r'</h1>(?:\n<p class="reading".*?</p>)?')
TOGGLES = ("Switch to dark mode", "Switch to light mode")
# 다른 훅이 영어 책머리에도 적는 말
WORDS = {
    '<span class="filename">출력<': '<span class="filename">Output<',
    ">이 페이지를 노트북으로 내려받기 (": ">Download this page as a notebook (",
    ">Colab에서 열기<": ">Open in Colab<",
    ">이 페이지 고치기<": ">Edit this page<",
    ">잘못 알리기<": ">Report a mistake<",
    'title="이 제목의 링크"': 'title="Link to this heading"',
    " 기록 없음": ": no record",
    "에서 돌린 기록은 아직 없다 · ": ": no run on record yet · ",
    ">인증</a></p>": ">Certificates</a></p>",
    '<a href="../install/">내 컴퓨터에서 돌리기<': '<a href="#install">Run it yourself<',
    " 낡음(": ": out of date (",
    " 뒤에 코드가 바뀌었다)": ", the code has changed since)",
}


class English(NamedTuple):
    """페이지 하나의 영어 제목과 요약."""

    title: str
    summary: str


def read(file: File) -> English:
    """앞머리나 노트북의 머리에 적힌 것. 빠지거나 모르는 것이 있으면 빌드를 멈춘다."""
    lab = getattr(file, "lab", None)
    found = (lab.notebook.metadata if lab else get_data(file.content_string)[1]).get("english")
    if not isinstance(found, dict) or {*found} != {*English._fields}:
        raise PluginError(f"{file.src_uri}: 앞머리의 english에 {', '.join(English._fields)}를 적는다: {found!r}")
    english = English(**found)
    if not all(isinstance(text, str) and text.strip() for text in english) or len(english.summary) > LIMIT:
        raise PluginError(f"{file.src_uri}: english는 빈 글이 아니고 summary는 {LIMIT}자 안이다: {found!r}")
    return english


def block(content: str, english: English, page: Any) -> str:
    """제목 아래에 접어 둔 것. id가 접힌 안쪽에 있으므로, 그리로 온 사람에게 브라우저가 펼쳐 보인다."""
    found = {*re.findall(r'<h2 id="([^"]+)"', content)}
    parts = "".join(f'<li><a href="#{part}">{name}</a></li>' for part, name in PARTS.items() if part in found)
    home = get_relative_url("en/", page.url)
    return f"""
<details class="english" lang="en"><summary data-search-exclude="true">In English</summary>
<h2 id="in-english">{html.escape(english.title)}</h2>
<p>{whole(html.escape(english.summary))}</p>
<div data-search-exclude>{parts and f"<ul>{parts}</ul>"}
<p><a href="{home}" hreflang="en">The book in English</a></p></div>
</details>"""


def name(item: Any, found: dict[str, English]) -> str:
    """차례의 한 칸의 영어 이름. 묶음의 이름은 첫 페이지의 것이다."""
    page = item.children[0] if item.children else item
    if not item.children or page.file.name == "index":
        return found[page.file.src_uri].title
    if item.title not in FOLDERS:
        raise PluginError(f"{item.title}: 첫 페이지가 없는 묶음의 영어 이름을 hooks/english.py의 FOLDERS에 적는다")
    return FOLDERS[item.title]


def contents(nav: Any, found: dict[str, English], here: Any) -> str:
    """차례의 칸마다 제목과 요약. 제목은 한국어 페이지의 영어로 간다."""

    def link(page: Any) -> str:
        href = get_relative_url(page.url or "./", here.url) + "#in-english"
        return f'<a href="{href}" hreflang="ko">{html.escape(found[page.file.src_uri].title)}</a>'

    def summary(page: Any) -> str:
        return html.escape(found[page.file.src_uri].summary)

    lines = []
    for item in nav.items:
        first, *rest = item.children or [item]
        if item is here:
            continue
        if item.children and first.file.name != "index":
            lines.append(f"<h3>{name(item, found)}</h3>")
            rest = item.children
        else:
            lines.append(f"<h3>{link(first)}</h3>\n<p>{summary(first)}</p>")
        rows = "\n".join(f"<dt>{link(page)}</dt>\n<dd>{summary(page)}</dd>" for page in rest)
        lines += [f"<dl>\n{rows}\n</dl>"] if rows else []
    return "<div data-search-exclude>\n" + "\n".join(lines) + "\n</div>"


def translated(items: list[Any], found: dict[str, English], here: Any) -> list[Any]:
    """이름만 영어인 차례. 다른 페이지가 쓰는 차례는 그대로 둔다."""
    twins = [item if item is here else copy.copy(item) for item in items]
    for twin in twins:
        if twin is not here:
            twin.title = name(twin, found)
            twin.children = translated(twin.children, found, here) if twin.children else None
    return twins


def on_files(files: Files, config: Any) -> Files:
    """MkDocs 훅: 모든 페이지의 영어를 모은다."""
    pages = (file for file in files if file.src_uri.endswith(".md") or hasattr(file, "lab"))
    config.extra["english"] = {file.src_uri: read(file) for file in pages if file.src_uri != HOME}
    return files


def on_page_content(content: str, page: Any, config: Any, **_: Any) -> str:
    """MkDocs 훅: 한국어 페이지에는 영어를 달고, 영어 책머리에서는 다른 훅이 적은 한국어를 바꾼다."""
    if page.file.src_uri == HOME:
        for korean, english in WORDS.items():
            content = content.replace(korean, english)
        return content
    added = block(content, config.extra["english"][page.file.src_uri], page)
    content, times = TOP.subn(lambda top: top[0] + added, content, count=1)
    if not times:
        raise PluginError(f"{page.file.src_uri}: 영어 요약을 달 제목(#)이 없다")
    return content


def on_page_context(context: Any, page: Any, config: Any, nav: Any) -> Any:
    """MkDocs 훅: 영어 책머리의 차례를 채우고, 테마의 말과 옆의 차례를 영어로. 책의 끝에서 그리로 넘어가지는 않는다."""
    if page.next_page and page.next_page.file.src_uri == HOME:
        page.next_page = None
    if page.file.src_uri == HOME:
        found, english = config.extra["english"], copy.copy(config)
        page.content = page.content.replace(PLACE, contents(nav, found, page))
        schemes = zip(config.theme["palette"], TOGGLES, strict=True)
        palette = [scheme | {"toggle": scheme["toggle"] | {"name": words}} for scheme, words in schemes]
        english["theme"], english["site_name"] = ChainMap({"language": "en", "palette": palette}, config.theme), NAME
        context |= {"config": english, "nav": Navigation(translated(nav.items, found, page), nav.pages)}
    return context
