"""SGDW.

Loshchilov & Hutter, 2019, "Decoupled weight decay regularization".
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
class SGDW(Optimizer):
    """SGDW: momentum that shrinks the weights themselves, so that decay never enters the velocity.

        m ← β₁m + ηαg
        w ← w − m − ηλw

    Source: Loshchilov & Hutter, 2019, "Decoupled weight decay regularization", Algorithm 1.

    Of the schedule's multiplier η see AdamW. Timm and pytorch_optimizer have no η, keep gradients in the
    buffer, m ← β₁m + g and w ← w − αm − αλw, and no momentum unless asked.

    Args:
        lr: the learning rate α > 0; default 0.01.
        beta1: the momentum β₁ in [0, 1); default 0.9.
        weight_decay: λ ≥ 0; the paper gives no value; default 1e-4.
        eta: the schedule's multiplier η ≥ 0; default 1.
        lr_inside: True if the buffer holds steps (the paper); False if it holds gradients.
        decay_by_lr: True decays by ηαλ instead of ηλ.

    >>> import spusk as sp
    >>> sp.minimize(lambda x: 0 * x, 1.0, SGDW(weight_decay=0.5), steps=2).path.tolist()
    [1.0, 0.5, 0.25]
    """

    lr: Hyper = 0.01
    beta1: Hyper = 0.9
    weight_decay: Hyper = 1e-4
    eta: Hyper = 1.0
    lr_inside: bool = True
    decay_by_lr: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "timm": {"lr": 0.001, "beta1": 0.0, "weight_decay": 0.0, "lr_inside": False, "decay_by_lr": True},
        "pytorch_optimizer": {
            "lr": 1e-4, "beta1": 0.0, "weight_decay": 0.0, "lr_inside": False, "decay_by_lr": True,
        },
    }  # fmt: skip
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        decay = self.eta * (self.lr * self.weight_decay if self.decay_by_lr else self.weight_decay)
        if self.lr_inside:
            m = self.beta1 * s.m + self.eta * self.lr * g
            return w - m - decay * w, State(m=m)
        m = self.beta1 * s.m + g
        return w - self.eta * self.lr * m - decay * w, State(m=m)
