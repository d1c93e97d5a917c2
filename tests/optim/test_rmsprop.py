"""RMSprop and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import Step, assert_close, named, path

from spusk.optim import RMSprop


def tieleman(gradients, lrs, w, rho=0.9, eps=1e-8):
    points, s = [w], 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        s = rho * s + (1 - rho) * g * g
        w = w - lr * g / math.sqrt(s + eps)
        points.append(w)
    return points


def graves(gradients, lrs, w, rho=0.9, eps=1e-8):
    points, s, m = [w], 0.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        s = rho * s + (1 - rho) * g * g
        m = rho * m + (1 - rho) * g
        w = w - lr * g / math.sqrt(max(s - m * m, 0.0) + eps)
        points.append(w)
    return points


def torch(gradients, lrs, w, alpha=0.99, eps=1e-8, momentum=0.0, centered=False):
    points, square_avg, grad_avg, buffer = [w], 0.0, 0.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        square_avg = alpha * square_avg + (1 - alpha) * g * g
        if centered:
            grad_avg = alpha * grad_avg + (1 - alpha) * g
            avg = math.sqrt(square_avg - grad_avg * grad_avg) + eps
        else:
            avg = math.sqrt(square_avg) + eps
        if momentum > 0:
            buffer = momentum * buffer + g / avg
            w = w - lr * buffer
        else:
            w = w - lr * g / avg
        points.append(w)
    return points


def optax(gradients, lrs, w, decay=0.9, eps=1e-8, initial_scale=0.0, momentum=None):
    points, nu, trace = [w], initial_scale, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        nu = (1 - decay) * g * g + decay * nu
        update = -lr * (g / math.sqrt(nu + eps))
        if momentum is not None:
            trace = update + momentum * trace
            update = trace
        w = w + update
        points.append(w)
    return points


def keras(gradients, lrs, w, rho=0.9, epsilon=1e-7, momentum=0.0, centered=False):
    points, velocity, average, collected = [w], 0.0, 0.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        velocity = rho * velocity + (1 - rho) * g * g
        denominator = velocity + epsilon
        if centered:
            average = rho * average + (1 - rho) * g
            denominator = velocity - average * average + epsilon
        increment = lr * g / math.sqrt(denominator)
        collected = momentum * collected + increment
        w = w - (collected if momentum > 0 else increment)
        points.append(w)
    return points


def tensorflow1(gradients, lrs, w, decay=0.9, epsilon=1e-10, momentum=0.0):
    points, ms, mom = [w], 1.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        ms = ms + (g * g - ms) * (1 - decay)
        mom = momentum * mom + lr * g / math.sqrt(ms + epsilon)
        w = w - mom
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (RMSprop(), tieleman, {}),
        (RMSprop(rho=0.5, eps=1e-3), tieleman, {"rho": 0.5, "eps": 1e-3}),
        (RMSprop(centered=True), graves, {}),
        (RMSprop.like("torch"), torch, {}),
        (RMSprop.like("torch", momentum=0.9), torch, {"momentum": 0.9}),
        (RMSprop.like("torch", centered=True), torch, {"centered": True}),
        (RMSprop.like("torch", centered=True, momentum=0.5), torch, {"centered": True, "momentum": 0.5}),
        (RMSprop.like("optax"), optax, {}),
        (RMSprop.like("optax", momentum=0.9), optax, {"momentum": 0.9}),
        (RMSprop.like("optax", s0=1.0), optax, {"initial_scale": 1.0}),
        (RMSprop.like("keras"), keras, {}),
        (RMSprop.like("keras", momentum=0.9), keras, {"momentum": 0.9}),
        (RMSprop.like("keras", centered=True), keras, {"centered": True}),
        (RMSprop.like("tf1"), tensorflow1, {}),
        (RMSprop.like("tf1", momentum=0.9), tensorflow1, {"momentum": 0.9}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


def test_the_buffer_exists_only_with_momentum_and_a_zero_momentum_changes_nothing():
    with_zero = RMSprop(momentum=0.0)
    assert set(Step(RMSprop(), {"w": START}).state) == {"w/s"}
    assert set(Step(with_zero, {"w": START}).state) == {"w/s", "w/v"}
    assert_close(path(with_zero, GRADIENTS, START), path(RMSprop(), GRADIENTS, START))


@pytest.mark.parametrize(
    "rule", [RMSprop(centered=True), RMSprop.like("torch", centered=True, rho=0.5)], ids=named
)
def test_a_constant_gradient_leaves_a_centered_step_finite(rule):
    gradient = 10 ** np.random.default_rng(0).uniform(-6, 6, 100)
    rho, s, m, is_negative = rule.rho, 0.0, 0.0, np.zeros(100, bool)
    for _ in range(400):
        s = rho * s + (1 - rho) * gradient * gradient
        m = rho * m + (1 - rho) * gradient
        is_negative |= s - m * m < 0
    assert is_negative.any()  # by rounding: the variance of a constant is 0
    assert np.isfinite(path(rule, np.tile(gradient, (400, 1)), np.zeros(100))).all()
