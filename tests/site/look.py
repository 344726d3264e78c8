"""만든 사이트를 사람이 10분에 다 볼 수 있게 큰 그림(`.cache/look/`)으로 모은다: `make look`.

네 가지로 본다. 모든 페이지의 첫 화면은 네 가지 모두에서, 달라질 수 있는 것은 달라질 수 있는 곳에서 한 번은 보인다.

| | 폭 | 화면 | 스크립트 | 보이는 것 |
| --- | --- | --- | --- | --- |
| desk | 1280 | 밝음 | 있음 | 첫 화면, 그림, 표, 탭의 모든 장면, 출력, 실습의 결과, 서로 다른 모든 수식(크게) |
| phone | 390 | 어두움 | 있음 | 첫 화면, 그림, 표, 탭의 모든 장면, 출력, 실습의 결과, 화면보다 넓은 수식 |
| plain-desk | 1280 | 어두움 | 없음 | 첫 화면, 탭의 모든 장면, 움직이는 그림 |
| plain-phone | 390 | 밝음 | 없음 | 첫 화면, 탭의 모든 장면, 움직이는 그림 |

수식의 그림이 화면의 밝기에 달려 있지 않음은 test_math.py가 보인다. 두 프로세스가 나누어 찍는다.
"""

import io
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from http.server import ThreadingHTTPServer
from typing import NamedTuple

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page

from mgk_docs_src.figures.style import KOREAN_FONTS
from tests.site.conftest import PREFIX, ROOT, SITE, Handler, built_pages, launched

OUT = ROOT / ".cache" / "look"
SHEET = (2000, 2600)
GAP, CAPTION = 12, 20
SLICE = 8000  # 한 번에 찍는 높이
WORKERS = 2

FIGURES = "article img, article .inline-figure, article .moving"
EVERYTHING = {
    "결과": "article .jp-OutputArea-output",
    "그림": FIGURES,
    "표": "article table:not(.highlighttable)",
    "출력": "article .highlight:has(> .filename)",
    "수식": "article .math",
}


class Mode(NamedTuple):
    name: str
    width: int
    height: int
    scheme: str
    scripts: bool
    columns: int  # 한 장에 늘어놓는 기둥의 수
    first: int  # 첫 화면의 기둥의 수


MODES = [
    Mode("desk", 1280, 900, "light", True, 4, 3),
    Mode("phone", 390, 844, "dark", True, 6, 6),
    Mode("plain-desk", 1280, 900, "dark", False, 4, 3),
    Mode("plain-phone", 390, 844, "light", False, 6, 6),
]


class Tile(NamedTuple):
    group: str
    caption: str
    picture: bytes
    columns: int


# 스크립트를 끈 화면에서는 약속(Promise)이 끝나지 않는다. 거기서는 기다리지 않고 조금 쉰다.
READY = """async () => {
  await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
  await document.fonts.ready;
}"""

# 겹친 것은 바깥의 것만 찍는다. 좁은 화면의 수식은 화면보다 넓은 것만 찍는다.
BOXES = """([kinds, wide]) => {
  const found = [], taken = [];
  for (const [kind, selector] of Object.entries(kinds)) {
    let number = 0;
    for (const element of document.querySelectorAll(selector)) {
      number += 1;
      if (taken.some(other => other.contains(element))) continue;
      if (kind === '수식' && !(wide && element.scrollWidth > element.clientWidth)) continue;
      const r = element.getBoundingClientRect();
      if (r.width < 2 || r.height < 2) continue;
      taken.push(element);
      found.push([`${kind} ${number}`, Math.max(r.left - 6, 0), r.top + scrollY - 6, r.width + 12, r.height + 12]);
    }
  }
  return found;
}"""

FORMULAS = """async paths => {
  const found = new Map();
  for (const path of paths) {
    const text = await (await fetch(path)).text();
    for (const math of new DOMParser().parseFromString(text, 'text/html').querySelectorAll('math'))
      if (!found.has(math.outerHTML)) found.set(math.outerHTML, path);
  }
  return [...found].map(([math, path]) => [path, math]);
}"""


