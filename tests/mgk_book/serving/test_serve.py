"""`mkdocs serve`를 진짜로 띄운다: 책은 바로 읽히고, 실습은 뒤에서 돌고, 고친 것만 다시 그린다."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mgk_book.laid import ROOT, build, lay
from tests.mgk_book.serving.server import LONG, Served, serving

LAB = "labs/deep/"
SCRIPTS = r'<script [^>]*src="/_(?:mgk|news)[^>]*></script>|<script>\nvar livereload.*?</script>'
OWN = re.compile(f"{SCRIPTS}|<link [^>]*/_mgk/[^>]*>", re.DOTALL)  # 서버가 보탠 것


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """테스트들이 차례로 고치는 책 한 권. 저마다 고친 것을 되돌린다."""
    with serving(lay(tmp_path_factory.mktemp("책"))) as served:
        yield served


def bare(page: str) -> str:
    """서버가 보탠 것을 뺀 페이지."""
    return OWN.sub("", page)


def test_pages_are_there_before_the_labs_and_a_lab_fills_in_alone(served: Served) -> None:
    other = served.version("part/")
    served.until(lambda: 'data-mime-type="text/plain"' in served.get(LAB))
    assert served.version("part/") == other
    assert "lab-waiting" not in served.get(LAB)


def test_edits_show_what_a_build_from_nothing_would(tmp_path: Path) -> None:
    """그려 둔 페이지와 새로 그린 페이지가 섞인 책은, 처음부터 지은 책과 같다."""
    with serving(lay(tmp_path / "책")) as served:
        served.until(lambda: 'data-mime-type="text/plain"' in served.get(LAB))
        versions = {path: served.version(path) for path in ("", "part/", "part/page/", LAB, "reference/glossary/")}

        def changed() -> set[str]:
            before = dict(versions)
            versions.update({path: served.version(path) for path in versions})
            return {path for path in versions if versions[path] != before[path]}

        served.edit("docs/part/index.md", "글\n", "고친 글\n\n## 새 제목\n")
        assert changed() == {"part/"}
        served.edit("mgk_docs_src/shared.py", "둘째 문단", "고친 문단")
        assert changed() == {"part/page/"}
        served.edit("docs/reference/glossary.md", "값. ", "다른 값. ")
        assert "reference/glossary/" in changed()
        served.edit("docs/labs/deep.py", "안쪽 글", "고친 안쪽 글")
        assert changed() == {LAB}
        served.edit("mgk_docs_src/figures/part/page.py", "6pt", "9pt")
        served.until(lambda: 'height="12"' in served.get("part/page/"))
        served.edit("docs/part/page.md", "title: 장", "title: 새 장")
        served.edit("docs/part/index.md", "고친 글", "[장](page.md#mgk_docs_src.shared.big_area)")
        shown = {path: bare(served.get(path)) for path in versions}
        address, index = f"{served.address}/", served.get("search/search_index.json")
    build(served.root, SITE_URL=address)
    assert shown == {path: (served.root / "site" / path / "index.html").read_text("utf-8") for path in versions}
    assert json.loads(index) == json.loads((served.root / "site" / "search" / "search_index.json").read_text("utf-8"))


def test_a_lab_that_fails_says_so_on_its_page_and_serving_goes_on(served: Served) -> None:
    served.until(lambda: 'data-mime-type="text/plain"' in served.get(LAB))
    served.edit("docs/labs/deep.py", "print(SIDE)", "print(SIDE / 0)")
    served.until(lambda: "ZeroDivisionError" in served.get(LAB))
    assert "1째 코드 칸: ZeroDivisionError: division by zero" in served.log.read_text("utf-8")
    assert "넓이" in served.get("part/page/")
    served.edit("docs/labs/deep.py", "print(SIDE / 0)", "print(SIDE)")
    served.until(lambda: 'data-mime-type="text/plain"' in served.get(LAB))
    assert "ZeroDivisionError" not in served.get(LAB)


def test_a_mistake_in_the_text_is_heard_on_the_page_and_a_dead_link_stops_nothing(served: Served) -> None:
    served.edit("docs/part/index.md", "글\n", "[없는 곳](nowhere.md)\n")
    assert "nowhere.md" in served.log.read_text("utf-8")
    assert "없는 곳" in served.get("part/")
    served.edit("docs/part/index.md", "[없는", "$\\frac{1}$ [없는")
    served.until(lambda: "part/index.md" in served.news("part/", served.version("part/"))["error"])
    served.edit("docs/part/index.md", "$\\frac{1}$ [없는 곳](nowhere.md)\n", "글\n")
    served.until(lambda: served.news("part/")["error"] == "")


def children(pid: int) -> list[int]:
    found = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")).split()
    return [each for child in map(int, found) for each in (child, *children(child))]


def test_stopping_leaves_no_process_and_no_half_file(tmp_path: Path) -> None:
    root = lay(tmp_path / "책")
    lab = root / "docs" / "labs" / "deep.py"
    lab.write_text(lab.read_text("utf-8").replace("print(SIDE)", "import time\ntime.sleep(600)"), "utf-8")
    with serving(root) as served:
        served.until(lambda: "elapsed" in served.get("_news?page=&version=0"))
        served.until(lambda: len(children(served.process.pid)) >= 2)
        running = children(served.process.pid)
    assert served.process.returncode == 0
    end = time.monotonic() + LONG
    while any(Path(f"/proc/{pid}").exists() for pid in running):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert list((root / ".cache").rglob("*.partial")) == []
    assert list((root / ".cache" / "serving").iterdir()) == []


def test_a_taken_port_and_a_folder_that_takes_nothing_are_one_clear_line(tmp_path: Path) -> None:
    root = lay(tmp_path / "책")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "mkdocs", "serve", "-f", str(root / "mkdocs.yml"), "-a", f"127.0.0.1:{port}"]
        given = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{ROOT}"}
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Error: 127.0.0.1:{port}에 띄울 수 없다" in done.stderr
    assert "make serve PORT=8001" in done.stderr
    assert "Traceback" not in done.stderr
    (root / ".cache").write_text("", "utf-8")
    with pytest.raises(RuntimeError, match=re.escape(f"{root / '.cache'}를 만들 수 없다: File exists")):
        build(root)
