"""A wrapper that overrides nothing is the rule it holds."""

from dataclasses import dataclass

import numpy as np
import pytest
from optim.events import GRADIENTS, START
from optim.harness import path

from spusk.optim import Adam, Hyper, Nesterov, Optimizer, ScheduleFreeSGD, Wrapper


@dataclass(frozen=True)
class Plain(Wrapper):
    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)


@dataclass(frozen=True)
class Counting(Optimizer):
    """Goes as far as the number of the step, which it learns where it asks for gradients."""

    lr: Hyper = 1.0

    def gradients_all(self, objective, parameters, state, t):
        found = super().gradients_all(objective, parameters, state, t)
        return found.replaced({name: g * t for name, g in found.items()})

    def update(self, w, g, s, t):
        return w + self.lr * g, s


@pytest.mark.parametrize("inner", [Adam(), Nesterov(), ScheduleFreeSGD(), Counting()], ids=repr)
@pytest.mark.parametrize("evaluated", [False, True])
def test_it_passes_everything_on(inner, evaluated):
    found, expected = (
        path(rule, GRADIENTS[:20], START, evaluated=evaluated) for rule in (Plain(inner), inner)
    )
    np.testing.assert_array_equal(found, expected)
