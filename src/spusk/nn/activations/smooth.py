"""Smooth relatives of ReLU: GELU, SiLU, softplus."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spusk.graph import Tensor, ops
from spusk.graph.tensor import Operand
from spusk.nn.checks import require_flag
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope

# Above it log(1 + eˣ) is x, also in float64; far below the 88 at which eˣ overflows float32.
LINEAR_FROM = 40.0


def gelu(x: Operand, approximate: bool = False) -> Tensor:
    """x·Φ(x), where Φ is the distribution function of the standard normal law.

    Args:
        x: of any shape.
        approximate: whether Φ is approximated with tanh, ½(1 + tanh(√(2/π)·(x + 0.044715x³))).

    Returns:
        The same shape. NaN stays NaN, and −∞ becomes NaN (−∞·0).

    Source: Hendrycks, Gimpel, 2016, "Gaussian error linear units (GELUs)", §2.

    >>> gelu([-1e4, 0.0, 1e4]).numpy() + 0
    array([    0.,     0., 10000.], dtype=float32)
    """
    x = ops.floating(x)
    if approximate:
        slope = math.sqrt(2 / math.pi)
        curved = ops.tanh(x * (slope + 0.044715 * slope * (x * x)))
    else:
        curved = ops.erf(x * math.sqrt(0.5))
    return 0.5 * x * (1 + curved)


@dataclass(frozen=True, repr=False)
class GELU(Layer):
    """x·Φ(x) of each element. See `gelu`.

    Args:
        approximate: whether to use the approximation with tanh, default False.

    Raises:
        InputError: if `approximate` is neither True nor False.

    >>> GELU()({}, [0.0, 1.0]).numpy().round(4)
    array([0.    , 0.8413], dtype=float32)
    """

    approximate: bool = False

    def __post_init__(self) -> None:
        require_flag(self, "approximate")

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return gelu(x, self.approximate)


def silu(x: Operand) -> Tensor:
    """x·sigmoid(x), also called swish.

    Args:
        x: of any shape.

    Returns:
        The same shape. NaN stays NaN, and −∞ becomes NaN (−∞·0).

    Source: Elfwing, Uchibe, Doya, 2017, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning"; Ramachandran, Zoph, Le, 2017, "Searching for activation
    functions".

    >>> silu([-1e4, 0.0, 1e4]).numpy()
    array([    0.,     0., 10000.], dtype=float32)
    """
    half = 0.5 * ops.floating(x)
    return half + half * ops.tanh(half)


@dataclass(frozen=True, repr=False)
class SiLU(Layer):
    """x·sigmoid(x) of each element. See `silu`.

    >>> SiLU()({}, [0.0, 1.0]).numpy().round(4)
    array([0.    , 0.7311], dtype=float32)
    """

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return silu(x)


def softplus(x: Operand) -> Tensor:
    """log(1 + eˣ) without overflow.

    Args:
        x: of any shape.

    Returns:
        The same shape, accurate to the last digits on both sides. NaN stays NaN.

    Source: Dugas, Bengio, Bélisle, Nadeau, Garcia, 2000, "Incorporating second-order functional knowledge
    for better option pricing".

    >>> softplus([-1e4, 0.0, 1e4]).numpy()
    array([0.000000e+00, 6.931472e-01, 1.000000e+04], dtype=float32)
    """
    x = ops.floating(x)
    return ops.where(x > LINEAR_FROM, x, ops.log1p(ops.exp(x)))


@dataclass(frozen=True, repr=False)
class Softplus(Layer):
    """log(1 + eˣ) of each element. See `softplus`.

    >>> Softplus()({}, [0.0]).numpy()
    array([0.6931472], dtype=float32)
    """

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return softplus(x)
