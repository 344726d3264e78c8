"""생성기가 돌기 전에 만드는 것 모두: 그림, 실습, 목록, 노트북, 글꼴, 옛 주소. 바뀐 것만 새로 쓴다.

사이트로 갈 파일은 `.cache/made/site`에, 페이지의 `<!-- archive:dates -->` 같은 자리에 들어갈 마크다운은
`.cache/made/places`에 둔다. `python -m mgk_book.prepare`는 이것만 한다.
"""

from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from mgk_book.book import CACHE, PLACE, PLACES, SITE, BookError, place_file
from mgk_book.prepare import archive, bibliography, english, figures, font, labs, notebooks, numbers, redirects, totals
from mgk_book.prepare import repository as installing
from mgk_book.prepare.pages import Book, Places, Settings, open_book
from mgk_book.prepare.shelf import Shelf
from mgk_book.running.execution import Lab, execute, find, sources


class Made(NamedTuple):
    """만든 것: 사이트로 갈 파일과, 실습들과 그림들."""

    files: dict[str, Path]
    labs: list[Lab]
    drawings: list[figures.Drawing]


def prepare(
    root: Path, *, site_url: str = "", repository: str = "", directory_urls: bool = True, device: str = "cpu",
    wait: bool = True,
) -> Made:  # fmt: skip
    """뿌리가 `root`인 책에 드는 것을 모두 만든다. 두 빌드가 함께 와도 하나씩 한다.

    `wait`가 아니면 오래 걸리는 것, 곧 실습을 돌리고 그림을 그리는 일은 하지 않고 있는 것만 쓴다.

    Raises:
        BookError: 책에 틀린 것이 있으면. 전에 만든 것은 치우지 않는다.
    """
    root = root.resolve()
    settings = Settings(site_url, repository, directory_urls)
    try:
        (root / CACHE).mkdir(exist_ok=True)
    except OSError as error:
        raise BookError(f"{root / CACHE}를 만들 수 없다: {error.strerror}. 만든 파일은 모두 거기에 둔다") from error
    drawings, executed = figures.drawings(root), find(sources(root), root, device)
    if wait:
        figures.draw_all(drawings, root)
        execute(executed, root, device, labs.expected(root, device))
        numbers.check(root, numbers.recorded(executed))
    with FileLock(root / CACHE / "made.lock"):
        site, shelf = Shelf(root / SITE), Shelf(root / PLACES)
        figures.make(drawings, site)
        labs.make(executed, root, site, repository)
        book = open_book(root, settings, executed)
        texts = places(book, lists(book, site))
        for (name, page), text in texts.items():
            shelf.put(place_file(name, page), text)
        notebooks.make(book, site)
        font.make(root, [*(page.body for page in book.pages.values()), *texts.values()], site)
        redirects.make(book, site)
        site.sweep()
        shelf.sweep()
    return Made(site.files(), executed, drawings)


def lists(book: Book, shelf: Shelf) -> Places:
    """책이 아는 자리 모두."""
    made = archive.make(book, shelf) | bibliography.make(book, shelf)
    return made | english.places(book) | installing.places(book) | totals.places(book)


def places(book: Book, makers: Places) -> dict[tuple[str, str], str]:
    """페이지에 있는 자리마다의 글: 자리의 이름과 페이지의 경로로."""
    texts = {}
    for page in book.pages.values():
        for found in () if page.lab else PLACE.finditer(page.body):
            name = found["name"]
            if name not in makers:
                raise BookError(f"{page.path}: 모르는 자리 {name}: {', '.join(sorted(makers))} 가운데 하나")
            texts[name, page.path] = makers[name](page)
    return texts
