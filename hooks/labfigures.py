"""실습의 그림을 본문에서 꺼내 파일로 둔다.

노트북은 그림을 글자로 부풀려(base64) 본문 안에 둔다. 그대로 두면 첫 화면의 글이 아래쪽의 모든 그림을 기다린다.
꺼낸 그림은 다른 페이지의 그림처럼 가까이 가면 온다. 크기는 노트북이 이미 적어 두었으므로 글은 밀리지 않는다.
"""

import base64
import hashlib
import re
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.utils import get_relative_url

PICTURE = re.compile(r'(<img [^>]*?)src="data:image/svg\+xml;base64,([^"]+)"')


def on_page_content(content: str, page: Any, config: Any, files: Files) -> str:
    """MkDocs 훅: 실습 본문의 그림마다 파일 하나."""
    if getattr(page.file, "lab", None) is None:
        return content

    def taken_out(match: re.Match[str]) -> str:
        picture = base64.b64decode(match[2])
        uri = f"{page.url}figures/{hashlib.sha256(picture).hexdigest()[:12]}.svg"
        if files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, content=picture))
        return f'{match[1]}src="{get_relative_url(uri, page.url)}" loading="lazy"'

    return PICTURE.sub(taken_out, content)
