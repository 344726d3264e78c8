"""mgk_book/prepare/figures.py: 그림은 함수가 그리고, 기대는 것이 바뀔 때만 다시 그린다."""

from pathlib import Path

import pytest

from mgk_book.book import BookError
from mgk_book.prepare import figures
from tests.mgk_book.prepare.shelf import Shelf
from tests.mgk_book.small import book

__all__ = ["book"]
URI = "part/figures/square.svg"
PAGE = "mgk_docs_src/figures/part/page.py"


@pytest.fixture
def pages(book: Path) -> Path:
    (book / "docs" / "part").mkdir(parents=True)
    for name in ("index.md", "part/page.md"):
        (book / "docs" / name).write_text("# 글\n", "utf-8")
    return book


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """그린 그림의 이름들. 부를 때마다 한 줄."""
    names: list[list[str]] = []
    real = figures.jobs.run

    def counted(jobs, root, **options):
        names.append([job["name"].rpartition(".")[2] for job in jobs])
        real(jobs, root, **options)

    monkeypatch.setattr(figures.jobs, "run", counted)
    return names


def make(root: Path) -> Shelf:
    shelf, wanted = Shelf(), figures.drawings(root)
    figures.draw_all(wanted, root)
    figures.make(wanted, shelf)
    return shelf


def test_a_page_gets_the_drawings_of_its_module_and_draws_them_once(pages: Path, runs: list) -> None:
    drawn = {URI: b'<svg width="3pt" height="6pt"></svg>'}
    assert make(pages) == drawn
    assert make(pages) == drawn
    assert runs == [["square"], []]


def test_one_that_is_not_drawn_yet_is_stood_in_for(pages: Path) -> None:
    shelf = Shelf()
    figures.make(figures.drawings(pages), shelf)
    assert "그림을 그리고 있다" in shelf[URI].decode()


def test_an_edit_two_imports_away_draws_anew(pages: Path, runs: list) -> None:
    make(pages)
    (pages / "mgk_docs_src" / "deep.py").write_text("SIDE = 12\n", "utf-8")
    assert b'width="12pt"' in make(pages)[URI]
    (pages / "mgk_docs_src" / "lonely.py").write_text("X = 2\n", "utf-8")
    make(pages)
    assert runs == [["square"], ["square"], []]


def test_a_failing_drawing_names_itself_and_leaves_nothing(pages: Path) -> None:
    with (pages / PAGE).open("a", encoding="utf-8") as file:
        file.write("\n\ndef broken():\n    raise RuntimeError('붓이 부러졌다')\n")
    with pytest.raises(BookError, match=r"(?s)page\.broken: [^\n]*RuntimeError: 붓이 부러졌다\n\n.*in broken"):
        make(pages)
    assert [path.name for path in pages.glob(".cache/figures/*")] == ["lock"]


def test_a_module_that_cannot_be_imported_is_named_by_each_drawing(pages: Path) -> None:
    (pages / PAGE).write_text("import nowhere\n\n\ndef square():\n    pass\n", "utf-8")
    with pytest.raises(BookError, match=r"page\.square: .*ModuleNotFoundError: No module named 'nowhere'"):
        make(pages)


def test_a_drawing_made_meanwhile_by_another_build_is_used(pages: Path, runs: list) -> None:
    (drawing,) = figures.drawings(pages)
    drawing.folder.mkdir(parents=True)
    (drawing.folder / "square.svg").write_bytes(b"<svg/>")
    assert make(pages) == {URI: b"<svg/>"}
    assert runs == [[]]


def test_two_pages_of_a_folder_may_not_draw_the_same_name(pages: Path) -> None:
    (pages / PAGE).with_name("twin.py").write_text((pages / PAGE).read_text("utf-8"), "utf-8")
    (pages / "docs" / "part" / "twin.md").touch()
    with pytest.raises(BookError, match=r"part/figures/square\.svg: 같은 폴더의 두 페이지.*part\.page, .*part\.twin"):
        make(pages)


def test_a_module_of_helpers_draws_nothing(pages: Path) -> None:
    (pages / PAGE).write_text("def _helper():\n    pass\n", "utf-8")
    assert make(pages) == {}


def test_drawings_are_made_apart_on_one_thread_without_a_gpu(pages: Path) -> None:
    text = (
        "import os\nimport matplotlib\nimport torch\n\nSEEN = []\n\n\ndef first():\n    return _say()\n\n\n"
        "def second():\n    return _say()\n\n\ndef _say():\n    SEEN.append(1)\n"
        "    return f'{len(SEEN)} {torch.get_num_threads()} {os.environ[\"CUDA_VISIBLE_DEVICES\"]!r} '\\\n"
        "        f'{torch.get_default_device()} {matplotlib.get_backend()}'\n"
    )
    (pages / PAGE).write_text(text, "utf-8")
    said = b"1 1 '' cpu svg"
    assert make(pages) == {"part/figures/first.svg": said, "part/figures/second.svg": said}
