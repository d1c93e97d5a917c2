"""All axes but the batch axis joined into one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spusk.graph import Tensor
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """All axes but the first joined in row-major order, (n, a, b, …) -> (n, a·b·…).

    Raises:
        ShapeError: when applied, if the input has no axis.

    >>> import spusk.numpy as snp
    >>> Flatten()({}, snp.zeros((5, 8, 8))).shape
    (5, 64)
    """

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        if x.ndim == 0:
            raise p.wrong_input(x, "it needs a batch axis")
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))
