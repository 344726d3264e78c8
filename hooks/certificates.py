"""예제 블록, 실습, 공개 함수마다 어느 장치에서 돌았는지를 한 줄로 보인다. 합계는 회차와 인증 페이지에 싣는다.

장부(mgk_book/proofs/ledger.py)에 있고 열쇠가 지금의 글과 코드에 맞는 것만 돌았다고 적는다. 그렇지 않으면 낡았거나
없다고 적는다.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from hooks.totals import NAMES, PLACE, Books, filled, open_books
from mgk_book.proofs import ledger
from mgk_book.proofs.evidence import Entry, example, lab
from mgk_book.proofs.ledger import DEVICES, Status

PHOTOS = "assets/certifications"
# 사이트가 그린 예제(와 바로 아래의 출력), 함수의 제목. 함수의 소스는 예제가 아니므로 먼저 지나친다.
PLACES = re.compile(
    r'<(?:details|div) class="mkdocstrings-source"[^>]*>.*?</code></pre></div>'
    r'|<div [^>]*class="language-python highlight">.*?<code>(?P<example>.*?)</code></pre></div>'
    r'(?:\s*<div [^>]*class="language-text highlight"><span class="filename">출력</span>.*?</code></pre></div>)?'
    r'|<h(?P<level>\d) id="(?P<function>mgk_docs_src\.[\w.]+)" class="doc doc-heading">.*?</h(?P=level)>',
    re.DOTALL,
)


def proof(entry: Entry, device: str, books: Books) -> str:
    """장치 하나에서의 형편."""
    book = books.ledgers[device]
    state = ledger.status(entry, book, books.sources)
    if state is Status.MISSING:
        return f"{NAMES[device]} 기록 없음"
    row = book.rows[entry.id]
    facts = book.machines[row.machine]
    if state is Status.STALE:
        return f"△ {facts['device']} 낡음({row.taken[:10]} 뒤에 코드가 바뀌었다)"
    return f"✓ {facts['device']} · torch {facts['torch']} · {row.taken[:10]}"


def line(entry: Entry, books: Books, page: Page, *, install: bool) -> str:
    """블록 아래에 붙는 한 줄. 블록은 이름이 글에 없으므로 번호를 보인다. 돌린 적이 없는 장치는 foot이 말한다."""
    words = [html.escape(proof(entry, device, books)) for device in DEVICES if books.ledgers[device].rows]
    if number := entry.id.partition("#")[2]:
        words.append(f'<a href="{get_relative_url("certificates/#check", page.url)}">#{number}</a>')
    if install:
        words.append(f'<a href="{get_relative_url("install/", page.url)}">내 컴퓨터에서 돌리기</a>')
    return f'<p class="certificate" data-search-exclude>{" · ".join(words)}</p>'


def foot(books: Books, page: Page) -> str:
    """한 번도 돌린 적이 없는 장치들. 기록이 생기면 블록마다의 줄이 대신 말한다."""
    never = ", ".join(NAMES[device] for device in DEVICES if not books.ledgers[device].rows)
    link = f'<a href="{get_relative_url("certificates/", page.url)}">인증</a>'
    return never and f'\n<p class="never-run" data-search-exclude>{never}에서 돌린 기록은 아직 없다 · {link}</p>'


def certified(content: str, page: Page, books: Books) -> tuple[str, list[Entry]]:
    """본문의 블록과 함수마다 한 줄을 단 것과, 거기 있던 항목들. 첫 예제와 실습에는 설치하는 법으로 가는 링크도 단다."""
    found: dict[str, Entry] = {}

    def mark(place: re.Match[str]) -> str:
        first = place["example"] is not None and not any("#" in name for name in found)
        if place["example"] is not None:
            text = html.unescape(re.sub(r"<[^>]*>", "", place["example"]))
            entry = example(page.file.src_uri, text, books.sources)
        elif place["function"] in books.functions:
            entry = books.functions[place["function"]]
        else:
            return place[0]
        found[entry.id] = entry
        return place[0] + line(entry, books, page, install=first)

    if notebook := getattr(page.file, "lab", None):
        entry = lab(notebook, books.sources)
        return content + line(entry, books, page, install=True) + foot(books, page), [entry]
    marked = PLACES.sub(mark, content)
    return marked + foot(books, page) * bool(found), list(found.values())


def photos(page: Page, files: Files) -> str:
    """원문이 부른 이름의 사진이 있으면 싣고, 없으면 없다고 적는다."""
    shown = []
    for photo in page.meta.get("photos", []):
        name, alt = photo["file"], photo["alt"]
        if files.get_file_from_path(f"{PHOTOS}/{name}"):
            shown.append(f"![{alt}](<../{PHOTOS}/{name}>)")
        else:
            shown.append(f"- {alt}: `{name}`. 사진 파일은 남은 자료에 없다.")
    return "\n".join(shown)


def on_files(files: Files, config: Any) -> Files:
    """MkDocs 훅: 빌드마다 장부를 연다."""
    config.extra["certificates"] = open_books(Path(config.config_file_path).parent)
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """MkDocs 훅: 사진과, 장치마다 잰 빠르기의 자리를 채운다."""
    root = Path(config.config_file_path).parent
    speeds = [root / "benchmarks" / "results" / f"devices-{device}.md" for device in DEVICES]
    measured = [
        path.read_text("utf-8") if path.is_file() else f"{NAMES[device]}에서는 아직 재지 못했다.\n"
        for device, path in zip(DEVICES, speeds, strict=True)
    ]
    markdown = markdown.replace("<!-- certificates:speeds -->", "\n".join(measured))
    return markdown.replace("<!-- certificates:photos -->", photos(page, files))


def on_page_content(content: str, page: Page, config: Any, files: Files) -> str:
    """MkDocs 훅: 블록마다 한 줄."""
    content, page.meta["certificates"] = certified(content, page, config.extra["certificates"])
    return content


def on_env(env: Any, config: Any, files: Files) -> Any:
    """MkDocs 훅: 모든 페이지의 본문이 나온 뒤에 합계를 채운다."""
    pages = {page.file.src_uri: page for page in _in_order(files)}
    for page in pages.values():
        if PLACE.search(page.content or ""):
            page.content = filled(page, pages, config.extra["certificates"])
    return env


def _in_order(files: Files) -> Iterator[Page]:
    """차례에 있는 페이지를, 읽는 순서로."""
    page: Page | None = next(
        file.page for file in files.documentation_pages() if file.page and file.page.previous_page is None
    )
    while page:
        yield page
        page = page.next_page
