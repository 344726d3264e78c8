"""mgk_book/serving/news.py: 바뀐 페이지만 다시 읽고, 진행과 오류를 안다."""

import json
import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest

from mgk_book.serving import news
from mgk_book.serving.news import News


@pytest.fixture
def status() -> dict[str, Any]:
    return {}


@pytest.fixture
def told(status: dict[str, Any]) -> News:
    made = News(lambda: status)
    made.publish({"part/page/": "1", "": "1"})
    return made


def ask(told: News, path: str, query: str = "") -> tuple[str, dict[str, str], bytes]:
    """`PATH?QUERY`에 온 대답: 상태, 머리, 글."""
    answered: list[Any] = []

    def inner(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"page"]

    def start_response(state: str, headers: list[tuple[str, str]]) -> None:
        answered.extend([state, dict(headers)])

    body = b"".join(told.app(inner)({"PATH_INFO": path, "QUERY_STRING": query}, start_response))
    return answered[0], answered[1], body


def hear(told: News, query: str) -> dict[str, Any]:
    state, headers, body = ask(told, news.NEWS, query)
    assert (state, headers["Cache-Control"]) == ("200 OK", "no-store")
    assert headers["Content-Length"] == str(len(body))
    return dict(json.loads(body))


def test_a_page_that_is_behind_hears_its_version_at_once(told: News) -> None:
    assert hear(told, "page=part/page/&version=0") == {"version": "1", "error": "", "status": {}}


def test_a_page_that_did_not_change_hears_nothing_while_another_does(told: News) -> None:
    heard: list[Any] = []
    waiting = threading.Thread(target=lambda: heard.append(hear(told, "page=part/page/&version=1")))
    waiting.start()
    told.publish({"part/page/": "1", "": "2"})
    time.sleep(0.1)
    assert heard == []
    told.publish({"part/page/": "2", "": "2"})
    waiting.join()
    assert heard[0]["version"] == "2"


def test_an_error_is_heard_and_its_end_too(told: News) -> None:
    told.fail("part/page.md: 수식을 읽을 수 없다")
    assert hear(told, "page=&version=1")["error"] == "part/page.md: 수식을 읽을 수 없다"
    told.publish({"": "1"})
    assert hear(told, "page=&version=1&error=x")["error"] == ""


def test_a_running_lab_is_told_twice_a_second(told: News, status: dict[str, Any]) -> None:
    status["labs/gan"] = {"elapsed": 1.0, "usually": 200.0}
    assert hear(told, "page=&version=1")["status"] == status


def test_a_page_that_the_book_does_not_have_waits_like_the_others(told: News, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "LONGEST", 0.05)
    assert hear(told, "page=nowhere/&version=1")["version"] == "1"


def test_the_news_of_mkdocs_is_held_back_and_the_rest_handed_on(told: News, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "LONGEST", 0.05)
    assert ask(told, "/livereload/12/34")[2] == b"0"
    assert ask(told, "/part/page/")[2] == b"page"
    assert ask(told, news.SCRIPT)[1]["Content-Type"].startswith("application/javascript")


def test_closing_lets_every_waiting_page_go(told: News) -> None:
    heard: list[Any] = []
    waiting = [
        threading.Thread(target=lambda: heard.append(hear(told, "page=&version=1"))),
        threading.Thread(target=lambda: heard.append(ask(told, "/livereload/1/2"))),
    ]
    for thread in waiting:
        thread.start()
    told.close()
    for thread in waiting:
        thread.join()
    assert len(heard) == 2
