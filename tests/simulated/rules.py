"""어느 연산에 CUDA 커널이 있고 어느 연산이 장치를 검사하나: 설치된 torch의 native_functions.yaml에서 읽는다."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

# device.cpp의 같은 이름들과 같은 비트다.
HAS_CUDA, NO_CHECK, WAITS, ASSERTS, MATMUL, ROUNDS = (1 << bit for bit in range(6))

# CUDA 커널이 끝나기를 기다리는 연산 (torch의 aten/src/ATen/native/cuda)
WAITING = {
    "_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique", "_unique2", "unique_dim",
    "unique_consecutive", "unique_dim_consecutive", "bincount", "repeat_interleave.Tensor", "multinomial",
}  # fmt: skip
# 범위 밖의 번호에서 장치가 멈추는 연산
ASSERTING = (
    "index", "_index_put_impl_", "gather", "scatter", "embedding", "nll_loss", "take", "put_", "multi_margin",
    "multilabel_margin", "binary_cross_entropy",
)  # fmt: skip
# 정수의 커널이 CUDA에 없는 연산
MATRIX_PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "addbmm", "addmv", "mv", "dot", "vdot", "addr"}
# 더하는 순서나 수학 함수의 구현에 따라 마지막 자리가 달라지는 연산. sigmoid는 1/(1 + e^−x)라 나눗셈의 반올림이 정한다
ROUNDING = MATRIX_PRODUCTS | {
    "sum", "mean", "var", "std", "var_mean", "std_mean", "prod", "nansum", "cumsum", "logcumsumexp", "logsumexp",
    "_softmax", "_log_softmax", "convolution", "linalg_vector_norm", "norm", "_cdist_forward", "native_batch_norm",
    "exp", "expm1", "log", "log1p", "pow", "rsqrt", "sin", "cos", "tanh", "atan2", "acos", "softplus",
    "log_sigmoid_forward", "gelu", "silu", "erf", "erfinv", "special_ndtr", "lgamma", "digamma",
}  # fmt: skip


def load() -> dict[str, int]:
    """연산마다의 규칙. 키는 `aten::add.out` 같은 이름이다."""
    spec = find_spec("torchgen")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).parent / "packaged/ATen/native/native_functions.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = {each["func"].partition("(")[0]: each for each in yaml.load(source.read_text(), Loader=loader)}
    rules = {f"aten::{name}": _rule(name, entry, entries) for name, entry in entries.items()}
    for name, entry in entries.items():  # out=이 붙은 것은 원래 연산에서 만들어진다
        for made in entry.get("autogen", "").split(","):
            if made.strip():
                rules.setdefault(f"aten::{made.strip()}", rules[f"aten::{name}"])
    return rules


def _rule(name: str, entry: dict[str, Any], entries: dict[str, dict[str, Any]]) -> int:
    base = name.partition(".")[0]
    keys = _kernels(entry, entries)
    return (
        HAS_CUDA * any(key == "CUDA" or key.startswith("Composite") for key in keys)
        | NO_CHECK * (entry.get("device_check") == "NoCheck")
        | WAITS * (name.removesuffix(".out") in WAITING)
        | ASSERTS * base.startswith(ASSERTING)
        | MATMUL * (base in MATRIX_PRODUCTS)
        | ROUNDS * (base.rstrip("_") in ROUNDING)
    )


def _kernels(entry: dict[str, Any], entries: dict[str, dict[str, Any]]) -> list[str]:
    if other := entry.get("structured_delegate"):
        return _kernels(entries[other], entries)
    keys = [key.strip() for group in entry.get("dispatch", {}) for key in group.split(",")]
    both = ["CPU", "CUDA"] if "ufunc_inner_loop" in entry else []  # 한 반복문이 두 커널을 만든다
    return keys + both or ["CompositeImplicitAutograd"]
