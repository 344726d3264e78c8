"""hooks/terms.py: 용어는 페이지에 처음 나올 때 한 번, 이어 읽는 글에서만 풀린다."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mkdocs.exceptions import PluginError

from hooks import terms
from hooks.terms import Term

ROOT = Path(__file__).parents[2]
BOOK = terms.read((ROOT / "docs" / terms.GLOSSARY).read_text("utf-8"))
SMALL = [
    Term("로짓", "logit: 확률로 바꾸기 전의 값", "losses"),
    Term("기울기", "gradient: 커지는 방향", None),
    Term("기울기 벌점", 'gradient penalty: "벌점"', "transport"),
    Term("점수", "score: 로그 밀도의 기울기", "diffusion"),
]


def found(html: str, folder: str = "losses") -> list[str]:
    marked = terms.explained(html, SMALL, folder)
    return [part.split(">")[1].split("<")[0] for part in marked.split("<abbr ")[1:]]


def test_the_first_time_only() -> None:
    marked = terms.explained("<h1>로짓</h1><p>로짓은 로짓이다.</p><p>로짓</p>", SMALL, "losses")
    abbr = '<abbr title="logit: 확률로 바꾸기 전의 값" tabindex="0">로짓</abbr>'
    assert marked == f"<h1>로짓</h1><p>{abbr}은 로짓이다.</p><p>로짓</p>"


@pytest.mark.parametrize("text", ["로짓은", "로짓으로", "로짓(logit)", "그 로짓.", "로짓과", "‘로짓’이라는"])
def test_particles_do_not_hide_a_term(text: str) -> None:
    assert found(f"<p>{text}</p>") == ["로짓"]


@pytest.mark.parametrize("text", ["로짓값", "비로짓", "로짓들판", "multi-로짓", "로짓2"])
def test_a_part_of_another_word_is_not_the_term(text: str) -> None:
    assert found(f"<p>{text}</p>") == []


def test_the_longest_term_wins_across_a_line_break() -> None:
    assert found("<p>기울기\n벌점의 기울기</p>") == ["기울기\n벌점", "기울기"]


def test_quotes_in_a_meaning_do_not_end_the_attribute() -> None:
    assert 'title="gradient penalty: &quot;벌점&quot;"' in terms.explained("<p>기울기 벌점</p>", SMALL, "")


def test_everyday_words_are_explained_where_they_are_terms() -> None:
    assert found("<p>점수</p>", "diffusion") == ["점수"]
    assert found("<p>점수</p>", "transport") == []


def test_code_links_and_tables_heads_are_left_alone() -> None:
    assert found("<p><code>로짓</code> <a>로짓</a></p><table><tr><th>로짓</th></tr></table>") == []


def test_an_entry_gives_its_english_and_its_first_sentence() -> None:
    text = "로짓 (logit)\n:   모델의 $z$ 값. 둘째 문장. [정의](../losses/binary.md#logits)\n\n표집 (HMC)\n:   HMC. 끝\n"
    assert terms.read(text) == [Term("로짓", "logit: 모델의 z 값", "losses"), Term("표집", "HMC: HMC", None)]


def test_a_first_sentence_with_latex_stops_the_build() -> None:
    with pytest.raises(PluginError, match=r"reference/glossary\.md: 로그 오즈: 첫 문장은"):
        terms.read("로그 오즈 (log-odds)\n:   $\\log p$. 로짓과 같다.\n")


def test_every_entry_of_the_glossary_is_read() -> None:
    glossary = (ROOT / "docs" / terms.GLOSSARY).read_text("utf-8")
    assert len(BOOK) == glossary.count("\n:   ") >= 60
    assert len({term.name for term in BOOK}) == len(BOOK)
    for term in BOOK:
        assert 4 < len(term.meaning) < 140, term
        assert not set("$\\[]`*") & set(term.meaning), term


def test_everyday_words_are_in_the_glossary() -> None:
    assert {term.name for term in BOOK} >= terms.EVERYDAY


def test_the_hooks(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / terms.GLOSSARY).write_text("로짓 (logit)\n:   값.\n", "utf-8")
    config = SimpleNamespace(docs_dir=str(tmp_path), extra={})
    assert terms.on_files(["파일"], config) == ["파일"]

    glossary = SimpleNamespace(file=SimpleNamespace(src_uri=terms.GLOSSARY))
    entry = "로그-합-지수 (log-sum-exp, LSE)\n:   값.\n"
    marked = "로그-합-지수 (log-sum-exp, LSE) { #log-sum-exp-lse }\n:   값.\n"
    assert terms.on_page_markdown(entry, page=glossary) == marked
    assert terms.on_page_markdown(entry, page=SimpleNamespace(file=SimpleNamespace(src_uri="a.md"))) == entry

    def shown(uri: str) -> bool:
        page = SimpleNamespace(file=SimpleNamespace(src_uri=uri))
        return "<abbr" in terms.on_page_content("<p>로짓</p>", page=page, config=config, files=[])

    assert shown("losses/binary.md")
    assert shown("index.md")
    assert not shown("reference/glossary.md")
    assert not shown("labs/losses.ipynb")
