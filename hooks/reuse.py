"""`make serve`에서 그대로인 페이지를 다시 그리지 않는다. 빌드에서는 아무 일도 하지 않는다.

글 하나를 고칠 때마다 모든 페이지를 다시 그리면 시간의 대부분이 함수의 목록(mkdocstrings)과 검색 색인에 든다.
페이지의 글과, 페이지가 기댈 수 있는 모든 것(코드, 잰 결과, 설정, 파일의 목록)이 그대로면 앞서 그린 것을 쓴다.
그릴 때 난 경고는 그 페이지를 다시 그릴 때까지 되풀이되지 않는다. 엄격한 빌드는 모두 새로 그리므로 놓치지 않는다.
MkDocs에는 이것을 켤 자리가 없어, 서버가 뜰 때 두 메서드를 기억하는 것으로 바꾼다.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from material.plugins.search.plugin import SearchIndex
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

FOLDERS = ("mgk_docs_src", "mgk_book", "hooks", "overrides", "benchmarks/results")
DRAWN = ("content", "toc", "_title_from_render", "present_anchor_ids")  # Page.render가 페이지에 적는 것


class Rendered(NamedTuple):
    """그려 둔 페이지: 무엇을 보고 그렸나, 그린 것, 다른 파일로 가는 링크, 이 페이지가 등록한 이름들."""

    key: tuple[object, ...]
    drawn: dict[str, Any]
    links: dict[str, dict[str, str]]
    anchors: list[tuple[tuple[Any, ...], dict[str, Any]]]


def surroundings(config: Any, files: Files) -> tuple[object, ...]:
    """글 밖에서 페이지를 바꿀 수 있는 것 모두."""
    root = Path(config.config_file_path).parent
    paths = [Path(config.config_file_path)]
    paths += [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.*")) if path.suffix != ".pyc"]
    return (*((path, path.stat().st_mtime_ns) for path in paths), *sorted(file.src_uri for file in files))


def draw(render: Callable[..., None], key: tuple[object, ...], page: Page, config: Any, files: Files) -> Rendered:
    """페이지를 그리고, 다음에 되살릴 수 있게 적어 둔다."""
    anchors = []
    autorefs = config.plugins["autorefs"]
    register = autorefs.register_anchor

    def record(page: Page, *names: Any, **options: Any) -> None:
        anchors.append((names, options))
        register(page, *names, **options)

    autorefs.register_anchor = record
    try:
        render(page, config, files)
    finally:
        del autorefs.register_anchor
    links = {file.src_uri: targets for file, targets in (page.links_to_anchors or {}).items()}
    return Rendered(key, {name: getattr(page, name) for name in DRAWN}, links, anchors)


def restore(rendered: Rendered, page: Page, config: Any, files: Files) -> None:
    """그려 둔 것을 새 빌드의 페이지에 옮긴다."""
    for name, value in rendered.drawn.items():
        setattr(page, name, value)
    page.links_to_anchors = {files.src_uris[uri]: targets for uri, targets in rendered.links.items()}
    for names, options in rendered.anchors:
        config.plugins["autorefs"].register_anchor(page, *names, **options)


def reusing(render: Callable[..., None]) -> Callable[..., None]:
    """기억하는 `Page.render`."""
    kept: dict[str, Rendered] = {}

    @wraps(render)
    def again(page: Page, config: Any, files: Files) -> None:
        uri, key = page.file.src_uri, (page.markdown, *surroundings(config, files))
        if uri in kept and kept[uri].key == key:
            restore(kept[uri], page, config, files)
        else:
            kept[uri] = draw(render, key, page, config, files)

    return again


def remembering(add: Callable[..., None]) -> Callable[..., None]:
    """기억하는 `SearchIndex.add_entry_from_context`."""
    kept: dict[str, tuple[object, list[dict[str, Any]]]] = {}

    @wraps(add)
    def again(index: SearchIndex, page: Page) -> None:
        key = (page.content, page.title, str(page.meta))
        if page.url not in kept or kept[page.url][0] != key:
            start = len(index.entries)
            add(index, page)
            kept[page.url] = (key, index.entries[start:])
        else:
            index.entries += kept[page.url][1]

    return again


def on_startup(*, command: str, **_: Any) -> None:
    """MkDocs 훅: 서버가 뜰 때 한 번."""
    if command == "serve":
        Page.render = reusing(Page.render)  # type: ignore[method-assign]
        SearchIndex.add_entry_from_context = remembering(SearchIndex.add_entry_from_context)
