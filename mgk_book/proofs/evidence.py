"""인증할 것 하나하나와, 그것이 닿는 소스: 해시 키가 되는 글과 파일."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mgk_book.proofs import closure
from mgk_book.proofs.closure import PACKAGE
from mgk_book.running import execution

TESTS = "tests"
FIXTURES = "conftest.py"  # 모든 테스트가 쓰는 픽스처


class Entry(NamedTuple):
    """인증할 것 하나: 이름, 글, 그것이 닿는 소스 파일들(저장소에서의 경로)."""

    id: str
    text: str
    files: tuple[str, ...]


class Sources:
    """책의 소스. 파일의 해시와 닿는 곳을 기억하므로 한 번의 빌드나 테스트 동안만 쓴다."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.graph = closure.import_graph(root, TESTS)
        self._digests: dict[str, str] = {}
        self._files: dict[frozenset[str], tuple[str, ...]] = {}

    def files(self, modules: Iterable[str]) -> tuple[str, ...]:
        """모듈들이 닿는 소스 파일."""
        named = frozenset(modules)
        if named not in self._files:
            found = (closure.source(module, self.root) for module in closure.reached(named, self.graph))
            self._files[named] = tuple(path.relative_to(self.root).as_posix() for path in found)
        return self._files[named]

    def digest(self, file: str) -> str:
        """파일의 SHA-256."""
        if file not in self._digests:
            self._digests[file] = hashlib.sha256((self.root / file).read_bytes()).hexdigest()
        return self._digests[file]

    def key(self, entry: Entry) -> str:
        """`sha256sum - 파일들 | sha256sum`."""
        lines = [(hashlib.sha256(entry.text.encode()).hexdigest(), "-")]
        lines += [(self.digest(file), file) for file in entry.files]
        return hashlib.sha256("".join(f"{digest}  {name}\n" for digest, name in lines).encode()).hexdigest()


def example(page: str, source: str, sources: Sources) -> Entry:
    """페이지의 예제 블록. 이름은 페이지와 글의 해시라서, 앞에 블록이 끼어도 그대로다."""
    text = "\n".join(line.rstrip() for line in source.strip("\n").split("\n")) + "\n"
    name = f"{page}#{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return Entry(name, text, sources.files(closure.imports([text], sources.graph)))


def lab(found: execution.Lab, sources: Sources) -> Entry:
    """실습. 글은 코드 칸들이다."""
    return Entry(found.name, "\n".join(found.code) + "\n", sources.files(closure.imports(found.code, sources.graph)))


def function(name: str, sources: Sources) -> Entry:
    """공개 함수. 같은 경로의 테스트 파일과, 그것이 닿는 모든 것이 증거다."""
    module = name.rpartition(".")[0]
    return Entry(name, name + "\n", (FIXTURES, *sources.files({module, test_of(module)} & sources.graph.modules)))


def test_of(module: str) -> str:
    """모듈과 짝인 테스트."""
    _, *folders, last = module.split(".")
    return ".".join([TESTS, *folders, f"test_{last}"])


def functions(sources: Sources) -> list[Entry]:
    """모든 공개 함수. 그림은 사이트의 테스트가 본다."""
    modules = [name for name in sorted(sources.graph.modules) if name.split(".")[0] == PACKAGE]
    public = [name for name in modules if not name.startswith(f"{PACKAGE}.figures") and "._" not in name]
    return [
        function(f"{module}.{name}", sources)
        for module in public
        for name in closure.public_functions(closure.source(module, sources.root))
    ]
