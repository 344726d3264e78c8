"""mgk_book/prepare: 모두를 한 번에, 바뀐 것만, 틀리면 이름을 대고 멈춘다."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mgk_book.book import BookError
from mgk_book.prepare import __main__, prepare
from tests.mgk_book.prepare.conftest import Write
from tests.mgk_book.prepare.test_bibliography import BOOK

ENGLISH = "english: {title: T, summary: S}\n"
PAGES = {
    "index.md": f"---\n{ENGLISH}---\n\n# 책\n\n```python\nprint(1)\n```\n\n<!-- repository:clone -->\n",
    "sessions/index.md": f"---\n{ENGLISH}---\n\n# 회차\n\n<!-- archive:dates -->\n<!-- 그냥 주석 -->\n",
    "sessions/session-1.md": f"---\n{ENGLISH}date: 2024-07-14\nauthors: []\n---\n\n# 1회차\n\n$\\sum$\n",
    "en/index.md": "---\ntitle: T\n---\n\n# T\n\n<!-- english:contents -->\n\n<!-- results:t -->\n",
    "reference/references.yml": yaml.safe_dump([BOOK], allow_unicode=True),
}


@pytest.fixture
def root(tmp_path: Path, write: Write) -> Path:
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "t.md").write_text("$\\prod$\n", "utf-8")
    (tmp_path / "mgk_docs_src").mkdir()
    (tmp_path / "mgk_docs_src" / "__init__.py").touch()
    return write(PAGES).root


def below(root: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in (root / ".cache" / "made").rglob("*") if path.is_file())
    return {path.relative_to(root / ".cache" / "made").as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
            for path in files}  # fmt: skip


def test_everything_is_made_once(root: Path) -> None:
    made = prepare(root, repository="team/book")
    assert set(made.files) == {
        "feed.xml", "reference/references.bib", "index.ipynb", "assets/fonts/math.woff2",
        "2024_code/mgk/2024_하계모각코.html", "2024_code/mgk/2024_하계모각코/index.html",
    }  # fmt: skip
    assert made.labs == []
    found = below(root)
    places = {name.removeprefix("places/"): text for name, (_, text) in found.items() if name.startswith("places/")}
    assert set(places) == {
        "index.md/repository-clone.md", "sessions/index.md/archive-dates.md", "en/index.md/english-contents.md",
        "en/index.md/results-t.md",
    }  # fmt: skip
    assert "git clone https://github.com/team/book" in places["index.md/repository-clone.md"].decode()
    assert "| [1회차](session-1.md) |" in places["sessions/index.md/archive-dates.md"].decode()
    assert prepare(root, repository="team/book") == made
    assert below(root) == found  # 그대로인 것은 건드리지 않는다


def test_what_is_no_longer_in_the_book_goes(root: Path) -> None:
    prepare(root)
    (root / "docs" / "index.md").write_text(f"---\n{ENGLISH}---\n\n# 책\n", "utf-8")
    assert "index.ipynb" not in prepare(root).files
    assert not {"site/index.ipynb", "places/index.md/repository-clone.md"} & set(below(root))


def test_a_place_that_nobody_fills_is_named_and_nothing_that_was_made_is_lost(root: Path) -> None:
    prepare(root)
    before = below(root)
    (root / "docs" / "index.md").write_text("# 책\n\n<!-- archive:date -->\n", "utf-8")
    with pytest.raises(
        BookError, match=r"index\.md: 모르는 자리 archive:date: archive:authors, archive:dates, .*results:t"
    ):
        prepare(root)
    assert below(root) == before


def test_the_command_makes_the_book_of_the_folder_one_stands_in(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setenv("SITE_URL", "https://s.example/b/")
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/book")
    __main__.main([])
    assert caplog.messages == ["만든 파일 6개"]
    found = below(root)
    assert b"https://s.example/b/sessions/session-1/" in found["site/feed.xml"][1]
    assert b"team/book" in found["site/index.ipynb"][1]
    __main__.main(["--site-url", "https://t.example/", "--repository", ""])
    found = below(root)
    assert b"https://t.example/sessions/session-1/" in found["site/feed.xml"][1]
    assert b"team/book" not in found["site/index.ipynb"][1]


def command(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mgk_book.prepare"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_says_what_is_wrong_without_a_traceback(root: Path) -> None:
    (root / "docs" / "index.md").unlink()
    done = command(root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "mkdocs.yml: nav의 index.md: docs/index.md가 없다\n"


def test_a_locale_that_knows_no_korean_makes_the_same_files(root: Path) -> None:
    photo = root / "docs" / "assets" / "certifications" / "모임.png"
    photo.parent.mkdir(parents=True)
    photo.touch()
    page = root / "docs" / "sessions" / "index.md"
    front = page.read_text("utf-8").replace("---\n", "---\nphotos: [{file: 모임.png, alt: 모임}]\n", 1)
    page.write_text(f"{front}\n<!-- certificates:photos -->\n", "utf-8")
    done = command(root, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    found = below(root)
    assert {"site/2024_code/mgk/2024_하계모각코.html"} <= set(found)
    assert "![모임](" in found["places/sessions/index.md/certificates-photos.md"][1].decode()
    prepare(root)
    assert below(root) == found
