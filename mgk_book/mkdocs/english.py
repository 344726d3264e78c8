"""영어 책머리의 테마의 말과 옆의 차례. 본문은 `docs/en/index.md`다."""

import copy
from collections import ChainMap
from collections.abc import Callable
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

from mgk_book.markdown.part import HOME
from mgk_book.prepare.english import FOLDERS

NAME, TOGGLES = "Summer Mogakco", ("Switch to dark mode", "Switch to light mode")


def surroundings(config: MkDocsConfig, nav: Navigation, title: Callable[[Page], str]) -> dict[str, Any]:
    """영어로 말하는 테마와, 이름만 영어인 차례."""
    english = copy.copy(config)
    schemes = zip(config.theme["palette"], TOGGLES, strict=True)
    palette = [scheme | {"toggle": scheme["toggle"] | {"name": words}} for scheme, words in schemes]
    english["theme"] = ChainMap({"language": "en", "palette": palette}, config.theme)
    english["site_name"] = NAME
    return {"config": english, "nav": Navigation(translated(nav.items, title), nav.pages)}


def translated(items: list[Any], title: Callable[[Page], str]) -> list[Any]:
    """다른 페이지가 쓰는 차례는 그대로 둔다. 묶음의 이름은 첫 페이지의 것이다."""
    twins = [item if item.is_page and item.file.src_uri == HOME else copy.copy(item) for item in items]
    for twin in (twin for twin, item in zip(twins, items, strict=True) if twin is not item):
        page = twin.children[0] if twin.children else twin
        if twin.title in FOLDERS and twin.children:
            twin.title = FOLDERS[twin.title]
        else:
            twin.title = title(page)
        twin.children = translated(twin.children, title) if twin.children else None
    return twins
