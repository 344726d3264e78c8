"""공개 함수마다 부르는 보기 하나. 약속들(`test_promises.py`)은 이 표에서 나온다.

함수를 더하면 여기에 한 줄을 더한다. 값은 float32로 뽑아 자료형을 바꾸므로, 어느 자료형에서나 같은 입력이다.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Normal, Uniform

from mgk_docs_src import data, metrics, networks, random
from mgk_docs_src.checks import POSITIVE
from mgk_docs_src.contrastive import losses as contrastive
from mgk_docs_src.contrastive import training as encoders
from mgk_docs_src.diffusion import process, sampling
from mgk_docs_src.diffusion import training as denoisers
from mgk_docs_src.energy import models, samplers
from mgk_docs_src.energy import training as energies
from mgk_docs_src.losses import binary, categorical, choosing, reduction
from mgk_docs_src.random import generator
from mgk_docs_src.transport import gan, sinkhorn, wasserstein

CLASSES, DIM = 4, 3
DOUBLE = torch.float64


class Make:
    """보기의 재료. 부를 때마다 새 발생기에서 뽑으므로, 두 번 만들면 같은 것이 두 벌 나온다."""

    def __init__(self, device: torch.device, dtype: torch.dtype = DOUBLE, n: int = 6, seed: int = 0) -> None:
        self.device, self.dtype, self.n, self.seed = device, dtype, n, seed
        self.rng = generator(seed)

    def again(self) -> "Make":
        """처음부터 다시."""
        return Make(self.device, self.dtype, self.n, self.seed)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.rng, device="cpu", dtype=torch.float32).to(self.device, self.dtype)

    def unit(self, *shape: int) -> Tensor:
        drawn = torch.rand(shape, generator=self.rng, device="cpu", dtype=torch.float32)
        return (0.05 + 0.9 * drawn).to(self.device, self.dtype)

    def simplex(self, *shape: int) -> Tensor:
        drawn = self.unit(*shape).double()
        return (drawn / drawn.sum(-1, keepdim=True)).to(self.dtype)

    def zero_one(self, *shape: int) -> Tensor:
        return torch.randint(2, shape, generator=self.rng, device="cpu").to(self.device, self.dtype)

    def labels(self, *shape: int, classes: int = CLASSES) -> Tensor:
        """클래스들이 차례로 돌아오는 번호. 짝이 없는 클래스가 생기지 않는다."""
        count = torch.arange(shape[-1], device="cpu") % min(classes, max(1, shape[-1] // 2))
        return count.expand(shape).contiguous().to(self.device)

    def matrix(self, size: int = DIM) -> Tensor:
        """양의 정부호 행렬."""
        root = self.normal(size, size)
        return root @ root.mT + 2 * torch.eye(size, device=self.device, dtype=self.dtype)

    def schedule(self, steps: int = 12) -> process.Schedule:
        return process.cosine_schedule(steps, device=self.device)

    def generators(self, count: int = 2) -> list[torch.Generator]:
        return [generator(seed) for seed in range(count)]

    def energy(self) -> Callable[[Tensor], Tensor]:
        """행렬 곱이 있는 에너지. 정밀도를 낮추는 모드가 닿으면 값이 달라진다."""
        precision = self.matrix()
        return lambda x: 0.5 * ((x @ precision) * x).sum(-1)

    def predict(self) -> Callable[[Tensor, Tensor], Tensor]:
        """행렬 곱이 있는 잡음의 예측."""
        mix = self.normal(DIM, DIM) / DIM
        return lambda x, t: x @ mix.to(x.dtype)  # autocast 안에서는 넓힌 자료를 받는다

    def critic(self) -> Callable[[Tensor], Tensor]:
        first, second = self.normal(DIM, 5), self.normal(5)
        return lambda x: torch.tanh(x @ first) @ second

    def cost(self, n: int, m: int) -> Tensor:
        return (self.normal(n, 1) - self.normal(1, m)).abs()

    def state(self, chains: int = 4) -> tuple[Callable[[Tensor], Tensor], samplers.State]:
        energy = self.energy()
        return energy, samplers.init(energy, self.normal(chains, DIM))

    def networks(self, *widths: int) -> networks.Networks:
        """시드 둘의 신경망."""
        weights, biases = networks.initial(widths, self.generators(), device=self.device, dtype=torch.float32)
        weights, biases = (
            tuple(x.detach().to(self.dtype).requires_grad_() for x in part) for part in (weights, biases)
        )
        return networks.Networks(weights, biases)

    def model(self) -> energies.Model:
        nets = self.networks(DIM * 3, 5, 1)
        return energies.Model(nets, nets.biases[0].detach().new_zeros(2).requires_grad_(), 1, 1.0)

    def encoder(self) -> nn.Module:
        return encoders.convolutional_encoder(
            1, 8, widths=(2, 3), embedding_dim=4, generator=self.rng, device=self.device, dtype=torch.float32
        ).to(self.dtype)

    def alive(self, count: int) -> Tensor:
        return torch.ones(count, dtype=torch.bool, device=self.device)

    def denoiser(self) -> denoisers.Denoiser:
        width = denoisers.feature_count(2, frequencies=2)
        network = denoisers.mlp(width, 2, width=6, depth=2, generator=self.rng, device=self.device, dtype=torch.float32)
        return denoisers.Denoiser(network.to(self.dtype), self.schedule(), frequencies=2)


class Call(NamedTuple):
    """부르는 법 하나."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    knobs: dict[str, Any]


def call(function: Callable[..., Any], *args: Any, **knobs: Any) -> Call:
    return Call(function, args, knobs)


