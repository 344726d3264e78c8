"""mgk_docs_src/labs/own.py: 독자의 CSV를 읽고, 사실을 세고, 손실을 비교하는 명령."""

import csv
import os
import runpy
import sys
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import datasets

from mgk_docs_src.labs import own
from mgk_docs_src.labs.choosing import FEWEST, METHODS, TEST_SHARE, Scores, Task, compare
from mgk_docs_src.labs.own import Facts, Table, advise, describe, findings, main, read_table, report, save, to_task
from mgk_docs_src.labs.tables import paired
from mgk_docs_src.losses.choosing import Recommendation, recommend
from mgk_docs_src.random import generator, randn

EXAMPLES = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TWO = METHODS[0], "로짓 보정"


def written(path, rows, *, delimiter=",", encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def small(**columns):
    """클래스 둘, 여덟 줄. 이름을 주면 그 열을 더한다."""
    table = {"a": range(10, 26, 2), "b": [0.5, 1, 4, 2, 3, 9, 8, 7], **columns, "y": [*"ppppqqqq"]}
    return [[*table], *zip(*table.values(), strict=True)]


def lines(*rows):
    """small()의 여덟 줄에 글 그대로의 줄을 더한다."""
    return "\n".join(",".join(map(str, row)) for row in small()) + "\n" + "".join(f"{row}\n" for row in rows)


@pytest.fixture
def iris(tmp_path):
    raw = datasets.load_iris()
    rows = [[*row, raw.target_names[kind]] for row, kind in zip(raw.data.tolist(), raw.target, strict=True)]
    return written(tmp_path / "iris.csv", [[*raw.feature_names, "품종"], *rows])


def some_scores(device, methods=3, seeds=5, shift=0.0):
    g = generator(0)
    values = (torch.sigmoid(randn(methods, seeds, generator=g, dtype=torch.float64)) for _ in range(5))
    accuracy, balanced, *rest = (value.to(device) for value in values)
    # 가운데 행은 거의 같은 만큼 높거나 낮다: 구간이 0을 포함하지 않는다.
    balanced[1] = balanced[0] + shift + 1e-3 * balanced[2]
    return Scores(accuracy, balanced, *rest)


def fact(**changed):
    return Facts(8, 2, (4, 4), 1.0, 0, 0, (), ())._replace(**changed)


ADVICE = Recommendation("손실", "이유", "losses/binary.md#use", "labs/choosing.ipynb#clean")


# --- 읽기 ---

name_letters = st.characters(categories=["L", "N", "P", "S"])
names_of_columns = st.text(name_letters, min_size=1, max_size=8).map(lambda name: unicodedata.normalize("NFC", name))
numbers = st.floats(allow_nan=False, allow_infinity=False)


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


@EXAMPLES
@given(
    st.lists(names_of_columns, min_size=2, max_size=5, unique=True).filter(
        lambda names: not all(map(is_number, names))
    ),
    st.lists(names_of_columns.filter(lambda name: not is_number(name)), min_size=2, max_size=3, unique=True),
    st.data(),
)
def test_what_was_written_is_read_back(tmp_path, names, kinds, data):
    place = data.draw(st.integers(0, len(names) - 1))
    labels = data.draw(st.permutations(sorted(kinds) * FEWEST))
    values = [[data.draw(numbers) for _ in names[1:]] for _ in labels]
    delimiter = data.draw(st.sampled_from(own.DELIMITERS))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig"]))
    rows = [[*row[:place], label, *row[place:]] for row, label in zip(values, labels, strict=True)]
    path = written(tmp_path / "t.csv", [names, *rows], delimiter=delimiter, encoding=encoding)
    table = read_table(path, target=names[place], delimiter=delimiter)
    torch.testing.assert_close(table.features, torch.tensor(values, dtype=torch.float64), atol=0, rtol=0)
    assert [table.classes[number] for number in table.labels] == labels
    assert table == Table(
        table.features, table.labels, (*names[:place], *names[place + 1 :]), tuple(sorted(kinds)), "utf-8", delimiter
    )


@pytest.mark.parametrize("delimiter", own.DELIMITERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_the_delimiter_and_the_encoding_are_found(tmp_path, device, delimiter, encoding):
    rows = small(**{"키, 몸무게; 합": range(8)})
    table = read_table(written(tmp_path / "t.csv", rows, delimiter=delimiter, encoding=encoding), target="y")
    assert (table.names, table.delimiter) == (("a", "b", "키, 몸무게; 합"), delimiter)
    assert table.encoding == encoding.removesuffix("-sig")
    assert to_task(table, device=device).features.shape == (8, 3)


def test_quotes_around_names_do_not_hide_the_delimiter(tmp_path, device):
    (tmp_path / "t.csv").write_text('"키";"y"\n' + '"1";"p"\n"2";"q"\n' * 4, "utf-8")
    table = read_table(tmp_path / "t.csv", target="y")
    assert (table.names, table.classes, table.delimiter) == (("키",), ("p", "q"), ";")
    assert to_task(table, device=device).features.shape == (8, 1)


def test_a_comma_in_a_name_does_not_make_the_commas_win(tmp_path, device):
    rows = "키,몸무게;y\n" + "1;p\n2;q\n" * 4
    (tmp_path / "t.csv").write_text(rows, "utf-8")
    assert read_table(tmp_path / "t.csv", target="y").names == ("키,몸무게",)
    assert to_task(read_table(tmp_path / "t.csv", target="y"), device=device).features.shape == (8, 1)


def test_spaces_blank_lines_and_decomposed_hangul_do_not_matter(tmp_path, device):
    text = unicodedata.normalize("NFD", '\n 키 , "품  종"\n\n1, "가 나"\n 2 ,다\n') + "1,가  나 \n2,다\n" * 3 + "\n"
    (tmp_path / "t.csv").write_text(text, "utf-8")
    for target in ("품 종", unicodedata.normalize("NFD", " 품 종")):
        table = read_table(str(tmp_path / "t.csv"), target=target)
        assert (table.names, table.classes) == (("키",), ("가 나", "다"))
        assert to_task(table, device=device).features[:, 0].tolist() == [0, 1] * 4


def test_numbers_as_answers_are_in_the_order_of_numbers(tmp_path, device):
    rows = [["x", "y"], *([number, label] for number, label in enumerate(["10", "2", "2.0", "-1"] * 4))]
    table = read_table(written(tmp_path / "t.csv", rows), target="y")
    assert table.classes == ("-1", "2", "10")
    assert to_task(table, device=device).labels.tolist() == [2, 1, 1, 0] * 4


def test_a_column_may_be_dropped_and_one_may_be_nameless(tmp_path, device):
    rows = small(**{"": range(8), "이름": "가나다라마바사아"})
    table = read_table(written(tmp_path / "t.csv", rows), target="y", drop=["이름", "a"])
    assert table.names == ("b", "3번째 열")
    assert describe(table).index_like == ("3번째 열",)
    assert to_task(table, device=device).features.shape == (8, 2)


# --- 사실 ---


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=20))
def test_the_facts_are_those_that_counting_finds(device, rows):
    rows = [*rows, (0, 0, 0), (0, 0, 1), (0, 0, 2)]
    features = torch.tensor([row[:2] for row in rows], dtype=torch.float64, device=device)
    table = Table(
        features, torch.tensor([row[2] for row in rows], device=device), ("a", "b"), ("가", "나", "다"), "", ""
    )
    facts = describe(table)
    kinds = Counter(row[2] for row in rows)
    assert facts.counts == tuple(kinds[kind] for kind in range(3))
    assert facts.imbalance == max(kinds.values()) / min(kinds.values())
    assert facts.duplicates == len(rows) - len(set(rows))
    best = Counter()
    for row, times in Counter(rows).items():
        best[row[:2]] = max(best[row[:2]], times)
    assert facts.conflicts == len(rows) - sum(best.values())
    assert facts.constant == tuple(
        name for name, column in zip("ab", [*zip(*rows, strict=True)][:2], strict=True) if len(set(column)) == 1
    )
    order = torch.randperm(len(rows), generator=generator(0)).to(device)
    assert describe(table._replace(features=features[order], labels=table.labels[order])) == facts


