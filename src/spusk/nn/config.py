"""A network as plain data, so that a file can describe it without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from itertools import zip_longest
from typing import Any

from spusk.errors import InputError, SpuskError, closest
from spusk.nn.activations import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from spusk.nn.dropout import Dropout
from spusk.nn.flatten import Flatten
from spusk.nn.function import Lambda
from spusk.nn.layer import Layer
from spusk.nn.linear import Linear
from spusk.nn.residual import Residual
from spusk.nn.sequential import Sequential

CONTAINERS: tuple[type[Sequential | Residual], ...] = (Sequential, Residual)
PLAIN: tuple[type[Layer], ...] = (
    Linear, Dropout, Flatten, ReLU, LeakyReLU, ELU, GELU, SiLU, Tanh, Sigmoid, Softplus, Softmax, LogSoftmax,
)  # fmt: skip
REGISTRY: dict[str, type[Layer]] = {cls.__name__: cls for cls in (*CONTAINERS, *PLAIN)}
"""The layers that a description may name; nothing else is ever made from one."""


def to_config(layer: Layer) -> dict[str, Any]:
    """A description of a network, made of dicts, lists, strings and numbers only.

    Args:
        layer: a network of Spusk's own layers.

    Returns:
        `{"class": name, field: value, …}`; containers have `"names"` and `"layers"`. JSON can hold it.

    Raises:
        InputError: if the network has a `Lambda`, or a layer that is not one of Spusk's own.

    >>> from spusk import nn
    >>> to_config(nn.Sequential(nn.Linear(4, 2), nn.ReLU()))["layers"][0]
    {'class': 'Linear', 'n_in': 4, 'n_out': 2, 'bias': True}
    """
    kind = type(layer)
    name = kind.__name__
    if kind is Lambda:
        raise InputError(f"{layer!r} holds a function, which a description cannot hold ({layer.place})")
    if REGISTRY.get(name) is not kind:
        raise InputError(f"{name} is not a layer of spusk.nn, so it cannot be described ({layer.place})")
    if isinstance(layer, CONTAINERS):
        children = layer.children()
        inner = [to_config(child) for child in children.values()]
        return {"class": name, "names": list(children), "layers": inner}
    described: Any = layer
    return {"class": name, **{f.name: getattr(layer, f.name) for f in fields(described)}}


def from_config(config: Mapping[str, Any]) -> Layer:
    """The network that a description made by `to_config` describes.

    Args:
        config: as `to_config` returns it, also after a journey through JSON.

    Returns:
        A network equal to the one described.

    Raises:
        InputError: if the description is not well-formed, or names a class that is not in `REGISTRY`.

    >>> from_config({"class": "Linear", "n_in": 4, "n_out": 2, "bias": False})
    Linear(4, 2, bias=False)
    """
    found: Any = config
    if not isinstance(found, Mapping) or not isinstance(found.get("class"), str):  # pyright: ignore[reportUnknownMemberType]
        raise InputError(f"a layer is described by a mapping with an entry 'class', not by {found!r:.80}")
    arguments = dict(config)
    name: str = arguments.pop("class")
    if name not in REGISTRY:
        raise InputError(f"there is no layer {name!r}{closest(name, REGISTRY)}")
    if REGISTRY[name] in CONTAINERS:
        arguments = _members(name, arguments)
    try:
        return REGISTRY[name](**arguments)
    except SpuskError:
        raise
    except TypeError as error:
        raise InputError(f"the description of a {name} does not fit: {error}") from None


def _members(name: str, entries: Mapping[str, Any]) -> dict[str, Layer]:
    """The layers of a container, by name."""
    names: Any = entries.get("names")
    layers: Any = entries.get("layers")
    if set(entries) != {"names", "layers"} or not isinstance(names, list) or not isinstance(layers, list):
        raise InputError(f"a {name} is described by two lists, 'names' and 'layers'")
    pairs: list[tuple[Any, Any]] = list(zip_longest(names, layers))  # pyright: ignore[reportUnknownArgumentType]
    members = {n: from_config(layer) for n, layer in pairs if isinstance(n, str)}
    if len(members) < len(pairs):
        raise InputError(f"a {name} has as many names as layers, each of its own; this one has names {names}")
    return members