class Row(NamedTuple):
    """함수 하나의 보기와, 그것에 거는 약속.

    Attributes:
        make: 재료에서 부르는 법을 만든다. 크기는 `Make.n`이다.
        wrt: 미분하는 인자들. 비었으면 미분하는 함수가 아니다.
        sizes: float64와 견줄 크기들.
        degree: `scaled` 인자를 모두 s배 하면 값이 s^degree배가 된다.
        scaled: 크기를 바꿀 인자들.
        then: 돌려받은 함수를 부르는 법.
        once: 두 번째 미분을 거절하며 하는 말. `None`이면 두 번째도 옳다.
        untransformed: torch.func의 변환을 거절하며 하는 말. `None`이면 변환이 옳다.
        unforwarded: 앞방향 미분(jvp)만 거절하며 하는 말.
        by_default: 실수를 받지 않아, torch의 기본 자료형으로 낸다.
        through: 인자로 받은 함수를 거쳐 미분하는 법. 그 함수의 매개변수를 받는 함수와, 매개변수.
    """

    make: Callable[[Make], Call]
    wrt: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    degree: float | None = None
    scaled: tuple[str, ...] = ()
    then: Callable[[Any, Make], Any] | None = None
    once: str | None = None
    untransformed: str | None = None
    unforwarded: str | None = None
    by_default: bool = False
    through: Callable[[Make], tuple[Callable[..., Any], list[Tensor]]] | None = None


def elementwise(make: Callable[[Make], Call], *wrt: str, **promises: Any) -> Row:
    """원소마다, 또는 표본마다 따로 셈하는 손실. 큰 묶음에서도 맞는다."""
    return Row(make, wrt, (1, 1000, 200_000), **promises)


def pairwise(make: Callable[[Make], Call], *wrt: str, least: int = 1, **promises: Any) -> Row:
    """쌍을 모두 보는 것. 크기의 제곱만큼 자란다."""
    return Row(make, wrt, (least, 100, 1000), **promises)


def prediction(function: Callable[..., Any], *names: str) -> Row:
    """확산의 예측 하나를 다른 것으로 바꾸는 함수. 두 인자 다음에 시각과 스케줄을 받는다."""
    return elementwise(lambda m: call(function, m.normal(m.n, DIM), m.normal(m.n, DIM), 5, m.schedule()), *names)


def two(function: Callable[..., Any], m: Make, *shape: int, **knobs: Any) -> Call:
    return call(function, m.normal(*shape), m.normal(*shape), **knobs)


def labelled(function: Callable[..., Any], m: Make, **knobs: Any) -> Call:
    return call(function, m.normal(m.n, DIM), m.labels(m.n), **knobs)


def scored(function: Callable[..., Any], m: Make, **knobs: Any) -> Call:
    return call(function, m.normal(m.n, CLASSES), m.labels(m.n), **knobs)


def probed(function: Callable[..., Any], m: Make, **knobs: Any) -> Call:
    return call(function, m.normal(m.n, DIM), m.labels(m.n), m.normal(m.n, DIM), m.labels(m.n), **knobs)


def moved(function: Callable[..., Any], m: Make, **knobs: Any) -> Call:
    energy, state = m.state()
    return call(function, energy, state, **knobs, generator=m.rng)


def through_energy(value: Callable[..., Any]) -> Callable[[Make], tuple[Callable[..., Any], list[Tensor]]]:
    """에너지를 거쳐 미분한다. `value`는 에너지와 점 두 벌에서 값을 낸다."""

    def built(m: Make) -> tuple[Callable[..., Any], list[Tensor]]:
        precision, x, y = m.matrix(), m.normal(m.n, DIM), m.normal(m.n, DIM)
        return lambda p: value(lambda z: 0.5 * ((z @ p) * z).sum(-1), x, y), [precision]

    return built


def through_prediction(value: Callable[..., Any]) -> Callable[[Make], tuple[Callable[..., Any], list[Tensor]]]:
    """잡음의 예측을 거쳐 미분한다."""

    def built(m: Make) -> tuple[Callable[..., Any], list[Tensor]]:
        mix, x, y = m.normal(DIM, DIM) / DIM, m.normal(m.n, DIM), m.normal(m.n, DIM)
        return lambda w: value(lambda z, t: z @ w, x, 5, m.schedule(), noise=y), [mix]

    return built


def objective(model: energies.Model, chains: Tensor | None) -> tuple[Tensor, Tensor | None]:
    seeds = len(model.log_partition)
    first = model.networks.weights[0]
    points = torch.linspace(-1, 1, seeds * 5 * DIM, device=first.device, dtype=first.dtype).view(seeds, 5, DIM)
    return energies.score_matching(energies.energy_of(model), points), chains


def tables() -> dict[str, Row]:
    """자료. 손으로 모은 것을 그대로 준다."""
    names = ("iris", "breast_cancer", "wine", "digits")
    return {f"data.{name}": Row(partial(_table, getattr(data, name))) for name in names}


def _table(function: Callable[..., Any], m: Make) -> Call:
    return call(function, device=m.device, dtype=m.dtype)


