"""PYTHONPATH에 이 폴더가 있으면, 그 실행의 모든 파이썬 프로세스가 torch보다 먼저 모의 장치를 불러들인다."""

import tests.simulated.device  # noqa: F401
