"""tests/docs/numbers.py: 글에 적힌 수마다 그것을 낸 것이 있다."""

from decimal import Decimal

import pytest

from tests.docs.numbers import loose, runs, stated, unbound
from tests.docs.pages import Page, pages


def test_every_number_of_the_prose_stands_in_a_run() -> None:
    assert [violation for page in pages() for violation in unbound(page)] == []


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("정확도는 0.974다", ["0.974"]),
        ("97.4 %와 97%", ["97.4 %", "97%"]),
        ("+0.048 ± 0.043", ["0.048", "0.043"]),
        ("1,304.5 ms", ["1,304.5"]),
        ("± 3", ["± 3"]),
        ("2.3절과 3.11판, 식 하나, 2024년, 여섯, 12개", []),
        ("Python 3.11 이상, torch 2.13.0", []),
    ],
)
def test_what_counts_as_a_number(prose: str, found: list[str]) -> None:
    assert [each.text for each in stated(prose)] == found


@pytest.mark.parametrize(
    ("said", "run", "holds"),
    [
        ("0.97", "0.9741", True),
        ("0.98", "0.9741", False),
        ("97.4 %", "0.9741", True),
        ("97 %", "97.41", True),
        ("0.9", "1e-3", False),
        ("1,304.5", "1304.47", True),
        ("0.05", "-0.0512", True),
    ],
)
def test_a_number_is_a_runs_when_rounding_gives_it(said: str, run: str, holds: bool) -> None:
    assert (loose(said, runs([run])) == []) is holds
    assert runs([run])[0] == abs(Decimal(run))


def test_a_page_with_a_number_of_its_own_is_refused() -> None:
    text = (
        "---\ntitle: 테스트\ndescription: 정확도 0.75\nenglish: {title: T, summary: It reached 0.5.}\n---\n# 테스트\n\n"
        '출력에 0.25, 식에 0.125, 실습에 <data value="labs/gan:몫">0.375</data>, 어디에도 없는 0.625.\n\n'
        '$x = 0.125$\n\n```text title="출력"\n0.2496\n```\n\n## 출처 { #sources }\n\n- 0.875\n'
    )
    found = unbound(Page("losses/page.md", text))
    assert [violation.split("이 어느")[0] for violation in found] == [
        "docs/losses/page.md:8: 0.625",
        "docs/losses/page.md:3: 0.75",
        "docs/losses/page.md:4: 0.5",
    ]
