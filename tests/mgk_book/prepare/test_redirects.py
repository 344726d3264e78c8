"""mgk_book/prepare/redirects.py: 옛 주소는 회차로."""

from urllib.parse import unquote, urljoin

import pytest
from bs4 import BeautifulSoup

from mgk_book.prepare import redirects
from mgk_book.prepare.shelf import Shelf
from tests.mgk_book.prepare.conftest import Write

OLD = "/some/where/2024_code/mgk/2024_하계모각코"


@pytest.mark.parametrize(("folders", "target"), [(True, "sessions/"), (False, "sessions/index.html")])
@pytest.mark.parametrize(("old", "arrived"), [(redirects.OLD[0], f"{OLD}.html"), (redirects.OLD[1], f"{OLD}/")])
def test_every_link_goes_to_the_sessions_under_any_path(
    old: str, arrived: str, folders: bool, target: str, write: Write
) -> None:
    soup = BeautifulSoup(redirects.page(old, write({"a.md": ""}, directory_urls=folders)), "html.parser")
    refresh = soup.find("meta", attrs={"http-equiv": "refresh"})["content"].removeprefix("0; url=")
    for link in (refresh, soup.a["href"], soup.find("link", rel="canonical")["href"]):
        assert urljoin(arrived, link) == f"/some/where/{target}"
    assert soup.title.get_text() == "옮겼다 - 책"
    assert soup.html["lang"] == "ko"


def test_a_server_that_leaves_out_the_suffix_is_met_too(write: Write) -> None:
    link = BeautifulSoup(redirects.page(redirects.OLD[0], write({"a.md": ""})), "html.parser").a["href"]
    assert urljoin(OLD, link) == "/some/where/sessions/"


def test_the_canonical_address_is_whole_when_the_site_is_known(write: Write) -> None:
    book = write({"a.md": ""}, site_url="https://example.org/some/where/")
    soup = BeautifulSoup(redirects.page(redirects.OLD[1], book), "html.parser")
    assert soup.find("link", rel="canonical")["href"] == "https://example.org/some/where/sessions/"
    assert soup.a["href"] == "../../../sessions/"


def test_both_files_are_in_the_site(write: Write) -> None:
    book = write({"a.md": ""})
    shelf = Shelf(book.root / "made")
    redirects.make(book, shelf)
    assert list(shelf.files()) == [unquote(old) for old in redirects.OLD]
    assert {path.read_text("utf-8")[:15] for path in shelf.files().values()} == {"<!doctype html>"}
