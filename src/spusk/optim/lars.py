"""LARS.

You, Gitman & Ginsburg, 2017, "Large batch training of convolutional networks".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.matrices import norm
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class LARS(Optimizer):
    """LARS: momentum whose rate in each parameter is proportional to its norm over the gradient's norm.

        λ = η‖w‖/(‖g‖ + β‖w‖)
        v ← μv + αλ(g + βw)
        w ← w − v

    Source: You, Gitman & Ginsburg, 2017, "Large batch training of convolutional networks", Algorithm 1.

    By the formula a parameter of norm 0, such as a fresh bias, would never move; λ is 1 there, as in the
    authors' code. Theirs and timm's take λ = 1 for a gradient of 0, too (the formula's is η/β). Optax
    divides by ‖g + βw‖. Timm and pytorch_optimizer multiply by the rate after the momentum, not before it.
    Timm's defaults have no momentum and no decay, and adapt no parameter without decay: that is SGD.
    pytorch_optimizer neither adapts nor decays scalars and vectors.

    Args:
        lr: the learning rate α > 0; default 1.
        mu: the momentum μ in [0, 1); default 0.9.
        weight_decay: β ≥ 0; default 0.0005.
        trust: the trust coefficient η ≥ 0; default 0.001.
        eps: added to the denominator of λ, ≥ 0; default 0.
        joint_norm: True divides by ‖g + βw‖.
        needs_gradient: True takes λ = 1 where the gradient is 0.
        adapt_undecayed: False takes λ = 1 where β is 0.
        skip_vectors: True neither adapts nor decays parameters of fewer than two axes.
        lr_inside: False multiplies by the rate after the momentum: w ← w − αv.
        nesterov: True steps with the momentum that the next step would have, μv + αλ(g + βw).

    >>> import spusk as sp
    >>> rule = LARS(lr=1.0, trust=0.5, mu=0.0, weight_decay=0.0)  # every step halves the distance to 0
    >>> sp.minimize(lambda x: 3 * x, 8.0, rule, steps=3).path.tolist()
    [8.0, 4.0, 2.0, 1.0]
    """

    lr: Hyper = 1.0
    mu: Hyper = 0.9
    weight_decay: Hyper = 0.0005
    trust: Hyper = 0.001
    eps: Hyper = 0.0
    joint_norm: bool = False
    needs_gradient: bool = False
    adapt_undecayed: bool = True
    skip_vectors: bool = False
    lr_inside: bool = True
    nesterov: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "authors": {"needs_gradient": True},
        "optax": {"weight_decay": 0.0, "joint_norm": True},
        "timm": {
            "mu": 0.0,
            "weight_decay": 0.0,
            "eps": 1e-8,
            "needs_gradient": True,
            "adapt_undecayed": False,
            "lr_inside": False,
        },
        "pytorch_optimizer": {
            "lr": 0.001,
            "weight_decay": 0.0,
            "skip_vectors": True,
            "lr_inside": False,
        },
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-2, 1e-1, 1.0, 1e1, 1e2)

    def start(self, w: Tensor) -> State:
        return State(v=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        step = g
        if not (self.skip_vectors and w.ndim < 2):
            decayed = g + self.weight_decay * w
            step = self._local_rate(w, g, decayed) * decayed
        if self.lr_inside:
            step = self.lr * step
        v = self.mu * s.v + step
        moved = self.mu * v + step if self.nesterov else v
        return w - (moved if self.lr_inside else self.lr * moved), State(v=v)

    def _local_rate(self, w: Tensor, g: Tensor, decayed: Tensor) -> Tensor:
        """λ, a scalar."""
        norm_w, norm_g = norm(w), norm(g)
        size = norm(decayed) if self.joint_norm else norm_g + self.weight_decay * norm_w
        is_defined = (norm_w > 0) & (size > 0)
        if self.needs_gradient:
            is_defined = is_defined & (norm_g > 0)
        if not self.adapt_undecayed:
            is_defined = is_defined & (snp.asarray(self.weight_decay) > 0)
        size = snp.where(is_defined, size, 1)
        return snp.where(is_defined, self.trust * norm_w / (size + self.eps), 1)
