"""LAMB.

You et al., 2020, "Large batch optimization for deep learning: Training BERT in 76 minutes".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.matrices import norm
from spusk.optim.optimizer import Optimizer, Parameters
from spusk.optim.ranges import POSITIVE, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class LAMB(Optimizer):
    """LAMB: Adam's direction, with steps proportional to the norm of each parameter.

        m ← β₁m + (1 − β₁)g
        v ← β₂v + (1 − β₂)g²
        r = m̂/(√v̂ + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
        w ← w − α·φ(‖w‖)/‖r + λw‖·(r + λw),  φ(z) = z

    Source: You et al., 2020, "Large batch optimization for deep learning: Training BERT in 76 minutes",
    Algorithm 2.

    By the formula a parameter of norm 0, such as a fresh bias, would never move; as in all libraries, the
    quotient of the norms is 1 if one of them is 0. Timm and NVIDIA's LAMB first clip the gradients of all
    parameters to a global norm of 1, and timm adapts no parameter without decay. Keras has no decay inside
    the norm: its own `weight_decay` is a separate w ← w − αλw.

    Args:
        lr: the learning rate α > 0; default 0.001.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-6.
        weight_decay: λ ≥ 0; default 0.01.
        eps_root: added to v̂ inside the root (optax), ≥ 0; default 0.
        low: the least value of φ, φ(z) = max(z, low); None (default) leaves the bound out.
        high: the greatest value of φ; None (default) leaves the bound out.
        clip: the gradients' global norm above which they are scaled down to it, > 0; None (default) leaves
            them as they are.
        adapt_undecayed: False takes Adam's step as it is where λ is 0.

    >>> import spusk as sp
    >>> rule = LAMB(lr=0.5, weight_decay=0.0)  # every step halves the distance to 0
    >>> sp.minimize(lambda x: 3 * x, 8.0, rule, steps=3).path.tolist()
    [8.0, 4.0, 2.0, 1.0]
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-6
    weight_decay: Hyper = 0.01
    eps_root: Hyper = 0.0
    low: Hyper = None
    high: Hyper = None
    clip: Hyper = None
    adapt_undecayed: bool = True

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"weight_decay": 0.0},
        "keras": {"eps": 1e-7, "weight_decay": 0.0},
        "timm": {"clip": 1.0, "adapt_undecayed": False},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = {"high": POSITIVE}

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w))

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        if self.clip is not None:
            total = sum((snp.sum(g * g) for g in gradients.values()), snp.asarray(0.0, dtype="float64"))
            excess = snp.maximum(snp.sqrt(total) / self.clip, 1)
            gradients = {name: g / snp.astype(excess, g.dtype) for name, g in gradients.items()}
        return super().update_all(parameters, gradients, state, t)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        m_hat, v_hat = m / (1 - self.beta1**t), v / (1 - self.beta2**t)
        r = m_hat / (snp.sqrt(v_hat + self.eps_root) + self.eps)
        step = r + self.weight_decay * w
        return w - (self.lr * self._ratio(w, step)) * step, State(m=m, v=v)

    def _ratio(self, w: Tensor, step: Tensor) -> Tensor:
        """φ(‖w‖)/‖step‖, or 1 where one of the norms is 0."""
        phi, size = norm(w), norm(step)
        if self.low is not None:
            phi = snp.maximum(phi, self.low)
        if self.high is not None:
            phi = snp.minimum(phi, self.high)
        is_defined = (phi > 0) & (size > 0)
        if not self.adapt_undecayed:
            is_defined = is_defined & (snp.asarray(self.weight_decay) > 0)
        return snp.where(is_defined, phi / snp.where(is_defined, size, 1), 1)
