"""예제 블록, 실습, 공개 함수마다 어느 장치에서 돌았는지를 한 줄로 보인다. 합계는 회차와 인증 페이지에 싣는다.

장부(hooks/ledger.py)에 있고 열쇠가 지금의 글과 코드에 맞는 것만 돌았다고 적는다. 그렇지 않으면 낡았거나 없다고 적는다.
"""

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from hooks import ledger
from hooks.ledger import DEVICES, Entry, Ledger, Sources, Status

PHOTOS = "assets/certifications"
NAMES = {"cpu": "CPU", "cuda": "CUDA"}
KINDS = {"예제 블록": "#", "실습": "labs/", "공개 함수": "mgk_docs_src."}
# 사이트가 그린 예제(와 바로 아래의 출력), 함수의 제목. 펼쳐 둔 소스는 예제가 아니므로 먼저 지나친다.
PLACES = re.compile(
    r'<details class="mkdocstrings-source".*?</details>'
    r'|<div class="language-python highlight">.*?<code>(?P<example>.*?)</code></pre></div>'
    r'(?:\s*<div class="language-text highlight"><span class="filename">출력</span>.*?</code></pre></div>)?'
    r'|<h(?P<level>\d) id="(?P<function>mgk_docs_src\.[\w.]+)" class="doc doc-heading">.*?</h(?P=level)>',
    re.DOTALL,
)


PLACE = re.compile(r"<!-- certificates:(?P<name>session|totals|pages|labs|machines) -->")


class Books(NamedTuple):
    """한 번의 빌드가 보는 것: 소스, 장치마다의 장부, 공개 함수들."""

    sources: Sources
    ledgers: dict[str, Ledger]
    functions: dict[str, Entry]


def open_books(root: Path) -> Books:
    """장부를 연다. 믿을 수 없는 장부로는 사이트를 만들지 않는다."""
    sources = Sources(root)
    try:
        ledgers = {device: ledger.read(root, device) for device in DEVICES}
    except ledger.LedgerError as error:
        raise PluginError(str(error)) from error
    return Books(sources, ledgers, {entry.id: entry for entry in ledger.functions(sources)})


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


def line(entry: Entry, books: Books, link: str) -> str:
    """블록 아래에 붙는 한 줄. 블록은 이름이 글에 없으므로 번호를 보인다."""
    words = " · ".join(html.escape(proof(entry, device, books)) for device in DEVICES)
    number = entry.id.partition("#")[2]
    shown = f'{words} · <a href="{link}">#{number}</a>' if number else words
    return f'<p class="certificate" data-search-exclude>{shown}</p>'


def certified(content: str, page: Page, books: Books) -> tuple[str, list[Entry]]:
    """본문의 블록과 함수마다 한 줄을 단 것과, 거기 있던 항목들."""
    link = get_relative_url("certificates/#check", page.url)
    found: dict[str, Entry] = {}

    def mark(place: re.Match[str]) -> str:
        if place["example"] is not None:
            text = html.unescape(re.sub(r"<[^>]*>", "", place["example"]))
            entry = ledger.example(page.file.src_uri, text, books.sources)
        elif place["function"] in books.functions:
            entry = books.functions[place["function"]]
        else:
            return place[0]
        found[entry.id] = entry
        return place[0] + line(entry, books, link)

    marked = PLACES.sub(mark, content)
    if lab := getattr(page.file, "lab", None):
        entry = ledger.lab(lab, books.sources)
        return content + line(entry, books, link), [entry]
    return marked, list(found.values())


def tally(entries: Iterable[Entry], device: str, books: Books) -> str:
    """몇 가운데 몇이 돌았나."""
    states = [ledger.status(entry, books.ledgers[device], books.sources) for entry in entries]
    stale = states.count(Status.STALE)
    return f"{states.count(Status.CERTIFIED)} / {len(states)}" + f" (낡음 {stale})" * bool(stale)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """HTML 표."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"


def totals(entries: Iterable[Entry], books: Books) -> str:
    """종류마다의 합계."""
    every = list({entry.id: entry for entry in entries}.values())
    kinds = {kind: [entry for entry in every if _kind(entry) == kind] for kind in KINDS} | {"모두": every}
    rows = [(kind, *(tally(some, device, books) for device in DEVICES)) for kind, some in kinds.items() if some]
    return table(["무엇", *NAMES.values()], rows)


def by_page(pages: Iterable[Page], here: Page, books: Books) -> str:
    """페이지마다의 합계."""
    rows = []
    for page in pages:
        if entries := page.meta["certificates"]:
            title = f'<a href="{get_relative_url(page.url, here.url)}">{html.escape(str(page.title))}</a>'
            rows.append((title, *(tally(entries, device, books) for device in DEVICES)))
    return table(["페이지", *NAMES.values()], rows)


def labs(pages: Iterable[Page], here: Page, books: Books) -> str:
    """실습마다 걸린 시간. 두 장치에서 모두 돌린 것은 몇 배 빠른지도."""
    rows = []
    for page in pages:
        if getattr(page.file, "lab", None) is None:
            continue
        (entry,) = page.meta["certificates"]
        title = f'<a href="{get_relative_url(page.url, here.url)}">{html.escape(str(page.title))}</a>'
        seconds = [
            books.ledgers[device].rows[entry.id].seconds
            if ledger.status(entry, books.ledgers[device], books.sources) is Status.CERTIFIED
            else None
            for device in DEVICES
        ]
        cpu, cuda = seconds
        ratio = f"{cpu / cuda:.1f}" if cpu and cuda else "–"
        rows.append((title, *(f"{each:.0f}초" if each else "기록 없음" for each in seconds), ratio))
    return table(["실습", *NAMES.values(), "몇 배"], rows)


def machines(books: Books) -> str:
    """돌린 기계와 판들."""
    rows = []
    for device, book in books.ledgers.items():
        for name, facts in book.machines.items():
            count = sum(row.machine == name for row in book.rows.values())
            words = [f"{field} {value}" for field, value in facts.items() if field != "device"]
            rows.append((facts["device"], html.escape(", ".join(words)), f"{count}"))
        if not book.machines:
            rows.append((NAMES[device], "이 장치에서는 아직 돌린 적이 없다", "0"))
    return table(["장치", "판과 기계", "행"], rows)


def linked(page: Page, pages: dict[str, Page]) -> list[Page]:
    """회차의 페이지와, 그것이 가리키는 장과 실습. 주제의 첫 페이지를 가리키면 그 주제의 장 모두다."""
    named = re.findall(r"\]\(\.\./([\w/-]+\.(?:md|ipynb))", page.markdown or "")
    chapters = {name for name in named if name.split("/")[0] not in ("sessions", "members", "reference")}
    folders = {name.removesuffix("index.md") for name in chapters if name.endswith("/index.md")}
    return [page, *(each for name, each in pages.items() if name in chapters or name.startswith(tuple(folders)))]


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


def filled(page: Page, pages: dict[str, Page], books: Books) -> str:
    """합계의 자리를 채운 본문."""
    book = [each for name, each in pages.items() if not name.startswith("reference/")]
    session = [entry for each in linked(page, pages) for entry in each.meta["certificates"]]
    every = [entry for each in book for entry in each.meta["certificates"]]
    parts = {
        "session": totals(session, books),
        "totals": totals([*every, *books.functions.values()], books),
        "pages": by_page(book, page, books),
        "labs": labs(book, page, books),
        "machines": machines(books),
    }
    return PLACE.sub(lambda place: parts[place["name"]], page.content or "")


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


def _kind(entry: Entry) -> str:
    return next(kind for kind, mark in KINDS.items() if mark in entry.id)
