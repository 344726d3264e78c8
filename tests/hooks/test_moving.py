"""hooks/moving.py: 움직이는 그림에 손잡이와 읽을 수와 자료를 단다."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from hooks import moving

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
IMAGE = '<p><img alt="움직이는 점" class="moving" src="../figures/dot.svg" /></p>'
CONFIG = SimpleNamespace(site_dir="", use_directory_urls=True, plugins=SimpleNamespace(_current_plugin=None))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "dot.svg").write_text('<?xml version="1.0"?>\n<svg><g id="trace-0"></g></svg>', "utf-8")
    (tmp_path / "dot.json").write_text(json.dumps(SCENES), "utf-8")
    return Files([File.generated(CONFIG, "part/figures/dot.svg", abs_src_path=str(tmp_path / "dot.svg"))])


def shown(content: str, files: Files) -> BeautifulSoup:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="part/page.md"))
    return BeautifulSoup(moving.on_page_content(content, page=page, files=files), "html.parser")


def test_the_picture_stands_in_the_page_with_its_name(files: Files) -> None:
    figure = shown(f"<p>앞</p>{IMAGE}<p>뒤</p>", files).find("figure", class_="moving")
    assert figure["aria-label"] == "움직이는 점"
    assert figure.find("g")["id"] == "dot-trace-0"
    assert [tag.get_text() for tag in (figure.find_previous("p"), figure.find_next_sibling("p"))] == ["앞", "뒤"]


def test_each_knob_has_a_label_its_places_and_its_start(files: Files) -> None:
    soup = shown(IMAGE, files)
    height, speed = soup.find_all("input")
    assert (height["min"], height["max"], height["value"]) == ("0", "2", "1")
    assert (speed["min"], speed["max"], speed["value"], speed["aria-valuetext"]) == ("0", "1", "1", "빠르게")
    assert soup.find("label", attrs={"for": height["id"]}).get_text() == "높이 <h> 0"
    assert height["id"] != speed["id"]


def test_the_readings_are_those_of_the_start(files: Files) -> None:
    status = shown(IMAGE, files).find("p", class_="moving-readings")
    assert status["role"] == "status"
    assert status.get_text() == "라 < 마 · </script>"


def test_the_data_reach_the_script_whole(files: Files) -> None:
    soup = shown(IMAGE, files)
    assert json.loads(soup.find("script", type="application/json").string) == SCENES
    assert len(soup.find_all("script")) == 1


@pytest.mark.parametrize(("places", "said"), [([0, 0], "가"), ([0, 1], "나"), ([2, 1], "사")])
def test_the_places_are_counted_row_by_row(places: list[int], said: str) -> None:
    assert moving.at(SCENES["readings"][0], places) == said
    assert moving.at(SCENES["traces"][0], places) == f"M{places[0]} {places[0]}"


def test_other_pictures_are_left_alone(files: Files) -> None:
    still = '<p><img alt="점" src="../figures/dot.svg" /></p>'
    assert moving.moved(still, "part/page.md", files) == still


@pytest.mark.parametrize("name", ["dot", "nothing"])
def test_a_picture_that_does_not_move_stops_the_build(name: str, files: Files, tmp_path: Path) -> None:
    (tmp_path / "dot.json").unlink()
    with pytest.raises(PluginError, match=rf"part/page\.md: figures/{name}\.svg는 움직이는 그림이 아니다"):
        moving.moved(IMAGE.replace("dot", name), "part/page.md", files)
