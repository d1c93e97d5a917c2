"""FTRL-Proximal and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import FTRL, Adagrad


def mcmahan(gradients, lrs, w, beta=1.0, lambda1=0.0, lambda2=0.0, n=0.0):
    """Algorithm 1, each step from its gradient on: the weight is made of z and n when it is needed next."""
    points, z = [w], 0.0
    for g, alpha in zip(gradients, lrs, strict=True):
        sigma = (math.sqrt(n + g * g) - math.sqrt(n)) / alpha
        z = z + g - sigma * w
        n = n + g * g
        if abs(z) <= lambda1:
            w = 0.0
        else:
            w = -(z - math.copysign(1, z) * lambda1) / ((beta + math.sqrt(n)) / alpha + lambda2)
        points.append(w)
    return points


def keras(gradients, lrs, w, accumulator=0.1, l1=0.0, l2=0.0):
    points, linear = [w], 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        new = accumulator + g * g
        linear = linear + g - (math.sqrt(new) - math.sqrt(accumulator)) / lr * w
        w = (min(max(linear, -l1), l1) - linear) / (math.sqrt(new) / lr + 2 * l2)
        accumulator = new
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (FTRL(), mcmahan, {}),
        (
            FTRL(beta=0.1, l1=0.3, l2=0.2, n0=0.5),
            mcmahan,
            {"beta": 0.1, "lambda1": 0.3, "lambda2": 0.2, "n": 0.5},
        ),
        (FTRL.like("keras"), keras, {}),
        (FTRL.like("keras", l1=0.3, l2=0.4), keras, {"l1": 0.3, "l2": 0.4}),
        (FTRL.like("pytorch_optimizer"), mcmahan, {"beta": 0.0}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


def test_from_zero_without_regularisers_it_is_adagrad():
    found, expected = (
        path(rule, GRADIENTS[7:90, :2], np.zeros(2))
        for rule in (FTRL(beta=0.0, lr=0.1), Adagrad(lr=0.1, eps=0.0))
    )
    assert_close(found, expected)


def test_weights_whose_gradients_are_small_are_exactly_zero():
    points = path(FTRL(l1=1.0), np.tile([0.01, -5.0], (50, 1)), np.zeros(2))
    assert (points[:, 0] == 0).all()
    assert (points[1:, 1] > 0).all()


def test_a_weight_without_gradients_is_forgotten_in_the_first_step():
    assert path(FTRL(), np.zeros((1, 1)), [1.0])[1] == 0
