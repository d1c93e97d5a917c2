"""Schedules as pictures."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from spusk.errors import InputError
from spusk.optim.hyper import Schedule


def plot(schedule: Schedule, steps: int | None = None, ax: Any = None, label: str | None = None) -> Any:
    """The schedule's value over the steps; see `Schedule.plot`."""
    import matplotlib.pyplot as plt  # a second, and only pictures need it

    if steps is None:
        steps = max(int(span(schedule) * 1.1), 2)
    if steps < 1:
        raise InputError(f"plot got steps={steps}; it needs 1 or more")
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    t = np.unique(np.linspace(1, steps, 4000).round()) if steps > 4000 else np.arange(1, steps + 1)
    ax.plot(t, schedule(t), drawstyle="steps-post" if steps <= 60 else "default", label=label)
    ax.set(xlabel="step", ylabel="value", xlim=(1, max(steps, 2)))
    ax.set_title(_title(schedule), fontsize="medium")
    ax.grid(alpha=0.3)
    if label is not None:
        ax.legend()
    return ax


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
    length = fields.get("steps")
    if isinstance(length, Real):
        # A warm-up's or a wave's length comes before what follows it.
        repeats = sum(float(fields["factor"]) ** i for i in range(4)) if "factor" in fields else 1.0
        return float(length) * repeats + max(inner, default=0.0)  # pyright: ignore[reportArgumentType]
    return float(max([*own, *inner], default=0.0)) or 1000.0


def _title(schedule: Schedule) -> str:
    from spusk.optim.text import written  # which reads the catalogue of schedules

    text = written(schedule)
    return text if len(text) <= 70 else f"{text[:67]}…"