def test_a_column_of_row_numbers_is_told_apart(device):
    n = 6
    columns = {
        "번호": [3, 4, 5, 8, 7, 6],
        "겹침": [1, 1, 2, 3, 4, 5],
        "빠짐": [1, 2, 3, 4, 5, 7],
        "반": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
        "상수": [1] * n,
    }
    features = torch.tensor([*columns.values()], dtype=torch.float64, device=device).T
    table = Table(features, torch.arange(n, device=device) % 2, tuple(columns), ("가", "나"), "utf-8", ",")
    facts = describe(table)
    assert (facts.rows, facts.columns) == (n, 5)
    assert (facts.index_like, facts.constant) == (("번호",), ("상수",))
    task = to_task(table, device=device)
    assert isinstance(task, Task)
    assert task.features.device.type == device.type
    assert task.features.dtype == torch.get_default_dtype()
    low, high = features[:, :4].amin(0), features[:, :4].amax(0)
    torch.testing.assert_close(task.features.double(), (features[:, :4] - low) / (high - low), atol=1e-7, rtol=0)


@EXAMPLES
@given(st.lists(st.tuples(numbers, st.sampled_from([1.7e18, 1.7e18 + 1e6, -3.0])), min_size=2, max_size=12))
def test_columns_of_any_size_become_usable_features(device, rows):
    features = torch.tensor(rows, dtype=torch.float64, device=device)
    labels = torch.arange(len(rows), device=device) % 2
    table = Table(features, labels, ("a", "b"), ("가", "나"), "utf-8", ",")
    varied = [name not in describe(table).constant for name in table.names]
    if not any(varied):
        with pytest.raises(ValueError, match="모두 하나뿐"):
            to_task(table, device=device)
        return
    task = to_task(table, device=device)
    assert task.features.amin(0).tolist() == [0.0] * sum(varied)
    assert task.features.amax(0).tolist() == [1.0] * sum(varied)
    shown = features[:, varied]
    # 차례는 뒤집히지 않는다.
    order = shown.argsort(0)
    assert (task.features.gather(0, order).diff(dim=0) >= 0).all()
    if varied[1] and not (features[:, 1] < 0).any():
        assert len(task.features[:, -1].unique()) == 2  # float32라면 1.7e18과 한 수다


