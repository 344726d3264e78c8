"""hooks/labfigures.py: 실습의 그림은 파일이 되고, 다른 것은 그대로다."""

import base64
from types import SimpleNamespace

from mkdocs.structure.files import Files

from hooks import labfigures

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="3pt" height="4pt"></svg>'
IMAGE = f'<img alt="선" height="4" src="data:image/svg+xml;base64,{base64.b64encode(SVG).decode()}" width="3">'


def page(lab: object) -> SimpleNamespace:
    return SimpleNamespace(file=SimpleNamespace(lab=lab), url="labs/gan/")


def test_a_picture_becomes_one_file_that_comes_when_near(config: SimpleNamespace) -> None:
    files = Files([])
    content = labfigures.on_page_content(f"<p>{IMAGE}</p><p>{IMAGE}</p>", page=page("실습"), config=config, files=files)
    (file,) = files
    assert file.content_bytes == SVG
    assert file.src_uri.startswith("labs/gan/figures/")
    shown = f'src="figures/{file.src_uri.rpartition("/")[2]}" loading="lazy" width="3"'
    assert content.count(shown) == 2
    assert "base64" not in content


def test_other_pages_and_other_pictures_are_left_alone(config: SimpleNamespace) -> None:
    files = Files([])
    png = '<img src="data:image/png;base64,AAAA">'
    assert labfigures.on_page_content(IMAGE, page=page(None), config=config, files=files) == IMAGE
    assert labfigures.on_page_content(png, page=page("실습"), config=config, files=files) == png
    assert not list(files)
