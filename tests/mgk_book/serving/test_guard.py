"""mgk_book/serving/run.py의 문지기: 이 서버가 준 페이지만 코드를 돌린다. 커널은 띄우지 않는다."""

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from mgk_book.serving import run
from mgk_book.serving.run import LONGEST, Runner, agree, is_loopback, name_of, opened


class NoNursery:
    """커널을 띄우려 들면 실패한다."""

    def warm(self) -> None:
        """들여올 것이 없다."""

    def ask(self, *_: object) -> None:
        raise BrokenPipeError


def inner(environ: dict[str, Any], respond: Callable[..., Any]) -> list[bytes]:
    respond("200 OK", [("Content-Type", "text/plain")])
    return [b"page"]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    runner = Runner(tmp_path)
    runner.nursery = NoNursery()  # type: ignore[assignment]
    return runner


def ask(runner: Runner, path: str = "/_mgk/run", body: object = None, **changed: str | None) -> tuple[str, str]:
    """이 서버가 준 페이지가 하는 요청에서 몇 가지를 바꾼 것의 상태와 글."""
    raw = body if isinstance(body, bytes) else json.dumps(body or {"page": "/", "code": "1", "expected": ""}).encode()
    given = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_ORIGIN": "http://127.0.0.1:8000", "HTTP_X_MGK_TOKEN": runner.token,
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(raw)),
        "QUERY_STRING": "", "SCRIPT_NAME": "", "wsgi.input": io.BytesIO(raw),
    }  # fmt: skip
    environ = {name: value for name, value in (given | changed).items() if value is not None}
    setup_testing_defaults(environ)
    if "HTTP_HOST" in changed and changed["HTTP_HOST"] is None:
        del environ["HTTP_HOST"]
    said: list[str] = []
    pieces = validator(runner.app(inner))(environ, lambda status, *_: said.append(status))
    text = b"".join(pieces).decode()
    pieces.close()
    return said[0].partition(" ")[0], text


def test_the_page_that_this_server_gave_may_run(runner: Runner) -> None:
    assert ask(runner) == ("200", '{"end": "unavailable"}\n')
    assert ask(runner, CONTENT_TYPE="application/json; charset=utf-8")[0] == "200"
    same = {"HTTP_HOST": "[::1]:9000", "HTTP_ORIGIN": "http://[::1]:9000"}  # 다른 포트로 넘겨받은 것
    assert ask(runner, **same)[0] == "200"
    assert ask(runner, "/_mgk/interrupt", {"page": "/"}) == ("200", "{}")
    assert ask(runner, "/_mgk/reset", {"page": "/"}) == ("200", "{}")


def test_a_page_stops_only_its_own_kernel(runner: Runner) -> None:
    said: list[str] = []
    for page in ("/", "/other"):
        kernel = SimpleNamespace(stop=lambda why, page=page: said.append(page + why), close=said.append)
        runner.kernels[page] = kernel  # type: ignore[assignment]
    ask(runner, "/_mgk/interrupt", {"page": "/"})
    ask(runner, "/_mgk/reset", {"page": "/"})
    assert said == ["/interrupt", "reset"]
    assert [*runner.kernels] == ["/other"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"HTTP_X_MGK_TOKEN": None}, "이 서버가 준 페이지가 아니다"),
        ({"HTTP_X_MGK_TOKEN": "모름"}, "이 서버가 준 페이지가 아니다"),
        ({"HTTP_ORIGIN": None}, "다른 사이트의 페이지"),
        ({"HTTP_ORIGIN": "null"}, "다른 사이트의 페이지"),
        ({"HTTP_ORIGIN": "https://evil.example"}, "다른 사이트의 페이지"),
        ({"HTTP_ORIGIN": "http://127.0.0.1:3000"}, "다른 사이트의 페이지"),
        ({"HTTP_ORIGIN": "http://localhost:8000"}, "다른 사이트의 페이지"),
        ({"CONTENT_TYPE": "text/plain"}, "JSON"),
        ({"CONTENT_TYPE": "application/x-www-form-urlencoded"}, "JSON"),
    ],
)
def test_any_other_may_not(runner: Runner, changed: dict[str, str | None], reason: str) -> None:
    for path in ("/_mgk/run", "/_mgk/interrupt", "/_mgk/reset"):
        status, text = ask(runner, path, **changed)
        assert (status, reason in text) == ("403", True)


