"""AdEMAMix.

Pagliardini, Ablin & Grangier, 2024, "The AdEMAMix optimizer: Better, faster, older".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import AT_LEAST_ONE, NOT_NEGATIVE, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class AdEMAMix(Optimizer):
    """AdEMAMix: Adam's mean plus a second one that remembers ten thousand steps.

        m₁ ← β₁m₁ + (1 − β₁)g
        m₂ ← β₃m₂ + (1 − β₃)g
        v ← β₂v + (1 − β₂)g²
        w ← w − η·((m̂₁ + αm₂)/(√v̂ + ε) + λw),  m̂₁ = m₁/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
        while t < T: α grows linearly from 0, and β₃ from β₁, its half-life linearly

    Source: Pagliardini, Ablin & Grangier, 2024, "The AdEMAMix optimizer: Better, faster, older", Algorithm 1.

    The paper's β₃(t) = exp(ln β₁·ln β₃/((1 − t/T)·ln β₃ + (t/T)·ln β₁)) with T the number of steps. The
    authors' code has α = 2 and no warm-up unless asked; its README's example has α = 8. The default, 5, is
    that of optax. The `weight_decay` of pytorch_optimizer is added to the gradient unless asked otherwise.

    Args:
        lr: the learning rate η > 0; default 0.001.
        beta1: the decay β₁ of the fast mean in [0, 1), above 0 with a warm-up; default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        beta3: the decay β₃ of the slow mean in [0, 1); default 0.9999.
        mix: the slow mean's weight α ≥ 0; default 5.
        warmup: T ≥ 1, the steps over which α and β₃ grow; default None, no warm-up.
        eps: ε ≥ 0; default 1e-8.
        weight_decay: λ ≥ 0; default 0.

    >>> AdEMAMix.like("authors").mix
    2.0
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    beta3: Hyper = 0.9999
    mix: Hyper = 5.0
    warmup: Hyper = None
    eps: Hyper = 1e-8
    weight_decay: Hyper = 0.0

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {},
        "pytorch_optimizer": {},
        "authors": {"mix": 2.0},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    ranges: ClassVar[Mapping[str, Range]] = {"mix": NOT_NEGATIVE, "warmup": AT_LEAST_ONE}

    def start(self, w: Tensor) -> State:
        return State(m1=snp.zeros_like(w), m2=snp.zeros_like(w), v=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        alpha, beta3 = self.warmed(t)
        m1 = self.beta1 * s.m1 + (1 - self.beta1) * g
        m2 = beta3 * s.m2 + (1 - beta3) * g
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        debias1, debias2 = 1 - self.beta1**t, 1 - self.beta2**t
        step = (m1 / debias1 + alpha * m2) / (snp.sqrt(v / debias2) + self.eps)
        return w - self.lr * (step + self.weight_decay * w), State(m1=m1, m2=m2, v=v)

    def warmed(self, t: Tensor) -> tuple[Hyper, Hyper]:
        """α and β₃ of step t."""
        if self.warmup is None:
            return self.mix, self.beta3
        share = snp.minimum(t / self.warmup, 1)
        log1, log3 = snp.log(self.beta1), snp.log(self.beta3)
        return share * self.mix, snp.exp(log1 * log3 / ((1 - share) * log3 + share * log1))
