"""`benchmarks/samplers.py`가 비교하는 대상: BlackJAX의 HMC와 NumPyro의 NUTS. `bench` extra가 있어야 들여온다."""

import time
from collections.abc import Callable
from functools import cache, partial

import blackjax
import jax
import jax.numpy as jnp
import numpyro
import torch
from numpyro.infer import MCMC, NUTS
from torch import Tensor

from benchmarks.sampler_targets import Run, Setting, Target, start

jax.config.update("jax_enable_x64", True)

NUTS_WARMUP = 500


def versions() -> str:
    place = jax.devices()[0].platform
    return f"BlackJAX {blackjax.__version__}, NumPyro {numpyro.__version__}, JAX {jax.__version__} ({place})"


def potential(target: Target) -> Callable[[jax.Array], jax.Array]:
    precision = to_jax(target.precision)

    def energy(x: jax.Array) -> jax.Array:
        return x @ precision @ x / 2

    return energy


def to_jax(tensor: Tensor) -> jax.Array:
    return jnp.asarray(tensor.cpu().numpy())


def to_torch(array: jax.Array) -> Tensor:
    return torch.from_numpy(jax.device_get(array).copy())


def wait(work: Callable[[], jax.Array]) -> tuple[jax.Array, float]:
    begin = time.perf_counter()
    result = jax.block_until_ready(work())
    return result, time.perf_counter() - begin


def hmc(setting: Setting, seed: int) -> Run:
    """BlackJAX의 HMC. 체인은 vmap, 스텝은 scan, 모두 jit 한 번으로."""
    x0 = to_jax(start(setting.target, setting.chains, seed))
    program = _hmc_program(_Key(setting))
    drawn, seconds = wait(lambda: program(jax.random.key(seed), x0))
    return Run(to_torch(drawn), seconds, setting.chains * setting.count * setting.steps)


class _Key:
    """같은 설정이면 한 번만 컴파일한다. 텐서는 해시할 수 없어 같은 객체인지로 비교한다."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.identity = (id(setting.target.precision), setting.chains, setting.step_size, setting.steps, setting.count)

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.identity == other.identity


@cache
def _hmc_program(key: _Key) -> Callable[[jax.Array, jax.Array], jax.Array]:
    setting, d = key.setting, key.setting.target.d
    kernel = blackjax.hmc.build_kernel()
    energy = potential(setting.target)
    inverse_mass = jnp.ones(d) if setting.mass is None else 1 / to_jax(setting.mass)

    def log_density(x: jax.Array) -> jax.Array:
        return -energy(x)

    def one(key: jax.Array, state: blackjax.mcmc.hmc.HMCState) -> blackjax.mcmc.hmc.HMCState:
        shake, move = jax.random.split(key)
        step_size = setting.step_size * (1 + setting.jitter * jax.random.uniform(shake, minval=-1.0, maxval=1.0))
        return kernel(move, state, log_density, step_size, inverse_mass, setting.steps)[0]

    def many(key: jax.Array, x0: jax.Array) -> jax.Array:
        states = jax.vmap(partial(blackjax.hmc.init, logdensity_fn=log_density))(x0)

        def step(states: blackjax.mcmc.hmc.HMCState, key: jax.Array) -> tuple:
            states = jax.vmap(one)(jax.random.split(key, setting.chains), states)
            return states, states.position

        return jax.lax.scan(step, states, jax.random.split(key, setting.count))[1]

    example = jnp.zeros((setting.chains, d))
    return jax.jit(many).lower(jax.random.key(0), example).compile()


def nuts(setting: Setting, seed: int) -> Run:
    """NumPyro의 NUTS. 스텝 크기와 대각 질량을 스스로 맞춘다. 두 번째로 돌릴 때의 시간을 잰다."""
    chain = _nuts_chain(_Key(setting))
    chain.post_warmup_state = chain.last_state
    _, seconds = wait(lambda: _run(chain, seed))
    gradients = int(chain.get_extra_fields()["num_steps"].sum())
    return Run(to_torch(_grouped(chain)), seconds, gradients, chain.warmup_gradients)


@cache
def _nuts_chain(key: _Key) -> MCMC:
    setting = key.setting
    count = max(100, setting.count // 4)
    chain = MCMC(
        NUTS(potential_fn=potential(setting.target)),
        num_warmup=NUTS_WARMUP,
        num_samples=count,
        num_chains=setting.chains,
        chain_method="vectorized",
        progress_bar=False,
    )
    x0 = to_jax(start(setting.target, setting.chains, 0))
    chain.warmup(jax.random.key(0), init_params=x0, extra_fields=("num_steps",), collect_warmup=True)
    chain.warmup_gradients = int(chain.get_extra_fields()["num_steps"].sum())
    _run(chain, 0)  # 컴파일
    return chain


def _run(chain: MCMC, seed: int) -> jax.Array:
    chain.run(jax.random.key(seed + 1), extra_fields=("num_steps",))
    return chain.get_samples()


def _grouped(chain: MCMC) -> jax.Array:
    return jnp.swapaxes(chain.get_samples(group_by_chain=True), 0, 1)


RUNNERS = {"BlackJAX HMC": hmc, "NumPyro NUTS": nuts}