@pytest.mark.parametrize("counts", [(4, 4), (400, 4), (50, 50, 50), (5000, 40, 4)])
@pytest.mark.parametrize("goal", ["accuracy", "balanced", "calibration"])
def test_the_advice_is_the_guides(device, counts, goal):
    facts = fact(counts=counts, imbalance=counts[0] / counts[-1])
    labels = "binary" if len(counts) == 2 else "classes"
    truth = recommend(labels=labels, goal=goal, imbalance=facts.imbalance, per_class=counts[-1])
    assert advise(facts, goal=goal) == truth
    assert all(truth)
    assert device


def test_findings_say_what_was_seen(device):
    table = Table(torch.zeros(8, 2, device=device), torch.zeros(8), ("a", "b"), ("가", "나"), "cp949", "\t")
    plain = findings(table, fact(), ADVICE).splitlines()
    assert [line.split("  ")[0].rstrip() for line in plain] == [
        *("인코딩", "크기", "클래스", "균형", "중복 줄", "상수 열", "추천", "이유", "전제", "페이지", "근거")
    ]
    assert [line.endswith("없음") for line in plain[4:6]] == [True, True]
    assert "탭" in plain[0]
    facts = fact(
        counts=(9, 1234),
        imbalance=1234 / 9,
        duplicates=3,
        conflicts=2,
        constant=tuple("abcdefg"),
        index_like=("번\x1b[31m호" + "긴" * 50,),
    )
    full = findings(table._replace(delimiter=","), facts, ADVICE)
    for said in (
        "가 9줄, 나 1,234줄",
        "(가, 9줄)의 137.11배",
        "3줄. 같은 줄이",
        "맞힐 수 없는 줄 2",
        "a, b, c, d, e … 모두 7개",
    ):
        assert said in full
    assert "번[31m호긴" in full  # 화면의 색을 바꾸는 제어 문자는 뺀다
    assert "긴" * 40 not in full
    assert "--drop" in full
    assert all(part in full for part in ADVICE)


