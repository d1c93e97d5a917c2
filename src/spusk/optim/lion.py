"""Lion.

Chen, Liang, Huang, Real, Wang, Liu, Pham, Dong, Luong, Hsieh, Lu & Le, 2023, "Symbolic discovery of
optimization algorithms".
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
class Lion(Optimizer):
    """Lion: the sign of a mean that weighs the newest gradient more than the momentum kept does.

        c = β₁m + (1 − β₁)g
        w ← w − η(sign(c) + λw)
        m ← β₂m + (1 − β₂)g

    Source: Chen, Liang, Huang, Real, Wang, Liu, Pham, Dong, Luong, Hsieh, Lu & Le, 2023, "Symbolic discovery
    of optimization algorithms", Algorithm 2.

    The authors advise a rate 3 to 10 times smaller than AdamW's, and a λ as many times larger.

    Args:
        lr: the learning rate η > 0; default 1e-4.
        beta1: β₁ in [0, 1), the share of the momentum in the step; default 0.9.
        beta2: β₂ in [0, 1), the momentum's decay; default 0.99.
        weight_decay: λ ≥ 0; default 0.

    >>> import spusk as sp
    >>> sp.minimize(lambda x: 1e6 * x * x, 1.0, Lion(lr=0.25), steps=3).path.tolist()
    [1.0, 0.75, 0.5, 0.25]
    """

    lr: Hyper = 1e-4
    beta1: Hyper = 0.9
    beta2: Hyper = 0.99
    weight_decay: Hyper = 0.0

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"weight_decay": 0.001},
        "keras": {"lr": 0.001},
        "timm": {},
        "pytorch_optimizer": {},
        "authors": {},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        c = self.beta1 * s.m + (1 - self.beta1) * g
        m = self.beta2 * s.m + (1 - self.beta2) * g
        return w - self.lr * (snp.sign(c) + self.weight_decay * w), State(m=m)
