"""Tensor: a node of the computational graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spusk.errors import DTypeError, ShapeError, SpuskError
from spusk.graph.dtypes import DType
from spusk.graph.place import CURRENT_PLACE, Place, users_place
from spusk.graph.primitive import Primitive, Shape

Number: TypeAlias = bool | int | float
Operand: TypeAlias = "Tensor | Number | NDArray[Any] | np.generic | list[Any] | tuple[Any, ...]"
Axis: TypeAlias = int | tuple[int, ...] | None

SERIALS = count()

# NumPy's ufuncs whose function in `spusk.numpy` has another name.
UFUNC_NAMES = {"absolute": "abs", "power": "pow", "invert": "bitwise_invert"}

# The same for its other functions.
FUNCTION_NAMES = {"amax": "max", "amin": "min", "concatenate": "concat"}


class Tensor:
    """An immutable node: a primitive applied to input nodes, with the shape and dtype of its result.

    Building a Tensor computes nothing. `t.numpy()`, `float(t)` and `t.item()` compute its value on demand.
    Tensors come from `spusk.numpy` functions, from operators, and from tracing a function (`sp.grad` …).

    Attributes:
        shape, dtype: of the value.
        weak: True for values made from Python numbers alone; they take the other operand's precision.
        primitive, inputs: what it computes, and from which nodes.
        serial: which of this process's nodes it is; a node comes after its inputs.
        place: the line of the user's code where it was made.

    >>> import spusk.numpy as snp
    >>> x = snp.asarray([1.0, 2.0, 3.0])
    >>> y = (x * x).sum()
    >>> y.shape, y.dtype.name, float(y)
    ((), 'float32', 14.0)
    """

    __slots__ = ("__weakref__", "dtype", "inputs", "place", "primitive", "serial", "shape", "weak")

    primitive: Primitive
    inputs: tuple[Tensor, ...]
    shape: Shape
    dtype: DType
    weak: bool
    place: Place
    serial: int

    def __init__(
        self,
        primitive: Primitive,
        inputs: tuple[Tensor, ...],
        shape: Shape,
        dtype: DType,
        weak: bool,
        place: Place,
    ) -> None:
        self.primitive = primitive
        self.inputs = inputs
        self.shape = shape
        self.dtype = dtype
        self.weak = weak
        self.place = place
        self.serial = next(SERIALS)

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process, another node may have this serial: a copy takes the next one there."""
        return Tensor, (self.primitive, self.inputs, self.shape, self.dtype, self.weak, self.place)

    # --- what it is ---------------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size

    @property
    def T(self) -> Tensor:
        """The matrix transpose: the two axes exchanged (two axes only, as in the array API)."""
        if len(self.shape) != 2:
            raise ShapeError(
                f".T needs two axes and got shape {self.shape}; use .mT or permute_dims ({users_place()})"
            )
        return _ops.transpose(self, (1, 0))

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        if len(self.shape) < 2:
            raise ShapeError(f".mT needs at least two axes and got shape {self.shape} ({users_place()})")
        axes = (*range(self.ndim - 2), self.ndim - 1, self.ndim - 2)
        return _ops.transpose(self, axes)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a Tensor of shape () has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Tensor({self.primitive.name}, shape={self.shape}, dtype={self.dtype.name})"

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The module `spusk.numpy`, as the array API standard asks."""
        import spusk.numpy

        return spusk.numpy

    # --- its value ----------------------------------------------------------------------------------

    def numpy(self, feeds: Mapping[Tensor, Any] | None = None) -> NDArray[Any]:
        """Compute the value with NumPy; `feeds` gives arrays to named inputs."""
        from spusk.graph.interpret import evaluate

        return evaluate([self], feeds)[0]

    def item(self) -> Any:
        """The value of a one-element Tensor as a Python number."""
        return self.numpy().item()

    def _known(self) -> NDArray[Any]:
        """The value, for Python and NumPy; while a function is traced there is none yet."""
        try:
            return self.numpy()
        except SpuskError as error:
            raise DTypeError(
                "the value of this Tensor is not known while the graph is built; use the functions of "
                f"spusk.numpy on it, not those of math or NumPy ({users_place()})"
            ) from error

    def __float__(self) -> float:
        return float(self._known().item())

    def __int__(self) -> int:
        return int(self._known().item())

    def __bool__(self) -> bool:
        try:
            return bool(self.numpy())
        except SpuskError as error:
            raise DTypeError(
                "the truth of this Tensor is not known while the graph is built; "
                f"choose between values with spusk.numpy.where instead of `if` ({users_place()})"
            ) from error

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError(f"only an integer Tensor can be an index, not {self.dtype.name}")
        return int(self.item())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        value = self._known()
        return value if dtype is None else value.astype(dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """`np.exp(tensor)` and `array * tensor` build graph with the function of the same name."""
        import spusk.numpy

        name = str(ufunc.__name__)
        function: Any = getattr(spusk.numpy, UFUNC_NAMES.get(name, name), None)
        if function is None or method != "__call__" or kwargs:
            raise DTypeError(f"np.{name} has no counterpart for Tensors; see spusk.numpy ({users_place()})")
        return function(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """`np.sum(tensor)` builds graph too; a function without counterpart takes the value, if known."""
        import spusk.numpy

        name = FUNCTION_NAMES.get(function.__name__, function.__name__)
        if name in spusk.numpy.__all__ and function.__module__ == "numpy":
            return getattr(spusk.numpy, name)(*args, **kwargs)
        return function._implementation(*args, **kwargs)

    # --- operators ----------------------------------------------------------------------------------

    def __add__(self, other: Operand) -> Tensor:
        return _ops.add(self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return _ops.add(other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return _ops.sub(self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return _ops.sub(other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return _ops.mul(self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return _ops.mul(other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        """Whole numbers by whole numbers give float32, where NumPy gives float64."""
        return _ops.div(self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return _ops.div(other, self)

    def __floordiv__(self, other: Operand) -> Tensor:
        return _ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Operand) -> Tensor:
        return _ops.floor_divide(other, self)

    def __mod__(self, other: Operand) -> Tensor:
        return _ops.remainder(self, other)

    def __rmod__(self, other: Operand) -> Tensor:
        return _ops.remainder(other, self)

    def __pow__(self, other: Operand) -> Tensor:
        return _ops.pow(self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return _ops.pow(other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return _ops.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return _ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return _ops.neg(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return _ops.abs(self)

    def __lt__(self, other: Operand) -> Tensor:
        return _ops.less(self, other)

    def __le__(self, other: Operand) -> Tensor:
        return _ops.less_equal(self, other)

    def __gt__(self, other: Operand) -> Tensor:
        return _ops.greater(self, other)

    def __ge__(self, other: Operand) -> Tensor:
        return _ops.greater_equal(self, other)

    def __eq__(self, other: object) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _ops.equal(self, other)  # pyright: ignore[reportArgumentType]

    def __ne__(self, other: object) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _ops.not_equal(self, other)  # pyright: ignore[reportArgumentType]

    __hash__ = object.__hash__

    def __and__(self, other: Operand) -> Tensor:
        return _ops.bitwise_and(self, other)

    def __rand__(self, other: Operand) -> Tensor:
        return _ops.bitwise_and(other, self)

    def __or__(self, other: Operand) -> Tensor:
        return _ops.bitwise_or(self, other)

    def __ror__(self, other: Operand) -> Tensor:
        return _ops.bitwise_or(other, self)

    def __xor__(self, other: Operand) -> Tensor:
        return _ops.bitwise_xor(self, other)

    def __rxor__(self, other: Operand) -> Tensor:
        return _ops.bitwise_xor(other, self)

    def __invert__(self) -> Tensor:
        return _ops.bitwise_invert(self)

    def __getitem__(self, key: Any) -> Tensor:
        """Basic slices, integers, `None`, `...`, and integer arrays (adjacent ones index together)."""
        from spusk.graph.indexing import index

        return index(self, key)

    # --- methods, as NumPy has them -----------------------------------------------------------------

    def astype(self, dtype: Any) -> Tensor:
        return _ops.cast(self, dtype)

    def reshape(self, *shape: Any) -> Tensor:
        """With the same elements in row-major order; one axis may be -1."""
        return _ops.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: int) -> Tensor:
        """Axes permuted; reversed when none are given."""
        return _ops.transpose(self, axes or tuple(reversed(range(self.ndim))))

    def flatten(self) -> Tensor:
        return _ops.reshape(self, (-1,))

    def sum(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        return _ops.sum(self, axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        return _ops.mean(self, axis, keepdims=keepdims)

    def max(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        return _ops.max(self, axis, keepdims=keepdims)

    def min(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        return _ops.min(self, axis, keepdims=keepdims)

    def var(self, axis: Axis = None, *, correction: float = 0, keepdims: bool = False) -> Tensor:
        return _ops.var(self, axis, correction=correction, keepdims=keepdims)

    def std(self, axis: Axis = None, *, correction: float = 0, keepdims: bool = False) -> Tensor:
        return _ops.std(self, axis, correction=correction, keepdims=keepdims)

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
        return _ops.argmax(self, axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
        return _ops.argmin(self, axis, keepdims=keepdims)


def node(primitive: Primitive, *inputs: Tensor) -> Tensor:
    """Apply a primitive to Tensors. Shape and dtype errors name the user's own file and line."""
    place = CURRENT_PLACE.get() or users_place()
    try:
        shape, dtype = primitive.result(*inputs)
    except (ShapeError, DTypeError) as error:
        raise type(error)(f"{error} ({place})") from None
    weak = primitive.weak and bool(inputs)
    for x in inputs[primitive.first_value :]:
        if not x.weak:
            weak = False
            break
    return Tensor(primitive, inputs, shape, dtype, weak, place)


# A Tensor's operators build nodes, and nodes are Tensors: the one cycle of imports in this room.
from spusk.graph import ops as _ops  # noqa: E402
