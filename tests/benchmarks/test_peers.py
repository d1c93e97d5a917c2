"""The peers do the same work as we do: same weights, same batches, same losses."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest
from benchmarks import bandwidth, methods, optimizers, problems
from benchmarks.agreement import deviation
from benchmarks.options import Options
from benchmarks.ours import lanes, mlp

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


@pytest.fixture
def small(monkeypatch) -> None:
    monkeypatch.setattr(methods, "NETWORK", (12, 8, 5))
    monkeypatch.setattr(methods, "SMALL_NETWORK", (12, 8, 5))
    few = problems.digits(epochs=1, steps=3)
    monkeypatch.setattr(problems, "digits", lambda epochs: few)


def trial_of(contender):
    module, _, function = contender.factory.partition(":")
    return getattr(import_module(module), function)(**contender.arguments)


@pytest.mark.usefixtures("small")
@pytest.mark.filterwarnings("ignore")  # of the peers
@pytest.mark.parametrize("method", methods.METHODS, ids=lambda method: method.name)
def test_a_method_alone(peer, method) -> None:
    for name in ("torch", "jax", "optax", "pytorch_optimizer"):
        peer(name)
    ours, *others = optimizers.contenders(method, 1, Options(quick=True))
    expected = trial_of(ours).evidence()
    compared = set()
    for other in others:
        if other.left_out or other.name == optimizers.COMPILED:
            continue
        trial = trial_of(other)
        trial.once()
        found = deviation(expected, trial.evidence())
        compared |= {other.name} if found is not None else set()
        assert found is None or found < optimizers.TOLERANCES.get(method.name, 2e-6), other.name
    known = set() if method.name in methods.RANDOM else {"in torch", *method.presets}
    known -= {"in torch"} if method.name in methods.NOT_IN_TORCH else set()
    assert {name.removesuffix(" foreach") for name in compared if name != "torch fused"} == set(known)


@pytest.mark.usefixtures("small")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch about its own modules
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("adam", optimizers.COMPILED),
        ("adam", optimizers.INDUCTOR),
        ("adam", optimizers.THEIRS_COMPILED),
        ("sam", optimizers.INDUCTOR),
    ],
)
def test_a_method_in_torch_compiled(peer, name, column) -> None:
    peer("torch")
    found = optimizers.contenders(methods.Method(name), 1, Options(only=(name,)))
    ours, compiled = (trial_of(next(c for c in found if c.name == n)).evidence() for n in ("ours", column))
    assert deviation(ours, compiled) < 2e-6


def test_torch_has_fused_versions_of_these_classes_only(peer) -> None:
    optimizers = peer("torch").optim
    classes = [c for c in vars(optimizers).values() if inspect.isclass(c)]
    fused = {c.__name__ for c in classes if "fused" in inspect.signature(c).parameters}
    assert fused == set(methods.FUSED)


def test_torch_has_no_fused_version_of_the_other_rules(peer) -> None:
    peer("torch")
    library = import_module("benchmarks.peers.torch_update").library
    for name in bandwidth.SLOTS:
        method = methods.Method(name)
        if not method.has_fused:
            with pytest.raises((TypeError, RuntimeError)):
                library(method.peers["torch"].path, name, {"w": (10,)}, 1, 1, "w", "fused")
