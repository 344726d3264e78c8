"""페이지는 스타일시트가 모두 올 때까지 글을 그리지 못한다. 네 번 받을 것을 한 번에 받게 모은다."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

STYLESHEET = "assets/stylesheets/all.css"  # book.css와 같은 폴더라서, 거기 적힌 글꼴의 상대 주소가 그대로 맞는다
THEME_SHEETS = re.compile(r"assets/stylesheets/(main|palette)\.\w+\.min\.css")
# 테마는 페이지를 열 때마다 이 표지를 붙였다 떼는데, 모든 요소를 고르는 규칙이라 긴 페이지의 모양을 통째로
# 두 번 다시 셈하게 한다. 하는 일은 밝기를 바꿀 때 색이 서서히 바뀌는 것을 막는 것뿐이다.
SWITCHING = re.compile(r"\[data-md-color-switching\] \*[^{}]*\{[^{}]*\}")
SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=.*?\*/")  # 여러 파일을 모으면 자리가 맞지 않는다


def gather(config: MkDocsConfig, files: Files) -> None:
    """테마와 mkdocstrings와 이 책의 것을 한 파일로."""
    theme = sorted(file.src_uri for file in files if THEME_SHEETS.fullmatch(file.src_uri))
    sheets = []
    for uri in [*theme, *map(str, config.extra_css)]:
        file, written = files.get_file_from_path(uri), Path(config.site_dir, uri)  # mkdocstrings는 바로 써 둔다
        sheets.append(file.content_string if file else written.read_text("utf-8"))
    text = SWITCHING.sub("", SOURCE_MAP.sub("", "\n".join(sheets)))
    files.append(File.generated(config, STYLESHEET, content=text))
    config.extra["stylesheet"], config.extra_css = STYLESHEET, []  # overrides/theme/main.html이 이것만 건다
