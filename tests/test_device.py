import pytest
import torch

from mgk_docs_src.device import resolve


def test_the_cpu_is_always_there():
    assert resolve("cpu") == torch.device("cpu")
    assert resolve("cpu:0").type == "cpu"


def test_the_device_under_test_resolves_and_computes(device):
    assert resolve(str(device)) == device
    assert torch.ones(2, device=resolve(str(device))).sum().item() == 2


def test_cuda_devices_are_counted(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve("cuda") == torch.device("cuda")
    assert resolve("cuda:1") == torch.device("cuda:1")


@pytest.mark.bad_input
@pytest.mark.parametrize(("count", "name"), [(0, "cuda"), (0, "cuda:0"), (2, "cuda:2")])
def test_an_absent_device_is_an_error_and_never_the_cpu(monkeypatch, count, name):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(ValueError, match=f"^name: .*{name}.*{count}개"):
        resolve(name)


@pytest.mark.bad_input
@pytest.mark.parametrize("name", ["meta", "mps", "cpu:1"])
def test_devices_the_book_is_not_tested_on_are_refused(name):
    with pytest.raises(ValueError, match=f"^name: .*{name}"):
        resolve(name)


@pytest.mark.bad_input
@pytest.mark.parametrize("name", ["gpu", "", "cuda:", "CUDA"])
def test_a_name_torch_does_not_know(name):
    with pytest.raises(ValueError, match=r"^name: .*'cpu', 'cuda', 'cuda:0'"):
        resolve(name)
