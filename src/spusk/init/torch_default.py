"""What PyTorch's Linear and Conv layers start from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, fan

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class TorchDefault(Initialiser):
    """PyTorch's default for linear and convolution layers, weights and biases.

        w, b ~ U[−limit, limit),   limit = 1 / √fan_in

    PyTorch writes the weights' law as He's uniform with slope √5, which is the same. It is the one
    initialiser here that covers biases without being told; a bias brings the fan_in of its layer.

    Source: Paszke et al., 2019, "PyTorch: An Imperative Style, High-Performance Deep Learning Library",
    `torch.nn.Linear.reset_parameters`.

    Raises:
        InputError: on sampling, if the parameter has no fan_in.

    >>> from spusk.nn.parameter import Parameter
    >>> w = TorchDefault().sample(Parameter("0.weight", (100, 300), fan_in=100), np.random.default_rng(0))
    >>> round(float(abs(w).max()), 3)
    0.1
    """

    biases: ClassVar[bool] = True

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        limit = 1 / math.sqrt(fan(self, parameter, "fan_in"))
        return rng.uniform(-limit, limit, parameter.shape)
