"""benchmarks/devices.py: 일을 옳게 세고, 표를 옳게 적는다. 얼마나 빠른지는 시험하지 않는다."""

import math
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import Linear
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import devices
from benchmarks.devices import CASES, SIZES, Case, Limits, Row, Sizes, Task, Work

CPU = torch.device("cpu")
TINY = Sizes(
    elements=1024,
    classes=8,
    embeddings=32,
    width=16,
    points=100,
    cloud=24,
    sweeps=7,
    chains=6,
    dimension=5,
    leaps=3,
    images=10,
    pixels=4,
    hidden=12,
    copied=1000,
    product=8,
)
FOUND = Limits(bandwidth=1e9, arithmetic=1e12)
WAYS = [
    pytest.param(case, backward, id=f"{case.name}{'-앞뒤로' * backward}")
    for case in CASES
    for backward in ((False,) if case.backward is None else (False, True))
]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "BUDGET", 1e-4)


def named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def counted(name: str, *, backward: bool) -> Work:
    case = named(name)
    task = case.build(TINY, CPU)
    result = devices.directed(task, backward=backward)()
    return devices.necessary(case, TINY, task, result, backward=backward)


@pytest.mark.parametrize(("case", "backward"), WAYS)
def test_every_case_runs_on_the_device_and_is_bounded(case: Case, backward: bool, device: torch.device) -> None:
    row = devices.measure(case, TINY, device, backward=backward)
    assert row.name == f"`{case.name}`" + ("" if case.backward is None else ", 앞뒤로" if backward else ", 앞으로")
    assert row.seconds is not None
    assert row.seconds > 0
    assert row.work.bytes > 0
    assert row.work.flops >= 0
    task = case.build(TINY, device)
    assert {x.device.type for x in (*task.read, *task.learnt)} == {device.type}


@pytest.mark.parametrize(("case", "backward"), WAYS)
def test_no_fewer_products_are_done_than_are_counted(case: Case, backward: bool) -> None:
    """세는 것은 하한이다: torch가 실제로 한 행렬곱보다 많으면 안 된다."""
    task = case.build(TINY, CPU)
    run = devices.directed(task, backward=backward)
    with FlopCounterMode(display=False) as done:
        result = run()
    counted = devices.necessary(case, TINY, task, result, backward=backward).flops
    if case.name == "sinkhorn":  # 행렬과 벡터의 곱은 FlopCounterMode가 세지 않는다
        assert counted == 4 * 7 * 24**2
        return
    assert counted <= done.get_total_flops()
    assert (counted > 0) == (done.get_total_flops() > 0)


def test_elementwise_work_by_hand() -> None:
    # 확률과 라벨을 읽고 스칼라를 쓴다. 뒤로 가면 기울기도 쓴다.
    assert counted("bce", backward=False) == Work(2 * 4 * 1024 + 4, 0)
    assert counted("bce", backward=True) == Work(3 * 4 * 1024 + 4, 0)
    # 로짓은 4바이트, 라벨은 8바이트, 표본은 1024/8개.
    assert counted("cross_entropy", backward=True) == Work(2 * 4 * 1024 + 8 * 128 + 4, 0)
    # 세 점과 그 기울기 셋.
    assert counted("triplet", backward=True) == Work(6 * 4 * 1024 + 4, 0)
    # 라벨이 참거짓이라 1바이트.
    assert counted("pairwise_margin", backward=False) == Work(5 * 1024 + 4, 0)
    assert counted("wasserstein_1d", backward=True) == Work(4 * 4 * 100 + 4, 0)


def test_the_work_of_pairs_by_hand() -> None:
    vectors, inner = 4 * 32 * 16, 2 * 16  # 임베딩의 바이트, 내적 하나의 flop
    assert counted("nt_xent", backward=False) == Work(vectors + 4, math.comb(32, 2) * inner)
    assert counted("info_nce", backward=False) == Work(2 * vectors + 4, 32**2 * inner)
    assert counted("info_nce", backward=True) == Work(4 * vectors + 4, 3 * 32**2 * inner)
    assert counted("supcon", backward=True) == Work(2 * vectors + 8 * 32 + 4, (math.comb(32, 2) + 32 * 31) * inner)
    hard = counted("batch_hard_triplet", backward=True)
    assert hard.flops == counted("batch_hard_triplet", backward=False).flops == math.comb(32, 2) * inner
    # 표본 1024/16개, 클래스 8개.
    assert counted("cosine_softmax", backward=True).flops == 3 * 64 * 8 * inner


