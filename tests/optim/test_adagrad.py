"""Adagrad and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import Adagrad


def duchi(gradients, lrs, w, eps=1e-8):
    points, s = [w], 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        s = s + g * g
        w = w - lr * g / math.sqrt(s + eps)
        points.append(w)
    return points


def torch(gradients, lrs, w, lr_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    points, s = [w], initial_accumulator_value
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        clr = lr / (1 + (step - 1) * lr_decay)
        s = s + g * g
        w = w - clr * g / (math.sqrt(s) + eps)
        points.append(w)
    return points


def optax(gradients, lrs, w, initial_accumulator_value=0.1, eps=1e-7):
    points, s = [w], initial_accumulator_value
    for g, lr in zip(gradients, lrs, strict=True):
        s = g * g + s
        inverse = 1 / math.sqrt(s + eps) if s > 0 else 0.0
        w = w - lr * (inverse * g)
        points.append(w)
    return points


def keras(gradients, lrs, w, initial_accumulator_value=0.1, epsilon=1e-7):
    points, accumulator = [w], initial_accumulator_value
    for g, lr in zip(gradients, lrs, strict=True):
        accumulator = accumulator + g * g
        w = w - lr * g / math.sqrt(accumulator + epsilon)
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Adagrad(), duchi, {}),
        (Adagrad(eps=1e-3), duchi, {"eps": 1e-3}),
        (Adagrad.like("torch"), torch, {}),
        (
            Adagrad.like("torch", lr_decay=0.01, s0=0.5),
            torch,
            {"lr_decay": 0.01, "initial_accumulator_value": 0.5},
        ),
        (Adagrad.like("optax"), optax, {}),
        (Adagrad.like("optax", s0=0.0, eps=0.0), optax, {"initial_accumulator_value": 0.0, "eps": 0.0}),
        (Adagrad.like("keras"), keras, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


def test_the_first_step_has_size_lr_whatever_the_gradient():
    points = path(Adagrad(lr=0.1), [[1e-2, 1.0, -1e6]], np.zeros(3))
    np.testing.assert_allclose(points[1], [-0.1, -0.1, 0.1], rtol=1e-4)


def test_optax_stands_still_where_no_gradient_has_been():
    points = path(Adagrad.like("optax", s0=0.0, eps=0.0), [[0.0, 1.0]] * 3, np.ones(2))
    assert points[:, 0].tolist() == [1.0] * 4
    assert points[3, 1] < 1


def test_a_gradient_whose_square_is_zero_moves_nothing_in_optax():
    assert path(Adagrad.like("optax", s0=0.0), [1e-200], 1.0)[1] == 1.0
    assert path(Adagrad(lr=1.0), [1e-200], 0.0)[1] == pytest.approx(-1e-196, rel=1e-12, abs=0)
