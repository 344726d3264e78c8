"""모듈이 기대는 모든 것의 해시: 캐시의 열쇠.

그림이나 노트북의 결과는 그 모듈의 글자만이 아니라, 그것이 들여오는 `mgk_docs_src`의 모듈 전부와
파이썬·패키지 판에 달려 있다. 하나라도 바뀌면 열쇠가 바뀌므로 낡은 결과가 나갈 수 없다.
"""

import hashlib
import platform
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import grimp

PACKAGE = "mgk_docs_src"


def source(module: str, root: Path) -> Path:
    """모듈의 소스 파일."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def import_graph(root: Path) -> grimp.ImportGraph:
    """`mgk_docs_src`의 import 그래프. 바뀌지 않은 파일은 다시 읽지 않는다."""
    return grimp.build_graph(PACKAGE, cache_dir=str(root / ".cache" / "grimp"))


@cache
def versions() -> list[str]:
    """파이썬과, 설치된 모든 패키지의 판."""
    installed = {f"{found.name}=={found.version}" for found in distributions()}
    return [platform.python_version(), *sorted(installed)]


def key(module: str, graph: grimp.ImportGraph, root: Path) -> str:
    """모듈과, 그것이 직접·간접으로 들여오는 모듈 전부의 소스와, 판 번호의 SHA-256."""
    closure = sorted({module, *graph.find_upstream_modules(module)})
    digest = hashlib.sha256("\n".join(versions()).encode())
    for name in closure:
        digest.update(b"\0" + name.encode() + b"\0" + source(name, root).read_bytes())
    return digest.hexdigest()
