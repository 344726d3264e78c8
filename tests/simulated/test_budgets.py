"""기다림과 복사의 상한: 반복문은 스텝마다 0번, 손실은 한 번 부를 때 두 번까지. 발생기가 그 장치의 것일 때다.

스텝마다의 수는 스텝의 수가 다른 두 번의 차다. 반복문에 넘기는 함수(목적 함수, 배치)는 값을 보지 않는 것이다.
"""

import sys
from functools import partial

import pytest
import torch

from mgk_docs_src.contrastive import losses as contrastive
from mgk_docs_src.contrastive import training as encoders
from mgk_docs_src.diffusion import process, sampling
from mgk_docs_src.diffusion import training as denoisers
from mgk_docs_src.energy import models, samplers
from mgk_docs_src.losses import binary, categorical, choosing
from mgk_docs_src.random import generator
from mgk_docs_src.transport import gan, wasserstein

pytestmark = pytest.mark.skipif("tests.simulated.device" not in sys.modules, reason="모의 장치가 없다")

HERE = torch.device("cuda")
FEW, MANY = 3, 8


def rng(seed=0):
    return generator(seed, device=HERE)


def normal(*shape):
    return torch.randn(shape, device=HERE, generator=rng(9))


def chain(step, count):
    state = samplers.init(models.double_well, normal(16, 1))
    for _ in range(count):
        state, _ = step(state)


def denoise(steps, labels=None):
    schedule = process.linear_schedule(20, device=HERE)
    count = 0 if labels is None else 3
    network = denoisers.mlp(
        denoisers.feature_count(2, num_labels=count), 2, width=8, depth=1, generator=rng(), device=HERE
    )
    found = denoisers.train(
        network, normal(16, 2), schedule, steps=steps, batch_size=8, labels=labels, num_labels=count, generator=rng()
    )
    return denoisers.noise_predictor(found.denoiser), schedule


def sample(steps, **knobs):
    predict, schedule = denoise(1)
    sampling.sample(predict, (8, 2), schedule, steps=steps, generator=rng(), **knobs)


def play(steps, method):
    knobs = {"batch_size": 8, "hidden": (4,), "latent_dim": 2, "critic_steps": 2}
    gan.train_gan(normal(2, 32, 2), method=method, steps=steps, generators=[rng(0), rng(1)], **knobs)


def encode(steps):
    images, labels = normal(1, 16, 1, 8, 8), torch.zeros(1, 16, dtype=torch.int64, device=HERE)
    network = encoders.convolutional_encoder(1, 8, widths=(4,), embedding_dim=4, generator=rng(), device=HERE)
    encoders.train_encoder(
        network,
        lambda g: (images, labels),
        lambda outputs, labels, extra: outputs.square().mean(),
        steps=steps,
        learning_rate=0.01,
        generator=rng(),
    )


WELL = models.double_well
STEPS = (
    {
        "langevin_step": partial(chain, partial(samplers.langevin_step, WELL, step_size=0.1, generator=rng())),
        "mala_step": partial(chain, partial(samplers.mala_step, WELL, step_size=0.1, generator=rng())),
        "hmc_step": partial(
            chain, partial(samplers.hmc_step, WELL, step_size=0.1, steps=3, jitter=0.2, generator=rng())
        ),
        "diffusion.train": denoise,
        "diffusion.train, 라벨": lambda steps: denoise(steps, torch.zeros(16, dtype=torch.int64, device=HERE)),
        "sample, ancestral": sample,
        "sample, ddim": partial(sample, method="ddim", eta=0.5),
        "train_gan, 포화": partial(play, method=gan.SATURATING),
        "train_gan, 포화하지 않음": partial(play, method=gan.NON_SATURATING),
        "train_gan, 자르기": partial(play, method=gan.wgan_clip()),
        "train_gan, 그래디언트 페널티": partial(play, method=gan.wgan_gp()),
        "vanishing_gradients": lambda steps: gan.vanishing_gradients(normal(2), steps=steps, generator=rng()),
        "train_encoder": encode,
    }
    if "tests.simulated.device" in sys.modules
    else {}
)

Z, Y, X = (lambda: normal(8, 4)), (lambda: torch.arange(8, device=HERE) % 4), (lambda: normal(8, 3))
P = lambda: Z().softmax(1)  # noqa: E731
UNITS = lambda: torch.rand(8, device=HERE)  # noqa: E731
LOSSES = {
    "bce": lambda: binary.bce(UNITS(), UNITS()),
    "bce_with_logits": lambda: binary.bce_with_logits(normal(8), UNITS()),
    "entropy": lambda: binary.entropy(P()),
    "kl_divergence": lambda: binary.kl_divergence(P(), P().flip(0)),
    "cross_entropy": lambda: categorical.cross_entropy(Z(), Y()),
    "cross_entropy, 분포": lambda: categorical.cross_entropy(Z(), P()),
    "sparse_categorical_cross_entropy": lambda: categorical.sparse_categorical_cross_entropy(P(), Y()),
    "focal_loss": lambda: choosing.focal_loss(Z(), Y()),
    "generalised_cross_entropy": lambda: choosing.generalised_cross_entropy(Z(), Y(), q=0.7),
    "brier_loss": lambda: choosing.brier_loss(Z(), Y()),
    "wasserstein_1d": lambda: wasserstein.wasserstein_1d(normal(8), normal(9)),
    "sliced_wasserstein": lambda: wasserstein.sliced_wasserstein(X(), X(), projections=5, generator=rng()),
    "nt_xent": lambda: contrastive.nt_xent(X(), X() + 1, temperature=0.1),
    "info_nce": lambda: contrastive.info_nce(X(), X() + 1, temperature=0.1),
    "supcon": lambda: contrastive.supcon(X(), Y(), temperature=0.1),
    "sigmoid_loss": lambda: contrastive.sigmoid_loss(X(), Y(), scale=10.0, bias=-5.0),
    "triplet": lambda: contrastive.triplet(X(), X() + 1, X() - 1, margin=0.2),
    "alignment": lambda: contrastive.alignment(X(), X() + 1),
    "uniformity": lambda: contrastive.uniformity(X()),
}

# 빠른 길을 고르려고 한 번 더 보는 것: 가려진 클래스가 있는지, 양성 표본이 하나뿐인 줄이 있는지
MORE = {"cross_entropy, 분포": 3, "supcon": 3}


def counted(call):
    from tests.simulated.device import counting

    with counting() as events:
        call()
    return events


@pytest.mark.parametrize("name", STEPS)
def test_a_step_neither_waits_nor_copies(name):
    few, many = (counted(lambda steps=steps: STEPS[name](steps)) for steps in (FEW, MANY))
    more = many - few
    assert (more.waits, more.copies) == (0, 0), more


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_waits_twice_at_most(name):
    events = counted(LOSSES[name])
    assert events.waits <= MORE.get(name, 2), events
    assert events.copies == 0, events
