"""한국어를 모르는 사람이 길을 찾는다: 영어 책머리, 페이지마다의 영어, 언어 고르기."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.site.conftest import SITE, arrive, built_pages, soup_of

HOME, CHAPTER = "en/", "transport/wasserstein/"
KOREAN = re.compile(r"[가-힣]")
PLAN = ["Goal", "Intuition", "Definition and derivation", "Where it is used", "Run it", "Implementation",
        "Strengths and pitfalls", "Corrections to the original post", "Exercises", "Sources"]  # fmt: skip


def test_a_reader_without_korean_finds_a_page_and_its_code(page: Page, url: str) -> None:
    arrive(page, url)
    page.get_by_role("link", name="An English front page").click()
    page.wait_for_url(url + HOME)
    assert page.locator("html").get_attribute("lang") == "en"
    page.locator("#contents").scroll_into_view_if_needed()
    page.locator("article li > a", has_text="Wasserstein distance").click()
    page.wait_for_url(f"{url}{CHAPTER}#in-english")
    box = page.locator("details.english")
    expect(box.get_by_role("heading", name="Wasserstein distance")).to_be_in_viewport()
    assert box.locator("li a").all_inner_texts() == PLAN
    box.get_by_role("link", name="Run it").click()
    page.wait_for_url(f"{url}{CHAPTER}#run")
    expect(page.locator("#run")).to_be_in_viewport()
    block = page.locator("#run ~ .language-python.highlight").first
    block.scroll_into_view_if_needed()
    assert "from mgk_docs_src" in block.inner_text()


def test_the_way_back_and_the_language_in_the_header(page: Page, url: str) -> None:
    arrive(page, url + CHAPTER)
    page.locator("details.english summary").click()
    page.get_by_role("link", name="The book in English").click()
    page.wait_for_url(url + HOME)
    for start, name, end in ((HOME, "한국어", ""), ("labs/gan/", "English", HOME), ("404.html", "English", HOME)):
        arrive(page, url + start)
        page.locator(".md-select button").hover()
        page.locator(".md-select").get_by_role("link", name=name).click()
        page.wait_for_url(url + end)


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_link_to_the_summary_opens_it(width: int, script: bool, browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, java_script_enabled=script)
    page = context.new_page()
    arrive(page, f"{url}{CHAPTER}#in-english")
    expect(page.locator("#in-english")).to_be_in_viewport()
    expect(page.locator("details.english p").first).to_be_visible()
    arrive(page, url + CHAPTER)
    expect(page.locator("#in-english")).to_be_hidden()
    if script:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_every_page_is_summarised_once_and_listed_on_the_front_page(path: str) -> None:
    if path == HOME:
        listed = [link["href"].removesuffix("#in-english") for link in soup_of(HOME).select("#contents + p ~ ul a")]
        found = {(SITE / HOME / link).resolve() for link in listed if not link.endswith(".ipynb")}
        assert {SITE / each for each in built_pages() if each != HOME} <= found
        return
    article = soup_of(path).article
    (box,) = article.select("details.english")
    assert box["lang"] == "en"
    assert not KOREAN.search(box.get_text())
    assert 40 <= len(box.p.get_text()) <= 240
    assert all(article.find(id=link["href"].removeprefix("#")) for link in box.select("li a"))
    assert (SITE / path / box.select("p a")[-1]["href"]).resolve() == SITE / HOME.rstrip("/")


def test_the_titles_are_searched_and_the_lists_of_links_are_not() -> None:
    docs = json.loads((SITE / "search" / "search_index.json").read_text("utf-8"))["docs"]
    summaries = [doc for doc in docs if doc["location"].endswith("#in-english")]
    assert len(summaries) == len({doc["title"] for doc in summaries}) == len(built_pages()) - 1
    assert not [doc for doc in docs if "Strengths and pitfalls" in doc["text"] and not doc["location"].startswith(HOME)]
    assert not [doc for doc in docs if doc["location"].startswith(HOME) and "49 %" in doc["text"]]


def test_the_front_page_speaks_english(page: Page, url: str) -> None:
    soup = soup_of(HOME)
    # 남는 한국어는 한국어라고 적혀 있거나, 블록이 찍는 말이다. 발의 숨은 것은 보이지 않는다.
    hidden = {id(text) for tag in soup.select(".md-footer [hidden]") for text in tag.find_all(string=True)}
    korean = [text for text in soup.body.find_all(string=KOREAN) if not text.find_parent(lang="ko")]
    left = {text.strip() for text in korean if id(text) not in hidden}
    assert left == {'"손실', "손실"}
    assert not soup.article.select("abbr")
    arrive(page, url + HOME)
    assert page.locator(".md-search__input").get_attribute("placeholder") == "Search"
    names = page.locator(":is([aria-label], [title]):visible").evaluate_all(
        "all => all.map(e => e.ariaLabel + e.title)"
    )
    assert not [name for name in names if KOREAN.search(name)]
    page.keyboard.press("/")
    page.keyboard.type("score matching")
    page.wait_for_selector(".md-search-result__link")
    assert "energy/training/" in page.locator(".md-search-result__link").first.get_attribute("href")


def test_its_block_is_that_of_the_korean_front_page() -> None:
    blocks = [soup_of(path).select_one("article .language-python code").get_text() for path in ("", HOME)]
    outputs = [soup_of(path).select_one("article .language-text code").get_text() for path in ("", HOME)]
    assert blocks[0] == blocks[1]
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280])
@pytest.mark.parametrize("where", [HOME, f"{CHAPTER}#in-english", "labs/gan/#in-english", "#in-english"])
def test_axe_finds_nothing_in_what_is_opened(where: str, width: int, scheme: str, browser: Browser, url: str) -> None:
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    arrive(page, url + where)
    if where != HOME:
        expect(page.locator("#in-english")).to_be_visible()
    page.locator(".md-select button").focus()
    violations = Axe().run(page).response["violations"]
    assert not {rule["id"]: [node["target"][0] for node in rule["nodes"][:3]] for rule in violations}
    context.close()
