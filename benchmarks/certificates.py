"""인증이 테스트에 더하는 시간. `python -m benchmarks.certificates`.

저장소를 임시 폴더에 복사하고 빈 실행 기록에서 시작한다. 인증을 켠 실행과 끈 실행을 번갈아 측정하고 중앙값의 비를 쓴다.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "certificates.md"
ROUNDS = 5
TESTED = ["tests/losses", "tests/transport", "docs/losses", "docs/transport"]


def copy(target: Path) -> None:
    """측정하는 동안 실제 실행 기록과 사이트를 건드리지 않게."""
    shutil.copytree(ROOT, target, symlinks=True, ignore=shutil.ignore_patterns(".git", "site", "peers", "__pycache__"))


def seconds(command: Sequence[str], root: Path) -> float:
    """명령 하나의 초. 실패하면 잰 것이 아니다."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - start


def tests(root: Path, *, certify: bool) -> float:
    """같은 테스트. 인증하면 빈 실행 기록에 모든 행을 새로 적는다."""
    (root / "certificates" / "cpu.json").unlink(missing_ok=True)
    options = ["--certify"] if certify else []
    return seconds(["pytest", *TESTED, "-q", "-m", "not site", "-p", "no:cacheprovider", *options], root)


def overhead(times: Sequence[tuple[float, float]]) -> str:
    """켠 것과 끈 것의 중앙값과 그 비."""
    on, off = (median(side) for side in zip(*times, strict=True))
    return f"{off:.1f} | {on:.1f} | {100 * (on / off - 1):+.1f} %"


def report(tested: Sequence[tuple[float, float]], rows: int) -> str:
    """결과의 표."""
    return (
        "| 무엇 | 끄면 (초) | 켜면 (초) | 더하는 비율 |\n| --- | ---: | ---: | ---: |\n"
        f"| 테스트: 손실과 최적 수송, 행 {rows}개를 새로 적는다 | {overhead(tested)} |\n\n"
        f"번갈아 {len(tested)}번씩 잰 중앙값이다(`make bench-site`).\n"
    )


def main() -> None:
    """재고 적는다."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "book"
        copy(root)
        tested = [(tests(root, certify=True), tests(root, certify=False)) for _ in range(ROUNDS)]
        tests(root, certify=True)
        rows = len(json.loads((root / "certificates" / "cpu.json").read_text("utf-8"))["rows"])
    RESULTS.write_text(report(tested, rows), "utf-8")
    print(RESULTS.read_text("utf-8"))


if __name__ == "__main__":
    main()
