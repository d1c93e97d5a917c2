"""Schedule-Free SGD and AdamW against their oracles: the averages that are used, gradients taken between."""

import math

import numpy as np
import pytest
from optim import events
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import Step, assert_close, named, path, slope

from spusk.optim import ScheduleFreeAdamW, ScheduleFreeSGD


def defazio(gradients, lrs, w, beta=0.9, decay=0.0, scale=0.0):
    """Equations 3 to 5; gradients are those given plus `scale` times the slope at y."""
    used, x, z, weights = [w], w, w, lrs[0] ** 2
    for g, gamma in zip(gradients, lrs, strict=True):
        y = (1 - beta) * z + beta * x
        g = g + scale * events.slope(y)
        z = z - gamma * (g + decay * y)
        weights = weights + gamma**2
        c = gamma**2 / weights
        x = (1 - c) * x + c * z
        used.append(x)
    return used


def authors(gradients, lrs, w, momentum=0.9, decay=0.0, power=2.0, scale=0.0):
    """github.com/facebookresearch/schedule_free, the reference for SGD."""
    used, x, y, z, lr_max, weight_sum = [w], w, w, w, -1.0, 0.0
    for g, lr in zip(gradients, lrs, strict=True):
        lr_max = max(lr, lr_max)
        weight = lr_max**power
        weight_sum = weight_sum + weight
        ckp1 = weight / weight_sum
        g = g + scale * events.slope(y) + decay * y
        z = z - lr * g
        x = x * (1 - ckp1) + z * ckp1
        y = momentum * x + (1 - momentum) * z
        used.append(x)
    return used


def defazio_adamw(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.0, scale=0.0):
    """Algorithm 1."""
    used, x, z, v, weights = [w], w, w, 0.0, 0.0
    for t, (g, gamma) in enumerate(zip(gradients, lrs, strict=True), start=1):
        y = (1 - beta1) * z + beta1 * x
        g = g + scale * events.slope(y)
        v = beta2 * v + (1 - beta2) * g * g
        gamma = gamma * math.sqrt(1 - beta2**t)
        z = z - gamma * g / (math.sqrt(v) + eps) - gamma * decay * y
        weights = weights + gamma**2
        c = gamma**2 / weights
        x = (1 - c) * x + c * z
        used.append(x)
    return used


def authors_adamw(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.0, power=2.0, root=0.0):
    """The authors' code since it debiases v; power = 0 is keras's average."""
    used, x, y, z, v, lr_max, weight_sum = [w], w, w, w, 0.0, -1.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        lr_max = max(lr, lr_max)
        weight = lr_max**power
        weight_sum = weight_sum + weight
        ckp1 = weight / weight_sum
        v = beta2 * v + (1 - beta2) * g * g
        g = g / (math.sqrt(v / (1 - beta2**t) + root) + eps) + decay * y
        z = z - lr * g
        x = x * (1 - ckp1) + z * ckp1
        y = beta1 * x + (1 - beta1) * z
        used.append(x)
    return used


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (ScheduleFreeSGD(lr=0.01), defazio, {}),
        (ScheduleFreeSGD(lr=0.01, beta=0.5, weight_decay=0.1), defazio, {"beta": 0.5, "decay": 0.1}),
        (ScheduleFreeSGD.like("authors", lr=0.01, weight_decay=0.1), authors, {"decay": 0.1}),
        (ScheduleFreeSGD.like("optax", lr=0.01), authors, {}),
        (ScheduleFreeSGD.like("pytorch_optimizer", lr=0.01, weight_power=1.0), authors, {"power": 1.0}),
        (ScheduleFreeAdamW(), defazio_adamw, {}),
        (ScheduleFreeAdamW(beta1=0.5, beta2=0.9, eps=1e-3, weight_decay=0.1), defazio_adamw,
         {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "decay": 0.1}),
        (ScheduleFreeAdamW.like("authors", weight_decay=0.1), authors_adamw, {"decay": 0.1}),
        (ScheduleFreeAdamW.like("optax"), authors_adamw, {}),
        (ScheduleFreeAdamW.like("keras"), authors_adamw, {"power": 0.0}),
        (ScheduleFreeAdamW.like("pytorch_optimizer"), authors_adamw, {"root": 1e-15}),
    ],
    ids=named,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    found = path(rule, GRADIENTS, START, lrs(rule.lr), evaluated=True)
    assert_close(found, replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize(
    ("rule", "oracle"),
    [
        (ScheduleFreeSGD(lr=0.01), defazio),
        (ScheduleFreeSGD.like("authors", lr=0.01), authors),
        (ScheduleFreeAdamW(), defazio_adamw),
    ],
    ids=named,
)
def test_gradients_are_taken_between_the_point_and_the_average(rule, oracle):
    found = path(rule, GRADIENTS, START, lrs(rule.lr), slope=slope, evaluated=True)
    assert_close(found, replay(oracle, rule.lr, scale=1.0))


def test_with_a_constant_rate_the_average_is_plain():
    rules = (ScheduleFreeSGD(lr=0.5), ScheduleFreeSGD.like("authors", lr=0.5))
    gradients = GRADIENTS[:40, 0]
    points = path(rules[0], gradients, 1.0)
    with_first, without_first = (path(rule, gradients, 1.0, evaluated=True) for rule in rules)
    n = np.arange(1, 42)
    np.testing.assert_allclose(with_first, np.cumsum(points) / n, rtol=1e-12)
    np.testing.assert_allclose(without_first[1:], np.cumsum(points[1:]) / n[:-1], rtol=1e-12)


def test_a_constant_rate_ends_nearer_to_the_minimum_than_it_would_without_the_average():
    noise = np.random.default_rng(1).normal(size=3000)
    rule = ScheduleFreeSGD(lr=0.5)
    points, used = (path(rule, noise, 5.0, slope=lambda w: w, evaluated=e) for e in (False, True))
    assert np.abs(used[-500:]).max() < 0.1 < points[-500:].std()


def test_before_the_first_step_the_weights_to_use_are_the_weights():
    assert Step(ScheduleFreeAdamW(), {"w": START}).evaluated["w"].tolist() == START.tolist()


@pytest.mark.parametrize("rule", [ScheduleFreeSGD(), ScheduleFreeAdamW()], ids=named)
@pytest.mark.parametrize("rate", [0.0, 1e-200])
def test_a_point_reached_with_a_rate_whose_square_is_zero_counts_for_nothing(rule, rate):
    points = path(rule, [1.0, 1.0], 0.0, lrs=[rate, 0.1], evaluated=True)
    assert points[1] == 0.0
    assert points[2] < 0
