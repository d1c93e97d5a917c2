"""LaProp and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import Adam, LaProp


def ziyin(gradients, lrs, w, mu=0.9, nu=0.999, eps=1e-15, root=0.0):
    """Algorithm 1; `root` is added inside the root."""
    points, m, n = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        n = nu * n + (1 - nu) * g * g
        c_n = 1 - nu**t
        m = mu * m + (1 - mu) * g / (math.sqrt(n / c_n + root) + eps)
        c_m = 1 - mu**t
        w = w - lr * m / c_m
        points.append(w)
    return points


def authors(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-15):
    """github.com/Z-T-WANG/LaProp-Optimizer: step sizes are averaged with the gradients."""
    points, exp_avg, exp_avg_sq, lr_1, lr_2 = [w], 0.0, 0.0, 0.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * g * g
        lr_1 = lr_1 * beta1 + (1 - beta1) * lr
        lr_2 = lr_2 * beta2 + (1 - beta2)
        step_size = 1 / (lr_1 / lr)
        exp_avg = exp_avg * beta1 + (1 - beta1) * lr * g / (math.sqrt(exp_avg_sq / lr_2) + eps)
        w = w - step_size * exp_avg
        points.append(w)
    return points


def pytorch_optimizer(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-15):
    points, exp_avg, exp_avg_sq, mean_lr = [w], 0.0, 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * g * g
        mean_lr = mean_lr * beta1 + (1 - beta1) * lr
        divisor = (math.sqrt(exp_avg_sq + 1e-15) + eps) / math.sqrt(1 - beta2**t)
        exp_avg = exp_avg * beta1 + (1 - beta1) * lr * g / divisor
        w = w - exp_avg / (mean_lr / lr)
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (LaProp(), ziyin, {}),
        (LaProp(mu=0.5, nu=0.9, eps=1e-3), ziyin, {"mu": 0.5, "nu": 0.9, "eps": 1e-3}),
        (LaProp(eps_root=1e-4), ziyin, {"root": 1e-4}),
        (LaProp.like("authors"), authors, {}),
        (LaProp.like("timm", eps=1e-3), authors, {"eps": 1e-3}),
        (LaProp.like("pytorch_optimizer"), pytorch_optimizer, {}),
        (LaProp.like("pytorch_optimizer", eps=1e-3), pytorch_optimizer, {"eps": 1e-3}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


def test_a_burst_reaches_the_momentum_normalised():
    # With μ > ν, Adam divides what is left of a burst in its mean by a mean square that has forgotten it.
    gradients = np.array([*[1.0] * 50, 1e6, *[1.0] * 50])
    adam, laprop = (
        np.abs(np.diff(path(rule, gradients, 0.0))).max()
        for rule in (Adam(lr=1.0, beta1=0.9, beta2=0.5), LaProp(lr=1.0, mu=0.9, nu=0.5))
    )
    assert laprop <= 1.2
    assert adam > 1000


def test_without_momentum_it_is_adam_without_momentum():
    found = path(LaProp(mu=0.0, eps=1e-8), GRADIENTS, START)
    assert_close(found, path(Adam(lr=4e-4, beta1=0.0), GRADIENTS, START))


def test_with_a_constant_rate_the_authors_code_is_the_paper():
    assert_close(path(LaProp.like("authors"), GRADIENTS, START), path(LaProp(), GRADIENTS, START))
