"""Momentum and its variants against their oracles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import SGD, Momentum


def polyak(gradients, lrs, w, mu=0.9):
    points, v = [w], 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        v = mu * v - lr * g
        w = w + v
        points.append(w)
    return points


def torch(gradients, lrs, w, mu=0.9, dampening=0.0):
    """torch.optim.SGD: the buffer is a copy of the first gradient, undampened."""
    points, buffer = [w], None
    for g, lr in zip(gradients, lrs, strict=True):
        buffer = g if buffer is None else mu * buffer + (1 - dampening) * g
        w = w - lr * buffer
        points.append(w)
    return points


def optax(gradients, lrs, w, mu=0.9):
    """optax.trace, then the learning rate."""
    points, trace = [w], 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        trace = g + mu * trace
        w = w - lr * trace
        points.append(w)
    return points


def ema(gradients, lrs, w, mu=0.9):
    points, mean = [w], 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        mean = mu * mean + (1 - mu) * g
        w = w - lr * mean
        points.append(w)
    return points


def dampened_steps(gradients, lrs, w, mu, dampening):
    points, v = [w], 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        v = mu * v - lr * (1 - dampening) * g
        w = w + v
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Momentum(), polyak, {}),
        (Momentum(mu=0.99), polyak, {"mu": 0.99}),
        (Momentum.like("keras"), polyak, {}),
        (Momentum.like("torch"), torch, {}),
        (Momentum.like("torch", dampening=0.3, mu=0.5), torch, {"dampening": 0.3, "mu": 0.5}),
        (Momentum.like("optax"), optax, {}),
        (Momentum.like("ema"), ema, {}),
        (Momentum(dampening=0.25), dampened_steps, {"mu": 0.9, "dampening": 0.25}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


def test_the_place_of_the_learning_rate_matters_only_when_it_changes():
    inside, outside = Momentum(), Momentum.like("optax")
    assert_close(path(inside, GRADIENTS, START), path(outside, GRADIENTS, START), rtol=1e-11)
    changed = [path(rule, GRADIENTS, START, lrs(0.01)) for rule in (inside, outside)]
    assert np.abs(changed[0] - changed[1]).max() > 0.1


@given(lr=st.floats(1e-6, 10.0), gradients=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20))
def test_without_momentum_it_is_sgd(lr, gradients):
    for rule in (Momentum(lr=lr, mu=0.0), Momentum.like("torch", lr=lr, mu=0.0)):
        assert_close(path(rule, gradients, 1.0), path(SGD(lr=lr), gradients, 1.0), rtol=1e-15)


def test_a_constant_gradient_reaches_the_terminal_velocity():
    points = path(Momentum(lr=0.1, mu=0.5), np.ones(60), 0.0)
    assert points[60] - points[59] == pytest.approx(-0.1 / (1 - 0.5), rel=1e-12)
