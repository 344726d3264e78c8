"""기준값: 이어 붙인 배치를 프로세스 하나가 잰 nt_xent. 두 프로세스는 정말로 띄운다(gloo, 루프백 장치와 파일만 쓴다)."""

import os
import socket
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import multiprocessing
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from mgk_docs_src.contrastive.distributed import distributed_nt_xent
from mgk_docs_src.contrastive.losses import nt_xent
from mgk_docs_src.random import generator, randn

pytestmark = pytest.mark.real_device

WORLD, N, D = 2, 6, 5
PATIENCE = 120  # 이보다 오래 걸리면 멈춘 것이다
TEMPERATURE = 0.2
KINDS = (torch.float64, torch.float32)


def views(kind=torch.float64, device=None):
    """모든 프로세스의 두 뷰를 이어 붙인 배치."""
    g = generator(0)
    return tuple(randn(WORLD * N, D, generator=g, dtype=kind, device=device) for _ in range(2))


def encoder(kind):
    g = generator(1)
    network = torch.nn.Sequential(torch.nn.Linear(D, 7), torch.nn.Tanh(), torch.nn.Linear(7, 4)).to(kind)
    for parameter in network.parameters():
        parameter.data = randn(*parameter.shape, generator=g, dtype=kind)
    return network


def share(tensor, rank):
    return tensor[rank * N : (rank + 1) * N]


def loss_and_slopes(network, loss, first, second):
    value = loss(network(first), network(second), temperature=TEMPERATURE)
    return value.detach(), torch.autograd.grad(value, list(network.parameters()))


def only_constant_negatives(first, second):
    """흔한 실수: 모은 음성 표본을 상수로만 둔다."""
    gathered = [torch.empty(2, *first.shape, dtype=first.dtype) for _ in range(WORLD)]
    own = torch.stack([F.normalize(first), F.normalize(second)])
    dist.all_gather(gathered, own.detach())
    rank = dist.get_rank()
    gathered[rank] = own
    z = torch.cat(gathered, 1).flatten(0, 1)
    logits = z @ z.T / TEMPERATURE
    logits = logits.masked_fill(torch.eye(len(z), dtype=torch.bool), -torch.inf)
    rows = torch.cat([torch.arange(N) + rank * N, torch.arange(N) + rank * N + WORLD * N])
    return F.cross_entropy(logits[rows], (rows + WORLD * N) % (2 * WORLD * N))


def refusals(rank):
    """한 프로세스만 틀려도 모든 프로세스가 같은 이유로 멈춘다."""
    first, second = (share(view, rank) for view in views())
    broken = first.clone()
    broken[0] = torch.nan if rank == 0 else 1.0
    other = torch.float32 if rank else torch.float64
    wrong = {
        "shape": (first[: N - rank], second[: N - rank], TEMPERATURE),
        "axes": (first[rank], second[rank], TEMPERATURE) if rank else (first, second, TEMPERATURE),
        "nan": (broken, second, TEMPERATURE),
        "empty": (first[:0], second[:0], TEMPERATURE),
        "dtype": (first.to(other), second.to(other), TEMPERATURE),
        "half": (first.float(), second.to(torch.float16 if rank else torch.float32), TEMPERATURE),
        "other": (first, second, TEMPERATURE + rank),
        "negative": (first, second, 0.5 - rank),
        "tiny": (first.float(), second.float(), 1e-39 if rank else TEMPERATURE),
        "kind": (first, second.tolist() if rank else second, TEMPERATURE),
        "word": (first, second, TEMPERATURE if rank else "0.2"),
        "device": (first, second.to("meta") if rank else second, TEMPERATURE),
    }
    said = {}
    for name, (one, two, temperature) in wrong.items():
        try:
            distributed_nt_xent(one, two, temperature=temperature)
        except (TypeError, ValueError) as error:
            said[name] = f"{type(error).__name__}: {error}"
    return said


def learned(rank):
    """온도의 기울기를 DistributedDataParallel처럼 평균한 값."""
    knob = torch.nn.Parameter(torch.tensor(TEMPERATURE, dtype=torch.float64))
    value = distributed_nt_xent(*(share(view, rank) for view in views()), temperature=knob)
    (slope,) = torch.autograd.grad(value, knob)
    dist.all_reduce(slope)
    return slope / WORLD


