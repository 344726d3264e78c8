"""집에 가져갈 노트북: 이 책의 저장소 밖에서도 돌아가게."""

from typing import Any

import nbformat

from mgk_book.prepare.repository import requirement


def portable(notebook: Any, repository: str | None) -> Any:
    """저장소를 알면 첫 칸이 이 책의 패키지를 설치하므로, 빈 Colab에서도 실행된다."""
    if not repository:
        return notebook
    taken = nbformat.from_dict(notebook)
    source = f'%pip install -q "{requirement(repository)}"'
    taken.cells.insert(0, nbformat.v4.new_code_cell(source, id="install"))
    return taken
