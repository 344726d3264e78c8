"""mgk_book/search.py: 용어 페이지에서 표를 뽑아 테마의 검색 일꾼 앞에 붙인다."""

import json
import re
from pathlib import Path

from mgk_book import search
from tests.mgk_book.markdown.drawing import write

ROOT = Path(__file__).parents[2]
BOOK = """---
title: 용어
---

# 용어

교차 엔트로피 (cross-entropy)
:   $P$에서 나온 값을 적는 길이 (nat). [정의](../losses/binary.md#cross-entropy)

기울기 (gradient)
:   함수가 커지는 방향.

로짓 (logit)
:   확률로 바꾸기 전의 값. [정의](../losses/binary.md#logits), [또](../losses/categorical.md#else)

로그 오즈 (log-odds)
:   로짓과 같다. [정의](../losses/binary.md#logits)

모드 붕괴 (mode collapse)
:   봉우리 몇 개만 내놓는 것. [측정](../labs/gan.ipynb)

| 다른 | 표 |
| --- | --- |
| 이것은 | 아니다 |

## 다르게 적는 말 { #spellings data-search-exclude }

말.

| 이 책 | 다르게 적으면 |
| --- | --- |
| 와서스타인 | 바서슈타인, 워서스타인 |
| 라벨 | 레이블 |
"""


def test_other_names_are_english_own_and_other_spellings() -> None:
    assert search.other_names(BOOK) == [
        ("cross-entropy", "교차 엔트로피"),
        ("교차 엔트로피", "교차 엔트로피"),
        ("gradient", "기울기"),
        ("logit", "로짓"),
        ("log-odds", "로그 오즈"),
        ("로그 오즈", "로그 오즈"),
        ("mode collapse", "모드 붕괴"),
        ("모드 붕괴", "모드 붕괴"),
        ("바서슈타인", "와서스타인"),
        ("워서스타인", "와서스타인"),
        ("레이블", "라벨"),
    ]


def test_a_glossary_without_spellings_still_has_its_terms() -> None:
    assert search.other_names("로짓 (logit)\n:   값.\n") == [("logit", "로짓")]


def test_a_term_is_defined_where_its_first_link_goes() -> None:
    assert search.defined(BOOK) == {
        "losses/binary/#cross-entropy": ["교차 엔트로피"],
        "losses/binary/#logits": ["로짓", "로그 오즈"],
        "labs/gan/": ["모드 붕괴"],
    }


def test_a_folders_first_page_is_the_folder() -> None:
    assert search.defined("최적 수송 (optimal transport)\n:   문제. [설명](../transport/index.md)\n") == {
        "transport/": ["최적 수송"]
    }


def test_every_term_and_spelling_of_the_real_glossary_is_read() -> None:
    glossary = (ROOT / "docs" / search.GLOSSARY).read_text("utf-8")
    names = search.other_names(glossary)
    assert len({name for other, name in names if other.isascii()}) >= 40
    assert len(search.TERM.findall(glossary)) == len(re.findall(r"^:   ", glossary, re.MULTILINE))
    assert ("바서슈타인", "와서스타인") in names
    others = [other for other, name in names if other != name]
    assert len(others) == len(set(others))
    assert not set(others) & {name for _, name in names}


def test_the_worker_begins_with_the_tables_and_ours(tmp_path: Path) -> None:
    assert search.worker(tmp_path, "theirs();").startswith("const aliases = [];\nconst defined = {};\n")
    write(tmp_path, {f"docs/{search.GLOSSARY}": BOOK})
    first, second, *ours, theirs = search.worker(tmp_path, "theirs();").split("\n")
    assert json.loads(first.removeprefix("const aliases = ").removesuffix(";"))[0] == ["cross-entropy", "교차 엔트로피"]
    assert json.loads(second.removeprefix("const defined = ").removesuffix(";")) == search.defined(BOOK)
    assert "\n".join(ours) == (ROOT / "mgk_book" / "search.js").read_text("utf-8")
    assert theirs == "theirs();"
