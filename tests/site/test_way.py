"""길 찾기: 옛 주소와 없는 주소, 피드와 글 모음, 읽는 시간, 용어의 풀이, torch의 설명서, 다음 장."""

import re
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.site.conftest import SITE, arrive, soup_of

OLD = "2024_code/mgk/2024_하계모각코"
CHAPTER = "losses/binary/"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("ending", ["", "/", ".html"])
@pytest.mark.parametrize("script", [True, False])
def test_the_posts_old_address_leads_to_the_sessions(ending: str, script: bool, browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    page.goto(url + OLD + ending)
    page.wait_for_url(url + "sessions/")
    assert page.locator("h1").inner_text().startswith("회차")
    context.close()


@pytest.mark.parametrize("missing", ["nope", "losses/nope/", "a/b/c/d.html"])
def test_a_missing_page_finds_its_way_home(missing: str, page: Page, url: str) -> None:
    assert page.goto(url + missing).status == 404
    page.wait_for_url(url + "404.html")
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() == "없는 페이지"
    assert page.evaluate("getComputedStyle(document.querySelector('.md-header')).position") == "sticky"
    links = [link.get_attribute("href") for link in page.locator("article a:not(.headerlink)").all()]
    assert len(links) >= 5
    for link in links:
        assert page.request.get(urljoin(page.url, link)).status == 200, link
    page.keyboard.press("/")
    page.keyboard.insert_text("로짓")
    page.keyboard.press("End")
    page.wait_for_selector(".md-search-result__link")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_missing_page_and_a_shown_term_are_accessible(scheme: str, width: int, browser: Browser, url: str) -> None:
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    for path in ("404.html", CHAPTER):
        arrive(page, url + path)
        if path == CHAPTER:
            page.locator("article abbr").first.focus()
        violations = Axe().run(page).response["violations"]
        assert not {rule["id"]: [node["target"][0] for node in rule["nodes"][:3]] for rule in violations}
    context.close()


def test_every_page_tells_of_the_feed(path: str) -> None:
    feed = soup_of(path).find("link", type="application/rss+xml")
    assert (SITE / path / feed["href"]).resolve() == SITE / "feed.xml"


def test_the_feed_leads_to_the_sessions() -> None:
    items = ET.parse(SITE / "feed.xml").findall("channel/item")
    assert len(items) == 6
    for item in items:
        assert (SITE / item.findtext("guid") / "index.html").is_file()


def test_the_archive_has_every_session_by_date_and_by_author() -> None:
    dates, authors, posts = soup_of("sessions/archive").article.select("table")
    assert [row.td.get_text() for row in dates.select("tr")[1:]] == sorted(
        row.td.get_text() for row in dates.select("tr")[1:]
    )
    assert len(dates.select("tr")) == 7
    counts = {row.td.get_text(): len(row.select("td")[1].select("a")) for row in authors.select("tr")[1:]}
    assert counts == {"준혁": 1, "세준": 1, "우석": 1, "채연": 5}
    assert len(posts.select("tr")) == 3


def test_each_member_leads_to_the_sessions_and_posts_that_are_theirs() -> None:
    of = {"준혁": "junhyeok", "세준": "sejun", "우석": "useok", "채연": "chaeyeon"}
    _, authors, _ = soup_of("sessions/archive").article.select("table")
    for row in authors.select("tr")[1:]:
        wanted = {link["href"].rstrip("/").rpartition("/")[2] for link in row.select("td")[1].select("a")}
        article = soup_of(f"members/{of[row.td.get_text()]}").article
        links = [link["href"] for link in article.select("#posts ~ ul a, #posts ~ p a")]
        assert {href.rstrip("/").rpartition("/")[2] for href in links if "/session-" in href} == wanted
        assert [href for href in links if href.startswith("https://") or "/archive/#posts" in href]


def test_chapters_and_labs_tell_how_long_and_how_hard(path: str) -> None:
    article = soup_of(path).article
    lines = [line.get_text() for line in article.select("h1 + .reading")]
    folder = path.partition("/")[0]
    source = ROOT / "docs" / f"{path.removesuffix('/')}.{'py' if folder == 'labs' else 'md'}"
    if source.is_file() and folder in {"losses", "transport", "diffusion", "energy", "contrastive", "labs"}:
        (line,) = lines
        assert re.fullmatch(r"읽는 데 약 [1-9]\d?분 · 수준 (입문|중급|심화)", line)
        (link,) = article.select(".reading a")
        assert (SITE / path / link["href"].partition("#")[0]).resolve() == SITE
        assert soup_of("").find(id="levels")
    else:
        assert not article.select(".reading")


def test_terms_are_explained_once_and_not_where_they_must_not(path: str) -> None:
    article = soup_of(path).article
    terms = [term.get_text(" ").split() for term in article.select("abbr[title]")]
    assert len(terms) == len({" ".join(term) for term in terms}) <= 30
    assert not article.select(":is(h1, h2, h3, h4, a, code, pre, math, th, svg) abbr, abbr :is(a, code)")
    if path in (CHAPTER, "energy/samplers/", "sessions/session-2/"):
        assert len(terms) >= 5
    if path.startswith(("labs/", "reference/")):
        assert not terms


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("script", [True, False])
def test_a_term_is_read_by_touch_and_by_keyboard(width: int, script: bool, browser: Browser, url: str) -> None:
    phone = width == 390
    context = browser.new_context(viewport={"width": width, "height": 844}, has_touch=phone, java_script_enabled=script)
    page = context.new_page()
    arrive(page, url + CHAPTER)
    term = page.locator("article abbr").nth(2)
    term.scroll_into_view_if_needed()
    content = "e => getComputedStyle(e, '::after').content"
    assert term.evaluate(content) == "none"
    if phone:
        term.tap()
    else:
        page.locator("article abbr").nth(1).focus()
        page.keyboard.press("Tab")
        while not term.evaluate("e => e === document.activeElement"):
            page.keyboard.press("Tab")
    assert term.evaluate(content).strip('"') == term.get_attribute("title")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_torchs_names_lead_to_torchs_documentation() -> None:
    article = soup_of(CHAPTER).article
    links = {link.code.get_text(): link["href"] for link in article.select('a[href^="https://docs.pytorch.org/"]')}
    assert links["torch.nn.BCEWithLogitsLoss"].endswith(
        "/generated/torch.nn.BCEWithLogitsLoss.html#torch.nn.BCEWithLogitsLoss"
    )
    assert links["BCELoss"].endswith("/generated/torch.nn.BCELoss.html#torch.nn.BCELoss")
    assert not article.select("pre a[href*='pytorch']")


def test_the_books_own_names_lead_to_their_descriptions() -> None:
    links = soup_of("energy/training/").article.select("p a.autorefs, li a.autorefs, td a.autorefs")
    leads = {link.get_text(): link["href"] for link in links if link.code}
    assert leads["bce_with_logits"] == "../../losses/binary/#mgk_docs_src.losses.binary.bce_with_logits"
    assert leads["langevin_step"] == "../samplers/#mgk_docs_src.energy.samplers.langevin_step"
    assert soup_of("reference/notation").article.select('td a[href$="#mgk_docs_src.losses.binary.kl_divergence"]')


def test_every_name_of_a_function_became_a_link(path: str) -> None:
    """그 링크가 닿는지는 test_links.py가 다른 링크와 함께 본다."""
    assert not soup_of(path).article.select("autoref, .doc-object h2 a.autorefs, pre a.autorefs")


@pytest.mark.parametrize("script", [True, False])
def test_every_term_of_the_glossary_can_be_linked_to(script: bool, browser: Browser, url: str) -> None:
    names = [term.get("id") for term in soup_of("reference/glossary").article.select("dt")]
    assert len(names) >= 70
    assert all(name and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    page.goto(f"{url}reference/glossary/#wasserstein-distance")
    term = page.locator("dt#wasserstein-distance")
    expect(term).to_be_in_viewport()
    assert term.inner_text().startswith("와서스타인 거리")
    context.close()


def test_a_word_alone_leads_only_to_the_pages_own_function(path: str) -> None:
    """`reduce`는 torch의 인자다. 다른 모듈의 함수라면 모듈과 함께 적는다. 함수의 목록은 손으로 이은 것이고,
    실습이 쓰는 함수의 줄은 들여온 것에서 나온다."""
    if path == "reference/":
        return
    own = "#mgk_docs_src." + path.removesuffix("/").replace("/", ".")
    links = soup_of(path).article.select("a.autorefs:not(.doc-object *, .lab-functions *)")
    words = [link for link in links if re.fullmatch(r"[a-z]+(\(.*\))?", link.get_text())]
    assert not [link for link in words if not link["href"].startswith(own)]
    if path == CHAPTER:
        assert not soup_of(path).find("a", string="reduce")


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("sessions/", "time"),
        ("sessions/archive/", "time"),
        ("sessions/session-2/", "a"),
        ("reference/notation/", "td code"),
        ("certificates/", "td code"),
    ],
)
def test_a_date_or_a_name_is_never_broken_on_a_phone(where: str, what: str, browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(url + where)
    broken = (
        "all => all.filter(e => !/\\s/.test(e.textContent) && e.getClientRects().length > 1).map(e => e.textContent)"
    )
    found = page.locator(f"article table {what}")
    assert found.count() >= 6
    assert found.evaluate_all(broken) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_second_sessions_reader_can_go_on(page: Page, url: str) -> None:
    """회차를 따라가면 3회차로, 글을 따라가면 네 사람의 장으로 간다."""
    page.goto(url + "sessions/session-2/")
    assert page.locator(".md-footer__link--prev").get_attribute("href") == "../session-1/"
    assert page.locator(".md-footer__link--next").get_attribute("href") == "../session-3/"
    onward = {link.get_attribute("href") for link in page.locator("article table a").all()}
    for chapter in ("transport/wasserstein/", "diffusion/process/", "losses/categorical/", CHAPTER):
        assert f"../../{chapter}" in onward
    page.goto(url + "transport/wasserstein/")
    page.locator(".md-footer__link--next").click()
    page.wait_for_url(url + "transport/sinkhorn/")
