"""손실과 샘플링이 장치의 성능 상한에 얼마나 가까운지 측정한다.

`python -m benchmarks.devices [--device cuda]`. 어느 장치에서나 같은 것을 재어 `benchmarks/results/devices-<장치>.md`에
쓴다. 먼저 장치의 두 한계, 곧 메모리를 복사하는 빠르기와 fp32 행렬곱의 빠르기를 잰다. 그다음 계산마다 피할 수 없는 일을
세어 두 한계로 나눈다(지붕선 모형): 걸리는 시간은 max(바이트 ÷ 대역폭, flop ÷ 연산)보다 짧을 수 없다.
"""

import argparse
import os
import platform
import re
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.benchmark import Measurement, Timer

from mgk_docs_src.contrastive.losses import (
    batch_all_triplet,
    batch_hard_triplet,
    cosine_softmax,
    info_nce,
    nt_xent,
    pairwise_margin,
    sigmoid_loss,
    supcon,
    triplet,
)
from mgk_docs_src.device import resolve
from mgk_docs_src.diffusion.process import linear_schedule
from mgk_docs_src.diffusion.sampling import ancestral_step, ddim_step
from mgk_docs_src.diffusion.training import (
    Denoiser,
    denoising_loss,
    feature_count,
    features,
    mlp,
    noise_predictor,
    stratified_times,
)
from mgk_docs_src.energy.samplers import hmc_step, init, langevin_step, mala_step
from mgk_docs_src.losses.binary import bce, bce_with_logits
from mgk_docs_src.losses.categorical import cross_entropy, sparse_categorical_cross_entropy
from mgk_docs_src.random import generator, randn
from mgk_docs_src.transport.sinkhorn import sinkhorn
from mgk_docs_src.transport.wasserstein import cost_matrix, wasserstein_1d

RESULTS = Path(__file__).parent / "results"
BUDGET = 1.0  # 한 줄을 반복하는 초
LOW = 0.1  # 비율이 이보다 낮은 줄의 수를 적는다
LABELS = 10  # 임베딩에 붙이는 라벨의 수
DEPTH = 3  # 확산 신경망의 은닉층
NEVER = 1e-30  # 싱크혼이 닿을 수 없는 잔차: 정한 횟수를 다 반복한다


class Sizes(NamedTuple):
    """장치를 채울 크기."""

    elements: int  # 원소마다 따로 계산하는 손실의 원소
    classes: int
    embeddings: int  # 모든 쌍을 비교하는 손실의 표본
    width: int  # 임베딩의 차원
    points: int  # 1차원 분포의 표본
    cloud: int  # 싱크혼의 점, 비용 행렬의 한 변
    sweeps: int  # 싱크혼의 반복 횟수
    chains: int
    dimension: int  # 체인의 차원
    leaps: int  # HMC의 립프로그 스텝
    images: int  # 확산의 표본
    pixels: int  # 그 차원
    hidden: int  # 확산 신경망의 너비
    copied: int  # 복사를 잴 때의 원소
    product: int  # 행렬곱을 잴 때의 한 변


SIZES = {
    "cpu": Sizes(
        elements=2**24,
        classes=128,
        embeddings=2**11,
        width=128,
        points=2**22,
        cloud=2**13,
        sweeps=20,
        chains=2**12,
        dimension=512,
        leaps=10,
        images=2**12,
        pixels=64,
        hidden=256,
        copied=2**27,
        product=2**11,
    ),
    "cuda": Sizes(
        elements=2**27,
        classes=128,
        embeddings=2**14,
        width=128,
        points=2**26,
        cloud=2**14,
        sweeps=20,
        chains=2**16,
        dimension=1024,
        leaps=10,
        images=2**17,
        pixels=64,
        hidden=256,
        copied=2**30,
        product=2**13,
    ),
}


class Limits(NamedTuple):
    """장치의 두 한계."""

    bandwidth: float  # 초마다 옮기는 바이트
    arithmetic: float  # 초마다의 flop


class Work(NamedTuple):
    """피할 수 없는 일."""

    bytes: int
    flops: int


class Task(NamedTuple):
    """차려 놓은 계산 하나."""

    run: Callable[[], object]
    read: tuple[Tensor, ...]  # 적어도 한 번은 읽어야 하는 것. 두 번 읽어야 하면 두 번 적는다
    learnt: tuple[Tensor, ...] = ()  # 앞뒤로 갈 때 기울기를 구하는 것


