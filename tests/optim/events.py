"""A thousand gradients in which everything happens that breaks careless update rules."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 1000
START = np.array([1.0, -2.0, 0.5, 3.0, 1.0])
COLUMNS = len(START)


def _gradients() -> np.ndarray:
    """[STEPS, COLUMNS]: noise with events, a different one in every column."""
    random = np.random.default_rng(20240229)
    g = random.normal(size=(STEPS, COLUMNS))
    # 0: ordinary noise around a slope.
    g[:, 0] += 0.5
    # 1: exactly zero at first, and in long stretches.
    g[:7, 1] = 0.0
    g[300:420, 1] = 0.0
    # 2: tiny, ordinary, tiny.
    g[:100, 2] *= 1e-12
    g[600:800, 2] *= 1e-12
    # 3: signs that flip at every step, and a constant stretch.
    g[200:400, 3] = np.where(np.arange(200) % 2, 1.0, -1.0) + 0.01 * g[200:400, 3]
    g[500:560, 3] = 2.0
    # 4: all of it, with bursts.
    g[:3, 4] = 0.0
    g[50:60, 4] = 0.0
    g[100, 4] = 1e6
    g[101:103, 4] = -1e6
    g[103:200, 4] = 0.0
    g[300:350, 4] *= 1e-12
    g[700:703, 4] *= 1e6
    return g


def _lr_factors() -> np.ndarray:
    """[STEPS]: by how much the learning rate is multiplied in each step."""
    factors = np.ones(STEPS)
    factors[150:400] = 3.0
    factors[400:401] = 30.0
    factors[401:700] = 0.1
    factors[700:] = 0.5
    factors[900:] *= 0.99 ** np.arange(100)
    return factors


# `tools.mutants` looks at the first of them first.
FIRST = int(os.environ.get("SPUSK_TEST_STEPS", STEPS))
GRADIENTS = _gradients()[:FIRST]
LR_FACTORS = _lr_factors()[:FIRST]


def replay(oracle: Callable[..., list[float]], lr: float, **numbers: Any) -> np.ndarray:
    """The oracle's points, [STEPS + 1, COLUMNS]: a plain Python loop over each column."""
    lrs = [lr * f for f in LR_FACTORS.tolist()]
    columns = [oracle(GRADIENTS[:, j].tolist(), lrs, START[j].item(), **numbers) for j in range(COLUMNS)]
    return np.array(columns).T


def lrs(lr: float) -> np.ndarray:
    """The learning rate of each step."""
    return np.array([lr * f for f in LR_FACTORS.tolist()])


def slope(w: float) -> float:
    """The derivative of a small convex function that is not quadratic: log cosh(w) + 0.15w²."""
    return math.tanh(w) + 0.3 * w


def replay_rows(oracle: Callable[..., list[list[float]]], lr: float, **numbers: Any) -> np.ndarray:
    """As `replay`, of an oracle whose steps need all columns at once: a plain loop over lists."""
    lrs = [lr * f for f in LR_FACTORS.tolist()]
    return np.array(oracle(GRADIENTS.tolist(), lrs, START.tolist(), **numbers))
