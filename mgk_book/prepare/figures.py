"""`![설명](figures/penalty.svg)`의 그림을 테스트한 함수로 그린다.

`docs/losses/binary.md`의 그림은 `mgk_docs_src/figures/losses/binary.py`의 공개 함수다. 그린 것은
`.cache/figures/`에 두고, 함수가 기대는 것(mgk_book/proofs/closure.py)이 바뀔 때만 다시 그린다. 저장소에는 그림이 없다.
"""

from pathlib import Path
from typing import Any, NamedTuple

from mgk_book.book import CACHE, DOCS, WAITING, BookError
from mgk_book.proofs import closure
from mgk_book.running import jobs

FIGURES = f"{closure.PACKAGE}.figures"


class Drawing(NamedTuple):
    """페이지 하나의 그림들: 모듈, 그 함수들, 그린 것을 두는 폴더."""

    module: str
    names: list[str]
    folder: Path

    @property
    def place(self) -> str:
        """사이트에서 놓이는 곳: `losses/figures`."""
        section = self.module.removeprefix(f"{FIGURES}.").split(".")[:-1]
        return "/".join([*section, "figures"])


def drawings(root: Path) -> list[Drawing]:
    """그림 모듈이 있는 페이지마다 하나."""
    pages = [path.relative_to(root / DOCS).as_posix() for path in sorted((root / DOCS).rglob("*.md"))]
    graph = closure.import_graph(root)
    found = []
    for page in pages:
        module = f"{FIGURES}.{page.removesuffix('.md').replace('/', '.')}"
        path = closure.source(module, root)
        if path.is_file() and (names := closure.public_functions(path)):
            found.append(Drawing(module, names, root / CACHE / "figures" / closure.key(module, graph, root)))
    return found


def undrawn(wanted: list[Drawing]) -> list[Drawing]:
    """캐시에 없는 것들."""
    return [each for each in wanted if not each.folder.is_dir()]


def draw_all(wanted: list[Drawing], root: Path, started: jobs.Started | None = None) -> None:
    """캐시에 없는 것만 그린다. 모듈의 그림이 다 있어야 제자리에 놓이므로 반쪽은 남지 않는다."""
    with jobs.locked(root / CACHE / "figures"):
        halves = {Path(f"{each.folder}.partial"): each for each in undrawn(wanted)}
        todo = [
            {"name": f"{each.module}.{name}", "folder": str(half)}
            for half, each in halves.items()
            for name in each.names
        ]
        # 코어마다 하나씩 나란히 그린다. 저마다 모든 코어를 쓰려 들면 서로 막혀 몇 배로 느려진다. GPU가 보이면
        # 모듈을 들여올 때 CUDA가 깨어나 자식을 가를 수 없다.
        jobs.run(todo, root, started=started, MGK_DEVICE="cpu", OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="")
        for half, each in halves.items():
            half.rename(each.folder)


def make(wanted: list[Drawing], shelf: Any) -> None:
    """페이지마다의 그림을, 움직이는 그림이면 그 장면들도, 사이트의 제자리에 놓는다.

    아직 그리지 않은 것의 자리에는 그렇다고 적은 그림을 놓는다.
    """
    drawn: dict[str, str] = {}  # 놓인 곳: 그린 모듈
    for drawing in wanted:
        files = {path.name: path.read_bytes() for path in sorted(drawing.folder.glob("*"))}
        for name, content in (files or {f"{name}.svg": WAITING.encode() for name in drawing.names}).items():
            uri = f"{drawing.place}/{name}"
            if uri in drawn:
                both = f"{drawn[uri]}, {drawing.module}"
                raise BookError(f"{uri}: 같은 폴더의 두 페이지가 같은 이름의 그림을 그린다: {both}")
            drawn[uri] = drawing.module
            shelf.put(uri, content)
