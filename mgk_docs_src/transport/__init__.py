"""최적 수송: `docs/transport/`의 페이지들."""
