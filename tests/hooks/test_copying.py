"""hooks/copying.py: 코드마다 복사 단추 하나, 출력에는 없다."""

from bs4 import BeautifulSoup

from hooks import copying

PAGE = """
<div class="language-python highlight"><pre><span></span><code>a = 1
</code></pre></div>
<div class="language-text highlight"><span class="filename">출력</span><pre><span></span><code>1</code></pre></div>
<div class="language-python highlight"><pre><code>b = 2</code></pre></div>
<div class="language-python highlight"><table class="highlighttable"><tr><td class="linenos"><pre>1</pre></td>
<td class="code"><div><pre><span></span><code>c = 3</code></pre></div></td></tr></table></div>
<pre>글</pre>
"""


def test_each_code_has_a_button_that_names_it_as_the_theme_will() -> None:
    soup = BeautifulSoup(copying.on_post_page(PAGE), "html.parser")
    buttons = soup.select("pre > .md-code__nav > button")
    assert [button.parent.parent.code.get_text().strip() for button in buttons] == ["a = 1", "b = 2", "c = 3"]
    for button in buttons:
        assert button["data-clipboard-target"] == f"#__code_{button.find_parent('pre')['id']} > code"
        assert button["title"]
    assert len({button["data-clipboard-target"] for button in buttons}) == 3
    assert "글</pre>" in str(soup)


def test_the_button_speaks_the_language_of_the_page() -> None:
    korean, english = (copying.with_buttons(f'<html lang="{lang}">{PAGE}') for lang in ("ko", "en"))
    assert korean.count('title="클립보드로 복사"') == english.count('title="Copy to clipboard"') == 3
