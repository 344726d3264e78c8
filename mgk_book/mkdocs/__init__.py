"""MkDocs만 할 수 있는 일. 여기서만 mkdocs를 import한다.

만들 것을 만들게 하고(prepare), 만든 것을 사이트의 파일로 넘기고, 실습의 글과 출력을 맞추고, 검색과 스타일시트를
갈아 끼운다.
"""

import logging
import signal
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url
from watchdog.observers.polling import PollingObserver

import mgk_book
from mgk_book import labpage, search
from mgk_book.book import MADE, BookError
from mgk_book.markdown import page as page_parts
from mgk_book.markdown.part import HOME, is_english
from mgk_book.mkdocs import english, styles
from mgk_book.prepare import prepare
from mgk_book.prepare.shelf import on_disk
from mgk_book.running.execution import Lab, device
from mgk_book.serving.desk import Desk

log = logging.getLogger("mkdocs.mgk_book")
EXTENSION = "mgk_book.markdown"
SEARCH = "material/search"  # 테마의 검색 플러그인
KEPT = "# 그려 둔 것을 쓴다\n"
WATCHED = ["mgk_docs_src", "overrides", "benchmarks/results", "certificates", "CITATION.cff"]


class BookPlugin(BasePlugin):  # type: ignore[type-arg]  # 설정은 확장이 받는다
    """`plugins: [search, mkdocs-jupyter, mkdocstrings, mgk_book]`의 마지막."""

    serving = False
    desk: Desk | None = None  # 서버일 때만

    def on_startup(self, *, command: str, dirty: bool) -> None:
        """이것이 있는 플러그인은 서버가 사는 동안 하나다. 멈추라는 신호도 Ctrl-C처럼 치우고 끝나게 한다."""
        self.serving = command == "serve"
        if self.serving:
            signal.signal(signal.SIGTERM, signal.default_int_handler)

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """어느 폴더에서 불러도 설정 파일이 있는 곳의 책이다."""
        self.root = Path(config.config_file_path).parent
        own = Path(mgk_book.__file__).parents[1]
        if self.root != own and (self.root / "mgk_book").is_dir():
            raise BookError(
                f"책은 {self.root}에 있는데 설치된 mgk_book은 {own}에 있다. {self.root}에서 make install을 실행한다"
            )
        options = config.mdx_configs.setdefault(EXTENSION, {})
        options["root"] = str(self.root)
        self.repository = options.get("repository", "")
        if self.serving and not self.desk:
            self.desk = Desk(self.root, *config.dev_addr)
            log.info(f"{config.site_url} 에 띄운다. 먼저 책을 만든다")
        config.watch += [str(self.root / name) for name in WATCHED if (self.root / name).exists()]
        return config

    @event_priority(100)  # mkdocs-jupyter가 실습의 소스를 노트북으로 알기 전
    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        """만든 것을 넘긴다."""
        made = prepare(
            self.root, site_url=config.site_url or "", repository=self.repository,
            directory_urls=config.use_directory_urls, device=device(), wait=not self.desk,
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
        if self.desk:
            self.desk.begin(made, [file.src_uri for file in files], device())
        return files

    def add_search(self, files: Files, config: MkDocsConfig) -> None:
        """테마의 검색 일꾼을, 한국어를 아는 것을 앞에 붙인 것으로 바꾼다."""
        for file in [file for file in files if search.WORKER.fullmatch(file.src_uri)]:
            files.remove(file)
            script = search.worker(self.root, file.content_string)
            files.append(File.generated(config, file.src_uri, content=script))

    @event_priority(-100)
    def on_page_markdown(self, markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str | None:
        """테마의 고치기 단추가 갈 곳. 서버는 그려 둔 페이지의 글을 다시 읽지 않는다."""
        edited = str(page.meta.get("edited_in", page_parts.source_of(page.file.src_uri)))
        page.edit_url = page_parts.edit_link(edited, self.repository) if self.repository else None
        lab = self.labs.get(page.file.src_uri)
        if self.desk and self.desk.kept.fits(page, lab, lab and self.desk.waiting(lab)):
            return KEPT
        return None

    @event_priority(-100)  # mkdocs-jupyter가 그린 뒤
    def on_page_content(self, html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        """실습은 사이트의 마크다운으로 그린 글 사이에 mkdocs-jupyter가 그린 출력을 끼운다."""
        autorefs, lab = config.plugins.get("autorefs"), self.labs.get(page.file.src_uri)
        pictures = self.desk.kept.restore(page, files, autorefs) if self.desk else None
        if pictures is None:
            page.content, pictures = self.lab(lab, html, page, config, files) if lab else (html, {})
            if self.desk:
                self.desk.kept.put(page, autorefs, pictures)
        for uri, picture in pictures.items():
            files.append(File.generated(config, uri, content=picture))
        return str(page.content)

    def lab(self, lab: Lab, html: str, page: Page, config: MkDocsConfig, files: Files) -> labpage.Drawn:
        """실습 한 페이지."""
        page.markdown = labpage.markdown(lab)
        Page.render(page, config, files)  # mkdocs-jupyter가 바꿔 둔 것이 아니라 본래의 것: 목차와 링크 검사까지 한다
        page.meta["description"] = labpage.description(lab)
        waiting = self.desk.waiting(lab) if self.desk else None
        folder = get_relative_url(f"{lab.name}/figures", page.url)
        drawn = labpage.assembled(lab, str(page.content), html, folder, self.root, waiting=waiting)
        return drawn._replace(pictures={f"{lab.name}/figures/{name}": text for name, text in drawn.pictures.items()})

    @event_priority(-200)  # mkdocstrings가 제 것을 쓰고, autorefs가 링크를 단 뒤
    def on_env(self, env: Any, config: MkDocsConfig, files: Files) -> None:
        """틀에 앉히기 전에: 스타일시트를 모으고, 서버라면 다시 앉히지 않을 페이지를 고른다."""
        styles.gather(config, files)
        if self.desk:
            env.bytecode_cache = self.desk.templates
            pages = [file.page for file in files.documentation_pages(inclusion=InclusionLevel.is_in_serve)]
            self.desk.outline([page for page in pages if page], [self.english(page) for page in pages if page])

    def on_page_context(self, context: Any, page: Page, config: MkDocsConfig, nav: Navigation) -> Any:
        """영어 책머리의 틀은 영어다. 책의 끝에서 그리로 넘어가지는 않는다."""
        if page.next_page and page.next_page.file.src_uri == HOME:
            page.next_page = None
        if page.file.src_uri == HOME:
            context |= english.surroundings(config, nav, self.english)
        return context

    def on_template_context(self, context: Any, template_name: str, config: MkDocsConfig) -> Any:
        """사이트의 주소를 모르면 404의 링크는 뿌리가 아니라 404.html이 있는 곳에서 센다."""
        if template_name == "404.html" and not config.site_url:
            context["base_url"] = "."
        return context

    def english(self, page: Page) -> str:
        """페이지의 영어 제목. 영어로 쓴 페이지의 제목은 그대로다."""
        if is_english(page.file.src_uri):
            return str(page.title)
        lab = self.labs.get(page.file.src_uri)
        return page_parts.english(page.file.src_uri, dict(lab.notebook.metadata if lab else page.meta)).title

    def on_post_page(self, output: str, page: Page, config: MkDocsConfig) -> str:
        """서버가 주는 페이지에만 있는 것: 새 소식과 ▶ 실행."""
        return self.desk.page(output, page, is_lab=page.file.src_uri in self.labs) if self.desk else output

    @event_priority(100)  # 테마가 찾을 말을 쓰기 전
    def on_post_build(self, config: MkDocsConfig) -> None:
        """다 지었다."""
        if self.desk:
            theme: Any = config.plugins[SEARCH]
            self.desk.index(theme.search_index.entries)
            self.desk.finish()

    def on_build_error(self, error: Exception) -> None:
        """짓지 못했다."""
        if self.desk:
            self.desk.news.fail(str(getattr(error, "message", error)))

    def on_serve(self, server: Any, *, config: MkDocsConfig, builder: Any) -> None:
        """서버가 열리기 바로 전. 책상이 MkDocs의 서버 앞에 서고, 뒤에서 난 결과는 책을 다시 짓게 한다."""
        assert self.desk is not None
        server.set_app(self.desk.app(server.get_app()))
        watched = [config.docs_dir, config.config_file_path]
        for path in watched:
            server.unwatch(path)
        # MkDocs는 0.5초마다 살펴본다. 네트워크 폴더에서도 되게, 알림이 아니라 살펴보기는 그대로 두고 자주 본다.
        server.observer = PollingObserver(timeout=0.1)
        for path in [*watched, str(self.desk.signal)]:
            server.watch(path)

    def on_shutdown(self) -> None:
        """서버가 멈춘다."""
        if self.desk:
            self.desk.close()
