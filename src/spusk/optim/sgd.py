"""Stochastic gradient descent.

Robbins & Monro, 1951, "A stochastic approximation method".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: against the gradient of one example or of a mini-batch.

        w ← w − αg

    Source: Robbins & Monro, 1951, "A stochastic approximation method", Annals of Mathematical
    Statistics 22.

    Args:
        lr: the learning rate α > 0; default 0.01.

    >>> SGD.like("torch").lr
    0.001
    """

    lr: Hyper = 0.01

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"lr": 0.001},
        "optax": {},
        "keras": {},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        return w - self.lr * g, s
