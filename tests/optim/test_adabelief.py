"""AdaBelief and its variants against their oracles."""

import math
from dataclasses import replace

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.optim import AdaBelief


def zhuang(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-16, eps_root=1e-16):
    """Algorithm 2."""
    points, m, s = [w], 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * (g - m) ** 2 + eps_root
        m_hat = m / (1 - beta1**t)
        s_hat = s / (1 - beta2**t)
        w = w - lr * m_hat / (math.sqrt(s_hat) + eps)
        points.append(w)
    return points


def rectified(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-16, least=4.0, equal=False, early_eps=False):
    """The same with RAdam's rectification."""
    points, m, s = [w], 0.0, 0.0
    longest = 2 / (1 - beta2) - 1
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * (g - m) ** 2 + eps
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        step = m / (1 - beta1**t)
        if length > least or (equal and length == least):
            r = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            if early_eps:
                step *= math.sqrt(r * (1 - beta2**t)) / (math.sqrt(s) + eps)
            else:
                step *= math.sqrt(r) / (math.sqrt(s / (1 - beta2**t)) + eps)
        w = w - lr * step
        points.append(w)
    return points


AUTHORS = {"least": 5.0, "equal": True}


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (AdaBelief(), zhuang, {}),
        (AdaBelief(beta1=0.5, beta2=0.9), zhuang, {"beta1": 0.5, "beta2": 0.9}),
        (AdaBelief(eps=1e-3, eps_root=1e-5), zhuang, {"eps": 1e-3, "eps_root": 1e-5}),
        (AdaBelief.like("optax"), zhuang, {}),
        (AdaBelief(rectified=True), rectified, {}),
        (AdaBelief.like("authors"), rectified, {**AUTHORS, "early_eps": True}),
        (
            AdaBelief.like("authors", eps=1e-4, eps_root=1e-4),
            rectified,
            {**AUTHORS, "early_eps": True, "eps": 1e-4},
        ),
        (
            AdaBelief.like("timm", eps=1e-4, eps_root=1e-4),
            rectified,
            {**AUTHORS, "early_eps": True, "eps": 1e-4},
        ),
        (AdaBelief.like("authors-tf"), rectified, {**AUTHORS, "eps": 1e-14}),
        (AdaBelief.like("authors-tf", beta2=0.9), rectified, {**AUTHORS, "eps": 1e-14, "beta2": 0.9}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize("library", ["timm", "authors", "authors-tf"])
def test_the_threshold_counts_when_it_is_met_exactly(library):
    beta2 = 0.8  # the length grows from 1 through 5.3 in step 7 to 9
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * 7 * beta2**7 / (1 - beta2**7)
    rule = AdaBelief.like(library, beta2=beta2, threshold=length)
    for at_threshold in (True, False):
        numbers = {"beta2": beta2, "eps": rule.eps, "least": length, "equal": at_threshold}
        expected = rectified(GRADIENTS[:8, 0].tolist(), [0.001] * 8, 1.0, **numbers, early_eps=rule.eps_hat)
        variant = rule if at_threshold else replace(rule, at_threshold=False)
        assert_close(path(variant, GRADIENTS[:8, 0], 1.0), expected)
    assert not AdaBelief(rectified=True).at_threshold


def test_trusted_gradients_make_larger_steps_than_doubted_ones():
    steady, doubted = np.full(500, 0.1), 0.1 * np.where(np.arange(500) % 2, -1.0, 1.0)
    rule = AdaBelief(eps=0.0, eps_root=1e-16)
    last = [abs(np.diff(path(rule, gradients, 0.0))[-1]) for gradients in (steady, doubted)]
    assert last[0] > 3 * rule.lr > rule.lr > last[1]
