"""SignSGD and Signum.

Bernstein, Wang, Azizzadenesheli & Anandkumar, 2018, "signSGD: Compressed optimisation for non-convex
problems".
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
class SignSGD(Optimizer):
    """SignSGD: every weight moves by the learning rate, against the gradient's sign.

        w ← w − δ·sign(g)
        with a momentum (Signum):  m ← βm + (1 − β)g;  w ← w − δ·sign(m)

    Source: Bernstein, Wang, Azizzadenesheli & Anandkumar, 2018, "signSGD: Compressed optimisation for
    non-convex problems", Algorithms 1 and 2.

    Optax has both, as `sign_sgd` and `signum`; pytorch_optimizer's `SignSGD` is Signum. The sign of 0 is 0.

    Args:
        lr: the learning rate δ > 0; default 1e-4.
        beta: the momentum β in [0, 1) of Signum; default None, the plain rule without a state.

    >>> import spusk as sp
    >>> sp.minimize(lambda x: 1e6 * x * x, 1.0, SignSGD(lr=0.25), steps=3).path.tolist()
    [1.0, 0.75, 0.5, 0.25]
    """

    lr: Hyper = 1e-4
    beta: Hyper = None

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {},
        "pytorch_optimizer": {"lr": 0.001, "beta": 0.9},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

    def start(self, w: Tensor) -> State:
        return State() if self.beta is None else State(m=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        if self.beta is None:
            return w - self.lr * snp.sign(g), s
        m = self.beta * s.m + (1 - self.beta) * g
        return w - self.lr * snp.sign(m), State(m=m)
