"""Activations that squash any number into an interval: tanh, sigmoid."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.graph import Tensor, ops
from spusk.graph.tensor import Operand
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope


def tanh(x: Operand) -> Tensor:
    """The hyperbolic tangent, into (−1, 1).

    Args:
        x: of any shape.

    Returns:
        The same shape. NaN stays NaN.

    Source: LeCun, Bottou, Orr, Müller, 1998, "Efficient backprop", §4.4.

    >>> tanh([-1e4, 0.0, 1e4]).numpy()
    array([-1.,  0.,  1.], dtype=float32)
    """
    return ops.tanh(x)


@dataclass(frozen=True, repr=False)
class Tanh(Layer):
    """The hyperbolic tangent of each element. See `tanh`.

    >>> Tanh()({}, [0.0, 1e4]).numpy()
    array([0., 1.], dtype=float32)
    """

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return tanh(x)


def sigmoid(x: Operand) -> Tensor:
    """1 / (1 + e⁻ˣ), into (0, 1).

    Nothing overflows, and small results have all their digits: it is eˣ/(1 + eˣ) for negative x. For the
    logarithm of a sigmoid write `-softplus(-x)`, which stays exact where the sigmoid rounds to 0 or 1.

    Args:
        x: of any shape.

    Returns:
        The same shape. NaN stays NaN.

    Source: Rumelhart, Hinton, Williams, 1986, "Learning representations by back-propagating errors".

    >>> sigmoid([-1e4, 0.0, 1e4]).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return ops.sigmoid(x)


@dataclass(frozen=True, repr=False)
class Sigmoid(Layer):
    """1 / (1 + e⁻ˣ) of each element. See `sigmoid`.

    >>> Sigmoid()({}, [0.0, 1e4]).numpy()
    array([0.5, 1. ], dtype=float32)
    """

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return sigmoid(x)
