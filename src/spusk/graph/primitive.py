"""What a primitive is: it knows its result's shape, its value, and how a gradient passes to its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from spusk.errors import DTypeError, ShapeError
from spusk.graph.dtypes import BOOL, DType

if TYPE_CHECKING:
    from spusk.graph.tensor import Tensor

Shape = tuple[int, ...]
Cotangents = tuple["Tensor | None", ...]


class Primitive:
    """One kind of node.

    `name` is how the printer shows it and how other backends find their implementation of it. Static
    arguments (an axis, a target shape) are fields of a frozen dataclass; values are inputs of the node.
    """

    name: ClassVar[str]
    elementwise: ClassVar[bool] = False
    linear: ClassVar[bool] = False  # the rule only moves, adds, negates or casts the cotangent
    weak: bool = True  # of weak inputs, the result is weak
    first_value: ClassVar[int] = 0  # the first of the inputs whose numbers the result takes

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        """The shape rule: shape and dtype of the result. Raises ShapeError or DTypeError."""
        raise NotImplementedError

    def evaluate(self, xp: Any, *values: Any) -> Any:
        """The result as an array of the namespace `xp`, given arrays."""
        raise NotImplementedError

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        """The cotangent of each input, as graph, given the result's cotangent; None where there is none.

        `out` is the node itself and `inputs` are its inputs, so that a rule can reuse their values.
        """
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """The static arguments, for printing."""
        return dict(vars(self))

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v}" for k, v in self.settings().items())
        return f"{self.name}({settings})" if settings else self.name


class Elementwise(Primitive):
    """A primitive that works element by element, with NumPy's broadcasting between its inputs.

    Its `vjp` may return cotangents of the broadcast shape; backprop sums them back to each input's shape.
    """

    elementwise = True
    of_bools: ClassVar[bool] = True  # whether truth values are allowed

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        dtype = inputs[-1].dtype
        if dtype is BOOL and not self.of_bools:
            raise DTypeError(
                f"{self.name} needs numbers and got truth values; convert them with .astype(...)"
            )
        return broadcast_shapes(self.name, *inputs), dtype


def broadcast_shapes(name: str, *inputs: Tensor) -> Shape:
    """NumPy's broadcasting of the inputs' shapes."""
    shape = inputs[0].shape
    for other in inputs[1:]:
        if other.shape != shape and other.shape != ():
            shape = other.shape if shape == () else _broadcast(name, inputs, shape, other.shape)
    return shape


def _broadcast(name: str, inputs: tuple[Tensor, ...], a: Shape, b: Shape) -> Shape:
    rank = max(len(a), len(b))
    padded_a, padded_b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    result: list[int] = []
    for m, n in zip(padded_a, padded_b, strict=True):
        if m != n and m != 1 and n != 1:
            shapes = " and ".join(str(t.shape) for t in inputs)
            raise ShapeError(f"{name} got shapes {shapes}, which do not broadcast")
        result.append(n if m == 1 else m)
    return tuple(result)
