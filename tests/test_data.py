import pytest
import torch

from mgk_docs_src.data import Dataset, breast_cancer, digits, iris

EXPECTED = [
    (iris, (150, 4), [50, 50, 50], ("setosa", "versicolor", "virginica")),
    (breast_cancer, (569, 30), [212, 357], ("malignant", "benign")),
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


@pytest.mark.parametrize("load", [iris, breast_cancer])
def test_tables_are_standardised(device, load):
    features = load(device=device, dtype=torch.float64).features.cpu()
    torch.testing.assert_close(features.mean(0), torch.zeros(features.shape[1]).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(features.square().mean(0), torch.ones(features.shape[1]).double(), atol=1e-12, rtol=0)


def test_digits_lie_in_the_unit_interval_in_sixteenths(device):
    features = digits(device=device, dtype=torch.float64).features
    assert features.min() == 0
    assert features.max() == 1
    assert torch.equal((features * 16).round(), features * 16)


@pytest.mark.parametrize("load", [iris, breast_cancer, digits])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_is_followed_and_each_call_gives_a_copy_of_its_own(device, load, kind):
    first, second = load(device=device, dtype=kind), load(device=device, dtype=kind)
    assert first.features.dtype == kind
    first.features.zero_()
    first.labels.zero_()
    assert second.features.any()
    assert second.labels.any()
    assert load(device=device, dtype=kind).features.any()


@pytest.mark.parametrize("load", [iris, breast_cancer, digits])
def test_without_a_device_the_default_device_of_torch_is_followed(device, load):
    with torch.device(device):
        assert load().features.device.type == device.type
    with torch.device("meta"):
        data = load()
    assert data.features.device.type == data.labels.device.type == "meta"
