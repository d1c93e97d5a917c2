"""Functions that build nodes: operands become Tensors of one dtype, then a primitive is applied."""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spusk.errors import DTypeError, ShapeError
from spusk.graph import dtypes
from spusk.graph.dtypes import BOOL, DType, is_float
from spusk.graph.place import users_place
from spusk.graph.primitive import Primitive, Shape
from spusk.graph.promotion import cast, floating, promote, promote_pair
from spusk.graph.tensor import Axis, Operand, Tensor, node

# --- building blocks ----------------------------------------------------------------------------------


def _binary(primitive: Primitive) -> Callable[[Operand, Operand], Tensor]:
    def build(x: Operand, y: Operand) -> Tensor:
        return node(primitive, *promote_pair(x, y))

    build.__name__, build.__doc__ = primitive.name, primitive.__doc__
    return build


def _unary(primitive: Primitive, *, needs_float: bool = True) -> Callable[[Operand], Tensor]:
    def build(x: Operand) -> Tensor:
        return node(primitive, floating(x) if needs_float else leaves.as_tensor(x))

    build.__name__, build.__doc__ = primitive.name, primitive.__doc__
    return build


def normalised_axes(name: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of non-negative numbers; None means all."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    result = [one_axis(name, a, ndim) for a in axes]
    if len(set(result)) != len(result):
        raise ShapeError(f"{name} got an axis twice: {axis} ({users_place()})")
    return tuple(sorted(result))


def one_axis(name: str, axis: int, ndim: int) -> int:
    """An axis as a non-negative number; `name` is the function that the error names."""
    try:
        number = operator.index(axis)
    except TypeError:
        raise ShapeError(
            f"{name} got axis {axis!r:.60}; an axis is a whole number ({users_place()})"
        ) from None
    if not -ndim <= number < ndim:
        raise ShapeError(f"{name} got axis {number} for a Tensor of {ndim} axes ({users_place()})")
    return number % ndim


# --- elementwise --------------------------------------------------------------------------------------


def div(x: Operand, y: Operand) -> Tensor:
    """x / y. Whole numbers and truth values are divided as floats: two of them give float32, the default
    float, where NumPy gives float64. One beside a float takes the float's dtype.

    >>> div(np.array([1, 2]), np.array([2, 2])).dtype.name, div(np.array([1.0, 2.0]), 2).dtype.name
    ('float32', 'float64')
    """
    a, b = promote_pair(x, y)
    if not is_float(a.dtype):
        a, b = promote_pair(floating(a), floating(b))  # a weak one is float64 beside a strong float32
    return node(elementwise.Div(), a, b)


def pow(x: Operand, y: Operand) -> Tensor:
    """x to the power y."""
    if isinstance(y, int) and y == 2:
        return mul(x, x)
    return node(elementwise.Pow(), *promote_pair(x, y))


def floor(x: Operand) -> Tensor:
    """The largest whole number not above x."""
    t = leaves.as_tensor(x)
    return node(elementwise.Floor(), t) if is_float(t.dtype) else t


def floor_divide(x: Operand, y: Operand) -> Tensor:
    """floor(x / y); of whole numbers the exact whole number, 0 where y is 0, as in NumPy.

    Of floats it is the floor of the rounded quotient, which can be 1 more than that of the exact one where
    this is just below a whole number. Beyond 2⁵³ (float32: 2²⁴) not every whole number is a float, and the
    quotient is only as exact as floats are.

    >>> floor_divide(np.array([7, -7, 7]), np.array([2, 2, 0])).numpy()
    array([ 3, -4,  0])
    >>> floor_divide(-1.0, np.inf).item()
    -1.0
    """
    a, b = promote_pair(x, y)
    if not is_float(a.dtype):
        return node(elementwise.FloorDivide(), a, b)
    # An infinite y makes −0 of a small negative quotient.
    below_0 = logical_or(
        logical_and(logical_and(a < 0, a > -math.inf), b == math.inf),
        logical_and(logical_and(a > 0, a < math.inf), b == -math.inf),
    )
    return where(below_0, -1, floor(div(a, b)))


def remainder(x: Operand, y: Operand) -> Tensor:
    """x − y·floor(x / y), with the sign of y; of whole numbers 0 where y is 0, as in NumPy.

    Of floats it is this formula, rounded: its absolute error is about that of x as a float. So where |x / y|
    is beyond 2⁵³ (float32: 2²⁴) nothing of the remainder is left, and the result can lie outside of 0 … y,
    where NumPy's is exact.

    >>> remainder(np.array([7, -7, 7]), np.array([3, 3, 0])).numpy()
    array([1, 2, 0])
    """
    a, b = promote_pair(x, y)
    quotient = floor_divide(a, b)
    if not is_float(a.dtype):
        return where(b == 0, 0, a - b * quotient)
    return a - where(quotient == 0, 0, b) * quotient  # y may be infinite


def greater(x: Operand, y: Operand) -> Tensor:
    """x > y."""
    return less(y, x)


def greater_equal(x: Operand, y: Operand) -> Tensor:
    """x ≥ y."""
    return less_equal(y, x)


def _truth(x: Operand) -> Tensor:
    t = leaves.as_tensor(x)
    return t if t.dtype == BOOL else not_equal(t, 0)


def logical_and(x: Operand, y: Operand) -> Tensor:
    """Whether both are true; a number is true if it is not 0."""
    return node(elementwise.LogicalAnd(), _truth(x), _truth(y))


def logical_or(x: Operand, y: Operand) -> Tensor:
    """Whether one or both are true; a number is true if it is not 0."""
    return node(elementwise.LogicalOr(), _truth(x), _truth(y))


def logical_not(x: Operand) -> Tensor:
    """Whether x is false; a number is false if it is 0."""
    return node(elementwise.LogicalNot(), _truth(x))


def bitwise_and(x: Operand, y: Operand) -> Tensor:
    """x & y, of truth values only."""
    return logical_and(*_only_truth("&", x, y))


def bitwise_or(x: Operand, y: Operand) -> Tensor:
    """x | y, of truth values only."""
    return logical_or(*_only_truth("|", x, y))


def bitwise_xor(x: Operand, y: Operand) -> Tensor:
    """x ^ y, of truth values only."""
    return not_equal(*_only_truth("^", x, y))


def bitwise_invert(x: Operand) -> Tensor:
    """~x, of truth values only."""
    return logical_not(*_only_truth("~", x))


def _only_truth(name: str, *operands: Operand) -> list[Tensor]:
    tensors = [leaves.as_tensor(x) for x in operands]
    for t in tensors:
        if t.dtype != BOOL:
            raise DTypeError(f"{name} needs truth values and got {t.dtype.name} ({users_place()})")
    return tensors


def where(condition: Operand, x: Operand, y: Operand) -> Tensor:
    """x where the condition is true, else y, broadcast together."""
    return node(elementwise.Where(), _truth(condition), *promote_pair(x, y))


def stop_gradient(x: Operand) -> Tensor:
    """x, through which no gradient passes."""
    return node(elementwise.StopGradient(), leaves.as_tensor(x))


# --- shape --------------------------------------------------------------------------------------------


def reshape(x: Operand, shape: int | Sequence[int]) -> Tensor:
    """The same elements in row-major order under another shape; one axis may be -1."""
    t = leaves.as_tensor(x)
    wanted = [operator.index(n) for n in ((shape,) if isinstance(shape, int) else shape)]
    if wanted.count(-1) == 1:
        known = -math.prod(wanted)
        if known == 0 or t.size % known:
            raise ShapeError(f"reshape cannot make shape {tuple(wanted)} of {t.shape} ({users_place()})")
        wanted[wanted.index(-1)] = t.size // known
    if any(n < 0 for n in wanted):
        raise ShapeError(f"reshape got shape {tuple(wanted)}; at most one axis may be -1 ({users_place()})")
    return t if tuple(wanted) == t.shape else node(shaping.Reshape(tuple(wanted)), t)


def alias(x: Tensor) -> Tensor:
    """A new node with the value of x: an independent variable for differentiation."""
    return node(shaping.Reshape(x.shape), x)


def expand(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Axes of length 1 put in at the given places of the result: what a reduction took away."""
    shape = list(x.shape)
    for axis in axes:
        shape.insert(axis, 1)
    return reshape(x, shape)


def transpose(x: Operand, axes: Sequence[int]) -> Tensor:
    """Axes in another order."""
    t = leaves.as_tensor(x)
    order = tuple(one_axis("transpose", a, t.ndim) for a in axes)
    if sorted(order) != list(range(t.ndim)):
        raise ShapeError(f"transpose got axes {tuple(axes)} for shape {t.shape} ({users_place()})")
    return t if order == tuple(range(t.ndim)) else node(shaping.Transpose(order), t)


def broadcast(x: Operand, shape: Shape) -> Tensor:
    """x repeated along axes of length 1 and new leading axes."""
    t = leaves.as_tensor(x)
    return t if t.shape == shape else node(shaping.Broadcast(shape), t)


def sum_to(x: Tensor, shape: Shape) -> Tensor:
    """x summed over the axes that broadcasting from `shape` repeated."""
    if x.shape == shape:
        return x
    offset = x.ndim - len(shape)
    kept = (n == 1 and m != 1 for n, m in zip(shape, x.shape[offset:], strict=True))
    axes = (*range(offset), *(offset + i for i, repeated in enumerate(kept) if repeated))
    return reshape(sum(x, axes), shape)


def slice(x: Tensor, starts: Shape, stops: Shape, steps: Shape) -> Tensor:
    """start:stop:step along every axis, non-negative and in range."""
    whole = starts == (0,) * x.ndim and stops == x.shape and steps == (1,) * x.ndim
    return x if whole else node(shaping.Slice(starts, stops, steps), x)


def pad(x: Operand, low: Shape, high: Shape, interior: Shape | None = None) -> Tensor:
    """Zeros before, after and between the elements of every axis."""
    t = leaves.as_tensor(x)
    between = interior or (0,) * t.ndim
    if not any((*low, *high, *between)):
        return t
    if (
        not builtins.len(low) == builtins.len(high) == builtins.len(between) == t.ndim
        or min((*low, *high, *between)) < 0
    ):
        raise ShapeError(f"pad got low {low} and high {high} for shape {t.shape} ({users_place()})")
    return node(shaping.Pad(low, high, between), t)


def concatenate(xs: Sequence[Operand], axis: int | None = 0) -> Tensor:
    """Arrays joined along one axis; `axis=None` joins them flattened."""
    tensors = promote(*xs) if xs else []
    if not tensors:
        raise ShapeError(f"concatenate got no arrays; it needs at least one ({users_place()})")
    if axis is None:
        return concatenate([reshape(t, -1) for t in tensors], 0)
    if tensors[0].ndim == 0:
        raise ShapeError(f"concatenate got arrays without axes; use stack ({users_place()})")
    number = one_axis("concatenate", axis, tensors[0].ndim)
    return tensors[0] if len(tensors) == 1 else node(shaping.Concatenate(number), *tensors)


def stack(xs: Sequence[Operand], axis: int = 0) -> Tensor:
    """Arrays of one shape joined along a new axis."""
    tensors = promote(*xs) if xs else []
    if not tensors or any(t.shape != tensors[0].shape for t in tensors):
        shapes = ", ".join(str(t.shape) for t in tensors) or "no arrays"
        raise ShapeError(f"stack got {shapes}; it needs arrays of one shape ({users_place()})")
    number = one_axis("stack", axis, tensors[0].ndim + 1)
    return concatenate([expand(t, (number,)) for t in tensors], number)


def flip(x: Operand, axis: Axis = None) -> Tensor:
    """Elements in reversed order along some axes (all by default)."""
    t = leaves.as_tensor(x)
    axes = normalised_axes("flip", axis, t.ndim)
    return node(shaping.Flip(axes), t) if axes else t


# --- reductions ---------------------------------------------------------------------------------------


def _reduce(make: Callable[[tuple[int, ...]], Primitive], x: Operand, axis: Axis, keepdims: bool) -> Tensor:
    t = leaves.as_tensor(x)
    axes = normalised_axes(make.__name__.lower(), axis, t.ndim)
    result = node(make(axes), t)
    return expand(result, axes) if keepdims else result


def sum(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The sum over some axes (all by default); truth values are counted."""
    t = leaves.as_tensor(x)
    return _reduce(shaping.Sum, cast(t, dtypes.INT64) if t.dtype == BOOL else t, axis, keepdims)


def max(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The largest element over some axes (all by default); ties share the gradient equally."""
    return _reduce(shaping.Max, x, axis, keepdims)


def min(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The smallest element over some axes (all by default); ties share the gradient equally."""
    return _mirrored(max(_mirrored(x), axis, keepdims=keepdims))


def _mirrored(x: Operand) -> Tensor:
    """x in reversed order of size: −x, or for whole numbers what reaches just as far on both sides."""
    t = leaves.as_tensor(x)
    if is_float(t.dtype):
        return neg(t)
    if t.dtype == BOOL:
        return logical_not(t)
    return sub(np.iinfo(t.dtype).max if t.dtype.kind == "u" else -1, t)


def mean(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The arithmetic mean over some axes (all by default)."""
    t = floating(x)
    count = math.prod(t.shape[a] for a in normalised_axes("mean", axis, t.ndim))
    return sum(t, axis, keepdims=keepdims) / count


def var(x: Operand, axis: Axis = None, *, correction: float = 0, keepdims: bool = False) -> Tensor:
    """The mean squared deviation over some axes, divided by count − correction."""
    t = floating(x)
    count = math.prod(t.shape[a] for a in normalised_axes("var", axis, t.ndim))
    deviation = t - mean(t, axis, keepdims=True)
    return sum(deviation * deviation, axis, keepdims=keepdims) / builtins.max(count - correction, 0)


def std(x: Operand, axis: Axis = None, *, correction: float = 0, keepdims: bool = False) -> Tensor:
    """The square root of the variance."""
    return sqrt(var(x, axis, correction=correction, keepdims=keepdims))


def argmax(x: Operand, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The index of the first largest element along one axis, or of the flattened array."""
    t = leaves.as_tensor(x)
    if axis is None:
        index = node(shaping.ArgMax(0), reshape(t, -1))
        return reshape(index, (1,) * t.ndim) if keepdims else index
    number = one_axis("argmax", axis, t.ndim)
    index = node(shaping.ArgMax(number), t)
    return expand(index, (number,)) if keepdims else index


def argmin(x: Operand, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The index of the first smallest element along one axis, or of the flattened array."""
    return argmax(_mirrored(x), axis, keepdims=keepdims)


# --- products and indices -----------------------------------------------------------------------------


def dot(a: Tensor, b: Tensor) -> Tensor:
    """(batch…, m, k) by (batch…, k, n), dtypes and batch axes equal."""
    return node(products.Dot(), a, b)


def matmul(x: Operand, y: Operand) -> Tensor:
    """The matrix product with NumPy's rules: vectors are rows or columns, leading axes broadcast."""
    a, b = promote_pair(x, y)
    if a.ndim == 0 or b.ndim == 0 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        wanted = "the last axis of the first must equal the second-last (or only) axis of the second"
        raise ShapeError(f"matmul got shapes {a.shape} and {b.shape}; {wanted} ({users_place()})")
    if a.ndim == 1:
        return reshape(matmul(reshape(a, (1, -1)), b), (*b.shape[:-2], *b.shape[-1:] * (b.ndim > 1)))
    if b.ndim == 1:
        return reshape(matmul(a, reshape(b, (-1, 1))), a.shape[:-1])
    if b.ndim == 2 and a.ndim > 2:
        rows = reshape(a, (math.prod(a.shape[:-1]), a.shape[-1]))
        return reshape(dot(rows, b), (*a.shape[:-1], b.shape[-1]))
    try:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        where_ = users_place()
        raise ShapeError(
            f"matmul got shapes {a.shape} and {b.shape}, which do not broadcast ({where_})"
        ) from None
    return dot(broadcast(a, (*batch, *a.shape[-2:])), broadcast(b, (*batch, *b.shape[-2:])))


def wrapped(indices: Tensor, n: int, outside: int) -> Tensor:
    """Indices counted from the start of an axis of length n; those out of its range become `outside`."""
    i = cast(indices, dtypes.INT64)
    i = where(i < 0, i + n, i)
    return where(logical_and(i >= 0, i < n), i, outside)


def take(x: Operand, indices: Operand, axis: int | None = None) -> Tensor:
    """x at integer indices along one axis, which is replaced by the axes of the indices.

    Negative indices count from the end. `axis` may be left out when x has one axis.
    """
    t, i = leaves.as_tensor(x), leaves.as_tensor(indices)
    if axis is None and t.ndim != 1:
        raise ShapeError(f"take needs an axis for shape {t.shape} ({users_place()})")
    return node(products.Take(one_axis("take", axis or 0, t.ndim)), t, i)


def scatter_add(x: Operand, indices: Operand, updates: Operand, axis: int = 0) -> Tensor:
    """x with updates added at integer indices along one axis; repeated indices add up."""
    t, u = promote_pair(x, updates)
    i = leaves.as_tensor(indices)
    return node(products.ScatterAdd(one_axis("scatter_add", axis, t.ndim)), t, i, u)


# --- creation -----------------------------------------------------------------------------------------


def full(shape: int | Sequence[int], value: bool | int | float, dtype: Any = None) -> Tensor:
    """An array of one repeated value."""
    sizes = (shape,) if isinstance(shape, int) else tuple(operator.index(n) for n in shape)
    if any(n < 0 for n in sizes):
        raise ShapeError(f"an array cannot have shape {sizes} ({users_place()})")
    if dtype is None:
        kind: DType = np.asarray(value).dtype
        dtype = dtypes.DEFAULT_FLOAT if is_float(kind) else kind
    return broadcast(leaves.constant(value, dtype), sizes)


def zeros_like(x: Operand) -> Tensor:
    """Zeros with the shape and dtype of x."""
    return _like(leaves.as_tensor(x), 0)


def ones_like(x: Operand) -> Tensor:
    """Ones with the shape and dtype of x."""
    return _like(leaves.as_tensor(x), 1)


def _like(t: Tensor, value: int) -> Tensor:
    return broadcast(leaves.constant(value, t.dtype, weak=t.weak), t.shape)


# The primitives use these functions in their gradient rules, so they are imported after them.
from spusk.graph import elementwise, leaves, products, shaping  # noqa: E402

add = _binary(elementwise.Add())
sub = _binary(elementwise.Sub())
mul = _binary(elementwise.Mul())
maximum = _binary(elementwise.Maximum())
minimum = _binary(elementwise.Minimum())
less = _binary(elementwise.Less())
less_equal = _binary(elementwise.LessEqual())
equal = _binary(elementwise.Equal())
not_equal = _binary(elementwise.NotEqual())
neg = _unary(elementwise.Neg(), needs_float=False)
abs = _unary(elementwise.Abs(), needs_float=False)
sign = _unary(elementwise.Sign(), needs_float=False)
exp = _unary(elementwise.Exp())
expm1 = _unary(elementwise.Expm1())
log = _unary(elementwise.Log())
log1p = _unary(elementwise.Log1p())
sqrt = _unary(elementwise.Sqrt())
sin = _unary(elementwise.Sin())
cos = _unary(elementwise.Cos())
tanh = _unary(elementwise.Tanh())
sigmoid = _unary(elementwise.Sigmoid())
erf = _unary(elementwise.Erf())
