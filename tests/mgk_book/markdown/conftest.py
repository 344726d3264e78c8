"""마크다운의 테스트가 함께 쓰는 작은 책."""

import sys
from pathlib import Path

import pytest

from tests.mgk_book.markdown.drawing import write

FRONT = "---\nenglish: { title: Page, summary: Words. }\n---\n"
FILES = {
    "conftest.py": "",
    "mgk_docs_src/__init__.py": "",
    "mgk_docs_src/losses/__init__.py": "",
    "mgk_docs_src/losses/binary.py": "def bce():\n    ...\n\n\ndef _own():\n    ...\n",
    "mgk_docs_src/energy/__init__.py": "",
    "mgk_docs_src/energy/samplers.py": "class State: ...\n\n\ndef sample():\n    ...\n\n\ndef step_size():\n    ...\n",
    "mgk_docs_src/diffusion/__init__.py": "",
    "mgk_docs_src/diffusion/sampling.py": "def sample():\n    ...\n",
    "mgk_docs_src/labs/__init__.py": "",
    "mgk_docs_src/labs/losses.py": "def predict():\n    ...\n",
    "mgk_docs_src/figures/__init__.py": "",
    "mgk_docs_src/figures/part.py": "def square():\n    ...\n",
    "docs/reference/glossary.md": (
        f"{FRONT}\n# 용어\n\n"
        "로짓 (logit)\n:   확률로 바꾸기 전의 값. 둘째 문장. [정의](../losses/binary.md#logits)\n\n"
        "라벨 (label)\n:   표본의 정답.\n\n"
        '라벨 스무딩 (label smoothing)\n:   "섞기" [정의](../losses/categorical.md)\n\n'
        "온도 (temperature)\n:   무디게 보는 정도. [정의](../diffusion/process.md)\n"
    ),
    **{f"docs/{page}": FRONT for page in ("index.md", "losses/binary.md", "diffusion/process.md", "transport/gan.md")},
    "docs/losses/index.md": FRONT,
    "docs/en/index.md": "",
    "docs/labs/gan.py": (
        "# ---\n# jupyter:\n#   level: 심화\n#   english: { title: Lab, summary: Words. }\n# ---\n"
        '# %% [markdown]\n# # 실습\n# %% 준비 tags=["setup"]\nx = 1\n# %%\nprint(x)\n'
    ),
}


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """진짜 책을 잠시 잊고, 임시 폴더의 책이 `mgk_docs_src`가 된다."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "mgk_docs_src"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    write(tmp_path, FILES)
    return tmp_path