ROWS: dict[str, Row] = {
    # --- losses ---
    "losses.binary.entropy": Row(lambda m: call(binary.entropy, m.simplex(m.n, 5)), sizes=(1, 1000, 200_000)),
    "losses.binary.distribution_cross_entropy": Row(
        lambda m: call(binary.distribution_cross_entropy, m.simplex(m.n, 5), m.simplex(m.n, 5)),
        sizes=(1, 1000, 200_000),
    ),
    "losses.binary.kl_divergence": Row(
        lambda m: call(binary.kl_divergence, m.simplex(m.n, 5), m.simplex(m.n, 5)), sizes=(1, 1000, 200_000)
    ),
    "losses.binary.bernoulli_log_likelihood": elementwise(
        lambda m: call(binary.bernoulli_log_likelihood, m.unit(m.n), m.zero_one(m.n)), "probabilities"
    ),
    "losses.binary.bce": elementwise(
        lambda m: call(binary.bce, m.unit(m.n), m.unit(m.n), weight=m.unit(m.n)), "probabilities", "target", "weight"
    ),
    "losses.binary.bce_with_logits": elementwise(
        lambda m: call(binary.bce_with_logits, m.normal(m.n), m.unit(m.n), weight=m.unit(m.n), pos_weight=m.unit(m.n)),
        "logits",
        "target",
        "weight",
        "pos_weight",
    ),
    "losses.binary.bce_with_logits_grad": elementwise(
        lambda m: call(binary.bce_with_logits_grad, m.normal(m.n), m.unit(m.n)), "logits", "target"
    ),
    "losses.binary.fit_logistic_regression": Row(
        lambda m: call(binary.fit_logistic_regression, m.normal(m.n, DIM), m.zero_one(m.n), steps=4, learning_rate=0.1)
    ),
    "losses.categorical.sparse_categorical_cross_entropy": elementwise(
        lambda m: call(categorical.sparse_categorical_cross_entropy, m.simplex(m.n, CLASSES), m.labels(m.n))
    ),
    "losses.categorical.smooth_labels": Row(
        lambda m: call(categorical.smooth_labels, m.simplex(m.n, CLASSES), 0.1), sizes=(1, 1000, 200_000)
    ),
    "losses.categorical.cross_entropy": elementwise(
        lambda m: call(
            categorical.cross_entropy,
            m.normal(m.n, CLASSES),
            m.labels(m.n),
            weight=m.unit(CLASSES),
            label_smoothing=0.1,
        ),
        "logits",
    ),
    "losses.categorical.cross_entropy_grad": elementwise(lambda m: scored(categorical.cross_entropy_grad, m), "logits"),
    "losses.categorical.surprisal": elementwise(lambda m: scored(categorical.surprisal, m), "logits"),
    "losses.categorical.double_softmax_floor": Row(lambda m: call(categorical.double_softmax_floor, CLASSES)),
    "losses.categorical.label_smoothing_floor": Row(lambda m: call(categorical.label_smoothing_floor, CLASSES, 0.1)),
    "losses.categorical.fit_softmax_regression": Row(
        lambda m: labelled(categorical.fit_softmax_regression, m, num_classes=CLASSES, steps=4, learning_rate=0.1)
    ),
    "losses.choosing.recommend": Row(
        lambda m: call(choosing.recommend, labels="classes", goal="balanced", imbalance=20.0)
    ),
    "losses.choosing.focal_loss": elementwise(lambda m: scored(choosing.focal_loss, m), "logits"),
    "losses.choosing.generalised_cross_entropy": elementwise(
        lambda m: scored(choosing.generalised_cross_entropy, m), "logits"
    ),
    "losses.choosing.brier_loss": elementwise(lambda m: scored(choosing.brier_loss, m), "logits"),
    "losses.choosing.class_weights": Row(
        lambda m: call(choosing.class_weights, m.labels(12), num_classes=CLASSES, dtype=m.dtype)
    ),
    "losses.choosing.logit_adjustment": Row(
        lambda m: call(choosing.logit_adjustment, m.labels(12), num_classes=CLASSES, dtype=m.dtype)
    ),
    "losses.reduction.reduce": elementwise(lambda m: call(reduction.reduce, m.normal(m.n), "mean"), "loss"),
    "losses.reduction.widen": elementwise(lambda m: call(reduction.widen, m.normal(m.n), m.normal(m.n))),
    # --- transport ---
    "transport.wasserstein.sample_coupling": Row(
        lambda m: call(
            wasserstein.sample_coupling,
            Normal(m.normal().new_zeros(()), m.normal().new_ones(())),
            Uniform(m.normal().new_zeros(()), m.normal().new_ones(())),
            m.n,
            correlation=0.5,
            generator=m.rng,
        )
    ),
    "transport.wasserstein.normal_uniform_distance": Row(
        lambda m: call(wasserstein.normal_uniform_distance, 1.5, coupling="independent")
    ),
    "transport.wasserstein.cost_matrix": pairwise(
        lambda m: two(wasserstein.cost_matrix, m, m.n, DIM, p=2.0),
        "x",
        "y",
        degree=2,
        scaled=("x", "y"),
        once="_cdist_backward",
        unforwarded="forward AD",
    ),
    "transport.wasserstein.optimal_plan": Row(
        lambda m: call(wasserstein.optimal_plan, m.cost(m.n, m.n), m.simplex(m.n), m.simplex(m.n))
    ),
    "transport.wasserstein.c_transform": pairwise(
        lambda m: call(wasserstein.c_transform, m.normal(m.n), m.cost(m.n, m.n + 1)),
        "potential",
        "cost",
        degree=1,
        scaled=("potential", "cost"),
    ),
    "transport.wasserstein.wasserstein": Row(
        lambda m: two(wasserstein.wasserstein, m, m.n, DIM, p=2.0),
        ("x", "y"),
        (1, 100),
        degree=1,
        scaled=("x", "y"),
    ),
    "transport.wasserstein.wasserstein_1d": Row(
        lambda m: two(wasserstein.wasserstein_1d, m, m.n, p=2.0),
        ("x", "y"),
        (1, 1000, 200_000),
        degree=1,
        scaled=("x", "y"),
    ),
    "transport.wasserstein.potential_1d": Row(lambda m: two(wasserstein.potential_1d, m, m.n), sizes=(2, 1000)),
    "transport.wasserstein.sliced_wasserstein": Row(
        lambda m: two(wasserstein.sliced_wasserstein, m, m.n, DIM, p=2.0, projections=5, generator=m.rng),
        ("x", "y"),
        (1, 1000),
        degree=1,
        scaled=("x", "y"),
    ),
    "transport.sinkhorn.sinkhorn": Row(
        lambda m: call(sinkhorn.sinkhorn, m.cost(m.n, m.n), m.simplex(m.n), m.simplex(m.n), epsilon=0.5)
    ),
    "transport.sinkhorn.coupling": Row(
        lambda m: call(
            sinkhorn.coupling,
            m.normal(m.n),
            m.normal(m.n),
            m.cost(m.n, m.n),
            m.simplex(m.n),
            m.simplex(m.n),
            epsilon=0.5,
        ),
        ("f", "g", "cost"),
        (1, 1000),
    ),
    "transport.sinkhorn.round_coupling": Row(
        lambda m: call(sinkhorn.round_coupling, m.simplex(m.n * m.n).view(m.n, m.n), m.simplex(m.n), m.simplex(m.n))
    ),
    "transport.sinkhorn.certified_interval": Row(
        lambda m: call(
            sinkhorn.certified_interval,
            m.cost(m.n, m.n),
            m.normal(m.n),
            m.normal(m.n),
            m.simplex(m.n),
            m.simplex(m.n),
            epsilon=0.5,
        )
    ),
    "transport.sinkhorn.entropic_cost": Row(
        lambda m: call(
            sinkhorn.entropic_cost, m.cost(m.n, m.n), epsilon=0.5, tolerance=1e-9 if m.dtype == DOUBLE else None
        ),
        ("cost",),
        once="once_differentiable",
        unforwarded="전진 미분",
    ),
    "transport.sinkhorn.sinkhorn_divergence": Row(
        lambda m: two(
            sinkhorn.sinkhorn_divergence, m, m.n, DIM, epsilon=0.5, tolerance=1e-9 if m.dtype == DOUBLE else None
        ),
        ("x", "y"),
        once="once_differentiable",
        unforwarded="전진 미분",
    ),
    "transport.gan.discriminator_loss": elementwise(
        lambda m: two(gan.discriminator_loss, m, m.n), "real_logits", "fake_logits"
    ),
    "transport.gan.generator_loss": elementwise(
        lambda m: call(gan.generator_loss, m.normal(m.n), saturating=False), "fake_logits"
    ),
    "transport.gan.critic_loss": elementwise(lambda m: two(gan.critic_loss, m, m.n), "real_scores", "fake_scores"),
    "transport.gan.critic_generator_loss": elementwise(
        lambda m: call(gan.critic_generator_loss, m.normal(m.n)), "fake_scores"
    ),
    "transport.gan.interpolate": Row(lambda m: two(gan.interpolate, m, m.n, DIM, generator=m.rng), ("real", "fake")),
    "transport.gan.gradient_penalty": Row(
        lambda m: call(gan.gradient_penalty, m.critic(), m.normal(m.n, DIM), weight=10.0),
        sizes=(1, 1000),
        through=through_energy(lambda critic, x, y: gan.gradient_penalty(critic, x, weight=10.0)),
    ),
    "transport.gan.clip_weights": Row(lambda m: call(gan.clip_weights, [m.normal(3, 2), m.normal(2)], 0.1)),
    "transport.gan.js_divergence": Row(
        lambda m: call(gan.js_divergence, m.simplex(m.n, 5), m.simplex(m.n, 5)), sizes=(1, 1000, 200_000)
    ),
    "transport.gan.vanishing_gradients": Row(
        lambda m: call(gan.vanishing_gradients, m.unit(2), steps=2, width=4, batch_size=8, generator=m.rng)
    ),
    "transport.gan.wgan_clip": Row(
        lambda m: call(gan.wgan_clip, 0.1), then=lambda method, m: method.constrain([m.normal(m.n)])
    ),
    "transport.gan.wgan_gp": Row(
        lambda m: call(gan.wgan_gp, 0.1),
        then=lambda method, m: method.adversary(m.normal(m.n), m.normal(m.n)),
    ),
    "transport.gan.train_gan": Row(
        lambda m: call(
            gan.train_gan,
            m.normal(2, 12, 2),
            method=gan.wgan_gp(),
            steps=2,
            critic_steps=2,
            batch_size=6,
            latent_dim=2,
            hidden=(4, 4),
            generators=m.generators(),
        )
    ),
    "transport.gan.generate": Row(
        lambda m: call(
            gan.generate,
            (m.normal(2, 3, 4), m.normal(2, 1, 4), m.normal(2, 4, 2), m.normal(2, 1, 2), m.normal(2, 3, 2)),
            m.n,
            generators=m.generators(),
        )
    ),
    "transport.gan.criticise": Row(
        lambda m: call(
            gan.criticise,
            (m.normal(2, 3, 4), m.normal(2, 1, 4), m.normal(2, 4, 1), m.normal(2, 1, 1)),
            m.normal(2, m.n, 3),
        ),
        ("points",),
        (1, 1000),
    ),
    # --- diffusion ---
    "diffusion.process.noise_schedule": Row(lambda m: call(process.noise_schedule, m.unit(m.n) * 0.1)),
    "diffusion.process.linear_schedule": Row(lambda m: call(process.linear_schedule, m.n, device=m.device)),
    "diffusion.process.cosine_schedule": Row(lambda m: call(process.cosine_schedule, m.n, device=m.device)),
    "diffusion.process.signal_to_noise": Row(lambda m: call(process.signal_to_noise, m.schedule())),
    "diffusion.process.diffuse_step": elementwise(
        lambda m: call(process.diffuse_step, m.normal(m.n, DIM), 5, m.schedule(), noise=m.normal(m.n, DIM)),
        "x",
        "noise",
    ),
    "diffusion.process.diffuse": elementwise(
        lambda m: call(
            process.diffuse, m.normal(m.n, DIM), m.labels(m.n, classes=12), m.schedule(), noise=m.normal(m.n, DIM)
        ),
        "x0",
        "noise",
    ),
    "diffusion.process.posterior": prediction(process.posterior, "x0", "xt"),
    "diffusion.process.convert": prediction(partial(process.convert, source="velocity", to="x0"), "prediction", "xt"),
    "diffusion.process.noise_to_x0": prediction(process.noise_to_x0, "noise", "xt"),
    "diffusion.process.x0_to_noise": prediction(process.x0_to_noise, "x0", "xt"),
    "diffusion.process.velocity": prediction(process.velocity, "x0", "noise"),
    "diffusion.process.velocity_to_x0": prediction(process.velocity_to_x0, "v", "xt"),
    "diffusion.process.velocity_to_noise": prediction(process.velocity_to_noise, "v", "xt"),
    "diffusion.process.noise_to_score": elementwise(
        lambda m: call(process.noise_to_score, m.normal(m.n, DIM), 5, m.schedule()), "noise"
    ),
    "diffusion.process.mixture_log_density": elementwise(
        lambda m: call(
            process.mixture_log_density,
            m.normal(m.n, DIM),
            5,
            m.schedule(),
            means=m.normal(2, DIM),
            std=m.unit(2),
            weights=m.simplex(2),
        ),
        "x",
        "means",
    ),
    "diffusion.process.mixture_noise": elementwise(
        lambda m: call(
            process.mixture_noise,
            m.normal(m.n, DIM),
            5,
            m.schedule(),
            means=m.normal(2, DIM),
            std=m.unit(2),
            weights=m.simplex(2),
        ),
        "xt",
        "means",
    ),
    "diffusion.sampling.guide": elementwise(
        lambda m: two(sampling.guide, m, m.n, DIM, scale=2.0), "conditional", "unconditional"
    ),
    "diffusion.sampling.tilt": elementwise(
        lambda m: call(sampling.tilt, m.normal(m.n, DIM), m.normal(m.n, DIM), 5, m.schedule()), "noise", "gradient"
    ),
    "diffusion.sampling.observation_gradient": elementwise(
        lambda m: call(
            sampling.observation_gradient,
            m.normal(m.n, DIM),
            5,
            m.schedule(),
            mean=1.0,
            std=0.5,
            observation=-0.5,
            noise_std=0.3,
        ),
        "xt",
    ),
    "diffusion.sampling.posterior_variance": Row(lambda m: call(sampling.posterior_variance, 5, 3, m.schedule())),
    "diffusion.sampling.forward_variance": Row(lambda m: call(sampling.forward_variance, 5, 3, m.schedule())),
    "diffusion.sampling.optimal_variance": Row(lambda m: call(sampling.optimal_variance, 5, 3, m.schedule(), std=0.5)),
    "diffusion.sampling.ancestral_step": elementwise(
        lambda m: call(
            sampling.ancestral_step,
            m.normal(m.n, DIM),
            m.normal(m.n, DIM),
            5,
            3,
            m.schedule(),
            noise=m.normal(m.n, DIM),
        ),
        "xt",
        "noise_prediction",
        "noise",
    ),
    "diffusion.sampling.ddim_step": elementwise(
        lambda m: call(
            sampling.ddim_step,
            m.normal(m.n, DIM),
            m.normal(m.n, DIM),
            5,
            3,
            m.schedule(),
            eta=0.5,
            noise=m.normal(m.n, DIM),
        ),
        "xt",
        "noise_prediction",
        "noise",
    ),
    "diffusion.sampling.timesteps": Row(lambda m: call(sampling.timesteps, m.schedule(), steps=4)),
    "diffusion.sampling.sample": Row(
        lambda m: call(sampling.sample, m.predict(), (m.n, DIM), m.schedule(), generator=m.rng, steps=4, dtype=m.dtype)
    ),
    "diffusion.sampling.gaussian_moments": Row(
        lambda m: call(sampling.gaussian_moments, lambda x, t: 0.5 * x, m.schedule(), steps=4)
    ),
    "diffusion.sampling.bound_term": Row(
        lambda m: call(sampling.bound_term, m.predict(), m.normal(m.n, DIM), 5, m.schedule(), noise=m.normal(m.n, DIM)),
        ("x0",),
        (1, 1000),
    ),
    "diffusion.sampling.nll_bound_terms": Row(
        lambda m: call(sampling.nll_bound_terms, m.predict(), m.normal(m.n, DIM), m.schedule(), generator=m.rng)
    ),
    "diffusion.sampling.probability_flow_log_likelihood": Row(
        lambda m: call(sampling.probability_flow_log_likelihood, m.predict(), m.normal(m.n, DIM), m.schedule())
    ),
    "diffusion.training.regression_target": elementwise(
        lambda m: call(
            denoisers.regression_target, m.normal(m.n, DIM), m.normal(m.n, DIM), 5, m.schedule(), target="velocity"
        ),
        "x0",
        "noise",
    ),
    "diffusion.training.target_to_noise": elementwise(
        lambda m: call(
            denoisers.target_to_noise, m.normal(m.n, DIM), m.normal(m.n, DIM), 5, m.schedule(), target="velocity"
        ),
        "prediction",
        "xt",
    ),
    "diffusion.training.target_weight": Row(
        lambda m: call(denoisers.target_weight, 5, m.schedule(), target="velocity")
    ),
    "diffusion.training.bound_weight": Row(lambda m: call(denoisers.bound_weight, 5, m.schedule())),
    "diffusion.training.denoising_loss": Row(
        lambda m: call(
            denoisers.denoising_loss,
            m.predict(),
            m.normal(m.n, DIM),
            5,
            m.schedule(),
            noise=m.normal(m.n, DIM),
            target="noise",
        ),
        ("x0", "noise"),
        (1, 1000),
        through=through_prediction(partial(denoisers.denoising_loss, target="noise")),
    ),
    "diffusion.training.stratified_times": Row(
        lambda m: call(denoisers.stratified_times, m.n, m.schedule(), generator=m.rng)
    ),
    "diffusion.training.feature_count": Row(lambda m: call(denoisers.feature_count, 2)),
    "diffusion.training.features": elementwise(
        lambda m: call(
            denoisers.features, m.normal(m.n, DIM), 5, m.schedule(), labels=m.labels(m.n), num_labels=CLASSES
        ),
        "xt",
    ),
    "diffusion.training.mlp": Row(
        lambda m: call(denoisers.mlp, 3, 2, width=4, depth=2, generator=m.rng, device=m.device, dtype=m.dtype)
    ),
    "diffusion.training.memory": Row(
        lambda m: call(denoisers.memory, 3, 2, width=4, slots=5, generator=m.rng, device=m.device, dtype=m.dtype)
    ),
    "diffusion.training.noise_predictor": Row(
        lambda m: call(denoisers.noise_predictor, m.denoiser()),
        then=lambda predict, m: predict(
            torch.linspace(-1, 1, 2 * m.n, device=m.device, dtype=torch.float32).view(m.n, 2), m.labels(m.n) * 0
        ),
    ),
    "diffusion.training.train": Row(
        lambda m: call(
            denoisers.train,
            m.denoiser().network,
            m.normal(20, 2),
            m.schedule(),
            steps=2,
            batch_size=8,
            frequencies=2,
            generator=m.rng,
        )
    ),
    # --- energy ---
    "energy.models.evaluate": Row(
        lambda m: call(models.evaluate, m.energy(), m.normal(m.n, DIM)), sizes=(1, 1000, 100_000)
    ),
    "energy.models.gradient": Row(
        lambda m: call(models.gradient, m.energy(), m.normal(m.n, DIM)), sizes=(1, 1000, 100_000)
    ),
    "energy.models.boltzmann": elementwise(
        lambda m: call(models.boltzmann, m.normal(m.n, 5), temperature=0.5), "energies"
    ),
    "energy.models.grid": Row(lambda m: call(models.grid, -1.0, 1.0, 5, device=m.device, dtype=m.dtype)),
    "energy.models.log_partition": Row(
        lambda m: call(
            models.log_partition, m.energy(), models.grid(-3.0, 3.0, 7, dims=DIM, device=m.device, dtype=m.dtype)
        )
    ),
    "energy.models.log_density": Row(
        lambda m: call(
            models.log_density,
            m.energy(),
            m.unit(m.n, DIM),
            models.grid(-3.0, 3.0, 7, dims=DIM, device=m.device, dtype=m.dtype),
        ),
        ("x",),
        (1, 1000),
    ),
    "energy.models.negative_log_likelihood": Row(
        lambda m: call(
            models.negative_log_likelihood,
            m.energy(),
            m.unit(m.n, DIM),
            models.grid(-3.0, 3.0, 7, dims=DIM, device=m.device, dtype=m.dtype),
        ),
        ("data",),
        (1, 1000),
    ),
    "energy.models.phase_gap": Row(
        lambda m: call(models.phase_gap, m.energy(), m.normal(m.n, DIM), m.normal(m.n, DIM)),
        sizes=(1, 1000),
        through=through_energy(models.phase_gap),
    ),
    "energy.models.quadratic": elementwise(
        lambda m: call(models.quadratic, m.normal(m.n, DIM), precision=m.matrix()), "x"
    ),
    "energy.models.quadratic_log_partition": Row(lambda m: call(models.quadratic_log_partition, m.matrix())),
    "energy.models.double_well": elementwise(lambda m: call(models.double_well, m.normal(m.n, DIM)), "x"),
    "energy.models.banana": elementwise(lambda m: call(models.banana, m.normal(m.n, 2)), "x"),
    "energy.samplers.init": Row(lambda m: call(samplers.init, m.energy(), m.normal(m.n, DIM))),
    "energy.samplers.langevin_step": Row(lambda m: moved(samplers.langevin_step, m, step_size=0.1)),
    "energy.samplers.mala_step": Row(lambda m: moved(samplers.mala_step, m, step_size=0.1)),
    "energy.samplers.hamiltonian": elementwise(
        lambda m: call(samplers.hamiltonian, m.normal(m.n), m.normal(m.n, DIM)), "energy", "momentum"
    ),
    "energy.samplers.leapfrog": Row(
        lambda m: call(samplers.leapfrog, *m.state(), m.normal(4, DIM), step_size=0.1, steps=3)
    ),
    "energy.samplers.hmc_step": Row(lambda m: moved(samplers.hmc_step, m, step_size=0.1, steps=3)),
    "energy.samplers.sample": Row(
        lambda m: call(
            samplers.sample,
            partial(samplers.mala_step, m.state()[0], step_size=0.1, generator=m.rng),
            Make(m.device, m.dtype).state()[1],
            5,
        )
    ),
    "energy.samplers.effective_sample_size": Row(lambda m: call(samplers.effective_sample_size, m.normal(20, 4, 2))),
    "energy.samplers.split_rhat": Row(lambda m: call(samplers.split_rhat, m.normal(20, 4, 2))),
    "energy.samplers.adapt": Row(
        lambda m: call(samplers.adapt, m.energy(), m.normal(4, DIM), steps=2, rounds=2, count=4, generator=m.rng)
    ),
    "energy.training.contrastive_divergence": Row(
        lambda m: call(
            energies.contrastive_divergence, m.energy(), m.normal(m.n, DIM), m.normal(m.n, DIM), magnitude=0.1
        ),
        sizes=(1, 1000),
        through=through_energy(energies.contrastive_divergence),
    ),
    "energy.training.score_matching": Row(
        lambda m: call(energies.score_matching, m.energy(), m.normal(m.n, DIM)),
        sizes=(1, 1000),
        through=through_energy(lambda energy, x, y: energies.score_matching(energy, x)),
    ),
    "energy.training.sliced_score_matching": Row(
        lambda m: call(energies.sliced_score_matching, m.energy(), m.normal(m.n, DIM), m.normal(m.n, DIM)),
        sizes=(1, 1000),
        through=through_energy(energies.sliced_score_matching),
    ),
    "energy.training.denoising_score_matching": Row(
        lambda m: call(
            energies.denoising_score_matching, m.energy(), m.normal(m.n, DIM), m.normal(m.n, DIM), sigma=0.3
        ),
        sizes=(1, 1000),
        through=through_energy(partial(energies.denoising_score_matching, sigma=0.3)),
    ),
    "energy.training.noise_contrastive": Row(
        lambda m: call(
            energies.noise_contrastive,
            m.energy(),
            m.normal(),
            m.normal(m.n, DIM),
            m.normal(m.n, DIM),
            log_noise=lambda x: -0.5 * (x * x).sum(-1),
        ),
        ("log_partition",),
        (1, 1000),
    ),
    "energy.training.negative_phase": Row(
        lambda m: call(energies.negative_phase, m.energy(), m.normal(m.n, DIM), k=3, step_size=0.1, generator=m.rng)
    ),
    "energy.training.jump": Row(
        lambda m: call(
            energies.jump,
            m.energy(),
            m.normal(m.n, DIM),
            m.normal(m.n, DIM),
            log_proposal=lambda x: -0.5 * (x * x).sum(-1),
            generator=m.rng,
        )
    ),
    "energy.training.create": Row(
        lambda m: call(energies.create, DIM, m.generators(), hidden=(4,), device=m.device, dtype=m.dtype)
    ),
    "energy.training.energy_of": Row(
        lambda m: call(energies.energy_of, m.model()), then=lambda energy, m: energy(m.normal(2, m.n, DIM))
    ),
    "energy.training.train": Row(lambda m: call(energies.train, objective, m.model(), steps=2, learning_rate=0.01)),
    "energy.training.grid_divergence": elementwise(
        lambda m: call(energies.grid_divergence, m.simplex(m.n).log(), m.simplex(m.n).log()), "log_model"
    ),
    # --- contrastive ---
    "contrastive.losses.unit_vectors": Row(
        lambda m: call(contrastive.unit_vectors, x=m.normal(m.n, DIM), y=m.normal(m.n, DIM)),
        sizes=(1, 1000, 100_000),
        through=lambda m: (lambda x: contrastive.unit_vectors(x=x), [m.normal(m.n, DIM)]),
    ),
    "contrastive.losses.knobs": Row(
        lambda m: call(
            contrastive.knobs, m.normal(2), (2,), temperature=(0.5, POSITIVE), scale=(1 + m.unit(2).float(), POSITIVE)
        )
    ),
    "contrastive.losses.cosine_similarity": Row(
        lambda m: two(contrastive.cosine_similarity, m, m.n, DIM),
        ("first", "second"),
        (1, 1000, 200_000),
        degree=0,
        scaled=("first", "second"),
    ),
    "contrastive.losses.similarity_matrix": pairwise(
        lambda m: two(contrastive.similarity_matrix, m, m.n, DIM), "x", "y", degree=0, scaled=("x", "y")
    ),
    "contrastive.losses.distance_matrix": pairwise(
        lambda m: two(contrastive.distance_matrix, m, m.n, DIM), "x", "y", degree=0, scaled=("x", "y")
    ),
    "contrastive.losses.cosine_bce": elementwise(
        lambda m: call(contrastive.cosine_bce, 2 * m.unit(m.n) - 1, m.zero_one(m.n), scale=3.0, bias=-1.0), "similarity"
    ),
    "contrastive.losses.similarity_to_cosine": elementwise(
        lambda m: call(contrastive.similarity_to_cosine, 0.3 + 0.4 * m.unit(m.n)), "probability"
    ),
    "contrastive.losses.sigmoid_loss": pairwise(
        lambda m: labelled(contrastive.sigmoid_loss, m, scale=3.0, bias=-1.0),
        "embeddings",
        least=2,
        degree=0,
        scaled=("embeddings",),
    ),
    "contrastive.losses.pairwise_margin": elementwise(
        lambda m: call(contrastive.pairwise_margin, m.unit(m.n), m.zero_one(m.n), margin=0.7), "distance"
    ),
    "contrastive.losses.triplet": elementwise(
        lambda m: call(contrastive.triplet, m.normal(m.n, DIM), m.normal(m.n, DIM), m.normal(m.n, DIM), margin=0.5),
        "anchor",
        "positive",
        "negative",
    ),
    "contrastive.losses.batch_all_triplet": Row(
        lambda m: labelled(contrastive.batch_all_triplet, m, margin=0.5), ("embeddings",), (4, 100)
    ),
    # 가장 먼 것과 가까운 것을 고르므로, 점이 아주 많으면 반올림이 다른 것을 고른다.
    "contrastive.losses.batch_hard_triplet": Row(
        lambda m: labelled(contrastive.batch_hard_triplet, m, margin=0.5), ("embeddings",), (4, 100)
    ),
    "contrastive.losses.info_nce": pairwise(
        lambda m: two(contrastive.info_nce, m, m.n, DIM, temperature=0.2),
        "query",
        "key",
        least=2,
        degree=0,
        scaled=("query", "key"),
    ),
    "contrastive.losses.nt_xent": pairwise(
        lambda m: two(contrastive.nt_xent, m, m.n, DIM, temperature=0.2),
        "first_view",
        "second_view",
        least=2,
        degree=0,
        scaled=("first_view", "second_view"),
    ),
    "contrastive.losses.supcon": pairwise(
        lambda m: labelled(contrastive.supcon, m, temperature=0.2),
        "embeddings",
        least=2,
        degree=0,
        scaled=("embeddings",),
    ),
    "contrastive.losses.cosine_softmax": Row(
        lambda m: call(
            contrastive.cosine_softmax, m.normal(m.n, DIM), m.normal(CLASSES, DIM), m.labels(m.n), scale=5.0
        ),
        ("embeddings", "prototypes"),
        (1, 1000, 100_000),
        degree=0,
        scaled=("embeddings", "prototypes"),
    ),
    "contrastive.losses.alignment": Row(
        lambda m: two(contrastive.alignment, m, m.n, DIM),
        ("first_view", "second_view"),
        (1, 1000, 100_000),
        degree=0,
        scaled=("first_view", "second_view"),
    ),
    "contrastive.losses.uniformity": pairwise(
        lambda m: call(contrastive.uniformity, m.normal(m.n, DIM)), "x", least=2, degree=0, scaled=("x",)
    ),
    "contrastive.losses.pair_floor": Row(lambda m: call(contrastive.pair_floor, CLASSES)),
    "contrastive.losses.supcon_floor": Row(lambda m: call(contrastive.supcon_floor, CLASSES, 3, temperature=0.2)),
    "contrastive.training.convolutional_encoder": Row(
        lambda m: call(
            encoders.convolutional_encoder,
            1,
            8,
            widths=(2, 3),
            embedding_dim=4,
            generator=m.rng,
            device=m.device,
            dtype=m.dtype,
        )
    ),
    "contrastive.training.simple_encoder": Row(
        lambda m: call(encoders.simple_encoder, generator=m.rng, device=m.device, dtype=m.dtype)
    ),
    "contrastive.training.embed": Row(
        lambda m: call(encoders.embed, m.encoder(), m.normal(m.n, 1, 8, 8)), sizes=(1, 1000)
    ),
    "contrastive.training.layer_similarities": Row(
        lambda m: call(encoders.layer_similarities, m.encoder(), m.normal(m.n, 1, 8, 8))
    ),
    "contrastive.training.random_pairs": Row(
        lambda m: call(encoders.random_pairs, m.n, generator=m.rng, device=m.device, dtype=m.dtype)
    ),
    "contrastive.training.class_pairs": Row(
        lambda m: call(encoders.class_pairs, m.normal(12, 1, 8, 8), m.labels(12), size=4, generator=m.rng)
    ),
    "contrastive.training.views": Row(
        lambda m: call(encoders.views, m.normal(12, 1, 8, 8), m.labels(12), size=4, count=2, generator=m.rng)
    ),
    "contrastive.training.jitter": Row(
        lambda m: call(encoders.jitter, m.normal(m.n, 1, 8, 8), generator=m.rng), ("images",), unforwarded="forward AD"
    ),
    "contrastive.training.train_encoder": Row(
        lambda m: call(
            encoders.train_encoder,
            m.encoder(),
            partial(_pairs, m.normal(12, 1, 8, 8), m.labels(12)),
            encoders.pair_objective,
            steps=2,
            learning_rate=0.01,
            generator=m.rng,
        )
    ),
    "contrastive.training.pair_objective": Row(
        lambda m: call(encoders.pair_objective, m.normal(2, m.n, DIM), m.labels(2, m.n), m.normal(0)),
        ("outputs",),
        (2, 1000),
    ),
    "contrastive.training.post_run": Row(
        lambda m: call(
            encoders.post_run, epochs=1, pairs=2, test_pairs=2, generator=m.rng, device=m.device, dtype=m.dtype
        )
    ),
    "contrastive.training.pair_scores": Row(
        lambda m: labelled(encoders.pair_scores, m), sizes=(4, 300), degree=0, scaled=("embeddings",)
    ),
    "contrastive.training.pair_accuracy": Row(
        lambda m: call(encoders.pair_accuracy, 2 * m.unit(m.n) - 1, m.zero_one(m.n).bool(), threshold=0.1)
    ),
    "contrastive.training.calibrated_threshold": Row(
        lambda m: call(encoders.calibrated_threshold, 2 * m.unit(m.n) - 1, m.labels(m.n, classes=2).bool())
    ),
    "contrastive.training.knn_accuracy": Row(
        lambda m: probed(encoders.knn_accuracy, m, k=3), sizes=(6, 300), degree=0, scaled=("reference", "embeddings")
    ),
    "contrastive.training.linear_probe": Row(lambda m: probed(encoders.linear_probe, m)),
    "contrastive.training.recall_at_one": Row(
        lambda m: labelled(encoders.recall_at_one, m), sizes=(4, 300), degree=0, scaled=("embeddings",)
    ),
    # --- 두루 쓰는 것 ---
    "metrics.balanced_accuracy": Row(
        lambda m: call(metrics.balanced_accuracy, m.labels(m.n), m.labels(m.n).flip(0), num_classes=CLASSES),
        by_default=True,
    ),
    "metrics.expected_calibration_error": Row(
        lambda m: call(metrics.expected_calibration_error, m.simplex(m.n, CLASSES), m.labels(m.n)), sizes=(1, 1000)
    ),
    "metrics.negative_log_likelihood": elementwise(
        lambda m: call(metrics.negative_log_likelihood, m.simplex(m.n, CLASSES).log(), m.labels(m.n))
    ),
    "metrics.roc_auc": Row(
        lambda m: two(metrics.roc_auc, m, m.n), sizes=(1, 1000), degree=0, scaled=("positives", "negatives")
    ),
    "metrics.one_vs_rest_auc": Row(
        lambda m: call(metrics.one_vs_rest_auc, m.normal(m.n, 3), m.labels(m.n, classes=3)),
        sizes=(6, 1000),
        degree=0,
        scaled=("scores",),
    ),
    "networks.initial": Row(
        lambda m: call(networks.initial, (3, 4, 2), m.generators(), device=m.device, dtype=m.dtype)
    ),
    "networks.forward": Row(
        lambda m: call(networks.forward, m.networks(3, 5, 2), m.normal(2, m.n, 3)), ("x",), (1, 1000)
    ),
    "networks.initial_residual": Row(
        lambda m: call(networks.initial_residual, (3, 4, 4, 2), m.generators(), device=m.device, dtype=m.dtype)
    ),
    "networks.forward_residual": Row(
        lambda m: call(networks.forward_residual, m.networks(3, 5, 5, 2), m.normal(2, m.n, 3)), ("x",), (1, 1000)
    ),
    "networks.finished": Row(lambda m: call(networks.finished, m.model().networks, m.alive(2))),
    "networks.freeze": Row(lambda m: call(networks.freeze, m.model().networks)),
    "random.generator": Row(lambda m: call(random.generator, 3), then=lambda drawn, m: drawn.get_state()),
    "random.randn": Row(lambda m: call(random.randn, 2, 3, generator=m.rng, device=m.device, dtype=m.dtype)),
    "random.rand": Row(lambda m: call(random.rand, 2, 3, generator=m.rng, device=m.device, dtype=m.dtype)),
    "random.randint": Row(lambda m: call(random.randint, 0, 9, (4,), generator=m.rng, device=m.device)),
    "random.randperm": Row(lambda m: call(random.randperm, 6, generator=m.rng, device=m.device)),
    **tables(),
    "data.eight_gaussians_centres": Row(lambda m: call(data.eight_gaussians_centres, device=m.device, dtype=m.dtype)),
    "data.eight_gaussians": Row(
        lambda m: call(data.eight_gaussians, m.n, generator=m.rng, device=m.device, dtype=m.dtype)
    ),
    "data.eight_gaussians_log_density": elementwise(
        lambda m: call(data.eight_gaussians_log_density, m.normal(m.n, 2)), "x"
    ),
    "data.mode_coverage": Row(lambda m: call(data.mode_coverage, 2 * m.normal(m.n, 2)), sizes=(1, 1000)),
}


