"""ADOPT and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import ADOPT


def taniguchi(gradients, lrs, w, beta1=0.9, beta2=0.9999, eps=1e-6, clip=None):
    """The first gradient is g₀, which starts v; `clip` is c as a function of the algorithm's t = 1, 2, …"""
    points, m, v = [w, w], 0.0, gradients[0] ** 2
    for t, (g, alpha) in enumerate(zip(gradients[1:], lrs[1:], strict=True), start=1):
        normalised = g / max(math.sqrt(v), eps)
        if clip is not None:
            normalised = min(max(normalised, -clip(t)), clip(t))
        m = beta1 * m + (1 - beta1) * normalised
        w = w - alpha * m
        v = beta2 * v + (1 - beta2) * g * g
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (ADOPT(), {}),
        (ADOPT(beta1=0.5, beta2=0.9, eps=0.1), {"beta1": 0.5, "beta2": 0.9, "eps": 0.1}),
        (ADOPT.like("authors"), {"clip": lambda t: t**0.25}),
        (ADOPT.like("optax", beta2=0.9), {"beta2": 0.9, "clip": lambda t: t**0.25}),
        (ADOPT.like("timm"), {"clip": lambda t: t**0.333}),
        (ADOPT.like("pytorch_optimizer"), {"clip": lambda t: (t + 1) ** 0.25}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(taniguchi, rule.lr, **numbers))


def test_the_first_step_only_measures():
    assert path(ADOPT(), GRADIENTS[:1], START)[1].tolist() == START.tolist()


def test_a_tiny_first_gradient_makes_a_huge_step_unless_it_is_clipped():
    gradients = [1e-12, 1.0]
    wild, clipped = (
        path(rule, gradients, 0.0)[-1] for rule in (ADOPT(lr=1.0), ADOPT.like("authors", lr=1.0))
    )
    assert wild == pytest.approx(-1e5, rel=1e-12)
    assert clipped == pytest.approx(-0.1, rel=1e-12)


def test_a_gradient_is_not_measured_by_itself():
    # Of a gradient k times as large as those before, the step is (1 − β₁)k, whatever β₂ is.
    for beta2 in (0.1, 0.9999):
        points = path(ADOPT(lr=1.0, beta1=0.0, beta2=beta2), [1.0, 1.0, 50.0], 0.0)
        np.testing.assert_allclose(np.diff(points), [0.0, -1.0, -50.0], rtol=1e-12)
