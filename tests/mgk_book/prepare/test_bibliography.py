"""mgk_book/prepare/bibliography.py: 파일 하나에서 서지 페이지와 BibTeX가 나오고, 틀린 항목은 빌드를 멈춘다."""

import re
import tomllib
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml

from mgk_book.book import BookError
from mgk_book.prepare import bibliography
from mgk_book.prepare.pages import Page
from mgk_book.prepare.shelf import Shelf
from tests.mgk_book.prepare.conftest import CITATION, Write

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
BOOK = {
    "id": "a-book",
    "name": "가 2000",
    "type": "book",
    "title": "T",
    "author": ["A, B."],
    "publisher": "P",
    "year": 1,
}
CITED = {
    "title": "책 & 코드",
    "version": "1",
    "authors": [{"name": "준혁"}, {"family-names": "박", "given-names": "세준"}],
}


def references() -> list[dict[str, Any]]:
    return bibliography.read(DOCS / bibliography.SOURCE)


def parse(text: str) -> dict[str, tuple[str, dict[str, str]]]:
    """BibTeX를 글자마다 엄격하게 읽는다: 해시 키마다 종류와 칸들."""
    entries: dict[str, tuple[str, dict[str, str]]] = {}
    rest = text
    while rest.strip():
        head = re.match(r"\s*@([a-z]+)\{([a-z][a-z0-9-]*),\n", rest)
        assert head, rest[:80]
        kind, key = head.groups()
        assert key not in entries
        rest, fields = rest[head.end() :], {}
        while not rest.startswith("}\n"):
            field = re.match(r"  ([a-z]+) = \{", rest)
            assert field, rest[:80]
            depth, end = 1, field.end()
            while depth:
                depth += {"{": 1, "}": -1}.get(rest[end], 0) * (rest[end - 1] != "\\")
                end += 1
            assert rest.startswith(",\n", end), rest[:80]
            value = rest[field.end() : end - 1]
            assert field[1] == "url" or not re.search(r"(?<!\\)[#$%&_]", value), value  # 주소는 글자 그대로다
            assert field[1] not in fields
            fields[field[1]] = value
            rest = rest[end + 2 :]
        entries[key] = (kind, fields)
        rest = rest[2:]
    return entries


# 해나 주소가 없는 까닭
WITHOUT = {
    ("vaserstein", "url"): "러시아어 학술지의 1969년 글. DOI가 없다",
    ("sgld", "url"): "ICML 2011의 논문집에는 DOI도 arXiv의 판도 없다",
    ("cho-saul", "url"): "NeurIPS 2009의 논문집에는 DOI도 arXiv의 판도 없다",
    ("pytorch", "year"): "2.13판의 문서. 글마다 고친 날이 다르다",
}


def test_every_source_has_a_year_and_an_address_or_a_reason_why_not() -> None:
    parsed = parse("\n\n".join(map(bibliography.bibtex, references())) + "\n")
    missing = {(key, name) for key, (_, fields) in parsed.items() for name in ("year", "url") if name not in fields}
    assert missing == {*WITHOUT}
    addresses = [fields["url"] for _, fields in parsed.values() if "url" in fields]
    assert len(set(addresses)) == len(addresses)
    assert all(re.fullmatch(r"https?://[\w.-]+/[^\s{}<>]*", address) for address in addresses)


def test_the_title_leads_to_the_source() -> None:
    shown = bibliography.line(BOOK | {"url": "https://a.b/c_(d)"})
    assert "[*T*](<https://a.b/c_(d)>)." in shown
    assert "  url = {https://a.b/c_(d)},\n" in shown


def test_every_entry_becomes_bibtex_that_parses_with_the_fields_its_kind_needs() -> None:
    entries = references()
    parsed = parse("\n\n".join(map(bibliography.bibtex, entries)) + "\n")
    assert list(parsed) == [entry["id"] for entry in entries]
    assert len(parsed) >= 66
    for entry in entries:
        kind, fields = parsed[entry["id"]]
        assert {"title", *bibliography.REQUIRED[kind]} <= set(fields)
        assert fields["title"] == f"{{{bibliography.escaped(entry['title'])}}}"
        assert len(fields.get("author", "").split(" and ")) == len(entry.get("author", [""]))
        assert all(re.fullmatch(r"\S.*, .*\.|others", each) for each in entry.get("author", []))
        assert "year" not in entry or re.search(rf"\b{entry['year']}[a-z]?$", entry["name"])


@pytest.mark.parametrize("text", ["@book{a,\n  title = {x,\n}\n", "@book{a,\n  title = {x}\n}\n", "book{a,\n}\n"])
def test_the_check_itself_refuses_broken_bibtex(text: str) -> None:
    with pytest.raises((AssertionError, IndexError)):
        parse(text)


def test_every_link_to_the_bibliography_has_an_entry() -> None:
    ids = {entry["id"] for entry in references()} | {"cite"}
    links = [
        (path.name, name)
        for path in [*DOCS.rglob("*.md"), *DOCS.rglob("*.py")]
        for name in re.findall(r"bibliography\.md#([\w-]+)", path.read_text("utf-8"))
    ]
    assert len(links) > 60
    assert not [link for link in links if link[1] not in ids]


