"""What a layer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Self, overload

from spusk.errors import InputError
from spusk.graph import Place, Tensor, as_tensor
from spusk.graph.tensor import users_place
from spusk.nn.parameter import Parameter
from spusk.nn.scope import Scope


class Layer(ABC):
    """A description of one part of a network: what parameters it has, and what it computes from them.

    A layer holds no weights. Layers are frozen dataclasses, so they compare, hash and pickle by their
    fields. To write one, derive a frozen dataclass and give it `apply`, and `parameters` if it has any of
    its own. Fields that are layers are its children; their parameters are found by themselves.

    >>> from dataclasses import dataclass
    >>> from spusk import nn
    >>> @dataclass(frozen=True)
    ... class Scale(nn.Layer):
    ...     width: int
    ...     def parameters(self):
    ...         yield nn.Parameter("gain", (self.width,), fan_in=1, fan_out=1)
    ...     def apply(self, p, x):
    ...         return x * p.gain
    >>> Scale(2)({"gain": [2.0, 3.0]}, [[1.0, 1.0]]).numpy()
    array([[2., 3.]], dtype=float32)

    A layer with children calls each one in the scope of its name:

    >>> @dataclass(frozen=True)
    ... class Gated(nn.Layer):
    ...     value: nn.Layer
    ...     gate: nn.Layer
    ...     def apply(self, p, x):
    ...         return self.value(p.child("value"), x) * nn.sigmoid(self.gate(p.child("gate"), x))
    >>> [parameter.name for parameter in Gated(nn.Linear(2, 3), nn.Linear(2, 3, bias=False)).parameters()]
    ['value.weight', 'value.bias', 'gate.weight']
    """

    _place: Place

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Here, not in __post_init__: the __init__ that a dataclass generates has a file of its own.
        layer = super().__new__(cls)
        object.__setattr__(layer, "_place", users_place())
        return layer

    @property
    def place(self) -> Place:
        """The line of the user's code where the layer was made."""
        return self._place

    def children(self) -> Mapping[str, Layer]:
        """The layers inside this one, by name: the fields that are layers."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Layer)}

    def parameters(self) -> Iterator[Parameter]:
        """What is trained, named by path, e.g. `"0.weight"`; by default the parameters of the children."""
        for name, child in self.children().items():
            for parameter in child.parameters():
                yield parameter.within(name)

    @abstractmethod
    def apply(self, p: Scope, x: Tensor) -> Tensor:
        """The output, as graph.

        Args:
            p: the layer's parameters as attributes (`p.weight`), whether this is training, random bits.
            x: the input, batch axis first.
        """

    @overload
    def __call__(self, params: Scope, x: Any) -> Tensor: ...
    @overload
    def __call__(
        self, params: Mapping[str, Any], x: Any, *, training: bool = ..., key: Any = ..., step: Any = ...
    ) -> Tensor: ...
    def __call__(
        self,
        params: Mapping[str, Any] | Scope,
        x: Any,
        *,
        training: bool = False,
        key: Any = None,
        step: Any = None,
    ) -> Tensor:
        """Apply the layer: a network to arrays or Tensors, or a child inside its parent's `apply`.

        Args:
            params: arrays or Tensors by full name, e.g. `{"0.weight": w}`; or, inside another layer's
                `apply`, the child's scope `p.child(name)`.
            x: the input, batch axis first: an array or a Tensor.
            training: whether layers such as Dropout do what they do in training only.
            key: uint32 [2], from `spusk.streams.key`; needed by layers that draw random numbers.
            step: the number of the training step, a whole number or a scalar Tensor; needed with `key`.

        Returns:
            The output as a Tensor: `.numpy()` computes it.

        Raises:
            InputError: if a parameter is missing.
            ShapeError: if a parameter or the input has a shape that does not fit; it names the layer.

        >>> from spusk import nn
        >>> nn.Linear(2, 1)({"weight": [[1.0], [2.0]], "bias": [0.5]}, [[3.0, 4.0]]).numpy()
        array([[11.5]], dtype=float32)
        """
        if isinstance(params, Scope):
            p = params.of(self)
        elif isinstance(params, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            p = Scope(params, training=training, key=key, step=step, layer=self)
        else:
            found = type(params).__name__
            raise InputError(
                f"{self!r} got a {found} for its parameters; it needs a mapping from their names"
            )
        y: Any = self.apply(p, as_tensor(x))
        if not isinstance(y, Tensor):
            raise InputError(f"{p.title} returned {type(y).__name__}; it must return a Tensor ({self.place})")
        p.record(y)
        return y

    def summary(self, input_shape: tuple[int, ...] | None = None) -> str:
        """A table of the layers inside: names, output shapes, numbers of parameters. Computes nothing.

        Args:
            input_shape: of one example, without the batch axis; default: as wide as the first layer that
                says its width.

        Returns:
            Lines of text. The batch axis is written n, and a shape that is not known as ?.

        Raises:
            ShapeError: if a layer cannot take what the given `input_shape` brings it.

        >>> from spusk import nn
        >>> print(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)))
        name  layer           output   parameters
        ────  ──────────────  ───────  ──────────
              input           (n, 64)
        0     Linear(64, 32)  (n, 32)       2,080
        1     ReLU()          (n, 32)           0
        2     Linear(32, 10)  (n, 10)         330
        ────  ──────────────  ───────  ──────────
              total                         2,410
        """
        from spusk.nn.summary import summary

        return summary(self, input_shape)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(_arguments(self))})"


def _arguments(layer: Any) -> Iterator[str]:
    """The arguments of the constructor call; switches that are left at their defaults are not shown."""
    for field in fields(layer) if is_dataclass(layer) else ():
        value: Any = getattr(layer, field.name)
        if field.default is MISSING:
            yield repr(value)
        elif value != field.default or not (value is None or isinstance(value, bool)):
            yield f"{field.name}={value!r}"
