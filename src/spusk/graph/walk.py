"""Walking a graph without recursion."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from operator import attrgetter
from threading import get_ident

from spusk.graph.tensor import Tensor


def topological(outputs: Iterable[Tensor]) -> list[Tensor]:
    """Every node that the outputs depend on, inputs before their users: in the order they were made.

    That order also keeps values short-lived: backprop makes the nodes that use a cotangent side by side.

    >>> from spusk.graph import input
    >>> x = input("x")
    >>> [t.primitive.name for t in topological([x * x + x])]
    ['input', 'mul', 'add']
    """
    found: list[Tensor] = []
    seen: set[int] = set()
    stack = list(outputs)
    while stack:
        t = stack.pop()
        if t.serial not in seen:
            seen.add(t.serial)
            found.append(t)
            stack += t.inputs
    found.sort(key=attrgetter("serial"))
    return found


_pausing: set[int] = set()  # the threads that have switched Python's cycle collector off


@contextmanager
def collector_paused() -> Generator[None]:
    """Python's cycle collector off while a large graph is made: nodes form no cycles, and scanning the
    growing graph again and again would make building it slower than linear."""
    was_on = gc.isenabled()
    try:
        if was_on:
            _pausing.add(get_ident())
            gc.disable()
        yield
    finally:
        if was_on:
            gc.enable()
            _pausing.discard(get_ident())


def _forked() -> None:
    """In a forked child: a thread that is not there any more does not switch the collector on again."""
    if _pausing and get_ident() not in _pausing:
        gc.enable()
    _pausing.intersection_update({get_ident()})


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
