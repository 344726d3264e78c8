"""글 속의 `<!-- archive:dates -->` 자리에, 미리 만든 글을 끼운다. 끼운 뒤에는 손으로 쓴 글과 같다."""

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from mgk_book.book import PLACE, PLACES, BookError, place_file
from mgk_book.markdown.part import Settings, page_of


class Places(Preprocessor):
    """울타리를 알아보기 전에, 한 줄을 여러 줄로."""

    def __init__(self, md: Markdown, settings: Settings) -> None:
        super().__init__(md)
        self.folder = settings.root / PLACES

    def run(self, lines: list[str]) -> list[str]:
        """줄마다."""
        page = page_of(self.md)
        if page is None:
            return lines
        return [each for line in lines for each in self.filled(line, page)]

    def filled(self, line: str, page: str) -> list[str]:
        """자리이면 만든 글. 만들지 않은 이름이면 오류다."""
        place = PLACE.fullmatch(line)
        if not place:
            return [line]
        made = self.folder / place_file(place["name"], page)
        if not made.is_file():
            raise BookError(f"{page}: {line}에 넣을 글을 만들지 않았다")
        return made.read_text("utf-8").splitlines()
