"""Weights that pass their input through unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, require_finite, require_matrix

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class Identity(Initialiser):
    """Identity map, times a gain.

        w_ij = gain · [i = j];   convolution:  w_abij = gain · [(a, b) is the kernel's centre] · [i = j]

    A rectangular matrix is the identity padded with zeros. A convolution's weight (kh, kw, in, out) is a
    Dirac: with an odd kernel and "same" padding it copies channel i to channel i. The centre of an even
    kernel of k taps is tap (k − 1) // 2, the left of the two in the middle.

    Source: Le, Jaitly & Hinton, 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear
    Units", section 2.

    Args:
        gain: any finite number, default 1.

    Raises:
        InputError: if `gain` is not finite; on sampling, if the parameter has fewer than two axes.

    >>> from spusk.nn.parameter import Parameter
    >>> Identity(gain=2).sample(Parameter("0.weight", (2, 3)), np.random.default_rng(0))
    array([[2., 0., 0.],
           [0., 2., 0.]])
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        require_finite(self, "gain")

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        require_matrix(self, parameter)
        *kernel, n_in, n_out = parameter.shape
        centre = tuple((taps - 1) // 2 for taps in kernel)
        diagonal = np.arange(min(n_in, n_out))
        weights = np.zeros(parameter.shape)
        weights[(*centre, diagonal, diagonal)] = self.gain
        return weights
