"""ASGD.

Polyak & Juditsky, 1992, "Acceleration of stochastic approximation by averaging".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor, scalar
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class ASGD(Optimizer):
    """ASGD: gradient descent whose rate falls slowly, and whose result is the average of all points.

        η = α/(1 + λα(t − 1))^p
        w ← w − η(g + λw)
        x ← x + (w − x)/max(1, t − t₀),  the weights to use

    Source: Polyak & Juditsky, 1992, "Acceleration of stochastic approximation by averaging", algorithm (2).

    The paper averages the points before the step, w₀ and on; here as in torch w₀ is left out. The rate is
    that of torch's `ASGD` (after Bottou), which computes it and the average's weight at the end
    of each step for the next: there a change of α comes one step late, and t − 1 − t₀ stands for t − t₀.
    Torch begins to average after t₀ = 10⁶ steps, and leaves it to its user to fetch x from the state.

    Args:
        lr: the learning rate α > 0; default 0.01.
        decay: λ ≥ 0, of the weights and of the rate; default 1e-4.
        power: p ≥ 0, above ½ and below 1 in the paper; default 0.75.
        t0: the steps t₀ ≥ 0 that are not averaged; default 0.
        late: True computes η and the average's weight one step before they are used.

    >>> import spusk as sp
    >>> sp.minimize(lambda x: x, 0.0, ASGD(lr=1.0, decay=0.0), steps=3).path.tolist()
    [0.0, -1.0, -1.5, -2.0]
    """

    lr: Hyper = 0.01
    decay: Hyper = 1e-4
    power: Hyper = 0.75
    t0: Hyper = 0.0
    late: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"torch": {"t0": 1e6, "late": True}}
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = dict.fromkeys(("decay", "power", "t0"), NOT_NEGATIVE)

    def start(self, w: Tensor) -> State:
        return State(average=w, eta=scalar(0.0)) if self.late else State(average=w)

    def evaluated(self, w: Tensor, s: State) -> Tensor:
        return s.average

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        if self.late:
            eta = snp.where(t == 1, self.lr, s.eta)
            next_eta = self.lr / (1 + self.decay * self.lr * t) ** self.power
            new_w, average = self.moved(w, g, s, eta, t - 1)
            return new_w, State(average=average, eta=next_eta)
        eta = self.lr / (1 + self.decay * self.lr * (t - 1)) ** self.power
        new_w, average = self.moved(w, g, s, eta, t)
        return new_w, State(average=average)

    def moved(self, w: Tensor, g: Tensor, s: State, eta: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The next point and average, for the rate η, counting t steps."""
        new_w = w - eta * (g + self.decay * w)
        return new_w, s.average + (new_w - s.average) / snp.maximum(1, t - self.t0)
