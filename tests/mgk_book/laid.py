"""테스트가 함께 쓰는, 진짜 설정으로 만드는 작은 책 한 권."""

import os
import subprocess
import sys
from pathlib import Path

import yaml
from bs4 import BeautifulSoup

from tests.mgk_book.markdown.drawing import write

ROOT = Path(__file__).parents[2]
NAV = [
    {"책머리": "index.md"},
    {"주제": ["part/index.md", "part/page.md"]},
    {"실습": ["labs/deep.ipynb"]},
    "sessions/session-1.md",
    "certificates.md",
    "reference/glossary.md",
    {"English": "en/index.md"},
]
FRONT = "---\ntitle: {0}\ndescription: 설명\nenglish: {{ title: Title, summary: Words. }}\n{1}---\n\n# {0}\n\n"
LAB = """# ---
# jupyter:
#   english: { title: Lab, summary: Words. }
# ---
# %% [markdown]
# # 실습: 깊이
#
# 첫 문단은 [첫 페이지](../index.md)와 $x < y$를 말한다.
#
# ## 한글 제목
#
# !!! note "알림"
#
#     안쪽 글

# %%
from mgk_docs_src.shared import SIDE
print(SIDE)

# %%
import base64
from IPython.display import HTML, display
svg = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"/>').decode()
display(HTML(f'<img alt="네모" src="data:image/svg+xml;base64,{svg}" width="4" height="8">'))
"""
FILES = {
    "CITATION.cff": "title: 책\nabstract: 설명\nversion: 1\nauthors: [{ name: 준혁 }]\n",
    "conftest.py": "",
    "mgk_docs_src/__init__.py": "",
    "mgk_docs_src/deep.py": "SIDE = 3\n",
    "mgk_docs_src/shared.py": (
        'from mgk_docs_src.deep import SIDE\n\n\ndef big_area(x: int) -> int:\n    """넓이 $x^2$.\n\n'
        '    둘째 문단.\n\n    Args:\n        x: 변.\n    """\n    return SIDE * x\n'
    ),
    "mgk_docs_src/figures/__init__.py": "",
    "mgk_docs_src/figures/__main__.py": (
        "from pathlib import Path\nimport importlib\n\n\ndef main(name, target, *names):\n"
        "    module, folder = importlib.import_module(name), Path(target)\n    folder.mkdir(exist_ok=True)\n"
        "    (folder / 'square.svg').write_text(module.square(), 'utf-8')\n"
        "    (folder / 'square.json').write_text('{}', 'utf-8')\n"
    ),
    "mgk_docs_src/figures/part/__init__.py": "",
    "mgk_docs_src/figures/part/page.py": (
        "def square():\n    return '<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"3pt\" height=\"6pt\"></svg>'\n"
    ),
    "docs/index.md": (
        FRONT.format("책머리", "") + "## 수준 { #levels }\n\n## 설치 { #install }\n\n<!-- repository:clone -->\n"
    ),
    "docs/install.md": "",
    "docs/part/index.md": FRONT.format("주제", "") + "글\n",
    "docs/part/page.md": (
        FRONT.format("장", "level: 입문\n")
        + "![네모](figures/square.svg)\n\n`big_area`와 [용어](../reference/glossary.md#logit).\n\n"
        "```python\nfrom mgk_docs_src.shared import big_area\nprint(big_area(2))\n```\n\n"
        '```text title="출력"\n6\n```\n\n'
        "::: mgk_docs_src.shared.big_area\n"
    ),
    "docs/labs/deep.py": LAB,
    "docs/sessions/session-1.md": FRONT.format("첫 회차", "date: 2024-07-14\nauthors: [준혁]\n"),
    "docs/certificates.md": FRONT.format("인증", "") + "## 확인 { #check }\n\n<!-- certificates:totals -->\n",
    "docs/reference/glossary.md": FRONT.format("용어", "") + "로짓 (logit)\n:   값. [정의](../part/page.md)\n",
    "docs/reference/references.yml": "[]\n",
    "docs/en/index.md": "---\ntitle: Title\n---\n\n# Title\n\n## Install { #install }\n\n<!-- english:contents -->\n",
}  # fmt: skip


def lay(root: Path, **settings: object) -> Path:
    """책 한 권을 놓는다. 테마의 틀과 스타일은 진짜 책의 것이다."""
    write(root, FILES)
    for name in ("overrides", "docs/assets"):
        (root / name).symlink_to(ROOT / name)
    (root / "docs" / "install.md").write_text(FRONT.format("설치", ""), "utf-8")
    nav = [*NAV[:1], {"설치": "install.md"}, *NAV[1:]]
    config = {"INHERIT": str(ROOT / "mkdocs.yml"), "site_name": "테스트", "nav": nav} | settings
    (root / "mkdocs.yml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    return root


def build(root: Path, *options: str, where: Path | None = None, tool: str = "mkdocs", **environment: str) -> str:
    """만들고, 찍힌 것을 돌려준다."""
    command = [sys.executable, "-m", tool, "build", "-f", str(root / "mkdocs.yml"), *options]
    # 이 책의 mgk_docs_src가 아니라 그 책의 것을 본다.
    given = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{ROOT}"} | environment
    done = subprocess.run(command, cwd=where or root, env=given, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    return done.stderr.decode("utf-8", "replace")


def soup(root: Path, page: str) -> BeautifulSoup:
    return BeautifulSoup((root / "site" / page).read_text("utf-8"), "html.parser")