def settle(page: Page, mode: Mode) -> None:
    """그림과 글꼴이 다 올 때까지."""
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    if mode.scripts:
        page.evaluate(READY)
    else:
        page.wait_for_timeout(200)


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def scenes(page: Page, path: str, mode: Mode) -> Iterator[Tile]:
    """탭마다 하나씩 눌러서 본다."""
    for number, tabs in enumerate(page.locator("article .tabbed-set").all(), 1):
        for label in tabs.locator("> .tabbed-labels > label").all():
            label.click()
            settle(page, mode)
            yield Tile(mode.name, f"{path} 탭 {number} {label.inner_text()}", tabs.screenshot(), mode.columns)


def pieces(page: Page, path: str, mode: Mode) -> Iterator[Tile]:
    """페이지를 길게 찍어, 낱낱의 것을 오려 낸다. 하나씩 찍는 것보다 훨씬 빠르다."""
    page.evaluate("""() => {
        document.querySelectorAll('article details').forEach(folded => { folded.open = true });
        const style = document.head.appendChild(document.createElement('style'));
        style.textContent = '.md-header, .md-tabs, .md-top { display: none !important }';
    }""")
    settle(page, mode)
    wanted = EVERYTHING if mode.scripts else {"그림": ".moving"}
    boxes = page.evaluate(BOXES, [wanted, mode.name == "phone"])
    if not boxes:
        return
    height = page.evaluate("document.documentElement.scrollHeight")
    shots = []
    for top in range(0, height, SLICE):
        clip = {"x": 0, "y": top, "width": mode.width, "height": min(SLICE, height - top)}
        shot = page.screenshot(full_page=True, clip=clip, type="jpeg", quality=92)  # PNG보다 몇 배 빠르다
        shots.append(Image.open(io.BytesIO(shot)))
    for what, left, top, width, tall in boxes:
        piece = Image.new("RGB", (int(min(width, mode.width - left)), int(min(tall, 3000))))
        for number, shot in enumerate(shots):
            piece.paste(shot, (-int(left), number * SLICE - int(top)))
        yield Tile(mode.name, f"{path} {what}", png(piece), mode.columns)


def see(job: tuple[str, list[str]]) -> list[Tile]:
    """한 프로세스의 몫: 페이지들을 네 가지로 본다."""
    url, paths = job
    tiles = []
    with launched() as browser:
        for mode in MODES:
            context = browser.new_context(
                viewport={"width": mode.width, "height": mode.height},
                color_scheme="light" if mode.scheme == "light" else "dark",
                java_script_enabled=mode.scripts,
                reduced_motion="reduce",
            )
            for path in paths:
                page = context.new_page()
                page.goto(url + path, wait_until="load")
                settle(page, mode)
                name = path or "/"
                tiles.append(Tile(f"{mode.name}-first", name, page.screenshot(), mode.first))
                tiles.extend(scenes(page, name, mode))
                tiles.extend(pieces(page, name, mode))
                page.close()
            context.close()
    return tiles


def formulas(url: str) -> list[Tile]:
    """서로 다른 모든 수식을, 처음 나온 페이지의 이름 아래에 크게."""
    with launched() as browser:
        page = browser.new_page(viewport={"width": SHEET[0], "height": SHEET[1]})
        page.goto(url, wait_until="commit")
        found: dict[str, list[str]] = {}
        for path, math in page.evaluate(FORMULAS, [url + path for path in built_pages()]):
            found.setdefault(path.removeprefix(url) or "/", []).append(math)
        body = "".join(
            f"<h2>{path}</h2>" + "".join(f"<div>{math}</div>" for math in every) for path, every in found.items()
        )
        page.route(
            "**/formulas.html",
            lambda route: route.fulfill(
                content_type="text/html",
                body=f"""<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="assets/stylesheets/all.css">
                <style>h2 {{ font: 15px sans-serif !important; margin: 4px 0 !important; }}
                #all {{ font-size: 25px !important; padding: 10px; }} #all math {{ margin: 0; }}
                #all > div {{ display: inline-block; max-width: 1960px; margin: 5px 14px; }}</style>
                <body data-md-color-scheme="default" style="display: block"><div id="all" class="md-typeset">{body}""",
            ),
        )
        page.goto(f"{url}formulas.html")
        page.evaluate("document.fonts.ready")
        # 줄 가운데를 자르지 않게, 칸의 윗변에서 나눈다.
        tops = page.evaluate(
            "[...document.querySelectorAll('#all > *')].map(e => Math.floor(e.getBoundingClientRect().top) - 3)"
        )
        bottoms = page.evaluate(
            "[...document.querySelectorAll('#all > *')].map(e => Math.ceil(e.getBoundingClientRect().bottom))"
        )
        tiles, start = [], 0
        limit = SHEET[1] - CAPTION - 2 * GAP
        while start < max(bottoms):
            crossing = {top for top in tops if start < top <= start + limit}
            # 어느 칸도 가로지르지 않는 가장 아래의 자리
            free = [y for y in crossing if not any(t < y < b for t, b in zip(tops, bottoms, strict=True))]
            end = max(bottoms) + 4 if max(bottoms) <= start + limit else max(free, default=start + limit)
            shot = page.screenshot(
                full_page=True, clip={"x": 0, "y": start, "width": SHEET[0] - 2 * GAP, "height": end - start}
            )
            tiles.append(Tile("formulas", "수식", shot, 1))
            start = end
    return tiles


