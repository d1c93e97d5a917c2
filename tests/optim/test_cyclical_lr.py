"""Cyclical rates around any optimizer, against Smith's formulas written out."""

import math

import numpy as np
import pytest
from optim import harness
from optim.events import GRADIENTS, START, slope
from optim.harness import Step, assert_close, path

from spusk.errors import InputError
from spusk.graph import evaluate, scalar
from spusk.optim import (
    SGD,
    Adam,
    Constant,
    CyclicalLR,
    Lookahead,
    Momentum,
    Nesterov,
    Partition,
    RMSprop,
    get,
)
from spusk.optim.hyper import hyperparameters

MODES = ["triangular", "triangular2", "exp_range"]


def swing(n, half_cycle, mode, gamma):
    """Smith 2017, §3: how high the rate stands between its bounds after n steps."""
    cycle = math.floor(1 + n / (2 * half_cycle))
    x = abs(n / half_cycle - 2 * cycle + 1)
    scale = {"triangular": 1.0, "triangular2": 1 / 2 ** (cycle - 1), "exp_range": gamma**n}[mode]
    return max(0.0, 1 - x) * scale


def momentum(gradients, w, mode, top=0.01, ratio=0.25, half_cycle=100, gamma=0.9999, mu=0.9):
    points, v = [w], 0.0
    for n, g in enumerate(gradients):
        lr = ratio * top + (top - ratio * top) * swing(n, half_cycle, mode, gamma)
        v = mu * v - lr * g
        w = w + v
        points.append(w)
    return points


def adam_with_cycled_beta1(gradients, w, mode, top, half_cycle, gamma=0.9999, low=0.85, high=0.95):
    points, m, v = [w], 0.0, 0.0
    for n, g in enumerate(gradients):
        height, t = swing(n, half_cycle, mode, gamma), n + 1
        lr = 0.25 * top + (top - 0.25 * top) * height
        beta1 = high - (high - low) * height
        m = beta1 * m + (1 - beta1) * g
        v = 0.999 * v + (1 - 0.999) * g * g
        w = w - lr * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        points.append(w)
    return points


def nesterov_with_cycled_mu(pushes, w, mode, top, half_cycle, gamma=0.9999, low=0.85, high=0.95):
    points, v = [w], 0.0
    for n, push in enumerate(pushes):
        height = swing(n, half_cycle, mode, gamma)
        lr = 0.25 * top + (top - 0.25 * top) * height
        mu = high - (high - low) * height
        v = mu * v - lr * (slope(w + mu * v) + push)
        w = w + v
        points.append(w)
    return points


def columns(oracle, *args, **numbers):
    return np.array([oracle(GRADIENTS[:, j].tolist(), START[j].item(), *args, **numbers) for j in range(5)]).T


@pytest.mark.parametrize("mode", MODES)
def test_momentum_under_a_cyclical_rate(mode):
    assert_close(path(CyclicalLR(mode=mode), GRADIENTS, START), columns(momentum, mode))
    rule = CyclicalLR(mode=mode, lr=0.1, base_ratio=0.01, half_cycle=37.5, gamma=0.99)
    expected = columns(momentum, mode, top=0.1, ratio=0.01, half_cycle=37.5, gamma=0.99)
    assert_close(path(rule, GRADIENTS, START), expected)


@pytest.mark.parametrize("mode", MODES)
def test_adam_with_beta1_cycled_against_the_rate(mode):
    rule = CyclicalLR(Adam(), lr=0.01, half_cycle=60, mode=mode, cycle_momentum=True)
    assert_close(path(rule, GRADIENTS, START), columns(adam_with_cycled_beta1, mode, 0.01, 60))


@pytest.mark.parametrize("mode", MODES)
def test_the_torch_preset_cycles_momentum_between_its_own_bounds(mode):
    rule = CyclicalLR.like("torch", inner=Adam(), lr=0.01, half_cycle=60, mode=mode)
    numbers = {"gamma": 1.0, "low": 0.8, "high": 0.9}
    assert_close(path(rule, GRADIENTS, START), columns(adam_with_cycled_beta1, mode, 0.01, 60, **numbers))


def test_without_arguments_it_is_triangular_and_torch_climbs_for_two_thousand_steps():
    assert_close(path(CyclicalLR(), GRADIENTS, START), columns(momentum, "triangular"))
    rule = CyclicalLR.like("torch", inner=Adam(), lr=0.01)
    expected = columns(adam_with_cycled_beta1, "triangular", 0.01, 2000, low=0.8, high=0.9)
    assert_close(path(rule, GRADIENTS, START), expected)


