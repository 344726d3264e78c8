"""답을 화면의 글, 한 장의 HTML, 마크다운 요약, CSV와 Parquet으로 쓴다."""

import io
import json
import math
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mgk_docs_src.own.answering import METRICS, Answer, Interval, Row
from mgk_docs_src.own.deciding import Classes, Curves, Threshold
from mgk_docs_src.own.reading import Note

_INK = "#010203"  # 그림의 글자와 선. HTML에서 글의 색을 따르도록 currentColor로 바꾼다
_COLOURS = ("#d55e00", "#0072b2", "#009e73")  # 색각이 달라도 구별되는 세 색

_LIMITS = ("임계값", "재현율", "정밀도", "비용(1,000줄)", "줄어든 비용(1,000줄)")

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.6 system-ui, "Apple SD Gothic Neo", "Malgun Gothic", sans-serif; max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; word-break: keep-all; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; display: block;
  overflow-x: auto; }
caption { text-align: start; font-weight: bold; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem; text-align: end; white-space: nowrap; }
th:first-child, td.text { text-align: start; }
td.text { white-space: normal; }
th:has(+ td.text) { white-space: normal; }
.answer { border-inline-start: .3rem solid #0072b2; padding: .2rem 1rem; background: var(--soft); }
svg { max-width: 100%; height: auto; }
pre { overflow-x: auto; background: var(--soft); padding: 1rem; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } section { break-inside: avoid; }
  pre { white-space: pre-wrap; } }
"""


class Report(NamedTuple):
    """보고서에 쓸 것들.

    Attributes:
        title: 파일과 정답 열의 이름.
        facts: 데이터의 사실. 이름과 값.
        notes: 읽으면서 알아낸 것들.
        answer: 답.
        classes: 클래스의 이름들.
        positive: 양성 클래스의 번호.
        by_class: 고른 방법의 클래스마다의 결과.
        threshold: 고른 방법의 임계값.
        rule: 임계값을 정한 규칙.
        curves: 방법마다의 곡선.
        recipe: 고른 방법의 코드.
        settings: 다시 잴 때의 설정.
    """

    title: str
    facts: dict[str, str]
    notes: Sequence[Note]
    answer: Answer
    classes: Sequence[str]
    positive: int
    by_class: Classes
    threshold: Threshold
    rule: str
    curves: Mapping[str, Curves]
    recipe: str
    settings: Mapping[str, Any]


# --- 글 ---


def found(facts: Mapping[str, str], notes: Sequence[Note]) -> str:
    """데이터의 사실과 알아낸 것들을 여러 줄의 글로 적는다.

    Args:
        facts: 이름과 값.
        notes: 알아낸 것들.

    Returns:
        글. 끝에 줄바꿈이 없다.

    References:
        Python 문서, `unicodedata.east_asian_width`.
    """
    lines = [f"{_padded(name, 10)}{_clean(value)}" for name, value in facts.items()]
    lines += ["", "읽으면서 알아낸 것"] if notes else []
    return "\n".join([*lines, *(f"  {_clean(_note(note))}" for note in notes)])


def verdict(answer: Answer) -> str:
    """결론의 문장들과 표를 글로 적는다. 표의 ±는 95 % 구간의 반너비다.

    Args:
        answer: 답.

    Returns:
        글. 끝에 줄바꿈이 없다.

    References:
        Nadeau, C. & Bengio, Y. (2003). Inference for the Generalization Error.
    """
    head, *body = _cells(answer)
    widths = [max(map(_width, column)) for column in zip(head, *body, strict=True)]
    rows = [head, ["-" * wide for wide in widths], *body]
    table = ["  ".join(map(_padded, cells, widths)).rstrip() for cells in rows]
    return "\n".join([*answer.sentences, "", *table])


def decided(report: Report) -> str:
    """고른 방법의 클래스마다의 재현율과 임계값을 글로 적는다.

    Args:
        report: 보고서에 쓸 것들.

    Returns:
        글. 끝에 줄바꿈이 없다.

    References:
        Elkan, C. (2001). The Foundations of Cost-Sensitive Learning.
    """
    limits = zip(_LIMITS, report.threshold, strict=True)
    recalls = zip(report.classes, report.by_class.recalls, strict=True)
    return "\n".join(
        [
            f"‘{report.answer.winner}’의 재현율",
            *(f"  {_padded(_clean(name), 20)} {_plus_minus(one)}" for name, one in recalls),
            f"임계값: 양성은 {_clean(report.classes[report.positive])}, {report.rule}",
            *(f"  {_padded(name, 20)} {_plus_minus(one)}" for name, one in limits),
            _saved(report.threshold),
        ]
    )


def _saved(threshold: Threshold) -> str:
    saved = threshold.saved
    said = "유의하게 줄었다" if saved.low > 0 else "유의하게 늘었다" if saved.high < 0 else "유의하게 달라지지 않았다"
    return f"이 임계값으로, 확률이 가장 높은 클래스를 답으로 할 때보다 비용이 {said}."


def _note(note: Note) -> str:
    return f"{note.where}: {note.what}" + (f". {note.done}" if note.done else "")


def _cells(answer: Answer) -> Iterator[list[str]]:
    yield ["방법", *METRICS, f"{answer.goal}: 교차 엔트로피보다", "판정"]
    for row in answer.rows:
        gap = "" if row.gap is None else f"{row.gap.mean:+.3f} [{row.gap.low:+.3f}, {row.gap.high:+.3f}]"
        yield [row.method, *(_plus_minus(row.scores[name]) for name in METRICS), gap, row.verdict]


def _plus_minus(one: Interval) -> str:
    half = one.high - one.mean
    return f"{one.mean:.3f} ± {half:.3f}" if math.isfinite(half) else f"{one.mean:.3f}"


def _clean(text: str) -> str:
    # 파일에서 온 글이 화면을 어지럽히지 않게 제어 문자를 없앤다.
    return "".join(letter for letter in text if letter.isprintable())


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


# --- 파일 ---


def write(folder: Path, report: Report, scores: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """폴더에 보고서를 쓴다: report.html, summary.md, scores.csv, scores.parquet, recipe.py, settings.json.

    Args:
        folder: 쓸 폴더. 없으면 만든다.
        report: 보고서에 쓸 것들.
        scores: 방법과 시드마다의 점수.

    Raises:
        OSError: 쓸 수 없으면.

    References:
        Apache Parquet 문서.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(
        [
            {"방법": method, "시드": seed, **{name: float(values[seed]) for name, values in each.items()}}
            for method, each in scores.items()
            for seed in range(len(next(iter(each.values()))))
        ]
    )
    table.to_csv(folder / "scores.csv", index=False, encoding="utf-8-sig")  # 한국어 엑셀에서도 그대로 열린다
    table.to_parquet(folder / "scores.parquet")
    settings = json.dumps(report.settings, ensure_ascii=False, indent=2, default=str)
    for name, text in {
        "report.html": html(report),
        "summary.md": markdown(report),
        "recipe.py": report.recipe,
        "settings.json": f"{settings}\n",
    }.items():
        (folder / name).write_text(text, "utf-8")


