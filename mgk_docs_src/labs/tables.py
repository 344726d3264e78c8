"""실습의 표: 시드마다의 점수를 평균 ± 표준 편차와, 대응 차이(paired difference)의 신뢰 구간으로 보인다."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from IPython.display import display
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import REAL, Interval

Scores = Sequence[Float[Tensor, "seeds"] | None]
MIME = "application/vnd.mgk.numbers+json"
_SHARE = Interval(0.0, 1.0, right_open=True)
# W₁의 아래 첨자는 작은 글자에서 쉼표로 보인다. 표에서는 보통 숫자를 내려 쓴다.
LOWERED = {ord(small): f"<sub>{digit}</sub>" for digit, small in enumerate("₀₁₂₃₄₅₆₇₈₉")}


class Paired(NamedTuple):
    r"""대응 차이(paired difference)와 95 % 신뢰 구간.

    Attributes:
        difference: 차이의 평균.
        low: 구간의 아래 끝.
        high: 구간의 위 끝.

    References:
        Nadeau, C. & Bengio, Y. (2003). Inference for the Generalization Error.
    """

    difference: Float[Tensor, ""]
    low: Float[Tensor, ""]
    high: Float[Tensor, ""]

    @property
    def tie(self) -> bool:
        """구간이 0을 포함하는가. 그러면 차이가 유의하지 않다."""
        return bool((self.low <= 0) & (self.high >= 0))


def paired(scores: Float[Tensor, "s"], baseline: Float[Tensor, "s"], *, test_share: float = 0.0) -> Paired:
    r"""같은 시드끼리 뺀 대응 차이의 95 % 신뢰 구간. 한 데이터를 거듭 분할했으면 그만큼 넓힌다.

    $$\bar{d} \pm t_{J-1,\,0.975}\, s_d \sqrt{\frac{1}{J} + \frac{\rho}{1 - \rho}}, \qquad d_j = a_j - b_j$$

    시드마다 데이터를 새로 뽑았으면 서로 독립이고, $\rho = 0$이면 대응 표본 t 검정(paired t-test)의 구간이다. 한
    데이터를 $J$번 분할하면 분할끼리 표본이 겹치므로 독립이 아니다. $s_d / \sqrt{J}$는 너무 좁고, 더 분할해도 정보가
    늘지 않는다. 테스트에 쓴 비율 $\rho$가 클수록 넓힌다.

    Args:
        scores: 시드(분할)마다의 점수 $a_j$. 둘 이상.
        baseline: 같은 시드에서 비교할 점수 $b_j$. `scores`와 같은 모양.
        test_share: 한 데이터를 거듭 분할할 때 테스트에 쓴 비율 $\rho \in [0, 1)$. 시드마다 데이터가 따로면 0.

    Returns:
        차이의 평균과 구간. 자료형은 float64.

    Raises:
        TypeError: 텐서나 수가 아니면.
        ValueError: 모양이 다르거나, 둘보다 적거나, 유한하지 않거나, 비율이 범위를 벗어나면.

    References:
        Nadeau, C. & Bengio, Y. (2003). Inference for the Generalization Error, 식 (10)과 3절 (보정한 재샘플링 t 검정).
        Student (1908). The Probable Error of a Mean. Biometrika 6.
    """
    checks.floating(scores=scores, baseline=baseline)
    checks.ndim(1, 1, scores=scores)
    checks.shape(scores.shape, baseline=baseline)
    checks.count(2, seeds=len(scores))
    checks.within(scores=(scores, REAL), baseline=(baseline, REAL))
    checks.number(_SHARE, test_share=test_share)
    gap = scores.detach().double() - baseline.detach().double()
    spread = math.sqrt(1 / len(gap) + test_share / (1 - test_share))
    half = float(stats.t.ppf(0.975, len(gap) - 1)) * spread * gap.std()
    return Paired(gap.mean(), gap.mean() - half, gap.mean() + half)


def table(caption: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """HTML 표.

    Args:
        caption: 표의 이름.
        columns: 열의 이름들.
        rows: 행의 이름과, 열마다의 칸. 칸은 HTML로 보고 그대로 넣는다.

    Returns:
        `<table>` 글.

    Raises:
        ValueError: 칸의 수가 열의 수와 다르면.

    References:
        WHATWG HTML 표준, 4.9절 Tabular data.
    """
    _same_width(columns, rows)
    body = []
    for name, cells in rows.items():
        filled = "".join(f"<td>{cell}</td>" for cell in cells)
        body.append(f'<tr><th scope="row">{_label(name)}</th>{filled}</tr>')
    head = "".join(f'<th scope="col">{_label(name)}</th>' for name in columns)
    return (
        f"<table><caption>{_label(caption)}</caption><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>"
    )


def _same_width(columns: Sequence[str], rows: Mapping[str, Sequence[object]]) -> None:
    for name, cells in rows.items():
        if len(cells) != len(columns):
            raise ValueError(f"rows: 열이 {len(columns)}개인데 {name!r}의 칸이 {len(cells)}개다")


def _label(name: str) -> str:
    return escape(name).translate(LOWERED)


def comparison(
    caption: str,
    columns: Sequence[str],
    rows: Mapping[str, Scores],
    *,
    differences: Sequence[int] = (),
    test_share: float = 0.0,
) -> str:
    r"""시드마다의 점수를 비교하는 HTML 표.

    윗줄은 $\bar{a} \pm s_a$, 아랫줄(Δ)은 첫 행과의 대응 차이의 95 % 신뢰 구간이다
    ([`paired`][mgk_docs_src.labs.tables.paired]).

    Args:
        caption: 표의 이름.
        columns: 열의 이름들.
        rows: 행의 이름과, 열마다의 시드별 점수. 재지 않은 칸은 `None`.
        differences: 첫 행과의 차이를 함께 보일 열의 번호들.
        test_share: 한 데이터를 거듭 분할한 점수이면, 테스트에 쓴 비율.

    Returns:
        `<table>` 글.

    Raises:
        TypeError: 점수가 텐서가 아니면.
        ValueError: 행이 없거나, 칸의 수가 열의 수와 다르거나, 차이를 보일 칸이 비었거나 시드의 수가 다르면.

    References:
        WHATWG HTML 표준, 4.9절 Tabular data.
    """
    checks.count(1, rows=len(rows))
    _same_width(columns, rows)
    base = next(iter(rows.values()))
    filled = {}
    for name, scores in rows.items():
        # ±의 앞뒤는 줄이 바뀌지 않는 빈칸이다
        cells = ["–" if score is None else f"{score.mean():.3f}\u00a0±\u00a0{score.std():.3f}" for score in scores]
        for column in differences if scores is not base else ():
            score, first = scores[column], base[column]
            if score is None or first is None:
                raise ValueError(f"differences: {columns[column]!r} 열의 차이를 보이려면 모든 칸에 점수가 있어야 한다")
            gap = paired(score, first, test_share=test_share)
            half = gap.high - gap.difference
            cells[column] += f"<br><small>Δ\u00a0{gap.difference:+.3f}\u00a0±\u00a0{half:.3f}</small>"
        filled[name] = cells
    return table(caption, columns, filled)


def record(name: str, *values: float | Float[Tensor, ""]) -> None:
    """실습에서 얻은 수에 이름을 붙인다. 다른 페이지의 글이 이 이름으로 적은 수를, 빌드할 때 실습의 수와 비교한다.

    화면에는 아무것도 나오지 않는다.

    Args:
        name: 수의 이름.
        values: 수들. 하나여도 된다.

    Raises:
        ValueError: 이름이 비었거나, 수가 없거나, 유한하지 않으면.

    References:
        Jupyter 문서, Messaging in Jupyter의 `display_data`.
    """
    checks.count(1, values=len(values))
    if not name:
        raise ValueError("name: 비지 않은 글이어야 하는데 ''이다")
    numbers = [float(value) for value in values]
    for number in numbers:
        checks.number(REAL, values=number)
    display({MIME: {name: numbers}}, raw=True)
