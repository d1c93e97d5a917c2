"""One number that is known, beside ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """A published or exact number beside the one we computed.

    Attributes:
        name: of the training or result that it belongs to.
        what: was measured.
        expected: the published or exact number.
        found: ours.
        allowed: the largest relative deviation that counts as the same.
        source: where the expected number is from.
    """

    name: str
    what: str
    expected: float
    found: float
    allowed: float
    source: str

    @property
    def deviation(self) -> float:
        """(found − expected) / |expected|.

        >>> Finding("sgd", "loss", 2.0, 2.1, 0.01, "").deviation
        0.050000000000000044
        """
        return (self.found - self.expected) / abs(self.expected)

    @property
    def holds(self) -> bool:
        """Whether the deviation is a number and no larger than allowed."""
        return math.isfinite(self.found) and abs(self.deviation) <= self.allowed

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "name": self.name,
            "what": self.what,
            "expected": self.expected,
            "found": self.found,
            "deviation": self.deviation,
            "allowed": self.allowed,
            "holds": self.holds,
            "source": self.source,
        }
