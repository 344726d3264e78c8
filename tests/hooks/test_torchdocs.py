"""hooks/torchdocs.py: 적어 둔 이름은 설치된 torch에 정말 있고, 글에 나오는 이름은 모두 적혀 있다."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from hooks import torchdocs

ROOT = Path(__file__).parents[2]
NAMES = torchdocs.read(torchdocs.NAMES.read_text("utf-8"))
WRITTEN = re.compile(r"(?<!`)`((?:torch|nn|F|optim)\.[A-Za-z_][\w.]*)(?:\([^`]*\))?`(?!`)")


def exists(name: str) -> bool:
    found = torch
    for part in name.split(".")[1:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def written() -> set[str]:
    paths = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("docs/labs/*.py"), *ROOT.glob("mgk_docs_src/**/*.py")]
    names = {name for path in paths for name in WRITTEN.findall(path.read_text("utf-8"))}
    for short, long in torchdocs.SHORT.items():
        names = {long + name.removeprefix(short) if name.startswith(short) else name for name in names}
    return names


@pytest.mark.parametrize("name", NAMES)
def test_a_listed_name_is_in_the_installed_torch(name: str) -> None:
    assert name.startswith("torch.")
    assert exists(name)


def test_every_name_in_the_text_is_listed() -> None:
    missing = sorted(name for name in written() if exists(name) and name not in NAMES)
    assert not missing, f"hooks/torch_names.txt에 더할 이름: {missing}"


def test_the_list_has_no_name_that_nobody_writes() -> None:
    assert sorted(NAMES.keys() - written()) == []
    assert list(NAMES) == sorted(NAMES)


def test_pages() -> None:
    names = torchdocs.read("# 주석\n\ntorch.sigmoid\ntorch.int64 tensor_attributes.html#torch.dtype\n")
    assert names == {
        "torch.sigmoid": "generated/torch.sigmoid.html#torch.sigmoid",
        "torch.int64": "tensor_attributes.html#torch.dtype",
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("torch.nn.BCELoss", "torch.nn.BCELoss"),
        ("nn.BCELoss", "torch.nn.BCELoss"),
        ("BCELoss", "torch.nn.BCELoss"),
        ("F.cross_entropy", "torch.nn.functional.cross_entropy"),
        ("cross_entropy", None),  # 이 책의 함수일 수도 있다
        ("torch.nope", None),
        ("Nope", None),
    ],
)
def test_short_names(name: str, expected: str | None) -> None:
    assert torchdocs.full(name, NAMES) == expected


def test_only_code_in_running_text_is_linked() -> None:
    names = {"torch.sigmoid": "s.html"}
    code = "<code>torch.sigmoid</code>"
    html = f"<h2>{code}</h2><p>{code} <a>{code}</a> torch.sigmoid <code>sigmoid</code></p><pre>{code}</pre>"
    link = f'<a href="https://t/s.html">{code}</a>'
    expected = f"<h2>{code}</h2><p>{link} <a>{code}</a> torch.sigmoid <code>sigmoid</code></p><pre>{code}</pre>"
    assert torchdocs.linked(html, names, "https://t/") == expected


def test_a_call_with_its_arguments_is_the_same_name() -> None:
    assert "<a href" in torchdocs.linked("<p><code>torch.sigmoid(x, y=None)</code></p>", {"torch.sigmoid": "s"}, "")


def test_the_hook_links_to_the_documentation_of_the_installed_version() -> None:
    page = SimpleNamespace()
    html = torchdocs.on_page_content("<p><code>BCELoss</code></p>", page=page, config=None)
    minor = ".".join(torch.__version__.split(".")[:2])
    address = f"https://docs.pytorch.org/docs/{minor}/generated/torch.nn.BCELoss.html#torch.nn.BCELoss"
    assert html == f'<p><a href="{address}"><code>BCELoss</code></a></p>'
