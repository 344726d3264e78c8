"""MkDocs만 할 수 있는 일. 여기서만 mkdocs를 들여온다.

만들 것을 만들게 하고(prepare), 만든 것을 사이트의 파일로 넘기고, 실습의 글과 출력을 맞추고, 검색과 스타일시트를
갈아 끼운다.
"""

import copy
import re
from collections import ChainMap
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

import mgk_book
from mgk_book import labpage, search
from mgk_book.book import MADE, BookError
from mgk_book.markdown import page as page_parts
from mgk_book.markdown.part import HOME
from mgk_book.prepare import prepare
from mgk_book.prepare.english import FOLDERS
from mgk_book.prepare.shelf import on_disk
from mgk_book.running.execution import Lab, device
from mgk_book.serving import run

EXTENSION = "mgk_book.markdown"
WATCHED = ["mgk_docs_src", "overrides", "benchmarks/results", "certificates", "CITATION.cff"]
NAME, TOGGLES = "Summer Mogakco", ("Switch to dark mode", "Switch to light mode")
STYLESHEET = "assets/stylesheets/all.css"  # book.css와 같은 폴더라서, 거기 적힌 글꼴의 상대 주소가 그대로 맞는다
THEME_SHEETS = re.compile(r"assets/stylesheets/(main|palette)\.\w+\.min\.css")
# 테마는 페이지를 열 때마다 이 표지를 붙였다 떼는데, 모든 요소를 고르는 규칙이라 긴 페이지의 모양을 통째로
# 두 번 다시 셈하게 한다. 하는 일은 밝기를 바꿀 때 색이 서서히 바뀌는 것을 막는 것뿐이다.
SWITCHING = re.compile(r"\[data-md-color-switching\] \*[^{}]*\{[^{}]*\}")
SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=.*?\*/")  # 여러 파일을 모으면 자리가 맞지 않는다


