"""The family behind LeCun's, Xavier's and He's laws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, fan, require_one_of, require_positive
from spusk.init.normal import truncated_standard_normal

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter

STD_OF_NORMAL_CUT_AT_2 = 0.87962566103423978
"""Standard deviation of the standard normal law restricted to ±2: √(1 − 4 φ(2) / (2 Φ(2) − 1))."""


@dataclass(frozen=True)
class VarianceScaling(Initialiser):
    """Zero-mean law whose variance is a scale over a fan.

        Var w = scale / fan;   normal:  w ~ N(0, Var w);   uniform:  w ~ U ±√(3 · Var w);
        truncated normal:  w ~ N(0, σ²) given |w| ≤ 2σ,   σ = √Var w / 0.87962566103423978

    LeCun is scale 1 over `"fan_in"`; Xavier is gain² over `"fan_avg"`; He is 2 / (1 + slope²) over its mode.
    The division of the truncated law's σ makes up for what the cut takes, so the variance is exactly
    scale / fan. Keras takes "normal" for "truncated_normal"; ours, as JAX's, is its "untruncated_normal".

    Source: Chollet et al., 2015, "Keras", `keras.initializers.VarianceScaling`.

    Args:
        scale: above 0, default 1.
        mode: `"fan_in"` (default), `"fan_out"`, or their mean `"fan_avg"`.
        distribution: `"truncated_normal"` (default), `"normal"` or `"uniform"`.

    Raises:
        InputError: if an argument is outside its range; on sampling, if the parameter lacks the fan.

    >>> from spusk.nn.parameter import Parameter
    >>> w = VarianceScaling().sample(Parameter("0.weight", (400, 200), fan_in=400), np.random.default_rng(0))
    >>> round(float(w.std()), 3)
    0.05
    """

    scale: float = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["truncated_normal", "normal", "uniform"] = "truncated_normal"

    def __post_init__(self) -> None:
        require_positive(self, "scale")
        require_one_of(self, "mode", ("fan_in", "fan_out", "fan_avg"))
        require_one_of(self, "distribution", ("truncated_normal", "normal", "uniform"))

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        std = math.sqrt(self.scale / fan(self, parameter, self.mode))
        if self.distribution == "normal":
            return rng.normal(0, std, parameter.shape)
        if self.distribution == "uniform":
            limit = math.sqrt(3) * std
            return rng.uniform(-limit, limit, parameter.shape)
        return std / STD_OF_NORMAL_CUT_AT_2 * truncated_standard_normal(parameter.shape, 2, rng)
