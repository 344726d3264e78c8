"""`python -m tests.simulated [pytest의 인자]`: 모의 장치에서 카나리아를, 다음에 고른 테스트나 모든 테스트를 돌린다."""

import os
import sys

from tests.simulated.build import ROOT, build

FOLDERS = ["losses", "transport", "diffusion", "energy", "contrastive", "labs", "promises", "simulated"]
MODULES = ["data", "metrics", "networks", "random"]


def main(arguments: list[str]) -> None:
    build()
    start = ROOT / "tests" / "simulated" / "start"
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (start, ROOT)))
    os.environ["OMP_NUM_THREADS"] = "1"
    pytest = [sys.executable, "-m", "pytest", "--device", "simulated", "-m", "not site and not real_device"]
    if failed := os.spawnv(os.P_WAIT, sys.executable, [*pytest, "-q", "tests/simulated/test_canaries.py"]):
        raise SystemExit(failed)
    every = [*(f"tests/{name}" for name in FOLDERS), *(f"tests/test_{name}.py" for name in MODULES), "docs"]
    chosen = any((ROOT / argument.partition("::")[0]).exists() for argument in arguments)
    os.execv(sys.executable, [*pytest, *arguments, *([] if chosen else every)])


if __name__ == "__main__":
    main(sys.argv[1:])
