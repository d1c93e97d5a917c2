"""Grids of learning rates."""

from __future__ import annotations

import math

from spusk.errors import InputError


def log_grid(low: float, high: float, per_decade: int = 1) -> tuple[float, ...]:
    """Rates from `low` to `high`, evenly spaced on a logarithmic scale.

    Args:
        low, high: the first and the last rate, 0 < low ≤ high.
        per_decade: how many steps to a factor of ten; the last rate is `high` itself.

    Raises:
        InputError: if a bound is not positive, the bounds are exchanged, or per_decade is below 1.

    >>> log_grid(1e-3, 1)
    (0.001, 0.01, 0.1, 1.0)
    >>> log_grid(1e-2, 1e-1, per_decade=2)
    (0.01, 0.0316228, 0.1)
    """
    if not (0 < low <= high < math.inf):
        raise InputError(f"log_grid got low={low}, high={high}; it needs 0 < low ≤ high")
    if per_decade < 1:
        raise InputError(f"log_grid got per_decade={per_decade}; it must be 1 or more")
    steps = max(round(math.log10(high / low) * per_decade), 1) if high > low else 0
    ratio = (high / low) ** (1 / steps) if steps else 1.0
    return tuple(float(f"{low * ratio**i:.6g}") for i in range(steps + 1))
