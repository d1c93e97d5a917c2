"""A mutated function put in the place of the running one: no module is imported anew."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from tools.mutants.mutant import ROOT, Mutant, module_name


def put(mutant: Mutant) -> bool:
    """Give the function that the mutant changes its changed code.

    Whatever has imported the function sees the change, for it remains the same object.

    Returns:
        False, with nothing changed, where the change is not inside a function (but a default, a preset, a
        constant of the module) or the function cannot be found by its name.
    """
    module = sys.modules[module_name(ROOT / mutant.file)]
    functions = list(_functions(module, mutant.function.split(".")))
    if len(functions) != 1:
        return False
    function = functions[0]
    new = _of_the_same_name(mutant.code, function.__code__)
    if new is None or new == function.__code__ or new.co_freevars != function.__code__.co_freevars:
        return False
    function.__code__ = new
    return True


def _functions(holder: Any, names: list[str]) -> Iterator[FunctionType]:
    """The outermost function on this path of names; a property may have several, a cached one none."""
    found = vars(holder).get(names[0])
    if inspect.isclass(found) and len(names) > 1:
        yield from _functions(found, names[1:])
        return
    parts = [found, *(getattr(found, name, None) for name in ("fget", "fset", "fdel", "__func__"))]
    yield from (p for p in parts if isinstance(p, FunctionType) and not hasattr(p, "__wrapped__"))


def _of_the_same_name(code: CodeType, function: CodeType) -> CodeType | None:
    """The code of the function of this name and line, among what the code defines."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if (inner.co_qualname, inner.co_firstlineno) == (function.co_qualname, function.co_firstlineno):
                return inner
            if found := _of_the_same_name(inner, function):
                return found
    return None
