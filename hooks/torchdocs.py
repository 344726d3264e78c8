"""글 속의 `torch.nn.CrossEntropyLoss` 같은 이름을 torch의 설명서로 잇는다.

주소는 규칙으로 만들고 네트워크에 묻지 않는다. torch를 들여오면 빌드가 늦어지므로, 정말 있는 이름인지는
`torch_names.txt`에 적어 두고 시험이 설치된 torch와 견준다.
"""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hooks import prose

NAMES = Path(__file__).with_name("torch_names.txt")
CODE = re.compile(r"<code>(?P<name>[A-Za-z_][\w.]*)(?:\([^<]*\))?</code>")
SHORT = {"nn.": "torch.nn.", "F.": "torch.nn.functional.", "optim.": "torch.optim."}


def read(text: str) -> dict[str, str]:
    """이름마다의 페이지. 따로 적지 않은 것은 이름 하나에 페이지 하나인 것이다."""
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {name: page[0] if page else f"generated/{name}.html#{name}" for name, *page in rows}


def full(name: str, names: dict[str, str]) -> str | None:
    """목록에 있는 온전한 이름. `nn.Linear`처럼 줄인 것과 `BCELoss`처럼 클래스만 적은 것도 알아본다."""
    for short, long in SHORT.items():
        if name.startswith(short):
            name = long + name.removeprefix(short)
    if "." not in name and name[0].isupper():
        name = f"torch.nn.{name}"
    return name if name in names else None


def linked(content: str, names: dict[str, str], root: str) -> str:
    """글 속의 코드 가운데 torch의 이름인 것을 링크로."""

    def link(token: str) -> str:
        code = CODE.fullmatch(token)
        name = code and full(code["name"], names)
        return f'<a href="{root}{names[name]}">{token}</a>' if name else token

    return "".join(link(token) if read else token for token, read in prose.tokens(content))


def on_page_content(content: str, config: Any, **_: Any) -> str:
    """MkDocs 훅: 페이지 본문."""
    minor = ".".join(version("torch").split(".")[:2])
    return linked(content, read(NAMES.read_text("utf-8")), f"https://docs.pytorch.org/docs/{minor}/")
