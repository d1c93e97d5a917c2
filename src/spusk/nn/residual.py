"""The residual connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope
from spusk.nn.sequential import Sequential, named_layers


@dataclass(frozen=True, init=False, repr=False)
class Residual(Layer):
    """The input added to what layers make of it: `x + layers(x)`, shape kept.

    Args:
        layers: one layer or several, applied one after another, named `"0"`, `"1"`, …
        named: further layers, named by their keywords.

    Raises:
        InputError: if there is no layer, or something is not a layer.
        ShapeError: when applied, if the layers change the shape; it names the layer and both shapes.

    Source: He, Zhang, Ren, Sun, 2015, "Deep residual learning for image recognition".

    >>> from spusk import nn
    >>> block = Residual(nn.Linear(8, 8), nn.ReLU())
    >>> [p.name for p in block.parameters()]
    ['0.weight', '0.bias']
    >>> Residual(nn.ReLU())({}, [-1.0, 2.0]).numpy()
    array([-1.,  4.], dtype=float32)
    """

    body: Sequential

    def __init__(self, /, *layers: Layer, **named: Layer) -> None:
        if not layers and not named:
            raise InputError(f"Residual got no layer; it needs at least one ({self.place})")
        object.__setattr__(self, "body", Sequential(**named_layers(self, layers, named)))

    def children(self) -> Mapping[str, Layer]:
        return self.body.children()

    def apply(self, p: Scope, x: Tensor) -> Tensor:
        y = self.body.apply(p, x)
        if y.shape != x.shape:
            raise p.wrong_input(x, f"its layers made shape {y.shape} of it, and must keep the shape")
        return x + y

    def __repr__(self) -> str:
        return f"Residual({self.body.members()})"
