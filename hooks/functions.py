"""글 속의 `bce_with_logits` 같은 이 책의 이름을 그 설명으로 잇는다.

설명이 어느 페이지에 있는지는 autorefs가 안다. 설명이 없는 이름은 autorefs가 경고하므로 엄격한 빌드가 멈춘다.
`sample`처럼 여러 모듈에 있는 이름은, 페이지와 짝인 모듈에 있거나 `samplers.sample`처럼 적었을 때만 잇는다.
`reduce`처럼 낱말 하나인 이름은 torch의 인자이기도 해서, 짝인 모듈의 것이거나 `reduction.reduce`처럼 적었을 때만 잇는다.
"""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hooks import prose
from mgk_book.proofs.closure import PACKAGE

CODE = re.compile(r"<code>(?P<name>[A-Za-z_][\w.]*)(?:\([^<]*\))?</code>")
WORD = re.compile(r"[a-z]+")
FIGURES, LABS = f"{PACKAGE}.figures.", f"{PACKAGE}.labs."


def public_names(root: Path) -> list[str]:
    """공개 함수와 클래스의 온전한 이름. 그림을 그리는 함수는 설명을 싣지 않으므로 뺀다."""
    names = []
    for path in sorted(root.joinpath(PACKAGE).rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        body = ast.parse(path.read_text("utf-8")).body
        found = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        names += [f"{module}.{name}" for name in found if not name.startswith("_")]
    return [name for name in names if not name.startswith(FIGURES)]


def endings(names: Iterable[str]) -> dict[str, list[str]]:
    """`binary.bce`처럼 앞을 줄인 이름마다, 그것일 수 있는 온전한 이름들.

    실습에서만 쓰는 함수는 이름만으로 가리키지 않는다: 다른 페이지의 `predict`는 그 함수가 아니다.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        parts = name.split(".")
        for start in range(len(parts) - name.startswith(LABS)):
            found.setdefault(".".join(parts[start:]), []).append(name)
    return found


def full(name: str, known: dict[str, list[str]], module: str) -> str | None:
    """하나로 정해지는 온전한 이름. 낱말 하나인 이름은 짝인 모듈에 있을 때만."""
    own = f"{module}.{name}"
    meant = [own] if own in known else known.get(name, []) if not WORD.fullmatch(name) else []
    return meant[0] if len(meant) == 1 else None


def linked(content: str, known: dict[str, list[str]], module: str) -> str:
    """절마다 처음 나온 곳 하나를 링크로. 함수의 설명 안은 그대로 둔다."""
    seen: set[str | None] = set()
    listing = 0  # 설명을 담은 div의 깊이
    pieces = []
    for token, read in prose.tokens(content):
        if token.startswith("<h2"):
            seen.clear()
        if listing or token.startswith('<div class="doc doc-object'):
            listing += token.startswith("<div") - token.startswith("</div")
        code = CODE.fullmatch(token) if read and not listing else None
        name = full(code["name"], known, module) if code else None
        fresh = name and name not in seen
        pieces.append(f'<autoref identifier="{name}">{token}</autoref>' if fresh else token)
        seen |= {name}
    return "".join(pieces)


def on_files(files: Any, config: Any) -> Any:
    """MkDocs 훅: 빌드마다 이름을 읽는다."""
    config.extra["functions"] = endings(public_names(Path(config.config_file_path).parent))
    return files


def on_page_content(content: str, page: Any, config: Any, **_: Any) -> str:
    """MkDocs 훅: 페이지 본문."""
    path = page.file.src_uri.rpartition(".")[0].replace("/", ".")
    return linked(content, config.extra["functions"], f"{PACKAGE}.{path}")
