"""benchmarks/certificates.py: 견주는 것이 인증 하나만 다르고, 실패한 것은 재지 않는다."""

from pathlib import Path

import pytest
import yaml

from benchmarks import certificates


def test_the_report_is_medians_and_their_ratio() -> None:
    table = certificates.report([(11.0, 10.0), (99.0, 10.0), (11.0, 12.0)], [(2.0, 2.0)], 7)
    assert "행 7개를 새로 적는다 | 10.0 | 11.0 | +10.0 % |" in table
    assert "바뀐 것이 없을 때 | 2.0 | 2.0 | +0.0 % |" in table


def test_the_builds_differ_by_one_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mkdocs.yml").write_text((certificates.ROOT / "mkdocs.yml").read_text("utf-8"), "utf-8")
    seen = []

    def record(command, root: Path) -> float:
        seen.append(yaml.safe_load((root / "mkdocs.measured.yml").read_text("utf-8"))["hooks"])
        return 1.0

    monkeypatch.setattr(certificates, "seconds", record)
    certificates.build(tmp_path, certify=True)
    certificates.build(tmp_path, certify=False)
    assert set(seen[0]) - set(seen[1]) == {certificates.HOOK}
    assert len(seen[0]) - len(seen[1]) == 1
    assert len(seen[0]) >= 6


def test_a_failing_command_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no_such_module"):
        certificates.seconds(["no_such_module"], tmp_path)
