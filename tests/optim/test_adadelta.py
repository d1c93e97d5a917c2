"""Adadelta and its variants against their oracles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import Adadelta


def zeiler(gradients, lrs, w, rho=0.9, eps=1e-6):
    """Algorithm 1, its step multiplied by the learning rate."""
    points, mean_g2, mean_dx2 = [w], 0.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        mean_g2 = rho * mean_g2 + (1 - rho) * g * g
        dx = -math.sqrt(mean_dx2 + eps) / math.sqrt(mean_g2 + eps) * g
        mean_dx2 = rho * mean_dx2 + (1 - rho) * dx * dx
        w = w + lr * dx
        points.append(w)
    return points


def torch(gradients, lrs, w, rho=0.9, eps=1e-6):
    points, square_avg, acc_delta = [w], 0.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        square_avg = square_avg * rho + g * g * (1 - rho)
        std = math.sqrt(square_avg + eps)
        delta = math.sqrt(acc_delta + eps) / std * g
        acc_delta = acc_delta * rho + delta * delta * (1 - rho)
        w = w - lr * delta
        points.append(w)
    return points


def keras(gradients, lrs, w, rho=0.95, epsilon=1e-7):
    points, accumulated_grad, accumulated_delta = [w], 0.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        accumulated_grad = rho * accumulated_grad + (1 - rho) * g**2
        delta = -(math.sqrt(accumulated_delta + epsilon) * g / math.sqrt(accumulated_grad + epsilon))
        accumulated_delta = rho * accumulated_delta + (1 - rho) * delta**2
        w = w + lr * delta
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Adadelta(), zeiler, {}),
        (Adadelta.like("paper"), zeiler, {"rho": 0.95}),
        (Adadelta.like("torch"), torch, {}),
        (Adadelta.like("torch", rho=0.5, eps=1e-3), torch, {"rho": 0.5, "eps": 1e-3}),
        (Adadelta.like("optax"), torch, {}),
        (Adadelta.like("keras"), keras, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@given(scale=st.sampled_from([1e-3, 0.1, 10.0, 1e4]))
def test_steps_do_not_depend_on_the_unit_of_the_gradient(scale):
    # Without ε in the gradient's root, the unit of the gradient would cancel exactly.
    gradients = GRADIENTS[:50, :1] + 3.0
    found = path(Adadelta(), gradients * scale, [0.0])
    assert_close(found[1:], path(Adadelta(), gradients, [0.0])[1:], rtol=1e-3 if scale >= 0.1 else 0.5)
