"""mgk_book/prepare/numbers.py: 글에 옮겨 적은 수와 실습이 낸 수."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mgk_book.book import BookError
from mgk_book.prepare import __main__ as prepare
from mgk_book.prepare import numbers
from mgk_book.running.execution import Lab
from mgk_docs_src.labs import tables

KNOWN = {"labs/deep": {"그대로/점수": [0.8391], "차이": [-0.0412, 0.0385], "몫": [0.974], "0에 가까운": [-0.0004]}}


def written(root: Path, text: str, name: str = "page.md") -> Path:
    path = root / "docs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("그대로/점수", "0.839", "0.839"),
        ("그대로/점수", "0.84", "0.84"),
        ("그대로/점수", "0.841", "0.839"),
        ("그대로/점수", "+0.8", "+0.8"),
        ("차이", "−0.041 ± 0.038", "−0.041 ± 0.038"),
        ("차이", "+0.041 ± 0.039", "−0.041 ± 0.038"),
        ("몫", "97.4 %", "97.4 %"),
        ("몫", "98 %", "97 %"),
        ("0에 가까운", "0.000", "0.000"),
    ],
)
def test_the_digits_that_stand_are_those_of_the_run(tmp_path: Path, name: str, text: str, right: str) -> None:
    around = '첫 줄\n표 | <data value="labs/deep:{}">{}</data> | 끝\n'
    path = written(tmp_path, around.format(name, text))
    if text == right:
        numbers.check(tmp_path, KNOWN)
        assert numbers.rewrite(tmp_path, KNOWN) == []
    else:
        with pytest.raises(BookError) as caught:
            numbers.check(tmp_path, KNOWN)
        assert f"docs/page.md:2: '{text}'인데 실행해 보니 '{right}'이다" in str(caught.value)
        assert path.read_text("utf-8") == around.format(name, text)  # 보기만 하고 고치지 않는다
        assert [fault.right for fault in numbers.rewrite(tmp_path, KNOWN)] == [right]
    assert path.read_text("utf-8") == around.format(name, right)
    numbers.check(tmp_path, KNOWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<data value="labs/deep:없는 이름">1</data>', "docs/labs/deep.py:1: labs/deep에 '없는 이름'이라는 수가 없다"),
        ('<data value="labs/none:차이">1</data>', "docs/labs/deep.py:1: labs/none에 '차이'이라는 수가 없다"),
        ('<data value="labs/deep:차이">1</data>', "'1'에는 수가 1개인데 실습의 결과는 2개다"),
        ('<data value="labs/deep:몫">가장 높다</data>', "'가장 높다'에는 수가 0개인데 실습의 결과는 1개다"),
    ],
)
def test_a_reference_to_nothing_stops_the_build(tmp_path: Path, text: str, said: str) -> None:
    written(tmp_path, text, "labs/deep.py")
    with pytest.raises(BookError, match=said.replace(".", r"\.")):
        numbers.check(tmp_path, KNOWN)


def test_numbers_are_read_from_what_the_labs_put_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(tables, "display", lambda data, raw: shown.append(data))
    tables.record("차이", -0.5, 0.25)
    tables.record("몫", 0.75)
    outputs = [[{"output_type": "display_data", "data": data, "metadata": {}} for data in shown], []]
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"seconds": 1.0, "outputs": outputs}), "utf-8")
    empty = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    labs = [Lab("labs/deep", empty, path), Lab("labs/waiting", empty, tmp_path / "none.json")]
    assert numbers.recorded(labs) == {"labs/deep": {"차이": [-0.5, 0.25], "몫": [0.75]}}


def test_the_command_says_what_it_rewrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    path = written(tmp_path, '<data value="labs/deep:몫">0.1</data>')
    monkeypatch.setattr(numbers, "recorded", lambda labs: KNOWN)
    monkeypatch.setattr(numbers, "find", lambda *_: [])
    monkeypatch.setattr(numbers, "execute", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    prepare.main(["--numbers"])
    assert capsys.readouterr().out == "docs/page.md:1: '0.1'인데 실행해 보니 '1.0'이다\n"
    assert path.read_text("utf-8") == '<data value="labs/deep:몫">1.0</data>'


def test_every_reference_of_the_book_has_the_one_form() -> None:
    """실습이 낸 수와 같은지는 빌드가 본다."""
    for suffix in ("md", "py"):
        for path in (Path(__file__).parents[3] / "docs").rglob(f"*.{suffix}"):
            text = path.read_text("utf-8")
            assert text.count("<data") == len(numbers.BOUND.findall(text)), path
