"""울타리 코드를 그리는 방법: 검색에서 빼고, 색이 없는 요소는 벗기고, 출력의 한글은 로마자 두 칸 너비로 맞춘다."""

import re
from collections.abc import Iterator
from typing import Any

from markdown import Markdown
from pygments.filter import Filter
from pygments.token import Name, Operator, Punctuation, String, Text, Whitespace

from mgk_book.markdown.part import is_english, page_of

OUTPUT, ENGLISH_OUTPUT = "출력", "Output"
WIDE = re.compile(r"[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]+")
UNCOLOURED = {Name, Operator, Punctuation, Whitespace, Name.Namespace, String.Interpol, String.Affix}


class Fence(str):
    """그린 울타리. 무엇을 그렸는지를 지니고 있어, 뒤의 일이 HTML에서 코드를 되찾지 않는다."""

    source: str
    is_example: bool  # 테스트가 실행하는 블록
    is_output: bool


class Plain(Filter):
    """테마가 글과 같은 색으로 두는 것은 글로 본다. 장마다 요소가 천 개 넘게 주니 휴대전화가 모양을 빨리 셈한다."""

    def filter(self, lexer: Any, stream: Any) -> Iterator[tuple[Any, str]]:
        """조각마다 종류를 바꾼다."""
        for kind, text in stream:
            yield (Text if kind in UNCOLOURED else kind), text


def cells(text: str) -> str:
    """넓은 글자의 묶음마다, 로마자의 두 배씩 자리를 차지하게 한다. 한글 글꼴이 무엇이든 열이 맞는다."""
    return WIDE.sub(lambda run: f'<span class="wide" style="width:{2 * len(run[0])}ch">{run[0]}</span>', text)


def fence(source: str, language: str, class_name: str, options: Any, md: Markdown, **given: Any) -> Fence:
    """superfences가 부르는 것(mkdocs.yml의 custom_fences). 색은 superfences가 칠한다."""
    is_output = language == "text" and options.get("title") == OUTPUT
    if is_output and is_english(page_of(md)):
        options["title"] = ENGLISH_OUTPUT
    is_example = language == "python" and "notest" not in given["attrs"]
    given["attrs"] = given["attrs"] | {"data-search-exclude": "true"}
    drawn = md.preprocessors["fenced_code_block"].highlight(source, language, options, md, **given)
    if not language or language == "text":
        head, code, text = drawn.partition("<code>")
        drawn = head + code + cells(text)
    found = Fence(drawn)
    found.source, found.is_example, found.is_output = source, is_example, is_output
    return found


def fences(md: Markdown) -> list[Fence]:
    """이 페이지에 그린 울타리."""
    return [block for block in md.htmlStash.rawHtmlBlocks if isinstance(block, Fence)]
