"""샘플링의 효율과 속도를 BlackJAX, NumPyro와 비교한다.

`python -m benchmarks.samplers [--device cuda]`. 같은 목표 분포에서 같은 스텝 크기, 같은 길이로, 체인을 한 묶음으로
돌린다. ESS는 모두 이 책의 함수로, 좌표와 그 제곱 가운데 가장 작은 것을 잰다. 좌표만 보면 궤적이 반 바퀴를 돌 때 ESS가
부풀기 때문이다. 초마다의 ESS에는 컴파일한 시간을 넣지 않는다. 결과는 페이지에 끼워 넣을 표로 `benchmarks/results/`에
쓴다. CPU에서는 코어 하나에 묶어 잰다. 비교 대상은 `benchmarks/sampler_peers.py`에 있고 `bench` extra로 설치한다.
없어도 나머지는 돌게, 표를 쓸 때에야 들여온다.
"""

import argparse
import datetime
import importlib
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import fmean, median, stdev
from typing import NamedTuple

import torch

from benchmarks.sampler_targets import Run, Setting, Target, correlated, energy, ill_conditioned, start
from mgk_docs_src.device import resolve
from mgk_docs_src.energy.samplers import (
    Draws,
    Info,
    State,
    Step,
    adapt,
    effective_sample_size,
    hmc_step,
    init,
    langevin_step,
    mala_step,
    sample,
)
from mgk_docs_src.random import generator, randn

NAME = "이 책"
RESULTS = Path(__file__).parent / "results"
ROUNDS = 4
MANY = 64  # 체인이 이보다 많으면 NUTS는 재지 않는다: 가장 긴 궤적을 모두가 기다려 몇 분이 걸린다


class Efficiency(NamedTuple):
    """기울기 1000번마다, 초마다의 ESS."""

    coordinates: float
    squares: float
    worst: float  # 차례마다 둘 가운데 작은 것의 평균
    spread: float  # 그 표준 편차
    per_second: float
    warmup: float  # 체인마다 적응에 쓴 기울기


Runner = Callable[[Setting, int], Run]


