"""Any function as a layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope


@dataclass(frozen=True, repr=False)
class Lambda(Layer):
    """A function of the input, without parameters.

    Args:
        f: from a Tensor to a Tensor, built with operators and `spusk.numpy`.
        name: shown in tables and error messages; default: the function's own name.

    Raises:
        InputError: if f cannot be called; when applied, if it does not return a Tensor.

    >>> Lambda(lambda x: x * x, "square")({}, [1.0, 2.0, 3.0]).numpy()
    array([1., 4., 9.], dtype=float32)
    """

    f: Callable[[Tensor], Tensor]
    name: str | None = None

    def __post_init__(self) -> None:
        found: Any = self.f
        if not callable(found):
            raise InputError(f"Lambda got f={found!r}; it needs a function of a Tensor ({self.place})")

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        return self.f(x)

    def __repr__(self) -> str:
        function: Any = self.f
        return f"Lambda({self.name or getattr(function, '__name__', type(function).__name__)})"
