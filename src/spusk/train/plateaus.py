"""What plateaus make of the learning rates while a training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError, closest
from spusk.optim import Optimizer
from spusk.optim.wrappers.plateau import Watch, plateaus


class Plateaus:
    """The scales of every `Plateau` in an optimizer, which are inputs of its step.

    Args:
        optimizer: the rule.
        fixed: the values of the step's inputs that are not carried; the scales in it are kept up to date.
        watched: the measure that plateaus look at by default.

    Attributes:
        inputs: the names of the scales among the step's inputs.
    """

    def __init__(self, optimizer: Optimizer, fixed: dict[str, Any], watched: str) -> None:
        self._watches = {f"hyper/{path}": Watch(rule) for path, rule in plateaus(optimizer).items()}
        self._fixed, self._watched = fixed, watched
        self.inputs = tuple(self._watches)

    def rows(self, steps: int) -> dict[str, NDArray[np.float64]]:
        """The scales in each of so many steps, by input."""
        return {name: np.full(steps, watch.scale) for name, watch in self._watches.items()}

    def scales(self) -> dict[str, float]:
        """The scales as the history names them."""
        scales = {name.removeprefix("hyper/"): watch.scale for name, watch in self._watches.items()}
        if len(scales) == 1:
            return {"lr_scale": next(iter(scales.values()))}
        return {f"lr_scale of {name}": scale for name, scale in scales.items()}

    def check(self, measures: Mapping[str, float]) -> None:
        """Raise an InputError if a plateau monitors a measure that there is not."""
        for watch in self._watches.values():
            if (monitor := watch.rule.monitor or self._watched) not in measures:
                raise InputError(f"Plateau(monitor={monitor!r}) names no measure{closest(monitor, measures)}")

    def after(self, measured: Mapping[str, float]) -> None:
        """Take note of what an epoch has come to."""
        for name, watch in self._watches.items():
            self._fixed[name] = watch.after(measured[watch.rule.monitor or self._watched])
