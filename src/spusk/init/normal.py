"""Normal laws with given numbers: Normal, TruncatedNormal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, require_finite, require_not_negative, require_positive

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class Normal(Initialiser):
    """Normal law with a given mean and standard deviation.

        w ~ N(mean, std²)

    Source: Krizhevsky, Sutskever & Hinton, 2012, "ImageNet Classification with Deep Convolutional Neural
    Networks", section 5, where std = 0.01.

    Args:
        mean: any finite number, default 0.
        std: standard deviation, 0 or more, default 0.01.

    Raises:
        InputError: if `mean` is not finite, or `std` is negative or not finite.

    >>> from spusk.nn.parameter import Parameter
    >>> w = Normal(std=0.1).sample(Parameter("0.weight", (300, 200)), np.random.default_rng(0))
    >>> round(float(w.std()), 3)
    0.1
    """

    mean: float = 0.0
    std: float = 0.01

    def __post_init__(self) -> None:
        require_finite(self, "mean")
        require_not_negative(self, "std")

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.normal(self.mean, self.std, parameter.shape)


@dataclass(frozen=True)
class TruncatedNormal(Initialiser):
    """Normal law restricted to `cut` standard deviations around its mean.

        w ~ N(mean, std²)  given  |w − mean| ≤ cut · std

    `std` is that of the normal law before it is cut; what remains varies less (by the factor
    0.87962566103423978 when cut = 2). `VarianceScaling` corrects for it, this class does not.
    The draw is exact: proposals are accepted or rejected.

    Source: Robert, 1995, "Simulation of truncated normal variables", section 2.2.

    Args:
        mean: any finite number, default 0.
        std: standard deviation before the cut, 0 or more, default 1.
        cut: **in standard deviations**, above 0, default 2 (PyTorch's `a` and `b` are absolute values).

    Raises:
        InputError: if an argument is outside its range.

    >>> from spusk.nn.parameter import Parameter
    >>> parameter = Parameter("0.weight", (300, 200))
    >>> w = TruncatedNormal(std=0.1, cut=2).sample(parameter, np.random.default_rng(0))
    >>> round(float(abs(w).max()), 3)
    0.2
    """

    mean: float = 0.0
    std: float = 1.0
    cut: float = 2.0

    def __post_init__(self) -> None:
        require_finite(self, "mean")
        require_not_negative(self, "std")
        require_positive(self, "cut")

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        z = truncated_standard_normal(parameter.shape, self.cut, rng)
        return self.mean + self.std * z


def truncated_standard_normal(
    shape: tuple[int, ...], cut: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw from the standard normal law restricted to ±cut."""
    drawn = np.empty(math.prod(shape))
    filled = 0
    while filled < drawn.size:
        accepted = _accepted_proposals(drawn.size - filled, cut, rng)
        drawn[filled : filled + accepted.size] = accepted
        filled += accepted.size
    return drawn.reshape(shape)


def _accepted_proposals(count: int, cut: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Propose `count` values and keep those that the truncated law accepts.

    A narrow window is proposed uniformly and a wide one normally, so at least two thirds are kept.
    """
    if cut < 1:
        z = rng.uniform(-cut, cut, count)
        return z[rng.random(count) < np.exp(-z * z / 2)]
    z = rng.standard_normal(count)
    return z[np.abs(z) <= cut]
