"""hooks/mathml.py: 수식은 빌드할 때 MathML이 되고, 틀린 수식은 빌드를 멈춘다."""

from types import SimpleNamespace

import markdown
import pytest
from bs4 import BeautifulSoup
from mkdocs.exceptions import PluginError

from hooks import mathml

KINDS = {
    "경우": r"\begin{cases}1 & x > 0\\ 0 & x \le 0\end{cases}",
    "정렬": r"\begin{aligned} a &= b \\ &= c \end{aligned}",
    "넓은 모자": r"\widehat{xyz} + \overline{AB} + \bar\alpha_t",
    "큰 연산자": r"\sum_{i=1}^{N} \prod_j \int_0^1 \inf_{\gamma \in \Pi(P, Q)}",
    "칠판 글자": r"\mathbb{E}_{x \sim \mathcal{N}(0, \mathbf{I})}",
    "괄호": r"\left[ \frac{a}{b} \right] \bigl( x \bigr) \lvert x \rvert \|x\|",
    "연산자 이름": r"\operatorname{softplus}(z), \arg\min_\theta, \log, D_{\mathrm{KL}}(P \,\|\, Q)",
    "한글": r"\underbrace{a + b}_{\text{합}}",
}


def html_of(text: str) -> str:
    return markdown.markdown(
        text, extensions=["pymdownx.arithmatex"], extension_configs={"pymdownx.arithmatex": {"generic": True}}
    )


@pytest.mark.parametrize("latex", KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_formula_becomes_mathml(latex: str) -> None:
    block, inline = (
        BeautifulSoup(mathml.convert(html_of(text), "p.md"), "html.parser")
        for text in (f"$${latex}$$", f"글 ${latex}$ 글")
    )
    for soup in (block, inline):
        assert soup.math is not None
        assert "\\" not in soup.get_text()
    assert block.math["display"] == "block"
    assert not inline.math.has_attr("display")


def test_html_escapes_in_formulas_are_undone() -> None:
    soup = BeautifulSoup(mathml.convert(html_of("$a < b$"), "p.md"), "html.parser")
    assert soup.math.get_text() == "a<b"


def test_block_formulas_scroll_and_take_the_keyboard() -> None:
    soup = BeautifulSoup(mathml.convert(html_of("$$a$$"), "p.md"), "html.parser")
    assert soup.select_one("div.math[tabindex='0'] > math")


def test_formulas_stay_out_of_the_search_index() -> None:
    assert "<math data-search-exclude" in mathml.convert(html_of("$a$"), "p.md")


@pytest.mark.parametrize("latex", [r"\foo{x}", r"\frac{a}{", r"\begin{cases} a", r"\left( x"])
def test_a_formula_that_does_not_parse_stops_the_build_and_names_the_page(latex: str) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="losses/binary.md"))
    with pytest.raises(PluginError, match=r"losses/binary\.md: 수식을 읽을 수 없다") as raised:
        mathml.on_page_content(html_of(f"$${latex}$$"), page=page)
    assert latex in str(raised.value)


def test_a_page_without_formulas_is_left_alone() -> None:
    assert mathml.convert("<p>5달러($5)와 6달러($6)</p>", "p.md") == "<p>5달러($5)와 6달러($6)</p>"
