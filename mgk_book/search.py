"""검색이 한국어를 알게 한다: 조사, 붙여 쓴 말, 띄어 쓴 말, 다른 표기, 영어.

테마의 검색 일꾼(worker) 앞에 곁의 `search.js`와 낱말의 표를 붙인다. 페이지와 색인은 그대로다.
표는 용어 페이지에서 뽑는다: 괄호 안의 영어, 정의한 곳으로 가는 첫 링크, ‘다르게 적는 말’의 표.
"""

import json
import posixpath
import re
from pathlib import Path

from mgk_book.book import DOCS
from mgk_book.markdown.terms import GLOSSARY

WORKER = re.compile(r"assets/javascripts/workers/search\.\w+\.min\.js")
TERM = re.compile(
    r"^(?P<name>[^\s:|#].*?) \((?P<english>[^()]+)\)\n:   (?:[^\n]*?\]\((?P<link>[^)]+)\))?", re.MULTILINE
)
SPELLINGS = re.compile(r"\{ #spellings.*?\n\| --- \| --- \|\n(?P<rows>(?:\|.*\n?)+)", re.DOTALL)


def other_names(glossary: str) -> list[tuple[str, str]]:
    """(다른 이름, 이 책의 이름). 띄어 쓴 이름은 제 이름도 적어, 붙여 써도 알아보게 한다."""
    terms = [
        pair for term in TERM.finditer(glossary) for pair in ((term["english"], term["name"]), (term["name"],) * 2)
    ]
    terms = [(other, name) for other, name in terms if other != name or re.search(r"[\s-]", name)]
    spellings = SPELLINGS.search(glossary)
    rows = [row.strip("| ").split(" | ") for row in spellings["rows"].splitlines()] if spellings else []
    return terms + [(other, name) for name, others in rows for other in others.split(", ")]


def defined(glossary: str) -> dict[str, list[str]]:
    """검색 색인의 위치 → 거기서 정의한 말들."""
    places: dict[str, list[str]] = {}
    for term in TERM.finditer(glossary):
        if term["link"]:
            path, _, anchor = term["link"].partition("#")
            page = posixpath.normpath(posixpath.join(posixpath.dirname(GLOSSARY), path))
            folder = re.sub(r"(^|/)index$", "", posixpath.splitext(page)[0])
            place = f"{folder}/" + (f"#{anchor}" if anchor else "")
            places.setdefault(place, []).append(term["name"])
    return places


def worker(root: Path, theirs: str) -> str:
    """표와 우리 것을 앞에 붙인 일꾼."""
    path = root / DOCS / GLOSSARY
    glossary = path.read_text("utf-8") if path.is_file() else ""  # 용어 페이지가 없는 책에는 표도 없다
    script = Path(__file__).with_suffix(".js").read_text("utf-8")
    tables = {"aliases": other_names(glossary), "defined": defined(glossary)}
    lines = [f"const {name} = {json.dumps(table, ensure_ascii=False)};" for name, table in tables.items()]
    return "\n".join([*lines, script, theirs])
