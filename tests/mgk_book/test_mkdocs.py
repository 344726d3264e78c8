"""mgk_book/mkdocs.py: 작은 책 한 권을 진짜 설정으로 만든다. 어느 폴더에서, 어떤 주소로 만들어도 같다."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mgk_book.laid import FRONT, ROOT, build, lay, soup


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """빈칸과 한글이 든 폴더의 책을 다른 폴더에서 만든 것."""
    root = lay(tmp_path_factory.mktemp("책 폴더") / "내 책")
    build(root, "--strict", where=tmp_path_factory.mktemp("다른 곳"))
    return root


def test_a_page_is_drawn_with_what_was_made_for_it(site: Path) -> None:
    page = soup(site, "part/page/index.html")
    assert (page.img["width"], page.img["height"]) == ("4", "8")
    assert [path.name for path in (site / "site" / "part" / "figures").iterdir()] == [
        "square.svg"
    ]  # 장면은 페이지에 있다
    assert page.find("a", string="big_area")["href"].endswith("#mgk_docs_src.shared.big_area")
    assert [line.get_text().partition(" · ")[2] for line in page.select(".never-run")] == ["인증"]
    assert page.find("a", download="")["href"] == "../page.ipynb"
    assert json.loads((site / "site" / "part" / "page.ipynb").read_text("utf-8"))["cells"]
    assert page.select_one("details.listing math")
    assert soup(site, "certificates/index.html").select("table td")


def test_a_lab_is_a_page_like_any_other(site: Path) -> None:
    page = soup(site, "labs/deep/index.html")
    ids = [tag["id"] for tag in page.select("article :is(h1, h2)") if tag.has_attr("id")]
    assert ids == ["실습-깊이", "in-english", "한글-제목"]
    assert page.select_one(".admonition.note p.admonition-title").get_text() == "알림"
    assert page.find("a", string="첫 페이지")["href"] in ("../..", "../../")
    assert page.select_one("math mstyle").get_text() == "x<y"
    assert page.select_one(".jp-OutputArea-output pre").get_text() == "3\n"
    assert page.select_one(".language-python pre code").get_text().startswith("from mgk_docs_src.shared")
    assert not page.select("div.jupyter-wrapper, clipboard-copy")
    assert page.find("meta", attrs={"name": "description"})["content"].startswith("첫 문단은")
    picture = page.find("img", alt="네모")
    assert (site / "site" / "labs" / "deep" / picture["src"]).is_file()
    taken = json.loads((site / "site" / "labs" / "deep" / page.find("a", download="")["href"]).read_text("utf-8"))
    assert "".join(taken["cells"][0]["source"]).startswith("# 실습: 깊이")
    assert taken["cells"][1]["outputs"][0]["text"] == ["3\n"]
    assert page.select(".certificate, .never-run")[-1].find_previous_sibling()


def test_the_search_knows_korean_and_every_place_once(site: Path) -> None:
    index = json.loads((site / "site" / "search" / "search_index.json").read_text("utf-8"))
    places = [entry["location"] for entry in index["docs"]]
    assert "labs/deep/#한글-제목" in places
    assert len(places) == len(set(places))
    (worker,) = (site / "site" / "assets" / "javascripts" / "workers").glob("search.*.min.js")
    assert worker.read_text("utf-8").startswith('const aliases = [["logit", "로짓"]];\n')


def test_one_stylesheet_in_the_order_of_the_theme(site: Path) -> None:
    for page in ("index.html", "part/page/index.html", "404.html"):
        (link,) = soup(site, page).select("link[rel=stylesheet]")
        assert link["href"].endswith("assets/stylesheets/all.css")
    css = (site / "site" / "assets" / "stylesheets" / "all.css").read_text("utf-8")
    assert (
        css.index(".md-grid") < css.index("data-md-color-scheme=slate") < css.index("doc-symbol") < css.index('"Math"')
    )
    assert "md-color-switching" not in css
    assert "sourceMappingURL" not in css


def test_only_the_english_page_is_english_and_the_book_does_not_end_there(site: Path) -> None:
    page, korean = soup(site, "en/index.html"), soup(site, "part/index.html")
    assert (page.html["lang"], korean.html["lang"]) == ("en", "ko")
    assert (page.title.get_text(), korean.title.get_text()) == ("Title - Summer Mogakco", "주제 - 테스트")
    names = [label["title"] for label in page.select("label[for^=__palette_]")]
    assert names == ["Switch to dark mode", "Switch to light mode"]
    english, own = (
        [link.get_text().strip() for link in each.select(".md-nav--primary .md-ellipsis")] for each in (page, korean)
    )
    assert not re.search("[가-힣]", " ".join(english))
    assert {"Title", "Labs", "Lab", "English"} < {*english}
    assert {"책머리", "주제", "장", "실습", "실습: 깊이", "English"} < {*own}
    last = soup(site, "reference/glossary/index.html")
    assert last.select_one(".md-footer__link--prev")
    assert not last.select_one(".md-footer__link--next")


def test_old_addresses_lead_to_the_sessions_and_missing_pages_count_from_where_they_are(site: Path) -> None:
    for old in ("2024_하계모각코.html", "2024_하계모각코/index.html"):
        target = soup(site, f"2024_code/mgk/{old}").a["href"]
        assert (site / "site" / "2024_code" / "mgk" / old).parent.joinpath(
            target
        ).resolve() == site / "site" / "sessions"
    assert soup(site, "404.html").select_one("link[rel=stylesheet]")["href"].startswith("./assets/")


def test_sources_are_not_published(site: Path) -> None:
    assert not [path for path in (site / "site").rglob("*") if path.suffix in (".py", ".yml")]


def test_addresses_may_be_files_and_the_repository_known(tmp_path: Path) -> None:
    root = lay(tmp_path, use_directory_urls=False, site_url="https://team.example/book/")
    build(root, "--strict", GITHUB_REPOSITORY="team/book")
    page = soup(root, "part/page.html")
    assert page.find("a", download="")["href"] == "page.ipynb"
    assert (root / "site" / "part" / soup(root, "part/page.html").img["src"]).is_file()
    assert page.select_one("a[rel=edit]")["href"] == "https://github.com/team/book/edit/main/docs/part/page.md"
    assert not page.select("[data-md-component=source]")  # 이것이 있으면 테마가 GitHub에 별의 수를 묻는다
    lab = soup(root, "labs/deep.html")
    assert lab.select_one("a[rel=edit]")["href"].endswith("/docs/labs/deep.py")
    assert (root / "site" / "labs" / lab.find("img", alt="네모")["src"]).is_file()
    assert (root / "site" / "labs" / lab.find("a", download="")["href"]).is_file()
    assert {link["hreflang"] for link in soup(root, "index.html").head.select("link[hreflang]")} == {"ko", "en"}
    assert soup(root, "404.html").select_one("link[rel=stylesheet]")["href"].startswith("/book/assets/")


def test_a_shell_that_knows_no_korean_builds_the_same_site(site: Path, tmp_path: Path) -> None:
    root = lay(tmp_path)
    build(root, "--strict", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    files = [
        {path.relative_to(each).as_posix() for path in each.rglob("*.*")} for each in (site / "site", root / "site")
    ]
    assert files[0] == files[1]
    page = "part/page/index.html"
    assert (root / "site" / page).read_text("utf-8") == (site / "site" / page).read_text("utf-8")


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    root = lay(tmp_path)
    (root / "docs" / "part" / "page.md").write_text(FRONT.format("장", "level: 쉬움\n"), "utf-8")
    with pytest.raises(RuntimeError) as raised:
        build(root)
    assert "part/page.md: level: '쉬움'. 입문, 중급, 심화 가운데 하나로 적는다" in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_a_book_of_another_clone_is_not_built_with_this_press(tmp_path: Path) -> None:
    root = lay(tmp_path)
    shutil.copytree(ROOT / "mgk_book", root / "mgk_book")
    command = [sys.executable, "-m", "mkdocs", "build", "-f", str(root / "mkdocs.yml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode
    assert f"책은 {root}에 있는데 설치된 mgk_book은 {ROOT}에 있다" in done.stderr
