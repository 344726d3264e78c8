"""hooks/english.py: 한국어 페이지의 영어 요약과, 영어 책머리."""

import re
from pathlib import Path
from posixpath import normpath
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, PluginError
from mkdocs.structure.files import File

from hooks import english
from hooks.english import English, read

ROOT = Path(__file__).parents[2]
CONFIG = f"""
site_name: 책
strict: true
theme:
  name: material
  custom_dir: {ROOT}/overrides/theme
  language: ko
  font: false
  palette:
    - {{ scheme: default, toggle: {{ icon: material/weather-night, name: 어둡게 }} }}
    - {{ scheme: slate, toggle: {{ icon: material/weather-sunny, name: 밝게 }} }}
extra: {{ generator: false, alternate: true }}
hooks: [{ROOT}/hooks/english.py]
plugins: [search]
markdown_extensions: [attr_list]
nav:
  - 책머리: index.md
  - 주제: [part/index.md, part/page.md]
  - 실습: [labs/one.md]
  - English: en/index.md
"""
FRONT = "---\nenglish: {{ title: '{}', summary: '{}' }}\n---\n\n"
PAGES = {
    "index.md": FRONT.format("Front page", "Where to begin.") + "# 책\n\n## 출처 { #sources }\n",
    "part/index.md": FRONT.format("Subject", "What & why.") + "# 주제\n",
    "part/page.md": FRONT.format("Page", "It measures 1 < 2.")
    + "# 장\n\n## 목표 { #goal }\n\n## 구현 { #implementation }\n",
    "labs/one.md": FRONT.format("Lab: one", "Runs.") + "# 실습\n",
    "en/index.md": f"---\ntitle: Title\n---\n\n# Title\n\nRead.\n\n{english.PLACE}\n\n"
    '<p class="certificate">CPU 기록 없음 · <a href="../install/">내 컴퓨터에서 돌리기</a></p>\n\n'
    '<p class="never-run">CUDA에서 돌린 기록은 아직 없다 · <a href="../certificates/">인증</a></p>\n',
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "mkdocs.yml").write_text(CONFIG, "utf-8")
    for name, text in PAGES.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(text, "utf-8")
    return tmp_path


def built(site: Path, **settings: object) -> Path:
    build(load_config(str(site / "mkdocs.yml"), site_dir=str(site / "site"), **settings))
    return site / "site"


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def links(tag: BeautifulSoup) -> dict[str, str]:
    return {link.get_text().strip(): link["href"] for link in tag.select("a")}


def test_a_page_says_what_it_is_and_leads_to_its_sections_and_to_the_front_page(site: Path) -> None:
    article = soup(built(site) / "part" / "page" / "index.html").article
    (details,) = article.select("h1 + details.english")
    assert details["lang"] == "en"
    assert details.select_one("h2#in-english").get_text() == "Page"
    assert details.p.get_text() == "It measures 1 < 2."
    assert links(details) == {"Goal": "#goal", "Implementation": "#implementation", "The book in English": "../../en/"}


def test_a_page_without_the_standard_sections_has_no_empty_list(site: Path) -> None:
    assert links(soup(built(site) / "part" / "index.html").details) == {"The book in English": "../en/"}
    assert not soup(built(site) / "part" / "index.html").details.ul


def test_the_front_page_lists_every_page(site: Path) -> None:
    page = soup(built(site) / "en" / "index.html")
    shelf = page.article.find(attrs={"data-search-exclude": True})
    assert links(shelf) == {
        "Front page": "../#in-english",
        "Subject": "../part/#in-english",
        "Page": "../part/page/#in-english",
        "Lab: one": "../labs/one/#in-english",
    }
    assert [title.get_text() for title in shelf.select("h3")] == ["Front page", "Subject", "Labs"]
    assert [text.get_text() for text in shelf.select("p, dd")] == [
        "Where to begin.", "What & why.", "It measures 1 < 2.", "Runs.",
    ]  # fmt: skip
    assert not page.select("details.english")


