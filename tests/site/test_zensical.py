"""Zensical로 만든 사이트(make zensical)에도 글에 적은 것이 다 있다: MkDocs의 페이지와 하나씩 센다.

실습은 세지 않는다. Zensical은 아직 노트북을 그리지 못한다.
"""

from collections import Counter
from pathlib import Path

from bs4 import BeautifulSoup

from tests.site.conftest import ROOT, SITE, built_pages

THEIRS = ROOT / ".cache" / "zensical" / "site"
PARTS = {
    "수식": "math",
    "그림": "img[width]",
    "페이지에 넣은 그림": "figure.moving, div.inline-figure",
    "예제와 출력": "div.highlight",
    "함수의 목록": "details.listing",
    "인증의 줄": "p.certificate",
    "용어의 풀이": "abbr[tabindex]",
    "함수로 가는 링크": 'a[href*="#mgk_docs_src."]',
    "torch로 가는 링크": 'a[href^="https://docs.pytorch.org/"]',
    "표": "table",
    "영어 요약": "details.english",
    "읽는 시간": "p.reading",
}


def counts(site: Path, page: str) -> Counter[str]:
    article = BeautifulSoup((site / page / "index.html").read_text("utf-8"), "html.parser").article
    assert article is not None
    return Counter({name: len(article.select(part)) for name, part in PARTS.items()})


def test_every_page_of_prose_has_all_its_parts() -> None:
    pages = [page for page in built_pages() if not page.startswith("labs/")]
    ours, theirs = ({page: counts(site, page) for page in pages} for site in (SITE, THEIRS))
    print()
    for name in PARTS:
        mine, other = (sum(found[name] for found in each.values()) for each in (ours, theirs))
        print(f"{name}: MkDocs {mine}, Zensical {other}")
        assert mine
    assert ours == theirs
