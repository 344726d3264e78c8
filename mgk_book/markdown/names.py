"""글 속의 코드가 가리키는 것: 이 책의 `bce_with_logits`, torch의 `nn.CrossEntropyLoss`.

이 책의 이름이 어느 페이지에 있는지는 autorefs가 안다. 설명이 없는 이름은 autorefs가 경고하므로 엄격한 빌드가 멈춘다.
torch의 주소는 규칙으로 만들고 네트워크에 묻지 않는다. torch를 import하면 빌드가 늦어지므로, 정말 있는 이름인지는
`torch_names.txt`에 적어 두고 테스트가 설치된 torch와 비교한다.
"""

import ast
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

from mgk_book.book import stamp
from mgk_book.proofs.closure import PACKAGE

TORCH_NAMES = Path(__file__).with_name("torch_names.txt")
SHORT = {"nn.": "torch.nn.", "F.": "torch.nn.functional.", "optim.": "torch.optim."}
CALLED = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:\(.*\))?", re.DOTALL)
WORD = re.compile(r"[a-z]+")
FIGURES, LABS = f"{PACKAGE}.figures.", f"{PACKAGE}.labs."
Endings = dict[str, list[str]]


def public_names(root: Path) -> list[str]:
    """공개 함수와 클래스의 온전한 이름. 그림을 그리는 함수와 밑줄로 시작하는 모듈은 설명을 싣지 않으므로 뺀다."""
    names = []
    for path in sorted(root.joinpath(PACKAGE).rglob("[!_]*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        body = ast.parse(path.read_text("utf-8")).body
        found = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        names += [f"{module}.{name}" for name in found if not name.startswith("_")]
    return [name for name in names if not name.startswith(FIGURES)]


def endings(names: Iterable[str]) -> Endings:
    """`binary.bce`처럼 앞을 줄인 이름마다, 그것일 수 있는 온전한 이름들.

    실습에서만 쓰는 함수는 이름만으로 가리키지 않는다: 다른 페이지의 `predict`는 그 함수가 아니다.
    """
    found: Endings = {}
    for name in names:
        parts = name.split(".")
        for start in range(len(parts) - name.startswith(LABS)):
            found.setdefault(".".join(parts[start:]), []).append(name)
    return found


def known(root: Path) -> Endings:
    """책의 이름들. 코드가 그대로면 다시 읽지 않는다."""
    return _known(root, stamp(root, PACKAGE))


@lru_cache(maxsize=2)
def _known(root: Path, _: object) -> Endings:
    return endings(public_names(root))


def of_book(name: str, names: Endings, module: str) -> str | None:
    """하나로 정해지는 온전한 이름.

    `sample`처럼 여러 모듈에 있는 이름은 `samplers.sample`처럼 적었을 때만, `reduce`처럼 낱말 하나인 이름은 torch의
    인자이기도 해서 `reduction.reduce`처럼 적었을 때만 그 이름이다. 페이지와 짝인 모듈에 있으면 이름만 적어도 된다.
    """
    own = f"{module}.{name}"
    if own in names:
        return own
    found = [] if WORD.fullmatch(name) else names.get(name, [])
    return found[0] if len(found) == 1 else None


@cache
def torch_pages() -> dict[str, str]:
    """설치된 판의 설명서에서의, torch의 이름마다의 주소. 따로 적지 않은 것은 이름 하나에 페이지 하나인 것이다."""
    rows = [line.split() for line in TORCH_NAMES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    manual = f"https://docs.pytorch.org/docs/{'.'.join(version('torch').split('.')[:2])}"
    return {name: f"{manual}/{page[0] if page else f'generated/{name}.html#{name}'}" for name, *page in rows}


def of_torch(name: str) -> str | None:
    """torch의 설명서에서의 주소. `nn.Linear`처럼 줄인 것과 `BCELoss`처럼 클래스만 적은 것도 알아본다."""
    for short, long in SHORT.items():
        if name.startswith(short):
            name = long + name.removeprefix(short)
    if "." not in name and name[0].isupper():
        name = f"torch.nn.{name}"
    return torch_pages().get(name)
