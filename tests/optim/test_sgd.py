"""Gradient descent and stochastic gradient descent against their oracle."""

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, path

from spusk.optim import SGD, GradientDescent


def oracle(gradients, lrs, w):
    points = [w]
    for g, lr in zip(gradients, lrs, strict=True):
        w = w - lr * g
        points.append(w)
    return points


@pytest.mark.parametrize(
    "rule", [GradientDescent(), SGD(), SGD.like("optax"), SGD.like("keras"), SGD.like("torch")]
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr))


def test_gradient_descent_wants_the_full_batch_and_sgd_does_not():
    assert GradientDescent().full_batch
    assert not SGD().full_batch


def test_on_a_quadratic_the_error_is_a_geometric_series():
    curvature, lr = 4.0, 0.1
    found = path(GradientDescent(lr=lr), np.zeros(50), 3.0, slope=lambda w: curvature * w)
    np.testing.assert_allclose(found, 3.0 * (1 - lr * curvature) ** np.arange(51), rtol=1e-13)
