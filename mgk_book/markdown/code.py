"""울타리 코드를 검색에서 빼고, 출력의 한글을 로마자 두 칸 너비로 맞춘다."""

import re
from xml.etree.ElementTree import Element

from markdown.treeprocessors import Treeprocessor

FENCE = '<div class="language-'
OUTPUT = f'{FENCE}text highlight"'
WIDE = re.compile(r"[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]+")


def cells(text: str) -> str:
    """넓은 글자의 묶음마다, 로마자의 두 배씩 자리를 차지하게 한다. 한글 글꼴이 무엇이든 열이 맞는다."""
    return WIDE.sub(lambda run: f'<span class="wide" style="width:{2 * len(run[0])}ch">{run[0]}</span>', text)


class Code(Treeprocessor):
    """superfences는 그린 코드를 트리 밖(htmlStash)에 글로 맡겨 둔다. 거기서 고친다."""

    def run(self, root: Element) -> None:
        """코드는 첫 태그에 표지를 달고, 출력은 `<code>` 안의 글만 바꾼다."""
        blocks = self.md.htmlStash.rawHtmlBlocks
        for number, block in enumerate(blocks):
            if isinstance(block, str) and block.startswith(FENCE):
                head, code, text = block.partition("<code>")
                shown = cells(text) if block.startswith(OUTPUT) else text
                blocks[number] = head.replace("<div", '<div data-search-exclude="true"', 1) + code + shown
