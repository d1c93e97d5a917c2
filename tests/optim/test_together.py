"""Prodigy, D-Adaptation, DoG and DoWG against their oracles: their rate comes from all parameters at once."""

import math

import numpy as np
import pytest
from optim import events
from optim.events import GRADIENTS, START, lrs, replay_rows
from optim.harness import Step, assert_close, named, path, slope

from spusk.optim import DAdaptAdam, DAdaptSGD, DoG, DoWG, Prodigy


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def at(g, w):
    """The gradient at w: a list, or a function of the point."""
    return g(w) if callable(g) else g


def mishchenko(gradients, lrs, w, beta1=0.9, beta2=0.999, beta3=None, eps=1e-8, d=1e-6, decay=0.0):
    """Algorithm 3 of the Prodigy paper."""
    n, first = len(w), w
    beta3 = math.sqrt(beta2) if beta3 is None else beta3
    points, m, v, s, r = [w], [0.0] * n, [0.0] * n, [0.0] * n, 0.0
    for g, gamma in zip(gradients, lrs, strict=True):
        g = at(g, w)
        m = [beta1 * m[i] + (1 - beta1) * d * g[i] for i in range(n)]
        v = [beta2 * v[i] + (1 - beta2) * d**2 * g[i] ** 2 for i in range(n)]
        r = beta3 * r + (1 - beta3) * gamma * d**2 * dot(g, [first[i] - w[i] for i in range(n)])
        s = [beta3 * s[i] + (1 - beta3) * gamma * d**2 * g[i] for i in range(n)]
        d_hat = r / math.fsum(map(abs, s))
        w = [w[i] - gamma * d * (m[i] / (math.sqrt(v[i]) + d * eps) + decay * w[i]) for i in range(n)]
        d = max(d, d_hat)
        points.append(w)
    return points


def prodigy_code(
    gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, d0=1e-6, coef=1.0, debias=False, decay=0.0
):
    """github.com/konstmish/prodigy: sums in units of d0, ε with the new d."""
    n, first, d, beta3 = len(w), w, d0, math.sqrt(beta2)
    points, exp_avg, exp_avg_sq, s, numerator = [w], [0.0] * n, [0.0] * n, [0.0] * n, 0.0
    for k, (g, lr) in enumerate(zip(gradients, lrs, strict=True)):
        g = at(g, w)
        correction = math.sqrt(1 - beta2 ** (k + 1)) / (1 - beta1 ** (k + 1)) if debias else 1.0
        dlr = d * lr * correction
        numerator = beta3 * numerator + (d / d0) * dlr * dot(g, [first[i] - w[i] for i in range(n)])
        exp_avg = [beta1 * exp_avg[i] + d * (1 - beta1) * g[i] for i in range(n)]
        exp_avg_sq = [beta2 * exp_avg_sq[i] + d * d * (1 - beta2) * g[i] * g[i] for i in range(n)]
        s = [beta3 * s[i] + (d / d0) * dlr * g[i] for i in range(n)]
        d = max(d, coef * numerator / sum(map(abs, s)))
        w = [
            w[i] - decay * dlr * w[i] - dlr * exp_avg[i] / (math.sqrt(exp_avg_sq[i]) + d * eps)
            for i in range(n)
        ]
        points.append(w)
    return points


def dadapt_adam(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, d=1e-6, debias=False, decay=0.0):
    n, root2 = len(w), math.sqrt(beta2)
    points, m, v, s, r = [w], [0.0] * n, [0.0] * n, [0.0] * n, 0.0
    for k, (g, lr) in enumerate(zip(gradients, lrs, strict=True)):
        g = at(g, w)
        correction = math.sqrt(1 - beta2 ** (k + 1)) / (1 - beta1 ** (k + 1)) if debias else 1.0
        dlr = d * lr * correction
        r = root2 * r + (1 - root2) * dlr * dot(g, [s[i] / (math.sqrt(v[i]) + eps) for i in range(n)])
        m = [beta1 * m[i] + (1 - beta1) * dlr * g[i] for i in range(n)]
        v = [beta2 * v[i] + (1 - beta2) * g[i] * g[i] for i in range(n)]
        s = [root2 * s[i] + (1 - root2) * dlr * g[i] for i in range(n)]
        w = [w[i] - decay * dlr * w[i] - m[i] / (math.sqrt(v[i]) + eps) for i in range(n)]
        d = max(d, r / ((1 - root2) * math.fsum(map(abs, s))))
        points.append(w)
    return points


