"""“…”는 글의 낱말 그대로다. 나머지 말은 ‘…’에 넣는다.

글의 원문은 저장소에 없으므로, 원문과 한 자씩 맞춘 것을 `quotations.txt`에 적어 둔다.
새로 인용하려면 원문과 맞춘 뒤 거기에 더한다.
"""

import re
from pathlib import Path

from tests.docs.blocks import ROOT

CHECKED = Path(__file__).with_name("quotations.txt")
QUOTED = re.compile(r"“([^”]+)”")


def plain(text: str) -> str:
    """빈칸, 강조, 수식의 표지를 뺀 글."""
    return re.sub(r"\s+", " ", re.sub(r"\n# ", "\n", re.sub(r"[*`]", "", text))).strip()


def quoted() -> dict[str, str]:
    """한국어 페이지의 인용마다 나온 곳."""
    pages = [path for suffix in ("md", "py") for path in sorted((ROOT / "docs").rglob(f"*.{suffix}"))]
    return {
        plain(words): path.relative_to(ROOT).as_posix()
        for path in pages
        if "en" not in path.parts
        for words in QUOTED.findall(path.read_text("utf-8"))
    }


def test_double_marks_hold_the_words_of_a_post() -> None:
    checked = set(CHECKED.read_text("utf-8").splitlines())
    assert {words: page for words, page in quoted().items() if words not in checked} == {}


def test_no_quotation_is_kept_that_no_page_uses() -> None:
    assert sorted(CHECKED.read_text("utf-8").splitlines()) == sorted(quoted())
