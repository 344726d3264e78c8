"""benchmarks/samplers.py: 재는 도구가 옳게 잰다. 얼마나 빠른지는 테스트하지 않는다."""

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from benchmarks import samplers
from benchmarks.sampler_targets import Run, Setting, Target
from benchmarks.samplers import NAME
from mgk_docs_src.random import generator, randn

CPU = torch.device("cpu")
TINY = Setting(samplers.correlated(2, device=CPU), 8, 0.5, 3, 0.0, 20)


@pytest.mark.parametrize(
    "target", [samplers.correlated(5, device=CPU), samplers.ill_conditioned(5, device=CPU)], ids=["상관", "스케일"]
)
def test_starts_are_drawn_from_the_target(target: Target) -> None:
    assert target.d == 5
    covariance = torch.linalg.inv(target.precision)
    torch.testing.assert_close(target.scale @ target.scale.T, covariance)
    x = samplers.start(target, 20_000, 0)
    torch.testing.assert_close(x.T @ x / len(x), covariance, atol=0.05, rtol=0.05)
    truth = torch.distributions.MultivariateNormal(torch.zeros(5, dtype=torch.float64), covariance)
    energy = samplers.energy(target)(x[:3])
    torch.testing.assert_close(energy - energy[0], truth.log_prob(x[0]) - truth.log_prob(x[:3]))


def test_a_run_counts_every_gradient_of_every_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    quadratic = samplers.energy(TINY.target)

    def counted(x: torch.Tensor) -> torch.Tensor:
        seen.append(len(x))
        return quadratic(x)

    monkeypatch.setattr(samplers, "energy", lambda _: counted)
    run = samplers.ours(TINY, 0)
    assert run.draws.shape == (20, 8, 2)
    assert run.gradients == sum(seen) - TINY.chains  # 초기 위치의 기울기는 빼고
    assert run.seconds > 0
    assert not torch.equal(samplers.shaken(TINY, 0).draws, run.draws)


def test_independent_draws_are_worth_themselves() -> None:
    draws = randn(1000, 10, 2, generator=generator(0), dtype=torch.float64)
    runs = [Run(draws, seconds, 40_000, 30_000) for seconds in (1.0, 2.0, 9.0)]
    found = samplers.efficiency(runs)
    assert found.coordinates == pytest.approx(250, rel=0.05)
    assert found.squares == pytest.approx(250, rel=0.05)
    assert found.worst == min(found.coordinates, found.squares)  # 차례가 모두 같은 표본이다
    assert found.spread == pytest.approx(0)
    assert found.per_second == pytest.approx(found.worst * 40 / 2.0)  # 시간은 중앙값
    assert found.warmup == 3000
    squares = [runs[0], runs[0]._replace(draws=draws.abs())]
    assert samplers.efficiency(squares).squares == pytest.approx(found.squares)


def test_turns_alternate_with_new_seeds() -> None:
    calls = []

    def runner(name: str) -> samplers.Runner:
        def run(_: Setting, seed: int) -> Run:
            calls.append((name, seed))
            return Run(randn(8, 2, 1, generator=generator(seed)), 1.0, 16)

        return run

    samplers.compare(TINY, {"a": runner("a"), "b": runner("b")})
    assert calls == [(name, seed) for seed in range(samplers.ROUNDS) for name in "ab"]


def test_the_adapted_setting_has_the_mass_of_the_target() -> None:
    target = samplers.ill_conditioned(20, device=CPU)
    setting, gradients = samplers.adapted(target, 32)
    assert setting.mass is not None
    ratio = setting.mass / target.precision.diagonal()
    assert ratio.max() < 1.5
    assert ratio.min() > 0.6
    assert gradients == 1 + 6 * 40 * 3
    rows = samplers.settings(CPU)
    assert [row.target.d for row in rows] == [2, 2, 10, 10, 100, 100, 100]
    assert [row.chains for row in rows] == [64, 1024] * 3 + [64]


@pytest.mark.parametrize("d", [1, 2, 10])
def test_the_langevin_size_inflates_the_variance_by_what_was_asked(d: int) -> None:
    target = samplers.correlated(d, device=CPU)
    size = samplers.langevin_size(target, bias=0.1)
    if d == 1:  # 1 / (1 − ε/4) = 1.1
        assert size == pytest.approx(4 * (1 - 1 / 1.1))
    eye = torch.eye(d, dtype=torch.float64)
    move = eye - size / 2 * target.precision  # x' = (I − εΛ/2) x + √ε ξ
    covariance = torch.zeros(d, d, dtype=torch.float64)
    for _ in range(3000):
        covariance = move @ covariance @ move.T + size * eye
    assert covariance.diagonal().mean().item() == pytest.approx(1.1, rel=1e-6)


def test_the_best_size_is_in_the_middle_of_the_grid() -> None:
    target = samplers.correlated(2, device=CPU)
    for steps in (1, 5):
        size, ess = samplers.best_size(target, steps, gradients=400, chains=16)
        assert samplers.STEPS[1] < size < samplers.STEPS[-1]
        assert ess > 5


def test_the_table_leaves_out_what_would_take_minutes() -> None:
    many = TINY._replace(chains=samplers.MANY + 1)
    lines = samplers.peers_table([TINY, many], {NAME: samplers.ours, "느림": samplers.shaken}, few=("느림",))
    head, rule, first, second, end = lines
    assert end == ""
    assert head.count("|") == rule.count("|") == first.count("|") == second.count("|") == 10
    assert first.startswith("| 상관 0.9 | 2 | 8 | 0.50 | 3 |")
    assert "–" not in first
    cells = [cell.strip() for cell in second.strip("|").split("|")]
    assert (cells[6], cells[8]) == ("–", "–")
    assert float(cells[5].split(" ± ")[0]) > 0


def test_the_tables_are_written_for_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = ModuleType("benchmarks.sampler_peers")
    peers.RUNNERS = {"BlackJAX HMC": samplers.ours, "NumPyro NUTS": samplers.ours}
    peers.NUTS_WARMUP, peers.versions = 500, lambda: "비교 대상 1.0"
    bound = []
    monkeypatch.setitem(sys.modules, "benchmarks.sampler_peers", peers)
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: bound.extend(cores))
    monkeypatch.setattr(samplers, "RESULTS", tmp_path)
    monkeypatch.setattr(samplers, "settings", lambda _: [TINY])
    table, resonance = samplers.dimension_table, samplers.resonance_table
    monkeypatch.setattr(samplers, "dimension_table", lambda device: table(device, (2,), shrink=100))
    monkeypatch.setattr(samplers, "resonance_table", lambda device: resonance(device, chains=2, count=4))
    samplers.main([])
    assert len(bound) == 1
    text = (tmp_path / "energy-samplers.md").read_text("utf-8")
    assert "비교 대상 1.0" in text
    assert text.count("\n| 2 | ") == 3
    assert "| 50% |" in text
    for block in text.split("\n\n"):
        widths = {line.count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(widths) <= 1


def test_a_missing_device_is_an_error() -> None:
    with pytest.raises(ValueError, match="장치"):
        samplers.main(["--device", "cuda:99"])
