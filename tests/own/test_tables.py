"""mgk_docs_src/own/tables.py: 흐트러진 파일들을 끝까지 읽고, 고친 것을 모두 적는다."""

import numpy as np
import pandas as pd
import pytest

from mgk_docs_src.own.tables import LEAK, Table, load
from tests.own import messy
from tests.own.messy import FILES


def loaded(tmp_path, content, **options):
    path = tmp_path / "파일"
    path.write_bytes(content)
    return load(path, **{"target": "정답"} | options)


def said(table):
    return "\n".join(" | ".join(note) for note in table.notes)


@pytest.mark.parametrize("name", FILES)
def test_messy_files_are_read_and_everything_done_is_said(tmp_path, device, name):
    file = FILES[name]
    table = loaded(tmp_path, file.content, **file.options)
    assert isinstance(table, Table)
    assert file.check(table), table.frame
    for words in file.said:
        assert words in said(table)
    assert len(table.frame) == len(table.labels)
    assert set(table.labels) == set(range(len(table.classes)))
    assert set(table.frame) == {*table.numbers, *table.categories}


def test_there_are_many_kinds_of_mess():
    assert len(FILES) >= 40


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (messy.PLAIN, {"target": "정담"}, "target: '정담' 열이 없다. 비슷한 것: '정답'"),
        (messy.PLAIN, {"target": "zzz"}, "target: 'zzz' 열이 없다. 있는 것: '키', '도시', '정답'"),
        ("1,2\n3,4\n", {"target": "y"}, "--no-header"),
        (messy.PLAIN.replace("나\n", "가\n"), {}, "클래스가 '가' 하나뿐"),
        ("키,정답\n1,가\n2,나\n3,가\n", {}, "두 줄 이상인 클래스가 둘은 있어야 하는데 1개"),
        ("키,정답\n1,\n2,NA\n", {}, "값이 하나도 없다"),
        ("키,정답\n" + "".join(f"{i},{i % 101}\n" for i in range(202)), {}, "클래스가 101개다"),
        ("키,정답\n5,가\n5,나\n5,가\n5,나\n", {}, "특징으로 쓸 열이 남지 않았다. 열 ‘키’: 값이 ‘5’ 하나뿐"),
        ("정답\n가\n나\n가\n나\n", {}, "말고 다른 열이 없다"),
        ("키,정답\n", {}, "데이터가 한 줄도 없다"),
        (" \n\n", {}, "빈 파일"),
        (",\n,\n", {}, "빈 파일"),
        (messy.PLAIN, {"drop": ["무게"]}, "drop: '무게' 열이 없다"),
        (messy.PLAIN, {"drop": ["정답"]}, "drop: '정답'은(는) 정답이 든 열"),
        (messy.PLAIN, {"group": "정답"}, "group: '정답'은(는) 정답이 든 열"),
        (messy.PLAIN, {"time": "도시"}, "time: '도시' 열을 수나 날짜로 읽을 수 없다"),
    ],
)
@pytest.mark.bad_input
def test_what_cannot_be_learned_from_is_refused_in_one_line(tmp_path, content, options, message):
    with pytest.raises(ValueError, match=r".") as caught:
        loaded(tmp_path, content.encode(), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_table_is_sampled_in_the_proportions_of_its_classes(tmp_path, device):
    content = "키,정답\n" + "".join(f"{i % 97}.5,{'가' if i % 50 else '나'}\n" for i in range(2000))
    table = loaded(tmp_path, content.encode(), rows=500)
    assert np.bincount(table.labels).tolist() == [490, 10]
    assert "500줄을 무작위로 골랐다" in said(table)
    assert len(loaded(tmp_path, content.encode(), rows=0).labels) == 2000


def test_groups_and_times_are_kept_aside(tmp_path, device):
    content = messy.text(
        환자=["a", "a", "b", "b", "c", "c", "", "d"], 때=[f"2024-01-0{9 - i} 1{i}:00" for i in range(8)]
    )
    table = loaded(tmp_path, content.encode(), group="환자", time="때")
    assert table.groups.tolist() == [0, 0, 1, 1, 2, 2, 3, 4]
    assert np.argsort(table.times).tolist() == [*range(7, -1, -1)]
    assert not {"환자", "때"} & set(table.frame)
    numbered = loaded(tmp_path, messy.text(때=[5, 3, "", 1, 8, 7, 6, 2]).encode(), time="때")
    assert numbered.times.tolist() == [5, 3, 1, 1, 8, 7, 6, 2]


def test_leaks_are_named(tmp_path, device):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1], [150, 50]))
    near = labels.copy()
    near[:1] = 1 - near[:1]
    frame = pd.DataFrame(
        {
            "키": rng.normal(size=200).round(3),
            "같음": np.where(labels, "해지", "유지"),
            "거의": near * 3,
            "정답": labels,
        }
    )
    content = frame.to_csv(index=False).encode()
    table = loaded(tmp_path, content)
    assert list(table.frame) == ["키", "거의"]
    assert "‘같음’ | 정답과 하나씩 짝이 맞는다(누출)" in said(table)
    assert "‘거의’ | 이 열 하나로 정답을 거의 모두 맞힌다" in said(table)
    assert "‘키’" not in said(table)
    assert "같음" in loaded(tmp_path, content, keep=["같음"]).frame
    assert 0.9 < LEAK < 1


def test_repeated_rows_are_counted(tmp_path, device):
    content = (messy.text() + "\n".join(messy.text().splitlines()[1:3])).encode()
    assert "똑같은 줄 2개" in said(loaded(tmp_path, content))
    assert "똑같은 줄" not in said(loaded(tmp_path, messy.PLAIN.encode()))
