"""페이지의 계약. 앞의 절반은 진짜 페이지에 규칙을 대고, 뒤의 절반은 규칙이 깨진 페이지를 알아보는지 본다."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.docs import contract, inventory
from tests.docs.contract import RULES, covers_the_inventory, pictures_are_drawn
from tests.docs.contract_package import figure_functions, load
from tests.docs.pages import DOCS, Page, pages

PAGES = pages()
FIGURES = figure_functions(load())


def test_there_are_pages():
    assert PAGES, "docs/에 페이지가 하나도 없다"
    assert not any(page.name.startswith("reference/") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_page(rule, page):
    assert rule(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pictures(page):
    assert pictures_are_drawn(page, FIGURES) == []


def test_every_statement_of_the_seeds_is_on_a_page():
    assert covers_the_inventory(PAGES, inventory.ROWS) == []


def test_the_inventory_has_every_row_of_both_posts():
    numbers = {
        "A": [*range(1, 5), *range(10, 24), *range(30, 38), *range(40, 45), *range(50, 65)],
        "B": [1, 2, *range(10, 23), *range(30, 50), *range(60, 71)],
    }
    assert set(inventory.ROWS) == {f"{letter}{number}" for letter in numbers for number in numbers[letter]}
    assert all(title.strip() for title in inventory.ROWS.values())


# 여기부터는 규칙의 테스트: 좋은 페이지 하나와, 그것을 한 군데씩 망가뜨린 페이지들.

EXAMPLE = """\
```python
from mgk_docs_src.losses.binary import bce

print(bce)
```

