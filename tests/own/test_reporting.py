"""mgk_docs_src/own/reporting.py: 보고서는 네트워크 없이 열리고, 파일에서 온 글을 글로만 보인다."""

import ast
import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from mgk_docs_src.own.answering import METRICS, Interval, answer
from mgk_docs_src.own.deciding import by_class, curves, threshold
from mgk_docs_src.own.measuring import BASE
from mgk_docs_src.own.reading import Note
from mgk_docs_src.own.reporting import Report, decided, found, html, markdown, verdict, write
from tests.own.made import outcomes, scored, seeds

EVIL = "<script>alert(1)</script>|\x1b[31m"


@pytest.fixture
def made(device):
    prepared = seeds(5)
    scores = scored({"로짓 보정": 0.1}, count=5)
    random = np.random.default_rng(0)
    p = random.uniform(0.05, 0.95, 40)
    results = outcomes(np.stack([1 - p, p], 1), 5)
    report = Report(
        title=f"표.csv: {EVIL}",
        facts={"크기": "40줄", "클래스": EVIL},
        notes=[Note(f"열 ‘{EVIL}’", "빈칸 3개", "채웠다"), Note("파일", "인코딩 utf-8")],
        answer=answer(scores, prepared, goal="balanced", counts=(30, 10)),
        classes=["음성", EVIL],
        positive=1,
        by_class=by_class(results, prepared),
        threshold=threshold(results, prepared, positive=1),
        rule="거짓 양성과 거짓 음성의 비용은 1:1",
        curves={BASE: curves(results, prepared, positive=1)},
        recipe="print('<b>')\n",
        settings={"seeds": 5, "drop": [EVIL]},
    )
    return report, scores


class Tags(HTMLParser):
    """연 차례대로 닫히는지 보면서 태그와 글을 모은다."""

    VOID = ("meta", "!doctype", "br")

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.links, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value[0] != "#"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_stands_alone_and_is_whole(made):
    report, _ = made
    page = html(report)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.links == []
    assert "script" not in tags.seen and "link" not in tags.seen  # noqa: PT018
    assert tags.seen.count("svg") == 2
    assert "url(" not in page.replace("url(#", "")
    assert '<html lang="ko">' in page
    assert "color-scheme: light dark" in page and "@media print" in page  # noqa: PT018
    assert "currentColor" in page and "#010203" not in page  # noqa: PT018
    words = " ".join(tags.words)
    for sentence in report.answer.sentences:
        assert sentence in words
    for note in report.notes:
        assert all(part in words for part in note)
    assert "print('<b>')" in words
    assert "거짓 양성률" in words  # 그림의 글자도 글자다
    assert html(report) == page


def test_texts_say_everything_and_no_control_letters(made):
    report, _ = made
    said = found(report.facts, report.notes)
    assert "\x1b" not in said
    assert "빈칸 3개. 채웠다" in said
    assert said.endswith("파일: 인코딩 utf-8")
    assert found({"크기": "1줄"}, []) == "크기      1줄"
    table = verdict(report.answer).splitlines()
    assert table[0] == report.answer.sentences[0]
    rows = table[len(report.answer.sentences) + 1 :]
    assert rows[0].split() == [
        "방법",
        *["정확도", "균형", "정확도"],
        *METRICS[2:],
        *["균형", "정확도:", "교차", "엔트로피보다", "판정"],
    ]
    assert len(rows) == 2 + len(report.answer.rows)
    assert "\x1b" not in decided(report)
    assert "음성" in decided(report)


def test_what_a_threshold_saves_is_said_with_its_interval(made):
    report, _ = made
    for saved, words in (
        (Interval(5, 1, 9), "줄었다"),
        (Interval(-5, -9, -1), "늘었다"),
        (Interval(1, -1, 3), "달라지지 않았다"),
    ):
        one = report._replace(threshold=report.threshold._replace(saved=saved))
        assert decided(one).endswith(f"비용이 유의하게 {words}.")
        assert f"비용이 유의하게 {words}." in html(one)


def test_the_summary_is_a_table(made):
    report, _ = made
    rows = [line for line in markdown(report).splitlines() if line.startswith("|")]
    assert len({line.count("|") - line.count("\\|") for line in rows}) == 1


def test_one_seed_has_no_width(made):
    report, _ = made
    lone = answer(scored({}, count=1), seeds(1), goal="accuracy", counts=(30, 10))
    assert "inf" not in verdict(lone).split("\n\n")[1].replace("[-inf, +inf]", "")
    assert "<svg" in html(report._replace(answer=lone))


def test_files_hold_what_was_measured(made, tmp_path):
    report, scores = made
    write(tmp_path / "새" / "폴더", report, scores)
    folder = tmp_path / "새" / "폴더"
    names = {path.name for path in folder.iterdir()}
    assert names == {"report.html", "summary.md", "scores.csv", "scores.parquet", "recipe.py", "settings.json"}
    frame = pd.read_parquet(folder / "scores.parquet")
    pd.testing.assert_frame_equal(pd.read_csv(folder / "scores.csv"), frame)
    assert frame.query("방법 == '로짓 보정'")["균형 정확도"].tolist() == scores["로짓 보정"]["균형 정확도"].tolist()
    assert json.loads((folder / "settings.json").read_text("utf-8"))["drop"] == [EVIL]
    ast.parse((folder / "recipe.py").read_text("utf-8"))