def dadapt_sgd(gradients, lrs, w, beta=0.9, d=1e-6):
    n, first = len(w), w
    points, s, z, sum_, norm = [w], [0.0] * n, w, 0.0, math.hypot(*at(gradients[0], w))
    for g, gamma in zip(gradients, lrs, strict=True):
        g = at(g, w)
        lamb = d * gamma / norm
        sum_ = sum_ + lamb * dot(g, s)
        s = [s[i] + lamb * g[i] for i in range(n)]
        z = [first[i] - s[i] for i in range(n)]
        w = [beta * w[i] + (1 - beta) * z[i] for i in range(n)]
        d = max(d, 2 * sum_ / math.sqrt(dot(s, s)))
        points.append(w)
    return points


def ivgi(gradients, lrs, w, rho=1e-6, eps=1e-8):
    n, first = len(w), w
    points, squares, r = [w], 0.0, rho * (1 + math.sqrt(dot(w, w)))
    for g, c in zip(gradients, lrs, strict=True):
        g = at(g, w)
        way = [w[i] - first[i] for i in range(n)]
        r = max(r, math.sqrt(dot(way, way)))
        squares = squares + dot(g, g)
        w = [w[i] - c * r / math.sqrt(squares + eps) * g[i] for i in range(n)]
        points.append(w)
    return points


