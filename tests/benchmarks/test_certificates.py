"""benchmarks/certificates.py: 가운데값을 견주고, 실패한 것은 재지 않는다."""

from pathlib import Path

import pytest

from benchmarks import certificates


def test_the_report_is_medians_and_their_ratio() -> None:
    table = certificates.report([(11.0, 10.0), (99.0, 10.0), (11.0, 12.0)], 7)
    assert "행 7개를 새로 적는다 | 10.0 | 11.0 | +10.0 % |" in table


def test_a_failing_command_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no_such_module"):
        certificates.seconds(["no_such_module"], tmp_path)
