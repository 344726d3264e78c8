"""글이 옛 블로그에서 있던 주소로 온 사람을 회차로 보낸다."""

import posixpath
from urllib.parse import urljoin

from mgk_book.prepare.pages import Book, url_of
from mgk_book.prepare.shelf import Shelf

TARGET = "sessions/index.md"
# 서버에 따라 `…/2024_하계모각코`, `…/2024_하계모각코/`, `….html` 가운데 하나로 온다. 두 파일이 셋을 다 받는다.
OLD = ("2024_code/mgk/2024_하계모각코.html", "2024_code/mgk/2024_하계모각코/index.html")
PAGE = """\
<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>옮겼다 - {site}</title>
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url={link}">
<link rel="canonical" href="{canonical}">
</head>
<body>
<main>
<h1>옮겼다</h1>
<p>이 글은 책이 되었다. 저절로 넘어가지 않으면 <a href="{link}">회차</a>로 간다.</p>
</main>
</body>
</html>
"""


def page(old: str, book: Book) -> str:
    """옛 주소 하나에 놓을 페이지. 링크는 상대 주소라서 사이트가 어디에 놓여도 맞는다."""
    target, site_url = url_of(TARGET, book.settings.directory_urls), book.settings.site_url
    link = posixpath.relpath(target, posixpath.dirname(old)) + "/" * target.endswith("/")
    canonical = urljoin(site_url, target) if site_url else link
    return PAGE.format(site=book.citation["title"], link=link, canonical=canonical)


def make(book: Book, shelf: Shelf) -> None:
    """옛 주소마다 파일 하나."""
    for old in OLD:
        shelf.put(old, page(old, book))
