"""mgk_book/prepare/repository.py: 설치하는 명령은 저장소를 알 때만 그 주소를 적는다."""

from mgk_book.prepare import repository
from tests.mgk_book.prepare.conftest import Write


def test_the_commands_to_install_name_the_repository_only_when_it_is_known() -> None:
    known, unknown = repository.installing("team/book"), repository.installing("")
    assert "git clone https://github.com/team/book\ncd book\n" in known["clone"]
    assert 'pip install "mgk_docs_src @ git+https://github.com/team/book"' in known["pip"]
    assert "github" not in "".join(unknown.values())
    assert unknown["clone"]


def test_both_places_are_filled(write: Write) -> None:
    book = write({"a.md": "# 가"}, repository="team/book")
    texts = {name: make(book.pages["a.md"]) for name, make in repository.places(book).items()}
    assert texts == {f"repository:{name}": text for name, text in repository.installing("team/book").items()}