def _pairs(images: Tensor, labels: Tensor, rng: torch.Generator | None) -> encoders.Batch:
    return encoders.class_pairs(images, labels, size=3, generator=rng)


# 표에 없는 것과 까닭
EXEMPT = {
    "checks.": "값을 내지 않는 문간이다. 오류에 부르는 쪽이 준 이름을 쓴다",
    "modes.": "다른 함수를 감싼다. 이 시험 전체가 그 시험이다",
    "device.resolve": "텐서를 받지도 주지도 않는다",
    "diffusion.schedules.": "확산의 세 장이 안에서 함께 쓴다. 그 장들의 함수를 거쳐 테스트한다",
    "diffusion.process.converted": "`convert`의 식만 있고, 검사는 부르는 쪽이 한다",
    "networks.still_learning": "배우는 함수의 문간이다. 그 함수의 generators를 들어 경고하고 거절한다",
    "contrastive.distributed.distributed_nt_xent": "여러 프로세스가 있어야 돈다. 제 시험이 돌린다",
    "transport.problem.": "공개 함수가 확인한 인자를 받는 공통 계산이다. 호출하는 함수들의 행이 테스트한다",
    "figures.": "값이 아니라 그림을 준다",
    "labs.": "칸이 통째로 도는 실험이다",
    "own.": "독자의 파일을 읽고 재는 명령이다",
}
