"""A program's loop that goes on where it stopped: between two runs, its values stay where they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from threading import get_ident
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from spusk.checks import checked_whole
from spusk.errors import DTypeError, InputError, ShapeError, closest
from spusk.graph.feed import held

if TYPE_CHECKING:
    from spusk.compile.program import Program

Status = Literal["finished", "diverged", "interrupted"]
Arrays = Mapping[str, Any]
Rows = Mapping[
    str, tuple[tuple[int, ...], np.dtype[Any]]
]  # for inputs given anew for each step: what a row is
NOTHING: Arrays = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Some steps of a session.

    Attributes:
        collected: for each output that is not carried, its values stacked over the steps done.
        steps: how many were done.
        status: as of a `Loop`.
    """

    collected: dict[str, NDArray[Any]]
    steps: int
    status: Status


class Session(ABC):
    """A program with values, ready to run step after step, for one thread at a time; see `Program.begin`.

    Threads that are to run at the same time need a session each. A session may pass from thread to thread.

    Attributes:
        values: the carried inputs' arrays, by name.
    """

    _values: dict[str, NDArray[Any]]

    def __init__(self, rows: Rows, sharing: Session | None) -> None:
        self._rows = rows
        # The thread that runs this session, or another one with the same values; `setdefault` is atomic.
        self._running: dict[str, int] = {} if sharing is None else sharing._running

    def __reduce__(self) -> NoReturn:
        """Copies would share or lose the memory that native code writes to."""
        raise InputError(
            "a session can be neither copied nor pickled; pickle its program and session.values, "
            "and begin another session with them"
        )

    @property
    def values(self) -> dict[str, NDArray[Any]]:
        """The carried inputs' arrays, by name. They are live: running changes them, and the loop goes on
        from what is written to them."""
        return self._values

    def run(self, steps: int, each: Arrays = NOTHING) -> Stretch:
        """Go on for so many steps.

        Args:
            steps: how many.
            each: for every input announced to change, an array whose i-th row is its value in step i.

        Raises:
            ShapeError: if `each` has too few rows, or rows of another shape.
            InputError: if `each` lacks an input that was announced, names another one or holds what the
                input's dtype cannot; if `steps` is no whole number, or needs more memory than there is; if an
                index lies outside of its axis, or a whole number has a negative exponent; or if the session,
                or one that it shares its values with, is running in another thread. After an error in a step,
                carried values may be those before that step or, natively, partly those after it.
        """
        steps = checked_whole("steps", steps, 0)
        here = get_ident()
        try:
            if self._running.setdefault("thread", here) != here:
                raise InputError(
                    "this session is running in another thread; begin a session for each thread, "
                    "or wait until the other thread's run has returned"
                )
            return self._run(steps, self.checked_rows(each, steps))
        finally:
            if self._running.get("thread") == here:
                self._running.clear()

    @abstractmethod
    def _run(self, steps: int, rows: Arrays) -> Stretch:
        """`run` with checked arguments, in one thread at a time."""

    def once(self) -> dict[str, NDArray[Any]]:
        """One step's outputs that are not carried, by name.

        Raises:
            KeyboardInterrupt: if Ctrl-C came before the step: nothing was computed that could be returned.
        """
        done = self.run(1)
        if not done.steps:
            raise KeyboardInterrupt
        return {name: rows[0, ...] for name, rows in done.collected.items()}

    def take(self, other: Session) -> None:
        """Take over the carried values of a session with the same carried inputs.

        Raises:
            InputError: if the other is no session, or lacks one of them.
            ShapeError, DTypeError: if it keeps one in another shape or dtype.
        """
        if not isinstance(other, Session):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"take got {other!r:.60}; it needs a session, as Program.begin gives it")
        for name, array in self.values.items():
            theirs = other.values.get(name)
            if theirs is None:
                hint = closest(name, other.values)
                raise InputError(f"the other session carries no input {name!r}, which take needs{hint}")
            if theirs.shape != array.shape:
                raise ShapeError(f"take got {name!r} of shape {theirs.shape}; it needs {array.shape}")
            if theirs.dtype != array.dtype:
                found, needed = theirs.dtype.name, array.dtype.name
                raise DTypeError(f"take got {name!r} of dtype {found}; it needs {needed}")
        for name, array in self.values.items():
            if other.values[name] is not array:
                array[...] = other.values[name]

    def checked_rows(self, each: Arrays, steps: int) -> dict[str, NDArray[Any]]:
        """The rows of every input announced to change, as the program needs them; see `run` for errors."""
        checked_each(each)
        for name in each:
            if name not in self._rows:
                hint = closest(str(name), self._rows)
                raise InputError(f"no input {name!r} was announced to change from step to step{hint}")
        return {
            name: _checked(name, shape, dtype, each, steps) for name, (shape, dtype) in self._rows.items()
        }


