"""서지 페이지와 내려받는 BibTeX를 파일 하나에서 만든다.

`docs/reference/references.yml`의 항목마다 페이지의 `<!-- bibliography:references -->` 자리에 한 줄이,
`references.bib`에 한 덩이가 생긴다. id가 페이지의 #이름이자 BibTeX의 키다. 이 책의 인용은 뿌리의 `CITATION.cff`에서
`<!-- bibliography:cite -->` 자리로 간다. 모르는 칸, 빠진 칸, 두 번 나온 id는 빌드를 멈춘다.
"""

import re
from pathlib import Path
from textwrap import indent
from typing import Any

from mgk_book.book import DOCS, BookError, data
from mgk_book.prepare.pages import Book, Places
from mgk_book.prepare.shelf import Shelf

SOURCE = "reference/references.yml"
DOWNLOAD = "reference/references.bib"
REQUIRED = {
    "article": {"author", "journal", "year"},
    "book": {"author", "publisher", "year"},
    "incollection": {"author", "booktitle", "publisher", "year"},
    "inproceedings": {"author", "booktitle", "year"},
    "misc": set[str](),
}
EVERY = {"id", "name", "type", "title"}  # 어느 종류에나 있다
OPTIONAL = {"author", "chapter", "edition", "note", "number", "series", "url", "volume", "year"}
OTHERS = "others"  # 저자를 다 적지 않았다
Reference = dict[str, Any]


def fault(entry: Reference) -> str | None:
    """항목에서 틀린 것."""
    if entry.get("type") not in REQUIRED:
        return f"종류 {entry.get('type')!r}: {', '.join(REQUIRED)} 가운데 하나"
    needed = EVERY | REQUIRED[entry["type"]]
    if missing := sorted(needed - set(entry)):
        return f"{', '.join(missing)}이(가) 없다"
    if unknown := sorted(set(entry) - needed - OPTIONAL):
        return f"모르는 필드 {', '.join(unknown)}"
    if not re.fullmatch(r"[a-z][a-z0-9-]*", str(entry["id"])):
        return "id는 영어 소문자, 숫자, 붙임표로 쓴다"
    return None


def read(path: Path) -> list[Reference]:
    """서지의 모든 항목.

    Raises:
        BookError: 파일이 없거나 틀린 항목이 있으면. 오류는 그 id를 알린다.
    """
    if not path.is_file():
        raise BookError(f"{path.name}가 없다: 서지는 {DOCS}/{SOURCE}에 적는다")
    entries: list[Reference] = data(path.read_text("utf-8"))
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BookError(f"{path.name}: 항목의 목록이어야 한다. 항목마다 {', '.join(sorted(EVERY))}를 적는다")
    seen: set[str] = set()
    for entry in entries:
        name = entry.get("id")
        wrong = "id가 두 번 있다" if name in seen else fault(entry)
        if wrong:
            raise BookError(f"{path.name}: {name}: {wrong}")
        seen.add(entry["id"])
    return entries


def people(authors: list[str]) -> str:
    """저자들: 둘이면 &로 잇고, 다 적지 않았으면 ‘외’."""
    named = [author for author in authors if author != OTHERS]
    if len(named) < len(authors):
        return f"{', '.join(named)} 외."
    return " & ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def line(entry: Reference) -> str:
    """페이지에 보이는 한 항목."""
    title = f"*{entry['title']}*" + (f", {entry['edition']}판" if "edition" in entry else "")
    if "url" in entry:
        title = f"[{title}](<{entry['url']}>)"
    parts = [title if entry["title"].endswith("?") else f"{title}."]
    if "author" in entry:
        parts.insert(0, people(entry["author"]))
    year = str(entry.get("year", ""))
    issue = f"{entry.get('volume', '')}" + (f"({entry['number']})" if "number" in entry else "")
    if entry["type"] == "article":
        parts.append(f"{entry['journal']} {issue}, {year}.")
    elif entry["type"] == "inproceedings":
        series = f" ({entry['series']} {issue})" if "series" in entry else ""
        parts.append(f"{entry['booktitle']} {year}{series}.")
    else:
        if "booktitle" in entry:
            parts.append(entry["booktitle"] + (f", {entry['chapter']}장." if "chapter" in entry else "."))
        parts.append(", ".join(filter(None, [entry.get("publisher"), year])) + "." * bool(year))
    words = " ".join(filter(None, [*parts, entry.get("note")]))
    folded = indent(f'??? bibtex "BibTeX"\n{indent(fence(bibtex(entry)), "    ")}', "    ")
    return f"{entry['name']} {{ #{entry['id']} }}\n:   {words}\n\n{folded}"


def escaped(text: object) -> str:
    """BibTeX가 다르게 읽는 글자를 막는다. 글자는 UTF-8 그대로다."""
    return re.sub(r"[#$%&_{}]", r"\\\g<0>", str(text))


def record(kind: str, key: str, fields: dict[str, str]) -> str:
    """BibTeX 한 덩이."""
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@{kind}{{{key},\n{body}}}"


def bibtex(entry: Reference) -> str:
    """항목을 BibTeX로. 제목의 대문자는 지키고, 이 책의 덧말은 찍히지 않는 annote에 둔다."""
    fields = {name: escaped(value) for name, value in entry.items() if name not in ("id", "name", "type", "note")}
    fields["title"] = f"{{{fields['title']}}}"
    if "url" in entry:
        fields["url"] = entry["url"]  # 주소의 글자는 막지 않는다
    if "author" in entry:
        fields["author"] = " and ".join(map(escaped, entry["author"]))
    if "note" in entry:
        fields["annote"] = escaped(entry["note"])
    return record(entry["type"], entry["id"], fields)


def fence(text: str) -> str:
    """BibTeX를 보이는 울타리. 복사 단추가 붙는다."""
    return f"```bibtex\n{text}\n```"


def cite(citation: dict[str, Any], url: str) -> str:
    """이 책의 BibTeX. 펴낸 날과 DOI는 모르므로 적지 않고, 주소는 사이트를 만들 때 알면 적는다."""
    names = [person.get("name") or f"{person['family-names']}{person['given-names']}" for person in citation["authors"]]
    fields = {
        "author": " and ".join(f"{{{escaped(name)}}}" for name in names),
        "title": f"{{{escaped(citation['title'])}}}",
        "note": f"버전 {escaped(citation['version'])}",
    }
    if url:
        fields["url"] = url
    return record("misc", "mgk", fields)


def make(book: Book, shelf: Shelf) -> Places:
    """내려받을 BibTeX를 놓고, 서지와 인용의 자리를 채운다."""
    entries = read(book.root / DOCS / SOURCE)
    shelf.put(DOWNLOAD, "\n\n".join(map(bibtex, entries)) + "\n")
    return {
        "bibliography:references": lambda _: "\n\n".join(map(line, entries)),
        "bibliography:cite": lambda _: fence(cite(book.citation, book.settings.site_url)),
    }
