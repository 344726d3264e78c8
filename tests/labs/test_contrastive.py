"""기준값: scikit-learn의 분할과 점수, 손으로 놓은 임베딩, scikit-learn의 주성분 분석."""

import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from torch.nn import functional as F

from mgk_docs_src.contrastive.training import jitter
from mgk_docs_src.data import digits
from mgk_docs_src.labs.contrastive import Samples, Scores, Split, digit_split, evaluate, principal_plane
from mgk_docs_src.random import generator, randn


def test_the_split_keeps_labels_in_proportion_and_nothing_twice(device):
    split = digit_split(0, device=device, dtype=torch.float64)
    assert isinstance(split, Split)
    assert [len(part.labels) for part in split] == [748, 150, 899]
    everything = torch.cat([part.images for part in split]).flatten(1)
    assert everything.device.type == device.type
    assert everything.dtype == torch.float64
    data = digits(device=device, dtype=torch.float64)
    assert torch.equal(everything.sum(0), data.features.sum(0))  # 화소가 1/16의 배수라 합이 정확하다
    for part in split:
        assert isinstance(part, Samples)
        share = part.labels.bincount(minlength=10) / len(part.labels)
        assert (share - data.labels.bincount() / 1797).abs().max() < 0.007


def test_the_held_out_half_is_the_same_for_every_seed(device):
    first, second = digit_split(0, device=device), digit_split(1, device=device, valid=100)
    assert torch.equal(first.held_out.images, second.held_out.images)
    assert len(second.valid.labels) == 100
    assert not torch.equal(first.valid.images[:100], second.valid.images)
    assert torch.equal(first.train.images, digit_split(0, device=device).train.images)
    _, held_out = train_test_split(range(1797), test_size=0.5, stratify=digits().labels, random_state=0)
    assert torch.equal(first.held_out.labels.cpu(), digits().labels[held_out])


def test_scores_of_raw_pixels_equal_scikit_learn(device):
    split = digit_split(0, device=device, dtype=torch.float64)
    found = evaluate(lambda x: x.flatten(1), split)
    assert isinstance(found, Scores)
    train, valid, held_out = (F.normalize(part.images.flatten(1), dim=1).cpu() for part in split)
    known, labels = torch.cat([train, valid]), torch.cat([split.train.labels, split.valid.labels]).cpu()
    truth = split.held_out.labels.cpu()
    i, j = torch.triu_indices(899, 899, 1)
    similarity, same = (held_out @ held_out.T)[i, j], truth[i] == truth[j]
    assert float(found.auc) == pytest.approx(roc_auc_score(same, similarity), abs=1e-9)
    assert float(found.fixed) == 0.5  # 화소는 음수가 없어 모든 쌍을 같다고 한다
    said = similarity > float(found.threshold)
    rates = (said[same].double().mean() + (~said[~same]).double().mean()) / 2
    assert float(found.calibrated) == pytest.approx(float(rates), abs=1e-9)
    # 표가 같으면 가까운 쪽: 유사도를 표 하나보다 가볍게 더한다.
    peer = KNeighborsClassifier(5, metric="cosine", weights=lambda d: 1 + (2 - d) / 100).fit(known, labels)
    assert float(found.knn) == pytest.approx(peer.score(held_out, truth), abs=1e-9)
    probe = LogisticRegression(C=1 / (898 * 1e-4), max_iter=3000).fit(known, labels)
    assert float(found.probe) == pytest.approx(probe.score(held_out, truth), abs=1.5 / 899)
    gap = (held_out[i] - held_out[j]).square().sum(1)
    assert float(found.alignment) == pytest.approx(float(gap[same].mean()), abs=1e-9)
    assert float(found.uniformity) == pytest.approx(float((-2 * gap).exp().mean().log()), abs=1e-9)


def test_an_embedding_that_knows_the_label_scores_one(device):
    split = digit_split(0, device=device)
    known = {tuple(x.flatten().tolist()): int(y) for part in split for x, y in zip(*part, strict=True)}

    def perfect(images):
        labels = torch.tensor([known[tuple(x.flatten().tolist())] for x in images], device=device)
        return F.one_hot(labels, 10).float()

    found = evaluate(perfect, split, fixed=0.5)
    assert [float(value) for value in found[:6]] == [1, 1, 1, 1, 1, 0]
    assert all(value.dtype == torch.float64 for value in found)
    worse = evaluate(lambda x: perfect(x) + 0.1, split, fixed=0.5)
    assert worse.fixed == 1
    assert worse.uniformity > found.uniformity


def test_scores_follow_the_representation(device):
    split = digit_split(0, device=device)
    plain = evaluate(lambda x: x.flatten(1), split)
    shaken = evaluate(lambda x: jitter(x, degrees=90.0, generator=generator(0)).flatten(1), split)
    for name in ("calibrated", "auc", "knn", "probe"):
        assert getattr(shaken, name) < getattr(plain, name)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_the_plane_is_pca(device, kind):
    x = randn(30, 5, generator=generator(0), device=device, dtype=kind) * torch.arange(1, 6, device=device)
    before = x.clone()
    found = principal_plane(x)
    assert found.dtype == kind
    assert found.device.type == device.type
    assert torch.equal(x, before)
    truth = torch.from_numpy(PCA(2).fit_transform(x.cpu())).to(found)
    torch.testing.assert_close(found.abs(), truth.abs(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(principal_plane(x + 3), found, atol=1e-3, rtol=1e-4)
    assert found[:, 0].var() > found[:, 1].var()


@pytest.mark.bad_input
def test_bad_input(device):
    for message, knobs in [
        ("seed: 0 이상", {"seed": -1}),
        ("valid: 10 이상", {"valid": 9}),
        ("888 이하", {"valid": 889}),
    ]:
        with pytest.raises(ValueError, match=message):
            digit_split(**{"seed": 0, **knobs})
    split = digit_split(0, device=device)
    with pytest.raises(ValueError, match="fixed: 유한한 값이어야"):
        evaluate(lambda x: x.flatten(1), split, fixed=float("nan"))
    with pytest.raises(ValueError, match="embeddings: 유한한 값이어야"):
        evaluate(lambda x: x.flatten(1) / 0, split)
    with pytest.raises(ValueError, match="embeddings: 축의 수가 2"):
        evaluate(lambda x: x, split)
    x = randn(4, 3, generator=None, device=device)
    for message, wrong in [
        ("embeddings: 실수형", x.long()),
        ("embeddings: 축의 수가 2", x[0]),
        ("embeddings: 원소가 하나 이상", x[:0]),
        ("embeddings의 벡터: 2 이상", x[:1]),
        ("embeddings의 차원: 2 이상", x[:, :1]),
        ("embeddings: 유한한 값이어야", x / 0),
    ]:
        with pytest.raises(ValueError, match=message):
            principal_plane(wrong)
    with pytest.raises(TypeError, match="embeddings: 텐서여야"):
        principal_plane([[1.0, 2.0]])