class InterpretedSession(Session):
    """A session on the interpreter. See `Program.begin` for the arguments."""

    def __init__(
        self,
        program: Program,
        given: dict[str, Any],
        rows: Rows,
        watch: str | None,
        beside: Session | None,
    ) -> None:
        self._evaluator = program.evaluator
        self._given = [given[name] for name in program.inputs]
        position = {name: i for i, name in enumerate(program.inputs)}
        outputs = {name: i for i, name in enumerate(program.outputs)}
        names = dict.fromkeys(program.carry.values())
        values = {name: np.array(given[name]) for name in names}
        shared = beside if isinstance(beside, InterpretedSession) else None
        if shared is not None and _kinds(shared.values) != _kinds(values):
            shared = None
        super().__init__(rows, shared)
        self._values = values if shared is None else shared._values
        self._live = [(position[name], self.values[name]) for name in names]
        self._carried = [(outputs[source], position[target]) for source, target in program.carry.items()]
        self._stepped = [(position[name], name) for name in rows]
        self._kept = [
            (outputs[name], name, t) for name, t in program.outputs.items() if name not in program.carry
        ]
        self._watched = None if watch is None else outputs[watch]

    def _run(self, steps: int, rows: Arrays) -> Stretch:
        stepped = [(i, rows[name]) for i, name in self._stepped]
        collected = {name: room_for(f"output {name!r}", steps, t.shape, t.dtype) for _, name, t in self._kept}
        recorded = [(k, collected[name]) for k, name, _ in self._kept]
        current = list(self._given)
        for i, array in self._live:
            current[i] = np.array(array)
        done, status = 0, "finished"
        try:
            for step in range(steps):
                for i, array in stepped:
                    current[i] = array[step]
                found = self._evaluator(*current)
                for k, array in recorded:
                    array[step] = found[k]
                for k, i in self._carried:
                    current[i] = found[k]
                done = step + 1
                if self._watched is not None and not np.isfinite(found[self._watched]):
                    status = "diverged"
                    break
        except KeyboardInterrupt:
            status = "interrupted"
        finally:  # also after an error: as after the last whole step
            for i, array in self._live:
                array[...] = current[i]
        return Stretch({name: array[:done] for name, array in collected.items()}, done, status)


def _kinds(values: Arrays) -> dict[str, Any]:
    return {name: (array.shape, array.dtype) for name, array in values.items()}


def checked_each(each: Any) -> None:
    """Raise an InputError if these are no rows by name."""
    if not isinstance(each, Mapping):
        kind = type(each).__name__
        raise InputError(f"each is a {kind}; it must be a mapping from inputs' names to rows")


def room_for(what: str, steps: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array for what is kept of so many steps."""
    try:
        return np.empty((steps, *shape), dtype)
    except (MemoryError, ValueError, OverflowError):
        raise InputError(
            f"steps is {steps}, and {what} holds {dtype.name} of shape {shape} for each: "
            "that is more than fits into memory"
        ) from None


def _checked(
    name: str, shape: tuple[int, ...], dtype: np.dtype[Any], each: Arrays, steps: int
) -> NDArray[Any]:
    """The rows of one input, as the program needs them."""
    if name not in each:
        raise InputError(f"the program needs rows for its input {name!r}, which changes from step to step")
    rows = held(f"input {name!r}", each[name], dtype)
    if rows.ndim != len(shape) + 1 or rows.shape[1:] != shape or len(rows) < steps:
        raise ShapeError(f"input {name!r} was given rows of shape {rows.shape}; it needs {(steps, *shape)}")
    return np.ascontiguousarray(rows)
