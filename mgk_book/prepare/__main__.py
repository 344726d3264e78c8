"""`python -m mgk_book.prepare`: 지금 서 있는 폴더의 책을, 사이트를 만들 준비까지 한다."""

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from mgk_book.book import BookError
from mgk_book.prepare import numbers, prepare
from mgk_book.running.execution import device


def main(argv: Sequence[str] | None = None) -> None:
    """명령줄."""
    parser = argparse.ArgumentParser(prog="python -m mgk_book.prepare", description=__doc__)
    parser.add_argument("--site-url", default=os.environ.get("SITE_URL", ""), help="사이트의 주소 (SITE_URL)")
    parser.add_argument(
        "--repository", default=os.environ.get("GITHUB_REPOSITORY", ""), help="GitHub의 owner/name (GITHUB_REPOSITORY)"
    )
    parser.add_argument("--device", default=device(), help="실습을 실행할 장치 (MGK_DEVICE)")
    parser.add_argument("--numbers", action="store_true", help="글에 옮겨 적은 수를 실습의 결과로 다시 쓰기만 한다")
    chosen = parser.parse_args(argv)
    logging.basicConfig(format="%(message)s")
    log = logging.getLogger("mkdocs.mgk_book")
    log.setLevel(logging.INFO)
    settings = vars(chosen)
    try:
        if settings.pop("numbers"):
            numbers.mend(Path.cwd(), chosen.device)
        else:
            log.info(f"만든 파일 {len(prepare(Path.cwd(), **settings).files)}개")
    except BookError as error:
        parser.exit(1, f"{error.message}\n")


if __name__ == "__main__":
    main()
