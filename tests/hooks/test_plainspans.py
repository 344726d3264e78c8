"""hooks/plainspans.py: 색이 없는 틀만 벗기고 글은 그대로 둔다."""

from hooks import plainspans

CODE = (
    '<code><span class="kn">import</span><span class="w"> </span><span class="nn">torch</span>\n'
    '<span class="n">x</span> <span class="o">=</span> <span class="mi">1</span><span class="p">,</span> '
    '<span class="sa">f</span><span class="s2">"a</span>'
    '<span class="si">{</span><span class="n">x</span><span class="si">}</span><span class="s2">"</span></code>'
)


def test_only_spans_without_a_colour_go() -> None:
    assert plainspans.on_post_page(CODE) == (
        '<code><span class="kn">import</span> torch\nx = <span class="mi">1</span>, f<span class="s2">"a</span>'
        '{x}<span class="s2">"</span></code>'
    )
