"""Yogi.

Zaheer, Reddi, Sachan, Kale & Kumar, 2018, "Adaptive methods for nonconvex optimization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class Yogi(Optimizer):
    """Yogi: Adam whose mean square moves by an amount that depends on g² alone, towards g².

        m ← β₁m + (1 − β₁)g
        v ← v − (1 − β₂)·sign(v − g²)·g²
        w ← w − η·m/(√v + ε)

    Source: Zaheer, Reddi, Sachan, Kale & Kumar, 2018, "Adaptive methods for nonconvex optimization",
    Algorithm 2.

    The paper debiases nothing, and advises to begin with v = the squared gradient of a large mini-batch.
    Optax and pytorch_optimizer begin with 1e-6 in v and in m, too, and debias both, which makes the first
    steps larger: m₀ = 1e-6 is then a step of its own.

    Args:
        lr: the learning rate η > 0; default 0.01.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: β₂ in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-3.
        v0: v before the first step, ≥ 0; default 1e-6.
        m0: m before the first step; default 0.
        debias: True divides m by 1 − β₁ᵗ and v by 1 − β₂ᵗ.

    >>> Yogi.like("optax").debias
    True
    """

    lr: Hyper = 0.01
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-3
    v0: Hyper = 1e-6
    m0: Hyper = 0.0
    debias: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"m0": 1e-6, "debias": True},
        "pytorch_optimizer": {"m0": 1e-6, "debias": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = {"v0": NOT_NEGATIVE}

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w) + self.m0, v=snp.zeros_like(w) + self.v0)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = s.v - (1 - self.beta2) * snp.sign(s.v - g * g) * (g * g)
        if not self.debias:
            return w - self.lr * m / (snp.sqrt(v) + self.eps), State(m=m, v=v)
        debias1, debias2 = 1 - self.beta1**t, 1 - self.beta2**t
        return w - (self.lr / debias1) * m / (snp.sqrt(v / debias2) + self.eps), State(m=m, v=v)
