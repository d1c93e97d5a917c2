"""He's (Kaiming's) laws: signals neither fade nor blow up through layers of rectifiers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, fan, require_finite, require_one_of

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class HeNormal(Initialiser):
    """He's normal law.

        w ~ N(0, std²),   std = √(2 / ((1 + slope²) · fan))

    For layers followed by ReLU (slope 0) or leaky ReLU. √(2/n) is a standard deviation, not a variance. The
    law is not truncated; `VarianceScaling(scale=2)` is its truncated form (what Keras and JAX call
    `he_normal`).

    Source: He, Zhang, Ren & Sun, 2015, "Delving Deep into Rectifiers: Surpassing Human-Level Performance on
    ImageNet Classification", eqs. 10, 14 and 15.

    Args:
        slope: of the rectifier for negative inputs, any finite number, default 0 (ReLU).
        mode: `"fan_in"` (default) keeps the variance of activations (eq. 10), `"fan_out"` that of gradients
            (eq. 14).

    Raises:
        InputError: if an argument is outside its range; on sampling, if the parameter lacks the fan.

    >>> from spusk.nn.parameter import Parameter
    >>> w = HeNormal().sample(Parameter("0.weight", (200, 300), fan_in=200), np.random.default_rng(0))
    >>> round(float(w.std()), 3)
    0.1
    """

    slope: float = 0.0
    mode: Literal["fan_in", "fan_out"] = "fan_in"

    def __post_init__(self) -> None:
        require_finite(self, "slope")
        require_one_of(self, "mode", ("fan_in", "fan_out"))

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        std = _std(self.slope, fan(self, parameter, self.mode))
        return rng.normal(0, std, parameter.shape)


@dataclass(frozen=True)
class HeUniform(Initialiser):
    """He's uniform law.

        w ~ U[−limit, limit),   limit = √3 · std,   std = √(2 / ((1 + slope²) · fan))

    For layers followed by ReLU (slope 0) or leaky ReLU.

    Source: He, Zhang, Ren & Sun, 2015, "Delving Deep into Rectifiers: Surpassing Human-Level Performance on
    ImageNet Classification", eqs. 10, 14 and 15.

    Args:
        slope: of the rectifier for negative inputs, any finite number, default 0 (ReLU).
        mode: `"fan_in"` (default) keeps the variance of activations (eq. 10), `"fan_out"` that of gradients
            (eq. 14).

    Raises:
        InputError: if an argument is outside its range; on sampling, if the parameter lacks the fan.

    >>> from spusk.nn.parameter import Parameter
    >>> w = HeUniform().sample(Parameter("0.weight", (600, 200), fan_in=600), np.random.default_rng(0))
    >>> round(float(abs(w).max()), 3)
    0.1
    """

    slope: float = 0.0
    mode: Literal["fan_in", "fan_out"] = "fan_in"

    def __post_init__(self) -> None:
        require_finite(self, "slope")
        require_one_of(self, "mode", ("fan_in", "fan_out"))

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        limit = math.sqrt(3) * _std(self.slope, fan(self, parameter, self.mode))
        return rng.uniform(-limit, limit, parameter.shape)


def _std(slope: float, fan: float) -> float:
    # hypot, because slope² overflows for slopes that are finite
    return math.sqrt(2 / fan) / math.hypot(1, slope)
