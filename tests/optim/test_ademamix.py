"""AdEMAMix against its oracle."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, path

from spusk.graph import scalar
from spusk.optim import AdamW, AdEMAMix


def pagliardini(
    gradients, lrs, w, beta1=0.9, beta2=0.999, beta3=0.9999, alpha=5.0, T=None, eps=1e-8, decay=0.0
):
    """Algorithm 1."""
    points, m1, m2, v = [w], 0.0, 0.0, 0.0
    for t, (g, eta) in enumerate(zip(gradients, lrs, strict=True), start=1):
        alpha_t, beta3_t = alpha, beta3
        if T is not None and t < T:
            alpha_t = t * alpha / T
            below = (1 - t / T) * math.log(beta3) + t / T * math.log(beta1)
            beta3_t = math.exp(math.log(beta1) * math.log(beta3) / below)
        m1 = beta1 * m1 + (1 - beta1) * g
        m2 = beta3_t * m2 + (1 - beta3_t) * g
        v = beta2 * v + (1 - beta2) * g * g
        m1_hat = m1 / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        w = w - eta * ((m1_hat + alpha_t * m2) / (math.sqrt(v_hat) + eps) + decay * w)
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (AdEMAMix(), {}),
        (AdEMAMix(beta1=0.5, beta2=0.9, beta3=0.99, mix=2.0, eps=1e-3, weight_decay=0.1),
         {"beta1": 0.5, "beta2": 0.9, "beta3": 0.99, "alpha": 2.0, "eps": 1e-3, "decay": 0.1}),
        (AdEMAMix(warmup=400.0), {"T": 400}),
        (AdEMAMix(warmup=5000.0, mix=8.0), {"T": 5000, "alpha": 8.0}),
        (AdEMAMix.like("optax"), {}),
        (AdEMAMix.like("pytorch_optimizer"), {}),
        (AdEMAMix.like("authors"), {"alpha": 2.0}),
    ],
    ids=repr,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(pagliardini, rule.lr, **numbers))


def test_the_warm_up_goes_from_the_fast_mean_to_the_slow_one():
    rule = AdEMAMix(warmup=1000.0)

    def at(t):
        return tuple(float(x) for x in rule.warmed(scalar(t)))

    assert at(1000.0) == at(4000.0) == pytest.approx((5.0, 0.9999), rel=1e-15)
    assert at(1e-9) == pytest.approx((0.0, 0.9), rel=1e-9, abs=1e-9)
    # Halfway in 1/ln β: half of the slow mean's half-life, and the fast one's.
    half_life = math.log(0.5) / math.log(at(500.0)[1])
    assert half_life == pytest.approx((math.log(0.5) / math.log(0.9) + math.log(0.5) / math.log(0.9999)) / 2)


def test_without_the_slow_mean_it_is_adamw():
    expected = path(AdamW.like("torch"), GRADIENTS, START)
    assert_close(path(AdEMAMix(mix=0.0, weight_decay=0.01), GRADIENTS, START), expected)


def test_the_slow_mean_goes_on_when_gradients_end():
    gradients = np.array([*[1.0] * 100, *[0.0] * 400])
    points = path(AdEMAMix(), gradients, 0.0)
    late = np.diff(points)[-100:]
    assert (late < 0).all()
    assert np.abs(late[-1]) > 0.5 * np.abs(late[0])