def test_only_the_front_page_is_english(site: Path) -> None:
    made = built(site)
    page, korean = soup(made / "en" / "index.html"), soup(made / "part" / "index.html")
    assert (page.html["lang"], korean.html["lang"]) == ("en", "ko")
    assert page.title.get_text() == "Title - Summer Mogakco"
    assert korean.title.get_text() == "주제 - 책"
    assert [label["title"] for label in page.select("label[for^=__palette_]")] == [*english.TOGGLES]
    assert [label["title"] for label in korean.select("label[for^=__palette_]")] == ["어둡게", "밝게"]
    names = [
        [link.get_text().strip() for link in one.select(".md-nav--primary .md-ellipsis")] for one in (page, korean)
    ]
    assert names[0] == ["Front page", "Subject", "Subject", "Page", "Labs", "Lab: one", "English"]
    assert names[1] == ["책머리", "주제", "주제", "장", "실습", "실습", "English"]
    assert page.select_one(".md-nav--primary .md-nav__link--active .md-ellipsis").get_text().strip() == "English"
    (line,), (foot,) = page.article.select(".certificate"), page.article.select(".never-run")
    assert line.get_text() == "CPU: no record · Run it yourself"
    assert line.a["href"] == "#install"
    assert foot.get_text() == "CUDA: no run on record yet · Certificates"


@pytest.mark.parametrize(
    ("path", "korean", "other"),
    [("index.html", ".", "en"), ("part/page/index.html", "../..", "../../en"), ("404.html", "/", "/en")],
)
def test_every_page_offers_both_languages(path: str, korean: str, other: str, site: Path) -> None:
    found = {link["hreflang"]: normpath(link["href"]) for link in soup(built(site) / path).select(".md-select__link")}
    assert found == {"ko": korean, "en": other}


def test_the_course_does_not_end_in_the_english_front_page(site: Path) -> None:
    (site / "mkdocs.yml").write_text(
        CONFIG.replace("  font: false", "  font: false\n  features: [navigation.footer]"), "utf-8"
    )
    made = built(site)
    last = BeautifulSoup((made / "labs/one/index.html").read_text("utf-8"), "html.parser")
    assert last.select_one(".md-footer__link--prev")
    assert not last.select_one(".md-footer__link--next")


def test_the_other_language_is_told_to_machines_when_the_address_is_known(site: Path) -> None:
    def told(made: Path) -> dict[str, list[tuple[str, str]]]:
        return {
            name: [(link["hreflang"], link["href"]) for link in soup(made / name).head.select("link[hreflang]")]
            for name in ("index.html", "en/index.html", "part/index.html", "404.html")
        }

    assert not any(told(built(site)).values())
    both = [("ko", "https://s.example/b/"), ("en", "https://s.example/b/en/")]
    found = told(built(site, site_url="https://s.example/b/"))
    assert [found["index.html"], found["en/index.html"]] == [both, both]
    assert not found["part/index.html"] + found["404.html"]


@pytest.mark.parametrize(
    "front",
    [
        "",
        "---\nenglish: Title\n---\n",
        "---\nenglish: { title: Title }\n---\n",
        "---\nenglish: { title: Title, summary: Words., sumary: x }\n---\n",
        "---\nenglish: { title: ' ', summary: Words. }\n---\n",
        "---\nenglish: { title: Title, summary: 7 }\n---\n",
        f"---\nenglish: {{ title: Title, summary: {'x' * 241} }}\n---\n",
    ],
)
def test_a_page_without_its_english_stops_the_build(front: str, site: Path, caplog: pytest.LogCaptureFixture) -> None:
    (site / "docs" / "part" / "page.md").write_text(f"{front}\n# 장\n", "utf-8")
    with pytest.raises(Abort):
        built(site)
    assert re.search(r"part/page\.md: .*english", caplog.text)


def test_a_page_without_a_title_stops_the_build(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    (site / "docs" / "part" / "page.md").write_text(FRONT.format("Page", "Words.") + "글\n", "utf-8")
    with pytest.raises(Abort):
        built(site)
    assert "part/page.md: 영어 요약을 달 제목(#)이 없다" in caplog.text


def test_a_folder_without_a_first_page_needs_a_name(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    (site / "mkdocs.yml").write_text(CONFIG.replace("실습:", "실험:"), "utf-8")
    with pytest.raises(Abort):
        built(site)
    assert "실험: 첫 페이지가 없는 묶음" in caplog.text


def test_a_lab_keeps_its_english_in_the_head_of_the_notebook(config: SimpleNamespace) -> None:
    file = File.generated(config, "labs/gan.ipynb", content="")
    file.lab = SimpleNamespace(notebook=SimpleNamespace(metadata={"english": {"title": "Lab", "summary": "Words."}}))
    assert read(file) == English("Lab", "Words.")
    file.lab.notebook.metadata = {}
    with pytest.raises(PluginError, match=r"labs/gan\.ipynb"):
        read(file)
