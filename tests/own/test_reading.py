"""mgk_docs_src/own/reading.py: 형식을 알아보고, 읽을 수 없으면 이유를 한 줄로 알린다."""

import gzip
import io
import zipfile

import pytest

from mgk_docs_src.own import reading
from mgk_docs_src.own.reading import Note, Raw, find, read, some_lines
from tests.own import messy


def test_cells_are_text_and_lines_are_those_of_the_file(tmp_path, device):
    (tmp_path / "t.csv").write_text('제목\n\n키,정답\n1,가\n\n"2\n2",나\n', "utf-8")
    raw = read(str(tmp_path / "t.csv"), target="정답")
    assert isinstance(raw, Raw)
    assert raw.frame.to_dict("list") == {"키": ["1", "2\n2"], "정답": ["가", "나"]}
    assert raw.lines == [4, 7]
    assert Note("1번째 줄", "머리글 앞의 제목이나 설명", "건너뛰었다") in raw.notes


def test_a_long_file_is_read_in_parts(tmp_path, device, monkeypatch):
    (tmp_path / "t.csv").write_text(messy.PLAIN, "utf-8")
    whole = read(tmp_path / "t.csv", target="정답")
    monkeypatch.setattr(reading, "_CHUNK", 3)
    assert read(tmp_path / "t.csv", target="정답").frame.equals(whole.frame)


def test_names_are_found_loosely(device):
    assert find(["a", "Final Grade"], "final_grade", argument="target") == "Final Grade"
    with pytest.raises(ValueError, match=r"drop: 'x' 열이 없다. 있는 것: 'c0', .* …"):
        find([f"c{i}" for i in range(10)], "x", argument="drop")


def test_lines_are_listed(device):
    assert some_lines([3, 7]) == "3, 7번째 줄"
    assert some_lines([*range(1, 41)]) == "1, 2, 3, 4, 5 … 모두 40줄"


def zipped():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("a.txt", "a")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"\xd0\xcf\x11\xe0xxxx", {}, "옛 엑셀"),
        (zipped(), {}, "엑셀 파일로 읽을 수 없다"),
        (b"PAR1 xxxx", {}, "Parquet 파일로 읽을 수 없다"),
        (gzip.compress(b"a,b\n1,2\n" * 100)[:-12], {}, "읽을 수 없다"),
        (messy.sheet(messy.rows()), {"sheet": "없음"}, "sheet: '없음' 시트가 없다. 있는 것: '시트1'"),
        (b"", {}, "빈 파일"),
    ],
)
@pytest.mark.bad_input
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, content, options, message):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "t", target="정답", **options)


@pytest.mark.bad_input
def test_a_file_that_is_not_there_is_named_with_one_that_is(tmp_path):
    (tmp_path / "titanic.csv").write_text("a")
    with pytest.raises(ValueError, match=r"그런 파일이 없다. 비슷한 것: titanic.csv"):
        read(tmp_path / "titanik.csv", target="y")
    with pytest.raises(ValueError, match=r"그런 파일이 없다$"):
        read(tmp_path / "없는 폴더" / "t.csv", target="y")
    with pytest.raises(ValueError, match="읽을 수 없다"):
        read(tmp_path, target="y")