def settings(device: torch.device, chains: tuple[int, ...] = (64, 1024)) -> list[Setting]:
    """비교할 설정. 비교 대상과 같은 스텝 크기와 길이면 되므로 정해 두었다. 가장 좋은 설정은 `tuned`가 찾는다."""
    tuned = ((2, 0.5, 5, 1000), (10, 0.25, 20, 800), (100, 0.15, 24, 300))
    rows = [
        Setting(correlated(d, device=device), n, step_size, steps, 0.0, count if n <= MANY else count // 4)
        for d, step_size, steps, count in tuned
        for n in chains
    ]
    return [*rows, adapted(ill_conditioned(100, device=device), chains[0])[0]]


def adapted(target: Target, chains: int) -> tuple[Setting, int]:
    """적응시킨 스텝 크기와 질량, 그리고 체인마다 적응에 쓴 기울기의 수. 좌표의 스케일을 모르는 곳에서 시작한다."""
    g = generator(0)
    place = target.precision.device
    position = randn(chains, target.d, generator=g, device=place, dtype=torch.float64)
    tamed = adapt(energy(target), position, steps=3, rounds=6, count=40, target=0.75, generator=g)
    return Setting(target, chains, tamed.step_size, 3, 0.0, 500, tamed.mass), tamed.gradients


def ours(setting: Setting, seed: int) -> Run:
    """이 책의 HMC."""
    g = generator(1000 + seed)  # 초기 위치를 뽑은 난수를 운동량에 다시 쓰지 않는다
    function = energy(setting.target)
    state = init(function, start(setting.target, setting.chains, seed))
    step = partial(
        hmc_step,
        function,
        step_size=setting.step_size,
        steps=setting.steps,
        mass=setting.mass,
        jitter=setting.jitter,
        generator=g,
    )
    drawn, seconds = timed(lambda: sample(step, state, setting.count), setting.target.precision.device)
    return Run(drawn.positions, seconds, setting.chains * setting.count * setting.steps)


def timed(work: Callable[[], Draws], device: torch.device) -> tuple[Draws, float]:
    synchronize = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    synchronize()
    begin = time.perf_counter()
    result = work()
    synchronize()
    return result, time.perf_counter() - begin


def efficiency(runs: list[Run]) -> Efficiency:
    """차례들의 ESS 평균과 표준 편차, 걸린 시간의 중앙값으로 잰 효율."""
    ess = [
        [1000 / run.gradients * float(effective_sample_size(run.draws**power, method="mean").min()) for power in (1, 2)]
        for run in runs
    ]
    worst = [min(pair) for pair in ess]
    seconds = median(run.seconds / run.gradients for run in runs)
    return Efficiency(
        coordinates=fmean(pair[0] for pair in ess),
        squares=fmean(pair[1] for pair in ess),
        worst=fmean(worst),
        spread=stdev(worst),
        per_second=fmean(worst) / 1000 / seconds,
        warmup=runs[0].warmup / runs[0].draws.shape[1],
    )


def shaken(setting: Setting, seed: int) -> Run:
    """스텝 크기를 20 % 흔든 이 책의 HMC. BlackJAX의 HMC에는 없는 기능이다."""
    return ours(setting._replace(jitter=0.2), seed)


def compare(setting: Setting, runners: dict[str, Runner]) -> dict[str, Efficiency]:
    """번갈아 잰다. 한동안 느려진 컴퓨터가 한쪽에만 불리하지 않게."""
    runs: dict[str, list[Run]] = {name: [] for name in runners}
    for turn in range(ROUNDS):
        for name, runner in runners.items():
            runs[name].append(runner(setting, turn))
    return {name: efficiency(each) for name, each in runs.items()}


def peers_table(rows: list[Setting], runners: dict[str, Runner], *, few: tuple[str, ...] = ()) -> list[str]:
    """`few`에 든 것은 체인이 많으면 재지 않는다."""
    names = list(runners)
    per_gradient, per_second = ([f"{name}, {unit}" for name in names] for unit in ("기울기", "초"))
    head = ["목표", "d", "체인", "ε", "L", *per_gradient, *per_second]
    lines = []
    for setting in rows:
        chosen = {name: run for name, run in runners.items() if name not in few or setting.chains <= MANY}
        found = compare(setting, chosen)
        base = found[NAME].per_second
        cells = [
            setting.target.name,
            str(setting.target.d),
            str(setting.chains),
            f"{setting.step_size:.2f}",
            str(setting.steps),
            *(f"{found[name].worst:.1f} ± {found[name].spread:.1f}" if name in found else "–" for name in names),
            f"{base:.0f}",
            *(f"{found[name].per_second / base:.2f}" if name in found else "–" for name in names[1:]),
        ]
        print("  ".join(cells), flush=True)
        for name, each in found.items():
            print(f"    {name}: 좌표 {each.coordinates:.1f}, 제곱 {each.squares:.1f}, 초 {each.per_second:.0f}", end="")
            print(f", 적응 {each.warmup:.0f}" if each.warmup else "", flush=True)
        lines.append(f"| {' | '.join(cells)} |")
    return [f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1), *lines, ""]


STEPS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)  # 시도하는 립프로그의 스텝 크기. MALA의 ε은 이 값의 제곱이다
LENGTHS = (3, 5, 8, 12, 16, 20, 24, 32)
BIAS = 0.05


def langevin_size(target: Target, *, bias: float = BIAS) -> float:
    """좌표의 분산이 평균 `bias`만큼 부푸는 ULA의 스텝 크기. 정상 분포의 공분산이 [Λ(I − εΛ/4)]⁻¹이라 닫힌 식이 있다."""
    values, covariance = torch.linalg.eigvalsh(target.precision), torch.linalg.inv(target.precision)
    low, high = 0.0, 4 / float(values.max())
    for _ in range(60):  # 이분법. 부푼 분산은 스텝 크기에 따라 커지기만 한다
        middle = (low + high) / 2
        inflated = (1 / (values * (1 - middle * values / 4))).sum() / covariance.trace()
        low, high = (middle, high) if float(inflated) < 1 + bias else (low, middle)
    return low


