"""MARS-AdamW and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay, replay_rows
from optim.harness import Step, assert_close, path

from spusk.optim import MARS, AdamW


def divisor(v, debias, eps, hat, root=0.0):
    """√v̂ + ε, or pytorch_optimizer's, which adds `hat` and ε before debiasing."""
    return (math.sqrt(v + hat) + eps) / math.sqrt(debias) if hat else math.sqrt(v / debias + root) + eps


def yuan(
    gradients, lrs, w, beta1=0.95, beta2=0.99, gamma=0.025, eps=1e-8, decay=0.0, zero=False, hat=0.0, root=0.0
):
    """Algorithm 2 with the gradient of the step before in place of its exact correction."""
    n = len(w)
    points, m, v = [w], [0.0] * n, [0.0] * n
    before = [0.0] * n if zero else gradients[0]
    for t, (g, eta) in enumerate(zip(gradients, lrs, strict=True), start=1):
        c = [g[i] + gamma * beta1 / (1 - beta1) * (g[i] - before[i]) for i in range(n)]
        norm = math.sqrt(math.fsum(x * x for x in c))
        if norm > 1:
            c = [x / norm for x in c]
        m = [beta1 * m[i] + (1 - beta1) * c[i] for i in range(n)]
        v = [beta2 * v[i] + (1 - beta2) * c[i] ** 2 for i in range(n)]
        new = []
        for i in range(n):
            m_hat = m[i] / (1 - beta1**t)
            new.append(w[i] - eta * (m_hat / divisor(v[i], 1 - beta2**t, eps, hat, root) + decay * w[i]))
        w, before = new, g
        points.append(w)
    return points


def adamw(gradients, lrs, w, beta1=0.9, beta2=0.95, eps=1e-8, decay=0.1, hat=0.0):
    points, m, v = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        w = w - lr * (m / (1 - beta1**t) / divisor(v, 1 - beta2**t, eps, hat) + decay * w)
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (MARS(), {}),
        (MARS(beta1=0.5, beta2=0.9, gamma=0.5, eps=1e-3, weight_decay=0.1),
         {"beta1": 0.5, "beta2": 0.9, "gamma": 0.5, "eps": 1e-3, "decay": 0.1}),
        (MARS(eps_root=1e-4), {"root": 1e-4}),
        (MARS.like("timm"), {"beta1": 0.9}),
        (MARS.like("pytorch_optimizer"), {"zero": True, "hat": 1e-15}),
        (MARS.like("authors", weight_decay=0.1), {"zero": True, "decay": 0.1}),
    ],
    ids=repr,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers):
    start, gradients = START.reshape(1, 5), GRADIENTS.reshape(-1, 1, 5)
    found = path(rule, gradients, start, lrs(rule.lr)).reshape(-1, 5)
    assert_close(found, replay_rows(yuan, rule.lr, **numbers))


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (MARS.like("timm"), {"beta2": 0.99, "decay": 0.0}),
        (MARS.like("pytorch_optimizer"), {"hat": 1e-15}),
        (MARS.like("authors", vector_beta1=0.5), {"beta1": 0.5}),
    ],
    ids=repr,
)
def test_the_libraries_do_plain_adamw_for_vectors(rule, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(adamw, rule.lr, **numbers))


def test_small_gradients_without_correction_are_adamw_s():
    gradients = GRADIENTS[:50] * 0.01
    found, expected = (
        path(rule, gradients, START)
        for rule in (MARS(gamma=0.0), AdamW(lr=0.003, beta1=0.95, beta2=0.99, weight_decay=0.0))
    )
    assert_close(found, expected)


def test_large_gradients_are_cut_to_a_norm_of_one_for_each_parameter():
    step = Step(MARS(beta1=0.0, beta2=0.0), {"a": np.zeros(2), "b": np.zeros(2)})
    step({"a": np.array([30.0, 40.0]), "b": np.array([0.3, 0.4])})
    np.testing.assert_allclose(step.state["a/m"], [0.6, 0.8], rtol=1e-15)
    np.testing.assert_allclose(step.state["b/m"], [0.3, 0.4], rtol=1e-15)
