"""The peers do the same work as we do: same weights, same batches, same losses."""

from __future__ import annotations

from importlib import import_module

import pytest
from benchmarks import optimizers, problems
from benchmarks.agreement import deviation
from benchmarks.ours import lanes, mlp, update

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def digits() -> problems.Mlp:
    return problems.digits(epochs=2, steps=10)


def test_one_training_with_torch(peer, digits) -> None:
    peer("torch")
    trial = import_module("benchmarks.peers.torch_mlp").eager(digits, 1)
    assert deviation(mlp.training(digits).evidence(), trial.evidence()) < 1e-4
    assert trial.note in ("fused Adam", "foreach Adam")


def test_one_training_with_jax(peer, digits) -> None:
    peer("jax"), peer("optax")
    trial = import_module("benchmarks.peers.jax_mlp").training(digits)
    assert deviation(mlp.training(digits).evidence(), trial.evidence()) < 1e-4


def test_one_training_with_scikit_learn(peer, digits) -> None:
    peer("sklearn")
    trial = import_module("benchmarks.peers.sklearn_mlp").training(digits)
    trial.once()
    assert deviation(mlp.training(digits).evidence(), trial.evidence()) < 1e-4


def test_many_trainings(peer) -> None:
    peer("torch"), peer("jax"), peer("optax")
    problem = problems.digits_lanes(3, epochs=2, steps=4)
    ours = lanes.trainings(problem, 1).evidence()
    torch = import_module("benchmarks.peers.torch_lanes")
    assert deviation(ours, torch.loop(problem).evidence()) < 1e-3
    assert deviation(ours, torch.stacked(problem, 1).evidence()) < 1e-3
    assert deviation(ours, import_module("benchmarks.peers.jax_mlp").trainings(problem).evidence()) < 1e-3


@pytest.mark.parametrize("name", optimizers.SLOTS)
def test_updates_alone(peer, name) -> None:
    peer("torch")
    ours = update.updates(name, 100, 1).evidence()
    updates = import_module("benchmarks.peers.torch_update").updates
    for variant in ("foreach", "fused") if name in optimizers.FUSED else ("foreach",):
        assert deviation(ours, updates(name, 100, 1, variant, 1).evidence()) < 1e-5


def test_torch_has_no_fused_version_of_the_other_rules(peer) -> None:
    peer("torch")
    updates = import_module("benchmarks.peers.torch_update").updates
    for name in set(optimizers.SLOTS) - set(optimizers.FUSED):
        with pytest.raises((TypeError, RuntimeError)):
            updates(name, 10, 1, "fused", 1)
