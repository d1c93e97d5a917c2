"""Our side of the comparisons computes what the formulas say."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import backend, optimizers, problems
from benchmarks.ours import lanes, mlp, update
from benchmarks.problems import EVIDENCE_STEPS, LR, weights_and_gradient

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


def test_the_update_alone_follows_adams_formula() -> None:
    w, g = weights_and_gradient(20)
    m, v = np.zeros(20), np.zeros(20)
    expected = w.astype("float64")
    for t in range(1, EVIDENCE_STEPS + 1):
        m, v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g.astype("float64") ** 2
        expected -= LR * m / (1 - BETA1**t) / (np.sqrt(v / (1 - BETA2**t)) + EPS)
    trial = update.updates("adam", 20, steps=3)
    np.testing.assert_allclose(trial.evidence()["w"], expected, rtol=1e-5)
    assert trial.once().steps == trial.units == 3


@pytest.mark.parametrize("name", optimizers.SLOTS)
def test_the_bytes_that_a_rule_must_move_are_those_of_its_program(name) -> None:
    n = 1000
    program, _ = update.update_program(optim.get(name), n)
    arrays = [t for t in program.inputs.values() if t.shape == (n,)]
    carried = [t for t in program.carry.values() if program.inputs[t].shape == (n,)]
    assert optimizers.bytes_moved(name, n) == 4 * n * (len(arrays) + len(carried))


def test_every_elementwise_rule_of_the_lecture_is_measured() -> None:
    others = {"gradientdescent", "lookahead", "cyclicallr"}  # sgd's formula, and two wrappers
    assert set(optimizers.SLOTS) == set(optim.LECTURE) - others


def test_the_problems_are_those_of_the_design() -> None:
    digits = problems.digits(epochs=2)
    assert digits.widths == (64, 32, 10)
    assert digits.rows.shape == (2, 44, 32)
    assert len(np.unique(digits.rows[0])) == 44 * 32  # no example twice in an epoch
    # Forward and by the weights in both layers, by the input in the second: 2 · batch · n_in · n_out each.
    assert digits.flop == 2 * 32 * (2 * 64 * 32 + 3 * 32 * 10)
    assert problems.wide(steps=2, rows=200).widths == (784, 256, 10)
    assert len(problems.deep(100, steps=1).layers) == 100
