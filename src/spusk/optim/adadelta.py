"""Adadelta.

Zeiler, 2012, "ADADELTA: An adaptive learning rate method".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Adadelta: steps in units of the weights, from the running mean squares of gradients and of steps.

        s ← ρs + (1 − ρ)g²
        Δ = −√(d + ε)/√(s + ε)·g
        d ← ρd + (1 − ρ)Δ²
        w ← w + αΔ

    Source: Zeiler, 2012, "ADADELTA: An adaptive learning rate method", Algorithm 1.

    The paper has no α, and ρ = 0.95. d collects Δ before α multiplies it, in every library. Keras takes
    α = 0.001, which makes the method very slow; optax without a learning rate climbs instead of descending
    (its default None leaves the sign of the step unchanged).

    Args:
        lr: the learning rate α > 0; default 1.
        rho: the decay ρ in [0, 1); default 0.9.
        eps: ε ≥ 0, default 1e-6; it also sets the size of the first steps, which start from d = 0.

    >>> Adadelta.like("paper").rho
    0.95
    """

    lr: Hyper = 1.0
    rho: Hyper = 0.9
    eps: Hyper = 1e-6

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper": {"rho": 0.95},
        "torch": {},
        "optax": {},
        "keras": {"lr": 0.001, "rho": 0.95, "eps": 1e-7},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-2, 1e-1, 1.0, 10.0, 100.0)

    def start(self, w: Tensor) -> State:
        return State(s=snp.zeros_like(w), d=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        square = self.rho * s.s + (1 - self.rho) * g * g
        delta = -snp.sqrt(s.d + self.eps) / snp.sqrt(square + self.eps) * g
        d = self.rho * s.d + (1 - self.rho) * delta * delta
        return w + self.lr * delta, State(s=square, d=d)
