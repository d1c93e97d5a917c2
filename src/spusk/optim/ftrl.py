"""FTRL-Proximal.

McMahan, Holt, Sculley, Young, Ebner, Grady, Nie, Phillips, Davydov, Golovin, Chikkerur, Liu, Wattenberg,
Hrafnkelsson, Boulos & Kubica, 2013, "Ad click prediction: a view from the trenches".
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
class FTRL(Optimizer):
    """FTRL-Proximal: Adagrad for sparse linear models, whose weights are exactly 0 until they are worth it.

        z ← z + g − (√(n + g²) − √n)/α · w
        n ← n + g²
        w ← 0 if |z| ≤ λ₁, else −(z − sign(z)λ₁)/((β + √n)/α + λ₂)

    Source: McMahan et al., 2013, "Ad click prediction: a view from the trenches", Algorithm 1.

    The algorithm is for weights that begin with 0. From other weights w₀ its first step remembers w₀ only as
    far as √n₀ = 0 and β = 0 let it: with the paper's β = 1 a weight returns towards 0, and one whose
    gradients are all 0 is 0 after the first step. Pytorch_optimizer has β = 0; keras has β = 0 and n₀ = 0.1,
    and 2λ₂ in the place of λ₂.

    Args:
        lr: the learning rate α > 0; default 0.1.
        beta: β ≥ 0; default 1.
        l1: λ₁ ≥ 0; default 0.
        l2: λ₂ ≥ 0; default 0.
        n0: n before the first step, ≥ 0; default 0.
        twice_l2: True has 2λ₂ in the place of λ₂.

    >>> import spusk as sp
    >>> sp.minimize(lambda x: (x - 3) ** 2, 0.0, FTRL(l1=99.0), steps=9).x.tolist()
    0.0
    """

    lr: Hyper = 0.1
    beta: Hyper = 1.0
    l1: Hyper = 0.0
    l2: Hyper = 0.0
    n0: Hyper = 0.0
    twice_l2: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "keras": {"lr": 0.001, "beta": 0.0, "n0": 0.1, "twice_l2": True},
        "pytorch_optimizer": {"lr": 0.001, "beta": 0.0},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    ranges: ClassVar[Mapping[str, Range]] = dict.fromkeys(("beta", "l1", "l2", "n0"), NOT_NEGATIVE)

    def start(self, w: Tensor) -> State:
        return State(z=snp.zeros_like(w), n=snp.zeros_like(w) + self.n0)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        n = s.n + g * g
        sigma = (snp.sqrt(n) - snp.sqrt(s.n)) / self.lr
        z = s.z + g - sigma * w
        l2 = 2 * self.l2 if self.twice_l2 else self.l2
        new_w = -(z - snp.sign(z) * self.l1) / ((self.beta + snp.sqrt(n)) / self.lr + l2)
        return snp.where(snp.abs(z) <= self.l1, 0, new_w), State(z=z, n=n)
