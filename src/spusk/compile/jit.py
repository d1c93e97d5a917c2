"""Functions compiled when they are first called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from spusk.checks import checked_function
from spusk.compile.backend import Backend, check_backend
from spusk.compile.program import Program
from spusk.graph import Tensor
from spusk.graph.leaves import Input
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
        InputError: if `f` is no function, or the backend is unknown.

    >>> square = jit(lambda x: x * x)
    >>> square([1.0, 2.0])
    array([1., 4.])
    """
    check_backend(backend)
    checked_function("jit", f)
    return _Compiled(f, backend)


class _Compiled:
    """What `jit` returns. Pickled, it is the function that it was made of, and is compiled anew."""

    def __init__(self, f: Callable[..., Any], backend: Backend) -> None:
        self._f: Callable[..., Any] = f
        self._backend: Backend = backend
        self._call = traced(f, remembered={}, evaluator=self._program)
        update_wrapper(self, f, assigned=("__module__", "__name__", "__qualname__", "__doc__"))

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __repr__(self) -> str:
        return f"jit({self._f!r})"

    def _program(self, outputs: list[Tensor], inputs: list[Tensor]) -> Callable[..., list[Any]]:
        names = [t.primitive.label if isinstance(t.primitive, Input) else "" for t in inputs]
        results = ["result"] if len(outputs) == 1 else [f"result {i}" for i in range(len(outputs))]
        program = Program(
            dict(zip(results, outputs, strict=True)),
            dict(zip(names, inputs, strict=True)),
            backend=self._backend,
        )
        return lambda *values: list(program(dict(zip(names, values, strict=True))).values())

    def __reduce__(self) -> str | tuple[Any, ...]:
        name = getattr(self._f, "__qualname__", "")
        module = sys.modules.get(getattr(self._f, "__module__", None) or "")
        # Under its function's name there may be this object, as a decorator leaves it. What the main module
        # holds is not to be found in other processes, but some picklers take its functions along.
        if module is None or module.__name__ == "__main__" or _found(module, name) is not self:
            return jit, (self._f, self._backend)
        return name


def _found(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part, None)
    return module