class Row(NamedTuple):
    """표의 한 줄."""

    name: str
    size: str
    seconds: float | None  # 메모리가 모자라면 없다
    work: Work


Flops = Callable[[Sizes], int]


class Case(NamedTuple):
    """잴 것 하나: 이름, 차리는 법, 크기를 적는 법, 앞으로 갈 때와 뒤로 갈 때 피할 수 없는 행렬곱."""

    name: str
    build: Callable[[Sizes, torch.device], Task]
    size: Callable[[Sizes], str]
    forward: Flops
    backward: Flops | None = None  # 없으면 미분하지 않는 것이라 한 줄만 잰다


# --- 피할 수 없는 행렬곱 ---
# (m, k)와 (k, n)의 곱은 곱하기와 더하기를 따로 세어 2mkn이다.


def no_product(_: Sizes) -> int:
    """원소마다 따로 계산한다."""
    return 0


def every_pair(s: Sizes) -> int:
    """S = X Xᵀ. 대칭이고 대각선은 쓰지 않으므로 쌍 n(n − 1)/2개의 내적이면 된다."""
    return s.embeddings * (s.embeddings - 1) * s.width


def every_pair_back(s: Sizes) -> int:
    """∂L/∂X = (G + Gᵀ) X. 대각선만 0이라 곱은 줄지 않는다."""
    return 2 * s.embeddings * (s.embeddings - 1) * s.width


def queries_and_keys(s: Sizes) -> int:
    """S = Q Kᵀ."""
    return 2 * s.embeddings**2 * s.width


def queries_and_keys_back(s: Sizes) -> int:
    """∂L/∂Q = G K, ∂L/∂K = Gᵀ Q."""
    return 2 * queries_and_keys(s)


def prototypes(s: Sizes) -> int:
    """S = X Wᵀ."""
    return 2 * rows(s) * s.width * s.classes


def prototypes_back(s: Sizes) -> int:
    """∂L/∂X = G W, ∂L/∂W = Gᵀ X."""
    return 2 * prototypes(s)


def sweeps(s: Sizes) -> int:
    """반복마다 γ v와 γᵀ u."""
    return 4 * s.sweeps * s.cloud**2


def one_gradient(s: Sizes) -> int:
    """X A. 에너지와 기울기를 이 곱 하나에서 얻는다: ∇E = xA, E = xA·x / 2."""
    return 2 * s.chains * s.dimension**2


def leaps(s: Sizes) -> int:
    """립프로그 스텝마다 기울기 하나."""
    return s.leaps * one_gradient(s)


def layers(s: Sizes) -> list[int]:
    """확산 신경망의 층마다의 가중치 수."""
    widths = [feature_count(s.pixels), *[s.hidden] * DEPTH, s.pixels]
    return [fan_in * fan_out for fan_in, fan_out in pairwise(widths)]


def network(s: Sizes) -> int:
    """층마다 H W."""
    return 2 * s.images * sum(layers(s))


def network_back(s: Sizes) -> int:
    """층마다 가중치의 기울기 Hᵀ G와 입력의 기울기 G Wᵀ. 첫 층의 입력에는 기울기가 필요 없다."""
    return 2 * network(s) - 2 * s.images * layers(s)[0]


# --- 차리기 ---


def rows(s: Sizes) -> int:
    """원소를 임베딩의 차원씩 나눈 표본."""
    return s.elements // s.width


def targets(count: int, device: torch.device) -> Tensor:
    return torch.randint(0, 2, (count,), device=device).float()


def probabilities(s: Sizes, device: torch.device) -> Task:
    p, y = torch.rand(s.elements, device=device).clamp(1e-3, 1 - 1e-3), targets(s.elements, device)
    return Task(lambda: bce(p, y), (p, y), (p,))


def logits(s: Sizes, device: torch.device) -> Task:
    z, y = torch.randn(s.elements, device=device), targets(s.elements, device)
    return Task(lambda: bce_with_logits(z, y), (z, y), (z,))


def choices(s: Sizes, device: torch.device) -> tuple[Tensor, Tensor]:
    count = s.elements // s.classes
    return torch.randn(count, s.classes, device=device), torch.randint(0, s.classes, (count,), device=device)


