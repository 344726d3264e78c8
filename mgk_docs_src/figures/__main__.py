"""`python -m mgk_docs_src.figures 모듈 폴더 [이름…]`: 모듈의 그림을, 이름을 대면 그것만 SVG로 그린다.

움직이는 그림은 모든 장면을 곁의 JSON에도 적는다.
"""

import importlib
import inspect
import sys
from pathlib import Path

from mgk_docs_src.figures import moving, style


def main(module_name: str, folder: str, *names: str) -> None:
    """모듈의 공개 함수마다 `폴더/이름.svg` 하나."""
    module = importlib.import_module(module_name)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    own = inspect.getmembers(module, lambda found: inspect.isfunction(found) and found.__module__ == module_name)
    for name in names or [name for name, _ in own if not name.startswith("_")]:
        drawn, path = getattr(module, name)(), target / f"{name}.svg"
        if isinstance(drawn, moving.Moving):
            moving.save(drawn, path)
        else:
            style.save(drawn, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
