"""모든 페이지에서: 남에게 묻지 않고, 가볍고, 깨진 것이 없다."""

import gzip
import json
import re

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Page

from tests.site.conftest import ROOT, SITE, Visit, arrive, built_pages, soup_of

TEXT_PAGE_LIMIT = 300_000
LAB_PAGE_LIMIT = 80_000


def test_the_site_has_its_pages() -> None:
    for path in (
        "",
        "losses/binary",
        "losses/categorical",
        "sessions/session-2",
        "members/useok",
        "reference/notation",
    ):
        assert (SITE / path / "index.html").is_file(), path


def test_it_asks_no_other_host_and_stays_light(path: str, on_desk: Visit, url: str) -> None:
    assert not on_desk.errors
    assert not [response.url for response in on_desk.responses if response.status >= 400]
    assert not [response.url for response in on_desk.responses if not response.url.startswith(url)]
    # 페이지의 글과, 끝까지 읽으면 오는 그림들. 크기는 GitHub Pages가 보내는 것이다.
    own = {
        response.url: len(gzip.compress(response.body()))
        for response in on_desk.responses
        if "/assets/" not in response.url and "/search/" not in response.url
    }
    assert own
    assert sum(own.values()) <= TEXT_PAGE_LIMIT, own


@pytest.mark.parametrize("lab", [path for path in built_pages() if path.startswith("labs/")])
def test_a_lab_page_is_light_beside_its_pictures(lab: str) -> None:
    html = (SITE / lab / "index.html").read_text("utf-8")
    article = html[html.index("<article") :]
    own = article[: article.index("</article>")]  # 차례와 메뉴의 무게는 실습이 아니라 책의 크기를 따른다
    assert len(re.sub(r"base64,[^\"]*", "", own).encode()) <= LAB_PAGE_LIMIT
    assert "<style" not in article


def test_each_example_listing_and_lab_says_where_it_ran(path: str) -> None:
    article = soup_of(path).article
    lines = [line.get_text() for line in article.select(".certificate")]
    if path.startswith("labs/"):
        assert len(lines) == 1
    else:
        blocks = article.select("div.language-python.highlight")
        examples = [
            block for block in blocks if not block.find_parent("details", class_=["listing", "mkdocstrings-source"])
        ]
        functions = [name for name in article.select(".doc-heading") if name.find_next_sibling(class_="certificate")]
        assert len(lines) == len(examples) + len(functions)
        assert not article.select(".mkdocstrings-source .certificate")
    assert all(line.startswith("✓ CPU · torch ") for line in lines), lines


def test_a_device_that_never_ran_is_named_once_on_a_page(path: str) -> None:
    article = soup_of(path).article
    never = [device for device in ("cpu", "cuda") if not ledger_rows(device)]
    lines, feet = article.select(".certificate"), article.select(".never-run")
    assert len(feet) == bool(lines and never)
    for device in never:
        assert feet == [] or device.upper() in feet[0].get_text()
        assert not [line for line in lines if device.upper() in line.get_text()]
    # 첫 예제와 실습은 돌리는 법을 가리킨다.
    examples = [line for line in lines if line.find("a", string=re.compile("^#")) or path.startswith("labs/")]
    leads = [bool(line.select('a[href$="install/"], a[href="#install"]')) for line in lines]
    assert leads.count(True) == bool(examples)
    assert not examples or examples[0].select('a[href$="install/"], a[href="#install"]')


def ledger_rows(device: str) -> dict[str, object]:
    found = ROOT / "certificates" / f"{device}.json"
    return json.loads(found.read_text("utf-8"))["rows"] if found.is_file() else {}


def test_the_totals_are_filled_in() -> None:
    pages = ["certificates", *(f"sessions/session-{number}" for number in range(1, 7))]
    for path in pages:
        article = soup_of(path).article
        assert "<!-- certificates:" not in str(article)
        (total,) = [row for row in article.select("tr") if row.find(["th", "td"]).get_text() == "모두"]
        certified, every = total.select("td")[1].get_text().split(" / ")
        assert certified == every != "0"
    # 실행 기록의 모든 행이 합계에 든다.
    rows = json.loads((ROOT / "certificates" / "cpu.json").read_text("utf-8"))["rows"]
    (total,) = [
        row for row in soup_of("certificates").article.select("tr") if row.find("td") and row.td.get_text() == "모두"
    ]
    assert total.select("td")[1].get_text() == f"{len(rows)} / {len(rows)}"


