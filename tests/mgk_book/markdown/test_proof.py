"""mgk_book/markdown/proof.py: 실행 기록에 맞는 것만 돌았다고 적고, 낡은 것과 없는 것은 그렇다고 적는다."""

from pathlib import Path
from types import SimpleNamespace
from xml.etree.ElementTree import Element

import griffe
import pytest
from bs4 import BeautifulSoup

from mgk_book.book import BookError
from mgk_book.markdown.part import MKDOCS, Settings
from mgk_book.markdown.proof import Functions, Proof
from mgk_book.proofs import evidence, ledger
from mgk_book.proofs.books import opened
from mgk_book.proofs.evidence import Sources
from mgk_book.proofs.ledger import Ledger, Row
from tests.mgk_book.markdown.drawing import draw, markdown, write

ONE = "from mgk_docs_src.losses.binary import bce\n\nprint(bce() < 10)"
TWO = "import mgk_docs_src.energy.samplers as a\nprint(a)"
PAGE = (
    f'# 처음\n\n```python\n{ONE}\n```\n\n```text title="출력"\nTrue\n```\n\n글\n\n'
    f'=== "탭"\n\n    ```python\n    {TWO.replace(chr(10), chr(10) + "    ")}\n    ```\n\n'
    '```text\n다른 글\n```\n\n```sh\nls\n```\n\n```python { notest="시간" }\nx\n```\n'
)
CPU = {"device": "CPU", "torch": "2.13.0", "system": "<리눅스>"}
GPU = {"device": "GPU X", "torch": "2.13.0"}
WHERE = "losses/binary.md"


def certify(root: Path, device: str, facts: dict[str, str], *, only: str = "") -> None:
    """모든 것이 돌았다고 적는다."""
    sources = Sources(root)
    pages = {WHERE: (ONE, TWO), "en/index.md": (ONE,)}
    entries = [evidence.example(page, text, sources) for page, texts in pages.items() for text in texts]
    rows = {
        entry.id: Row(sources.key(entry), ledger.identity(facts), "2026-11-22T10:00:00Z", 1.0)
        for entry in [*entries, *evidence.functions(sources)]
        if entry.id.startswith(only)
    }
    ledger.write(root, device, Ledger({ledger.identity(facts): facts}, rows))


@pytest.fixture
def certified(book: Path) -> Path:
    certify(book, "cpu", CPU)
    return book


def shown(book: Path, text: str = PAGE, page: str = WHERE) -> BeautifulSoup:
    return draw(text, book, page)


def lines(soup: BeautifulSoup) -> list[str]:
    return [line.get_text() for line in soup.select(".certificate")]


def test_every_example_says_where_it_ran_under_its_output(certified: Path) -> None:
    soup = shown(certified)
    first, second = soup.select(".certificate")
    one, two = (evidence.example(WHERE, text, Sources(certified)).id.partition("#")[2] for text in (ONE, TWO))
    assert first.get_text() == f"✓ CPU · torch 2.13.0 · 2026-11-22 · #{one} · 내 컴퓨터에서 실행하기"
    assert second.get_text() == f"✓ CPU · torch 2.13.0 · 2026-11-22 · #{two}"
    assert [link["href"] for link in first.select("a")] == ["../certificates.md#check", "../install.md"]
    assert first.find_previous_sibling("div").select_one(".filename").get_text() == "출력"
    assert second.find_parent(class_="tabbed-block")
    assert not soup.select(".certificate time")


def test_what_never_ran_anywhere_is_said_once_at_the_end(certified: Path) -> None:
    soup = shown(certified)
    assert not [line for line in lines(soup) if "CUDA" in line]
    (foot,) = soup.select(".never-run")
    assert foot.get_text() == "CUDA에서 실행한 기록은 아직 없다 · 인증"
    assert foot.a["href"] == "../certificates.md"
    assert foot.find_next_siblings() == soup.select(".page-links")
    assert not shown(certified, "# 글뿐").select(".never-run")  # 돌릴 것이 없는 페이지
    ledger.write(certified, "cpu", Ledger({}, {}))
    soup = shown(certified)
    assert soup.select_one(".never-run").get_text().startswith("CPU, CUDA에서 실행한")
    assert lines(soup)[1].startswith("#")
    # 블록 하나라도 돌린 장치는 블록마다 말한다.
    certify(certified, "cuda", GPU, only="en/")
    assert lines(shown(certified))[1].startswith("CUDA 기록 없음 · #")


