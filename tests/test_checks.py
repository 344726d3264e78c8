import math
import re
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, UNIT, Interval


def test_good_inputs_pass_every_check(device):
    x = torch.tensor([[0.25, 0.75], [1.0, 0.0]], device=device)
    checks.tensor(x=x)
    checks.floating(x=x, half=x.half())
    checks.int64(labels=torch.tensor([0, 1], device=device))
    checks.nonempty(x=x)
    checks.classes((2, 2), 3, labels=torch.tensor([[0, 1], [2, 0]], device=device))
    checks.class_list(2, labels=torch.tensor([0, 1, 1], device=device))
    checks.class_scores(torch.tensor([1, 0], device=device), x=x, half=x.half())
    checks.ndim(2, 2, x=x)
    checks.ndim(1, math.inf, x=x)
    checks.shape((2, 2), x=x)
    checks.device(x.device, x=x, row=x[0])
    checks.broadcastable((3, 2, 2), x=x, row=x[0], one=x[:1, :1], scalar=x[0, 0], absent=None)
    checks.simplex(1, x=x)
    checks.number(UNIT, x=0.5, one=1)
    checks.count(1, steps=1)
    checks.choice(("mean", "sum"), reduction="sum")
    checks.within(x=(x, UNIT), absent=(None, UNIT))
    assert checks.extremes(x=(x, UNIT), absent=(None, UNIT)) == {"x": (0.0, 1.0)}


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64])
def test_the_extremes_are_those_of_every_dtype(device, kind):
    values = torch.tensor([[3, -2], [0, 1]], device=device).to(kind)
    other = torch.ones(3, device=device)
    ends = checks.extremes(values=(values, REAL), other=(other, POSITIVE))
    assert ends == {"values": (-2.0, 3.0), "other": (1.0, 1.0)}


def delayed(*steps, whole=False):
    """미룬 채로 다 지나갔으면 몇 스텝이나 갔는지."""
    passed = 0
    try:
        with checks.delayed(whole=whole):
            for step in steps:
                step()
                passed += 1
    except ValueError as error:
        return passed, str(error)
    return passed, ""


def test_checks_of_a_loop_are_made_together_at_its_end(device, monkeypatch):
    half, nan, three = (torch.tensor([value], device=device) for value in (0.5, math.nan, 3))
    good, bad, whole = (partial(checks.within, x=(x, UNIT), absent=(None, UNIT)) for x in (half, nan, three))
    assert delayed(good, whole)[0] == 1
    if device.type == "cpu":  # 기다릴 것이 없으면 미루지 않는다
        assert delayed(good, bad, good) == (1, "x: [0, 1] 안의 값이어야 하는데 nan이 있다")
    monkeypatch.setattr(checks, "_at_hand", lambda value: False)
    assert delayed(good, good) == (2, "")
    assert delayed(good, bad, good) == (3, "x: [0, 1] 안의 값이어야 하는데 nan이 있다")
    # 정수는 미루라고 할 때만 미룬다
    assert delayed(whole, good) == (0, "x: [0, 1] 안의 값이어야 하는데 최솟값이 3이다")
    assert delayed(whole, good, whole=True) == (2, "x: [0, 1] 안의 값이어야 하는데 최솟값이 3이다")
    # 긴 반복문은 끝까지 가지 않는다
    assert delayed(*[bad] * 1000)[0] == 255
    # 다른 오류가 나면 먼저 틀린 값을 알린다
    assert delayed(bad, partial(checks.shape, (2,), y=half)) == (1, "x: [0, 1] 안의 값이어야 하는데 nan이 있다")
    assert delayed(good, partial(checks.shape, (2,), y=half)) == (1, "y: 모양이 (2,)이어야 하는데 (1,)이다")
    assert delayed(partial(checks.shape, (2,), y=half)) == (0, "y: 모양이 (2,)이어야 하는데 (1,)이다")


def test_within_leaves_no_graph_behind(device):
    x = torch.ones(2, device=device, requires_grad=True)
    checks.within(x=(x, UNIT))
    checks.simplex(0, half=x / 2)
    assert x.grad is None


