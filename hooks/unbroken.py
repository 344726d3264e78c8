"""좁은 화면에서 갈라지면 읽기 어려운 것을 한 줄에 둔다: 날짜와, ±가 있는 값과, 백분율.

날짜는 `<time>`으로 싸고 줄을 바꾸지 않는 것은 book.css가 정한다. ±의 두 빈칸과 %의 앞은
줄이 바뀌지 않는 빈칸(U+00A0)이 된다.
"""

import re
from typing import Any

from hooks import prose

DATE = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
SPREAD = re.compile(r"(?<=\d) ± (?=\d)")
PERCENT = re.compile(r"(?<=\d) (?=%)")


def whole(text: str) -> str:
    """글 한 조각."""
    return PERCENT.sub("\u00a0", SPREAD.sub("\u00a0±\u00a0", DATE.sub(r"<time>\g<0></time>", text)))


def on_page_content(content: str, **_: Any) -> str:
    """MkDocs 훅: 페이지와 실습의 본문."""
    return "".join(
        whole(token) if read and not token.startswith("<") else token for token, read in prose.tokens(content)
    )