def markdown(report: Report) -> str:
    """붙여 넣을 짧은 요약.

    Args:
        report: 보고서에 쓸 것들.

    Returns:
        마크다운.

    References:
        GitHub Flavored Markdown Spec.
    """
    head, *body = _cells(report.answer)
    rows = [head, ["---"] * len(head), *body]
    return "\n".join(
        [
            f"### {report.title}",
            "",
            *(f"- {sentence}" for sentence in report.answer.sentences),
            "",
            *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows),
            "",
        ]
    )


def html(report: Report) -> str:
    """그림까지 든 한 장의 HTML. 네트워크 없이 열리고, 밝은 화면과 어두운 화면과 종이에 맞는다.

    Args:
        report: 보고서에 쓸 것들.

    Returns:
        HTML 글.

    References:
        WHATWG HTML 표준, `currentColor`.
    """
    answer = report.answer
    head, *body = _cells(answer)
    names = [escape(name) for name in report.classes]
    positive, winner, by = names[report.positive], answer.winner, report.by_class
    recalls = [[name, _plus_minus(one)] for name, one in zip(names, by.recalls, strict=True)]
    confusion = [[name, *(f"{cell:.1f}" for cell in row)] for name, row in zip(names, by.confusion, strict=True)]
    limits = [[label, _plus_minus(one)] for label, one in zip(_LIMITS, report.threshold, strict=True)]
    facts = [[escape(name), escape(value)] for name, value in report.facts.items()]
    notes = [[escape(part) for part in note] for note in report.notes]
    settings = escape(json.dumps(report.settings, ensure_ascii=False, indent=2, default=str))
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in answer.sentences)
    decided = f"<p>양성은 {positive}, {escape(report.rule)}. 임계값은 검증 데이터로 정하고 테스트 데이터에서 쟀다.</p>"
    scored = _table("±는 95 % 구간의 반너비", head, [[escape(cell) for cell in row] for row in body])
    confused = _table("혼동 행렬: 테스트 데이터 한 번의 평균 줄 수", ["정답 ╲ 예측", *names], confusion)
    sections = {
        "결론": f'<div class="answer">{said}</div>',
        "방법마다의 점수": scored + _forest(answer.rows, answer.goal),
        "클래스마다": _table(f"‘{winner}’의 재현율", ["클래스", "재현율"], recalls) + confused,
        "임계값": decided + _table(f"‘{winner}’의 임계값", ["", "값"], limits) + f"<p>{_saved(report.threshold)}</p>",
        "곡선": f"<p>양성은 {positive}. 선 하나가 시드 하나다.</p>{_lines(report.curves)}",
        "데이터": _table("사실", ["", "값"], facts, kind="text"),
        "읽으면서 알아낸 것": _table("고친 것 모두", ["어디", "무엇", "어떻게 했나"], notes, kind="text"),
        "고른 방법의 코드": f"<pre><code>{escape(report.recipe)}</code></pre>",
        "다시 재려면": f"<pre><code>{settings}</code></pre>",
    }
    return (
        '<!doctype html>\n<html lang="ko"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(report.title)}</h1>"
        + "".join(f"<section><h2>{name}</h2>{inside}</section>\n" for name, inside in sections.items())
        + "</main></body></html>\n"
    )


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "number") -> str:
    body = []
    for name, *cells in rows:
        inside = "".join(f'<td class="{kind}">{cell}</td>' for cell in cells)
        body.append(f'<tr><th scope="row">{name}</th>{inside}</tr>')
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    inside = f"<thead><tr>{top}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f"<table><caption>{escape(caption)}</caption>{inside}</table>"


