"""`python -m tests.simulated [pytest의 인자]`: 모의 장치를 만들고, 카나리아 다음에 장치를 쓰는 모든 테스트를 돌린다."""

import os
import sys

from tests.simulated.build import ROOT, build

DEVICE_TESTS = [
    "losses",
    "transport",
    "diffusion",
    "energy",
    "contrastive",
    "labs",
    "promises",
    "test_data.py",
    "test_metrics.py",
    "test_networks.py",
    "test_random.py",
    "simulated/test_budgets.py",
]


def main(arguments: list[str]) -> None:
    build()
    start = ROOT / "tests" / "simulated" / "start"
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (start, ROOT)))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    pytest = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--device",
        "simulated",
        "-m",
        "not site and not real_device",
    ]
    if status := os.spawnv(os.P_WAIT, sys.executable, [*pytest, "-q", "tests/simulated/test_canaries.py"]):
        raise SystemExit(status)
    chosen = arguments if any(not argument.startswith("-") for argument in arguments) else []
    tests = [] if chosen else [*(f"tests/{name}" for name in DEVICE_TESTS), "docs"]
    os.execv(sys.executable, [*pytest, *arguments, *tests])


if __name__ == "__main__":
    main(sys.argv[1:])
