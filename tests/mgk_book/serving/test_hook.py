"""진짜 `mkdocs serve`: 페이지를 받고, 그 페이지가 하듯 블록을 돌리고, Ctrl-C로 끝낸다. 브라우저는 tests/site에 있다."""

import json
import logging
import re
import signal
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from mkdocs.config import load_config

from mgk_book.mkdocs import BookPlugin
from tests.mgk_book.laid import lay
from tests.mgk_book.serving.server import serving


def fetched(address: str) -> str:
    with urlopen(address) as answer:
        return answer.read().decode()


def test_a_served_page_runs_its_block_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    root = lay(tmp_path / "book")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        with serving(root, end=signal.SIGINT) as served:
            address = served.address
            page = fetched(f"{address}/part/page/")
            (token,) = re.findall(r'data-token="([\w-]+)"', page)
            assert "_mgk" not in fetched(f"{address}/labs/deep/")
            headers = {"Content-Type": "application/json", "X-Mgk-Token": token, "Origin": address}
            code = "import os\nfrom mgk_docs_src.shared import big_area\nprint(big_area(2))\nprint(os.getppid())"
            body = json.dumps({"page": "/part/page/", "code": code, "expected": "6\n"}).encode()
            with urlopen(Request(f"{address}/_mgk/run", body, headers)) as answer:
                events = [json.loads(line) for line in answer]
            text = "".join(event.get("text", "") for event in events)
            assert text.split()[0] == "6"
            assert events[-1] == {"end": "done", "agrees": False}
            nursery = int(text.split()[1])
            assert Path(f"/proc/{nursery}").exists()
        assert not Path(f"/proc/{nursery}").exists()
    assert not [*temporary.iterdir()]


def test_a_server_that_other_machines_reach_has_nothing_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    plugin = BookPlugin()
    plugin.on_startup(command="serve", dirty=False)
    config = load_config(str(lay(tmp_path) / "mkdocs.yml"), plugins=[], dev_addr="0.0.0.0:0")
    for _ in range(2):  # 다시 만들 때에는 말하지 않는다
        plugin.on_config(config)
    assert caplog.text.count("0.0.0.0에서는 다른 컴퓨터도 닿으므로 ▶ 실행을 끈다") == 1
    assert plugin.desk is not None
    assert plugin.desk.runner is None
    plugin.on_shutdown()
