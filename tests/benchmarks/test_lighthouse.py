"""benchmarks/lighthouse.py: 가운데값을 쓰고, 못 미친 것과 없는 도구를 말하고, GitHub Pages처럼 내보낸다."""

import gzip
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from benchmarks import lighthouse
from benchmarks.lighthouse import Score


def report(performance: float, lcp: float) -> dict:
    audits = {
        "largest-contentful-paint": {"numericValue": lcp, "score": 0.9},
        "cumulative-layout-shift": {"numericValue": 0.001, "score": 1},
        "total-blocking-time": {"numericValue": 12.3, "score": 1},
        "video-caption": {"score": None},
    }
    categories = {name: {"score": 1.0, "auditRefs": []} for name in lighthouse.CATEGORIES}
    refs = [{"id": name, "weight": 1} for name in audits]
    categories["performance"] = {"score": performance, "auditRefs": refs}
    return {"audits": audits, "categories": categories}


def test_the_table_is_the_middle_of_the_rounds() -> None:
    scores = [lighthouse.score(report(*pair)) for pair in ((0.97, 2500.0), (1.0, 1000.0), (0.99, 1500.0))]
    rows = {("글", "휴대전화"): lighthouse.middle(scores)}
    assert "| 글 | 휴대전화 | 99 | 100 | 100 | 100 | 1.50 | 0.001 | 12 |" in lighthouse.table(rows)
    assert not lighthouse.low(rows)
    assert lighthouse.low({("글", "책상"): Score((100, 97, 100, 100), 1, 0, 0)}) == [("글", "책상")]


def test_only_what_costs_points_is_a_fault() -> None:
    assert lighthouse.faults(report(0.97, 1.0)) == ["largest-contentful-paint"]


def test_a_page_that_could_not_be_measured_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="NO_FCP"):
        lighthouse.score({**report(0, 0), "runtimeError": {"message": "NO_FCP"}})
    with pytest.raises(RuntimeError, match="재지 못했다"):
        lighthouse.run("false", "chromium", "http://127.0.0.1/", [])


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lighthouse.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match=r"npx가 없다. Node.js"):
        lighthouse.required()


def test_text_is_sent_gzipped_under_a_sub_path(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "index.html").write_text("<p>글</p>", "utf-8")
    (tmp_path / "font.woff2").write_bytes(b"wOF2")
    with lighthouse.serving(tmp_path) as url:
        with urllib.request.urlopen(f"{url}part/") as page:
            assert page.headers["Content-Encoding"] == "gzip"
            assert page.headers["Cache-Control"] == "max-age=600"
            assert gzip.decompress(page.read()).decode() == "<p>글</p>"
        with urllib.request.urlopen(f"{url}font.woff2") as font:
            assert font.headers["Content-Encoding"] is None
            assert font.read() == b"wOF2"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{url}nope/")
