"""만든 사이트의 어디에도 소스의 기호가 글로 남지 않는다: 본문, 차례, 제목, 검색 색인. 소스의 수식은 모두 그려진다."""

import json
import re

import pytest
from playwright.sync_api import Page as Screen

from tests.docs.pages import Page
from tests.docs.test_drawn import SOURCES, shown
from tests.site.conftest import SITE, built_pages, soup_of

RAW = re.compile(r"\$\S|\*\*|\\[(\[)\]]|\\[a-z]{2}")


def test_no_markup_is_left_around_the_article(path: str) -> None:
    """차례, 메뉴, 앞뒤 페이지의 이름, 창의 제목과 설명."""
    soup = soup_of(path)
    described = [tag["content"] for tag in soup.select("meta[name=description], meta[property]") if tag.get("content")]
    texts = [
        text for text in soup.find_all(string=RAW) if not text.find_parent(["code", "pre", "math", "script", "style"])
    ]
    assert not [*texts, *filter(RAW.search, described)]


@pytest.mark.parametrize("name", [name for name in SOURCES if "$" in SOURCES[name]])
def test_every_formula_of_the_source_is_drawn(name: str) -> None:
    path = name.rpartition(".")[0].removesuffix("index").rstrip("/")
    # 함수의 설명은 페이지의 글이 아니다.
    formulas = soup_of(path).article.select("math:not(:is(.doc, .doc-contents, .footnote) *)")
    assert len(formulas) >= len(shown(Page(name, SOURCES[name]).html)["수식"])


def test_no_markup_is_left_in_the_search_index() -> None:
    index = json.loads((SITE / "search" / "search_index.json").read_text("utf-8"))
    assert len(built_pages()) > 40
    left = [(entry["location"], match[0]) for entry in index["docs"] for match in [RAW.search(entry["title"])] if match]
    assert not left


OUTSIDE = """() => {
    const frame = document.querySelector("svg").getBoundingClientRect();
    return [...document.querySelectorAll("svg text")].filter(text => {
      const box = text.getBoundingClientRect();
      return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1
        || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
    }).map(text => text.textContent.trim());
}"""


def test_no_word_of_a_figure_is_cut_at_its_edge(page: Screen) -> None:
    """그릴 때와 읽을 때의 글꼴이 달라서, 그림의 글이 브라우저에서 틀을 넘을 수 있다."""
    figures = list(SITE.rglob("figures/*.svg"))
    cut = []
    for path in figures:
        page.set_content(f"<body style='margin: 0'>{path.read_text('utf-8')}</body>")
        cut += [f"{path.relative_to(SITE)}: {text}" for text in page.evaluate(OUTSIDE)]
    assert len(figures) > 80
    assert cut == []