def test_the_work_of_steps_by_hand() -> None:
    state = 4 * 6 * (5 + 1 + 5)  # 자리, 에너지, 기울기
    info = 6 * (4 + 1 + 1 + 4 + 1)
    langevin = Work(state + 4 * 5**2 + state + info, 2 * 6 * 5**2)
    assert counted("langevin_step", backward=False) == langevin
    assert counted("mala_step", backward=False) == langevin
    assert counted("hmc_step", backward=False) == langevin._replace(flops=3 * langevin.flops)
    # 비용 행렬을 반복마다 읽고 두 퍼텐셜을 쓴다.
    assert counted("sinkhorn", backward=False) == Work(4 * (7 * 24**2 + 2 * 24), 7 * 4 * 24**2)


def test_the_work_of_the_network_is_that_of_its_layers() -> None:
    layers = [layer for layer in devices.denoiser(TINY, CPU).network if isinstance(layer, Linear)]
    assert devices.layers(TINY) == [layer.weight.numel() for layer in layers]
    weights = 4 * sum(parameter.numel() for layer in layers for parameter in layer.parameters())
    images, times = 4 * 10 * 4, 8 * 10
    step = counted("ancestral_step", backward=False)
    assert step == Work(2 * images + times + weights, 2 * 10 * sum(devices.layers(TINY)))
    assert counted("ddim_step", backward=False) == step
    both = counted("denoising_loss", backward=True)
    assert both == Work(
        2 * images + times + 2 * weights + 4,
        2 * 10 * (2 * sum(devices.layers(TINY)) + sum(devices.layers(TINY)[1:])),
    )


def test_sinkhorn_takes_every_step_it_is_charged_for() -> None:
    for sweeps in (3, 20, 60):
        result = named("sinkhorn").build(TINY._replace(sweeps=sweeps), CPU).run()
        assert result.iterations == sweeps
        assert not result.converged


def test_samplers_start_where_the_step_is_stable() -> None:
    for name in ("langevin_step", "mala_step", "hmc_step"):
        _, info = named(name).build(TINY._replace(dimension=64), CPU).run()
        assert not info.diverged.any()
        assert info.acceptance.mean() > 0.1


def test_forward_keeps_no_graph_and_backward_gives_gradients() -> None:
    task = named("info_nce").build(TINY, CPU)
    value = devices.directed(task, backward=False)()
    assert isinstance(value, Tensor)
    assert not value.requires_grad
    loss, *gradients = devices.directed(task, backward=True)()
    assert loss == pytest.approx(float(value))
    assert [gradient.shape for gradient in gradients] == [x.shape for x in task.learnt]
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


def test_the_limits_are_the_best_of_what_was_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Timed:
        times = (4.0, 2.0, 8.0)

    runs = []
    monkeypatch.setattr(devices, "timed", lambda run: runs.append(run()) or Timed())
    found = devices.limits(TINY, CPU)
    assert found == Limits(2 * 4 * 1000 / 2.0, 2 * 8**3 / 2.0)
    copied, product = runs
    assert copied.eq(1).all()
    assert product.shape == (8, 8)


def test_the_limits_are_taken_before_and_after_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [Limits(1.0, 4.0), Limits(2.0, 3.0)]
    events = []
    monkeypatch.setattr(devices, "limits", lambda *_: events.append("한계") or seen.pop())
    monkeypatch.setattr(devices, "measure", lambda *_, **__: events.append("줄") or Row("`a`", "", 1.0, Work(1, 1)))
    measured, found = devices.measure_all(TINY, CPU)
    assert found == Limits(2.0, 4.0)
    assert events == ["한계", *["줄"] * len(measured), "한계"]
    assert len(measured) == len(WAYS)


