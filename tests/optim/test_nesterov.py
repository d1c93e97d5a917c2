"""Nesterov's momentum: its gradient is taken ahead, so the oracles call the derivative themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optim import harness
from optim.events import GRADIENTS, START, lrs, replay, slope
from optim.harness import Step, assert_close, named, path

from spusk.optim import SGD, Nesterov


def sutskever(pushes, lrs, w, mu=0.9):
    points, v = [w], 0.0
    for push, lr in zip(pushes, lrs, strict=True):
        v = mu * v - lr * (slope(w + mu * v) + push)
        w = w + v
        points.append(w)
    return points


def torch_and_optax(pushes, lrs, w, mu=0.9):
    points, buffer = [w], 0.0
    for push, lr in zip(pushes, lrs, strict=True):
        g = slope(w) + push
        buffer = mu * buffer + g
        w = w - lr * (g + mu * buffer)
        points.append(w)
    return points


def keras(pushes, lrs, w, mu=0.9):
    points, v = [w], 0.0
    for push, lr in zip(pushes, lrs, strict=True):
        g = slope(w) + push
        v = mu * v - lr * g
        w = w + mu * v - lr * g
        points.append(w)
    return points


def gradients_in_the_velocity(pushes, lrs, w, mu=0.9):
    points, v = [w], 0.0
    for push, lr in zip(pushes, lrs, strict=True):
        v = mu * v + slope(w - lr * mu * v) + push
        w = w - lr * v
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Nesterov(), sutskever, {}),
        (Nesterov(mu=0.5), sutskever, {"mu": 0.5}),
        (Nesterov.like("torch"), torch_and_optax, {}),
        (Nesterov.like("optax"), torch_and_optax, {}),
        (Nesterov.like("keras"), keras, {}),
        (Nesterov(lr_inside=False), gradients_in_the_velocity, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    found = path(rule, GRADIENTS, START, lrs(rule.lr), slope=harness.slope)
    assert_close(found, replay(oracle, rule.lr, **numbers))


def test_the_gradient_is_taken_at_the_look_ahead_point():
    step = Step(Nesterov(lr=0.5, mu=0.5), {"w": np.array(1.0)})
    assert step.points["w"].primitive.name == "add"
    assert Step(Nesterov.like("torch"), {"w": np.array(1.0)}).points["w"].primitive.name == "input"


@pytest.mark.parametrize("library", ["keras", "optax"])
def test_the_libraries_iterate_the_look_ahead_point_of_the_same_method(library):
    paper = Step(Nesterov(lr=0.05, mu=0.8), {"w": START}, harness.slope)
    ahead = Step(Nesterov.like(library, lr=0.05, mu=0.8), {"w": START}, harness.slope)
    for g in GRADIENTS[:200, 0]:
        push = {"w": np.full(len(START), g)}
        paper(push)
        ahead(push)
        lookahead = paper.parameters["w"] + 0.8 * paper.state["w/v"]
        np.testing.assert_allclose(ahead.parameters["w"], lookahead, rtol=1e-11)


@given(lr=st.floats(1e-6, 0.5), start=st.floats(-5, 5))
def test_without_momentum_it_is_sgd(lr, start):
    expected = path(SGD(lr=lr), np.zeros(10), start, slope=harness.slope)
    for rule in (Nesterov(lr=lr, mu=0.0), Nesterov.like("torch", lr=lr, mu=0.0)):
        np.testing.assert_array_equal(path(rule, np.zeros(10), start, slope=harness.slope), expected)
