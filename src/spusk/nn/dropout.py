"""Dropout: units left out at random while training."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.graph import Tensor, ops
from spusk.graph.leaves import number
from spusk.nn.checks import require_real
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope

WORDS = 2**32


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Each element set to 0 with probability p while training, the others divided by 1 − p.

    So the expected output is the input ("inverted" dropout), and outside training the layer does nothing.
    Every layer and every step has its own mask; it follows from the run's key, so a run can be repeated.

    Args:
        p: the probability of 0, in [0, 1).

    Raises:
        InputError: if p is not in [0, 1); when applied in training, if the network got no key and step.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, 2014, "Dropout: a simple way to
    prevent neural networks from overfitting".

    >>> from spusk import streams
    >>> x = [[1.0] * 8]
    >>> Dropout(0.5)({}, x, training=True, key=streams.key(0, "dropout"), step=1).numpy()
    array([[0., 0., 0., 2., 0., 2., 2., 0.]], dtype=float32)
    >>> Dropout(0.5)({}, x).numpy()
    array([[1., 1., 1., 1., 1., 1., 1., 1.]], dtype=float32)
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        require_real(self, "p", "a probability in [0, 1)", low=0, below=1)

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        if not p.training or self.p == 0:
            return x
        x = ops.floating(x)
        dropped = p.random_bits(x.shape) < min(round(self.p * WORDS), WORDS - 1)
        return x * ops.where(dropped, number(0.0, x.dtype), 1 / (1 - self.p))
