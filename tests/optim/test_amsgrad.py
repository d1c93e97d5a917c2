"""AMSGrad and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import Adam, AMSGrad


def reddi(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8):
    """Algorithm 2 without projection, with ε beside the root."""
    points, m, v, largest = [w], 0.0, 0.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        largest = max(largest, v)
        w = w - lr * m / (math.sqrt(largest) + eps)
        points.append(w)
    return points


def torch(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8):
    points, exp_avg, exp_avg_sq, max_exp_avg_sq = [w], 0.0, 0.0, 0.0
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        exp_avg = exp_avg + (1 - beta1) * (g - exp_avg)
        exp_avg_sq = exp_avg_sq * beta2 + (1 - beta2) * g * g
        max_exp_avg_sq = max(max_exp_avg_sq, exp_avg_sq)
        denominator = math.sqrt(max_exp_avg_sq) / math.sqrt(1 - beta2**step) + eps
        w = w - lr / (1 - beta1**step) * exp_avg / denominator
        points.append(w)
    return points


def optax(gradients, lrs, w, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0):
    points, mu, nu, nu_max = [w], 0.0, 0.0, 0.0
    for count, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        mu = (1 - b1) * g + b1 * mu
        nu = (1 - b2) * g * g + b2 * nu
        nu_max = max(nu_max, nu / (1 - b2**count))
        w = w - lr * (mu / (1 - b1**count)) / (math.sqrt(nu_max + eps_root) + eps)
        points.append(w)
    return points


def keras(gradients, lrs, w, beta1=0.9, beta2=0.999, epsilon=1e-7):
    points, m, v, v_hat = [w], 0.0, 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        alpha = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        m = m + (g - m) * (1 - beta1)
        v = v + (g * g - v) * (1 - beta2)
        v_hat = max(v_hat, v)
        w = w - m * alpha / (math.sqrt(v_hat) + epsilon)
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (AMSGrad(), reddi, {}),
        (AMSGrad(beta1=0.5, beta2=0.9, eps=1e-3), reddi, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}),
        (AMSGrad(eps_hat=True), reddi, {}),
        (AMSGrad.like("torch"), torch, {}),
        (AMSGrad.like("torch", beta2=0.9, eps=1e-3), torch, {"beta2": 0.9, "eps": 1e-3}),
        (AMSGrad.like("optax"), optax, {}),
        (AMSGrad.like("optax", beta2=0.9, eps_root=1e-6), optax, {"b2": 0.9, "eps_root": 1e-6}),
        (AMSGrad.like("keras"), keras, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


def test_it_is_adam_while_the_mean_square_grows():
    growing = 1.1 ** np.arange(60)
    np.testing.assert_allclose(
        path(AMSGrad.like("torch"), growing, 0.0), path(Adam(), growing, 0.0), rtol=1e-13
    )


def test_a_burst_is_never_forgotten():
    # A thousand small gradients after a large one: Adam's divisor falls back to their size, AMSGrad's stays.
    gradients = np.append(100.0, np.full(1000, 0.01))
    last = {
        rule: abs(np.diff(path(rule, gradients, 0.0))[-1]) for rule in (AMSGrad(beta2=0.9), Adam(beta2=0.9))
    }
    assert last[Adam(beta2=0.9)] == pytest.approx(0.001, rel=1e-6)
    assert last[AMSGrad(beta2=0.9)] == pytest.approx(0.001 * 0.01 / math.sqrt(0.1 * 100**2), rel=1e-6)
