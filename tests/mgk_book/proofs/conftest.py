"""작은 책 한 권."""

from tests.mgk_book.small import book

__all__ = ["book"]
