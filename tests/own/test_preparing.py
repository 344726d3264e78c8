"""mgk_docs_src/own/preparing.py: 나눌 때마다 학습 데이터에서만 배우고, 묶음과 시각을 지킨다."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgk_docs_src.own import preparing
from mgk_docs_src.own.preparing import TEST_SHARE, Part, Prepared, dense, divide, encoder, prepare
from tests.own.tabled import blobs, tabled


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(2, 40), min_size=2, max_size=5))
def test_every_class_is_learned_and_tested(counts):
    table = blobs(counts)
    for part in divide(table, seeds=3):
        assert set(table.labels[part.learn]) == set(table.labels[part.test]) == set(range(len(counts)))
        assert not set(part.test) & {*part.learn, *part.validation}
        assert set(part.learn) | set(part.validation) | set(part.test) == set(range(len(table.labels)))
        assert len(part.validation)


def test_shares_and_seeds(device):
    table = blobs([400, 100])
    one, two = divide(table, seeds=2)
    assert isinstance(one, Part)
    assert [len(rows) for rows in one] == [300, 75, 125]
    assert np.bincount(table.labels[one.test]).tolist() == [100, 25]
    assert one.test.tolist() != two.test.tolist()
    assert one.test.tolist() == divide(table, seeds=1)[0].test.tolist()
    assert TEST_SHARE == 0.25


def test_groups_stay_together(device):
    groups = np.arange(200) % 20
    table = blobs([100, 100])._replace(groups=groups)
    for part in divide(table, seeds=5):
        sides = [set(groups[rows]) for rows in part]
        assert [len(side) for side in sides] == [12, 3, 5]
        assert not sides[0] & sides[1] and not sides[1] & sides[2] and not sides[0] & sides[2]  # noqa: PT018
    with pytest.raises(ValueError, match="group: 묶음 2개를 어떻게 나누어도"):
        divide(table._replace(groups=table.labels), seeds=1)


def test_the_past_is_learned_and_the_future_tested(device):
    times = np.repeat(np.arange(50.0), 4)
    table = tabled(np.zeros((200, 1)), np.arange(200) % 2, times=times[::-1].copy())
    cuts = []
    for part in divide(table, seeds=3):
        order = [table.times[rows] for rows in part]
        assert order[0].max() < order[1].min() <= order[1].max() < order[2].min()
        assert len(part.test) == 50
        cuts.append(order[2].min())
    assert cuts == sorted(set(cuts))
    with pytest.raises(ValueError, match="time: 앞부분에 없는 클래스"):
        divide(table._replace(labels=(table.times > 40).astype(int)), seeds=2)
    with pytest.raises(ValueError, match="group: --time과 함께"):
        divide(table._replace(groups=table.labels), seeds=2)


def test_the_test_part_does_not_reach_what_is_learned_from_the_rest(device):
    random = np.random.default_rng(0)
    features = random.normal(size=(80, 4))
    features[:, 3] = random.integers(0, 3, 80)
    features[::7, 1] = np.nan
    table = tabled(features, np.arange(80) % 2, categories=[3])
    parts = divide(table, seeds=2)
    (before,) = prepare(table, parts[:1])
    spoilt = table.frame.copy()
    spoilt.loc[parts[0].test, "x0"] = 1e6
    spoilt.loc[parts[0].test, "x3"] = "처음 보는 범주"
    (after,) = prepare(table._replace(frame=spoilt), parts[:1])
    assert isinstance(before, Prepared)
    for side in (0, 1):
        np.testing.assert_array_equal(before[side][0], after[side][0])
    assert np.abs(after.test[0]).max() == preparing.CLIP
    assert after.test[0][:, -3:].sum() == 0  # 처음 보는 범주는 어느 열에도 들지 않는다


def test_values_are_those_of_the_definition(device):
    frame = [[1.0, 0], [2.0, 0], [3.0, 1], [np.nan, 1], [6.0, 0], [0.0, 0]] + [[2.0, 0]] * 6 + [[2.0, 1]] * 6
    table = tabled(frame, [0, 1] * 9, categories=[1])
    made = encoder(table, np.arange(18))
    x = dense(made, table.frame)
    filled = np.where(np.isnan(table.frame["x0"]), 2.0, table.frame["x0"])
    np.testing.assert_allclose(x[:, 0], (filled - filled.mean()) / filled.std(), rtol=1e-6)
    assert x[3, 1] == x[:, 1].max()  # 빈칸이었다는 열
    np.testing.assert_array_equal(x[:, 2:].argmax(1), [row[1] for row in frame])
    rare = encoder(table, np.array([0, 1, 2, 3, 4, 5, 6]))
    assert dense(rare, table.frame).shape == (18, 4)  # 다섯 번 나온 범주와, 묶은 나머지


def test_seeds_have_one_width(device):
    features = np.c_[np.arange(60) % 12, np.arange(60.0)]
    table = tabled(features, np.arange(60) % 2, categories=[0])
    made = prepare(table, divide(table, seeds=4))
    assert len({x.shape[1] for some in made for x, _ in some}) == 1


def test_a_wide_table_keeps_what_separates(device, monkeypatch):
    monkeypatch.setattr(preparing, "WIDTH", 5)
    random = np.random.default_rng(0)
    labels = np.arange(300) % 2
    features = np.c_[random.integers(0, 40, (300, 3)), random.normal(size=(300, 4)), np.ones(300)]
    features[:, 4] += 3 * labels
    table = tabled(features, labels, categories=[0, 1, 2])
    made = encoder(table, np.arange(200))
    assert hasattr(made.transform(table.frame), "toarray")  # 희소 행렬 그대로 고른다
    x = dense(made, table.frame)
    assert x.shape == (300, 5)
    assert x.dtype == np.float32
    assert max(abs(np.corrcoef(column, labels)[0, 1]) for column in x.T) > 0.7


def test_text_columns_of_pandas_are_read(device):
    frame = pd.DataFrame({"도시": pd.array(["서울", "부산"] * 10, dtype="str")})
    table = tabled(np.zeros((20, 1)), [0, 1] * 10)._replace(frame=frame, numbers=[], categories=["도시"])
    assert dense(encoder(table, np.arange(20)), frame).tolist() == [[0, 1], [1, 0]] * 10
