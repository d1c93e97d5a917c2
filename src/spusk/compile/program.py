"""A graph that runs in a loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from spusk.compile.backend import Backend, check_backend
from spusk.errors import DTypeError, InputError, ShapeError
from spusk.graph import Evaluator, Tensor
from spusk.graph.interpret import as_fed

if TYPE_CHECKING:
    from spusk.compile.native import NativeProgram

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Loop:
    """What a program's loop came to.

    Attributes:
        values: every input's value after the last step, by name.
        collected: for each output that is not carried, its values stacked over the steps done.
        steps: how many steps were done.
        status: "finished"; "diverged" if the watched output became non-finite in the last step; or
            "interrupted" by Ctrl-C between two steps.
    """

    values: dict[str, Any]
    collected: dict[str, NDArray[Any]]
    steps: int
    status: Literal["finished", "diverged", "interrupted"]


@dataclass(frozen=True)
class Program:
    """A graph with named inputs and outputs, of which some outputs are carried into inputs.

    Args:
        outputs: what is computed, by name.
        inputs: the graph's inputs, by name.
        carry: for each output that feeds back, the name of the input it becomes in the next step.
        backend: "native" compiles the graph, with its loop, when it first runs; "numpy" interprets it.

    Raises:
        InputError: if `carry` names what does not exist, or the backend is unknown.
        ShapeError, DTypeError: if a carried output is not of its input's shape and dtype.

    >>> import spusk as sp
    >>> x = sp.input("x", (), "float64")
    >>> halving = Program({"x": x / 2, "seen": x}, {"x": x}, carry={"x": "x"})
    >>> halving.run({"x": 8.0}, steps=3).collected["seen"]
    array([8., 4., 2.])
    """

    outputs: Mapping[str, Tensor]
    inputs: Mapping[str, Tensor]
    carry: Mapping[str, str] = field(default_factory=dict[str, str])
    backend: Backend = "native"

    def __post_init__(self) -> None:
        check_backend(self.backend)
        for source, target in self.carry.items():
            if source not in self.outputs or target not in self.inputs:
                raise InputError(f"carry {source!r} -> {target!r} names no output or no input of the program")
            out, into = self.outputs[source], self.inputs[target]
            if out.shape != into.shape:
                raise ShapeError(f"{source!r} starts with shape {into.shape} and becomes {out.shape}")
            if out.dtype != into.dtype:
                raise DTypeError(f"{source!r} starts as {into.dtype.name} and becomes {out.dtype.name}")

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(list(self.outputs.values()), list(self.inputs.values()))

    @cached_property
    def native(self) -> NativeProgram:
        """The compiled program."""
        from spusk.compile.native import native_program

        return native_program(self.outputs, self.inputs, self.carry)

    def explain(self, *, ir: bool = False) -> str:
        """Every stage of the compilation as text: operations, kernels with their cost, memory, LLVM IR.

        With SPUSK_EXPLAIN=1 in the environment, it is printed for every program that is compiled.
        """
        from spusk.compile.explain import explained

        return explained(self.native.stages, ir=ir)

    def __call__(self, values: Arrays) -> dict[str, Any]:
        """The outputs, computed once, by name."""
        if self.backend == "native":
            ran = self.native.run(dict(zip(self.inputs, self._fed(values), strict=True)), 1)
            if not ran.steps:
                raise KeyboardInterrupt  # nothing was computed that could be returned
            return {
                name: ran.carried[self.carry[name]] if name in self.carry else ran.collected[name][0]
                for name in self.outputs
            }
        found = self._evaluator(*self._fed(values))
        return dict(zip(self.outputs, found, strict=True))

    def run(
        self,
        values: Arrays,
        *,
        steps: int,
        each: Arrays | None = None,
        watch: str | None = None,
        threads: int | None = None,
    ) -> Loop:
        """Step after step, carried outputs becoming inputs.

        Args:
            values: the inputs' values before the first step, by name.
            steps: how many steps.
            each: for some inputs, an array whose i-th row is the input's value in step i.
            watch: the name of a scalar output; the loop ends when it is not finite.
            threads: how many threads share the work of a step; default: all processors if the step is large
                enough to gain, one within a lane. The bits are the same for any number.
        """
        each = each or {}
        first = {name: rows[0] for name, rows in each.items()} if steps else {}
        current = self._fed({**values, **first} if steps else values, optional=set(each))
        if self.backend == "native":
            return self._run_native(current, steps, each, watch, threads)
        position = {name: i for i, name in enumerate(self.inputs)}
        outputs = {name: i for i, name in enumerate(self.outputs)}
        carried = [(outputs[source], position[target]) for source, target in self.carry.items()]
        stepped = [(position[name], rows) for name, rows in each.items()]
        kept = {name: np.empty((steps, *t.shape), t.dtype) for name, t in self._collected().items()}
        recorded = [(outputs[name], array) for name, array in kept.items()]
        watched = outputs[watch] if watch is not None else None
        evaluator, done, status = self._evaluator, 0, "finished"
        try:
            for i in range(steps):
                for j, rows in stepped:
                    current[j] = rows[i]
                found = evaluator(*current)
                for k, array in recorded:
                    array[i] = found[k]
                for k, j in carried:
                    current[j] = found[k]
                done = i + 1
                if watched is not None and not np.isfinite(found[watched]):
                    status = "diverged"
                    break
        except KeyboardInterrupt:
            status = "interrupted"
        after = dict(zip(self.inputs, current, strict=True))
        return Loop(after, {name: array[:done] for name, array in kept.items()}, done, status)

    def _run_native(
        self, current: list[Any], steps: int, each: Arrays, watch: str | None, threads: int | None
    ) -> Loop:
        given = dict(zip(self.inputs, current, strict=True))
        ran = self.native.run(given, steps, each, watch, threads)
        last = {name: rows[ran.steps - 1] for name, rows in each.items()} if ran.steps else {}
        return Loop({**given, **last, **ran.carried}, ran.collected, ran.steps, ran.status)

    def _collected(self) -> dict[str, Tensor]:
        return {name: t for name, t in self.outputs.items() if name not in self.carry}

    def _fed(self, values: Arrays, optional: set[str] | None = None) -> list[Any]:
        missing = [name for name in self.inputs if name not in values and name not in (optional or ())]
        if missing:
            raise InputError(f"the program needs values for its inputs {', '.join(map(repr, missing))}")
        return [as_fed(t, values[name]) if name in values else None for name, t in self.inputs.items()]
