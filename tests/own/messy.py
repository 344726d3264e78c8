"""사람들이 가진 파일들: 이름마다 파일의 내용과, 읽은 뒤에 맞아야 하는 것."""

import codecs
import gzip
import io
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import openpyxl
import pandas as pd

from mgk_docs_src.own.tables import Table

HEIGHTS = [150.5, 162.0, 171.25, 158.0, 180.0, 166.5, 175.0, 169.0]
CITIES = ["서울", "부산", "서울", "대구", "부산", "서울", "대구", "서울"]
LABELS = [*"가나가나가나가나"]


class Messy(NamedTuple):
    """파일 하나. `said`는 알아낸 것들에 있어야 하는 글."""

    content: bytes
    said: tuple[str, ...] = ()
    check: Callable[[Table], bool] = lambda table: True
    options: Mapping[str, Any] = MappingProxyType({})


def columns(**more: list[Any]) -> dict[str, list[Any]]:
    return {"키": HEIGHTS, "도시": CITIES, **more, "정답": LABELS}


def rows(**more: list[Any]) -> list[list[str]]:
    table = columns(**more)
    return [[*table], *([str(cell) for cell in row] for row in zip(*table.values(), strict=True))]


def text(separator: str = ",", *, end: str = "\n", **more: list[Any]) -> str:
    return end.join(separator.join(row) for row in rows(**more)) + end