```text title="출력"
0.5000
```
"""
GOOD = (
    "---\ntitle: 제목\ndescription: 설명\ncovers: [A50]\n---\n\n# 제목\n\n"
    + "".join(f"## {name} {{ #section-{i} }}\n\n글\n\n" for i, name in enumerate(contract.PLAN[:7]))
    + f"## {contract.CORRECTIONS} {{ #corrections }}\n\n### 첫째 {{ #first }}\n\n{EXAMPLE}\n"
    + f"### 둘째\n\n!!! note\n\n    글\n\n    {EXAMPLE.strip().replace(chr(10), chr(10) + '    ')}\n\n"
    + "## 연습 문제 { #exercises }\n\n![그림의 설명](figures/penalty.svg)\n\n## 출처 { #sources }\n\n- 책\n"
)


def page(text: str = GOOD, name: str = "losses/good.md", docs: Path = DOCS) -> Page:
    return Page(name, text, docs)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_good_page_has_no_violation(rule):
    assert rule(page()) == []


@pytest.mark.parametrize(
    ("rule", "old", "new", "violation"),
    [
        (contract.every_block_collected, "```python\n", '```python no="1"\n', "41: 울타리가 블록으로"),
        (contract.every_block_collected, "### 둘째", "- ```python\n  x\n  ```", "51: 울타리가 블록으로"),
        (contract.every_block_collected, "### 둘째", "    ```python\n    x\n    ```", "51: 울타리가 블록으로"),
        (
            contract.every_block_collected,
            "### 둘째",
            '<pre><code class="language-python">x = 1</code></pre>',
            "51: 그려지지만 모이지 않은",
        ),
        (contract.options_are_known, "```python\n", "```py\n", "41: 언어 이름 'py'"),
        (contract.options_are_known, "```python\n", "```pycon\n", "41: 언어 이름 'pycon'"),
        (contract.options_are_known, "```python\n", "```python { continuation=1 }\n", "41: 모르는 옵션"),
        (contract.options_are_known, "```python\n", '```python { notest="귀찮음" }\n', "41: notest의 까닭 '귀찮음'"),
        (contract.options_are_known, "```python\n", "```python { notest }\n", "41: notest의 까닭"),
        (contract.code_fits_the_page, "print(bce)", f"print(bce)  # {'한' * 33}", "44: 80칸"),
        (contract.outputs_are_checked, "print(bce)\n```\n", "print(bce)\n```\n글\n", "48: 돌아가는"),
        (contract.outputs_are_checked, "```python\n", '```python { notest="시간" }\n', "47: 돌아가는"),
        (contract.outputs_are_checked, "0.5000", "tensor(0.5000)", "48: 장치마다"),
        (contract.outputs_are_checked, "0.5000", "첫 줄\n0.5, device='cuda:0'", "49: 장치마다"),
        (contract.examples_use_the_package, "print(bce)", "print(1)", "41: mgk_docs_src의"),
        (contract.examples_use_the_package, "import bce", "import _bce as bce", "41: mgk_docs_src의"),
        (contract.examples_use_the_package, "mgk_docs_src.losses.binary", "torch", "41: mgk_docs_src의"),
        (contract.has_front_matter, "title: 제목\n", "", "1: 앞머리에 title"),
        (contract.has_front_matter, "description: 설명", "description: ' '", "1: 앞머리에 description"),
        (contract.has_sources, "## 출처", "## 참고", "'## 출처'가 없다"),
        (contract.follows_the_plan, "## 직관", "## 느낌", "'## 직관'가 없다"),
        (contract.follows_the_plan, "## 출처", "## 목표 { #again }\n\n## 출처", "'## 목표'가 두 번"),
        (contract.headings_have_ids, "{ #sources }", "", "'## 출처'에 영어 id"),
        (contract.headings_have_ids, "{ #sources }", "{ #출처 }", "'## 출처'에 영어 id"),
        (contract.headings_have_ids, "{ #sources }", "{ #first }", "id #first가 겹친다"),
        (contract.corrections_are_shown, "### 둘째", "### 말뿐\n\n글\n\n### 둘째", "51: '말뿐'를 보이는"),
        (contract.corrections_are_shown, "```python\n", '```python { notest="원문" }\n', "39: '첫째'를 보이는"),
    ],
)
def test_broken_page_is_a_violation(rule, old, new, violation):
    assert old in GOOD
    found = rule(page(GOOD.replace(old, new, 1)))
    assert any(violation in line and line.startswith("docs/losses/good.md:") for line in found), found


def test_sections_out_of_order():
    moved = GOOD.replace("## 목표", "## 임시").replace("## 직관", "## 목표").replace("## 임시", "## 직관")
    assert contract.follows_the_plan(page(moved)) == ["docs/losses/good.md:9: '## 직관' 자리에는 '## 목표'가 와야 한다"]


def test_a_block_that_a_filled_place_brings_is_uncollected(monkeypatch):
    def draws_more(text: str) -> object:
        return BeautifulSoup('<div class="language-python highlight"><pre><code>x</code></pre></div>', "html.parser")

    monkeypatch.setattr("tests.docs.pages._html", draws_more)
    assert "모이지 않은 파이썬 블록: 'x'" in contract.every_block_collected(page("글\n"))[0]


def test_a_block_that_is_collected_but_not_drawn(monkeypatch):
    monkeypatch.setattr("tests.docs.pages._html", lambda text: BeautifulSoup("", "html.parser"))
    assert "그려지지 않은 파이썬 블록: 'x'" in contract.every_block_collected(page("```python\nx\n```\n"))[0]


def test_headings_inside_blocks_and_front_matter_are_not_headings():
    text = "---\ntitle: x\n## 출처: y\n---\n\n```python\n## 출처\n```\n\n## 목표 { #goal .wide } \n"
    assert [(h.line, h.text, h.id) for h in page(text).headings] == [(10, "목표", "goal")]


@pytest.mark.parametrize("name", ["index.md", "sessions/session-1.md", "members/a.md", "losses/index.md"])
def test_pages_that_are_not_chapters_need_no_plan_but_sources(name):
    text = "---\ntitle: 제목\ndescription: 설명\n---\n\n# 제목\n\n## 아무 제목\n"
    assert contract.follows_the_plan(page(text, name)) == []
    assert contract.headings_have_ids(page(text, name)) == []
    assert len(contract.has_sources(page(text, name))) == 1


def test_generated_top_pages_need_no_sources():
    assert contract.has_sources(page("# 인증\n", "certificates.md")) == []


def test_the_english_front_page_names_its_sources_in_english():
    assert contract.has_sources(page("# Title\n\n## Sources\n", "en/index.md")) == []
    assert contract.has_sources(page("# Title\n\n## 출처\n", "en/index.md")) == [
        "docs/en/index.md:4: '## Sources'가 없다"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "from mgk_docs_src.losses import binary\nbinary.bce",
        "import mgk_docs_src.losses.binary as b\nb.bce",
        "import mgk_docs_src.device\nmgk_docs_src.device.resolve",
        "from mgk_docs_src.device import resolve as r\nr('cpu')",
    ],
)
def test_ways_to_use_the_package(source):
    assert contract.uses_package(source)


@pytest.mark.parametrize(
    ("picture", "violation"),
    [
        ("![](figures/penalty.svg)", "3: 그림 figures/penalty.svg에 설명(alt)이 없다"),
        ("![설명](figures/missing.svg)", "3: 그림 함수 mgk_docs_src.figures.losses.good.missing이 없다"),
        ("![설명](photo.png)", "3: 그림 파일 photo.png가 없다"),
        ("![설명](https://example.com/a.png)", "3: 그림 https://example.com/a.png: 책 안의"),
        ('<img src="../here.png">', "3: 그림 ../here.png에 설명(alt)이 없다"),
    ],
)
def test_pictures_that_break_the_rule(tmp_path, picture, violation):
    (tmp_path / "losses").mkdir()
    (tmp_path / "here.png").touch()
    broken = page(f"# 제목\n\n{picture}\n", docs=tmp_path)
    found = pictures_are_drawn(broken, ["mgk_docs_src.figures.losses.good.penalty"])
    assert found
    assert found[0].startswith(f"docs/losses/good.md:{violation}")


def test_good_pictures(tmp_path):
    (tmp_path / "losses").mkdir()
    (tmp_path / "here.png").touch()
    good = page("![설명](figures/penalty.svg)\n\n![설명](../here.png)\n", docs=tmp_path)
    assert pictures_are_drawn(good, ["mgk_docs_src.figures.losses.good.penalty"]) == []


@pytest.mark.parametrize(
    ("covers", "violations"),
    [
        ("[A50]", ["tests/docs/inventory.py:1: B10를 실은 페이지가 없다"]),
        ("[A50, B10, A99]", ["docs/losses/good.md:4: covers: 모르는 번호 A99"]),
        ("", [f"tests/docs/inventory.py:1: {row}를 실은 페이지가 없다" for row in ("A50", "B10")]),
        ("[A50, B10]", []),
    ],
)
def test_inventory_violations(covers, violations):
    covering = page(GOOD.replace("[A50]", covers))
    assert covers_the_inventory([covering], ["A50", "B10"]) == violations
