"""hooks/prose.py: 이어 읽는 글만 골라내고, 이으면 처음의 HTML이다."""

import pytest

from hooks.prose import tokens


def read(html: str) -> list[str]:
    return [token for token, read in tokens(html) if read and token.strip()]


def test_the_tokens_make_the_page_again() -> None:
    html = '<h1>가</h1>\n<p>나 <code class="x">다</code><!-- <p>라 --> <br/>마</p><pre><code>바\n</code></pre>끝'
    assert "".join(token for token, _ in tokens(html)) == html


def test_running_text_and_its_code_are_read() -> None:
    html = "밖 <p>글 <code>코드</code> <em>셈</em></p><ul><li>줄</li></ul><table><tr><td>칸</td></tr></table>"
    assert read(html) == ["글 ", "<code>코드</code>", "셈", "줄", "칸"]


@pytest.mark.parametrize("tag", ["a", "abbr", "autoref", "h2", "math", "pre", "summary", "svg", "th"])
def test_what_must_stay_is_left(tag: str) -> None:
    html = f'<p>앞 <{tag} class="x"><span>속 <code>코드</code></span></{tag}> 뒤</p>'
    assert read(html) == ["앞 ", " 뒤"]


def test_headings_and_comments_are_not_text() -> None:
    assert read("<h2>제목 <code>코드</code></h2><p><!-- 적어 둔 것 --></p>") == []
