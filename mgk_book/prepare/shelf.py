"""만든 파일을 두는 선반. 바뀐 것만 쓰고, 이번에 놓지 않은 것은 치운다."""

import os
from pathlib import Path, PurePosixPath

from mgk_book.book import BookError


def on_disk(name: str) -> str:
    """파일의 이름. 로캘이 C라서 파이썬이 한글 이름을 모르는 곳에서도 UTF-8로 쓰고 찾는다."""
    return os.fsdecode(name.encode())


class Shelf:
    """폴더 하나. 이름은 그 안에서의 경로이고 `/`로 나눈다."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, Path] = {}

    def put(self, uri: str, content: bytes | str) -> Path:
        """한 번에 바꿔 놓는다. 그대로인 파일은 건드리지 않으므로, 그것을 지켜보는 것이 깨지 않는다.

        Raises:
            BookError: 폴더를 벗어나는 이름이거나, 두 곳이 한 이름에 다른 것을 놓으면.
        """
        pure = PurePosixPath(uri)
        if not pure.parts or pure.is_absolute() or ".." in pure.parts:
            raise BookError(f"{uri!r}: 만든 파일의 이름은 폴더 안의 상대 경로여야 한다")
        data = content.encode() if isinstance(content, str) else content
        uri, path = pure.as_posix(), self.folder / on_disk(uri)
        same = path.is_file() and path.read_bytes() == data
        if uri in self._files and not same:
            raise BookError(f"{uri}: 두 곳이 같은 이름에 다른 것을 만들었다: 이름을 하나 바꾼다")
        if not same:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
            partial.write_bytes(data)
            partial.replace(path)
        self._files[uri] = path
        return path

    def sweep(self) -> None:
        """이번에 놓지 않은 파일과 빈 폴더를 치운다. 지운 그림이 사이트에 남지 않게."""
        kept = set(self._files.values())
        for path in sorted(self.folder.rglob("*"), reverse=True):  # 폴더보다 그 안의 것이 먼저
            if path.is_file() and path not in kept:
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()

    def files(self) -> dict[str, Path]:
        """이번에 놓은 것."""
        return dict(self._files)
