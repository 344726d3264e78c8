"""책에 없는 주소로 온 사람에게 길을 준다: 글이 옛 블로그에서 있던 주소는 회차로 보내고, 없는 페이지의 링크를 고친다."""

from typing import Any
from urllib.parse import urljoin

from mkdocs.structure.files import File, Files
from mkdocs.utils import get_relative_url

TARGET = "sessions/"
# 서버에 따라 `…/2024_하계모각코`, `…/2024_하계모각코/`, `….html` 가운데 하나로 온다. 두 파일이 셋을 다 받는다.
OLD = ("2024_code/mgk/2024_하계모각코.html", "2024_code/mgk/2024_하계모각코/index.html")
PAGE = """\
<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>옮겼다 - {site}</title>
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url={link}">
<link rel="canonical" href="{canonical}">
</head>
<body>
<main>
<h1>옮겼다</h1>
<p>이 글은 책이 되었다. 저절로 넘어가지 않으면 <a href="{link}">회차</a>로 간다.</p>
</main>
</body>
</html>
"""


def page(old: str, config: Any) -> str:
    """옛 주소 하나에 놓을 페이지. 링크는 상대 주소라서 사이트가 어디에 놓여도 맞는다."""
    link = get_relative_url(TARGET, old)
    canonical = urljoin(config.site_url, TARGET) if config.site_url else link
    return PAGE.format(site=config.site_name, link=link, canonical=canonical)


def on_files(files: Files, config: Any) -> Files:
    """MkDocs 훅: 옛 주소마다 파일 하나."""
    for old in OLD:
        files.append(File.generated(config, old, content=page(old, config)))
    return files


def on_template_context(context: Any, template_name: str, config: Any) -> Any:
    """MkDocs 훅: 사이트의 주소를 모르면 404의 링크는 뿌리가 아니라 404.html이 있는 곳에서 센다."""
    if template_name == "404.html" and not config.site_url:
        context["base_url"] = "."
    return context
