"""Schedules as pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from spusk.errors import InputError
from spusk.optim.hyper import Schedule
from spusk.optim.schedules.span import span


def plot(schedule: Schedule, steps: int | None = None, ax: Any = None, label: str | None = None) -> Any:
    """The schedule's value over the steps; see `Schedule.plot`."""
    import matplotlib.pyplot as plt  # a second, and only pictures need it

    if steps is None:
        steps = max(int(span(schedule) * 1.1), 2)
    if steps < 1:
        raise InputError(f"plot got steps={steps}; it needs 1 or more")
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
        ax.set_title(_title(schedule), fontsize="medium")
    elif not hasattr(ax, "plot"):
        raise InputError(
            f"plot got ax={ax!r:.60}; ax is the matplotlib axes to draw into, and what plot returns has "
            '.figure.savefig("lr.png")'
        )
    elif label is None:
        label = _title(schedule)  # a title would lie on the axes above, and be that of the last one drawn
    t = np.unique(np.linspace(1, steps, 4000).round()) if steps > 4000 else np.arange(1, steps + 1)
    ax.plot(t, schedule(t), drawstyle="steps-post" if steps <= 60 else "default", label=label)
    ax.set(ylabel="value", xlim=(1, max(steps, 2)))
    place = ax.get_subplotspec()
    if place is None or place.is_last_row():  # below others' it would lie on the next ones
        ax.set_xlabel("step")
    ax.grid(alpha=0.3)
    if label is not None:
        ax.legend(fontsize="small")
    return ax


def _title(schedule: Schedule) -> str:
    from spusk.optim.text import written  # which reads the catalogue of schedules

    text = written(schedule)
    return text if len(text) <= 70 else f"{text[:67]}…"
