"""Adagrad with a warm-up of its own: state, the number of the step, and a schedule for any hyperparameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.optim import Cosine, Hyper, Optimizer, Schedule, State


@dataclass(frozen=True)
class HalfSine(Schedule):
    """From 0 up to a height and back to 0 along half a sine.

        height·sin(π·min(t/steps, 1))

    Args:
        height: the highest value.
        steps: after how many steps it is 0 again, > 0.
    """

    height: Hyper
    steps: Hyper

    def at(self, t):
        return self.height * snp.sin(3.141592653589793 * snp.minimum(t / self.steps, 1))


@dataclass(frozen=True)
class WarmAdagrad(Optimizer):
    """Adagrad whose first steps are shorter.

        s ← s + g²
        w ← w − α·min(t/T, 1)·g/(√s + ε)

    Args:
        lr: the learning rate α > 0; default 0.1.
        warm_up: T ≥ 0, in steps; default 10.
        eps: ε ≥ 0; default 1e-8.
    """

    lr: Hyper = 0.1
    warm_up: Hyper = 10.0
    eps: Hyper = 1e-8

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"long": {"warm_up": 100.0}}
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)

    def start(self, w):
        return State(s=snp.zeros_like(w))

    def update(self, w, g, s, t):
        total = s.s + g * g
        share = snp.minimum(t / self.warm_up, 1)
        return w - self.lr * share * g / (snp.sqrt(total) + self.eps), State(s=total)


cosine = WarmAdagrad(lr=Cosine(0.5, steps=400))
half_sine = WarmAdagrad(lr=HalfSine(0.5, steps=400))
