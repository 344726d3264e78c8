"""mgk_book/prepare/totals.py: 실행 기록에 맞는 것만 돌았다고 세고, 한 것은 한 번만 센다."""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from mgk_book.book import BookError
from mgk_book.prepare import totals
from mgk_book.prepare.pages import Book
from mgk_book.proofs import evidence, ledger
from mgk_book.proofs.evidence import Sources
from mgk_book.proofs.ledger import Ledger, Row
from tests.docs.entries import entries
from tests.mgk_book.prepare.conftest import Write
from tests.mgk_book.prepare.test_pages import lab

ONE = "from mgk_docs_src.shared import area\n\nprint(area() < 10)"
TWO = "import mgk_docs_src.lonely as a\nprint(a.X)"
PAGES = {
    "index.md": (
        f"---\ntitle: 처음 <a>\n---\n\n```python\n{ONE}\n```\n\n```text title=\"출력\"\nTrue\n```\n\n글\n\n"
        f"!!! note\n\n    ```python\n    {TWO.replace(chr(10), chr(10) + '    ')}\n    ```\n\n```text\n다른 글\n```\n\n"
        "```sh\nls\n```\n"
    ),
    "part/shared.md": "# 함수\n\n::: mgk_docs_src.shared\n\n::: mgk_docs_src.shared.area\n",
    "reference/api.md": "# 찾아보기\n\n::: mgk_docs_src.shared\n",
    "sessions/one.md": (
        "---\nphotos:\n  - {file: 있는 것.png, alt: 모임}\n  - {file: 없는 것.JPG, alt: 시간}\n---\n\n# 회차\n\n"
        "[장](../part/shared.md) [또](../part/shared.md) [사람](../members/a.md) [모두](../whole/index.md)\n"
    ),
    "members/a.md": "# 사람\n",
    "whole/index.md": "# 주제\n",
    "whole/one.md": f"# 하나\n\n```python\n{TWO}\n```\n",
    "certificates.md": "# 인증\n",
    "assets/certifications/있는 것.png": "그림",
}  # fmt: skip
PACKAGE = {
    "conftest.py": "",
    "mgk_docs_src/__init__.py": "",
    "mgk_docs_src/deep.py": "SIDE = 3\n",
    "mgk_docs_src/lonely.py": "X = 1\n",
    "mgk_docs_src/shared.py": (
        'from mgk_docs_src.deep import SIDE\n\n\nclass Box:\n    """상자."""\n\n\n'
        'def area():\n    """넓이."""\n    return SIDE**2\n'
    ),
}
CPU = {"device": "CPU", "torch": "2.13.0", "system": "<리눅스> x86_64"}
GPU = {"device": "GPU X", "torch": "2.13.0"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """진짜 책을 잠시 잊고, 임시 폴더의 책이 `mgk_docs_src`가 된다."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "mgk_docs_src"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    importlib.invalidate_caches()
    sources = Sources(tmp_path)
    examples = [evidence.example("index.md", text, sources) for text in (ONE, TWO)]
    certify(tmp_path, "cpu", CPU, [*examples, *evidence.functions(sources)])
    return tmp_path


def certify(
    root: Path, device: str, facts: dict[str, str], entries: Iterable[evidence.Entry], seconds: float = 1.0
) -> None:
    """모두 돌았다고 적는다."""
    sources = Sources(root)
    name, taken = ledger.identity(facts), "2026-11-22T10:00:00Z"
    rows = {entry.id: Row(sources.key(entry), name, taken, seconds) for entry in entries}
    ledger.write(root, device, Ledger({name: facts}, rows))


def cells(book: Book, name: str, page: str = "certificates.md") -> list[list[str]]:
    _, _, *rows = totals.places(book)[f"certificates:{name}"](book.pages[page]).split("\n")
    return [row.removeprefix("| ").removesuffix(" |").split(" | ") for row in rows]


def test_totals_count_each_once(root: Path, write: Write) -> None:
    book = write(PAGES)
    (root / "mgk_docs_src" / "lonely.py").write_text("X = 2\n")
    assert cells(book, "totals") == [
        ["예제 블록", "1 / 3 (낡음 1)", "0 / 3"],
        ["공개 함수", "1 / 1", "0 / 1"],
        ["모두", "2 / 4 (낡음 1)", "0 / 4"],
    ]
    assert cells(book, "pages") == [
        ["[처음 &lt;a&gt;](index.md)", "1 / 2 (낡음 1)", "0 / 2"],
        ["[함수](part/shared.md)", "1 / 1", "0 / 1"],
        ["[하나](whole/one.md)", "0 / 1", "0 / 1"],
    ]
    assert cells(book, "pages", "sessions/one.md")[0][0] == "[처음 &lt;a&gt;](../index.md)"
    assert cells(book, "machines") == [
        ["CPU", r"torch 2.13.0, system &lt;리눅스&gt; x86\_64", "3"],
        ["CUDA", "이 장치에서는 아직 실행한 적이 없다", "0"],
    ]


def test_a_session_counts_what_it_links_to(root: Path, write: Write) -> None:
    assert cells(write(PAGES), "session", "sessions/one.md") == [
        ["예제 블록", "0 / 1", "0 / 1"],
        ["공개 함수", "1 / 1", "0 / 1"],
        ["모두", "1 / 2", "0 / 2"],
    ]
    alone = write(PAGES | {"sessions/one.md": "# 회차\n"})
    assert cells(alone, "session", "sessions/one.md") == []


def test_a_session_shows_the_photos_there_are(write: Write) -> None:
    book = write(PAGES)
    shown = totals.places(book)["certificates:photos"]
    assert shown(book.pages["sessions/one.md"]).split("\n") == [
        "![모임](<../assets/certifications/있는 것.png>)",
        "",
        "- 시간: `없는 것.JPG`. 사진 파일은 남은 자료에 없다.",
    ]
    assert shown(book.pages["index.md"]) == ""


def test_labs_show_their_times(root: Path, write: Write) -> None:
    one = lab("labs/a", ("markdown", "# 실습 <가>"), ("code", "from mgk_docs_src.deep import SIDE"))
    nav = ["labs/a.ipynb", "certificates.md"]
    book = write(PAGES, nav=nav, labs=[one])
    assert cells(book, "labs") == [["[실습 &lt;가&gt;](labs/a.ipynb)", "기록 없음", "기록 없음", "–"]]
    entry = evidence.lab(one, Sources(root))
    for device, facts, seconds in [("cpu", CPU, 60.0), ("cuda", GPU, 12.0)]:
        certify(root, device, facts, [entry], seconds)
    assert cells(book, "labs") == [["[실습 &lt;가&gt;](labs/a.ipynb)", "60초", "12초", "5.0"]]
    assert cells(book, "totals")[0] == ["실습", "1 / 1", "1 / 1"]
    assert cells(book, "machines")[1] == ["GPU X", "torch 2.13.0", "1"]


def test_what_was_measured_is_shown_and_what_was_not_is_named(tmp_path: Path, write: Write) -> None:
    folder = tmp_path / "benchmarks" / "results"
    folder.mkdir(parents=True)
    (folder / "devices-cpu.md").write_text("CPU에서 잰 표\n", "utf-8")
    book = write({"a.md": "# 가"})
    places, here = totals.places(book), book.pages["a.md"]
    assert places["certificates:speeds"](here) == "CPU에서 잰 표\n\nCUDA에서는 아직 측정하지 못했다."
    assert places["results:devices-cpu"](here) == "CPU에서 잰 표"
    assert "results:devices-cuda" not in places


def test_a_ledger_that_cannot_be_believed_stops_the_build(root: Path, write: Write) -> None:
    path = ledger.path(root, "cpu")
    path.write_text(path.read_text("utf-8").replace('"machine": "', '"machine": "0', 1), "utf-8")
    with pytest.raises(BookError, match=r"cpu\.json:\d+: index\.md#"):
        cells(write(PAGES), "totals")


def test_the_entries_of_the_pages_are_all_that_the_ledger_must_hold() -> None:
    """그려진 사이트 대신, 계약의 테스트가 세는 것과 비교한다: 찾아보기를 뺀 페이지의 예제와 실습, 그리고 모든 함수."""
    from mgk_book.prepare.pages import Settings, open_book
    from mgk_book.running.execution import find, sources
    from tests.docs.blocks import ROOT

    labs = find(sources(ROOT), ROOT, "cpu")
    counted = totals.Totals(open_book(ROOT, Settings(), labs))
    every = {entry.id: entry for found in counted.entries.values() for entry in found} | counted.books.functions
    assert every == entries(counted.books.sources, labs)
