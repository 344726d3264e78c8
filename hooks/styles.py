"""스타일시트를 한 파일로 모은다.

페이지는 스타일시트가 모두 올 때까지 글을 그리지 못한다. 테마의 둘과 mkdocstrings의 것과 book.css를 따로 받으면
느린 회선에서 받는 일을 네 번 시작한다. 적힌 차례대로 이어 붙인 하나면 한 번이다.
"""

import re
from pathlib import Path
from typing import Any

LINK = re.compile(r'\s*<link rel="stylesheet" href="(?P<up>[^"]*?)assets/(?P<name>[\w./-]+\.css)">')
# 테마는 페이지를 열 때마다 이 표지를 붙였다 떼는데, 모든 요소를 고르는 규칙이라 긴 페이지의 모양을 통째로
# 두 번 다시 셈하게 한다. 하는 일은 밝기를 바꿀 때 색이 서서히 바뀌는 것을 막는 것뿐이다.
SWITCHING = re.compile(r"\[data-md-color-switching\] \*[^{}]*\{[^{}]*\}")
MERGED = "stylesheets/all.css"  # book.css와 같은 폴더라서, 거기 적힌 글꼴의 상대 주소가 그대로 맞는다


def merged(output: str, config: Any) -> str:
    """첫 링크를 모은 것으로 바꾸고 나머지를 뺀다. 무엇을 모을지는 페이지가 말한다."""
    config.extra["styles"] = [link["name"] for link in LINK.finditer(output)]
    first = LINK.search(output)
    if first is None:
        return output
    whole = f'<link rel="stylesheet" href="{first["up"]}assets/{MERGED}">'
    return LINK.sub(lambda link: whole if link.start() == first.start() else "", output)


def on_post_page(output: str, config: Any, **_: Any) -> str:
    """MkDocs 훅: 페이지."""
    return merged(output, config)


def on_post_template(output_content: str, template_name: str, config: Any) -> str:
    """MkDocs 훅: 404."""
    return merged(output_content, config) if template_name == "404.html" else output_content


def on_post_build(config: Any) -> None:
    """MkDocs 훅: 모은 파일. 지도(map)의 자리는 여러 파일을 모으면 맞지 않으므로 뺀다."""
    assets = Path(config.site_dir) / "assets"
    sheets = [(assets / name).read_text("utf-8") for name in config.extra.get("styles", [])]
    text = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", "\n".join(sheets))
    (assets / MERGED).write_text(SWITCHING.sub("", text), "utf-8")
