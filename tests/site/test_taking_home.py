"""집에 가져가기: 복사 단추, 페이지의 노트북, 서지."""

import json
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.site.conftest import SITE, arrive, soup_of

CHAPTER, LAB = "losses/binary/", "labs/gan/"


@pytest.mark.parametrize("where", [CHAPTER, LAB])
def test_the_copy_button_gives_the_code_alone(where: str, browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    arrive(page, url + where)
    block = page.locator("article div.language-python.highlight:not(details *)").first
    block.scroll_into_view_if_needed()
    block.hover()
    block.locator(".md-clipboard, [data-md-type=copy]").first.click()
    soup = soup_of(where)
    code = soup.select_one("article div.language-python.highlight:not(details *) code").get_text().strip("\n")
    copied = page.evaluate("navigator.clipboard.readText()").strip("\n")
    assert copied == code
    assert not copied.startswith((">>>", "In ["))
    context.close()


def test_outputs_have_no_copy_button(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    arrive(page, url + CHAPTER)
    outputs = page.locator("article .highlight:has(> .filename)")
    assert outputs.count() > 10
    output = outputs.first
    output.scroll_into_view_if_needed()
    output.hover()
    assert output.locator("button:visible").count() == 0
    assert page.locator("article div.language-python.highlight button:visible").count() > 0
    context.close()


def test_pages_with_examples_offer_their_notebook(path: str) -> None:
    soup = soup_of(path)
    # 접어 둔 함수의 구현은 노트북의 칸이 아니다. 접어 둔 풀이와 실습의 준비는 칸이다.
    blocks = soup.article.select("div.language-python.highlight:not(details:is(.listing, .mkdocstrings-source) *)")
    found = soup.article.select("a[download]")
    assert len(found) == bool(blocks)
    for link in found:
        notebook = json.loads((SITE / path / link["href"]).read_text("utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell["id"] != "install"]
        assert len(code) == len(blocks)


def test_the_bibliography_can_be_taken_home() -> None:
    soup = soup_of("reference/bibliography")
    link = soup.find("a", href=lambda href: href and href.endswith("references.bib"))
    text = (SITE / "reference/bibliography" / link["href"]).resolve().read_text("utf-8")
    ids = [term["id"] for term in soup.article.select("dt[id]")]
    assert [line[line.index("{") + 1 : -1] for line in text.split("\n") if line.startswith("@")] == ids
    assert "@misc{mgk," in soup.article.get_text()
    assert not (SITE / "reference/references.yml").exists()


def test_each_source_shows_its_own_bibtex() -> None:
    soup = soup_of("reference/bibliography")
    text = (SITE / "reference/references.bib").read_text("utf-8")
    shown = {term["id"]: term.find_next_sibling("dd").select("details") for term in soup.article.select("dt[id]")}
    assert len(shown) >= 66
    assert "\n\n".join(folded.code.get_text() for (folded,) in shown.values()).replace("\n\n\n", "\n\n") == text
    assert not soup.article.select("details.bibtex[open]")
    index = json.loads((SITE / "search" / "search_index.json").read_text("utf-8"))
    assert not [entry for entry in index["docs"] if "@book" in entry["text"] or "@article" in entry["text"]]
    sources = [entry["text"] for entry in index["docs"] if entry["location"].startswith("reference/bibliography/")]
    assert max(text.count("BibTeX") for text in sources) == 1  # 글이 말하는 것뿐이다


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_an_unfolded_source_is_copied_and_accessible(scheme: str, width: int, browser: Browser, url: str) -> None:
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    arrive(page, url + "reference/bibliography/")
    dd = page.locator("#cover-thomas + dd")
    dd.locator("summary").click()
    copied = dd.locator(".md-clipboard, [data-md-type=copy]").first
    copied.click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == dd.locator("code").inner_text().strip()
    violations = Axe().run(page).response["violations"]
    assert not {rule["id"]: [node["target"][0] for node in rule["nodes"][:3]] for rule in violations}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


COPY = """async ([first, last]) => {
    const range = document.createRange();
    range.setStart(document.querySelector(first), 0);
    const end = document.querySelector(last);
    range.setEnd(end, end.childNodes.length);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("copy");
    return await navigator.clipboard.readText();
}"""


@pytest.fixture
def copying(browser: Browser, url: str) -> Iterator[Callable[..., str]]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()

    def copied(where: str, first: str, last: str | None = None) -> str:
        arrive(page, url + where)
        return str(page.evaluate(COPY, [first, last or first]))

    yield copied
    context.close()


def test_a_copied_formula_is_its_latex(copying: Callable[..., str]) -> None:
    assert copying(CHAPTER, ".math math") == r"$$H(P, Q) = -\sum_{x} P(x) \log Q(x)$$"
    # 수식의 안쪽에서 시작하고 끝나도 통째로.
    assert copying(CHAPTER, ".math math mo") == r"$$H(P, Q) = -\sum_{x} P(x) \log Q(x)$$"


def test_copied_prose_stays_readable(copying: Callable[..., str]) -> None:
    text = copying(CHAPTER, "#intuition + p", "#intuition ~ p:has(+ p)")
    assert text.startswith("내일 비가 올 확률을 $p$라고 예보했다. 비가 왔다면($y = 1$) 벌점은 $-\\log p$이고,")
    whole = copying(CHAPTER, "#logits", "#logits ~ div.math")
    assert whole.split("\n\n")[0] == "로짓으로 쓰면 기울기가 예측 빼기 정답이다"
    assert "로짓(logit)이라 한다." in whole
    assert "¶" not in whole
    assert whole.endswith(r"p = \sigma(z) = \frac{1}{1+e^{-z}}$$")


def test_a_copied_heading_has_no_pilcrow(copying: Callable[..., str]) -> None:
    assert copying(CHAPTER, "#definition") == "정의와 유도"
    assert copying("energy/models/", "#without-z") == "$Z$는 밀도의 값을 알아야 할 때만 필요하다"


def test_copied_code_and_output_are_as_shown(copying: Callable[..., str]) -> None:
    output = copying(CHAPTER, ".language-text.highlight code")
    assert output.splitlines()[0] == "H(P)      = 1.0397"
    code = copying(CHAPTER, ".language-python.highlight code")
    assert code.startswith("import torch\nfrom mgk_docs_src.losses import binary\n\np = torch.tensor(")
