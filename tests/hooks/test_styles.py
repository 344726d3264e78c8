"""hooks/styles.py: 스타일시트는 적힌 차례로 한 파일이 된다."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hooks import styles

HEAD = """<head>
  <link rel="icon" href="../assets/icon.png">
  <link rel="stylesheet" href="../assets/stylesheets/main.1234.min.css">

  <link rel="stylesheet" href="../assets/_mkdocstrings.css">
</head>"""


@pytest.fixture
def book(tmp_path: Path) -> SimpleNamespace:
    assets = tmp_path / "assets"
    (assets / "stylesheets").mkdir(parents=True)
    main = "a{b:c}[data-md-color-switching] *,[data-md-color-switching] :after{transition-duration:0s!important}d{e:f}"
    (assets / "stylesheets" / "main.1234.min.css").write_text(f"{main}/*# sourceMappingURL=x.map */", "utf-8")
    (assets / "_mkdocstrings.css").write_text("g{h:i}", "utf-8")
    return SimpleNamespace(site_dir=str(tmp_path), extra={})


def test_one_link_and_one_file_in_the_same_order(book: SimpleNamespace) -> None:
    output = styles.on_post_page(HEAD, config=book)
    assert output.count('rel="stylesheet"') == 1
    assert '<link rel="stylesheet" href="../assets/stylesheets/all.css">' in output
    assert '<link rel="icon" href="../assets/icon.png">' in output
    styles.on_post_build(book)
    merged = (Path(book.site_dir) / "assets" / styles.MERGED).read_text("utf-8")
    assert merged == "a{b:c}d{e:f}\ng{h:i}"


def test_the_missing_page_too_and_nothing_else(book: SimpleNamespace) -> None:
    assert "all.css" in styles.on_post_template(HEAD, template_name="404.html", config=book)
    assert styles.on_post_template(HEAD, template_name="sitemap.xml", config=book) == HEAD
    assert styles.on_post_page("<p>글</p>", config=book) == "<p>글</p>"
