"""Lookahead against oracles written as the paper's two nested loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optim import harness
from optim.events import GRADIENTS, LR_FACTORS, START, lrs, replay, slope
from optim.harness import Counting, Step, assert_close, named, path

from spusk import optim
from spusk.errors import InputError
from spusk.optim import (
    EMA,
    SGD,
    Accumulate,
    Adam,
    Clip,
    CyclicalLR,
    GradientDescent,
    Lookahead,
    Momentum,
    Nadam,
    Nesterov,
    Partition,
    Triangular,
)


def around_sgd(pushes, lrs, w, k=5, alpha=0.5):
    points, slow, i = [w], w, 0
    while i < len(pushes):
        fast = slow
        for _ in range(min(k, len(pushes) - i)):
            fast = fast - lrs[i] * (slope(fast) + pushes[i])
            points.append(fast)
            i += 1
        slow = slow + alpha * (fast - slow)
        if i % k == 0:
            points[-1] = slow
    return points


def around_nesterov(pushes, lrs, w, k=5, alpha=0.5, mu=0.9, state="keep"):
    points, slow, i, v, slow_v = [w], w, 0, 0.0, 0.0
    while i < len(pushes):
        fast = slow
        for _ in range(min(k, len(pushes) - i)):
            v = mu * v - lrs[i] * (slope(fast + mu * v) + pushes[i])
            fast = fast + v
            points.append(fast)
            i += 1
        slow = slow + alpha * (fast - slow)
        if state == "reset":
            v = 0.0
        if state == "interpolate":
            v = slow_v = slow_v + alpha * (v - slow_v)
        if i % k == 0:
            points[-1] = slow
    return points


def around_adam(pushes, lrs, w, k=5, alpha=0.5, state="keep", beta1=0.9, beta2=0.999, eps=1e-8):
    points, slow, i = [w], w, 0
    m = v = slow_m = slow_v = 0.0
    t = 0
    while i < len(pushes):
        fast = slow
        for _ in range(min(k, len(pushes) - i)):
            g = slope(fast) + pushes[i]
            t += 1
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            fast = fast - lrs[i] * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps)
            points.append(fast)
            i += 1
        slow = slow + alpha * (fast - slow)
        if state == "reset":
            m, v, t = 0.0, 0.0, 0
        if state == "interpolate":
            m = slow_m = slow_m + alpha * (m - slow_m)
            v = slow_v = slow_v + alpha * (v - slow_v)
        if i % k == 0:
            points[-1] = slow
    return points


def twice_around_sgd(pushes, lrs, w, k=2, alpha=0.5, outer_k=3, outer_alpha=0.25):
    """Lookahead(Lookahead(SGD)): both synchronise at their own multiples, the inner one first."""
    points, fast, slow, slower = [w], w, w, w
    for i, (push, lr) in enumerate(zip(pushes, lrs, strict=True), start=1):
        fast = fast - lr * (slope(fast) + push)
        if i % k == 0:
            slow = slow + alpha * (fast - slow)
            fast = slow
        if i % outer_k == 0:
            slower = slower + outer_alpha * (fast - slower)
            fast = slower
        points.append(fast)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "lr", "numbers"),
    [
        (Lookahead(), around_adam, 0.001, {}),
        (Lookahead.like("optax"), around_adam, 0.001, {}),
        (Lookahead.like("authors"), around_adam, 0.001, {"alpha": 0.8}),
        (Lookahead(Adam(), k=7, alpha=0.3), around_adam, 0.001, {"k": 7, "alpha": 0.3}),
        (Lookahead(state="reset"), around_adam, 0.001, {"state": "reset"}),
        (Lookahead(state="interpolate"), around_adam, 0.001, {"state": "interpolate"}),
        (Lookahead(SGD()), around_sgd, 0.01, {}),
        (Lookahead(SGD(), k=1), around_sgd, 0.01, {"k": 1}),
        (Lookahead(Nesterov()), around_nesterov, 0.01, {}),
        (Lookahead(Nesterov(), k=6, state="reset"), around_nesterov, 0.01, {"k": 6, "state": "reset"}),
        (
            Lookahead(Nesterov(), alpha=0.8, state="interpolate"),
            around_nesterov,
            0.01,
            {"alpha": 0.8, "state": "interpolate"},
        ),
        (Lookahead(Lookahead(SGD(), k=2), k=3, alpha=0.25), twice_around_sgd, 0.01, {}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, lr, numbers):
    found = path(rule, GRADIENTS, START, lrs(lr), slope=harness.slope)
    assert_close(found, replay(oracle, lr, **numbers))


@given(
    inner=st.sampled_from([SGD(), Adam(), Nesterov(), Nadam(), Lookahead(SGD(), k=2)]), k=st.integers(1, 7)
)
def test_with_alpha_one_it_is_its_inner_optimizer(inner, k):
    pushes = GRADIENTS[:25]
    expected = path(inner, pushes, START, slope=harness.slope)
    assert_close(path(Lookahead(inner, k=k, alpha=1.0), pushes, START, slope=harness.slope), expected)


@given(alpha=st.floats(0.01, 1.0), k=st.integers(1, 6))
def test_under_a_constant_gradient_it_goes_alpha_times_as_far(alpha, k):
    points = path(Lookahead(SGD(lr=1.0), k=k, alpha=alpha), np.ones(5 * k), 0.0)
    np.testing.assert_allclose(points[::k], -alpha * k * np.arange(6), rtol=1e-12)


@pytest.mark.parametrize("k", [1, 3, 4])
def test_the_slow_weights_are_used_and_the_fast_ones_trained(k):
    rule = Lookahead(Adam(), k=k)
    fast, slow = (path(rule, GRADIENTS[:14], START, evaluated=used) for used in (False, True))
    for t in range(15):  # those of the last synchronisation
        np.testing.assert_array_equal(slow[t], fast[t - t % k])
    unchanged = path(Lookahead(Adam(), k=k, use="fast"), GRADIENTS[:14], START, evaluated=True)
    np.testing.assert_array_equal(unchanged, fast)


def test_an_average_that_the_inner_optimizer_keeps_is_used_before_the_slow_weights():
    average = optim.EMA(SGD(), beta=0.5)
    found = path(Lookahead(average, alpha=1.0), GRADIENTS[:9], START, evaluated=True)
    np.testing.assert_allclose(found, path(average, GRADIENTS[:9], START, evaluated=True), rtol=1e-14)


def test_reset_restarts_the_step_number_of_the_inner_optimizer():
    # Adam's first step after a reset has size lr again, whatever came before.
    gradients = np.array([1e3, 1.0, 1e-3, 1e-3, 5.0, 5.0])
    points = path(Lookahead(Adam(lr=0.1, eps=0.0), k=2, alpha=1.0, state="reset"), gradients, 0.0)
    np.testing.assert_allclose(np.diff(points)[::2], -0.1, rtol=1e-12)


def test_gradients_are_asked_for_in_the_inner_optimizer_s_own_step():
    kept, reset = (
        np.diff(path(Lookahead(Counting(), k=3, alpha=1.0, state=state), np.ones(6), 0.0)).tolist()
        for state in ("keep", "reset")
    )
    assert kept == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert reset == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("state", ["keep", "reset", "interpolate"])
def test_a_schedule_of_the_inner_optimizer_follows_the_steps_of_the_whole(state):
    rule = Lookahead(SGD(lr=Triangular(0.0, 1.0, half_cycle=4)), k=2, alpha=1.0, state=state)
    np.testing.assert_allclose(
        -np.diff(path(rule, np.ones(8), 0.0)), [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25]
    )


@pytest.mark.parametrize("state", ["keep", "reset", "interpolate"])
def test_whole_parameter_trees_are_kept_apart(state):
    rule = Lookahead(Lookahead(Nadam(), k=2, state=state), k=3, state=state)
    parameters = {"weight": START.reshape(5, 1) * np.ones((5, 2)), "bias": START[:2]}
    step = Step(rule, parameters)
    alone = Step(rule, {"bias": START[:2]})
    for g in GRADIENTS[:30]:
        step({"weight": np.outer(g, [1.0, 2.0]), "bias": g[:2]})
        alone({"bias": g[:2]})
    np.testing.assert_array_equal(step.parameters["bias"], alone.parameters["bias"])
    assert {
        "slow/weight",
        "slow/bias",
        "inner/slow/bias",
        "inner/inner/weight/m",
        "inner/inner/bias/product",
    } <= set(step.state)


def test_rate_grid_and_full_batch_are_those_of_the_inner_optimizer():
    rule = Lookahead(GradientDescent(lr=0.5))
    assert rule.lr_grid == GradientDescent.lr_grid
    assert rule.full_batch
    assert not Lookahead().full_batch
    assert rule.with_lr(0.1) == Lookahead(GradientDescent(lr=0.1))
    assert Lookahead(Lookahead(Momentum())).with_lr(0.5).inner.inner == Momentum(lr=0.5)
    assert Lookahead(CyclicalLR()).with_lr(0.5).inner == CyclicalLR(lr=0.5)
    assert rule.label == "lookahead"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Lookahead(k=0), r"Lookahead\(k=0\): k must be a whole number, 1 or greater"),
        (lambda: Lookahead(k=2.5), r"Lookahead\(k=2.5\): k must be a whole number"),
        (lambda: Lookahead(alpha=0.0), r"Lookahead\(alpha=0.0\): alpha must be greater than 0 and at most 1"),
        (lambda: Lookahead(alpha=1.5), "alpha must be greater than 0 and at most 1"),
        (lambda: Lookahead(state="kept"), "state must be 'keep', 'reset' or 'interpolate'"),
        (
            lambda: Lookahead("adam"),
            r"Lookahead\(inner='adam'\): inner must be an optimizer, such as Adam\(\)",
        ),
        (
            lambda: Lookahead(Partition({"*": Clip(Accumulate(k=4))}), k=6, state="reset"),
            r'Lookahead\(k=6, state="reset"\) around steps of 4 batches each: .* k must be a multiple of 4$',
        ),
        (
            lambda: Lookahead(Accumulate(Accumulate(k=2), k=3), k=3, state="reset"),
            "k must be a multiple of 6$",
        ),
        (lambda: Lookahead().with_lr(-1.0), r"Adam\(lr=-1.0\): lr must be greater than 0"),
    ],
)
def test_bad_arguments_are_told_in_a_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_accumulation_within_the_steps_between_resets_is_allowed():
    gradients = [1.0] * 8
    rule = Lookahead(Accumulate(SGD(lr=1.0), k=2), k=4, alpha=1.0, state="reset")
    points = path(rule, gradients, 0.0)
    np.testing.assert_array_equal(points, path(Accumulate(SGD(lr=1.0), k=2), gradients, 0.0))
    assert Lookahead(Accumulate(k=4), k=6).k == 6


def test_the_learning_rate_changes_reach_the_inner_optimizer():
    assert len(set(LR_FACTORS.tolist())) > 5
    assert harness.lr_name(Lookahead(Lookahead())) == "inner.inner.lr"


def test_slow_weights_are_used_where_the_inner_rule_has_no_average():
    inner = Partition({"a": EMA(SGD(), beta=0.5), "b": SGD()})
    step = harness.Step(Lookahead(inner, k=3), {"a": START, "b": START}, harness.slope)
    for g in GRADIENTS[:4]:
        step({"a": g, "b": g})
    used = step.evaluated
    np.testing.assert_array_equal(used["b"], step.state["slow/b"])
    np.testing.assert_array_equal(used["a"], step.state["inner/a/mean/a"])
    assert (used["b"] != step.parameters["b"]).all()
