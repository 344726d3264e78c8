"""모의 장치를 믿기 전에: 카드가 거부하는 것을 거부하고, 허락하는 것을 허락하고, 센 수가 맞는가."""

import copy
import io
import os
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.simulated import build

pytestmark = pytest.mark.skipif("tests.simulated.device" not in sys.modules, reason="모의 장치가 없다")
HERE = torch.device("cuda")


class Pieces:
    """장치와 CPU의 텐서와 발생기."""

    def __init__(self) -> None:
        self.x, self.y = torch.randn(3, 4, device=HERE), torch.randn(4, device=HERE)
        self.whole = torch.zeros(3, 1, dtype=torch.int64, device=HERE)
        self.cpu = torch.ones(4)
        self.index = torch.zeros(3, 1, dtype=torch.int64)
        self.rng, self.cpu_rng = torch.Generator(HERE), torch.Generator()


REFUSED = {
    "장치 + CPU": lambda p: p.x + p.cpu,
    "CPU + 장치": lambda p: p.cpu + p.x,
    "제자리": lambda p: torch.ones(3, 4).add_(p.x),
    "행렬 곱": lambda p: p.x @ p.cpu,
    "이어 붙이기": lambda p: torch.cat([p.x, torch.ones(3, 4)]),
    "CPU의 수를 쌓기": lambda p: torch.stack([p.y[0], torch.tensor(1.0)]),
    "where": lambda p: torch.where(p.x > 0, p.x, torch.ones(3, 4)),
    "CPU 색인의 gather": lambda p: p.x.gather(1, p.index),
    "장치의 색인으로 본 CPU": lambda p: p.cpu[p.whole],
    "CPU의 값 넣기": lambda p: p.x.__setitem__(torch.tensor([0], device=HERE), torch.ones(1, 4)),
    "CPU 라벨": lambda p: F.cross_entropy(p.x, torch.zeros(3, dtype=torch.int64)),
    "CPU 가중치": lambda p: torch.nn.Linear(4, 2)(p.x),
    "searchsorted": lambda p: torch.searchsorted(p.y.sort()[0], torch.ones(3)),
    "NumPy": lambda p: p.x.numpy(),
    "asarray": lambda p: np.asarray(p.x),
    "CPU 발생기": lambda p: torch.rand(3, device=HERE, generator=p.cpu_rng),
    "CPU 발생기의 multinomial": lambda p: torch.multinomial(p.x.softmax(1), 1, generator=p.cpu_rng),
    "CPU 발생기의 순열": lambda p: torch.randperm(4, device=HERE, generator=p.cpu_rng),
    "CPU에서 장치의 발생기": lambda p: torch.rand(3, generator=p.rng),
    "커널이 없는 histogram": lambda p: torch.histogram(p.y, 3),
    "정수의 행렬 곱": lambda p: p.whole @ p.whole.T,
    "범위 밖의 번호": lambda p: p.x.gather(1, torch.full((3, 1), 9, device=HERE)),
    "둘째 장치": lambda p: torch.ones(2, device="cuda:1"),
    "CPU의 기울기": lambda p: setattr(torch.nn.Parameter(p.y), "grad", p.cpu),
}

ALLOWED = {
    "CPU의 수를 곱하기": lambda p: p.x * torch.tensor(2.0),
    "CPU 색인": lambda p: p.x[torch.tensor([0, 1])],
    "CPU에서 복사": lambda p: p.x.copy_(torch.ones(3, 4)),
    "CPU의 수를 고르기": lambda p: torch.where(p.x > 0, p.x, torch.tensor(0.0)),
    "CPU의 수로 채우기": lambda p: p.x.masked_fill(p.x > 0, torch.tensor(1.0)),
    "장치의 발생기": lambda p: torch.rand(3, device=HERE, generator=p.rng),
    "장치를 지나는 기울기": lambda p: torch.autograd.grad((p.x.requires_grad_() ** 2).sum(), p.x),
    "깊은 복사": lambda p: copy.deepcopy(p.x),
    "저장": lambda p: torch.save(p.x, io.BytesIO()),
    "vmap": lambda p: torch.func.vmap(torch.sin)(p.x),
    "jvp": lambda p: torch.func.jvp(torch.sin, (p.x,), (p.x,)),
}

COUNTED = {
    "더하기": (lambda p: p.x + 1, 0, 0),
    "item": (lambda p: p.y.sum().item(), 1, 0),
    "if": (lambda p: bool(p.y.sum() > 0), 1, 0),
    "tolist": (lambda p: p.x.tolist(), 1, 0),
    "cpu": (lambda p: p.x.cpu(), 1, 0),
    "nonzero": (lambda p: p.x.nonzero(), 1, 0),
    "불리언 색인": (lambda p: p.x[p.x > 0], 1, 0),
    "불리언 색인에 수 넣기": (lambda p: p.x.__setitem__(p.x > 0, 0.0), 0, 0),
    "번호 색인": (lambda p: p.x[p.whole[:, 0]], 0, 0),
    "CPU의 번호 색인": (lambda p: p.x[p.index[:, 0]], 0, 1),
    "장치로": (lambda p: p.cpu.to(HERE), 0, 1),
    "장치의 상수": (lambda p: torch.tensor([1.0], device=HERE), 0, 1),
    "역전파": (lambda p: p.x.clone().requires_grad_().sum().backward(), 0, 0),
    "장치의 난수": (lambda p: torch.randn(3, device=HERE, generator=p.rng), 0, 0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_card_refuses_is_refused(name):
    with pytest.raises((RuntimeError, TypeError, NotImplementedError)):
        REFUSED[name](Pieces())


@pytest.mark.parametrize("name", ALLOWED)
def test_what_a_card_allows_is_allowed(name):
    ALLOWED[name](Pieces())


@pytest.mark.parametrize("name", COUNTED)
def test_waits_and_copies_are_counted_exactly(name):
    from tests.simulated.device import counting

    call, waits, copies = COUNTED[name]
    pieces = Pieces()
    with counting() as events:
        call(pieces)
    assert (events.waits, events.copies) == (waits, copies), events


def test_a_forked_child_cannot_use_the_device():
    torch.ones(2, device=HERE)
    child = os.fork()
    if child == 0:
        try:
            torch.ones(2, device=HERE)
        except RuntimeError as error:
            os._exit(0 if "forked" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_same_seed_draws_other_numbers_than_the_cpu():
    one, two = (torch.rand(5, device=HERE, generator=torch.Generator(HERE).manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one.cpu(), torch.rand(5, generator=torch.Generator().manual_seed(3)))


def test_another_torch_is_refused(monkeypatch):
    monkeypatch.setattr(build, "version", lambda _: "2.0.0")
    with pytest.raises(SystemExit, match=r"torch [\d.]+에만 맞추었는데 2\.0\.0이다"):
        build.build()
