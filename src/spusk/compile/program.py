"""A graph that runs in a loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from spusk.compile.backend import Backend, check_backend
from spusk.compile.session import Arrays, InterpretedSession, Session, Status
from spusk.errors import DTypeError, InputError, ShapeError, closest
from spusk.graph import Evaluator, Place, Tensor
from spusk.graph.interpret import as_fed

if TYPE_CHECKING:
    from spusk.compile.native import NativeProgram


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
    status: Status


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
    def evaluator(self) -> Evaluator:
        """The interpreter, prepared."""
        return Evaluator(list(self.outputs.values()), list(self.inputs.values()))

    @cached_property
    def _compiled(self) -> tuple[NativeProgram, tuple[Place | None, ...]]:
        from spusk.compile.native import native_program

        return native_program(self.outputs, self.inputs, self.carry)

    @property
    def native(self) -> NativeProgram:
        """The compiled program; programs of one structure share it."""
        return self._compiled[0]

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to compile before it can run."""
        return self.backend == "numpy" or "_compiled" in vars(self)

    def explain(self, *, ir: bool = True) -> str:
        """Every stage of the compilation as text, for a person: a legend, inputs and outputs, the operations,
        the kernels with what they fuse and an estimate of their operations and bytes, memory with offsets and
        lifetimes, calls of libraries, and LLVM IR.

        With SPUSK_EXPLAIN=1 (or true, yes, on) in the environment, it is printed on standard error for every
        program that is compiled; with SPUSK_EXPLAIN=short, without LLVM IR.

        Args:
            ir: whether to end with the LLVM IR, which is most of the text.

        >>> import spusk as sp
        >>> x = sp.input("x", (3,))
        >>> text = Program({"twice": x * 2}, {"x": x}).explain(ir=False)
        >>> print(text[text.index("KERNELS") : text.index("CODE")])
        KERNELS: 1, about 3 operations and 24 bytes a step
             0 loop 3: mul 2
                 reads 0; writes 2; 3 ops, 24 bytes
        <BLANKLINE>
        MEMORY: no carried state, no arena
          buffers 0 2 stay where the caller has them
        <BLANKLINE>
        <BLANKLINE>
        """
        from spusk.compile.explain import explained

        return explained(self.native.stages, ir=ir)

    def __call__(self, values: Arrays) -> dict[str, Any]:
        """The outputs, computed once, by name."""
        if self.backend == "numpy":
            found = self.evaluator(*self._fed(values).values())
            return dict(zip(self.outputs, found, strict=True))
        session = self.begin(values)
        found = session.once()
        return {
            name: session.values[self.carry[name]] if name in self.carry else found[name]
            for name in self.outputs
        }

    def begin(
        self,
        values: Arrays,
        *,
        each: Iterable[str] = (),
        watch: str | None = None,
        threads: int | None = None,
        beside: Session | None = None,
    ) -> Session:
        """Start a loop that runs in several stretches; each takes a few microseconds to begin.

        Args:
            values: the inputs' values before the first step, by name. The carried ones are copied. Of the
                others, arrays of the input's dtype in C order are read afresh in every stretch.
            each: the names of inputs that every stretch gives rows for, one for each step.
            watch, threads: as of `run`.
            beside: a session of a program with the same carried inputs. The two then share their carried
                values if both keep them alike; else, `Session.take` brings them over.

        Raises:
            InputError: if a value is missing, or `each` or `watch` names what there is not.
            ShapeError: if a value has another shape than its input, or the watched output is no scalar.

        >>> import spusk as sp
        >>> x = sp.input("x", (), "float64")
        >>> halving = Program({"x": x / 2}, {"x": x}, carry={"x": "x"}).begin({"x": 8.0})
        >>> _ = halving.run(1), halving.run(2)
        >>> float(halving.values["x"])
        1.0
        """
        names = tuple(each)
        return self._session(self._fed(values, names), names, watch, threads, beside)

    def _session(
        self,
        given: dict[str, Any],
        each: tuple[str, ...],
        watch: str | None = None,
        threads: int | None = None,
        beside: Session | None = None,
    ) -> Session:
        self._check_names(each, watch)
        if self.backend == "numpy":
            return InterpretedSession(self, given, each, watch, beside)
        from spusk.compile.native_session import NativeSession

        return NativeSession(*self._compiled, given, each, watch, threads, beside)

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
                enough to gain, one within a lane. The bits are the same for any number, also of products
                done by BLAS if that is OpenBLAS on x86-64; other libraries do not promise it.
        """
        each = each or {}
        given = self._fed(values, optional=tuple(each))
        session = self._session(given, tuple(each), watch, threads)
        done = session.run(steps, each)
        last = {name: rows[done.steps - 1] for name, rows in each.items()} if done.steps else {}
        return Loop({**given, **last, **session.values}, done.collected, done.steps, done.status)

    def _check_names(self, each: tuple[str, ...], watch: str | None) -> None:
        for name in each:
            if name not in self.inputs:
                raise InputError(f"the program has no input {name!r}{closest(name, self.inputs)}")
            if name in self.carry.values():
                raise InputError(f"input {name!r} is carried, so it cannot be given anew for each step")
        if watch is not None and watch not in self.outputs:
            raise InputError(f"watch names no output of the program: {watch!r}{closest(watch, self.outputs)}")
        if watch is not None and self.outputs[watch].shape != ():
            raise ShapeError(f"watch is {watch!r} of shape {self.outputs[watch].shape}; it must be a scalar")

    def _fed(self, values: Arrays, optional: tuple[str, ...] = ()) -> dict[str, Any]:
        missing = [name for name in self.inputs if name not in values and name not in optional]
        if missing:
            raise InputError(f"the program needs values for its inputs {', '.join(map(repr, missing))}")
        return {name: as_fed(t, values[name]) if name in values else None for name, t in self.inputs.items()}
