"""mgk_book/prepare/archive.py: 회차의 앞머리에서 나온 목록과 RSS."""

from datetime import date
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mgk_book.book import BookError, read
from mgk_book.prepare import archive
from mgk_book.prepare.pages import Book, Page
from mgk_book.prepare.shelf import Shelf
from tests.mgk_book.prepare.conftest import Write

FRONT = "---\ntitle: {0}회차\ndescription: 설명 & {0}\ndate: 2024-07-{1}\nauthors: [{2}]\n---\n\n# {0}회차\n"
PAGES = {
    "index.md": "# 책",
    "sessions/index.md": "# 회차",
    "sessions/session-2.md": FRONT.format(2, 21, "준혁, 채연"),
    "sessions/session-1.md": FRONT.format(1, 14, ""),
}
CREATOR = f"{{{archive.DC}}}creator"


def channel(book: Book) -> ET.Element:
    shelf = Shelf(book.root / "made")
    archive.make(book, shelf)
    rss = ET.fromstring(shelf.files()["feed.xml"].read_bytes())
    assert rss.tag == "rss"
    assert rss.get("version") == "2.0"
    (found,) = rss
    for tag in ("title", "link", "description"):  # RSS 2.0이 꼭 있어야 한다고 한 것
        assert found.findtext(tag)
    return found


def test_the_newest_comes_first_with_its_date_and_authors(write: Write) -> None:
    found = channel(write(PAGES))
    assert (found.findtext("title"), found.findtext("description")) == ("책", "설명")
    second, first = found.findall("item")
    assert second.findtext("title") == "2회차"
    assert second.findtext("description") == "설명 & 2"
    assert [each.text for each in second.findall(CREATOR)] == ["준혁", "채연"]
    assert first.findall(CREATOR) == []
    when = parsedate_to_datetime(second.findtext("pubDate"))
    assert when.isoformat() == "2024-07-21T12:00:00+09:00"


def test_links_are_whole_only_when_the_site_is_known(write: Write) -> None:
    unknown = channel(write(PAGES))
    assert unknown.findtext("link") == "./"
    assert unknown.find(f"{{{archive.ATOM}}}link") is None
    assert unknown.find("item").findtext("link") == "sessions/session-2/"
    known = channel(write(PAGES, site_url="https://example.org/book/"))
    assert known.find(f"{{{archive.ATOM}}}link").get("href") == "https://example.org/book/feed.xml"
    assert known.find("item").findtext("link") == "https://example.org/book/sessions/session-2/"
    assert known.find("item").findtext("guid") == unknown.find("item").findtext("guid")
    files = channel(write(PAGES, directory_urls=False))
    assert files.find("item").findtext("link") == "sessions/session-2.html"


def test_the_lists_take_their_places(write: Write) -> None:
    book = write(PAGES)
    places = archive.make(book, Shelf(book.root / "made"))
    here = Page("sessions/archive.md", "글 모음", {}, "")
    assert places["archive:dates"](here).split("\n") == [
        "| 날짜 | 글 | 쓴 사람 |",
        "| --- | --- | --- |",
        "| 2024-07-14 | [1회차](session-1.md) | 남은 기록이 없다 |",
        "| 2024-07-21 | [2회차](session-2.md) | [준혁](../members/junhyeok.md), [채연](../members/chaeyeon.md) |",
    ]
    lines = places["archive:authors"](here).split("\n")
    assert "| [준혁](../members/junhyeok.md) | [2회차](session-2.md) (2024-07-21) |" in lines
    assert "| [세준](../members/sejun.md) |  |" in lines
    assert "](sessions/session-1.md)" in places["archive:dates"](here._replace(path="index.md"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("date: 2024-07-21\n", ""),
        ("2024-07-21", "'여름'"),
        ("2024-07-21", "2024-07-21 12:00:00"),  # 때까지 적으면 다른 회차와 순서를 비교할 수 없다
        ("authors: [준혁, 채연]\n", ""),
        ("[준혁, 채연]", "[모름]"),
        ("[준혁, 채연]", "[{준혁: 채연}]"),
        ("[준혁, 채연]", "준혁"),
    ],
)
def test_a_session_without_date_or_authors_stops_the_build(old: str, new: str, write: Write) -> None:
    book = write(PAGES | {"sessions/session-2.md": PAGES["sessions/session-2.md"].replace(old, new)})
    with pytest.raises(BookError, match=r"sessions/session-2\.md: 앞머리에 date"):
        archive.posts(book)


def test_the_dates_of_the_book_are_those_of_the_posts() -> None:
    days = [(7, 14), (7, 21), (8, 1), (8, 5), (8, 8), (8, 18)]
    root = Path(__file__).parents[3] / "docs" / "sessions"
    metas: list[dict[str, Any]] = [read(root / f"session-{n}.md").meta for n in range(1, 7)]
    assert [meta["date"] for meta in metas] == [date(2024, *day) for day in days]
    assert [len(meta["authors"]) for meta in metas] == [0, 4, 1, 1, 1, 1]
