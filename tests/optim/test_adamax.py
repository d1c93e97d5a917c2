"""AdaMax and its variants against their oracles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import AdaMax


def kingma(gradients, lrs, w, beta1=0.9, beta2=0.999):
    """Algorithm 2; 0/0 is a step of 0."""
    points, m, u = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, abs(g))
        if u > 0:
            w = w - lr / (1 - beta1**t) * m / u
        points.append(w)
    return points


def torch_and_optax(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8):
    points, exp_avg, exp_inf = [w], 0.0, 0.0
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        exp_avg = beta1 * exp_avg + (1 - beta1) * g
        exp_inf = max(beta2 * exp_inf, abs(g) + eps)
        w = w - lr / (1 - beta1**step) * exp_avg / exp_inf
        points.append(w)
    return points


def keras(gradients, lrs, w, beta1=0.9, beta2=0.999, epsilon=1e-7):
    points, m, u = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = m + (g - m) * (1 - beta1)
        u = max(beta2 * u, abs(g))
        w = w - lr * m / ((1 - beta1**t) * (u + epsilon))
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (AdaMax(), kingma, {}),
        (AdaMax(beta1=0.5, beta2=0.9), kingma, {"beta1": 0.5, "beta2": 0.9}),
        (AdaMax.like("torch"), torch_and_optax, {}),
        (AdaMax.like("optax"), torch_and_optax, {}),
        (AdaMax.like("optax", eps=1e-3), torch_and_optax, {"eps": 1e-3}),
        (AdaMax.like("keras"), keras, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@given(lr=st.floats(1e-6, 10.0), g=st.floats(1e-12, 1e6))
def test_the_first_step_has_size_lr(lr, g):
    assert path(AdaMax(lr=lr), [g], 0.0)[1] == pytest.approx(-lr, rel=1e-12)


def test_zero_gradients_at_first_move_nothing_and_break_nothing():
    points = path(AdaMax(), [0.0, 0.0, 1.0], 1.0)
    assert points[:3].tolist() == [1.0, 1.0, 1.0]
    assert np.isfinite(points[3])
    assert points[3] < 1