def measure(rank):
    results = {"refused": refusals(rank)}
    for kind in KINDS:
        first, second = (share(view, rank).requires_grad_() for view in views(kind))
        value = distributed_nt_xent(first, second, temperature=TEMPERATURE)
        slopes = torch.autograd.grad(value, (first, second))
        parallel = DistributedDataParallel(encoder(kind))
        loss = distributed_nt_xent(parallel(first), parallel(second), temperature=TEMPERATURE)
        loss.backward()
        parameters = [parameter.grad for parameter in parallel.parameters()]
        results[str(kind)] = (value.detach(), slopes, loss.detach(), parameters)
    results["learned"] = learned(rank)
    pair = dist.new_group([0, 1])
    first, second = (share(view, rank) for view in views())
    only = dist.new_group([0])
    try:
        results["outside"] = distributed_nt_xent(first, second, temperature=TEMPERATURE, group=only).detach()
    except ValueError as error:
        results["outside"] = str(error)
    results["group"] = distributed_nt_xent(first, second, temperature=TEMPERATURE, group=pair)
    single = [dist.new_group([r]) for r in range(WORLD)][rank]
    results["alone"] = distributed_nt_xent(first, second, temperature=TEMPERATURE, group=single)
    first.requires_grad_()
    results["mistake"] = torch.autograd.grad(only_constant_negatives(first, second), first)[0]
    return results


def work(rank, folder):
    torch.set_num_threads(1)
    # 호스트 이름을 찾지 않고 루프백 장치만 쓴다.
    os.environ["GLOO_SOCKET_IFNAME"] = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    store = dist.FileStore(str(Path(folder) / "store"), WORLD)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=WORLD)
    torch.save(measure(rank), Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(rank, str(folder)), daemon=True) for rank in range(WORLD)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    stuck = [process.pid for process in processes if process.is_alive()]
    for process in processes:
        process.kill()
    assert not stuck, f"{PATIENCE}초 안에 끝나지 않았다"  # 한 프로세스만 멈추면 남은 프로세스가 기다린다
    assert [process.exitcode for process in processes] == [0] * WORLD
    return [torch.load(folder / f"{rank}.pt") for rank in range(WORLD)]


@pytest.fixture
def alone(device):
    """프로세스 하나뿐인 그룹. 테스트하는 장치의 백엔드를 쓴다."""
    backend = "gloo" if device.type == "cpu" else "nccl"
    dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_two_processes_have_the_loss_and_the_gradient_of_the_joined_batch(both, kind):
    joined = tuple(view.requires_grad_() for view in views(kind))
    expected = nt_xent(*joined, temperature=TEMPERATURE)
    slopes = torch.autograd.grad(expected, joined)
    close = {"atol": 1e-12, "rtol": 1e-12} if kind == torch.float64 else {"atol": 1e-6, "rtol": 1e-6}
    for rank, results in enumerate(both):
        value, own, _, _ = results[str(kind)]
        torch.testing.assert_close(value, expected.detach(), **close)
        for ours, whole in zip(own, slopes, strict=True):
            torch.testing.assert_close(ours / WORLD, share(whole, rank), **close)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_data_parallel_training_takes_the_step_of_the_joined_batch(both, kind):
    expected, slopes = loss_and_slopes(encoder(kind), nt_xent, *views(kind))
    close = {"atol": 1e-12, "rtol": 1e-12} if kind == torch.float64 else {"atol": 1e-6, "rtol": 1e-6}
    for results in both:
        _, _, loss, parameters = results[str(kind)]
        torch.testing.assert_close(loss, expected, **close)
        for ours, whole in zip(parameters, slopes, strict=True):
            torch.testing.assert_close(ours, whole, **close)


def test_constant_negatives_give_another_gradient(both):
    joined = tuple(view.requires_grad_() for view in views())
    slopes = torch.autograd.grad(nt_xent(*joined, temperature=TEMPERATURE), joined)[0]
    for rank, results in enumerate(both):
        whole = share(slopes, rank)
        assert (results["mistake"] / WORLD - whole).norm() > 0.1 * whole.norm()


