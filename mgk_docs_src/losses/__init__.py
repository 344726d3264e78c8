"""손실 함수: `docs/losses/`의 페이지들."""
