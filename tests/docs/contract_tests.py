"""테스트의 계약: 공개 이름마다, 같은 경로의 테스트 파일에, 테스트 중인 장치에서 그것을 쓰는 테스트가 있다."""

import ast
from pathlib import Path

from griffe import Module

from tests.docs.blocks import ROOT
from tests.docs.contract_package import FIGURES, FunctionNode, modules, public


def is_tested_on_device(package: Module, tests: Path = ROOT / "tests") -> list[str]:
    """테스트되지 않은 공개 이름들. 그림은 사이트의 테스트가 본다."""
    return [
        f"{_shown(path)}:1: {member.path}: device 픽스처를 받는 테스트가 쓰지 않는다"
        for module in modules(package)
        if not f"{module.path}.".startswith(f"{FIGURES}.") and public(module)
        for path in [mirrored(module, tests)]
        for used in [names_used_on_device(path.read_text("utf8")) if path.is_file() else set()]
        for member in public(module)
        if member.name not in used
    ]


def mirrored(module: Module, tests: Path) -> Path:
    """mgk_docs_src/losses/binary.py의 짝은 tests/losses/test_binary.py다."""
    _, *folders, name = module.path.split(".")
    return tests.joinpath(*folders, f"test_{name}.py")


def names_used_on_device(source: str) -> set[str]:
    """device를 받는 테스트들이 쓰는 이름들."""
    return set().union(*device_tests(source).values())


def device_tests(source: str) -> dict[str, set[str]]:
    """device를 받는(픽스처를 거쳐서라도) 테스트마다, 그것이 쓰는 이름들.

    테스트가 부르는 같은 파일의 도우미, 매개변수를 담은 상수, 픽스처를 따라간다.
    """
    tree = ast.parse(source)
    defined = _definitions(tree)
    found = {}
    for test in _tests(tree):
        reached = _reach(test, defined)
        fixtures = [node for name, node in defined.items() if name in reached and _is_fixture(node)]
        if any("device" in _arguments(node) for node in [test, *fixtures]):
            found[test.name] = reached
    return found


def _tests(tree: ast.Module) -> list[FunctionNode]:
    return [node for node in ast.walk(tree) if isinstance(node, FunctionNode) and node.name.startswith("test")]


def _definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """파일의 맨 바깥에서 이름이 붙은 것들."""
    defined: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, FunctionNode | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return defined


def _reach(test: FunctionNode, defined: dict[str, ast.stmt]) -> set[str]:
    reached: set[str] = set()
    waiting = _names(test)
    while waiting:
        reached |= waiting
        found = {name for key in waiting if key in defined for name in _names(defined[key])}
        waiting = found - reached
    return reached


def _names(node: ast.stmt) -> set[str]:
    """마디 안에서 읽는 이름, 점 뒤의 이름, 그리고 픽스처일 수 있는 인자의 이름."""
    inside = list(ast.walk(node))
    read = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    attributes = {n.attr for n in inside if isinstance(n, ast.Attribute)}
    return read | attributes | (_arguments(node) if isinstance(node, FunctionNode) else set())


def _arguments(node: ast.stmt) -> set[str]:
    if not isinstance(node, FunctionNode):
        return set()
    return {argument.arg for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}


def _is_fixture(node: ast.stmt) -> bool:
    return isinstance(node, FunctionNode) and any("fixture" in ast.unparse(d) for d in node.decorator_list)


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
