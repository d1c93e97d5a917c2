"""Gradient descent on the whole training set.

Cauchy, 1847, "Méthode générale pour la résolution des systèmes d'équations simultanées".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Gradient descent: against the gradient of the loss of the whole training set.

        w ← w − α∇L(w)

    Source: Cauchy, 1847, "Méthode générale pour la résolution des systèmes d'équations simultanées",
    Comptes Rendus 25.

    Args:
        lr: the learning rate α > 0; default 0.01.

    >>> import spusk as sp
    >>> sp.minimize(lambda x: x * x, 1.0, GradientDescent(lr=0.25), steps=3).path.tolist()
    [1.0, 0.5, 0.25, 0.125]
    """

    lr: Hyper = 0.01

    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    full_batch: ClassVar[bool] = True

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        return w - self.lr * g, s
