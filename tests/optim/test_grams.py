"""Grams against its oracle."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, path

from spusk.optim import Adam, Grams


def cao(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-6, decay=0.0):
    """Algorithm 1."""
    points, m, v = [w], 0.0, 0.0
    for t, (g, eta) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        u = m / (1 - beta1**t) / (math.sqrt(v / (1 - beta2**t)) + eps)
        towards = 0.0 if g == 0 else math.copysign(abs(u), g)
        w = w - eta * decay * w - eta * towards
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (Grams(), {}),
        (Grams(beta1=0.5, beta2=0.9, eps=1e-3, weight_decay=0.1),
         {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "decay": 0.1}),
        (Grams.like("pytorch_optimizer"), {}),
    ],
    ids=repr,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(cao, rule.lr, **numbers))


def test_no_step_goes_up_and_none_has_another_size_than_adam_s():
    grams, adam = (np.diff(path(rule, GRADIENTS, np.zeros(5)), axis=0) for rule in (Grams(), Adam(eps=1e-6)))
    moves = GRADIENTS != 0
    assert (grams * GRADIENTS <= 0).all()
    np.testing.assert_allclose(np.abs(grams[moves]), np.abs(adam[moves]), rtol=1e-9, atol=1e-15)
    assert (grams[~moves] == 0).all()
    assert (adam[~moves] != 0).any()
