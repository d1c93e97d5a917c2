"""Walking a graph without recursion."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from spusk.graph.tensor import Tensor


def topological(outputs: Iterable[Tensor]) -> list[Tensor]:
    """Every node that the outputs depend on, inputs before their users.

    >>> from spusk.graph import input
    >>> x = input("x")
    >>> [t.primitive.name for t in topological([x * x + x])]
    ['input', 'mul', 'add']
    """
    order: list[Tensor] = []
    seen: set[int] = set()
    stack: list[Tensor | None] = list(outputs)[::-1]  # pyright: ignore[reportAssignmentType]
    while stack:
        t = stack.pop()
        if t is None:  # the inputs of the node below are done
            done = stack.pop()
            assert done is not None
            order.append(done)
        elif id(t) not in seen:
            seen.add(id(t))
            if t.inputs:
                stack += (t, None)
                stack += reversed(t.inputs)
            else:
                order.append(t)
    return order


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
