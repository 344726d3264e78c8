"""모양을 실행 중에 보는 검사기(`make shapes`). 파이썬의 타입 규칙(PEP 484)대로, float인 자리에 int가 와도 된다."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
