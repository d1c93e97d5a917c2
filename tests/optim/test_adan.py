"""Adan and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import Adan


def xie(gradients, lrs, w, beta1=0.02, beta2=0.08, beta3=0.01, eps=1e-8, decay=0.0):
    """Algorithm 1 with m₀ = g₀, v₀ = 0, n₀ = g₀², v₁ = g₁ − g₀."""
    points, before = [w], 0.0
    for k, (g, eta) in enumerate(zip(gradients, lrs, strict=True)):
        if k == 0:
            m, v, n = g, 0.0, g * g
        else:
            difference = g - before
            m = (1 - beta1) * m + beta1 * g
            v = difference if k == 1 else (1 - beta2) * v + beta2 * difference
            n = (1 - beta3) * n + beta3 * (g + (1 - beta2) * difference) ** 2
        before = g
        eta_k = eta / (math.sqrt(n) + eps)
        w = (w - eta_k * (m + (1 - beta2) * v)) / (1 + decay * eta)
        points.append(w)
    return points


def authors(
    gradients,
    lrs,
    w,
    betas=(0.98, 0.92, 0.99),
    eps=1e-8,
    weight_decay=0.0,
    no_prox=False,
    eps_root=0.0,
    ahead=None,
):
    """github.com/sail-sg/Adan, which timm and pytorch_optimizer follow."""
    beta1, beta2, beta3 = betas
    ahead = beta2 if ahead is None else ahead
    points, exp_avg, exp_avg_sq, exp_avg_diff, before = [w], 0.0, 0.0, 0.0, gradients[0]
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        diff = g - before
        update = g + ahead * diff
        exp_avg = exp_avg * beta1 + g * (1 - beta1)
        exp_avg_diff = exp_avg_diff * beta2 + diff * (1 - beta2)
        exp_avg_sq = exp_avg_sq * beta3 + update * update * (1 - beta3)
        denominator = math.sqrt(exp_avg_sq / (1 - beta3**step) + eps_root) + eps
        update = (exp_avg / (1 - beta1**step) + ahead * exp_avg_diff / (1 - beta2**step)) / denominator
        if no_prox:
            w = w * (1 - lr * weight_decay) - lr * update
        else:
            w = (w - lr * update) / (1 + lr * weight_decay)
        before = g
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Adan(), xie, {}),
        (Adan(beta1=0.1, beta2=0.3, beta3=0.2, eps=1e-3, weight_decay=0.1), xie,
         {"beta1": 0.1, "beta2": 0.3, "beta3": 0.2, "eps": 1e-3, "decay": 0.1}),
        (Adan.like("authors"), authors, {}),
        (Adan.like("authors", weight_decay=0.1), authors, {"weight_decay": 0.1}),
        (Adan.like("timm"), authors, {}),
        (Adan.like("pytorch_optimizer"), authors, {}),
        (Adan.like("optax", weight_decay=0.1), authors, {"weight_decay": 0.1, "no_prox": True, "eps_root": 1e-8, "ahead": 0.08}),
    ],
    ids=named,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize("debias", [False, True])
def test_the_first_step_has_size_lr(debias):
    first = path(Adan(lr=0.5, eps=0.0, debias=debias), [[3.0, -1e-6]], np.zeros(2))[1]
    np.testing.assert_allclose(first, [-0.5, 0.5], rtol=1e-12)


def test_constant_gradients_have_no_difference():
    # m = g and n = g² from the first step on: every step has size η.
    points = path(Adan(lr=0.5, eps=0.0), np.full(20, 3.0), 0.0)
    np.testing.assert_allclose(np.diff(points), -0.5, rtol=1e-12)


def test_the_decay_is_implicit():
    assert path(Adan(lr=0.5, weight_decay=2.0), np.zeros((1, 1)), [1.0])[1] == 0.5
    assert path(Adan.like("optax", lr=0.5, weight_decay=2.0), np.zeros((1, 1)), [1.0])[1] == 0.0