def best_size(target: Target, steps: int, *, gradients: int, chains: int = 32) -> tuple[float, float]:
    """립프로그 `steps`번인 HMC(1이면 MALA)에서 ESS가 가장 큰 스텝 크기와 그 ESS. 크기를 모두 한 묶음으로 시도한다."""
    sizes, g = torch.tensor(STEPS, device=target.precision.device, dtype=torch.float64), generator(2000 + steps)
    state = init(energy(target), start(target, chains, 1).expand(len(STEPS), -1, -1))
    jitter = 0.2 if steps > 1 else 0.0
    step = partial(hmc_step, energy(target), step_size=sizes[:, None], steps=steps, jitter=jitter, generator=g)
    drawn = sample(step, state, max(100, gradients // steps)).positions
    total = drawn.shape[0] * chains * steps
    x = drawn.movedim(1, 2).flatten(2)  # (t, 체인, 스텝 크기 × d)
    ess = torch.minimum(*(effective_sample_size(x**power, method="mean") for power in (1, 2)))
    found = 1000 * ess.view(len(STEPS), -1).nan_to_num(0.0).amin(1) / total  # 한 번도 움직이지 않으면 nan이다
    return STEPS[int(found.argmax())], float(found.max())


Kernel = Callable[..., tuple[State, Info]]


def tuned(target: Target, *, gradients: int) -> dict[str, tuple[Kernel, dict[str, float], int]]:
    """이 목표에 맞춘 세 샘플러: 스텝 함수, 인자, 스텝마다의 기울기.

    MALA와 HMC는 ESS가 가장 큰 스텝 크기와 길이를 쓴다. ULA는 스텝이 크면 ESS가 늘지만 편향도 커지므로,
    편향을 `BIAS`에 고정한다.
    """
    mala, _ = best_size(target, 1, gradients=gradients)
    tried = {steps: best_size(target, steps, gradients=gradients) for steps in LENGTHS}
    length = max(tried, key=lambda steps: tried[steps][1])
    return {
        "HMC": (hmc_step, {"step_size": tried[length][0], "steps": length, "jitter": 0.2}, length),
        "MALA": (mala_step, {"step_size": mala**2}, 1),
        "ULA": (langevin_step, {"step_size": langevin_size(target)}, 1),
    }


def dimension_table(device: torch.device, dims: tuple[int, ...] = (2, 10, 100), *, shrink: int = 1) -> list[str]:
    """차원이 커질 때 세 샘플러. 차원마다 스텝 크기를 새로 맞추고 다른 시드에서 잰다. 분산의 오차는 좌표 평균이다."""
    rows = []
    for d in dims:
        target = correlated(d, device=device)
        function, chains = energy(target), 64
        for name, (function_step, knobs, gradients) in tuned(target, gradients=min(6000, 600 * d) // shrink).items():
            count = 400 if gradients > 1 else min(12000, 2000 * d)
            g = generator(1000 + d)
            step: Step = partial(function_step, function, generator=g, **knobs)
            state = init(function, start(target, chains, d))
            thin = max(1, count // shrink // 1000)  # 상관이 큰 체인에서 솎아도 ESS는 거의 그대로다
            drawn = sample(step, state, count // shrink // thin, thin=thin)
            x = drawn.positions
            total = chains * len(x) * thin * gradients
            ess = [1000 / total * float(effective_sample_size(x**power, method="mean").min()) for power in (1, 2)]
            cells = [
                str(d),
                name,
                f"{knobs['step_size']:.3g}",
                str(gradients),
                f"{float(drawn.info.acceptance.mean()):.2f}",
                *(f"{value:.2f}" for value in ess),
                f"{float(x.var((0, 1)).mean() - 1):+.1%}".replace("-", "−"),
            ]
            print("  ".join(cells), flush=True)
            rows.append(f"| {' | '.join(cells)} |")
    head = ["d", "샘플러", "ε", "L", "채택률", "ESS, 좌표", "ESS, 제곱", "분산의 오차"]
    return [f"| {' | '.join(head)} |", "| ---: | --- |" + " ---: |" * (len(head) - 2), *rows, ""]


def resonance_table(device: torch.device, *, chains: int = 16, count: int = 300) -> list[str]:
    """질량을 맞추지 않은 스케일 0.01–1에서, 스텝 크기를 흔드는 비율마다의 ESS."""
    target, steps = ill_conditioned(100, device=device), 150
    rows = []
    for jitter in (0.0, 0.1, 0.2, 0.5):
        run = ours(Setting(target, chains, 0.01, steps, jitter, count), 0)
        ess = [float(effective_sample_size(run.draws**power, method="mean").min()) for power in (1, 2)]
        cells = [f"{jitter:.0%}", *(f"{value:.0f}" for value in ess), f"{1000 * min(ess) / run.gradients:.2f}"]
        print("  ".join(cells), flush=True)
        rows.append(f"| {' | '.join(cells)} |")
    head = ["흔드는 비율", "ESS, 좌표", "ESS, 제곱", "기울기 1000번"]
    return [f"| {' | '.join(head)} |", "| ---: | ---: | ---: | ---: |", *rows, ""]


def main(arguments: list[str] | None = None) -> None:
    """세 표를 한 파일에 쓴다."""
    parser = argparse.ArgumentParser(description="샘플링을 BlackJAX, NumPyro와 비교한다")
    parser.add_argument("--device", default="cpu", help="cpu, cuda. 없는 장치는 오류다")
    device = resolve(parser.parse_args(arguments).device)
    torch.set_num_threads(1)
    if device.type == "cpu":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # XLA의 스레드도 코어 하나를 나눠 쓴다
    peers = importlib.import_module("benchmarks.sampler_peers")
    versions = f"torch {torch.__version__.partition('+')[0]}, {peers.versions()}"
    place = "CPU 코어 1개" if device.type == "cpu" else torch.cuda.get_device_name(device)
    stamp = f"{place}, {versions}, fp64, {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}"
    table = peers_table(settings(device), {NAME: ours, f"{NAME}, 흔듦": shaken, **peers.RUNNERS}, few=("NumPyro NUTS",))
    warmup = adapted(ill_conditioned(100, device=device), 64)[1]
    lines = [
        *table,
        f"{stamp}. ‘기울기’는 기울기 1000번마다의 ESS(시드 {ROUNDS}개의 평균 ± 표준 편차), "
        "‘초’는 초마다의 ESS로 둘째 칸부터는 이 책의 몇 배인가. "
        "ESS는 좌표와 그 제곱 가운데 가장 작은 것. 컴파일과 적응에 든 시간은 뺐다. HMC는 모두 같은 ε과 L, "
        "‘흔듦’은 ε을 20 % 흔들었다. 마지막 줄의 질량과 ε은 이 책의 `adapt`가 "
        f"체인마다 기울기 {warmup}번으로 맞췄고, NUTS는 모두 {peers.NUTS_WARMUP}스텝 동안 스스로 맞췄다.",
        "",
        *dimension_table(device),
        "상관 0.9, 체인 64개를 한 묶음으로, 기울기 1000번마다의 ESS. MALA와 HMC는 차원마다 격자에서 ESS가 가장 큰 "
        f"스텝 크기와 길이를, ULA는 좌표의 분산이 {BIAS:.0%} 부푸는 스텝 크기를 쓴다. "
        f"100차원에서 HMC의 길이는 격자의 끝({LENGTHS[-1]})이다.",
        "",
        *resonance_table(device),
        "스케일 0.01–1, d = 100, 질량 없이 ε = 0.01, L = 150, 체인 16개에서 300번씩.",
        "",
    ]
    RESULTS.mkdir(exist_ok=True)
    suffix = "" if device.type == "cpu" else f"-{device.type}"
    (RESULTS / f"energy-samplers{suffix}.md").write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    main()
