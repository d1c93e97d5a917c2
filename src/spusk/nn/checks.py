"""Checks of a layer's arguments, shared by all layers. Each leaves a plain Python value in the field."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from spusk.errors import InputError

if TYPE_CHECKING:
    from spusk.nn.layer import Layer


FLAGS: tuple[type[Any], ...] = (bool, np.bool)


def require_network(net: Any) -> None:
    """Refuse what is no layer where a network is needed, and say how to make one of a list of layers."""
    from spusk.nn.layer import Layer

    if isinstance(net, Layer):
        return
    found = type(net).__name__
    members: tuple[Any, ...] = tuple(net) if isinstance(net, (list, tuple)) else ()  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if members and all(isinstance(member, Layer) for member in members):
        hint = "such as nn.Sequential(*layers)"
    elif isinstance(net, type) and issubclass(net, Layer):
        raise InputError(f"net is the class {net.__name__}; it must be a layer, made by calling the class")
    else:
        hint = "such as nn.Sequential(nn.Linear(4, 3))"
    raise InputError(f"net is a {found}; it must be a layer, {hint}")


def require_whole(layer: Layer, argument: str, *, least: int | None = None) -> None:
    """Refuse an argument that is not a whole number, or is below `least`."""
    value: Any = getattr(layer, argument)
    expected = "a whole number" if least is None else f"a whole number, {least} or more"
    if isinstance(value, FLAGS) or not isinstance(value, Integral):
        raise _refusal(layer, argument, expected)
    if least is not None and int(value) < least:
        raise _refusal(layer, argument, expected)
    object.__setattr__(layer, argument, int(value))


def require_real(
    layer: Layer, argument: str, expected: str, *, low: float = -math.inf, below: float = math.inf
) -> None:
    """Refuse an argument that is not a finite number with low ≤ number < below."""
    value: Any = getattr(layer, argument)
    if isinstance(value, FLAGS) or not isinstance(value, Real):
        raise _refusal(layer, argument, expected)
    number = float(value)
    if not (low <= number < below and math.isfinite(number)):
        raise _refusal(layer, argument, expected)
    object.__setattr__(layer, argument, number)


def require_flag(layer: Layer, argument: str) -> None:
    """Refuse an argument that is neither True nor False."""
    value: Any = getattr(layer, argument)
    if not isinstance(value, FLAGS):
        raise _refusal(layer, argument, "True or False")
    object.__setattr__(layer, argument, bool(value))


def _refusal(layer: Layer, argument: str, expected: str) -> InputError:
    return InputError(
        f"{type(layer).__name__} got {argument}={getattr(layer, argument)!r}; "
        f"it needs {expected} ({layer.place})"
    )
