"""Functions of nested names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spusk.graph import Tensor
from spusk.optim.state import flatten, unflatten


def combined(f: Callable[[Tensor, Tensor], Tensor], a: Mapping[str, Any], b: Mapping[str, Any]) -> Any:
    """f of the leaves of two trees with the same names."""
    of_b = flatten(b)
    return unflatten(a, {path: f(leaf, of_b[path]) for path, leaf in flatten(a).items()})
