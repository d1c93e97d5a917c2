"""A program's loop that goes on where it stopped: between two runs, its values stay where they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from threading import get_ident
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError, ShapeError

if TYPE_CHECKING:
    from spusk.compile.program import Program

Status = Literal["finished", "diverged", "interrupted"]
Arrays = Mapping[str, Any]
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
        values: the carried inputs' arrays, by name. They are live: running changes them.
    """

    values: dict[str, NDArray[Any]]

    def __init__(self, sharing: Session | None) -> None:
        # The thread that runs this session, or another one with the same values; `setdefault` is atomic.
        self._running: dict[str, int] = {} if sharing is None else sharing._running

    def run(self, steps: int, each: Arrays = NOTHING) -> Stretch:
        """Go on for so many steps.

        Args:
            steps: how many.
            each: for every input announced to change, an array whose i-th row is its value in step i.

        Raises:
            ShapeError: if `each` has too few rows, or rows of another shape.
            InputError: if `each` lacks an input that was announced, or `steps` is negative, or the session,
                or one that it shares its values with, is running in another thread.
        """
        here = get_ident()
        try:
            if self._running.setdefault("thread", here) != here:
                raise InputError(
                    "this session is running in another thread; begin a session for each thread, "
                    "or wait until the other thread's run has returned"
                )
            return self._run(steps, each)
        finally:
            if self._running.get("thread") == here:
                self._running.clear()

    @abstractmethod
    def _run(self, steps: int, each: Arrays) -> Stretch:
        """`run`, in one thread at a time."""

    def once(self) -> dict[str, NDArray[Any]]:
        """One step's outputs that are not carried, by name.

        Raises:
            KeyboardInterrupt: if Ctrl-C came before the step: nothing was computed that could be returned.
        """
        done = self.run(1)
        if not done.steps:
            raise KeyboardInterrupt
        return {name: rows[0] for name, rows in done.collected.items()}

    def take(self, other: Session) -> None:
        """Take over the carried values of a session with the same carried inputs."""
        for name, array in self.values.items():
            theirs = other.values[name]
            if theirs is not array:
                array[...] = theirs


class InterpretedSession(Session):
    """A session on the interpreter. See `Program.begin` for the arguments."""

    def __init__(
        self,
        program: Program,
        given: dict[str, Any],
        each: tuple[str, ...],
        watch: str | None,
        beside: Session | None,
    ) -> None:
        self._evaluator = program.evaluator
        self._given = [given[name] for name in program.inputs]
        position = {name: i for i, name in enumerate(program.inputs)}
        outputs = {name: i for i, name in enumerate(program.outputs)}
        names = dict.fromkeys(program.carry.values())
        shared = beside if isinstance(beside, InterpretedSession) else None
        if shared is not None and shared.values.keys() != names.keys():
            shared = None
        super().__init__(shared)
        if shared is not None:
            self.values = shared.values
        else:
            self.values = {name: np.array(given[name]) for name in names}
        self._live = [(position[name], self.values[name]) for name in names]
        self._carried = [(outputs[source], position[target]) for source, target in program.carry.items()]
        self._stepped = [(position[name], name, program.inputs[name]) for name in each]
        self._kept = [
            (outputs[name], name, t) for name, t in program.outputs.items() if name not in program.carry
        ]
        self._watched = None if watch is None else outputs[watch]

    def _run(self, steps: int, each: Arrays) -> Stretch:
        checked_steps(steps)
        rows = [(i, checked_rows(name, t.shape, t.dtype, each, steps)) for i, name, t in self._stepped]
        collected = {name: np.empty((steps, *t.shape), t.dtype) for _, name, t in self._kept}
        recorded = [(k, collected[name]) for k, name, _ in self._kept]
        current = list(self._given)
        for i, array in self._live:
            current[i] = np.array(array)
        done, status = 0, "finished"
        try:
            for step in range(steps):
                for i, array in rows:
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
        for i, array in self._live:
            array[...] = current[i]
        return Stretch({name: array[:done] for name, array in collected.items()}, done, status)


def checked_steps(steps: int) -> None:
    """Raise an InputError if that is no number of steps."""
    whole: Any = steps  # a caller without a type checker may give anything
    if isinstance(whole, bool) or not isinstance(whole, int | np.integer) or steps < 0:
        raise InputError(f"steps is {steps}; it must be a whole number, 0 or more")


def checked_rows(
    name: str, shape: tuple[int, ...], dtype: np.dtype[Any], each: Arrays, steps: int
) -> NDArray[Any]:
    """The rows of an input that changes from step to step, as the program needs them."""
    if name not in each:
        raise InputError(f"the program needs rows for its input {name!r}, which changes from step to step")
    rows: NDArray[Any] = np.ascontiguousarray(each[name], dtype)
    if rows.shape[1:] != shape or len(rows) < steps:
        raise ShapeError(f"input {name!r} was given rows of shape {rows.shape}; it needs {(steps, *shape)}")
    return rows
