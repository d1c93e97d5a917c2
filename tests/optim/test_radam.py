"""RAdam and its variants against their oracles, and its constants."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay
from optim.harness import assert_close, named, path

from spusk.graph import scalar
from spusk.optim import Momentum, RAdam


def liu(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8):
    """Algorithm 2, with ε beside the root."""
    points, m, v = [w], 0.0, 0.0
    rho_inf = 2 / (1 - beta2) - 1
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1**t)
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        if rho > 4:
            v_hat = math.sqrt(v / (1 - beta2**t))
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            w = w - lr * r * m_hat / (v_hat + eps)
        else:
            w = w - lr * m_hat
        points.append(w)
    return points


def torch(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8):
    points, exp_avg, exp_avg_sq = [w], 0.0, 0.0
    rho_inf = 2 / (1 - beta2) - 1
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        exp_avg = exp_avg + (1 - beta1) * (g - exp_avg)
        exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * g * g
        bias_correction2 = 1 - beta2**step
        corrected = exp_avg / (1 - beta1**step)
        rho_t = rho_inf - 2 * step * (beta2**step) / bias_correction2
        if rho_t > 5.0:
            rect = ((rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t)) ** 0.5
            w = w - corrected * lr * (bias_correction2**0.5 / (math.sqrt(exp_avg_sq) + eps)) * rect
        else:
            w = w - corrected * lr
        points.append(w)
    return points


def optax(gradients, lrs, w, b1=0.9, b2=0.999, eps=1e-8, threshold=5.0):
    points, mu, nu = [w], 0.0, 0.0
    ro_inf = 2.0 / (1.0 - b2) - 1.0
    for count, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        mu = (1 - b1) * g + b1 * mu
        nu = (1 - b2) * g * g + b2 * nu
        b2t = b2**count
        ro = ro_inf - 2 * count * b2t / (1 - b2t)
        mu_hat, nu_hat = mu / (1 - b1**count), nu / (1 - b2**count)
        update = mu_hat
        if ro >= threshold:
            r = math.sqrt((ro - 4.0) * (ro - 2.0) * ro_inf / ((ro_inf - 4.0) * (ro_inf - 2.0) * ro))
            update = r * mu_hat / (math.sqrt(nu_hat) + eps)
        w = w - lr * update
        points.append(w)
    return points


def authors(gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-8, degenerated_to_sgd=False):
    """github.com/LiyuanLucasLiu/RAdam; timm's RAdamLegacy is the same with degenerated_to_sgd."""
    points, exp_avg, exp_avg_sq = [w], 0.0, 0.0
    longest = 2 / (1 - beta2) - 1
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * g * g
        exp_avg = beta1 * exp_avg + (1 - beta1) * g
        beta2_t = beta2**step
        length = longest - 2 * step * beta2_t / (1 - beta2_t)
        if length >= 5:
            rectification = (length - 4) / (longest - 4) * (length - 2) / length * longest / (longest - 2)
            step_size = math.sqrt((1 - beta2_t) * rectification) / (1 - beta1**step)
            w = w - step_size * lr * exp_avg / (math.sqrt(exp_avg_sq) + eps)
        elif degenerated_to_sgd:
            w = w - lr / (1 - beta1**step) * exp_avg
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (RAdam(), liu, {}),
        (RAdam(beta1=0.5, beta2=0.9), liu, {"beta1": 0.5, "beta2": 0.9}),
        (RAdam(beta2=0.5), liu, {"beta2": 0.5}),
        (RAdam.like("torch"), torch, {}),
        (RAdam.like("torch", eps=1e-4), torch, {"eps": 1e-4}),
        (RAdam.like("optax"), optax, {}),
        (RAdam.like("optax", threshold=6.0), optax, {"threshold": 6.0}),
        (RAdam.like("timm"), authors, {"degenerated_to_sgd": True}),
        (RAdam.like("authors"), authors, {}),
        (RAdam.like("authors", eps=1e-7), authors, {"eps": 1e-7}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize(
    ("t", "rho", "r"),
    # METHODS.md §2, for β₂ = 0.999.
    [(5, 4.995998, 0.0173115), (6, 5.994164, 0.0258211), (100, None, 0.215335), (1000, None, 0.645326)],
)
def test_the_rectification_has_its_known_values(t, rho, r):
    found_rho, found_r = RAdam().rectification(scalar(float(t)))
    assert float(found_r) == pytest.approx(r, rel=3e-6)
    if rho is not None:
        assert float(found_rho) == pytest.approx(rho, abs=5e-7)


def test_the_paper_rectifies_from_the_fifth_step_and_the_libraries_from_the_sixth():
    gradients = np.full(8, 100.0)
    paper, torch, authors = (
        np.abs(np.diff(path(rule, gradients, 0.0)))
        for rule in (RAdam(), RAdam.like("torch"), RAdam.like("authors"))
    )
    assert (paper > 0.01).tolist() == [True] * 4 + [False] * 4
    assert (torch > 0.01).tolist() == [True] * 5 + [False] * 3
    assert (authors > 0).tolist() == [False] * 5 + [True] * 3


def test_with_a_short_memory_it_never_rectifies_and_is_debiased_momentum():
    # ρ∞ = 2/(1 − β₂) − 1 = 3 ≤ 4.
    t = np.arange(1, 101)
    found = path(RAdam(beta2=0.5), GRADIENTS[:100, :1], [0.0], lrs=0.001 * (1 - 0.9**t))
    expected = path(Momentum.like("ema", lr=0.001), GRADIENTS[:100, :1], [0.0])
    assert_close(found, expected)


@pytest.mark.parametrize(
    ("library", "first"), [(None, 7), ("torch", 7), ("optax", 6), ("timm", 6), ("authors", 6)]
)
def test_at_the_threshold_itself_optax_and_the_authors_rectify_and_torch_does_not(library, first):
    rho_6 = float(RAdam().rectification(scalar(6.0))[0])
    rule = RAdam.like(library, threshold=rho_6) if library else RAdam(threshold=rho_6)
    sizes = np.abs(np.diff(path(rule, np.full(7, 100.0), 0.0)))
    is_rectified = (sizes > 0) & (sizes < 0.01)
    assert is_rectified.tolist() == [t >= first for t in range(1, 8)]
