"""물러난 말이 글, 그림과 출력의 이름표, 설명, 오류 문구에 남아 있지 않다.

분야의 말로 바꾸기 전에 이 책이 쓰던 말이다. 뜻이 여럿이어서 문맥을 보아야 하는 말(그림, 배우다, 점수, 짝, 고르다, 판)은
여기 없다. “…” 속의 인용, 용어가 처음 나올 때의 괄호, 용어 페이지의 ‘다르게 적는 말’은 둔다: 독자는 그 말로도 찾는다.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from mkdocs.utils.meta import get_data

from mgk_book.markdown import terms
from mgk_book.markdown.prose import LEFT, READ
from tests.docs.blocks import ROOT
from tests.docs.pages import Page, pages
from tests.mgk_book.markdown.drawing import draw

GLOSSARY = "docs/reference/glossary.md"
START = r"(?<![가-힣])"  # 다른 낱말의 가운데가 아닌 곳


class Retired(NamedTuple):
    """물러난 말 하나: 찾는 법, 대신 쓸 말, 그 까닭과 예외."""

    pattern: str
    instead: str
    reason: str


RETIRED = [
    # 분야와 원문의 말이 따로 있는 것
    Retired(
        r"(?<!남은 )(?<!빠진 )자료(?!형|구조)", "데이터", "원문과 분야의 말. 남은 기록을 뜻하는 ‘남은 자료’만 둔다"
    ),
    Retired(r"(?<!신호 대 )잡음(?! ?대조)", "노이즈", "원문과 분야의 말. 잡음 대조 추정과 신호 대 잡음비만 둔다"),
    Retired("씨앗", "시드(seed)", "분야의 말"),
    Retired("문턱", "임계값(threshold)", "분야의 말"),
    Retired("사슬", "마르코프 체인, 이하 체인", "원문의 말"),
    Retired("일정표", "노이즈 스케줄, 이하 스케줄", "분야의 말"),
    Retired("배율", "스케일(scale)", "코드의 인자도 scale이다"),
    Retired("걸음", "학습 스텝, 체인 스텝, 확산 단계, 반복", "세 가지 뜻이 한 쪽에 섞였다"),
    Retired(f"{START}표집", "샘플링", "이름이 셋이었다. 통계의 재표집(resampling)은 둔다"),
    Retired("표본 ?뽑기", "샘플링", "이름이 셋이었다"),
    Retired("표본기", "샘플러", "분야의 말"),
    Retired("세 점 손실", "트리플렛 손실(triplet loss, 삼중항)", "검색되지 않는 말"),
    Retired("점수 ?맞추기", "스코어 매칭", "점수를 맞힌다고 읽힌다"),
    Retired("조각 와서스타인|조각 거리|자른 점수", "sliced 와서스타인, sliced 스코어 매칭", "같은 sliced의 두 번역"),
    Retired("라벨 ?평활화", "라벨 스무딩(label smoothing, 평활화)", "원문의 말"),
    Retired("온도 ?맞추기", "온도 스케일링", "분야의 말"),
    Retired("기울기 ?벌점", "그래디언트 페널티", "분야의 말"),
    Retired("담금질 중요도 표", "담금질 중요도 샘플링(AIS)", "이름이 셋이었다"),
    Retired("고립 숲", "아이솔레이션 포레스트", "분야의 말"),
    Retired("한 클래스 SVM", "단일 클래스 SVM", "분야의 말"),
    Retired("바탕 분포", "기저 분포(base)", "분야의 말"),
    Retired("숨은 층", "은닉층", "분야의 말"),
    Retired("굽은 층|굽이|굽음", "비선형 은닉층, 곡률", "쓰는 곳이 없는 말"),
    Retired("첫 가중치", "초기 가중치", "분야의 말"),
    Retired("멈춘 분산", "정상 분포의 분산", "체인은 멈추지 않는다"),
    Retired(f"{START}짝짓기", "커플링(coupling)", "대조 학습의 쌍, 비교의 대응 차이와 섞였다"),
    Retired("같은 짝|다른 짝|긍정 쌍|부정 쌍", "양성 쌍, 음성 쌍", "한 장에 이름이 넷이었다"),
    Retired("부드러운 라벨|단단한 라벨", "소프트 라벨, 하드 라벨", "분야의 말"),
    Retired("자신감", "확신도(confidence)", "이름이 둘이었다"),
    Retired(f"{START}시야", "뷰(view)", "분야의 말"),
    # 여러 뜻으로 쓰던 말
    Retired("치우[침친쳐치]", "편향(bias), 불균형(클래스), 혼합 비율 오차(모드)", "네 가지 뜻이었다"),
    Retired("고르게|고름", "균등하게, 균일성", "네 가지 뜻이었다. 선택한다는 ‘고르다’는 둔다"),
    Retired(f"{START}여[유백]", "마진(margin)", "한 개념의 이름이 둘이었다"),
    Retired(f"{START}무게(?!중심)", "가중치, 혼합 비율", "weight의 두 번역"),
    Retired(f"{START}몫", "비율, 혼합 비율, 기여도, 지분", "장과 실습이 다르게 썼다"),
    Retired("어림|짐작", "근사(approximate), 추정(estimate), 예측", "셋을 구별하지 못했다"),
    Retired("자리를 (?:지키|잃)", "유효 숫자를 유지하다, 잃다", "위치를 뜻하는 말이기도 하다"),
    Retired("손잡이", "슬라이더(그림), 하이퍼파라미터(손실)", "두 뜻이었다"),
    Retired(f"{START}시험(?! 문제)", "테스트 데이터, 단위 테스트", "두 뜻이었다. 학생이 푸는 시험 문제는 둔다"),
    # 비유가 용어 노릇을 하던 것
    Retired(f"{START}그릇(?!된)", "가둠 항(confining term)", "정의가 없는 비유"),
    Retired("뭉갠|뭉개|쪼그라", "평활화된, 정칙화된, 수축한", "분야의 말"),
    Retired("식히기|지나치게 내딛|길들[이인]", "ε 스케일링, 과이완, 적응", "분야의 말"),
    Retired("잦기", "빈도", "없는 말"),
    Retired(
        rf"{START}(?:(?<!\d)장부|봉인|열쇠)", "실행 기록, 체크섬, 키", "사물의 이름이 비유가 되었다. 92장부터는 둔다"
    ),
    Retired(f"{START}(?:잣대|꾀[를가는]|흠[이은을])", "지표, 방법, 결함", "비유"),
    Retired(f"{START}꼴", "형태, 형식", "비유"),
    Retired("(?:CPU|CUDA|파이썬의|패키지의|도구의) 판", "버전", "책의 판과 섞인다"),
    # 버릇
    Retired(f"{START}견[주줍준줄]", "비교하다", "‘비교’를 한 번도 쓰지 않았다"),
    Retired(
        f"{START}(?:비[긴겼기]|이긴|이겼|이기[는지])",
        "유의하게 높다, 차이가 유의하지 않다",
        "통계의 결론이 승부가 된다",
    ),
    Retired(f"{START}참(?:은|의|과의)(?![가-힣])", "참 분포, 참 밀도", "이름이 없는 것의 이름"),
    Retired("떼어 둔", "검증용으로 남겨 둔", "분야의 말"),
]
# 그대로 두는 곳과 그 이유.
KEPT = {
    ("docs/sessions/session-6.md", "긍정 쌍"): "글의 말을 이 책의 말로 옮기는 문장",
    ("docs/sessions/session-6.md", "부정 쌍"): "글의 말을 이 책의 말로 옮기는 문장",
}
QUOTED = re.compile(r"“[^”]*”")
GLOSS = re.compile(r"\([A-Za-z][A-Za-z -]*, [^()]*\)")  # 처음에 붙이는 영어와 옛말: (gradient penalty, 기울기 벌점)
SPELLINGS = re.compile(r"\{ #spellings.*", re.DOTALL)
PLACES = ("docs", "mgk_docs_src", "mgk_book", "benchmarks")
KINDS = {".md", ".py", ".yml", ".js"}
FILES = [
    "README.md",
    "Makefile",
    "mkdocs.yml",
    *(
        path.relative_to(ROOT).as_posix()
        for place in PLACES
        for path in sorted((ROOT / place).rglob("*"))
        if path.suffix in KINDS
    ),
]


def left(name: str, text: str) -> list[str]:
    """파일에 남은 물러난 말: 줄, 말, 대신 쓸 말."""

    def hidden(found: re.Match[str]) -> str:
        return re.sub(r"\S", " ", found[0])  # 줄 번호를 지킨다

    text = GLOSS.sub(hidden, QUOTED.sub(hidden, text))
    if name == GLOSSARY:
        text = SPELLINGS.sub(hidden, text)
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        for retired in RETIRED:
            for match in re.finditer(retired.pattern, line):
                if (name, match[0]) not in KEPT:
                    found.append(f"{name}:{number}: ‘{match[0]}’ → {retired.instead}")
    return found


@pytest.mark.parametrize("name", FILES)
def test_no_retired_word_is_left(name: str) -> None:
    found = left(name, (ROOT / name).read_text("utf-8"))
    assert not found, "\n".join(["물러난 말이 남아 있다.", *found])


@pytest.mark.parametrize(
    ("text", "count"),
    [("자료와 잡음", 2), ("자료형, 남은 자료, 신호 대 잡음비, 잡음 대조 추정", 0), ("“여백과 자료”", 0),
     ("무게중심", 0), ("‘사슬’의\n문턱", 2),
     ("그래디언트 페널티(gradient penalty, 기울기 벌점)", 0), ("손실 고르기", 0)],
)  # fmt: skip
def test_the_words_are_told_apart(text: str, count: int) -> None:
    assert len(left("docs/index.md", text)) == count


def test_the_older_words_of_the_glossary_are_left_alone() -> None:
    text = "사슬\n\n## 다르게 적는 말 { #spellings data-search-exclude }\n\n| 마르코프 체인 | 사슬 |\n"
    assert len(left(GLOSSARY, text)) == 1


def test_every_retired_word_has_its_reason_once() -> None:
    assert all(each.instead and each.reason for each in RETIRED)
    assert len({each.pattern for each in RETIRED}) == len(RETIRED)


# --- 용어는 처음 나올 때 영어를 단다 ---


def unexplained(page: Page) -> list[str]:
    """이어 읽는 글에 나오는데 한 번도 풀지 않은 용어. 푼 것은 `<abbr title="영어: 뜻">`이다."""
    waiting = [term for term in terms.known(ROOT) if term.name not in terms.EVERYDAY or term.folder == page.folder]
    pattern = terms.pattern(waiting)
    assert pattern
    body = get_data(page.text)[0]
    text = re.sub(r"^<!-- [\w-]+:[\w-]+ -->$", "", body, flags=re.MULTILINE)  # 만든 글이 없어도 그린다
    soup = draw(text, ROOT, page.name)
    explained = {" ".join(mark.get_text().split()) for mark in soup.select("abbr[title]")}
    words = (
        found["term"]
        for text in soup.find_all(string=True)
        if (above := {parent.name for parent in text.parents}) & READ and not above & (LEFT | {"code"})
        for found in pattern.finditer(text)
    )
    return sorted({" ".join(word.split()) for word in words} - explained)


KOREAN = [page for page in pages() if page.folder != "en"]


@pytest.mark.parametrize("page", KOREAN, ids=[page.name for page in KOREAN])
def test_a_term_carries_its_english_where_a_page_first_uses_it(page: Page) -> None:
    assert unexplained(page) == []


def test_there_are_files() -> None:
    assert len(FILES) > 150
    assert all(Path(name).suffix in KINDS or name == "Makefile" for name in FILES)
