"""mgk_book/markdown/figures.py: 그림에 크기를 적고, 페이지에 넣을 것은 넣고, 움직일 것에는 슬라이더를 단다."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from mgk_book.book import SITE, BookError
from mgk_book.markdown.figures import at
from tests.mgk_book.markdown.drawing import draw, write

SVG = (
    '<?xml version="1.0"?>\n<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="360pt" height="417.6pt" '
    'xmlns="http://www.w3.org/2000/svg"><style>svg{--ink:#000}@media(prefers-color-scheme:dark){svg{--ink:#fff}}</style>'
    '<metadata>누가</metadata><defs><path id="m1"/></defs>'
    '<g id="trace-0" clip-path="url(#p1)"><use xlink:href="#m1"/></g>'
    '<a xlink:href="#section" target="_blank"><text>글</text></a></svg>'
)
SCENES = {
    "knobs": [
        {"label": "높이 <h>", "places": ["−1", "0", "1"], "start": 1},
        {"label": "빠르기", "places": ["느리게", "빠르게"], "start": 1},
    ],
    "traces": [{"shape": [3, 1], "all": ["M0 0", "M1 1", "M2 2"]}],
    "readings": [
        {"shape": [3, 2], "all": ["가", "나", "다", "라 < 마", "바", "사"]},
        {"shape": [1, 2], "all": ["하나", "</script>"]},
    ],
}
FOLDER = f"{SITE}/losses/figures"


@pytest.fixture
def drawn(book: Path) -> Path:
    write(book, {f"{FOLDER}/dot.svg": SVG, f"{FOLDER}/dot.json": json.dumps(SCENES)})
    return book


def shown(text: str, book: Path) -> BeautifulSoup:
    return draw(f"# 제목\n\n앞\n\n{text}\n\n뒤", book, "losses/binary.md")


def test_a_figure_has_its_size_and_comes_when_it_is_near(drawn: Path) -> None:
    (image,) = shown("![점](figures/dot.svg)", drawn).select("img")
    assert image.attrs == {"alt": "점", "src": "figures/dot.svg", "width": "480", "height": "557", "loading": "lazy"}


@pytest.mark.parametrize("source", ["figures/none.svg", "https://x.example/dot.svg", "figures/dot.json"])
def test_other_pictures_are_left_to_the_generator(source: str, drawn: Path) -> None:
    (image,) = shown(f"![점]({source})", drawn).select("img")
    assert image.attrs == {"alt": "점", "src": source}


def test_a_docstring_has_no_figures(drawn: Path) -> None:
    assert "width" not in draw("![점](figures/dot.svg)", drawn).img.attrs


def test_an_inline_figure_stands_in_the_page(drawn: Path) -> None:
    soup = shown('![점 "하나"](figures/dot.svg){ .inline }', drawn)
    box = soup.select_one("div.inline-figure[role=group]")
    assert box["aria-label"] == '점 "하나"'
    assert box.find_parent("p") is None
    assert [tag["id"] for tag in box.select("[id]")] == ["dot-m1", "dot-trace-0"]
    assert box.g["clip-path"] == "url(#dot-p1)"
    assert box.use["xlink:href"] == "#dot-m1"
    assert box.a.attrs == {"xlink:href": "#section"}  # 페이지 안의 자리이고, 새 창이 아니다
    assert "@media screen{[data-md-color-scheme=slate] svg{--ink:#fff}}" in box.style.string
    assert not box.metadata


def test_a_moving_figure_stands_in_the_page_with_its_name(drawn: Path) -> None:
    soup = shown("![움직이는 점](figures/dot.svg){ .moving }", drawn)
    figure = soup.find("figure", class_="moving")
    assert figure["aria-label"] == "움직이는 점"
    assert figure.find("g")["id"] == "dot-trace-0"
    assert [tag.get_text() for tag in (figure.find_previous("p"), figure.find_next_sibling("p"))] == ["앞", "뒤"]


def test_each_knob_has_a_label_its_places_and_its_start(drawn: Path) -> None:
    soup = shown("![점](figures/dot.svg){ .moving }", drawn)
    height, speed = soup.find_all("input")
    assert (height["min"], height["max"], height["value"]) == ("0", "2", "1")
    assert (speed["min"], speed["max"], speed["value"], speed["aria-valuetext"]) == ("0", "1", "1", "빠르게")
    assert soup.find("label", attrs={"for": height["id"]}).get_text() == "높이 <h> 0"
    assert height["id"] != speed["id"]


def test_the_readings_are_those_of_the_start(drawn: Path) -> None:
    status = shown("![점](figures/dot.svg){ .moving }", drawn).find("p", class_="moving-readings")
    assert status["role"] == "status"
    assert status.get_text() == "라 < 마 · </script>"


def test_the_data_reach_the_script_whole(drawn: Path) -> None:
    soup = shown("![점](figures/dot.svg){ .moving }", drawn)
    assert json.loads(soup.find("script", type="application/json").string) == SCENES
    assert len(soup.find_all("script")) == 1


@pytest.mark.parametrize(("places", "said"), [([0, 0], "가"), ([0, 1], "나"), ([2, 1], "사")])
def test_the_places_are_counted_row_by_row(places: list[int], said: str) -> None:
    assert at(SCENES["readings"][0], places) == said
    assert at(SCENES["traces"][0], places) == f"M{places[0]} {places[0]}"


def test_a_picture_that_does_not_move_stops_the_build(drawn: Path) -> None:
    (drawn / FOLDER / "dot.json").unlink()
    with pytest.raises(BookError, match=r"losses/binary\.md: figures/dot\.svg는 움직이는 그림이 아니다"):
        shown("![점](figures/dot.svg){ .moving }", drawn)
