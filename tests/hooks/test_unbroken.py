"""hooks/unbroken.py: 이어 읽는 글의 날짜와 ± 값은 갈라지지 않는다."""

import pytest

from hooks import unbroken


def shown(html: str) -> str:
    return unbroken.on_page_content(html, page=None, config=None)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<td>2024-07-21</td>", "<td><time>2024-07-21</time></td>"),
        ("<p>2024-07-14부터 2024-08-18</p>", "<p><time>2024-07-14</time>부터 <time>2024-08-18</time></p>"),
        ("<td>방법 +0.081 ± 0.056</td>", "<td>방법 +0.081\u00a0±\u00a00.056</td>"),
    ],
)
def test_a_date_and_a_spread_are_kept_whole(html: str, expected: str) -> None:
    assert shown(html) == expected


@pytest.mark.parametrize(
    "html",
    [
        "<h1>2024-07-21</h1>",
        "<p><code>2024-07-21</code></p>",
        "<p>12024-07-21 2024-07-211</p>",
        "<pre>1 ± 2</pre>",
        "<p>값 ± 오차</p>",
    ],
)
def test_the_rest_is_left_alone(html: str) -> None:
    assert shown(html) == html
