"""Activations that bend at zero: ReLU, leaky ReLU, ELU."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.graph import Tensor, ops
from spusk.graph.leaves import number
from spusk.graph.tensor import Operand
from spusk.nn.checks import require_real
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope


def relu(x: Operand) -> Tensor:
    """max(x, 0); its gradient at 0 is 0.

    Args:
        x: of any shape.

    Returns:
        The same shape. NaN stays NaN.

    Source: Nair, Hinton, 2010, "Rectified linear units improve restricted Boltzmann machines".

    >>> relu([-1.0, 0.0, 2.0]).numpy()
    array([0., 0., 2.], dtype=float32)
    """
    x = ops.floating(x)
    return ops.where(x <= 0, 0, x)


@dataclass(frozen=True, repr=False)
class ReLU(Layer):
    """max(x, 0) of each element. See `relu`.

    >>> ReLU()({}, [-1.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return relu(x)


def leaky_relu(x: Operand, slope: float = 0.01) -> Tensor:
    """x where x > 0, else slope·x; its gradient at 0 is the slope.

    Args:
        x: of any shape.
        slope: of the negative part, default 0.01.

    Returns:
        The same shape. NaN stays NaN.

    Source: Maas, Hannun, Ng, 2013, "Rectifier nonlinearities improve neural network acoustic models".

    >>> leaky_relu([-1.0, 0.0, 2.0], 0.1).numpy()
    array([-0.1,  0. ,  2. ], dtype=float32)
    """
    x = ops.floating(x)
    return x * ops.where(x <= 0, number(slope, x.dtype), 1)


@dataclass(frozen=True, repr=False)
class LeakyReLU(Layer):
    """x where x > 0, else slope·x, of each element. See `leaky_relu`.

    Args:
        slope: of the negative part, any finite number, default 0.01.

    Raises:
        InputError: if the slope is not a finite number.

    >>> LeakyReLU(0.1)({}, [-1.0, 2.0]).numpy()
    array([-0.1,  2. ], dtype=float32)
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        require_real(self, "slope", "a finite number")

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return leaky_relu(x, self.slope)


def elu(x: Operand, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha·(eˣ − 1), which falls to −alpha.

    Args:
        x: of any shape.
        alpha: default 1.0.

    Returns:
        The same shape. NaN stays NaN.

    Source: Clevert, Unterthiner, Hochreiter, 2015, "Fast and accurate deep network learning by exponential
    linear units (ELUs)", §3.

    >>> elu([-1e4, 0.0, 2.0]).numpy()
    array([-1.,  0.,  2.], dtype=float32)
    """
    x = ops.floating(x)
    return ops.where(x <= 0, alpha * ops.expm1(x), x)


@dataclass(frozen=True, repr=False)
class ELU(Layer):
    """x where x > 0, else alpha·(eˣ − 1), of each element. See `elu`.

    Args:
        alpha: any finite number, default 1.0.

    Raises:
        InputError: if alpha is not a finite number.

    >>> ELU(alpha=2.0)({}, [-1e4, 3.0]).numpy()
    array([-2.,  3.], dtype=float32)
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        require_real(self, "alpha", "a finite number")

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return elu(x, self.alpha)