# --- 표 ---


@pytest.mark.parametrize(("shift", "said"), [(0.2, "높음"), (-0.2, "낮음"), (0.0, "유의하지 않음")])
def test_the_report_says_no_more_than_the_intervals(device, shift, said):
    scores = some_scores(device, shift=shift)
    if shift == 0:
        scores.balanced_accuracy[1] = scores.balanced_accuracy[0]
    told = report(scores, ["기준법", "둘째법", "셋째법"], test_share=0.5).splitlines()
    head, rule, base, middle, last, blank, closing = told
    assert head.startswith("방법")
    assert set(rule) == {"-", " "}
    assert blank == ""
    assert base.endswith("기준")
    assert middle.endswith(said)
    assert last.endswith("유의하지 않음")
    for row, line in zip(range(3), (base, middle, last), strict=True):
        for score in scores:
            mean = paired(score[row], torch.zeros_like(score[row]), test_share=0.5)
            assert f"{mean.difference:.3f} ± {mean.high - mean.difference:.3f}" in line
    gap = paired(scores.balanced_accuracy[1], scores.balanced_accuracy[0], test_share=0.5)
    assert f"{gap.difference:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] {said}" in middle
    assert ("둘째법" in closing) == (shift != 0)
    assert "셋째법" not in closing
    assert "유의하지 않다" in closing
    if shift:
        assert f"‘기준법’보다 균형 정확도가 유의하게 {said[0]}은 방법: 둘째법" in closing
    assert "5번 다시 나눈 95 % 신뢰 구간" in closing
    assert "2가지 가운데 평균 0.1가지쯤" in closing
    # 한글이 섞여도 칸이 맞는다.
    starts = {
        sum(2 if unicodedata.east_asian_width(letter) == "W" else 1 for letter in line[: line.index("0.")])
        for line in told[2:5]
    }
    assert len(starts) == 1


def test_nothing_ties_and_nothing_to_compare(device):
    scores = some_scores(device, methods=3, shift=0.2)
    two = Scores(*(score[:2] for score in scores))
    assert "유의하지 않다" not in report(two, ["가", "나"]).splitlines()[-1]
    alone = Scores(*(score[:1] for score in scores))
    assert report(alone, ["가"]).splitlines()[-1] == "가만 재어 비교할 방법이 없다."


