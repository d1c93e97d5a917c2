"""The gradient checker: our gradients against central differences, first and second order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.errors import GradientError, InputError
from spusk.graph import ops
from spusk.graph.backprop import backprop
from spusk.graph.interpret import Evaluator
from spusk.graph.leaves import as_tensor
from spusk.graph.leaves import input as new_input
from spusk.graph.tensor import Tensor

# The five-point central difference: f'(0) h ≈ Σ weight · f(offset · h), with an error of order h⁴.
STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradient` found: the largest relative errors over all directions."""

    first_order: float
    second_order: float | None
    directions: int


def check_gradient(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    directions: int = 3,
    step: float = 1e-3,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradients of `f` with central differences along random directions, in float64.

    The outputs of `f` are weighted at random and summed to a scalar s. First order: ∇s·u against the
    difference quotient of s along u. Second order: (∇²s·u)·v against the difference quotient of ∇s·v
    along u, which checks the gradient of the gradient.

    Args:
        f: a function of arrays, built with operators and `spusk.numpy`; any output shape.
        args: where to check. Floating arguments are converted to float64 and differentiated; integer and
            boolean arguments are passed on as they are.
        order: 1 or 2.
        directions: how many random directions are tried.
        step: of the difference quotient; the point must be farther than twice this from any kink.
        rtol, atol: allowed difference, relative to the larger of the two values, and absolute.
        seed: of the random directions and weights.

    Returns:
        The largest relative errors found.

    Raises:
        GradientError: naming the order and both values, if they differ.
        InputError: if there is no floating argument or `order` is neither 1 nor 2.

    >>> import spusk.numpy as snp
    >>> check_gradient(lambda x: snp.sin(x) * x, [0.5, 1.0]).first_order < 1e-9
    True
    """
    if order not in (1, 2):
        raise InputError(f"check_gradient checks order 1 or 2, not {order}")
    rng = np.random.default_rng(seed)
    arrays = [_as_argument(a) for a in args]
    inputs = [new_input(f"argument {i}", a.shape, a.dtype) for i, a in enumerate(arrays)]
    variables = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    if not variables:
        raise InputError("check_gradient needs at least one floating argument")
    y = as_tensor(f(*inputs))
    s = ops.sum(y * rng.normal(size=y.shape))
    along = _Directions(inputs, arrays, variables, step)
    gradient = backprop(s, [inputs[i] for i in variables])
    worst: list[float] = [0.0, 0.0]
    for _ in range(directions):
        u = [rng.normal(size=arrays[i].shape) for i in variables]
        v = [rng.normal(size=arrays[i].shape) for i in variables]
        errors = [along.compare("first", s, _inner(gradient, u), u, rtol, atol)]
        if order == 2:
            slope = _inner(gradient, v)
            second = backprop(slope, [inputs[i] for i in variables])
            errors.append(along.compare("second", slope, _inner(second, u), u, rtol, atol))
        worst = [max(w, e) for w, e in zip(worst, errors, strict=False)]
    return GradientCheck(worst[0], worst[1] if order == 2 else None, directions)


def _as_argument(a: Any) -> NDArray[Any]:
    array: NDArray[Any] = np.asarray(a)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _inner(gradients: list[Tensor], directions: list[NDArray[Any]]) -> Tensor:
    total = as_tensor(np.float64(0.0))
    for g, d in zip(gradients, directions, strict=True):
        total = total + ops.sum(g * d)
    return total


@dataclass
class _Directions:
    """Evaluates scalars at points along a direction from the given arguments."""

    inputs: list[Tensor]
    arrays: list[NDArray[Any]]
    variables: list[int]
    step: float

    def compare(
        self, which: str, value: Tensor, ours: Tensor, u: list[NDArray[Any]], rtol: float, atol: float
    ) -> float:
        """The relative error of our derivative of `value` along u; raises if it is too large."""
        evaluator = Evaluator([value, ours], self.inputs)
        numeric = sum(w * float(evaluator(*self._moved(u, k))[0]) for k, w in STENCIL) / self.step
        analytic = float(evaluator(*self.arrays)[1])
        scale = max(abs(numeric), abs(analytic))
        difference = abs(numeric - analytic)
        if not difference <= atol + rtol * scale:
            raise GradientError(
                f"{which}-order gradient is wrong: along a random direction it is {analytic:.12g}, "
                f"and central differences give {numeric:.12g}"
            )
        return difference / scale if scale > atol else 0.0

    def _moved(self, u: list[NDArray[Any]], k: int) -> list[NDArray[Any]]:
        moved = list(self.arrays)
        for i, direction in zip(self.variables, u, strict=True):
            moved[i] = moved[i] + k * self.step * direction
        return moved
