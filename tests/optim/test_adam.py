"""Adam and its variants against their oracles."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import Step, assert_close, named, path

from spusk.optim import Adam


def kingma(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8):
    """Algorithm 1."""
    points, m, v = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        w = w - lr * m_hat / (math.sqrt(v_hat) + eps)
        points.append(w)
    return points


def torch(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8):
    points, exp_avg, exp_avg_sq = [w], 0.0, 0.0
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        exp_avg = exp_avg + (1 - beta1) * (g - exp_avg)
        exp_avg_sq = exp_avg_sq * beta2 + (1 - beta2) * g * g
        bias_correction1 = 1 - beta1**step
        bias_correction2 = 1 - beta2**step
        denominator = math.sqrt(exp_avg_sq) / math.sqrt(bias_correction2) + eps
        w = w - (lr / bias_correction1) * exp_avg / denominator
        points.append(w)
    return points


def optax(gradients, lrs, w, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0):
    points, mu, nu = [w], 0.0, 0.0
    for count, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        mu = (1 - b1) * g + b1 * mu
        nu = (1 - b2) * g * g + b2 * nu
        mu_hat = mu / (1 - b1**count)
        nu_hat = nu / (1 - b2**count)
        w = w + -lr * (mu_hat / (math.sqrt(nu_hat + eps_root) + eps))
        points.append(w)
    return points


def keras_and_tensorflow(gradients, lrs, w, beta1=0.9, beta2=0.999, epsilon=1e-7):
    """The form at the end of the paper's section 2."""
    points, m, v = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        alpha = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        m = m + (g - m) * (1 - beta1)
        v = v + (g * g - v) * (1 - beta2)
        w = w - m * alpha / (math.sqrt(v) + epsilon)
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Adam(), kingma, {}),
        (Adam(beta1=0.5, beta2=0.9, eps=1e-3), kingma, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}),
        (Adam(beta1=0.0, beta2=0.0), kingma, {"beta1": 0.0, "beta2": 0.0}),
        (Adam.like("torch"), torch, {}),
        (Adam.like("optax"), optax, {}),
        (Adam.like("optax", eps_root=1e-6), optax, {"eps_root": 1e-6}),
        (Adam.like("keras"), keras_and_tensorflow, {}),
        (Adam.like("tf1"), keras_and_tensorflow, {"epsilon": 1e-8}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@given(lr=st.floats(1e-6, 10.0), g=st.floats(1e-3, 1e6), sign=st.sampled_from([-1, 1]))
def test_the_first_step_has_size_lr(lr, g, sign):
    first = path(Adam(lr=lr, eps=0.0), [sign * g], 0.0)[1]
    assert first == pytest.approx(-sign * lr, rel=1e-12)


@given(scale=st.floats(1e-6, 1e6))
def test_without_eps_steps_do_not_depend_on_the_unit_of_the_gradient(scale):
    gradients = GRADIENTS[:30, 0]
    found, expected = (path(Adam(eps=0.0), gradients * k, 1.0) for k in (scale, 1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_keras_shrinks_a_first_step_of_tiny_gradients():
    # ε acts like ε/√(1 − β₂) = 3.2e-6 in the first step.
    paper, keras = (path(rule, [1e-6], 0.0)[1] for rule in (Adam(eps=1e-7), Adam.like("keras")))
    assert paper == pytest.approx(-1e-3 / 1.1, rel=1e-9)
    assert keras == pytest.approx(-1e-3 / (1 + 0.1 / math.sqrt(0.001)), rel=1e-9)


def test_the_state_of_a_zero_gradient_is_zero_and_nothing_moves():
    step = Step(Adam(), {"w": START})
    step({"w": np.zeros_like(START)})
    assert all((value == 0).all() for value in step.state.values())
    np.testing.assert_array_equal(step.parameters["w"], START)
