"""용어가 페이지에 처음 나올 때 그 뜻을 단다. 뜻의 출처는 `docs/reference/glossary.md` 하나다.

`<abbr title>`이라 스크립트 없이 마우스로 읽히고, 초점을 받으므로 자판과 손가락으로도 읽힌다(book.css).
"""

import html
import re
from pathlib import Path
from typing import Any, NamedTuple

from mkdocs.exceptions import PluginError

from hooks import prose

GLOSSARY = "reference/glossary.md"
ENTRY = re.compile(r"^(?P<name>\S.*?) \((?P<english>[^)]+)\)\n: {3}(?P<text>.+)$", re.MULTILINE)
LINK = re.compile(r"\s*\[[^]]*\]\((?:\.\./)?(?P<folder>[\w-]*)[^)]*\)")
# 여느 글에서 다른 뜻으로도 쓰는 낱말은 그것을 정의한 주제에서만 푼다.
EVERYDAY = {"고름", "공명", "사슬", "쌍대", "안내", "여백", "온도", "점수", "정렬", "축소", "퍼텐셜"}
JOSA = (
    "은는이가을를의에와과도로만나란라인일고며다|으로|에서|까지|부터|보다|처럼|마다|이나|이란|이라|이고|이며|이다|에는|에도|에서는|에서도|"
    "으로는|로는|와는|과는|와의|과의|이라고|라고|이라는|라는|이지만|이면|에게|뿐|끼리|한|된|하는|하여"
)
PARTICLES = "|".join([f"[{JOSA.partition('|')[0]}]", *JOSA.split("|")[1:]])


class Term(NamedTuple):
    """용어 하나: 이름, 영어와 첫 문장으로 된 뜻, 정의한 주제의 폴더."""

    name: str
    meaning: str
    folder: str | None


def read(text: str) -> list[Term]:
    """용어 페이지의 항목들. 첫 문장은 수식 없이도 읽혀야 한다."""
    terms = []
    for entry in ENTRY.finditer(text):
        link = LINK.search(entry["text"])
        first = re.split(r"(?<=[가-힣A-Z)])\.(?:\s|$)", LINK.sub("", entry["text"]))[0]
        if re.search(r"\\|[_^]\{", first):
            raise PluginError(f"{GLOSSARY}: {entry['name']}: 첫 문장은 풀이로도 쓰이므로 LaTeX 명령을 쓰지 않는다")
        meaning = f"{entry['english']}: {first.replace('$', '')}"
        terms.append(Term(entry["name"], meaning, link["folder"] if link else None))
    return terms


def explained(content: str, terms: list[Term], folder: str) -> str:
    """용어마다 처음 나온 곳 하나에 뜻을 단 본문."""
    waiting = {term.name: term for term in terms if term.name not in EVERYDAY or term.folder == folder}
    # 긴 것부터: '기울기 벌점'은 '기울기'가 아니다.
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(waiting, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w·-])(?P<name>{names})(?=(?:{PARTICLES})?(?!\w))")

    def mark(match: re.Match[str]) -> str:
        term = waiting.pop(" ".join(match["name"].split()), None)
        return f'<abbr title="{html.escape(term.meaning)}" tabindex="0">{match[0]}</abbr>' if term else match[0]

    return "".join(
        pattern.sub(mark, token) if read and not token.startswith("<") else token
        for token, read in prose.tokens(content)
    )


def identified(text: str) -> str:
    """용어 페이지의 항목마다 영어에서 온 id를 단 것. 용어 하나를 주소로 가리킬 수 있다."""

    def mark(entry: re.Match[str]) -> str:
        head, rest = entry[0].split("\n", 1)
        name = re.sub(r"[^a-z0-9]+", "-", entry["english"].lower()).strip("-")
        return f"{head} {{ #{name} }}\n{rest}"

    return ENTRY.sub(mark, text)


def on_files(files: Any, config: Any) -> Any:
    """MkDocs 훅: 빌드마다 용어를 읽는다."""
    config.extra["terms"] = read(Path(config.docs_dir, GLOSSARY).read_text("utf-8"))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """MkDocs 훅: 용어 페이지의 항목마다 id."""
    return identified(markdown) if page.file.src_uri == GLOSSARY else markdown


def on_page_content(content: str, page: Any, config: Any, **_: Any) -> str:
    """MkDocs 훅: 글로 된 페이지의 본문. 찾아보기와 실습은 그대로 둔다."""
    uri = page.file.src_uri
    folder = uri.rpartition("/")[0]
    if folder == "reference" or not uri.endswith(".md"):
        return content
    return explained(content, config.extra["terms"], folder)
