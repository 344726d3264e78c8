"""용어 페이지의 항목마다 영어에서 온 id를 단다. 용어 하나를 주소로 가리킬 수 있다."""

import re
from xml.etree.ElementTree import Element

from mgk_book.markdown.part import Part, page_of
from mgk_book.markdown.terms import GLOSSARY

ENGLISH = re.compile(r".*\((?P<english>[^)]+)\)\s*$", re.DOTALL)


class GlossaryIds(Part):
    """`엔트로피 (entropy)`에 `entropy`."""

    def run(self, root: Element) -> None:
        """이미 id가 있는 것은 그대로 둔다."""
        if page_of(self.md) != GLOSSARY:
            return
        for term in root.iter("dt"):
            found = ENGLISH.match("".join(term.itertext()))
            if found and "id" not in term.attrib:
                term.set("id", re.sub(r"[^a-z0-9]+", "-", found["english"].lower()).strip("-"))
