"""ASGD and torch's variant against their oracles: the points, and the averages that are used."""

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import ASGD


def polyak(gradients, lrs, w, decay=1e-4, power=0.75, t0=0, averages=False):
    points, used = [w], []
    for t, (g, alpha) in enumerate(zip(gradients, lrs, strict=True), start=1):
        eta = alpha / (1 + decay * alpha * (t - 1)) ** power
        w = w - eta * (g + decay * w)
        points.append(w)
        used.append(sum(points[t0 + 1 :]) / (t - t0) if t > t0 else w)
    return [points[0], *used] if averages else points


def torch(gradients, lrs, w, lambd=1e-4, alpha=0.75, t0=1e6, averages=False):
    points, used, eta, mu, ax = [w], [w], lrs[0], 1.0, 0.0
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        w = w * (1 - lambd * eta) - eta * g
        ax = w if mu == 1 else ax + (w - ax) * mu
        eta = lr / (1 + lambd * lr * step) ** alpha
        mu = 1 / max(1, step - t0)
        points.append(w)
        used.append(ax)
    return used if averages else points


CASES = [
    (ASGD(), polyak, {}),
    (ASGD(decay=0.1, power=0.5, t0=100.0), polyak, {"decay": 0.1, "power": 0.5, "t0": 100}),
    (ASGD.like("torch"), torch, {}),
    (ASGD.like("torch", decay=0.1, power=0.6, t0=100.0), torch, {"lambd": 0.1, "alpha": 0.6, "t0": 100}),
]


@pytest.mark.parametrize(("rule", "oracle", "numbers"), CASES, ids=named)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize(("rule", "oracle", "numbers"), CASES, ids=named)
def test_the_weights_to_use_are_the_average(rule, oracle, numbers):
    found = path(rule, GRADIENTS, START, lrs(rule.lr), evaluated=True)
    assert_close(found, replay(oracle, rule.lr, averages=True, **numbers))


def test_averaging_removes_the_noise_of_the_last_steps():
    noise = np.random.default_rng(0).normal(size=4000)
    points, used = (
        path(ASGD(lr=0.1, decay=0.0), noise, 0.0, slope=lambda w: w, evaluated=e) for e in (False, True)
    )
    assert np.abs(used[-1000:]).max() < 0.2 * points[-1000:].std()


def test_torch_averages_from_the_millionth_step_on():
    assert ASGD.like("torch").t0 == 1e6
