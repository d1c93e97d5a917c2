"""AdamW and SGDW against their oracles."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, LR_FACTORS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import SGDW, Adam, AdamW, Momentum


def loshchilov(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, decay=1e-4, eta=None):
    """Algorithm 2, AdamW: the schedule's multiplier η scales step and decay, α the step alone."""
    points, m, v = [w], 0.0, 0.0
    etas = [1.0] * len(lrs) if eta is None else eta
    for t, (g, alpha, eta_t) in enumerate(zip(gradients, lrs, etas, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        w = w - eta_t * (alpha * m_hat / (math.sqrt(v_hat) + eps) + decay * w)
        points.append(w)
    return points


def torch(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    points, exp_avg, exp_avg_sq = [w], 0.0, 0.0
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        w = w * (1 - lr * weight_decay)
        exp_avg = exp_avg + (1 - beta1) * (g - exp_avg)
        exp_avg_sq = exp_avg_sq * beta2 + (1 - beta2) * g * g
        denominator = math.sqrt(exp_avg_sq) / math.sqrt(1 - beta2**step) + eps
        w = w - (lr / (1 - beta1**step)) * exp_avg / denominator
        points.append(w)
    return points


def keras(gradients, lrs, w, beta1=0.9, beta2=0.999, epsilon=1e-7, weight_decay=0.004):
    points, m, v = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        w = w - w * weight_decay * lr
        alpha = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        m = m + (g - m) * (1 - beta1)
        v = v + (g * g - v) * (1 - beta2)
        w = w - m * alpha / (math.sqrt(v) + epsilon)
        points.append(w)
    return points


def loshchilov_sgd(gradients, lrs, w, beta1=0.9, decay=1e-4, eta=None):
    """Algorithm 1, SGDW."""
    points, m = [w], 0.0
    etas = [1.0] * len(lrs) if eta is None else eta
    for g, alpha, eta_t in zip(gradients, lrs, etas, strict=True):
        m = beta1 * m + eta_t * alpha * g
        w = w - m - eta_t * decay * w
        points.append(w)
    return points


def timm_sgd(gradients, lrs, w, momentum=0.0, weight_decay=0.0):
    points, buffer = [w], None
    for g, lr in zip(gradients, lrs, strict=True):
        w = w * (1 - lr * weight_decay)
        buffer = g if buffer is None else momentum * buffer + g
        w = w - lr * buffer
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (AdamW(), loshchilov, {}),
        (AdamW(beta1=0.5, beta2=0.9, eps=1e-3, weight_decay=0.1), loshchilov,
         {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "decay": 0.1}),
        (AdamW.like("torch"), torch, {}),
        (AdamW.like("optax"), torch, {"weight_decay": 1e-4}),
        (AdamW.like("keras"), keras, {}),
        (SGDW(), loshchilov_sgd, {}),
        (SGDW(beta1=0.5, weight_decay=0.1), loshchilov_sgd, {"beta1": 0.5, "decay": 0.1}),
        (SGDW.like("timm"), timm_sgd, {}),
        (SGDW.like("timm", beta1=0.9, weight_decay=0.1), timm_sgd, {"momentum": 0.9, "weight_decay": 0.1}),
        (SGDW.like("pytorch_optimizer"), timm_sgd, {}),
        (SGDW.like("pytorch_optimizer", beta1=0.9, weight_decay=0.1), timm_sgd,
         {"momentum": 0.9, "weight_decay": 0.1}),
    ],
    ids=named,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize(("cls", "oracle"), [(AdamW, loshchilov), (SGDW, loshchilov_sgd)])
def test_the_schedule_s_multiplier_scales_step_and_decay(cls, oracle):
    found = path(cls(), GRADIENTS, START, lrs(cls().lr), eta=LR_FACTORS)
    assert_close(found, replay(oracle, cls().lr, eta=LR_FACTORS.tolist()))


def test_the_multiplier_also_scales_a_step_whose_momentum_holds_gradients():
    rule = SGDW.like("timm", beta1=0.9, weight_decay=0.1, eta=0.5)
    expected = replay(timm_sgd, rule.lr / 2, momentum=0.9, weight_decay=0.1)
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), expected)


@pytest.mark.parametrize("cls", [AdamW, SGDW])
@pytest.mark.parametrize(("by_lr", "left"), [(False, 1 - 0.25), (True, 1 - 0.5 * 0.25)])
def test_without_gradients_a_step_takes_its_share_of_the_weights(cls, by_lr, left):
    rule = cls(lr=0.5, weight_decay=0.25, decay_by_lr=by_lr)
    np.testing.assert_allclose(path(rule, np.zeros((3, 1)), [1.0])[:, 0], left ** np.arange(4), rtol=1e-15)


@pytest.mark.parametrize(("with_decay", "without"), [(AdamW, Adam), (SGDW, Momentum)])
def test_without_decay_it_is_the_rule_that_it_extends(with_decay, without):
    assert_close(path(with_decay(weight_decay=0.0), GRADIENTS, START), path(without(), GRADIENTS, START))


def test_decay_does_not_enter_the_momentum():
    # After one step with a huge decay and without gradient, nothing is left in the velocity.
    points = path(SGDW(weight_decay=0.5), np.zeros((2, 1)), [1.0], weight_decay=np.array([0.5, 0.0]))
    assert points[:, 0].tolist() == [1.0, 0.5, 0.5]
