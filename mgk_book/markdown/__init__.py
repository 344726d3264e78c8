"""페이지의 글이 무엇이 되는가: Python-Markdown 확장 하나. 어느 사이트 생성기에서 도는지는 묻지 않는다.

규칙을 더하려면: 글 조각의 규칙은 prose.py에, 새 일은 `Part` 하나를 제 파일에 쓰고 아래의 목록에 더한다.
"""

from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

import mgk_book
from mgk_book.markdown.figures import Figures
from mgk_book.markdown.math import Formulas, HeadingLabels
from mgk_book.markdown.page import End, EnglishHeading, Top
from mgk_book.markdown.part import Settings
from mgk_book.markdown.places import Places
from mgk_book.markdown.proof import Proof
from mgk_book.markdown.prose import Prose
from mgk_book.markdown.reference import GlossaryIds, Unsearched

# toc(우선순위 5)가 차례를 만들고 생성기가 페이지 안의 id를 모으기 전에 하는 일과 그 뒤에 하는 일. 적힌 차례대로 돈다.
BEFORE_CONTENTS = [GlossaryIds, HeadingLabels, Top]
AFTER_CONTENTS = [
    EnglishHeading,
    Formulas,
    Prose,  # 수식은 글이 아니다
    Figures,
    Proof,
    End,
    Unsearched,
]


class BookExtension(Extension):
    """책의 규칙."""

    def __init__(self, **options: Any) -> None:
        self.config = {
            "root": [str(Path(mgk_book.__file__).parents[1]), "책의 뿌리. 적지 않으면 이 패키지가 놓인 곳"],
            "repository": ["", "GitHub의 저장소(owner/name)"],
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown의 이름)
        """일마다 처리기 하나를 단다."""
        settings = Settings(Path(self.getConfig("root")), self.getConfig("repository"))
        md.preprocessors.register(Places(md, settings), "mgk-places", 40)  # 울타리(25)와 HTML(20)을 알아보기 전
        for parts, top in ((BEFORE_CONTENTS, 6.0), (AFTER_CONTENTS, 4.9)):
            for number, part in enumerate(parts):
                md.treeprocessors.register(part(md, settings), f"mgk-{part.__name__}", top - number / 100)


def makeExtension(**options: Any) -> BookExtension:  # noqa: N802 (Python-Markdown이 찾는 이름)
    """`markdown_extensions: [mgk_book.markdown]`이 부르는 것."""
    return BookExtension(**options)
