"""A graph that runs in a loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from spusk.checks import checked_whole
from spusk.compile.arguments import check_graph, check_run, check_values, names_of
from spusk.compile.backend import Backend, check_backend
from spusk.compile.busy import COMPILING
from spusk.compile.session import Arrays, InterpretedSession, Session, Status, checked_each
from spusk.graph import Evaluator, Place, Tensor
from spusk.graph.interpret import as_fed, own
from spusk.graph.printer import graph_text
from spusk.graph.walk import topological

if TYPE_CHECKING:
    from spusk.compile.native import NativeProgram


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
class Program:
    """A graph with named inputs and outputs, of which some outputs are carried into inputs.

    Several threads may run it at the same time. It equals only itself. Pickled or copied, it is the graph
    alone, and is compiled anew.

    Args:
        outputs: what is computed, by name.
        inputs: the graph's inputs, by name.
        carry: for each output that feeds back, the name of the input it becomes in the next step.
        backend: "native" compiles the graph, with its loop, when it first runs; "numpy" interprets it.

    Raises:
        InputError: if outputs or inputs are no Tensors by name, `carry` names what does not exist or brings
            two outputs into one input, or the backend is unknown.
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
        check_graph(self.outputs, self.inputs, self.carry)

    # Both are kept by hand: until Python 3.12, a cached_property has a lock, which a forked child may find
    # taken.
    @property
    def evaluator(self) -> Evaluator:
        """The interpreter, prepared."""
        made = self.__dict__.get("_evaluator")
        if made is None:
            made = Evaluator(list(self.outputs.values()), list(self.inputs.values()))
        return self.__dict__.setdefault("_evaluator", made)

    @property
    def _compiled(self) -> tuple[NativeProgram, tuple[Place | None, ...]]:
        made = self.__dict__.get("_native")
        if made is None:
            with COMPILING:
                from spusk.compile.native import native_program

            made = native_program(self.outputs, self.inputs, self.carry)
        return self.__dict__.setdefault("_native", made)

    def __reduce__(self) -> tuple[Any, ...]:
        # The nodes come first, each after its inputs, so that no graph is too deep for pickle's recursion.
        nodes = topological([*self.outputs.values(), *self.inputs.values()])
        return _unpickled, (nodes, dict(self.outputs), dict(self.inputs), dict(self.carry), self.backend)

    @property
    def native(self) -> NativeProgram:
        """The compiled program; programs of one structure share it."""
        return self._compiled[0]

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to compile before it can run."""
        return self.backend == "numpy" or "_native" in vars(self)

    def explain(self, *, ir: bool = True) -> str:
        """Every stage of the compilation as text, for a person: a summary in a line, a legend, inputs and
        outputs, the operations, the kernels with what they fuse and an estimate of their operations and
        bytes, memory with offsets and lifetimes, calls of libraries, and LLVM IR.

        With SPUSK_EXPLAIN=1 (or true, yes, on) in the environment, it is printed on standard error for every
        program that is compiled, with the line of code that its first output comes from; with
        SPUSK_EXPLAIN=short, without LLVM IR. Of a program that is interpreted, the text is its graph.

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
        if self.backend == "numpy":
            graph = graph_text(list(self.outputs.values()))
            return f'This program is interpreted (backend="numpy"), not compiled. Its graph:\n\n{graph}\n'
        with COMPILING:
            from spusk.compile.explain import explained

        return explained(self.native.stages, ir=ir)

    def __call__(self, values: Arrays) -> dict[str, Any]:
        """The outputs, computed once, by name.

        Args:
            values: the inputs' values, by name; see `begin` for what they may be.
        """
        if self.backend == "numpy":
            fed = list(self._fed(values).values())
            found = [own(value, fed) for value in self.evaluator(*fed)]
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
            values: the inputs' values before the first step, by name. They are converted to the inputs'
                dtypes if these can hold them: floats are rounded, whole numbers keep their value or are
                refused. The carried ones are copied. Of the others, arrays of the input's dtype in C order
                are read afresh in every stretch.
            each: the names of inputs that every stretch gives rows for, one for each step.
            watch, threads: as of `run`.
            beside: a session of a program with the same carried inputs. The two then share their carried
                values if both keep them alike; else, `Session.take` brings them over.

        Returns:
            A session for one thread at a time: while one runs it, another gets an InputError.

        Raises:
            InputError: if a value is missing or the input's dtype cannot hold it, or if `values`, `each` or
                `watch` names what there is not.
            ShapeError: if a value has another shape than its input, or the watched output is no scalar.

        >>> import spusk as sp
        >>> x = sp.input("x", (), "float64")
        >>> halving = Program({"x": x / 2}, {"x": x}, carry={"x": "x"}).begin({"x": 8.0})
        >>> _ = halving.run(1), halving.run(2)
        >>> float(halving.values["x"])
        1.0

        With an input that changes from step to step:

        >>> by = sp.input("by", (), "float64")
        >>> walk = Program({"x": x + by}, {"x": x, "by": by}, carry={"x": "x"}).begin({"x": 0.0}, each=["by"])
        >>> _ = walk.run(3, {"by": [1.0, 2.0, 3.0]}), walk.run(1, {"by": [10.0]})
        >>> float(walk.values["x"])
        16.0
        """
        names = names_of(each)
        given = self._given(values, names, watch, threads, beside)
        return self._session(given, names, watch, threads, beside)

    def _given(
        self,
        values: Arrays,
        each: tuple[str, ...],
        watch: str | None,
        threads: int | None,
        beside: Any = None,
    ) -> dict[str, Any]:
        """The values as arrays, after everything that a run is given has been checked."""
        check_run(
            self.outputs, self.inputs, self.carry, each=each, watch=watch, threads=threads, beside=beside
        )
        return self._fed(values, each)

    def _session(
        self,
        given: dict[str, Any],
        each: tuple[str, ...] = (),
        watch: str | None = None,
        threads: int | None = None,
        beside: Session | None = None,
    ) -> Session:
        rows = {name: (self.inputs[name].shape, self.inputs[name].dtype) for name in each}
        if self.backend == "numpy":
            return InterpretedSession(self, given, rows, watch, beside)
        with COMPILING:
            from spusk.compile.native_session import NativeSession

        return NativeSession(*self._compiled, given, rows, watch, threads, beside)

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
                done by BLAS if that is OpenBLAS on x86-64; other libraries do not promise it. The interpreter
                has one thread.

        Raises:
            InputError, ShapeError: as of `begin` and `Session.run`.
        """
        each = {} if each is None else each
        checked_each(each)
        given = self._given(values, tuple(each), watch, threads)
        session = self._session(given, tuple(each), watch, threads)
        rows = session.checked_rows(each, checked_whole("steps", steps, 0))
        done = session.run(steps, rows)
        known = {name: array for name, array in given.items() if name not in rows}
        last = {name: array[done.steps - 1] for name, array in rows.items() if done.steps}
        return Loop({**known, **last, **session.values}, done.collected, done.steps, done.status)

    def _fed(self, values: Arrays, each: tuple[str, ...] = ()) -> dict[str, Any]:
        check_values(values, self.inputs, self.carry, each)
        return {
            name: as_fed(t, values[name], what=f"input {name!r}") if name in values else None
            for name, t in self.inputs.items()
        }


def _unpickled(nodes: list[Tensor], *fields: Any) -> Program:
    return Program(*fields)