def sheet(*tables: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, table in enumerate(tables, 1):
        page = book.create_sheet(f"시트{number}")
        for row in table:
            page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


def values(name: str, *expected: float) -> Callable[[Table], bool]:
    return lambda table: table.frame[name].tolist()[: len(expected)] == list(expected)


def same(table: Table) -> bool:
    """키와 도시가 적힌 대로다."""
    return table.frame["키"].tolist() == HEIGHTS and table.frame["도시"].tolist() == CITIES


def without(*names: str) -> Callable[[Table], bool]:
    return lambda table: same(table) and not set(names) & set(table.frame)


def kind(name: str, *, number: bool) -> Callable[[Table], bool]:
    return lambda table: (name in table.numbers) is number and (name in table.categories) is not number


PLAIN = text()
LONG = {"번호": list(range(24)), "키": [float(i % 7) for i in range(24)], "정답": [*"가나나가"] * 6}


def long(**more: list[Any]) -> bytes:
    table = {**LONG, **more}
    return "\n".join(",".join(map(str, row)) for row in [[*table], *zip(*table.values(), strict=True)]).encode()


FILES: dict[str, Messy] = {
    # 인코딩
    "UTF-8": Messy(PLAIN.encode(), ("인코딩 utf-8", "구분 문자 ‘,’"), same),
    "UTF-8 BOM": Messy(codecs.BOM_UTF8 + PLAIN.encode(), ("utf-8-sig",), same),
    "CP949": Messy(PLAIN.encode("cp949"), ("cp949",), same),
    "UTF-16 BOM": Messy(PLAIN.encode("utf-16"), ("utf-16",), same),
    "UTF-16 big-endian BOM": Messy(codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"), ("utf-16",), same),
    "UTF-16 BOM 없이": Messy(
        "a,b,y\n1,2,p\n3,4,q\n5,5,p\n4,4,q\n".encode("utf-16-le"), ("BOM 없음",), values("a", 1, 3), {"target": "y"}
    ),
    "UTF-16 big-endian BOM 없이": Messy(
        "a,b,y\n1,2,p\n3,4,q\n5,5,p\n4,4,q\n".encode("utf-16-be"), ("utf-16-be",), values("a", 1, 3), {"target": "y"}
    ),
    "NFD 머리글": Messy(unicodedata.normalize("NFD", PLAIN).encode(), (), same),
    "NFD로 부른 정답": Messy(PLAIN.encode(), (), same, {"target": unicodedata.normalize("NFD", "정답")}),
    "깨진 글자 하나": Messy(
        PLAIN.encode() + b"150,\xec\x84,\xea\xb0\x80\n", ("10번째 줄에 있다",), lambda t: len(t.labels) == 9
    ),
    "서유럽 글": Messy(
        "ville,x,y\ncafé,1,p\nété,2,q\ncafé,3,p\nNoël,4,q\n".encode("cp1252"),
        ("cp1252",),
        lambda t: t.frame["ville"][0] == "café",
        {"target": "y"},
    ),
    "NUL이 섞인 글": Messy(PLAIN.replace("서울", "서\0울").encode(), (), same),
    "gzip": Messy(gzip.compress(PLAIN.encode()), (), same),
    # 나누는 문자와 줄
    "쌍반점": Messy(text(";").encode(), ("‘;’",), same),
    "탭": Messy(text("\t").encode(), ("탭",), same),
    "세로줄": Messy(text("|").encode(), ("‘|’",), same),
    "sep= 줄": Messy(b"sep=;\n" + text(";").encode(), (), same),
    "sep= 줄의 쉼표": Messy(b"sep=,\n" + text(",").encode(), (), same),
    "쌍반점과 소수점 쉼표": Messy(
        text(";").replace(".", ",").encode(), ("쉼표는 소수점",), lambda t: t.frame["키"].tolist() == HEIGHTS
    ),
    "윈도우 줄 끝": Messy(text(end="\r\n").encode(), (), same),
    "옛 맥 줄 끝": Messy(text(end="\r").encode(), (), same),
    "이름에 든 쉼표": Messy(text(";").replace("키", "키,몸무게").encode(), (), lambda t: "키,몸무게" in t.numbers),
    "따옴표 안의 줄바꿈": Messy(
        PLAIN.replace("도시", '"도\n시"').encode(), (), lambda t: t.frame["도 시"].tolist() == CITIES
    ),
    "따옴표를 두른 칸": Messy("\n".join(",".join(f'"{cell}"' for cell in row) for row in rows()).encode(), (), same),
    "닫지 않은 따옴표": Messy(PLAIN.replace("부산", '"부산', 1).encode(), ("따옴표가 맞지 않는다",), same),
    "줄 끝의 쉼표": Messy(PLAIN.replace("\n", ",\n").encode(), ("모두 빈칸이다",), same),
    "데이터에만 있는 끝 쉼표": Messy(PLAIN.replace("가\n", "가,\n").encode(), (), same),
    "빈 줄": Messy(("\n\n" + PLAIN.replace("\n", "\n\n")).encode(), ("빈 줄",), same),
    "칸이 모자란 줄": Messy(
        PLAIN.replace("150.5,서울,가", "150.5,서울").encode(),
        ("2번째 줄", "모자란 칸", "빈칸 1개"),
        lambda t: len(t.labels) == 7,
    ),
    "칸이 남는 줄": Messy(PLAIN.replace("150.5,서울,가", "150.5,서울,가,메모").encode(), ("남는 칸을 버렸다",), same),
    "구분 문자를 적어 주면": Messy(PLAIN.encode(), (), same, {"separator": ","}),
    # 머리글
    "제목 줄": Messy(("2026년 신체검사 결과\n작성: 보건실\n\n" + PLAIN).encode(), ("1, 2번째 줄", "건너뛰었다"), same),
    "빈칸과 대문자가 다른 정답": Messy(
        PLAIN.replace("정답", " Final  Grade ").encode(), (), same, {"target": "final grade"}
    ),
    "겹친 머리글": Messy(text(키2=[1, 2, 3, 4, 5, 6, 7, 9]).replace("키2", "키").encode(), ("2번 나온다",), same),
    "빈 머리글": Messy(
        text(x=[1, 2, 3, 4, 5, 6, 7, 9]).replace("x", "").encode(), (), lambda t: "3번째 열" in t.numbers
    ),
    "R이 적은 줄 이름": Messy(
        "\n".join([",".join(rows()[0]), *(",".join([f"r{i}", *row]) for i, row in enumerate(rows()[1:]))]).encode(),
        ("한 칸 적다",),
        same,
    ),
    "되풀이된 머리글": Messy((PLAIN + PLAIN).encode(), ("머리글이 되풀이된다",), lambda t: len(t.labels) == 16),
    "머리글 없이": Messy(
        "\n".join(PLAIN.splitlines()[1:]).encode(),
        (),
        lambda t: t.frame["1번째 열"].tolist() == HEIGHTS,
        {"target": "3번째 열", "header": False},
    ),
    # 칸
    "자릿수 쉼표": Messy(
        text(";", 금액=["3,450", "1,200", "980", "12,000,000", "1", "2", "3", "4"]).encode(),
        ("쉼표는 자릿수 구분",),
        values("금액", 3450, 1200, 980, 12e6),
    ),
    "퍼센트와 원": Messy(
        text(비율=["13.2 %", "5%", "7 %", "8%", "1%", "2%", "3%", "4%"], 값=[f"₩{i}" for i in range(8)]).encode(),
        ("단위 ‘%’",),
        lambda t: t.frame["비율"][0] == 13.2 and t.frame["값"][3] == 3,
    ),
    "괄호로 적은 음수": Messy(
        text("\t", 손익=["(1,200)", "300", "(5)", "−7", "1", "2", "3", "4"]).encode(),
        (),
        values("손익", -1200, 300, -5, -7),
    ),
    "유럽의 수": Messy(
        text(";", 값=["1.234,5", "2,5", "3,25", "4", "1", "2", "3", "5"]).encode(),
        ("쉼표는 소수점",),
        values("값", 1234.5, 2.5, 3.25, 4),
    ),
    "여러 표기의 빈칸": Messy(
        text(값=["NA", "?", "#N/A", "", "1", "2.5", "3", "결측"]).encode(),
        ("빈칸 5개",),
        lambda t: t.frame["값"].isna().sum() == 5 and t.frame["값"][5] == 2.5,
    ),
    "수 사이의 말": Messy(
        text(값=["1", "2", "3", "모름", "5", "6", "7", "8"]).encode(),
        ("5번째 줄, 열 ‘값’", "‘모름’"),
        lambda t: t.frame["값"].isna().sum() == 1,
    ),
    "무한대": Messy(text(값=["1", "2", "inf", "4", "5", "6", "7", "8"]).encode(), ("‘inf’",), kind("값", number=True)),
    "말과 수가 섞인 열": Messy(
        text(값=["1", "2", "a", "b", "c", "d", "1,,2", "1.2.3"]).replace("1,,2", "1_2").encode(),
        (),
        kind("값", number=False),
    ),
    "예와 아니오": Messy(text(동의=["예", "아니오"] * 3 + ["예", ""]).encode(), ("빈칸 1개",), values("동의", 1, 0, 1)),
    "Yes와 no": Messy(
        text(동의=["YES", "no", "Yes", "NO", "no", "no", "yes", "yes"]).encode(), (), values("동의", 1, 0, 1, 0)
    ),
    "우편 번호": Messy(
        text(우편=["04524", "06236", "04524", "48058", "06236", "04524", "48058", "04524"]).encode(),
        (),
        kind("우편", number=False),
    ),
    "한국어 날짜": Messy(
        text(날=[f"2024년 {i}월 {i}일" for i in range(1, 9)]).encode(),
        ("날짜",),
        values("날 (월)", 1, 2, 3),
    ),
    "점으로 적은 날짜": Messy(
        text(날=[f"2024. {i}. {i}." for i in range(1, 8)] + [""]).encode(), ("날짜, 빈칸 1개",), values("날 (월)", 1, 2)
    ),
    "날이 먼저인 날짜": Messy(
        text(날=[f"{13 + i}/0{1 + i}/2024" for i in range(8)]).encode(), ("날짜",), values("날 (월)", 1, 2, 3)
    ),
    "시각이 있는 날짜": Messy(
        text(날=[f"2024-03-0{i} {i}:30" for i in range(1, 9)]).encode(), (), values("날 (시)", 1, 2, 3)
    ),
    "같은 날짜": Messy(text(날=["2024-03-01", "2024/03/01"] * 4).encode(), ("하나뿐",), without("날")),
    "한 날짜와 빈칸": Messy(text(날=["2024-03-01"] * 7 + [""]).encode(), (), kind("날", number=False)),
    "날짜처럼 보이는 말": Messy(
        text(판=["1.2.3", "99.99.99", "88.77.66", "1.2.3"] * 2).encode(), (), kind("판", number=False)
    ),
    "대문자만 다른 범주": Messy(
        text(색=["Red", "red ", "BLUE", "blue", "Red", "Blue", "RED", "green"]).encode(),
        ("같은 범주",),
        lambda t: t.frame["색"].nunique() == 3,
    ),
    "빈 범주": Messy(
        text(색=["빨강", "", "파랑", "N/A", "빨강", "파랑", "빨강", "검정"]).encode(),
        ("‘빈칸’이라는 범주",),
        lambda t: (t.frame["색"] == "빈칸").sum() == 2,
    ),
    "빈 열과 상수": Messy(
        text(빈=[""] * 8, 상수=["같음"] * 8, 하나=[3] * 8).encode(), ("하나뿐",), without("빈", "상수", "하나")
    ),
    "Parquet의 무한대": Messy(
        parquet(pd.DataFrame(columns(값=[float("inf"), 1, 2, 3, 4, 5, 6, 7], 모두=[float("inf")] * 8, 하나=[1] * 8))),
        ("1번째 줄, 열 ‘값’ | 무한대", "모두 빈칸"),
        without("모두", "하나"),
    ),
    "너무 큰 수": Messy(
        text(값=["1e400", "2", "3", "4", "5", "6", "7", "8"]).encode(), ("‘1e400’",), kind("값", number=True)
    ),
    "줄 번호": Messy(long(), ("번호로 보인다",), lambda t: list(t.frame) == ["키"]),
    "이름이 번호인 열": Messy(
        long(번호=[i * i for i in range(24)]), ("번호로 보인다",), lambda t: list(t.frame) == ["키"]
    ),
    "모두 다른 정수": Messy(long(키=[i * i for i in range(24)]), (), lambda t: list(t.frame) == ["키"]),
    "줄마다 다른 이름": Messy(
        long(이름=[f"고객{i}번" for i in range(24)]), ("줄마다 다른 이름",), lambda t: list(t.frame) == ["키"]
    ),
    "긴 글": Messy(
        long(메모=[f"어제 산 물건 {i} 개가 왔다" for i in range(24)]), ("긴 글이다",), lambda t: list(t.frame) == ["키"]
    ),
    "단위가 섞인 열": Messy(text(값=["1kg", "2g", "3kg", "4g"] * 2).encode(), (), kind("값", number=False)),
    # 정답
    "정답이 빈 줄": Messy((PLAIN + "150,서울,\n151,부산,NA\n").encode(), ("빈칸 2개", "10, 11번째 줄"), same),
    "한 줄뿐인 클래스": Messy((PLAIN + "150,서울,다\n").encode(), ("한 줄뿐인 클래스 ‘다’",), same),
    "대문자만 다른 클래스": Messy(
        PLAIN.replace("가\n", "Yes\n", 2).replace("가\n", "yes\n").encode(),
        ("같은 클래스",),
        lambda t: len(t.classes) == 2,
    ),
    "수로 적은 클래스": Messy(
        PLAIN.replace("가\n", "10\n", 2).replace("가\n", "10.0\n").replace("나\n", "9\n").encode(),
        ("같은 클래스",),
        lambda t: t.classes == ["9", "10"],
    ),
    "더하기와 빼기": Messy(
        PLAIN.replace("가\n", "+\n").replace("나\n", "-\n").encode(), (), lambda t: t.classes == ["+", "-"]
    ),
    # 엑셀과 Parquet
    "엑셀": Messy(
        sheet(
            [["안내"]],
            [["신체검사"], [], *([*row] for row in zip(*[[k, *v] for k, v in columns().items()], strict=True))],
        ),
        ("시트 ‘시트2’", "시트1"),
        same,
    ),
    "엑셀의 자료형": Messy(
        sheet(
            [
                ["날", "값", "참", "정답"],
                *([datetime(2024, 1 + i, 1), 2.0 * i, i % 3 == 0, "가나"[i % 2]] for i in range(8)),
                [None, 3.5, True, None],
            ]
        ),
        (),
        lambda t: t.frame["날 (월)"].tolist() == [*range(1, 9)] and t.frame["참"][0] == 1 and t.frame["값"][1] == 2,
    ),
    "엑셀의 시트 이름": Messy(sheet(rows(), rows(x=[1, 2, 3, 4, 5, 6, 7, 9])), (), values("x", 1), {"sheet": "시트2"}),
    "Parquet": Messy(
        parquet(
            pd.DataFrame(
                {
                    **columns(),
                    "참": [True, False, None, True] * 2,
                    "날": pd.date_range("2024-01-01", periods=8, freq="MS"),
                    "같은 날": pd.Timestamp("2024-01-01"),
                }
            ).astype({"도시": "category"})
        ),
        ("Parquet", "‘같은 날’"),
        lambda t: same(t) and t.frame["참"][0] == 1 and t.frame["날 (월)"][2] == 3,
    ),
}
