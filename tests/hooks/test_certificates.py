"""hooks/certificates.py: 장부에 맞는 것만 돌았다고 적고, 낡은 것과 없는 것은 그렇다고 적는다."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config

from hooks import certificates, totals
from mgk_book.book import BookError
from mgk_book.proofs import evidence, ledger
from mgk_book.proofs.evidence import Sources
from mgk_book.proofs.ledger import Ledger, Row
from mgk_book.running import execution

ROOT = Path(__file__).parents[2]
CONFIG = f"""
site_name: 시험
theme: {{ name: material, font: false }}
hooks: [{ROOT}/hooks/certificates.py]
plugins:
  - search
  - mkdocstrings: {{ handlers: {{ python: {{ paths: [.], options: {{ show_source: true }} }} }} }}
markdown_extensions:
  - pymdownx.superfences
  - pymdownx.highlight: {{ pygments_lang_class: true }}
"""
ONE = "from mgk_docs_src.shared import area\n\nprint(area() < 10)"
TWO = "import mgk_docs_src.lonely as a\nprint(a.X)"
PAGES = {
    "index.md": (
        f"# 처음\n\n```python\n{ONE}\n```\n\n```text title=\"출력\"\nTrue\n```\n\n글\n\n```python\n{TWO}\n```\n\n"
        "```text\n다른 글\n```\n\n```sh\nls\n```\n"
    ),
    "part/shared.md": "# 함수\n\n::: mgk_docs_src.shared\n",
    "reference/api.md": "# 찾아보기\n\n::: mgk_docs_src.shared\n",
    "sessions/one.md": (
        "---\nphotos:\n  - {file: 있는 것.png, alt: 모임}\n  - {file: 없는 것.JPG, alt: 시간}\n---\n\n# 회차\n\n"
        "[장](../part/shared.md) [또](../part/shared.md) [사람](../members/a.md) [모두](../whole/index.md)\n\n"
        "<!-- certificates:photos -->\n\n<!-- certificates:session -->\n"
    ),
    "members/a.md": "# 사람\n",
    "whole/index.md": "# 주제\n",
    "whole/one.md": f"# 하나\n\n```python\n{TWO}\n```\n",
    "certificates.md": (
        "# 인증\n\n" + "\n\n".join(f"<!-- certificates:{part} -->" for part in ("totals", "pages", "labs", "machines"))
        + "\n\n<!-- certificates:speeds -->\n"
    ),
    "assets/certifications/있는 것.png": "그림",
}  # fmt: skip
SHARED = '''from mgk_docs_src.deep import SIDE


class Box:
    """상자."""


def area():
    """넓이."""
    return SIDE**2
'''
CPU = {"device": "CPU", "torch": "2.13.0", "system": "<리눅스>"}
GPU = {"device": "GPU X", "torch": "2.13.0"}


def certify(root: Path, device: str, facts: dict[str, str], *, only: str = "") -> None:
    """모든 것이 돌았다고 적는다."""
    sources = Sources(root)
    entries = [evidence.example("index.md", text, sources) for text in (ONE, TWO)] + evidence.functions(sources)
    rows = {
        entry.id: Row(sources.key(entry), ledger.identity(facts), "2026-11-22T10:00:00Z", 1.0)
        for entry in entries
        if entry.id.startswith(only)
    }
    ledger.write(root, device, Ledger({ledger.identity(facts): facts}, rows))


@pytest.fixture
def site(book: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(book)
    for name, text in PAGES.items():
        path = book / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (book / "mkdocs.yml").write_text(CONFIG, "utf-8")
    (book / "mgk_docs_src" / "shared.py").write_text(SHARED, "utf-8")
    (book / "conftest.py").touch()
    (book / "benchmarks" / "results").mkdir(parents=True)
    (book / "benchmarks" / "results" / "devices-cpu.md").write_text("CPU에서 잰 표\n", "utf-8")
    certify(book, "cpu", CPU)
    return book


def made(site: Path, name: str) -> BeautifulSoup:
    build(load_config(str(site / "mkdocs.yml")))
    return BeautifulSoup((site / "site" / name / "index.html").read_text("utf-8"), "html.parser").article


def lines(page: BeautifulSoup) -> list[str]:
    return [line.get_text() for line in page.select(".certificate")]


def test_each_example_has_a_line_under_its_output(site: Path) -> None:
    certify(site, "cuda", GPU)
    page = made(site, "")
    names = [evidence.example("index.md", text, Sources(site)).id.partition("#")[2] for text in (ONE, TWO)]
    proven = "✓ CPU · torch 2.13.0 · 2026-11-22 · ✓ GPU X · torch 2.13.0 · 2026-11-22 · #"
    assert lines(page) == [f"{proven}{names[0]} · 내 컴퓨터에서 돌리기", proven + names[1]]
    first, second = page.select(".certificate")
    assert first.find_previous_sibling().select_one(".filename").text == "출력"
    assert second.find_previous_sibling().get_text().startswith("import mgk_docs_src.lonely")
    assert [link["href"] for link in first.select("a")] == ["certificates/#check", "install/"]
    assert not page.select(".never-run")


def test_a_device_that_never_ran_is_named_once_at_the_foot_of_the_page(site: Path) -> None:
    page = made(site, "")
    assert not [line for line in lines(page) if "CUDA" in line]
    (foot,) = page.select(".never-run")
    assert foot.get_text() == "CUDA에서 돌린 기록은 아직 없다 · 인증"
    assert foot.a["href"] == "certificates/"
    assert foot == page.select("p")[-1]
    assert not made(site, "members/a").select(".never-run")  # 돌릴 것이 없는 페이지
    ledger.write(site, "cpu", Ledger({}, {}))
    page = made(site, "part/shared")
    assert page.select_one(".never-run").get_text().startswith("CPU, CUDA에서 돌린")
    # 블록 하나라도 돌린 장치는 블록마다 말한다.
    certify(site, "cuda", GPU, only="index.md#")
    assert lines(made(site, "part/shared")) == ["CUDA 기록 없음"]


def test_a_stale_row_and_a_missing_one_say_so(site: Path) -> None:
    certify(site, "cuda", GPU, only="index.md#")
    (site / "mgk_docs_src" / "lonely.py").write_text("X = 2\n")
    kept, stale = lines(made(site, ""))
    assert kept.startswith("✓ CPU · torch 2.13.0 · 2026-11-22 · ✓ GPU X")
    assert stale.startswith("△ CPU 낡음(2026-11-22 뒤에 코드가 바뀌었다) · △ GPU X 낡음")
    assert lines(made(site, "part/shared")) == ["✓ CPU · torch 2.13.0 · 2026-11-22 · CUDA 기록 없음"]


def test_listings_are_not_examples_and_classes_are_not_functions(site: Path) -> None:
    page = made(site, "part/shared")
    assert len(page.select(".language-python.highlight, .mkdocstrings-source")) >= 2
    (line,) = page.select(".certificate")
    assert line.find_previous_sibling()["id"] == "mgk_docs_src.shared.area"


def test_totals_count_each_once(site: Path) -> None:
    (site / "mgk_docs_src" / "lonely.py").write_text("X = 2\n")
    page = made(site, "certificates")
    cells = [[cell.get_text() for cell in row.select("td")] for row in page.select("tbody tr")]
    assert cells == [
        ["예제 블록", "1 / 3 (낡음 1)", "0 / 3"],
        ["공개 함수", "1 / 1", "0 / 1"],
        ["모두", "2 / 4 (낡음 1)", "0 / 4"],
        ["처음", "1 / 2 (낡음 1)", "0 / 2"],
        ["함수", "1 / 1", "0 / 1"],
        ["하나", "0 / 1", "0 / 1"],
        ["CPU", "torch 2.13.0, system <리눅스>", "3"],
        ["CUDA", "이 장치에서는 아직 돌린 적이 없다", "0"],
    ]
    assert page.select_one("tbody a[href='../part/shared/']")
    assert "CPU에서 잰 표" in page.get_text()
    assert "CUDA에서는 아직 재지 못했다" in page.get_text()


def test_a_session_counts_what_it_links_to_and_shows_the_photos_there_are(site: Path) -> None:
    page = made(site, "sessions/one")
    cells = [[cell.get_text() for cell in row.select("td")] for row in page.select("tbody tr")]
    assert cells == [["예제 블록", "0 / 1", "0 / 1"], ["공개 함수", "1 / 1", "0 / 1"], ["모두", "1 / 2", "0 / 2"]]
    (photo,) = page.select("img")
    assert (photo["alt"], "assets/certifications" in photo["src"]) == ("모임", True)
    assert "시간: 없는 것.JPG. 사진 파일은 남은 자료에 없다." in page.get_text()


def test_labs_show_their_times_and_one_line(site: Path) -> None:
    cell = SimpleNamespace(cell_type="code", source="from mgk_docs_src.deep import SIDE")
    lab = execution.Lab("labs/a", SimpleNamespace(cells=[cell]), Path())
    page = SimpleNamespace(file=SimpleNamespace(lab=lab), url="labs/a/", title="실습 <가>", meta={})
    other = SimpleNamespace(file=SimpleNamespace(), url="b/", title="나", meta={"certificates": []})

    def shown() -> tuple[str, str]:
        books = totals.open_books(site)
        content, page.meta["certificates"] = certificates.certified("<p>칸</p>", page, books)
        return content, totals.labs([other, page], page, books)

    content, table = shown()
    assert content == (
        '<p>칸</p><p class="certificate" data-search-exclude>CPU 기록 없음 · '
        '<a href="../../install/">내 컴퓨터에서 돌리기</a></p>\n'
        '<p class="never-run" data-search-exclude>CUDA에서 돌린 기록은 아직 없다 · '
        '<a href="../../certificates/">인증</a></p>'
    )
    assert "<td>기록 없음</td><td>기록 없음</td><td>–</td>" in table
    sources = Sources(site)
    entry = evidence.lab(lab, sources)
    for device, facts, seconds in [("cpu", CPU, 60.0), ("cuda", GPU, 12.0)]:
        proof = Row(sources.key(entry), ledger.identity(facts), "2026-11-22T10:00:00Z", seconds)
        ledger.write(site, device, Ledger({ledger.identity(facts): facts}, {entry.id: proof}))
    content, table = shown()
    assert "✓ CPU · torch 2.13.0" in content
    assert "실습 &lt;가&gt;</a></td><td>60초</td><td>12초</td><td>5.0</td>" in table
    books = totals.open_books(site)
    assert "<td>실습</td><td>1 / 1</td><td>1 / 1</td>" in totals.totals(page.meta["certificates"], books)


def test_a_ledger_that_cannot_be_believed_stops_the_build(site: Path) -> None:
    path = ledger.path(site, "cpu")
    path.write_text(
        path.read_text().replace(ledger.identity(CPU), "00000000").replace("00000000", ledger.identity(CPU), 1)
    )
    with pytest.raises(BookError, match=r"cpu\.json:6: index\.md#.*기계 00000000이 machines에 없다"):
        totals.open_books(site)
