"""LeCun's laws: inputs of variance 1 give sums of variance 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, fan

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class LeCunUniform(Initialiser):
    """LeCun's uniform law.

        w ~ U[−limit, limit),   limit = √(3 / fan_in),   so that  Var w = 1 / fan_in

    For tanh-like and self-normalising (SELU) layers whose inputs have mean 0 and variance 1.

    Source: LeCun, Bottou, Orr & Müller, 1998, "Efficient BackProp", section 4.6, eq. 16.

    Raises:
        InputError: on sampling, if the parameter has no fan_in.

    >>> from spusk.nn.parameter import Parameter
    >>> w = LeCunUniform().sample(Parameter("0.weight", (300, 200), fan_in=300), np.random.default_rng(0))
    >>> round(float(abs(w).max()), 3)
    0.1
    """

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        limit = math.sqrt(3 / fan(self, parameter, "fan_in"))
        return rng.uniform(-limit, limit, parameter.shape)


@dataclass(frozen=True)
class LeCunNormal(Initialiser):
    """LeCun's normal law.

        w ~ N(0, std²),   std = √(1 / fan_in)

    For tanh-like and self-normalising (SELU) layers whose inputs have mean 0 and variance 1. The law is not
    truncated; `VarianceScaling()` is its truncated form (what Keras and JAX call `lecun_normal`).

    Source: LeCun, Bottou, Orr & Müller, 1998, "Efficient BackProp", section 4.6, eq. 16.

    Raises:
        InputError: on sampling, if the parameter has no fan_in.

    >>> from spusk.nn.parameter import Parameter
    >>> w = LeCunNormal().sample(Parameter("0.weight", (400, 200), fan_in=400), np.random.default_rng(0))
    >>> round(float(w.std()), 3)
    0.05
    """

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        std = math.sqrt(1 / fan(self, parameter, "fan_in"))
        return rng.normal(0, std, parameter.shape)
