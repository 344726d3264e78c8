"""테스트 전체의 설정: 어느 장치와 어느 자료형에서 실행하는가."""

import sys

import matplotlib as mpl
import pytest
import torch

from mgk_docs_src.device import resolve

pytest_plugins = ["tests.docs.examples", "tests.docs.certify"]
# 설명을 찾으려 들여오면 실습이 통째로 실행되고(실습은 mgk_book/running/execution.py가 실행한다), 모의 장치가 끼어든다.
collect_ignore_glob = ["docs/labs/*.py", "tests/simulated/device.py", "tests/simulated/start/*.py"]

DTYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="테스트할 장치: cpu, cuda, simulated. 없는 장치는 오류다")
    parser.addoption("--dtype", default="float64", choices=sorted(DTYPES), help="dtype 픽스처가 주는 자료형")


def pytest_configure(config: pytest.Config) -> None:
    mpl.use("svg")
    # 두 코어에서 테스트와 브라우저가 다투지 않고, 결과가 스레드 수에 따라 흔들리지 않게 한다.
    torch.set_num_threads(1)
    name, simulated = config.getoption("--device"), "tests.simulated.device" in sys.modules
    if simulated != (name == "simulated"):
        raise pytest.UsageError("--device: 모의 장치는 make test DEVICE=simulated로만 돌린다")
    if simulated and config.getoption("--certify"):
        raise pytest.UsageError("--certify: 모의 장치에서 돈 것은 인증이 아니다")
    try:
        config.option.device = str(resolve("cuda" if simulated else name))
    except ValueError as error:
        raise pytest.UsageError(f"--device: {error}") from error


@pytest.fixture
def device(request: pytest.FixtureRequest) -> torch.device:
    return resolve(request.config.getoption("--device"))


@pytest.fixture
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    return DTYPES[request.config.getoption("--dtype")]


@pytest.fixture
def rng() -> torch.Generator:
    """CPU 난수 발생기: 같은 시드이면 어느 장치에서나 같은 수."""
    return torch.Generator().manual_seed(0)
