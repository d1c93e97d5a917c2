"""Yogi and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import Step, assert_close, named, path

from spusk.optim import Yogi


def sign(x):
    return (x > 0) - (x < 0)


def zaheer(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-3, v0=1e-6):
    """Algorithm 2."""
    points, m, v = [w], 0.0, v0
    for g, eta in zip(gradients, lrs, strict=True):
        m = beta1 * m + (1 - beta1) * g
        v = v - (1 - beta2) * sign(v - g * g) * g * g
        w = w - eta * m / (math.sqrt(v) + eps)
        points.append(w)
    return points


def optax(gradients, lrs, w, b1=0.9, b2=0.999, eps=1e-3, initial=1e-6):
    points, mu, nu = [w], initial, initial
    for count, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        mu = (1 - b1) * g + b1 * mu
        nu = nu - (1 - b2) * sign(nu - g * g) * g * g
        w = w - lr * (mu / (1 - b1**count)) / (math.sqrt(nu / (1 - b2**count)) + eps)
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Yogi(), zaheer, {}),
        (
            Yogi(beta1=0.5, beta2=0.9, eps=0.1, v0=1.0),
            zaheer,
            {"beta1": 0.5, "beta2": 0.9, "eps": 0.1, "v0": 1.0},
        ),
        (Yogi.like("optax"), optax, {}),
        (Yogi.like("optax", eps=1e-8), optax, {"eps": 1e-8}),
        (Yogi.like("pytorch_optimizer"), optax, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


def test_the_mean_square_never_forgets_faster_than_the_gradients_it_sees():
    # Adam's v loses a thousandth of itself a step; Yogi's loses (1 − β₂)g² of the small gradients.
    step = Step(Yogi(beta2=0.999, v0=1.0), {"w": np.array([0.0])})
    for _ in range(100):
        step({"w": np.array([0.01])})
    assert step.state["w/v"][0] == pytest.approx(1 - 100 * 0.001 * 1e-4, rel=1e-12)


def test_a_first_gradient_above_v_raises_it_by_its_share():
    step = Step(Yogi(v0=0.0), {"w": np.array([0.0])})
    step({"w": np.array([2.0])})
    assert step.state["w/v"][0] == pytest.approx(0.001 * 4, rel=1e-12)


def test_optax_moves_a_weight_without_gradient_by_its_first_mean():
    first = path(Yogi.like("optax"), [0.0], 0.0)[1]
    assert first == pytest.approx(-0.01 * (0.9e-6 / 0.1) / (math.sqrt(1e-6 / 0.001) + 1e-3), rel=1e-9)
    assert path(Yogi(), [0.0], 0.0)[1] == 0


def test_a_mean_square_that_the_gradient_s_square_equals_stays():
    step = Step(Yogi(v0=1.0), {"w": np.zeros(1)})
    step({"w": np.ones(1)})
    assert step.state["w/v"] == 1.0
    assert step.parameters["w"] == pytest.approx(-0.01 * 0.1 / 1.001, rel=1e-12)
