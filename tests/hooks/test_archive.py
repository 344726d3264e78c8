"""hooks/archive.py: 회차의 앞머리에서 나온 목록과 RSS."""

from datetime import date
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from hooks import archive

FRONT = "---\ntitle: {0}회차\ndescription: 설명 & {0}\ndate: 2024-07-{1}\nauthors: [{2}]\n---\n\n# {0}회차\n"
PAGES = {
    "index.md": "# 책",
    "sessions/index.md": "# 회차",
    "sessions/session-2.md": FRONT.format(2, 21, "준혁, 채연"),
    "sessions/session-1.md": FRONT.format(1, 14, ""),
}
CREATOR = f"{{{archive.DC}}}creator"


@pytest.fixture
def site(config: SimpleNamespace) -> SimpleNamespace:
    config.site_name, config.site_description, config.site_url, config.extra = "책", "설명", "", {}
    return config


def build(config: SimpleNamespace, **changed: str) -> Files:
    pages = PAGES | {f"sessions/{name.replace('_', '-')}.md": text for name, text in changed.items()}
    return archive.on_files(Files([File.generated(config, name, content=text) for name, text in pages.items()]), config)


def channel(files: Files) -> ET.Element:
    rss = ET.fromstring(files.get_file_from_path("feed.xml").content_string.encode())
    assert rss.tag == "rss"
    assert rss.get("version") == "2.0"
    (found,) = rss
    for tag in ("title", "link", "description"):  # RSS 2.0이 꼭 있어야 한다고 한 것
        assert found.findtext(tag)
    return found


def test_the_newest_comes_first_with_its_date_and_authors(site: SimpleNamespace) -> None:
    second, first = channel(build(site)).findall("item")
    assert second.findtext("title") == "2회차"
    assert second.findtext("description") == "설명 & 2"
    assert [each.text for each in second.findall(CREATOR)] == ["준혁", "채연"]
    assert first.findall(CREATOR) == []
    when = parsedate_to_datetime(second.findtext("pubDate"))
    assert when.isoformat() == "2024-07-21T12:00:00+09:00"


def test_links_are_whole_only_when_the_site_is_known(site: SimpleNamespace) -> None:
    unknown = channel(build(site))
    assert unknown.findtext("link") == "./"
    assert unknown.find(f"{{{archive.ATOM}}}link") is None
    assert unknown.find("item").findtext("link") == "sessions/session-2/"
    site.site_url = "https://example.org/book/"
    known = channel(build(site))
    assert known.find(f"{{{archive.ATOM}}}link").get("href") == "https://example.org/book/feed.xml"
    assert known.find("item").findtext("link") == "https://example.org/book/sessions/session-2/"
    assert known.find("item").findtext("guid") == unknown.find("item").findtext("guid")


def test_the_lists_take_their_places(site: SimpleNamespace) -> None:
    build(site)
    text = archive.on_page_markdown("앞\n<!-- archive:dates -->\n<!-- archive:authors -->", config=site, page=None)
    lines = text.split("\n")
    assert lines[3:5] == [
        "| 2024-07-14 | [1회차](session-1.md) | 남은 기록이 없다 |",
        "| 2024-07-21 | [2회차](session-2.md) | [준혁](../members/junhyeok.md), [채연](../members/chaeyeon.md) |",
    ]
    assert "| [준혁](../members/junhyeok.md) | [2회차](session-2.md) (2024-07-21) |" in lines
    assert "<!--" not in text


@pytest.mark.parametrize(
    ("old", "new"),
    [("date: 2024-07-21\n", ""), ("2024-07-21", "'여름'"), ("authors: [준혁, 채연]\n", ""), ("[준혁, 채연]", "[모름]")],
)
def test_a_session_without_date_or_authors_stops_the_build(old: str, new: str, site: SimpleNamespace) -> None:
    broken = PAGES["sessions/session-2.md"].replace(old, new)
    with pytest.raises(PluginError, match=r"sessions/session-2\.md: 앞머리에 date"):
        build(site, session_2=broken)


def test_the_dates_of_the_book_are_those_of_the_posts() -> None:
    days = [(7, 14), (7, 21), (8, 1), (8, 5), (8, 8), (8, 18)]
    root = archive.Path(__file__).parents[2] / "docs" / "sessions"
    metas = [archive.get_data((root / f"session-{n}.md").read_text("utf-8"))[1] for n in range(1, 7)]
    assert [meta["date"] for meta in metas] == [date(2024, *day) for day in days]
    assert [len(meta["authors"]) for meta in metas] == [0, 4, 1, 1, 1, 1]