@pytest.mark.parametrize("host", ["evil.example:8000", "localhost.evil.example", "10.0.0.7:8000", "", "[", None])
@pytest.mark.parametrize("path", ["/", "/losses/binary/", "/_mgk/run.js", "/_mgk/run", "/livereload/1/2"])
def test_a_name_that_is_not_of_this_machine_gets_not_even_a_page(runner: Runner, host: str | None, path: str) -> None:
    status, text = ask(runner, path, HTTP_HOST=host, HTTP_ORIGIN=f"http://{host}")
    assert (status, "localhost" in text) == ("403", True)


def test_other_addresses_are_the_document_servers(runner: Runner) -> None:
    assert ask(runner, "/", REQUEST_METHOD="GET") == ("200", "page")
    assert ask(runner, "/", HTTP_HOST="localhost") == ("200", "page")
    assert ask(runner, "/_mgk/run.css", REQUEST_METHOD="GET")[1].startswith("/*")
    assert "token" in ask(runner, "/_mgk/run.js", REQUEST_METHOD="GET")[1]
    for path in ("/_mgk/", "/_mgk/run.py", "/_mgk/../run.py"):
        assert ask(runner, path, REQUEST_METHOD="GET")[0] == "404"
    assert ask(runner, "/_mgk/run", REQUEST_METHOD="GET")[0] == "404"
    assert ask(runner, "/_mgk/run.js")[0] == "404"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", "400"), (b"\xff", "400"), ([1], "400"), ({"page": "/", "code": 1, "expected": ""}, "400"),
     ({"page": "/"}, "400"), (b" " * (LONGEST + 1), "413")],
)  # fmt: skip
def test_what_is_not_a_request_is_named(runner: Runner, body: object, status: str) -> None:
    found, text = ask(runner, body=body)
    assert found == status
    assert text


def test_a_length_that_is_no_number_is_not_believed(runner: Runner) -> None:
    for length in ("-1", "abc"):
        environ = {
            "HTTP_HOST": "localhost",
            "CONTENT_LENGTH": length,
            "PATH_INFO": "/_mgk/run",
            "REQUEST_METHOD": "POST",
        }
        said: list[str] = []
        list(runner.app(inner)(environ, lambda status, *_, said=said: said.append(status)))
        assert said == ["413 Content Too Large"]


def test_only_a_loopback_server_is_given_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert [is_loopback(host) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.0.2", "book.local", "")] == [False] * 5
    assert [name_of(host) for host in ("[::1]:80", "LOCALHOST:1", "[")] == ["::1", "localhost", ""]
    assert opened(tmp_path, "127.0.0.1") is not None
    assert not caplog.records
    with caplog.at_level(logging.INFO, run.log.name):
        assert opened(tmp_path, "0.0.0.0") is None
    assert "0.0.0.0에서는 다른 컴퓨터도 닿으므로 ▶ 실행을 끈다" in caplog.text


def test_a_token_is_of_one_start_and_stands_in_the_tags(tmp_path: Path) -> None:
    one, other = Runner(tmp_path), Runner(tmp_path)
    assert one.token != other.token
    assert len(one.token) >= 43
    assert f'data-token="{one.token}"' in one.tags()
    one.close()  # 아무것도 띄우지 않았다


def test_outputs_agree_as_they_do_in_the_tests() -> None:
    assert agree("손실 0.3048\n", "손실 0.3049\n")
    assert not agree("손실 0.3048\n", "손실 0.3058\n")
    assert not agree("6\n", "")
