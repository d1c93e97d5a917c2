"""Layers one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, overload

from spusk.errors import InputError, closest
from spusk.graph import Tensor
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope


@dataclass(frozen=True, init=False, repr=False)
class Sequential(Layer):
    """Layers applied one after another; the output of each is the input of the next.

    Args:
        layers: named by their positions, `"0"`, `"1"`, …
        named: further layers, named by their keywords.

    The names begin the parameters' names: `"0.weight"`. A sequence can be iterated, and indexed by
    position or name. A slice is a `Sequential` whose layers keep their names, so `net[:2](weights, x)`
    shows what the network with these weights has after two layers.

    Raises:
        InputError: if something is not a layer, or a name is used twice, is empty or contains a dot.

    >>> from spusk import nn
    >>> net = Sequential(nn.Linear(64, 32), nn.ReLU(), head=nn.Linear(32, 10))
    >>> [p.name for p in net.parameters()]
    ['0.weight', '0.bias', 'head.weight', 'head.bias']
    >>> len(net), net[1], net["head"]
    (3, ReLU(), Linear(32, 10))
    """

    names: tuple[str, ...]
    layers: tuple[Layer, ...]

    def __init__(self, /, *layers: Layer, **named: Layer) -> None:
        members = named_layers(self, layers, named)
        object.__setattr__(self, "names", tuple(members))
        object.__setattr__(self, "layers", tuple(members.values()))

    def children(self) -> Mapping[str, Layer]:
        return dict(zip(self.names, self.layers, strict=True))

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        for name, layer in zip(self.names, self.layers, strict=True):
            x = layer(p.child(name), x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, key: int | str) -> Layer: ...
    @overload
    def __getitem__(self, key: slice) -> Sequential: ...
    def __getitem__(self, key: int | str | slice) -> Layer:
        """A layer by position or name, or a slice of them."""
        if isinstance(key, slice):
            return Sequential(**dict(zip(self.names[key], self.layers[key], strict=True)))
        if isinstance(key, str):
            if key not in self.names:
                raise KeyError(f"the network has no layer {key!r}{closest(key, self.names)}")
            return self.layers[self.names.index(key)]
        return self.layers[key]

    def __repr__(self) -> str:
        return f"Sequential({self.members()})"

    def members(self) -> str:
        """The layers as the arguments of a constructor call."""
        shown: list[str] = []
        rest: list[str] = []  # from the first name on that no constructor call can spell, as in a slice
        for i, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            if rest or not (name == str(i) or name.isidentifier()):
                rest.append(f"{name!r}: {layer!r}")
            else:
                shown.append(repr(layer) if name == str(i) else f"{name}={layer!r}")
        return ", ".join([*shown, *([f"**{{{', '.join(rest)}}}"] if rest else [])])


def named_layers(owner: Layer, layers: tuple[Layer, ...], named: Mapping[str, Layer]) -> dict[str, Layer]:
    """The layers that a constructor was given, by name; positions are the names of those without one."""
    members = {str(i): layer for i, layer in enumerate(layers)}
    for name in named:
        if name in members:
            raise InputError(f"{type(owner).__name__} got two layers named {name!r} ({owner.place})")
        if not name or "." in name:
            raise InputError(
                f"{type(owner).__name__} got a layer named {name!r}; "
                f"a name must not be empty or contain a dot ({owner.place})"
            )
    members |= named
    for name, layer in members.items():
        if not isinstance(layer, Layer):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"{type(owner).__name__} got {_not_a_layer(owner, name, layer)} ({owner.place})")
    return members


def _not_a_layer(owner: Layer, name: str, found: Any) -> str:
    called = getattr(found, "__name__", type(found).__name__)
    if isinstance(found, type):
        return f"the class {called} as layer {name}; write {called}(…)"
    if isinstance(found, (list, tuple)):
        return f"a {called} as layer {name}; write {type(owner).__name__}(*layers)"
    if callable(found):
        return f"the function {called} as layer {name}; write Lambda({called})"
    return f"{found!r} as layer {name}; it needs layers, such as Linear(64, 32)"
