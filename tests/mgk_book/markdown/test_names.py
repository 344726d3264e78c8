"""mgk_book/markdown/names.py: 책의 이름은 하나로 정해질 때만 이어지고, 적어 둔 torch의 이름은 정말 있다."""

import re
from pathlib import Path

import pytest
import torch

from mgk_book.markdown import names
from mgk_book.proofs import closure

ROOT = Path(__file__).parents[3]
KNOWN = names.endings(
    [
        "mgk_docs_src.losses.binary.bce",
        "mgk_docs_src.energy.samplers.sample",
        "mgk_docs_src.diffusion.sampling.sample",
        "mgk_docs_src.energy.samplers.step_size",
        "mgk_docs_src.labs.losses.predict",
    ]
)
BCE = "mgk_docs_src.losses.binary.bce"
ENERGY, DIFFUSION = "mgk_docs_src.energy.samplers.sample", "mgk_docs_src.diffusion.sampling.sample"
STEP, PREDICT = "mgk_docs_src.energy.samplers.step_size", "mgk_docs_src.labs.losses.predict"
WRITTEN = re.compile(r"(?<!`)`((?:torch|nn|F|optim)\.[A-Za-z_][\w.]*)(?:\([^`]*\))?`(?!`)")


@pytest.mark.parametrize(
    ("name", "module", "expected"),
    [
        ("bce", "", None),  # 낱말 하나는 다른 것의 이름이기도 하다
        ("bce", "mgk_docs_src.losses.binary", BCE),
        ("step_size", "", STEP),
        ("binary.bce", "", BCE),
        (BCE, "", BCE),
        ("losses.bce", "", None),
        ("sample", "", None),
        ("sample", "mgk_docs_src.energy.samplers", ENERGY),
        ("sample", "mgk_docs_src.diffusion.sampling", DIFFUSION),
        ("samplers.sample", "mgk_docs_src.diffusion.sampling", ENERGY),
        ("predict", "mgk_docs_src.diffusion.training", None),  # 그 장의 predict는 인자다
        ("predict", "mgk_docs_src.labs.losses", PREDICT),
        ("losses.predict", "", PREDICT),
        ("F.bce", "", None),
        ("nope", "", None),
    ],
)
def test_a_name_is_linked_only_when_it_can_be_one_function(name: str, module: str, expected: str | None) -> None:
    assert names.of_book(name, KNOWN, module) == expected


def test_every_public_function_of_the_book_is_known() -> None:
    found = set(names.public_names(ROOT))
    assert len(found) > 250
    assert BCE in found
    assert not [name for name in found if ".figures." in name or "._" in name]
    for path in (ROOT / "mgk_docs_src" / "losses").glob("[a-z]*.py"):
        module = f"mgk_docs_src.losses.{path.stem}"
        assert {f"{module}.{name}" for name in closure.public_functions(path)} <= found


def test_names_are_read_again_when_the_code_changes(book: Path) -> None:
    assert names.known(book) is names.known(book)
    assert "binary.nll" not in names.known(book)
    (book / "mgk_docs_src" / "losses" / "binary.py").write_text("def nll(): ...\n", "utf-8")
    assert names.known(book)["binary.nll"] == ["mgk_docs_src.losses.binary.nll"]


def exists(name: str) -> bool:
    found = torch
    for part in name.split(".")[1:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def written() -> set[str]:
    paths = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("docs/labs/*.py"), *ROOT.glob("mgk_docs_src/**/*.py")]
    found = {name for path in paths for name in WRITTEN.findall(path.read_text("utf-8"))}
    for short, long in names.SHORT.items():
        found = {long + name.removeprefix(short) if name.startswith(short) else name for name in found}
    return found


@pytest.mark.parametrize("name", names.torch_pages())
def test_a_listed_name_is_in_the_installed_torch(name: str) -> None:
    assert name.startswith("torch.")
    assert exists(name)


def test_every_name_in_the_text_is_listed() -> None:
    missing = sorted(name for name in written() if exists(name) and name not in names.torch_pages())
    assert not missing, f"mgk_book/markdown/torch_names.txt에 더할 이름: {missing}"


def test_the_list_has_no_name_that_nobody_writes() -> None:
    assert sorted(names.torch_pages().keys() - written()) == []
    assert list(names.torch_pages()) == sorted(names.torch_pages())


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("torch.nn.BCELoss", "generated/torch.nn.BCELoss.html#torch.nn.BCELoss"),
        ("nn.BCELoss", "generated/torch.nn.BCELoss.html#torch.nn.BCELoss"),
        ("BCELoss", "generated/torch.nn.BCELoss.html#torch.nn.BCELoss"),
        ("F.cross_entropy", "generated/torch.nn.functional.cross_entropy.html#torch.nn.functional.cross_entropy"),
        ("torch.int64", "tensor_attributes.html#torch.dtype"),
        ("cross_entropy", None),  # 이 책의 함수일 수도 있다
        ("torch.nope", None),
        ("Nope", None),
    ],
)
def test_the_page_is_that_of_the_installed_version(name: str, page: str | None) -> None:
    minor = ".".join(torch.__version__.split(".")[:2])
    assert names.of_torch(name) == (page and f"https://docs.pytorch.org/docs/{minor}/{page}")
