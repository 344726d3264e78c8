"""모듈이 의존하는 모든 코드의 해시. 캐시의 키로 쓴다.

그림이나 노트북의 결과는 그 모듈의 코드만이 아니라, 그 코드가 import하는 `mgk_docs_src`의 모듈 전부와
파이썬의 버전, 그 모듈이 쓰는 패키지의 버전에 달려 있다. 하나라도 바뀌면 해시 키가 바뀌므로 낡은 결과가 실릴 수 없고,
쓰지 않는 코드와 글(설명과 주석, 린터, 사이트의 생성기)은 해시 키를 바꾸지 않는다.
"""

import ast
import hashlib
import platform
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import grimp
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "mgk_docs_src"


def source(module: str, root: Path) -> Path:
    """모듈의 소스 파일."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def public_functions(path: Path) -> list[str]:
    """모듈의 공개 함수 이름. import하지 않고 읽기만 하므로 torch를 기다리지 않는다."""
    body = ast.parse(path.read_text("utf-8")).body
    return [node.name for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def import_graph(root: Path, *others: str) -> grimp.ImportGraph:
    """`mgk_docs_src`(와 다른 패키지)의 import 그래프.

    grimp의 캐시는 쓰지 않는다. 한 폴더에서 패키지를 달리 묶어 부르면 낡은 그래프를 돌려주고, 없어도 0.05초다.
    """
    packages = [name for name in (PACKAGE, *others) if (root / name / "__init__.py").is_file()]
    return grimp.build_graph(*packages, cache_dir=None)


@cache
def versions(*names: str) -> tuple[str, ...]:
    """파이썬과, 배포판들과 그것들이 이 컴퓨터에서 요구하는 모든 배포판의 버전."""
    waiting, found = [(name, "") for name in names], {}  # (배포판, 선택한 extra)
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found[name, extra], required = _installed(name)
        for each in required:
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(each.name), chosen) for chosen in ("", *each.extras)]
    return (platform.python_version(), *sorted(set(found.values())))


@cache
def _installed(name: str) -> tuple[str, list[Requirement]]:
    """배포판의 버전과, 그 배포판이 요구하는 배포판들."""
    try:
        own = distribution(name)
    except PackageNotFoundError:
        return f"{name} 없음", []
    return f"{name}=={own.version}", [Requirement(each) for each in own.requires or []]


def imports(code: Iterable[str], graph: grimp.ImportGraph) -> set[str]:
    """코드 조각들이 import하는 `mgk_docs_src`의 모듈."""
    return {name for source in code for name in _named(source)} & graph.modules


@lru_cache(maxsize=1024)
def _named(source: str) -> frozenset[str]:
    """코드가 import하는 모든 이름. 노트북만 아는 줄(`%`, `!`)은 뺀다."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(re.sub(r"(?m)^[%!].*", "", source))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(named)


def reached(modules: Iterable[str], graph: grimp.ImportGraph) -> list[str]:
    """모듈들과, 그것들이 직접·간접으로 import하는 모듈 전부. 모듈을 import하면 먼저 도는 위의 `__init__`도 든다."""
    named = {name for module in modules for name in (module, *graph.find_upstream_modules(module))}
    packages = {name.rsplit(".", depth)[0] for name in named for depth in range(1, name.count(".") + 1)}
    return sorted(named | packages)


def key(module: str, graph: grimp.ImportGraph, root: Path) -> str:
    """모듈이 닿는 모든 코드와, 이 책의 패키지가 닿는 배포판들의 버전의 SHA-256."""
    digest = hashlib.sha256("\n".join(versions(PACKAGE)).encode())
    for name in reached({module}, graph):
        path = source(name, root)
        digest.update(b"\0" + name.encode() + b"\0" + code(path, path.stat().st_mtime_ns).encode())
    return digest.hexdigest()


@lru_cache(maxsize=1024)
def code(path: Path, _: int) -> str:
    """파일의 코드만의 SHA-256: 설명(docstring)과 주석은 결과를 바꾸지 않는다. 고치지 않은 파일은 다시 읽지 않는다."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
