"""회차의 앞머리(`date`, `authors`)로 날짜와 사람마다의 목록을 채우고 RSS 2.0을 쓴다."""

import datetime
import re
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.utils.meta import get_data

FEED = "feed.xml"
SESSION = re.compile(r"sessions/session-\d+\.md")
PLACE = re.compile(r"<!-- archive:(?P<name>dates|authors) -->")
SEOUL = datetime.timezone(datetime.timedelta(hours=9))
ATOM, DC = "http://www.w3.org/2005/Atom", "http://purl.org/dc/elements/1.1/"
MEMBERS = {"준혁": "junhyeok", "세준": "sejun", "우석": "useok", "채연": "chaeyeon"}


class Post(NamedTuple):
    """회차 하나의 글."""

    file: str
    url: str
    title: str
    description: str
    date: datetime.date
    authors: list[str]


def posts(files: Files) -> list[Post]:
    """회차의 글을 날짜 순서로."""
    found = []
    for file in files.documentation_pages():
        if not SESSION.fullmatch(file.src_uri):
            continue
        meta = get_data(file.content_string)[1]
        date, authors = meta.get("date"), meta.get("authors")
        if not isinstance(date, datetime.date) or not isinstance(authors, list) or {*authors} - {*MEMBERS}:
            raise PluginError(f"{file.src_uri}: 앞머리에 date(2024-07-14)와 authors([{', '.join(MEMBERS)}])를 적는다")
        name = Path(file.src_uri).name
        found.append(Post(name, file.url, str(meta["title"]), str(meta["description"]), date, authors))
    return sorted(found, key=lambda post: post.date)


def by_date(every: list[Post]) -> str:
    """날짜마다 한 줄."""
    rows = [
        f"| {post.date} | [{post.title}]({post.file}) | {', '.join(map(_member, post.authors)) or '남은 기록이 없다'} |"
        for post in every
    ]
    return "\n".join(["| 날짜 | 글 | 쓴 사람 |", "| --- | --- | --- |", *rows])


def by_author(every: list[Post]) -> str:
    """사람마다 한 줄."""
    rows = []
    for name in MEMBERS:
        own = [f"[{post.title}]({post.file}) ({post.date})" for post in every if name in post.authors]
        rows.append(f"| {_member(name)} | {', '.join(own)} |")
    return "\n".join(["| 사람 | 글 |", "| --- | --- |", *rows])


def feed(every: list[Post], config: Any) -> str:
    """RSS 2.0. 사이트의 주소를 모르면 링크는 사이트 안의 상대 주소다."""
    ET.register_namespace("atom", ATOM)
    ET.register_namespace("dc", DC)
    root = config.site_url or ""
    rss = ET.Element("rss", version="2.0")
    channel = ET.SubElement(rss, "channel")
    _add(channel, title=config.site_name, link=root or "./", description=config.site_description, language="ko")
    if root:
        own = {"href": urljoin(root, FEED), "rel": "self", "type": "application/rss+xml"}
        ET.SubElement(channel, f"{{{ATOM}}}link", own)
    for post in reversed(every):
        item = ET.SubElement(channel, "item")
        _add(item, title=post.title, link=urljoin(root, post.url), description=post.description)
        ET.SubElement(item, "guid", isPermaLink="false").text = post.url
        noon = datetime.datetime.combine(post.date, datetime.time(12), SEOUL)
        _add(item, pubDate=format_datetime(noon))
        for author in post.authors:
            ET.SubElement(item, f"{{{DC}}}creator").text = author
    ET.indent(rss)
    return ET.tostring(rss, encoding="unicode", xml_declaration=False) + "\n"


def on_files(files: Files, config: Any) -> Files:
    """MkDocs 훅: 회차를 모으고 feed.xml을 더한다."""
    config.extra["posts"] = posts(files)
    content = '<?xml version="1.0" encoding="utf-8"?>\n' + feed(config.extra["posts"], config)
    files.append(File.generated(config, FEED, content=content))
    return files


def on_page_markdown(markdown: str, config: Any, **_: Any) -> str:
    """MkDocs 훅: 목록의 자리를 채운다."""
    lists = {"dates": by_date, "authors": by_author}
    return PLACE.sub(lambda place: lists[place["name"]](config.extra["posts"]), markdown)


def _member(name: str) -> str:
    return f"[{name}](../members/{MEMBERS[name]}.md)"


def _add(parent: ET.Element, **texts: str) -> None:
    for tag, text in texts.items():
        ET.SubElement(parent, tag).text = text
