"""Xavier's (Glorot's) laws: a compromise between keeping activations and keeping gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, fan, require_not_negative

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class XavierUniform(Initialiser):
    """Xavier's uniform law, the paper's "normalized initialization".

        w ~ U[−limit, limit),   limit = gain · √6 / √(fan_in + fan_out)

    For layers followed by tanh or by no activation.

    Source: Glorot & Bengio, 2010, "Understanding the difficulty of training deep feedforward neural
    networks", eq. 16.

    Args:
        gain: makes up for the activation's shrinking, 0 or more, default 1 (the paper has no gain).

    Raises:
        InputError: if `gain` is negative or not finite; on sampling, if the parameter lacks a fan.

    >>> from spusk.nn.parameter import Parameter
    >>> parameter = Parameter("0.weight", (400, 200), fan_in=400, fan_out=200)
    >>> round(float(abs(XavierUniform().sample(parameter, np.random.default_rng(0))).max()), 3)
    0.1
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        require_not_negative(self, "gain")

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        limit = self.gain * math.sqrt(3 / fan(self, parameter, "fan_avg"))
        return rng.uniform(-limit, limit, parameter.shape)


@dataclass(frozen=True)
class XavierNormal(Initialiser):
    """Xavier's normal law.

        w ~ N(0, std²),   std = gain · √(2 / (fan_in + fan_out))

    For layers followed by tanh or by no activation. The law is not truncated;
    `VarianceScaling(mode="fan_avg")` is its truncated form (what Keras and JAX call `glorot_normal`).

    Source: Glorot & Bengio, 2010, "Understanding the difficulty of training deep feedforward neural
    networks", eq. 12.

    Args:
        gain: makes up for the activation's shrinking, 0 or more, default 1 (the paper has no gain).

    Raises:
        InputError: if `gain` is negative or not finite; on sampling, if the parameter lacks a fan.

    >>> from spusk.nn.parameter import Parameter
    >>> parameter = Parameter("0.weight", (500, 300), fan_in=500, fan_out=300)
    >>> round(float(XavierNormal().sample(parameter, np.random.default_rng(0)).std()), 3)
    0.05
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        require_not_negative(self, "gain")

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        std = self.gain * math.sqrt(1 / fan(self, parameter, "fan_avg"))
        return rng.normal(0, std, parameter.shape)
