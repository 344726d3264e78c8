"""mgk_docs_src/own/columns.py: 열마다 자료형을 정한다. 대부분은 test_tables의 파일들이 본다."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from mgk_docs_src.own.columns import MISSING, Typed, blank, typed


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, unique=True))
def test_numbers_are_read_back_exactly(values):
    found = typed(pd.DataFrame({"값": [repr(value) for value in [*values, 0.5]]}), lines=range(len(values) + 1))
    assert found.frame["값"].tolist() == [*values, 0.5]


def test_missing_words_are_missing(device):
    column = pd.Series([*sorted(MISSING), " NA ", "없음", "0"], dtype="str")
    assert blank(column).dropna().tolist() == ["없음", "0"]


def test_an_object_column_is_read_as_text(device):
    found = typed(pd.DataFrame({"값": pd.Series([1, "2", None, "x"] * 9, dtype=object)}), lines=range(36))
    assert isinstance(found, Typed)
    assert found.frame["값"].isna().sum() == 18
    assert found.numbers == ["값"]
    assert np.isnan(found.frame["값"].iloc[3])