def categorical(s: Sizes, device: torch.device) -> Task:
    z, labels = choices(s, device)
    return Task(lambda: cross_entropy(z, labels), (z, labels), (z,))


def sparse(s: Sizes, device: torch.device) -> Task:
    z, labels = choices(s, device)
    q = z.softmax(1)
    return Task(lambda: sparse_categorical_cross_entropy(q, labels), (q, labels), (q,))


def embedded(loss: Callable[[Tensor, Tensor], Tensor], s: Sizes, device: torch.device) -> Task:
    x = torch.randn(s.embeddings, s.width, device=device)
    labels = torch.randint(0, LABELS, (s.embeddings,), device=device)
    return Task(lambda: loss(x, labels), (x, labels), (x,))


def two_views(s: Sizes, device: torch.device) -> Task:
    first, second = (torch.randn(s.embeddings // 2, s.width, device=device) for _ in range(2))
    return Task(lambda: nt_xent(first, second, temperature=0.1), (first, second), (first, second))


def keys(s: Sizes, device: torch.device) -> Task:
    query, key = (torch.randn(s.embeddings, s.width, device=device) for _ in range(2))
    return Task(lambda: info_nce(query, key, temperature=0.1), (query, key), (query, key))


def three_points(s: Sizes, device: torch.device) -> Task:
    points = tuple(torch.randn(rows(s), s.width, device=device) for _ in range(3))
    return Task(lambda: triplet(*points, margin=0.2), points, points)


def distances(s: Sizes, device: torch.device) -> Task:
    d, same = 2 * torch.rand(s.elements, device=device), targets(s.elements, device).bool()
    return Task(lambda: pairwise_margin(d, same, margin=1.0), (d, same), (d,))


def chosen(s: Sizes, device: torch.device) -> Task:
    x, w = (torch.randn(count, s.width, device=device) for count in (rows(s), s.classes))
    labels = torch.randint(0, s.classes, (len(x),), device=device)
    return Task(lambda: cosine_softmax(x, w, labels, scale=10.0), (x, w, labels), (x, w))


def clouds(s: Sizes, device: torch.device) -> Task:
    cost = cost_matrix(*(torch.randn(s.cloud, 2, device=device) for _ in range(2)))
    solve = partial(sinkhorn, cost, epsilon=0.05, tolerance=NEVER, max_iterations=s.sweeps)
    # 한 줄을 읽는 김에 γ v의 한 칸과 γᵀ u에 더할 값을 함께 낼 수 있으므로, 반복마다 행렬을 한 번은 읽는다.
    return Task(solve, (cost,) * s.sweeps)


def line(s: Sizes, device: torch.device) -> Task:
    x, y = (torch.randn(s.points, device=device) for _ in range(2))
    return Task(lambda: wasserstein_1d(x, y), (x, y), (x, y))


def sampler(step: Callable[..., object], s: Sizes, device: torch.device, **knobs: float) -> Task:
    """정밀도 행렬 A가 꽉 찬 가우스 분포에서의 체인 스텝 하나. 고윳값이 1과 5 사이라 스텝 크기 0.1이 안정하다."""
    factor = torch.randn(s.dimension, s.dimension, device=device) / s.dimension**0.5
    precision = factor @ factor.T + torch.eye(s.dimension, device=device)

    def energy(x: Tensor) -> Tensor:
        return ((x @ precision) * x).sum(-1) / 2

    state = init(energy, torch.randn(s.chains, s.dimension, device=device))
    g = generator(0)
    return Task(lambda: step(energy, state, step_size=0.1, generator=g, **knobs), (*state, precision))


def hmc(s: Sizes, device: torch.device) -> Task:
    return sampler(hmc_step, s, device, steps=s.leaps)


def denoiser(s: Sizes, device: torch.device) -> Denoiser:
    inputs = feature_count(s.pixels)
    learner = mlp(inputs, s.pixels, width=s.hidden, depth=DEPTH, generator=generator(0), device=device)
    return Denoiser(learner, linear_schedule(1000, device=device))


def diffusion_loss(s: Sizes, device: torch.device) -> Task:
    learner, schedule, target, *_ = denoiser(s, device)
    x0, noise = (torch.randn(s.images, s.pixels, device=device) for _ in range(2))
    t = stratified_times(s.images, schedule, generator=generator(1))
    weights = tuple(learner.parameters())

    def predict(xt: Tensor, t: Tensor) -> Tensor:
        output: Tensor = learner(features(xt, t, schedule))
        return output

    return Task(
        lambda: denoising_loss(predict, x0, t, schedule, noise=noise, target=target), (x0, t, noise, *weights), weights
    )


def diffusion_step(s: Sizes, device: torch.device, *, ancestral: bool) -> Task:
    """시각 500에서 499로. 새 노이즈가 필요하면 노이즈를 만드는 시간까지 한 단계로 잰다."""
    model = denoiser(s, device)
    schedule, predict, g = model.schedule, noise_predictor(model), generator(1)
    xt = torch.randn(s.images, s.pixels, device=device)
    t = torch.full((s.images,), 500, device=device)

    def ddpm() -> Tensor:
        noise = randn(*xt.shape, generator=g, device=device)
        return ancestral_step(xt, predict(xt, t), 500, 499, schedule, noise=noise)

    def ddim() -> Tensor:
        return ddim_step(xt, predict(xt, t), 500, 499, schedule)

    return Task(ddpm if ancestral else ddim, (xt, t, *model.network.parameters()))


def elements_size(s: Sizes) -> str:
    return f"원소 {s.elements:,}개"


def classes_size(s: Sizes) -> str:
    return f"n = {s.elements // s.classes:,}, C = {s.classes}"


def pairs_size(s: Sizes) -> str:
    return f"n = {s.embeddings:,}, d = {s.width}"


def rows_size(s: Sizes) -> str:
    return f"n = {rows(s):,}, d = {s.width}"


def chains_size(s: Sizes) -> str:
    return f"체인 {s.chains:,}개, d = {s.dimension:,}"


def images_size(s: Sizes) -> str:
    return f"n = {s.images:,}, d = {s.pixels}, 너비 {s.hidden}"


CASES = [
    Case("bce", probabilities, elements_size, no_product, no_product),
    Case("bce_with_logits", logits, elements_size, no_product, no_product),
    Case("cross_entropy", categorical, classes_size, no_product, no_product),
    Case("sparse_categorical_cross_entropy", sparse, classes_size, no_product, no_product),
    Case("nt_xent", two_views, lambda s: f"2n = {s.embeddings:,}, d = {s.width}", every_pair, every_pair_back),
    Case("info_nce", keys, pairs_size, queries_and_keys, queries_and_keys_back),
    Case("supcon", partial(embedded, partial(supcon, temperature=0.1)), pairs_size, every_pair, every_pair_back),
    Case(
        "sigmoid_loss",
        partial(embedded, partial(sigmoid_loss, scale=10.0, bias=-5.0)),
        pairs_size,
        every_pair,
        every_pair_back,
    ),
    Case("triplet", three_points, rows_size, no_product, no_product),
    Case("pairwise_margin", distances, elements_size, no_product, no_product),
    Case(
        "batch_all_triplet",
        partial(embedded, partial(batch_all_triplet, margin=0.2)),
        pairs_size,
        every_pair,
        every_pair_back,
    ),
    # 기울기는 기준점마다 선택한 두 쌍에만 있어, 뒤로 갈 때는 행렬곱이 필요 없다.
    Case(
        "batch_hard_triplet",
        partial(embedded, partial(batch_hard_triplet, margin=0.2)),
        pairs_size,
        every_pair,
        no_product,
    ),
    Case("cosine_softmax", chosen, lambda s: f"{rows_size(s)}, C = {s.classes}", prototypes, prototypes_back),
    Case("sinkhorn", clouds, lambda s: f"n = {s.cloud:,}, 반복 {s.sweeps}회", sweeps),
    Case("wasserstein_1d", line, lambda s: f"n = {s.points:,}", no_product, no_product),
    Case("denoising_loss", diffusion_loss, images_size, network, network_back),
    Case("langevin_step", partial(sampler, langevin_step), chains_size, one_gradient),
    Case("mala_step", partial(sampler, mala_step), chains_size, one_gradient),
    Case("hmc_step", hmc, lambda s: f"{chains_size(s)}, L = {s.leaps}", leaps),
    Case("ancestral_step", partial(diffusion_step, ancestral=True), images_size, network),
    Case("ddim_step", partial(diffusion_step, ancestral=False), images_size, network),
]


# --- 재기 ---


def timed(run: Callable[[], object]) -> Measurement:
    """반복해 측정한다. 처음 몇 번은 반복할 횟수를 정하는 데 쓰고 버린다. GPU면 잴 때마다 동기화한다."""
    timer = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
    return timer.blocked_autorange(min_run_time=BUDGET)


def limits(sizes: Sizes, device: torch.device) -> Limits:
    """가장 빨랐던 복사와 행렬곱. 한계이므로 중앙값이 아니라 가장 좋은 것을 쓴다."""
    source = torch.ones(sizes.copied, device=device)
    target = torch.zeros_like(source)
    bandwidth = 2 * source.nbytes / min(timed(lambda: target.copy_(source)).times)
    del source, target
    first, second = (torch.randn(sizes.product, sizes.product, device=device) for _ in range(2))
    arithmetic = 2 * sizes.product**3 / min(timed(lambda: torch.mm(first, second)).times)
    return Limits(bandwidth, arithmetic)


def best(*found: Limits) -> Limits:
    return Limits(max(each.bandwidth for each in found), max(each.arithmetic for each in found))


def directed(task: Task, *, backward: bool) -> Callable[[], object]:
    """앞으로만 가거나, 손실과 기울기를 함께 구하는 계산. 내놓는 것이 곧 써야 하는 것이다."""
    for x in task.learnt:
        x.requires_grad_(backward)
    if not backward:
        return torch.no_grad()(task.run)

    def both() -> tuple[Tensor, ...]:
        value = task.run()
        assert isinstance(value, Tensor)
        return value.detach(), *torch.autograd.grad(value, task.learnt)

    return both


def nbytes(values: object) -> int:
    return sum(value.nbytes for value in tree_leaves(values) if isinstance(value, Tensor))


def necessary(case: Case, sizes: Sizes, task: Task, result: object, *, backward: bool) -> Work:
    """입력을 한 번 읽고 결과를 한 번 쓰는 것과, 피할 수 없는 행렬곱."""
    flops = case.forward(sizes)
    if backward and case.backward is not None:
        flops += case.backward(sizes)
    return Work(nbytes(task.read) + nbytes(result), flops)


def measure(case: Case, sizes: Sizes, device: torch.device, *, backward: bool) -> Row:
    way = "" if case.backward is None else ", 앞뒤로" if backward else ", 앞으로"
    name, size = f"`{case.name}`{way}", case.size(sizes)
    torch.manual_seed(0)
    try:
        task = case.build(sizes, device)
        run = directed(task, backward=backward)
        work = necessary(case, sizes, task, run(), backward=backward)
        return Row(name, size, timed(run).median, work)
    except torch.OutOfMemoryError:  # 작은 GPU에서도 나머지는 잰다
        return Row(name, size, None, Work(0, 0))


def measure_all(sizes: Sizes, device: torch.device) -> tuple[list[Row], Limits]:
    """모든 줄과 두 한계. 다른 일이 잠시 끼어든 때의 것이 한계가 되지 않게, 한계는 줄들의 앞과 뒤에서 잰다."""
    before = limits(sizes, device)
    measured = []
    for case in CASES:
        for backward in (False,) if case.backward is None else (False, True):
            row = measure(case, sizes, device, backward=backward)
            measured.append(row)
            print(row.name, row.size, took(row), sep="  ", flush=True)
    return measured, best(before, limits(sizes, device))


# --- 적기 ---


def floor(work: Work, found: Limits) -> tuple[float, str]:
    """이보다 짧을 수 없는 초와, 그것을 정하는 한계의 이름."""
    moving, computing = work.bytes / found.bandwidth, work.flops / found.arithmetic
    return (moving, "대역폭") if moving >= computing else (computing, "연산")


def share(row: Row, found: Limits) -> float | None:
    """성능 상한에 가까운 정도. 1이면 더 빨라질 수 없다."""
    return None if row.seconds is None else floor(row.work, found)[0] / row.seconds


def milliseconds(seconds: float) -> str:
    digits = 4 if seconds < 1e-4 else 3 if seconds < 1e-2 else 1
    return f"{1e3 * seconds:,.{digits}f} ms"


def percent(part: float) -> str:
    return f"{100 * part:.1f} %" if part >= 0.01 else f"{100 * part:.2g} %"


def took(row: Row) -> str:
    return "메모리 부족" if row.seconds is None else milliseconds(row.seconds)


def cells(row: Row, found: Limits) -> list[str]:
    part = share(row, found)
    if part is None:
        return [row.name, row.size, took(row), "–", "–", "–"]
    least, which = floor(row.work, found)
    return [row.name, row.size, took(row), milliseconds(least), which, percent(part)]


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    listed = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", listed.read_text("utf-8"), re.M) if listed.exists() else None
    return f"{model[1] if model else platform.machine()} ({torch.backends.cpu.get_cpu_capability()})"


def caption(sizes: Sizes, device: torch.device, found: Limits) -> str:
    version, threads = torch.__version__.partition("+")[0], torch.get_num_threads()
    tf32 = "끔" if torch.get_float32_matmul_precision() == "highest" else "켬"
    return (
        f"{device_name(device)}, torch {version}, 스레드 {threads}개, fp32, TF32는 {tf32}. 같은 실행에서 잰 두 한계: "
        f"복사 {found.bandwidth / 1e9:,.1f} GB/s(읽은 것과 쓴 것을 더해), 행렬곱 {found.arithmetic / 1e9:,.0f} GFLOP/s"
        f"(한 변 {sizes.product:,}, 2n³). 시간은 반복한 값의 중앙값, 두 한계는 처음과 끝에 재어 가장 빨랐던 것이다."
    )


def explanation() -> str:
    return (
        "‘하한’은 max(바이트 ÷ 복사, flop ÷ 행렬곱), ‘한계’는 둘 가운데 큰 쪽, ‘비율’은 하한 ÷ 시간이다. 바이트는 "
        "입력을 한 번 읽고 결과를(‘앞뒤로’는 기울기도) 한 번 쓰는 것이고, `sinkhorn`은 반복마다 비용 크기의 행렬을 "
        "한 번 읽는 것이다. flop은 피할 수 없는 행렬곱만 세고, 대칭인 행렬은 반만 센다."
    )


def verdict(measured: list[Row], found: Limits) -> str:
    shares = {row.name: part for row in measured if (part := share(row, found)) is not None}
    worst = min(shares, key=shares.__getitem__)
    low = sum(part < LOW for part in shares.values())
    return (
        f"{len(shares)}줄 가운데 {low}줄은 비율이 {100 * LOW:.0f} %에 못 미치고, 가장 낮은 것은 {worst}"
        f"({percent(shares[worst])})다. 하한에는 연산마다 메모리에 쓰고 다시 읽는 중간 결과, 입력을 한 번 더 훑는 "
        "값 검사(GPU에서는 그때마다 기다린다), 지수와 로그, 정렬, 어느 장치에서나 CPU로 뽑는 난수가 들어 있지 않다. "
        "비율이 낮은 줄은 시간의 대부분을 이런 일에 쓴다."
    )


def table(measured: list[Row], sizes: Sizes, device: torch.device, found: Limits) -> list[str]:
    head = ["계산", "크기", "시간", "하한", "한계", "비율"]
    return [
        f"| {' | '.join(head)} |",
        "| --- | --- | ---: | ---: | --- | ---: |",
        *(f"| {' | '.join(cells(row, found))} |" for row in measured),
        "",
        caption(sizes, device, found),
        "",
        f"{explanation()} {verdict(measured, found)}",
        "",
    ]


def write(lines: list[str], path: Path) -> None:
    """다 쓴 것으로 한 번에 바꾼다. 도중에 멈추어도 앞의 결과가 남는다."""
    path.parent.mkdir(exist_ok=True)
    partial_file = path.with_suffix(f".{os.getpid()}.partial")
    partial_file.write_text("\n".join(lines), "utf-8")
    partial_file.replace(path)


def main(arguments: list[str] | None = None) -> None:
    """장치 하나의 표를 쓴다."""
    parser = argparse.ArgumentParser(description="손실과 샘플링이 장치의 성능 상한에 얼마나 가까운지 측정한다")
    parser.add_argument("--device", default="cpu", help="cpu, cuda. 없는 장치는 오류다")
    wanted = parser.parse_args(arguments).device
    try:
        device = resolve(wanted)
    except ValueError as error:
        parser.error(f"--device: {error}")
    torch.set_float32_matmul_precision("highest")
    sizes = SIZES[device.type]
    # 시계는 지금 쓰는 장치를 기다린다.
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        measured, found = measure_all(sizes, device)
    write(table(measured, sizes, device, found), RESULTS / f"devices-{device.type}.md")


if __name__ == "__main__":
    main()
