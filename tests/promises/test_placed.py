"""텐서를 만드는 torch의 함수에는 언제나 `device=`를 적는다. 적지 않으면 입력이 아니라 torch의 기본 장치에 놓인다.

그림(`figures`)은 늘 CPU에서 그리므로 보지 않는다.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch.utils._device import _device_constructors

import mgk_docs_src

PACKAGE = Path(mgk_docs_src.__file__).parent
# torch의 기본 장치를 따르는 함수들. torch가 스스로 적어 둔 목록에서 저장하고 읽는 것을 뺀다.
FACTORIES = {function.__name__ for function in _device_constructors()} - {"load"}
FIGURES = PACKAGE / "figures"


def unplaced(source: str) -> Iterator[int]:
    """`device=` 없이 텐서를 만드는 줄."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=name), keywords=keywords):
                if name in FACTORIES and all(keyword.arg not in ("device", None) for keyword in keywords):
                    yield node.lineno


@pytest.mark.parametrize("path", sorted(set(PACKAGE.rglob("*.py")) - set(FIGURES.rglob("*.py"))), ids=str)
def test_every_tensor_is_placed(path):
    assert list(unplaced(path.read_text("utf-8"))) == [], path


def test_what_is_missing_is_seen():
    assert {"zeros", "tensor", "arange", "as_tensor", "randn"} <= FACTORIES
    source = "import torch\ntorch.ones(3)\ntorch.ones(3, device=x.device)\ntorch.arange(3, **place)\ntorch.sin(x)"
    assert list(unplaced(source)) == [2]
