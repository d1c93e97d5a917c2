"""Optimizers and schedules by name, as the command line and `sp.train` take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spusk.errors import InputError
from spusk.lazy import ByName
from spusk.optim import hints, where
from spusk.optim.hyper import Schedule
from spusk.optim.optimizer import Optimizer
from spusk.optim.plugins import plugin, plugin_names
from spusk.optim.solvers import SOLVERS, solver

CATALOGUE: Mapping[str, type[Optimizer]] = ByName("spusk.optim", where.RULES)
"""Every optimizer, by its class name in lower case; each is loaded when it is looked up."""

LECTURE: tuple[str, ...] = tuple(name.lower() for name in where.LECTURE)
"""The names of the lecture's optimizers, in its order."""

SCHEDULES: Mapping[str, type[Schedule]] = ByName("spusk.optim", where.SCHEDULES)
"""Every schedule, by its class name in lower case; each is loaded when it is looked up."""


def get(optimizer: Optimizer | type[Optimizer] | str) -> Optimizer:
    """The optimizer that a name or a class stands for, with its defaults; an optimizer stands for itself.

    Args:
        optimizer: an optimizer, its class, or its name in any case, e.g. `"adam"`; after the name there may
            be what differs from the defaults, e.g. `"adam(beta1=0.5)"` or `'adam.like("keras")'`. Of a rule
            of your own, file and class: `"./mine.py:MyRule"`; that file is run. Names that are none of ours
            are looked for in the entry-point group `spusk.optimizers` of installed packages.

    Raises:
        InputError: if no optimizer has that name, it is none of the three, or the file cannot be run.

    >>> get("adam")
    Adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08, eps_root=0.0, eps_hat=False)
    >>> get("adamm")
    Traceback (most recent call last):
        ...
    spusk.errors.InputError: unknown optimizer 'adamm'; did you mean 'adam'?
    """
    found: Any = optimizer
    if solver(optimizer):
        raise InputError(
            f"{optimizer!r} takes as many evaluations for a step as it needs, so it works in sp.minimize only"
        )
    if isinstance(optimizer, str):
        from spusk.optim.text import OWN, read  # it reads this catalogue

        is_name = "(" not in optimizer and not OWN.search(optimizer)
        return known_rule(optimizer)() if is_name else read(optimizer)
    if isinstance(found, type) and issubclass(found, Optimizer):
        found = found()
    if not isinstance(found, Optimizer):
        raise InputError(
            f"{optimizer!r} is not an optimizer; give one, such as Adam(), its class or its name"
        )
    return found


def known_rule(name: str, also: Iterable[str] = ()) -> type[Optimizer]:
    """The class that a name in any case stands for: one of ours, or one that another package registers.

    Args:
        name: the name.
        also: what else could have been meant, for the hint in the error.

    Raises:
        InputError: if there is none.
    """
    ours = CATALOGUE.get(name.lower())
    if ours is not None:
        return ours
    theirs = plugin(name)
    if theirs is None:
        if instead := hints.file_alone(name):
            raise InputError(f"the optimizer {name!r} is a file; {instead}")
        presets = {rule: cls.presets for rule, cls in CATALOGUE.items() if name.lower().startswith(rule)}
        known = [*CATALOGUE, *plugin_names(), *SOLVERS, *also]
        raise InputError(f"unknown optimizer {name!r}{hints.for_rule(name, known, presets)}")
    return theirs.rule