class BookPlugin(BasePlugin):  # type: ignore[type-arg]  # 설정은 확장이 받는다
    """`plugins: [search, mkdocs-jupyter, mkdocstrings, mgk_book]`의 마지막."""

    serving = False
    runner: run.Runner | None = None

    def on_startup(self, *, command: str, **_: Any) -> None:
        """이것이 있으면 MkDocs는 다시 만들 때에도 같은 플러그인을 쓴다."""
        self.serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """어느 폴더에서 불러도 설정 파일이 있는 곳의 책이다."""
        self.root = Path(config.config_file_path).parent
        own = Path(mgk_book.__file__).parents[1]
        if self.root != own and (self.root / "mgk_book").is_dir():
            raise BookError(
                f"책은 {self.root}에 있는데 깔린 mgk_book은 {own}의 것이다. {self.root}에서 make install을 부른다"
            )
        options = config.mdx_configs.setdefault(EXTENSION, {})
        options["root"] = str(self.root)
        self.repository = options.get("repository", "")
        if self.serving:
            self.runner, self.serving = run.opened(self.root, config.dev_addr.host), False
        config.watch += [str(self.root / name) for name in WATCHED if (self.root / name).exists()]
        return config

    @event_priority(100)  # mkdocs-jupyter가 실습의 소스를 노트북으로 알기 전
    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        """만든 것을 넘긴다."""
        made = prepare(
            self.root, site_url=config.site_url or "", repository=self.repository,
            directory_urls=config.use_directory_urls, device=device(),
        )  # fmt: skip
        self.labs: dict[str, Lab] = {f"{lab.name}.ipynb": lab for lab in made.labs}
        for file in [file for file in files if file.src_uri.endswith((".py", ".yml"))]:
            files.remove(file)  # 실습과 서지의 소스는 싣지 않는다
        for uri in self.labs:
            # mkdocs-jupyter는 폴더에 놓인 보통 파일만 노트북으로 알아본다.
            files.append(File(uri, str(self.root / MADE), config.site_dir, config.use_directory_urls))
        for uri, path in made.files.items():
            if "/figures/" in uri and path.suffix == ".json":
                continue  # 움직이는 그림의 장면은 페이지 안에 들어 있다
            files.append(File.generated(config, on_disk(uri), abs_src_path=str(path)))
        self.add_search(files, config)
        return files

    def add_search(self, files: Files, config: MkDocsConfig) -> None:
        """테마의 검색 일꾼을, 한국어를 아는 것을 앞에 붙인 것으로 바꾼다."""
        for file in [file for file in files if search.WORKER.fullmatch(file.src_uri)]:
            files.remove(file)
            script = search.worker(self.root, file.content_string)
            files.append(File.generated(config, file.src_uri, content=script))

    def on_page_markdown(self, markdown: str, page: Page, **_: Any) -> None:
        """테마의 고치기 단추가 갈 곳."""
        edited = str(page.meta.get("edited_in", page_parts.source_of(page.file.src_uri)))
        page.edit_url = page_parts.edit_link(edited, self.repository) if self.repository else None

    @event_priority(-100)  # mkdocs-jupyter가 그린 뒤
    def on_page_content(self, html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        """실습은 사이트의 마크다운으로 그린 글 사이에 mkdocs-jupyter가 그린 출력을 끼운다."""
        lab = self.labs.get(page.file.src_uri)
        if lab is None:
            return html
        page.markdown = labpage.markdown(lab)
        Page.render(page, config, files)  # mkdocs-jupyter가 바꿔 둔 것이 아니라 본래의 것: 목차와 링크 검사까지 한다
        page.meta["description"] = labpage.description(lab)
        folder = f"{lab.name}/figures"
        drawn = labpage.assembled(lab, str(page.content), html, get_relative_url(folder, page.url), self.root)
        for name, picture in drawn.pictures.items():
            files.append(File.generated(config, f"{folder}/{name}", content=picture))
        return drawn.html

    @event_priority(-200)  # mkdocstrings가 제 것을 쓴 뒤
    def on_env(self, env: Any, config: MkDocsConfig, files: Files) -> None:
        """페이지는 스타일시트가 모두 올 때까지 글을 그리지 못한다. 네 번 받을 것을 한 번에 받게 모은다."""
        theme = sorted(file.src_uri for file in files if THEME_SHEETS.fullmatch(file.src_uri))
        sheets = []
        for uri in [*theme, *map(str, config.extra_css)]:
            file, written = files.get_file_from_path(uri), Path(config.site_dir, uri)  # mkdocstrings는 바로 써 둔다
            sheets.append(file.content_string if file else written.read_text("utf-8"))
        text = SWITCHING.sub("", SOURCE_MAP.sub("", "\n".join(sheets)))
        files.append(File.generated(config, STYLESHEET, content=text))
        config.extra["stylesheet"], config.extra_css = STYLESHEET, []  # overrides/theme/main.html이 이것만 건다

    def on_page_context(self, context: Any, page: Page, config: MkDocsConfig, nav: Navigation) -> Any:
        """영어 책머리에서는 테마의 말과 옆의 차례가 영어다. 책의 끝에서 그리로 넘어가지는 않는다."""
        if page.next_page and page.next_page.file.src_uri == HOME:
            page.next_page = None
        if page.file.src_uri == HOME:
            english = copy.copy(config)
            schemes = zip(config.theme["palette"], TOGGLES, strict=True)
            palette = [scheme | {"toggle": scheme["toggle"] | {"name": words}} for scheme, words in schemes]
            english["theme"] = ChainMap({"language": "en", "palette": palette}, config.theme)
            english["site_name"] = NAME
            context |= {"config": english, "nav": Navigation(self.translated(nav.items), nav.pages)}
        return context

    def translated(self, items: list[Any]) -> list[Any]:
        """이름만 영어인 차례. 다른 페이지가 쓰는 차례는 그대로 둔다. 묶음의 이름은 첫 페이지의 것이다."""
        twins = [item if item.is_page and item.file.src_uri == HOME else copy.copy(item) for item in items]
        for twin in (twin for twin, item in zip(twins, items, strict=True) if twin is not item):
            page = twin.children[0] if twin.children else twin
            if twin.title in FOLDERS and twin.children:
                twin.title = FOLDERS[twin.title]
            else:
                lab = self.labs.get(page.file.src_uri)
                meta = lab.notebook.metadata if lab else page.meta
                twin.title = page_parts.english(page.file.src_uri, meta).title
            twin.children = self.translated(twin.children) if twin.children else None
        return twins

    def on_post_page(self, output: str, page: Page, **_: Any) -> str:
        """문서 서버가 주는 페이지에만 ▶ 실행이 있다. 실습은 칸들이 이어지므로 노트북으로 연다."""
        if self.runner is None or page.file.src_uri in self.labs:
            return output
        return output.replace("</head>", f"{self.runner.tags()}</head>", 1)

    def on_serve(self, server: Any, **_: Any) -> Any:
        """첫 사이트를 만든 뒤, 서버가 열리기 바로 전."""
        if self.runner:
            server.set_app(self.runner.app(server.get_app()))
        return server

    def on_shutdown(self) -> None:
        """Ctrl-C로 끝날 때."""
        if self.runner:
            self.runner.close()

    def on_template_context(self, context: Any, template_name: str, config: MkDocsConfig) -> Any:
        """사이트의 주소를 모르면 404의 링크는 뿌리가 아니라 404.html이 있는 곳에서 센다."""
        if template_name == "404.html" and not config.site_url:
            context["base_url"] = "."
        return context
