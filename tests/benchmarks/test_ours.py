"""Our side of the comparisons computes what the formulas say."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import backend, bandwidth, problems
from benchmarks.ours import closure, lanes, mlp, update
from benchmarks.problems import EVIDENCE_STEPS, LR, gradients_of_steps, weights_and_gradients

from spusk import optim

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def small(seed: int = 0, lr: float = 1e-3) -> problems.Mlp:
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((24, 5)).astype("float32"), rng.integers(0, 3, 24)
    return problems.mlp(x, y, (5, 4, 4, 3), batch=4, epochs=2, seed=seed, lr=lr)


def reference(problem: problems.Mlp) -> np.ndarray:
    """The losses of the training, written out in float64: forward, backward, Adam."""
    layers = [[w.astype("float64"), b.astype("float64")] for w, b in problem.layers]
    m = [[np.zeros_like(a) for a in layer] for layer in layers]
    v = [[np.zeros_like(a) for a in layer] for layer in layers]
    found = []
    for t, rows in enumerate(problem.rows.reshape(-1, problem.rows.shape[2]), 1):
        inputs, z = [problem.x[rows].astype("float64")], None
        for i, (w, b) in enumerate(layers):
            z = inputs[-1] @ w + b
            inputs.append(np.maximum(z, 0) if i + 1 < len(layers) else z)
        log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
        chosen = (np.arange(len(rows)), problem.y[rows])
        found.append(-log_p[chosen].mean())
        dz = np.exp(log_p)
        dz[chosen] -= 1
        dz /= len(rows)
        for i in reversed(range(len(layers))):
            gradients = [inputs[i].T @ dz, dz.sum(0)]
            dz = (dz @ layers[i][0].T) * (inputs[i] > 0)
            for j, g in enumerate(gradients):
                m[i][j] = BETA1 * m[i][j] + (1 - BETA1) * g
                v[i][j] = BETA2 * v[i][j] + (1 - BETA2) * g * g
                root = np.sqrt(v[i][j] / (1 - BETA2**t)) + EPS
                layers[i][j] = layers[i][j] - problem.lr * m[i][j] / (1 - BETA1**t) / root
    return np.reshape(found, problem.rows.shape[:2])


def test_our_training_follows_the_formulas() -> None:
    problem = small(lr=0.01)
    trial = mlp.training(problem)
    found = trial.evidence()
    np.testing.assert_allclose(found["losses"], reference(problem), rtol=1e-4)
    np.testing.assert_allclose(found["losses of epochs"], reference(problem).mean(1), rtol=1e-4)
    assert trial.units == problem.steps == 12


def test_doing_a_trial_again_does_the_same_again() -> None:
    trial = mlp.training(small())
    np.testing.assert_array_equal(trial.once(), trial.once())


@pytest.mark.parametrize("runs_on", ["native", "numpy"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_lanes_are_the_single_trainings(jobs, runs_on, monkeypatch) -> None:
    monkeypatch.setenv(backend.VARIABLE, runs_on)
    problem = problems.Lanes((small(0, 1e-3), small(1, 1e-2)))
    trial = lanes.trainings(problem, jobs)
    for found, single in zip(trial.evidence()["losses"], problem.problems, strict=True):
        np.testing.assert_array_equal(found, mlp.training(single).evidence()["losses"])
    assert trial.units == 24


def adams(w: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Adam's weights after steps with these gradients, written out in float64."""
    m, v, found = np.zeros_like(w, float), np.zeros_like(w, float), w.astype("float64")
    for t, g in enumerate(gradients.astype("float64"), 1):
        m, v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g**2
        found -= LR * m / (1 - BETA1**t) / (np.sqrt(v / (1 - BETA2**t)) + EPS)
    return found


def test_the_update_alone_follows_adams_formula() -> None:
    shapes = {"a": (4, 5), "b": (3,)}
    weights, gradients = weights_and_gradients(shapes)
    expected = [adams(weights[name], gradients_of_steps(gradients[name])).ravel() for name in shapes]
    trial = update.updates(optim.Adam(lr=LR), shapes, 3, {"it": optim.Adam(lr=LR), "sgd": optim.SGD(lr=0.5)})
    found = trial.evidence()
    np.testing.assert_allclose(found["it"], np.concatenate(expected), rtol=1e-5)
    descended = [weights[n] - 0.5 * gradients_of_steps(gradients[n]).sum(0) for n in shapes]
    np.testing.assert_allclose(found["sgd"], problems.watched(descended), rtol=1e-4, atol=1e-5)
    assert trial.once().steps == trial.units == 3


def test_the_gradients_of_steps_begin_with_the_one_given() -> None:
    gradient = np.arange(6, dtype="float32").reshape(2, 3)
    found = gradients_of_steps(gradient)
    assert found.shape == (EVIDENCE_STEPS, 2, 3)
    np.testing.assert_array_equal(found[0], gradient)
    assert found[1].tolist() == [[5, 0, 1], [2, 3, 4]]


@pytest.mark.parametrize("name", ["nesterov", "schedulefreesgd", "skipnonfinite"])
def test_rules_that_ask_elsewhere_or_for_the_loss_have_an_update_alone(name) -> None:
    rule, shapes = optim.CATALOGUE[name](), {"w": (4,)}
    found = update.updates(rule, shapes, 2, {"it": rule}).evidence()["it"]
    assert np.isfinite(found).all()
    assert (found != weights_and_gradients(shapes)[0]["w"]).all()


def test_a_training_by_a_rule_that_asks_twice_is_sams() -> None:
    problem = problems.digits(epochs=1, steps=4)
    trial = closure.steps(problem, optim.SAM(), {"it": optim.SAM(), "plain": optim.Momentum()})
    found = trial.evidence()
    assert trial.once().steps == trial.units == problem.steps == 4
    assert found["it"][0] == found["plain"][0]
    assert found["it"][3] != found["plain"][3]


@pytest.mark.parametrize("name", bandwidth.SLOTS)
def test_the_bytes_that_a_rule_must_move_are_those_of_its_program(name) -> None:
    n = 1000
    program = update.UpdateProgram.of(bandwidth.rule(name), {"w": (n,)}).program
    arrays = [t for t in program.inputs.values() if t.shape == (n,)]
    carried = [t for t in program.carry.values() if program.inputs[t].shape == (n,)]
    assert bandwidth.bytes_moved(name, n) == 4 * n * (len(arrays) + len(carried))


def test_every_elementwise_rule_of_the_lecture_is_measured() -> None:
    others = {"gradientdescent", "lookahead", "cyclicallr"}  # sgd's formula, and two wrappers
    assert set(bandwidth.SLOTS) == set(optim.LECTURE) - others


def test_the_problems_are_those_of_the_design() -> None:
    digits = problems.digits(epochs=2)
    assert digits.widths == (64, 32, 10)
    assert digits.rows.shape == (2, 44, 32)
    assert len(np.unique(digits.rows[0])) == 44 * 32  # no example twice in an epoch
    # Forward and by the weights in both layers, by the input in the second: 2 · batch · n_in · n_out each.
    assert digits.flop == 2 * 32 * (2 * 64 * 32 + 3 * 32 * 10)
    assert problems.wide(steps=2, rows=200).widths == (784, 256, 10)
    assert len(problems.deep(100, steps=1).layers) == 100
