"""Given values between given steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value
from spusk.optim.ranges import check_choice
from spusk.optim.schedules.milestones import check_ascending, check_count


@dataclass(frozen=True)
class Piecewise(Schedule):
    """One value until the first boundary, the next one until the second, and so on.

        valuesᵢ  while boundariesᵢ₋₁ ≤ n < boundariesᵢ,  n = t − 1

    Source: Krizhevsky, Sutskever & Hinton, 2012, "ImageNet classification with deep convolutional neural
    networks", §5, whose rate is set by hand three times.

    With between="linear" the values are corners: values₀ at t = 1, valuesᵢ₊₁ at boundariesᵢ, straight lines
    between them. Keras's `PiecewiseConstantDecay` changes one step later (n ≤ boundary).

    Args:
        values: one more than there are boundaries.
        boundaries: numbers of steps done, ascending, > 0.
        between: "constant" or "linear".

    >>> import numpy as np
    >>> Piecewise((1.0, 0.5, 0.0), boundaries=(2, 4))(np.arange(1, 7)).tolist()
    [1.0, 1.0, 0.5, 0.5, 0.0, 0.0]
    >>> Piecewise((1.0, 0.5, 0.0), boundaries=(2, 4), between="linear")(np.arange(1, 7)).tolist()
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    values: tuple[Hyper, ...]
    boundaries: tuple[Hyper, ...]
    between: Literal["constant", "linear"] = "constant"

    def __post_init__(self) -> None:
        check_choice(self, "between", ("constant", "linear"))
        check_ascending(self, "boundaries")
        super().__post_init__()
        check_count(self, "values", "boundaries")

    def at(self, t: Tensor) -> Tensor:
        n, start = t - 1, 0.0
        values = [value(x, t) for x in self.values]
        result = values[0] + 0 * t
        for boundary, before, after in zip(self.boundaries, values, values[1:], strict=False):
            end = value(boundary, t)
            if self.between == "linear":
                line = before + (after - before) * (n - start) / (end - start)
                result = snp.where(n >= end, after, snp.where(n >= start, line, result))
            else:
                result = snp.where(n >= end, after, result)
            start = end
        return result
