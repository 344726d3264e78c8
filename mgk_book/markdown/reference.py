"""찾아보기 페이지를 그리는 방법: 용어마다의 id, 검색에 넣지 않는 BibTeX."""

import re
from xml.etree.ElementTree import Element

from mgk_book.markdown.part import Part, page_of
from mgk_book.markdown.terms import GLOSSARY

ENGLISH = re.compile(r".*\((?P<english>[^)]+)\)\s*$", re.DOTALL)


class GlossaryIds(Part):
    """용어 페이지의 `엔트로피 (entropy)`에 `entropy`. 용어 하나를 주소로 가리킬 수 있다."""

    def run(self, root: Element) -> None:
        """이미 id가 있는 것은 그대로 둔다."""
        if page_of(self.md) != GLOSSARY:
            return
        for term in root.iter("dt"):
            found = ENGLISH.match("".join(term.itertext()))
            if found and "id" not in term.attrib:
                term.set("id", re.sub(r"[^a-z0-9]+", "-", found["english"].lower()).strip("-"))


class Unsearched(Part):
    """접어 둔 BibTeX는 검색에 넣지 않는다. 같은 제목이 두 번 나온다."""

    def run(self, root: Element) -> None:
        """알림(`??? bibtex`)의 요소."""
        for folded in root.iter("details"):
            if folded.get("class") == "bibtex":
                folded.set("data-search-exclude", "true")
