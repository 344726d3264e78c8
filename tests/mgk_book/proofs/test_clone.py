"""인증의 해시 키는 어느 기계에서 받아도 같다."""

import subprocess
import sys
from pathlib import Path

import pytest

from mgk_book.proofs import evidence, ledger
from mgk_book.proofs.evidence import Sources
from mgk_book.proofs.ledger import Status

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git으로 받은 책이 아니다")
def test_a_clone_on_a_machine_that_prefers_crlf_makes_no_certificate_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    clone = tmp_path / "book"
    subprocess.run(["git", "clone", "-q", *options, "--depth", "1", ROOT.as_uri(), clone], check=True)
    assert not [path for path in clone.rglob("*.py") if b"\r\n" in path.read_bytes()]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mgk_docs_src", "tests")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(clone)
    sources = Sources(clone)
    functions, book = evidence.functions(sources), ledger.read(clone, "cpu")
    assert len(functions) > 200
    assert {entry.id for entry in functions if ledger.status(entry, book, sources) is not Status.CERTIFIED} == set()
