"""회차의 앞머리(`date`, `authors`)로 날짜와 사람마다의 목록을 채우고 RSS 2.0을 쓴다."""

import datetime
import re
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from mgk_book.book import BookError
from mgk_book.prepare.pages import Book, Page, Places, named, relative, table, url_of
from mgk_book.prepare.shelf import Shelf

FEED = "feed.xml"
SESSION = re.compile(r"sessions/session-\d+\.md")
SEOUL = datetime.timezone(datetime.timedelta(hours=9))
ATOM, DC = "http://www.w3.org/2005/Atom", "http://purl.org/dc/elements/1.1/"
MEMBERS = {"준혁": "junhyeok", "세준": "sejun", "우석": "useok", "채연": "chaeyeon"}


class Post(NamedTuple):
    """회차 하나의 글."""

    page: Page
    description: str
    date: datetime.date
    authors: list[str]


def posts(book: Book) -> list[Post]:
    """회차의 글을 날짜 순서로."""
    sessions = (page for page in book.pages.values() if SESSION.fullmatch(page.path))
    return sorted(map(_post, sessions), key=lambda post: post.date)


def _post(page: Page) -> Post:
    date, authors = page.meta.get("date"), page.meta.get("authors")
    known = isinstance(authors, list) and {*map(str, authors)} <= {*MEMBERS}
    if type(date) is not datetime.date or not known:
        raise BookError(
            f"{page.path}: 앞머리에 date(2024-07-14)와 authors([{', '.join(MEMBERS)}])를 적는다: {date!r}, {authors!r}"
        )
    return Post(page, str(page.meta.get("description", "")), date, authors or [])


def by_date(every: list[Post], here: Page) -> str:
    """날짜마다 한 줄."""
    rows = []
    for post in every:
        authors = ", ".join(_member(name, here) for name in post.authors) or "남은 기록이 없다"
        rows.append((f"{post.date}", named(post.page, here), authors))
    return table(("날짜", "글", "쓴 사람"), *rows)


def by_author(every: list[Post], here: Page) -> str:
    """사람마다 한 줄."""
    rows = []
    for name in MEMBERS:
        own = [f"{named(post.page, here)} ({post.date})" for post in every if name in post.authors]
        rows.append((_member(name, here), ", ".join(own)))
    return table(("사람", "글"), *rows)


def feed(every: list[Post], book: Book) -> str:
    """RSS 2.0. 사이트의 주소를 모르면 링크는 사이트 안의 상대 주소다."""
    ET.register_namespace("atom", ATOM)
    ET.register_namespace("dc", DC)
    root = book.settings.site_url
    rss = ET.Element("rss", version="2.0")
    channel = ET.SubElement(rss, "channel")
    title, about = book.citation["title"], book.citation["abstract"]
    _add(channel, title=title, link=root or "./", description=about, language="ko")
    if root:
        own = {"href": urljoin(root, FEED), "rel": "self", "type": "application/rss+xml"}
        ET.SubElement(channel, f"{{{ATOM}}}link", own)
    for post in reversed(every):
        item, url = ET.SubElement(channel, "item"), url_of(post.page.path, book.settings.directory_urls)
        _add(item, title=post.page.title, link=urljoin(root, url), description=post.description)
        ET.SubElement(item, "guid", isPermaLink="false").text = url
        noon = datetime.datetime.combine(post.date, datetime.time(12), SEOUL)
        _add(item, pubDate=format_datetime(noon))
        for author in post.authors:
            ET.SubElement(item, f"{{{DC}}}creator").text = author
    ET.indent(rss)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(rss, encoding="unicode") + "\n"


def make(book: Book, shelf: Shelf) -> Places:
    """feed.xml을 놓고, 목록의 자리를 채운다."""
    every = posts(book)
    shelf.put(FEED, feed(every, book))
    return {"archive:dates": lambda here: by_date(every, here), "archive:authors": lambda here: by_author(every, here)}


def _member(name: str, here: Page) -> str:
    return f"[{name}]({relative(f'members/{MEMBERS[name]}.md', here)})"


def _add(parent: ET.Element, **texts: str) -> None:
    for tag, text in texts.items():
        ET.SubElement(parent, tag).text = text
