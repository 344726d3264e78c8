"""페이지의 글이 무엇이 되는가: Python-Markdown 확장 하나. 어느 사이트 생성기에서 도는지는 묻지 않는다."""

from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

from mgk_book.markdown.code import Code
from mgk_book.markdown.math import Formulas, HeadingLabels

# 이름, 우선순위(큰 것이 먼저), 하는 일. toc는 5, attr_list는 8에서 돈다.
PARTS = [
    ("mgk-heading-labels", 6, HeadingLabels),  # 목차가 제목을 읽기 전
    ("mgk-formulas", 4, Formulas),  # 목차가 제목의 id를 정한 뒤
    ("mgk-code", 4, Code),
]


class BookExtension(Extension):
    """수식과 코드의 꼴."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown의 이름)
        """일마다 트리 처리기 하나를 단다."""
        for name, priority, part in PARTS:
            md.treeprocessors.register(part(md), name, priority)


def makeExtension(**options: Any) -> BookExtension:  # noqa: N802 (Python-Markdown이 찾는 이름)
    """`markdown_extensions: [mgk_book.markdown]`이 부르는 것."""
    return BookExtension(**options)
