"""페이지의 계약. 규칙은 페이지 하나를 받아 어긴 곳을 `docs/페이지:줄: 무엇이` 글로 돌려주는 순수한 함수다."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from unicodedata import east_asian_width

from bs4 import Tag
from pygments.lexers import find_lexer_class_by_name
from pygments.lexers.python import Python2Lexer, PythonConsoleLexer, PythonLexer
from pygments.util import ClassNotFound

from tests.docs.blocks import REASONS, Block, output_under
from tests.docs.examples import SiteParser
from tests.docs.pages import PACKAGE, Heading, Page

PLAN = (
    "목표",
    "직관",
    "정의와 유도",
    "어떤 모델과 문제에 쓰나",
    "실행해 보기",
    "구현",
    "장단점과 함정",
    "원문에서 바로잡은 점",
    "연습 문제",
    "출처",
)
CORRECTIONS, SOURCES = "원문에서 바로잡은 점", "출처"
ENGLISH_SOURCES = "Sources"  # 영어 책머리의 것
OPTIONS = {"title", "hl_lines", "linenums", "notest"}
FENCE = re.compile(r"[> \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?:`{3,}|~{3,})[ \t]*[{.\w][^`]*")
WIDTH = 79
FIGURE = re.compile(r"figures/([^/]+)\.svg")

Rule = Callable[[Page], list[str]]


def every_block_collected(page: Page) -> list[str]:
    """사이트가 그리는 파이썬 블록은 모두 모였고, 쓰인 울타리는 모두 블록으로 그려진다."""
    rendered = Counter(_bare(tag.get_text()) for tag in _python_in_html(page))
    skipped = [block.source for block in page.blocks if is_python(block.language) and not block.is_example]
    collected = Counter(_bare(s) for s in [fence.content for fence in SiteParser.parse(page.text)] + skipped)
    uncollected = [
        page.violation(page.line_of(source.split("\n")[0]), f"그려지지만 모이지 않은 파이썬 블록: {source[:60]!r}")
        for source in (rendered - collected).elements()
    ]
    unrendered = [
        page.violation(page.line_of(source.split("\n")[0]), f"모였지만 그려지지 않은 파이썬 블록: {source[:60]!r}")
        for source in (collected - rendered).elements()
    ]
    ignored = [
        page.violation(number, "울타리가 블록으로 그려지지 않는다: 옵션, 들여쓰기, 닫는 울타리를 본다")
        for number, line in enumerate(page.lines, 1)
        if number not in page.fenced and FENCE.fullmatch(line)
    ]
    return uncollected + unrendered + ignored


def options_are_known(page: Page) -> list[str]:
    """파이썬 블록의 언어 이름은 python이고, 옵션은 아는 것뿐이며, notest에는 목록의 까닭이 있다."""
    found = []
    for block in filter(lambda block: is_python(block.language), page.blocks):
        if block.language != "python":
            found.append(page.violation(block.line, f"언어 이름 {block.language!r}: python으로 쓴다"))
        if unknown := sorted(set(block.options) - OPTIONS):
            found.append(page.violation(block.line, f"모르는 옵션 {', '.join(unknown)}"))
        if block.notest is not None and block.notest not in REASONS:
            reasons = ", ".join(REASONS)
            found.append(page.violation(block.line, f"notest의 까닭 {block.notest!r}: {reasons} 가운데 하나"))
    return found


def code_fits_the_page(page: Page) -> list[str]:
    """파이썬 블록의 줄은 79칸을 넘지 않는다. 한글은 두 칸이다."""
    return [
        page.violation(block.line + number, f"{width(line)}칸: {WIDTH}칸까지 쓴다")
        for block in page.blocks
        if is_python(block.language)
        for number, line in enumerate(block.source.split("\n"), 1)
        if width(line) > WIDTH
    ]


def width(text: str) -> int:
    """고정폭 글꼴로 적은 글의 칸 수."""
    return len(text) + sum(east_asian_width(letter) in "WF" for letter in text)


def outputs_are_checked(page: Page) -> list[str]:
    """출력 울타리는 돌아가는 블록 바로 아래에 있고, 장치마다 다른 글을 담지 않는다."""
    checked = [output_under(page.text, block) for block in page.blocks if block.is_example]
    shown = [block for block in page.blocks if block.is_output]
    orphans = [
        page.violation(block.line, "돌아가는 파이썬 블록 바로 아래에 있지 않은 출력 울타리")
        for block in shown
        if block not in checked
    ]
    tensors = [
        page.violation(block.line + 1 + number, "장치마다 다르게 찍힌다: 텐서 대신 수를 출력한다")
        for block in shown
        for number, line in enumerate(block.source.split("\n"))
        if "tensor(" in line or "device=" in line
    ]
    return orphans + tensors


def examples_use_the_package(page: Page) -> list[str]:
    """모든 예제는 mgk_docs_src의 공개 이름을 하나라도 들여와 쓴다."""
    return [
        page.violation(block.line, f"{PACKAGE}의 공개 이름을 쓰지 않는 예제")
        for block in page.blocks
        if block.is_example and not uses_package(block.source)
    ]


def uses_package(source: str) -> bool:
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return True  # 돌려 보면 더 나은 말로 실패한다
    imported: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and _is_public_module(node.module or ""):
            imported |= {alias.asname or alias.name for alias in node.names if not alias.name.startswith("_")}
        elif isinstance(node, ast.Import):
            imported |= {alias.asname or PACKAGE for alias in node.names if _is_public_module(alias.name)}
    return any(isinstance(node, ast.Name) and node.id in imported for node in nodes)


def has_front_matter(page: Page) -> list[str]:
    return [
        page.violation(1, f"앞머리에 {key}이 없다")
        for key in ("title", "description")
        if not str(page.meta.get(key) or "").strip()
    ]


def has_sources(page: Page) -> list[str]:
    """맨 위 폴더의 페이지는 index.md만 출처를 단다. 나머지(인증 같은)는 만들어지는 페이지다."""
    if page.folder is None and page.name != "index.md":
        return []
    name = ENGLISH_SOURCES if page.folder == "en" else SOURCES
    named = any(section.text == name for section in page.sections)
    return [] if named else [page.violation(len(page.lines), f"'## {name}'가 없다")]


def follows_the_plan(page: Page) -> list[str]:
    """장은 팀이 세운 차례를 따른다."""
    if not page.is_chapter:
        return []
    order = [section for section in page.sections if section.text in PLAN]
    found = [section.text for section in order]
    missing = [page.violation(len(page.lines), f"'## {name}'가 없다") for name in PLAN if name not in found]
    twice = [page.violation(h.line, f"'## {h.text}'가 두 번 있다") for h in order if found.count(h.text) > 1]
    expected = [name for name in PLAN if name in found]
    moved = [
        page.violation(section.line, f"'## {section.text}' 자리에는 '## {name}'가 와야 한다")
        for section, name in zip(order, expected, strict=False)
        if section.text != name
    ]
    return missing + (twice or moved[:1])


def headings_have_ids(page: Page) -> list[str]:
    """장의 h2에는 링크가 깨지지 않을 영어 id가 있고, 한 페이지에서 겹치지 않는다."""
    if not page.is_chapter:
        return []
    without = [page.violation(h.line, f"'## {h.text}'에 영어 id {{ #id }}가 없다") for h in page.sections if not h.id]
    times = Counter(heading.id for heading in page.headings if heading.id)
    twice = [page.violation(h.line, f"id #{h.id}가 겹친다") for h in page.headings if h.id and times[h.id] > 1]
    return without + twice


def corrections_are_shown(page: Page) -> list[str]:
    """바로잡은 것마다 그것을 보이는, 돌아가는 블록이 있다."""
    found = []
    for section in filter(lambda section: section.text == CORRECTIONS, page.sections):
        last = page.end_of(section)
        inside = [h for h in page.headings if h.level == 3 and section.line < h.line <= last]
        for heading in inside:
            if not any(_shown_in(page, heading, block) for block in page.blocks):
                found.append(page.violation(heading.line, f"'{heading.text}'를 보이는 파이썬 블록이 없다"))
    return found


def pictures_are_drawn(page: Page, figures: Iterable[str]) -> list[str]:
    """그림에는 설명이 있고, figures/의 그림에는 그리는 함수가 있으며, 다른 그림은 파일이 있다."""
    known = set(figures)
    found = []
    for picture in page.html.select("img"):
        source = str(picture.get("src", ""))
        line = page.line_of(source)
        if not str(picture.get("alt", "")).strip():
            found.append(page.violation(line, f"그림 {source}에 설명(alt)이 없다"))
        if drawn := FIGURE.fullmatch(source):
            name = f"{page.figures}.{drawn[1]}"
            found += [] if name in known else [page.violation(line, f"그림 함수 {name}이 없다")]
        elif "://" in source or source.startswith("/"):
            found.append(page.violation(line, f"그림 {source}: 책 안의 상대 경로로 쓴다"))
        elif not (page.docs / page.name).parent.joinpath(source).is_file():
            found.append(page.violation(line, f"그림 파일 {source}가 없다"))
    return found


def covers_the_inventory(found: Iterable[Page], rows: Iterable[str]) -> list[str]:
    """원문의 모든 번호가 어느 페이지에 있다."""
    rows = set(rows)
    covered: set[str] = set()
    wrong = []
    for page in found:
        line = page.line_of("covers:")
        names = [str(name) for name in page.meta.get("covers") or []]
        covered |= set(names)
        wrong += [page.violation(line, f"covers: 모르는 번호 {name}") for name in names if name not in rows]
    missing = sorted(rows - covered, key=lambda row: (row[0], int(row[1:])))
    return wrong + [f"tests/docs/inventory.py:1: {row}를 실은 페이지가 없다" for row in missing]


@cache
def is_python(language: str) -> bool:
    """Pygments가 파이썬으로 칠하는 언어 이름인가. py, python3, pycon 같은 다른 이름도 파이썬이다."""
    try:
        return issubclass(find_lexer_class_by_name(language), PythonLexer | Python2Lexer | PythonConsoleLexer)
    except ClassNotFound:
        return False


def _python_in_html(page: Page) -> list[Tag]:
    """그려진 파이썬 블록들의 code 요소. 글 속의 짧은 코드는 블록이 아니다."""
    tagged = [
        tag
        for tag in page.html.select('[class*="language-"]')
        if any(is_python(name.removeprefix("language-")) for name in tag["class"])
    ]
    return [tag.find("code") or tag for tag in tagged if tag.find("pre") or tag.name == "pre" or tag.find_parent("pre")]


def _bare(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip("\n").split("\n"))


def _is_public_module(name: str) -> bool:
    first, *rest = name.split(".")
    return first == PACKAGE and not any(part.startswith("_") for part in rest)


def _shown_in(page: Page, heading: Heading, block: Block) -> bool:
    """블록이 이 제목 바로 아래에 있는가. 더 깊은 제목은 같은 이야기다."""
    return block.is_example and heading.line < block.line <= page.end_of(heading)


RULES: tuple[Rule, ...] = (
    every_block_collected,
    options_are_known,
    code_fits_the_page,
    outputs_are_checked,
    examples_use_the_package,
    has_front_matter,
    has_sources,
    follows_the_plan,
    headings_have_ids,
    corrections_are_shown,
)
