"""Did two contenders do the same work? Their evidence says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.timing import Absent, Outcome
from benchmarks.trial import Evidence


def deviation(ours: Evidence, theirs: Evidence) -> float | None:
    """The largest difference over the largest number of ours, over all arrays that both have.

    Where one array is shorter along an axis, as of a peer that did only the first trainings, the common part
    counts.

    Returns:
        None if they have nothing in common; infinity if an array holds what is not finite.
    """
    worst: float | None = None
    for name in ours.keys() & theirs.keys():
        a, b = np.asarray(ours[name], np.float64), np.asarray(theirs[name], np.float64)
        if a.ndim != b.ndim:
            raise ValueError(f"evidence {name!r} has {a.ndim} axes here and {b.ndim} there")
        common = tuple(slice(min(n, m)) for n, m in zip(a.shape, b.shape, strict=True))
        a, b = a[common], b[common]
        finite = bool(np.isfinite(a).all() and np.isfinite(b).all())
        found = float(np.abs(a - b).max() / max(np.abs(a).max(), 1e-30)) if finite else float("inf")
        worst = found if worst is None else max(worst, found)
    return worst


def deviations(ours: Outcome, peers: Mapping[str, Outcome]) -> dict[str, float | None]:
    """The deviation of every peer that ran, by name."""
    if isinstance(ours, Absent):
        return {}
    return {
        name: deviation(ours.evidence, peer.evidence)
        for name, peer in peers.items()
        if not isinstance(peer, Absent)
    }