@pytest.mark.parametrize(
    ("interval", "inside", "outside", "text"),
    [
        (REAL, [-1e300, 0.0, 1e300], [math.inf, -math.inf, math.nan], "유한한 값"),
        (UNIT, [0.0, 0.5, 1.0], [-1e-9, 1.0000001, math.nan], "[0, 1] 안의 값"),
        (NONNEGATIVE, [0.0, 5.0], [-0.1, math.inf, math.nan], "0 이상의 유한한 값"),
        (POSITIVE, [1e-300, 5.0], [0.0, math.inf, math.nan], "0보다 큰 유한한 값"),
        (Interval(0.0, 1.0, open=True), [0.5], [0.0, 1.0, math.nan], "(0, 1) 안의 값"),
        (Interval(0.0, 1.0, right_open=True), [0.0, 0.5], [-0.1, 1.0, math.nan], "[0, 1) 안의 값"),
    ],
)
def test_interval_knows_its_members_and_its_name(interval, inside, outside, text):
    assert all(interval.holds(value) for value in inside)
    assert not any(interval.holds(value) for value in outside)
    assert str(interval) == text


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_simplex_tolerance_is_the_root_of_the_precision(device, kind):
    # softmax를 그 자료형으로 반올림한 것은 언제나 지난다. 허용 오차의 두 배만큼 벗어난 것은 걸린다.
    torch.manual_seed(0)
    checks.simplex(1, p=torch.randn(50, 30, dtype=torch.float64).softmax(1).to(device, kind))
    tolerance = torch.finfo(kind).eps ** 0.5
    far = torch.tensor([0.5, 0.5 + 2 * tolerance], device=device, dtype=kind)
    with pytest.raises(ValueError, match=r"^p: dim=0의 합이 1이어야 하는데 1\.\d+이다 \(허용 오차"):
        checks.simplex(0, p=far)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("check", "error", "message"),
    [
        (lambda d: checks.tensor(x=[1.0]), TypeError, "x: 텐서여야 하는데 list이다"),
        (lambda d: checks.floating(x=1.0), TypeError, "x: 텐서여야 하는데 float이다"),
        (
            lambda d: checks.floating(x=torch.ones(1, device=d).int()),
            ValueError,
            "x: 실수형이어야 하는데 torch.int32이다",
        ),
        (lambda d: checks.int64(y=None), TypeError, "y: 텐서여야 하는데 NoneType이다"),
        (
            lambda d: checks.int64(y=torch.ones(1, device=d)),
            ValueError,
            "y: 클래스 번호는 torch.int64여야 하는데 torch.float32이다",
        ),
        (
            lambda d: checks.classes((3,), 2, y=torch.tensor([0, 1], device=d)),
            ValueError,
            "y: 모양이 (3,)이어야 하는데 (2,)이다",
        ),
        (
            lambda d: checks.classes((2,), 2, y=torch.tensor([0.0, 1.0], device=d)),
            ValueError,
            "y: 클래스 번호는 torch.int64여야 하는데 torch.float32이다",
        ),
        (
            lambda d: checks.classes((2,), 2, y=torch.tensor([0, 2], device=d)),
            ValueError,
            "y: [0, 1] 안의 값이어야 하는데 최댓값이 2이다",
        ),
        (
            lambda d: checks.class_list(2, y=torch.tensor([[0, 1]], device=d)),
            ValueError,
            "y: 축의 수가 1이어야 하는데 모양이 (1, 2)이다",
        ),
        (
            lambda d: checks.class_list(2, y=torch.tensor([], dtype=torch.int64, device=d)),
            ValueError,
            "y: 원소가 하나 이상이어야 하는데 모양이 (0,)이다",
        ),
        (
            lambda d: checks.class_list(2, y=torch.tensor([0, -1], device=d)),
            ValueError,
            "y: [0, 1] 안의 값이어야 하는데 최솟값이 -1이다",
        ),
        (lambda d: checks.class_list(2, y=[0, 1]), TypeError, "y: 텐서여야 하는데 list이다"),
        (
            lambda d: checks.class_list(0, y=torch.tensor([0], device=d)),
            ValueError,
            "num_classes: 1 이상의 정수여야 하는데 0이다",
        ),
        (
            lambda d: checks.class_scores(torch.tensor([0, 1], device=d), z=torch.ones(2, device=d)),
            ValueError,
            "z: 축의 수가 2이어야 하는데 모양이 (2,)이다",
        ),
        (
            lambda d: checks.class_scores(torch.tensor([0, 3], device=d), z=torch.ones(2, 3, device=d)),
            ValueError,
            "labels: [0, 2] 안의 값이어야 하는데 최댓값이 3이다",
        ),
        (
            lambda d: checks.class_scores(torch.tensor([0], device=d), z=torch.ones(2, 3, device=d)),
            ValueError,
            "labels: 모양이 (2,)이어야 하는데 (1,)이다",
        ),
        (
            lambda d: checks.class_scores(torch.tensor([0, 1], device=d), z=torch.ones(2, 3, device=d).long()),
            ValueError,
            "z: 실수형이어야 하는데 torch.int64이다",
        ),
        (
            lambda d: checks.nonempty(x=torch.ones(2, 0, device=d)),
            ValueError,
            "x: 원소가 하나 이상이어야 하는데 모양이 (2, 0)이다",
        ),
        (
            lambda d: checks.ndim(2, 2, x=torch.ones(3, device=d)),
            ValueError,
            "x: 축의 수가 2이어야 하는데 모양이 (3,)이다",
        ),
        (
            lambda d: checks.ndim(1, math.inf, x=torch.ones((), device=d)),
            ValueError,
            "x: 축의 수가 1 이상이어야 하는데 모양이 ()이다",
        ),
        (
            lambda d: checks.ndim(1, 2, x=torch.ones(1, 1, 1, device=d)),
            ValueError,
            "x: 축의 수가 1–2이어야 하는데 모양이 (1, 1, 1)이다",
        ),
        (
            lambda d: checks.shape((2, 3), x=torch.ones(3, device=d)),
            ValueError,
            "x: 모양이 (2, 3)이어야 하는데 (3,)이다",
        ),
        (
            lambda d: checks.device(torch.device("cuda:7"), x=torch.ones(3, device="meta")),
            ValueError,
            "x: 장치가 cuda:7여야 하는데 meta이다",
        ),
        (lambda d: checks.broadcastable((2,), w=2.0), TypeError, "w: 텐서여야 하는데 float이다"),
        (
            lambda d: checks.broadcastable((2,), w=torch.ones(2, device=d).long()),
            ValueError,
            "w: 실수형이어야 하는데 torch.int64이다",
        ),
        (
            lambda d: checks.broadcastable((2, 3), w=torch.ones(2, device=d)),
            ValueError,
            "w: (2, 3)로 늘어나는 모양이어야 하는데 (2,)이다",
        ),
        (
            lambda d: checks.broadcastable((3,), w=torch.ones(1, 3, device=d)),
            ValueError,
            "w: (3,)로 늘어나는 모양이어야 하는데 (1, 3)이다",
        ),
        (
            lambda d: checks.within(target=(torch.tensor([0.5, 2.0], device=d), UNIT)),
            ValueError,
            "target: [0, 1] 안의 값이어야 하는데 최댓값이 2.0이다",
        ),
        (
            lambda d: checks.within(w=(torch.tensor([1.0, -1.0], device=d), NONNEGATIVE)),
            ValueError,
            "w: 0 이상의 유한한 값이어야 하는데 최솟값이 -1.0이다",
        ),
        (
            lambda d: checks.within(y=(torch.tensor([0, 3], device=d), Interval(0, 2))),
            ValueError,
            "y: [0, 2] 안의 값이어야 하는데 최댓값이 3이다",
        ),
        (
            lambda d: checks.within(z=(torch.tensor([0.0, math.nan], device=d), REAL)),
            ValueError,
            "z: 유한한 값이어야 하는데 nan이 있다",
        ),
        (
            lambda d: checks.within(z=(torch.tensor([0.0, -math.inf], device=d), REAL)),
            ValueError,
            "z: 유한한 값이어야 하는데 최솟값이 -inf이다",
        ),
        (
            lambda d: checks.simplex(0, p=torch.tensor([1.5, -0.5], device=d)),
            ValueError,
            "p: 0 이상의 유한한 값이어야 하는데 최솟값이 -0.5이다",
        ),
        (
            lambda d: checks.simplex(-1, p=torch.tensor([[0.5, 0.5], [0.5, 0.2]], device=d)),
            ValueError,
            "p: dim=-1의 합이 1이어야 하는데 0.7이다 (허용 오차 0.00035)",
        ),
        (lambda d: checks.number(UNIT, e="0.1"), TypeError, "e: 수여야 하는데 str이다"),
        (lambda d: checks.number(UNIT, e=True), TypeError, "e: 수여야 하는데 bool이다"),
        (lambda d: checks.number(UNIT, e=-0.1), ValueError, "e: [0, 1] 안의 값이어야 하는데 -0.1이다"),
        (lambda d: checks.number(UNIT, e=math.nan), ValueError, "e: [0, 1] 안의 값이어야 하는데 nan이다"),
        (lambda d: checks.count(1, steps=2.0), TypeError, "steps: 정수여야 하는데 float이다"),
        (lambda d: checks.count(1, steps=True), TypeError, "steps: 정수여야 하는데 bool이다"),
        (lambda d: checks.count(1, steps=0), ValueError, "steps: 1 이상의 정수여야 하는데 0이다"),
        (
            lambda d: checks.choice(("mean", "sum"), reduction="max"),
            ValueError,
            "reduction: 'mean', 'sum' 가운데 하나여야 하는데 'max'이다",
        ),
    ],
)
def test_bad_inputs_name_the_argument_what_came_and_what_is_wanted(device, check, error, message):
    with pytest.raises(error) as raised:
        check(device)
    assert str(raised.value) == message