def test_the_saved_table_is_the_reports(tmp_path, device):
    scores, path = some_scores(device), tmp_path / "out.csv"
    save(path, scores, ["가", "나, 다", "라"], test_share=0.25)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # 엑셀이 UTF-8로 읽는 표시
    with path.open(newline="", encoding="utf-8-sig") as file:
        head, *rows = csv.reader(file)
    assert head[:3] == ["방법", "정확도", "정확도 ±"]
    assert head[-4:] == ["차이", "아래", "위", "판정"]
    assert [row[0] for row in rows] == ["가", "나, 다", "라"]
    assert rows[0][-4:] == ["", "", "", "기준"]
    gap = paired(scores.balanced_accuracy[2], scores.balanced_accuracy[0], test_share=0.25)
    assert list(map(float, rows[2][-4:-1])) == [end.item() for end in gap]
    means = list(map(float, rows[1][1:-4:2]))
    assert means == pytest.approx([score[1].mean().item() for score in scores])
    with pytest.raises(ValueError, match="이미 있다"):
        save(path, scores, ["가", "나", "다"])
    save(path, some_scores(device, seeds=3), ["가", "나", "다"], force=True)
    assert "나, 다" not in path.read_text("utf-8")
    assert files(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_half_written_stays(tmp_path, device, monkeypatch, fault):
    def fails(*_):
        raise fault

    monkeypatch.setattr(Path, "replace", fails)
    (tmp_path / "out.csv").write_text("옛 결과", "utf-8")
    with pytest.raises((ValueError, KeyboardInterrupt), match=r"쓸 수 없다\(No space|^$"):
        save(tmp_path / "out.csv", some_scores(device), ["가", "나", "다"], force=True)
    assert files(tmp_path) == ["out.csv"]
    assert (tmp_path / "out.csv").read_text("utf-8") == "옛 결과"


# --- 명령 ---


def test_the_command_from_end_to_end(iris, device, capsys):
    output = iris.with_name("out.csv")
    arguments = ["--methods", "로짓 보정", "--seeds", "2", "--output", str(output), "--device", str(device)]
    assert main([str(iris), "--target", "품종", *arguments]) == 0
    out, err = capsys.readouterr()
    table = read_table(iris, target="품종")
    facts = describe(table)
    assert facts == Facts(150, 4, (50, 50, 50), 1.0, 1, 0, (), ())
    raw = datasets.load_iris()
    task = to_task(table, device=device)
    torch.testing.assert_close(table.features, torch.from_numpy(raw.data), atol=0, rtol=0)
    assert task.labels.tolist() == raw.target.tolist()
    scores = compare(task, methods=TWO, seeds=2)
    assert out == f"{findings(table, facts, advise(facts))}\n\n{report(scores, TWO, test_share=TEST_SHARE)}\n"
    assert "비교: 100%" in err
    assert "2/2" in err
    assert files(iris.parent) == ["iris.csv", "out.csv"]
    with output.open(newline="", encoding="utf-8-sig") as file:
        assert float([*csv.reader(file)][1][1]) == pytest.approx(scores.accuracy[0].mean().item())


def fake(monkeypatch, device):
    """엔진을 바꿔, 명령이 무엇을 넘겼는지 본다."""
    seen = {}

    def compare(task, *, methods, seeds, progress):
        seen.update(task=task, methods=methods, seeds=seeds)
        for name in methods:
            progress(name)
        return some_scores(device, methods=len(methods))

    monkeypatch.setattr(own, "compare", compare)
    return seen


def test_the_options_reach_the_engine(tmp_path, device, monkeypatch, capsys):
    seen = fake(monkeypatch, device)
    path = written(tmp_path / "t.csv", small(이름="가나다라마바사아"), delimiter="\t")
    for tab in ("tab", "\\t", "\t"):
        assert main([str(path), "--target", "y", "--drop", "이름", "--drop", "b", "--delimiter", tab]) == 0
    assert (seen["methods"], seen["seeds"]) == (METHODS, 10)
    assert seen["task"].features[:, 0].tolist() == pytest.approx([step / 7 for step in range(8)])
    wanted = ",".join([METHODS[3], f" {METHODS[1]} ", METHODS[3]])
    assert main([str(path), "--target", "y", "--drop", "이름", "--methods", wanted, "--goal", "balanced"]) == 0
    assert seen["methods"] == (METHODS[0], METHODS[1], METHODS[3])
    assert recommend(labels="binary", goal="balanced", per_class=4).reason in capsys.readouterr().out
    assert files(tmp_path) == ["t.csv"]


def test_force_overwrites_and_only_force(tmp_path, device, monkeypatch, capsys):
    fake(monkeypatch, device)
    path, output = written(tmp_path / "t.csv", small()), tmp_path / "out.csv"
    output.write_text("옛 결과", "utf-8")
    arguments = [str(path), "--target", "y", "--output", str(output)]
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"오류: {output}: 이미 있다. 덮어쓰려면 --force\n")
    assert output.read_text("utf-8") == "옛 결과"
    assert main([*arguments, "--force"]) == 0
    assert "방법" in output.read_text("utf-8")


