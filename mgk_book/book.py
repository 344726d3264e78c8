"""책의 뿌리에서 아는 것: 폴더의 이름, 페이지의 앞머리, 차례. 어느 생성기에서도 같다."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from click import ClickException

DOCS = "docs"
CACHE = ".cache"
MADE = f"{CACHE}/made"  # prepare가 쓰는 곳
SITE = f"{MADE}/site"  # 이 안의 파일은 docs에 있는 것처럼 사이트로 간다
PLACES = f"{MADE}/places"  # 페이지의 자리에 들어갈 글
# 아직 그리지 않은 그림의 자리에 서는 그림. `mkdocs serve`에서만 보인다.
WAITING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="360pt" height="216pt" viewBox="0 0 360 216" class="waiting">'
    '<text x="180" y="108" text-anchor="middle" fill="gray">그림을 그리고 있다</text></svg>'
)
PLACE = re.compile(r"^<!-- (?P<name>[a-z]+:[\w-]+) -->$", re.MULTILINE)


class BookError(ClickException):
    """책에 틀린 것이 있다. 명령줄에서는 역추적 없이 이 글만 찍힌다(mkdocs도 zensical도 click으로 돈다)."""


def place_file(name: str, page: str) -> str:
    """`sessions/archive.md`의 `<!-- archive:dates -->`에 들어갈 글의 파일: `sessions/archive.md/archive-dates.md`."""
    return f"{page}/{name.replace(':', '-')}.md"


class Text(NamedTuple):
    """마크다운 페이지 하나: 앞머리와 본문."""

    meta: dict[str, Any]
    body: str


@lru_cache(maxsize=512)
def split(text: str) -> Text:
    """앞머리(`---` 사이의 YAML)를 떼어 낸다. 없으면 빈 앞머리다."""
    start, fence, rest = text.partition("---\n")
    head, end, body = rest.partition("\n---\n")
    if start or not fence or not end:
        return Text({}, text)
    return Text(data(head) or {}, body)


def data(text: str) -> Any:
    """YAML 글의 내용. C로 쓴 읽개가 있으면 그것으로: 여덟 배 빠르다."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read(path: Path) -> Text:
    """파일 하나."""
    return split(path.read_text("utf-8"))


class _Lenient(yaml.SafeLoader):
    """mkdocs.yml의 `!ENV`와 `!!python/…`은 생성기의 것이라 여기서는 읽지 않는다."""


_Lenient.add_multi_constructor("", lambda *_: None)


class Entry(NamedTuple):
    """차례의 한 칸: 페이지이면 경로, 묶음이면 칸들. 이름이 적히지 않은 페이지의 이름은 빈 글이다."""

    title: str
    path: str
    entries: tuple["Entry", ...]


def contents(root: Path) -> tuple[Entry, ...]:
    """mkdocs.yml의 nav."""
    return tuple(map(_entry, yaml.load((root / "mkdocs.yml").read_text("utf-8"), _Lenient)["nav"]))


def _entry(item: Any) -> Entry:
    if isinstance(item, str):
        return Entry("", item, ())
    ((title, value),) = item.items()
    return Entry(title, value, ()) if isinstance(value, str) else Entry(title, "", tuple(map(_entry, value)))


def paths(entries: tuple[Entry, ...]) -> Iterator[str]:
    """차례에 있는 페이지를, 읽는 순서로."""
    for entry in entries:
        if entry.path:
            yield entry.path
        yield from paths(entry.entries)


def stamp(root: Path, *names: str) -> tuple[tuple[str, int], ...]:
    """파일과 폴더들의 지금 상태: 경로와 수정 시각. 책의 소스에서 얻은 값을 기억할 때 키로 쓴다."""
    found = [root / name for name in names]
    files = [path for each in found for path in (sorted(each.rglob("*.*")) if each.is_dir() else [each])]
    return tuple((str(path), path.stat().st_mtime_ns) for path in files if path.is_file() and path.suffix != ".pyc")