def test_time_is_that_of_one_run() -> None:
    calls = []
    measured = devices.timed(partial(calls.append, 1))
    assert len(calls) >= len(measured.times) * measured.number_per_run
    assert len(measured.times) > 0
    assert measured.median > 0


def test_the_larger_of_the_two_bounds_applies() -> None:
    assert devices.floor(Work(10**9, 10**11), FOUND) == (1.0, "대역폭")
    assert devices.floor(Work(10**9, 2 * 10**12), FOUND) == (2.0, "연산")
    row = Row("`a`", "n = 1", 4.0, Work(10**9, 0))
    assert devices.share(row, FOUND) == 0.25
    assert devices.cells(row, FOUND) == ["`a`", "n = 1", "4,000.0 ms", "1,000.0 ms", "대역폭", "25.0 %"]
    faster = row._replace(seconds=0.005, work=Work(20, 0))
    assert devices.cells(faster, FOUND)[2:] == ["5.000 ms", "0.0000 ms", "대역폭", "0.0004 %"]


def test_the_verdict_names_the_worst_and_counts_the_low() -> None:
    measured = [
        Row("`빠름`", "", 1.0, Work(5 * 10**8, 0)),
        Row("`느림`", "", 1.0, Work(5 * 10**7, 0)),
        Row("`가장 느림`", "", 1.0, Work(10**6, 0)),
        Row("`못 잼`", "", None, Work(0, 0)),
    ]
    assert "3줄 가운데 2줄은 비율이 10 %에 못 미치고, 가장 낮은 것은 `가장 느림`(0.1 %)다" in devices.verdict(
        measured, FOUND
    )


def test_too_little_memory_is_said_in_the_row() -> None:
    def build(_sizes: Sizes, _device: torch.device) -> Task:
        raise torch.OutOfMemoryError("모자람")

    case = named("bce")._replace(build=build)
    row = devices.measure(case, TINY, CPU, backward=True)
    assert devices.share(row, FOUND) is None
    assert devices.cells(row, FOUND) == ["`bce`, 앞뒤로", "원소 1,024개", "메모리 부족", "–", "–", "–"]


def test_the_table_is_written_whole_for_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results"
    monkeypatch.setattr(devices, "RESULTS", results)
    monkeypatch.setitem(devices.SIZES, "cpu", TINY)
    devices.main([])
    assert [path.name for path in results.iterdir()] == ["devices-cpu.md"]  # 쓰다 만 것이 남지 않는다
    first, caption, note = (results / "devices-cpu.md").read_text("utf-8").strip().split("\n\n")
    head, rule, *lines = first.splitlines()
    assert len(lines) == len(WAYS)
    assert {line.count("|") for line in (head, rule, *lines)} == {7}
    assert [line.split("|")[1].split("`")[1] for line in lines] == [case.values[0].name for case in WAYS]
    assert devices.device_name(CPU) in caption
    assert (
        f"torch {torch.__version__.partition('+')[0]}, 스레드 {torch.get_num_threads()}개, fp32, TF32는 끔" in caption
    )
    assert "GB/s" in caption
    assert "GFLOP/s(한 변 8, 2n³)" in caption
    assert f"{len(WAYS)}줄 가운데" in note


def test_a_run_cut_short_leaves_the_old_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "devices-cpu.md"
    devices.write(["앞의 것"], path)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        devices.write(["새것"], path)
    assert path.read_text("utf-8") == "앞의 것"


def test_the_gpu_is_given_more_of_everything() -> None:
    cpu, cuda = SIZES["cpu"], SIZES["cuda"]
    assert all(small <= large for small, large in zip(cpu, cuda, strict=True))
    assert cpu.elements < cuda.elements
    # 복사와 비용 행렬은 캐시에 남지 않을 만큼 커야 한다.
    assert 4 * min(cpu.copied, cpu.cloud**2) > 2**27


@pytest.mark.parametrize("name", ["cuda:99", "abacus"])
def test_a_missing_device_is_an_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(devices, "RESULTS", tmp_path)
    with pytest.raises(SystemExit) as stopped:
        devices.main(["--device", name])
    assert stopped.value.code == 2
    assert name in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
