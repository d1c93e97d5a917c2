"""Walking a graph without recursion."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from operator import attrgetter

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


@contextmanager
def collector_paused() -> Generator[None]:
    """Python's cycle collector off while a large graph is made: nodes form no cycles, and scanning the
    growing graph again and again would make building it slower than linear."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
