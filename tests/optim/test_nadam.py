"""Nadam and its variants against their oracles."""

import math

import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import Step, assert_close, named, path

from spusk.optim import Nadam


def dozat(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, psi=0.004):
    points, m, v, product = [w], 0.0, 0.0, 1.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        mu = beta1 * (1 - 0.5 * 0.96 ** (psi * t))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** (psi * (t + 1)))
        product = product * mu
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        g_hat = g / (1 - product)
        m_hat = m / (1 - product * mu_next)
        m_bar = (1 - mu) * g_hat + mu_next * m_hat
        v_hat = v / (1 - beta2**t)
        w = w - lr * m_bar / (math.sqrt(v_hat) + eps)
        points.append(w)
    return points


def torch(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=4e-3):
    points, exp_avg, exp_avg_sq, mu_product = [w], 0.0, 0.0, 1.0
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        mu = beta1 * (1.0 - 0.5 * (0.96 ** (step * momentum_decay)))
        mu_next = beta1 * (1.0 - 0.5 * (0.96 ** ((step + 1) * momentum_decay)))
        mu_product *= mu
        exp_avg = exp_avg + (1 - beta1) * (g - exp_avg)
        exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * g * g
        denominator = math.sqrt(exp_avg_sq / (1 - beta2**step)) + eps
        w = w - lr * (1 - mu) / (1 - mu_product) * g / denominator
        w = w - lr * mu_next / (1 - mu_product * mu_next) * exp_avg / denominator
        points.append(w)
    return points


def keras(gradients, lrs, w, beta1=0.9, beta2=0.999, epsilon=1e-7):
    points, m, v, u_product = [w], 0.0, 0.0, 1.0
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        u_t = beta1 * (1.0 - 0.5 * 0.96**step)
        u_next = beta1 * (1.0 - 0.5 * 0.96 ** (step + 1))
        u_product = u_product * u_t
        m = m + (g - m) * (1 - beta1)
        v = v + (g * g - v) * (1 - beta2)
        m_hat = u_next * m / (1 - u_product * u_next) + (1 - u_t) * g / (1 - u_product)
        w = w - m_hat * lr / (math.sqrt(v / (1 - beta2**step)) + epsilon)
        points.append(w)
    return points


def optax(gradients, lrs, w, b1=0.9, b2=0.999, eps=1e-8):
    points, mu, nu = [w], 0.0, 0.0
    for count, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        mu = (1 - b1) * g + b1 * mu
        nu = (1 - b2) * g * g + b2 * nu
        mu_hat = b1 * mu / (1 - b1 ** (count + 1)) + (1 - b1) * g / (1 - b1**count)
        w = w - lr * mu_hat / (math.sqrt(nu / (1 - b2**count)) + eps)
        points.append(w)
    return points


def tensorflow_contrib(gradients, lrs, w, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """The kernel ApplyAdam with use_nesterov, as tf.contrib.opt.NadamOptimizer calls it."""
    points, m, v = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        alpha = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        m = m + (1 - beta1) * (g - m)
        v = v + (1 - beta2) * (g * g - v)
        w = w - alpha * (m * beta1 + (1 - beta1) * g) / (epsilon + math.sqrt(v))
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Nadam(), dozat, {}),
        (Nadam(beta1=0.5, beta2=0.9, psi=0.1), dozat, {"beta1": 0.5, "beta2": 0.9, "psi": 0.1}),
        (Nadam.like("torch"), torch, {}),
        (Nadam.like("torch", psi=0.05, eps=1e-5), torch, {"momentum_decay": 0.05, "eps": 1e-5}),
        (Nadam.like("keras"), keras, {}),
        (Nadam.like("optax"), optax, {}),
        (Nadam.like("tf-contrib"), tensorflow_contrib, {}),
        (Nadam.like("tf-contrib", eps=1e-7), tensorflow_contrib, {"epsilon": 1e-7}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


def test_the_product_of_momenta_stays_a_float64_scalar_beside_float32_weights():
    step = Step(Nadam(), {"w": START.astype("float32")})
    step({"w": START.astype("float32")})
    assert step.dtypes == {"w/m": "float32", "w/v": "float32", "w/product": "float64"}
    assert step.state["w/product"] == pytest.approx(0.9 * (1 - 0.5 * 0.96**0.004), rel=1e-15)
