"""hooks/bibliography.py: 접어 둔 BibTeX는 검색에 넣지 않는다."""

from hooks import bibliography


def test_the_folded_bibtex_is_not_searched() -> None:
    html = '<details class="bibtex"><summary>BibTeX</summary></details><details class="tip"></details>'
    shown = bibliography.on_page_content(html, page=None)
    assert shown.count("data-search-exclude") == 1
    assert '<details class="bibtex" data-search-exclude>' in shown