def khaled(gradients, lrs, w, r0=0.01, eps=0.0):
    n, first = len(w), w
    points, v, r2 = [w], 0.0, r0 * r0
    for g, c in zip(gradients, lrs, strict=True):
        g = at(g, w)
        way = [w[i] - first[i] for i in range(n)]
        r2 = max(r2, dot(way, way))
        v = v + r2 * dot(g, g)
        w = [w[i] - c * r2 / (math.sqrt(v) + eps) * g[i] for i in range(n)]
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Prodigy(), mishchenko, {}),
        (Prodigy(beta1=0.5, beta2=0.9, beta3=0.8, eps=1e-3, d0=0.01, lr=0.01, weight_decay=0.1), mishchenko,
         {"beta1": 0.5, "beta2": 0.9, "beta3": 0.8, "eps": 1e-3, "d": 0.01, "decay": 0.1}),
        (Prodigy.like("authors"), prodigy_code, {}),
        (Prodigy.like("authors", eps=1e-3, d_coef=2.0), prodigy_code, {"eps": 1e-3, "coef": 2.0}),
        (Prodigy.like("pytorch_optimizer", lr=0.01, weight_decay=0.1), prodigy_code, {"decay": 0.1}),
        (Prodigy.like("pytorch_optimizer", eps=1e-3), prodigy_code, {"eps": 1e-3}),
        (Prodigy.like("optax"), prodigy_code, {"debias": True}),
        (DAdaptAdam(), dadapt_adam, {}),
        (DAdaptAdam(beta1=0.5, beta2=0.9, eps=1e-3, d0=0.01, lr=0.01, weight_decay=0.1), dadapt_adam,
         {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "d": 0.01, "decay": 0.1}),
        (DAdaptAdam.like("optax"), dadapt_adam, {"debias": True}),
        (DAdaptAdam.like("pytorch_optimizer"), dadapt_adam, {}),
        (DAdaptAdam.like("authors"), dadapt_adam, {}),
        (DAdaptSGD(), dadapt_sgd, {}),
        (DAdaptSGD(beta=0.0, d0=0.01), dadapt_sgd, {"beta": 0.0, "d": 0.01}),
        (DAdaptSGD.like("pytorch_optimizer"), dadapt_sgd, {}),
        (DoG(), ivgi, {}),
        (DoG(rho=1e-3, eps=1.0), ivgi, {"rho": 1e-3, "eps": 1.0}),
        (DoG.like("optax"), ivgi, {}),
        (DoWG(), khaled, {}),
        (DoWG(r0=0.5), khaled, {"r0": 0.5}),
        (DoWG.like("optax"), khaled, {"eps": 1e-4}),
    ],
    ids=named,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay_rows(oracle, rule.lr, **numbers))


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Prodigy(d0=0.1, weight_decay=0.01), mishchenko, {"d": 0.1, "decay": 0.01}),
        (Prodigy.like("authors", d0=0.1, weight_decay=0.01), prodigy_code, {"d0": 0.1, "decay": 0.01}),
        (Prodigy.like("optax", d0=0.1), prodigy_code, {"d0": 0.1, "debias": True}),
        (DAdaptAdam(d0=0.1, weight_decay=0.01), dadapt_adam, {"d": 0.1, "decay": 0.01}),
        (DAdaptAdam.like("optax", d0=0.1), dadapt_adam, {"d": 0.1, "debias": True}),
        (DAdaptSGD(d0=0.1), dadapt_sgd, {"d": 0.1}),
        (DoG(rho=0.1), ivgi, {"rho": 0.1}),
        (DoWG(), khaled, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_on_the_way_to_a_minimum(rule, oracle, numbers):
    start, noise = 20 * START, np.clip(GRADIENTS[:100], -0.1, 0.1)
    slopes = [lambda w, e=e: [events.slope(x) + y for x, y in zip(w, e, strict=True)] for e in noise.tolist()]
    expected = np.array(oracle(slopes, [rule.lr] * len(slopes), start.tolist(), **numbers))
    # A first distance of 0.1, because of 1e-6 beside w₀ ≈ 20 rounding would leave nine digits.
    assert_close(path(rule, noise, start, slope=slope), expected)
    assert np.abs(expected - start).max() > 1


RULES = [Prodigy(), DAdaptAdam(), DAdaptSGD(), DoG(), DoWG()]


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_how_weights_are_cut_into_parameters_makes_no_difference(rule):
    whole, cut = Step(rule, {"w": START}), Step(rule, {"a": START[:2], "b": START[2:].reshape(3, 1)})
    for g in GRADIENTS[:200]:
        whole({"w": g})
        cut({"a": g[:2], "b": g[2:].reshape(3, 1)})
    found = np.concatenate([w.ravel() for w in cut.parameters.values()])
    np.testing.assert_allclose(found, whole.parameters["w"], rtol=1e-10)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_nothing_happens_while_all_gradients_are_zero(rule):
    points = path(rule, [np.zeros(5)] * 3 + [np.ones(5)], START)
    assert (points[:4] == START).all()
    assert (points[4] < START).all()


@pytest.mark.parametrize("rule", [Prodigy(), DAdaptAdam(), DAdaptSGD()], ids=named)
def test_zero_gradients_say_nothing_about_the_distance(rule):
    step = Step(rule, {"w": START})
    step({"w": np.zeros(5)})
    assert step.state["all/d"] == rule.d0


@pytest.mark.parametrize("rule", [DAdaptSGD(), DoWG()], ids=named)
def test_gradients_whose_squares_are_zero_move_nothing(rule):
    assert (path(rule, [np.full(5, 1e-200)], np.zeros(5)) == 0).all()


@pytest.mark.parametrize("rule", RULES, ids=named)
@pytest.mark.parametrize("far", [0.1, 1000.0])
def test_the_distance_to_a_far_minimum_is_found_without_a_rate(rule, far):
    # |w − far| in five dimensions, from 0.
    step = Step(rule, {"w": np.zeros(5)})
    best = math.inf
    for _ in range(2000):
        w = step.parameters["w"]
        best = min(best, np.abs(w - far).mean())
        step({"w": np.sign(w - far)})
    assert best < 0.1 * far


@pytest.mark.parametrize("rule", [Prodigy(), DAdaptAdam(), DAdaptSGD()], ids=named)
def test_the_estimate_of_the_distance_only_grows(rule):
    step, estimates = Step(rule, {"w": START}), []
    for g in GRADIENTS[:300]:
        step({"w": g})
        estimates.append(float(step.state["all/d"]))
    assert (np.diff(estimates) >= 0).all()
    assert estimates[-1] > 1e-6


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_parameters_of_different_precision_keep_theirs(rule):
    step = Step(rule, {"a": START.astype("float32"), "b": START})
    for g in GRADIENTS[:20]:
        step({"a": g.astype("float32"), "b": g})
    assert [w.dtype.name for w in step.parameters.values()] == ["float32", "float64"]
    np.testing.assert_allclose(step.parameters["a"], step.parameters["b"], rtol=1e-4)
