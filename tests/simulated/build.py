"""`device.cpp`를 지금의 torch에 맞추어 컴파일한다. torch를 들여오지 않는다: 모의 장치가 먼저여야 한다."""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("device.cpp")


def library() -> Path:
    """컴파일한 파일의 자리. 소스나 torch의 버전이 바뀌면 다른 파일이다."""
    name = hashlib.sha256(SOURCE.read_bytes() + version("torch").encode() + sys.version.encode()).hexdigest()[:16]
    return ROOT / ".cache" / "simulated" / name / "_simulated.so"


def build() -> None:
    """컴파일한다. 이미 했으면 아무것도 하지 않는다.

    Raises:
        SystemExit: 고정한 버전의 torch가 아니거나, g++가 없거나, 컴파일하지 못하면.
    """
    (pinned,) = re.findall(r"torch==([\d.]+)", (ROOT / "Makefile").read_text("utf-8").partition("lock:")[0])
    if version("torch").partition("+")[0] != pinned:
        raise SystemExit(f"모의 장치는 torch {pinned}에만 맞추었는데 {version('torch')}이다")
    if library().exists():
        return
    if shutil.which("g++") is None:
        raise SystemExit("모의 장치를 컴파일할 g++가 없다")
    spec = importlib.util.find_spec("torch")
    assert spec is not None
    assert spec.origin is not None
    torch = Path(spec.origin).parent
    folders = [torch / "include", torch / "include/torch/csrc/api/include", sysconfig.get_path("include")]
    library().parent.mkdir(parents=True, exist_ok=True)
    partial = library().with_suffix(".partial")
    print("▸ 모의 장치를 컴파일한다 (처음 한 번, 1분쯤)", flush=True)
    subprocess.run(
        ["g++", "-std=c++20", "-O1", "-g0", "-fPIC", "-shared", "-w", "-DTORCH_EXTENSION_NAME=_simulated"]
        + [f"-I{folder}" for folder in folders]
        + [str(SOURCE), "-o", str(partial), f"-L{torch / 'lib'}", f"-Wl,-rpath,{torch / 'lib'}"]
        + ["-lc10", "-ltorch_cpu", "-ltorch", "-ltorch_python"],
        check=True,
    )
    partial.replace(library())
