"""슬라이더를 움직이면 그림과 수가 테스트한 함수의 것으로 바뀐다. 자판으로도 손가락으로도, 스크립트가 없어도."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Locator, Page, expect

from mgk_book.markdown.figures import at
from mgk_docs_src.figures import moving
from mgk_docs_src.figures.losses.binary import bce_live
from mgk_docs_src.losses.binary import bce_with_logits, bce_with_logits_grad
from tests.site.conftest import SITE, arrive, soup_of

FIGURES = {
    "bce_live": "losses/binary",
    "smoothing_live": "losses/categorical",
    "coupling_live": "transport/wasserstein",
    "noise_live": "diffusion/process",
    "reverse_conditional": "diffusion/sampling",
    "langevin_live": "energy/samplers",
    "temperature_live": "contrastive/losses",
}


def shown(page: Page) -> Locator:
    return page.locator("figure.moving")


def lines(figure: Locator) -> list[str]:
    """화면에 있는 선들의 `d`."""
    return figure.locator("g[id*='-trace-'] path").evaluate_all("paths => paths.map(path => path.getAttribute('d'))")


def put(figure: Locator, places: list[int]) -> None:
    """슬라이더를 자판으로 옮긴다."""
    for knob, place in zip(figure.locator("input").all(), places, strict=True):
        knob.focus()
        knob.press("Home")
        for _ in range(place):
            knob.press("ArrowRight")


def test_every_moving_figure_of_the_book_is_tried_here() -> None:
    pages = {path for path in SITE.rglob("index.html") if 'class="moving"' in path.read_text("utf-8")}
    assert pages == {SITE / path / "index.html" for path in FIGURES.values()}


@pytest.mark.parametrize("name", FIGURES)
def test_every_place_shows_what_the_function_computes_now(name: str, page: Page, url: str, tmp_path: Path) -> None:
    module = importlib.import_module("mgk_docs_src.figures." + FIGURES[name].replace("/", "."))
    moving.save(getattr(module, name)(), tmp_path / "fresh.svg")
    fresh = json.loads((tmp_path / "fresh.json").read_text("utf-8"))
    arrive(page, f"{url}{FIGURES[name]}/")
    figure = shown(page)
    last = [len(knob["places"]) - 1 for knob in fresh["knobs"]]
    for places in ([0] * len(last), last, [end // 2 for end in last], [end // 3 for end in last]):
        put(figure, places)
        assert lines(figure) == [at(trace, places) for trace in fresh["traces"]]
        said = " · ".join(at(reading, places) for reading in fresh["readings"])
        assert figure.locator(".moving-readings").inner_text() == said
        for knob, place, box in zip(fresh["knobs"], places, figure.locator("input").all(), strict=True):
            assert box.get_attribute("aria-valuetext") == knob["places"][place]


def test_the_dot_of_bce_stands_where_the_loss_is(page: Page, url: str) -> None:
    """화면의 점에서 축의 눈금을 거쳐 읽은 값이 손실과 기울기다. 그림의 자료를 거치지 않는다."""
    arrive(page, f"{url}losses/binary/")
    figure = shown(page)
    for column, row in ((2, 10), (12, 3), (20, 0), (10, 7)):
        put(figure, [column, row])
        z, y = torch.tensor(-6 + column / 2), torch.tensor(row / 10)
        drawn = lines(figure)
        for panel, number, truth in ((1, 2, bce_with_logits(z, y)), (2, 4, bce_with_logits_grad(z, y))):
            dot = [float(length) for length in re.findall(r"[\d.]+", drawn[number])[:2]]
            across, up = ruler(figure, panel, "x"), ruler(figure, panel, "y")
            assert across(dot[0]) == pytest.approx(float(z), abs=0.02)
            assert up(dot[1]) == pytest.approx(float(truth), abs=0.02)
        numbers = re.findall(r"−?\d+\.\d+", figure.locator(".moving-readings").inner_text())
        read = [float(number.replace("−", "-")) for number in numbers]
        loss, slope = bce_with_logits(z, y).item(), bce_with_logits_grad(z, y).item()
        assert read[:3] == pytest.approx([torch.sigmoid(z).item(), loss, slope], abs=6e-4)


def ruler(figure: Locator, panel: int, axis: str) -> Any:
    """칸의 눈금 둘에서 얻은, 화면의 자리를 값으로 바꾸는 자."""
    soup = BeautifulSoup(figure.locator("svg").evaluate("svg => svg.outerHTML"), "html.parser")
    numbers = 2 * panel - (1 if axis == "x" else 0)
    ticks = []
    for tick in soup.select(f"g[id$='-matplotlib.axis_{numbers}'] > g"):
        mark, text = tick.select_one(f"g[id*='{axis}tick'] use, use"), tick.find("text")
        if mark and text:
            ticks.append((float(mark[axis]), float(text.get_text().replace("−", "-"))))
    (a, low), (b, high) = ticks[0], ticks[-1]
    return lambda place: low + (place - a) * (high - low) / (b - a)


def test_a_finger_moves_the_knob(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    arrive(page, f"{url}losses/binary/")
    knob = shown(page).locator("input").first
    knob.scroll_into_view_if_needed()
    box = knob.bounding_box()
    assert box
    assert box["height"] >= 40  # 손가락 하나
    before = lines(shown(page))
    page.touchscreen.tap(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    assert int(knob.input_value()) > 18
    assert lines(shown(page)) != before
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_without_scripts_the_picture_stays_and_the_knobs_hide(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    arrive(page, f"{url}losses/binary/")
    assert shown(page).locator("svg").is_visible()
    assert not shown(page).locator("input").first.is_visible()
    start = [knob.start for knob in bce_live().knobs]
    data = json.loads(shown(page).locator("script").text_content() or "")
    html = soup_of("losses/binary")
    drawn = [path["d"] for path in html.select("figure.moving g[id*='-trace-'] path")]
    assert drawn == [at(trace, start) for trace in data["traces"]]
    context.close()


def test_the_knobs_follow_the_readers_scheme(page: Page, url: str) -> None:
    arrive(page, f"{url}losses/binary/")
    ink = "figure => getComputedStyle(figure.querySelector('svg')).getPropertyValue('--paper')"
    assert shown(page).evaluate(ink) == "#ffffff"
    page.locator("label[for=__palette_1]").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    assert shown(page).evaluate(ink) == "#1e2129"


@pytest.mark.parametrize("name", FIGURES)
def test_a_still_picture_stands_beside_it(name: str) -> None:
    html = soup_of(FIGURES[name])
    figure = html.select_one("figure.moving")
    assert figure
    assert [picture for picture in figure.find_all_previous("img", limit=1) if "figures/" in str(picture["src"])]