@pytest.mark.bad_input
def test_a_look_alike_is_not_a_tensor(device):
    with pytest.raises(TypeError, match="SimpleNamespace"):
        checks.tensor(x=SimpleNamespace(device=device, shape=(1,)))


@pytest.mark.parametrize("transform", ["vmap", "grad", "jvp", "vmap(grad)", "hessian"])
def test_within_sees_the_values_inside_a_transform(transform, device):
    def unit(x):
        checks.within(x=(x, UNIT))
        return (x * x).sum()

    good, bad = torch.tensor([[0.5, 1.0]], device=device), torch.tensor([[0.5, 1.5]], device=device)
    transformed = {
        "vmap": torch.func.vmap(unit),
        "grad": torch.func.grad(unit),
        "jvp": lambda x: torch.func.jvp(unit, (x,), (x,)),
        "vmap(grad)": torch.func.vmap(torch.func.grad(unit)),
        "hessian": torch.func.hessian(unit),
    }
    transformed[transform](good)
    with pytest.raises(ValueError, match=re.escape("x: [0, 1] 안의 값이어야 하는데 최댓값이 1.5이다")):
        transformed[transform](bad)


def test_simplex_sees_the_values_inside_a_transform(device):
    def mass(p):
        checks.simplex(-1, p=p)
        return (p * p).sum()

    good = torch.tensor([[0.5, 0.5], [0.25, 0.75]], device=device)
    torch.func.vmap(torch.func.grad(mass))(good)
    with pytest.raises(ValueError, match=re.escape("p: dim=-1의 합이 1이어야 하는데 1.5이다")):
        torch.func.vmap(torch.func.grad(mass))(good + torch.tensor([[0.0, 0.0], [0.25, 0.25]], device=device))


