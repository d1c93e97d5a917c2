"""SignSGD and Lion against their oracles."""

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import Step, assert_close, named, path

from spusk.optim import Lion, SignSGD


def sign(x):
    return (x > 0) - (x < 0)


def bernstein(gradients, lrs, w):
    """Algorithm 1."""
    points = [w]
    for g, delta in zip(gradients, lrs, strict=True):
        w = w - delta * sign(g)
        points.append(w)
    return points


def signum(gradients, lrs, w, beta=0.9):
    """Algorithm 2."""
    points, m = [w], 0.0
    for g, delta in zip(gradients, lrs, strict=True):
        m = beta * m + (1 - beta) * g
        w = w - delta * sign(m)
        points.append(w)
    return points


def chen(gradients, lrs, w, beta1=0.9, beta2=0.99, decay=0.0):
    """Algorithm 2 of the Lion paper."""
    points, m = [w], 0.0
    for g, eta in zip(gradients, lrs, strict=True):
        c = beta1 * m + (1 - beta1) * g
        w = w - eta * (sign(c) + decay * w)
        m = beta2 * m + (1 - beta2) * g
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (SignSGD(), bernstein, {}),
        (SignSGD(beta=0.9), signum, {}),
        (SignSGD.like("optax"), bernstein, {}),
        (SignSGD.like("pytorch_optimizer"), signum, {}),
        (Lion(), chen, {}),
        (Lion(beta1=0.5, beta2=0.7, weight_decay=0.1), chen, {"beta1": 0.5, "beta2": 0.7, "decay": 0.1}),
        (Lion.like("optax"), chen, {"decay": 0.001}),
        (Lion.like("keras"), chen, {}),
        (Lion.like("timm"), chen, {}),
        (Lion.like("pytorch_optimizer"), chen, {}),
        (Lion.like("authors"), chen, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize("rule", [SignSGD(), SignSGD(beta=0.9), Lion()], ids=named)
def test_steps_do_not_depend_on_the_gradient_s_unit(rule):
    # A power of two keeps every rounding.
    found, expected = (path(rule, GRADIENTS * k, START) for k in (2.0**40, 1.0))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("rule", [SignSGD(lr=0.5), SignSGD(lr=0.5, beta=0.9), Lion(lr=0.5)], ids=named)
def test_the_first_step_has_size_lr_and_none_where_the_gradient_is_zero(rule):
    assert path(rule, [[1e-9, -1e9, 0.0]], np.zeros(3))[1].tolist() == [-0.5, 0.5, 0.0]


def test_lion_s_step_weighs_the_newest_gradient_more_than_its_momentum_does():
    # m = 0.01 after the first step: c = 0.9 · 0.01 − 0.1 · 0.05 is positive, with β₁ = 0.5 it is negative.
    gradients = [1.0, -0.05]
    slow, quick = (path(Lion(lr=1.0, beta1=b), gradients, 0.0).tolist() for b in (0.9, 0.5))
    assert slow == [0.0, -1.0, -2.0]
    assert quick == [0.0, -1.0, 0.0]


def test_plain_sign_sgd_keeps_no_state():
    assert Step(SignSGD(), {"w": START}).state == {}
    assert list(Step(SignSGD(beta=0.9), {"w": START}).state) == ["w/m"]
