"""용어와 그 뜻: 출처는 `docs/reference/glossary.md` 하나다."""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from mgk_book.book import DOCS, BookError, stamp

GLOSSARY = "reference/glossary.md"
ENTRY = re.compile(r"^(?P<name>\S.*?) \((?P<english>[^)]+)\)\n: {3}(?P<text>.+)$", re.MULTILINE)
LINK = re.compile(r"\s*\[[^]]*\]\((?:\.\./)?(?P<folder>[\w-]*)[^)]*\)")
# 여느 글에서 다른 뜻으로도 쓰는 낱말은 그것을 정의한 주제에서만 푼다.
EVERYDAY = {"공명", "배치", "스케일", "온도", "정렬", "축소", "퍼텐셜", "편향"}
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


def parse(text: str) -> list[Term]:
    """용어 페이지의 항목들. 첫 문장은 수식 없이도 읽혀야 한다."""
    terms = []
    for entry in ENTRY.finditer(text):
        link = LINK.search(entry["text"])
        first = re.split(r"(?<=[가-힣A-Z)])\.(?:\s|$)", LINK.sub("", entry["text"]))[0]
        if re.search(r"\\|[_^]\{", first):
            raise BookError(f"{GLOSSARY}: {entry['name']}: 첫 문장은 풀이로도 쓰이므로 LaTeX 명령을 쓰지 않는다")
        meaning = f"{entry['english']}: {first.replace('$', '')}"
        terms.append(Term(entry["name"], meaning, link["folder"] if link else None))
    return terms


def known(root: Path) -> list[Term]:
    """책의 용어들. 용어 페이지가 그대로면 다시 읽지 않고, 없는 책에는 용어도 없다."""
    return _known(root, stamp(root, f"{DOCS}/{GLOSSARY}"))


@lru_cache(maxsize=2)
def _known(root: Path, now: tuple[object, ...]) -> list[Term]:
    return parse((root / DOCS / GLOSSARY).read_text("utf-8")) if now else []


def pattern(terms: list[Term]) -> re.Pattern[str] | None:
    """어느 용어든 찾는 정규식. 뒤에는 조사만 붙을 수 있다."""
    # 긴 것부터: '라벨 스무딩'은 '라벨'이 아니다.
    names = sorted((term.name for term in terms), key=len, reverse=True)
    either = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in names)
    return re.compile(rf"(?<![\w·-])(?P<term>{either})(?=(?:{PARTICLES})?(?!\w))") if names else None
