"""mgk_book/prepare/shelf.py: 바뀐 것만 쓰고, 남은 것을 치우고, 두 사람이 한 이름을 쓰지 못한다."""

import os
from pathlib import Path

import pytest

from mgk_book.book import BookError
from mgk_book.prepare.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "made")


def test_a_file_is_written_whole_in_a_folder_of_its_own(shelf: Shelf) -> None:
    text, data = shelf.put("part/글.txt", "한글\n"), shelf.put("a.bin", b"\x00\xff")
    assert text == shelf.folder / "part" / "글.txt"
    assert (text.read_bytes(), data.read_bytes()) == ("한글\n".encode(), b"\x00\xff")
    assert shelf.files() == {"part/글.txt": text, "a.bin": data}
    assert {path for path in shelf.folder.rglob("*") if path.is_file()} == {text, data}  # 쓰다 만 것이 없다


def test_a_file_that_stays_the_same_is_not_touched(shelf: Shelf) -> None:
    path = shelf.put("a.md", "글")
    os.utime(path, (1, 1))
    again = Shelf(shelf.folder)
    again.put("a.md", "글")
    assert path.stat().st_mtime == 1
    Shelf(shelf.folder).put("a.md", "다른 글")
    assert path.read_text("utf-8") == "다른 글"
    assert path.stat().st_mtime > 1


def test_one_name_holds_one_thing(shelf: Shelf) -> None:
    shelf.put("part/a.md", "글")
    shelf.put("./part//a.md", "글")  # 같은 것은 두 번 놓아도 된다
    with pytest.raises(BookError, match=r"part/a\.md: 두 곳이 같은 이름에 다른 것을"):
        shelf.put("part/a.md", "다른 글")
    assert shelf.files()["part/a.md"].read_text("utf-8") == "글"


@pytest.mark.parametrize("uri", ["", ".", "/etc/a", "../a", "part/../../a"])
def test_a_name_that_leaves_the_folder_is_refused(uri: str, shelf: Shelf) -> None:
    with pytest.raises(BookError, match="폴더 안의 상대 경로"):
        shelf.put(uri, "글")
    assert not shelf.folder.exists()


def test_what_was_not_put_this_time_is_swept_away(shelf: Shelf) -> None:
    for uri in ("a.md", "old/deep/b.md", "kept/c.md"):
        shelf.put(uri, "글")
    (shelf.folder / "a.md.7.partial").write_text("쓰다 만 것")
    again = Shelf(shelf.folder)
    again.put("kept/c.md", "글")
    again.sweep()
    assert sorted(path.relative_to(shelf.folder).as_posix() for path in shelf.folder.rglob("*")) == [
        "kept",
        "kept/c.md",
    ]
    Shelf(shelf.folder / "없는 곳").sweep()
