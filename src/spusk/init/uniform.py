"""The uniform law with given bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError
from spusk.init.initialiser import Initialiser, require_finite

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class Uniform(Initialiser):
    """Uniform law between two bounds.

        w ~ U[low, high)

    Source: Goodfellow, Bengio & Courville, 2016, "Deep Learning", section 8.4.

    Args:
        low, high: finite numbers, low ≤ high, and no more than the largest float64 apart.

    Raises:
        InputError: if a bound is not finite, or they are in the wrong order.

    >>> from spusk.nn.parameter import Parameter
    >>> w = Uniform(-0.1, 0.1).sample(Parameter("0.weight", (300, 200)), np.random.default_rng(0))
    >>> round(float(w.min()), 3), round(float(w.max()), 3)
    (-0.1, 0.1)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        require_finite(self, "low", "high")
        if self.low > self.high:
            raise InputError(f"Uniform got low={self.low!r} above high={self.high!r}; it needs low ≤ high")
        if not math.isfinite(float(self.high) - float(self.low)):
            raise InputError(
                f"Uniform got low={self.low!r} and high={self.high!r}; their distance must fit a float64"
            )

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.uniform(self.low, self.high, parameter.shape)
