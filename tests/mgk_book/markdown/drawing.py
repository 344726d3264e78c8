"""페이지 하나를 생성기 없이 그린다."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bs4 import BeautifulSoup
from markdown import Markdown
from pymdownx import slugs
from pymdownx.superfences import highlight_validator

from mgk_book.markdown import BookExtension
from mgk_book.markdown.code import fence
from mgk_book.markdown.part import MKDOCS

FENCES = {"name": "*", "class": "", "format": fence, "validator": highlight_validator}
CONFIGS: dict[str, dict[str, Any]] = {
    "toc": {"permalink": True, "toc_depth": 3, "slugify": slugs.slugify(case="lower")},
    "pymdownx.arithmatex": {"generic": True},
    "pymdownx.highlight": {"pygments_lang_class": True},
    "pymdownx.superfences": {"custom_fences": [FENCES]},
    "pymdownx.tabbed": {"alternate_style": True},
}
EXTENSIONS = [
    *(
        "admonition",
        "attr_list",
        "def_list",
        "md_in_html",
        "tables",
        "toc",
        "pymdownx.arithmatex",
        "pymdownx.highlight",
    ),
    *("pymdownx.superfences", "pymdownx.tabbed"),
]


def markdown(root: Path, page: str | None, **options: str) -> Markdown:
    """`page`를 그리는 마크다운. None이면 함수의 설명처럼 페이지가 아닌 것을 그린다."""
    made = Markdown(extensions=[*EXTENSIONS, BookExtension(root=str(root), **options)], extension_configs=CONFIGS)
    if page:
        here = SimpleNamespace(file=SimpleNamespace(src_uri=page), run=lambda root: None)
        made.treeprocessors.register(here, MKDOCS, 0)
    return made


def draw(text: str, root: Path, page: str | None = None, **options: str) -> BeautifulSoup:
    """그린 것."""
    return BeautifulSoup(markdown(root, page, **options).convert(text), "html.parser")


def write(root: Path, files: dict[str, str]) -> None:
    """책의 파일들."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
