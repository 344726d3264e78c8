"""코드마다 복사 단추를 달아 둔다.

테마는 단추를 브라우저에서 만든다. 코드 하나에 단추를 달 때마다 다음 코드의 크기를 재므로, 긴 페이지에서는 모양을
코드의 수만큼 다시 셈한다. 단추를 미리 적어 두면 그 일이 없다. 누르면 복사하는 것은 테마의 스크립트이고, 스크립트가
없으면 단추도 보이지 않는다.
"""

import re
from itertools import count
from typing import Any

BLOCK = re.compile(
    r'(?P<open><div class="language-\w+ highlight">(?:<table class="highlighttable">.*?)?)<pre>'
    r"(?P<rest>(?:<span></span>)?<code>)",
    re.DOTALL,
)


TITLES = {"ko": "클립보드로 복사", "en": "Copy to clipboard"}  # 테마의 말


def button(number: int, title: str) -> str:
    """테마는 코드의 id 앞에 `__code_`를 붙인다. 복사할 곳은 그 이름으로 찾는다."""
    return (
        f'<div class="md-code__nav"><button type="button" class="md-code__button" title="{title}" '
        f'data-clipboard-target="#__code_code-{number} > code" data-md-type="copy"></button></div>'
    )


def with_buttons(output: str) -> str:
    """제목이 있는 블록은 출력이라서 달지 않는다."""
    numbers = count()
    title = TITLES["en" if '<html lang="en"' in output else "ko"]

    def replace(block: re.Match[str]) -> str:
        number = next(numbers)
        return f'{block["open"]}<pre id="code-{number}">{button(number, title)}{block["rest"]}'

    return BLOCK.sub(replace, output)


def on_post_page(output: str, **_: Any) -> str:
    """MkDocs 훅: 본문을 읽는 다른 훅이 모두 지나간 페이지."""
    return with_buttons(output)
