"""Presets fill in what they are not given, by place or by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from spusk.errors import InputError
from spusk.optim import Hyper, Optimizer


@dataclass(frozen=True)
class Placed(Optimizer):
    known: float = field(init=False, default=1.0)
    lr: Hyper = 0.1
    by_name: float = field(kw_only=True, default=2.0)
    mu: Hyper = 0.2

    presets: ClassVar = {"torch": {"lr": 0.5, "by_name": 3.0, "mu": 0.6}}


def test_values_have_the_places_of_the_class():
    assert Placed.like("torch") == Placed(0.5, 0.6, by_name=3.0)
    assert Placed.like("torch", 0.3) == Placed(0.3, 0.6, by_name=3.0)
    assert Placed.like("torch", 0.3, 0.4) == Placed(0.3, 0.4, by_name=3.0)
    assert Placed.like("torch", 0.3, by_name=4.0) == Placed(0.3, 0.6, by_name=4.0)


@pytest.mark.parametrize("library", [1, None, "", "torhc"])
def test_a_library_that_is_none_is_told(library):
    with pytest.raises(InputError, match=rf"^Placed has no preset {library!r}"):
        Placed.like(library)
