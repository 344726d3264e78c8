"""실습의 표: 씨앗마다의 점수를 평균 ± 표준 편차와, 짝지은 차이의 신뢰 구간으로."""

from collections.abc import Mapping, Sequence
from html import escape

from jaxtyping import Float
from scipy import stats
from torch import Tensor

from mgk_docs_src import checks

Scores = Sequence[Float[Tensor, "seeds"] | None]
# W₁의 아래 첨자는 작은 글자에서 쉼표로 보인다. 표에서는 보통 숫자를 내려 쓴다.
LOWERED = {ord(small): f"<sub>{digit}</sub>" for digit, small in enumerate("₀₁₂₃₄₅₆₇₈₉")}


def paired_interval(
    scores: Float[Tensor, "seeds"], base: Float[Tensor, "seeds"], *, level: float = 0.95
) -> tuple[float, float]:
    r"""같은 씨앗끼리 짝지은 차이의 평균과, 그 신뢰 구간의 반너비.

    $$\bar{d} \pm t_{n-1,\,(1+\alpha)/2}\, \frac{s_d}{\sqrt{n}}, \qquad d_i = a_i - b_i$$

    Args:
        scores: 씨앗마다의 점수 $a_i$.
        base: 견줄 점수 $b_i$. `scores`와 같은 모양.
        level: 신뢰 수준 $\alpha \in [0, 1]$.

    Returns:
        차이의 평균과 반너비. 단위는 점수와 같다.

    Raises:
        TypeError: 텐서나 수가 아니면.
        ValueError: 모양이 다르거나, 점수가 둘보다 적거나, 수준이 $[0, 1]$을 벗어나면.

    References:
        Student (1908). The Probable Error of a Mean. Biometrika 6.
    """
    checks.floating(scores=scores, base=base)
    checks.ndim(1, 1, scores=scores)
    checks.shape(scores.shape, base=base)
    checks.number(checks.UNIT, level=level)
    checks.count(2, seeds=len(scores))
    gap = (scores - base).double().cpu()
    half = stats.t.ppf((1 + level) / 2, len(gap) - 1) * gap.std() / len(gap) ** 0.5
    return gap.mean().item(), float(half)


def table(caption: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """HTML 표.

    Args:
        caption: 표의 이름.
        columns: 열의 이름들.
        rows: 행의 이름과, 열마다의 칸. 칸은 HTML이라 그대로 넣는다.

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
) -> str:
    r"""씨앗마다의 점수를 견주는 HTML 표.

    윗줄은 $\bar{a} \pm s_a$, 아랫줄(Δ)은 첫 행과 짝지은 차이의 95 % 신뢰 구간이다.

    Args:
        caption: 표의 이름.
        columns: 열의 이름들.
        rows: 행의 이름과, 열마다의 씨앗별 점수. 재지 않은 칸은 `None`.
        differences: 첫 행과의 차이를 함께 보일 열의 번호들.

    Returns:
        `<table>` 글.

    Raises:
        TypeError: 점수가 텐서가 아니면.
        ValueError: 행이 없거나, 칸의 수가 열의 수와 다르거나, 차이를 보일 칸이 비었거나 씨앗 수가 다르면.

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
            gap, half = paired_interval(score, first)
            cells[column] += f"<br><small>Δ\u00a0{gap:+.3f}\u00a0±\u00a0{half:.3f}</small>"
        filled[name] = cells
    return table(caption, columns, filled)
