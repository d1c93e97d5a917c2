"""One schedule after another."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value
from spusk.optim.schedules.milestones import check_ascending, check_count


@dataclass(frozen=True)
class Join(Schedule):
    """Schedules one after another, each of which begins anew, with its own t = 1, when its turn comes.

        schedulesᵢ(t − boundariesᵢ₋₁)  while boundariesᵢ₋₁ ≤ n < boundariesᵢ,  n = t − 1

    Source: Goyal, Dollár, Girshick, Noordhuis, Wesolowski, Kyrola, Tulloch, Jia & He, 2017, "Accurate, large
    minibatch SGD: Training ImageNet in 1 hour", §2.2 and §5.1, for the most frequent case, a warm-up first.

    Args:
        schedules: schedules or numbers, one more than there are boundaries.
        boundaries: numbers of steps done, ascending, > 0.

    >>> import numpy as np
    >>> from spusk.optim import Polynomial
    >>> Join((0.1, Polynomial(1.0, steps=2)), boundaries=(2,))(np.arange(1, 6)).tolist()
    [0.1, 0.1, 1.0, 0.5, 0.0]
    """

    schedules: tuple[Hyper, ...]
    boundaries: tuple[Hyper, ...]

    def __post_init__(self) -> None:
        check_ascending(self, "boundaries")
        super().__post_init__()
        check_count(self, "schedules", "boundaries")

    def at(self, t: Tensor) -> Tensor:
        result = value(self.schedules[0], t) + 0 * t
        for boundary, schedule in zip(self.boundaries, self.schedules[1:], strict=True):
            start = value(boundary, t)
            own = value(schedule, snp.maximum(t - start, 1))  # before its turn: its first value
            result = snp.where(t - 1 >= start, own, result)
        return result