def test_an_interrupt_leaves_nothing(tmp_path, device, monkeypatch, capsys):
    def interrupted(*_, progress, **__):
        progress("하나")
        raise KeyboardInterrupt

    monkeypatch.setattr(own, "compare", interrupted)
    path = written(tmp_path / "t.csv", small())
    assert main([str(path), "--target", "y", "--output", str(tmp_path / "out.csv"), "--device", str(device)]) == 130
    assert "멈췄다" in capsys.readouterr().err
    assert files(tmp_path) == ["t.csv"]


def test_it_runs_as_a_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["own", "없는.csv", "--target", "y"])
    monkeypatch.delitem(sys.modules, own.__name__)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module(own.__name__, run_name="__main__")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "오류: 없는.csv: 그런 파일이 없다\n"


def test_help_is_korean_and_a_wrong_command_line_ends_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    told = capsys.readouterr().out
    assert "내 데이터로 손실을 비교한다" in told
    assert not {"positional", "show", "options"} & set(told.split())
    with pytest.raises(SystemExit) as stopped:
        main(["데이터.csv"])
    assert stopped.value.code == 2
    assert "--target" in capsys.readouterr().err


HEAD = "a,b,y\n"
FAULTS = {
    "빈 파일": ("", "빈 파일이다"),
    "빈칸뿐": (" \n\n", "빈 파일이다"),
    "머리글뿐": (HEAD, "머리글만 있고"),
    "머리글 없음": ("1,2.5,3\n4,5,6\n", "머리글: 첫 줄이 모두 수"),
    "빈 머리글": (",,\n1,2,p\n", "머리글: 첫 줄이 모두 수이거나 비어"),
    "겹친 머리글": ("a,y,a\n1,p,2\n", "머리글: 열 'a'이(가) 2번 나온다"),
    "답이 없음": (lines().replace("a,b,y", "a,b,Y1"), "target: 'y' 열이 없다. 비슷한 것: 'Y1'"),
    "답과 먼 이름": (lines().replace("a,b,y", "a,b,종류"), "target: 'y' 열이 없다. 있는 것: 'a', 'b', '종류'"),
    "답뿐": ("y\np\nq\n", "특징으로 쓸 열이 없다"),
    "모자란 칸": (lines("1,p"), "10번째 줄: 칸이 3개여야 하는데 2개다"),
    "남는 칸": (lines("", "1,2,p,"), "11번째 줄: 칸이 3개여야 하는데 4개다"),
    "글자": (lines("1,큼,p"), "10번째 줄, 열 'b': 수여야 하는데 '큼'이다"),
    "밑줄": (lines("1_0,1,p"), "10번째 줄, 열 'a': 수여야 하는데 '1_0'이다"),
    "소수점 쉼표": (lines('1,"2,5",p'), "10번째 줄, 열 'b': 수여야 하는데 '2,5'이다. 소수점은 점으로"),
    "빈 칸": (lines("1, ,p"), "10번째 줄, 열 'b': 칸이 비었다"),
    "NaN": (lines("NaN,1,p"), "10번째 줄, 열 'a': 유한한 수여야 하는데 'NaN'이다"),
    "무한대": (lines("1,-inf,p"), "10번째 줄, 열 'b': 유한한 수여야 하는데 '-inf'이다"),
    "넘치는 수": (lines("1,1e999,p"), "10번째 줄, 열 'b': 유한한 수여야 하는데 '1e999'이다"),
    "빈 답": (lines("1,2,"), "10번째 줄, 답 'y': 칸이 비었다"),
    "NaN 답": (lines("1,2,nan"), "10번째 줄, 답 'y': 'nan'은(는) 클래스가 아니다"),
    "한 클래스": (HEAD + "1,2,p\n3,4,p\n", "답 'y': 클래스가 둘 이상이어야 하는데 'p' 하나뿐이다"),
    "드문 클래스": (lines("1,2,r", "1,2,r", "1,2,r"), "'r'은(는) 3줄이다"),
    "회귀": (
        HEAD + "".join(f"1,2,{i / 8}\n" for i in range(101)),
        "클래스가 100개까지인데 101개다. 연속된 값을 예측하는 회귀",
    ),
    "상수뿐": (HEAD + "1,2,p\n1,2,q\n" * 4, "특징 열 2개의 값이 모두 하나뿐"),
    "닫지 않은 따옴표": (lines('1,"2,p'), "10번째 줄: 따옴표나 칸이 잘못되어"),
    "따옴표 뒤의 글자": (lines('1,"2"3,p'), "10번째 줄: 따옴표나 칸이 잘못되어"),
    "긴 칸": (lines(f"1,{'9' * 200_000},p"), "10번째 줄: 따옴표나 칸이 잘못되어"),
    "NUL": (b"PK\x03\x04\x00\x00", "NUL 바이트가 있어 CSV가 아니다"),
    "UTF-16": (lines().encode("utf-16"), "NUL 바이트가 있어 CSV가 아니다"),
    "다른 글자": (b"a,\xe9,y\n1,2,p\n", "인코딩이 UTF-8도 CP949도 아니다"),
}
WRONG_OPTIONS = {
    "구분자": (["--delimiter", "|"], "delimiter: ',', ';', 탭 가운데 하나여야 하는데 '|'이다"),
    "없는 열을 뺌": (["--drop", "A"], "drop: 'A' 열이 없다. 비슷한 것: 'a'"),
    "답을 뺌": (["--drop", "y"], "drop: 답이 든 열 'y'은(는) 뺄 수 없다"),
    "모두 뺌": (["--drop", "a", "--drop", "b"], "특징으로 쓸 열이 없다"),
    "방법": (["--methods", "로짓 보전"], "--methods: '로짓 보전'은(는) 모르는 방법이다. 비슷한 것: '로짓 보정'"),
    "빈 방법": (["--methods", ""], "--methods: ''은(는) 모르는 방법이다"),
    "시드 하나": (["--seeds", "1"], "--seeds: 2에서 1000까지의 정수여야 하는데 '1'이다"),
    "시드가 많음": (["--seeds", "1001"], "--seeds: 2에서 1000까지의 정수여야 하는데 '1001'이다"),
    "시드가 글자": (["--seeds", "열"], "--seeds: 2에서 1000까지의 정수여야 하는데 '열'이다"),
    "시드가 음수": (["--seeds", "-3"], "--seeds: 2에서 1000까지의 정수여야 하는데 '-3'이다"),
    "장치": (["--device", "tpu9"], "'tpu9'"),
    "없는 장치": (["--device", "cuda:99"], "장치 'cuda:99'가 없다"),
    "목표": (["--goal", "행복"], "goal"),
    "맞지 않는 목표": (["--goal", "density"], "하는데 'density'이다"),
}


