"""SAM and ASAM against plain loops."""

import math

import numpy as np
import pytest
from optim.descent import N, follow, slope, through_events
from optim.harness import Counting, assert_close, path
from optim.plain import PlainAdam, PlainMomentum, PlainSGD

import spusk as sp
from spusk.optim import SAM, SGD, Adam, Clip, Momentum, Nesterov
from spusk.train import descent_step


def sharp(inner, rho=0.05, adaptive=False, eta=0.01, eps=0.0):
    def step(w, push, lr, t):
        g = [slope(x, p) for x, p in zip(w, push, strict=True)]
        size = [abs(x) + eta if adaptive else 1.0 for x in w]
        norm = math.sqrt(math.fsum((s * x) ** 2 for s, x in zip(size, g, strict=True))) + eps
        away = [rho * s * s * x / norm if norm else 0.0 for s, x in zip(size, g, strict=True)]
        worst = [slope(x + e, p) for x, e, p in zip(w, away, push, strict=True)]
        return inner.step(w, worst, lr)

    return step


@pytest.mark.parametrize(
    ("rule", "oracle", "lr"),
    [
        (SAM(), lambda: sharp(PlainMomentum(N)), 0.01),
        (SAM(SGD(), rho=2.0), lambda: sharp(PlainSGD(N), 2.0), 0.01),
        (SAM(Adam(), rho=0.5, eps=0.1), lambda: sharp(PlainAdam(N), 0.5, eps=0.1), 0.001),
        (SAM(Adam(), rho=0.5, adaptive=True), lambda: sharp(PlainAdam(N), 0.5, True), 0.001),
        (
            SAM.like("pytorch_optimizer", adaptive=True, inner=Momentum(), rho=0.3),
            lambda: sharp(PlainMomentum(N), 0.3, True, 0.0, 1e-12),
            0.01,
        ),
    ],
    ids=lambda x: repr(x) if isinstance(x, SAM) else "",
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, lr):
    assert_close(through_events(rule, lr), follow(oracle(), lr))


def test_both_backends_agree():
    rule = SAM(Clip(Adam(), norm=1.0), adaptive=True, rho=0.5)
    assert_close(through_events(rule, 0.001, "native"), through_events(rule, 0.001, "numpy"))


def test_without_a_slope_it_stands_still():
    found = sp.minimize(lambda x: (x * x).sum(), [0.0, 0.0], SAM(SGD(lr=0.1)), steps=3)
    np.testing.assert_array_equal(found.path, np.zeros((4, 2)))


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_sam_of_sam_and_of_nesterov_go_out_from_where_the_inner_rule_looks(backend):
    def f(x):
        return sp.numpy.sqrt(1 + x * x) + 0.15 * x * x

    w, v, points = 2.0, 0.0, [2.0]
    for _ in range(30):
        at = w + 0.9 * v
        away = 0.1 * math.copysign(1, slope(at, 0.0))
        further = 0.2 * math.copysign(1, slope(at + away, 0.0))
        v = 0.9 * v - 0.05 * slope(at + away + further, 0.0)
        w = w + v
        points.append(w)
    rule = SAM(SAM(Nesterov(lr=0.05), rho=0.2), rho=0.1)
    np.testing.assert_allclose(sp.minimize(f, 2.0, rule, steps=30, backend=backend).path, points, rtol=1e-12)


def test_the_loss_that_is_reported_is_that_of_the_weights():
    w, rule = {"x": np.array([2.0, -1.0])}, SAM(SGD(lr=0.1), rho=0.5)
    step = descent_step(lambda p, t: (p["x"] ** 2).sum(), w, rule, backend="numpy")
    assert step.program(step.first_values(w, rule))["loss"] == 5.0


def test_what_pytorch_optimizer_adds_to_the_norm():
    assert SAM.like("pytorch_optimizer").eps == 1e-12


def test_the_inner_rule_asks_for_gradients_with_the_number_of_the_step():
    found = path(SAM(Counting(), rho=0.0), np.ones(3), 0.0)
    np.testing.assert_array_equal(found, [0, 1, 1 + 2, 1 + 2 + 3])
