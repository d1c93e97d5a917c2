"""A wrapper that overrides nothing is the rule it holds."""

from dataclasses import dataclass

import numpy as np
import pytest
from optim.events import GRADIENTS, START
from optim.harness import Counting, path

from spusk.optim import Adam, Nesterov, Optimizer, ScheduleFreeSGD, Wrapper


@dataclass(frozen=True)
class Plain(Wrapper):
    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)


@pytest.mark.parametrize("inner", [Adam(), Nesterov(), ScheduleFreeSGD(), Counting()], ids=repr)
@pytest.mark.parametrize("evaluated", [False, True])
def test_it_passes_everything_on(inner, evaluated):
    found, expected = (
        path(rule, GRADIENTS[:20], START, evaluated=evaluated) for rule in (Plain(inner), inner)
    )
    np.testing.assert_array_equal(found, expected)
