import pytest
import torch

from mgk_docs_src.random import generator, rand, randint, randn, randperm


class Elsewhere(torch.Generator):
    """없는 장치에 있는 발생기."""

    device = torch.device("cuda")


def test_the_same_seed_gives_the_same_numbers_on_every_device(device):
    for draw in (
        lambda place, g: randn(3, 4, generator=g, device=place),
        lambda place, g: rand(3, 4, generator=g, device=place),
        lambda place, g: randint(-2, 5, (3, 4), generator=g, device=place),
    ):
        here, cpu = draw(device, generator(7)), draw(None, generator(7))
        assert here.device.type == device.type
        assert cpu.device.type == "cpu"
        assert here.shape == (3, 4)
        assert torch.equal(here.cpu(), cpu)
        assert not torch.equal(cpu, draw(None, generator(8)))


def test_a_generator_of_the_device_draws_there(device):
    for draw in (randn, rand, lambda n, **place: randint(0, 9, (n,), **place), randperm):
        one, two = (draw(8, generator=generator(5, device=device), device=device) for _ in range(2))
        assert one.device.type == device.type
        assert torch.equal(one, two)
    assert generator(5).device.type == "cpu"
    with torch.device(device):  # 기본 장치를 따르지 않는다. 블록이 어느 장치에서나 같은 수를 찍는다
        assert generator(5).device.type == "cpu"


def test_a_generator_travels_on(device):
    g = generator(0)
    assert not torch.equal(randn(5, generator=g, device=device), randn(5, generator=g, device=device))


def test_the_global_state_is_left_alone_unless_asked_for(device):
    before = torch.get_rng_state()
    randn(2, generator=generator(0), device=device)
    rand(2, generator=generator(0), device=device)
    randint(0, 2, (2,), generator=generator(0), device=device)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(3)
    drawn = randn(2, generator=None, device=device)
    torch.manual_seed(3)
    assert torch.equal(drawn.cpu(), torch.randn(2))


@pytest.mark.parametrize("draw", [randn, rand])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64, None])
def test_reals_have_the_dtype_asked_for(device, draw, kind):
    drawn = draw(2, 3, generator=generator(0), device=device, dtype=kind)
    assert drawn.dtype == (kind or torch.get_default_dtype())
    assert draw(generator=generator(0), device=device).shape == ()


def test_the_distributions_are_what_they_are_called(device):
    n = 40_000  # 평균의 표준 오차는 1/200
    normal = randn(n, generator=generator(1), device=device, dtype=torch.float64)
    assert abs(normal.mean().item()) < 0.02
    assert abs(normal.std().item() - 1) < 0.02
    uniform = rand(n, generator=generator(1), device=device, dtype=torch.float64)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean().item() - 0.5) < 0.01
    whole = randint(-1, 3, (n,), generator=generator(1), device=device)
    assert whole.dtype == torch.int64
    assert torch.equal(whole.unique().cpu(), torch.tensor([-1, 0, 1, 2]))
    assert (whole.cpu() + 1).bincount().min() > n / 4 * 0.95


def test_a_permutation_holds_every_number_once(device):
    drawn = randperm(7, generator=generator(0), device=device)
    assert drawn.device.type == device.type
    assert drawn.dtype == torch.int64
    assert torch.equal(drawn.cpu(), randperm(7, generator=generator(0)).cpu())
    assert not torch.equal(drawn.cpu(), randperm(7, generator=generator(1)).cpu())
    assert drawn.sort().values.tolist() == list(range(7))
    assert randperm(0, generator=None, device=device).shape == (0,)
    # 순열 6개가 고르게 나온다: 6000번에 한 순열이 평균 1000번, 표준 편차 29번
    g = generator(2)
    codes = torch.stack([randperm(3, generator=g, device=device) for _ in range(6000)]).cpu() @ torch.tensor([9, 3, 1])
    seen = codes.unique(return_counts=True)[1]
    assert len(seen) == 6
    assert (seen - 1000).abs().max() < 150


@pytest.mark.bad_input
def test_bad_inputs():
    with pytest.raises(ValueError, match="seed: 0 이상의 정수여야 하는데 -1이다"):
        generator(-1)
    with pytest.raises(TypeError, match="seed: 정수여야 하는데 float이다"):
        generator(1.0)
    with pytest.raises(ValueError, match="high: 3보다 큰 유한한 값이어야 하는데 3이다"):
        randint(3, 3, (1,), generator=None)
    with pytest.raises(ValueError, match="n: 0 이상의 정수여야 하는데 -1이다"):
        randperm(-1, generator=None)
    with pytest.raises(TypeError, match="n: 정수여야 하는데 float이다"):
        randperm(1.0, generator=None)
    elsewhere = Elsewhere()
    for draw in (randn, rand, randperm, lambda *shape, generator: randint(0, 2, shape, generator=generator)):
        with pytest.raises(ValueError, match="generator: CPU 발생기여야 하는데 장치가 cuda이다"):
            draw(2, generator=elsewhere)


def test_without_a_device_the_default_device_of_torch_is_followed(device):
    with torch.device(device):
        drawn = [randn(2, generator=generator(0)), rand(2, generator=generator(0))]
        drawn.append(randint(0, 2, (2,), generator=generator(0)))
        drawn.append(randperm(2, generator=generator(0)))
    assert {tensor.device.type for tensor in drawn} == {device.type}
    with torch.device("meta"):
        assert randn(2, generator=generator(0)).device.type == "meta"


@pytest.mark.bad_input
@pytest.mark.parametrize(
    "draw",
    [
        lambda g: randn(2, generator=g),
        lambda g: rand(2, generator=g),
        lambda g: randint(0, 2, (2,), generator=g),
        lambda g: randperm(2, generator=g),
    ],
)
def test_what_is_no_generator_is_refused(draw):
    with pytest.raises(TypeError, match="generator: Generator이어야 하는데 int이다"):
        draw(3)
