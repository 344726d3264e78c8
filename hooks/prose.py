"""그려진 HTML에서 이어 읽는 글만 골라낸다. 용어의 풀이와 torch의 링크가 함께 쓴다."""

import re
from collections import Counter
from collections.abc import Iterator

READ = {"p", "li", "td", "dd"}
# 이미 링크이거나, 제목이거나, 그대로 두어야 하는 것
LEFT = {"a", "abbr", "autoref", "button", "h1", "h2", "h3", "h4", "h5", "h6", "math", "pre", "summary", "svg", "th"}
TOKEN = re.compile(r"(<code[^>]*>[^<]*</code>|<!--.*?-->|<[^>]*>)", re.DOTALL)
NAME = re.compile(r"<(/?)([a-zA-Z][\w-]*)")


def tokens(content: str) -> Iterator[tuple[str, bool]]:
    """HTML의 조각과, 그것이 이어 읽는 글이거나 글 속의 코드인지. 조각을 모두 이으면 처음의 HTML이다."""
    inside: Counter[str] = Counter()
    for token in TOKEN.split(content):
        piece = not token.startswith("<") or token.startswith("<code")
        if not piece and (tag := NAME.match(token)):
            inside[tag[2].lower()] += -1 if tag[1] else 1
        read = any(inside[name] > 0 for name in READ) and not any(inside[name] > 0 for name in LEFT)
        yield token, piece and read
