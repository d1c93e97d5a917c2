"""Random orthogonal matrices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spusk.init.initialiser import Initialiser, require_finite, require_matrix

if TYPE_CHECKING:
    from spusk.nn.parameter import Parameter


@dataclass(frozen=True)
class Orthogonal(Initialiser):
    """Uniformly random orthogonal matrix, times a gain.

        A = QR,  A_ij ~ N(0, 1);   W = gain · Q · sign(diag R),   so that  WᵀW = gain² I

    A matrix that is not square is semi-orthogonal: its columns are orthonormal when it is tall, its rows
    when it is wide. With more than two axes all but the last are flattened, so a convolution's weight
    (kh, kw, in, out) is a matrix (kh·kw·in, out). The signs make Q uniform (Haar) over all orthogonal
    matrices; without them LAPACK's own choice of signs would bias it (Mezzadri, 2007, "How to generate
    random matrices from the classical compact groups", section 5).

    Source: Saxe, McClelland & Ganguli, 2014, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", section 3.

    Args:
        gain: any finite number, default 1.

    Raises:
        InputError: if `gain` is not finite; on sampling, if the parameter has fewer than two axes.

    >>> from spusk.nn.parameter import Parameter
    >>> w = Orthogonal(gain=2).sample(Parameter("0.weight", (5, 3)), np.random.default_rng(0))
    >>> bool(np.allclose(w.T @ w, 4 * np.eye(3)))
    True
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        require_finite(self, "gain")

    def sample(self, parameter: Parameter, rng: np.random.Generator) -> NDArray[np.float64]:
        require_matrix(self, parameter)
        rows, columns = math.prod(parameter.shape[:-1]), parameter.shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        matrix = q if rows >= columns else q.T
        return self.gain * matrix.reshape(parameter.shape)