def test_ids_are_unique_and_not_empty(path: str) -> None:
    ids = [tag["id"] for tag in soup_of(path).find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert all(ids)


def test_title_and_description_are_its_own(path: str) -> None:
    soup = soup_of(path)
    assert soup.title.get_text().strip()
    assert soup.find("meta", attrs={"name": "description"})["content"]
    assert soup.html["lang"] == ("en" if path.startswith("en/") else "ko")


def test_no_formula_is_left_as_latex(path: str) -> None:
    article = soup_of(path).article
    assert not article.select(".arithmatex:not(:is(code, pre) *)")
    assert not [text for text in article.find_all(string=re.compile(r"\$")) if not text.find_parent(["code", "pre"])]


def test_everything_is_there_without_javascript(path: str, without_scripts: Page) -> None:
    page = without_scripts
    for kind in ("h1", ":is(p, table, dl):not(details *)"):  # 접어 둔 영어 요약은 펼쳐야 보인다
        assert page.locator(f"article {kind}").first.is_visible()
    for image in page.locator("article img").all():
        folded = image.locator("xpath=ancestor::details[not(@open)]/summary")
        if folded.count():  # 접어 둔 그림: 스크립트 없이도 제목을 누르면 펼쳐진다
            folded.click()
        if not image.is_visible():  # 탭 뒤의 그림: 스크립트 없이도 이름표를 누르면 보인다
            scene = image.evaluate(
                "e => [...e.closest('.tabbed-content').children].indexOf(e.closest('.tabbed-block'))"
            )
            page.locator(".tabbed-labels > label").nth(scene).click()
        image.scroll_into_view_if_needed()
        assert image.bounding_box()["height"] > 50
    for math in page.locator("article math:visible").all()[:20]:
        assert math.bounding_box()["width"] > 2


def test_a_phone_needs_no_sideways_scrolling(path: str, on_phone: Visit) -> None:
    """전화기의 촘촘한 화면에서. 글자의 너비가 성긴 화면과 조금 다르다."""
    screen = on_phone.page.context.new_cdp_session(on_phone.page)
    size = {"width": 390, "height": 844, "mobile": False}
    screen.send("Emulation.setDeviceMetricsOverride", size | {"deviceScaleFactor": 2})
    dense = on_phone.page.evaluate("[devicePixelRatio, document.documentElement.scrollWidth]")
    screen.send("Emulation.setDeviceMetricsOverride", size | {"height": 900, "deviceScaleFactor": 1})
    screen.detach()
    assert dense[0] == 2
    assert dense[1] <= 390


def test_search_locations_are_unique() -> None:
    index = json.loads((SITE / "search" / "search_index.json").read_text("utf-8"))
    locations = [entry["location"] for entry in index["docs"]]
    assert len(locations) == len(set(locations))


def test_the_search_index_reads_formulas_in_one_line_and_leaves_code_out() -> None:
    index = json.loads((SITE / "search" / "search_index.json").read_text("utf-8"))
    entries = {entry["location"]: entry for entry in index["docs"]}
    assert "로그 오즈(log-odds)다" in (text := entries["losses/binary/#logits"]["text"])
    assert "z = log p/(1 − p) ⟺ p = σ(z) = 1/(1 + e^(−z))" in text
    assert entries["energy/models/#without-z"]["title"] == "Z는 밀도의 값을 알아야 할 때만 필요하다"
    for entry in index["docs"]:
        words = BeautifulSoup(entry["text"], "html.parser")
        for code in words.select("code"):
            assert "\n" not in code.get_text(), entry["location"]
            code.decompose()
        assert not re.search(r"\\[a-z]{2,}|\\[()\[\]]", words.get_text()), entry["location"]
        assert not entry["text"].startswith("In English"), entry["location"]
        assert "import torch" not in words.get_text(), entry["location"]


@pytest.mark.parametrize("query", ["교차 엔트로피", "로짓", "BCE", "라벨 평활화"])
def test_search_finds_a_chapter(query: str, page: Page, url: str) -> None:
    arrive(page, url)
    page.keyboard.press("/")
    page.keyboard.insert_text(query)
    page.keyboard.press("End")  # 테스트의 입력기는 한글에 keyup을 내지 않는데, 테마는 keyup을 듣는다
    page.wait_for_selector(".md-search-result__link")
    assert "/losses/" in page.locator(".md-search-result__link").first.get_attribute("href")