def test_called_by_hand_it_takes_the_rate_and_the_debiasing_of_the_step():
    w, t = {"w": scalar(1.0)}, scalar(2.0)
    rule = CyclicalLR(Adam(eps=0.0), lr=1.0, base_ratio=0.25, half_cycle=3)
    (new,) = evaluate([rule.update_all(w, {"w": scalar(5.0)}, rule.start_all(w), t)[0]["w"]], {})
    size = 0.5 * (0.1 / (1 - 0.9**2)) / math.sqrt(0.001 / (1 - 0.999**2))
    assert float(new) == pytest.approx(1.0 - size, rel=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_nesterov_looks_ahead_with_the_momentum_of_the_step(mode):
    rule = CyclicalLR(Nesterov(), lr=0.01, half_cycle=60, mode=mode, cycle_momentum=True)
    found = path(rule, GRADIENTS, START, slope=harness.slope)
    assert_close(found, columns(nesterov_with_cycled_mu, mode, 0.01, 60))


def test_a_base_ratio_of_one_is_the_inner_optimizer():
    for inner in (SGD(lr=0.02), Adam(lr=0.02), Lookahead(SGD(lr=0.02), k=3)):
        rule = CyclicalLR(inner, lr=0.02, base_ratio=1.0)
        assert_close(path(rule, GRADIENTS, START), path(inner, GRADIENTS, START))


def test_the_inner_rate_has_no_say():
    assert_close(path(CyclicalLR(SGD(lr=5.0)), GRADIENTS, START), path(CyclicalLR(SGD()), GRADIENTS, START))


def test_it_cycles_inside_and_around_other_wrappers():
    around = path(CyclicalLR(Lookahead(Adam()), lr=0.01, cycle_momentum=True), GRADIENTS, START)
    inside = path(Lookahead(CyclicalLR(Adam(), lr=0.01, cycle_momentum=True)), GRADIENTS, START)
    assert_close(around, inside)


def test_of_a_partition_it_cycles_the_momentum_of_each_part_that_has_one():
    parts = {"a": Adam(), "b": Momentum(), "c": SGD()}
    start = dict.fromkeys(parts, START[:2])

    def run(rule):
        step = Step(rule, start)
        for g in GRADIENTS[:150]:
            step(dict.fromkeys(parts, g[:2]))
        return step.parameters

    whole = run(CyclicalLR(Partition(parts), lr=0.01, half_cycle=20, cycle_momentum=True))
    apart = run(
        Partition(
            {
                "a": CyclicalLR(parts["a"], lr=0.01, half_cycle=20, cycle_momentum=True),
                "b": CyclicalLR(parts["b"], lr=0.01, half_cycle=20, cycle_momentum=True),
                "c": CyclicalLR(parts["c"], lr=0.01, half_cycle=20),
            }
        )
    )
    for name in parts:
        np.testing.assert_array_equal(whole[name], apart[name])


def test_its_numbers_are_inputs_and_with_lr_sets_the_highest_rate():
    rule = CyclicalLR(Adam(), lr=0.5)
    names = hyperparameters(rule)
    assert {"lr", "base_ratio", "half_cycle", "gamma", "mu_low", "mu_high", "inner.beta1"} <= names.keys()
    assert rule.with_lr(0.1) == CyclicalLR(Adam(), lr=0.1)
    assert rule.lr_grid == Adam.lr_grid
    assert get("cyclicallr") == CyclicalLR(Momentum())


def test_the_highest_rate_may_itself_be_a_schedule():
    rule = CyclicalLR(SGD(), lr=Constant(0.02))
    assert_close(path(rule, GRADIENTS, START), path(CyclicalLR(SGD(), lr=0.02), GRADIENTS, START))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: CyclicalLR(lr=0.0), r"CyclicalLR\(lr=0.0\): lr must be greater than 0"),
        (lambda: CyclicalLR(base_ratio=1.5), "base_ratio must be at least 0 and at most 1"),
        (lambda: CyclicalLR(half_cycle=0), "half_cycle must be greater than 0"),
        (lambda: CyclicalLR(mode="square"), "mode must be 'triangular', 'triangular2' or 'exp_range'"),
        (lambda: CyclicalLR(gamma=1.1), "gamma must be greater than 0 and at most 1"),
        (lambda: CyclicalLR(mu_high=1.0), "mu_high must be at least 0 and below 1"),
        (
            lambda: CyclicalLR(SGD(), cycle_momentum=True),
            "SGD has no momentum to cycle; it needs one of beta1, mu",
        ),
        (lambda: CyclicalLR(RMSprop(), cycle_momentum=True), "RMSprop has no momentum to cycle"),
        (
            lambda: CyclicalLR(Partition({"*": SGD()}), cycle_momentum=True),
            "Partition has no momentum to cycle",
        ),
        (lambda: CyclicalLR(SGD), "inner must be an optimizer"),
    ],
)
def test_bad_arguments_are_told_in_a_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()
