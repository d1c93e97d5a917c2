"""What a layer says about one of its parameters, before any weight exists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Parameter:
    """One trainable array of a layer: its name, shape, and the fans that initialisers need.

    Args:
        name: within its layer, e.g. `"weight"`; a network prefixes the layer's path, e.g. `"0.weight"`.
        shape: of the array.
        fan_in: inputs that feed one output unit (0 where the notion does not apply).
        fan_out: outputs that one input unit feeds.
        kind: `"weight"`, or `"bias"` (initialised with zeros unless told).
    """

    name: str
    shape: tuple[int, ...]
    fan_in: int = 0
    fan_out: int = 0
    kind: Literal["weight", "bias"] = "weight"

    def within(self, path: str) -> Parameter:
        """The same parameter with `path` put before its name."""
        return replace(self, name=f"{path}.{self.name}") if path else self
