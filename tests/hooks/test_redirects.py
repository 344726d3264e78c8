"""hooks/redirects.py: 없는 주소의 링크는 404.html이 있는 곳에서."""

from types import SimpleNamespace

import pytest

from hooks import redirects


@pytest.mark.parametrize(
    ("template", "site_url", "base"),
    [("404.html", "", "."), ("404.html", "https://example.org/x/", "/x/"), ("sitemap.xml", "", "/x/")],
)
def test_the_base_of_the_missing_page(template: str, site_url: str, base: str) -> None:
    site = SimpleNamespace(site_name="책", site_url=site_url)
    assert redirects.on_template_context({"base_url": "/x/"}, template_name=template, config=site) == {"base_url": base}