def test_a_group_may_be_named(both):
    joined = nt_xent(*views(), temperature=TEMPERATURE)
    for rank, results in enumerate(both):
        torch.testing.assert_close(results["group"], joined)
        own = nt_xent(*(share(view, rank) for view in views()), temperature=TEMPERATURE)
        torch.testing.assert_close(results["alone"], own)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shape", "ValueError: first_view: 모든 프로세스에서 모양이 같아야 하는데 [6, 5], [5, 5]이다"),
        ("axes", "ValueError: first_view: 축의 수가 2이어야 하는데 모양이 (5,)이다"),
        ("nan", "ValueError: first_view의 벡터마다 가장 큰 |좌표|: 0보다 큰 유한한 값이어야 하는데 nan이 있다"),
        ("empty", "ValueError: first_view: 프로세스마다 표본이 하나, 모두 합해 둘 이상이어야 하는데 하나도 없다"),
        (
            "dtype",
            "ValueError: first_view, second_view: 모든 프로세스에서 자료형이 같아야 하는데 "
            "torch.float64/torch.float64, ",
        ),
        (
            "half",
            "ValueError: first_view, second_view: 모든 프로세스에서 자료형이 같아야 하는데 "
            "torch.float32/torch.float32, ",
        ),
        ("other", "ValueError: temperature: 모든 프로세스에서 값이 같아야 하는데 0.2, 1.2이다"),
        ("negative", "ValueError: temperature: 0보다 큰 유한한 값이어야 하는데 -0.5이다"),
        ("tiny", "ValueError: temperature: [1.0842e-19, 9.22337e+18] 안의 값이어야 하는데 1e-39이다"),
        ("kind", "TypeError: second_view: 텐서여야 하는데 list이다"),
        ("word", "TypeError: temperature: 수여야 하는데 str이다"),
        ("device", "ValueError: second_view: 장치가 cpu여야 하는데 meta이다"),
    ],
)
def test_what_is_wrong_in_one_process_stops_all_of_them_alike(both, name, message):
    for results in both:
        assert results["refused"][name].startswith(message)
    assert both[0]["refused"] == both[1]["refused"]


def test_a_process_outside_the_group_is_told_so(both):
    own = nt_xent(*(share(view, 0) for view in views()), temperature=TEMPERATURE)
    torch.testing.assert_close(both[0]["outside"], own)
    assert both[1]["outside"] == "group: 이 프로세스가 든 그룹이어야 하는데 프로세스 1은 들어 있지 않다"


