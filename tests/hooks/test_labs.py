"""hooks/labs.py: 노트북은 한 번만 돌고, 낡은 결과도 반쪽 결과도 나가지 않는다."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config

from hooks import labs
from mgk_book.running import execution

ROOT = Path(__file__).parents[2]
CONFIG = f"""
site_name: 시험
strict: true
theme: {{ name: material, font: false }}
hooks: [{ROOT}/hooks/labs.py]
plugins:
  - search
  - mkdocs-jupyter: {{ include: [made/labs/*.ipynb], allow_errors: false, cache_dir: .cache/mkdocs-jupyter }}
markdown_extensions:
  - admonition
  - attr_list
  - toc: {{ slugify: !!python/object/apply:pymdownx.slugs.slugify {{ kwds: {{ case: lower }} }} }}
  - pymdownx.arithmatex: {{ generic: true }}
  - mgk_book.markdown
validation: {{ links: {{ not_found: warn, anchors: warn }} }}
"""
LAB = """# %% [markdown]
# # 실습: 깊이
#
# 첫 문단은 [첫 페이지](../index.md)와 $x < y$를 말한다.
#
# ## 한글 제목
#
# !!! note "알림"
#
#     안쪽 글

# %%
from mgk_docs_src.shared import SIDE
print(SIDE)

# %% [markdown]
# ## 둘째 제목 { #second }

# %%
from IPython.display import HTML, display
display(HTML('<img alt="네모" src="data:,">'))
"""
OTHER = "# %% [markdown]\n# # 다른 실습\n#\n# 글.\n\n# %%\nfrom mgk_docs_src import lonely\nprint(lonely.X)\n"


@pytest.fixture
def site(book: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (book / "docs" / "labs").mkdir(parents=True)
    (book / "docs" / "index.md").write_text("# 첫 페이지\n", "utf-8")
    (book / "docs" / "labs" / "deep.py").write_text(LAB, "utf-8")
    (book / "docs" / "labs" / "other.py").write_text(OTHER, "utf-8")
    (book / "mkdocs.yml").write_text(CONFIG, "utf-8")
    monkeypatch.chdir(book)
    return book


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """돌린 노트북의 이름들. 빌드마다 한 줄."""
    names: list[list[str]] = []
    real = execution.json.dump

    def dump(jobs: list[dict[str, str]], stream: object) -> None:
        names.append([job["name"] for job in jobs])
        real(jobs, stream)

    monkeypatch.setattr(execution.json, "dump", dump)
    return names


def make(site: Path) -> None:
    # MkDocs는 훅을 파일에서 따로 읽는다. 시험이 바꾼 모듈의 함수가 불리도록 갈아 끼운다.
    config = load_config(str(site / "mkdocs.yml"))
    functions = {"files": labs.on_files, "page_content": labs.on_page_content, "post_page": labs.on_post_page}
    for event, function in functions.items():
        handlers = config.plugins.events[event]
        handlers[:] = [function if inspect.getsourcefile(handler) == labs.__file__ else handler for handler in handlers]
    build(config)


def page(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / "site" / "labs" / name / "index.html").read_text("utf-8"), "html.parser")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_lab_is_a_page_like_any_other(site: Path) -> None:
    make(site)
    soup = page(site, "deep")
    assert [tag["id"] for tag in soup.select("h1, h2") if tag.has_attr("id")] == ["실습-깊이", "한글-제목", "second"]
    assert soup.select_one(".admonition.note p.admonition-title").get_text() == "알림"
    assert soup.find("a", string="첫 페이지")["href"] in ("../../index.html", "../../", "../..")
    assert soup.select_one("math mstyle").get_text() == "x<y"
    assert soup.find("img")["alt"] == "네모"
    assert "3" in soup.select_one(".jp-OutputArea-output pre").get_text()
    assert soup.select_one(".language-python pre code").get_text().startswith("from mgk_docs_src.shared")
    assert not soup.select("div.jupyter-wrapper style, div.jupyter-wrapper script, clipboard-copy")
    assert soup.find("meta", attrs={"name": "description"})["content"].startswith("첫 문단은")
    index = json.loads((site / "site" / "search" / "search_index.json").read_text("utf-8"))
    locations = [entry["location"] for entry in index["docs"]]
    assert "labs/deep/#한글-제목" in locations
    assert len(locations) == len(set(locations))


def test_the_contents_list_of_a_lab_page_carries_no_padding(site: Path) -> None:
    make(site)
    lab = (site / "site" / "labs" / "deep" / "index.html").read_text("utf-8")
    other = (site / "site" / "index.html").read_text("utf-8")
    assert "\n  " not in lab[: lab.index("<article")]
    assert "\n  " in other[: other.index("<article")]
    assert page(site, "deep").select_one("pre code").get_text().count("\n") == 2  # 코드의 줄은 그대로다


def test_the_executed_notebook_can_be_downloaded(site: Path) -> None:
    make(site)
    link = page(site, "deep").select_one("a[download]")["href"]
    notebook = json.loads((site / "site" / "labs" / "deep" / link).read_text("utf-8"))
    assert "".join(notebook["cells"][0]["source"]).startswith("# 실습: 깊이")
    assert notebook["cells"][1]["outputs"][0]["text"] == ["3\n"]


FOLDED = """# %% [markdown]
# # 접기
#
# 물음과 결론.

# %% [markdown]
# ## 본문

# %% 준비 tags=["setup"]
import mgk_docs_src.shared as shared  # 주석
from mgk_docs_src import lonely
from mgk_docs_src.deep import SIDE as S
print("열  한글  다음", S < 4)
print("한글 그대로", shared.SIDE, lonely.X)

# %% tags=["summary"]
from IPython.display import HTML, display
print("글은 요약이 아니다")
display(HTML("<table><caption>핵심 표</caption></table>"))
display(HTML("<p>다른 것</p>"))
"""


def test_set_up_is_folded_and_the_key_table_stands_first(site: Path) -> None:
    (site / "docs" / "labs" / "folded.py").write_text(FOLDED, "utf-8")
    make(site)
    article = page(site, "folded").article
    (setup,) = article.select("details.setup")
    assert not setup.has_attr("open")
    assert setup.summary.get_text() == "준비: 준비"
    assert "import" in setup.code.get_text()
    assert {span["class"][0] for span in setup.select("span")} == {"c1"}
    assert [code.parent.parent.parent == setup for code in article.select("pre > code")] == [True, False]
    assert not setup.select(".jp-OutputArea-output")  # 출력은 접지 않는다
    assert article.get_text().index("물음") < article.get_text().index("핵심 표") < article.get_text().index("본문")
    assert article.select_one(".lab-summary").get_text() == "핵심 표"
    assert len(article.find_all("caption")) == 2
    assert not article.select(".jp-Cell, [class*=CodeMirror], div:empty")


def test_only_columns_are_lined_up_in_what_was_printed(site: Path) -> None:
    (site / "docs" / "labs" / "folded.py").write_text(FOLDED, "utf-8")
    make(site)
    printed = page(site, "folded").select_one(".jp-OutputArea-output > pre")
    assert [(each.get_text(), each["style"]) for each in printed.select(".wide")] == [
        ("열", "width:2ch"), ("한글", "width:4ch"), ("다음", "width:4ch"),
    ]  # fmt: skip
    assert printed.get_text() == "열  한글  다음 True\n한글 그대로 3 1\n"


def test_the_functions_of_a_lab_are_those_that_its_code_imports_and_that_have_a_listing() -> None:
    code = [
        "import math\nfrom mgk_docs_src.a import one, CONSTANT, Two as T",
        "from mgk_docs_src import b as module\nmodule.three(one.four)\nmodule.unknown\nT().five",
    ]
    known = {f"mgk_docs_src.{name}" for name in ("a.one", "a.Two", "a.other", "b.three", "b.six")}
    names = labs.functions(code, known)
    assert names == ["mgk_docs_src.a.one", "mgk_docs_src.b.three", "mgk_docs_src.a.Two"]
    assert labs.listings(names[:1]) == (
        '<p class="lab-functions">이 실습이 쓰는 함수: '
        '<autoref identifier="mgk_docs_src.a.one"><code>one</code></autoref></p>'
    )
    assert labs.listings([]) == ""


def test_a_heading_takes_no_mark_home(site: Path) -> None:
    make(site)
    link = page(site, "deep").select_one("a[download]")["href"]
    notebook = (site / "site" / "labs" / "deep" / link).read_text("utf-8")
    assert "## 둘째 제목" in notebook
    assert "#second" not in notebook


def test_with_a_repository_a_lab_opens_in_colab_and_installs_the_package(site: Path, runs: list) -> None:
    edit(site / "mkdocs.yml", "strict: true", "strict: true\nextra: { repository: team/book }")
    make(site)
    soup = page(site, "deep")
    colab = soup.find("a", string="Colab에서 열기")["href"]
    assert colab == "https://colab.research.google.com/github/team/book/blob/notebooks/labs/deep.ipynb"
    notebook = json.loads((site / "site" / "labs" / "deep" / "deep.ipynb").read_text("utf-8"))
    assert "".join(notebook["cells"][0]["source"]).startswith('%pip install -q "mgk_docs_src @ git+https://github.com/')
    assert "pip install" not in soup.get_text()
    edit(site / "mkdocs.yml", "team/book", "")
    make(site)
    assert page(site, "deep").find("a", string="Colab에서 열기") is None
    assert len(runs) == 1


def test_it_works_from_the_command_line_too(site: Path) -> None:
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "--quiet"], cwd=site, check=True, capture_output=True)
    assert "3" in page(site, "deep").select_one(".jp-OutputArea-output pre").get_text()
