"""benchmarks/contrastive_processes.py: torchrun으로 띄운 두 프로세스가 프로세스 하나와 같은 손실을 출력한다."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist

from benchmarks import contrastive_processes
from tests.docs.blocks import ROOT

CPU = torch.device("cpu")


@pytest.fixture
def alone() -> Iterator[None]:
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("alone")
def test_two_processes_write_the_losses_of_one() -> None:
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    command = "torch.distributed.run --standalone --nproc-per-node 2 -m benchmarks.contrastive_processes --steps 21"
    printed = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=ROOT,
        env=os.environ | {"GLOO_SOCKET_IFNAME": loopback, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    ).stdout
    assert "프로세스 2개" in printed
    losses = contrastive_processes.train(CPU, steps=21)
    expected = [losses[step] for step in (0, 10, 20)]
    assert [float(loss) for loss in re.findall(r"손실 ([\d.]+)", printed)] == pytest.approx(expected, abs=2e-5)
    assert losses[20] < losses[0] - 1


@pytest.mark.usefixtures("alone")
def test_the_batch_must_be_divided_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "get_world_size", lambda *_: 3)
    with pytest.raises(ValueError, match=r"프로세스의 수: .*3"):
        contrastive_processes.train(CPU, steps=1)
