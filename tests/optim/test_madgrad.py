"""MADGRAD and its variants against their oracle."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, path

from spusk.optim import MADGRAD


def defazio(gradients, lrs, w, c=0.1, eps=1e-6, added=0.0):
    """Algorithm 1."""
    points, s, nu, first = [w], 0.0, 0.0, w
    for k, (g, gamma) in enumerate(zip(gradients, lrs, strict=True)):
        lamb = (gamma + added) * math.sqrt(k + 1)
        s = s + lamb * g
        nu = nu + lamb * g * g
        z = first - s / (math.cbrt(nu) + eps)
        w = (1 - c) * w + c * z
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (MADGRAD(), {}),
        (MADGRAD(c=1.0, eps=1e-3), {"c": 1.0, "eps": 1e-3}),
        (MADGRAD.like("optax"), {"added": 1e-6}),
        (MADGRAD.like("timm"), {"added": 1e-6}),
        (MADGRAD.like("pytorch_optimizer"), {"added": 1e-6}),
        (MADGRAD.like("authors", eps=0.01), {"eps": 0.01, "added": 0.01}),
    ],
    ids=repr,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(defazio, rule.lr, **numbers))


def test_the_first_step_is_the_gradient_s_cube_root():
    # s/∛ν = λg/∛(λg²) = ∛(λ²g).
    first = path(MADGRAD(lr=0.5, c=1.0, eps=0.0), [[8.0, -1e-3]], np.zeros(2))[1]
    np.testing.assert_allclose(first, [-np.cbrt(0.25 * 8), np.cbrt(0.25e-3)], rtol=1e-12)


def test_without_momentum_points_do_not_depend_on_the_order_of_gradients_but_for_their_weights():
    # Dual averaging: with c = 1 the point is a function of s and ν, hence after equal gradients of their sum.
    points = path(MADGRAD(c=1.0), np.full(30, 2.0), 5.0)
    weights = 0.01 * np.sqrt(np.arange(1, 31)).sum()
    assert points[-1] == pytest.approx(5 - 2 * weights / (np.cbrt(4 * weights) + 1e-6), rel=1e-12)
