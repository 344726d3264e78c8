"""mgk_docs_src/labs/tables.py."""

import math
import re

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from mgk_docs_src.labs import tables
from mgk_docs_src.labs.tables import Paired, comparison, paired, record, table
from mgk_docs_src.random import generator, randn

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TWO = torch.tensor([0.9, 0.8])


@EXAMPLES
@given(seed=st.integers(0, 10**6), n=st.integers(2, 30), share=st.floats(0.05, 0.9))
def test_the_interval_is_the_corrected_one(device, seed, n, share):
    g = generator(seed)
    a, b = (randn(n, generator=g, device=device, dtype=torch.float64) for _ in range(2))
    found = paired(a, b, test_share=share)
    gap = (a - b).cpu().numpy()
    half = stats.t.ppf(0.975, n - 1) * np.sqrt((1 / n + share / (1 - share)) * gap.var(ddof=1))
    assert isinstance(found, Paired)
    assert found.difference.item() == pytest.approx(gap.mean(), abs=1e-12)
    assert (found.high - found.difference).item() == pytest.approx(half, rel=1e-9)
    assert (found.difference - found.low).item() == pytest.approx(half, rel=1e-9)
    assert found.tie == (abs(gap.mean()) <= half)
    other = paired(b, a, test_share=share)
    torch.testing.assert_close(other.low, -found.high)
    # 시드마다 데이터가 따로면 SciPy의 대응 표본 t 검정이고, 한 데이터를 분할했으면 언제나 더 넓다
    alone, student = paired(a, b), stats.ttest_rel(a.cpu(), b.cpu()).confidence_interval()
    assert alone.low.item() == pytest.approx(student.low)
    assert alone.high.item() == pytest.approx(student.high)
    assert found.low < alone.low
    assert alone.high < found.high


def test_ties_are_called_ties(device):
    a = torch.tensor([0.9, 0.91, 0.92], device=device)
    assert paired(a, a, test_share=0.5).tie
    assert not paired(a, a - 0.1, test_share=0.5).tie
    assert not paired(a - 0.1, a, test_share=0.5).tie


def test_a_table_says_mean_spread_and_paired_difference(device):
    base, better = torch.tensor([0.5, 0.7], device=device), torch.tensor([0.6, 0.9], device=device)
    html = comparison("이름 <표>", ["정확도", "온도"], {"처음": [base, None], "나은": [better, base]}, differences=[0])
    soup = BeautifulSoup(html, "html.parser")
    assert soup.caption.get_text() == "이름 <표>"
    assert [head.get_text() for head in soup.select("th[scope=col]")] == ["정확도", "온도"]
    first, _ = soup.select("tbody tr")
    assert [cell.get_text() for cell in first.select("td")] == ["0.600\u00a0±\u00a00.141", "–"]
    for share in (0.0, 0.3):
        gap = paired(better, base, test_share=share)
        html = comparison("표", ["정확도"], {"처음": [base], "나은": [better]}, differences=[0], test_share=share)
        second = BeautifulSoup(html, "html.parser").select("tbody tr")[1]
        said = f"0.750 ± 0.212Δ {gap.difference:+.3f} ± {gap.high - gap.difference:.3f}"
        assert second.td.get_text() == said.replace(" ", "\u00a0")


def test_a_table_keeps_the_cells_and_lowers_the_digits_of_names(device):
    soup = BeautifulSoup(
        table("W₁ & 표", ["FPR₉₅"], {"x₀": [f"<b>{torch.ones(1, device=device).item():.0f}</b>"]}), "html.parser"
    )
    assert str(soup.caption) == "<caption>W<sub>1</sub> &amp; 표</caption>"
    assert str(soup.select_one("th[scope=col]")) == '<th scope="col">FPR<sub>9</sub><sub>5</sub></th>'
    assert str(soup.select_one("th[scope=row]")) == '<th scope="row">x<sub>0</sub></th>'
    assert str(soup.select_one("tbody td")) == "<td><b>1</b></td>"


@pytest.mark.bad_input
def test_bad_input():
    two = torch.ones(2)
    with pytest.raises(ValueError, match="differences: '하나'"):
        comparison("표", ["하나"], {"처음": [None], "다음": [two]}, differences=[0])
    with pytest.raises(ValueError, match="rows"):
        comparison("표", ["하나"], {})
    with pytest.raises(ValueError, match="rows: 열이 2개인데 '처음'의 칸이 1개다"):
        comparison("표", ["하나", "둘"], {"처음": [two]})
    with pytest.raises(ValueError, match="rows: 열이 1개인데 '처음'의 칸이 0개다"):
        table("표", ["하나"], {"처음": []})


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("scores", "baseline", "share", "kind", "said"),
    [
        (TWO, TWO[:1], 0.5, ValueError, "baseline: 모양이 (2,)이어야"),
        (TWO[:1], TWO[:1], 0.5, ValueError, "seeds: 2 이상의 정수여야"),
        (TWO[None], TWO, 0.5, ValueError, "scores: 축의 수가 1이어야"),
        (TWO.long(), TWO, 0.5, ValueError, "scores: 실수형이어야"),
        (TWO * math.nan, TWO, 0.5, ValueError, "scores: 유한한 값이어야"),
        (TWO, TWO, 1.0, ValueError, "test_share: [0, 1) 안의 값이어야 하는데 1.0이다"),
        (TWO, TWO, None, TypeError, "test_share: 수여야"),
    ],
)
def test_bad_pairs(scores, baseline, share, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        paired(scores, baseline, test_share=share)


def test_a_number_that_is_named_can_be_read_back(device, monkeypatch):
    shown = []
    monkeypatch.setattr(tables, "display", lambda data, raw: shown.append(data))
    record("그대로/점수", torch.tensor(0.5, device=device), 0.25)
    assert shown == [{tables.MIME: {"그대로/점수": [0.5, 0.25]}}]


@pytest.mark.bad_input
def test_numbers_without_a_name_or_a_value_are_refused():
    with pytest.raises(ValueError, match="name: 비지 않은 글이어야"):
        record("", 1.0)
    with pytest.raises(ValueError, match="values: 1 이상의 정수여야 하는데 0이다"):
        record("점수")
    with pytest.raises(ValueError, match="values: 유한한 값이어야 하는데 nan이다"):
        record("점수", math.nan)
