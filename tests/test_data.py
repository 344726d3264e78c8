import pytest
import torch

from mgk_docs_src.data import (
    Coverage,
    Dataset,
    breast_cancer,
    digits,
    eight_gaussians,
    eight_gaussians_centres,
    eight_gaussians_log_density,
    iris,
    mode_coverage,
    wine,
)
from mgk_docs_src.random import generator, randn

EXPECTED = [
    (iris, (150, 4), [50, 50, 50], ("setosa", "versicolor", "virginica")),
    (breast_cancer, (569, 30), [212, 357], ("malignant", "benign")),
    (wine, (178, 13), [59, 71, 48], ("class_0", "class_1", "class_2")),
    (digits, (1797, 64), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180], tuple("0123456789")),
]


@pytest.mark.parametrize(("load", "shape", "counts", "classes"), EXPECTED)
def test_shapes_labels_and_names(device, load, shape, counts, classes):
    data = load(device=device)
    assert isinstance(data, Dataset)
    assert data.features.shape == shape
    assert data.features.device.type == data.labels.device.type == device.type
    assert data.features.dtype == torch.get_default_dtype()
    assert data.labels.dtype == torch.int64
    assert data.labels.cpu().bincount().tolist() == counts
    assert data.classes == classes


@pytest.mark.parametrize("load", [iris, breast_cancer, wine])
def test_tables_are_standardised(device, load):
    features = load(device=device, dtype=torch.float64).features.cpu()
    torch.testing.assert_close(features.mean(0), torch.zeros(features.shape[1]).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(features.square().mean(0), torch.ones(features.shape[1]).double(), atol=1e-12, rtol=0)


def test_digits_lie_in_the_unit_interval_in_sixteenths(device):
    features = digits(device=device, dtype=torch.float64).features
    assert features.min() == 0
    assert features.max() == 1
    assert torch.equal((features * 16).round(), features * 16)


@pytest.mark.parametrize("load", [iris, breast_cancer, wine, digits])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_is_followed_and_each_call_gives_a_copy_of_its_own(device, load, kind):
    first, second = load(device=device, dtype=kind), load(device=device, dtype=kind)
    assert first.features.dtype == kind
    first.features.zero_()
    first.labels.zero_()
    assert second.features.any()
    assert second.labels.any()
    assert load(device=device, dtype=kind).features.any()


@pytest.mark.parametrize("load", [iris, breast_cancer, wine, digits])
def test_without_a_device_the_default_device_of_torch_is_followed(device, load):
    with torch.device(device):
        assert load().features.device.type == device.type
    with torch.device("meta"):
        data = load()
    assert data.features.device.type == data.labels.device.type == "meta"


# --- 참 분포를 아는 2차원 데이터 ---


def test_eight_gaussians_have_the_density_they_claim(device):
    side = torch.linspace(-3.5, 3.5, 701, device=device, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(side, side, indexing="ij"), -1)
    log_density = eight_gaussians_log_density(grid)
    cell = (side[1] - side[0]) ** 2
    assert (log_density.exp().sum() * cell).item() == pytest.approx(1, abs=1e-9)
    entropy = -(log_density.exp() * log_density).sum() * cell
    assert entropy.item() == pytest.approx(1.698, abs=5e-4)
    x = eight_gaussians(50_000, generator=generator(0), device=device, dtype=torch.float64)
    assert x.shape == (50_000, 2)
    assert -eight_gaussians_log_density(x).mean().item() == pytest.approx(entropy.item(), abs=0.01)
    torch.testing.assert_close(x.mean(0), torch.zeros(2, device=device).double(), atol=0.03, rtol=0)
    assert torch.equal(x, eight_gaussians(50_000, generator=generator(0), device=device, dtype=torch.float64))


def test_the_log_density_is_that_of_the_mixture_and_is_differentiable(device):
    angle = torch.arange(8, device=device).double() * torch.pi / 4
    centres = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.ones(8, device=device).double()),
        torch.distributions.Independent(torch.distributions.Normal(centres, 0.2), 1),
    )
    x = 3 * randn(4, 5, 2, generator=generator(1), device=device, dtype=torch.float64)
    torch.testing.assert_close(eight_gaussians_log_density(x), mixture.log_prob(x), atol=1e-12, rtol=1e-12)
    assert torch.autograd.gradcheck(eight_gaussians_log_density, x[0].requires_grad_())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_ring_has_its_centres_on_the_axes_and_the_diagonals(device, kind):
    half = 2**0.5
    wanted = [(2, 0), (half, half), (0, 2), (-half, half), (-2, 0), (-half, -half), (0, -2), (half, -half)]
    centres = eight_gaussians_centres(device=device, dtype=kind)
    assert centres.dtype == kind
    torch.testing.assert_close(centres, torch.tensor(wanted, device=device, dtype=kind), atol=1e-15, rtol=0)
    assert eight_gaussians_centres(device=device).dtype == torch.get_default_dtype()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_halves_are_rounded_once(device, kind):
    x = eight_gaussians(4000, generator=generator(3), device=device, dtype=kind)
    for function in (eight_gaussians_log_density, lambda x: mode_coverage(x).within):
        assert torch.equal(function(x), function(x.double()).to(kind))


def test_coverage_counts_what_a_reader_would_count(device):
    real = eight_gaussians(20_000, generator=generator(2), device=device)
    found = mode_coverage(real)
    assert isinstance(found, Coverage)
    assert found.modes == 8
    assert found.within.item() == pytest.approx(1 - torch.tensor(-4.5).exp().item(), abs=3e-3)
    collapsed = torch.tensor([[2.0, 0.0], [-2.0, 0.0]], device=device).repeat(500, 1)
    lost = torch.zeros(1000, 2, device=device)
    both = mode_coverage(torch.stack([collapsed, lost]))
    assert both.modes.tolist() == [2, 0]
    assert both.within.tolist() == [1, 0]
    rare = torch.cat([collapsed[:1].expand(988, 2), torch.tensor([[0.0, 2.0]], device=device).expand(12, 2)])
    assert mode_coverage(rare).modes == 1
    assert mode_coverage(torch.cat([rare[1:], rare[-1:]])).modes == 2  # 13 / 1000 ≥ 1/80


@pytest.mark.bad_input
def test_points_must_be_finite_pairs(device):
    wrong = {
        "마지막 축이 2": torch.zeros(4, 3, device=device),
        "실수형": torch.zeros(4, 2, dtype=torch.int64, device=device),
        "비었음": torch.zeros(0, 2, device=device),
        "nan": torch.full((4, 2), torch.nan, device=device),
    }
    for points in wrong.values():
        with pytest.raises(ValueError, match="x: "):
            eight_gaussians_log_density(points)
        with pytest.raises(ValueError, match="samples: "):
            mode_coverage(points)
    with pytest.raises(ValueError, match="samples: 축의 수"):
        mode_coverage(torch.zeros(2, device=device))
    with pytest.raises(TypeError, match="x: 텐서"):
        eight_gaussians_log_density([0.0, 0.0])
    with pytest.raises(ValueError, match="n: 1 이상"):
        eight_gaussians(0, generator=generator(0))
    for made in (iris, digits, eight_gaussians_centres, lambda **kind: eight_gaussians(3, generator=None, **kind)):
        with pytest.raises(ValueError, match=r"dtype: 실수형이어야 하는데 torch\.int64이다"):
            made(dtype=torch.int64)