def test_nothing_is_said_at_the_end_when_every_device_has_run(certified: Path) -> None:
    certify(certified, "cuda", GPU)
    assert not shown(certified).select(".never-run")


def test_a_stale_row_says_so(certified: Path) -> None:
    certify(certified, "cuda", GPU, only=WHERE)
    write(certified, {"mgk_docs_src/energy/samplers.py": "X = 2\n"})
    kept, stale = lines(shown(certified))
    assert kept.startswith("✓ CPU · torch 2.13.0 · 2026-11-22 · ✓ GPU X")
    assert stale.startswith("△ CPU 낡음(2026-11-22 뒤에 코드가 바뀌었다) · △ GPU X 낡음")


def test_an_english_page_says_it_in_english(certified: Path) -> None:
    text = f"# Title\n\n```python\n{ONE}\n```\n\n```python\n{TWO}\n```"
    soup = shown(certified, text, "en/index.md")
    first, second = soup.select(".certificate")
    assert first.get_text().endswith(" · Run it yourself")
    assert first.select("a")[1]["href"] == "#install"
    assert second.get_text().startswith("CPU: no record · #")
    assert soup.select_one(".never-run").get_text() == "CUDA: no run on record yet · Certificates"
    write(certified, {"mgk_docs_src/losses/binary.py": "def bce(): return 2\n"})
    line = lines(shown(certified, text, "en/index.md"))[0]
    assert line.startswith("△ CPU: out of date (2026-11-22, the code has changed since)")


def test_a_lab_has_one_line_at_its_end(certified: Path) -> None:
    (line,) = shown(certified, "# 실습\n\n글", "labs/gan.ipynb").select(".certificate")
    assert line.get_text() == "CPU 기록 없음 · 내 컴퓨터에서 실행하기"
    assert line.find_next_sibling()["class"] == ["never-run"]


def test_a_page_that_lists_functions_has_a_foot(certified: Path) -> None:
    made = markdown(certified, WHERE)
    root = Element("div")
    root.append(Element("div", {"class": "mkdocstrings"}))
    Proof(made, Settings(certified, "")).run(root)
    assert [child.get("class") for child in root] == ["mkdocstrings", "never-run"]


def test_a_docstring_has_no_lines(certified: Path) -> None:
    assert not draw(f"```python\n{ONE}\n```", certified).select(".certificate, .never-run")


def test_each_public_function_tells_the_template_where_it_ran(certified: Path) -> None:
    loader = griffe.GriffeLoader(extensions=griffe.load_extensions(Functions()), search_paths=[certified])
    module = loader.load("mgk_docs_src.losses.binary")
    assert module["bce"].extra["mgk_book"]["proof"] == "✓ CPU · torch 2.13.0 · 2026-11-22"
    assert not module["_own"].extra["mgk_book"]


def test_a_ledger_that_cannot_be_believed_stops_the_build(certified: Path) -> None:
    path = ledger.path(certified, "cpu")
    own = ledger.identity(CPU)
    path.write_text(path.read_text("utf-8").replace(own, "00000000").replace("00000000", own, 1), "utf-8")
    with pytest.raises(BookError, match=r"cpu\.json:6: en/index\.md#.*컴퓨터 00000000이 machines에 없다"):
        shown(certified)


def test_the_books_are_opened_once_while_nothing_changes(certified: Path) -> None:
    assert opened(certified) is opened(certified)
    before = opened(certified)
    write(certified, {"tests/test_new.py": "x = 1\n"})
    assert opened(certified) is not before


def test_a_page_may_be_drawn_by_another_generator(certified: Path) -> None:
    made = markdown(certified, None)
    page = SimpleNamespace(page=SimpleNamespace(path=WHERE), run=lambda lines: lines)
    made.preprocessors.register(page, "rendering_context", 0)
    assert MKDOCS not in made.treeprocessors
    assert len(BeautifulSoup(made.convert(PAGE), "html.parser").select(".certificate")) == 2
