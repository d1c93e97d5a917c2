"""Every weight the same: Zeros, Ones, Constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, require_finite

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class Zeros(Initialiser):
    """All zeros.

        w = 0

    Right for biases. As weights of a hidden layer they keep its neurons identical for ever; the docstring of
    `spusk.init` tells why.

    Source: Rumelhart, Hinton & Williams, 1986, "Learning Internal Representations by Error Propagation",
    section "Symmetry breaking".

    >>> from spusk.nn.parameter import Parameter
    >>> Zeros().sample(Parameter("0.bias", (3,), kind="bias"), np.random.default_rng(0))
    array([0., 0., 0.])
    """

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.zeros(parameter.shape)


@dataclass(frozen=True)
class Ones(Initialiser):
    """All ones.

        w = 1

    Right for the scales of normalisation layers; as weights they share the failure of zeros.

    Source: Ioffe & Szegedy, 2015, "Batch Normalization: Accelerating Deep Network Training by Reducing
    Internal Covariate Shift", section 3, where γ scales the normalised value.

    >>> from spusk.nn.parameter import Parameter
    >>> Ones().sample(Parameter("0.scale", (3,)), np.random.default_rng(0))
    array([1., 1., 1.])
    """

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.ones(parameter.shape)


@dataclass(frozen=True)
class Constant(Initialiser):
    """The same value everywhere.

        w = value

    Used for biases, such as 1 for an LSTM's forget gate; as weights it shares the failure of zeros.

    Source: Jozefowicz, Zaremba & Sutskever, 2015, "An Empirical Exploration of Recurrent Network
    Architectures", where the forget gate's bias starts at 1.

    Args:
        value: any finite number.

    Raises:
        InputError: if `value` is not a finite number.

    >>> from spusk.nn.parameter import Parameter
    >>> Constant(0.5).sample(Parameter("0.bias", (3,), kind="bias"), np.random.default_rng(0))
    array([0.5, 0.5, 0.5])
    """

    value: float

    def __post_init__(self) -> None:
        require_finite(self, "value")

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.full(parameter.shape, float(self.value))
