"""Scores made into probabilities: softmax and its logarithm."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.graph import Tensor, ops
from spusk.graph.tensor import Operand
from spusk.nn.checks import require_whole
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope


def softmax(x: Operand, axis: int = -1) -> Tensor:
    """eˣ divided by its sum along one axis: positive numbers with sum 1.

    Args:
        x: of any shape with that axis.
        axis: along which the result sums to 1, default the last.

    Returns:
        The same shape. An element of −∞ gets probability 0; NaN makes its whole row NaN.

    Raises:
        ShapeError: if x has no such axis.

    Source: Bridle, 1990, "Probabilistic interpretation of feedforward classification network outputs, with
    relationships to statistical pattern recognition".

    >>> softmax([[0.0, 0.0], [1e4, -1e4]]).numpy()
    array([[0.5, 0.5],
           [1. , 0. ]], dtype=float32)
    """
    e = ops.exp(shifted(ops.floating(x), axis))
    return e / ops.sum(e, axis, keepdims=True)


@dataclass(frozen=True, repr=False)
class Softmax(Layer):
    """eˣ divided by its sum along one axis. See `softmax`.

    To train a classifier, leave it out: `nn.losses.cross_entropy` takes the scores themselves.

    Args:
        axis: along which the result sums to 1, default the last.

    Raises:
        InputError: if the axis is not a whole number.
        ShapeError: when applied, if the input has no such axis.

    >>> Softmax()({}, [0.0, 0.0]).numpy()
    array([0.5, 0.5], dtype=float32)
    """

    axis: int = -1

    def __post_init__(self) -> None:
        require_whole(self, "axis")

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        _require_axis(self.axis, p, x)
        return softmax(x, self.axis)


def log_softmax(x: Operand, axis: int = -1) -> Tensor:
    """log(softmax(x)), exact where the softmax itself rounds to 0.

    Args:
        x: of any shape with that axis.
        axis: along which e to the result sums to 1, default the last.

    Returns:
        The same shape. NaN makes its whole row NaN.

    Raises:
        ShapeError: if x has no such axis.

    Source: Bridle, 1990, "Probabilistic interpretation of feedforward classification network outputs, with
    relationships to statistical pattern recognition".

    >>> log_softmax([1e4, -1e4]).numpy()
    array([     0., -20000.], dtype=float32)
    """
    z = shifted(ops.floating(x), axis)
    return z - ops.log(ops.sum(ops.exp(z), axis, keepdims=True))


@dataclass(frozen=True, repr=False)
class LogSoftmax(Layer):
    """log(softmax(x)) along one axis. See `log_softmax`.

    Args:
        axis: along which e to the result sums to 1, default the last.

    Raises:
        InputError: if the axis is not a whole number.
        ShapeError: when applied, if the input has no such axis.

    >>> LogSoftmax()({}, [0.0, 0.0]).numpy()
    array([-0.6931472, -0.6931472], dtype=float32)
    """

    axis: int = -1

    def __post_init__(self) -> None:
        require_whole(self, "axis")

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        _require_axis(self.axis, p, x)
        return log_softmax(x, self.axis)


def shifted(x: Tensor, axis: int) -> Tensor:
    """x less its largest element along an axis, so that e to it cannot overflow.

    What is built on differences along the axis does not depend on the shift, so no gradient need pass it.
    """
    return x - ops.stop_gradient(ops.max(x, axis, keepdims=True))


def _require_axis(axis: int, p: Scope, x: Tensor) -> None:
    if not -x.ndim <= axis < x.ndim:
        raise p.wrong_input(x, f"it needs an axis {axis}")
