"""사이트에 놓을 파일을 받아 두는 선반."""


class Shelf(dict[str, bytes]):
    def put(self, uri: str, content: bytes) -> None:
        assert uri not in self
        self[uri] = content
