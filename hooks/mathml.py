"""수식을 빌드할 때 MathML로 바꾼다.

arithmatex가 남긴 LaTeX를 math-core로 옮긴다. MathML은 스크립트 없이 보이고, 화면 낭독기가 읽고,
페이지를 갈아 끼워도 남는다. math-core를 고른 까닭: 모르는 명령이나 닫히지 않은 괄호를 오류로 돌려주므로
틀린 수식은 빌드를 멈춘다. latex2mathml은 `\foo`를 글자로 내보내고 `aligned`와 넓은 모자를 그리지 못했다.
"""

import html
import re
from typing import Any

from math_core import LatexError, LatexToMathML
from mkdocs.exceptions import PluginError

ARITHMATEX = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
CONVERTER = LatexToMathML(fancy_error=False)


def render(latex: str, *, block: bool) -> str:
    """LaTeX 한 식을 `<math>`로. 검색 색인에는 넣지 않는다."""
    mathml: str = CONVERTER.convert_with_local_state(latex, displaystyle=block)
    return mathml.replace("<math", "<math data-search-exclude", 1)


def convert(content: str, page: str) -> str:
    """HTML 안의 모든 수식을 바꾼다. 읽을 수 없는 수식은 페이지 이름과 함께 오류다."""

    def replace(match: re.Match[str]) -> str:
        latex = html.unescape(match[2]).strip()
        block = match[1] == "div"
        try:
            math = render(latex, block=block)
        except LatexError as error:
            raise PluginError(f"{page}: 수식을 읽을 수 없다: {latex}\n{error}") from error
        # 긴 식은 좁은 화면에서 그 자리에서 옆으로 민다. 그래서 키보드로도 닿아야 한다.
        return f'<div class="math" tabindex="0">{math}</div>' if block else math

    return ARITHMATEX.sub(replace, content)


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """MkDocs 훅: 페이지 본문."""
    return convert(content, page.file.src_uri)
