"""ProperDocs도 같은 설정으로 같은 사이트를 만든다. 다른 것은 만든 도구의 이름뿐이다."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.conftest import ROOT, SITE

GENERATOR = re.compile(r'<meta name="generator" content="[^"]*">')
DATED = {"sitemap.xml", "sitemap.xml.gz"}  # 만든 날이 적힌다


def test_the_same_site_comes_out_of_properdocs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "properdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stderr[-3000:])
    theirs = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    ours = {path.relative_to(SITE).as_posix(): path for path in SITE.rglob("*") if path.is_file()}
    assert theirs.keys() == ours.keys()
    assert len(ours) > 150
    differ = [name for name in ours if name not in DATED and read(ours[name]) != read(theirs[name])]
    assert not differ


def read(path: Path) -> str | bytes:
    return GENERATOR.sub("", path.read_text("utf-8")) if path.suffix == ".html" else path.read_bytes()
