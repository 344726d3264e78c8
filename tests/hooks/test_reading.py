"""hooks/reading.py: 장의 제목 아래에 읽는 시간과 수준."""

from types import SimpleNamespace

import pytest
from mkdocs.exceptions import PluginError

from hooks import reading


def put(uri: str, content: str = "<h1>제목</h1><p>글</p>", **meta: object) -> str:
    url = uri.removesuffix(".md") + "/"
    page = SimpleNamespace(file=SimpleNamespace(src_uri=uri), url=url, meta=meta)
    return reading.on_page_content(content, page=page, config=None)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", 1),
        ("<p>" + "가" * 1000 + "</p>", 2),
        ("<p>" + "word " * 600 + "</p>", 3),
        ("<pre><code>" + "<span>가나다 = 1</span>\n\n" * 80 + "</code></pre>", 4),
        ('<div class="math" tabindex="0"><math><mi>가</mi></math></div>' * 30, 5),
        ("<p>" + "가" * 500 + "</p><pre>" + "x\n" * 20 + "</pre>", 2),
        ('<details class="setup"><pre>' + "x\n" * 99 + "</pre></details><pre>" + "x\n" * 40 + "</pre>", 2),
        ('<div class="lab-summary"><div><p>' + "가" * 5000 + "</p></div></div><p>" + "가" * 500 + "</p>", 1),
        ("<svg><text>" + "가" * 5000 + "</text></svg>", 1),
    ],
)
def test_minutes(content: str, expected: int) -> None:
    assert reading.minutes(content) == expected


def test_a_chapter_gets_its_time_and_level_under_the_first_title() -> None:
    line = '<p class="reading" data-search-exclude>읽는 데 약 1분 · 수준 <a href="../../#levels">입문</a></p>'
    assert put("losses/binary.md", "<h1>제목</h1><p>글</p><h1>둘</h1>", level="입문") == (
        f"<h1>제목</h1>\n{line}<p>글</p><h1>둘</h1>"
    )


def test_a_lab_gets_them_too() -> None:
    assert '수준 <a href="../../#levels">심화</a>' in put("labs/gan.ipynb", level="심화").replace("gan.ipynb/", "")


def test_a_level_may_be_left_out() -> None:
    assert "읽는 데 약 1분</p>" in put("losses/binary.md")


NOT_CHAPTERS = ["index.md", "losses/index.md", "sessions/session-2.md", "reference/api.md"]


@pytest.mark.parametrize("uri", NOT_CHAPTERS)
def test_what_is_no_chapter_is_left_alone(uri: str) -> None:
    assert put(uri) == "<h1>제목</h1><p>글</p>"


def test_an_unknown_level_stops_the_build() -> None:
    with pytest.raises(PluginError, match=r"losses/binary\.md: level: '쉬움'\. 입문, 중급, 심화"):
        put("losses/binary.md", level="쉬움")
