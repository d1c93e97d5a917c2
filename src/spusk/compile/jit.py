"""Functions compiled when they are first called."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from spusk.compile.backend import Backend, check_backend
from spusk.compile.program import Program
from spusk.graph import Tensor
from spusk.graph.transforms import traced


def jit(f: Callable[..., Any], backend: Backend = "native") -> Callable[..., Any]:
    """`f` traced once for each combination of argument shapes and dtypes, then run from its compiled graph.

    Args:
        f: takes arrays (or dicts of arrays) as Tensors and returns a Tensor, or a tuple or dict of them.
            It must not depend on anything else that changes: later calls do not run its Python again.
        backend: "native" (default) compiles the graph; "numpy" interprets it.

    Returns:
        A function of the same arguments on NumPy arrays.

    Raises:
        InputError: if the backend is unknown.

    >>> square = jit(lambda x: x * x)
    >>> square([1.0, 2.0])
    array([1., 4.])
    """
    check_backend(backend)

    def prepared(outputs: list[Tensor], inputs: list[Tensor]) -> Callable[..., list[Any]]:
        names = [str(i) for i in range(len(inputs))]
        program = Program(
            {str(i): t for i, t in enumerate(outputs)}, dict(zip(names, inputs, strict=True)), backend=backend
        )
        return lambda *values: list(program(dict(zip(names, values, strict=True))).values())

    return wraps(f, assigned=("__name__", "__doc__"))(traced(f, remembered={}, evaluator=prepared))
