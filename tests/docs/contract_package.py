"""패키지의 계약: 공개 이름마다 설명과 테스트가 있고, 그림 함수마다 실린 페이지가 있다."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import griffe
from griffe import DocstringSection, DocstringSectionKind, Module

from tests.docs.blocks import ROOT
from tests.docs.pages import PACKAGE, Page

FIGURES = f"{PACKAGE}.figures"
FIGURE_TOOLS = {f"{FIGURES}.style", f"{FIGURES}.moving"}  # 그림이 아니라, 여러 그림이 나누어 쓰는 것
SUBJECTS = tuple(f"{PACKAGE}.{name}." for name in ("losses", "transport", "diffusion", "energy", "contrastive"))
FENCE_OR_CONSOLE = ("```", "~~~", ">>>")  # 설명 안의 예제는 돌지 않는다

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def load(root: Path = ROOT) -> Module:
    """패키지를 실행하지 않고 읽는다."""
    package = griffe.load(
        PACKAGE,
        search_paths=[root],
        try_relative_path=False,
        allow_inspection=False,
        force_inspection=False,
        docstring_parser="google",
        docstring_options={"warnings": False},
    )
    assert isinstance(package, Module)
    return package


def modules(package: Module) -> Iterator[Module]:
    """공개 모듈들: 패키지 자신과, 밑줄로 시작하지 않는 모든 하위 모듈."""
    yield package
    for module in _inner(package):
        if not module.name.startswith("_"):
            yield from modules(module)


def public(module: Module) -> list[griffe.Function | griffe.Class]:
    """모듈에서 정의한 공개 함수와 클래스. 들여온 이름은 별명이라 빠진다."""
    members = (member for name, member in module.members.items() if not name.startswith("_"))
    return [member for member in members if isinstance(member, griffe.Function | griffe.Class)]


def figure_functions(package: Module) -> list[str]:
    """그림 함수들의 이름."""
    drawing = [module for module in modules(package) if _is_figure(module) and module.path not in FIGURE_TOOLS]
    return [member.path for module in drawing for member in public(module) if member.is_function]


def documented(package: Module) -> list[str]:
    """그림을 뺀 모든 공개 이름에 설명이 있고, 함수의 설명에는 있어야 할 절이 다 있다."""
    raising = raising_functions(package)
    return [
        f"{_where(member)}: {member.path}: {what}"
        for module in modules(package)
        if not _is_figure(module)
        for member in public(module)
        for what in _faults(member, raising)
    ]


def figures_are_used(package: Module, found: Iterable[Page]) -> list[str]:
    """그림 함수마다 제 페이지에 실려 있다."""
    shown = {
        f"{page.figures}.{Path(str(picture.get('src'))).stem}"
        for page in found
        for picture in page.html.select('img[src^="figures/"]')
    }
    return [
        f"{_where(package[name.removeprefix(f'{PACKAGE}.')])}: {name}: 어느 페이지에도 실리지 않은 그림 함수"
        for name in figure_functions(package)
        if name not in shown
    ]


def raising_functions(package: Module) -> set[str]:
    """예외를 낼 수 있는 함수들: 스스로 `raise`하거나, 그런 함수를 부른다(checks의 도우미처럼)."""
    raises: set[str] = set()
    calls: dict[str, set[str]] = {}
    for module in _all_modules(package):
        tree = ast.parse(Path(str(module.filepath)).read_text("utf8"))
        scope = _scope(tree, module.path)
        for function in (node for node in tree.body if isinstance(node, FunctionNode)):
            name = f"{module.path}.{function.name}"
            inside = list(ast.walk(function))
            calls[name] = {_target(node.func, scope) for node in inside if isinstance(node, ast.Call)}
            raises |= {name} if any(isinstance(node, ast.Raise) for node in inside) else set()
    while reached := {name for name, called in calls.items() if name not in raises and called & raises}:
        raises |= reached
    return raises


def _faults(member: griffe.Function | griffe.Class, raising: set[str]) -> list[str]:
    docstring = member.docstring
    if docstring is None or not docstring.value.strip():
        return ["설명이 없다"]
    faults = [f"설명에 돌지 않는 예제({mark})가 있다" for mark in FENCE_OR_CONSOLE if mark in docstring.value]
    if isinstance(member, griffe.Class):
        return faults
    sections = docstring.parsed
    described = {argument.lstrip("*") for argument in _described(sections)}
    arguments = [parameter.name for parameter in member.parameters]
    faults += [f"Args에 {name}이 없다" for name in arguments if name not in described]
    faults += [f"Args에 시그니처에 없는 {name}이 있다" for name in sorted(described - set(arguments))]
    if str(member.returns) != "None" and not _has(sections, DocstringSectionKind.returns):
        faults.append("Returns가 없다")
    if member.path in raising and not _has(sections, DocstringSectionKind.raises):
        faults.append("예외를 낼 수 있는데 Raises가 없다")
    if not any(section.title == "References" for section in sections):
        faults.append("References가 없다")
    if member.path.startswith(SUBJECTS) and docstring.value.count("$$") < 2:
        faults.append("식($$ … $$)이 없다")
    return faults


def _described(sections: list[DocstringSection]) -> list[str]:
    return [
        parameter.name
        for section in sections
        if section.kind is DocstringSectionKind.parameters
        for parameter in section.value
    ]


def _has(sections: list[DocstringSection], kind: DocstringSectionKind) -> bool:
    return any(section.kind is kind for section in sections)


def _is_figure(module: Module) -> bool:
    return f"{module.path}.".startswith(f"{FIGURES}.")


def _all_modules(module: Module) -> Iterator[Module]:
    yield module
    for inner in _inner(module):
        yield from _all_modules(inner)


def _inner(module: Module) -> list[Module]:
    """바로 아래의 모듈들. 들여온 모듈은 별명이라 빠진다."""
    return [inner for _, inner in sorted(module.modules.items()) if isinstance(inner, Module)]


def _where(member: griffe.Object | griffe.Alias) -> str:
    """`mgk_docs_src/losses/binary.py:12`처럼."""
    path = Path(str(member.filepath))
    root = path.parents[len(member.module.path.split(".")) - (0 if path.stem == "__init__" else 1)]
    return f"{path.relative_to(root)}:{member.lineno}"


def _scope(tree: ast.Module, module: str) -> dict[str, str]:
    """모듈에서 보이는 이름이 무엇을 가리키는가."""
    scope = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, FunctionNode)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            scope |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            scope |= {alias.asname: alias.name for alias in node.names if alias.asname}
    return scope


def _target(function: ast.expr, scope: dict[str, str]) -> str:
    """부르는 함수의 온 이름. 알 수 없으면 빈 글."""
    if isinstance(function, ast.Name):
        return scope.get(function.id, "")
    if isinstance(function, ast.Attribute) and (owner := _target(function.value, scope)):
        return f"{owner}.{function.attr}"
    return ""
