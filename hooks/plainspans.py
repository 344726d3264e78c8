"""코드에서, 테마가 글과 같은 색으로 두는 이름·빈칸·부호를 감싼 틀을 벗긴다.

보이는 것은 같고, 장마다 요소가 천 개 넘게 준다. 요소가 적을수록 휴대전화가 모양을 빨리 셈한다.
"""

import re
from typing import Any

SPAN = re.compile(r'<span class="(?:[nwpo]|nn|s[ai])">([^<]*)</span>')


def on_post_page(output: str, **_: Any) -> str:
    """MkDocs 훅: 완성된 페이지."""
    return SPAN.sub(r"\1", output)
