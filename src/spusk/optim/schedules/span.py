"""How long a schedule is."""

from __future__ import annotations

from numbers import Real
from typing import Any

from spusk.optim.hyper import Schedule


def span(schedule: Any) -> float:
    """About how many steps a schedule needs to show what it does."""
    if not isinstance(schedule, Schedule):
        return 0.0
    fields = vars(schedule)
    inner = [span(x) for x in (*fields.values(), *fields.get("schedules", ()))]
    known = {"every": 6, "half_cycle": 8, "warm_up": 10}
    own = [n * fields[name] for name, n in known.items() if isinstance(fields.get(name), Real)]
    for name in ("milestones", "boundaries"):
        own += [1.3 * x for x in fields.get(name, ())[-1:] if isinstance(x, Real)]
    if "schedules" in fields:  # the last one begins at the last boundary
        own += [x + inner[-1] for x in fields["boundaries"][-1:] if isinstance(x, Real)]
    length = fields.get("steps")
    if isinstance(length, Real):
        # A warm-up's or a wave's length comes before what follows it.
        repeats = sum(float(fields["factor"]) ** i for i in range(4)) if "factor" in fields else 1.0
        return float(length) * repeats + max(inner, default=0.0)  # pyright: ignore[reportArgumentType]
    return float(max([*own, *inner], default=0.0)) or 1000.0
