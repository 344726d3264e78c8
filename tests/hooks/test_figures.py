"""hooks/figures.py: 그림은 함수가 그리고, 기대는 것이 바뀔 때만 다시 그린다."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from hooks import figures

URI = "part/figures/square.svg"


def build(config: SimpleNamespace, *pages: str) -> Files:
    made = [File.generated(config, page, content="# 글") for page in pages or ("part/page.md", "index.md")]
    return figures.on_files(Files(made), config)


def test_a_page_gets_the_drawings_of_its_module(config: SimpleNamespace) -> None:
    files = build(config)
    assert files.get_file_from_path(URI).content_string == '<svg width="3pt" height="6pt"></svg>'
    assert [file.src_uri for file in files if file.src_uri.endswith(".svg")] == [URI]


def test_two_pages_of_a_folder_may_not_draw_the_same_name(config: SimpleNamespace, book: Path) -> None:
    folder = book / "mgk_docs_src" / "figures" / "part"
    (folder / "twin.py").write_text((folder / "page.py").read_text("utf-8"), "utf-8")
    with pytest.raises(PluginError, match=r"part/figures/square\.svg: 같은 폴더의 두 페이지"):
        build(config, "part/page.md", "part/twin.md")


def test_pictures_get_their_size_so_that_text_does_not_jump(config: SimpleNamespace) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="part/page.md"))
    files = build(config)
    sized = figures.on_page_content('<img alt="네모" src="../figures/square.svg" />', page=page, files=files)
    assert sized == '<img alt="네모" src="../figures/square.svg" width="4" height="8" loading="lazy" />'


def test_an_inline_picture_is_part_of_the_page(config: SimpleNamespace) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="part/page.md"))
    leaf = '<a xlink:href="#x"{}>잎</a></svg>'
    svg = '<?xml version="1.0"?>\n<svg><metadata>글</metadata>' + leaf.format(' target="_blank"')
    files = build(config)
    next(file for file in files if file.src_uri.endswith("square.svg")).content_string = svg
    image = '<img alt="나무" class="inline" src="../figures/square.svg" />'
    shown = f'<div class="inline-figure" role="group" aria-label="나무"><svg>{leaf.format("")}</div>'
    assert figures.on_page_content(image, page=page, files=files) == shown
    unknown = image.replace("square", "other")
    assert figures.inlined(unknown, "part/page.md", files) == unknown


def test_an_inline_picture_follows_the_reader_and_shares_no_name() -> None:
    svg = (
        "<svg><style>svg{--ink:#000}@media(prefers-color-scheme:dark){svg{--ink:#fff}}text{x:y}</style>"
        '<g id="a"><path clip-path="url(#p1)"/><use xlink:href="#m1"/><a xlink:href="#heading"/></g></svg>'
    )
    file = SimpleNamespace(content_string=svg)
    assert figures.markup(file, "tree") == (
        "<svg><style>svg{--ink:#000}@media screen{[data-md-color-scheme=slate] svg{--ink:#fff}}text{x:y}</style>"
        '<g id="tree-a"><path clip-path="url(#tree-p1)"/><use xlink:href="#tree-m1"/><a xlink:href="#heading"/></g>'
        "</svg>"
    )


def test_an_unknown_picture_is_left_for_mkdocs_to_report(config: SimpleNamespace) -> None:
    image = '<img alt="" src="../figures/nothing.svg" />'
    assert figures.sized(image, "part/page.md", build(config)) == image
