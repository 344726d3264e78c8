"""NT-Xent를 여러 프로세스로 나누어 학습한다. 배치가 장치 하나에 담기지 않을 때의 예제다.

`OMP_NUM_THREADS=1 torchrun --standalone --nproc-per-node 2 -m benchmarks.contrastive_processes [--device cuda]`.
손글씨 숫자의 두 뷰를 프로세스끼리 나누어 맡고 학습한다. 온 배치는 프로세스의 수와 무관하므로, 프로세스가 하나이든
여럿이든 같은 손실을 출력한다. 기계가 여럿이면 `--standalone` 대신 `--nnodes`와 `--rdzv-endpoint`를 준다. 통신에는
CPU는 gloo, GPU는 NCCL을 쓴다.
"""

import argparse
import os
import time

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mgk_docs_src.contrastive.distributed import distributed_nt_xent
from mgk_docs_src.data import digits
from mgk_docs_src.device import resolve
from mgk_docs_src.random import generator, randint, randn

BATCH, WIDTH, NOISE, TEMPERATURE = 256, 64, 0.2, 0.2


def views(step: int, images: Tensor) -> tuple[Tensor, Tensor]:
    """그 학습 스텝의 온 배치: 노이즈를 따로 섞은 두 뷰. 시드가 같아 모든 프로세스가 같은 배치를 뽑는다."""
    g = generator(step)
    chosen = images[randint(0, len(images), (BATCH,), generator=g, device=images.device)]
    first, second = (chosen + NOISE * randn(*chosen.shape, generator=g, device=images.device) for _ in range(2))
    return first, second


def encoder(device: torch.device) -> nn.Module:
    g = generator(0)
    network = nn.Sequential(nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 32))
    for parameter in network.parameters():  # 프로세스의 수와 무관한 초깃값
        parameter.data = randn(*parameter.shape, generator=g) / 8
    return network.to(device)


def train(device: torch.device, *, steps: int) -> list[float]:
    """학습 스텝마다의 손실. 프로세스 그룹을 만든 뒤에 모든 프로세스가 함께 부른다."""
    rank, world = dist.get_rank(), dist.get_world_size()
    if BATCH % world:
        raise ValueError(f"프로세스의 수: 배치 {BATCH}을 나누어떨어지게 해야 하는데 {world}이다")
    images = digits(device=device).features.flatten(1)
    network = DistributedDataParallel(encoder(device))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for step in range(steps):
        first, second = (view.chunk(world)[rank] for view in views(step, images))
        loss = distributed_nt_xent(network(first), network(second), temperature=TEMPERATURE)
        optimizer.zero_grad()
        loss.backward()  # 여기서 기울기를 프로세스끼리 평균한다
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).tolist()


def main(arguments: list[str] | None = None) -> None:
    """torchrun이 띄운 프로세스 하나가 하는 일."""
    parser = argparse.ArgumentParser(description="NT-Xent를 여러 프로세스로 나누어 학습한다")
    parser.add_argument("--device", default="cpu", help="cpu, cuda. 없는 장치는 오류다")
    parser.add_argument("--steps", type=int, default=50, help="학습 스텝 수")
    parsed = parser.parse_args(arguments)
    device = resolve(parsed.device)
    torch.set_num_threads(1)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("gloo" if device.type == "cpu" else "nccl")
    try:
        train(device, steps=1)  # 첫 스텝의 준비는 재지 않는다
        start = time.perf_counter()
        losses = train(device, steps=parsed.steps)
        took = (time.perf_counter() - start) / parsed.steps
        if dist.get_rank() == 0:
            for step in range(0, parsed.steps, 10):
                print(f"{step:3d}스텝  손실 {losses[step]:.5f}")
            print(f"프로세스 {dist.get_world_size()}개, 스텝마다 {took * 1e3:.1f} ms")
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