def test_a_line_of_the_page_by_kind() -> None:
    plain = [{name: value for name, value in entry.items() if name != "url"} for entry in references()]
    lines = {entry["id"]: bibliography.line(entry).split("\n\n")[0].split("\n:   ") for entry in plain}
    assert lines["cover-thomas"] == [
        "Cover와 Thomas 2006 { #cover-thomas }",
        "Cover, T. M. & Thomas, J. A. *Elements of Information Theory*, 2판. Wiley, 2006. 엔트로피와 KL 발산은 2장.",
    ]
    assert lines["muller"][1].endswith("*When Does Label Smoothing Help?* NeurIPS 2019.")
    assert lines["schmitzer"][1].endswith(
        "SIAM Journal on Scientific Computing 41(3), 2019. 로그 영역의 안정화와 ε 스케일링."
    )
    assert lines["brier"][1].startswith("Brier, G. W. *Verification")
    assert lines["pot"][1].startswith("Flamary, R. 외. *POT: Python Optimal Transport*. Journal")
    assert lines["sohl-dickstein"][1].endswith("ICML 2015 (PMLR 37).")
    assert "*. Handbook of Markov Chain Monte Carlo, 5장. CRC Press, 2011." in lines["neal"][1]
    assert "*. Predicting Structured Data. MIT Press, 2006." in lines["lecun-ebm"][1]
    assert lines["cfg"][1].endswith("*Classifier-Free Diffusion Guidance*. 2022.")
    assert lines["pytorch"][1].startswith("*PyTorch 2.13 문서*. `torch.nn.BCELoss`")


def test_each_line_folds_its_own_bibtex() -> None:
    for entry in references():
        folded = bibliography.line(entry).split("\n\n", 1)[1].replace("\n    ", "\n").removeprefix("    ")
        assert folded == '??? bibtex "BibTeX"\n' + indent(f"```bibtex\n{bibliography.bibtex(entry)}\n```", "    ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "blog"}, "종류 'blog'"),
        ({"year": None}, "year이"),
        ({"doi": "10"}, "모르는 필드 doi"),
        ({"id": "A book"}, "id는 영어 소문자"),
        ({"id": 7}, "7: id는 영어 소문자"),
    ],
)
def test_a_faulty_entry_stops_the_build(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    entry = {name: value for name, value in (BOOK | change).items() if value is not None}
    (tmp_path / "references.yml").write_text(yaml.safe_dump([entry], allow_unicode=True), "utf-8")
    with pytest.raises(BookError, match=said):
        bibliography.read(tmp_path / "references.yml")


def test_an_id_given_twice_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "references.yml").write_text(yaml.safe_dump([BOOK, BOOK], allow_unicode=True), "utf-8")
    with pytest.raises(BookError, match="a-book: id가 두 번 있다"):
        bibliography.read(tmp_path / "references.yml")


def test_letters_that_bibtex_reads_otherwise_are_escaped() -> None:
    assert bibliography.escaped("A & B_1 {50 %}") == r"A \& B\_1 \{50 \%\}"


def test_the_book_is_cited_with_its_address_only_when_it_is_known() -> None:
    kind, fields = parse(bibliography.cite(CITED, "") + "\n")["mgk"]
    assert (kind, fields) == ("misc", {"author": "{준혁} and {박세준}", "title": r"{책 \& 코드}", "note": "버전 1"})
    assert parse(bibliography.cite(CITED, "https://x.example/") + "\n")["mgk"][1]["url"] == "https://x.example/"


def test_the_citation_file_says_only_what_is_known() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    for person in citation["authors"]:
        assert set(person) in ({"name"}, {"family-names", "given-names"})
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert citation["version"] == settings["project"]["version"]
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert f"site_name: {citation['title']}\n" in site
    assert f"site_description: {citation['abstract']}\n" in site
    names = bibliography.cite(citation, "")
    for member in ("junhyeok", "sejun", "useok", "chaeyeon"):
        page = (DOCS / "members" / f"{member}.md").read_text("utf-8")
        assert f"{{{re.search(r'(?m)^title: (.+)$', page)[1]}}}" in names
    assert not {"doi", "date-released", "url", "license"} & set(citation)


@pytest.mark.parametrize("text", ["", "a-book\n", "- a-book\n", "id: a-book\n"])
def test_a_file_that_is_no_list_of_entries_stops_the_build(text: str, tmp_path: Path) -> None:
    (tmp_path / "references.yml").write_text(text, "utf-8")
    with pytest.raises(BookError, match=r"references\.yml: 항목의 목록이어야 한다"):
        bibliography.read(tmp_path / "references.yml")


def test_the_page_is_filled_and_the_file_offered(write: Write) -> None:
    book = write({"reference/references.yml": yaml.safe_dump([BOOK], allow_unicode=True)}, nav=["https://x.example/"])
    shelf, here = Shelf(book.root / "made"), Page("reference/bibliography.md", "", {}, "")
    places = bibliography.make(book, shelf)
    assert list(parse(shelf.files()["reference/references.bib"].read_text("utf-8"))) == ["a-book"]
    assert places["bibliography:references"](here).startswith(
        "가 2000 { #a-book }\n:   A, B. *T*. P, 1.\n\n    ??? bibtex"
    )
    assert places["bibliography:cite"](here) == f"```bibtex\n{bibliography.cite(CITATION, '')}\n```"
    (book.root / "docs" / "reference" / "references.yml").unlink()
    with pytest.raises(BookError, match=r"references\.yml가 없다"):
        bibliography.make(book, shelf)
