"""hooks/redirects.py: 옛 주소는 회차로, 없는 주소의 링크는 404.html이 있는 곳에서."""

from types import SimpleNamespace
from urllib.parse import quote, unquote, urljoin

import pytest
from bs4 import BeautifulSoup
from mkdocs.structure.files import Files

from hooks import redirects

OLD = "/some/where/2024_code/mgk/2024_하계모각코"


@pytest.fixture
def site(config: SimpleNamespace) -> SimpleNamespace:
    config.site_name, config.site_url = "책", ""
    return config


@pytest.mark.parametrize(("old", "arrived"), [(redirects.OLD[0], f"{OLD}.html"), (redirects.OLD[1], f"{OLD}/")])
def test_every_link_goes_to_the_sessions_under_any_path(old: str, arrived: str, site: SimpleNamespace) -> None:
    soup = BeautifulSoup(redirects.page(old, site), "html.parser")
    refresh = soup.find("meta", attrs={"http-equiv": "refresh"})["content"].removeprefix("0; url=")
    for link in (refresh, soup.a["href"], soup.find("link", rel="canonical")["href"]):
        assert urljoin(arrived, link) == "/some/where/sessions/"
    assert soup.title.get_text() == "옮겼다 - 책"
    assert soup.html["lang"] == "ko"


def test_a_server_that_leaves_out_the_suffix_is_met_too(site: SimpleNamespace) -> None:
    link = BeautifulSoup(redirects.page(redirects.OLD[0], site), "html.parser").a["href"]
    assert urljoin(OLD, link) == "/some/where/sessions/"


def test_the_canonical_address_is_whole_when_the_site_is_known(site: SimpleNamespace) -> None:
    site.site_url = "https://example.org/some/where/"
    soup = BeautifulSoup(redirects.page(redirects.OLD[1], site), "html.parser")
    assert soup.find("link", rel="canonical")["href"] == "https://example.org/some/where/sessions/"
    assert soup.a["href"] == "../../../sessions/"


def test_both_files_are_in_the_site(site: SimpleNamespace) -> None:
    files = redirects.on_files(Files([]), site)
    assert [file.dest_uri for file in files] == list(redirects.OLD)
    assert [unquote(file.url) for file in files] == [redirects.OLD[0], redirects.OLD[1].removesuffix("index.html")]
    assert quote("하계") in next(iter(files)).url


@pytest.mark.parametrize(
    ("template", "site_url", "base"),
    [("404.html", "", "."), ("404.html", "https://example.org/x/", "/x/"), ("sitemap.xml", "", "/x/")],
)
def test_the_base_of_the_missing_page(template: str, site_url: str, base: str, site: SimpleNamespace) -> None:
    site.site_url = site_url
    assert redirects.on_template_context({"base_url": "/x/"}, template_name=template, config=site) == {"base_url": base}
