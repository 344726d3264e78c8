"""`python -m mgk_docs_src.figures 모듈 폴더`: 모듈의 그림을 모두 SVG로 그린다.

움직이는 그림은 모든 장면을 곁의 JSON에도 적는다.
"""

import importlib
import inspect
import sys
from pathlib import Path

from mgk_docs_src.figures import moving, style


def main(module_name: str, folder: str) -> None:
    """모듈의 공개 함수마다 `폴더/이름.svg` 하나."""
    module = importlib.import_module(module_name)
    target = Path(folder)
    target.mkdir(parents=True)
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == module_name and not name.startswith("_"):
            drawn, path = function(), target / f"{name}.svg"
            if isinstance(drawn, moving.Moving):
                moving.save(drawn, path)
            else:
                style.save(drawn, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
