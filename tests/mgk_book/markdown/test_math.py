"""mgk_book/markdown/math.py: 수식은 빌드할 때 MathML이 되고, 틀린 수식은 빌드를 멈춘다."""

from types import SimpleNamespace
from xml.etree import ElementTree as ET

import markdown
import pytest
from bs4 import BeautifulSoup

from mgk_book.book import BookError
from mgk_book.markdown import math

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


def converter() -> markdown.Markdown:
    options = {"pymdownx.arithmatex": {"generic": True}, "toc": {"permalink": True}}
    extensions = ["toc", "attr_list", "pymdownx.arithmatex", "mgk_book.markdown"]
    return markdown.Markdown(extensions=extensions, extension_configs=options)


def drawn(text: str) -> BeautifulSoup:
    return BeautifulSoup(converter().convert(text), "html.parser")


@pytest.mark.parametrize("latex", KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_formula_becomes_mathml(latex: str) -> None:
    block, inline = drawn(f"$${latex}$$"), drawn(f"글 ${latex}$ 글")
    for soup in (block, inline):
        assert soup.math is not None
        assert soup.select_one("annotation[encoding='application/x-tex']").get_text() == latex
        for note in soup.select("annotation"):
            note.decompose()
        assert "\\" not in soup.get_text()
    assert block.math["display"] == "block"
    assert not inline.math.has_attr("display")


def test_html_escapes_in_formulas_are_undone() -> None:
    assert drawn("$a < b$").mstyle.get_text() == "a<b"
    assert "&amp;" not in str(drawn(r"$$\begin{aligned} a &= b \end{aligned}$$").mstyle)


def test_block_formulas_scroll_and_take_the_keyboard() -> None:
    assert drawn("$$a$$").select_one("div.math[tabindex='0'] > math")


def test_only_the_plain_reading_is_for_the_search_index() -> None:
    semantics = drawn(r"$\frac{a}{b}$").semantics
    kept = [part for part in semantics.find_all(recursive=False) if not part.has_attr("data-search-exclude")]
    assert [part.get_text() for part in kept] == ["a/b"]
    # 테마의 색인은 같은 이름이 안에 또 있으면 빼기를 일찍 멈춘다.
    assert not semantics.select("mstyle mstyle")


@pytest.mark.parametrize("latex", [r"\foo{x}", r"\frac{a}{", r"\begin{cases} a", r"\left( x"])
def test_a_formula_that_does_not_parse_stops_the_build_and_names_the_page(latex: str) -> None:
    md = converter()
    with pytest.raises(BookError, match=r"^수식을 읽을 수 없다") as raised:
        md.convert(f"$${latex}$$")
    assert latex in str(raised.value)
    relative = SimpleNamespace(file=SimpleNamespace(src_uri="losses/binary.md"), run=lambda root: None)
    md.treeprocessors.register(relative, "relpath", 0)  # MkDocs가 페이지를 적어 두는 곳
    with pytest.raises(BookError, match=r"^losses/binary\.md: 수식을 읽을 수 없다"):
        md.convert(f"# 제목\n\n$${latex}$$")


def test_a_page_without_formulas_is_left_alone() -> None:
    assert converter().convert("5달러($5)와 6달러") == "<p>5달러($5)와 6달러</p>"


def test_a_closing_bracket_with_an_exponent_is_grouped_with_its_opening_one() -> None:
    scripted = drawn(r"$\mathbb{E}\bigl[ x + \bigl( y \bigr)^2 \bigr]_p^q$").select_one("msubsup")
    row = scripted.find_all(recursive=False)[0]
    assert row.name == "mrow"
    opening, *_, closing = row.find_all(recursive=False)
    assert (opening.get_text(), closing.get_text()) == ("[", "]")
    inner = row.msup.find_all(recursive=False)
    assert [part.get_text() for part in inner] == ["(y)", "2"]
    assert not drawn(r"$\lVert x \rVert^2$").select("msup > mrow")  # 키우지 않은 괄호는 그대로


@pytest.mark.parametrize(
    ("text", "together"),
    [
        ("왔다면($y = 1$) 벌점", ["왔다면(y=1)"]),
        ("$p$라고 예보", ["p라고"]),
        ("값 $x$ 하나", []),
        ("$P$, $Q$가", ["P,", "Q가"]),
        ("$a$와**굵은**$b$는 둘", ["a와굵은b는"]),
        ("**곧 $x$다.** 끝", ["x다."]),
        ("$$x$$", []),
    ],
)
def test_what_is_glued_to_a_formula_stays_on_its_line(text: str, together: list[str]) -> None:
    soup = drawn(text)
    plain = soup.get_text()
    for note in soup.select("annotation"):
        note.decompose()
    assert [word.get_text() for word in soup.select(".whole")] == together
    assert plain.split() == drawn(text).get_text().split()


def test_splitting_loses_nothing() -> None:
    parent = ET.fromstring("<p>가 <b>나</b>다(<math/>)라 <math/><i/> 마\n<math/></p>")
    before = "".join(parent.itertext())
    math.keep_together(parent)
    assert "".join(parent.itertext()) == before
    assert ET.tostring(parent, encoding="unicode") == (
        '<p>가 <span class="whole"><b>나</b>다(<math />)라</span> '
        '<span class="whole"><math /><i /></span> 마\n<math /></p>'
    )


def test_the_contents_read_the_formula_of_a_heading() -> None:
    md = converter()
    html = md.convert(r"## $\sqrt{x}$와 `a<b`의 *차이* { #gap }")
    assert md.toc_tokens[0]["name"] == "√x와 a&lt;b의 차이"
    assert md.toc_tokens[0]["id"] == "gap"
    soup = BeautifulSoup(html, "html.parser")
    assert soup.h2.math
    assert not soup.h2.has_attr("data-toc-label")
    # id를 적지 않은 제목도 수식의 주석이 아니라 글에서 id를 얻는다.
    assert BeautifulSoup(md.reset().convert("## CD의 $k$"), "html.parser").h2["id"] == "cd-k"