@pytest.mark.bad_input
def test_instance_and_function_say_what_came(device):
    checks.instance(torch.device, device=device)
    checks.function(energy=torch.sin)
    with pytest.raises(TypeError, match=re.escape("state: Interval이어야 하는데 tuple이다")):
        checks.instance(Interval, state=(0.0, 1.0))
    with pytest.raises(TypeError, match=re.escape("energy: 함수여야 하는데 int이다")):
        checks.function(energy=3)


@pytest.mark.bad_input
@pytest.mark.parametrize(("dim", "kind"), [(2, ValueError), (-3, ValueError), (0.0, TypeError), (True, TypeError)])
def test_axis_is_one_of_the_tensor(dim, kind, device):
    x = torch.ones(2, 3, device=device)
    checks.axis(x.ndim, dim=-2)
    checks.axis(x.ndim, dim=1)
    with pytest.raises(kind, match="dim: "):
        checks.axis(x.ndim, dim=dim)


def test_plain_has_neither_slope_nor_wrapping(device):
    x = torch.ones(2, device=device, requires_grad=True)
    assert not checks.plain(x).requires_grad
    seen = []
    torch.func.vmap(lambda row: (seen.append(checks.plain(row).shape), row)[1])(torch.ones(3, 2, device=device))
    assert seen == [(3, 2)]


def test_a_function_of_the_caller_is_called_and_named(device):
    x, mix = torch.ones(3, 2, device=device), torch.ones(2, 2, device=device)
    assert torch.equal(checks.called("predict", lambda x, t: x @ mix * t, x, x), x @ mix)
    with pytest.raises(ValueError, match=re.escape("predict: 모양이 (3, 1)인 입력에서 오류를 냈다: mat1 and mat2")):
        checks.called("predict", lambda x: x @ mix, x[:, :1])


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("모자람"), RuntimeError("Inference tensors cannot be saved")])
def test_what_is_not_the_shapes_fault_keeps_torchs_words(device, error):
    def failing(x):
        raise error

    with pytest.raises(type(error), match=re.escape(str(error))) as caught:
        checks.called("energy", failing, torch.ones(2, device=device))
    assert caught.value is error


def test_what_can_be_read_once_is_listed(device):
    ones, twos = torch.ones(2, device=device), torch.full((2,), 2.0, device=device)
    found = checks.listed(parameters=iter((ones, twos)))
    assert found[0] is ones
    assert found[1] is twos
    with pytest.raises(TypeError, match=re.escape("widths: 차례로 읽을 수 있어야 하는데 int이다")):
        checks.listed(widths=3)
