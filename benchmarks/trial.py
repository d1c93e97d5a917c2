"""What a contender hands over: work that can be done again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Evidence = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Trial:
    """A piece of work, ready to be timed.

    Args:
        once: does the work from its very beginning; what it did before must not matter.
        units: how many units (steps, weights' bytes …) `once` does; times are reported per unit.
        evidence: arrays that show what was computed, by name, to be compared with ours.
        note: what the reader should know, e.g. which variant was chosen.
    """

    once: Callable[[], Any]
    units: float
    evidence: Callable[[], Evidence] | None = None
    note: str = ""