# --- 그림 ---


def _figure(width: float, height: float, columns: int) -> tuple[Figure, list[Any]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = list(np.ravel(figure.subplots(1, columns)))
    for axis in axes:
        axis.set_facecolor("none")
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure, label: str) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    picture = stream.getvalue().replace(_INK, "currentColor")
    return picture[picture.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)


@contextmanager
def _inked() -> Iterator[None]:
    # 글자는 글자로 남겨 한국어 글꼴을 브라우저에 맡긴다. 그래서 여기 없는 글꼴을 찾지 못한다는 경고는 뜻이 없다.
    ink: dict[Any, Any] = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK
    )
    ink |= {"svg.fonttype": "none", "svg.hashsalt": "mgk"}  # 같은 그림이면 같은 파일이 된다
    with mpl.rc_context(ink), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def _forest(rows: Sequence[Row], goal: str) -> str:
    with _inked():
        figure, (axis,) = _figure(7, 0.35 * len(rows) + 1, 1)
        for place, row in enumerate(reversed(rows)):
            one = row.scores[goal]
            low, high = (end if math.isfinite(end) else one.mean for end in (one.low, one.high))
            colour = _COLOURS[1] if row.verdict != "나음" else _COLOURS[0]
            axis.plot([low, high], [place, place], color=colour)
            axis.plot(one.mean, place, "o", color=colour)
        axis.set_yticks(range(len(rows)), [row.method for row in reversed(rows)])
        axis.set_xlabel(f"{goal} (95 % 구간)")
        return _svg(figure, f"방법마다 {goal}의 평균과 95 % 구간")


def _lines(curves: Mapping[str, Curves]) -> str:
    with _inked():
        figure, (roc, pr, calibration) = _figure(9, 3.4, 3)
        for (method, one), colour in zip(curves.items(), _COLOURS, strict=False):
            for axis, lines in ((roc, one.roc), (pr, one.pr)):
                for place, (x, y) in enumerate(lines):
                    axis.plot(x, y, color=colour, alpha=0.5, linewidth=0.8, label=None if place else method)
            calibration.plot(one.calibration[:, 0], one.calibration[:, 1], "o-", color=colour, markersize=3)
        for axis in (roc, calibration):
            axis.plot([0, 1], [0, 1], color=_INK, alpha=0.4, linestyle=":")
        for axis, across, up in (
            (roc, "거짓 양성률", "참 양성률"),
            (pr, "재현율", "정밀도"),
            (calibration, "예측한 확률", "실제 비율"),
        ):
            axis.set(xlabel=across, ylabel=up, xlim=(0, 1), ylim=(0, 1.02))
        roc.legend(frameon=False, loc="lower right")
        return _svg(figure, "ROC 곡선, PR 곡선, 보정 곡선")
