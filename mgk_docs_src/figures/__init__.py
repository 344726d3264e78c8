"""그림: `figures/losses/binary.py`의 함수 하나가 `docs/losses/binary.md`의 그림 하나다."""
