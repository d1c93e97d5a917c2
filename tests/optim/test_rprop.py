"""Rprop and its variants against their oracles."""

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import Rprop


def sign(x):
    return (x > 0) - (x < 0)


def riedmiller(gradients, lrs, w, eta_minus=0.5, eta_plus=1.2, least=1e-6, most=50.0):
    """The paper's algorithm; the first learning rate is Δ₀."""
    points, delta, before, moved = [w], lrs[0], 0.0, 0.0
    for g in gradients:
        if before * g > 0:
            delta = min(delta * eta_plus, most)
            moved = -sign(g) * delta
            before = g
        elif before * g < 0:
            delta = max(delta * eta_minus, least)
            moved = -moved
            before = 0.0
        else:
            moved = -sign(g) * delta
            before = g
        w = w + moved
        points.append(w)
    return points


def torch(gradients, lrs, w, eta_minus=0.5, eta_plus=1.2, least=1e-6, most=50.0):
    points, size, before = [w], lrs[0], 0.0
    for g in gradients:
        factor = {1: eta_plus, -1: eta_minus, 0: 1.0}[sign(g * before)]
        size = min(max(size * factor, least), most)
        if factor == eta_minus:
            g = 0.0
        w = w - sign(g) * size
        before = g
        points.append(w)
    return points


def optax(gradients, lrs, w, eta_minus=0.5, eta_plus=1.2, least=1e-6, most=50.0):
    points, size, update = [w], lrs[0], 0.0
    for g in gradients:
        agrees = g * update
        if agrees != 0:
            size = min(max(size * (eta_plus if agrees > 0 else eta_minus), least), most)
        w = w - (0.0 if agrees < 0 else update)
        update = 0.0 if agrees < 0 else size * sign(g)
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Rprop(), riedmiller, {}),
        (Rprop(lr=0.001, eta_minus=0.3, eta_plus=1.5, step_min=0.01, step_max=2.0), riedmiller,
         {"eta_minus": 0.3, "eta_plus": 1.5, "least": 0.01, "most": 2.0}),
        (Rprop.like("torch"), torch, {}),
        (Rprop.like("torch", eta_plus=1.5, step_max=0.5), torch, {"eta_plus": 1.5, "most": 0.5}),
        (Rprop.like("optax"), optax, {}),
    ],
    ids=named,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize("kind", ["go back", "stay", "stay, late"])
def test_only_the_gradient_s_sign_counts(kind):
    rule = Rprop(at_change=kind)
    found, expected = (path(rule, g, START) for g in (GRADIENTS * 1e6, np.sign(GRADIENTS)))
    np.testing.assert_array_equal(found, expected)


def test_where_the_sign_changes_the_paper_goes_back_and_torch_stays():
    gradients = [1.0, 1.0, -1.0, -1.0]
    paper, torch, optax = (
        path(Rprop(lr=1.0, at_change=kind), gradients, 0.0).round(12).tolist()
        for kind in ("go back", "stay", "stay, late")
    )
    assert paper == [0.0, -1.0, -2.2, -1.0, -0.4]
    assert torch == [0.0, -1.0, -2.2, -2.2, -1.6]
    assert optax == [0.0, 0.0, -1.0, -1.0, -1.0]


def test_steps_stay_between_their_limits():
    steps = np.abs(np.diff(path(Rprop(lr=1.0, step_max=3.0), np.ones(20), 0.0)))
    assert steps.max() == pytest.approx(3.0, rel=1e-12)
    flips = path(Rprop(lr=1.0, step_min=0.25), (-1.0) ** np.arange(40), 0.0)
    assert np.abs(np.diff(flips))[20:].min() >= 0.25
