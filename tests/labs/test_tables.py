"""mgk_docs_src/labs/tables.py."""

import pytest
import torch
from bs4 import BeautifulSoup
from scipy import stats

from mgk_docs_src.labs.tables import comparison, paired_interval, table
from mgk_docs_src.random import generator, randn


def test_the_interval_is_that_of_scipys_paired_t_test(device):
    g = generator(0)
    a, b = (randn(20, generator=g, device=device, dtype=torch.float64) for _ in range(2))
    for level in (0.5, 0.95):
        gap, half = paired_interval(a, b, level=level)
        truth = stats.ttest_rel(a.cpu(), b.cpu()).confidence_interval(level)
        assert gap - half == pytest.approx(truth.low)
        assert gap + half == pytest.approx(truth.high)


def test_a_table_says_mean_spread_and_paired_difference(device):
    base, better = torch.tensor([0.5, 0.7], device=device), torch.tensor([0.6, 0.9], device=device)
    html = comparison("이름 <표>", ["정확도", "온도"], {"처음": [base, None], "나은": [better, base]}, differences=[0])
    soup = BeautifulSoup(html, "html.parser")
    assert soup.caption.get_text() == "이름 <표>"
    assert [head.get_text() for head in soup.select("th[scope=col]")] == ["정확도", "온도"]
    first, second = soup.select("tbody tr")
    assert [cell.get_text() for cell in first.select("td")] == ["0.600\u00a0±\u00a00.141", "–"]
    gap, half = paired_interval(better, base)
    assert second.td.get_text() == f"0.750 ± 0.212Δ {gap:+.3f} ± {half:.3f}".replace(" ", "\u00a0")


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
    one, two = torch.ones(1), torch.ones(2)
    with pytest.raises(ValueError, match="base"):
        paired_interval(two, torch.ones(3))
    with pytest.raises(ValueError, match="seeds"):
        paired_interval(one, one)
    with pytest.raises(ValueError, match="level"):
        paired_interval(two, two, level=1.5)
    with pytest.raises(ValueError, match="scores"):
        paired_interval(torch.ones(2, 2), torch.ones(2, 2))
    with pytest.raises(ValueError, match="differences: '하나'"):
        comparison("표", ["하나"], {"처음": [None], "다음": [two]}, differences=[0])
    with pytest.raises(ValueError, match="rows"):
        comparison("표", ["하나"], {})
    with pytest.raises(ValueError, match="rows: 열이 2개인데 '처음'의 칸이 1개다"):
        comparison("표", ["하나", "둘"], {"처음": [two]})
    with pytest.raises(ValueError, match="rows: 열이 1개인데 '처음'의 칸이 0개다"):
        table("표", ["하나"], {"처음": []})
