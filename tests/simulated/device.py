"""모의 장치를 torch에 끼운다. torch보다 먼저 들여와야 한다: torch는 시작할 때 한 번만 CUDA를 찾는다."""

import contextlib
import ctypes
import os
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from tests.simulated import rules
from tests.simulated.build import ROOT, library

if "torch" in sys.modules:
    raise ImportError("모의 장치는 torch보다 먼저 들여와야 한다")
ctypes.CDLL(str(library()), mode=ctypes.RTLD_GLOBAL)  # torch가 찾을 CUDA를 등록한다

import torch  # noqa: E402

JITTER = "MGK_SIMULATED_JITTER"  # 1이면 반올림하는 연산의 결과를 마지막 자리에서 흔든다

WAIT, COPY = "wait", "copy"
_events: Counter[tuple[str, str]] = Counter()


class Events:
    """센 것. 기다림은 장치가 끝나야 호스트가 가는 일(`.item()`, CPU로 복사), 복사는 호스트에서 장치로 옮기는 일."""

    def __init__(self) -> None:
        self.places: Counter[tuple[str, str]] = Counter()

    @property
    def waits(self) -> int:
        return sum(n for (kind, _), n in self.places.items() if kind == WAIT)

    @property
    def copies(self) -> int:
        return sum(n for (kind, _), n in self.places.items() if kind == COPY)

    def __sub__(self, other: "Events") -> "Events":
        left = Events()
        left.places = self.places - other.places
        return left

    def __str__(self) -> str:
        return "".join(f"\n  {kind} {n}: {place}" for (kind, place), n in self.places.most_common())


@contextlib.contextmanager
def counting() -> Iterator[Events]:
    """안에서 일어난 기다림과 복사를 자리마다 센다."""
    counted, before = Events(), Counter(_events)
    _simulated.count(True)
    try:
        yield counted
    finally:
        _simulated.count(False)
        counted.places = _events - before


def _note(kind: str, operator: str) -> None:
    _events[kind, f"{_place()} ({operator})"] += 1


def _place() -> str:
    """프로젝트의 줄, 안쪽부터 셋."""
    frame, lines = sys._getframe(2) if sys._getframe(1).f_back else None, []
    while frame is not None and len(lines) < 3:
        name = frame.f_code.co_filename
        if name.startswith(str(ROOT)) and "/.venv/" not in name:
            lines.append(f"{name[len(str(ROOT)) + 1 :]}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(lines) or "역전파"


def _load() -> Any:
    spec = spec_from_file_location("_simulated", library())
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _set(index: int) -> int:
    """torch.cuda가 장치를 바꿀 때 이전 번호를 돌려주는 함수. 장치는 하나다."""
    if index > 0:
        raise RuntimeError("CUDA error: invalid device ordinal")
    return 0


def _nothing(*_: object, **__: object) -> None:
    pass


def _answer(value: object) -> Callable[..., Any]:
    return lambda *_, **__: value


def _storages() -> None:
    """CPU판에서는 장치의 UntypedStorage를 만들 수 없다. 텐서로 만든다. 복사와 저장이 이것을 쓴다."""
    base = torch.storage._StorageBase
    clone, to = base.clone, torch.storage._to

    def copied(storage: Any, device: torch.device) -> Any:
        made = torch.empty(storage.nbytes(), dtype=torch.uint8, device=device).untyped_storage()
        return made.copy_(storage)

    def clone_(self: Any) -> Any:
        return copied(self, self.device) if self.device.type == "cuda" else clone(self)

    def to_(self: Any, device: torch.device, non_blocking: bool = False) -> Any:
        device = torch.device(device)
        return copied(self, device) if device.type == "cuda" != self.device.type else to(self, device, non_blocking)

    base.clone, torch.storage._to = clone_, to_


def _install() -> None:
    _simulated.install(rules.load(), _note, os.environ.get(JITTER) == "1")
    name, memory = "모의 CUDA", 8 << 30
    facts = types.SimpleNamespace(name=name, major=9, minor=0, total_memory=memory, multi_processor_count=1)
    stream = types.SimpleNamespace(synchronize=_nothing, wait_stream=_nothing, cuda_stream=0)
    for module, answers in {
        torch._C: {
            "_cuda_getDeviceCount": _answer(1),
            "_cuda_getDevice": _answer(0),
            "_cuda_setDevice": _set,
            "_cuda_exchangeDevice": _set,
            "_cuda_maybeExchangeDevice": _set,
            "_cuda_synchronize": _nothing,
            "_cuda_init": _nothing,
            "_cuda_getCurrentRawStream": _answer(0),
            "_accelerator_synchronizeDevice": _nothing,
        },
        torch.cuda: {
            "_exchange_device": _set,
            "_maybe_exchange_device": _set,
            "_lazy_init": _nothing,
            "_initialized": True,
            "_is_in_bad_fork": _answer(False),
            "is_initialized": _answer(True),
            "is_available": _answer(True),
            "device_count": _answer(1),
            "current_device": _answer(0),
            "current_stream": _answer(stream),
            "synchronize": _nothing,
            "empty_cache": _nothing,
            "is_bf16_supported": _answer(True),
            "default_generators": (_simulated.default_generator(),),
            "get_device_name": _answer(name),
            "get_device_capability": _answer((9, 0)),
            "get_device_properties": _answer(facts),
        },
    }.items():
        for attribute, value in answers.items():
            setattr(module, attribute, value)
    _storages()


_simulated = _load()
_install()
