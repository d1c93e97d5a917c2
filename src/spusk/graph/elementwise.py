"""The elementwise primitives: value and gradient rule side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from spusk.errors import InputError
from spusk.graph import ops
from spusk.graph.dtypes import BOOL, DType, converted, is_float
from spusk.graph.primitive import Cotangents, Elementwise, Shape
from spusk.graph.tensor import Tensor

# --- arithmetic ---------------------------------------------------------------------------------------


class Add(Elementwise):
    """x + y."""

    name = "add"
    linear = True

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.add(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return grad, grad


class Sub(Elementwise):
    """x − y."""

    name = "sub"
    linear = True
    of_bools = False

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.subtract(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return grad, -grad


class Mul(Elementwise):
    """x · y."""

    name = "mul"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.multiply(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        x, y = inputs
        return grad * y, grad * x


class Div(Elementwise):
    """x / y; division by 0 gives ±∞, and 0/0 NaN."""

    name = "div"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.divide(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        _, y = inputs
        by_x = grad / y
        return by_x, -by_x * out


class FloorDivide(Elementwise):
    """floor(x / y) of whole numbers, exact; 0 where y is 0, and the smallest number by −1 is itself."""

    name = "floor_divide"
    of_bools = False

    def evaluate(self, xp: Any, *values: Any) -> Any:
        x, y = values
        if xp is np:
            return xp.floor_divide(x, y)
        zero, minus = xp.zeros_like(y), -xp.ones_like(y)  # by these, others than NumPy stop or differ
        is_zero = y == zero
        is_minus = xp.logical_and(y == minus, minus < zero)
        safe = xp.where(xp.logical_or(is_zero, is_minus), xp.ones_like(y), y)
        found = xp.where(is_minus, -x, xp.floor_divide(x, safe))
        return xp.where(is_zero, xp.zeros_like(found), found)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return None, None


class Pow(Elementwise):
    """x to the power y. Where x is 0 and y ≥ 0, the gradient by y is 0, its limit for y > 0.

    Powers of whole numbers wrap around; a negative exponent of theirs ends the evaluation with an InputError.
    """

    name = "pow"
    of_bools = False

    def evaluate(self, xp: Any, *values: Any) -> Any:
        try:
            return xp.pow(*values)
        except ValueError:  # NumPy's only reason
            raise InputError("pow got a negative exponent for whole numbers; use floats") from None

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        x, y = inputs
        by_x = ops.where(y == 0, 0, grad * y * x ** ops.where(y == 0, 1, y - 1))
        log_x = ops.log(ops.where(ops.logical_and(x == 0, y >= 0), 1, x))
        return by_x, grad * out * log_x


class Neg(Elementwise):
    """−x."""

    name = "neg"
    linear = True
    of_bools = False

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.negative(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (-grad,)


class Maximum(Elementwise):
    """The larger of two; ties share the gradient equally. NaN if either is NaN."""

    name = "maximum"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.maximum(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        x, y = inputs
        return _shared(grad, x > y, x == y), _shared(grad, y > x, x == y)


class Minimum(Elementwise):
    """The smaller of two; ties share the gradient equally. NaN if either is NaN."""

    name = "minimum"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.minimum(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        x, y = inputs
        return _shared(grad, x < y, x == y), _shared(grad, y < x, x == y)


def _shared(grad: Tensor, wins: Tensor, ties: Tensor) -> Tensor:
    return ops.where(wins, grad, ops.where(ties, 0.5 * grad, 0))


class Abs(Elementwise):
    """The absolute value; its gradient at 0 is 0."""

    name = "abs"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.abs(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (grad * ops.sign(inputs[0]),)


class Sign(Elementwise):
    """−1, 0 or 1; its gradient is 0 everywhere."""

    name = "sign"
    of_bools = False

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.sign(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (None,)


class Floor(Elementwise):
    """The largest whole number not above x; its gradient is 0 everywhere."""

    name = "floor"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.floor(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (None,)


# --- exponentials, roots, trigonometry ----------------------------------------------------------------


class Exp(Elementwise):
    """eˣ."""

    name = "exp"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.exp(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (grad * out,)


class Expm1(Elementwise):
    """eˣ − 1, exact near 0."""

    name = "expm1"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.expm1(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (grad * ops.exp(inputs[0]),)


class Log(Elementwise):
    """The natural logarithm; −∞ at 0, NaN below."""

    name = "log"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.log(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (grad / inputs[0],)


class Log1p(Elementwise):
    """log(1 + x), exact near 0."""

    name = "log1p"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.log1p(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (grad / (1 + inputs[0]),)


class Sqrt(Elementwise):
    """√x; NaN below 0."""

    name = "sqrt"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.sqrt(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (0.5 * grad / out,)


class Sin(Elementwise):
    """The sine of an angle in radians."""

    name = "sin"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.sin(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (grad * ops.cos(inputs[0]),)


class Cos(Elementwise):
    """The cosine of an angle in radians."""

    name = "cos"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.cos(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (-grad * ops.sin(inputs[0]),)


class Tanh(Elementwise):
    """The hyperbolic tangent."""

    name = "tanh"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.tanh(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (grad * (1 - out * out),)


class Sigmoid(Elementwise):
    """The logistic function 1/(1 + e⁻ˣ), without overflow and exact where it is small."""

    name = "sigmoid"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        (x,) = values
        e = xp.exp(-xp.abs(x))
        return xp.where(x >= 0, xp.ones_like(e), e) / (1 + e)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (grad * (out * (1 - out)),)


class Erf(Elementwise):
    """The error function 2/√π ∫₀ˣ e^(−s²) ds, which the array API standard lacks."""

    name = "erf"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        (x,) = values
        if hasattr(xp, "erf"):
            return xp.erf(x)
        from scipy.special import erf  # pyright: ignore[reportUnknownVariableType]

        found: Any = erf
        return found(x) if xp is np else xp.asarray(found(np.asarray(x)))

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        (x,) = inputs
        return (grad * (2 / math.sqrt(math.pi)) * ops.exp(-(x * x)),)


# --- comparisons and logic: no gradient ---------------------------------------------------------------


class _Truth(Elementwise):
    """A truth value of each element."""

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        return super().result(*inputs)[0], BOOL

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (None,) * len(inputs)


class Less(_Truth):
    """x < y."""

    name = "less"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.less(*values)


class LessEqual(_Truth):
    """x ≤ y."""

    name = "less_equal"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.less_equal(*values)


class Equal(_Truth):
    """x = y; NaN equals nothing."""

    name = "equal"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.equal(*values)


class NotEqual(_Truth):
    """x ≠ y; NaN differs from everything."""

    name = "not_equal"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.not_equal(*values)


class LogicalAnd(_Truth):
    """Whether both are true."""

    name = "logical_and"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.logical_and(*values)


class LogicalOr(_Truth):
    """Whether one or both are true."""

    name = "logical_or"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.logical_or(*values)


class LogicalNot(_Truth):
    """Whether x is false."""

    name = "logical_not"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.logical_not(*values)


# --- choosing, casting, stopping ----------------------------------------------------------------------


class Where(Elementwise):
    """The second input where the first is true, else the third.

    The branch not taken gets a gradient of exactly 0, whatever its value is; backprop carries that 0
    through the branch's elementwise operations, sums and changes of shape, so that a masked NaN cannot
    come back.
    """

    name = "where"
    linear = True
    first_value = 1

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.where(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        condition = inputs[0]
        return None, ops.where(condition, grad, 0), ops.where(condition, 0, grad)


@dataclass(frozen=True, repr=False)
class Cast(Elementwise):
    """The same numbers in another dtype.

    Floats become whole numbers by truncation, which stops gradients: those beyond the dtype's ends become
    its ends and NaN becomes 0, on every backend and processor. Whole numbers wrap around, as in NumPy; of
    anything, 0 is False and all else, NaN included, is True.
    """

    name: ClassVar[str] = "cast"
    linear: ClassVar[bool] = True
    dtype: DType
    weak: bool = False

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        return inputs[0].shape, self.dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return converted(xp, xp.asarray(values[0]), self.dtype)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        dtype = inputs[0].dtype
        return (ops.cast(grad, dtype) if is_float(dtype) else None,)


class StopGradient(Elementwise):
    """The value as it is; no gradient passes."""

    name = "stop_gradient"

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return values[0]

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (None,)