def refused(capsys, folder, *arguments):
    """오류로 끝났고, 남긴 파일이 없고, 한 줄이다. 그 줄을 돌려준다."""
    before = {path: path.stat().st_size for path in folder.rglob("*")}
    assert main(list(map(str, arguments))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("오류: ")
    assert err.count("\n") == 1
    assert {path: path.stat().st_size for path in folder.rglob("*")} == before
    return err


@pytest.mark.bad_input
@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_file_is_a_clear_error(tmp_path, capsys, name):
    contents, message = FAULTS[name]
    path = tmp_path / "t.csv"
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    assert message in refused(capsys, tmp_path, path, "--target", "y", "--output", tmp_path / "out.csv")
    with pytest.raises(ValueError, match=r"."):
        to_task(read_table(path, target="y"))


@pytest.mark.bad_input
@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_a_wrong_option_is_a_clear_error(tmp_path, capsys, name):
    arguments, message = WRONG_OPTIONS[name]
    path = written(tmp_path / "t.csv", small())
    assert message in refused(capsys, tmp_path, path, "--target", "y", "--output", tmp_path / "out.csv", *arguments)


@pytest.mark.bad_input
def test_a_path_that_cannot_be_read(tmp_path, capsys, monkeypatch):
    def said(path):
        return refused(capsys, tmp_path, path, "--target", "y", "--output", tmp_path / "out.csv")

    assert said(tmp_path / "없음.csv") == f"오류: {tmp_path}/없음.csv: 그런 파일이 없다\n"
    assert "폴더다" in said(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "보통 파일이 아니다" in said(tmp_path / "pipe")
    path = written(tmp_path / "t.csv", small())
    for fault, message in (
        (PermissionError(13, "x"), "읽을 권한이 없다"),
        (OSError(5, "입출력"), "읽을 수 없다(입출력)"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(Path, "read_bytes", lambda _, fault=fault: (_ for _ in ()).throw(fault))
            assert message in said(path)


@pytest.mark.bad_input
def test_a_file_that_is_too_big(tmp_path, capsys, monkeypatch):
    with (tmp_path / "t.csv").open("wb") as file:
        file.truncate(own.MAX_BYTES + 1_000_000)  # 구멍 난 파일: 디스크를 쓰지 않는다
    assert "101 MB다. 100 MB까지" in refused(capsys, tmp_path, tmp_path / "t.csv", "--target", "y")
    monkeypatch.setattr(own, "MAX_CELLS", 21)
    path = written(tmp_path / "u.csv", small())
    told = refused(capsys, tmp_path, path, "--target", "y")
    assert "9번째 줄: 칸이 21개를 넘는다. 이 데이터라면 7줄까지다" in told
    monkeypatch.setattr(own, "MAX_CELLS", 24)
    assert describe(read_table(path, target="y")).rows == 8
    monkeypatch.setattr(own, "MAX_WORK", 8 * 3 - 1)
    told = refused(capsys, tmp_path, path, "--target", "y", "--seeds", "3")
    assert "8줄을 3번 나누어 학습하기에는 크다" in told
    assert "줄 × 시드가 23까지다. 줄을 7개까지" in told


@pytest.mark.bad_input
def test_an_output_that_cannot_be_written(tmp_path, device, capsys, monkeypatch):
    path = written(tmp_path / "t.csv", small())

    def said(output, *more):
        return refused(capsys, tmp_path, path, "--target", "y", "--output", output, *more)

    assert "폴더다" in said(tmp_path)
    assert "쓸 수 없다" in said(tmp_path / "없는 폴더" / "out.csv")
    assert "읽을 데이터 파일이다" in said(path, "--force")

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", forbidden)
    assert "쓸 수 없다(Permission denied)" in said(tmp_path / "out.csv")
    with pytest.raises(ValueError, match="쓸 수 없다"):
        save(tmp_path / "out.csv", some_scores(device), ["가", "나", "다"])


@pytest.mark.bad_input
def test_scores_that_do_not_fit(tmp_path, device):
    scores = some_scores(device)
    for tell in (report, lambda *both: save(tmp_path / "out.csv", *both)):
        with pytest.raises(ValueError, match="methods: 점수의 행 3개와 같아야 하는데 2개다"):
            tell(scores, ["가", "나"])
        with pytest.raises(ValueError, match="seeds"):
            tell(Scores(*(score[:, :1] for score in scores)), ["가", "나", "다"])
    with pytest.raises(ValueError, match="goal"):
        advise(fact(), goal="행복")
    assert files(tmp_path) == []
