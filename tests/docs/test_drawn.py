"""글은 읽히는 대로 그려진다: 다른 파서(CommonMark)가 읽은 목록, 표, 강조, 수식이 사이트의 마크다운이 그린 것과 같다.

Python-Markdown은 앞에 빈 줄이 없는 목록을 문단의 글로 그리고도 조용하다. 소스를 읽는 사람은 CommonMark대로 읽으므로
그쪽을 기준으로 삼는다. 알림과 탭처럼 CommonMark에 없는 것은 먼저 벗긴다.
"""

import re
from collections.abc import Iterator

import jupytext
import pytest
from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mkdocs.utils.meta import get_data

from tests.docs.pages import DOCS, Page, with_results

CONTAINER = re.compile(r"^( *)(?:!!!|\?\?\?\+?|===) .*$")
LISTING = re.compile(r"^::: ")
RAW = re.compile(r"\$|\*\*|\\\(|\\\[|^\s*(?:\d+\.|[-*+]) (?=\S)", re.MULTILINE)

Facts = dict[str, list[object]]


def sources() -> dict[str, str]:
    """페이지마다, 실습의 글 칸마다 한 글."""
    found = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md"))}
    for path in sorted((DOCS / "labs").glob("*.py")):
        cells = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "markdown"]
        found[path.relative_to(DOCS).as_posix()] = "\n\n<!-- 칸 -->\n\n".join(cells)
    return found


SOURCES = sources()


def bare(text: str) -> str:
    """CommonMark에 없는 것을 벗긴 글: 알림과 탭은 알맹이만 남기고, 함수의 목록은 뺀다."""
    shown: list[str] = []
    inside: list[int] = []  # 열려 있는 알림과 탭의 깊이
    listing = False
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip())
        if line.strip():
            listing = (listing and depth >= 4) or bool(LISTING.match(line))
            while inside and depth < inside[-1] + 4:
                inside.pop()
            if CONTAINER.match(line):
                inside.append(depth)
                shown += ["", "<!-- -->", ""]
                continue
        if not listing:
            shown.append(line[4 * len(inside) :])
    return "\n".join(shown)


def text_of(node: SyntaxTreeNode) -> str:
    if node.type in {"text", "code_inline"}:
        return node.content
    if node.type == "softbreak":
        return " "
    return "".join(text_of(child) for child in node.children) if node.type != "math_inline" else ""


def squeezed(text: str) -> str:
    return " ".join(text.split())


def read(text: str) -> Facts:
    """소스를 CommonMark로 읽은 것."""
    facts: Facts = {"목록": [], "표": [], "강조": [], "수식": []}
    parser = MarkdownIt("commonmark").enable("table").use(deflist_plugin).use(footnote_plugin)
    parser.use(dollarmath_plugin, allow_space=False, double_inline=True)
    for node in SyntaxTreeNode(parser.parse(bare(with_results(get_data(text)[0])))).walk():
        if node.type in {"bullet_list", "ordered_list"}:
            facts["목록"].append((node.type[:-5], node.attrs.get("start", 1), len(node.children)))
        elif node.type == "table":
            rows = [row for part in node.children for row in part.children]
            facts["표"].append((len(rows), len(rows[0].children)))
        elif node.type in {"strong", "em"}:
            facts["강조"].append((node.type, squeezed(text_of(node))))
        elif node.type.startswith("math"):
            facts["수식"].append(squeezed(node.content))
    return facts


def shown(soup: BeautifulSoup) -> Facts:
    """사이트의 마크다운이 그린 것."""
    facts: Facts = {"목록": [], "표": [], "강조": [], "수식": []}
    for tag in soup.find_all(["ul", "ol", "table", "strong", "em", "math"]):
        if tag.find_parent(class_="footnote") or tag.find_parent(class_="highlight"):
            continue
        if tag.name in {"ul", "ol"}:
            kind = "ordered" if tag.name == "ol" else "bullet"
            facts["목록"].append((kind, int(tag.get("start", 1)), len(tag.find_all("li", recursive=False))))
        elif tag.name == "table":
            rows = tag.find_all("tr")
            facts["표"].append((len(rows), len(rows[0].find_all(["td", "th"]))))
        elif tag.name in {"strong", "em"}:
            facts["강조"].append((tag.name, squeezed(without_formulas(tag))))
        elif tag.name == "math":
            facts["수식"].append(squeezed(tag.select_one("annotation[encoding$=tex]").get_text()))
    return facts


def without_formulas(tag: Tag) -> str:
    return "".join(text for text in tag.find_all(string=True) if not text.find_parent("math"))


def differences(source: Facts, drawn: Facts) -> Iterator[str]:
    """종류마다, 처음 달라지는 곳."""
    for kind, expected in source.items():
        found = drawn[kind]
        if expected != found:
            same = (n for n, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1])
            at = next(same, min(len(expected), len(found)))
            yield f"{kind} {at + 1}/{len(expected)}: 소스는 {expected[at : at + 2]}, 그린 것은 {found[at : at + 2]}"


@pytest.mark.parametrize("name", SOURCES)
def test_a_page_is_drawn_as_its_source_reads(name: str) -> None:
    text = SOURCES[name]
    soup = Page(name, text).html
    assert not list(differences(read(text), shown(soup)))


@pytest.mark.parametrize("name", SOURCES)
def test_no_markup_is_left_in_the_text(name: str) -> None:
    """제목과 탭의 이름은 번호로 시작해도 된다. 남은 수식과 강조는 tests/site/test_drawn.py가 거기서도 찾는다."""
    soup = BeautifulSoup(str(Page(name, SOURCES[name]).html), "html.parser")
    for tag in soup.select("code, pre, math, h1, h2, h3, h4, label"):
        tag.decompose()
    left = [text.strip() for text in soup.find_all(string=True) if type(text).__name__ == "NavigableString"]
    assert not [text for text in left if RAW.search(text) and not text.startswith(":::")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1. 하나\n\n    $$x$$\n\n    둘째 문단\n2. 둘", "목록"),  # 셋째 항목이 앞의 문단에 먹힌다
        ("글 다음의 목록\n- 하나\n- 둘", "목록"),
        ("글\n| a | b |\n| - | - |\n| 1 | 2 |\n", "표"),
    ],
)
def test_what_python_markdown_swallows_is_noticed(text: str, kind: str) -> None:
    found = list(differences(read(text), shown(Page("x.md", text).html)))
    assert found
    assert found[0].startswith(kind)
