"""장과 실습의 제목 아래에 읽는 데 걸리는 시간과 앞머리의 `level`을 적는다."""

import re
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.utils import get_relative_url

LEVELS = ("입문", "중급", "심화")
NOT_CHAPTERS = ("", "members", "reference", "sessions")
# 한글은 1분에 500음절, 로마자 낱말과 수는 200개로 센다. 코드는 글보다 느려 1분에 20줄, 따로 놓인 수식은 하나에 10초다.
# 장에서 접어 둔 소스와 출력도 코드로 센다. 실습에서 접어 둔 준비 코드와, 한 번 더 보인 요약은 세지 않는다.
SYLLABLES, WORDS, LINES, FORMULAS = 500, 200, 20, 6
CODE = re.compile(r"<pre\b.*?</pre>", re.DOTALL)
SET_ASIDE = re.compile(r'<details class="setup">.*?</details>|<div class="lab-summary".*?</div></div>', re.DOTALL)
MATH = re.compile(r"<math\b.*?</math>|<svg\b.*?</svg>", re.DOTALL)


def minutes(content: str) -> int:
    """본문을 읽는 데 걸리는 분."""
    content = SET_ASIDE.sub("", content)
    code = [re.sub(r"<[^>]*>", "", block) for block in CODE.findall(content)]
    lines = sum(bool(line.strip()) for block in code for line in block.split("\n"))
    formulas = content.count('<div class="math"')
    text = re.sub(r"<[^>]*>", " ", MATH.sub(" ", CODE.sub(" ", content)))
    syllables = len(re.findall(r"[가-힣]", text))
    words = len(re.findall(r"[A-Za-z0-9][\w.]*", text))
    return max(1, round(syllables / SYLLABLES + words / WORDS + lines / LINES + formulas / FORMULAS))


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """MkDocs 훅: 제목 바로 아래의 한 줄."""
    folder, _, name = page.file.src_uri.rpartition("/")
    level = page.meta.get("level")
    if level not in (None, *LEVELS):
        raise PluginError(f"{page.file.src_uri}: level: {level!r}. {', '.join(LEVELS)} 가운데 하나로 적는다")
    if folder in NOT_CHAPTERS or name in ("index.md", "index.ipynb"):
        return content
    words = f"읽는 데 약 {minutes(content)}분"
    if level:
        words += f' · 수준 <a href="{get_relative_url("./", page.url)}#levels">{level}</a>'
    return content.replace("</h1>", f'</h1>\n<p class="reading" data-search-exclude>{words}</p>', 1)
