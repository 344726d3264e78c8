"""mgk_book/proofs/ledger.py: 해시 키는 글과 닿는 코드만 보고, 믿을 수 없는 실행 기록은 행의 이름을 대며 거절한다."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mgk_book.book import BookError
from mgk_book.proofs import closure, evidence, ledger
from mgk_book.proofs.evidence import Entry, Sources
from mgk_book.proofs.ledger import Ledger, Row, Status
from mgk_book.running import execution

BLOCK = "from mgk_docs_src.shared import SIDE\n\nprint(SIDE)"
FACTS = {"device": "CPU", "torch": "2.13.0"}
MACHINE = ledger.identity(FACTS)


@pytest.fixture
def shelf(book: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """테스트가 하나 있는 작은 책."""
    monkeypatch.delitem(sys.modules, "tests", raising=False)  # 진짜 테스트가 아니라 이 책의 테스트를 찾게
    (book / "tests").mkdir()
    (book / "tests" / "__init__.py").touch()
    (book / "tests" / "helper.py").write_text("LIMIT = 1\n")
    (book / "tests" / "test_shared.py").write_text("import mgk_docs_src.shared\nfrom tests import helper\n")
    (book / "mgk_docs_src" / "shared.py").write_text(
        "from mgk_docs_src.deep import SIDE\n\n\ndef area():\n    return SIDE**2\n\n\ndef _hidden():\n    pass\n"
    )
    (book / "conftest.py").touch()
    return book


def row(entry: Entry, root: Path, taken: str = "2026-11-22T00:00:00Z") -> Row:
    return Row(Sources(root).key(entry), MACHINE, taken, 0.5)


def example(root: Path) -> Entry:
    return evidence.example("page.md", BLOCK, Sources(root))


def function(root: Path) -> Entry:
    return evidence.function("mgk_docs_src.shared.area", Sources(root))


def save(root: Path, *entries: Entry) -> Path:
    ledger.write(root, "cpu", Ledger({MACHINE: FACTS}, {entry.id: row(entry, root) for entry in entries}))
    return ledger.path(root, "cpu")


def test_files_are_all_that_the_block_reaches(shelf: Path) -> None:
    assert example(shelf).files == ("mgk_docs_src/__init__.py", "mgk_docs_src/deep.py", "mgk_docs_src/shared.py")
    assert set(function(shelf).files) == {
        "conftest.py",
        *example(shelf).files,
        "tests/__init__.py",
        "tests/helper.py",
        "tests/test_shared.py",
    }


def test_the_key_is_what_sha256sum_says(shelf: Path) -> None:
    entry = example(shelf)
    listing = subprocess.run(
        ["sha256sum", "-", *entry.files], input=entry.text.encode(), cwd=shelf, capture_output=True, check=True
    )
    key = subprocess.run(["sha256sum"], input=listing.stdout, capture_output=True, check=True).stdout.split()[0]
    assert Sources(shelf).key(entry) == key.decode()


@pytest.mark.parametrize("make", [example, function])
@pytest.mark.parametrize("module", ["shared", "deep", "__init__"])
def test_an_edit_of_a_function_under_a_block_makes_its_row_stale(make, module: str, shelf: Path) -> None:
    entry = make(shelf)
    save(shelf, entry)
    path = shelf / "mgk_docs_src" / f"{module}.py"
    path.write_text(path.read_text() + "\nEDITED = True\n")
    sources = Sources(shelf)
    assert ledger.status(make(shelf), ledger.read(shelf, "cpu"), sources) is Status.STALE
    assert f"{entry.id}: 낡았다" in ledger.faults(shelf, "cpu", [make(shelf)], sources)[0]


@pytest.mark.parametrize("make", [example, function])
def test_an_edit_of_an_unrelated_function_keeps_the_row(make, shelf: Path) -> None:
    save(shelf, make(shelf))
    (shelf / "mgk_docs_src" / "lonely.py").write_text("X = 2\n\n\ndef other():\n    return X\n")
    sources = Sources(shelf)
    assert ledger.status(make(shelf), ledger.read(shelf, "cpu"), sources) is Status.CERTIFIED
    assert ledger.faults(shelf, "cpu", [make(shelf)], sources) == []


@pytest.mark.parametrize("file", ["tests/test_shared.py", "tests/helper.py", "conftest.py"])
def test_an_edit_of_a_test_makes_the_function_stale_but_not_the_block(file: str, shelf: Path) -> None:
    save(shelf, function(shelf), example(shelf))
    path = shelf / file
    path.write_text(path.read_text() + "# 고침\n")
    book, sources = ledger.read(shelf, "cpu"), Sources(shelf)
    assert ledger.status(function(shelf), book, sources) is Status.STALE
    assert ledger.status(example(shelf), book, sources) is Status.CERTIFIED


def test_an_edited_block_is_another_block(shelf: Path) -> None:
    save(shelf, example(shelf))
    sources = Sources(shelf)
    edited = evidence.example("page.md", BLOCK + "\nprint(2)", sources)
    missing, unknown = ledger.faults(shelf, "cpu", [edited], sources)
    assert f"{edited.id}: 인증이 없다" in missing
    assert f"{example(shelf).id}: 책에 없는 항목의 행이다" in unknown


def test_spaces_at_line_ends_are_not_part_of_the_text(shelf: Path) -> None:
    assert evidence.example("page.md", "\n" + BLOCK.replace("\n", "  \n") + "\n\n", Sources(shelf)) == example(shelf)


def test_public_functions_are_the_books_own(shelf: Path) -> None:
    assert [entry.id for entry in evidence.functions(Sources(shelf))] == ["mgk_docs_src.shared.area"]


def test_a_lab_is_its_code(shelf: Path) -> None:
    path = shelf / "docs" / "labs" / "one.py"
    path.parent.mkdir(parents=True)
    path.write_text("# %% [markdown]\n# 글\n\n# %%\nfrom mgk_docs_src.deep import SIDE\n\n# %%\nSIDE\n")
    (found,) = execution.find(execution.sources(shelf), shelf, "cpu")
    entry = evidence.lab(found, Sources(shelf))
    assert entry.id == "labs/one"
    assert entry.text == "from mgk_docs_src.deep import SIDE\nSIDE\n"
    assert entry.files == ("mgk_docs_src/__init__.py", "mgk_docs_src/deep.py")


def test_an_added_import_is_seen_at_once(shelf: Path) -> None:
    """다른 훅이 그래프를 먼저 만들었어도. grimp의 캐시를 쓰면 여기서 낡은 그래프가 온다."""
    assert "mgk_docs_src/lonely.py" not in example(shelf).files
    path = shelf / "mgk_docs_src" / "shared.py"
    path.write_text("from mgk_docs_src import lonely\n" + path.read_text())
    closure.import_graph(shelf)
    assert "mgk_docs_src/lonely.py" in example(shelf).files


def test_a_book_without_tests_has_sources(book: Path) -> None:
    assert Sources(book).files({"mgk_docs_src.deep"}) == ("mgk_docs_src/__init__.py", "mgk_docs_src/deep.py")


def test_rows_are_sorted_lines_that_keep_their_bytes(shelf: Path) -> None:
    path = save(shelf, function(shelf), example(shelf))
    before = path.read_text().split("\n")
    assert [line.split('"')[1] for line in before if '"key"' in line] == ["mgk_docs_src.shared.area", example(shelf).id]
    book = ledger.read(shelf, "cpu")
    new = Entry("other.md#0", "x\n", ())
    rows = book.rows | {new.id: row(new, shelf)}
    ledger.write(shelf, "cpu", book._replace(rows=rows, machines=book.machines | {"00000000": {}}))
    after = path.read_text().split("\n")
    assert [line for line in after if line.strip(",") not in {old.strip(",") for old in before}] == [
        line for line in after if "other.md#0" in line
    ]
    assert ledger.read(shelf, "cpu").machines == {MACHINE: FACTS}  # 쓰지 않는 기계는 남지 않는다
    assert [each.name for each in path.parent.iterdir()] == ["cpu.json"]


def test_no_ledger_is_an_empty_one(shelf: Path) -> None:
    assert ledger.read(shelf, "cuda") == Ledger({}, {})


def first_row(text: str) -> str:
    return next(line for line in text.split("\n") if '"key"' in line)


def cut(text: str) -> str:
    return text[: text.index('"page.md#') + 40]


def merge_marks(text: str) -> str:
    line = first_row(text)
    return text.replace(line, f"<<<<<<< HEAD\n{line}\n=======\n{line}\n>>>>>>> other")


def twice(text: str) -> str:
    line = first_row(text)
    return text.replace(line, f"{line},\n{line}")


def field(name: str, value: object):
    def edit(text: str) -> str:
        raw = json.loads(text)
        raw["rows"]["page.md#" + next(iter(raw["rows"])).partition("#")[2]][name] = value
        return json.dumps(raw).replace('"rows": {', '\n"rows": {\n')

    return edit


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, ["cpu.json:6: page.md#", "읽을 수 없다"]),
        (merge_marks, ["cpu.json:6: page.md#", " 가까이: 읽을 수 없다"]),
        (lambda text: text.replace("}\n}\n}", "}\n<<<<<<<\n}\n}"), ["cpu.json:7: page.md#", "가까이: 읽을 수 없다"]),
        (twice, ["cpu.json:7: page.md#", "두 번"]),
        (field("machine", "0" * 8), ["page.md#", "컴퓨터 00000000이 machines에 없다"]),
        (field("key", 1), ["page.md#", "행의 칸은 key, machine"]),
        (field("note", "새 칸"), ["page.md#", "행의 칸은"]),
        (lambda text: text.replace("2.13.0", "9.9.9"), [f"cpu.json:3: 컴퓨터 {MACHINE}", "손으로 고쳤다"]),
        (lambda text: text.replace(first_row(text), ""), []),
        (lambda text: text.replace('"rows"', '"lines"'), ["cpu.json:1: machines, rows가 있어야 한다"]),
        (lambda text: "[]", ["cpu.json:1: machines, rows가"]),
        (lambda text: "", ["cpu.json:1: 행이 없다: 읽을 수 없다"]),
    ],
)
def test_a_ledger_that_cannot_be_believed(spoil, words: list[str], shelf: Path) -> None:
    path = save(shelf, example(shelf))
    spoiled = spoil(path.read_text())
    assert spoiled != path.read_text()
    path.write_text(spoiled)
    if not words:  # 행을 지운 실행 기록은 실행 기록이다. 없는 행은 faults가 말한다
        assert "인증이 없다" in ledger.faults(shelf, "cpu", [example(shelf)], Sources(shelf))[0]
        return
    with pytest.raises(BookError) as raised:
        ledger.read(shelf, "cpu")
    assert all(word in str(raised.value) for word in words), raised.value


def test_a_row_of_an_unknown_machine(shelf: Path) -> None:
    entry = example(shelf)
    ledger.write(shelf, "cpu", Ledger({}, {entry.id: row(entry, shelf)}))
    with pytest.raises(BookError, match=f"{entry.id}: 컴퓨터 {MACHINE}이 machines에 없다"):
        ledger.read(shelf, "cpu")
