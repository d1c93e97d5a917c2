"""Plain loops over lists of numbers, which the oracles of wrappers are put together from."""

from __future__ import annotations

import math

from optim.events import GRADIENTS, LR_FACTORS, START


class PlainAdam:
    """Adam over a list of weights, one number at a time."""

    def __init__(self, count, beta1=0.9, beta2=0.999, eps=1e-8):
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.m, self.v, self.t = [0.0] * count, [0.0] * count, 0

    def step(self, w, g, lr):
        """The next weights."""
        self.t += 1
        new = []
        for i, (x, slope) in enumerate(zip(w, g, strict=True)):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * slope
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * slope * slope
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            v_hat = self.v[i] / (1 - self.beta2**self.t)
            new.append(x - lr * m_hat / (math.sqrt(v_hat) + self.eps))
        return new


class PlainMomentum:
    """The heavy ball over a list of weights."""

    def __init__(self, count, mu=0.9):
        self.mu, self.v = mu, [0.0] * count

    def step(self, w, g, lr):
        """The next weights."""
        self.v = [self.mu * v - lr * slope for v, slope in zip(self.v, g, strict=True)]
        return [x + v for x, v in zip(w, self.v, strict=True)]


class PlainSGD:
    """Gradient descent over a list of weights."""

    def __init__(self, count):
        self.count = count

    def step(self, w, g, lr):
        """The next weights."""
        return [x - lr * slope for x, slope in zip(w, g, strict=True)]


def slope(x):
    """The derivative of `events.slope`'s function."""
    return math.tanh(x) + 0.3 * x


def follow(step, lr):
    """All points of `step(w, g, lr, t)` through the events, with the slope of a convex function added."""
    w = START.tolist()
    points = [w]
    for i, pushes in enumerate(GRADIENTS.tolist()):
        g = [slope(x) + push for x, push in zip(w, pushes, strict=True)]
        w = step(w, g, lr * LR_FACTORS[i], i + 1)
        points.append(w)
    return points
