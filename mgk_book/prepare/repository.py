"""설치하는 명령에 저장소의 주소를 적는다. 모르면 모르는 대로 맞는 말을 한다."""

from mgk_book.markdown.page import GITHUB
from mgk_book.prepare.pages import Book, Places


def requirement(repository: str) -> str:
    """pip에 적는, 이 책의 패키지."""
    return f"mgk_docs_src @ git+{GITHUB}/{repository}"


def installing(repository: str) -> dict[str, str]:
    """설치 페이지의 `<!-- repository:… -->` 자리에 갈 글."""
    if not repository:
        return {"clone": "이 사이트는 저장소의 주소를 모른다. 받아 둔 저장소의 폴더를 쓴다.", "pip": ""}
    folder = repository.rpartition("/")[2]
    pip = f'pip install torch==2.13.0\npip install "{requirement(repository)}"'
    return {
        "clone": f"```sh\ngit clone {GITHUB}/{repository}\ncd {folder}\n```",
        "pip": f"저장소를 받지 않고 바로 설치해도 된다.\n\n```sh\n{pip}\n```",
    }


def places(book: Book) -> Places:
    """저장소의 자리."""
    texts = installing(book.settings.repository)
    return {"repository:clone": lambda _: texts["clone"], "repository:pip": lambda _: texts["pip"]}