def test_the_temperature_learns_from_the_joined_batch(both):
    knob = torch.tensor(TEMPERATURE, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(nt_xent(*views(), temperature=knob), knob)
    for results in both:
        torch.testing.assert_close(results["learned"], slope, atol=1e-12, rtol=1e-12)


@pytest.mark.usefixtures("alone")
def test_one_process_is_plain_nt_xent(device):
    for kind, tolerance in (
        (torch.float64, 1e-12),
        (torch.float32, 1e-6),
        (torch.float16, 2e-3),
        (torch.bfloat16, 2e-2),
    ):
        pairs = [tuple(view.requires_grad_() for view in views(kind, device)) for _ in range(2)]
        ours = distributed_nt_xent(*pairs[0], temperature=TEMPERATURE)
        plain = nt_xent(*pairs[1], temperature=TEMPERATURE)
        assert ours.dtype == kind
        torch.testing.assert_close(ours, plain, atol=tolerance, rtol=tolerance)
        slopes = [torch.autograd.grad(loss, pair) for loss, pair in zip((ours, plain), pairs, strict=True)]
        torch.testing.assert_close(*slopes, atol=tolerance, rtol=tolerance)


@pytest.mark.usefixtures("alone")
def test_the_gradient_is_right_and_finite_at_a_low_temperature(device):
    pair = tuple(view.requires_grad_() for view in views(torch.float64, device))
    assert torch.autograd.gradcheck(lambda *pair: distributed_nt_xent(*pair, temperature=0.3), pair)
    knob = torch.tensor([0.3], device=device, dtype=torch.float64, requires_grad=True)
    fixed = views(torch.float64, device)
    assert torch.autograd.gradcheck(lambda knob: distributed_nt_xent(*fixed, temperature=knob), (knob,))
    pair = tuple(view.requires_grad_() for view in views(torch.float32, device))
    loss = distributed_nt_xent(*pair, temperature=1e-3)
    assert all(slope.isfinite().all() for slope in torch.autograd.grad(loss, pair))


@pytest.mark.usefixtures("alone")
def test_near_pairs_keep_the_digits_of_a_small_loss(device):
    x = randn(20, 16, generator=generator(2), device=device)
    pair = x.requires_grad_(), x.detach() + 0.02 * randn(20, 16, generator=generator(3), device=device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        value = distributed_nt_xent(*pair, temperature=0.05)
    wide = tuple(view.detach().double().requires_grad_() for view in pair)
    truth = nt_xent(*wide, temperature=0.05)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(truth.item(), rel=1e-4)
    slope, exact = torch.autograd.grad(value, pair[0])[0], torch.autograd.grad(truth, wide[0])[0]
    assert (slope.double() - exact).norm() <= 1e-4 * exact.norm()


@pytest.mark.usefixtures("alone")
def test_it_is_differentiated_once_and_says_so(device):
    """입력에서 손실까지 다른 층이 있어도, 어느 경로로 두 번 미분해도 멈춘다."""
    first, second = views(device=device)
    weight = randn(D, D, generator=generator(5), dtype=torch.float64, device=device).requires_grad_()
    knob = torch.tensor(TEMPERATURE, dtype=torch.float64, device=device, requires_grad=True)
    value = distributed_nt_xent(torch.tanh(first @ weight), second, temperature=knob)
    slopes = torch.autograd.grad(value, (weight, knob), create_graph=True)
    for slope in slopes:
        for leaf in (weight, knob):
            with pytest.raises(RuntimeError, match="한 번만 미분할 수 있는데"):
                torch.autograd.grad(slope.square().sum(), leaf, retain_graph=True)
    plain = torch.autograd.grad(nt_xent(torch.tanh(first @ weight), second, temperature=TEMPERATURE), weight)[0]
    torch.testing.assert_close(slopes[0], plain, atol=1e-12, rtol=1e-12)

    def loss(x):
        return distributed_nt_xent(x, second, temperature=TEMPERATURE)

    for transformed in (
        lambda: torch.func.grad(loss)(first),
        lambda: torch.func.vmap(loss)(first.expand(3, *first.shape)),
        lambda: torch.func.jvp(loss, (first,), (first,)),
    ):
        with pytest.raises(ValueError, match=r"first_view: torch\.func"):
            transformed()
    leaf = first.clone().requires_grad_()
    with torch.inference_mode():
        torch.testing.assert_close(loss(first), loss(leaf).detach())


@pytest.mark.bad_input
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda x, y: (x.tolist(), y), TypeError, "first_view"),
        (lambda x, y: (x, y[1:]), ValueError, "second_view: 모양"),
        (lambda x, y: (x.unsqueeze(0), y), ValueError, "first_view: 축"),
        (lambda x, y: (x.long(), y), ValueError, "first_view: 실수형"),
        (lambda x, y: (x, y.to("meta")), ValueError, "second_view: 장치"),
        (lambda x, y: (x[:1], y[:1]), ValueError, "first_view: .*둘 이상"),
        (lambda x, y: (0 * x, y), ValueError, "first_view.*0보다 큰"),
        (lambda x, y: (x, y / 0), ValueError, "second_view.*inf"),
    ],
)
def test_bad_views_are_refused(device, change, error, message):
    with pytest.raises(error, match=message):
        distributed_nt_xent(*change(*views(device=device)), temperature=0.2)


@pytest.mark.bad_input
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_bad_temperature_is_refused(device, temperature):
    with pytest.raises(ValueError, match="temperature: 0보다 큰"):
        distributed_nt_xent(*views(device=device), temperature=temperature)


@pytest.mark.bad_input
def test_without_a_group_it_says_how_to_make_one():
    with pytest.raises(ValueError, match=r"group: .*init_process_group"):
        distributed_nt_xent(*views(), temperature=0.2)
