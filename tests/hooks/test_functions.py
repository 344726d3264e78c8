"""hooks/functions.py: 책의 이름은 하나로 정해질 때만, 절마다 한 번, 이어 읽는 글에서만 설명으로 이어진다."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hooks import functions
from mgk_book.proofs import closure

ROOT = Path(__file__).parents[2]
NAMES = [
    "mgk_docs_src.losses.binary.bce",
    "mgk_docs_src.energy.samplers.sample",
    "mgk_docs_src.diffusion.sampling.sample",
    "mgk_docs_src.labs.losses.predict",
]
KNOWN = functions.endings(NAMES)
BCE, ENERGY, DIFFUSION, PREDICT = NAMES
OWN = "mgk_docs_src.losses.binary"


def found(html: str, module: str = "mgk_docs_src.index") -> list[str]:
    marked = functions.linked(html, KNOWN, module)
    return [part.partition('"')[0] for part in marked.split('<autoref identifier="')[1:]]


def test_the_code_becomes_a_reference() -> None:
    html = functions.linked("<p><code>bce</code>는</p>", KNOWN, "mgk_docs_src.losses.binary")
    assert html == f'<p><autoref identifier="{BCE}"><code>bce</code></autoref>는</p>'


@pytest.mark.parametrize(
    ("name", "module", "expected"),
    [
        ("bce", "", None),  # 낱말 하나는 다른 것의 이름이기도 하다
        ("bce", "mgk_docs_src.losses.binary", BCE),
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
    assert functions.full(name, KNOWN, module) == expected


def test_a_word_is_linked_elsewhere_only_with_its_module() -> None:
    assert found("<p><code>bce</code> <code>bce(p, y)</code></p>") == []  # `tensor(0.1)`은 torch의 것이다
    assert found("<p><code>binary.bce(p, y)</code></p>") == [BCE]


def test_once_in_each_section() -> None:
    code = "<p><code>bce</code> <code>bce(p, y)</code></p>"
    assert found(f"{code}<h2>하나</h2>{code}<h3>속</h3>{code}<h2>둘</h2>{code}", OWN) == [BCE] * 3


def test_headings_links_and_blocks_are_left_alone() -> None:
    code = "<code>bce</code>"
    assert (
        found(f"<h3>{code}</h3><p><a>{code}</a><autoref>{code}</autoref> bce</p><pre>{code}</pre><th>{code}</th>") == []
    )


def test_a_listing_is_left_alone_and_ends() -> None:
    code = "<p><code>bce</code></p>"
    listing = f'<div class="doc doc-object doc-function"><div class="doc-contents">{code}</div>{code}</div>'
    assert found(listing) == []
    assert found(f"{listing}{code}", OWN) == [BCE]


def test_the_pieces_make_the_page_again() -> None:
    html = '<div class="doc doc-object"><div><p>가</p></div></div><!-- 나 --><p>다 <code class="x">라</code></p>'
    assert functions.linked(html, KNOWN, "") == html


def test_every_public_function_of_the_book_is_known() -> None:
    names = set(functions.public_names(ROOT))
    assert len(names) > 250
    assert BCE in names
    assert not [name for name in names if ".figures." in name or "._" in name]
    for path in (ROOT / "mgk_docs_src" / "losses").glob("[a-z]*.py"):
        module = f"mgk_docs_src.losses.{path.stem}"
        assert {f"{module}.{name}" for name in closure.public_functions(path)} <= names


def test_the_hooks(book: Path, config: SimpleNamespace) -> None:
    (book / "mgk_docs_src" / "part.py").write_text(
        "class Pair: ...\n\n\ndef _own(): ...\n\n\ndef area(): ...\n", "utf-8"
    )
    config.extra = {}
    assert functions.on_files(["파일"], config) == ["파일"]
    page = SimpleNamespace(file=SimpleNamespace(src_uri="part.md"))
    html = functions.on_page_content(
        "<p><code>area</code> <code>part.Pair</code> <code>_own</code> <code>square</code></p>",
        page=page,
        config=config,
    )
    assert html.count("<autoref") == 2
    assert '<autoref identifier="mgk_docs_src.part.area">' in html
    assert '<autoref identifier="mgk_docs_src.part.Pair">' in html
