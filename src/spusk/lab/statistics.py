"""What differences between optimizers mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def paired_difference(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Mean of a − b over pairs, and the p-value of Student's two-sided paired t-test.

    The pairs are runs with the same seed, hence the same initial weights, split and batches: what they
    share cancels, and fewer seeds are needed to see a difference.

    Returns:
        (mean, p); NaN where there are no pairs, and p is NaN for a single pair. If all differences are
        equal, p is 1 when they are 0, else 0.

    >>> mean, p = paired_difference([1.0, 2.0, 3.1], [0.9, 1.8, 3.0])
    >>> round(mean, 3), round(p, 3)
    (0.133, 0.057)
    """
    differences = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    n = len(differences)
    if n == 0:
        return math.nan, math.nan
    mean = float(differences.mean())
    if n == 1:
        return mean, math.nan
    error = float(differences.std(ddof=1)) / math.sqrt(n)
    if error == 0:
        return mean, 1.0 if mean == 0 else 0.0
    from scipy.special import stdtr  # pyright: ignore[reportUnknownVariableType]

    return mean, float(2 * stdtr(n - 1, -abs(mean / error)))
