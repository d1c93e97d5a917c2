"""Optimizers of other packages, which register them as entry points of the group `spusk.optimizers`.

In the package's pyproject.toml:

    [project.entry-points."spusk.optimizers"]
    mine = "my_package:Mine"

They are looked for when a name is not one of ours, or when all are listed; importing spusk does not.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from spusk.optim.optimizer import Optimizer

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "spusk.optimizers"


class PluginWarning(UserWarning):
    """A package registers an optimizer that cannot be used; the sentence names both."""


@dataclass(frozen=True)
class Plugin:
    """An optimizer of another package: its name, its class, and the package."""

    name: str
    rule: type[Optimizer]
    package: str


def plugin_names() -> list[str]:
    """The names that installed packages register, without importing the packages."""
    return list(_registered())


def plugin(name: str) -> Plugin | None:
    """The optimizer that another package registers under a name in any case.

    None if there is none. A package that cannot be imported, registers something else than an optimizer, or
    uses a name that is taken, is told in one `PluginWarning`, and counts as not there.
    """
    found = _registered().get(name.lower())
    return None if found is None else _loaded(name.lower())


def all_plugins() -> list[Plugin]:
    """Every optimizer of other packages that can be used."""
    return [found for name in _registered() if (found := plugin(name)) is not None]


def forget() -> None:
    """Look for packages anew, e.g. after one was installed while Python runs."""
    _registered.cache_clear()
    _loaded.cache_clear()


@cache
def _registered() -> dict[str, EntryPoint]:
    """The entry points by name; of those with a name that is taken, only the warning is left."""
    from importlib.metadata import entry_points  # only when a name is not one of ours

    from spusk.optim.catalogue import CATALOGUE, SCHEDULES  # which asks for plugins
    from spusk.optim.solvers import SOLVERS

    ours = {*CATALOGUE, *SCHEDULES, *SOLVERS}
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=_package):
        name = point.name.lower()
        if name in ours:
            _skip(point, "is the name of a method of spusk")
        elif name in found:
            if (_package(point), point.value) != (_package(found[name]), found[name].value):
                _skip(point, f"is already taken by package {_package(found[name])!r}")
        else:
            found[name] = point
    return found


@cache
def _loaded(name: str) -> Plugin | None:
    point = _registered()[name]
    try:
        rule: Any = point.load()
    except Exception as error:  # whatever a module does when it is imported
        what = " ".join(str(error).split())
        return _skip(point, f"cannot be loaded from {point.value}: {type(error).__name__}: {what}")
    if not (isinstance(rule, type) and issubclass(rule, Optimizer)):
        return _skip(point, f"stands for {point.value}, which is no subclass of spusk.optim.Optimizer")
    if rule.__name__.lower() != name:
        return _skip(
            point,
            f"stands for the class {rule.__name__}; its name must be that of the class, "
            f"{rule.__name__.lower()!r}, as tables show it",
        )
    return Plugin(name, rule, _package(point))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _skip(point: EntryPoint, why: str) -> None:
    warnings.warn(
        f"package {_package(point)!r} registers the optimizer {point.name!r}, which {why}; it is left out",
        PluginWarning,
        stacklevel=2,
    )
