"""Packages whose names are loaded when they are asked for, so that importing spusk stays quick (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeVar

T = TypeVar("T")


def lazy(
    package: str, where: Mapping[str, str]
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """`__all__`, `__getattr__` and `__dir__` of a package that loads each name's module on first use.

    Type checkers read the imports that the package makes `if TYPE_CHECKING:`; tests/test_lazy.py compares
    them with the table.

    Args:
        package: its `__name__`.
        where: for each public name, the module of the package that defines it; a name that is its own
            module's stands for that module.

    >>> public, load, _ = lazy("spusk.optim", {"Adam": "adam", "wrappers": "wrappers"})
    >>> public, load("Adam")().beta1
    (['Adam', 'wrappers'], 0.9)
    >>> load("Adm")
    Traceback (most recent call last):
        ...
    AttributeError: module 'spusk.optim' has no attribute 'Adm'
    """

    def load(name: str) -> Any:
        if name not in where:  # Python itself adds near names of __dir__
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{where[name]}")
        found = module if name == where[name] else getattr(module, name)
        setattr(sys.modules[package], name, found)  # the next time, Python finds it without asking here
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *where})

    return list(where), load, names


class ByName(Mapping[str, T]):
    """Things of a package by their names in lower case, in order; each is loaded when it is looked up.

    >>> rules = ByName("spusk.optim", ["SGD", "Adam"])
    >>> list(rules), "adam" in rules, rules["adam"].__name__
    (['sgd', 'adam'], True, 'Adam')
    """

    def __init__(self, package: str, names: Iterable[str]) -> None:
        self._package = package
        self._names = {name.lower(): name for name in names}

    def __getitem__(self, name: str) -> T:
        return getattr(import_module(self._package), self._names[name])

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))
