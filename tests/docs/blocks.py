"""사이트가 코드 블록으로 그리는 울타리를, 사이트의 마크다운으로 읽는다.

무엇이 블록인지는 mkdocs.yml의 확장과 설정이 정한다. 다른 파서로 따로 읽으면 알림(`!!!`)이나 탭(`===`) 안의
블록을 놓치고도 조용하므로, superfences에게 직접 묻는다. 그리기 직전의 울타리를 받아 적고, 그린 뒤의 HTML에
남은 것만 센다. 들여 쓴 코드나 HTML 주석 속의 울타리는 사이트가 블록으로 그리지 않으니 블록이 아니다.

돌리지 않을 블록은 울타리 첫 줄을 `python { notest="까닭" }`으로 쓴다. superfences는 중괄호 밖에
모르는 옵션이 있으면 울타리로 그리지 않고, 중괄호 안의 것은 받아들이되 HTML에는 내보내지 않는다. 까닭은
`REASONS` 가운데 하나다.

만든 글이 들어갈 자리(`<!-- results:… -->`)는 비운 채로 읽는다. 그래야 줄 번호가 페이지의 줄 번호이고, 만든 글이 몰래
들여온 파이썬 블록은 그려지지만 모이지 않은 블록으로 계약에 걸린다.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from bs4 import BeautifulSoup
from markdown import Markdown
from mkdocs.config import load_config
from mkdocs.utils.meta import get_data

ROOT = Path(__file__).parents[2]
HIGHLIGHT = "pymdownx.highlight"
OUTPUT_TITLE = "출력"
REASONS = {
    "시간": "몇 분씩 걸려서 페이지를 테스트할 때마다 돌릴 수 없다",
    "설치": "이 책이 설치하지 않는 것을 쓴다",
    "원문": "돌지 않는 원문 코드를 그대로 보인다",
}


Options = dict[str, str]


class Block(NamedTuple):
    """페이지에 그려지는 울타리 하나. 줄은 1부터 세고 앞머리(front matter)도 센다."""

    language: str
    options: Options
    source: str
    line: int  # 여는 울타리의 줄
    end: int  # 닫는 울타리의 줄
    prefix: str  # 울타리 앞의 들여쓰기와 인용 부호. 탭은 펴져 있다

    @property
    def title(self) -> str | None:
        return self.options.get("title")

    @property
    def notest(self) -> str | None:
        return self.options.get("notest")

    @property
    def is_example(self) -> bool:
        return self.language == "python" and self.notest is None

    @property
    def is_output(self) -> bool:
        return self.language == "text" and self.title == OUTPUT_TITLE


def site_markdown(**overrides: dict[str, Any]) -> Markdown:
    """mkdocs.yml대로 만든 마크다운. 플러그인은 블록이 무엇인지를 바꾸지 않으므로 부르지 않는다."""
    config = load_config(str(ROOT / "mkdocs.yml"), plugins=[])
    settings = {name: dict(value) for name, value in config["mdx_configs"].items()}
    for name, value in overrides.items():
        settings[name] = settings.get(name, {}) | value
    return Markdown(extensions=config["markdown_extensions"], extension_configs=settings)


@lru_cache(maxsize=256)
def blocks(text: str) -> tuple[Block, ...]:
    """페이지에 그려지는 모든 울타리를 문서의 순서대로 돌려준다."""
    body = get_data(text)[0]
    markdown, found = _recorder()
    found.clear()
    html = markdown.reset().convert(body)
    drawn = {int(tag["data-block"]) for tag in BeautifulSoup(html, "html.parser").select("[data-block]")}
    offset = text[: len(text) - len(body)].count("\n")
    return tuple(
        block._replace(line=block.line + offset, end=block.end + offset)
        for number, block in enumerate(found)
        if number in drawn
    )


def output_under(text: str, block: Block) -> Block | None:
    """블록 바로 아래의 출력 울타리. 사이에는 빈 줄만 있을 수 있고, 같은 깊이에 있어야 한다."""
    following = next((other for other in blocks(text) if other.line > block.end), None)
    if following is None or not following.is_output or following.prefix != block.prefix:
        return None
    between = text.split("\n")[block.end : following.line - 1]
    return None if any(line.strip("> \t") for line in between) else following


def example_at(text: str, line: int) -> Block | None:
    """그 줄에서 열리는, 돌릴 블록."""
    return next((block for block in blocks(text) if block.line == line and block.is_example), None)


@cache
def _recorder() -> tuple[Markdown, list[Block]]:
    """울타리를 그리는 대신 받아 적는 마크다운과, 받아 적은 목록."""
    markdown = site_markdown()
    fences = markdown.preprocessors["fenced_code_block"]
    draw = fences.process_nested_block
    found: list[Block] = []

    def record(ws: str, content: str, start: int, end: int) -> None:
        # 여기까지 온 울타리는 superfences의 검사를 지난 것이다. 몇째 줄인지는 이때만 알 수 있다.
        def write_down(*, src: str, language: str, options: Options, attrs: Options, **_: object) -> str:
            given = {name: value or "" for name, value in (options | attrs).items()}  # 값 없는 옵션은 빈 글
            found.append(Block(language or "", given, src, start + 1, end, fences.ws))
            return f'<div data-block="{len(found) - 1}"></div>'

        fences.formatter = write_down
        draw(ws, content, start, end)

    fences.process_nested_block = record
    return markdown, found