def sheets(tiles: list[Tile], font: ImageFont.FreeTypeFont) -> Iterator[Image.Image]:
    """같은 폭의 기둥을 위에서 아래로 채운다. 페이지의 차례가 지켜진다."""
    column = SHEET[0] // tiles[0].columns
    pictures = []
    for tile in tiles:
        picture = Image.open(io.BytesIO(tile.picture)).convert("RGB")
        picture.thumbnail((column - GAP, 10 * SHEET[1]), Image.Resampling.LANCZOS)
        pictures.append((tile.caption, picture.crop((0, 0, picture.width, min(picture.height, SHEET[1] - 80)))))
    sheet, x, y = None, 0, 0
    for caption, picture in pictures:
        tall = picture.height + CAPTION + GAP
        if sheet is not None and y + tall > SHEET[1]:
            x, y = x + column, 0
        if sheet is None or x + column > SHEET[0]:
            if sheet is not None:
                yield sheet
            sheet, x, y = Image.new("RGB", SHEET, "#888"), 0, 0
        ImageDraw.Draw(sheet).text((x + 4, y + 1), caption[: column // 7], "#fff", font)
        sheet.paste(picture, (x + 4, y + CAPTION))
        y += tall
    if sheet is not None:
        yield sheet


def caption_font() -> ImageFont.FreeTypeFont:
    installed = set(font_manager.get_font_names())
    name = next((name for name in KOREAN_FONTS if name in installed), "DejaVu Sans")
    return ImageFont.truetype(font_manager.findfont(name), 14)


def main() -> None:
    if not (SITE / "index.html").exists():
        raise SystemExit("사이트가 없다. 먼저 make build를 부른다")
    began = time.monotonic()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}{PREFIX}"
    paths = built_pages()
    # 무거운 페이지가 한쪽에 몰리지 않게 크기의 차례로 나눈다.
    by_size = sorted(paths, key=lambda path: (SITE / path / "index.html").stat().st_size)
    with ProcessPoolExecutor(WORKERS) as pool:
        jobs = [pool.submit(see, (url, sorted(by_size[n::WORKERS], key=paths.index))) for n in range(WORKERS)]
        seen = formulas(url)
        for job in jobs:
            seen += job.result()
    server.shutdown()
    order = {path or "/": number for number, path in enumerate(paths)}
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    font, names = caption_font(), []
    for group in ["formulas", *(name for mode in MODES for name in (f"{mode.name}-first", mode.name))]:
        tiles = sorted((t for t in seen if t.group == group), key=lambda tile: order.get(tile.caption.split()[0], 0))
        for number, sheet in enumerate(sheets(tiles, font) if tiles else [], 1):
            names.append(f"{group}-{number:02d}.png")
            sheet.save(OUT / names[-1], compress_level=3)
    shown = "".join(f'<h2 id="{name}">{name}</h2><img src="{name}" alt="" loading="lazy">' for name in names)
    (OUT / "index.html").write_text(f'<!doctype html><meta charset="utf-8"><title>보기</title>{shown}', "utf-8")
    print(f"{len(names)}장, {time.monotonic() - began:.0f}초: {OUT / 'index.html'}")


if __name__ == "__main__":
    main()
